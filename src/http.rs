//! What the program's HTTP clients are made of, and how their failures are read: one place for registries, Git and forges.
//!
//! No client here follows a redirect by itself: whoever asks decides whether a login goes along.

mod tls;

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use url::{Host, Url};

pub(crate) use tls::{Authority, Identity};

/// Makes *ring* the process's TLS provider, unless one is installed; whoever makes a client runs it first.
pub(crate) fn install_tls_provider() {
    // The error is the provider that is there already, which is what we want.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}

/// By which way a server is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way<'a> {
    /// By the environment's proxy, if it names one for the host.
    Environment,
    /// Without any.
    Direct,
    /// By this one.
    Proxy(&'a Proxy),
}

/// A client to be made.
pub(crate) struct Setup<'a> {
    /// What we call ourselves.
    pub(crate) user_agent: &'a str,
    /// Bound of making a connection.
    pub(crate) connect_timeout: Duration,
    /// Trusted beside the system's.
    pub(crate) authorities: &'a [Authority],
    /// The certificate that says who we are.
    pub(crate) identity: Option<&'a Identity>,
    /// How many connections to one host are kept for later; `None`: all.
    pub(crate) idle_per_host: Option<usize>,
    /// By which way.
    pub(crate) way: Way<'a>,
    /// Whether a server with a certificate will be asked, and not only may be.
    pub(crate) secure: bool,
}

impl Setup<'_> {
    /// Makes the client.
    ///
    /// # Errors
    /// A sentence: which certificate or setting cannot be used.
    pub(crate) fn client(&self) -> Result<Client, String> {
        install_tls_provider();
        let tls = tls::config(self.authorities, self.identity, self.secure);
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.map_err(|error| error.to_string())?)
            .user_agent(self.user_agent)
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(self.idle_per_host.unwrap_or(usize::MAX))
            .redirect(Policy::none());
        let builder = match self.way {
            Way::Environment => builder,
            Way::Direct => builder.no_proxy(),
            Way::Proxy(proxy) => builder.no_proxy().proxy(proxy.clone()),
        };
        builder.build().map_err(|error| innermost(&error))
    }
}

/// All certificates of a bundle in PEM; none is an error, which names `origin`.
///
/// # Errors
/// A sentence: what is wrong with the bundle.
pub(crate) fn bundle(origin: &str, pem: &[u8]) -> Result<Vec<Authority>, String> {
    match tls::authorities(pem) {
        Ok(found) if found.is_empty() => Err(format!("{origin} holds no certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("{origin}: {error}")),
    }
}

/// All errors below this one, the outermost first.
///
/// What stands inside an I/O error is not its source but hidden in it, and that is where TLS puts its reasons.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| below(*error))
}

fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(hidden) => Some(hidden),
        None => error.source(),
    }
}

/// The words of the innermost error; the outer ones only repeat the address.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// What is wrong with the server's certificate; `None` if that is not the trouble.
pub(crate) fn certificate_error(error: &(dyn Error + 'static)) -> Option<String> {
    let found = chain(error).find_map(|error| error.downcast_ref::<rustls::Error>())?;
    Some(match found {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
            "signed by an unknown authority".to_owned()
        }
        rustls::Error::InvalidCertificate(reason) => reason.to_string(),
        other => other.to_string(),
    })
}

/// Whether a host is this machine, by a name or an address that always says so.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
