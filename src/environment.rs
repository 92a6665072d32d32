//! What programs that are started here get to know of our own environment.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

/// What all variables of this program begin with, those with passwords among them.
const OURS: &str = "SUPERCARGO_";

/// Keeps what was said to this program alone from `command`: hooks, helpers and `ssh` are somebody else's programs, and passwords
/// of ours are not for them. What is set for the command afterwards stays.
pub(crate) fn without_ours(command: &mut Command) -> &mut Command {
    for name in ours() {
        command.env_remove(name);
    }
    command
}

/// The names of what was said to this program alone.
pub(crate) fn ours() -> impl Iterator<Item = OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.as_encoded_bytes().starts_with(OURS.as_bytes()))
}

/// Whether the system has a file that this name starts: a path, or a name that the `PATH` finds.
pub(crate) fn has_program(name: &str) -> bool {
    let name = Path::new(name);
    let is_path = name.parent().is_some_and(|parent| parent.as_os_str() != OsStr::new(""));
    if is_path {
        return name.is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
