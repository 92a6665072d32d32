//! What moved between a review and the plan that is made of it.

use crate::app::review::{Review, UpdateId};
use crate::app::state::State;
use crate::domain::branch::Onto;
use crate::domain::edit::ObjectEdit;
use crate::domain::plan::{Ground, Group, Plan, PushTarget, changed_upstream};
use crate::domain::proposal::{Proposal, Site};

/// Marks the rows of what changed upstream; whether there are any.
pub(super) fn mark_touched(state: &mut State, moved: &[String]) -> bool {
    // On another branch the same may never have stood.
    let is_own = state.destination.onto == Onto::Push;
    let touched = if is_own { touched(&state.review, moved) } else { Vec::new() };
    let is_any = !touched.is_empty();
    state.review.touched.extend(touched);
    is_any
}

/// The updates of which something that was approved changed upstream.
fn touched(review: &Review, moved: &[String]) -> Vec<UpdateId> {
    let is_said = |site: &Site| {
        let text = changed_upstream(&site.file, site.line);
        moved.iter().any(|said| said.starts_with(&text))
    };
    let has_edit = |edit: &ObjectEdit| {
        let text = changed_upstream(&edit.file, edit.line);
        moved.iter().any(|said| said.starts_with(&text))
    };
    let has_any = |update: &&Proposal| update.approved().any(is_said) || update.edits.iter().any(has_edit);
    review.approved().filter(has_any).map(UpdateId::of).collect()
}

/// What the plan is built on now and was not when it was reviewed, though nothing of what it changes did.
pub(super) fn rebased(review: &Review, plan: &Plan) -> Vec<String> {
    let mut said = Vec::new();
    for group in &plan.groups {
        let own = review.ground(&group.automation).filter(|ground| is_own(ground, group));
        let before = own.and_then(Ground::stands_on);
        let (Some((_, before)), Some((name, now))) = (before, group.stands_on()) else { continue };
        let name = name.strip_prefix("refs/heads/").unwrap_or(name);
        let [old, new] = [before, now].map(|commit| commit.get(..7).unwrap_or(commit));
        let text = format!("{name} moved {old} → {new}, plan re-based, diff unchanged");
        if before != now && !said.contains(&text) {
            said.push(text);
        }
    }
    said
}

/// Whether a commit goes where its automation pushes: on another branch it stands on another commit from the start.
fn is_own(ground: &Ground, group: &Group) -> bool {
    let branch = |push: &Option<PushTarget>| push.as_ref().map(|push| push.branch.clone());
    branch(&ground.push) == branch(&group.push)
}
