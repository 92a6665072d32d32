//! `merge`: a branch of a real repository goes into another by moving it or by a merge commit, or not at all.
mod support {
    pub mod desk;
    pub mod git;
}

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::json;
use support::desk::Desk;
use support::git::git;

/// Merges `review` into `main` for good; the program has to end with `code`.
fn merge(desk: &Desk, code: i32, arguments: &[&str]) -> serde_json::Value {
    let merge = ["merge", "review", "--into", "main", "--write", "--yes", "--confirm-branch", "main"];
    desk.json(code, &[&merge, arguments].concat())
}

/// A desk whose remote has a branch `review` that stands on `main` and changes one file.
fn reviewed() -> Desk {
    let desk = Desk::reviewing();
    git(&desk.fleet.path, &["branch", "review", "main"]);
    desk.fleet.commit("review", &[("apps/web.yaml", "image: web:2\n")], "Update web");
    desk
}

#[test]
fn a_branch_that_lacks_nothing_but_the_review_moves_to_its_tip() {
    let desk = reviewed();
    let (base, review) = (desk.fleet.tip("main").unwrap(), desk.fleet.tip("review").unwrap());
    let dry = desk.json(0, &["merge", "review", "--into", "main"]);
    assert_eq!((&dry["dry_run"], &dry["results"][0]["pushed"]), (&json!(true), &json!(false)));
    assert_eq!(desk.fleet.tip("main").as_ref(), Some(&base), "a dry run moves nothing");
    desk.write(
        ".config/supercargo/config.toml",
        "freeze = ['Mon 00:00 - Sun 23:59 UTC', 'Sun 23:59 - Mon 00:00 UTC']\n",
    );
    let told = desk.run(&["merge", "review", "--into", "main"]).err;
    assert!(told.contains("  with Update web (Colleague)\n⚠ pushes are frozen until "), "{told}");
    desk.write(".config/supercargo/config.toml", "");
    let done = merge(&desk, 0, &[]);
    assert_eq!((&done["kind"], &done["plan"]), (&json!("PushResult"), &json!(null)));
    let expected = json!({
        "automation": null, "remote": format!("file://{}", desk.fleet.path.display()), "branch": "main",
        "created": false, "base": base, "commit": review, "pushed": true, "verified": true, "already": false,
        "fast_forward": true, "credential": "none", "request": null, "error": null,
        "brings": [{"author": {"name": "Colleague", "email": "colleague@example.com"}, "subject": "Update web"}],
    });
    assert_eq!(done["results"], json!([expected]));
    assert_eq!(desk.fleet.tip("main"), Some(review));
    let again = merge(&desk, 0, &[]);
    assert_eq!(
        (&again["results"][0]["already"], &again["results"][0]["pushed"]),
        (&json!(true), &json!(false))
    );
}

#[test]
fn no_ff_makes_a_commit_by_the_operator_where_moving_the_branch_would_do() {
    let desk = reviewed();
    let (base, review) = (desk.fleet.tip("main").unwrap(), desk.fleet.tip("review").unwrap());
    let done = merge(&desk, 0, &["--no-ff"]);
    assert_eq!(done["results"][0]["fast_forward"], json!(false));
    let format = "--format=%P|%an <%ae>|%cn|%B";
    let expected = format!("{base} {review}|Rita <rita@example.com>|Rita|Merge branch 'review' into main");
    assert_eq!(git(&desk.fleet.path, &["log", "-1", format, "main"]), expected);
    assert_eq!(git(&desk.fleet.path, &["diff", "--name-only", "review", "main"]), "");
    desk.fleet.assert_sound();
}

#[test]
fn branches_that_parted_long_ago_are_joined_as_git_joins_them() {
    let desk = reviewed();
    for n in 0..40 {
        let text = format!("n: {n}\n");
        desk.fleet.commit("review", &[("apps/review.yaml", &text)], &format!("Review {n}"));
        desk.fleet.commit("main", &[("apps/main.yaml", &text)], &format!("Main {n}"));
    }
    let (base, review) = (desk.fleet.tip("main").unwrap(), desk.fleet.tip("review").unwrap());
    let expected = git(&desk.fleet.path, &["merge-tree", "--write-tree", "main", "review"]);
    let done = merge(&desk, 0, &[]);
    assert_eq!(done["results"][0]["verified"], json!(true));
    assert_eq!(git(&desk.fleet.path, &["rev-parse", "main^{tree}"]), expected);
    assert_eq!(git(&desk.fleet.path, &["log", "-1", "--format=%P", "main"]), format!("{base} {review}"));
    desk.fleet.assert_sound();
}

#[test]
fn what_both_changed_is_named_and_nothing_is_merged() {
    let desk = reviewed();
    let theirs =
        desk.fleet.commit("main", &[("apps/web.yaml", "image: web:3\n"), ("x.yaml", "x: 1\n")], "Other");
    let ran =
        desk.run(&["merge", "review", "--into", "main", "--write", "--yes", "--confirm-branch", "main"]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("review cannot be merged into main: both changed apps/web.yaml\n"), "{ran:?}");
    assert_eq!(desk.fleet.tip("main"), Some(theirs));
    let told = merge(&desk, 5, &["--no-ff"]);
    let result = &told["results"][0];
    assert_eq!((&told["kind"], &result["error"]["code"]), (&json!("PushResult"), &json!("merge_conflict")));
    assert_eq!((&result["branch"], &result["base"]), (&json!("main"), &json!(null)), "{told:#}");
    assert_eq!((&result["pushed"], &told["problems"][0]), (&json!(false), &result["error"]));
}

#[test]
fn a_branch_that_took_in_the_other_moves_to_its_tip() {
    let desk = reviewed();
    desk.fleet.commit("main", &[("x.yaml", "x: 1\n")], "Other");
    // A colleague merges main into the review; main is its second parent then.
    let tree = git(&desk.fleet.path, &["merge-tree", "--write-tree", "review", "main"]);
    let joined =
        git(&desk.fleet.path, &["commit-tree", &tree, "-p", "review", "-p", "main", "-m", "Take in main"]);
    git(&desk.fleet.path, &["update-ref", "refs/heads/review", &joined]);
    assert_eq!(merge(&desk, 0, &[])["results"][0]["fast_forward"], json!(true));
    assert_eq!(desk.fleet.tip("main"), Some(joined));
}

#[test]
fn a_merge_is_refused_as_a_push_is() {
    let desk = reviewed();
    let base = desk.fleet.tip("main").unwrap();
    for (code, arguments) in [
        (7, &["--read-only"] as &[&str]),
        (7, &["--write"]),
        (7, &["--write", "--yes"]),
        (7, &["--write", "--yes", "--confirm-branch", "master"]),
        (2, &["--repo", "shop/other"]),
    ] {
        let ran = desk.run(&[&["merge", "review", "--into", "main"], arguments].concat());
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    }
    let gone = desk.run(&["merge", "gone", "--into", "main"]);
    assert_eq!(gone.code, Some(3), "{gone:?}");
    assert!(gone.err.contains("has no branch gone"), "{gone:?}");
    assert_eq!(desk.run(&["merge", "main", "--into", "main"]).code, Some(2));
    git(&desk.fleet.path, &["config", "--add", "hooks.protected", "main"]);
    merge(&desk, 4, &[]);
    assert_eq!(desk.fleet.tip("main"), Some(base));
}

#[test]
fn a_merge_that_gave_up_waiting_for_another_moves_nothing_afterwards() {
    let desk = reviewed();
    let base = desk.fleet.tip("main");
    let merge =
        ["merge", "review", "--into", "main", "--write", "--yes", "--confirm-branch", "main", "--timeout=1s"];
    let ran = desk.while_another_pushes(Duration::from_secs(4), || desk.run(&merge));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("gave up after 1s"), "{ran:?}");
    assert_eq!(desk.fleet.tip("main"), base, "{ran:?}");
}

#[test]
fn a_merge_that_the_server_takes_back_is_an_error_however_well_it_spoke_of_it() {
    let desk = reviewed();
    let before = desk.fleet.tip("main");
    let hook = desk.fleet.path.join("hooks/post-receive");
    let script = "#!/bin/sh\nread o n r\nunset GIT_QUARANTINE_PATH\ngit update-ref $r $o\n";
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran =
        desk.run(&["merge", "review", "--into", "main", "--write", "--yes", "--confirm-branch", "main"]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("and taken, but the branch is at"), "{ran:?}");
    assert_eq!(desk.fleet.tip("main"), before);
}
