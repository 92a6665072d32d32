//! A program that speaks Git's protocol on its streams: git itself for a folder, as git does for `file://` (hooks run,
//! locks hold, histories can be left out), or `ssh`.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::child;
use super::error::GitError;
use super::network::{handle, wait};
use super::session::{Service, Session};
use crate::children::Group;

/// How long the program may take to end once it was told everything.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long its last words may take once it has ended; a program that it left running may hold them open.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How much of its complaints is kept.
const MAX_COMPLAINTS: usize = 8192;

/// What it means that a program ended so, with these complaints; `None`: nothing went wrong.
pub(super) type Judge = Box<dyn Fn(ExitStatus, &str) -> Option<GitError> + Send>;

/// A running program.
pub(super) struct Pipe {
    session: Arc<Session>,
    group: Group,
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    complaints: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
    judge: Judge,
    /// Whether anything was said to it.
    has_spoken: bool,
    /// Whether it was given up.
    is_stuck: bool,
    /// What has to be there as long as it runs.
    kept: Option<TempDir>,
}

/// Starts git on the folder; `None` if this machine has no git.
///
/// # Errors
/// [`GitError::Unreachable`] if it cannot be started.
pub(super) fn open(session: &Arc<Session>, path: &Path, service: Service) -> Result<Option<Pipe>, GitError> {
    let mut command = child::command("git");
    command.arg(service.word()).arg(path);
    let url = session.shown.clone();
    let judge = move |status: ExitStatus, words: &str| {
        if status.success() || words.is_empty() {
            return None;
        }
        let url = url.clone();
        Some(if words.contains("does not appear to be a git repository") {
            GitError::NotFound { url, credential: String::new() }
        } else {
            GitError::Unreachable { url, message: words.to_owned() }
        })
    };
    match Pipe::start(session, command, Box::new(judge))? {
        Ok(pipe) => Ok(Some(pipe)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("could not run git: {error}");
            Err(GitError::Unreachable { url: session.shown.clone(), message })
        }
    }
}

/// Keeps what the program complains about; reads on, so that it never waits for us.
async fn listen(mut errors: ChildStderr, complaints: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer).await {
        let mut kept = complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_COMPLAINTS {
            kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }
}

impl Pipe {
    /// Starts a program whose streams are ours.
    ///
    /// # Errors
    /// [`GitError::Git`] without a runtime; inside, that it cannot be started.
    pub(super) fn start(
        session: &Arc<Session>,
        mut command: Command,
        judge: Judge,
    ) -> Result<io::Result<Self>, GitError> {
        let _inside = handle()?.enter();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ok(Err(error)),
        };
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Ok(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let listener = tokio::spawn(listen(errors, Arc::clone(&complaints)));
        let (session, input) = (Arc::clone(session), Some(input));
        let (has_spoken, is_stuck, kept) = (false, false, None);
        Ok(Ok(Self {
            session,
            group: Group::led_by(child.id()),
            child,
            input,
            output,
            complaints,
            listener,
            judge,
            has_spoken,
            is_stuck,
            kept,
        }))
    }

    /// Keeps a folder as long as the program runs.
    pub(super) fn keep(&mut self, folder: Option<TempDir>) {
        self.kept = folder;
    }

    /// Says farewell, and gives it the time to end.
    fn part(&mut self) {
        let Ok(handle) = handle() else { return };
        let (input, has_spoken) = (self.input.take(), self.has_spoken);
        let ended = handle.block_on(async {
            tokio::time::timeout(FAREWELL, async {
                if let Some(mut input) = input.filter(|_| !has_spoken) {
                    // Nothing is wanted of what it listed.
                    let _ = input.write_all(b"0000").await;
                }
                self.child.wait().await
            })
            .await
        });
        tracing::trace!(?ended, "the remote's program ended");
    }

    /// Why the program said nothing more.
    fn ended(&mut self) -> io::Result<usize> {
        let session = Arc::clone(&self.session);
        let status =
            wait(&session, "the remote's program to end", self.child.wait()).map_err(|error| {
                self.is_stuck = true;
                session.leave(error)
            })??;
        self.group.release();
        let last_words = async { tokio::time::timeout(LAST_WORDS, &mut self.listener).await };
        drop(handle().map(|handle| handle.block_on(last_words)));
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        let words = String::from_utf8_lossy(&complaints).trim().to_owned();
        match (self.judge)(status, &words) {
            Some(error) => Err(session.leave(error)),
            None => Ok(0),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = wait(&self.session, "the remote to send", self.output.read(buffer));
        self.is_stuck |= read.is_err();
        match read.map_err(|error| self.session.leave(error))?? {
            0 if !buffer.is_empty() => self.ended(),
            count => Ok(count),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(input) = &mut self.input else { return Err(io::ErrorKind::BrokenPipe.into()) };
        self.has_spoken = true;
        let written = wait(&self.session, "the remote to take the pack", input.write(bytes));
        self.is_stuck |= written.is_err();
        match written.map_err(|error| self.session.leave(error))? {
            // It ended instead of listening, and may have said why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.ended().and(Err(error)),
            done => done,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pipe {
    /// Lets the program end by itself, so that the last hook runs; what does not end is killed with all it started.
    fn drop(&mut self) {
        if self.session.goes_on() && !self.is_stuck {
            self.part();
        }
        if self.child.id().is_none() {
            self.group.release();
        }
    }
}
