//! What is so: everything the screen shows and everything `update` decides from.

mod configured;
mod context;
mod diff;
mod live;
mod log;
mod merge;
mod overlay;
mod playground;
mod preview;
mod push;
mod status;
mod target;
mod unmarked;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use diff::{Diff, Node};
pub use log::Log;
pub use merge::MergeDialog;
pub use overlay::{
    EditDialog, Find, Help, HoldDialog, Keep, Menu, MenuEntry, MenuKind, OrderDialog, Overlay, Palette,
};
pub use playground::{Part, Playground};
pub use preview::Preview;
pub use push::{BranchDialog, NextStep, PushDialog, PushRun, Task, Withdrawn};
pub use status::{ErrorEntry, Errors, Level, Status};
pub use target::{PATCH, TargetDialog, TargetRow};
pub use unmarked::Unmarked;

use super::configured::Configured;
use super::effect::JobId;
use super::input::{Field, Message};
use super::keymap::Bindings;
use super::layout::Size;
use super::list::List;
use super::message::Proposed;
use super::moment::Moment;
use super::pointer::Spot;
use super::profile::Profile;
use super::review::{Newer, Review, UpdateId, Wanted};
use super::view::View;
use super::world::{
    Around, Compared, Facts, Glances, Live, Phase, ScanTotals, Scans, Sightings, Still, Verdict,
};
use crate::domain::branch::Destination;
use crate::domain::inventory::Inventory;
use crate::domain::mode::Mode;
use crate::domain::object::ObjectId;
use crate::domain::order::Denied;
use crate::domain::plan::Plan;
use crate::domain::scan::Scan as Found;
use crate::domain::tags::TagList;

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
    /// What the policy made of them when the rows were made; newer verdicts come with newer rows.
    pub verdict: Option<Arc<Verdict>>,
    /// Whether only the tags that the policy may select are shown.
    pub matching_only: bool,
    /// When each tag was first seen, once the disk was asked.
    pub sightings: Option<Sightings>,
    /// What the rows that were in sight tell of their images.
    pub glances: Glances,
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
    /// Whether a person was told that rendering again replaces the text, and has typed nothing since.
    pub replaces: bool,
}

impl Editing {
    /// Whether a person changed what the template gave.
    pub fn is_edited(&self) -> bool {
        match &self.rendered {
            Some(rendered) => *rendered != self.message.text(),
            None => !self.message.text().trim().is_empty(),
        }
    }
}

/// Numbers of the work that is current, and what is to follow it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// Of which policies the comparison under way takes over newer tags, because a person asked for it.
    pub take_newer: Newer,
    /// The look at a plan that was saved.
    pub plan: Option<JobId>,
    /// The look at what a commit changed, to take it back.
    pub revert: Option<JobId>,
    /// The question under way, when the tags of S3 were first seen.
    pub first_seen: Option<JobId>,
    /// Until when the updates had to wait that were last found old enough.
    pub aged: Option<Timestamp>,
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
    /// What the configuration says; the fields of the same names may have changed since.
    pub configured: Configured,
    /// How much is sent to the terminal.
    pub profile: Profile,
    /// Whether lines are written instead of a screen: there is one pane, and nothing moves in it.
    pub plain: bool,
    /// Whether the mouse is taken, if the profile has it.
    pub mouse: bool,
    /// The keys that a preset or a person has set.
    pub bindings: Bindings,
    /// The terminal's size.
    pub size: Size,
    /// The time, for ages.
    pub now: Timestamp,
    /// The operator's time zone.
    pub zone: TimeZone,
    /// The time since the start.
    pub at: Moment,
    /// When a key was last pressed, or the mouse.
    pub last_key: Option<Moment>,
    /// What was clicked last, and when.
    pub last_click: Option<(Spot, Moment)>,
    /// What the title calls the source.
    pub source: String,
    /// What the cluster says, where one is a source.
    pub live: Option<Live>,
    /// What stands around its objects.
    pub around: Around,
    /// Since when the cluster is not reached; `None` while it is.
    pub lost: Option<Timestamp>,
    /// The objects that the operator may not change in the cluster, with the reason.
    pub denied: Denied,
    /// The namespace whose objects alone are listed: `-n`, or chosen by `:ns`; all are read, planned and pushed as ever.
    pub scope: Option<String>,
    /// The kube contexts there are.
    pub contexts: Vec<String>,
    /// When objects that were not reached are asked for again.
    pub retry: Option<Moment>,
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
    /// What stands behind the tags that were looked at.
    pub facts: Facts,
    /// How far the list of updates has come.
    pub compared: Compared,
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
    /// S5; kept until another policy is tried.
    pub playground: Option<Playground>,
    /// S6's rows.
    pub automations: List<ObjectId>,
    /// The plan's rows: approved updates, grouped by automation.
    pub plan: List<UpdateId>,
    /// S7.
    pub diff: Diff,
    /// S8; kept when the view is left.
    pub editing: Option<Editing>,
    /// Whether pull or merge requests are opened for what is pushed.
    pub requests: bool,
    /// The remotes that were asked about: whether requests can be opened there.
    pub forges: BTreeMap<String, bool>,
    /// Where the commits go.
    pub destination: Destination,
    /// The branches whose names have to be typed, as the configuration has them.
    pub protected_branches: Vec<String>,
    /// S9; kept until the next push.
    pub push: Option<PushRun>,
    /// S10.
    pub log: Log,
    /// S11.
    pub errors: Errors,
    /// Images without a marker.
    pub unmarked: Unmarked,
    /// S12, in front of everything.
    pub help: Option<Help>,
    /// What lies over the view.
    pub overlay: Option<Overlay>,
    /// The question whether to push that was there last, if it went by itself.
    pub withdrawn: Option<Withdrawn>,
    /// The filter being typed for the view's list.
    pub filter: Option<Field>,
    /// The preview pane.
    pub preview: Preview,
    /// Whether rows are kept from moving.
    pub frozen: bool,
    /// What they show as long as they are.
    pub still: Option<Still>,
    /// What was compared since.
    pub held_back: Option<Box<Proposed>>,
    /// The minute in which it was last looked whether the objects have changed, counted from 1970.
    pub source_looked_at: i64,
    /// When rows that may not move now will.
    pub reorder_due: Option<Moment>,
    /// The orders of the lists that are kept for the next run: by view the order's name, and whether it is turned around.
    pub orders: BTreeMap<String, (String, bool)>,
    /// What the lists have more of the room than they begin with, in hundredths, by view; kept for the next run.
    pub shares: BTreeMap<String, i16>,
    /// What was run from the palette, in this run and before, the newest first.
    pub commands: Vec<String>,
    /// The start page's cursor.
    pub start_cursor: usize,
    /// The status line's message.
    pub status: Option<Status>,
    /// The themes there are, and which one is in force.
    pub themes: Vec<String>,
    /// Index into [`Self::themes`].
    pub theme: usize,
    /// Whether decisions of an earlier run need no question any more: it was asked, or a person decides anew.
    pub resumed: bool,
    /// The plan that is being reviewed, until its remotes were asked what became of it.
    pub reviewing: Option<Box<Plan>>,
    /// Id and time of the plan that was opened: while nobody changes it, it is that plan that lands.
    pub reviewed: Option<(String, Timestamp)>,
    /// Whether the second Ctrl-c leaves.
    pub leaving: bool,
    /// Who holds what is held here.
    pub operator: String,
    /// How many days a hold lasts, unless something else is typed.
    pub hold_days: u16,
    /// Work under way.
    pub jobs: Jobs,
}

impl Default for State {
    /// The state before anything was read, in DRY-RUN on 100x30 cells, at the beginning of 1970 in UTC: whoever starts the
    /// program puts in what it was started with. `update::start` says what to do first.
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            mode_locked: false,
            demo: false,
            configured: Configured::default(),
            profile: Profile::default(),
            plain: false,
            mouse: false,
            bindings: Bindings::default(),
            size: Size { width: 100, height: 30 },
            now: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
            at: Moment::default(),
            last_key: None,
            last_click: None,
            source: String::new(),
            live: None,
            lost: None,
            around: Around::default(),
            denied: Denied::new(),
            scope: None,
            contexts: Vec::new(),
            retry: None,
            phase: Phase::default(),
            inventory: Arc::default(),
            scans: Scans::default(),
            verdicts: BTreeMap::new(),
            evaluating: BTreeSet::new(),
            review: Review::default(),
            facts: Facts::default(),
            compared: Compared::Never,
            stack: vec![View::Updates],
            previous: None,
            updates: List::floating(),
            repositories: List::floating(),
            tags: Tags::default(),
            policies: List::floating(),
            playground: None,
            automations: List::floating(),
            plan: List::default(),
            diff: Diff::default(),
            editing: None,
            requests: false,
            forges: BTreeMap::new(),
            destination: Destination::default(),
            protected_branches: Vec::new(),
            push: None,
            log: Log::default(),
            errors: Errors::default(),
            unmarked: Unmarked::default(),
            help: None,
            overlay: None,
            filter: None,
            preview: Preview::default(),
            frozen: false,
            still: None,
            held_back: None,
            withdrawn: None,
            source_looked_at: 0,
            reorder_due: None,
            orders: BTreeMap::new(),
            shares: BTreeMap::new(),
            commands: Vec::new(),
            start_cursor: 0,
            status: None,
            themes: Vec::new(),
            theme: 0,
            resumed: false,
            reviewing: None,
            reviewed: None,
            leaving: false,
            operator: String::new(),
            hold_days: 7,
            jobs: Jobs::default(),
        }
    }
}

impl State {
    /// Offers these themes; the one called `name` is in force.
    pub fn offer_themes(&mut self, themes: Vec<String>, name: &str) {
        self.theme = themes.iter().position(|theme| theme == name).unwrap_or(0);
        self.themes = themes;
    }

    /// The theme to draw with: in the menu of themes the one under the cursor, else the one that was chosen.
    pub fn theme_shown(&self) -> &str {
        let chosen = self.themes.get(self.theme);
        let looked_at = match &self.overlay {
            Some(Overlay::Menu(menu)) if menu.kind == MenuKind::Theme => self.themes.get(menu.cursor),
            _ => None,
        };
        looked_at.or(chosen).map_or("auto", String::as_str)
    }

    /// Begins with the updates of a plan that was made elsewhere, decided as it has them.
    pub fn open_plan(&mut self, plan: Plan) {
        for group in plan.groups.iter().filter(|group| group.message_edited) {
            self.review.messages.insert(group.automation.clone(), Message::approved(&group.message));
        }
        let updates = plan.groups.iter().flat_map(|group| group.updates.iter().cloned());
        self.review.replace(updates.collect(), &Newer::None);
        // What no policy would bring stays as the plan has it, message and edits included.
        let wanted: Vec<Wanted> = plan.groups.iter().flat_map(Wanted::of_group).collect();
        if !wanted.is_empty() {
            self.review.also_want(wanted);
        }
        // The decisions are the plan's: nobody has to be asked whether they are still meant.
        self.resumed = true;
        self.reviewed = Some((plan.id.clone(), plan.created));
        self.reviewing = Some(Box::new(plan));
        self.switch_to(View::Plan);
    }

    /// Whether nobody can say yet that there is no update: nothing was compared, or what the first scans found still is being.
    pub fn is_comparing(&self) -> bool {
        let jobs = &self.jobs;
        let at_work = jobs.propose.is_some()
            || jobs.propose_due
            || !self.evaluating.is_empty()
            || self.scan_totals().running > 0;
        self.compared == Compared::Never || (self.compared == Compared::Partly && at_work)
    }

    /// The tags of a repository as its row has them: the newest, or, while rows are kept, those of then.
    pub fn shown_tags(&self, repository: &ObjectId) -> Option<&Found> {
        match &self.still {
            Some(still) => still.found.get(repository),
            None => self.scans.get(repository)?.found.as_ref(),
        }
    }

    /// What a policy selects as its row has it.
    pub fn shown_verdict(&self, policy: &ObjectId) -> Option<&Arc<Verdict>> {
        self.still.as_ref().map_or(&self.verdicts, |still| &still.verdicts).get(policy)
    }

    /// Keeps rows from moving and changing, or lets them follow again.
    pub fn freeze(&mut self, frozen: bool) {
        let found = |(id, scan): (&ObjectId, &super::world::Scan)| Some((id.clone(), scan.found.clone()?));
        let still = || Still {
            found: self.scans.iter().filter_map(found).collect(),
            verdicts: self.verdicts.clone(),
        };
        self.still = frozen.then(still);
        self.frozen = frozen;
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
                None => totals.done += usize::from(scan.found.is_some() && scan.error.is_none()),
            }
        }
        totals
    }

    /// Whether something is under way that a spinner tells of.
    pub fn is_working(&self) -> bool {
        self.jobs.load.is_some()
            || self.push.as_ref().is_some_and(|push| push.result.is_none())
            || matches!(&self.overlay, Some(Overlay::Push(dialog)) if dialog.prepared.is_none())
            || matches!(&self.overlay, Some(Overlay::Merge(dialog)) if dialog.ahead.is_none())
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

    /// Whether the push under way brings this update.
    pub fn is_being_pushed(&self, update: &UpdateId) -> bool {
        self.push.as_ref().is_some_and(|push| push.result.is_none() && push.updates.contains(update))
    }
}
