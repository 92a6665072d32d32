//! One piece of a file as a YAML parser sees it: which scalars carry a marker, where they stand, whose they are.
//!
//! A reader tells the [`Walker`] what stands there, from left to right, and there are two: [`super::full_reader`] for all of YAML,
//! and [`super::block_reader`] for the plain block YAML that most files are. That one is asked first; whatever it is not sure of is
//! read again by the other, and where it is sure, the two say the same.
//!
//! Comments decide. The full reader knows which one belongs to a value. In plain block YAML its place says so: behind the
//! value on its line, or on the header line of a block scalar. What stands above an item is left to the full reader.
//!
//! Source: `fluxcd/image-automation-controller:internal/update/filter.go`, go-yaml v3 `scannerc.go`.

mod cause;
mod last;

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

use foldhash::quality::FixedState;
use granit_parser::{ScalarStyle, StructureStyle};

use super::block;
use super::path::{Bookkeeping, Identities, NamePart, Role, Stack};
use super::piece::Piece;
use super::{Image, MarkedScalar, Part, Stray, StrayReason, Style, YamlError};
use crate::domain::marker;
use crate::domain::proposal::ObjectIdentity;
use last::hash_scalar;

pub(super) use last::{Comment, Last};

/// A comment that reads as a marker.
struct Marker {
    span: Range<usize>,
    line: usize,
    setter: String,
    /// Whether it belongs to a value.
    is_attached: bool,
}

/// The fold over what a reader says of one piece.
pub(super) struct Walker<'a> {
    text: &'a str,
    may_be_marked: bool,
    stack: Stack<'a>,
    last: Option<Last<'a>>,
    /// Memory for the next value that is not in the text as it is.
    spare: String,
    /// The line of a marker before the next node that belongs to nothing before it.
    marker_before: Option<usize>,
    /// Whether a marker's place alone does not say to what it belongs.
    is_unsure: bool,
    /// The line of the last list.
    sequence_line: usize,
    /// All markers, whether or not they belong to a value.
    markers: Vec<Marker>,
    identities: Identities,
    hash: <FixedState as BuildHasher>::Hasher,
    /// Whether Flux passes over the document.
    is_passed_over: bool,
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
            marker_before: None,
            is_unsure: false,
            sequence_line: 0,
            markers: Vec::new(),
            identities: Identities::default(),
            hash: FixedState::default().build_hasher(),
            is_passed_over: false,
            part: Part::default(),
            error: None,
        }
    }

    /// Whether positions were enough to say to which value each marker belongs.
    pub(super) fn is_sure(&self) -> bool {
        !self.is_unsure
    }

    /// What makes the document one that Flux cannot use, once.
    pub(super) fn take_error(&mut self) -> Option<YamlError> {
        self.error.take()
    }

    /// Whether the next node is a key.
    pub(super) fn is_at_key(&self) -> bool {
        self.stack.is_at_key()
    }

    /// The document is null for Flux, whatever is in it.
    pub(super) fn pass_over_document(&mut self) {
        self.is_passed_over = true;
    }

    /// An alias of the node that has the anchor `name`, on `line`.
    pub(super) fn alias(&mut self, name: String, line: usize) {
        self.settle();
        self.fold((3_u8, &name));
        if self.stack.enter() == Role::Key {
            self.stack.key(Cow::Owned(name));
        } else {
            self.marker_before = None;
            match self.stack.bookkeeping() {
                Some(Bookkeeping::Metadata) => self.refuse(line, "metadata is an alias, not a mapping"),
                Some(Bookkeeping::Annotations) if self.stack.has_forgotten() => {
                    self.refuse(line, "the annotations are an alias, not a mapping");
                }
                Some(Bookkeeping::Annotations) => self.stack.forget_key(),
                // For Flux an alias has its own name for a value.
                None => self.identities.note(&mut self.stack, &name),
            }
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
        } else if self.stack.bookkeeping() == Some(Bookkeeping::Metadata) {
            self.refuse(line, "metadata is a list, not a mapping");
        }
        self.sequence_line = line;
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
        let (role, is_empty) = self.stack.close();
        match self.stack.bookkeeping() {
            Some(Bookkeeping::Annotations)
                if role == Role::Item && (!is_empty || self.stack.has_forgotten()) =>
            {
                self.refuse(self.sequence_line, "the annotations are a list, not a mapping");
            }
            // Flux drops what is empty before it writes its own annotations there.
            Some(_) if is_empty => self.stack.forget_key(),
            _ => {}
        }
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
        self.marker_before = None;
        self.stack.enter();
        if self.may_be_marked {
            hash_scalar(style, &value, 0, &mut self.hash);
            if self.stack.is_at_top() {
                self.identities.note_field(&value);
            }
        }
        self.stack.key(value);
    }

    /// A scalar that is no key: a value, an item, or the whole document.
    pub(super) fn scalar(&mut self, mut last: Last<'a>) {
        self.settle();
        let role = self.stack.enter();
        self.note_markers_within(&last);
        match role {
            Role::Root if !last.is_null => {
                self.refuse(last.line, "the document is a scalar, not a mapping");
            }
            Role::Value | Role::Item => self.value(&mut last, role),
            Role::Root | Role::Key => {}
        }
        if self.may_be_marked {
            self.last = Some(last);
        } else {
            self.note_image(&last);
        }
    }

    fn value(&mut self, last: &mut Last<'a>, role: Role) {
        match self.stack.bookkeeping() {
            Some(Bookkeeping::Metadata) if !last.is_null => {
                self.refuse(last.line, "metadata is a scalar, not a mapping");
            }
            // Flux drops only the first.
            Some(Bookkeeping::Annotations) if !last.is_null && self.stack.has_forgotten() => {
                self.refuse(last.line, "the annotations are a scalar, not a mapping");
            }
            // Flux drops it before it looks for markers.
            Some(_) => {
                self.stack.forget_key();
                last.comment = Comment::Known(None);
            }
            None if self.may_be_marked => {
                self.identities.note(&mut self.stack, if last.is_null { "" } else { &last.value });
            }
            None => {}
        }
        let marker_before = self.marker_before.take();
        // It may belong to the item below it; empty lines and other comments decide.
        self.is_unsure |=
            marker_before.is_some() && role == Role::Item && matches!(last.comment, Comment::Open(_));
    }

    /// Remembers what reads as a marker in the text of a block scalar.
    fn note_markers_within(&mut self, last: &Last<'_>) {
        if !last.is_block() || !self.may_be_marked || !marker::mentions_key(last.value.as_bytes()) {
            return;
        }
        let mut start = last.span.start;
        let lines = self.text.get(last.span.clone()).unwrap_or_default().split_inclusive('\n');
        for (number, line) in lines.enumerate() {
            // The comment on the header's line is no text.
            if let Some(at) = marker::comment_in(line).filter(|_| number > 0) {
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
            last.comment = Comment::Open(marker);
            return;
        }
        self.marker_before = marker.map(|_| line).or(self.marker_before);
    }

    /// Nothing more can be said about the last scalar: records it, and forgets it.
    #[inline]
    fn settle(&mut self) {
        if let Some(last) = self.last.take() {
            self.record(last);
        }
    }

    fn record(&mut self, last: Last<'a>) {
        let place = match last.comment {
            Comment::Open(place) => place,
            Comment::Known(start) => start
                .and_then(|start| self.markers.binary_search_by_key(&start, |marker| marker.span.start).ok()),
        };
        let Some(marker) = place.and_then(|place| self.markers.get_mut(place)) else {
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
        if repeated || self.stack.in_key() {
            self.fold(&last);
            let reason = if repeated { StrayReason::RepeatedKey } else { StrayReason::NoScalar };
            self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
            return;
        }
        self.fold(5_u8);
        if let Some(scalar) = self.marked(&last, comment, setter) {
            self.part.scalars.push(scalar);
        }
    }

    fn marked(&self, last: &Last<'_>, comment: Range<usize>, setter: String) -> Option<MarkedScalar> {
        let style = match last.style {
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let (indent, end) = last.block;
                Style::Block(block::shape(self.text, last.span.start, indent, end, self.stack.column() + 2)?)
            }
            ScalarStyle::Plain => Style::Plain,
        };
        let span = match &style {
            Style::Block(shape) => shape.header.start..shape.end,
            _ => last.span.clone(),
        };
        let span = last.tag.unwrap_or(span.start)..span.end;
        let (path, field) = self.stack.names();
        Some(MarkedScalar {
            setter,
            comment,
            span,
            line: last.line,
            // Set, as the other places are, when the piece's place in the file is known.
            column: 0,
            style,
            value: last.value.clone().into_owned(),
            field,
            path,
            object: ObjectIdentity::default(),
            // What is null stays null for Flux when it has another text.
            names: NamePart::at(&self.stack).filter(|_| !last.is_null),
            document: 0,
            item: self.stack.item(),
        })
    }

    /// Remembers the image of a container that has no marker.
    fn note_image(&mut self, last: &Last<'_>) {
        if !last.span.is_empty() && self.stack.is_container_image() {
            let image = last.value.clone().into_owned();
            self.part.images.push(Image { line: last.line, image });
        }
    }

    /// Turns places within the piece into places within the file, and gives every scalar its object.
    pub(super) fn finish(mut self, piece: Piece<'_>) -> Part {
        self.settle();
        let Piece { base, lines, is_whole, .. } = piece;
        self.drop_unvisited(is_whole);
        for Marker { span: comment, line, setter, is_attached } in std::mem::take(&mut self.markers) {
            if !is_attached {
                let reason = cause::of(self.text, &comment);
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
        }
        for scalar in &mut self.part.scalars {
            scalar.column = line_before(self.text, scalar.span.start).len() + 1;
            scalar.line += lines;
            let is_member = is_whole && self.identities.is_list();
            scalar.names = scalar.names.filter(|_| scalar.item.is_none() || is_member);
            scalar.item = scalar.item.filter(|_| is_member);
            scalar.object = self.identities.of(scalar.item);
            scalar.shift(base);
        }
        self.part.fingerprint = self.hash.finish();
        self.part
    }

    /// Drops the marked scalars that Flux does not come to: those of a document that is null, and in a file that is a
    /// list those outside of its members.
    fn drop_unvisited(&mut self, is_whole: bool) {
        let is_list = is_whole && self.identities.is_list();
        if !self.is_passed_over && !is_list {
            return;
        }
        let is_passed_over = self.is_passed_over;
        let (kept, dropped) =
            self.part.scalars.drain(..).partition(|scalar| !is_passed_over && scalar.item.is_some());
        self.part.scalars = kept;
        for MarkedScalar { comment, setter, line, .. } in dropped {
            let reason = StrayReason::NoScalar;
            self.part.strays.push(Stray { comment, setter, line, column: 0, reason });
        }
    }
}

/// Whether the comment at `comment` stands behind `last`, or on its header line if it is a block scalar.
fn follows(text: &str, last: &Last<'_>, comment: &Range<usize>) -> bool {
    if matches!(last.comment, Comment::Known(_)) {
        return false;
    }
    if last.is_block() {
        return text.get(last.span.start..comment.start).is_some_and(|header| !header.contains('\n'));
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
