//! Scalars on one line, and block scalars.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::ScalarStyle;

use super::super::walk::Last;
use super::{Reader, bytes};

impl<'a> Reader<'a, '_> {
    /// The plain scalar at `first` in a block collection: up to the colon that makes it a key, to a comment, or to `end`.
    pub(super) fn plain(&self, first: usize, end: usize) -> Option<Range<usize>> {
        self.may_begin_plain(first, end).then_some(())?;
        let mut place = first;
        loop {
            place += bytes::unremarkable(self.bytes.get(place..)?);
            if place >= end {
                place = end;
                break;
            }
            let is_after_blank = self.at(place - 1) == Some(b' ');
            match self.at(place)? {
                b':' if place + 1 == end || self.at(place + 1) == Some(b' ') => {
                    // A blank before the colon is legal, and rare enough to leave.
                    return (!is_after_blank).then_some(first..place);
                }
                b'#' if is_after_blank => break,
                b'\t' => return None,
                _ => place += 1,
            }
        }
        while self.at(place - 1) == Some(b' ') {
            place -= 1;
        }
        Some(first..place)
    }

    /// Whether a plain scalar may begin with the byte at `first`, in block and flow collections.
    #[inline]
    pub(super) fn may_begin_plain(&self, first: usize, end: usize) -> bool {
        match self.at(first) {
            Some(b'-') => first + 1 < end && self.at(first + 1) != Some(b' '),
            Some(
                b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>'
                | b'\'' | b'"' | b'%' | b'@' | b'`' | b'\t' | b' ',
            )
            | None => false,
            Some(_) => true,
        }
    }

    /// The style and value of the quoted scalar at `first`, and the place behind it.
    pub(super) fn quoted(&self, first: usize, end: usize) -> Option<(ScalarStyle, Cow<'a, str>, usize)> {
        let quote = self.at(first)?;
        let is_double = quote == b'"';
        let style = if is_double { ScalarStyle::DoubleQuoted } else { ScalarStyle::SingleQuoted };
        let mut from = first + 1;
        let mut owned = String::new();
        loop {
            let place = from + bytes::unquoted(self.bytes.get(from..)?, quote);
            let plain = self.text.get(from..place)?;
            if place >= end {
                return None;
            }
            let (text, length) = match (self.at(place)?, self.at(place + 1)) {
                (b'\\', Some(escape)) if is_double => (escaped(escape)?, 2),
                (b'\\', _) if !is_double => ("\\", 1),
                (b'\'', Some(b'\'')) if !is_double => ("'", 2),
                (b'\\', _) => return None,
                _ if from == first + 1 => return Some((style, Cow::Borrowed(plain), place + 1)),
                _ => {
                    owned.push_str(plain);
                    return Some((style, Cow::Owned(owned), place + 1));
                }
            };
            owned.push_str(plain);
            owned.push_str(text);
            from = place + length;
        }
    }

    /// The block scalar whose header begins at `first`, and the comment on its header line.
    pub(super) fn block_scalar(&mut self, first: usize, end: usize) -> Option<()> {
        let style = if self.at(first) == Some(b'>') { ScalarStyle::Folded } else { ScalarStyle::Literal };
        let chomping = self.at(first + 1).filter(|byte| matches!(byte, b'+' | b'-'));
        let comment = self.tail(first + 1 + usize::from(chomping.is_some()), end)?;
        let header = self.line;
        let (stop, indent, last, value) = self.block_content(style, chomping)?;
        let scalar = Last::new(first..stop, header, style, Cow::Owned(value));
        self.walker.scalar(scalar.with_block(indent, Some(last)));
        if let Some(comment) = comment {
            self.walker.comment(comment, header);
        }
        Some(())
    }

    /// The content of a block scalar below the current line: the place behind it, its indentation, the end of its last
    /// line, and its value. The current line becomes its last.
    fn block_content(
        &mut self,
        style: ScalarStyle,
        chomping: Option<u8>,
    ) -> Option<(usize, usize, usize, String)> {
        let wanted = self.walker.wants_value();
        let value = if wanted { self.walker.spare() } else { String::new() };
        let mut fold = Fold { value, is_folded: style == ScalarStyle::Folded, ..Fold::default() };
        let mut start = self.next;
        let (mut end, mut next) = self.bounds(start);
        // A content that begins with lines of blanks has an indentation that readers do not agree on.
        while start == end && start < self.bytes.len() {
            fold.breaks += 1;
            start = next;
            (end, next) = self.bounds(start);
        }
        let first = self.skip_blanks(start, end);
        let indent = first - start;
        // A tab is no indentation, and where there is nothing to see readers do not agree on one.
        if self.at(first) == Some(b'\t')
            || indent <= self.open.last()?.column
            || self.text.get(first..end)?.chars().all(char::is_whitespace)
        {
            return None;
        }
        self.line += fold.breaks + 1;
        let (mut stop, mut last) = (first, end);
        let mut is_unfinished;
        loop {
            if wanted {
                fold.line(self.text.get(stop..end)?);
            }
            last = last.max(end);
            is_unfinished = next == end;
            start = next;
            while start < self.bytes.len() {
                (end, next) = self.bounds(start);
                stop = self.skip_blanks(start, end.min(start + indent));
                if stop < end {
                    break;
                }
                // Blanks without a line end are read in more than one way.
                (next > end).then_some(())?;
                fold.breaks += 1;
                self.line += 1;
                start = next;
            }
            if start >= self.bytes.len() || stop - start < indent {
                break;
            }
            self.line += 1;
        }
        self.next = start;
        let stop = if start < self.bytes.len() { stop } else { start };
        let value = if wanted { fold.finish(chomping, is_unfinished) } else { String::new() };
        Some((stop, indent, last, value))
    }
}

/// The lines of a block scalar, put together.
#[derive(Default)]
struct Fold {
    value: String,
    is_folded: bool,
    has_line: bool,
    /// Empty lines since the last line of content.
    breaks: usize,
    /// Whether the last line of content began with a blank.
    after_blank: bool,
}

impl Fold {
    fn line(&mut self, content: &str) {
        let is_blank = content.starts_with([' ', '\t']);
        if self.is_folded && self.has_line && !self.after_blank && !is_blank {
            if self.breaks == 0 {
                self.value.push(' ');
            }
        } else if self.has_line {
            self.value.push('\n');
        }
        self.push_breaks();
        self.value.push_str(content);
        self.has_line = true;
        self.after_blank = is_blank;
    }

    fn push_breaks(&mut self) {
        self.value.extend(std::iter::repeat_n('\n', self.breaks));
        self.breaks = 0;
    }

    /// The value; `is_unfinished` says that the last line has no line end.
    fn finish(mut self, chomping: Option<u8>, is_unfinished: bool) -> String {
        if chomping != Some(b'-') && !is_unfinished {
            self.value.push('\n');
        }
        if chomping == Some(b'+') {
            self.push_breaks();
        }
        self.value
    }
}

/// What the escapes that people write stand for.
fn escaped(escape: u8) -> Option<&'static str> {
    Some(match escape {
        b'n' => "\n",
        b't' => "\t",
        b'r' => "\r",
        b'"' => "\"",
        b'\\' => "\\",
        _ => return None,
    })
}
