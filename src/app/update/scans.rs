//! What the engine finds: objects, tags, verdicts, updates; and asking it again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::app::effect::{Effect, JobId, Reach};
use crate::app::input::Message;
use crate::app::message::{Loaded, Proposed};
use crate::app::review::UpdateId;
use crate::app::rows;
use crate::app::state::{Level, State};
use crate::app::view::View;
use crate::app::world::{Compared, Phase, Running, Verdict};
use crate::domain::inventory::Inventory;
use crate::domain::lint;
use crate::domain::object::{ImagePolicy, ImageRepository, ObjectId};
use crate::domain::plan::Plan;
use crate::domain::proposal::{Proposal, Site};
use crate::domain::scan::Scan;
use crate::domain::watch;
use crate::problem::{Code, Problem};
use crate::text::count;

use super::{decide, message, problems, tags, time};

/// What S11 calls the objects as a whole.
const SOURCE: &str = "source";

/// Reads the objects again.
pub(super) fn reload(state: &mut State) -> Vec<Effect> {
    let job = state.jobs.number();
    state.jobs.load = Some(job);
    vec![Effect::Load(job)]
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
            if state.phase == Phase::Loading {
                state.phase = Phase::Failed(problem.clone());
                state.switch_to(View::Start);
            }
            problems::report(state, "load", problem, None, Level::Error);
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
        effects.extend(propose(state, false, false));
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
    state.tell(Level::Info, format!("the files were read again: {text}"));
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
    for id in inventory.repositories.keys() {
        plan_scan(state, id);
    }
    // A plan has its own messages.
    let drafts = if state.reviewing.is_some() { Vec::new() } else { loaded.drafts.into_iter().collect() };
    for (automation, draft) in drafts {
        state.review.messages.entry(automation).or_insert_with(|| Message::new(&draft));
    }
    state.review.survey.automations = lint::standings(&inventory, &lint::Known::default());
    let found = &loaded.problems;
    state.errors.retain(|entry| entry.what != SOURCE || found.contains(&entry.problem));
    problems::report_all(state, SOURCE, loaded.problems);
    problems::versions(state);
}

/// Says when a repository is scanned next, by what is known of it.
fn plan_scan(state: &mut State, id: &ObjectId) {
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

/// There is nothing here to work on.
pub(super) fn nothing_found(state: &mut State, job: JobId, tried: Vec<String>) -> Vec<Effect> {
    if state.jobs.load == Some(job) {
        state.jobs.load = None;
        state.phase = Phase::Nothing(tried);
        state.switch_to(View::Start);
    }
    vec![]
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

/// Asks again for the digests that are due now: the policies pass on the tags that are known.
pub(super) fn ask_due(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let due = |verdict: &Verdict| verdict.ask_again.is_some_and(|again| again <= now);
    let found = state.verdicts.iter().filter(|(id, verdict)| due(verdict) && !state.evaluating.contains(*id));
    let policies: BTreeSet<ObjectId> = found.map(|(id, _)| id.clone()).collect();
    evaluate(state, Reach::Recent, |policy| policies.contains(&policy.meta.id))
}

/// Scans these repositories, those left out that are being scanned already. `digests` says where the digests of their
/// policies may come from then.
fn scan(state: &mut State, repositories: Vec<ObjectId>, digests: Reach) -> Vec<Effect> {
    let job = state.jobs.number();
    let since = state.at;
    let mut fresh = Vec::new();
    for id in repositories {
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
pub(super) fn progress(state: &mut State, job: JobId, repository: &ObjectId, seen: usize) {
    if let Some(running) = current(state, job, repository) {
        running.seen = seen;
    }
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
    time::rows_changed(state);
    evaluate(state, digests, |policy| policy.repository == *repository)
}

/// A scan failed: the row says so, everything else goes on. What its policies lack, if they have no tags, is said anew.
pub(super) fn failed(state: &mut State, job: JobId, repository: &ObjectId, problem: Problem) -> Vec<Effect> {
    if current(state, job, repository).is_none() {
        return vec![];
    }
    let of = state.inventory.repositories.get(repository);
    let wait = of.map(|of| watch::pause_after_failure(of, problem.retry_after)).unwrap_or_default();
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
    time::rows_changed(state);
    if is_news { propose(state, false, false) } else { vec![] }
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

/// Evaluates the policies that are meant and whose repository has tags.
fn evaluate(state: &mut State, digests: Reach, of: impl Fn(&ImagePolicy) -> bool) -> Vec<Effect> {
    let inventory = Arc::clone(&state.inventory);
    let policies: Vec<ObjectId> = inventory
        .policies
        .values()
        .filter(|policy| of(policy))
        .filter(|policy| state.scans.get(&policy.repository).is_some_and(|scan| scan.found.is_some()))
        .map(|policy| policy.meta.id.clone())
        .collect();
    if policies.is_empty() {
        return vec![];
    }
    state.evaluating.extend(policies.iter().cloned());
    vec![Effect::Evaluate { policies, digests }]
}

/// A verdict is there; when the last of a burst is, updates are compared anew.
pub(super) fn evaluated(state: &mut State, policy: ObjectId, verdict: Arc<Verdict>) -> Vec<Effect> {
    state.evaluating.remove(&policy);
    if !state.inventory.policies.contains_key(&policy) {
        return vec![];
    }
    let is_shown = state.tags.policy.as_ref() == Some(&policy);
    let old = state.verdicts.get(&policy);
    let same = old.is_some_and(|old| old.reference == verdict.reference && old.problem == verdict.problem);
    report_digest(state, &policy, &verdict);
    state.verdicts.insert(policy, verdict);
    state.jobs.propose_due |= !same || state.compared == Compared::Never;
    if is_shown || state.evaluating.is_empty() {
        time::rows_changed(state);
    }
    if !state.evaluating.is_empty() {
        return vec![];
    }
    if std::mem::take(&mut state.jobs.propose_due) { propose(state, false, false) } else { vec![] }
}

/// A digest that cannot be had while the policy keeps what it had: nothing else on the screen would say so.
fn report_digest(state: &mut State, policy: &ObjectId, verdict: &Verdict) {
    let what = format!("{policy} digest");
    let repository = state.inventory.policies.get(policy).map(|policy| policy.repository.clone());
    match (&verdict.reference, &verdict.problem) {
        (Some(_), Some(problem)) => {
            problems::report(state, &what, problem.clone(), repository, Level::Warning);
        }
        (Some(_), None) => state.errors.resolve(&what),
        (None, _) => {}
    }
}

/// Has updates compared anew; if that is under way, once more when it is done.
pub(super) fn propose(state: &mut State, fetch: bool, take_newer: bool) -> Vec<Effect> {
    state.jobs.take_newer |= take_newer;
    if state.jobs.propose.is_some() {
        state.jobs.propose_again = true;
        state.jobs.fetch_again |= fetch;
        return vec![];
    }
    let job = state.jobs.number();
    state.jobs.propose = Some(job);
    // The first list does not wait for a network; what remotes have since follows.
    let reach = match (fetch, state.compared) {
        (true, _) => Reach::Remote,
        (false, Compared::Never) => Reach::Kept,
        (false, _) => Reach::Recent,
    };
    vec![Effect::Propose { job, reach }]
}

/// Updates were compared.
pub(super) fn proposed(state: &mut State, job: JobId, result: Result<Proposed, Problem>) -> Vec<Effect> {
    if state.jobs.propose != Some(job) {
        return vec![];
    }
    state.jobs.propose = None;
    // What a person asked for is shown all the same.
    if let (true, false, Ok(proposed)) = (state.frozen, state.jobs.take_newer, &result) {
        state.held_back = Some(Box::new(proposed.clone()));
        return vec![];
    }
    compared(state, result)
}

/// A person has answered `ssh`: remotes are asked again.
pub(super) fn way_opened(state: &mut State, opened: Result<usize, String>) -> Vec<Effect> {
    match opened {
        Ok(0) => {
            state.tell(Level::Info, "no remote is reached by ssh");
            vec![]
        }
        Ok(number) => {
            state.tell(Level::Info, format!("{} open, asked again", count(number, "remote")));
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

/// Shows what came while rows were frozen.
pub(super) fn thaw(state: &mut State) -> Vec<Effect> {
    time::rows_changed(state);
    state.held_back.take().map_or_else(Vec::new, |proposed| compared(state, Ok(*proposed)))
}

fn compared(state: &mut State, result: Result<Proposed, Problem>) -> Vec<Effect> {
    state.held_back = None;
    let mut again = std::mem::take(&mut state.jobs.propose_again);
    match result {
        Ok(mut proposed) => {
            keep_planned(state, &mut proposed);
            let take_newer = std::mem::take(&mut state.jobs.take_newer);
            let review = &mut state.review;
            review.holds = proposed.holds;
            review.replace(proposed.updates, take_newer);
            (review.files, review.problem_files) = (proposed.files, proposed.problem_files);
            (review.grounds, review.selections) = (proposed.grounds, proposed.selections);
            review.survey = proposed.survey;
            message::mark_failing(review);
            review_plan(state, proposed.kept);
            let first = state.compared == Compared::Never;
            state.compared = state.compared.max(Compared::Partly);
            again |= proposed.kept;
            state.errors.resolve("comparing");
            problems::checkouts(state, proposed.problems);
            problems::markers(state);
            decide::ask_to_resume(state, proposed.decided);
            // Where no row was, none can move.
            if first {
                rows::refresh(state);
            } else {
                time::rows_changed(state);
            }
            if !again && state.evaluating.is_empty() && state.scan_totals().running == 0 {
                state.compared = Compared::Fully;
            }
        }
        Err(problem) => problems::report(state, "comparing", problem, None, Level::Error),
    }
    if again {
        let fetch = std::mem::take(&mut state.jobs.fetch_again);
        return propose(state, fetch, false);
    }
    vec![]
}

/// Keeps the updates of a plan under review whose tags nobody knows here yet: they are neither there nor gone.
fn keep_planned(state: &State, proposed: &mut Proposed) {
    if state.reviewing.is_none() {
        return;
    }
    let waits = |known: &&Proposal| {
        let id = UpdateId::of(known);
        !proposed.selections.contains_key(&known.policy)
            && !proposed.updates.iter().any(|update| UpdateId::of(update) == id)
    };
    let waiting: Vec<Proposal> = state.review.updates().iter().filter(waits).cloned().collect();
    proposed.updates.extend(waiting);
    proposed.updates.sort_by(|a, b| (&a.policy, &a.automation).cmp(&(&b.policy, &b.automation)));
}

/// Says what of a plan under review stands no more as it was planned: it is undecided, or gone.
fn review_plan(state: &mut State, kept: bool) {
    // What is kept may be older than the plan; the remotes have the word.
    let is_judged = |update: &Proposal| state.review.selections.contains_key(&update.policy);
    let is_known =
        |plan: &mut Box<Plan>| !kept && plan.groups.iter().flat_map(|group| &group.updates).all(is_judged);
    let Some(plan) = state.reviewing.take_if(is_known) else { return };
    let mut changed = Vec::new();
    for update in plan.groups.iter().flat_map(|group| &group.updates) {
        let now = state.review.get(&UpdateId::of(update));
        let stands = |site: &Site| {
            let same = |now: &&Site| {
                (&now.file, now.line, &now.old, &now.new) == (&site.file, site.line, &site.old, &site.new)
            };
            now.is_some_and(|now| now.approved().any(|now| same(&now)))
        };
        changed.extend(
            update.approved().filter(|site| !stands(site)).map(|site| format!("{}:{}", site.file, site.line)),
        );
    }
    if !changed.is_empty() {
        let text = format!("changed since the plan was made, and undecided: {}", changed.join(", "));
        state.tell(Level::Warning, text);
    }
}

/// `r`: scans what the cursor or the selection means, and takes over newer tags of updates under review.
pub(super) fn rescan(state: &mut State) -> Vec<Effect> {
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
    effects.extend(scan(state, repositories, Reach::Remote));
    state.tell(Level::Info, "scanning again");
    effects
}

/// The selected rows, or the one under the cursor.
fn chosen(list: &crate::app::list::List<ObjectId>) -> Vec<ObjectId> {
    if list.selected.is_empty() { list.targets() } else { list.selected.iter().cloned().collect() }
}

fn repositories_of(state: &State, policies: &[ObjectId]) -> Vec<ObjectId> {
    let found = policies.iter().filter_map(|id| state.inventory.policies.get(id));
    let repositories: BTreeSet<ObjectId> = found.map(|policy| policy.repository.clone()).collect();
    repositories.into_iter().filter(|id| state.inventory.repositories.contains_key(id)).collect()
}

/// `R`: everything again, the objects included.
pub(super) fn rescan_all(state: &mut State) -> Vec<Effect> {
    let repositories: Vec<ObjectId> = state
        .inventory
        .repositories
        .values()
        .filter(|repository| !repository.suspend)
        .map(|repository| repository.meta.id.clone())
        .collect();
    let how_many = count(repositories.len(), "repository");
    let mut effects = reload(state);
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
            let mut effects = reload(state);
            effects.extend(propose(state, true, false));
            effects
        }
        None => vec![],
    }
}
