//! The question whether to push, and who it is asked: keys that were typed before it was seen, or before it was seen to be gone, are
//! not for what is there now, and a plan that does not stand any more is not asked about.

use std::collections::BTreeSet;

use crate::app::effect::Effect;
use crate::app::moment::Moment;
use crate::app::review::UpdateId;
use crate::app::state::{Overlay, PushDialog, State, Withdrawn};
use crate::app::view::Context;
use crate::domain::plan::Plan;
use crate::domain::proposal::Proposal;

/// Keys within so many milliseconds after the dialog was drawn are dropped: they were meant for what was there before.
const GUARD: u64 = 300;

/// Whether keys are to be dropped because a person cannot have seen yet that a dialog is there, or is gone.
pub(super) fn drops_keys(state: &State, context: Context) -> bool {
    let is_early = |shown: Option<Moment>| shown.is_none_or(|shown| state.at.since(shown) < GUARD);
    if state.withdrawn.is_some_and(|gone| is_early(gone.shown)) {
        return true;
    }
    match &state.overlay {
        Some(Overlay::Push(dialog)) if context == Context::ConfirmPush && dialog.prepared.is_some() => {
            is_early(dialog.shown)
        }
        Some(Overlay::Merge(dialog)) if context == Context::ConfirmMerge && dialog.ahead.is_some() => {
            is_early(dialog.shown)
        }
        _ => false,
    }
}

/// A frame is on the screen, and with it the dialog, or what was below.
pub(super) fn drawn(state: &mut State, at: Moment) {
    if let Some(gone) = &mut state.withdrawn {
        gone.shown.get_or_insert(at);
    }
    if let Some(Overlay::Push(dialog)) = &mut state.overlay
        && dialog.prepared.is_some()
        && dialog.shown.is_none()
    {
        dialog.shown = Some(at);
    }
    if let Some(Overlay::Merge(dialog)) = &mut state.overlay
        && dialog.ahead.is_some()
        && dialog.shown.is_none()
    {
        dialog.shown = Some(at);
    }
}

/// Whether it is asked whether to push, or about to be.
pub(super) fn is_asked(state: &State) -> bool {
    matches!(state.overlay, Some(Overlay::Push(_) | Overlay::Branch(_)))
}

/// Takes back the question about a plan of which something is not approved any more that was: what is blocked meanwhile, or gone,
/// is not pushed. `None`: there was no such question. One that cannot be answered with yes anyhow says why, and stays.
pub(super) fn withdraw(state: &mut State, was_approved: &BTreeSet<UpdateId>) -> Option<Vec<Effect>> {
    let is_lost =
        |id: &UpdateId| was_approved.contains(id) && !state.review.get(id).is_some_and(Proposal::is_approved);
    let any_lost = |plan: &Plan| {
        let planned = plan.groups.iter().flat_map(|group| &group.updates);
        planned.filter(|update| update.is_approved()).map(UpdateId::of).any(|id| is_lost(&id))
    };
    let (is_withdrawn, asking) = match &state.overlay {
        Some(Overlay::Push(PushDialog { touched: Some(_), .. })) => return None,
        Some(Overlay::Push(PushDialog { prepared: Some(prepared), .. })) => (any_lost(&prepared.plan), None),
        // The plan to come was asked for with all that was approved then.
        Some(Overlay::Push(dialog)) => (was_approved.iter().any(is_lost), Some(dialog.job)),
        Some(Overlay::Branch(dialog)) => (any_lost(&dialog.prepared.plan), None),
        _ => return None,
    };
    if !is_withdrawn {
        return None;
    }
    state.overlay = None;
    state.withdrawn = Some(Withdrawn { shown: None });
    Some(asking.map(Effect::StopWork).into_iter().collect())
}
