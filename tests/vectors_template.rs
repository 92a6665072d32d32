//! Commit message templates against what the controller's own template code answered.

use std::collections::BTreeSet;

use serde::Deserialize;
use supercargo::domain::template::{MessageData, Rendered, render};

#[derive(Deserialize)]
struct Vector {
    name: String,
    template: String,
    data: MessageData,
    expected_message: Option<String>,
    expected_error: Option<String>,
    #[serde(default)]
    nondeterministic: bool,
    legacy: Option<String>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors/commit_templates.json")).unwrap_or_default()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

fn differs(vector: &Vector, rendered: &Rendered) -> bool {
    if vector.legacy.is_some() {
        return !rendered.removed_field
            || rendered.error.is_none()
            || rendered.message != vector.expected_message;
    }
    if rendered.removed_field {
        return rendered.error != vector.expected_error;
    }
    match (&rendered.message, &vector.expected_message) {
        (Some(ours), Some(theirs)) if vector.nondeterministic => words(ours) != words(theirs),
        (ours, theirs) => ours != theirs || rendered.error != vector.expected_error,
    }
}

#[test]
fn every_template_renders_as_the_controller_renders_it() {
    let vectors = vectors();
    assert!(vectors.len() >= 51);
    let wrong: Vec<String> = vectors
        .iter()
        .map(|vector| (vector, render(&vector.template, &vector.data)))
        .filter(|(vector, rendered)| differs(vector, rendered))
        .map(|(vector, rendered)| {
            format!(
                "{}: {rendered:?}\n  wanted {:?} {:?}",
                vector.name, vector.expected_message, vector.expected_error
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_of_changes_is_by_file_and_object() {
    let vectors = vectors();
    let vector = vectors.iter().find(|vector| vector.name == "changes-order-random-across-objects").unwrap();
    let message = render(&vector.template, &vector.data).message.unwrap();
    assert_eq!(message, "c:2 d:2 b:2 a:2 e:2 ");
}
