//! The tag lists of the last scans. May be deleted at any time: a scan brings them back.

use jiff::Timestamp;

use super::codec;
use super::shelf::{Shelf, file_name};
use crate::domain::tags::TagList;

const KIND: [u8; 8] = *b"SCTAGS\0\x01";

/// What the last good scan of a repository found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedTags {
    /// When that was, in whole seconds.
    pub scanned: Timestamp,
    /// All tags, before any exclusion.
    pub tags: TagList,
    /// Those that the scan before did not find, in descending byte order; none if there was no scan before.
    pub new: TagList,
}

/// The cache, one file per canonical repository name.
#[derive(Debug)]
pub struct TagCache {
    shelf: Shelf,
}

impl TagCache {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// What is cached for `canonical`, such as `ghcr.io/acme/podinfo`. A damaged file is set aside, with a warning.
    pub fn read(&self, canonical: &str) -> Option<CachedTags> {
        let name = file_name(canonical, "tags");
        let file = self.shelf.read(&name)?;
        let cached = codec::open(KIND, &file).and_then(|sealed| unpack(&sealed, canonical));
        if cached.is_none() {
            self.shelf.set_aside(&name, "a cached tag list");
        }
        cached
    }

    /// Replaces what is cached, and says what is new against it.
    pub fn write(&self, canonical: &str, tags: TagList, now: Timestamp) -> CachedTags {
        // Without a lock: the file is replaced whole, and of two scans at once either may be the last.
        let new = self.read(canonical).map(|before| without(&tags, &before.tags)).unwrap_or_default();
        let mut payload = Vec::new();
        codec::put(&mut payload, [canonical].into_iter());
        codec::put(&mut payload, tags.iter());
        codec::put(&mut payload, new.iter());
        if let Ok(file) = codec::seal(KIND, now.as_second(), &payload) {
            self.shelf.write(&file_name(canonical, "tags"), &file);
        }
        CachedTags { scanned: whole_seconds(now.as_second()), tags, new }
    }

    /// Deletes all lists.
    pub fn clear(&self) {
        for name in self.shelf.names().iter().filter(|name| name.contains(".tags")) {
            self.shelf.remove(name);
        }
    }
}

fn unpack(sealed: &codec::Sealed, canonical: &str) -> Option<CachedTags> {
    let mut rest = sealed.payload.as_slice();
    let name = codec::take(&mut rest)?;
    let tags = TagList::from_unsorted(codec::take(&mut rest)?);
    let new = TagList::from_unsorted(codec::take(&mut rest)?);
    (name == [canonical]).then(|| CachedTags { scanned: whole_seconds(sealed.seconds), tags, new })
}

pub(super) fn whole_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

/// The tags of `now` that `before` lacks; both are in descending order, so one walk through both is enough.
pub(super) fn without(now: &TagList, before: &TagList) -> TagList {
    let mut before = before.iter().peekable();
    now.iter()
        .filter(|tag| {
            while before.next_if(|old| old > tag).is_some() {}
            before.peek() != Some(tag)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    fn list(tags: &[&str]) -> TagList {
        tags.iter().collect()
    }

    #[test]
    fn a_list_survives_the_process_and_knows_what_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let at = |second| Timestamp::from_second(second).unwrap();
        let first = Store::open(&dirs).tags().write("r/a", list(&["1", "2", "1"]), at(100));
        assert!(first.new.is_empty(), "nothing is new where nothing was known");
        let second = Store::open(&dirs).tags().write("r/a", list(&["3", "2", "\u{1b}[2J"]), at(160));
        assert_eq!(second.new, list(&["3", "\u{1b}[2J"]));
        let store = Store::open(&dirs);
        assert_eq!(store.tags().read("r/a"), Some(second));
        assert_eq!(store.tags().read("r/b"), None);
        store.tags().clear();
        assert_eq!(store.tags().read("r/a"), None);
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn a_damaged_list_is_set_aside_with_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        store.tags().write("r/a", list(&["1"]), Timestamp::UNIX_EPOCH);
        let file = dir.path().join("cache/tags").join(file_name("r/a", "tags"));
        std::fs::write(&file, b"SCTAGS\0\x01 and then nonsense").unwrap();
        assert_eq!(store.tags().read("r/a"), None);
        assert_eq!(store.take_warnings().len(), 1);
        assert!(file.with_extension("tags.corrupt").exists());
        assert_eq!(store.tags().read("r/a"), None);
        assert!(store.take_warnings().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn new_is_what_was_not_there_before(now: Vec<String>, before: Vec<String>) {
            let expected: TagList = now.iter().filter(|tag| !before.contains(tag)).collect();
            let found = without(&now.into_iter().collect(), &before.into_iter().collect());
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
