//! Are Git remotes reached by the ways that operators have? With the system's `ssh` and a real OpenSSH server; over HTTPS with git's
//! own configuration, helpers and proxies.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

#[path = "support/git.rs"]
mod git;
#[path = "support/proxies.rs"]
mod proxies;
#[path = "support/sshd.rs"]
mod sshd;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use git::{Bare, Door, GitServer, PASSWORD, WRITER};
use proxies::Proxy;
use sshd::{PASSPHRASE, SshServer};
use supercargo::domain::commit::CommitSpec;
use supercargo::domain::object::Person;
use supercargo::git::{
    BareCache, GitCredential, GitError, KnownHosts, Login, PushReport, RefUpdate, Remote, SshKey, SshLogin,
    SshProgram, ls_remote,
};
use supercargo::problem::Code;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const FILES: &[(&str, &str)] = &[("apps/web.yaml", "image: web:1\n"), ("README.md", "# fleet\n")];

fn login(label: &str, login: SshLogin) -> GitCredential {
    GitCredential { label: label.to_owned(), login: Some(Login::Ssh(login)), ..GitCredential::default() }
}

/// What a Secret with this key holds.
fn secret(server: &SshServer, key: &str, passphrase: Option<&str>) -> GitCredential {
    let mut data: BTreeMap<String, _> = BTreeMap::new();
    data.insert("identity".to_owned(), server.pem(key).into());
    data.insert("known_hosts".to_owned(), server.known_hosts().into());
    data.extend(passphrase.map(|text| ("password".to_owned(), text.to_owned().into())));
    login(&format!("secret ops/{key}"), SshLogin::from_secret(&data).unwrap())
}

fn remote(server: &SshServer, credentials: Vec<GitCredential>) -> Remote {
    let mut remote = Remote::new(server.repository("fleet"));
    remote.credentials = credentials;
    remote.timeouts.idle = Duration::from_secs(20);
    remote
}

/// The operator's ssh with this configuration, and nothing of the machine's.
fn operators_ssh(server: &SshServer, configuration: &str) -> SshProgram {
    let path = server.write("ssh_config", configuration);
    SshProgram::new(Some(format!("ssh -F {}", path.display())), None, None)
}

/// Fetches, commits one changed file on `main` and pushes it.
fn land(dir: &Path, remote: &Remote) -> Result<PushReport, GitError> {
    let cache = BareCache::open(dir, &remote.url)?;
    let fetched = cache.fetch(remote, |refs| {
        refs.all.keys().filter(|name| name.starts_with("refs/heads/")).cloned().collect()
    })?;
    let parent = fetched.refs.branch("main").unwrap().to_owned();
    let author = Person { name: "bot".to_owned(), email: "bot@example.com".to_owned() };
    let files = vec![("apps/web.yaml".to_owned(), b"image: web:2\n".to_vec().into())];
    let (committer, message, time) = (author.clone(), "Update web\n".to_owned(), (1_763_805_600, 60));
    let commit = cache.commit(&CommitSpec {
        parent: Some(parent.clone()),
        author,
        committer,
        time,
        message,
        files,
    })?;
    cache.push(remote, &[RefUpdate::of_branch("main", Some(parent), commit)], &[])
}

#[test]
fn a_commit_lands_with_the_key_of_a_secret_encrypted_or_not() {
    let Some(server) = SshServer::start() else { return };
    for (key, passphrase) in [("writer", None), ("locked", Some(PASSPHRASE))] {
        let dir = tempfile::tempdir().unwrap();
        let fleet = Bare::create(&server.folder("fleet"), FILES);
        let report = land(dir.path(), &remote(&server, vec![secret(&server, key, passphrase)])).unwrap();
        assert_eq!(report.credential, format!("secret ops/{key}"));
        assert!(report.branches[0].verified);
        assert_eq!(fleet.tip("main").as_deref(), Some(report.branches[0].commit.as_str()));
        fleet.assert_sound();
        fs::remove_dir_all(&fleet.path).unwrap();
    }
}

#[test]
fn a_key_that_may_only_read_is_named_with_the_servers_words() {
    let Some(server) = SshServer::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let fleet = Bare::create(&server.folder("fleet"), FILES);
    let before = fleet.tip("main");
    let problem =
        land(dir.path(), &remote(&server, vec![secret(&server, "reader", None)])).unwrap_err().problem("x");
    assert_eq!(problem.code, Code::GitAuthDenied);
    assert!(problem.message.ends_with("refused secret ops/reader (may not write)"), "{problem:?}");
    assert!(problem.causes[0].contains("marked as read only"), "{problem:?}");
    assert!(problem.hint.unwrap().contains("write access"));
    assert_eq!(fleet.tip("main"), before);
}

#[test]
fn a_refused_key_is_named_and_the_next_login_is_tried() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    let file = SshLogin {
        key: SshKey::File(server.key("writer")),
        known_hosts: Some(KnownHosts::File(server.write("known", &server.known_hosts()))),
    };
    let both = vec![secret(&server, "stranger", None), login("flags", file)];
    assert_eq!(ls_remote(&remote(&server, both)).unwrap().1, "flags");
    let locked = secret(&server, "locked", Some("guessed"));
    let error = ls_remote(&remote(&server, vec![secret(&server, "stranger", None), locked])).unwrap_err();
    assert_eq!(error.code(), Code::GitAuthDenied);
    let said = "refused secret ops/stranger (key refused), secret ops/locked (cannot be used)";
    assert!(error.to_string().ends_with(said), "{error}");
    assert!(!format!("{error:?}").contains("guessed"));
}

#[test]
fn the_file_of_a_locked_key_is_not_said_to_be_refused() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    let of = |key: &str| SshLogin {
        key: SshKey::File(server.key(key)),
        known_hosts: Some(KnownHosts::File(server.write("known", &server.known_hosts()))),
    };
    let told =
        |key: &str| ls_remote(&remote(&server, vec![login("flags", of(key))])).unwrap_err().problem("x");
    let locked = told("locked");
    assert_eq!(locked.code, Code::GitAuthDenied);
    assert!(locked.message.starts_with("could not log in to ssh://"), "{locked:?}");
    assert!(locked.message.ends_with(": the key of `--git-ssh-key` (cannot be used)"), "{locked:?}");
    assert!(locked.causes[0].ends_with("locked has a passphrase, and no agent has the key"), "{locked:?}");
    assert!(told("stranger").message.ends_with("(key refused)"));
}

#[test]
fn a_secret_rules_alone_over_keys() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    let mut remote = remote(&server, vec![secret(&server, "stranger", None)]);
    let configuration = format!("IdentityFile {}\n", server.key("writer").display());
    remote.ssh = operators_ssh(&server, &configuration);
    assert_eq!(ls_remote(&remote).unwrap_err().code(), Code::GitAuthDenied);
}

#[test]
fn an_unknown_host_key_and_a_changed_one_end_it_there() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    for (known, is_changed) in [(String::new(), false), (server.known_hosts_with("stranger"), true)] {
        let key = SshKey::Text { pem: server.pem("writer").into(), passphrase: None };
        let known_hosts = Some(KnownHosts::Text(known));
        let first = login("secret ops/fleet", SshLogin { key, known_hosts });
        let error = ls_remote(&remote(&server, vec![first, secret(&server, "writer", None)])).unwrap_err();
        assert!(matches!(&error, GitError::HostKey { changed, .. } if *changed == is_changed), "{error:?}");
        let problem = error.problem("x");
        assert_eq!(problem.code, Code::GitHostKey);
        assert!(problem.hint.unwrap().contains("known_hosts of secret ops/fleet"));
    }
    assert!(!server.log().contains("Accepted publickey"), "{}", server.log());
}

#[test]
fn the_operators_ssh_goes_by_its_configuration_and_over_jump_hosts() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    let known = server.write("known", &server.known_hosts());
    let configuration = format!(
        "Host *\n  UserKnownHostsFile {known}\n  GlobalKnownHostsFile none\n  IdentitiesOnly yes\n\
         Host jump\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  IdentityFile {jumper}\n\
         Host fleet-host\n  HostName 127.0.0.1\n  Port {port}\n  ProxyJump jump\n  IdentityFile {writer}\n",
        known = known.display(),
        port = server.port,
        user = server.user,
        jumper = server.key("jumper").display(),
        writer = server.key("writer").display(),
    );
    for credential in [None, Some(secret(&server, "writer", None))] {
        let label =
            credential.as_ref().map_or("system ssh", |credential| credential.label.as_str()).to_owned();
        let mut remote = Remote::new(format!("{}@fleet-host:fleet.git", server.user));
        remote.credentials = credential.into_iter().collect();
        remote.ssh = operators_ssh(&server, &configuration);
        let before = server.log().matches("Accepted publickey").count();
        assert_eq!(ls_remote(&remote).unwrap().1, label);
        assert_eq!(server.log().matches("Accepted publickey").count() - before, 2, "{}", server.log());
    }
}

#[test]
fn a_way_that_was_opened_by_hand_serves_until_the_program_ends() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    let mut remote = remote(&server, Vec::new());
    let configuration = format!(
        "UserKnownHostsFile {}\nGlobalKnownHostsFile none\nIdentitiesOnly yes\nIdentityFile {}\n",
        server.write("known", &server.known_hosts()).display(),
        server.key("writer").display()
    );
    remote.ssh = operators_ssh(&server, &configuration);
    let logins = || server.log().matches("Accepted publickey").count();
    let beside = Remote { url: server.repository("beside"), ..remote.clone() };
    let all = [remote.clone(), beside.clone()];
    let mut ways = remote.opened.commands(&all);
    assert_eq!(ways.len(), 1, "both repositories are behind one door");
    assert!(ways[0].1.status().unwrap().success());
    assert!(remote.opened.commands(&all).is_empty(), "nobody is asked for a way that is open");
    // From now on nobody would be let in anew.
    server.write("ssh_config", &format!("{configuration}PubkeyAuthentication no\n"));
    for _ in 0..2 {
        assert_eq!(ls_remote(&remote).unwrap().1, "system ssh");
    }
    assert_eq!(logins(), 1, "{}", server.log());
    assert_eq!(ls_remote(&beside).unwrap_err().code(), Code::GitNotFound, "let in by the same door");
    let fresh = Remote { opened: supercargo::git::Opened::default(), ..remote.clone() };
    drop((remote, beside, all));
    assert_eq!(ls_remote(&fresh).unwrap_err().code(), Code::GitAuthDenied);
    let until = Instant::now() + Duration::from_secs(10);
    while !server.log().contains("Disconnected from user") && !server.log().contains("disconnected by user") {
        assert!(Instant::now() < until, "{}", server.log());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_repository_that_is_not_there_is_not_found() {
    let Some(server) = SshServer::start() else { return };
    let error = ls_remote(&remote(&server, vec![secret(&server, "writer", None)])).unwrap_err();
    assert_eq!(error.code(), Code::GitNotFound, "{error:?}");
}

#[test]
fn a_server_that_never_speaks_is_given_up_and_its_ssh_ended() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut remote = Remote::new(format!("ssh://git@{}/fleet.git", silent.local_addr().unwrap()));
    remote.timeouts.idle = Duration::from_millis(300);
    let started = Instant::now();
    let error = ls_remote(&remote).unwrap_err();
    assert_eq!(error.code(), Code::Timeout, "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn cancelling_ends_ssh_and_whatever_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let line = format!("sleep 60 & echo $! $$ > {}; wait; true", pids.display());
    let mut remote = Remote::new("ssh://git@h.example/fleet.git");
    remote.ssh = SshProgram::new(Some(line), None, Some("ssh"));
    let cancel = remote.cancel.clone();
    let work = thread::spawn(move || ls_remote(&remote));
    let until = Instant::now() + Duration::from_secs(10);
    let read = || fs::read_to_string(&pids).unwrap_or_default();
    while !read().ends_with('\n') && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    cancel.cancel();
    assert_eq!(work.join().unwrap().unwrap_err(), GitError::Cancelled);
    let is_running = |pid: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.contains("State:") && !status.contains("State:\tZ")
    };
    let text = read();
    assert_eq!(text.split_whitespace().count(), 2);
    while text.split_whitespace().any(is_running) {
        assert!(Instant::now() < until, "still running: {text}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A desk with a home of its own, where the program is run on an automation and its `GitRepository` `ops/fleet`.
struct Desk {
    dir: tempfile::TempDir,
}

/// What the program said.
struct Said {
    report: serde_json::Value,
    all: String,
}

impl Said {
    /// The message of one check.
    fn check(&self, name: &str) -> String {
        let checks = self.report["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {:#}", self.report))["message"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Desk {
    /// `fields` are further ones of the `GitRepository`; `secret` is the content of its Secret `ops/key`.
    fn new(url: &str, fields: &str, secret: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["files", "home", "tmp"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let object = |kind: &str, group: &str, name: &str, spec: &str| {
            format!(
                "apiVersion: {group}\nkind: {kind}\nmetadata: {{name: {name}, namespace: ops}}\nspec: {spec}\n---\n"
            )
        };
        let repository = format!("{{url: '{url}', interval: 1m{fields}}}");
        let automation = "{interval: 1m, sourceRef: {kind: GitRepository, name: fleet}, git: {checkout: {ref: {branch: main}}, \
                          commit: {author: {name: bot, email: bot@example.com}}}, update: {strategy: Setters}}";
        let text = [
            object("GitRepository", "source.toolkit.fluxcd.io/v1", "fleet", &repository),
            object("ImageUpdateAutomation", "image.toolkit.fluxcd.io/v1", "apps", automation),
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: key, namespace: ops}}\nstringData: {secret}\n"
            ),
        ];
        fs::write(dir.path().join("files/objects.yaml"), text.concat()).unwrap();
        Self { dir }
    }

    /// Writes a file of the home; returns its path.
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join("home").join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn check(&self) -> Said {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command
            .args(["check", "-o", "json", "--log-level", "trace", "-C"])
            .arg(self.dir.path().join("files"));
        command
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.dir.path().join("home"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").current_dir(self.dir.path().join("home"));
        let ran = command.env("TMPDIR", self.dir.path().join("tmp")).output().unwrap();
        let all = String::from_utf8_lossy(&[ran.stdout.clone(), ran.stderr].concat()).into_owned();
        assert!(!all.contains(git::PASSWORD) && !all.contains(PASSPHRASE), "{all}");
        Said { report: serde_json::from_slice(&ran.stdout).unwrap(), all }
    }
}

/// Makes a secret of ours for `url`, with these flags more; what was said.
fn create_secret(desk: &Desk, url: &str, flags: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_supercargo"));
    command.args(["create", "secret", "git", "made", "-n", "ops", "--url", url]).args(flags);
    command.env_clear().env("PATH", std::env::var("PATH").unwrap());
    let home = desk.dir.path().join("home");
    let ran = command.env("HOME", &home).current_dir(&home).output().unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    said
}

#[test]
fn a_secret_made_with_a_key_of_ours_and_the_hosts_own_keys_leads_to_the_server() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    let url = server.repository("fleet");
    let key = server.key("writer");
    let desk = Desk::new(&url, "", "{unused: x}");
    // The host shows its keys itself.
    let said = create_secret(&desk, &url, &["--private-key-file", key.to_str().unwrap()]);
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let public: Vec<&str> = public.split_whitespace().take(2).collect();
    assert!(said.contains(&format!("✚ deploy key: {}", public.join(" "))), "{said}");
    assert!(said.contains("► host key: ssh-ed25519 SHA256:"), "{said}");
    let answer = format!("{url} answers, credential: secret ops/made");
    assert_eq!(desk.check().check("remote/ops/fleet"), answer);
    // A new key opens nothing before somebody registers it.
    let known = server.write("known", &server.known_hosts());
    let known = ["--git-known-hosts", known.to_str().unwrap()];
    let said = create_secret(&desk, &url, &[&known[..], &["--ssh-key-algorithm", "ed25519"]].concat());
    assert!(said.contains("✚ deploy key: ssh-ed25519 "), "{said}");
    let checked = desk.check();
    assert!(!checked.check("remote/ops/fleet").contains(" answers"), "{}", checked.all);
}

#[test]
fn a_secret_of_the_files_serves_the_program_and_leaves_nothing_behind() {
    let Some(server) = SshServer::start() else { return };
    Bare::create(&server.folder("fleet"), FILES);
    let url = server.repository("fleet");
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let (key, known) = (server.pem("locked"), server.known_hosts());
    let secret = format!(
        "{{identity: {}, known_hosts: {}, password: {}}}",
        quoted(&key),
        quoted(&known),
        quoted(PASSPHRASE)
    );
    let desk = Desk::new(&url, ", secretRef: {name: key}", &secret);
    let said = desk.check();
    assert!(said.check("ssh").starts_with("OpenSSH"), "{:#}", said.report);
    let answer = format!("{url} answers, credential: secret ops/key");
    assert_eq!(said.check("remote/ops/fleet"), answer, "{}", said.all);
    assert!(!said.all.contains(key.lines().nth(1).unwrap()), "{}", said.all);
    assert_eq!(fs::read_dir(desk.dir.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn helpers_are_asked_once_the_server_asks_and_told_how_it_went() {
    let Some(server) = GitServer::start_with(Door::Plain) else { return };
    let _fleet = server.create("fleet", FILES);
    let _public = server.create("public", FILES);
    for (name, password, heard, outcome) in [
        ("public", PASSWORD, "", "answers, credential: anonymous"),
        ("fleet", PASSWORD, "get\nstore\n", "answers, credential: git credential helper"),
        ("fleet", "wrong-word", "get\nerase\n", "refused anonymous (401), git credential helper (401)"),
    ] {
        let desk = Desk::new(&server.repository(name), "", "{}");
        let log = desk.write("heard", "");
        let script = format!(
            "#!/bin/sh\ncat > /dev/null; echo \"$1\" >> {log}\n[ \"$1\" = get ] && printf 'username={WRITER}\\npassword={password}\\n'\n"
        );
        let script = desk.write("helper", &script);
        desk.write(".gitconfig", &format!("[credential]\n\thelper = \"!sh {script}\"\n"));
        let said = desk.check();
        assert!(said.check("remote/ops/fleet").contains(outcome), "{}", said.all);
        assert_eq!(fs::read_to_string(log).unwrap(), heard, "{}", said.all);
        assert!(!said.all.contains("wrong-word"), "{}", said.all);
    }
}

#[test]
fn a_helper_keeps_a_login_that_another_host_refused_without_having_seen_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, other) = runtime.block_on(async { (MockServer::start().await, MockServer::start().await) });
    let target = format!("{}/fleet.git/info/refs?service=git-upload-pack", other.uri());
    let moved = ResponseTemplate::new(301).insert_header("location", target.as_str());
    runtime.block_on(Mock::given(any()).respond_with(moved).mount(&server));
    runtime.block_on(Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&other));
    let desk = Desk::new(&format!("{}/fleet.git", server.uri()), "", "{}");
    let log = desk.write("heard", "");
    let script = format!(
        "cat > /dev/null; echo \"$1\" >> {log}\n[ \"$1\" = get ] && printf 'username=a\\npassword=b\\n'\n"
    );
    let script = desk.write("helper", &script);
    desk.write(".gitconfig", &format!("[credential]\n\thelper = \"!sh {script}\"\n"));
    let said = desk.check();
    assert!(said.all.contains(&other.uri()), "{}", said.all);
    let seen = runtime.block_on(other.received_requests()).unwrap();
    assert!(seen.iter().all(|request| !request.headers.contains_key("authorization")), "{seen:?}");
    assert_eq!(fs::read_to_string(log).unwrap(), "get\n", "neither stored nor erased: {}", said.all);
}

#[test]
fn netrc_serves_where_nothing_was_given() {
    let Some(server) = GitServer::start_with(Door::Plain) else { return };
    let _fleet = server.create("fleet", FILES);
    let desk = Desk::new(&server.repository("fleet"), "", "{}");
    desk.write(".netrc", &format!("machine 127.0.0.1 login {WRITER} password {PASSWORD}\n"));
    let said = desk.check();
    assert!(said.check("remote/ops/fleet").ends_with("credential: netrc"), "{}", said.all);
}

#[test]
fn a_client_certificate_comes_from_the_secret_or_from_gits_configuration() {
    let Some(server) = GitServer::start_with(Door::Clients) else { return };
    let _fleet = server.create("fleet", FILES);
    let text = |name: &str| serde_json::to_string(&fs::read_to_string(server.file(name)).unwrap()).unwrap();
    let login = format!("username: {WRITER}, password: {PASSWORD}");
    let certificates = format!(
        "ca.crt: {}, tls.crt: {}, tls.key: {}",
        text("ca.crt"),
        text("client.crt"),
        text("client.key")
    );
    let path = |name: &str| server.file(name).to_str().unwrap().to_owned();
    let configuration = format!(
        "[http \"{}\"]\n\tsslCAInfo = {}\n\tsslCert = {}\n\tsslKey = {}\n",
        server.url,
        path("ca.crt"),
        path("client.crt"),
        path("client.key")
    );
    for (secret, configuration) in [
        (format!("{{{login}, {certificates}}}"), String::new()),
        (format!("{{{login}}}"), configuration.clone()),
    ] {
        let desk = Desk::new(&server.repository("fleet"), ", secretRef: {name: key}", &secret);
        desk.write(".gitconfig", &configuration);
        let said = desk.check();
        assert!(said.check("remote/ops/fleet").ends_with("credential: secret ops/key"), "{}", said.all);
    }
    let desk = Desk::new(&server.repository("fleet"), ", secretRef: {name: key}", &format!("{{{login}}}"));
    let said = desk.check();
    assert!(said.check("remote/ops/fleet").contains("not trusted"), "{}", said.all);
    let trusting = format!("[http]\n\tsslCAInfo = {}\n", path("ca.crt"));
    desk.write(".gitconfig", &trusting);
    let said = desk.check();
    assert!(said.check("remote/ops/fleet").contains("wants a client certificate"), "{}", said.all);
    assert!(said.all.contains("http.sslCert") && !said.all.contains("HTTP 400"), "{}", said.all);
    // A fault of our own certificate is not the server's.
    desk.write(".gitconfig", &configuration.replace("client.key", "ca.key"));
    let said = desk.check();
    let told = said.check("remote/ops/fleet");
    assert!(told.contains("client.crt holds a certificate and a key that are no pair"), "{}", said.all);
    assert!(said.all.contains("http.sslKey") && !told.contains("not trusted"), "{}", said.all);
}

#[test]
fn a_proxy_comes_from_the_secret_or_from_gits_configuration() {
    let Some(server) = GitServer::start_with(Door::Plain) else { return };
    let Some(proxy) = Proxy::http() else { return };
    let _public = server.create("public", FILES);
    let address = proxy.address.replace("://", &format!("://{}:{}@", proxies::USER, proxies::PASSWORD));
    let secret = format!(
        "{{address: '{}', username: {}, password: {}}}",
        proxy.address,
        proxies::USER,
        proxies::PASSWORD
    );
    for (fields, configuration) in
        [(", proxySecretRef: {name: key}", String::new()), ("", format!("[http]\n\tproxy = {address}\n"))]
    {
        let desk = Desk::new(&server.repository("public"), fields, &secret);
        desk.write(".gitconfig", &configuration);
        let before = proxy.log().matches("Connect (file descriptor").count();
        let said = desk.check();
        assert!(said.check("remote/ops/fleet").ends_with("credential: anonymous"), "{}", said.all);
        assert!(proxy.log().matches("Connect (file descriptor").count() > before, "{}", proxy.log());
        assert!(!said.all.contains(proxies::PASSWORD), "{}", said.all);
    }
}
