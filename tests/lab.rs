//! The guide, walked step by step on real servers with the program that people run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod git;
    pub mod lab;
    pub mod registry;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::git::{PASSWORD, READER, WRITER, git};
use support::lab::{DEPLOYMENT, KUSTOMIZATION, Lab, NEWEST, POLICY, changed_lines};

/// The cells of the row that begins with `name`.
fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let cells = |line: &'a str| line.split('\t').map(str::trim).collect::<Vec<_>>();
    let mut rows = table.lines().map(cells);
    rows.find(|cells| cells[0] == name).unwrap_or_else(|| panic!("no {name} in\n{table}"))
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

#[test]
fn the_guide_leads_from_an_empty_folder_to_the_commit_on_the_remote() {
    let Some(lab) = Lab::start() else { return };
    prerequisites_are_checked(&lab);
    a_repository_is_scanned(&lab);
    the_newest_tag_is_selected(&lab);
    markers_are_judged(&lab);
    updates_are_automated(&lab);
    objects_are_reconciled(&lab);
    the_servers_are_checked(&lab);
    let plan = the_push_is_refused_without_a_login(&lab);
    the_push_succeeds_with_one(&lab, &plan);
    a_new_image_appears(&lab);
    lab.instavote.assert_sound();
}

/// L1, before there is anything.
fn prerequisites_are_checked(lab: &Lab) {
    let report = lab.json(0, &["check", "--pre"]);
    assert_eq!((&report["kind"], &report["ok"]), (&json!("CheckReport"), &json!(true)));
    assert_eq!(check(&report, "git")["status"], "ok");
    assert_eq!(check(&report, "kube")["status"], "skipped");
    let text = lab.run(&["check"]).expect(0).out;
    assert!(text.contains("✔ git") && text.contains("- kube"), "{text}");
}

/// L3.
fn a_repository_is_scanned(lab: &Lab) {
    let image = format!("--image={}/vote", lab.registry.host);
    let create = ["create", "image", "repository", "vote", &image, "--interval=1m"];
    let export = lab.run(&[&create[..], &["--export"]].concat()).expect(0);
    assert!(export.out.contains("kind: ImageRepository\n"), "{}", export.out);
    lab.run(&create).expect(0).says(&[
        "✚ generating ImageRepository",
        "✔ ImageRepository created",
        "successful scan: found 6 tags",
    ]);
    let written = fs::read_to_string(lab.fleet().join("vote-registry.yaml")).unwrap();
    assert_eq!(written, export.out);
    let table = lab.run(&["get", "image", "repository"]).expect(0).out;
    assert_eq!(row(&table, "NAME")[..5], ["NAME", "LAST SCAN", "SUSPENDED", "READY", "MESSAGE"]);
    let cells = row(&table, "vote");
    assert_eq!(cells[2..4], ["False", "True"], "{table}");
    assert!(cells[4].starts_with("successful scan: found 6 tags with checksum "), "{table}");
}

/// L4.
fn the_newest_tag_is_selected(lab: &Lab) {
    let resolved = format!("Latest image tag for {}/vote resolved to {NEWEST}", lab.registry.host);
    lab.run(&POLICY).expect(0).says(&["✔ ImagePolicy created", &resolved]);
    let table = lab.run(&["get", "images", "policy"]).expect(0).out;
    assert!(row(&table, "vote").contains(&NEWEST), "{table}");
    let policy = &lab.json(0, &["get", "images", "policy", "vote"])["items"][0];
    assert_eq!(policy["latest"]["tag"], NEWEST);
    assert_eq!((&policy["type"], &policy["rule"]), (&json!("numerical"), &json!("asc")));
    assert_eq!(
        (&policy["pattern"], &policy["extract"]),
        (&json!("^main-[a-f0-9]+-(?P<ts>[0-9]+)"), &json!("$ts"))
    );
    assert_eq!((&policy["ready"], &policy["message"]), (&json!("True"), &json!(resolved)));
    for (flag, latest) in [("--select-semver=>=1.0.0", None), ("--select-alpha=asc", Some("v8"))] {
        let arguments = ["create", "image", "policy", "other", "--image-ref=vote", flag];
        let ran = lab.run(&arguments).expect(if latest.is_some() { 0 } else { 6 });
        assert!(latest.is_none_or(|tag| ran.err.contains(&format!("resolved to {tag}"))), "{}", ran.err);
    }
    fs::remove_file(lab.fleet().join("other-policy.yaml")).unwrap();
}

/// L5, on a clone of the manifests that lies beside the objects.
fn markers_are_judged(lab: &Lab) {
    git(&lab.path(""), &["clone", "-q", lab.instavote.path.to_str().unwrap(), "instavote"]);
    let report = lab.json(0, &["lint", lab.path("instavote").to_str().unwrap(), "-C", "."]);
    let markers = report["markers"].as_array().unwrap();
    assert_eq!((markers.len(), &report["problem_count"]), (3, &json!(0)), "{report:#}");
    assert!(markers.iter().all(|marker| marker["verdict"] == "outdated"), "{report:#}");
    let at = |marker: &Value| marker["file"] == "deploy/vote/staging/kustomization.yaml";
    let marker = markers.iter().find(|marker| at(marker)).unwrap();
    assert_eq!((&marker["current"], &marker["wanted"]), (&json!("v8"), &json!(NEWEST)));
    assert_eq!(marker["setter"], "flux-system:vote:tag");
    assert_eq!(marker["line"], 7);
}

/// L6.
fn updates_are_automated(lab: &Lab) {
    let url = format!("--url={}", lab.url);
    lab.run(&["create", "source", "git", "instavote", &url, "--branch=main"]).expect(0);
    lab.create_update("main").expect(0).says(&["✔ ImageUpdateAutomation created"]);
    let table = lab.run(&["get", "images", "update"]).expect(0).out;
    assert_eq!(row(&table, "NAME")[..5], ["NAME", "LAST RUN", "SUSPENDED", "READY", "MESSAGE"]);
    assert_eq!(row(&table, "instavote-all")[2..4], ["False", "True"], "{table}");
    let update = &lab.json(0, &["get", "images", "update"])["items"][0];
    assert_eq!(update["author"], json!({"name": "flux", "email": "flux@example.com"}));
    assert_eq!((&update["path"], &update["push_branch"]), (&json!("./deploy/vote/staging"), &json!("main")));
    assert_eq!((&update["remote"], &update["pending"]), (&json!(lab.url), &json!(1)));
    assert_eq!(update["template_warnings"][0]["code"], "removed_field", "{update:#}");
}

/// What a controller would do at its next turn, done now; nothing where the object is suspended.
fn objects_are_reconciled(lab: &Lab) {
    let selected = format!("✔ selected ref {}/vote:{NEWEST}", lab.registry.host);
    for (kind, name, said) in [
        ("repository", "vote", "✔ scan fetched 6 tags"),
        ("policy", "vote", &selected),
        ("update", "instavote-all", "✔ 1 update of 1 pending would be written: "),
    ] {
        lab.run(&["reconcile", "image", kind, name]).expect(0).says(&[said]);
        lab.run(&["suspend", "image", kind, name]).expect(0);
        lab.run(&["reconcile", "image", kind, name]).expect(2).says(&["resource is suspended"]);
        if kind == "repository" {
            what_is_suspended_is_not_scanned(lab);
        }
        let resumed = lab.run(&["resume", "image", kind, name, "--wait", "-o", "json"]).expect(0).json();
        assert_eq!(
            (&resumed["action"], &resumed["target"]),
            (&json!("resumed"), &json!("files")),
            "{resumed:#}"
        );
        assert!(said.ends_with(resumed["message"].as_str().unwrap()) || kind == "update", "{resumed:#}");
    }
    let plan = lab.run(&["reconcile", "image", "update", "--all"]).expect(0).out;
    assert!(plan.starts_with("plan ") && plan.contains("flux-system/instavote-all → "), "{plan}");
}

/// The one repository of the lab is suspended.
fn what_is_suspended_is_not_scanned(lab: &Lab) {
    let before = lab.json(0, &["get", "images", "repository"])["items"][0]["last_scan"].clone();
    let all = lab.run(&["scan", "repository", "--all", "-o", "json"]).expect(0);
    assert_eq!(all.json()["items"], json!([]));
    lab.run(&["scan", "repository", "--all"]).expect(0).says(&["vote: it is suspended, and not scanned"]);
    lab.run(&["scan", "repository", "vote"]).expect(2).says(&["resource is suspended", "supercargo resume"]);
    assert_eq!(lab.json(0, &["get", "images", "repository"])["items"][0]["last_scan"], before);
}

/// L1 again, now that there is something to reach.
fn the_servers_are_checked(lab: &Lab) {
    let report = lab.json(0, &["check"]);
    let registry = format!("registry/{}", lab.registry.host);
    for name in ["objects", &registry, "remote/flux-system/instavote"] {
        assert_eq!(check(&report, name)["status"], "ok", "{report:#}");
    }
}

/// L7.
fn the_push_is_refused_without_a_login(lab: &Lab) -> Value {
    let base = lab.instavote.tip("main").unwrap();
    let plan = lab.plan(&[]);
    let group = &plan["groups"][0];
    assert_eq!((&group["base"]["commit"], &group["push"]["branch"]), (&json!(base), &json!("main")));
    assert_eq!(plan["bytes_changed_outside_markers"], 0);
    // The template of the guide prints each image once, however many lines hold it.
    assert_eq!(group["message"], lab.image(NEWEST) + "\n");
    let codes: Vec<&Value> =
        group["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert!(codes.contains(&&json!("removed_field")), "{codes:?}");
    let patch = lab.run(&["diff", "updates"]).expect(1).out;
    assert!(patch.contains(&format!("+  newTag: {NEWEST} # {{\"$imagepolicy\"")), "{patch}");
    let updates = ["get", "updates", "--refresh=always", "--git-url=http://127.0.0.1:9/nowhere.git"];
    assert!(!lab.run(&updates).expect(3).err.contains('✔'), "nothing was checked");
    let next =
        format!("`supercargo create secret git NAME --url {} --username USER --password-stdin`", lab.url);
    lab.push(&["--confirm-branch=main"]).expect(4).says(&[&lab.url, "authentication required", &next]);
    let result = &lab.push(&["--confirm-branch=main", "-o", "json"]).expect(4).json()["results"][0];
    assert_eq!((&result["error"]["code"], &result["pushed"]), (&json!("git_auth_required"), &json!(false)));
    assert_eq!(lab.instavote.tip("main"), Some(base));
    let events = audited(lab);
    let (subject, kind) = ("flux-system/instavote-all", "push");
    let last = events.last().unwrap();
    assert_eq!(
        (&last["event"], &last["subject"], &last["plan"]),
        (&json!(kind), &json!(subject), &plan["id"])
    );
    assert_eq!((&last["result"], &last["mode"]), (&json!("error"), &json!("write")));
    plan
}

/// The audit log, oldest first.
fn audited(lab: &Lab) -> Vec<Value> {
    let logs = files_below(&lab.path("state/supercargo/log"));
    let text = |(_, bytes): &(PathBuf, Vec<u8>)| String::from_utf8(bytes.clone()).unwrap();
    let lines = logs.iter().map(text).collect::<String>();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// L8.
fn the_push_succeeds_with_one(lab: &Lab, plan: &Value) {
    let base = lab.instavote.tip("main").unwrap();
    lab.log_in(WRITER).expect(0);
    let dry = lab.run(&["push", "--plan", lab.plan_file().to_str().unwrap()]).expect(0);
    dry.says(&["(dry run)"]);
    assert_eq!(lab.instavote.tip("main").as_ref(), Some(&base), "a dry run sends nothing");
    let landed = lab.push(&["--confirm-branch=main", "-o", "json"]).expect(0).json();
    let result = &landed["results"][0];
    let commit = result["commit"].as_str().unwrap();
    assert_eq!((&result["pushed"], &result["verified"]), (&json!(true), &json!(true)));
    assert_eq!(result["credential"], "secret flux-system/instavote");
    assert_eq!(
        (landed["plan"].clone(), lab.instavote.tip("main").as_deref()),
        (plan["id"].clone(), Some(commit))
    );
    let shown = git(&lab.instavote.path, &["log", "-1", "--format=%P|%an <%ae>|%B", commit]);
    let image = lab.image(NEWEST);
    assert_eq!(shown, format!("{base}|flux <flux@example.com>|{image}"));
    only_marked_scalars_differ(lab, commit, &image);
    let event = audited(lab).pop().unwrap();
    let short: String = commit.chars().take(7).collect();
    let detail = format!("pushed {short} to main of {}", lab.url);
    assert_eq!((&event["result"], &event["detail"]), (&json!("ok"), &json!(detail)));
    let again = lab.push(&["--confirm-branch=main", "-o", "json"]).expect(0).json();
    assert_eq!(
        (&again["results"][0]["already"], &again["results"][0]["commit"]),
        (&json!(true), &json!(commit))
    );
    assert_eq!(lab.instavote.tip("main").as_deref(), Some(commit));
    assert_eq!(lab.json(0, &["get", "updates", "--refresh=always"])["items"], json!([]));
}

fn only_marked_scalars_differ(lab: &Lab, commit: &str, image: &str) {
    let read = |path: &str| {
        let output = support::git::git_command(&lab.instavote.path)
            .args(["cat-file", "blob", &format!("{commit}:deploy/vote/staging/{path}")])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(read("kustomization.yaml"), KUSTOMIZATION.replace("v8 #", &format!("{NEWEST} #")));
    assert_eq!(read("deployment.yaml"), DEPLOYMENT.replace("@REGISTRY@/vote:v8", image));
    let changed = changed_lines(&lab.instavote.path, commit);
    assert_eq!(changed.len(), 2, "{changed:?}");
}

/// L9.
fn a_new_image_appears(lab: &Lab) {
    let tag = "main-0000aaaa-1719063680";
    lab.registry.push("vote", tag);
    let scan = lab.json(0, &["scan", "repository", "vote"]);
    assert_eq!((&scan["items"][0]["tags"], &scan["items"][0]["new"]), (&json!(7), &json!(1)));
    let update = &lab.json(1, &["get", "updates", "--exit-code"])["items"][0];
    assert_eq!((&update["new"]["tag"], &update["state"]), (&json!(tag), &json!("pending")));
    assert_eq!(update["sites"].as_array().unwrap().len(), 2);
    lab.plan(&[]);
    lab.push(&["--confirm-branch=main"]).expect(0).says(&["✔ pushed "]);
    let tip = lab.instavote.tip("main").unwrap();
    assert_eq!(changed_lines(&lab.instavote.path, &tip).len(), 2);
}

/// L10, up to the pushed branch.
#[test]
fn a_review_branch_is_made_from_the_checkout_branch_and_only_ever_grows() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(WRITER).expect(0);
    let main = lab.instavote.tip("main").unwrap();
    let plan = lab.plan(&[]);
    assert_eq!(plan["groups"][0]["push"]["commit"], Value::Null);
    // Nobody follows this branch: it needs no confirmation by name.
    let landed = lab.push(&["-o", "json"]).expect(0).json();
    let first = landed["results"][0]["commit"].as_str().unwrap().to_owned();
    assert_eq!(landed["results"][0]["created"], true);
    let parent = |commit: &str| git(&lab.instavote.path, &["rev-parse", &format!("{commit}^")]);
    assert_eq!((parent(&first), lab.instavote.tip("main")), (main.clone(), Some(main)));
    lab.instavote.commit("main", &[("README.md", "moved on\n")], "Colleague's work");
    lab.registry.push("vote", "main-0000aaaa-1719063680");
    let plan = lab.plan(&[]);
    assert_eq!(plan["groups"][0]["push"]["commit"], json!(first), "{plan:#}");
    assert_eq!(plan["groups"][0]["push"]["behind"], 1, "{plan:#}");
    let landed = lab.push(&["-o", "json"]).expect(0).json();
    let second = landed["results"][0]["commit"].as_str().unwrap();
    assert_eq!((&landed["results"][0]["created"], parent(second)), (&json!(false), first));
    assert_eq!(lab.instavote.tip("image-updates").as_deref(), Some(second));
    lab.instavote.assert_sound();
}

/// A manifest with the whole image and with its digest alone.
const WITH_DIGEST: &str = r#"image:
  name: @REGISTRY@/vote:v8 # {"$imagepolicy": "flux-system:vote"}
  digest: "" # {"$imagepolicy": "flux-system:vote:digest"}
"#;

/// A lab whose policy reflects digests as `flags` say, and whose manifests have a place for them.
fn reflecting(flags: &[&str]) -> Option<Lab> {
    let lab = Lab::start()?;
    let file = ("deploy/vote/staging/values.yaml", &*WITH_DIGEST.replace("@REGISTRY@", &lab.registry.host));
    lab.instavote.commit("main", &[file], "Values with a digest");
    lab.automate("image-updates");
    lab.run(&[&POLICY[..], flags].concat()).expect(0);
    lab.log_in(WRITER).expect(0);
    Some(lab)
}

/// The policy as `get policies` shows it, on what `refresh` asks for.
fn policy(lab: &Lab, refresh: &str) -> Value {
    lab.json(0, &["get", "policies", refresh])["items"][0].clone()
}

#[test]
fn a_digest_lands_in_the_files_and_a_tag_that_moves_is_an_update() {
    let Some(lab) = reflecting(&["--reflect-digest=Always", "--interval=1h"]) else { return };
    let old = policy(&lab, "--refresh=auto")["latest"]["digest"].as_str().unwrap().to_owned();
    let values = || git(&lab.instavote.path, &["show", "image-updates:deploy/vote/staging/values.yaml"]);
    let written = |digest: &str| {
        let image = format!("{}@{digest}", lab.image(NEWEST));
        let whole = WITH_DIGEST.replace("@REGISTRY@/vote:v8", &image);
        whole.replace("digest: \"\"", &format!("digest: \"{digest}\"")).trim_end().to_owned()
    };
    let plan = lab.plan(&[]);
    let new = &plan["groups"][0]["updates"][0]["new"];
    assert_eq!(new, &json!({"tag": NEWEST, "digest": old}), "{plan:#}");
    lab.push(&[]).expect(0);
    assert_eq!(values(), written(&old));

    let moved = lab.registry.move_tag("vote", NEWEST);
    assert_eq!(policy(&lab, "--refresh=auto")["latest"]["digest"], json!(old), "an hour has not passed");
    let update = &lab.json(0, &["get", "updates", "--refresh=always"])["items"][0];
    assert_eq!((&update["step"], &update["new"]["digest"]), (&json!("digest"), &json!(moved)), "{update:#}");
    let shown = policy(&lab, "--refresh=never");
    let image = lab.image(NEWEST);
    let message = format!(
        "Latest image tag for {}/vote resolved to {NEWEST} with digest {moved} (previously {image}@{old})",
        lab.registry.host
    );
    assert_eq!((&shown["message"], &shown["ready"]), (&json!(message), &json!("True")));
    let tags = lab.json(0, &["get", "tags", "vote", "--state=latest", "--refresh=never"]);
    let latest = &tags["items"][0];
    assert_eq!(latest["digest"], json!(moved));
    assert!(latest["flags"].as_array().unwrap().contains(&json!("digest-moved")), "{latest:#}");

    lab.plan(&[]);
    let again = lab.registry.push("vote", NEWEST);
    assert_eq!(again, old);
    let refused = lab.push(&["--refresh=always"]).expect(5);
    refused.says(&[&format!("{image} has the digest {old} now and not {moved}")]);
    lab.push(&[]).expect(0);
    assert_eq!(values(), written(&moved));
    lab.instavote.assert_sound();
}

#[test]
fn a_digest_seen_once_stays_and_serves_without_a_network() {
    let Some(mut lab) = reflecting(&["--reflect-digest=IfNotPresent"]) else { return };
    let old = policy(&lab, "--refresh=auto")["latest"]["digest"].as_str().unwrap().to_owned();
    lab.registry.move_tag("vote", NEWEST);
    assert_eq!(policy(&lab, "--refresh=always")["latest"]["digest"], json!(old));
    lab.plan(&[]);
    lab.push(&["--refresh=always"]).expect(0);
    lab.registry.stop();
    assert_eq!(policy(&lab, "--refresh=never")["latest"]["digest"], json!(old));

    // Of another tag no digest is known: the policy keeps what it has, and that is said, whatever was wrong before.
    let choose = |rule: &[&str]| {
        let policy =
            ["create", "image", "policy", "vote", "--image-ref=vote", "--reflect-digest=IfNotPresent"];
        lab.run(&[&policy[..], rule, &["--refresh=never"]].concat())
    };
    choose(&["--select-alpha=asc", "--filter-regex=^none$"]).expect(6);
    let before = policy(&lab, "--refresh=never")["message"].as_str().unwrap().to_owned();
    assert!(!before.contains("digest"), "{before}");
    choose(&["--select-alpha=asc"]).expect(6);
    let shown = policy(&lab, "--refresh=never");
    let message = format!("failed fetching digest of {}: no registry is asked", lab.image("v8"));
    assert_eq!((&shown["ready"], &shown["reason"]), (&json!("False"), &json!("Failed")), "{shown:#}");
    assert_eq!((&shown["message"], &shown["latest"]["tag"]), (&json!(message), &json!(NEWEST)));
    let failed = policy(&lab, "--refresh=auto");
    let (image, host) = (lab.image("v8"), &lab.registry.host);
    let message = failed["message"].as_str().unwrap();
    let start =
        format!("failed fetching digest of {image}: failed fetching descriptor for \"{image}\": GET http");
    assert!(message.starts_with(&start) && message.contains(host), "{message}");
    assert_eq!(failed["latest"]["digest"], json!(old), "{failed:#}");
}

#[test]
fn a_damaged_memory_of_digests_is_set_aside_and_they_are_asked_for_again() {
    let Some(lab) = reflecting(&["--reflect-digest=IfNotPresent"]) else { return };
    policy(&lab, "--refresh=auto");
    let moved = lab.registry.move_tag("vote", NEWEST);
    let folder = lab.path("state/supercargo/reflected");
    let is_memory = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "refs");
    let mut files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(is_memory).unwrap();
    fs::write(&file, b"SCREFS\0\x01 and then nonsense").unwrap();
    lab.run(&["get", "policies"]).expect(0).says(&["was damaged and was set aside"]);
    assert_eq!(policy(&lab, "--refresh=never")["latest"]["digest"], json!(moved));
}

#[test]
fn a_site_for_a_digest_stays_as_it_is_where_the_policy_reflects_none() {
    let Some(lab) = reflecting(&[]) else { return };
    let plan = lab.plan(&[]);
    let sites = plan["groups"][0]["updates"][0]["sites"].as_array().unwrap();
    assert_eq!(sites.iter().filter(|site| site["new"] == "").count(), 0, "an empty value is right already");
    let text = WITH_DIGEST.replace("@REGISTRY@", &lab.registry.host).replace("\"\"", "sha256:00");
    lab.instavote.commit("main", &[("deploy/vote/staging/values.yaml", &text)], "A digest by hand");
    let ran = lab.run(&["plan", "--all", "--refresh=always", "-o", "json"]).expect(8);
    fs::write(lab.plan_file(), ran.says(&["the policy reflects no digest"]).out.clone()).unwrap();
    lab.push(&[]).expect(0);
    let values = git(&lab.instavote.path, &["show", "image-updates:deploy/vote/staging/values.yaml"]);
    assert!(values.contains("digest: sha256:00 #") && values.contains(&lab.image(NEWEST)), "{values}");
    assert!(!values.contains('@'), "{values}");
}

#[test]
fn a_plan_whose_image_is_gone_is_stale_where_the_registry_is_asked() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(WRITER).expect(0);
    lab.plan(&[]);
    lab.registry.remove_tag("vote", NEWEST);
    let refused = lab.push(&["--refresh=always", "-o", "json"]).expect(5);
    refused.says(&["stale_plan", &format!("the registry has no {} any more", lab.image(NEWEST))]);
    assert_eq!(lab.instavote.tip("image-updates"), None);
}

#[test]
fn a_plan_that_the_remote_moved_past_is_refused_whole() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.log_in(WRITER).expect(0);
    lab.plan(&[]);
    let theirs = lab.instavote.commit("main", &[("README.md", "moved on\n")], "Colleague's work");
    let ran = lab.push(&["--confirm-branch=main", "-o", "json"]).expect(5);
    assert_eq!(ran.json()["results"][0]["error"]["code"], "stale_plan");
    assert_eq!(lab.instavote.tip("main"), Some(theirs));
    lab.plan(&[]);
    lab.push(&["--confirm-branch=main"]).expect(0);
    let text = fs::read_to_string(lab.plan_file()).unwrap().replace(NEWEST, "main-ffffffff-1");
    fs::write(lab.plan_file(), text).unwrap();
    lab.push(&["--confirm-branch=main"]).expect(5);
}

#[test]
fn a_plan_lands_on_another_branch_whose_files_are_the_same() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.log_in(WRITER).expect(0);
    let theirs = lab.instavote.commit("main", &[("NOTES.md", "a colleague's\n")], "Colleague's work");
    git(&lab.instavote.path, &["branch", "review", &theirs]);
    git(&lab.instavote.path, &["update-ref", "refs/heads/main", &format!("{theirs}^")]);
    let plan = lab.plan(&[]);
    lab.push(&["--branch=review", "--dry-run=client"]).expect(3).says(&["--dry-run=server"]);
    for how in ["--dry-run=server", "--dry-run=client"] {
        let tried = lab.push(&["--branch=review", how, "-o", "json"]).expect(0).json();
        assert_eq!(tried["results"][0]["base"], json!(theirs), "{how}");
    }
    let landed = lab.push(&["--branch=review", "-o", "json"]).expect(0).json();
    let result = &landed["results"][0];
    assert_eq!((&landed["plan"], &result["branch"]), (&plan["id"], &json!("review")));
    assert_eq!((&result["base"], &result["created"]), (&json!(theirs), &json!(false)));
    let tip = lab.instavote.tip("review").unwrap();
    assert_eq!(result["commit"], json!(tip));
    assert_eq!(git(&lab.instavote.path, &["rev-parse", "review^"]), theirs);
    assert_eq!(changed_lines(&lab.instavote.path, &tip).len(), 2);
    let again = lab.push(&["--branch=review", "-o", "json"]).expect(0).json();
    let result = &again["results"][0];
    assert_eq!((&result["already"], &result["pushed"]), (&json!(true), &json!(false)));
    assert_eq!((&result["commit"], &result["base"]), (&json!(tip), &json!(theirs)));
    assert_eq!(lab.instavote.tip("review"), Some(tip));
}

#[test]
fn a_plan_does_not_land_on_another_branch_whose_files_differ() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.log_in(WRITER).expect(0);
    let path = "deploy/vote/staging/kustomization.yaml";
    let theirs = lab.instavote.commit("main", &[(path, "images: []\n")], "Colleague's work");
    git(&lab.instavote.path, &["branch", "review", &theirs]);
    git(&lab.instavote.path, &["update-ref", "refs/heads/main", &format!("{theirs}^")]);
    lab.plan(&[]);
    lab.push(&["--branch=review"]).expect(5).says(&[path]);
    assert_eq!(lab.instavote.tip("review"), Some(theirs));
}

#[test]
fn tags_of_any_image_are_judged_by_a_policy_that_is_named() {
    let Some(lab) = Lab::start() else { return };
    let image = format!("{}/vote", lab.registry.host);
    let create = ["create", "image", "repository", "vote", "--secret-ref=gone", "--interval=1m"];
    lab.run(&[&create[..], &["--image", &image]].concat()).expect(0);
    lab.run(&POLICY).expect(0);
    let tags = ["get", "tags", "--image", &image];
    lab.run(&[&tags[..], &["--state=latest"]].concat()).expect(2).says(&["--policy"]);
    let list = lab.json(0, &[&tags[..], &["--policy=vote", "--state=latest"]].concat());
    assert_eq!(list["policy"], json!({"namespace": "flux-system", "name": "vote"}));
    let found: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|item| &item["tag"]).collect();
    assert_eq!(found, [NEWEST]);
    // A secret that is nowhere is passed over, and said to be.
    assert_eq!(list["problems"][0]["code"], "secret_not_found", "{list:#}");
    lab.run(&["get", "policies", "frobnicate"]).expect(2).says(&["There are: flux-system/vote."]);
    let none = lab.run(&["get", "updates", "-n", "elsewhere", "-o", "json"]).expect(0);
    assert_eq!(none.json()["items"], json!([]));
    assert!(none.err.contains("✔ no pending updates"), "{}", none.err);
}

#[test]
fn what_is_not_confirmed_or_not_allowed_is_not_pushed() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.log_in(WRITER).expect(0);
    let base = lab.instavote.tip("main");
    lab.plan(&[]);
    lab.push(&[]).expect(7).says(&["--confirm-branch main"]);
    lab.push(&["--confirm-branch=image-updates"]).expect(7);
    let file = lab.plan_file();
    let push = ["push", "--plan", file.to_str().unwrap()];
    lab.run(&[&push[..], &["--write", "--confirm-branch=main"]].concat()).expect(7).says(&["--yes"]);
    lab.run(&[&push[..], &["--read-only"]].concat()).expect(7).says(&["READ-ONLY"]);
    lab.run(&[&push[..], &["--dry-run=none"]].concat()).expect(7).says(&["--write"]);
    lab.run(&["create", "image", "repository", "web", "--image=web", "--read-only"]).expect(7);
    assert_eq!(lab.instavote.tip("main"), base);
}

#[test]
fn a_login_that_may_only_read_is_named_and_flags_make_up_for_it() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.log_in(READER).expect(0);
    let base = lab.instavote.tip("main");
    lab.plan(&[]);
    let ran = lab.push(&["--confirm-branch=main"]).expect(4);
    ran.says(&[&lab.url, "secret flux-system/instavote", "403", "write access"]);
    let ran = lab.push(&["--confirm-branch=main", "-o", "json"]).expect(4);
    assert_eq!(ran.json()["results"][0]["error"]["code"], "git_auth_denied");
    assert!(!ran.err.contains(PASSWORD) && !ran.out.contains(PASSWORD));
    assert_eq!(lab.instavote.tip("main"), base);
    let file = lab.plan_file();
    let push = ["push", "--plan", file.to_str().unwrap(), "--write", "--yes", "--confirm-branch=main"];
    let login = ["--git-username", WRITER, "--git-password-stdin", "-o", "json"];
    let landed = lab.run_with(&[&push[..], &login].concat(), PASSWORD).expect(0).json();
    assert_eq!(landed["results"][0]["credential"], "flags");
}

#[test]
fn a_rejecting_server_is_quoted() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.log_in(WRITER).expect(0);
    lab.instavote.configure("hooks.protected", "main");
    lab.plan(&[]);
    let ran = lab.push(&["--confirm-branch=main", "-o", "json"]).expect(4);
    let error = &ran.json()["results"][0]["error"];
    assert_eq!(error["code"], "git_rejected");
    assert!(error["causes"].to_string().contains("Changes must be made through a pull request"), "{error:#}");
    // The way out that the hint names.
    lab.plan(&["--branch=image-updates"]);
    lab.push(&[]).expect(0);
    assert!(lab.instavote.tip("image-updates").is_some());
}

#[test]
fn an_address_is_rewritten_and_an_authority_trusted_as_git_does() {
    let Some(mut lab) = Lab::start_behind_tls() else { return };
    let address = std::mem::replace(&mut lab.url, "https://git.example.com/public-instavote.git".to_owned());
    lab.environment = vec![
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("url.{}/.insteadOf", lab.server.url)),
        ("GIT_CONFIG_VALUE_0", "https://git.example.com/".to_owned()),
        ("GIT_COMMITTER_NAME", "Rita".to_owned()),
        ("GIT_COMMITTER_EMAIL", "rita@example.com".to_owned()),
    ];
    lab.automate("image-updates");
    lab.log_in(WRITER).expect(0);
    lab.run(&["get", "updates"]).expect(3).says(&[&address, "unknown authority", "--ca-file"]);
    lab.environment.push(("GIT_SSL_CAINFO", lab.server.ca().to_str().unwrap().to_owned()));
    assert_eq!(lab.plan(&[])["groups"][0]["remote"], address);
    let from_afar = lab.run(&["get", "image", "repository", "-C", &lab.url.clone()]).expect(0);
    from_afar.says(&["no ImageRepository objects found"]);
    lab.push(&[]).expect(0);
    let tip = lab.instavote.tip("image-updates").unwrap();
    let who = git(&lab.instavote.path, &["log", "-1", "--format=%an <%ae>|%cn <%ce>", &tip]);
    assert_eq!(who, "flux <flux@example.com>|Rita <rita@example.com>");
}

#[test]
fn an_update_path_leads_through_the_links_of_the_commit_or_is_a_problem() {
    let Some(lab) = Lab::start() else { return };
    lab.instavote.commit("main", &[("link", "-> /deploy/vote")], "A link");
    lab.automate("image-updates");
    let automation = lab.fleet().join("instavote-all-automation.yaml");
    let written = fs::read_to_string(&automation).unwrap();
    assert!(written.contains("path: ./deploy/vote/staging"), "{written}");
    let with = |path: &str| fs::write(&automation, written.replace("./deploy/vote/staging", path)).unwrap();
    with("../link/staging/deployment.yaml");
    let plan = lab.plan(&[]);
    assert_eq!(plan["groups"][0]["files"][0]["path"], "deploy/vote/staging/deployment.yaml", "{plan:#}");
    with("./link/nowhere");
    let plan = lab.run(&["plan", "--all", "-o", "json"]).json();
    let problem = &plan["problems"][0];
    assert_eq!(plan["groups"], json!([]));
    assert_eq!(
        (&problem["code"], &problem["subject"], &problem["message"]),
        (
            &json!("config"),
            &json!("flux-system/instavote-all"),
            &json!(
                "failed to apply policies: walking path for files: lstat <workdir>/deploy/vote/nowhere: no such file or directory"
            )
        ),
        "{plan:#}"
    );
    assert_eq!(problem["hint"], "Correct spec.update.path of the automation.");
    let update = &lab.run(&["get", "images", "update", "-o", "json"]).json()["items"][0];
    assert_eq!((&update["reason"], &update["message"]), (&json!("UpdateFailed"), &problem["message"]));
}

#[test]
fn a_changed_image_name_is_left_to_a_person() {
    let Some(lab) = Lab::start() else { return };
    let path = "deploy/vote/staging/deployment.yaml";
    lab.instavote.commit("main", &[(path, &DEPLOYMENT.replace("@REGISTRY@", "sofd"))], "The guide's image");
    lab.automate("image-updates");
    assert_eq!(lab.plan(&[])["groups"], json!([]));
    let ran = lab.run(&["plan", "--all"]).expect(0);
    ran.says(&["it changes the image's name", "supercargo plan flux-system/vote"]);
    let named = lab.json(0, &["plan", "flux-system/vote"]);
    assert_eq!(named["groups"][0]["updates"][0]["decision"], "approved");
    assert_eq!(named["groups"][0]["message"], lab.image(NEWEST) + "\n");
}

#[test]
fn a_tag_is_seen_once_the_interval_has_passed() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    let new = "main-0000aaaa-1719063680";
    lab.registry.push("vote", new);
    let tag = || lab.json(0, &["get", "updates"])["items"][0]["new"]["tag"].clone();
    assert_eq!(tag(), NEWEST, "not due yet: the interval is a minute");
    let image = format!("--image={}/vote", lab.registry.host);
    lab.run(&["create", "image", "repository", "vote", &image, "--interval=2s", "--refresh=never"]).expect(0);
    sleep(Duration::from_secs(2));
    assert_eq!(tag(), new);
}

#[test]
fn what_the_program_keeps_below_the_files_source_is_none_of_its_objects() {
    let Some(mut lab) = Lab::start() else { return };
    for (variable, folder) in [("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")] {
        let below = lab.fleet().join(folder);
        lab.environment.push((variable, below.to_str().unwrap().to_owned()));
    }
    lab.automate("image-updates");
    lab.log_in(WRITER).expect(0);
    let secret = lab.fleet().join("state/supercargo/secrets/flux-system/instavote.yaml");
    assert!(secret.is_file());
    // A stray object there would double the one of the source.
    let policy = fs::read_dir(lab.fleet()).unwrap().flatten().map(|entry| entry.path());
    let policy = policy
        .filter(|path| path.is_file())
        .find(|path| fs::read_to_string(path).unwrap().contains("kind: ImagePolicy"));
    let text = fs::read_to_string(policy.unwrap()).unwrap().replace("asc", "desc");
    fs::write(secret.with_file_name("copy.yaml"), &text).unwrap();
    let plan = lab.plan(&[]);
    assert_eq!(plan["problems"], json!([]), "{plan:#}");
    assert_eq!(plan["groups"][0]["updates"][0]["new"]["tag"], NEWEST);
    lab.run(&["lint"]).expect(0);
    lab.push(&[]).expect(0);
    assert!(!lab.run(&["export", "image", "policy", "--all"]).expect(0).out.contains("desc"));
    // Who points at the folder itself means it.
    let own = lab.fleet().join("state/supercargo/secrets");
    assert!(
        lab.run(&["export", "image", "policy", "--all", "-C", own.to_str().unwrap()])
            .expect(0)
            .out
            .contains("desc")
    );
}

/// Waits until the branch is there, for a few seconds; `false`: it does not come.
fn comes(lab: &Lab, branch: &str) -> bool {
    (0..100).any(|_| {
        sleep(Duration::from_millis(50));
        lab.instavote.tip(branch).is_some()
    })
}

const NOT_SEEN: &str = "not seen to end, ";
const MAY_LAND: &str = "is not there yet and may still land: the remote has no branch image-updates";

#[test]
fn a_push_that_is_killed_may_land_as_long_as_a_hook_runs_and_lands_once_when_it_is_pushed_again() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(WRITER).expect(0);
    lab.plan(&[]);
    lab.instavote.configure("hooks.delay", "3");
    let file = lab.plan_file();
    let mut push = lab.command(&["push", "--plan", file.to_str().unwrap(), "--write", "--yes"]);
    let mut push = push.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Let in, it sends; what it sent, the server's hook sleeps over.
    while !lab.server.log().contains("service=git-receive-pack HTTP/1.1\" 200") {
        assert!(push.try_wait().unwrap().is_none(), "{}", lab.server.log());
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(300));
    push.kill().unwrap();
    push.wait().unwrap();
    let plan = ["plan", "--all", "--refresh=never"];
    assert!(!lab.run(&plan).expect(0).err.contains(NOT_SEEN), "only the remote can say");
    let soon = ["plan", "--all", "--refresh=always"];
    for _look in 0..2 {
        lab.run(&soon).expect(0).says(&["⚠ push: the push of ", &format!("{NOT_SEEN}{MAY_LAND}")]);
    }
    let has_landed = comes(&lab, "image-updates");
    lab.instavote.assert_sound();
    let fate = if has_landed { "landed" } else { MAY_LAND };
    lab.run(&soon).expect(0).says(&["⚠ push: the push of ", &format!("{NOT_SEEN}{fate}")]);
    if has_landed {
        assert!(!lab.run(&soon).expect(0).err.contains(NOT_SEEN), "it was said");
    }
    let landed = lab.push(&["-o", "json"]).expect(0).json();
    let commit = landed["results"][0]["commit"].as_str().unwrap();
    assert_eq!(lab.instavote.tip("image-updates").as_deref(), Some(commit));
    assert_eq!(git(&lab.instavote.path, &["rev-list", "--count", "main..image-updates"]), "1");
    lab.run(&soon).expect(0);
    assert!(!lab.run(&soon).expect(0).err.contains(NOT_SEEN), "its end was seen");
}

#[test]
fn servers_that_are_gone_are_named_and_what_was_known_is_shown() {
    let Some(mut lab) = Lab::start() else { return };
    lab.automate("main");
    lab.plan(&[]);
    lab.registry.stop();
    lab.server.stop();
    let file = lab.plan_file();
    let ran = lab.run(&["scan", "repository", "--all", "-o", "json"]).expect(3);
    assert_eq!(ran.json()["items"][0]["error"]["code"], "unreachable");
    ran.says(&[&lab.registry.host]);
    let ran = lab.run(&["get", "updates", "--refresh=always", "-o", "json"]);
    assert_eq!(ran.json()["items"][0]["new"]["tag"], NEWEST, "{}", ran.err);
    lab.run(&["get", "updates", "--refresh=never"]).expect(0);
    lab.run(&["push", "--plan", file.to_str().unwrap()]).expect(3).says(&[&lab.url]);
    lab.run(&["check"]).expect(1);
}

#[test]
fn without_a_home_everything_is_kept_in_memory_with_one_warning() {
    let Some(mut lab) = Lab::start() else { return };
    lab.automate("main");
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        lab.environment.push((variable, String::new()));
    }
    let ran = lab.run(&["get", "updates", "-o", "json"]).expect(0);
    assert_eq!(ran.json()["items"][0]["new"]["tag"], NEWEST);
    assert_eq!(ran.err.matches("memory").count(), 1, "{}", ran.err);
}

/// Every file below a folder, with its content.
fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files
}

#[test]
fn a_log_tells_of_each_request_and_nothing_but_the_secret_holds_the_password() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(WRITER).expect(0);
    assert!(!lab.run(&["scan", "repository", "vote"]).expect(0).err.contains("registry:"));
    let list = format!("registry: GET http://{}/v2/vote/tags/list", lab.registry.host);
    let scan = lab.run(&["scan", "repository", "vote", "--log-level=debug"]).expect(0);
    let scan = scan.says(&["DEBUG", &list, "status=200", "INFO", "scanned "]);
    lab.plan(&[]);
    let push = lab.push(&["--log-level=trace"]).expect(0);
    let push = push.says(&["git: receive-pack at", "credential=\"secret flux-system/instavote\"", "TRACE"]);
    assert!(!push.err.contains(PASSWORD) && !scan.err.contains(PASSWORD), "{}{}", scan.err, push.err);
    let holds = |text: &[u8]| text.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
    let found: Vec<PathBuf> = files_below(&lab.path(""))
        .into_iter()
        .filter(|(_, bytes)| holds(bytes))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(found, [lab.path("state/supercargo/secrets/flux-system/instavote.yaml")]);
}

#[test]
fn commits_that_land_on_top_of_each_other_say_what_they_stand_on() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(WRITER).expect(0);
    let second = [
        "create",
        "image",
        "update",
        "production",
        "--git-repo-ref=instavote",
        "--git-repo-path=./deploy/vote/production",
    ];
    let rest = [
        "--checkout-branch=main",
        "--push-branch=image-updates",
        "--author-name=flux",
        "--author-email=flux@example.com",
    ];
    lab.run(&[&second[..], &rest].concat()).expect(0);
    let main = lab.instavote.tip("main").unwrap();
    assert_eq!(lab.plan(&[])["groups"].as_array().unwrap().len(), 2);
    let landed = lab.push(&["-o", "json"]).expect(0).json();
    let results = landed["results"].as_array().unwrap();
    assert_eq!(
        (&results[0]["base"], &results[1]["base"]),
        (&json!(main), &results[0]["commit"]),
        "{landed:#}"
    );
    assert_eq!(json!(lab.instavote.tip("image-updates")), results[1]["commit"]);
}

/// Writes the guide's policy once more, in a folder of its own and with another rule.
fn describe_twice(lab: &Lab) {
    let other = "apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: vote, namespace: flux-system}
spec: {imageRepositoryRef: {name: vote}, policy: {semver: {range: '*'}}}
";
    fs::create_dir_all(lab.fleet().join("other")).unwrap();
    fs::write(lab.fleet().join("other/vote.yaml"), other).unwrap();
}

#[test]
fn a_policy_that_is_described_twice_is_blocked_and_named_wherever_it_matters() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    describe_twice(&lab);
    let named = "two places describe ImagePolicy flux-system/vote differently";
    let ran = lab.run(&["get", "updates", "--exit-code", "-o", "json"]).expect(8);
    let update = &ran.json()["items"][0];
    assert_eq!((&update["state"], &update["blocked"]["code"]), (&json!("blocked"), &json!("ambiguous")));
    let ran = lab.run(&["diff", "updates"]).expect(8).says(&[named]);
    assert_eq!(ran.out, "");
    let ran = lab.run(&["plan", "--all"]).expect(8).says(&[named]);
    assert!(!ran.out.contains("Nothing to do"), "{}", ran.out);
    for asked in [&["plan", "vote"][..], &["get", "updates", "vote"], &["explain", "tag", "vote", "latest"]] {
        lab.run(asked).expect(2).says(&[named]);
    }
    let policy = &lab.json(0, &["get", "policies", "vote"])["items"][0];
    assert_eq!((&policy["ready"], &policy["latest"]), (&json!("False"), &json!(null)));
    assert!(policy["message"].as_str().unwrap().starts_with(named), "{policy}");
    git(&lab.path(""), &["clone", "-q", lab.instavote.path.to_str().unwrap(), "instavote"]);
    let report = lab.json(1, &["lint", lab.path("instavote").to_str().unwrap(), "-C", "."]);
    let staged = report["markers"].as_array().unwrap();
    let marker =
        staged.iter().find(|marker| marker["file"] == "deploy/vote/staging/deployment.yaml").unwrap();
    assert_eq!(marker["verdict"], "policy-failed", "{report:#}");
    assert!(marker["message"].as_str().unwrap().starts_with(named), "{report:#}");
}

#[test]
fn a_file_of_logins_that_does_not_parse_is_told_of_where_an_image_is_asked_for() {
    let Some(mut lab) = Lab::start() else { return };
    let folder = lab.path("docker");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.json"), "{").unwrap();
    lab.environment.push(("DOCKER_CONFIG", folder.display().to_string()));
    let image = format!("{}/vote", lab.registry.host);
    for asked in [&["scan", "--image", &image][..], &["get", "tags", "--image", &image]] {
        lab.run(asked).expect(0).says(&["⚠ registry credentials: "]);
    }
}

#[test]
fn what_a_registry_answered_instead_of_tags_is_what_blocks_and_is_told_by_a_plan() {
    let Some(mut lab) = Lab::start() else { return };
    lab.automate("main");
    lab.environment.push(("XDG_CACHE_HOME", lab.path("empty").display().to_string()));
    lab.registry.stop();
    let ran = lab.run(&["get", "updates", "-o", "json"]).expect(3);
    assert_eq!(ran.json()["items"][0]["blocked"]["code"], "unreachable");
    assert!(!ran.err.contains("was not scanned yet"), "{}", ran.err);
    let ran = lab.run(&["plan", "--all"]).expect(3).says(&[&lab.registry.host]);
    assert!(!ran.out.contains("Nothing to do"), "{}", ran.out);
}

#[test]
fn a_remote_that_does_not_answer_makes_a_plan_stale_and_is_what_it_names() {
    let Some(mut lab) = Lab::start() else { return };
    lab.automate("main");
    lab.plan(&[]);
    lab.server.stop();
    let plan = lab.json(3, &["plan", "--all", "--refresh=always"]);
    assert_eq!(plan["groups"][0]["base"]["stale"], true, "{plan}");
    lab.environment.push(("XDG_CACHE_HOME", lab.path("empty").display().to_string()));
    let ran = lab.run(&["plan", "--all"]).expect(3).says(&[&lab.url]);
    assert!(!ran.err.contains("--refresh never"), "{}", ran.err);
    assert!(!ran.out.contains("Nothing to do"), "{}", ran.out);
}

#[test]
fn a_policy_that_fails_is_named_by_the_plan_that_is_made_without_it() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    let file = lab.fleet().join("vote-policy.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("^main-[a-f0-9]+-(?P<ts>[0-9]+)", "^main-(")).unwrap();
    let ran = lab.run(&["plan", "--all"]).expect(6).says(&["✗ flux-system/vote"]);
    assert!(!ran.out.contains("Nothing to do"), "{}", ran.out);
}

#[test]
fn nobody_is_asked_where_that_is_forbidden() {
    let Some(mut lab) = Lab::start() else { return };
    lab.automate("main");
    lab.environment.push(("XDG_CACHE_HOME", lab.path("empty").display().to_string()));
    let image = format!("{}/vote", lab.registry.host);
    let source = format!("{}#main", lab.url);
    for asked in [
        &["get", "tags", "vote"][..],
        &["get", "tags", "--image", &image],
        &["explain", "tag", "vote", "latest"],
        &["eval", "policy", "vote", "--summary"],
        &["get", "updates", "-C", &source],
    ] {
        let ran = lab.run(&[asked, &["--refresh=never"]].concat()).expect(3);
        ran.says(&["--refresh never forbids it"]);
    }
    for asked in [&["scan", "repository", "vote"][..], &["doctor", "registry", &image]] {
        lab.run(&[asked, &["--refresh=never"]].concat()).expect(2).says(&["--refresh never forbids that"]);
    }
    let report = lab.json(0, &["check", "--refresh=never"]);
    assert_eq!(check(&report, "remote")["status"], "skipped");
}

#[test]
fn a_template_that_no_commit_can_be_made_with_is_named_before_anything_is_pushed() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    let file = lab.fleet().join("instavote-all-automation.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let template = "{{range .Updated.Images}}{{println .}}{{end}}";
    assert!(text.contains(template), "{text}");
    fs::write(&file, text.replace(template, "{{ .Foo.Bar }}")).unwrap();
    let said = "can't evaluate field Foo";
    lab.run(&["get", "updates"]).expect(6).says(&[said]);
    lab.run(&["diff", "updates"]).expect(6).says(&[said]);
    let update = &lab.json(0, &["get", "images", "update"])["items"][0];
    assert_eq!(update["ready"], "False", "{update}");
    assert!(update["message"].as_str().unwrap().contains(said), "{update}");
    git(&lab.path(""), &["clone", "-q", lab.instavote.path.to_str().unwrap(), "instavote"]);
    let report = lab.json(1, &["lint", "--strict", lab.path("instavote").to_str().unwrap(), "-C", "."]);
    let chain = &report["broken_chains"][0];
    assert_eq!(chain["link"], "automation", "{report:#}");
    assert!(chain["message"].as_str().unwrap().contains(said), "{report:#}");
}

#[test]
fn a_branch_with_a_placeholder_that_nothing_fills_is_refused() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.run(&["plan", "--all", "--branch=u/{image}"]).expect(2).says(&["{image} is no placeholder"]);
}

#[test]
fn a_key_that_cannot_be_read_is_said_before_anybody_is_asked() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.run(&["plan", "--all", "--git-ssh-key=/no/such/key"]).expect(2).says(&[
        "--git-ssh-key",
        "/no/such/key cannot be read",
        "No such file",
    ]);
}

#[test]
fn what_an_object_lacks_is_null() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    let sites = &lab.plan(&[])["groups"][0]["updates"][0]["sites"];
    let objects: Vec<&Value> = sites.as_array().unwrap().iter().map(|site| &site["object"]).collect();
    let kustomization = objects.iter().find(|object| object["kind"] == "Kustomization").unwrap();
    assert_eq!((&kustomization["namespace"], &kustomization["name"]), (&json!(null), &json!(null)));
    lab.run(&["push", "--plan", lab.plan_file().to_str().unwrap(), "--dry-run=client"]).expect(0);
}

#[test]
fn the_cache_of_a_remote_is_its_owners_alone_and_has_nothing_that_could_be_run() {
    use std::os::unix::fs::PermissionsExt;
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    lab.plan(&[]);
    lab.run(&["push", "--plan", lab.plan_file().to_str().unwrap(), "--dry-run=client"]).expect(0);
    let cache = lab.path("cache/supercargo/git");
    let files = files_below(&cache);
    assert!(files.len() > 5, "{files:?}");
    for (path, _) in files {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert_eq!(mode(path.parent().unwrap()), 0o700, "{}", path.display());
        assert!(!path.components().any(|part| part.as_os_str() == "hooks"), "{}", path.display());
    }
}

#[test]
fn without_an_identity_nothing_is_planned_and_git_is_named() {
    let Some(mut lab) = Lab::start() else { return };
    let image = format!("--image={}/vote", lab.registry.host);
    lab.run(&["create", "image", "repository", "vote", &image, "--interval=1m"]).expect(0);
    lab.run(&POLICY).expect(0);
    git(&lab.path(""), &["clone", "-q", lab.instavote.path.to_str().unwrap(), "instavote"]);
    for name in ["vote-registry.yaml", "vote-policy.yaml"] {
        fs::copy(lab.fleet().join(name), lab.path("instavote").join(name)).unwrap();
    }
    let checkout = lab.path("instavote").display().to_string();
    let plan = ["plan", "--all", "-C", &checkout];
    lab.run(&plan).expect(2).says(&["identity unknown", "git config --global user.email"]);
    lab.run(&["diff", "updates", "-C", &checkout]).expect(1);
    lab.environment.push(("GIT_AUTHOR_NAME", "Rita".to_owned()));
    lab.environment.push(("GIT_AUTHOR_EMAIL", "rita@example.com".to_owned()));
    assert_eq!(lab.json(0, &plan)["groups"][0]["author"]["name"], "Rita");
}

#[test]
fn a_new_policy_is_evaluated_as_it_was_written_wherever_it_lies() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    let policy = ["create", "image", "policy", "vote", "--select-semver=1.x", "--path=../other"];
    let ran = lab.run(&[&policy[..], &["--image-ref=vote"]].concat()).expect(6);
    assert!(!ran.err.contains("resolved to"), "{}", ran.err);
    assert!(lab.path("fleet/clusters/other/vote-policy.yaml").exists());
    lab.run(&[&policy[..], &["--image-ref=nope"]].concat()).expect(6).says(&["does not exist"]);
}

#[test]
fn a_folder_that_the_remote_does_not_have_is_no_empty_source() {
    let Some(lab) = Lab::start() else { return };
    let source = |folder: &str| format!("{}#main:{folder}", lab.url);
    lab.run(&["get", "updates", "-C", &source("nodir")]).expect(2).says(&["no folder nodir"]);
    lab.run(&["get", "updates", "-C", &source("deploy/vote")]).expect(0);
}

#[test]
fn what_was_not_named_is_not_asked_and_nothing_is_said_of_it() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("main");
    let other = ["create", "image", "repository", "other", "--image=127.0.0.1:1/other", "--interval=1m"];
    lab.run(&[&other[..], &["--refresh=never"]].concat()).expect(0);
    lab.run(&["get", "updates"]).expect(0).says(&["flux-system/other"]);
    for (exit, asked) in
        [(0, &["get", "updates", "vote"][..]), (1, &["diff", "updates", "vote"]), (0, &["plan", "vote"])]
    {
        let ran = lab.run(asked).expect(exit);
        assert!(!ran.err.contains("other"), "{}", ran.err);
    }
}

#[test]
fn every_answer_has_something_to_be_read() {
    let Some(lab) = Lab::start() else { return };
    let image = format!("{}/vote", lab.registry.host);
    let ran = lab.run(&["scan", "--image", &image, "-o", "name"]).expect(0);
    assert_eq!(ran.out, format!("image/{image}\n"));
    lab.automate("image-updates");
    lab.run(&["lint"]).expect(0).says(&["no markers below"]);
    lab.log_in(WRITER).expect(0);
    lab.plan(&[]);
    lab.push(&[]).expect(0).says(&["to image-updates (secret "]);
    let asked = lab.run(&["get", "updates", "--refresh=sometimes"]).expect(2);
    asked.says(&["supercargo get updates: ", "sometimes"]);
}

#[test]
fn a_source_on_a_private_remote_is_read_with_the_secret_that_was_made_for_its_address() {
    let Some(lab) = Lab::start() else { return };
    let object = format!(
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: vote, namespace: flux-system}}\n\
         spec: {{image: {}/vote, interval: 1m, insecure: true}}\n",
        lab.registry.host
    );
    lab.server.create("objects", &[("vote.yaml", &object)]);
    let url = lab.server.repository("objects");
    let read = ["get", "repositories", "-C", &url];
    lab.run(&read).expect(4).says(&["create secret git"]);
    let (of, user) = (format!("--url={url}"), format!("--username={WRITER}"));
    let secret = ["create", "secret", "git", "objects", &of, &user, "--password-stdin"];
    lab.run_with(&secret, &format!("{}\n", support::git::PASSWORD)).expect(0);
    assert_eq!(lab.json(0, &read)["items"][0]["name"], "vote");
}
