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
    let fix = "Give it an ImageRepository, an ImagePolicy and a marker, if it is to be updated.";
    let unmarked = json!({"file": "deploy/a.yaml", "line": 9, "image": "postgres:16", "fix": fix});
    assert_eq!(json["unmarked"], json!([unmarked]));
    let broken = &json["files"][0];
    assert_eq!(broken["file"], "deploy/broken.yaml");
    assert_eq!(broken["fix"], "Correct the file there: until then Flux writes none of its markers.");
    assert_eq!(json["unused_policies"], json!([]));
    let chain = &json["broken_chains"][0];
    assert_eq!((&chain["link"], &chain["policy"]["name"]), (&json!("repository"), &json!("web")));
    assert_eq!(chain["fix"], "supercargo scan repository apps/web");
    assert_eq!(chain.as_object().unwrap().len(), 4, "{chain}");
}

#[test]
fn what_strict_alone_counts_is_told_in_a_line_without_it() {
    let root = tree();
    let told = "► --strict lists and counts 2 more: 1 unmarked image, 1 broken chain\n";
    for output in [&["deploy"][..], &["deploy", "-o", "json"]] {
        let ran = lint(&root, output).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!((ran.status.code(), said.matches(told).count()), (Some(1), 1), "{said}");
    }
    for silent in [&["deploy", "--strict"][..], &["deploy", "--quiet"]] {
        let said = String::from_utf8(lint(&root, silent).output().unwrap().stderr).unwrap();
        assert!(!said.contains("--strict"), "{said}");
    }
}

#[test]
fn a_file_of_objects_that_does_not_parse_is_a_problem() {
    let root = tree();
    fs::remove_dir_all(root.path().join("deploy")).unwrap();
    fs::write(root.path().join("p.yaml"), "# toolkit.fluxcd.io\na: [b\n").unwrap();
    fs::write(root.path().join("template.yaml"), "{{ if .x }}\na: [b\n").unwrap();
    let output = lint(&root, &["-o", "json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &json["problem_count"]), (Some(1), &json!(1)), "{json:#}");
    let fix = "Correct the file there: until then none of its objects are read.";
    let bad = json!({"file": "p.yaml", "line": 2, "column": 1, "message": "did not find expected ',' or ']'", "fix": fix});
    assert_eq!(json["files"], json!([bad]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((&json["problems"], said.contains("p.yaml")), (&json!([]), false), "it is told once: {said}");
}

#[test]
fn without_git_the_path_of_an_automation_begins_at_the_folder_of_the_source() {
    let root = tree();
    fs::rename(root.path().join(".git"), root.path().join("home")).unwrap();
    let objects = format!("{OBJECTS}---\n{AUTOMATION_OF_DEPLOY}");
    fs::write(root.path().join("objects.yaml"), objects).unwrap();
    for path in [".", "deploy"] {
        let output = lint(&root, &[path, "-C", ".", "-o", "json"]).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let first = &json["markers"][0];
        assert_eq!((&first["file"], &first["verdict"]), (&json!("deploy/a.yaml"), &json!("no-latest")));
    }
}

const AUTOMATION_OF_DEPLOY: &str = "apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: all, namespace: apps}
spec:
  interval: 1m
  sourceRef: {kind: GitRepository, name: fleet}
  git: {commit: {author: {email: f@example.com}}, push: {branch: main}}
  update: {path: ./deploy}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: apps}
spec: {interval: 1m, url: 'https://git.invalid/fleet'}
";

/// The objects of [`CLINIC`]: one automation for part of the tree, one whose source is missing.
const CLINIC_OBJECTS: &str = "apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImageRepository
metadata: {name: lonely, namespace: apps}
spec: {image: registry.invalid/o/lonely, interval: 1m}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: empty, namespace: apps}
spec: {imageRepositoryRef: {name: web}, policy: {}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: spare, namespace: apps, labels: {team: b}}
spec: {imageRepositoryRef: {name: web}, policy: {semver: {range: '*'}}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: far, namespace: shop}
spec: {imageRepositoryRef: {name: web, namespace: apps}, policy: {semver: {range: '*'}}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: lost, namespace: lost}
spec: {imageRepositoryRef: {name: gone}, policy: {semver: {range: '*'}}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: all, namespace: apps}
spec:
  interval: 1m
  sourceRef: {kind: GitRepository, name: fleet}
  policySelector:
    matchExpressions: [{key: team, operator: NotIn, values: [b]}]
  git: {commit: {author: {email: f@example.com}}}
  update: {path: ./deploy}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: lost, namespace: lost}
spec:
  interval: 1m
  sourceRef: {kind: GitRepository, name: fleets}
  git: {commit: {author: {email: f@example.com}}, push: {branch: main}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: apps}
spec: {interval: 1m, url: https://git.invalid/fleet.git, ref: {branch: main}}
";

/// Each line of the file, and the verdict and a part of the message that its marker gets.
const CLINIC: &[(&str, &str, &str)] = &[
    ("a01: o/web:1 # {\"$imagepolicy\": \"apps:web\"}", "no-latest", "not been scanned"),
    ("a02: o/web:1 # {“$imagepolicy”: “apps:web”}", "not-a-marker", "typographic"),
    ("a03: o/web:1 # {'$imagepolicy': 'apps:web'}", "not-a-marker", "single"),
    ("a04: o/web:1 # {$imagepolicy: \"apps:web\"}", "not-a-marker", "the key has no quotes"),
    ("a05: o/web:1 # {\"$imagepolicy\": \"apps:web\",}", "not-a-marker", "comma"),
    ("a06: o/web:1 # {\"$imagepolicy\": \"apps:web\"} keep", "not-a-marker", "behind it"),
    ("a07: o/web:1 # {\"$imagePolicy\": \"apps:web\"}", "not-a-marker", "small letters"),
    ("a08: o/web:1 # {\"$imagepolicy\": \"apps:web\", \"pin\": 1}", "not-a-marker", "text in quotes"),
    ("a09: o/web:1 # {\"$imagepolicy\": \"apps: web\"}", "not-a-marker", "blank"),
    ("a10: o/web:1 # # {\"$imagepolicy\": \"apps:web\"}", "not-a-marker", "second #"),
    ("a11: # {\"$imagepolicy\": \"apps:web\"}", "no-scalar", "no value"),
    ("a12: o/web:1 # {\"$imagepolicy\": \"apps:wbe\"}", "unknown-policy", "apps/wbe"),
    ("a13: o/web:1 # {\"$imagepolicy\": \"shop:far\"}", "other-namespace", "namespace"),
    ("a14: o/web:1 # {\"$imagepolicy\": \"apps:web:TAG\"}", "bad-suffix", ":tag"),
    ("a15: o/web:1 # {\"$imagepolicy\": \"apps:empty\"}", "policy-failed", "ImagePolicyChoice"),
    ("a16: o/web:1 # {\"$imagepolicy\": \"apps:spare\"}", "not-selected", "policySelector"),
    ("a17: o/web:1 # {\"$imagepolicy\": \"lost:lost\"}", "unknown-source", "lost/fleets"),
    ("a18: |\n  b: o/web:1 # {\"$imagepolicy\": \"apps:web\"}", "block-scalar", "data"),
    ("a19: o/web:1 # {\"$imagepolicies\": \"apps:web\"}", "not-a-marker", "no other key than $imagepolicy"),
    ("a20: o/web:1 # {\"$image-policy\": \"apps:web\"}", "not-a-marker", "no other key"),
    ("a21: o/web:1 # {\"imagepolicy\": \"apps:web\"}", "not-a-marker", "no other key"),
    ("a22: o/web:1 # {imagepolicy: apps:web}", "not-a-marker", "the key has no quotes"),
    ("a24: o/web:1 # {\"$ref\": \"#/definitions/io.k8s.cli.setters.apps:web\"}", "not-a-marker", "long form"),
    ("a25: &a o/web:1\na26: *a # {\"$imagepolicy\": \"apps:web\"}", "no-scalar", "alias"),
    ("a27: [o/web:1] # {\"$imagepolicy\": \"apps:web\"}", "no-scalar", "list or mapping"),
    ("a23: |\n  b: o/web:1 # {\"imagepolicy\": \"apps:web\"}", "block-scalar", "data"),
];

/// Comments of other tools, and of people.
const OTHERS: &str = "kind: Kptfile
a: o/web:1 # {\"$ref\":\"#/definitions/io.k8s.cli.setters.imagepolicy\"}
b: o/web:1 # {\"$kpt-set\": \"imagepolicy:web\"}
c: o/web:1 # {\"$openapi\":\"imagepolicy\"}
d: o/web:1 # {\"imagePullPolicy\": \"apps:web\"}
e: o/web:1 # {\"imagePolicy\": \"Always\"}
f: o/web:1 # see the imagepolicy: apps:web
";

#[test]
fn each_kind_of_broken_marker_is_named_with_its_place_reason_and_fix() {
    let root = tree();
    fs::write(root.path().join("clinic.yaml"), CLINIC_OBJECTS).unwrap();
    let lines: Vec<&str> = CLINIC.iter().map(|(line, ..)| *line).collect();
    let text = lines.join("\n") + "\n";
    fs::write(root.path().join("deploy/a.yaml"), &text).unwrap();
    fs::write(root.path().join("deploy/others.yaml"), OTHERS).unwrap();
    fs::write(root.path().join("out.yaml"), "a: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n").unwrap();
    fs::remove_file(root.path().join("deploy/broken.yaml")).unwrap();
    let output = lint(&root, &["--strict", "-o", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let markers = json["markers"].as_array().unwrap();
    assert_eq!(markers.len(), CLINIC.len() + 1, "{json:#}");
    for (marker, (line, verdict, part)) in markers.iter().zip(CLINIC) {
        assert_eq!(
            (&marker["verdict"], &marker["file"]),
            (&json!(verdict), &json!("deploy/a.yaml")),
            "{line}"
        );
        assert!(marker["message"].as_str().unwrap().contains(part), "{line}: {marker}");
        assert!(marker["fix"].is_string(), "{line}");
        if *verdict == "not-a-marker" {
            assert_eq!(marker["fix"], "{\"$imagepolicy\": \"apps:web\"}", "{line}");
        }
    }
    let (last, outside) = (&markers[CLINIC.len() - 1], &markers[CLINIC.len()]);
    assert_eq!((&last["line"], &last["column"]), (&json!(29), &json!(14)));
    assert_eq!((&outside["verdict"], &outside["file"]), (&json!("outside-path"), &json!("out.yaml")));
    let chains: Vec<_> = json["broken_chains"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chain| (&chain["policy"]["name"], &chain["link"]))
        .collect();
    let (repository, policy) = (json!("repository"), json!("policy"));
    assert_eq!(
        chains,
        [
            (&json!("empty"), &policy),
            (&json!("spare"), &repository),
            (&json!("web"), &repository),
            (&json!("lost"), &repository),
            (&json!("far"), &repository),
        ]
    );
    assert_eq!(json["unused_repositories"], json!([{"namespace": "apps", "name": "lonely"}]));
    let obsolete = &json["obsolete"][0];
    assert_eq!((&obsolete["file"], &obsolete["line"]), (&json!("clinic.yaml"), &json!(1)));
    assert_eq!((&obsolete["kind"], &obsolete["version"]), (&json!("ImageRepository"), &json!("v1beta2")));
    assert_eq!(obsolete["fix"], "apiVersion: image.toolkit.fluxcd.io/v1");
    assert_eq!(json["problem_count"], 26 + 1 + 5 + 1 + 1);
}

#[test]
fn a_lookalike_alone_is_a_problem_of_a_file_that_flux_does_not_look_into() {
    let root = tree();
    fs::write(root.path().join("deploy/a.yaml"), "a: o/web:1 # {\"imagepolicy\": \"apps:web\"}\n").unwrap();
    fs::write(root.path().join("deploy/broken.yaml"), OTHERS).unwrap();
    let output = lint(&root, &["deploy"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 2), "{text}");
    for part in
        ["deploy/a.yaml:1", "not-a-marker", "no other key", "write # {\"$imagepolicy\": \"apps:web\"}"]
    {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn the_path_of_an_automation_is_followed_through_links() {
    let root = tree();
    let objects = CLINIC_OBJECTS.replace("path: ./deploy", "path: ./clusters/prod");
    fs::write(root.path().join("clinic.yaml"), objects).unwrap();
    fs::create_dir(root.path().join("clusters")).unwrap();
    std::os::unix::fs::symlink("../deploy", root.path().join("clusters/prod")).unwrap();
    fs::write(root.path().join("out.yaml"), "a: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n").unwrap();
    let output = lint(&root, &["-o", "json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdicts: Vec<_> = json["markers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|marker| (marker["file"].as_str().unwrap(), marker["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(verdicts[0], ("deploy/a.yaml", "no-latest"));
    assert_eq!(verdicts.last(), Some(&("out.yaml", "outside-path")));
}

#[test]
fn a_marker_outside_of_the_path_still_counts_as_use() {
    let root = tree();
    let output = lint(&root, &["objects.yaml", "-o", "json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["markers"], &json["files"], &json["unused_policies"]),
        (&json!([]), &json!([]), &json!([]))
    );
}

#[test]
fn the_table_has_a_row_for_each_finding() {
    let root = tree();
    let output = lint(&root, &["deploy", "--strict"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let heading = text.lines().next().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(heading, ["FILE:LINE", "VERDICT", "SETTER", "CURRENT", "→", "WANTED", "MESSAGE"]);
    assert!(!text.contains(" \t\n"), "nothing stands behind a message, however short:\n{text}");
    for part in [
        "deploy/a.yaml:5",
        "deploy/broken.yaml:1",
        "unmarked",
        "broken-chain",
        "write # {\"$imagepolicy\": \"apps:web\"}",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn a_tree_without_markers_is_no_problem_unless_strict() {
    let root = tree();
    lint(&root, &["objects.yaml"]).assert().code(0);
    lint(&root, &["objects.yaml", "--strict"]).assert().code(1);
    lint(&root, &["nowhere"]).assert().code(2);
}
