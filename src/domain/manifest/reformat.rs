//! Whether Flux would change other bytes of a file than our edit does.
//!
//! Flux writes every document of a changed file anew. Here an edited text is written as its emitter would write it and
//! held against itself: equal means that Flux writes exactly these bytes. Where we do not know what the emitter does
//! (mostly where comments and empty lines meet) the source is copied and the answer is no longer certain, unless
//! something else differs for sure.
//!
//! Source: `kubernetes-sigs/kustomize:kyaml/kio/{byteio_reader,byteio_writer}.go`, `kyaml/yaml/util.go`;
//! `yaml/go-yaml` v3.0.4, `emitterc.go` and `encode.go`.

mod comments;
mod emit;
mod resolve;
mod scalar;
mod value;

use super::Manifest;

/// Whether Flux, asked to make of `before` what we made of it, writes other bytes than `edited`: `Some(false)` if it
/// writes exactly these, `None` if we cannot tell. `is_setter` says whether a marker's text stands for something; for
/// Flux such a value is written again even if it stays what it is.
pub fn reformats(
    before: &Manifest<'_>,
    edited: &Manifest<'_>,
    is_setter: &dyn Fn(&str) -> bool,
) -> Option<bool> {
    let after = edited.text();
    let is_marked_off = after.starts_with("---")
        || after.lines().any(|line| line.starts_with("...") && line.trim_end().len() == 3);
    if is_marked_off || after.contains("\r\n") || after.starts_with('\u{feff}') || !after.ends_with('\n') {
        return Some(true);
    }
    let scalars = before.scalars().zip(edited.scalars());
    let mut scalars = scalars.filter(|(old, _)| is_setter(&old.setter));
    if scalars.any(|(old, new)| value::rewritten(before.text(), old, new)) {
        return Some(true);
    }
    // Characters at which only YAML 1.1 ends a line.
    let strange = after.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']);
    layout(before, edited).filter(|differs| *differs || !strange)
}

/// Whether Flux's emitter lays `edited` out in another way; the style of lists is that of the text before.
fn layout(before: &Manifest<'_>, edited: &Manifest<'_>) -> Option<bool> {
    let (mut rest, mut sure) = (edited.text(), true);
    for (part, old) in edited.parts.iter().zip(&before.parts) {
        let wide = is_wide(before.text().get(old.range.clone()).unwrap_or_default());
        let piece = edited.text().get(part.range.clone()).unwrap_or_default();
        let Some(document) = emit::document(piece, wide).ok()? else { continue };
        if rest.len() < edited.text().len() {
            rest = match rest.strip_prefix("---\n") {
                Some(rest) => rest,
                None => return Some(true),
            };
        }
        // What comes behind the first difference is of no interest any more.
        let Some(behind) = rest.strip_prefix(document.text.as_str()) else { return Some(true) };
        (rest, sure) = (behind, sure && document.sure);
    }
    if rest.is_empty() { sure.then_some(false) } else { Some(true) }
}

/// Whether the lists of a document stand two columns deeper than their keys, as Flux's scan of the text finds out.
fn is_wide(text: &str) -> bool {
    let lines: Vec<&str> = text.split('\n').collect();
    lines.iter().enumerate().find_map(|(index, line)| list_is_wide(&lines, index, line)).unwrap_or(false)
}

/// What one line says about the style of lists, if anything.
fn list_is_wide(lines: &[&str], index: usize, line: &str) -> Option<bool> {
    let (blanks, _) = line.split_once("- ")?;
    if !blanks.trim_matches(' ').is_empty() {
        return None;
    }
    let above = lines.get(..index)?.iter().rev();
    let key = above.copied().find(|line| !line.trim_matches(' ').starts_with('#'))?;
    let key = key.split('#').next().unwrap_or_default();
    let words = key.trim_matches(' ');
    if !words.ends_with(':') || words.matches(':').count() != 1 {
        return None;
    }
    let indent = key.len() - key.trim_start_matches(' ').len();
    match blanks.len().checked_sub(indent) {
        Some(0) => Some(false),
        Some(2) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
