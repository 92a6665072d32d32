//! One login tried: `ssh` is started with what the login brings.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use tempfile::TempDir;

use super::program::{Variant, destination, option, path_value, remote_command};
use super::{Ssh, agent, way, words};
use crate::git::child;
use crate::git::credential::{KnownHosts, SshKey, SshLogin};
use crate::git::error::GitError;
use crate::git::pipe::Pipe;
use crate::git::session::{Service, Session};

/// The user that a login with a key of its own means where the address names none.
///
/// Source: fluxcd/pkg:git/options.go (`DefaultPublicKeyAuthUser`).
const FLUX_USER: &str = "git";

/// Starts `ssh` for a login; what it answers is read by the caller.
///
/// # Errors
/// It cannot be started, or the key of the login cannot be used.
pub(super) fn start(
    ssh: &Ssh,
    session: &Arc<Session>,
    (label, login): (&str, &SshLogin),
    service: Service,
) -> Result<Pipe, GitError> {
    let user = (!matches!(login.key, SshKey::System)).then_some(FLUX_USER);
    let folder = private_folder(login).map_err(|error| failed(session, &error))?;
    let mut arguments = options(ssh, session, login, folder.as_ref(), user)?;
    arguments.extend(destination(&ssh.place, user));
    arguments.push(remote_command(service.word(), &ssh.place.path).into());
    let line = ssh.program.line(arguments);
    let case = words::Case { url: session.shown.clone(), credential: label.to_owned(), service };
    let judge = Box::new(move |status: ExitStatus, words: &str| words::judge(&case, status, words));
    let mut command = match &login.key {
        SshKey::Text { .. } => agent::around(folder.as_ref(), &line),
        _ => child::detached_line(&line),
    };
    // Whatever asks nevertheless, such as the ssh to a jump host, is answered by nobody.
    command.env("SSH_ASKPASS", "false").env("SSH_ASKPASS_REQUIRE", "force");
    let mut pipe =
        Pipe::start(session, command, judge)?.map_err(|error| way::not_run(ssh, session, &error))?;
    if let SshKey::Text { pem, passphrase } = &login.key {
        let key = agent::Key { label, pem, passphrase: passphrase.as_ref() };
        agent::add(session, folder.as_ref(), &key)?;
        pipe.write_all(agent::GO_ON).map_err(|error| session.explain(&error))?;
    }
    pipe.keep(folder);
    Ok(pipe)
}

/// The options of OpenSSH for a login; none for a program that takes none.
fn options(
    ssh: &Ssh,
    session: &Session,
    login: &SshLogin,
    folder: Option<&TempDir>,
    user: Option<&str>,
) -> Result<Vec<OsString>, GitError> {
    let rules_alone = !matches!(login.key, SshKey::System);
    let way = if rules_alone || ssh.program.variant() == Variant::Unknown {
        way::options(ssh, session, user, login.known_hosts.is_none())?
    } else {
        Some(Vec::new())
    };
    let way = way.filter(|_| ssh.program.variant() != Variant::Simple);
    let Some(way) = way else { return simple(ssh, session, login) };
    let seconds = session.remote.timeouts.connect.as_secs().max(1);
    let mut options: Vec<OsString> = option("BatchMode", "yes").to_vec();
    options.extend(option("ConnectTimeout", seconds.to_string()));
    match &login.known_hosts {
        Some(KnownHosts::File(path)) => options.extend(trusting(path)),
        Some(KnownHosts::Text(_)) => {
            options.extend(folder.into_iter().flat_map(|folder| trusting(&known_hosts_of(folder.path()))));
        }
        None => {}
    }
    if rules_alone {
        options.extend(["-F".into(), "none".into()]);
        options.extend(option("PreferredAuthentications", "publickey"));
        options.extend(way);
    }
    if !rules_alone {
        options.extend(ssh.opened.options(&ssh.program, &ssh.place));
    }
    options.extend(key_options(&login.key, folder));
    Ok(options)
}

fn key_options(key: &SshKey, folder: Option<&TempDir>) -> Vec<OsString> {
    match key {
        SshKey::System => Vec::new(),
        SshKey::File(path) => {
            let only = option("IdentitiesOnly", "yes").into_iter();
            only.chain(["-i".into(), path.into()]).collect()
        }
        SshKey::Text { .. } => {
            let agent = path_value(&agent::socket(folder));
            [option("IdentityFile", "none"), option("IdentityAgent", agent)].concat()
        }
    }
}

/// A program that takes no options can be told neither a key nor a port.
fn simple(ssh: &Ssh, session: &Session, login: &SshLogin) -> Result<Vec<OsString>, GitError> {
    let is_plain = matches!(login.key, SshKey::System) && login.known_hosts.is_none();
    if is_plain && ssh.place.port.is_none() {
        return Ok(Vec::new());
    }
    let message = format!(
        "{} takes no options of OpenSSH, and is to be told a port, a key or known hosts",
        ssh.program.shown()
    );
    Err(GitError::Unsupported { url: session.shown.clone(), message })
}

/// Only the keys in this file are trusted, and none is added.
fn trusting(path: &Path) -> Vec<OsString> {
    [
        option("StrictHostKeyChecking", "yes"),
        option("UserKnownHostsFile", path_value(path)),
        option("GlobalKnownHostsFile", "none"),
        option("UpdateHostKeys", "no"),
    ]
    .concat()
}

/// A folder of the process's own for what the login brings as text; `None` if it brings none. It goes with the program.
fn private_folder(login: &SshLogin) -> io::Result<Option<TempDir>> {
    let known_hosts = match &login.known_hosts {
        Some(KnownHosts::Text(text)) => Some(text),
        _ => None,
    };
    if known_hosts.is_none() && !matches!(login.key, SshKey::Text { .. }) {
        return Ok(None);
    }
    let folder = tempfile::Builder::new().prefix("sc-").tempdir()?;
    if let Some(text) = known_hosts {
        let path = known_hosts_of(folder.path());
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
    }
    Ok(Some(folder))
}

fn known_hosts_of(folder: &Path) -> PathBuf {
    folder.join("known_hosts")
}

fn failed(session: &Session, error: &io::Error) -> GitError {
    let message = format!("could not make a private folder for ssh: {error}");
    GitError::Unreachable { url: session.shown.clone(), message }
}
