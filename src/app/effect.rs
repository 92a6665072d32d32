//! Everything that can be asked for. An effect is complete: the shell needs nothing of the state to carry it out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::find::Haystack;
use super::review::{Decided, UpdateId};
use crate::domain::branch::Destination;
use crate::domain::landing::Merge;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::Order;
use crate::domain::plan::Plan;
use crate::domain::proposal::{Hold, Proposal};
use crate::domain::tags::TagList;
use crate::domain::trial::Trial;

/// The number of one piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JobId(pub u64);

/// Where an answer may come from: of what remotes have, and of which digests tags have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// From the disk, however old that is; from the remotes only where there is nothing.
    Kept,
    /// From the disk if that is recent enough, else from who knows.
    Recent,
    /// From who knows, even if they were asked a moment ago: a person wants to know.
    Remote,
}

/// What a plan is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanWish {
    /// All updates with what was decided about them.
    pub updates: Vec<Proposal>,
    /// Messages that a person wrote.
    pub messages: BTreeMap<ObjectId, String>,
    /// Where the commits go.
    pub destination: Destination,
    /// Those of the updates that are not what their policies select.
    pub wanted: BTreeSet<UpdateId>,
}

/// An order to the shell.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the objects; cached tags, decisions and drafts follow by themselves.
    Load(JobId),
    /// Read the objects of another kube context, from now on.
    UseContext(JobId, String),
    /// Look whether what the objects were read from has changed since.
    LookAtSource,
    /// Tell what the controllers did with objects that they were asked to look at, each with the request that it had handled
    /// before; each answers for itself.
    AwaitControllers(Kind, Vec<(ObjectId, String)>),
    /// Read the objects again because somebody wants that: a cluster that was given up for a while is asked, too.
    LoadAnew(JobId),
    /// List the tags of these repositories; each answers for itself. Scanned in this order, as many at once as the
    /// limits allow.
    Scan(JobId, Vec<ObjectId>),
    /// Evaluate policies against the newest tags of their repositories, on a worker.
    Evaluate {
        /// Which.
        policies: Vec<ObjectId>,
        /// Where their digests may come from.
        digests: Reach,
    },
    /// Try a policy on the tags of its repository, on a worker; nothing comes of it but an answer.
    Try {
        /// The question.
        job: JobId,
        /// The policy that is there.
        policy: ObjectId,
        /// What it would be.
        trial: Trial,
    },
    /// Tell what stands behind these tags of a repository; each answers for itself, in this order. The newest request
    /// wins.
    Describe {
        /// The question.
        job: JobId,
        /// The repository.
        repository: ObjectId,
        /// The tags.
        tags: Vec<String>,
    },
    /// Tell when these tags of a repository were first seen, from the disk.
    FirstSeen {
        /// The question.
        job: JobId,
        /// The repository.
        repository: ObjectId,
        /// All its tags.
        tags: Arc<TagList>,
    },
    /// Tell digest and time of these tags of a repository for their rows: what the disk has at once, then what the
    /// registry says, unless it counts how often it is asked. The newest request wins.
    Glance {
        /// The question.
        job: JobId,
        /// The repository.
        repository: ObjectId,
        /// The tags, in the order of their rows.
        tags: Vec<String>,
    },
    /// Look for a name among these, on a worker; what was found is told as it comes.
    Find {
        /// The question.
        job: JobId,
        /// What there is.
        haystack: Arc<Haystack>,
        /// What was typed.
        typed: String,
    },
    /// Read marked files, compare. The newest request wins.
    Propose {
        /// The question.
        job: JobId,
        /// What is asked.
        reach: Reach,
    },
    /// Look through all files of the commits that the last comparison stands on, as `lint` does.
    LookThrough(JobId),
    /// Ask the remotes, and build the plan of what is approved.
    Prepare {
        /// The question.
        job: JobId,
        /// What of.
        wish: PlanWish,
    },
    /// Ask the remotes, and write the diff of what is approved into a file that is not there yet; nothing is sent.
    WritePatch {
        /// The question.
        job: JobId,
        /// The file, from the folder that the program was started in.
        path: String,
        /// What the plan is made of.
        wish: PlanWish,
    },
    /// Tell what a policy that was tried changes in the file it stands in.
    EditPolicy {
        /// The question.
        job: JobId,
        /// The policy.
        policy: ObjectId,
        /// What was tried.
        trial: Trial,
    },
    /// Write a diff into a file that is not there yet.
    WriteEdit {
        /// The file, from the folder that the program was started in.
        path: String,
        /// The diff.
        patch: String,
    },
    /// Find out which of these remotes, addresses without credentials, are at a forge that requests can be opened at.
    FindForges(Vec<String>),
    /// Push; from the moment when commits are sent it runs to its end whatever happens.
    Push {
        /// The question.
        job: JobId,
        /// What.
        plan: Box<Plan>,
        /// Whether everything but the update of the remote is done.
        dry_run: bool,
        /// Whether requests are opened for what was pushed.
        requests: bool,
    },
    /// Ask a remote what a merge would do.
    LookAtMerge {
        /// The question.
        job: JobId,
        /// What would be merged.
        merge: Merge,
        /// Whether a commit is made also where moving the branch would do.
        always_commit: bool,
    },
    /// Merge a branch; the answers are those to a push.
    Merge {
        /// The question.
        job: JobId,
        /// What.
        merge: Merge,
        /// Whether a commit is made also where moving the branch would do.
        always_commit: bool,
        /// The tips of both branches, as a person has seen them.
        seen: (String, String),
        /// Whether everything but the update of the remote is done.
        dry_run: bool,
    },
    /// Make the plan that takes a commit back.
    Revert {
        /// The question.
        job: JobId,
        /// The remote's address without credentials; `None`: the only one there is.
        remote: Option<String>,
        /// The commit, or the beginning of its id.
        commit: String,
    },
    /// Read a plan that was saved.
    ReadPlan {
        /// The question.
        job: JobId,
        /// The file.
        path: String,
    },
    /// Tell what it takes to bring a policy back to a tag, and to keep it there.
    RollBack {
        /// The question.
        job: JobId,
        /// The policy.
        policy: ObjectId,
        /// The older tag.
        tag: String,
    },
    /// Read the end of the log, and follow it until that is stopped.
    FollowLog(JobId),
    /// Stop a piece of work and keep what it brought.
    StopWork(JobId),
    /// Keep the decisions of these sites across a restart.
    SaveDecisions(Vec<Decided>),
    /// Keep this message across a restart; `None` forgets it.
    SaveDraft(ObjectId, Option<String>),
    /// Keep the orders of the lists: by view the order's name, and whether it is turned around.
    SaveOrders(BTreeMap<String, (String, bool)>),
    /// Keep what the lists have more of the room than they begin with, in hundredths, by view.
    SaveShares(BTreeMap<String, i16>),
    /// Keep what was run from the palette, the newest first.
    SaveCommands(Vec<String>),
    /// Give the controllers of the cluster an order for these objects; it runs to its end whatever happens.
    Order {
        /// What.
        order: Order,
        /// The objects' kind.
        kind: Kind,
        /// The objects.
        objects: Vec<ObjectId>,
        /// Whether the API server only tries it.
        dry_run: bool,
    },
    /// Keep a hold, in the place of one on the same policy and tag.
    Hold(Box<Hold>),
    /// End a hold.
    Unhold {
        /// The policy.
        policy: ObjectId,
        /// The tag that it is on; `None`: whatever the policy selects.
        tag: Option<String>,
    },
    /// Write down who did what.
    Audit {
        /// One of the audit log's: `scan`, `decide`, `hold`, `fetch`, `push`, `request`, `object`.
        kind: &'static str,
        /// What it is about.
        subject: String,
        /// What was done.
        detail: String,
        /// The plan's id, where there is one.
        plan: Option<String>,
    },
    /// Hand this text to the terminal's clipboard.
    Copy(String),
    /// Lend the terminal to the pager, with what is shown.
    Page,
    /// Lend the terminal to the editor, with this text.
    Write(String),
    /// Lend the terminal to `ssh`, until the remotes that it asks for a login are open or the person gives up.
    OpenWay,
    /// Hand the terminal back to the shell until it continues us.
    Suspend,
    /// Forget what the terminal shows and draw everything.
    Redraw,
    /// Leave for the demo.
    Demo,
    /// Leave; work that must run to its end is waited for.
    Quit,
}
