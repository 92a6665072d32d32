//! Edits of marked scalars, and the proof that nothing else changed.

use std::ops::Range;

use super::piece::{self, Piece};
use super::{Manifest, MarkedScalar, Part, Style, YamlError, parts, plain};
use crate::problem::{Code, Problem};

/// A text after edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The new text.
    pub text: String,
    /// What was replaced, in the order of the text.
    pub places: Vec<Replaced>,
}

/// One replaced scalar: the bytes of its source before and after, each in its own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// In the text before.
    pub old: Range<usize>,
    /// In the text after.
    pub new: Range<usize>,
}

impl Manifest<'_> {
    /// The text with the values of `edits` in place of the scalars' own. The edited documents are parsed again: their
    /// structure, their comments and every scalar that was not meant must come out as before.
    ///
    /// # Errors
    /// [`RewriteError`]; nothing is written halfway.
    pub fn rewrite(&self, edits: &[(&MarkedScalar, &str)]) -> Result<Rewritten, RewriteError> {
        let mut edits: Vec<_> = edits.to_vec();
        edits.sort_by_key(|(scalar, _)| scalar.span.start);
        let mut text = String::with_capacity(self.text.len() + 32 * edits.len());
        let mut places = Vec::with_capacity(edits.len());
        let mut rest = edits.as_slice();
        let single = self.parts.len() == 1;
        let mut copied = 0;
        for part in &self.parts {
            let count = rest.iter().take_while(|(scalar, _)| scalar.span.end <= part.range.end).count();
            let (mine, others) = rest.split_at(count);
            rest = others;
            if mine.is_empty() {
                continue;
            }
            text.push_str(self.slice(copied, part.range.start, mine)?);
            copied = part.range.end;
            let start = text.len();
            self.write_part(part, mine, &mut text, &mut places)?;
            verify(part, text.get(start..).unwrap_or_default(), mine, single)?;
        }
        if let Some((scalar, _)) = rest.first() {
            return Err(RewriteError::NotThere { line: scalar.line });
        }
        text.push_str(self.text.get(copied..).unwrap_or_default());
        Ok(Rewritten { text, places })
    }

    /// Appends `part` after `edits`, which are sorted, to `text`, and where they came to stand to `places`.
    fn write_part(
        &self,
        part: &Part,
        edits: &[(&MarkedScalar, &str)],
        text: &mut String,
        places: &mut Vec<Replaced>,
    ) -> Result<(), RewriteError> {
        let mut copied = part.range.start;
        for (scalar, value) in edits {
            let known = part.scalars.binary_search_by_key(&scalar.span.start, |known| known.span.start);
            if known.ok().and_then(|place| part.scalars.get(place)) != Some(*scalar) {
                return Err(RewriteError::NotThere { line: scalar.line });
            }
            text.push_str(self.slice(copied, scalar.span.start, edits)?);
            let start = text.len();
            text.push_str(&self.source(scalar, value)?);
            places.push(Replaced { old: scalar.span.clone(), new: start..text.len() });
            copied = scalar.span.end;
        }
        text.push_str(self.slice(copied, part.range.end, edits)?);
        Ok(())
    }

    /// The text between two places; overlapping edits have none.
    fn slice(&self, start: usize, end: usize, edits: &[(&MarkedScalar, &str)]) -> Result<&str, RewriteError> {
        let line = edits.first().map_or(0, |(scalar, _)| scalar.line);
        self.text.get(start..end).ok_or(RewriteError::NotThere { line })
    }

    /// How `value` is written in the place of `scalar`: in the same style, but quoted where a plain scalar would be
    /// taken for something else.
    fn source(&self, scalar: &MarkedScalar, value: &str) -> Result<String, RewriteError> {
        let unwritable = || RewriteError::Unwritable { line: scalar.line };
        if !plain::is_writable(value) {
            return Err(unwritable());
        }
        Ok(match &scalar.style {
            Style::Single => plain::single_quoted(value),
            Style::Double => plain::double_quoted(value),
            Style::Plain if plain::needs_quotes(value) => plain::double_quoted(value),
            Style::Plain => value.to_owned(),
            Style::Block(_) if value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']) => {
                return Err(unwritable());
            }
            Style::Block(shape) => shape.source(self.text, value).ok_or_else(unwritable)?,
        })
    }
}

/// Parses an edited document again and holds it against the one it was made from.
fn verify(
    before: &Part,
    text: &str,
    edits: &[(&MarkedScalar, &str)],
    single: bool,
) -> Result<(), RewriteError> {
    let line = edits.first().map_or(0, |(scalar, _)| scalar.line);
    if parts::split(text).map_err(RewriteError::After)?.len() != 1 {
        return Err(RewriteError::OtherChange { line });
    }
    let after = piece::part(Piece { is_whole: single, ..Piece::new(text) }).map_err(RewriteError::After)?;
    if after.fingerprint != before.fingerprint || after.scalars.len() != before.scalars.len() {
        return Err(RewriteError::OtherChange { line });
    }
    let mut edits = edits.iter().peekable();
    for (old, new) in before.scalars.iter().zip(&after.scalars) {
        let meant = edits.next_if(|(scalar, _)| scalar.span == old.span);
        let value = meant.map_or(old.value.as_str(), |(_, value)| value);
        let kept_style = match (&old.style, &new.style) {
            (Style::Plain, Style::Double) => meant.is_some(),
            (old, new) => std::mem::discriminant(old) == std::mem::discriminant(new),
        };
        if new.value != value || !kept_style || new.setter != old.setter || new.field != old.field {
            return Err(RewriteError::OtherChange { line: old.line });
        }
    }
    Ok(())
}

/// Why an edit was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// The text does not parse.
    #[error("the file does not parse: {0}")]
    Before(YamlError),
    /// A scalar is not one of this text, or two edits overlap.
    #[error("line {line}: the value to replace is not there")]
    NotThere {
        /// Its line, from 1.
        line: usize,
    },
    /// The value has line breaks or other characters that the scalar's style cannot hold.
    #[error("line {line}: the new value cannot be written there")]
    Unwritable {
        /// Its line, from 1.
        line: usize,
    },
    /// The edited text does not parse.
    #[error("the edited file would not parse: {0}")]
    After(YamlError),
    /// Something else would change with the value.
    #[error("line {line}: the edit would change more than the marked value")]
    OtherChange {
        /// The line of the edit, from 1.
        line: usize,
    },
}

impl RewriteError {
    /// The problem of `file`, whose edit was refused. All but the first are failures of ours that were caught in time.
    pub fn problem(&self, file: &str) -> Problem {
        Problem::new(Code::YamlInvalid, file, self.to_string())
    }
}
