//! Questions about commits in the cache: how far apart they are, and whose they are.

use git2::Oid;

use super::cache::BareCache;
use super::distance::{Distance, between};
use crate::domain::object::Person;

impl BareCache {
    /// How the branch at `tip` stands to `base`; `None` if the history between them is not here.
    pub fn apart(&self, tip: &str, base: &str) -> Option<Distance> {
        let repository = self.existing().ok()?;
        let (tip, base) = (Oid::from_str(tip).ok()?, Oid::from_str(base).ok()?);
        repository.find_commit(tip).and_then(|_| repository.find_commit(base)).ok()?;
        let distance = between(&repository, base, tip);
        (distance.behind.is_some() && distance.ahead.is_some()).then_some(distance)
    }

    /// Whether `commit` is `tip` or one of its ancestors, as far as the history is here.
    pub fn is_landed(&self, commit: &str, tip: &str) -> bool {
        let Ok(repository) = self.existing() else { return false };
        let (Ok(commit), Ok(tip)) = (Oid::from_str(commit), Oid::from_str(tip)) else { return false };
        commit == tip || repository.graph_descendant_of(tip, commit).unwrap_or(false)
    }

    /// The first parent of a commit, whether that is here or not; `None` if the commit is not here or has none.
    pub fn parent(&self, commit: &str) -> Option<String> {
        self.parents(commit)?.into_iter().next()
    }

    /// The parents of a commit, whether they are here or not; `None` if the commit is not here.
    pub fn parents(&self, commit: &str) -> Option<Vec<String>> {
        let repository = self.existing().ok()?;
        let commit = repository.find_commit(Oid::from_str(commit).ok()?).ok()?;
        // The library hides the parents of a commit with which our history ends; its own text names them.
        let header = String::from_utf8_lossy(commit.raw_header_bytes()).into_owned();
        Some(header.lines().filter_map(|line| line.strip_prefix("parent ").map(str::to_owned)).collect())
    }

    /// Who wrote a commit, when (in seconds since 1970), and with which words; `None` if it is not here.
    pub fn authorship(&self, commit: &str) -> Option<(Person, i64, String)> {
        let repository = self.existing().ok()?;
        let commit = repository.find_commit(Oid::from_str(commit).ok()?).ok()?;
        let author = commit.author();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let person = Person { name: text(author.name_bytes()), email: text(author.email_bytes()) };
        Some((person, author.when().seconds(), text(commit.message_raw_bytes())))
    }
}
