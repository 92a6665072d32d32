//! Updates that cannot be written: whoever plans them, or looks for what is wrong, is told which and why.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
}

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use support::desk::Desk;

/// A value that cannot be replaced without changing more: with another text behind it the anchor is another.
const UNSAFE: &str =
    "a: &x:1 # {\"$imagepolicy\": \"shop:db:tag\"}\nb: 1.0.0 # {\"$imagepolicy\": \"shop:db:tag\"}\n";

fn desk(files: &[(&str, &str)]) -> Desk {
    let desk = Desk::new("");
    desk.fleet.commit("main", files, "Their files");
    desk
}

/// Code and subject of each problem of an answer.
fn problems(answer: &Value) -> Vec<String> {
    let text = |of: &Value| of.as_str().unwrap().to_owned();
    let all = answer["problems"].as_array().unwrap();
    all.iter().map(|problem| format!("{} {}", text(&problem["code"]), text(&problem["subject"]))).collect()
}

#[test]
fn a_plan_says_what_it_cannot_write_and_ends_with_the_reason() {
    let desk = desk(&[("apps/db.yaml", UNSAFE)]);
    let plan = desk.json(6, &["plan", "db"]);
    assert_eq!((&plan["groups"], problems(&plan)), (&json!([]), vec!["yaml_invalid shop/db".to_owned()]));
    let said = desk.run(&["plan", "db"]);
    assert!(said.err.starts_with("✗ shop/db: apps/db.yaml cannot be edited safely: "), "{said:?}");
    assert!(said.out.starts_with("Nothing is planned"), "{said:?}");
    for named in [&["plan", "--all"][..], &["plan", "web", "db"]] {
        let plan = desk.json(8, named);
        assert_eq!(problems(&plan), ["yaml_invalid shop/db"]);
        let updates = plan["groups"][0]["updates"].as_array().unwrap();
        let states: Vec<_> = updates.iter().map(|update| (&update["state"], &update["decision"])).collect();
        assert_eq!(
            states,
            [(&json!("blocked"), &json!("undecided")), (&json!("pending"), &json!("approved"))]
        );
    }
    assert_eq!(problems(&desk.json(0, &["plan", "web", "db", "--skip", "db"])), [""; 0]);
    let difference = desk.json(1, &["diff", "updates"]);
    assert_eq!(problems(&difference), ["yaml_invalid shop/db"]);
}

#[test]
fn a_file_that_does_not_parse_is_told_though_the_rest_is_as_it_should_be() {
    let desk = desk(&[("apps/db.yaml", "a: [1 # {\"$imagepolicy\": \"shop:db\"}\n")]);
    let said = desk.run(&["plan", "db"]);
    assert!(said.code == Some(0) && said.err.starts_with("✗ apps/db.yaml: line "), "{said:?}");
    assert!(said.err.contains("until then Flux writes none of its markers"), "{said:?}");
}

#[test]
fn a_reference_that_ends_the_run_blocks_a_plan_of_its_sibling_too() {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    // One letter after the host: it can be scanned, and no reference to it can be written.
    let (image, short) = (format!("image: {}/db", desk.registry), format!("image: {}/d", desk.registry));
    desk.write("objects/all.yaml", &objects.replacen(&image, &short, 1));
    desk.tags("d", &["1.0.0"]);
    let said = desk.json(6, &["plan", "--all"]);
    assert_eq!(problems(&said), ["image_invalid shop/db"], "{said:#}");
    assert_eq!(problems(&desk.json(6, &["plan", "web"])), ["image_invalid shop/db"]);
    let updates = desk.json(0, &["get", "updates", "web"]);
    let blocked: Vec<_> =
        updates["items"].as_array().unwrap().iter().map(|update| &update["blocked"]["subject"]).collect();
    assert_eq!(blocked, [&json!("shop/db")]);
    assert_eq!(desk.json(0, &["get", "policies", "web", "-A"])["items"].as_array().unwrap().len(), 1);
}

#[test]
fn an_automation_whose_selector_makes_no_sense_is_told_of_by_a_plan_of_one_policy_too() {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let selector = "suspend: true, policySelector: {matchLabels: {'bad key!': x}}, sourceRef";
    desk.write("objects/all.yaml", &objects.replacen("suspend: true, sourceRef", selector, 1));
    for named in [&["plan", "db"][..], &["plan", "--all"]] {
        let ran = desk.run(named);
        assert!(ran.err.contains("bad key!"), "{named:?}: {ran:?}");
    }
}

#[test]
fn a_part_that_has_no_value_is_told_beside_what_is_written() {
    let digest = "b: 'sha256:1' # {\"$imagepolicy\": \"shop:db:digest\"}\n";
    let tag = "a: 1.0.0 # {\"$imagepolicy\": \"shop:db:tag\"}\n";
    let alone = desk(&[("apps/db.yaml", digest)]);
    assert_eq!(problems(&alone.json(6, &["plan", "db"])), ["policy_failed shop:db:digest"]);
    let beside = desk(&[("apps/db.yaml", &[tag, digest].concat())]);
    let plan = beside.json(8, &["plan", "db"]);
    assert_eq!(problems(&plan), ["policy_failed shop:db:digest"]);
    assert_eq!(plan["groups"][0]["updates"][0]["decision"], "approved");
}

#[test]
fn a_suspended_policy_is_left_out_of_all_and_told_where_it_is_named() {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let suspended = objects.replacen(
        "{imageRepositoryRef: {name: db}",
        "{suspend: true, imageRepositoryRef: {name: db}",
        1,
    );
    desk.write("objects/all.yaml", &suspended);
    assert_eq!(problems(&desk.json(6, &["plan", "db"])), ["policy_failed shop/db"]);
    assert_eq!(problems(&desk.json(0, &["plan", "--all"])), [""; 0]);
}

#[test]
fn lint_says_of_an_outdated_value_that_it_cannot_be_written_and_where_that_is_to_be_mended() {
    let desk = Desk::new("");
    desk.write("objects/deploy.yaml", &format!("kind: Deployment\n---\n{UNSAFE}"));
    let report = desk.json(1, &["lint"]);
    assert_eq!(report["problem_count"], 1, "{report:#}");
    for marker in report["markers"].as_array().unwrap() {
        assert_eq!(marker["verdict"], "outdated");
        let message = marker["message"].as_str().unwrap();
        assert_eq!(message, "the policy selects another value, and it cannot be written: see line 3");
    }
    let file = &report["files"][0];
    assert_eq!((&file["file"], &file["line"]), (&json!("deploy.yaml"), &json!(3)), "{file:#}");
    assert!(file["fix"].as_str().unwrap().contains("in quotes"), "{file:#}");
    desk.write("objects/deploy.yaml", &UNSAFE.replace("&x:1", "&x \":1\""));
    assert_eq!(desk.json(0, &["lint"])["files"], json!([]));
}

#[test]
fn updates_name_the_policies_that_failed() {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    // The first policy, of two.
    desk.write("objects/all.yaml", &objects.replacen("range: 1.x", "range: '>=9'", 1));
    for list in [&["get", "updates"][..], &["diff", "updates"], &["plan", "--all"]] {
        assert_eq!(problems(&desk.json(8, list)), ["policy_failed shop/web"], "{list:?}");
    }
    assert!(desk.run(&["get", "updates"]).err.contains("✗ shop/web: "));
    let failed = &desk.json(6, &["get", "updates", "web"])["items"][0];
    assert_eq!([&failed["new"], &failed["why"], &failed["sites"][0]["new"]], [&Value::Null; 3], "{failed}");
}

#[test]
fn an_automation_that_names_no_author_has_none() {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let named = "author: {name: bot, email: bot@example.com}, ";
    for (author, told) in
        [("", json!(null)), ("author: {email: bot@example.com}, ", json!("bot@example.com"))]
    {
        desk.write("objects/all.yaml", &objects.replace(named, author));
        let automations = desk.json(0, &["get", "automations", "-n", "shop"]);
        assert_eq!(
            automations["items"][0]["author"],
            json!({ "name": null, "email": told }),
            "{automations}"
        );
    }
}

/// Objects of one name and two descriptions.
fn twice(desk: &Desk) -> String {
    let described = |image: &str| {
        format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\n\
             metadata: {{name: diff, namespace: shop}}\nspec: {{interval: 1m, image: {}/{image}}}\n---\n",
            desk.registry
        )
    };
    [described("web"), described("db")].concat()
}

#[test]
fn a_repository_that_is_described_twice_is_a_part_of_a_scan_that_fails() {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let policy = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: both, namespace: shop}\n\
                  spec: {imageRepositoryRef: {name: diff}, policy: {semver: {range: 1.x}}}\n---\n";
    desk.write("objects/all.yaml", &[&twice(&desk), policy, &objects].concat());
    let scanned = desk.json(8, &["scan", "repository", "--all"]);
    let names: Vec<_> = scanned["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["db", "diff", "web"]);
    let item = &scanned["items"][1];
    assert_eq!((&item["image"], &item["error"]["code"]), (&json!(null), &json!("ambiguous")));
    assert_eq!(problems(&scanned), ["ambiguous shop/diff"]);
    let evaluated = desk.run(&["eval", "policy", "both"]);
    assert!(evaluated.code == Some(2) && evaluated.err.contains("describe ImageRepository"), "{evaluated:?}");
    desk.write("objects/all.yaml", &twice(&desk));
    assert_eq!(problems(&desk.json(8, &["scan", "repository", "--all"])), ["ambiguous shop/diff"]);
}

#[test]
fn scanned_repositories_are_told_by_name_each_once() {
    let desk = Desk::new("");
    let scanned = desk.run(&["scan", "repository", "web", "db", "web", "-o", "name"]);
    assert_eq!(scanned.out, "imagerepository/shop/db\nimagerepository/shop/web\n", "{scanned:?}");
    let none = desk.run(&["scan", "repository", "--all", "-n", "other"]);
    assert!(none.err.contains("no ImageRepository objects found in \"other\" namespace"), "{none:?}");
}

#[test]
fn a_folder_without_git_needs_no_author() {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let images = objects.split("apiVersion: source").next().unwrap();
    desk.write("objects/all.yaml", images);
    desk.write("objects/web.yaml", &support::desk::WEB.replace("@REGISTRY@", &desk.registry));
    desk.write(".gitconfig", "[user]\n\tuseConfigOnly = true\n");
    let patch = desk.path("web.patch");
    let plan = desk.json(0, &["plan", "web", "--output-patch", patch.to_str().unwrap()]);
    assert_eq!((&plan["groups"][0]["remote"], &plan["groups"][0]["push"]), (&json!(null), &json!(null)));
    assert!(std::fs::read_to_string(patch).unwrap().contains("/web:1.1.0"));
    let implied = &desk.json(0, &["get", "automations", "-A"])["items"][0];
    let of_git = ["git_repository", "remote", "checkout", "push_branch"].map(|key| &implied[key]);
    assert_eq!(of_git, [&json!(null); 4], "{implied}");
}

/// A desk with another namespace beside `shop`, of which neither the registry nor the remote answers.
fn with_broken_neighbour() -> Desk {
    let desk = Desk::new("");
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let gone = twice(&desk).replace("shop", "edge").replace("/web", "/gone");
    let gone = gone.split("---").next().unwrap();
    let policy = "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: gone, namespace: edge}\n\
                  spec: {imageRepositoryRef: {name: diff}, policy: {semver: {range: 1.x}}}\n---\n";
    let (_, automation) = objects.split_once("apiVersion: source").unwrap();
    let automation = format!("apiVersion: source{automation}").replace("shop", "edge");
    let automation = automation.replace("fleet.git", "gone.git") + "---\n";
    desk.write("objects/all.yaml", &[gone, policy, &automation, &objects].concat());
    desk
}

#[test]
fn a_namespace_narrows_what_is_asked_and_told() {
    let desk = with_broken_neighbour();
    let lists = [
        (&["get", "repositories"][..], 2),
        (&["get", "policies"], 2),
        (&["get", "automations"], 1),
        (&["get", "image", "all"], 5),
        (&["get", "updates"], 2),
    ];
    for (list, items) in lists {
        let here = desk.json(0, &[list, &["-n", "shop", "--refresh", "always"]].concat());
        assert_eq!((problems(&here), here["items"].as_array().unwrap().len()), (vec![], items), "{list:?}");
        let ran = desk.run(&[list, &["-A", "--refresh", "always", "-o", "json"]].concat());
        assert!(ran.out.contains("\"subject\":\"edge/"), "{list:?}: {ran:?}");
        let nowhere = desk.run(&[list, &["-n", "nowhere", "--refresh", "always"]].concat());
        assert!(!nowhere.err.contains("edge"), "{list:?}: {nowhere:?}");
    }
}

#[test]
fn a_watch_of_a_namespace_asks_for_no_other() {
    let desk = with_broken_neighbour();
    let mut program = desk.command(&["get", "policies", "-n", "shop", "-w"]);
    let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    assert!(lines.nth(2).unwrap().unwrap().starts_with("web"));
    // Whoever is due is asked at once.
    std::thread::sleep(Duration::from_millis(1500));
    program.kill().unwrap();
    let said = program.wait_with_output().unwrap().stderr;
    assert_eq!(String::from_utf8(said).unwrap(), "");
}

#[test]
fn a_plan_is_of_names_or_of_all() {
    let desk = Desk::new("");
    let both = desk.run(&["plan", "web", "--all"]);
    assert!(both.code == Some(2) && both.err.contains("cannot be used with"), "{both:?}");
}

#[test]
fn a_watch_is_of_one_kind() {
    let desk = Desk::new("");
    let watched = desk.run(&["get", "image", "all", "-w"]);
    assert!(
        watched.code == Some(2) && watched.err.contains("expected a single resource type, but found all")
    );
}
