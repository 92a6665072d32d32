//! Real bare repositories, made and looked at with git itself, cut off from the configuration of whoever runs the tests.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[allow(clippy::duplicate_mod, reason = "some test files use both kinds of server")]
#[path = "programs.rs"]
mod programs;

/// What the server's pre-receive hook does; see [`Bare::configure`].
const HOOK: &str = r#"#!/bin/sh
delay=$(git config hooks.delay) && sleep "$delay"
rc=0
while read -r old new ref; do
	if git config --get-all hooks.protected | grep -qxF "${ref#refs/heads/}"; then
		echo "error: GH006: Protected branch update failed for $ref." >&2
		echo "error: Changes must be made through a pull request." >&2
		rc=1
	fi
done
exit $rc
"#;

/// git, with nobody's configuration.
pub fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Colleague")
        .env("GIT_AUTHOR_EMAIL", "colleague@example.com")
        .env("GIT_COMMITTER_NAME", "Colleague")
        .env("GIT_COMMITTER_EMAIL", "colleague@example.com")
        .args(["-c", "safe.directory=*", "-c", "init.defaultBranch=main"]);
    command
}

/// Runs git and returns what it printed; fails the test if git fails.
pub fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = git_command(dir).args(arguments).output().expect("git is installed");
    assert_ok(&output, arguments);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn assert_ok(output: &Output, what: &[&str]) {
    assert!(output.status.success(), "git {what:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A bare repository as a forge keeps it: no rewinds, no deletions, a hook that can protect branches.
pub struct Bare {
    /// Its folder.
    pub path: PathBuf,
}

impl Bare {
    /// Makes the repository `path` with these files as the first commit of `main`.
    pub fn create(path: &Path, files: &[(&str, &str)]) -> Self {
        let bare = Self::create_empty(path);
        bare.commit("main", files, "Import");
        bare
    }

    /// Makes the repository `path` without any commit.
    pub fn create_empty(path: &Path) -> Self {
        fs::create_dir_all(path).unwrap();
        git(path, &["init", "-q", "--bare", "-b", "main", "."]);
        for (key, value) in [
            ("http.receivepack", "true"),
            ("receive.denyNonFastForwards", "true"),
            ("receive.denyDeletes", "true"),
            ("receive.advertisePushOptions", "false"),
        ] {
            git(path, &["config", key, value]);
        }
        let hook = path.join("hooks/pre-receive");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, HOOK).unwrap();
        make_executable(&hook);
        Self { path: path.to_owned() }
    }

    /// Commits past the hooks, as a colleague whose change was merged; returns the commit. A file that is said to be
    /// `-> TARGET` is a symbolic link.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)], message: &str) -> String {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path();
        git(dir, &["init", "-q", "."]);
        let from = self.path.to_str().unwrap();
        let known = git_command(dir).args(["fetch", "-q", from, branch]).output().unwrap().status.success();
        if known {
            git(dir, &["checkout", "-q", "FETCH_HEAD"]);
        }
        for (path, content) in files {
            let file = dir.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            if let Some(target) = content.strip_prefix("-> ") {
                std::os::unix::fs::symlink(target, &file).unwrap();
                continue;
            }
            fs::write(&file, content).unwrap();
            if content.starts_with("#!") {
                make_executable(&file);
            }
        }
        git(dir, &["add", "-A"]);
        git(dir, &["commit", "-q", "-m", message]);
        git(&self.path, &["fetch", "-q", dir.to_str().unwrap(), &format!("HEAD:refs/heads/{branch}")]);
        self.tip(branch).unwrap()
    }

    /// Sets what the hook obeys: `hooks.protected BRANCH`, `hooks.delay SECONDS`.
    pub fn configure(&self, key: &str, value: &str) {
        git(&self.path, &["config", "--add", key, value]);
    }

    /// The commit of a branch; `None` if there is no such branch.
    pub fn tip(&self, branch: &str) -> Option<String> {
        let name = format!("refs/heads/{branch}");
        let output = git_command(&self.path).args(["rev-parse", "-q", "--verify", &name]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    }

    /// Fails the test if anything in the repository is not as git wants it.
    pub fn assert_sound(&self) {
        git(&self.path, &["fsck", "--strict", "--full", "--no-dangling"]);
    }
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// May read and write.
pub const WRITER: &str = "robot";
/// May only read: a push is a 403.
pub const READER: &str = "reader";
/// Of both.
pub const PASSWORD: &str = "pass-word";

const NGINX: &str = r#"
daemon off; master_process off; @USER@ pid @DIR@/nginx.pid;
events { worker_connections 128; }
http {
  access_log @DIR@/access.log; client_max_body_size 0;
  client_body_temp_path @DIR@/tmp; proxy_temp_path @DIR@/tmp; fastcgi_temp_path @DIR@/tmp;
  uwsgi_temp_path @DIR@/tmp; scgi_temp_path @DIR@/tmp;
  map "$remote_user $request_uri" $may_not { default 0; "~^reader .*git-receive-pack" 1; }
  map $request_uri $realm { default "git"; "~^/public.*git-upload-pack" off; }
  server {
    listen 127.0.0.1:@PORT@ @TLS@;
    rewrite ^/old-name/(.*)$ /$1 permanent;
    location / {
      auth_basic $realm; auth_basic_user_file @DIR@/htpasswd;
      if ($may_not) { return 403; }
      fastcgi_pass unix:@DIR@/fcgi.sock;
      fastcgi_param SCRIPT_FILENAME @BACKEND@;
      fastcgi_param GIT_PROJECT_ROOT @DIR@/repos;
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_read_timeout 300s; fastcgi_request_buffering off;
    }
  }
}
"#;

/// What the server is made of; all of it comes with Debian's git, nginx-light, fcgiwrap, apache2-utils and openssl.
const NEEDED: [&str; 5] = ["git", "nginx", "fcgiwrap", "htpasswd", "openssl"];

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Plain HTTP.
    Plain,
    /// TLS.
    Tls,
    /// TLS, for clients with a certificate of the same authority.
    Clients,
}

/// Real smart HTTP: nginx with basic auth before `git http-backend`, on a free port of 127.0.0.1.
pub struct GitServer {
    dir: tempfile::TempDir,
    processes: Vec<Child>,
    /// Address of the server, without a login and a last `/`.
    pub url: String,
}

impl GitServer {
    /// Starts the server; `None`, said loudly, where it is not wanted or the machine lacks a program for it.
    pub fn start(tls: bool) -> Option<Self> {
        Self::start_with(if tls { Door::Tls } else { Door::Plain })
    }

    /// As [`Self::start`], behind this door.
    pub fn start_with(door: Door) -> Option<Self> {
        if !programs::are_wanted(&NEEDED) {
            return None;
        }
        let dir = tempfile::Builder::new().prefix("sg").tempdir().unwrap();
        let root = dir.path();
        for sub in ["repos", "tmp"] {
            fs::create_dir(root.join(sub)).unwrap();
        }
        write_users(root);
        let tls = door != Door::Plain;
        if tls {
            write_certificates(root);
        }
        let port = free_port();
        fs::write(root.join("nginx.conf"), nginx_configuration(root, port, door)).unwrap();
        let socket = format!("unix:{}", root.join("fcgi.sock").display());
        let processes = vec![
            spawn(root, "fcgiwrap", &["-f", "-c", "2", "-s", &socket]),
            spawn(root, "nginx", &["-e", "stderr", "-p", root.to_str().unwrap(), "-c", "nginx.conf"]),
        ];
        let url = format!("{}://127.0.0.1:{port}", if tls { "https" } else { "http" });
        let mut server = Self { dir, processes, url };
        server.wait_until_up(port);
        Some(server)
    }

    fn wait_until_up(&mut self, port: u16) {
        let until = Instant::now() + Duration::from_secs(20);
        let socket = self.dir.path().join("fcgi.sock");
        while TcpStream::connect(("127.0.0.1", port)).is_err() || !socket.exists() {
            let has_ended = self.processes.iter_mut().any(|process| process.try_wait().unwrap().is_some());
            let log = fs::read_to_string(self.dir.path().join("nginx.log")).unwrap_or_default();
            assert!(!has_ended && Instant::now() < until, "the Git server did not come up: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes a repository with these files on `main`. Anyone may read one whose name begins with `public`.
    pub fn create(&self, name: &str, files: &[(&str, &str)]) -> Bare {
        Bare::create(&self.folder(name), files)
    }

    /// Where a repository of this name has to lie.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join("repos").join(format!("{name}.git"))
    }

    /// Address of a repository, without a login.
    pub fn repository(&self, name: &str) -> String {
        format!("{}/{name}.git", self.url)
    }

    /// The authority's certificate of a TLS server.
    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.crt")
    }

    /// A client's certificate (`client.crt`) or key (`client.key`) of a TLS server.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The requests so far, a line each.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("access.log")).unwrap_or_default()
    }
}

impl GitServer {
    /// Ends it, as an outage would.
    pub fn stop(&mut self) {
        for mut process in self.processes.drain(..).rev() {
            // Each leads a group of its own: fcgiwrap's children go with it.
            let group = format!("-{}", process.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = process.wait();
        }
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn run(dir: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output =
        Command::new(programs::find(program).unwrap()).current_dir(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn write_users(dir: &Path) {
    let users = [WRITER, READER].map(|user| run(dir, "htpasswd", &["-nbm", user, PASSWORD]));
    fs::write(dir.join("htpasswd"), users.concat()).unwrap();
}

fn write_certificates(dir: &Path) {
    let authority = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test -keyout ca.key -out ca.crt \
                     -addext keyUsage=critical,keyCertSign,cRLSign";
    let request = "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr";
    let sign = "x509 -req -days 30 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile san -out server.crt";
    fs::write(dir.join("san"), "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
        .unwrap();
    let client = "req -newkey rsa:2048 -nodes -subj /CN=rita -keyout client.key -out client.csr";
    let sign_client = "x509 -req -days 30 -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile use -out client.crt";
    // Without an extension it would be of the first version, which TLS libraries of today do not take.
    fs::write(dir.join("use"), "extendedKeyUsage=clientAuth\n").unwrap();
    for line in [authority, request, sign, client, sign_client] {
        run(dir, "openssl", &line.split_whitespace().collect::<Vec<_>>());
    }
}

fn nginx_configuration(dir: &Path, port: u16, door: Door) -> String {
    let backend = Path::new(&git(dir, &["--exec-path"])).join("git-http-backend");
    let is_root = String::from_utf8(run(dir, "id", &["-u"])).unwrap().trim() == "0";
    let dir = dir.to_str().unwrap();
    let server = format!("ssl; ssl_certificate {dir}/server.crt; ssl_certificate_key {dir}/server.key");
    let tls = match door {
        Door::Plain => String::new(),
        Door::Tls => server,
        Door::Clients => format!("{server}; ssl_verify_client on; ssl_client_certificate {dir}/ca.crt"),
    };
    NGINX
        .replace("@TLS@", &tls)
        .replace("@PORT@", &port.to_string())
        .replace("@BACKEND@", backend.to_str().unwrap())
        .replace("@USER@", if is_root { "user root;" } else { "" })
        .replace("@DIR@", dir)
}

fn spawn(dir: &Path, program: &str, arguments: &[&str]) -> Child {
    let log = fs::File::create(dir.join(format!("{program}.log"))).unwrap();
    Command::new(programs::find(program).unwrap())
        .current_dir(dir)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("HOME", dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .process_group(0)
        .spawn()
        .unwrap()
}
