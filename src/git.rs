//! Git remotes: read the files of a commit, build a commit on top of it, push it. The only place that knows libgit2.
//!
//! Everything happens in a bare cache of our own ([`BareCache`]); no work tree is ever needed, and the operator's
//! checkout is only read ([`Checkout`]). Pushes are fast-forwards of branches or new branches: there is no code here
//! that forces, rewrites or deletes.
//!
//! All of it blocks. Callers with an event loop use `spawn_blocking`.

mod app;
mod cache;
mod changes;
mod checkout;
mod child;
mod commit;
mod config;
pub mod credential;
mod delta;
mod distance;
mod error;
mod exchange;
mod fallback;
mod fetch;
mod folder;
mod history;
mod http;
mod init;
mod kept;
mod merge;
mod netrc;
mod network;
mod objects;
mod pack;
mod pipe;
mod propose;
mod push;
mod refs;
mod send;
mod session;
mod sideband;
mod sign;
mod ssh;
mod tls;
mod tree;
mod typed;
pub mod url;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use self::app::App;
pub use self::cache::{BareCache, Fetched};
pub use self::changes::{ChangedFile, Changes};
pub use self::checkout::{Checkout, Upstream};
pub use self::config::{GitConfig, HttpSettings, Proxy};
pub use self::credential::{GitCredential, KnownHosts, Login, SecretSource, SshKey, SshLogin};
pub use self::distance::Distance;
pub use self::error::{Attempt, GitError, Refusal};
pub use self::fallback::{ForgeToken, fallbacks};
pub use self::init::init_bare;
pub use self::kept::KeptCache;
pub use self::merge::{Meeting, MergeSpec};
pub use self::objects::NewObjects;
pub use self::propose::Proposed;
pub(crate) use self::propose::has_nothing_new;
pub use self::push::{PushReport, Pushed, RefUpdate, ls_remote};
pub use self::refs::{Refs, Resolved};
pub use self::sign::{Signer, Unlocked};
pub use self::ssh::{KeyError, KeyKind, KeyPair, Opened, SshProgram, fingerprints, scan_host};
pub use self::tree::{TreeEntry, TreeFile};
pub use self::typed::{LoginQuestion, TypedLogins};
pub use self::url::{GitUrl, Scheme, is_same_repository, redact};

/// What is known about a running transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Objects and bytes that arrived.
    Receiving {
        /// Objects so far.
        objects: usize,
        /// Objects in all.
        total: usize,
        /// Bytes so far.
        bytes: usize,
    },
    /// Objects and bytes that were sent.
    Sending {
        /// Objects so far.
        objects: usize,
        /// Objects in all.
        total: usize,
        /// Bytes so far.
        bytes: usize,
    },
    /// Text the server prints while it works, raw: may hold carriage returns and escape codes.
    Server(String),
}

/// Receives [`Progress`] from the thread that does the work.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// How long a remote may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the next byte arrives or can be sent.
    pub idle: Duration,
    /// Of one operation (a fetch, a push) as a whole.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 10 s, 60 s (a `GitRepository`'s default) and 10 min.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            total: Duration::from_mins(10),
        }
    }
}

/// A remote and what is needed to speak to it.
#[derive(Clone, Default)]
pub struct Remote {
    /// Its address; user info in it is not used (see [`credential::candidates`]).
    pub url: String,
    /// What to log in with, in the order in which it is tried; empty: nothing.
    pub credentials: Vec<GitCredential>,
    /// Files with certificates of authorities (PEM), added to the system's.
    pub ca_files: Vec<PathBuf>,
    /// A client certificate (PEM) and the file with its key; one of the credentials' own comes before it.
    pub certificate: Option<(PathBuf, Option<PathBuf>)>,
    /// The proxy for `https` and `http`; `None`: the environment's.
    pub proxy: Option<Proxy>,
    /// What is run to speak ssh.
    pub ssh: SshProgram,
    /// Ways that a person has opened for it.
    pub opened: Opened,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// Stops what is under way; a push only as long as nothing of it was sent.
    pub cancel: CancellationToken,
    /// Hears how it goes.
    pub progress: Option<ProgressSink>,
}

impl Remote {
    /// The remote at `url`, with nothing to log in with and the usual patience.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// The address as it may be shown.
    pub fn shown(&self) -> String {
        redact(&self.url)
    }
}

impl std::fmt::Debug for Remote {
    /// The address and the labels of the credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels: Vec<&str> = self.credentials.iter().map(|credential| credential.label.as_str()).collect();
        f.debug_struct("Remote")
            .field("url", &self.shown())
            .field("credentials", &labels)
            .finish_non_exhaustive()
    }
}
