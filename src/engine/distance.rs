//! How far a push branch is behind, remembered: between two commits the answer never changes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::Engine;
use crate::config::Refresh;
use crate::domain::plan::Base;
use crate::git::{self, BareCache, Remote};

/// Answers by push branch's tip and base, for the life of the engine.
#[derive(Debug, Default)]
pub(super) struct Distances(Mutex<BTreeMap<(String, String), Option<usize>>>);

impl Engine {
    /// How many commits of `base` the branch at `tip` lacks; `None` if that is not known.
    ///
    /// The cache holds the newest commits alone, so most often the remote has to be asked for their ancestors. It is
    /// not where `refresh` forbids it, or where it did not answer just now.
    pub(super) fn behind(
        &self,
        cache: &BareCache,
        remote: &Remote,
        (tip, base): (&str, &Base),
        refresh: Refresh,
    ) -> Option<usize> {
        let pair = (tip.to_owned(), base.commit.clone());
        // A count is as good after a panic elsewhere as before.
        let remembered = || self.distances.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = remembered().get(&pair) {
            return *known;
        }
        let counted = match cache.behind(tip, &base.commit) {
            Some(count) => Some(count),
            None if refresh == Refresh::Never || base.stale => return None,
            // The count is worth a warning, not an error: a remote that fails here is asked again next time.
            None => git::commits_behind(remote, &base.commit, tip, cache.dir()).ok()?,
        };
        remembered().insert(pair, counted);
        counted
    }
}
