//! All of Flux's image objects of a cluster, as the same values that files become, and what controllers say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};

use super::kinds::{Kinds, RESOURCES, resource_of};
use super::{Act, Cluster, Snapshot};
use crate::domain::inventory::{Area, Inventory};
use crate::problem::{Code, Problem};

/// How many objects the API server is asked for at once.
pub(super) const PAGE: u32 = 500;

/// How many lists are read at once.
const AT_ONCE: usize = 8;

/// How often a list is begun again whose continuation the server has forgotten.
const TRIES: usize = 3;

/// How often, and how soon, a busy server is asked again for a page.
const BUSY: (usize, Duration) = (3, Duration::from_secs(1));

/// The server's answer where it is busy.
const TOO_MANY: u16 = 429;

/// The server's answer where it no longer knows the moment that is asked for.
pub(super) const GONE: u16 = 410;

/// Where objects are looked for that may not be listed in all namespaces at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fallback {
    /// In the namespace that the operator chose.
    Chosen(String),
    /// In those that are likely: of others nothing is known, which is told.
    Likely(BTreeSet<String>),
}

impl Fallback {
    /// The namespace that the operator chose.
    pub(super) fn chosen(&self) -> Option<&str> {
        match self {
            Self::Chosen(namespace) => Some(namespace),
            Self::Likely(_) => None,
        }
    }

    fn areas(&self, snapshot: &Snapshot) -> Vec<Area> {
        let namespaces: Vec<&String> = match self {
            Self::Chosen(namespace) => vec![namespace],
            Self::Likely(namespaces) => namespaces.iter().collect(),
        };
        let in_each =
            |kind| namespaces.iter().map(move |namespace| (kind, Some((*namespace).clone()))).collect();
        snapshot.refused().flat_map(|kind| -> Vec<Area> { in_each(kind) }).collect()
    }
}

impl Cluster {
    /// Reads all objects of the kinds that are served, in all namespaces, or where that is not allowed where `fallback` says, and
    /// where those that are read refer to.
    ///
    /// # Errors
    /// Nothing could be read; the first reason. What else could not be read is in the snapshot.
    pub async fn read(&self, kinds: &Kinds, fallback: &Fallback) -> Result<Snapshot, Problem> {
        let mut snapshot = Snapshot::default();
        snapshot.inventory.problems.extend(kinds.findings(&self.context));
        let served = RESOURCES.iter().filter(|resource| kinds.version(resource.kind).is_some());
        let served = served.map(|resource| (resource.kind, None)).collect();
        self.read_areas(kinds, served, &mut snapshot).await;
        self.read_areas(kinds, fallback.areas(&snapshot), &mut snapshot).await;
        if let Some(chosen) = fallback.chosen() {
            snapshot.narrow(chosen);
        }
        if snapshot.moments.is_empty()
            && let Some(first) = snapshot.refusals(fallback).into_iter().next()
        {
            return Err(first);
        }
        self.read_areas(kinds, snapshot.linked(), &mut snapshot).await;
        let refusals = snapshot.refusals(fallback);
        snapshot.inventory.problems.extend(refusals);
        self.read_labels(&mut snapshot.inventory).await;
        Ok(snapshot)
    }

    /// Reads lists into a snapshot, or why they cannot be read.
    async fn read_areas(&self, kinds: &Kinds, areas: Vec<Area>, snapshot: &mut Snapshot) {
        let lists = stream::iter(areas).map(|area| async move {
            let list = self.list(kinds, &area).await;
            (area, list)
        });
        let lists: Vec<_> = lists.buffered(AT_ONCE).collect().await;
        for (area, list) in lists {
            match list {
                Ok((part, moment)) => snapshot.take(&area, &part, &moment),
                Err(mut problem) => {
                    // A kind that went away is no name that was misspelt.
                    if problem.code == Code::NotFound {
                        problem.code = Code::BadAnswer;
                    }
                    snapshot.inventory.unread.note(area, problem);
                }
            }
        }
    }

    /// One list, and the moment that it is of.
    async fn list(&self, kinds: &Kinds, area: &Area) -> Result<(Snapshot, String), Problem> {
        let (kind, namespace) = (area.0, area.1.as_deref());
        let resource = resource_of(kind);
        let version = kinds.version(kind).unwrap_or_default();
        let api = self.api_of(&resource.in_version(version), namespace);
        let act = Act::new("list", resource.plural, namespace);
        for _ in 1..TRIES {
            if let Some(list) = self.pages(&act, &api, (area, version)).await? {
                return Ok(list);
            }
        }
        Err(Problem::new(
            Code::BadAnswer,
            &self.context,
            format!("{act}: the list changes faster than it is read"),
        ))
    }

    /// The objects of a kind, in one namespace or in all.
    pub(super) fn api_of(&self, kind: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, kind),
            None => Api::all_with(self.client(), kind),
        }
    }

    /// All pages of a list; `None` if the server forgot meanwhile which moment they are of.
    async fn pages(
        &self,
        act: &Act,
        api: &Api<DynamicObject>,
        ((kind, _), api_version): (&Area, &str),
    ) -> Result<Option<(Snapshot, String)>, Problem> {
        let mut params = ListParams::default().limit(PAGE);
        let mut part = Snapshot::default();
        let mut busy = 0;
        loop {
            let page = match self.ask(act, api.list(&params)).await? {
                Err(kube::Error::Api(status)) if status.code == GONE => return Ok(None),
                Err(kube::Error::Api(status)) if status.code == TOO_MANY && busy < BUSY.0 => {
                    busy += 1;
                    tokio::time::sleep(BUSY.1).await;
                    continue;
                }
                answer => answer.map_err(|error| act.problem(&self.context, &error))?,
            };
            let moment = page.metadata.resource_version.unwrap_or_default();
            // A page becomes values before the next one comes: what was read is larger than what is kept.
            page.items.into_iter().for_each(|object| part.add(*kind, api_version, object));
            match page.metadata.continue_.filter(|next| !next.is_empty()) {
                Some(next) => params = params.continue_token(&next),
                None => return Ok(Some((part, moment))),
            }
        }
    }

    /// Reads the labels of namespaces where repositories let others in by them: of all, or where that is not allowed of those
    /// whose policies want to be let in. Who may read a namespace may well read its labels, and no others.
    async fn read_labels(&self, inventory: &mut Inventory) {
        if !inventory.repositories.values().any(|repository| repository.access_from.is_some()) {
            return;
        }
        let why = match self.namespaces().await {
            Ok(all) => {
                inventory.namespaces = all;
                return;
            }
            Err(why) => why,
        };
        let asked = stream::iter(guests(inventory)).map(|name| async move {
            let labels = self.labels(&name).await;
            labels.ok().flatten().map(|labels| (name, labels))
        });
        let known: Vec<_> = asked.buffered(AT_ONCE).filter_map(std::future::ready).collect().await;
        inventory.namespaces.extend(known);
        inventory.unread.labels = Some(why);
    }

    async fn namespaces(&self) -> Result<BTreeMap<String, BTreeMap<String, String>>, Problem> {
        let api: Api<Namespace> = Api::all(self.client());
        let act = Act::cluster_wide("list", "namespaces");
        let list = self.call(&act, api.list_metadata(&ListParams::default())).await?;
        let named = list
            .items
            .into_iter()
            .filter_map(|one| Some((one.metadata.name?, one.metadata.labels.unwrap_or_default())));
        Ok(named.collect())
    }

    async fn labels(&self, namespace: &str) -> Result<Option<BTreeMap<String, String>>, Problem> {
        let api: Api<Namespace> = Api::all(self.client());
        let act = Act::cluster_wide("get", format!("namespaces/{namespace}"));
        let found = self.call(&act, api.get_metadata_opt(namespace)).await?;
        Ok(found.map(|one| one.metadata.labels.unwrap_or_default()))
    }
}

/// How many namespaces are asked for their labels one by one.
const GUESTS: usize = 50;

/// The namespaces of policies that read a repository of another one, which lets others in.
fn guests(inventory: &Inventory) -> BTreeSet<String> {
    let guests = inventory.policies.values().filter_map(|policy| {
        let host = inventory.repositories.get(&policy.repository)?;
        let own = &policy.meta.id.namespace;
        (host.access_from.is_some() && host.meta.id.namespace != *own).then(|| own.clone())
    });
    guests.collect::<BTreeSet<_>>().into_iter().take(GUESTS).collect()
}
