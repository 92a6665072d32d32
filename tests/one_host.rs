//! A credential from the command line is for one host: what asks several is refused before anybody is asked.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::process::Output;

use assert_cmd::Command;

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
