//! Programs that get the terminal for a moment, because they ask a person.

use std::io::{self, Write as _};

use crate::engine::Question;
use crate::text::Shown;

/// Runs a program that asks, until the person has answered.
///
/// # Errors
/// A sentence: it did not get its answer.
pub(super) fn answered(question: &mut Question) -> Result<(), String> {
    let asks = Shown::new(&question.asks);
    // Without it, the questions that follow would stand alone; a terminal that is gone is noticed by who takes it again.
    let _ = writeln!(io::stderr(), "supercargo: {} (ctrl-c gives up)", asks.as_str());
    match question.command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Shown::new(&question.refused).as_str().to_owned()),
        Err(error) => Err(format!("{} cannot be run: {error}", asks.as_str())),
    }
}
