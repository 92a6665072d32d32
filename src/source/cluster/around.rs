//! What stands around the image objects: the workloads that run images, and the Kustomizations that apply files.
//!
//! Of a workload only its name and its images are kept, of each page before the next one comes: what a cluster runs is a
//! hundred times as large as what is shown of it. Workloads are what makes pods; the pods themselves, and jobs that ran once,
//! are not read. Whatever may not be read is a reason in the answer and no error.
//!
//! Source: Kubernetes, "API concepts" (`limit`, `continue`); `fluxcd/kustomize-controller:api/v1/kustomization_types.go`.

use futures::future::join_all;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::CronJob;
use kube::Resource as _;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kinds::Kinds;
use super::read::PAGE;
use super::{Act, Cluster, reported};
use crate::domain::inventory::clean_path;
use crate::domain::kustomization::{Kustomization, Kustomizations};
use crate::domain::object::ObjectId;
use crate::domain::running::{Running, Workload};
use crate::problem::{Code, Problem};

/// Where a watch of a kind goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// The server's name for it.
    pub version: String,
    /// The namespace that alone was allowed to be read; `None`: all were.
    pub only: Option<String>,
}

/// Where a watch of each resource goes on.
pub type Places = Vec<(ApiResource, Moment)>;

/// A page of a list, without what is not looked at.
#[derive(Deserialize)]
struct Page<T> {
    metadata: PageMeta,
    items: Vec<T>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PageMeta {
    resource_version: String,
    r#continue: String,
}

#[derive(Deserialize)]
struct Item {
    metadata: Name,
    #[serde(default)]
    spec: WorkloadSpec,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Name {
    name: String,
    namespace: String,
}

impl Name {
    fn id(self) -> ObjectId {
        ObjectId::new(self.namespace, self.name)
    }
}

/// `spec` of every kind of workload.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WorkloadSpec {
    replicas: Option<u32>,
    suspend: Option<bool>,
    template: Template,
    job_template: JobTemplate,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JobTemplate {
    spec: JobSpec,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JobSpec {
    template: Template,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Template {
    spec: PodSpec,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Container {
    image: String,
}

impl WorkloadSpec {
    /// The images of its pods; none where it makes no pods now.
    fn images(self) -> impl Iterator<Item = String> {
        let rests = self.replicas == Some(0) || self.suspend == Some(true);
        let pods = [self.template.spec, self.job_template.spec.template.spec];
        let containers =
            pods.into_iter().flat_map(|pod| pod.containers.into_iter().chain(pod.init_containers));
        containers.map(|container| container.image).filter(move |image| !rests && !image.is_empty())
    }
}

/// What is read of a `Kustomization`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct KustomizationSpec {
    path: String,
    suspend: bool,
    source_ref: SourceRef,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SourceRef {
    kind: String,
    name: String,
    namespace: String,
}

/// The kinds of workloads, and what people call them.
fn workloads() -> [(&'static str, ApiResource); 4] {
    [
        ("Deployment", ApiResource::erase::<Deployment>(&())),
        ("StatefulSet", ApiResource::erase::<StatefulSet>(&())),
        ("DaemonSet", ApiResource::erase::<DaemonSet>(&())),
        ("CronJob", ApiResource::erase::<CronJob>(&())),
    ]
}

/// All of one resource, as far as it may be read.
struct Listed<K> {
    items: Vec<K>,
    /// `None`: nothing was read.
    moment: Option<Moment>,
    problem: Option<Problem>,
}

impl<K> Listed<K> {
    fn none(problem: Option<Problem>) -> Self {
        Self { items: Vec::new(), moment: None, problem }
    }
}

impl Cluster {
    /// Which images run, in all namespaces, or where that is not allowed in the namespace of `place` alone, which says too whether
    /// the operator chose it; and where watches go on.
    pub async fn running(&self, place: (&str, bool)) -> (Running, Places) {
        let kinds = workloads();
        let lists = kinds.iter().map(|(name, kind)| self.whole(kind, place, |item: Item| item.uses(name)));
        let lists = join_all(lists).await;
        let (mut running, mut places) = (Running::default(), Places::new());
        for (list, (_, kind)) in lists.into_iter().zip(kinds) {
            for (workload, images) in &list.items {
                for image in images {
                    running.add(image, workload);
                }
            }
            running.unread.extend(list.problem);
            places.extend(list.moment.map(|moment| (kind, moment)));
        }
        (running, places)
    }

    /// What applies files, as [`Self::running`].
    pub async fn kustomizations(&self, kinds: &Kinds, place: (&str, bool)) -> (Kustomizations, Places) {
        let mut found = Kustomizations::default();
        let Some(kind) = kinds.kustomization() else { return (found, Places::new()) };
        let list = self.whole(&kind, place, kustomization).await;
        for item in list.items {
            match item {
                Ok(one) => drop(found.all.insert(one.id.clone(), one)),
                Err((id, error)) => {
                    let message = format!("Kustomization {id} of the cluster is passed over: {error}");
                    found.unread.push(Problem::new(Code::Skipped, id.to_string(), message));
                }
            }
        }
        found.unread.extend(list.problem);
        (found, list.moment.map(|moment| (kind, moment)).into_iter().collect())
    }

    async fn whole<T: DeserializeOwned, K>(
        &self,
        kind: &ApiResource,
        (fallback, is_chosen): (&str, bool),
        keep: impl Fn(T) -> K,
    ) -> Listed<K> {
        match self.listed(kind, None, &keep).await {
            Ok(listed) => listed,
            Err(refusal) if refusal.code == Code::ClusterForbidden => {
                let listed = match self.listed(kind, Some(fallback), &keep).await {
                    Ok(listed) if is_chosen => return listed,
                    Ok(listed) => listed,
                    Err(narrow) => return Listed::none(Some(if is_chosen { narrow } else { refusal })),
                };
                let message = format!("{}; only namespace {fallback} is looked at", refusal.message);
                Listed { problem: Some(Problem { message, ..refusal }), ..listed }
            }
            // A server that is older than a kind has none of it.
            Err(problem) => Listed::none(Some(problem).filter(|problem| problem.code != Code::NotFound)),
        }
    }

    async fn listed<T: DeserializeOwned, K>(
        &self,
        kind: &ApiResource,
        namespace: Option<&str>,
        keep: &impl Fn(T) -> K,
    ) -> Result<Listed<K>, Problem> {
        let act = Act::new("list", &kind.plural, namespace);
        let url = DynamicObject::url_path(kind, namespace);
        let mut params = ListParams::default().limit(PAGE);
        let mut listed = Listed::none(None);
        loop {
            let request = Request::new(&url).list(&params).map_err(kube::Error::BuildRequest);
            let client = self.client();
            let page = self.call(&act, async move { client.request::<Page<T>>(request?).await }).await?;
            listed.items.extend(page.items.into_iter().map(keep));
            let only = namespace.map(str::to_owned);
            listed.moment = Some(Moment { version: page.metadata.resource_version, only });
            if page.metadata.r#continue.is_empty() {
                return Ok(listed);
            }
            params = params.continue_token(&page.metadata.r#continue);
        }
    }
}

impl Item {
    fn uses(self, kind: &'static str) -> (Workload, Vec<String>) {
        (Workload { kind, id: self.metadata.id() }, self.spec.images().collect())
    }
}

fn kustomization(mut item: Value) -> Result<Kustomization, (ObjectId, serde_json::Error)> {
    let id = Name::deserialize(&item["metadata"]).unwrap_or_default().id();
    let spec = match KustomizationSpec::deserialize(item["spec"].take()) {
        Ok(spec) => spec,
        Err(error) => return Err((id, error)),
    };
    let SourceRef { kind, name, namespace } = spec.source_ref;
    let namespace = if namespace.is_empty() { id.namespace.clone() } else { namespace };
    Ok(Kustomization {
        source: (kind == "GitRepository").then(|| ObjectId::new(namespace, name)),
        path: clean_path(&spec.path),
        suspend: spec.suspend,
        status: reported::read(&item["status"], 0).status(),
        id,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn images(kind: &'static str, spec: &Value) -> Vec<String> {
        let object = json!({ "metadata": { "namespace": "shop", "name": "web" }, "spec": spec });
        let (workload, images) = Item::deserialize(object).unwrap().uses(kind);
        assert_eq!(workload.to_string(), format!("{kind} shop/web"));
        images
    }

    #[test]
    fn what_makes_no_pods_now_runs_nothing() {
        let pod = json!({ "spec": { "containers": [{ "image": "web:1" }], "initContainers": [{ "image": "init:2" }] } });
        assert_eq!(images("Deployment", &json!({ "replicas": 2, "template": pod })), ["web:1", "init:2"]);
        assert_eq!(images("DaemonSet", &json!({ "template": pod })), ["web:1", "init:2"]);
        assert!(images("Deployment", &json!({ "replicas": 0, "template": pod })).is_empty());
        let job = json!({ "spec": { "template": pod } });
        assert_eq!(images("CronJob", &json!({ "suspend": false, "jobTemplate": job })), ["web:1", "init:2"]);
        assert!(images("CronJob", &json!({ "suspend": true, "jobTemplate": job })).is_empty());
    }

    #[test]
    fn a_kustomization_says_what_it_applies_from_where_and_one_that_does_not_fit_is_named() {
        let object = |spec: Value| {
            json!({ "metadata": { "namespace": "flux-system", "name": "apps" }, "spec": spec,
                "status": { "conditions": [{ "type": "Ready", "status": "False", "reason": "BuildFailed", "message": "no" }] } })
        };
        let source = json!({ "kind": "GitRepository", "name": "fleet" });
        let found = kustomization(object(json!({ "path": "./apps/", "suspend": true, "sourceRef": source })))
            .unwrap();
        assert_eq!((found.path.as_str(), found.suspend), ("apps", true));
        assert_eq!(found.source, Some(ObjectId::new("flux-system", "fleet")));
        assert_eq!(found.status.message, "no");
        let other = json!({ "path": "./", "sourceRef": { "kind": "OCIRepository", "name": "fleet" } });
        let found = kustomization(object(other)).unwrap();
        assert_eq!((found.path.as_str(), found.source), ("", None));
        let (id, _) = kustomization(object(json!({ "suspend": "perhaps" }))).unwrap_err();
        assert_eq!(id.to_string(), "flux-system/apps");
    }
}
