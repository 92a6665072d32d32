//! `create image update`.

use super::super::export::{Yaml, map};
use super::{Common, CreateError, Made, NewObject, duration, reference, text, usage};
use crate::domain::duration::GoDuration;
use crate::domain::object::Kind;

/// Flags of `create image update`.
#[derive(Debug, Clone, Default)]
pub struct AutomationFlags {
    /// `--interval`
    pub interval: GoDuration,
    /// `--git-repo-ref`
    pub git_repo_ref: Option<String>,
    /// `--git-repo-namespace`
    pub git_repo_namespace: Option<String>,
    /// `--git-repo-path`
    pub git_repo_path: Option<String>,
    /// `--checkout-branch`
    pub checkout_branch: Option<String>,
    /// `--push-branch`
    pub push_branch: Option<String>,
    /// `--commit-template`
    pub commit_template: Option<String>,
    /// `--author-name`
    pub author_name: Option<String>,
    /// `--author-email`
    pub author_email: Option<String>,
    /// `--signing-key-secret`
    pub signing_key_secret: Option<String>,
    /// `--signing-key-type`
    pub signing_key_type: Option<String>,
}

/// The `ImageUpdateAutomation` that the flags describe.
///
/// # Errors
/// What flux refuses.
pub fn image_update(common: &Common, flags: &AutomationFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let required = |value: &Option<String>, complaint: &str| match text(value.as_ref()) {
        Some(value) => Ok(value),
        None => usage(complaint),
    };
    let source =
        required(&flags.git_repo_ref, "a reference to a GitRepository is required (--git-repo-ref)")?;
    let branch =
        required(&flags.checkout_branch, "the Git repository branch is required (--checkout-branch)")?;
    let name = required(&flags.author_name, "the author name is required (--author-name)")?;
    let email = required(&flags.author_email, "the author email is required (--author-email)")?;
    let commit = map([
        ("author", Some(map([("name", Some(name)), ("email", Some(email))]))),
        ("messageTemplate", text(flags.commit_template.as_ref())),
        ("signingKey", signing_key(flags)?),
    ]);
    let git = map([
        ("checkout", Some(map([("ref", Some(map([("branch", Some(branch))])))]))),
        ("commit", Some(commit)),
        ("push", text(flags.push_branch.as_ref()).map(|branch| map([("branch", Some(branch))]))),
    ]);
    let update = text(flags.git_repo_path.as_ref());
    let spec = map([
        ("interval", Some(duration(flags.interval))),
        (
            "sourceRef",
            Some(map([
                ("kind", Some("GitRepository".into())),
                ("name", Some(source)),
                ("namespace", text(flags.git_repo_namespace.as_ref())),
            ])),
        ),
        ("git", Some(git)),
        ("update", update.map(|path| map([("path", Some(path)), ("strategy", Some("Setters".into()))]))),
    ]);
    common.object(Made::Flux(Kind::ImageUpdateAutomation), ("spec", spec))
}

fn signing_key(flags: &AutomationFlags) -> Result<Option<Yaml>, CreateError> {
    let kind = text(flags.signing_key_type.as_ref());
    let Some(secret) = flags.signing_key_secret.as_deref().filter(|name| !name.is_empty()) else {
        return if kind.is_some() {
            usage("--signing-key-type requires --signing-key-secret")
        } else {
            Ok(None)
        };
    };
    if kind.as_ref().is_some_and(|kind| ![Yaml::from("gpg"), Yaml::from("ssh")].contains(kind)) {
        return usage("--signing-key-type must be one of: gpg, ssh");
    }
    Ok(Some(map([("secretRef", Some(reference(secret))), ("type", kind)])))
}
