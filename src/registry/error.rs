//! What can go wrong between us and a registry, told apart so that each kind has its own word, text and next step.

mod answer;
mod broken;

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::time::Duration;

use thiserror::Error;

pub use self::answer::Answer;
pub(super) use self::broken::{Broken, broken};
use super::keyring::ANONYMOUS;
use super::trial::{Outcome, Trial};
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

/// `METHOD URL`, with user info and unknown query values removed, and what else is to be known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    text: Box<str>,
    /// As whom it was asked, what had come before.
    notes: Vec<String>,
    /// The proxy that it went through, where one was given.
    proxy: Option<Box<str>>,
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
        Self { text: text.into().into_boxed_str(), notes: Vec::new(), proxy: None }
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
        matches!(self, Self::Denied { .. })
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
            request.proxy = Some(proxy.into());
            request.notes.push(format!("through the proxy {proxy}"));
        }
        self
    }

    /// The proxy of a failure that may be its own: it was not reached, or not let us through.
    fn proxy_at_fault(&self) -> Option<&str> {
        match self {
            Self::Unreachable { request, .. } | Self::Timeout { request, waited: Waited::Connection, .. } => {
                request.proxy.as_deref()
            }
            Self::Denied { request, answer, .. } | Self::Status { request, answer }
                if matches!(answer.status, 401 | 407) =>
            {
                request.proxy.as_deref()
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

    fn hint(&self) -> Option<String> {
        let Some(proxy) = self.proxy_at_fault() else { return self.own_hint() };
        let check = format!(
            "check the proxy {proxy}, its address and login: the secret that `proxySecretRef` names."
        );
        // Of a refusal nobody can tell whose it is.
        let own = self.own_hint().filter(|_| self.is_denied());
        Some(
            own.map_or_else(
                || format!("First {check}"),
                |own| format!("{own} If the proxy said it, {check}"),
            ),
        )
    }

    fn own_hint(&self) -> Option<String> {
        match self {
            Self::Denied { host, tried, answer, .. } => Some(denied_hint(host, tried, answer.status)),
            Self::NotFound { .. } => {
                Some("Check the name; many registries also say this of repositories they hide.".into())
            }
            Self::RateLimited { .. } => Some(match self.retry_after() {
                Some(wait) => format!("The registry asks to wait {wait} s; a login often raises the limit."),
                None => "Wait, or log in: a login often raises the limit.".into(),
            }),
            Self::TlsUntrusted { reason, .. } | Self::Unreachable { reason, .. }
                if reason.starts_with(CLIENT_REFUSED) || reason.ends_with(CLOSED_AT_ONCE) =>
            {
                Some(CLIENT_CERTIFICATE.into())
            }
            Self::TlsUntrusted { reason, .. } => Some(untrusted_hint(reason).into()),
            Self::Timeout { waited: Waited::End | Waited::FirstByte | Waited::NextByte, .. } => {
                Some("If it is only slow, give it longer: `timeout` of the repository, or --timeout.".into())
            }
            Self::Unreachable { reason, .. } if reason.contains("does not speak TLS") => Some(
                "If plain HTTP is meant, set `insecure: true` on the repository, or write http:// in its `endpoint`.".into(),
            ),
            Self::Unreachable { request, .. } if !request.notes.is_empty() => {
                Some("The registry was there a moment ago: scan again.".into())
            }
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                Some("Check the name of the registry and the way to it; `supercargo check` asks each.".into())
            }
            Self::Status { answer, .. } if answer.status >= 500 => Some(match self.retry_after() {
                Some(wait) => format!("The registry itself is in trouble; it asks to wait {wait} s."),
                None => "The registry itself is in trouble; scan again later.".into(),
            }),
            Self::Status { answer, .. } if answer.status == 400 && answer.names("HTTPS port") => {
                Some("The server speaks TLS: leave `insecure` out, or write https:// in its `endpoint`.".into())
            }
            Self::Status { answer, .. } if answer.status == 400 && answer.names("certificate") => {
                Some(CLIENT_CERTIFICATE.into())
            }
            Self::BadAnswer { .. } | Self::Status { .. } => {
                Some("Check that this is a registry, and that no proxy or login page answers for it.".into())
            }
            Self::Provider(_) => Some(
                "Set the provider that runs the registry: aws, azure, gcp, or generic for any other.".into(),
            ),
            Self::Authentication { named, .. } => Some(format!(
                "Controllers stop here too: put right the {named}, or name another in the repository."
            )),
            Self::Setup(_) => None,
        }
    }
}

/// What mends a certificate that is not trusted, by the reason.
fn untrusted_hint(reason: &str) -> &'static str {
    let hints = [
        (
            UNKNOWN_ISSUER,
            "Name the registry's certificate authority: `certSecretRef` of the repository, `ca` of the registry in the configuration, or --ca-file.",
        ),
        (
            EXPIRED,
            "Whoever runs the registry has to renew its certificate, if this machine's clock is right.",
        ),
        (
            NOT_VALID_YET,
            "Check this machine's clock; if it is right, the certificate was put in place too early.",
        ),
    ];
    let found = hints.iter().find(|(flaw, _)| reason.ends_with(flaw)).map(|(_, hint)| *hint);
    found.unwrap_or("Whoever runs the registry has to give it a certificate that is good for its name.")
}

fn denied_hint(host: &str, tried: &[Trial], status: u16) -> String {
    // Docker's command has a short form for its own registry, and takes no other name for it.
    let command =
        if host == "index.docker.io" { "docker login".to_owned() } else { format!("docker login {host}") };
    let (mut refused, mut empty) = (Vec::new(), Vec::new());
    let mut silent = String::new();
    for trial in tried {
        match &trial.outcome {
            Outcome::Refused(_) if trial.label != ANONYMOUS => refused.push(trial.label.as_str()),
            Outcome::Unavailable(reason) => silent = format!("{silent}{}: {reason}. ", trial.label),
            Outcome::Nothing => empty.push(trial.label.as_str()),
            Outcome::Refused(_) => {}
        }
    }
    match (refused.join(", "), status) {
        (none, _) if none.is_empty() && silent.is_empty() && !empty.is_empty() => {
            let empty = empty.join(", ");
            format!("{empty} has no login for {host}: give it one, or run `{command}`, then rescan.")
        }
        (none, _) if none.is_empty() && silent.is_empty() => {
            format!("No credential for {host} was found; run `{command}` or give a secretRef, then rescan.")
        }
        (none, _) if none.is_empty() => format!("{silent}Mend that, or run `{command}`, then rescan."),
        (tried, 403) => {
            format!("{silent}Tried {tried}: it may log in but not read this repository; ask for pull access.")
        }
        (tried, _) => {
            format!(
                "{silent}Tried {tried}: the login was refused; renew it, or run `{command}`, then rescan."
            )
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

    fn trial(label: &str, outcome: Outcome) -> Trial {
        Trial { label: label.to_owned(), who: None, outcome }
    }

    #[test]
    fn a_helper_that_failed_is_what_to_mend() {
        let tried = vec![
            trial(
                "docker config (helper x)",
                Outcome::Unavailable("docker-credential-x is not installed".into()),
            ),
            trial("anonymous", Outcome::Refused("401".into())),
        ];
        let hint = denied_hint("r", &tried, 401);
        let says = "docker config (helper x): docker-credential-x is not installed. Mend that, or run `docker login r`";
        assert!(hint.starts_with(says), "{hint}");
        let tried = vec![trial("provider aws (helper ecr-login)", Outcome::Nothing)];
        let says = "provider aws (helper ecr-login) has no login for r: give it one, or run `docker login r`, then rescan.";
        assert_eq!(denied_hint("r", &tried, 401), says);
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

    #[test]
    fn a_refusal_names_what_was_tried() {
        let denied = |status, tried: &[&str]| RegistryError::Denied {
            request: "GET https://r/v2/".into(),
            answer: Box::new(Answer::new(status, b"")),
            host: "r".into(),
            tried: tried.iter().map(|label| trial(label, Outcome::Refused("401".into()))).collect(),
        };
        let problem = denied(401, &["secret edge/legacy", "anonymous"]).problem("edge/legacy");
        assert_eq!(problem.code, Code::RegistryUnauthorized);
        assert!(problem.hint.unwrap_or_default().contains("secret edge/legacy"));
        assert_eq!(denied(403, &["docker config"]).code(), Code::RegistryForbidden);
        assert!(denied(401, &["anonymous"]).hint().unwrap_or_default().contains("No credential for r"));
    }
}
