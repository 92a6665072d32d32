//! Plain scalars, and how the lines of a scalar are put together.

use granit_parser::ScalarStyle;

use super::scan::{Scanner, TokenKind};
use super::{Error, Scalar};

/// The value of a scalar that may have several lines, as far as it is read.
#[derive(Default)]
pub(super) struct Folding {
    pub(super) value: String,
    blanks: String,
    leading_break: String,
    trailing_breaks: String,
    /// Whether a line break came since the last character.
    pub(super) after_break: bool,
}

impl Folding {
    /// Adds the blanks or line breaks that were passed over: one break is a blank, of several the first is lost.
    pub(super) fn join(&mut self) {
        if !self.after_break {
            self.value.push_str(&self.blanks);
        } else if !self.leading_break.starts_with('\n') {
            self.value.push_str(&self.leading_break);
            self.value.push_str(&self.trailing_breaks);
        } else if self.trailing_breaks.is_empty() {
            self.value.push(' ');
        } else {
            self.value.push_str(&self.trailing_breaks);
        }
        self.blanks.clear();
        self.leading_break.clear();
        self.trailing_breaks.clear();
        self.after_break = false;
    }
}

impl Scanner<'_> {
    pub(super) fn fetch_plain(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.input.mark;
        let mut end = start;
        let mut folding = Folding::default();
        let indent = usize::try_from(self.indent + 1).unwrap_or(0);
        loop {
            self.input.want(4)?;
            if self.input.is_document_indicator() || self.input.byte(0) == b'#' {
                break;
            }
            while !self.input.is_blankz(0) && !self.ends_plain() {
                folding.join();
                self.input.read(&mut folding.value);
                end = self.input.mark;
                self.input.want(2)?;
            }
            if !self.input.is_blank(0) && !self.input.is_break(0) {
                break;
            }
            self.input.want(1)?;
            self.gap(&mut folding, Some(indent))?;
            if self.flow_level == 0 && self.input.mark.column < indent {
                break;
            }
        }
        self.key_allowed |= folding.after_break;
        let style = ScalarStyle::Plain;
        self.push(TokenKind::Scalar(Scalar { style, value: folding.value, block: None }), start);
        if let Some(token) = self.tokens.last_mut() {
            token.end = end;
        }
        Ok(())
    }

    /// Whether the current character ends a plain scalar.
    fn ends_plain(&self) -> bool {
        match self.input.byte(0) {
            b':' => self.input.is_blankz(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    /// Passes over blanks and line breaks; in a plain scalar a tab must not stand left of `indent`.
    pub(super) fn gap(&mut self, folding: &mut Folding, indent: Option<usize>) -> Result<(), Error> {
        while self.input.is_blank(0) || self.input.is_break(0) {
            if self.input.is_break(0) {
                self.input.want(2)?;
                if folding.after_break {
                    self.input.read_line(&mut folding.trailing_breaks);
                } else {
                    folding.blanks.clear();
                    self.input.read_line(&mut folding.leading_break);
                    folding.after_break = true;
                }
            } else if folding.after_break {
                let is_left = indent.is_some_and(|indent| self.input.mark.column < indent);
                if is_left && self.input.byte(0) == b'\t' {
                    return self.input.error("found a tab character that violates indentation");
                }
                self.input.skip();
            } else {
                self.input.read(&mut folding.blanks);
            }
            self.input.want(1)?;
        }
        Ok(())
    }
}
