//! Anchors, aliases and tags.

use super::Error;
use super::scan::{Scanner, TokenKind};

impl Scanner<'_> {
    pub(super) fn fetch_anchor(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.input.mark;
        let is_alias = self.input.byte(0) == b'*';
        self.input.skip();
        let mut name = String::new();
        self.read_word(&mut name)?;
        let is_over = self.input.is_blankz(0)
            || matches!(self.input.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !is_over {
            return self.input.error("did not find expected alphabetic or numeric character");
        }
        self.push(if is_alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) }, start);
        Ok(())
    }

    fn read_word(&mut self, text: &mut String) -> Result<(), Error> {
        self.input.want(1)?;
        while self.input.is_word() {
            self.input.read(text);
            self.input.want(1)?;
        }
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.input.mark;
        self.input.want(2)?;
        let (handle, suffix) =
            if self.input.byte(1) == b'<' { self.verbatim_tag()? } else { self.short_tag()? };
        self.input.want(1)?;
        if !self.input.is_blankz(0) {
            return self.input.error("did not find expected whitespace or line break");
        }
        self.push(TokenKind::Tag { handle, suffix }, start);
        Ok(())
    }

    /// `!<tag>`, which has no handle.
    fn verbatim_tag(&mut self) -> Result<(String, String), Error> {
        self.input.skip();
        self.input.skip();
        let suffix = self.tag_uri("")?;
        if self.input.byte(0) != b'>' {
            return self.input.error("did not find the expected '>'");
        }
        self.input.skip();
        Ok((String::new(), suffix))
    }

    /// `!tag` or `!handle!tag`.
    fn short_tag(&mut self) -> Result<(String, String), Error> {
        let handle = self.tag_handle(false)?;
        if handle.len() > 1 && handle.ends_with('!') {
            let suffix = self.tag_uri("")?;
            return Ok((handle, suffix));
        }
        let suffix = self.tag_uri(&handle)?;
        let is_bare = suffix.is_empty();
        Ok(if is_bare { (suffix, "!".to_owned()) } else { ("!".to_owned(), suffix) })
    }

    /// `!`, `!!`, `!word!`; outside of a directive also the beginning of a tag.
    pub(super) fn tag_handle(&mut self, in_directive: bool) -> Result<String, Error> {
        self.input.want(1)?;
        if self.input.byte(0) != b'!' {
            return self.input.error("did not find expected '!'");
        }
        let mut handle = String::new();
        self.input.read(&mut handle);
        self.read_word(&mut handle)?;
        if self.input.byte(0) == b'!' {
            self.input.read(&mut handle);
        } else if in_directive && handle != "!" {
            return self.input.error("did not find expected '!'");
        }
        Ok(handle)
    }

    /// The rest of a tag of which `head` is read already.
    pub(super) fn tag_uri(&mut self, head: &str) -> Result<String, Error> {
        let start = self.input.mark;
        let mut uri = head.get(1..).unwrap_or_default().as_bytes().to_vec();
        self.input.want(1)?;
        while self.input.is_word() || b";/?:@&=+$,.!~*'()[]%".contains(&self.input.byte(0)) {
            if self.input.byte(0) == b'%' {
                self.escaped_octets(&mut uri)?;
            } else {
                uri.push(self.input.byte(0));
                self.input.skip();
            }
            self.input.want(1)?;
        }
        if head.is_empty() && self.input.mark == start {
            return self.input.error("did not find expected tag URI");
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// The octets of one character, each as `%` and two digits.
    fn escaped_octets(&mut self, uri: &mut Vec<u8>) -> Result<(), Error> {
        let mut left = None;
        while left != Some(0) {
            self.input.want(3)?;
            let digit = |ahead| char::from(self.input.byte(ahead)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.input.byte(0), digit(1), digit(2)) else {
                return self.input.error("did not find URI escaped octet");
            };
            let octet = u8::try_from(high << 4 | low).unwrap_or_default();
            left = Some(match (left, octet) {
                (None, ..0x80) => 0,
                (None, 0xc0..0xe0) => 1,
                (None, 0xe0..0xf0) => 2,
                (None, 0xf0..0xf8) => 3,
                (None, _) => return self.input.error("found an incorrect leading UTF-8 octet"),
                (Some(left), 0x80..0xc0) => left - 1,
                (Some(_), _) => return self.input.error("found an incorrect trailing UTF-8 octet"),
            });
            uri.push(octet);
            (0..3).for_each(|_| self.input.skip());
        }
        Ok(())
    }
}
