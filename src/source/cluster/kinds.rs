//! Which of Flux's kinds a cluster serves, and in which version: asked, not assumed.

use std::collections::BTreeMap;

use kube::core::{ApiResource, GroupVersionKind};

use super::{Act, Cluster};
use crate::domain::object::Kind;
use crate::problem::{Code, Problem};
use crate::source::flux::{IMAGE_GROUP, KUSTOMIZE_GROUP, SOURCE_GROUP, VERSIONS};

/// A kind of ours as the API server names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// The kind.
    pub kind: Kind,
    /// Its API group.
    pub group: &'static str,
    /// Its name in addresses and in RBAC.
    pub plural: &'static str,
}

/// All kinds that are read.
pub const RESOURCES: [Resource; 4] = [
    Resource { kind: Kind::ImageRepository, group: IMAGE_GROUP, plural: "imagerepositories" },
    Resource { kind: Kind::ImagePolicy, group: IMAGE_GROUP, plural: "imagepolicies" },
    Resource { kind: Kind::ImageUpdateAutomation, group: IMAGE_GROUP, plural: "imageupdateautomations" },
    Resource { kind: Kind::GitRepository, group: SOURCE_GROUP, plural: "gitrepositories" },
];

/// The resource of a kind.
pub fn resource_of(kind: Kind) -> Resource {
    match kind {
        Kind::ImageRepository => RESOURCES[0],
        Kind::ImagePolicy => RESOURCES[1],
        Kind::ImageUpdateAutomation => RESOURCES[2],
        Kind::GitRepository => RESOURCES[3],
    }
}

impl Resource {
    /// The resource in a version, for the client.
    pub fn in_version(&self, version: &str) -> ApiResource {
        let gvk = GroupVersionKind::gvk(self.group, version, &self.kind.to_string());
        ApiResource::from_gvk_with_plural(&gvk, self.plural)
    }
}

/// What a cluster serves of [`RESOURCES`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// The version that each kind is read and written in: the first of [`VERSIONS`] that is served.
    versions: BTreeMap<Kind, String>,
    /// The versions that are served of each group, ours or not, in the server's order.
    served: BTreeMap<&'static str, Vec<String>>,
}

impl Kinds {
    /// The version in which a kind is served; `None`: it is not, or in none that we know.
    pub fn version(&self, kind: Kind) -> Option<&str> {
        self.versions.get(&kind).map(String::as_str)
    }

    /// A kind for the client; `None` as in [`Self::version`].
    pub fn api(&self, kind: Kind) -> Option<ApiResource> {
        self.version(kind).map(|version| resource_of(kind).in_version(version))
    }

    /// `Kustomization`, in the first of [`VERSIONS`] that is served; `None`: it is in none.
    pub fn kustomization(&self) -> Option<ApiResource> {
        let served = self.served.get(KUSTOMIZE_GROUP)?;
        let version = VERSIONS.iter().find(|version| served.iter().any(|one| one == *version))?;
        let gvk = GroupVersionKind::gvk(KUSTOMIZE_GROUP, version, "Kustomization");
        Some(ApiResource::from_gvk_with_plural(&gvk, "kustomizations"))
    }

    /// Whether none of the kinds is served.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// What a person should know: a kind that is not there, or only in versions that we do not know.
    pub fn findings(&self, context: &str) -> Vec<Problem> {
        let missing = RESOURCES.iter().filter(|resource| self.version(resource.kind).is_none());
        missing.map(|resource| self.finding(resource, context)).collect()
    }

    fn finding(&self, resource: &Resource, context: &str) -> Problem {
        let Resource { kind, group, .. } = resource;
        let versions = self.served.get(group).map(Vec::as_slice).unwrap_or_default();
        let is_unknown = !versions.is_empty() && !versions.iter().any(|one| VERSIONS.contains(&one.as_str()));
        if is_unknown {
            let message = format!(
                "{kind} is served as {} only; versions read are {}",
                versions.join(", "),
                VERSIONS.join(", ")
            );
            return Problem::new(Code::Skipped, context, message)
                .hint("A later version of supercargo may read it.");
        }
        let components = match kind {
            Kind::GitRepository => "source-controller",
            Kind::ImageUpdateAutomation => "image-automation-controller",
            Kind::ImageRepository | Kind::ImagePolicy => "image-reflector-controller",
        };
        let message = format!("the cluster has no {kind}: {components} is not installed");
        Problem::new(Code::Skipped, context, message)
            .hint("flux install --components-extra=image-reflector-controller,image-automation-controller")
    }
}

impl Cluster {
    /// Asks which kinds are served.
    ///
    /// # Errors
    /// As [`Self::call`]. A kind that is not served is no error.
    pub async fn kinds(&self) -> Result<Kinds, Problem> {
        let client = self.client();
        let groups = self.call(&Act::cluster_wide("list", "API groups"), client.list_api_groups()).await?;
        let mut kinds = Kinds::default();
        let served = |group: &str| -> Vec<String> {
            let found = groups.groups.iter().find(|found| found.name == group);
            found
                .map(|found| found.versions.iter().map(|one| one.version.clone()).collect())
                .unwrap_or_default()
        };
        // One kind of it is read, which is served wherever the group is.
        kinds.served.insert(KUSTOMIZE_GROUP, served(KUSTOMIZE_GROUP));
        for group in [IMAGE_GROUP, SOURCE_GROUP] {
            let served = served(group);
            // Of one group, the kinds of one controller may be served in another version than those of another.
            for version in VERSIONS.iter().filter(|version| served.iter().any(|one| one == *version)) {
                let name = format!("{group}/{version}");
                let act = Act::cluster_wide("list", format!("the kinds of {name}"));
                let list = self.call(&act, client.list_api_group_resources(&name)).await?;
                for resource in RESOURCES.iter().filter(|resource| resource.group == group) {
                    if list.resources.iter().any(|one| one.name == resource.plural) {
                        kinds.versions.entry(resource.kind).or_insert_with(|| (*version).to_owned());
                    }
                }
            }
            kinds.served.insert(group, served);
        }
        Ok(kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_served_is_told_from_what_is_served_in_a_version_to_come() {
        let mut kinds = Kinds::default();
        kinds.versions.insert(Kind::GitRepository, "v1".to_owned());
        kinds.served.insert(SOURCE_GROUP, vec!["v1".to_owned()]);
        let words: Vec<String> = kinds.findings("prod").iter().map(|one| one.message.clone()).collect();
        assert_eq!(words.len(), 3);
        assert_eq!(words[1], "the cluster has no ImagePolicy: image-reflector-controller is not installed");
        kinds.served.insert(IMAGE_GROUP, vec!["v3".to_owned()]);
        let words = kinds.findings("prod");
        assert_eq!(
            words[1].message,
            "ImagePolicy is served as v3 only; versions read are v1, v1beta2, v1beta1"
        );
        assert_eq!(kinds.api(Kind::GitRepository).unwrap().plural, "gitrepositories");
        assert_eq!(kinds.api(Kind::ImagePolicy), None);
        assert_eq!(kinds.kustomization(), None);
        kinds.served.insert(KUSTOMIZE_GROUP, vec!["v2".to_owned(), "v1beta2".to_owned()]);
        assert_eq!(kinds.kustomization().unwrap().version, "v1beta2");
    }

    #[test]
    fn each_kind_has_its_row() {
        for resource in RESOURCES {
            assert_eq!(resource_of(resource.kind), resource);
        }
    }
}
