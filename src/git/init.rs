//! A new bare repository with one commit: the throw-away remote of the demo.

use std::io::Write;
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
    // Collected in memory and written as one pack: a file and a folder for each object would take longer to make, and
    // at the end to remove, than all the rest of the demo.
    let odb = repository.odb()?;
    let objects = odb.add_new_mempack_backend(1000)?;
    let mut index = git2::Index::new()?;
    for (name, content) in files {
        let id = repository.blob(content)?;
        index.add(&entry(name, id))?;
    }
    let tree = repository.find_tree(index.write_tree_to(&repository)?)?;
    let who = Signature::new(&author.name, &author.email, &Time::new(seconds, 0))?;
    let commit = repository.commit(None, &who, &who, "Describe the fleet\n", &tree, &[])?;
    let mut pack = git2::Buf::new();
    objects.dump(&repository, &mut pack)?;
    let mut writer = odb.packwriter()?;
    writer.write_all(&pack).map_err(|error| git2::Error::from_str(&error.to_string()))?;
    writer.commit()?;
    repository.reference(&format!("refs/heads/{branch}"), commit, false, "the demo's first commit")?;
    Ok(commit)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The files below `folder`, counted.
    fn count(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }

    #[test]
    fn the_commit_holds_the_files_and_takes_few_files_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<(String, Vec<u8>)> =
            (0..50).map(|number| (format!("apps/{number}/deploy.yaml"), vec![b'a'; number])).collect();
        let author = Person { name: "Demo".to_owned(), email: "demo@example.com".to_owned() };
        let commit = init_bare(folder.path(), "main", (&author, 1_763_805_600), &files).unwrap();
        let repository = Repository::open_bare(folder.path()).unwrap();
        let tip =
            repository.find_branch("main", git2::BranchType::Local).unwrap().get().peel_to_commit().unwrap();
        assert_eq!(tip.id().to_string(), commit);
        for (path, content) in &files {
            let entry = tip.tree().unwrap().get_path(Path::new(path)).unwrap();
            assert_eq!(repository.find_blob(entry.id()).unwrap().content(), content);
        }
        assert!(count(folder.path()) < 12, "{}", count(folder.path()));
    }
}
