//! The files below an automation's path that have markers, in a commit or as they lie in a folder.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::domain::inventory::is_below;
use crate::domain::manifest::{self, MarkedScalar};
use crate::domain::marker::{has_blank, parse_setter};
use crate::domain::plan::{MarkedFile, ProblemFile};
use crate::domain::setrun::{self, RunError};
use crate::git::{BareCache, GitError, TreeEntry};
use crate::problem::{Code, Problem};
use crate::store::MarkerCache;

/// The folder of a cache, a commit, and a path in it.
type Place = (PathBuf, String, String);

/// What somebody still holds, and what went wrong beside it.
type Known = (Weak<Vec<MarkedFile>>, Vec<ProblemFile>);

/// The marked files of commits, for the life of the engine. What a commit holds never changes, so whoever looks at one again
/// shares them, as long as anybody still has them.
#[derive(Debug, Default)]
pub(in crate::engine) struct MarkedFiles {
    files: Mutex<HashMap<Place, Known>>,
    /// Texts of single files.
    texts: Mutex<HashMap<Place, Weak<str>>>,
}

impl MarkedFiles {
    /// The files of `commit` below `path` that have markers, in the order Flux walks them, and those that cannot be
    /// written. The texts are kept of those alone in which a marker is not whole, and has to be pointed at: the markers of a large
    /// repository are few beside what stands around them. Others are read again, by [`Self::texts`].
    ///
    /// # Errors
    /// The commit is not in the cache.
    pub(super) fn of(
        &self,
        (cache, seen): (&BareCache, &MarkerCache),
        (commit, path): (&str, &str),
    ) -> Result<(Arc<Vec<MarkedFile>>, Vec<ProblemFile>), Problem> {
        let place = (cache.dir().to_owned(), commit.to_owned(), path.to_owned());
        let known = self.all().get(&place).and_then(|(files, rest)| Some((files.upgrade()?, rest.clone())));
        if let Some(known) = known {
            return Ok(known);
        }
        let (files, problems) = read((cache, seen), (commit, path))?;
        let files = Arc::new(files);
        let mut all = self.all();
        all.retain(|_, (files, _)| files.strong_count() > 0);
        all.insert(place, (Arc::downgrade(&files), problems.clone()));
        Ok((files, problems))
    }

    /// The texts of those of `paths` at which `commit` has a file of text, by path; whoever asks for one again shares it.
    ///
    /// # Errors
    /// The commit is not in the cache.
    pub(in crate::engine) fn texts(
        &self,
        cache: &BareCache,
        commit: &str,
        paths: &[&str],
    ) -> Result<Vec<(String, Arc<str>)>, GitError> {
        let place = |path: &str| (cache.dir().to_owned(), commit.to_owned(), path.to_owned());
        let known = |path: &str| self.all_texts().get(&place(path)).and_then(Weak::upgrade);
        let (mut found, mut unread) = (Vec::with_capacity(paths.len()), Vec::new());
        for path in paths {
            match known(path) {
                Some(text) => found.push(((*path).to_owned(), text)),
                None => unread.push(*path),
            }
        }
        let read = cache.read_files_as(commit, &unread, |path, _mode, bytes| {
            Some((path.to_owned(), Arc::<str>::from(std::str::from_utf8(bytes).ok()?)))
        })?;
        let mut texts = self.all_texts();
        texts.retain(|_, text| text.strong_count() > 0);
        texts.extend(read.iter().map(|(path, text)| (place(path), Arc::downgrade(text))));
        found.extend(read);
        Ok(found)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Place, Known>> {
        // What was read is as true after a panic elsewhere as before.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all_texts(&self) -> MutexGuard<'_, HashMap<Place, Weak<str>>> {
        // As above.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(
    (cache, seen): (&BareCache, &MarkerCache),
    (commit, path): (&str, &str),
) -> Result<(Vec<MarkedFile>, Vec<ProblemFile>), Problem> {
    let wanted = |file: &str| is_below(file, path) && manifest::is_yaml_name(file);
    let entries = cache.list_tree(commit, wanted).map_err(Problem::from)?;
    let blobs: Vec<String> = entries.iter().map(TreeEntry::blob).collect();
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    for (entry, known) in entries.into_iter().zip(seen.read(cache.shown(), &blobs)) {
        match known {
            Some(known) => found.extend(known.map(|file| Ok(MarkedFile { path: entry.path, ..file }))),
            None => unseen.push(entry),
        }
    }
    found.extend(look((cache, seen), commit, (&unseen, &blobs))?);
    let (mut files, problems) = sorted(found.into_iter());
    files.sort_by(|a, b| setrun::walk_order(&a.path, &b.path));
    Ok((files, problems))
}

/// Looks into files that nobody looked into before, and keeps what was found; `blobs` are those of all that are in use.
///
/// What a problem is, or has to be pointed at, is looked at again each time: it takes the text.
fn look(
    (cache, seen): (&BareCache, &MarkerCache),
    commit: &str,
    (unseen, blobs): (&[TreeEntry], &[String]),
) -> Result<Vec<Result<MarkedFile, ProblemFile>>, Problem> {
    let make = |file: &str, _mode, bytes: &[u8]| {
        let found = manifest::means_markers(file, bytes).then(|| marked(file, bytes)).flatten();
        Some(found.map(|file| file.map(with_needed_text)))
    };
    let found = cache.read_entries_as(commit, unseen, make).map_err(Problem::from)?;
    let new = unseen.iter().zip(&found).filter_map(|(entry, found)| match found {
        None => Some((entry.blob(), None)),
        Some(Ok(file)) if file.text.is_empty() => Some((entry.blob(), Some(file))),
        Some(_) => None,
    });
    seen.write(cache.shown(), blobs, &new.collect());
    Ok(found.into_iter().flatten().collect())
}

/// The file, without its text where there is nothing to point at: all its markers are whole.
fn with_needed_text(file: MarkedFile) -> MarkedFile {
    let is_whole = |site: &MarkedScalar| parse_setter(&site.setter).is_ok() && !has_blank(&site.setter);
    let is_needed = !file.strays.is_empty() || !file.sites.iter().all(is_whole);
    if is_needed { file } else { MarkedFile { text: Arc::default(), ..file } }
}

/// A file with markers. One without the token is none of Flux's; of it only what was meant as a marker is kept.
pub(super) fn marked(path: &str, bytes: &[u8]) -> Option<Result<MarkedFile, ProblemFile>> {
    let has_token = manifest::has_token(bytes);
    let read = match std::str::from_utf8(bytes) {
        Ok(text) => MarkedFile::read(path, text),
        Err(error) => Err(manifest::YamlError::not_utf8(bytes, &error)),
    };
    match read {
        Ok(file) if has_token => Some(Ok(file)),
        Ok(file) => Some(Ok(MarkedFile { sites: Vec::new(), ..file })),
        Err(error) => has_token.then(|| Err(ProblemFile { path: path.to_owned(), error })),
    }
}

/// The files that were read, and those that cannot be.
pub(super) fn sorted(
    read: impl Iterator<Item = Result<MarkedFile, ProblemFile>>,
) -> (Vec<MarkedFile>, Vec<ProblemFile>) {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for file in read {
        match file {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    (files, problems)
}

/// Where `update_path` leads to in the files of a commit.
pub(super) fn scanned_path(cache: &BareCache, commit: &str, update_path: &str) -> Result<String, Problem> {
    let found = cache.look(commit, |entry| setrun::resolve(update_path, entry)).map_err(Problem::from)?;
    found.map_err(|error| not_scanned(&error))
}

/// The problem of an automation whose path leads nowhere; the caller says which automation.
pub(super) fn not_scanned(error: &RunError) -> Problem {
    Problem::new(Code::UpdatePath, "", format!("failed to apply policies: {error}"))
        .in_flux(error.to_string())
        .hint("Correct spec.update.path of the automation.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::Person;
    use crate::git::{Remote, init_bare};
    use crate::store::{Dirs, Store};

    #[test]
    fn the_text_stays_where_something_is_to_be_said_of_it() {
        let is_kept = |line: &str| {
            let file = MarkedFile::read("a.yaml", format!("{line}\n")).unwrap();
            !with_needed_text(file).text.is_empty()
        };
        assert!(!is_kept("a: 1 # {\"$imagepolicy\": \"apps:web\"}"), "a whole marker is told by its name");
        for comment in ["{'$imagepolicy': 'apps:web'}", "{imagepolicy: apps:web}"] {
            assert!(is_kept(&format!("a: 1 # {comment}")), "{comment}");
        }
        for setter in ["apps: web", "apps:web:TAG", "web"] {
            assert!(is_kept(&format!("a: 1 # {{\"$imagepolicy\": \"{setter}\"}}")), "{setter}");
        }
    }

    #[test]
    fn files_of_a_commit_are_read_once_for_as_long_as_anybody_has_them() {
        let dir = tempfile::tempdir().unwrap();
        let remote = dir.path().join("fleet.git");
        let author = Person { name: "ci".into(), email: "ci@example.com".into() };
        let text = b"image: app:1 # {\"$imagepolicy\": \"apps:web\"}\n".to_vec();
        let files = [("apps/web.yaml".to_owned(), text.clone()), ("other/web.yaml".to_owned(), text)];
        init_bare(&remote, "main", (&author, 1_700_000_000), &files).unwrap();
        let remote = Remote::new(remote.to_str().unwrap());
        let cache = BareCache::open(&dir.path().join("cache"), &remote.url).unwrap();
        let fetched = cache.fetch(&remote, |_| vec!["refs/heads/main".to_owned()]).unwrap();
        let commit = fetched.refs.branch("main").unwrap().to_owned();
        let (known, store) = (MarkedFiles::default(), Store::in_memory());
        let read = |path: &str| known.of((&cache, store.markers()), (&commit, path)).unwrap().0;
        let first = read("apps");
        assert_eq!(first.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["apps/web.yaml"]);
        assert!(Arc::ptr_eq(&first, &read("apps")), "whoever looks again shares them");
        assert_eq!(read("").len(), 2, "another path has files of its own");
        assert!(first[0].text.is_empty() && first[0].sites.len() == 1, "nobody writes there yet");
        let texts = |path: &str| known.texts(&cache, &commit, &[path, "gone.yaml"]).unwrap();
        let text = texts("apps/web.yaml");
        assert_eq!(text.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["apps/web.yaml"]);
        assert!(Arc::ptr_eq(&text[0].1, &texts("apps/web.yaml")[0].1), "and so with its text");
        assert_eq!(first[0].fingerprint, crate::domain::plan::fingerprint(&text[0].1));
        drop(text);
        assert_eq!(texts("other/web.yaml").len(), 1);
        assert_eq!(known.all_texts().len(), 1, "what nobody has is forgotten");
        drop(first);
        assert_eq!(read("apps").len(), 1, "they are read anew when nobody has them");
        assert_eq!(known.all().len(), 1, "and what nobody has is forgotten");
    }

    /// A line of a file: marked in a way that is right, in one that has to be pointed at, or not at all.
    fn line() -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::*;
        prop_oneof![
            "[a-c]: x:[0-9]\n",
            "[a-c]: 'x:[0-9]' # \\{\"\\$imagepolicy\": \"apps:(web|db)(:tag)?\"\\}\n",
            "[a-c]: [|] # \\{\"\\$imagepolicy\": \"apps:web\"\\}\n  x:1\n",
            Just("d: # {imagepolicy: apps:web}\n".to_owned()),
            Just("- e: [ # {\"$imagepolicy\": \"apps:web\"}\n".to_owned()),
            Just("# é\n---\n".to_owned()),
        ]
    }

    proptest::proptest! {
        // Each case makes two commits and fetches them.
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

        #[test]
        fn what_was_seen_before_changes_no_answer(
            trees in proptest::collection::vec(
                proptest::collection::btree_map(
                    "[ab]/[a-e]\\.(yaml|txt)",
                    proptest::collection::vec(line(), 0..6),
                    1..8,
                ),
                2,
            ),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let author = Person { name: "ci".into(), email: "ci@example.com".into() };
            let store = || Store::open(&Dirs::below(dir.path()));
            for (number, tree) in trees.iter().enumerate() {
                let remote = dir.path().join(format!("{number}.git"));
                let files: Vec<_> =
                    tree.iter().map(|(path, lines)| (path.clone(), lines.concat().into_bytes())).collect();
                init_bare(&remote, "main", (&author, 1), &files).unwrap();
                let remote = Remote::new(remote.to_str().unwrap());
                let cache = BareCache::open(&dir.path().join("git"), &remote.url).unwrap();
                let fetched = cache.fetch(&remote, |_| vec!["refs/heads/main".to_owned()]).unwrap();
                let commit = fetched.refs.branch("main").unwrap();
                let of = |store: &Store, path: &str| {
                    let found = read((&cache, store.markers()), (commit, path)).unwrap();
                    format!("{found:?}")
                };
                for path in ["a", "", "", "b"] {
                    // Each time another process, on what those before it kept.
                    proptest::prop_assert_eq!(of(&store(), path), of(&Store::in_memory(), path));
                }
                proptest::prop_assert!(store().take_warnings().is_empty());
            }
        }
    }
}
