//! Any text: YAML is read without a panic, and a rewrite changes the marked scalar alone.

use supercargo::domain::manifest;

const NEW: &str = "registry.example.com:5000/team/app:9.9.9";

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    let Ok(found) = manifest::find(text) else { return };
    let edits: Vec<_> = found.iter().map(|scalar| (scalar, NEW)).collect();
    // A refusal is an answer; a file that comes back must hold the new value at every site.
    if let Ok(written) = manifest::rewrite(text, &edits) {
        let again = manifest::find(&written).expect("what was rewritten still parses");
        assert_eq!(again.len(), found.len());
        assert!(again.iter().all(|scalar| scalar.value == NEW));
    }
}
