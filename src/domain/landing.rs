//! What became of a plan: one result for each commit.

use serde::{Deserialize, Serialize};

use super::object::ObjectId;
use crate::problem::Problem;

/// The outcome of one group of a plan.
///
/// The shape of `push -o json`.
#[expect(clippy::struct_excessive_bools, reason = "the published JSON has them side by side")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// The automation.
    pub automation: ObjectId,
    /// The remote's address without credentials.
    pub remote: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Whether the push made the branch.
    pub created: bool,
    /// The commit it was built on.
    pub base: String,
    /// Our commit; `None` if it could not be built.
    pub commit: Option<String>,
    /// Whether it was sent (never in a dry run).
    pub pushed: bool,
    /// Whether the remote was asked afterwards and has it.
    pub verified: bool,
    /// Whether it was there before.
    pub already: bool,
    /// The label of the credential that served.
    pub credential: Option<String>,
    /// The pull request; none is opened yet.
    pub request: Option<()>,
    /// Why it did not land.
    pub error: Option<Problem>,
}

/// A step on the way, for the screen and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandingStep {
    /// What is done, in Git's words: `git fetch REMOTE BRANCH`.
    pub text: String,
    /// How long it took in milliseconds; `None` while it runs.
    pub millis: Option<u64>,
}
