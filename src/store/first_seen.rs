//! When each tag was first seen by us, and when with which digest: registries do not say when a tag was pushed. Never
//! cleared with the cache.

mod packed;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

#[cfg(any(fuzzing, test))]
pub(super) use self::packed::read_any;
use self::packed::{pack, print, unpack};
use super::codec::{self, Kind, Print};
use super::sealed::SealedFiles;
use super::shelf::{Shelf, file_name};
use super::tags::whole_seconds;
use crate::domain::tags::TagList;

/// Files of version 1, without digests, and of version 2, without a print, are read too.
const KIND: Kind = *b"SCSEEN\0\x03";

/// What the name of a ledger ends with.
const ENDING: &str = "seen";

/// How many digests are remembered of one tag; a tag that moves more often loses its oldest.
const DIGESTS: usize = 100;

/// The ledger, one file per canonical repository name.
#[derive(Debug)]
pub struct FirstSeen {
    files: SealedFiles,
    /// What could not be written because another process did not let go of the file, by repository: all that was known
    /// and is new, to be written with the next.
    late: Mutex<HashMap<String, Ledger>>,
}

/// The tags of one repository with their times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// When the repository was first looked at: tags with this time may be older.
    pub since: Option<Timestamp>,
    tags: TagList,
    /// Seconds since 1970, by the index of the tag.
    seconds: Vec<i64>,
    /// The digests that each tag was seen with, and when first, in seconds; the one it was last seen with is the last.
    digests: BTreeMap<String, Vec<(String, i64)>>,
}

impl Ledger {
    /// When `tag` was first seen, in whole seconds.
    pub fn get(&self, tag: &str) -> Option<Timestamp> {
        self.tags.position(tag).and_then(|at| self.seconds.get(at)).map(|seconds| whole_seconds(*seconds))
    }

    /// Whether `tag` was there when we first looked, so that its time is only the latest it can be.
    pub fn is_older(&self, tag: &str) -> bool {
        self.since.is_some() && self.get(tag) == self.since
    }

    /// The digest that `tag` was last seen with; `None`: nobody has asked.
    pub fn digest(&self, tag: &str) -> Option<&str> {
        self.digests.get(tag).and_then(|digests| digests.last()).map(|(digest, _)| digest.as_str())
    }

    /// When a tag that was seen with another digest before was first seen with the one it has; `None`: it never moved.
    pub fn moved(&self, tag: &str) -> Option<Timestamp> {
        let [.., _, (_, seconds)] = self.digests.get(tag)?.as_slice() else { return None };
        Some(whole_seconds(*seconds))
    }

    /// The digest that each tag was last seen with, of those that anybody asked about.
    pub fn current_digests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.digests
            .iter()
            .filter_map(|(tag, digests)| digests.last().map(|(digest, _)| (tag.as_str(), digest.as_str())))
    }

    /// When what `tag` stands for was first seen, and whether it was there when we first looked and may be older. What a
    /// tag was moved to is as young as the move.
    pub fn sighting(&self, tag: &str) -> (Option<Timestamp>, bool) {
        match self.moved(tag) {
            Some(moved) => (Some(moved), false),
            None => (self.get(tag), self.is_older(tag)),
        }
    }

    /// The tags that stood for something else before, in ascending byte order.
    pub fn moved_tags(&self) -> impl Iterator<Item = &str> {
        self.digests.keys().map(String::as_str).filter(|tag| self.moved(tag).is_some())
    }

    /// When `tag` was first seen with `digest`, in whole seconds.
    pub fn first_with(&self, tag: &str, digest: &str) -> Option<Timestamp> {
        let (_, seconds) = self.digests.get(tag)?.iter().find(|(known, _)| known == digest)?;
        Some(whole_seconds(*seconds))
    }

    /// Notes tags as seen at `seconds`; what was seen before that stays.
    fn add<'a>(&mut self, seen: impl Iterator<Item = (&'a str, i64)>) {
        let mut all: Vec<(&str, i64)> = seen.collect::<Vec<(&'a str, i64)>>();
        all.extend(self.tags.iter().zip(self.seconds.iter().copied()));
        all.sort_by(|a, b| b.0.cmp(a.0).then(a.1.cmp(&b.1)));
        // A registry may list a tag twice.
        all.dedup_by(|a, b| a.0 == b.0);
        let (tags, seconds): (Vec<&str>, Vec<i64>) = all.into_iter().unzip();
        (self.tags, self.seconds) = (TagList::from_unsorted(tags), seconds);
    }

    /// Notes tags that are seen at `now`; returns those that never were, none at the first look.
    fn observe(&mut self, tags: &TagList, now: Timestamp) -> TagList {
        let new = tags.without(&self.tags);
        self.add(new.iter().map(|tag| (tag, now.as_second())));
        let first = self.since.is_none();
        self.since.get_or_insert(whole_seconds(now.as_second()));
        if first { TagList::default() } else { new }
    }

    /// Notes the digest that a tag has at `now`.
    fn observe_digest(&mut self, tag: &str, digest: &str, now: Timestamp) {
        let digests = self.digests.entry(tag.to_owned()).or_default();
        let known = digests.iter().position(|(known, _)| known == digest).map(|at| digests.remove(at));
        digests.push(known.unwrap_or_else(|| (digest.to_owned(), now.as_second())));
        digests.drain(..digests.len().saturating_sub(DIGESTS));
    }

    /// Takes over what `other` knows beside this; of two times the earlier counts.
    fn merge(&mut self, other: &Self) {
        self.add(other.tags.iter().zip(other.seconds.iter().copied()));
        self.since = self.since.into_iter().chain(other.since).min();
        for (tag, theirs) in &other.digests {
            let ours = self.digests.entry(tag.clone()).or_default();
            for (digest, seconds) in theirs {
                match ours.iter_mut().find(|(known, _)| known == digest) {
                    Some((_, first)) => *first = *seconds.min(first),
                    None => ours.push((digest.clone(), *seconds)),
                }
            }
        }
    }
}

impl FirstSeen {
    pub(super) fn new(shelf: Shelf) -> Self {
        let words = ("a ledger of first sightings", "they count from the next scan on");
        Self { files: SealedFiles::new(shelf, KIND, words).lasting(), late: Mutex::default() }
    }

    /// All that is known about `canonical`. A damaged file is set aside, with a warning.
    pub fn read(&self, canonical: &str) -> Ledger {
        let mut ledger = self.kept(canonical);
        if let Some(late) = self.late().get(canonical) {
            ledger.merge(late);
        }
        ledger
    }

    fn kept(&self, canonical: &str) -> Ledger {
        let name = file_name(canonical, ENDING);
        self.files.read(&name, |sealed| unpack(sealed, canonical)).unwrap_or_default()
    }

    /// Notes those of `tags` that were never seen as seen now, and returns them.
    ///
    /// The first observation of a repository notes all its tags and returns none: they are not news.
    pub fn observe(&self, canonical: &str, tags: &TagList, now: Timestamp) -> TagList {
        self.note(canonical, tags, &codec::print(canonical, tags, &TagList::default()), now)
    }

    /// As [`Self::observe`], with the print of `tags`: a ledger that has just them has nothing to learn, and is not read.
    pub(super) fn note(&self, canonical: &str, tags: &TagList, print: &Print, now: Timestamp) -> TagList {
        let is_late = self.late().contains_key(canonical);
        let head = self.files.head(&file_name(canonical, ENDING));
        if !is_late && head.is_some_and(|head| head.print == *print) {
            return TagList::default();
        }
        let known = self.read(canonical);
        let new = tags.without(&known.tags);
        // One that has just them all the same is of an older version, and is written anew once.
        if new.is_empty() && known.since.is_some() && known.tags != *tags {
            return new;
        }
        self.change(canonical, |ledger| ledger.observe(tags, now))
    }

    /// Notes the digests that tags have now.
    pub fn observe_digests<'a>(
        &self,
        canonical: &str,
        digests: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
        now: Timestamp,
    ) {
        let known = self.read(canonical);
        if digests.clone().into_iter().all(|(tag, digest)| known.digest(tag) == Some(digest)) {
            return;
        }
        self.change(canonical, |ledger| {
            for (tag, digest) in digests {
                ledger.observe_digest(tag, digest, now);
            }
        });
    }

    /// Changes what is known of a repository. What another process noted since it was last read is in what is changed.
    fn change<T>(&self, canonical: &str, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let name = file_name(canonical, ENDING);
        let turn = self.files.turn(&name);
        let mut ledger = self.read(canonical);
        let changed = change(&mut ledger);
        if turn.is_some() {
            self.late().remove(canonical);
            let since = ledger.since.unwrap_or_default().as_second();
            self.files.write_printed(&name, since, &print(&ledger, canonical), &pack(&ledger, canonical));
        } else {
            self.late().entry(canonical.to_owned()).or_default().merge(&ledger);
        }
        changed
    }

    /// Waits until all that was noted would be known after a crash, too; call it once after a pass. Returns whether anything
    /// was noted.
    pub fn settle(&self) -> bool {
        self.files.shelf.settle()
    }

    fn late(&self) -> MutexGuard<'_, HashMap<String, Ledger>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    #[test]
    fn a_tag_keeps_the_time_it_was_first_seen_at() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let at = |second| Timestamp::from_second(second).unwrap();
        let observe = |tags: &[&str], second| {
            Store::open(&dirs).first_seen().observe("r/a", &tags.iter().collect(), at(second))
        };
        assert!(observe(&["1", "2", "2"], 100).is_empty());
        assert_eq!(observe(&["2", "3"], 200), ["3"].into_iter().collect());
        assert!(observe(&["1", "2", "3"], 300).is_empty(), "a tag that went and came back is not new");
        let store = Store::open(&dirs);
        let ledger = store.first_seen().read("r/a");
        assert_eq!(
            [ledger.get("1"), ledger.get("2"), ledger.get("3")],
            [Some(at(100)), Some(at(100)), Some(at(200))]
        );
        assert_eq!(ledger.get("4"), None);
        assert!(ledger.is_older("1") && !ledger.is_older("3"));
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn a_pass_that_notes_something_is_settled_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let (ledgers, now) = (store.first_seen(), Timestamp::UNIX_EPOCH);
        for (tag, settles) in [("1", true), ("1", false), ("2", true)] {
            for repository in ["r/a", "r/b"] {
                ledgers.observe(repository, &[tag].into_iter().collect(), now);
            }
            assert_eq!([ledgers.settle(), ledgers.settle()], [settles, false], "{tag}");
        }
        ledgers.observe_digests("r/a", [("2", "sha256:a")], now);
        assert!(ledgers.settle());
    }

    #[test]
    fn the_first_look_at_an_empty_repository_counts() {
        let store = Store::in_memory();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(store.first_seen().observe("r/a", &TagList::default(), at(1)).is_empty());
        assert_eq!(store.first_seen().observe("r/a", &["1"].into_iter().collect(), at(2)).len(), 1);
    }

    #[test]
    fn what_several_instances_note_at_once_is_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        Store::open(&dirs).first_seen().observe("r/a", &TagList::default(), Timestamp::UNIX_EPOCH);
        std::thread::scope(|scope| {
            for n in 0..8 {
                let dirs = &dirs;
                scope.spawn(move || {
                    let tag = n.to_string();
                    Store::open(dirs).first_seen().observe(
                        "r/a",
                        &[tag].into_iter().collect(),
                        Timestamp::UNIX_EPOCH,
                    );
                });
            }
        });
        let ledger = Store::open(&dirs).first_seen().read("r/a");
        assert!((0..8).all(|n: u32| ledger.get(&n.to_string()).is_some()));
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_tag_that_moves_is_known_by_its_digests() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let observe = |digest: &str, second| {
            Store::open(&dirs).first_seen().observe_digests("r/a", [("latest", digest)], at(second));
        };
        for (digest, second) in [("sha256:a", 100), ("sha256:a", 110), ("sha256:b", 120), ("sha256:a", 130)] {
            observe(digest, second);
            let ledger = Store::open(&dirs).first_seen().read("r/a");
            assert_eq!(ledger.current_digests().collect::<Vec<_>>(), [("latest", digest)]);
        }
        let ledger = Store::open(&dirs).first_seen().read("r/a");
        assert_eq!(ledger.digest("latest"), Some("sha256:a"));
        assert_eq!(ledger.first_with("latest", "sha256:a"), Some(at(100)));
        assert_eq!(ledger.first_with("latest", "sha256:b"), Some(at(120)));
        assert_eq!((ledger.moved("latest"), ledger.moved("1")), (Some(at(100)), None));
        assert_eq!((ledger.digest("1"), ledger.first_with("latest", "sha256:c")), (None, None));
        assert_eq!(ledger.since, None, "a digest is no look at the list");
        let new = Store::open(&dirs).first_seen().observe("r/a", &["1"].into_iter().collect(), at(140));
        assert!(new.is_empty(), "what the first look finds is no news");
    }

    #[test]
    fn a_tag_that_moves_for_ever_loses_its_oldest_digests() {
        let store = Store::in_memory();
        for second in 0..150 {
            let digest = format!("sha256:{second}");
            store.first_seen().observe_digests("r/a", [("latest", digest.as_str())], at(second));
        }
        let ledger = store.first_seen().read("r/a");
        assert_eq!(ledger.first_with("latest", "sha256:149"), Some(at(149)));
        assert_eq!(ledger.first_with("latest", "sha256:50"), Some(at(50)));
        assert_eq!(ledger.first_with("latest", "sha256:49"), None);
    }

    #[test]
    fn a_list_that_the_ledger_has_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let file = dir.path().join("state/first-seen").join(file_name("r/a", ENDING));
        let observe =
            |tags: &[&str], second| store.first_seen().observe("r/a", &tags.iter().collect(), at(second));
        observe(&["1", "2"], 100);
        let written = std::fs::read(&file).unwrap();
        for tags in [["2", "1"].as_slice(), &["1"], &["1", "1", "2"], &[]] {
            assert!(observe(tags, 200).is_empty());
            assert_eq!(std::fs::read(&file).unwrap(), written);
        }
        store.first_seen().observe_digests("r/a", [("1", "sha256:a")], at(300));
        assert!(observe(&["1", "2"], 400).is_empty());
        std::fs::remove_file(&file).unwrap();
        assert!(observe(&["1", "2"], 500).is_empty());
        assert_eq!(store.first_seen().read("r/a").since, Some(at(500)));
    }

    #[test]
    fn a_ledger_of_digests_alone_still_takes_the_first_look_at_an_empty_list() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        store.first_seen().observe_digests("r/a", [("1", "sha256:a")], at(100));
        store.first_seen().observe("r/a", &TagList::default(), at(200));
        let ledger = store.first_seen().read("r/a");
        assert_eq!((ledger.since, ledger.digest("1")), (Some(at(200)), Some("sha256:a")));
    }

    #[test]
    fn ledgers_from_before_there_were_digests_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let mut payload = Vec::new();
        codec::put(&mut payload, ["r/a"].into_iter());
        codec::put(&mut payload, ["2", "1"].into_iter());
        codec::put(&mut payload, ["100", "200"].into_iter());
        payload.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
        let file = codec::seal(*b"SCSEEN\0\x01", 100, &codec::NO_PRINT, &payload).unwrap();
        let folder = dir.path().join("state/first-seen");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(file_name("r/a", ENDING)), file).unwrap();
        let ledger = store.first_seen().read("r/a");
        assert_eq!((ledger.get("1"), ledger.get("2")), (Some(at(100)), Some(at(200))));
        assert_eq!(ledger.since, Some(at(100)));
        store.first_seen().observe("r/a", &["1", "2"].into_iter().collect(), at(300));
        assert_eq!(store.first_seen().read("r/a"), ledger);
        let now = std::fs::read(folder.join(file_name("r/a", ENDING))).unwrap();
        assert_eq!(now[..8], KIND, "so that it need not be read the next time");
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn what_another_process_keeps_from_being_written_is_written_with_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Store::open(&Dirs::below(dir.path())), Store::open(&Dirs::below(dir.path())));
        let observe = |store: &Store, tag: &str, second| {
            store.first_seen().observe("r/a", &[tag].into_iter().collect(), at(second))
        };
        observe(&one, "1", 100);
        let turn = two.first_seen().files.turn(&file_name("r/a", ENDING));
        assert!(turn.is_some());
        assert_eq!(observe(&one, "2", 200), ["2"].into_iter().collect());
        assert_eq!(one.first_seen().read("r/a").get("2"), Some(at(200)));
        assert_eq!(two.first_seen().read("r/a").get("2"), None);
        drop(turn);
        observe(&two, "3", 300);
        observe(&one, "4", 400);
        let ledger = two.first_seen().read("r/a");
        let seen = ["1", "2", "3", "4"].map(|tag| ledger.get(tag).map(Timestamp::as_second));
        assert_eq!(seen, [Some(100), Some(200), Some(300), Some(400)]);
    }

    #[test]
    fn a_ledger_of_a_version_to_come_is_neither_moved_nor_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state/first-seen");
        let file = folder.join(file_name("r/a", ENDING));
        let theirs = b"SCSEEN\0\x09 what only a newer version can read";
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&file, theirs).unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let observe = |tag: &str, second| {
            store.first_seen().observe("r/a", &[tag].into_iter().collect(), at(second));
            store.first_seen().observe_digests("r/a", [(tag, "sha256:a")], at(second));
            store.first_seen().settle();
        };
        observe("1", 100);
        observe("2", 200);
        let ledger = store.first_seen().read("r/a");
        assert_eq!((ledger.get("1"), ledger.get("2")), (Some(at(100)), Some(at(200))), "memory serves");
        assert_eq!(ledger.digest("2"), Some("sha256:a"));
        assert_eq!(std::fs::read(&file).unwrap(), theirs);
        assert_eq!(std::fs::read_dir(&folder).unwrap().filter(is_ledger).count(), 1, "nothing was set aside");
        let [warning] = store.take_warnings().try_into().unwrap();
        assert!(warning.message.contains("newer version of supercargo (format 9)"), "{warning:?}");
        assert!(warning.hint.unwrap().contains("XDG_STATE_HOME"));
        // What is no ledger of any version is still set aside.
        std::fs::write(folder.join(file_name("r/b", ENDING)), "SCTAGS").unwrap();
        store.first_seen().read("r/b");
        assert!(folder.join(file_name("r/b", "seen.corrupt")).exists());
    }

    /// Whether a file of the folder is more than a lock.
    fn is_ledger(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
        entry
            .as_ref()
            .is_ok_and(|entry| entry.file_name().to_str().is_some_and(|name| name.contains(".seen")))
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_upset_the_reader(
            bytes: Vec<u8>,
            tags: std::collections::BTreeSet<String>,
            digests: Vec<(String, String, i64)>,
        ) {
            read_any(&bytes, "r/a");
            let mut ledger = Ledger { since: Some(at(7)), ..Ledger::default() };
            ledger.add(tags.iter().map(|tag| (tag.as_str(), 5)));
            for (tag, digest, second) in &digests {
                ledger.observe_digest(tag, digest, whole_seconds(*second));
            }
            let payload = pack(&ledger, "r/a");
            for version in [2, 3] {
                let sealed = codec::Sealed { version, seconds: 7, payload: payload.clone() };
                proptest::prop_assert_eq!(unpack(&sealed, "r/a"), Some(ledger.clone()));
            }
            for version in [1, 2, 3] {
                let kind = [b"SCSEEN\0".as_slice(), &[version]].concat().try_into().unwrap();
                let payload = [payload.as_slice(), &bytes].concat();
                read_any(&codec::seal(kind, 7, &codec::NO_PRINT, &payload).unwrap(), "r/a");
            }
        }
    }
}
