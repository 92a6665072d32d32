//! `b`: the target menu. What is chosen holds for every push from then on; a question that it was opened from is asked
//! anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::input::Field;
use crate::app::state::{Level, Overlay, PATCH, State, TargetDialog};
use crate::domain::branch::{self, Destination, Names, Onto};
use crate::domain::plan::{Group, Plan, PushTarget};

use crate::problem::Problem;
use crate::text::count;

use super::{problems, push};

/// Opens the menu; a plan that is being made is not waited for.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let cursor = state.target_rows().iter().position(|row| row.chosen).unwrap_or(0);
    let from = match state.overlay.take() {
        Some(Overlay::Push(dialog)) => Some(dialog),
        _ => None,
    };
    let unfinished = from.iter().filter(|dialog| dialog.prepared.is_none());
    let effects: Vec<Effect> = unfinished.map(|dialog| Effect::StopWork(dialog.job)).collect();
    state.overlay = Some(Overlay::Target(TargetDialog { cursor, field: None, from }));
    [effects, ask_for_forges(state)].concat()
}

/// Asks of each remote once whether requests can be opened there.
pub(super) fn ask_for_forges(state: &State) -> Vec<Effect> {
    let unknown = state.target_remotes().into_iter().filter(|remote| !state.forges.contains_key(*remote));
    let unknown: Vec<String> = unknown.cloned().collect();
    if unknown.is_empty() { vec![] } else { vec![Effect::FindForges(unknown)] }
}

/// It is known where requests can be opened; a wish for one that cannot is dropped, and that is said.
pub(super) fn forges_found(state: &mut State, found: BTreeMap<String, bool>) {
    state.forges.extend(found);
    if state.requests && !state.is_pushing() {
        say_no_request(state);
    }
}

/// Where nobody knows a forge no request is wished for, and it is said what would change that. Whether that is so.
fn say_no_request(state: &mut State) -> bool {
    let says = no_forge(state);
    let is_without = says.is_some();
    if let Some(says) = says {
        state.requests = false;
        changed(state);
        state.tell(Level::Warning, format!("{says}; the branch is pushed without one"));
    }
    is_without
}

/// Why no request can be opened for what is approved, as far as is known.
pub(super) fn no_forge(state: &State) -> Option<String> {
    let remote = state.without_forge()?;
    Some(format!(
        "no request can be opened: nobody knows a forge at {remote}; [forge.\"HOST\"] in the configuration names it"
    ))
}

/// Carries out an action of the menu.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::TargetPush => choose(state, 0),
        Action::TargetReview => choose(state, 1),
        Action::TargetBranch => choose(state, TargetDialog::OTHER),
        Action::TargetPatch => choose(state, TargetDialog::PATCH),
        Action::TargetCheckout => choose(state, TargetDialog::CHECKOUT),
        Action::TargetSplit => {
            state.destination.split = !state.destination.split;
            changed(state);
            vec![]
        }
        _ => open(state),
    }
}

/// What is asked about was another plan.
pub(super) fn changed(state: &mut State) {
    if let Some(Overlay::Target(TargetDialog { from: Some(dialog), .. })) = &mut state.overlay {
        dialog.prepared = None;
    }
}

/// Takes the row at `index`: a branch at once, another one when its name is typed.
pub(super) fn choose(state: &mut State, index: usize) -> Vec<Effect> {
    let onto = match index {
        0 => Onto::Push,
        1 => Onto::Named(Onto::REVIEW.to_owned()),
        TargetDialog::CHECKOUT => Onto::Checkout,
        _ => return type_name(state, index),
    };
    // A request needs two branches.
    state.requests = index == 1 || (state.requests && index != TargetDialog::CHECKOUT);
    let effects = take(state, onto);
    if index == 1 {
        say_no_request(state);
    }
    effects
}

fn type_name(state: &mut State, index: usize) -> Vec<Effect> {
    let known = match &state.destination.onto {
        _ if index == TargetDialog::PATCH => PATCH.to_owned(),
        Onto::Named(name) if name != Onto::REVIEW => name.clone(),
        _ => String::new(),
    };
    if let Some(Overlay::Target(dialog)) = &mut state.overlay {
        (dialog.cursor, dialog.field) = (index, Some(Field::new(known)));
    }
    vec![]
}

/// The name of another branch was typed; `why_not` has seen that Git takes it.
pub(super) fn typed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Target(TargetDialog { field: Some(field), cursor, .. })) = &state.overlay else {
        return vec![];
    };
    let typed = field.text().trim();
    if *cursor == TargetDialog::PATCH {
        let path = typed.to_owned();
        return write_patch(state, path);
    }
    let name = typed.strip_prefix("refs/heads/").unwrap_or(typed).to_owned();
    take(state, Onto::Named(name))
}

/// Has the diff written as what the automations would push: where commits go does not matter to a file.
fn write_patch(state: &mut State, path: String) -> Vec<Effect> {
    state.overlay = None;
    let (job, wish) = (state.jobs.number(), push::wish(state, Destination::default()));
    state.tell(Level::Info, format!("writing {path}"));
    vec![Effect::WritePatch { job, path, wish }]
}

/// The patch was written, or was not.
pub(super) fn patch_written(state: &mut State, path: &str, written: Result<usize, Problem>) {
    match written {
        Ok(files) => {
            let files = count(files, "file");
            state.tell(
                Level::Info,
                format!("{path} changes {files}: git apply {path} in the repository's folder"),
            );
        }
        Err(problem) => problems::report(state, "patch", problem, None, Level::Error),
    }
}

fn take(state: &mut State, onto: Onto) -> Vec<Effect> {
    state.destination.onto = onto;
    if let Some(Overlay::Target(TargetDialog { from: Some(_), .. })) = state.overlay.take() {
        return push::open(state);
    }
    let rows = state.target_rows();
    let chosen = rows.into_iter().find(|row| row.chosen);
    let says = chosen.map_or_else(String::new, |row| {
        format!("{}: commits go to {} ({})", row.label, row.branches.join(", "), row.means)
    });
    state.tell(Level::Info, says);
    vec![]
}

/// Makes the target that of a plan which was made elsewhere.
pub(super) fn adopt(state: &mut State, plan: &Plan) {
    let branch = |push: &Option<PushTarget>| push.as_ref().map(|push| push.branch.clone());
    let own = |group: &Group| state.review.ground(&group.automation).and_then(|ground| branch(&ground.push));
    let others = plan.groups.iter().filter(|group| own(group) != branch(&group.push));
    let others: BTreeSet<String> = others.filter_map(|group| branch(&group.push)).collect();
    let mut commits = BTreeSet::new();
    let twice = |group: &Group| !commits.insert((group.automation.clone(), branch(&group.push)));
    state.destination.split |= plan.groups.iter().any(twice);
    let mut others = others.into_iter();
    match (others.next(), others.next()) {
        (None, _) => {}
        (Some(one), None) => state.destination.onto = Onto::Named(one),
        (Some(_), Some(_)) => {
            if let Some(template) = template_of(plan) {
                state.destination = Destination { onto: Onto::Named(template), split: true };
                return;
            }
            let says =
                "the plan has a branch for each update; commits go to the automations' own: b changes that";
            state.tell(Level::Warning, says);
        }
    }
}

/// What the branches of a plan with one update in each commit were named after.
fn template_of(plan: &Plan) -> Option<String> {
    let made = plan.groups.iter().map(|group| {
        let mut approved = group.updates.iter().filter(|update| update.is_approved());
        let (update, push) = (approved.next().filter(|_| approved.next().is_none())?, group.push.as_ref()?);
        let tag = update.new.as_ref().map(|new| new.tag.as_str()).unwrap_or_default();
        let names =
            Names { policy: &update.policy.name, tag, automation: &group.automation.name, plan: &plan.id };
        Some((names, push.branch.as_str()))
    });
    branch::template_of(&made.collect::<Option<Vec<_>>>()?)
}

/// One level back: from the name to the menu, from the menu to the question that it was opened from. `None`: the menu is
/// not open.
pub(super) fn back(state: &mut State) -> Option<Vec<Effect>> {
    let Some(Overlay::Target(dialog)) = &mut state.overlay else { return None };
    if dialog.field.take().is_some() {
        return Some(vec![]);
    }
    let from = dialog.from.take();
    state.overlay = None;
    match from {
        // It is seen anew.
        Some(dialog) if dialog.prepared.is_some() => {
            state.overlay = Some(Overlay::Push(crate::app::state::PushDialog { shown: None, ..dialog }));
            Some(vec![])
        }
        Some(_) => Some(push::open(state)),
        None => Some(vec![]),
    }
}
