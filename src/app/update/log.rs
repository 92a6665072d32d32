//! S10: read while it is in front, and followed.

use crate::app::action::{self, Action};
use crate::app::effect::{Effect, JobId};
use crate::app::keymap::Key;
use crate::app::rows;
use crate::app::state::State;
use crate::app::view::{Context, View};
use crate::domain::event::Event;

use super::keys;

/// Goes to S10, which is read from then on.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.switch_to(View::Log);
    if state.log.job.is_some() {
        return vec![];
    }
    let job = state.jobs.number();
    state.log.job = Some(job);
    state.log.clear();
    state.log.waiting = Some(Vec::new());
    vec![Effect::FollowLog(job)]
}

/// Stops reading the log once nobody looks at it.
pub(super) fn left(state: &mut State) -> Vec<Effect> {
    if state.crumbs().contains(&View::Log) {
        return vec![];
    }
    state.log.waiting = None;
    state.log.job.take().map(Effect::StopWork).into_iter().collect()
}

/// Keeps a key for when there are rows: the log is read when it is opened, and hands are faster. Ways out act at once, unless
/// something waits that comes before them. Says whether it was kept.
pub(super) fn keeps(state: &mut State, key: Key) -> bool {
    let context = state.context();
    if context != Context::View(View::Log) || key == Key::ctrl('c') {
        return false;
    }
    let row = action::lookup(&state.bindings, context, key);
    let Some(waiting) = &mut state.log.waiting else { return false };
    let is_of_rows = row.is_some_and(|row| {
        row.action.moves()
            || matches!(
                row.action,
                Action::Open | Action::Why | Action::Copy | Action::Revert | Action::Palette
            )
    });
    let keeps = is_of_rows || !waiting.is_empty();
    if keeps {
        waiting.push(key);
    }
    keeps
}

/// Something was written down.
pub(super) fn written(
    state: &mut State,
    job: JobId,
    folder: Option<String>,
    events: Vec<Event>,
) -> Vec<Effect> {
    if state.log.job == Some(job) {
        let was_on_top = state.log.list.cursor() == 0;
        state.log.folder = folder;
        state.log.add(events);
        if !state.frozen {
            rows::log(state);
            if was_on_top {
                state.log.list.go_to_index(0);
            }
        }
        let waiting = state.log.waiting.take().unwrap_or_default();
        return waiting.into_iter().flat_map(|key| keys::press(state, key)).collect();
    }
    vec![]
}
