//! Which commands heed an option that stands on more than one.
//!
//! What chooses among objects, or says what is agreed to, must never be taken and passed over: a command that does not heed
//! such an option refuses it, its help does not name it, and no shell completes it.

use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;

/// An option that not every command heeds.
struct Heeded {
    /// Its name in the parser's tree.
    id: &'static str,
    /// The commands that heed it, each with all that stands below.
    commands: &'static [&'static str],
    /// What to do where it is refused; `None`: those that do not heed it say so themselves.
    instead: Option<&'static str>,
}

/// The table of options and commands.
const HEEDED: &[Heeded] = &[
    Heeded {
        id: "label_selector",
        commands: &[
            "get repositories",
            "get policies",
            "get automations",
            "get image",
            "get updates",
            "diff updates",
            "plan",
        ],
        instead: Some("Name what is meant."),
    },
    Heeded {
        id: "status_selector",
        commands: &["get repositories", "get policies", "get automations", "get image"],
        instead: Some("Name what is meant."),
    },
    Heeded {
        id: "confirm_branch",
        commands: &["push", "merge", "bootstrap"],
        instead: Some("Confirm a branch where it is pushed to."),
    },
    Heeded {
        id: "watch",
        commands: &[
            "get repositories",
            "get policies",
            "get automations",
            "get updates",
            "get image repository",
            "get image policy",
            "get image update",
            "scan",
            "events",
        ],
        instead: None,
    },
];

/// Whether the command that `path` leads to, such as `supercargo get tags`, heeds the option.
pub(super) fn is_heeded(id: &str, path: &str) -> bool {
    let words = path.strip_prefix("supercargo").unwrap_or(path).trim_start();
    let is_below = |command: &&str| {
        words.strip_prefix(*command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    // A group has what one of its commands has.
    let is_above = |command: &&str| {
        words.is_empty() || command.strip_prefix(words).is_some_and(|rest| rest.starts_with(' '))
    };
    let row = HEEDED.iter().find(|row| row.id == id);
    row.is_none_or(|row| row.commands.iter().any(|command| is_below(command) || is_above(command)))
}

/// That the command `words` was given an option, by the matches of the last of them, that it does not heed; no words are the
/// dashboard.
pub(super) fn unheeded(words: &[&str], last: &ArgMatches) -> Option<clap::Error> {
    let path = words.join(" ");
    let is_typed = |row: &&Heeded| {
        let known = last.try_contains_id(row.id).unwrap_or(false);
        known && last.value_source(row.id) == Some(ValueSource::CommandLine)
    };
    let rows = HEEDED.iter().filter(|row| words.is_empty() || !is_heeded(row.id, &path));
    let (row, instead) = rows.filter(is_typed).find_map(|row| Some((row, row.instead?)))?;
    let option = row.id.replace('_', "-");
    let who = if words.is_empty() { "the dashboard" } else { &path };
    let text = format!("--{option} means nothing to {who}; it is heeded by: {}\n", row.commands.join(", "));
    let mut error = clap::Error::raw(ErrorKind::ArgumentConflict, text);
    error.insert(ContextKind::Custom, ContextValue::String(instead.to_owned()));
    Some(error)
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_table_names_options_and_commands_that_are_there() {
        let root = Cli::command();
        for row in HEEDED {
            for path in row.commands {
                let (mut command, mut is_there) = (&root, false);
                let has =
                    |command: &Command| command.get_arguments().any(|argument| argument.get_id() == row.id);
                is_there |= has(command);
                for word in path.split(' ') {
                    command = command.find_subcommand(word).unwrap();
                    assert_eq!(command.get_name(), word, "an alias is no name");
                    is_there |= has(command);
                }
                assert!(is_there, "{path} has no {}", row.id);
            }
        }
    }
}
