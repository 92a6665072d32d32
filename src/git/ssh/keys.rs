//! Keys for ssh: made or read by OpenSSH's own programs, and the keys that a host shows.
//!
//! Source: `fluxcd/flux2:pkg/manifestgen/sourcesecret`.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use crate::environment::without_ours;
use crate::git::url::SshPlace;
use crate::problem::{Code, Problem};
use crate::text::{ExposeSecret, SecretString};

/// How long a host may take to show its keys, in seconds.
const SCAN_SECONDS: &str = "30";

/// What kind of key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, of so many bits.
    Rsa(u32),
    /// ECDSA on the curve of so many bits: 256, 384 or 521.
    Ecdsa(u32),
    /// Ed25519.
    Ed25519,
}

/// A private key and its public one.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The private key, in PEM.
    pub private: SecretString,
    /// The public key, as a line of `authorized_keys`.
    pub public: String,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A program of OpenSSH is not there, or cannot be started.
    #[error("{program} cannot be run")]
    Program {
        /// Its name.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It did not do what it was asked for.
    #[error("{program} failed: {said}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// The first line of its complaint.
        said: String,
    },
    /// A text that is no private key, or one whose public key cannot be told.
    #[error("no private key that can be read: {0}")]
    NotAKey(String),
    /// A host that shows no key.
    #[error("SSH key scan for host {host} failed{said}")]
    NoHostKey {
        /// The host.
        host: String,
        /// What was said.
        said: String,
    },
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let code = match &error {
            KeyError::NoHostKey { .. } => Code::Unreachable,
            _ => Code::Usage,
        };
        let problem = Self::new(code, "", error.to_string());
        match &error {
            KeyError::Program { source, .. } => {
                problem.caused_by(source).hint("Install OpenSSH's client programs.")
            }
            KeyError::NoHostKey { .. } => {
                problem.hint("Give the host's keys in a file: --git-known-hosts FILE.")
            }
            _ => problem,
        }
    }
}

impl KeyPair {
    /// A new pair, without a passphrase unless one is given.
    ///
    /// # Errors
    /// OpenSSH's `ssh-keygen` is not there or fails.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        let folder = private_folder()?;
        let file = folder.path().join("identity");
        let (kind, bits) = match kind {
            KeyKind::Rsa(bits) => ("rsa", Some(bits)),
            KeyKind::Ecdsa(bits) => ("ecdsa", Some(bits)),
            KeyKind::Ed25519 => ("ed25519", None),
        };
        let mut command = program("ssh-keygen");
        command.args(["-q", "-t", kind, "-N", "", "-C", "", "-f"]).arg(&file);
        if let Some(bits) = bits {
            command.args(["-b", &bits.to_string()]);
        }
        succeed("ssh-keygen", &run("ssh-keygen", &mut command)?)?;
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|source| KeyError::Program { program: "ssh-keygen", source })
        };
        let public = read(&file.with_extension("pub"))?.trim_end().to_owned() + "\n";
        Ok(Self { private: SecretString::from(read(&file)?), public })
    }

    /// A private key that is there already, and its public one. What is locked stays so.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`]; of a locked key in an old form the public key cannot be told.
    pub fn of(private: SecretString) -> Result<Self, KeyError> {
        if let Some(public) = public_part(private.expose_secret()) {
            return Ok(Self { private, public });
        }
        let folder = private_folder()?;
        let file = folder.path().join("identity");
        let failed = |source| KeyError::Program { program: "ssh-keygen", source };
        write_private(&file, private.expose_secret()).map_err(failed)?;
        let mut command = program("ssh-keygen");
        command.args(["-y", "-P", "", "-f"]).arg(&file);
        let output = run("ssh-keygen", &mut command)?;
        if !output.status.success() {
            return Err(KeyError::NotAKey(first_line(&output)));
        }
        let public = String::from_utf8_lossy(&output.stdout).trim_end().to_owned() + "\n";
        Ok(Self { private, public })
    }
}

/// Whether a file is a private key with a passphrase, and no agent has it unlocked: `ssh`, which asks nobody, has no use for it.
pub(super) fn is_locked_away(file: &Path) -> bool {
    let keygen = |arguments: &[&str]| run("ssh-keygen", program("ssh-keygen").args(arguments).arg(file)).ok();
    let opens = keygen(&["-y", "-P", "", "-f"]);
    if !opens.is_some_and(|it| !it.status.success() && first_line(&it).to_lowercase().contains("passphrase"))
    {
        return false;
    }
    let digest = |output: &Output| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.split_whitespace().nth(1).filter(|_| output.status.success()).map(str::to_owned)
    };
    // Of a key in an old form, without its public half beside it, ssh cannot tell either which one of the agent's it is.
    let Some(digest) = keygen(&["-l", "-f"]).as_ref().and_then(digest) else { return true };
    let listed = run("ssh-add", program("ssh-add").arg("-l"));
    !listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains(&digest))
}

/// The keys that a host shows, as lines of `known_hosts`. They are what it says of itself, and proven by nobody.
///
/// # Errors
/// [`KeyError::NoHostKey`]; OpenSSH's `ssh-keyscan` is not there.
pub fn scan_host(place: &SshPlace) -> Result<String, KeyError> {
    let mut command = program("ssh-keyscan");
    command.args(["-T", SCAN_SECONDS]);
    if let Some(port) = place.port {
        command.args(["-p", &port.to_string()]);
    }
    command.args(["--", &place.host]);
    let output = run("ssh-keyscan", &mut command)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let keys: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    if keys.is_empty() {
        let said = first_line(&output);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        return Err(KeyError::NoHostKey { host: place.host.clone(), said });
    }
    Ok(keys.join("\n"))
}

/// The fingerprints of lines of `known_hosts`, as OpenSSH shows them: `ssh-ed25519 SHA256:…`.
pub fn fingerprints(known_hosts: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let mut fields = line.split_whitespace().skip_while(|field| field.starts_with('@')).skip(1);
        let (kind, key) = (fields.next()?, fields.next()?);
        let digest = Sha256::digest(STANDARD.decode(key).ok()?);
        Some(format!("{kind} SHA256:{}", STANDARD_NO_PAD.encode(digest)))
    };
    known_hosts.lines().filter_map(of_line).collect()
}

/// The public key that a private one in OpenSSH's own form carries unlocked.
///
/// Source: openssh/openssh-portable:PROTOCOL.key.
fn public_part(private: &str) -> Option<String> {
    let body = private.trim().strip_prefix("-----BEGIN OPENSSH PRIVATE KEY-----")?;
    let body = body.split("-----END").next()?;
    let packed: String = body.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(packed).ok()?;
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let (_, rest) = field(rest)?;
    let (_, rest) = field(rest)?;
    let (_, rest) = field(rest)?;
    let (public, _) = field(rest.get(4..)?)?;
    let (kind, _) = field(public)?;
    Some(format!("{} {}\n", String::from_utf8(kind.to_vec()).ok()?, STANDARD.encode(public)))
}

/// A text with its length before it, and what follows.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

fn private_folder() -> Result<tempfile::TempDir, KeyError> {
    let folder = tempfile::Builder::new().prefix("supercargo-").tempdir();
    folder.map_err(|source| KeyError::Program { program: "ssh-keygen", source })
}

fn write_private(file: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    opened.write_all(text.as_bytes())?;
    // A key without its last line end is none to ssh-keygen.
    if text.ends_with('\n') { Ok(()) } else { opened.write_all(b"\n") }
}

fn program(name: &'static str) -> Command {
    let mut command = Command::new(name);
    without_ours(&mut command).stdin(Stdio::null());
    command
}

fn run(name: &'static str, command: &mut Command) -> Result<Output, KeyError> {
    command.output().map_err(|source| KeyError::Program { program: name, source })
}

fn succeed(program: &'static str, output: &Output) -> Result<(), KeyError> {
    if output.status.success() { Ok(()) } else { Err(KeyError::Failed { program, said: first_line(output) }) }
}

/// The first line of a complaint that is no comment.
fn first_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line =
        text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    crate::text::Shown::new(line).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_made_is_read_again_with_the_same_public_key() {
        for kind in [KeyKind::Ecdsa(384), KeyKind::Ed25519] {
            let made = match KeyPair::generate(kind) {
                Ok(made) => made,
                Err(KeyError::Program { .. }) => return,
                Err(error) => panic!("{error}"),
            };
            let read = KeyPair::of(made.private.clone()).unwrap();
            assert_eq!(read.public.trim_end(), made.public.trim_end());
            assert!(made.private.expose_secret().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
            assert!(!format!("{made:?}").contains("BEGIN"));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refused = KeyPair::of(SecretString::from("hunter2".to_owned()));
        assert!(matches!(refused, Err(KeyError::NotAKey(_) | KeyError::Program { .. })));
    }

    #[test]
    fn a_host_key_has_the_fingerprint_that_openssh_shows() {
        let line =
            "[h]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        assert_eq!(fingerprints(line), ["ssh-ed25519 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"]);
    }
}
