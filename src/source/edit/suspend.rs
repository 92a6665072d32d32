//! Sets `spec.suspend` of an object with the smallest edit.

use std::ops::Range;

use serde_json::json;

use super::outline::{Outline, Shape};
use super::{EditError, Place, document_at, lines, meaning};
use crate::source::yaml::documents;

/// The text with the object at `place` suspended or not; `None` if it is so already.
///
/// A value that is there is replaced; else the key gets a line of its own, at its place where the keys are in order, behind
/// the last where they are not.
///
/// # Errors
/// The text would say something else besides.
pub fn suspend(text: &str, place: &Place, is_suspended: bool) -> Result<Option<String>, EditError> {
    let (index, before) = document_at(text, place).ok_or(EditError::Unwritable)?;
    let document = before.get(index).ok_or(EditError::Unwritable)?;
    let mut said = meaning(*document).ok_or(EditError::Unwritable)?;
    let spec = member(&mut said, &place.items)
        .and_then(|object| object.get_mut(".spec"))
        .ok_or(EditError::Unwritable)?;
    if is_true(spec.get(".suspend")) == is_suspended {
        return Ok(None);
    }
    let spec = spec.as_object_mut().ok_or(EditError::Unwritable)?;
    spec.insert(".suspend".to_owned(), json!([is_suspended.to_string(), false]));
    let own = Outline::of(document.text).ok_or(EditError::Unwritable)?;
    let object = own.member(document.text, &place.items).ok_or(EditError::Unwritable)?;
    let (_, spec) = object.get(document.text, "spec").ok_or(EditError::Unwritable)?;
    let ways = ways(document.text, spec, is_suspended);
    let edited = ways.into_iter().map(|Insert { at, text: new }| {
        let at = place.document.start + at.start..place.document.start + at.end;
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        format!("{}{new}{}", part(0..at.start), part(at.end..text.len()))
    });
    let is_meant = |new: &String| {
        let after = documents(new);
        let others = |(at, document): (usize, &crate::source::yaml::Document<'_>)| {
            (at != index).then_some(document.text.to_owned())
        };
        after.len() == before.len()
            && after.iter().enumerate().filter_map(others).eq(before.iter().enumerate().filter_map(others))
            && after.get(index).and_then(|document| meaning(*document)).as_ref() == Some(&said)
    };
    edited.into_iter().find(is_meant).map(Some).ok_or(EditError::Unwritable)
}

/// What stands at a member of a list of lists.
fn member<'v>(said: &'v mut serde_json::Value, items: &[usize]) -> Option<&'v mut serde_json::Value> {
    items.iter().try_fold(said, |list, index| list.get_mut(".items")?.get_mut("items")?.get_mut(*index))
}

fn is_true(value: Option<&serde_json::Value>) -> bool {
    let text = value.and_then(|value| value.get(0)?.as_str()).unwrap_or_default();
    matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "y")
}

/// A text in the place of some bytes.
struct Insert {
    at: Range<usize>,
    text: String,
}

impl Insert {
    fn new(at: usize, text: String) -> Self {
        Self { at: at..at, text }
    }
}

/// The ways to say it, the one that disturbs least first.
fn ways(text: &str, spec: &Outline, is_suspended: bool) -> Vec<Insert> {
    if let Some((key, value)) = spec.get(text, "suspend") {
        return match value.shape {
            Shape::Leaf if value.source(text).is_empty() => {
                let behind = text.get(key.span.end..).and_then(|rest| rest.find(':')).map_or(0, |at| at + 1);
                vec![Insert::new(key.span.end + behind, format!(" {is_suspended}"))]
            }
            Shape::Leaf => vec![Insert { at: value.span.clone(), text: is_suspended.to_string() }],
            _ => Vec::new(),
        };
    }
    match &spec.shape {
        Shape::Mapping { is_flow: true, entries } => {
            let quote = entries.iter().any(|(key, _)| key.source(text).starts_with('"'));
            let key = if quote { "\"suspend\"" } else { "suspend" };
            vec![match entries.last() {
                Some((_, value)) => Insert::new(value.span.end, format!(", {key}: {is_suspended}")),
                None => Insert::new(spec.span.start + 1, format!("{key}: {is_suspended}")),
            }]
        }
        Shape::Mapping { is_flow: false, entries } => in_block(text, entries, is_suspended),
        _ => Vec::new(),
    }
}

/// A line among those of a block: at its place in the order, at the end, at the beginning.
fn in_block(text: &str, entries: &[(Outline, Outline)], is_suspended: bool) -> Vec<Insert> {
    let Some((first, _)) = entries.first() else { return Vec::new() };
    let line = lines::start(text, first.span.start);
    let indent = text.get(line..first.span.start).unwrap_or_default();
    if !indent.bytes().all(|byte| byte == b' ') {
        return Vec::new();
    }
    let keys: Vec<&str> = entries.iter().map(|(key, _)| key.source(text)).collect();
    let next = entries.iter().find(|(key, _)| key.source(text) > "suspend").filter(|_| keys.is_sorted());
    let next = next.map(|(key, _)| lines::above(text, lines::start(text, key.span.start), indent.len()));
    let places = next.into_iter().chain([lines::block_end(text, line, indent.len()), line]);
    places
        .map(|at| Insert::new(at, own_line(text, at, &format!("{indent}suspend: {is_suspended}"))))
        .collect()
}

/// The line, with the line end of the one before it; one that comes behind a last line without an end has none either.
fn own_line(text: &str, at: usize, line: &str) -> String {
    let before = text.get(..at).unwrap_or_default();
    let near = before.rfind('\n').or_else(|| text.find('\n'));
    let end = near.and_then(|end| text.get(..end)).filter(|line| line.ends_with('\r'));
    let end = if end.is_some() { "\r\n" } else { "\n" };
    if at > 0 && !text.get(..at).is_some_and(|before| before.ends_with('\n')) {
        format!("{end}{line}")
    } else {
        format!("{line}{end}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::files::SourceFile;
    use super::super::places;
    use super::*;
    use crate::domain::object::{Kind, ObjectId};

    const HEAD: &str = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: a}\n";

    fn set(text: &str, is_suspended: bool) -> Result<Option<String>, EditError> {
        let file = SourceFile { path: "x.yaml".into(), bytes: text.as_bytes().to_vec() };
        let found = places(&[file], "apps", Kind::ImagePolicy)
            .remove(&ObjectId::new("apps", "a"))
            .unwrap_or_default();
        assert_eq!(found.len(), 1, "{text}");
        suspend(text, &found[0], is_suspended)
    }

    /// What becomes of a spec, in a file with other documents, where it is suspended.
    fn suspended(spec: &str) -> String {
        let text = |spec: &str| format!("b:   1\n---\n{HEAD}{spec}---\n# of c\nc: 'x'\n");
        let new = set(&text(spec), true).unwrap().unwrap();
        let (before, behind) = (format!("b:   1\n---\n{HEAD}"), "---\n# of c\nc: 'x'\n");
        new.strip_prefix(&before).unwrap().strip_suffix(behind).unwrap().to_owned()
    }

    #[test]
    fn a_value_that_is_there_is_replaced_and_nothing_else() {
        for (old, new) in [
            ("spec:\n  suspend:   false # why\n  x: y\n", "spec:\n  suspend:   true # why\n  x: y\n"),
            ("spec: {a: b, suspend: no}\n", "spec: {a: b, suspend: true}\n"),
            ("spec:\n  suspend: # why\n", "spec:\n  suspend: true # why\n"),
            ("spec:\n  \"suspend\": \"false\"\n", "spec:\n  \"suspend\": true\n"),
        ] {
            assert_eq!(suspended(old), new);
        }
        assert_eq!(set(&format!("{HEAD}spec:\n  suspend: yes\n"), true), Ok(None));
        assert_eq!(set(&format!("{HEAD}spec: {{}}\n"), false), Ok(None));
    }

    #[test]
    fn a_key_that_is_not_there_gets_a_line_in_the_indentation_of_the_file() {
        for (old, new) in [
            ("spec:\n  b: 1\n  a: 2 # last\n", "spec:\n  b: 1\n  a: 2 # last\n  suspend: true\n"),
            (
                "spec:\n    image: x\n    timeout: 1m\n",
                "spec:\n    image: x\n    suspend: true\n    timeout: 1m\n",
            ),
            (
                "spec:\n  a:\n  - b\n  # more\n\nstatus: {}\n",
                "spec:\n  a:\n  - b\n  suspend: true\n  # more\n\nstatus: {}\n",
            ),
            (
                "spec:\n  c: x\n  a: |\n    text\n    # no comment\n\n",
                "spec:\n  c: x\n  a: |\n    text\n    # no comment\n  suspend: true\n\n",
            ),
            ("spec:\n  c: x\n  a: |+\n    text\n\n", "spec:\n  suspend: true\n  c: x\n  a: |+\n    text\n\n"),
            ("spec: {image: x,\n  interval: 1m}\n", "spec: {image: x,\n  interval: 1m, suspend: true}\n"),
            ("spec: {}\n", "spec: {suspend: true}\n"),
        ] {
            assert_eq!(suspended(old), new);
        }
    }

    #[test]
    fn line_ends_and_a_missing_last_one_stay() {
        let text = format!("{HEAD}spec:\n  a: b").replace('\n', "\r\n");
        assert_eq!(set(&text, true), Ok(Some(format!("{text}\r\n  suspend: true"))));
        let mixed = format!("---\r\n{HEAD}spec:\n  a: b\n");
        assert_eq!(set(&mixed, true), Ok(Some(format!("{mixed}  suspend: true\n"))));
    }

    #[test]
    fn a_member_of_a_list_is_edited_in_place() {
        let own = format!("{HEAD}spec:\n  a: b\n").replace('\n', "\n  ");
        let text = format!("kind: List\nitems:\n- {}\n- kind: x\n", own.trim_end());
        let new = text.replace("    a: b\n", "    a: b\n    suspend: true\n");
        assert_eq!(set(&text, true), Ok(Some(new)));
    }

    #[test]
    fn what_others_share_is_not_changed() {
        let text = format!("{HEAD}x: &s {{suspend: false}}\nspec: *s\n");
        assert_eq!(set(&text, true), Err(EditError::Unwritable));
        let text = format!("{HEAD}spec:\n  suspend: &s false\n  x: *s\n");
        assert_eq!(set(&text, true), Err(EditError::Unwritable));
    }
}
