//! A plan made elsewhere that a person lands at a real terminal: from the dashboard, which `review PLAN` opens, or by
//! an answer to `push`.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
    pub mod pty;
}

use std::time::Duration;

use serde_json::json;
use support::desk::{Desk, WEB};
use support::git::git;
use support::pty::Pty;

/// Keys in the first moments of a dialog are dropped.
const GUARD: Duration = Duration::from_millis(700);

/// Opens the plan that is kept as `plan.json`.
fn review(desk: &Desk) -> Pty {
    let (plan, objects, home) = (desk.path("plan.json"), desk.path("objects"), desk.path(""));
    // The plan was made on another machine: nothing that it fetched is here.
    let cache = desk.path("cache-of-the-dashboard");
    let arguments = ["review", plan.to_str().unwrap(), "-C", objects.to_str().unwrap(), "--write"];
    let variables = [
        ("HOME", home.to_str().unwrap()),
        ("XDG_CACHE_HOME", cache.to_str().unwrap()),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("USER", "rita"),
    ];
    Pty::start_with(100, 30, &arguments, &variables)
}

/// The update of `web` has landed on its review branch, and the result is on the screen.
fn pushed(desk: &Desk) -> Pty {
    desk.plan("plan.json", &["web"]);
    let mut pty = review(desk);
    pty.wait("shop/web").settle(Duration::from_secs(2));
    pty.press("p").wait("Push 1 commit?");
    std::thread::sleep(GUARD);
    pty.press("y").wait("merge image-updates into main").settle(Duration::from_secs(1));
    pty
}

#[test]
fn a_plan_of_ci_lands_in_two_keys_with_the_tags_that_it_has() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["web"]);
    desk.tags("web", &["1.0.0", "1.1.0", "1.9.0"]);
    let mut pty = review(&desk);
    pty.wait("shop/web").wait("1.1.0").settle(Duration::from_secs(2));
    pty.press("p").wait("Push 1 commit?");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 1 commit").wait("the remote now reports");
    assert_eq!(pty.keys, 2);
    // What the plan left undecided stays so, and what came after it is not in it.
    assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "main", "image-updates"]), "apps/web.yaml");
    assert!(git(&desk.fleet.path, &["show", "image-updates:apps/web.yaml"]).contains("/web:1.1.0 "));
    let again = desk.push(0, "plan.json", &[]);
    assert_eq!(again["results"][0]["already"], json!(true), "it is that plan that landed");
}

#[test]
fn a_plan_with_a_branch_for_each_update_lands_on_these_with_the_messages_that_it_has() {
    let desk = Desk::reviewing();
    let message = "Subject\n\nWithout an end";
    desk.plan(
        "plan.json",
        &["--all", "--split", "policy", "--branch", "x/{policy}/{tag}", "--message", message],
    );
    let mut pty = review(&desk);
    pty.wait("shop/web").settle(Duration::from_secs(2));
    pty.press("p").wait("Push 2 commits?").wait("2 sites · 2 commits");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 2 commits").settle(Duration::from_secs(1));
    for (branch, file) in [("x/db/1.2.0", "apps/db.yaml"), ("x/web/1.1.0", "apps/web.yaml")] {
        assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "main", branch]), file);
        assert!(git(&desk.fleet.path, &["cat-file", "-p", branch]).ends_with("Without an end"));
    }
    assert_eq!(desk.fleet.tip("image-updates"), None, "its own branch is not touched");
    let again = desk.push(0, "plan.json", &[]);
    assert!(
        again["results"].as_array().unwrap().iter().all(|landed| landed["already"] == json!(true)),
        "{again:#}"
    );
}

#[test]
fn what_could_not_be_scanned_is_blocked_at_the_next_start_too() {
    let desk = Desk::reviewing();
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    desk.write("objects/all.yaml", &objects.replace("/db, insecure", "/gone, insecure"));
    for _start in 0..2 {
        let (objects, home) = (desk.path("objects"), desk.path(""));
        let variables = [("HOME", home.to_str().unwrap()), ("GIT_CONFIG_NOSYSTEM", "1"), ("USER", "rita")];
        let mut pty = Pty::start_with(100, 30, &["-C", objects.to_str().unwrap()], &variables);
        pty.wait("blocked 1").wait("[!] shop/db").press("3").wait("fails").press("q");
        pty.wait_until("the end", |_| true);
    }
}

#[test]
fn a_target_that_is_chosen_at_the_question_is_where_the_commits_go() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let mut pty = review(&desk);
    pty.wait("shop/web").settle(Duration::from_secs(2));
    pty.press("p").wait("Push 1 commit?");
    std::thread::sleep(GUARD);
    pty.press("b").wait("Where do the commits go?").wait("main").wait("protected: its name is typed");
    pty.press("3").send("updates/{policy}").wait("updates/{policy}").press("\r").wait("Push 2 commits?");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 2 commits").settle(Duration::from_secs(1));
    for (branch, file) in [("updates/db", "apps/db.yaml"), ("updates/web", "apps/web.yaml")] {
        assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "main", branch]), file);
    }
    assert_eq!(desk.fleet.tip("image-updates"), None, "its own branch is not touched");
}

#[test]
fn a_plan_that_was_made_for_another_branch_lands_there_from_the_screen_too() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["web", "--branch", "elsewhere"]);
    let mut pty = review(&desk);
    pty.wait("shop/web").settle(Duration::from_secs(2));
    pty.press("5").wait("elsewhere");
    pty.press("p").wait("Push 1 commit?");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 1 commit").wait("the remote now reports");
    assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "main", "elsewhere"]), "apps/web.yaml");
}

#[test]
fn what_was_pushed_is_merged_and_taken_back_from_the_same_screen() {
    let desk = Desk::reviewing();
    let mut pty = pushed(&desk);
    let tip = desk.fleet.tip("image-updates");
    pty.press("j").press("j").press("\r").wait("Merge image-updates into main?").wait("fast-forward");
    std::thread::sleep(GUARD);
    pty.press("y").wait("Type the branch name to merge").send("main").wait("merge:  main");
    pty.press("\r").wait("the remote now reports").settle(Duration::from_secs(1));
    assert_eq!(desk.fleet.tip("main"), tip, "moved, and no commit more");
    // S10 says what was pushed, and takes it back.
    pty.press("6").wait("pushed ").settle(Duration::from_secs(1));
    pty.press(":").send("revert ").send(tip.as_deref().unwrap().get(..7).unwrap()).press("\r");
    pty.wait("this plan sets the old values back").wait("1.1.0 → 1.0.0");
    pty.press("p").wait("Push 1 commit?").wait("Revert \"");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 1 commit").wait("the remote now reports");
    assert!(git(&desk.fleet.path, &["show", "image-updates:apps/web.yaml"]).contains("/web:1.0.0 "));
    assert!(
        git(&desk.fleet.path, &["log", "-1", "--format=%B", "image-updates"]).contains("This reverts commit")
    );
    desk.fleet.assert_sound();
}

#[test]
fn a_merge_that_conflicts_names_the_file_and_moves_nothing() {
    let desk = Desk::reviewing();
    let mut pty = pushed(&desk);
    let touched = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.0.5");
    desk.fleet.commit("main", &[("apps/web.yaml", &touched)], "By hand");
    let main = desk.fleet.tip("main");
    pty.press("j").press("j").press("\r").wait("Merge image-updates into main?").wait("apps/web.yaml");
    std::thread::sleep(GUARD);
    pty.press("y").settle(Duration::from_secs(1));
    assert_eq!(desk.fleet.tip("main"), main);
}

#[test]
fn a_branch_that_moves_after_the_merge_was_looked_at_is_not_merged_into() {
    let desk = Desk::reviewing();
    let mut pty = pushed(&desk);
    pty.press("j").press("j").press("\r").wait("fast-forward");
    desk.fleet.commit("main", &[("README.md", "A colleague was faster\n")], "By hand");
    let main = desk.fleet.tip("main");
    std::thread::sleep(GUARD);
    pty.press("y").wait("Type the branch name to merge").send("main").press("\r");
    pty.wait("merge failed, nothing was merged").wait("main moved from");
    assert_eq!(desk.fleet.tip("main"), main);
    // Looked at again, it takes a commit that joins both.
    pty.press("j").press("\r").wait("a merge commit on top of both");
}

#[test]
fn what_goes_back_lands_and_what_is_newer_stays_away() {
    let desk = Desk::reviewing();
    let newer = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.0.5");
    desk.fleet.commit("main", &[("apps/web.yaml", &newer)], "By hand");
    desk.tags("web", &["1.0.0", "1.0.5", "1.1.0"]);
    desk.plan("plan.json", &["web"]);
    let mut pty = review(&desk);
    pty.wait("shop/web").settle(Duration::from_secs(2));
    pty.press("G").press(":").send("rollback").press("\r").wait("Roll back shop/web?").wait("1.0.0");
    pty.send("it crashes").press("\r").wait("1.0.5 → 1.0.0").wait("shop/web is held until");
    pty.press("p").wait("Push 1 commit?").wait("goes back to an older tag");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 1 commit").wait("the remote now reports").settle(Duration::from_secs(1));
    assert!(git(&desk.fleet.path, &["show", "image-updates:apps/web.yaml"]).contains("/web:1.0.0 "));
    pty.press("1").wait("[H] shop/web").wait("1.0.0 → 1.1.0");
}

#[test]
fn what_changed_since_is_undecided_and_said() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let touched = WEB.replace("@REGISTRY@", &desk.registry).replace("web:1.0.0", "web:1.0.5");
    desk.fleet.commit("main", &[("apps/web.yaml", &touched)], "By hand");
    let mut pty = review(&desk);
    pty.wait("changed since the plan was made, and undecided: apps/web.yaml:2");
    pty.settle(Duration::from_secs(1));
    pty.press("p").wait("Push 1 commit?");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 1 commit").wait("the remote now reports");
    assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "main", "image-updates"]), "apps/db.yaml");
}

#[test]
fn whether_and_by_whom_the_commit_will_be_signed_is_said_before_it_is_made() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["web"]);
    let user = "[user]\n\tname = Rita\n\temail = rita@example.com\n";
    let signs = "\tsigningKey = /keys/release.pub\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgSign = true\n";
    for (config, says, short) in [
        (user.to_owned(), "not signed", "not signed"),
        (
            [user, signs].concat(),
            "the operator's ssh key /keys/release.pub",
            "with the operator's ssh key /keys/release.pub",
        ),
    ] {
        desk.write(".gitconfig", &config);
        let mut pty = review(&desk);
        pty.wait("shop/web").wait("1.1.0").settle(Duration::from_secs(2));
        pty.press("c").wait("committer Rita <rita@example.com>").wait(says);
        pty.press("\x1b").settle(Duration::from_millis(500));
        pty.press("p").wait("Push 1 commit?").wait(short);
    }
}

#[test]
fn a_push_asks_on_the_terminal_behind_what_it_would_do_and_asks_nobody_else() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["web"]);
    let ask = |streams: &str| {
        let line = format!(
            "cd \"$HOME/objects\" && exec \"$SUPERCARGO\" push --plan ../plan.json --write {streams}"
        );
        let home = desk.path("");
        let variables = [("HOME", home.to_str().unwrap()), ("GIT_CONFIG_NOSYSTEM", "1"), ("USER", "rita")];
        Pty::shell(200, 30, &line, &variables)
    };
    let written = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    let question = "Type y to go on: ";
    for streams in ["2>../err.txt", "</dev/null 2>../err.txt", "</dev/null >../out.txt"] {
        let mut pty = ask(streams);
        assert_eq!(pty.end(), 7, "{streams}: {}", pty.text());
        pty.settle(Duration::from_millis(100));
        assert!(!pty.text().contains(question.trim()), "{streams}: {}", pty.text());
    }
    assert!(written("err.txt").contains("--yes") && !written("err.txt").contains("Type y"));

    let mut pty = ask(">../out.txt");
    pty.wait(question.trim());
    let said = pty.text();
    let (summary, behind) = said.split_once(question.trim()).unwrap();
    assert!(summary.contains("image-updates of file://"), "{said}");
    assert!(summary.contains("1 commit, 1 update, 1 file, 1 site"), "{said}");
    assert_eq!(behind.trim(), "", "the question comes last");
    assert_eq!((written("out.txt").as_str(), desk.fleet.tip("image-updates")), ("", None));
    pty.send("n\r").wait("nothing was pushed");
    assert_eq!((pty.end(), desk.fleet.tip("image-updates")), (7, None));

    let mut pty = ask(">../out.txt");
    pty.wait(question.trim()).send("y\r");
    assert_eq!(pty.end(), 0, "{}", pty.text());
    assert!(written("out.txt").contains("pushed, verified") && !written("out.txt").contains("Type y"));
    assert!(desk.fleet.tip("image-updates").is_some());
}

#[test]
fn what_is_no_plan_opens_nothing() {
    let desk = Desk::reviewing();
    let mut plan = desk.plan("plan.json", &["--all"]);
    assert_eq!(desk.run(&["review", desk.path("plan.json").to_str().unwrap()]).code, Some(2), "no terminal");
    plan["groups"][0]["message"] = json!("Something else");
    desk.write("plan.json", &plan.to_string());
    let mut pty = review(&desk);
    pty.wait("edited by hand");
    assert_eq!(pty.end(), 5);
}

#[test]
fn a_policy_that_is_gone_is_told_from_a_file_that_changed() {
    let desk = Desk::reviewing();
    desk.plan("plan.json", &["--all"]);
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let is_policy_of_web =
        |object: &&str| object.contains("kind: ImagePolicy") && object.contains("{name: web,");
    let rest: Vec<&str> = objects.split("---\n").filter(|object| !is_policy_of_web(object)).collect();
    desk.write("objects/all.yaml", &rest.join("---\n"));
    let mut pty = review(&desk);
    pty.wait("no policy any more, and left out: shop/web");
    assert!(!pty.text().contains("changed since the plan was made"), "{}", pty.text());
}
