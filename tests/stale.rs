//! Plans that the world has moved away from: refused with a reason, and made anew from what is there. Against real
//! repositories.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
}

use serde_json::{Value, json};
use support::desk::{Desk, WEB};
use support::git::{GitServer, PASSWORD, WRITER, git};

/// Pushes the plan that is kept as `plan.json`: the exit status and what was said.
fn push(desk: &Desk, arguments: &[&str]) -> (Option<i32>, String) {
    let plan = desk.path("plan.json");
    let planned: Value = serde_json::from_slice(&std::fs::read(&plan).unwrap()).unwrap();
    let is_main = planned["groups"][0]["push"]["branch"] == "main";
    let confirmed = if is_main { ["--confirm-branch", "main"].as_slice() } else { &[] };
    let push = ["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"];
    let ran = desk.run(&[&push, confirmed, arguments].concat());
    (ran.code, ran.err)
}

fn new_tag(plan: &Value) -> &Value {
    let updates = plan["groups"][0]["updates"].as_array().unwrap();
    &updates.iter().find(|update| update["policy"]["name"] == "web").unwrap()["new"]["tag"]
}

#[test]
fn a_base_that_moved_is_refused_whether_or_not_it_touched_what_is_planned() {
    for git in ["", ", push: {branch: image-updates}"] {
        let desk = Desk::new(git);
        desk.plan("plan.json", &["--all"]);
        let before = desk.fleet.tip("main").unwrap();
        let theirs = desk.fleet.commit("main", &[("other.txt", "1")], "Elsewhere");
        let (code, said) = push(&desk, &[]);
        assert_eq!(code, Some(5), "{said}");
        let moved = format!("main moved from {} to {}", before.split_at(7).0, theirs.split_at(7).0);
        assert!(said.contains(&moved), "{said}");
        assert_eq!((desk.fleet.tip("main"), desk.fleet.tip("image-updates")), (Some(theirs), None));
        // Made anew it lands, on what is there now.
        desk.plan("plan.json", &["--all"]);
        assert_eq!(push(&desk, &[]).0, Some(0));
        let touched = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.0.5");
        desk.fleet.commit("main", &[("apps/web.yaml", &touched)], "By hand");
        desk.tags("web", &["1.2.0"]);
        // The same plan pushed again is there, whatever others did on top of it.
        let (code, said) = push(&desk, &[]);
        assert_eq!((code, said.contains("already")), (Some(0), true), "{said}");
    }
}

#[test]
fn a_value_that_somebody_changed_is_planned_from_what_stands_there_now() {
    let desk = Desk::new("");
    desk.plan("plan.json", &["web"]);
    let touched = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.0.5");
    let theirs = desk.fleet.commit("main", &[("apps/web.yaml", &touched)], "By hand");
    let (code, said) = push(&desk, &[]);
    assert_eq!((code, desk.fleet.tip("main")), (Some(5), Some(theirs)), "{said}");
    let plan = desk.plan("plan.json", &["web"]);
    let updates = plan["groups"][0]["updates"].as_array().unwrap();
    let web = updates.iter().find(|update| update["policy"]["name"] == "web").unwrap();
    assert_eq!(web["current"], json!(["1.0.5"]));
}

#[test]
fn a_policy_that_moved_changes_no_plan_and_an_image_that_is_gone_is_found_when_asked() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    desk.tags("web", &["1.0.0", "1.1.0", "1.9.0"]);
    assert_eq!(push(&desk, &[]).0, Some(0));
    assert!(git(&desk.fleet.path, &["show", "image-updates:apps/web.yaml"]).contains("/web:1.1.0 "));
    let plan = desk.plan("plan.json", &["--all"]);
    assert_eq!(new_tag(&plan), "1.9.0");
    desk.tags("web", &["1.0.0", "1.1.0"]);
    let (code, said) = push(&desk, &["--refresh", "always"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("web:1.9.0"), "{said}");
}

#[test]
fn a_push_branch_that_is_gone_is_refused_and_made_anew_from_the_checkout_branch() {
    let desk = Desk::reviewing();
    git(&desk.fleet.path, &["branch", "image-updates", "main"]);
    desk.fleet.commit("image-updates", &[("old.txt", "1")], "Old");
    desk.plan("plan.json", &["--all"]);
    git(&desk.fleet.path, &["update-ref", "-d", "refs/heads/image-updates"]);
    let (code, said) = push(&desk, &[]);
    assert_eq!((code, said.contains("to nothing")), (Some(5), true), "{said}");
    desk.plan("plan.json", &["--all"]);
    assert_eq!(push(&desk, &[]).0, Some(0));
    assert_eq!(git(&desk.fleet.path, &["rev-parse", "image-updates^"]), desk.fleet.tip("main").unwrap());
}

#[test]
fn a_checkout_branch_that_is_gone_is_named() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    git(&desk.fleet.path, &["branch", "-m", "main", "trunk"]);
    let (code, said) = push(&desk, &[]);
    assert_eq!((code, said.contains("to nothing")), (Some(5), true), "{said}");
    let ran = desk.run(&["plan", "--all", "--refresh", "always"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("has no branch main"), "{ran:?}");
    assert_eq!(desk.fleet.tip("image-updates"), None);
    git(&desk.fleet.path, &["branch", "-m", "trunk", "main"]);
    assert_eq!(desk.run(&["plan", "--all"]).code, Some(0), "what is not there is not remembered");
}

#[test]
fn a_repository_that_was_renamed_is_followed_to_its_new_address() {
    let Some(server) = GitServer::start(false) else { return };
    let mut desk = Desk::reviewing();
    let file = |name: &str| git(&desk.fleet.path, &["show", &format!("main:apps/{name}.yaml")]) + "\n";
    let (web, db) = (file("web"), file("db"));
    let fleet = server.create("fleet", &[("apps/web.yaml", &web), ("apps/db.yaml", &db)]);
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let old = format!("{}/old-name/fleet.git", server.url);
    desk.write("objects/all.yaml", &objects.replace(&format!("file://{}", desk.fleet.path.display()), &old));
    for (name, value) in [("SUPERCARGO_GIT_USERNAME", WRITER), ("SUPERCARGO_GIT_PASSWORD", PASSWORD)] {
        desk.environment.push((name.to_owned(), value.to_owned()));
    }
    let plan = desk.plan("plan.json", &["--all"]);
    assert_eq!(plan["groups"][0]["remote"], json!(old));
    let (code, said) = push(&desk, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(git(&fleet.path, &["rev-list", "--count", "main..image-updates"]), "1");
    assert!(server.log().contains("\"POST /fleet.git/git-receive-pack"), "{}", server.log());
    fleet.assert_sound();
}

#[test]
fn a_plan_that_was_edited_lands_nothing() {
    let desk = Desk::reviewing();
    let mut plan = desk.plan("plan.json", &["--all"]);
    plan["groups"][0]["updates"][1]["sites"][0]["new"] = json!("evil:1");
    desk.write("plan.json", &plan.to_string());
    let (code, said) = push(&desk, &[]);
    assert_eq!((code, said.contains("edited by hand")), (Some(5), true), "{said}");
    let file = desk.path("plan.json");
    let push = ["push", "--plan", file.to_str().unwrap()];
    for (more, missing) in [("--read-only", "READ-ONLY"), ("--write", "a push has to be confirmed")] {
        let refused = desk.run(&[&push[..], &[more]].concat());
        assert!(refused.code == Some(7) && refused.err.contains(missing), "{refused:?}");
    }
    desk.write(".config/supercargo/config.toml", "protected_branches = ['image-*']\n");
    let unnamed = self::push(&desk, &[]);
    assert!(unnamed.0 == Some(7) && unnamed.1.contains("--confirm-branch image-updates"), "{unnamed:?}");
    assert_eq!(self::push(&desk, &["--confirm-branch", "image-updates"]).0, Some(5));
    assert_eq!(desk.fleet.tip("image-updates"), None);
}

#[test]
fn a_plan_without_commits_says_that_nothing_was_pushed_and_what_kept_updates_out() {
    let desk = Desk::reviewing();
    std::fs::rename(&desk.fleet.path, desk.path("moved.git")).unwrap();
    let planned = desk.run(&["plan", "--all", "-o", "json"]);
    assert_eq!(planned.code, Some(3), "{planned:?}");
    std::fs::write(desk.path("plan.json"), &planned.out).unwrap();
    let ran = desk.run(&["push", "--plan", desk.path("plan.json").to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.err.starts_with("⚠ the plan has no commit: nothing to push\n  shop/"), "{ran:?}");
    let ran = desk.run(&["push", "--plan", desk.path("plan.json").to_str().unwrap(), "--quiet"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
}
