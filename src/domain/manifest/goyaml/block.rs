//! Block scalars.

use granit_parser::ScalarStyle;

use super::scan::{Scanner, TokenKind};
use super::{Block, Error, Scalar};

/// What the header of a block scalar says.
#[derive(Default)]
struct Header {
    /// `+` or `-`, if one is there.
    chomping: Option<u8>,
    /// The digit, or 0.
    increment: usize,
}

/// The content as far as it is read.
#[derive(Default)]
struct Content {
    value: String,
    /// The line break before the next line, and those of the empty lines behind it.
    leading_break: String,
    trailing_breaks: String,
    /// Columns of blanks before each line; 0 if that is not known yet.
    indent: usize,
}

impl Scanner<'_> {
    pub(super) fn fetch_block_scalar(&mut self) -> Result<(), Error> {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.input.mark;
        let is_folded = self.input.byte(0) == b'>';
        self.input.skip();
        let header = self.block_header()?;
        self.input.skip_blanks()?;
        if self.input.byte(0) == b'#' {
            self.scan_line_comment(start)?;
        }
        if !self.input.is_breakz(0) {
            return self.input.error("did not find expected comment or line break");
        }
        if self.input.is_break(0) {
            self.input.want(2)?;
            self.input.skip_line();
        }
        let outer = usize::try_from(self.indent).unwrap_or(0);
        let indent = if header.increment > 0 { outer + header.increment } else { 0 };
        let mut content = Content { indent, ..Content::default() };
        let end = self.block_content(&mut content, is_folded)?;
        if header.chomping != Some(b'-') {
            content.value.push_str(&content.leading_break);
        }
        if header.chomping == Some(b'+') {
            content.value.push_str(&content.trailing_breaks);
        }
        let style = if is_folded { ScalarStyle::Folded } else { ScalarStyle::Literal };
        let block = Some(Block { indent: content.indent, end });
        self.push(TokenKind::Scalar(Scalar { style, value: content.value, block }), start);
        Ok(())
    }

    fn block_header(&mut self) -> Result<Header, Error> {
        let mut header = Header::default();
        for _ in 0..2 {
            self.input.want(1)?;
            match self.input.byte(0) {
                sign @ (b'+' | b'-') if header.chomping.is_none() => header.chomping = Some(sign),
                b'0' if header.increment == 0 => {
                    return self.input.error("found an indentation indicator equal to 0");
                }
                digit @ b'1'..=b'9' if header.increment == 0 => header.increment = usize::from(digit - b'0'),
                _ => break,
            }
            self.input.skip();
        }
        Ok(header)
    }

    /// Reads the lines; the end of the last one, if there is any.
    fn block_content(&mut self, content: &mut Content, is_folded: bool) -> Result<Option<usize>, Error> {
        self.block_breaks(content)?;
        self.input.want(1)?;
        let (mut end, mut after_blank) = (None, false);
        while self.input.mark.column == content.indent && !self.input.is_end() {
            let is_blank = self.input.is_blank(0);
            let folds = is_folded && !after_blank && !is_blank && content.leading_break.starts_with('\n');
            if !folds {
                content.value.push_str(&content.leading_break);
            } else if content.trailing_breaks.is_empty() {
                content.value.push(' ');
            }
            content.leading_break.clear();
            content.value.push_str(&content.trailing_breaks);
            content.trailing_breaks.clear();
            after_blank = is_blank;
            while !self.input.is_breakz(0) {
                self.input.read(&mut content.value);
                self.input.want(1)?;
            }
            end = Some(self.input.mark.at);
            self.input.want(2)?;
            self.input.read_line(&mut content.leading_break);
            self.block_breaks(content)?;
        }
        Ok(end)
    }

    /// Reads empty lines, and the blanks before the next line; finds out how many those are if that is not known.
    fn block_breaks(&mut self, content: &mut Content) -> Result<(), Error> {
        let mut widest = 0;
        loop {
            self.input.want(1)?;
            let is_before = |column: usize| content.indent == 0 || column < content.indent;
            while is_before(self.input.mark.column) && self.input.byte(0) == b' ' {
                self.input.skip();
                self.input.want(1)?;
            }
            widest = widest.max(self.input.mark.column);
            if is_before(self.input.mark.column) && self.input.byte(0) == b'\t' {
                return self.input.error("found a tab character where an indentation space is expected");
            }
            if !self.input.is_break(0) {
                break;
            }
            self.input.want(2)?;
            self.input.read_line(&mut content.trailing_breaks);
        }
        if content.indent == 0 {
            content.indent = widest.max(usize::try_from(self.indent + 1).unwrap_or(0)).max(1);
        }
        Ok(())
    }
}
