//! S9: the question, the name of a protected branch, the push under way, its result.

use jiff::Timestamp;

use super::State;
use crate::app::effect::JobId;
use crate::app::input::Field;
use crate::app::list::List;
use crate::app::message::Prepared;
use crate::app::moment::Moment;
use crate::app::review::UpdateId;
use crate::domain::landing::{Landed, LandingStep, Merge};
use crate::domain::object::ObjectId;
use crate::problem::Problem;

/// S9a: Push so many commits?
#[derive(Debug, Clone, PartialEq)]
pub struct PushDialog {
    /// Whose answer fills it.
    pub job: JobId,
    /// When the remote was first asked.
    pub since: Moment,
    /// The same by the wall clock.
    pub asked: Timestamp,
    /// How many lines its lists are scrolled by.
    pub top: usize,
    /// The plan, once the remote was asked; `y` does nothing before.
    pub prepared: Option<Box<Prepared>>,
    /// Why it is asked again, until the plan is there, which says so then.
    pub why: Option<String>,
    /// Why it cannot be pushed, where something that was approved changed upstream.
    pub touched: Option<String>,
    /// When the plan was first on the screen; keys before that and shortly after are dropped.
    pub shown: Option<Moment>,
}

impl PushDialog {
    /// Scrolls by `by` lines, not beyond as many as a plan could take.
    pub fn scroll(&mut self, by: isize) {
        let groups = self.prepared.iter().flat_map(|prepared| &prepared.plan.groups);
        // Warnings are wrapped, and scroll too where they are many.
        let most: usize = groups.map(|group| 8 + 2 * group.updates.len() + 4 * group.warnings.len()).sum();
        self.top = self.top.saturating_add_signed(by).min(most);
    }
}

/// That the question whether to push went by itself, and keys that are on their way are meant for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawn {
    /// When it was first seen that it is gone.
    pub shown: Option<Moment>,
}

/// S9b: type the name of a protected branch.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchDialog {
    /// What is pushed then.
    pub prepared: Box<Prepared>,
    /// Which of the protected branches is asked for.
    pub index: usize,
    /// What was typed.
    pub field: Field,
}

impl BranchDialog {
    /// The branch that is asked for.
    pub fn branch(&self) -> &str {
        self.prepared.protected.get(self.index).map_or("", |guarded| guarded.branch.as_str())
    }
}

/// What a run of S9 brings to a remote.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// A plan, and the branches whose names were typed for it.
    Push(Box<Prepared>),
    /// A branch into another.
    Merge(Merge),
}

/// S9: a push that is under way or has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PushRun {
    /// The question.
    pub job: JobId,
    /// Whether the remote is left alone.
    pub dry_run: bool,
    /// What it brings.
    pub task: Task,
    /// The updates that it brings.
    pub updates: Vec<UpdateId>,
    /// The subject of each commit, by automation.
    pub subjects: Vec<(ObjectId, String)>,
    /// Of a merge, what has to be taken back to undo it.
    pub revertible: Option<String>,
    /// When it began.
    pub since: Moment,
    /// What was done so far, and when each step began.
    pub steps: Vec<(Timestamp, LandingStep)>,
    /// Whether a person wants it to stop.
    pub stopping: bool,
    /// How it ended; `None` while it runs.
    pub result: Option<Result<Vec<Landed>, Problem>>,
    /// What can be done now.
    pub next: List<NextStep>,
}

impl PushRun {
    /// A run that begins `since`, with the subject of each commit by automation.
    pub fn begun(
        job: JobId,
        dry_run: bool,
        task: Task,
        (subjects, since): (Vec<(ObjectId, String)>, Moment),
    ) -> Self {
        Self {
            job,
            dry_run,
            task,
            updates: Vec::new(),
            subjects,
            revertible: None,
            since,
            steps: Vec::new(),
            stopping: false,
            result: None,
            next: List::default(),
        }
    }

    /// Whether commits are on their way, so that it can only run to its end.
    pub fn is_sending(&self) -> bool {
        self.steps.last().is_some_and(|(_, step)| step.sends && step.millis.is_none())
    }

    /// Whether it was stopped in time: nothing of it is on the remote.
    pub fn is_stopped(&self) -> bool {
        let untouched = |all: &Vec<Landed>| all.iter().all(|landed| landed.error.is_some());
        self.stopping && self.result.as_ref().is_some_and(|result| result.as_ref().map_or(true, untouched))
    }
}

/// A row of S9c's "what now".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NextStep {
    /// Copy the address of the request, or of the page to open it on.
    CopyRequest(String),
    /// Confirm the same plan again: it is there, and the request is tried once more.
    RequestAgain,
    /// Copy the id of the commit.
    CopyCommit(String),
    /// Prepare the plan that takes a commit of a remote back.
    Revert {
        /// The remote's address without credentials.
        remote: String,
        /// The commit; or several, as `A..B`.
        commit: String,
    },
    /// Merge what was pushed, after a question.
    Merge(Merge),
    /// Copy what went wrong.
    CopyProblem(String),
    /// Ask the remote again and confirm again.
    Again,
    /// The same without a request, and confirm again: nobody knows a forge there.
    WithoutRequest,
    /// Choose where the commits go.
    Target,
    /// To the updates.
    BackToUpdates,
}

impl State {
    /// Whether `p` shows a push instead of asking for one: the one under way, or, with nothing approved, the last.
    pub fn shows_push(&self) -> bool {
        self.is_pushing() || (self.push.is_some() && self.review.approved().next().is_none())
    }
}
