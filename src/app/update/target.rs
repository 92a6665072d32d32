//! `b`: the target menu. What is chosen holds for every push from then on; a question that it was opened from is asked
//! anew.

use std::collections::BTreeSet;

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::input::Field;
use crate::app::state::{Level, Overlay, State, TargetDialog};
use crate::domain::branch::Onto;
use crate::domain::plan::{Group, Plan, PushTarget};

use super::push;

/// Opens the menu; a plan that is being made is not waited for.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let cursor = state.target_rows().iter().position(|row| row.chosen).unwrap_or(0);
    let from = match state.overlay.take() {
        Some(Overlay::Push(dialog)) => Some(dialog),
        _ => None,
    };
    let unfinished = from.iter().filter(|dialog| dialog.prepared.is_none());
    let effects = unfinished.map(|dialog| Effect::StopWork(dialog.job)).collect();
    state.overlay = Some(Overlay::Target(TargetDialog { cursor, field: None, from }));
    effects
}

/// Carries out an action of the menu.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::TargetPush => choose(state, 0),
        Action::TargetReview => choose(state, 1),
        Action::TargetBranch => choose(state, 2),
        Action::TargetCheckout => choose(state, 3),
        Action::TargetSplit => {
            state.destination.split = !state.destination.split;
            changed(state);
            vec![]
        }
        _ => open(state),
    }
}

/// What is asked about was another plan.
pub(super) fn changed(state: &mut State) {
    if let Some(Overlay::Target(TargetDialog { from: Some(dialog), .. })) = &mut state.overlay {
        dialog.prepared = None;
    }
}

/// Takes the row at `index`: a branch at once, another one when its name is typed.
pub(super) fn choose(state: &mut State, index: usize) -> Vec<Effect> {
    let onto = match index {
        0 => Onto::Push,
        1 => Onto::Named(Onto::REVIEW.to_owned()),
        3 => Onto::Checkout,
        _ => return type_name(state),
    };
    match index {
        1 => state.requests = true,
        // A request needs two branches.
        3 => state.requests = false,
        _ => {}
    }
    take(state, onto)
}

fn type_name(state: &mut State) -> Vec<Effect> {
    let known = match &state.destination.onto {
        Onto::Named(name) if name != Onto::REVIEW => name.clone(),
        _ => String::new(),
    };
    if let Some(Overlay::Target(dialog)) = &mut state.overlay {
        (dialog.cursor, dialog.field) = (2, Some(Field::new(known)));
    }
    vec![]
}

/// The name of another branch was typed; `why_not` has seen that Git takes it.
pub(super) fn typed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Target(TargetDialog { field: Some(field), .. })) = &state.overlay else {
        return vec![];
    };
    let typed = field.text().trim();
    let name = typed.strip_prefix("refs/heads/").unwrap_or(typed).to_owned();
    take(state, Onto::Named(name))
}

fn take(state: &mut State, onto: Onto) -> Vec<Effect> {
    state.destination.onto = onto;
    if let Some(Overlay::Target(TargetDialog { from: Some(_), .. })) = state.overlay.take() {
        return push::open(state);
    }
    let rows = state.target_rows();
    let chosen = rows.into_iter().find(|row| row.chosen);
    let says = chosen.map_or_else(String::new, |row| {
        format!("{}: commits go to {} ({})", row.label, row.branches.join(", "), row.means)
    });
    state.tell(Level::Info, says);
    vec![]
}

/// Makes the target that of a plan which was made elsewhere.
pub(super) fn adopt(state: &mut State, plan: &Plan) {
    let branch = |push: &Option<PushTarget>| push.as_ref().map(|push| push.branch.clone());
    let own = |group: &Group| state.review.ground(&group.automation).and_then(|ground| branch(&ground.push));
    let others = plan.groups.iter().filter(|group| own(group) != branch(&group.push));
    let others: BTreeSet<String> = others.filter_map(|group| branch(&group.push)).collect();
    let mut commits = BTreeSet::new();
    let twice = |group: &Group| !commits.insert((group.automation.clone(), branch(&group.push)));
    state.destination.split |= plan.groups.iter().any(twice);
    let mut others = others.into_iter();
    match (others.next(), others.next()) {
        (None, _) => {}
        (Some(one), None) => state.destination.onto = Onto::Named(one),
        (Some(_), Some(_)) => {
            let says =
                "the plan has a branch for each update; commits go to the automations' own: b changes that";
            state.tell(Level::Warning, says);
        }
    }
}

/// One level back: from the name to the menu, from the menu to the question that it was opened from. `None`: the menu is
/// not open.
pub(super) fn back(state: &mut State) -> Option<Vec<Effect>> {
    let Some(Overlay::Target(dialog)) = &mut state.overlay else { return None };
    if dialog.field.take().is_some() {
        return Some(vec![]);
    }
    let from = dialog.from.take();
    state.overlay = None;
    match from {
        // It is seen anew.
        Some(dialog) if dialog.prepared.is_some() => {
            state.overlay = Some(Overlay::Push(crate::app::state::PushDialog { shown: None, ..dialog }));
            Some(vec![])
        }
        Some(_) => Some(push::open(state)),
        None => Some(vec![]),
    }
}
