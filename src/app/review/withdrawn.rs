//! Approvals that do not hold for what updates are now.

use std::collections::BTreeMap;

use super::UpdateId;
use crate::domain::proposal::{Decision, Proposal, UpdateState};
use crate::text::count;

/// An approval that does not hold any more.
pub(super) struct Withdrawn {
    /// Of which update.
    pub(super) id: UpdateId,
    /// The update and why, in words.
    pub(super) text: String,
    /// Whether what was approved does not stand there any more.
    pub(super) is_touched: bool,
}

/// What of `old` was approved and is not in `new`, update by update; updates that are gone are not told, for what was approved
/// has landed as a rule.
pub(super) fn withdrawn(old: &[Proposal], new: &[Proposal]) -> Vec<Withdrawn> {
    let now: BTreeMap<UpdateId, &Proposal> =
        new.iter().map(|update| (UpdateId::of(update), update)).collect();
    let told = |before: &Proposal| {
        let id = UpdateId::of(before);
        let now = now.get(&id)?;
        let lost = approved(before).saturating_sub(approved(now));
        let is_touched = now.state == UpdateState::Pending && before.new == now.new;
        let text = format!("{}: {}", before.policy, reason(before, now, lost));
        (lost > 0).then_some(Withdrawn { id, text, is_touched })
    };
    old.iter().filter_map(told).collect()
}

fn approved(update: &Proposal) -> usize {
    update.sites.iter().filter(|site| site.decision == Decision::Approved).count()
}

fn reason(before: &Proposal, now: &Proposal, lost: usize) -> String {
    match (&now.state, &now.new) {
        (UpdateState::Blocked, _) => "is blocked now, what was approved is not".to_owned(),
        (UpdateState::Held, _) => "is held now, what was approved is not".to_owned(),
        (UpdateState::Pending, Some(new)) if before.new.as_ref() != Some(new) => {
            format!("{} is selected now; approve it anew", new.tag)
        }
        (UpdateState::Pending, _) => format!("{} changed upstream; approve again", count(lost, "site")),
    }
}
