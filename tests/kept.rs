//! What is kept on the disk, and what happens where nothing can be, with the program that people run on real servers.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod git;
    pub mod lab;
    pub mod operator;
    pub mod registry;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::lab::{Lab, NEWEST};
use support::operator::Operator;
use support::registry::DockerRegistry;

#[test]
fn caches_are_shown_pruned_and_cleared_and_first_sightings_stay() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.plan(&[]);
    let first_seen = || {
        let tags = lab.json(0, &["get", "tags", "vote"]);
        let items = tags["items"].as_array().unwrap();
        items.iter().find(|item| item["tag"] == NEWEST).unwrap()["first_seen"].clone()
    };
    let (before, listed) = (first_seen(), lab.json(0, &["cache", "info"]));
    assert_eq!(listed["kind"], "CacheList");
    assert_eq!(listed["directory"], json!(lab.path("cache/supercargo")));
    let items = listed["items"].as_array().unwrap();
    let found = |cache: &str| items.iter().find(|item| item["cache"] == cache).unwrap();
    assert_eq!([&found("git")["name"], &found("markers")["name"]], [&json!(lab.url), &json!(lab.url)]);
    let name = format!("{}/vote", lab.registry.host);
    assert_eq!([&found("tags")["name"], &found("tags")["tags"]], [&json!(name), &json!(6)], "{listed:#}");
    assert_eq!(lab.run(&["cache", "info", "-o", "json"]).expect(0).err, "", "the document says it all");
    let total: u64 = items.iter().map(|item| item["bytes"].as_u64().unwrap()).sum();
    assert!(total > 0 && listed["bytes"] == json!(total), "{listed:#}");
    let table = lab.run(&["cache", "info"]).expect(0).out;
    assert!(table.starts_with("CACHE") && table.contains(&name), "{table}");

    let damaged = lab.path("cache/supercargo/tags/x.tags.corrupt");
    fs::write(&damaged, "damaged").unwrap();
    assert_eq!(lab.json(0, &["cache", "prune"])["items"], json!([]), "nothing is old");
    let old = Command::new("touch").args(["-d", "2 days ago"]).arg(&damaged).status();
    assert!(old.unwrap().success());
    let pruned = lab.json(0, &["cache", "prune"]);
    assert_eq!((&pruned["kind"], pruned["items"].as_array().unwrap().len()), (&json!("CacheResult"), 1));
    assert!(!damaged.exists());

    lab.run(&["cache", "clear", "--read-only"]).expect(7).says(&["READ-ONLY"]);
    let cleared = lab.json(0, &["cache", "clear"]);
    assert_eq!(cleared["items"].as_array().unwrap().len(), items.len(), "{cleared:#}");
    assert_eq!(lab.json(0, &["cache", "info"])["items"], json!([]));
    assert_eq!(first_seen(), before);
    lab.plan(&[]);
}

/// Runs the program where the folders of its state and its cache are file systems mounted with `options`; `None`, said
/// loudly, where that is not allowed.
fn run_on(lab: &Lab, options: &str, arguments: &[&str]) -> Option<Output> {
    let program = lab.command(arguments);
    let mut wrapped = Command::new("unshare");
    let mount = format!("mount -t tmpfs -o {options} tmpfs");
    let script = format!("{mount} \"$1\" && {mount} \"$2\" && shift 2 && exec \"$@\"");
    wrapped.args(["-rm", "sh", "-c", &script, "sh"]).args([lab.path("state"), lab.path("cache")]);
    wrapped.arg(program.get_program()).args(program.get_args());
    wrapped.current_dir(program.get_current_dir().unwrap()).env_clear();
    wrapped.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = wrapped.output().ok().filter(|output| !output.stderr.starts_with(b"unshare: "));
    if output.is_none() {
        // The harness keeps what a passing test prints to itself, but not this.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"\nSKIPPED: no file system may be mounted here\n",
        );
    }
    output
}

#[test]
fn on_a_full_disk_and_on_one_that_is_read_only_memory_serves_and_one_warning_says_so() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    for options in ["size=16k", "ro", "nr_inodes=2"] {
        for command in [["get", "updates"], ["plan", "--all"], ["cache", "clear"]] {
            let Some(output) = run_on(&lab, options, &[&command[..], &["-o", "json"]].concat()) else {
                return;
            };
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(0), "{options} {command:?}: {said}");
            let warnings = ["state is kept in memory only", "the cache is kept in memory only"];
            let warnings = warnings.map(|text| said.matches(text).count());
            assert!(warnings.iter().all(|count| *count <= 1), "one of each: {options} {command:?}: {said}");
            assert_eq!(said.contains("memory only"), warnings != [0, 0], "{said}");
            assert!(said.contains("memory only") && said.contains("XDG_"), "{options} {command:?}: {said}");
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(command[0] != "get" || answer["items"][0]["new"]["tag"] == NEWEST, "{answer:#}");
        }
    }
}

/// Writes nonsense over each file below `folder` whose name ends with one of `endings`; returns how many.
fn damage(folder: &Path, endings: &[&str]) -> usize {
    let paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let of = |path: &PathBuf| {
        if path.is_dir() {
            return damage(path, endings);
        }
        let is_meant = endings.iter().any(|ending| path.to_str().is_some_and(|path| path.ends_with(ending)));
        if is_meant {
            fs::write(path, "nonsense").unwrap();
        }
        usize::from(is_meant)
    };
    paths.iter().map(of).sum()
}

#[test]
fn what_the_store_has_to_say_is_said_of_an_image_without_an_object_too() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("team/app", "1.0.0");
    let mut operator = Operator::new("{}", &[]);
    let image = format!("{}/team/app", registry.host);
    let forms: [&[&str]; 3] = [
        &["scan", "--image", &image],
        &["get", "tags", "--image", &image],
        &["eval", "policy", "--semver", "*", "--image", &image],
    ];
    assert_eq!(operator.scan(&image).0, Some(0));
    for form in forms {
        assert_eq!(damage(&operator.path("home"), &[".tags", ".seen"]), 2);
        let (status, said) = operator.run(form);
        assert_eq!(status, Some(0), "{said}");
        for what in ["a cached tag list was damaged", "a ledger of first sightings was damaged"] {
            assert!(said.contains(what), "{form:?}: {what}: {said}");
        }
    }
    for form in &forms[1..] {
        assert_eq!(operator.scan(&image).0, Some(0));
        assert_eq!(damage(&operator.path("home"), &[".tags"]), 1);
        let (status, said) = operator.run(&[form, ["--refresh", "never"].as_slice()].concat());
        assert_eq!(status, Some(3), "{said}");
        assert!(said.contains("a cached tag list was damaged") && !said.contains("was never"), "{said}");
    }
    // No folder can be made below a file.
    operator
        .environment
        .extend(["XDG_STATE_HOME", "XDG_CACHE_HOME"].map(|name| (name, "docker/config.json")));
    for form in forms {
        let (status, said) = operator.run(form);
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains("state is kept in memory only"), "{form:?}: {said}");
    }
}
