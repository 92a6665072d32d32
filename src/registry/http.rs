//! The HTTP clients themselves: what they trust, and whether they go through the environment's proxy.

use std::sync::OnceLock;

use reqwest::Certificate;
use url::Url;

use super::client::ClientOptions;
use super::error::RegistryError;
use super::wire_text;

/// A pair of clients that trust the same authorities. Each is made when it is first used: reading the system's
/// certificates takes longer than drawing the first frame may.
#[derive(Debug)]
pub(super) struct Http {
    roots: Vec<Certificate>,
    proxied: OnceLock<reqwest::Client>,
    direct: OnceLock<reqwest::Client>,
}

impl Http {
    /// Clients that trust the system's authorities and those in `ca`, which are in PEM.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] if one of `ca` holds no certificate.
    pub(super) fn new<'a>(ca: impl Iterator<Item = &'a Vec<u8>>) -> Result<Self, RegistryError> {
        let mut roots = Vec::new();
        for pem in ca {
            let found = Certificate::from_pem_bundle(pem).ok().filter(|found| !found.is_empty());
            let none = || RegistryError::Setup("a CA file holds no certificate in PEM".to_owned());
            roots.extend(found.ok_or_else(none)?);
        }
        Ok(Self { roots, proxied: OnceLock::new(), direct: OnceLock::new() })
    }

    /// The client for requests to `url`: directly to this machine, whatever the environment says of proxies.
    ///
    /// Source: golang/go:src/vendor/golang.org/x/net/http/httpproxy/proxy.go (useProxy).
    pub(super) fn client(
        &self,
        options: &ClientOptions,
        url: &Url,
    ) -> Result<&reqwest::Client, RegistryError> {
        let direct = wire_text::is_this_machine(url);
        let place = if direct { &self.direct } else { &self.proxied };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = self.build(options, direct)?;
        Ok(place.get_or_init(|| client))
    }

    fn build(&self, options: &ClientOptions, direct: bool) -> Result<reqwest::Client, RegistryError> {
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(&options.user_agent)
                .connect_timeout(options.connect_timeout)
                .read_timeout(options.read_timeout)
                .pool_max_idle_per_host(options.per_host)
                // We follow redirects ourselves: the login must not go along.
                .redirect(reqwest::redirect::Policy::none());
            if direct { builder.no_proxy() } else { builder }
        };
        builder()
            .tls_certs_merge(self.roots.iter().cloned())
            .build()
            // A machine without any root certificates: plain HTTP and our own authorities still work.
            .or_else(|_no_roots| builder().tls_certs_only(self.roots.iter().cloned()).build())
            .map_err(|error| RegistryError::Setup(format!("the HTTP client could not be set up: {error}")))
    }
}
