//! Decisions: approve, skip, clear, undo; on updates in S1 and on anything of S7's tree.

use jiff::Timestamp;

use crate::app::action::{self, Action};
use crate::app::effect::Effect;
use crate::app::list::Motion;
use crate::app::review::{Decided, Target, Turned, UpdateId};
use crate::app::rows;
use crate::app::state::{Level, Node, Overlay, State};
use crate::app::view::View;
use crate::domain::age;
use crate::domain::mode::Mode;
use crate::domain::proposal::{Decision, Proposal, UpdateState};
use crate::text::count;

use super::{hold, navigate};

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Approve if state.view_below_help() == View::Tags => approve_tag(state),
        Action::Approve => approve(state),
        Action::Skip => decide(state, Decision::Skipped, "skipped"),
        Action::Clear if state.view_below_help() == View::Errors => clear_error(state),
        Action::Clear => decide(state, Decision::Undecided, "back to undecided"),
        Action::ApproveAll => approve_all(state),
        Action::Undo => again(state, true),
        Action::Redo => again(state, false),
        Action::NextUndecided => undecided(state, 1),
        Action::PreviousUndecided => undecided(state, -1),
        _ => vec![],
    }
}

/// Approves the targets, or takes that back if all of them are approved.
///
/// An update that goes back, changes its image's name or is too young is approved by the second key; the first says why
/// it stands out.
fn approve(state: &mut State) -> Vec<Effect> {
    let targets = rows::decided(state);
    if targets.iter().all(|target| state.review.decision(target) == Decision::Approved) {
        return decide(state, Decision::Undecided, "back to undecided");
    }
    let (risky, fine): (Vec<Target>, Vec<Target>) =
        targets.into_iter().partition(|target| is_second_look(state, target));
    let young = fine.iter().filter(|target| state.review.get(&target.update).is_some_and(age::is_young));
    let young: Vec<UpdateId> = young.map(|target| target.update.clone()).collect();
    let word = if young.is_empty() { "approved" } else { "approved although too young" };
    for id in &young {
        state.review.lift(id);
    }
    let effects = if fine.is_empty() { vec![] } else { give(state, &fine, Decision::Approved, word) };
    if let Some(target) = risky.first() {
        let says = state.review.get(&target.update).map(|update| why_second_look(update, state.now));
        let says = says.unwrap_or_default();
        let again = if fine.is_empty() && risky.len() == 1 { "Space again" } else { "Space on its row" };
        state.tell(Level::Warning, format!("{says}; {again} approves it"));
        state.review.looked_at.extend(risky.into_iter().map(|target| target.update));
    }
    effects
}

/// The same for the tag under the cursor of S3, where no box shows what was decided: it is said.
fn approve_tag(state: &mut State) -> Vec<Effect> {
    let effects = approve(state);
    let targets = rows::decided(state);
    if let (false, Some(target)) = (effects.is_empty(), targets.first()) {
        let is_approved = state.review.decision(target) == Decision::Approved;
        let word = if is_approved { "approved" } else { "back to undecided" };
        let key = action::key_of(state, "view.updates");
        state.tell(Level::Info, format!("{}: {word}; {key} lists it", target.update.policy));
    }
    effects
}

fn is_second_look(state: &State, target: &Target) -> bool {
    let update = state.review.get(&target.update);
    let needs = update.is_some_and(|update| update.needs_second_look() || age::is_young(update));
    needs && !state.review.looked_at.contains(&target.update)
}

/// Each reason why an update is approved by a second key only.
fn why_second_look(update: &Proposal, now: Timestamp) -> String {
    let new = update.new.as_ref().map_or("?", |new| &new.tag);
    let old = update.current.join(", ");
    let waits = update.hold.as_ref().filter(|_| age::is_young(update)).map(|hold| {
        let left = age::span(hold.until.as_second() - now.as_second());
        format!("{} has to wait {left} more, {}", update.policy, hold.reason)
    });
    let renamed = update.name_changed.then(|| {
        format!("name!: {} changes the image's name, {old} to {}:{new}", update.policy, update.image)
    });
    let back = update.downgrade.then(|| format!("DOWN: {} goes back from {old} to {new}", update.policy));
    [waits, renamed, back].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn decide(state: &mut State, decision: Decision, word: &'static str) -> Vec<Effect> {
    let targets = rows::decided(state);
    give(state, &targets, decision, word)
}

/// Gives a decision, ends the range, and has it kept.
fn give(state: &mut State, targets: &[Target], decision: Decision, word: &'static str) -> Vec<Effect> {
    // What is on its way to the remote is what was confirmed.
    let targets: Vec<Target> =
        targets.iter().filter(|target| !state.is_being_pushed(&target.update)).cloned().collect();
    let decided = state.review.decide(&targets, decision);
    state.updates.end_range();
    for target in &targets {
        state.review.looked_at.remove(&target.update);
    }
    if decided.is_empty() {
        return vec![];
    }
    let audits: Vec<Effect> = targets.iter().filter_map(|target| audit(state, target, word)).collect();
    let mut effects = saved(state, decided);
    effects.extend(audits);
    effects
}

/// What was decided of one update, for whoever asks later: from what, to what.
fn audit(state: &State, target: &Target, word: &str) -> Option<Effect> {
    let update = state.review.get(&target.update)?;
    let sites = state.review.sites_of(target).len();
    let new = update.new.as_ref().map_or("?", |new| new.tag.as_str());
    let detail = format!("{word} {} → {new} ({})", update.current.join(", "), count(sites, "site"));
    let subject = target.update.policy.to_string();
    (sites > 0).then_some(Effect::Audit { kind: "decide", subject, detail, plan: None })
}

/// Approves every row shown that is pending and stands out in nothing.
fn approve_all(state: &mut State) -> Vec<Effect> {
    let shown: Vec<UpdateId> = match state.view_below_help() {
        View::Diff => state.review.updates().iter().map(UpdateId::of).collect(),
        _ => state.updates.rows().to_vec(),
    };
    let pending: Vec<Target> = shown
        .into_iter()
        .filter(|id| state.review.get(id).is_some_and(|update| update.state == UpdateState::Pending))
        .map(Target::update)
        .collect();
    let (left, fine): (Vec<Target>, Vec<Target>) = pending
        .into_iter()
        .partition(|target| state.review.get(&target.update).is_some_and(Proposal::needs_second_look));
    let effects = give(state, &fine, Decision::Approved, "approved");
    let approved = fine.len();
    let says = match left.len() {
        0 => format!("approved all {approved}"),
        1 => format!("approved {approved}; 1 left out: it goes back or changes the image's name"),
        n => format!("approved {approved}; {n} left out: they go back or change the image's name"),
    };
    state.tell(Level::Info, says);
    effects
}

/// Asks once whether decisions of an earlier run, which have come with the updates, are still meant.
pub(super) fn ask_to_resume(state: &mut State, made: Option<Timestamp>) {
    // What was decided has landed, or is not as it was: there is nothing to ask about any more.
    if matches!(state.overlay, Some(Overlay::Resume(_))) && decided(state).next().is_none() {
        state.overlay = None;
    }
    let is_free = state.overlay.is_none() && state.help.is_none() && state.mode != Mode::ReadOnly;
    if !state.resumed && is_free && decided(state).next().is_some() {
        state.resumed = true;
        state.overlay = Some(Overlay::Resume(made));
    }
}

fn decided(state: &State) -> impl Iterator<Item = Target> {
    let pending = state.review.updates().iter().filter(|update| update.state == UpdateState::Pending);
    pending
        .filter(|update| update.overall() != Decision::Undecided)
        .map(|update| Target::update(UpdateId::of(update)))
}

/// Takes back every decision.
pub(super) fn drop_all(state: &mut State) -> Vec<Effect> {
    let targets: Vec<Target> = decided(state).collect();
    let effects = give(state, &targets, Decision::Undecided, "not resumed");
    state.tell(Level::Info, format!("{} undecided again; u takes that back", count(targets.len(), "update")));
    effects
}

fn again(state: &mut State, undo: bool) -> Vec<Effect> {
    let now = state.now;
    let turned = if undo { state.review.undo(now) } else { state.review.redo(now) };
    let Some(Turned { update, decided, hold }) = turned else { return vec![] };
    if let Some(id) = &update {
        navigate::to_update(state, id);
    }
    let (word, says) = if undo {
        ("undone", "decision undone; U makes it again")
    } else {
        ("redone", "decision made again")
    };
    state.tell(Level::Info, says);
    let mut effects = match hold {
        Some(change) => hold::turned(state, hold::kept(&change)),
        None => vec![],
    };
    if let Some(id) = update.filter(|_| !decided.is_empty()) {
        effects.extend(audit(state, &Target::update(id), word));
        effects.extend(saved(state, decided));
    }
    effects
}

/// Has the decisions kept and written down.
fn saved(state: &mut State, decided: Vec<Decided>) -> Vec<Effect> {
    state.resumed = true;
    rows::plan(state);
    vec![Effect::SaveDecisions(decided)]
}

/// Moves to the next (`by` 1) or previous (-1) undecided row, around the end.
fn undecided(state: &mut State, by: isize) -> Vec<Effect> {
    let is_undecided = |state: &State, target: &Target| {
        let pending =
            state.review.get(&target.update).is_some_and(|update| update.state == UpdateState::Pending);
        pending && state.review.decision(target) == Decision::Undecided
    };
    let in_diff = state.view_below_help() == View::Diff;
    let rows: Vec<Target> = if in_diff {
        state.diff.tree.rows().iter().map(rows::target).collect()
    } else {
        state.updates.rows().iter().cloned().map(Target::update).collect()
    };
    let is_site =
        |index: usize| !in_diff || matches!(state.diff.tree.rows().get(index), Some(Node::Site(..)));
    let start = if in_diff { state.diff.tree.cursor() } else { state.updates.cursor() };
    let count = rows.len();
    let next = (1..=count)
        .map(|step| if by > 0 { (start + step) % count } else { (start + count - step % count) % count })
        .find(|index| is_site(*index) && rows.get(*index).is_some_and(|target| is_undecided(state, target)));
    if let Some(index) = next {
        let height = state.layout().rows();
        if in_diff {
            state.diff.tree.go_to_index(index);
            state.diff.scroll = 0;
        } else {
            state.updates.go_to_index(index);
            state.updates.go(Motion::By(0), height);
        }
    }
    vec![]
}

fn clear_error(state: &mut State) -> Vec<Effect> {
    if let Some(id) = state.errors.list.current().copied() {
        state.errors.remove(id);
    }
    vec![]
}
