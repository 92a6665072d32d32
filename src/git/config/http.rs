//! What the operator's git configuration says of HTTP: authorities, a client certificate, a proxy.
//!
//! Source: git-config(1), `http.<url>.*`; git/git:urlmatch.c, http.c (`http_init`).

use std::env;
use std::path::PathBuf;

use url::Url;

use super::GitConfig;

/// A proxy for all requests to a remote.
#[derive(Clone)]
pub struct Proxy {
    /// Its address: `http`, `https`, `socks5` or `socks5h`.
    pub address: String,
    /// User and password, if they are not in the address.
    pub login: Option<(String, crate::text::SecretString)>,
    /// Whether hosts of `NO_PROXY` are reached directly.
    pub spares: bool,
}

/// What is in force for one remote.
#[derive(Clone, Default)]
pub struct HttpSettings {
    /// Certificates of authorities (PEM), beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A client certificate (PEM), and its key if that is in another file.
    pub certificate: Option<(PathBuf, Option<PathBuf>)>,
    /// The proxy; `None`: the environment's.
    pub proxy: Option<Proxy>,
}

impl GitConfig {
    /// What is in force for requests to `url`: git's variables, then the most specific section of the configuration.
    pub fn http_settings(&self, url: &str) -> HttpSettings {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let file = |variable: &str, key: &str| set(variable).or_else(|| self.http(url, key).map(home));
        let certificate = file("GIT_SSL_CERT", "sslcert");
        let proxy = self.http(url, "proxy");
        HttpSettings {
            ca_file: file("GIT_SSL_CAINFO", "sslcainfo"),
            certificate: certificate.map(|certificate| (certificate, file("GIT_SSL_KEY", "sslkey"))),
            proxy: proxy.map(|address| Proxy { address: with_scheme(address), login: None, spares: true }),
        }
    }

    /// Whether any credential helper is configured.
    pub fn has_credential_helper(&self) -> bool {
        let is_helper = |key: &str| key.starts_with("credential.") && key.ends_with(".helper");
        self.entries.iter().any(|(key, value)| is_helper(key) && !value.is_empty())
    }

    /// The value of `http.KEY`, or of the `http.URL.KEY` that fits `url` best.
    fn http(&self, url: &str, key: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let fits = |(name, value): &(String, String)| {
            let rest = name.strip_prefix("http.")?;
            let fit = match rest.rsplit_once('.') {
                None => (rest == key).then_some(0),
                Some((pattern, last)) => (last == key).then(|| fit(pattern, &url)).flatten(),
            };
            Some((fit?, value.clone()))
        };
        // Of equal ones the last counts.
        let best = self.entries.iter().filter_map(fits).max_by_key(|(fit, _)| *fit);
        best.map(|(_, value)| value).filter(|value| !value.is_empty())
    }
}

/// How well the address of a section fits: by the length of its path; `None`: not at all.
fn fit(pattern: &str, url: &Url) -> Option<usize> {
    let pattern = Url::parse(pattern).ok()?;
    let same_place = pattern.scheme() == url.scheme()
        && pattern.port_or_known_default() == url.port_or_known_default()
        && is_host(pattern.host_str()?, url.host_str()?);
    let path = pattern.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(path)?;
    (same_place && (rest.is_empty() || rest.starts_with('/'))).then(|| path.len() + 1)
}

/// Whether the host fits, in which `*` stands for one label.
fn is_host(pattern: &str, host: &str) -> bool {
    let (mut patterns, mut labels) = (pattern.split('.'), host.split('.'));
    loop {
        match (patterns.next(), labels.next()) {
            (None, None) => return true,
            (Some(pattern), Some(label)) if pattern == "*" || pattern == label => {}
            _ => return false,
        }
    }
}

/// A path as git reads it: `~/` is the home.
fn home(path: String) -> PathBuf {
    match (path.strip_prefix("~/"), env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// An address without a scheme is an HTTP proxy's, to curl.
fn with_scheme(address: String) -> String {
    if address.contains("://") { address } else { format!("http://{address}") }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://git.example.com/ops/fleet.git", Some("ops"))]
    #[case("https://git.example.com/opsen/fleet.git", Some("host"))]
    #[case("https://mirror.example.com/ops/fleet.git", Some("any"))]
    #[case("https://git.example.com:8443/ops/fleet.git", Some("all"))]
    #[case("http://git.example.com/ops/fleet.git", Some("all"))]
    fn the_most_specific_section_counts(#[case] url: &str, #[case] expected: Option<&str>) {
        let entries = [
            ("http.https://git.example.com/ops.proxy", "ops"),
            ("http.https://git.example.com.proxy", "host"),
            ("http.https://*.example.com/.proxy", "any"),
            ("http.proxy", "all"),
        ];
        let mut entries: Vec<_> =
            entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        entries.rotate_left(2);
        assert_eq!(GitConfig { entries }.http(url, "proxy").as_deref(), expected);
    }
}
