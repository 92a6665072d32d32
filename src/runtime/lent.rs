//! Programs that get the terminal for a moment: those that ask a person, the pager, the editor.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::engine::Question;
use crate::environment::without_ours;
use crate::text::{ExposeSecret, SecretString, Shown};

/// Runs a program that asks, until the person has answered.
///
/// # Errors
/// A sentence: it did not get its answer.
pub(super) fn answered(question: &mut Question) -> Result<(), String> {
    let asks = Shown::new(&question.asks);
    // Without it, the questions that follow would stand alone; a terminal that is gone is noticed by who takes it again.
    let _ = writeln!(io::stderr(), "supercargo: {} (ctrl-c gives up)", asks.as_str());
    let is_answered = match &question.login {
        None => question.command.status().map(|status| status.success()),
        Some(login) => typed(&mut question.command, &login.input, |said| login.keep(said)),
    };
    match is_answered {
        Ok(true) => Ok(()),
        Ok(false) => Err(Shown::new(&question.refused).as_str().to_owned()),
        Err(error) => Err(format!("{} cannot be run: {error}", asks.as_str())),
    }
}

/// Has a login typed, and kept; whether there was one.
fn typed(command: &mut Command, asked: &str, keep: impl FnOnce(&str) -> bool) -> io::Result<bool> {
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(asked.as_bytes())?;
    }
    let said = child.wait_with_output()?;
    let text = SecretString::from(String::from_utf8_lossy(&said.stdout).into_owned());
    Ok(said.status.success() && keep(text.expose_secret()))
}

/// Has the operator's pager show `text`: `$PAGER`, else `less`.
///
/// # Errors
/// A sentence: there is none that runs.
pub(super) fn paged(text: &str) -> Result<(), String> {
    let pager = chosen(&["PAGER"], "less");
    let mut command = shell(&pager, None);
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(|error| not_run(&pager, &error))?;
    if let Some(mut input) = child.stdin.take() {
        // A pager that is left before it has read everything closes the pipe.
        let _ = input.write_all(text.as_bytes());
    }
    ended(&pager, child.wait())
}

/// What the operator's editor makes of `text`: `$VISUAL`, else `$EDITOR`, else `vi`. It gets a file of ours alone, which
/// is gone afterwards.
///
/// # Errors
/// A sentence: there is no editor that runs, it says that it failed, or what it left is no text.
pub(super) fn written(text: &str) -> Result<String, String> {
    let editor = chosen(&["VISUAL", "EDITOR"], "vi");
    let failed = |error: io::Error| format!("the message cannot be handed to {}: {error}", quoted(&editor));
    let folder = tempfile::tempdir().map_err(failed)?;
    // Editors know by this name what they edit.
    let path = folder.path().join("COMMIT_EDITMSG");
    std::fs::write(&path, text).map_err(failed)?;
    ended(&editor, shell(&editor, Some(&path)).status())?;
    std::fs::read_to_string(&path).map_err(failed)
}

/// The first of these variables that says anything, else `otherwise`.
fn chosen(variables: &[&str], otherwise: &str) -> OsString {
    let set = variables.iter().find_map(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
    set.unwrap_or_else(|| otherwise.into())
}

/// A program with its arguments, as variables name it; a shell takes them apart.
fn shell(program: &OsString, file: Option<&Path>) -> Command {
    let mut line = program.clone();
    line.push(" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).arg("sh").args(file);
    without_ours(&mut command);
    command
}

fn ended(program: &OsString, status: io::Result<ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} failed: {status}", quoted(program))),
        Err(error) => Err(not_run(program, &error)),
    }
}

fn not_run(program: &OsString, error: &io::Error) -> String {
    format!("{} cannot be run: {error}", quoted(program))
}

fn quoted(program: &OsString) -> String {
    Shown::new(&program.to_string_lossy()).as_str().to_owned()
}
