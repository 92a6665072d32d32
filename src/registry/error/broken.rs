//! Failures below HTTP: which kind they are, and whether they may pass.

use std::error::Error as StdError;
use std::time::Duration;

use rustls::CertificateError;

use super::{CLIENT_REFUSED, CLOSED_AT_ONCE, ENDED_EARLY, RegistryError, Request, Waited};

/// A failure below HTTP, and whether trying again may help.
pub(in super::super) struct Broken {
    /// What it was.
    pub(in super::super) error: RegistryError,
    /// Whether it looks as if it would pass.
    pub(in super::super) transient: bool,
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

/// What is wrong with another's certificate.
const OTHER_NAME: &str = "it is for another name";

/// Sorts a failure of the HTTP library by its innermost cause; `after` is its bound of making a connection, the only one it
/// keeps for us.
pub(in super::super) fn broken(request: Request, error: &reqwest::Error, after: Duration) -> Broken {
    if error.is_timeout() {
        return RegistryError::Timeout { request, waited: Waited::Connection, after }.into();
    }
    match find::<rustls::Error>(error) {
        Some(rustls::Error::InvalidCertificate(what)) => {
            return RegistryError::TlsUntrusted {
                request,
                reason: format!("certificate not trusted: {}", flaw(what)),
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

/// What is wrong with a certificate.
fn flaw(what: &CertificateError) -> String {
    match what {
        CertificateError::UnknownIssuer => super::UNKNOWN_ISSUER.to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => super::EXPIRED.to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            super::NOT_VALID_YET.to_owned()
        }
        CertificateError::NotValidForName => OTHER_NAME.to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!(
                "{OTHER_NAME} ({})",
                presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ")
            )
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        other => other.to_string(),
    }
}

/// A name as the certificate has it: the library prints `DnsName("r.example.com")`.
fn bare(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

/// An answer that began and did not end as it should.
fn broken_body(request: Request, error: &reqwest::Error) -> Broken {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let lost = [UnexpectedEof, ConnectionReset, ConnectionAborted, BrokenPipe];
    let transient = find::<std::io::Error>(error).is_some_and(|error| lost.contains(&error.kind()));
    let what = if transient { ENDED_EARLY } else { "the answer cannot be unpacked" };
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
