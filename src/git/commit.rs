//! A commit made of Git objects: the parent's tree with some files replaced. No index and no work tree.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository, Tree};

use crate::domain::commit::{CommitSpec, Content};
use crate::domain::object::Person;

use super::cache::BareCache;
use super::error::GitError;
use super::objects::NewObjects;
use super::sign::Signer;

/// Git's mode of a folder.
const FOLDER: i32 = 0o40_000;

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
        self.new_objects()?.commit(spec, signer)
    }

    /// Objects for a commit to come. Those that no commit is made of are in no cache.
    ///
    /// # Errors
    /// The cache cannot be opened.
    pub fn new_objects(&self) -> Result<NewObjects<'_>, GitError> {
        NewObjects::none(self)
    }

    /// Writes the commit of a tree that is here. The caller holds no lock: to sign may take a person's while.
    pub(super) fn write_commit(
        &self,
        repository: &Repository,
        tree: Oid,
        (head, message): (&Head<'_>, &str),
        signer: Option<&Signer>,
    ) -> Result<String, GitError> {
        let bytes = signed_commit(tree, (head, message), signer)?;
        let _lock = self.lock(true)?;
        let odb = repository.odb().map_err(|error| self.failed("write", &error.message()))?;
        let oid = odb.write(ObjectType::Commit, &bytes);
        super::cache::keep_private(self.dir()).map_err(|error| self.failed("write", &error))?;
        oid.map(|oid| oid.to_string()).map_err(|error| self.failed("write", &error.message()))
    }
}

impl NewObjects<'_> {
    /// Leaves the commit in the cache, and all that it needs, and returns its id in hex. No branch moves.
    ///
    /// # Errors
    /// As [`BareCache::commit_signed`].
    pub fn commit(mut self, spec: &CommitSpec, signer: Option<&Signer>) -> Result<String, GitError> {
        let cache = self.cache;
        let tree = {
            let _lock = cache.lock(false)?;
            let tree = |parent: &String| Ok(cache.tree(&self.repository, parent)?.id());
            let base = spec.parent.as_ref().map(tree).transpose()?;
            let changes = self.changes(&spec.files)?;
            let tree = self.tree(base, &changes)?;
            if base.map_or(changes.is_empty(), |base| base == tree) {
                return Err(GitError::NoChange);
            }
            tree
        };
        let parents: Vec<&str> = spec.parent.iter().map(String::as_str).collect();
        let head =
            Head { parents: &parents, author: &spec.author, committer: &spec.committer, time: spec.time };
        // To sign may take a person's while, in which the cache is everybody's.
        let bytes = signed_commit(tree, (&head, &spec.message), signer)?;
        let commit = self.put(ObjectType::Commit, &bytes)?;
        let _lock = cache.lock(true)?;
        self.store()?;
        Ok(commit.to_string())
    }

    /// The files by path, in the order in which those of one folder stand together.
    fn changes<'f>(&mut self, files: &'f [(String, Content)]) -> Result<Vec<Change<'f>>, GitError> {
        let mut changes = Vec::with_capacity(files.len());
        for (path, content) in files {
            check_path(path)?;
            let blob = match content {
                Content::Bytes(bytes) => self.put(ObjectType::Blob, bytes)?,
                Content::Blob(id) => {
                    let known = Oid::from_str(id).ok().filter(|blob| self.has(*blob));
                    known.ok_or_else(|| refused(path, "what it shall hold is not here"))?
                }
            };
            changes.push(Change { path, rest: path, blob });
        }
        changes.sort_by_key(|change| change.path);
        Ok(changes)
    }

    /// The tree `base` with the changes made in it.
    fn tree(&mut self, base: Option<Oid>, changes: &[Change<'_>]) -> Result<Oid, GitError> {
        let mut entries = Entries::default();
        if let Some(base) = base {
            let tree = self.repository.find_tree(base);
            entries = Entries::of(&tree.map_err(|error| self.cache.failed("read", &error.message()))?);
        }
        for below in changes.chunk_by(|a, b| a.folder().is_some() && a.folder() == b.folder()) {
            let Some(first) = below.first() else { continue };
            let Some(folder) = first.folder() else {
                entries.put_file(first)?;
                continue;
            };
            let below: Vec<Change<'_>> = below.iter().map(Change::below).collect();
            let tree = self.tree(entries.folder(folder, first.path)?, &below)?;
            entries.put_folder(folder, tree);
        }
        self.put(ObjectType::Tree, &entries.written())
    }
}

/// A file of a commit that gets another content.
struct Change<'a> {
    path: &'a str,
    /// The path from the folder on that is looked at.
    rest: &'a str,
    blob: Oid,
}

impl<'a> Change<'a> {
    /// The folder in which it is, of those right below the one that is looked at.
    fn folder(&self) -> Option<&'a str> {
        self.rest.split_once('/').map(|(folder, _)| folder)
    }

    /// The same, from that folder on.
    fn below(&self) -> Self {
        let rest = self.rest.split_once('/').map_or(self.rest, |(_, rest)| rest);
        Self { path: self.path, rest, blob: self.blob }
    }
}

/// The entries of a tree: mode and id, by the name as Git sorts it, which is that of a folder with a slash behind it.
#[derive(Default)]
struct Entries(BTreeMap<Vec<u8>, (i32, Oid)>);

impl Entries {
    fn of(tree: &Tree<'_>) -> Self {
        let entry = |entry: git2::TreeEntry<'_>| {
            let slash = if entry.filemode() == FOLDER { "/" } else { "" };
            ([entry.name_bytes(), slash.as_bytes()].concat(), (entry.filemode_raw(), entry.id()))
        };
        Self(tree.iter().map(entry).collect())
    }

    /// A file keeps the mode it has.
    fn put_file(&mut self, change: &Change<'_>) -> Result<(), GitError> {
        let mode = match self.0.get(change.rest.as_bytes()).map(|(mode, _)| *mode) {
            Some(0o100_755) => 0o100_755,
            Some(0o100_644 | 0o100_664) => 0o100_644,
            None if !self.0.contains_key(format!("{}/", change.rest).as_bytes()) => 0o100_644,
            Some(0o120_000) => return Err(refused(change.path, "it is a symbolic link")),
            _ => return Err(refused(change.path, "it is no regular file")),
        };
        self.0.insert(change.rest.as_bytes().to_vec(), (mode, change.blob));
        Ok(())
    }

    /// The folder of that name, if there is one; `path` is that of a file in it.
    fn folder(&self, name: &str, path: &str) -> Result<Option<Oid>, GitError> {
        if self.0.contains_key(name.as_bytes()) {
            return Err(refused(path, "a file is where its folder would be"));
        }
        Ok(self.0.get(format!("{name}/").as_bytes()).map(|(_, tree)| *tree))
    }

    fn put_folder(&mut self, name: &str, tree: Oid) {
        self.0.insert(format!("{name}/").into_bytes(), (FOLDER, tree));
    }

    /// The bytes of the tree object.
    fn written(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, (mode, id)) in &self.0 {
            bytes.extend_from_slice(format!("{mode:o} ").as_bytes());
            bytes.extend_from_slice(name.strip_suffix(b"/").unwrap_or(name));
            bytes.push(0);
            bytes.extend_from_slice(id.as_bytes());
        }
        bytes
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

/// The bytes of the commit object, signed if anybody signs it.
fn signed_commit(
    tree: Oid,
    (head, message): (&Head<'_>, &str),
    signer: Option<&Signer>,
) -> Result<Vec<u8>, GitError> {
    let bytes = commit_object(tree, head, message)?;
    match signer {
        Some(signer) => Ok(with_signature(&bytes, &signer.sign(&bytes)?)),
        None => Ok(bytes),
    }
}

/// The bytes of the commit object without a signature.
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
