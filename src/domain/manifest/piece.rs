//! A piece of a file, and which of the two readers it is read with.

use super::walk::Walker;
use super::{Part, YamlError, block_reader, full_reader};
use crate::domain::marker;

/// A piece of a file, of which the first YAML document is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// The byte of the file at which it begins.
    pub(super) base: usize,
    /// The lines before it.
    pub(super) lines: usize,
    /// Whether it is the whole file, so that the members of a `kind: List` are objects of their own.
    pub(super) is_whole: bool,
    /// Whether there may be more in it than printable ASCII characters.
    pub(super) has_odd_bytes: bool,
    /// Whether a marker may be in it; else no more is wanted than images and errors.
    pub(super) may_be_marked: bool,
}

impl<'a> Piece<'a> {
    /// A piece that is a file.
    pub(super) fn new(text: &'a str) -> Self {
        let (has_odd_bytes, may_be_marked) = (block_reader::has_odd_bytes(text), marker::may_be_in(text));
        Self { text, base: 0, lines: 0, is_whole: true, has_odd_bytes, may_be_marked }
    }
}

/// Reads `piece`.
///
/// # Errors
/// A syntax error, or a document to which Flux cannot attach its bookkeeping: no mapping, or `metadata` is none.
pub(super) fn part(piece: Piece<'_>) -> Result<Part, YamlError> {
    block_part(piece).map_or_else(|| full_part(piece), Ok)
}

/// [`part`] by the block reader alone: nothing where it is not sure, or where there is an error.
pub(super) fn block_part(piece: Piece<'_>) -> Option<Part> {
    let mut walker = Walker::new(piece);
    block_reader::read(piece.text, piece.has_odd_bytes, &mut walker)?;
    (walker.is_sure() && walker.take_error().is_none()).then(|| walker.finish(piece))
}

/// [`part`] by the full parser alone.
pub(super) fn full_part(piece: Piece<'_>) -> Result<Part, YamlError> {
    let mut walker = Walker::new(piece);
    let read = full_reader::read(piece.text, &mut walker);
    read.map_err(|error| YamlError { line: error.line + piece.lines, ..error })?;
    Ok(walker.finish(piece))
}
