//! What can go wrong between us and a forge: what was asked, as whom, and what to do.

use crate::problem::{Code, Problem};

/// Why a request could not be opened, updated or looked up.
///
/// `asked` is always `METHOD URL` without query; `whom` the label of the token, or `anonymous`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// No HTTP client could be made.
    #[error("{0}")]
    Setup(String),
    /// No connection, or one that broke.
    #[error("{asked}: {reason}")]
    Unreachable {
        /// What was asked.
        asked: String,
        /// The innermost cause.
        reason: String,
    },
    /// A certificate that is not trusted.
    #[error("{asked}: the certificate is not trusted: {reason}")]
    Tls {
        /// What was asked.
        asked: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Time ran out.
    #[error("{asked}: no complete answer within {seconds} s")]
    Timeout {
        /// What was asked.
        asked: String,
        /// The bound, in seconds.
        seconds: u64,
    },
    /// HTTP 429, or GitHub's 403 of one who asked too often.
    #[error("{asked} as {whom}: the forge limits the rate of requests")]
    RateLimited {
        /// What was asked.
        asked: String,
        /// As whom.
        whom: String,
        /// When to come back, in seconds, if the forge said so.
        retry_after: Option<u64>,
    },
    /// Any other status from 400 to 499.
    #[error("{asked} as {whom}: {status} {said}")]
    Refused {
        /// What was asked.
        asked: String,
        /// As whom.
        whom: String,
        /// The status.
        status: u16,
        /// The forge's own words, or the status' name.
        said: String,
    },
    /// A repository is to be somebody's, and the token is somebody else's.
    #[error("{whom} is {user}'s, and the repository is to be {owner}'s own")]
    Stranger {
        /// As whom.
        whom: String,
        /// Whose it is.
        user: String,
        /// Whose the repository is to be.
        owner: String,
    },
    /// A status of 500 and above, or an answer that is none.
    #[error("{asked}: {reason}")]
    BadAnswer {
        /// What was asked.
        asked: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ForgeError {
    /// The word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Self::Setup(_) => Code::Config,
            Self::Unreachable { .. } => Code::Unreachable,
            Self::Tls { .. } => Code::TlsUntrusted,
            Self::Timeout { .. } => Code::Timeout,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::Refused { .. } => Code::ForgeDenied,
            Self::Stranger { .. } => Code::Usage,
            Self::BadAnswer { .. } => Code::BadAnswer,
        }
    }

    /// The next step, where we know one.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Refused { status: 401, whom, .. } if whom != ANONYMOUS => {
                format!("{whom} is not accepted there; make a new token, and push the plan again.")
            }
            Self::Refused { status: 401 | 403 | 404, whom, .. } if whom == ANONYMOUS => {
                "Give a token in GITHUB_TOKEN, GITLAB_TOKEN or GITEA_TOKEN, and push the plan again."
                    .to_owned()
            }
            Self::Refused { status: 403, whom, .. } => {
                format!("Give {whom} the right to write pull requests, and push the plan again.")
            }
            Self::Refused { status: 404, whom, .. } => {
                format!("Check that {whom} may see the repository and that the API's address is right.")
            }
            Self::RateLimited { retry_after: Some(seconds), .. } => {
                format!("Push the plan again in {seconds} s.")
            }
            Self::RateLimited { .. } | Self::Timeout { .. } | Self::Unreachable { .. } => {
                "Push the plan again later: what is pushed already stays, and a request is never doubled."
                    .to_owned()
            }
            Self::Stranger { owner, .. } => {
                format!("Leave --personal out if {owner} is an organisation or a group.")
            }
            Self::Tls { .. } => "Pass the authority's certificate with `--ca-file`.".to_owned(),
            Self::Setup(_) | Self::Refused { .. } | Self::BadAnswer { .. } => return None,
        })
    }

    /// The error as a person or a script gets to see it.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        let mut problem = Problem::new(self.code(), subject, self.to_string());
        problem.hint = self.hint();
        problem
    }
}

/// As whom one asks without a token.
pub(super) const ANONYMOUS: &str = "anonymous";
