//! S7: the tree of updates, files and sites beside the diff.

use crate::app::action::{self, Action};
use crate::app::effect::Effect;
use crate::app::list::Motion;
use crate::app::review::UpdateId;
use crate::app::rows;
use crate::app::state::{Node, State};
use crate::app::view::{Focus, View};
use crate::domain::proposal::UpdateState;

use super::{navigate, tags};

/// Lines around a change at most; "whole object" is what this means in practice.
const MOST_CONTEXT: usize = 25;

/// Opens S7 at the update under the cursor, or the first of the object there. One that is blocked has no diff: its tags say why.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match rows::reviewed(state) {
        Some(id) => open_at(state, &id),
        None => vec![],
    }
}

/// Opens S7 at one update.
pub(super) fn open_at(state: &mut State, id: &UpdateId) -> Vec<Effect> {
    let blocked = state.review.get(id).is_some_and(|update| update.state == UpdateState::Blocked);
    let repository = state.inventory.policies.get(&id.policy).map(|policy| policy.repository.clone());
    if let (true, Some(repository)) = (blocked, repository) {
        return tags::open(state, repository, Some(id.policy.clone()));
    }
    state.diff.folded.remove(&Node::Update(id.clone()));
    rows::tree(state);
    state.diff.tree.go_to(&Node::Update(id.clone()));
    state.diff.focus =
        if state.layout().tier >= crate::app::layout::Tier::T2 { Focus::List } else { Focus::Other };
    state.diff.scroll = 0;
    state.show(View::Diff);
    vec![]
}

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Left => fold(state, true),
        Action::Right => fold(state, false),
        Action::NextPane if state.view_below_help() == View::Message => super::message::other_field(state),
        Action::NextPane => {
            state.diff.focus = match state.diff.focus {
                Focus::List => Focus::Other,
                Focus::Other => Focus::List,
            };
        }
        Action::FoldAll => fold_all(state),
        Action::LessContext => state.diff.context = state.diff.context.saturating_sub(1),
        Action::MoreContext => state.diff.context = (state.diff.context + 1).min(MOST_CONTEXT),
        Action::SideBySide => {
            let wide = state.size.width >= 140;
            state.diff.side_by_side = Some(!state.diff.side_by_side.unwrap_or(wide));
        }
        Action::Wrap => state.diff.wrap = !state.diff.wrap,
        _ => {}
    }
    vec![]
}

/// Moves among rows, which the diff beside them follows later; with the keys in the diff, among sites alone.
pub(super) fn go(state: &mut State, motion: Motion) {
    let rows = state.layout().rows().max(1);
    let before = state.diff.tree.cursor();
    let hints = action::footer(state);
    let moved = state.diff.tree.go(motion, rows);
    if state.diff.focus == Focus::List {
        if moved {
            navigate::moved(state, before, hints);
        }
        return;
    }
    state.diff.scroll = 0;
    let is_site = |state: &State| matches!(state.diff.tree.current(), Some(Node::Site(..) | Node::Edit(..)));
    let down = state.diff.tree.cursor() >= before;
    let step = if down { 1 } else { -1 };
    while !is_site(state) && state.diff.tree.go(Motion::By(step), rows) {}
    if !is_site(state) {
        state.diff.tree.go_to_index(before);
    }
}

/// Enter: folds or unfolds what has children, and goes to the diff of what has none.
pub(super) fn enter(state: &mut State) {
    match state.diff.tree.current().cloned() {
        Some(Node::Site(..) | Node::Edit(..)) | None => {
            state.diff.focus = if state.diff.focus == Focus::List { Focus::Other } else { Focus::List };
        }
        Some(node) => {
            let folded = state.diff.folded.contains(&node);
            fold(state, !folded);
        }
    }
}

/// Folds or unfolds the row; folding a site folds its file.
fn fold(state: &mut State, fold: bool) {
    let Some(node) = state.diff.tree.current().cloned() else { return };
    if !fold {
        state.diff.folded.remove(&node);
        rows::tree(state);
        return;
    }
    let file = rows::file_of(state, &node).map(str::to_owned);
    let parent = match (node, file) {
        (Node::Site(id, _), Some(file)) => Node::File(id, file),
        (Node::Edit(id, _), _) => Node::Update(id),
        (Node::File(id, file), _) if state.diff.folded.contains(&Node::File(id.clone(), file.clone())) => {
            Node::Update(id)
        }
        (node, _) => node,
    };
    state.diff.folded.insert(parent.clone());
    rows::tree(state);
    state.diff.tree.go_to(&parent);
}

/// Folds every update, or unfolds everything if anything is folded.
fn fold_all(state: &mut State) {
    let current = state.diff.tree.current().map(|node| Node::Update(node.update().clone()));
    if state.diff.folded.is_empty() {
        state.diff.folded =
            state.review.updates().iter().map(|update| Node::Update(UpdateId::of(update))).collect();
    } else {
        state.diff.folded.clear();
    }
    rows::tree(state);
    if let Some(current) = current {
        state.diff.tree.go_to(&current);
    }
}

/// Moves to the next file (`by` 1) or the one before (-1).
pub(super) fn file(state: &mut State, by: isize) {
    let rows = state.layout().rows().max(1);
    let start = state.diff.tree.cursor();
    let own = state.diff.tree.current().and_then(|node| rows::file_of(state, node)).map(str::to_owned);
    while state.diff.tree.go(Motion::By(by), rows) {
        let node = state.diff.tree.current();
        let file = node.and_then(|node| rows::file_of(state, node)).map(str::to_owned);
        if matches!(node, Some(Node::File(..))) && file != own {
            state.diff.scroll = 0;
            return;
        }
    }
    state.diff.tree.go_to_index(start);
}
