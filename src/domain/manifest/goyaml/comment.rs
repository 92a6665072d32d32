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

    /// Whether something in `column` cannot belong to it.
    fn is_left_by(&self, column: usize) -> bool {
        !self.lines.is_empty() && column <= self.indent && column != self.start.column
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

/// A look for comments, line by line.
struct Search {
    block: Block,
    /// The line on which a comment has to begin to belong to what stands before it.
    foot_line: Option<usize>,
    /// Whether there was no empty line yet.
    is_first: bool,
    after_empty: bool,
    line: usize,
    column: usize,
    /// Bytes ahead.
    peek: usize,
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
        let mut search = self.search(before);
        while search.peek < FAR {
            self.input.want(search.peek + 1)?;
            search.column += 1;
            if self.input.is_blank(search.peek) {
                search.peek += 1;
            } else if !self.search_on(&mut search)? {
                break;
            }
        }
        let Search { block: Block { lines, start, scanned_from, .. }, peek, .. } = search;
        if !lines.is_empty() {
            let (kind, end) = (CommentKind::Head, (self.input.mark.index + peek).saturating_sub(1));
            self.comments.push(Comment { kind, lines, start, end, scanned_from, owner: start.index });
        }
        Ok(())
    }

    fn search(&self, before: Mark) -> Search {
        let (owner, is_value) = self.token_before_comment();
        let indent = self.comment_indent();
        Search {
            block: Block {
                lines: Lines::new(),
                start: Mark::default(),
                scanned_from: before.index,
                owner,
                indent,
            },
            foot_line: self.foot_line(before).filter(|_| !is_value),
            is_first: self.input.newlines <= 1,
            after_empty: false,
            line: self.input.mark.line,
            column: self.input.mark.column,
            peek: 0,
        }
    }

    /// Looks at a character that is no blank; whether there may be more of a comment behind it.
    fn search_on(&mut self, search: &mut Search) -> Result<bool, Error> {
        let here = self.input.mark.index + search.peek;
        let closes_flow = self.flow_level > 0 && matches!(self.input.byte(search.peek), b']' | b'}');
        if closes_flow || self.input.is_breakz(search.peek) {
            self.end_line(search, closes_flow);
            let is_break = self.input.is_break(search.peek);
            if is_break {
                (search.is_first, search.after_empty, search.column) = (false, true, 0);
                (search.line, search.peek) = (search.line + 1, search.peek + 1);
            }
            return Ok(is_break);
        }
        if search.block.is_left_by(search.column) {
            self.comments.push(search.block.take_foot(here));
        }
        if self.input.byte(search.peek) != b'#' {
            return Ok(false);
        }
        if search.block.lines.is_empty() {
            let (at, line, column) = (self.input.mark.at + search.peek, search.line, search.column);
            search.block.start = Mark { index: here, at, line, column };
        }
        let span = self.comment_at(here)?;
        search.block.lines.push(Some(span));
        search.after_empty = false;
        // The line break is passed over unseen.
        (search.line, search.column, search.peek) = (self.input.mark.line, 0, 1);
        search.block.indent = self.comment_indent();
        Ok(true)
    }

    /// Meets the end of a line, of the text, or of a flow collection: the comment before it may belong to what it follows.
    fn end_line(&mut self, search: &mut Search, closes_flow: bool) {
        let here = self.input.mark.index + search.peek;
        let is_foot = Some(search.block.start.line) == search.foot_line || search.block.is_dedented();
        let is_new = !search.after_empty;
        if !search.block.lines.is_empty() && (closes_flow || (is_new && search.is_first && is_foot)) {
            if search.block.is_dedented() {
                search.block.owner = search.block.start.index;
            }
            self.comments.push(search.block.take_foot(here));
        } else if !search.block.lines.is_empty() && is_new && self.input.byte(search.peek) != 0 {
            search.block.lines.push(None);
        }
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
