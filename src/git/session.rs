//! One operation on one remote: what libgit2 is given as its address, and the error that made it fail.
//!
//! libgit2 passes errors of a transport on as a number and a sentence. What is known better (a status, the
//! credentials that were tried) is left here by the transport and picked up by [`Session::run`].

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, RemoteCallbacks, RemoteConnection,
    Repository,
};

use super::error::GitError;
use super::refs::Refs;
use super::url::{GitUrl, Scheme};
use super::{Progress, Remote};

/// One operation on a remote, from the first request to the last.
pub(super) struct Session {
    /// The remote.
    pub(super) remote: Remote,
    /// Its address as it may be shown.
    pub(super) shown: String,
    /// What libgit2 is told to connect to.
    pub(super) address: String,
    /// When patience ends.
    deadline: Instant,
    /// The label of the credential that was accepted.
    accepted: Mutex<String>,
}

impl Session {
    /// Prepares an operation; nothing is sent.
    ///
    /// # Errors
    /// [`GitError::Unsupported`] for an address that cannot be spoken to, [`GitError::NotFound`] for a folder that
    /// is not there.
    pub(super) fn open(remote: &Remote) -> Result<Arc<Self>, GitError> {
        let url = GitUrl::parse(&remote.url)?;
        let shown = url.redacted();
        let address = match url.scheme {
            Scheme::File => local_address(&url, &shown)?,
            Scheme::Ssh => {
                let message = format!("ssh remotes are not supported yet: {shown}");
                return Err(GitError::Unsupported { url: shown, message });
            }
            Scheme::Http | Scheme::Https => {
                let message = format!("http remotes are not supported yet: {shown}");
                return Err(GitError::Unsupported { url: shown, message });
            }
        };
        let deadline = Instant::now() + remote.timeouts.total;
        let accepted = Mutex::new("none".to_owned());
        Ok(Arc::new(Self { remote: remote.clone(), shown, address, deadline, accepted }))
    }

    /// Whether libgit2's own transport for folders serves this remote; it cannot fetch a part of the history.
    pub(super) fn is_local(&self) -> bool {
        self.address.starts_with('/')
    }

    /// The label of the credential that was accepted; `none` where there is nothing to log in to.
    pub(super) fn credential(&self) -> String {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a piece of work with libgit2 and turns its error into ours.
    ///
    /// # Errors
    /// What the transport left, else what libgit2 said.
    pub(super) fn run<T>(
        self: &Arc<Self>,
        action: &'static str,
        work: impl FnOnce() -> Result<T, git2::Error>,
    ) -> Result<T, GitError> {
        if self.remote.cancel.is_cancelled() {
            return Err(GitError::Cancelled);
        }
        work().map_err(|error| self.explain(action, &error))
    }

    /// The remote as an object of the library, without a name.
    pub(super) fn remote_of<'r>(&self, repository: &'r Repository) -> Result<git2::Remote<'r>, GitError> {
        let made = repository.remote_anonymous(&self.address);
        made.map_err(|error| GitError::Git { action: "use the remote", message: error.message().to_owned() })
    }

    /// Reads the remote's references and stays connected.
    pub(super) fn connect<'r, 'c>(
        self: &Arc<Self>,
        remote: &'c mut git2::Remote<'r>,
        direction: Direction,
    ) -> Result<RemoteConnection<'r, 'c, 'static>, GitError> {
        self.run("connect", || remote.connect_auth(direction, Some(self.callbacks()), None))
    }

    /// What the remote advertised.
    pub(super) fn list(
        self: &Arc<Self>,
        connection: &RemoteConnection<'_, '_, '_>,
    ) -> Result<Refs, GitError> {
        self.run("read the references", || {
            let heads = connection.list()?.iter();
            let all = heads.map(|head| (head.name().to_owned(), head.oid().to_string())).collect();
            let head =
                connection.default_branch().ok().and_then(|name| name.as_str().ok().map(str::to_owned));
            Ok(Refs { all, head })
        })
    }

    /// Downloads the newest commits of what is named, without their history where the transport can leave it out.
    pub(super) fn download(
        self: &Arc<Self>,
        connection: &mut RemoteConnection<'_, '_, '_>,
        specs: &[&str],
    ) -> Result<(), GitError> {
        let mut options = FetchOptions::new();
        options.download_tags(AutotagOption::None).remote_callbacks(self.callbacks());
        if !self.is_local() {
            options.depth(1);
        }
        self.run("fetch", || connection.remote().download(specs, Some(&mut options)))
    }

    fn explain(&self, action: &'static str, error: &git2::Error) -> GitError {
        if error.code() == ErrorCode::User && self.remote.cancel.is_cancelled() {
            return GitError::Cancelled;
        }
        if error.code() == ErrorCode::User {
            return self.timeout("the transfer to end", self.remote.timeouts.total.as_secs());
        }
        let message = error.message().to_owned();
        match error.class() {
            ErrorClass::Net | ErrorClass::Http => GitError::BadAnswer { url: self.shown.clone(), message },
            _ if self.is_local() && error.code() == ErrorCode::NotFound => {
                GitError::NotFound { url: self.shown.clone(), credential: String::new() }
            }
            _ => GitError::Git { action, message },
        }
    }

    /// The error of waiting too long.
    pub(super) fn timeout(&self, waiting_for: &str, seconds: u64) -> GitError {
        GitError::Timeout {
            url: self.shown.clone(),
            waiting_for: format!("waiting for {waiting_for}"),
            seconds,
        }
    }

    /// Whether the work may go on: not cancelled, and in time.
    pub(super) fn goes_on(&self) -> bool {
        !self.remote.cancel.is_cancelled() && Instant::now() < self.deadline
    }

    /// Callbacks that report progress and stop a cancelled or overdue transfer.
    pub(super) fn callbacks<'a>(self: &Arc<Self>) -> RemoteCallbacks<'a> {
        let mut callbacks = RemoteCallbacks::new();
        let session = Arc::clone(self);
        let reported = Cell::new(Instant::now());
        callbacks.transfer_progress(move |progress| {
            let (objects, total) = (progress.received_objects(), progress.total_objects());
            // libgit2 calls this for every object; a screen needs it ten times a second.
            if objects == total || reported.get().elapsed().as_millis() >= 100 {
                reported.set(Instant::now());
                session.report(Progress::Receiving { objects, total, bytes: progress.received_bytes() });
            }
            session.goes_on()
        });
        let session = Arc::clone(self);
        callbacks.push_transfer_progress(move |objects, total, bytes| {
            session.report(Progress::Sending { objects, total, bytes });
        });
        callbacks
    }

    pub(super) fn report(&self, progress: Progress) {
        if let Some(sink) = &self.remote.progress {
            sink(progress);
        }
    }
}

/// The folder's real path; libgit2 resolves neither `.` nor links in the way git does.
fn local_address(url: &GitUrl, shown: &str) -> Result<String, GitError> {
    let missing = || GitError::NotFound { url: shown.to_owned(), credential: String::new() };
    let path = url.local_path().ok_or_else(missing)?;
    let path = path.canonicalize().map_err(|_error| missing())?;
    path.to_str().map(str::to_owned).ok_or_else(missing)
}
