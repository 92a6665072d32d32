//! A folder on a machine without git: its objects are copied and its branches moved with the library.
//!
//! Nothing runs hooks here, so a repository that has any is not written to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorCode, Oid, PackBuilder, Reference, Repository};

use super::error::GitError;
use super::fetch;
use super::pack::Pack;
use super::push::RefUpdate;
use super::refs::Refs;
use super::session::{Line, Session, Talk};
use super::url::GitUrl;
use super::wire::Advertised;

/// Hooks that may refuse a push.
const HOOKS: [&str; 4] = ["pre-receive", "update", "reference-transaction", "proc-receive"];

/// An opened repository that plays the server.
pub(super) struct Folder {
    repository: Repository,
}

/// The folder's real path.
///
/// # Errors
/// [`GitError::NotFound`] if it is not there.
pub(super) fn real_path(url: &GitUrl, shown: &str) -> Result<PathBuf, GitError> {
    let missing = || GitError::NotFound { url: shown.to_owned(), credential: String::new() };
    let path = url.local_path().ok_or_else(missing)?;
    path.canonicalize().map_err(|_error| missing())
}

/// Reads what the folder has.
pub(super) fn talk(session: &Arc<Session>, path: &Path) -> Result<Talk, GitError> {
    let failed = |error: git2::Error| match error.code() {
        ErrorCode::NotFound => GitError::NotFound { url: session.shown.clone(), credential: String::new() },
        _ => session.bad_answer(&error.message()),
    };
    let repository = Repository::open(path).map_err(failed)?;
    let refs = refs(&repository).map_err(failed)?;
    Ok(Talk { advertised: Advertised::of(refs), line: Line::Folder(Folder { repository }) })
}

fn refs(repository: &Repository) -> Result<Refs, git2::Error> {
    let mut refs = Refs::default();
    for reference in repository.references()?.flatten() {
        let (Ok(name), Some(oid)) = (reference.name(), reference.target()) else { continue };
        refs.all.insert(name.to_owned(), oid.to_string());
        if let Some(peeled) = peeled(&reference).filter(|peeled| *peeled != oid) {
            refs.all.insert(format!("{name}^{{}}"), peeled.to_string());
        }
    }
    let head = repository.find_reference("HEAD")?;
    refs.head = head.symbolic_target().ok().flatten().map(str::to_owned);
    Ok(refs)
}

fn peeled(reference: &Reference<'_>) -> Option<Oid> {
    reference.peel_to_commit().ok().map(|commit| commit.id())
}

/// Copies the wanted commits with all they hold.
pub(super) fn copy(
    session: &Arc<Session>,
    folder: &Folder,
    to: &Repository,
    wants: &[Oid],
) -> Result<(), GitError> {
    let bad = |error: git2::Error| session.bad_answer(&error.message());
    let mut builder = wanted(&folder.repository, wants).map_err(bad)?;
    fetch::store_pieces(session, to, |write| {
        let mut result = Ok(());
        let done = builder.foreach(|piece| {
            result = write(piece);
            result.is_ok() && session.goes_on()
        });
        result?;
        done.map_err(bad)
    })
}

/// A pack of commits with all they hold and stand on.
fn wanted<'r>(repository: &'r Repository, wants: &[Oid]) -> Result<PackBuilder<'r>, git2::Error> {
    let mut builder = repository.packbuilder()?;
    let mut walk = repository.revwalk()?;
    for want in wants {
        walk.push(repository.find_object(*want, None)?.peel_to_commit()?.id())?;
        builder.insert_object(*want, None)?;
    }
    builder.insert_walk(&mut walk)?;
    Ok(builder)
}

/// Stores the pack and moves the branches, each only from where it has to be.
pub(super) fn push(
    session: &Arc<Session>,
    folder: &Folder,
    updates: &[RefUpdate],
    pack: Pack<'_>,
) -> Result<Vec<(String, String)>, GitError> {
    let hooks = folder.repository.path().join("hooks");
    if let Some(hook) = HOOKS.iter().find(|hook| hooks.join(hook).is_file()) {
        let message = format!("the folder has a {hook} hook, and there is no git on this machine to run it");
        return Err(GitError::Unreachable { url: session.shown.clone(), message });
    }
    let pack = pack.whole();
    fetch::store_pieces(session, &folder.repository, |write| {
        let written = pack.write(&mut |piece| write(piece).map_err(|error| session.leave(error)));
        written.map_err(|error| session.explain(&error))
    })?;
    let moved = |update: &RefUpdate| move_branch(&folder.repository, update).err();
    Ok(updates
        .iter()
        .filter_map(|update| Some((update.reference.clone(), moved(update)?.message().to_owned())))
        .collect())
}

fn move_branch(repository: &Repository, update: &RefUpdate) -> Result<(), git2::Error> {
    let name = &update.reference;
    let new = Oid::from_str(&update.new)?;
    match &update.old {
        None => repository.reference(name, new, false, "push").map(drop),
        Some(old) => {
            let old = Oid::from_str(old)?;
            repository.reference_matching(name, new, true, old, "push").map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::commit::CommitSpec;
    use crate::domain::object::Person;
    use crate::git::{BareCache, Remote};

    /// A bare repository with one commit on `main`, made with the library alone.
    fn fleet(path: &Path) -> (Repository, String) {
        let repository = Repository::init_bare(path).unwrap();
        let author = git2::Signature::new("a", "a@b", &git2::Time::new(1, 0)).unwrap();
        let commit = {
            let mut builder = repository.treebuilder(None).unwrap();
            builder.insert("web.yaml", repository.blob(b"image: web:1\n").unwrap(), 0o100_644).unwrap();
            let tree = repository.find_tree(builder.write().unwrap()).unwrap();
            repository.commit(Some("refs/heads/main"), &author, &author, "one", &tree, &[]).unwrap()
        };
        (repository, commit.to_string())
    }

    #[test]
    fn without_git_a_commit_lands_from_where_the_branch_was_only() {
        let dir = tempfile::tempdir().unwrap();
        let (remote_repository, base) = fleet(&dir.path().join("fleet.git"));
        let remote = Remote::new(dir.path().join("fleet.git").to_str().unwrap());
        let session = Session::open(&remote).unwrap();
        let cache = Repository::init_bare(dir.path().join("cache.git")).unwrap();
        let line = || talk(&session, remote_repository.path()).unwrap();
        assert_eq!(line().advertised.refs.branch("main"), Some(base.as_str()));
        let Line::Folder(folder) = line().line else { unreachable!() };
        copy(&session, &folder, &cache, &[Oid::from_str(&base).unwrap()]).unwrap();

        let author = Person { name: "bot".to_owned(), email: "bot@x".to_owned() };
        let files = vec![("web.yaml".to_owned(), b"image: web:2\n".to_vec().into())];
        let (committer, message) = (author.clone(), "two".to_owned());
        let spec = CommitSpec { parent: Some(base.clone()), author, committer, time: (2, 0), message, files };
        let new = BareCache::at(cache.path()).commit(&spec).unwrap();
        let update = |old: &str| [RefUpdate::of_branch("main", Some(old.to_owned()), new.clone())];
        let update_from_base = update(&base);
        let pushed = |update: &[RefUpdate]| {
            // The objects are the same whatever the branch is said to be at.
            let pack = Pack::collect(&cache, &update_from_base, &[base.clone()].into()).unwrap();
            push(&session, &folder, update, pack).unwrap()
        };
        assert_eq!(pushed(&update(&"1".repeat(40))).len(), 1, "the branch is not at that commit");
        assert_eq!(pushed(&update_from_base), []);
        assert_eq!(remote_repository.refname_to_id("refs/heads/main").unwrap().to_string(), new);
    }
}
