//! What a person should hear about the store, each once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::problem::{Code, Problem};

/// What a person should hear about the store.
#[derive(Debug, Default)]
pub(super) struct Notices {
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    waiting: Vec<Problem>,
    memory_only: bool,
    /// Files that make no sense and cannot be moved: each is read again and again, and said once.
    stuck: BTreeSet<PathBuf>,
}

impl Notices {
    /// Notes, once in a process's life, that memory takes the place of files.
    pub(super) fn memory_only(&self, why: &str) {
        let mut heard = self.heard();
        if !std::mem::replace(&mut heard.memory_only, true) {
            let message = format!("state is kept in memory only: {why}");
            heard.waiting.push(Problem::new(Code::State, "", message));
        }
    }

    pub(super) fn push(&self, file: &Path, message: String) {
        self.heard().waiting.push(of_file(file, message));
    }

    /// As [`Self::push`], once for each file, with what to do.
    pub(super) fn stuck(&self, file: &Path, message: String, hint: Option<&str>) {
        let mut heard = self.heard();
        if heard.stuck.insert(file.to_owned()) {
            heard.waiting.push(Problem { hint: hint.map(str::to_owned), ..of_file(file, message) });
        }
    }

    pub(super) fn take(&self) -> Vec<Problem> {
        std::mem::take(&mut self.heard().waiting)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_file(file: &Path, message: String) -> Problem {
    Problem::new(Code::State, file.display().to_string(), message)
}
