//! What became of a plan: one result for each commit; and of pushes that nobody saw the end of.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::object::{ObjectId, Person};
use super::plan::{Base, PushTarget};
use super::request::Request;
use crate::problem::{Code, Problem};

/// The outcome of one group of a plan.
///
/// The shape of `push -o json`.
#[expect(clippy::struct_excessive_bools, reason = "the published JSON has them side by side")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// The automation.
    pub automation: ObjectId,
    /// The remote's address without credentials; empty where there is none, and null in JSON.
    #[serde(with = "or_null")]
    pub remote: String,
    /// The branch, without `refs/heads/`; as above.
    #[serde(with = "or_null")]
    pub branch: String,
    /// What the automation's refspec moves with it: at most one name, without `refs/heads/`.
    #[serde(default)]
    pub also: Vec<String>,
    /// What of that the remote did not take, though it took the branch.
    #[serde(skip)]
    pub missed: Option<String>,
    /// Whether the push made the branch.
    pub created: bool,
    /// The commit it was built on; as above.
    #[serde(with = "or_null")]
    pub base: String,
    /// Our commit; `None` if it could not be built, and where the base has all of it by no commit of the plan.
    pub commit: Option<String>,
    /// Whether it was sent (never in a dry run).
    pub pushed: bool,
    /// Whether the remote was asked afterwards and has it.
    pub verified: bool,
    /// Whether it was there before.
    pub already: bool,
    /// The label of the credential that served.
    pub credential: Option<String>,
    /// The pull or merge request, if one was asked for.
    pub request: Option<Request>,
    /// Why it did not land.
    pub error: Option<Problem>,
}

/// Why nothing landed, where that is because branches of the remote are elsewhere than when the plan was made, and because of
/// nothing else.
pub fn outrun(landed: &[Landed]) -> Option<&Problem> {
    let is_past = |problem: &Problem| matches!(problem.code, Code::BranchMoved | Code::GitRace);
    let why = |landed: &Landed| !landed.is_there() && landed.error.as_ref().is_some_and(is_past);
    landed.iter().all(why).then_some(landed.first()?.error.as_ref()).flatten()
}

/// The outcome of a merge, in the shape of [`Landed`].
#[expect(clippy::struct_excessive_bools, reason = "the published JSON has them side by side")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// No automation merges: always `None`.
    pub automation: Option<ObjectId>,
    /// The remote's address without credentials.
    pub remote: String,
    /// The branch that was merged into, without `refs/heads/`.
    pub branch: String,
    /// Whether the push made the branch; never.
    pub created: bool,
    /// The commit that the branch was at; empty where nobody could look, and null in JSON.
    #[serde(serialize_with = "or_null::serialize")]
    pub base: String,
    /// The commit that the branch which is merged was at.
    #[serde(skip)]
    pub tip: String,
    /// The commit that it is to be at.
    pub commit: Option<String>,
    /// Whether it was sent (never in a dry run).
    pub pushed: bool,
    /// Whether the remote was asked afterwards and has it.
    pub verified: bool,
    /// Whether the branch had all of the other before.
    pub already: bool,
    /// Whether no merge commit was needed.
    pub fast_forward: bool,
    /// The commits that come along, the newest first; `None`: the histories meet further back than is looked.
    pub brings: Option<Vec<Brought>>,
    /// The label of the credential that served.
    pub credential: Option<String>,
    /// No request is opened for a merge: always `None`.
    pub request: Option<()>,
    /// Why it was not merged.
    pub error: Option<Problem>,
}

/// A commit that a merge brings along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brought {
    /// Whose it is.
    pub author: Person,
    /// The first line of its message.
    pub subject: String,
}

impl fmt::Display for Brought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.subject, self.author.name)
    }
}

impl Merged {
    /// The outcome where nothing came to be.
    pub fn failed(remote: String, into: String, error: Problem) -> Self {
        Self {
            automation: None,
            remote,
            branch: into,
            created: false,
            base: String::new(),
            tip: String::new(),
            commit: None,
            pushed: false,
            verified: false,
            already: false,
            fast_forward: false,
            credential: None,
            request: None,
            error: Some(error),
            brings: None,
        }
    }

    /// What has to be taken back to undo it: its commit, or `A..B` where a branch moved over several.
    pub fn revertible(&self) -> Option<String> {
        let commit = self.commit.clone()?;
        let is_one = !self.fast_forward || self.brings.as_ref().is_some_and(|brings| brings.len() < 2);
        Some(if is_one { commit } else { format!("{}..{commit}", self.base) })
    }

    /// The same as the outcome of a commit for `automation`, for the one place that shows both.
    pub fn landed(self, automation: ObjectId) -> Landed {
        let Self { remote, branch, created, base, commit, pushed, verified, already, credential, .. } = self;
        Landed {
            automation,
            remote,
            branch,
            also: Vec::new(),
            missed: None,
            created,
            base,
            commit,
            pushed,
            verified,
            already,
            credential,
            request: None,
            error: self.error,
        }
    }
}

impl Landed {
    /// All that is moved, in words: `image-updates`, `image-updates and main`.
    pub fn places(&self) -> String {
        std::iter::once(&self.branch).chain(&self.also).map(String::as_str).collect::<Vec<_>>().join(" and ")
    }

    /// Whether the branch has the commit, whatever became of the request.
    pub fn is_there(&self) -> bool {
        self.pushed || self.already
    }
}

/// A branch of a remote that can be merged into the one that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merge {
    /// The automation that pushes to the branch.
    pub automation: ObjectId,
    /// The remote's address without credentials.
    pub remote: String,
    /// The branch that is merged.
    pub from: String,
    /// The branch that it is merged into.
    pub into: String,
}

impl Merge {
    /// The merge that follows a commit for `automation`, by what is read and where it goes; `None`: it went there itself.
    pub fn of(
        automation: &ObjectId,
        remote: Option<&str>,
        (base, push): (Option<&Base>, Option<&PushTarget>),
    ) -> Option<Self> {
        let into = base?.reference.strip_prefix("refs/heads/")?.to_owned();
        let from = push?.branch.clone();
        let is_another = from != into;
        is_another.then_some(Self { automation: automation.clone(), remote: remote?.to_owned(), from, into })
    }
}

/// A step on the way, for the screen and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandingStep {
    /// What is done, in Git's words: `git fetch REMOTE BRANCH`.
    pub text: String,
    /// How long it took in milliseconds; `None` while it runs.
    pub millis: Option<u64>,
    /// Whether commits are on their way to the remote: from then on it runs to its end.
    pub sends: bool,
}

impl LandingStep {
    /// A step that begins; nothing is sent yet.
    pub fn begun(text: impl Into<String>) -> Self {
        Self { text: text.into(), millis: None, sends: false }
    }

    /// The same when it has ended.
    #[must_use]
    pub fn ended(self, millis: u64) -> Self {
        Self { millis: Some(millis), ..self }
    }
}

/// A push of an earlier run that nobody saw the end of: its process was killed, or its terminal was gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    /// The remote's address without credentials.
    pub remote: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The commit that was to become its tip, shortened.
    pub commit: String,
    /// When it was begun.
    pub time: Timestamp,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The branch has the commit.
    Landed,
    /// The branch does not have it, and why.
    NotLanded(String),
    /// The branch has another commit by now, shortened, which may stand on ours.
    Superseded(String),
    /// The branch does not have it yet, and where it is: the server may be at it still, and will be asked again.
    Pending(String),
    /// Nobody could be asked, and why; it will be tried again.
    Unknown(String),
}

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remote, branch, commit, time, fate } = self;
        write!(f, "the push of {commit} to {branch} of {remote}, begun {time:.0} and not seen to end, ")?;
        match fate {
            Fate::Landed => f.write_str("landed"),
            Fate::NotLanded(why) => write!(f, "did not land: {why}"),
            Fate::Superseded(tip) => write!(f, "may have landed: {branch} is at {tip} by now"),
            Fate::Pending(why) => write!(f, "is not there yet and may still land: {why}"),
            Fate::Unknown(why) => write!(f, "may have landed: {why}"),
        }
    }
}

impl From<&CutOff> for Problem {
    /// A warning.
    fn from(cut_off: &CutOff) -> Self {
        Self::new(Code::State, "push", cut_off.to_string())
    }
}

/// A text of which an empty one is null in JSON.
mod or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        (!text.is_empty()).then_some(text).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_null() {
        let problem = Problem::new(Code::GitNotFound, "x", "gone");
        let failed = Merged::failed("https://git.example.com/fleet".into(), "main".into(), problem);
        let landed = Landed { remote: String::new(), ..failed.landed(ObjectId::new("shop", "apps")) };
        let json = serde_json::to_value(&landed).unwrap();
        assert_eq!((&json["remote"], &json["base"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        assert_eq!(json["branch"], "main");
        assert_eq!(serde_json::from_value::<Landed>(json).unwrap(), landed);
    }

    #[test]
    fn a_push_is_outrun_where_branches_moved_and_nothing_was_sent() {
        let failed = |code| {
            let problem = Problem::new(code, "shop/apps", "why");
            let failed = Merged::failed("https://git.example.com/fleet".into(), "main".into(), problem);
            failed.landed(ObjectId::new("shop", "apps"))
        };
        assert!(outrun(&[failed(Code::BranchMoved), failed(Code::GitRace)]).is_some());
        // It was taken back, or never begun; or the registry or a file is not what it was.
        for code in [Code::GitContested, Code::StalePlan, Code::GitRejected] {
            assert_eq!(outrun(&[failed(code)]), None, "{code:?}");
            assert_eq!(outrun(&[failed(Code::BranchMoved), failed(code)]), None, "{code:?}");
        }
        let there = Landed { pushed: true, error: None, ..failed(Code::GitRace) };
        assert_eq!(outrun(&[failed(Code::BranchMoved), there]), None);
        assert_eq!(outrun(&[]), None);
    }

    #[test]
    fn what_became_of_a_push_is_one_sentence() {
        let said = |fate| {
            let cut_off = CutOff {
                remote: "https://git.example.com/fleet".into(),
                branch: "image-updates".into(),
                commit: "8d2e91b".into(),
                time: "2026-03-01T13:40:00Z".parse().unwrap(),
                fate,
            };
            cut_off.to_string()
        };
        let push = "the push of 8d2e91b to image-updates of https://git.example.com/fleet, \
                    begun 2026-03-01T13:40:00Z and not seen to end, ";
        assert_eq!(said(Fate::Landed), format!("{push}landed"));
        assert_eq!(said(Fate::NotLanded("declined".into())), format!("{push}did not land: declined"));
        let pending = format!("{push}is not there yet and may still land: image-updates is still at 4c1f0e2");
        assert_eq!(said(Fate::Pending("image-updates is still at 4c1f0e2".into())), pending);
        let by_now = format!("{push}may have landed: image-updates is at 4c1f0e2 by now");
        assert_eq!(said(Fate::Superseded("4c1f0e2".into())), by_now);
        assert_eq!(said(Fate::Unknown("timeout".into())), format!("{push}may have landed: timeout"));
    }
}
