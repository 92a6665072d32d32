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

use super::{Manifest, parts};

/// Whether Flux, asked to make of `before` what we made of it, writes other bytes than `after`: `Some(false)` if it
/// writes exactly these, `None` if we cannot tell. `is_setter` says whether a marker's text stands for something; for
/// Flux such a value is written again even if it stays what it is.
pub fn reformats(before: &Manifest<'_>, after: &str, is_setter: &dyn Fn(&str) -> bool) -> Option<bool> {
    let is_marked_off = after.starts_with("---")
        || after.lines().any(|line| line.starts_with("...") && line.trim_end().len() == 3);
    if is_marked_off || after.contains("\r\n") || after.starts_with('\u{feff}') || !after.ends_with('\n') {
        return Some(true);
    }
    let Ok(manifest) = Manifest::parse(after) else { return None };
    let scalars = before.scalars().zip(manifest.scalars());
    let mut scalars = scalars.filter(|(old, _)| is_setter(&old.setter));
    let values = scalars.any(|(old, new)| value::rewritten(before.text(), old, new));
    // Characters at which only YAML 1.1 ends a line.
    let strange = after.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']);
    let layout = layout(before, after).filter(|differs| *differs || !strange);
    if values { Some(true) } else { layout }
}

/// Whether Flux's emitter lays `text` out in another way; the style of lists is that of the text before.
fn layout(before: &Manifest<'_>, text: &str) -> Option<bool> {
    let ranges = parts::split(text).ok()?;
    let mut written = String::with_capacity(text.len() + 64);
    let mut sure = true;
    for (range, part) in ranges.into_iter().zip(&before.parts) {
        let wide = is_wide(before.text().get(part.range.clone()).unwrap_or_default());
        let piece = text.get(range).unwrap_or_default();
        let Some(document) = emit::document(piece, wide).ok()? else { continue };
        if !written.is_empty() {
            written.push_str("---\n");
        }
        written.push_str(&document.text);
        sure &= document.sure;
    }
    if written == text { sure.then_some(false) } else { Some(true) }
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
