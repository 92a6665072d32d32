//! Git's smart protocol over HTTP: find the repository, log in, exchange packs.
//!
//! The first request decides everything: it follows redirects as git does, tries the credentials in order, and what
//! it settles on is used for the rest of the session.
//!
//! Source: git's `Documentation/gitprotocol-http`.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Body, Client, Response, StatusCode};
use tokio::task::JoinHandle;
use url::Url;

use crate::text::ExposeSecret;

use super::credential::{GitCredential, Login};
use super::error::{Attempt, GitError};
use super::network::{handle, wait};
use super::session::{Line, Service, Session, Talk};
use super::url::GitUrl;
use super::wire::Advertised;
use super::{Remote, tls};

/// Redirects followed before it is called a loop.
const MAX_REDIRECTS: usize = 8;
/// Up to this size a request is sent whole, with its length; beyond it is streamed. As git's `http.postBuffer`.
const POST_BUFFER: usize = 1 << 20;
/// Pieces of a streamed request that may wait for the network.
const PIECES_UNDER_WAY: usize = 8;
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
    fn advertise(&self, session: &Session, service: &str) -> Result<Response, GitError> {
        let start = self.settled();
        let mut candidates: Vec<Option<&GitCredential>> = session
            .remote
            .credentials
            .iter()
            .filter(|candidate| candidate.login.is_some())
            .map(Some)
            .collect();
        if candidates.is_empty() {
            candidates.push(None);
        }
        let mut failure = Failure::default();
        for candidate in candidates {
            let answer = self.follow(session, &start.base, service, candidate)?;
            let status = answer.response.status();
            if status.is_success() {
                check_type(session, &answer.response, &format!("application/x-git-{service}-advertisement"))?;
                let credential = candidate.filter(|_| answer.logged_in).cloned();
                session.accept(credential.as_ref().map_or("anonymous", |credential| &credential.label));
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
            if !response.status().is_redirection() {
                return Ok(Answer { response, base, logged_in: login.is_some() });
            }
            base = redirected(session, &base, &response)?;
        }
        Err(session.bad_answer(&"it redirects in circles"))
    }

    /// Sends a request body and returns the answer's head.
    fn post(&self, service: &str, body: Body) -> impl Future<Output = reqwest::Result<Response>> + use<> {
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
    fn accept_post(
        &self,
        session: &Session,
        service: &str,
        response: Response,
    ) -> Result<Response, GitError> {
        let status = response.status();
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
        self.attempts.push(Attempt { credential, status: status.as_u16() });
        if self.strongest.is_none_or(|known| rank(known) < rank(status)) {
            self.strongest = Some(status);
            self.server = error_text(session, answer.response);
        }
        Ok(())
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

/// Finds the repository, logs in, and reads what it has.
///
/// # Errors
/// Whatever keeps the server from answering.
pub(super) fn talk(session: &Arc<Session>, http: &Arc<Http>, service: Service) -> Result<Talk, GitError> {
    let stream = |state| HttpStream {
        session: Arc::clone(session),
        http: Arc::clone(http),
        service: service.word(),
        state,
    };
    let mut first = stream(State::Reading(http.advertise(session, service.word())?, Bytes::new()));
    let advertised = Advertised::read(&mut first).map_err(|error| session.explain(&error))?;
    // Read to its end, so that the connection serves the next request too.
    io::copy(&mut first, &mut io::sink()).map_err(|error| session.explain(&error))?;
    Ok(Talk { advertised, line: Line::Stream(Box::new(stream(State::Collecting(Vec::new())))) })
}

/// One request and its answer, as they are written and read.
pub(super) struct HttpStream {
    session: Arc<Session>,
    http: Arc<Http>,
    service: &'static str,
    state: State,
}

enum State {
    /// The request is small so far.
    Collecting(Vec<u8>),
    /// The request is on its way while it is being written.
    Streaming(Upload),
    /// The answer's head is here; the bytes wait to be read.
    Reading(Response, Bytes),
    /// An error was reported.
    Failed,
}

/// A request whose body is still being written.
struct Upload {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    answer: JoinHandle<reqwest::Result<Response>>,
}

impl Drop for Upload {
    /// An upload that is given up must not end as if it were complete.
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl HttpStream {
    fn write_piece(&mut self, bytes: &[u8]) -> Result<(), GitError> {
        match &mut self.state {
            State::Collecting(buffer) if buffer.len() + bytes.len() <= POST_BUFFER => {
                buffer.extend_from_slice(bytes);
                Ok(())
            }
            State::Collecting(buffer) => {
                let collected = Bytes::from(std::mem::take(buffer));
                let upload = self.start()?;
                self.state = State::Streaming(upload);
                self.send(collected)?;
                self.send(Bytes::copy_from_slice(bytes))
            }
            State::Streaming(_) => self.send(Bytes::copy_from_slice(bytes)),
            State::Reading(..) | State::Failed => Err(self.out_of_turn()),
        }
    }

    /// Starts a request whose body follows in pieces.
    fn start(&self) -> Result<Upload, GitError> {
        let (pieces, body) = mpsc::channel(PIECES_UNDER_WAY);
        let request = self.http.post(self.service, Body::wrap_stream(body));
        Ok(Upload { pieces, answer: handle()?.spawn(request) })
    }

    fn send(&mut self, piece: Bytes) -> Result<(), GitError> {
        let State::Streaming(upload) = &mut self.state else { return Err(self.out_of_turn()) };
        match wait(&self.session, "the server to take the pack", upload.pieces.send(Ok(piece)))? {
            Ok(()) => Ok(()),
            // The server stopped listening; its answer says why.
            Err(_closed) => {
                self.finish()?;
                Err(self.session.bad_answer(&"it answered before it had the whole pack"))
            }
        }
    }

    /// Ends the request and waits for the head of the answer.
    fn finish(&mut self) -> Result<(), GitError> {
        let waiting_for = "the server to answer";
        let answer = match std::mem::replace(&mut self.state, State::Failed) {
            State::Collecting(buffer) => {
                let request = self.http.post(self.service, Body::from(buffer));
                wait(&self.session, waiting_for, request)?
            }
            State::Streaming(mut upload) => {
                upload.pieces.close_channel();
                let answer = wait(&self.session, waiting_for, &mut upload.answer)?;
                answer.map_err(|error| self.session.bad_answer(&error))?
            }
            State::Reading(..) | State::Failed => return Err(self.out_of_turn()),
        };
        let response = answer.map_err(|error| network_error(&self.session, &error))?;
        let response = self.http.accept_post(&self.session, self.service, response)?;
        self.state = State::Reading(response, Bytes::new());
        Ok(())
    }

    fn read_piece(&mut self, buffer: &mut [u8]) -> Result<usize, GitError> {
        if !matches!(self.state, State::Reading(..)) {
            self.finish()?;
        }
        let State::Reading(response, waiting) = &mut self.state else { return Err(self.out_of_turn()) };
        if waiting.is_empty() {
            let chunk = wait(&self.session, "the server to send", response.chunk())?;
            *waiting = chunk.map_err(|error| network_error(&self.session, &error))?.unwrap_or_default();
        }
        let piece = waiting.split_to(waiting.len().min(buffer.len()));
        buffer.get_mut(..piece.len()).unwrap_or_default().copy_from_slice(&piece);
        Ok(piece.len())
    }

    fn out_of_turn(&self) -> GitError {
        GitError::Git { action: "speak to the remote", message: format!("{} out of turn", self.service) }
    }
}

impl Read for HttpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_piece(buffer).map_err(|error| self.session.leave(error))
    }
}

impl Write for HttpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.write_piece(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => Err(self.session.leave(error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
fn network_error(session: &Session, error: &reqwest::Error) -> GitError {
    let url = session.shown.clone();
    if let Some(message) = tls::certificate_error(error) {
        return GitError::Tls { url, message };
    }
    let message = tls::innermost(error);
    if error.is_timeout() {
        return session.timeout("a connection", session.remote.timeouts.connect.as_secs());
    }
    if error.is_decode() || error.is_body() {
        return GitError::BadAnswer { url, message };
    }
    GitError::Unreachable { url, message }
}
