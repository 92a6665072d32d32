//! Docker's credential helpers: programs that hand out the login of a host.
//!
//! Source: docker/docker-credential-helpers:README.md, `client/client.go`, `credentials/error.go`.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use super::keyring::{Credential, Login};

/// How long a helper may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes.
const LONGEST: u64 = 64 << 10;
/// How long an answer serves: many repositories of one host are scanned at once.
const LIFE: Duration = Duration::from_mins(5);
/// How long a failure does: the repositories of one host do not each wait for a helper that hangs.
const GRUDGE: Duration = Duration::from_secs(30);
/// The user's name of a login that is an identity token.
const TOKEN: &str = "<token>";
/// What a helper says that has nothing for a host.
const NOTHING: &str = "credentials not found in native keychain";

/// A helper and the host that it is to be asked about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Helper {
    label: String,
    name: String,
    server: String,
}

impl Helper {
    /// The helper called `name` in the file `label`, for `server`; `None` if that is no name of a program.
    pub(super) fn new(label: &str, name: &str, server: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_name = !name.is_empty() && name.len() <= 64 && name.bytes().all(plain);
        is_name.then(|| Self {
            label: format!("{label} (helper {name})"),
            name: name.to_owned(),
            server: server.to_owned(),
        })
    }

    /// Such as `docker config (helper ecr-login)`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Asks; `None`: it has no login for the host. The error says what went wrong, without anything the helper said.
    async fn ask(&self, patience: Duration) -> Result<Option<Credential>, String> {
        let answer = tokio::time::timeout(patience, self.run()).await;
        let (succeeded, said) =
            answer.map_err(|_elapsed| format!("no answer within {:.0} s", patience.as_secs_f32()))??;
        if !succeeded {
            let nothing = said.expose_secret().trim() == NOTHING;
            return if nothing { Ok(None) } else { Err("it failed".to_owned()) };
        }
        // serde's message could quote the secret.
        let found: Answer = serde_json::from_str(said.expose_secret())
            .map_err(|_withheld| "its answer is not the JSON it should be".to_owned())?;
        if found.secret.expose_secret().is_empty() {
            return Ok(None);
        }
        let login = if found.username == TOKEN {
            Login::Identity(found.secret)
        } else {
            Login::Basic { username: found.username, password: found.secret }
        };
        Ok(Some(Credential { label: self.label.clone(), login }))
    }

    /// Runs it; whether it succeeded, and what it wrote.
    async fn run(&self) -> Result<(bool, SecretString), String> {
        let mut child = self.spawn()?;
        let broken = |error: std::io::Error| format!("it cannot be spoken to: {error}");
        if let Some(mut input) = child.stdin.take() {
            // A helper that ends without listening says so by how it ends.
            let _ = input.write_all(self.server.as_bytes()).await;
        }
        let mut said = Vec::new();
        if let Some(output) = child.stdout.take() {
            output.take(LONGEST).read_to_end(&mut said).await.map_err(broken)?;
        }
        let status = child.wait().await.map_err(broken)?;
        let said = String::from_utf8(said).map_err(|_withheld| "its answer is no text".to_owned())?;
        Ok((status.success(), said.into()))
    }

    /// Starts it without a shell, and without a terminal that it could ask on or write to.
    fn spawn(&self) -> Result<Child, String> {
        let program = format!("docker-credential-{}", self.name);
        let start = |command: &mut Command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            command.kill_on_drop(true).spawn()
        };
        let alone = start(Command::new("setsid").arg(&program).arg("get"));
        let child = match alone {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                start(Command::new(&program).arg("get"))
            }
            other => other,
        };
        child.map_err(|error| format!("{program} cannot be run: {error}"))
    }
}

/// What a helper answers; it may hold more.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: SecretString,
}

/// A login, or none, or what went wrong.
type Said = Result<Option<Credential>, String>;

/// What helpers answered a moment ago.
#[derive(Debug, Default)]
pub(super) struct Helpers {
    known: Mutex<HashMap<Helper, (Said, Instant)>>,
}

impl Helpers {
    /// Asks `helper`, unless it has answered within the last minutes; for ten seconds at most, and never longer than
    /// `left`. One helper runs at a time.
    ///
    /// # Errors
    /// What went wrong, without anything the helper said; it is asked again after half a minute.
    pub(super) async fn ask(&self, helper: &Helper, left: Duration) -> Result<Option<Credential>, String> {
        let mut known = self.known.lock().await;
        if let Some((answer, at)) = known.get(helper)
            && at.elapsed() < if answer.is_ok() { LIFE } else { GRUDGE }
        {
            return answer.clone();
        }
        let answer = helper.ask(PATIENCE.min(left)).await;
        known.insert(helper.clone(), (answer.clone(), Instant::now()));
        answer
    }

    /// Forgets what `label` answered: the registry has refused it.
    pub(super) async fn forget(&self, label: &str) {
        self.known.lock().await.retain(|helper, _| helper.label != label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_helper_that_failed_is_not_asked_again_at_once() {
        let helpers = Helpers::default();
        let helper = Helper::new("docker config", "no-such-helper", "r.example.com").unwrap();
        let failed = helpers.ask(&helper, PATIENCE).await.unwrap_err();
        // No time is left, so that asking again would end in another failure.
        assert_eq!(helpers.ask(&helper, Duration::ZERO).await.unwrap_err(), failed);
        helpers.forget(helper.label()).await;
        assert_ne!(helpers.ask(&helper, Duration::ZERO).await.unwrap_err(), failed);
    }
}
