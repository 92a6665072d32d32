//! An entry of a mapping, set with the smallest edit: its value replaced, or a line of its own at its place.

use std::ops::Range;

use super::lines;
use super::outline::{Outline, Shape};

/// A text in the place of some bytes of a document.
#[derive(Debug)]
pub(super) struct Insert {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

impl Insert {
    pub(super) fn new(at: usize, text: String) -> Self {
        Self { at: at..at, text }
    }

    /// `text`, in which the document begins at byte `start`, with the insert made.
    pub(super) fn into_text(self, text: &str, start: usize) -> String {
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        let at = start + self.at.start..start + self.at.end;
        format!("{}{}{}", part(0..at.start), self.text, part(at.end..text.len()))
    }
}

/// The ways to give `key` of a mapping a scalar value, the one that disturbs least first.
pub(super) fn ways(text: &str, mapping: &Outline, key: &str, value: &str) -> Vec<Insert> {
    if let Some((found, old)) = mapping.get(text, key) {
        return match old.shape {
            Shape::Leaf if old.source(text).is_empty() => vec![behind_colon(text, found, value)],
            Shape::Leaf => vec![Insert { at: old.span.clone(), text: value.to_owned() }],
            _ => Vec::new(),
        };
    }
    added(text, mapping, key, &[value])
}

/// The value of a key that has none.
pub(super) fn behind_colon(text: &str, key: &Outline, value: &str) -> Insert {
    let behind = text.get(key.span.end..).and_then(|rest| rest.find(':')).map_or(0, |at| at + 1);
    Insert::new(key.span.end + behind, format!(" {value}"))
}

/// The ways to add `key` to a mapping that lacks it. Several `values` are a list.
pub(super) fn added(text: &str, mapping: &Outline, key: &str, values: &[&str]) -> Vec<Insert> {
    match &mapping.shape {
        Shape::Mapping { is_flow: true, entries } => {
            let quote = entries.iter().any(|(key, _)| key.source(text).starts_with('"'));
            let key = if quote { format!("\"{key}\"") } else { key.to_owned() };
            let value = match values {
                [one] => (*one).to_owned(),
                several => format!("[{}]", several.join(", ")),
            };
            vec![match entries.last() {
                Some((_, last)) => Insert::new(last.span.end, format!(", {key}: {value}")),
                None => Insert::new(mapping.span.start + 1, format!("{key}: {value}")),
            }]
        }
        Shape::Mapping { is_flow: false, entries } => in_block(text, entries, key, values),
        _ => Vec::new(),
    }
}

/// Lines among those of a block: at their place in the order, at the end, at the beginning.
fn in_block(text: &str, entries: &[(Outline, Outline)], key: &str, values: &[&str]) -> Vec<Insert> {
    let Some((first, _)) = entries.first() else { return Vec::new() };
    let line = lines::start(text, first.span.start);
    let indent = text.get(line..first.span.start).unwrap_or_default();
    if !indent.bytes().all(|byte| byte == b' ') {
        return Vec::new();
    }
    let own = match values {
        [one] => vec![format!("{indent}{key}: {one}")],
        several => std::iter::once(format!("{indent}{key}:"))
            .chain(several.iter().map(|value| format!("{indent}- {value}")))
            .collect(),
    };
    let keys: Vec<&str> = entries.iter().map(|(key, _)| key.source(text)).collect();
    let next = entries.iter().find(|(known, _)| known.source(text) > key).filter(|_| keys.is_sorted());
    let next = next.map(|(key, _)| lines::above(text, lines::start(text, key.span.start), indent.len()));
    let places = next.into_iter().chain([lines::block_end(text, line, indent.len()), line]);
    places.map(|at| Insert::new(at, own_lines(text, at, &own))).collect()
}

/// The lines, with the line end of the one before them; what comes behind a last line without an end has none either.
pub(super) fn own_lines(text: &str, at: usize, own: &[String]) -> String {
    let before = text.get(..at).unwrap_or_default();
    let near = before.rfind('\n').or_else(|| text.find('\n'));
    let end = near.and_then(|end| text.get(..end)).filter(|line| line.ends_with('\r'));
    let end = if end.is_some() { "\r\n" } else { "\n" };
    let own = own.join(end);
    if at > 0 && !before.ends_with('\n') { format!("{end}{own}") } else { format!("{own}{end}") }
}
