//! YAML as Flux reads it: go-yaml's scanner and parser, comments included.
//!
//! Whether a file can be read, where a scalar begins and ends, and which comment belongs to it are questions on which
//! YAML parsers differ. So the steps of go-yaml are followed one by one, oddities and all; what only its error messages or
//! its foot comments need is left out. Numbers count characters where go-yaml counts them, and bytes where it looks ahead.
//!
//! Source: `yaml/go-yaml` v3.0.4, `readerc.go`, `scannerc.go`, `parserc.go`.

mod block;
mod comment;
mod directive;
mod input;
mod keys;
mod parse;
mod plain;
mod properties;
mod quoted;
mod scan;

use std::ops::Range;

use granit_parser::{ScalarStyle, StructureStyle};

pub(super) use parse::Parser;

/// A place in the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Characters before it.
    pub(super) index: usize,
    /// Bytes before it.
    pub(super) at: usize,
    /// Line breaks before it.
    pub(super) line: usize,
    /// Characters before it on its line.
    pub(super) column: usize,
}

/// Why a text is no YAML for go-yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) mark: Mark,
    pub(super) problem: &'static str,
}

/// One thing in the text; the stream's and the document's beginning are left out.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    /// Where it begins, with its anchor and tag.
    pub(super) start: Mark,
    /// Where it begins without them.
    pub(super) place: Mark,
    /// The byte behind it.
    pub(super) end: usize,
    pub(super) anchor: Option<String>,
    /// As it is spelt in full; empty if there is none.
    pub(super) tag: String,
}

#[derive(Debug)]
pub(super) enum EventKind {
    DocumentEnd,
    StreamEnd,
    /// An alias, by its anchor's name.
    Alias(String),
    /// A scalar, and the comment that counts for it.
    Scalar(Scalar, Lines),
    SequenceStart(StructureStyle),
    MappingStart(StructureStyle),
    SequenceEnd,
    MappingEnd,
}

#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) style: ScalarStyle,
    pub(super) value: String,
    /// Of a block scalar, what its shape is.
    pub(super) block: Option<Block>,
}

/// Where the content of a block scalar stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// Columns of blanks before the content.
    pub(super) indent: usize,
    /// The end of the last line of content, before its line end; nothing if there is no content.
    pub(super) end: Option<usize>,
}

/// The lines of a comment; an empty line has no place.
pub(super) type Lines = Vec<Option<Range<usize>>>;
