//! Scalars on one line, and block scalars.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::ScalarStyle;

use super::super::walk::Last;
use super::Reader;

impl<'a> Reader<'a, '_> {
    /// The plain scalar at `first` in a block collection: up to the colon that makes it a key, to a comment, or to `end`.
    pub(super) fn plain(&self, first: usize, end: usize) -> Option<Range<usize>> {
        self.may_begin_plain(first, end).then_some(())?;
        let line = self.bytes.get(..end)?;
        let mut last = first;
        for (place, byte) in line.iter().copied().enumerate().skip(first) {
            match byte {
                b' ' => {}
                b'\t' => return None,
                b':' if matches!(line.get(place + 1), None | Some(b' ')) => {
                    // A blank before the colon is legal, and rare enough to leave.
                    return (last == place).then_some(first..place);
                }
                b'#' if last < place => break,
                _ => last = place + 1,
            }
        }
        Some(first..last)
    }

    /// Whether a plain scalar may begin with the byte at `first`, in block and flow collections.
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
        let content = self.text.get(first + 1..end)?;
        if self.at(first) == Some(b'"') {
            let (value, length) = double_quoted(content)?;
            return Some((ScalarStyle::DoubleQuoted, value, first + 2 + length));
        }
        let (value, length) = single_quoted(content)?;
        Some((ScalarStyle::SingleQuoted, value, first + 2 + length))
    }

    /// The block scalar whose header begins at `first`, and the comment on its header line.
    pub(super) fn block_scalar(&mut self, first: usize, end: usize) -> Option<()> {
        let style = if self.at(first) == Some(b'>') { ScalarStyle::Folded } else { ScalarStyle::Literal };
        let chomping = self.at(first + 1).filter(|byte| matches!(byte, b'+' | b'-'));
        let comment = self.tail(first + 1 + usize::from(chomping.is_some()), end)?;
        let header = self.line;
        let (span, indent, line, value) = self.block_content(style, chomping)?;
        self.walker.scalar(Last::new(span, line, style, Cow::Owned(value)).with_indent(indent));
        if let Some(comment) = comment {
            self.walker.comment(comment, header);
        }
        Some(())
    }

    /// The content of a block scalar below the current line: its span, indentation, first line and value. The current
    /// line becomes its last.
    fn block_content(
        &mut self,
        style: ScalarStyle,
        chomping: Option<u8>,
    ) -> Option<(Range<usize>, usize, usize, String)> {
        let mut fold = Fold { is_folded: style == ScalarStyle::Folded, ..Fold::default() };
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
        if first == end || indent <= self.open.last()?.column {
            return None;
        }
        let first_line = self.line + fold.breaks + 1;
        self.line = first_line;
        let mut stop = first;
        loop {
            fold.line(self.text.get(stop..end)?);
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
        let value = fold.finish(chomping);
        // The full parser has another indentation where there is nothing to see.
        (!value.trim().is_empty()).then_some((first..stop, indent, first_line, value))
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

    fn finish(mut self, chomping: Option<u8>) -> String {
        if chomping != Some(b'-') {
            self.value.push('\n');
        }
        if chomping == Some(b'+') {
            self.push_breaks();
        }
        self.value
    }
}

/// The value of a single-quoted scalar, given what follows its opening quote, and how long its source is.
fn single_quoted(content: &str) -> Option<(Cow<'_, str>, usize)> {
    let bytes = content.as_bytes();
    let mut from = 0;
    let mut has_quote = false;
    loop {
        let close = from + memchr::memchr(b'\'', bytes.get(from..)?)?;
        if bytes.get(close + 1) != Some(&b'\'') {
            let source = content.get(..close)?;
            let value = if has_quote { Cow::Owned(source.replace("''", "'")) } else { Cow::Borrowed(source) };
            return Some((value, close));
        }
        has_quote = true;
        from = close + 2;
    }
}

/// The same for a double-quoted one, with the escapes that people write.
fn double_quoted(content: &str) -> Option<(Cow<'_, str>, usize)> {
    let bytes = content.as_bytes();
    let mut value = String::new();
    let mut from = 0;
    loop {
        let place = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        let plain = content.get(from..place)?;
        if bytes.get(place) == Some(&b'"') {
            if from == 0 {
                return Some((Cow::Borrowed(plain), place));
            }
            value.push_str(plain);
            return Some((Cow::Owned(value), place));
        }
        value.push_str(plain);
        value.push(match bytes.get(place + 1)? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            same @ (b'"' | b'\\' | b'/') => char::from(*same),
            _ => return None,
        });
        from = place + 2;
    }
}
