//! One piece of a file as a YAML parser sees it: which scalars carry a marker, where they stand, whose they are.
//!
//! A reader tells the [`Walker`] what stands there, from left to right, and there are two: [`super::full_reader`] for all of YAML,
//! and [`super::block_reader`] for the plain block YAML that most files are. That one is asked first; whatever it is not sure of is
//! read again by the other, and where it is sure, the two say the same.
//!
//! Comments decide; which one belongs to a value is a matter of position (as it is for go-yaml, whose answers we must
//! reproduce):
//!
//! - behind the value on its last line, with nothing but blanks or one comma in between;
//! - on the header line of a block scalar;
//! - alone on the line above an item of a sequence, or above a value that stands below its key, if that is a single
//!   comment line and the value has none behind it.
//!
//! Source: `fluxcd/image-automation-controller:internal/update/filter.go`, go-yaml v3 `scannerc.go`.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

use foldhash::quality::FixedState;
use granit_parser::{ScalarStyle, StructureStyle};

use super::block;
use super::path::{Identities, Role, Stack};
use super::piece::Piece;
use super::{Image, MarkedScalar, Part, Stray, StrayReason, Style, YamlError};
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
    /// A hash of its anchor and tag.
    properties: u64,
    /// The comment that counts, if it is a marker: its place among the markers.
    marker: Option<usize>,
}

impl<'a> Last<'a> {
    /// A scalar without anchor and tag.
    #[inline]
    pub(super) fn new(span: Range<usize>, line: usize, style: ScalarStyle, value: Cow<'a, str>) -> Self {
        Self { span, indent: 0, line, style, value, properties: 0, marker: None }
    }

    fn is_null(&self) -> bool {
        self.style == ScalarStyle::Plain
            && (self.span.is_empty() || matches!(&*self.value, "~" | "null" | "Null" | "NULL"))
    }

    /// The same with `properties`, a hash of its anchor and tag; 0 if it has neither.
    pub(super) fn with_properties(self, properties: u64) -> Self {
        Self { properties, ..self }
    }

    /// The same as a block scalar with `indent` columns of blanks before its content.
    pub(super) fn with_indent(self, indent: usize) -> Self {
        Self { indent, ..self }
    }
}

/// A comment that reads as a marker.
struct Marker {
    span: Range<usize>,
    line: usize,
    setter: String,
    /// Whether it belongs to a value.
    is_attached: bool,
}

/// A comment that belongs to nothing before it, and may belong to what follows.
struct Above {
    span: Range<usize>,
    /// Its place among the markers, if it is one.
    marker: Option<usize>,
    /// Whether another comment stands on the line before, so that the two are one text.
    several: bool,
}

/// The fold over what a reader says of one piece.
pub(super) struct Walker<'a> {
    text: &'a str,
    may_be_marked: bool,
    stack: Stack<'a>,
    last: Option<Last<'a>>,
    /// Memory for the next value that is not in the text as it is.
    spare: String,
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

impl<'a> Walker<'a> {
    pub(super) fn new(piece: Piece<'a>) -> Self {
        Self {
            text: piece.text,
            may_be_marked: piece.may_be_marked,
            stack: Stack::with_capacity(),
            last: None,
            spare: String::new(),
            above: None,
            comment_line: 0,
            markers: Vec::new(),
            identities: Identities::default(),
            hash: FixedState::default().build_hasher(),
            part: Part::default(),
            error: None,
        }
    }

    /// What makes the document one that Flux cannot use, once.
    pub(super) fn take_error(&mut self) -> Option<YamlError> {
        self.error.take()
    }

    /// Whether the next node is a key.
    pub(super) fn is_at_key(&self) -> bool {
        self.stack.is_at_key()
    }

    /// An alias of the node with the number `id`, called `name`.
    pub(super) fn alias(&mut self, id: usize, name: &'a str) {
        self.settle();
        self.fold((3_u8, id));
        if self.stack.enter() == Role::Key {
            self.stack.key(Cow::Borrowed(name));
        }
    }

    /// A mapping begins at `column`, from 0.
    pub(super) fn open_mapping(&mut self, style: StructureStyle, column: usize) {
        let in_key = self.enter_collection();
        self.stack.open_mapping(column, in_key);
        self.fold((0_u8, style));
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
        self.fold((1_u8, style));
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

    /// Makes `fact` count for the fingerprint.
    #[inline]
    fn fold(&mut self, fact: impl Hash) {
        if self.may_be_marked {
            fact.hash(&mut self.hash);
        }
    }

    /// The same for anchor and tag of a node, which the block reader does not know.
    pub(super) fn fold_properties(&mut self, properties: u64) {
        if properties != 0 {
            self.fold(properties);
        }
    }

    /// Whether the value of the scalar that comes next is of interest, and not only that there is one.
    pub(super) fn wants_value(&self) -> bool {
        self.may_be_marked || self.stack.is_container_image()
    }

    /// An empty text, perhaps with memory that a value before had.
    pub(super) fn spare(&mut self) -> String {
        std::mem::take(&mut self.spare)
    }

    /// The innermost collection ends.
    pub(super) fn close(&mut self) {
        self.settle();
        self.fold(2_u8);
        self.stack.close();
    }

    /// [`Self::key`] with all that a key may have.
    pub(super) fn key_scalar(&mut self, last: Last<'a>) {
        self.note_markers_within(&last);
        self.fold_properties(last.properties);
        self.key(last.style, last.value);
    }

    /// A scalar that is a key.
    pub(super) fn key(&mut self, style: ScalarStyle, value: Cow<'a, str>) {
        self.settle();
        self.above = None;
        self.stack.enter();
        if self.may_be_marked {
            hash_scalar(style, &value, 0, &mut self.hash);
        }
        self.stack.key(value);
    }

    /// A scalar that is no key: a value, an item, or the whole document.
    pub(super) fn scalar(&mut self, mut last: Last<'a>) {
        self.settle();
        let role = self.stack.enter();
        self.note_markers_within(&last);
        match role {
            Role::Root if !last.is_null() => {
                self.refuse(last.line, "the document is a scalar, not a mapping");
            }
            Role::Value if self.stack.is_at(&["metadata"]) && !last.is_null() => {
                self.refuse(last.line, "metadata is a scalar, not a mapping");
            }
            Role::Value | Role::Item if self.may_be_marked => {
                self.identities.note(&self.stack, if last.is_null() { "" } else { &last.value });
                let above = self.above.take();
                let counts = above.filter(|above| !above.several && self.stands_above(above, &last, role));
                last.marker = counts.and_then(|above| above.marker);
            }
            Role::Root | Role::Key | Role::Value | Role::Item => {}
        }
        if self.may_be_marked {
            self.last = Some(last);
        } else {
            self.note_image(&last);
        }
    }

    /// Remembers what reads as a marker in the text of a block scalar.
    fn note_markers_within(&mut self, last: &Last<'_>) {
        let is_block = matches!(last.style, ScalarStyle::Literal | ScalarStyle::Folded);
        if !is_block || !self.may_be_marked || !marker::mentions_key(last.value.as_bytes()) {
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
        if !self.may_be_marked {
            return;
        }
        let text = comment_text(self.text, &span);
        self.fold((4_u8, text));
        let marker = marker::setter_of(text).map(|setter| {
            self.markers.push(Marker { span: span.clone(), line, setter, is_attached: false });
            self.markers.len() - 1
        });
        if let Some(found) = marker.is_none().then(|| marker::malformed(text)).flatten() {
            let (comment, setter) = (span.clone(), found.setter);
            let reason = StrayReason::Malformed;
            self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
        }
        if let Some(last) = self.last.as_mut().filter(|last| follows(self.text, last, &span)) {
            // The comment behind a value hides the one above it, whether or not it is a marker.
            last.marker = marker;
            return;
        }
        let alone = line_before(self.text, span.start).trim().is_empty();
        self.above = Some(Above { span, marker, several: alone && self.comment_line + 1 == line });
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
    #[inline]
    fn settle(&mut self) {
        if let Some(last) = self.last.take() {
            self.record(last);
        }
    }

    fn record(&mut self, last: Last<'a>) {
        let Some(marker) = last.marker.and_then(|place| self.markers.get_mut(place)) else {
            self.fold(&last);
            self.note_image(&last);
            if let Cow::Owned(mut value) = last.value {
                value.clear();
                self.spare = value;
            }
            return;
        };
        marker.is_attached = true;
        let (comment, line, setter) = (marker.span.clone(), marker.line, marker.setter.clone());
        let repeated = self.stack.is_repeated();
        let in_key = self.stack.in_key();
        if repeated || in_key {
            self.fold(&last);
            let reason = if repeated { StrayReason::RepeatedKey } else { StrayReason::NoScalar };
            self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
            return;
        }
        self.fold(5_u8);
        if let Some(scalar) = self.marked(&last, comment, line, setter) {
            self.part.scalars.push(scalar);
        } else if let Some(marker) = last.marker.and_then(|place| self.markers.get_mut(place)) {
            // A block scalar of no shape that we know.
            marker.is_attached = false;
        }
    }

    fn marked(
        &self,
        last: &Last<'_>,
        comment: Range<usize>,
        line: usize,
        setter: String,
    ) -> Option<MarkedScalar> {
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
    pub(super) fn finish(mut self, piece: Piece<'_>) -> Part {
        self.settle();
        let Piece { base, lines, is_whole, .. } = piece;
        for Marker { span: comment, line, setter, is_attached } in std::mem::take(&mut self.markers) {
            if !is_attached {
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
            scalar.object = self.identities.of(scalar.item.filter(|_| is_whole));
            scalar.shift(base);
        }
        self.part.fingerprint = self.hash.finish();
        self.part
    }
}

impl Hash for Last<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_scalar(self.style, &self.value, self.properties, state);
    }
}

/// Few writes, for there are more scalars than anything else.
#[inline]
fn hash_scalar(style: ScalarStyle, value: &str, properties: u64, state: &mut impl Hasher) {
    state.write_u64(properties ^ (style as u64) << 8 ^ (value.len() as u64) << 16);
    state.write(value.as_bytes());
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
    if text.is_ascii() {
        return text;
    }
    text.split(['\u{85}', '\u{2028}', '\u{2029}']).next().unwrap_or(text)
}

/// What stands on the line of the byte at `offset` before it.
fn line_before(text: &str, offset: usize) -> &str {
    let before = text.get(..offset).unwrap_or_default();
    let start = memchr::memrchr2(b'\n', b'\r', before.as_bytes()).map_or(0, |at| at + 1);
    before.get(start..).unwrap_or_default()
}
