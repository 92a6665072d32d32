//! The objects that were read, and what the lists keep of those before.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::effect::{Effect, JobId, Reach};
use crate::app::input::Message;
use crate::app::message::Loaded;
use crate::app::review::Newer;
use crate::app::rows;
use crate::app::state::{ErrorEntry, Level, State};
use crate::app::view::View;
use crate::app::world::Phase;
use crate::domain::inventory::Inventory;
use crate::domain::lint;
use crate::domain::object::ObjectId;
use crate::problem::Problem;
use crate::text::count;

use super::compare::propose;
use super::evaluate::evaluate;
use super::scans::{plan_scan, scan_due};
use super::{cluster, problems, tags, time};

/// What S11 calls the objects as a whole.
const SOURCE: &str = "source";

/// Reads the objects again.
pub(super) fn reload(state: &mut State) -> Vec<Effect> {
    let job = state.jobs.number();
    state.jobs.load = Some(job);
    vec![Effect::Load(job)]
}

/// As [`reload`], because somebody asked for it.
pub(super) fn reload_anew(state: &mut State) -> Vec<Effect> {
    let job = state.jobs.number();
    state.jobs.load = Some(job);
    vec![Effect::LoadAnew(job)]
}

/// The objects are there: cached tags are evaluated, what is due is scanned.
pub(super) fn loaded(state: &mut State, job: JobId, result: Result<Box<Loaded>, Problem>) -> Vec<Effect> {
    if state.jobs.load != Some(job) {
        return vec![];
    }
    state.jobs.load = None;
    let loaded = match result {
        Ok(loaded) => loaded,
        Err(problem) => {
            if matches!(state.phase, Phase::Loading | Phase::Failed(_)) {
                state.phase = Phase::Failed(problem.clone());
                cluster::plan_retry(state, &problem);
                state.switch_to(View::Start);
            }
            problems::report(state, ErrorEntry::LOAD, problem, None, Level::Error);
            return vec![];
        }
    };
    let first = state.phase != Phase::Ready;
    let before = Arc::clone(&state.inventory);
    take_in(state, *loaded);
    if !first {
        told_of(state, &before);
    }
    if first {
        state.switch_to(View::Updates);
        state.previous = None;
    }
    if first {
        rows::refresh(state);
    } else {
        time::rows_changed(state);
    }
    let mut effects = evaluate(state, Reach::Recent, |_| true);
    effects.extend(scan_due(state));
    // What is gone has no verdict that could bring the updates to be compared anew.
    state.jobs.propose_due |= !first;
    if state.evaluating.is_empty() {
        effects.extend(propose(state, false, Newer::None));
    }
    effects
}

/// Says how the objects differ from those `before`.
fn told_of(state: &mut State, before: &Inventory) {
    if *before == *state.inventory {
        return;
    }
    let (old, new) = (objects(before), objects(&state.inventory));
    let (came, went) = (new.difference(&old).count(), old.difference(&new).count());
    let text = match (came, went) {
        (0, 0) => "changed".to_owned(),
        (came, 0) => format!("{} more", count(came, "object")),
        (0, went) => format!("{} gone", count(went, "object")),
        (came, went) => format!("{} more, {went} gone", count(came, "object")),
    };
    let what = if state.live.is_some() { "objects" } else { "files" };
    state.tell(Level::Info, format!("the {what} were read again: {text}"));
}

/// The objects of the lists, each by its kind's number and name.
fn objects(inventory: &Inventory) -> BTreeSet<(u8, &ObjectId)> {
    let repositories = inventory.repositories.keys().map(|id| (0, id));
    let policies = inventory.policies.keys().map(|id| (1, id));
    let automations = inventory.automations.keys().map(|id| (2, id));
    repositories.chain(policies).chain(automations).collect()
}

fn take_in(state: &mut State, loaded: Loaded) {
    state.phase = Phase::Ready;
    state.lost = cluster::lost_since(state, &loaded);
    (state.live, state.retry) = (loaded.live, None);
    // The demo's address is that of a folder whose name says nothing.
    if !state.demo {
        state.source = loaded.source;
    }
    let before = std::mem::replace(&mut state.inventory, loaded.inventory);
    let inventory = Arc::clone(&state.inventory);
    // The tags of another image say nothing.
    let stays = |id: &ObjectId| inventory.has_image_of(&before, id);
    state.scans.retain(stays);
    let stays = |id: &ObjectId| inventory.policies.get(id).is_some_and(|policy| stays(&policy.repository));
    state.verdicts.retain(|id, _| stays(id));
    state.evaluating.retain(|id| inventory.policies.contains_key(id));
    if state.tags.repository.as_ref().is_some_and(|id| !inventory.repositories.contains_key(id)) {
        tags::forget(state);
    }
    for (id, scan) in loaded.cached {
        let entry = state.scans.entry(&id);
        if entry.found.is_none() {
            entry.found = Some(scan);
        }
    }
    for (id, problem) in loaded.failed {
        state.scans.entry(&id).error.get_or_insert(problem);
    }
    for id in inventory.repositories.keys() {
        plan_scan(state, id);
    }
    // A plan has its own messages.
    let drafts = if state.reviewing.is_some() { Vec::new() } else { loaded.drafts.into_iter().collect() };
    for (automation, draft) in drafts {
        state.review.messages.entry(automation).or_insert_with(|| Message::new(&draft));
    }
    state.unmarked.forget();
    state.review.survey.automations = lint::standings(&inventory, &lint::Known::default());
    let found = &loaded.problems;
    state.errors.retain(|entry| entry.what != SOURCE || found.contains(&entry.problem));
    problems::report_all(state, SOURCE, loaded.problems);
    problems::versions(state);
}

/// There is nothing here to work on.
pub(super) fn nothing_found(state: &mut State, job: JobId, tried: Vec<String>) -> Vec<Effect> {
    if state.jobs.load == Some(job) {
        state.jobs.load = None;
        state.phase = Phase::Nothing(tried);
        state.switch_to(View::Start);
    }
    vec![]
}
