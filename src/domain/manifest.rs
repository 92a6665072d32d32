//! Kubernetes YAML as text: which scalars carry a marker, and the same text with other values in some of them.
//!
//! An edit replaces the bytes of a scalar that the YAML parser found, and nothing else. The edited text is parsed again
//! and refused unless exactly the meant scalars changed. Comments, quotes, blank lines, line ends and a byte order mark
//! stay as they are. Reading and writing files, and what a marker stands for, is left to others.
//!
//! Source: `fluxcd/image-automation-controller:internal/update/{setters,filter,filereader}.go`.

mod block;
mod block_reader;
mod edit;
mod full_reader;
mod goyaml;
mod parts;
mod path;
mod piece;
mod plain;
mod reformat;
mod walk;

use std::collections::HashMap;
use std::ops::Range;

use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::marker;
use super::proposal::ObjectIdentity;
use crate::problem::{Code, Problem};
use piece::Piece;

pub use edit::{Replaced, RewriteError, Rewritten};
pub use reformat::reformats;

/// A scalar value that carries a marker. Its JSON is kept in a cache: see [`crate::domain::plan::MarkedFile`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedScalar {
    /// The marker's text, such as `flux-system:podinfo:tag`.
    pub setter: String,
    /// The bytes of the comment, `#` included.
    pub comment: Range<usize>,
    /// The bytes that an edit replaces: quotes included, and a tag right before it that makes it something else than a text; anchor
    /// and other tags not; of a block scalar from its header to the
    /// end of its last line.
    pub span: Range<usize>,
    /// The line of `span`'s start, from 1.
    pub line: usize,
    /// The column of `span`'s start, in bytes from 1.
    pub column: usize,
    /// The value that stands there: what the parser reads, not the source text.
    pub value: String,
    /// Where in the document, for people: `.spec.template.spec.containers[0].image`.
    pub field: String,
    /// Where in the document, as Flux's code names it: keys joined by points, sequences adding nothing.
    pub path: String,
    /// The object in whose document it stands; of a `kind: List` that is a file of its own, the member.
    pub object: ObjectIdentity,
    style: Style,
    /// The part of its object's name that it is.
    names: Option<path::NamePart>,
    /// The first byte of its document.
    document: usize,
    /// The index of the list member.
    item: Option<usize>,
}

impl MarkedScalar {
    fn shift(&mut self, base: usize) {
        self.document += base;
        self.comment = base + self.comment.start..base + self.comment.end;
        self.span = base + self.span.start..base + self.span.end;
        if let Style::Block(shape) = &mut self.style {
            shape.shift(base);
        }
    }
}

/// How a scalar is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Style {
    Plain,
    Single,
    Double,
    Block(block::Shape),
}

/// A marker, or what means to be one, that governs no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The marker's text; of a malformed one, as far as it can be made out.
    pub setter: String,
    /// The bytes of the comment, `#` included.
    pub comment: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, in bytes from 1.
    pub column: usize,
    /// Why.
    pub reason: StrayReason,
}

/// Why a marker governs no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrayReason {
    /// It stands at an alias.
    Alias,
    /// It stands at a mapping or a list.
    Collection,
    /// It stands where a value could be and is none.
    NoValue,
    /// It stands at no scalar value otherwise: at a key, alone, or where Flux does not come to.
    NoScalar,
    /// The same key stood in the same mapping before, and only its first value counts.
    RepeatedKey,
    /// It means to be a marker and is none: see [`marker::malformed`].
    Malformed,
    /// It stands in the text of a block scalar, which is data.
    InBlockScalar,
}

/// The image of a container that has no marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The line, from 1.
    pub line: usize,
    /// The value.
    pub image: String,
}

/// What one document of a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    range: Range<usize>,
    scalars: Vec<MarkedScalar>,
    strays: Vec<Stray>,
    images: Vec<Image>,
    /// A hash of everything the parser says of the document but the values of the marked scalars.
    fingerprint: u64,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Manifest<'a> {
    text: &'a str,
    parts: Vec<Part>,
}

impl<'a> Manifest<'a> {
    /// Reads `text`: all of it, or nothing.
    ///
    /// # Errors
    /// What makes the file a problem file for Flux: a syntax error in any document, or one that is no mapping.
    pub fn parse(text: &'a str) -> Result<Self, YamlError> {
        let has_odd_bytes = block_reader::has_odd_bytes(text);
        let ranges = parts::split(text)?;
        let single = ranges.len() == 1;
        let mut parts = Vec::with_capacity(ranges.len());
        let (mut lines, mut counted) = (0, 0);
        for range in ranges {
            lines += parts::line_of(text.get(counted..).unwrap_or_default(), range.start - counted) - 1;
            counted = range.start;
            let text = text.get(range.clone()).unwrap_or_default();
            let mut part = piece::part(Piece {
                text,
                base: range.start,
                lines,
                is_whole: single,
                has_odd_bytes,
                may_be_marked: marker::may_be_in(text),
            })?;
            part.range = range;
            parts.push(part);
        }
        Ok(Self { text, parts })
    }

    /// The text that was read.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The marked scalars, in the order of the text.
    pub fn scalars(&self) -> impl Iterator<Item = &MarkedScalar> {
        self.parts.iter().flat_map(|part| &part.scalars)
    }

    /// The markers that govern nothing.
    pub fn strays(&self) -> impl Iterator<Item = &Stray> {
        self.parts.iter().flat_map(|part| &part.strays)
    }

    /// The marked scalars, and the markers that govern nothing.
    pub fn into_markers(self) -> (Vec<MarkedScalar>, Vec<Stray>) {
        let (mut scalars, mut strays) = (Vec::new(), Vec::new());
        for part in self.parts {
            scalars.extend(part.scalars);
            strays.extend(part.strays);
        }
        (scalars, strays)
    }

    /// The images of containers that have no marker.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.parts.iter().flat_map(|part| &part.images)
    }
}

/// The object of each of `edits`, marked scalars of one text in its order with their new values: as it is called once
/// that edit is made, for an edit may be of the name itself.
pub fn objects(edits: &[(&MarkedScalar, &str)]) -> Vec<ObjectIdentity> {
    let mut renamed: HashMap<(usize, Option<usize>), ObjectIdentity> = HashMap::new();
    let named = edits.iter().map(|(scalar, value)| {
        let place = (scalar.document, scalar.item);
        let object = renamed.entry(place).or_insert_with(|| scalar.object.clone());
        if let Some(part) = scalar.names {
            (*value).clone_into(part.of(object));
        }
        object.clone()
    });
    named.collect()
}

/// The marked scalars of `text`, in its order.
///
/// # Errors
/// See [`Manifest::parse`].
pub fn find(text: &str) -> Result<Vec<MarkedScalar>, YamlError> {
    Ok(Manifest::parse(text)?.into_markers().0)
}

/// `text` with other values in some of its marked scalars. Prefer [`Manifest::rewrite`] where the file is parsed already.
///
/// # Errors
/// See [`Manifest::rewrite`].
pub fn rewrite(text: &str, edits: &[(&MarkedScalar, &str)]) -> Result<String, RewriteError> {
    Ok(Manifest::parse(text).map_err(RewriteError::Before)?.rewrite(edits)?.text)
}

/// Whether the two readers say the same of `text`, or the block reader leaves it to the full parser.
#[cfg(fuzzing)]
pub fn readers_agree(text: &str) -> bool {
    let piece = Piece::new(text);
    let agree = |piece| piece::block_part(piece).is_none_or(|part| piece::full_part(piece) == Ok(part));
    agree(piece) && agree(Piece { may_be_marked: true, ..piece })
}

/// Whether Flux looks into the file at all: it has the name of a YAML file, and the token somewhere.
pub fn is_candidate(path: &str, bytes: &[u8]) -> bool {
    is_yaml_name(path) && has_token(bytes)
}

/// Whether Flux reads files of this name: `*.yaml`, `*.yml`, or exactly `Kustomization`.
pub fn is_yaml_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "Kustomization" || [".yaml", ".yml"].iter().any(|extension| name.ends_with(extension))
}

/// Whether the file has the name of a YAML file and the key somewhere, in whatever case and quotes: a marker, or what
/// means to be one.
pub fn means_markers(path: &str, bytes: &[u8]) -> bool {
    is_yaml_name(path) && marker::mentions_key(bytes)
}

/// Whether the bytes hold the token without which there is no marker.
pub fn has_token(bytes: &[u8]) -> bool {
    memmem::find(bytes, marker::TOKEN).is_some()
}

/// Where and why a file is no YAML that Flux can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct YamlError {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl YamlError {
    /// That a file is no text, at the first byte that is of none.
    pub fn not_utf8(bytes: &[u8], error: &std::str::Utf8Error) -> Self {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let begin = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let text = String::from_utf8_lossy(before.get(begin..).unwrap_or_default());
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        Self { line, column: text.chars().count() + 1, message: "the file is not UTF-8".to_owned() }
    }

    /// The problem of `file`, which has this error.
    pub fn problem(&self, file: &str) -> Problem {
        Problem::new(Code::YamlInvalid, file, self.to_string())
    }
}

#[cfg(test)]
mod tests;
