//! Secrets and service accounts that lie beside the objects, and what kept one from being read.
//!
//! Encrypted ones are recognised and never decrypted. Values are kept in [`SecretString`]s, which print as nothing.

use std::collections::BTreeMap;

use crate::text::{ExposeSecret, SecretString};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::domain::object::{ObjectId, Origin};
use crate::problem::{Code, Problem};

/// A `Secret`.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its name.
    pub id: ObjectId,
    /// Its `type`, such as `kubernetes.io/dockerconfigjson`; `Opaque` if it gives none.
    pub kind: String,
    /// Its values, `stringData` over `data`; those that are no UTF-8 are left out.
    pub data: BTreeMap<String, SecretString>,
    /// Where it stands.
    pub origin: Origin,
}

impl Secret {
    fn has_same_values(&self, other: &Self) -> bool {
        let values = self.data.iter().map(|(key, value)| (key, value.expose_secret()));
        self.kind == other.kind
            && values.eq(other.data.iter().map(|(key, value)| (key, value.expose_secret())))
    }
}

/// Why a secret that an object names can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nowhere to be read.
    #[error("secret '{0}' is nowhere to be read")]
    NotFound(ObjectId),
    /// There, but encrypted.
    #[error("secret '{id}' is encrypted ({by}); supercargo never decrypts")]
    Encrypted {
        /// The secret.
        id: ObjectId,
        /// What with: `SOPS`, `SealedSecret` or `ExternalSecret`.
        by: &'static str,
    },
    /// The cluster does not let it be read.
    #[error("secret '{id}' may not be read: {reason}")]
    Refused {
        /// The secret.
        id: ObjectId,
        /// The verb and the resource, or what else kept it.
        reason: String,
    },
    /// Several files give it different values.
    #[error("secret '{id}' has different values in {}", listed(places))]
    Ambiguous {
        /// The secret.
        id: ObjectId,
        /// Where it stands.
        places: Vec<Origin>,
    },
    /// There, and not what a secret is.
    #[error("secret '{id}' cannot be used: {reason}")]
    Broken {
        /// The secret.
        id: ObjectId,
        /// What is wrong with it, without its content.
        reason: String,
    },
}

/// Why a service account that an object names can not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    /// Nowhere to be read.
    NotFound,
    /// The cluster does not let it be read: the verb and the resource, or what else kept it.
    Refused(String),
}

fn listed(places: &[Origin]) -> String {
    places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl SecretError {
    /// The code of the warning: `secret_not_found`, `secret_encrypted`, `ambiguous` or `skipped`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) | Self::Refused { .. } => Code::SecretNotFound.word(),
            Self::Encrypted { .. } => Code::SecretEncrypted.word(),
            Self::Ambiguous { .. } => Code::Ambiguous.word(),
            Self::Broken { .. } => Code::Skipped.word(),
        }
    }

    /// The warning to whoever names the secret; it stops nothing.
    pub fn warning(&self, subject: impl Into<String>) -> Problem {
        let code = match self {
            Self::NotFound(_) | Self::Refused { .. } => Code::SecretNotFound,
            Self::Encrypted { .. } => Code::SecretEncrypted,
            // As a problem of the files it has been told already; here it is only passed over.
            Self::Ambiguous { .. } | Self::Broken { .. } => Code::Skipped,
        };
        Problem::new(code, subject, self.to_string())
    }

    /// The secret.
    pub fn id(&self) -> &ObjectId {
        match self {
            Self::NotFound(id)
            | Self::Encrypted { id, .. }
            | Self::Refused { id, .. }
            | Self::Ambiguous { id, .. }
            | Self::Broken { id, .. } => id,
        }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        let problem = Self::new(Code::Skipped, error.id().to_string(), format!("{}: {error}", error.code()));
        problem.hint(match error {
            SecretError::Ambiguous { .. } => "Give a narrower PATH, in which it stands once.",
            SecretError::Broken { .. } => "Mend it where it stands.",
            _ => "Give the credential by flag or environment, or with `supercargo create secret git`.",
        })
    }
}

/// All secrets and service accounts of a source.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    plain: BTreeMap<ObjectId, Secret>,
    encrypted: BTreeMap<ObjectId, &'static str>,
    refused: BTreeMap<ObjectId, String>,
    ambiguous: BTreeMap<ObjectId, Vec<Origin>>,
    broken: BTreeMap<ObjectId, String>,
    accounts: BTreeMap<ObjectId, Result<Vec<String>, String>>,
}

impl Secrets {
    /// The secret of this name.
    ///
    /// # Errors
    /// It is nowhere to be read, encrypted, broken, or has different values in different files.
    pub fn find(&self, id: &ObjectId) -> Result<&Secret, SecretError> {
        if let Some(places) = self.ambiguous.get(id) {
            return Err(SecretError::Ambiguous { id: id.clone(), places: places.clone() });
        }
        if let Some(secret) = self.plain.get(id) {
            return Ok(secret);
        }
        if let Some(reason) = self.refused.get(id) {
            return Err(SecretError::Refused { id: id.clone(), reason: reason.clone() });
        }
        if let Some(reason) = self.broken.get(id) {
            return Err(SecretError::Broken { id: id.clone(), reason: reason.clone() });
        }
        Err(match self.encrypted.get(id) {
            Some(by) => SecretError::Encrypted { id: id.clone(), by },
            None => SecretError::NotFound(id.clone()),
        })
    }

    /// The names in a service account's `imagePullSecrets`, all of its own namespace.
    ///
    /// # Errors
    /// There is no such account, or it may not be read.
    pub fn pull_secrets(&self, account: &ObjectId) -> Result<&[String], AccountError> {
        match self.accounts.get(account) {
            Some(Ok(names)) => Ok(names),
            Some(Err(reason)) => Err(AccountError::Refused(reason.clone())),
            None => Err(AccountError::NotFound),
        }
    }

    /// All plain secrets, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.plain.values()
    }

    /// Adds a secret. One that is there already with other values makes the name ambiguous: the credentials of two
    /// clusters in one tree must not be mixed up.
    pub fn add(&mut self, secret: Secret) {
        let Some(known) = self.plain.get(&secret.id) else {
            self.plain.insert(secret.id.clone(), secret);
            return;
        };
        if !known.has_same_values(&secret) {
            let first = || vec![known.origin.clone()];
            self.ambiguous.entry(secret.id).or_insert_with(first).push(secret.origin);
        }
    }

    pub(super) fn add_encrypted(&mut self, id: ObjectId, by: &'static str) {
        self.encrypted.insert(id, by);
    }

    pub(super) fn add_refused(&mut self, id: ObjectId, reason: String) {
        self.refused.insert(id, reason);
    }

    pub(super) fn add_broken(&mut self, id: ObjectId, reason: String) {
        self.broken.insert(id, reason);
    }

    /// Adds an account with its pull secrets, or with what kept it from being read.
    pub(super) fn add_account(&mut self, id: ObjectId, pull_secrets: Result<Vec<String>, String>) {
        self.accounts.entry(id).or_insert(pull_secrets);
    }
}

/// What a `Secret` object holds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecretShape {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, String>,
    #[serde(default)]
    string_data: BTreeMap<String, String>,
}

impl SecretShape {
    /// The secret, its data decoded.
    ///
    /// # Errors
    /// The name of a value that is no base64.
    pub(super) fn into_secret(self, id: ObjectId, origin: Origin) -> Result<Secret, String> {
        let mut data = BTreeMap::new();
        for (key, value) in self.data {
            // As Go's decoder: line breaks inside are passed over.
            let packed: String = value.split_ascii_whitespace().collect();
            let Ok(bytes) = STANDARD.decode(packed) else { return Err(key) };
            if let Ok(text) = String::from_utf8(bytes) {
                data.insert(key, SecretString::from(text));
            }
        }
        data.extend(self.string_data.into_iter().map(|(key, text)| (key, SecretString::from(text))));
        Ok(Secret { id, kind: self.kind.unwrap_or_else(|| "Opaque".to_owned()), data, origin })
    }
}

/// What a `ServiceAccount` object holds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountShape {
    #[serde(default)]
    image_pull_secrets: Vec<PullSecret>,
}

#[derive(Deserialize)]
struct PullSecret {
    name: String,
}

impl AccountShape {
    pub(super) fn names(self) -> Vec<String> {
        self.image_pull_secrets.into_iter().map(|secret| secret.name).collect()
    }
}
