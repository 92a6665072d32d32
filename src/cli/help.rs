//! Help: `-h` within a small terminal, `--help` with examples first and the global options in one place.
//!
//! Both are made of the same command tree. `-h` of the program shows what most people come for and names the rest;
//! a command's `--help` names the global options, which the program's explains.

use std::ffi::OsString;

use clap::{ArgAction, Command, CommandFactory, FromArgMatches};

use super::Cli;
use super::usage::{is_root, typed};

/// The commands that `-h` explains; of the others it has the names.
const MAIN: [&str; 10] =
    ["demo", "get", "scan", "explain", "diff", "plan", "push", "lint", "create", "check"];
/// `-h` of the program: no list of all commands, no list of options.
const SHORT: &str = "{about}\n\n{usage-heading} {usage}{after-help}";
/// The widest line that no terminal breaks.
const WIDTH: usize = 78;

/// Reads the command line.
///
/// # Errors
/// Arguments that make no sense, and help and version that were asked for.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = command(arguments).try_get_matches_from(arguments);
    matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
}

/// The command tree with the help that fits what was typed.
fn command(arguments: &[OsString]) -> Command {
    let words = arguments.iter().skip(1).take_while(|word| *word != "--");
    let is_short = words.into_iter().any(|word| word == "-h");
    let whole = Cli::command();
    match (is_root(arguments), is_short) {
        (true, true) => {
            let text = commands(&whole);
            whole.help_template(SHORT).after_help(text)
        }
        (true, false) => whole,
        (false, _) => {
            let (globals, path) = (globals(&whole), typed(arguments));
            below(whole, &format!("Examples, exit codes and more: {path} --help"), &globals)
                .mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument })
        }
    }
}

/// The tree with these last lines of the short and the long help of every command in it.
fn below(command: Command, short: &str, long: &str) -> Command {
    command.mut_subcommands(|command| {
        below(command.after_help(short.to_owned()).after_long_help(long.to_owned()), short, long)
    })
}

/// What the program's `-h` says of its commands.
fn commands(whole: &Command) -> String {
    let mut text = "Commands:\n".to_owned();
    let shown: Vec<&Command> = whole.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    for command in MAIN.iter().filter_map(|name| shown.iter().find(|command| command.get_name() == *name)) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let line = format!("  {:<8} {about}\n", command.get_name());
        text.push_str(&line);
    }
    let others: Vec<&str> =
        shown.iter().map(|command| command.get_name()).filter(|name| !MAIN.contains(name)).collect();
    text.push_str(&wrapped("and", &others.join(", ")));
    text.push_str("\n\nOften used: -C PATH|URL, -n NAMESPACE, -o json, --write, --yes\n");
    text.push_str("Every command and option, with examples: supercargo --help");
    text
}

/// The names of the global options.
fn globals(whole: &Command) -> String {
    let global = whole.get_arguments().filter(|argument| argument.is_global_set());
    let names = global.filter_map(|argument| {
        let long = format!("--{}", argument.get_long()?);
        let value = match argument.get_action() {
            ArgAction::Set | ArgAction::Append => {
                argument.get_value_names().map_or_else(String::new, |names| format!(" {}", names.join(" ")))
            }
            _ => String::new(),
        };
        Some(match argument.get_short() {
            Some(short) => format!("-{short} {long}{value}"),
            None => format!("{long}{value}"),
        })
    });
    let names = names.collect::<Vec<_>>().join(", ");
    format!("Global options (explained by supercargo --help):\n{}", wrapped(" ", &names))
}

/// `text`, a list with commas, on lines that begin with `first` or as many blanks.
fn wrapped(first: &str, text: &str) -> String {
    let indent = first.len() + 3;
    let mut lines = vec![format!("  {first} ")];
    for part in text.split_inclusive(", ") {
        let fits = |line: &String| line.len() + part.trim_end().len() <= WIDTH;
        if !lines.last().is_some_and(fits) {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(part);
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let arguments: Vec<OsString> =
            std::iter::once("supercargo").chain(text.split_whitespace()).map(OsString::from).collect();
        parse(&arguments).unwrap_err().render().to_string()
    }

    /// Every command that can be asked for help, with the words that lead to it.
    fn paths(command: &Command, above: &str) -> Vec<String> {
        let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
        let mut found = vec![above.to_owned()];
        found.extend(shown.flat_map(|command| paths(command, &format!("{above} {}", command.get_name()))));
        found
    }

    #[test]
    fn short_help_of_every_command_fits_24_rows() {
        for path in paths(&Cli::command(), "") {
            let help = said(&format!("{path} -h"));
            let rows: usize = help.lines().map(|line| line.chars().count().div_ceil(80).max(1)).sum();
            assert!(rows <= 24, "{path} -h takes {rows} rows:\n{help}");
            assert!(help.contains("--help"), "{path} -h says where there is more:\n{help}");
        }
    }

    #[test]
    fn short_help_of_the_program_names_every_command() {
        let help = said("-h");
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            assert!(help.contains(command.get_name()), "{}:\n{help}", command.get_name());
        }
        assert!(MAIN.iter().all(|name| Cli::command().find_subcommand(name).is_some()));
    }

    #[test]
    fn long_help_begins_with_examples_and_explains_global_options_once() {
        let whole = said("--help");
        assert!(whole.find("supercargo get updates") < whole.find("Usage:"), "{whole}");
        assert!(whole.contains("--git-password-stdin") && whole.contains("Read the password for the Git"));
        let plan = said("plan --help");
        assert!(plan.find("supercargo plan --all") < plan.find("Usage:"), "{plan}");
        assert!(plan.contains("--git-password-stdin") && !plan.contains("Read the password for the Git"));
        assert!(plan.contains("-o --output OUTPUT"), "{plan}");
    }
}
