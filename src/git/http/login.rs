//! Which logins are tried on a server, in which order, and how one becomes a header.

use reqwest::Client;
use reqwest::header::HeaderValue;
use url::Url;

use super::helper::{self, Handed};
use crate::git::Remote;
use crate::git::app;
use crate::git::credential::{GitCredential, Login};
use crate::git::error::{Attempt, GitError, Refusal};
use crate::git::session::Session;
use crate::text::ExposeSecret;

/// A login that can be shown to a server.
#[derive(Clone, Default)]
pub(super) struct Shown {
    /// The credential's label; `None`: nothing is shown.
    label: Option<String>,
    header: Option<HeaderValue>,
    /// Whoever has to hear how it went.
    handed: Option<Handed>,
}

impl Shown {
    /// The label, `anonymous` if nothing is shown.
    pub(super) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or("anonymous")
    }

    /// Whether there is something to show.
    pub(super) fn is_login(&self) -> bool {
        self.header.is_some()
    }

    /// The header that logs in; marked so that nothing prints it.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        self.header.clone()
    }

    /// Tells git's helpers, if it is from them, whether it was good.
    ///
    /// # Errors
    /// Out of time, or cancelled.
    pub(super) fn tell(&self, session: &Session, is_good: bool) -> Result<(), GitError> {
        self.handed.as_ref().map_or(Ok(()), |handed| helper::tell(session, handed, is_good))
    }

    fn of(credential: &GitCredential, login: &Login) -> Self {
        Self { label: Some(credential.label.clone()), header: header(login), handed: None }
    }
}

/// Where a login is to be shown.
pub(super) struct Door<'a> {
    /// The operation.
    pub(super) session: &'a Session,
    /// The remote's client.
    pub(super) client: &'a Client,
    /// The repository.
    pub(super) url: &'a Url,
    /// The user, where the address names one and no password.
    pub(super) username: Option<&'a str>,
}

/// What is tried, in order: what was given for the remote, or nothing where nothing was; then what is only there in case that a
/// server asks.
pub(super) fn candidates(remote: &Remote) -> Vec<Option<&GitCredential>> {
    let logins = || remote.credentials.iter().filter(|candidate| candidate.login.is_some());
    let mut found: Vec<_> = logins().filter(|candidate| !candidate.is_late).map(Some).collect();
    if found.is_empty() {
        found.push(None);
    }
    found.extend(logins().filter(|candidate| candidate.is_late).map(Some));
    found
}

/// What a candidate has to show at `url`; `None`: nothing at all, and the next one is to be tried.
///
/// # Errors
/// Out of time, or cancelled; [`GitError::AuthDenied`] where a token had to be fetched and was not given.
pub(super) fn resolve(door: &Door<'_>, candidate: Option<&GitCredential>) -> Result<Option<Shown>, GitError> {
    let session = door.session;
    let Some((candidate, login)) = candidate.and_then(|found| Some((found, found.login.as_ref()?))) else {
        return Ok(Some(Shown::default()));
    };
    match login {
        Login::Basic { .. } | Login::Bearer(_) => Ok(Some(Shown::of(candidate, login))),
        Login::Ssh(_) => Ok(None),
        Login::Helpers => Ok(helper::fill(session, door.url, door.username)?.map(|handed| {
            let (username, password) = (handed.username.clone(), handed.password.clone());
            let shown = Shown::of(candidate, &Login::Basic { username, password });
            Shown { handed: Some(handed), ..shown }
        })),
        Login::App(of) => {
            let unusable = |words: String| GitError::AuthDenied {
                url: session.shown.clone(),
                attempts: vec![Attempt { credential: candidate.label.clone(), refusal: Refusal::Unusable }],
                server: words,
                writing: false,
            };
            let password = app::token(session, door.client, of)?.map_err(unusable)?;
            let username = app::USER.to_owned();
            Ok(Some(Shown::of(candidate, &Login::Basic { username, password })))
        }
    }
}

fn header(login: &Login) -> Option<HeaderValue> {
    use base64::Engine as _;
    let text = match login {
        Login::Basic { username, password } => {
            let pair = format!("{username}:{}", password.expose_secret());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
        Login::Bearer(token) => format!("Bearer {}", token.expose_secret()),
        Login::Ssh(_) | Login::Helpers | Login::App(_) => return None,
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
