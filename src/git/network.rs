//! The clockwork below the streams: callers block, everything on the network waits with a limit.
//!
//! One small runtime of this module's own drives sockets and child processes, so that callers need not be inside one
//! and no stream can hang longer than its session allows.

use std::future::Future;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use super::error::GitError;
use super::session::Session;

/// The runtime; made when first needed, and idle without work.
pub(super) fn handle() -> Result<&'static Handle, GitError> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let make =
        || Builder::new_multi_thread().worker_threads(1).thread_name("git-network").enable_all().build();
    match RUNTIME.get_or_init(make) {
        Ok(runtime) => Ok(runtime.handle()),
        Err(error) => Err(GitError::Git { action: "start the network", message: error.to_string() }),
    }
}

/// Waits for `work`, at most the idle time and what is left of the session's.
///
/// # Errors
/// [`GitError::Timeout`] naming `waiting_for`, or [`GitError::Cancelled`].
pub(super) fn wait<T>(
    session: &Session,
    waiting_for: &str,
    work: impl Future<Output = T>,
) -> Result<T, GitError> {
    let (limit, seconds) = session.patience();
    let cancelled = session.cancelled();
    handle()?.block_on(async {
        tokio::select! {
            biased;
            () = cancelled => Err(GitError::Cancelled),
            done = tokio::time::timeout(limit, work) => {
                done.map_err(|_elapsed| session.timeout(waiting_for, seconds))
            }
        }
    })
}

/// The seconds of a duration, never 0: "gave up after 0 s" says nothing.
pub(super) fn shown_seconds(duration: Duration) -> u64 {
    duration.as_secs().max(1)
}
