//! S5: a policy is tried as it is typed; nothing of it is saved.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::effect::{Effect, JobId};
use crate::app::list::Motion;
use crate::app::moment::Moment;
use crate::app::rows;
use crate::app::state::{EditDialog, Level, Overlay, Playground, State};
use crate::app::view::{Context, View};
use crate::domain::object::ObjectId;
use crate::domain::trial::{TrialEdit, Tried};
use crate::problem::Problem;

use super::copy;

/// So many milliseconds after the last key what was typed is tried.
const PAUSE: u64 = 30;

/// Opens S5 for the policy under the cursor, that of the update under it, or the one that the tags are shown against. What was tried before of the same
/// policy is there again.
fn open(state: &mut State) -> Vec<Effect> {
    let Some(policy) = rows::policy_in_front(state) else { return vec![] };
    if state.playground.as_ref().is_none_or(|playground| playground.policy != policy.meta.id) {
        state.playground = Some(Playground::of(policy));
    }
    state.show(View::Playground);
    try_now(state)
}

/// Back to the policy as it is.
fn reset(state: &mut State) -> Vec<Effect> {
    let Some(playground) = &mut state.playground else { return vec![] };
    let Some(policy) = state.inventory.policies.get(&playground.policy) else { return vec![] };
    let Playground { part, matching_only, job, tried, .. } = playground.clone();
    *playground = Playground { part, matching_only, job, tried, ..Playground::of(policy) };
    changed(state);
    vec![]
}

/// What can be done in S5, and the way there.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Playground => open(state),
        Action::Reset => reset(state),
        Action::CopyPolicy => copy(state),
        Action::EditPolicy => ask_for_edit(state),
        Action::CopyEdit => copy_edit(state),
        Action::WriteEdit => write_edit(state),
        Action::NextPane => {
            if let Some(playground) = &mut state.playground {
                playground.next_part();
            }
            vec![]
        }
        _ => {
            matching_only(state);
            vec![]
        }
    }
}

/// Shows only what may be selected, or everything again.
fn matching_only(state: &mut State) {
    let rows = state.layout().rows();
    if let Some(playground) = &mut state.playground {
        playground.matching_only = !playground.matching_only;
        playground.refresh();
        playground.list.go(Motion::By(0), rows);
    }
}

/// Hands the fields of the policy to the terminal.
fn copy(state: &mut State) -> Vec<Effect> {
    let Some(playground) = &state.playground else { return vec![] };
    let yaml = playground.trial().yaml();
    let lines = yaml.lines().count();
    let effects = copy::send(state, yaml);
    if !effects.is_empty() {
        state.tell(Level::Info, format!("sent to the terminal: {lines} lines of YAML, to stand below spec"));
    }
    effects
}

/// Asks what the trial changes in the file that the policy stands in.
fn ask_for_edit(state: &mut State) -> Vec<Effect> {
    let job = state.jobs.number();
    let Some(playground) = &mut state.playground else { return vec![] };
    playground.asked = Some(job);
    let (policy, trial) = (playground.policy.clone(), playground.trial());
    state.tell(Level::Info, format!("looking for the file of {policy}"));
    vec![Effect::EditPolicy { job, policy, trial }]
}

/// The edit is known, or cannot be made; nobody sees it who has gone on meanwhile.
pub(super) fn edited(state: &mut State, job: JobId, edit: Result<TrialEdit, Problem>) {
    let is_asked = |playground: &mut Playground| playground.asked.take_if(|asked| *asked == job).is_some();
    let is_in_front = state.context() == Context::View(View::Playground);
    let Some(playground) = &mut state.playground else { return };
    if !is_asked(playground) || !is_in_front {
        return;
    }
    let policy = playground.policy.clone();
    state.status = None;
    match edit {
        Ok(edit) => state.overlay = Some(Overlay::Edit(EditDialog { policy, edit, scroll: 0 })),
        Err(problem) => state.tell(Level::Refusal, problem.to_string()),
    }
}

/// Hands the diff to the terminal.
fn copy_edit(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Edit(dialog)) = &state.overlay else { return vec![] };
    let (patch, file) = (dialog.edit.patch.clone(), dialog.edit.file.clone());
    let effects = copy::send(state, patch);
    if !effects.is_empty() {
        state.tell(Level::Info, format!("sent to the terminal: the diff of {file}"));
    }
    effects
}

/// Has the diff written.
fn write_edit(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Edit(dialog)) = state.overlay.take() else { return vec![] };
    let path = dialog.patch_name();
    state.tell(Level::Info, format!("writing {path}"));
    vec![Effect::WriteEdit { path, patch: dialog.edit.patch }]
}

/// Something was typed: it is tried when the keys pause.
pub(super) fn changed(state: &mut State) {
    let at = state.at;
    if let Some(playground) = &mut state.playground {
        playground.due = Some(at.plus(PAUSE));
    }
}

/// The policy was evaluated on other tags, or is another by now: it is tried again, if it is what is tried.
pub(super) fn evaluated(state: &mut State, policy: &ObjectId) {
    let is_tried = state.playground.as_ref().is_some_and(|playground| playground.policy == *policy);
    if is_tried && state.crumbs().contains(&View::Playground) {
        changed(state);
    }
}

/// When the next trial begins; not while one is under way, whose end begins it.
pub(super) fn due(state: &State) -> Option<Moment> {
    let playground = state.playground.as_ref()?;
    playground.due.filter(|_| playground.job.is_none())
}

/// Begins the trial that is due.
pub(super) fn try_due(state: &mut State) -> Vec<Effect> {
    if due(state).is_some_and(|due| due <= state.at) { try_now(state) } else { vec![] }
}

/// Begins a trial of what stands in the fields.
fn try_now(state: &mut State) -> Vec<Effect> {
    let number = state.jobs.number();
    let Some(playground) = &mut state.playground else { return vec![] };
    playground.due = None;
    playground.job = Some(number);
    vec![Effect::Try { job: number, policy: playground.policy.clone(), trial: playground.trial() }]
}

/// What came of a trial, unless another policy is tried by now.
pub(super) fn tried(state: &mut State, job: JobId, tried: Option<Arc<Tried>>) -> Vec<Effect> {
    let Some(playground) = state.playground.as_mut().filter(|playground| playground.job == Some(job)) else {
        return vec![];
    };
    playground.job = None;
    let Some(tried) = tried else {
        state.tell(Level::Warning, "the policy or its tags are gone; what is shown is older");
        return vec![];
    };
    playground.take(tried);
    try_due(state)
}
