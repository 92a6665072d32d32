//! The cluster: gone and back, and another one in its place.

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::message::Loaded;
use crate::app::moment::Moment;
use crate::app::review::{Newer, Review};
use crate::app::state::{Level, State};
use crate::app::world::{Around, Compared, Phase};
use crate::domain::inventory::Inventory;
use crate::domain::order::Denied;
use crate::problem::{Code, Problem};

use super::{objects, problems};

/// How long until a source is asked again that was not reached, in milliseconds.
const RETRY: u64 = 5_000;

/// What S11 calls the connection.
const CONNECTION: &str = "cluster";

/// The cluster is not reached any more, or is again; what was read of it stays.
pub(super) fn lost(state: &mut State, lost: Option<(Timestamp, Problem)>) -> Vec<Effect> {
    let was_lost = state.lost.is_some();
    state.lost = lost.as_ref().map(|(since, _)| *since);
    match lost {
        Some((_, problem)) if !is_told(state, &problem) => {
            // The newest reason is the one to act upon.
            state.errors.resolve(CONNECTION);
            problems::report(state, CONNECTION, problem, None, Level::Warning);
        }
        None if was_lost => {
            state.errors.resolve(CONNECTION);
            state.tell(Level::Info, "the cluster is reached again");
        }
        _ => {}
    }
    vec![]
}

/// Since when the cluster is not reached, once these objects are taken in. Who follows a cluster that is read tells of it himself.
pub(super) fn lost_since(state: &State, loaded: &Loaded) -> Option<Timestamp> {
    match (&loaded.live, loaded.without_cluster) {
        (None, true) => state.lost.or(Some(state.now)),
        (None, false) => None,
        (Some(_), _) => state.lost.filter(|_| state.live.is_some()),
    }
}

/// It is known what runs, and what applies the files.
pub(super) fn around(state: &mut State, around: Around) -> Vec<Effect> {
    state.around = around;
    vec![]
}

/// It is known what the operator may not change.
pub(super) fn denied(state: &mut State, denied: Denied) -> Vec<Effect> {
    state.denied = denied;
    vec![]
}

fn is_told(state: &State, problem: &Problem) -> bool {
    state.errors.entries().iter().any(|entry| entry.what == CONNECTION && entry.problem == *problem)
}

/// Plans to ask again, if that may help.
pub(super) fn plan_retry(state: &mut State, problem: &Problem) {
    let may_help = matches!(problem.code, Code::Unreachable | Code::Timeout | Code::RateLimited);
    state.retry = may_help.then(|| state.at.plus(RETRY));
}

/// Asks again when it is time.
pub(super) fn retry(state: &mut State) -> Vec<Effect> {
    let is_due = state.retry.is_some_and(|due: Moment| due <= state.at) && state.jobs.load.is_none();
    if !is_due {
        return vec![];
    }
    state.retry = None;
    objects::reload(state)
}

/// Reads the objects of another kube context. What was decided about those before is not carried over, so nothing may be.
pub(super) fn use_context(state: &mut State, context: String) -> Vec<Effect> {
    if state.review.approved().next().is_some()
        || state.push.as_ref().is_some_and(|push| push.result.is_none())
    {
        state.tell(
            Level::Warning,
            "updates are approved: push them or undo that before another context is read",
        );
        return vec![];
    }
    state.tell(Level::Info, format!("reading the kube context {context}"));
    (state.source, state.live, state.lost, state.retry) = (context.clone(), None, None, None);
    state.denied.clear();
    state.around = Around::default();
    state.phase = Phase::Loading;
    state.inventory = std::sync::Arc::new(Inventory::default());
    // Nothing that was compared is of the objects to come, nor is what is being compared.
    (state.review, state.compared, state.held_back) = (Review::default(), Compared::Never, None);
    (state.jobs.propose, state.jobs.propose_due, state.jobs.propose_again) = (None, false, false);
    (state.jobs.fetch_again, state.jobs.take_newer) = (false, Newer::None);
    state.evaluating.clear();
    state.errors.retain(|_| false);
    crate::app::rows::refresh(state);
    let job = state.jobs.number();
    state.jobs.load = Some(job);
    vec![Effect::UseContext(job, context)]
}
