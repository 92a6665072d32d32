//! A command line that makes no sense, as a problem: what is wrong with it, and the nearest thing that would be right.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;
use super::help::HELP;
use crate::problem::{Code, Problem};
use crate::text::nearest;

/// Whether these arguments ask for JSON, as far as can be seen in arguments that may be wrong.
pub fn wants_json(arguments: &[OsString]) -> bool {
    let words: Vec<&str> =
        arguments.iter().map_while(|word| word.to_str()).take_while(|word| *word != "--").collect();
    let alone = words.iter().any(|word| matches!(*word, "-ojson" | "-o=json" | "--output=json"));
    alone || words.windows(2).any(|pair| matches!(pair, ["-o" | "--output", "json"]))
}

/// The problem behind an error of the command line's parser.
pub fn problem(error: &clap::Error, arguments: &[OsString]) -> Problem {
    let text = error.render().to_string();
    let subject = subject(&text).unwrap_or_else(|| typed(arguments));
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let message = format!("it takes a subcommand: {}", subcommands(&subject).join(", "));
        return see_help(Problem::new(Code::Usage, &subject, message), &subject);
    }
    let problem = Problem::new(Code::Usage, &subject, message(&text));
    let is_nameless = error.kind() == ErrorKind::MissingRequiredArgument && text.contains("<NAME>...");
    match (error.get(ContextKind::Custom), suggestion(error)) {
        (Some(ContextValue::String(hint)), _) => problem.hint(hint),
        (_, Some(near)) => problem.hint(format!("Did you mean {near}?")),
        _ if is_nameless && takes_all(&subject) => problem.hint("Give a name, or --all."),
        _ => see_help(problem, &subject),
    }
}

/// The command that a path of words leads to.
fn command(subject: &str) -> clap::Command {
    let mut command = Cli::command();
    for word in subject.split(' ').skip(1) {
        if let Some(below) = command.find_subcommand(word) {
            command = below.clone();
        }
    }
    command
}

fn takes_all(subject: &str) -> bool {
    command(subject).get_arguments().any(|argument| argument.get_long() == Some("all"))
}

/// The command as far as its words were typed, where the parser does not say: `supercargo get updates`.
pub(super) fn typed(arguments: &[OsString]) -> String {
    let (mut command, mut path) = (Cli::command(), "supercargo".to_owned());
    for word in arguments.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(below) = command.find_subcommand(word).cloned() {
            path = format!("{path} {}", below.get_name());
            command = below;
        }
    }
    path
}

/// Whether no command was typed.
pub(super) fn is_root(arguments: &[OsString]) -> bool {
    typed(arguments) == "supercargo"
}

/// The word in PATH's place, if it is neither a command nor, by `is_path`, a path or an address: a misspelt command.
///
/// The parser takes it for PATH and then stumbles over what follows, or opens the dashboard on it.
pub fn stray_word(arguments: &[OsString], is_path: impl Fn(&str) -> bool) -> Option<Problem> {
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    let word = matches.get_one::<String>("path")?;
    // Whatever follows it was looked at there; a path of this name is `./help`.
    if word == HELP {
        return None;
    }
    // With a separator or a dot it was meant as a path; whoever opens it says what is wrong with it.
    if word.contains(['/', '.', ':']) || is_path(word) {
        return None;
    }
    let known = subcommands("supercargo");
    let problem = Problem::new(Code::Usage, word, "no such command or path");
    Some(match nearest(word, known.iter().map(String::as_str)) {
        Some(near) => problem.hint(format!("Did you mean {near}?")),
        None => see_help(problem, "supercargo"),
    })
}

/// The names of a command's subcommands, those that are hidden left out.
fn subcommands(subject: &str) -> Vec<String> {
    let command = command(subject);
    let known = command.get_subcommands().filter(|command| !command.is_hide_set());
    known.map(|command| command.get_name().to_owned()).collect()
}

fn see_help(problem: Problem, subject: &str) -> Problem {
    problem.hint(format!("See {subject} --help."))
}

/// The first paragraph, without the word `error:`, on one line.
fn message(text: &str) -> String {
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().skip_while(|word| *word == "error:").collect();
    words.join(" ")
}

/// The command as far as it was understood, from the usage line: `supercargo get`.
fn subject(text: &str) -> Option<String> {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "))?;
    let words = usage.split(' ').take_while(|word| !word.starts_with(['[', '<', '-']));
    Some(words.collect::<Vec<_>>().join(" "))
}

/// What the parser thinks was meant; of several the nearest, and a plural before its singular.
fn suggestion(error: &clap::Error) -> Option<String> {
    let pairs = [
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
    ];
    pairs.into_iter().find_map(|(typed, suggested)| match (error.get(typed), error.get(suggested)?) {
        (_, ContextValue::String(one)) => Some(one.clone()),
        (Some(ContextValue::String(typed)), ContextValue::Strings(several)) => {
            let mut several: Vec<&str> = several.iter().map(String::as_str).collect();
            several.sort_by_key(|word| std::cmp::Reverse(word.len()));
            nearest(typed, several.iter().copied()).or(several.first().copied()).map(str::to_owned)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        std::iter::once("supercargo").chain(text.split_whitespace()).map(OsString::from).collect()
    }

    fn said(text: &str) -> String {
        let typed = arguments(text);
        let problem = problem(&Cli::try_parse_from(&typed).unwrap_err(), &typed);
        assert_eq!(problem.exit(), 2);
        format!("{problem} | {}", problem.hint.as_deref().unwrap_or_default())
    }

    #[test]
    fn a_misspelt_word_is_answered_with_the_nearest() {
        assert_eq!(
            said("get updats"),
            "supercargo get: unrecognized subcommand 'updats' | Did you mean updates?"
        );
        let flag = said("plan --al");
        assert!(flag.ends_with("unexpected argument '--al' found | Did you mean --all?"), "{flag}");
        let value = said("get updates -o jsno");
        assert!(value.contains("'jsno'") && value.ends_with("Did you mean json?"), "{value}");
    }

    #[test]
    fn what_is_missing_is_said_on_one_line() {
        assert_eq!(
            said("get tags"),
            "supercargo get tags: the following required arguments were not provided: <REPO> | \
             See supercargo get tags --help."
        );
        assert!(said("plan").ends_with("| Give a name, or --all."), "{}", said("plan"));
        let twice = said("plan api --message a --message-file b");
        assert!(twice.contains("cannot be used with") && twice.ends_with("--help."), "{twice}");
        let value = said("get updates --refresh sometimes");
        assert!(value.starts_with("supercargo get updates: "), "{value}");
        assert_eq!(
            said("explain"),
            "supercargo explain: it takes a subcommand: tag | See supercargo explain --help."
        );
    }

    #[test]
    fn a_misspelt_command_is_not_taken_for_a_path() {
        let stray =
            |text: &str| stray_word(&arguments(text), |path| path == "deploy").map(|found| found.hint);
        assert_eq!(stray("gte updates"), Some(Some("Did you mean get?".to_owned())));
        assert_eq!(stray("paln --all -o json"), Some(Some("Did you mean plan?".to_owned())));
        assert_eq!(stray("frobnicate"), Some(Some("See supercargo --help.".to_owned())));
        assert_eq!(stray("deploy"), None);
        assert_eq!(stray("./gte"), None);
        assert_eq!(stray("get updats"), None);
        assert_eq!(stray("get policies gte"), None);
        assert!(stray("sketch plan").is_some(), "a command that is not there before one that is");
        assert_eq!(stray("deploy get updates"), None);
    }

    #[test]
    fn json_is_seen_in_arguments_that_do_not_parse() {
        for text in ["gte -o json", "get --nope --output=json", "get updates -ojson x y"] {
            assert!(wants_json(&arguments(text)), "{text}");
        }
        assert!(!wants_json(&arguments("get updates -o name json")));
        assert!(!wants_json(&arguments("set -- -o json")));
    }
}
