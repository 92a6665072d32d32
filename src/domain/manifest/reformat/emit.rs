//! One document as go-yaml's emitter writes it, as far as we know what it does.

mod leads;

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::scalar;
use leads::split_at_dash;

/// A document, written anew.
pub(super) struct Document {
    pub(super) text: String,
    /// Whether this is all that the emitter does; if not, the doubtful places are copies of the source.
    pub(super) sure: bool,
}

/// What stands in the source cannot be followed; not even a copy can be made.
pub(super) struct Lost;

/// Writes the first document of `piece`: `None` if there is nothing in it, so that Flux drops it.
/// `wide` lists stand two columns deeper than their keys.
pub(super) fn document(piece: &str, wide: bool) -> Result<Option<Document>, Lost> {
    let mut emitter = Emitter {
        text: piece,
        at: 0,
        out: String::new(),
        levels: Vec::new(),
        flow: Vec::new(),
        ahead: None,
        wide,
        root_entries: 0,
        empty_entry: 0,
        above: Vec::new(),
        sure: true,
        lost: false,
    };
    let mut is_empty = true;
    for event in Parser::new_from_str_with_options(piece, options()) {
        let (event, span) = event.map_err(|_error| Lost)?;
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::DocumentEnd => break,
            Event::Scalar(ref value, style, ..) => {
                if emitter.levels.is_empty() && emitter.flow.is_empty() {
                    return Ok(None);
                }
                emitter.scalar(value, style, range);
            }
            Event::Alias(_) => emitter.alias(range),
            Event::MappingStart(style, ..) => emitter.open(Kind::Mapping, style, range.start),
            Event::SequenceStart(style, ..) => emitter.open(Kind::Sequence, style, range.start),
            Event::MappingEnd | Event::SequenceEnd => emitter.close(range),
            _ => continue,
        }
        is_empty = false;
    }
    if emitter.lost {
        return Err(Lost);
    }
    Ok((!is_empty).then(|| emitter.finish()))
}

/// How the parser is asked to read. All three limits guard memory of streaming readers; the text is in memory already.
fn options() -> granit_parser::Options {
    granit_parser::options! {
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: 10_000,
        block_nesting_limit: 10_000,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mapping,
    Sequence,
}

/// An open block collection.
struct Level {
    kind: Kind,
    /// The column of its keys or dashes.
    indent: usize,
    /// Whether the next node is a key.
    at_key: bool,
    /// Whether the first entry stands on the line that opened it.
    inline: bool,
    /// The entries so far.
    entries: usize,
    /// The key whose value is next.
    key: String,
    /// Whether there was a key `metadata` before, or `annotations`.
    seen: [bool; 2],
    /// Whether the value that is next is that of such a key once more.
    is_repeated: bool,
}

impl Level {
    fn new(kind: Kind, indent: usize, inline: bool) -> Self {
        let (key, seen) = (String::new(), [false; 2]);
        Self { kind, indent, at_key: true, inline, entries: 0, key, seen, is_repeated: false }
    }
}

/// An open flow collection.
struct Flow {
    kind: Kind,
    nodes: usize,
    /// Where it begins, in the source and in what is written.
    start: (usize, usize),
}

struct Emitter<'a> {
    text: &'a str,
    /// How far the source is written.
    at: usize,
    out: String,
    levels: Vec<Level>,
    flow: Vec<Flow>,
    /// The lines before the first entry of the collection that was opened last.
    ahead: Option<Gap<'a>>,
    wide: bool,
    /// The entries of the document's mapping so far.
    root_entries: usize,
    /// Which of them, counted from 1, was the last without any value.
    empty_entry: usize,
    /// The columns of the collections that were closed since the last entry.
    above: Vec<usize>,
    sure: bool,
    /// Whether something was met of which not even a copy can be made.
    lost: bool,
}

/// The source between two nodes: the rest of a line, whole lines, and the beginning of a line.
#[derive(Clone, Copy)]
struct Gap<'a> {
    tail: &'a str,
    lines: &'a str,
    last: &'a str,
}

impl<'a> Gap<'a> {
    fn new(text: &'a str) -> Self {
        match (text.find('\n'), text.rfind('\n')) {
            (Some(first), Some(last)) => Self {
                tail: text.get(..first).unwrap_or_default(),
                lines: text.get(first + 1..=last).unwrap_or_default(),
                last: text.get(last + 1..).unwrap_or_default(),
            },
            _ => Self { tail: text, lines: "", last: "" },
        }
    }
}

impl Emitter<'_> {
    /// Ends a line of the output: its comment, one blank before it.
    fn tail(&mut self, tail: &str) {
        let comment = tail.trim_start_matches([' ', '\t']);
        if comment.starts_with('#') {
            self.out.push(' ');
            self.out.push_str(comment);
        } else if !comment.is_empty() {
            self.doubt(tail);
        }
    }

    /// Copies a piece of the source, because we do not know what becomes of it.
    fn doubt(&mut self, source: &str) {
        self.sure = false;
        self.out.push_str(source);
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, range: Range<usize>) {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if is_block {
            return self.block_scalar(value, style == ScalarStyle::Folded, range);
        }
        let source = self.text.get(range.clone()).unwrap_or_default();
        let was_key = self.is_at_key();
        if source.is_empty() && self.flow.is_empty() && !was_key {
            return self.missing();
        }
        self.lead(range.start);
        self.at = range.end.max(self.at);
        if was_key {
            return self.key(value, style, range);
        }
        self.metadata();
        self.sure &= !source.is_empty();
        let written = self.written(value, style, range);
        if self.flow.is_empty() {
            self.out.push(' ');
        }
        self.out.push_str(&written);
    }

    /// A value that is not written; the parser finds it somewhere about its key or dash.
    fn missing(&mut self) {
        let source = self.text.get(self.at..).unwrap_or_default();
        let is_item = self.levels.last().is_some_and(|level| level.kind == Kind::Sequence);
        let from = if !is_item {
            self.lost |= !source.trim_start().starts_with(':');
            0
        } else if self.ahead.is_some() {
            0
        } else {
            source.len() - split_at_dash(source).1.len()
        };
        let line = source.get(from..).unwrap_or_default();
        let (words, rest) = line.split_at(line.find(['\n', '#']).unwrap_or(line.len()));
        let is_odd = words.contains(['!', '&']) || (is_item && rest.starts_with('#'));
        self.sure &= !is_odd;
        self.lead(self.at + from + words.len());
        if self.levels.len() == 1 && !is_item {
            self.empty_entry = self.root_entries;
        }
        self.metadata();
    }

    fn written(&mut self, value: &str, style: ScalarStyle, range: Range<usize>) -> String {
        let source = self.text.get(range.clone()).unwrap_or_default();
        if source.contains('\n') && value.contains('\n') && style == ScalarStyle::SingleQuoted {
            self.sure = false;
            return source.to_owned();
        }
        match style {
            ScalarStyle::SingleQuoted => scalar::single_quoted(value),
            ScalarStyle::DoubleQuoted => scalar::double_quoted(value),
            // Wherever it stands, and not only as a key, it has a type of its own.
            _ if value == "<<" && !self.is_tagged(range.start) => "!!merge <<".to_owned(),
            _ => scalar::plain(value, !self.flow.is_empty()),
        }
    }

    /// Whether the word before `start` is a tag.
    fn is_tagged(&self, start: usize) -> bool {
        let before = self.text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t']);
        before.rsplit([' ', '\t', '\n', '[', '{', ',']).next().is_some_and(|word| word.starts_with('!'))
    }

    fn key(&mut self, value: &str, style: ScalarStyle, range: Range<usize>) {
        self.sure &= range.len() < 100 && !range.is_empty();
        let written = self.written(value, style, range);
        self.out.push_str(&written);
        if let Some(level) = self.levels.last_mut() {
            value.clone_into(&mut level.key);
            level.is_repeated = match value {
                "metadata" => std::mem::replace(&mut level.seen[0], true),
                "annotations" => std::mem::replace(&mut level.seen[1], true),
                _ => false,
            };
        }
    }

    /// What Flux's bookkeeping removes: an empty `metadata`, and `annotations` that are no mapping. Of two `metadata` it looks
    /// for annotations in the first only.
    fn metadata(&mut self) {
        let keys: Vec<&str> = self.levels.iter().map(|level| level.key.as_str()).collect();
        let is_repeated = self.levels.iter().any(|level| level.is_repeated);
        if !self.flow.is_empty() || self.levels.iter().any(|level| level.kind == Kind::Sequence) {
            return;
        }
        match keys.as_slice() {
            ["metadata", "annotations"] if is_repeated => {}
            ["metadata"] | ["metadata", "annotations"] => self.out.push_str(" (removed)"),
            ["metadata", "annotations", key] => self.sure &= !key.contains("config.k"),
            _ => {}
        }
    }

    fn block_scalar(&mut self, value: &str, folded: bool, range: Range<usize>) {
        let source = self.text.get(self.at..range.start).unwrap_or_default();
        // The header stands between the indicator and the content.
        let Some(sign) = header(source, if folded { '>' } else { '|' }) else { return self.sure = false };
        let header_at = self.at + sign;
        self.lead(header_at);
        let head = self.text.get(header_at..range.start).unwrap_or_default();
        let first = head.split('\n').next().unwrap_or_default();
        let comment = first.find('#').map_or("", |at| first.get(at..).unwrap_or_default());
        let comment = if comment.is_empty() { String::new() } else { format!(" {comment}") };
        let indent = self.levels.last().map_or(0, |level| level.indent + 2);
        let content = self.text.get(range.clone()).unwrap_or_default().trim_end_matches([' ', '\n']);
        self.at = if content.is_empty() { header_at + first.len() } else { range.start + content.len() };
        self.metadata();
        self.out.push(' ');
        if scalar::analyze(value).block {
            self.out.push_str(&scalar::block(value, folded, &comment, indent));
            // An open end is written as `...` at the end of the file.
            self.sure &= !value.ends_with("\n\n") && value != "\n";
        } else {
            self.out.push_str(&scalar::double_quoted(value));
            self.out.push_str(&comment);
        }
    }

    fn alias(&mut self, range: Range<usize>) {
        let source = self.text.get(range.clone()).unwrap_or_default();
        self.lost |= self.is_at_key();
        self.lead(range.start);
        self.at = range.end;
        if self.flow.is_empty() {
            self.out.push(' ');
        }
        self.out.push_str(source);
    }

    fn open(&mut self, kind: Kind, style: StructureStyle, start: usize) {
        if style == StructureStyle::Flow || !self.flow.is_empty() {
            return self.open_flow(kind, style, start);
        }
        let Some(parent) = self.levels.last_mut() else {
            let above = self.text.get(..start).unwrap_or_default();
            let (lines, last) = above.split_at(above.rfind('\n').map_or(0, |end| end + 1));
            self.ahead = Some(Gap { tail: "", lines, last });
            self.at = start;
            self.levels.push(Level::new(kind, 0, false));
            return;
        };
        self.lost |= parent.kind == Kind::Mapping && parent.at_key;
        let indent = match (parent.kind, kind) {
            (Kind::Mapping, Kind::Sequence) if !self.wide => parent.indent,
            _ => parent.indent + 2,
        };
        let inline = parent.kind == Kind::Sequence;
        let mut gap = Gap::new(self.text.get(self.at..start).unwrap_or_default());
        if inline {
            self.lead(start);
            self.out.push(' ');
        } else {
            parent.at_key = true;
            self.at = start;
            gap.tail = self.open_below_key(gap);
            // The parser may find a list behind the comment of its first dash.
            self.lost |= gap.last.contains('#');
        }
        self.levels.push(Level::new(kind, indent, inline));
        self.ahead = Some(gap);
    }

    /// The line of a key whose value is a block collection, up to its comment, which it returns.
    fn open_below_key<'b>(&mut self, gap: Gap<'b>) -> &'b str {
        self.out.push(':');
        let Some(words) = gap.tail.trim_start().strip_prefix(':') else {
            self.lost = true;
            return "";
        };
        let (properties, comment) = words.split_at(words.find('#').unwrap_or(words.len()));
        self.after_indicator(properties, "");
        self.sure &= gap.last.trim_matches([' ', '-']).is_empty();
        comment
    }

    fn open_flow(&mut self, kind: Kind, style: StructureStyle, start: usize) {
        self.sure &= style == StructureStyle::Flow;
        self.lost |= self.is_at_key() || self.levels.is_empty();
        self.lead(start);
        if self.flow.is_empty() {
            self.out.push(' ');
        }
        self.flow.push(Flow { kind, nodes: 0, start: (start, self.out.len()) });
        self.out.push(if kind == Kind::Mapping { '{' } else { '[' });
        self.at = start + 1;
    }

    fn close(&mut self, range: Range<usize>) {
        let Some(flow) = self.flow.pop() else {
            self.above.extend(self.levels.pop().map(|level| level.indent));
            return;
        };
        let gap = self.text.get(self.at..range.end).unwrap_or_default();
        let has_comment = gap.contains('#');
        self.out.push(if flow.kind == Kind::Mapping { '}' } else { ']' });
        self.at = range.end.max(self.at);
        if self.flow.is_empty() {
            let source = self.text.get(flow.start.0..self.at).unwrap_or_default();
            let inner = source.get(1..).unwrap_or_default().trim_start_matches([' ', '\t']);
            // Whatever becomes of comments inside, the first entry comes to stand behind the bracket.
            let is_broken = inner.starts_with('\n') && !inner.trim_start().starts_with('#');
            if !is_broken && (has_comment || (source.contains('\n') && source.contains('#'))) {
                self.out.truncate(flow.start.1);
                self.doubt(source);
            } else if flow.nodes == 0 {
                self.metadata();
            }
        }
    }

    fn finish(mut self) -> Document {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.trim_start_matches([' ', '\n']).starts_with("...") {
            let (tail, lines) = rest.split_once('\n').unwrap_or((rest, ""));
            self.tail(tail);
            self.out.push('\n');
            self.lines(lines, None);
        }
        Document { text: self.out, sure: self.sure }
    }
}

/// Where in `source`, which ends where the content of a block scalar begins, its sign stands.
fn header(source: &str, sign: char) -> Option<usize> {
    let mut place = source.len();
    for line in source.split_inclusive('\n').rev() {
        place -= line.len();
        let words = line.split(" #").next().unwrap_or_default();
        if let Some(at) = words.rfind(sign) {
            return Some(place + at);
        }
    }
    None
}
