//! Asking registries and remotes whether they would answer us: what `check` wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::examine::Asker;
use super::{Engine, World, blocking};
use crate::domain::object::ObjectId;
use crate::domain::reference::ImageName;
use crate::git::{self, LoginQuestion};
use crate::problem::{Code, Problem};
use crate::registry::{Keyring, ListRequest};

/// How long a registry may take to answer a probe.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a registry host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryProbe {
    /// The host, such as `index.docker.io`.
    pub host: String,
    /// The `ImageRepository` that was asked for.
    pub repository: ObjectId,
    /// The labels of the credentials that apply, in the order in which they are tried.
    pub credentials: Vec<String>,
    /// Why no manifest could be asked for, if none could.
    pub problem: Option<Problem>,
}

/// A program that asks a person on the terminal.
#[derive(Debug)]
pub struct Question {
    /// Who asks, or about what: `ssh to ADDRESS`.
    pub asks: String,
    /// What it means that it ends without success; a sentence.
    pub refused: String,
    /// The program.
    pub command: Command,
    /// What it is asked, and who keeps what it answers; `None`: that it succeeds is the answer.
    pub login: Option<LoginQuestion>,
}

impl RegistryProbe {
    /// Whether the host was reached, though it may have refused us.
    pub fn is_reached(&self) -> bool {
        self.problem.as_ref().is_none_or(|_| self.is_denied())
    }

    /// Whether the host refused what we showed it.
    pub fn is_denied(&self) -> bool {
        let code = self.problem.as_ref().map(|problem| problem.code);
        matches!(code, Some(Code::RegistryUnauthorized | Code::RegistryForbidden))
    }
}

impl Engine {
    /// Asks each registry host of the world, once for all repositories that are asked for in the same way, for one manifest of
    /// one of them. Answers stand by host.
    ///
    /// That answers in one request what a listing would in many; a manifest that is not there is an answer too.
    pub async fn probe_registries(&self, world: &World) -> Vec<RegistryProbe> {
        let mut due = BTreeMap::new();
        for (id, repository) in &world.inventory.repositories {
            let Ok(image) = ImageName::parse(&repository.image, repository.insecure) else { continue };
            let (keyring, _) = self.keyring(world, repository);
            let candidates = keyring.candidates(&image.registry, &image.repository);
            let labels: Vec<String> =
                candidates.into_iter().map(|candidate| candidate.label().to_owned()).collect();
            let asker = Asker::of(&image, &keyring);
            due.entry((image.registry.clone(), labels, asker)).or_insert((id, image, keyring));
        }
        let probes = due.into_iter().map(|((host, credentials, _), (id, image, keyring))| {
            let probe = RegistryProbe { host, repository: id.clone(), credentials, problem: None };
            self.probe_registry(probe, image, keyring)
        });
        futures::future::join_all(probes).await
    }

    async fn probe_registry(
        &self,
        mut probe: RegistryProbe,
        image: ImageName,
        keyring: Keyring,
    ) -> RegistryProbe {
        let timeout = PATIENCE.min(self.settings.timeout.0);
        let request = ListRequest { image: &image, timeout, keyring: &keyring };
        probe.problem = match self.registry.digest(&request, "latest").await {
            Ok(_) => None,
            Err(error) if error.code() == Code::RegistryNotFound => None,
            Err(error) => Some(error.problem(probe.repository.to_string())),
        };
        probe
    }

    /// Whether the remote of any automation is reached by ssh.
    pub fn speaks_ssh(&self, world: &World) -> bool {
        self.addresses(world)
            .any(|url| git::GitUrl::parse(&url).is_ok_and(|url| url.scheme == git::Scheme::Ssh))
    }

    /// What a person answers on the terminal: to open the way to remotes that are reached by ssh and refused us, or, if none did, to
    /// all of them that are not open; and to unlock the key that signs.
    pub fn questions(&self, world: &World) -> Vec<Question> {
        let ways = self.ways_to_open(world).into_iter().map(|(address, command)| Question {
            asks: format!("ssh to {address}"),
            refused: format!("ssh did not get in to {address}"),
            command,
            login: None,
        });
        ways.chain(self.logins_to_type(world)).chain(self.locked_key(world)).collect()
    }

    /// The logins for the servers that refused us over http, each asked for once.
    fn logins_to_type(&self, world: &World) -> Vec<Question> {
        let servers: BTreeMap<String, String> = self
            .addresses(world)
            .filter(|url| self.is_refused(url))
            .filter_map(|url| Some((git::GitUrl::parse(&url).ok()?.host, url)))
            .collect();
        let question = |url: String| {
            let (command, login) = self.typed.question(&git::GitUrl::parse(&url).ok()?)?;
            let shown = git::redact(&url);
            let (asks, refused) = (format!("login for {shown}"), format!("there is no login for {shown}"));
            Some(Question { asks, refused, command, login: Some(login) })
        };
        servers.into_values().filter_map(question).collect()
    }

    fn is_refused(&self, url: &str) -> bool {
        let code = self.unreached.why(url, None).map(|problem| problem.code);
        matches!(code, Some(Code::GitAuthDenied | Code::GitAuthRequired | Code::GitHostKey))
    }

    fn ways_to_open(&self, world: &World) -> Vec<(String, Command)> {
        let all: BTreeSet<String> = self.addresses(world).collect();
        let (closed, others): (Vec<String>, Vec<String>) =
            all.into_iter().partition(|url| self.is_refused(url));
        let remote = |url: &String| self.remote(url, &[], &world.git_config, &mut Vec::new()).ok();
        let commands =
            |urls: &[String]| self.opened.commands(&urls.iter().filter_map(remote).collect::<Vec<_>>());
        let found = commands(&closed);
        if found.is_empty() { commands(&others) } else { found }
    }

    /// Asks the remote of each automation for its references: by `GitRepository`, the label of the credential that was
    /// accepted, or what went wrong.
    ///
    /// # Errors
    /// Only a bug of ours.
    pub async fn probe_remotes(
        &self,
        world: &Arc<World>,
    ) -> Result<Vec<(ObjectId, Result<String, Problem>)>, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || Ok(engine.probe_remotes_now(&world))).await
    }

    fn probe_remotes_now(&self, world: &World) -> Vec<(ObjectId, Result<String, Problem>)> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for automation in world.automations.iter().filter(|automation| seen.insert(&automation.source)) {
            let place = self.settle(world, automation);
            let answer = place.and_then(|place| {
                let Some(place) = place else { return Ok(None) };
                let remote = self.remote_of(world, &place, &mut Vec::new())?;
                let (refs, credential) =
                    git::ls_remote(&remote).map_err(|error| error.problem(remote.shown()))?;
                let branch = place.targets.checkout.branch();
                match branch.filter(|branch| refs.branch(branch).is_none()) {
                    Some(branch) => {
                        let message = format!("the remote has no branch {branch}");
                        Err(Problem::new(Code::GitNotFound, remote.shown(), message))
                    }
                    None => Ok(Some(format!("{} answers, credential: {credential}", remote.shown()))),
                }
            });
            found.extend(answer.transpose().map(|answer| (automation.source.clone(), answer)));
        }
        found
    }
}
