//! Flux's objects, as far as they decide about image updates, whichever source they came from.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::GoDuration;

/// Namespace and name of an object; its kind is known from the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectId {
    /// The object `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectId {
    /// `NAMESPACE/NAME`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The kinds of Flux objects that the program lists, creates and changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Kind {
    /// What to scan.
    ImageRepository,
    /// What to select.
    ImagePolicy,
    /// What to write where.
    ImageUpdateAutomation,
    /// Where the files live.
    GitRepository,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ImageRepository => "ImageRepository",
            Self::ImagePolicy => "ImagePolicy",
            Self::ImageUpdateAutomation => "ImageUpdateAutomation",
            Self::GitRepository => "GitRepository",
        })
    }
}

/// Where an object was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `files` or `cluster`.
    pub source: &'static str,
    /// The file, relative to the root of the files source.
    pub file: Option<String>,
    /// The line on which the object's document begins, counted from 1.
    pub line: Option<u32>,
}

impl fmt::Display for Origin {
    /// `FILE:LINE`, or the source where there is no file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}"),
            (Some(file), None) => f.write_str(file),
            (None, _) => f.write_str(self.source),
        }
    }
}

/// What every object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its name.
    pub id: ObjectId,
    /// The version it was written in, such as `v1beta2`.
    pub version: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Where it stands.
    pub origin: Origin,
}

/// An `ImageRepository`: which registry repository to scan, and how.
///
/// Source: image-reflection 1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRepository {
    /// Name and place.
    pub meta: Meta,
    /// `spec.image` as written: no scheme, no tag.
    pub image: String,
    /// Time between scans.
    pub interval: GoDuration,
    /// Bound of one scan; `None`: the interval.
    pub timeout: Option<GoDuration>,
    /// The pull secret, in the same namespace.
    pub secret_ref: Option<String>,
    /// The secret with TLS material.
    pub cert_secret_ref: Option<String>,
    /// The secret with proxy settings.
    pub proxy_secret_ref: Option<String>,
    /// The service account whose pull secrets serve.
    pub service_account: Option<String>,
    /// Whether scanning stopped.
    pub suspend: bool,
    /// Who may refer to it from other namespaces: label selectors of namespaces, any of which may match. `None`: nobody.
    pub access_from: Option<Vec<BTreeMap<String, String>>>,
    /// `spec.exclusionList` as written; empty means [`DEFAULT_EXCLUSION`].
    pub exclusion_list: Vec<String>,
    /// `generic`, `aws`, `azure` or `gcp`.
    pub provider: String,
    /// Whether plain HTTP is allowed.
    pub insecure: bool,
    /// Whether a controller is known to have the feature gates open that its login needs.
    pub is_past_gates: bool,
}

/// The exclusion list of a repository that gives none.
///
/// Source: image-reflection 1.5.
pub const DEFAULT_EXCLUSION: &str = r"^.*\.sig$";

impl ImageRepository {
    /// What stands for an image that no object describes: scanned once a minute, with nothing of its own to log in with.
    pub fn of_image(image: &str) -> Self {
        Self {
            meta: Meta {
                id: ObjectId::new("", image),
                version: String::new(),
                labels: BTreeMap::new(),
                origin: Origin { source: "files", file: None, line: None },
            },
            image: image.to_owned(),
            interval: GoDuration(Duration::from_mins(1)),
            timeout: None,
            secret_ref: None,
            cert_secret_ref: None,
            proxy_secret_ref: None,
            service_account: None,
            suspend: false,
            access_from: None,
            exclusion_list: Vec::new(),
            provider: "generic".to_owned(),
            insecure: false,
            is_past_gates: false,
        }
    }

    /// The exclusion list in force: the repository's own, or the default if that is empty.
    pub fn exclusions(&self) -> Vec<String> {
        if self.exclusion_list.is_empty() {
            vec![DEFAULT_EXCLUSION.to_owned()]
        } else {
            self.exclusion_list.clone()
        }
    }

    /// Whether its login needs the feature gate `ObjectLevelWorkloadIdentity`, and nothing tells that it is open.
    pub fn is_gated(&self) -> bool {
        self.provider != "generic" && self.service_account.is_some() && !self.is_past_gates
    }

    /// How long one scan may take: `spec.timeout`, else the interval, and a second at least.
    pub fn scan_timeout(&self) -> Duration {
        self.timeout.unwrap_or(self.interval).0.max(Duration::from_secs(1))
    }
}

/// `spec.policy` of an `ImagePolicy`; several or none may be set, and semver wins over alphabetical over numerical.
///
/// Source: image-reflection 2.1.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyChoice {
    /// By version.
    pub semver: Option<SemverChoice>,
    /// By bytes.
    pub alphabetical: Option<OrderChoice>,
    /// By number.
    pub numerical: Option<OrderChoice>,
}

/// `spec.policy.semver`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SemverChoice {
    /// The range, as written.
    pub range: String,
}

/// `spec.policy.alphabetical` and `spec.policy.numerical`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderChoice {
    /// `asc`, `desc`, or empty for `asc`; as written.
    pub order: String,
}

impl PolicyChoice {
    /// The kind in force (`semver`, `numerical`, `alphabetical`) and its range or order; `None` if none is set.
    pub fn kind_and_rule(&self) -> Option<(&'static str, &str)> {
        if let Some(semver) = &self.semver {
            return Some(("semver", &semver.range));
        }
        if let Some(alphabetical) = &self.alphabetical {
            return Some(("alphabetical", alphabetical.rule()));
        }
        self.numerical.as_ref().map(|numerical| ("numerical", numerical.rule()))
    }
}

impl OrderChoice {
    /// The order in force: as written, or `asc`.
    pub fn rule(&self) -> &str {
        if self.order.is_empty() { "asc" } else { &self.order }
    }
}

/// `spec.filterTags` of an `ImagePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TagFilter {
    /// A Go regular expression, not anchored; empty matches every tag.
    pub pattern: String,
    /// The template of the value to compare; empty: the whole tag.
    pub extract: String,
}

/// `spec.digestReflectionPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DigestPolicy {
    /// No digest.
    #[default]
    Never,
    /// The digest seen when the tag was first selected.
    IfNotPresent,
    /// The digest at every pass.
    Always,
}

/// An `ImagePolicy`: which tag of a repository is wanted.
///
/// Source: image-reflection 2.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePolicy {
    /// Name and place.
    pub meta: Meta,
    /// The repository, its namespace filled in.
    pub repository: ObjectId,
    /// The rule.
    pub choice: PolicyChoice,
    /// The filter; `None` is not the same as an empty pattern.
    pub filter: Option<TagFilter>,
    /// Whether to resolve digests.
    pub digest_policy: DigestPolicy,
    /// Time between passes with [`DigestPolicy::Always`].
    pub interval: Option<GoDuration>,
    /// Whether it is suspended.
    pub suspend: bool,
}

/// Which revision of a Git repository is meant: the first non-empty of commit, name, tag, semver, branch.
///
/// Source: image-update-automation 2.3.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GitRef {
    /// A commit.
    pub commit: Option<String>,
    /// A full reference name.
    pub name: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// A range of tags.
    pub semver: Option<String>,
    /// A branch.
    pub branch: Option<String>,
}

/// A label selector of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels that must be there with these values.
    pub match_labels: BTreeMap<String, String>,
    /// Further conditions, all of which must hold.
    pub match_expressions: Vec<LabelExpression>,
}

/// One condition of a [`LabelSelector`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LabelExpression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// The values of `In` and `NotIn`.
    pub values: Vec<String>,
}

/// A person, as Git writes them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// The name; may be empty, `null` in JSON.
    #[serde(with = "super::blank")]
    pub name: String,
    /// The address; `null` in JSON where nobody is named.
    #[serde(with = "super::blank")]
    pub email: String,
}

impl Person {
    /// The person as Git writes them: without the characters that would end a part of the line.
    ///
    /// Source: git/git:ident.c, `strbuf_addstr_without_crud`.
    #[must_use]
    pub fn written(&self) -> Self {
        let clean = |text: &str| {
            let kept: String =
                text.chars().filter(|c| !matches!(c, '<' | '>' | '\n' | '\r' | '\0')).collect();
            kept.trim_matches(|c: char| c <= ' ' || ".,:;\"'\\".contains(c)).to_owned()
        };
        Self { name: clean(&self.name), email: clean(&self.email) }
    }
}

impl fmt::Display for Person {
    /// `NAME <EMAIL>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

/// `spec.git` of an automation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitSpec {
    /// `git.checkout.ref`; hides the `GitRepository`'s if `git.checkout` is there at all.
    pub checkout: Option<GitRef>,
    /// Who the commits are by.
    pub author: Person,
    /// The template; empty: Flux's default message.
    pub message_template: String,
    /// `messageTemplateValues`.
    pub message_values: Option<BTreeMap<String, String>>,
    /// The secret of the signing key and its type (`gpg` or `ssh`).
    pub signing_key: Option<(String, String)>,
    /// `git.push.branch`.
    pub push_branch: Option<String>,
    /// `git.push.refspec`.
    pub push_refspec: Option<String>,
    /// `git.push.options`.
    pub push_options: BTreeMap<String, String>,
}

/// An `ImageUpdateAutomation`: which files of which repository to write, and how to commit.
///
/// Source: image-update-automation 2.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUpdateAutomation {
    /// Name and place.
    pub meta: Meta,
    /// `sourceRef.kind`; only `GitRepository` works.
    pub source_kind: String,
    /// The `GitRepository`, its namespace filled in.
    pub source: ObjectId,
    /// Time between runs.
    pub interval: GoDuration,
    /// Whether it is suspended.
    pub suspend: bool,
    /// Which policies of its namespace; `None`: all.
    pub policy_selector: Option<LabelSelector>,
    /// `update.path`; empty: the repository's root.
    pub update_path: String,
    /// `update.strategy`; only `Setters` works.
    pub strategy: String,
    /// How to commit; absent in some objects, which then cannot run.
    pub git: Option<GitSpec>,
}

/// A `GitRepository`: an address and what to log in with.
///
/// Source: image-update-automation 4.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitRepository {
    /// Name and place.
    pub meta: Meta,
    /// The address.
    pub url: String,
    /// The secret with the credentials.
    pub secret_ref: Option<String>,
    /// The secret with proxy settings.
    pub proxy_secret_ref: Option<String>,
    /// Time between fetches of the controller.
    pub interval: Option<GoDuration>,
    /// Bound of a Git operation; `None`: 60 s.
    pub timeout: Option<GoDuration>,
    /// Which revision; `None`: branch `master`.
    pub reference: Option<GitRef>,
    /// `generic`, `aws`, `azure` or `github`.
    pub provider: String,
    /// The service account that logs in at a provider.
    pub service_account: Option<String>,
    /// Whether it is suspended.
    pub suspend: bool,
}
