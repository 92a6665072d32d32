//! The orders and the columns of the lists.

use std::collections::BTreeMap;

use crate::app::state::State;
use crate::app::view::View;

/// The orders that a view offers; the first is the default.
pub fn sorts(view: View) -> &'static [&'static str] {
    match view {
        View::Updates => &["age", "policy", "step", "automation"],
        View::Repositories => &["name", "new", "tags", "last scan", "problems first"],
        View::Tags => &["policy order", "tag", "state", "seen"],
        View::Policies => &["problems first", "name", "kind"],
        View::Automations => &["problems first", "name"],
        View::Log => &["time", "kind", "subject"],
        View::Playground
        | View::Plan
        | View::Diff
        | View::Message
        | View::Push
        | View::Errors
        | View::Help
        | View::Start => &[],
    }
}

/// How many columns stay in their place where the others are scrolled: the box, or the time, and the name.
pub const STANDING_COLUMNS: usize = 2;

/// How many columns the table in front has.
pub fn columns(state: &State) -> usize {
    let (live, running) = (state.live.is_some(), state.around.running.is_some());
    match state.view_below_help() {
        View::Updates => 8 + usize::from(running),
        View::Repositories => 9,
        View::Tags => 8,
        View::Policies => 8 + usize::from(live),
        View::Automations => 7 + usize::from(live),
        View::Log => 5,
        View::Playground
        | View::Plan
        | View::Diff
        | View::Message
        | View::Push
        | View::Errors
        | View::Help
        | View::Start => 0,
    }
}

/// The orders of the lists that are not those they begin with: by view the order's name, and whether it is turned around.
pub fn orders(state: &State) -> BTreeMap<String, (String, bool)> {
    let lists = [
        (View::Updates, state.updates.sort, state.updates.reverse),
        (View::Repositories, state.repositories.sort, state.repositories.reverse),
        (View::Tags, state.tags.list.sort, state.tags.list.reverse),
        (View::Policies, state.policies.sort, state.policies.reverse),
        (View::Automations, state.automations.sort, state.automations.reverse),
        (View::Log, state.log.list.sort, state.log.list.reverse),
    ];
    let changed = lists.into_iter().filter(|(_, sort, reverse)| *sort > 0 || *reverse);
    let named = |(view, sort, reverse): (View, usize, bool)| {
        Some((view.title().to_owned(), ((*sorts(view).get(sort)?).to_owned(), reverse)))
    };
    changed.filter_map(named).collect()
}

/// Puts the lists into the orders of an earlier run; a name that no order has any more changes nothing.
pub fn set_orders(state: &mut State, orders: BTreeMap<String, (String, bool)>) {
    let kept = |view: View| {
        let (name, reverse) = orders.get(view.title())?;
        Some((sorts(view).iter().position(|sort| sort == name)?, *reverse))
    };
    for (view, sort, reverse) in [
        (View::Updates, &mut state.updates.sort, &mut state.updates.reverse),
        (View::Repositories, &mut state.repositories.sort, &mut state.repositories.reverse),
        (View::Tags, &mut state.tags.list.sort, &mut state.tags.list.reverse),
        (View::Policies, &mut state.policies.sort, &mut state.policies.reverse),
        (View::Automations, &mut state.automations.sort, &mut state.automations.reverse),
        (View::Log, &mut state.log.list.sort, &mut state.log.list.reverse),
    ] {
        if let Some(order) = kept(view) {
            (*sort, *reverse) = order;
        }
    }
    state.orders = orders;
}
