//! Everything that can happen: keys and sizes, time, and what the engine found.
//!
//! A message is a fact. Answers carry the [`JobId`] of the question, so that an answer to a question nobody asks any
//! more is known as such.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::configured::Configured;
use super::effect::JobId;
use super::find::Hits;
use super::keymap::Key;
use super::layout::Size;
use super::moment::Moment;
use super::pointer::Spot;
use super::world::{Around, Glanced, Live, Sightings, Told, Verdict};
use crate::domain::branch::{Guard, Guarded};
use crate::domain::event::Event;
use crate::domain::inventory::Inventory;
use crate::domain::keep::RollBack;
use crate::domain::landing::{CutOff, Landed, LandingStep, Merged};
use crate::domain::lint::{Survey, Unmarked};
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::{Denied, Order};
use crate::domain::plan::{FilePreview, Ground, Plan, Selection};
use crate::domain::proposal::{Hold, Proposal};
use crate::domain::scan::Scan;
use crate::domain::trial::{TrialEdit, Tried};
use crate::problem::Problem;

/// What can happen.
#[derive(Debug, Clone)]
pub enum Msg {
    /// What time it is; comes before every batch of other messages, and alone when `State::wake_at` is
    /// reached.
    Now(Moment, Timestamp),
    /// Keys wait to be taken in; comes before [`Self::Now`], so that nothing that is due moves rows under them.
    KeysCame(Moment),
    /// A key was pressed.
    Key(Key),
    /// An action was asked for by the beginning of its name in the palette.
    Named(String),
    /// Text was pasted, as the terminal sent it.
    Paste(String),
    /// The editor has ended: what it left, or why it left nothing.
    MessageWritten(Result<String, String>),
    /// The pager has ended; or why it could not be run.
    PagerEnded(Result<(), String>),
    /// `ssh` was answered: how many remotes are open now, or why one is not.
    WayOpened(Result<usize, String>),
    /// The terminal has this size now.
    Resized(Size),
    /// A frame was drawn and sent; dialogs count their guard time from it.
    Drawn(Moment),
    /// The preview was drawn from this line on: those below it fill the pane no more than to its end.
    Scrolled(usize),
    /// The objects were read.
    Loaded(JobId, Result<Box<Loaded>, Problem>),
    /// There are no objects anywhere; what was tried.
    NothingFound(JobId, Vec<String>),
    /// What a large scan will ask of registries, before it does.
    Announced(String),
    /// A scan has seen so many tags.
    ScanProgress {
        /// The question.
        job: JobId,
        /// The repository.
        repository: ObjectId,
        /// Tags so far.
        seen: usize,
    },
    /// The terminal answered a question after this time, for the first time.
    TerminalIsSlow(Duration),
    /// The mouse was pressed on something that is shown.
    Clicked(Spot),
    /// The wheel was turned by a notch.
    Wheel {
        /// Whether towards what stands below.
        down: bool,
        /// Over what.
        spot: Option<Spot>,
    },
    /// The configuration says something else, in another kube context.
    Configured(Box<Configured>),
    /// A scan is done.
    TagsListed(JobId, ObjectId, Scan),
    /// Tags of a repository were seen to stand for other digests than before.
    TagsMoved {
        /// The repository.
        repository: ObjectId,
        /// Those that moved just now.
        moved: Vec<String>,
        /// All that ever did, as far as is known.
        all: Vec<String>,
    },
    /// A scan failed.
    ScanFailed {
        /// The question.
        job: JobId,
        /// The repository.
        repository: ObjectId,
        /// Why.
        problem: Problem,
    },
    /// A policy was evaluated against the newest tags.
    Evaluated(ObjectId, Arc<Verdict>),
    /// What came of a trial; `None`: the policy or its tags are gone.
    Tried(JobId, Option<Arc<Tried>>),
    /// Marked files were read and compared with the verdicts.
    Proposed(JobId, Result<Proposed, Problem>),
    /// What a search has found so far, best first.
    Found(JobId, Hits),
    /// All files of the automations' repositories were looked through.
    LookedThrough(JobId, Box<LookedThrough>),
    /// The remote was asked and the plan built.
    Prepared(JobId, Result<Box<Prepared>, Problem>),
    /// The patch was written into the file of this name, so many files long; or why it was not.
    PatchWritten(String, Result<usize, Problem>),
    /// It was found out what a policy that was tried changes in its file.
    PolicyEdited(JobId, Result<TrialEdit, Problem>),
    /// Whether requests can be opened at these remotes.
    ForgesFound(BTreeMap<String, bool>),
    /// The remote was asked what a merge would do.
    MergeAhead(JobId, Result<Box<MergeAhead>, Problem>),
    /// It was looked up what a commit changed.
    Reverted(JobId, Result<Box<Reverted>, Problem>),
    /// A plan was read from a file.
    PlanRead(JobId, Result<Box<Plan>, Problem>),
    /// It was found out what going back to a tag takes.
    RollBack(JobId, Result<Box<RollBack>, Problem>),
    /// A step of the push.
    Pushing(JobId, LandingStep),
    /// The push ended.
    Pushed(JobId, Result<Vec<Landed>, Problem>),
    /// Something was written into the log.
    LogWritten {
        /// Who reads it.
        job: JobId,
        /// Where its files are; `None`: in memory.
        folder: Option<String>,
        /// What was written, the oldest first.
        events: Vec<Event>,
    },
    /// What became of pushes of earlier runs that nobody saw the end of.
    PushesSettled(Vec<CutOff>),
    /// What stands behind a tag of a repository.
    Described(JobId, ObjectId, Box<Told>),
    /// When the tags of a repository were first seen, and which of them stood for something else before.
    FirstSeen {
        /// The question.
        job: JobId,
        /// The repository.
        repository: ObjectId,
        /// When each tag was first seen.
        sightings: Box<Sightings>,
        /// The tags that moved.
        moved: Vec<String>,
    },
    /// What a glance at some tags of S3 brought.
    Glanced(JobId, Vec<Glanced>),
    /// Something that stops nothing and should be known.
    Warned(Problem),
    /// What became of an order to the controllers.
    Ordered(Box<Ordered>),
    /// Holds that were made or ended are kept: what waits is found out anew, by age too.
    HoldsKept,
    /// The source changed; a reload is due.
    SourceChanged,
    /// The cluster is not reached any more, since when and why; `None`: it is again.
    ClusterLost(Option<(Timestamp, Problem)>),
    /// Which images run in the cluster, and what applies files to it.
    Around(Around),
    /// The objects that the operator may not change in the cluster, with the reason.
    Denied(Denied),
    /// What a controller did with an object that it was asked to look at.
    Reconciled(Kind, ObjectId, Result<String, Problem>),
}

/// What a source holds.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the title calls the source, such as `files:clusters/staging`.
    pub source: String,
    /// The objects.
    pub inventory: Arc<Inventory>,
    /// What could not be read, and what should be known.
    pub problems: Vec<Problem>,
    /// Tags of an earlier run.
    pub cached: BTreeMap<ObjectId, Scan>,
    /// Why the last scan failed of those repositories of which it did.
    pub failed: BTreeMap<ObjectId, Problem>,
    /// What the cluster says, where one is a source.
    pub live: Option<Live>,
    /// Whether a cluster would be a source too and did not answer.
    pub without_cluster: bool,
    /// Messages of an earlier run, by automation.
    pub drafts: Vec<(ObjectId, String)>,
}

/// What became of an order to the controllers, for each object that it was given for.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered {
    /// The order.
    pub order: Order,
    /// The objects' kind.
    pub kind: Kind,
    /// Whether the API server only tried it.
    pub dry_run: bool,
    /// The objects, with what went wrong, or the request that the controller of one that is waited for had handled before.
    pub results: Vec<(ObjectId, Result<Option<String>, Problem>)>,
}

/// What `lint` finds in all files of the repositories of automations.
#[derive(Debug, Clone, Default)]
pub struct LookedThrough {
    /// Images without a marker below the path of each automation.
    pub unmarked: BTreeMap<ObjectId, Arc<[Unmarked]>>,
    /// Those outside of the paths of all automations, by the remote; `None`: the folder without Git.
    pub elsewhere: BTreeMap<Option<String>, Vec<Unmarked>>,
    /// What is wrong with markers, policies and automations.
    pub survey: Survey,
}

/// What would change.
#[derive(Debug, Clone, Default)]
pub struct Proposed {
    /// The updates; a site that was decided in an earlier run, and is still what it was, has that decision.
    pub updates: Vec<Proposal>,
    /// Every file with a site of theirs, before and after.
    pub files: Vec<FilePreview>,
    /// Marked files that cannot be written, with what is wrong there.
    pub problem_files: Vec<(String, String)>,
    /// What they stand on.
    pub grounds: Arc<Vec<Ground>>,
    /// What each policy selects.
    pub selections: Arc<BTreeMap<ObjectId, Selection>>,
    /// Whether it stands on what was kept on the disk, and no remote was asked.
    pub kept: bool,
    /// When the newest of the decisions was made that an earlier run made.
    pub decided: Option<Timestamp>,
    /// What is wrong with markers, policies and automations.
    pub survey: Survey,
    /// What people hold back, whether there is an update of it or not.
    pub holds: Vec<Hold>,
    /// Remotes that could not be asked, and the like.
    pub problems: Vec<Problem>,
}

/// What a merge would do to a remote as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeAhead {
    /// Its outcome, if nothing moves.
    pub merged: Merged,
    /// Whether the name of the branch that it changes has to be typed.
    pub protected: Option<Guard>,
    /// That pushes are frozen, and until when.
    pub frozen: Option<String>,
}

/// A plan that takes a commit back.
#[derive(Debug, Clone)]
pub struct Reverted {
    /// Everything in it is approved.
    pub plan: Plan,
    /// Why something that the commit changed stays as it is.
    pub left: Vec<Problem>,
}

/// A plan that may be pushed.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The plan: one group for each commit.
    pub plan: Plan,
    /// Branches whose names have to be typed.
    pub protected: Vec<Guarded>,
    /// What moved on the remotes since the review, a sentence each; the plan already stands on it.
    pub moved: Vec<String>,
}
