//! `:revert`: the plan that takes a commit back is made, opened and reviewed like any other.

use crate::app::effect::{Effect, JobId};
use crate::app::message::Reverted;
use crate::app::review::Wanted;
use crate::app::rows;
use crate::app::state::{Level, State};
use crate::app::view::View;
use crate::domain::plan::{Group, Plan};
use crate::domain::proposal::Proposal;
use crate::problem::Problem;

use super::{problems, target};

/// `:revert` on a row.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match state.revertible() {
        Ok((remote, commit)) => commit_of(state, Some(remote), commit),
        Err(_) => vec![],
    }
}

/// Has the plan made that takes a commit back.
pub(super) fn commit_of(state: &mut State, remote: Option<String>, commit: String) -> Vec<Effect> {
    let job = state.jobs.number();
    let before = state.jobs.revert.replace(job);
    state.tell(Level::Info, format!("looking up what {} changed", short(&commit)));
    let mut effects: Vec<Effect> = before.map(Effect::StopWork).into_iter().collect();
    effects.push(Effect::Revert { job, remote, commit });
    effects
}

/// The plan is there, or cannot be made.
pub(super) fn made(state: &mut State, job: JobId, result: Result<Box<Reverted>, Problem>) -> Vec<Effect> {
    if state.jobs.revert != Some(job) {
        return vec![];
    }
    state.jobs.revert = None;
    let Reverted { plan, left } = match result {
        Ok(reverted) => *reverted,
        Err(problem) => {
            problems::report(state, "revert", problem, None, Level::Error);
            return vec![];
        }
    };
    let not_back = left.first().map(ToString::to_string);
    problems::report_all(state, "revert", left);
    let wanted = wanted(&plan);
    if wanted.is_empty() {
        let why = not_back.unwrap_or_else(|| "the commit changed nothing that could be set back".to_owned());
        state.tell(Level::Warning, why);
        return vec![];
    }
    let others = state.review.approved().count();
    let decided = state.review.want(wanted);
    target::adopt(state, &plan);
    // It was decided just now: nobody has to be asked whether it is still meant.
    state.resumed = true;
    rows::refresh(state);
    state.switch_to(View::Plan);
    let mut says = "this plan sets the old values back; p pushes it, x on its updates drops it".to_owned();
    if others > 0 {
        says += "; what was approved before is undecided";
    }
    state.tell(if not_back.is_some() { Level::Warning } else { Level::Info }, not_back.unwrap_or(says));
    if decided.is_empty() { vec![] } else { vec![Effect::SaveDecisions(decided)] }
}

/// What the plan changes, each with the message of its commit.
fn wanted(plan: &Plan) -> Vec<Wanted> {
    let of_group = |group: &Group| {
        let approved = group.updates.iter().filter(|update| update.is_approved());
        let message = Some(group.message.clone());
        let wanted = |update: &Proposal| Wanted::planned(group, update.clone(), message.clone());
        approved.map(wanted).collect::<Vec<_>>()
    };
    plan.groups.iter().flat_map(of_group).collect()
}

/// Of several, the first and the last.
fn short(commit: &str) -> String {
    let short = |commit: &str| commit.get(..7).unwrap_or(commit).to_owned();
    commit.split("..").map(short).collect::<Vec<_>>().join("..")
}
