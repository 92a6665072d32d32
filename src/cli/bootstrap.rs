//! `bootstrap`: the flags of `flux bootstrap …`, as far as they say where and what; those that only shape controllers go into the
//! command that installs them.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::{Global, values};
use crate::domain::duration::GoDuration;

/// `bootstrap`.
#[derive(Debug, Args)]
pub struct BootstrapArgs {
    /// Where.
    #[command(subcommand)]
    pub at: BootstrapAt,
}

/// Where the repository is.
#[derive(Debug, Subcommand)]
pub enum BootstrapAt {
    /// At GitHub, also Enterprise.
    #[command(name = "github")]
    GitHub(AtForgeArgs),
    /// At GitLab.
    #[command(name = "gitlab")]
    GitLab(AtForgeArgs),
    /// At Gitea or Forgejo.
    Gitea(AtForgeArgs),
    /// At any Git server.
    Git(AtGitArgs),
}

/// `bootstrap github|gitlab|gitea`.
#[expect(clippy::struct_excessive_bools, reason = "a flag on a command line is a bool")]
#[derive(Debug, Args)]
pub struct AtForgeArgs {
    /// Whose repository: a person, an organisation, a group.
    #[arg(long, value_name = "NAME", value_parser = values::owner)]
    pub owner: String,
    /// The repository.
    #[arg(long, value_name = "NAME", value_parser = values::repository)]
    pub repository: String,
    /// Where the forge is, unless it is where everybody's is or the environment has its API.
    #[arg(long, value_name = "HOST[:PORT]", hide_short_help = true)]
    pub hostname: Option<String>,
    /// The owner is a person.
    #[arg(long)]
    pub personal: bool,
    /// Make a private repository; `--private=false` a public one.
    #[arg(long, default_value_t = true, hide_short_help = true, hide_possible_values = true, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL")]
    pub private: bool,
    /// Controllers log in with a token, not with a deploy key.
    #[arg(long)]
    pub token_auth: bool,
    /// The deploy key may write, as image automation needs it.
    #[arg(long)]
    pub read_write_key: bool,
    /// What all have in common.
    #[command(flatten)]
    pub common: BootstrapCommon,
}

/// `bootstrap git`.
#[derive(Debug, Args)]
pub struct AtGitArgs {
    /// The repository: `https://…`, `ssh://…`.
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Who logs in; as --git-username [default with --password: git].
    #[arg(short, long, value_name = "NAME", conflicts_with = "git_username")]
    pub username: Option<String>,
    /// The password or token; better is --git-password-stdin.
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "git_password_stdin")]
    pub password: Option<String>,
    /// The key for ssh; as --git-ssh-key.
    #[arg(long, value_name = "FILE", conflicts_with = "git_ssh_key")]
    pub private_key_file: Option<PathBuf>,
    /// Controllers log in with user name and password: the address has to be https://.
    #[arg(long)]
    pub token_auth: bool,
    /// Let http:// do, where anybody on the way can read along; this machine needs no leave.
    #[arg(long, hide_short_help = true)]
    pub allow_insecure_http: bool,
    /// What all have in common.
    #[command(flatten)]
    pub common: BootstrapCommon,
}

impl AtGitArgs {
    /// Gives these flags of flux's the names that they have with every command here; the password, if there is one.
    pub fn name_login(&self, global: &mut Global) -> Option<String> {
        let user = self.username.clone().or_else(|| self.password.as_ref().map(|_| "git".to_owned()));
        global.git_username = global.git_username.take().or(user);
        global.git_ssh_key = global.git_ssh_key.take().or_else(|| self.private_key_file.clone());
        self.password.clone()
    }
}

/// What every `bootstrap` takes.
#[derive(Debug, Args)]
pub struct BootstrapCommon {
    /// The branch, made where it is missing.
    #[arg(long, value_name = "NAME", default_value = "main", value_parser = values::branch)]
    pub branch: String,
    /// The folder that the cluster follows [default: the repository's root].
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true, value_parser = values::folder)]
    pub path: String,
    /// Replace files there that say something else.
    #[arg(long)]
    pub overwrite: bool,
    /// How often the repository is fetched [default: 1m].
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    pub interval: Option<GoDuration>,
    /// The secret that controllers log in with [default: the namespace].
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub secret_name: Option<String>,
    /// Who the commit is by [default: you].
    #[arg(long, value_name = "NAME", requires = "author_email", hide_short_help = true)]
    pub author_name: Option<String>,
    /// Their address.
    #[arg(long, value_name = "EMAIL", requires = "author_name", hide_short_help = true)]
    pub author_email: Option<String>,
    /// A paragraph behind the commit's message, such as `[ci skip]`.
    #[arg(long, value_name = "TEXT", hide_short_help = true)]
    pub commit_message_appendix: Option<String>,
    /// Controllers beside flux's own; those for images always are.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', hide_short_help = true)]
    pub components_extra: Vec<String>,
    /// What goes into the installing command as it is.
    #[command(flatten)]
    pub install: InstallArgs,
}

/// Flags of `flux install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// Controllers to install.
    #[arg(long, value_name = "NAMES", hide_short_help = true)]
    pub components: Option<String>,
    /// The version of the controllers.
    #[arg(long = "version", value_name = "VERSION", id = "flux_version", hide_short_help = true)]
    pub flux_version: Option<String>,
    /// The registry that the controllers' images are at.
    #[arg(long, value_name = "HOST", hide_short_help = true)]
    pub registry: Option<String>,
    /// The secret that the controllers' images are pulled with.
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub image_pull_secret: Option<String>,
    /// The name of the cluster's own domain.
    #[arg(long, value_name = "DOMAIN", hide_short_help = true)]
    pub cluster_domain: Option<String>,
    /// Taints that the controllers bear.
    #[arg(long, value_name = "KEYS", hide_short_help = true)]
    pub toleration_keys: Option<String>,
    /// Whether other namespaces are kept from the controllers.
    #[arg(long, value_name = "BOOL", hide_short_help = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub network_policy: Option<bool>,
    /// Whether controllers look at all namespaces.
    #[arg(long, value_name = "BOOL", hide_short_help = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub watch_all_namespaces: Option<bool>,
}

impl InstallArgs {
    /// Each flag that was given, as flux takes it.
    pub fn flags(&self) -> Vec<String> {
        let texts = [
            ("components", &self.components),
            ("version", &self.flux_version),
            ("registry", &self.registry),
            ("image-pull-secret", &self.image_pull_secret),
            ("cluster-domain", &self.cluster_domain),
            ("toleration-keys", &self.toleration_keys),
        ];
        let texts = texts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        let bools =
            [("network-policy", self.network_policy), ("watch-all-namespaces", self.watch_all_namespaces)];
        let bools = bools.into_iter().filter_map(|(name, value)| Some((name, value?.to_string())));
        texts.chain(bools).map(|(name, value)| format!("--{name}={value}")).collect()
    }
}
