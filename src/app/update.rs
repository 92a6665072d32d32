//! One function changes the state, and it only says what should be done.
//!
//! Keys become actions by [`super::action::lookup`]; `run` is the one place that lets an action through or refuses it.

mod cluster;
mod compare;
mod copy;
mod decide;
mod diff;
mod evaluate;
mod facts;
mod find;
mod guard;
mod hold;
mod keys;
mod lists;
mod log;
mod merge;
mod message;
mod mode;
mod moved;
mod navigate;
mod objects;
mod order;
mod overlays;
mod playground;
mod pointer;
mod problems;
mod push;
mod rescan;
mod revert;
mod saved_plan;
mod scans;
mod tags;
mod target;
mod time;
mod unmarked;

#[cfg(test)]
mod tests;

use super::action::{self, Action, Group, Row};
use super::effect::Effect;
use super::message::Msg;
use super::review::Newer;
use super::rows;
use super::state::{Level, Overlay, State};
use super::view::View;

/// What to do first.
pub fn start(state: &mut State) -> Vec<Effect> {
    let job = state.jobs.number();
    state.jobs.load = Some(job);
    vec![Effect::Load(job)]
}

/// Folds one message into the state and returns the work it asks for.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = fold(state, msg);
    let orders = rows::orders(state);
    if orders != state.orders {
        state.orders.clone_from(&orders);
        effects.push(Effect::SaveOrders(orders));
    }
    effects
}

fn fold(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Now(at, now) => time::now(state, at, now),
        Msg::KeysCame(at) => time::keys_came(state, at),
        Msg::Key(key) => keys::press(state, key),
        Msg::Named(name) => keys::named(state, &name),
        Msg::Paste(text) => keys::paste(state, &text),
        Msg::Resized(size) => only(|| state.size = size),
        Msg::Drawn(at) => only(|| guard::drawn(state, at)),
        Msg::Scrolled(line) => only(|| state.preview.scroll = line),
        Msg::Loaded(job, result) => objects::loaded(state, job, result),
        Msg::NothingFound(job, tried) => objects::nothing_found(state, job, tried),
        Msg::TerminalIsSlow(round_trip) => only(|| mode::offer_low_bandwidth(state, round_trip)),
        Msg::Clicked(spot) => pointer::click(state, spot),
        Msg::Wheel { down, spot } => pointer::wheel(state, down, spot),
        Msg::Configured(configured) => only(|| state.configure(*configured)),
        Msg::Announced(text) => only(|| state.tell(Level::Warning, text)),
        Msg::ScanProgress { job, repository, seen } => scans::progress(state, job, &repository, seen),
        Msg::TagsListed(job, repository, scan) => scans::listed(state, job, &repository, scan),
        Msg::TagsMoved { repository, moved, all } => scans::moved(state, &repository, &moved, all),
        Msg::ScanFailed { job, repository, problem } => scans::failed(state, job, &repository, problem),
        Msg::Evaluated(policy, verdict) => evaluate::evaluated(state, policy, verdict),
        Msg::Tried(job, tried) => playground::tried(state, job, tried),
        Msg::Proposed(job, result) => compare::proposed(state, job, result),
        Msg::Found(job, hits) => find::found(state, job, hits),
        Msg::LookedThrough(job, found) => only(|| unmarked::found(state, job, *found)),
        Msg::Prepared(job, result) => push::prepared(state, job, result),
        Msg::PatchWritten(path, written) => only(|| target::patch_written(state, &path, written)),
        Msg::PolicyEdited(job, edit) => only(|| playground::edited(state, job, edit)),
        Msg::ForgesFound(found) => only(|| target::forges_found(state, found)),
        Msg::MergeAhead(job, result) => merge::looked(state, job, result),
        Msg::Reverted(job, result) => revert::made(state, job, result),
        Msg::PlanRead(job, result) => saved_plan::read(state, job, result),
        Msg::RollBack(job, result) => hold::answered(state, job, result),
        Msg::Pushing(job, step) => only(|| push::step(state, job, step)),
        Msg::Pushed(job, result) => push::done(state, job, result),
        Msg::LogWritten { job, folder, events } => log::written(state, job, folder, events),
        Msg::PushesSettled(settled) => only(|| push::settled(state, &settled)),
        Msg::Described(job, repository, told) => {
            let now = state.now;
            only(|| state.facts.answer(job, &repository, *told, now))
        }
        Msg::FirstSeen { job, repository, sightings, moved } => {
            only(|| tags::first_seen(state, job, &repository, *sightings, moved))
        }
        Msg::Glanced(job, glanced) => {
            let now = state.now;
            only(|| state.tags.glances.answer(job, glanced, now))
        }
        Msg::Ordered(ordered) => order::given(state, *ordered),
        Msg::HoldsKept => compare::propose(state, false, Newer::None),
        Msg::Warned(problem) => only(|| problems::report(state, "supercargo", problem, None, Level::Warning)),
        Msg::SourceChanged => objects::reload(state),
        Msg::ClusterLost(lost) => cluster::lost(state, lost),
        Msg::Around(around) => cluster::around(state, around),
        Msg::Denied(denied) => cluster::denied(state, denied),
        Msg::Reconciled(kind, id, result) => order::reconciled(state, kind, &id, result),
        Msg::MessageWritten(written) => message::written(state, written),
        Msg::PagerEnded(ended) => only(|| ended.unwrap_or_else(|why| state.tell(Level::Warning, why))),
        Msg::WayOpened(opened) => rescan::way_opened(state, opened),
    }
}

/// Takes in what asks for nothing to be done.
fn only(take_in: impl FnOnce()) -> Vec<Effect> {
    take_in();
    vec![]
}

/// Runs the action of `row`, unless the mode or the row's own reason stands against it.
fn run(state: &mut State, row: &Row) -> Vec<Effect> {
    if let Some(refusal) = action::refusal(state, row) {
        state.tell(Level::Refusal, refusal.to_string());
        return vec![];
    }
    // What was said to an earlier key is not about what this one does.
    if !row.action.moves() {
        state.status = None;
    }
    // Who does something with a row means it; the keys of everywhere are about none.
    if row.group != Group::Everywhere
        && state.overlay.is_none()
        && let Some(list) = navigate::list(state)
    {
        list.land();
    }
    perform(state, row.action)
}

/// Carries an action out; [`run`] has let it through.
fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Down
        | Action::Up
        | Action::First
        | Action::Last
        | Action::HalfDown
        | Action::HalfUp
        | Action::PageDown
        | Action::PageUp => navigate::go(state, navigate::motion(action)),
        Action::ScrollDown | Action::ScrollUp => navigate::scroll_other(state, action),
        Action::Open => navigate::open(state),
        Action::Back => navigate::back(state),
        Action::Leave => navigate::leave(state),
        Action::Quit => navigate::quit(state),
        Action::Cancel => navigate::cancel(state),
        Action::ViewUpdates
        | Action::ViewRepositories
        | Action::ViewPolicies
        | Action::ViewAutomations
        | Action::ViewPlan
        | Action::ViewLog
        | Action::ViewPrevious
        | Action::ViewErrors => navigate::view(state, action),
        Action::Diff if state.overlay.is_some() => overlays::diff_first(state),
        Action::Diff => diff::open(state),
        Action::Playground
        | Action::Reset
        | Action::CopyPolicy
        | Action::EditPolicy
        | Action::CopyEdit
        | Action::WriteEdit => playground::perform(state, action),
        Action::NextPane | Action::MatchingOnly if state.view() == View::Playground => {
            playground::perform(state, action)
        }
        Action::NextPane if matches!(state.overlay, Some(Overlay::Hold(_))) => hold::next_field(state),
        Action::Left | Action::Right if state.view_below_help() != View::Diff => {
            lists::perform(state, action)
        }
        Action::Left
        | Action::Right
        | Action::NextPane
        | Action::FoldAll
        | Action::LessContext
        | Action::MoreContext
        | Action::SideBySide
        | Action::Wrap => diff::perform(state, action),
        Action::PreviousFile | Action::NextFile => navigate::other_part(state, action),
        Action::Tags => tags::open_from_row(state),
        Action::MatchingOnly => tags::matching_only(state),
        Action::Select
        | Action::Range
        | Action::RangeDown
        | Action::RangeUp
        | Action::Sort
        | Action::Reverse
        | Action::Zoom
        | Action::Narrow
        | Action::Widen
        | Action::Wide
        | Action::Freeze
        | Action::Why
        | Action::NextMatch
        | Action::PreviousMatch => lists::perform(state, action),
        Action::Filter
        | Action::Palette
        | Action::Help
        | Action::ChoiceDown
        | Action::ChoiceUp
        | Action::Accept
        | Action::Complete => overlays::perform(state, action),
        Action::Find | Action::CopyFound => find::perform(state, action),
        _ => act(state, action),
    }
}

/// Carries out what is decided, sent, asked for or set; [`perform`] moves and shows.
fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Approve
        | Action::Skip
        | Action::Clear
        | Action::ApproveAll
        | Action::Undo
        | Action::Redo
        | Action::NextUndecided
        | Action::PreviousUndecided => decide::perform(state, action),
        Action::Hold => hold::toggle(state),
        Action::Rollback => hold::rollback(state),
        Action::Copy => copy::open(state),
        Action::Message | Action::Rerender | Action::EditMessage => message::perform(state, action),
        Action::Push => push::open(state),
        Action::Requests => push::wish_for_requests(state),
        Action::Merge | Action::MergeCommit => merge::perform(state, action),
        Action::Revert => revert::open(state),
        Action::ReviewPlan => saved_plan::ask(state),
        Action::Target
        | Action::TargetPush
        | Action::TargetReview
        | Action::TargetBranch
        | Action::TargetPatch
        | Action::TargetCheckout
        | Action::TargetSplit => target::perform(state, action),
        Action::Yes => overlays::yes(state),
        Action::No => overlays::no(state),
        Action::Rescan | Action::RescanAll => rescan::perform(state, action),
        Action::Theme
        | Action::ModeReadOnly
        | Action::ModeDryRun
        | Action::ModeWrite
        | Action::ProfileNormal
        | Action::ProfileLow
        | Action::Mouse => mode::perform(state, action),
        Action::SuspendObject | Action::ResumeObject | Action::ReconcileObject => order::open(state, action),
        Action::Pager => overlays::page(state),
        _ => of_the_shell(action),
    }
}

/// What the shell does alone.
fn of_the_shell(action: Action) -> Vec<Effect> {
    vec![match action {
        Action::OpenWay => Effect::OpenWay,
        Action::Suspend => Effect::Suspend,
        Action::Demo => Effect::Demo,
        Action::Redraw => Effect::Redraw,
        _ => return vec![],
    }]
}
