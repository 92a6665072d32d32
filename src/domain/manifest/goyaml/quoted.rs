//! Scalars in quotes.

use granit_parser::ScalarStyle;

use super::plain::Folding;
use super::scan::{Scanner, TokenKind};
use super::{Error, Scalar};

impl Scanner<'_> {
    pub(super) fn fetch_quoted(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.input.mark;
        let quote = self.input.byte(0);
        self.input.skip();
        let mut folding = Folding::default();
        loop {
            self.input.want(4)?;
            if self.input.is_document_indicator() {
                return self.input.error("found unexpected document indicator");
            }
            if self.input.is_end() {
                return self.input.error("found unexpected end of stream");
            }
            self.quoted_word(quote, &mut folding)?;
            self.input.want(1)?;
            if self.input.byte(0) == quote {
                break;
            }
            self.gap(&mut folding, None)?;
            folding.join();
        }
        self.input.skip();
        let style = if quote == b'"' { ScalarStyle::DoubleQuoted } else { ScalarStyle::SingleQuoted };
        self.push(TokenKind::Scalar(Scalar { style, value: folding.value, block: None }), start);
        Ok(())
    }

    /// Reads up to a blank, a line break or the closing quote.
    fn quoted_word(&mut self, quote: u8, folding: &mut Folding) -> Result<(), Error> {
        while !self.input.is_blankz(0) {
            let (byte, next) = (self.input.byte(0), self.input.byte(1));
            if byte == quote && quote == b'\'' && next == b'\'' {
                folding.value.push('\'');
                self.input.skip();
                self.input.skip();
            } else if byte == quote {
                break;
            } else if quote == b'"' && byte == b'\\' && self.input.is_break(1) {
                self.input.want(3)?;
                self.input.skip();
                self.input.skip_line();
                folding.after_break = true;
                break;
            } else if quote == b'"' && byte == b'\\' {
                let character = self.escape()?;
                folding.value.push(character);
            } else {
                self.input.read(&mut folding.value);
            }
            self.input.want(2)?;
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<char, Error> {
        let (character, digits) = match self.input.byte(1) {
            b'0' => ('\0', 0),
            b'a' => ('\u{7}', 0),
            b'b' => ('\u{8}', 0),
            b't' | b'\t' => ('\t', 0),
            b'n' => ('\n', 0),
            b'v' => ('\u{b}', 0),
            b'f' => ('\u{c}', 0),
            b'r' => ('\r', 0),
            b'e' => ('\u{1b}', 0),
            plain @ (b' ' | b'"' | b'\'' | b'\\') => (char::from(plain), 0),
            b'N' => ('\u{85}', 0),
            b'_' => ('\u{a0}', 0),
            b'L' => ('\u{2028}', 0),
            b'P' => ('\u{2029}', 0),
            b'x' => ('\0', 2),
            b'u' => ('\0', 4),
            b'U' => ('\0', 8),
            _ => return self.input.error("found unknown escape character"),
        };
        self.input.skip();
        self.input.skip();
        if digits == 0 { Ok(character) } else { self.code(digits) }
    }

    /// The character whose number has so many hexadecimal digits.
    fn code(&mut self, digits: usize) -> Result<char, Error> {
        self.input.want(digits)?;
        let mut code = 0_u32;
        for place in 0..digits {
            let Some(digit) = char::from(self.input.byte(place)).to_digit(16) else {
                return self.input.error("did not find expected hexdecimal number");
            };
            code = code << 4 | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return self.input.error("found invalid Unicode character escape code");
        };
        (0..digits).for_each(|_| self.input.skip());
        Ok(character)
    }
}
