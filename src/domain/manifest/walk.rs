//! One piece of a file as a YAML parser sees it: which scalars carry a marker, where they stand, whose they are.
//!
//! The parser's events are folded once, from left to right. Comments decide; which one belongs to a value is a matter of
//! position (as it is for go-yaml, whose answers we must reproduce):
//!
//! - behind the value on its last line, with nothing but blanks or one comma in between;
//! - on the header line of a block scalar;
//! - alone on the line above an item of a sequence, or above a value that stands below its key, if that is a single
//!   comment line and the value has none behind it.
//!
//! Source: `fluxcd/image-automation-controller:internal/update/filter.go`, go-yaml v3 `scannerc.go`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::block;
use super::path::{self, Frame};
use super::{Image, MarkedScalar, Part, Stray, StrayReason, Style, YamlError};
use crate::domain::marker;
use crate::domain::proposal::ObjectIdentity;

/// Where a node stands in its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Key,
    Value,
    Item,
}

/// The scalar value last met, while a comment may still follow that decides about it.
struct Last<'a> {
    span: Range<usize>,
    /// Columns of blanks before the content of a block scalar.
    indent: usize,
    line: usize,
    style: ScalarStyle,
    value: Cow<'a, str>,
    anchor: usize,
    tag: Option<Cow<'a, Tag>>,
    /// The comment that counts, and its setter name.
    marker: Option<Marker>,
}

/// A comment that reads as a marker.
#[derive(Clone)]
struct Marker {
    span: Range<usize>,
    line: usize,
    setter: String,
}

/// A comment that belongs to nothing before it, and may belong to what follows.
struct Above {
    span: Range<usize>,
    line: usize,
    /// Whether another comment stands on the line before, so that the two are one text.
    several: bool,
}

/// The fold over the events of one piece.
struct Walker<'a> {
    text: &'a str,
    stack: Vec<Frame<'a>>,
    last: Option<Last<'a>>,
    above: Option<Above>,
    /// The line of the last comment that has its line to itself.
    comment_line: usize,
    /// All markers, whether or not they belong to a value.
    markers: Vec<Marker>,
    identities: path::Identities,
    hash: DefaultHasher,
    part: Part,
    error: Option<YamlError>,
}

/// Reads the first YAML document of `text`, a piece of a file that begins at byte `base` and has `lines` lines before it.
/// With `single` the piece is the whole file, so that the members of a `kind: List` are objects of their own.
///
/// # Errors
/// A syntax error, or a document to which Flux cannot attach its bookkeeping: no mapping, or `metadata` is none.
pub(super) fn part(text: &str, base: usize, lines: usize, single: bool) -> Result<Part, YamlError> {
    let mut walker = Walker {
        text,
        stack: Vec::new(),
        last: None,
        above: None,
        comment_line: 0,
        markers: Vec::new(),
        identities: path::Identities::default(),
        hash: DefaultHasher::new(),
        part: Part::default(),
        error: None,
    };
    walker.run().map_err(|error| YamlError { line: error.line + lines, ..error })?;
    Ok(walker.finish(base, lines, single))
}

impl<'a> Walker<'a> {
    fn run(&mut self) -> Result<(), YamlError> {
        // Both limits guard memory of streaming readers; the text is in memory already.
        let options = granit_parser::options! {
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: 10_000,
            block_nesting_limit: 10_000,
        };
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = event.map_err(|error| YamlError {
                line: error.marker().line(),
                column: error.marker().col() + 1,
                message: error.kind().to_string(),
            })?;
            if matches!(event, Event::DocumentEnd) {
                break;
            }
            self.event(event, &span);
            if let Some(error) = self.error.take() {
                return Err(error);
            }
        }
        self.settle();
        Ok(())
    }

    fn event(&mut self, event: Event<'a>, span: &Span) {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::Comment(..) => self.comment(range, span.start.line()),
            Event::Scalar(value, style, anchor, tag) => {
                self.settle();
                let last = Last {
                    indent: span.indent.unwrap_or(0),
                    line: span.start.line(),
                    span: range,
                    style,
                    value,
                    anchor,
                    tag,
                    marker: None,
                };
                self.scalar(last);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(Frame::mapping(span.start.col()), span);
                (0_u8, style, anchor).hash(&mut self.hash);
                hash_tag(tag.as_deref(), &mut self.hash);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(Frame::sequence(span.start.col()), span);
                (1_u8, style, anchor).hash(&mut self.hash);
                hash_tag(tag.as_deref(), &mut self.hash);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.settle();
                2_u8.hash(&mut self.hash);
                self.stack.pop();
            }
            Event::Alias(id) => {
                self.settle();
                (3_u8, id).hash(&mut self.hash);
                let name = self.text.get(range).unwrap_or_default().trim_start_matches('*');
                if self.enter() == Role::Key {
                    self.key(Cow::Borrowed(name));
                }
            }
            _ => {}
        }
    }

    /// Takes the next place in the parent for a node.
    fn enter(&mut self) -> Role {
        let Some(frame) = self.stack.last_mut() else { return Role::Root };
        match frame.enter() {
            path::Place::Key => Role::Key,
            path::Place::Value => Role::Value,
            path::Place::Item => Role::Item,
        }
    }

    fn key(&mut self, name: Cow<'a, str>) {
        if let Some(frame) = self.stack.last_mut() {
            frame.key(name);
        }
    }

    fn open(&mut self, mut frame: Frame<'a>, span: &Span) {
        self.settle();
        let role = self.enter();
        frame.in_key = role == Role::Key || self.stack.last().is_some_and(|parent| parent.in_key);
        if role == Role::Key {
            // A collection as a key has no name of its own.
            self.key(Cow::Borrowed(""));
        }
        if role == Role::Root && frame.is_sequence() {
            self.refuse(span.start.line(), "the document is a list, not a mapping");
        } else if frame.is_sequence() && path::is_at(&self.stack, &["metadata"]) {
            self.refuse(span.start.line(), "metadata is a list, not a mapping");
        }
        self.stack.push(frame);
    }

    fn scalar(&mut self, mut last: Last<'a>) {
        let role = self.enter();
        let is_null = last.style == ScalarStyle::Plain
            && (last.span.is_empty() || matches!(&*last.value, "~" | "null" | "Null" | "NULL"));
        let above = self.above.take();
        match role {
            Role::Key => {
                last.hash(&mut self.hash);
                self.key(last.value);
                return;
            }
            Role::Root if !is_null => self.refuse(last.line, "the document is a scalar, not a mapping"),
            Role::Value if !is_null && path::is_at(&self.stack, &["metadata"]) => {
                self.refuse(last.line, "metadata is a scalar, not a mapping");
            }
            Role::Root => {}
            Role::Value | Role::Item => {
                self.identities.note(&self.stack, if is_null { "" } else { &last.value });
                let counts = above.filter(|above| !above.several && self.stands_above(above, &last, role));
                last.marker = counts.and_then(|above| {
                    let setter = marker::setter_of(comment_text(self.text, &above.span))?;
                    Some(Marker { span: above.span, line: above.line, setter })
                });
            }
        }
        self.last = Some(last);
    }

    fn refuse(&mut self, line: usize, message: &str) {
        self.error = Some(YamlError { line, column: 1, message: message.to_owned() });
    }

    fn comment(&mut self, span: Range<usize>, line: usize) {
        let text = comment_text(self.text, &span);
        (4_u8, text).hash(&mut self.hash);
        let marker = marker::setter_of(text).map(|setter| Marker { span: span.clone(), line, setter });
        self.markers.extend(marker.clone());
        if let Some(last) = self.last.as_mut().filter(|last| follows(self.text, last, &span)) {
            // The comment behind a value hides the one above it, whether or not it is a marker.
            last.marker = marker;
            return;
        }
        let alone = line_before(self.text, span.start).trim().is_empty();
        self.above = Some(Above { span, line, several: alone && self.comment_line + 1 == line });
        if alone {
            self.comment_line = line;
        }
    }

    /// Whether `above` is the head comment of `last`: on the line before it, or behind the bare dash of its item.
    fn stands_above(&self, above: &Above, last: &Last<'_>, role: Role) -> bool {
        let before = line_before(self.text, above.span.start).trim();
        let behind_dash = before == "-" && role == Role::Item;
        if !before.is_empty() && !behind_dash {
            return false;
        }
        let between = self.text.get(above.span.end..last.span.start).unwrap_or_default();
        let Some(line) = ["\r\n", "\n", "\r"].iter().find_map(|end| between.strip_prefix(end)) else {
            return false;
        };
        let mut words = line.trim_start_matches([' ', '\t']);
        if role == Role::Item && !behind_dash {
            words = words.strip_prefix('-').unwrap_or(words);
        }
        // Anchor and tag may stand before the value.
        !line.contains(['\n', '\r']) && words.split_whitespace().all(|word| word.starts_with(['&', '!']))
    }

    /// Nothing more can be said about the last scalar: records it, and forgets it.
    fn settle(&mut self) {
        let Some(mut last) = self.last.take() else { return };
        let Some(Marker { span: comment, line, setter }) = last.marker.take() else {
            last.hash(&mut self.hash);
            self.note_image(&last);
            return;
        };
        let repeated = path::is_repeated(&mut self.stack);
        let in_key = self.stack.last().is_some_and(|frame| frame.in_key);
        if repeated || in_key {
            last.hash(&mut self.hash);
            let reason = if repeated { StrayReason::RepeatedKey } else { StrayReason::NoScalar };
            self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
            return;
        }
        5_u8.hash(&mut self.hash);
        let scalar = self.marked(&last, Marker { span: comment, line, setter });
        self.part.scalars.extend(scalar);
    }

    fn marked(&self, last: &Last<'_>, marker: Marker) -> Option<MarkedScalar> {
        let Marker { span: comment, line, setter } = marker;
        let style = match last.style {
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let column = self.stack.last().map_or(0, |frame| frame.column);
                Style::Block(block::shape(self.text, &comment, &last.span, last.indent, column + 2)?)
            }
            ScalarStyle::Plain => Style::Plain,
        };
        let (span, line) = match &style {
            Style::Block(shape) => (shape.header.start..shape.end, line),
            _ => (last.span.clone(), last.line),
        };
        let (path, field) = path::names(&self.stack);
        Some(MarkedScalar {
            setter,
            comment,
            span,
            line,
            // Set, as the other places are, when the piece's place in the file is known.
            column: 0,
            style,
            value: last.value.clone().into_owned(),
            field,
            path,
            object: ObjectIdentity::default(),
            item: path::item(&self.stack),
        })
    }

    /// Remembers the image of a container that has no marker.
    fn note_image(&mut self, last: &Last<'_>) {
        if !last.span.is_empty() && path::is_container_image(&self.stack) {
            let image = last.value.clone().into_owned();
            self.part.images.push(Image { line: last.line, image, place: last.span.start });
        }
    }

    /// Turns places within the piece into places within the file, and gives every scalar its object.
    fn finish(mut self, base: usize, lines: usize, single: bool) -> Part {
        let strays = self.part.strays.iter().map(|stray| stray.comment.start);
        let scalars = self.part.scalars.iter().map(|scalar| scalar.comment.start);
        let attached: HashSet<usize> = scalars.chain(strays).collect();
        for Marker { span: comment, line, setter } in std::mem::take(&mut self.markers) {
            if !attached.contains(&comment.start) {
                let reason = StrayReason::NoScalar;
                self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
            }
        }
        for stray in &mut self.part.strays {
            stray.column = line_before(self.text, stray.comment.start).len() + 1;
            stray.line += lines;
            stray.comment = base + stray.comment.start..base + stray.comment.end;
        }
        for image in &mut self.part.images {
            image.line += lines;
            image.place += base;
        }
        for scalar in &mut self.part.scalars {
            scalar.column = line_before(self.text, scalar.span.start).len() + 1;
            scalar.line += lines;
            scalar.object = self.identities.of(scalar.item.filter(|_| single));
            scalar.shift(base);
        }
        self.part.fingerprint = self.hash.finish();
        self.part
    }
}

impl Hash for Last<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (6_u8, &*self.value, self.anchor).hash(state);
        std::mem::discriminant(&self.style).hash(state);
        hash_tag(self.tag.as_deref(), state);
    }
}

fn hash_tag(tag: Option<&Tag>, state: &mut impl Hasher) {
    if let Some(tag) = tag {
        (7_u8, tag.handle(), tag.suffix()).hash(state);
    }
}

/// Whether the comment at `comment` stands behind `last`, or on its header line if it is a block scalar.
fn follows(text: &str, last: &Last<'_>, comment: &Range<usize>) -> bool {
    if matches!(last.style, ScalarStyle::Literal | ScalarStyle::Folded) {
        return comment.end <= last.span.start
            && text.get(comment.end..last.span.start).is_some_and(|gap| gap.trim().is_empty());
    }
    let Some(gap) = text.get(last.span.end..comment.start) else { return false };
    let blank = [' ', '\t'];
    let gap = gap.trim_matches(blank);
    // A value that is not written has no place that could be edited.
    !last.span.is_empty() && (gap.is_empty() || gap == ",")
}

/// The comment's text. YAML 1.1, which Flux reads, ends a line at three more characters than our parser does.
fn comment_text<'a>(text: &'a str, span: &Range<usize>) -> &'a str {
    let text = text.get(span.clone()).unwrap_or_default();
    text.split(['\u{85}', '\u{2028}', '\u{2029}']).next().unwrap_or(text)
}

/// What stands on the line of the byte at `offset` before it.
fn line_before(text: &str, offset: usize) -> &str {
    let before = text.get(..offset).unwrap_or_default();
    let start = memchr::memrchr2(b'\n', b'\r', before.as_bytes()).map_or(0, |at| at + 1);
    before.get(start..).unwrap_or_default()
}
