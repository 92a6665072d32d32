//! Which forge a remote is at, where its API is, and which token is shown there.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::Client;
use url::Url;

use super::error::ForgeError;
use super::probe;
use crate::config::{ForgeConfig, ForgeSettings};
use crate::domain::forge::{Address, ForgeKind, Project, well_known};
use crate::http::{Authority, Setup, Way, bundle, is_this_machine};
use crate::text::SecretString;

const USER_AGENT: &str = concat!("supercargo/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(10);

/// A token and how it is called.
#[derive(Clone)]
pub struct Token {
    /// The variable it is from.
    pub label: String,
    /// The token.
    pub secret: SecretString,
}

impl fmt::Debug for Token {
    /// The label, nothing else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.label).finish()
    }
}

/// Where a remote's requests are.
#[derive(Debug, Clone)]
pub struct Located {
    /// The repository there.
    pub project: Project,
    /// The API; `None` where we speak none.
    pub api: Option<Url>,
    /// What is shown to it.
    pub token: Option<Token>,
}

/// What is known of a host: the kind, the API if it is named, and whether the operator named them.
struct Known<'a> {
    kind: ForgeKind,
    api: Option<&'a Url>,
    /// Whether tokens may go there.
    trusted: bool,
}

/// Finds forges, and remembers for the run what hosts turned out to be.
pub struct Forges {
    settings: ForgeSettings,
    authorities: Vec<Authority>,
    proxied: OnceLock<Client>,
    direct: OnceLock<Client>,
    /// Bound of one question to an API and its answer.
    pub(super) patience: Duration,
    probed: Mutex<HashMap<String, Option<ForgeKind>>>,
}

impl Forges {
    /// Takes what settings say, and authorities in PEM to trust beside the system's.
    ///
    /// # Errors
    /// [`ForgeError::Setup`] for a bundle that holds no certificate.
    pub fn new(settings: ForgeSettings, authorities: &[(String, Vec<u8>)]) -> Result<Self, ForgeError> {
        let mut all = Vec::new();
        for (origin, pem) in authorities {
            all.extend(bundle(origin, pem).map_err(ForgeError::Setup)?);
        }
        Ok(Self {
            settings,
            authorities: all,
            proxied: OnceLock::new(),
            direct: OnceLock::new(),
            patience: Duration::from_secs(30),
            probed: Mutex::default(),
        })
    }

    /// The same with another bound for one question to an API and its answer than 30 s.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The forge of a remote, by configuration, by its name, by the environment, else by asking the host itself; `None` if
    /// nobody knows.
    ///
    /// # Errors
    /// [`ForgeError::Setup`] if no HTTP client can be made. A host that does not answer is one that nobody knows.
    pub async fn locate(&self, address: &Address) -> Result<Option<Located>, ForgeError> {
        if let Some(known) = self.known(address) {
            return Ok(self.located(address, &known));
        }
        if let Some(kind) = self.probe(address).await? {
            // Nobody but the address itself named this host, and an address may be a stranger's.
            let trusted = Url::parse(&address.web()).is_ok_and(|web| is_this_machine(&web));
            return Ok(self.located(address, &Known { kind, api: None, trusted }));
        }
        Ok(self.only_api().and_then(|known| self.located(address, &known)))
    }

    /// As [`Self::locate`], but no host is asked.
    pub fn locate_offline(&self, address: &Address) -> Option<Located> {
        let known = self.known(address).or_else(|| self.only_api())?;
        self.located(address, &known)
    }

    /// The token that logs in to the Git remote itself, and what runs its host; `None` where an API alone is known, which may be
    /// another host's, and over plain HTTP, unless that is on this machine or the API that the operator named is plain too.
    pub fn login(&self, address: &Address) -> Option<(ForgeKind, Token)> {
        let known = self.known(address)?;
        let is_private = !address.plain || known.api.is_some_and(|api| api.scheme() == "http");
        if !is_private && !is_here(&address.host) {
            return None;
        }
        Some((known.kind, self.located(address, &known)?.token?))
    }

    /// The client for an API: the environment's proxy is not for this machine.
    pub(super) fn client(&self, url: &Url) -> Result<Client, ForgeError> {
        let direct = is_this_machine(url);
        let place = if direct { &self.direct } else { &self.proxied };
        if let Some(client) = place.get() {
            return Ok(client.clone());
        }
        let setup = Setup {
            user_agent: USER_AGENT,
            connect_timeout: CONNECT,
            authorities: &self.authorities,
            identity: None,
            idle_per_host: None,
            way: if direct { Way::Direct } else { Way::Environment },
            secure: url.scheme() == "https",
        };
        let client = setup.client().map_err(ForgeError::Setup)?;
        Ok(place.get_or_init(|| client).clone())
    }

    /// What configuration, the host's name and the environment say.
    fn known(&self, address: &Address) -> Option<Known<'_>> {
        let configured = self.configured(address);
        let api = configured.and_then(|config| config.api.as_ref());
        if let Some(kind) = configured.and_then(|config| config.kind) {
            return Some(Known { kind, api, trusted: true });
        }
        if let Some(kind) = well_known(&address.host) {
            // A token for an API of one's own is not for everybody's.
            let elsewhere = |url: &Url| !relates(url, &address.host);
            let others = self.settings.apis.iter().any(|(_, of, url)| *of == kind && elsewhere(url));
            return Some(Known { kind, api, trusted: !others });
        }
        let related = self.settings.apis.iter().find(|(.., url)| relates(url, &address.host));
        related.map(|(_, kind, url)| Known { kind: *kind, api: api.or(Some(url)), trusted: true })
    }

    /// `[forge."HOST:PORT"]`, else `[forge."HOST"]`.
    fn configured(&self, address: &Address) -> Option<&ForgeConfig> {
        let with_port = address.port.map(|port| format!("{}:{port}", address.host));
        let hosts = &self.settings.hosts;
        with_port.and_then(|name| hosts.get(&name)).or_else(|| hosts.get(&address.host))
    }

    /// The one API of one's own that the environment names, for remotes whose host says nothing.
    fn only_api(&self) -> Option<Known<'_>> {
        let own = |url: &&(&str, ForgeKind, Url)| {
            url.2
                .host_str()
                .is_some_and(|host| well_known(host.strip_prefix("api.").unwrap_or(host)).is_none())
        };
        let mut own = self.settings.apis.iter().filter(own);
        let (_, kind, url) = own.next()?;
        own.next().is_none().then_some(Known { kind: *kind, api: Some(url), trusted: true })
    }

    fn located(&self, address: &Address, known: &Known<'_>) -> Option<Located> {
        let Known { kind, api, trusted } = known;
        let below = api.map_or("", |api| api.path().strip_suffix(kind.api_path()).unwrap_or_default());
        let project = Project::at(address, *kind, below, self.settings.owner.as_deref())?;
        let spoken = !kind.api_path().is_empty();
        let is_named = api.is_some();
        let api = match api {
            Some(api) => Some((*api).clone()),
            None if spoken && !address.host.is_empty() => Url::parse(&address.api(*kind)).ok(),
            None => None,
        };
        // An address with http:// is nobody's word that a token may be read on the way; an API that was named so is.
        let is_private =
            is_named || api.as_ref().is_none_or(|api| api.scheme() == "https" || is_this_machine(api));
        let token = self.settings.tokens.iter().find(|(_, of, _)| of == kind && *trusted && is_private);
        let token =
            token.map(|(label, _, secret)| Token { label: (*label).to_owned(), secret: secret.clone() });
        Some(Located { project, api: api.filter(|_| spoken), token })
    }

    /// What the host itself says, asked once in a run.
    async fn probe(&self, address: &Address) -> Result<Option<ForgeKind>, ForgeError> {
        let Some(web) = Url::parse(&address.web()).ok().filter(|_| !address.host.is_empty()) else {
            return Ok(None);
        };
        let remembered = |probed: &HashMap<String, Option<ForgeKind>>| probed.get(web.as_str()).copied();
        if let Some(known) = remembered(&self.probed.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let kind = probe::probe(&self.client(&web)?, &web).await;
        self.probed.lock().unwrap_or_else(PoisonError::into_inner).insert(web.to_string(), kind);
        Ok(kind)
    }
}

/// Whether an API is that of a host: at the same name, at `api.` before it, or both on this machine.
fn relates(api: &Url, host: &str) -> bool {
    let Some(name) = api.host_str() else { return false };
    name == host || name.strip_prefix("api.") == Some(host) || (is_here(name) && is_here(host))
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    Url::parse(&format!("http://{host}")).is_ok_and(|url| is_this_machine(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str) -> Address {
        Address { plain: false, host: host.to_owned(), port: None, path: "/ops/fleet.git".to_owned() }
    }

    fn settings() -> ForgeSettings {
        ForgeSettings {
            tokens: vec![
                ("GITHUB_TOKEN", ForgeKind::GitHub, "hunter2".into()),
                ("GITEA_TOKEN", ForgeKind::Gitea, "hunter3".into()),
            ],
            ..ForgeSettings::default()
        }
    }

    fn api(variable: &'static str, kind: ForgeKind, url: &str) -> (&'static str, ForgeKind, Url) {
        (variable, kind, Url::parse(url).unwrap())
    }

    fn located(settings: ForgeSettings, host: &str) -> Option<(ForgeKind, Option<String>, Option<String>)> {
        let found = Forges::new(settings, &[]).unwrap().locate_offline(&address(host))?;
        let api = found.api.map(|url| url.to_string());
        Some((found.project.kind, api, found.token.map(|token| token.label)))
    }

    #[test]
    fn a_token_logs_in_to_the_hosts_of_its_forge_alone() {
        let mut all = settings();
        all.apis.push(api("GITEA_API_URL", ForgeKind::Gitea, "https://gitea.example.com/api/v1"));
        let forges = Forges::new(all, &[]).unwrap();
        let label = |host: &str| {
            let host = host.to_owned();
            let address = Address { plain: false, host, port: None, path: "ops/fleet".to_owned() };
            forges.login(&address).map(|(_, token)| token.label)
        };
        assert_eq!(label("gitea.example.com").as_deref(), Some("GITEA_TOKEN"));
        assert_eq!(label("github.com").as_deref(), Some("GITHUB_TOKEN"));
        // Its API may be the one that is named; nobody said so of the host.
        assert_eq!(label("git.elsewhere.example"), None);
    }

    #[test]
    fn a_token_is_shown_over_plain_http_only_where_the_operator_says_so_or_on_this_machine() {
        let mut all = settings();
        let gitea = |api: Option<&str>| ForgeConfig {
            kind: Some(ForgeKind::Gitea),
            api: api.map(|api| Url::parse(api).unwrap()),
        };
        all.hosts.insert("derived.example.com".to_owned(), gitea(None));
        all.hosts.insert("named.example.com".to_owned(), gitea(Some("http://named.example.com/api/v1")));
        all.hosts.insert("127.0.0.1".to_owned(), gitea(None));
        let forges = Forges::new(all, &[]).unwrap();
        let shown = |host: &str| {
            let plain = Address { plain: true, ..address(host) };
            let located = forges.locate_offline(&plain).unwrap();
            (
                located.api.unwrap().scheme().to_owned(),
                located.token.is_some(),
                forges.login(&plain).is_some(),
            )
        };
        assert_eq!(shown("derived.example.com"), ("http".to_owned(), false, false));
        assert_eq!(shown("named.example.com"), ("http".to_owned(), true, true));
        assert_eq!(shown("127.0.0.1"), ("http".to_owned(), true, true));
        // Its API is asked over HTTPS whatever the remote says; the remote itself is not logged in to.
        assert_eq!(shown("github.com"), ("https".to_owned(), true, false));
    }

    #[test]
    fn a_host_is_known_by_configuration_then_by_name_then_by_the_environment() {
        let mut all = settings();
        let named = ForgeConfig { kind: Some(ForgeKind::Gitea), api: None };
        all.hosts.insert("git.example.com".to_owned(), named);
        all.apis.push(api("GITEA_API_URL", ForgeKind::Gitea, "https://gitea.example.com/api/v1"));
        let gitea = Some("GITEA_TOKEN".to_owned());
        let at = |host: &str| located(all.clone(), host).unwrap();
        let own = Some("https://git.example.com/api/v1".to_owned());
        assert_eq!(at("git.example.com"), (ForgeKind::Gitea, own, gitea.clone()));
        let hub = Some("https://api.github.com/".to_owned());
        assert_eq!(at("github.com"), (ForgeKind::GitHub, hub, Some("GITHUB_TOKEN".to_owned())));
        let env = Some("https://gitea.example.com/api/v1".to_owned());
        assert_eq!(at("gitea.example.com"), (ForgeKind::Gitea, env, gitea));
        assert_eq!(at("bitbucket.org"), (ForgeKind::Bitbucket, None, None));
    }

    #[test]
    fn a_token_for_an_api_of_ones_own_is_not_shown_to_everybodys() {
        let mut own = settings();
        own.apis.push(api("GITHUB_API_URL", ForgeKind::GitHub, "https://ghe.example.com/api/v3"));
        assert_eq!(located(own, "github.com").unwrap().2, None);
        let mut public = settings();
        public.apis.push(api("GITHUB_API_URL", ForgeKind::GitHub, "https://api.github.com"));
        assert_eq!(located(public.clone(), "github.com").unwrap().2.as_deref(), Some("GITHUB_TOKEN"));
        assert_eq!(
            located(public, "git.example.com"),
            None,
            "what every runner of GitHub has says nothing of other hosts"
        );
    }

    #[test]
    fn one_api_of_ones_own_serves_a_remote_whose_host_says_nothing() {
        let mut one = settings();
        one.apis.push(api("GITEA_API_URL", ForgeKind::Gitea, "http://127.0.0.1:3000/api/v1"));
        assert_eq!(located(one.clone(), "").unwrap().2.as_deref(), Some("GITEA_TOKEN"));
        one.apis.push(api("GITHUB_API_URL", ForgeKind::GitHub, "http://127.0.0.1:3001"));
        assert_eq!(located(one, ""), None, "of two nobody can tell which");
    }

    #[test]
    fn a_host_that_is_said_to_know_no_requests_is_not_asked() {
        let mut none = settings();
        none.hosts
            .insert("git.example.com".to_owned(), ForgeConfig { kind: Some(ForgeKind::None), api: None });
        assert_eq!(located(none, "git.example.com"), Some((ForgeKind::None, None, None)));
    }

    #[test]
    fn tokens_are_not_printed() {
        let found = Forges::new(settings(), &[]).unwrap().locate_offline(&address("github.com")).unwrap();
        assert!(format!("{found:?}").contains("GITHUB_TOKEN") && !format!("{found:?}").contains("hunter2"));
    }
}
