//! From the arguments of `create` to the object they describe: files read, passwords taken, keys made.

use std::fs;
use std::path::Path;

use super::super::asks;
use crate::cli::objects::{
    CreateArgs, CreateCommon, CreateImage, CreateSecret, CreateSecretGitArgs, CreateSource, CreateWhat,
    Curve, KeyAlgorithm,
};
use crate::cli::secrets::LoginArgs;
use crate::config::Settings;
use crate::git::{self, GitUrl, KeyKind, KeyPair};
use crate::problem::{Code, Problem};
use crate::source::create::{
    self, AppFlags, AutomationFlags, Common, NewObject, OciFlags, PolicyFlags, ProxyFlags, RepositoryFlags,
    SecretFlags, SourceFlags, SshKeys, TlsFlags,
};
use crate::source::export::Yaml;
use crate::source::objects::URL_ANNOTATION;
use crate::text::SecretString;

/// The object that the arguments describe, and what all of `create` have in common.
pub(super) fn object<'a>(args: &'a CreateArgs, settings: &Settings) -> Result<Described<'a>, Problem> {
    match &args.what {
        CreateWhat::Image { kind } => image(kind, settings),
        CreateWhat::Source { kind } => source(kind, settings),
        CreateWhat::Secret { kind } => secret(kind, settings),
    }
}

/// What all of `create` have in common, and the object.
type Described<'a> = (&'a CreateCommon, NewObject);

fn common_of(common: &CreateCommon, settings: &Settings) -> Common {
    Common {
        name: common.name.clone(),
        namespace: settings.default_namespace.clone(),
        labels: common.label.clone(),
    }
}

fn image<'a>(kind: &'a CreateImage, settings: &Settings) -> Result<Described<'a>, Problem> {
    Ok(match kind {
        CreateImage::Repository(args) => {
            let flags = RepositoryFlags {
                image: args.image.clone(),
                interval: args.interval,
                secret_ref: args.secret_ref.clone(),
                cert_ref: args.cert_ref.clone(),
                scan_timeout: args.scan_timeout,
            };
            (&args.common, create::image_repository(&common_of(&args.common, settings), &flags)?)
        }
        CreateImage::Policy(args) => {
            let flags = PolicyFlags {
                image_ref: args.image_ref.clone(),
                semver: args.select_semver.clone(),
                alpha: args.select_alpha.clone(),
                numeric: args.select_numeric.clone(),
                filter_regex: args.filter_regex.clone(),
                filter_extract: args.filter_extract.clone(),
                reflect_digest: args.reflect_digest.clone(),
                interval: args.interval,
            };
            (&args.common, create::image_policy(&common_of(&args.common, settings), &flags)?)
        }
        CreateImage::Update(args) => {
            let flags = AutomationFlags {
                interval: args.interval,
                git_repo_ref: args.git_repo_ref.clone(),
                git_repo_namespace: args.git_repo_namespace.clone(),
                git_repo_path: args.git_repo_path.clone(),
                checkout_branch: args.checkout_branch.clone(),
                push_branch: args.push_branch.clone(),
                commit_template: args.commit_template.clone(),
                author_name: args.author_name.clone(),
                author_email: args.author_email.clone(),
                signing_key_secret: args.signing_key_secret.clone(),
                signing_key_type: args.signing_key_type.clone(),
            };
            (&args.common, create::image_update(&common_of(&args.common, settings), &flags)?)
        }
    })
}

fn source<'a>(kind: &'a CreateSource, settings: &Settings) -> Result<Described<'a>, Problem> {
    Ok(match kind {
        CreateSource::Git(args) => {
            let flags = SourceFlags {
                url: args.url.clone(),
                branch: args.branch.clone(),
                secret_ref: args.secret_ref.clone(),
                interval: args.interval,
            };
            (&args.common, create::source_git(&common_of(&args.common, settings), &flags)?)
        }
    })
}

fn secret<'a>(kind: &'a CreateSecret, settings: &Settings) -> Result<Described<'a>, Problem> {
    Ok(match kind {
        CreateSecret::Git(args) => {
            (&args.common, git_secret(args, &common_of(&args.common, settings), settings)?)
        }
        CreateSecret::Oci(args) => {
            let flags = OciFlags {
                url: args.url.clone(),
                username: args.login.username.clone(),
                password: password(&args.login)?,
            };
            (&args.common, create::secret_oci(&common_of(&args.common, settings), &flags)?)
        }
        CreateSecret::Tls(args) => {
            let flags = TlsFlags {
                tls_crt: text_of(args.tls_crt_file.as_deref())?,
                tls_key: text_of(args.tls_key_file.as_deref())?.map(SecretString::from),
                ca_crt: text_of(args.ca_crt_file.as_deref())?,
            };
            (&args.common, create::secret_tls(&common_of(&args.common, settings), &flags)?)
        }
        CreateSecret::Proxy(args) => {
            let flags = ProxyFlags {
                address: args.address.clone(),
                username: args.login.username.clone(),
                password: password(&args.login)?,
            };
            (&args.common, create::secret_proxy(&common_of(&args.common, settings), &flags)?)
        }
        CreateSecret::GithubApp(args) => {
            let flags = AppFlags {
                app_id: args.app_id.clone(),
                owner: args.app_installation_owner.clone(),
                installation_id: args.app_installation_id.clone(),
                private_key: text_of(args.app_private_key.as_deref())?.map(SecretString::from),
                base_url: args.app_base_url.clone(),
            };
            (&args.common, create::secret_github_app(&common_of(&args.common, settings), &flags)?)
        }
    })
}

/// What there is to say of flags that flux takes as they are, and that lead nowhere.
pub(super) fn remark(args: &CreateArgs) -> Option<Problem> {
    let CreateWhat::Secret { kind: CreateSecret::Oci(args) } = &args.what else { return None };
    let url = args.url.as_deref()?;
    let host = url.strip_prefix("oci://")?;
    let message = format!("the login is kept for {url}, which is no registry's name: none will be shown it");
    Some(Problem::new(Code::Skipped, "--url", message).hint(format!("Leave the scheme out: --url={host}")))
}

fn password(login: &LoginArgs) -> Result<Option<SecretString>, Problem> {
    if login.password_stdin {
        return super::super::password_from_stdin("--password-stdin").map(Some);
    }
    Ok(login.password.clone().map(SecretString::from))
}

/// The text of a file that a flag names.
fn text_of(path: Option<&Path>) -> Result<Option<String>, Problem> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| {
            Problem::new(Code::Usage, path.display().to_string(), "cannot be read").caused_by(&error)
        })
    };
    path.map(read).transpose()
}

fn git_secret(
    args: &CreateSecretGitArgs,
    common: &Common,
    settings: &Settings,
) -> Result<NewObject, Problem> {
    let password = if args.password_stdin {
        Some(super::super::password_from_stdin("--password-stdin")?)
    } else {
        args.password.clone().map(SecretString::from)
    };
    let mut flags = SecretFlags {
        url: args.url.clone(),
        username: args.username.clone(),
        password,
        bearer_token: args.bearer_token.clone().map(SecretString::from),
        ca_crt: text_of(args.ca_crt_file.as_deref())?,
        ssh: None,
    };
    let address = args.url.as_deref().filter(|url| url.starts_with("ssh://"));
    if let (Some(url), true) = (address, common.is_named()) {
        flags.ssh = Some(ssh_keys(args, url, settings)?);
    }
    let mut secret = create::secret_git(common, &flags)?;
    if !args.common.export
        && args.common.path.is_none()
        && let Some(url) = &args.url
    {
        // So that it serves this address even if no GitRepository names it.
        secret.annotations.insert(URL_ANNOTATION.to_owned(), git::redact(url));
    }
    Ok(secret)
}

/// The keys for an ssh address: the private one that is given, or a new one; the host's of a file that is given, or those
/// that it shows.
fn ssh_keys(args: &CreateSecretGitArgs, url: &str, settings: &Settings) -> Result<SshKeys, Problem> {
    let place = GitUrl::parse(url).and_then(|url| url.ssh_place()).map_err(Problem::from)?;
    let pair = match text_of(args.private_key_file.as_deref())? {
        Some(key) => KeyPair::of(SecretString::from(key))?,
        None => KeyPair::generate(kind_of(args))?,
    };
    let known_hosts = if let Some(known) = text_of(settings.git_known_hosts.as_deref())? {
        known
    } else {
        asks(settings, "--git-known-hosts")?;
        git::scan_host(&place)?
    };
    Ok(SshKeys { identity: pair.private, public: pair.public, known_hosts })
}

fn kind_of(args: &CreateSecretGitArgs) -> KeyKind {
    match (args.ssh_key_algorithm, args.ssh_ecdsa_curve) {
        (KeyAlgorithm::Rsa, _) => KeyKind::Rsa(args.ssh_rsa_bits.0),
        (KeyAlgorithm::Ed25519, _) => KeyKind::Ed25519,
        (KeyAlgorithm::Ecdsa, Curve::P256) => KeyKind::Ecdsa(256),
        (KeyAlgorithm::Ecdsa, Curve::P384) => KeyKind::Ecdsa(384),
        (KeyAlgorithm::Ecdsa, Curve::P521) => KeyKind::Ecdsa(521),
    }
}

/// What somebody has to do about the keys of a new secret: register the one, compare the others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    deploy: Option<String>,
    /// Whether the deploy key was made here, so that it is nowhere else.
    is_new: bool,
    hosts: Vec<String>,
}

impl Keys {
    /// Those of `object`, which was made of `args`.
    pub(super) fn of(args: &CreateArgs, object: &NewObject) -> Self {
        let CreateWhat::Secret { kind: CreateSecret::Git(args) } = &args.what else { return Self::default() };
        let Yaml::Map(data) = &object.body.1 else { return Self::default() };
        let text = |key: &str| match data.get(key) {
            Some(Yaml::Text(text)) => Some(text.trim_end().to_owned()),
            _ => None,
        };
        Self {
            deploy: text("identity.pub"),
            is_new: args.private_key_file.is_none(),
            hosts: text("known_hosts").map(|known| git::fingerprints(&known)).unwrap_or_default(),
        }
    }

    /// A line for each. A key that a dry run makes goes with it: nobody is to register it.
    pub(super) fn lines(&self, is_dry_run: bool) -> Vec<(char, String)> {
        let deploy = self.deploy.iter().map(|key| {
            let is_lost = is_dry_run && self.is_new;
            ('✚', format!("deploy key: {}", if is_lost { "a new one would be made" } else { key }))
        });
        let hosts = self
            .hosts
            .iter()
            .map(|print| ('►', format!("host key: {print}; compare it with what its owner publishes")));
        deploy.chain(hosts).collect()
    }

    /// The same as the message of a result.
    pub(super) fn message(&self, is_dry_run: bool) -> Option<String> {
        let lines: Vec<String> = self.lines(is_dry_run).into_iter().map(|(_, line)| line).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn created(line: &str) -> CreateArgs {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Some(Command::Create(args)) => args,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn the_address_that_a_secret_serves_is_kept_without_a_login() {
        let args = created(
            "supercargo create secret git it --url=https://rita:hunter2@h/p --username=u --password=p",
        );
        let (_, secret) = object(&args, &crate::engine::tests::settings()).unwrap();
        assert_eq!(secret.annotations.get(URL_ANNOTATION).map(String::as_str), Some("https://h/p"));
    }

    #[test]
    fn a_registry_by_a_url_is_told_by_its_name() {
        let hint = |url: &str| {
            let line = format!("supercargo create secret oci it --url={url} --username=u --password=p");
            remark(&created(&line)).and_then(|problem| problem.hint)
        };
        assert_eq!(hint("oci://ghcr.io/acme").unwrap(), "Leave the scheme out: --url=ghcr.io/acme");
        assert_eq!(hint("ghcr.io"), None);
    }

    #[test]
    fn a_key_that_a_dry_run_made_is_not_handed_out() {
        let keys = |is_new| Keys {
            deploy: Some("ssh-ed25519 AAAA".to_owned()),
            is_new,
            hosts: vec!["ssh-ed25519 SHA256:x".to_owned()],
        };
        let host = "host key: ssh-ed25519 SHA256:x; compare it with what its owner publishes";
        let said = |is_new, is_dry_run| keys(is_new).message(is_dry_run).unwrap_or_default();
        assert_eq!(said(true, true), format!("deploy key: a new one would be made\n{host}"));
        for (is_new, is_dry_run) in [(true, false), (false, true), (false, false)] {
            assert_eq!(said(is_new, is_dry_run), format!("deploy key: ssh-ed25519 AAAA\n{host}"));
        }
        assert_eq!(Keys::default().message(false), None);
    }
}
