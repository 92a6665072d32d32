//! `completion` and `version`.

use clap::CommandFactory;
use serde_json::{Map, Value, json};

use super::{Document, Text};
use crate::cli::Cli;

/// A completion script.
pub(super) struct Script {
    text: Vec<u8>,
}

impl Script {
    pub(super) fn new(shell: clap_complete::Shell) -> Self {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "supercargo", &mut text);
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
