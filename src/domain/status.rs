//! What the controllers' conditions would say, in their words, of what we found ourselves.
//!
//! Without a cluster nobody else gives an object a status: it comes from our last scan, evaluation and fetch.
//!
//! Source: `fluxcd/image-reflector-controller:internal/controller`,
//! `fluxcd/image-automation-controller:internal/controller`, `fluxcd/flux2:cmd/flux/get_image.go`.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use super::inventory::{GATED, LinkError, TargetError};
use super::proposal::Reference;
use super::reference::ImageError;
use super::selector::SelectorError;

/// The status of a `Ready` condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ready {
    /// All is well.
    True,
    /// Something failed, or nothing happened yet.
    False,
    /// It can not be told.
    Unknown,
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        })
    }
}

impl Serialize for Ready {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A `Ready` condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its status.
    pub ready: Ready,
    /// Its reason, such as `Succeeded`; `None` where no controller gives one.
    pub reason: Option<Cow<'static, str>>,
    /// Its message.
    pub message: String,
}

impl Status {
    /// What `flux get` shows of an object that has no condition yet.
    pub fn waiting() -> Self {
        Self { ready: Ready::False, reason: None, message: "waiting to be reconciled".to_owned() }
    }

    fn succeeded(message: String) -> Self {
        Self { ready: Ready::True, reason: Some("Succeeded".into()), message }
    }

    fn failed(reason: &'static str, message: String) -> Self {
        Self { ready: Ready::False, reason: Some(reason.into()), message }
    }
}

/// What became of the last scan of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan<'a> {
    /// There was none.
    Never,
    /// It worked.
    Succeeded {
        /// How many tags are left after exclusion.
        tags: usize,
        /// The revision of the stored list.
        revision: &'a str,
    },
    /// Its login needs a feature that controllers have to be given.
    Gate,
    /// The image is none.
    Image(&'a ImageError),
    /// A secret, certificate or proxy could not be used; the text says why.
    Authentication(&'a str),
    /// The registry, or an exclusion rule, failed; the text says how.
    Failed(&'a str),
}

/// The condition of an `ImageRepository`.
pub fn of_repository(scan: &Scan<'_>) -> Status {
    match scan {
        Scan::Never => Status::waiting(),
        Scan::Succeeded { tags, revision } => {
            Status::succeeded(format!("successful scan: found {tags} tags with checksum {revision}"))
        }
        Scan::Gate => Status::failed(
            GATED,
            "to use spec.serviceAccountName for provider authentication please enable the \
             ObjectLevelWorkloadIdentity feature gate in the controller"
                .to_owned(),
        ),
        Scan::Image(error) => Status::failed("ImageURLInvalid", error.to_string()),
        Scan::Authentication(text) => Status::failed(
            "AuthenticationFailed",
            format!("failed to configure authentication options: {text}"),
        ),
        Scan::Failed(text) => Status::failed("ReadOperationFailed", format!("scan failed: {text}")),
    }
}

/// What became of the last evaluation of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// There was none: the repository was never scanned.
    Never,
    /// It has no repository, or may not read it.
    Unlinked(&'a LinkError),
    /// The policy or its filter makes no sense; the text is Flux's. This comes before [`Verdict::NoTags`].
    Invalid(&'a str),
    /// The repository has no tags.
    NoTags,
    /// No tag could be selected; the text is Flux's.
    Failed(&'a str),
    /// The digest could not be read; the text says why.
    Digest(&'a str),
    /// A tag was selected.
    Selected {
        /// What was selected.
        latest: &'a Reference,
        /// What was selected before that, if anything else was.
        previous: Option<&'a Reference>,
    },
}

/// The condition of an `ImagePolicy`.
pub fn of_policy(verdict: &Verdict<'_>) -> Status {
    match verdict {
        Verdict::Never => Status::waiting(),
        Verdict::Unlinked(error) => Status {
            ready: if error.is_open() { Ready::Unknown } else { Ready::False },
            reason: error.reason().map(Into::into),
            message: error.to_string(),
        },
        Verdict::Invalid(text) => Status::failed("InvalidPolicy", (*text).to_owned()),
        Verdict::NoTags => {
            Status::failed("DependencyNotReady", "retrying in 30s error: no tags in database".to_owned())
        }
        Verdict::Failed(text) => Status::failed("Failure", (*text).to_owned()),
        Verdict::Digest(text) => Status::failed("Failed", (*text).to_owned()),
        Verdict::Selected { latest, previous } => Status::succeeded(selected(latest, *previous)),
    }
}

fn selected(latest: &Reference, previous: Option<&Reference>) -> String {
    let mut message = format!("Latest image tag for {} resolved to {}", latest.image, latest.tag);
    if let Some(digest) = given(latest.digest.as_deref()) {
        message = format!("{message} with digest {digest}");
    }
    match previous.filter(|previous| *previous != latest) {
        None => message,
        Some(previous) => {
            let digest =
                given(previous.digest.as_deref()).map(|digest| format!("@{digest}")).unwrap_or_default();
            format!("{message} (previously {}:{}{digest})", previous.image, previous.tag)
        }
    }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// What became of the last run of an automation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run<'a> {
    /// There was none: its remote was never read.
    Never,
    /// It worked, with or without something to write.
    Succeeded,
    /// Its `policySelector` makes no sense.
    Selector(&'a SelectorError),
    /// It can not run as it is written.
    Target(&'a TargetError),
    /// Whether its `GitRepository` is there could not be read; the text says why.
    Unread(&'a str),
    /// Its `GitRepository`, a secret or the signing key could not be used; the text says why.
    Source(&'a str),
    /// The remote could not be read; the text says why.
    Checkout(&'a str),
    /// The files could not be rewritten; the text says why.
    Update(&'a str),
    /// Message, commit or push failed; the text says why.
    Push(&'a str),
}

/// The condition of an `ImageUpdateAutomation`.
pub fn of_automation(run: &Run<'_>) -> Status {
    match run {
        Run::Never => Status::waiting(),
        Run::Succeeded => Status::succeeded("repository up-to-date".to_owned()),
        Run::Selector(error) => {
            Status::failed("InvalidPolicySelector", format!("failed to parse policy selector: {error}"))
        }
        Run::Target(error) => match error.reason() {
            Some(reason) => Status::failed(reason, error.to_string()),
            None => unknown(error.to_string()),
        },
        Run::Unread(text) => unknown((*text).to_owned()),
        Run::Source(text) => {
            Status::failed("SourceManagerFailed", format!("failed configuring source manager: {text}"))
        }
        Run::Checkout(text) => {
            Status::failed("GitOperationFailed", format!("failed to checkout source: {text}"))
        }
        Run::Update(text) => Status::failed("UpdateFailed", format!("failed to apply policies: {text}")),
        Run::Push(text) => Status::failed("GitOperationFailed", format!("failed to update source: {text}")),
    }
}

/// What nobody can tell.
fn unknown(message: String) -> Status {
    Status { ready: Ready::Unknown, reason: None, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::ObjectId;

    fn reference(tag: &str, digest: Option<&str>) -> Reference {
        Reference { image: "ghcr.io/a/b".into(), tag: tag.into(), digest: digest.map(ToOwned::to_owned) }
    }

    #[test]
    fn a_scan_reads_as_in_flux() {
        let status = of_repository(&Scan::Succeeded { tags: 13, revision: "1212884" });
        assert_eq!(status.message, "successful scan: found 13 tags with checksum 1212884");
        assert_eq!((status.ready, status.reason.as_deref()), (Ready::True, Some("Succeeded")));
        assert_eq!(of_repository(&Scan::Never), Status::waiting());
    }

    #[test]
    fn a_selection_names_digest_and_predecessor() {
        let (old, new) = (reference("1", None), reference("2", Some("sha256:ab")));
        let message = |latest, previous| of_policy(&Verdict::Selected { latest, previous }).message;
        assert_eq!(message(&old, None), "Latest image tag for ghcr.io/a/b resolved to 1");
        assert_eq!(message(&old, Some(&old)), "Latest image tag for ghcr.io/a/b resolved to 1");
        let both =
            "Latest image tag for ghcr.io/a/b resolved to 2 with digest sha256:ab (previously ghcr.io/a/b:1)";
        assert_eq!(message(&new, Some(&old)), both);
        let back = "Latest image tag for ghcr.io/a/b resolved to 1 (previously ghcr.io/a/b:2@sha256:ab)";
        assert_eq!(message(&old, Some(&new)), back);
    }

    #[test]
    fn each_failure_has_fluxs_reason_and_words() {
        let of = |status: Status| {
            format!("{} {}: {}", status.ready, status.reason.as_deref().unwrap_or("-"), status.message)
        };
        let image = ImageError::Malformed("A".into());
        let gate = "please enable the ObjectLevelWorkloadIdentity feature gate in the controller";
        for (status, expected) in [
            (of_repository(&Scan::Image(&image)), "ImageURLInvalid: could not parse reference: A".to_owned()),
            (
                of_repository(&Scan::Authentication("x")),
                "AuthenticationFailed: failed to configure authentication options: x".into(),
            ),
            (of_repository(&Scan::Failed("x")), "ReadOperationFailed: scan failed: x".into()),
            (
                of_repository(&Scan::Gate),
                format!("FeatureGateDisabled: to use spec.serviceAccountName for provider authentication {gate}"),
            ),
            (
                of_policy(&Verdict::Unlinked(&LinkError::Gate(ObjectId::new("a", "x")))),
                format!(
                    "FeatureGateDisabled: to use spec.serviceAccountName in the ImageRepository for provider \
                     authentication {gate}"
                ),
            ),
            (of_policy(&Verdict::NoTags), "DependencyNotReady: retrying in 30s error: no tags in database".into()),
            (of_policy(&Verdict::Invalid("x")), "InvalidPolicy: x".into()),
            (of_policy(&Verdict::Failed("x")), "Failure: x".into()),
            (of_policy(&Verdict::Digest("x")), "Failed: x".into()),
            (
                of_policy(&Verdict::Unlinked(&LinkError::NoInterval)),
                "IntervalNotConfigured: spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'"
                    .into(),
            ),
            (of_automation(&Run::Target(&TargetError::NoGit)), "InvalidSourceConfiguration: source kind 'GitRepository' necessitates field .spec.git: invalid source configuration".into()),
            (of_automation(&Run::Source("x")), "SourceManagerFailed: failed configuring source manager: x".into()),
            (of_automation(&Run::Checkout("x")), "GitOperationFailed: failed to checkout source: x".into()),
            (of_automation(&Run::Update("x")), "UpdateFailed: failed to apply policies: x".into()),
            (of_automation(&Run::Push("x")), "GitOperationFailed: failed to update source: x".into()),
        ] {
            assert_eq!(of(status), format!("False {expected}"));
        }
    }

    #[test]
    fn an_automation_that_ran_says_so_whatever_it_did() {
        assert_eq!(of_automation(&Run::Succeeded).message, "repository up-to-date");
        let error = SelectorError::Operator("Is".into());
        let status = of_automation(&Run::Selector(&error));
        assert_eq!(status.reason.as_deref(), Some("InvalidPolicySelector"));
        assert_eq!(
            status.message,
            "failed to parse policy selector: \"Is\" is not a valid label selector operator"
        );
    }
}
