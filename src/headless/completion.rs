//! `completion`, `man` and `version`.

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::{Map, Value, json};

use super::{Document, Text};
use crate::cli::Cli;
use crate::problem::{Code, Problem};
use crate::text::known_names;

/// A completion script: for bash, zsh and fish one that asks the program each time, which knows names of objects; for the others
/// commands and options as they are now.
pub(super) struct Script {
    text: Vec<u8>,
}

impl Script {
    pub(super) fn new(shell: Shell) -> Self {
        let asks = match shell {
            Shell::Bash => include_str!("../../assets/completion/supercargo.bash"),
            Shell::Zsh => include_str!("../../assets/completion/supercargo.zsh"),
            Shell::Fish => include_str!("../../assets/completion/supercargo.fish"),
            // The others get what is known without asking.
            _ => "",
        };
        let mut text = asks.as_bytes().to_vec();
        if text.is_empty() {
            clap_complete::generate(shell, &mut Cli::command(), "supercargo", &mut text);
        }
        Self { text }
    }
}

impl Document for Script {
    fn kind(&self) -> &'static str {
        "Completion"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("script".to_owned(), json!(String::from_utf8_lossy(&self.text)))])
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Raw(self.text.clone())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A manual page.
pub(super) struct Manual {
    page: Vec<u8>,
}

impl Manual {
    /// The page of a command, by its words; of the program itself without any.
    ///
    /// # Errors
    /// There is no such command.
    pub(super) fn of(words: &[String]) -> Result<Self, Problem> {
        let mut program = Cli::command();
        program.build();
        let mut command = &program;
        for (index, word) in words.iter().enumerate() {
            let Some(inner) = command.get_subcommands().find(|inner| inner.get_name() == word) else {
                let known = command.get_subcommands().filter(|inner| !inner.is_hide_set());
                let hint = known_names(word, known.map(clap::Command::get_name), "supercargo --help");
                let problem = Problem::new(Code::NotFound, words[..=index].join(" "), "no such command");
                return Err(problem.hint(hint));
            };
            command = inner;
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut page).map_err(|error| {
            Problem::new(Code::Internal, "man", "the page cannot be made").caused_by(&error)
        })?;
        Ok(Self { page })
    }
}

impl Document for Manual {
    fn kind(&self) -> &'static str {
        "Manual"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("page".to_owned(), json!(String::from_utf8_lossy(&self.page)))])
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Raw(self.page.clone())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What this build is.
pub(super) struct Version;

/// What this build can do beside the headless commands.
const FEATURES: &[&str] =
    if cfg!(feature = "tui") { &["files", "pull-requests", "tui"] } else { &["files", "pull-requests"] };

impl Version {
    fn commit() -> Option<&'static str> {
        option_env!("SUPERCARGO_COMMIT").filter(|commit| !commit.is_empty())
    }
}

impl Document for Version {
    fn kind(&self) -> &'static str {
        "Version"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([
            ("version".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
            ("commit".to_owned(), json!(Self::commit())),
            ("features".to_owned(), json!(FEATURES)),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        let commit = Self::commit().map_or_else(String::new, |commit| format!(" ({commit})"));
        Text::Raw(format!("supercargo {}{commit}\n", env!("CARGO_PKG_VERSION")).into_bytes())
    }

    fn names(&self) -> Vec<String> {
        vec![format!("supercargo/{}", env!("CARGO_PKG_VERSION"))]
    }
}
