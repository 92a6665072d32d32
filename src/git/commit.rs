//! A commit made of Git objects: the parent's tree with some files replaced. No index and no work tree.

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid, Repository, Tree};

use crate::domain::commit::{CommitSpec, Content};
use crate::domain::object::Person;

use super::cache::BareCache;
use super::error::GitError;
use super::sign::Signer;

impl BareCache {
    /// Writes the commit into the cache and returns its id in hex. No branch moves.
    ///
    /// A file that exists keeps its mode; a new one is a plain file. The same specification gives the same id.
    ///
    /// # Errors
    /// [`GitError::NoChange`] if every file is already so, [`GitError::Commit`] for a path that is none or that is no
    /// regular file, [`GitError::Missing`] if the parent was not fetched.
    pub fn commit(&self, spec: &CommitSpec) -> Result<String, GitError> {
        self.commit_signed(spec, None)
    }

    /// As [`Self::commit`], with a signature, which may make another id each time.
    ///
    /// # Errors
    /// As there, and [`GitError::Sign`].
    pub fn commit_signed(&self, spec: &CommitSpec, signer: Option<&Signer>) -> Result<String, GitError> {
        let repository = self.existing()?;
        let tree = {
            let _lock = self.lock(true)?;
            let base = match &spec.parent {
                Some(parent) => self.tree(&repository, parent)?,
                None => self.no_tree(&repository)?,
            };
            let tree = self.updated(&repository, &base, &spec.files)?;
            if tree == base.id() {
                return Err(GitError::NoChange);
            }
            tree
        };
        let parents: Vec<&str> = spec.parent.iter().map(String::as_str).collect();
        let head =
            Head { parents: &parents, author: &spec.author, committer: &spec.committer, time: spec.time };
        self.write_commit(&repository, tree, (&head, &spec.message), signer)
    }

    /// Writes the contents of files into the cache, for a commit to come; returns their ids in hex, in their order.
    ///
    /// # Errors
    /// What keeps the cache from being written.
    pub fn write_blobs(&self, contents: &[Vec<u8>]) -> Result<Vec<String>, GitError> {
        let _lock = self.lock(true)?;
        let write = |repository: &Repository, contents: &[Vec<u8>]| {
            contents.iter().map(|bytes| Ok(repository.blob(bytes)?.to_string())).collect()
        };
        self.in_parts(contents, write).map_err(|error| self.failed("write", &error.message()))
    }

    /// Writes the commit of a tree that is here. The caller holds no lock: to sign may take a person's while.
    pub(super) fn write_commit(
        &self,
        repository: &Repository,
        tree: Oid,
        (head, message): (&Head<'_>, &str),
        signer: Option<&Signer>,
    ) -> Result<String, GitError> {
        let mut bytes = commit_object(tree, head, message)?;
        if let Some(signer) = signer {
            bytes = with_signature(&bytes, &signer.sign(&bytes)?);
        }
        let _lock = self.lock(true)?;
        let odb = repository.odb().map_err(|error| self.failed("write", &error.message()))?;
        let oid = odb.write(ObjectType::Commit, &bytes);
        super::cache::keep_private(self.dir()).map_err(|error| self.failed("write", &error))?;
        oid.map(|oid| oid.to_string()).map_err(|error| self.failed("write", &error.message()))
    }

    /// The tree of no files.
    fn no_tree<'r>(&self, repository: &'r Repository) -> Result<Tree<'r>, GitError> {
        let made = repository.treebuilder(None).and_then(|builder| builder.write());
        let found = made.and_then(|tree| repository.find_tree(tree));
        found.map_err(|error| self.failed("write", &error.message()))
    }

    /// The tree of `base` with `files` put in.
    fn updated(
        &self,
        repository: &Repository,
        base: &Tree<'_>,
        files: &[(String, Content)],
    ) -> Result<Oid, GitError> {
        let failed = |error: git2::Error| self.failed("write", &error.message());
        let mut update = TreeUpdateBuilder::new();
        for (path, content) in files {
            check_path(path)?;
            let mode = mode(base, path)?;
            let blob = match content {
                Content::Bytes(bytes) => repository.blob(bytes),
                Content::Blob(id) => Oid::from_str(id),
            };
            let blob = blob.map_err(failed)?;
            update.upsert(path.as_str(), blob, mode);
        }
        update.create_updated(repository, base).map_err(failed)
    }
}

/// The mode the file at `path` has, or shall get.
fn mode(base: &Tree<'_>, path: &str) -> Result<FileMode, GitError> {
    match base.get_path(path.as_ref()).map(|entry| entry.filemode()) {
        Ok(0o100_755) => Ok(FileMode::BlobExecutable),
        Ok(0o100_644 | 0o100_664) | Err(_) => Ok(FileMode::Blob),
        Ok(0o120_000) => Err(refused(path, "it is a symbolic link")),
        Ok(_) => Err(refused(path, "it is no regular file")),
    }
}

/// Refuses what is no path inside a repository.
fn check_path(path: &str) -> Result<(), GitError> {
    let is_odd =
        |part: &str| part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git");
    if path.split('/').any(is_odd) || path.contains(['\0', '\\']) {
        return Err(refused(path, "it is no path inside the repository"));
    }
    Ok(())
}

fn refused(path: &str, message: &str) -> GitError {
    GitError::Commit { path: path.to_owned(), message: message.to_owned() }
}

/// What stands above the message of a commit, beside its tree.
pub(super) struct Head<'a> {
    /// In hex, in order.
    pub(super) parents: &'a [&'a str],
    pub(super) author: &'a Person,
    pub(super) committer: &'a Person,
    /// As [`CommitSpec::time`].
    pub(super) time: (i64, i32),
}

/// The bytes of the commit object.
///
/// Written by hand because the library refuses an empty author's name, which Flux allows.
fn commit_object(tree: Oid, head: &Head<'_>, message: &str) -> Result<Vec<u8>, GitError> {
    if message.contains('\0') {
        return Err(refused("message", "it holds a NUL"));
    }
    let parents: String = head.parents.iter().flat_map(|parent| ["parent ", parent, "\n"]).collect();
    let (author, committer) = (signature(head.author, head.time), signature(head.committer, head.time));
    Ok(format!("tree {tree}\n{parents}author {author}\ncommitter {committer}\n\n{message}").into_bytes())
}

/// The commit with a signature of its bytes as its last header, as git writes it.
///
/// Source: git/git:commit.c, `add_header_signature`.
fn with_signature(commit: &[u8], signature: &str) -> Vec<u8> {
    let end = memchr::memmem::find(commit, b"\n\n").map_or(commit.len(), |end| end + 1);
    let (head, rest) = commit.split_at(end);
    let lines = signature.trim_end().replace("\r\n", "\n").replace('\n', "\n ");
    [head, b"gpgsig ", lines.as_bytes(), b"\n", rest].concat()
}

/// `NAME <EMAIL> SECONDS +HHMM`.
fn signature(person: &Person, (seconds, offset): (i64, i32)) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.unsigned_abs() / 60, offset.unsigned_abs() % 60);
    format!("{} {seconds} {sign}{hours:02}{minutes:02}", person.written())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_line() {
        let person = Person { name: "Eve> \n<x@y>.".to_owned(), email: "e\n@x".to_owned() };
        assert_eq!(signature(&person, (1, -90)), "Eve x@y <e@x> 1 -0130");
    }

    #[test]
    fn a_signature_is_the_last_header_of_a_commit() {
        let signed =
            with_signature(b"tree 1\ncommitter c\n\nSubject\n\nBody\n", "-----BEGIN\r\n\r\nabc\n-----END\n");
        let expected = "tree 1\ncommitter c\ngpgsig -----BEGIN\n \n abc\n -----END\n\nSubject\n\nBody\n";
        assert_eq!(String::from_utf8(signed).unwrap(), expected);
    }

    #[test]
    fn paths_outside_the_tree_are_refused() {
        for path in ["", "/etc/passwd", "a/../b", "a//b", ".git/config", "a/.GIT/x", "a\0b", "./a"] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
        assert!(check_path("apps/..data/x.yaml").is_ok());
    }
}
