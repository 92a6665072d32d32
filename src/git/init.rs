//! A new bare repository with one commit: the throw-away remote of the demo.

use std::path::Path;

use git2::{IndexEntry, IndexTime, Oid, Repository, RepositoryInitOptions, Signature, Time};

use super::error::GitError;
use crate::domain::object::Person;

/// Makes a bare repository at `path` whose branch `branch` holds one commit with these files (path and content).
///
/// # Errors
/// What the file system or the library says.
pub fn init_bare(
    path: &Path,
    branch: &str,
    (author, seconds): (&Person, i64),
    files: &[(String, Vec<u8>)],
) -> Result<String, GitError> {
    let failed = |error: &git2::Error| GitError::Git {
        action: "make the repository",
        message: error.message().to_owned(),
    };
    make(path, branch, author, seconds, files)
        .map(|commit| commit.to_string())
        .map_err(|error| failed(&error))
}

fn make(
    path: &Path,
    branch: &str,
    author: &Person,
    seconds: i64,
    files: &[(String, Vec<u8>)],
) -> Result<Oid, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).initial_head(branch).external_template(false);
    let repository = Repository::init_opts(path, &options)?;
    let mut index = git2::Index::new()?;
    for (name, content) in files {
        let id = repository.blob(content)?;
        index.add(&entry(name, id))?;
    }
    let tree = repository.find_tree(index.write_tree_to(&repository)?)?;
    let who = Signature::new(&author.name, &author.email, &Time::new(seconds, 0))?;
    repository.commit(Some(&format!("refs/heads/{branch}")), &who, &who, "Describe the fleet\n", &tree, &[])
}

fn entry(path: &str, id: Oid) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
