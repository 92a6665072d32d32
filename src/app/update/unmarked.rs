//! What stands in all files of the repositories, images without a marker above all: looked for once the first updates are all
//! there, and again when files or objects are others.

use crate::app::effect::{Effect, JobId};
use crate::app::message::LookedThrough;
use crate::app::state::State;
use crate::app::world::Compared;

use super::{message, problems, time};

/// Has them looked for, if there is anything that was not looked through; a start is not slowed down by it.
pub(super) fn look(state: &mut State) -> Vec<Effect> {
    if state.compared != Compared::Fully || !state.unmarked.is_due(&state.review.grounds) {
        return vec![];
    }
    let job = state.jobs.number();
    state.unmarked.job = Some(job);
    vec![Effect::LookThrough(job)]
}

/// They were looked through.
pub(super) fn found(state: &mut State, job: JobId, found: LookedThrough) {
    if state.unmarked.job != Some(job) {
        return;
    }
    (state.unmarked.found, state.unmarked.elsewhere) = (found.unmarked, found.elsewhere);
    state.review.survey = found.survey;
    message::mark_failing(&mut state.review);
    problems::markers(state);
    problems::files(state);
    problems::unmarked(state);
    // How a policy stands may put its row elsewhere.
    time::rows_changed(state);
}
