//! Flow collections on one line.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{ScalarStyle, StructureStyle};

use super::super::walk::Last;
use super::{LONGEST_KEY, Reader};

/// More collections within each other than anybody writes on one line.
const DEEPEST: usize = 16;

impl<'a> Reader<'a, '_> {
    /// The collection at `first`, with `depth` others around it; the place behind it.
    pub(super) fn flow(&mut self, first: usize, end: usize, depth: usize) -> Option<usize> {
        (depth < DEEPEST).then_some(())?;
        let is_mapping = self.at(first) == Some(b'{');
        let column = first - self.start;
        let close = if is_mapping {
            self.walker.open_mapping(StructureStyle::Flow, column);
            b'}'
        } else {
            self.walker.open_sequence(StructureStyle::Flow, column, self.line);
            b']'
        };
        let mut place = self.skip_blanks(first + 1, end);
        if self.at(place) != Some(close) {
            loop {
                if is_mapping {
                    place = self.flow_key(place, end)?;
                }
                place = self.flow_node(place, end, depth)?;
                place = self.skip_blanks(place, end);
                match self.at(place) {
                    Some(b',') => place = self.skip_blanks(place + 1, end),
                    Some(byte) if byte == close => break,
                    _ => return None,
                }
            }
        }
        self.walker.close();
        Some(place + 1)
    }

    /// The key at `first`, up to the value behind its colon.
    fn flow_key(&mut self, first: usize, end: usize) -> Option<usize> {
        let (style, key, span) = self.flow_scalar(first, end)?;
        let colon = span.end;
        if self.at(colon) != Some(b':') || self.at(colon + 1) != Some(b' ') || colon - first > LONGEST_KEY {
            return None;
        }
        self.walker.key(style, key);
        Some(self.skip_blanks(colon + 1, end))
    }

    /// The value or item at `first`; the place behind it.
    fn flow_node(&mut self, first: usize, end: usize, depth: usize) -> Option<usize> {
        match self.at(first)? {
            b'[' | b'{' => self.flow(first, end, depth + 1),
            _ => {
                let (style, value, span) = self.flow_scalar(first, end)?;
                let behind = span.end;
                self.walker.scalar(Last::new(span, self.line, style, value));
                Some(behind)
            }
        }
    }

    fn flow_scalar(&self, first: usize, end: usize) -> Option<(ScalarStyle, Cow<'a, str>, Range<usize>)> {
        Some(if matches!(self.at(first), Some(b'\'' | b'"')) {
            let (style, value, close) = self.quoted(first, end)?;
            (style, value, first..close)
        } else {
            let span = self.flow_plain(first, end)?;
            (ScalarStyle::Plain, Cow::Borrowed(self.text.get(span.clone())?), span)
        })
    }

    /// The plain scalar at `first`: up to its colon, to the comma or bracket behind it, or to the blanks before those.
    fn flow_plain(&self, first: usize, end: usize) -> Option<Range<usize>> {
        let is_dash = self.at(first) == Some(b'-');
        let is_bracket = matches!(self.at(first + 1), Some(b',' | b'[' | b']' | b'{' | b'}'));
        if !self.may_begin_plain(first, end) || (is_dash && is_bracket) {
            return None;
        }
        let line = self.bytes.get(..end)?;
        let mut last = first;
        for (place, byte) in line.iter().copied().enumerate().skip(first) {
            match byte {
                b' ' => {}
                b',' | b']' | b'}' => return (last > first).then_some(first..last),
                // A question mark ends it for go-yaml.
                b'[' | b'{' | b'?' | b'\t' => return None,
                b':' => match line.get(place + 1)? {
                    b' ' => return (last == place).then_some(first..place),
                    b',' | b'[' | b']' | b'{' | b'}' => return None,
                    _ => last = place + 1,
                },
                b'#' if last < place => return None,
                _ => last = place + 1,
            }
        }
        None
    }
}
