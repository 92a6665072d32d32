//! Commits to the remote: fast-forwards and new branches, each checked before and after.
//!
//! What the remote has is read before, each branch is moved only from where it has to be, and the remote is asked again
//! afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;

use git2::Repository;

use super::Remote;
use super::cache::BareCache;
use super::error::GitError;
use super::fetch::tracked;
use super::folder::{self, Folder};
use super::pack::Pack;
use super::refs::Refs;
use super::send::{Answers, Command, send};
use super::session::{Line, Service, Session, Talk};
use crate::domain::branch;
use crate::domain::refspec::short_name;

/// A reference that is to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// Its full name, such as `refs/heads/main` or `refs/for/main`.
    pub reference: String,
    /// Where it has to be, in hex; `None`: it must not exist.
    pub old: Option<String>,
    /// Where it shall be, in hex.
    pub new: String,
}

impl RefUpdate {
    /// That of a branch; `branch` is its name, whatever that looks like.
    pub fn of_branch(branch: &str, old: Option<String>, new: String) -> Self {
        Self { reference: format!("refs/heads/{branch}"), old, new }
    }

    /// As [`short_name`] has it.
    pub(crate) fn short_name(&self) -> &str {
        short_name(&self.reference)
    }

    /// Where it is by now.
    fn found<'r>(&self, refs: &'r Refs) -> Option<&'r str> {
        refs.all.get(&self.reference).map(String::as_str)
    }
}

/// What became of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The branch; what is no branch has its full name.
    pub branch: String,
    /// The commit, in hex.
    pub commit: String,
    /// Whether the branch is new.
    pub created: bool,
    /// Whether it was there before we sent anything.
    pub already: bool,
    /// Whether the remote has it, as asked after the push; `false` also in a dry run.
    pub verified: bool,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushReport {
    /// One for each update, in their order.
    pub branches: Vec<Pushed>,
    /// The label of the credential that was accepted.
    pub credential: String,
    /// Whether the server takes no push options and they were left out.
    pub options_dropped: bool,
    /// What the server printed, raw: may hold escape codes.
    pub server: String,
}

/// All references of a remote, and the label of the credential that was accepted.
///
/// # Errors
/// Whatever keeps the remote from answering.
pub fn ls_remote(remote: &Remote) -> Result<(Refs, String), GitError> {
    let session = Session::open(remote)?;
    let talk = session.talk(Service::Upload)?;
    Ok((talk.advertised.refs, session.credential()))
}

impl BareCache {
    /// Moves the branches on the remote, and asks it afterwards where they are.
    ///
    /// `options` are sent as push options; a server that takes none gets none.
    ///
    /// # Errors
    /// [`GitError::Race`] if a branch is not where it has to be, [`GitError::Rejected`] if the server refuses one,
    /// [`GitError::Cancelled`] as long as nothing was sent, and whatever keeps the remote from answering. A branch that is already there is no error.
    pub fn push(
        &self,
        remote: &Remote,
        updates: &[RefUpdate],
        options: &[String],
    ) -> Result<PushReport, GitError> {
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let session = Session::open(remote)?;
        let Talk { advertised, line } = session.talk(Service::Receive)?;
        let (mut report, due) = compare(&session, &advertised.refs, updates)?;
        if due.is_empty() {
            return Ok(report);
        }
        let remote_has = remote_has(&repository, &advertised.refs, &due);
        let pack = Pack::collect(&repository, &due, &remote_has)?;
        session.begin_sending(pack.objects())?;
        let (result, answers) = match line {
            Line::Folder(folder) => move_folder(&session, &folder, &due, pack),
            Line::Stream(mut stream) => {
                let commands: Vec<Command> = due.iter().map(Command::from).collect();
                send(&session, &advertised, &mut *stream, &commands, options, pack)
            }
        };
        report.options_dropped = answers.options_dropped;
        report.server = String::from_utf8_lossy(&answers.printed).into_owned();
        let now = session.again().talk(Service::Upload).map(|talk| talk.advertised.refs).ok();
        let refused: Vec<String> = answers.refused.iter().map(|(name, _)| name.clone()).collect();
        settle(&session.shown, &due, now.as_ref(), result, answers)?;
        leave_to_others(&mut report, &refused);
        self.note_pushed(&due)?;
        for row in report.branches.iter_mut().filter(|row| !row.already) {
            let update = due.iter().find(|update| update.short_name() == row.branch);
            let at = update.zip(now.as_ref()).and_then(|(update, now)| update.found(now));
            row.verified = at == Some(row.commit.as_str());
        }
        Ok(report)
    }

    /// Everything of [`Self::push`] up to the point where something would be sent: logs in for writing, compares.
    ///
    /// # Errors
    /// As [`Self::push`], but for what the server would say to the commits themselves.
    pub fn push_dry_run(&self, remote: &Remote, updates: &[RefUpdate]) -> Result<PushReport, GitError> {
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let session = Session::open(remote)?;
        let talk = session.talk(Service::Receive)?;
        let (report, due) = compare(&session, &talk.advertised.refs, updates)?;
        let remote_has = remote_has(&repository, &talk.advertised.refs, &due);
        Pack::collect(&repository, &due, &remote_has)?;
        Ok(report)
    }
}

/// The commits that need not be sent: what the remote says it has, and what was fetched from it.
///
/// A branch that was fetched may be gone since, and what was on it with it; so what a branch shall be moved to is sent,
/// unless the remote says that it has it.
fn remote_has(repository: &Repository, refs: &Refs, due: &[RefUpdate]) -> BTreeSet<String> {
    let is_due = |commit: &String| due.iter().any(|update| update.new == *commit);
    let fetched = tracked(repository).into_iter().filter(|commit| !is_due(commit));
    refs.all.values().cloned().chain(fetched).collect()
}

/// The branches of a folder on a machine without git.
fn move_folder(
    session: &Arc<Session>,
    folder: &Folder,
    due: &[RefUpdate],
    pack: Pack<'_>,
) -> (Result<(), GitError>, Answers) {
    match folder::push(session, folder, due, pack) {
        Ok(refused) => (Ok(()), Answers { refused, ..Answers::default() }),
        Err(error) => (Err(error), Answers::default()),
    }
}

/// What the server refused and is there all the same, another push of the same commit has brought: none of it is ours.
fn leave_to_others(report: &mut PushReport, refused: &[String]) {
    let was_refused = |row: &&mut Pushed| refused.iter().any(|name| short_name(name) == row.branch);
    for row in report.branches.iter_mut().filter(was_refused) {
        (row.already, row.created, row.verified) = (true, false, true);
    }
}

/// Whether the push did what it should, given what the server answered and where the branches are now.
///
/// The branches count: a connection that broke off, or another push of the same commit that was faster, may have moved
/// them to where they shall be. Where they are not there, a server that got everything and did not answer may be at it still.
fn settle(
    shown: &str,
    due: &[RefUpdate],
    now: Option<&Refs>,
    result: Result<(), GitError>,
    answers: Answers,
) -> Result<(), GitError> {
    if now.is_some_and(|now| due.iter().all(|update| update.found(now) == Some(&update.new))) {
        return Ok(());
    }
    let Some((name, reason)) = answers.refused.into_iter().next() else {
        return result.map_err(|error| match error {
            error if error.is_lost_sight_of() && (answers.is_open || now.is_none()) => {
                GitError::Unseen(Box::new(error))
            }
            error => error,
        });
    };
    Err(match due.iter().find(|update| update.reference == name) {
        Some(update) if is_race(&reason) && has_moved(update, now) => {
            race(shown, update, now.and_then(|refs| update.found(refs)))
        }
        _ => GitError::Rejected {
            url: shown.to_owned(),
            branch: short_name(&name).to_owned(),
            reason,
            server: String::from_utf8_lossy(&answers.printed).into_owned(),
        },
    })
}

/// Whether a branch is not where it has to be, as far as that is known.
fn has_moved(update: &RefUpdate, now: Option<&Refs>) -> bool {
    now.is_none_or(|now| update.found(now) != update.old.as_deref())
}

/// Why the remote can have no such reference: Git takes no such name, or a reference stands where its folder would be, or
/// the other way round.
fn cannot_be(update: &RefUpdate, refs: &Refs) -> Option<String> {
    let name = update.reference.as_str();
    if let Some(defect) = branch::defect(name) {
        return Some(format!("Git takes no such name: {defect}"));
    }
    let is_below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    let mut all = refs.all.keys().filter(|_| update.old.is_none());
    let other = all.find(|known| is_below(known, name) || is_below(name, known))?;
    Some(format!("{} is there, and Git has no reference below another", short_name(other)))
}

/// What has to be sent, after a look at where the branches are; the report has a row for each update.
fn compare(
    session: &Session,
    refs: &Refs,
    updates: &[RefUpdate],
) -> Result<(PushReport, Vec<RefUpdate>), GitError> {
    let mut report = PushReport { credential: session.credential(), ..PushReport::default() };
    let mut due = Vec::new();
    for update in updates {
        let found = update.found(refs);
        let already = found == Some(update.new.as_str());
        if !already && found != update.old.as_deref() {
            return Err(race(&session.shown, update, found));
        }
        if let Some(reason) = cannot_be(update, refs).filter(|_| !already) {
            let (url, branch) = (session.shown.clone(), update.short_name().to_owned());
            return Err(GitError::Rejected { url, branch, reason, server: String::new() });
        }
        if !already {
            due.push(update.clone());
        }
        report.branches.push(Pushed {
            branch: update.short_name().to_owned(),
            commit: update.new.clone(),
            created: !already && update.old.is_none(),
            already,
            verified: already,
        });
    }
    Ok((report, due))
}

fn race(shown: &str, update: &RefUpdate, found: Option<&str>) -> GitError {
    GitError::Race {
        url: shown.to_owned(),
        branch: update.short_name().to_owned(),
        expected: update.old.clone(),
        found: found.map(str::to_owned),
    }
}

/// Whether the reason is one that git's receive-pack gives when the branch moved between our look and our push.
///
/// Source: git/git:builtin/receive-pack.c, refs/files-backend.c.
fn is_race(reason: &str) -> bool {
    const REASONS: [&str; 8] = [
        "fetch first",
        "non-fast-forward",
        "stale info",
        "failed to update ref",
        "failed to lock",
        "cannot lock ref",
        "incorrect old value",
        "reference already exists",
    ];
    REASONS.iter().any(|known| reason.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_refused_because_another_was_faster_with_the_same_is_not_claimed() {
        let row = |branch: &str| Pushed {
            branch: branch.to_owned(),
            commit: "a".repeat(40),
            created: true,
            already: false,
            verified: false,
        };
        let mut report = PushReport { branches: vec![row("main"), row("other")], ..PushReport::default() };
        let due = [RefUpdate::of_branch("main", None, "a".repeat(40))];
        let now = Refs { all: [("refs/heads/main".to_owned(), "a".repeat(40))].into(), ..Refs::default() };
        let refused = vec![("refs/heads/main".to_owned(), "reference already exists".to_owned())];
        let answers = Answers { refused: refused.clone(), ..Answers::default() };
        settle("u", &due, Some(&now), Ok(()), answers).unwrap();
        leave_to_others(&mut report, &[refused[0].0.clone()]);
        let main = &report.branches[0];
        assert!(main.already && main.verified && !main.created, "{main:?}");
        assert_eq!(report.branches[1], row("other"));
    }

    #[test]
    fn a_connection_that_broke_leaves_open_whether_it_landed_unless_the_branches_tell() {
        let due = [RefUpdate::of_branch("main", None, "a".repeat(40))];
        let broken = || {
            let (url, message) = ("https://git.example.com".to_owned(), "reset by peer".to_owned());
            Err(GitError::Unreachable { url, message })
        };
        let settled = |now: Option<&Refs>, answers| settle("u", &due, now, broken(), answers).unwrap_err();
        assert!(matches!(settled(None, Answers::default()), GitError::Unseen(_)));
        assert!(matches!(settled(Some(&Refs::default()), Answers::default()), GitError::Unreachable { .. }));
        // It has everything, and its hook may still run.
        let open = Answers { is_open: true, ..Answers::default() };
        assert!(matches!(settled(Some(&Refs::default()), open), GitError::Unseen(_)));
        let refused = vec![("refs/heads/main".to_owned(), "hook declined".to_owned())];
        let answers = Answers { refused, ..Answers::default() };
        assert!(matches!(settled(None, answers), GitError::Rejected { .. }));
    }
    #[test]
    fn a_name_that_cannot_be_there_is_refused_before_anything_is_sent_and_is_no_race() {
        let refs =
            Refs { all: [("refs/heads/updates".to_owned(), "a".repeat(40))].into(), ..Refs::default() };
        let why = |name: &str| cannot_be(&RefUpdate::of_branch(name, None, "b".repeat(40)), &refs);
        assert_eq!(why("other"), None);
        assert_eq!(why("updates-2"), None);
        assert!(why("updates/web").unwrap().contains("updates is there"));
        assert!(why("production\0y").is_some() && why("a b").is_some());
        let below = Refs { all: [("refs/heads/a/b".to_owned(), "a".repeat(40))].into(), ..Refs::default() };
        assert!(cannot_be(&RefUpdate::of_branch("a", None, "b".repeat(40)), &below).is_some());
        // A server that says so itself was no race either: nothing has moved.
        let due = [RefUpdate::of_branch("updates/web", None, "b".repeat(40))];
        let refused = vec![("refs/heads/updates/web".to_owned(), "failed to update ref".to_owned())];
        let settled = settle("u", &due, Some(&refs), Ok(()), Answers { refused, ..Answers::default() });
        assert!(matches!(settled, Err(GitError::Rejected { .. })), "{settled:?}");
    }
}
