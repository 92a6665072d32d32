//! From a policy to the repository whose tags it reads, and what may stand in between.
//!
//! Source: `fluxcd/image-reflector-controller:internal/controller/imagepolicy_controller.go`.

use crate::domain::object::{DigestPolicy, ImagePolicy, ImageRepository, Kind, ObjectId};
use crate::domain::reference::{ImageError, ImageName};
use crate::problem::{Code, Problem};

use super::unread::unread;
use super::{AccessError, Inventory, Known};

/// The reason for what the controllers do not do unless a feature gate is open; by default it is closed.
pub const GATED: &str = "FeatureGateDisabled";

/// Why a policy gets no tags to choose from; the texts are Flux's where Flux has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Digests are to be followed, and nothing says how often.
    #[error("spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'")]
    NoInterval,
    /// Digests are not to be followed, and something says how often; the API server refuses such an object.
    #[error("spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'")]
    IdleInterval,
    /// There is no such repository.
    #[error(
        "failed to get the referred ImageRepository: referenced ImageRepository does not exist: \
         ImageRepository.image.toolkit.fluxcd.io \"{}\" not found", .0.name
    )]
    Missing(ObjectId),
    /// Whether there is such a repository could not be read.
    #[error("{}", .0.message)]
    Unread(Problem),
    /// Several places describe the repository, or the policy, differently.
    #[error("{}", .0.message)]
    Ambiguous(Problem),
    /// The repository lets this policy's namespace not in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The repository's image is none.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The login of this repository needs a feature that controllers have to be given.
    #[error(
        "to use spec.serviceAccountName in the ImageRepository for provider authentication please enable the \
         ObjectLevelWorkloadIdentity feature gate in the controller"
    )]
    Gate(ObjectId),
}

impl LinkError {
    /// The reason that the controller gives in its conditions; `None` for what no controller says.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NoInterval => Some("IntervalNotConfigured"),
            Self::Missing(_) => Some("DependencyNotReady"),
            Self::IdleInterval | Self::Ambiguous(_) | Self::Unread(_) => None,
            Self::Access(error) if error.is_open() => None,
            Self::Access(_) => Some("AccessDenied"),
            Self::Image(_) => Some("ImageURLInvalid"),
            Self::Gate(_) => Some(GATED),
        }
    }

    /// Whether nobody can tell if the policy gets its tags.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Unread(_) => true,
            Self::Access(error) => error.is_open(),
            _ => false,
        }
    }

    /// The problem of the policy `subject`.
    pub fn problem(&self, subject: &ObjectId) -> Problem {
        match self {
            Self::Ambiguous(problem) => problem.clone(),
            Self::Unread(why) => Problem { subject: subject.to_string(), ..why.clone() },
            Self::Access(error) => error.problem(subject),
            Self::Image(error) => error.problem(subject.to_string()),
            Self::NoInterval => Problem::new(Code::PolicyInvalid, subject.to_string(), self.to_string())
                .hint("Give the policy a `spec.interval`."),
            Self::IdleInterval => Problem::new(Code::PolicyInvalid, subject.to_string(), self.to_string())
                .hint("Take `spec.interval` out of the policy."),
            Self::Gate(repository) => Problem::new(Code::PolicyFailed, subject.to_string(), self.to_string())
                .hint(format!(
                    "Take `spec.serviceAccountName` out of ImageRepository {repository}, or open the gate: it counts as shut \
                     until the object's status in a cluster shows that its controller went on."
                )),
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
        let repository = match self.repository(id) {
            Known::Here(repository) => repository,
            Known::Unread(why) => return Err(LinkError::Unread(unread(Kind::ImageRepository, id, why))),
            Known::Absent => return Err(LinkError::Missing(id.clone())),
        };
        self.access(policy, repository)?;
        let name = ImageName::parse(&repository.image, repository.insecure)?;
        if repository.is_gated() { Err(LinkError::Gate(id.clone())) } else { Ok((repository, name)) }
    }
}

/// Whether the API server would take the policy, and the controller begin at all.
///
/// # Errors
/// [`LinkError::NoInterval`], [`LinkError::IdleInterval`].
pub fn check_interval(policy: &ImagePolicy) -> Result<(), LinkError> {
    match (policy.digest_policy == DigestPolicy::Always, policy.interval.is_some()) {
        (true, false) => Err(LinkError::NoInterval),
        (false, true) => Err(LinkError::IdleInterval),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::duration::GoDuration;
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
    fn labels_that_may_not_be_read_are_no_labels_that_nobody_gives() {
        let mut inventory = Inventory::default();
        let team = vec![labels(&[("team", "web")])];
        inventory.add(Object::Repository(repository(Some(team))));
        inventory.unread.labels =
            Some(Problem::new(Code::ClusterForbidden, "prod", "not allowed to list namespaces"));
        let error = inventory.repository_of(&policy("b")).unwrap_err();
        assert!(error.is_open() && error.reason().is_none(), "{error:?}");
        let problem = error.problem(&ObjectId::new("b", "x"));
        assert_eq!((problem.code, problem.subject.as_str()), (Code::ClusterForbidden, "b/x"));
        assert_eq!(
            problem.message,
            "access to 'a/x' can not be told: the labels of namespace 'b' could not be read: not allowed to list namespaces"
        );
        inventory.namespaces.insert("b".to_owned(), labels(&[("team", "web")]));
        assert!(inventory.repository_of(&policy("b")).is_ok(), "the files give them");
    }

    #[test]
    fn a_repository_that_may_not_be_read_is_not_missing() {
        let why = Problem::new(Code::ClusterForbidden, "prod", "not allowed to list imagerepositories");
        let mut inventory = Inventory::default();
        inventory.unread.note((Kind::ImageRepository, Some("a".to_owned())), why);
        let error = inventory.repository_of(&policy("b")).unwrap_err();
        let problem = error.problem(&ObjectId::new("b", "x"));
        assert_eq!((error.is_open(), problem.exit(), problem.subject.as_str()), (true, 4, "b/x"));
        let text = "ImageRepository a/x could not be read: not allowed to list imagerepositories";
        assert_eq!(problem.message, text);
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

    #[test]
    fn an_interval_comes_with_always_and_only_with_it() {
        for (digest_policy, interval, expected) in [
            (DigestPolicy::Always, true, Ok(())),
            (DigestPolicy::Always, false, Err(LinkError::NoInterval)),
            (DigestPolicy::IfNotPresent, true, Err(LinkError::IdleInterval)),
            (DigestPolicy::IfNotPresent, false, Ok(())),
            (DigestPolicy::Never, true, Err(LinkError::IdleInterval)),
            (DigestPolicy::Never, false, Ok(())),
        ] {
            let interval = interval.then(|| GoDuration(std::time::Duration::from_mins(10)));
            let policy = ImagePolicy { digest_policy, interval, ..policy("a") };
            assert_eq!(check_interval(&policy), expected, "{policy:?}");
        }
    }

    #[test]
    fn a_login_behind_a_feature_gate_gives_a_policy_no_tags() {
        let read_past = |is_past_gates, provider: &str, account: Option<&str>| {
            let mut repository = ImageRepository { is_past_gates, ..repository(None) };
            provider.clone_into(&mut repository.provider);
            repository.service_account = account.map(ToOwned::to_owned);
            let mut inventory = Inventory::default();
            inventory.add(Object::Repository(repository));
            inventory.repository_of(&policy("a")).map(drop)
        };
        let read = |provider, account| read_past(false, provider, account);
        assert_eq!(read_past(true, "aws", Some("x")), Ok(()), "the gate is known to be open");
        let gate = read("aws", Some("x")).unwrap_err();
        assert_eq!(gate.reason(), Some("FeatureGateDisabled"));
        assert_eq!(gate.problem(&ObjectId::new("a", "p")).message, gate.to_string());
        assert_eq!((read("aws", None), read("generic", Some("x"))), (Ok(()), Ok(())));
    }
}
