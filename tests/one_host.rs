//! A credential from the command line is for one host: what asks several is refused before anybody is asked.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Output;
use std::sync::{Arc, Mutex};

use assert_cmd::Command;
use supercargo::source::objects::URL_ANNOTATION;

fn object(kind: &str, name: &str, spec: &str) -> String {
    let group = if kind == "GitRepository" { "source" } else { "image" };
    format!(
        "---\napiVersion: {group}.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: apps}}\nspec: {spec}\n"
    )
}

/// Two repositories, their policies and two automations, each at a host of its own that nobody answers for.
fn objects() -> String {
    let each = |name: &str| {
        let source =
            format!("{{interval: 1m, url: 'https://{name}.git.invalid/fleet', ref: {{branch: main}}}}");
        let automation = format!(
            "{{interval: 1m, sourceRef: {{kind: GitRepository, name: {name}}}, git: {{commit: {{author: {{email: f@example.com}}}}}}}}"
        );
        [
            object("ImageRepository", name, &format!("{{image: {name}.invalid/o/web, interval: 1m}}")),
            object(
                "ImagePolicy",
                name,
                &format!("{{imageRepositoryRef: {{name: {name}}}, policy: {{semver: {{range: '*'}}}}}}"),
            ),
            object("GitRepository", name, &source),
            object("ImageUpdateAutomation", name, &automation),
        ]
        .concat()
    };
    [each("a"), each("b")].concat()
}

fn run(which: &str, args: &[&str]) -> Output {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("objects.yaml"), objects()).unwrap();
    let mut command = Command::cargo_bin("supercargo").unwrap();
    command.current_dir(root.path()).env_clear().env("HOME", root.path().join("home"));
    command
        .env(format!("SUPERCARGO_{which}_USERNAME"), "rita")
        .env(format!("SUPERCARGO_{which}_PASSWORD"), "hunter2");
    command.args(["--source", "files", "-C", "."]).args(args).output().unwrap()
}

fn refused(which: &str, flag: &str, hosts: &str, args: &[&str]) {
    let output = run(which, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert!(said.contains(flag) && said.contains(hosts), "{args:?}: {said}");
}

#[test]
fn every_command_that_asks_several_registries_refuses_a_credential_for_one() {
    for args in [
        &["scan", "repository", "--all"][..],
        &["get", "updates"],
        &["get", "policies", "-A"],
        &["plan", "--all"],
        &["diff", "updates"],
        &["lint"],
        &["check"],
    ] {
        refused("REGISTRY", "--registry-username", "a.invalid, b.invalid", args);
    }
}

#[test]
fn every_command_that_asks_several_remotes_refuses_a_credential_for_one() {
    for args in [&["get", "updates"][..], &["plan", "--all"], &["get", "automations", "-A"], &["check"]] {
        refused("GIT", "--git-username", "a.git.invalid, b.git.invalid", args);
    }
}

#[test]
fn nobody_is_asked_with_what_is_known_already() {
    let output = run("REGISTRY", &["get", "policies", "-A", "--refresh", "never"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_address_for_a_source_that_is_not_there_is_refused_with_the_nearest_name() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("objects.yaml"), objects()).unwrap();
    let run = |name: &str| {
        let mut command = Command::cargo_bin("supercargo").unwrap();
        command.current_dir(root.path()).env_clear().env("HOME", root.path().join("home"));
        let url = format!("--git-url={name}=https://git.invalid/fleet");
        let output = command.args(["-C", ".", "get", "updates", "--refresh=never", &url]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, said) = run("apps/aa");
    assert_eq!(exit, Some(2), "{said}");
    assert!(said.contains("there is no GitRepository of this name"), "{said}");
    assert!(said.contains("Did you mean apps/a?"), "{said}");
    assert!(!run("apps/a").1.contains("no GitRepository"), "one that is there is taken");
}

/// Answers every request that it has to log in, and keeps what it was asked.
fn stranger() -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, heard) = (listener.local_addr().unwrap().to_string(), Arc::new(Mutex::new(String::new())));
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..length]).to_lowercase());
            let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n\
                          Content-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, heard)
}

#[test]
fn a_login_that_was_made_for_one_address_is_not_shown_to_another_that_a_file_names() {
    let shown = |made_for: &str| {
        let (address, heard) = stranger();
        // The secrets are not among the files that are read.
        let (root, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let source =
            format!("{{interval: 1m, url: 'http://{address}/evil.git', secretRef: {{name: fleet}}}}");
        let automation = "{interval: 1m, sourceRef: {kind: GitRepository, name: fleet}, \
                          git: {checkout: {ref: {branch: main}}, commit: {author: {email: f@example.com}}}}";
        let objects =
            [object("GitRepository", "fleet", &source), object("ImageUpdateAutomation", "fleet", automation)];
        fs::write(root.path().join("objects.yaml"), objects.concat()).unwrap();
        let secrets = home.path().join(".local/state/supercargo/secrets/apps");
        fs::create_dir_all(&secrets).unwrap();
        let made_for = made_for.replace("@ADDRESS@", &address);
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: fleet\n  namespace: apps\n  \
             annotations: {{{URL_ANNOTATION}: '{made_for}'}}\nstringData: {{username: robot, password: hunter2}}\n"
        );
        fs::write(secrets.join("fleet.yaml"), secret).unwrap();
        let mut command = Command::cargo_bin("supercargo").unwrap();
        command.current_dir(root.path()).env_clear().env("HOME", home.path());
        let output = command.args(["--source", "files", "-C", ".", "get", "updates", "--refresh", "always"]);
        let said = String::from_utf8(output.output().unwrap().stderr).unwrap();
        let heard = heard.lock().unwrap().clone();
        assert!(heard.contains("/evil.git"), "it was asked: {heard} {said}");
        assert_eq!(said.contains("is not shown to"), !heard.contains("authorization:"), "{said}");
        heard.contains("authorization:")
    };
    assert!(shown("http://@ADDRESS@/fleet.git"), "another repository of the host it was made for");
    assert!(!shown("http://git.example.com/fleet.git"));
    assert!(!shown("http://git.example.com/evil.git"));
    assert!(!shown("https://@ADDRESS@/evil.git"), "nor in the open what was made for an encrypted way");
}
