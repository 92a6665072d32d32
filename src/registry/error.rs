//! What can go wrong between us and a registry, told apart so that each kind has its own word, text and next step.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use super::keyring::ANONYMOUS;
use crate::problem::{Code, Problem};

/// What the server means that ends TLS over our certificate.
const CLIENT_REFUSED: &str = "the server wants a client certificate that it trusts";
/// What may be behind a connection that ends at once: the alert can come too late for us to hear it.
const CLOSED_AT_ONCE: &str = "before any answer; the server may want a client certificate";
/// How much of a body that is no registry error is shown, in bytes.
const SHOWN_BODY: usize = 200;

/// Why tags could not be listed or a digest not be read.
///
/// `request` is always `METHOD URL`, with user info and unknown query values removed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// No connection, or one that broke.
    #[error("{request}: {reason}")]
    Unreachable {
        /// `METHOD URL`.
        request: String,
        /// The innermost cause.
        reason: String,
    },
    /// The time of the scan ran out.
    #[error("{request}: no complete answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// `METHOD URL`.
        request: String,
        /// The bound that was hit.
        after: Duration,
    },
    /// A certificate that nobody we trust has signed, or for another name or date; or ours, which the server does not
    /// trust.
    #[error("{request}: {reason}")]
    TlsUntrusted {
        /// `METHOD URL`.
        request: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// HTTP 401 or 403, from the registry or from its token service.
    #[error("{request}: {answer}")]
    Denied {
        /// `METHOD URL`.
        request: String,
        /// What the server said.
        answer: Box<Answer>,
        /// The registry that was asked.
        host: String,
        /// The labels of the credentials that were tried, in their order; the last may be `anonymous`.
        tried: Vec<String>,
    },
    /// HTTP 404 for the repository or tag.
    #[error("{request}: {answer}")]
    NotFound {
        /// `METHOD URL`.
        request: String,
        /// What the server said.
        answer: Box<Answer>,
    },
    /// HTTP 429, after the attempts that we make.
    #[error("{request}: {answer}")]
    RateLimited {
        /// `METHOD URL`.
        request: String,
        /// What the server said.
        answer: Box<Answer>,
        /// How long the server asked us to wait.
        retry_after: Option<Duration>,
    },
    /// Any other status that is not success.
    #[error("{request}: {answer}")]
    Status {
        /// `METHOD URL`.
        request: String,
        /// What the server said.
        answer: Box<Answer>,
    },
    /// Success, and an answer that makes no sense: HTML, truncated, endless, a page that leads elsewhere or in a ring.
    #[error("{request}: {reason}")]
    BadAnswer {
        /// `METHOD URL`.
        request: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Our own settings do not make a client: a CA file without certificates, a proxy without an address.
    #[error("{0}")]
    Setup(String),
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
        }
    }

    /// The problem about `subject`, with the next step where there is one.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        let problem = Problem::new(self.code(), subject, self.to_string()).in_flux(self.flux_text());
        match self.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }

    /// The same error in the words of Flux's registry library, for the status texts of objects.
    ///
    /// Source: google/go-containerregistry:pkg/v1/remote/transport/error.go.
    pub fn flux_text(&self) -> String {
        match self {
            Self::Denied { request, answer, .. }
            | Self::NotFound { request, answer }
            | Self::RateLimited { request, answer, .. }
            | Self::Status { request, answer } => {
                format!("{request}: {}", answer.flux_text(request.starts_with("HEAD")))
            }
            Self::Timeout { request, .. } => format!("{request}: context deadline exceeded"),
            other => other.to_string(),
        }
    }

    /// Whether another credential might do better.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// The same refusal, naming the credentials that were tried.
    pub(super) fn tried(mut self, labels: Vec<String>) -> Self {
        if let Self::Denied { tried, .. } = &mut self {
            *tried = labels;
        }
        self
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { host, tried, answer, .. } => Some(denied_hint(host, tried, answer.status)),
            Self::NotFound { .. } => {
                Some("Check the name; many registries also say this of repositories they hide.".into())
            }
            Self::RateLimited { retry_after: Some(wait), .. } => Some(format!(
                "The registry asks to wait {} s; a login often raises the limit.",
                wait.as_secs()
            )),
            Self::RateLimited { .. } => Some("Wait, or log in: a login often raises the limit.".into()),
            Self::TlsUntrusted { reason, .. } | Self::Unreachable { reason, .. }
                if reason.starts_with(CLIENT_REFUSED) || reason.ends_with(CLOSED_AT_ONCE) =>
            {
                Some(
                    "Give it with the repository's `certSecretRef`: a secret with `tls.crt` and `tls.key`."
                        .into(),
                )
            }
            Self::TlsUntrusted { .. } => {
                Some("Name the registry's certificate authority with --ca-file.".into())
            }
            Self::Timeout { .. } => {
                Some("If it is only slow, give it longer: `timeout` of the repository, or --timeout.".into())
            }
            Self::Unreachable { reason, .. } if reason.contains("does not speak TLS") => {
                Some("If plain HTTP is meant, set `insecure: true` on the repository.".into())
            }
            Self::Unreachable { .. } => {
                Some("Check the name of the registry and the way to it; `supercargo check` asks each.".into())
            }
            Self::Status { answer, .. } if answer.status >= 500 => {
                Some("The registry itself is in trouble; scan again later.".into())
            }
            Self::BadAnswer { .. } => {
                Some("Check that this is a registry, and that no proxy or login page answers for it.".into())
            }
            _ => None,
        }
    }
}

fn denied_hint(host: &str, tried: &[String], status: u16) -> String {
    // Docker's command has a short form for its own registry, and takes no other name for it.
    let command =
        if host == "index.docker.io" { "docker login".to_owned() } else { format!("docker login {host}") };
    let tried: Vec<&str> = tried.iter().map(String::as_str).filter(|label| *label != ANONYMOUS).collect();
    match (tried.join(", "), status) {
        (none, _) if none.is_empty() => {
            format!("No credential for {host} was found; run `{command}` or give a secretRef, then rescan.")
        }
        (tried, 403) => {
            format!("Tried {tried}: it may log in but not read this repository; ask for pull access.")
        }
        (tried, _) => {
            format!("Tried {tried}: the login was refused; renew it, or run `{command}`, then rescan.")
        }
    }
}

/// An answer that is not success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Code and message of each registry error in the body, `CODE: message; detail`.
    pub errors: Vec<String>,
    /// The body, if it is no registry error; at most 64 KiB.
    pub body: String,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    detail: serde_json::Value,
}

impl Answer {
    /// Reads a body as the distribution API's error document, or keeps it as text.
    ///
    /// Source: opencontainers/distribution-spec:spec.md, "Error Codes".
    pub(super) fn new(status: u16, body: &[u8]) -> Self {
        let errors: Vec<String> = serde_json::from_slice::<Errors>(body)
            .map(|found| found.errors.iter().map(OneError::text).collect())
            .unwrap_or_default();
        let body =
            if errors.is_empty() { String::from_utf8_lossy(body).trim().to_owned() } else { String::new() };
        Self { status, errors, body }
    }

    fn reason(&self) -> &'static str {
        reqwest::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("")
    }

    fn flux_text(&self, head: bool) -> String {
        let status = format!("unexpected status code {} {}", self.status, self.reason());
        match self.errors.as_slice() {
            [] if head => format!("{status} (HEAD responses have no body, use GET for details)"),
            [] if self.body.is_empty() => status,
            [] => format!("{status}: {}", self.body),
            [one] => one.clone(),
            several => format!("multiple errors returned: {}", several.join("; ")),
        }
    }
}

impl OneError {
    fn text(&self) -> String {
        let head = format!("{}: {}", self.code, self.message);
        match &self.detail {
            serde_json::Value::Null => head,
            serde_json::Value::String(detail) if detail.is_empty() => head,
            serde_json::Value::String(detail) => format!("{head}; {detail}"),
            detail => format!("{head}; {detail}"),
        }
    }
}

impl fmt::Display for Answer {
    /// `401 Unauthorized: UNAUTHORIZED: authentication required`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason())?;
        if !self.errors.is_empty() {
            return write!(f, ": {}", self.errors.join("; "));
        }
        match self.body.lines().next() {
            None => Ok(()),
            Some(line) if line.starts_with('<') => f.write_str(" (an HTML page)"),
            Some(line) => {
                let end = line.floor_char_boundary(SHOWN_BODY);
                write!(f, ": {}", line.get(..end).unwrap_or_default())
            }
        }
    }
}

/// A failure below HTTP, and whether trying again may help.
pub(super) struct Broken {
    /// What it was.
    pub(super) error: RegistryError,
    /// Whether it looks as if it would pass.
    pub(super) transient: bool,
}

impl From<RegistryError> for Broken {
    fn from(error: RegistryError) -> Self {
        Self { error, transient: false }
    }
}

/// The alerts that say that our certificate is missing or not trusted, as they are printed: the HTTP library passes on no more.
const ABOUT_US: &[&str] = &[
    "AccessDenied",
    "BadCertificate",
    "CertificateExpired",
    "CertificateRequired",
    "CertificateRevoked",
    "CertificateUnknown",
    "UnknownCA",
    "UnsupportedCertificate",
];

/// Sorts a failure of the HTTP library by its innermost cause.
pub(super) fn broken(request: &str, error: &reqwest::Error, after: Duration) -> Broken {
    let request = request.to_owned();
    if error.is_timeout() {
        return RegistryError::Timeout { request, after }.into();
    }
    match find::<rustls::Error>(error) {
        Some(rustls::Error::InvalidCertificate(what)) => {
            return RegistryError::TlsUntrusted {
                request,
                reason: format!("certificate not trusted: {what}"),
            }
            .into();
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            let reason = "the server does not speak TLS".to_owned();
            return RegistryError::Unreachable { request, reason }.into();
        }
        _ => {}
    }
    if error.is_decode() || error.is_body() {
        return broken_body(request, error);
    }
    let mut reason = innermost(error);
    let alert = reason.strip_prefix("received fatal alert: ");
    if let Some(alert) = alert.filter(|alert| ABOUT_US.contains(alert)) {
        let reason = format!("{CLIENT_REFUSED} (TLS alert {alert})");
        return RegistryError::TlsUntrusted { request, reason }.into();
    }
    // The alert of TLS 1.3 comes after the handshake and may end the first request before the HTTP library has it to tell;
    // what it tells instead depends on who is quicker.
    if request.contains(" https:") && request.ends_with("/v2/") && !error.is_connect() {
        reason = format!("{reason} {CLOSED_AT_ONCE}");
    }
    Broken { error: RegistryError::Unreachable { request, reason }, transient: !error.is_connect() }
}

/// An answer that began and did not end as it should.
fn broken_body(request: String, error: &reqwest::Error) -> Broken {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let lost = [UnexpectedEof, ConnectionReset, ConnectionAborted, BrokenPipe];
    let transient = find::<std::io::Error>(error).is_some_and(|error| lost.contains(&error.kind()));
    let what = if transient { "the answer ended early" } else { "the answer cannot be unpacked" };
    let reason = format!("{what}: {}", innermost(error));
    Broken { error: RegistryError::BadAnswer { request, reason }, transient }
}

/// The first cause of that type.
fn find<E: StdError + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // An io::Error hides the error it was made of from `source`, and they come nested.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn innermost(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = error.to_string();
        next = error.source();
    }
    // "Connection refused (os error 111)": the number helps nobody.
    let text = text.split(" (os error").next().unwrap_or(&text);
    match text.strip_prefix("Connection") {
        Some(rest) => format!("connection{rest}"),
        None => text.to_owned(),
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
        assert_eq!(
            Answer::new(500, b"").flux_text(false),
            "unexpected status code 500 Internal Server Error"
        );
    }

    #[test]
    fn a_refusal_names_what_was_tried() {
        let denied = |status, tried: &[&str]| RegistryError::Denied {
            request: "GET https://r/v2/".into(),
            answer: Box::new(Answer::new(status, b"")),
            host: "r".into(),
            tried: tried.iter().map(|label| (*label).to_owned()).collect(),
        };
        let problem = denied(401, &["secret edge/legacy", "anonymous"]).problem("edge/legacy");
        assert_eq!(problem.code, Code::RegistryUnauthorized);
        assert!(problem.hint.unwrap_or_default().contains("secret edge/legacy"));
        assert_eq!(denied(403, &["docker config"]).code(), Code::RegistryForbidden);
        assert!(denied(401, &["anonymous"]).hint().unwrap_or_default().contains("No credential for r"));
    }
}
