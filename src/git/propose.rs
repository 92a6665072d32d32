//! A commit proposed for a branch without a branch of its own: by `refs/for/BASE/TOPIC`, of which a forge makes a
//! pull request.
//!
//! Nothing of the remote moves by it but what the forge itself keeps of the request; a commit that does not stand on the
//! one before it is refused there, and not pressed.
//!
//! Sources: Gitea's and Forgejo's pages on the `AGit` workflow; git's `Documentation/githooks`, "proc-receive".

use super::Remote;
use super::cache::BareCache;
use super::error::GitError;
use super::fetch::tracked;
use super::pack::Pack;
use super::push::{RefUpdate, ls_remote};
use super::refs::Refs;
use super::send::{Command, send};
use super::session::{Line, Service, Session, Talk};

/// What became of a proposed commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The number of the request, if the remote shows one with our commit.
    pub number: Option<u64>,
    /// Whether the request had this commit before.
    pub already: bool,
    /// What the server printed, raw: may hold escape codes.
    pub server: String,
}

impl BareCache {
    /// Proposes `commit`, which the remote has already, for the branch `base` under `topic`.
    ///
    /// # Errors
    /// [`GitError::Rejected`] if the server knows no such references or refuses this one, and whatever keeps the remote
    /// from answering.
    pub fn propose(
        &self,
        remote: &Remote,
        (base, topic): (&str, &str),
        commit: &str,
        options: &[String],
    ) -> Result<Proposed, GitError> {
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let session = Session::open(remote)?;
        let Talk { advertised, line } = session.talk(Service::Receive)?;
        let name = format!("refs/for/{base}/{topic}");
        let Line::Stream(mut stream) = line else { return Err(unknown(&session.shown, name)) };
        let update = RefUpdate { reference: name.clone(), old: None, new: commit.to_owned() };
        let remote_has = advertised.refs.all.values().cloned().chain(tracked(&repository)).collect();
        let pack = Pack::collect(&repository, &[update], &remote_has)?;
        let command = Command { name: name.clone(), old: None, new: commit.to_owned() };
        let (result, answers) = send(&session, &advertised, &mut *stream, &[command], options, pack);
        result?;
        let server = String::from_utf8_lossy(&answers.printed).into_owned();
        let refused = answers.refused.into_iter().next();
        let already = refused.as_ref().is_some_and(|(_, reason)| has_nothing_new(reason));
        if let Some((_, reason)) = refused.filter(|_| !already) {
            return Err(GitError::Rejected { url: session.shown.clone(), branch: name, reason, server });
        }
        let number = ls_remote(remote).ok().and_then(|(refs, _)| newest_request(&refs, commit));
        Ok(Proposed { number, already, server })
    }
}

/// Whether a server refuses a reference for reviews because it has that commit already.
///
/// Source: go-gitea/gitea:services/agit/agit.go; gerrit:java/com/google/gerrit/server/git/receive/ReceiveCommits.java.
pub(crate) fn has_nothing_new(reason: &str) -> bool {
    ["new commit is same with old commit", "no new changes"].iter().any(|words| reason.contains(words))
}

/// What a folder that nobody serves says.
fn unknown(shown: &str, branch: String) -> GitError {
    GitError::Rejected {
        url: shown.to_owned(),
        branch,
        reason: "no forge serves this folder".to_owned(),
        server: String::new(),
    }
}

/// The greatest `N` of the references `refs/pull/N/head` that are at `commit`.
fn newest_request(refs: &Refs, commit: &str) -> Option<u64> {
    let at_commit = refs.all.iter().filter(|(_, found)| *found == commit);
    let number = |name: &str| name.strip_prefix("refs/pull/")?.strip_suffix("/head")?.parse().ok();
    at_commit.filter_map(|(name, _)| number(name)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_the_reference_that_the_forge_keeps_for_it() {
        let mut refs = Refs::default();
        for (name, commit) in [
            ("refs/heads/updates", "a"),
            ("refs/pull/9/head", "a"),
            ("refs/pull/10/head", "a"),
            ("refs/pull/11/head", "b"),
            ("refs/pull/12/merge", "a"),
            ("refs/pull/x/head", "a"),
        ] {
            refs.all.insert(name.to_owned(), commit.to_owned());
        }
        assert_eq!(newest_request(&refs, "a"), Some(10));
        assert_eq!(newest_request(&refs, "c"), None);
    }
}
