//! One piece of a file as a YAML parser sees it: which scalars carry a marker, where they stand, whose they are.
//!
//! A reader tells the [`Walker`] what stands there, from left to right, and there are two of them: the full parser, and
//! [`block_reader`] for the plain block YAML that most files are. That one is asked first; whatever it is not sure of is
//! read again by the full parser, and where it is sure, the two say the same.
//! Comments decide; which one belongs to a value is a matter of
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
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

use foldhash::quality::FixedState;
use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle, Tag};

use super::path::{Identities, Role, Stack};
use super::{Image, MarkedScalar, Part, Stray, StrayReason, Style, YamlError};
use super::{block, block_reader};
use crate::domain::marker;
use crate::domain::proposal::ObjectIdentity;

/// The scalar last met, while a comment may still follow that decides about it.
pub(super) struct Last<'a> {
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

impl<'a> Last<'a> {
    /// A scalar without anchor and tag.
    pub(super) fn new(span: Range<usize>, line: usize, style: ScalarStyle, value: Cow<'a, str>) -> Self {
        Self { span, indent: 0, line, style, value, anchor: 0, tag: None, marker: None }
    }

    /// The same as a block scalar with `indent` columns of blanks before its content.
    pub(super) fn with_indent(self, indent: usize) -> Self {
        Self { indent, ..self }
    }
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

/// The fold over what a reader says of one piece.
pub(super) struct Walker<'a> {
    text: &'a str,
    stack: Stack<'a>,
    last: Option<Last<'a>>,
    above: Option<Above>,
    /// The line of the last comment that has its line to itself.
    comment_line: usize,
    /// All markers, whether or not they belong to a value.
    markers: Vec<Marker>,
    identities: Identities,
    hash: <FixedState as BuildHasher>::Hasher,
    part: Part,
    error: Option<YamlError>,
}

/// Reads the first YAML document of `text`, a piece of a file that begins at byte `base` and has `lines` lines before it.
/// With `single` the piece is the whole file, so that the members of a `kind: List` are objects of their own.
///
/// # Errors
/// A syntax error, or a document to which Flux cannot attach its bookkeeping: no mapping, or `metadata` is none.
pub(super) fn part(text: &str, base: usize, lines: usize, single: bool) -> Result<Part, YamlError> {
    block_part(text, base, lines, single).map_or_else(|| full_part(text, base, lines, single), Ok)
}

/// [`part`] by the block reader alone: nothing where it is not sure, or where there is an error.
pub(super) fn block_part(text: &str, base: usize, lines: usize, single: bool) -> Option<Part> {
    let mut walker = Walker::new(text);
    block_reader::read(text, &mut walker)?;
    walker.settle();
    walker.error.is_none().then(|| walker.finish(base, lines, single))
}

/// [`part`] by the full parser alone.
pub(super) fn full_part(text: &str, base: usize, lines: usize, single: bool) -> Result<Part, YamlError> {
    let mut walker = Walker::new(text);
    walker.run().map_err(|error| YamlError { line: error.line + lines, ..error })?;
    Ok(walker.finish(base, lines, single))
}

impl<'a> Walker<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            stack: Stack::default(),
            last: None,
            above: None,
            comment_line: 0,
            markers: Vec::new(),
            identities: Identities::default(),
            hash: FixedState::default().build_hasher(),
            part: Part::default(),
            error: None,
        }
    }

    /// Reads with the full parser.
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
                let indent = span.indent.unwrap_or(0);
                let last = Last { indent, anchor, tag, ..Last::new(range, span.start.line(), style, value) };
                self.scalar(last);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open_mapping(style, span.start.col());
                self.properties(anchor, tag.as_deref());
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open_sequence(style, span.start.col(), span.start.line());
                self.properties(anchor, tag.as_deref());
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(),
            Event::Alias(id) => {
                self.settle();
                (3_u8, id).hash(&mut self.hash);
                let name = self.text.get(range).unwrap_or_default().trim_start_matches('*');
                if self.stack.enter() == Role::Key {
                    self.stack.key(Cow::Borrowed(name));
                }
            }
            _ => {}
        }
    }

    /// A mapping begins at `column`, from 0.
    pub(super) fn open_mapping(&mut self, style: StructureStyle, column: usize) {
        let in_key = self.enter_collection();
        self.stack.open_mapping(column, in_key);
        (0_u8, style).hash(&mut self.hash);
    }

    /// A sequence begins at `column`, from 0, of `line`, from 1.
    pub(super) fn open_sequence(&mut self, style: StructureStyle, column: usize, line: usize) {
        let at_root = self.stack.is_empty();
        let in_key = self.enter_collection();
        if at_root {
            self.refuse(line, "the document is a list, not a mapping");
        } else if self.stack.is_at(&["metadata"]) {
            self.refuse(line, "metadata is a list, not a mapping");
        }
        self.stack.open_sequence(column, in_key);
        (1_u8, style).hash(&mut self.hash);
    }

    /// Takes the next place in the parent for a collection; whether that is a key.
    fn enter_collection(&mut self) -> bool {
        self.settle();
        let is_key = self.stack.enter() == Role::Key;
        if is_key {
            // A collection as a key has no name of its own.
            self.stack.key(Cow::Borrowed(""));
        }
        is_key
    }

    /// Anchor and tag of the collection that was just opened.
    fn properties(&mut self, anchor: usize, tag: Option<&Tag>) {
        if anchor != 0 {
            (8_u8, anchor).hash(&mut self.hash);
        }
        hash_tag(tag, &mut self.hash);
    }

    /// The innermost collection ends.
    pub(super) fn close(&mut self) {
        self.settle();
        2_u8.hash(&mut self.hash);
        self.stack.close();
    }

    /// A scalar: a key, a value, an item, or the whole document.
    pub(super) fn scalar(&mut self, mut last: Last<'a>) {
        self.settle();
        let role = self.stack.enter();
        let is_null = last.style == ScalarStyle::Plain
            && (last.span.is_empty() || matches!(&*last.value, "~" | "null" | "Null" | "NULL"));
        let above = self.above.take();
        self.note_markers_within(&last);
        match role {
            Role::Key => {
                last.hash(&mut self.hash);
                self.stack.key(last.value);
                return;
            }
            Role::Root if !is_null => self.refuse(last.line, "the document is a scalar, not a mapping"),
            Role::Value if !is_null && self.stack.is_at(&["metadata"]) => {
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

    /// Remembers what reads as a marker in the text of a block scalar.
    fn note_markers_within(&mut self, last: &Last<'_>) {
        let is_block = matches!(last.style, ScalarStyle::Literal | ScalarStyle::Folded);
        if !is_block || !marker::mentions_key(last.value.as_bytes()) {
            return;
        }
        let mut start = last.span.start;
        for line in self.text.get(last.span.clone()).unwrap_or_default().split_inclusive('\n') {
            if let Some(at) = marker::comment_in(line) {
                let comment = start + at..start + line.trim_end().len();
                let text = self.text.get(comment.clone()).unwrap_or_default();
                let meant = || marker::malformed(text).map(|found| found.setter);
                let setter = marker::setter_of(text).or_else(meant).unwrap_or_default();
                let line = super::parts::line_of(self.text, comment.start);
                let reason = StrayReason::InBlockScalar;
                self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
            }
            start += line.len();
        }
    }

    fn refuse(&mut self, line: usize, message: &str) {
        self.error = Some(YamlError { line, column: 1, message: message.to_owned() });
    }

    /// A comment, `#` included, on `line`, from 1.
    pub(super) fn comment(&mut self, span: Range<usize>, line: usize) {
        let text = comment_text(self.text, &span);
        (4_u8, text).hash(&mut self.hash);
        let marker = marker::setter_of(text).map(|setter| Marker { span: span.clone(), line, setter });
        if let Some(found) = marker.is_none().then(|| marker::malformed(text)).flatten() {
            let (comment, setter) = (span.clone(), found.setter);
            let reason = StrayReason::Malformed;
            self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
        }
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
        let repeated = self.stack.is_repeated();
        let in_key = self.stack.in_key();
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
                let fallback = self.stack.column() + 2;
                Style::Block(block::shape(self.text, &comment, &last.span, last.indent, fallback)?)
            }
            ScalarStyle::Plain => Style::Plain,
        };
        let (span, line) = match &style {
            Style::Block(shape) => (shape.header.start..shape.end, line),
            _ => (last.span.clone(), last.line),
        };
        let (path, field) = self.stack.names();
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
            item: self.stack.item(),
        })
    }

    /// Remembers the image of a container that has no marker.
    fn note_image(&mut self, last: &Last<'_>) {
        if !last.span.is_empty() && self.stack.is_container_image() {
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
