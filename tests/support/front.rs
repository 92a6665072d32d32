//! Debian's nginx before a registry, for what a registry does not do itself: limits, certificates of every kind.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![allow(unreachable_pub, missing_docs, reason = "included as a module; names say what they do")]

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::registry::{DockerRegistry, free_port};

#[allow(clippy::duplicate_mod, reason = "the registry's module has it too")]
#[path = "programs.rs"]
mod programs;

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    Expired,
    OtherName,
}

/// How the front is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Plain HTTP, and one request in four seconds beside the first four.
    Limited,
    /// TLS.
    Tls(Flaw),
    /// TLS for clients with a certificate alone.
    Clients,
}

/// A front; ends with its owner.
pub struct Front {
    process: Child,
    folder: tempfile::TempDir,
    pub host: String,
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Front {
    /// Starts one; `None`, said loudly, where it is not wanted or a program is not installed.
    pub fn start(registry: &DockerRegistry, door: Door) -> Option<Self> {
        if !programs::are_wanted(&["nginx", "openssl"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("tmp")).unwrap();
        let port = free_port();
        let (tls, lines) = match door {
            Door::Limited => ("", "limit_req zone=all burst=3 nodelay; limit_req_status 429;".to_owned()),
            Door::Tls(flaw) => ("ssl", certificate(root, "server", flaw)),
            Door::Clients => {
                certificate(root, "client", Flaw::None);
                let trusted =
                    format!("ssl_verify_client on; ssl_client_certificate {}/client.crt;", root.display());
                ("ssl", format!("{} {trusted}", certificate(root, "server", Flaw::None)))
            }
        };
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let configuration = format!(
            "daemon off; master_process off; {user} pid {dir}/pid; error_log {dir}/log;
             events {{ worker_connections 64; }}
             http {{
               access_log off; limit_req_zone $binary_remote_addr zone=all:32k rate=15r/m;
               client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/tmp; fastcgi_temp_path {dir}/tmp;
               uwsgi_temp_path {dir}/tmp; scgi_temp_path {dir}/tmp;
               server {{
                 listen 127.0.0.1:{port} {tls}; {lines}
                 location / {{ proxy_pass http://{behind}; proxy_set_header Host $http_host; }}
               }}
             }}",
            user = if is_root { "user root;" } else { "" },
            dir = root.display(),
            behind = registry.host,
        );
        fs::write(root.join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new(programs::find("nginx").unwrap());
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(root);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nginx starts");
        let mut front = Self { process, host: format!("127.0.0.1:{port}"), folder };
        front.wait();
        Some(front)
    }

    fn wait(&mut self) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(&self.host).is_err() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let runs = self.process.try_wait().unwrap().is_none();
            assert!(runs && Instant::now() < until, "the front did not come up: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A certificate in PEM: `server.crt`, `client.crt`, or the key to it.
    pub fn pem(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// Makes a key and a certificate that vouches for itself alone; returns the lines that name both.
fn certificate(folder: &Path, name: &str, flaw: Flaw) -> String {
    let path = |end: &str| folder.join(format!("{name}.{end}"));
    let host = if flaw == Flaw::OtherName { "DNS:other.example.com" } else { "IP:127.0.0.1" };
    let run = |command: &mut Command| assert!(command.output().unwrap().status.success(), "{command:?}");
    let mut request = Command::new("openssl");
    request.args([
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=front",
    ]);
    request.args([
        "-addext",
        &format!("subjectAltName={host}"),
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    run(request.arg("-keyout").arg(path("key")).arg("-out").arg(path("csr")));
    let mut sign = Command::new("openssl");
    sign.args([
        "x509",
        "-req",
        "-copy_extensions",
        "copy",
        "-days",
        if flaw == Flaw::Expired { "-1" } else { "2" },
    ]);
    run(sign.arg("-in").arg(path("csr")).arg("-signkey").arg(path("key")).arg("-out").arg(path("crt")));
    format!("ssl_certificate {}; ssl_certificate_key {};", path("crt").display(), path("key").display())
}
