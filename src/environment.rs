//! What programs that are started here get to know of our own environment.

use std::process::Command;

/// What all variables of this program begin with, those with passwords among them.
const OURS: &str = "SUPERCARGO_";

/// Keeps what was said to this program alone from `command`: hooks, helpers and `ssh` are somebody else's programs, and passwords
/// of ours are not for them. What is set for the command afterwards stays.
pub(crate) fn without_ours(command: &mut Command) -> &mut Command {
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.as_encoded_bytes().starts_with(OURS.as_bytes())) {
        command.env_remove(name);
    }
    command
}
