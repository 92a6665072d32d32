//! Flow collections.

use granit_parser::StructureStyle;

use super::super::scan::{Token, TokenKind};
use super::super::{Error, Event, EventKind};
use super::{Parser, State, empty_scalar, event, fail};

impl Parser<'_> {
    pub(super) fn flow_sequence_entry(&mut self, is_first: bool) -> Result<Event, Error> {
        let mut token = if is_first { self.peek().and_then(|_start| self.advance())? } else { self.peek()? };
        if !is_first && !matches!(token.kind, TokenKind::FlowSequenceEnd) {
            if !matches!(token.kind, TokenKind::FlowEntry) {
                return fail(&token, "did not find expected ',' or ']'");
            }
            token = self.advance()?;
        }
        match token.kind {
            TokenKind::FlowSequenceEnd => Ok(self.flow_end(EventKind::SequenceEnd, &token)),
            TokenKind::Key => {
                self.state = State::FlowPairKey;
                self.scanner.taken += 1;
                Ok(event(EventKind::MappingStart(StructureStyle::Flow), &token))
            }
            _ => {
                self.states.push(State::FlowSequenceEntry { is_first: false });
                self.node(false, false)
            }
        }
    }

    fn flow_end(&mut self, kind: EventKind, token: &Token) -> Event {
        self.pop();
        self.drop_comments();
        self.scanner.taken += 1;
        event(kind, token)
    }

    pub(super) fn flow_pair_key(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        self.state = State::FlowPairValue;
        match token.kind {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // go-yaml takes the token with it.
                self.scanner.taken += 1;
                Ok(empty_scalar(token.end))
            }
            _ => {
                self.states.push(self.state);
                self.node(false, false)
            }
        }
    }

    pub(super) fn flow_pair_value(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        self.state = State::FlowPairEnd;
        if matches!(token.kind, TokenKind::Value) {
            let next = self.advance()?;
            if !matches!(next.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.states.push(self.state);
                return self.node(false, false);
            }
        }
        Ok(empty_scalar(token.start))
    }

    pub(super) fn flow_mapping_key(&mut self, is_first: bool) -> Result<Event, Error> {
        let mut token = if is_first { self.peek().and_then(|_start| self.advance())? } else { self.peek()? };
        if !is_first && !matches!(token.kind, TokenKind::FlowMappingEnd) {
            if !matches!(token.kind, TokenKind::FlowEntry) {
                return fail(&token, "did not find expected ',' or '}'");
            }
            token = self.advance()?;
        }
        match token.kind {
            TokenKind::FlowMappingEnd => Ok(self.flow_end(EventKind::MappingEnd, &token)),
            TokenKind::Key => {
                let next = self.advance()?;
                self.state = State::FlowMappingValue { is_empty: false };
                if ends_flow_entry(&next) {
                    return Ok(empty_scalar(next.start));
                }
                self.states.push(self.state);
                self.node(false, false)
            }
            _ => {
                self.states.push(State::FlowMappingValue { is_empty: true });
                self.node(false, false)
            }
        }
    }

    pub(super) fn flow_mapping_value(&mut self, is_empty: bool) -> Result<Event, Error> {
        let mut token = self.peek()?;
        self.state = State::FlowMappingKey { is_first: false };
        if !is_empty && matches!(token.kind, TokenKind::Value) {
            token = self.advance()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(self.state);
                return self.node(false, false);
            }
        }
        Ok(empty_scalar(token.start))
    }
}

/// Whether there is no node before `token`, in a flow mapping.
fn ends_flow_entry(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd)
}
