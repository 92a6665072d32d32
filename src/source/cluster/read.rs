//! All of Flux's image objects of a cluster, as the same values that files become, and what controllers say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kinds::{Kinds, RESOURCES, Resource};
use super::{Act, Cluster, reported};
use crate::domain::controller::Reports;
use crate::domain::inventory::{Inventory, Object};
use crate::domain::object::{ImageRepository, Kind, Meta, ObjectId, Origin};
use crate::problem::{Code, Problem};
use crate::source::flux::{AutomationSpec, GitRepositorySpec, ImagePolicySpec, ImageRepositorySpec};

/// How many objects the API server is asked for at once.
pub(super) const PAGE: u32 = 500;

/// How often a list is begun again whose continuation the server has forgotten.
const TRIES: usize = 3;

/// How often, and how soon, a busy server is asked again for a page.
const BUSY: (usize, Duration) = (3, Duration::from_secs(1));

/// The server's answer where it is busy.
const TOO_MANY: u16 = 429;

/// The server's answer where it no longer knows the moment that is asked for.
pub(super) const GONE: u16 = 410;

/// What a cluster holds at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The objects; those that do not fit our types are problems in it.
    pub inventory: Inventory,
    /// What controllers say of them.
    pub reports: Arc<Reports>,
    /// Which moment that is of each kind that was read.
    pub moments: BTreeMap<Kind, Moment>,
    /// Why nothing was read of a kind that is served.
    pub unread: BTreeMap<Kind, Problem>,
}

/// Where a watch of a kind goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// The server's name for it.
    pub version: String,
    /// The namespace that alone was allowed to be read; `None`: all were.
    pub only: Option<String>,
}

impl Snapshot {
    /// Whether an object of this kind and namespace would be in here if the cluster had it.
    pub fn covers(&self, kind: Kind, namespace: &str) -> bool {
        self.moments
            .get(&kind)
            .is_some_and(|moment| moment.only.as_deref().is_none_or(|only| only == namespace))
    }

    /// Takes from `last` the kinds that could not be read for a moment; what is denied or gone stays away. Whether there was
    /// such a kind.
    pub fn keep(&mut self, last: &Self) -> bool {
        let failed: Vec<Kind> =
            self.unread.iter().filter(|(_, problem)| passes(problem)).map(|(kind, _)| *kind).collect();
        for kind in &failed {
            let Some(moment) = last.moments.get(kind) else { continue };
            self.unread.remove(kind);
            self.moments.insert(*kind, moment.clone());
            take(&mut self.inventory, *kind, &last.inventory);
            let reports = last.reports.iter().filter(|((of, _), _)| of == kind);
            Arc::make_mut(&mut self.reports)
                .extend(reports.map(|(key, report)| (key.clone(), report.clone())));
        }
        !failed.is_empty()
    }
}

/// Whether what failed may work a moment later; what is denied or gone stays away.
pub fn passes(problem: &Problem) -> bool {
    matches!(problem.code, Code::Unreachable | Code::Timeout | Code::RateLimited | Code::ClusterUnauthorized)
}

/// The objects of one kind.
struct Listed {
    kind: Kind,
    part: Snapshot,
    /// Set where all namespaces were not allowed.
    refusal: Option<Problem>,
}

impl Cluster {
    /// Reads all objects of the kinds that are served, in all namespaces, or where that is not allowed in `fallback` alone; that only
    /// those are read is a problem, unless the namespace `is_chosen` by the operator.
    ///
    /// # Errors
    /// No kind could be read; the first reason. Of a kind that alone could not be read, that is in the problems.
    pub async fn read(
        &self,
        kinds: &Kinds,
        (fallback, is_chosen): (&str, bool),
    ) -> Result<Snapshot, Problem> {
        let served: Vec<(Resource, &str)> = RESOURCES
            .iter()
            .filter_map(|resource| Some((*resource, kinds.version(resource.kind)?)))
            .collect();
        let lists =
            served.iter().map(|(resource, version)| self.list(*resource, version, (fallback, is_chosen)));
        let lists = join_all(lists).await;
        let mut snapshot = Snapshot::default();
        snapshot.inventory.problems.extend(kinds.findings(&self.context));
        let is_refused = !lists.is_empty() && lists.iter().all(Result::is_err);
        for (list, (resource, _)) in lists.into_iter().zip(&served) {
            match list {
                Ok(list) => snapshot.take(list, fallback),
                Err(problem) if is_refused => return Err(problem),
                Err(mut problem) => {
                    // A kind that went away is no name that was misspelt.
                    if problem.code == Code::NotFound {
                        problem.code = Code::BadAnswer;
                    }
                    snapshot.unread.insert(resource.kind, problem.clone());
                    snapshot.inventory.problems.push(problem);
                }
            }
        }
        advise_once(&mut snapshot.inventory.problems);
        if snapshot.inventory.repositories.values().any(|repository| repository.access_from.is_some()) {
            snapshot.inventory.namespaces = self.namespaces().await.unwrap_or_default();
        }
        Ok(snapshot)
    }

    async fn list(
        &self,
        resource: Resource,
        version: &str,
        (fallback, is_chosen): (&str, bool),
    ) -> Result<Listed, Problem> {
        match self.list_in(resource, version, None).await {
            Err(refusal) if refusal.code == Code::ClusterForbidden => {
                // What the operator asked for is what a person wants to hear of.
                match self.list_in(resource, version, Some(fallback)).await {
                    Ok(listed) if is_chosen => Ok(listed),
                    Ok(listed) => Ok(Listed { refusal: Some(refusal), ..listed }),
                    Err(narrow) => Err(if is_chosen { narrow } else { refusal }),
                }
            }
            other => other,
        }
    }

    async fn list_in(
        &self,
        resource: Resource,
        version: &str,
        namespace: Option<&str>,
    ) -> Result<Listed, Problem> {
        let api = self.api_of(&resource.in_version(version), namespace);
        let act = Act::new("list", resource.plural, namespace);
        for _ in 1..TRIES {
            if let Some(part) = self.pages(&act, &api, (resource.kind, version, namespace)).await? {
                return Ok(Listed { kind: resource.kind, part, refusal: None });
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
        (kind, api_version, namespace): (Kind, &str, Option<&str>),
    ) -> Result<Option<Snapshot>, Problem> {
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
            let version = page.metadata.resource_version.unwrap_or_default();
            part.moments.insert(kind, Moment { version, only: namespace.map(str::to_owned) });
            // A page becomes values before the next one comes: what was read is larger than what is kept.
            page.items.into_iter().for_each(|object| part.add(kind, api_version, object));
            match page.metadata.continue_.filter(|next| !next.is_empty()) {
                Some(next) => params = params.continue_token(&next),
                None => return Ok(Some(part)),
            }
        }
    }

    /// The labels of all namespaces; `None` if they may not be read, which is then said where they would matter.
    async fn namespaces(&self) -> Option<BTreeMap<String, BTreeMap<String, String>>> {
        let api: Api<Namespace> = Api::all(self.client());
        let act = Act::cluster_wide("list", "namespaces");
        let list = self.call(&act, api.list_metadata(&ListParams::default())).await.ok()?;
        let named = list
            .items
            .into_iter()
            .filter_map(|one| Some((one.metadata.name?, one.metadata.labels.unwrap_or_default())));
        Some(named.collect())
    }
}

impl Snapshot {
    fn take(&mut self, list: Listed, fallback: &str) {
        let Listed { kind, part, refusal } = list;
        let (mine, its) = (&mut self.inventory, part.inventory);
        take(mine, kind, &its);
        mine.problems.extend(its.problems);
        Arc::make_mut(&mut self.reports).extend(Arc::unwrap_or_clone(part.reports));
        self.moments.extend(part.moments);
        if let Some(refusal) = refusal {
            let message = format!("{}; only namespace {fallback} is shown", refusal.message);
            self.inventory.problems.push(Problem { message, ..refusal });
        }
    }

    fn add(&mut self, kind: Kind, version: &str, object: DynamicObject) {
        let id = ObjectId::new(
            object.metadata.namespace.unwrap_or_default(),
            object.metadata.name.unwrap_or_default(),
        );
        let status = reported::read(&object.data["status"], object.metadata.generation.unwrap_or_default());
        let meta = Meta {
            id: id.clone(),
            version: version.to_owned(),
            labels: object.metadata.labels.unwrap_or_default(),
            origin: Origin { source: "cluster", file: None, line: None },
        };
        match object_of(kind, meta, object.data) {
            Ok(Object::Repository(repository)) => {
                let is_past_gates = status.is_past_gates();
                self.inventory.add(Object::Repository(ImageRepository { is_past_gates, ..repository }));
            }
            Ok(object) => self.inventory.add(object),
            Err(error) => {
                let message = format!("{kind} {id} of the cluster is passed over: {error}");
                let problem = Problem::new(Code::Skipped, id.to_string(), message);
                self.inventory.unfit.insert((kind, id.clone()), problem);
            }
        }
        Arc::make_mut(&mut self.reports).insert((kind, id), status);
    }
}

/// Of several refusals, one after the other, the same advice serves once.
fn advise_once(problems: &mut [Problem]) {
    let mut said = BTreeSet::new();
    for problem in problems.iter_mut().filter(|problem| problem.code == Code::ClusterForbidden) {
        problem.hint = problem.hint.take().filter(|hint| said.insert(hint.clone()));
    }
}

/// Makes the objects of a kind those of `from`.
fn take(inventory: &mut Inventory, kind: Kind, from: &Inventory) {
    let unfit = from.unfit.iter().filter(|((of, _), _)| *of == kind);
    inventory.unfit.extend(unfit.map(|(key, problem)| (key.clone(), problem.clone())));
    match kind {
        Kind::ImageRepository => inventory.repositories.clone_from(&from.repositories),
        Kind::ImagePolicy => inventory.policies.clone_from(&from.policies),
        Kind::ImageUpdateAutomation => inventory.automations.clone_from(&from.automations),
        Kind::GitRepository => inventory.git_repositories.clone_from(&from.git_repositories),
    }
}

fn object_of(kind: Kind, meta: Meta, mut data: Value) -> Result<Object, serde_json::Error> {
    fn spec<T: DeserializeOwned>(data: &mut Value) -> Result<T, serde_json::Error> {
        serde_json::from_value(data["spec"].take())
    }
    let data = &mut data;
    Ok(match kind {
        Kind::ImageRepository => Object::Repository(spec::<ImageRepositorySpec>(data)?.into_domain(meta)),
        Kind::ImagePolicy => Object::Policy(spec::<ImagePolicySpec>(data)?.into_domain(meta)),
        Kind::ImageUpdateAutomation => {
            Object::Automation(Box::new(spec::<AutomationSpec>(data)?.into_domain(meta)))
        }
        Kind::GitRepository => Object::Git(spec::<GitRepositorySpec>(data)?.into_domain(meta)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_that_does_not_fit_is_named_with_its_reason_and_stops_nothing() {
        let mut snapshot = Snapshot::default();
        let mut add = |name: &str, spec: Value| {
            let object = json!({ "metadata": { "namespace": "shop", "name": name }, "spec": spec });
            snapshot.add(Kind::ImageRepository, "v1", serde_json::from_value(object).unwrap());
        };
        add("web", json!({ "image": "reg/web", "interval": "soon" }));
        add("api", json!({ "image": "reg/api", "interval": "5m" }));
        assert_eq!(snapshot.inventory.repositories.len(), 1);
        let said = &snapshot.inventory.unfit[&(Kind::ImageRepository, ObjectId::new("shop", "web"))];
        assert_eq!((said.code, said.subject.as_str()), (Code::Skipped, "shop/web"));
        assert!(
            said.message.starts_with("ImageRepository shop/web of the cluster is passed over: "),
            "{said:?}"
        );
        assert_eq!(snapshot.reports.len(), 2);
    }

    #[test]
    fn a_repository_that_its_controller_dealt_with_is_past_the_feature_gates() {
        let gated = |generation: i64, ready: &str, reason: &str| {
            let object = json!({
                "metadata": { "namespace": "shop", "name": "web", "generation": generation },
                "spec": { "image": "reg/web", "interval": "5m", "provider": "aws", "serviceAccountName": "web" },
                "status": { "observedGeneration": 2, "conditions":
                    [{ "type": "Ready", "status": ready, "reason": reason, "message": "" }] },
            });
            let mut snapshot = Snapshot::default();
            snapshot.add(Kind::ImageRepository, "v1", serde_json::from_value(object).unwrap());
            snapshot.inventory.repositories[&ObjectId::new("shop", "web")].is_gated()
        };
        assert!(!gated(2, "True", "Succeeded") && !gated(2, "False", "AuthenticationFailed"));
        assert!(gated(2, "False", "FeatureGateDisabled") && gated(2, "Unknown", "Progressing"));
        assert!(gated(3, "True", "Succeeded"), "it was another spec that passed");
    }

    #[test]
    fn what_is_refused_for_several_kinds_has_its_advice_once() {
        let refused = |kind: &str| Problem::new(Code::ClusterForbidden, "prod", kind).hint("Ask for a role.");
        let mut problems =
            [refused("a"), Problem::new(Code::Skipped, "b", "b").hint("Ask for a role."), refused("c")];
        advise_once(&mut problems);
        assert_eq!(problems.each_ref().map(|problem| problem.hint.is_some()), [true, true, false]);
    }

    #[test]
    fn what_was_read_of_one_namespace_tells_nothing_of_the_others() {
        let mut snapshot = Snapshot::default();
        let only = Some("shop".to_owned());
        snapshot.moments.insert(Kind::ImagePolicy, Moment { version: "7".to_owned(), only });
        snapshot.moments.insert(Kind::GitRepository, Moment::default());
        assert!(snapshot.covers(Kind::ImagePolicy, "shop") && !snapshot.covers(Kind::ImagePolicy, "edge"));
        assert!(
            snapshot.covers(Kind::GitRepository, "edge") && !snapshot.covers(Kind::ImageRepository, "shop")
        );
    }

    #[test]
    fn a_kind_that_fails_for_a_moment_is_kept_as_it_was_and_a_denied_one_is_not() {
        let mut last = Snapshot::default();
        let object = json!({ "metadata": { "namespace": "shop", "name": "web" },
            "spec": { "image": "reg/web", "interval": "5m" } });
        last.add(Kind::ImageRepository, "v1", serde_json::from_value(object).unwrap());
        last.moments.insert(Kind::ImageRepository, Moment::default());
        let after = |code| {
            let mut now = Snapshot::default();
            now.unread.insert(Kind::ImageRepository, Problem::new(code, "prod", "list imagerepositories"));
            let is_kept = now.keep(&last);
            (is_kept, now.inventory.repositories.len(), now.reports.len(), now.unread.len())
        };
        assert_eq!(after(Code::Unreachable), (true, 1, 1, 0));
        assert_eq!(after(Code::ClusterForbidden), (false, 0, 0, 1));
    }
}
