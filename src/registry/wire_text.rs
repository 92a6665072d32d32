//! Addresses: what of them may be shown, and where they may lead.

use std::net::IpAddr;

use url::{Host, Url};

/// Query keys whose values say nothing about who asks.
const SHOWN_KEYS: &[&str] = &["scope", "service", "mount", "from", "digest", "n", "last"];

/// The address without user info, and with `REDACTED` for the values of unknown query keys.
///
/// Source: google/go-containerregistry:internal/redact/redact.go.
pub(super) fn shown(url: &Url) -> String {
    let mut shown = without_user(url.clone());
    if url.query_pairs().any(|(key, _)| !SHOWN_KEYS.contains(&key.as_ref())) {
        let pairs = url.query_pairs().map(|(key, value)| {
            let value = if SHOWN_KEYS.contains(&key.as_ref()) { value } else { "REDACTED".into() };
            (key, value)
        });
        shown.query_pairs_mut().clear().extend_pairs(pairs);
    }
    shown.into()
}

/// The address without user info: who we are is not for a server to say, and nothing of ours is in an address.
pub(super) fn without_user(mut url: Url) -> Url {
    // Both fail for addresses that cannot have a user at all, which then have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// What is said of an answer that is longer than the configuration allows.
pub(super) const MAX_REPLY: &str = ", the `max_reply_mib` of the configuration";

/// A number of bytes for people, such as `64 MiB`.
pub(super) fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

/// What JSON's reader says, without the text that it quotes: a server may have got that from our own request.
pub(super) fn unquoted(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match (message.split_once('"'), message.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) => format!("{}{after}", before.trim_end()),
        _ => message,
    }
}

/// Where a redirect leads.
///
/// Refuses what is not HTTP, the way from HTTPS to HTTP, and the way from elsewhere into a private network.
///
/// Source: google/go-containerregistry:pkg/v1/remote/transport/transport.go.
pub(super) fn redirect_target(from: &Url, location: &str) -> Result<Url, String> {
    let target = from.join(location).map_err(|error| format!("redirected to what is no address: {error}"))?;
    let target = without_user(target);
    let leaves = target.host() != from.host();
    match target.scheme() {
        "https" => {}
        "http" if from.scheme() == "http" => {}
        _ => return Err("redirected from HTTPS to an address that is not".to_owned()),
    }
    if leaves && is_private(&target) {
        let (a, b) = (from.host_str().unwrap_or_default(), target.host_str().unwrap_or_default());
        return Err(format!(
            "SSRF protection: redirect from \"{a}\" to private/link-local host \"{b}\" denied"
        ));
    }
    Ok(target)
}

/// Whether a host is an address of the machine itself or of its own network.
pub(super) fn is_private(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        _ => return false,
    };
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_could_be_a_secret() {
        let url =
            Url::parse("https://u:p@auth/token?scope=repository%3Aa%3Apull&service=r&key=hunter2").unwrap();
        assert_eq!(shown(&url), "https://auth/token?scope=repository%3Aa%3Apull&service=r&key=REDACTED");
    }

    #[test]
    fn redirects_do_not_lead_into_private_networks_or_out_of_https() {
        let from = Url::parse("https://r.example.com/v2/").unwrap();
        assert!(redirect_target(&from, "https://cdn.example.com/x").is_ok());
        assert!(redirect_target(&from, "/other").is_ok());
        let named = redirect_target(&from, "https://user:pw@cdn.example.com/x").unwrap();
        assert_eq!(named.as_str(), "https://cdn.example.com/x", "a server gives us no login");
        assert!(redirect_target(&from, "http://r.example.com/x").is_err());
        assert!(redirect_target(&from, "file:///etc/passwd").is_err());
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fd00::1]",
            "0.0.0.0",
        ] {
            assert!(redirect_target(&from, &format!("https://{host}/x")).is_err(), "{host}");
        }
        let local = Url::parse("http://127.0.0.1:5000/v2/").unwrap();
        assert!(redirect_target(&local, "http://127.0.0.1:5001/x").is_ok());
    }
}
