//! What an `ImageRepository` names to log in with and to find its way by, put into a keyring: pull secrets, a service account, its
//! provider, certificates, a proxy.
//!
//! Where Flux stops because something named is broken, or is missing in the cluster, the keyring stops the scan, too. What is
//! missing in files is a warning: secrets are seldom committed.
//!
//! Sources: fluxcd/image-reflector-controller:internal/registry/options.go, fluxcd/pkg:runtime/secrets/reader.go.

use super::{Engine, World};
use crate::domain::object::{ImageRepository, ObjectId};
use crate::domain::provider::Provider;
use crate::domain::reference::ImageName;
use crate::problem::{Code, Problem};
use crate::registry::{Keyring, Transport, TransportError};
use crate::source::secrets::{AccountError, Secret, SecretError};

impl Engine {
    /// As [`Self::keyring`], from what serves without an object; only the problems of the repository's own.
    pub(super) fn keyring_with(
        keyring: Keyring,
        world: &World,
        repository: &ImageRepository,
    ) -> (Keyring, Vec<Problem>) {
        let mut named = Named { world, repository, keyring, problems: Vec::new() };
        // Under a cloud's provider Flux looks at no pull secret; of an unknown one nothing comes anyway.
        if matches!(Provider::parse(&repository.provider), Ok(None)) {
            named.add_pull_secrets();
        }
        named.find_way();
        if let Ok(image) = ImageName::parse(&repository.image, repository.insecure) {
            named.keyring.set_provider(&repository.provider, &image.registry);
        }
        (named.keyring, named.problems)
    }
}

/// A keyring on the way to hold all that a repository names.
struct Named<'a> {
    world: &'a World,
    repository: &'a ImageRepository,
    keyring: Keyring,
    problems: Vec<Problem>,
}

impl<'a> Named<'a> {
    fn id(&self, name: &str) -> ObjectId {
        ObjectId::new(&self.repository.meta.id.namespace, name)
    }

    fn subject(&self) -> String {
        self.repository.meta.id.to_string()
    }

    /// Its own pull secret, then those of the service account that it names.
    fn add_pull_secrets(&mut self) {
        if let Some(name) = &self.repository.secret_ref {
            self.add_pull_secret(name, |id| format!("secrets \"{}\" not found", id.name));
        }
        let Some(account) = self.repository.service_account.as_ref().map(|name| self.id(name)) else {
            return;
        };
        match self.world.pull_secrets(&account) {
            Ok(names) => {
                for name in names {
                    self.add_pull_secret(name, |id| {
                        format!(
                            "failed to get image pull secret for serviceaccount '{account}': secret '{id}' not found"
                        )
                    });
                }
            }
            Err(AccountError::NotFound) if self.is_of_cluster() => {
                let reason = format!("serviceaccount '{account}' not found");
                self.keyring.stop(format!("service account {account}"), reason);
            }
            Err(error) => {
                let message = match error {
                    AccountError::NotFound => format!("serviceaccount '{account}' is nowhere to be read"),
                    AccountError::Refused(reason) => {
                        format!("serviceaccount '{account}' may not be read: {reason}")
                    }
                };
                self.problems.push(Problem::new(Code::SecretNotFound, self.subject(), message));
            }
        }
    }

    fn add_pull_secret(&mut self, name: &str, missing: impl FnOnce(&ObjectId) -> String) {
        let Some(secret) = self.secret(name, missing) else { return };
        let label = format!("secret {}", secret.id);
        let added = self.keyring.add_pull_secret(&label, &secret.kind, |key| secret.data.get(key));
        if let Err(error) = added {
            self.keyring.stop(label, error.to_string());
        }
    }

    /// The way that `certSecretRef` and `proxySecretRef` describe.
    fn find_way(&mut self) {
        let missing = |id: &ObjectId| format!("secret '{id}' not found");
        let repository = self.repository;
        let mut find = |name: &Option<String>| name.as_ref().and_then(|name| self.secret(name, missing));
        let (certificates, proxy) = (find(&repository.cert_secret_ref), find(&repository.proxy_secret_ref));
        if certificates.is_some() || proxy.is_some() {
            self.keyring.set_transport(transport(certificates, proxy));
        }
    }

    /// A secret that is named. One that is broken, or that an object of the cluster names and nobody has, stops the scan; another
    /// that cannot be had is passed over with a warning.
    fn secret(&mut self, name: &str, missing: impl FnOnce(&ObjectId) -> String) -> Option<&'a Secret> {
        let id = self.id(name);
        let error = match self.world.secret(&id) {
            Ok(secret) => return Some(secret),
            Err(error) => error,
        };
        if let SecretError::Broken { .. } = error {
            self.keyring.stop(format!("secret {id}"), error.to_string());
        } else if self.is_of_cluster() && self.world.cluster_lacks(&id) {
            self.keyring.stop(format!("secret {id}"), missing(&id));
        } else {
            self.problems.push(error.warning(self.subject()));
        }
        None
    }

    /// Whether a controller has the object, so that what it names has to be in the cluster.
    fn is_of_cluster(&self) -> bool {
        self.repository.meta.origin.source == "cluster"
    }
}

fn transport(certificates: Option<&Secret>, proxy: Option<&Secret>) -> Result<Transport, TransportError> {
    let mut transport = Transport::default();
    if let Some(secret) = certificates {
        transport.add_certificates(&secret.id.to_string(), |key| secret.data.get(key))?;
    }
    if let Some(secret) = proxy {
        transport.add_proxy(&secret.id.to_string(), |key| secret.data.get(key))?;
    }
    Ok(transport)
}

impl World {
    /// Whether the cluster was asked for a secret and has none of that name.
    fn cluster_lacks(&self, id: &ObjectId) -> bool {
        let found = self.live.as_ref().map(|live| live.read.secrets.find(id));
        matches!(found, Some(Err(SecretError::NotFound(_))))
    }

    /// The pull secrets of a service account, of the cluster or of the files.
    fn pull_secrets(&self, account: &ObjectId) -> Result<&[String], AccountError> {
        let of_cluster = self.live.as_ref().map(|live| live.read.secrets.pull_secrets(account));
        match of_cluster {
            Some(Ok(names)) => Ok(names),
            // That it may not be read says more than that there is no file of it.
            Some(Err(refused @ AccountError::Refused(_))) => {
                self.secrets.pull_secrets(account).map_err(|_elsewhere| refused)
            }
            Some(Err(AccountError::NotFound)) | None => self.secrets.pull_secrets(account),
        }
    }
}
