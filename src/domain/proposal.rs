//! A proposal: one policy's selection against the marked sites that one automation may write. The screen and the JSON
//! call it an *update*.

mod linked;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::linked::is_linked;
use super::age::Clocks;
use super::edit::ObjectEdit;
use super::object::ObjectId;
use crate::problem::Problem;

/// What a policy selected: `status.latestRef` of an `ImagePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// `spec.image` of the repository, verbatim.
    pub image: String,
    /// The tag.
    pub tag: String,
    /// The digest, if the policy reflects one.
    pub digest: Option<String>,
}

/// What a person decided about a site or an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Nothing yet; an undecided site is not pushed.
    #[default]
    Undecided,
    /// To be pushed.
    Approved,
    /// Passed over this time.
    Skipped,
    /// Of an update whose sites differ.
    Partial,
}

/// How far an update goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Another major version.
    Major,
    /// Another minor version.
    Minor,
    /// Another patch level.
    Patch,
    /// From or to a pre-release of the same version.
    Pre,
    /// Tags that are no versions.
    Build,
    /// The same tag, another digest.
    Digest,
    /// Another image name.
    Name,
    /// An older version, by the policy's own order.
    Down,
}

impl Step {
    /// What a row says of another image name.
    pub const NAME: &'static str = "name!";
    /// What a row says of a tag that goes back.
    pub const DOWN: &'static str = "DOWN";

    /// The word of the JSON: `major minor patch pre build digest name down`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Patch => "patch",
            Self::Pre => "pre",
            Self::Build => "build",
            Self::Digest => "digest",
            Self::Name => "name",
            Self::Down => "down",
        }
    }
}

/// The Kubernetes object whose document a site stands in; every part is empty where the document has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectIdentity {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// The parts of an object's identity, those that are empty as `null`.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ObjectIdentity", rename_all = "camelCase")]
struct NullIfEmpty {
    #[serde(default, with = "super::blank")]
    api_version: String,
    #[serde(default, with = "super::blank")]
    kind: String,
    #[serde(default, with = "super::blank")]
    namespace: String,
    #[serde(default, with = "super::blank")]
    name: String,
}

/// Which part of a reference a marker asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarkerPart {
    /// `ns:name`: image, tag and digest.
    Whole,
    /// `ns:name:tag`.
    Tag,
    /// `ns:name:name`.
    Name,
    /// `ns:name:digest`.
    Digest,
}

/// One marked scalar and what would be written there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The file, from the repository's root.
    pub file: String,
    /// The line of the value, from 1.
    pub line: usize,
    /// The column of the value, in bytes from 1.
    pub column: usize,
    /// The marker's text, such as `flux-system:podinfo:tag`.
    pub setter: String,
    /// Where in the document, such as `.spec.template.spec.containers[0].image`.
    pub field: String,
    /// The object of the document; what it lacks is `null` in the JSON.
    #[serde(with = "NullIfEmpty")]
    pub object: ObjectIdentity,
    /// The value that stands there.
    pub old: String,
    /// The value that would stand there; empty, and `null` in the JSON, when `blocked`.
    #[serde(with = "super::blank")]
    pub new: String,
    /// What was decided.
    pub decision: Decision,
    /// Why this site can not be written; not in the JSON of a site (its update says it).
    #[serde(skip, default)]
    pub blocked: Option<Problem>,
}

/// A hold: the person's word that a policy, or one tag of it, shall wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The policy.
    pub policy: ObjectId,
    /// The tag; `None`: whatever it selects.
    pub tag: Option<String>,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When it was made.
    pub since: Timestamp,
}

/// Whether an update can be approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdateState {
    /// It waits for a decision.
    Pending,
    /// A hold keeps it back.
    Held,
    /// It cannot be made; [`Proposal::blocked`] says why.
    Blocked,
}

/// The new part of a reference, as the JSON has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NewReference {
    /// The selected tag.
    pub tag: String,
    /// Its digest, if the policy reflects one.
    pub digest: Option<String>,
}

/// One update: what a policy selects, and the sites of one automation that differ from it.
///
/// Source: the shape of cli contract 7.8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The policy.
    pub policy: ObjectId,
    /// The automation that owns the sites; `None` is never written, the implied automation has a name too.
    pub automation: ObjectId,
    /// The repository's `spec.image`.
    pub image: String,
    /// The distinct current tags (or values, where they have no tag), in order of appearance.
    pub current: Vec<String>,
    /// What is selected; `None` when the policy fails.
    pub new: Option<NewReference>,
    /// How far it goes; the greatest of its sites.
    pub step: Option<Step>,
    /// Whether any site would go back, in the policy's own order.
    pub downgrade: bool,
    /// Whether the image's name changes at any site.
    pub name_changed: bool,
    /// Whether it can be approved.
    pub state: UpdateState,
    /// The decision of all its sites, `partial` if they differ.
    pub decision: Decision,
    /// The hold in force.
    pub hold: Option<Hold>,
    /// Why it cannot be made.
    pub blocked: Option<Problem>,
    /// Why this tag: `greatest of 41 candidates in 6.x`; empty, and `null` in the JSON, when none is selected.
    #[serde(with = "super::blank")]
    pub why: String,
    /// When the new tag was first seen by us.
    pub first_seen: Option<Timestamp>,
    /// What each clock says of its age; those of registry and builder only where a minimum age makes them matter.
    #[serde(default)]
    pub clocks: Clocks,
    /// Its sites by file, line, column.
    pub sites: Vec<Site>,
    /// What else a person asked for with it: changes of objects, made where the update is. No policy brings any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<ObjectEdit>,
}

const RESTORES: &str = "restores what ";

impl Proposal {
    /// The word of its step: `name!` and `DOWN` for what is approved by a second look only; empty if nothing can be told.
    pub fn step_word(&self) -> &'static str {
        match self.step {
            _ if self.name_changed => Step::NAME,
            _ if self.downgrade => Step::DOWN,
            Some(Step::Name) => Step::NAME,
            Some(Step::Down) => Step::DOWN,
            Some(step) => step.word(),
            None => "",
        }
    }

    /// How many different files its sites stand in.
    pub fn files(&self) -> usize {
        let mut files: Vec<&str> = self.sites.iter().map(|site| site.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        files.len()
    }

    /// Whether approving it needs a second word, and is never part of "approve all": it goes back, or changes the name.
    pub fn needs_second_look(&self) -> bool {
        self.downgrade || self.name_changed
    }

    /// The common decision of the sites that can be written, [`Decision::Partial`] if they differ. Of an update that has
    /// nothing but edits, what was decided about it.
    pub fn overall(&self) -> Decision {
        if self.has_edits_alone() {
            return self.decision;
        }
        let mut decisions = self.sites.iter().filter(|site| site.blocked.is_none()).map(|site| site.decision);
        let Some(first) = decisions.next() else {
            return Decision::Undecided;
        };
        if decisions.all(|decision| decision == first) { first } else { Decision::Partial }
    }

    /// Gives every site that can be written `decision`, and keeps [`Self::decision`] in step.
    pub fn decide(&mut self, decision: Decision) {
        for site in self.sites.iter_mut().filter(|site| site.blocked.is_none()) {
            site.decision = decision;
        }
        self.decision = if self.has_edits_alone() { decision } else { self.overall() };
    }

    /// The sites that are approved and can be written.
    pub fn approved(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| site.decision == Decision::Approved && site.blocked.is_none())
    }

    /// Whether anything of it is approved and can be written.
    pub fn is_approved(&self) -> bool {
        self.approved().next().is_some() || (self.has_edits_alone() && self.decision == Decision::Approved)
    }

    /// The edits that are made: all of them, where anything is approved.
    pub fn approved_edits(&self) -> &[ObjectEdit] {
        if self.is_approved() { &self.edits } else { &[] }
    }

    /// What a proposal that takes a commit back says of itself.
    pub fn restoring(commit: &str) -> String {
        format!("{RESTORES}{commit} changed")
    }

    /// Whether a person asked for it by name, against what the policy selects: it goes back, takes a commit back, or edits
    /// objects, too.
    pub fn is_asked_for(&self) -> bool {
        self.downgrade || !self.edits.is_empty() || self.why.starts_with(RESTORES)
    }

    fn has_edits_alone(&self) -> bool {
        self.sites.is_empty() && !self.edits.is_empty()
    }
}
