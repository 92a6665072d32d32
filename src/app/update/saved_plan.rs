//! `:review PLAN`: a plan that was saved takes the place of what is under review.

use crate::app::action;
use crate::app::effect::{Effect, JobId};
use crate::app::input::Field;
use crate::app::review::Newer;
use crate::app::rows;
use crate::app::state::{Level, Overlay, Palette, State};
use crate::domain::branch::Destination;
use crate::domain::plan::Plan;
use crate::problem::Problem;

use super::{compare, problems, target};

/// The name of the file is asked for.
pub(super) fn ask(state: &mut State) -> Vec<Effect> {
    let field = Field::new("review ".to_owned());
    state.overlay = Some(Overlay::Palette(Palette { field, ..Palette::default() }));
    state.tell(Level::Info, "the plan's file, as `plan -o json` or the target menu wrote it; then Enter");
    vec![]
}

/// Has the file read that stands behind the command's name.
pub(super) fn open(state: &mut State, typed: &str) -> Vec<Effect> {
    let path = typed.split_once(' ').map_or("", |(_, path)| path.trim()).to_owned();
    let job = state.jobs.number();
    state.jobs.plan = Some(job);
    state.tell(Level::Info, format!("reading {path}"));
    vec![Effect::ReadPlan { job, path }]
}

/// The plan is there, and is held against what stands there now; its messages and its branches are its own.
pub(super) fn read(state: &mut State, job: JobId, result: Result<Box<Plan>, Problem>) -> Vec<Effect> {
    if state.jobs.plan.take_if(|of| *of == job).is_none() {
        return vec![];
    }
    let plan = match result {
        Ok(plan) => plan,
        Err(problem) => {
            problems::report(state, "review", problem, None, Level::Error);
            return vec![];
        }
    };
    // Meanwhile something may have been approved, and be about to be pushed.
    let refusal = action::by_id("plan.review").and_then(|row| action::refusal(state, row));
    if let Some(refusal) = refusal.map(|refusal| refusal.to_string()) {
        state.tell(Level::Refusal, refusal);
        return vec![];
    }
    let decided = state.review.want(Vec::new());
    // What the plan has of a row is its own, and not what was decided or written here.
    state.review.replace(Vec::new(), &Newer::All);
    state.review.messages.clear();
    state.review.touched.clear();
    (state.destination, state.frozen, state.held_back) = (Destination::default(), false, None);
    target::adopt(state, &plan);
    state.open_plan(*plan);
    rows::refresh(state);
    let mut effects = if decided.is_empty() { vec![] } else { vec![Effect::SaveDecisions(decided)] };
    effects.extend(compare::propose(state, true, Newer::None));
    effects
}
