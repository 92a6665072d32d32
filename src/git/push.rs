//! Commits to the remote: fast-forwards and new branches, each checked before and after.
//!
//! The library reports a refused branch only through a callback, and compares nothing on folders; so what the remote
//! has is read before, the answer of every branch is kept, and the remote is asked again afterwards.

use std::sync::{Arc, Mutex, PoisonError};

use git2::{Direction, PushOptions, RemoteConnection, Repository};

use super::cache::BareCache;
use super::error::GitError;
use super::refs::Refs;
use super::session::Session;
use super::{Progress, Remote};

/// A branch that is to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Where it has to be, in hex; `None`: it must not exist.
    pub old: Option<String>,
    /// Where it shall be, in hex.
    pub new: String,
}

/// What became of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The branch.
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

/// The answers of the server while a push runs.
#[derive(Default)]
struct Answers {
    /// Branch and reason of each refusal.
    refused: Vec<(String, String)>,
    /// What it printed.
    printed: Vec<u8>,
}

/// All references of a remote, and the label of the credential that was accepted.
///
/// # Errors
/// Whatever keeps the remote from answering.
pub fn ls_remote(remote: &Remote) -> Result<(Refs, String), GitError> {
    // The library wants a repository to hang the remote on; nothing is written to it.
    let nowhere =
        Repository::from_odb(git2::Odb::new().map_err(|error| odd(&error))?).map_err(|error| odd(&error))?;
    let session = Session::open(remote)?;
    let mut anonymous = session.remote_of(&nowhere)?;
    let connection = session.connect(&mut anonymous, Direction::Fetch)?;
    Ok((session.list(&connection)?, session.credential()))
}

fn odd(error: &git2::Error) -> GitError {
    GitError::Git { action: "use the library", message: error.message().to_owned() }
}

impl BareCache {
    /// Moves the branches on the remote, and asks it afterwards where they are.
    ///
    /// `options` are sent as push options; a server that takes none gets none.
    ///
    /// # Errors
    /// [`GitError::Race`] if a branch is not where it has to be, [`GitError::Rejected`] if the server refuses one, and
    /// whatever keeps the remote from answering. A branch that is already there is no error.
    pub fn push(
        &self,
        remote: &Remote,
        updates: &[RefUpdate],
        options: &[String],
    ) -> Result<PushReport, GitError> {
        let _lock = self.lock(false)?;
        let repository = self.existing()?;
        let session = Session::open(remote)?;
        let (mut report, due) = {
            let mut anonymous = session.remote_of(&repository)?;
            let mut connection = session.connect(&mut anonymous, Direction::Push)?;
            let (report, due) = compare(&session, &connection, updates)?;
            if due.is_empty() {
                return Ok(report);
            }
            (send(&session, &mut connection, &due, options, report)?, due)
        };
        verify(remote, &due, &mut report)?;
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
        let mut anonymous = session.remote_of(&repository)?;
        let connection = session.connect(&mut anonymous, Direction::Push)?;
        Ok(compare(&session, &connection, updates)?.0)
    }
}

/// Sends the pack and reads the answers.
fn send(
    session: &Arc<Session>,
    connection: &mut RemoteConnection<'_, '_, '_>,
    due: &[RefUpdate],
    options: &[String],
    mut report: PushReport,
) -> Result<PushReport, GitError> {
    let specs: Vec<String> =
        due.iter().map(|update| format!("{}:refs/heads/{}", update.new, update.branch)).collect();
    let mut outcome = attempt(session, connection, &specs, options);
    if outcome.0.as_ref().is_err_and(takes_no_options) {
        report.options_dropped = true;
        outcome = attempt(session, connection, &specs, &[]);
    }
    let (result, answers) = outcome;
    report.credential = session.credential();
    report.server = String::from_utf8_lossy(&answers.printed).into_owned();
    if let Some((name, reason)) = answers.refused.into_iter().next() {
        return Err(refusal(session, due, &name, reason, report.server));
    }
    match result {
        Ok(()) => Ok(report),
        Err(error) => unsettled(session, due, report, error),
    }
}

/// The connection broke while we were sending: only the remote knows what became of it.
fn unsettled(
    session: &Arc<Session>,
    due: &[RefUpdate],
    report: PushReport,
    error: GitError,
) -> Result<PushReport, GitError> {
    let has_landed = |refs: &Refs| due.iter().all(|update| refs.branch(&update.branch) == Some(&update.new));
    match ls_remote(&session.remote) {
        Ok((refs, _)) if has_landed(&refs) => Ok(report),
        _ => Err(error),
    }
}

/// Whether the error says that the server takes no push options; nothing was sent then.
fn takes_no_options(error: &GitError) -> bool {
    matches!(error, GitError::Git { message, .. } if message.contains("push-options not supported"))
}

/// One push with the library; its result and what the server answered.
fn attempt(
    session: &Arc<Session>,
    connection: &mut RemoteConnection<'_, '_, '_>,
    specs: &[String],
    options: &[String],
) -> (Result<(), GitError>, Answers) {
    let answers = Arc::new(Mutex::new(Answers::default()));
    let mut callbacks = session.callbacks();
    let (refused, printed, sink) = (Arc::clone(&answers), Arc::clone(&answers), Arc::clone(session));
    callbacks.push_update_reference(move |name, reason| {
        if let Some(reason) = reason {
            let mut answers = refused.lock().unwrap_or_else(PoisonError::into_inner);
            answers.refused.push((name.to_owned(), reason.to_owned()));
        }
        Ok(())
    });
    callbacks.sideband_progress(move |text| {
        printed.lock().unwrap_or_else(PoisonError::into_inner).printed.extend_from_slice(text);
        sink.report(Progress::Server(String::from_utf8_lossy(text).into_owned()));
        sink.goes_on()
    });
    let mut with = PushOptions::new();
    with.remote_callbacks(callbacks);
    // An option is one line of the protocol.
    let options: Vec<&str> =
        options.iter().map(String::as_str).filter(|text| !text.contains(['\0', '\n'])).collect();
    if !options.is_empty() {
        with.remote_push_options(&options);
    }
    let result = session.run("push", || connection.remote().push(specs, Some(&mut with)));
    drop(with);
    let answers = std::mem::take(&mut *answers.lock().unwrap_or_else(PoisonError::into_inner));
    (result, answers)
}

/// What has to be sent, after a look at where the branches are; the report has a row for each update.
fn compare(
    session: &Arc<Session>,
    connection: &RemoteConnection<'_, '_, '_>,
    updates: &[RefUpdate],
) -> Result<(PushReport, Vec<RefUpdate>), GitError> {
    let refs = session.list(connection)?;
    let mut report = PushReport { credential: session.credential(), ..PushReport::default() };
    let mut due = Vec::new();
    for update in updates {
        let found = refs.branch(&update.branch);
        let already = found == Some(update.new.as_str());
        if !already && found != update.old.as_deref() {
            return Err(race(session, update, found.map(str::to_owned)));
        }
        if !already {
            due.push(update.clone());
        }
        report.branches.push(Pushed {
            branch: update.branch.clone(),
            commit: update.new.clone(),
            created: !already && update.old.is_none(),
            already,
            verified: already,
        });
    }
    Ok((report, due))
}

/// Asks the remote where the branches are now.
fn verify(remote: &Remote, due: &[RefUpdate], report: &mut PushReport) -> Result<(), GitError> {
    let (refs, _) = ls_remote(remote)?;
    for row in &mut report.branches {
        row.verified = refs.branch(&row.branch) == Some(row.commit.as_str());
    }
    let session = Session::open(remote)?;
    let lost = due.iter().find(|update| refs.branch(&update.branch).is_none());
    lost.map_or(Ok(()), |update| Err(race(&session, update, None)))
}

fn race(session: &Session, update: &RefUpdate, found: Option<String>) -> GitError {
    GitError::Race {
        url: session.shown.clone(),
        branch: update.branch.clone(),
        expected: update.old.clone(),
        found,
    }
}

/// A refused branch: somebody was faster, or a rule forbids it.
fn refusal(session: &Session, due: &[RefUpdate], name: &str, reason: String, server: String) -> GitError {
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
    let update = due.iter().find(|update| update.branch == branch);
    match update {
        Some(update) if is_race(&reason) => {
            let now = ls_remote(&session.remote).ok();
            race(session, update, now.and_then(|(refs, _)| refs.branch(branch).map(str::to_owned)))
        }
        _ => GitError::Rejected { url: session.shown.clone(), branch: branch.to_owned(), reason, server },
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
