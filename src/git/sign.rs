//! Signatures of commits: made by the programs that git itself calls, with the operator's key or an automation's.
//!
//! Nothing is ever asked here: a key that needs a passphrase which nobody gave is an error that says what to do, and
//! [`Signer::unlocking`] is what a person at a terminal does.
//!
//! Source: git/git:gpg-interface.c; git-config(1), "gpg.*", "user.signingKey", "commit.gpgSign".

mod unlock;

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use super::child;
use super::config::GitConfig;
use super::error::GitError;
use crate::domain::object::Person;
use crate::environment::{has_program, without_ours};
use crate::text::{ExposeSecret, SecretString};

pub use self::unlock::Unlocked;

/// How long a signature may take at most: somebody may have to touch a key.
const PATIENCE: Duration = Duration::from_mins(1);
/// What a program says on its status line when it has signed.
const CREATED: &str = "[GNUPG:] SIG_CREATED ";
/// The variable in which the program that answers `ssh-keygen` finds the passphrase.
const PASSPHRASE: &str = "SUPERCARGO_KEY_PASSPHRASE";
/// What helps against a program that does not end.
const STUCK: &str =
    "Sign something with it by hand, and see what it waits for: a key may want to be touched or unlocked.";
/// What answers `ssh-keygen`.
const ANSWER: &str = "#!/bin/sh\nprintf '%s\\n' \"$SUPERCARGO_KEY_PASSPHRASE\"\n";

/// A key that signs commits, and the program that knows how.
#[derive(Debug)]
pub struct Signer {
    /// How it is called in steps and errors: `the operator's ssh key`, `secret shop/signing`.
    label: String,
    /// The program, as git's configuration has it.
    program: String,
    way: Way,
    /// Where an automation's key lies; removed with the signer.
    home: Option<TempDir>,
    /// Keys that a person unlocked.
    unlocked: Unlocked,
    /// How long a program may take.
    patience: Duration,
}

#[derive(Debug)]
enum Way {
    /// `ssh-keygen -Y sign`.
    Ssh(SshKey),
    /// `gpg -bsau`, or `gpgsm`; which key.
    Gpg(String),
    /// `gpg` with a folder of its own, and the passphrase of the one key that is in it.
    OwnGpg(SecretString),
}

#[derive(Debug)]
enum SshKey {
    /// The file of a private key, or of a public one that an agent has the other half of.
    File(PathBuf),
    /// A public key, as text; an agent has the other half.
    Public(String),
    /// The file of a private key and its passphrase.
    Locked(PathBuf, SecretString),
}

/// What a program said.
struct Said {
    success: bool,
    out: Vec<u8>,
    err: String,
}

impl Signer {
    /// The operator's key, as git would use it; `None`: git signs no commits here.
    ///
    /// `committer` is who a key of gpg is looked for where the configuration names none; no program may take longer than
    /// `timeout`.
    ///
    /// # Errors
    /// [`GitError::Sign`] if git is told to sign and not with what.
    pub fn of_operator(
        config: &GitConfig,
        committer: &Person,
        timeout: Duration,
    ) -> Result<Option<Self>, GitError> {
        let patience = timeout.min(PATIENCE);
        let Some((format, label)) = format_and_label(config) else { return Ok(None) };
        let key = config.get("user.signingkey");
        let program = |keys: &[&str], usual: &str| {
            keys.iter().find_map(|key| config.get(key)).unwrap_or_else(|| usual.to_owned())
        };
        let (program, way) = match format.as_str() {
            "openpgp" => (
                program(&["gpg.openpgp.program", "gpg.program"], "gpg"),
                Way::Gpg(key.unwrap_or(committer.to_string())),
            ),
            "x509" => {
                (program(&["gpg.x509.program"], "gpgsm"), Way::Gpg(key.unwrap_or(committer.to_string())))
            }
            "ssh" => {
                let key = key.map_or_else(|| default_ssh_key(config, &label, patience), Ok)?;
                (program(&["gpg.ssh.program"], "ssh-keygen"), Way::Ssh(SshKey::of(&key)))
            }
            other => {
                let message = format!("gpg.format is {other:?}");
                return Err(refused(&label, message, "Set it to openpgp, x509 or ssh."));
            }
        };
        Ok(Some(Self { label, program, way, home: None, unlocked: Unlocked::default(), patience }))
    }

    /// What it means that the secret of an automation's key, which signed when the plan was made, is not to be had.
    pub fn of_nowhere(name: &str, why: String) -> GitError {
        let fix = "Push from where the secret can be read, or sign with a key of yours: git config commit.gpgsign true";
        refused(&Self::name_of_secret(name), why, fix)
    }

    /// The key of an automation: `git.asc` and `passphrase` of gpg, or `identity` and `password` of ssh, by `kind`.
    ///
    /// # Errors
    /// The controller's sentence about a secret that holds no usable key.
    ///
    /// Source: fluxcd/image-automation-controller:internal/source/signing.go.
    pub fn of_secret<'a>(
        (name, kind): (&str, &str),
        value: impl Fn(&str) -> Option<&'a SecretString>,
        timeout: Duration,
    ) -> Result<Self, GitError> {
        let patience = timeout.min(PATIENCE);
        let label = Self::name_of_secret(name);
        let refused = |message: String| refused(&label, message, "");
        let given = |key| value(key).filter(|value| !value.expose_secret().is_empty());
        let missing = |key: &str, article: &str| {
            refused(format!("signing key secret '{name}' does not contain {article} '{key}' key"))
        };
        match kind {
            "" | "gpg" => {
                let key = given("git.asc").ok_or_else(|| missing("git.asc", "a"))?;
                let passphrase = given("passphrase").cloned().unwrap_or_default();
                let signer = Self {
                    home: Some(private_folder(&label)?),
                    program: "gpg".to_owned(),
                    way: Way::OwnGpg(passphrase),
                    label,
                    unlocked: Unlocked::default(),
                    patience,
                };
                signer.import(name, key)?;
                Ok(signer)
            }
            "ssh" => {
                let key = given("identity").ok_or_else(|| missing("identity", "an"))?;
                let home = private_folder(&label)?;
                let file = home.path().join("identity");
                // A key without its last line end is none to ssh-keygen.
                let text = format!("{}\n", key.expose_secret().trim_end());
                write_private(&file, text.as_bytes(), 0o600).map_err(|error| refused(error.to_string()))?;
                let way = match given("password") {
                    None => SshKey::File(file),
                    Some(password) => SshKey::Locked(file, password.clone()),
                };
                let (program, unlocked) = ("ssh-keygen".to_owned(), Unlocked::default());
                Ok(Self { label, program, way: Way::Ssh(way), home: Some(home), unlocked, patience })
            }
            other => Err(refused(format!("unknown signing key type {other:?}"))),
        }
    }

    /// The same, which also uses keys that a person unlocks.
    #[must_use]
    pub fn with_unlocked(mut self, unlocked: &Unlocked) -> Self {
        self.unlocked = unlocked.clone();
        self
    }

    /// How the operator's key is called, and which it is, as git's configuration has it: `the operator's ssh key
    /// ~/.ssh/id_ed25519.pub`; `None`: git signs no commits here.
    pub fn name_of_operator(config: &GitConfig) -> Option<String> {
        let (_, label) = format_and_label(config)?;
        Some(match config.get("user.signingkey") {
            Some(key) => format!("{label} {}", name_of_key(&key)),
            None => label,
        })
    }

    /// How the key in a secret is called.
    pub fn name_of_secret(name: &str) -> String {
        format!("secret {name}")
    }

    /// How the key is called.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The signature of a commit's bytes, in its armour.
    ///
    /// # Errors
    /// [`GitError::Sign`] with the program's own words and what helps.
    pub(super) fn sign(&self, payload: &[u8]) -> Result<String, GitError> {
        let signature = match &self.way {
            Way::Ssh(key) => self.sign_with_ssh(key, payload)?,
            Way::Gpg(key) => {
                let mut command = self.command();
                if self.is_gpg() {
                    // An agent that has the passphrase gives it; nobody is asked for one.
                    command.args(["--batch", "--no-tty", "--pinentry-mode=error"]);
                }
                command.args(["--status-fd=2", "-bsau", key]);
                self.signed(self.run(command, payload)?)?
            }
            Way::OwnGpg(passphrase) => self.sign_with_own_gpg(passphrase, payload)?,
        };
        String::from_utf8(signature).map_err(|_error| self.refused("the signature is no text".to_owned(), ""))
    }

    fn is_gpg(&self) -> bool {
        Path::new(&self.program).file_name().is_some_and(|name| name == "gpg" || name == "gpg2")
    }

    /// With the operator's agent first; what a person unlocked is in our own.
    fn sign_with_ssh(&self, key: &SshKey, payload: &[u8]) -> Result<Vec<u8>, GitError> {
        let signed = self.sign_with_agent(key, payload, None);
        match (signed, self.unlocked.socket()) {
            (Err(error), Some(socket)) if Self::is_locked(&error) => {
                self.sign_with_agent(key, payload, Some(&socket))
            }
            (signed, _) => signed,
        }
    }

    fn sign_with_agent(
        &self,
        key: &SshKey,
        payload: &[u8],
        agent: Option<&Path>,
    ) -> Result<Vec<u8>, GitError> {
        let folder = private_folder(&self.label)?;
        let file = |name: &str, bytes: &[u8], mode| {
            let path = folder.path().join(name);
            write_private(&path, bytes, mode).map(|()| path)
        };
        let odd = |error: io::Error| self.refused(error.to_string(), "");
        let mut command = self.command();
        // It asks on the terminal else, whatever its streams are.
        command.env("SSH_ASKPASS_REQUIRE", "force").env("SSH_ASKPASS", "/bin/false");
        command.envs(agent.map(|socket| ("SSH_AUTH_SOCK", socket)));
        let key_file = match key {
            SshKey::File(path) => path.clone(),
            SshKey::Public(text) => file("key.pub", text.as_bytes(), 0o600).map_err(odd)?,
            SshKey::Locked(path, passphrase) => {
                command.env("SSH_ASKPASS", file("answer", ANSWER.as_bytes(), 0o700).map_err(odd)?);
                command.env(PASSPHRASE, passphrase.expose_secret());
                path.clone()
            }
        };
        let buffer = file("commit", payload, 0o600).map_err(odd)?;
        command.args(["-Y", "sign", "-n", "git", "-f"]).arg(key_file);
        if matches!(key, SshKey::Public(_)) {
            command.arg("-U");
        }
        command.arg(&buffer);
        let said = self.run(command, &[])?;
        if !said.success {
            return Err(self.failed(&said));
        }
        fs::read(buffer.with_extension("sig")).map_err(odd)
    }

    /// The passphrase goes in by standard input, so the commit has to lie in a file.
    fn sign_with_own_gpg(&self, passphrase: &SecretString, payload: &[u8]) -> Result<Vec<u8>, GitError> {
        let folder = private_folder(&self.label)?;
        let buffer = folder.path().join("commit");
        write_private(&buffer, payload, 0o600).map_err(|error| self.refused(error.to_string(), ""))?;
        let mut command = self.command();
        command.args(["--batch", "--no-tty", "--pinentry-mode=loopback", "--passphrase-fd=0"]);
        command.args(["--status-fd=2", "-bsa", "-o", "-"]).arg(buffer);
        let said = self.run(command, format!("{}\n", passphrase.expose_secret()).as_bytes())?;
        self.signed(said)
    }

    /// Takes an automation's key into a folder of its own.
    fn import(&self, name: &str, key: &SecretString) -> Result<(), GitError> {
        let mut command = self.command();
        command.args(["--batch", "--no-tty", "--import"]);
        let said = self.run(command, key.expose_secret().as_bytes())?;
        if !said.success {
            let message = format!("could not read signing key from secret '{name}': {}", said.err.trim());
            return Err(self.refused(message, ""));
        }
        let mut command = self.command();
        command.args(["--batch", "--no-tty", "--list-secret-keys", "--with-colons"]);
        let listed = self.run(command, &[])?;
        match String::from_utf8_lossy(&listed.out).lines().filter(|line| line.starts_with("sec:")).count() {
            1 => Ok(()),
            0 => Err(self.refused(
                format!("could not read signing key from secret '{name}': it holds no private key"),
                "",
            )),
            _ => Err(self.refused(
                format!("multiple entities read from secret '{name}', could not determine which signing key to use"),
                "",
            )),
        }
    }

    fn signed(&self, said: Said) -> Result<Vec<u8>, GitError> {
        if said.success && said.err.lines().any(|line| line.starts_with(CREATED)) {
            return Ok(said.out);
        }
        Err(self.failed(&said))
    }

    /// Why there is no signature, from what the program said.
    fn failed(&self, said: &Said) -> GitError {
        let words: Vec<&str> = said
            .err
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("[GNUPG:]"))
            .collect();
        let words = words.join("; ");
        let is_locked = asks_for_a_passphrase(&words);
        let fix = match &self.way {
            Way::Gpg(_) if is_locked => {
                "Unlock it first, so that the agent has it: `:ssh unlock` in the dashboard, or `echo | gpg -s >/dev/null`."
            }
            Way::Ssh(SshKey::File(_)) if is_locked && self.home.is_none() => {
                "Unlock it first: `:ssh unlock` in the dashboard, or ssh-add, which gives it to the agent."
            }
            Way::OwnGpg(_) if is_locked => "Give the key's passphrase in the secret as `passphrase`.",
            Way::Ssh(_) if is_locked => "Give the key's passphrase in the secret as `password`.",
            _ => "",
        };
        let message = if words.is_empty() { "the program gave no signature".to_owned() } else { words };
        self.refused(message, fix)
    }

    /// Whether it says that a passphrase is missing.
    fn is_locked(error: &GitError) -> bool {
        matches!(error, GitError::Sign { message, .. } if asks_for_a_passphrase(message))
    }

    fn refused(&self, message: String, fix: &str) -> GitError {
        refused(&self.label, message, fix)
    }

    fn command(&self) -> Command {
        let mut command = child::detached(&self.program);
        if let (Way::OwnGpg(_), Some(home)) = (&self.way, &self.home) {
            command.env("GNUPGHOME", home.path());
        }
        command
    }

    /// Runs a program to its end, or ends it with all that it started when its time is over.
    fn run(&self, command: Command, input: &[u8]) -> Result<Said, GitError> {
        let missing = |why: &dyn std::fmt::Display| {
            let message = format!("could not run {}: {why}", self.program);
            self.refused(
                message,
                "Install it, or say what to use instead with gpg.program or gpg.ssh.program.",
            )
        };
        if !has_program(&self.program) {
            return Err(missing(&io::Error::from(io::ErrorKind::NotFound)));
        }
        let ended =
            child::run_within(self.patience, command, input)?.map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => self.refused(format!("{} {error}", self.program), STUCK),
                _ => missing(&error),
            })?;
        Ok(Said { success: ended.status.success(), out: ended.out, err: ended.complaints })
    }
}

impl Drop for Signer {
    /// Ends the agent that gpg left behind in a folder of ours.
    fn drop(&mut self) {
        if let (Way::OwnGpg(_), Some(home)) = (&self.way, &self.home) {
            let mut command = std::process::Command::new("gpgconf");
            without_ours(&mut command).args(["--kill", "all"]).env("GNUPGHOME", home.path());
            let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            tracing::trace!(?ended, "gpg-agent");
        }
    }
}

impl SshKey {
    /// What `user.signingKey` means: the text of a public key, or a file.
    fn of(text: &str) -> Self {
        if let Some(key) = text.strip_prefix("key::") {
            return Self::Public(key.to_owned());
        }
        if text.starts_with("ssh-") {
            return Self::Public(text.to_owned());
        }
        let home =
            text.strip_prefix("~/").and_then(|rest| Some(Path::new(&std::env::var_os("HOME")?).join(rest)));
        Self::File(home.unwrap_or_else(|| PathBuf::from(text)))
    }
}

/// Whether a program's words are those of one that could ask nobody.
fn asks_for_a_passphrase(words: &str) -> bool {
    let lower = words.to_lowercase();
    ["passphrase", "pinentry", "pin entry"].iter().any(|word| lower.contains(word))
}

/// The format of the operator's key, and how it is called; `None`: git signs no commits here.
fn format_and_label(config: &GitConfig) -> Option<(String, String)> {
    let format = config.get("gpg.format").unwrap_or_else(|| "openpgp".to_owned());
    let label = format!("the operator's {format} key");
    config.is_on("commit.gpgsign").then_some((format, label))
}

/// A file or an id as it is; of a public key that stands there whole its comment, or else its type.
fn name_of_key(key: &str) -> &str {
    let literal = key.strip_prefix("key::").unwrap_or(key);
    let mut parts = literal.split_whitespace();
    match (parts.next(), parts.next()) {
        (Some(kind), Some(_)) if key.starts_with("key::") || kind.starts_with("ssh-") => {
            parts.next().unwrap_or(kind)
        }
        _ => key,
    }
}

/// What `gpg.ssh.defaultKeyCommand` prints first.
fn default_ssh_key(config: &GitConfig, label: &str, patience: Duration) -> Result<String, GitError> {
    let missing = |message: &str| {
        refused(
            label,
            message.to_owned(),
            "Set user.signingKey to the file of the key, or gpg.ssh.defaultKeyCommand.",
        )
    };
    let command = config.get("gpg.ssh.defaultkeycommand").ok_or_else(|| missing("git is told of no key"))?;
    let mut shell = child::detached("sh");
    shell.args(["-c", &command]);
    let output = child::run_within(patience, shell, &[])?;
    let output = output.map_err(|error| missing(&format!("gpg.ssh.defaultKeyCommand {error}")))?;
    let text = String::from_utf8_lossy(&output.out);
    let first = text.lines().next().filter(|line| line.starts_with("key::") || line.starts_with("ssh-"));
    first.map(str::to_owned).ok_or_else(|| missing("gpg.ssh.defaultKeyCommand prints no key"))
}

fn private_folder(label: &str) -> Result<TempDir, GitError> {
    let made =
        tempfile::Builder::new().prefix("supercargo-").permissions(Permissions::from_mode(0o700)).tempdir();
    made.map_err(|error| refused(label, error.to_string(), ""))
}

/// A file of ours that nobody else may read.
fn write_private(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)
}

fn refused(label: &str, message: String, fix: &str) -> GitError {
    let fix = Some(fix.to_owned()).filter(|fix| !fix.is_empty());
    GitError::Sign { label: label.to_owned(), message, fix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_called_by_what_a_person_knows_it_by() {
        assert_eq!(name_of_key("~/.ssh/id_ed25519.pub"), "~/.ssh/id_ed25519.pub");
        assert_eq!(name_of_key("Rita Ops <rita@example.com>"), "Rita Ops <rita@example.com>");
        assert_eq!(name_of_key("key::ssh-ed25519 AAAAC3Nz rita@bastion"), "rita@bastion");
        assert_eq!(name_of_key("ssh-ed25519 AAAAC3Nz"), "ssh-ed25519");
        assert_eq!(name_of_key("key::ecdsa-sha2-nistp256 AAAAE2Vj"), "ecdsa-sha2-nistp256");
    }
}
