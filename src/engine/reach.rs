//! When remotes were last asked, and which of them did not answer then, and why: what is read of those after that is old, and
//! says so.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::problem::Problem;

/// When a remote was asked, and why it did not answer, if it did not.
type Asked = (Timestamp, Option<Problem>);

/// By address when it was asked, and the problem if it did not answer; for the life of the engine.
#[derive(Debug, Default)]
pub(super) struct Unreached(Mutex<BTreeMap<String, Asked>>);

impl Unreached {
    /// Takes in how the last question to `url` went, and hands it on.
    pub(super) fn note<T>(&self, url: &str, answer: Result<T, Problem>) -> Result<T, Problem> {
        self.all().insert(url.to_owned(), (super::now(), answer.as_ref().err().cloned()));
        answer
    }

    /// When `url` last answered, unless it did not when it was asked last.
    pub(super) fn answered(&self, url: &str) -> Option<Timestamp> {
        self.all().get(url).filter(|(_, problem)| problem.is_none()).map(|(time, _)| *time)
    }

    /// Why `url` did not answer; `None` if it did, or was not asked. What was `fetched` after that is none the worse.
    pub(super) fn why(&self, url: &str, fetched: Option<Timestamp>) -> Option<Problem> {
        let noted = self.all().get(url).cloned();
        noted.filter(|(time, _)| fetched.is_none_or(|fetched| *time >= fetched))?.1
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Asked>> {
        // What was noted is as true after a panic elsewhere as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
