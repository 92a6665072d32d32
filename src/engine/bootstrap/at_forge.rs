//! The repository of a bootstrap at its forge: found or made, and the key that controllers reach it by.

use super::super::Engine;
use crate::config::ForgeSettings;
use crate::domain::forge::{Address, ForgeKind, Project};
use crate::forge::{DeployKey, Forge, ForgeError, Hosted, NewRepository};
use crate::problem::{Code, Problem};

/// A repository at a forge, or the place where one is to be.
pub(crate) struct AtForge {
    forge: Forge,
    project: Project,
    /// Where it is cloned from; `None`: it does not exist.
    pub(crate) hosted: Option<Hosted>,
}

/// The host of a forge of this kind: the one that is named, that of the API in the environment, else everybody's.
///
/// # Errors
/// A name that is no host.
pub(crate) fn host_of(
    settings: &ForgeSettings,
    kind: ForgeKind,
    named: Option<&str>,
) -> Result<Address, Problem> {
    let text = match named {
        Some(named) if named.contains("://") => named.to_owned(),
        Some(named) => format!("https://{named}"),
        None => match settings.apis.iter().find(|(_, of, _)| *of == kind) {
            Some((.., api)) => api.to_string(),
            None => format!("https://{}", everybodys(kind)),
        },
    };
    let url = url::Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let host = url.as_ref().and_then(|url| Some((url, url.host_str()?)));
    let (url, host) =
        host.ok_or_else(|| Problem::new(Code::Usage, "--hostname", format!("{text} is no host")))?;
    let host = host.strip_prefix("api.").filter(|_| kind == ForgeKind::GitHub).unwrap_or(host);
    Ok(Address {
        plain: url.scheme() == "http",
        host: host.to_owned(),
        port: url.port(),
        path: String::new(),
    })
}

/// The host that a kind of forge is best known for.
fn everybodys(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::GitLab => "gitlab.com",
        ForgeKind::Gitea => "gitea.com",
        _ => "github.com",
    }
}

impl Engine {
    /// Looks for the repository at its forge.
    ///
    /// # Errors
    /// No token, one that is refused, a forge that does not answer.
    pub(crate) async fn at_forge(&self, address: &Address) -> Result<AtForge, Problem> {
        let unknown = || Problem::new(Code::Config, &address.host, "nobody knows a forge there");
        let located = self.forges.locate_offline(address).ok_or_else(unknown)?;
        let project = located.project.clone();
        if located.token.is_none() {
            return Err(self.no_token(&project, address));
        }
        let forge = Forge::of(&located, &self.forges).map_err(|error| error.problem(&project.path))?;
        let forge = forge.ok_or_else(unknown)?;
        let hosted = forge.repository().await.map_err(|error| refused(&project, &error))?;
        Ok(AtForge { forge, project, hosted })
    }

    fn no_token(&self, project: &Project, address: &Address) -> Problem {
        let kind = project.kind;
        let variable = match kind {
            ForgeKind::GitLab => "GITLAB_TOKEN",
            ForgeKind::Gitea => "GITEA_TOKEN",
            _ => "GITHUB_TOKEN",
        };
        let message = format!("there is no token to show to {} at {}", kind.name(), address.web());
        let hint = if self.settings.forges.tokens.iter().any(|(_, of, _)| *of == kind) {
            "A token is for the API that the environment names, and is not shown over plain HTTP.".to_owned()
        } else {
            format!("Set {variable} to one that may read and write repositories.")
        };
        Problem::new(Code::ForgeDenied, &project.path, message).hint(hint)
    }
}

impl AtForge {
    /// `OWNER/NAME at GitHub`.
    pub(crate) fn words(&self) -> String {
        format!("{} at {}", self.project.path, self.project.kind.name())
    }

    /// Makes the repository, unless it is there.
    ///
    /// # Errors
    /// The forge refuses, or does not answer.
    pub(crate) async fn create(&self, wish: &NewRepository) -> Result<Hosted, Problem> {
        match &self.hosted {
            Some(hosted) => Ok(hosted.clone()),
            None => self.forge.create_repository(wish).await.map_err(|error| refused(&self.project, &error)),
        }
    }

    /// Whether a public key reaches the repository already.
    ///
    /// # Errors
    /// As [`Self::create`]; and where it may only read and shall write.
    pub(crate) async fn has_key(&self, public: &str, is_writing: bool) -> Result<bool, Problem> {
        let keys = self.forge.deploy_keys().await.map_err(|error| refused(&self.project, &error))?;
        match keys.iter().find(|key| key.is(public)) {
            Some(key) if is_writing && !key.is_writing => {
                let message = format!("the deploy key {} may only read", key.title);
                Err(Problem::new(Code::Usage, "--read-write-key", message)
                    .hint("Delete it there and run this again, which adds it as one that writes."))
            }
            found => Ok(found.is_some()),
        }
    }

    /// Lets a key reach the repository.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub(crate) async fn add_key(&self, key: &DeployKey) -> Result<(), Problem> {
        self.forge.add_deploy_key(key).await.map_err(|error| refused(&self.project, &error))
    }
}

/// What a forge said, with what to do about it here.
fn refused(project: &Project, error: &ForgeError) -> Problem {
    let mut problem = error.problem(&project.path);
    problem.hint = match error {
        ForgeError::Refused { status: 401, whom, .. } => {
            Some(format!("{whom} is not accepted there; make a new token."))
        }
        ForgeError::Refused { status: 403, whom, .. } => Some(format!(
            "Give {whom} the right to make repositories, write their contents, and administer their keys."
        )),
        ForgeError::Refused { status: 404, .. } => Some(format!(
            "Is {} an organisation or group that the token may see? For a person's own repository say --personal.",
            project.owner()
        )),
        ForgeError::RateLimited { .. } | ForgeError::Timeout { .. } | ForgeError::Unreachable { .. } => {
            Some("Run it again later: what is done already stays.".to_owned())
        }
        _ => problem.hint,
    };
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forge_is_where_somebody_says_it_is() {
        let mut settings = ForgeSettings::default();
        let web = |settings: &ForgeSettings, kind, named: Option<&str>| {
            host_of(settings, kind, named).map(|address| address.web()).ok()
        };
        assert_eq!(web(&settings, ForgeKind::GitHub, None).unwrap(), "https://github.com");
        assert_eq!(web(&settings, ForgeKind::GitLab, None).unwrap(), "https://gitlab.com");
        assert_eq!(
            web(&settings, ForgeKind::Gitea, Some("git.example.com:3000")).unwrap(),
            "https://git.example.com:3000"
        );
        assert_eq!(
            web(&settings, ForgeKind::Gitea, Some("http://127.0.0.1:3000")).unwrap(),
            "http://127.0.0.1:3000"
        );
        assert_eq!(web(&settings, ForgeKind::Gitea, Some("ftp://x")), None);
        assert_eq!(web(&settings, ForgeKind::Gitea, Some("")), None);
        let api = |text: &str| url::Url::parse(text).unwrap();
        settings.apis.push(("GITHUB_API_URL", ForgeKind::GitHub, api("https://api.github.com")));
        settings.apis.push(("GITEA_API_URL", ForgeKind::Gitea, api("http://127.0.0.1:3000/api/v1")));
        assert_eq!(web(&settings, ForgeKind::GitHub, None).unwrap(), "https://github.com");
        assert_eq!(web(&settings, ForgeKind::Gitea, None).unwrap(), "http://127.0.0.1:3000");
    }
}
