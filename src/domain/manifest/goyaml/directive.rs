//! Directives: `%YAML` and `%TAG`.

use super::Error;
use super::scan::{Scanner, TokenKind};

impl Scanner<'_> {
    pub(super) fn fetch_directive(&mut self) -> Result<(), Error> {
        self.end_blocks()?;
        let start = self.input.mark;
        self.input.skip();
        let kind = match self.directive_name()?.as_str() {
            "YAML" => self.version()?,
            "TAG" => self.tag_directive()?,
            _ => return self.input.error("found unknown directive name"),
        };
        self.push(kind, start);
        self.input.skip_blanks()?;
        if self.input.byte(0) == b'#' {
            while !self.input.is_breakz(0) {
                self.input.skip();
                self.input.want(1)?;
            }
        }
        if !self.input.is_breakz(0) {
            return self.input.error("did not find expected comment or line break");
        }
        if self.input.is_break(0) {
            self.input.want(2)?;
            self.input.skip_line();
        }
        Ok(())
    }

    fn directive_name(&mut self) -> Result<String, Error> {
        let mut name = String::new();
        self.input.want(1)?;
        while self.input.is_word() {
            self.input.read(&mut name);
            self.input.want(1)?;
        }
        if name.is_empty() {
            return self.input.error("could not find expected directive name");
        }
        if !self.input.is_blankz(0) {
            return self.input.error("found unexpected non-alphabetical character");
        }
        Ok(name)
    }

    fn version(&mut self) -> Result<TokenKind, Error> {
        self.input.skip_blanks()?;
        let major = self.version_number()?;
        if self.input.byte(0) != b'.' {
            return self.input.error("did not find expected digit or '.' character");
        }
        self.input.skip();
        let minor = self.version_number()?;
        Ok(TokenKind::Version { major, minor })
    }

    /// One or two digits.
    fn version_number(&mut self) -> Result<u8, Error> {
        let (mut number, mut digits) = (0, 0);
        self.input.want(1)?;
        while self.input.byte(0).is_ascii_digit() {
            digits += 1;
            if digits > 2 {
                return self.input.error("found extremely long version number");
            }
            number = number * 10 + (self.input.byte(0) - b'0');
            self.input.skip();
            self.input.want(1)?;
        }
        if digits == 0 { self.input.error("did not find expected version number") } else { Ok(number) }
    }

    fn tag_directive(&mut self) -> Result<TokenKind, Error> {
        self.input.skip_blanks()?;
        let handle = self.tag_handle(true)?;
        self.input.want(1)?;
        if !self.input.is_blank(0) {
            return self.input.error("did not find expected whitespace");
        }
        self.input.skip_blanks()?;
        let prefix = self.tag_uri("")?;
        self.input.want(1)?;
        if !self.input.is_blankz(0) {
            return self.input.error("did not find expected whitespace or line break");
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }
}
