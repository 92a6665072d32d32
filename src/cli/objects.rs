//! `create`: the flags of `flux create …`, and where to write.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values;
use crate::domain::duration::GoDuration;

pub use super::secrets::{
    Bits, CreateSecretAppArgs, CreateSecretGitArgs, CreateSecretOciArgs, CreateSecretProxyArgs,
    CreateSecretTlsArgs, Curve, KeyAlgorithm,
};

/// `create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// What to create.
    #[command(subcommand)]
    pub what: CreateWhat,
}

/// What `create` creates.
#[derive(Debug, Subcommand)]
pub enum CreateWhat {
    /// An image repository, policy or automation.
    Image {
        /// Which kind.
        #[command(subcommand)]
        kind: CreateImage,
    },
    /// A Git source.
    Source {
        /// Which kind.
        #[command(subcommand)]
        kind: CreateSource,
    },
    /// A secret; without a cluster and --path it is kept in our own folder.
    Secret {
        /// Which kind.
        #[command(subcommand)]
        kind: CreateSecret,
    },
}

/// Kinds of `create image`.
#[derive(Debug, Subcommand)]
pub enum CreateImage {
    /// What to scan; scans it.
    Repository(CreateRepositoryArgs),
    /// What to select; evaluates it.
    Policy(CreatePolicyArgs),
    /// What to write where, and how to commit it.
    Update(CreateAutomationArgs),
}

/// Kinds of `create source`.
#[derive(Debug, Subcommand)]
pub enum CreateSource {
    /// A `GitRepository`.
    Git(CreateSourceGitArgs),
}

/// Kinds of `create secret`.
#[derive(Debug, Subcommand)]
pub enum CreateSecret {
    /// What to log in to a Git remote with.
    Git(CreateSecretGitArgs),
    /// What to log in to a registry with.
    Oci(CreateSecretOciArgs),
    /// Certificates.
    Tls(CreateSecretTlsArgs),
    /// Where a proxy is.
    Proxy(CreateSecretProxyArgs),
    /// What a GitHub App logs in with.
    #[command(name = "githubapp")]
    GithubApp(CreateSecretAppArgs),
}

/// What every `create` takes.
#[derive(Debug, Clone, Args)]
pub struct CreateCommon {
    /// The object's name.
    pub name: Option<String>,
    /// Labels; repeatable, or separated by commas.
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', hide_short_help = true)]
    pub label: Vec<String>,
    /// Print the YAML, write nothing.
    #[arg(long)]
    pub export: bool,
    /// This file, or a new one in this directory.
    #[arg(long, value_name = "DIR|FILE.yaml")]
    pub path: Option<PathBuf>,
}

/// `create image repository`.
#[derive(Debug, Args)]
pub struct CreateRepositoryArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The image repository, without a tag.
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Time between scans.
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pub interval: GoDuration,
    /// The pull secret.
    #[arg(long, value_name = "NAME")]
    pub secret_ref: Option<String>,
    /// The secret with TLS material.
    #[arg(long, value_name = "NAME")]
    pub cert_ref: Option<String>,
    /// How long a scan may take.
    #[arg(long, value_name = "DURATION")]
    pub scan_timeout: Option<GoDuration>,
}

/// `create image policy`.
#[derive(Debug, Args)]
pub struct CreatePolicyArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The `ImageRepository`.
    #[arg(long, value_name = "NAME")]
    pub image_ref: Option<String>,
    /// Select by version, within this range.
    #[arg(long, value_name = "RANGE")]
    pub select_semver: Option<String>,
    /// Select by bytes: asc or desc.
    #[arg(long, value_name = "ORDER")]
    pub select_alpha: Option<String>,
    /// Select by number: asc or desc.
    #[arg(long, value_name = "ORDER")]
    pub select_numeric: Option<String>,
    /// Only tags that match this Go pattern.
    #[arg(long, value_name = "RE")]
    pub filter_regex: Option<String>,
    /// Compare what this makes of the match.
    #[arg(long, value_name = "TEMPLATE")]
    pub filter_extract: Option<String>,
    /// Digests: Never, `IfNotPresent` or Always.
    #[arg(long, value_name = "POLICY")]
    pub reflect_digest: Option<String>,
    /// Time between passes with digests Always.
    #[arg(long, value_name = "DURATION")]
    pub interval: Option<GoDuration>,
}

/// `create image update`.
#[derive(Debug, Args)]
pub struct CreateAutomationArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// Time between runs.
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pub interval: GoDuration,
    /// The `GitRepository`.
    #[arg(long, value_name = "NAME")]
    pub git_repo_ref: Option<String>,
    /// The `GitRepository`'s namespace.
    #[arg(long, value_name = "NS")]
    pub git_repo_namespace: Option<String>,
    /// Only files below this path are written.
    #[arg(long, value_name = "PATH")]
    pub git_repo_path: Option<String>,
    /// The branch to start from.
    #[arg(long, value_name = "BRANCH", value_parser = values::branch)]
    pub checkout_branch: Option<String>,
    /// The branch to push to.
    #[arg(long, value_name = "BRANCH", value_parser = values::branch)]
    pub push_branch: Option<String>,
    /// The template of the commit message.
    #[arg(long, value_name = "TEMPLATE")]
    pub commit_template: Option<String>,
    /// Who commits.
    #[arg(long, value_name = "NAME")]
    pub author_name: Option<String>,
    /// Their address.
    #[arg(long, value_name = "EMAIL")]
    pub author_email: Option<String>,
    /// The secret with the signing key.
    #[arg(long, value_name = "NAME")]
    pub signing_key_secret: Option<String>,
    /// The key's type: gpg or ssh.
    #[arg(long, value_name = "TYPE")]
    pub signing_key_type: Option<String>,
}

/// `create source git`.
#[derive(Debug, Args)]
pub struct CreateSourceGitArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The remote's address.
    #[arg(long)]
    pub url: Option<String>,
    /// The branch.
    #[arg(long, value_parser = values::branch)]
    pub branch: Option<String>,
    /// The secret to log in with.
    #[arg(long, value_name = "NAME")]
    pub secret_ref: Option<String>,
    /// Time between fetches of the controller.
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pub interval: GoDuration,
}
