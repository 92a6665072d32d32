//! One operation on one remote: its way there, its limits, and the error that a stream ended with.
//!
//! Streams speak `std::io`, which has no room for what is known about a failure (a status, the credentials that were
//! tried); that is left here, and [`Session::explain`] picks it up.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::GitError;
use super::exchange;
use super::folder::{self, Folder};
use super::http::Http;
use super::network::shown_seconds;
use super::pipe;
use super::ssh::Ssh;
use super::url::{GitUrl, Scheme};
use super::wire::Advertised;
use super::{Progress, Remote};

/// What is wanted from the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Reading: `git-upload-pack`.
    Upload,
    /// Writing: `git-receive-pack`.
    Receive,
}

impl Service {
    /// `upload-pack` or `receive-pack`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Upload => "upload-pack",
            Self::Receive => "receive-pack",
        }
    }
}

/// How a remote is reached.
#[derive(Clone)]
enum Way {
    /// Our own HTTP.
    Http(Arc<Http>),
    /// The system's ssh.
    Ssh(Arc<Ssh>),
    /// A folder of this machine.
    Folder(PathBuf),
}

/// A stream to a remote: first written, then read.
pub(super) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// A conversation that has begun: the remote has said what it has.
pub(super) struct Talk {
    /// What it said.
    pub(super) advertised: Advertised,
    /// What follows.
    pub(super) line: Line,
}

/// With whom the conversation goes on.
pub(super) enum Line {
    /// A server, in Git's protocol.
    Stream(Box<dyn Stream>),
    /// Files, where there is no git that would serve them.
    Folder(Folder),
}

/// One operation on a remote, from the first request to the last.
pub(super) struct Session {
    /// The remote.
    pub(super) remote: Remote,
    /// Its address as it may be shown.
    pub(super) shown: String,
    way: Way,
    /// When patience ends.
    deadline: Instant,
    /// The label of the credential that was accepted.
    accepted: Mutex<String>,
    /// The error that a stream ended with.
    left: Mutex<Option<GitError>>,
    /// Whether something was sent that the remote may act upon: from then on nobody can stop it.
    sending: AtomicBool,
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
        let way = match url.scheme {
            Scheme::File => Way::Folder(folder::real_path(&url, &shown)?),
            Scheme::Http | Scheme::Https => Way::Http(Arc::new(Http::new(remote, &url)?)),
            Scheme::Ssh => Way::Ssh(Arc::new(Ssh::new(remote, &url)?)),
        };
        let deadline = Instant::now() + remote.timeouts.total;
        let (accepted, left) = (Mutex::new("none".to_owned()), Mutex::new(None));
        let sending = AtomicBool::new(false);
        Ok(Arc::new(Self { remote: remote.clone(), shown, way, deadline, accepted, left, sending }))
    }

    /// The same remote once more, with new patience and the login that was accepted.
    pub(super) fn again(&self) -> Arc<Self> {
        Arc::new(Self {
            remote: self.remote.clone(),
            shown: self.shown.clone(),
            way: self.way.clone(),
            deadline: Instant::now() + self.remote.timeouts.total,
            accepted: Mutex::new(self.credential()),
            left: Mutex::new(None),
            sending: AtomicBool::new(self.sending.load(Ordering::Relaxed)),
        })
    }

    /// The point of no return: what follows runs to its end, whoever cancels.
    ///
    /// # Errors
    /// [`GitError::Cancelled`] if somebody did before.
    pub(super) fn begin_sending(&self, objects: usize) -> Result<(), GitError> {
        if self.is_cancelled() {
            return Err(GitError::Cancelled);
        }
        self.sending.store(true, Ordering::Relaxed);
        self.report(Progress::Sending { objects: 0, total: objects, bytes: 0 });
        Ok(())
    }

    fn is_cancelled(&self) -> bool {
        !self.sending.load(Ordering::Relaxed) && self.remote.cancel.is_cancelled()
    }

    /// Ends when somebody cancels what can still be stopped; else never.
    pub(super) async fn cancelled(&self) {
        if self.sending.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        self.remote.cancel.cancelled().await;
    }

    /// Begins a conversation: logs in and reads what the remote has.
    ///
    /// # Errors
    /// Whatever keeps the remote from answering.
    pub(super) fn talk(self: &Arc<Self>, service: Service) -> Result<Talk, GitError> {
        let mut stream: Box<dyn Stream> = match &self.way {
            Way::Http(http) => return exchange::talk(self, http, service),
            Way::Ssh(ssh) => return ssh.talk(self, service),
            Way::Folder(path) => match pipe::open(self, path, service)? {
                Some(child) => Box::new(child),
                None => return folder::talk(self, path),
            },
        };
        let advertised = Advertised::read(&mut stream).map_err(|error| self.explain(&error))?;
        Ok(Talk { advertised, line: Line::Stream(stream) })
    }

    /// The label of the credential that was accepted; `none` where there is nothing to log in to.
    pub(super) fn credential(&self) -> String {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the credential that was accepted.
    pub(super) fn accept(&self, label: &str) {
        label.clone_into(&mut self.accepted.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Keeps what is known about an error, and makes one for the stream's reader or writer.
    pub(super) fn leave(&self, error: GitError) -> io::Error {
        let message = error.to_string();
        self.left.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        io::Error::other(message)
    }

    /// The error behind a stream's: what was left, else what the stream said.
    pub(super) fn explain(&self, error: &io::Error) -> GitError {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        left.unwrap_or_else(|| match error.kind() {
            io::ErrorKind::Interrupted => self.stopped(),
            io::ErrorKind::InvalidData => self.bad_answer(error),
            _ => GitError::Unreachable { url: self.shown.clone(), message: error.to_string() },
        })
    }

    /// An answer that makes no sense.
    pub(super) fn bad_answer(&self, message: &impl ToString) -> GitError {
        GitError::BadAnswer { url: self.shown.clone(), message: message.to_string() }
    }

    /// How long the next byte may take, and the same in whole seconds for a message.
    pub(super) fn patience(&self) -> (Duration, u64) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < self.remote.timeouts.idle {
            return (left, shown_seconds(self.remote.timeouts.total));
        }
        (self.remote.timeouts.idle, shown_seconds(self.remote.timeouts.idle))
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
        !self.is_cancelled() && Instant::now() < self.deadline
    }

    /// Why [`Self::goes_on`] says no.
    pub(super) fn stopped(&self) -> GitError {
        if self.is_cancelled() {
            return GitError::Cancelled;
        }
        self.timeout("the transfer to end", shown_seconds(self.remote.timeouts.total))
    }

    /// [`Self::goes_on`] for those who speak `std::io`.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.goes_on() { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    }

    /// Tells whoever listens how it goes.
    pub(super) fn report(&self, progress: Progress) {
        if let Some(sink) = &self.remote.progress {
            sink(progress);
        }
    }
}
