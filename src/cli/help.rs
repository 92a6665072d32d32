//! Help: `-h` within a small terminal, `--help` with examples first and the global options in one place.
//!
//! Both are made of the same command tree. `-h` of the program shows what most people come for and names the rest;
//! a command's `--help` names the global options, which the program's explains.

use std::ffi::OsString;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::usage::{is_root, typed};
use super::{Cli, heeded, stdin};

/// The commands that `-h` explains; of the others it has the names.
const MAIN: [&str; 10] =
    ["demo", "get", "scan", "explain", "diff", "plan", "push", "lint", "create", "check"];
/// The word that asks for help, as with git and kubectl.
pub(super) const HELP: &str = "help";
/// `-h` of the program: no list of all commands, no list of options.
const SHORT: &str = "{about}\n\n{usage-heading} {usage}{after-help}";
/// The widest line that no terminal breaks.
const WIDTH: usize = 78;

/// Reads the command line.
///
/// # Errors
/// Arguments that make no sense, and help and version that were asked for.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let asked = as_option(arguments).transpose()?;
    let arguments = asked.as_deref().unwrap_or(arguments);
    let mut matches = command(arguments).try_get_matches_from(arguments)?;
    refused(&matches).map_or_else(|| Cli::from_arg_matches_mut(&mut matches), Err)
}

/// What the parser lets pass and the command would not do.
fn refused(matches: &ArgMatches) -> Option<clap::Error> {
    let (mut last, mut words) = (matches, Vec::new());
    while let Some((name, below)) = last.subcommand() {
        words.push(name);
        last = below;
    }
    heeded::unheeded(&words, last).or_else(|| stdin::shared(&words, last))
}

/// `help COMMAND…` as `COMMAND… --help`; `None` where something else was typed.
fn as_option(arguments: &[OsString]) -> Option<Result<Vec<OsString>, clap::Error>> {
    let [program, first, words @ ..] = arguments else { return None };
    if first != HELP {
        return None;
    }
    let asked: Vec<OsString> = std::iter::once(program).chain(words).cloned().collect();
    // An option, such as --color, is no command, and what follows it may be its value.
    let named = words.iter().map(|word| word.to_string_lossy()).take_while(|word| !word.starts_with('-'));
    let named: Vec<_> = named.collect();
    if typed(&asked).split(' ').count() <= named.len() {
        let text = format!("there is no command {:?}\n", named.join(" "));
        return Some(Err(clap::Error::raw(ErrorKind::InvalidSubcommand, text)));
    }
    Some(Ok(asked.into_iter().chain([OsString::from("--help")]).collect()))
}

/// The command tree with the help that fits what was typed.
fn command(arguments: &[OsString]) -> Command {
    let words = arguments.iter().skip(1).take_while(|word| *word != "--");
    let is_short = words.into_iter().any(|word| word == "-h");
    let whole = Cli::command().mut_args(without_empty);
    match (is_root(arguments), is_short) {
        (true, true) => {
            let text = commands(&whole);
            whole.help_template(SHORT).after_help(text)
        }
        (true, false) => whole,
        (false, _) => {
            let path = typed(arguments);
            let globals = globals(&whole, &path);
            below(whole, &format!("Examples, exit codes and more: {path} --help"), &globals)
                .mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument })
                .mut_subcommands(|command| command.mut_args(|argument| hidden(argument, &path)))
        }
    }
}

/// The option without its variable where that is empty, which is as good as not set.
fn without_empty(argument: Arg) -> Arg {
    let value = argument.get_env().and_then(std::env::var_os);
    if value.is_some_and(|value| value.is_empty()) { argument.env(Resettable::Reset) } else { argument }
}

/// An option of a group, hidden from the help of a command of it that does not heed it.
fn hidden(argument: Arg, path: &str) -> Arg {
    let is_heeded = heeded::is_heeded(argument.get_id().as_str(), path);
    if is_heeded { argument } else { argument.hide(true) }
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

/// The names of the global options that the command which `path` leads to heeds.
fn globals(whole: &Command, path: &str) -> String {
    let global = whole
        .get_arguments()
        .filter(|argument| argument.is_global_set() && heeded::is_heeded(argument.get_id().as_str(), path));
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
    fn standard_input_has_one_reader() {
        for (command, both) in [
            ("push --plan - --git-username a --git-password-stdin", "--plan - and --git-password-stdin"),
            (
                "eval policy --semver 1.x --tags-from - --registry-password-stdin",
                "--tags-from - and --registry-password-stdin",
            ),
            (
                "plan --all --message-file - --git-username a --git-password-stdin",
                "--message-file - and --git-password-stdin",
            ),
            (
                "eval batch --registry-username a --registry-password-stdin",
                "eval batch and --registry-password-stdin",
            ),
        ] {
            let told = said(command);
            assert!(told.contains(both), "{command}: {told}");
        }
        let alone = ["supercargo", "push", "--plan", "x", "--git-password-stdin"].map(OsString::from);
        assert!(parse(&alone).is_ok());
    }

    #[test]
    fn the_word_help_asks_for_what_the_option_does() {
        assert_eq!(said("help"), said("--help"));
        assert_eq!(said("help get updates"), said("get updates --help"));
        assert_eq!(said("help get policies -o json"), said("get policies -o json --help"));
        assert_eq!(said("help --color never get"), said("--color never get --help"));
        let unknown = said("help get updats");
        assert!(unknown.contains("there is no command \"get updats\""), "{unknown}");
    }

    #[test]
    fn an_option_that_a_command_does_not_heed_is_refused_and_not_named() {
        for (command, option) in [
            ("delete image repository --all -s", "-l team=a"),
            ("suspend image policy --all", "--label-selector=x"),
            ("reconcile image repository --all", "--status-selector ready=false"),
            ("export image update --all", "-l a"),
            ("scan repository --all", "-l a"),
            ("plan --all", "--status-selector ready=true"),
            ("get updates", "--confirm-branch main"),
            ("", "-l a"),
        ] {
            let said = said(&format!("{option} {command}"));
            assert!(said.contains("means nothing to"), "{command} {option}: {said}");
        }
        for path in ["delete image repository", "push", "get tags", "get holds"] {
            let help = said(&format!("{path} --help"));
            assert!(!help.contains("--label-selector") && !help.contains("--watch"), "{path}: {help}");
        }
        for path in ["get policies", "get image all"] {
            assert!(said(&format!("{path} --help")).contains("--label-selector"), "{path}");
        }
        assert!(said("get updates --help").contains("--watch"));
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
