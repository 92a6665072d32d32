//! Which credentials to show which registry, in which order, and what to call them.
//!
//! The order is: flags, environment, pull secrets, the provider's helper, the files of docker and its relatives, none. Of the secrets
//! only the best match counts, as in Flux. Nothing here talks to a registry.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::docker_config::{DockerFile, Entry, docker_files, first, read_auths, read_dockercfg};
use super::docker_file;
use super::error::RegistryError;
use super::helper::{self, Helper};
use super::http::Http;
use super::keymatch::Wanted;
use super::transport::{Transport, TransportError};
use crate::domain::provider::Provider;

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
    /// A refresh token, to be exchanged at the registry's token service; with user and password for a service that takes none.
    Identity {
        /// The token.
        token: SecretString,
        /// The user; may be empty.
        username: String,
        /// The password; may be empty.
        password: SecretString,
    },
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

    /// As whom it lets us ask, such as `as rita`; `None` for nobody.
    pub fn who(&self) -> Option<String> {
        match &self.login {
            Login::Anonymous => None,
            Login::Basic { username, .. } => Some(format!("as {username}")),
            Login::Identity { .. } => Some("with an identity token".to_owned()),
            Login::Bearer(_) => Some("with a registry token".to_owned()),
        }
    }

    /// Label and person, such as `docker config as rita`.
    pub fn text(&self) -> String {
        self.who().map_or_else(|| self.label.clone(), |who| format!("{} {who}", self.label))
    }

    /// A hash that tells logins apart, for caches of what was got with them.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let parts: [&str; 3] = match &self.login {
            Login::Anonymous => ["anonymous", "", ""],
            Login::Basic { username, password } => ["basic", username, password.expose_secret()],
            Login::Identity { token, username, .. } => ["identity", token.expose_secret(), username],
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
#[derive(Debug, Clone, Error, PartialEq, Eq)]
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
    /// An entry is for what is no address.
    #[error("{label}: Entry {address:?} in dockercfg invalid ({reason})")]
    Address {
        /// The source.
        label: String,
        /// The host that the entry is for, with a scheme.
        address: String,
        /// Go's words.
        reason: String,
    },
    /// A helper is named by what is no name of a program, and so is not asked.
    #[error("{label}: {key} in {file} names no program: {name:?}; it is not asked")]
    Helper {
        /// The source.
        label: String,
        /// The file.
        file: String,
        /// The key in it.
        key: String,
        /// What is named there.
        name: String,
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

/// What may be tried: a credential, or a program that has one.
#[derive(Debug, Clone)]
pub enum Offer {
    /// A credential.
    Ready(Credential),
    /// A helper to be asked when its turn comes.
    Ask(Helper),
}

impl Offer {
    /// What to call it where people read.
    pub fn label(&self) -> &str {
        match self {
            Self::Ready(credential) => &credential.label,
            Self::Ask(helper) => helper.label(),
        }
    }

    /// A hash that tells logins apart; that of a program stands for whatever it hands out.
    fn fingerprint(&self) -> [u8; 32] {
        match self {
            Self::Ready(credential) => credential.fingerprint(),
            Self::Ask(helper) => helper.fingerprint(),
        }
    }
}

/// All credentials in force for one `ImageRepository`. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    direct: Arc<Vec<Direct>>,
    secrets: Arc<Vec<Entry>>,
    /// The labels of all pull secrets, of those too that count for nothing.
    named: Arc<Vec<String>>,
    provider: Option<Provider>,
    files: Arc<Vec<DockerFile>>,
    transport: Arc<Transport>,
    obstacle: Option<Arc<RegistryError>>,
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
    /// Returns whether the secret counts: as in Flux, one of another type, or with nothing under the type's key, does not.
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
        Arc::make_mut(&mut self.named).push(label.to_owned());
        let filled = |key: &str| data(key).filter(|text| !text.expose_secret().is_empty());
        let entries = match secret_type {
            "kubernetes.io/dockerconfigjson" => match filled(".dockerconfigjson") {
                Some(text) => read_auths(label, text.expose_secret())?,
                None => return Ok(false),
            },
            "kubernetes.io/dockercfg" => match filled(".dockercfg") {
                Some(text) => read_dockercfg(label, text.expose_secret())?,
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

    /// Adds what a docker `config.json` or a containers `auth.json` has: `auths`, `credHelpers`, `credsStore`.
    ///
    /// # Errors
    /// [`KeyringError`] if it does not parse.
    pub fn add_docker_config(&mut self, label: &str, text: &str) -> Result<(), KeyringError> {
        Arc::make_mut(&mut self.files).push(DockerFile::read(label, text)?);
        Ok(())
    }

    /// Reads those of docker's and its relatives' files that exist; what fails is returned, and the rest counts. A file is read again
    /// when it has changed, and a pipe never.
    pub fn add_docker_files(&mut self, variable: impl Fn(&str) -> Option<OsString>) -> Vec<KeyringError> {
        let mut failed = Vec::new();
        for (label, path) in docker_files(variable) {
            match docker_file::load(label, &path) {
                None => {}
                Some(Ok(file)) => {
                    failed.extend(unusable_helpers(&file, label, &path));
                    Arc::make_mut(&mut self.files).push(file);
                }
                Some(Err(error)) => failed.push(error),
            }
        }
        failed
    }

    /// Ends every conversation before it begins: what an object names to log in with, `named` such as `secret edge/pull`, is
    /// missing or broken, and Flux, whose text is `reason`, does not go on without it either. The first reason counts.
    pub fn stop(&mut self, named: impl Into<String>, reason: impl Into<String>) {
        self.hinder(RegistryError::Authentication { reason: reason.into(), named: named.into() });
    }

    fn hinder(&mut self, error: RegistryError) {
        self.obstacle.get_or_insert_with(|| Arc::new(error));
    }

    /// Sets the way to the registry; one that cannot be gone ends every conversation before it begins, as no other was meant.
    pub fn set_transport(&mut self, transport: Result<Transport, TransportError>) {
        let transport = match transport {
            Ok(transport) => transport,
            Err(error) => return self.stop(error.named(), error.to_string()),
        };
        if let Err(error) = Http::new(std::iter::empty(), &transport) {
            self.stop(transport.named(), error.to_string());
        }
        self.transport = Arc::new(transport);
    }

    /// Sets who logs in at `host`, by the `provider` of an object; one that has no such registry ends every conversation, as it
    /// does in Flux, and `generic` is nobody.
    ///
    /// What a provider gives comes behind pull secrets, which Flux does not look at under a provider.
    pub fn set_provider(&mut self, provider: &str, host: &str) {
        let checked = Provider::parse(provider).and_then(|provider| {
            provider.map_or(Ok(()), |provider| provider.check(host))?;
            Ok(provider)
        });
        match checked {
            Ok(provider) => self.provider = provider,
            Err(text) => self.hinder(RegistryError::Provider(text)),
        }
    }

    /// The way to the registry.
    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Why no conversation may begin, if so.
    pub fn obstacle(&self) -> Option<&RegistryError> {
        self.obstacle.as_deref()
    }

    /// What to try for `repository` of `host`, in order; the last is always anonymous.
    ///
    /// `host` and `repository` are the canonical ones, such as `index.docker.io` and `library/alpine`.
    pub fn candidates(&self, host: &str, repository: &str) -> Vec<Offer> {
        let wanted = Wanted::new(host, repository);
        let provided = self.provider.and_then(|provider| self.provided(provider, host));
        let direct =
            self.direct.iter().filter(|direct| direct.host.as_deref().is_none_or(|only| only == host));
        let direct = direct.map(|direct| direct.credential.clone());
        let from_files = self.files.iter().flat_map(|file| file.offers(host, &wanted));
        // The provider's helper may be one that the files name too; it is asked once.
        let again = |offer: &Offer| matches!((offer, &provided), (Offer::Ask(a), Some(b)) if a.is_same(b));
        let from_files = from_files.filter(|offer| !again(offer));
        direct
            .chain(first(&self.secrets, &wanted))
            .map(Offer::Ready)
            .chain(provided.clone().map(Offer::Ask))
            .chain(from_files)
            .chain([Offer::Ready(Credential::anonymous())])
            .collect()
    }

    /// The labels of the pull secrets that hold no login for `repository` of `host`, in the order in which they were added.
    pub(super) fn secrets_without_login(&self, host: &str, repository: &str) -> impl Iterator<Item = String> {
        let wanted = Wanted::new(host, repository);
        let serves = move |label: &str| {
            let mut own = self.secrets.iter().filter(|entry| entry.credential.label == label);
            own.any(|entry| entry.key.matches(&wanted))
        };
        self.named.iter().filter(move |label| !serves(label)).cloned()
    }

    /// A hash of all that decides what a registry says to whoever has this: the credentials for `repository` of `host` with their
    /// labels, the way there, and what stands in it.
    pub fn fingerprint(&self, host: &str, repository: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        for offer in self.candidates(host, repository) {
            hash.update(offer.label().len().to_le_bytes());
            hash.update(offer.label());
            hash.update(offer.fingerprint());
        }
        // No way, or no obstacle, is told from any by its length.
        hash.update(self.transport.fingerprint().as_ref().map_or(&[][..], |way| way));
        hash.update(self.obstacle.as_ref().map(ToString::to_string).unwrap_or_default());
        hash.finalize().into()
    }

    /// The helper of `provider`: the one that docker's files name for the host, else the first of the usual ones that is
    /// installed, else the first.
    fn provided(&self, provider: Provider, host: &str) -> Option<Helper> {
        let usual = provider.helpers();
        let named = self.files.iter().find_map(|file| file.own_helper(host));
        let installed = usual.iter().copied().find(|name| helper::is_installed(name));
        let name = named.or(installed).or(usual.first().copied())?;
        Helper::new(&format!("provider {}", provider.name()), name, host)
    }
}

/// What is wrong with the helpers that a file names.
fn unusable_helpers<'a>(
    file: &'a DockerFile,
    label: &'a str,
    path: &'a Path,
) -> impl Iterator<Item = KeyringError> {
    file.unusable_helpers().map(move |(key, name)| {
        let (label, file) = (label.to_owned(), path.display().to_string());
        KeyringError::Helper { label, file, key, name: name.to_owned() }
    })
}

#[cfg(test)]
mod tests;
