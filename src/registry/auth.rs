//! Turns a challenge and a credential into the `Authorization` header, through the token service where there is one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::error::RegistryError;
use super::keyring::{Credential, Login};
use super::wire::{Ask, Reply, Wire};
use super::wire_text;

/// How long a token lives that does not say so; source: distribution/distribution:docs/content/spec/auth/token.md.
const DEFAULT_LIFE: u64 = 60;
/// No token is used longer than this.
const LONGEST_LIFE: u64 = 3600;

/// What a token was got for: it serves no other purpose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Purpose {
    realm: String,
    service: Option<String>,
    scopes: Vec<String>,
    credential: [u8; 32],
}

/// The tokens of a process.
#[derive(Default)]
pub(super) struct Tokens {
    held: Mutex<HashMap<Purpose, (HeaderValue, Instant)>>,
}

/// A bearer challenge, its realm an address that may be asked.
#[derive(Debug, Clone)]
pub(super) struct TokenService {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
}

/// The field of an answer that holds the token.
#[derive(Deserialize)]
struct TokenReply {
    access_token: Option<SecretString>,
    token: Option<SecretString>,
    expires_in: Option<u64>,
}

impl TokenService {
    /// Checks the realm of a challenge that came from `registry` (the address of its `/v2/`).
    ///
    /// A realm must be HTTPS unless the registry itself is not, and must not be an address in a private network
    /// unless the registry is at that very address.
    ///
    /// Source: google/go-containerregistry:pkg/v1/remote/transport/bearer.go.
    pub(super) fn new(registry: &Url, realm: &str, service: Option<String>) -> Result<Self, String> {
        if realm.is_empty() {
            return Err("malformed www-authenticate, missing realm".to_owned());
        }
        let realm = Url::parse(realm)
            .map_err(|error| format!("the realm in www-authenticate is no address: {error}"))?;
        let host = realm.host_str().unwrap_or_default().to_owned();
        let at_home = realm.host() == registry.host();
        match realm.scheme() {
            "https" => {}
            "http" if registry.scheme() == "http" || (at_home && wire_text::is_private(&realm)) => {}
            _ => {
                return Err(format!(
                    "invalid realm in www-authenticate: \"{}\" is not https",
                    wire_text::shown(&realm)
                ));
            }
        }
        if wire_text::is_private(&realm) && !at_home {
            return Err(format!(
                "invalid realm in www-authenticate: realm host \"{host}\" is a private or link-local address"
            ));
        }
        Ok(Self { realm, service })
    }
}

/// The header of basic authentication; `None` unless user and password are both there.
pub(super) fn basic(credential: &Credential) -> Option<HeaderValue> {
    match &credential.login {
        Login::Basic { username, password }
            if !username.is_empty() && !password.expose_secret().is_empty() =>
        {
            let pair = zeroize::Zeroizing::new(format!("{username}:{}", password.expose_secret()));
            sensitive(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))
        }
        _ => None,
    }
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Tokens {
    /// The header with a token of `service` for `scopes`: one that is held and still good, or a new one.
    ///
    /// With `renew` a held one is not used: the registry has refused it.
    pub(super) async fn header(
        &self,
        wire: &Wire<'_>,
        service: &TokenService,
        scopes: &[String],
        credential: &Credential,
        renew: bool,
    ) -> Result<HeaderValue, RegistryError> {
        let purpose = Purpose {
            realm: service.realm.to_string(),
            service: service.service.clone(),
            scopes: scopes.to_vec(),
            credential: credential.fingerprint(),
        };
        if let Some(held) = self.held(&purpose).filter(|_| !renew) {
            return Ok(held);
        }
        let (value, life) = match &credential.login {
            Login::Bearer(token) => (token.clone(), Duration::from_secs(LONGEST_LIFE)),
            _ => exchange(wire, service, scopes, credential).await?,
        };
        let header = sensitive(&format!("Bearer {}", value.expose_secret())).ok_or_else(|| {
            let reason = "the token cannot be sent in a header".to_owned();
            RegistryError::BadAnswer { request: format!("GET {}", wire_text::shown(&service.realm)), reason }
        })?;
        // A tenth less than it lives, so that it does not end on the way.
        let until = Instant::now() + life * 9 / 10;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (_, until)| *until > Instant::now());
        held.insert(purpose, (header.clone(), until));
        Ok(header)
    }

    fn held(&self, purpose: &Purpose) -> Option<HeaderValue> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(purpose).filter(|(_, until)| *until > Instant::now()).map(|(header, _)| header.clone())
    }
}

/// Gets a token; by form with an identity token, else (and where the service has no form) by query.
async fn exchange(
    wire: &Wire<'_>,
    service: &TokenService,
    scopes: &[String],
    credential: &Credential,
) -> Result<(SecretString, Duration), RegistryError> {
    let mut ask = by_query(service, scopes);
    ask.authorization = basic(credential);
    if let Login::Identity(identity) = &credential.login {
        let form = by_form(service, scopes, identity);
        let reply = wire.send(&form).await?;
        if reply.status.as_u16() != 404 {
            return read_token(wire, &form, &reply);
        }
    }
    let reply = wire.send(&ask).await?;
    read_token(wire, &ask, &reply)
}

fn by_query(service: &TokenService, scopes: &[String]) -> Ask {
    let mut pairs: Vec<(String, String)> = service.realm.query_pairs().into_owned().collect();
    pairs.retain(|(key, _)| key != "scope" && key != "service");
    pairs.extend(scopes.iter().map(|scope| ("scope".to_owned(), scope.clone())));
    pairs.extend(service.service.iter().map(|service| ("service".to_owned(), service.clone())));
    pairs.sort();
    let mut url = service.realm.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    Ask::get(url)
}

fn by_form(service: &TokenService, scopes: &[String], identity: &SecretString) -> Ask {
    let form = vec![
        ("scope", scopes.join(" ")),
        ("service", service.service.clone().unwrap_or_default()),
        ("client_id", "supercargo".to_owned()),
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", identity.expose_secret().to_owned()),
    ];
    Ask { method: Method::POST, form: Some(form), ..Ask::get(service.realm.clone()) }
}

fn read_token(wire: &Wire<'_>, ask: &Ask, reply: &Reply) -> Result<(SecretString, Duration), RegistryError> {
    if !reply.status.is_success() {
        return Err(reply.error(ask.text(), &wire.host.name));
    }
    let bad = |reason: &str| RegistryError::BadAnswer { request: ask.text(), reason: reason.to_owned() };
    // serde's message could quote the token, so it is not passed on.
    let Ok(found) = serde_json::from_slice::<TokenReply>(&reply.body) else {
        return Err(bad("the token service's answer is not the JSON it should be"));
    };
    let given = |token: Option<SecretString>| token.filter(|token| !token.expose_secret().is_empty());
    let token = given(found.access_token)
        .or_else(|| given(found.token))
        .ok_or_else(|| bad("no token in bearer response"))?;
    let life = found.expires_in.unwrap_or(DEFAULT_LIFE).clamp(1, LONGEST_LIFE);
    Ok((token, Duration::from_secs(life)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_must_be_safe_to_ask() {
        let https = Url::parse("https://r.example.com/v2/").unwrap();
        let http = Url::parse("http://127.0.0.1:5000/v2/").unwrap();
        assert!(TokenService::new(&https, "https://auth.example.com/token", None).is_ok());
        assert!(TokenService::new(&https, "http://auth.example.com/token", None).is_err());
        assert!(TokenService::new(&https, "https://10.0.0.1/token", None).is_err());
        assert!(TokenService::new(&http, "http://127.0.0.1:5001/token", None).is_ok());
        assert!(TokenService::new(&http, "http://127.0.0.2:5001/token", None).is_err());
        assert!(TokenService::new(&https, "", None).unwrap_err().contains("missing realm"));
    }

    #[test]
    fn the_token_request_merges_the_realms_own_query() {
        let realm = Url::parse("https://auth/token?account=x").unwrap();
        let service = TokenService { realm, service: Some("r.example.com".into()) };
        let ask = by_query(&service, &["repository:a/b:pull".to_owned()]);
        assert_eq!(
            ask.url.as_str(),
            "https://auth/token?account=x&scope=repository%3Aa%2Fb%3Apull&service=r.example.com"
        );
    }

    #[test]
    fn half_a_login_is_not_sent() {
        let login = |username: &str, password: &str| {
            let login = Login::Basic { username: username.into(), password: password.into() };
            basic(&Credential { label: "x".into(), login })
        };
        assert_eq!(login("u", "p").unwrap(), "Basic dTpw");
        assert!(login("u", "").is_none());
        assert!(login("", "p").is_none());
    }
}
