//! What `create` makes of its flags: an object as Flux would write it, or Flux's complaint.
//!
//! The checks, their order and their words are those of `flux create …`. One is stricter: a version range beside another
//! selector, which flux lets pass and turns into an empty policy.
//!
//! Source: `fluxcd/flux2:cmd/flux/create*.go`, `pkg/manifestgen/sourcesecret`.

use std::collections::BTreeMap;
use std::fmt;

use super::export::{Yaml, map, texts};
use crate::domain::duration::GoDuration;
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};

mod automation;
mod policy;
mod repository;
mod secret;
mod source;
#[cfg(test)]
mod tests;

pub use automation::{AutomationFlags, image_update};
pub use policy::{PolicyFlags, image_policy};
pub use repository::{RepositoryFlags, image_repository};
pub use secret::{
    AppFlags, OciFlags, ProxyFlags, SecretFlags, SshKeys, TlsFlags, secret_git, secret_github_app,
    secret_oci, secret_proxy, secret_tls,
};
pub use source::{SourceFlags, source_git};

/// Flags that do not make an object; the text is flux's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct CreateError {
    code: Code,
    text: String,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        Self::new(error.code, "", error.text)
    }
}

fn usage<T>(text: impl Into<String>) -> Result<T, CreateError> {
    Err(CreateError { code: Code::Usage, text: text.into() })
}

/// What can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// One of Flux's objects.
    Flux(Kind),
    /// A `Secret`.
    Secret,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flux(kind) => write!(f, "{kind}"),
            Self::Secret => f.write_str("Secret"),
        }
    }
}

impl Made {
    /// `apiVersion`.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Flux(Kind::GitRepository) => "source.toolkit.fluxcd.io/v1",
            Self::Flux(_) => "image.toolkit.fluxcd.io/v1",
            Self::Secret => "v1",
        }
    }

    /// How flux calls it in its progress lines: `git` for a `GitRepository` source.
    pub fn in_words(self) -> String {
        match self {
            Self::Flux(Kind::GitRepository) => "GitRepository source".to_owned(),
            Self::Secret => "secret".to_owned(),
            Self::Flux(kind) => kind.to_string(),
        }
    }

    /// What a new file is called behind the object's name and a dash.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Flux(Kind::ImageRepository) => "registry",
            Self::Flux(Kind::ImagePolicy) => "policy",
            Self::Flux(Kind::ImageUpdateAutomation) => "automation",
            Self::Flux(Kind::GitRepository) => "source",
            Self::Secret => "secret",
        }
    }
}

/// An object to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct NewObject {
    /// Its kind.
    pub made: Made,
    /// Its name.
    pub id: ObjectId,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations; flux makes none.
    pub annotations: BTreeMap<String, String>,
    /// What stands beside `apiVersion`, `kind` and `metadata`: `spec` or `stringData`.
    pub body: (&'static str, Yaml),
    /// The `type` of a secret that has one.
    pub secret_type: Option<&'static str>,
}

impl fmt::Debug for NewObject {
    /// Kind and name: the body may be a secret's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.made, self.id)
    }
}

impl NewObject {
    /// The whole object.
    pub fn yaml(&self) -> Yaml {
        let metadata = map([
            ("name", Some(self.id.name.as_str().into())),
            ("namespace", Some(self.id.namespace.as_str().into())),
            ("labels", texts(&self.labels)),
            ("annotations", texts(&self.annotations)),
        ]);
        map([
            ("apiVersion", Some(self.made.api_version().into())),
            ("kind", Some(self.made.to_string().into())),
            ("metadata", Some(metadata)),
            (self.body.0, Some(self.body.1.clone())),
            ("type", self.secret_type.map(Yaml::from)),
        ])
    }
}

/// What every `create` command takes.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// The name.
    pub name: Option<String>,
    /// The namespace.
    pub namespace: String,
    /// `KEY=VALUE` each.
    pub labels: Vec<String>,
}

impl Common {
    /// Whether the name may be one.
    pub fn is_named(&self) -> bool {
        self.id().is_ok()
    }

    /// The name, if it may be one.
    fn id(&self) -> Result<ObjectId, CreateError> {
        let Some(name) = self.name.as_deref().filter(|name| !name.is_empty()) else {
            return usage("name is required");
        };
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fine = name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-');
        if !fine || !(2..=63).contains(&name.len()) {
            return usage(format!(
                "name '{name}' is invalid, it should adhere to standard defined in RFC 1123, the name can only contain \
                 alphanumeric characters or '-'"
            ));
        }
        Ok(ObjectId::new(&self.namespace, name))
    }

    fn object(&self, made: Made, body: (&'static str, Yaml)) -> Result<NewObject, CreateError> {
        let mut labels = BTreeMap::new();
        for label in &self.labels {
            let Some((key, value)) = label.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return usage(format!("invalid label format '{label}', must be key=value"));
            };
            labels.insert(key.to_owned(), value.to_owned());
        }
        Ok(NewObject { made, id: self.id()?, labels, annotations: BTreeMap::new(), body, secret_type: None })
    }
}

/// `{name: NAME}`, of a reference to an object.
fn reference(name: &str) -> Yaml {
    map([("name", Some(name.into()))])
}

fn text(text: Option<&String>) -> Option<Yaml> {
    text.filter(|text| !text.is_empty()).map(|text| text.as_str().into())
}

fn duration(duration: GoDuration) -> Yaml {
    duration.to_string().into()
}
