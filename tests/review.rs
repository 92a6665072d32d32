//! `review PLAN`: a plan made elsewhere, opened in the dashboard of a real terminal and landed from there.
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
