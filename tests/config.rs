//! `config`, `keys` and `man` as a person runs them, with a configuration that is there, broken or absent.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

fn run(home: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("supercargo").unwrap();
    command.env_clear().env("HOME", home.path()).args(args).output().unwrap()
}

/// A home with this configuration.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".config/supercargo")).unwrap();
    fs::write(home.path().join(".config/supercargo/config.toml"), config).unwrap();
    home
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn view_tells_each_value_and_who_gave_it() {
    let home = home(
        "theme = 'mono'\n[git.url]\n'shop/fleet' = 'https://rita:secret@git.example.com/fleet'\n\
         'shop/apps' = 'https://secret@git.example.com/apps'\n'shop/ssh' = 'ssh://git@git.example.com/x'\n",
    );
    let ran = run(&home, &["config", "view", "--write", "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    let view: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let path = home.path().join(".config/supercargo/config.toml").display().to_string();
    let item =
        |key: &str| view["items"].as_array().unwrap().iter().find(|item| item["key"] == key).unwrap().clone();
    assert_eq!(item("theme"), json!({"key": "theme", "value": "mono", "origin": path}));
    assert_eq!(item("mode"), json!({"key": "mode", "value": "write", "origin": "--write"}));
    assert_eq!(item("hold.days"), json!({"key": "hold.days", "value": 7, "origin": "default"}));
    assert_eq!(item("git.url.\"shop/fleet\"")["value"], "https://***@git.example.com/fleet");
    assert_eq!(item("git.url.\"shop/apps\"")["value"], "https://***@git.example.com/apps");
    assert_eq!(item("git.url.\"shop/ssh\"")["value"], "ssh://git@git.example.com/x");
    assert!(!text(&ran.stdout).contains("secret"));
}

#[test]
fn a_broken_file_is_found_by_check_and_does_not_stop_what_helps_to_mend_it() {
    let home = home("ascii = 3\n");
    let ran = run(&home, &["config", "check"]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(text(&ran.stderr).contains("config.toml:1:9"), "{ran:?}");
    for args in
        [&["config", "path"][..], &["config", "default"], &["version"], &["man"], &["completion", "bash"]]
    {
        assert_eq!(run(&home, args).status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn check_names_keys_that_nothing_reads_and_files_that_are_not_there() {
    let home = home("protected_branch = []\n");
    let ran = run(&home, &["config", "check"]);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    assert!(text(&ran.stderr).contains("Did you mean \"protected_branches\"?"), "{ran:?}");
    assert!(
        text(&ran.stdout).contains("✔ ") && text(&ran.stdout).contains("- /etc/xdg/supercargo"),
        "{ran:?}"
    );
}

#[test]
fn the_default_file_is_one_that_changes_nothing() {
    let empty = tempfile::tempdir().unwrap();
    let sample = text(&run(&empty, &["config", "default"]).stdout);
    let with = home(&sample);
    let [plain, sampled] = [&empty, &with].map(|home| text(&run(home, &["config", "view"]).stdout));
    assert_eq!(plain, sampled);
    assert_eq!(text(&run(&with, &["config", "check"]).stderr), "");
}

#[test]
fn path_names_all_places_and_says_where_there_is_none() {
    let home = home("");
    let names = text(&run(&home, &["config", "path", "-o", "name"]).stdout);
    for below in [".config/supercargo/config.toml", ".config/supercargo/themes", ".local/state/supercargo"] {
        let path = home.path().join(below).display().to_string();
        assert!(names.lines().any(|line| line == path), "{below}: {names}");
    }
    let mut command = Command::cargo_bin("supercargo").unwrap();
    let ran = command.env_clear().args(["config", "path"]).output().unwrap();
    assert_eq!(
        (ran.status.code(), text(&ran.stdout).matches("no home directory").count()),
        (Some(0), 4),
        "{ran:?}"
    );
}

#[test]
fn a_manual_page_is_of_the_program_or_of_one_command() {
    let home = tempfile::tempdir().unwrap();
    let page = text(&run(&home, &["man"]).stdout);
    assert!(page.contains(".TH supercargo 1") && page.contains("supercargo\\-plan(1)"), "{page}");
    let page = text(&run(&home, &["man", "create", "image", "policy"]).stdout);
    assert!(page.contains(".TH supercargo-create-image-policy 1"), "{page}");
    assert!(page.contains("\\-\\-select\\-semver"), "{page}");
    let ran = run(&home, &["man", "plam"]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(text(&ran.stderr).contains("plan"), "{ran:?}");
}

#[test]
fn keys_are_those_of_the_dashboard_with_the_names_of_their_actions() {
    let ran = run(&home("ascii = 3\n"), &["keys", "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    let keys: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let push =
        keys["items"].as_array().unwrap().iter().find(|item| item["action"] == "push.open").unwrap().clone();
    assert_eq!((&push["keys"], &push["effect"]), (&json!(["p"]), &json!("remote")));
}
