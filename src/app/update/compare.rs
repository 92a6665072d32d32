//! The updates: having them compared anew, and taking them in without a decision or a row under the cursor being lost.

use std::collections::BTreeSet;

use crate::app::effect::{Effect, JobId, Reach};
use crate::app::message::Proposed;
use crate::app::review::{Newer, Review, UpdateId};
use crate::app::rows;
use crate::app::state::{Level, State};
use crate::app::world::Compared;
use crate::domain::inventory::Inventory;
use crate::domain::manifest::MarkedScalar;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::plan::Plan;
use crate::domain::proposal::{Proposal, Site};
use crate::problem::{Code, Problem};

use super::{decide, guard, message, problems, target, time, unmarked};

/// Has updates compared anew; if that is under way, once more when it is done.
pub(super) fn propose(state: &mut State, fetch: bool, newer: Newer) -> Vec<Effect> {
    state.jobs.take_newer.add(newer);
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
    // What a person asked for is shown all the same, and what is about to be pushed is judged by it.
    let nobody_asked = state.jobs.take_newer == Newer::None && !guard::is_asked(state);
    if let (true, true, Ok(proposed)) = (state.frozen, nobody_asked, &result) {
        state.held_back = Some(Box::new(proposed.clone()));
        return vec![];
    }
    compared(state, result)
}

/// Shows what came while rows were frozen.
pub(super) fn thaw(state: &mut State) -> Vec<Effect> {
    time::rows_changed(state);
    take_in(state)
}

/// Takes in what came while rows were frozen; they stay where they are as long as they are.
pub(super) fn take_in(state: &mut State) -> Vec<Effect> {
    state.held_back.take().map_or_else(Vec::new, |proposed| compared(state, Ok(*proposed)))
}

fn compared(state: &mut State, result: Result<Proposed, Problem>) -> Vec<Effect> {
    state.held_back = None;
    let mut again = std::mem::take(&mut state.jobs.propose_again);
    let mut effects = Vec::new();
    match result {
        Ok(mut proposed) => {
            if state.compared == Compared::Fully {
                rows::land(state);
            }
            keep_planned(state, &mut proposed);
            let kept = proposed.kept;
            let newer = std::mem::take(&mut state.jobs.take_newer);
            let approved = state.review.approved().map(UpdateId::of).collect();
            let review = &mut state.review;
            review.holds = proposed.holds;
            let mut lost = review.replace(proposed.updates, &newer);
            (review.files, review.problem_files) = (proposed.files, proposed.problem_files);
            (review.grounds, review.selections) = (proposed.grounds, proposed.selections);
            review.survey = proposed.survey;
            lost.extend(review.stand());
            message::mark_failing(review);
            if let Some(stopped) = guard::withdraw(state, &approved) {
                effects.extend(stopped);
                lost.push("nothing was pushed: look at what is left, and ask again".to_owned());
            }
            let first = state.compared == Compared::Never;
            state.compared = state.compared.max(Compared::Partly);
            again |= kept;
            state.errors.resolve("comparing");
            problems::checkouts(state, proposed.problems);
            problems::markers(state);
            problems::files(state);
            // After all else that is said, which would take its place.
            if !lost.is_empty() {
                state.tell(Level::Warning, lost.join("; "));
            }
            review_plan(state, kept);
            again |= std::mem::take(&mut state.jobs.propose_again);
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
        effects.extend(propose(state, fetch, Newer::None));
    } else {
        effects.extend(unmarked::look(state));
    }
    effects
}

/// Keeps the updates of a plan under review whose tags nobody knows here yet: they are neither there nor gone.
fn keep_planned(state: &State, proposed: &mut Proposed) {
    if state.reviewing.is_none() {
        return;
    }
    let waits = |known: &&Proposal| {
        let id = UpdateId::of(known);
        !proposed.selections.contains_key(&known.policy)
            && has_policy(&state.inventory, &known.policy)
            && !proposed.updates.iter().any(|update| UpdateId::of(update) == id)
    };
    let waiting: Vec<Proposal> = state.review.updates().iter().filter(waits).cloned().collect();
    proposed.updates.extend(waiting);
    proposed.updates.sort_by(|a, b| (&a.policy, &a.automation).cmp(&(&b.policy, &b.automation)));
}

/// Whether there is a policy of this name, even if it cannot be told which of two it is.
fn has_policy(inventory: &Inventory, id: &ObjectId) -> bool {
    inventory.policies.contains_key(id) || inventory.ambiguity(Kind::ImagePolicy, id).is_some()
}

/// Says what of a plan under review stands no more as it was planned: it is undecided, or gone.
fn review_plan(state: &mut State, kept: bool) {
    // What is kept may be older than the plan; the remotes have the word.
    let is_judged = |update: &Proposal| {
        state.review.selections.contains_key(&update.policy) || !has_policy(&state.inventory, &update.policy)
    };
    let is_known =
        |plan: &mut Box<Plan>| !kept && plan.groups.iter().flat_map(|group| &group.updates).all(is_judged);
    let Some(plan) = state.reviewing.take_if(is_known) else { return };
    target::adopt(state, &plan);
    let (mut changed, mut landed, mut stood) = (Vec::new(), Vec::new(), 0);
    let mut without_policy = BTreeSet::new();
    for update in plan.groups.iter().flat_map(|group| &group.updates) {
        let is_listed = state.review.get(&UpdateId::of(update)).is_some();
        if update.is_approved() && !is_listed && !has_policy(&state.inventory, &update.policy) {
            without_policy.insert(update.policy.to_string());
            continue;
        }
        for site in update.approved() {
            let list = match standing(&state.review, update, site) {
                SiteStanding::AsPlanned => {
                    stood += 1;
                    continue;
                }
                SiteStanding::Landed => &mut landed,
                SiteStanding::Changed => &mut changed,
            };
            list.push(format!("{}:{}", site.file, site.line));
        }
    }
    if changed.is_empty() && stood == 0 && !landed.is_empty() {
        // Of what landed, an edit is left that has nothing to go along with.
        for update in plan.groups.iter().flat_map(|group| &group.updates) {
            state.jobs.propose_again |= state.review.forget_wanted(&UpdateId::of(update));
        }
        say(state, format!("plan {} has landed already: the files hold all that it writes", plan.id));
        return;
    }
    if !landed.is_empty() {
        say(state, format!("landed already: {}", landed.join(", ")));
    }
    if !without_policy.is_empty() {
        let names = without_policy.into_iter().collect::<Vec<_>>().join(", ");
        say(state, format!("no policy any more, and left out: {names}"));
    }
    if !changed.is_empty() {
        say(state, format!("changed since the plan was made, and undecided: {}", changed.join(", ")));
    }
}

/// What became of a site of a plan.
enum SiteStanding {
    AsPlanned,
    Landed,
    Changed,
}

fn standing(review: &Review, update: &Proposal, site: &Site) -> SiteStanding {
    let place =
        |site: &Site| (site.file.clone(), site.setter.clone(), site.field.clone(), site.object.clone());
    let is_same = |now: &Site| place(now) == place(site) && (&now.old, &now.new) == (&site.old, &site.new);
    if review.get(&UpdateId::of(update)).is_some_and(|now| now.approved().any(is_same)) {
        return SiteStanding::AsPlanned;
    }
    let files = review.ground(&update.automation).into_iter().flat_map(|ground| &*ground.files);
    let scalars = files.filter(|file| file.path == site.file).flat_map(|file| &file.sites);
    let is_written = |scalar: &MarkedScalar| {
        (&scalar.setter, &scalar.field, &scalar.object, &scalar.value)
            == (&site.setter, &site.field, &site.object, &site.new)
    };
    let mut written = scalars.filter(|scalar| is_written(scalar));
    if written.next().is_some() { SiteStanding::Landed } else { SiteStanding::Changed }
}

/// Says it where it is read, and keeps it in S11 for whoever comes too late.
fn say(state: &mut State, text: String) {
    let problem = Problem::new(Code::StalePlan, "plan", text.clone());
    state.errors.add(state.now, "plan", problem, None);
    state.tell(Level::Warning, text);
}
