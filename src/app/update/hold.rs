//! `H`: the dialog that holds something back, letting go of it, and what both change at once on the screen.

use crate::app::effect::Effect;
use crate::app::input::Field;
use crate::app::review::{HoldChange, UpdateId};
use crate::app::rows;
use crate::app::state::{HoldDialog, Level, Overlay, State};
use crate::domain::hold;
use crate::domain::proposal::Hold;

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
    let fields = [Field::default(), Field::new(days), Field::new(tag)];
    let automations = state.review.updates().iter().filter(|update| update.policy == policy);
    let is_active = automations
        .filter_map(|update| state.inventory.automations.get(&update.automation))
        .any(|automation| !automation.suspend);
    state.overlay = Some(Overlay::Hold(HoldDialog { policy, fields, field: HoldDialog::WHY, is_active }));
    vec![]
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
    state.overlay = None;
    let is_same = |known: &&Hold| (&known.policy, &known.tag) == (&made.policy, &made.tag);
    let before = state.review.holds.iter().find(is_same).cloned();
    let (until, now) = (made.until.to_zoned(state.zone.clone()), state.now.to_zoned(state.zone.clone()));
    let until = until.strftime(if until.year() == now.year() { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M" });
    let says = format!("{} is held until {until}; u takes that back", named(&made));
    let change = HoldChange { policy: made.policy.clone(), tag: made.tag.clone(), before, after: Some(made) };
    change_to(state, change, says)
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
