//! Does a pushed plan become a request, once, wherever it lives? Real Git servers with forges of three kinds before them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod emulator;
    pub mod forge_server;
    pub mod git;
    pub mod lab;
    pub mod registry;
}

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use supercargo::config::ForgeSettings;
use supercargo::domain::forge::{Address, ForgeKind};
use supercargo::domain::request::{RequestSpec, RequestWish, RequestWords};
use supercargo::forge::{Forge, ForgeError, Forges};
use supercargo::problem::Code;
use support::emulator::{self, Emulator};
use support::forge_server::{ForgeServer, Kind, TOKEN, Whim, options, take_proposals, take_push_options};
use support::git::{WRITER, git};
use support::lab::{DEPLOYMENT, KUSTOMIZATION, Lab, Ran};
use wiremock::ResponseTemplate;

const BRANCH: &str = "image-updates";

/// A lab whose manifests are in `public-acme/fleet`, with a plan of everything.
fn lab() -> Option<Lab> {
    let mut lab = Lab::start()?;
    let deployment = DEPLOYMENT.replace("@REGISTRY@", &lab.registry.host);
    let files = [
        ("deploy/vote/staging/kustomization.yaml", KUSTOMIZATION),
        ("deploy/vote/staging/deployment.yaml", &*deployment),
    ];
    lab.instavote = lab.server.create("public-acme/fleet", &files);
    lab.url = lab.server.repository("public-acme/fleet");
    lab.automate(BRANCH);
    lab.log_in(WRITER).expect(0);
    lab.plan(&[]);
    Some(lab)
}

/// The same with a forge before it that the environment names and has a token for.
fn lab_at(kind: Kind) -> Option<(Lab, ForgeServer)> {
    let mut lab = lab()?;
    let forge = ForgeServer::start(kind, "public-acme/fleet", &lab.instavote.path);
    let (api, token) = match kind {
        Kind::GitHub => ("GITHUB_API_URL", "GH_TOKEN"),
        Kind::GitLab => ("GITLAB_API_URL", "GITLAB_TOKEN"),
        Kind::Gitea => ("GITEA_API_URL", "GITEA_TOKEN"),
    };
    lab.environment = vec![(api, forge.api()), (token, TOKEN.to_owned())];
    Some((lab, forge))
}

/// Names the kind of forge that the lab's remote is at, and nothing else.
fn configure(lab: &Lab, kind: &str) {
    configure_with(lab, kind, "");
}

/// As [`configure`], with further lines.
fn configure_with(lab: &Lab, kind: &str, more: &str) {
    let folder = lab.path("config/supercargo");
    fs::create_dir_all(&folder).unwrap();
    let text = format!("[forge.\"127.0.0.1\"]\nkind = \"{kind}\"\n{more}");
    fs::write(folder.join("config.toml"), text).unwrap();
}

fn request(lab: &Lab, more: &[&str]) -> Ran {
    lab.push(&[&["--pull-request", "-o", "json"], more].concat())
}

fn result(ran: &Ran) -> Value {
    ran.json()["results"][0].clone()
}

/// A newer tag, and a plan that brings it.
fn next_plan(lab: &Lab) -> Value {
    lab.registry.push("vote", "main-aaaaaaa-1719063680");
    lab.plan(&[])
}

#[test]
fn a_plan_becomes_one_request_at_github_however_often_it_is_pushed() {
    const REPOSITORY: &str = "public-instavote";
    let (Some(mut lab), Some(github)) = (Lab::start(), Emulator::start(REPOSITORY)) else { return };
    lab.environment = vec![
        ("GITHUB_API_URL", github.api()),
        ("GITHUB_TOKEN", emulator::TOKEN.to_owned()),
        // The remote's address has no owner.
        ("GITHUB_USER", emulator::OWNER.to_owned()),
    ];
    lab.automate(BRANCH);
    lab.log_in(WRITER).expect(0);
    let plans = [lab.plan(&[]), Value::Null];
    let first = result(&request(&lab, &["--label", "images", "--draft"]).expect(0));
    assert_eq!((&first["pushed"], &first["request"]["number"]), (&json!(true), &json!(1)), "{first:#}");
    let pulls = github.pulls(REPOSITORY);
    let message = plans[0]["groups"][0]["message"].as_str().unwrap();
    assert_eq!(pulls[0]["title"], message.lines().next().unwrap());
    assert_eq!((&pulls[0]["head"]["ref"], &pulls[0]["base"]["ref"]), (&json!(BRANCH), &json!("main")));
    assert_eq!((&pulls[0]["draft"], &pulls[0]["labels"][0]["name"]), (&json!(true), &json!("images")));
    assert!(pulls[0]["body"].as_str().unwrap().contains("| `flux-system/vote` |"), "{:#}", pulls[0]);

    let again = result(&request(&lab, &[]).expect(0));
    assert_eq!((&again["already"], &again["request"]), (&json!(true), &first["request"]));
    let plans = [plans[0].clone(), next_plan(&lab)];
    assert_eq!(result(&request(&lab, &[]).expect(0))["request"], first["request"]);
    let pulls = github.pulls(REPOSITORY);
    assert_eq!(pulls.len(), 1);
    let body = pulls[0]["body"].as_str().unwrap();
    assert!(plans.iter().all(|plan| body.contains(plan["id"].as_str().unwrap())), "{body}");
    let features = lab.json(0, &["version"])["features"].clone();
    assert!(features.as_array().unwrap().contains(&json!("pull-requests")), "{features}");
    lab.instavote.assert_sound();
}

#[test]
fn a_further_plan_is_added_to_the_request_that_is_open() {
    let Some((lab, forge)) = lab_at(Kind::GitHub) else { return };
    let first = result(&request(&lab, &["--label", "images", "--draft"]).expect(0));
    assert_eq!(first["request"]["number"], 1);
    assert_eq!(first["request"]["state"], "open");
    assert_eq!(first["request"]["url"], "https://git.example.com/public-acme/fleet/pull/1");
    let opened = &forge.requests()[0];
    assert_eq!((&opened["draft"], &opened["labels"]), (&json!(true), &json!(["images"])));
    assert_eq!((&opened["from"], &opened["into"]), (&json!(BRANCH), &json!("main")));
    assert!(opened["body"].as_str().unwrap().contains("| `flux-system/vote` |"), "{opened:#}");

    forge.edit("body", &format!("{}\nApproved by Rita.\n", opened["body"].as_str().unwrap()));
    let again = result(&request(&lab, &[]).expect(0));
    assert_eq!((&again["already"], &again["request"]["number"]), (&json!(true), &json!(1)));
    let plan = next_plan(&lab);
    let second = result(&request(&lab, &[]).expect(0));
    assert_eq!((&second["pushed"], &second["request"]["number"]), (&json!(true), &json!(1)));
    assert_eq!(forge.requests().len(), 1);
    let body = forge.requests()[0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("Approved by Rita.") && body.contains(plan["id"].as_str().unwrap()), "{body}");
    lab.instavote.assert_sound();
}

#[test]
fn a_token_that_is_refused_hides_no_push_and_the_next_try_opens_the_request() {
    let Some((mut lab, forge)) = lab_at(Kind::GitHub) else { return };
    lab.environment[1].1 = "ghp_wrong0123456789".to_owned();
    let ran = request(&lab, &[]).expect(8).says(&["GH_TOKEN", "401 Bad credentials", "✔ pushed"]);
    assert!(!ran.err.contains("ghp_wrong") && !ran.out.contains("ghp_wrong"));
    let first = result(&ran);
    assert_eq!(
        (&first["pushed"], &first["verified"], &first["request"]),
        (&json!(true), &json!(true), &Value::Null)
    );
    assert_eq!((&first["error"]["code"], &first["error"]["exit"]), (&json!("forge_denied"), &json!(4)));
    assert!(lab.instavote.tip(BRANCH).is_some());
    lab.environment[1].1 = TOKEN.to_owned();
    let second = result(&request(&lab, &[]).expect(0));
    assert_eq!((&second["already"], &second["request"]["number"]), (&json!(true), &json!(1)));
    assert_eq!(forge.requests().len(), 1);
}

#[test]
fn who_is_faster_opens_the_request_and_the_other_updates_it() {
    for kind in [Kind::GitHub, Kind::GitLab, Kind::Gitea] {
        let Some((lab, forge)) = lab_at(kind) else { return };
        request(&lab, &[]).expect(0);
        next_plan(&lab);
        forge.be(Whim::HideOnce);
        let second = result(&request(&lab, &[]).expect(0));
        assert_eq!(second["request"]["number"], 1, "{kind:?}");
        assert_eq!(forge.requests().len(), 1, "{kind:?}");
    }
}

#[test]
fn what_a_forge_says_instead_of_an_answer_is_told_and_the_push_stands() {
    let Some((lab, forge)) = lab_at(Kind::GitHub) else { return };
    let json = |status: u16, text: &str| {
        ResponseTemplate::new(status).set_body_raw(text.to_owned(), "application/json")
    };
    let huge = format!("[\"{}\"]", "x".repeat(9 << 20));
    let rows = [
        (
            json(403, r#"{"message":"Resource not accessible by personal access token"}"#),
            "forge_denied",
            "not accessible",
        ),
        (json(404, r#"{"message":"Not Found"}"#), "forge_denied", "404 Not Found"),
        (
            json(422, r#"{"message":"Validation Failed","errors":["No commits between main and updates"]}"#),
            "forge_denied",
            "No commits",
        ),
        (json(429, "{}").insert_header("retry-after", "30"), "rate_limited", "limits the rate"),
        (json(403, "{}").insert_header("x-ratelimit-remaining", "0"), "rate_limited", "limits the rate"),
        (json(502, "<html>Bad gateway</html>"), "bad_answer", "502 Bad Gateway"),
        (json(200, "<!DOCTYPE html><title>Sign in</title>"), "bad_answer", "HTML page"),
        (json(200, "[{\"number\": 1, \"html"), "bad_answer", "cut off"),
        (json(200, &huge), "bad_answer", "larger than 8 MiB"),
        (json(200, "{}"), "bad_answer", "lists no requests"),
        (json(302, "").insert_header("location", "ftp://elsewhere/"), "bad_answer", ""),
    ];
    for (answer, code, says) in rows {
        forge.be(Whim::Always(answer));
        let ran = request(&lab, &[]).expect(8);
        let result = result(&ran);
        assert_eq!(result["error"]["code"], code, "{says}");
        assert!(result["error"]["message"].as_str().unwrap().contains(says), "{}", result["error"]);
        assert!(!ran.out.contains(TOKEN) && !ran.err.contains(TOKEN));
    }
    assert!(lab.instavote.tip(BRANCH).is_some());
    forge.be(Whim::Refuse(422, format!("{{\"message\":\"token {TOKEN} is no good\"}}")));
    let ran = request(&lab, &[]).expect(8).says(&["token REDACTED is no good"]);
    assert!(!ran.out.contains(TOKEN));
    forge.behave();
    request(&lab, &[]).expect(0);
    assert_eq!(forge.requests().len(), 1);
}

#[test]
fn gitlab_and_gitea_open_and_update_one_request_with_labels() {
    for (kind, title, labels) in
        [(Kind::GitLab, "Draft: ", json!("images,new one")), (Kind::Gitea, "WIP: ", json!([7, 101]))]
    {
        let Some((lab, forge)) = lab_at(kind) else { return };
        let more = ["--draft", "--label", "images", "--label", "new one"];
        let first = result(&request(&lab, &more).expect(0));
        assert_eq!((&first["request"]["number"], &first["request"]["state"]), (&json!(1), &json!("open")));
        let opened = &forge.requests()[0];
        assert!(opened["title"].as_str().unwrap().starts_with(title), "{opened:#}");
        assert_eq!(opened["labels"], labels, "{kind:?}");
        next_plan(&lab);
        assert_eq!(result(&request(&lab, &[]).expect(0))["request"]["number"], 1);
        let updated = &forge.requests()[0];
        assert!(updated["title"].as_str().unwrap().starts_with(title), "still a draft: {updated:#}");
        assert_eq!(forge.requests().len(), 1);
    }
}

#[test]
fn a_request_that_is_open_becomes_a_draft_where_its_title_makes_it_one_and_else_that_is_said() {
    for (kind, sign) in [(Kind::GitLab, "Draft: "), (Kind::Gitea, "WIP: ")] {
        let Some((lab, forge)) = lab_at(kind) else { return };
        assert_eq!(result(&request(&lab, &[]).expect(0))["request"]["draft"], json!(false));
        let before = forge.requests()[0].clone();
        let ran = request(&lab, &["--draft"]).expect(0).says(&["is open, a draft: "]);
        assert_eq!(
            (&result(&ran)["request"]["draft"], &result(&ran)["request"]["warning"]),
            (&json!(true), &Value::Null)
        );
        let after = &forge.requests()[0];
        let title = after["title"].as_str().unwrap();
        assert_eq!(title.strip_prefix(sign), before["title"].as_str(), "{after:#}");
        request(&lab, &["--draft"]).expect(0);
        assert_eq!(forge.requests()[0]["title"], title, "{kind:?}: the sign is there once");
    }
    let Some((lab, forge)) = lab_at(Kind::GitHub) else { return };
    request(&lab, &[]).expect(0);
    let ran = request(&lab, &["--draft"])
        .expect(0)
        .says(&["⚠ the pull request #1 was open already and is no draft"]);
    let request = &result(&ran)["request"];
    assert_eq!(
        (&request["draft"], &request["warning"]["code"]),
        (&json!(false), &json!("not_a_draft")),
        "{request:#}"
    );
    assert_eq!(forge.requests().len(), 1);
}

#[test]
fn without_a_token_gitlab_takes_the_request_with_the_push() {
    let Some(lab) = lab() else { return };
    configure(&lab, "gitlab");
    let web = lab.url.strip_suffix(".git").unwrap().to_owned();
    take_push_options(&lab.instavote.path, &web);
    let first = result(&request(&lab, &["--label", "images", "--draft"]).expect(0));
    let page = format!("{web}/-/merge_requests/1");
    assert_eq!(
        first["request"],
        json!({"number": 1, "url": page, "state": "open", "draft": null, "warning": null})
    );
    let sent = options(&lab.instavote.path);
    for option in [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.label=images",
        "merge_request.draft",
    ] {
        assert!(sent.iter().any(|line| line == option), "{option}: {sent:#?}");
    }
    let body = sent.iter().find(|line| line.starts_with("merge_request.description=")).unwrap();
    assert!(body.contains("\\n| `flux-system/vote` |"), "{body}");
    // Nothing is pushed the second time, so nothing can go along; the forge shows nothing to strangers.
    let again = result(&request(&lab, &[]).expect(0));
    assert_eq!((&again["already"], &again["request"]["state"]), (&json!(true), &json!("link")));
}

#[test]
fn a_server_that_takes_no_push_options_leaves_the_page() {
    let Some(lab) = lab() else { return };
    configure(&lab, "gitlab");
    let ran = request(&lab, &[]).expect(0).says(&["open a request for image-updates at "]);
    let request = &result(&ran)["request"];
    assert_eq!((&request["state"], &request["number"]), (&json!("link"), &Value::Null));
    assert!(request["url"].as_str().unwrap().contains("/-/merge_requests/new?"), "{request}");
}

#[test]
fn without_a_token_gitea_takes_the_commit_for_its_branch() {
    let Some(lab) = lab() else { return };
    configure(&lab, "gitea");
    take_proposals(&lab.instavote.path);
    let first = result(&request(&lab, &[]).expect(0));
    let page = format!("{}/pulls/1", lab.url.strip_suffix(".git").unwrap());
    assert_eq!(
        first["request"],
        json!({"number": 1, "url": page, "state": "open", "draft": null, "warning": null})
    );
    assert_eq!(Some(first["commit"].as_str().unwrap().to_owned()), lab.instavote.tip(BRANCH));
    assert!(options(&lab.instavote.path).iter().any(|line| line.starts_with("title=")));
    let again = result(&request(&lab, &[]).expect(0));
    assert_eq!((&again["already"], &again["request"]["number"]), (&json!(true), &json!(1)));
    next_plan(&lab);
    let second = result(&request(&lab, &[]).expect(0));
    assert_eq!(second["request"]["number"], 1);
    let head = git(&lab.instavote.path, &["rev-parse", "refs/pull/1/head"]);
    assert_eq!(second["commit"], head);
    lab.instavote.assert_sound();
}

#[test]
fn a_token_that_comes_later_finds_the_request_that_gitea_took_for_its_branch_and_moves_it() {
    let Some(mut lab) = lab() else { return };
    configure(&lab, "gitea");
    take_proposals(&lab.instavote.path);
    let first = result(&request(&lab, &[]).expect(0));
    assert_eq!(first["request"]["number"], 1);
    let forge = ForgeServer::start(Kind::Gitea, "public-acme/fleet", &lab.instavote.path);
    configure_with(&lab, "gitea", &format!("api = \"{}\"\n", forge.api()));
    lab.environment = vec![("GITEA_TOKEN", TOKEN.to_owned())];
    let plan = next_plan(&lab);
    let second = result(&request(&lab, &[]).expect(0));
    assert_eq!((&second["pushed"], &second["request"]["number"]), (&json!(true), &json!(1)), "{second:#}");
    assert_eq!(forge.requests().len(), 1, "{:#?}", forge.requests());
    assert!(forge.requests()[0]["body"].as_str().unwrap().contains(plan["id"].as_str().unwrap()));
    assert_eq!(second["commit"], git(&lab.instavote.path, &["rev-parse", "refs/pull/1/head"]));
    lab.instavote.assert_sound();
}

#[test]
fn a_request_that_is_open_is_told_with_what_the_forge_refused_of_it() {
    for (kind, request_is) in [(Kind::GitHub, "pull request #1"), (Kind::GitLab, "merge request #1")] {
        let Some((lab, forge)) = lab_at(kind) else { return };
        request(&lab, &[]).expect(0);
        next_plan(&lab);
        forge.be(Whim::Refuse(403, "{\"message\":\"archived\"}".to_owned()));
        let ran = request(&lab, &[]).expect(8);
        assert!(
            ran.err.contains(&format!("the {request_is} is open, but keeps its title and text: ")),
            "{}",
            ran.err
        );
        let result = result(&ran);
        assert_eq!(
            (&result["request"]["number"], &result["pushed"]),
            (&json!(1), &json!(true)),
            "{result:#}"
        );
        assert_eq!(result["error"]["code"], "forge_denied");
    }
    for kind in [Kind::GitHub, Kind::Gitea] {
        let Some((lab, forge)) = lab_at(kind) else { return };
        forge.be(Whim::RefuseLabels(403, "{\"message\":\"triage only\"}".to_owned()));
        let ran = request(&lab, &["--label", "new one"]).expect(8);
        let ran = ran.says(&["the pull request #1 is open, but did not get its labels: ", "triage only"]);
        assert_eq!(result(&ran)["request"]["state"], "open");
        forge.behave();
        request(&lab, &["--label", "new one"]).expect(0);
        assert_eq!((forge.requests().len(), forge.requests()[0]["labels"].is_array()), (1, true), "{kind:?}");
    }
}

#[test]
fn what_a_forge_would_refuse_of_a_branch_is_said_before_the_push() {
    let rules = [
        (
            Kind::GitHub,
            vec![
                ("/branches/image-updates", json!({"name": BRANCH, "protected": true})),
                (
                    "/branches/image-updates/protection",
                    json!({"required_signatures": {"enabled": true}, "required_pull_request_reviews": {}}),
                ),
            ],
            "GitHub takes commits for image-updates by pull requests alone",
        ),
        (
            Kind::GitHub,
            vec![
                ("/branches/image-updates", json!({"name": BRANCH, "protected": true})),
                (
                    "/rules/branches/image-updates",
                    json!([{"type": "deletion"}, {"type": "required_signatures"}]),
                ),
            ],
            "image-updates is protected at GitHub, which may refuse the push",
        ),
        (
            Kind::GitLab,
            vec![
                ("/repository/branches/image-updates", json!({"protected": true, "can_push": false})),
                ("/push_rule", json!({"reject_unsigned_commits": true})),
            ],
            "GitLab lets this account not push to image-updates",
        ),
        (
            Kind::Gitea,
            vec![
                ("/branches/image-updates", json!({"protected": true, "user_can_push": false})),
                ("/branch_protections/image-updates", json!({"require_signed_commits": true})),
            ],
            "Gitea lets this account not push to image-updates",
        ),
    ];
    for (kind, told, says) in rules {
        let Some((lab, forge)) = lab_at(kind) else { return };
        let plan = lab.plan_file();
        let foretell = || lab.json(0, &["push", "--plan", plan.to_str().unwrap()])["problems"].clone();
        assert_eq!(foretell(), json!([]), "{kind:?}");
        for (path, answer) in told {
            forge.tell(path, answer);
        }
        let problems = foretell();
        let message = |index: usize| problems[index]["message"].as_str().unwrap_or_default();
        assert!(message(0).starts_with(says), "{kind:?}: {problems:#}");
        assert!(message(1).contains("takes only signed commits on image-updates"), "{kind:?}: {problems:#}");
        assert!(problems.as_array().unwrap().iter().all(|problem| problem["code"] == "git_rejected"));
        assert_eq!(lab.instavote.tip(BRANCH), None);
    }
}

#[test]
fn a_topic_that_went_another_way_is_not_pressed() {
    let Some(lab) = lab() else { return };
    configure(&lab, "gitea");
    take_proposals(&lab.instavote.path);
    request(&lab, &[]).expect(0);
    let other = lab.instavote.commit("other", &[("x", "y\n")], "Other");
    git(&lab.instavote.path, &["update-ref", "refs/pull/1/head", &other]);
    next_plan(&lab);
    let ran = request(&lab, &[]).expect(8).says(&["force-push", "it can be opened by hand: "]);
    let second = result(&ran);
    assert_eq!((&second["pushed"], &second["error"]["code"]), (&json!(true), &json!("git_rejected")));
    assert_eq!(git(&lab.instavote.path, &["rev-parse", "refs/pull/1/head"]), other);
}

#[test]
fn a_repository_without_an_owner_gets_its_branch_and_no_request() {
    let Some(mut lab) = Lab::start() else { return };
    lab.automate(BRANCH);
    lab.log_in(WRITER).expect(0);
    for (number, kind) in ["github", "gitlab", "gitea"].into_iter().enumerate() {
        configure(&lab, kind);
        lab.registry.push("vote", &format!("main-aaaaaa{number}-171906368{number}"));
        lab.plan(&[]);
        let ran = request(&lab, &[]).expect(0).says(&["⚠ a repository without an owner: no requests there"]);
        let landed = result(&ran);
        assert_eq!(
            (&landed["pushed"], &landed["request"]["warning"]["code"]),
            (&json!(true), &json!("no_owner"))
        );
        assert_eq!((&landed["request"]["url"], &landed["error"]), (&Value::Null, &Value::Null), "{kind}");
    }
    // Who owns it may be said elsewhere.
    configure(&lab, "github");
    lab.environment = vec![("GITHUB_USER", "octo".to_owned())];
    let ran = request(&lab, &[]).expect(0);
    let page = result(&ran)["request"]["url"].as_str().unwrap_or_default().to_owned();
    assert!(page.contains("/octo/public-instavote/compare/"), "{page}");
}

#[test]
fn a_dry_run_says_what_would_be_opened_and_asks_nothing_to_be_done() {
    let Some((lab, forge)) = lab_at(Kind::GitHub) else { return };
    let file = lab.plan_file();
    let push = ["push", "--plan", file.to_str().unwrap(), "--pull-request"];
    let dry = lab.json(0, &push);
    assert_eq!(dry["results"][0]["request"]["state"], "simulated");
    assert!(
        dry["results"][0]["request"]["url"]
            .as_str()
            .unwrap()
            .ends_with("/compare/main...image-updates?expand=1")
    );
    let client = lab.json(0, &[&push[..], &["--dry-run=client"]].concat());
    assert_eq!(client["results"][0]["request"]["state"], "simulated");
    request(&lab, &[]).expect(0);
    assert_eq!(lab.json(0, &push)["results"][0]["request"]["number"], 1);
    let changes = forge.asked().iter().filter(|asked| !asked.starts_with("GET ")).count();
    assert_eq!(changes, 1, "{:?}", forge.asked());
}

#[test]
fn a_push_that_can_have_no_request_is_refused_before_anything_is_sent() {
    let Some(lab) = lab() else { return };
    request(&lab, &[]).expect(2).says(&["nobody knows a forge there", "[forge.", "127.0.0.1"]);
    configure(&lab, "none");
    request(&lab, &[]).expect(2).says(&["nobody knows a forge there"]);
    configure(&lab, "github");
    request(&lab, &["--branch", "main", "--confirm-branch", "main"]).expect(2).says(&["a request needs two"]);
    assert_eq!(lab.instavote.tip(BRANCH), None);
    let linked = result(&request(&lab, &[]).expect(0));
    assert_eq!(linked["request"]["state"], "link");
}

/// What a server of the tests does when it is asked for the request from `updates` into `main` of `a/b`.
fn look(server: &ForgeServer) -> Result<Option<supercargo::domain::request::Request>, ForgeError> {
    let tokens = vec![("GITHUB_TOKEN", ForgeKind::GitHub, TOKEN.into())];
    let apis = vec![("GITHUB_API_URL", ForgeKind::GitHub, server.api().parse().unwrap())];
    let settings = ForgeSettings { tokens, apis, ..ForgeSettings::default() };
    let forges = Forges::new(settings, &[]).unwrap().with_patience(Duration::from_millis(300));
    let located = forges.locate_offline(&address(server)).unwrap();
    let spec = RequestSpec {
        head: "updates".to_owned(),
        base: "main".to_owned(),
        commit: String::new(),
        words: RequestWords::of("p", &[]),
        wish: RequestWish::default(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime.block_on(Forge::of(&located, &forges).unwrap().unwrap().open(&spec))?;
    Ok(found.map(|opened| opened.request))
}

fn address(server: &ForgeServer) -> Address {
    let (host, port) = ("127.0.0.1".to_owned(), Some(server.port()));
    Address { plain: true, host, port, path: "/a/b.git".to_owned() }
}

#[test]
fn a_forge_that_does_not_answer_is_given_up() {
    let server = ForgeServer::start(Kind::GitHub, "a/b", Path::new("/"));
    server.be(Whim::Always(ResponseTemplate::new(200).set_delay(Duration::from_secs(5))));
    let error = look(&server).unwrap_err();
    assert_eq!(error.code(), Code::Timeout, "{error}");
    // Nobody listens where nobody listens any more.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let away = format!("http://127.0.0.1:{port}/");
    server.be(Whim::Always(ResponseTemplate::new(302).insert_header("location", away)));
    assert_eq!(look(&server).unwrap_err().code(), Code::Unreachable);
}

#[test]
fn a_token_goes_nowhere_but_to_its_api() {
    let (server, other) = (
        ForgeServer::start(Kind::GitHub, "a/b", Path::new("/")),
        ForgeServer::start(Kind::GitHub, "a/b", Path::new("/")),
    );
    let moved = format!("{}/repos/a/b/pulls", other.api());
    server.be(Whim::Always(ResponseTemplate::new(301).insert_header("location", moved)));
    assert_eq!(look(&server).unwrap(), None);
    assert!(server.saw_a_token() && !other.saw_a_token());
    assert_eq!(other.asked(), ["GET /api/v3/repos/a/b/pulls"]);
}

#[tokio::test]
async fn a_host_is_known_by_what_it_answers_and_asked_once() {
    let kinds = [
        (Kind::GitHub, ForgeKind::GitHub),
        (Kind::GitLab, ForgeKind::GitLab),
        (Kind::Gitea, ForgeKind::Gitea),
    ];
    for (kind, expected) in kinds {
        let started = tokio::task::spawn_blocking(move || ForgeServer::start(kind, "a/b", Path::new("/")));
        let server = started.await.unwrap();
        let tokens = vec![("T", expected, "hunter2".into())];
        let forges = Forges::new(ForgeSettings { tokens, ..ForgeSettings::default() }, &[]).unwrap();
        let address = address(&server);
        for _ in 0..2 {
            let located = forges.locate(&address).await.unwrap().unwrap();
            assert_eq!(located.project.kind, expected);
            assert_eq!(located.api.unwrap().as_str(), server.api());
        }
        tokio::task::spawn_blocking(move || {
            assert_eq!(server.asked().len(), 3, "{:?}", server.asked());
            assert!(!server.saw_a_token());
            drop(server);
        })
        .await
        .unwrap();
    }
}
