//! Completion as shells ask for it: a real bash with the script, and flux's way of asking a plugin.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const OBJECTS: &str = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\n\
    metadata: {name: podinfo, namespace: flux-system}\nspec: {interval: 1m, image: ghcr.io/acme/podinfo}\n---\n\
    apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: podinfo, namespace: flux-system}\n\
    spec: {imageRepositoryRef: {name: podinfo}, policy: {semver: {range: 6.x}}}\n---\n\
    apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: web, namespace: shop}\n\
    spec: {imageRepositoryRef: {name: podinfo}, policy: {semver: {range: 6.x}}}\n---\n\
    apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: \"a\\nb\\e[31m\", namespace: shop}\n\
    spec: {imageRepositoryRef: {name: podinfo}, policy: {semver: {range: 6.x}}}\n";
const CONTEXTS: &str = "apiVersion: v1\nkind: Config\ncurrent-context: prod-eu\nclusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}]\n\
    users: [{name: u, user: {}}]\ncontexts:\n- {name: prod-eu, context: {cluster: c, user: u}}\n\
    - {name: prod-us, context: {cluster: c, user: u}}\n";

/// A folder with objects, a kubeconfig whose cluster is not there, and the program under both of its names.
fn fleet() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("objects.yaml"), OBJECTS).unwrap();
    std::fs::write(folder.path().join("kubeconfig"), CONTEXTS).unwrap();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    for name in ["supercargo", "flux-supercargo"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_supercargo"), program(folder.path(), name)).unwrap();
    }
    folder
}

fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join("bin").join(name)
}

fn run(folder: &Path, mut command: Command) -> Output {
    let path = std::env::var("PATH").unwrap();
    command.env_clear().current_dir(folder).env("HOME", folder.join("home"));
    command.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    command.env("KUBECONFIG", folder.join("kubeconfig"));
    command.output().unwrap()
}

fn asked(folder: &Path, name: &str, words: &[&str]) -> Vec<String> {
    let mut command = Command::new(program(folder, name));
    command.arg("__complete").args(words);
    let ran = run(folder, command);
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn names_of_objects_are_told_as_flux_asks_its_plugins() {
    let fleet = fleet();
    let told = |words: &[&str]| asked(fleet.path(), "flux-supercargo", words);
    assert_eq!(
        told(&["get", "policies", ""]),
        ["podinfo", "shop/web", ":4"],
        "and none that would be two lines"
    );
    assert_eq!(told(&["get", "policies", "-n", "shop", ""]), ["web", ":4"]);
    assert_eq!(told(&["get", "policies", "flux-system/"]), ["flux-system/podinfo", ":4"]);
    assert_eq!(told(&["get", "-n", "s"]), ["shop", ":4"]);
    assert_eq!(told(&["--context", "prod-"]), ["prod-eu", "prod-us", ":4"]);
    assert_eq!(told(&["get", "repositor"]), ["repositories\tImage repositories and their last scan", ":4"]);
    assert_eq!(told(&["lint", ""]), [":0"], "files");
    assert_eq!(told(&["get", "policies", "-C", "nowhere", ""]), [":4"]);
    assert_eq!(told(&[]).last().unwrap(), ":4");
}

#[test]
fn nobody_waits_for_a_candidate() {
    let fleet = fleet();
    let best = (0..5).map(|_| {
        let begun = Instant::now();
        asked(fleet.path(), "supercargo", &["plan", ""]);
        begun.elapsed()
    });
    // A tenth of a second is what a person waits without noticing; a build for tests on a busy machine gets some more.
    assert!(best.min().unwrap() < Duration::from_millis(500));
}

#[test]
fn bash_offers_commands_names_and_values() {
    let fleet = fleet();
    let offers = |typed: &[&str]| -> String {
        let words = typed.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let script = format!(
            "source <(supercargo completion bash); COMP_WORDS=(supercargo {words}); COMP_CWORD={}; \
             $(complete -p supercargo | sed 's/.*-F \\([^ ]*\\).*/\\1/') supercargo; echo \"${{COMPREPLY[*]}}\"",
            typed.len()
        );
        let mut command = Command::new("bash");
        command.args(["--norc", "-c", &script]);
        let ran = run(fleet.path(), command);
        assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(offers(&["ge"]), "get");
    assert_eq!(offers(&["explain", "tag", "p"]), "podinfo");
    assert_eq!(offers(&["hold", ""]), "podinfo shop/web");
    assert_eq!(offers(&["--context", "prod-e"]), "prod-eu");
    // bash takes a word apart at `=`.
    assert_eq!(offers(&["get", "--output", "=", "js"]), "json");
    assert_eq!(offers(&["get", "--context", "="]), "prod-eu prod-us");
}
