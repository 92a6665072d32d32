//! How two commits stand to each other: a question that needs more than the newest commits.
//!
//! Answered from commits alone where the server can leave out their files, in a scratch repository: the cache holds
//! only commits that are whole.

use std::collections::HashSet;
use std::fmt;

use git2::{Commit, Oid, Repository};

use super::Remote;
use super::cache::BareCache;
use super::error::GitError;
use super::fetch::{self, Scope, Shallow};
use super::session::{Service, Session};
use crate::domain::object::Person;

/// How far back is looked where commits come without their files.
const FAR: u32 = 2000;
/// How far back is looked where the files come along.
const NEAR: u32 = 50;

/// How two commits stand to each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distance {
    /// How many commits of the base the branch lacks; `None`: their histories meet further back than is looked.
    pub behind: Option<usize>,
    /// Authors and subjects of the commits that the branch alone has, the newest first; `None` as above.
    pub ahead: Option<Vec<(Person, String)>>,
}

impl BareCache {
    /// How the branch at `push` stands to `base`, both in hex and both advertised by the remote.
    ///
    /// The commits go to a scratch folder beside the cache, and not into it: whoever holds the cache's lock has all below its folder
    /// alone. What a killed process leaves is an unfinished cache, listed and removed with the others.
    ///
    /// # Errors
    /// Whatever keeps the remote from answering.
    pub fn distance(&self, remote: &Remote, base: &str, push: &str) -> Result<Distance, GitError> {
        if base == push {
            return Ok(Distance { behind: Some(0), ahead: Some(Vec::new()) });
        }
        let odd = |error: &dyn fmt::Display| GitError::Git {
            action: "compare histories",
            message: error.to_string(),
        };
        let dir = self
            .aside()
            .map_err(|error| GitError::Git { action: "make a scratch folder", message: error.to_string() })?;
        let scratch = Repository::init_bare(dir.path()).map_err(|error| odd(&error.message()))?;
        let tip = |hex: &str| Oid::from_str(hex).map_err(|error| odd(&error.message()));
        let (base, push) = (tip(base)?, tip(push)?);
        let session = Session::open(remote)?;
        let talk = session.talk(Service::Upload)?;
        let without_files = talk.advertised.can("filter");
        let scope = Scope { depth: if without_files { FAR } else { NEAR }, without_files };
        fetch::download(&session, talk, &scratch, &[base, push], scope)?;
        // Opened again: the library keeps in mind where histories ended when it looked first.
        let scratch = Repository::open(dir.path()).map_err(|error| odd(&error.message()))?;
        Ok(between(&scratch, base, push))
    }
}

/// How the branch at `push` stands to `base`, as far as the histories are in `repository`.
pub(super) fn between(repository: &Repository, base: Oid, push: Oid) -> Distance {
    let missing = only(repository, base, push).map(|commits| commits.len());
    let ahead = only(repository, push, base).map(|mut commits| {
        commits.sort_by_key(|commit| std::cmp::Reverse(commit.time().seconds()));
        commits.iter().map(described).collect()
    });
    Distance { behind: missing, ahead }
}

fn described(commit: &Commit<'_>) -> (Person, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let author = commit.author();
    let person = Person { name: text(author.name_bytes()), email: text(author.email_bytes()) };
    let message = text(commit.message_raw_bytes());
    (person, message.lines().next().unwrap_or_default().to_owned())
}

/// The commits that `of` has and `other` has not; `None` if a history is cut off before they meet.
fn only(repository: &Repository, of: Oid, other: Oid) -> Option<Vec<Commit<'_>>> {
    let cut = Shallow::read(repository);
    let known = reachable(repository, other, &HashSet::new()).0;
    let (only, has_met) = reachable(repository, of, &known);
    let is_cut = |commits: &HashSet<Oid>| commits.iter().any(|commit| cut.has(*commit));
    let is_certain = !is_cut(&only) && (has_met || !is_cut(&known));
    is_certain.then(|| only.into_iter().filter_map(|oid| repository.find_commit(oid).ok()).collect())
}

/// The commits below and including `from`, without `except` and what is below it; and whether that was met.
pub(super) fn reachable(repository: &Repository, from: Oid, except: &HashSet<Oid>) -> (HashSet<Oid>, bool) {
    let (mut found, mut open, mut has_met) = (HashSet::new(), vec![from], false);
    while let Some(oid) = open.pop() {
        if except.contains(&oid) {
            has_met = true;
        } else if found.insert(oid)
            && let Ok(commit) = repository.find_commit(oid)
        {
            open.extend(commit.parent_ids());
        }
    }
    (found, has_met)
}
