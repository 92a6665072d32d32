//! Sets `spec.suspend` of an object with the smallest edit.

use serde_json::json;

use super::entry::{Insert, ways};
use super::outline::Outline;
use super::{EditError, Place, document_at, meaning, member};
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
    if says(spec.get(".suspend")) == Some(is_suspended) {
        return Ok(None);
    }
    let spec = spec.as_object_mut().ok_or(EditError::Unwritable)?;
    spec.insert(".suspend".to_owned(), json!([is_suspended.to_string(), false]));
    let own = Outline::of(document.text).ok_or(EditError::Unwritable)?;
    let object = own.member(document.text, &place.items).ok_or(EditError::Unwritable)?;
    let (_, spec) = object.get(document.text, "spec").ok_or(EditError::Unwritable)?;
    let ways = ways(document.text, spec, "suspend", &is_suspended.to_string());
    let edited = ways.into_iter().map(|insert: Insert| insert.into_text(text, place.document.start));
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

/// Whether it is suspended; `None` where a text stands, whatever it looks like: no API server takes one.
fn says(value: Option<&serde_json::Value>) -> Option<bool> {
    let Some(value) = value else { return Some(false) };
    let is_text = value.get(1).and_then(serde_json::Value::as_bool).unwrap_or_default();
    let text = value.get(0).and_then(serde_json::Value::as_str).unwrap_or_default();
    (!is_text).then(|| matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "y"))
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
            ("spec:\n  suspend: \"true\"\n", "spec:\n  suspend: true\n"),
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
