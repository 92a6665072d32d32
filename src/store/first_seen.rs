//! When each tag was first seen by us: registries do not say when a tag was pushed. Never cleared with the cache.

use jiff::Timestamp;

use super::codec;
use super::shelf::{Shelf, file_name};
use super::tags::{whole_seconds, without};
use crate::domain::tags::TagList;

const KIND: [u8; 8] = *b"SCSEEN\0\x01";

/// The ledger, one file per canonical repository name.
#[derive(Debug)]
pub struct FirstSeen {
    shelf: Shelf,
}

/// The tags of one repository with their times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// When the repository was first looked at: tags with this time may be older.
    pub since: Option<Timestamp>,
    tags: TagList,
    /// Seconds since 1970, by the index of the tag.
    seconds: Vec<i64>,
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

    fn add(&mut self, new: &TagList, seconds: i64) {
        let mut all: Vec<(&str, i64)> = self.tags.iter().zip(self.seconds.iter().copied()).collect();
        all.extend(new.iter().map(|tag| (tag, seconds)));
        all.sort_by(|a, b| b.0.cmp(a.0));
        // A registry may list a tag twice.
        all.dedup_by(|a, b| a.0 == b.0);
        let (tags, seconds): (Vec<&str>, Vec<i64>) = all.into_iter().unzip();
        (self.tags, self.seconds) = (TagList::from_unsorted(tags), seconds);
    }
}

impl FirstSeen {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// All that is known about `canonical`. A damaged file is set aside, with a warning.
    pub fn read(&self, canonical: &str) -> Ledger {
        let name = file_name(canonical, "seen");
        let Some(file) = self.shelf.read(&name) else { return Ledger::default() };
        codec::open(KIND, &file).and_then(|sealed| unpack(&sealed, canonical)).unwrap_or_else(|| {
            self.shelf.set_aside(&name, "a ledger of first sightings");
            Ledger::default()
        })
    }

    /// Notes those of `tags` that were never seen as seen now, and returns them.
    ///
    /// The first observation of a repository notes all its tags and returns none: they are not news.
    pub fn observe(&self, canonical: &str, tags: &TagList, now: Timestamp) -> TagList {
        let known = self.read(canonical);
        let new = without(tags, &known.tags);
        if new.is_empty() && known.since.is_some() {
            return new;
        }
        let name = file_name(canonical, "seen");
        let _lock = self.shelf.lock(&name);
        // Read again: another process may have noted some of them before we had the lock.
        let mut ledger = self.read(canonical);
        let new = without(tags, &ledger.tags);
        let first = ledger.since.is_none();
        ledger.add(&new, now.as_second());
        let since = ledger.since.map_or(now.as_second(), Timestamp::as_second);
        if let Ok(file) = codec::seal(KIND, since, &pack(&ledger, canonical)) {
            self.shelf.write(&name, &file);
        }
        if first { TagList::default() } else { new }
    }
}

/// Tags, the distinct times, and of each tag the number of its time: a hundred thousand tags have few times.
fn pack(ledger: &Ledger, canonical: &str) -> Vec<u8> {
    let mut times = ledger.seconds.clone();
    times.sort_unstable();
    times.dedup();
    let texts: Vec<String> = times.iter().map(i64::to_string).collect();
    let mut payload = Vec::new();
    codec::put(&mut payload, [canonical].into_iter());
    codec::put(&mut payload, ledger.tags.iter());
    codec::put(&mut payload, texts.iter().map(String::as_str));
    for seconds in &ledger.seconds {
        let number = u32::try_from(times.partition_point(|time| time < seconds)).unwrap_or(u32::MAX);
        payload.extend_from_slice(&number.to_le_bytes());
    }
    payload
}

fn unpack(sealed: &codec::Sealed, canonical: &str) -> Option<Ledger> {
    let mut rest = sealed.payload.as_slice();
    let name = codec::take(&mut rest)?;
    let tags = TagList::from_unsorted(codec::take(&mut rest)?);
    let times: Vec<i64> =
        codec::take(&mut rest)?.iter().map(|time| time.parse().ok()).collect::<Option<_>>()?;
    let (numbers, _) = rest.as_chunks::<4>();
    let seconds: Vec<i64> = numbers
        .iter()
        .map(|number| times.get(usize::try_from(u32::from_le_bytes(*number)).ok()?).copied())
        .collect::<Option<_>>()?;
    let whole = name == [canonical] && seconds.len() == tags.len();
    whole.then(|| Ledger { since: Some(whole_seconds(sealed.seconds)), tags, seconds })
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
        store.tags().clear();
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
}
