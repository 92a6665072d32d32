//! The operator's checkout, read and never written: its remotes, and where its branch comes from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository};

use super::error::GitError;
use super::url::is_same_repository;

/// What a checkout says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its top-level folder.
    pub root: PathBuf,
    /// Name to address of its remotes, `insteadOf` applied.
    pub remotes: BTreeMap<String, String>,
    /// The branch that is checked out; `None`: detached.
    pub branch: Option<String>,
    /// The commit that is checked out, in hex; `None`: no commit yet.
    pub head: Option<String>,
    /// What the branch follows.
    pub upstream: Option<Upstream>,
}

/// The branch of a remote that a local branch follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote's name.
    pub remote: String,
    /// The branch there.
    pub branch: String,
}

impl Checkout {
    /// The checkout that `path` lies in; `None` if it lies in none, or in a bare repository.
    ///
    /// # Errors
    /// [`GitError::Checkout`] if there is one that cannot be read.
    pub fn discover(path: &Path) -> Result<Option<Self>, GitError> {
        let failed = |error: &git2::Error| GitError::Checkout {
            path: path.to_owned(),
            message: error.message().to_owned(),
            foreign: error.code() == ErrorCode::Owner,
        };
        let repository = match Repository::discover(path) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let Some(root) = repository.workdir().map(Path::to_owned) else { return Ok(None) };
        let head = repository.head().ok();
        let branch = repository.find_reference("HEAD").ok().and_then(|head| {
            let target = head.symbolic_target().ok().flatten()?;
            target.strip_prefix("refs/heads/").map(str::to_owned)
        });
        Ok(Some(Self {
            remotes: remotes(&repository).map_err(|error| failed(&error))?,
            head: head.and_then(|head| head.target()).map(|oid| oid.to_string()),
            upstream: branch.as_deref().and_then(|branch| upstream(&repository, branch)),
            branch,
            root,
        }))
    }

    /// The remote that is the same repository as `url`: its name and address. The upstream's remote and `origin` win
    /// over others.
    pub fn remote_like(&self, url: &str) -> Option<(&str, &str)> {
        let preferred = [self.upstream.as_ref().map_or("origin", |upstream| &upstream.remote), "origin"];
        let first = preferred.iter().filter_map(|name| self.remotes.get_key_value(*name));
        let mut all = first.chain(&self.remotes);
        all.find(|(_, address)| is_same_repository(address, url)).map(|(name, address)| (&**name, &**address))
    }

    /// The branch that the files are of: the one that is followed, else the one that is checked out.
    pub fn followed_branch(&self) -> Option<&str> {
        self.upstream.as_ref().map(|upstream| &*upstream.branch).or(self.branch.as_deref())
    }

    /// The remote to use where nothing names one: the upstream's, else `origin`.
    pub fn default_remote(&self) -> Option<(&str, &str)> {
        let name = self.upstream.as_ref().map_or("origin", |upstream| &upstream.remote);
        self.remotes.get_key_value(name).map(|(name, address)| (&**name, &**address))
    }
}

fn remotes(repository: &Repository) -> Result<BTreeMap<String, String>, git2::Error> {
    let mut found = BTreeMap::new();
    for name in repository.remotes()?.iter().flatten().flatten() {
        // The library applies `insteadOf` here.
        if let Ok(remote) = repository.find_remote(name)
            && let Ok(url) = remote.url()
        {
            found.insert(name.to_owned(), url.to_owned());
        }
    }
    Ok(found)
}

fn upstream(repository: &Repository, branch: &str) -> Option<Upstream> {
    let config = repository.config().ok()?.snapshot().ok()?;
    let remote = config.get_str(&format!("branch.{branch}.remote")).ok()?;
    let merge = config.get_str(&format!("branch.{branch}.merge")).ok()?;
    let branch = merge.strip_prefix("refs/heads/")?;
    // `.` is the checkout itself: a local branch that follows another one.
    (remote != ".").then(|| Upstream { remote: remote.to_owned(), branch: branch.to_owned() })
}
