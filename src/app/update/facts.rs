//! What stands behind tags: of the one that the preview shows once the cursor rests on it, and not before; of the others
//! in sight as much as their rows have room for.

use std::sync::Arc;

use crate::app::effect::Effect;
use crate::app::rows;
use crate::app::state::State;
use crate::app::view::View;
use crate::domain::object::ObjectId;
use crate::domain::policy::TagState;
use crate::domain::reference::is_valid_tag;
use crate::domain::tags::TagList;

/// Asks for what is shown and not known.
pub(super) fn look(state: &mut State) -> Vec<Effect> {
    let mut effects = first_seen(state);
    effects.extend(describe(state));
    effects.extend(glance(state));
    effects
}

/// Whether anything is to be asked about what is shown.
pub(super) fn is_due(state: &State) -> bool {
    let rests = state.preview.follows().is_none();
    sightings_due(state).is_some() || rests && (due(state).is_some() || glance_due(state).is_some())
}

/// Asks when the tags of S3 were first seen.
fn first_seen(state: &mut State) -> Vec<Effect> {
    let Some((repository, tags)) = sightings_due(state) else { return vec![] };
    let job = state.jobs.number();
    state.jobs.first_seen = Some(job);
    vec![Effect::FirstSeen { job, repository, tags }]
}

fn sightings_due(state: &State) -> Option<(ObjectId, Arc<TagList>)> {
    if state.view() != View::Tags || state.jobs.first_seen.is_some() {
        return None;
    }
    let repository = state.tags.repository.as_ref()?;
    let tags = &state.scans.get(repository)?.found.as_ref()?.tags;
    let is_known = state.tags.sightings.as_ref().is_some_and(|sightings| sightings.are_of(tags));
    (!is_known).then(|| (repository.clone(), Arc::clone(tags)))
}

/// Asks for digest and time of the tags in sight; a question about those that were in sight before is superseded.
fn glance(state: &mut State) -> Vec<Effect> {
    if state.preview.follows().is_some() {
        return vec![];
    }
    let Some((repository, tags)) = glance_due(state) else { return vec![] };
    let job = state.jobs.number();
    let superseded = state.tags.glances.ask(Some((job, tags.clone())));
    let stop = superseded.map(Effect::StopWork);
    stop.into_iter().chain([Effect::Glance { job, repository, tags }]).collect()
}

/// The tags in sight whose digest is to be asked for; `None`: there is none, or they are being asked about.
fn glance_due(state: &State) -> Option<(ObjectId, Vec<String>)> {
    let layout = state.layout();
    if state.view() != View::Tags || state.overlay.is_some() || !layout.has_digests() {
        return None;
    }
    let (repository, verdict) = (state.tags.repository.as_ref()?, state.tags.verdict.as_ref()?);
    // What the policy can never select is not worth a request.
    let may_matter = |row: u32| {
        let found = verdict.evaluation.states.get(row as usize);
        found.is_some_and(|state| !matches!(state, TagState::Exclude | TagState::Invalid))
    };
    let rows = state.tags.list.visible(layout.rows()).map(|(_, row, _)| *row).filter(|row| may_matter(*row));
    let tags = rows.filter_map(|row| state.tags.tags.get(row as usize));
    let due = tags.filter(|tag| state.tags.glances.is_due(tag, state.now));
    let due: Vec<String> = due.map(str::to_owned).collect();
    (!due.is_empty() && !state.tags.glances.are_asking(&due)).then(|| (repository.clone(), due))
}

/// Asks about what the preview shows; a question about what it showed before is superseded.
fn describe(state: &mut State) -> Vec<Effect> {
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
fn due(state: &State) -> Option<(ObjectId, Vec<String>)> {
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
