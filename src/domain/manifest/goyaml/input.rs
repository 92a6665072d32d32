//! The text, character by character, with go-yaml's idea of blanks and line breaks.

use super::{Error, Mark};

/// How many bytes go-yaml reads at once.
const CHUNK: usize = 512;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct Input<'a> {
    bytes: &'a [u8],
    pub(super) mark: Mark,
    /// Line breaks since the last character that is no blank.
    pub(super) newlines: usize,
    /// Bytes and characters that were decoded so far, and bytes that were read.
    decoded: usize,
    characters: usize,
    read: usize,
    /// Where the buffer begins.
    buffer: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let start = if text.starts_with('\u{feff}') { BYTE_ORDER_MARK.len() } else { 0 };
        let mark = Mark { at: start, ..Mark::default() };
        let read = CHUNK.min(text.len());
        Self { bytes: text.as_bytes(), mark, newlines: 0, decoded: start, characters: 0, read, buffer: start }
    }

    /// Makes sure that `count` characters are decoded: a forbidden one is an error only then.
    pub(super) fn want(&mut self, count: usize) -> Result<(), Error> {
        if self.characters >= self.mark.index + count {
            return Ok(());
        }
        self.buffer = self.mark.at;
        let mut is_first = true;
        while self.characters < self.mark.index + count {
            if !is_first || self.decoded == self.read {
                if self.read == self.bytes.len() && self.decoded == self.read {
                    // The zero that stands for the end is a character.
                    self.characters += 1;
                    return Ok(());
                }
                self.read = (self.decoded + CHUNK).min(self.bytes.len());
            }
            is_first = false;
            self.decode()?;
        }
        Ok(())
    }

    /// Decodes the whole characters among the bytes that were read.
    fn decode(&mut self) -> Result<(), Error> {
        while let Some(first) = self.bytes.get(self.decoded) {
            let end = self.decoded + width(*first);
            if end > self.read {
                break;
            }
            let character =
                self.bytes.get(self.decoded..end).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
            if !character.and_then(|text| text.chars().next()).is_some_and(is_allowed) {
                return Err(Error { mark: self.ahead(), problem: "control characters are not allowed" });
            }
            (self.decoded, self.characters) = (end, self.characters + 1);
        }
        Ok(())
    }

    /// The place of what is to be decoded next.
    fn ahead(&self) -> Mark {
        let between = self.bytes.get(self.mark.at..self.decoded).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', between).count();
        let column = match memchr::memrchr(b'\n', between) {
            Some(end) => between.len() - end - 1,
            None => self.mark.column + between.len(),
        };
        Mark { at: self.decoded, index: self.characters, line: self.mark.line + lines, column }
    }

    /// The byte so many bytes ahead; 0 behind the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.mark.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes.get(self.mark.at..).is_some_and(|rest| rest.starts_with(text))
    }

    /// Whether go-yaml takes the current character for a byte order mark: it looks at the buffer's first.
    pub(super) fn is_byte_order_mark(&self) -> bool {
        self.bytes.get(self.buffer..).is_some_and(|rest| rest.starts_with(BYTE_ORDER_MARK))
    }

    pub(super) fn is_end(&self) -> bool {
        self.byte(0) == 0
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    pub(super) fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\r' | b'\n' => true,
            0xc2 => self.byte(ahead + 1) == 0x85,
            0xe2 => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9),
            _ => false,
        }
    }

    /// A line break, or the end.
    pub(super) fn is_breakz(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.is_break(ahead)
    }

    /// A blank, a line break, or the end.
    pub(super) fn is_blankz(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_breakz(ahead)
    }

    /// A letter, a digit, `_` or `-`.
    pub(super) fn is_word(&self) -> bool {
        self.byte(0).is_ascii_alphanumeric() || matches!(self.byte(0), b'_' | b'-')
    }

    /// `---` or `...` at the beginning of a line, and nothing on it.
    pub(super) fn is_document_indicator(&self) -> bool {
        self.mark.column == 0 && (self.starts_with(b"---") || self.starts_with(b"...")) && self.is_blankz(3)
    }

    /// Passes over a character.
    pub(super) fn skip(&mut self) {
        if !self.is_blank(0) {
            self.newlines = 0;
        }
        self.mark.at += width(self.byte(0));
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Passes over a line break.
    pub(super) fn skip_line(&mut self) {
        let length = if self.starts_with(b"\r\n") { 2 } else { 1 };
        self.mark.at += if length == 2 { 2 } else { width(self.byte(0)) };
        self.new_line(length);
    }

    fn new_line(&mut self, characters: usize) {
        self.mark.index += characters;
        self.mark.column = 0;
        self.mark.line += 1;
        self.newlines += 1;
    }

    /// Passes over a character and adds it to `text`.
    pub(super) fn read(&mut self, text: &mut String) {
        let end = self.mark.at + width(self.byte(0));
        let bytes = self.bytes.get(self.mark.at..end).unwrap_or_default();
        text.push_str(std::str::from_utf8(bytes).unwrap_or_default());
        self.skip();
    }

    /// Passes over a line break and adds it to `text`, as a line feed unless it is one of Unicode's separators.
    pub(super) fn read_line(&mut self, text: &mut String) {
        if !self.is_break(0) {
            return;
        }
        text.push(match self.byte(2) {
            0xa8 if self.byte(0) == 0xe2 => '\u{2028}',
            0xa9 if self.byte(0) == 0xe2 => '\u{2029}',
            _ => '\n',
        });
        self.skip_line();
    }

    /// Passes over blanks.
    pub(super) fn skip_blanks(&mut self) -> Result<(), Error> {
        self.want(1)?;
        while self.is_blank(0) {
            self.skip();
            self.want(1)?;
        }
        Ok(())
    }

    pub(super) fn error<T>(&self, problem: &'static str) -> Result<T, Error> {
        Err(Error { mark: self.mark, problem })
    }
}

/// The bytes of the character that begins with `first`.
fn width(first: u8) -> usize {
    match first {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    }
}
