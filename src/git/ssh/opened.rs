//! Connections that a person has opened by answering `ssh` on the terminal: a passphrase, a password, a PIN, a host key.
//!
//! Whatever was asked, the answer is a connection that stands; everything after goes through it and asks nothing. It ends with the
//! program, or when nobody used it for a while.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tempfile::TempDir;

use super::program::{SshProgram, Variant, destination, option, path_value};
use crate::environment::without_ours;
use crate::git::Remote;
use crate::git::url::{GitUrl, Scheme, SshPlace};

/// How long a connection stands that nobody uses, should the program end without taking leave.
const LIFE: &str = "10m";
/// A stopped `ssh` would leave nobody at the terminal.
const UNSTOPPED: &str = "trap '' TSTP; exec \"$@\"";

/// The connections of this program.
#[derive(Clone, Default)]
pub struct Opened(Arc<Inner>);

#[derive(Default)]
struct Inner {
    folder: OnceLock<Option<TempDir>>,
    doors: Mutex<Vec<(SshProgram, SshPlace)>>,
}

impl Opened {
    /// What a person runs on the terminal to open the way to a remote: it ends as soon as the connection stands. `None` for a
    /// remote that is not reached by OpenSSH.
    pub fn command(&self, remote: &Remote) -> Option<Command> {
        let url = GitUrl::parse(&remote.url).ok().filter(|url| url.scheme == Scheme::Ssh)?;
        let place = url.ssh_place().ok().filter(|_| remote.ssh.variant() == Variant::OpenSsh)?;
        let path = self.path(&remote.ssh, &place)?;
        let mut arguments: Vec<OsString> = ["-M", "-N", "-f"].map(OsString::from).to_vec();
        arguments.extend(option("ControlPath", path_value(&path)));
        arguments.extend(option("ControlPersist", LIFE));
        arguments.extend(option("ConnectTimeout", remote.timeouts.connect.as_secs().max(1).to_string()));
        arguments.extend(destination(&place, None));
        let mut command = Command::new("sh");
        without_ours(&mut command).args(["-c", UNSTOPPED, "ssh"]).args(remote.ssh.line(arguments));
        // Here is a person and a terminal: no program asks instead.
        command.env("SSH_ASKPASS_REQUIRE", "never").stdout(Stdio::null());
        Some(command)
    }

    /// The options that lead through a connection that stands; none if there is none.
    pub(super) fn options(&self, program: &SshProgram, place: &SshPlace) -> Vec<OsString> {
        let known = self.doors().iter().position(|door| *door == (program.clone(), place.clone()));
        let path = known.and_then(|index| self.file(index)).filter(|path| path.exists());
        let through = |path: PathBuf| {
            [option("ControlPath", path_value(&path)), option("ControlMaster", "no")].concat()
        };
        path.map(through).unwrap_or_default()
    }

    /// Where the connection to a place has its socket.
    fn path(&self, program: &SshProgram, place: &SshPlace) -> Option<PathBuf> {
        let door = (program.clone(), place.clone());
        let mut doors = self.doors();
        let index = doors.iter().position(|known| *known == door).unwrap_or(doors.len());
        if index == doors.len() {
            doors.push(door);
        }
        drop(doors);
        self.file(index)
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        let make = || tempfile::Builder::new().prefix("sc-").tempdir().ok();
        self.0.folder.get_or_init(make).as_ref().map(|folder| folder.path().join(index.to_string()))
    }

    fn doors(&self) -> std::sync::MutexGuard<'_, Vec<(SshProgram, SshPlace)>> {
        self.0.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    /// Takes leave: whoever opened the way did it for this program.
    fn drop(&mut self) {
        let doors = std::mem::take(self.doors.get_mut().unwrap_or_else(PoisonError::into_inner));
        let Some(Some(folder)) = self.folder.take() else { return };
        for (index, (program, place)) in doors.iter().enumerate() {
            let path = folder.path().join(index.to_string());
            if !path.exists() {
                continue;
            }
            let mut arguments: Vec<OsString> = ["-O", "exit"].map(OsString::from).to_vec();
            arguments.extend(option("ControlPath", path_value(&path)));
            arguments.extend(destination(place, None));
            let line = program.line(arguments);
            let mut command = Command::new(line.first().cloned().unwrap_or_default());
            without_ours(&mut command)
                .args(line.iter().skip(1))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let ended = command.status();
            tracing::debug!(?ended, "a connection that was opened by hand is closed");
        }
    }
}
