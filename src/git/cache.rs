//! The bare cache of one remote: where its objects are fetched to and ours are built.
//!
//! One folder per remote, named after its address; a lock file beside it. Readers share it, a fetch or a commit has it
//! alone. It holds nothing that cannot be fetched again: a cache that is damaged is thrown away and made anew.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant, SystemTime};

use git2::{Oid, Repository, RepositoryInitOptions};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::Remote;
use super::error::GitError;
use super::fetch;
use super::push::RefUpdate;
use super::refs::Refs;
use super::session::{Service, Session};
use super::url::{GitUrl, redact};

/// How long to wait for another process that holds the cache.
const LOCK_PATIENCE: Duration = Duration::from_mins(1);
/// Objects are hashed when they come in, as git does it, and not whenever they are read, which takes a third of the time it takes to
/// plan for a large repository. What is damaged on the disk does not decompress, and no edit is made in a file that has not the
/// plan's own checksum.
static UNVERIFIED: Once = Once::new();
/// The file with what the remote advertised last; its age is the age of the cache.
pub(super) const ADVERTISED: &str = "supercargo-refs";
/// The file with the address of the remote as it may be shown.
pub(super) const REMOTE: &str = "supercargo-remote";

/// What the name of a folder begins with that is not a cache yet, or none any more.
pub(super) const UNFINISHED: &str = ".new-";

/// A folder of a cache, and which files there are left.
type Left = (&'static str, fn(&Path) -> bool);
/// Where files are left that only a killed process does not take away.
const LEFT: [Left; 5] = [
    ("", is_lock),
    ("refs/supercargo", is_lock),
    ("objects/pack", |path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"pack_git2_"))
    }),
    ("objects/pack", is_lock),
    // A pack without its index, which comes last, is none.
    ("objects/pack", |path| has_ending(path, "pack") && !path.with_extension("idx").exists()),
];

fn is_lock(path: &Path) -> bool {
    has_ending(path, "lock")
}

fn has_ending(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|ending| ending == wanted)
}

/// The bare repository in which one remote's objects are kept.
#[derive(Debug, Clone)]
pub struct BareCache {
    dir: PathBuf,
    /// The address as it may be shown.
    shown: String,
}

/// What a fetch found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// All references of the remote.
    pub refs: Refs,
    /// The label of the credential that was accepted.
    pub credential: String,
}

/// A held lock; it ends with the value.
pub(super) struct Lock {
    _file: File,
}

impl BareCache {
    /// The cache of the remote at `url` below `root` (`$XDG_CACHE_HOME/supercargo/git`); made when it is first needed.
    ///
    /// # Errors
    /// [`GitError::Unsupported`] if `url` is no address.
    pub fn open(root: &Path, url: &str) -> Result<Self, GitError> {
        UNVERIFIED.call_once(|| git2::opts::strict_hash_verification(false));
        let address = GitUrl::parse(url)?;
        // The scheme is part of the name, so that what came over plain HTTP never answers for HTTPS.
        let digest = Sha256::digest(format!("{}:{}", address.scheme.word(), address.identity()));
        let hash = digest.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
        let name = address.identity().rsplit('/').next().unwrap_or_default().to_owned();
        let name: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(40).collect();
        Ok(Self { dir: root.join(format!("{name}-{hash:016x}.git")), shown: redact(url) })
    }

    /// A cache in this very folder.
    #[cfg(test)]
    pub(super) fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), shown: String::new() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The address of the remote as it may be shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Fetches what `choose` wants of what the remote has: full reference names, or commits in hex. Names the remote
    /// does not have are passed over.
    ///
    /// Only the newest commit of each is fetched, without its history (from a folder without git: all of it). A damaged cache is
    /// thrown away and fetched anew.
    ///
    /// # Errors
    /// Whatever keeps the remote from answering, or the cache from being written.
    pub fn fetch(&self, remote: &Remote, choose: impl Fn(&Refs) -> Vec<String>) -> Result<Fetched, GitError> {
        let _lock = self.lock(true)?;
        let session = Session::open(remote)?;
        let refs = match self.fetch_once(&session, &choose) {
            // The library stumbles over what it finds on disk; the network has errors of its own.
            Err(GitError::Git { .. } | GitError::Missing { .. }) => {
                self.discard()?;
                self.fetch_once(&session, &choose)?
            }
            done => done?,
        };
        self.remember(&refs, SystemTime::now())?;
        keep_private(&self.dir).map_err(|error| self.failed("write", &error))?;
        Ok(Fetched { refs, credential: session.credential() })
    }

    fn fetch_once(
        &self,
        session: &Arc<Session>,
        choose: &impl Fn(&Refs) -> Vec<String>,
    ) -> Result<Refs, GitError> {
        let repository = self.repository()?;
        let talk = session.talk(Service::Upload)?;
        let refs = talk.advertised.refs.clone();
        let wants: Vec<Want> = choose(&refs).into_iter().filter_map(|name| Want::of(name, &refs)).collect();
        let missing: Vec<Oid> =
            wants.iter().map(|want| want.oid).filter(|oid| !is_whole(&repository, *oid)).collect();
        if !missing.is_empty() {
            fetch::download(session, talk, &repository, &missing, fetch::Scope::NEWEST)?;
        }
        // Opened again: the library keeps in mind where histories ended when it looked first.
        let repository = self.existing()?;
        for want in &wants {
            self.track(&repository, want)?;
        }
        Ok(refs)
    }

    /// Keeps what was wanted under a name of ours, so that the next fetch can say that it is here.
    fn track(&self, repository: &Repository, want: &Want) -> Result<(), GitError> {
        if !want.is_whole(repository) {
            return Err(GitError::Missing { url: self.shown.clone(), what: format!("commit {}", want.oid) });
        }
        // Flat: a branch `a` that makes way for a branch `a/b` must not leave a file where a folder has to be.
        let name = format!("refs/supercargo/{}", want.name.replace('/', "%"));
        let made = repository.reference(&name, want.oid, true, "fetch");
        made.map(drop).map_err(|error| self.failed("write", &error.message()))
    }

    /// What the remote advertised when it was last fetched, and when that was; `None`: never.
    pub fn last(&self) -> Option<(Refs, SystemTime)> {
        let path = self.dir.join(ADVERTISED);
        let fetched = fs::metadata(&path).and_then(|meta| meta.modified()).ok()?;
        Some((Refs::from_text(&fs::read_to_string(&path).ok()?), fetched))
    }

    /// Notes that the remote has what was pushed to it just now; of all else it is known as long as before.
    pub(super) fn note_pushed(&self, updates: &[RefUpdate]) -> Result<(), GitError> {
        let Some((mut refs, fetched)) = self.last() else { return Ok(()) };
        refs.all.extend(updates.iter().map(|update| (update.reference.clone(), update.new.clone())));
        self.remember(&refs, fetched)
    }

    /// Notes what the remote advertised, and when.
    fn remember(&self, refs: &Refs, fetched: SystemTime) -> Result<(), GitError> {
        let write = || {
            fs::write(self.dir.join(REMOTE), &self.shown)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            file.write_all(refs.to_text().as_bytes())?;
            file.as_file().set_modified(fetched)?;
            file.persist(self.dir.join(ADVERTISED)).map_err(|error| error.error)
        };
        write().map(drop).map_err(|error: io::Error| self.failed("write", &error))
    }

    /// Whether the commit and its tree are here.
    pub fn has(&self, commit: &str) -> bool {
        let Ok(repository) = Repository::open(&self.dir) else { return false };
        Oid::from_str(commit).is_ok_and(|oid| is_whole(&repository, oid))
    }

    /// When a commit was committed, in seconds since 1970; `None` if it is not here.
    pub fn commit_time(&self, commit: &str) -> Option<i64> {
        let repository = Repository::open(&self.dir).ok()?;
        let commit = repository.find_commit(Oid::from_str(commit).ok()?).ok()?;
        Some(commit.time().seconds())
    }

    /// The repository; an unusable one is replaced by an empty one.
    fn repository(&self) -> Result<Repository, GitError> {
        if let Ok(repository) = Repository::open(&self.dir) {
            return Ok(repository);
        }
        self.discard()?;
        // Made aside and renamed: a process that dies meanwhile leaves no half of a repository under the name.
        let make = || -> Result<(), Box<dyn std::error::Error>> {
            let aside = self.aside()?;
            let mut options = RepositoryInitOptions::new();
            options.bare(true).external_template(false);
            Repository::init_opts(aside.path(), &options)?;
            // Nothing is ever run here.
            fs::remove_dir_all(aside.path().join("hooks"))?;
            fs::rename(aside.keep(), &self.dir)?;
            Ok(())
        };
        make().map_err(|error| self.failed("make", &error))?;
        Repository::open(&self.dir).map_err(|error| self.failed("open", &error.message()))
    }

    /// A folder beside the cache that goes with the value; should the process be killed, it is listed as what is left of a cache.
    pub(super) fn aside(&self) -> io::Result<TempDir> {
        let root = self.dir.parent().unwrap_or(Path::new("."));
        tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(root)
    }

    /// The repository to read from, which must be there.
    ///
    /// Never opened as "bare" in the library's sense: it would not look where histories end.
    pub(super) fn existing(&self) -> Result<Repository, GitError> {
        Repository::open(&self.dir).map_err(|error| self.failed("open", &error.message()))
    }

    /// Throws the cache away.
    fn discard(&self) -> Result<(), GitError> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("remove", &error)),
            _ => Ok(()),
        }
    }

    /// Waits for the cache: alone, or shared with other readers.
    pub(super) fn lock(&self, alone: bool) -> Result<Lock, GitError> {
        let path = self.dir.with_extension("lock");
        let file = self.lock_file(&path).map_err(|error| self.failed("lock", &error))?;
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match if alone { file.try_lock() } else { file.try_lock_shared() } {
                Ok(()) => {
                    if alone {
                        self.sweep().map_err(|error| self.failed("write", &error))?;
                    }
                    return Ok(Lock { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(self.failed("lock", &error)),
                Err(TryLockError::WouldBlock) if Instant::now() > until => {
                    return Err(GitError::Busy { path });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Removes what a process that was killed left half done; whoever has the cache alone knows that nobody is at it.
    ///
    /// The library locks each reference by a file of its own, and would wait for a dead process's for ever.
    fn sweep(&self) -> io::Result<()> {
        for (folder, is_left) in LEFT {
            let Ok(entries) = fs::read_dir(self.dir.join(folder)) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                if is_left(&path) {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    fn lock_file(&self, path: &Path) -> io::Result<File> {
        if let Some(root) = self.dir.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        }
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
    }

    pub(super) fn failed(&self, action: &'static str, error: &dyn fmt::Display) -> GitError {
        GitError::Cache { action, path: self.dir.clone(), message: error.to_string() }
    }
}

/// Leaves everything below `folder` to its owner alone: the library makes files as the process's mask has it.
pub(super) fn keep_private(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            keep_private(&entry.path())?;
        } else if entry.metadata()?.permissions().mode() & 0o777 != 0o600 {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// One thing to be fetched.
struct Want {
    /// Full name, or the commit in hex.
    name: String,
    oid: Oid,
}

impl Want {
    /// The reference `name` of the remote, or the commit of that id.
    fn of(name: String, refs: &Refs) -> Option<Self> {
        let hex = refs.all.get(&name).unwrap_or(&name);
        let oid = Oid::from_str(hex).ok()?;
        Some(Self { name, oid })
    }

    fn is_whole(&self, repository: &Repository) -> bool {
        is_whole(repository, self.oid)
    }
}

/// Whether the commit (or the one behind a tag) can be used: its tree is here, and its parents unless the fetch left
/// them out on purpose.
fn is_whole(repository: &Repository, oid: Oid) -> bool {
    let commit = repository.find_object(oid, None).and_then(|object| object.peel_to_commit());
    let parents_are_here = |commit: &git2::Commit<'_>| {
        commit.parent_ids().all(|parent| repository.odb().is_ok_and(|odb| odb.exists(parent)))
    };
    commit.is_ok_and(|commit| commit.tree().is_ok() && parents_are_here(&commit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::Person;
    use crate::git::init_bare;

    #[test]
    fn what_a_killed_process_left_locked_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let (root, fleet) = (dir.path().join("cache"), dir.path().join("fleet.git"));
        let author = Person { name: "ci".into(), email: "ci@example.com".into() };
        init_bare(&fleet, "main", (&author, 0), &[("a.yaml".into(), b"a: 1\n".to_vec())]).unwrap();
        let remote = Remote::new(fleet.to_str().unwrap());
        let cache = BareCache::open(&root, &remote.url).unwrap();
        let main = |_: &Refs| vec!["refs/heads/main".to_owned()];
        cache.fetch(&remote, main).unwrap();
        let left = [
            "refs/supercargo/refs%heads%main.lock",
            "objects/pack/pack_git2_0123456789abcdef",
            "objects/pack/pack-0123456789abcdef.pack",
            "config.lock",
        ];
        let left = left.map(|name| cache.dir().join(name));
        for path in &left {
            fs::write(path, "").unwrap();
        }
        cache.fetch(&remote, main).unwrap();
        assert!(left.iter().all(|path| !path.exists()));
    }
}
