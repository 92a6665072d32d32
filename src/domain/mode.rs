//! What may happen at all: how far the person lets the program go.

use serde::Deserialize;

/// What may be done: each mode allows what the one before it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Look only: nothing is changed anywhere.
    ReadOnly,
    /// Decisions are kept; pushes are simulated.
    #[default]
    DryRun,
    /// Pushes are real, each after a confirmation.
    Write,
}

impl Mode {
    /// The word of the badge: `READ-ONLY`, `DRY-RUN`, `WRITE`.
    pub fn badge(self) -> &'static str {
        match self {
            Self::ReadOnly => "READ-ONLY",
            Self::DryRun => "DRY-RUN",
            Self::Write => "WRITE",
        }
    }

    /// The word of configuration, environment and audit log.
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::DryRun => "dry-run",
            Self::Write => "write",
        }
    }
}
