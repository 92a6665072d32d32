//! `supercargo set` as a process: what it prints, what it writes, how it ends.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

const OLD: &str = "# c\nimage: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\ntag:   \"1\"   # {\"$imagepolicy\": \"apps:web:tag\"}\r\n";
const NEW: &str = "# c\nimage: o/web:2 # {\"$imagepolicy\": \"apps:web\"}\ntag:   \"2\"   # {\"$imagepolicy\": \"apps:web:tag\"}\r\n";

/// A work tree with two marked files, one broken one and one in `.git`.
fn tree() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("apps/b.yaml", OLD),
        ("apps/a/x.yml", OLD),
        ("apps/plain.yaml", "a: 1\n"),
        ("broken.yaml", "a: [ # {\"$imagepolicy\": \"apps:web\"}\n"),
        (".git/config.yaml", OLD),
    ] {
        let file = root.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    std::os::unix::fs::symlink("apps/b.yaml", root.path().join("link.yaml")).unwrap();
    root
}

fn set(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("supercargo").unwrap();
    command.current_dir(root).env("HOME", root).env_remove("XDG_CONFIG_HOME").arg("set").args(arguments);
    command
}

const POLICY: &str = "--policy=apps:web=o/web:2";

#[test]
fn without_write_it_prints_a_patch_that_git_applies_and_touches_nothing() {
    let root = tree();
    let output = set(root.path(), &[POLICY, "--exit-code", "."]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("broken.yaml"));
    assert_eq!(fs::read_to_string(root.path().join("apps/b.yaml")).unwrap(), OLD);
    fs::remove_dir_all(root.path().join(".git")).unwrap();
    let git =
        |arguments: &[&str]| Command::new("git").current_dir(root.path()).args(arguments).assert().success();
    git(&["init", "-q"]);
    fs::write(root.path().join("patch"), output.stdout).unwrap();
    git(&["apply", "patch"]);
    for path in ["apps/b.yaml", "apps/a/x.yml"] {
        assert_eq!(fs::read_to_string(root.path().join(path)).unwrap(), NEW, "{path}");
    }
}

/// Gives a file to somebody else; `false` where this account may not.
fn given_away(file: &Path) -> bool {
    std::os::unix::fs::chown(file, Some(12_345), Some(54_321)).is_ok()
}

#[test]
fn a_file_that_is_rewritten_by_root_still_belongs_to_its_owner() {
    use std::os::unix::fs::MetadataExt as _;
    let root = tree();
    let file = root.path().join("apps/b.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    if !given_away(&file) {
        return;
    }
    let output = set(root.path(), &[POLICY, "--write", "apps"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let now = fs::metadata(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), NEW);
    assert_eq!((now.uid(), now.gid(), now.mode() & 0o777), (12_345, 54_321, 0o640));
}

#[test]
fn with_write_it_changes_the_files_keeps_their_mode_and_then_finds_nothing_to_do() {
    let root = tree();
    let file = root.path().join("apps/b.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let output = set(root.path(), &[POLICY, "--write", "apps"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert_eq!(fs::read_to_string(&file).unwrap(), NEW);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    set(root.path(), &[POLICY, "--exit-code", "apps"]).assert().code(0).stdout("");
    assert_eq!(fs::read_to_string(root.path().join(".git/config.yaml")).unwrap(), OLD);
}

#[test]
fn the_json_has_patches_updates_and_problem_files() {
    let root = tree();
    let output = set(root.path(), &[POLICY, "-o", "json", "."]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["kind"], "Diff");
    assert_eq!(
        json["stat"],
        serde_json::json!({"updates": 1, "files": 2, "sites": 4, "bytes_outside_markers": 0})
    );
    assert_eq!(json["problem_files"], serde_json::json!(["broken.yaml"]));
    assert_eq!(json["problems"][0]["code"], "yaml_invalid");
    assert_eq!(json["files"][0]["path"], "apps/a/x.yml");
    assert!(
        json["files"][0]["patch"]
            .as_str()
            .unwrap()
            .starts_with("--- a/apps/a/x.yml\n+++ b/apps/a/x.yml\n@@ ")
    );
    assert_eq!(json["written"], false);
    let update = &json["updates"][1];
    assert_eq!((&update["path"], &update["old"], &update["new"]), (&"tag".into(), &"1".into(), &"2".into()));
    let place = |key: &str| usize::try_from(update[key].as_u64().unwrap()).unwrap();
    let span = place("start")..place("end");
    assert_eq!(OLD.get(span), Some("\"1\""));
}

#[test]
fn a_bad_policy_a_missing_path_and_a_bad_reference_have_their_exits() {
    let root = tree();
    set(root.path(), &["--policy=web=o/web:1", "."]).assert().code(2);
    set(root.path(), &["--policy=apps:web=o/web", "."]).assert().code(2);
    set(root.path(), &["--policy=apps:web=O/WEB:1", "."]).assert().code(6);
    set(root.path(), &[POLICY, "nowhere"]).assert().code(2);
    set(root.path(), &["--policy=apps:web", "--exit-code", "."]).assert().code(0).stdout("");
}

#[test]
fn a_file_that_two_paths_lead_to_is_changed_once() {
    let root = tree();
    let output =
        set(root.path(), &[POLICY, "-o", "json", "apps", "apps/b.yaml", "./apps/a"]).output().unwrap();
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    let paths: Vec<&str> =
        diff["files"].as_array().unwrap().iter().filter_map(|file| file["path"].as_str()).collect();
    assert_eq!(paths, ["apps/a/x.yml", "apps/b.yaml"]);
    assert_eq!(diff["stat"]["sites"], 4);
}

#[test]
fn a_policy_that_no_marker_names_is_told_with_the_nearest_that_one_does() {
    let root = tree();
    let said = |policy: &str| {
        let output = set(root.path(), &[policy, "."]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    let text = said("--policy=apps:wbe=o/web:2");
    assert!(text.contains("apps/wbe: no marker names this policy"), "{text}");
    assert!(text.contains("Did you mean apps/web?"), "{text}");
    // A marker that holds the value already, or whose policy has none, is named all the same.
    assert_eq!(said("--policy=apps:web").matches("no marker").count(), 0);
}

#[test]
fn a_policy_with_two_latest_images_is_refused() {
    let root = tree();
    let both = ["--policy=apps:web=o/web:2", "--policy=apps:web=o/web:3", "--write", "."];
    let output = set(root.path(), &both).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("apps/web is given twice"));
    assert_eq!(fs::read_to_string(root.path().join("apps/b.yaml")).unwrap(), OLD);
    set(root.path(), &[POLICY, POLICY, "."]).assert().success();
}
