//! `:merge`: the remote is asked what it would do, that is shown, and `y` does exactly that.

use crate::app::action::Action;
use crate::app::effect::{Effect, JobId};
use crate::app::input::Field;
use crate::app::message::MergeAhead;
use crate::app::state::{Level, MergeDialog, Overlay, PushRun, State, Task};
use crate::app::view::View;
use crate::domain::landing::Merge;
use crate::domain::mode::Mode;
use crate::domain::plan::{Group, Plan};
use crate::problem::Problem;

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    if action == Action::MergeCommit { turn(state) } else { open(state) }
}

/// `:merge`; the row says what.
fn open(state: &mut State) -> Vec<Effect> {
    state.mergeable().map_or_else(|_| Vec::new(), |merge| ask(state, merge, false))
}

fn ask(state: &mut State, merge: Merge, always_commit: bool) -> Vec<Effect> {
    let (job, since) = (state.jobs.number(), state.at);
    state.overlay = Some(Overlay::Merge(MergeDialog {
        job,
        since,
        merge: merge.clone(),
        always_commit,
        ahead: None,
        typed: None,
        shown: None,
    }));
    vec![Effect::LookAtMerge { job, merge, always_commit }]
}

/// With a merge commit where none is needed, or without.
fn turn(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Merge(dialog)) = state.overlay.take() else { return vec![] };
    let mut effects: Vec<Effect> =
        dialog.ahead.is_none().then_some(Effect::StopWork(dialog.job)).into_iter().collect();
    effects.extend(ask(state, dialog.merge, !dialog.always_commit));
    effects
}

/// The remote has answered.
pub(super) fn looked(state: &mut State, job: JobId, result: Result<Box<MergeAhead>, Problem>) -> Vec<Effect> {
    let problem = result.as_ref().err().cloned();
    match &mut state.overlay {
        Some(Overlay::Merge(dialog)) if dialog.job == job => dialog.ahead = Some(result),
        _ => return vec![],
    }
    if let Some(problem) = problem {
        super::problems::report(state, "merge", problem, None, Level::Error);
    }
    vec![]
}

/// `y`: merges, or asks for the name of the branch that changes.
pub(super) fn confirmed(state: &mut State) -> Vec<Effect> {
    let mode = state.mode;
    if let Some(Overlay::Merge(MergeDialog { ahead: Some(Ok(ahead)), typed, .. })) = &mut state.overlay
        && ahead.protected.is_some()
        && mode == Mode::Write
    {
        *typed = Some(Field::default());
        return vec![];
    }
    begin(state)
}

/// Begins what the dialog shows; the name of a protected branch was typed.
pub(super) fn begin(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Merge(dialog)) = state.overlay.take() else { return vec![] };
    let MergeDialog { merge, always_commit, ahead: Some(Ok(ahead)), .. } = dialog else { return vec![] };
    let job = state.jobs.number();
    // Whatever led here: only WRITE writes.
    let dry_run = state.mode != Mode::Write;
    let subject = format!("merge {} into {}", merge.from, merge.into);
    let subjects = vec![(merge.automation.clone(), subject)];
    let run = PushRun::begun(job, dry_run, Task::Merge(merge.clone()), (subjects, state.at));
    state.push = Some(PushRun { revertible: ahead.merged.revertible(), ..run });
    state.show(View::Push);
    let seen = (ahead.merged.tip, ahead.merged.base);
    vec![Effect::Merge { job, merge, always_commit, seen, dry_run }]
}

/// What can be merged once a plan has landed, each once.
pub(super) fn after(plan: &Plan) -> Vec<Merge> {
    let of = |group: &Group| {
        Merge::of(&group.automation, group.remote.as_deref(), (group.base.as_ref(), group.push.as_ref()))
    };
    let mut merges: Vec<Merge> = Vec::new();
    for merge in plan.groups.iter().filter_map(of) {
        let is_same = |known: &Merge| {
            (&known.remote, &known.from, &known.into) == (&merge.remote, &merge.from, &merge.into)
        };
        if !merges.iter().any(is_same) {
            merges.push(merge);
        }
    }
    merges
}
