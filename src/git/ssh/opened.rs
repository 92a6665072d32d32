//! Connections that a person has opened by answering `ssh` on the terminal: a passphrase, a password, a PIN, a host key.
//!
//! Whatever was asked, the answer is a connection that stands; everything after goes through it and asks nothing. It ends with the
//! program, or when nobody used it for a while.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
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
    doors: Mutex<Vec<Door>>,
}

/// What a connection leads to: user, host and port, by a program. All repositories there are behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Door {
    program: SshProgram,
    /// Without a path.
    place: SshPlace,
}

impl Door {
    fn of(program: &SshProgram, place: &SshPlace) -> Self {
        Self { program: program.clone(), place: SshPlace { path: String::new(), ..place.clone() } }
    }

    /// The door to a remote; `None` for one that is not reached by OpenSSH.
    fn to(remote: &Remote) -> Option<Self> {
        let url = GitUrl::parse(&remote.url).ok().filter(|url| url.scheme == Scheme::Ssh)?;
        let place = url.ssh_place().ok().filter(|_| remote.ssh.variant() == Variant::OpenSsh)?;
        Some(Self::of(&remote.ssh, &place))
    }

    /// Has the connection behind the socket `path` do something, such as `check` or `exit`; whether it did.
    fn control(&self, path: &Path, what: &str) -> bool {
        let mut arguments: Vec<OsString> = ["-O", what].map(OsString::from).to_vec();
        arguments.extend(option("ControlPath", path_value(path)));
        arguments.extend(destination(&self.place, None));
        let line = self.program.line(arguments);
        let mut command = Command::new(line.first().cloned().unwrap_or_default());
        without_ours(&mut command).args(line.iter().skip(1));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

impl Opened {
    /// What a person runs on the terminal to open the ways to remotes, one for each account at a host, with the address of the
    /// first remote behind it: each ends as soon as its connection stands. Nothing for remotes that are not reached by
    /// OpenSSH, nor for those that are open.
    pub fn commands(&self, remotes: &[Remote]) -> Vec<(String, Command)> {
        let mut doors: Vec<Door> = Vec::new();
        let mut commands = Vec::new();
        for remote in remotes {
            let Some(door) = Door::to(remote).filter(|door| !doors.contains(door)) else { continue };
            commands.extend(self.command(remote, &door).map(|command| (remote.shown(), command)));
            doors.push(door);
        }
        commands
    }

    fn command(&self, remote: &Remote, door: &Door) -> Option<Command> {
        let path = self.path(door)?;
        if path.exists() && door.control(&path, "check") {
            return None;
        }
        let mut arguments: Vec<OsString> = ["-N", "-f"].map(OsString::from).to_vec();
        // Not `-M`: what a connection that was killed left at the path would be in its way, and it stay for nobody's use.
        arguments.extend(option("ControlMaster", "auto"));
        arguments.extend(option("ControlPath", path_value(&path)));
        arguments.extend(option("ControlPersist", LIFE));
        arguments.extend(option("ConnectTimeout", remote.timeouts.connect.as_secs().max(1).to_string()));
        arguments.extend(destination(&door.place, None));
        let mut command = Command::new("sh");
        without_ours(&mut command).args(["-c", UNSTOPPED, "ssh"]).args(remote.ssh.line(arguments));
        // Here is a person and a terminal: no program asks instead.
        command.env("SSH_ASKPASS_REQUIRE", "never").stdout(Stdio::null());
        Some(command)
    }

    /// The options that lead through a connection that stands; none if there is none.
    pub(super) fn options(&self, program: &SshProgram, place: &SshPlace) -> Vec<OsString> {
        let wanted = Door::of(program, place);
        let known = self.doors().iter().position(|door| *door == wanted);
        let path = known.and_then(|index| self.file(index)).filter(|path| path.exists());
        let through = |path: PathBuf| {
            [option("ControlPath", path_value(&path)), option("ControlMaster", "no")].concat()
        };
        path.map(through).unwrap_or_default()
    }

    /// Where the connection behind a door has its socket.
    fn path(&self, door: &Door) -> Option<PathBuf> {
        let mut doors = self.doors();
        let index = doors.iter().position(|known| known == door).unwrap_or(doors.len());
        if index == doors.len() {
            doors.push(door.clone());
        }
        drop(doors);
        self.file(index)
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        let make = || tempfile::Builder::new().prefix("sc-").tempdir().ok();
        self.0.folder.get_or_init(make).as_ref().map(|folder| folder.path().join(index.to_string()))
    }

    fn doors(&self) -> std::sync::MutexGuard<'_, Vec<Door>> {
        self.0.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    /// Takes leave: whoever opened the way did it for this program.
    fn drop(&mut self) {
        let doors = std::mem::take(self.doors.get_mut().unwrap_or_else(PoisonError::into_inner));
        let Some(Some(folder)) = self.folder.take() else { return };
        for (index, door) in doors.iter().enumerate() {
            let path = folder.path().join(index.to_string());
            if path.exists() {
                let ended = door.control(&path, "exit");
                tracing::debug!(ended, "a connection that was opened by hand is closed");
            }
        }
    }
}
