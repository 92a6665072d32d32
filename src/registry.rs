//! Asks container registries which tags exist and which digest a tag has, by the OCI distribution API.
//!
//! Responsible for everything between a parsed image name and a list of texts: scheme, login, tokens, pages, limits,
//! retries, and errors that say what to do. What the tags mean is the domain's business; where they are kept is
//! [`crate::store`]'s.
//!
//! The course of a listing, as Flux's library takes it: `GET /v2/` (HTTPS first), a token if the registry asks for
//! one, then `GET /v2/REPOSITORY/tags/list?n=1000` and its `Link`s. Nothing is ever written to a registry.

mod auth;
mod challenge;
pub mod client;
mod docker_config;
mod docker_file;
pub mod error;
pub mod examine;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod helper;
mod http;
mod keymatch;
pub mod keyring;
mod limit;
mod manifest;
pub mod metadata;
mod pace;
mod page;
mod paging;
mod session;
pub mod transport;
pub mod trial;
mod wire;
mod wire_text;
mod withheld;

use std::time::Duration;

pub use client::{Client, ClientOptions, Endpoint};
pub use error::RegistryError;
pub use examine::{Examination, Wish};
pub use http::holds_certificate;
pub use keyring::{Credential, Keyring, KeyringError, Login, Offer};
pub use metadata::Resolved;
pub use transport::{Transport, TransportError};
pub use trial::{Outcome, Trial};

use crate::domain::reference::ImageName;
use crate::domain::scan::Budget;
use crate::domain::tags::TagList;

/// What to ask, and with what.
#[derive(Debug, Clone, Copy)]
pub struct ListRequest<'a> {
    /// The repository; says itself whether plain HTTP may be tried.
    pub image: &'a ImageName,
    /// Bound of the whole listing, not counting the wait for a free place; less than a second counts as one.
    pub timeout: Duration,
    /// The credentials that apply.
    pub keyring: &'a Keyring,
}

/// How far a listing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Pages read.
    pub pages: u32,
    /// Tags read.
    pub tags: usize,
    /// Bytes of all answers so far.
    pub bytes: u64,
    /// If the client now waits before it tries again: how long.
    pub waiting: Option<Duration>,
}

/// All tags of a repository that the registry sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The tags; strangers' texts, which may be no tags at all.
    pub tags: TagList,
    /// Pages of the list.
    pub pages: u32,
    /// Requests in all, logins and retries too.
    pub requests: u32,
    /// Bytes of all answers, unpacked.
    pub bytes: u64,
    /// From the first request's place to the last byte.
    pub wall: Duration,
    /// The label of the credential that worked.
    pub credential: String,
    /// Those that were of no use before it.
    pub refused: Vec<Trial>,
    /// What the registry said is left of the requests that it allows, if it did.
    pub budget: Option<Budget>,
}

/// Makes *ring* the process's TLS provider, unless one is installed; must run before the first client is made.
///
/// [`Client::new`] does so; other users of TLS may call it as often as they like.
pub fn install_tls_provider() {
    crate::http::install_tls_provider();
}
