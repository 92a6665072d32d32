//! Any text as a comment and as a setter's name: a marker that is written as JSON is read as what was written, and what
//! is mended is a marker.

use supercargo::domain::marker::{comment_in, malformed, parse_setter, setter_of};

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    if let Some(setter) = setter_of(text) {
        let _ = parse_setter(&setter);
    }
    if let Ok((policy, _)) = parse_setter(text) {
        assert!(text.starts_with(&format!("{}:{}", policy.namespace, policy.name)));
    }
    let _ = comment_in(text);
    if let Some(fix) = malformed(text).and_then(|found| found.fix) {
        assert!(setter_of(&format!("# {fix}")).is_some(), "{fix}");
    }
    let marker = serde_json::json!({"$imagepolicy": text});
    assert_eq!(setter_of(&format!("# {marker}")).as_deref(), Some(text));
}
