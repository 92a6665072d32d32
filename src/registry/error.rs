//! What can go wrong between us and a registry, told apart so that each kind has its own word, text and next step.

mod answer;
mod broken;
mod hint;

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::time::Duration;

use thiserror::Error;

pub use self::answer::Answer;
pub(super) use self::broken::{Broken, broken};
use super::trial::Trial;
use crate::problem::{Code, Problem};
use crate::text::count;

/// What the server means that ends TLS over our certificate.
const CLIENT_REFUSED: &str = "the server wants a client certificate that it trusts";
/// What an authority that is not known means.
const UNKNOWN_ISSUER: &str = "no authority that we trust has signed it";
/// What it means that a certificate's time is over, or not come.
const EXPIRED: &str = "it has expired";
const NOT_VALID_YET: &str = "it is not valid yet";
/// How a registry is given the certificate that it wants to see.
const CLIENT_CERTIFICATE: &str =
    "Give it with the repository's `certSecretRef`: a secret with `tls.crt` and `tls.key`.";
/// What may be behind a connection that ends at once: the alert can come too late for us to hear it.
const CLOSED_AT_ONCE: &str = "before any answer; the server may want a client certificate";

/// An answer that broke off, which may come whole the next time.
const ENDED_EARLY: &str = "the answer ended early";

/// `METHOD URL`, with user info and unknown query values removed, and what else is to be known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    text: Box<str>,
    /// As whom it was asked, what had come before.
    notes: Vec<String>,
    /// What else is to be known of how it went; apart, as few need it and errors are to be small.
    course: Option<Box<Course>>,
}

/// How a request went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Course {
    /// The proxy that it went through, where one was given.
    proxy: Option<Box<str>>,
    /// Whether whoever answered had seen our login.
    shown: Shown,
}

impl Request {
    fn course(&mut self) -> &mut Course {
        self.course.get_or_insert_default()
    }

    fn proxy(&self) -> Option<&str> {
        self.course.as_ref()?.proxy.as_deref()
    }

    fn shown(&self) -> &Shown {
        self.course.as_ref().map_or(&Shown::Login, |course| &course.shown)
    }
}

/// Whether whoever answered had seen our login, if there was any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Shown {
    /// They had.
    #[default]
    Login,
    /// Nobody was shown one yet: it was the first question to the registry.
    Nothing,
    /// The registry led to this other server, where our login is not shown.
    Elsewhere(Box<str>),
}

impl Deref for Request {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<T: Into<String>> From<T> for Request {
    fn from(text: T) -> Self {
        Self { text: text.into().into_boxed_str(), notes: Vec::new(), course: None }
    }
}

/// What was waited for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// A connection.
    Connection,
    /// The beginning of an answer.
    FirstByte,
    /// More of an answer that had begun.
    NextByte,
    /// The end of the whole conversation.
    End,
}

impl Waited {
    fn words(self) -> &'static str {
        match self {
            Self::Connection => "no connection",
            Self::FirstByte => "no answer",
            Self::NextByte => "no more of the answer",
            Self::End => "no complete answer",
        }
    }
}

/// Why tags could not be listed or a digest not be read.
///
/// `request` is always `METHOD URL`, with user info and unknown query values removed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// No connection, or one that broke.
    #[error("{request}: {reason}")]
    Unreachable {
        /// `METHOD URL`.
        request: Request,
        /// The innermost cause.
        reason: String,
    },
    /// Time ran out.
    #[error("{request}: {} within {} s", .waited.words(), .after.as_secs_f32())]
    Timeout {
        /// `METHOD URL`.
        request: Request,
        /// What was waited for.
        waited: Waited,
        /// The bound that was hit.
        after: Duration,
    },
    /// A certificate that nobody we trust has signed, or for another name or date; or ours, which the server does not
    /// trust.
    #[error("{request}: {reason}")]
    TlsUntrusted {
        /// `METHOD URL`.
        request: Request,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// HTTP 401 or 403, from the registry or from its token service.
    #[error("{request}: {answer}")]
    Denied {
        /// `METHOD URL`.
        request: Request,
        /// What the server said.
        answer: Box<Answer>,
        /// The registry that was asked.
        host: String,
        /// The credentials that were tried, in their order; the last may be `anonymous`.
        tried: Vec<Trial>,
    },
    /// HTTP 404 for the repository or tag.
    #[error("{request}: {answer}")]
    NotFound {
        /// `METHOD URL`.
        request: Request,
        /// What the server said.
        answer: Box<Answer>,
    },
    /// HTTP 429, after the attempts that we make.
    #[error("{request}: {answer}")]
    RateLimited {
        /// `METHOD URL`.
        request: Request,
        /// What the server said.
        answer: Box<Answer>,
    },
    /// Any other status that is not success.
    #[error("{request}: {answer}")]
    Status {
        /// `METHOD URL`.
        request: Request,
        /// What the server said.
        answer: Box<Answer>,
    },
    /// Success, and an answer that makes no sense: HTML, truncated, endless, a page that leads elsewhere or in a ring.
    #[error("{request}: {reason}")]
    BadAnswer {
        /// `METHOD URL`.
        request: Request,
        /// What is wrong with it.
        reason: String,
    },
    /// Our own settings do not make a client: a CA file without certificates, a proxy without an address.
    #[error("{0}")]
    Setup(String),
    /// What the repository names to log in with, or for the way, is missing or broken: Flux asks nobody then.
    #[error("failed to configure authentication options: {reason}")]
    Authentication {
        /// What is wrong, as Flux says it.
        reason: String,
        /// What has to be put right, such as `secret edge/pull`.
        named: String,
    },
    /// The `provider` of the repository does not go with its image.
    #[error("{0}")]
    Provider(String),
}

impl RegistryError {
    /// The word that scripts see.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::Unreachable,
            Self::Timeout { .. } => Code::Timeout,
            Self::TlsUntrusted { .. } => Code::TlsUntrusted,
            Self::Denied { answer, .. } if answer.status == 403 => Code::RegistryForbidden,
            Self::Denied { .. } => Code::RegistryUnauthorized,
            Self::NotFound { .. } => Code::RegistryNotFound,
            Self::RateLimited { .. } => Code::RateLimited,
            // The server, or the gateway before it, says that it is not there at the moment.
            Self::Status { answer, .. } if matches!(answer.status, 408 | 502..=504 | 522) => {
                Code::Unreachable
            }
            Self::Status { .. } | Self::BadAnswer { .. } => Code::BadAnswer,
            Self::Setup(_) => Code::Config,
            Self::Provider(_) => Code::ImageInvalid,
            Self::Authentication { .. } => Code::Authentication,
        }
    }

    /// The problem about `subject`, with the next step where there is one.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        let mut problem = Problem::new(self.code(), subject, self.to_string()).in_flux(self.flux_text());
        problem.retry_after = self.retry_after();
        let mut own = self.clone();
        problem.causes.extend(own.request_mut().into_iter().flat_map(|request| request.notes.drain(..)));
        match self.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }

    /// After how many seconds the server wishes to be asked again, if it is in trouble or asked too much.
    fn retry_after(&self) -> Option<NonZeroU32> {
        let (Self::RateLimited { answer, .. } | Self::Status { answer, .. }) = self else { return None };
        let seconds = answer.retry_after?.as_millis().div_ceil(1000);
        NonZeroU32::new(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    fn request_mut(&mut self) -> Option<&mut Request> {
        match self {
            Self::Unreachable { request, .. }
            | Self::Timeout { request, .. }
            | Self::TlsUntrusted { request, .. }
            | Self::Denied { request, .. }
            | Self::NotFound { request, .. }
            | Self::RateLimited { request, .. }
            | Self::Status { request, .. }
            | Self::BadAnswer { request, .. } => Some(request),
            Self::Setup(_) | Self::Provider(_) | Self::Authentication { .. } => None,
        }
    }

    /// The same error in the words of Flux's registry library, for the status texts of objects.
    ///
    /// Source: google/go-containerregistry:pkg/v1/remote/transport/error.go.
    pub fn flux_text(&self) -> String {
        match self {
            Self::Denied { request, answer, .. }
            | Self::NotFound { request, answer }
            | Self::RateLimited { request, answer }
            | Self::Status { request, answer } => {
                format!("{request}: {}", answer.flux_text(request.starts_with("HEAD")))
            }
            Self::Timeout { request, .. } => format!("{request}: context deadline exceeded"),
            Self::Authentication { reason, .. } => reason.clone(),
            other => other.to_string(),
        }
    }

    /// Whether another credential might do better.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { request, .. } if *request.shown() != Shown::Nothing)
    }

    /// The same failure, of a question that no login went along with.
    pub(super) fn unasked(mut self) -> Self {
        if let Some(request) = self.request_mut() {
            request.course().shown = Shown::Nothing;
        }
        self
    }

    /// The same failure, said by another server that the registry led to; `None`: by itself.
    pub(super) fn said_by(mut self, other: Option<String>) -> Self {
        if let (Some(request), Some(other)) = (self.request_mut(), other) {
            request.notes.push(format!("answered by {other}, where the registry led to"));
            request.course().shown = Shown::Elsewhere(other.into());
        }
        self
    }

    /// The other server that said so, if the registry led to one.
    pub(super) fn elsewhere(&self) -> Option<&str> {
        let Self::Denied { request, .. } = self else { return None };
        match request.shown() {
            Shown::Elsewhere(other) => Some(other),
            Shown::Login | Shown::Nothing => None,
        }
    }

    /// The same refusal, naming the credentials that were tried.
    pub(super) fn tried(mut self, trials: Vec<Trial>) -> Self {
        if let Self::Denied { tried, .. } = &mut self {
            *tried = trials;
        }
        self
    }

    /// The same failure, saying as whom was asked, where the answer may depend on that.
    pub(super) fn asked_as(mut self, whom: &str) -> Self {
        let depends = matches!(
            self,
            Self::NotFound { .. } | Self::RateLimited { .. } | Self::Status { .. } | Self::BadAnswer { .. }
        );
        if let Some(request) = self.request_mut().filter(|_| depends) {
            request.notes.push(format!("asked as {whom}"));
        }
        self
    }

    /// The same failure, saying which proxy was between.
    pub(super) fn through(mut self, proxy: Option<&str>) -> Self {
        if let (Some(request), Some(proxy)) = (self.request_mut(), proxy) {
            request.course().proxy = Some(proxy.into());
            request.notes.push(format!("through the proxy {proxy}"));
        }
        self
    }

    /// The proxy of a failure that may be its own: it was not reached, or not let us through.
    fn proxy_at_fault(&self) -> Option<&str> {
        match self {
            Self::Unreachable { request, .. } | Self::Timeout { request, waited: Waited::Connection, .. } => {
                request.proxy()
            }
            Self::Denied { request, answer, .. } | Self::Status { request, answer }
                if matches!(answer.status, 401 | 407) =>
            {
                request.proxy()
            }
            _ => None,
        }
    }

    /// The same failure, saying what of a list had come.
    pub(super) fn incomplete(mut self, pages: u32, tags: usize) -> Self {
        if let Some(request) = self.request_mut() {
            let (pages, tags) = (count(pages as usize, "page"), count(tags, "tag"));
            request
                .notes
                .push(format!("{pages} with {tags} had come; a list that is not complete is not used"));
        }
        self
    }

    /// What the server said of a credential.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Denied { answer, .. } => answer.to_string(),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_error_document_becomes_its_code_and_message() {
        let body = br#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry","detail":{"name":"a"}}]}"#;
        let answer = Answer::new(404, body);
        assert_eq!(
            answer.to_string(),
            r#"404 Not Found: NAME_UNKNOWN: repository name not known to registry; {"name":"a"}"#
        );
        assert!(answer.flux_text(false).starts_with("NAME_UNKNOWN: repository"));
    }

    #[test]
    fn a_page_for_people_is_named_and_not_shown() {
        assert_eq!(Answer::new(502, b"<html>x</html>").to_string(), "502 Bad Gateway (an HTML page)");
        let titled = Answer::new(400, b"<html>\n<head><title> No certificate </title></head>");
        assert_eq!(titled.to_string(), "400 Bad Request (an HTML page: No certificate)");
        assert_eq!(
            Answer::new(500, b"").flux_text(false),
            "unexpected status code 500 Internal Server Error"
        );
    }

    #[test]
    fn a_failure_that_depends_on_who_asks_says_as_whom() {
        let answer = || Box::new(Answer::new(404, b""));
        let error = RegistryError::NotFound { request: "GET https://r/v2/a".into(), answer: answer() };
        let problem = error.clone().asked_as("docker config as rita").problem("x");
        assert_eq!(problem.causes, ["asked as docker config as rita"]);
        assert_eq!(problem.message, error.to_string());
    }

    #[test]
    fn what_the_server_wishes_to_wait_is_in_the_hint_and_goes_on_with_the_problem() {
        let answer = |status, wish| {
            Box::new(Answer::new(status, b"").asking_to_wait(Some(Duration::from_millis(wish))))
        };
        let request = || Request::from("GET https://r/v2/a");
        let limited = RegistryError::RateLimited { request: request(), answer: answer(429, 599_001) };
        let down = RegistryError::Status { request: request(), answer: answer(503, 120_000) };
        for (error, seconds) in [(limited, 600), (down, 120)] {
            let problem = error.problem("x");
            assert_eq!(problem.retry_after.map(NonZeroU32::get), Some(seconds));
            assert!(problem.hint.unwrap_or_default().contains(&format!("asks to wait {seconds} s")));
        }
        let at_once = RegistryError::Status { request: request(), answer: answer(503, 0) };
        assert_eq!(at_once.problem("x").retry_after, None, "no wait is no wish");
    }
}
