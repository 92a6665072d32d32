//! The markers of the files of remotes, by the Git blob that each content is. May be deleted at any time: files are read again.
//!
//! What a blob holds never changes, only how it is read may. So each file of the cache names the program that read, and what another
//! version of it found is not used. A file is replaced whole, by what was known before and what is new.

use std::collections::{HashMap, HashSet};
use std::io;

use jiff::Timestamp;

use super::codec::{self, Kind};
use super::sealed::{CachedFile, Holds, SealedFiles};
use super::shelf::{Shelf, file_name};
use super::tags::whole_seconds;
use crate::domain::parallel::on_all_cores;
use crate::domain::plan::MarkedFile;

/// The version is to be raised with what is read of a file, or how that is written; a test says when.
const KIND: Kind = *b"SCMARK\0\x02";

/// The program that read, by its commit where the build knows it, as a release does. There, a reader that was mended is never kept
/// from finding what the one before did not.
const READER: &str = match option_env!("SUPERCARGO_COMMIT") {
    Some(commit) => commit,
    None => env!("CARGO_PKG_VERSION"),
};

/// What a file of the cache ends with.
const ENDING: &str = "markers";

/// What is kept of a remote, in bytes: 100,000 markers take half of that. What was not in use the last time goes first.
const MOST: usize = 64 << 20;

/// The markers of a content, without path and text; `None`: it has none.
pub type Known = Option<MarkedFile>;

/// The cache, one file for each remote.
#[derive(Debug)]
pub struct MarkerCache {
    files: SealedFiles,
}

/// What a file of the cache holds: blobs in hex, and of each the JSON of what is known, empty for nothing.
#[derive(Default)]
struct Content<'a> {
    remote: &'a str,
    blobs: Vec<&'a str>,
    texts: Vec<&'a str>,
}

impl MarkerCache {
    pub(super) fn new(shelf: Shelf) -> Self {
        let words = ("the kept markers of a remote", "its files are read again");
        Self { files: SealedFiles::new(shelf, KIND, words) }
    }

    /// What is known of each of `blobs`, in hex, of the remote that is shown as `remote`; `None`: nobody looked into it yet. A
    /// damaged file is set aside, with a warning.
    pub fn read(&self, remote: &str, blobs: &[String]) -> Vec<Option<Known>> {
        let known = self.files.read(&file_name(remote, ENDING), |sealed| {
            let content = Content::of(sealed).filter(|content| content.remote == remote)?;
            let texts = content.by_blob();
            let decode = |blob: &String| match texts.get(blob.as_str()) {
                None => Some(None),
                Some(&"") => Some(Some(None)),
                Some(text) => serde_json::from_str(text).ok().map(|file| Some(Some(file))),
            };
            on_all_cores(blobs, decode).into_iter().collect::<Option<Vec<_>>>()
        });
        known.unwrap_or_else(|| blobs.iter().map(|_| None).collect())
    }

    /// Keeps what was found in blobs that nobody had looked into, and what is known of all others; `used` are the blobs that are
    /// in use. Does nothing where nothing is new.
    pub fn write(&self, remote: &str, used: &[String], new: &HashMap<String, Option<&MarkedFile>>) {
        if new.is_empty() {
            return;
        }
        let name = file_name(remote, ENDING);
        // If another process does not let go of it, what one of both found is found again.
        let _turn = self.files.turn(&name);
        let join = |before: &Content<'_>| before.joined(remote, used, new);
        let before = |sealed: &codec::Sealed| Content::of(sealed).map(|before| join(&before));
        let payload = self.files.read(&name, before).unwrap_or_else(|| join(&Content::default()));
        self.files.write(&name, Timestamp::now().as_second(), &payload);
    }

    /// The files on the disk, in the order of their names.
    pub fn files(&self) -> Vec<CachedFile> {
        let holds = |sealed: &codec::Sealed| {
            let name = Content::of(sealed)?.remote.to_owned();
            Some(Holds { name, tags: 0, time: whole_seconds(sealed.seconds) })
        };
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

impl<'a> Content<'a> {
    /// What another version of the program found is left out.
    fn of(sealed: &'a codec::Sealed) -> Option<Self> {
        let mut rest = sealed.payload.as_slice();
        let [remote, reader] = *codec::take(&mut rest)?.as_slice() else { return None };
        if reader != READER {
            return Some(Self { remote, ..Self::default() });
        }
        let (blobs, texts) = (codec::take(&mut rest)?, codec::take(&mut rest)?);
        (blobs.len() == texts.len()).then_some(Self { remote, blobs, texts })
    }

    fn by_blob(&self) -> HashMap<&'a str, &'a str> {
        self.blobs.iter().copied().zip(self.texts.iter().copied()).collect()
    }

    /// What to write: what is in use, then what was, as far as there is room.
    fn joined(&self, remote: &str, used: &[String], new: &HashMap<String, Option<&MarkedFile>>) -> Vec<u8> {
        let written = |file: Option<&MarkedFile>| match file {
            None => Some(String::new()),
            Some(file) => serde_json::to_string(file).ok(),
        };
        let new: HashMap<&str, String> =
            new.iter().filter_map(|(blob, file)| Some((blob.as_str(), written(*file)?))).collect();
        let mut all = self.by_blob();
        all.extend(new.iter().map(|(blob, text)| (*blob, text.as_str())));
        let (mut room, mut kept) = (MOST, HashSet::new());
        let order = used.iter().map(String::as_str).chain(self.blobs.iter().copied());
        let taken = order.filter_map(|blob| {
            let text = *all.get(blob).filter(|_| kept.insert(blob))?;
            room = room.checked_sub(blob.len() + text.len())?;
            Some((blob, text))
        });
        let (blobs, texts): (Vec<&str>, Vec<&str>) = taken.unzip();
        let mut payload = Vec::new();
        codec::put(&mut payload, [remote, READER].into_iter());
        codec::put(&mut payload, blobs.into_iter());
        codec::put(&mut payload, texts.into_iter());
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    const REMOTE: &str = "https://git.example.com/fleet.git";

    /// All that a reader can say of a scalar: styles, places, parts of names, members of lists.
    const TEXT: &str = "apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n  metadata:\n    name: é-1 # {\"$imagepolicy\": \"apps:web:tag\"}\n  \
         data:\n    a: 'x:1' # {\"$imagepolicy\": \"apps:web\"}\n    b: \"x\" # {\"$imagepolicy\": \"apps:web:name\"}\n    \
         c: |- # {\"$imagepolicy\": \"apps:web\"}\n      x:1\n---\n# {\"$imagepolicy\": \"apps:web\"}\nspec: {image: !!str x:1}\n\
         ---\nd: &a x:1 # {\"$imagepolicy\": \"apps:db\"}\n";

    fn marked(text: &str) -> MarkedFile {
        let read = MarkedFile::read("", text).unwrap();
        MarkedFile { text: "".into(), strays: Vec::new(), ..read }
    }

    fn names(blobs: &[&str]) -> Vec<String> {
        blobs.iter().map(|blob| (*blob).to_owned()).collect()
    }

    fn keep(store: &Store, used: &[&str], new: &[(&str, Option<&MarkedFile>)]) {
        let new = new.iter().map(|(blob, file)| ((*blob).to_owned(), *file)).collect();
        store.markers().write(REMOTE, &names(used), &new);
    }

    #[test]
    fn what_is_kept_is_what_was_found_in_another_process_too() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let file = marked(TEXT);
        keep(&Store::open(&dirs), &["a", "b"], &[("a", Some(&file)), ("b", None)]);
        let store = Store::open(&dirs);
        let read = store.markers().read(REMOTE, &names(&["b", "c", "a", "a"]));
        assert_eq!(read, [Some(None), None, Some(Some(file.clone())), Some(Some(file.clone()))]);
        assert_eq!(store.markers().read("another", &names(&["a"])), [None]);
        let [kept] = store.markers().files().try_into().unwrap();
        assert_eq!(kept.holds.as_ref().unwrap().name, REMOTE);
        assert!(store.markers().remove(&kept).unwrap());
        assert_eq!(store.markers().read(REMOTE, &names(&["a"])), [None]);
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn of_two_instances_none_takes_from_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let (one, two, file) = (Store::open(&dirs), Store::open(&dirs), marked(TEXT));
        keep(&one, &["a"], &[("a", Some(&file))]);
        keep(&two, &["b"], &[("b", None)]);
        keep(&one, &["c"], &[("c", None)]);
        let read = two.markers().read(REMOTE, &names(&["a", "b", "c"]));
        assert_eq!(read, [Some(Some(file)), Some(None), Some(None)]);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_the_next_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        keep(&store, &["a"], &[("a", None)]);
        let path = dir.path().join("cache/markers").join(file_name(REMOTE, ENDING));
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(store.markers().read(REMOTE, &names(&["a"])), [None]);
        let [warning] = store.take_warnings().try_into().unwrap();
        assert!(
            warning.message.starts_with("the kept markers of a remote was damaged"),
            "{}",
            warning.message
        );
        keep(&store, &["a"], &[("a", None)]);
        assert_eq!(store.markers().read(REMOTE, &names(&["a"])), [Some(None)]);
        std::fs::write(&path, b"SCMARK\0\x09 in a form that is still to be invented").unwrap();
        assert_eq!(store.markers().read(REMOTE, &names(&["a"])), [None]);
        assert!(store.take_warnings()[0].message.contains("format 9"));
    }

    #[test]
    fn what_another_version_found_is_not_used_and_makes_way() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let mut payload = Vec::new();
        for list in [[REMOTE, "0.0.0"].as_slice(), &["a"], &[""]] {
            codec::put(&mut payload, list.iter().copied());
        }
        store.markers().files.write(&file_name(REMOTE, ENDING), 7, &payload);
        assert_eq!(store.markers().read(REMOTE, &names(&["a"])), [None]);
        keep(&store, &["b"], &[("b", None)]);
        assert_eq!(store.markers().read(REMOTE, &names(&["a", "b"])), [None, Some(None)]);
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn what_was_not_in_use_goes_first_where_there_is_no_room() {
        let big = "x".repeat(MOST / 2);
        let content = Content { remote: REMOTE, blobs: vec!["a", "b"], texts: vec![&big, &big] };
        let payload = content.joined(REMOTE, &names(&["b"]), &HashMap::from([("c".to_owned(), None)]));
        let sealed = codec::Sealed { version: 1, seconds: 0, payload };
        assert_eq!(Content::of(&sealed).unwrap().blobs, ["b"]);
    }

    /// Whoever makes this fail has changed what is read of a file, or how that is kept: what earlier programs kept must not be
    /// taken for it. Raise the version of [`KIND`], and look at what the new snapshot says.
    #[test]
    fn what_is_kept_belongs_to_this_version() {
        let [.., version] = KIND;
        let kept = serde_json::to_string_pretty(&marked(TEXT)).unwrap();
        insta::with_settings!({snapshot_path => "../../tests/snapshots"}, {
            insta::assert_snapshot!(format!("version_{version}"), kept);
        });
    }
}
