//! The caches that lie on the disk, whatever their remotes are: how large they are, and how to be rid of them.

use std::fs::{self, DirEntry, File, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::cache::{ADVERTISED, REMOTE, UNFINISHED};

/// A cache on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCache {
    /// Its folder.
    pub dir: PathBuf,
    /// The remote's address as it may be shown; `None`: it was never fetched to its end.
    pub remote: Option<String>,
    /// The sizes of its files.
    pub bytes: u64,
    /// When it was last fetched; the folder's own time if it never was.
    pub used: SystemTime,
    /// Whether it is a cache; else it is what a killed process left of one.
    pub is_whole: bool,
}

impl KeptCache {
    /// All caches below `root`, in the order of their folders' names.
    pub fn all(root: &Path) -> Vec<Self> {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        let mut all: Vec<Self> = entries.filter_map(|entry| Self::of(&entry)).collect();
        all.sort_by(|a, b| a.dir.cmp(&b.dir));
        all
    }

    fn of(entry: &DirEntry) -> Option<Self> {
        let (dir, name) = (entry.path(), entry.file_name().into_string().ok()?);
        let is_whole = dir.extension().is_some_and(|ending| ending == "git") && !name.starts_with('.');
        // A link is nobody's cache.
        if !entry.file_type().ok()?.is_dir() || !(is_whole || name.starts_with(UNFINISHED)) {
            return None;
        }
        let fetched = fs::metadata(dir.join(ADVERTISED)).and_then(|meta| meta.modified());
        let used = fetched.or_else(|_| entry.metadata()?.modified()).ok()?;
        let remote = fs::read_to_string(dir.join(REMOTE)).ok().filter(|remote| !remote.is_empty());
        Some(Self { bytes: size(&dir), dir, remote, used, is_whole })
    }

    /// Removes it; `false` if another process is using it just now.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self) -> io::Result<bool> {
        let lock =
            File::options().write(true).create(true).truncate(false).open(self.dir.with_extension("lock"));
        let lock = lock?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => {}
        }
        // Moved away at once: whoever comes next finds a whole cache or none.
        let root = self.dir.parent().unwrap_or(Path::new("."));
        let aside = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(root)?;
        fs::rename(&self.dir, aside.path())?;
        aside.close()?;
        Ok(true)
    }
}

fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let of = |entry: DirEntry, meta: Metadata| if meta.is_dir() { size(&entry.path()) } else { meta.len() };
    entries.filter_map(|entry| entry.metadata().ok().map(|meta| of(entry, meta))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::Person;
    use crate::git::{BareCache, Remote, init_bare};

    #[test]
    fn a_cache_is_listed_with_its_remote_and_removed_unless_it_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let (root, fleet) = (dir.path().join("cache"), dir.path().join("fleet.git"));
        let author = Person { name: "ci".into(), email: "ci@example.com".into() };
        init_bare(&fleet, "main", (&author, 0), &[("a.yaml".into(), b"a: 1\n".to_vec())]).unwrap();
        let url = fleet.to_str().unwrap();
        let cache = BareCache::open(&root, url).unwrap();
        assert!(KeptCache::all(&root).is_empty());
        cache.fetch(&Remote::new(url), |_| Vec::new()).unwrap();
        fs::create_dir(root.join(".new-left")).unwrap();
        let [left, kept] = KeptCache::all(&root).try_into().unwrap();
        assert!(!left.is_whole && kept.is_whole && kept.bytes > 0);
        assert_eq!(kept.remote.as_deref(), Some(url));
        let lock = cache.lock(false).unwrap();
        assert!(!kept.remove().unwrap());
        drop(lock);
        assert!(kept.remove().unwrap() && left.remove().unwrap());
        assert!(KeptCache::all(&root).is_empty());
        cache.fetch(&Remote::new(url), |_| Vec::new()).unwrap();
        assert_eq!(KeptCache::all(&root).len(), 1, "it is made anew");
    }
}
