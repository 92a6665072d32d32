//! Images without a marker: looked for once the first updates are all there, and again when files or objects are others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::effect::{Effect, JobId};
use crate::app::state::State;
use crate::app::world::Compared;
use crate::domain::lint::Unmarked;
use crate::domain::object::ObjectId;

use super::problems;

/// Has them looked for, if there is anything that was not looked through; a start is not slowed down by it.
pub(super) fn look(state: &mut State) -> Vec<Effect> {
    if state.compared != Compared::Fully || !state.unmarked.is_due(&state.review.grounds) {
        return vec![];
    }
    let job = state.jobs.number();
    state.unmarked.job = Some(job);
    vec![Effect::FindUnmarked(job)]
}

/// They were found.
pub(super) fn found(state: &mut State, job: JobId, found: BTreeMap<ObjectId, Arc<[Unmarked]>>) {
    if state.unmarked.job == Some(job) {
        state.unmarked.found = found;
        problems::unmarked(state);
    }
}
