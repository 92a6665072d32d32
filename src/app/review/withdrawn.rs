//! Approvals that do not hold for what updates are now.

use std::collections::BTreeMap;

use super::UpdateId;
use crate::domain::proposal::{Decision, Proposal, UpdateState};
use crate::text::count;

/// What of `old` was approved and is not in `new`, update by update, with the reason; updates that are gone are not told, for
/// what was approved has landed as a rule.
pub(super) fn withdrawn(old: &[Proposal], new: &[Proposal]) -> Vec<String> {
    let now: BTreeMap<UpdateId, &Proposal> =
        new.iter().map(|update| (UpdateId::of(update), update)).collect();
    let told = |before: &Proposal| {
        let now = now.get(&UpdateId::of(before))?;
        let lost = approved(before).saturating_sub(approved(now));
        (lost > 0).then(|| format!("{}: {}", before.policy, reason(before, now, lost)))
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
