//! The mouse: clicks go to what they point at, or tick it; nothing that reaches further than this computer begins with one.

use crate::app::action::{ACTIONS, Action, EffectClass, Row};
use crate::app::effect::Effect;
use crate::app::list::Motion;
use crate::app::pointer::Spot;
use crate::app::rows;
use crate::app::state::{Overlay, State};
use crate::app::view::{Context, Focus, View};

use super::{navigate, run};

/// Two clicks on the same spot within so many milliseconds open what is there.
const DOUBLE: u64 = 500;
/// A notch of the wheel moves a list by so many rows.
const NOTCH: usize = 3;

/// Takes in a click. In questions it means nothing: a click never confirms.
pub(super) fn click(state: &mut State, spot: Spot) -> Vec<Effect> {
    state.heard();
    let last = state.last_click.replace((spot, state.at));
    let is_double = last.is_some_and(|(before, at)| before == spot && state.at.since(at) <= DOUBLE);
    match (state.context(), spot) {
        (Context::Menu, Spot::Choice(index)) => choose(state, index, is_double),
        (Context::View(_), Spot::Tab(view)) => act(state, &[tab(view)]),
        (Context::View(_), Spot::Order(order)) => {
            sort(state, order);
            vec![]
        }
        (Context::View(View::Diff), Spot::Pane(focus)) => {
            state.diff.focus = focus;
            vec![]
        }
        (Context::View(_), Spot::Row(index)) => {
            go_to(state, index);
            if is_double { act(state, &[Action::Open, Action::Why]) } else { vec![] }
        }
        (Context::View(_), Spot::Box(index)) => {
            go_to(state, index);
            act(state, &[Action::Approve, Action::Select])
        }
        _ => vec![],
    }
}

/// Takes in a notch of the wheel over `spot`.
pub(super) fn wheel(state: &mut State, down: bool, spot: Option<Spot>) -> Vec<Effect> {
    state.last_key = Some(state.at);
    let over_other = spot == Some(Spot::Pane(Focus::Other));
    let (moves, times): (&[Action], usize) = match (state.context(), down) {
        (Context::View(_), true) if over_other => (&[Action::ScrollDown, Action::Down], NOTCH),
        (Context::View(_), false) if over_other => (&[Action::ScrollUp, Action::Up], NOTCH),
        (Context::View(_) | Context::Overlay, true) => (&[Action::Down, Action::ChoiceDown], NOTCH),
        (Context::View(_) | Context::Overlay, false) => (&[Action::Up, Action::ChoiceUp], NOTCH),
        (_, true) => (&[Action::Down, Action::ChoiceDown], 1),
        (_, false) => (&[Action::Up, Action::ChoiceUp], 1),
    };
    (0..times).flat_map(|_| act(state, moves)).collect()
}

/// Carries out the first of `actions` that the context has, unless it reaches further than this computer.
fn act(state: &mut State, actions: &[Action]) -> Vec<Effect> {
    let context = state.context();
    let of = |action: &Action| {
        ACTIONS.iter().find(|row: &&Row| row.action == *action && row.scope.contains(context))
    };
    match actions.iter().find_map(of).filter(|row| row.effect <= EffectClass::Local) {
        Some(row) => run(state, row),
        None => vec![],
    }
}

fn tab(view: View) -> Action {
    match view {
        View::Repositories => Action::ViewRepositories,
        View::Policies => Action::ViewPolicies,
        View::Automations => Action::ViewAutomations,
        View::Plan => Action::ViewPlan,
        View::Log => Action::ViewLog,
        _ => Action::ViewUpdates,
    }
}

/// Moves the cursor of what is in front to the row at `index`.
fn go_to(state: &mut State, index: usize) {
    let at = match state.view() {
        View::Start => Some(state.start_cursor),
        _ => navigate::list(state).map(|list| list.place().0),
    };
    let Some(by) = at.and_then(|at| isize::try_from(index).ok()?.checked_sub_unsigned(at)) else { return };
    state.settle_preview();
    if let Some(list) = navigate::list(state) {
        list.land();
    }
    if by != 0 {
        // Nothing but the cursor moves.
        let _ = navigate::go(state, Motion::By(by));
    }
    if state.view() == View::Diff {
        state.diff.focus = Focus::List;
    }
}

/// Sorts by another column, or the other way round.
fn sort(state: &mut State, order: usize) {
    let view = state.view();
    if let Some(list) = navigate::list(state) {
        list.land();
        let (sort, reverse) = list.order();
        *reverse = *sort == order && !*reverse;
        *sort = order;
        rows::refresh_view(state, view);
    }
}

/// Goes to an entry of the menu in front, or takes it.
fn choose(state: &mut State, index: usize, takes: bool) -> Vec<Effect> {
    let Some(Overlay::Menu(menu)) = &mut state.overlay else { return vec![] };
    if index >= menu.entries.len() {
        return vec![];
    }
    menu.cursor = index;
    if takes { act(state, &[Action::Open]) } else { vec![] }
}
