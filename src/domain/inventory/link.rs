//! From a policy to the repository whose tags it reads, and what may stand in between.
//!
//! Source: `fluxcd/image-reflector-controller:internal/controller/imagepolicy_controller.go`.

use crate::domain::object::{DigestPolicy, ImagePolicy, ImageRepository, Kind, ObjectId};
use crate::domain::reference::{ImageError, ImageName};
use crate::problem::{Code, Problem};

use super::{AccessError, Inventory};

/// Why a policy gets no tags to choose from; the texts are Flux's where Flux has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Digests are to be followed, and nothing says how often.
    #[error("spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'")]
    NoInterval,
    /// There is no such repository.
    #[error(
        "failed to get the referred ImageRepository: referenced ImageRepository does not exist: \
         ImageRepository.image.toolkit.fluxcd.io \"{}\" not found", .0.name
    )]
    Missing(ObjectId),
    /// Several places describe the repository, or the policy, differently.
    #[error("{}", .0.message)]
    Ambiguous(Problem),
    /// The repository lets this policy's namespace not in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The repository's image is none.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl LinkError {
    /// The reason that the controller gives in its conditions; `None` for what no controller says.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NoInterval => Some("IntervalNotConfigured"),
            Self::Missing(_) => Some("DependencyNotReady"),
            Self::Ambiguous(_) | Self::Access(AccessError::LabelsUnknown { .. }) => None,
            Self::Access(_) => Some("AccessDenied"),
            Self::Image(_) => Some("ImageURLInvalid"),
        }
    }

    /// The problem of the policy `subject`.
    pub fn problem(&self, subject: &ObjectId) -> Problem {
        match self {
            Self::Ambiguous(problem) => problem.clone(),
            Self::Access(error) => error.problem(subject),
            Self::Image(error) => error.problem(subject.to_string()),
            Self::NoInterval => Problem::new(Code::PolicyInvalid, subject.to_string(), self.to_string())
                .hint("Give the policy a `spec.interval`."),
            Self::Missing(repository) => {
                let message = format!("ImageRepository {repository} does not exist");
                Problem::new(Code::PolicyFailed, subject.to_string(), message).cause(self.to_string())
            }
        }
    }
}

impl Inventory {
    /// The repository that a policy reads, and the image's parsed name.
    ///
    /// # Errors
    /// The first thing in the controller's order that keeps the policy from its tags.
    pub fn repository_of(&self, policy: &ImagePolicy) -> Result<(&ImageRepository, ImageName), LinkError> {
        check_interval(policy)?;
        self.readable(policy)
    }

    /// The repository that a policy reads, and the image's parsed name, whatever is wrong with the policy itself.
    ///
    /// # Errors
    /// The first thing in the controller's order that keeps the policy from its tags.
    pub fn readable(&self, policy: &ImagePolicy) -> Result<(&ImageRepository, ImageName), LinkError> {
        let id = &policy.repository;
        if let Some(problem) = self.ambiguity(Kind::ImageRepository, id) {
            return Err(LinkError::Ambiguous(problem));
        }
        let repository = self.repositories.get(id).ok_or_else(|| LinkError::Missing(id.clone()))?;
        self.access(policy, repository)?;
        Ok((repository, ImageName::parse(&repository.image, repository.insecure)?))
    }
}

/// Whether the controller would begin at all.
///
/// # Errors
/// [`LinkError::NoInterval`].
pub fn check_interval(policy: &ImagePolicy) -> Result<(), LinkError> {
    let is_missing = policy.digest_policy == DigestPolicy::Always && policy.interval.is_none();
    if is_missing { Err(LinkError::NoInterval) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::inventory::Object;
    use crate::domain::object::{Meta, Origin, PolicyChoice};

    fn meta(namespace: &str) -> Meta {
        let origin = Origin { source: "files", file: None, line: None };
        Meta { id: ObjectId::new(namespace, "x"), version: "v1".into(), labels: BTreeMap::new(), origin }
    }

    fn repository(access_from: Option<Vec<BTreeMap<String, String>>>) -> ImageRepository {
        ImageRepository { meta: meta("a"), access_from, ..ImageRepository::of_image("example.com/xy") }
    }

    fn policy(namespace: &str) -> ImagePolicy {
        ImagePolicy {
            meta: meta(namespace),
            repository: ObjectId::new("a", "x"),
            choice: PolicyChoice::default(),
            filter: None,
            digest_policy: DigestPolicy::Never,
            interval: None,
            suspend: false,
        }
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn link(
        access_from: Option<Vec<BTreeMap<String, String>>>,
        from: &str,
        known: Option<BTreeMap<String, String>>,
    ) -> Result<(), String> {
        let mut inventory = Inventory::default();
        inventory.add(Object::Repository(repository(access_from)));
        inventory.namespaces.extend(known.map(|labels| (from.to_owned(), labels)));
        inventory.repository_of(&policy(from)).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn other_namespaces_are_let_in_by_their_labels() {
        let team = || Some(vec![labels(&[("team", "web"), ("tier", "1")]), labels(&[("all", "yes")])]);
        assert_eq!(link(None, "a", None), Ok(()), "its own namespace");
        assert_eq!(link(team(), "b", Some(labels(&[("team", "web"), ("tier", "1")]))), Ok(()));
        assert_eq!(link(team(), "b", Some(labels(&[("all", "yes")]))), Ok(()));
        assert_eq!(link(Some(vec![BTreeMap::new()]), "b", None), Ok(()), "a selector without labels");
        assert_eq!(link(Some(vec![labels(&[("kubernetes.io/metadata.name", "b")])]), "b", None), Ok(()));
    }

    #[test]
    fn refusals_say_what_flux_says() {
        let prefix =
            "failed to get the referred ImageRepository: access denied: 'a/x' can't be accessed due to";
        let mismatch = format!("{prefix} ACL labels mismatch on namespace 'b'");
        let team = || Some(vec![labels(&[("team", "web")])]);
        assert_eq!(link(None, "b", None), Err(format!("{prefix} missing ACL labels on 'accessFrom'")));
        assert_eq!(link(team(), "b", Some(BTreeMap::new())), Err(mismatch.clone()));
        assert_eq!(link(Some(vec![]), "b", None), Err(mismatch.clone()), "an empty list lets nobody in");
        let named = Some(vec![labels(&[("kubernetes.io/metadata.name", "c")])]);
        assert_eq!(link(named, "b", None), Err(mismatch), "a name is known even if the labels are not");
        let unknown = "access to 'a/x' can not be told: nothing describes the labels of namespace 'b'";
        assert_eq!(link(team(), "b", None), Err(unknown.to_owned()));
    }

    #[test]
    fn a_missing_repository_is_named() {
        let error = Inventory::default().repository_of(&policy("a")).unwrap_err();
        assert_eq!(error.reason(), Some("DependencyNotReady"));
        assert!(
            error
                .to_string()
                .ends_with("does not exist: ImageRepository.image.toolkit.fluxcd.io \"x\" not found")
        );
    }
}
