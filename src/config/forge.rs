//! `[forge."HOST"]`, and what the environment says of forges: tokens, and the addresses of APIs.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use url::Url;

use super::{Environment, config_problem};
use crate::domain::forge::ForgeKind;
use crate::problem::Problem;
use crate::text::SecretString;

/// `[forge."HOST"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ForgeConfig {
    /// What runs the host; `None`: it is found out.
    pub kind: Option<ForgeKind>,
    /// The address of its API, without a last `/`; `None`: where such a forge has it.
    #[serde(deserialize_with = "api")]
    pub api: Option<Url>,
}

/// Everything that settings say of forges.
#[derive(Debug, Clone, Default)]
pub struct ForgeSettings {
    /// By host, or `host:port`, in lower case.
    pub hosts: BTreeMap<String, ForgeConfig>,
    /// Each variable with a token that is set: its name, the kind it is for, its value. The first of a kind counts.
    pub tokens: Vec<(&'static str, ForgeKind, SecretString)>,
    /// The API that the environment names for each kind: the variable, and the address without a last `/`.
    pub apis: Vec<(&'static str, ForgeKind, Url)>,
    /// `GITHUB_USER`: the owner of repositories whose address names none.
    pub owner: Option<String>,
}

impl ForgeSettings {
    /// What runs each host of which that is said, whatever its port.
    pub fn kinds(&self) -> BTreeMap<String, ForgeKind> {
        let host = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
        self.hosts.iter().filter_map(|(name, forge)| Some((host(name), forge.kind?))).collect()
    }
}

const TOKENS: &[(&str, ForgeKind)] = &[
    ("GITHUB_TOKEN", ForgeKind::GitHub),
    ("GH_TOKEN", ForgeKind::GitHub),
    ("GITLAB_TOKEN", ForgeKind::GitLab),
    ("GITEA_TOKEN", ForgeKind::Gitea),
];

const APIS: &[(&str, ForgeKind)] = &[
    ("GITHUB_API_URL", ForgeKind::GitHub),
    ("GITLAB_API_URL", ForgeKind::GitLab),
    ("GITEA_API_URL", ForgeKind::Gitea),
];

/// The settings of the files, whose hosts are given, and of the environment.
///
/// # Errors
/// An `…_API_URL` that is no address.
pub(super) fn settle(
    hosts: BTreeMap<String, ForgeConfig>,
    env: &dyn Environment,
) -> Result<ForgeSettings, Problem> {
    let tokens = TOKENS.iter().filter_map(|(name, kind)| {
        let token = env.var(name)?.trim().to_owned();
        (!token.is_empty()).then(|| (*name, *kind, SecretString::from(token)))
    });
    let mut apis = Vec::new();
    for (name, kind) in APIS {
        let Some(value) = env.var(name) else { continue };
        let url = address(&value).map_err(|reason| config_problem(name, reason))?;
        apis.push((*name, *kind, complete(url, *kind)));
    }
    Ok(ForgeSettings { hosts, tokens: tokens.collect(), apis, owner: env.var("GITHUB_USER") })
}

/// Reads the hosts, by their names in lower case, as addresses have them.
pub(super) fn by_host<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, ForgeConfig>, D::Error> {
    let hosts = BTreeMap::<String, ForgeConfig>::deserialize(deserializer)?;
    Ok(hosts.into_iter().map(|(name, forge)| (name.to_ascii_lowercase(), forge)).collect())
}

/// An address that names a host alone stands for the API of that host; GitHub's own has no path.
fn complete(mut url: Url, kind: ForgeKind) -> Url {
    if url.path() == "/" && kind != ForgeKind::GitHub {
        url.set_path(kind.api_path());
    }
    url
}

/// Reads an `api`, so that what is wrong with it has a line and a column.
fn api<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    address(&text).map(Some).map_err(serde::de::Error::custom)
}

/// An address of HTTP without a login, and without a `/` at the end of its path.
fn address(text: &str) -> Result<Url, String> {
    // It is not repeated: it may hold a password.
    let url =
        Url::parse(text.trim().trim_end_matches('/')).map_err(|error| format!("no address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("an address of an API begins with https:// or http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address of an API holds no login; give the token in the environment".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::Only;
    use super::super::file::parse_file;
    use super::*;
    use crate::problem::Code;

    #[test]
    fn a_host_has_a_kind_and_an_api() {
        let text = "[forge.\"git.example.com\"]\nkind = \"gitea\"\napi = \"https://git.example.com/api/v1/\"\n\
                    [forge.plain]\nkind = \"none\"\n";
        let mut warnings = Vec::new();
        let hosts = parse_file("c.toml", text, &mut warnings).unwrap().forge;
        assert_eq!(warnings, []);
        assert_eq!(hosts["git.example.com"].kind, Some(ForgeKind::Gitea));
        assert_eq!(hosts["git.example.com"].api.as_ref().unwrap().as_str(), "https://git.example.com/api/v1");
        assert_eq!(hosts["plain"], ForgeConfig { kind: Some(ForgeKind::None), api: None });
    }

    #[test]
    fn what_a_host_cannot_be_is_told_with_its_place() {
        for (line, column, says) in [
            ("kind = \"gitea2\"", 8, "gitea2"),
            ("kind = \"bitbucket\"", 8, "bitbucket"),
            ("kind = 3", 8, "string"),
            ("api = true", 7, "string"),
            ("api = \"git.example.com\"", 7, "no address"),
            ("api = \"ftp://git.example.com\"", 7, "https://"),
            ("api = \"https://rita:hunter2@git.example.com\"", 7, "no login"),
        ] {
            let text = format!("[forge.\"git.example.com\"]\n{line}\n");
            let error = parse_file("c.toml", &text, &mut Vec::new()).unwrap_err();
            assert_eq!((error.code, error.subject), (Code::Config, format!("c.toml:2:{column}")), "{line}");
            assert!(error.message.contains(says) && !error.message.contains("hunter2"), "{}", error.message);
        }
    }

    #[test]
    fn a_host_is_found_however_its_name_is_typed_and_an_unknown_key_of_it_is_a_warning() {
        let text = "[forge.\"Git.Example.com:3000\"]\nkind = \"gitea\"\napii = \"https://git.example.com\"\n";
        let mut warnings = Vec::new();
        let hosts = parse_file("c.toml", text, &mut warnings).unwrap().forge;
        assert_eq!(hosts["git.example.com:3000"].kind, Some(ForgeKind::Gitea));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].message.contains("apii"), "{warnings:?}");
        assert_eq!(warnings[0].hint.as_deref(), Some("Did you mean \"api\"?"));
    }

    #[test]
    fn the_environment_gives_tokens_and_addresses() {
        let env = Only(&[
            ("GH_TOKEN", "two"),
            ("GITHUB_TOKEN", "one"),
            ("GITLAB_TOKEN", " \n"),
            ("GITHUB_API_URL", "https://ghe.example.com/api/v3/"),
            ("GITEA_API_URL", "http://127.0.0.1:3000"),
        ]);
        let settings = settle(BTreeMap::new(), &env).unwrap();
        let tokens: Vec<&str> = settings.tokens.iter().map(|(name, ..)| *name).collect();
        assert_eq!(tokens, ["GITHUB_TOKEN", "GH_TOKEN"]);
        let apis: Vec<&str> = settings.apis.iter().map(|(.., url)| url.as_str()).collect();
        assert_eq!(apis, ["https://ghe.example.com/api/v3", "http://127.0.0.1:3000/api/v1"]);
        assert!(!format!("{settings:?}").contains("two"));
        let wrong = settle(BTreeMap::new(), &Only(&[("GITLAB_API_URL", "gitlab")])).unwrap_err();
        assert_eq!((wrong.code, wrong.subject.as_str()), (Code::Config, "GITLAB_API_URL"));
    }
}
