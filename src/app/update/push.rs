//! S9: from `p` to the result. The remote is asked, the plan shown, `y` pushes it, and what happened is told.

use std::collections::BTreeMap;

use crate::app::action;
use crate::app::effect::{Effect, JobId, PlanWish};
use crate::app::input::{Field, Message};
use crate::app::message::Prepared;
use crate::app::review::{Newer, Review, Target, UpdateId};
use crate::app::state::{BranchDialog, Level, NextStep, Overlay, PushDialog, PushRun, State, Task};
use crate::app::view::View;
use crate::domain::branch::{Destination, Onto};
use crate::domain::landing::{CutOff, Fate, Landed, LandingStep, Merge, outrun};
use crate::domain::mode::Mode;
use crate::domain::object::ObjectId;
use crate::domain::plan::Group;
use crate::domain::proposal::{Decision, Proposal};
use crate::domain::request::RequestState;
use crate::problem::{Code, Problem};
use crate::text::count;

use super::{compare, merge, moved, problems, target};

/// Asks the remote and opens the dialog; while a push is under way, and where there is nothing to push but one has ended, shows that
/// one.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if state.shows_push() {
        state.show(View::Push);
        return vec![];
    }
    // What is approved is what was compared last, though the rows show it only later.
    let was_held_back = state.held_back.is_some();
    let mut effects = compare::take_in(state);
    if was_held_back && state.review.approved().next().is_none() {
        return effects;
    }
    let wish = wish(state, state.destination.clone());
    let job = ask(state, None, None);
    effects.push(Effect::Prepare { job, wish });
    effects
}

/// The same after a push of which nothing came; a remote that moved meanwhile is said in the dialog.
pub(super) fn open_again(state: &mut State) -> Vec<Effect> {
    let result = state.push.as_ref().and_then(|push| push.result.as_ref());
    let moved = result.and_then(|result| outrun(result.as_ref().ok()?));
    let why = moved.map(|problem| format!("{}: nothing was pushed", problem.message));
    state.leave_view();
    let effects = open(state);
    if let Some(Overlay::Push(dialog)) = &mut state.overlay {
        dialog.why = why;
    }
    effects
}

/// Opens the dialog; the number of the question whose answer fills it.
fn ask(state: &mut State, prepared: Option<Box<Prepared>>, why: Option<String>) -> JobId {
    let job = state.jobs.number();
    let (since, asked) = (state.at, state.now);
    let (touched, shown) = (None, None);
    state.overlay =
        Some(Overlay::Push(PushDialog { job, since, asked, top: 0, prepared, why, touched, shown }));
    job
}

/// What a plan is made of now.
pub(super) fn wish(state: &State, destination: Destination) -> PlanWish {
    let review = &state.review;
    let (updates, wanted) = (review.for_plan(), review.wanted());
    PlanWish { updates, messages: messages(review), destination, wanted }
}

/// The messages that do not come from templates: what a person wrote, else what goes with what a person wants.
fn messages(review: &Review) -> BTreeMap<ObjectId, String> {
    let message = |automation: &ObjectId| {
        let written = review.messages.get(automation).map(Message::text);
        written.or_else(|| review.wanted_message(automation).map(str::to_owned))
    };
    let with_message = |id: ObjectId| message(&id).map(|text| (id, text));
    let approved = review.automations();
    let others = review.messages.keys().filter(|id| !approved.contains(id)).cloned().collect::<Vec<_>>();
    approved.iter().cloned().chain(others).filter_map(with_message).collect()
}

/// Gives up asking the remote, if that is under way.
pub(super) fn stop_preparing(state: &mut State) -> Option<Vec<Effect>> {
    match &state.overlay {
        Some(Overlay::Push(dialog)) if dialog.prepared.is_none() => {
            let job = dialog.job;
            state.overlay = None;
            Some(vec![Effect::StopWork(job)])
        }
        Some(Overlay::Merge(dialog)) if dialog.ahead.is_none() => {
            let job = dialog.job;
            state.overlay = None;
            Some(vec![Effect::StopWork(job)])
        }
        _ => None,
    }
}

/// The plan is there, or cannot be made.
pub(super) fn prepared(state: &mut State, job: JobId, result: Result<Box<Prepared>, Problem>) -> Vec<Effect> {
    let why = match &mut state.overlay {
        Some(Overlay::Push(dialog)) if dialog.job == job => dialog.why.take(),
        _ => return vec![],
    };
    match result {
        Ok(prepared) if prepared.plan.groups.is_empty() => nothing_to_push(state, *prepared, why),
        Ok(prepared) => show(state, prepared, why),
        Err(problem) => {
            state.overlay = None;
            problems::report(state, "push", problem, None, Level::Error);
            vec![]
        }
    }
}

/// Shows a plan in the dialog, and what moved since the review. What changed upstream is in the way of the push until the
/// rows say so too.
fn show(state: &mut State, mut prepared: Box<Prepared>, why: Option<String>) -> Vec<Effect> {
    // Its commit's time is the plan's: the same plan makes the same commit, wherever it is landed from.
    if let Some((id, created)) = &state.reviewed
        && prepared.plan.id == *id
    {
        prepared.plan.created = *created;
    }
    if prepared.moved.is_empty() {
        prepared.moved = moved::rebased(&state.review, &prepared.plan);
    }
    prepared.moved.splice(0..0, why);
    let is_touched = moved::mark_touched(state, &prepared.moved);
    state.review.keep_edits(&prepared.plan);
    let (problems, moved) = (prepared.plan.problems.clone(), prepared.moved.join("; "));
    if let Some(Overlay::Push(dialog)) = &mut state.overlay {
        dialog.prepared = Some(prepared);
        dialog.touched =
            is_touched.then(|| "what changed upstream is undecided: look at it, then p".to_owned());
    }
    problems::report_all(state, "plan", problems);
    let has_moved = !moved.is_empty();
    if has_moved {
        state.tell(Level::Warning, moved);
    }
    // The diff that the dialog offers is that of what it asks about.
    let newer = if is_touched { Newer::of(state.review.touched.iter()) } else { Newer::None };
    if is_touched || has_moved { compare::propose(state, false, newer) } else { vec![] }
}

/// A plan without a commit is no question: why it has none is said, and the rows are compared with what is there now.
fn nothing_to_push(state: &mut State, prepared: Prepared, why: Option<String>) -> Vec<Effect> {
    state.overlay = None;
    let Prepared { plan, moved, .. } = prepared;
    moved::mark_touched(state, &moved);
    let reason = match (plan.problems.as_slice(), moved.is_empty()) {
        (_, false) if state.destination.onto != Onto::Push => otherwise_there(state, &moved),
        (_, false) => moved.join("; "),
        ([problem], true) if problem.code == Code::Skipped => {
            format!("{}{}", problem.message, open_request(state))
        }
        ([problem, ..], true) => format!("{problem}   ! shows more"),
        ([], true) => "nothing is left to push".to_owned(),
    };
    problems::report_all(state, "plan", plan.problems);
    state.tell(Level::Error, why.into_iter().chain([reason]).collect::<Vec<_>>().join("; "));
    let newer = Newer::of(state.review.touched.iter());
    if moved.is_empty() { vec![] } else { compare::propose(state, false, newer) }
}

/// The request that the last push opened for the branch that is chosen.
fn open_request(state: &State) -> String {
    let Onto::Named(branch) = &state.destination.onto else { return String::new() };
    let landed = state.push.iter().filter_map(|push| push.result.as_ref()?.as_ref().ok()).flatten();
    let mut requests =
        landed.filter(|landed| landed.branch == *branch).filter_map(|landed| landed.request.as_ref());
    let request = requests.find(|request| request.state == RequestState::Open);
    request.map(|request| format!(", request {} is open", request.label())).unwrap_or_default()
}

/// Why nothing of what was decided can be done on another branch: its files are not those that were looked at.
fn otherwise_there(state: &State, moved: &[String]) -> String {
    let sites = count(moved.len(), "approved line");
    let key = action::key_of(state, "push.target");
    format!("{sites} not as reviewed on that branch: nothing is pushed; {key} chooses another")
}

/// `y`: pushes, or asks for the name of the first protected branch.
pub(super) fn confirmed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Push(PushDialog { prepared: Some(prepared), .. })) = state.overlay.take() else {
        return vec![];
    };
    if state.mode == Mode::Write && !prepared.protected.is_empty() {
        state.overlay = Some(Overlay::Branch(BranchDialog { prepared, index: 0, field: Field::default() }));
        return vec![];
    }
    begin(state, prepared)
}

/// The name of a protected branch was typed: the next one, or the push.
pub(super) fn branch_typed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Branch(dialog)) = state.overlay.take() else { return vec![] };
    let index = dialog.index + 1;
    if index < dialog.prepared.protected.len() {
        state.overlay =
            Some(Overlay::Branch(BranchDialog { prepared: dialog.prepared, index, field: Field::default() }));
        return vec![];
    }
    begin(state, dialog.prepared)
}

fn begin(state: &mut State, prepared: Box<Prepared>) -> Vec<Effect> {
    let job = state.jobs.number();
    let plan = prepared.plan.clone();
    // Whatever led here: only WRITE writes.
    let dry_run = state.mode != Mode::Write;
    let updates = plan.groups.iter().flat_map(|group| &group.updates);
    let updates = updates.filter(|update| update.is_approved()).map(UpdateId::of).collect();
    let first_line = |group: &Group| group.message.lines().next().unwrap_or_default().to_owned();
    let subjects = plan.groups.iter().map(|group| (group.automation.clone(), first_line(group))).collect();
    let run = PushRun::begun(job, dry_run, Task::Push(prepared), (subjects, state.at));
    state.push = Some(PushRun { updates, ..run });
    state.show(View::Push);
    let detail = format!(
        "{} of plan {}",
        if dry_run { "begins to simulate the push" } else { "begins the push" },
        plan.id
    );
    let edits = plan.groups.iter().flat_map(|group| &group.updates).flat_map(Proposal::approved_edits);
    let detail = edits.fold(detail, |detail, edit| format!("{detail}; {}", edit.words()));
    let subject = plan.groups.iter().map(|group| group.automation.to_string()).collect::<Vec<_>>().join(" ");
    vec![
        Effect::Audit { kind: "push", subject, detail, plan: Some(plan.id.clone()) },
        Effect::Push { job, plan: Box::new(plan), dry_run, requests: state.requests },
    ]
}

/// Requests are opened for what is pushed from now on, or no longer.
pub(super) fn wish_for_requests(state: &mut State) -> Vec<Effect> {
    state.requests = !state.requests;
    target::changed(state);
    let says = if state.requests {
        "a pull or merge request is opened for what is pushed"
    } else {
        "no request is opened for what is pushed"
    };
    state.tell(Level::Info, says);
    if state.requests { target::ask_for_forges(state) } else { vec![] }
}

/// Asks for the plan of the last push once more: what is there stays, and the request is tried again.
pub(super) fn request_again(state: &mut State) -> Vec<Effect> {
    let Some(Task::Push(prepared)) = state.push.as_ref().map(|push| push.task.clone()) else {
        return vec![];
    };
    state.leave_view();
    ask(state, Some(prepared), None);
    vec![]
}

/// `y` to stopping: the shell tries; commits that are on their way by then are not called back.
pub(super) fn stop(state: &mut State) -> Vec<Effect> {
    state.overlay = None;
    let Some(push) = state.push.as_mut().filter(|push| push.result.is_none()) else { return vec![] };
    push.stopping = true;
    vec![Effect::StopWork(push.job)]
}

/// A step began or ended.
pub(super) fn step(state: &mut State, job: JobId, step: LandingStep) {
    let now = state.now;
    let Some(push) = state.push.as_mut().filter(|push| push.job == job) else { return };
    match push.steps.last_mut() {
        Some((_, last)) if last.text == step.text && last.millis.is_none() => *last = step,
        _ => push.steps.push((now, step)),
    }
}

/// The push ended.
pub(super) fn done(state: &mut State, job: JobId, result: Result<Vec<Landed>, Problem>) -> Vec<Effect> {
    let Some(push) = state.push.as_mut().filter(|push| push.job == job) else { return vec![] };
    let (dry_run, stopping) = (push.dry_run, push.stopping);
    let is_merge = matches!(push.task, Task::Merge(_));
    if matches!(state.overlay, Some(Overlay::Pushing { .. })) {
        state.overlay = None;
    }
    let result: Result<Vec<Landed>, Problem> = match result {
        Ok(landed) => Ok(landed.into_iter().map(|landed| told_here(state, landed)).collect()),
        Err(problem) => Err(as_told_here(state, problem)),
    };
    // What a person stopped is no problem of anybody's.
    let is_meant = |problem: &Problem| stopping && problem.code == Code::ConfirmationMissing;
    let mut effects = match &result {
        Ok(landed) => {
            for problem in landed.iter().filter_map(|landed| landed.error.clone()) {
                if !is_meant(&problem) {
                    problems::report(state, "push", problem, None, Level::Error);
                }
            }
            match (dry_run, is_merge) {
                (true, _) => vec![],
                (false, true) => compare::propose(state, true, Newer::None),
                (false, false) => settle(state, landed),
            }
        }
        Err(problem) => {
            problems::report(state, "push", problem.clone(), None, Level::Error);
            // The rows say by then what changed.
            let is_stale = matches!(problem.code, Code::StalePlan | Code::BranchMoved);
            if is_stale { compare::propose(state, true, Newer::None) } else { vec![] }
        }
    };
    let next = next_steps(state, &result);
    let failed =
        result.as_ref().map_or(1, |landed| landed.iter().filter(|landed| landed.error.is_some()).count());
    if failed == 0 && state.view_below_help() != View::Push {
        state.tell(Level::News, "the push is over: p shows what came of it");
    }
    let is_outrun = !is_merge && result.as_ref().is_ok_and(|landed| outrun(landed).is_some());
    if let Some(push) = &mut state.push {
        push.result = Some(result);
        push.next.set_rows(next);
    }
    // Asked about what is there now, unless the person is at something else by then.
    if is_outrun && state.overlay.is_none() && state.help.is_none() && state.view_below_help() == View::Push {
        effects.extend(open_again(state));
    }
    effects
}

/// What advice calls a flag of a command, and the action that does the same here.
const FLAGS: [(&str, &str); 3] =
    [("`--branch`", "push.target"), ("`--message`", "message.open"), ("--branch NAME", "push.target")];

/// What to do about it is another thing here than for a command: a plan is made anew, and a flag is a key.
fn as_told_here(state: &State, problem: Problem) -> Problem {
    if matches!(problem.code, Code::StalePlan | Code::BranchMoved | Code::GitRace) {
        return problem.hint("Ask the remote again: the plan is made anew on it.");
    }
    let Some(hint) = &problem.hint else { return problem };
    let with_keys = |hint: String, (flag, id): (&str, &str)| hint.replace(flag, &action::key_of(state, id));
    let hint = FLAGS.into_iter().fold(hint.clone(), with_keys);
    problem.hint(hint)
}

fn told_here(state: &State, landed: Landed) -> Landed {
    Landed { error: landed.error.map(|problem| as_told_here(state, problem)), ..landed }
}

/// Says what became of pushes of earlier runs: in the status line until a key, and what is no good news in S11; the log has it.
pub(super) fn settled(state: &mut State, settled: &[CutOff]) {
    for cut_off in settled {
        if cut_off.fate == Fate::Landed {
            state.tell(Level::News, cut_off.to_string());
        } else {
            problems::report(state, "push", Problem::from(cut_off), None, Level::Warning);
        }
    }
}

/// What landed is no longer to be decided, and its message is used up.
fn settle(state: &mut State, landed: &[Landed]) -> Vec<Effect> {
    let done = |automation: &ObjectId| {
        landed
            .iter()
            .any(|landed| landed.automation == *automation && (landed.error.is_none() || landed.is_there()))
    };
    let updates = state.push.as_ref().map(|push| push.updates.clone()).unwrap_or_default();
    let targets: Vec<Target> =
        updates.into_iter().filter(|id| done(&id.automation)).map(Target::update).collect();
    let decided = state.review.decide(&targets, Decision::Undecided);
    let used: Vec<ObjectId> = state.review.messages.keys().filter(|id| done(id)).cloned().collect();
    let mut effects = vec![Effect::SaveDecisions(decided)];
    for automation in used {
        state.review.messages.remove(&automation);
        effects.push(Effect::SaveDraft(automation, None));
    }
    effects.extend(compare::propose(state, true, Newer::of(targets.iter().map(|target| &target.update))));
    effects
}

/// What can be done with what has landed: taken back; and a plan merged where it went to a branch of its own.
fn from_here(state: &State, result: &Result<Vec<Landed>, Problem>) -> Vec<NextStep> {
    let Some(PushRun { task, revertible, dry_run: false, .. }) = &state.push else { return Vec::new() };
    let there: Vec<&Landed> = result.iter().flatten().filter(|landed| landed.is_there()).collect();
    let revert = |landed: &&Landed| {
        let (remote, commit) = (landed.remote.clone(), landed.commit.clone()?);
        let all = revertible.as_ref().filter(|all| all.ends_with(&commit));
        let commit = all.cloned().unwrap_or(commit);
        Some(NextStep::Revert { remote, commit })
    };
    let mut next: Vec<NextStep> = there.iter().filter_map(revert).collect();
    let is_there = |merge: &Merge| {
        there.iter().any(|landed| (&landed.remote, &landed.branch) == (&merge.remote, &merge.from))
    };
    if let Task::Push(prepared) = task {
        next.extend(merge::after(&prepared.plan).into_iter().filter(is_there).map(NextStep::Merge));
    }
    next
}

fn next_steps(state: &State, result: &Result<Vec<Landed>, Problem>) -> Vec<NextStep> {
    let mut next = Vec::new();
    let (commits, problems): (Vec<String>, Vec<String>) = match result {
        Ok(landed) => (
            landed.iter().filter_map(|landed| landed.commit.clone()).collect(),
            landed.iter().filter_map(|landed| landed.error.as_ref()).map(super::copy::report).collect(),
        ),
        Err(problem) => (Vec::new(), vec![super::copy::report(problem)]),
    };
    let requests = result.iter().flatten().filter_map(|landed| landed.request.as_ref()?.url.clone());
    let mut pages: Vec<String> = requests.collect();
    pages.dedup();
    next.extend(pages.into_iter().map(NextStep::CopyRequest));
    next.extend(commits.into_iter().map(NextStep::CopyCommit));
    next.extend(from_here(state, result));
    let is_unknown_forge = |problem: &Problem| state.requests && problem.code == Code::Config;
    if result.as_ref().is_err_and(is_unknown_forge) {
        next.push(NextStep::WithoutRequest);
    }
    let is_there = result.as_ref().is_ok_and(|all| all.iter().all(Landed::is_there));
    if !problems.is_empty() {
        next.push(NextStep::CopyProblem(problems.join("\n\n")));
        next.push(match state.push.as_ref().map(|push| &push.task) {
            Some(Task::Merge(merge)) => NextStep::Merge(merge.clone()),
            _ if is_there => NextStep::RequestAgain,
            _ => NextStep::Again,
        });
        if !is_there && state.push.as_ref().is_some_and(|push| matches!(push.task, Task::Push(_))) {
            next.push(NextStep::Target);
        }
    }
    next.push(NextStep::BackToUpdates);
    next
}
