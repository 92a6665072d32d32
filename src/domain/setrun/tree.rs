//! The files of a work tree as data, and which of them a run looks at, in which order.

use std::collections::{BTreeMap, VecDeque};

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
        let root = self.secure_join(update_path)?;
        if let Some(bytes) = self.files.get(root.as_str()) {
            let name = root.rsplit('/').next().unwrap_or(&root).to_owned();
            let one = manifest::is_candidate(&name, bytes);
            return Ok(if one { vec![Scanned { path: root, file: name, bytes }] } else { Vec::new() });
        }
        let prefix = if root.is_empty() { String::new() } else { format!("{root}/") };
        let mut below =
            self.files.range(prefix.as_str()..).take_while(|(path, _)| path.starts_with(&prefix)).peekable();
        let has_link = |prefix: &str| {
            self.links.range(prefix..).next().is_some_and(|(link, _)| link.starts_with(prefix))
        };
        if below.peek().is_none() && !root.is_empty() && !has_link(&prefix) {
            return Err(self.missing(root));
        }
        let mut scanned: Vec<_> = below
            .filter(|(path, bytes)| manifest::is_candidate(path, bytes))
            .map(|(path, bytes)| {
                let file = path.strip_prefix(prefix.as_str()).unwrap_or(path).to_owned();
                Scanned { path: (*path).to_owned(), file, bytes }
            })
            .filter(|file| !file.path.starts_with(".git/"))
            .collect();
        scanned.sort_by(|a, b| a.file.split('/').cmp(b.file.split('/')));
        Ok(scanned)
    }

    fn missing(&self, path: String) -> RunError {
        let behind_file = path
            .match_indices('/')
            .any(|(at, _)| path.get(..at).is_some_and(|dir| self.files.contains_key(dir)));
        if behind_file { RunError::NotADirectory(path) } else { RunError::NotFound(path) }
    }

    /// `path` with its links resolved as if the tree were all there is: neither `..` nor a link leads out of it.
    ///
    /// Source: `cyphar/filepath-securejoin`.
    fn secure_join(&self, path: &str) -> Result<String, RunError> {
        let mut todo: VecDeque<&str> = path.split('/').collect();
        let mut done: Vec<&str> = Vec::new();
        let mut followed = 0;
        while let Some(word) = todo.pop_front() {
            match word {
                "" | "." => {}
                ".." => {
                    done.pop();
                }
                name => {
                    done.push(name);
                    let Some(target) = self.links.get(done.join("/").as_str()) else { continue };
                    followed += 1;
                    if followed > MOST_LINKS {
                        return Err(RunError::TooManyLinks(path.to_owned()));
                    }
                    done.pop();
                    if target.starts_with('/') {
                        done.clear();
                    }
                    target.split('/').rev().for_each(|word| todo.push_front(word));
                }
            }
        }
        Ok(done.join("/"))
    }
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
        assert!(error("loop").ends_with("too many levels of symbolic links"));
    }
}
