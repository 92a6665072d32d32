//! The files source: which files of a tree are read, and which of them can matter.
//!
//! A large tree is mostly files that say nothing about image updates. They are told by their bytes, in parallel,
//! before any of them is parsed; [`parse`] then reads what is left.

use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};
use memchr::memmem;

use crate::environment::is_own_folder;
use crate::problem::{Code, Problem};

pub use super::load::{Loaded, parse};

/// A larger file is passed over, with a problem that says so.
const MAX_FILE: u64 = 64 << 20;

/// A file of a work tree or of a Git tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path from the root of the tree, parts separated by `/`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// What was read of a work tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkTree {
    /// The files that can matter to [`parse`], by path.
    pub files: Vec<SourceFile>,
    /// Files and folders that could not be read.
    pub problems: Vec<Problem>,
    /// What the files were like before they were read.
    pub stamp: Stamp,
}

/// What the files of a tree that can matter are like: their names, sizes and times. Another stamp means that something
/// was changed, came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp(u64);

impl Stamp {
    /// With one more file; their order does not matter.
    fn with(self, path: &str, metadata: &Metadata) -> Self {
        let mut hasher = DefaultHasher::new();
        (path, metadata.len(), metadata.modified().ok()).hash(&mut hasher);
        Self(self.0.wrapping_add(hasher.finish()))
    }
}

/// Why a tree could not be read at all; the problem it becomes names the tree.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is nothing at this path.
    #[error("no such directory")]
    Missing(PathBuf),
    /// It is a file.
    #[error("not a directory")]
    NotADirectory(PathBuf),
    /// The system refused.
    #[error("the directory could not be read")]
    Read {
        /// The root.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<FilesError> for Problem {
    fn from(error: FilesError) -> Self {
        let (path, code) = match &error {
            FilesError::Missing(path) | FilesError::NotADirectory(path) => (path, Code::NotFound),
            FilesError::Read { path, .. } => (path, Code::Storage),
        };
        let problem = Self::new(code, path.display().to_string(), error.to_string());
        match std::error::Error::source(&error) {
            Some(source) => problem.caused_by(source),
            None => problem,
        }
    }
}

/// Whether a file of this name is ever looked at: `*.yaml`, `*.yml`, and `Kustomization`.
pub fn is_candidate(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("yaml" | "yml")) || name == "Kustomization"
}

/// Whether a file can hold an object that [`parse`] reads.
pub fn is_relevant(path: &str, bytes: &[u8]) -> bool {
    holds_flux_objects(bytes)
        || holds_related_objects(bytes)
        || (is_kustomization(path) && memmem::find(bytes, b"namespace").is_some())
}

/// Whether this is the file that kustomize reads in a folder.
pub(super) fn is_kustomization(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("kustomization.yaml" | "kustomization.yml" | "Kustomization"))
}

/// Whether any of Flux's API groups is named.
pub(super) fn holds_flux_objects(bytes: &[u8]) -> bool {
    memmem::find(bytes, b"toolkit.fluxcd.io").is_some()
}

/// The kinds of objects that Flux's objects refer to.
const RELATED: &[&[u8]] =
    &[b"Secret", b"ServiceAccount", b"Namespace", b"SealedSecret", b"ExternalSecret", b"List"];

/// Whether any `kind:` names one of the kinds that Flux's objects refer to.
pub(super) fn holds_related_objects(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, b"kind").any(|place| {
        let rest = bytes.get(place + 4..).unwrap_or_default();
        let is_filler = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b'\t' | b':');
        let start = rest.iter().position(|byte| !is_filler(byte)).unwrap_or(rest.len());
        let word = rest.get(start..).unwrap_or_default();
        let end = word.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(word.len());
        word.get(..end).is_some_and(|word| RELATED.contains(&word))
    })
}

/// Whether a document says on its first level that it is something else: not of Flux's API groups, and of no kind
/// that Flux's objects refer to.
///
/// Flux's own installation lies in most trees and is a megabyte of definitions in which its groups are named; parsing
/// them would cost more than all the rest.
pub(super) fn is_foreign(document: &str) -> bool {
    let value = |key: &str| {
        let line = document.lines().find(|line| line.starts_with(key))?;
        Some(line.get(key.len()..)?.trim().trim_matches(['"', '\'']))
    };
    let is_related = |kind: &str| kind.ends_with("List") || RELATED.contains(&kind.as_bytes());
    match (value("apiVersion:"), value("kind:")) {
        (Some(version), Some(kind)) => !version.contains("toolkit.fluxcd.io") && !is_related(kind),
        _ => false,
    }
}

/// Reads the files below `root` that can matter: named `*.yaml`, `*.yml` or `Kustomization`, and naming a kind that is
/// read. Left out are `.git`, what git ignores, folders of ours, and links that lead out of the tree. Links to folders are not followed.
///
/// # Errors
/// `root` is no directory that can be read. What fails further down is in [`WorkTree::problems`].
pub fn read_work_tree(root: &Path) -> Result<WorkTree, FilesError> {
    let found = Mutex::new(WorkTree::default());
    visit(root, |candidate| {
        let file = candidate.as_ref().map_err(Clone::clone).and_then(read);
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(candidate) = candidate {
            found.stamp = found.stamp.with(&candidate.path, &candidate.metadata);
        }
        match file {
            Ok(file) => found.files.extend(file),
            Err(problem) => found.problems.push(problem),
        }
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    found.problems.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(found)
}

/// What the files that [`read_work_tree`] would look at are like now; none of them is read.
///
/// # Errors
/// `root` is no directory that can be read.
pub fn stamp(root: &Path) -> Result<Stamp, FilesError> {
    let found = Mutex::new(Stamp::default());
    visit(root, |candidate| {
        if let Ok(candidate) = candidate {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            *found = found.with(&candidate.path, &candidate.metadata);
        }
    })?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A file whose name says that it may matter.
struct Candidate {
    /// From the root of the tree.
    path: String,
    place: PathBuf,
    metadata: Metadata,
}

/// Shows `each`, on several threads, every file below `root` that may matter, and what could not be looked at.
fn visit(root: &Path, each: impl Fn(Result<Candidate, Problem>) + Sync) -> Result<(), FilesError> {
    let tree = tree_of(root)?;
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .git_ignore(true)
        .git_global(true)
        .git_exclude(true)
        .parents(true)
        .threads(threads)
        .filter_entry(|entry| {
            entry.file_name() != ".git" && (entry.depth() == 0 || !is_own_folder(entry.path()))
        })
        .build_parallel();
    walk.run(|| {
        Box::new(|entry| {
            let found = entry
                .map_err(|error| unreadable(root, &error))
                .and_then(|entry| candidate(root, &tree, &entry));
            if let Some(found) = found.transpose() {
                each(found);
            }
            WalkState::Continue
        })
    });
    Ok(())
}

/// The real path of the tree that links must not leave: the Git work tree around `root`, or `root` itself.
fn tree_of(root: &Path) -> Result<PathBuf, FilesError> {
    let real = root.canonicalize().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => FilesError::Missing(root.to_owned()),
        _ => FilesError::Read { path: root.to_owned(), source },
    })?;
    if !real.is_dir() {
        return Err(FilesError::NotADirectory(root.to_owned()));
    }
    fs::read_dir(&real).map_err(|source| FilesError::Read { path: root.to_owned(), source })?;
    let top = real.ancestors().find(|folder| folder.join(".git").exists());
    Ok(top.unwrap_or(&real).to_owned())
}

/// What an entry of the walk is, if its name says that it may matter.
fn candidate(root: &Path, tree: &Path, entry: &DirEntry) -> Result<Option<Candidate>, Problem> {
    let path = relative(root, entry.path());
    let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir() && is_candidate(&path)) else {
        return Ok(None);
    };
    if kind.is_symlink() && !leads_into(tree, entry.path()) {
        return Ok(None);
    }
    let metadata = fs::metadata(entry.path()).map_err(|error| failed(&path, &error))?;
    // Not a pipe, whose reading might never end, nor a folder that is called like a file.
    let place = entry.path().to_owned();
    Ok(metadata.is_file().then_some(Candidate { path, place, metadata }))
}

/// Reads a file; `None`: it cannot matter.
fn read(candidate: &Candidate) -> Result<Option<SourceFile>, Problem> {
    let path = candidate.path.clone();
    if candidate.metadata.len() > MAX_FILE {
        let message = format!("passed over: larger than {} MiB", MAX_FILE >> 20);
        return Err(Problem::new(Code::Skipped, path, message));
    }
    let bytes = fs::read(&candidate.place).map_err(|error| failed(&path, &error))?;
    Ok(is_relevant(&path, &bytes).then_some(SourceFile { path, bytes }))
}

fn failed(path: &str, error: &io::Error) -> Problem {
    Problem::new(Code::Storage, path, "the file could not be read").caused_by(error)
}

/// Whether a link ends inside the tree; one that leads nowhere does not.
fn leads_into(tree: &Path, link: &Path) -> bool {
    link.canonicalize().is_ok_and(|target| {
        target
            .strip_prefix(tree)
            .is_ok_and(|inside| inside.components().all(|part| part.as_os_str() != ".git"))
    })
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

fn unreadable(root: &Path, error: &ignore::Error) -> Problem {
    let subject = match error {
        ignore::Error::WithPath { path, .. } => relative(root, path),
        _ => root.display().to_string(),
    };
    Problem::new(Code::Storage, subject, "could not be read").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "apiVersion: image.toolkit.fluxcd.io/v1\n";

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn paths(tree: &WorkTree) -> Vec<&str> {
        tree.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn only_files_that_can_matter_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in
            ["b/x.yml", "a.yaml", ".hidden/x.yaml", ".git/x.yaml", "ignored/x.yaml", "x.YAML", "x.json"]
        {
            write(root, path, OBJECT);
        }
        write(root, ".gitignore", "ignored/\n");
        write(root, "deploy.yaml", "kind: Deployment\n");
        write(root, "secret.yaml", "kind:   \"Secret\"\n");
        write(root, "apps/kustomization.yaml", "namespace: apps\n");
        let tree = read_work_tree(root).unwrap();
        assert_eq!(
            paths(&tree),
            [".hidden/x.yaml", "a.yaml", "apps/kustomization.yaml", "b/x.yml", "secret.yaml"]
        );
        // A folder inside the work tree is a tree of its own.
        assert_eq!(paths(&read_work_tree(&root.join("b")).unwrap()), ["x.yml"]);
    }

    #[test]
    fn a_tree_has_another_stamp_as_soon_as_a_file_that_may_matter_comes_changes_or_goes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "a.yaml", OBJECT);
        write(root, "notes.txt", "1");
        let now = || stamp(root).unwrap();
        let first = now();
        assert_eq!(read_work_tree(root).unwrap().stamp, first);
        write(root, "notes.txt", "22");
        assert_eq!(now(), first, "that is never read");
        write(root, "b/new.yaml", "not: yet an object\n");
        let second = now();
        assert_ne!(second, first);
        write(root, "b/new.yaml", OBJECT);
        let third = now();
        assert!(third != second && third != first);
        assert_eq!(read_work_tree(root).unwrap().stamp, third);
        fs::remove_file(root.join("b/new.yaml")).unwrap();
        assert_eq!(now(), first);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_inside_the_tree_and_not_out_of_it() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        write(&root, "a.yaml", OBJECT);
        write(folder.path(), "outside.yaml", OBJECT);
        symlink("a.yaml", root.join("inside.yaml")).unwrap();
        symlink("../outside.yaml", root.join("outside.yaml")).unwrap();
        symlink("nowhere.yaml", root.join("dangling.yaml")).unwrap();
        symlink("..", root.join("folder.yaml")).unwrap();
        let tree = read_work_tree(&root).unwrap();
        assert_eq!(paths(&tree), ["a.yaml", "inside.yaml"]);
        assert_eq!(tree.problems, []);
    }

    #[test]
    fn a_root_that_is_no_folder_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.yaml", OBJECT);
        let missing = read_work_tree(&folder.path().join("nowhere")).unwrap_err();
        assert!(Problem::from(missing).to_string().ends_with("nowhere: no such directory"));
        let file = Problem::from(read_work_tree(&folder.path().join("a.yaml")).unwrap_err());
        assert_eq!(file.code, Code::NotFound);
    }
}
