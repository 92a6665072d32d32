//! The scans of repositories: when they are due, how far they are, and what came of them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;

use crate::app::effect::{Effect, JobId, Reach};
use crate::app::review::Newer;
use crate::app::state::{Level, State};
use crate::app::world::Running;
use crate::domain::object::{DigestPolicy, ImagePolicy, ImageRepository, ObjectId};
use crate::domain::scan::Scan;
use crate::domain::watch;
use crate::problem::{Code, Problem};
use crate::text::count;

use super::compare::propose;
use super::evaluate::evaluate;
use super::{problems, time};

/// Says when a repository is scanned next, by what is known of it.
pub(super) fn plan_scan(state: &mut State, id: &ObjectId) {
    let known = state.scans.get(id).and_then(|scan| scan.found.as_ref());
    // A name that makes no sense fails when it is scanned, and so is said.
    let wait = |repository: &ImageRepository| watch::due(repository, known, state.now).unwrap_or_default();
    let wait = state.inventory.repositories.get(id).map(wait).unwrap_or_default();
    scan_after(state, id, wait);
}

/// Has a repository scanned after this time, unless it is suspended.
fn scan_after(state: &mut State, id: &ObjectId, wait: Duration) {
    let suspended = state.inventory.repositories.get(id).is_none_or(|repository| repository.suspend);
    let due = state.at.plus(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    state.scans.entry(id).due = (!suspended).then_some(due);
}

/// Scans what is due now.
pub(super) fn scan_due(state: &mut State) -> Vec<Effect> {
    let at = state.at;
    let due: Vec<ObjectId> = state
        .scans
        .iter()
        .filter(|(_, scan)| scan.running.is_none() && scan.due.is_some_and(|due| due <= at))
        .map(|(id, _)| id.clone())
        .collect();
    scan(state, due, Reach::Recent)
}

/// Scans these repositories, those left out that are suspended or being scanned already. `digests` says where the digests of their
/// policies may come from then.
pub(super) fn scan(state: &mut State, repositories: Vec<ObjectId>, digests: Reach) -> Vec<Effect> {
    let job = state.jobs.number();
    let since = state.at;
    let mut fresh = Vec::new();
    let is_frozen =
        |id: &ObjectId| state.inventory.repositories.get(id).is_some_and(|repository| repository.suspend);
    for id in repositories.into_iter().filter(|id| !is_frozen(id)).collect::<Vec<_>>() {
        let scan = state.scans.entry(&id);
        if let Some(running) = &mut scan.running {
            if digests == Reach::Remote {
                running.digests = digests;
            }
            continue;
        }
        let expected = scan.found.as_ref().map(|found| found.tags.len());
        scan.running = Some(Running { job, since, seen: 0, expected, digests });
        scan.retry = None;
        scan.due = None;
        fresh.push(id);
    }
    if fresh.is_empty() { vec![] } else { vec![Effect::Scan(job, fresh)] }
}

/// A scan has seen so many tags.
pub(super) fn progress(state: &mut State, job: JobId, repository: &ObjectId, seen: usize) -> Vec<Effect> {
    if let Some(running) = current(state, job, repository) {
        running.seen = seen;
    }
    vec![]
}

/// The scan of `repository` under way, if it is that of `job`.
fn current<'a>(state: &'a mut State, job: JobId, repository: &ObjectId) -> Option<&'a mut Running> {
    state.scans.get(repository)?.running.filter(|running| running.job == job)?;
    state.scans.entry(repository).running.as_mut()
}

/// What S11 calls the scan of a repository.
fn what(repository: &ObjectId) -> String {
    format!("{repository} scan")
}

/// Tags are there: their policies are evaluated.
pub(super) fn listed(state: &mut State, job: JobId, repository: &ObjectId, found: Scan) -> Vec<Effect> {
    let Some(digests) = current(state, job, repository).map(|running| running.digests) else {
        return vec![];
    };
    let new = found.new.len();
    let scan = state.scans.entry(repository);
    let had = scan.found.replace(found).is_some();
    (scan.running, scan.error) = (None, None);
    let wait = state.inventory.repositories.get(repository).map(watch::pause).unwrap_or_default();
    scan_after(state, repository, wait);
    state.errors.resolve(&what(repository));
    if had && new > 0 {
        state.tell(Level::Info, format!("{repository}: {}", count(new, "new tag")));
    }
    time::rows_change(state);
    evaluate(state, digests, |policy| policy.repository == *repository)
}

/// Tags were moved: what was told of them is asked for anew, and policies that reflect digests are evaluated.
pub(super) fn moved(
    state: &mut State,
    repository: &ObjectId,
    moved: &[String],
    all: Vec<String>,
) -> Vec<Effect> {
    if !state.inventory.repositories.contains_key(repository) {
        return vec![];
    }
    let said = match moved {
        [tag] => format!("{repository}: {tag} was moved to another digest"),
        tags => format!("{repository}: {} were moved to other digests", count(tags.len(), "tag")),
    };
    state.facts.forget(repository, moved);
    if state.tags.repository.as_ref() == Some(repository) {
        state.tags.glances.forget(moved);
    }
    state.facts.moved(repository, all);
    state.tell(Level::Info, said);
    time::rows_change(state);
    let reflects = |policy: &ImagePolicy| policy.digest_policy != DigestPolicy::Never;
    evaluate(state, Reach::Recent, |policy| policy.repository == *repository && reflects(policy))
}

/// A scan failed: the row says so, everything else goes on. What its policies lack, if they have no tags, is said anew.
pub(super) fn failed(state: &mut State, job: JobId, repository: &ObjectId, problem: Problem) -> Vec<Effect> {
    if current(state, job, repository).is_none() {
        return vec![];
    }
    let of = state.inventory.repositories.get(repository);
    let wait = of.map(|of| watch::pause_after_failure(of, &problem)).unwrap_or_default();
    scan_after(state, repository, wait);
    let retry = state.now.checked_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
    let is_asked_for = problem.retry_after.is_some() || problem.code == Code::RateLimited;
    let scan = state.scans.entry(repository);
    scan.running = None;
    scan.retry = retry.ok().filter(|_| is_asked_for && scan.due.is_some());
    let is_repeated = scan.error.as_ref().is_some_and(|error| error.is_repeated_by(&problem));
    let is_news = scan.found.is_none() && !is_repeated;
    scan.error = Some(problem.clone());
    let id = repository.clone();
    problems::report(state, &what(repository), problem, Some(id), Level::Warning);
    time::rows_change(state);
    if is_news { propose(state, false, Newer::None) } else { vec![] }
}

/// Stops all scans and keeps what is known; `None` if none is under way.
pub(super) fn stop(state: &mut State) -> Option<Vec<Effect>> {
    let mut jobs = BTreeSet::new();
    let at = state.at;
    for (_, scan) in state.scans.iter_mut() {
        if let Some(running) = scan.running.take() {
            jobs.insert(running.job);
            scan.due = Some(at.plus(60_000));
        }
    }
    if jobs.is_empty() {
        return None;
    }
    state.tell(Level::Info, "scan stopped; what is known is kept; R scans again");
    Some(jobs.into_iter().map(Effect::StopWork).collect())
}
