//! What a remote advertises, and which commit a `ref` of Flux means among it.

use std::collections::BTreeMap;

use crate::domain::object::GitRef;

use super::error::GitError;
use super::url::redact;

/// The references of a remote: full name to commit (or tag object) in hex; peeled tags under `NAME^{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refs {
    /// All that was advertised, `HEAD` included.
    pub all: BTreeMap<String, String>,
    /// The branch `HEAD` points to, full name.
    pub head: Option<String>,
}

/// The commit a `ref` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The full name of the reference; `None` for a bare commit.
    pub name: Option<String>,
    /// The commit, in hex.
    pub commit: String,
}

impl Refs {
    /// The tip of a branch, in hex.
    pub fn branch(&self, branch: &str) -> Option<&str> {
        self.all.get(&format!("refs/heads/{branch}")).map(String::as_str)
    }

    /// The commit behind a full name: an annotated tag is peeled.
    pub fn commit(&self, name: &str) -> Option<&str> {
        self.all.get(&format!("{name}^{{}}")).or_else(|| self.all.get(name)).map(String::as_str)
    }

    /// The names of all tags, without `refs/tags/`.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.all
            .keys()
            .filter_map(|name| name.strip_prefix("refs/tags/"))
            .filter(|name| !name.ends_with("^{}"))
    }

    /// One `HEX NAME` a line, the branch of `HEAD` behind `@`.
    pub(super) fn to_text(&self) -> String {
        let head = self.head.iter().map(|name| format!("@ {name}\n"));
        head.chain(self.all.iter().map(|(name, hex)| format!("{hex} {name}\n"))).collect()
    }

    /// What [`Self::to_text`] wrote; lines that are none are passed over.
    pub(super) fn from_text(text: &str) -> Self {
        let mut refs = Self::default();
        for (hex, name) in text.lines().filter_map(|line| line.split_once(' ')) {
            match hex {
                "@" => refs.head = Some(name.to_owned()),
                _ => drop(refs.all.insert(name.to_owned(), hex.to_owned())),
            }
        }
        refs
    }

    /// The commit that `reference` means on this remote: the first of commit, name, tag, semver, branch that is set;
    /// none of them: branch `master`.
    ///
    /// `newest` chooses a tag by a range, given the range and all tags.
    ///
    /// # Errors
    /// [`GitError::RefNotFound`] naming what is missing.
    ///
    /// Source: fluxcd/pkg:git/gogit/clone.go; fluxcd/image-automation-controller:internal/source/git.go.
    pub fn resolve(
        &self,
        url: &str,
        reference: &GitRef,
        newest: impl Fn(&str, &[&str]) -> Option<String>,
    ) -> Result<Resolved, GitError> {
        if let Some(commit) = &reference.commit {
            return Ok(Resolved { name: None, commit: commit.clone() });
        }
        let (name, what) = self.named(url, reference, newest)?;
        let commit = self.commit(&name).ok_or_else(|| GitError::RefNotFound { url: redact(url), what })?;
        Ok(Resolved { commit: commit.to_owned(), name: Some(name) })
    }

    /// The full name that `reference` means, and how to call it.
    fn named(
        &self,
        url: &str,
        reference: &GitRef,
        newest: impl Fn(&str, &[&str]) -> Option<String>,
    ) -> Result<(String, String), GitError> {
        if let Some(name) = &reference.name {
            let name = name.strip_suffix("^{}").unwrap_or(name);
            return Ok((name.to_owned(), format!("reference {name}")));
        }
        if let Some(tag) = &reference.tag {
            return Ok((format!("refs/tags/{tag}"), format!("tag {tag}")));
        }
        if let Some(range) = &reference.semver {
            let tags: Vec<&str> = self.tags().collect();
            let tag = newest(range, &tags).ok_or_else(|| GitError::RefNotFound {
                url: redact(url),
                what: format!("tag within {range}"),
            })?;
            return Ok((format!("refs/tags/{tag}"), format!("tag {tag}")));
        }
        let branch = reference.branch.as_deref().unwrap_or("master");
        Ok((format!("refs/heads/{branch}"), format!("branch {branch}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs() -> Refs {
        let all = [
            ("refs/heads/main", "aa"),
            ("refs/tags/v1", "bb"),
            ("refs/tags/v1^{}", "cc"),
            ("refs/tags/v2", "dd"),
        ];
        let all = all.iter().map(|(name, commit)| ((*name).to_owned(), (*commit).to_owned())).collect();
        Refs { all, head: None }
    }

    fn resolve(reference: &GitRef) -> Result<Resolved, GitError> {
        refs().resolve("https://h/p", reference, |_, tags| tags.last().map(|tag| (*tag).to_owned()))
    }

    #[test]
    fn what_was_advertised_is_read_as_it_was_written() {
        let refs = Refs { head: Some("refs/heads/main".to_owned()), ..refs() };
        assert_eq!(Refs::from_text(&refs.to_text()), refs);
    }

    #[test]
    fn annotated_tags_are_peeled() {
        let reference = GitRef { tag: Some("v1".to_owned()), ..GitRef::default() };
        assert_eq!(resolve(&reference).unwrap().commit, "cc");
    }

    #[test]
    fn a_range_is_chosen_among_the_tags() {
        let reference = GitRef { semver: Some("*".to_owned()), ..GitRef::default() };
        assert_eq!(resolve(&reference).unwrap().name.as_deref(), Some("refs/tags/v2"));
    }

    #[test]
    fn without_any_word_it_is_master() {
        let error = resolve(&GitRef::default()).unwrap_err();
        assert_eq!(error.to_string(), "https://h/p has no branch master");
    }
}
