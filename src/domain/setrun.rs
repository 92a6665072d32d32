//! One whole run of the setters over a tree of files: what Flux's automation would change, in its order, by its rules.
//!
//! Where the tree comes from and where the result goes is left to others; so is whether a person agrees.
//!
//! Source: `fluxcd/image-automation-controller:internal/policy/applier.go`, `internal/update/{setters,filereader}.go`.

mod tree;

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest::{self, Manifest, Replaced, RewriteError, Rewritten, YamlError};
use super::parallel::in_parallel;
use super::proposal::ObjectIdentity;
use super::setter::{Resolution, Setters};
use crate::problem::{Code, Problem};

pub use tree::{Entry, RunError, Scanned, Tree, relative, resolve, walk_order};

/// One marked scalar whose value changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Update {
    /// The file, relative to the path that was scanned.
    pub file: String,
    /// The object of the document, as it is called when this change is made.
    pub object: ObjectIdentity,
    /// Keys from the document's root, joined by points; sequences add nothing.
    pub path: String,
    /// The marker's text.
    pub setter: String,
    /// The value before.
    pub old: String,
    /// The value after.
    pub new: String,
    /// The first byte of the replaced source text, in the file before.
    pub start: usize,
    /// The byte behind the replaced source text.
    pub end: usize,
}

/// A file that has the token and in which nothing can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemFile {
    /// The file, relative to the path that was scanned.
    pub file: String,
    /// Why.
    pub error: FileError,
}

/// Why nothing can be changed in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is no text.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// It is no YAML that Flux can use.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// An edit was refused.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
}

impl FileError {
    /// The problem of `file`, in which nothing can be changed.
    pub fn problem(&self, file: &str) -> Problem {
        Problem::new(Code::YamlInvalid, file, self.to_string())
    }
}

/// What a run changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The files that differ afterwards, by their path in the tree.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The changes, in the order of the walk, then of the text.
    pub updates: Vec<Update>,
    /// The files that could not be used, by name.
    pub problem_files: Vec<ProblemFile>,
}

/// Runs `setters` over the files of `tree` below `update_path`, on up to `threads` threads (the outcome does not depend
/// on their number).
///
/// # Errors
/// If there is nothing at `update_path`; then nothing is changed.
pub fn run(
    tree: &Tree<'_>,
    update_path: &str,
    setters: &Setters,
    threads: usize,
) -> Result<Outcome, RunError> {
    let scanned = tree.scan(update_path)?;
    let results = in_parallel(&scanned, threads, |file| set_candidate(file.bytes, setters));
    let mut outcome = Outcome::default();
    for (file, result) in scanned.into_iter().zip(results) {
        match result {
            Ok(set) => {
                outcome.files.extend(set.text.map(|text| (file.path, text.into_bytes())));
                outcome.updates.extend(
                    set.updates.into_iter().map(|update| Update { file: file.file.clone(), ..update }),
                );
            }
            Err(error) => outcome.problem_files.push(ProblemFile { file: file.file, error }),
        }
    }
    outcome.problem_files.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(outcome)
}

/// One file after the setters ran over it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSet {
    /// The new text; `None` if nothing changes.
    pub text: Option<String>,
    /// The changes, in the order of the text; `file` is empty.
    pub updates: Vec<Update>,
    /// Where the changes stand in both texts, in the same order.
    pub places: Vec<Replaced>,
}

/// Runs `setters` over the bytes of one file.
///
/// # Errors
/// [`FileError`], for a file that has the token and cannot be used.
pub fn set(bytes: &[u8], setters: &Setters) -> Result<FileSet, FileError> {
    if !manifest::has_token(bytes) {
        return Ok(FileSet::default());
    }
    set_candidate(bytes, setters)
}

/// [`set`] for a file that has the token.
fn set_candidate(bytes: &[u8], setters: &Setters) -> Result<FileSet, FileError> {
    let text = std::str::from_utf8(bytes).map_err(|_invalid| FileError::NotUtf8)?;
    let manifest = Manifest::parse(text)?;
    let mut edits = Vec::new();
    for scalar in manifest.scalars() {
        if let Resolution::Known { text, .. } = setters.resolve(&scalar.setter)
            && text != scalar.value
        {
            edits.push((scalar, text));
        }
    }
    if edits.is_empty() {
        return Ok(FileSet::default());
    }
    let texts: Vec<_> = edits.iter().map(|(scalar, text)| (*scalar, text.as_str())).collect();
    let Rewritten { text, places } = manifest.rewrite(&texts)?;
    let objects = manifest::objects(&texts);
    let updates = edits.into_iter().zip(objects).map(|((scalar, new), object)| Update {
        file: String::new(),
        object,
        path: scalar.path.clone(),
        setter: scalar.setter.clone(),
        old: scalar.value.clone(),
        new,
        start: scalar.span.start,
        end: scalar.span.end,
    });
    Ok(FileSet { updates: updates.collect(), text: Some(text), places })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::ObjectId;
    use crate::domain::proposal::Reference;

    fn setters() -> Setters {
        let latest = Reference { image: "o/web".into(), tag: "2".into(), digest: None };
        Setters::new([(&ObjectId::new("apps", "web"), Some(&latest))]).unwrap()
    }

    #[test]
    fn the_outcome_does_not_depend_on_the_threads() {
        let files: Vec<(String, String)> = (0..100)
            .map(|number| {
                let text = format!("a: {number}\nb: o/web:1 # {{\"$imagepolicy\": \"apps:web\"}}\n");
                (format!("d{}/{number}.yaml", number % 7), text)
            })
            .collect();
        let tree = Tree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())));
        let alone = run(&tree, "", &setters(), 1).unwrap();
        assert_eq!(alone.updates.len(), 100);
        assert_eq!(run(&tree, "", &setters(), 3).unwrap(), alone);
    }

    #[test]
    fn a_file_that_is_no_text_is_a_problem_file() {
        let bytes = b"a: \xff # {\"$imagepolicy\": \"apps:web\"}\n";
        let tree = Tree::new([("x/a.yaml", bytes.as_slice())]);
        let outcome = run(&tree, "x", &setters(), 1).unwrap();
        assert_eq!(outcome.problem_files, [ProblemFile { file: "a.yaml".into(), error: FileError::NotUtf8 }]);
    }

    #[test]
    fn what_stands_there_plays_no_part() {
        for old in ["o/web:3", "o/web:1@sha256:00", "another.example.com/db:9", "''", "no image at all"] {
            let text = format!("b: {old} # {{\"$imagepolicy\": \"apps:web\"}}\n");
            let written = set(text.as_bytes(), &setters()).unwrap().text.unwrap();
            assert!(
                written.starts_with(if old == "''" { "b: 'o/web:2' #" } else { "b: o/web:2 #" }),
                "{written}"
            );
        }
    }

    #[test]
    fn a_second_run_changes_nothing() {
        let text = "b: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n";
        let first = set(text.as_bytes(), &setters()).unwrap().text.unwrap();
        assert_eq!(set(first.as_bytes(), &setters()).unwrap(), FileSet::default());
    }
}
