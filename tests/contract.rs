//! What the command line promises, whichever command it is: no option is taken and passed over, and JSON has every key.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
}

use std::fs;

use serde_json::{Value, json};
use support::desk::Desk;

/// A desk with a label on the policy `web` alone.
fn labelled() -> Desk {
    let desk = Desk::reviewing();
    let objects = fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let (policy, with) = (
        "kind: ImagePolicy\nmetadata: {name: web, namespace: shop}",
        "kind: ImagePolicy\nmetadata: {name: web, namespace: shop, labels: {team: a}}",
    );
    assert!(objects.contains(policy));
    desk.write("objects/all.yaml", &objects.replace(policy, with));
    desk
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["policy"]["name"].as_str().unwrap()).collect()
}

#[test]
fn a_selector_narrows_what_a_command_is_about_or_is_refused() {
    let desk = labelled();
    let before = fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let updates = desk.json(0, &["get", "updates", "-l", "team=a"]);
    assert_eq!(names(&updates["items"]), ["web"]);
    let plan = desk.json(0, &["plan", "--all", "-l", "team=a"]);
    assert_eq!(names(&plan["groups"][0]["updates"]), ["web"], "{plan:#}");
    let diff = desk.run(&["diff", "updates", "-l", "team!=a"]);
    assert!(diff.out.contains("apps/db.yaml") && !diff.out.contains("apps/web.yaml"), "{diff:?}");
    assert_eq!(desk.run(&["plan", "web", "-l", "team=a"]).code, Some(2));
    assert_eq!(desk.run(&["get", "updates", "-l", "x y z"]).code, Some(2));
    for command in ["delete", "suspend", "reconcile", "export"] {
        let all = [command, "image", "repository", "--all", "-A", "-l", "team=a", "--yes"];
        let ran = desk.run(&all);
        assert!(ran.code == Some(2) && ran.err.contains("--label-selector means nothing to"), "{ran:?}");
        assert!(ran.err.contains("hint: Name what is meant."), "{ran:?}");
    }
    let selected = ["delete", "image", "repository", "--all", "-A", "-s", "--status-selector", "ready=false"];
    assert_eq!(desk.run(&selected).code, Some(2));
    assert_eq!(fs::read_to_string(desk.path("objects/all.yaml")).unwrap(), before);
}

#[test]
fn a_push_asks_no_server_where_none_may_be_asked_and_goes_nowhere_but_where_it_was_confirmed() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let file = desk.path("plan.json");
    let push = ["push", "--plan", file.to_str().unwrap(), "--write", "--yes"];
    let never = desk.run(&[&push[..], &["--refresh", "never"]].concat());
    assert!(never.code == Some(2) && never.err.contains("--refresh never forbids that"), "{never:?}");
    let other = desk.run(&[&push[..], &["--confirm-branch", "other"]].concat());
    assert!(other.code == Some(7) && other.err.contains("image-updates is"), "{other:?}");
    assert_eq!(desk.fleet.tip("image-updates"), None);
    let offline = [&push[..3], &["--dry-run=client", "--refresh", "never"]].concat();
    assert_eq!(desk.run(&offline).code, Some(0));
    let secret = ["create", "secret", "git", "keys", "--url", "ssh://git@127.0.0.1:1/x", "--export"];
    let scanned = desk.run(&[&secret[..], &["--refresh", "never"]].concat());
    assert!(scanned.code == Some(2) && scanned.err.contains("forbids that"), "{scanned:?}");
}

#[test]
fn a_remote_that_could_not_be_asked_is_what_keeps_a_commit_from_being_found() {
    let desk = Desk::new("");
    let away = ["--git-url", "http://127.0.0.1:1/fleet.git"];
    let commit = "c6cf1161a2f3e255db3993aca1f517c31b262bd8";
    let revert = desk.run(&[&["revert", commit], &away[..]].concat());
    assert!(revert.code == Some(3) && !revert.err.contains("no commit"), "{revert:?}");
    let back = ["rollback", "web", "--to", "1.0.0", "--reason", "broken"];
    let rollback = desk.run(&[&back[..], &away[..]].concat());
    assert!(rollback.code == Some(3) && rollback.err.contains("127.0.0.1:1"), "{rollback:?}");
}

#[test]
fn lint_looks_for_markers_here_and_for_objects_where_it_is_told() {
    let desk = Desk::new("");
    let objects = fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    desk.fleet.commit("main", &[("objects/all.yaml", &objects)], "Objects");
    desk.write(
        "objects/marked.yaml",
        &format!("image: {}/web:1.0.0 # {{\"$imagepolicy\": \"shop:web\"}}\n", desk.registry),
    );
    let source = desk.address();
    let report = desk.json(0, &["lint", "-C", &source]);
    assert_eq!(report["markers"][0]["file"], "marked.yaml", "{report:#}");
    assert_eq!(report["markers"], desk.json(0, &["lint", ".", "-C", &source])["markers"]);
    let secret = desk.run(&["lint", "-C", "http://robot:hunter2@127.0.0.1:1/fleet.git"]);
    assert!(secret.code == Some(3) && !secret.err.contains("hunter2"), "{secret:?}");
}

#[test]
fn lint_counts_an_object_that_cannot_be_read() {
    let desk = Desk::new("");
    let bad = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {name: bad, namespace: shop}\n\
               spec: {image: 3, interval: 1m}\n";
    desk.write("objects/bad.yaml", bad);
    let report = desk.json(1, &["lint"]);
    assert_eq!((&report["problem_count"], &report["problems"]), (&json!(1), &json!([])), "{report:#}");
    assert_eq!((&report["files"][0]["file"], &report["files"][0]["line"]), (&json!("bad.yaml"), &json!(4)));
}

#[test]
fn no_key_is_left_out_and_what_is_not_there_is_null() {
    let desk = Desk::new("");
    assert_eq!(desk.json(0, &["get", "automations", "-A"])["items"][0]["path"], json!(null));
    let all = desk.json(0, &["get", "image", "all", "-A"]);
    let kinds: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    let kind = |name: &str| kinds.iter().filter(|kind| **kind == name).count();
    assert_eq!((kind("ImageRepository"), kind("ImagePolicy"), kind("ImageUpdateAutomation")), (2, 2, 1));
    let suspended = desk.json(0, &["suspend", "image", "policy", "--all", "-A"]);
    assert_eq!(suspended["items"][1]["problems"], json!([]), "{suspended:#}");
}

#[test]
fn a_text_that_looks_like_true_suspends_nothing_before_it_is_mended() {
    let desk = Desk::new("");
    let object = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata:\n  name: sus\n  namespace: shop\nspec:\n  \
                  suspend: \"true\"\n  imageRepositoryRef: {name: web}\n  policy: {semver: {range: 1.x}}\n";
    desk.write("objects/sus.yaml", object);
    let result = desk.json(0, &["suspend", "image", "policy", "shop/sus"]);
    assert_eq!((&result["action"], &result["problems"]), (&json!("suspended"), &json!([])), "{result:#}");
    let written = fs::read_to_string(desk.path("objects/sus.yaml")).unwrap();
    assert_eq!(written, object.replace("\"true\"", "true"));
}

#[test]
fn a_dash_is_standard_output() {
    let desk = Desk::new("");
    let patch = desk.run(&["plan", "--all", "--output-patch", "-"]);
    assert!(
        patch.code == Some(0) && patch.out.contains("--- a/apps/db.yaml\n+++ b/apps/db.yaml\n"),
        "{patch:?}"
    );
    assert!(!patch.out.contains("DECISION") && !desk.path("objects/-").exists(), "{patch:?}");
    assert_eq!(desk.run(&["plan", "--all", "--output-patch", "-", "-o", "json"]).code, Some(2));
}

#[test]
fn a_line_of_the_keys_that_cannot_be_had_is_a_warning_of_every_command() {
    let desk = Desk::new("");
    desk.write(".config/supercargo/config.toml", "[keys]\n'push.opne' = ['p']\n");
    let ran = desk.run(&["get", "holds"]);
    assert!(ran.code == Some(0) && ran.err.contains("⚠ "), "{ran:?}");
    assert!(ran.err.contains("there is no action \"push.opne\"") && ran.err.contains("push.open"), "{ran:?}");
    let checked = desk.json(0, &["config", "check"]);
    assert_eq!(checked["problems"][0]["exit"], json!(0), "{checked:#}");
}

#[test]
fn an_empty_variable_is_none() {
    let mut desk = Desk::new("");
    for name in
        ["SOURCE", "LOG", "CONFIG", "FILES", "NAMESPACE", "GIT_USERNAME", "REGISTRY_USERNAME", "THEME"]
    {
        desk.environment.push((format!("SUPERCARGO_{name}"), String::new()));
    }
    assert_eq!(desk.json(0, &["get", "policies", "-A"])["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn where_there_are_no_files_the_cluster_is_not_called_files() {
    let desk = Desk::new("");
    let folder = tempfile::tempdir().unwrap();
    desk.write("kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: far\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
        users: [{name: u, user: {}}]\ncontexts: [{name: far, context: {cluster: c, user: u}}]\n");
    let mut command = desk.command(&["check", "-o", "json"]);
    let output =
        command.current_dir(folder.path()).env("KUBECONFIG", desk.path("kubeconfig")).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let status = |name: &str| {
        let checks = report["checks"].as_array().unwrap().iter();
        checks.filter(|check| check["name"] == name).map(|check| check["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (status("files"), status("kube")),
        (vec![json!("skipped")], vec![json!("failed")]),
        "{report:#}"
    );
}

#[test]
fn a_cluster_that_is_not_reached_leaves_the_files_to_be_looked_at() {
    let desk = Desk::new("");
    desk.write("kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: far\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
        users: [{name: u, user: {}}]\ncontexts: [{name: far, context: {cluster: c, user: u}}]\n");
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("a.yaml"), "a: 1\n").unwrap();
    let there = files.path().display().to_string();
    for (place, asked, files) in [
        (there.as_str(), ["--source", "both"], "ok"),
        (there.as_str(), ["--context", "far"], "ok"),
        ("/nowhere", ["--source", "both"], "failed"),
    ] {
        let arguments = [&["check", "-o", "json", "-C", place][..], &asked].concat();
        let output = desk.command(&arguments).env("KUBECONFIG", desk.path("kubeconfig")).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let status = |name: &str| {
            let mut checks = report["checks"].as_array().unwrap().iter();
            checks.find(|check| check["name"] == name).map(|check| check["status"].clone())
        };
        assert_eq!(
            (status("files"), status("kube"), status("objects")),
            (Some(json!(files)), Some(json!("failed")), Some(json!("skipped"))),
            "{report:#}"
        );
    }
}

#[test]
fn the_demo_is_walked_in_every_form_of_output() {
    let desk = Desk::new("");
    let ran = desk.run(&["demo", "--headless", "-o", "yaml"]);
    assert!(ran.code == Some(0) && ran.out.starts_with("---\napiVersion: supercargo/v1\n"), "{ran:?}");
    let ran = desk.run(&["demo", "--headless", "-o", "json"]);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = lines.iter().filter(|line| line["event"] == "update_found");
    assert!(found.clone().count() > 0 && found.clone().all(|line| line.get("tag").is_some()), "{ran:?}");
}

#[test]
fn where_nothing_can_be_kept_one_warning_says_so() {
    let mut desk = Desk::new("");
    desk.environment.push(("HOME".to_owned(), "/proc/nope".to_owned()));
    for command in [&["get", "repositories", "-A"] as &[&str], &["get", "updates"]] {
        let ran = desk.run(command);
        assert_eq!(ran.err.matches("memory only").count(), 1, "{ran:?}");
        assert!(ran.err.contains("state is kept in memory only, and so is the cache"), "{ran:?}");
    }
}

#[test]
fn all_namespaces_are_all_whichever_one_is_named_beside() {
    let mut desk = Desk::new("");
    desk.environment.push(("SUPERCARGO_NAMESPACE".to_owned(), "other".to_owned()));
    assert_eq!(names(&desk.json(0, &["get", "updates"])["items"]), [] as [&str; 0]);
    assert_eq!(names(&desk.json(0, &["get", "updates", "-A"])["items"]), ["db", "web"]);
    assert_eq!(
        names(&desk.json(0, &["plan", "--all", "-A", "-n", "other"])["groups"][0]["updates"]),
        ["db", "web"]
    );
}
