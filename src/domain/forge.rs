//! Forges: which software runs a Git host, what a repository is called there, and the page on which a person opens a
//! request by hand.
//!
//! Knows addresses alone; who is asked, and with what, is [`crate::forge`]'s business.

mod rules;

use serde::{Deserialize, Serialize};

pub use rules::BranchRules;

/// The software behind a Git host, as far as requests differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    /// GitHub, also Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket's cloud: only the page is known.
    #[serde(skip_deserializing)]
    Bitbucket,
    /// Azure DevOps: only the page is known.
    #[serde(skip_deserializing)]
    Azure,
    /// A host that knows no requests.
    None,
}

impl ForgeKind {
    /// How it is called in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Gitea => "Gitea",
            Self::Bitbucket => "Bitbucket",
            Self::Azure => "Azure DevOps",
            Self::None => "no forge",
        }
    }

    /// What a request is called there.
    pub fn request(self) -> &'static str {
        if self == Self::GitLab { "merge request" } else { "pull request" }
    }

    /// The path of the API below a forge's root, without a last `/`; empty where we speak none.
    pub fn api_path(self) -> &'static str {
        match self {
            Self::GitHub => "/api/v3",
            Self::GitLab => "/api/v4",
            Self::Gitea => "/api/v1",
            Self::Bitbucket | Self::Azure | Self::None => "",
        }
    }
}

/// Hosts that everybody knows; one that begins with `.` stands for all below it.
const KNOWN: &[(&str, ForgeKind)] = &[
    ("github.com", ForgeKind::GitHub),
    ("ssh.github.com", ForgeKind::GitHub),
    (".ghe.com", ForgeKind::GitHub),
    ("gitlab.com", ForgeKind::GitLab),
    ("altssh.gitlab.com", ForgeKind::GitLab),
    ("codeberg.org", ForgeKind::Gitea),
    ("gitea.com", ForgeKind::Gitea),
    ("bitbucket.org", ForgeKind::Bitbucket),
    ("altssh.bitbucket.org", ForgeKind::Bitbucket),
    ("dev.azure.com", ForgeKind::Azure),
    ("ssh.dev.azure.com", ForgeKind::Azure),
    (".visualstudio.com", ForgeKind::Azure),
];

/// What runs a host that everybody knows.
pub fn well_known(host: &str) -> Option<ForgeKind> {
    let is = |known: &str| {
        let is_below = known.starts_with('.') && host.len() > known.len() && host.ends_with(known);
        is_below || (host == known && !known.starts_with('.'))
    };
    KNOWN.iter().find(|(known, _)| is(known)).map(|(_, kind)| *kind)
}

/// The address of a Git remote, taken apart; nothing of it is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether it is spoken to in plain HTTP.
    pub plain: bool,
    /// Host in lower case; empty for a folder.
    pub host: String,
    /// A port of HTTP; that of ssh says nothing about pages.
    pub port: Option<u16>,
    /// The path, with or without its first `/` and `.git`.
    pub path: String,
}

impl Address {
    /// `https://HOST[:PORT]`, where pages and API are unless somebody says otherwise; a host that everybody knows has them
    /// over HTTPS alone.
    pub fn web(&self) -> String {
        // These three have ssh on a host of its own.
        let host = match self.host.as_str() {
            "ssh.github.com" => "github.com",
            "altssh.gitlab.com" => "gitlab.com",
            "altssh.bitbucket.org" => "bitbucket.org",
            host => host,
        };
        if self.plain && well_known(host).is_some() {
            return format!("https://{host}");
        }
        let scheme = if self.plain { "http" } else { "https" };
        match self.port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }
    }

    /// The address of the API of a forge of this kind here.
    pub fn api(&self, kind: ForgeKind) -> String {
        match self.host.as_str() {
            "github.com" | "ssh.github.com" => "https://api.github.com".to_owned(),
            host if kind == ForgeKind::GitHub && host.ends_with(".ghe.com") => format!("https://api.{host}"),
            _ => format!("{}{}", self.web(), kind.api_path()),
        }
    }
}

/// A repository as its forge knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// What runs the host.
    pub kind: ForgeKind,
    /// The root of its pages, without a last `/`.
    pub web: String,
    /// `OWNER/NAME`; at GitLab with all groups before it. `NAME` alone where nobody says whose it is.
    pub path: String,
}

impl Project {
    /// The repository at `address`.
    ///
    /// `below` is the path under which the forge stands on its host, mostly empty. `owner` is taken where the address
    /// names none. `None` for an address that names no repository.
    pub fn at(address: &Address, kind: ForgeKind, below: &str, owner: Option<&str>) -> Option<Self> {
        let (web, path) = if kind == ForgeKind::Azure { azure(address)? } else { below_root(address, below) };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let path = match (kind, parts.as_slice()) {
            (ForgeKind::GitLab | ForgeKind::Azure, [_, _, ..]) => parts.join("/"),
            // A folder has more of a path than a name.
            (_, [.., owner, name]) => format!("{owner}/{name}"),
            (ForgeKind::Azure, [_]) | (_, []) => return None,
            (_, [name]) => owner.map_or_else(|| (*name).to_owned(), |owner| format!("{owner}/{name}")),
        };
        Some(Self { kind, web, path })
    }

    /// Whether it has an owner; forges have no requests for a repository that has none.
    pub fn has_owner(&self) -> bool {
        self.path.contains('/')
    }

    /// The owner, before the first `/`.
    pub fn owner(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// The page on which a person opens a request from `head` into `base`; `None` where there is none.
    ///
    /// Sources: docs.github.com, "Using query parameters to create a pull request"; docs.gitlab.com, "Create a merge request
    /// by adding URL parameters"; Gitea's and Bitbucket's own "compare" and "new pull request" pages; Azure's
    /// `pullrequestcreate`.
    pub fn compare_link(&self, head: &str, base: &str) -> Option<String> {
        let Self { web, path, .. } = self;
        if !self.has_owner() {
            return None;
        }
        let (in_path, in_query) = ((segments(base), segments(head)), (encoded(base), encoded(head)));
        Some(match self.kind {
            ForgeKind::GitHub => {
                format!("{web}/{path}/compare/{}...{}?expand=1", in_path.0, in_path.1)
            }
            ForgeKind::GitLab => format!(
                "{web}/{path}/-/merge_requests/new?merge_request%5Bsource_branch%5D={}\
                 &merge_request%5Btarget_branch%5D={}",
                in_query.1, in_query.0
            ),
            ForgeKind::Gitea => format!("{web}/{path}/compare/{}...{}", in_path.0, in_path.1),
            ForgeKind::Bitbucket => {
                format!("{web}/{path}/pull-requests/new?source={}&dest={}", in_query.1, in_query.0)
            }
            ForgeKind::Azure => {
                format!("{web}/{path}/pullrequestcreate?sourceRef={}&targetRef={}", in_query.1, in_query.0)
            }
            ForgeKind::None => return None,
        })
    }
}

/// Web root and path of a repository at a forge that stands under the path `below` of its host, if the address does.
fn below_root(address: &Address, below: &str) -> (String, String) {
    let path = address.path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let below = below.trim_matches('/');
    let inside = path.strip_prefix(below).and_then(|rest| rest.strip_prefix('/'));
    match inside.filter(|_| !below.is_empty()) {
        Some(inside) => (format!("{}/{below}", address.web()), inside.to_owned()),
        None => (address.web(), path.to_owned()),
    }
}

/// Web root and `ORGANISATION/PROJECT/_git/NAME`.
///
/// Over ssh the path is `v3/ORGANISATION/PROJECT/NAME`, and the older hosts have the organisation in their name.
fn azure(address: &Address) -> Option<(String, String)> {
    let parts: Vec<&str> = address.path.split('/').filter(|part| !part.is_empty()).collect();
    let older = address.host.strip_suffix(".visualstudio.com");
    let path = match (older, parts.as_slice()) {
        (_, ["v3", organisation, project, name]) | (None, [organisation, project, "_git", name]) => {
            format!("{organisation}/{project}/_git/{name}")
        }
        // `https://ORGANISATION.visualstudio.com/[DefaultCollection/]PROJECT/_git/NAME`
        (Some(organisation), [.., project, "_git", name]) => format!("{organisation}/{project}/_git/{name}"),
        _ => return None,
    };
    Some(("https://dev.azure.com".to_owned(), path))
}

/// The text for a query: everything but letters, digits and `-._~` as `%XX`.
pub fn encoded(text: &str) -> String {
    encode(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

/// The text for a path, whose `/` stay.
pub fn segments(text: &str) -> String {
    encode(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/'))
}

fn encode(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let piece = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, path: &str) -> Address {
        Address { plain: false, host: host.to_owned(), port: None, path: path.to_owned() }
    }

    fn link(host: &str, path: &str) -> String {
        let kind = well_known(host).unwrap();
        let project = Project::at(&address(host, path), kind, "", None).unwrap();
        project.compare_link("supercargo/a&b", "release/1.2").unwrap()
    }

    #[test]
    fn each_forge_has_a_page_to_open_a_request_on() {
        let rows = [
            (
                "github.com",
                "/acme/fleet.git",
                "https://github.com/acme/fleet/compare/release/1.2...supercargo/a%26b?expand=1",
            ),
            (
                "altssh.gitlab.com",
                "/acme/platform/fleet.git",
                "https://gitlab.com/acme/platform/fleet/-/merge_requests/new?merge_request%5Bsource_branch%5D=\
                 supercargo%2Fa%26b&merge_request%5Btarget_branch%5D=release%2F1.2",
            ),
            (
                "codeberg.org",
                "acme/fleet",
                "https://codeberg.org/acme/fleet/compare/release/1.2...supercargo/a%26b",
            ),
            (
                "bitbucket.org",
                "/acme/fleet.git",
                "https://bitbucket.org/acme/fleet/pull-requests/new?source=supercargo%2Fa%26b&dest=release%2F1.2",
            ),
            (
                "ssh.dev.azure.com",
                "/v3/acme/ops/fleet",
                "https://dev.azure.com/acme/ops/_git/fleet/pullrequestcreate?sourceRef=supercargo%2Fa%26b\
                 &targetRef=release%2F1.2",
            ),
            (
                "acme.visualstudio.com",
                "/DefaultCollection/ops/_git/fleet",
                "https://dev.azure.com/acme/ops/_git/fleet/pullrequestcreate?sourceRef=supercargo%2Fa%26b\
                 &targetRef=release%2F1.2",
            ),
        ];
        for (host, path, page) in rows {
            assert_eq!(link(host, path), page, "{host}");
        }
    }

    #[test]
    fn a_host_is_known_by_its_whole_name() {
        assert_eq!(well_known("github.com"), Some(ForgeKind::GitHub));
        assert_eq!(well_known("acme.ghe.com"), Some(ForgeKind::GitHub));
        for stranger in ["evil-github.com", "github.com.evil.org", ".ghe.com", "git.example.com", ""] {
            assert_eq!(well_known(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn the_api_is_where_each_forge_documents_it() {
        let api = |host: &str, kind| address(host, "/a/b").api(kind);
        assert_eq!(api("github.com", ForgeKind::GitHub), "https://api.github.com");
        assert_eq!(api("acme.ghe.com", ForgeKind::GitHub), "https://api.acme.ghe.com");
        assert_eq!(api("ghe.example.com", ForgeKind::GitHub), "https://ghe.example.com/api/v3");
        assert_eq!(api("gitlab.com", ForgeKind::GitLab), "https://gitlab.com/api/v4");
        assert_eq!(api("codeberg.org", ForgeKind::Gitea), "https://codeberg.org/api/v1");
        let local = Address { plain: true, port: Some(3000), ..address("127.0.0.1", "/a/b") };
        assert_eq!(local.api(ForgeKind::Gitea), "http://127.0.0.1:3000/api/v1");
        let plain = Address { plain: true, port: Some(80), ..address("gitlab.com", "/a/b") };
        assert_eq!(plain.api(ForgeKind::GitLab), "https://gitlab.com/api/v4");
    }

    #[test]
    fn a_repository_has_an_owner_wherever_its_forge_stands() {
        let at = |path: &str, kind, below: &str, owner: Option<&str>| {
            Project::at(&address("git.example.com", path), kind, below, owner).map(|found| found.path)
        };
        assert_eq!(at("/ops/fleet.git", ForgeKind::Gitea, "", None).as_deref(), Some("ops/fleet"));
        assert_eq!(at("/a/b/c/fleet", ForgeKind::GitLab, "", None).as_deref(), Some("a/b/c/fleet"));
        assert_eq!(at("/git/a/fleet", ForgeKind::GitLab, "/git", None).as_deref(), Some("a/fleet"));
        assert_eq!(
            at("/srv/repos/octo/fleet.git", ForgeKind::GitHub, "", None).as_deref(),
            Some("octo/fleet")
        );
        assert_eq!(at("/fleet.git", ForgeKind::GitHub, "", Some("octo")).as_deref(), Some("octo/fleet"));
        assert_eq!(at("/fleet.git", ForgeKind::GitHub, "", None).as_deref(), Some("fleet"));
        let nobodys =
            Project::at(&address("git.example.com", "/fleet.git"), ForgeKind::GitLab, "", None).unwrap();
        assert!(!nobodys.has_owner() && nobodys.compare_link("updates", "main").is_none());
        assert_eq!(at("/", ForgeKind::GitLab, "", None), None);
        assert_eq!(at("/", ForgeKind::GitHub, "", Some("octo")), None);
    }
}
