//! Asking again: what a person wants scanned, read or tried once more.

use std::collections::BTreeSet;

use crate::app::action::Action;
use crate::app::effect::{Effect, Reach};
use crate::app::list::List;
use crate::app::review::Newer;
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
    // Of a repository the rows of all its policies are meant, of a row of S1 its own alone.
    let (repositories, policies) = match state.view_below_help() {
        View::Repositories => with_policies(state, chosen(&state.repositories)),
        View::Tags => with_policies(state, state.tags.repository.iter().cloned().collect()),
        View::Policies => with_repositories(state, chosen(&state.policies)),
        View::Updates => {
            let policies = state.updates.targets().into_iter().map(|id| id.policy).collect();
            with_repositories(state, policies)
        }
        _ => (Vec::new(), BTreeSet::new()),
    };
    let newer = if policies.is_empty() { Newer::None } else { Newer::Of(policies) };
    let mut effects = propose(state, true, newer);
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

/// These repositories, and the policies that read them.
fn with_policies(state: &State, repositories: Vec<ObjectId>) -> (Vec<ObjectId>, BTreeSet<ObjectId>) {
    let policies = state.inventory.policies.values();
    let of_these = policies.filter(|policy| repositories.contains(&policy.repository));
    let policies = of_these.map(|policy| policy.meta.id.clone()).collect();
    (repositories, policies)
}

/// The repositories that these policies read, and the policies.
fn with_repositories(state: &State, policies: Vec<ObjectId>) -> (Vec<ObjectId>, BTreeSet<ObjectId>) {
    let found = policies.iter().filter_map(|id| state.inventory.policies.get(id));
    let repositories: BTreeSet<ObjectId> = found.map(|policy| policy.repository.clone()).collect();
    let known = repositories.into_iter().filter(|id| state.inventory.repositories.contains_key(id));
    (known.collect(), policies.into_iter().collect())
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
    effects.extend(propose(state, true, Newer::All));
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
            effects.extend(propose(state, true, Newer::None));
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
            effects.extend(propose(state, true, Newer::None));
            effects
        }
        Err(why) => {
            state.tell(Level::Warning, why);
            vec![]
        }
    }
}
