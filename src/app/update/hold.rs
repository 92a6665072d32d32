//! `H`: the dialog that holds something back, letting go of it, and what both change at once on the screen.

use crate::app::effect::Effect;
use crate::app::input::Field;
use crate::app::review::{HoldChange, UpdateId, Wanted};
use crate::app::rows;
use crate::app::state::{HoldDialog, Level, Overlay, State};
use crate::app::view::View;
use crate::domain::hold;
use crate::domain::object::ObjectId;
use crate::domain::proposal::{Decision, Hold, Proposal};

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
    state.overlay = Some(Overlay::Hold(HoldDialog { policy, fields, field: HoldDialog::WHY, is_active }));
    vec![]
}

/// `:rollback`: the same dialog, with the tag to go back to; what is selected now is held, so that it does not come back.
pub(super) fn rollback(state: &mut State) -> Vec<Effect> {
    let Ok((policy, back)) = rows::rollback(state) else { return vec![] };
    let selected = state.verdicts.get(&policy).and_then(|verdict| verdict.reference.as_ref());
    let held = selected.map(|reference| reference.tag.clone()).unwrap_or_default();
    let days = format!("{}d", state.hold_days);
    let fields = vec![Field::default(), Field::new(days), Field::new(held), Field::new(back)];
    let is_active = is_active(state, &policy);
    state.overlay = Some(Overlay::Hold(HoldDialog { policy, fields, field: HoldDialog::WHY, is_active }));
    vec![]
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
    let back = dialog.is_rollback().then(|| dialog.text(HoldDialog::BACK).to_owned());
    state.overlay = None;
    let is_same = |known: &&Hold| (&known.policy, &known.tag) == (&made.policy, &made.tag);
    let before = state.review.holds.iter().find(is_same).cloned();
    let (until, now) = (made.until.to_zoned(state.zone.clone()), state.now.to_zoned(state.zone.clone()));
    let until = until.strftime(if until.year() == now.year() { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M" });
    let says = format!("{} is held until {until}; u takes that back", named(&made));
    let change = HoldChange { policy: made.policy.clone(), tag: made.tag.clone(), before, after: Some(made) };
    let Some(tag) = back else { return change_to(state, change, says) };
    let says = format!("goes back to {tag}; {} is held until {until}", named_after(&change));
    let mut effects = change_to(state, change.clone(), String::new());
    effects.extend(go_back(state, &change.policy, &tag, &says));
    effects
}

/// Puts the updates that bring a policy back in the place of what it selects, and shows them as a plan.
fn go_back(state: &mut State, policy: &ObjectId, tag: &str, says: &str) -> Vec<Effect> {
    let Ok(updates) = rows::back_to(state, policy, tag) else { return vec![] };
    let wanted = |mut update: Proposal| {
        update.decide(Decision::Approved);
        Wanted { update, message: None }
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
