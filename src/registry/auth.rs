//! Turns a challenge and a credential into the `Authorization` header, through the token service where there is one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::error::RegistryError;
use super::keyring::{Credential, Login};
use super::wire::{Ask, Reply, Wire};
use super::wire_text;

/// How long a token lives that does not say so; source: distribution/distribution:docs/content/spec/auth/token.md.
const DEFAULT_LIFE: Duration = Duration::from_mins(1);
/// No token is used longer than this.
const LONGEST_LIFE: Duration = Duration::from_hours(1);
/// The largest answer of a token service, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// What a token was got for: it serves no other purpose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Purpose {
    realm: String,
    service: Option<String>,
    scopes: Vec<String>,
    credential: [u8; 32],
}

/// A token service and the login that a refresh token of it stands for.
type Holder = (String, [u8; 32]);

/// The tokens of a process.
#[derive(Default)]
pub(super) struct Tokens {
    held: Mutex<HashMap<Purpose, (HeaderValue, Instant)>>,
    /// Where a service replaced an identity token: by what.
    replaced: Mutex<HashMap<Holder, SecretString>>,
}

/// A bearer challenge, its realm an address that may be asked.
#[derive(Debug, Clone)]
pub(super) struct TokenService {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
}

/// The fields of an answer that count. `issued_at` does not: it is by the service's clock, which may be wrong.
#[derive(Deserialize)]
struct TokenReply {
    access_token: Option<SecretString>,
    token: Option<SecretString>,
    refresh_token: Option<SecretString>,
    /// Seconds; some services write them as a text, and none of its forms is worth a refusal.
    expires_in: Option<Value>,
}

impl TokenReply {
    fn holds_token(&self) -> bool {
        [&self.access_token, &self.token, &self.refresh_token].iter().any(|token| token.is_some())
    }
}

/// What a token service gave.
struct Grant {
    token: SecretString,
    life: Duration,
    /// What to show next time in the place of the identity token, which may be good no longer.
    refresh: Option<SecretString>,
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
        let realm = wire_text::without_user(realm);
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
        Login::Basic { username, password } | Login::Identity { username, password, .. }
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
    /// One that is equal to `refused` is not good: the registry said so.
    pub(super) async fn header(
        &self,
        wire: &Wire<'_>,
        service: &TokenService,
        scopes: &[String],
        credential: &Credential,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, RegistryError> {
        let purpose = Purpose {
            realm: service.realm.to_string(),
            service: service.service.clone(),
            scopes: scopes.to_vec(),
            credential: credential.fingerprint(),
        };
        if let Some(held) = self.held(&purpose).filter(|held| Some(held) != refused) {
            return Ok(held);
        }
        let asked = Instant::now();
        let (value, life) = match &credential.login {
            Login::Bearer(token) => (token.clone(), LONGEST_LIFE),
            _ => self.exchange(wire, service, scopes, credential).await?,
        };
        let header = sensitive(&format!("Bearer {}", value.expose_secret())).ok_or_else(|| {
            let reason = "the token cannot be sent in a header".to_owned();
            let request = format!("GET {}", wire_text::shown(&service.realm)).into();
            RegistryError::BadAnswer { request, reason }
        })?;
        // From when it was asked for, and a tenth less than it lives, so that it does not end on the way.
        let until = asked + life * 9 / 10;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (_, until)| *until > Instant::now());
        held.insert(purpose, (header.clone(), until));
        Ok(header)
    }

    fn held(&self, purpose: &Purpose) -> Option<HeaderValue> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(purpose).filter(|(_, until)| *until > Instant::now()).map(|(header, _)| header.clone())
    }

    /// Gets a token; by form with an identity token, else (and where the service has no form) by query.
    async fn exchange(
        &self,
        wire: &Wire<'_>,
        service: &TokenService,
        scopes: &[String],
        credential: &Credential,
    ) -> Result<(SecretString, Duration), RegistryError> {
        if let Login::Identity { token, .. } = &credential.login {
            let grant = self.refresh(wire, service, scopes, (credential.fingerprint(), token)).await?;
            if let Some(grant) = grant {
                return Ok((grant.token, grant.life));
            }
        }
        let mut ask = by_query(service, scopes);
        ask.authorization = basic(credential);
        let reply = wire.send(&ask).await?;
        read_token(wire, &ask, reply).map(|grant| (grant.token, grant.life))
    }

    /// Gets a token with an identity token, or with what the service gave in its place; `None`: it has no form.
    async fn refresh(
        &self,
        wire: &Wire<'_>,
        service: &TokenService,
        scopes: &[String],
        (owner, identity): ([u8; 32], &SecretString),
    ) -> Result<Option<Grant>, RegistryError> {
        let holder = (service.realm.to_string(), owner);
        let newer = self.replaced().get(&holder).cloned();
        let mut form = by_form(service, scopes, newer.as_ref().unwrap_or(identity));
        let mut reply = wire.send(&form).await?;
        if newer.is_some() && matches!(reply.status.as_u16(), 400 | 401 | 403) {
            // What it gave last time is no good; what the operator gave may be.
            self.replaced().remove(&holder);
            form = by_form(service, scopes, identity);
            reply = wire.send(&form).await?;
        }
        if reply.status.as_u16() == 404 {
            return Ok(None);
        }
        let grant = read_token(wire, &form, reply)?;
        if let Some(refresh) = &grant.refresh {
            self.replaced().insert(holder, refresh.clone());
        }
        Ok(Some(grant))
    }

    fn replaced(&self) -> MutexGuard<'_, HashMap<Holder, SecretString>> {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_query(service: &TokenService, scopes: &[String]) -> Ask {
    let mut pairs: Vec<(String, String)> = service.realm.query_pairs().into_owned().collect();
    pairs.retain(|(key, _)| key != "scope" && key != "service");
    pairs.extend(scopes.iter().map(|scope| ("scope".to_owned(), scope.clone())));
    pairs.extend(service.service.iter().map(|service| ("service".to_owned(), service.clone())));
    pairs.sort();
    let mut url = service.realm.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    Ask { at_most: Some(LONGEST_ANSWER), ..Ask::get(url) }
}

fn by_form(service: &TokenService, scopes: &[String], identity: &SecretString) -> Ask {
    let form = vec![
        ("scope", scopes.join(" ")),
        ("service", service.service.clone().unwrap_or_default()),
        ("client_id", "supercargo".to_owned()),
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", identity.expose_secret().to_owned()),
    ];
    Ask {
        method: Method::POST,
        form: Some(form),
        at_most: Some(LONGEST_ANSWER),
        ..Ask::get(service.realm.clone())
    }
}

fn read_token(wire: &Wire<'_>, ask: &Ask, mut reply: Reply) -> Result<Grant, RegistryError> {
    if !reply.status.is_success() {
        if serde_json::from_slice::<TokenReply>(&reply.body).is_ok_and(|found| found.holds_token()) {
            // A refusal's words are shown, and these would be a token.
            reply.body.clear();
        }
        let error = reply.error(ask.text(), &wire.host.name);
        return Err(match error {
            // How OAuth2 refuses a refresh token; source: RFC 6749, section 5.2.
            RegistryError::Status { request, answer } if answer.status == 400 && ask.form.is_some() => {
                RegistryError::Denied { request, answer, host: wire.host.name.clone(), tried: Vec::new() }
            }
            other => other,
        });
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
    let life = found.expires_in.as_ref().and_then(seconds).map_or(DEFAULT_LIFE, lifetime);
    Ok(Grant { token, life, refresh: given(found.refresh_token) })
}

/// A number, or a text that is one.
fn seconds(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A life in seconds as it is told; what makes no sense is the shortest or the longest.
fn lifetime(seconds: f64) -> Duration {
    let longest = LONGEST_LIFE.as_secs_f64();
    Duration::from_secs_f64(if seconds.is_nan() { 1.0 } else { seconds.clamp(1.0, longest) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn a_life_that_makes_no_sense_is_bounded() {
        assert_eq!(lifetime(300.0), Duration::from_mins(5));
        for none in [0.0, -7.0, f64::NAN] {
            assert_eq!(lifetime(none), Duration::from_secs(1));
        }
        assert_eq!(lifetime(1e300), LONGEST_LIFE);
        let told = [json!(300), json!("300"), json!("soon"), json!([1])];
        assert_eq!(told.map(|value| seconds(&value)), [Some(300.0), Some(300.0), None, None]);
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
