//! What a person should hear about the store, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::problem::{Code, Problem};

/// What a person should hear about the store.
#[derive(Debug, Default)]
pub(super) struct Notices {
    heard: Mutex<Heard>,
}

/// What is kept below one of the folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// What nothing brings back.
    State,
    /// What registries and remotes bring back.
    Cache,
}

#[derive(Debug, Default)]
struct Heard {
    waiting: Vec<Problem>,
    /// Why memory takes the place of files; `None` once that was said.
    in_memory: BTreeMap<Part, Option<String>>,
    /// Files that make no sense and cannot be moved: each is read again and again, and said once.
    stuck: BTreeSet<PathBuf>,
}

impl Notices {
    /// Notes, once in a process's life for each part, that memory takes the place of files.
    pub(super) fn memory_only(&self, part: Part, why: &str) {
        self.heard().in_memory.entry(part).or_insert_with(|| Some(why.to_owned()));
    }

    /// As [`Self::memory_only`], because `folder` cannot be written.
    pub(super) fn unwritable(&self, part: Part, folder: &Path, error: &io::Error) {
        self.memory_only(part, &format!("{} cannot be written: {error}", folder.display()));
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
        let mut heard = self.heard();
        let reasons: BTreeMap<Part, String> =
            heard.in_memory.iter_mut().filter_map(|(part, why)| Some((*part, why.take()?))).collect();
        let mut all = std::mem::take(&mut heard.waiting);
        all.extend(in_memory(&reasons));
        all
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one warning that memory takes the place of files, with what to do.
fn in_memory(reasons: &BTreeMap<Part, String>) -> Option<Problem> {
    let parts: Vec<Part> = reasons.keys().copied().collect();
    let (what, hint) = match parts.as_slice() {
        [] => return None,
        [Part::State] => (
            "state is kept in memory only",
            "Make the folder writable, or name another in XDG_STATE_HOME: decisions and first sightings are lost with this run.",
        ),
        [Part::Cache] => (
            "the cache is kept in memory only",
            "Make the folder writable, or name another in XDG_CACHE_HOME: the next run asks registries and remotes for all of it again.",
        ),
        _ => (
            "state is kept in memory only, and so is the cache",
            "Give a writable HOME, or folders in XDG_STATE_HOME and XDG_CACHE_HOME: what is decided is lost with this run.",
        ),
    };
    let mut why: Vec<&str> = reasons.values().map(String::as_str).collect();
    why.dedup();
    Some(Problem::new(Code::State, "", format!("{what}: {}", why.join("; "))).hint(hint))
}

fn of_file(file: &Path, message: String) -> Problem {
    Problem::new(Code::State, file.display().to_string(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_named_once_with_path_cause_and_next_step() {
        let (notices, denied) = (Notices::default(), || io::Error::from(io::ErrorKind::PermissionDenied));
        for _ in 0..2 {
            notices.unwritable(Part::Cache, Path::new("/c/tags"), &denied());
            notices.unwritable(Part::Cache, Path::new("/c/git"), &denied());
        }
        let [cache] = notices.take().try_into().unwrap();
        assert_eq!(
            cache.message,
            "the cache is kept in memory only: /c/tags cannot be written: permission denied"
        );
        assert!(cache.hint.unwrap().contains("XDG_CACHE_HOME"));
        notices.unwritable(Part::Cache, Path::new("/c/tags"), &denied());
        notices.unwritable(Part::State, Path::new("/s/journal"), &denied());
        let [state] = notices.take().try_into().unwrap();
        assert!(state.message.starts_with("state is kept in memory only: /s/journal"), "{}", state.message);
        assert!(state.hint.unwrap().contains("XDG_STATE_HOME"));
        let notices = Notices::default();
        for part in [Part::Cache, Part::State] {
            notices.memory_only(part, "no home directory is known");
        }
        let [both] = notices.take().try_into().unwrap();
        let says = "state is kept in memory only, and so is the cache: no home directory is known";
        assert_eq!(both.message, says, "one warning for both");
    }
}
