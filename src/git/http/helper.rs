//! Git's credential helpers, asked through git: for a login, and told afterwards whether it was good.
//!
//! Source: git-credential(1).

use url::Url;

use crate::git::child;
use crate::git::error::GitError;
use crate::git::session::Session;
use crate::text::{ExposeSecret, SecretString};

/// A login that helpers handed out.
#[derive(Clone)]
pub(super) struct Handed {
    /// All that they said, to be said to them again.
    said: SecretString,
    /// The user.
    pub(super) username: String,
    /// The password.
    pub(super) password: SecretString,
}

/// Asks for a login for `url`; `None`: nobody has one. Nobody else is asked: there is no prompt.
///
/// # Errors
/// Out of time, or cancelled; a user that would add lines to the question.
pub(super) fn fill(session: &Session, url: &Url, username: Option<&str>) -> Result<Option<Handed>, GitError> {
    if username.is_some_and(|user| user.contains(char::is_control)) {
        let message = "credential helpers cannot be asked for a user with a control character".to_owned();
        return Err(GitError::Unsupported { url: session.shown.clone(), message });
    }
    let user = username.map(|user| format!("username={user}\n")).unwrap_or_default();
    let question = format!("{}{user}\n", place(url));
    let Some(said) = run(session, "fill", &question)? else { return Ok(None) };
    let value = |key: &str| {
        let found = said.expose_secret().lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.map(str::to_owned)
    };
    let (username, password) = (value("username"), value("password"));
    let handed = username.zip(password).map(|(username, password)| (username, SecretString::from(password)));
    Ok(handed.map(|(username, password)| Handed { said, username, password }))
}

/// Tells the helpers that the login is good, so that they keep it, or that it is not, so that they forget it.
///
/// # Errors
/// Out of time, or cancelled.
pub(super) fn tell(session: &Session, handed: &Handed, is_good: bool) -> Result<(), GitError> {
    let verb = if is_good { "approve" } else { "reject" };
    let text = SecretString::from(format!("{}\n", handed.said.expose_secret().trim_end_matches('\n')));
    run(session, verb, &format!("{}\n", text.expose_secret())).map(drop)
}

fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = url.path().trim_start_matches('/');
    format!("protocol={}\nhost={host}{port}\npath={path}\n", url.scheme())
}

/// What git printed; `None` if it did not succeed.
fn run(session: &Session, verb: &str, input: &str) -> Result<Option<SecretString>, GitError> {
    let mut command = child::detached("git");
    command.args(["credential", verb]).env("GIT_TERMINAL_PROMPT", "0");
    // Set and empty: no program asks either.
    command.env("GIT_ASKPASS", "").env("SSH_ASKPASS", "").env("GCM_INTERACTIVE", "never");
    let ran = child::run(session, command, input.as_bytes(), "git's credential helpers")?;
    let ended = ran.ok().filter(|ended| ended.status.success());
    Ok(ended.and_then(|ended| String::from_utf8(ended.out).ok()).map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Remote;

    #[test]
    fn a_user_that_would_add_lines_to_the_question_is_not_asked_for() {
        let session = Session::open(&Remote::new("https://evil.example/x.git")).unwrap();
        let url = Url::parse("https://evil.example/x.git").unwrap();
        let asked = fill(&session, &url, Some("rita\nhost=github.com"));
        assert!(matches!(asked.err(), Some(GitError::Unsupported { .. })));
    }
}
