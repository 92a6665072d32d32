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
    let ran = run(&home, &["config", "check", "-o", "json"]);
    let checked: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let problems: Vec<_> = checked["problems"].as_array().unwrap().iter().collect();
    assert_eq!((problems.len(), &problems[0]["code"]), (1, &json!("unknown_key")), "{checked}");
    assert_eq!(text(&ran.stderr).lines().count(), 1, "it is told once: {ran:?}");
}

#[test]
fn keys_of_a_wrong_type_are_a_mistake_with_its_place() {
    for (config, at) in [("[keys]\n'push.open' = 3\n", "2:15"), ("keys = 3\n", "1:8")] {
        let ran = run(&home(config), &["config", "check"]);
        assert_eq!(ran.status.code(), Some(2), "{ran:?}");
        assert!(text(&ran.stderr).contains(&format!("config.toml:{at}: ")), "{ran:?}");
    }
}

#[test]
fn a_section_for_a_kube_context_is_in_force_there_and_view_says_so() {
    let home = home(
        "mode = 'write'\ntheme = 'mono'\n[contexts.prod-eu]\nmode = 'read-only'\n[contexts.prod-eu.hold]\ndays = 2\n\
        [contexts.prod-eu.keys]\n'push.open' = 'ctrl-g'\n",
    );
    fs::create_dir(home.path().join(".kube")).unwrap();
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: prod-eu\ncontexts:\n\
        - {name: prod-eu, context: {cluster: c, user: u}}\n- {name: dev, context: {cluster: c, user: u}}\n\
        clusters:\n- {name: c, cluster: {server: 'http://127.0.0.1:1'}}\nusers:\n- {name: u, user: {}}\n";
    fs::write(home.path().join(".kube/config"), kubeconfig).unwrap();
    let view = |args: &[&str]| -> Vec<String> {
        let ran = run(&home, &[&["config", "view", "-o", "json"], args].concat());
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        let view: Value = serde_json::from_slice(&ran.stdout).unwrap();
        let items = view["items"].as_array().unwrap().iter().filter(|item| item["origin"] != "default");
        items
            .map(|item| {
                let origin = item["origin"].as_str().unwrap();
                let place = origin.rsplit('/').next().unwrap();
                format!("{} = {} ({place})", item["key"].as_str().unwrap(), item["value"])
            })
            .collect()
    };
    let there = [
        "hold.days = 2 (config.toml [contexts.prod-eu])",
        "keys.\"push.open\" = \"ctrl-g\" (config.toml [contexts.prod-eu])",
        "mode = \"read-only\" (config.toml [contexts.prod-eu])",
        "theme = \"mono\" (config.toml)",
    ];
    assert_eq!(view(&[]), there);
    let elsewhere = ["mode = \"write\" (config.toml)", "theme = \"mono\" (config.toml)"];
    assert_eq!(view(&["--context", "dev"]), elsewhere);
    assert_eq!(view(&["--source", "files"])[0], "mode = \"write\" (config.toml)");
    let keys: Value = serde_json::from_slice(&run(&home, &["keys", "-o", "json"]).stdout).unwrap();
    assert_eq!(action(&keys, "push.open")["keys"], json!(["ctrl-g"]));
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
    let keys = keys_with("");
    let push = action(&keys, "push.open");
    assert_eq!(
        (&push["keys"], &push["effect"], &push["origin"]),
        (&json!(["p"]), &json!("remote"), &json!("table"))
    );
    assert_eq!(keys["problems"], json!([]));
}

fn keys_with(config: &str) -> Value {
    let ran = run(&home(config), &["keys", "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn action(keys: &Value, id: &str) -> Value {
    keys["items"].as_array().unwrap().iter().find(|item| item["action"] == id).unwrap().clone()
}

#[test]
fn keys_of_ones_own_are_in_force_and_what_cannot_be_had_is_told_with_its_place() {
    let keys = keys_with(
        "[keys]\npreset = 'emacs'\n'push.open' = ['ctrl-x', 'g']\ndecide.skip = false\n'list.sort' = ['hyper-x']\n\
         'branch.merge' = 'P'\n'dialog.push' = 'ctrl-y'\n",
    );
    assert_eq!(action(&keys, "move.down")["keys"], json!(["ctrl-n", "down"]));
    assert_eq!(action(&keys, "move.down")["origin"], "preset emacs");
    assert_eq!(action(&keys, "push.open")["keys"], json!(["ctrl-x", "g"]));
    assert!(action(&keys, "push.open")["origin"].as_str().unwrap().ends_with("config.toml:3:1"));
    assert_eq!(action(&keys, "decide.skip")["keys"], json!([]));
    assert_eq!(action(&keys, "list.sort")["keys"], json!(["o"]), "its own line is bad, and nothing else");
    let told: Vec<&str> = keys["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["subject"].as_str().unwrap())
        .collect();
    let ends = ["config.toml:5:16", "config.toml:6:18", "config.toml:7:1"];
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().zip(ends).all(|(at, end)| at.ends_with(end)), "{told:?}");
    let conflicts = keys_with("[keys]\n'push.open' = 's'\n");
    assert!(
        conflicts["problems"][0]["message"].as_str().unwrap().starts_with("s was the key of decide.skip")
    );
    let ran = run(&home("[keys]\n'push.opne' = 's'\n"), &["config", "check"]);
    assert!(
        text(&ran.stderr).contains("config.toml:2:1") && text(&ran.stderr).contains("push.open"),
        "{ran:?}"
    );
    let ran = run(&home("ascii = 3\n"), &["keys"]);
    assert_eq!(ran.status.code(), Some(2), "whose configuration is broken has no keys: {ran:?}");
}

/// A home whose themes folder holds these files.
fn home_with_themes(files: &[(&str, &[u8])]) -> TempDir {
    // Themes can be seen to while the configuration is broken.
    let home = home("ascii = 3\n");
    let folder = home.path().join(".config/supercargo/themes");
    fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    home
}

const MINE: &[u8] =
    b"schema = 1\nname = \"mine\"\ninherits = \"default-dark\"\n[roles]\nborder = { fg = \"#8fa3b3\" }\n";

#[cfg(feature = "tui")]
#[test]
fn themes_are_shipped_ones_and_files_of_ones_own_and_the_list_says_which_cannot_be_used() {
    let home = home_with_themes(&[("mine.toml", MINE), ("torn.toml", b"schema = 1\nname = \"to")]);
    let ran = run(&home, &["theme", "list", "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    let list: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let names: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["default-dark", "default-light", "high-contrast"]);
    assert_eq!(names[names.len() - 2..], ["mine", "torn"]);
    let mine = &list["items"][names.len() - 2];
    assert_eq!((&mine["base"], &mine["inherits"]), (&json!("dark"), &json!("default-dark")));
    let shown = text(&run(&home, &["theme", "list"]).stdout);
    assert!(shown.contains("mine.toml") && shown.contains("torn.toml:2:"), "{shown}");
}

#[cfg(feature = "tui")]
#[test]
fn a_theme_is_shown_with_what_it_inherits() {
    let home = home_with_themes(&[("mine.toml", MINE)]);
    let shown = text(&run(&home, &["theme", "show", "mine", "-o", "wide"]).stdout);
    let row = |role: &str| shown.lines().find(|line| line.starts_with(role)).unwrap().to_owned();
    assert!(row("border ").contains("#8fa3b3"), "{shown}");
    assert!(row("diff.add.word").contains("#ffffff on #1f5c2e"), "{shown}");
    assert!(row("diff.add.word").contains("231 on 22"), "{shown}");
    let ran = run(&home, &["theme", "show", "mien"]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(text(&ran.stderr).contains("Did you mean mine?"), "{ran:?}");
}

#[cfg(feature = "tui")]
#[test]
fn a_theme_is_checked_by_name_or_file_and_the_exit_says_whether_it_is_right() {
    let dim = b"schema = 1\nname = \"dim\"\nbase = \"dark\"\n[roles]\n\"text.dmi\" = {}\n\"text.dim\" = { fg = \"#606060\" }\n";
    let home = home_with_themes(&[("mine.toml", MINE), ("dim.toml", dim)]);
    for name in ["default-dark", "default-light", "high-contrast", "cvd-safe", "ansi16", "mono", "mine"] {
        let ran = run(&home, &["theme", "check", name]);
        assert_eq!((ran.status.code(), text(&ran.stderr)), (Some(0), String::new()), "{name}: {ran:?}");
        assert!(text(&ran.stdout).contains(&format!("✔ {name}: ")), "{ran:?}");
    }
    let path = home.path().join(".config/supercargo/themes/dim.toml").display().to_string();
    let ran = run(&home, &["theme", "check", &path]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let said = text(&ran.stdout);
    assert!(
        said.contains(&format!("✗ {path}:5: text.dmi: unknown role \"text.dmi\"; did you mean text.dim?")),
        "{said}"
    );
    assert!(
        said.contains(&format!("✗ {path}:6: text.dim: contrast 1.9:1 on #2e3440, less than 4.5:1")),
        "{said}"
    );
    let ran = run(&home, &["theme", "check", "dim", "-o", "json"]);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((&report["kind"], &report["passed"]), (&json!("ThemeCheck"), &json!(false)));
    assert_eq!(report["items"][1]["line"], 6);
}

#[cfg(feature = "tui")]
#[test]
fn a_file_with_hostile_bytes_is_one_line_with_its_place_and_no_escape_sequence() {
    let home = home_with_themes(&[
        ("bytes.toml", b"schema = 1\nname = \"bytes\"\n\xff\x1b[31m"),
        ("escape.toml", b"schema = 1\nname = \"escape\"\n\"\\u001b[31m\" = 1\n"),
        ("raw.toml", b"schema = 1\nname = \"a\x1b]0;x\x07\"\n"),
    ]);
    for (name, line) in [("bytes", 3), ("escape", 3), ("raw", 2)] {
        let checked = run(&home, &["theme", "check", name]);
        assert_eq!(checked.status.code(), Some(1), "{checked:?}");
        let shown = run(&home, &["theme", "show", name]);
        assert_eq!(shown.status.code(), Some(2), "{shown:?}");
        let (out, err) = (text(&checked.stdout), text(&shown.stderr));
        assert_eq!(out.lines().count(), 1, "{out}");
        for said in [out, err] {
            assert!(said.contains(&format!("{name}.toml:{line}")), "{said}");
            assert!(!said.contains(['\x1b', '\x07']), "{said:?}");
        }
    }
    let ran = run(&home, &["theme", "check", "nowhere.toml"]);
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(2), String::new()), "{ran:?}");
}
