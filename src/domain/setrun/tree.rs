//! The files of a work tree as data, and which of them a run looks at, in which order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use crate::domain::inventory::is_below;
use crate::domain::manifest;

/// Links that may be followed before we call it a loop; the number is securejoin's.
const MOST_LINKS: usize = 255;

/// Files and symbolic links by their path from the root, separated by `/`.
#[derive(Debug, Clone, Default)]
pub struct Tree<'a> {
    files: BTreeMap<&'a str, &'a [u8]>,
    links: BTreeMap<&'a str, &'a str>,
}

/// A file that a run looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned<'a> {
    /// Its path from the root of the tree.
    pub path: String,
    /// Its path from the directory that is scanned; Flux's messages have this one.
    pub file: String,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Why there is nothing to scan; the texts are Flux's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Nothing at that path.
    #[error("walking path for files: lstat <workdir>/{0}: no such file or directory")]
    NotFound(String),
    /// A path that goes on behind a file.
    #[error("walking path for files: lstat <workdir>/{0}: not a directory")]
    NotADirectory(String),
    /// Links that lead to each other.
    #[error(
        "failed to secure join manifest path: SecureJoin <workdir>/{0}: too many levels of symbolic links"
    )]
    TooManyLinks(String),
}

impl<'a> Tree<'a> {
    /// A tree of these files.
    pub fn new(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        Self { files: files.into_iter().collect(), links: BTreeMap::new() }
    }

    /// The same tree with symbolic links (link, target) too.
    #[must_use]
    pub fn with_links(mut self, links: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.links.extend(links);
        self
    }

    /// The files below `update_path` that have the name of a YAML file and the token, as Flux walks them: depth first,
    /// names by bytes in each directory. Links are followed within `update_path`, and nowhere else.
    ///
    /// # Errors
    /// [`RunError`] if nothing is at `update_path`.
    pub fn scan(&self, update_path: &str) -> Result<Vec<Scanned<'a>>, RunError> {
        let root = resolve(update_path, |path| self.entry(path))?;
        let mut scanned: Vec<_> = self
            .files
            .range(root.as_str()..)
            .take_while(|(path, _)| path.starts_with(&root))
            .filter(|(path, bytes)| {
                is_below(path, &root) && !path.starts_with(".git/") && manifest::is_candidate(path, bytes)
            })
            .map(|(path, bytes)| Scanned { path: (*path).to_owned(), file: relative(path, &root), bytes })
            .collect();
        scanned.sort_by(|a, b| walk_order(&a.file, &b.file));
        Ok(scanned)
    }

    /// What stands at `path`.
    fn entry(&self, path: &str) -> Option<Entry> {
        if let Some(target) = self.links.get(path) {
            return Some(Entry::Link((*target).to_owned()));
        }
        if self.files.contains_key(path) {
            return Some(Entry::File);
        }
        let prefix = format!("{path}/");
        let below = |path: Option<&str>| path.is_some_and(|path| path.starts_with(&prefix));
        let has_file = below(self.files.range(prefix.as_str()..).next().map(|(path, _)| *path));
        let has_link = below(self.links.range(prefix.as_str()..).next().map(|(path, _)| *path));
        (has_file || has_link).then_some(Entry::Folder)
    }
}

/// What may stand at a path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A symbolic link, and where it leads.
    Link(String),
}

/// `update_path` from the root of the tree that `entry` describes, with its links resolved as if the tree were all there
/// is: neither `..` nor a link leads out of it. Empty for the root.
///
/// # Errors
/// [`RunError`] if nothing is there.
///
/// Source: `cyphar/filepath-securejoin`.
pub fn resolve(update_path: &str, entry: impl Fn(&str) -> Option<Entry>) -> Result<String, RunError> {
    let mut todo: VecDeque<String> = update_path.split('/').map(str::to_owned).collect();
    let mut done: Vec<String> = Vec::new();
    let mut followed = 0;
    while let Some(word) = todo.pop_front() {
        match word.as_str() {
            "" | "." => {}
            ".." => {
                done.pop();
            }
            _ => {
                done.push(word);
                let Some(Entry::Link(target)) = entry(&done.join("/")) else { continue };
                followed += 1;
                if followed > MOST_LINKS {
                    return Err(RunError::TooManyLinks(update_path.to_owned()));
                }
                done.pop();
                if target.starts_with('/') {
                    done.clear();
                }
                target.split('/').rev().for_each(|word| todo.push_front(word.to_owned()));
            }
        }
    }
    let root = done.join("/");
    if root.is_empty() || entry(&root).is_some() {
        return Ok(root);
    }
    let mut parents = root.match_indices('/').filter_map(|(at, _)| root.get(..at));
    let is_behind_file = parents.any(|parent| entry(parent) == Some(Entry::File));
    Err(if is_behind_file { RunError::NotADirectory(root) } else { RunError::NotFound(root) })
}

/// The path of a file as Flux names it: below the path that is scanned, or the file's name if it is that path.
pub fn relative(path: &str, root: &str) -> String {
    let below = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    match below.filter(|_| !root.is_empty()) {
        Some(below) => below.to_owned(),
        None if path == root => path.rsplit('/').next().unwrap_or(path).to_owned(),
        None => path.to_owned(),
    }
}

/// The order in which Flux walks files: depth first, names by bytes in each directory.
pub fn walk_order(a: &str, b: &str) -> Ordering {
    a.split('/').cmp(b.split('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &[u8] = b"\"$imagepolicy\"";

    fn scan(update_path: &str) -> Result<Vec<String>, RunError> {
        let paths = ["b.yaml", "a/z.yaml", "a.yaml", "a/b/c.yml", "a/n.txt", "deep/er/x.yaml", ".git/x.yaml"];
        let links = [
            ("link", "deep"),
            ("deep/up", "../../../a"),
            ("abs", "/deep/er"),
            ("loop", "loop"),
            ("f.yaml", "b.yaml"),
        ];
        let tree = Tree::new(paths.map(|path| (path, TOKEN))).with_links(links);
        Ok(tree.scan(update_path)?.into_iter().map(|file| file.file).collect())
    }

    #[test]
    fn files_come_depth_first_with_names_by_bytes() {
        assert_eq!(scan("").unwrap(), ["a/b/c.yml", "a/z.yaml", "a.yaml", "b.yaml", "deep/er/x.yaml"]);
        assert_eq!(scan("./a/").unwrap(), ["b/c.yml", "z.yaml"]);
        assert_eq!(scan("a/z.yaml").unwrap(), ["z.yaml"]);
        assert_eq!(scan("a/n.txt").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn no_path_leads_out_of_the_tree() {
        assert_eq!(scan("../../a/../a").unwrap(), ["b/c.yml", "z.yaml"]);
        assert_eq!(scan("link/er").unwrap(), ["x.yaml"]);
        assert_eq!(scan("link/up").unwrap(), ["b/c.yml", "z.yaml"]);
        assert_eq!(scan("abs").unwrap(), ["x.yaml"]);
    }

    #[test]
    fn nothing_at_the_path_is_an_error_with_flux_s_words() {
        let error = |path| scan(path).unwrap_err().to_string();
        assert_eq!(error("nope"), "walking path for files: lstat <workdir>/nope: no such file or directory");
        assert_eq!(error("b.yaml/x"), "walking path for files: lstat <workdir>/b.yaml/x: not a directory");
        assert_eq!(
            error("loop"),
            "failed to secure join manifest path: SecureJoin <workdir>/loop: too many levels of symbolic links"
        );
    }

    #[test]
    fn a_directory_with_nothing_but_a_link_is_there() {
        let tree = Tree::default().with_links([("a/b/link", "nowhere")]);
        assert_eq!(tree.scan("a/b").unwrap(), []);
        assert!(tree.scan("a/c").is_err());
    }
}
