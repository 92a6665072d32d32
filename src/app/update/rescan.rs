//! Asking again: what a person wants scanned, read or tried once more.

use std::collections::BTreeSet;

use crate::app::action::Action;
use crate::app::effect::{Effect, Reach};
use crate::app::list::List;
use crate::app::state::{Level, State};
use crate::app::view::View;
use crate::domain::object::ObjectId;
use crate::text::count;

use super::compare::propose;
use super::objects::{reload, reload_anew};
use super::scans::scan;

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    if action == Action::RescanAll { rescan_all(state) } else { rescan(state) }
}

/// `r`: scans what the cursor or the selection means, and takes over newer tags of updates under review.
fn rescan(state: &mut State) -> Vec<Effect> {
    if state.view_below_help() == View::Errors {
        return retry(state);
    }
    let repositories = match state.view_below_help() {
        View::Repositories => chosen(&state.repositories),
        View::Tags => state.tags.repository.iter().cloned().collect(),
        View::Policies => repositories_of(state, &chosen(&state.policies)),
        View::Updates => {
            let policies: Vec<ObjectId> = state.updates.targets().into_iter().map(|id| id.policy).collect();
            repositories_of(state, &policies)
        }
        _ => Vec::new(),
    };
    let mut effects = propose(state, true, true);
    let frozen = frozen(state, &repositories);
    effects.extend(scan(state, repositories, Reach::Remote));
    state.tell(Level::Info, frozen.unwrap_or_else(|| "scanning again".to_owned()));
    effects
}

/// That some of the repositories are suspended, and so not scanned.
fn frozen(state: &State, repositories: &[ObjectId]) -> Option<String> {
    let is_suspended =
        |id: &&ObjectId| state.inventory.repositories.get(*id).is_some_and(|repository| repository.suspend);
    let frozen: Vec<&ObjectId> = repositories.iter().filter(is_suspended).collect();
    let what = match frozen[..] {
        [] => return None,
        [id] => format!("{id} is suspended, and not scanned"),
        _ => format!("{} are suspended, and not scanned", count(frozen.len(), "repository")),
    };
    Some(if frozen.len() == repositories.len() { what } else { format!("scanning again; {what}") })
}

/// The selected rows, or the one under the cursor.
fn chosen(list: &List<ObjectId>) -> Vec<ObjectId> {
    if list.selected.is_empty() { list.targets() } else { list.selected.iter().cloned().collect() }
}

fn repositories_of(state: &State, policies: &[ObjectId]) -> Vec<ObjectId> {
    let found = policies.iter().filter_map(|id| state.inventory.policies.get(id));
    let repositories: BTreeSet<ObjectId> = found.map(|policy| policy.repository.clone()).collect();
    repositories.into_iter().filter(|id| state.inventory.repositories.contains_key(id)).collect()
}

/// `R`: everything again, the objects included.
fn rescan_all(state: &mut State) -> Vec<Effect> {
    let repositories: Vec<ObjectId> = state
        .inventory
        .repositories
        .values()
        .filter(|repository| !repository.suspend)
        .map(|repository| repository.meta.id.clone())
        .collect();
    let how_many = count(repositories.len(), "repository");
    let mut effects = reload_anew(state);
    effects.extend(propose(state, true, true));
    effects.extend(scan(state, repositories, Reach::Remote));
    state.tell(Level::Info, format!("scanning {how_many} again"));
    effects
}

/// `r` in S11: tries again what failed.
fn retry(state: &mut State) -> Vec<Effect> {
    let entry = state.errors.list.current().and_then(|id| state.errors.get(*id));
    match entry.map(|entry| entry.retry.clone()) {
        Some(Some(repository)) => scan(state, vec![repository], Reach::Remote),
        Some(None) => {
            let mut effects = reload_anew(state);
            effects.extend(propose(state, true, false));
            effects
        }
        None => vec![],
    }
}

/// A person has answered `ssh`: remotes are asked again.
pub(super) fn way_opened(state: &mut State, opened: Result<usize, String>) -> Vec<Effect> {
    match opened {
        Ok(0) => {
            state.tell(Level::Info, "nothing asks: no remote refused us, no key is locked");
            vec![]
        }
        Ok(number) => {
            state.tell(
                Level::Info,
                format!("{} answered, remotes are asked again", count(number, "question")),
            );
            let mut effects = reload(state);
            effects.extend(propose(state, true, false));
            effects
        }
        Err(why) => {
            state.tell(Level::Warning, why);
            vec![]
        }
    }
}
