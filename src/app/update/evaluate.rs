//! What policies select among the tags that are there: asking for it, and taking it in.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::effect::{Effect, Reach};
use crate::app::review::Newer;
use crate::app::state::{Level, State};
use crate::app::world::{Compared, Verdict};
use crate::domain::object::{ImagePolicy, ObjectId};

use super::compare::propose;
use super::{playground, problems, time};

/// Asks again for the digests that are due now: the policies pass on the tags that are known.
pub(super) fn ask_due(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let due = |verdict: &Verdict| verdict.ask_again.is_some_and(|again| again <= now);
    let found = state.verdicts.iter().filter(|(id, verdict)| due(verdict) && !state.evaluating.contains(*id));
    let policies: BTreeSet<ObjectId> = found.map(|(id, _)| id.clone()).collect();
    evaluate(state, Reach::Recent, |policy| policies.contains(&policy.meta.id))
}

/// Evaluates the policies that are meant and whose repository has tags.
pub(super) fn evaluate(state: &mut State, digests: Reach, of: impl Fn(&ImagePolicy) -> bool) -> Vec<Effect> {
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
    playground::evaluated(state, &policy);
    state.verdicts.insert(policy, verdict);
    state.jobs.propose_due |= !same || state.compared == Compared::Never;
    if is_shown || state.evaluating.is_empty() {
        time::rows_changed(state);
    }
    if !state.evaluating.is_empty() {
        return vec![];
    }
    if std::mem::take(&mut state.jobs.propose_due) { propose(state, false, Newer::None) } else { vec![] }
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
