//! Docker's credential helpers: programs that hand out the login of a host.
//!
//! Source: docker/docker-credential-helpers:README.md, `client/client.go`, `credentials/error.go`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use super::keyring::{Credential, Login};
use crate::children::{ALONE, Group, confinement};
use crate::environment::without_ours;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    label: String,
    name: String,
    server: String,
}

impl Helper {
    /// The helper called `name` in the file `label`, for `server`; `None` if that is no name of a program.
    pub(super) fn new(label: &str, name: &str, server: &str) -> Option<Self> {
        Self::is_name(name).then(|| Self {
            label: format!("{label} (helper {name})"),
            name: name.to_owned(),
            server: server.to_owned(),
        })
    }

    /// Whether this may be the end of a program's name.
    pub(super) fn is_name(name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
    }

    /// Such as `docker config (helper ecr-login)`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The host that it is asked about.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Whether it is the same program, asked about the same host.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.server) == (&other.name, &other.server)
    }

    /// A hash of the program and the host.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        // Neither holds the byte between them.
        Sha256::digest(format!("{}\0{}", self.name, self.server)).into()
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
            Login::Identity {
                token: found.secret,
                username: String::new(),
                password: SecretString::default(),
            }
        } else {
            Login::Basic { username: found.username, password: found.secret }
        };
        Ok(Some(Credential { label: self.label.clone(), login }))
    }

    /// Runs it; whether it succeeded, and what it wrote.
    async fn run(&self) -> Result<(bool, SecretString), String> {
        let mut child = self.spawn()?;
        let mut group = Group::led_by(child.id());
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
        group.release();
        let said = String::from_utf8(said).map_err(|_withheld| "its answer is no text".to_owned())?;
        Ok((status.success(), said.into()))
    }

    /// Starts it without a shell, and without a terminal that it could ask on or write to.
    fn spawn(&self) -> Result<Child, String> {
        let name = program(&self.name);
        // What confines it would say no more than that it failed.
        let program = installed(&self.name).ok_or_else(|| format!("{name} is not installed"))?;
        let words = confinement(PATIENCE);
        let mut line = words.iter().map(OsStr::new).chain([program.as_os_str(), OsStr::new("get")]);
        let mut command = Command::new(line.next().unwrap_or_default());
        command.args(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        without_ours(command.as_std_mut());
        if !words.iter().any(|word| *word == ALONE[0]) {
            command.process_group(0);
        }
        let child = command.kill_on_drop(true).spawn();
        child.map_err(|error| format!("{name} cannot be run: {error}"))
    }
}

fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// Whether the helper called `name` is on the path.
pub(super) fn is_installed(name: &str) -> bool {
    installed(name).is_some()
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let is_program = |file: &PathBuf| {
        file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path).map(|folder| folder.join(program(name))).find(is_program)
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

/// What one helper answered about one host, and when; locked while it is asked.
type Place = Arc<Mutex<Option<(Said, Instant)>>>;

/// What helpers answered a moment ago, by their names and the hosts.
#[derive(Debug, Default)]
pub(super) struct Helpers {
    places: std::sync::Mutex<HashMap<(String, String), Place>>,
}

impl Helpers {
    /// Asks `helper`, unless it has answered within the last minutes; for ten seconds at most, and never longer than
    /// `left`, with the time in which it answers another repository of the host.
    ///
    /// # Errors
    /// What went wrong, without anything the helper said; it is asked again after half a minute.
    pub(super) async fn ask(&self, helper: &Helper, left: Duration) -> Result<Option<Credential>, String> {
        let came = Instant::now();
        let place = self.place(helper);
        let Ok(mut known) = tokio::time::timeout(left, place.lock()).await else {
            return Err(format!("no answer within {:.0} s, for another repository", left.as_secs_f32()));
        };
        if let Some((answer, at)) = &*known
            && at.elapsed() < if answer.is_ok() { LIFE } else { GRUDGE }
        {
            return relabelled(answer.clone(), helper);
        }
        let answer = helper.ask(PATIENCE.min(left.saturating_sub(came.elapsed()))).await;
        *known = Some((answer.clone(), Instant::now()));
        answer
    }

    /// Forgets what `helper` answered: the registry has refused it.
    pub(super) async fn forget(&self, helper: &Helper) {
        *self.place(helper).lock().await = None;
    }

    fn place(&self, helper: &Helper) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry((helper.name.clone(), helper.server.clone())).or_default())
    }
}

/// What the helper answered when it was asked by another name.
fn relabelled(said: Said, helper: &Helper) -> Said {
    said.map(|found| found.map(|credential| Credential { label: helper.label.clone(), ..credential }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absent() -> Helper {
        Helper::new("docker config", "no-such-helper", "r.example.com").unwrap()
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_said_not_to_be_installed() {
        let error = Helpers::default().ask(&absent(), PATIENCE).await.unwrap_err();
        assert_eq!(error, "docker-credential-no-such-helper is not installed");
    }

    #[tokio::test]
    async fn a_helper_that_failed_is_not_asked_again_at_once() {
        let (helpers, helper) = (Helpers::default(), absent());
        *helpers.place(&helper).lock().await = Some((Err("it failed".into()), Instant::now()));
        assert_eq!(helpers.ask(&helper, PATIENCE).await.unwrap_err(), "it failed");
        helpers.forget(&helper).await;
        assert_ne!(helpers.ask(&helper, PATIENCE).await.unwrap_err(), "it failed");
    }

    #[tokio::test]
    async fn a_helper_that_is_busy_for_another_repository_is_waited_for_no_longer_than_there_is_time() {
        let (helpers, helper) = (Helpers::default(), absent());
        let place = helpers.place(&helper);
        let _busy = place.lock().await;
        let begun = Instant::now();
        let error = helpers.ask(&helper, Duration::from_millis(20)).await.unwrap_err();
        assert!(error.contains("for another repository"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn what_a_helper_said_goes_by_the_name_of_who_asks() {
        let (helpers, helper) = (Helpers::default(), absent());
        let login = Login::Basic { username: "rita".into(), password: "x".into() };
        let said = Credential { label: "docker config".into(), login };
        *helpers.place(&helper).lock().await = Some((Ok(Some(said)), Instant::now()));
        let other = Helper::new("provider aws", "no-such-helper", "r.example.com").unwrap();
        let found = helpers.ask(&other, PATIENCE).await.unwrap().unwrap();
        assert_eq!(found.text(), "provider aws (helper no-such-helper) as rita");
    }
}
