//! `create source git`.

use super::super::export::map;
use super::{Common, CreateError, Made, NewObject, duration, reference, text, usage};
use crate::domain::duration::GoDuration;
use crate::domain::object::Kind;

/// Flags of `create source git`.
#[derive(Debug, Clone, Default)]
pub struct SourceFlags {
    /// `--url`
    pub url: Option<String>,
    /// `--branch`
    pub branch: Option<String>,
    /// `--secret-ref`
    pub secret_ref: Option<String>,
    /// `--interval`
    pub interval: GoDuration,
}

/// The `GitRepository` that the flags describe.
///
/// Beside flux's schemes `file` is taken: a remote in a folder is good enough for us, though not for Flux.
///
/// # Errors
/// What flux refuses.
pub fn source_git(common: &Common, flags: &SourceFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(url) = flags.url.as_deref().filter(|url| !url.is_empty()) else {
        return usage("url is required");
    };
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["ssh", "http", "https", "file"].contains(&scheme) {
        return usage(format!("git URL scheme '{scheme}' not supported, can be: ssh, http and https"));
    }
    let Some(branch) = text(flags.branch.as_ref()) else {
        return usage(
            "a Git ref is required, use one of the following: --branch, --tag, --commit, --ref-name or --tag-semver",
        );
    };
    let spec = map([
        ("url", Some(url.into())),
        ("interval", Some(duration(flags.interval))),
        ("ref", Some(map([("branch", Some(branch))]))),
        ("secretRef", flags.secret_ref.as_deref().filter(|name| !name.is_empty()).map(reference)),
    ]);
    common.object(Made::Flux(Kind::GitRepository), ("spec", spec))
}
