//! The HTTP clients themselves: what they trust, and whether they go through the environment's proxy.

use std::sync::OnceLock;

use reqwest::Proxy;
use secrecy::ExposeSecret;
use url::Url;

use super::client::ClientOptions;
use super::error::RegistryError;
use super::transport::{self, Transport};
use crate::http::{Authority, Identity, Setup, Way, bundle, is_this_machine};

/// A pair of clients that trust the same authorities; each is made when it is first used.
#[derive(Debug)]
pub(super) struct Http {
    roots: Vec<Authority>,
    identity: Option<Identity>,
    /// The proxy that was given, and its address as it may be shown.
    proxy: Option<(Proxy, String)>,
    proxied: OnceLock<reqwest::Client>,
    direct: OnceLock<reqwest::Client>,
}

impl Http {
    /// Clients that trust the system's authorities, those in `ca`, which are in PEM, and those of `transport`, and go its
    /// way.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] if one of `ca` holds no certificate, or `transport` none that can be used.
    pub(super) fn new<'a>(
        ca: impl Iterator<Item = &'a Vec<u8>>,
        transport: &Transport,
    ) -> Result<Self, RegistryError> {
        let mut roots = Vec::new();
        for pem in ca {
            roots.extend(certificates(pem, "a CA file holds no certificate in PEM")?);
        }
        if let Some(ca) = &transport.ca {
            roots.extend(certificates(ca.expose_secret().as_bytes(), "failed to parse CA certificate")?);
        }
        let identity =
            transport.identity.as_ref().map(|pem| Identity::from_pem(pem.expose_secret().as_bytes()));
        // The library's words could hold a part of the key.
        let unusable = |_withheld: String| {
            RegistryError::Setup("failed to parse TLS certificate and key: they are no pair".to_owned())
        };
        let identity = identity.transpose().map_err(unusable)?;
        let shown = |address: &Url| {
            let port = address.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}", address.scheme(), address.host_str().unwrap_or_default())
        };
        let named = |given: &transport::Proxy| proxy(given).map(|made| (made, shown(&given.address)));
        let proxy = transport.proxy.as_ref().map(named).transpose()?;
        Ok(Self { roots, identity, proxy, proxied: OnceLock::new(), direct: OnceLock::new() })
    }

    /// The client for requests to `url`: by the proxy that was given; else directly to this machine, whatever the
    /// environment says of proxies.
    ///
    /// Source: golang/go:src/vendor/golang.org/x/net/http/httpproxy/proxy.go (useProxy).
    pub(super) fn client(
        &self,
        options: &ClientOptions,
        url: &Url,
    ) -> Result<&reqwest::Client, RegistryError> {
        let direct = is_this_machine(url);
        let place = if direct { &self.direct } else { &self.proxied };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        // This machine may be asked by plain HTTP.
        let client = self.build(options, direct, !direct && url.scheme() == "https")?;
        Ok(place.get_or_init(|| client))
    }

    /// The address of the proxy that was given, without its login; one of the environment is not known here.
    pub(super) fn proxy(&self) -> Option<&str> {
        self.proxy.as_ref().map(|(_, address)| address.as_str())
    }

    fn build(
        &self,
        options: &ClientOptions,
        direct: bool,
        secure: bool,
    ) -> Result<reqwest::Client, RegistryError> {
        let setup = Setup {
            user_agent: &options.user_agent,
            connect_timeout: options.connect_timeout,
            authorities: &self.roots,
            identity: self.identity.as_ref(),
            idle_per_host: Some(options.per_host),
            way: match &self.proxy {
                Some((proxy, _)) => Way::Proxy(proxy),
                None if direct => Way::Direct,
                None => Way::Environment,
            },
            secure,
        };
        setup
            .client()
            .map_err(|error| RegistryError::Setup(format!("the HTTP client could not be set up: {error}")))
    }
}

/// Whether a file holds a certificate in PEM.
pub fn holds_certificate(pem: &[u8]) -> bool {
    certificates(pem, "").is_ok()
}

/// All certificates of a bundle; none is an error, in the words of `none`.
fn certificates(pem: &[u8], none: &str) -> Result<Vec<Authority>, RegistryError> {
    bundle("", pem).map_err(|_of_no_origin| RegistryError::Setup(none.to_owned()))
}

fn proxy(proxy: &transport::Proxy) -> Result<Proxy, RegistryError> {
    // The library's words could hold the address's password.
    let unusable =
        |_withheld: reqwest::Error| RegistryError::Setup("the proxy's address cannot be used".to_owned());
    let made = Proxy::all(proxy.address.clone()).map_err(unusable)?;
    Ok(match &proxy.login {
        Some((username, password)) => made.basic_auth(username, password.expose_secret()),
        None => made,
    })
}
