//! Any text as a plan: one that is read keeps its id when it is written and read again.

use supercargo::domain::plan::Plan;

/// # Panics
/// If a rule is broken.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(plan) = serde_json::from_slice::<Plan>(bytes) else { return };
    let written = serde_json::to_vec(&plan).expect("a plan can be written");
    let again: Plan = serde_json::from_slice(&written).expect("and read again");
    assert_eq!(again.computed_id(), plan.computed_id());
}
