//! What a registry may say (a challenge, a link, a list) and what a docker config may hold.

use supercargo::registry::{Keyring, fuzzing};

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    fuzzing::read_answer(text);
    let mut keyring = Keyring::new();
    if keyring.add_docker_config("fuzz", text).is_ok() {
        let _ = keyring.candidates("registry.example.com", "team/app");
    }
}
