//! Where an automation reads and writes: its repository, its branches, and the remote's address.

use super::super::{Engine, World};
use crate::domain::inventory::{self, Targets};
use crate::domain::object::{GitRepository, ImageUpdateAutomation, Kind};
use crate::domain::plan::Warning;
use crate::git::{Remote, redact};
use crate::problem::{Code, Problem};

/// Where one automation reads and writes, with the remote's address settled.
pub(in super::super) struct Place<'a> {
    pub(in super::super) automation: &'a ImageUpdateAutomation,
    pub(in super::super) repository: Option<&'a GitRepository>,
    pub(in super::super) targets: Targets,
    /// The address to speak to, credentials and all.
    pub(in super::super) url: String,
    pub(in super::super) warnings: Vec<Warning>,
}

impl Engine {
    /// The address of each automation's remote, as far as there is one.
    pub(in super::super) fn addresses(&self, world: &World) -> impl Iterator<Item = String> {
        let places = world.automations.iter().filter_map(|automation| self.settle(world, automation).ok());
        places.flatten().map(|place| place.url)
    }

    /// Settles the repository of an automation: its address and its branches. `None`: there is no Git at all.
    ///
    /// # Errors
    /// The automation cannot run as it is written, or its repository is nowhere to be found, or may not be read.
    pub(in super::super) fn settle<'a>(
        &self,
        world: &'a World,
        automation: &'a ImageUpdateAutomation,
    ) -> Result<Option<Place<'a>>, Problem> {
        let subject = automation.meta.id.to_string();
        if let Some(problem) = world.inventory.ambiguity(Kind::GitRepository, &automation.source) {
            return Err(problem);
        }
        let repository = world.inventory.git_repositories.get(&automation.source);
        let targets = world.inventory.targets_of(automation).map_err(|error| error.problem(&subject))?;
        let Some((url, warnings)) = self.url_of(world, automation, repository)? else { return Ok(None) };
        Ok(Some(Place { automation, repository, targets, url, warnings }))
    }

    /// Flags, configuration, the checkout's remote that is the same repository, then the object's own address.
    fn url_of(
        &self,
        world: &World,
        automation: &ImageUpdateAutomation,
        repository: Option<&GitRepository>,
    ) -> Result<Option<(String, Vec<Warning>)>, Problem> {
        let name = automation.source.to_string();
        let given =
            self.settings.git_urls.iter().find(|(for_name, _)| for_name.is_empty() || *for_name == name);
        if let Some((_, url)) = given {
            return Ok(Some((world.git_config.instead_of(url), self.not_flux(url))));
        }
        if let Some(repository) = repository {
            // The checkout's own addresses have been through `insteadOf` already.
            let rewritten = world.git_config.instead_of(&repository.url);
            let same = world.checkout.as_ref().and_then(|checkout| {
                checkout.remote_like(&repository.url).or_else(|| checkout.remote_like(&rewritten))
            });
            let url = same.map_or(rewritten.as_str(), |(_, url)| url).to_owned();
            return Ok(Some((url, self.not_flux(&repository.url))));
        }
        if let Some(unread) = world.inventory.unread_source(automation) {
            return Err(
                unread.hint(format!("Ask for a role that may, or say where it is: --git-url {name}=URL"))
            );
        }
        let assumed = |url: &str| {
            let text = format!("GitRepository {name} is nowhere to be found; {} is assumed", redact(url));
            (url.to_owned(), vec![Warning::new("assumed_remote", text)])
        };
        if let Some(url) = &world.source_url {
            return Ok(Some(assumed(url)));
        }
        let Some(checkout) = &world.checkout else { return Ok(None) };
        match checkout.default_remote() {
            Some((_, url)) if inventory::is_implied(automation) => {
                Ok(Some((url.to_owned(), self.not_flux(url))))
            }
            Some((_, url)) => Ok(Some(assumed(url))),
            None if inventory::is_implied(automation) => Ok(None),
            None => Err(Problem::new(
                Code::GitNotFound,
                automation.meta.id.to_string(),
                format!("referenced git repository does not exist: {name}"),
            )
            .hint(format!("Say where it is: --git-url {name}=URL"))),
        }
    }

    /// An address that Flux's own schema refuses, unless it is the demo's.
    fn not_flux(&self, url: &str) -> Vec<Warning> {
        let is_flux = ["http://", "https://", "ssh://"].iter().any(|scheme| url.starts_with(scheme));
        if is_flux || self.settings.practice {
            return Vec::new();
        }
        vec![Warning::new(
            "not_flux_url",
            format!("{} works here, but Flux takes http, https and ssh addresses only", redact(url)),
        )]
    }

    pub(in super::super) fn remote_of(
        &self,
        world: &World,
        place: &Place<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Remote, Problem> {
        let secrets = Self::git_secrets(world, place.repository, &place.url, problems);
        let mut remote = self.remote(&place.url, &secrets, &world.git_config, problems)?;
        if let Some(repository) = place.repository
            && let Some(proxy) = Self::git_proxy(world, repository, problems)?
        {
            remote.proxy = Some(proxy);
        }
        Ok(remote)
    }

    /// The remote whose address without credentials is `address`, as one of `automations` has it if one does.
    pub(in super::super) fn remote_at<'a>(
        &self,
        world: &'a World,
        mut automations: impl Iterator<Item = &'a ImageUpdateAutomation>,
        address: &str,
    ) -> Result<Remote, Problem> {
        let mut problems = Vec::new();
        // The address comes without credentials; the objects have it whole. Another address is not ours to use.
        let place = automations.find_map(|automation| {
            self.settle(world, automation).ok().flatten().filter(|place| redact(&place.url) == address)
        });
        if let Some(place) = place {
            return self.remote_of(world, &place, &mut problems);
        }
        let secrets = Self::git_secrets(world, None, address, &mut problems);
        self.remote(address, &secrets, &world.git_config, &mut problems)
    }
}
