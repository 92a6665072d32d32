//! Secrets and service accounts of a cluster, each read by its name because an object refers to it; never listed.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use k8s_openapi::api::core::v1::{Secret as SecretObject, ServiceAccount};
use kube::api::Api;

use super::{Act, Cluster};
use crate::domain::inventory::Inventory;
use crate::domain::object::{ObjectId, Origin};
use crate::problem::Problem;
use crate::source::secrets::{Secret, Secrets};
use crate::text::SecretString;

/// How many are read at once.
const AT_ONCE: usize = 8;

/// What objects refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    secrets: BTreeSet<ObjectId>,
    accounts: BTreeSet<ObjectId>,
}

impl Wanted {
    /// The secrets and accounts that the objects of an inventory name.
    pub fn of(inventory: &Inventory) -> Self {
        let mut wanted = Self::default();
        for repository in inventory.repositories.values() {
            let names = [&repository.secret_ref, &repository.cert_secret_ref, &repository.proxy_secret_ref];
            let namespace = &repository.meta.id.namespace;
            wanted.secrets.extend(names.into_iter().flatten().map(|name| ObjectId::new(namespace, name)));
            wanted
                .accounts
                .extend(repository.service_account.iter().map(|name| ObjectId::new(namespace, name)));
        }
        for repository in inventory.git_repositories.values() {
            let names = [&repository.secret_ref, &repository.proxy_secret_ref];
            let namespace = &repository.meta.id.namespace;
            wanted.secrets.extend(names.into_iter().flatten().map(|name| ObjectId::new(namespace, name)));
        }
        for automation in inventory.automations.values() {
            let key = automation.git.as_ref().and_then(|git| git.signing_key.as_ref());
            wanted.secrets.extend(key.map(|(name, _)| ObjectId::new(&automation.meta.id.namespace, name)));
        }
        wanted
    }
}

impl Cluster {
    /// Reads what is wanted. One that is not there, or may not be read, is known as such afterwards and stops nothing.
    pub async fn secrets(&self, wanted: &Wanted) -> Secrets {
        let mut found = Secrets::default();
        let mut secrets: BTreeSet<ObjectId> = wanted.secrets.clone();
        let accounts = stream::iter(wanted.accounts.clone()).map(|id| async move {
            let account = self.account(&id).await;
            (id, account)
        });
        let accounts: Vec<_> = accounts.buffer_unordered(AT_ONCE).collect().await;
        for (id, account) in accounts {
            let Some(names) = account.map_err(|problem| problem.message).transpose() else { continue };
            let names_of = names.iter().flatten();
            secrets.extend(names_of.map(|name| ObjectId::new(&id.namespace, name)));
            found.add_account(id, names);
        }
        let read = stream::iter(secrets).map(|id| async move {
            let secret = self.secret(&id).await;
            (id, secret)
        });
        let read: Vec<_> = read.buffer_unordered(AT_ONCE).collect().await;
        for (id, secret) in read {
            match secret {
                Ok(Some(secret)) => found.add(secret),
                Ok(None) => {}
                Err(problem) => found.add_refused(id, problem.message),
            }
        }
        found
    }

    async fn secret(&self, id: &ObjectId) -> Result<Option<Secret>, Problem> {
        let api: Api<SecretObject> = Api::namespaced(self.client(), &id.namespace);
        let act = Act::new("get", format!("secrets/{}", id.name), Some(&id.namespace));
        let Some(object) = self.call(&act, api.get_opt(&id.name)).await? else { return Ok(None) };
        let values = object.data.unwrap_or_default().into_iter();
        let texts = values
            .filter_map(|(key, value)| Some((key, SecretString::from(String::from_utf8(value.0).ok()?))));
        let kind = object.type_.unwrap_or_else(|| "Opaque".to_owned());
        let origin = Origin { source: "cluster", file: None, line: None };
        Ok(Some(Secret { id: id.clone(), kind, data: texts.collect(), origin }))
    }

    async fn account(&self, id: &ObjectId) -> Result<Option<Vec<String>>, Problem> {
        let api: Api<ServiceAccount> = Api::namespaced(self.client(), &id.namespace);
        let act = Act::new("get", format!("serviceaccounts/{}", id.name), Some(&id.namespace));
        let account = self.call(&act, api.get_opt(&id.name)).await?;
        let named = |account: ServiceAccount| {
            account.image_pull_secrets.unwrap_or_default().into_iter().map(|secret| secret.name).collect()
        };
        Ok(account.map(named))
    }
}
