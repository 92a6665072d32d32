//! Programs of the system that are started here: without a terminal to ask on, without our secrets, within limits, and
//! ended together with whatever they started.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::error::GitError;
use super::network::{handle, shown_seconds, wait};
use super::session::Session;
use crate::children::Group;
use crate::environment::{has_program, without_ours};

/// How much of an answer is read, in bytes.
const LONGEST: u64 = 64 << 10;
/// What would lead git into another repository than the one it is given, or into another protocol.
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

/// `program` with its three streams to us, and nothing in its environment that misleads git or is a secret of ours: hooks
/// and helpers are somebody else's programs.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    without_ours(command.as_std_mut());
    for name in MISLEADING {
        command.env_remove(name);
    }
    command
}

/// As [`command`], for a program that might ask a person: it has no terminal to do it on, and is the first of a [`Group`].
pub(super) fn detached(program: impl AsRef<OsStr>) -> Command {
    if has_setsid() {
        let mut detached = command("setsid");
        detached.arg(program);
        return detached;
    }
    let mut detached = command(program);
    detached.process_group(0);
    detached
}

/// As [`detached`], for a program with its arguments.
pub(super) fn detached_line(line: &[OsString]) -> Command {
    let (program, arguments) =
        line.split_first().map_or_else(Default::default, |(first, rest)| (first.clone(), rest));
    let mut command = detached(program);
    command.args(arguments);
    command
}

fn has_setsid() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| has_program("setsid"))
}

/// A program that ran to its end.
pub(super) struct Ended {
    /// How it ended.
    pub(super) status: ExitStatus,
    /// What it wrote.
    pub(super) out: Vec<u8>,
    /// What it complained about.
    pub(super) complaints: String,
}

/// A program that is given up, and what it started, end with this, the group before its leader's handle goes.
struct Running {
    group: Group,
    child: Child,
}

/// Runs a [`detached`] program with `input`, within the limits of the session.
///
/// # Errors
/// [`GitError::Timeout`] and [`GitError::Cancelled`]; inside, that it cannot be started or spoken to.
pub(super) fn run(
    session: &Session,
    command: Command,
    input: &[u8],
    waiting_for: &str,
) -> Result<io::Result<Ended>, GitError> {
    match start(command)? {
        Ok(running) => wait(session, waiting_for, converse(running, input)),
        Err(error) => Ok(Err(error)),
    }
}

/// Runs a [`detached`] program with `input`, at most for `patience`.
///
/// # Errors
/// Inside: it cannot be started or spoken to, or takes longer ([`io::ErrorKind::TimedOut`]).
pub(super) fn run_within(
    patience: Duration,
    command: Command,
    input: &[u8],
) -> Result<io::Result<Ended>, GitError> {
    let running = match start(command)? {
        Ok(running) => running,
        Err(error) => return Ok(Err(error)),
    };
    let ended = handle()?.block_on(async { tokio::time::timeout(patience, converse(running, input)).await });
    Ok(ended.unwrap_or_else(|_elapsed| {
        let message = format!("did not end within {} s", shown_seconds(patience));
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    }))
}

fn start(mut command: Command) -> Result<io::Result<Running>, GitError> {
    let _inside = handle()?.enter();
    Ok(command.spawn().map(|child| Running { group: Group::led_by(child.id()), child }))
}

async fn converse(mut running: Running, input: &[u8]) -> io::Result<Ended> {
    let child = &mut running.child;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // One that ends without listening says so by how it ends.
            let _ = stdin.write_all(input).await;
        }
    };
    let ((), out, complaints) = futures::join!(tell, all_of(stdout), all_of(stderr));
    let status = child.wait().await?;
    running.group.release();
    Ok(Ended { status, out: out?, complaints: String::from_utf8_lossy(&complaints?).into_owned() })
}

async fn all_of(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    if let Some(stream) = stream {
        stream.take(LONGEST).read_to_end(&mut all).await?;
    }
    Ok(all)
}
