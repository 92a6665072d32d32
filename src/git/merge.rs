//! Bringing one branch into another: how their histories meet, and the commit that joins them.
//!
//! The cache has the newest commits alone, so histories are fetched further back until they meet. The merge itself is
//! made of objects; no branch moves, and one with conflicts leaves nothing behind but objects that nobody refers to.

use std::collections::{BTreeSet, HashSet};

use git2::{Index, IndexConflict, Oid, Repository};

use super::Remote;
use super::cache::BareCache;
use super::commit::Head;
use super::distance::reachable;
use super::error::GitError;
use super::fetch::{self, Scope, Shallow};
use super::session::{Service, Session};
use super::sign::Signer;
use crate::domain::object::Person;

/// How many commits of both histories are fetched, one after the other, until they meet; the last is all there are.
///
/// Source: git/git:shallow.h (`INFINITE_DEPTH`).
pub(super) const DEPTHS: [u32; 4] = [32, 512, 8192, 0x7fff_ffff];
/// How many commits others may have put on top of ours since.
const LOOKED_BACK: u32 = 32;

/// How the history of a branch meets that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// The other has all of it.
    Contained,
    /// It has all of the other.
    Ahead,
    /// Both have commits that the other lacks.
    Parted,
    /// They have no commit in common.
    Unrelated,
}

/// A merge commit that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeSpec {
    /// Name and commit of the branch that is merged.
    pub from: (String, String),
    /// Name and commit of the branch that it is merged into: the first parent.
    pub into: (String, String),
    /// Whose change it is.
    pub author: Person,
    /// Who made the commit.
    pub committer: Person,
    /// When: seconds since 1970 and the offset from UTC in minutes.
    pub time: (i64, i32),
    /// The message, byte for byte.
    pub message: String,
}

impl BareCache {
    /// How the history of `from` meets that of `into`, both tips of branches that were fetched; fetches what it takes to tell.
    ///
    /// # Errors
    /// Whatever keeps the remote from sending more of the histories.
    pub fn meet(&self, remote: &Remote, from: &str, into: &str) -> Result<Meeting, GitError> {
        let _lock = self.lock(true)?;
        let tip = |hex: &str| Oid::from_str(hex).map_err(|error| self.failed("read", &error.message()));
        let (from, into) = (tip(from)?, tip(into)?);
        for depth in DEPTHS {
            // Opened again each time: the library keeps in mind where histories ended when it looked first.
            if let Some(meeting) = meeting(&self.existing()?, from, into) {
                return Ok(meeting);
            }
            self.deepen(remote, &[from, into], depth)?;
        }
        meeting(&self.existing()?, from, into).ok_or_else(|| GitError::Missing {
            url: self.shown().to_owned(),
            what: "the history of the branches".to_owned(),
        })
    }

    /// Whether `commit` is among the last commits of the history of `tip`, which the remote has; fetches them if it has to. A push
    /// that nobody saw the end of is looked for where colleagues went on from it, not in years of history.
    ///
    /// # Errors
    /// Whatever keeps the remote from sending more of the history.
    pub fn holds(&self, remote: &Remote, tip: &str, commit: &str) -> Result<bool, GitError> {
        let _lock = self.lock(true)?;
        let end = Oid::from_str(tip).map_err(|error| self.failed("read", &error.message()))?;
        if self.is_landed(commit, tip) {
            return Ok(true);
        }
        self.deepen(remote, &[end], LOOKED_BACK)?;
        Ok(self.is_landed(commit, tip))
    }

    /// Fetches the last commits of the history of `tip`, which the remote has, this many and files and all.
    ///
    /// # Errors
    /// Whatever keeps the remote from sending more of the history.
    pub fn fetch_below(&self, remote: &Remote, tip: &str, depth: usize) -> Result<(), GitError> {
        let _lock = self.lock(true)?;
        let end = Oid::from_str(tip).map_err(|error| self.failed("read", &error.message()))?;
        self.deepen(remote, &[end], u32::try_from(depth).unwrap_or(u32::MAX))
    }

    /// Fetches this many commits of each history, files and all; the lock is the caller's.
    pub(super) fn deepen(&self, remote: &Remote, tips: &[Oid], depth: u32) -> Result<(), GitError> {
        let session = Session::open(remote)?;
        let talk = session.talk(Service::Upload)?;
        let scope = Scope { depth, without_files: false };
        fetch::download(&session, talk, &self.existing()?, tips, scope)
    }

    /// Writes the commit that joins two branches whose histories are here, and returns its id in hex. No branch moves.
    ///
    /// # Errors
    /// [`GitError::Conflicts`] if both changed the same; [`GitError::Missing`] if a commit was not fetched;
    /// [`GitError::Sign`].
    pub fn merge(&self, spec: &MergeSpec, signer: Option<&Signer>) -> Result<String, GitError> {
        let repository = self.existing()?;
        let tree = self.joined(&repository, spec)?;
        let head = Head {
            parents: &[&spec.into.1, &spec.from.1],
            author: &spec.author,
            committer: &spec.committer,
            time: spec.time,
        };
        self.write_commit(&repository, tree, (&head, &spec.message), signer)
    }

    /// The tree that both branches make.
    fn joined(&self, repository: &Repository, spec: &MergeSpec) -> Result<Oid, GitError> {
        let _lock = self.lock(true)?;
        let odd = |error: git2::Error| self.failed("merge in", &error.message());
        let commit = |hex: &str| {
            let found = Oid::from_str(hex).and_then(|oid| repository.find_commit(oid));
            found.map_err(|_error| GitError::Missing {
                url: self.shown().to_owned(),
                what: format!("commit {hex}"),
            })
        };
        let (from, into) = (commit(&spec.from.1)?, commit(&spec.into.1)?);
        let mut index = repository.merge_commits(&into, &from, None).map_err(odd)?;
        let files = conflicts(&index).map_err(odd)?;
        if !files.is_empty() {
            let (from, into) = (spec.from.0.clone(), spec.into.0.clone());
            return Err(GitError::Conflicts { from, into, files });
        }
        index.write_tree_to(repository).map_err(odd)
    }
}

/// How `from` meets `into` as far as their histories are here; `None` if that does not tell.
fn meeting(repository: &Repository, from: Oid, into: Oid) -> Option<Meeting> {
    let (of_into, _) = reachable(repository, into, &HashSet::new());
    if of_into.contains(&from) {
        return Some(Meeting::Contained);
    }
    let (of_from, _) = reachable(repository, from, &HashSet::new());
    if of_from.contains(&into) {
        return Some(Meeting::Ahead);
    }
    // Where a history that only one of them has is cut off, a nearer common commit may lie behind the cut.
    let cut = Shallow::read(repository);
    if of_from.symmetric_difference(&of_into).any(|commit| cut.has(*commit)) {
        return None;
    }
    let is_related = !of_from.is_disjoint(&of_into);
    Some(if is_related { Meeting::Parted } else { Meeting::Unrelated })
}

/// The files that both sides changed differently.
fn conflicts(index: &Index) -> Result<Vec<String>, git2::Error> {
    let mut files = BTreeSet::new();
    for conflict in index.conflicts()? {
        let IndexConflict { ancestor, our, their } = conflict?;
        for entry in [ancestor, our, their].into_iter().flatten() {
            files.insert(String::from_utf8_lossy(&entry.path).into_owned());
        }
    }
    Ok(files.into_iter().collect())
}
