//! `H`: the dialog that holds something back, letting go of it, and what both change at once on the screen.

use crate::app::effect::{Effect, JobId};
use crate::app::input::Field;
use crate::app::review::{HoldChange, UpdateId, Wanted};
use crate::app::rows;
use crate::app::state::{HoldDialog, Keep, Level, Overlay, State};
use crate::app::view::View;
use crate::domain::hold;
use crate::domain::keep::{Means, PlacedEdit, RollBack, attach};
use crate::domain::object::ObjectId;
use crate::domain::proposal::{Decision, Hold, Proposal, Reference};
use crate::problem::Problem;

use super::{navigate, time};

/// Opens the dialog for the row, or lets go of what holds it.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    let Some((policy, tag)) = rows::held_by_h(state) else { return vec![] };
    if let Some(held) = hold::of(&state.review.holds, &policy, &tag, state.now).cloned() {
        let says = format!("{} is let go of; u holds it again", named(&held));
        let change = HoldChange { policy, tag: held.tag.clone(), before: Some(held), after: None };
        return change_to(state, change, says);
    }
    let days = format!("{}d", state.hold_days);
    let fields = vec![Field::default(), Field::new(days), Field::new(tag)];
    let is_active = is_active(state, &policy);
    let (field, keep) = (HoldDialog::WHY, Keep::default());
    state.overlay = Some(Overlay::Hold(HoldDialog { policy, fields, field, is_active, keep }));
    vec![]
}

/// `:rollback`: the same dialog, with the tag to go back to; the policy is held as a whole, so that no later tag undoes it.
pub(super) fn rollback(state: &mut State) -> Vec<Effect> {
    let Ok((policy, back)) = rows::rollback(state) else { return vec![] };
    let days = format!("{}d", state.hold_days);
    let fields = vec![Field::default(), Field::new(days), Field::default(), Field::new(back)];
    let is_active = is_active(state, &policy);
    let (field, keep) = (HoldDialog::WHY, Keep::default());
    state.overlay = Some(Overlay::Hold(HoldDialog { policy, fields, field, is_active, keep }));
    ask(state)
}

/// Has it found out what going back to the tag in the dialog takes, unless that is known or under way.
pub(super) fn ask(state: &mut State) -> Vec<Effect> {
    let job = state.jobs.number();
    let Some(Overlay::Hold(dialog)) = &state.overlay else { return vec![] };
    let (policy, tag) = (dialog.policy.clone(), dialog.text(HoldDialog::BACK).to_owned());
    let is_asked = dialog.keep.asked.as_ref().is_some_and(|(_, asked)| *asked == tag);
    if !dialog.is_rollback() || is_asked || rows::may_go_back(state, &policy, &tag).is_err() {
        return vec![];
    }
    let Some(Overlay::Hold(dialog)) = &mut state.overlay else { return vec![] };
    let before = dialog.keep.asked.replace((job, tag.clone()));
    let stop =
        before.filter(|_| dialog.keep.answer.take().is_none()).map(|(before, _)| Effect::StopWork(before));
    stop.into_iter().chain([Effect::RollBack { job, policy, tag }]).collect()
}

/// It is known what going back takes, or why it cannot be done.
pub(super) fn answered(state: &mut State, job: JobId, result: Result<Box<RollBack>, Problem>) -> Vec<Effect> {
    let Some(Overlay::Hold(dialog)) = &mut state.overlay else { return vec![] };
    if dialog.keep.asked.as_ref().is_some_and(|(asked, _)| *asked == job) {
        dialog.keep.answer = Some(result);
    }
    vec![]
}

/// To another means of keeping the older tag.
pub(super) fn choose(state: &mut State, by: isize) {
    let Some(Overlay::Hold(dialog)) = &mut state.overlay else { return };
    let (all, now) = (Means::ALL, dialog.keep.means);
    let at = all.iter().position(|means| *means == now).unwrap_or(0);
    let next = at.saturating_add_signed(by).min(all.len() - 1);
    dialog.keep.means = all.get(next).copied().unwrap_or(now);
}

/// Whether an automation that writes tags of the policy is not suspended.
fn is_active(state: &State, policy: &ObjectId) -> bool {
    let grounds = state.review.grounds.iter().filter(|ground| ground.policies.contains(policy));
    let by_ground = grounds.map(|ground| &ground.automation);
    let by_update = state.review.updates().iter().filter(|update| update.policy == *policy);
    by_ground
        .chain(by_update.map(|update| &update.automation))
        .filter_map(|automation| state.inventory.automations.get(automation))
        .any(|automation| !automation.suspend)
}

/// To the next field of the dialog.
pub(super) fn next_field(state: &mut State) -> Vec<Effect> {
    if let Some(Overlay::Hold(dialog)) = &mut state.overlay {
        dialog.field = (dialog.field + 1) % dialog.fields.len();
    }
    vec![]
}

/// Holds what the dialog says; `why_not` has seen that it makes sense.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Hold(dialog)) = &state.overlay else { return vec![] };
    let Ok(made) = dialog.hold(state.now, &state.operator) else { return vec![] };
    let back = dialog.is_rollback().then(|| reference_of(state, dialog));
    let edits = back.as_ref().map(|back| edits_of(dialog, &back.tag)).unwrap_or_default();
    state.overlay = None;
    let is_same = |known: &&Hold| (&known.policy, &known.tag) == (&made.policy, &made.tag);
    let before = state.review.holds.iter().find(is_same).cloned();
    let (until, now) = (made.until.to_zoned(state.zone.clone()), state.now.to_zoned(state.zone.clone()));
    let until = until.strftime(if until.year() == now.year() { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M" });
    let says = format!("{} is held until {until}; u takes that back", named(&made));
    let change = HoldChange { policy: made.policy.clone(), tag: made.tag.clone(), before, after: Some(made) };
    let Some(back) = back else { return change_to(state, change, says) };
    let says = format!("goes back to {}; {} is held until {until}", back.tag, named_after(&change));
    let mut effects = change_to(state, change.clone(), String::new());
    effects.extend(go_back(state, change, (back, edits), &says));
    effects
}

/// What the dialog goes back to: with the digest that was asked for, if the policy reflects one.
fn reference_of(state: &State, dialog: &HoldDialog) -> Reference {
    let tag = dialog.text(HoldDialog::BACK);
    let image = || state.review.selections.get(&dialog.policy).map(|selection| selection.image.clone());
    let plain = || Reference { image: image().unwrap_or_default(), tag: tag.to_owned(), digest: None };
    dialog.keep.known(tag).map_or_else(|_| plain(), |found| found.reference.clone())
}

/// What the chosen means changes in the files.
fn edits_of(dialog: &HoldDialog, tag: &str) -> Vec<PlacedEdit> {
    let found = dialog.keep.known(tag).ok();
    found.and_then(|found| found.edits(dialog.keep.means).ok()).unwrap_or_default().to_vec()
}

/// Puts the updates that bring a policy back in the place of what it selects, with the edits that keep it there, and shows
/// them as a plan.
fn go_back(
    state: &mut State,
    change: HoldChange,
    (back, edits): (Reference, Vec<PlacedEdit>),
    says: &str,
) -> Vec<Effect> {
    let Ok(mut updates) = rows::back_to(state, &change.policy, back) else { return vec![] };
    if let Some(hold) = change.after.filter(|_| !edits.is_empty()) {
        let until = hold.until.strftime("%Y-%m-%d");
        for update in &mut updates {
            update.why = format!("picked by {} until {until}: {}", hold.by, hold.reason);
        }
    }
    if let Err(why) = attach(&mut updates, &state.review.grounds, edits) {
        state.tell(Level::Error, why);
        return vec![];
    }
    let wanted = |mut update: Proposal| {
        update.decide(Decision::Approved);
        Wanted { update, message: None, branch: None }
    };
    let decided = state.review.want(updates.into_iter().map(wanted).collect());
    // It was decided just now: nobody has to be asked whether it is still meant.
    state.resumed = true;
    rows::refresh(state);
    state.switch_to(View::Plan);
    state.tell(Level::Info, format!("{says}; p pushes it"));
    if decided.is_empty() { vec![] } else { vec![Effect::SaveDecisions(decided)] }
}

fn named_after(change: &HoldChange) -> String {
    change.after.as_ref().map(named).unwrap_or_default()
}

fn named(hold: &Hold) -> String {
    match &hold.tag {
        Some(tag) => format!("{tag} of {}", hold.policy),
        None => hold.policy.to_string(),
    }
}

fn change_to(state: &mut State, change: HoldChange, says: String) -> Vec<Effect> {
    let kept = kept(&change);
    let policy = change.policy.clone();
    let decided = state.review.hold(change, state.now);
    let mut effects = turned(state, kept);
    if !decided.is_empty() {
        effects.push(Effect::SaveDecisions(decided));
    }
    let row = state.review.updates().iter().find(|update| update.policy == policy).map(UpdateId::of);
    if let Some(row) = row {
        navigate::to_update(state, &row);
    }
    state.tell(Level::Info, says);
    effects
}

/// What has to be kept of a change that was made, in its direction.
pub(super) fn kept(change: &HoldChange) -> Effect {
    match &change.after {
        Some(hold) => Effect::Hold(Box::new(hold.clone())),
        None => Effect::Unhold { policy: change.policy.clone(), tag: change.tag.clone() },
    }
}

/// Rows follow a hold that was changed, and so does a comparison that may have begun before.
pub(super) fn turned(state: &mut State, kept: Effect) -> Vec<Effect> {
    state.jobs.propose_again |= state.jobs.propose.is_some();
    rows::plan(state);
    time::rows_changed(state);
    vec![kept]
}
