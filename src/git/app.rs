//! Logging in as a GitHub App: its key signs a request for a token that is good for an hour.
//!
//! Source: fluxcd/pkg:auth/githubapp/client.go; GitHub's "Authenticating as a GitHub App installation".

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method, StatusCode};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{SignatureScheme, crypto::ring::sign};
use serde::Deserialize;
use serde_json::json;

use super::error::GitError;
use super::network::wait;
use super::session::Session;
use crate::http::innermost;
use crate::text::{ExposeSecret, SecretString};

/// The user whose password is the token.
pub(super) const USER: &str = "x-access-token";
/// Where the App is known, if the secret does not say.
const BASE: &str = "https://api.github.com";
/// A token that is about to end is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// A GitHub App, installed for somebody.
#[derive(Clone)]
pub struct App {
    id: String,
    installation: Installation,
    key: SecretString,
    base: String,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Installation {
    Id(String),
    Owner(String),
}

impl fmt::Debug for App {
    /// The App's number, nothing else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("App").field(&self.id).finish()
    }
}

impl App {
    /// What a Secret of a `GitRepository` holds of an App; `None`: nothing.
    ///
    /// # Errors
    /// The sentence of the controller for one that is not whole.
    pub fn from_secret(data: &BTreeMap<String, SecretString>) -> Option<Result<Self, String>> {
        let text = |key: &str| {
            let text = data.get(key)?.expose_secret().trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        data.contains_key("githubAppID").then(|| {
            let missing = |what: &str| format!("{what} must be provided to use github app authentication");
            let id = text("githubAppID").ok_or_else(|| missing("app ID"))?;
            let installation = match (text("githubAppInstallationID"), text("githubAppInstallationOwner")) {
                (Some(_), Some(_)) => Err(missing("only one of app installation owner or ID")),
                (None, None) => Err(missing("app installation owner or ID")),
                (Some(id), None) => Ok(Installation::Id(id)),
                (None, Some(owner)) => Ok(Installation::Owner(owner)),
            }?;
            let key = text("githubAppPrivateKey").ok_or_else(|| missing("private key"))?.into();
            let base = text("githubAppBaseURL").unwrap_or_else(|| BASE.to_owned());
            Ok(Self { id, installation, key, base: base.trim_end_matches('/').to_owned() })
        })
    }

    /// The word of the App itself: that it is who it is, for nine minutes.
    fn word(&self, now: Timestamp) -> Result<SecretString, String> {
        let key = PrivateKeyDer::from_pem_slice(self.key.expose_secret().as_bytes());
        let key = key.map_err(|error| format!("its private key cannot be read: {error}"))?;
        let key = sign::any_supported_type(&key)
            .map_err(|error| format!("its private key cannot be used: {error}"))?;
        let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signer = signer.ok_or_else(|| "its private key is none of RSA".to_owned())?;
        // A minute ago: our clock may be ahead of theirs.
        let claims = json!({ "iat": now.as_second() - 60, "exp": now.as_second() + 540, "iss": self.id });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
        let signature = signer.sign(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

/// A token and when it ends.
#[derive(Clone, Deserialize)]
struct Token {
    token: SecretString,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Installed {
    id: u64,
}

/// Tokens by App, installation and place.
type Kept = Mutex<HashMap<(String, String, Installation), Token>>;

fn kept() -> &'static Kept {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    KEPT.get_or_init(Kept::default)
}

/// A token for `app`, a new one if none is good for a while.
///
/// # Errors
/// Out of time, or cancelled; inside, why there is none.
pub(super) fn token(
    session: &Session,
    client: &Client,
    app: &App,
) -> Result<Result<SecretString, String>, GitError> {
    let key = (app.base.clone(), app.id.clone(), app.installation.clone());
    let known = kept().lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(known) = known.filter(|known| known.expires_at - MARGIN > Timestamp::now()) {
        return Ok(Ok(known.token));
    }
    let asked = wait(session, "GitHub to give a token to the App", fetch(client, app))?;
    Ok(asked.map(|token| {
        kept().lock().unwrap_or_else(PoisonError::into_inner).insert(key, token.clone());
        token.token
    }))
}

async fn fetch(client: &Client, app: &App) -> Result<Token, String> {
    let word = app.word(Timestamp::now())?;
    let ask = async |method: Method, path: &str| {
        let request = client.request(method, format!("{}{path}", app.base));
        let request =
            request.header("accept", "application/vnd.github+json").bearer_auth(word.expose_secret());
        request.send().await.map_err(|error| format!("{} was not reached: {}", app.base, innermost(&error)))
    };
    let id = match &app.installation {
        Installation::Id(id) => id.clone(),
        Installation::Owner(owner) => {
            let mut found = ask(Method::GET, &format!("/orgs/{owner}/installation")).await?;
            if found.status() == StatusCode::NOT_FOUND {
                found = ask(Method::GET, &format!("/users/{owner}/installation")).await?;
            }
            answer::<Installed>(found).await?.id.to_string()
        }
    };
    answer(ask(Method::POST, &format!("/app/installations/{id}/access_tokens")).await?).await
}

async fn answer<T: serde::de::DeserializeOwned>(response: reqwest::Response) -> Result<T, String> {
    let (status, url) = (response.status(), response.url().path().to_owned());
    if !status.is_success() {
        return Err(format!("{url}: {status}"));
    }
    // The library's words could hold the token.
    response.json().await.map_err(|_withheld| format!("{url}: its answer is not what it should be"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[("githubAppID", "1"), ("githubAppInstallationID", "2"), ("githubAppPrivateKey", "k")], None)]
    #[case(&[("githubAppID", "")], Some("app ID must be provided to use github app authentication"))]
    #[case(&[("githubAppID", "1")], Some("app installation owner or ID must be provided to use github app authentication"))]
    #[case(
        &[("githubAppID", "1"), ("githubAppInstallationID", "2"), ("githubAppInstallationOwner", "acme")],
        Some("only one of app installation owner or ID must be provided to use github app authentication")
    )]
    #[case(
        &[("githubAppID", "1"), ("githubAppInstallationOwner", "acme")],
        Some("private key must be provided to use github app authentication")
    )]
    fn an_app_that_is_not_whole_is_refused_in_the_words_of_flux(
        #[case] pairs: &[(&str, &str)],
        #[case] error: Option<&str>,
    ) {
        let data = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned().into())).collect();
        let read = App::from_secret(&data).unwrap();
        assert_eq!(read.err().as_deref(), error);
    }

    #[test]
    fn a_key_that_is_none_is_said_to_be_none_and_not_shown() {
        let (id, base) = ("1".to_owned(), BASE.to_owned());
        let app =
            App { id, installation: Installation::Id("2".to_owned()), key: "hidden".to_owned().into(), base };
        let error = app.word(Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.starts_with("its private key cannot be read") && !error.contains("hidden"), "{error}");
    }
}
