//! `plan --split policy` and branches whose names differ from update to update, landed on a real repository.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
}

use serde_json::{Value, json};
use support::desk::Desk;
use support::git::git;

fn branches(plan: &Value) -> Vec<&str> {
    let groups = plan["groups"].as_array().unwrap();
    groups.iter().map(|group| group["push"]["branch"].as_str().unwrap()).collect()
}

#[test]
fn each_policy_gets_a_commit_of_its_own_and_all_land_in_one_push() {
    let desk = Desk::reviewing();
    // Both policies in one file: the second commit stands on what the first makes of it.
    let both =
        format!("{}---\n{}", support::desk::WEB, support::desk::DB).replace("@REGISTRY@", &desk.registry);
    desk.fleet.commit("main", &[("apps/both.yaml", &both)], "Both");
    let plan = desk.plan("plan.json", &["--all", "--split", "policy"]);
    let of = |index: usize| &plan["groups"][index]["updates"];
    assert_eq!(plan["groups"].as_array().unwrap().len(), 2);
    assert_eq!((&of(0)[0]["policy"]["name"], &of(1)[0]["policy"]["name"]), (&json!("db"), &json!("web")));
    assert!(of(0).as_array().unwrap().len() == 1 && of(1).as_array().unwrap().len() == 1);
    let pushed = desk.push(0, "plan.json", &[]);
    assert_eq!(pushed["results"][1]["base"], pushed["results"][0]["commit"]);
    assert_eq!(git(&desk.fleet.path, &["rev-list", "--count", "main..image-updates"]), "2");
    let changed =
        |commit: &str| git(&desk.fleet.path, &["diff", "--name-only", &format!("{commit}^"), commit]);
    assert_eq!(changed("image-updates^"), "apps/both.yaml\napps/db.yaml");
    assert_eq!(changed("image-updates"), "apps/both.yaml\napps/web.yaml");
    let again = desk.push(0, "plan.json", &[]);
    let already = |index: usize| &again["results"][index]["already"];
    assert_eq!((already(0), already(1)), (&json!(true), &json!(true)), "{again:#}");
    assert_eq!(desk.json(0, &["get", "updates", "--refresh", "always"])["items"], json!([]));
    desk.fleet.assert_sound();
}

#[test]
fn each_update_goes_to_the_branch_that_its_names_make() {
    let desk = Desk::reviewing();
    let plan = desk.plan("plan.json", &["--all", "--split", "policy", "--branch", "updates/{policy}-{tag}"]);
    assert_eq!(branches(&plan), ["updates/db-1.2.0", "updates/web-1.1.0"]);
    let pushed = desk.push(0, "plan.json", &[]);
    let main = desk.fleet.tip("main").unwrap();
    assert!((0..2).all(|index| pushed["results"][index]["base"] == json!(main)), "{pushed:#}");
    for (branch, file) in [("updates/db-1.2.0", "apps/db.yaml"), ("updates/web-1.1.0", "apps/web.yaml")] {
        assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "main", branch]), file);
    }
    // A branch that is there is planned on: there is nothing left to do on it.
    assert_eq!(desk.plan("plan.json", &["--all", "--branch", "updates/{policy}-{tag}"])["groups"], json!([]));
    desk.fleet.assert_sound();
}

#[test]
fn a_branch_that_is_named_after_the_plan_is_the_same_for_the_same_plan() {
    let desk = Desk::reviewing();
    let arguments = ["--all", "--branch", "supercargo/{automation}-{plan}"];
    let first = desk.plan("plan.json", &arguments);
    let id = desk.plan("own.json", &["--all"])["id"].as_str().unwrap().to_owned();
    assert_eq!(
        branches(&first),
        [format!("supercargo/apps-{id}")],
        "the plan of the automation's own branch"
    );
    assert_eq!(branches(&desk.plan("plan.json", &arguments)), branches(&first));
    desk.push(0, "plan.json", &[]);
    let one = desk.plan("plan.json", &["web", "--branch", "supercargo/{automation}-{plan}"]);
    assert_ne!(branches(&one), branches(&first), "another plan, another branch");
    desk.fleet.assert_sound();
}

#[test]
fn updates_whose_names_make_the_same_branch_share_it() {
    let desk = Desk::reviewing();
    desk.tags("db", &["1.0.0", "1.1.0"]);
    let plan = desk.plan("plan.json", &["--all", "--branch", "release/{tag}"]);
    assert_eq!(branches(&plan), ["release/1.1.0"]);
    assert_eq!(plan["groups"][0]["files"].as_array().unwrap().len(), 2);
    // `release/*` is protected, whatever the placeholder stands for.
    assert_eq!(desk.push(7, "plan.json", &[]), json!(null));
    desk.push(0, "plan.json", &["--confirm-branch", "release/1.1.0"]);
    assert_eq!(git(&desk.fleet.path, &["rev-list", "--count", "main..release/1.1.0"]), "1");
}

#[test]
fn a_patch_for_several_branches_says_what_goes_where() {
    let desk = Desk::reviewing();
    let file = desk.path("all.patch");
    let patch = |branch: &str| {
        let to = ["--branch", branch, "--output-patch", file.to_str().unwrap()];
        desk.plan("plan.json", &[&["--all"][..], &to].concat());
        let text = std::fs::read_to_string(&file).unwrap();
        text.lines().filter(|line| line.starts_with("# ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let of = |branch: &str| format!("# {} {branch}", desk.address());
    assert_eq!(patch("updates/{policy}"), [of("updates/db"), of("updates/web")]);
    assert_eq!(patch("updates"), [""; 0]);
}

#[test]
fn a_dry_run_says_that_a_branch_is_created_whether_it_asks_the_remote_or_not() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    for dry_run in ["--dry-run=client", "--dry-run=server"] {
        let file = desk.path("plan.json");
        let pushed = desk.json(0, &["push", "--plan", file.to_str().unwrap(), dry_run]);
        assert_eq!(pushed["results"][0]["created"], true, "{dry_run}: {pushed:#}");
    }
    desk.push(0, "plan.json", &[]);
    desk.tags("web", &["1.0.0", "1.1.0", "1.3.0"]);
    desk.plan("plan.json", &["--all"]);
    let file = desk.path("plan.json");
    let pushed = desk.json(0, &["push", "--plan", file.to_str().unwrap(), "--dry-run=client"]);
    assert_eq!(pushed["results"][0]["created"], false, "{pushed:#}");
}
