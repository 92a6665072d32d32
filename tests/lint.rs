//! `supercargo lint` as a process, on a work tree whose registry nobody asks.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;

use assert_cmd::Command;
use serde_json::{Value, json};

const OBJECTS: &str = "apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: web, namespace: apps}
spec: {image: registry.invalid/o/web, interval: 1m}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: web, namespace: apps}
spec: {imageRepositoryRef: {name: web}, policy: {semver: {range: '*'}}}
";

const MARKED: &str = "kind: Deployment
spec:
  containers:
  - image: o/web:1 # {\"$imagepolicy\": \"apps:web\"}
  - image: o/web:1 # {\"$imagepolicy\": \"apps:wbe\"}
  - image: o/web:1 # {\"$imagepolicy\": \"apps:web:TAG\"}
  - image: # {\"$imagepolicy\": \"apps:web\"}
    name: x
  - image: postgres:16
";

fn tree() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join(".git")).unwrap();
    fs::create_dir_all(root.path().join("deploy")).unwrap();
    fs::write(root.path().join("objects.yaml"), OBJECTS).unwrap();
    fs::write(root.path().join("deploy/a.yaml"), MARKED).unwrap();
    fs::write(root.path().join("deploy/broken.yaml"), "a: [ # {\"$imagepolicy\": \"apps:web\"}\n").unwrap();
    root
}

fn lint(root: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("supercargo").unwrap();
    let home = root.path().join(".git/home");
    command.current_dir(root.path()).env_clear().env("HOME", home);
    command.args(["lint", "--source", "files", "--refresh", "never"]).args(arguments);
    command
}

#[test]
fn each_marker_below_the_path_gets_a_verdict_and_problems_make_exit_1() {
    let root = tree();
    let output = lint(&root, &["deploy", "-o", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["kind"], &json["problem_count"]), (&json!("LintReport"), &json!(5)));
    let verdicts: Vec<_> =
        json["markers"].as_array().unwrap().iter().map(|marker| &marker["verdict"]).collect();
    assert_eq!(verdicts, ["no-latest", "unknown-policy", "bad-suffix", "no-scalar"]);
    let second = &json["markers"][1];
    assert_eq!(
        (&second["file"], &second["line"], &second["column"]),
        (&json!("deploy/a.yaml"), &json!(5), &json!(12))
    );
    assert_eq!(second["fix"], "{\"$imagepolicy\": \"apps:web\"}");
    assert_eq!(json["unmarked"], json!([{"file": "deploy/a.yaml", "line": 9, "image": "postgres:16"}]));
    assert_eq!(json["files"][0]["file"], "deploy/broken.yaml");
    assert_eq!(json["unused_policies"], json!([]));
}

#[test]
fn a_tree_without_markers_is_no_problem_unless_strict() {
    let root = tree();
    lint(&root, &["objects.yaml"]).assert().code(0);
    lint(&root, &["objects.yaml", "--strict"]).assert().code(1);
    lint(&root, &["nowhere"]).assert().code(2);
}
