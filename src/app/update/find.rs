//! S14: what was typed is looked for at every letter, and Enter goes there.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::effect::{Effect, JobId};
use crate::app::find::{Entry, Hits, Place};
use crate::app::input::Field;
use crate::app::list::{Filter, Motion};
use crate::app::rows;
use crate::app::state::{Find, Level, Node, Overlay, State};
use crate::app::view::View;

use super::{copy, diff, overlays, tags};

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::CopyFound => copy(state),
        _ => open(state),
    }
}

/// Opens the field over everything that can be found now.
fn open(state: &mut State) -> Vec<Effect> {
    let haystack = Arc::new(rows::haystack(state));
    let (field, hits) = (Field::default(), Hits::default());
    state.overlay = Some(Overlay::Find(Find { field, cursor: 0, haystack, hits, job: None, goes: false }));
    search(state)
}

/// Looks for what is in the field now, and for nothing else any more.
pub(super) fn search(state: &mut State) -> Vec<Effect> {
    let job = state.jobs.number();
    let Some(find) = find_mut(state) else { return vec![] };
    (find.cursor, find.goes) = (0, false);
    let before = find.job.replace(job).map(Effect::StopWork);
    let (haystack, typed) = (Arc::clone(&find.haystack), find.field.text().to_owned());
    before.into_iter().chain([Effect::Find { job, haystack, typed }]).collect()
}

/// Something was found, unless something else is looked for by now.
pub(super) fn found(state: &mut State, job: JobId, hits: Hits) -> Vec<Effect> {
    let Some(find) = find_mut(state).filter(|find| find.job == Some(job)) else { return vec![] };
    if hits.done {
        find.job = None;
    }
    find.cursor = find.cursor.min(hits.entries.len().saturating_sub(1));
    find.hits = hits;
    if find.job.is_none() && find.goes { accept(state) } else { vec![] }
}

/// Moves among what was found.
pub(super) fn choose(state: &mut State, by: isize) {
    if let Some(find) = find_mut(state) {
        overlays::go(&mut find.cursor, find.hits.entries.len(), Motion::By(by));
    }
}

/// Goes to what the cursor stands on. What stands there while the search goes on may be what was typed before, so its
/// end is waited for.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(find) = find_mut(state) else { return vec![] };
    if find.job.is_some() {
        find.goes = true;
        return vec![];
    }
    let Some(entry) = find.hits.entries.get(find.cursor).cloned() else {
        let says = format!("nothing here is called {}", find.field.text());
        find.goes = false;
        state.tell(Level::Refusal, says);
        return vec![];
    };
    state.overlay = None;
    go(state, &entry)
}

/// Hands the name under the cursor to the terminal's clipboard; of a tag the whole reference.
fn copy(state: &mut State) -> Vec<Effect> {
    let Some(find) = find_mut(state).filter(|find| find.job.is_none()) else { return vec![] };
    let Some(entry) = find.hits.entries.get(find.cursor).cloned() else { return vec![] };
    let text = match &entry.place {
        Place::Tag(repository, tag) => match state.inventory.repositories.get(repository) {
            Some(repository) => format!("{}:{tag}", repository.image),
            None => tag.clone(),
        },
        _ => entry.name,
    };
    copy::send(state, text)
}

fn find_mut(state: &mut State) -> Option<&mut Find> {
    match &mut state.overlay {
        Some(Overlay::Find(find)) => Some(find),
        _ => None,
    }
}

fn go(state: &mut State, entry: &Entry) -> Vec<Effect> {
    let (effects, is_there) = match &entry.place {
        Place::Update(id) => (vec![], to_row(state, View::Updates, |state| state.updates.go_to(id))),
        Place::Repository(id) => {
            (vec![], to_row(state, View::Repositories, |state| state.repositories.go_to(id)))
        }
        Place::Policy(id) => (vec![], to_row(state, View::Policies, |state| state.policies.go_to(id))),
        Place::Automation(id) => {
            (vec![], to_row(state, View::Automations, |state| state.automations.go_to(id)))
        }
        Place::File(id, file) => {
            let effects = diff::open_at(state, id);
            (effects, state.diff.tree.go_to(&Node::File(id.clone(), file.clone())))
        }
        Place::Tag(repository, tag) => {
            let effects = tags::open(state, repository.clone(), None);
            (effects, to_row(state, View::Tags, |state| to_tag(state, tag)))
        }
    };
    if !is_there {
        let says = if state.frozen {
            format!("{} is not among the rows that are kept; f lets them follow again", entry.name)
        } else {
            format!("{} is gone meanwhile", entry.name)
        };
        state.tell(Level::Warning, says);
    }
    effects
}

/// Shows `view` with the cursor where `look` puts it; a filter that hides the row is cleared. Says whether it is there.
fn to_row(state: &mut State, view: View, look: impl Fn(&mut State) -> bool) -> bool {
    if view != View::Tags {
        state.switch_to(view);
    }
    if look(state) {
        return true;
    }
    if let Some(filter) = rows::filter_mut(state, view) {
        *filter = Filter::default();
    }
    if view == View::Tags {
        state.tags.matching_only = false;
    }
    rows::refresh_view(state, view);
    look(state)
}

fn to_tag(state: &mut State, tag: &str) -> bool {
    let place = state.tags.tags.position(tag).and_then(|place| u32::try_from(place).ok());
    place.is_some_and(|place| state.tags.list.go_to(&place))
}
