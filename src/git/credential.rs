//! What a Git server is logged in to with, in the order in which it is tried.
//!
//! Every candidate has a label that is named in results and failures; what it holds is never printed.

use std::collections::BTreeMap;
use std::fmt;

use crate::text::{ExposeSecret, SecretString};

use super::error::GitError;
use super::url::{GitUrl, Scheme, redact};

/// A way to log in.
#[derive(Clone)]
pub enum Login {
    /// HTTP basic.
    Basic {
        /// The user.
        username: String,
        /// The password or token.
        password: SecretString,
    },
    /// `Authorization: Bearer`.
    Bearer(SecretString),
}

/// One candidate: a label, and what is known under it.
#[derive(Clone)]
pub struct GitCredential {
    /// How it is called in results and failures, such as `secret flux-system/fleet`.
    pub label: String,
    /// What to log in with; `None`: it only brings certificates.
    pub login: Option<Login>,
    /// Certificates of authorities (PEM) that count for this remote.
    pub ca: Option<Vec<u8>>,
    /// A client certificate and its key (PEM, one after the other).
    pub identity: Option<SecretString>,
}

impl fmt::Debug for GitCredential {
    /// The label, nothing else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GitCredential").field(&self.label).finish()
    }
}

impl GitCredential {
    /// User name and password under a label.
    pub fn basic(label: impl Into<String>, username: impl Into<String>, password: SecretString) -> Self {
        let login = Login::Basic { username: username.into(), password };
        Self { label: label.into(), login: Some(login), ca: None, identity: None }
    }

    /// What a Secret of a `GitRepository` holds.
    ///
    /// `bearerToken` hides user name and password; `ca.crt` hides `caFile`.
    ///
    /// # Errors
    /// The sentence of the controller for a password without a user name.
    ///
    /// Source: fluxcd/pkg:git/options.go, runtime/secrets.
    pub fn from_secret(
        label: impl Into<String>,
        data: &BTreeMap<String, SecretString>,
    ) -> Result<Self, String> {
        let text = |key: &str| data.get(key).map(ExposeSecret::expose_secret).filter(|text| !text.is_empty());
        let login = match (text("bearerToken"), text("username"), text("password")) {
            (Some(token), ..) => Some(Login::Bearer(token.trim().to_owned().into())),
            (None, Some(username), password) => {
                let password = password.unwrap_or_default().to_owned().into();
                Some(Login::Basic { username: username.to_owned(), password })
            }
            (None, None, Some(_)) => {
                return Err(
                    "invalid 'https' auth option: 'password' requires 'username' to be set".to_owned()
                );
            }
            (None, None, None) => None,
        };
        let ca = text("ca.crt").or_else(|| text("caFile")).map(|pem| pem.as_bytes().to_vec());
        let pair = text("tls.crt").zip(text("tls.key")).or_else(|| text("certFile").zip(text("keyFile")));
        let identity = pair.map(|(certificate, key)| format!("{certificate}\n{key}").into());
        Ok(Self { label: label.into(), login, ca, identity })
    }
}

/// A secret that may serve a repository: its label and its decoded data.
#[derive(Clone)]
pub struct SecretSource<'a> {
    /// Such as `secret flux-system/fleet`.
    pub label: String,
    /// Its keys and values.
    pub data: &'a BTreeMap<String, SecretString>,
}

/// Where credentials for one remote can come from.
#[derive(Clone, Default)]
pub struct Sources<'a> {
    /// `--git-username`, `--git-password-stdin`; without a user name `git` is taken.
    pub flags: Option<(Option<String>, SecretString)>,
    /// `SUPERCARGO_GIT_USERNAME`, `SUPERCARGO_GIT_PASSWORD`.
    pub environment: Option<(Option<String>, SecretString)>,
    /// The `GitRepository`'s `secretRef`, then secrets of ours whose URL is this remote's.
    pub secrets: Vec<SecretSource<'a>>,
}

/// The candidates for `url`, in the order in which they are tried: flags, environment, secrets, the address's own user
/// info. A file remote and an ssh remote have none.
///
/// Beside the candidates: a sentence for each secret that cannot be used.
///
/// # Errors
/// [`GitError::Unsupported`] if `url` is no address.
///
/// Source: cli contract section 5, "Git credentials".
pub fn candidates(url: &str, sources: &Sources<'_>) -> Result<(Vec<GitCredential>, Vec<String>), GitError> {
    let address = GitUrl::parse(url)?;
    let (mut found, mut passed_over) = (Vec::new(), Vec::new());
    if !matches!(address.scheme, Scheme::Http | Scheme::Https) {
        return Ok((found, passed_over));
    }
    for (label, pair) in [("flags", &sources.flags), ("environment", &sources.environment)] {
        if let Some((username, password)) = pair {
            let username = username.clone().unwrap_or_else(|| "git".to_owned());
            found.push(GitCredential::basic(label, username, password.clone()));
        }
    }
    for secret in &sources.secrets {
        match GitCredential::from_secret(&secret.label, secret.data) {
            Ok(credential) => found.push(credential),
            Err(message) => passed_over.push(format!("{} for {}: {message}", secret.label, redact(url))),
        }
    }
    if let Some((username, password)) = address.user_info() {
        let password = password.unwrap_or_default().to_owned().into();
        found.push(GitCredential::basic("user info of the URL", username, password));
    }
    Ok((found, passed_over))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, SecretString> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned().into())).collect()
    }

    #[test]
    fn candidates_come_in_the_order_of_the_contract() {
        let secret = data(&[("username", "bot"), ("password", "p")]);
        let sources = Sources {
            flags: Some((Some("rita".to_owned()), "x".to_owned().into())),
            environment: Some((None, "y".to_owned().into())),
            secrets: vec![SecretSource { label: "secret flux-system/fleet".to_owned(), data: &secret }],
        };
        let (found, passed_over) = candidates("https://me:pw@h.example/p", &sources).unwrap();
        let labels: Vec<&str> = found.iter().map(|credential| credential.label.as_str()).collect();
        assert_eq!(labels, ["flags", "environment", "secret flux-system/fleet", "user info of the URL"]);
        assert!(passed_over.is_empty());
        assert!(!format!("{found:?}").contains("pw"));
    }

    #[test]
    fn a_bearer_token_hides_user_and_password() {
        let secret = data(&[("bearerToken", "t\n"), ("username", "bot"), ("ca.crt", "PEM")]);
        let credential = GitCredential::from_secret("s", &secret).unwrap();
        assert!(matches!(&credential.login, Some(Login::Bearer(token)) if token.expose_secret() == "t"));
        assert_eq!(credential.ca.as_deref(), Some(&b"PEM"[..]));
    }

    #[test]
    fn a_password_without_a_user_is_the_controllers_error() {
        let error = GitCredential::from_secret("s", &data(&[("password", "p")])).unwrap_err();
        assert_eq!(error, "invalid 'https' auth option: 'password' requires 'username' to be set");
    }

    #[test]
    fn nothing_logs_in_to_a_folder() {
        let sources = Sources { flags: Some((None, "x".to_owned().into())), ..Sources::default() };
        assert!(candidates("/srv/p.git", &sources).unwrap().0.is_empty());
    }
}
