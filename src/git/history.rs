//! Questions about commits in the cache: how far apart they are, and whether one is the other in all but its committer.

use git2::{Commit, Oid, Repository};

use super::cache::BareCache;

impl BareCache {
    /// How many commits of `base` the branch at `tip` lacks; `None` if the history between them is not here.
    pub fn behind(&self, tip: &str, base: &str) -> Option<usize> {
        let repository = self.existing().ok()?;
        let (tip, base) = (Oid::from_str(tip).ok()?, Oid::from_str(base).ok()?);
        if tip == base {
            return Some(0);
        }
        let (ahead, behind) = repository.graph_ahead_behind(tip, base).ok()?;
        // A shallow history ends in commits whose parents are not here, and the count stops there.
        let cut = repository.is_shallow() && (ahead > 0 && behind > 0);
        (!cut).then_some(behind)
    }

    /// Whether `commit` is `tip` or one of its ancestors, as far as the history is here.
    pub fn is_landed(&self, commit: &str, tip: &str) -> bool {
        let Ok(repository) = self.existing() else { return false };
        let (Ok(commit), Ok(tip)) = (Oid::from_str(commit), Oid::from_str(tip)) else { return false };
        commit == tip || repository.graph_descendant_of(tip, commit).unwrap_or(false)
    }

    /// Whether two commits make the same change with the same words: parents, tree, author and message are equal, and
    /// only committer and time of committing may differ.
    pub fn is_same_change(&self, a: &str, b: &str) -> bool {
        let Ok(repository) = self.existing() else { return false };
        let (Some(a), Some(b)) = (find(&repository, a), find(&repository, b)) else { return false };
        let author = |commit: &Commit<'_>| {
            let author = commit.author();
            (author.name_bytes().to_vec(), author.email_bytes().to_vec(), author.when().seconds())
        };
        a.tree_id() == b.tree_id()
            && a.parent_ids().eq(b.parent_ids())
            && a.message_raw_bytes() == b.message_raw_bytes()
            && author(&a) == author(&b)
    }
}

fn find<'r>(repository: &'r Repository, commit: &str) -> Option<Commit<'r>> {
    repository.find_commit(Oid::from_str(commit).ok()?).ok()
}
