//! Which credentials apply to which registry and which remote, in the order of the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Engine, World};
use crate::domain::object::{GitRepository, ImageRepository, ObjectId};
use crate::git::credential::{self, SecretSource, Sources};
use crate::git::{
    ForgeToken, GitConfig, GitCredential, GitUrl, Proxy, Remote, Scheme, fallbacks, is_same_repository,
    redact,
};
use crate::problem::{Code, Problem};
use crate::registry::{Keyring, Transport};
use crate::source::files::{self, SourceFile};
use crate::source::objects::URL_ANNOTATION;
use crate::source::secrets::{Secret, SecretError};

impl Engine {
    /// Everything that may be shown to the registry of `repository`: flags, environment, its secrets or its provider, docker's files.
    pub(super) fn keyring(&self, world: &World, repository: &ImageRepository) -> (Keyring, Vec<Problem>) {
        let (plain, mut problems) = self.plain_keyring();
        let (keyring, own) = Self::keyring_with(plain, world, repository);
        problems.extend(own);
        (keyring, problems)
    }

    /// What serves without an object: flags, environment, docker's files.
    pub(super) fn plain_keyring(&self) -> (Keyring, Vec<Problem>) {
        let mut keyring = Keyring::new();
        if let Some(given) = &self.settings.registry_credential {
            keyring.add_login(given.origin, given.host.as_deref(), &given.username, given.password.clone());
        }
        let failed = keyring.add_docker_files(|name| std::env::var_os(name));
        let problems = failed
            .iter()
            .map(|error| Problem::new(Code::Skipped, "registry credentials", error.to_string()))
            .collect();
        (keyring, problems)
    }

    /// Checks that there is a `GitRepository`, or an automation that refers to one, for each name that `--git-url` has.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the nearest name.
    pub fn sources_are_known(&self, world: &World) -> Result<(), Problem> {
        let inventory = &world.inventory;
        let referred_to = inventory.automations.values().map(|automation| &automation.source);
        let known: BTreeSet<String> =
            inventory.git_repositories.keys().chain(referred_to).map(ToString::to_string).collect();
        let Some(unknown) = self.settings.named_sources.iter().find(|name| !known.contains(*name)) else {
            return Ok(());
        };
        let names = known.iter().map(String::as_str);
        let hint = crate::text::known_names(unknown, names, "supercargo get automations -A -o wide");
        let subject = format!("--git-url {unknown}");
        Err(Problem::new(Code::NotFound, subject, "there is no GitRepository of this name").hint(hint))
    }

    /// Checks that a credential from the command line goes to one host if all of `world` is asked.
    ///
    /// # Errors
    /// [`Code::Usage`] naming the hosts.
    pub fn credentials_are_for_one_host(&self, world: &World) -> Result<(), Problem> {
        self.one_registry(world, world.inventory.repositories.keys())?;
        self.one_git_host(self.addresses(world))
    }

    /// Checks that `remotes` are at one host, if a credential for Git was given: it is for one.
    pub(super) fn one_git_host(&self, remotes: impl Iterator<Item = String>) -> Result<(), Problem> {
        let flag = match (&self.settings.git_credential, &self.settings.git_ssh_key) {
            (Some(_), _) => "--git-username",
            (None, Some(_)) => "--git-ssh-key",
            (None, None) => return Ok(()),
        };
        let urls = remotes.filter_map(|url| GitUrl::parse(&url).ok());
        let host = |url: GitUrl| url.port.map_or(url.host.clone(), |port| format!("{}:{port}", url.host));
        for_one_host(flag, urls.map(host).filter(|host| !host.is_empty())).map_err(|problem| {
            problem.hint("Keep the credentials apart: supercargo create secret git NAME --url URL …")
        })
    }

    /// The remote at `url`, with every credential that may be tried there.
    pub(super) fn remote(
        &self,
        url: &str,
        secrets: &[&Secret],
        git_config: &GitConfig,
        problems: &mut Vec<Problem>,
    ) -> Result<Remote, Problem> {
        let given = self.settings.git_credential.as_ref();
        let from = |origin: &str| {
            let given = given.filter(|given| given.origin == origin)?;
            Some((Some(given.username.clone()), given.password.clone()))
        };
        let secrets = secrets
            .iter()
            .map(|secret| SecretSource { label: format!("secret {}", secret.id), data: &secret.data });
        let sources = Sources {
            flags: from("flags"),
            environment: from("environment"),
            ssh_key: self.settings.git_ssh_key.clone(),
            known_hosts: self.settings.git_known_hosts.clone(),
            fallbacks: self.fallbacks(url, git_config),
            secrets: secrets.collect(),
        };
        let (credentials, passed_over) = credential::candidates(url, &sources).map_err(Problem::from)?;
        problems.extend(passed_over.into_iter().map(|text| Problem::new(Code::Skipped, redact(url), text)));
        let mut remote = Remote::new(url);
        remote.credentials = credentials;
        (remote.ssh, remote.opened) = (git_config.ssh_program(), self.opened.clone());
        let http = git_config.http_settings(url);
        remote.ca_files.clone_from(&self.settings.ca_files);
        remote.ca_files.extend(http.ca_file);
        (remote.certificate, remote.proxy) = (http.certificate, http.proxy);
        Ok(remote)
    }

    /// What is tried once the server of a remote asks for a login.
    fn fallbacks(&self, url: &str, git_config: &GitConfig) -> Vec<GitCredential> {
        let Ok(parsed) = GitUrl::parse(url) else { return Vec::new() };
        let token = super::requests::address(url).ok().and_then(|address| self.forges.login(&address));
        let token = token.map(|(kind, token)| ForgeToken { label: token.label, kind, secret: token.secret });
        fallbacks(&parsed, git_config, token).into_iter().chain(self.typed.login(&parsed)).collect()
    }

    /// The proxy of a `GitRepository`'s `proxySecretRef`; a secret that is nowhere to be read is passed over with a warning.
    ///
    /// # Errors
    /// The secret holds no proxy that could be used.
    pub(super) fn git_proxy(
        world: &World,
        repository: &GitRepository,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Proxy>, Problem> {
        let subject = repository.meta.id.to_string();
        let Some(name) = &repository.proxy_secret_ref else { return Ok(None) };
        let id = ObjectId::new(&repository.meta.id.namespace, name);
        let secret = match world.secret(&id) {
            Ok(secret) => secret,
            Err(error) => {
                problems.push(error.warning(subject));
                return Ok(None);
            }
        };
        let mut transport = Transport::default();
        let read = transport.add_proxy(&id.to_string(), |key| secret.data.get(key));
        read.map_err(|error| Problem::new(Code::Config, subject, error.to_string()))?;
        Ok(transport.proxy().map(|(address, login)| {
            // A proxy of a secret is for every request, as controllers have it.
            Proxy { address: address.to_owned(), login, spares: false }
        }))
    }

    /// The secrets that serve a `GitRepository` at `url`: its own, then ours that were made for that address.
    pub(super) fn git_secrets<'a>(
        world: &'a World,
        repository: Option<&GitRepository>,
        url: &str,
        problems: &mut Vec<Problem>,
    ) -> Vec<&'a Secret> {
        let mut found = Vec::new();
        if let Some(repository) = repository
            && let Some(name) = &repository.secret_ref
        {
            let id = ObjectId::new(&repository.meta.id.namespace, name);
            match world.secret(&id) {
                Ok(secret) => match world.made_for_another_host(secret, url) {
                    None => found.push(secret),
                    Some(made_for) => problems.push(not_shown(repository, &id, (made_for, url))),
                },
                Err(error) => problems.push(error.warning(repository.meta.id.to_string())),
            }
        }
        let made_for = |own: &&OwnSecret| {
            own.url.as_deref().is_some_and(|made_for| {
                [made_for, &world.git_config.instead_of(made_for)]
                    .iter()
                    .any(|made_for| is_same_repository(made_for, url) && !is_in_the_open(made_for, url))
            })
        };
        for own in world.own_secrets.iter().filter(made_for) {
            if !found.iter().any(|known| known.id == own.secret.id) {
                found.push(&own.secret);
            }
        }
        found
    }
}

/// That a secret of ours is passed over: which address a file names, anybody may have changed.
fn not_shown(repository: &GitRepository, secret: &ObjectId, (made_for, url): (&str, &str)) -> Problem {
    let (made_for, url) = (redact(made_for), redact(url));
    let message = format!("secret {secret} was made for {made_for}, so it is not shown to {url}");
    let ObjectId { namespace, name } = secret;
    let hint =
        format!("If it is meant for both: supercargo create secret git {name} -n {namespace} --url {url} …");
    Problem::new(Code::Skipped, repository.meta.id.to_string(), message).hint(hint)
}

/// Whether both addresses are of one host, reached in the same way.
fn is_same_host(a: &str, b: &str) -> bool {
    let (Ok(a), Ok(b)) = (GitUrl::parse(a), GitUrl::parse(b)) else { return false };
    a.scheme == b.scheme && a.host.eq_ignore_ascii_case(&b.host) && a.port == b.port
}

/// Whether what was made for an encrypted way would be sent in the open.
fn is_in_the_open(made_for: &str, url: &str) -> bool {
    let is = |url: &str, scheme| GitUrl::parse(url).is_ok_and(|url| url.scheme == scheme);
    is(made_for, Scheme::Https) && is(url, Scheme::Http)
}

/// Checks that what is asked is one host, as a credential requires that says for none.
///
/// # Errors
/// [`Code::Usage`] naming the hosts.
pub(super) fn for_one_host(flag: &str, hosts: impl Iterator<Item = String>) -> Result<(), Problem> {
    let hosts: BTreeSet<String> = hosts.collect();
    if hosts.len() <= 1 {
        return Ok(());
    }
    let named = hosts.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!("the credential is for one host, and these are several: {named}");
    Err(Problem::new(Code::Usage, flag, message))
}

impl World {
    /// A secret of the cluster, else one of the files, else one of ours.
    pub(super) fn secret(&self, id: &ObjectId) -> Result<&Secret, SecretError> {
        let of_cluster = self.live.as_ref().map(|live| live.read.secrets.find(id));
        let of_files = || {
            self.secrets.find(id).or_else(|error| {
                self.own_secrets.iter().map(|own| &own.secret).find(|own| own.id == *id).ok_or(error)
            })
        };
        match of_cluster {
            Some(Ok(secret)) => Ok(secret),
            // That it may not be read says more than that there is no file of it.
            Some(Err(refused @ SecretError::Refused { .. })) => of_files().map_err(|_elsewhere| refused),
            Some(Err(_)) | None => of_files(),
        }
    }

    /// The address that a secret of ours was made for, if `url` is of another host.
    fn made_for_another_host(&self, secret: &Secret, url: &str) -> Option<&str> {
        let own = self.own_secrets.iter().find(|own| std::ptr::eq(&raw const own.secret, secret));
        let made_for = own.and_then(|own| own.url.as_deref())?;
        let serves = |made_for: &str| {
            let is_of_it = is_same_repository(made_for, url) || is_same_host(made_for, url);
            is_of_it && !is_in_the_open(made_for, url)
        };
        let is_of_it = serves(made_for) || serves(&self.git_config.instead_of(made_for));
        (!is_of_it).then_some(made_for)
    }
}

/// A secret that was made by `create secret` and is kept in our state folder.
#[derive(Debug, Clone)]
pub(crate) struct OwnSecret {
    /// The secret.
    pub(crate) secret: Secret,
    /// The address it was made for.
    pub(crate) url: Option<String>,
}

/// Reads the secrets of ours below `folder` (`NAMESPACE/NAME.yaml`); one that cannot be read is a problem.
pub(super) fn read_own(folder: &Path, problems: &mut Vec<Problem>) -> Vec<OwnSecret> {
    let mut found = Vec::new();
    for (namespace, path) in own_files(folder) {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                problems.push(
                    Problem::new(Code::Skipped, path.display().to_string(), "cannot be read")
                        .caused_by(&error),
                );
                continue;
            }
        };
        let shape: Result<Annotated, _> = serde_saphyr::from_slice(&bytes);
        let url = shape.ok().and_then(|shape| shape.metadata.annotations.get(URL_ANNOTATION).cloned());
        let file = SourceFile { path: path.display().to_string(), bytes };
        let loaded = files::parse(&[file], &namespace);
        problems.extend(loaded.inventory.all_problems());
        found.extend(
            loaded.secrets.iter().map(|secret| OwnSecret { secret: secret.clone(), url: url.clone() }),
        );
    }
    found
}

/// Namespace and path of every `NAMESPACE/NAME.yaml` below `folder`, by name.
fn own_files(folder: &Path) -> Vec<(String, PathBuf)> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = read.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let namespaces = list(folder).into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, path))
    });
    namespaces
        .flat_map(|(name, path)| list(&path).into_iter().map(move |file| (name.clone(), file)))
        .filter(|(_, file)| file.extension().is_some_and(|extension| extension == "yaml"))
        .collect()
}

#[derive(serde::Deserialize)]
struct Annotated {
    metadata: Annotations,
}

#[derive(serde::Deserialize)]
struct Annotations {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}
