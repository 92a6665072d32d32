//! S3: the tags of one repository against one of its policies.

use crate::app::effect::{Effect, JobId};
use crate::app::list::Motion;
use crate::app::rows;
use crate::app::state::{State, Tags};
use crate::app::view::View;
use crate::app::world::Sightings;
use crate::domain::object::ObjectId;

/// Opens S3 for `repository`, against `policy` or the first policy that reads it.
pub(super) fn open(state: &mut State, repository: ObjectId, policy: Option<ObjectId>) -> Vec<Effect> {
    let same = state.tags.repository.as_ref() == Some(&repository);
    if !same {
        state.tags = Tags { repository: Some(repository), ..Tags::default() };
    }
    let policies: Vec<ObjectId> = rows::policies_of_tags(state).into_iter().cloned().collect();
    if policy.is_some() || !same {
        state.tags.policy = policy.or_else(|| policies.first().cloned());
    }
    rows::tags(state);
    state.show(View::Tags);
    vec![]
}

/// Opens S3 for what is under the cursor.
pub(super) fn open_from_row(state: &mut State) -> Vec<Effect> {
    if state.view_below_help() != View::Updates {
        return super::navigate::open(state);
    }
    let Some(policy) = state.updates.current().map(|id| id.policy.clone()) else { return vec![] };
    let repository = state.inventory.policies.get(&policy).map(|policy| policy.repository.clone());
    match repository {
        Some(repository) => open(state, repository, Some(policy)),
        None => vec![],
    }
}

/// Shows the tags against the next policy (`by` 1) or the one before (-1).
pub(super) fn policy(state: &mut State, by: isize) {
    let policies = rows::policies_of_tags(state);
    let Some(count) = isize::try_from(policies.len()).ok().filter(|count| *count > 0) else { return };
    let current = policies.iter().position(|id| Some(*id) == state.tags.policy.as_ref()).unwrap_or(0);
    let next = isize::try_from(current).map_or(0, |current| (current + by).rem_euclid(count));
    state.tags.policy = policies.get(next.unsigned_abs()).map(|id| (*id).clone());
    rows::tags(state);
}

/// Shows only what the policy may select, or everything again.
pub(super) fn matching_only(state: &mut State) -> Vec<Effect> {
    state.tags.matching_only = !state.tags.matching_only;
    rows::tags(state);
    let rows = state.layout().rows();
    state.tags.list.go(Motion::By(0), rows);
    vec![]
}

/// Shows or hides the why panel where it is not always there.
pub(super) fn why(state: &mut State) {
    if !state.shows_preview() {
        state.preview.toggle_overlay();
    }
}

/// It is known when the tags were first seen, unless another repository is shown by now.
pub(super) fn first_seen(
    state: &mut State,
    job: JobId,
    repository: &ObjectId,
    sightings: Sightings,
    moved: Vec<String>,
) {
    if state.jobs.first_seen != Some(job) {
        return;
    }
    state.jobs.first_seen = None;
    state.facts.moved(repository, moved);
    if state.tags.repository.as_ref() == Some(repository) {
        state.tags.sightings = Some(sightings);
        rows::sightings_changed(state);
    }
}

/// Forgets filter and cursor; the repository is gone.
pub(super) fn forget(state: &mut State) {
    state.tags = Tags::default();
}
