//! A second reader, for the plain block YAML that Kubernetes files are made of; it costs a tenth of the full parser.
//!
//! It reads line by line: block mappings and sequences, scalars on one line, block scalars without an indentation digit,
//! flow collections on one line, comments. It is never lenient: at the first byte of which it is not sure (anchors, tags,
//! explicit keys, directives, tabs, scalars of several lines, odd characters, anything wrong) it gives up, and the full
//! parser reads the piece instead. Whatever it does say, the full parser says too, in the same order; tests and a fuzz
//! target hold the two against each other.

mod bytes;
mod flow;
mod scalar;

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{ScalarStyle, StructureStyle};

use super::walk::{Last, Walker};

/// More open collections than any sane file has.
const MOST_OPEN: usize = 256;

/// The full parser takes no key of more than 1,024 characters.
const LONGEST_KEY: usize = 1_000;

/// Tells `walker` what stands in `text`, a piece of a file; `None` if it is not sure, and then `walker` is of no use.
///
/// `has_odd_bytes` says what [`has_odd_bytes`] would, or says yes where that was not asked of this piece alone.
pub(super) fn read<'a>(text: &'a str, has_odd_bytes: bool, walker: &mut Walker<'a>) -> Option<()> {
    (!has_odd_bytes || is_unsuspicious(text)).then_some(())?;
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        start: 0,
        next: 0,
        line: 1,
        open: Vec::with_capacity(16),
        is_due: false,
        has_root: false,
        walker,
    };
    reader.document_start()?;
    while reader.start < text.len() {
        reader.line()?;
    }
    (0..reader.open.len()).for_each(|_| reader.walker.close());
    Some(())
}

/// Whether `text` has any but printable ASCII characters, tabs and line feeds.
pub(super) fn has_odd_bytes(text: &str) -> bool {
    let is_odd = |byte: u8| !(b' '..=b'~').contains(&byte) && byte != b'\n' && byte != b'\t';
    // No early exit: so the loop becomes vector instructions.
    text.bytes().fold(false, |odd, byte| odd | is_odd(byte))
}

/// Whether all characters are such that every reader of YAML agrees on what they are: none that some take for a line
/// break or refuse, and no carriage return but in `\r\n` and at the very end, where the cut into pieces leaves one.
fn is_unsuspicious(text: &str) -> bool {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_good = match character {
            '\r' => matches!(characters.peek(), None | Some('\n')),
            '\t' | '\n' | ' '..='~' => true,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
            other => other >= '\u{a0}',
        };
        if !is_good {
            return false;
        }
    }
    true
}

/// An open block collection.
struct Open {
    kind: Kind,
    /// The column, from 0, at which its keys or dashes stand.
    column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mapping,
    Sequence,
    /// A sequence whose dashes stand in the column of the key above them.
    Indentless,
}

struct Reader<'a, 'w> {
    text: &'a str,
    bytes: &'a [u8],
    /// The first byte of the line that is being read.
    start: usize,
    /// The first byte of the next line.
    next: usize,
    /// The line's number, from 1.
    line: usize,
    open: Vec<Open>,
    /// Whether the last key has its value, a collection, on the lines below it.
    is_due: bool,
    /// Whether the document's mapping began.
    has_root: bool,
    walker: &'w mut Walker<'a>,
}

impl<'a> Reader<'a, '_> {
    /// Where the content of the line at `start` ends, and where the next line begins.
    #[inline]
    fn bounds(&self, start: usize) -> (usize, usize) {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let (end, next) = match bytes::line_feed(rest) {
            Some(length) => (start + length, start + length + 1),
            None => (self.bytes.len(), self.bytes.len()),
        };
        let has_return = end > start && self.at(end - 1) == Some(b'\r');
        (end - usize::from(has_return), next)
    }

    #[inline]
    fn at(&self, place: usize) -> Option<u8> {
        self.bytes.get(place).copied()
    }

    /// The first place from `start` on, at most `end`, at which there is no blank.
    fn skip_blanks(&self, start: usize, end: usize) -> usize {
        let line = self.bytes.get(start..end).unwrap_or_default();
        start + bytes::blanks(line)
    }

    /// Whether a dash that begins an item stands at `place`. A dash with nothing behind it is one, too.
    fn is_dash(&self, place: usize, end: usize) -> bool {
        self.at(place) == Some(b'-') && (place + 1 == end || self.at(place + 1) == Some(b' '))
    }

    /// A first line `---`.
    fn document_start(&mut self) -> Option<()> {
        if !self.bytes.starts_with(b"---") {
            return Some(());
        }
        let (end, next) = self.bounds(0);
        if self.skip_blanks(3, end) != end || self.content_below(next).is_none() {
            return None;
        }
        (self.start, self.line) = (next, 2);
        Some(())
    }

    fn line(&mut self) -> Option<()> {
        let (end, next) = self.bounds(self.start);
        self.next = next;
        let first = self.skip_blanks(self.start, end);
        if first < end {
            if self.at(first) == Some(b'#') {
                self.walker.comment(first..end, self.line);
            } else {
                self.content(first, end)?;
            }
        }
        self.start = self.next;
        self.line += 1;
        Some(())
    }

    /// A line with more than a comment on it; `first` is its first byte that is no blank.
    fn content(&mut self, first: usize, end: usize) -> Option<()> {
        let is_marker = |marker: &[u8]| self.bytes.get(first..).is_some_and(|rest| rest.starts_with(marker));
        if first == self.start && (is_marker(b"---") || is_marker(b"...")) {
            return None;
        }
        let is_first = self.is_due || !self.has_root;
        if !is_first {
            self.close_until(first - self.start, self.is_dash(first, end))?;
        }
        (self.is_due, self.has_root) = (false, true);
        self.node(first, end, is_first)
    }

    /// Closes what ends before a node in `column`, so that the node is the next of the innermost open collection.
    fn close_until(&mut self, column: usize, is_dash: bool) -> Option<()> {
        loop {
            let top = self.open.last()?;
            let belongs = (top.kind != Kind::Mapping) == is_dash;
            if top.column < column {
                return None;
            }
            if top.column == column && belongs {
                return Some(());
            }
            if top.column == column && top.kind != Kind::Indentless {
                return None;
            }
            self.open.pop();
            self.walker.close();
        }
    }

    /// The node at `first`; with `is_first` it is the first of a collection that begins there.
    fn node(&mut self, mut first: usize, end: usize, mut is_first: bool) -> Option<()> {
        let mut is_item = false;
        while self.is_dash(first, end) {
            let content = self.skip_blanks(first + 1, end);
            if is_first {
                self.open_sequence(first - self.start)?;
            }
            if content == end {
                return None;
            }
            (first, is_first, is_item) = (content, true, true);
        }
        let (style, key, colon) = self.key(first, end)?;
        if colon == 0 {
            return is_item.then(|| self.inline(first, end))?;
        }
        if is_first {
            self.open_mapping(first - self.start)?;
        }
        self.walker.key(style, key);
        self.value(colon, end)
    }

    fn open_sequence(&mut self, column: usize) -> Option<()> {
        // A list is no document.
        let parent = self.open.last()?;
        let is_indentless = parent.kind == Kind::Mapping && parent.column == column;
        let kind = if is_indentless { Kind::Indentless } else { Kind::Sequence };
        self.walker.open_sequence(StructureStyle::Block, column, self.line);
        self.push(Open { kind, column })
    }

    fn open_mapping(&mut self, column: usize) -> Option<()> {
        self.walker.open_mapping(StructureStyle::Block, column);
        self.push(Open { kind: Kind::Mapping, column })
    }

    fn push(&mut self, open: Open) -> Option<()> {
        self.open.push(open);
        (self.open.len() < MOST_OPEN).then_some(())
    }

    /// The key at `first`, and the place of its colon, which is 0 if it is none.
    fn key(&self, first: usize, end: usize) -> Option<(ScalarStyle, Cow<'a, str>, usize)> {
        let (style, value, colon) = match self.at(first)? {
            b'\'' | b'"' => self.quoted(first, end)?,
            b'|' | b'>' | b'[' | b'{' => (ScalarStyle::Plain, Cow::Borrowed(""), end),
            _ => {
                let span = self.plain(first, end)?;
                (ScalarStyle::Plain, Cow::Borrowed(self.text.get(span.clone())?), span.end)
            }
        };
        if colon >= end || self.at(colon) != Some(b':') {
            return Some((style, value, 0));
        }
        let is_certain = colon + 1 == end || self.at(colon + 1) == Some(b' ');
        (is_certain && colon - first <= LONGEST_KEY).then_some((style, value, colon))
    }

    /// What stands behind the colon of a key.
    fn value(&mut self, colon: usize, end: usize) -> Option<()> {
        let first = self.skip_blanks(colon + 1, end);
        let is_comment = self.at(first) == Some(b'#');
        if first < end && !is_comment {
            return self.inline(first, end);
        }
        self.is_due = self.is_nested(self.next);
        if !self.is_due {
            self.walker.scalar(Last::new(colon..colon, self.line, ScalarStyle::Plain, Cow::Borrowed("")));
        }
        if first < end {
            self.walker.comment(first..end, self.line);
        }
        Some(())
    }

    /// Whether the next content from `start` on stands below the innermost mapping's last key, as its value.
    fn is_nested(&self, start: usize) -> bool {
        let column = self.open.last().map_or(0, |top| top.column);
        self.content_below(start).is_some_and(|(line, first, end)| {
            first - line > column || (first - line == column && self.is_dash(first, end))
        })
    }

    /// The next line from `start` on that has more than a comment: where it begins, its first byte that is no blank,
    /// and its end.
    fn content_below(&self, mut start: usize) -> Option<(usize, usize, usize)> {
        while start < self.bytes.len() {
            let (end, next) = self.bounds(start);
            let first = self.skip_blanks(start, end);
            if first < end && self.at(first) != Some(b'#') {
                return Some((start, first, end));
            }
            start = next;
        }
        None
    }

    /// A value or an item that begins at `first` and is not a block collection.
    fn inline(&mut self, first: usize, end: usize) -> Option<()> {
        let behind = match self.at(first)? {
            b'|' | b'>' => return self.block_scalar(first, end),
            b'[' | b'{' => self.flow(first, end, 0)?,
            b'\'' | b'"' => {
                let (style, value, close) = self.quoted(first, end)?;
                self.walker.scalar(Last::new(first..close, self.line, style, value));
                close
            }
            _ => {
                let span = self.plain(first, end)?;
                let value = Cow::Borrowed(self.text.get(span.clone())?);
                let behind = span.end;
                self.walker.scalar(Last::new(span, self.line, ScalarStyle::Plain, value));
                behind
            }
        };
        if let Some(comment) = self.tail(behind, end)? {
            self.walker.comment(comment, self.line);
        }
        Some(())
    }

    /// The comment that may stand behind a value; nothing else may.
    #[expect(clippy::option_option, reason = "the outer one says whether we are sure")]
    fn tail(&self, behind: usize, end: usize) -> Option<Option<Range<usize>>> {
        let first = self.skip_blanks(behind, end);
        if first == end {
            return Some(None);
        }
        (first > behind && self.at(first) == Some(b'#')).then_some(Some(first..end))
    }
}

#[cfg(test)]
mod tests;
