//! A key that is known as text only: it goes through a pipe into an agent of its own, and is never written to a disk.
//!
//! The agent is the parent of that one `ssh` and ends with it, whatever becomes of us.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::process::Command;

use crate::git::child;
use crate::git::error::{Attempt, GitError, Refusal};
use crate::git::network::wait;
use crate::git::session::Session;
use crate::text::{ExposeSecret, SecretString};

/// The line after which `ssh` is started.
pub(super) const GO_ON: &[u8] = b"\n";
/// A shell reads no further than to the end of the line; what follows is for `ssh`, which gets the operator's own agent back: it
/// is told of this one by an option, and the programs that lead it through a jump host have use for theirs.
const WAITS: &str = "if [ -n \"$1\" ]; then SSH_AUTH_SOCK=$1; else unset SSH_AUTH_SOCK; fi; shift; \
                     read -r go && exec \"$@\"";
/// How `ssh-add` asks for the passphrase of a key from its standard input.
///
/// Source: openssh:ssh-add.c (`add_file`).
const QUESTION: &str = "Enter passphrase for (stdin): ";

/// The key of a login.
pub(super) struct Key<'a> {
    /// The label of the login.
    pub(super) label: &'a str,
    /// The key.
    pub(super) pem: &'a SecretString,
    /// What it is encrypted with.
    pub(super) passphrase: Option<&'a SecretString>,
}

/// Where the agent listens; it has to have a folder.
pub(super) fn socket(folder: Option<&TempDir>) -> PathBuf {
    folder.map(|folder| folder.path().join("agent")).unwrap_or_default()
}

/// The agent with `line` in it, which starts when it is told to go on.
pub(super) fn around(folder: Option<&TempDir>, line: &[OsString]) -> Command {
    let mut command = child::detached("ssh-agent");
    command.arg("-a").arg(socket(folder)).args(["sh", "-c", WAITS, "ssh"]);
    command.arg(std::env::var_os("SSH_AUTH_SOCK").unwrap_or_default()).args(line);
    command
}

/// Puts the key into the agent.
///
/// # Errors
/// [`GitError::AuthDenied`] if it cannot be used: no key, or another passphrase.
pub(super) fn add(session: &Arc<Session>, folder: Option<&TempDir>, key: &Key<'_>) -> Result<(), GitError> {
    let socket = socket(folder);
    let unusable = |words: &str| GitError::AuthDenied {
        url: session.shown.clone(),
        attempts: vec![Attempt { credential: key.label.to_owned(), refusal: Refusal::Unusable }],
        server: words.to_owned(),
        writing: false,
    };
    // The socket is there a moment before anybody listens.
    let is_there = async {
        while UnixStream::connect(&socket).await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let patience = async { tokio::time::timeout(Duration::from_secs(5), is_there).await };
    if wait(session, "the agent for the key", patience)?.is_err() {
        return Err(unusable("ssh-agent did not start"));
    }
    // PEM ends in a line break, which is easily lost on the way into a secret.
    let input = SecretString::from(format!("{}\n", key.pem.expose_secret().trim_end()));
    let command = asking(&socket, key.passphrase);
    match child::run(session, command, input.expose_secret().as_bytes(), "the agent to take the key")? {
        Ok(ended) if ended.status.success() => Ok(()),
        Ok(ended) if !ended.complaints.trim().is_empty() => Err(unusable(&ended.complaints)),
        Ok(_) if key.passphrase.is_some() => Err(unusable("the passphrase is wrong")),
        Ok(_) => Err(unusable("the key has a passphrase")),
        Err(error) => Err(unusable(&format!("could not run ssh-add: {error}"))),
    }
}

/// `ssh-add`, which asks a program by its question: this one answers with the variable of that name, and to a second question,
/// which would be that the passphrase is wrong, with nothing.
fn asking(socket: &Path, passphrase: Option<&SecretString>) -> Command {
    let mut command = child::detached("ssh-add");
    command.args(["-q", "-"]).env("SSH_AUTH_SOCK", socket);
    command.env("SSH_ASKPASS", "printenv").env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", "none");
    if let Some(passphrase) = passphrase {
        command.env(QUESTION, passphrase.expose_secret());
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_starts_finds_the_operators_agent_or_none() {
        for (theirs, shown) in [("/run/own agent", "/run/own agent"), ("", "none")] {
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", WAITS, "ssh", theirs, "sh", "-c", "printf %s \"${SSH_AUTH_SOCK-none}\""]);
            shell.env("SSH_AUTH_SOCK", "/private/agent").stdin(std::process::Stdio::piped());
            shell.stdout(std::process::Stdio::piped());
            let mut child = shell.spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), GO_ON).unwrap();
            let said = child.wait_with_output().unwrap().stdout;
            assert_eq!(String::from_utf8(said).unwrap(), shown);
        }
    }
}
