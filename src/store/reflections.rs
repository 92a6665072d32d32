//! What each policy had at its last pass, which a cluster keeps in the policy's status. Never cleared with the cache: a
//! digest that was seen when its tag was first selected cannot be seen again.

use std::collections::BTreeMap;

use super::codec::Kind;
use super::sealed::SealedFiles;
use super::shelf::{Shelf, file_name};
use crate::domain::reflection::Reflection;

const KIND: Kind = *b"SCREFS\0\x01";

/// One file per source of objects. A source is whatever tells policies of the same name apart, such as a repository.
#[derive(Debug)]
pub struct Reflections {
    files: SealedFiles,
}

impl Reflections {
    pub(super) fn new(shelf: Shelf) -> Self {
        let words =
            ("what was known of the digests and predecessors of policies", "digests are asked for anew");
        Self { files: SealedFiles::new(shelf, KIND, words) }
    }

    /// All that is known of the policies of `source`, by a key of the caller's. A damaged file is set aside, with a
    /// warning.
    pub fn read(&self, source: &str) -> BTreeMap<String, Reflection> {
        let name = file_name(source, "refs");
        self.files.read(&name, |sealed| unpack(&sealed.payload, source)).unwrap_or_default()
    }

    /// Notes what became of some policies; what another process noted of others meanwhile stays.
    pub fn update(&self, source: &str, news: BTreeMap<String, Reflection>, seconds: i64) {
        if news.is_empty() {
            return;
        }
        let name = file_name(source, "refs");
        let _turn = self.files.turn(&name);
        let mut all = self.read(source);
        all.extend(news);
        if let Ok(payload) = serde_json::to_vec(&(source, &all)) {
            self.files.write(&name, seconds, &payload);
        }
    }
}

fn unpack(payload: &[u8], source: &str) -> Option<BTreeMap<String, Reflection>> {
    let (name, all): (String, BTreeMap<String, Reflection>) = serde_json::from_slice(payload).ok()?;
    (name == source).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::proposal::Reference;
    use crate::store::{Dirs, Store};

    fn news(key: &str, tag: &str) -> BTreeMap<String, Reflection> {
        let digest = Some(format!("sha256:{}", "0".repeat(64)));
        let latest = Some(Reference { image: "r/a".into(), tag: tag.into(), digest });
        BTreeMap::from([(key.to_owned(), Reflection { latest, ..Reflection::default() })])
    }

    #[test]
    fn two_instances_keep_what_the_other_noted() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Store::open(&Dirs::below(dir.path())), Store::open(&Dirs::below(dir.path())));
        std::thread::scope(|scope| {
            for (store, who) in [(&one, "a"), (&two, "b")] {
                scope.spawn(move || {
                    for round in 0..20 {
                        store.reflections().update("fleet", news(&format!("{who}{round}"), "1"), 0);
                    }
                });
            }
        });
        assert_eq!(one.reflections().read("fleet").len(), 40);
        two.reflections().update("fleet", news("a0", "2"), 0);
        assert_eq!(one.reflections().read("fleet")["a0"], news("a0", "2")["a0"]);
        assert!(one.reflections().read("another fleet").is_empty());
    }

    #[test]
    fn a_damaged_file_is_set_aside_with_a_warning_and_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        store.reflections().update("fleet", news("a", "1"), 0);
        let file = dir.path().join("state/reflected").join(file_name("fleet", "refs"));
        let mut bytes = std::fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert!(store.reflections().read("fleet").is_empty());
        assert_eq!(store.take_warnings().len(), 1);
        assert!(file.with_extension("refs.corrupt").exists());
        store.reflections().update("fleet", news("b", "1"), 0);
        assert_eq!(store.reflections().read("fleet").len(), 1);
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn without_a_home_memory_serves_several_tasks_at_once() {
        let store = Store::in_memory();
        std::thread::scope(|scope| {
            for who in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    store.reflections().update("fleet", news(&who.to_string(), "1"), 0);
                });
            }
        });
        assert_eq!(store.reflections().read("fleet").len(), 8);
    }
}
