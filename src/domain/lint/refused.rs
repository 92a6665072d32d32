//! Values that cannot be replaced where they stand: the edit is tried, as a plan tries it.

use std::collections::HashMap;

use super::{BadFile, LintedMarker, Verdict};
use crate::domain::manifest::{Manifest, MarkedScalar};
use crate::domain::plan::MEND_VALUE;

/// Of so many values each is tried by itself, to name the one that cannot be replaced.
const TRIED_ALONE: usize = 64;

/// Tries to write what the outdated ones of `markers` want. A plan writes nothing into a file in which that cannot be done
/// without changing more; then each of them says so, and the file is one that somebody has to mend.
pub(super) fn tried(file: &str, manifest: &Manifest<'_>, markers: &mut [LintedMarker]) -> Option<BadFile> {
    let outdated = markers.iter().filter(|marker| marker.verdict == Verdict::Outdated);
    let wanted: HashMap<(usize, usize), String> =
        outdated.filter_map(|marker| Some(((marker.line, marker.column), marker.wanted.clone()?))).collect();
    let scalars = manifest.scalars();
    let edits: Vec<(&MarkedScalar, &str)> = scalars
        .filter_map(|scalar| Some((scalar, wanted.get(&(scalar.line, scalar.column))?.as_str())))
        .collect();
    let refusal = manifest.rewrite(&edits).err()?;
    let mut alone = edits.iter().take(TRIED_ALONE);
    let (culprit, _) = alone.find(|edit| manifest.rewrite(&[**edit]).is_err()).or(edits.first())?;
    let (line, column) = (culprit.line, culprit.column);
    for marker in markers.iter_mut().filter(|marker| marker.verdict == Verdict::Outdated) {
        marker.message = format!("{}, and it cannot be written: see line {line}", marker.message);
    }
    let message = format!("the value cannot be replaced without changing more: {refusal}");
    Some(BadFile { file: file.to_owned(), line, column, message, fix: MEND_VALUE.to_owned() })
}
