//! The objects that a push has to carry: what each new commit has that its parent has not.
//!
//! Only trees of commits that follow each other are compared: no history is walked, and the cache holds none.

use std::collections::{BTreeSet, HashSet};
use std::io;

use git2::{Commit, ErrorCode, ObjectType, Oid, PackBuilder, Repository, Tree};

use super::error::GitError;
use super::push::RefUpdate;

/// How many commits may stand on the remote's; a push of ours has one for each automation.
const MAX_COMMITS: usize = 10_000;

/// A pack that is ready to be written, once.
pub(super) struct Pack<'r> {
    builder: PackBuilder<'r>,
}

impl<'r> Pack<'r> {
    /// Collects what the updates need, given the commits that the remote is known to have.
    ///
    /// # Errors
    /// [`GitError::Commit`] if an update does not stand on the commit its branch is at: it would rewrite history.
    pub(super) fn collect(
        repository: &'r Repository,
        updates: &[RefUpdate],
        remote_has: &BTreeSet<String>,
    ) -> Result<Self, GitError> {
        let mut builder = repository.packbuilder().map_err(|error| failed(&error))?;
        // As many threads as the machine has; what is compared with what does not change the objects.
        builder.set_threads(0);
        let mut pack = Self { builder };
        let mut seen = HashSet::new();
        for update in updates {
            for oid in new_commits(repository, update, remote_has)? {
                let commit = repository.find_commit(oid).map_err(|error| failed(&error))?;
                pack.add(repository, &commit, &mut seen).map_err(|error| failed(&error))?;
            }
        }
        Ok(pack)
    }

    /// How many objects it holds.
    pub(super) fn objects(&self) -> usize {
        self.builder.object_count()
    }

    /// Writes the pack piece by piece.
    ///
    /// # Errors
    /// Those of `write`, which ends it.
    pub(super) fn write(mut self, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut result = Ok(());
        let done = self.builder.foreach(|piece| {
            result = write(piece);
            result.is_ok()
        });
        result?;
        done.map_err(|error| io::Error::other(error.message().to_owned()))
    }

    fn add(
        &mut self,
        repository: &Repository,
        commit: &Commit<'_>,
        seen: &mut HashSet<Oid>,
    ) -> Result<(), git2::Error> {
        if seen.insert(commit.id()) {
            self.builder.insert_object(commit.id(), None)?;
        }
        let parent = commit.parent(0).and_then(|parent| parent.tree()).ok();
        self.add_tree(repository, &commit.tree()?, parent.as_ref(), seen)
    }

    /// Adds what `tree` has and `base` has not.
    fn add_tree(
        &mut self,
        repository: &Repository,
        tree: &Tree<'_>,
        base: Option<&Tree<'_>>,
        seen: &mut HashSet<Oid>,
    ) -> Result<(), git2::Error> {
        if base.is_some_and(|base| base.id() == tree.id()) || !seen.insert(tree.id()) {
            return Ok(());
        }
        self.builder.insert_object(tree.id(), None)?;
        for entry in tree {
            let before = base.and_then(|base| base.get_name_bytes(entry.name_bytes()));
            if before.as_ref().is_some_and(|before| before.id() == entry.id()) {
                continue;
            }
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let below = repository.find_tree(entry.id())?;
                    let base = before.and_then(|before| repository.find_tree(before.id()).ok());
                    self.add_tree(repository, &below, base.as_ref(), seen)?;
                }
                Some(ObjectType::Blob) if seen.insert(entry.id()) => {
                    self.builder.insert_object(entry.id(), entry.name().ok())?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The commits from the update's new tip down to one that the remote has, the newest first.
fn new_commits(
    repository: &Repository,
    update: &RefUpdate,
    remote_has: &BTreeSet<String>,
) -> Result<Vec<Oid>, GitError> {
    let mut commits = Vec::new();
    let mut next = Oid::from_str(&update.new).map_err(|error| failed(&error))?;
    if update.old.as_ref().is_some_and(|old| is_forward(repository, old, next, remote_has)) {
        return Ok(commits);
    }
    while commits.len() < MAX_COMMITS {
        let hex = next.to_string();
        let is_base = update.old.as_ref().map_or_else(|| remote_has.contains(&hex), |old| *old == hex);
        if is_base {
            return Ok(commits);
        }
        let commit = repository.find_commit(next).map_err(|error| not_here(update, &hex, &error))?;
        commits.push(next);
        // A commit whose parents were not fetched looks as if it had none.
        let Ok(parent) = commit.parent_id(0) else { break };
        next = parent;
    }
    if update.old.is_none() {
        return Ok(commits);
    }
    let message = "the new commit does not stand on the branch's tip".to_owned();
    Err(GitError::Commit { path: update.short_name().to_owned(), message })
}

/// Whether the remote has the new tip already, and it stands on the old one, through whichever of its parents.
fn is_forward(repository: &Repository, old: &str, new: Oid, remote_has: &BTreeSet<String>) -> bool {
    let old = Oid::from_str(old).ok().filter(|_| remote_has.contains(&new.to_string()));
    old.is_some_and(|old| repository.graph_descendant_of(new, old).unwrap_or(false))
}

fn not_here(update: &RefUpdate, hex: &str, error: &git2::Error) -> GitError {
    if error.code() == ErrorCode::NotFound {
        return GitError::Commit {
            path: update.short_name().to_owned(),
            message: format!("{hex} is not in the cache"),
        };
    }
    failed(error)
}

fn failed(error: &git2::Error) -> GitError {
    GitError::Git { action: "collect the objects to push", message: error.message().to_owned() }
}
