//! How much of the review is decided.

use std::collections::BTreeSet;

use super::Review;
use crate::domain::proposal::{Decision, UpdateState};

/// How many updates and sites stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Updates that can be approved.
    pub pending: usize,
    /// Updates with an approved site.
    pub approved: usize,
    /// Updates that were passed over.
    pub skipped: usize,
    /// Updates that wait by hold.
    pub held: usize,
    /// Updates that cannot be made.
    pub blocked: usize,
    /// Sites of pending updates.
    pub sites: usize,
    /// Approved sites.
    pub approved_sites: usize,
    /// Different files with a pending site.
    pub files: usize,
    /// Pending updates of which nothing is approved or skipped.
    pub undecided: usize,
}

impl Review {
    /// How many updates and sites stand where.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        let mut files = BTreeSet::new();
        for update in &self.updates {
            match update.state {
                UpdateState::Held => tally.held += 1,
                UpdateState::Blocked => tally.blocked += 1,
                UpdateState::Pending => {
                    let approved = update.approved().count();
                    tally.pending += 1;
                    tally.sites += update.sites.iter().filter(|site| site.blocked.is_none()).count();
                    tally.approved_sites += approved;
                    tally.approved += usize::from(update.is_approved());
                    tally.skipped += usize::from(update.overall() == Decision::Skipped);
                    tally.undecided += usize::from(update.overall() == Decision::Undecided);
                    files.extend(update.sites.iter().map(|site| (&update.automation, &site.file)));
                }
            }
        }
        tally.files = files.len();
        tally
    }
}
