//! `revert`: what a commit did to marked values is taken back by a plan, where it still stands.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
}

use serde_json::{Value, json};
use support::desk::{DB, Desk, WEB};
use support::git::git;

/// A desk that pushes to `main` itself, whose updates have landed; and the commit that did it.
fn updated() -> (Desk, String) {
    let desk = Desk::new("");
    desk.plan("plan.json", &["--all"]);
    let pushed = desk.push(0, "plan.json", &["--confirm-branch", "main"]);
    let commit = pushed["results"][0]["commit"].as_str().unwrap().to_owned();
    (desk, commit)
}

fn file(desk: &Desk, name: &str) -> String {
    git(&desk.fleet.path, &["show", &format!("main:apps/{name}.yaml")])
}

/// Makes the plan, keeps it and returns it.
fn revert(desk: &Desk, commit: &str) -> Value {
    let plan = desk.json(0, &["revert", commit, "--refresh", "always"]);
    desk.write("revert.json", &plan.to_string());
    plan
}

#[test]
fn the_old_values_come_back_by_a_plan_that_says_what_it_takes_back() {
    let (desk, commit) = updated();
    assert!(file(&desk, "web").contains("/web:1.1.0 "), "{}", file(&desk, "web"));
    let plan = revert(&desk, commit.split_at(7).0);
    assert_eq!((&plan["kind"], &plan["problems"]), (&json!("Plan"), &json!([])));
    let update = &plan["groups"][0]["updates"][1];
    assert_eq!((&update["policy"]["name"], &update["current"]), (&json!("web"), &json!(["1.1.0"])));
    assert_eq!((&update["new"]["tag"], &update["downgrade"]), (&json!("1.0.0"), &json!(true)));
    desk.push(0, "revert.json", &["--confirm-branch", "main"]);
    let old = |text: &str| text.replace("@REGISTRY@", &desk.registry).trim_end().to_owned();
    assert_eq!((file(&desk, "web"), file(&desk, "db")), (old(WEB), old(DB)));
    let message = git(&desk.fleet.path, &["log", "-1", "--format=%B", "main"]);
    assert_eq!(message, format!("Revert \"Update images\"\n\nThis reverts commit {commit}."));
    desk.fleet.assert_sound();
}

#[test]
fn a_commit_of_long_ago_is_found_and_what_changed_since_is_left_alone_and_named() {
    let (desk, commit) = updated();
    let newer = file(&desk, "web").replace("web:1.1.0", "web:1.5.0") + "\n";
    desk.fleet.commit("main", &[("apps/web.yaml", &newer)], "By hand");
    for n in 0..40 {
        desk.fleet.commit("main", &[("other.txt", &n.to_string())], "Other");
    }
    let plan = revert(&desk, &commit);
    let problem = &plan["problems"][0];
    assert_eq!((&problem["code"], &problem["subject"]), (&json!("skipped"), &json!("apps/web.yaml:2")));
    assert!(problem["message"].as_str().unwrap().contains("web:1.5.0"), "{problem}");
    desk.push(0, "revert.json", &["--confirm-branch", "main"]);
    assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "main^", "main"]), "apps/db.yaml");
    let message = git(&desk.fleet.path, &["log", "-1", "--format=%b", "main"]);
    assert_eq!(message, format!("This reverts commit {commit} in part."));
    // Once more there is nothing left to take back.
    let again = revert(&desk, &commit);
    assert_eq!((&again["groups"], again["problems"].as_array().unwrap().len()), (&json!([]), 2), "{again:#}");
}

#[test]
fn what_is_no_commit_of_these_branches_is_not_found() {
    let (desk, _) = updated();
    for (commit, code) in [("abc", 2), ("nothex", 2), ("HEAD", 2), ("0123456789", 3)] {
        let ran = desk.run(&["revert", commit]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
    }
    let readme = desk.fleet.commit("main", &[("README.md", "changed\n")], "Docs");
    let plan = revert(&desk, &readme);
    assert_eq!(plan["groups"], json!([]));
    assert!(plan["problems"][0]["message"].as_str().unwrap().ends_with("changed no marked value"), "{plan}");
}

#[test]
fn the_first_commit_of_a_history_cannot_be_taken_back() {
    let (desk, _) = updated();
    let root = git(&desk.fleet.path, &["rev-list", "--max-parents=0", "main"]);
    for _fetched in 0..2 {
        let ran = desk.run(&["revert", &root]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("is the first of its history: before it there was nothing"), "{ran:?}");
    }
}

#[test]
fn of_a_merge_what_came_with_the_other_branch_is_taken_back() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    desk.push(0, "plan.json", &[]);
    desk.fleet.commit("main", &[("other.txt", "1\n")], "Others went on");
    let into = desk.fleet.tip("main").unwrap();
    let merged = desk.json(
        0,
        &["merge", "image-updates", "--into", "main", "--write", "--yes", "--confirm-branch", "main"],
    );
    let commit = desk.fleet.tip("main").unwrap();
    assert_eq!(git(&desk.fleet.path, &["rev-parse", "main^1"]), into, "{merged:#}");
    let plan = revert(&desk, &commit);
    assert_eq!(plan["problems"], json!([]), "{plan:#}");
    assert_eq!(plan["groups"][0]["updates"].as_array().unwrap().len(), 2);
    let message = plan["groups"][0]["message"].as_str().unwrap();
    assert!(
        message.ends_with(&format!("This reverts commit {commit}, reversing\nchanges made to {into}.\n")),
        "{message}"
    );
}

#[test]
fn of_a_commit_by_hand_the_marked_values_are_taken_back_and_the_rest_is_named() {
    let (desk, _) = updated();
    let web =
        file(&desk, "web").replace("web:1.1.0", "web:1.0.0").replace("replicas: 2", "replicas: 3") + "\n";
    let files = [("apps/web.yaml", web.as_str()), ("new.txt", "1\n"), ("README.md", "2\n")];
    let by_hand = desk.fleet.commit("main", &files, "By hand");
    let plan = revert(&desk, &by_hand);
    let said = plan["problems"][0]["message"].as_str().unwrap();
    assert!(
        said.ends_with(
            "changed more than marked values in 3 files, which stays: new.txt, README.md, apps/web.yaml"
        ),
        "{said}"
    );
    assert!(plan["groups"][0]["message"].as_str().unwrap().ends_with(" in part.\n"), "{plan:#}");
    desk.push(0, "revert.json", &["--confirm-branch", "main"]);
    assert!(file(&desk, "web").contains("web:1.1.0") && file(&desk, "web").contains("replicas: 3"));
}

#[test]
fn what_cannot_be_taken_back_has_its_exit() {
    let (desk, commit) = updated();
    let exit = |arguments: &[&str]| desk.run(&[&["revert"], arguments].concat()).code;
    assert_eq!(exit(&[&commit, "--repo", "shop/flet"]), Some(2), "no such repository");
    assert_eq!(exit(&[&commit, "--repo", "shop/fleet"]), Some(0));
    assert_eq!(exit(&[&commit, "--read-only"]), Some(0), "it only reads");
    std::fs::rename(&desk.fleet.path, desk.path("gone.git")).unwrap();
    assert_eq!(exit(&[&commit, "--refresh=always"]), Some(3), "the remote is gone");
}

#[test]
fn what_the_push_branch_lacks_is_taken_back_on_the_branch_that_has_it() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["db"]);
    let pushed = desk.push(0, "plan.json", &[]);
    let reviewed = pushed["results"][0]["commit"].as_str().unwrap().to_owned();
    let web = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.1.0");
    let on_main = desk.fleet.commit("main", &[("apps/web.yaml", &web)], "Web by hand");
    let plan = revert(&desk, &on_main);
    assert_eq!((&plan["problems"], &plan["groups"][0]["push"]["branch"]), (&json!([]), &json!("main")));
    desk.push(0, "revert.json", &["--confirm-branch", "main"]);
    assert!(file(&desk, "web").contains("web:1.0.0"), "{}", file(&desk, "web"));
    let plan = revert(&desk, &reviewed);
    assert_eq!(plan["groups"][0]["push"]["branch"], json!("image-updates"), "{plan:#}");
}

#[test]
fn what_a_merge_brought_in_several_commits_is_taken_back_together() {
    let desk = Desk::reviewing();
    for policy in ["web", "db"] {
        desk.plan("plan.json", &[policy]);
        desk.push(0, "plan.json", &[]);
    }
    let into = desk.fleet.tip("main").unwrap();
    desk.json(
        0,
        &["merge", "image-updates", "--into", "main", "--write", "--yes", "--confirm-branch", "main"],
    );
    let commit = desk.fleet.tip("main").unwrap();
    let range = [into.split_at(7).0, commit.split_at(7).0].join("..");
    let events = desk.run(&["events", "-o", "json"]).out;
    assert!(events.contains(&format!(": {range}\"")), "{events}");
    let plan = revert(&desk, &range);
    assert_eq!(plan["problems"], json!([]), "{plan:#}");
    assert_eq!(plan["groups"][0]["updates"].as_array().unwrap().len(), 2);
    let message = plan["groups"][0]["message"].as_str().unwrap();
    assert!(message.ends_with(&format!("This reverts commits {into}..{commit}.\n")), "{message}");
}
