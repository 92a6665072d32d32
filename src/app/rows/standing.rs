//! How a policy stands: what it selects, which marked lines name it, and the word that S4 has for all that.

use std::collections::BTreeSet;

use crate::app::state::State;
use crate::domain::controller::Beside;
use crate::domain::lint::{self, BrokenChain, Link};
use crate::domain::object::{Kind, ObjectId};

/// The tag that a policy selects here.
pub fn latest<'a>(state: &'a State, policy: &ObjectId) -> Option<&'a str> {
    state.shown_verdict(policy)?.reference.as_ref().map(|reference| reference.tag.as_str())
}

/// The tags that the marked files hold for `policy`; of updates that wait, and what the others were brought to.
pub fn tags_in_files<'a>(state: &'a State, policy: &ObjectId) -> Vec<&'a str> {
    let waiting = state.review.updates().iter().filter(|update| update.policy == *policy);
    let mut tags: Vec<&str> = waiting.flat_map(|update| update.current.iter().map(String::as_str)).collect();
    if tags.is_empty() && sites_of(state, policy) > 0 {
        tags.extend(latest(state, policy));
    }
    tags
}

/// What S4 says of a policy: `ok`, `fails`, `selects nothing`, `unused`, `no automation`, `no source`, `suspended`,
/// `no access`, `access unknown`, `stuck` (its controller gets nowhere), `differs` (from what that selects), or `waiting`.
pub fn policy_word(state: &State, id: &ObjectId) -> &'static str {
    let Some(policy) = state.inventory.policies.get(id) else { return "gone" };
    let chain = state.review.survey.chains.get(id);
    // An automation that does not run keeps the controller from writing, not us.
    let is_reached = |chain: &&BrokenChain| chain.link == Link::Automation && sites_of(state, id) > 0;
    if let Some(chain) = chain.filter(|chain| !is_reached(chain)) {
        return chain.status;
    }
    match state.shown_verdict(id).map(|verdict| &verdict.problem) {
        Some(Some(problem)) => lint::status_of(&state.inventory, policy, problem),
        Some(None) if state.lag(Kind::ImagePolicy, id).is_some() => "stuck",
        Some(None) if matches!(state.beside(id), Beside::Differs(_)) => "differs",
        Some(None) => "ok",
        None if policy.suspend => "suspended",
        None => "waiting",
    }
}

/// How many marked scalars name the policy, in files of automations that may use it; one that several automations
/// reach is one.
pub fn sites_of(state: &State, policy: &ObjectId) -> usize {
    named_by(state, policy).collect::<BTreeSet<_>>().len()
}

/// The same, and in how many files they stand.
pub fn sites_and_files(state: &State, policy: &ObjectId) -> (usize, usize) {
    let sites: BTreeSet<_> = named_by(state, policy).collect();
    let files: BTreeSet<_> = sites.iter().map(|(remote, path, _)| (remote, path)).collect();
    (sites.len(), files.len())
}

/// Remote, file and first byte of each marked scalar that names the policy.
fn named_by<'a>(
    state: &'a State,
    policy: &'a ObjectId,
) -> impl Iterator<Item = (Option<&'a str>, &'a str, usize)> {
    let names = move |setter: &str| {
        let mut parts = setter.split(':');
        parts.next() == Some(&policy.namespace) && parts.next() == Some(&policy.name)
    };
    let grounds = state.review.grounds.iter().filter(move |ground| ground.policies.contains(policy));
    let files = grounds.flat_map(|ground| ground.files.iter().map(move |file| (ground, file)));
    let sites = files.flat_map(|(ground, file)| file.sites.iter().map(move |site| (ground, file, site)));
    sites
        .filter(move |(_, _, site)| names(&site.setter))
        .map(|(ground, file, site)| (ground.remote.as_deref(), file.path.as_str(), site.span.start))
}

/// How early a policy comes where problems come first.
pub(super) fn policy_rank(state: &State, id: &ObjectId) -> u8 {
    match policy_word(state, id) {
        "fails" => 0,
        "no access" | "access unknown" => 1,
        "selects nothing" => 2,
        "waiting" => 3,
        "no automation" | "no source" | "unused" => 4,
        "stuck" | "differs" => 5,
        "suspended" => 7,
        _ => 6,
    }
}
