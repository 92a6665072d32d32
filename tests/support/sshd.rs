//! A real OpenSSH server with keys that may write, only read, or only lead on to another host.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[allow(clippy::duplicate_mod, reason = "some test files use both kinds of server")]
#[path = "programs.rs"]
mod programs;

/// What a login may do: git's own commands on the repositories here; with `ro` only reading, as a forge's deploy key.
const FORCED: &str = r#"#!/bin/sh
cd "@REPOS@" || exit 1
verb=${SSH_ORIGINAL_COMMAND%% *}
repo=${SSH_ORIGINAL_COMMAND#* }
repo=${repo#\'}; repo=${repo%\'}; repo=${repo#/}
case $verb in
git-receive-pack)
	[ "$1" = ro ] && { echo "ERROR: The key you are authenticating with has been marked as read only." >&2; exit 1; } ;;
git-upload-pack) ;;
*) echo "Only git is served here." >&2; exit 1 ;;
esac
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
exec git "${verb#git-}" "./$repo"
"#;

const CONFIGURATION: &str = "
ListenAddress 127.0.0.1
Port @PORT@
HostKey @DIR@/host_key
PidFile none
AuthorizedKeysFile @DIR@/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
AllowTcpForwarding yes
";

/// What the encrypted key is encrypted with.
pub const PASSPHRASE: &str = "open, sesame";

/// The server, on a free port of 127.0.0.1; ends with its owner.
pub struct SshServer {
    dir: tempfile::TempDir,
    process: Child,
    /// Its port.
    pub port: u16,
    /// Who logs in.
    pub user: String,
}

impl SshServer {
    /// Starts the server; `None`, said loudly, where it is not wanted or the machine lacks a program for it.
    pub fn start() -> Option<Self> {
        if !programs::are_wanted(&["git", "sshd", "ssh", "ssh-keygen", "ssh-agent", "ssh-add"]) {
            return None;
        }
        let dir = tempfile::Builder::new().prefix("ss").tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("repos")).unwrap();
        let forced = root.join("forced");
        fs::write(&forced, FORCED.replace("@REPOS@", root.join("repos").to_str().unwrap())).unwrap();
        run(root, "chmod", &["755", "forced"]);
        for (name, passphrase) in [
            ("host_key", ""),
            ("writer", ""),
            ("reader", ""),
            ("jumper", ""),
            ("stranger", ""),
            ("locked", PASSPHRASE),
        ] {
            run(root, "ssh-keygen", &["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", name]);
        }
        fs::write(root.join("authorized_keys"), authorized_keys(root)).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let configuration =
            CONFIGURATION.replace("@DIR@", root.to_str().unwrap()).replace("@PORT@", &port.to_string());
        fs::write(root.join("sshd_config"), configuration).unwrap();
        let user = run(root, "id", &["-un"]);
        if user == "root" {
            // Debian's sshd wants it for privilege separation.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let log = fs::File::create(root.join("sshd.log")).unwrap();
        let mut command = Command::new(programs::find("sshd").unwrap());
        command.args(["-D", "-e", "-f"]).arg(root.join("sshd_config")).process_group(0);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut server = Self { dir, process, port, user };
        server.wait_until_up();
        Some(server)
    }

    fn wait_until_up(&mut self) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let has_ended = self.process.try_wait().unwrap().is_some();
            assert!(!has_ended && Instant::now() < until, "sshd did not come up: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where a repository of this name has to lie.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join("repos").join(format!("{name}.git"))
    }

    /// The address of a repository.
    pub fn repository(&self, name: &str) -> String {
        format!("ssh://{}@127.0.0.1:{}/{name}.git", self.user, self.port)
    }

    /// The private key of this name: `writer`, `reader`, `jumper`, `stranger`, or `locked`, which writes and is encrypted.
    pub fn key(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The text of a private key.
    pub fn pem(&self, name: &str) -> String {
        fs::read_to_string(self.key(name)).unwrap()
    }

    /// `known_hosts` with the server's key.
    pub fn known_hosts(&self) -> String {
        self.known_hosts_with("host_key")
    }

    /// `known_hosts` in which the server has the key of this name.
    pub fn known_hosts_with(&self, key: &str) -> String {
        let public = fs::read_to_string(self.key(key).with_extension("pub")).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }

    /// Writes a file beside the server's own; returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// What the server said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("sshd.log")).unwrap_or_default()
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

fn authorized_keys(root: &Path) -> String {
    let forced = |mode: &str| format!("restrict,command=\"{}/forced {mode}\"", root.display());
    let rights = [
        ("writer", forced("rw")),
        ("locked", forced("rw")),
        ("reader", forced("ro")),
        ("jumper", "restrict,port-forwarding,command=\"false\"".to_owned()),
    ];
    let line = |(name, right): (&str, String)| {
        format!("{right} {}", fs::read_to_string(root.join(name).with_extension("pub")).unwrap())
    };
    rights.map(line).concat()
}

fn run(dir: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).current_dir(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
