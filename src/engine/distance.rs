//! How a push branch stands to its base, remembered: between two commits the answer never changes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::Engine;
use crate::config::Refresh;
use crate::domain::plan::Base;
use crate::git::{BareCache, Distance, Remote};

/// Answers by push branch's tip and base, for the life of the engine.
#[derive(Debug, Default)]
pub(super) struct Distances(Mutex<BTreeMap<(String, String), Distance>>);

impl Engine {
    /// How the branch at `tip` stands to `base`; empty if that is not known.
    ///
    /// The cache holds the newest commits alone, so most often the remote has to be asked for their ancestors. It is
    /// not where `refresh` forbids it, or where it did not answer just now.
    pub(super) fn distance(
        &self,
        cache: &BareCache,
        remote: &Remote,
        (tip, base): (&str, &Base),
        refresh: Refresh,
    ) -> Distance {
        let pair = (tip.to_owned(), base.commit.clone());
        // An answer is as good after a panic elsewhere as before.
        let remembered = || self.distances.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = remembered().get(&pair) {
            return known.clone();
        }
        let found = match cache.apart(tip, &base.commit) {
            Some(distance) => distance,
            None if refresh == Refresh::Never || base.stale => return Distance::default(),
            // It is worth a warning, not an error: a remote that fails here is asked again next time.
            None => match cache.distance(remote, &base.commit, tip) {
                Ok(distance) => distance,
                Err(_) => return Distance::default(),
            },
        };
        remembered().insert(pair, found.clone());
        found
    }
}
