//! What a Git server is logged in to with, in the order in which it is tried.
//!
//! Every candidate has a label that is named in results and failures; what it holds is never printed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::text::{ExposeSecret, SecretString};

use super::app::App;
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
    /// Through `ssh`.
    Ssh(SshLogin),
    /// What git's credential helpers hand out.
    Helpers,
    /// What GitHub gives to an App.
    App(App),
}

/// What `ssh` logs in with, and whom it trusts to be the host.
#[derive(Clone, Default)]
pub struct SshLogin {
    /// The key.
    pub key: SshKey,
    /// The hosts' keys that count; `None`: those of the operator.
    pub known_hosts: Option<KnownHosts>,
}

/// A private key.
#[derive(Clone, Default)]
pub enum SshKey {
    /// Whatever the operator's `ssh` has: agent, configuration, default keys.
    #[default]
    System,
    /// A file, whose key may be in an agent.
    File(PathBuf),
    /// The key itself.
    Text {
        /// In PEM or OpenSSH's own form.
        pem: SecretString,
        /// What it is encrypted with.
        passphrase: Option<SecretString>,
    },
}

/// Host keys, in the form of OpenSSH's `known_hosts`.
#[derive(Clone)]
pub enum KnownHosts {
    /// A file.
    File(PathBuf),
    /// Its text.
    Text(String),
}

impl SshLogin {
    /// The label of the login with what the operator's `ssh` has.
    pub const SYSTEM: &'static str = "system ssh";

    /// What a Secret of a `GitRepository` holds for ssh.
    ///
    /// # Errors
    /// The sentence of the controller for a secret without key or known hosts.
    ///
    /// Source: fluxcd/pkg:git/options.go (`AuthOptions.Validate`).
    pub fn from_secret(data: &BTreeMap<String, SecretString>) -> Result<Self, String> {
        let part = |key: &str| data.get(key).filter(|text| !text.expose_secret().is_empty());
        let missing = |key: &str| format!("invalid 'ssh' auth option: '{key}' is required");
        let pem = part("identity").ok_or_else(|| missing("identity"))?.clone();
        let known_hosts =
            part("known_hosts").ok_or_else(|| missing("known_hosts"))?.expose_secret().to_owned();
        let passphrase = part("password").cloned();
        Ok(Self { key: SshKey::Text { pem, passphrase }, known_hosts: Some(KnownHosts::Text(known_hosts)) })
    }
}

/// One candidate: a label, and what is known under it.
#[derive(Clone, Default)]
pub struct GitCredential {
    /// How it is called in results and failures, such as `secret flux-system/fleet`.
    pub label: String,
    /// What to log in with; `None`: it only brings certificates.
    pub login: Option<Login>,
    /// Certificates of authorities (PEM) that count for this remote.
    pub ca: Option<Vec<u8>>,
    /// A client certificate and its key (PEM, one after the other).
    pub identity: Option<SecretString>,
    /// Whether it is tried only once the server has asked for a login.
    pub is_late: bool,
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
        Self { label: label.into(), login: Some(login), ..Self::default() }
    }

    /// What a Secret of a `GitRepository` holds.
    ///
    /// `bearerToken` hides user name and password; `ca.crt` hides `caFile`.
    ///
    /// # Errors
    /// The sentence of the controller for a password without a user name, or for an App that is not whole.
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
        let login = App::from_secret(data).transpose()?.map(Login::App).or(login);
        Ok(Self { label: label.into(), login, ca, identity, is_late: false })
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
    /// `--git-ssh-key` (`flags`) or `SUPERCARGO_GIT_SSH_KEY` (`environment`).
    pub ssh_key: Option<(&'static str, PathBuf)>,
    /// `--git-known-hosts`: counts for every login.
    pub known_hosts: Option<PathBuf>,
    /// What is tried once the server asks; see [`super::fallbacks`].
    pub fallbacks: Vec<GitCredential>,
    /// The `GitRepository`'s `secretRef`, then secrets of ours whose URL is this remote's.
    pub secrets: Vec<SecretSource<'a>>,
}

/// The candidates for `url`, in the order in which they are tried: flags, environment, secrets, the address's own user
/// info and what is tried once the server asks, or the system's ssh. A file remote has none.
///
/// Beside the candidates: a sentence for each secret that cannot be used.
///
/// # Errors
/// [`GitError::Unsupported`] if `url` is no address.
///
/// Source: cli contract section 5, "Git credentials".
pub fn candidates(url: &str, sources: &Sources<'_>) -> Result<(Vec<GitCredential>, Vec<String>), GitError> {
    let address = GitUrl::parse(url)?;
    match address.scheme {
        Scheme::File => Ok((Vec::new(), Vec::new())),
        Scheme::Ssh => Ok(for_ssh(url, sources)),
        Scheme::Http | Scheme::Https => Ok(for_http(url, &address, sources)),
    }
}

fn unusable(secret: &SecretSource<'_>, url: &str, message: &str) -> String {
    format!("{} for {}: {message}", secret.label, redact(url))
}

fn for_ssh(url: &str, sources: &Sources<'_>) -> (Vec<GitCredential>, Vec<String>) {
    let (mut found, mut passed_over) = (Vec::new(), Vec::new());
    let given = sources.known_hosts.clone().map(KnownHosts::File);
    let mut add = |label: &str, login: SshLogin| {
        let known_hosts = given.clone().or(login.known_hosts);
        let login = Some(Login::Ssh(SshLogin { known_hosts, ..login }));
        found.push(GitCredential { label: label.to_owned(), login, ..GitCredential::default() });
    };
    if let Some((label, path)) = &sources.ssh_key {
        add(label, SshLogin { key: SshKey::File(path.clone()), known_hosts: None });
    }
    for secret in &sources.secrets {
        match SshLogin::from_secret(secret.data) {
            Ok(login) => add(&secret.label, login),
            Err(message) => passed_over.push(unusable(secret, url, &message)),
        }
    }
    add(SshLogin::SYSTEM, SshLogin::default());
    (found, passed_over)
}

fn for_http(url: &str, address: &GitUrl, sources: &Sources<'_>) -> (Vec<GitCredential>, Vec<String>) {
    let (mut found, mut passed_over) = (Vec::new(), Vec::new());
    for (label, pair) in [("flags", &sources.flags), ("environment", &sources.environment)] {
        if let Some((username, password)) = pair {
            let username = username.clone().unwrap_or_else(|| "git".to_owned());
            found.push(GitCredential::basic(label, username, password.clone()));
        }
    }
    for secret in &sources.secrets {
        match GitCredential::from_secret(&secret.label, secret.data) {
            Ok(credential) => found.push(credential),
            Err(message) => passed_over.push(unusable(secret, url, &message)),
        }
    }
    if let Some((username, password)) = address.user_info() {
        let password = password.unwrap_or_default().to_owned().into();
        found.push(GitCredential::basic("user info of the URL", username, password));
    }
    found.extend(sources.fallbacks.iter().cloned());
    (found, passed_over)
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
            ..Sources::default()
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
    fn keys_come_in_the_order_of_the_contract_and_the_operators_ssh_last() {
        let (whole, half) =
            (data(&[("identity", "PEM"), ("known_hosts", "h key")]), data(&[("identity", "PEM")]));
        let secret = |label: &str, data| SecretSource { label: label.to_owned(), data };
        let sources = Sources {
            ssh_key: Some(("flags", "/k".into())),
            secrets: vec![secret("secret a/whole", &whole), secret("secret a/half", &half)],
            ..Sources::default()
        };
        let (found, passed_over) = candidates("ssh://git@h.example/p", &sources).unwrap();
        let labels: Vec<&str> = found.iter().map(|credential| credential.label.as_str()).collect();
        assert_eq!(labels, ["flags", "secret a/whole", "system ssh"]);
        let said =
            "secret a/half for ssh://git@h.example/p: invalid 'ssh' auth option: 'known_hosts' is required";
        assert_eq!(passed_over, [said]);
    }

    #[test]
    fn nothing_logs_in_to_a_folder() {
        let sources = Sources { flags: Some((None, "x".to_owned().into())), ..Sources::default() };
        assert!(candidates("/srv/p.git", &sources).unwrap().0.is_empty());
    }
}
