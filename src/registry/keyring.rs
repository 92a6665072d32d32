//! Which credentials to show which registry, in which order, and what to call them.
//!
//! The order is: flags, environment, pull secrets, the files of docker and its relatives, none. Of the secrets
//! only the best match counts, as in Flux. Nothing here talks to a registry.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::keymatch::{EntryKey, Wanted};
use super::transport::{Transport, TransportError};

/// The label of no credential.
pub const ANONYMOUS: &str = "anonymous";

/// What to prove oneself with.
#[derive(Debug, Clone)]
pub enum Login {
    /// Nothing.
    Anonymous,
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A refresh token, to be exchanged at the registry's token service.
    Identity(SecretString),
    /// A token to be shown as it is.
    Bearer(SecretString),
}

/// A login and what to call it where people read.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Such as `secret flux-system/pull`, `docker config`, `flags` or `anonymous`; never holds a secret.
    pub label: String,
    /// The login.
    pub login: Login,
}

impl Credential {
    /// No credential.
    pub fn anonymous() -> Self {
        Self { label: ANONYMOUS.to_owned(), login: Login::Anonymous }
    }

    /// A hash that tells logins apart, for caches of what was got with them.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let parts: [&str; 3] = match &self.login {
            Login::Anonymous => ["anonymous", "", ""],
            Login::Basic { username, password } => ["basic", username, password.expose_secret()],
            Login::Identity(token) => ["identity", token.expose_secret(), ""],
            Login::Bearer(token) => ["bearer", token.expose_secret(), ""],
        };
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Why a source of credentials cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyringError {
    /// It is not the JSON it should be.
    #[error("{label} does not parse: {reason}")]
    Json {
        /// The source.
        label: String,
        /// What is wrong, without the content.
        reason: String,
    },
    /// An entry's `auth` is not what it should be.
    #[error("{label}: unable to decode auth field of {entry}: {reason}")]
    Auth {
        /// The source.
        label: String,
        /// The host that the entry is for.
        entry: String,
        /// What is wrong, without the content.
        reason: String,
    },
    /// A file that is there could not be read.
    #[error("{label}: {file} could not be read: {reason}")]
    Unreadable {
        /// The source.
        label: String,
        /// The file.
        file: String,
        /// The system's words.
        reason: String,
    },
}

/// A login that came without a list of hosts.
#[derive(Debug, Clone)]
struct Direct {
    host: Option<String>,
    credential: Credential,
}

/// One entry of an `auths` list.
#[derive(Debug, Clone)]
struct Entry {
    key: EntryKey,
    credential: Credential,
}

/// All credentials in force for one `ImageRepository`. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    direct: Arc<Vec<Direct>>,
    secrets: Arc<Vec<Entry>>,
    files: Arc<Vec<Vec<Entry>>>,
    transport: Option<Arc<Result<Transport, TransportError>>>,
}

impl Keyring {
    /// A keyring with nothing but anonymous access.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user and password from `label` (`flags`, `environment`) for `host`, or for any host if that is `None`.
    ///
    /// `docker.io` stands for Docker Hub's canonical `index.docker.io`.
    pub fn add_login(&mut self, label: &str, host: Option<&str>, username: &str, password: SecretString) {
        let login = Login::Basic { username: username.to_owned(), password };
        let host = host.map(|host| if host == "docker.io" { "index.docker.io" } else { host }.to_owned());
        Arc::make_mut(&mut self.direct)
            .push(Direct { host, credential: Credential { label: label.to_owned(), login } });
    }

    /// Adds `SUPERCARGO_REGISTRY_{HOST,USERNAME,PASSWORD}`, if all three are set; without a host they would go anywhere.
    pub fn add_environment(&mut self, variable: impl Fn(&str) -> Option<OsString>) {
        let text = |name| {
            variable(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
        };
        if let (Some(host), Some(username), Some(password)) = (
            text("SUPERCARGO_REGISTRY_HOST"),
            text("SUPERCARGO_REGISTRY_USERNAME"),
            text("SUPERCARGO_REGISTRY_PASSWORD"),
        ) {
            self.add_login("environment", Some(&host), &username, password.into());
        }
    }

    /// Adds a pull secret of Kubernetes, labelled `secret NAMESPACE/NAME` by the caller; earlier ones win over later ones.
    ///
    /// Returns whether the secret counts: as in Flux, one of another type, or without the type's key, does not.
    ///
    /// # Errors
    /// [`KeyringError`] if the content is not what its type says.
    ///
    /// Source: google/go-containerregistry:pkg/authn/kubernetes/keychain.go.
    pub fn add_pull_secret<'a>(
        &mut self,
        label: &str,
        secret_type: &str,
        data: impl Fn(&str) -> Option<&'a SecretString>,
    ) -> Result<bool, KeyringError> {
        let entries = match secret_type {
            "kubernetes.io/dockerconfigjson" => match data(".dockerconfigjson") {
                Some(text) => read_auths(label, text.expose_secret(), Aliases::None)?,
                None => return Ok(false),
            },
            "kubernetes.io/dockercfg" => match data(".dockercfg") {
                Some(text) => read_entries(label, parse_json(label, text.expose_secret())?, Aliases::None)?,
                None => return Ok(false),
            },
            _ => return Ok(false),
        };
        let secrets = Arc::make_mut(&mut self.secrets);
        secrets.extend(entries);
        // Stable, so that of two equal keys the earlier secret's comes first.
        secrets.sort_by(|a, b| b.key.text().cmp(a.key.text()));
        Ok(true)
    }

    /// Adds the `auths` of a docker `config.json` or a containers `auth.json`.
    ///
    /// # Errors
    /// [`KeyringError`] if it does not parse.
    pub fn add_docker_config(&mut self, label: &str, text: &str) -> Result<(), KeyringError> {
        let mut entries = read_auths(label, text, Aliases::DockerHub)?;
        entries.sort_by(|a, b| b.key.text().cmp(a.key.text()));
        Arc::make_mut(&mut self.files).push(entries);
        Ok(())
    }

    /// Reads those of docker's and its relatives' files that exist; what fails is returned, and the rest counts.
    pub fn add_docker_files(&mut self, variable: impl Fn(&str) -> Option<OsString>) -> Vec<KeyringError> {
        let mut failed = Vec::new();
        for (label, path) in docker_files(variable) {
            let read = match std::fs::read_to_string(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => Err(KeyringError::Unreadable {
                    label: label.to_owned(),
                    file: path.display().to_string(),
                    reason: error.to_string(),
                }),
                Ok(text) => self.add_docker_config(label, &text),
            };
            failed.extend(read.err());
        }
        failed
    }

    /// Sets the way to the registry; an error ends every conversation before it begins, as no other way was meant.
    pub fn set_transport(&mut self, transport: Result<Transport, TransportError>) {
        self.transport = Some(Arc::new(transport));
    }

    /// The way to the registry; `None`: the common one.
    pub(super) fn transport(&self) -> Option<&Result<Transport, TransportError>> {
        self.transport.as_deref()
    }

    /// What to try for `repository` of `host`, in order; the last is always anonymous.
    ///
    /// `host` and `repository` are the canonical ones, such as `index.docker.io` and `library/alpine`.
    pub fn candidates(&self, host: &str, repository: &str) -> Vec<Credential> {
        let wanted = Wanted::new(host, repository);
        let direct =
            self.direct.iter().filter(|direct| direct.host.as_deref().is_none_or(|only| only == host));
        let first = |entries: &[Entry]| {
            entries.iter().find(|entry| entry.key.matches(&wanted)).map(|e| e.credential.clone())
        };
        direct
            .map(|direct| direct.credential.clone())
            .chain(first(&self.secrets))
            .chain(self.files.iter().filter_map(|entries| first(entries)))
            .chain([Credential::anonymous()])
            .collect()
    }
}

/// The files in which docker and its relatives keep logins, with their labels, whether they exist or not.
fn docker_files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, PathBuf)> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let docker = set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")));
    [
        docker.map(|folder| ("docker config", folder.join("config.json"))),
        set("REGISTRY_AUTH_FILE").map(|file| ("registry auth file", file)),
        set("XDG_RUNTIME_DIR").map(|folder| ("containers auth file", folder.join("containers/auth.json"))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: Option<BTreeMap<String, RawEntry>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawEntry {
    username: Option<String>,
    password: Option<SecretString>,
    auth: Option<SecretString>,
    identitytoken: Option<SecretString>,
    registrytoken: Option<SecretString>,
}

/// Whether `docker.io` is understood as Docker Hub: podman and skopeo write it so; Kubernetes does not read it so.
#[derive(Clone, Copy)]
enum Aliases {
    None,
    DockerHub,
}

fn parse_json<'a, T: Deserialize<'a>>(label: &str, text: &'a str) -> Result<T, KeyringError> {
    // serde's message can quote the value it did not expect, which here may be a password.
    serde_json::from_str(text).map_err(|error| KeyringError::Json {
        label: label.to_owned(),
        reason: format!("line {}, column {}", error.line(), error.column()),
    })
}

fn read_auths(label: &str, text: &str, aliases: Aliases) -> Result<Vec<Entry>, KeyringError> {
    let config: DockerConfig = parse_json(label, text)?;
    read_entries(label, config.auths.unwrap_or_default(), aliases)
}

fn read_entries(
    label: &str,
    raw: BTreeMap<String, RawEntry>,
    aliases: Aliases,
) -> Result<Vec<Entry>, KeyringError> {
    let mut entries = Vec::new();
    for (host, entry) in raw {
        // An entry without content is docker's note that a helper has the login.
        if let Some(login) = read_login(label, &host, entry)? {
            let hub = matches!(aliases, Aliases::DockerHub) && host == "docker.io";
            let key = EntryKey::parse(if hub { "index.docker.io" } else { &host });
            entries.push(Entry { key, credential: Credential { label: label.to_owned(), login } });
        }
    }
    Ok(entries)
}

fn read_login(label: &str, host: &str, entry: RawEntry) -> Result<Option<Login>, KeyringError> {
    let given = |secret: Option<SecretString>| secret.filter(|secret| !secret.expose_secret().is_empty());
    if let Some(token) = given(entry.registrytoken) {
        return Ok(Some(Login::Bearer(token)));
    }
    if let Some(token) = given(entry.identitytoken) {
        return Ok(Some(Login::Identity(token)));
    }
    if let Some(auth) = given(entry.auth) {
        let (username, password) = decode_auth(auth.expose_secret()).map_err(|reason| {
            KeyringError::Auth { label: label.to_owned(), entry: host.to_owned(), reason }
        })?;
        return Ok(Some(Login::Basic { username, password }));
    }
    let (username, password) = (entry.username.unwrap_or_default(), entry.password.unwrap_or_default());
    let empty = username.is_empty() && password.expose_secret().is_empty();
    Ok((!empty).then_some(Login::Basic { username, password }))
}

fn decode_auth(auth: &str) -> Result<(String, SecretString), String> {
    let engine = if auth.ends_with('=') { STANDARD } else { STANDARD_NO_PAD };
    let bytes = engine.decode(auth).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map(zeroize::Zeroizing::new);
    let text = text.map_err(|error| error.utf8_error().to_string())?;
    let (username, password) =
        text.split_once(':').ok_or("must be formatted as base64(username:password)".to_owned())?;
    Ok((username.to_owned(), password.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> SecretString {
        let auths: BTreeMap<_, _> = entries
            .iter()
            .map(|(host, user)| (*host, serde_json::json!({"username": user, "password": "p"})))
            .collect();
        serde_json::json!({ "auths": auths }).to_string().into()
    }

    fn secret(keyring: &mut Keyring, label: &str, entries: &[(&str, &str)]) {
        let data = config(entries);
        let found = |key: &str| (key == ".dockerconfigjson").then_some(&data);
        assert_eq!(keyring.add_pull_secret(label, "kubernetes.io/dockerconfigjson", found), Ok(true));
    }

    fn users(keyring: &Keyring, host: &str, repository: &str) -> Vec<String> {
        let user = |credential: Credential| match credential.login {
            Login::Basic { username, .. } => format!("{}={username}", credential.label),
            _ => credential.label,
        };
        keyring.candidates(host, repository).into_iter().map(user).collect()
    }

    #[test]
    fn credentials_come_in_the_documented_order() {
        let mut keyring = Keyring::new();
        keyring.add_login("flags", None, "f", "x".into());
        keyring
            .add_environment(|name| name.starts_with("SUPERCARGO_REGISTRY_").then(|| "r.example.com".into()));
        secret(&mut keyring, "secret a/b", &[("r.example.com", "s")]);
        keyring
            .add_docker_config("docker config", config(&[("r.example.com", "d")]).expose_secret())
            .unwrap();
        let all = ["flags=f", "environment=r.example.com", "secret a/b=s", "docker config=d", "anonymous"];
        assert_eq!(users(&keyring, "r.example.com", "a"), all);
        assert_eq!(users(&keyring, "other.example.com", "a"), ["flags=f", "anonymous"]);
    }

    #[test]
    fn longer_paths_and_earlier_secrets_win() {
        let mut keyring = Keyring::new();
        secret(&mut keyring, "one", &[("ghcr.io", "host"), ("ghcr.io/foo", "path"), ("*.io", "glob")]);
        secret(&mut keyring, "two", &[("ghcr.io", "late")]);
        assert_eq!(users(&keyring, "ghcr.io", "foobar/x"), ["one=path", "anonymous"]);
        assert_eq!(users(&keyring, "ghcr.io", "bar"), ["one=host", "anonymous"]);
        assert_eq!(users(&keyring, "quay.io", "bar"), ["one=glob", "anonymous"]);
    }

    #[test]
    fn docker_hub_is_known_by_its_canonical_name_and_in_docker_files_by_its_short_one() {
        let mut keyring = Keyring::new();
        secret(&mut keyring, "short", &[("docker.io", "no")]);
        assert_eq!(users(&keyring, "index.docker.io", "library/a"), ["anonymous"]);
        secret(&mut keyring, "long", &[("https://index.docker.io/v1/", "yes")]);
        keyring.add_docker_config("docker config", config(&[("docker.io", "d")]).expose_secret()).unwrap();
        assert_eq!(
            users(&keyring, "index.docker.io", "library/a"),
            ["long=yes", "docker config=d", "anonymous"]
        );
    }

    #[test]
    fn auth_overrides_user_and_password_and_tokens_override_both() {
        let mut keyring = Keyring::new();
        let text = r#"{"auths":{"a":{"username":"u","password":"p","auth":"eDp5Onp6"},"b":{"identitytoken":"t"},"c":{}}}"#;
        keyring.add_docker_config("docker config", text).unwrap();
        let of = |host: &str| keyring.candidates(host, "x").into_iter().next().unwrap().login;
        assert!(matches!(of("a"), Login::Basic { username, password }
            if username == "x" && password.expose_secret() == "y:zz"));
        assert!(matches!(of("b"), Login::Identity(_)));
        assert!(matches!(of("c"), Login::Anonymous));
    }

    #[test]
    fn what_cannot_be_read_is_named_without_its_content() {
        let mut keyring = Keyring::new();
        let wrong = keyring.add_docker_config("docker config", r#"{"auths":{"a":{"password":["hunter2"]}}}"#);
        assert!(!wrong.unwrap_err().to_string().contains("hunter2"));
        let wrong = keyring.add_docker_config("docker config", r#"{"auths":{"a":{"auth":"aHVudGVyMg=="}}}"#);
        assert!(wrong.unwrap_err().to_string().ends_with("must be formatted as base64(username:password)"));
        assert_eq!(keyring.add_pull_secret("s", "Opaque", |_| None), Ok(false));
        keyring.add_login("flags", None, "u", "hunter2".into());
        assert!(!format!("{keyring:?}").contains("hunter2"));
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_a_panic(text in ".*", host in ".*", repository in ".*") {
            let mut keyring = Keyring::new();
            let _ = keyring.add_docker_config("docker config", &text);
            let entry = serde_json::json!({"auths": {(text.as_str()): {"username": "u", "password": "p"}}}).to_string();
            keyring.add_docker_config("docker config", &entry).unwrap();
            keyring.candidates(&host, &repository);
        }
    }
}
