//! Logins that a person has typed, kept in memory for as long as the program runs.
//!
//! Git itself asks for them on the terminal: it shows no password, and what it says is what people know.

use std::collections::BTreeMap;
use std::fmt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::credential::GitCredential;
use super::url::{GitUrl, Scheme};
use crate::environment::without_ours;
use crate::text::SecretString;

/// The logins, by scheme, host and port.
#[derive(Clone, Default)]
pub struct TypedLogins(Arc<Mutex<BTreeMap<String, GitCredential>>>);

/// Git's question for a login at one server.
#[derive(Debug, Clone)]
pub struct LoginQuestion {
    /// Where the login is for: scheme, host and port.
    server: String,
    /// What git is asked, on its standard input.
    pub input: String,
    logins: TypedLogins,
}

impl fmt::Debug for TypedLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().keys()).finish()
    }
}

impl TypedLogins {
    /// The program that asks for a login for `url`, and what it is asked; `None`: that is not reached over http.
    pub fn question(&self, url: &GitUrl) -> Option<(Command, LoginQuestion)> {
        let server = server(url)?;
        let (protocol, host) = server.split_once("://")?;
        let input = format!("protocol={protocol}\nhost={host}\n\n");
        let mut command = Command::new("git");
        // Helpers were asked before; what they have was refused.
        command.args(["-c", "credential.helper=", "-c", "credential.interactive=true", "credential", "fill"]);
        without_ours(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Set and empty: the terminal is what is asked.
        command.env("GIT_TERMINAL_PROMPT", "1").env("GIT_ASKPASS", "").env("SSH_ASKPASS", "");
        Some((command, LoginQuestion { server, input, logins: self.clone() }))
    }

    /// The login that was typed for the server of `url`.
    pub fn login(&self, url: &GitUrl) -> Option<GitCredential> {
        self.all().get(&server(url)?).cloned()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, GitCredential>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginQuestion {
    /// Keeps the login that git printed; whether there is one.
    pub fn keep(&self, said: &str) -> bool {
        let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let (Some(username), Some(password)) = (value("username"), value("password")) else { return false };
        let login = GitCredential::basic("what was typed", username, SecretString::from(password.to_owned()));
        self.logins.all().insert(self.server.clone(), login);
        true
    }
}

/// `https://git.example.com:8443`, as git names a server.
fn server(url: &GitUrl) -> Option<String> {
    if !matches!(url.scheme, Scheme::Http | Scheme::Https) {
        return None;
    }
    let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme.word(), url.host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_was_typed_serves_its_server_alone() {
        let url = |text: &str| GitUrl::parse(text).unwrap();
        let logins = TypedLogins::default();
        let (_, question) = logins.question(&url("https://git.example.com:8443/ops/fleet.git")).unwrap();
        assert_eq!(question.input, "protocol=https\nhost=git.example.com:8443\n\n");
        assert!(!question.keep("protocol=https\n"));
        assert!(question.keep("protocol=https\nusername=rita\npassword=hunter2\n"));
        assert!(logins.login(&url("https://git.example.com:8443/ops/other.git")).is_some());
        for other in [
            "https://git.example.com/ops/fleet.git",
            "http://git.example.com:8443/x",
            "ssh://git@git.example.com/x",
        ] {
            assert!(logins.login(&url(other)).is_none(), "{other}");
        }
        assert!(!format!("{logins:?} {question:?}").contains("hunter2"));
        assert!(logins.question(&url("ssh://git@h/x")).is_none());
    }
}
