//! `:review PLAN`: a plan that was saved takes the place of what is under review.

use crate::app::effect::{Effect, JobId};
use crate::app::input::Field;
use crate::app::review::Newer;
use crate::app::rows;
use crate::app::state::{Level, Overlay, Palette, State};
use crate::domain::plan::Plan;
use crate::problem::Problem;

use super::{compare, problems};

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

/// The plan is there: what was decided before is undecided, and the plan is held against what stands there now.
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
    let others = state.review.approved().count();
    let decided = state.review.want(Vec::new());
    // What the plan has of a row is its own, and not what was decided here.
    state.review.replace(Vec::new(), &Newer::All);
    state.open_plan(*plan);
    rows::refresh(state);
    if others > 0 {
        state.tell(Level::Warning, "what was approved before is undecided");
    }
    let mut effects = if decided.is_empty() { vec![] } else { vec![Effect::SaveDecisions(decided)] };
    effects.extend(compare::propose(state, true, Newer::None));
    effects
}
