//! Which updates a key means in the view in front.

use crate::app::review::{Target, UpdateId};
use crate::app::state::State;
use crate::app::view::View;
use crate::domain::proposal::{Proposal, UpdateState};

/// What a decision is about: the rows of the range or the cursor's row; in S3 what brings its policy the tag under the cursor.
pub fn decided(state: &State) -> Vec<Target> {
    let updates = match state.view_below_help() {
        View::Diff => return state.diff.tree.current().map(super::target).into_iter().collect(),
        View::Plan => state.plan.targets(),
        View::Tags => to_tag(state).unwrap_or_default(),
        _ => state.updates.targets(),
    };
    updates.into_iter().map(Target::update).collect()
}

/// How many rows the range of the list in front has, if one was begun.
pub fn ranged(state: &State) -> Option<usize> {
    let range = match state.view_below_help() {
        View::Updates => state.updates.range(),
        View::Repositories => state.repositories.range(),
        View::Policies => state.policies.range(),
        View::Automations => state.automations.range(),
        _ => None,
    };
    range.map(|rows| rows.len())
}

/// The updates that bring S3's policy the tag under the cursor.
///
/// # Errors
/// Why there is none, in words.
pub fn to_tag(state: &State) -> Result<Vec<UpdateId>, String> {
    let policy = state.tags.policy.as_ref().ok_or("no policy selects among these tags")?;
    let row = state.tags.list.current().ok_or("there is no row")?;
    let tag = state.tags.tags.get(*row as usize).unwrap_or_default();
    let mut of_policy = state.review.updates().iter().filter(|update| update.policy == *policy).peekable();
    if of_policy.peek().is_none() {
        return Err(format!("nothing of {policy} is to be updated"));
    }
    let brings = |update: &&Proposal| update.new.as_ref().is_some_and(|new| new.tag == tag);
    let found: Vec<UpdateId> = of_policy.filter(brings).map(UpdateId::of).collect();
    if found.is_empty() {
        return Err(format!("{policy} does not select {tag}: only the tag that it selects can be approved"));
    }
    Ok(found)
}

/// The update whose diff is meant: that of the row, or the first of the policy, repository or automation under the cursor that
/// can be written.
pub fn reviewed(state: &State) -> Option<UpdateId> {
    let first = |is_it: &dyn Fn(&Proposal) -> bool| {
        let mut found = state.review.updates().iter().filter(|update| update.state != UpdateState::Blocked);
        found.find(|update| is_it(update)).map(UpdateId::of)
    };
    match state.view_below_help() {
        View::Plan => state.plan.current().cloned(),
        View::Repositories => {
            let id = state.repositories.current()?;
            let policy = |update: &Proposal| state.inventory.policies.get(&update.policy);
            first(&|update| policy(update).is_some_and(|policy| policy.repository == *id))
        }
        View::Tags => {
            let id = state.tags.policy.as_ref()?;
            first(&|update| update.policy == *id)
        }
        View::Policies => {
            let id = state.policies.current()?;
            first(&|update| update.policy == *id)
        }
        View::Automations => {
            let id = state.automations.current()?;
            first(&|update| update.automation == *id)
        }
        _ => state.updates.current().cloned(),
    }
}
