//! What is kept only to be quicker: tag lists, metadata, budgets, Git objects, and the markers in them. The ledger, the journal and the log are none of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Engine, World};
use crate::git::KeptCache;
use crate::problem::{Code, Problem};
use crate::store::{CachedFile, Holds};

/// What was not scanned or fetched for so long belongs to no object and no remote any more.
const OLD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a killed process left half written, or was set aside to be looked at, is of no use after so long.
const LEFT: SignedDuration = SignedDuration::from_hours(24);

/// One of the caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cache {
    /// How many requests each registry said it will still answer.
    Budgets,
    /// Bare clones, one for each remote.
    Git,
    /// The markers of the files of each remote.
    Markers,
    /// What stands behind tags, a file for each repository.
    Metadata,
    /// Tag lists, a file for each repository.
    Tags,
}

impl Cache {
    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Budgets => "budgets",
            Self::Git => "git",
            Self::Markers => "markers",
            Self::Metadata => "metadata",
            Self::Tags => "tags",
        }
    }
}

/// A part of a cache that is used as a whole. The shape of an item of `cache info -o json`.
#[derive(Debug, Clone, Serialize)]
pub struct CacheEntry {
    /// Of which cache.
    pub cache: Cache,
    /// The repository or the remote; `None`: nothing that is read, such as a file that was set aside.
    pub name: Option<String>,
    /// How many tags it holds, where it holds some.
    pub tags: Option<usize>,
    /// Its size.
    pub bytes: u64,
    /// When it was last scanned or fetched.
    pub used: Timestamp,
    /// The file or folder.
    pub path: PathBuf,
    #[serde(skip)]
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    File(CachedFile),
    Git(KeptCache),
}

/// As all times are printed.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

impl CacheEntry {
    /// Whether it is of no use any more: it was not used for thirty days, and no object names the repository, whose
    /// canonical names are `named`.
    pub fn is_old(&self, named: &BTreeSet<String>, now: Timestamp) -> bool {
        let limit = if self.name.is_some() { OLD } else { LEFT };
        let is_named =
            self.cache != Cache::Git && self.name.as_ref().is_some_and(|name| named.contains(name));
        !is_named && now.duration_since(self.used) >= limit
    }

    fn of_file(cache: Cache, file: CachedFile) -> Self {
        let used = whole_seconds(file.holds.as_ref().map_or(file.written, |holds| holds.time));
        let (name, tags) = file.holds.as_ref().map(|Holds { name, tags, .. }| (name.clone(), *tags)).unzip();
        let tags = tags.filter(|_| !matches!(cache, Cache::Budgets | Cache::Markers));
        Self { cache, name, tags, bytes: file.bytes, used, path: file.path.clone(), kept: Kept::File(file) }
    }

    fn of_git(kept: KeptCache) -> Self {
        let used = Timestamp::try_from(kept.used).unwrap_or_default();
        let used = whole_seconds(used);
        // One from before addresses were kept is known by its folder.
        let folder = || kept.dir.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = kept.remote.clone().or_else(folder).filter(|_| kept.is_whole);
        let (bytes, path) = (kept.bytes, kept.dir.clone());
        Self { cache: Cache::Git, name, tags: None, bytes, used, path, kept: Kept::Git(kept) }
    }
}

impl World {
    /// The canonical names of the repositories that objects name, suspended or not.
    pub fn named_repositories(&self) -> BTreeSet<String> {
        let names = self.inventory.repositories.values().filter_map(|it| super::scan::image_name(it).ok());
        names.map(|name| name.canonical()).collect()
    }
}

impl Engine {
    /// The folder that the caches lie in; `None`: everything is kept in memory.
    pub fn cache_dir(&self) -> Option<&Path> {
        if self.private.is_some() { None } else { self.git_root.parent() }
    }

    /// Everything in the caches, by cache and name.
    pub fn cache_entries(&self) -> Vec<CacheEntry> {
        let of = |cache| move |file| CacheEntry::of_file(cache, file);
        let mut all: Vec<CacheEntry> =
            KeptCache::all(&self.git_root).into_iter().map(CacheEntry::of_git).collect();
        all.extend(self.store.budgets().files().into_iter().map(of(Cache::Budgets)));
        all.extend(self.store.markers().files().into_iter().map(of(Cache::Markers)));
        all.extend(self.store.metadata().files().into_iter().map(of(Cache::Metadata)));
        all.extend(self.store.tags().files().into_iter().map(of(Cache::Tags)));
        all.sort_by(|a, b| (a.cache, &a.name, &a.path).cmp(&(b.cache, &b.name, &b.path)));
        all
    }

    /// Removes those of the entries that nobody is using. Returns what is gone, and a problem for each that is not.
    pub fn remove_cached(&self, entries: Vec<CacheEntry>) -> (Vec<CacheEntry>, Vec<Problem>) {
        let (mut gone, mut problems) = (Vec::new(), Vec::new());
        for entry in entries {
            let removed = match (&entry.kept, entry.cache) {
                (Kept::Git(kept), _) => kept.remove(),
                (Kept::File(file), Cache::Budgets) => self.store.budgets().remove(file),
                (Kept::File(file), Cache::Markers) => self.store.markers().remove(file),
                (Kept::File(file), Cache::Metadata) => self.store.metadata().remove(file),
                (Kept::File(file), _) => self.store.tags().remove(file),
            };
            let subject = || entry.path.display().to_string();
            match removed {
                Ok(true) => gone.push(entry),
                Ok(false) => problems.push(Problem::new(Code::Skipped, subject(), "is in use, and stays")),
                Err(error) => {
                    problems
                        .push(Problem::new(Code::Storage, subject(), "cannot be removed").caused_by(&error));
                }
            }
        }
        (gone, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_for_thirty_days_is_old_and_what_is_of_no_use_after_one() {
        let at = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        let entry = |name: Option<&str>| {
            let file = CachedFile {
                path: "tags/x.tags".into(),
                bytes: 1,
                written: at(100),
                holds: name.map(|name| Holds { name: name.into(), tags: 1, time: at(90) }),
            };
            CacheEntry::of_file(Cache::Tags, file)
        };
        let nobody = BTreeSet::new();
        let is_old = |name, day| entry(name).is_old(&nobody, at(day));
        assert!(!is_old(Some("r/a"), 119) && is_old(Some("r/a"), 120));
        assert!(!is_old(None, 100) && is_old(None, 101));
        let named = BTreeSet::from(["r/a".to_owned()]);
        assert!(!entry(Some("r/a")).is_old(&named, at(1000)), "a suspended object still names it");
    }
}
