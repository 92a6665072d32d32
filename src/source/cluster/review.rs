//! What the operator may do there, which of Flux's controllers run, and how far the clocks are apart.
//!
//! Source: Kubernetes, "Checking API access"; `fluxcd/flux2:cmd/flux/check.go`.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::{ListParams, PostParams};

use super::{Act, Cluster};
use crate::problem::Problem;

/// The label that Flux's own installation puts on all its parts.
const PART_OF: &str = "app.kubernetes.io/part-of=flux";

/// One of Flux's controllers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// Its name, such as `image-reflector-controller`.
    pub name: String,
    /// Whether at least one of its pods is ready.
    pub is_ready: bool,
    /// The image that it runs.
    pub image: String,
}

impl Cluster {
    /// Whether the operator may do `verb` to a resource (`GROUP`, `PLURAL`) in a namespace, or in all of them.
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn may(
        &self,
        verb: &'static str,
        (group, plural): (&str, &str),
        namespace: Option<&str>,
    ) -> Result<bool, Problem> {
        let attributes = ResourceAttributes {
            verb: Some(verb.to_owned()),
            group: Some(group.to_owned()),
            resource: Some(plural.to_owned()),
            namespace: namespace.map(str::to_owned),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client());
        let act = Act::cluster_wide("create", "selfsubjectaccessreviews");
        let answer = self.call(&act, api.create(&PostParams::default(), &review)).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    /// Flux's controllers, by name.
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn controllers(&self) -> Result<Vec<Controller>, Problem> {
        let api: Api<Deployment> = Api::all(self.client());
        let act = Act::new("list", "deployments", None);
        let list = self.call(&act, api.list(&ListParams::default().labels(PART_OF))).await?;
        let mut all: Vec<Controller> = list.items.iter().map(controller).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// What time it is at the API server, to the second: the time it would give an object that is never made.
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn clock(&self, namespace: &str) -> Result<Option<Timestamp>, Problem> {
        use k8s_openapi::api::core::v1::ConfigMap;
        let api: Api<ConfigMap> = Api::namespaced(self.client(), namespace);
        let mut trial = ConfigMap::default();
        trial.metadata.generate_name = Some("supercargo-check-".to_owned());
        let parameters = PostParams { dry_run: true, ..PostParams::default() };
        let act = Act::new("create", "configmaps", Some(namespace));
        let made = self.call(&act, api.create(&parameters, &trial)).await?;
        Ok(made.metadata.creation_timestamp.map(|time| time.0))
    }
}

fn controller(deployment: &Deployment) -> Controller {
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas);
    let pod = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let image = pod.and_then(|pod| pod.containers.first()?.image.clone());
    Controller {
        name: deployment.metadata.name.clone().unwrap_or_default(),
        is_ready: ready.unwrap_or_default() > 0,
        image: image.unwrap_or_default(),
    }
}
