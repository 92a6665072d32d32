//! Programs that get the terminal for a moment, because they ask a person.

use std::io::{self, Write as _};
use std::process::Command;

use crate::text::Shown;

/// Runs a program that asks for a login at `address`, until the person has answered.
///
/// # Errors
/// A sentence: it did not get in.
pub(super) fn answered(address: &str, command: &mut Command) -> Result<(), String> {
    let shown = Shown::new(address);
    // Without it, the questions that follow would stand alone; a terminal that is gone is noticed by who takes it again.
    let _ = writeln!(io::stderr(), "supercargo: ssh to {} (ctrl-c gives up)", shown.as_str());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("ssh did not get in to {}", shown.as_str())),
        Err(error) => Err(format!("ssh cannot be run: {error}")),
    }
}
