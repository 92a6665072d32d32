//! Landing alone: while one instance compares and pushes, no other instance of this account does on the same remote.

use std::time::{Duration, Instant};

use super::land::{Steps, timed};
use crate::git::{GitError, Remote};
use crate::problem::{Code, Problem};
use crate::store::{RemoteLock, Store};

/// How long to wait for another instance.
const PATIENCE: Duration = Duration::from_mins(1);

const STEP: Duration = Duration::from_millis(20);

/// Waits until no other instance lands on `remote`, which is told if it takes time; others wait until the answer is
/// dropped.
///
/// # Errors
/// Another instance does not end ([`Code::GitContested`], saying which), or the work was stopped.
pub(super) fn alone(store: &Store, remote: &Remote, step: Steps<'_>) -> Result<RemoteLock, Problem> {
    let address = remote.shown();
    let who = format!("{}, process {}, since {}", super::who(), std::process::id(), super::now());
    let take = || store.remote_locks().try_take(&address, &who);
    let other = match take() {
        Ok(lock) => return Ok(lock),
        Err(other) => other,
    };
    let until = Instant::now() + PATIENCE;
    timed(step, &format!("waiting for {other}, who is pushing to {address}"), || {
        loop {
            std::thread::sleep(STEP);
            if remote.cancel.is_cancelled() {
                return Err(GitError::Cancelled.into());
            }
            match take() {
                Ok(lock) => return Ok(lock),
                Err(other) if Instant::now() >= until => {
                    let text = format!("{other} is still pushing to it");
                    return Err(Problem::new(Code::GitContested, &address, text)
                        .hint("Try again when that has ended."));
                }
                Err(_) => {}
            }
        }
    })
}
