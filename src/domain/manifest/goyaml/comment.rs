//! Comments, and the token that each belongs to.

use super::scan::{Scanner, Token, TokenKind};
use super::{Error, Lines, Mark};

/// How many bytes go-yaml looks ahead for more of a comment.
const FAR: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum CommentKind {
    /// Above a node.
    Head,
    /// Behind a node, on its line.
    Line,
    /// Below a node. No scalar is marked by one, but it is what the others are not.
    #[default]
    Foot,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Comment {
    pub(super) kind: CommentKind,
    pub(super) lines: Lines,
    pub(super) start: Mark,
    /// The index behind it.
    pub(super) end: usize,
    /// Where the blanks and comments before it begin, as an index.
    pub(super) scanned_from: usize,
    /// It belongs to the first token from this index on.
    pub(super) owner: usize,
}

/// Lines of comment that are being put together, and what is known of what they follow.
struct Block {
    lines: Lines,
    start: Mark,
    scanned_from: usize,
    owner: usize,
    /// The column left of which a comment belongs to something around.
    indent: usize,
}

impl Block {
    /// Whether it stands left of what it would belong to.
    fn is_dedented(&self) -> bool {
        self.start.column <= self.indent
    }

    /// Closes it as what stands below the node before; what follows begins anew at `end`.
    fn take_foot(&mut self, end: usize) -> Comment {
        let foot = Comment {
            kind: CommentKind::Foot,
            lines: std::mem::take(&mut self.lines),
            start: self.start,
            end,
            scanned_from: self.scanned_from,
            owner: self.owner,
        };
        (self.scanned_from, self.owner) = (end, end);
        foot
    }
}

impl Scanner<'_> {
    /// The comment on the rest of the line, which belongs to the token at `owner`.
    pub(super) fn scan_line_comment(&mut self, owner: Mark) -> Result<(), Error> {
        if self.input.newlines > 0 {
            return Ok(());
        }
        let mut blanks = 0;
        self.input.want(1)?;
        while self.input.is_blank(blanks) && blanks < FAR {
            blanks += 1;
            self.input.want(blanks + 1)?;
        }
        if blanks < FAR && self.input.byte(blanks) == b'#' {
            (0..blanks).for_each(|_| self.input.skip());
            let start = self.input.mark;
            let lines = vec![Some(self.read_comment()?)];
            let kind = CommentKind::Line;
            self.comments.push(Comment { kind, lines, start, owner: owner.index, ..Comment::default() });
        }
        Ok(())
    }

    /// Passes over the rest of the line.
    fn read_comment(&mut self) -> Result<std::ops::Range<usize>, Error> {
        let start = self.input.mark;
        while !self.input.is_breakz(0) {
            self.input.skip();
            self.input.want(1)?;
        }
        let span = start.at..self.input.mark.at;
        self.comment_lines.push((span.clone(), start.line));
        Ok(span)
    }

    /// The comments on the lines from here on. `before` is where the blanks before them begin.
    pub(super) fn scan_comments(&mut self, before: Mark) -> Result<(), Error> {
        let (owner, is_value) = self.token_before_comment();
        let foot_line = self.foot_line(before);
        let mut block = Block {
            lines: Lines::new(),
            start: Mark::default(),
            scanned_from: before.index,
            owner,
            indent: self.comment_indent(),
        };
        let (mut after_empty, mut is_first) = (false, self.input.newlines <= 1);
        let (mut line, mut column) = (self.input.mark.line, self.input.mark.column);
        let mut peek = 0;
        while peek < FAR {
            self.input.want(peek + 1)?;
            column += 1;
            let here = self.input.mark.index + peek;
            let closes_flow = self.flow_level > 0 && matches!(self.input.byte(peek), b']' | b'}');
            if self.input.is_blank(peek) {
                peek += 1;
                continue;
            }
            if closes_flow || self.input.is_breakz(peek) {
                let is_foot = (Some(block.start.line) == foot_line && !is_value) || block.is_dedented();
                if !block.lines.is_empty() && (closes_flow || (!after_empty && is_first && is_foot)) {
                    if block.is_dedented() {
                        block.owner = block.start.index;
                    }
                    self.comments.push(block.take_foot(here));
                } else if !block.lines.is_empty() && !after_empty && self.input.byte(peek) != 0 {
                    block.lines.push(None);
                }
                if !self.input.is_break(peek) {
                    break;
                }
                (is_first, after_empty, column) = (false, true, 0);
                (line, peek) = (line + 1, peek + 1);
                continue;
            }
            if !block.lines.is_empty() && column <= block.indent && column != block.start.column {
                self.comments.push(block.take_foot(here));
            }
            if self.input.byte(peek) != b'#' {
                break;
            }
            if block.lines.is_empty() {
                block.start = Mark { index: here, at: self.input.mark.at + peek, line, column };
            } else {
                block.lines.push(None);
            }
            after_empty = false;
            let span = self.comment_at(here)?;
            match block.lines.last_mut() {
                Some(last) => *last = Some(span),
                None => block.lines.push(Some(span)),
            }
            // The line break is passed over unseen.
            (line, column, peek) = (self.input.mark.line, 0, 1);
            block.indent = self.comment_indent();
        }
        if !block.lines.is_empty() {
            let end = (self.input.mark.index + peek).saturating_sub(1);
            let (start, lines) = (block.start, block.lines);
            let (kind, scanned_from) = (CommentKind::Head, block.scanned_from);
            self.comments.push(Comment { kind, lines, start, end, scanned_from, owner: start.index });
        }
        Ok(())
    }

    /// The token that a comment may belong to, by its index, and whether it is a colon.
    fn token_before_comment(&self) -> (usize, bool) {
        let mut tokens = self.tokens.iter().rev();
        let last = tokens.next();
        let token = match last {
            Some(Token { kind: TokenKind::FlowEntry, .. }) => tokens.next().or(last),
            _ => last,
        };
        token.map_or((0, false), |token| (token.start.index, matches!(token.kind, TokenKind::Value)))
    }

    /// The line on which a comment has to begin to belong to what stands before it.
    fn foot_line(&self, before: Mark) -> Option<usize> {
        let (mark, newlines) = (self.input.mark, self.input.newlines);
        let is_behind_content = newlines == 0 && mark.column > 1;
        (before.line > 0).then(|| (mark.line + 1 + usize::from(is_behind_content)).saturating_sub(newlines))
    }

    fn comment_indent(&self) -> usize {
        usize::try_from(self.indent).unwrap_or(0)
    }

    /// Passes over everything before the comment at `index`, and over the comment.
    fn comment_at(&mut self, index: usize) -> Result<std::ops::Range<usize>, Error> {
        self.input.want(1)?;
        while self.input.mark.index < index {
            if self.input.is_break(0) {
                self.input.want(2)?;
                self.input.skip_line();
            } else {
                self.input.skip();
            }
            self.input.want(1)?;
        }
        self.read_comment()
    }

    /// Makes of a comment behind the dash of a list within a list what stands above the next node.
    pub(super) fn turn_line_into_head(&mut self) {
        let [.., before, last] = self.tokens.as_slice() else { return };
        let begins_list = matches!(before.kind, TokenKind::BlockSequenceStart)
            && matches!(last.kind, TokenKind::BlockEntry);
        let Some(comment) = self.comments.last_mut().filter(|comment| comment.kind == CommentKind::Line)
        else {
            return;
        };
        if begins_list && !self.input.is_break(0) {
            comment.kind = CommentKind::Head;
            if comment.start.line + 1 == self.input.mark.line {
                comment.owner = self.input.mark.index;
            }
        }
    }
}
