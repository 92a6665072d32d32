//! By which way a registry is reached: whom to trust there, the certificate that says who we are, the proxy between.
//!
//! Sources: fluxcd/pkg:`runtime/secrets/{converter,reader,error}.go`, whose texts these errors are.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

/// The longest address of a proxy, in bytes.
const LONGEST_ADDRESS: usize = 2048;

/// What the secrets of one `ImageRepository` say of the way; the default is the common way.
#[derive(Debug, Clone, Default)]
pub struct Transport {
    /// A bundle in PEM, trusted beside the system's authorities.
    pub(super) ca: Option<SecretString>,
    /// Certificate and key in PEM, one after the other.
    pub(super) identity: Option<SecretString>,
    pub(super) proxy: Option<Proxy>,
    /// The secrets that said so, as `NAMESPACE/NAME`.
    secrets: Vec<String>,
}

/// A proxy for every request, those to this machine too.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub(super) address: Url,
    pub(super) login: Option<(String, SecretString)>,
}

/// Why a secret says nothing of the way that could be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("secret '{secret}'{reason}")]
pub struct TransportError {
    /// `NAMESPACE/NAME`.
    secret: String,
    /// What is wrong, without the content.
    reason: String,
}

impl TransportError {
    /// What has to be put right, such as `secret edge/tls`.
    pub(super) fn named(&self) -> String {
        format!("secret {}", self.secret)
    }
}

impl Transport {
    /// Takes certificates from the secret of a `certSecretRef`, called `NAMESPACE/NAME`.
    ///
    /// # Errors
    /// A certificate without its key or the reverse, neither these nor an authority.
    pub fn add_certificates<'a>(
        &mut self,
        secret: &str,
        data: impl Fn(&str) -> Option<&'a SecretString>,
    ) -> Result<(), TransportError> {
        let wrong = |reason: String| TransportError { secret: secret.to_owned(), reason };
        let either = |name: &str, legacy: &str| {
            let given = |key: &str| data(key).filter(|text| !text.expose_secret().is_empty());
            given(name).or_else(|| given(legacy))
        };
        let ca = either("ca.crt", "caFile").cloned();
        let identity = match (either("tls.crt", "certFile"), either("tls.key", "keyFile")) {
            (Some(certificate), Some(key)) => {
                Some(format!("{}\n{}\n", certificate.expose_secret(), key.expose_secret()).into())
            }
            (Some(_), None) => return Err(wrong(" contains 'tls.crt' but missing 'tls.key'".to_owned())),
            (None, Some(_)) => return Err(wrong(" contains 'tls.key' but missing 'tls.crt'".to_owned())),
            (None, None) if ca.is_none() => {
                return Err(wrong(
                    " must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'".to_owned(),
                ));
            }
            (None, None) => None,
        };
        (self.ca, self.identity) = (ca, identity);
        self.secrets.push(secret.to_owned());
        Ok(())
    }

    /// Takes the proxy from the secret of a `proxySecretRef`, called `NAMESPACE/NAME`.
    ///
    /// # Errors
    /// An address that is missing, empty, too long or of another scheme than `http`, `https` and `socks5`.
    pub fn add_proxy<'a>(
        &mut self,
        secret: &str,
        data: impl Fn(&str) -> Option<&'a SecretString>,
    ) -> Result<(), TransportError> {
        let wrong =
            |reason: &str| TransportError { secret: secret.to_owned(), reason: format!(": {reason}") };
        let address = data("address").ok_or_else(|| wrong("key 'address' not found"))?.expose_secret();
        if address.is_empty() {
            return Err(wrong("proxy address is empty"));
        }
        if address.len() > LONGEST_ADDRESS {
            return Err(wrong("proxy URL exceeds maximum length of 2048 characters"));
        }
        // An address may hold a password, so it is not repeated.
        let mut address =
            Url::parse(address).map_err(|error| wrong(&format!("failed to parse proxy address: {error}")))?;
        let scheme = match address.scheme() {
            "http" => "http",
            "https" => "https",
            // Go's client leaves it to the proxy to find the host.
            "socks5" => "socks5h",
            other => {
                let text = format!(
                    "proxy URL must use one of the supported schemes (http, https, socks5), got '{other}'"
                );
                return Err(wrong(&text));
            }
        };
        if scheme == "socks5h" {
            let rest = address.as_str().get("socks5".len()..).unwrap_or_default();
            let renamed = Url::parse(&format!("{scheme}{rest}"));
            address = renamed.map_err(|error| wrong(&format!("failed to parse proxy address: {error}")))?;
        }
        let username = data("username").map(|name| name.expose_secret().to_owned());
        let login = username.filter(|name| !name.is_empty());
        let login = login.map(|name| (name, data("password").cloned().unwrap_or_default()));
        self.proxy = Some(Proxy { address, login });
        self.secrets.push(secret.to_owned());
        Ok(())
    }

    /// The secrets that describe the way, such as `secret edge/tls`.
    pub(super) fn named(&self) -> String {
        format!("secret {}", self.secrets.join(" or "))
    }

    /// The address of the proxy, and the login for it; `None` without a proxy.
    pub fn proxy(&self) -> Option<(&str, Option<(String, SecretString)>)> {
        self.proxy.as_ref().map(|proxy| (proxy.address.as_str(), proxy.login.clone()))
    }

    /// A hash that tells ways apart; `None` for the common one.
    pub(super) fn fingerprint(&self) -> Option<[u8; 32]> {
        if self.ca.is_none() && self.identity.is_none() && self.proxy.is_none() {
            return None;
        }
        let text = |secret: &Option<SecretString>| secret.clone().unwrap_or_default();
        let login = self.proxy.as_ref().and_then(|proxy| proxy.login.clone()).unwrap_or_default();
        let address = self.proxy.as_ref().map_or_else(String::new, |proxy| proxy.address.to_string());
        let mut hash = Sha256::new();
        for part in [text(&self.ca), text(&self.identity), address.into(), login.0.into(), login.1] {
            hash.update(part.expose_secret().len().to_le_bytes());
            hash.update(part.expose_secret());
        }
        Some(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn secret(values: &[(&str, &str)]) -> BTreeMap<String, SecretString> {
        values.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect()
    }

    fn certificates(values: &[(&str, &str)]) -> Result<Transport, String> {
        let (data, mut transport) = (secret(values), Transport::default());
        transport.add_certificates("ns/tls", |key| data.get(key)).map_err(|error| error.to_string())?;
        Ok(transport)
    }

    fn proxy(values: &[(&str, &str)]) -> Result<Proxy, String> {
        let (data, mut transport) = (secret(values), Transport::default());
        transport.add_proxy("ns/proxy", |key| data.get(key)).map_err(|error| error.to_string())?;
        Ok(transport.proxy.unwrap())
    }

    #[test]
    fn certificate_and_key_come_together_or_not_at_all() {
        assert_eq!(
            certificates(&[("tls.crt", "C"), ("ca.crt", "A")]).unwrap_err(),
            "secret 'ns/tls' contains 'tls.crt' but missing 'tls.key'"
        );
        assert_eq!(
            certificates(&[("keyFile", "K")]).unwrap_err(),
            "secret 'ns/tls' contains 'tls.key' but missing 'tls.crt'"
        );
        assert_eq!(
            certificates(&[("x", "y")]).unwrap_err(),
            "secret 'ns/tls' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"
        );
        let old =
            certificates(&[("certFile", "C"), ("keyFile", "K"), ("caFile", "A"), ("ca.crt", "B")]).unwrap();
        assert_eq!(old.identity.unwrap().expose_secret(), "C\nK\n");
        assert_eq!(old.ca.unwrap().expose_secret(), "B", "the new key's name wins");
    }

    #[test]
    fn a_proxy_has_an_address_of_a_known_scheme() {
        let long = format!("http://{}", "a".repeat(LONGEST_ADDRESS));
        for (address, says) in [
            ("", "secret 'ns/proxy': proxy address is empty"),
            (
                "ftp://p:1",
                "secret 'ns/proxy': proxy URL must use one of the supported schemes (http, https, socks5), got 'ftp'",
            ),
            (long.as_str(), "secret 'ns/proxy': proxy URL exceeds maximum length of 2048 characters"),
        ] {
            assert_eq!(proxy(&[("address", address)]).unwrap_err(), says);
        }
        assert_eq!(proxy(&[]).unwrap_err(), "secret 'ns/proxy': key 'address' not found");
        assert!(!proxy(&[("address", "hunter2 at:")]).unwrap_err().contains("hunter2"));
        let socks = proxy(&[("address", "socks5://p.example.com:1080"), ("password", "x")]).unwrap();
        assert_eq!(socks.address.as_str(), "socks5h://p.example.com:1080");
        assert!(socks.login.is_none(), "a password alone counts for nothing");
        let named = proxy(&[("address", "http://p:8080"), ("username", "u")]).unwrap();
        assert_eq!(named.login.unwrap().0, "u");
    }

    #[test]
    fn ways_that_differ_in_anything_are_kept_apart() {
        let with = |key: &str, value: &str| certificates(&[(key, value)]).unwrap().fingerprint();
        assert_eq!(Transport::default().fingerprint(), None);
        assert_ne!(with("ca.crt", "A"), with("ca.crt", "B"));
        assert_eq!(with("ca.crt", "A"), with("caFile", "A"));
    }
}
