//! Logins that nobody gave for a remote and that are tried once its server asks: git's credential helpers, `netrc`, the token of
//! a forge.
//!
//! Source: cli contract section 5, "Git credentials".

use super::config::GitConfig;
use super::credential::{GitCredential, Login};
use super::netrc;
use super::url::{GitUrl, Scheme};
use crate::domain::forge::ForgeKind;
use crate::text::SecretString;

/// The token of the forge that a remote is at.
pub struct ForgeToken {
    /// The variable it is from.
    pub label: String,
    /// What runs the host.
    pub kind: ForgeKind,
    /// The token.
    pub secret: SecretString,
}

/// What is tried at `url` once its server asks for a login, in order. A token is not shown without TLS.
pub fn fallbacks(url: &GitUrl, config: &GitConfig, token: Option<ForgeToken>) -> Vec<GitCredential> {
    if !matches!(url.scheme, Scheme::Http | Scheme::Https) {
        return Vec::new();
    }
    let basic = |username: &str, password| Login::Basic { username: username.to_owned(), password };
    let helpers = config.has_credential_helper().then(|| late("git credential helper", Login::Helpers));
    let netrc = netrc::login(&url.host).map(|(user, password)| late("netrc", basic(&user, password)));
    let token = token.filter(|_| url.scheme == Scheme::Https);
    let token = token.map(|token| late(&token.label, basic(token_user(token.kind), token.secret)));
    [helpers, netrc, token].into_iter().flatten().collect()
}

fn late(label: &str, login: Login) -> GitCredential {
    GitCredential { label: label.to_owned(), login: Some(login), is_late: true, ..GitCredential::default() }
}

/// The user whose password a token is.
fn token_user(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::GitHub => "x-access-token",
        ForgeKind::GitLab => "oauth2",
        // They look at the password alone.
        ForgeKind::Gitea | ForgeKind::Bitbucket | ForgeKind::Azure | ForgeKind::None => "git",
    }
}
