//! `rollback`: an older tag, and what keeps it there in the files, in one plan and one commit that can be taken back.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
    pub mod programs;
    pub mod pty;
}

use std::time::Duration;

use serde_json::{Value, json};
use supercargo::domain::plan::{Plan, sha256_hex};
use support::desk::{DB, Desk, WEB};
use support::git::{GitServer, PASSWORD, WRITER, git};
use support::pty::Pty;

const OBJECTS: &str = "clusters/all.yaml";

/// A desk whose files are at `web:1.1.0`, whose automation is active, and whose objects stand in the repository, too.
fn desk() -> Desk {
    let desk = Desk::new("");
    desk.tags("web", &["1.0.0", "1.0.4", "1.0.5", "1.1.0"]);
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let objects = objects.replace("suspend: true, ", "");
    desk.write("objects/all.yaml", &objects);
    let web = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.1.0");
    desk.fleet.commit("main", &[(OBJECTS, &objects), ("apps/web.yaml", &web)], "Objects");
    desk
}

fn file(desk: &Desk, path: &str) -> String {
    git(&desk.fleet.path, &["show", &format!("main:{path}")])
}

/// Makes the plan that goes back to 1.0.4, keeps it as `back.json` and returns it.
fn back(desk: &Desk, keep: &str) -> Value {
    let arguments = ["rollback", "web", "--to", "1.0.4", "--reason", "loses keys", "--keep", keep];
    let plan = desk.json(0, &[&arguments[..], &["--until", "2099-01-02", "--refresh", "always"]].concat());
    desk.write("back.json", &plan.to_string());
    plan
}

/// The update of `web`.
fn web(plan: &Value) -> &Value {
    let updates = plan["groups"][0]["updates"].as_array().unwrap();
    updates.iter().find(|update| update["policy"]["name"] == "web").unwrap()
}

#[test]
fn the_older_tag_is_kept_by_what_the_same_commit_changes_in_the_files_and_all_of_it_can_be_taken_back() {
    for (keep, field, comes) in [
        ("suspend", "ImageUpdateAutomation.spec.suspend", ", suspend: true}"),
        (
            "exclude",
            "ImageRepository.spec.exclusionList",
            r", exclusionList: [^.*\.sig$, ^1\.1\.0$, ^1\.0\.5$]}",
        ),
        ("narrow", "ImagePolicy.spec.policy.semver.range", "{range: 1.x <=1.0.4}"),
    ] {
        let desk = desk();
        let before = git(&desk.fleet.path, &["rev-parse", "main^{tree}"]);
        let plan = back(&desk, keep);
        let update = web(&plan);
        let edit = &update["edits"][0];
        assert_eq!((&edit["field"], &edit["file"]), (&json!(field), &json!(OBJECTS)), "{plan:#}");
        assert!(edit["new"].as_str().unwrap().contains(comes), "{keep}: {edit}");
        assert_eq!((&update["new"]["tag"], &update["downgrade"]), (&json!("1.0.4"), &json!(true)));
        assert_eq!(plan["bytes_changed_outside_markers"], 0);

        let pushed = desk.push(0, "back.json", &["--confirm-branch", "main"]);
        let commit = pushed["results"][0]["commit"].as_str().unwrap();
        assert!(file(&desk, OBJECTS).contains(comes), "{}", file(&desk, OBJECTS));
        assert!(file(&desk, "apps/web.yaml").contains("/web:1.0.4 "));
        let numbers = git(&desk.fleet.path, &["diff", "--numstat", "main^", "main"]);
        assert_eq!(numbers, format!("1\t1\tapps/web.yaml\n1\t1\t{OBJECTS}"), "a line each");
        let message = git(&desk.fleet.path, &["log", "-1", "--format=%B", "main"]);
        assert!(message.contains("until 2099-01-02: loses keys"), "{message}");
        assert!(message.contains(&format!("({OBJECTS})")), "{message}");
        let holds = desk.json(0, &["get", "holds"]);
        assert_eq!(
            (&holds["items"][0]["tag"], &holds["items"][0]["reason"]),
            (&Value::Null, &json!("loses keys"))
        );

        let plan = desk.json(0, &["revert", commit, "--refresh", "always"]);
        assert_eq!(plan["problems"], json!([]));
        desk.write("revert.json", &plan.to_string());
        // The policy is held: it comes back once somebody lets go of it.
        let file = desk.path("revert.json");
        let file = file.to_str().unwrap();
        let ran = desk.run(&["push", "--plan", file, "--write", "--yes", "--confirm-branch", "main"]);
        assert!(ran.code == Some(7) && ran.err.contains("unhold"), "{ran:?}");
        desk.json(0, &["unhold", "web"]);
        desk.push(0, "revert.json", &["--confirm-branch", "main"]);
        assert_eq!(git(&desk.fleet.path, &["rev-parse", "main^{tree}"]), before, "{keep}: to the byte");
        desk.fleet.assert_sound();
    }
}

#[test]
fn a_hold_alone_changes_no_object_and_what_is_no_older_tag_is_refused() {
    let desk = desk();
    let exit = |to: &str, more: &[&str]| {
        let arguments = [&["rollback", "web", "--reason", "x", "--to", to], more].concat();
        desk.run(&arguments)
    };
    for (to, more, says) in [
        ("1.1.0", &[][..], "1.1.0 is what the files hold now"),
        ("0.0.1", &[], "the registry has no tag 0.0.1"),
        ("1.0.4", &["--read-only"], "READ-ONLY"),
    ] {
        let ran = exit(to, more);
        assert!(
            ran.code != Some(0) && ran.err.to_lowercase().contains(&says.to_lowercase()),
            "{to}: {ran:?}"
        );
    }
    assert_eq!(desk.json(0, &["get", "holds"])["items"], json!([]), "what is refused holds nothing");
    let plan = back(&desk, "hold");
    assert_eq!(web(&plan)["edits"], Value::Null);
    assert_eq!(plan["groups"][0]["files"].as_array().unwrap().len(), 1);
    // The next run of everything leaves it alone.
    desk.push(0, "back.json", &["--confirm-branch", "main"]);
    let all = desk.json(0, &["plan", "--all", "--skip", "db", "--refresh", "always"]);
    assert_eq!(all["groups"], json!([]));
}

#[test]
fn a_tag_that_comes_after_going_back_is_left_out_of_everything_with_reason_and_date() {
    let desk = desk();
    for keep in ["hold", "exclude"] {
        let back = ["rollback", "web", "--to", "1.0.4", "--reason", "loses keys", "--until", "2099-01-02"];
        let ran = desk.run(&[&back[..], &["--keep", keep]].concat());
        let note = if keep == "hold" { "controllers ignore holds" } else { "come later are not excluded" };
        assert!(ran.code == Some(0) && ran.err.contains(note), "{ran:?}");
    }
    back(&desk, "hold");
    desk.push(0, "back.json", &["--confirm-branch", "main"]);
    desk.tags("web", &["1.0.4", "1.0.5", "1.1.0", "1.1.1"]);
    let all = desk.json(0, &["plan", "--all", "--skip", "db", "--refresh", "always"]);
    assert_eq!(all["groups"], json!([]));
    let told = desk.run(&["plan", "--all", "--skip", "db"]).err;
    assert!(told.contains("2099-01-02") && told.contains("loses keys"), "{told}");
}

#[test]
fn what_is_newer_than_the_files_is_no_tag_to_go_back_to_in_the_range_or_out_of_it() {
    let desk = desk();
    desk.tags("web", &["1.0.4", "1.1.0", "1.8.1", "2.0.0"]);
    for to in ["1.8.1", "2.0.0"] {
        let ran = desk.run(&["rollback", "web", "--to", to, "--reason", "x", "--refresh", "always"]);
        assert_eq!(ran.code, Some(2), "{to}: {ran:?}");
        assert!(ran.err.contains(&format!("{to} is not older than 1.1.0")), "{ran:?}");
        assert!(ran.err.contains("supercargo plan shop/web"), "{ran:?}");
    }
    assert_eq!(desk.json(0, &["get", "holds"])["items"], json!([]), "what is refused holds nothing");
}

#[test]
fn a_file_that_moved_underneath_keeps_the_plan_from_landing() {
    let desk = desk();
    back(&desk, "narrow");
    let moved = format!("# a colleague's\n{}\n", file(&desk, OBJECTS));
    desk.fleet.commit("main", &[(OBJECTS, &moved)], "By hand");
    let tip = desk.fleet.tip("main");
    desk.push(5, "back.json", &["--confirm-branch", "main"]);
    assert_eq!(desk.fleet.tip("main"), tip);
}

#[test]
fn a_plan_whose_edit_does_more_than_its_field_does_not_land_whatever_its_id_says() {
    let desk = desk();
    let mut plan = back(&desk, "suspend");
    plan.as_object_mut().unwrap().remove("apiVersion");
    let mut plan: Plan = serde_json::from_value(plan).unwrap();
    let mut updates = plan.groups[0].updates.iter_mut();
    let edit = &mut updates.find(|update| !update.edits.is_empty()).unwrap().edits[0];
    edit.new = edit.new.replace("interval: 1m", "interval: 9m");
    let after = edit.applied(&format!("{}\n", file(&desk, OBJECTS))).unwrap();
    let group = &mut plan.groups[0];
    let planned = group.files.iter_mut().find(|file| file.path == OBJECTS).unwrap();
    planned.sha256_after = sha256_hex(after.as_bytes());
    plan.id = plan.computed_id();
    let mut whole = json!({"apiVersion": "supercargo/v1", "kind": "Plan"});
    let body = serde_json::to_value(&plan).unwrap();
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    desk.write("back.json", &whole.to_string());
    let tip = desk.fleet.tip("main");
    let file = desk.path("back.json");
    let ran =
        desk.run(&["push", "--plan", file.to_str().unwrap(), "--write", "--yes", "--confirm-branch", "main"]);
    assert!(ran.code != Some(0), "{ran:?}");
    assert!(format!("{}{}", ran.out, ran.err).contains("more would change than"), "{ran:?}");
    assert_eq!(desk.fleet.tip("main"), tip);
}

#[test]
fn what_changed_since_is_left_alone_when_the_commit_is_taken_back() {
    let desk = desk();
    back(&desk, "narrow");
    let pushed = desk.push(0, "back.json", &["--confirm-branch", "main"]);
    let commit = pushed["results"][0]["commit"].as_str().unwrap();
    let wider = file(&desk, OBJECTS).replace("1.x <=1.0.4", "1.x <=1.0.5");
    desk.fleet.commit("main", &[(OBJECTS, &format!("{wider}\n"))], "By hand");
    let plan = desk.json(0, &["revert", commit, "--refresh", "always"]);
    let problem = plan["problems"][0]["message"].as_str().unwrap();
    assert!(problem.contains("it stands there no more as the commit left it"), "{plan:#}");
    assert_eq!(web(&plan)["edits"], Value::Null);
}

#[test]
fn the_dialog_shows_the_lines_of_each_means_and_lands_them_on_a_real_server() {
    let Some(server) = GitServer::start(false) else { return };
    let mut desk = desk();
    let url = server.repository("fleet");
    let objects = file(&desk, OBJECTS).replace(&desk.address(), &url);
    let local = |text: &str| text.replace("@REGISTRY@", &desk.registry);
    let web = local(WEB).replace("web:1.0.0", "web:1.1.0");
    let files = [(OBJECTS, format!("{objects}\n")), ("apps/web.yaml", web), ("apps/db.yaml", local(DB))];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    desk.fleet = server.create("fleet", &files);
    desk.write("objects/all.yaml", &objects);
    let home = desk.path("");
    let folder = desk.path("objects");
    let variables = [
        ("HOME", home.to_str().unwrap()),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("USER", "rita"),
        ("SUPERCARGO_GIT_USERNAME", WRITER),
        ("SUPERCARGO_GIT_PASSWORD", PASSWORD),
    ];
    let mut pty = Pty::start_with(100, 36, &["-C", folder.to_str().unwrap(), "--write"], &variables);
    pty.wait("shop/db").settle(Duration::from_secs(2));
    pty.press("3").wait("shop/web").settle(Duration::from_secs(1));
    pty.press("G").press(":").send("rollback").press("\r").wait("Roll back shop/web?").wait("1.0.5");
    pty.wait("would write the newer tag again");
    let down = "\x1b[B";
    pty.press(down).wait("spec.suspend").wait("suspen");
    pty.press(down).wait("spec.exclusionList");
    pty.press(down).wait("spec.policy.semver.range").wait("1.x <=1.0.5");
    pty.send("it crashes").press("\r").wait("1.1.0 → 1.0.5").wait("and ImagePolicy shop/web");
    pty.press("p").wait("Push 1 commit?").wait("1 edit");
    std::thread::sleep(Duration::from_millis(700));
    pty.press("y").wait("branch name").send("main").press("\r");
    pty.wait("pushed 1 commit").wait("the remote now reports").settle(Duration::from_secs(1));
    assert!(file(&desk, "apps/web.yaml").contains("/web:1.0.5 "));
    assert!(file(&desk, OBJECTS).contains("{range: 1.x <=1.0.5}"));
    let message = git(&desk.fleet.path, &["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("it crashes") && message.contains("ImagePolicy shop/web"), "{message}");
    desk.fleet.assert_sound();
}

/// Opens a plan that was made elsewhere.
fn review(desk: &Desk, plan: &str) -> Pty {
    let (plan, objects, home) = (desk.path(plan), desk.path("objects"), desk.path(""));
    let cache = desk.path("cache-of-the-dashboard");
    let variables = [
        ("HOME", home.to_str().unwrap()),
        ("XDG_CACHE_HOME", cache.to_str().unwrap()),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("USER", "rita"),
    ];
    let arguments = ["review", plan.to_str().unwrap(), "-C", objects.to_str().unwrap(), "--write"];
    Pty::start_with(100, 36, &arguments, &variables)
}

fn push(mut pty: Pty, says: &str) {
    pty.settle(Duration::from_secs(2));
    pty.press("p").wait("Push 1 commit?").wait("1 edit").wait(says);
    std::thread::sleep(Duration::from_millis(700));
    pty.press("y").wait("branch name").send("main").press("\r");
    pty.wait("pushed 1 commit").wait("the remote now reports");
}

#[test]
fn a_plan_that_no_policy_would_make_is_reviewed_with_its_edits_and_message_and_says_when_it_has_landed() {
    let desk = desk();
    let before = git(&desk.fleet.path, &["rev-parse", "main^{tree}"]);
    // The policy is at its latest tag: it brings no update of its own.
    back(&desk, "narrow");
    let mut pty = review(&desk, "back.json");
    pty.wait("1.1.0 → 1.0.4").wait("ImagePolicy shop/web");
    push(pty, "goes back to an older tag");
    assert!(file(&desk, OBJECTS).contains("{range: 1.x <=1.0.4}"));
    review(&desk, "back.json").wait("has landed already");

    desk.json(0, &["unhold", "web"]);
    let commit = desk.fleet.tip("main").unwrap();
    let plan = desk.json(0, &["revert", &commit, "--refresh", "always"]);
    desk.write("revert.json", &plan.to_string());
    let mut pty = review(&desk, "revert.json");
    pty.wait("1.0.4 → 1.1.0");
    push(pty, "Revert \"");
    let message = git(&desk.fleet.path, &["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("This reverts commit"), "{message}");
    assert_eq!(git(&desk.fleet.path, &["rev-parse", "main^{tree}"]), before, "to the byte");
}

#[test]
fn what_keeps_a_tag_on_a_branch_for_review_is_said_to_take_a_merge() {
    let desk = Desk::reviewing();
    desk.tags("web", &["1.0.0", "1.0.4", "1.1.0"]);
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let objects = objects.replace("suspend: true, ", "");
    desk.write("objects/all.yaml", &objects);
    let web = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.1.0");
    desk.fleet.commit("main", &[(OBJECTS, &objects), ("apps/web.yaml", &web)], "Objects");
    let keep = |means: &str| {
        let ran = desk.run(&["rollback", "web", "--to", "1.0.4", "--reason", "x", "--keep", means]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.err
    };
    let merge =
        "► shop/apps reads main: until image-updates is merged, a controller writes newer tags as before";
    for means in ["suspend", "narrow"] {
        let said = keep(means);
        assert!(said.contains("► once clusters read this, ") && said.contains(merge), "{said}");
    }
    assert!(!keep("hold").contains(merge));
}
