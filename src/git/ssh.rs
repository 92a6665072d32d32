//! Git over the system's `ssh`: agents, `~/.ssh/config`, jump hosts, hardware keys and known hosts are its business.
//!
//! Nobody is asked anything here: `ssh` has no terminal, answers no question and gives up where it would ask one. Each login
//! is one attempt; one that brings a key rules alone over keys and known hosts, and only the way to the host is still the
//! operator's configuration.

mod agent;
mod attempt;
mod keys;
mod opened;
mod program;
mod way;
mod words;

use std::sync::{Arc, Mutex, PoisonError};

use super::Remote;
use super::credential::{GitCredential, Login, SshKey, SshLogin};
use super::error::{GitError, Refusal};
use super::session::{Line, Service, Session, Talk};
use super::url::{GitUrl, SshPlace};
use super::wire::Advertised;

pub use keys::{KeyError, KeyKind, KeyPair, fingerprints, scan_host};
pub use opened::Opened;
pub use program::SshProgram;

/// The ssh side of a session.
pub(super) struct Ssh {
    place: SshPlace,
    program: SshProgram,
    /// Ways that stand open.
    opened: Opened,
    /// Labels and logins, in the order in which they are tried.
    logins: Vec<(String, SshLogin)>,
    /// The login that was accepted.
    settled: Mutex<Option<usize>>,
}

impl Ssh {
    /// Prepares; nothing is started.
    ///
    /// # Errors
    /// [`GitError::Unsupported`] for an address that could be taken for a command.
    pub(super) fn new(remote: &Remote, url: &GitUrl) -> Result<Self, GitError> {
        let login = |credential: &GitCredential| match &credential.login {
            Some(Login::Ssh(login)) => Some((credential.label.clone(), login.clone())),
            _ => None,
        };
        let mut logins: Vec<_> = remote.credentials.iter().filter_map(login).collect();
        if logins.is_empty() {
            logins.push((SshLogin::SYSTEM.to_owned(), SshLogin::default()));
        }
        let (place, program, opened) = (url.ssh_place()?, remote.ssh.clone(), remote.opened.clone());
        Ok(Self { place, program, opened, logins, settled: Mutex::new(None) })
    }

    /// Logs in and reads what the remote has: each login is tried until one is let in.
    ///
    /// # Errors
    /// The strongest refusal, if all are refused; at once whatever another login would not change.
    pub(super) fn talk(&self, session: &Arc<Session>, service: Service) -> Result<Talk, GitError> {
        let mut refused: Option<GitError> = None;
        let settled = *self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let due = self.logins.iter().enumerate().filter(|(index, _)| settled.is_none_or(|one| one == *index));
        for (index, (label, login)) in due {
            match self.attempt(session, label, login, service) {
                Ok(talk) => {
                    session.accept(label);
                    *self.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(index);
                    return Ok(talk);
                }
                Err(error @ (GitError::AuthDenied { .. } | GitError::NotFound { .. })) => {
                    refused = Some(stronger(refused, unlocked(login, error)));
                }
                Err(error) => return Err(error),
            }
        }
        let nobody = || GitError::AuthRequired { url: session.shown.clone(), redirected: None };
        Err(refused.unwrap_or_else(nobody))
    }

    fn attempt(
        &self,
        session: &Arc<Session>,
        label: &str,
        login: &SshLogin,
        service: Service,
    ) -> Result<Talk, GitError> {
        let mut stream = attempt::start(self, session, (label, login), service)?;
        let read = Advertised::read(&mut stream);
        let outcome = if read.is_ok() { "let in" } else { "refused" };
        tracing::debug!(credential = label, outcome, "git: ssh, {} at {}", service.word(), session.shown);
        let advertised = read.map_err(|error| session.explain(&error))?;
        Ok(Talk { advertised, line: Line::Stream(Box::new(stream)) })
    }
}

/// The refusal of a key, unless that key was never shown because nobody could be asked for its passphrase: then this is told.
fn unlocked(login: &SshLogin, mut error: GitError) -> GitError {
    let SshKey::File(file) = &login.key else { return error };
    if let GitError::AuthDenied { attempts, server, .. } = &mut error
        && attempts.iter().all(|attempt| attempt.refusal == Refusal::Key)
        && keys::is_locked_away(file)
    {
        for attempt in attempts {
            attempt.refusal = Refusal::Unusable;
        }
        *server = format!("{} has a passphrase, and no agent has the key", file.display());
    }
    error
}

/// What two refusals come to: that it may not write says more than that it may not see, and that more than a refused key.
fn stronger(before: Option<GitError>, error: GitError) -> GitError {
    let rank = |error: &GitError| match error {
        GitError::AuthDenied { writing: true, .. } => 2,
        GitError::NotFound { .. } => 1,
        _ => 0,
    };
    let attempts = |error: &GitError| match error {
        GitError::AuthDenied { attempts, .. } => attempts.clone(),
        _ => Vec::new(),
    };
    let Some(before) = before else { return error };
    let tried = [attempts(&before), attempts(&error)].concat();
    let mut strongest = if rank(&before) > rank(&error) { before } else { error };
    if let GitError::AuthDenied { attempts, .. } = &mut strongest {
        *attempts = tried;
    }
    strongest
}
