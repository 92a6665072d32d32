//! What looks for faults, and what shells need.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use crate::domain::hold::Until;

/// `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Since when: how long ago, such as 1h or 7d, or a date or time [default: everything that is kept].
    #[arg(long, value_name = "1h")]
    pub since: Option<Until>,
    /// Go on, and print each event as it is written down.
    #[arg(short, long)]
    pub watch: bool,
}

/// `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Only markers below this path.
    pub path: Option<PathBuf>,
    /// Unmarked images, unused objects, broken chains and obsolete versions are problems too.
    #[arg(long)]
    pub strict: bool,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Only what is needed before anything is set up.
    #[arg(long, action = ArgAction::SetTrue)]
    pub pre: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// What to look at; everything if absent.
    #[command(subcommand)]
    pub what: Option<DoctorWhat>,
}

/// What `doctor` looks at.
#[derive(Debug, Subcommand)]
pub enum DoctorWhat {
    /// One registry: each credential in the order tried, and what the registry said.
    Registry {
        /// The registry, or an image in it.
        #[arg(value_name = "HOST|IMAGE")]
        place: String,
    },
}

/// `completion`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command; the program itself if absent.
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What of it.
    #[command(subcommand)]
    pub what: ConfigWhat,
}

/// What `config` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ConfigWhat {
    /// Where files and folders of ours lie.
    Path,
    /// What is in force, and who said so.
    View,
    /// Whether the files can be read; keys that nothing reads are warnings.
    Check,
    /// A documented file with every key and its default.
    Default,
}

/// `theme`.
#[derive(Debug, Args)]
pub struct ThemeArgs {
    /// What of it.
    #[command(subcommand)]
    pub what: ThemeWhat,
}

/// What `theme` does.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ThemeWhat {
    /// The themes there are: shipped ones, and your own.
    List,
    /// What a theme gets wrong, its contrast, and what colour-blind eyes see; exit 1 if it gets something wrong.
    Check {
        /// A theme's name, or a file.
        #[arg(value_name = "FILE|NAME")]
        theme: String,
    },
    /// What a theme makes of every role; -o wide: with 256 and 16 colours, too.
    Show {
        /// A theme's name.
        name: String,
    },
}

/// `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what.
    #[command(subcommand)]
    pub what: SchemaWhat,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum SchemaWhat {
    /// A plan, as `plan -o json` prints it.
    Plan,
}
