//! Events: what the tokens mean together.

mod flow;

use granit_parser::{ScalarStyle, StructureStyle};

use super::comment::CommentKind;
use super::scan::{Scanner, Token, TokenKind};
use super::{Error, Event, EventKind, Lines, Mark, Scalar};

/// What is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ImplicitDocumentStart,
    DocumentContent,
    DocumentEnd,
    End,
    BlockNode,
    BlockSequenceEntry { is_first: bool },
    IndentlessSequenceEntry,
    BlockMappingKey { is_first: bool },
    BlockMappingValue,
    FlowSequenceEntry { is_first: bool },
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingKey { is_first: bool },
    FlowMappingValue { is_empty: bool },
}

/// Anchor and tag of a node.
#[derive(Debug, Default)]
struct Properties {
    anchor: Option<String>,
    tag: String,
    start: Option<Mark>,
    end: usize,
}

/// Reads the first document of a text.
pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    head: Lines,
    line: Lines,
    /// Prefixes of tags by their handles.
    tag_prefixes: Vec<(String, String)>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(text),
            state: State::ImplicitDocumentStart,
            states: Vec::new(),
            head: Lines::new(),
            line: Lines::new(),
            tag_prefixes: Vec::new(),
        }
    }

    /// The comment lines that were met so far, in order: their bytes, and the line breaks before them.
    pub(crate) fn comment_lines(&self) -> &[(std::ops::Range<usize>, usize)] {
        &self.scanner.comment_lines
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Result<Event, Error> {
        match self.state {
            State::ImplicitDocumentStart => self.document_start(),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::End => {
                let token = self.peek()?;
                Ok(event(EventKind::StreamEnd, &token))
            }
            State::BlockNode => self.node(true, false),
            State::BlockSequenceEntry { is_first } => self.block_sequence_entry(is_first),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingKey { is_first } => self.block_mapping_key(is_first),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceEntry { is_first } => self.flow_sequence_entry(is_first),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                let token = self.peek()?;
                self.state = State::FlowSequenceEntry { is_first: false };
                Ok(event(EventKind::MappingEnd, &token))
            }
            State::FlowMappingKey { is_first } => self.flow_mapping_key(is_first),
            State::FlowMappingValue { is_empty } => self.flow_mapping_value(is_empty),
        }
    }

    /// The next token, which stays; the comments up to it are taken in.
    fn peek(&mut self) -> Result<Token, Error> {
        let token = self.scanner.peek()?.clone();
        while let Some(comment) = self.scanner.comments.get_mut(self.scanner.comments_taken) {
            let is_head = comment.kind == CommentKind::Head;
            // What stands above waits for more than an end.
            if token.start.index < comment.owner || (is_head && matches!(token.kind, TokenKind::BlockEnd)) {
                break;
            }
            let comment = std::mem::take(comment);
            match comment.kind {
                CommentKind::Head => self.head.extend(comment.lines),
                CommentKind::Line => self.line.extend(comment.lines),
                CommentKind::Foot => {}
            }
            self.scanner.comments_taken += 1;
        }
        Ok(token)
    }

    /// Passes over the next token and peeks at the one behind it.
    fn advance(&mut self) -> Result<Token, Error> {
        self.scanner.taken += 1;
        self.peek()
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// Forgets the comments so far: they belong to a node that is no scalar.
    fn drop_comments(&mut self) {
        self.head.clear();
        self.line.clear();
    }

    fn document_start(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        let token = if matches!(token.kind, TokenKind::StreamStart) { self.advance()? } else { token };
        match token.kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                return Ok(event(EventKind::StreamEnd, &token));
            }
            TokenKind::Version { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart => {
                let token = self.directives()?;
                if !matches!(token.kind, TokenKind::DocumentStart) {
                    return fail(&token, "did not find expected <document start>");
                }
                self.state = State::DocumentContent;
                self.scanner.taken += 1;
            }
            _ => {
                self.directives()?;
                self.state = State::BlockNode;
                self.split_document_head();
            }
        }
        self.states.push(State::DocumentEnd);
        self.next()
    }

    /// Of the comments above a document, what stands before the last empty line is the document's own.
    fn split_document_head(&mut self) {
        if let Some(empty) = self.head.iter().rposition(Option::is_none) {
            self.head.drain(..=empty);
        }
    }

    /// Reads the directives; the token behind them.
    fn directives(&mut self) -> Result<Token, Error> {
        let mut token = self.peek()?;
        let mut has_version = false;
        loop {
            match &token.kind {
                TokenKind::Version { .. } if has_version => {
                    return fail(&token, "found duplicate %YAML directive");
                }
                TokenKind::Version { major: 1, minor: 1 } => has_version = true,
                TokenKind::Version { .. } => return fail(&token, "found incompatible YAML document"),
                TokenKind::TagDirective { handle, .. } if self.tag_prefix(handle).is_some() => {
                    return fail(&token, "found duplicate %TAG directive");
                }
                TokenKind::TagDirective { handle, prefix } => {
                    self.tag_prefixes.push((handle.clone(), prefix.clone()));
                }
                _ => break,
            }
            token = self.advance()?;
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if self.tag_prefix(handle).is_none() {
                self.tag_prefixes.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(token)
    }

    fn tag_prefix(&self, handle: &str) -> Option<&str> {
        let mut known = self.tag_prefixes.iter();
        known.find(|(name, _)| name == handle).map(|(_, prefix)| prefix.as_str())
    }

    fn document_content(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        match token.kind {
            TokenKind::Version { .. }
            | TokenKind::TagDirective { .. }
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                self.pop();
                Ok(empty_scalar(token.start))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        self.state = State::End;
        Ok(event(EventKind::DocumentEnd, &token))
    }

    fn properties(&mut self) -> Result<Properties, Error> {
        let mut properties = Properties::default();
        let mut token = self.peek()?;
        let mut has_tag = false;
        loop {
            match &token.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name.clone());
                }
                TokenKind::Tag { handle, suffix } if !has_tag => {
                    has_tag = true;
                    properties.tag = match self.tag_prefix(handle) {
                        _ if handle.is_empty() => suffix.clone(),
                        Some(prefix) => format!("{prefix}{suffix}"),
                        None => String::new(),
                    };
                    if properties.tag.is_empty() {
                        return fail(&token, "found undefined tag handle");
                    }
                }
                _ => return Ok(properties),
            }
            properties.start.get_or_insert(token.start);
            properties.end = token.end.at;
            token = self.advance()?;
        }
    }

    fn node(&mut self, is_block: bool, takes_indentless: bool) -> Result<Event, Error> {
        let token = self.peek()?;
        if let TokenKind::Alias(name) = token.kind.clone() {
            self.pop();
            self.drop_comments();
            self.scanner.taken += 1;
            return Ok(event(EventKind::Alias(name), &token));
        }
        let properties = self.properties()?;
        let token = self.peek()?;
        let (kind, next) = match token.kind.clone() {
            TokenKind::BlockEntry if takes_indentless => {
                (EventKind::SequenceStart(StructureStyle::Block), State::IndentlessSequenceEntry)
            }
            TokenKind::Scalar(scalar) => return Ok(self.scalar(scalar, properties, &token)),
            TokenKind::FlowSequenceStart => {
                self.drop_comments();
                (EventKind::SequenceStart(StructureStyle::Flow), State::FlowSequenceEntry { is_first: true })
            }
            TokenKind::FlowMappingStart => {
                self.drop_comments();
                (EventKind::MappingStart(StructureStyle::Flow), State::FlowMappingKey { is_first: true })
            }
            TokenKind::BlockSequenceStart if is_block => (
                EventKind::SequenceStart(StructureStyle::Block),
                State::BlockSequenceEntry { is_first: true },
            ),
            TokenKind::BlockMappingStart if is_block => {
                (EventKind::MappingStart(StructureStyle::Block), State::BlockMappingKey { is_first: true })
            }
            _ if properties.start.is_some() => {
                self.pop();
                // Without content there is no place for a comment.
                let end = properties.end;
                let empty = Event { end, ..empty_scalar(Mark { at: end, ..token.start }) };
                return Ok(with(empty, properties));
            }
            _ => return fail(&token, "did not find expected node content"),
        };
        self.state = next;
        Ok(with(event(kind, &token), properties))
    }

    fn scalar(&mut self, scalar: Scalar, properties: Properties, token: &Token) -> Event {
        self.pop();
        let (head, line) = (std::mem::take(&mut self.head), std::mem::take(&mut self.line));
        self.scanner.taken += 1;
        let comment = if line.is_empty() { head } else { line };
        with(event(EventKind::Scalar(scalar, comment), token), properties)
    }

    fn block_sequence_entry(&mut self, is_first: bool) -> Result<Event, Error> {
        let token = if is_first { self.peek().and_then(|_start| self.advance())? } else { self.peek()? };
        match token.kind {
            TokenKind::BlockEntry => {
                let next = self.entry()?;
                self.state = State::BlockSequenceEntry { is_first: false };
                if matches!(next.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    return Ok(empty_scalar(token.end));
                }
                self.states.push(self.state);
                self.node(true, false)
            }
            TokenKind::BlockEnd => {
                self.pop();
                self.scanner.taken += 1;
                Ok(event(EventKind::SequenceEnd, &token))
            }
            _ => fail(&token, "did not find expected '-' indicator"),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::BlockEntry) {
            self.pop();
            return Ok(event(EventKind::SequenceEnd, &token));
        }
        let next = self.entry()?;
        self.state = State::IndentlessSequenceEntry;
        match next.kind {
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                Ok(empty_scalar(token.end))
            }
            _ => {
                self.states.push(self.state);
                self.node(true, false)
            }
        }
    }

    /// Passes over a dash. What stood above it belongs to the collection behind it, if there is one, and not to that
    /// collection's first entry.
    fn entry(&mut self) -> Result<Token, Error> {
        let above = self.head.len();
        let next = self.advance()?;
        if matches!(next.kind, TokenKind::BlockSequenceStart | TokenKind::BlockMappingStart) {
            self.head.drain(..above);
        }
        Ok(next)
    }

    fn block_mapping_key(&mut self, is_first: bool) -> Result<Event, Error> {
        let token = if is_first { self.peek().and_then(|_start| self.advance())? } else { self.peek()? };
        match token.kind {
            TokenKind::Key => {
                let next = self.advance()?;
                self.state = State::BlockMappingValue;
                if ends_entry(&next) {
                    return Ok(empty_scalar(token.end));
                }
                self.states.push(self.state);
                self.node(true, true)
            }
            TokenKind::BlockEnd => {
                self.pop();
                self.drop_comments();
                self.scanner.taken += 1;
                Ok(event(EventKind::MappingEnd, &token))
            }
            _ => fail(&token, "did not find expected key"),
        }
    }

    fn block_mapping_value(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        self.state = State::BlockMappingKey { is_first: false };
        if !matches!(token.kind, TokenKind::Value) {
            return Ok(empty_scalar(token.start));
        }
        let next = self.advance()?;
        if ends_entry(&next) {
            return Ok(empty_scalar(token.end));
        }
        self.states.push(self.state);
        self.node(true, true)
    }
}

/// Whether there is no node before `token`.
fn ends_entry(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd)
}

fn event(kind: EventKind, token: &Token) -> Event {
    Event {
        kind,
        start: token.start,
        place: token.start,
        end: token.end.at,
        anchor: None,
        tag: String::new(),
    }
}

/// A scalar that is not written.
fn empty_scalar(place: Mark) -> Event {
    let scalar = Scalar { style: ScalarStyle::Plain, value: String::new(), block: None };
    let kind = EventKind::Scalar(scalar, Lines::new());
    Event { kind, start: place, place, end: place.at, anchor: None, tag: String::new() }
}

fn with(event: Event, properties: Properties) -> Event {
    let Properties { anchor, tag, start, .. } = properties;
    Event { anchor, tag, start: start.unwrap_or(event.start), ..event }
}

fn fail<T>(token: &Token, problem: &'static str) -> Result<T, Error> {
    Err(Error { mark: token.start, problem })
}
