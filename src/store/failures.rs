//! Why the last scan of each repository failed, which a cluster keeps in the repository's status: until one succeeds, it is not all
//! well with it, though the tags of the last good scan still serve.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codec::Kind;
use super::sealed::SealedFiles;
use super::shelf::{Shelf, file_name};
use super::tags::whole_seconds;
use crate::problem::Problem;

const KIND: Kind = *b"SCFAIL\0\x01";

/// For how long a failure is kept of a repository that is not scanned any more, in seconds.
const KEPT: i64 = 30 * 24 * 3600;

/// A scan that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The canonical name of the image that was asked for.
    pub canonical: String,
    /// Why.
    problem: Problem,
    /// A controller's words for it, which the problem's own form does not hold.
    in_flux: Option<Box<str>>,
    /// When, in seconds since 1970.
    seconds: i64,
}

impl Failure {
    /// That the scan of `canonical` failed at `time` with `problem`.
    pub fn new(canonical: String, problem: &Problem, time: Timestamp) -> Self {
        let in_flux = problem.in_flux.clone();
        Self { canonical, problem: problem.clone(), in_flux, seconds: time.as_second() }
    }

    /// Why.
    pub fn problem(&self) -> Problem {
        Problem { in_flux: self.in_flux.clone(), ..self.problem.clone() }
    }

    /// When that was.
    pub fn time(&self) -> Timestamp {
        whole_seconds(self.seconds)
    }
}

/// One file per source of objects, as for [`super::Reflections`].
#[derive(Debug)]
pub struct Failures {
    files: SealedFiles,
}

impl Failures {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { files: SealedFiles::new(shelf, KIND, ("why scans failed", "the next scan tells")) }
    }

    /// The failures of the repositories of `source`, by a key of the caller's. A damaged file is set aside, with a warning.
    pub fn read(&self, source: &str) -> BTreeMap<String, Failure> {
        let name = file_name(source, "failed");
        self.files.read(&name, |sealed| unpack(&sealed.payload, source)).unwrap_or_default()
    }

    /// Notes what became of some scans at `now`, `None` for one that succeeded; what another process noted of others meanwhile
    /// stays. Where that is no news nothing is written.
    pub fn update(&self, source: &str, news: BTreeMap<String, Option<Failure>>, now: Timestamp) {
        let is_news =
            |known: &BTreeMap<_, _>| news.iter().any(|(key, new)| new.is_some() || known.contains_key(key));
        if !is_news(&self.read(source)) {
            return;
        }
        let name = file_name(source, "failed");
        let _turn = self.files.turn(&name);
        let mut all = self.read(source);
        for (key, new) in news {
            match new {
                Some(failure) => drop(all.insert(key, failure)),
                None => drop(all.remove(&key)),
            }
        }
        all.retain(|_, failure| now.as_second() - failure.seconds < KEPT);
        if let Ok(payload) = serde_json::to_vec(&(source, &all)) {
            self.files.write(&name, now.as_second(), &payload);
        }
    }
}

fn unpack(payload: &[u8], source: &str) -> Option<BTreeMap<String, Failure>> {
    let (name, all): (String, BTreeMap<String, Failure>) = serde_json::from_slice(payload).ok()?;
    (name == source).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;
    use crate::store::{Dirs, Store};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn failed(key: &str, second: i64) -> BTreeMap<String, Option<Failure>> {
        let problem = Problem::new(Code::Unreachable, key, "gone").hint("Wait.").in_flux("EOF");
        BTreeMap::from([(key.to_owned(), Some(Failure::new("r/a".to_owned(), &problem, at(second))))])
    }

    #[test]
    fn a_failure_is_known_to_the_next_process_until_a_scan_succeeds() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Store::open(&Dirs::below(dir.path()));
        open().failures().update("fleet", failed("a", 100), at(100));
        open().failures().update("fleet", failed("b", 101), at(101));
        let all = open().failures().read("fleet");
        let problem = all["a"].problem();
        assert_eq!((problem.in_flux.as_deref(), problem.hint.as_deref()), (Some("EOF"), Some("Wait.")));
        assert_eq!((all.len(), all["a"].time(), all["a"].canonical.as_str()), (2, at(100), "r/a"));
        open().failures().update("fleet", BTreeMap::from([("a".to_owned(), None)]), at(102));
        assert_eq!(open().failures().read("fleet").into_keys().collect::<Vec<_>>(), ["b"]);
        assert!(open().failures().read("another").is_empty());
        open().failures().update("fleet", failed("c", KEPT + 101), at(KEPT + 101));
        assert_eq!(open().failures().read("fleet").into_keys().collect::<Vec<_>>(), ["c"], "b is long gone");
    }

    #[test]
    fn where_all_went_well_and_nothing_was_wrong_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        store.failures().update("fleet", BTreeMap::from([("a".to_owned(), None)]), at(1));
        assert!(!dir.path().join("state").exists());
    }
}
