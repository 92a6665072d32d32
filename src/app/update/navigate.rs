//! Moving about: rows, panes, views, and the way out.

use crate::app::action::{self, Action};
use crate::app::effect::Effect;
use crate::app::keymap::Hint;
use crate::app::list::{List, Motion};
use crate::app::review::UpdateId;
use crate::app::rows::{self, StartChoice};
use crate::app::state::{NextStep, Overlay, State};
use crate::app::view::{Focus, View};

use super::{diff, log, objects, overlays, push, scans, tags, target};

/// What every list can do, whatever its rows are.
pub(super) trait AnyList {
    fn go(&mut self, motion: Motion, rows: usize) -> bool;
    fn place(&self) -> (usize, usize);
    fn toggle_selected(&mut self);
    fn toggle_range(&mut self);
    fn begin_range(&mut self);
    fn end_range(&mut self) -> bool;
    fn order(&mut self) -> (&mut usize, &mut bool);
    fn land(&mut self);
}

impl<K: Ord + Clone> AnyList for List<K> {
    fn go(&mut self, motion: Motion, rows: usize) -> bool {
        List::go(self, motion, rows)
    }

    fn place(&self) -> (usize, usize) {
        (self.cursor(), self.len())
    }

    fn toggle_selected(&mut self) {
        List::toggle_selected(self);
    }

    fn toggle_range(&mut self) {
        List::toggle_range(self);
    }

    fn begin_range(&mut self) {
        List::begin_range(self);
    }

    fn end_range(&mut self) -> bool {
        List::end_range(self)
    }

    fn order(&mut self) -> (&mut usize, &mut bool) {
        (&mut self.sort, &mut self.reverse)
    }

    fn land(&mut self) {
        List::land(self);
    }
}

/// The list of the view in front.
pub(super) fn list(state: &mut State) -> Option<&mut dyn AnyList> {
    Some(match state.view_below_help() {
        View::Updates => &mut state.updates,
        View::Repositories => &mut state.repositories,
        View::Tags => &mut state.tags.list,
        View::Policies => &mut state.policies,
        View::Automations => &mut state.automations,
        View::Plan => &mut state.plan,
        View::Diff => &mut state.diff.tree,
        View::Log => &mut state.log.list,
        View::Errors => &mut state.errors.list,
        View::Push => &mut state.push.as_mut()?.next,
        View::Playground => &mut state.playground.as_mut()?.list,
        View::Message | View::Help | View::Start => return None,
    })
}

/// The motion of a moving action.
pub(super) fn motion(action: Action) -> Motion {
    match action {
        Action::Up => Motion::By(-1),
        Action::First => Motion::First,
        Action::Last => Motion::Last,
        Action::HalfDown => Motion::Half(1),
        Action::HalfUp => Motion::Half(-1),
        Action::PageDown => Motion::Page(1),
        Action::PageUp => Motion::Page(-1),
        _ => Motion::By(1),
    }
}

/// Moves the cursor of whatever has the keys.
pub(super) fn go(state: &mut State, motion: Motion) -> Vec<Effect> {
    if let (true, Motion::Page(by)) = (state.help.is_some(), motion) {
        overlays::turn(state, by);
        return vec![];
    }
    if let Some(Overlay::Menu(menu)) = &mut state.overlay {
        overlays::go(&mut menu.cursor, menu.entries.len(), motion);
        return vec![];
    }
    if let Some(Overlay::Target(dialog)) = &state.overlay {
        let (mut cursor, rows) = (dialog.cursor, state.target_rows().len());
        overlays::go(&mut cursor, rows, motion);
        if let Some(Overlay::Target(dialog)) = &mut state.overlay {
            dialog.cursor = cursor;
        }
        return vec![];
    }
    if let Some(Overlay::Push(dialog)) = &mut state.overlay {
        dialog.scroll(if matches!(motion, Motion::By(..0)) { -1 } else { 1 });
        return vec![];
    }
    if let Some(Overlay::Edit(dialog)) = &mut state.overlay {
        overlays::go(&mut dialog.scroll, dialog.edit.patch.lines().count(), motion);
        return vec![];
    }
    let layout = state.layout();
    if layout.overlay {
        let by = if matches!(motion, Motion::By(..0)) { -1 } else { 1 };
        return scroll(state, by);
    }
    match state.view_below_help() {
        View::Start => {
            let choices = rows::start_choices(state).len();
            overlays::go(&mut state.start_cursor, choices, motion);
        }
        View::Diff => diff::go(state, motion),
        _ => {
            step(state, motion);
        }
    }
    vec![]
}

/// Moves the cursor of the list in front.
pub(super) fn step(state: &mut State, motion: Motion) {
    let rows = state.layout().rows();
    let Some((before, _)) = list(state).map(|list| list.place()) else { return };
    let hints = action::footer(state);
    if list(state).is_some_and(|list| list.go(motion, rows)) {
        moved(state, before, hints);
    }
}

/// The cursor has left row `before`, whose footer was `hints`. What depends on the row follows later: the preview where
/// there is one, the footer where it differs.
pub(super) fn moved(state: &mut State, before: usize, hints: Vec<Hint>) {
    if state.layout().preview.is_some() || action::hints(state, state.size.width) != hints {
        state.leave_row(before, hints);
    }
}

/// Scrolls the other pane a line in the action's direction.
pub(super) fn scroll_other(state: &mut State, action: Action) -> Vec<Effect> {
    scroll(state, if action == Action::ScrollUp { -1 } else { 1 })
}

/// To the file, policy or part before this one, or behind it.
pub(super) fn other_part(state: &mut State, action: Action) -> Vec<Effect> {
    part(state, if action == Action::PreviousFile { -1 } else { 1 })
}

/// Scrolls the other pane by `by` lines.
pub(super) fn scroll(state: &mut State, by: isize) -> Vec<Effect> {
    let line = if state.view_below_help() == View::Diff {
        &mut state.diff.scroll
    } else {
        &mut state.preview.scroll
    };
    // Views stop at the last line; here a bound keeps the way back short.
    *line = line.saturating_add_signed(by).min(5_000);
    vec![]
}

/// Goes to the view that the action names.
pub(super) fn view(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::ViewRepositories => state.switch_to(View::Repositories),
        Action::ViewPolicies => state.switch_to(View::Policies),
        Action::ViewLog => return log::open(state),
        Action::ViewAutomations => state.switch_to(View::Automations),
        Action::ViewPlan => {
            rows::plan(state);
            state.switch_to(View::Plan);
        }
        Action::ViewErrors => {
            // The newest, which the title counts.
            state.errors.list.go_to_index(0);
            state.show(View::Errors);
        }
        Action::ViewPrevious => {
            if state.previous == Some(View::Log) {
                return log::open(state);
            }
            if let Some(previous) = state.previous {
                state.switch_to(previous);
            }
        }
        _ => state.switch_to(View::Updates),
    }
    vec![]
}

/// Opens what the cursor stands on.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if matches!(state.overlay, Some(Overlay::Menu(_))) {
        return overlays::choose(state);
    }
    if let Some(Overlay::Target(dialog)) = &state.overlay {
        let cursor = dialog.cursor;
        return target::choose(state, cursor);
    }
    match state.view_below_help() {
        View::Updates | View::Plan => return diff::open(state),
        View::Repositories => {
            if let Some(repository) = state.repositories.current().cloned() {
                return tags::open(state, repository, None);
            }
        }
        View::Policies => {
            let policy = state.policies.current().and_then(|id| state.inventory.policies.get(id));
            if let Some((id, repository)) =
                policy.map(|policy| (policy.meta.id.clone(), policy.repository.clone()))
            {
                return tags::open(state, repository, Some(id));
            }
        }
        View::Tags => tags::why(state),
        View::Automations => {
            if let Some(id) = state.automations.current().cloned() {
                state.updates.filter = crate::app::list::Filter::parse(&id.to_string());
                state.switch_to(View::Updates);
                rows::updates(state);
            }
        }
        View::Diff => diff::enter(state),
        View::Push => return next_step(state),
        View::Start => return start_choice(state),
        View::Log | View::Errors => state.preview.toggle_overlay(),
        View::Playground | View::Message | View::Help => {}
    }
    vec![]
}

fn start_choice(state: &mut State) -> Vec<Effect> {
    match rows::start_choices(state).get(state.start_cursor) {
        Some(StartChoice::Demo) => vec![Effect::Demo],
        Some(StartChoice::Retry) => objects::reload(state),
        Some(StartChoice::Quit) | None => vec![Effect::Quit],
    }
}

/// Runs an action on the row of a result; the mode may have changed since.
fn run_named(state: &mut State, id: &str) -> Vec<Effect> {
    action::by_id(id).map_or_else(Vec::new, |row| super::run(state, row))
}

fn next_step(state: &mut State) -> Vec<Effect> {
    let step = state.push.as_ref().and_then(|push| push.next.current().cloned());
    match step {
        Some(NextStep::CopyRequest(text) | NextStep::CopyCommit(text) | NextStep::CopyProblem(text)) => {
            super::copy::send(state, text)
        }
        Some(NextStep::Revert { .. }) => run_named(state, "commit.revert"),
        Some(NextStep::Merge(_)) => run_named(state, "branch.merge"),
        Some(NextStep::RequestAgain) => push::request_again(state),
        Some(NextStep::Again) => push::open_again(state),
        Some(NextStep::WithoutRequest) => {
            state.requests = false;
            state.leave_view();
            push::open(state)
        }
        Some(NextStep::Target) => {
            state.leave_view();
            target::open(state)
        }
        Some(NextStep::BackToUpdates) => {
            state.switch_to(View::Updates);
            vec![]
        }
        None => vec![],
    }
}

/// To the next (`by` 1) or previous (-1) file of S7, or policy of S3.
pub(super) fn part(state: &mut State, by: isize) -> Vec<Effect> {
    match state.view_below_help() {
        View::Diff => diff::file(state, by),
        _ => tags::policy(state, by),
    }
    vec![]
}

/// One level back: overlay, preview, range, filter, view.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if state.help.is_none()
        && let Some(effects) = target::back(state)
    {
        return effects;
    }
    if overlays::close(state) || close_preview(state) {
        return vec![];
    }
    if list(state).is_some_and(AnyList::end_range) {
        return vec![];
    }
    let view = state.view_below_help();
    if rows::filter(state, view).is_some_and(|filter| !filter.typed().is_empty()) {
        if let Some(filter) = rows::filter_mut(state, view) {
            *filter = crate::app::list::Filter::default();
        }
        rows::refresh_view(state, view);
        return vec![];
    }
    if !asks_to_wait(state) {
        state.leave_view();
    }
    vec![]
}

/// Asks whether to wait for a push that is under way, where that is what would be left.
fn asks_to_wait(state: &mut State) -> bool {
    let under_way = state.push.as_ref().filter(|push| push.result.is_none());
    let asked = under_way.filter(|_| state.view_below_help() == View::Push);
    let overlay = asked.map(|push| Overlay::Pushing { stops: !push.is_sending() && !push.stopping });
    let asks = overlay.is_some();
    state.overlay = overlay.or(state.overlay.take());
    asks
}

fn close_preview(state: &mut State) -> bool {
    let open = state.layout().overlay;
    state.preview.overlay &= !open;
    open
}

/// Leaves the view; at the root, the program.
pub(super) fn leave(state: &mut State) -> Vec<Effect> {
    if overlays::close(state) || close_preview(state) || asks_to_wait(state) || state.leave_view() {
        return vec![];
    }
    quit(state)
}

/// Leaves the program, after a question if something is unfinished.
pub(super) fn quit(state: &mut State) -> Vec<Effect> {
    let mut unfinished = Vec::new();
    if state.is_pushing() {
        unfinished.push("A push is under way; leaving waits for its end.".to_owned());
    }
    let approved = state.review.tally().approved;
    if approved > 0 && !state.is_pushing() {
        let (s, is) = if approved == 1 { ("", "is") } else { ("s", "are") };
        unfinished.push(format!("{approved} approved update{s} {is} not pushed; the decision{s} {is} kept."));
    }
    if unfinished.is_empty() {
        return vec![Effect::Quit];
    }
    state.overlay = Some(Overlay::Quit(unfinished));
    vec![]
}

/// Stops running work, or closes what is open, or leaves; the second time in a row always leaves.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    if std::mem::replace(&mut state.leaving, true) {
        return vec![Effect::Quit];
    }
    if let Some(effects) = push::stop_preparing(state).or_else(|| scans::stop(state)) {
        return effects;
    }
    if overlays::close(state) || asks_to_wait(state) {
        return vec![];
    }
    quit(state)
}

/// Puts the cursor of S1, S7 and the plan on an update.
pub(super) fn to_update(state: &mut State, id: &UpdateId) {
    state.updates.go_to(id);
    state.plan.go_to(id);
    if state.diff.tree.current().is_none_or(|node| node.update() != id) && state.diff.focus == Focus::List {
        state.diff.tree.go_to(&crate::app::state::Node::Update(id.clone()));
    }
}
