//! Any bytes as a file that a scan leaves: a cached list, a ledger of first sightings, or what is packed in one.

use supercargo::store::fuzzing;

/// # Panics
/// If a rule is broken.
pub(crate) fn run(bytes: &[u8]) {
    fuzzing::read_file(bytes);
}
