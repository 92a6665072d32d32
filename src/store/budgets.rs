//! How many requests each registry last said it will answer. May be deleted at any time.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sealed::{CachedFile, Holds};
use super::shelf::{Shelf, file_name};
use crate::domain::scan::Budget;

/// How long a budget counts that does not say what its window is.
const SHORT: Duration = Duration::from_hours(1);

/// As it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    host: String,
    told: Timestamp,
    remaining: u64,
    limit: Option<u64>,
    window_seconds: Option<u64>,
}

/// One file per registry host.
#[derive(Debug)]
pub struct Budgets {
    shelf: Shelf,
}

impl Budgets {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// Keeps what `host` said at `now`.
    pub fn note(&self, host: &str, budget: Budget, now: Timestamp) {
        let (remaining, limit) = (budget.remaining, budget.limit);
        let window_seconds = budget.window.map(|window| window.as_secs());
        let kept = Kept { host: host.to_owned(), told: now, remaining, limit, window_seconds };
        if let Ok(text) = serde_json::to_vec(&kept) {
            self.shelf.write(&file_name(host, "json"), &text);
        }
    }

    /// The files on the disk, in the order of their names.
    pub fn files(&self) -> Vec<CachedFile> {
        let file = |name: &String| {
            let path = self.shelf.path(name)?;
            let meta = std::fs::metadata(&path).ok()?;
            let written = Timestamp::try_from(meta.modified().ok()?).ok()?;
            let kept: Option<Kept> =
                self.shelf.read(name).and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let holds = kept.map(|kept| Holds { name: kept.host, tags: 0, time: kept.told });
            Some(CachedFile { path, bytes: meta.len(), written, holds })
        };
        self.shelf.names().iter().filter_map(file).collect()
    }

    /// Deletes one of [`Self::files`]; returns whether it did.
    ///
    /// # Errors
    /// It is there and stays.
    pub fn remove(&self, file: &CachedFile) -> io::Result<bool> {
        let Some(name) = file.path.file_name().and_then(|name| name.to_str()) else { return Ok(false) };
        self.shelf.remove(name).map(|()| true)
    }

    /// What `host` last said, unless its window has passed since; what makes no sense counts as nothing.
    pub fn read(&self, host: &str, now: Timestamp) -> Option<Budget> {
        let kept: Kept = serde_json::from_slice(&self.shelf.read(&file_name(host, "json"))?).ok()?;
        let window = kept.window_seconds.map(Duration::from_secs);
        let age = Duration::try_from(now.duration_since(kept.told)).unwrap_or_default();
        let counts = kept.host == host && age < window.unwrap_or(SHORT);
        counts.then_some(Budget { remaining: kept.remaining, limit: kept.limit, window })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    #[test]
    fn a_budget_is_known_to_the_next_process_until_its_window_has_passed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let budget = Budget { remaining: 76, limit: Some(100), window: Some(Duration::from_hours(6)) };
        Store::open(&Dirs::below(dir.path())).budgets().note("index.docker.io", budget, at(0));
        let store = Store::open(&Dirs::below(dir.path()));
        assert_eq!(store.budgets().read("index.docker.io", at(21_599)), Some(budget));
        assert_eq!(store.budgets().read("index.docker.io", at(21_600)), None);
        assert_eq!(store.budgets().read("ghcr.io", at(0)), None);
        let short = Budget { window: None, ..budget };
        store.budgets().note("ghcr.io", short, at(0));
        assert_eq!(store.budgets().read("ghcr.io", at(3_599)), Some(short));
        assert_eq!(store.budgets().read("ghcr.io", at(3_600)), None);
    }

    #[test]
    fn budgets_are_listed_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let told = Timestamp::from_second(100).unwrap();
        let budget = Budget { remaining: 76, limit: Some(100), window: None };
        store.budgets().note("ghcr.io", budget, told);
        let files = store.budgets().files();
        let holds = Holds { name: "ghcr.io".to_owned(), tags: 0, time: told };
        assert_eq!(files.iter().map(|file| file.holds.clone()).collect::<Vec<_>>(), [Some(holds)]);
        assert!(store.budgets().remove(&files[0]).unwrap());
        assert_eq!(store.budgets().files(), []);
        assert_eq!(store.budgets().read("ghcr.io", told), None);
    }
}
