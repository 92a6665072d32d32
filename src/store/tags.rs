//! The tag lists of the last scans. May be deleted at any time: a scan brings them back.

use std::io;

use jiff::{SignedDuration, Timestamp};

use super::codec::{self, Kind, Print};
use super::sealed::{CachedFile, Holds, SealedFiles};
use super::shelf::{Shelf, file_name};
use crate::domain::tags::TagList;

/// Files of version 1, without a print, are read too.
const KIND: Kind = *b"SCTAGS\0\x02";

/// A list from so far in the future was written by a clock that was wrong.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What a file of the cache ends with.
const ENDING: &str = "tags";

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
    files: SealedFiles,
}

impl TagCache {
    pub(super) fn new(shelf: Shelf) -> Self {
        let words = ("a cached tag list", "its repository is scanned again");
        Self { files: SealedFiles::new(shelf, KIND, words) }
    }

    /// What is cached for `canonical`, such as `ghcr.io/acme/podinfo`. A damaged file is set aside, with a warning.
    pub fn read(&self, canonical: &str) -> Option<CachedTags> {
        self.files.read(&file_name(canonical, ENDING), |sealed| unpack(sealed, canonical))
    }

    /// How many tags are cached for `canonical`, by what its file says: nothing is read that would prove it.
    pub fn count(&self, canonical: &str) -> Option<usize> {
        self.files.head(&file_name(canonical, ENDING)).map(|head| codec::count(&head.print))
    }

    /// Keeps the list that a scan found at `listed`, unless another process has kept a newer one meanwhile. Returns what
    /// is kept now, and what is new in it.
    pub fn write(&self, canonical: &str, tags: TagList, listed: Timestamp) -> CachedTags {
        let print = codec::print(canonical, &tags, &TagList::default());
        self.keep(canonical, tags, &print, listed)
    }

    /// As [`Self::write`], with the print of `tags` and nothing new among them.
    pub(super) fn keep(
        &self,
        canonical: &str,
        tags: TagList,
        print: &Print,
        listed: Timestamp,
    ) -> CachedTags {
        let name = file_name(canonical, ENDING);
        // If another process does not let go of it, the older list may win; the next scan brings the newer one.
        let _turn = self.files.turn(&name);
        let time = |before| if is_newer(whole_seconds(before), listed) { before } else { listed.as_second() };
        if let Some(seconds) = self.files.keep(&name, print, time) {
            return CachedTags { scanned: whole_seconds(seconds), tags, new: TagList::default() };
        }
        let before = self.read(canonical);
        if let Some(newer) = before.as_ref().filter(|before| is_newer(before.scanned, listed)) {
            return newer.clone();
        }
        let new = before.map(|before| tags.without(&before.tags)).unwrap_or_default();
        let print = if new.is_empty() { *print } else { codec::print(canonical, &tags, &new) };
        let mut payload = Vec::new();
        codec::put(&mut payload, [canonical].into_iter());
        codec::put_list(&mut payload, &tags);
        codec::put_list(&mut payload, &new);
        self.files.write_printed(&name, listed.as_second(), &print, &payload);
        CachedTags { scanned: whole_seconds(listed.as_second()), tags, new }
    }

    /// The files on the disk, in the order of their names.
    pub fn files(&self) -> Vec<CachedFile> {
        self.files.files(ENDING, holds)
    }

    /// Deletes one of [`Self::files`], unless it was written meanwhile; returns whether it did.
    ///
    /// # Errors
    /// It is there and stays.
    pub fn remove(&self, file: &CachedFile) -> io::Result<bool> {
        self.files.remove(file)
    }
}

/// Whether a list of `before` is to be kept over one of `now`.
fn is_newer(before: Timestamp, now: Timestamp) -> bool {
    before > now && before.duration_since(now) <= SKEW
}

fn unpack(sealed: &codec::Sealed, canonical: &str) -> Option<CachedTags> {
    let (name, cached) = content(sealed)?;
    (name == canonical).then_some(cached)
}

fn content(sealed: &codec::Sealed) -> Option<(&str, CachedTags)> {
    let mut rest = sealed.payload.as_slice();
    let [name] = *codec::take(&mut rest)?.as_slice() else { return None };
    let (tags, new) = (codec::take_list(&mut rest)?, codec::take_list(&mut rest)?);
    Some((name, CachedTags { scanned: whole_seconds(sealed.seconds), tags, new }))
}

fn holds(sealed: &codec::Sealed) -> Option<Holds> {
    let (name, cached) = content(sealed)?;
    Some(Holds { name: name.to_owned(), tags: cached.tags.len(), time: cached.scanned })
}

pub(super) fn whole_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

/// Reads any bytes as a file of the cache: what comes out is what was put in.
#[cfg(any(fuzzing, test))]
pub(super) fn read_any(file: &[u8]) {
    let Ok(sealed) = codec::open(KIND, file) else { return };
    let Some((name, cached)) = content(&sealed) else { return };
    let store = super::Store::in_memory();
    let kept = store.tags().write(name, cached.tags.clone(), cached.scanned);
    assert_eq!(store.tags().read(name), Some(kept));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::store::{Dirs, Store};

    fn list(tags: &[&str]) -> TagList {
        tags.iter().collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_list_survives_the_process_and_knows_what_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let first = Store::open(&dirs).tags().write("r/a", list(&["1", "2", "1"]), at(100));
        assert!(first.new.is_empty(), "nothing is new where nothing was known");
        let second = Store::open(&dirs).tags().write("r/a", list(&["3", "2", "\u{1b}[2J"]), at(160));
        assert_eq!(second.new, list(&["3", "\u{1b}[2J"]));
        let store = Store::open(&dirs);
        assert_eq!(store.tags().read("r/a"), Some(second));
        assert_eq!(store.tags().read("r/b"), None);
        let [file] = store.tags().files().try_into().unwrap();
        assert_eq!(file.holds, Some(Holds { name: "r/a".into(), tags: 3, time: at(160) }));
        assert!(store.tags().remove(&file).unwrap());
        assert_eq!(store.tags().read("r/a"), None);
        assert!(!store.tags().remove(&file).unwrap());
        assert!(store.take_warnings().is_empty());
    }

    /// A store whose list of `r/a` has these bytes, and its file.
    fn store_with(bytes: &[u8]) -> (tempfile::TempDir, Store, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        store.tags().write("r/a", list(&["1"]), at(0));
        let file = dir.path().join("cache/tags").join(file_name("r/a", ENDING));
        std::fs::write(&file, bytes).unwrap();
        (dir, store, file)
    }

    /// The number of the file on the disk, which a replaced one has not.
    fn inode(file: &Path) -> u64 {
        std::fs::metadata(file).unwrap().ino()
    }

    #[test]
    fn a_list_that_is_the_same_gets_another_time_and_stays_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let file = dir.path().join("cache/tags").join(file_name("r/a", ENDING));
        let write = |tags: &[&str], second| store.tags().write("r/a", list(tags), at(second));
        write(&["2", "1", "1"], 100);
        let first = inode(&file);
        let again = write(&["1", "2", "1"], 160);
        assert_eq!((inode(&file), store.tags().read("r/a")), (first, Some(again.clone())));
        assert_eq!((again.scanned, again.new.len(), store.tags().count("r/a")), (at(160), 0, Some(3)));
        for (tags, second) in [(["1", "2"], 170), (["1", "3"], 180), (["3", "1"], 190)] {
            let before = inode(&file);
            let kept = write(&tags, second);
            assert_ne!(inode(&file), before, "what is new, or is no longer, is written");
            assert_eq!(store.tags().read("r/a"), Some(kept));
        }
        let (first, kept) = (inode(&file), write(&["1", "3"], 200));
        assert_eq!((inode(&file), kept.new.len()), (first, 0));
        assert_eq!(Store::open(&Dirs::below(dir.path())).tags().read("r/a"), Some(kept));
    }

    #[test]
    fn of_two_equal_lists_the_newer_time_is_kept_whoever_is_last() {
        let store = Store::open(&Dirs::below(tempfile::tempdir().unwrap().path()));
        store.tags().write("r/a", list(&["1"]), at(130));
        assert_eq!(store.tags().write("r/a", list(&["1"]), at(100)).scanned, at(130));
        assert_eq!(store.tags().write("r/a", list(&["1"]), at(10)).scanned, at(10), "a clock was wrong");
        assert_eq!(store.tags().read("r/a").unwrap().scanned, at(10));
    }

    #[test]
    fn a_list_from_before_there_were_prints_is_read_and_written_anew() {
        let mut payload = Vec::new();
        codec::put(&mut payload, ["r/a"].into_iter());
        codec::put(&mut payload, ["2", "1"].into_iter());
        codec::put(&mut payload, ["2"].into_iter());
        let old = codec::seal(*b"SCTAGS\0\x01", 100, &codec::NO_PRINT, &payload).unwrap();
        let (_dir, store, file) = store_with(&old);
        let read = store.tags().read("r/a").unwrap();
        assert_eq!((read.scanned, read.tags, read.new), (at(100), list(&["1", "2"]), list(&["2"])));
        assert_eq!(store.tags().count("r/a"), None);
        store.tags().write("r/a", list(&["1", "2"]), at(160));
        assert_eq!(std::fs::read(file).unwrap()[..8], KIND);
        assert_eq!(store.tags().read("r/a").unwrap().scanned, at(160));
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn an_equal_list_that_cannot_be_given_its_time_is_kept_in_memory() {
        let (_dir, store, file) = store_with(b"");
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        store.tags().write("r/a", list(&["1"]), at(100));
        let kept = store.tags().write("r/a", list(&["1"]), at(160));
        assert_eq!(store.tags().read("r/a"), Some(kept));
    }

    #[test]
    fn a_list_that_is_written_while_it_is_looked_at_is_not_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        store.tags().write("r/a", list(&["1"]), at(100));
        let files = store.tags().files();
        store.tags().write("r/a", list(&["1", "2"]), at(200));
        assert!(!store.tags().remove(&files[0]).unwrap());
        assert_eq!(store.tags().read("r/a").unwrap().tags.len(), 2);
    }

    #[test]
    fn a_damaged_list_is_set_aside_with_a_warning_that_names_it() {
        let (_dir, store, file) = store_with(b"SCTAGS\0\x01 and then nonsense");
        assert_eq!(store.tags().read("r/a"), None);
        let [warning] = store.take_warnings().try_into().unwrap();
        assert_eq!(warning.subject, file.display().to_string());
        assert!(warning.message.starts_with("a cached tag list was damaged and was set aside as "));
        assert!(file.with_extension("tags.corrupt").exists());
        assert_eq!(store.tags().read("r/a"), None);
        assert!(store.take_warnings().is_empty());
        let [aside] = store.tags().files().try_into().unwrap();
        assert_eq!(aside.holds, None);
        assert!(store.tags().remove(&aside).unwrap());
    }

    #[test]
    fn what_a_crash_left_empty_is_scanned_again_without_a_word() {
        let (_dir, store, _) = store_with(b"");
        assert_eq!(store.tags().read("r/a"), None);
        assert!(store.take_warnings().is_empty());
        store.tags().write("r/a", list(&["2"]), at(7));
        assert_eq!(store.tags().read("r/a").unwrap().tags, list(&["2"]));
    }

    #[test]
    fn a_list_of_another_version_is_said_to_be_one() {
        let (_dir, store, _) = store_with(b"SCTAGS\0\x09 in a form that is still to be invented");
        assert_eq!(store.tags().read("r/a"), None);
        let [warning] = store.take_warnings().try_into().unwrap();
        assert!(warning.message.contains("another version of supercargo (format 9)"), "{}", warning.message);
    }

    #[test]
    fn of_two_lists_the_newer_one_is_kept_whoever_is_last() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Store::open(&Dirs::below(dir.path())), Store::open(&Dirs::below(dir.path())));
        two.tags().write("r/a", list(&["1", "2"]), at(130));
        let kept = one.tags().write("r/a", list(&["1"]), at(100));
        assert_eq!((kept.tags, kept.scanned), (list(&["1", "2"]), at(130)));
        assert_eq!(one.tags().read("r/a").unwrap().tags, list(&["1", "2"]));
        let kept = one.tags().write("r/a", list(&["3"]), at(140));
        assert_eq!(kept.new, list(&["3"]));
    }

    #[test]
    fn a_list_from_a_wrong_clock_does_not_stay_until_its_time_has_come() {
        let store = Store::in_memory();
        store.tags().write("r/a", list(&["1"]), at(1_000_000_000));
        assert_eq!(store.tags().write("r/a", list(&["2"]), at(100)).tags, list(&["2"]));
    }

    #[test]
    fn readers_of_a_list_that_others_replace_never_see_a_part_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let of = |who: usize| (0..2000).map(|n| format!("{who}-{n}")).collect::<TagList>();
        Store::open(&dirs).tags().write("r/a", of(0), at(0));
        std::thread::scope(|scope| {
            for who in 1..=2 {
                let dirs = &dirs;
                scope.spawn(move || {
                    let store = Store::open(dirs);
                    (0..20).for_each(|round| drop(store.tags().write("r/a", of(who), at(round))));
                });
            }
            let store = Store::open(&dirs);
            for _ in 0..200 {
                let tags = store.tags().read("r/a").unwrap().tags;
                assert!((0..=2).any(|who| tags == of(who)));
            }
            assert!(store.take_warnings().is_empty());
        });
    }

    proptest::proptest! {
        // Each case waits for the disk several times.
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn any_list_comes_back_as_it_was_kept(name: String, tags: Vec<String>, second in 0_i64..=4_000_000_000) {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(&Dirs::below(dir.path()));
            for second in [second, second + 1] {
                let kept = store.tags().write(&name, tags.iter().collect(), at(second));
                proptest::prop_assert_eq!(&kept.tags, &tags.iter().collect::<TagList>());
                proptest::prop_assert_eq!(Store::open(&Dirs::below(dir.path())).tags().read(&name), Some(kept));
            }
        }

        #[test]
        fn a_file_with_a_few_other_bytes_is_set_aside_and_the_repository_scanned_again(
            changes in proptest::collection::vec((0_usize..120, 1_u8..), 1..4),
            cut in 0_usize..200,
        ) {
            let (_dir, store, file) = store_with(b"");
            store.take_warnings();
            store.tags().write("r/a", list(&["1", "2"]), at(0));
            store.take_warnings();
            let mut bytes = std::fs::read(&file).unwrap();
            let length = bytes.len();
            for (place, change) in changes {
                bytes[place % length] ^= change;
            }
            bytes.truncate(cut.max(1));
            let whole = bytes == std::fs::read(&file).unwrap();
            std::fs::write(&file, bytes).unwrap();
            proptest::prop_assert_eq!(store.tags().read("r/a").is_some(), whole);
            proptest::prop_assert_eq!(store.take_warnings().len(), usize::from(!whole));
        }

    }

    proptest::proptest! {
        #[test]
        fn no_bytes_upset_the_reader(bytes: Vec<u8>, tags: Vec<String>) {
            read_any(&bytes);
            read_any(&[KIND.as_slice(), &bytes].concat());
            let mut payload = Vec::new();
            codec::put(&mut payload, ["r/a"].into_iter());
            codec::put(&mut payload, tags.iter().map(String::as_str));
            payload.extend_from_slice(&bytes);
            read_any(&codec::seal(KIND, 7, &codec::NO_PRINT, &payload).unwrap());
        }
    }
}
