//! Git's smart protocol over HTTP: find the repository and log in.
//!
//! The first request decides everything: it follows redirects as git does, tries the credentials in order, and what
//! it settles on is used for the rest of the session.
//!
//! Source: git's `Documentation/gitprotocol-http`.

mod helper;
mod login;

use std::sync::{Mutex, PoisonError};

use futures::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Body, Client, Response, StatusCode};
use url::Url;

use crate::http;

use super::credential::GitCredential;
use super::error::{Attempt, GitError, Refusal};
use super::network::wait;
use super::session::Session;
use super::url::GitUrl;
use super::{Remote, tls};

use login::{Door, Shown, candidates, resolve};

/// Redirects followed before it is called a loop.
const MAX_REDIRECTS: usize = 8;
/// How much of an error page is read.
const MAX_ERROR_TEXT: usize = 4096;

/// The HTTP side of a session.
pub(super) struct Http {
    client: Client,
    /// The user of an address that has no password.
    username: Option<String>,
    /// What the first request settled on.
    settled: Mutex<Settled>,
}

/// Where the repository really is, and what it is logged in to with.
#[derive(Clone)]
struct Settled {
    /// Address without `/info/refs`.
    base: Url,
    /// What was accepted; `None`: nothing was asked yet.
    login: Option<Shown>,
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
        let username = url.user_info().filter(|(_, password)| password.is_none());
        let username = username.map(|(user, _)| user.to_owned());
        Ok(Self { client, username, settled: Mutex::new(Settled { base, login: None }) })
    }

    fn settled(&self) -> Settled {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for the references: the only request that is tried with several credentials.
    pub(super) fn advertise(&self, session: &Session, service: &str) -> Result<Response, GitError> {
        let start = self.settled();
        let mut failure = Failure::default();
        let candidates = match &start.login {
            // Accepted a moment ago: no need to have the others refused again.
            Some(_) => vec![None],
            None => candidates(&session.remote),
        };
        for candidate in candidates {
            let shown = match &start.login {
                Some(accepted) => accepted.clone(),
                None => match self.resolve(session, &start.base, candidate, &mut failure)? {
                    Some(shown) => shown,
                    None => continue,
                },
            };
            let answer = self.follow(session, &start.base, service, &shown)?;
            match self.settle(session, service, &shown, answer, &failure)? {
                Ok(response) => return Ok(response),
                Err(refused) => failure.add(session, &shown, refused)?,
            }
        }
        Err(failure.into_error(session, service))
    }

    /// What a candidate has to show; `None`: nothing, or nobody has asked for it.
    fn resolve(
        &self,
        session: &Session,
        url: &Url,
        candidate: Option<&GitCredential>,
        failure: &mut Failure,
    ) -> Result<Option<Shown>, GitError> {
        if candidate.is_some_and(|candidate| candidate.is_late) && !failure.wants_login() {
            return Ok(None);
        }
        let door = Door { session, client: &self.client, url, username: self.username.as_deref() };
        match resolve(&door, candidate) {
            Err(GitError::AuthDenied { attempts, server, .. }) => {
                failure.add_unusable(attempts, server);
                Ok(None)
            }
            resolved => resolved,
        }
    }

    /// Keeps to what was accepted; what was refused comes back.
    fn settle(
        &self,
        session: &Session,
        service: &str,
        shown: &Shown,
        answer: Answer,
        failure: &Failure,
    ) -> Result<Result<Response, Answer>, GitError> {
        let status = answer.response.status();
        if !status.is_success() {
            // Another host's refusal says nothing of a login that it was not shown.
            if status == StatusCode::UNAUTHORIZED && answer.logged_in {
                shown.tell(session, false)?;
            }
            return Ok(Err(answer));
        }
        check_type(session, &answer.response, &format!("application/x-git-{service}-advertisement"))?;
        let login = if answer.logged_in { shown.clone() } else { Shown::default() };
        session.accept(&failure.before(login.label()));
        login.tell(session, true)?;
        let settled = Settled { base: answer.base, login: Some(login) };
        *self.settled.lock().unwrap_or_else(PoisonError::into_inner) = settled;
        Ok(Ok(answer.response))
    }

    /// One attempt at `/info/refs`, redirects followed; credentials stay with the host they are for.
    fn follow(
        &self,
        session: &Session,
        start: &Url,
        service: &str,
        shown: &Shown,
    ) -> Result<Answer, GitError> {
        let tail = format!("/info/refs?service=git-{service}");
        let mut base = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let url = format!("{}{tail}", base.as_str().trim_end_matches('/'));
            let login = shown.header().filter(|_| may_log_in(start, &base));
            let logged_in = login.is_some();
            let mut request = self.client.get(&url);
            if let Some(value) = login {
                request = request.header(AUTHORIZATION, value);
            }
            let response = wait(session, "the list of references", request.send())?;
            let response = response.map_err(|error| network_error(session, &error))?;
            let label = if logged_in { shown.label() } else { "anonymous" };
            let status = response.status().as_u16();
            tracing::debug!(status, credential = label, "git: {service} at {}", session.shown);
            if !response.status().is_redirection() {
                return Ok(Answer { response, base, logged_in });
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
        let Settled { base, login } = self.settled();
        let url = format!("{}/git-{service}", base.as_str().trim_end_matches('/'));
        let mut headers = HeaderMap::new();
        for (name, kind) in [(CONTENT_TYPE, "request"), (ACCEPT, "result")] {
            if let Ok(value) = HeaderValue::from_str(&format!("application/x-git-{service}-{kind}")) {
                headers.insert(name, value);
            }
        }
        if let Some(value) = login.and_then(|login| login.header()) {
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
        let Settled { base, login } = self.settled();
        let login = login.unwrap_or_default();
        let mut failure = Failure::default();
        let logged_in = login.is_login();
        failure.add(session, &login, Answer { response, base, logged_in })?;
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
    fn add(&mut self, session: &Session, tried: &Shown, answer: Answer) -> Result<(), GitError> {
        let status = answer.response.status();
        let rank = |status: StatusCode| match status.as_u16() {
            403 => 3,
            404 | 410 => 2,
            _ => 1,
        };
        if !matches!(status.as_u16(), 401 | 403 | 404 | 410) {
            return Err(unexpected(session, answer.response));
        }
        if tried.is_login() && !answer.logged_in {
            self.redirected = Some(answer.base.to_string());
        }
        let credential = if answer.logged_in { tried.label() } else { "anonymous" }.to_owned();
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
        let refused = self.attempts.iter().filter(|tried| tried.credential != "anonymous");
        let refused = refused.map(|tried| format!("{} ({})", tried.credential, tried.refusal));
        let refused: Vec<String> = refused.collect();
        if refused.is_empty() {
            return accepted.to_owned();
        }
        format!("{accepted}, after {}", refused.join(", "))
    }

    /// Whether a server asked for a login, or for another one.
    fn wants_login(&self) -> bool {
        self.attempts.iter().any(|attempt| !matches!(attempt.refusal, Refusal::Status(404 | 410)))
    }

    /// Notes a login that could not even be shown, and why.
    fn add_unusable(&mut self, attempts: Vec<Attempt>, why: String) {
        self.attempts.extend(attempts);
        if self.strongest.is_none() {
            self.server = why;
        }
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

/// Whether credentials for `start` may go to `now`: the same server, or the same host over TLS where both are at the ports of
/// their schemes. Behind any other port of a host may be anybody.
fn may_log_in(start: &Url, now: &Url) -> bool {
    let is_usual = |url: &Url, scheme: &str| url.scheme() == scheme && url.port().is_none();
    start.origin() == now.origin()
        || (start.host_str() == now.host_str() && is_usual(start, "http") && is_usual(now, "https"))
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

/// A status that has nothing to do with logins.
fn unexpected(session: &Session, response: Response) -> GitError {
    let status = response.status();
    if status == StatusCode::BAD_REQUEST && response.url().scheme() == "https" {
        // What nginx says where it asks for a certificate and gets none, or none that it trusts; in a page for browsers.
        let says = text(session, response).to_ascii_lowercase();
        if says.contains("ssl certificate") {
            return GitError::CertificateWanted { url: session.shown.clone() };
        }
        return GitError::Status { url: session.shown.clone(), status };
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let seconds = after.and_then(|text| text.trim().parse().ok());
        return GitError::RateLimited { url: session.shown.clone(), retry_after_seconds: seconds };
    }
    GitError::Status { url: session.shown.clone(), status }
}

/// The text that some servers send along with a refusal, such as GitHub; pages for browsers are left out.
fn error_text(session: &Session, response: Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/plain") { text(session, response) } else { String::new() }
}

/// The beginning of an answer.
fn text(session: &Session, response: Response) -> String {
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
        if message.contains("CertificateRequired") {
            return GitError::CertificateWanted { url };
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_follows_to_the_same_server_and_from_the_usual_port_to_that_of_tls() {
        let may = |start: &str, now: &str| may_log_in(&Url::parse(start).unwrap(), &Url::parse(now).unwrap());
        for now in ["http://h/q", "http://h:80/p", "https://h/p", "https://h:443/p", "https://H/p"] {
            assert!(may("http://h/p", now), "{now}");
        }
        for now in ["https://h:8443/p", "http://h:8080/p", "https://other/p", "https://h.example/p"] {
            assert!(!may("http://h/p", now), "{now}");
        }
        assert!(may("http://h:8080/p", "http://h:8080/q"));
        for now in ["https://h/p", "https://h:8080/p", "https://h:8443/p"] {
            assert!(!may("http://h:8080/p", now), "{now}");
        }
        assert!(!may("https://h/p", "http://h/p"));
    }
}
