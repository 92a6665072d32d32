//! What registries told of tags and digests, so that nobody is asked twice. May be deleted at any time.
//!
//! What a digest is of never changes; which digest a tag has may, and is kept with the time it was asked for.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codec::{self, Kind};
use super::sealed::{CachedFile, Holds, SealedFiles};
use super::shelf::{Shelf, file_name};
use super::tags::whole_seconds;
use crate::domain::metadata::{Metadata, Signature};

const KIND: Kind = *b"SCMETA\0\x01";

/// What a file of the cache ends with.
const ENDING: &str = "meta";

/// How many tags, and how many digests, are kept of a repository: those that were asked for last.
const MOST: usize = 1000;

/// What a tag stood for when it was last asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownTag {
    /// The digest.
    pub digest: String,
    /// When the registry last said so.
    pub asked: Timestamp,
    /// When it first said so.
    pub since: Timestamp,
    /// When it took the image in, if it says so.
    pub pushed: Option<Timestamp>,
    /// The digest before this one, if there was another.
    pub before: Option<String>,
}

/// What is known of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownImages {
    /// By tag.
    pub tags: BTreeMap<String, KnownTag>,
    /// By digest.
    pub images: BTreeMap<String, Metadata>,
    /// By digest.
    pub signatures: BTreeMap<String, Signature>,
}

impl KnownImages {
    /// Notes that `tag` has `digest`, as the registry said at `now`; [`KnownTag::before`] remembers what it had. When it was
    /// pushed stays known as long as the digest is the same, though a registry need not say so again.
    pub fn observe(&mut self, tag: &str, digest: &str, pushed: Option<Timestamp>, now: Timestamp) {
        let known = self.tags.remove(tag);
        let (since, before, pushed) = match known {
            Some(known) if known.digest == digest => (known.since, known.before, pushed.or(known.pushed)),
            Some(known) => (now, Some(known.digest), pushed),
            None => (now, None, pushed),
        };
        let seen = KnownTag { digest: digest.to_owned(), asked: now, since, pushed, before };
        self.tags.insert(tag.to_owned(), seen);
    }

    /// The other tags that are known to have the digest of `tag`, in descending byte order.
    pub fn also(&self, tag: &str, digest: &str) -> Vec<String> {
        let same = self.tags.iter().rev().filter(|(name, known)| *name != tag && known.digest == digest);
        same.map(|(name, _)| name.clone()).collect()
    }

    /// Forgets the tags that were not asked about for longest, and the digests that no tag has any more.
    fn bound(&mut self) {
        if self.tags.len() > MOST {
            let mut times: Vec<Timestamp> = self.tags.values().map(|known| known.asked).collect();
            times.sort_unstable_by(|a, b| b.cmp(a));
            let oldest = times.get(MOST - 1).copied();
            self.tags.retain(|_, known| oldest.is_none_or(|oldest| known.asked >= oldest));
            while self.tags.len() > MOST {
                self.tags.pop_first();
            }
        }
        if self.images.len() > MOST {
            let named: std::collections::BTreeSet<&String> =
                self.tags.values().map(|known| &known.digest).collect();
            self.images.retain(|digest, _| named.contains(digest));
        }
        self.signatures.retain(|digest, _| self.images.contains_key(digest));
    }
}

/// The cache, one file per canonical repository name.
#[derive(Debug)]
pub struct MetadataCache {
    files: SealedFiles,
}

impl MetadataCache {
    pub(super) fn new(shelf: Shelf) -> Self {
        let words = ("a cache of metadata", "registries are asked again");
        Self { files: SealedFiles::new(shelf, KIND, words) }
    }

    /// What is known about `canonical`, such as `ghcr.io/acme/podinfo`. A damaged file is set aside, with a warning.
    pub fn read(&self, canonical: &str) -> KnownImages {
        let name = file_name(canonical, ENDING);
        self.files.read(&name, |sealed| unpack(&sealed.payload, canonical)).unwrap_or_default()
    }

    /// Changes what is known about `canonical`, and returns it as it is then; what another process notes meanwhile stays.
    pub fn update(
        &self,
        canonical: &str,
        now: Timestamp,
        change: impl FnOnce(&mut KnownImages),
    ) -> KnownImages {
        let name = file_name(canonical, ENDING);
        let _turn = self.files.turn(&name);
        let before = self.read(canonical);
        let mut known = before.clone();
        change(&mut known);
        known.bound();
        let payload = serde_json::to_vec(&(canonical, &known)).ok().filter(|_| known != before);
        if let Some(payload) = payload {
            self.files.write(&name, now.as_second(), &payload);
        }
        known
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

fn holds(sealed: &codec::Sealed) -> Option<Holds> {
    let (name, known): (String, KnownImages) = serde_json::from_slice(&sealed.payload).ok()?;
    Some(Holds { name, tags: known.tags.len(), time: whole_seconds(sealed.seconds) })
}

fn unpack(payload: &[u8], canonical: &str) -> Option<KnownImages> {
    let (name, known): (String, KnownImages) = serde_json::from_slice(payload).ok()?;
    (name == canonical).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metadata::{Kind, Labels};
    use crate::store::{Dirs, Store};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn image(digest: &str) -> Metadata {
        Metadata {
            digest: digest.to_owned(),
            kind: Kind::Artifact("application/vnd.cncf.helm.config.v1+json".to_owned()),
            created: Some(at(7)),
            platforms: vec!["linux/amd64".to_owned()],
            size: None,
            labels: Labels::default(),
        }
    }

    #[test]
    fn a_tag_that_moves_remembers_what_it_had_and_since_when_it_has_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        for (digest, second) in [("sha256:a", 100), ("sha256:a", 200), ("sha256:b", 300), ("sha256:b", 400)] {
            let store = Store::open(&dirs);
            store.metadata().update("r/a", at(second), |known| known.observe("1", digest, None, at(second)));
        }
        let store = Store::open(&dirs);
        let known = store.metadata().read("r/a");
        let tag = &known.tags["1"];
        assert_eq!((tag.since, tag.asked, tag.before.as_deref()), (at(300), at(400), Some("sha256:a")));
        let [file] = store.metadata().files().try_into().unwrap();
        assert_eq!(file.holds, Some(Holds { name: "r/a".into(), tags: 1, time: at(400) }));
        assert!(store.metadata().remove(&file).unwrap());
        assert_eq!(store.metadata().read("r/a"), KnownImages::default());
    }

    #[test]
    fn when_a_tag_was_pushed_is_remembered_until_it_moves() {
        let mut known = KnownImages::default();
        for (digest, pushed, told) in [("d", Some(7), Some(7)), ("d", None, Some(7)), ("e", None, None)] {
            known.observe("1", digest, pushed.map(at), at(9));
            assert_eq!(known.tags["1"].pushed, told.map(at), "{digest} {pushed:?}");
        }
    }

    #[test]
    fn tags_of_one_digest_know_each_other() {
        let mut known = KnownImages::default();
        for (tag, digest) in [("1.2", "d"), ("1.2.3", "d"), ("latest", "d"), ("1.1", "e")] {
            known.observe(tag, digest, None, at(0));
        }
        assert_eq!(known.also("1.2", "d"), ["latest", "1.2.3"]);
        assert!(known.also("1.1", "e").is_empty());
    }

    #[test]
    fn what_was_not_asked_about_for_longest_goes_first() {
        let store = Store::in_memory();
        let known = store.metadata().update("r/a", at(0), |known| {
            for n in 0..1100 {
                let digest = format!("sha256:{n}");
                known.observe(&n.to_string(), &digest, None, at(n));
                known.images.insert(digest.clone(), image(&digest));
                known.signatures.insert(digest, Signature::Tag);
            }
        });
        assert_eq!((known.tags.len(), known.images.len(), known.signatures.len()), (1000, 1000, 1000));
        assert!(known.tags.contains_key("1099") && !known.tags.contains_key("99"));
        assert_eq!(store.metadata().read("r/a"), known);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        store.metadata().update("r/a", at(0), |known| known.observe("1", "d", None, at(0)));
        let file = dir.path().join("cache/metadata").join(file_name("r/a", "meta"));
        std::fs::write(&file, b"SCMETA\0\x01nonsense").unwrap();
        assert_eq!(store.metadata().read("r/a"), KnownImages::default());
        assert_eq!(store.take_warnings().len(), 1);
        assert!(file.with_extension("meta.corrupt").exists());
    }

    #[test]
    fn several_instances_keep_what_the_others_noted() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        std::thread::scope(|scope| {
            for n in 0..8 {
                let dirs = &dirs;
                scope.spawn(move || {
                    let store = Store::open(dirs);
                    store
                        .metadata()
                        .update("r/a", at(0), |known| known.observe(&n.to_string(), "d", None, at(0)));
                });
            }
        });
        assert_eq!(Store::open(&dirs).metadata().read("r/a").tags.len(), 8);
    }
}
