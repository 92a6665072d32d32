//! Keys that a person unlocks on the terminal before they sign. gpg's agent keeps what its pinentry was told; a key of ssh goes
//! into an agent of this program's own, which ends with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use super::{Signer, SshKey, Way, private_folder};
use crate::environment::without_ours;
use crate::git::child;

/// A stopped program would leave nobody at the terminal; and a pinentry has to be told which terminal that is.
const ON_THE_TERMINAL: &str = "trap '' TSTP; GPG_TTY=$(tty); export GPG_TTY; if [ \"$1\" = - ]; then shift; exec \"$@\" < /dev/null; fi; exec \"$@\"";

/// The agent that has the keys of ssh which were unlocked for this program.
#[derive(Debug, Clone, Default)]
pub struct Unlocked(Arc<Mutex<Option<Agent>>>);

#[derive(Debug)]
struct Agent {
    folder: TempDir,
    /// What the agent is the parent of: it ends when nobody holds its standard input any more, however we end.
    program: Child,
}

impl Unlocked {
    /// Where the agent listens, if there is one.
    pub(super) fn socket(&self) -> Option<PathBuf> {
        self.agent().as_ref().map(Agent::socket)
    }

    /// As [`Self::socket`]; starts the agent if there is none. `None`: it cannot be started.
    fn started(&self) -> Option<PathBuf> {
        let mut agent = self.agent();
        if agent.is_none() {
            *agent = Agent::start();
        }
        agent.as_ref().map(Agent::socket)
    }

    fn agent(&self) -> std::sync::MutexGuard<'_, Option<Agent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Agent {
    fn start() -> Option<Self> {
        let folder = private_folder("the agent").ok()?;
        let mut command = Command::new("ssh-agent");
        without_ours(&mut command).arg("-a").arg(folder.path().join("agent")).arg("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(Self { program: command.spawn().ok()?, folder })
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("agent")
    }
}

impl Drop for Agent {
    /// The agent looks every few seconds whether its program is still there; until then it has no keys.
    fn drop(&mut self) {
        let mut command = Command::new("ssh-add");
        without_ours(&mut command).args(["-q", "-D"]).env("SSH_AUTH_SOCK", self.socket());
        let emptied = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        drop(self.program.stdin.take());
        let ended = self.program.wait();
        tracing::debug!(?emptied, ?ended, "the agent of keys that were unlocked by hand");
    }
}

impl Signer {
    /// What a person runs on the terminal to unlock the key; `None` for one that signs already, and for one that no
    /// passphrase of theirs would help.
    pub fn unlocking(&self) -> Option<Command> {
        let (line, agent) = match &self.way {
            Way::Ssh(SshKey::File(path)) if self.home.is_none() => {
                let key = private_half(path);
                if !self.is_encrypted(&key) || self.sign(b"\n").is_ok() {
                    return None;
                }
                (vec!["ssh-add".into(), "-q".into(), key.into_os_string()], Some(self.unlocked.started()?))
            }
            Way::Gpg(key)
                if self.is_gpg() && self.sign(b"\n").is_err_and(|error| Self::is_locked(&error)) =>
            {
                let line = ["-", &self.program, "--quiet", "-bsau", key, "-o", "/dev/null", "--yes"];
                (line.map(Into::into).to_vec(), None)
            }
            _ => return None,
        };
        let mut command = Command::new("sh");
        without_ours(&mut command).args(["-c", ON_THE_TERMINAL, "sh"]).args(line);
        // Here is a person and a terminal: no program asks instead.
        command.env("SSH_ASKPASS_REQUIRE", "never").stdout(Stdio::null());
        command.envs(agent.map(|socket| ("SSH_AUTH_SOCK", socket)));
        Some(command)
    }

    /// Whether a file is a private key that no empty passphrase opens.
    fn is_encrypted(&self, key: &Path) -> bool {
        let mut command = child::detached("ssh-keygen");
        command.args(["-y", "-P", "", "-f"]).arg(key);
        let read = self.run(command, &[]);
        read.is_ok_and(|said| !said.success && said.err.to_lowercase().contains("passphrase"))
    }
}

/// The file of the private key, where the file of the public one is named.
fn private_half(path: &Path) -> PathBuf {
    let is_public = path.extension().is_some_and(|extension| extension == "pub");
    if is_public { path.with_extension("") } else { path.to_owned() }
}
