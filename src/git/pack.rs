//! The objects that a push has to carry: what each new commit has that its parent has not.
//!
//! Only trees of commits that follow each other are compared: no history is walked, and the cache holds none. What changed is
//! sent as its difference from what stood at the same path, which the remote has. The library would compare each object with
//! ten others, and does not know what the remote has.
//!
//! Source: git's `Documentation/gitformat-pack`.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git2::{Commit, ErrorCode, ObjectType, Odb, Oid, Repository, Tree};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use super::delta;
use super::error::GitError;
use super::push::RefUpdate;
use super::tree::in_parts;

/// How many commits may stand on the remote's; a push of ours has one for each automation.
const MAX_COMMITS: usize = 10_000;

/// Objects that are in memory at once, packed.
const PARTS_AT_ONCE: usize = 1_024;
/// Their bytes before that; a larger object is there alone.
const BYTES_AT_ONCE: usize = 16 << 20;
/// Bytes that are sent at once.
const PIECE: usize = 32 << 10;
/// The type of an object that is told by another, which the receiver has.
const REF_DELTA: u8 = 7;

/// A pack that is ready to be written.
pub(super) struct Pack<'r> {
    repository: &'r Repository,
    parts: Vec<Part>,
    /// The ids of all parts.
    seen: HashSet<Oid>,
    /// Whether objects may be told by others that the receiver has.
    thin: bool,
}

/// One object of a pack.
struct Part {
    oid: Oid,
    /// What stood at its path in the parent.
    before: Option<Oid>,
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
        let mut pack = Self { repository, parts: Vec::new(), seen: HashSet::new(), thin: true };
        for update in updates {
            for oid in new_commits(repository, update, remote_has)? {
                let commit = repository.find_commit(oid).map_err(|error| failed(&error))?;
                pack.add_commit(&commit).map_err(|error| failed(&error))?;
            }
        }
        Ok(pack)
    }

    /// The same with every object whole, for a receiver that takes nothing else.
    #[must_use]
    pub(super) fn whole(self) -> Self {
        Self { thin: false, ..self }
    }

    /// How many objects it holds.
    pub(super) fn objects(&self) -> usize {
        self.parts.len()
    }

    /// Writes the pack piece by piece.
    ///
    /// # Errors
    /// Those of `write`, which ends it.
    pub(super) fn write(&self, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut sum = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        let mut put = |piece: &[u8]| {
            sum.update(piece);
            write(piece)
        };
        let count = u32::try_from(self.parts.len()).map_err(io::Error::other)?;
        put(&put_start(count))?;
        for parts in self.batches(BYTES_AT_ONCE).map_err(|error| unreadable(&error))? {
            for packed in self.packed(parts).map_err(|error| unreadable(&error))? {
                packed.chunks(PIECE).try_for_each(&mut put)?;
            }
        }
        write(sum.finish().as_ref())
    }

    /// The parts in their order, in groups that may be in memory at once.
    fn batches(&self, most_bytes: usize) -> Result<Vec<&[Part]>, git2::Error> {
        let odb = self.repository.odb()?;
        let (mut batches, mut rest) = (Vec::new(), self.parts.as_slice());
        let (mut count, mut bytes) = (0, 0);
        for part in &self.parts {
            let (size, _) = odb.read_header(part.oid)?;
            if count > 0 && (bytes + size > most_bytes || count == PARTS_AT_ONCE) {
                let (batch, others) = rest.split_at(count);
                batches.push(batch);
                (rest, count, bytes) = (others, 0, 0);
            }
            (count, bytes) = (count + 1, bytes + size);
        }
        batches.push(rest);
        Ok(batches)
    }

    /// The parts as they are in the pack, one behind the other.
    fn packed(&self, parts: &[Part]) -> Result<Vec<Vec<u8>>, git2::Error> {
        let seen = self.thin.then_some(&self.seen);
        in_parts(self.repository.path(), parts, |repository, parts| {
            let odb = repository.odb()?;
            let mut packed = Vec::new();
            let put = |part| put_part(&odb, (part, seen), &mut packed);
            let done: io::Result<()> = parts.iter().try_for_each(put);
            done.map_err(|error| git2::Error::from_str(&error.to_string()))?;
            Ok(vec![packed])
        })
    }

    fn add_commit(&mut self, commit: &Commit<'_>) -> Result<(), git2::Error> {
        self.add(commit.id(), None);
        let parent = commit.parent(0).and_then(|parent| parent.tree()).ok();
        self.add_tree(&commit.tree()?, parent.as_ref())
    }

    /// Whether it was not there yet.
    fn add(&mut self, oid: Oid, before: Option<Oid>) -> bool {
        let is_new = self.seen.insert(oid);
        if is_new {
            self.parts.push(Part { oid, before });
        }
        is_new
    }

    /// Adds what `tree` has and `base` has not.
    fn add_tree(&mut self, tree: &Tree<'_>, base: Option<&Tree<'_>>) -> Result<(), git2::Error> {
        let before = base.map(Tree::id);
        if before == Some(tree.id()) || !self.add(tree.id(), before) {
            return Ok(());
        }
        for entry in tree {
            let before =
                base.and_then(|base| base.get_name_bytes(entry.name_bytes())).map(|entry| entry.id());
            if before == Some(entry.id()) {
                continue;
            }
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let below = self.repository.find_tree(entry.id())?;
                    let base = before.and_then(|before| self.repository.find_tree(before).ok());
                    self.add_tree(&below, base.as_ref())?;
                }
                Some(ObjectType::Blob) => {
                    self.add(entry.id(), before);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Writes one object. `seen` are those of the pack, where objects may be told by others that the receiver has.
fn put_part(
    odb: &Odb<'_>,
    (part, seen): (&Part, Option<&HashSet<Oid>>),
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let object = odb.read(part.oid).map_err(|error| unreadable(&error))?;
    let (kind, new) = (object.kind(), object.data());
    // What is in the pack itself the receiver may not have.
    let before = part.before.filter(|before| seen.is_some_and(|seen| !seen.contains(before)));
    let before = before.and_then(|before| Some((before, odb.read(before).ok()?)));
    if let Some((before, old)) = before.filter(|(_, old)| old.kind() == kind) {
        let delta = delta::between(old.data(), new);
        if delta.len() < new.len() / 2 {
            put_head(out, REF_DELTA, delta.len());
            out.extend_from_slice(before.as_bytes());
            return put_packed(out, &delta, Compression::default());
        }
    }
    put_object(out, kind, new, Compression::default())
}

/// What a pack of `count` objects begins with.
pub(super) fn put_start(count: u32) -> [u8; 12] {
    let mut start = *b"PACK\0\0\0\x02\0\0\0\0";
    start[8..].copy_from_slice(&count.to_be_bytes());
    start
}

/// An object as a whole.
pub(super) fn put_object(
    out: &mut Vec<u8>,
    kind: ObjectType,
    content: &[u8],
    level: Compression,
) -> io::Result<()> {
    let kind = match kind {
        ObjectType::Commit => 1,
        ObjectType::Tree => 2,
        ObjectType::Blob => 3,
        _ => return Err(io::Error::other("a pack of ours has commits, trees and files")),
    };
    put_head(out, kind, content.len());
    put_packed(out, content, level)
}

/// The type of an object and its size: four bits of it with the type, then seven a byte.
fn put_head(out: &mut Vec<u8>, kind: u8, size: usize) {
    let [low, ..] = size.to_le_bytes();
    let more = if size > 0xf { 0x80 } else { 0 };
    out.push(more | kind << 4 | low & 0xf);
    if more != 0 {
        delta::put_size(out, size >> 4);
    }
}

fn put_packed(out: &mut Vec<u8>, bytes: &[u8], level: Compression) -> io::Result<()> {
    let mut packed = ZlibEncoder::new(out, level);
    packed.write_all(bytes)?;
    packed.finish().map(drop)
}

fn unreadable(error: &git2::Error) -> io::Error {
    io::Error::other(error.message().to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::commit::CommitSpec;
    use crate::domain::object::Person;
    use crate::git::{BareCache, init_bare};

    fn lines(of: &str) -> Vec<u8> {
        (0..500).flat_map(|n| format!("{n}: {of} {}\n", n * n).into_bytes()).collect()
    }

    /// A repository of one commit, and the commits in it that change its files one after the other, each file in each.
    fn repository(path: &std::path::Path, texts: &[&str]) -> (String, Vec<String>) {
        let author = Person { name: "bot".to_owned(), email: "bot@example.com".to_owned() };
        let names = ["a/web.yaml", "a/api.yaml", "b/db.yaml"].map(str::to_owned);
        let files =
            |text: &str| names.clone().map(|name| (name.clone(), [lines(&name), text.into()].concat()));
        init_bare(path, "main", (&author, 1), &files("old\n")).unwrap();
        let base = Repository::open(path).unwrap().refname_to_id("refs/heads/main").unwrap().to_string();
        let mut commits = Vec::new();
        for (time, text) in (2..).zip(texts) {
            let spec = CommitSpec {
                parent: Some(commits.last().unwrap_or(&base).clone()),
                author: author.clone(),
                committer: author.clone(),
                time: (time, 0),
                message: "Update".to_owned(),
                files: files(text).map(|(name, text)| (name, text.into())).into(),
            };
            commits.push(BareCache::at(path).commit(&spec).unwrap());
        }
        (base, commits)
    }

    fn packed(pack: &Pack<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        pack.write(&mut |piece| io::Write::write_all(&mut bytes, piece)).unwrap();
        bytes
    }

    /// Whether a repository that takes the pack has the commit, with all that is in its files.
    fn is_taken(at: &std::path::Path, pack: &[u8], commit: &str, text: &str) -> bool {
        let repository = Repository::open(at).unwrap();
        let odb = repository.odb().unwrap();
        let mut writer = odb.packwriter().unwrap();
        writer.write_all(pack).unwrap();
        writer.commit().unwrap();
        let commit = repository.find_commit(Oid::from_str(commit).unwrap()).unwrap();
        let tree = commit.tree().unwrap();
        ["a/web.yaml", "a/api.yaml", "b/db.yaml"].iter().all(|name| {
            let blob = repository.find_blob(tree.get_path(name.as_ref()).unwrap().id()).unwrap();
            blob.content() == [lines(name), text.into()].concat()
        })
    }

    #[test]
    fn what_the_receiver_has_is_not_sent_again() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        let (base, commits) = repository(&here, &["new\n"]);
        repository(&there, &[]);
        let cache = Repository::open(&here).unwrap();
        let update = [RefUpdate::of_branch("main", Some(base.clone()), commits[0].clone())];
        let collect = || Pack::collect(&cache, &update, &[base.clone()].into()).unwrap();
        let (thin, whole) = (packed(&collect()), packed(&collect().whole()));
        assert_eq!(collect().objects(), 7);
        assert!(thin.len() < 1_000 && whole.len() > 3_000, "{} {}", thin.len(), whole.len());
        assert!(is_taken(&there, &thin, &commits[0], "new\n"));
        let empty = dir.path().join("empty");
        Repository::init_bare(&empty).unwrap();
        assert!(is_taken(&empty, &whole, &commits[0], "new\n"), "a whole pack needs nothing");
    }

    #[test]
    fn a_file_that_is_changed_back_is_not_told_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        let (base, commits) = repository(&here, &["new\n", "old\n", "newer\n"]);
        repository(&there, &[]);
        let cache = Repository::open(&here).unwrap();
        let update = [RefUpdate::of_branch("main", Some(base.clone()), commits[2].clone())];
        let pack = Pack::collect(&cache, &update, &[base].into()).unwrap();
        assert!(is_taken(&there, &packed(&pack), &commits[2], "newer\n"));
    }

    #[test]
    fn large_objects_are_not_in_memory_together() {
        let dir = tempfile::tempdir().unwrap();
        let (base, commits) = repository(dir.path(), &["new\n"]);
        let repository = Repository::open(dir.path()).unwrap();
        let update = RefUpdate::of_branch("main", Some(base.clone()), commits[0].clone());
        let pack = Pack::collect(&repository, &[update], &[base].into()).unwrap();
        let counts = |most| pack.batches(most).unwrap().iter().map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(counts(usize::MAX), [pack.objects()]);
        assert_eq!(counts(1), vec![1; pack.objects()], "one that is larger than allowed is alone");
    }
}
