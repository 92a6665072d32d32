//! Problems: into S11, and into the status line so that nobody has to look there first.

use crate::app::state::{Level, State};
use crate::domain::object::ObjectId;
use crate::problem::Problem;

/// Keeps a problem and says it, unless it was said before.
pub(super) fn report(state: &mut State, what: &str, problem: Problem, retry: Option<ObjectId>, level: Level) {
    let text = problem.to_string();
    if state.errors.add(state.now, what, problem, retry) {
        state.tell(level, format!("{text}   ! shows more"));
    }
}

/// Keeps several and says how many, if there is more than one.
pub(super) fn report_all(state: &mut State, what: &str, problems: Vec<Problem>) {
    let mut new = 0;
    for problem in problems {
        new += usize::from(state.errors.add(state.now, what, problem, None));
    }
    if new > 0 {
        let s = if new == 1 { "" } else { "s" };
        state.tell(Level::Warning, format!("{new} problem{s} in {what}: ! shows more"));
    }
}
