//! What can be done with what was pushed: L10, a branch that is merged into the one that it was made from; and the commit that
//! can be taken back.

use super::{NextStep, State};
use crate::app::effect::JobId;
use crate::app::input::Field;
use crate::app::message::MergeAhead;
use crate::app::moment::Moment;
use crate::app::view::View;
use crate::domain::landing::Merge;
use crate::domain::plan::Ground;
use crate::problem::Problem;

/// Merge?
#[derive(Debug, Clone, PartialEq)]
pub struct MergeDialog {
    /// Whose answer fills it.
    pub job: JobId,
    /// When the remote was asked.
    pub since: Moment,
    /// What.
    pub merge: Merge,
    /// Whether a commit is made also where moving the branch would do.
    pub always_commit: bool,
    /// What it would do, or why it cannot be done; `y` does nothing before.
    pub ahead: Option<Result<Box<MergeAhead>, Problem>>,
    /// The name of a protected branch, while it is typed.
    pub typed: Option<Field>,
    /// When the answer was first on the screen.
    pub shown: Option<Moment>,
}

impl State {
    /// What `:merge` merges: the branch of the automation under the cursor, or what was just pushed.
    ///
    /// # Errors
    /// Why there is nothing to merge, in words.
    pub fn mergeable(&self) -> Result<Merge, String> {
        if self.is_pushing() {
            return Err("a push is under way".to_owned());
        }
        let automation = match self.view_below_help() {
            View::Push => return self.pushed_for_merge(),
            View::Automations => self.automations.current(),
            View::Plan => self.plan.current().map(|id| &id.automation),
            View::Updates => self.updates.current().map(|id| &id.automation),
            _ => None,
        };
        let automation = automation.ok_or("no automation is under the cursor")?;
        merge_of(self.review.ground(automation).ok_or("the remote was not read yet")?)
    }

    /// What `:revert` takes back: the remote and the commit of S10's row, or of what was just pushed.
    ///
    /// # Errors
    /// Why the row names no commit, in words.
    pub fn revertible(&self) -> Result<(String, String), String> {
        if self.view_below_help() == View::Log {
            let event = self.log.list.current().and_then(|id| self.log.get(*id));
            let (remote, commit) = event
                .and_then(|event| event.pushed())
                .ok_or("the entry is no commit that was pushed: `:revert COMMIT` names one")?;
            return Ok((remote.to_owned(), commit.to_owned()));
        }
        let next = self.push.iter().map(|push| &push.next);
        let mut rows = next.flat_map(|next| next.current().into_iter().chain(next.rows()));
        let found = rows.find_map(|step| match step {
            NextStep::Revert { remote, commit } => Some((remote.clone(), commit.clone())),
            _ => None,
        });
        found.ok_or_else(|| "nothing was pushed: `:revert COMMIT` names a commit".to_owned())
    }

    /// The row of the result, or the first one that merges.
    fn pushed_for_merge(&self) -> Result<Merge, String> {
        let next = self.push.iter().map(|push| &push.next);
        let rows = next.flat_map(|next| next.current().into_iter().chain(next.rows()));
        let mut merges = rows.filter_map(|step| match step {
            NextStep::Merge(merge) => Some(merge.clone()),
            _ => None,
        });
        merges.next().ok_or_else(|| "nothing was pushed that could be merged".to_owned())
    }
}

/// The merge of an automation's push branch into the branch that it reads.
fn merge_of(ground: &Ground) -> Result<Merge, String> {
    let merge =
        Merge::of(&ground.automation, ground.remote.as_deref(), (ground.base.as_ref(), ground.push.as_ref()));
    let merge = merge.ok_or("it has no branch beside the one that it reads: there is nothing to merge")?;
    let is_there = ground.push.as_ref().is_some_and(|push| push.commit.is_some());
    if is_there { Ok(merge) } else { Err(format!("the remote has no branch {} yet", merge.from)) }
}
