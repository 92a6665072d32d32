//! The files of a commit, read from the cache.

use std::num::NonZero;
use std::path::Path;
use std::thread;

use git2::{ObjectType, Oid, Repository, Tree};

use super::cache::BareCache;
use super::error::GitError;
use crate::domain::parallel::in_shares;
use crate::domain::setrun::Entry;

/// Below this many files a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 128;
/// Threads that read or write blobs; more only wait for the disk.
const MAX_THREADS: usize = 8;

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// From the repository's root.
    pub path: String,
    /// Git's file mode: `0o100644`, or `0o100755` if executable.
    pub mode: i32,
    /// The content.
    pub bytes: Vec<u8>,
}

impl TreeFile {
    fn new(path: &str, mode: i32, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), mode, bytes: bytes.to_vec() }
    }
}

/// A regular file of a commit that is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// From the repository's root.
    pub path: String,
    /// As [`TreeFile::mode`].
    pub mode: i32,
    /// The content.
    oid: Oid,
}

impl TreeEntry {
    /// The id of the content in hex: what has the same one has the same bytes.
    pub fn blob(&self) -> String {
        self.oid.to_string()
    }
}

impl BareCache {
    /// The regular files of `commit` that `want` names and whose content `keep` keeps, in the order of Git's trees.
    ///
    /// `want` sees paths, `keep` path and content; what it refuses is never copied. Links and submodules are left out,
    /// and so are paths that are no UTF-8.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the commit was not fetched.
    pub fn read_tree(
        &self,
        commit: &str,
        want: impl Fn(&str) -> bool,
        keep: impl Fn(&str, &[u8]) -> bool + Sync,
    ) -> Result<Vec<TreeFile>, GitError> {
        let make =
            |path: &str, mode, bytes: &[u8]| keep(path, bytes).then(|| TreeFile::new(path, mode, bytes));
        self.read_tree_as(commit, want, make)
    }

    /// As [`Self::read_tree`], but with what `make` makes of path, mode and content; it is called on several threads.
    ///
    /// # Errors
    /// As there.
    pub fn read_tree_as<T: Send>(
        &self,
        commit: &str,
        want: impl Fn(&str) -> bool,
        make: impl Fn(&str, i32, &[u8]) -> Option<T> + Sync,
    ) -> Result<Vec<T>, GitError> {
        self.read_entries_as(commit, &self.list_tree(commit, want)?, make)
    }

    /// The regular files of `commit` that `want` names, in the order of Git's trees. Links and submodules are left out, and so are
    /// paths that are no UTF-8.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the commit was not fetched.
    pub fn list_tree(&self, commit: &str, want: impl Fn(&str) -> bool) -> Result<Vec<TreeEntry>, GitError> {
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let tree = self.tree(&repository, commit)?;
        let mut entries = Vec::new();
        collect(&repository, &tree, "", &want, &mut entries)
            .map_err(|error| self.unreadable(commit, &error))?;
        Ok(entries)
    }

    /// What `make` makes of path, mode and content of each of `entries`, which are of `commit`; it is called on several threads.
    ///
    /// # Errors
    /// As [`Self::list_tree`].
    pub fn read_entries_as<T: Send>(
        &self,
        commit: &str,
        entries: &[TreeEntry],
        make: impl Fn(&str, i32, &[u8]) -> Option<T> + Sync,
    ) -> Result<Vec<T>, GitError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let _lock = self.lock(false)?;
        self.read_all(entries, &make).map_err(|error| self.unreadable(commit, &error))
    }

    /// One file of `commit`; `None` if it has no such regular file.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the commit was not fetched.
    pub fn read_file(&self, commit: &str, path: &str) -> Result<Option<TreeFile>, GitError> {
        Ok(self.read_files(commit, &[path])?.into_iter().next())
    }

    /// Those of `paths` at which `commit` has a regular file, in their order.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the commit was not fetched.
    pub fn read_files(&self, commit: &str, paths: &[&str]) -> Result<Vec<TreeFile>, GitError> {
        self.read_files_as(commit, paths, |path, mode, bytes| Some(TreeFile::new(path, mode, bytes)))
    }

    /// As [`Self::read_files`], but with what `make` makes of path, mode and content; it is called on several threads.
    ///
    /// # Errors
    /// As there.
    pub fn read_files_as<T: Send>(
        &self,
        commit: &str,
        paths: &[&str],
        make: impl Fn(&str, i32, &[u8]) -> Option<T> + Sync,
    ) -> Result<Vec<T>, GitError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let tree = self.tree(&repository, commit)?;
        let entry = |path: &&str| {
            let entry = tree.get_path(Path::new(path)).ok()?;
            let (path, mode, oid) = ((*path).to_owned(), entry.filemode(), entry.id());
            is_regular(mode).then_some(TreeEntry { path, mode, oid })
        };
        let entries: Vec<TreeEntry> = paths.iter().filter_map(entry).collect();
        self.read_all(&entries, &make).map_err(|error| self.unreadable(commit, &error))
    }

    /// What `work` makes of the tree of `commit`; the function it is given tells what stands at a path.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the commit was not fetched.
    pub fn look<R>(
        &self,
        commit: &str,
        work: impl FnOnce(&dyn Fn(&str) -> Option<Entry>) -> R,
    ) -> Result<R, GitError> {
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let tree = self.tree(&repository, commit)?;
        Ok(work(&|path| {
            let entry = tree.get_path(Path::new(path)).ok()?;
            match (entry.kind(), entry.filemode()) {
                (Some(ObjectType::Blob), 0o120_000) => {
                    let target = repository.find_blob(entry.id()).ok()?;
                    Some(Entry::Link(String::from_utf8_lossy(target.content()).into_owned()))
                }
                (Some(ObjectType::Blob), _) => Some(Entry::File),
                // In the place of a submodule there is an empty folder.
                _ => Some(Entry::Folder),
            }
        }))
    }

    /// The tree of a commit, or of the commit behind a tag.
    pub(super) fn tree<'r>(&self, repository: &'r Repository, commit: &str) -> Result<Tree<'r>, GitError> {
        let oid = Oid::from_str(commit);
        let object = oid.and_then(|oid| repository.find_object(oid, None));
        object.and_then(|object| object.peel_to_tree()).map_err(|error| self.unreadable(commit, &error))
    }

    fn unreadable(&self, commit: &str, error: &git2::Error) -> GitError {
        let what = format!("commit {commit} ({})", error.message());
        GitError::Missing { url: self.shown().to_owned(), what }
    }

    /// Reads the entries.
    fn read_all<T: Send>(
        &self,
        entries: &[TreeEntry],
        make: &(impl Fn(&str, i32, &[u8]) -> Option<T> + Sync),
    ) -> Result<Vec<T>, git2::Error> {
        in_parts(self.dir(), entries, |repository, entries| {
            let odb = repository.odb()?;
            let mut found = Vec::new();
            for entry in entries {
                found.extend(make(&entry.path, entry.mode, odb.read(entry.oid)?.data()));
            }
            Ok(found)
        })
    }
}

/// What `work` makes of `items`, in their order, on several threads if they are many; each has the repository at `dir` opened for
/// itself, because the library's handles belong to one thread.
pub(super) fn in_parts<T: Sync, R: Send>(
    dir: &Path,
    items: &[T],
    work: impl Fn(&Repository, &[T]) -> Result<Vec<R>, git2::Error> + Sync,
) -> Result<Vec<R>, git2::Error> {
    let available = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let threads = available.min(items.len() / WORTH_A_THREAD).max(1);
    let share = items.len().div_ceil(threads).max(1);
    let parts = in_shares(items.chunks(share), threads, |part| work(&Repository::open(dir)?, part));
    Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Whether a mode is that of a file that is no link.
fn is_regular(mode: i32) -> bool {
    matches!(mode, 0o100_644 | 0o100_755 | 0o100_664)
}

/// Adds the wanted files below `tree`, whose path is `prefix` (empty, or ending in `/`).
fn collect(
    repository: &Repository,
    tree: &Tree<'_>,
    prefix: &str,
    want: &impl Fn(&str) -> bool,
    found: &mut Vec<TreeEntry>,
) -> Result<(), git2::Error> {
    for entry in tree {
        let Ok(name) = entry.name() else { continue };
        let path = format!("{prefix}{name}");
        match (entry.kind(), entry.filemode()) {
            (Some(ObjectType::Tree), _) => {
                let below = repository.find_tree(entry.id())?;
                collect(repository, &below, &format!("{path}/"), want, found)?;
            }
            (Some(ObjectType::Blob), mode) if is_regular(mode) && want(&path) => {
                found.push(TreeEntry { path, mode, oid: entry.id() });
            }
            _ => {}
        }
    }
    Ok(())
}
