//! Indentation, and keys that are known to be keys only when their colon comes.

use super::scan::{Scanner, Token, TokenKind};
use super::{Error, Mark};

/// More collections within each other than go-yaml takes.
const DEEPEST: usize = 10_000;
/// A key is at most so long, in characters.
const LONGEST_KEY: usize = 1024;

/// What may be a key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SimpleKey {
    is_possible: bool,
    /// Whether it must be one, because it stands in the column of the keys.
    is_required: bool,
    /// The number of its first token.
    token: usize,
    mark: Mark,
}

impl Scanner<'_> {
    /// Whether the key at `place` still may be one.
    pub(super) fn is_valid_key(&mut self, place: usize) -> Result<bool, Error> {
        let now = self.input.mark;
        let Some(key) = self.keys.get_mut(place).filter(|key| key.is_possible) else { return Ok(false) };
        if key.mark.line >= now.line && key.mark.index + LONGEST_KEY >= now.index {
            return Ok(true);
        }
        if key.is_required {
            return self.input.error("could not find expected ':'");
        }
        key.is_possible = false;
        Ok(false)
    }

    /// Remembers that a key may begin here.
    pub(super) fn save_key(&mut self) -> Result<(), Error> {
        if !self.key_allowed {
            return Ok(());
        }
        self.remove_key()?;
        let mark = self.input.mark;
        let is_required = self.flow_level == 0 && self.indent == mark.column.cast_signed();
        let token = self.tokens.len();
        let place = self.keys.len().saturating_sub(1);
        if let Some(last) = self.keys.last_mut() {
            *last = SimpleKey { is_possible: true, is_required, token, mark };
        }
        self.keys_by_token.insert(token, place);
        Ok(())
    }

    /// Forgets what might have been a key at the current flow level.
    pub(super) fn remove_key(&mut self) -> Result<(), Error> {
        let Some(key) = self.keys.last_mut().filter(|key| key.is_possible) else { return Ok(()) };
        if key.is_required {
            return self.input.error("could not find expected ':'");
        }
        key.is_possible = false;
        self.keys_by_token.remove(&key.token);
        Ok(())
    }

    /// Puts the KEY token before what turned out to be a key.
    pub(super) fn insert_key(&mut self, place: usize) -> Result<(), Error> {
        let Some(key) = self.keys.get(place).copied() else { return Ok(()) };
        self.tokens.insert(key.token, Token { kind: TokenKind::Key, start: key.mark, end: key.mark });
        self.roll_indent(key.mark, Some(key.token), TokenKind::BlockMappingStart)?;
        if let Some(key) = self.keys.get_mut(place) {
            key.is_possible = false;
        }
        self.keys_by_token.remove(&key.token);
        Ok(())
    }

    pub(super) fn raise_flow_level(&mut self) -> Result<(), Error> {
        self.keys.push(SimpleKey { token: self.tokens.len(), mark: self.input.mark, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > DEEPEST { self.input.error("exceeded max depth of 10000") } else { Ok(()) }
    }

    pub(super) fn lower_flow_level(&mut self) {
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.keys.pop() {
                self.keys_by_token.remove(&key.token);
            }
        }
    }

    /// Begins a block collection at `mark` if that is deeper than the one around it.
    pub(super) fn roll_indent(
        &mut self,
        mark: Mark,
        before: Option<usize>,
        kind: TokenKind,
    ) -> Result<(), Error> {
        let column = mark.column.cast_signed();
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > DEEPEST {
            return self.input.error("exceeded max depth of 10000");
        }
        let place = before.unwrap_or(self.tokens.len());
        self.tokens.insert(place, Token { kind, start: mark, end: mark });
        Ok(())
    }

    /// Ends the block collections that are deeper than `column`; `before` is where the blanks and comments before the
    /// current place began.
    pub(super) fn unroll_indent(&mut self, column: isize, before: Mark) {
        if self.flow_level > 0 {
            return;
        }
        let mut end = Mark { index: before.index.saturating_sub(1), ..before };
        while self.indent > column {
            // An end stands before the comments in its column, which may be those of what is around it.
            let mut stop = end.index;
            for comment in self.comments.iter().rev() {
                if comment.end < stop {
                    break;
                }
                if comment.start.column.cast_signed() == self.indent + 1 {
                    end = comment.start;
                }
                stop = comment.scanned_from;
            }
            self.tokens.push(Token { kind: TokenKind::BlockEnd, start: end, end });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}
