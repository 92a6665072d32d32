//! Any text: what the block reader says of it, the full parser says too.

use supercargo::domain::manifest;

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    assert!(manifest::readers_agree(text));
}
