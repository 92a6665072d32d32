//! What a commit of some time ago changed: found by its id, and compared with an earlier one.

use git2::{Delta, ErrorCode, FileMode, ObjectType, Oid, Repository};

use super::Remote;
use super::cache::BareCache;
use super::error::GitError;
use super::merge::DEPTHS;

/// A regular file that a commit changed, and that was there before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// From the repository's root.
    pub path: String,
    /// The content before.
    pub before: Vec<u8>,
    /// The content after.
    pub after: Vec<u8>,
}

/// What a commit changed against an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The regular files that were there before and after.
    pub files: Vec<ChangedFile>,
    /// The paths of all else: what came, went, or became something else.
    pub others: Vec<String>,
}

impl BareCache {
    /// So many digits of its id name a commit, or more.
    pub const MIN_DIGITS: usize = 4;

    /// The whole id of the commit whose id begins with `digits`, among the ancestors of `tips`, which the remote advertises;
    /// fetches their histories as far back as it takes.
    ///
    /// # Errors
    /// [`GitError::RefNotFound`] if there is none or several, and whatever keeps the remote from sending the histories.
    pub fn find(&self, remote: &Remote, tips: &[String], digits: &str) -> Result<String, GitError> {
        let _lock = self.lock(true)?;
        let not_found = |why: &str| GitError::RefNotFound {
            url: self.shown().to_owned(),
            what: format!("commit {digits}{why}"),
        };
        if digits.len() < Self::MIN_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(not_found(": an id has hexadecimal digits, of which four or more have to be given"));
        }
        let tips: Vec<Oid> = tips.iter().filter_map(|tip| Oid::from_str(tip).ok()).collect();
        for depth in DEPTHS {
            let repository = self.existing()?;
            match repository.find_commit_by_prefix(digits).map(|commit| commit.id()) {
                Err(error) if error.code() == ErrorCode::Ambiguous => {
                    return Err(not_found(": several begin so"));
                }
                Ok(found) if self.is_usable(&repository, found, &tips) => return Ok(found.to_string()),
                _ => self.deepen(remote, &tips, depth)?,
            }
        }
        let repository = self.existing()?;
        let found = repository.find_commit_by_prefix(digits).map(|commit| commit.id());
        let found = found.ok().filter(|found| self.is_usable(&repository, *found, &tips));
        found
            .map(|found| found.to_string())
            .ok_or_else(|| not_found(" on a branch that is read or written here"))
    }

    /// Whether a commit belongs to the history of a tip, and what stood before it is here, too.
    fn is_usable(&self, repository: &Repository, commit: Oid, tips: &[Oid]) -> bool {
        let is_below =
            |tip: &Oid| *tip == commit || repository.graph_descendant_of(*tip, commit).unwrap_or(false);
        let parent = self.parent(&commit.to_string());
        let has_before = parent.is_none_or(|parent| {
            Oid::from_str(&parent).and_then(|oid| repository.find_commit(oid)?.tree()).is_ok()
        });
        has_before && tips.iter().any(is_below)
    }

    /// What is otherwise in a commit than in `before`, one of its ancestors.
    ///
    /// # Errors
    /// [`GitError::Missing`] if one of them is not here.
    pub fn changes(&self, before: &str, commit: &str) -> Result<Changes, GitError> {
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let (before, after) = (self.tree(&repository, before)?, self.tree(&repository, commit)?);
        let files = || {
            let diff = repository.diff_tree_to_tree(Some(&before), Some(&after), None)?;
            let mut changes = Changes::default();
            for delta in diff.deltas() {
                let (old, new) = (delta.old_file(), delta.new_file());
                let is_regular = |mode| matches!(mode, FileMode::Blob | FileMode::BlobExecutable);
                let path = new.path().or(old.path()).map(|path| path.to_string_lossy().into_owned());
                let path = path.unwrap_or_default();
                if delta.status() != Delta::Modified || !is_regular(old.mode()) || !is_regular(new.mode()) {
                    changes.others.push(path);
                } else {
                    let read = |oid| repository.find_object(oid, Some(ObjectType::Blob))?.peel_to_blob();
                    let (before, after) = (read(old.id())?, read(new.id())?);
                    changes.files.push(ChangedFile {
                        path,
                        before: before.content().to_vec(),
                        after: after.content().to_vec(),
                    });
                }
            }
            Ok(changes)
        };
        files().map_err(|error: git2::Error| self.failed("read", &error.message()))
    }
}
