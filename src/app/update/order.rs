//! `:suspend`, `:resume`, `:reconcile`: asked about, given to the cluster, and what became of them.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::list::List;
use crate::app::message::Ordered;
use crate::app::state::{Level, OrderDialog, Overlay, State};
use crate::app::view::View;
use crate::domain::mode::Mode;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::{Order, human};
use crate::problem::Problem;

use super::problems;

/// Asks whether an order is meant for the selected rows, or the one under the cursor.
pub(super) fn open(state: &mut State, action: Action) -> Vec<Effect> {
    let order = match action {
        Action::SuspendObject => Order::Suspend,
        Action::ResumeObject => Order::Resume,
        _ => Order::Reconcile,
    };
    let (kind, chosen) = match state.view_below_help() {
        View::Repositories => (Kind::ImageRepository, chosen(&state.repositories)),
        View::Policies => (Kind::ImagePolicy, chosen(&state.policies)),
        _ => (Kind::ImageUpdateAutomation, chosen(&state.automations)),
    };
    let there = chosen.into_iter().filter(|id| state.inventory.is_of_cluster(kind, id));
    let refusal = |id: &ObjectId| state.denied.get(&(kind, id.namespace.clone())).cloned();
    let (mut objects, mut denied) = (Vec::new(), Vec::new());
    for id in there {
        match refusal(&id) {
            Some(why) => denied.push((id, why)),
            None => objects.push(id),
        }
    }
    if !objects.is_empty() {
        state.overlay = Some(Overlay::Order(OrderDialog { order, kind, objects, denied }));
    }
    vec![]
}

fn chosen(list: &List<ObjectId>) -> Vec<ObjectId> {
    if list.selected.is_empty() { list.targets() } else { list.selected.iter().cloned().collect() }
}

/// Gives the order that was asked about.
pub(super) fn confirmed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Order(OrderDialog { order, kind, objects, .. })) = state.overlay.take() else {
        return vec![];
    };
    let dry_run = state.mode != Mode::Write;
    vec![Effect::Order { order, kind, objects, dry_run }]
}

/// Says what became of an order; where it changed something, the objects are read again.
pub(super) fn given(state: &mut State, ordered: Ordered) -> Vec<Effect> {
    let Ordered { order, kind, dry_run, results } = ordered;
    let tail = if dry_run { " (dry run)" } else { "" };
    let all = results.len();
    let (mut done, mut waited_for) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(handled) => {
                done.push(id.to_string());
                waited_for.extend(handled.map(|handled| (id, handled)));
            }
            Err(problem) => problems::report(state, &id.to_string(), problem, None, Level::Error),
        }
    }
    // Of several the outcome of each is told: those that are not named here are in the list of problems.
    let (level, count) = if done.len() == all {
        (Level::Info, String::new())
    } else {
        (Level::Error, format!("{} of {all}: ", done.len()))
    };
    if !done.is_empty() {
        let rest = if done.len() < all { "; ! says why not the others" } else { "" };
        let text = format!("{count}{} {} {}{tail}{rest}", human(kind), done.join(", "), order.done());
        state.tell(level, text);
    }
    let mut effects = if done.is_empty() || dry_run { vec![] } else { vec![Effect::LookAtSource] };
    if !waited_for.is_empty() {
        effects.push(Effect::AwaitControllers(kind, waited_for));
    }
    effects
}

/// Says what a controller did with an object that it was asked to look at.
pub(super) fn reconciled(
    state: &mut State,
    kind: Kind,
    id: &ObjectId,
    result: Result<String, Problem>,
) -> Vec<Effect> {
    match result {
        Ok(said) => state.tell(Level::Info, format!("{} {id} reconciled: {said}", human(kind))),
        Err(problem) => problems::report(state, &id.to_string(), problem, None, Level::Error),
    }
    vec![Effect::LookAtSource]
}
