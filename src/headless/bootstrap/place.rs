//! Where the repository of a bootstrap is: at a forge, which tells its addresses, or wherever `--url` says.

use crate::cli::{AtForgeArgs, AtGitArgs, BootstrapAt};
use crate::config::{ForgeConfig, Settings};
use crate::domain::forge::{Address, ForgeKind};
use crate::engine::bootstrap::at_forge::{AtForge, host_of};
use crate::forge::{Hosted, NewRepository};
use crate::git::{GitUrl, Scheme};
use crate::headless::session::Session;
use crate::problem::{Code, Problem};

/// The repository.
pub(super) enum At<'a> {
    /// At a forge.
    Forge {
        /// What is asked for.
        args: &'a AtForgeArgs,
        /// What is there.
        at: Box<AtForge>,
        /// Its host, and the repository's path there.
        address: Address,
    },
    /// Anywhere.
    Url(&'a AtGitArgs),
}

/// Its addresses.
pub(super) struct Place {
    /// Where we push, with a login if one was typed; `None`: it does not exist yet.
    pub(super) push: Option<String>,
    /// Where controllers fetch, without a login.
    pub(super) sync: String,
}

/// The forge's host, made known to the settings as one of this kind; `None` for a plain address.
pub(super) fn host(at: &BootstrapAt, settings: &mut Settings) -> Result<Option<Address>, Problem> {
    let (kind, args) = match at {
        BootstrapAt::GitHub(args) => (ForgeKind::GitHub, args),
        BootstrapAt::GitLab(args) => (ForgeKind::GitLab, args),
        BootstrapAt::Gitea(args) => (ForgeKind::Gitea, args),
        BootstrapAt::Git(_) => return Ok(None),
    };
    let address = host_of(&settings.forges, kind, args.hostname.as_deref())?;
    let name = match address.port {
        Some(port) => format!("{}:{port}", address.host),
        None => address.host.clone(),
    };
    let hosts = &mut settings.forges.hosts;
    let known = hosts.get(&name).or_else(|| hosts.get(&address.host)).and_then(|known| known.kind);
    if let Some(known) = known.filter(|known| *known != kind) {
        let message = format!("the configuration says that {name} is {}", known.name());
        return Err(Problem::new(Code::Usage, kind.name(), message));
    }
    // The command names it; what the environment and its name tell of it counts as before.
    if args.hostname.is_some() && known.is_none() {
        let api = hosts.get(&address.host).and_then(|known| known.api.clone());
        hosts.insert(name, ForgeConfig { kind: Some(kind), api });
    }
    Ok(Some(Address { path: format!("/{}/{}", args.owner, args.repository), ..address }))
}

/// Looks for the repository.
pub(super) fn at<'a>(
    session: &Session,
    at: &'a BootstrapAt,
    host: Option<Address>,
) -> Result<At<'a>, Problem> {
    let (args, address) = match (at, host) {
        (BootstrapAt::Git(args), _) => {
            check_address(args)?;
            return Ok(At::Url(args));
        }
        (BootstrapAt::GitHub(args) | BootstrapAt::GitLab(args) | BootstrapAt::Gitea(args), Some(address)) => {
            (args, address)
        }
        (_, None) => return Err(Problem::new(Code::Internal, "bootstrap", "a forge without a host")),
    };
    let at = Box::new(session.run(session.engine.at_forge(&address))?);
    Ok(At::Forge { args, at, address })
}

/// Whether the address suits the way in which controllers are to log in, and what is sent there may be read on the way.
///
/// Source: `fluxcd/flux2:cmd/flux/bootstrap_git.go`.
fn check_address(args: &AtGitArgs) -> Result<(), Problem> {
    let url = GitUrl::parse(&args.url).map_err(Problem::from)?;
    let refuse =
        |message: &str, hint: &str| Err(Problem::new(Code::Usage, url.redacted(), message).hint(hint));
    if args.token_auth && !matches!(url.scheme, Scheme::Http | Scheme::Https) {
        return refuse(
            "there is no logging in with a token here",
            "Leave --token-auth out, or give an https:// address.",
        );
    }
    if url.scheme == Scheme::Http && !args.allow_insecure_http && !url.is_this_machine() {
        return refuse(
            "everybody on the way can read what goes over http://, the login of the controllers too",
            "Give an https:// address, or add --allow-insecure-http.",
        );
    }
    Ok(())
}

impl At<'_> {
    /// The addresses of the repository; those that one will get that does not exist yet.
    pub(super) fn place(&self, session: &Session) -> Result<Place, Problem> {
        match self {
            // As it was typed, it may hold a login.
            Self::Url(AtGitArgs { url: typed, .. }) => {
                Ok(Place { push: Some(session.world.git_config.instead_of(typed)), sync: url(typed)? })
            }
            Self::Forge { args, at, address } => {
                let to_come = || expected(address);
                let place = place_of(&at.hosted.clone().unwrap_or_else(to_come), args, session)?;
                Ok(Place { push: place.push.filter(|_| at.hosted.is_some()), ..place })
            }
        }
    }

    /// Makes the repository, unless it is there; its addresses.
    pub(super) fn create(&self, session: &Session, branch: &str) -> Result<Place, Problem> {
        let Self::Forge { args, at, .. } = self else {
            return Err(Problem::new(Code::Internal, "bootstrap", "no forge to make a repository at"));
        };
        let wish =
            NewRepository { is_personal: args.personal, is_private: args.private, branch: branch.to_owned() };
        place_of(&session.run(at.create(&wish))?, args, session)
    }
}

/// The addresses of a repository that a forge has.
fn place_of(hosted: &Hosted, args: &AtForgeArgs, session: &Session) -> Result<Place, Problem> {
    let sync = url(if args.token_auth { &hosted.http } else { &hosted.ssh })?;
    let push = session.world.git_config.instead_of(&url(&hosted.http)?);
    Ok(Place { push: Some(push), sync })
}

/// Where forges have a repository.
fn expected(address: &Address) -> Hosted {
    let Address { host, path, .. } = address;
    Hosted { http: format!("{}{path}.git", address.web()), ssh: format!("ssh://git@{host}{path}.git") }
}

/// An address as objects have it: with a scheme, and without a login.
fn url(text: &str) -> Result<String, Problem> {
    Ok(GitUrl::parse(text).map_err(Problem::from)?.redacted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_into_objects_without_a_login() {
        let objects = |text: &str| url(text).unwrap();
        assert_eq!(objects("https://rita:hunter2@h/ops/fleet.git"), "https://h/ops/fleet.git");
        assert_eq!(objects("git@github.com:octo/fleet.git"), "ssh://git@github.com/octo/fleet.git");
        assert_eq!(objects("ssh://git@h:2222/ops/fleet"), "ssh://git@h:2222/ops/fleet");
    }
}
