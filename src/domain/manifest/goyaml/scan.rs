//! Tokens: the dispatcher, and the tokens of one or a few characters.

use std::collections::HashMap;

use super::comment::Comment;
use super::input::Input;
use super::keys::SimpleKey;
use super::{Error, Mark, Scalar};

/// A piece of the text that the grammar has a name for.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: Mark,
    pub(super) end: Mark,
}

#[derive(Debug, Clone)]
pub(super) enum TokenKind {
    StreamStart,
    StreamEnd,
    /// A `%YAML` directive.
    Version {
        major: u8,
        minor: u8,
    },
    /// A `%TAG` directive.
    TagDirective {
        handle: String,
        prefix: String,
    },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag {
        handle: String,
        suffix: String,
    },
    Scalar(Scalar),
}

pub(super) struct Scanner<'a> {
    pub(super) input: Input<'a>,
    /// All tokens so far, and how many of them were taken.
    pub(super) tokens: Vec<Token>,
    pub(super) taken: usize,
    /// The column of the innermost block collection; -1 outside of all.
    pub(super) indent: isize,
    pub(super) indents: Vec<isize>,
    /// Whether a key without `?` may begin here.
    pub(super) key_allowed: bool,
    /// What may turn out to be a key, for each flow level.
    pub(super) keys: Vec<SimpleKey>,
    /// The same by the number of their first token, as places in `keys`.
    pub(super) keys_by_token: HashMap<usize, usize>,
    pub(super) flow_level: usize,
    pub(super) comments: Vec<Comment>,
    /// How many comments were handed to tokens.
    pub(super) comments_taken: usize,
    /// Every line of comment, in order.
    pub(super) comment_lines: Vec<(std::ops::Range<usize>, usize)>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let input = Input::new(text);
        let start = Token { kind: TokenKind::StreamStart, start: input.mark, end: input.mark };
        Self {
            input,
            tokens: vec![start],
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            key_allowed: true,
            keys: vec![SimpleKey::default()],
            keys_by_token: HashMap::new(),
            flow_level: 0,
            comments: Vec::new(),
            comments_taken: 0,
            comment_lines: Vec::new(),
        }
    }

    /// The next token, which stays the next one.
    ///
    /// Comments ask for two more tokens ahead, so what is wrong there is an error now.
    pub(super) fn peek(&mut self) -> Result<&Token, Error> {
        while self.taken + 2 >= self.tokens.len() || self.is_undecided()? {
            self.fetch()?;
        }
        self.tokens.get(self.taken).ok_or(Error { mark: Mark::default(), problem: "no token" })
    }

    /// Whether the next token may be the beginning of a key.
    fn is_undecided(&mut self) -> Result<bool, Error> {
        match self.keys_by_token.get(&self.taken).copied() {
            Some(key) => self.is_valid_key(key),
            None => Ok(false),
        }
    }

    pub(super) fn push(&mut self, kind: TokenKind, start: Mark) {
        let end = self.input.mark;
        self.tokens.push(Token { kind, start, end });
    }

    fn fetch(&mut self) -> Result<(), Error> {
        self.input.want(1)?;
        let before = self.input.mark;
        self.skip_to_token()?;
        self.unroll_indent(self.input.mark.column.cast_signed(), before);
        self.input.want(4)?;
        if self.input.is_end() {
            return self.fetch_stream_end();
        }
        if self.input.mark.column == 0 && self.input.byte(0) == b'%' {
            return self.fetch_directive();
        }
        if self.input.is_document_indicator() {
            return self.fetch_document_indicator();
        }
        let mut comment_mark = self.input.mark;
        let is_behind = matches!((self.flow_level, self.input.byte(0)), (0, b':') | (1.., b','));
        if let Some(last) = self.tokens.last().filter(|_| is_behind) {
            // What follows a colon or comma belongs to what stands before it.
            comment_mark = last.start;
        }
        self.fetch_content()?;
        if !matches!(self.tokens.last(), Some(Token { kind: TokenKind::BlockEntry, .. })) {
            self.scan_line_comment(comment_mark)?;
        }
        Ok(())
    }

    fn fetch_content(&mut self) -> Result<(), Error> {
        let (in_flow, is_alone) = (self.flow_level > 0, self.input.is_blankz(1));
        match self.input.byte(0) {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if is_alone => self.fetch_block_entry(),
            b'?' if in_flow || is_alone => self.fetch_key(),
            b':' if in_flow || is_alone => self.fetch_value(),
            b'*' | b'&' => self.fetch_anchor(),
            b'!' => self.fetch_tag(),
            b'|' | b'>' if !in_flow => self.fetch_block_scalar(),
            b'\'' | b'"' => self.fetch_quoted(),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' | b' ' => {
                self.input.error("found character that cannot start any token")
            }
            _ => self.fetch_plain(),
        }
    }

    /// Passes over blanks, comments and line breaks.
    fn skip_to_token(&mut self) -> Result<(), Error> {
        let before = self.input.mark;
        loop {
            self.input.want(1)?;
            if self.input.mark.column == 0 && self.input.is_byte_order_mark() {
                self.input.skip();
            }
            self.input.want(1)?;
            let takes_tabs = self.flow_level > 0 || !self.key_allowed;
            while self.input.byte(0) == b' ' || (takes_tabs && self.input.byte(0) == b'\t') {
                self.input.skip();
                self.input.want(1)?;
            }
            self.turn_line_into_head();
            if self.input.byte(0) == b'#' {
                self.scan_comments(before)?;
            }
            if !self.input.is_break(0) {
                return Ok(());
            }
            self.input.want(2)?;
            self.input.skip_line();
            self.key_allowed |= self.flow_level == 0;
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Error> {
        if self.input.mark.column != 0 {
            self.input.mark.column = 0;
            self.input.mark.line += 1;
        }
        self.end_blocks()?;
        self.push(TokenKind::StreamEnd, self.input.mark);
        Ok(())
    }

    /// Ends all block collections.
    pub(super) fn end_blocks(&mut self) -> Result<(), Error> {
        self.unroll_indent(-1, self.input.mark);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn fetch_document_indicator(&mut self) -> Result<(), Error> {
        self.end_blocks()?;
        let start = self.input.mark;
        let is_start = self.input.byte(0) == b'-';
        (0..3).for_each(|_| self.input.skip());
        self.push(if is_start { TokenKind::DocumentStart } else { TokenKind::DocumentEnd }, start);
        Ok(())
    }

    /// A token of one character.
    fn indicator(&mut self, kind: TokenKind) {
        let start = self.input.mark;
        self.input.skip();
        self.push(kind, start);
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.save_key()?;
        self.raise_flow_level()?;
        self.key_allowed = true;
        self.indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.remove_key()?;
        self.lower_flow_level();
        self.key_allowed = false;
        self.indicator(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Error> {
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Error> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return self.input.error("block sequence entries are not allowed in this context");
            }
            self.roll_indent(self.input.mark, None, TokenKind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Error> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return self.input.error("mapping keys are not allowed in this context");
            }
            self.roll_indent(self.input.mark, None, TokenKind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.indicator(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Error> {
        let last = self.keys.len().saturating_sub(1);
        if self.is_valid_key(last)? {
            self.insert_key(last)?;
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return self.input.error("mapping values are not allowed in this context");
                }
                self.roll_indent(self.input.mark, None, TokenKind::BlockMappingStart)?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.indicator(TokenKind::Value);
        Ok(())
    }
}
