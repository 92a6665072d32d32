//! Addresses of Git repositories: what kind one is, when two mean the same repository, and how one is shown.
//!
//! Source: git's own `urlmatch` and the scp form of git-clone(1), "GIT URLS".

use std::path::PathBuf;

use super::error::GitError;

/// How a remote is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// TLS.
    Https,
    /// Plain HTTP.
    Http,
    /// Also written `git@host:path`.
    Ssh,
    /// `file://` and plain paths.
    File,
}

impl Scheme {
    /// The word before `://`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }

    /// The port that needs no saying.
    fn default_port(self) -> Option<u16> {
        match self {
            Self::Https => Some(443),
            Self::Http => Some(80),
            Self::Ssh => Some(22),
            Self::File => None,
        }
    }
}

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitUrl {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// The user, decoded; empty if none is named.
    user: String,
    /// The password, decoded.
    password: Option<String>,
    /// The host in lower case; empty for files.
    pub host: String,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
    /// The path as written, with its first `/` (the scp form gets one); decoded if it is a file's.
    pub path: String,
    /// Host and path as `ssh` gets to see them; empty for other schemes.
    as_written: (String, String),
}

/// Where an ssh remote is: what the program `ssh` and the one on the other side are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshPlace {
    /// The user, if the address names one.
    pub user: Option<String>,
    /// The host, or an alias of the operator's configuration, as it was written.
    pub host: String,
    /// The port, if it is not 22.
    pub port: Option<u16>,
    /// The path on the other side: from the root, or from the user's home.
    pub path: String,
}

impl GitUrl {
    /// Takes an address apart: `https://…`, `http://…`, `ssh://…`, `user@host:path`, `file://…` or a path.
    ///
    /// # Errors
    /// [`GitError::Unsupported`] for another scheme, one without host or path, or a user with a control character: a line
    /// break would put lines of its own into what credential helpers are asked.
    ///
    /// Source: git/git:credential.c ("credential value for %s contains newline").
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let text = text.trim();
        let url = Self::take_apart(text)?;
        if url.user.contains(char::is_control) {
            return Err(unsupported(text, "its user has a control character"));
        }
        Ok(url)
    }

    fn take_apart(text: &str) -> Result<Self, GitError> {
        if let Some((scheme, rest)) = text.split_once("://") {
            return match scheme.to_ascii_lowercase().as_str() {
                "file" => Ok(Self::file(&decode(rest.strip_prefix("localhost").unwrap_or(rest)))),
                "https" => Self::network(Scheme::Https, text),
                "http" => Self::network(Scheme::Http, text),
                "ssh" | "git+ssh" | "ssh+git" => {
                    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                    // A home: `/~rita/p.git` is `~rita/p.git`.
                    let path = format!("/{}", decode(path));
                    let sent = path.strip_prefix('/').filter(|path| path.starts_with('~'));
                    Self::ssh(authority, sent.unwrap_or(&path), text)
                }
                _ => Err(unsupported(
                    text,
                    &format!("{scheme}:// is not a kind of remote that can be spoken to"),
                )),
            };
        }
        match scp_form(text) {
            Some((authority, path)) => Self::ssh(&authority, path, text),
            None if text.is_empty() => Err(unsupported(text, "the repository's address is empty")),
            None => Ok(Self::file(text)),
        }
    }

    fn file(path: &str) -> Self {
        let path = path.to_owned();
        Self {
            scheme: Scheme::File,
            user: String::new(),
            password: None,
            host: String::new(),
            port: None,
            path,
            as_written: Default::default(),
        }
    }

    fn ssh(authority: &str, path: &str, text: &str) -> Result<Self, GitError> {
        let url = format!("ssh://{authority}/{}", path.trim_start_matches('/'));
        let parsed = Self::network(Scheme::Ssh, &url);
        let mut parsed = parsed.map_err(|_error| unsupported(text, "the address has no host or no path"))?;
        path.clone_into(&mut parsed.as_written.1);
        Ok(parsed)
    }

    fn network(scheme: Scheme, text: &str) -> Result<Self, GitError> {
        let url = url::Url::parse(text).map_err(|error| unsupported(text, &error.to_string()))?;
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(unsupported(text, "the address has no host"));
        };
        if url.path().trim_matches('/').is_empty() {
            return Err(unsupported(text, "the address names a host but no repository"));
        }
        Ok(Self {
            scheme,
            user: decode(url.username()),
            password: url.password().map(decode),
            host: host.to_ascii_lowercase(),
            port: url.port().filter(|port| Some(*port) != scheme.default_port()),
            path: url.path().to_owned(),
            as_written: (host.trim_matches(['[', ']']).to_owned(), String::new()),
        })
    }

    /// Where `ssh` has to go.
    ///
    /// # Errors
    /// [`GitError::Unsupported`] for a user, host or path that a program would take for an option or a shell for a command.
    ///
    /// Source: git/git:connect.c ("strange hostname blocked"); openssh:ssh.c (`valid_hostname`, `valid_ruser`).
    pub fn ssh_place(&self) -> Result<SshPlace, GitError> {
        let (host, path) = self.as_written.clone();
        let is_plain = |text: &str| {
            !text.starts_with('-')
                && !text.contains(|c: char| c.is_control() || "\'`\"$\\;&<>|(){}".contains(c))
        };
        let is_host = is_plain(&host) && !host.contains(|c: char| c.is_whitespace() || c == '/');
        for (what, is_good) in [
            ("host", is_host),
            ("user", is_plain(&self.user) && !self.user.contains(char::is_whitespace)),
            // The path is quoted; the program behind it must not take it for an option.
            ("path", !path.starts_with('-') && !path.contains(|c: char| c.is_control())),
        ] {
            if !is_good {
                let url = self.redacted();
                let message =
                    format!("cannot use {url:?} as a remote: its {what} could be taken for a command");
                return Err(GitError::Unsupported { url, message });
            }
        }
        let user = (!self.user.is_empty()).then(|| self.user.clone());
        Ok(SshPlace { user, host, port: self.port, path })
    }

    /// User and password written into the address; `None` if it names no user.
    pub fn user_info(&self) -> Option<(&str, Option<&str>)> {
        (!self.user.is_empty()).then_some((self.user.as_str(), self.password.as_deref()))
    }

    /// What two addresses of the same repository share: host, unusual port, and path without `.git` and a last `/`.
    ///
    /// Source: cli contract section 5, "Repository of an automation".
    pub fn identity(&self) -> String {
        let path = self.path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
        match self.port {
            Some(port) => format!("{}:{port}/{path}", self.host),
            None => format!("{}/{path}", self.host),
        }
    }

    /// Whether both mean the same repository, however they are reached.
    pub fn is_same_repository(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// Whether its host is this machine, by a name or an address that always says so.
    pub fn is_this_machine(&self) -> bool {
        reqwest::Url::parse(&self.without_user_info()).is_ok_and(|url| crate::http::is_this_machine(&url))
    }

    /// The path in the file system; `None` for the network.
    pub fn local_path(&self) -> Option<PathBuf> {
        (self.scheme == Scheme::File).then(|| PathBuf::from(&self.path))
    }

    /// The address to send a request to: no user info, as written otherwise.
    pub fn without_user_info(&self) -> String {
        match self.scheme {
            Scheme::File => format!("file://{}", self.path),
            scheme => format!("{}://{}{}", scheme.word(), self.authority(), self.path),
        }
    }

    fn authority(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// The address as it may be shown: no password anywhere, and a user only for ssh, where it is no secret.
    pub fn redacted(&self) -> String {
        match (self.scheme, self.user.as_str()) {
            (Scheme::Ssh, user) if !user.is_empty() => {
                format!("ssh://{user}@{}{}", self.authority(), self.path)
            }
            _ => self.without_user_info(),
        }
    }
}

/// Any address as it may be shown, also one that is not understood: what stands before an `@` is left out.
pub fn redact(text: &str) -> String {
    if let Ok(url) = GitUrl::parse(text) {
        // Plain paths stay as the person wrote them.
        return if url.scheme == Scheme::File { text.to_owned() } else { url.redacted() };
    }
    without_login(text)
}

/// The text without whatever might be a login: all between `://` and the last `@`.
fn without_login(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// Whether two addresses mean the same repository; two that are not understood only if equal.
pub fn is_same_repository(a: &str, b: &str) -> bool {
    match (GitUrl::parse(a), GitUrl::parse(b)) {
        (Ok(a), Ok(b)) => a.is_same_repository(&b),
        _ => a == b,
    }
}

/// The authority, as in a URL, and the path of `[user@]host:path`; `None` if it is a plain path.
///
/// In brackets stands an IPv6 address, or a host with its port.
fn scp_form(text: &str) -> Option<(String, &str)> {
    let bracket = text.find('[').filter(|at| *at == 0 || text.as_bytes().get(at - 1) == Some(&b'@'));
    let colon = match bracket {
        Some(at) => at + text.get(at..)?.find("]:")? + 1,
        None => text.find(':')?,
    };
    let (authority, path) = (text.get(..colon)?, text.get(colon + 1..)?);
    // As git: a colon after a slash belongs to a path.
    if authority.contains('/') || authority.is_empty() || path.is_empty() {
        return None;
    }
    let is_ipv6 = authority.matches(':').count() > 1;
    Some((if is_ipv6 { authority.to_owned() } else { authority.replace(['[', ']'], "") }, path))
}

/// Percent-decoded text; as it is where it decodes to no text.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
            && let Ok(byte) = u8::try_from(high * 16 + low)
        {
            bytes.push(byte);
            rest = after;
            continue;
        }
        bytes.push(*first);
        rest = tail;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn unsupported(text: &str, message: &str) -> GitError {
    let shown = without_login(text);
    GitError::Unsupported { message: format!("cannot use {shown:?} as a remote: {message}"), url: shown }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("git@Git.Example.com:ops/fleet.git", "ssh://git@git.example.com/ops/fleet", true)]
    #[case("https://git.example.com/ops/fleet/", "ssh://git@git.example.com:22/ops/fleet.git", true)]
    #[case("https://bot:secret@git.example.com:443/ops/fleet", "http://git.example.com/ops/fleet.git/", true)]
    #[case("https://git.example.com:8443/ops/fleet", "https://git.example.com/ops/fleet", false)]
    #[case("https://git.example.com/ops/fleet", "https://git.example.com/ops/Fleet", false)]
    #[case("file:///srv/fleet.git", "/srv/fleet", true)]
    #[case("/srv/fleet.git", "/srv/other.git", false)]
    fn the_same_repository_is_known_by_host_and_path(#[case] a: &str, #[case] b: &str, #[case] same: bool) {
        assert_eq!(is_same_repository(a, b), same, "{a} {b}");
    }

    #[rstest]
    #[case("https://bot:tok%40en@h.example/p.git", "https://h.example/p.git")]
    #[case("https://token@h.example:8443/p", "https://h.example:8443/p")]
    #[case("git@h.example:p.git", "ssh://git@h.example/p.git")]
    #[case("ssh://git:pw@h.example/p", "ssh://git@h.example/p")]
    #[case("/srv/p@home.git", "/srv/p@home.git")]
    #[case("gopher://me:pw@h/p", "gopher://h/p")]
    #[case("https://me:p/w@h/p", "https://h/p")]
    fn a_shown_address_has_no_password(#[case] address: &str, #[case] shown: &str) {
        assert_eq!(redact(address), shown);
    }

    #[test]
    fn user_info_is_decoded() {
        let url = GitUrl::parse("https://bot:tok%40en@h.example/p.git").unwrap();
        assert_eq!(url.user_info(), Some(("bot", Some("tok@en"))));
    }

    #[rstest]
    #[case("git@Work-Alias:ops/fleet.git", Some("git"), "Work-Alias", None, "ops/fleet.git")]
    #[case("h.example:/srv/a b#1.git", None, "h.example", None, "/srv/a b#1.git")]
    #[case("ssh://git@h.example:2222/srv/a%20b.git", Some("git"), "h.example", Some(2222), "/srv/a b.git")]
    #[case("ssh://h.example:22/~rita/p.git", None, "h.example", None, "~rita/p.git")]
    #[case("git@[::1]:p.git", Some("git"), "::1", None, "p.git")]
    #[case("ssh://[::1]:2222/p.git", None, "::1", Some(2222), "/p.git")]
    #[case("[git@h.example:2222]:p.git", Some("git"), "h.example", Some(2222), "p.git")]
    fn ssh_is_told_what_was_written(
        #[case] address: &str,
        #[case] user: Option<&str>,
        #[case] host: &str,
        #[case] port: Option<u16>,
        #[case] path: &str,
    ) {
        let place = GitUrl::parse(address).unwrap().ssh_place().unwrap();
        let expected =
            SshPlace { user: user.map(str::to_owned), host: host.to_owned(), port, path: path.to_owned() };
        assert_eq!(place, expected);
    }

    #[rstest]
    #[case("ssh://-oProxyCommand=touch%20x/p.git")]
    #[case("-oProxyCommand=id:p.git")]
    #[case("ssh://-lroot@h.example/p.git")]
    #[case("ssh://%2Dlroot@h.example/p.git")]
    #[case("git@h.example:--upload-pack=id")]
    #[case("ssh://h$(id)/p.git")]
    #[case("ssh://a;id@h.example/p.git")]
    #[case("ssh://h.example/p%0Aid")]
    fn an_address_that_would_become_an_option_or_a_command_is_refused(#[case] address: &str) {
        let place = GitUrl::parse(address).and_then(|url| url.ssh_place());
        assert!(matches!(place, Err(GitError::Unsupported { .. })), "{place:?}");
    }

    #[rstest]
    #[case("https://rita%0ahost=github.com@evil.example/x.git")]
    #[case("http://rita%0D@evil.example/x.git")]
    #[case("ssh://rita%00@evil.example/x.git")]
    #[case("rita%0a@evil.example:x.git")]
    fn a_user_with_a_control_character_is_refused(#[case] address: &str) {
        let error = GitUrl::parse(address).unwrap_err().to_string();
        assert!(error.contains("its user has a control character"), "{error}");
    }

    #[rstest]
    #[case("https://host.example")]
    #[case("https:///path")]
    #[case("git://host/path")]
    #[case("")]
    fn what_is_no_remote_is_refused(#[case] address: &str) {
        assert!(matches!(GitUrl::parse(address), Err(GitError::Unsupported { .. })), "{address}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_or_shows_its_password(text in "[a-z@:/%.?# é]{0,24}", secret in "[a-zA-Z0-9]{12}") {
            let _ = redact(&text);
            let address = format!("https://bot:{secret}@host.example/{text}");
            prop_assert!(!redact(&address).contains(&secret));
            if let Err(error) = GitUrl::parse(&address) {
                prop_assert!(!error.to_string().contains(&secret));
            }
        }
    }
}
