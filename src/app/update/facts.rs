//! What stands behind the tag that the preview shows: asked for once the cursor rests on it, and not before.

use crate::app::effect::Effect;
use crate::app::rows;
use crate::app::state::State;
use crate::app::view::View;
use crate::domain::object::ObjectId;
use crate::domain::reference::is_valid_tag;

/// Asks about what the preview shows; a question about what it showed before is superseded.
pub(super) fn look(state: &mut State) -> Vec<Effect> {
    // While the cursor runs, what it left may still be told.
    if state.preview.follows().is_some() {
        return vec![];
    }
    let Some((repository, tags)) = due(state) else { return vec![] };
    let job = state.jobs.number();
    let superseded = state.facts.ask(Some((job, repository.clone(), tags.clone())));
    let stop = superseded.map(Effect::StopWork);
    stop.into_iter().chain([Effect::Describe { job, repository, tags }]).collect()
}

/// What is to be asked about now: repository and tags; `None`: it is known, or being asked.
pub(super) fn due(state: &State) -> Option<(ObjectId, Vec<String>)> {
    if state.overlay.is_some() || state.help.is_some() || state.layout().preview.is_none() {
        return None;
    }
    let (repository, tag, policy) = shown(state)?;
    if !state.facts.is_due(&repository, &tag, state.now) || state.facts.is_asking(&repository, &tag) {
        return None;
    }
    let found = state.scans.get(&repository)?.found.as_ref()?;
    let current = policy.as_ref().and_then(|policy| rows::tags_in_files(state, policy).first().copied());
    let current = current.filter(|current| *current != tag).map(str::to_owned);
    let known = |tag: &String| is_valid_tag(tag) && found.tags.position(tag).is_some();
    if !known(&tag) {
        return None;
    }
    Some((repository, std::iter::once(tag).chain(current.filter(known)).collect()))
}

/// The tag under the cursor: its repository, itself, and the policy it is shown against.
fn shown(state: &State) -> Option<(ObjectId, String, Option<ObjectId>)> {
    match state.view() {
        View::Tags => {
            let index = *state.preview.row(&state.tags.list)?;
            let tag = state.tags.tags.get(usize::try_from(index).ok()?)?.to_owned();
            Some((state.tags.repository.clone()?, tag, state.tags.policy.clone()))
        }
        View::Updates => {
            let update = state.preview.row(&state.updates).and_then(|id| state.review.get(id))?;
            let policy = state.inventory.policies.get(&update.policy)?;
            Some((policy.repository.clone(), update.new.as_ref()?.tag.clone(), Some(update.policy.clone())))
        }
        _ => None,
    }
}
