//! Markers where Flux does not look: behind the end of a file's documents, and in files of other names.

use super::{Fix, LintedMarker, Verdict};
use crate::domain::manifest;
use crate::domain::marker;

/// What stands in names, in whatever letters, that somebody might take for those of files that Flux reads: templates, copies, JSON.
const NEAR: [&str; 3] = [".yaml", ".yml", ".json"];

/// The file that kustomize reads without an ending.
const KUSTOMIZATION: &str = "kustomization";

/// Whether a file of this name is worth a look: Flux reads it, or it is near enough to one that somebody may have put markers
/// into it.
pub fn may_mean_markers(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    manifest::is_yaml_name(path) || name == KUSTOMIZATION || NEAR.iter().any(|near| name.contains(near))
}

/// The markers of a file that Flux does not read for its name.
pub(super) fn in_other_file(file: &str, text: &str) -> Vec<LintedMarker> {
    let message = "Flux reads files whose names end in .yaml or .yml, in small letters, or are Kustomization, and no other";
    let fix = "Give the file such a name, or move the value into one that has.";
    lines(text, 0).map(|line| line.marker(file, message, fix)).collect()
}

/// The markers behind a line `...`, but for those on the lines of `known`.
pub(super) fn behind_end(file: &str, text: &str, known: &[LintedMarker]) -> Vec<LintedMarker> {
    let message = "Flux reads nothing behind the line `...` that ends the document";
    let fix = "Write `---` in the place of `...`, or take that line out.";
    let Some(end) = end_of_document(text) else { return Vec::new() };
    let unknown = lines(text, end).filter(|line| !known.iter().any(|marker| marker.line == line.number));
    unknown.map(|line| line.marker(file, message, fix)).collect()
}

/// The first byte of the first line `...`.
fn end_of_document(text: &str) -> Option<usize> {
    let is_end = |line: &str| {
        line.strip_prefix("...")
            .is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'))
    };
    let mut place = 0;
    text.split_inclusive('\n').find_map(|line| {
        let start = place;
        place += line.len();
        is_end(line).then_some(start)
    })
}

/// A line with a comment that has the key.
struct KeyLine<'a> {
    /// From 1.
    number: usize,
    /// Bytes before the comment.
    column: usize,
    comment: &'a str,
}

/// The lines with the key from byte `start` on.
fn lines(text: &str, start: usize) -> impl Iterator<Item = KeyLine<'_>> {
    let before = text.get(..start).unwrap_or_default();
    let first = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    let rest = text.get(start..).unwrap_or_default();
    rest.lines().zip(first..).filter(|(line, _)| marker::mentions_key(line.as_bytes())).filter_map(
        |(line, number)| {
            let column = line.find('#')?;
            Some(KeyLine { number, column, comment: line.get(column..)? })
        },
    )
}

impl KeyLine<'_> {
    fn marker(&self, file: &str, message: &str, fix: &str) -> LintedMarker {
        LintedMarker {
            file: file.to_owned(),
            line: self.number,
            column: self.column + 1,
            text: self.comment.trim_start_matches('#').trim().to_owned(),
            setter: marker::setter_of(self.comment).unwrap_or_default(),
            verdict: Verdict::NoScalar,
            current: None,
            wanted: None,
            message: message.to_owned(),
            fix: Some(Fix::other(fix)),
        }
    }
}
