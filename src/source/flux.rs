//! The shapes of Flux's objects as YAML and JSON spell them, and what becomes of them in the domain.
//!
//! One shape serves `v1beta1`, `v1beta2` and `v1`: the versions differ in which fields exist, not in what they mean.
//! Unknown fields are passed over. Defaults are those of the controllers.
//!
//! Source: `fluxcd/image-reflector-controller:api/v1`, `fluxcd/image-automation-controller:api/v1`,
//! `fluxcd/source-controller:api/v1/gitrepository_types.go`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::duration::GoDuration;
use crate::domain::object::{
    DigestPolicy, GitRef, GitRepository, GitSpec, ImagePolicy, ImageRepository, ImageUpdateAutomation, Kind,
    LabelSelector, Meta, ObjectId, Person, PolicyChoice, TagFilter,
};

/// The API group of the image objects.
pub const IMAGE_GROUP: &str = "image.toolkit.fluxcd.io";
/// The API group of `GitRepository`.
pub const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// The API group of `Kustomization`.
pub const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
/// The versions that are read.
pub const VERSIONS: &[&str] = &["v1", "v1beta2", "v1beta1"];

/// Which of our kinds an `apiVersion` and `kind` name, and the version; `None` for everything else.
///
/// The version may be one that we do not read: see [`VERSIONS`].
pub fn kind_of<'a>(api_version: &'a str, kind: &str) -> Option<(Kind, &'a str)> {
    let (group, version) = api_version.split_once('/')?;
    let kind = match (group, kind) {
        (IMAGE_GROUP, "ImageRepository") => Kind::ImageRepository,
        (IMAGE_GROUP, "ImagePolicy") => Kind::ImagePolicy,
        (IMAGE_GROUP, "ImageUpdateAutomation") => Kind::ImageUpdateAutomation,
        (SOURCE_GROUP, "GitRepository") => Kind::GitRepository,
        _ => return None,
    };
    Some((kind, version))
}

/// The part of an object that every kind has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// `apiVersion`.
    #[serde(default)]
    pub api_version: String,
    /// `kind`.
    #[serde(default)]
    pub kind: String,
    /// `metadata`.
    #[serde(default)]
    pub metadata: Metadata,
}

/// `metadata`.
#[derive(Debug, Default, Deserialize)]
pub struct Metadata {
    /// `name`.
    pub name: Option<String>,
    /// `namespace`.
    pub namespace: Option<String>,
    /// `labels`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// An object of which only `spec` matters.
#[derive(Debug, Deserialize)]
pub struct Specified<T> {
    /// `spec`.
    pub spec: T,
}

#[derive(Debug, Deserialize)]
struct LocalReference {
    name: String,
}

fn name_of(reference: Option<LocalReference>) -> Option<String> {
    reference.map(|reference| reference.name).filter(|name| !name.is_empty())
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(default)]
    kind: Option<String>,
    name: String,
    namespace: Option<String>,
}

impl Reference {
    fn id(self, default_namespace: &str) -> ObjectId {
        let namespace = self.namespace.filter(|namespace| !namespace.is_empty());
        ObjectId::new(namespace.unwrap_or_else(|| default_namespace.to_owned()), self.name)
    }
}

/// `spec` of an `ImageRepository`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRepositorySpec {
    image: String,
    interval: GoDuration,
    timeout: Option<GoDuration>,
    secret_ref: Option<LocalReference>,
    cert_secret_ref: Option<LocalReference>,
    proxy_secret_ref: Option<LocalReference>,
    service_account_name: Option<String>,
    #[serde(default)]
    suspend: bool,
    access_from: Option<AccessFrom>,
    #[serde(default)]
    exclusion_list: Vec<String>,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    insecure: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessFrom {
    #[serde(default)]
    namespace_selectors: Vec<NamespaceSelector>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamespaceSelector {
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
}

impl ImageRepositorySpec {
    /// The repository, with the controller's defaults.
    pub fn into_domain(self, meta: Meta) -> ImageRepository {
        ImageRepository {
            meta,
            image: self.image,
            interval: self.interval,
            timeout: self.timeout,
            secret_ref: name_of(self.secret_ref),
            cert_secret_ref: name_of(self.cert_secret_ref),
            proxy_secret_ref: name_of(self.proxy_secret_ref),
            service_account: self.service_account_name.filter(|name| !name.is_empty()),
            suspend: self.suspend,
            access_from: self
                .access_from
                .map(|access| access.namespace_selectors.into_iter().map(|one| one.match_labels).collect()),
            exclusion_list: self.exclusion_list,
            provider: or_default(self.provider, "generic"),
            insecure: self.insecure,
            is_past_gates: false,
        }
    }
}

fn or_default(text: String, default: &str) -> String {
    if text.is_empty() { default.to_owned() } else { text }
}

/// `spec` of an `ImagePolicy`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImagePolicySpec {
    image_repository_ref: Reference,
    #[serde(default)]
    policy: PolicyChoice,
    filter_tags: Option<TagFilter>,
    #[serde(default)]
    digest_reflection_policy: DigestPolicy,
    interval: Option<GoDuration>,
    #[serde(default)]
    suspend: bool,
}

impl ImagePolicySpec {
    /// The policy, its repository's namespace filled in.
    pub fn into_domain(self, meta: Meta) -> ImagePolicy {
        ImagePolicy {
            repository: self.image_repository_ref.id(&meta.id.namespace),
            meta,
            choice: self.policy,
            filter: self.filter_tags,
            digest_policy: self.digest_reflection_policy,
            interval: self.interval,
            suspend: self.suspend,
        }
    }
}

/// `spec` of an `ImageUpdateAutomation`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutomationSpec {
    source_ref: Reference,
    interval: GoDuration,
    #[serde(default)]
    suspend: bool,
    policy_selector: Option<LabelSelector>,
    #[serde(default)]
    update: Update,
    git: Option<Git>,
}

#[derive(Debug, Default, Deserialize)]
struct Update {
    #[serde(default)]
    strategy: String,
    #[serde(default)]
    path: String,
}

#[derive(Debug, Deserialize)]
struct Git {
    checkout: Option<Checkout>,
    #[serde(default)]
    commit: Commit,
    #[serde(default)]
    push: Push,
}

#[derive(Debug, Deserialize)]
struct Checkout {
    #[serde(rename = "ref", default)]
    reference: GitRef,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Commit {
    author: Person,
    message_template: String,
    message_template_values: Option<BTreeMap<String, String>>,
    signing_key: Option<SigningKey>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SigningKey {
    secret_ref: LocalReference,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Push {
    branch: String,
    refspec: String,
    options: BTreeMap<String, String>,
}

impl AutomationSpec {
    /// The automation, with the controller's defaults.
    pub fn into_domain(self, meta: Meta) -> ImageUpdateAutomation {
        ImageUpdateAutomation {
            source_kind: or_default(self.source_ref.kind.clone().unwrap_or_default(), "GitRepository"),
            source: self.source_ref.id(&meta.id.namespace),
            meta,
            interval: self.interval,
            suspend: self.suspend,
            policy_selector: self.policy_selector,
            update_path: self.update.path,
            strategy: or_default(self.update.strategy, "Setters"),
            git: self.git.map(Git::into_domain),
        }
    }
}

impl Git {
    fn into_domain(self) -> GitSpec {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        GitSpec {
            checkout: self.checkout.map(|checkout| checkout.reference),
            author: self.commit.author,
            message_template: self.commit.message_template,
            message_values: self.commit.message_template_values,
            signing_key: self
                .commit
                .signing_key
                .map(|key| (key.secret_ref.name, or_default(key.kind, "gpg"))),
            push_branch: some(self.push.branch),
            push_refspec: some(self.push.refspec),
            push_options: self.push.options,
        }
    }
}

/// `spec` of a `GitRepository`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositorySpec {
    url: String,
    secret_ref: Option<LocalReference>,
    proxy_secret_ref: Option<LocalReference>,
    interval: Option<GoDuration>,
    timeout: Option<GoDuration>,
    #[serde(rename = "ref")]
    reference: Option<GitRef>,
    #[serde(default)]
    provider: String,
    service_account_name: Option<String>,
    #[serde(default)]
    suspend: bool,
}

impl GitRepositorySpec {
    /// The repository, with the controller's defaults.
    pub fn into_domain(self, meta: Meta) -> GitRepository {
        GitRepository {
            meta,
            url: self.url,
            secret_ref: name_of(self.secret_ref),
            proxy_secret_ref: name_of(self.proxy_secret_ref),
            interval: self.interval,
            timeout: self.timeout,
            reference: self.reference,
            provider: or_default(self.provider, "generic"),
            service_account: self.service_account_name.filter(|name| !name.is_empty()),
            suspend: self.suspend,
        }
    }
}
