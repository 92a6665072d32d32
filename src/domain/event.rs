//! What is written down for those who ask later: who did what, when, where, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that was done. Its texts must hold no secret; whoever builds it sees to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What: `scan`, `decide`, `hold`, `fetch`, `push`, `request` or `object`.
    pub event: String,
    /// What it was done to.
    pub subject: String,
    /// In a sentence.
    pub detail: String,
    /// `ok`, `warn` or `error`.
    pub result: String,
    /// The mode it was done in.
    pub mode: String,
    /// The plan's id, where there is one.
    pub plan: Option<String>,
    /// Who did it.
    pub user: String,
    /// On which machine.
    pub host: String,
}
