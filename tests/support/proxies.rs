//! Debian's proxies as processes of their own, on the loopback, each with the login `rita` and `way-in`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "included as a module; names say what they do")]

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[allow(clippy::duplicate_mod, reason = "some test files use other servers too")]
#[path = "programs.rs"]
mod programs;

pub const USER: &str = "rita";
pub const PASSWORD: &str = "way-in";

/// A proxy; ends with its owner.
pub struct Proxy {
    process: Child,
    folder: tempfile::TempDir,
    /// Such as `socks5://127.0.0.1:1080`.
    pub address: String,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Proxy {
    /// An HTTP proxy (tinyproxy); `None`, said loudly, where it is not wanted or installed.
    pub fn http() -> Option<Self> {
        Self::start("tinyproxy", "http", |port, folder, command| {
            let log = folder.join("log");
            let text = format!(
                "Port {port}\nListen 127.0.0.1\nBasicAuth {USER} {PASSWORD}\nLogFile \"{}\"\nLogLevel Connect\n",
                log.display()
            );
            fs::write(folder.join("conf"), text).unwrap();
            command.arg("-d").arg("-c").arg(folder.join("conf"));
        })
    }

    /// A SOCKS5 proxy (microsocks); `None`, said loudly, where it is not wanted or installed.
    pub fn socks() -> Option<Self> {
        Self::start("microsocks", "socks5", |port, _, command| {
            command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-u", USER, "-P", PASSWORD]);
        })
    }

    /// A SOCKS5 proxy without a login; `None` as above.
    pub fn open_socks() -> Option<Self> {
        Self::start("microsocks", "socks5", |port, _, command| {
            command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
        })
    }

    fn start(
        program: &str,
        scheme: &str,
        configure: impl FnOnce(u16, &std::path::Path, &mut Command),
    ) -> Option<Self> {
        if !programs::are_wanted(&[program]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(programs::find(program).unwrap());
        configure(port, folder.path(), &mut command);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the proxy starts");
        let proxy = Self { process, folder, address: format!("{scheme}://127.0.0.1:{port}") };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < until, "the proxy did not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(proxy)
    }

    /// What it wrote of its connections.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}
