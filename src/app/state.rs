//! What is so: everything the screen shows and everything `update` decides from.

mod context;
mod preview;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use context::{Context, View};
pub use preview::Preview;
pub use status::{ErrorEntry, Errors, Level, Status};

use super::input::{Field, Message};
use super::layout::{Layout, Size};
use super::list::List;
use super::message::{JobId, Moment, Prepared};
use super::palette::Palette;
use super::review::{Review, UpdateId};
use super::world::{Phase, ScanTotals, Scans};
use crate::domain::inventory::Inventory;
use crate::domain::landing::{Landed, LandingStep};
use crate::domain::object::ObjectId;
use crate::domain::policy::{Evaluation, Evaluator};
use crate::domain::proposal::Reference;
use crate::domain::tags::TagList;
use crate::problem::Problem;

/// What may happen at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// Nothing is changed anywhere.
    ReadOnly,
    /// Decisions are kept; pushes are simulated.
    #[default]
    DryRun,
    /// Pushes are real, each after a confirmation.
    Write,
}

impl Mode {
    /// What the badge says.
    pub fn badge(self) -> &'static str {
        match self {
            Self::ReadOnly => "READ-ONLY",
            Self::DryRun => "DRY-RUN",
            Self::Write => "WRITE",
        }
    }
}

/// One policy against the newest tags of its repository.
#[derive(Debug)]
pub struct Verdict {
    /// The tags it was evaluated on.
    pub tags: Arc<TagList>,
    /// The compiled policy: rows and explanations come from it.
    pub evaluator: Arc<Evaluator>,
    /// The result.
    pub evaluation: Arc<Evaluation>,
    /// All indices of `tags` in the order of S3: selected, candidates from best to worst, the others.
    pub order: Vec<u32>,
    /// What it selects.
    pub reference: Option<Reference>,
    /// Why it selects nothing.
    pub problem: Option<Problem>,
    /// How long evaluation took.
    pub took: Duration,
}

/// Which of two panes has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// The list, or S7's tree.
    #[default]
    List,
    /// The other pane.
    Other,
}

/// S3: the tags of one repository.
#[derive(Debug, Clone, Default)]
pub struct Tags {
    /// The repository.
    pub repository: Option<ObjectId>,
    /// The policy they are shown against; `None`: the repository has none.
    pub policy: Option<ObjectId>,
    /// Rows: indices into the repository's tag list.
    pub list: List<u32>,
    /// The tag list that the rows point into.
    pub tags: Arc<TagList>,
    /// Whether only the tags that the policy may select are shown.
    pub matching_only: bool,
}

/// A row of S7's tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// An update.
    Update(UpdateId),
    /// A file of an update.
    File(UpdateId, String),
    /// A site, by its index in the update's sites.
    Site(UpdateId, usize),
}

impl Node {
    /// The update it belongs to.
    pub fn update(&self) -> &UpdateId {
        match self {
            Self::Update(id) | Self::File(id, _) | Self::Site(id, _) => id,
        }
    }
}

/// S7: the diff.
#[derive(Debug, Clone)]
pub struct Diff {
    /// The tree: updates, files, sites.
    pub tree: List<Node>,
    /// Updates and files whose children are hidden.
    pub folded: BTreeSet<Node>,
    /// Which pane has the keys; on one-pane terminals, which is shown.
    pub focus: Focus,
    /// Lines around a change, 0 to 25.
    pub context: usize,
    /// Whether old and new stand beside each other; `None`: where the terminal is wide enough.
    pub side_by_side: Option<bool>,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// Lines that the diff is scrolled below the current site.
    pub scroll: usize,
}

impl Default for Diff {
    fn default() -> Self {
        Self {
            tree: List::default(),
            folded: BTreeSet::new(),
            focus: Focus::List,
            context: 3,
            side_by_side: None,
            wrap: false,
            scroll: 0,
        }
    }
}

/// S8: the message of one automation's commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Editing {
    /// The automation.
    pub automation: ObjectId,
    /// The text.
    pub message: Message,
    /// What the template gave; `None` where it fails.
    pub rendered: Option<String>,
    /// Why the template fails, or what is to be said of it.
    pub notes: Vec<String>,
}

impl Editing {
    /// Whether a person changed what the template gave.
    pub fn is_edited(&self) -> bool {
        self.rendered.as_deref() != Some(self.message.text().as_str())
    }
}

/// S9: a push that is under way or has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PushRun {
    /// The question.
    pub job: JobId,
    /// Whether the remote is left alone.
    pub dry_run: bool,
    /// The updates that it brings.
    pub updates: Vec<UpdateId>,
    /// When it began.
    pub since: Moment,
    /// What was done so far, and when each step began.
    pub steps: Vec<(Timestamp, LandingStep)>,
    /// How it ended; `None` while it runs.
    pub result: Option<Result<Vec<Landed>, Problem>>,
    /// What can be done now.
    pub next: List<NextStep>,
}

/// A row of S9c's "what now".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NextStep {
    /// Copy the id of the commit.
    CopyCommit(String),
    /// Copy what went wrong.
    CopyProblem(String),
    /// Ask the remote again and confirm again.
    Again,
    /// To the updates; so many are left.
    BackToUpdates(usize),
}

/// A small list over the view.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    /// The heading.
    pub title: &'static str,
    /// Its entries: what is shown, and for [`MenuKind::Copy`] what is copied.
    pub entries: Vec<MenuEntry>,
    /// The entry under the cursor.
    pub cursor: usize,
    /// What choosing does.
    pub kind: MenuKind,
}

/// A row of a [`Menu`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// What it is, such as `tag`.
    pub label: String,
    /// What is behind it, such as the tag itself.
    pub value: String,
}

/// What choosing from a [`Menu`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuKind {
    /// Sets the view's order.
    Sort,
    /// Copies the value.
    Copy,
}

/// What lies over the view and takes all keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// S9a.
    Push(PushDialog),
    /// S9b.
    Branch(BranchDialog),
    /// Leaving with something unfinished; what is unfinished, line by line.
    Quit(Vec<String>),
    /// To WRITE?
    Mode,
    /// A menu.
    Menu(Menu),
    /// S13.
    Palette(Palette),
}

/// S9a: Push so many commits?
#[derive(Debug, Clone, PartialEq)]
pub struct PushDialog {
    /// Whose answer fills it.
    pub job: JobId,
    /// When the remote was first asked.
    pub since: Moment,
    /// The plan, once the remote was asked; `y` does nothing before.
    pub prepared: Option<Box<Prepared>>,
    /// When the plan was first on the screen; keys before that and shortly after are dropped.
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
        self.prepared.protected.get(self.index).map_or("", String::as_str)
    }
}

/// S12: help for the context it was opened in.
#[derive(Debug, Clone, PartialEq)]
pub struct Help {
    /// Whose keys.
    pub of: Context,
    /// What was typed to search.
    pub field: Field,
    /// The entry under the cursor.
    pub cursor: usize,
}

/// Numbers of the work that is current, and what is to follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer to a question of its own")]
pub struct Jobs {
    last: u64,
    /// The load under way.
    pub load: Option<JobId>,
    /// The comparison under way.
    pub propose: Option<JobId>,
    /// Whether one is due when the evaluations under way are done.
    pub propose_due: bool,
    /// Whether another is due when that is done.
    pub propose_again: bool,
    /// Whether that one asks the remotes.
    pub fetch_again: bool,
    /// Whether the comparison under way was asked for by a person, who wants newer tags too.
    pub take_newer: bool,
}

impl Jobs {
    /// A number that no other work has.
    pub fn number(&mut self) -> JobId {
        self.last += 1;
        JobId(self.last)
    }
}

/// Everything.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer to a question of its own")]
pub struct State {
    /// What may happen at all.
    pub mode: Mode,
    /// Whether the mode may not be changed here.
    pub mode_locked: bool,
    /// Whether this is the demo.
    pub demo: bool,
    /// The terminal's size.
    pub size: Size,
    /// The time, for ages.
    pub now: Timestamp,
    /// The operator's time zone.
    pub zone: TimeZone,
    /// The time since the start.
    pub at: Moment,
    /// When a key was last pressed.
    pub last_key: Moment,
    /// What the title calls the source.
    pub source: String,
    /// How far the start has come.
    pub phase: Phase,
    /// The objects.
    pub inventory: Arc<Inventory>,
    /// What is known of each repository's tags.
    pub scans: Scans,
    /// What each policy selects.
    pub verdicts: BTreeMap<ObjectId, Arc<Verdict>>,
    /// Policies whose evaluation is under way.
    pub evaluating: BTreeSet<ObjectId>,
    /// Updates and decisions.
    pub review: Review,
    /// Whether updates were compared at least once.
    pub compared: bool,
    pub(super) stack: Vec<View>,
    pub(super) previous: Option<View>,
    /// S1's rows.
    pub updates: List<UpdateId>,
    /// S2's rows.
    pub repositories: List<ObjectId>,
    /// S3.
    pub tags: Tags,
    /// S4's rows.
    pub policies: List<ObjectId>,
    /// S6's rows.
    pub automations: List<ObjectId>,
    /// The plan's rows: approved updates, grouped by automation.
    pub plan: List<UpdateId>,
    /// S7.
    pub diff: Diff,
    /// S8; kept when the view is left.
    pub editing: Option<Editing>,
    /// S9; kept until the next push.
    pub push: Option<PushRun>,
    /// S11.
    pub errors: Errors,
    /// S12, in front of everything.
    pub help: Option<Help>,
    /// What lies over the view.
    pub overlay: Option<Overlay>,
    /// The filter being typed for the view's list.
    pub filter: Option<Field>,
    /// The preview pane.
    pub preview: Preview,
    /// Whether rows are kept from moving.
    pub frozen: bool,
    /// When rows that may not move now will.
    pub reorder_due: Option<Moment>,
    /// The start page's cursor.
    pub start_cursor: usize,
    /// The status line's message.
    pub status: Option<Status>,
    /// The themes there are, and which one is in force.
    pub themes: Vec<String>,
    /// Index into [`Self::themes`].
    pub theme: usize,
    /// Whether the second Ctrl-c leaves.
    pub leaving: bool,
    /// Work under way.
    pub jobs: Jobs,
}

/// What the program was started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What may happen at all.
    pub mode: Mode,
    /// Whether the mode may not be changed here.
    pub mode_locked: bool,
    /// Whether this is the demo.
    pub demo: bool,
    /// The terminal's size.
    pub size: Size,
    /// The time.
    pub now: Timestamp,
    /// The operator's time zone.
    pub zone: TimeZone,
    /// What the title calls the source before it was read.
    pub source: String,
    /// The names of all themes.
    pub themes: Vec<String>,
    /// The name of the one in force.
    pub theme: String,
    /// Whether the program never ran here before.
    pub first_run: bool,
}

impl Default for Start {
    /// DRY-RUN on 100x30 cells, at the beginning of 1970 in UTC.
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            mode_locked: false,
            demo: false,
            size: Size { width: 100, height: 30 },
            now: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
            source: String::new(),
            themes: Vec::new(),
            theme: String::new(),
            first_run: false,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new(Start::default())
    }
}

impl State {
    /// The state at the start. [`super::update::start`] says what to do first.
    pub fn new(start: Start) -> Self {
        let theme = start.themes.iter().position(|name| *name == start.theme).unwrap_or(0);
        let mut state = Self {
            mode: start.mode,
            mode_locked: start.mode_locked,
            demo: start.demo,
            size: start.size,
            now: start.now,
            zone: start.zone,
            at: Moment::default(),
            last_key: Moment::default(),
            source: start.source,
            phase: Phase::default(),
            inventory: Arc::default(),
            scans: Scans::default(),
            verdicts: BTreeMap::new(),
            evaluating: BTreeSet::new(),
            review: Review::default(),
            compared: false,
            stack: vec![View::Updates],
            previous: None,
            updates: List::default(),
            repositories: List::default(),
            tags: Tags::default(),
            policies: List::default(),
            automations: List::default(),
            plan: List::default(),
            diff: Diff::default(),
            editing: None,
            push: None,
            errors: Errors::default(),
            help: None,
            overlay: None,
            filter: None,
            preview: Preview::default(),
            frozen: false,
            reorder_due: None,
            start_cursor: 0,
            status: None,
            themes: start.themes,
            theme,
            leaving: false,
            jobs: Jobs::default(),
        };
        if start.first_run {
            state.tell(Level::Info, "New here? ? help, :demo practice data");
        }
        state
    }

    /// The view in front; help counts as one.
    pub fn view(&self) -> View {
        if self.help.is_some() { View::Help } else { self.view_below_help() }
    }

    /// The view in front, help left aside.
    pub fn view_below_help(&self) -> View {
        self.stack.last().copied().unwrap_or(View::Updates)
    }

    /// The views from the first to the one in front, for the crumbs.
    pub fn crumbs(&self) -> &[View] {
        &self.stack
    }

    /// Puts `view` on top, unless it is there.
    pub fn show(&mut self, view: View) {
        if self.view_below_help() != view {
            self.stack.push(view);
            self.preview = self.preview.anew();
        }
    }

    /// Puts `view` in place of everything.
    pub fn switch_to(&mut self, view: View) {
        let root = self.stack.first().copied();
        if root != Some(view) {
            self.previous = root;
        }
        self.stack = vec![view];
        self.filter = None;
        self.preview = self.preview.anew();
    }

    /// Leaves the view in front. Says whether there was another below it.
    pub fn leave_view(&mut self) -> bool {
        self.preview = self.preview.anew();
        self.stack.len() > 1 && self.stack.pop().is_some()
    }

    /// The panes of the view in front.
    pub fn layout(&self) -> Layout {
        Layout::of(self)
    }

    /// How far the scans are.
    pub fn scan_totals(&self) -> ScanTotals {
        let mut totals = ScanTotals::default();
        for (id, repository) in &self.inventory.repositories {
            if repository.suspend {
                continue;
            }
            totals.total += 1;
            let Some(scan) = self.scans.get(id) else { continue };
            totals.newest = totals.newest.max(scan.found.as_ref().map(|found| found.scanned));
            totals.failed += usize::from(scan.error.is_some());
            match scan.running {
                Some(running) => {
                    totals.running += 1;
                    totals.seen += running.seen;
                    totals.expected += running.expected.unwrap_or(0);
                }
                None => totals.done += usize::from(scan.found.is_some()),
            }
        }
        totals
    }

    /// Whether something is under way that a spinner tells of.
    pub fn is_working(&self) -> bool {
        self.jobs.load.is_some()
            || self.push.as_ref().is_some_and(|push| push.result.is_none())
            || matches!(&self.overlay, Some(Overlay::Push(dialog)) if dialog.prepared.is_none())
            || self.scans.iter().any(|(_, scan)| scan.running.is_some())
    }

    /// Which of its four shapes the spinner has now.
    pub fn spinner(&self) -> usize {
        usize::try_from(self.at.0 / 250 % 4).unwrap_or(0)
    }

    /// Whether a push is under way.
    pub fn is_pushing(&self) -> bool {
        self.push.as_ref().is_some_and(|push| push.result.is_none())
    }

    /// Says something in the status line.
    pub fn tell(&mut self, level: Level, text: impl Into<String>) {
        self.status = Some(Status::new(level, text, self.at));
    }
}
