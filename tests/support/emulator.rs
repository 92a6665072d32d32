//! GitHub's REST API as npm's `emulate` has it, in memory and on the loopback alone. It takes unknown tokens, missing
//! branches and doubled requests, and knows no Git: what GitHub says to those is in `forge_server.rs`.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "included as a module; names say what they do")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[allow(clippy::duplicate_mod, reason = "other helpers have it too")]
#[path = "programs.rs"]
mod programs;

/// What `scripts/test` installs.
const VERSION: &str = "emulate-0.11.2";
pub const OWNER: &str = "octo";
pub const TOKEN: &str = "tok-admin";

/// It has no option for the address and would listen on all of them.
const LOOPBACK: &str = "const net = require('net'), listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...a) {
  const done = a.filter(x => typeof x === 'function');
  const o = a[0] !== null && typeof a[0] === 'object' ? a[0] : { port: a[0] };
  return listen.call(this, { ...o, host: '127.0.0.1' }, ...done);
};
";

/// One that runs; ends with its owner.
pub struct Emulator {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where `scripts/test` puts it; `None`, said loudly, where it is not.
fn installed() -> Option<PathBuf> {
    if !programs::are_wanted(&["node"]) {
        return None;
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let main = cache.join("supercargo-test").join(VERSION).join("node_modules/emulate/dist/index.js");
    let required = std::env::var("SUPERCARGO_TEST_SERVERS").is_ok_and(|wish| wish == "require");
    assert!(main.is_file() || !required, "required, but not installed: {VERSION}");
    if !main.is_file() {
        let text = format!("\nSKIPPED: {VERSION} is not installed (scripts/test installs it)\n");
        let _ = std::io::stderr().write_all(text.as_bytes());
        return None;
    }
    Some(main)
}

impl Emulator {
    /// Starts one that has this repository of [`OWNER`].
    pub fn start(repository: &str) -> Option<Self> {
        let main = installed()?;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("loopback.cjs"), LOOPBACK).unwrap();
        let seed = json!({
            "tokens": {TOKEN: {"login": OWNER, "scopes": ["repo", "user"]}},
            "github": {
                "users": [{"login": OWNER, "name": OWNER, "email": "octo@example.com"}],
                "repos": [{"owner": OWNER, "name": repository, "auto_init": true}],
            },
        });
        std::fs::write(path("seed.yaml"), seed.to_string()).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(programs::find("node").unwrap());
        command.arg("-r").arg(path("loopback.cjs")).arg(main);
        command.args(["start", "--service", "github", "--port", &port.to_string(), "--seed"]);
        command.arg(path("seed.yaml")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let mut emulator = Self { process, port, _folder: folder };
        let until = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let runs = emulator.process.try_wait().unwrap().is_none();
            assert!(runs && Instant::now() < until, "the emulator did not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(emulator)
    }

    /// `GITHUB_API_URL`.
    pub fn api(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All requests of the repository, in every state.
    pub fn pulls(&self, repository: &str) -> Vec<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let ask = format!(
            "GET /repos/{OWNER}/{repository}/pulls?state=all HTTP/1.0\r\nhost: localhost\r\n\
             authorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        // In chunks or not, the list is what stands between the outermost brackets.
        let list = body.get(body.find('[').unwrap()..=body.rfind(']').unwrap()).unwrap();
        serde_json::from_str(list).unwrap()
    }
}
