//! S10: read while it is in front, and followed.

use crate::app::effect::{Effect, JobId};
use crate::app::rows;
use crate::app::state::State;
use crate::app::view::View;
use crate::domain::event::Event;

/// Goes to S10, which is read from then on.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.switch_to(View::Log);
    if state.log.job.is_some() {
        return vec![];
    }
    let job = state.jobs.number();
    state.log.job = Some(job);
    state.log.clear();
    vec![Effect::FollowLog(job)]
}

/// Stops reading the log once nobody looks at it.
pub(super) fn left(state: &mut State) -> Vec<Effect> {
    if state.crumbs().contains(&View::Log) {
        return vec![];
    }
    state.log.job.take().map(Effect::StopWork).into_iter().collect()
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
    }
    vec![]
}
