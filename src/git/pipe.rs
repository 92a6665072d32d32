//! A folder served by git itself, as git does for `file://`: hooks run, locks hold, histories can be left out.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::error::GitError;
use super::network::{handle, wait};
use super::session::{Service, Session};

/// How long git may take to end once it was told everything.
const FAREWELL: Duration = Duration::from_secs(5);
/// How much of its complaints is kept.
const MAX_COMPLAINTS: usize = 8192;
/// What would lead git into another repository than the one it is given.
const MISLEADING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PROTOCOL",
];

/// A running `git upload-pack` or `git receive-pack`.
pub(super) struct Pipe {
    session: Arc<Session>,
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    complaints: Arc<Mutex<Vec<u8>>>,
}

/// Starts git on the folder; `None` if this machine has no git.
///
/// # Errors
/// [`GitError::Unreachable`] if it cannot be started.
pub(super) fn open(session: &Arc<Session>, path: &Path, service: Service) -> Result<Option<Pipe>, GitError> {
    let mut command = Command::new("git");
    command.arg(service.word()).arg(path).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in MISLEADING {
        command.env_remove(name);
    }
    // Hooks are somebody else's programs: our passwords are not for them.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SUPERCARGO_"))
    {
        command.env_remove(name);
    }
    let _inside = handle()?.enter();
    let unreachable = |message: String| GitError::Unreachable { url: session.shown.clone(), message };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreachable(format!("could not run git: {error}"))),
    };
    let (Some(input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(unreachable("could not talk to git".to_owned()));
    };
    let complaints = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(listen(errors, Arc::clone(&complaints)));
    Ok(Some(Pipe { session: Arc::clone(session), child, input: Some(input), output, complaints }))
}

/// Keeps what git complains about; reads on, so that it never waits for us.
async fn listen(mut errors: tokio::process::ChildStderr, complaints: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer).await {
        let mut kept = complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_COMPLAINTS {
            kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }
}

impl Pipe {
    /// Why git said nothing more.
    fn ended(&mut self) -> io::Result<usize> {
        let status = wait(&self.session, "git to end", self.child.wait())
            .map_err(|error| self.session.leave(error))??;
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        let words = String::from_utf8_lossy(&complaints).trim().to_owned();
        if status.success() || words.is_empty() {
            return Ok(0);
        }
        let url = self.session.shown.clone();
        let error = if words.contains("does not appear to be a git repository") {
            GitError::NotFound { url, credential: String::new() }
        } else {
            GitError::Unreachable { url, message: words }
        };
        Err(self.session.leave(error))
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = wait(&self.session, "git to send", self.output.read(buffer));
        match read.map_err(|error| self.session.leave(error))?? {
            0 if !buffer.is_empty() => self.ended(),
            count => Ok(count),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(input) = &mut self.input else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let written = wait(&self.session, "git to take the pack", input.write(bytes));
        written.map_err(|error| self.session.leave(error))?
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pipe {
    /// Lets git end by itself, so that its last hook runs; what does not end is killed with the child's handle.
    fn drop(&mut self) {
        drop(self.input.take());
        if let Ok(handle) = handle() {
            let ended = handle.block_on(async { tokio::time::timeout(FAREWELL, self.child.wait()).await });
            tracing::trace!(?ended, "git ended");
        }
    }
}
