//! What a push does beside its branch: refspecs, options, commits of others. Against real repositories.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
}

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};
use supercargo::store::PushNote;
use support::desk::Desk;
use support::git::{git, git_command};

/// An automation beside the one that pushes to `main`.
const REVIEW: &str = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageUpdateAutomation\n\
     metadata: {name: review, namespace: shop}\n\
     spec: {interval: 1m, suspend: true, sourceRef: {kind: GitRepository, name: fleet}, git: {push: {branch: image-updates}, \
     commit: {author: {name: bot, email: bot@example.com}, messageTemplate: Review}}}\n";

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
fn a_branch_that_another_commit_of_the_plan_stands_on_is_pushed_last() {
    let desk = Desk::new("");
    desk.write("objects/review.yaml", REVIEW);
    let main = desk.fleet.tip("main").unwrap();
    desk.plan("plan.json", &["--all"]);
    let landed = desk.push(0, "plan.json", &["--confirm-branch", "main"]);
    let branches: Vec<&Value> =
        landed["results"].as_array().unwrap().iter().map(|result| &result["branch"]).collect();
    assert_eq!(branches, ["main", "image-updates"], "told in the plan's order");
    let below = |branch: &str| git(&desk.fleet.path, &["rev-parse", &format!("{branch}^")]);
    assert_eq!((below("main"), below("image-updates")), (main.clone(), main));
    desk.fleet.assert_sound();
}

#[test]
fn the_branch_that_is_read_is_confirmed_wherever_the_plan_is_pushed() {
    let desk = Desk::new("");
    desk.write(".config/supercargo/config.toml", "protected_branches = []\n");
    std::fs::create_dir(desk.path("empty")).unwrap();
    desk.plan("plan.json", &["--all"]);
    let (plan, empty) = (desk.path("plan.json"), desk.path("empty"));
    let push = ["push", "--plan", plan.to_str().unwrap(), "--write", "--yes", "-C", empty.to_str().unwrap()];
    let main = desk.fleet.tip("main");
    let ran = desk.run(&push);
    assert!(ran.code == Some(7) && ran.err.contains("main"), "{ran:?}");
    assert_eq!(desk.fleet.tip("main"), main);
    assert_eq!(desk.run(&[&push[..], &["--confirm-branch", "main"]].concat()).code, Some(0));
}

#[test]
fn a_push_option_that_is_no_line_is_refused_before_anything_is_sent() {
    let desk = Desk::new(", push: {branch: image-updates, options: {ci.variable: \"A=1\\nB=2\"}}");
    note_options(&desk);
    desk.plan("plan.json", &["--all"]);
    let plan = desk.path("plan.json");
    let ran = desk.run(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("cannot be a push option: it has a line break"), "{ran:?}");
    assert_eq!(desk.fleet.tip("image-updates"), None);
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
fn a_push_is_in_the_log_before_the_remote_has_anything() {
    let desk = Desk::reviewing();
    let (noted, log) = (desk.path("noted"), desk.path(".local/state/supercargo/log"));
    let hook = desk.fleet.path.join("hooks/pre-receive");
    std::fs::write(&hook, format!("#!/bin/sh\ncat {}/*.jsonl > {}\n", log.display(), noted.display()))
        .unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let commit = land(&desk, 0)["results"][0]["commit"].as_str().unwrap().to_owned();
    let then = std::fs::read_to_string(noted).unwrap();
    let last: Value = serde_json::from_str(then.lines().last().unwrap()).unwrap();
    let began = format!("pushing {} to image-updates of {}", commit.get(..7).unwrap(), desk.address());
    assert_eq!((&last["event"], &last["detail"]), (&json!("push"), &json!(began)), "{then}");
    let events = desk.run(&["events"]).out;
    assert!(events.find(&began) < events.find("pushed "), "{events}");
}

#[test]
fn a_push_that_gave_up_waiting_for_another_lands_nothing_afterwards() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let plan = desk.path("plan.json");
    let push = ["push", "--plan", plan.to_str().unwrap(), "--write", "--yes", "--timeout", "1s"];
    let ran = desk.while_another_pushes(Duration::from_secs(4), || desk.run(&push));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("waiting for omar") && ran.err.contains("gave up after 1s"), "{ran:?}");
    assert_eq!(desk.fleet.tip("image-updates"), None, "{ran:?}");
    let landed = desk.push(0, "plan.json", &[]);
    assert_eq!(landed["results"][0]["pushed"], json!(true), "{landed:#}");
}

#[test]
fn a_push_that_nobody_saw_the_end_of_is_settled_by_the_remote_and_told_once() {
    let desk = Desk::reviewing();
    let tip = desk.fleet.tip("main").unwrap();
    let begun = |branch: &str, commit: &str, second: i64| {
        let (time, outcome) = (jiff::Timestamp::from_second(second).unwrap(), None);
        let (plan, branch, commit) = ("7f3c9a01b2c4".to_owned(), branch.to_owned(), commit.to_owned());
        drop(desk.store().pushes().begin(&PushNote {
            plan,
            remote: desk.address(),
            branch,
            commit,
            time,
            outcome,
        }));
    };
    let other = "8d2e91b0".repeat(5);
    for (second, (branch, commit)) in
        (1..).zip([("main", &tip), ("main", &other), ("gone", &other), ("refs/for/main", &other)])
    {
        begun(branch, commit, second);
    }
    let told = || {
        let plan = desk.run(&["plan", "--all"]);
        let lines = plan.err.lines().filter(|line| line.contains("not seen to end"));
        lines.map(|line| line.rsplit_once("not seen to end, ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let expected = [
        "landed".to_owned(),
        format!("may have landed: main is at {} by now", tip.split_at(7).0),
        "did not land: the remote has no branch gone".to_owned(),
        "may have landed: the remote does not show what it got as refs/for/main".to_owned(),
    ];
    assert_eq!(told(), expected);
    assert_eq!(told(), [""; 0], "each once");
    let events = desk.run(&["events"]).out;
    assert_eq!(events.matches("not seen to end").count(), expected.len(), "{events}");
    let now = jiff::Timestamp::now().as_second();
    begun("gone", &other, now);
    for _ in 0..2 {
        let pending = "is not there yet and may still land: the remote has no branch gone";
        assert_eq!(told(), [pending], "a hook may still run");
    }
    desk.fleet.commit("gone", &[("notes", "1")], "Another push was faster");
    let moved = desk.fleet.tip("gone").unwrap();
    assert_eq!(told(), [format!("may have landed: gone is at {} by now", moved.split_at(7).0)]);
    assert_eq!(told(), [""; 0], "it cannot come any more");
    begun("main", &other, 9);
    let away = desk.path("away.git");
    std::fs::rename(&desk.fleet.path, &away).unwrap();
    for _ in 0..2 {
        let told = told();
        assert!(
            told.len() == 1 && told[0].starts_with("may have landed: the remote cannot be asked"),
            "{told:?}"
        );
    }
    std::fs::rename(&away, &desk.fleet.path).unwrap();
    assert_eq!(told().len(), 1, "asked again until somebody knows");
}

#[test]
fn programs_that_are_started_see_no_variable_of_ours() {
    let mut desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let script = |name: &str, then: &str| {
        let path = desk.path(name);
        let seen = desk.path("seen");
        std::fs::write(
            &path,
            format!("#!/bin/sh\necho {name} >> {seen}\nenv >> {seen}\n{then}", seen = seen.display()),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let signs = script("signs", "exit 1\n");
    let ssh = script("ssh-of-mine", "exit 1\n");
    let hook = script("hook", "exit 0\n");
    std::fs::rename(&hook, desk.fleet.path.join("hooks/pre-receive")).unwrap();
    for (name, value) in [
        ("GIT_USERNAME", "rita"),
        ("GIT_PASSWORD", "hunter2"),
        ("REGISTRY_PASSWORD", "hunter3"),
        ("REGISTRY_USERNAME", "rita"),
    ] {
        desk.environment.push((format!("SUPERCARGO_{name}"), value.to_owned()));
    }
    desk.environment.push(("SUPERCARGO_REGISTRY_HOST".to_owned(), desk.registry.clone()));
    desk.push(0, "plan.json", &[]);
    let identity = "[user]\n\tname = Rita\n\temail = rita@example.com\n";
    desk.write(".gitconfig", &format!("{identity}[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = {signs}\n"));
    desk.tags("web", &["1.0.0", "1.1.0", "1.2.0"]);
    desk.plan("next.json", &["--all"]);
    desk.push(2, "next.json", &[]);
    desk.write(".gitconfig", &format!("{identity}[core]\n\tsshCommand = {ssh}\n"));
    desk.run(&["get", "policies", "-C", "ssh://git@127.0.0.1:1/fleet.git"]);
    let seen = std::fs::read_to_string(desk.path("seen")).unwrap();
    assert!(["hook\n", "signs\n", "ssh-of-mine\n"].iter().all(|name| seen.contains(name)), "{seen}");
    assert!(!seen.contains("SUPERCARGO_") && !seen.contains("hunter"), "{seen}");
}

#[test]
fn the_full_name_of_a_branch_is_the_branch_and_confirms_it() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all", "--branch", "refs/heads/main"]);
    let refused = desk.push(7, "plan.json", &["--branch", "refs/heads/main"]);
    assert_eq!(refused, Value::Null);
    let landed =
        desk.push(0, "plan.json", &["--branch", "refs/heads/main", "--confirm-branch", "refs/heads/main"]);
    assert_eq!(landed["results"][0]["branch"], "main", "{landed:#}");
    let all = git(&desk.fleet.path, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(all, "refs/heads/main");
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
    assert_eq!(landed["also"], json!([]), "{landed:#}");
    let log = desk.run(&["events"]).out;
    for (what, end) in [("\tpushed ", "ok"), ("\tnot pushed to mirror of ", "error")] {
        let is_it = |line: &&str| line.contains(what) && line.contains(&format!("\t{end}\t"));
        assert!(log.lines().rev().take(2).any(|line| is_it(&line)), "{what} {end}: {log}");
    }
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
    let tried = desk.run(&["push", "--plan", plan.to_str().unwrap()]);
    assert!(tried.err.contains("to image-updates and main (dry run)"), "{tried:?}");
    assert!(
        tried.err.contains("⚠ main: it would be refused: ") && tried.err.contains("--confirm-branch main")
    );
    assert!(desk.run(&["plan", "--all"]).out.contains("image-updates and main from main"));
    assert_eq!((desk.fleet.tip("main"), desk.fleet.tip("image-updates")), (before, None));
    desk.push(0, "plan.json", &["--confirm-branch", "main"]);
    assert_eq!(desk.fleet.tip("main"), desk.fleet.tip("image-updates"));
}

#[test]
fn what_an_object_calls_a_branch_is_one_whatever_its_name_looks_like() {
    // As controllers have it.
    let desk = Desk::new(", push: {branch: refs/heads/main}");
    let before = desk.fleet.tip("main");
    desk.plan("plan.json", &["--all"]);
    desk.push(0, "plan.json", &[]);
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

/// Policy and old values of each update of a plan.
fn planned(plan: &Value) -> Vec<(String, Value)> {
    let updates =
        plan["groups"].as_array().unwrap().iter().flat_map(|group| group["updates"].as_array().unwrap());
    updates
        .map(|update| (update["policy"]["name"].as_str().unwrap().to_owned(), update["current"].clone()))
        .collect()
}

#[test]
fn another_branch_gets_what_its_own_files_lack() {
    let desk = Desk::reviewing();
    land(&desk, 0);
    assert_eq!(planned(&desk.plan("none.json", &["--all"])), [], "the automation's own branch has it");
    let other = desk.plan("other.json", &["--all", "--branch", "feat/a"]);
    let lacks = [("db".to_owned(), json!(["1.0.0"])), ("web".to_owned(), json!(["1.0.0"]))];
    assert_eq!(planned(&other), lacks);
    let landed = desk.push(0, "other.json", &[]);
    assert_eq!(landed["results"][0]["branch"], json!("feat/a"), "{landed:#}");
    assert_eq!(planned(&desk.plan("again.json", &["--all", "--branch", "feat/a"])), []);
    let named = desk.plan("main.json", &["web", "--branch", "main"]);
    assert_eq!(planned(&named), lacks[1..]);
}

#[test]
fn a_branch_for_each_update_begins_as_what_the_automation_reads() {
    let desk = Desk::reviewing();
    land(&desk, 0);
    let each = ["--all", "--split", "policy", "--branch", "updates/{policy}-{tag}"];
    let plan = desk.plan("plan.json", &each);
    assert_eq!(planned(&plan).len(), 2, "{plan:#}");
    desk.push(0, "plan.json", &[]);
    let again = desk.plan("again.json", &each);
    assert_eq!(planned(&again), []);
    let said = again["problems"].to_string();
    assert!(said.contains("updates/web-1.1.0 has 1.1.0 already"), "{said}");
}

#[test]
fn what_a_branch_has_already_is_one_sentence() {
    let desk = Desk::reviewing();
    let all = ["--all", "--branch", "all/{automation}"];
    desk.plan("plan.json", &all);
    desk.push(0, "plan.json", &[]);
    let again = desk.plan("again.json", &all);
    assert_eq!(planned(&again), []);
    let said: Vec<&str> = again["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["message"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["all/apps has 2 updates already: shop/db 1.2.0, shop/web 1.1.0"]);
}

#[test]
fn what_was_pushed_is_known_without_asking_again() {
    let desk = Desk::reviewing();
    land(&desk, 0);
    let updates = desk.json(0, &["get", "updates"]);
    assert_eq!(updates["items"], json!([]), "{updates:#}");
    desk.tags("web", &["1.0.0", "1.1.0", "1.2.0"]);
    let scanned = desk.run(&["scan", "repository", "web", "-n", "shop"]);
    assert_eq!(scanned.code, Some(0), "{scanned:?}");
    land(&desk, 0);
}

#[test]
fn a_plan_that_was_squashed_into_its_base_is_there_already_whatever_came_along() {
    let desk = Desk::reviewing();
    land(&desk, 0);
    let [web, db] = ["web", "db"].map(|name| {
        let path = format!("apps/{name}.yaml");
        let text = git(&desk.fleet.path, &["show", &format!("image-updates:{path}")]);
        (path, format!("# by a colleague\n{text}\n"))
    });
    let half = desk.fleet.commit("main", &[(&web.0, &web.1)], "Half of it");
    git(&desk.fleet.path, &["update-ref", "-d", "refs/heads/image-updates"]);
    let stale = desk.push(5, "plan.json", &[]);
    assert_eq!(
        (&stale["results"][0]["already"], &stale["results"][0]["error"]["code"]),
        (&json!(false), &json!("stale_plan"))
    );
    assert!(stale["problems"].to_string().contains("main moved from"), "{stale:#}");
    let all = desk.fleet.commit("main", &[(&db.0, &db.1)], "Squashed");
    assert_ne!(half, all);
    let again = desk.push(0, "plan.json", &[]);
    let result = &again["results"][0];
    assert_eq!((&result["already"], &result["branch"]), (&json!(true), &json!("main")), "{again:#}");
    // It was brought by another, whose commit is none of the plan's.
    assert_eq!((&result["commit"], &result["base"]), (&json!(null), &json!(null)), "{again:#}");
    let file = desk.path("plan.json");
    let named = desk.run(&["push", "--plan", file.to_str().unwrap(), "--write", "--yes", "-o", "name"]);
    assert_eq!((named.code, named.out.as_str()), (Some(0), ""), "{named:?}");
    assert!(named.err.contains("main has all that the plan writes already"), "{named:?}");
    assert_eq!((desk.fleet.tip("main"), desk.fleet.tip("image-updates")), (Some(all), None));
}

#[test]
fn a_plan_on_which_others_built_is_there_already() {
    let desk = Desk::reviewing();
    let ours = commits(&land(&desk, 0));
    for n in 0..3 {
        desk.fleet.commit("image-updates", &[("notes", &format!("{n}"))], "notes");
    }
    let again = desk.push(0, "plan.json", &[]);
    assert_eq!((&again["results"][0]["already"], commits(&again)), (&json!(true), ours), "{again:#}");
}

#[test]
fn a_plan_that_landed_on_its_base_is_told_with_its_own_commit_whatever_came_on_top() {
    let desk = Desk::new("");
    desk.plan("plan.json", &["--all"]);
    let ours = commits(&desk.push(0, "plan.json", &["--confirm-branch", "main"]));
    desk.fleet.commit("main", &[("notes", "by a colleague")], "notes");
    let again = desk.push(0, "plan.json", &["--confirm-branch", "main"]);
    assert_eq!((&again["results"][0]["already"], commits(&again)), (&json!(true), ours), "{again:#}");
}

#[test]
fn a_plan_that_was_merged_and_whose_branch_is_gone_is_there_already() {
    let desk = Desk::reviewing();
    let ours = commits(&land(&desk, 0));
    desk.json(
        0,
        &["merge", "image-updates", "--into", "main", "--write", "--yes", "--confirm-branch", "main"],
    );
    git(&desk.fleet.path, &["update-ref", "-d", "refs/heads/image-updates"]);
    for n in 0..2 {
        let again = desk.push(0, "plan.json", &[]);
        let result = &again["results"][0];
        assert_eq!((&result["already"], &result["pushed"]), (&json!(true), &json!(false)), "{again:#}");
        assert_eq!((&result["branch"], commits(&again)), (&json!("main"), ours.clone()), "{again:#}");
        assert_eq!(desk.fleet.tip("image-updates"), None);
        desk.fleet.commit("main", &[("notes", &format!("{n}"))], "notes");
    }
}

#[test]
fn another_person_finds_the_commit_of_a_plan_in_the_base_that_it_was_merged_into() {
    let desk = Desk::reviewing();
    let ours = commits(&land(&desk, 0));
    git(&desk.fleet.path, &["update-ref", "refs/heads/main", "image-updates"]);
    git(&desk.fleet.path, &["update-ref", "-d", "refs/heads/image-updates"]);
    assert_eq!(commits_of_another(&desk, "plan.json", &[]), ours);
    assert_eq!(desk.fleet.tip("image-updates"), None);
}

#[test]
fn what_is_left_of_a_plan_lands_though_its_own_commit_moved_the_base() {
    let desk = Desk::new("");
    desk.write("objects/review.yaml", REVIEW);
    let main = desk.fleet.tip("main").unwrap();
    desk.plan("plan.json", &["--all"]);
    let hook = desk.fleet.path.join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\n[ \"$1\" != refs/heads/image-updates ]\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    desk.push(8, "plan.json", &["--confirm-branch", "main"]);
    assert_eq!(
        (git(&desk.fleet.path, &["rev-parse", "main^"]), desk.fleet.tip("image-updates")),
        (main.clone(), None)
    );
    std::fs::remove_file(&hook).unwrap();
    let landed = desk.push(0, "plan.json", &["--confirm-branch", "main"]);
    assert_eq!(landed["results"][0]["already"], json!(true), "{landed:#}");
    assert_eq!(git(&desk.fleet.path, &["rev-parse", "image-updates^"]), main);
}

#[test]
fn a_push_that_the_server_takes_back_is_an_error_however_well_it_spoke_of_it() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let hook = desk.fleet.path.join("hooks/post-receive");
    std::fs::write(&hook, "#!/bin/sh\nread o n r\nunset GIT_QUARANTINE_PATH\ngit update-ref -d $r\n")
        .unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let landed = desk.push(5, "plan.json", &[]);
    let result = &landed["results"][0];
    assert_eq!((&result["pushed"], &result["verified"]), (&json!(false), &json!(false)), "{landed:#}");
    assert!(
        result["error"]["message"].as_str().unwrap().contains("and taken, but the branch is gone"),
        "{landed:#}"
    );
    assert_eq!(desk.fleet.tip("image-updates"), None);
}

#[test]
fn a_push_after_which_the_remote_cannot_be_asked_is_settled_later() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let (hook, away) = (desk.fleet.path.join("hooks/post-receive"), desk.path("away.git"));
    std::fs::write(&hook, format!("#!/bin/sh\nmv \"$PWD\" {}\n", away.display())).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let landed = desk.push(3, "plan.json", &[]);
    let message = landed["results"][0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("whether it is there nobody knows"), "{landed:#}");
    std::fs::rename(&away, &desk.fleet.path).unwrap();
    assert!(desk.fleet.tip("image-updates").is_some());
    let settled = "not seen to end, landed";
    let told = || desk.run(&["plan", "--all"]).err.matches(settled).count();
    assert_eq!([told(), told()], [1, 0], "it is said once somebody could ask");
}

#[test]
fn of_two_automations_for_the_same_files_one_commits_and_the_other_has_nothing_left_to_do() {
    let desk = Desk::reviewing();
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let automation = objects.split("---\n").last().unwrap();
    let second = automation.replace("{name: apps,", "{name: apps2,");
    desk.write("objects/all.yaml", &format!("{objects}---\n{second}"));
    assert_eq!(land(&desk, 0)["results"].as_array().unwrap().len(), 1);
    // To branches of their own both have something to do; on one branch the second finds it done.
    let desk = Desk::reviewing();
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let automation = objects.split("---\n").last().unwrap();
    let second = automation.replace("{name: apps,", "{name: apps2,");
    let second = second.replace("branch: image-updates", "branch: other");
    desk.write("objects/all.yaml", &format!("{objects}---\n{second}"));
    desk.plan("plan.json", &["--all"]);
    let landed = desk.push(0, "plan.json", &["--branch", "one"]);
    let results = landed["results"].as_array().unwrap();
    assert_eq!(results.len(), 2, "{landed:#}");
    assert!(results.iter().all(|result| result["verified"] == json!(true)), "{landed:#}");
    assert_eq!(results[0]["commit"], results[1]["commit"], "{landed:#}");
    desk.fleet.assert_sound();
    assert_eq!(commits_of_another(&desk, "plan.json", &["--branch", "one"]), commits(&landed));
}

fn commits(landed: &Value) -> Vec<Value> {
    landed["results"].as_array().unwrap().iter().map(|result| result["commit"].clone()).collect()
}

/// What another person, who has nothing of ours, finds there of the same plan: each commit, none of which is pushed again.
fn commits_of_another(desk: &Desk, plan: &str, more: &[&str]) -> Vec<Value> {
    desk.write(".gitconfig", "[user]\n\tname = Sam\n\temail = sam@example.com\n");
    let _ = std::fs::remove_dir_all(desk.path(".cache"));
    let landed = desk.push(0, plan, more);
    let results = landed["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["already"] == json!(true)), "{landed:#}");
    commits(&landed)
}

#[test]
fn every_commit_of_a_plan_is_looked_for_on_its_branch() {
    let desk = Desk::reviewing();
    let plan = desk.plan("plan.json", &["--all", "--split", "policy"]);
    let landed = desk.push(0, "plan.json", &[]);
    assert_eq!(commits(&landed).len(), 2, "{landed:#}");
    assert_eq!(commits_of_another(&desk, "plan.json", &[]), commits(&landed));
    // The last alone, by the same author, of the same time and with the same words: the plan is not there.
    let bare = &desk.fleet.path;
    let first = plan["groups"][0]["files"][0]["path"].as_str().unwrap();
    let index = |arguments: &[&str]| {
        let mut command = git_command(bare);
        let output = command.env("GIT_INDEX_FILE", desk.path("index")).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let before = git(bare, &["rev-parse", &format!("main:{first}")]);
    index(&["read-tree", "image-updates"]);
    index(&["update-index", "--cacheinfo", &format!("100644,{before},{first}")]);
    let at = |name: &str| git(bare, &["rev-parse", name]);
    let alone = git(bare, &["cat-file", "commit", "image-updates"])
        .replace(&at("image-updates^{tree}"), &index(&["write-tree"]))
        .replace(&at("image-updates^"), &at("main"));
    desk.write("alone", &format!("{alone}\n"));
    let file = desk.path("alone");
    let other = git(&desk.fleet.path, &["hash-object", "-t", "commit", "-w", file.to_str().unwrap()]);
    git(&desk.fleet.path, &["update-ref", "refs/heads/image-updates", &other]);
    let refused = desk.push(5, "plan.json", &[]);
    assert!(
        refused["results"].as_array().unwrap().iter().all(|result| result["already"] == json!(false)),
        "{refused:#}"
    );
}
