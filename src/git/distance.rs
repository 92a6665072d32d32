//! How far one commit is behind another: the only question that needs more than the newest commits.
//!
//! Answered from commits alone where the server can leave out their files, in a scratch repository: the cache holds
//! only commits that are whole.

use std::collections::HashSet;
use std::path::Path;

use git2::{Oid, Repository};

use super::Remote;
use super::error::GitError;
use super::fetch::{self, Scope, Shallow};
use super::session::{Service, Session};

/// How far back is looked where commits come without their files.
const FAR: u32 = 2000;
/// How far back is looked where the files come along.
const NEAR: u32 = 50;

/// How many commits of `base` are missing from `push`, both in hex and both advertised by the remote; `None` if their
/// histories meet further back than is looked.
///
/// The commits go to a scratch folder in `near`, a folder that somebody else clears should this process be killed.
///
/// # Errors
/// Whatever keeps the remote from answering.
pub fn commits_behind(
    remote: &Remote,
    base: &str,
    push: &str,
    near: &Path,
) -> Result<Option<usize>, GitError> {
    if base == push {
        return Ok(Some(0));
    }
    let odd = |error: &git2::Error| GitError::Git {
        action: "compare histories",
        message: error.message().to_owned(),
    };
    let dir = tempfile::tempdir_in(near)
        .map_err(|error| GitError::Git { action: "make a scratch folder", message: error.to_string() })?;
    let scratch = Repository::init_bare(dir.path()).map_err(|error| odd(&error))?;
    let (base, push) = (Oid::from_str(base), Oid::from_str(push));
    let (base, push) = (base.map_err(|error| odd(&error))?, push.map_err(|error| odd(&error))?);
    let session = Session::open(remote)?;
    let talk = session.talk(Service::Upload)?;
    let without_files = talk.advertised.can("filter");
    let scope = Scope { depth: if without_files { FAR } else { NEAR }, without_files };
    fetch::download(&session, talk, &scratch, &[base, push], scope)?;
    // Opened again: the library keeps in mind where histories ended when it looked first.
    let scratch = Repository::open(dir.path()).map_err(|error| odd(&error))?;
    Ok(count_missing(&scratch, base, push))
}

/// The commits that `base` has and `push` has not; `None` if a history is cut off before they meet.
fn count_missing(repository: &Repository, base: Oid, push: Oid) -> Option<usize> {
    let cut = Shallow::read(repository);
    let known = reachable(repository, push, &HashSet::new()).0;
    let (missing, has_met) = reachable(repository, base, &known);
    let is_cut = |commits: &HashSet<Oid>| commits.iter().any(|commit| cut.has(*commit));
    let is_certain = !is_cut(&missing) && (has_met || !is_cut(&known));
    is_certain.then_some(missing.len())
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
