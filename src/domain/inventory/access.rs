//! Whether a policy may read a repository of another namespace.
//!
//! Source: `fluxcd/pkg:runtime/acl/acl.go`,
//! `fluxcd/image-reflector-controller:internal/controller/imagepolicy_controller.go`.

use std::collections::BTreeMap;

use super::Known;
use crate::domain::object::{ImageRepository, ObjectId};
use crate::problem::{Code, Problem};

/// The label that the API server puts on every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Why a policy does not get to read a repository; the texts are Flux's where Flux has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The repository lets nobody in.
    #[error(
        "failed to get the referred ImageRepository: access denied: '{0}' can't be accessed due to missing ACL labels \
         on 'accessFrom'"
    )]
    NotShared(ObjectId),
    /// The repository lets others in.
    #[error(
        "failed to get the referred ImageRepository: access denied: '{repository}' can't be accessed due to ACL labels \
         mismatch on namespace '{namespace}'"
    )]
    Mismatch {
        /// The repository.
        repository: ObjectId,
        /// The policy's namespace.
        namespace: String,
    },
    /// The repository asks for labels, and no source gives those of the policy's namespace.
    #[error(
        "access to '{repository}' can not be told: nothing describes the labels of namespace '{namespace}'"
    )]
    LabelsUnknown {
        /// The repository.
        repository: ObjectId,
        /// The policy's namespace.
        namespace: String,
    },
    /// The repository asks for labels, and those of the policy's namespace could not be read.
    #[error(
        "access to '{repository}' can not be told: the labels of namespace '{namespace}' could not be read: {}",
        .why.message
    )]
    LabelsUnread {
        /// The repository.
        repository: ObjectId,
        /// The policy's namespace.
        namespace: String,
        /// Why.
        why: Box<Problem>,
    },
}

impl AccessError {
    /// Whether nobody can tell if the policy may.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::LabelsUnknown { .. } | Self::LabelsUnread { .. })
    }

    /// The problem of the policy `subject`.
    pub fn problem(&self, subject: &ObjectId) -> Problem {
        if let Self::LabelsUnread { why, .. } = self {
            return Problem {
                subject: subject.to_string(),
                message: self.to_string(),
                ..Problem::clone(why)
            };
        }
        let problem = Problem::new(Code::AccessDenied, subject.to_string(), self.to_string());
        match self {
            Self::NotShared(repository) => problem.hint(format!(
                "Add the policy's namespace to `spec.accessFrom.namespaceSelectors` of ImageRepository {repository}."
            )),
            Self::Mismatch { repository, namespace } => problem.hint(format!(
                "Give Namespace {namespace} the labels that `spec.accessFrom.namespaceSelectors` of ImageRepository \
                 {repository} asks for, or add a selector that it meets."
            )),
            Self::LabelsUnknown { namespace, .. } | Self::LabelsUnread { namespace, .. } => {
                problem.hint(format!("Add the manifest of Namespace {namespace}, with its labels, to the files."))
            }
        }
    }
}

/// Tests a policy's namespace against a repository's `accessFrom`: any selector suffices, all labels of one must
/// match, and one without labels admits everybody. `known` are the namespace's labels.
pub(super) fn check(
    namespace: &str,
    repository: &ImageRepository,
    known: &Known<'_, BTreeMap<String, String>>,
) -> Result<(), AccessError> {
    let id = &repository.meta.id;
    if id.namespace == namespace {
        return Ok(());
    }
    let Some(selectors) = &repository.access_from else {
        return Err(AccessError::NotShared(id.clone()));
    };
    let labels = match known {
        Known::Here(labels) => Some(*labels),
        Known::Unread(_) | Known::Absent => None,
    };
    let value = |key: &str| match key {
        NAME_LABEL => Some(namespace),
        _ => labels.and_then(|labels| labels.get(key)).map(String::as_str),
    };
    let admits = |selector: &BTreeMap<String, String>| {
        selector.iter().all(|(key, wanted)| value(key) == Some(wanted.as_str()))
    };
    if selectors.iter().any(admits) {
        return Ok(());
    }
    // A selector that only the unknown labels speak against might admit the namespace after all.
    let might_admit = |selector: &BTreeMap<String, String>| {
        selector.iter().all(|(key, wanted)| key != NAME_LABEL || wanted == namespace)
    };
    let is_open = labels.is_none() && selectors.iter().any(might_admit);
    let (repository, namespace) = (id.clone(), namespace.to_owned());
    Err(match known {
        Known::Unread(why) if is_open => {
            AccessError::LabelsUnread { repository, namespace, why: Box::new(Problem::clone(why)) }
        }
        Known::Absent if is_open => AccessError::LabelsUnknown { repository, namespace },
        _ => AccessError::Mismatch { repository, namespace },
    })
}
