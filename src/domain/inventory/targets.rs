//! What an automation reads and where it pushes.
//!
//! Source: `fluxcd/image-automation-controller:internal/source/git.go`, `fluxcd/pkg:git/gogit/clone.go`.

use crate::domain::branch::{Onto, is_template};
use crate::domain::object::{GitRef, ImageUpdateAutomation, Kind, ObjectId};
use crate::problem::{Code, Problem};

use super::unread::unread;
use super::{Inventory, Known, is_implied};

/// The branch of a source that names no revision at all; the remote's own default plays no part.
const DEFAULT_BRANCH: &str = "master";

/// The revision that an automation starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkout {
    /// The tip of a branch.
    Branch(String),
    /// A tag, peeled.
    Tag(String),
    /// The greatest tag within a range.
    Semver(String),
    /// A full reference name, such as `refs/pull/1/head`.
    Name(String),
    /// A commit, by its hash.
    Commit(String),
}

impl Checkout {
    /// What a reference means: the first of commit, name, tag, semver and branch that is not empty, else `master`.
    ///
    /// (Flux's own documentation puts semver before tag; its code does not.)
    pub fn of(reference: &GitRef) -> Self {
        let of = |text: &Option<String>, choice: fn(String) -> Self| given(text.as_deref()).map(choice);
        let chosen = of(&reference.commit, Self::Commit)
            .or_else(|| of(&reference.name, Self::Name))
            .or_else(|| of(&reference.tag, Self::Tag))
            .or_else(|| of(&reference.semver, Self::Semver))
            .or_else(|| of(&reference.branch, Self::Branch));
        chosen.unwrap_or_else(|| Self::Branch(DEFAULT_BRANCH.to_owned()))
    }

    /// The branch, if it is one, also when spelt as a full name.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Branch(branch) => Some(branch),
            Self::Name(name) => name.strip_prefix("refs/heads/"),
            Self::Tag(_) | Self::Semver(_) | Self::Commit(_) => None,
        }
    }
}

fn given(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// Where an automation reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// What it starts from.
    pub checkout: Checkout,
    /// The branch it pushes to.
    pub push_branch: String,
    /// Whether that counts as another branch than the one read: then the push branch's own tip is the base if the
    /// remote has it.
    pub switching: bool,
}

impl Targets {
    /// The branch that `onto` means here. A branch for each update begins as the checkout; `None`: what is read is no branch.
    pub fn branch(&self, onto: &Onto) -> Option<String> {
        match onto {
            Onto::Push => Some(self.push_branch.clone()),
            Onto::Named(name) if !is_template(name) => Some(name.clone()),
            Onto::Checkout | Onto::Named(_) => self.checkout.branch().map(str::to_owned),
        }
    }
}

/// Why an automation can not run; the texts are Flux's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// `sourceRef.kind` names something else.
    #[error("source kind '{0}' not supported: invalid source configuration")]
    SourceKind(String),
    /// There is no `spec.git`.
    #[error("source kind 'GitRepository' necessitates field .spec.git: invalid source configuration")]
    NoGit,
    /// A GitHub App is to log in, and its secret is not named.
    #[error(
        "secretRef with github app data must be specified when provider is set to github: invalid source configuration"
    )]
    NoAppData,
    /// The secret is that of a GitHub App, which is not to log in.
    #[error(
        "secretRef '{0}' has github app data but provider is not set to github: invalid source configuration"
    )]
    AppData(ObjectId),
    /// A service account is to log in, for which controllers want a feature gate.
    #[error(
        "to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity \
         feature gate in the controller"
    )]
    Gate,
    /// A strategy other than `Setters`.
    #[error("unsupported update strategy: {0}")]
    Strategy(String),
    /// There is no such `GitRepository`, and the automation does not say by itself where it pushes.
    #[error(
        "failed configuring source manager: referenced git repository does not exist: \
         GitRepository.source.toolkit.fluxcd.io \"{}\" not found", .0.name
    )]
    NoRepository(ObjectId),
    /// Whether there is such a `GitRepository` could not be read.
    #[error("{}", .0.message)]
    Unread(Problem),
    /// No branch is named anywhere.
    #[error(
        "failed configuring source manager: push spec not provided, and cannot be inferred from \
         .spec.git.checkout.ref or GitRepository .spec.ref"
    )]
    NoPushBranch,
}

impl TargetError {
    /// The reason that the controller gives in its conditions; `None` for what no controller says.
    pub fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::SourceKind(_) | Self::NoGit | Self::NoAppData | Self::AppData(_) => {
                "InvalidSourceConfiguration"
            }
            Self::Gate => "FeatureGateDisabled",
            Self::Strategy(_) => "InvalidUpdateStrategy",
            Self::NoRepository(_) | Self::NoPushBranch => "SourceManagerFailed",
            Self::Unread(_) => return None,
        })
    }

    /// The problem of the automation `subject`.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        if let Self::Unread(why) = self {
            return Problem { subject: subject.into(), ..why.clone() };
        }
        let problem = Problem::new(Code::Config, subject, self.to_string());
        match self {
            Self::NoRepository(id) => problem
                .hint(format!("Correct `spec.sourceRef` of the automation, or add GitRepository {id}.")),
            Self::NoPushBranch => problem.hint("Give the automation a `spec.git.push.branch`."),
            Self::NoGit => problem.hint("Give the automation a `spec.git` with a commit author."),
            Self::NoAppData => problem.hint("Give the GitRepository a `spec.secretRef`."),
            Self::AppData(_) => problem.hint("Give the GitRepository `spec.provider: github`."),
            Self::SourceKind(_) | Self::Gate | Self::Strategy(_) | Self::Unread(_) => problem,
        }
    }
}

impl Inventory {
    /// What `automation` reads and where it pushes, with its `GitRepository` if there is one.
    ///
    /// # Errors
    /// The automation can not run as it is written; that its `GitRepository` is missing is told only where a branch is missed.
    pub fn targets_of(&self, automation: &ImageUpdateAutomation) -> Result<Targets, TargetError> {
        let source = self.source_of(automation);
        let reference = match &source {
            Known::Here(repository) => repository.reference.as_ref(),
            // What it says of branches counts only where the automation says nothing.
            Known::Unread(why) if automation.git.as_ref().is_some_and(|git| git.checkout.is_none()) => {
                return Err(TargetError::Unread(unread(Kind::GitRepository, &automation.source, why)));
            }
            Known::Unread(_) | Known::Absent => None,
        };
        targets(automation, reference).map_err(|error| match error {
            TargetError::NoPushBranch if source == Known::Absent && !is_implied(automation) => {
                TargetError::NoRepository(automation.source.clone())
            }
            error => error,
        })
    }

    /// Why it could not be read whether the `GitRepository` of an automation is there; `None` where that is known.
    pub fn unread_source(&self, automation: &ImageUpdateAutomation) -> Option<Problem> {
        match self.source_of(automation) {
            Known::Unread(why) => Some(unread(Kind::GitRepository, &automation.source, why)),
            Known::Here(_) | Known::Absent => None,
        }
    }
}

/// What `automation` reads and where it pushes; `reference` is `spec.ref` of its `GitRepository`.
///
/// `spec.git.checkout` hides `reference` as a whole, even when it is empty.
///
/// # Errors
/// The automation can not run as it is written.
pub fn targets(
    automation: &ImageUpdateAutomation,
    reference: Option<&GitRef>,
) -> Result<Targets, TargetError> {
    if automation.source_kind != "GitRepository" {
        return Err(TargetError::SourceKind(automation.source_kind.clone()));
    }
    let git = automation.git.as_ref().ok_or(TargetError::NoGit)?;
    if automation.strategy != "Setters" {
        return Err(TargetError::Strategy(automation.strategy.clone()));
    }
    let used = git.checkout.as_ref().or(reference);
    let read_branch = used.and_then(|used| given(used.branch.as_deref()));
    let checkout = used.map_or_else(|| Checkout::Branch(DEFAULT_BRANCH.to_owned()), Checkout::of);
    match (given(git.push_branch.as_deref()), read_branch) {
        (Some(push_branch), read_branch) => {
            // Without any reference the branch read is known to be `master`; with one only its `branch` field counts.
            let compared = if used.is_some() { read_branch } else { Some(DEFAULT_BRANCH.to_owned()) };
            let switching = compared.as_deref() != Some(push_branch.as_str());
            Ok(Targets { checkout, push_branch, switching })
        }
        (None, Some(push_branch)) => Ok(Targets { checkout, push_branch, switching: false }),
        (None, None) => Err(TargetError::NoPushBranch),
    }
}

/// `update.path` from the repository's root: no `.`, no `..` above the root, no slash at either end.
pub fn clean_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether `file` is `folder`, or lies in it; both are clean, and an empty folder is the root.
pub fn is_below(file: &str, folder: &str) -> bool {
    folder.is_empty()
        || file.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::inventory::implied_automation;
    use crate::domain::object::GitSpec;

    fn branch(name: &str) -> GitRef {
        GitRef { branch: Some(name.to_owned()), ..GitRef::default() }
    }

    fn of(
        checkout: Option<GitRef>,
        reference: Option<&GitRef>,
        push: Option<&str>,
    ) -> Result<Targets, TargetError> {
        let mut automation = implied_automation("flux-system", "x");
        let push_branch = push.map(ToOwned::to_owned);
        automation.git = Some(GitSpec { checkout, push_branch, ..GitSpec::default() });
        targets(&automation, reference)
    }

    #[test]
    fn branches_are_inferred_as_the_controller_does() {
        let tag = GitRef { tag: Some("v1.0.0".into()), ..GitRef::default() };
        let name = GitRef { name: Some("refs/heads/main".into()), ..GitRef::default() };
        let read = |name: &str| Checkout::Branch(name.to_owned());
        for (checkout, reference, push, expected) in [
            (Some(branch("main")), None, Some("main"), (read("main"), "main", false)),
            (Some(branch("main")), None, Some("auto"), (read("main"), "auto", true)),
            (Some(branch("dev")), Some(branch("main")), None, (read("dev"), "dev", false)),
            (None, Some(branch("main")), None, (read("main"), "main", false)),
            (None, Some(branch("main")), Some("auto"), (read("main"), "auto", true)),
            (None, None, Some("master"), (read("master"), "master", false)),
            (None, None, Some("main"), (read("master"), "main", true)),
            (Some(tag.clone()), None, Some("main2"), (Checkout::Tag("v1.0.0".into()), "main2", true)),
            (Some(name), None, Some("main"), (Checkout::Name("refs/heads/main".into()), "main", true)),
        ] {
            let (revision, push_branch, switching) = expected;
            let expected = Targets { checkout: revision, push_branch: push_branch.to_owned(), switching };
            assert_eq!(of(checkout.clone(), reference.as_ref(), push), Ok(expected), "{checkout:?} {push:?}");
        }
        for checkout in [Some(tag), Some(GitRef::default()), None] {
            assert_eq!(of(checkout, None, None), Err(TargetError::NoPushBranch));
        }
        // An empty `checkout.ref` hides the GitRepository's.
        assert_eq!(of(Some(GitRef::default()), Some(&branch("main")), None), Err(TargetError::NoPushBranch));
    }

    #[test]
    fn an_automation_without_git_can_not_run() {
        let mut automation = implied_automation("flux-system", "x");
        automation.git = None;
        assert_eq!(targets(&automation, None).unwrap_err().reason(), Some("InvalidSourceConfiguration"));
    }

    #[test]
    fn a_git_repository_that_is_not_there_is_the_reason_and_not_the_branch_it_would_have_given() {
        let mut automation = implied_automation("flux-system", "x");
        automation.meta.origin.source = "files";
        automation.source = ObjectId::new("flux-system", "nope");
        automation.git = Some(GitSpec::default());
        let error = Inventory::default().targets_of(&automation).unwrap_err();
        assert_eq!(error.reason(), Some("SourceManagerFailed"));
        let text = "failed configuring source manager: referenced git repository does not exist: \
                    GitRepository.source.toolkit.fluxcd.io \"nope\" not found";
        assert_eq!(error.to_string(), text);
        assert!(error.problem("a").hint.unwrap().contains("GitRepository flux-system/nope"));
    }

    #[test]
    fn a_git_repository_that_may_not_be_read_is_not_missing_and_its_branch_is_not_guessed() {
        let mut automation = implied_automation("flux-system", "x");
        automation.meta.origin.source = "cluster";
        automation.source = ObjectId::new("flux-system", "fleet");
        let git =
            |checkout| Some(GitSpec { checkout, push_branch: Some("auto".into()), ..GitSpec::default() });
        automation.git = git(None);
        let mut inventory = Inventory::default();
        assert_eq!(inventory.targets_of(&automation).unwrap().push_branch, "auto", "missing");
        let why = Problem::new(Code::ClusterForbidden, "prod", "not allowed to list gitrepositories");
        inventory.unread.note((Kind::GitRepository, None), why);
        let error = inventory.targets_of(&automation).unwrap_err();
        let problem = error.problem("flux-system/x");
        assert_eq!((error.reason(), problem.exit()), (None, 4));
        let text = "GitRepository flux-system/fleet could not be read: not allowed to list gitrepositories";
        assert_eq!(problem.message, text);
        automation.git = git(Some(branch("main")));
        assert_eq!(inventory.targets_of(&automation).unwrap().checkout, Checkout::Branch("main".into()));
        assert_eq!(inventory.unread_source(&automation).unwrap().message, text);
        automation.meta.origin.source = super::super::IMPLIED;
        assert_eq!(inventory.unread_source(&automation), None, "it has none to be read");
    }

    #[test]
    fn of_the_fields_of_a_reference_the_first_that_says_something_counts() {
        let text = |text: &str| Some(text.to_owned());
        let mut reference = GitRef {
            commit: text("c0"),
            name: text("refs/pull/1/head"),
            tag: text("v1"),
            semver: text("1.x"),
            branch: text("main"),
        };
        assert_eq!(Checkout::of(&reference), Checkout::Commit("c0".into()));
        reference.commit = text("");
        assert_eq!(Checkout::of(&reference), Checkout::Name("refs/pull/1/head".into()));
        reference.name = None;
        assert_eq!(Checkout::of(&reference), Checkout::Tag("v1".into()));
        reference.tag = text("");
        assert_eq!(Checkout::of(&reference), Checkout::Semver("1.x".into()));
        reference.semver = None;
        assert_eq!(Checkout::of(&reference), Checkout::Branch("main".into()));
        reference.branch = text("");
        assert_eq!(Checkout::of(&reference), Checkout::Branch("master".into()));
    }
}
