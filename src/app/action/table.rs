//! The table itself.

use super::why::{
    always, approvable, approvals, approved, cursor, decidable, decided, editable, errors, filtered, pane,
    redoable, undoable,
};
use super::{Action, EffectClass, Group, Row, Scope, why};
use crate::app::view::{Context as C, View as V};

/// S1, S2, S3, S4, S6: the views whose main pane is a table.
const TABLES: Scope = Scope::views(&[V::Updates, V::Repositories, V::Tags, V::Policies, V::Automations]);
/// Where several rows can be meant at once.
const RANGES: Scope = Scope::views(&[V::Updates, V::Repositories, V::Policies, V::Automations]);
/// Those, and S10.
const LISTS: Scope = TABLES.and(Scope::views(&[V::Log]));
/// Those that have another pane where there is room for one.
const PANES: Scope = LISTS.and(Scope::views(&[V::Diff, V::Errors]));
/// The views that move by rows.
const ROWS: Scope = NOT_LOG.and(LISTS);
/// Everything that is a view and takes no text.
const VIEWS: Scope = ROWS;
/// Those without S10.
const NOT_LOG: Scope = TABLES.and(Scope::views(&[V::Diff, V::Plan, V::Push, V::Errors, V::Start]));
/// Where decisions are made.
const DECIDE: Scope = Scope::views(&[V::Updates, V::Diff]);
/// Where the message and the push can be reached.
const REVIEW: Scope = Scope::views(&[V::Updates, V::Diff, V::Plan]);
/// Fields that take text.
const INPUTS: Scope = Scope::views(&[V::Message, V::Help, V::Playground])
    .and(Scope::of(&[C::Filter, C::Palette]))
    .and(FIND)
    .and(DIALOG_INPUTS);
/// Those of questions.
const DIALOG_INPUTS: Scope = Scope::of(&[C::TypeBranch, C::TypeTarget, C::TypeHold]);
/// S14.
const FIND: Scope = Scope::of(&[C::Find]);
/// Small lists over a view.
const CHOICES: Scope = Scope::of(&[C::Menu, C::Target]);
/// Those, and what is only read over a view.
const MENUS: Scope = CHOICES.and(Scope::of(&[C::Edit]));
/// Questions.
const DIALOGS: Scope =
    Scope::of(&[C::ConfirmPush, C::ConfirmMerge, C::ConfirmQuit, C::ConfirmMode, C::ConfirmOrder]);
/// Lists of objects that controllers look after.
const OBJECTS: Scope = Scope::views(&[V::Repositories, V::Policies, V::Automations]);
/// What to do with decisions of an earlier run.
const RESUME: Scope = Scope::of(&[C::ConfirmResume]);
/// The preview over a narrow list.
const OVERLAY: Scope = Scope::of(&[C::Overlay]);
/// The screen that is too small.
const SMALL: Scope = Scope::of(&[C::TooSmall]);
/// Everything there is.
const ALL: Scope = VIEWS.and(INPUTS).and(MENUS).and(DIALOGS).and(RESUME).and(OVERLAY).and(SMALL);

const NONE: EffectClass = EffectClass::None;
const READ: EffectClass = EffectClass::Read;
const LOCAL: EffectClass = EffectClass::Local;
const REMOTE: EffectClass = EffectClass::Remote;
const CLUSTER: EffectClass = EffectClass::Cluster;

/// One row; the arguments follow the columns of the table below.
#[expect(clippy::too_many_arguments, reason = "a table's row has as many cells as the table has columns")]
const fn row(
    action: Action,
    id: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    doc: &'static str,
    scope: Scope,
    effect: EffectClass,
    (rank, group): (u8, Group),
    why_not: fn(&crate::app::state::State) -> Option<String>,
) -> Row {
    Row { action, id, keys, label, doc, scope, effect, rank, group, why_not }
}

use Group::{Act, Decide, Everywhere, Look, Move};

/// Every action that works, by heading.
#[rustfmt::skip]
pub const ACTIONS: &[Row] = &[
    // Decide
    row(Action::Approve, "decide.approve", &["space"], "approve", "Approve the update, file or site, or take that back", DECIDE, LOCAL, (10, Decide), approvable),
    row(Action::Approve, "tags.approve", &["space"], "approve", "Approve the update to this tag, or take that back", Scope::views(&[V::Tags]), LOCAL, (37, Decide), approvable),
    row(Action::Skip, "decide.skip", &["s"], "skip", "Pass over it this time", DECIDE, LOCAL, (11, Decide), decidable),
    row(Action::Clear, "decide.clear", &["x"], "", "Back to undecided", DECIDE, LOCAL, (60, Decide), decidable),
    row(Action::Clear, "plan.clear", &["space", "x"], "take back", "Take the approval of the update back", Scope::views(&[V::Plan]), LOCAL, (10, Decide), cursor),
    row(Action::ApproveAll, "decide.all", &["a"], "all", "Approve all shown, but none that is blocked, held, goes back or changes its name", DECIDE, LOCAL, (30, Decide), why::any_pending),
    row(Action::Hold, "decide.hold", &["H"], "hold", "Hold it back for a while, or let go of it", Scope::views(&[V::Updates]), LOCAL, (16, Decide), why::holdable),
    row(Action::Hold, "tags.hold", &["H"], "hold", "Hold this tag back for a while, or let go of it", Scope::views(&[V::Tags]), LOCAL, (36, Decide), why::holdable),
    row(Action::Rollback, "tags.rollback", &[], "", "Go back to this tag, or to the one before, and hold the policy there", VIEWS, LOCAL, (60, Decide), why::rollback),
    row(Action::Select, "select.toggle", &["space"], "select", "Mark the row for r", Scope::views(&[V::Repositories, V::Policies, V::Automations]), NONE, (40, Decide), cursor),
    row(Action::RangeDown, "range.down", &["shift-down"], "", "Take the next row into the range; begins one", RANGES, NONE, (61, Decide), cursor),
    row(Action::RangeUp, "range.up", &["shift-up"], "", "Take the previous row into the range; begins one", RANGES, NONE, (61, Decide), cursor),
    row(Action::Range, "select.range", &["v"], "", "Begin or end a range of rows for Space, s and x", RANGES, NONE, (61, Decide), cursor),
    row(Action::Undo, "decide.undo", &["u"], "", "Take the last decision or hold back", VIEWS, LOCAL, (62, Decide), undoable),
    row(Action::Redo, "decide.redo", &["U"], "", "Make it again", VIEWS, LOCAL, (63, Decide), redoable),
    row(Action::NextUndecided, "decide.next", &["."], "", "To the next that is undecided", DECIDE, NONE, (64, Decide), why::undecided),
    row(Action::PreviousUndecided, "decide.previous", &[","], "", "To the previous that is undecided", DECIDE, NONE, (65, Decide), why::undecided),
    // Move
    row(Action::Down, "move.down", &["j", "down"], "", "One row down", ROWS.and(MENUS).and(OVERLAY).and(Scope::of(&[C::ConfirmPush])), NONE, (90, Move), always),
    row(Action::Up, "move.up", &["k", "up"], "", "One row up", ROWS.and(MENUS).and(OVERLAY).and(Scope::of(&[C::ConfirmPush])), NONE, (90, Move), always),
    row(Action::Left, "move.left", &["h", "left"], "", "Fold", Scope::views(&[V::Diff]), NONE, (90, Move), always),
    row(Action::Right, "move.right", &["l", "right"], "", "Unfold", Scope::views(&[V::Diff]), NONE, (90, Move), always),
    row(Action::Left, "list.left", &["h", "left"], "", "Scroll the columns back", LISTS, NONE, (90, Move), why::wide),
    row(Action::Right, "list.right", &["l", "right"], "", "Scroll to the next column, where all are shown", LISTS, NONE, (90, Move), why::wide),
    row(Action::First, "move.first", &["g", "home"], "", "To the first row", ROWS.and(MENUS), NONE, (90, Move), always),
    row(Action::Last, "move.last", &["G", "end"], "", "To the last row", ROWS.and(MENUS), NONE, (90, Move), always),
    row(Action::HalfDown, "move.half-down", &["ctrl-d"], "", "Half a page down", ROWS, NONE, (90, Move), always),
    row(Action::HalfUp, "move.half-up", &["ctrl-u"], "", "Half a page up", ROWS, NONE, (90, Move), always),
    row(Action::PageDown, "move.page-down", &["pgdn", "ctrl-f"], "", "A page down", ROWS, NONE, (90, Move), always),
    row(Action::PageUp, "move.page-up", &["pgup", "ctrl-b"], "", "A page up", ROWS, NONE, (90, Move), always),
    row(Action::ScrollDown, "pane.down", &["J"], "", "Scroll the other pane down", LISTS.and(Scope::views(&[V::Diff, V::Errors])), NONE, (91, Move), pane),
    row(Action::ScrollUp, "pane.up", &["K"], "", "Scroll the other pane up", LISTS.and(Scope::views(&[V::Diff, V::Errors])), NONE, (91, Move), pane),
    row(Action::NextPane, "pane.next", &["tab", "shift-tab"], "tree/diff", "To the other pane", Scope::views(&[V::Diff]), NONE, (20, Move), always),
    row(Action::PreviousFile, "move.previous-part", &["["], "", "The previous file, or the previous policy of these tags", Scope::views(&[V::Tags, V::Diff]), NONE, (66, Move), why::parts),
    row(Action::NextFile, "move.next-part", &["]"], "next", "The next file, or the next policy of these tags", Scope::views(&[V::Tags, V::Diff]), NONE, (45, Move), why::parts),
    row(Action::FoldAll, "diff.fold", &["="], "", "Fold or unfold all", Scope::views(&[V::Diff]), NONE, (67, Move), always),
    // Look
    row(Action::Open, "open.diff", &["enter"], "diff", "The diff of this update", Scope::views(&[V::Updates, V::Plan]), NONE, (12, Look), cursor),
    row(Action::Open, "open.tags", &["enter"], "tags", "The tags of its repository", Scope::views(&[V::Repositories, V::Policies]), NONE, (10, Look), cursor),
    row(Action::Open, "open.why", &["enter"], "why", "Why this tag has the state it has", Scope::views(&[V::Tags]), NONE, (10, Look), why::reason_hidden),
    row(Action::Open, "open.updates", &["enter"], "updates", "The updates that it would push", Scope::views(&[V::Automations]), NONE, (10, Look), cursor),
    row(Action::Open, "open.pane", &["enter"], "open", "Unfold it, or go to its diff", Scope::views(&[V::Diff]), NONE, (68, Look), cursor),
    row(Action::Open, "open.choice", &["enter"], "do it", "Do what the row says", Scope::views(&[V::Push, V::Start]).and(CHOICES), NONE, (10, Look), why::choice),
    row(Action::Diff, "open.review", &["d"], "", "The diff", Scope::views(&[V::Updates, V::Plan]), NONE, (69, Look), cursor),
    row(Action::Diff, "open.first-diff", &["d"], "", "The diff of its first update", OBJECTS.and(Scope::views(&[V::Tags])), NONE, (69, Look), why::reviewed),
    row(Action::Diff, "dialog.diff", &["d"], "diff", "Look at the diff first", Scope::of(&[C::ConfirmPush]), NONE, (12, Look), always),
    row(Action::Tags, "open.tag-list", &["t"], "tags", "The tags of its repository", Scope::views(&[V::Updates, V::Repositories, V::Policies]), NONE, (13, Look), cursor),
    row(Action::Why, "open.preview", &["i"], "why", "What it changes and why, or nothing but the list", Scope::views(&[V::Updates]), NONE, (25, Look), cursor),
    row(Action::Why, "open.details", &["i"], "details", "What is known of the row, or nothing but the list", Scope::views(&[V::Repositories, V::Policies, V::Automations, V::Log, V::Errors]), NONE, (37, Look), cursor),
    row(Action::Open, "open.event", &["enter"], "details", "All that was written down of it, over the list", Scope::views(&[V::Log]), NONE, (10, Look), cursor),
    row(Action::Open, "open.problem", &["enter"], "details", "All that is known of it, over the list", Scope::views(&[V::Errors]), NONE, (12, Look), cursor),
    row(Action::Why, "open.reason", &["i"], "", "Why this tag has the state it has, or nothing but the list", Scope::views(&[V::Tags]).and(OVERLAY), NONE, (37, Look), cursor),
    row(Action::Playground, "open.playground", &["e"], "playground", "Try another rule or pattern on these tags; nothing is saved", Scope::views(&[V::Tags, V::Policies]).and(OVERLAY), NONE, (13, Look), why::triable),
    row(Action::Playground, "update.playground", &["e"], "playground", "Try another rule or pattern on the tags of its policy; nothing is saved", Scope::views(&[V::Updates]), NONE, (75, Look), why::triable),
    row(Action::NextPane, "playground.field", &["tab"], "field", "To the next field; arrows choose where there is a choice", Scope::views(&[V::Playground]), NONE, (10, Move), always),
    row(Action::MatchingOnly, "playground.matching", &["ctrl-t"], "matching", "Only the tags that the trial may select", Scope::views(&[V::Playground]), NONE, (11, Look), always),
    row(Action::CopyPolicy, "playground.copy", &["ctrl-y"], "copy YAML", "Copy filterTags and policy as they stand below spec", Scope::views(&[V::Playground]), NONE, (12, Act), always),
    row(Action::EditPolicy, "playground.edit", &["ctrl-d"], "diff", "The same as an edit of the file that the policy stands in, to copy or to write as a patch", Scope::views(&[V::Playground]), READ, (81, Act), why::tried),
    row(Action::Reset, "playground.reset", &["ctrl-r"], "reset", "Back to the policy as it is", Scope::views(&[V::Playground]), NONE, (13, Act), always),
    row(Action::MatchingOnly, "tags.matching", &["M"], "matching", "Only the tags that the policy may select", Scope::views(&[V::Tags]), NONE, (14, Look), why::policy),
    row(Action::LessContext, "diff.less", &["{"], "", "Fewer lines around a change", Scope::views(&[V::Diff]), NONE, (70, Look), always),
    row(Action::MoreContext, "diff.more", &["}"], "context", "More lines around a change", Scope::views(&[V::Diff]), NONE, (46, Look), always),
    row(Action::SideBySide, "diff.side", &["|"], "sides", "Old and new beside each other", Scope::views(&[V::Diff]), NONE, (47, Look), always),
    row(Action::Wrap, "diff.wrap", &["W"], "", "Wrap long lines", Scope::views(&[V::Diff]), NONE, (71, Look), always),
    row(Action::Filter, "filter.open", &["/"], "filter", "Show only what matches: text, ~fuzzy, re:regex, !not, ns:name, state:word", LISTS, NONE, (35, Look), always),
    row(Action::NextMatch, "filter.next", &["n"], "", "To the next match of the filter", LISTS, NONE, (72, Look), filtered),
    row(Action::PreviousMatch, "filter.previous", &["N"], "", "To the previous match of the filter", LISTS, NONE, (72, Look), filtered),
    row(Action::Sort, "list.sort", &["o"], "sort", "Choose the order", LISTS, NONE, (41, Look), always),
    row(Action::Reverse, "list.reverse", &["O"], "", "Turn the order around", LISTS, NONE, (73, Look), always),
    row(Action::Zoom, "pane.zoom", &["z"], "", "The list alone, or with its preview", LISTS, NONE, (74, Look), pane),
    row(Action::Narrow, "pane.narrow", &["<"], "", "Less room for the list, more for the pane beside or below it; kept for each view", PANES, NONE, (74, Look), why::shared),
    row(Action::Widen, "pane.widen", &[">"], "", "More room for the list, less for the pane beside or below it", PANES, NONE, (74, Look), why::shared),
    row(Action::Wide, "list.wide", &["w"], "", "All columns, scrolled with left and right; or those that have room", LISTS, NONE, (74, Look), always),
    row(Action::Freeze, "list.freeze", &["f"], "freeze", "Stop rows from moving, or let them again", LISTS, NONE, (75, Look), always),
    // Act
    row(Action::Message, "message.open", &["c"], "message", "The commit message", REVIEW, LOCAL, (26, Act), editable),
    row(Action::Push, "push.open", &["p"], "push", "Push what is approved; asks first", REVIEW, REMOTE, (14, Act), approvals),
    row(Action::Target, "push.target", &["b"], "target", "Choose the branch to push to, in how many commits, with or without a request", REVIEW.and(Scope::of(&[C::ConfirmPush])), LOCAL, (15, Act), why::not_pushing),
    row(Action::Merge, "branch.merge", &[], "", "Merge the branch that was pushed to into the one that is read; asks first", VIEWS, REMOTE, (89, Act), why::mergeable),
    row(Action::ReviewPlan, "plan.review", &[], "", "Open a saved plan in the place of what is under review: `review PLAN.json`", VIEWS, LOCAL, (89, Act), why::nothing_approved),
    row(Action::Revert, "commit.revert", &[], "", "Prepare the plan that takes the commit of the row back; `revert COMMIT` names another", NOT_LOG, LOCAL, (89, Act), why::revertible),
    row(Action::Revert, "log.revert", &["v"], "revert", "Prepare the plan that takes back the commit that was pushed or merged; `:revert COMMIT` names another", Scope::views(&[V::Log]), LOCAL, (11, Act), why::revertible),
    row(Action::Requests, "request.open", &[], "", "Open a pull or merge request for what is pushed, or do not", VIEWS, NONE, (89, Act), why::with_forge),
    row(Action::Rescan, "scan.row", &["r"], "rescan", "Scan its repository again, or those of the selected rows", TABLES, READ, (33, Act), cursor),
    row(Action::Rescan, "errors.retry", &["r"], "retry", "Try again what failed", Scope::views(&[V::Errors]), READ, (10, Act), errors),
    row(Action::RescanAll, "scan.all", &["R"], "rescan all", "Scan everything again", TABLES, READ, (42, Act), why::repositories),
    row(Action::Clear, "errors.clear", &["x"], "clear", "Take the entry off the list", Scope::views(&[V::Errors]), NONE, (11, Act), errors),
    row(Action::SuspendObject, "object.suspend", &[], "suspend", "Suspend it in the cluster, or the selected rows; asks first", OBJECTS, CLUSTER, (88, Act), why::in_cluster),
    row(Action::ResumeObject, "object.resume", &[], "resume", "Resume it in the cluster, or the selected rows; asks first", OBJECTS, CLUSTER, (88, Act), why::in_cluster),
    row(Action::ReconcileObject, "object.reconcile", &[], "reconcile", "Have its controller look at it now; asks first", OBJECTS, CLUSTER, (88, Act), why::in_cluster),
    row(Action::Copy, "copy.open", &["y"], "copy", "Copy its name, reference, tag or command", TABLES.and(Scope::views(&[V::Diff, V::Plan, V::Errors, V::Push, V::Log])).and(OVERLAY), NONE, (43, Act), cursor),
    row(Action::EditMessage, "message.edit", &["ctrl-e"], "editor", "Write it in $VISUAL or $EDITOR", Scope::views(&[V::Message]), LOCAL, (13, Act), decided),
    row(Action::Rerender, "message.render", &["ctrl-r"], "re-render", "Render the template again", Scope::views(&[V::Message]), LOCAL, (12, Act), decided),
    // Dialogs and fields
    row(Action::Yes, "dialog.push", &["y"], "push", "Push; Enter does nothing here", Scope::of(&[C::ConfirmPush]), REMOTE, (10, Act), why::pushable),
    row(Action::Yes, "dialog.order", &["y"], "do it", "Do it; Enter does nothing here", Scope::of(&[C::ConfirmOrder]), CLUSTER, (10, Act), always),
    row(Action::Yes, "dialog.merge", &["y"], "merge", "Merge; Enter does nothing here", Scope::of(&[C::ConfirmMerge]), REMOTE, (10, Act), why::merge_seen),
    row(Action::MergeCommit, "merge.commit", &["m"], "how", "With a merge commit where moving the branch would do, or without", Scope::of(&[C::ConfirmMerge]), READ, (12, Act), why::merge_possible),
    row(Action::Yes, "dialog.yes", &["y"], "yes", "Yes", Scope::of(&[C::ConfirmQuit, C::ConfirmMode]), NONE, (10, Act), always),
    row(Action::CopyEdit, "edit.copy", &["y"], "copy", "Copy the diff", Scope::of(&[C::Edit]), NONE, (10, Act), always),
    row(Action::WriteEdit, "edit.write", &["w"], "write", "Write the diff into a new file, which `git apply` takes", Scope::of(&[C::Edit]), LOCAL, (11, Act), always),
    row(Action::Yes, "dialog.resume", &["y", "esc"], "resume", "Go on with the decisions of the earlier run", RESUME, NONE, (10, Act), always),
    row(Action::No, "dialog.drop", &["n"], "undecided", "Take them back; u makes them again", RESUME, LOCAL, (11, Act), always),
    row(Action::No, "dialog.no", &["n", "esc", "q"], "cancel", "No, back", DIALOGS, NONE, (11, Act), always),
    row(Action::Accept, "field.accept", &["enter"], "run", "Take the choice, or what was typed", Scope::views(&[V::Help]).and(Scope::of(&[C::Palette])), NONE, (10, Act), always),
    row(Action::Accept, "find.go", &["enter"], "go", "Go to what was found", FIND, NONE, (10, Act), always),
    row(Action::CopyFound, "find.copy", &["ctrl-y"], "copy", "Copy its name, or the image with its tag", FIND, NONE, (11, Act), always),
    row(Action::Accept, "filter.keep", &["enter"], "keep", "Keep the filter", Scope::of(&[C::Filter]), NONE, (10, Act), always),
    row(Action::TargetPush, "target.push", &["1"], "", "To the branch that the automation pushes to", Scope::of(&[C::Target]), LOCAL, (60, Act), always),
    row(Action::TargetReview, "target.review", &["2"], "", "To a new branch for a review, with a request", Scope::of(&[C::Target]), LOCAL, (61, Act), always),
    row(Action::TargetBranch, "target.branch", &["3"], "", "To another branch; {policy} and {tag} make one for each update", Scope::of(&[C::Target]), LOCAL, (62, Act), always),
    row(Action::TargetPatch, "target.patch", &["4"], "", "Nowhere: the diff is written into a new file, which `git apply` takes", Scope::of(&[C::Target]), LOCAL, (63, Act), approved),
    row(Action::TargetCheckout, "target.checkout", &["5"], "", "To the branch that the automation reads", Scope::of(&[C::Target]), LOCAL, (64, Act), always),
    row(Action::TargetSplit, "target.split", &["s"], "split", "One commit for each policy, or one for each automation", Scope::of(&[C::Target]), LOCAL, (11, Act), always),
    row(Action::Requests, "target.request", &["r"], "request", "With a pull or merge request, or without", Scope::of(&[C::Target]), LOCAL, (12, Act), why::requestable),
    row(Action::Accept, "target.accept", &["enter"], "take", "Push to the branch of this name, or write the file of this name", Scope::of(&[C::TypeTarget]), LOCAL, (10, Act), why::target_typed),
    row(Action::Accept, "branch.accept", &["enter"], "push", "Push, if the branch's name was typed", Scope::of(&[C::TypeBranch]), REMOTE, (10, Act), why::branch_typed),
    row(Action::Accept, "hold.accept", &["enter"], "hold", "Hold it back", Scope::of(&[C::TypeHold]), LOCAL, (10, Act), why::hold_typed),
    row(Action::NextPane, "hold.field", &["tab", "shift-tab"], "field", "Between reason, end and tag", Scope::of(&[C::TypeHold]), NONE, (11, Move), always),
    row(Action::ChoiceDown, "hold.down", &["down"], "means", "The next means of keeping the older tag", Scope::of(&[C::TypeHold]), NONE, (12, Move), why::rolls_back),
    row(Action::ChoiceUp, "hold.up", &["up"], "", "The previous means of keeping the older tag", Scope::of(&[C::TypeHold]), NONE, (90, Move), why::rolls_back),
    row(Action::Complete, "palette.complete", &["tab"], "complete", "Complete the name", Scope::of(&[C::Palette]), NONE, (9, Act), always),
    row(Action::ChoiceDown, "field.down", &["down"], "", "The next choice", Scope::views(&[V::Help]).and(Scope::of(&[C::Palette, C::Filter])).and(FIND), NONE, (90, Move), always),
    row(Action::Down, "playground.down", &["down"], "", "Scroll the tags down", Scope::views(&[V::Playground]), NONE, (90, Move), always),
    row(Action::Up, "playground.up", &["up"], "", "Scroll the tags up", Scope::views(&[V::Playground]), NONE, (90, Move), always),
    row(Action::PageDown, "playground.page-down", &["pgdn"], "", "A page down", Scope::views(&[V::Playground]), NONE, (90, Move), always),
    row(Action::PageUp, "playground.page-up", &["pgup"], "", "A page up", Scope::views(&[V::Playground]), NONE, (90, Move), always),
    row(Action::PageDown, "help.page-down", &["pgdn"], "page", "The next page", Scope::views(&[V::Help]), NONE, (11, Move), always),
    row(Action::PageUp, "help.page-up", &["pgup"], "", "The page before", Scope::views(&[V::Help]), NONE, (90, Move), always),
    row(Action::ChoiceUp, "field.up", &["up"], "", "The previous choice; above the first of the palette, what was run before", Scope::views(&[V::Help]).and(Scope::of(&[C::Palette, C::Filter])).and(FIND), NONE, (90, Move), always),
    row(Action::NextPane, "message.field", &["tab", "shift-tab"], "field", "Between subject and body", Scope::views(&[V::Message]), NONE, (11, Move), always),
    // Everywhere
    row(Action::Back, "view.back", &["esc"], "back", "One level back: overlay, filter, view", VIEWS.and(MENUS).and(OVERLAY), NONE, (80, Everywhere), always),
    row(Action::Back, "field.back", &["esc"], "back", "Close the field; what was typed in a message is kept", INPUTS, NONE, (80, Everywhere), always),
    row(Action::Leave, "view.leave", &["q"], "", "Leave the view; at the first one, the program", VIEWS.and(OVERLAY).and(MENUS), NONE, (95, Everywhere), always),
    row(Action::Quit, "program.leave", &["q"], "quit", "Leave the program", SMALL, NONE, (95, Everywhere), always),
    row(Action::Cancel, "work.cancel", &["ctrl-c"], "", "Stop the running work and keep what is known; else leave; twice always leaves", ALL, NONE, (96, Everywhere), always),
    row(Action::Suspend, "program.suspend", &["ctrl-z"], "", "Back to the shell; fg returns", ALL, NONE, (97, Everywhere), always),
    row(Action::Redraw, "program.redraw", &["ctrl-l"], "", "Draw everything again", ALL, NONE, (98, Everywhere), always),
    row(Action::ViewUpdates, "view.updates", &["1"], "", "Updates", VIEWS.and(OVERLAY), NONE, (81, Everywhere), always),
    row(Action::ViewRepositories, "view.repositories", &["2"], "", "Repositories", VIEWS.and(OVERLAY), NONE, (82, Everywhere), always),
    row(Action::ViewPolicies, "view.policies", &["3"], "", "Policies", VIEWS.and(OVERLAY), NONE, (83, Everywhere), always),
    row(Action::ViewAutomations, "view.automations", &["4"], "", "Automations", VIEWS.and(OVERLAY), NONE, (84, Everywhere), always),
    row(Action::ViewPlan, "view.plan", &["5"], "", "Plan: what is approved", VIEWS.and(OVERLAY), NONE, (85, Everywhere), always),
    row(Action::ViewLog, "view.log", &["6"], "", "Log: who did what", VIEWS.and(OVERLAY), NONE, (85, Everywhere), always),
    row(Action::ViewPrevious, "view.previous", &["-"], "", "The view before this one", VIEWS.and(OVERLAY), NONE, (86, Everywhere), always),
    row(Action::ViewErrors, "view.errors", &["!"], "", "Errors", VIEWS.and(OVERLAY), NONE, (87, Everywhere), always),
    row(Action::Palette, "palette.open", &[":"], "command", "Every action by its name", VIEWS.and(OVERLAY), NONE, (88, Everywhere), always),
    row(Action::Find, "find.open", &["ctrl-p"], "", "Find anything by a few letters: updates, objects, files, tags", VIEWS.and(OVERLAY), NONE, (88, Everywhere), always),
    row(Action::Pager, "pager.open", &["ctrl-o"], "", "Read what is shown in $PAGER, else less", VIEWS.and(OVERLAY).and(Scope::views(&[V::Message, V::Playground])), NONE, (88, Everywhere), always),
    row(Action::Help, "help.open", &["?", "f1"], "help", "What the keys do here", VIEWS.and(DIALOGS).and(RESUME).and(MENUS).and(OVERLAY), NONE, (99, Everywhere), always),
    row(Action::Help, "help.field", &["f1"], "help", "What the keys do here", Scope::views(&[V::Message, V::Playground]).and(Scope::of(&[C::Filter, C::Palette])).and(FIND).and(DIALOG_INPUTS), NONE, (99, Everywhere), always),
    row(Action::Theme, "theme.open", &["T"], "", "Choose a theme; it is shown at once", VIEWS, NONE, (89, Everywhere), always),
    row(Action::ModeReadOnly, "mode.read-only", &[], "", "Change nothing: READ-ONLY", VIEWS, NONE, (89, Everywhere), why::mode_locked),
    row(Action::ModeDryRun, "mode.dry-run", &[], "", "Decide, and simulate pushes: DRY-RUN", VIEWS, NONE, (89, Everywhere), why::mode_locked),
    row(Action::ModeWrite, "mode.write", &[], "", "Push for real, after a confirmation: WRITE", VIEWS, NONE, (89, Everywhere), why::mode_locked),
    row(Action::ProfileNormal, "profile.normal", &[], "", "Send the terminal what a screen needs to look right", VIEWS, NONE, (89, Everywhere), always),
    row(Action::ProfileLow, "profile.low-bandwidth", &[], "", "For bad lines: no row background, spinner, preview or mouse, 16 colours, 10 frames/s", VIEWS, NONE, (89, Everywhere), always),
    row(Action::Mouse, "mouse.toggle", &["m"], "", "Take clicks and the wheel, or leave the mouse to the terminal", VIEWS, NONE, (89, Everywhere), why::mouse),
    row(Action::OpenWay, "git.login", &[], "", "Type a login for a Git server that asks for one, or answer what ssh or a signing key asks", VIEWS, READ, (89, Everywhere), always),
    row(Action::OpenWay, "ssh.unlock", &[], "", "Answer what ssh or a signing key asks: passphrase, password, PIN, host key", VIEWS, READ, (89, Everywhere), always),
    row(Action::Demo, "demo.start", &[], "", "Practice data: registry, remote and pending updates on this machine", VIEWS, NONE, (89, Everywhere), why::demo_running),
    row(Action::Quit, "program.quit", &[], "", "Leave the program", VIEWS, NONE, (95, Everywhere), always),
];
