//! What a person can do: one table, from which the dispatch, the footer, the help, the palette, the README's table and
//! the check of a user's keys come.
//!
//! An action stands here when it works. [`crate::app::update()`] carries actions out; whether one may run now is decided
//! by [`refusal`], by effect class and by the row's own reason, for every way in alike.

mod bind;
mod footer;
mod preset;
mod table;
mod why;

use std::fmt::{self, Write as _};

pub use bind::{Asked, AskedKey, Line, bind};
pub use footer::{doc, footer, help_hint, hints};
pub use preset::Preset;
pub use table::ACTIONS;

use super::keymap::{Bindings, Key};
use super::state::State;
use super::view::{Context, View};
use crate::domain::mode::Mode;

/// How far an action reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectClass {
    /// It moves or shows something.
    None,
    /// It asks a server something.
    Read,
    /// It changes what we keep: decisions, messages.
    Local,
    /// It changes a remote Git repository.
    Remote,
    /// It changes a cluster.
    Cluster,
}

impl EffectClass {
    /// The word of the documents: `none read local remote cluster`.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Cluster => "cluster",
        }
    }
}

/// Under which heading help lists an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// What a person decides.
    Decide,
    /// Moving about.
    Move,
    /// Looking closer.
    Look,
    /// Doing something with it.
    Act,
    /// What works wherever one is.
    Everywhere,
}

impl Group {
    /// All of them, in the order of the help screen.
    pub const ALL: [Self; 5] = [Self::Decide, Self::Move, Self::Look, Self::Act, Self::Everywhere];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Decide => "Decide",
            Self::Move => "Move",
            Self::Look => "Look",
            Self::Act => "Act",
            Self::Everywhere => "Everywhere",
        }
    }
}

/// Everything that can be asked for; what it does where is `update`'s business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// One row down.
    Down,
    /// One row up.
    Up,
    /// Fold.
    Left,
    /// Unfold.
    Right,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Half a page down.
    HalfDown,
    /// Half a page up.
    HalfUp,
    /// A page down.
    PageDown,
    /// A page up.
    PageUp,
    /// The other pane, one row down.
    ScrollDown,
    /// The other pane, one row up.
    ScrollUp,
    /// To the next pane.
    NextPane,
    /// Opens what the cursor stands on.
    Open,
    /// One level back.
    Back,
    /// Leaves the view; at the root, the program.
    Leave,
    /// Stops the running work, else like [`Self::Leave`] at the root.
    Cancel,
    /// Answers what `ssh` asks before it lets us to a remote.
    OpenWay,
    /// Suspends objects in the cluster.
    SuspendObject,
    /// Resumes objects in the cluster.
    ResumeObject,
    /// Has their controller look at objects at once.
    ReconcileObject,
    /// Hands the terminal back to the shell.
    Suspend,
    /// Draws everything again.
    Redraw,
    /// To S1.
    ViewUpdates,
    /// To S2.
    ViewRepositories,
    /// To S4.
    ViewPolicies,
    /// To S6.
    ViewAutomations,
    /// To S10.
    ViewLog,
    /// To the plan.
    ViewPlan,
    /// To the view one came from.
    ViewPrevious,
    /// Opens S11.
    ViewErrors,
    /// Opens S13.
    Palette,
    /// Hands what is shown to the pager.
    Pager,
    /// Hands the message to the operator's editor.
    EditMessage,
    /// Opens S14.
    Find,
    /// Hands the name that was found to the terminal's clipboard.
    CopyFound,
    /// Opens S12.
    Help,
    /// Opens the filter field.
    Filter,
    /// To the next match.
    NextMatch,
    /// To the previous match.
    PreviousMatch,
    /// Approves, or takes that back.
    Approve,
    /// Marks a row for `r`.
    Select,
    /// Begins or ends a range of rows.
    Range,
    /// A row further, with the range; begins one.
    RangeDown,
    /// A row back, with the range.
    RangeUp,
    /// Approves everything that is shown and safe.
    ApproveAll,
    /// Holds the row back, or lets go of it.
    Hold,
    /// Goes back to an older tag, and holds what is newer.
    Rollback,
    /// Passes over it.
    Skip,
    /// Back to undecided.
    Clear,
    /// Takes the last decision back.
    Undo,
    /// Makes it again.
    Redo,
    /// Opens S7.
    Diff,
    /// Opens S3.
    Tags,
    /// Opens S5.
    Playground,
    /// Open a saved plan.
    ReviewPlan,
    /// Back to the policy as it is.
    Reset,
    /// Hands the policy that is tried to the terminal's clipboard.
    CopyPolicy,
    /// Shows what the policy that is tried changes in its file.
    EditPolicy,
    /// Hands that to the terminal's clipboard.
    CopyEdit,
    /// Writes it into a file.
    WriteEdit,
    /// Shows or hides why.
    Why,
    /// The previous file or policy.
    PreviousFile,
    /// The next file or policy.
    NextFile,
    /// Fewer lines around a change.
    LessContext,
    /// More lines around a change.
    MoreContext,
    /// Both sides beside each other.
    SideBySide,
    /// Wraps long lines.
    Wrap,
    /// To the next undecided row.
    NextUndecided,
    /// To the previous undecided row.
    PreviousUndecided,
    /// Folds or unfolds everything.
    FoldAll,
    /// Opens S8.
    Message,
    /// Opens S9.
    Push,
    /// Scans the row, or the selected rows.
    Rescan,
    /// Scans everything.
    RescanAll,
    /// Stops live updates of lists.
    Freeze,
    /// Opens the sort menu.
    Sort,
    /// Turns the order around.
    Reverse,
    /// Shows only the tags that a policy may select.
    MatchingOnly,
    /// The list alone, or with its preview.
    Zoom,
    /// The list gets less of the room, its other pane more.
    Narrow,
    /// The list gets more of the room.
    Widen,
    /// Columns of a list give way to each other before one goes.
    Wide,
    /// Opens the copy menu.
    Copy,
    /// Opens the menu of themes.
    Theme,
    /// Opens requests for what is pushed, or does not.
    Requests,
    /// Merges a push branch, after a question.
    Merge,
    /// With a merge commit where none is needed, or without.
    MergeCommit,
    /// Prepares the plan that takes a commit back.
    Revert,
    /// Chooses where the commits go.
    Target,
    /// To the branch that each automation pushes to.
    TargetPush,
    /// To a new branch for a review.
    TargetReview,
    /// To a branch whose name is typed.
    TargetBranch,
    /// Into a file, as a patch.
    TargetPatch,
    /// To the branch that each automation reads.
    TargetCheckout,
    /// One commit for each policy, or for each automation.
    TargetSplit,
    /// To READ-ONLY.
    ModeReadOnly,
    /// To DRY-RUN.
    ModeDryRun,
    /// To WRITE, after a question.
    ModeWrite,
    /// As much to the terminal as looks right.
    ProfileNormal,
    /// As little to the terminal as can be.
    ProfileLow,
    /// Takes the mouse, or leaves it to the terminal.
    Mouse,
    /// Leaves for the demo.
    Demo,
    /// Leaves at once if nothing is lost by it.
    Quit,
    /// Says yes to a dialog.
    Yes,
    /// Says no to a dialog.
    No,
    /// The next choice below a field.
    ChoiceDown,
    /// The previous choice below a field.
    ChoiceUp,
    /// Takes the choice, or what was typed.
    Accept,
    /// Completes what was typed.
    Complete,
    /// Renders the message template again.
    Rerender,
}

impl Action {
    /// Whether it only moves the cursor: such keys are held down, and the preview waits for their end.
    pub fn moves(self) -> bool {
        matches!(
            self,
            Self::Down
                | Self::Up
                | Self::First
                | Self::Last
                | Self::HalfDown
                | Self::HalfUp
                | Self::PageDown
                | Self::PageUp
                | Self::ChoiceDown
                | Self::ChoiceUp
                | Self::NextMatch
                | Self::PreviousMatch
        )
    }
}

/// The set of contexts in which an action can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(u32);

impl Scope {
    /// Exactly these contexts.
    pub const fn of(contexts: &[Context]) -> Self {
        match contexts {
            [first, rest @ ..] => Self(first.bit()).and(Self::of(rest)),
            [] => Self(0),
        }
    }

    /// Exactly these views.
    pub const fn views(views: &[View]) -> Self {
        match views {
            [first, rest @ ..] => Self(Context::View(*first).bit()).and(Self::views(rest)),
            [] => Self(0),
        }
    }

    /// These contexts and those of `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `context` is one of them.
    pub const fn contains(self, context: Context) -> bool {
        self.0 & context.bit() != 0
    }

    /// Whether some context is in both.
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// What is asked for.
    pub action: Action,
    /// The stable name, as in `[keys]`; several rows of one action have different names.
    pub id: &'static str,
    /// Default keys, as [`Key`] parses them; empty: the palette alone reaches it.
    pub keys: &'static [&'static str],
    /// Footer label of at most ten characters; empty: never in the footer.
    pub label: &'static str,
    /// The sentence of the help screen.
    pub doc: &'static str,
    /// Where.
    pub scope: Scope,
    /// How far it reaches.
    pub effect: EffectClass,
    /// Place in the footer: smaller comes first.
    pub rank: u8,
    /// The heading in help.
    pub group: Group,
    /// Why it cannot run now, if so.
    pub why_not: fn(&State) -> Option<String>,
}

impl Row {
    /// The table's own keys as values. One whose spelling is wrong is left out; a test sees to it that there is none.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.keys.iter().filter_map(|key| key.parse().ok())
    }

    /// The keys that are in force.
    pub fn keys_in(&self, bindings: &Bindings) -> Vec<Key> {
        bindings.of(self.id).map_or_else(|| self.keys().collect(), <[Key]>::to_vec)
    }

    /// The keys in force as people read them, such as `j ↓`.
    pub fn keys_shown(&self, bindings: &Bindings) -> String {
        self.keys_in(bindings).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// Why an action may not run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its effect class is beyond the mode.
    Mode(String),
    /// There is nothing to run it on, or the like.
    Reason(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(text) | Self::Reason(text) => f.write_str(text),
        }
    }
}

/// The row that `key` means in `context`.
pub fn lookup(bindings: &Bindings, context: Context, key: Key) -> Option<&'static Row> {
    let has = |row: &&Row| match bindings.of(row.id) {
        Some(keys) => keys.contains(&key),
        None => row.keys().any(|known| known == key),
    };
    ACTIONS.iter().filter(|row| row.scope.contains(context)).find(has)
}

/// The keys in force of the action called `id`.
pub fn keys_of(state: &State, id: &str) -> Vec<Key> {
    by_id(id).map(|row| row.keys_in(&state.bindings)).unwrap_or_default()
}

/// The first of them as people read it; without one, what the palette finds the action by.
pub fn key_of(state: &State, id: &str) -> String {
    keys_of(state, id).first().map_or_else(|| format!(":{id}"), ToString::to_string)
}

/// The row called `id`.
pub fn by_id(id: &str) -> Option<&'static Row> {
    ACTIONS.iter().find(|row| row.id == id)
}

/// The one gate: why `row` may not run in this state; `None` lets it through.
///
/// READ-ONLY lets through what changes nothing; DRY-RUN also local changes, and lets remote ones begin because they are
/// simulated; WRITE lets all through. New actions are therefore safe by what they say of themselves.
pub fn refusal(state: &State, row: &Row) -> Option<Refusal> {
    let beyond = match state.mode {
        Mode::ReadOnly => row.effect > EffectClass::Read,
        Mode::DryRun | Mode::Write => false,
    };
    if beyond {
        return Some(Refusal::Mode(format!(
            "READ-ONLY: {} is switched off; `:mode dry-run` allows it",
            called(state, row)
        )));
    }
    (row.why_not)(state).map(Refusal::Reason)
}

/// What a refusal calls a row: its label, else its keys, else its name.
fn called(state: &State, row: &Row) -> String {
    let keys = row.keys_shown(&state.bindings);
    let names = [row.label.to_owned(), keys, row.id.to_owned()];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// Why the plan of the open dialog cannot be pushed; `None`: it can, or the mode decides.
pub fn push_refusal(state: &State) -> Option<String> {
    why::pushable(state)
}

/// Why the merge of the open dialog cannot be made; `None`: it can, or the mode decides.
pub fn merge_refusal(state: &State) -> Option<String> {
    why::merge_seen(state)
}

/// The Markdown table of keys that README.md holds; a test compares the two.
pub fn readme_table() -> String {
    let mut table = String::from("| keys | action | what it does |\n| --- | --- | --- |\n");
    for row in ACTIONS {
        let keys: Vec<String> = row.keys().map(|key| format!("`{key}`").replace("`|`", "`\\|`")).collect();
        let keys = if keys.is_empty() { "`:`".to_owned() } else { keys.join(" ") };
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {keys} | `{}` | {} |", row.id, row.doc);
    }
    table
}

#[cfg(test)]
mod tests;
