//! The plan: what would be committed where, as a value that can be stored, reviewed elsewhere and refused when stale.
//!
//! [`propose`] compares marked sites with what the policies select; a person decides; [`Plan::build`] turns the approved
//! sites, and the edits of objects that a person asked for, into one commit for each automation; [`Approved::edit`] makes the new files out of the old ones, or says why the
//! plan no longer fits.

mod build;
mod ground;
mod identity;
mod making;
mod propose;
mod revert;
mod sound;
mod stale;
mod wanted;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::object::{ObjectId, Person};
use super::proposal::Proposal;
use super::refspec::{Refspec, short_name};
use crate::problem::Problem;

pub use build::{BuildOptions, message_data, template_problem, with_edits};
pub use ground::{
    Committing, FileEdit, FilePreview, Ground, MarkedFile, ProblemFile, Reader, Review, Selection,
    fingerprint, tags_in_files,
};
pub use propose::{current_approved, propose};
pub use revert::{Changed, revert, revert_edits};
pub use stale::{Approved, MEND_VALUE, Stale, changed_upstream, not_as_decided};
pub use wanted::{stand, stand_edits};

/// Approved updates, pinned to what they were made from.
///
/// The shape of its JSON is a published contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The first 12 hex digits of the SHA-256 over everything that decides the outcome.
    pub id: String,
    /// When it was made; also the time of its commits, so that the same plan makes the same commits.
    pub created: Timestamp,
    /// `USER@HOST`.
    pub created_by: String,
    /// The program's version.
    pub version: String,
    /// What went wrong on the way here and stops nothing.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// Bytes that change outside marked scalars and the lines of its edits; always 0.
    pub bytes_changed_outside_markers: u64,
    /// One commit each, by automation. Those with the same remote and branch land on top of each other, in this order.
    pub groups: Vec<Group>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The automation whose work this is.
    pub automation: ObjectId,
    /// The remote's address without credentials; `None` without Git.
    pub remote: Option<String>,
    /// What was read.
    pub base: Option<Base>,
    /// Where it goes.
    pub push: Option<PushTarget>,
    /// The author of the commit.
    pub author: Person,
    /// The automation's own key, where it could be read when the plan was made: the commit is signed with it, unless the operator
    /// signs with one of theirs, or has said that nothing is to be signed.
    #[serde(default)]
    pub signing_key: Option<SigningKey>,
    /// The message, byte for byte.
    pub message: String,
    /// Whether a person wrote it.
    pub message_edited: bool,
    /// What a person should know before pushing.
    pub warnings: Vec<Warning>,
    /// The files that change, by path.
    pub files: Vec<PlannedFile>,
    /// All updates of the automation, decided or not.
    pub updates: Vec<Proposal>,
}

/// `spec.git.commit.signingKey` of an automation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// The secret that holds it.
    pub secret: ObjectId,
    /// `gpg` or `ssh`.
    pub kind: String,
}

/// The commit that markers were read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The checkout reference, such as `refs/heads/main`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its commit.
    pub commit: String,
    /// When the remote said so.
    pub fetched: Timestamp,
    /// Whether the remote could not be asked since.
    pub stale: bool,
}

/// The branch to push to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTarget {
    /// Its name, without `refs/heads/`.
    pub branch: String,
    /// Its tip on the remote; `None` if it does not exist there.
    pub commit: Option<String>,
    /// How many commits of the checkout branch it lacks; `None` if that is not known.
    pub behind: Option<usize>,
    /// `git.push.refspec` of the automation: what else is pushed; not to a branch that is not the automation's.
    pub refspec: Option<String>,
    /// `git.push.options` of the automation.
    pub options: BTreeMap<String, String>,
    /// Whether the branch was named after the plan was made: its tip is whatever the remote has then.
    #[serde(skip)]
    pub elsewhere: bool,
}

impl PushTarget {
    /// The push options as the server gets them.
    pub fn option_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.options.iter().map(|(key, value)| format!("{key}={value}"))
    }

    /// All that is moved: the branch, and what the refspec adds; what is no branch has its full name.
    pub fn names(&self) -> Vec<String> {
        let spec = self.refspec.as_deref().and_then(|text| Refspec::parse(text).ok());
        let also = spec.map(|spec| short_name(&spec.to).to_owned()).filter(|name| *name != self.branch);
        std::iter::once(self.branch.clone()).chain(also).collect()
    }
}

/// A warning with a word for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Such as `automation_active`.
    pub code: String,
    /// One sentence.
    pub message: String,
}

impl Warning {
    /// A warning.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// One file that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// From the repository's root.
    pub path: String,
    /// SHA-256 of the content before, in hex.
    pub sha256_before: String,
    /// SHA-256 of the content after, in hex.
    pub sha256_after: String,
    /// Whether Flux would change other bytes too; `None`: not computed.
    pub controller_reformats: Option<bool>,
}

impl Plan {
    /// The same plan for another branch; where that branch is, nobody has looked yet.
    #[must_use]
    pub fn onto(mut self, branch: &str) -> Self {
        let pushes = self.groups.iter_mut().filter_map(|group| group.push.as_mut());
        for push in pushes.filter(|push| push.branch != branch) {
            branch.clone_into(&mut push.branch);
            (push.commit, push.behind, push.elsewhere, push.refspec) = (None, None, true, None);
        }
        self
    }

    /// A remote that did not answer when the plan was made, so that nobody knows what it has now.
    pub fn not_reached(&self) -> Option<&str> {
        let is_stale = |group: &&Group| group.base.as_ref().is_some_and(|base| base.stale);
        self.groups.iter().find(is_stale).and_then(|group| group.remote.as_deref())
    }

    /// How many updates, files and sites are approved.
    pub fn approved_counts(&self) -> Counts {
        let mut counts = Counts::default();
        for group in &self.groups {
            counts.files += group.files.len();
            for update in &group.updates {
                counts.sites += update.approved().count();
                counts.edits += update.approved_edits().len();
                counts.updates += usize::from(update.is_approved());
            }
        }
        counts
    }

    /// The groups in runs that share remote and branch; each run is one push.
    pub fn pushes(&self) -> Vec<Vec<&Group>> {
        let mut pushes: Vec<Vec<&Group>> = Vec::new();
        for group in &self.groups {
            match pushes.iter_mut().find(|run| run.first().is_some_and(|first| first.same_target(group))) {
                Some(run) => run.push(group),
                None => pushes.push(vec![group]),
            }
        }
        pushes
    }
}

/// How much a plan changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Policies.
    pub updates: usize,
    /// Files.
    pub files: usize,
    /// Marked scalars.
    pub sites: usize,
    /// Edits of objects.
    pub edits: usize,
}

impl Base {
    /// Whether the remote was asked at `since`, a time in whole seconds, or later.
    pub fn is_asked(&self, since: Timestamp) -> bool {
        !self.stale && self.fetched.as_second() >= since.as_second()
    }
}

impl Group {
    /// Whether both land on the same branch of the same remote.
    pub fn same_target(&self, other: &Self) -> bool {
        let branch = |group: &Self| group.push.as_ref().map(|push| push.branch.clone());
        self.remote.is_some() && self.remote == other.remote && branch(self) == branch(other)
    }

    /// The commit that the group's commit is built on: the push branch's tip if it exists, else the base.
    pub fn parent(&self) -> Option<&str> {
        let tip = self.push.as_ref().and_then(|push| push.commit.as_deref());
        tip.or_else(|| self.base.as_ref().map(|base| base.commit.as_str()))
    }

    /// The name and commit of what the group's commit is built on, as [`Self::parent`] has it.
    pub fn stands_on(&self) -> Option<(&str, &str)> {
        stands_on(self.base.as_ref(), self.push.as_ref())
    }
}

/// The name and commit that a commit from `base` to `push` is built on: the push branch's tip where that is another
/// commit, else the base.
fn stands_on<'a>(base: Option<&'a Base>, push: Option<&'a PushTarget>) -> Option<(&'a str, &'a str)> {
    let base = base?;
    let tip = push.and_then(|push| Some((push.branch.as_str(), push.commit.as_deref()?)));
    Some(tip.filter(|(_, tip)| *tip != base.commit).unwrap_or((&base.reference, &base.commit)))
}

/// SHA-256 of `bytes` in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
