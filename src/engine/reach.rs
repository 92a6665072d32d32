//! Which remotes did not answer when they were last asked, and why: what is read of them after that is old, and says so.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::problem::Problem;

/// Problems by address, for the life of the engine.
#[derive(Debug, Default)]
pub(super) struct Unreached(Mutex<BTreeMap<String, (Timestamp, Problem)>>);

impl Unreached {
    /// Takes in how the last question to `url` went, and hands it on.
    pub(super) fn note<T>(&self, url: &str, answer: Result<T, Problem>) -> Result<T, Problem> {
        match &answer {
            Ok(_) => drop(self.all().remove(url)),
            Err(problem) => drop(self.all().insert(url.to_owned(), (super::now(), problem.clone()))),
        }
        answer
    }

    /// Why `url` did not answer; `None` if it did, or was not asked. What was `fetched` after that is none the worse.
    pub(super) fn why(&self, url: &str, fetched: Option<Timestamp>) -> Option<Problem> {
        let noted = self.all().get(url).cloned();
        let (_, problem) = noted.filter(|(time, _)| fetched.is_none_or(|fetched| *time >= fetched))?;
        Some(problem)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, (Timestamp, Problem)>> {
        // What was noted is as true after a panic elsewhere as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
