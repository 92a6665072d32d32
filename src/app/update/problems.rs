//! Problems: into S11, and into the status line so that nobody has to look there first.

use std::collections::BTreeMap;

use crate::app::state::{ErrorEntry, Level, State};
use crate::domain::lint;
use crate::domain::object::ObjectId;
use crate::domain::plan::ProblemFile;
use crate::problem::{Code, Problem};
use crate::text::count;

/// Keeps a problem and says it, unless it was said before.
pub(super) fn report(state: &mut State, what: &str, problem: Problem, retry: Option<ObjectId>, level: Level) {
    let problem = with_login(problem);
    let text = problem.to_string();
    if state.errors.add(state.now, what, problem, retry) {
        state.tell(level, format!("{text}   ! shows more"));
    }
}

/// A login can be typed here, where a command asks nobody.
fn with_login(problem: Problem) -> Problem {
    const HERE: &str = ":login asks for one here.";
    match (problem.code, problem.hint.clone()) {
        (Code::GitAuthRequired | Code::GitAuthDenied, None) => problem.hint(HERE),
        (Code::GitAuthRequired | Code::GitAuthDenied, Some(hint)) if !hint.contains(HERE) => {
            problem.hint(format!("{HERE} {hint}"))
        }
        _ => problem,
    }
}

/// Keeps what is wrong with markers, and takes off what no longer is.
pub(super) fn markers(state: &mut State) {
    let found = state.review.survey.markers.iter().map(Problem::from).collect();
    replace(state, "marker", found);
}

/// Keeps what is wrong with files of which nothing can be written for that, and takes off what no longer is.
pub(super) fn files(state: &mut State) {
    let grounds = state.review.grounds.iter();
    let found: BTreeMap<_, _> = grounds
        .flat_map(|ground| ground.problem_files.iter().map(move |file| ((&ground.remote, &file.path), file)))
        .collect();
    let problem = |file: &ProblemFile| {
        let place = format!("{}:{}", file.path, file.error.line);
        Problem::new(Code::YamlInvalid, place, file.error.message.clone()).hint(lint::MEND_FILE)
    };
    let found = found.into_values().map(problem);
    let found = found.chain(state.review.survey.files.iter().map(Problem::from)).collect();
    replace(state, "file", found);
}

/// Keeps what kept automations from reading their files, and takes off what no longer does.
pub(super) fn checkouts(state: &mut State, found: Vec<Problem>) {
    replace(state, ErrorEntry::CHECKOUT, found);
}

/// Keeps which images want nothing but a marker, a note for each automation, and which lie where none writes, a note for each
/// repository; takes off what no longer does.
pub(super) fn unmarked(state: &mut State) {
    let found = state.unmarked.found.iter().filter_map(|(automation, images)| {
        let ground = state.review.ground(automation)?;
        lint::forgotten(automation, &ground.policies, images)
    });
    let outside = state.unmarked.elsewhere.iter().filter_map(|(remote, images)| {
        lint::outside(remote.as_deref().unwrap_or("the folder of the files"), images)
    });
    let found = found.chain(outside).collect();
    put(state, ErrorEntry::UNMARKED, found);
}

/// Keeps what is to be said of the objects' versions, and takes off what no longer is.
pub(super) fn versions(state: &mut State) {
    let found = state.inventory.obsolete.iter().map(Problem::from).collect();
    replace(state, "obsolete apiVersion", found);
}

/// Puts `found` in the place of all that is said of such `things`, and tells how many are new.
fn replace(state: &mut State, things: &str, found: Vec<Problem>) {
    let new = put(state, things, found);
    if new > 0 {
        state.tell(Level::Warning, format!("{} to look at: ! shows more", count(new, things)));
    }
}

/// Puts `found` in the place of all that is said of such `things`, each under what it is about. Returns how many are new.
fn put(state: &mut State, things: &str, found: Vec<Problem>) -> usize {
    let what = |problem: &Problem| format!("{} {things}", problem.subject);
    let is_one = |entry: &ErrorEntry| entry.what.ends_with(&format!(" {things}"));
    state.errors.retain(|entry| !is_one(entry) || found.contains(&entry.problem));
    let mut new = 0;
    for problem in found {
        if !state.errors.entries().iter().any(|entry| entry.problem == problem) {
            new += usize::from(state.errors.add(state.now, &what(&problem), problem, None));
        }
    }
    new
}

/// Keeps several and says how many, if there is more than one.
pub(super) fn report_all(state: &mut State, what: &str, problems: Vec<Problem>) {
    let mut new = 0;
    for problem in problems.into_iter().map(with_login) {
        new += usize::from(state.errors.add(state.now, what, problem, None));
    }
    if new > 0 {
        state.tell(Level::Warning, format!("{} in {what}: ! shows more", count(new, "problem")));
    }
}
