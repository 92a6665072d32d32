//! The difference between two texts of one file: as a patch that `git apply` takes, and as hunks for the screen.
//!
//! Lines are git's: they end at a line feed and nowhere else. The marks within a line are exact where the replaced bytes
//! are known, as they are for an edit of ours; no similarity is guessed.

mod patch;

use std::ops::Range;

use similar::{Algorithm, DiffOp};

use super::manifest::Replaced;

pub use patch::unified;

/// What a line of a hunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// In both texts.
    Context,
    /// In the old text only.
    Removed,
    /// In the new text only.
    Added,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A line feed.
    Lf,
    /// Carriage return and line feed.
    CrLf,
    /// The text ends here without a line feed.
    Missing,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// What it is.
    pub kind: LineKind,
    /// Its number in the old text, from 1.
    pub old_no: Option<usize>,
    /// Its number in the new text, from 1.
    pub new_no: Option<usize>,
    /// The text without its end.
    pub text: String,
    /// Its end.
    pub ending: Ending,
    /// The bytes of `text` that differ, in order.
    pub words: Vec<Range<usize>>,
}

/// Changed lines that stand close together, with some unchanged ones around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The first line in the old text, from 1; 0 if the old text is empty.
    pub old_start: usize,
    /// How many lines of the old text it covers.
    pub old_len: usize,
    /// The first line in the new text, from 1; 0 if the new text is empty.
    pub new_start: usize,
    /// How many lines of the new text it covers.
    pub new_len: usize,
    /// Its lines: of each change first what was removed, then what was added.
    pub lines: Vec<DiffLine>,
}

/// The hunks between two texts of which nothing else is known, with `context` unchanged lines around each change.
///
/// Where a changed run has as many lines before as after, they are taken pairwise and what differs in each is marked.
pub fn hunks(old: &str, new: &str, context: usize) -> Vec<Hunk> {
    let (old, new) = (Lines::of(old), Lines::of(new));
    let blocks = blocks(&old, &new);
    let mut places = Vec::new();
    for block in &blocks {
        if block.old.len() == block.new.len() {
            let pairs = block.old.clone().zip(block.new.clone());
            places.extend(
                pairs.map(|(before, after)| Replaced { old: old.range(before), new: new.range(after) }),
            );
        }
    }
    Sides::new(old, new, &places).hunks(&blocks, context)
}

/// The hunks between two texts that differ in `places` only, which are in order.
pub fn hunks_at(old: &str, new: &str, places: &[Replaced], context: usize) -> Vec<Hunk> {
    let (old, new) = (Lines::of(old), Lines::of(new));
    let mut blocks: Vec<Block> = Vec::with_capacity(places.len());
    for place in places {
        let mut block = Block { old: old.covering(&place.old), new: new.covering(&place.new) };
        // Several edits of one line, or of neighbouring lines, are one change.
        if let Some(before) = blocks.last()
            && before.old.end >= block.old.start
        {
            block = Block { old: before.old.start..block.old.end, new: before.new.start..block.new.end };
            blocks.pop();
        }
        blocks.push(block);
    }
    for block in &mut blocks {
        block.trim(&old, &new);
    }
    blocks.retain(|block| !block.old.is_empty() || !block.new.is_empty());
    Sides::new(old, new, places).hunks(&blocks, context)
}

/// How many bytes differ outside of `places`; of an edit of ours always 0.
pub fn bytes_outside(old: &str, new: &str, places: &[Replaced]) -> usize {
    let starts = std::iter::once((0, 0)).chain(places.iter().map(|place| (place.old.end, place.new.end)));
    let ends = places.iter().map(|place| (place.old.start, place.new.start)).chain([(old.len(), new.len())]);
    let gaps = starts.zip(ends).map(|((old_from, new_from), (old_to, new_to))| {
        (old.get(old_from..old_to).unwrap_or_default(), new.get(new_from..new_to).unwrap_or_default())
    });
    gaps.filter(|(before, after)| before != after).map(|(before, after)| before.len().max(after.len())).sum()
}

/// What differs between two texts, each trimmed at both ends to whole components: of `6.5.4` and `6.6.1` that is `5.4`
/// and `6.1`.
pub fn differing(old: &str, new: &str) -> (Range<usize>, Range<usize>) {
    let same = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let start = (0..=same).rev().find(|at| is_seam(old, *at) && is_seam(new, *at)).unwrap_or(0);
    let room = old.len().min(new.len()) - start;
    let behind = old.bytes().rev().zip(new.bytes().rev()).take(room).take_while(|(a, b)| a == b).count();
    let is_end = |back: &usize| is_seam(old, old.len() - back) && is_seam(new, new.len() - back);
    let end = (0..=behind).rev().find(is_end).unwrap_or(0);
    (start..old.len() - end, start..new.len() - end)
}

/// Whether a component may begin or end at byte `at`: at either end, and beside anything that is no letter or digit.
fn is_seam(text: &str, at: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(at) else { return false };
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !(inside(before.chars().next_back()) && inside(after.chars().next()))
}

/// A run of changed lines: their indices in both texts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    old: Range<usize>,
    new: Range<usize>,
}

impl Block {
    /// Leaves out lines at both ends that are the same after all.
    fn trim(&mut self, old: &Lines<'_>, new: &Lines<'_>) {
        while !self.old.is_empty()
            && !self.new.is_empty()
            && old.get(self.old.start) == new.get(self.new.start)
        {
            self.old.start += 1;
            self.new.start += 1;
        }
        while !self.old.is_empty()
            && !self.new.is_empty()
            && old.get(self.old.end - 1) == new.get(self.new.end - 1)
        {
            self.old.end -= 1;
            self.new.end -= 1;
        }
    }
}

/// A text and where its lines begin.
struct Lines<'a> {
    text: &'a str,
    each: Vec<&'a str>,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let each: Vec<&str> = text.split_inclusive('\n').collect();
        let starts = each.iter().scan(0, |start, line| {
            let this = *start;
            *start += line.len();
            Some(this)
        });
        Self { text, starts: starts.collect(), each }
    }

    fn get(&self, index: usize) -> &'a str {
        self.each.get(index).copied().unwrap_or_default()
    }

    /// The bytes of a line, its end left out.
    fn range(&self, index: usize) -> Range<usize> {
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        start..start + content(self.get(index)).0.len()
    }

    /// The lines that hold any of these bytes.
    fn covering(&self, bytes: &Range<usize>) -> Range<usize> {
        let line_at = |at: usize| self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        line_at(bytes.start)..line_at(bytes.end.saturating_sub(1).max(bytes.start)) + 1
    }
}

/// A line without its end, and the end.
fn content(line: &str) -> (&str, Ending) {
    match line.strip_suffix('\n') {
        None => (line, Ending::Missing),
        Some(line) => match line.strip_suffix('\r') {
            None => (line, Ending::Lf),
            Some(line) => (line, Ending::CrLf),
        },
    }
}

fn blocks(old: &Lines<'_>, new: &Lines<'_>) -> Vec<Block> {
    let block = |op| match op {
        DiffOp::Equal { .. } => None,
        DiffOp::Delete { old_index, old_len, new_index } => {
            Some(Block { old: old_index..old_index + old_len, new: new_index..new_index })
        }
        DiffOp::Insert { old_index, new_index, new_len } => {
            Some(Block { old: old_index..old_index, new: new_index..new_index + new_len })
        }
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            Some(Block { old: old_index..old_index + old_len, new: new_index..new_index + new_len })
        }
    };
    similar::capture_diff_slices(Algorithm::Histogram, &old.each, &new.each)
        .into_iter()
        .filter_map(block)
        .collect()
}

/// Both texts, and the bytes of each that are marked as different, in order.
struct Sides<'a> {
    old: Lines<'a>,
    new: Lines<'a>,
    old_marks: Vec<Range<usize>>,
    new_marks: Vec<Range<usize>>,
}

impl<'a> Sides<'a> {
    fn new(old: Lines<'a>, new: Lines<'a>, places: &[Replaced]) -> Self {
        let shift = |range: Range<usize>, base: usize| base + range.start..base + range.end;
        let marks = |place: &Replaced| {
            let before = old.text.get(place.old.clone()).unwrap_or_default();
            let after = new.text.get(place.new.clone()).unwrap_or_default();
            let (before, after) = differing(before, after);
            (shift(before, place.old.start), shift(after, place.new.start))
        };
        let (old_marks, new_marks) = places.iter().map(marks).unzip();
        Self { old, new, old_marks, new_marks }
    }

    /// Groups blocks that stand close together and surrounds them with context.
    fn hunks(&self, blocks: &[Block], context: usize) -> Vec<Hunk> {
        let near = |a: &Block, b: &Block| b.old.start.saturating_sub(a.old.end) <= context.saturating_mul(2);
        blocks.chunk_by(near).filter_map(|group| self.hunk(group, context)).collect()
    }

    fn hunk(&self, blocks: &[Block], context: usize) -> Option<Hunk> {
        let (first, last) = (blocks.first()?, blocks.last()?);
        let before = context.min(first.old.start);
        let after = context.min(self.old.each.len() - last.old.end);
        let old = first.old.start - before..last.old.end + after;
        let new = first.new.start - before..last.new.end + after;
        let mut lines = Vec::new();
        let (mut old_at, mut new_at) = (old.start, new.start);
        for block in blocks {
            self.push_context(&mut lines, old_at..block.old.start, new_at);
            lines.extend(block.old.clone().map(|index| self.line(LineKind::Removed, index)));
            lines.extend(block.new.clone().map(|index| self.line(LineKind::Added, index)));
            (old_at, new_at) = (block.old.end, block.new.end);
        }
        self.push_context(&mut lines, old_at..old.end, new_at);
        let start = |range: &Range<usize>| if range.is_empty() { range.start } else { range.start + 1 };
        Some(Hunk {
            old_start: start(&old),
            old_len: old.len(),
            new_start: start(&new),
            new_len: new.len(),
            lines,
        })
    }

    fn push_context(&self, lines: &mut Vec<DiffLine>, old: Range<usize>, new_at: usize) {
        for (new_no, index) in (new_at + 1..).zip(old) {
            lines.push(DiffLine { new_no: Some(new_no), ..self.line(LineKind::Context, index) });
        }
    }

    /// A line of the new text if it was added, else of the old one.
    fn line(&self, kind: LineKind, index: usize) -> DiffLine {
        let (side, marks) = match kind {
            LineKind::Added => (&self.new, &self.new_marks),
            LineKind::Context | LineKind::Removed => (&self.old, &self.old_marks),
        };
        let (text, ending) = content(side.get(index));
        let span = side.range(index);
        let first = marks.partition_point(|mark| mark.end <= span.start);
        let words = marks
            .iter()
            .skip(first)
            .take_while(|mark| mark.start < span.end)
            .map(|mark| mark.start.max(span.start) - span.start..mark.end.min(span.end) - span.start);
        let number = Some(index + 1);
        DiffLine {
            kind,
            old_no: number.filter(|_| kind != LineKind::Added),
            new_no: number.filter(|_| kind == LineKind::Added),
            text: text.to_owned(),
            ending,
            words: words.filter(|words| !words.is_empty() && kind != LineKind::Context).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(hunks: &[Hunk]) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        for line in hunks.iter().flat_map(|hunk| &hunk.lines) {
            let sign = match line.kind {
                LineKind::Context => continue,
                LineKind::Removed => "-",
                LineKind::Added => "+",
            };
            all.extend(line.words.iter().map(|word| (sign, line.text.get(word.clone()).unwrap().to_owned())));
        }
        all
    }

    #[test]
    fn marks_are_trimmed_to_whole_components() {
        let marked = |old: &'static str, new: &'static str| {
            let (a, b) = differing(old, new);
            (old.get(a).unwrap(), new.get(b).unwrap())
        };
        assert_eq!(marked("ghcr.io/o/web:6.5.4", "ghcr.io/o/web:6.6.1"), ("5.4", "6.1"));
        assert_eq!(marked("web:1.2", "web:1.2.3"), ("", ".3"));
        assert_eq!(marked("1.10.0", "1.11.0"), ("10", "11"));
        assert_eq!(marked("main-9b1-1", "main-9b2-2"), ("9b1-1", "9b2-2"));
        assert_eq!(marked("v8", "v9"), ("v8", "v9"));
        assert_eq!(marked("aa", "aaa"), ("aa", "aaa"));
        assert_eq!(marked("é1", "é2"), ("é1", "é2"));
    }

    #[test]
    fn bytes_outside_of_the_known_places_are_counted() {
        let places = [Replaced { old: 3..4, new: 3..5 }];
        assert_eq!(bytes_outside("a: 1 # x", "a: 22 # x", &places), 0);
        assert_eq!(bytes_outside("a: 1 # x", "a: 22  # x", &places), 5);
    }

    #[test]
    fn two_edits_of_one_line_are_one_change_with_two_marks() {
        let (old, new) = ("x: 1\na: {n: o/a, t: 1.0}\ny\n", "x: 1\na: {n: o/b, t: 2.0}\ny\n");
        let places = [Replaced { old: 12..15, new: 12..15 }, Replaced { old: 20..23, new: 20..23 }];
        let hunks = hunks_at(old, new, &places, 3);
        assert_eq!(
            words(&hunks),
            [("-", "a".into()), ("-", "1".into()), ("+", "b".into()), ("+", "2".into())]
        );
        let numbers: Vec<_> = hunks[0].lines.iter().map(|line| (line.old_no, line.new_no)).collect();
        assert_eq!(numbers, [(Some(1), Some(1)), (Some(2), None), (None, Some(2)), (Some(3), Some(3))]);
    }

    #[test]
    fn changes_share_a_hunk_if_their_context_meets() {
        let old = (0..30).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        let new = old.replace("5\n", "five\n");
        let hunks = hunks(&old, &new, 3);
        let shape: Vec<_> =
            hunks.iter().map(|hunk| (hunk.old_start, hunk.old_len, hunk.new_start, hunk.new_len)).collect();
        assert_eq!(shape, [(3, 7, 3, 7), (13, 7, 13, 7), (23, 7, 23, 7)]);
        assert_eq!(super::hunks(&old, &new, 5).len(), 1);
        assert_eq!(super::hunks(&old, &old, 3), []);
    }

    #[test]
    fn known_places_and_a_comparison_agree_where_each_line_has_one_edit() {
        let (old, new) = ("a: |-\r\n  x\r\n  y\r\nb: 1.2.3\r\nc", "a: |-\r\n  z\r\nb: 1.2.4\r\nc");
        let at = |text: &str, what: &str| text.find(what).unwrap()..text.find(what).unwrap() + what.len();
        let places = [
            Replaced { old: at(old, "|-\r\n  x\r\n  y"), new: at(new, "|-\r\n  z") },
            Replaced { old: at(old, "1.2.3"), new: at(new, "1.2.4") },
        ];
        let known = hunks_at(old, new, &places, 1);
        assert_eq!(known.len(), 1);
        let kinds: String = known[0]
            .lines
            .iter()
            .map(|line| match line.kind {
                LineKind::Context => ' ',
                LineKind::Removed => '-',
                LineKind::Added => '+',
            })
            .collect();
        assert_eq!(kinds, " ---++ ");
        assert_eq!(known[0].lines.last().map(|line| line.ending), Some(Ending::Missing));
        assert_eq!(known[0].lines[0].ending, Ending::CrLf);
    }
}
