//! What any list can do besides being moved in: marks and ranges, orders, its share of the room, rows that stand still.

use crate::app::action::{self, Action};
use crate::app::effect::Effect;
use crate::app::list::Motion;
use crate::app::rows;
use crate::app::state::{Level, Menu, MenuEntry, MenuKind, Overlay, State};

use super::compare;
use super::navigate::{AnyList, go, list, step};
use super::tags;

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Select => with(state, |list| list.toggle_selected()),
        Action::Range => with(state, |list| list.toggle_range()),
        Action::RangeDown | Action::RangeUp => {
            with(state, |list| list.begin_range());
            return go(state, Motion::By(if action == Action::RangeDown { 1 } else { -1 }));
        }
        Action::Reverse => {
            with(state, |list| {
                let (_, reverse) = list.order();
                *reverse = !*reverse;
            });
            rows::refresh_view(state, state.view_below_help());
        }
        Action::Sort => sort_menu(state),
        Action::Zoom => state.preview.toggle_zoom(),
        Action::Narrow => return share(state, -SHARE),
        Action::Widen => return share(state, SHARE),
        Action::Wide => wide(state),
        Action::Left => scroll_columns(state, false),
        Action::Right => scroll_columns(state, true),
        Action::Freeze => return freeze(state),
        Action::Why => why(state),
        Action::NextMatch => wrap(state, 1),
        Action::PreviousMatch => wrap(state, -1),
        _ => {}
    }
    vec![]
}

fn with(state: &mut State, act: impl FnOnce(&mut dyn AnyList)) {
    if let Some(list) = list(state) {
        act(list);
    }
}

/// Shows the preview where there is room, or over the list, or hides it.
fn why(state: &mut State) {
    let layout = state.layout();
    if layout.tier >= crate::app::layout::Tier::T2 && !layout.overlay {
        state.preview.toggle_zoom();
    } else {
        tags::why(state);
    }
}

/// All columns, or those that have room.
fn wide(state: &mut State) {
    state.preview.wide = if state.preview.wide.is_some() { None } else { Some(0) };
    if state.preview.wide.is_some() {
        let [left, right, back] =
            ["list.left", "list.right", "list.wide"].map(|id| action::key_of(state, id));
        state.tell(Level::Info, format!("all columns: {right} and {left} scroll them, {back} goes back"));
    }
}

/// One column further to the right or back, as long as one is left beside the name.
fn scroll_columns(state: &mut State, right: bool) {
    let most = rows::columns(state).saturating_sub(rows::STANDING_COLUMNS + 1);
    if let Some(skipped) = &mut state.preview.wide {
        *skipped = if right { (*skipped + 1).min(most) } else { skipped.saturating_sub(1) };
    }
}

/// So many hundredths of the room go from one pane to the other at a time.
const SHARE: i16 = 5;

/// Gives the list more of the room, or less, unless a pane would get too little to be read.
fn share(state: &mut State, by: i16) -> Vec<Effect> {
    let before = state.layout();
    let kept = state.shares.clone();
    let share = state.shares.entry(state.view_below_help().title().to_owned()).or_default();
    *share += by;
    state.shares.retain(|_, share| *share != 0);
    if state.layout() == before {
        state.shares = kept;
        state.tell(Level::Info, "the other pane is as small as it can be read");
        return vec![];
    }
    vec![Effect::SaveShares(state.shares.clone())]
}

fn wrap(state: &mut State, by: isize) {
    let Some((cursor, len)) = list(state).map(|list| list.place()) else { return };
    let motion = match by {
        1 if cursor + 1 >= len => Motion::First,
        -1 if cursor == 0 => Motion::Last,
        _ => Motion::By(by),
    };
    step(state, motion);
}

fn sort_menu(state: &mut State) {
    let entries: Vec<MenuEntry> = rows::sorts(state.view_below_help())
        .iter()
        .map(|sort| MenuEntry { label: (*sort).to_owned(), value: String::new() })
        .collect();
    let cursor = list(state).map_or(0, |list| *list.order().0);
    state.overlay = Some(Overlay::Menu(Menu { title: "sort by", entries, cursor, kind: MenuKind::Sort }));
}

fn freeze(state: &mut State) -> Vec<Effect> {
    state.freeze(!state.frozen);
    if state.frozen {
        state.tell(Level::Info, "frozen: rows stay as they are; f lets them move again");
        return vec![];
    }
    state.tell(Level::Info, "rows follow what is new again");
    rows::log(state);
    compare::thaw(state)
}

/// Lists the objects of one namespace alone, or of all.
pub(super) fn look_at(state: &mut State, namespace: Option<String>) -> Vec<Effect> {
    let text = match &namespace {
        Some(name) => format!("listing the namespace {name}; what is approved elsewhere stays approved"),
        None => "listing every namespace".to_owned(),
    };
    state.scope = namespace;
    state.tell(Level::Info, text);
    rows::refresh(state);
    rows::log(state);
    vec![]
}
