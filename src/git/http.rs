//! Git's smart protocol over HTTP: find the repository and log in.
//!
//! The first request decides everything: it follows redirects as git does, tries the credentials in order, and what
//! it settles on is used for the rest of the session.
//!
//! Source: git's `Documentation/gitprotocol-http`.

use std::sync::{Mutex, PoisonError};

use futures::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Body, Client, Response, StatusCode};
use url::Url;

use crate::http;
use crate::text::ExposeSecret;

use super::credential::{GitCredential, Login};
use super::error::{Attempt, GitError, Refusal};
use super::network::wait;
use super::session::Session;
use super::url::GitUrl;
use super::{Remote, tls};

/// Redirects followed before it is called a loop.
const MAX_REDIRECTS: usize = 8;
/// How much of an error page is read.
const MAX_ERROR_TEXT: usize = 4096;

/// The HTTP side of a session.
pub(super) struct Http {
    client: Client,
    /// What the first request settled on.
    settled: Mutex<Settled>,
}

/// Where the repository really is, and what it is logged in to with.
#[derive(Clone)]
struct Settled {
    /// Address without `/info/refs`.
    base: Url,
    /// The credential that was accepted; `None`: nobody asked.
    credential: Option<GitCredential>,
}

/// An answer to the first request.
struct Answer {
    response: Response,
    base: Url,
    /// Whether credentials went along; not to another host.
    logged_in: bool,
}

impl Http {
    /// A client for the remote; nothing is sent.
    ///
    /// # Errors
    /// [`GitError::Tls`] for a certificate file that cannot be used.
    pub(super) fn new(remote: &Remote, url: &GitUrl) -> Result<Self, GitError> {
        let shown = url.redacted();
        let base = Url::parse(url.without_user_info().trim_end_matches('/'));
        let base =
            base.map_err(|error| GitError::BadAnswer { url: shown.clone(), message: error.to_string() })?;
        let client = tls::client(remote, &shown)?;
        Ok(Self { client, settled: Mutex::new(Settled { base, credential: None }) })
    }

    fn settled(&self) -> Settled {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for the references: the only request that is tried with several credentials.
    pub(super) fn advertise(&self, session: &Session, service: &str) -> Result<Response, GitError> {
        let start = self.settled();
        let candidates = match &start.credential {
            // Accepted a moment ago: no need to have the others refused again.
            Some(accepted) => vec![Some(accepted)],
            None => candidates(&session.remote),
        };
        let mut failure = Failure::default();
        for candidate in candidates {
            let answer = self.follow(session, &start.base, service, candidate)?;
            let status = answer.response.status();
            if status.is_success() {
                check_type(session, &answer.response, &format!("application/x-git-{service}-advertisement"))?;
                let credential = candidate.filter(|_| answer.logged_in).cloned();
                let label = credential.as_ref().map_or("anonymous", |credential| &credential.label);
                session.accept(&failure.before(label));
                *self.settled.lock().unwrap_or_else(PoisonError::into_inner) =
                    Settled { base: answer.base, credential };
                return Ok(answer.response);
            }
            failure.add(session, candidate, answer)?;
        }
        Err(failure.into_error(session, service))
    }

    /// One attempt at `/info/refs`, redirects followed; credentials stay with the host they are for.
    fn follow(
        &self,
        session: &Session,
        start: &Url,
        service: &str,
        candidate: Option<&GitCredential>,
    ) -> Result<Answer, GitError> {
        let tail = format!("/info/refs?service=git-{service}");
        let mut base = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let url = format!("{}{tail}", base.as_str().trim_end_matches('/'));
            let login = candidate.filter(|_| may_log_in(start, &base));
            let mut request = self.client.get(&url);
            if let Some(value) = authorization(login) {
                request = request.header(AUTHORIZATION, value);
            }
            let response = wait(session, "the list of references", request.send())?;
            let response = response.map_err(|error| network_error(session, &error))?;
            let (status, label) =
                (response.status().as_u16(), login.map_or("anonymous", |login| &login.label));
            tracing::debug!(status, credential = label, "git: {service} at {}", session.shown);
            if !response.status().is_redirection() {
                return Ok(Answer { response, base, logged_in: login.is_some() });
            }
            base = redirected(session, &base, &response)?;
        }
        Err(session.bad_answer(&"it redirects in circles"))
    }

    /// Sends a request body and returns the answer's head.
    pub(super) fn post(
        &self,
        service: &str,
        body: Body,
    ) -> impl Future<Output = reqwest::Result<Response>> + use<> {
        let Settled { base, credential } = self.settled();
        let url = format!("{}/git-{service}", base.as_str().trim_end_matches('/'));
        let mut headers = HeaderMap::new();
        for (name, kind) in [(CONTENT_TYPE, "request"), (ACCEPT, "result")] {
            if let Ok(value) = HeaderValue::from_str(&format!("application/x-git-{service}-{kind}")) {
                headers.insert(name, value);
            }
        }
        if let Some(value) = authorization(credential.as_ref()) {
            headers.insert(AUTHORIZATION, value);
        }
        self.client.post(url).headers(headers).body(body).send()
    }

    /// Checks the head of the answer to a POST.
    pub(super) fn accept_post(
        &self,
        session: &Session,
        service: &str,
        response: Response,
    ) -> Result<Response, GitError> {
        let status = response.status();
        tracing::debug!(status = status.as_u16(), "git: {service} sent to {}", session.shown);
        if status.is_success() {
            check_type(session, &response, &format!("application/x-git-{service}-result"))?;
            return Ok(response);
        }
        let Settled { base, credential } = self.settled();
        let logged_in = credential.is_some();
        let mut failure = Failure::default();
        failure.add(session, credential.as_ref(), Answer { response, base, logged_in })?;
        Err(failure.into_error(session, service))
    }
}

/// Why no credential led anywhere.
#[derive(Default)]
struct Failure {
    attempts: Vec<Attempt>,
    /// The strongest word of the server: 403 before 404 before 401.
    strongest: Option<StatusCode>,
    server: String,
    /// Where the server sent us, if credentials did not go along.
    redirected: Option<String>,
}

impl Failure {
    /// Notes a refusal that another credential might overcome.
    ///
    /// # Errors
    /// At once for any other status.
    fn add(
        &mut self,
        session: &Session,
        tried: Option<&GitCredential>,
        answer: Answer,
    ) -> Result<(), GitError> {
        let status = answer.response.status();
        let rank = |status: StatusCode| match status.as_u16() {
            403 => 3,
            404 | 410 => 2,
            _ => 1,
        };
        if !matches!(status.as_u16(), 401 | 403 | 404 | 410) {
            return Err(unexpected(session, &answer.response));
        }
        if tried.is_some() && !answer.logged_in {
            self.redirected = Some(answer.base.to_string());
        }
        let credential = match tried.filter(|_| answer.logged_in) {
            Some(credential) => credential.label.clone(),
            None => "anonymous".to_owned(),
        };
        self.attempts.push(Attempt { credential, refusal: Refusal::Status(status.as_u16()) });
        if self.strongest.is_none_or(|known| rank(known) < rank(status)) {
            self.strongest = Some(status);
            self.server = error_text(session, answer.response);
        }
        Ok(())
    }

    /// The label of what was accepted, with what was refused before it: who gave a credential wants to know that another
    /// one served.
    fn before(&self, accepted: &str) -> String {
        let refused = self.attempts.iter().map(|tried| format!("{} ({})", tried.credential, tried.refusal));
        let refused: Vec<String> = refused.collect();
        if refused.is_empty() {
            return accepted.to_owned();
        }
        format!("{accepted}, after {}", refused.join(", "))
    }

    fn into_error(self, session: &Session, service: &str) -> GitError {
        let url = session.shown.clone();
        let is_anonymous = self.attempts.iter().all(|attempt| attempt.credential == "anonymous");
        match self.strongest.map_or(0, |status| status.as_u16()) {
            404 | 410 => {
                let credential =
                    self.attempts.last().map(|attempt| attempt.credential.clone()).unwrap_or_default();
                GitError::NotFound { url, credential }
            }
            401 if is_anonymous => GitError::AuthRequired { url, redirected: self.redirected },
            _ => GitError::AuthDenied {
                url,
                attempts: self.attempts,
                server: self.server,
                writing: service == "receive-pack",
            },
        }
    }
}

/// What is tried, in order; without any credential, none.
fn candidates(remote: &Remote) -> Vec<Option<&GitCredential>> {
    let logins = remote.credentials.iter().filter(|candidate| candidate.login.is_some());
    let mut found: Vec<_> = logins.map(Some).collect();
    if found.is_empty() {
        found.push(None);
    }
    found
}

/// The header that logs in; marked so that nothing prints it.
fn authorization(credential: Option<&GitCredential>) -> Option<HeaderValue> {
    use base64::Engine as _;
    let text = match credential?.login.as_ref()? {
        Login::Basic { username, password } => {
            let pair = format!("{username}:{}", password.expose_secret());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
        Login::Bearer(token) => format!("Bearer {}", token.expose_secret()),
        Login::Ssh(_) => return None,
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether credentials for `start` may go to `now`: the same server, or the same host over TLS.
fn may_log_in(start: &Url, now: &Url) -> bool {
    start.origin() == now.origin()
        || (start.host_str() == now.host_str() && start.scheme() == "http" && now.scheme() == "https")
}

/// The base that a redirect of `/info/refs` leads to.
fn redirected(session: &Session, base: &Url, response: &Response) -> Result<Url, GitError> {
    let told = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = told.and_then(|location| response.url().join(location).ok());
    let Some(mut target) = target else {
        return Err(session.bad_answer(&"it redirects without saying where to"));
    };
    let path = target.path().strip_suffix("/info/refs").map(str::to_owned);
    let Some(path) = path.filter(|_| matches!(target.scheme(), "http" | "https")) else {
        // Mostly the page that asks a person to log in.
        let to = super::redact(target.as_str());
        return Err(session.bad_answer(&format!("it redirects to {to}, which is no repository")));
    };
    if base.scheme() == "https" && target.scheme() == "http" {
        return Err(session.bad_answer(&"it redirects from https to http"));
    }
    target.set_path(&path);
    target.set_query(None);
    target.set_fragment(None);
    // User info in a redirect is the server's idea, not a credential of ours.
    let cleared = target.set_username("").and_then(|()| target.set_password(None));
    cleared.map_err(|()| session.bad_answer(&"it redirects to no address"))?;
    Ok(target)
}

fn check_type(session: &Session, response: &Response, wanted: &str) -> Result<(), GitError> {
    let value =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
    if value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    Err(session.bad_answer(&format!("it sent {value} instead of Git's protocol")))
}

/// A status that has nothing to do with credentials.
fn unexpected(session: &Session, response: &Response) -> GitError {
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let seconds = after.and_then(|text| text.trim().parse().ok());
        return GitError::RateLimited { url: session.shown.clone(), retry_after_seconds: seconds };
    }
    session.bad_answer(&format!("HTTP {status}"))
}

/// The text that some servers send along with a refusal, such as GitHub; pages for browsers are left out.
fn error_text(session: &Session, response: Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/plain") {
        return String::new();
    }
    let read = async {
        let mut text = Vec::new();
        let mut body = response.bytes_stream();
        while let Some(Ok(piece)) = body.next().await {
            text.extend_from_slice(&piece);
            if text.len() >= MAX_ERROR_TEXT {
                break;
            }
        }
        text.truncate(MAX_ERROR_TEXT);
        text
    };
    wait(session, "the server's message", read)
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .unwrap_or_default()
}

/// What went wrong before there was a status.
pub(super) fn network_error(session: &Session, error: &reqwest::Error) -> GitError {
    let url = session.shown.clone();
    if let Some(message) = http::certificate_error(error) {
        return GitError::Tls { url, message };
    }
    let message = http::innermost(error);
    if error.is_timeout() {
        return session.timeout("a connection", session.remote.timeouts.connect.as_secs());
    }
    if error.is_decode() || error.is_body() {
        return GitError::BadAnswer { url, message };
    }
    GitError::Unreachable { url, message }
}
