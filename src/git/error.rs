//! What can go wrong between us and a Git remote, and how it is told to a person.
//!
//! No address in here carries a password: whoever builds an error passes the redacted form.

mod hint;

use std::fmt;
use std::path::PathBuf;

use reqwest::StatusCode;

use crate::problem::{Code, Problem};

/// A credential that was tried, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The credential's label, such as `secret flux-system/fleet`; `anonymous` without one.
    pub credential: String,
    /// What it got.
    pub refusal: Refusal,
}

/// How a server refuses a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An HTTP status.
    Status(u16),
    /// Its ssh server knows none of the keys.
    Key,
    /// It lets the key in, and does not let it write.
    Right,
    /// It was never shown: the key cannot be read, or its passphrase is another.
    Unusable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Key => f.write_str("key refused"),
            Self::Right => f.write_str("may not write"),
            Self::Unusable => f.write_str("cannot be used"),
        }
    }
}

/// Why an operation on a remote or on its cache failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// An address that is none, or of a kind that is not spoken.
    #[error("{message}")]
    Unsupported {
        /// The address.
        url: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nobody answers.
    #[error("could not reach {url}: {message}")]
    Unreachable {
        /// The address.
        url: String,
        /// What the network said.
        message: String,
    },
    /// Somebody answers too slowly.
    #[error("gave up on {url} after {seconds} s: {waiting_for}")]
    Timeout {
        /// The address.
        url: String,
        /// What was waited for.
        waiting_for: String,
        /// How long.
        seconds: u64,
    },
    /// A certificate that is not trusted.
    #[error("the certificate of {url} is not trusted: {message}")]
    Tls {
        /// The address.
        url: String,
        /// Which check failed.
        message: String,
    },
    /// Our own certificate or its key, which is never shown so.
    #[error("the client certificate for {url} cannot be used: {message}")]
    Identity {
        /// The address.
        url: String,
        /// Which file or secret, and what is wrong with it.
        message: String,
    },
    /// A server that lets nobody in without a client certificate that it trusts.
    #[error("{url} wants a client certificate, signed by an authority that it trusts")]
    CertificateWanted {
        /// The address.
        url: String,
    },
    /// An ssh host key that nobody has vouched for, or another than the one that is known.
    #[error("the host key of {url} {}", if *changed { "is not the one that is known" } else { "is not known" })]
    HostKey {
        /// The address.
        url: String,
        /// Whose known hosts were looked at.
        credential: String,
        /// Whether another key is known.
        changed: bool,
        /// What `ssh` said.
        server: String,
    },
    /// The server wants a login and there is nothing to log in with.
    #[error("authentication required: {url} asks for a login, and no credential was found for it")]
    AuthRequired {
        /// The address.
        url: String,
        /// Where credentials were not sent because the server redirected to another host, or another port.
        redirected: Option<String>,
    },
    /// The server refused what we logged in with.
    #[error("{}", denied(url, attempts))]
    AuthDenied {
        /// The address.
        url: String,
        /// What was tried, in order.
        attempts: Vec<Attempt>,
        /// What the server said.
        server: String,
        /// Whether we wanted to write.
        writing: bool,
    },
    /// There is no such repository, or the credential may not see it.
    #[error("no repository found at {url}{}", with_credential(credential))]
    NotFound {
        /// The address.
        url: String,
        /// The credential that was used last.
        credential: String,
    },
    /// The repository is there, the branch or tag is not.
    #[error("{url} has no {what}")]
    RefNotFound {
        /// The address.
        url: String,
        /// Such as `branch main`.
        what: String,
    },
    /// HTTP 429.
    #[error("{url} limits the rate of requests")]
    RateLimited {
        /// The address.
        url: String,
        /// When to come back, if the server said so.
        retry_after_seconds: Option<u64>,
    },
    /// An answer that is not Git's.
    #[error("the answer of {url} makes no sense: {message}")]
    BadAnswer {
        /// The address.
        url: String,
        /// What is wrong with it.
        message: String,
    },
    /// A status of HTTP that has nothing to do with credentials.
    #[error("the answer of {url} makes no sense: HTTP {status}")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// A hook or a protection refused the update.
    #[error("{url} refused the push to {branch}: {reason}")]
    Rejected {
        /// The address.
        url: String,
        /// The branch.
        branch: String,
        /// The reason of this branch, as the server reported it.
        reason: String,
        /// What the server printed meanwhile, raw: may hold escape codes.
        server: String,
    },
    /// The branch is not where it was when the commit was built.
    #[error("{branch} moved from {} to {} on {url}", short(expected.as_deref()), short(found.as_deref()))]
    Race {
        /// The address.
        url: String,
        /// The branch.
        branch: String,
        /// The commit we built upon; `None`: the branch was not there.
        expected: Option<String>,
        /// The commit that is there now; `None`: gone, or not known.
        found: Option<String>,
    },
    /// A commit or a file that the cache does not hold (any more).
    #[error("{what} is not in the cache of {url}")]
    Missing {
        /// The address.
        url: String,
        /// What was looked for.
        what: String,
    },
    /// A commit that cannot be built as asked.
    #[error("cannot commit {path}: {message}")]
    Commit {
        /// The file, or the field of the commit.
        path: String,
        /// Why not.
        message: String,
    },
    /// A commit that could not be signed.
    #[error("the commit could not be signed with {label}: {message}")]
    Sign {
        /// How the key is called.
        label: String,
        /// Why not.
        message: String,
        /// What helps, if we know.
        fix: Option<String>,
    },
    /// The commit would have the tree of its parent.
    #[error("nothing to commit: every file is already as it should be")]
    NoChange,
    /// Two branches changed the same lines, or one changed what the other removed.
    #[error("{from} cannot be merged into {into}: both changed {}", files.join(", "))]
    Conflicts {
        /// The branch that was to be merged.
        from: String,
        /// The branch that it was to be merged into.
        into: String,
        /// The files, from the repository's root.
        files: Vec<String>,
    },
    /// Two branches whose histories do not meet.
    #[error("{from} cannot be merged into {into}: they have no commit in common")]
    Unrelated {
        /// The branch that was to be merged.
        from: String,
        /// The branch that it was to be merged into.
        into: String,
    },
    /// The cache could not be read or written.
    #[error("could not {action} {}: {message}", path.display())]
    Cache {
        /// What was done.
        action: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// Another process holds the cache for too long.
    #[error("{} is in use by another supercargo", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// A checkout that cannot be read.
    #[error("could not read the checkout {}: {message}", path.display())]
    Checkout {
        /// Where.
        path: PathBuf,
        /// What the library said.
        message: String,
        /// Whether it belongs to another user.
        foreign: bool,
    },
    /// The connection broke once commits were under way, and the remote could not be looked at afterwards, or did not have them
    /// yet: a hook of its may still run.
    #[error("{0}; whether the push landed, or still will, is not known")]
    Unseen(Box<GitError>),
    /// The caller gave up, before anything was sent.
    #[error("stopped before anything was sent")]
    Cancelled,
    /// What the library said where we know no better.
    #[error("could not {action}: {message}")]
    Git {
        /// What was done.
        action: &'static str,
        /// The library's words.
        message: String,
    },
}

/// That a server refused what was tried; or that there was nothing which could be shown to it.
fn denied(url: &str, attempts: &[Attempt]) -> String {
    let tried = tried(url, attempts);
    if attempts.iter().all(|attempt| attempt.refusal == Refusal::Unusable) {
        return format!("could not log in to {url}: {tried}");
    }
    format!("{url} refused {tried}")
}

/// `credential A (401), credential B (403)`.
fn tried(url: &str, attempts: &[Attempt]) -> String {
    let each = attempts
        .iter()
        .map(|attempt| format!("{} ({})", credential_words(url, &attempt.credential), attempt.refusal));
    each.collect::<Vec<_>>().join(", ")
}

/// A credential as a person knows it: what was given by name is called by the name under which it was given.
fn credential_words(url: &str, label: &str) -> String {
    match (label, url.starts_with("ssh://")) {
        ("flags", false) => "the login of `--git-username`".to_owned(),
        ("flags", true) => "the key of `--git-ssh-key`".to_owned(),
        ("environment", false) => "the login of SUPERCARGO_GIT_USERNAME".to_owned(),
        ("environment", true) => "the key of SUPERCARGO_GIT_SSH_KEY".to_owned(),
        (label, _) => label.to_owned(),
    }
}

/// ` (with CREDENTIAL)`, or nothing.
fn with_credential(credential: &str) -> String {
    if credential.is_empty() { String::new() } else { format!(" (with {credential})") }
}

/// The first seven digits of a commit, or `nothing`.
fn short(commit: Option<&str>) -> &str {
    commit.map_or("nothing", |commit| commit.get(..7).unwrap_or(commit))
}

impl GitError {
    /// The word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Self::Unsupported { .. } | Self::Unreachable { .. } => Code::Unreachable,
            Self::Timeout { .. } => Code::Timeout,
            Self::Tls { .. } => Code::TlsUntrusted,
            Self::HostKey { .. } => Code::GitHostKey,
            Self::AuthRequired { .. } => Code::GitAuthRequired,
            Self::CertificateWanted { .. } => Code::GitCertificateWanted,
            Self::AuthDenied { .. } => Code::GitAuthDenied,
            Self::NotFound { .. } | Self::RefNotFound { .. } => Code::GitNotFound,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::BadAnswer { .. } | Self::Status { .. } => Code::BadAnswer,
            Self::Rejected { .. } => Code::GitRejected,
            Self::Race { .. } => Code::GitRace,
            Self::Missing { .. } => Code::StalePlan,
            Self::Sign { .. } | Self::Identity { .. } => Code::Config,
            Self::Conflicts { .. } | Self::Unrelated { .. } => Code::MergeConflict,
            Self::Cache { .. } | Self::Busy { .. } | Self::Checkout { .. } => Code::Storage,
            Self::Git { message, .. } if message.contains("No space left on device") => Code::Storage,
            Self::Unseen(error) => error.code(),
            Self::Cancelled => Code::ConfirmationMissing,
            Self::NoChange | Self::Commit { .. } | Self::Git { .. } => Code::Internal,
        }
    }

    /// Whether the server may be at it still, or have ended it, though it did not say so.
    pub(super) fn is_lost_sight_of(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::BadAnswer { .. } => true,
            Self::Status { status, .. } => status.is_server_error(),
            _ => false,
        }
    }

    fn is_about_writing(&self) -> bool {
        matches!(self, Self::AuthDenied { writing: true, .. })
    }

    /// The address it is about, if it is about one.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Unsupported { url, .. }
            | Self::Unreachable { url, .. }
            | Self::Timeout { url, .. }
            | Self::Tls { url, .. }
            | Self::Identity { url, .. }
            | Self::HostKey { url, .. }
            | Self::CertificateWanted { url }
            | Self::AuthRequired { url, .. }
            | Self::AuthDenied { url, .. }
            | Self::NotFound { url, .. }
            | Self::RefNotFound { url, .. }
            | Self::RateLimited { url, .. }
            | Self::BadAnswer { url, .. }
            | Self::Status { url, .. }
            | Self::Rejected { url, .. }
            | Self::Race { url, .. }
            | Self::Missing { url, .. } => Some(url),
            _ => None,
        }
    }

    /// What it is about: an address, or the branch that nothing can be merged into.
    fn subject(&self) -> &str {
        match self {
            Self::Conflicts { into, .. } | Self::Unrelated { into, .. } => into,
            error => error.url().unwrap_or_default(),
        }
    }

    /// What the server printed, line by line, raw; empty if it said nothing.
    fn server_lines(&self) -> Vec<String> {
        let (Self::Rejected { server, .. } | Self::AuthDenied { server, .. } | Self::HostKey { server, .. }) =
            self
        else {
            return Vec::new();
        };
        server.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    /// The error as a person or a script gets to see it; `subject` is what was being worked on, such as an automation.
    ///
    /// Causes are the server's own lines, raw; whoever prints them makes them safe.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        let mut problem = Problem::new(self.code(), subject, self.to_string());
        problem.causes = self.server_lines();
        problem.hint = self.hint();
        problem
    }
}

impl From<GitError> for Problem {
    /// The problem with the remote's address as its subject, or with the branch of a merge.
    fn from(error: GitError) -> Self {
        error.problem(error.subject())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_credential_is_named_with_its_status() {
        let error = GitError::AuthDenied {
            url: "https://git.example.com/fleet.git".to_owned(),
            attempts: vec![
                Attempt { credential: "flags".to_owned(), refusal: Refusal::Status(401) },
                Attempt { credential: "secret flux-system/fleet".to_owned(), refusal: Refusal::Status(403) },
            ],
            server: String::new(),
            writing: true,
        };
        let problem = error.problem("flux-system/apps");
        assert_eq!(problem.code, Code::GitAuthDenied);
        assert_eq!(
            problem.message,
            "https://git.example.com/fleet.git refused the login of `--git-username` (401), secret flux-system/fleet (403)"
        );
        assert_eq!(
            problem.hint.as_deref(),
            Some("Give the account of secret flux-system/fleet write access to the repository.")
        );
    }

    #[test]
    fn a_wanted_certificate_is_no_login_to_people_and_the_same_word_to_scripts() {
        let code = GitError::CertificateWanted { url: "https://git.example.com/fleet.git".to_owned() }.code();
        assert_ne!(code, Code::GitAuthRequired);
        assert_eq!((code.word(), code.exit()), ("git_auth_required", Code::GitAuthRequired.exit()));
    }

    #[test]
    fn a_login_that_was_given_and_is_refused_is_to_be_corrected_and_not_given() {
        let error = GitError::AuthDenied {
            url: "https://git.example.com/fleet.git".to_owned(),
            attempts: vec![Attempt { credential: "flags".to_owned(), refusal: Refusal::Status(401) }],
            server: String::new(),
            writing: false,
        };
        let hint = "Correct the login of `--git-username`: the name, the password or token, or its rights.";
        assert_eq!(error.hint().as_deref(), Some(hint));
    }

    #[test]
    fn a_key_that_was_given_and_may_not_write_is_named_as_it_was_given() {
        let error = GitError::AuthDenied {
            url: "ssh://git@git.example.com/fleet.git".to_owned(),
            attempts: vec![Attempt { credential: "flags".to_owned(), refusal: Refusal::Right }],
            server: String::new(),
            writing: true,
        };
        let hint = "Give the key of `--git-ssh-key` write access to the repository, or pass another.";
        assert_eq!(error.hint().as_deref(), Some(hint));
        assert!(error.to_string().ends_with("refused the key of `--git-ssh-key` (may not write)"), "{error}");
    }

    #[test]
    fn a_hook_that_wants_another_message_is_not_got_past_by_another_branch() {
        let hint = |reason: &str, server: &str| {
            let (url, branch) = ("https://h/p".to_owned(), "main".to_owned());
            let (reason, server) = (reason.to_owned(), server.to_owned());
            GitError::Rejected { url, branch, reason, server }.hint().unwrap()
        };
        assert!(hint("pre-receive hook declined", "no ticket in the message").contains("`--message`"));
        for (reason, server) in [
            ("protected branch hook declined", ""),
            ("pre-receive hook declined", "GitLab: You are not allowed to push code to protected branches"),
        ] {
            assert!(hint(reason, server).contains("`--branch`"), "{reason}");
        }
    }

    #[test]
    fn a_merge_that_conflicts_is_about_the_branch_and_a_branch_that_is_gone_has_a_next_step() {
        let (from, into) = ("image-updates".to_owned(), "main".to_owned());
        let problem = Problem::from(GitError::Conflicts { from, into, files: vec!["a.yaml".to_owned()] });
        assert_eq!(problem.subject, "main");
        let gone = GitError::RefNotFound { url: "https://h/p".to_owned(), what: "branch main".to_owned() };
        assert!(gone.hint().unwrap().contains("branch main"));
    }

    #[test]
    fn what_the_server_printed_are_the_causes_of_a_rejection() {
        let error = GitError::Rejected {
            url: "https://h/p".to_owned(),
            branch: "main".to_owned(),
            reason: "pre-receive hook declined".to_owned(),
            server: "error: GH006\n\nerror: protected\n".to_owned(),
        };
        assert_eq!(error.problem("x").causes, ["error: GH006", "error: protected"]);
    }
}
