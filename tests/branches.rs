//! What a push does beside its branch: refspecs, options, commits of others. Against real repositories.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
}

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use support::desk::Desk;
use support::git::git;

/// Plans and pushes everything; the program has to end with `code`.
fn land(desk: &Desk, code: i32) -> Value {
    desk.plan("plan.json", &["--all"]);
    let landed = desk.push(code, "plan.json", &[]);
    desk.fleet.assert_sound();
    landed
}

/// Notes the push options that the server gets, one push a line.
fn note_options(desk: &Desk) {
    git(&desk.fleet.path, &["config", "receive.advertisePushOptions", "true"]);
    let hook = desk.fleet.path.join("hooks/post-receive");
    let noted = desk.path("options");
    let script = "#!/bin/sh\nline=''\ni=0\nwhile [ \"$i\" -lt \"${GIT_PUSH_OPTION_COUNT:-0}\" ]; do\n\
                  \teval \"line=\\\"$line[\\$GIT_PUSH_OPTION_$i]\\\"\"\n\ti=$((i + 1))\ndone\n";
    std::fs::write(&hook, format!("{script}echo \"$line\" >> {}\n", noted.display())).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn push_options_reach_the_server_with_the_branch_and_with_the_refspec() {
    let desk = Desk::new(
        ", push: {branch: image-updates, refspec: \"refs/heads/image-updates:refs/for/main\", \
         options: {ci.skip: \"\", merge_request.title: \"New images, now\"}}",
    );
    note_options(&desk);
    land(&desk, 0);
    let noted = std::fs::read_to_string(desk.path("options")).unwrap();
    assert_eq!(noted, "[ci.skip=][merge_request.title=New images, now]\n".repeat(2));
    let at = |name: &str| git(&desk.fleet.path, &["rev-parse", name]);
    assert_eq!(at("refs/for/main"), at("image-updates"));
    assert_eq!(at("image-updates^"), at("main"));
}

#[test]
fn a_server_without_push_options_gets_none_and_that_is_said() {
    let desk = Desk::new(", push: {branch: image-updates, options: {ci.skip: \"\"}}");
    desk.plan("plan.json", &["--all"]);
    let plan = desk.path("plan.json");
    let ran = desk.run(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("takes no push options"), "{ran:?}");
}

#[test]
fn a_refspec_is_never_forced_and_what_fails_after_the_push_is_said_beside_it() {
    let desk = Desk::new(
        ", push: {branch: image-updates, refspec: \"+refs/heads/image-updates:refs/heads/mirror\"}",
    );
    land(&desk, 0);
    assert_eq!(desk.fleet.tip("mirror"), desk.fleet.tip("image-updates"));
    // Behind: it moves along. Elsewhere: it stays where it is.
    desk.tags("web", &["1.2.0"]);
    land(&desk, 0);
    assert_eq!(desk.fleet.tip("mirror"), desk.fleet.tip("image-updates"));
    let theirs = desk.fleet.commit("mirror", &[("x.yaml", "x: 1\n")], "Theirs");
    desk.tags("web", &["1.3.0"]);
    let plan = desk.plan("plan.json", &["--all"]);
    let warnings = plan["groups"][0]["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["code"] == "refspec"), "{warnings:?}");
    let landed = &desk.push(8, "plan.json", &[])["results"][0];
    assert_eq!((&landed["pushed"], &landed["verified"]), (&json!(true), &json!(true)), "{landed:#}");
    assert_eq!(landed["error"]["code"], "git_race", "{landed:#}");
    assert_eq!(desk.fleet.tip("mirror"), Some(theirs));
    // Another branch is not the automation's: its refspec is not meant for it.
    desk.tags("web", &["1.4.0"]);
    let plan = desk.plan("plan.json", &["--all", "--branch", "other"]);
    assert_eq!(plan["groups"][0]["push"]["refspec"], json!(null));
}

#[test]
fn what_a_refspec_adds_and_was_refused_once_is_pushed_by_the_next_try() {
    let desk =
        Desk::new(", push: {branch: image-updates, refspec: \"refs/heads/image-updates:refs/heads/mirror\"}");
    let hook = desk.fleet.path.join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\ntest \"$1\" != refs/heads/mirror\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    land(&desk, 8);
    assert_eq!(desk.fleet.tip("mirror"), None);
    assert_eq!(desk.push(8, "plan.json", &[])["results"][0]["already"], json!(true), "it is still refused");
    std::fs::remove_file(&hook).unwrap();
    assert_eq!(desk.push(0, "plan.json", &[])["results"][0]["already"], json!(true));
    assert_eq!(desk.fleet.tip("mirror"), desk.fleet.tip("image-updates"));
    // What went on from there has the commit.
    let theirs = desk.fleet.commit("mirror", &[("x.yaml", "x: 1\n")], "Theirs");
    desk.push(0, "plan.json", &[]);
    assert_eq!(desk.fleet.tip("mirror"), Some(theirs));
}

#[test]
fn a_protected_branch_that_a_refspec_leads_to_has_to_be_confirmed() {
    let desk =
        Desk::new(", push: {branch: image-updates, refspec: \"refs/heads/image-updates:refs/heads/main\"}");
    let before = desk.fleet.tip("main");
    desk.plan("plan.json", &["--all"]);
    let plan = desk.path("plan.json");
    let push = ["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"];
    let ran = desk.run(&push);
    assert!(ran.code != Some(0) && ran.err.contains("--confirm-branch main"), "{ran:?}");
    assert_eq!((desk.fleet.tip("main"), desk.fleet.tip("image-updates")), (before, None));
    desk.push(0, "plan.json", &["--confirm-branch", "main"]);
    assert_eq!(desk.fleet.tip("main"), desk.fleet.tip("image-updates"));
}

#[test]
fn a_branch_is_a_branch_whatever_its_name_looks_like() {
    let desk = Desk::reviewing();
    let before = desk.fleet.tip("main");
    desk.plan("plan.json", &["--all"]);
    desk.push(0, "plan.json", &["--branch", "refs/heads/main"]);
    assert_eq!(desk.fleet.tip("main"), before);
    let made = git(&desk.fleet.path, &["rev-parse", "refs/heads/refs/heads/main^"]);
    assert_eq!(Some(made), before);
}

#[test]
fn commits_of_others_on_a_review_branch_are_told_of_built_upon_and_kept() {
    let desk = Desk::reviewing();
    land(&desk, 0);
    let theirs = desk.fleet.commit("image-updates", &[("apps/x.yaml", "x: 1\n")], "Tune limits\n\nbody");
    desk.fleet.commit("main", &[("other.txt", "1")], "Elsewhere");
    desk.tags("web", &["1.2.0"]);
    let plan = desk.plan("plan.json", &["--all"]);
    let warnings = plan["groups"][0]["warnings"].as_array().unwrap();
    let of = |code: &str| {
        let found = warnings.iter().find(|warning| warning["code"] == code);
        found.map(|warning| warning["message"].as_str().unwrap().to_owned())
    };
    let kept = "image-updates has 1 commit by others, which are kept: Tune limits (Colleague)";
    assert_eq!(of("foreign_commits").as_deref(), Some(kept), "{warnings:?}");
    assert!(of("push_branch_behind").is_some(), "{warnings:?}");
    let landed = desk.push(0, "plan.json", &[]);
    assert_eq!(landed["results"][0]["base"], json!(theirs));
    assert_eq!(git(&desk.fleet.path, &["rev-list", "--count", "main..image-updates"]), "3");
}
