//! `bootstrap`: a repository set up for image updates, on real Git servers, with forges before one, and beside a real cluster.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod cluster;
    pub mod desk;
    pub mod forge_server;
    pub mod git;
    pub mod registry;
    pub mod sshd;
}

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use support::cluster::shared;
use support::desk::{Desk, Ran};
use support::forge_server::{ForgeServer, Kind, TOKEN};
use support::git::{Bare, GitServer, PASSWORD, READER, WRITER, git, git_command};
use support::sshd::SshServer;

/// A desk that logs in to Git as this user.
fn desk(user: &str) -> Desk {
    let mut desk = Desk::reviewing();
    let login = [("SUPERCARGO_GIT_USERNAME", user), ("SUPERCARGO_GIT_PASSWORD", PASSWORD)];
    desk.environment.extend(login.map(|(name, value)| (name.to_owned(), value.to_owned())));
    desk
}

fn bootstrap<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["bootstrap", "git", "--url", url, "--path", "./clusters/prod"], more].concat()
}

const IN_EARNEST: [&str; 4] = ["--write", "--yes", "--confirm-branch", "main"];

fn show(bare: &Bare, branch: &str, path: &str) -> String {
    let output = git_command(&bare.path).args(["show", &format!("{branch}:{path}")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn files(answer: &Value) -> Vec<(String, String)> {
    let text = |file: &Value, key: &str| file[key].as_str().unwrap().to_owned();
    answer["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (text(file, "path"), text(file, "action")))
        .collect()
}

const SYNC: &str = "clusters/prod/flux-system/gotk-sync.yaml";
const KUSTOMIZATION: &str = "clusters/prod/flux-system/kustomization.yaml";
const OBJECTS: &str = "clusters/prod/all.yaml";

#[test]
fn a_repository_is_set_up_over_http_and_a_second_run_finds_nothing_to_do() {
    let Some(server) = GitServer::start(false) else { return };
    let fleet = server.create("fleet", &[("README.md", "fleet\n")]);
    let (desk, url) = (desk(WRITER), server.repository("fleet"));
    let before = fleet.tip("main").unwrap();

    let dry = desk.json(0, &bootstrap(&url, &[]));
    assert_eq!(
        (&dry["kind"], &dry["dry_run"], &dry["pushed"]),
        (&json!("BootstrapResult"), &json!(true), &json!(false))
    );
    let created = [SYNC, KUSTOMIZATION, OBJECTS].map(|path| (path.to_owned(), "created".to_owned()));
    assert_eq!(files(&dry), created);
    assert_eq!(
        (&dry["base"], &dry["created"], &dry["context"]),
        (&json!(before), &json!(false), &Value::Null)
    );
    assert_eq!(fleet.tip("main").unwrap(), before, "a dry run moves nothing");
    assert_eq!(desk.run(&bootstrap(&url, &["--write"])).code, Some(7));
    assert_eq!(desk.run(&bootstrap(&url, &["--write", "--yes"])).code, Some(7), "main is protected");
    assert_eq!(desk.run(&bootstrap(&url, &["--read-only"])).code, Some(7));
    assert_eq!(fleet.tip("main").unwrap(), before);

    let ran = desk.run(&bootstrap(&url, &IN_EARNEST));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("► push 3 files to main") && ran.err.contains("✔ pushed"), "{}", ran.err);
    assert!(ran.err.contains("+++ b/clusters/prod/flux-system/gotk-sync.yaml"), "{}", ran.err);
    assert!(ran.out.contains("flux install --components-extra=image-reflector-controller"), "{}", ran.out);
    assert!(!ran.err.contains(PASSWORD) && !ran.out.contains(PASSWORD));
    let sync = show(&fleet, "main", SYNC);
    assert!(
        sync.contains(&format!("  url: {url}\n")) && sync.contains("  path: ./clusters/prod\n"),
        "{sync}"
    );
    assert_eq!(show(&fleet, "main", OBJECTS), fs::read_to_string(desk.path("objects/all.yaml")).unwrap());
    let log = git(&fleet.path, &["log", "-1", "--format=%P|%an <%ae>|%s", "main"]);
    assert_eq!(log, format!("{before}|Rita <rita@example.com>|Add Flux sync manifests"));
    assert_eq!(show(&fleet, "main", "README.md"), "fleet\n");
    // The patch that was shown makes the same tree of the base.
    let work = desk.path("work");
    git(&desk.path(""), &["clone", "-q", fleet.path.to_str().unwrap(), work.to_str().unwrap()]);
    git(&work, &["checkout", "-q", &before]);
    desk.write("bootstrap.patch", dry["patch"].as_str().unwrap());
    git(&work, &["apply", "--index", desk.path("bootstrap.patch").to_str().unwrap()]);
    assert_eq!(git(&work, &["write-tree"]), git(&fleet.path, &["rev-parse", "main^{tree}"]));

    let tip = fleet.tip("main").unwrap();
    let again = desk.run(&bootstrap(&url, &["--write", "--yes"]));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.err.contains("✔ nothing to do: main has it all already"), "{}", again.err);
    let again = desk.json(0, &bootstrap(&url, &["--write", "--yes"]));
    assert_eq!(
        (&again["already"], &again["commit"], &again["patch"]),
        (&json!(true), &Value::Null, &json!(""))
    );
    assert_eq!(fleet.tip("main").unwrap(), tip);
    fleet.assert_sound();
}

#[test]
fn an_empty_repository_gets_its_first_commit_over_ssh() {
    let Some(server) = SshServer::start() else { return };
    let fleet = Bare::create_empty(&server.folder("fleet"));
    let mut desk = Desk::reviewing();
    let key = ("SUPERCARGO_GIT_SSH_KEY".to_owned(), server.key("writer").display().to_string());
    desk.environment.push(key);
    let hosts = server.write("hosts", &server.known_hosts()).display().to_string();
    let url = server.repository("fleet");
    let run = bootstrap(&url, &["--git-known-hosts", &hosts]);
    let done = desk.json(0, &[&run[..], &IN_EARNEST].concat());
    assert_eq!(
        (&done["created"], &done["base"], &done["verified"]),
        (&json!(true), &Value::Null, &json!(true))
    );
    assert_eq!(git(&fleet.path, &["rev-list", "--count", "main"]), "1");
    assert!(show(&fleet, "main", SYNC).contains(&format!("  url: {url}\n")));
    assert_eq!(desk.json(0, &run)["already"], json!(true));
    let reader = server.key("reader").display().to_string();
    desk.environment.last_mut().unwrap().1 = reader;
    let denied = ["bootstrap", "git", "--url", &url, "--path", "clusters/other", "--git-known-hosts", &hosts];
    assert_eq!(desk.run(&denied).code, Some(4));
    fleet.assert_sound();
}

#[test]
fn a_new_branch_begins_at_the_first_one_and_keeps_what_is_there() {
    let desk = Desk::reviewing();
    let base = desk.fleet.tip("main").unwrap();
    let url = desk.address();
    let run = bootstrap(&url, &["--branch", "staging", "--write", "--yes"]);
    let done = desk.json(0, &run);
    assert_eq!((&done["created"], &done["base"]), (&json!(true), &json!(base)));
    assert_eq!(git(&desk.fleet.path, &["rev-parse", "staging^"]), base);
    assert_eq!(show(&desk.fleet, "staging", "README.md"), "fleet\n");
    assert_eq!(desk.fleet.tip("main").unwrap(), base);
    // A branch alone is missing: nothing is committed for it.
    let other = desk.json(0, &bootstrap(&url, &["--branch", "staging", "--write", "--yes"]));
    assert_eq!(other["already"], json!(true));
}

#[test]
fn files_that_say_something_else_are_never_replaced_unasked() {
    let desk = Desk::reviewing();
    let url = desk.address();
    let theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: theirs}\n";
    desk.fleet.commit("staging", &[(OBJECTS, theirs)], "Theirs");
    let tip = desk.fleet.tip("staging").unwrap();
    let run = bootstrap(&url, &["--branch", "staging", "--write", "--yes"]);
    let refused = desk.run(&run);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.err.contains(OBJECTS) && refused.err.contains("--overwrite"), "{}", refused.err);
    assert_eq!(desk.fleet.tip("staging").unwrap(), tip);
    let done = desk.json(0, &[&run[..], &["--overwrite"]].concat());
    assert!(files(&done).contains(&(OBJECTS.to_owned(), "updated".to_owned())), "{done:#}");
    assert!(done["patch"].as_str().unwrap().contains("-kind: ConfigMap"), "{done:#}");
    // Another path, or another repository, is not what this folder follows.
    let other = bootstrap(&url, &["--branch", "staging", "--interval", "7m"]);
    assert_eq!(desk.run(&other).code, Some(5), "the interval that is asked for is another");
    assert_eq!(desk.run(&bootstrap(&url, &["--branch", "staging"])).code, Some(0));
}

#[test]
fn what_flux_bootstrapped_is_left_as_it_is() {
    let desk = Desk::reviewing();
    let url = desk.address();
    let sync = desk.json(0, &bootstrap(&url, &["--branch", "staging"]))["patch"].as_str().unwrap().to_owned();
    let sync: String = sync
        .lines()
        .skip_while(|line| !line.starts_with("+# This"))
        .take_while(|line| line.starts_with('+'))
        .flat_map(|line| [line.trim_start_matches('+'), "\n"])
        .collect();
    let flux = sync.replace("interval: 1m0s", "interval: 5m0s");
    let both = "resources:\n- gotk-components.yaml\n- gotk-sync.yaml\n";
    desk.fleet.commit("staging", &[(SYNC, &flux), (KUSTOMIZATION, both)], "Flux");
    let done = desk.json(0, &bootstrap(&url, &["--branch", "staging", "--write", "--yes"]));
    assert_eq!(files(&done).iter().filter(|(_, action)| action == "unchanged").count(), 2, "{done:#}");
    assert_eq!(show(&desk.fleet, "staging", KUSTOMIZATION), both);
    let log = git(&desk.fleet.path, &["log", "-1", "--format=%s", "staging"]);
    assert_eq!(log, "Add Flux image objects");
    // A list without our file is flux's to keep: to replace it would take the controllers away.
    desk.fleet.commit("staging", &[(KUSTOMIZATION, "resources:\n- gotk-components.yaml\n")], "Changed");
    let refused = desk.run(&bootstrap(&url, &["--branch", "staging", "--overwrite"]));
    assert_eq!(refused.code, Some(5));
    assert!(refused.err.contains("Add `- gotk-sync.yaml`"), "{}", refused.err);
}

#[test]
fn who_may_not_write_is_told_before_anything_is_asked_of_a_person() {
    let Some(server) = GitServer::start(false) else { return };
    server.create("public-fleet", &[("README.md", "fleet\n")]);
    let url = server.repository("public-fleet");
    for (user, password, code) in [(READER, PASSWORD, 4), (WRITER, "wrong", 4)] {
        let mut desk = desk(user);
        desk.environment.last_mut().unwrap().1 = password.to_owned();
        let ran = desk.run(&bootstrap(&url, &[]));
        assert_eq!(ran.code, Some(code), "{user}: {ran:?}");
        assert!(!ran.err.contains(password), "{}", ran.err);
    }
    let gone = desk(WRITER).run(&bootstrap(&server.repository("gone"), &[]));
    assert_eq!(gone.code, Some(3), "{gone:?}");
    let odd = desk(WRITER).run(&bootstrap("ftp://example.com/fleet", &[]));
    assert!(matches!(odd.code, Some(2 | 3)), "{odd:?}");
}

#[test]
fn a_secret_beside_the_objects_is_not_published() {
    let desk = Desk::reviewing();
    let objects = fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let secret =
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {a: hunter2}\n";
    desk.write("objects/all.yaml", &format!("{objects}{secret}"));
    let ran = desk.run(&bootstrap(&desk.address(), &[]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("holds a Secret in plain text") && !ran.err.contains("hunter2"), "{}", ran.err);
}

/// A forge without the repository, whose token is `user`'s; the server behind it, and a desk that knows both.
fn forge(kind: Kind, project: &str, user: &str) -> Option<(GitServer, ForgeServer, Desk)> {
    let server = GitServer::start(false)?;
    let url = server.repository(project);
    let ssh = format!("git@git.example.com:{project}.git");
    let forge = ForgeServer::start_empty(kind, project, &server.folder(project), (user, [&url, &ssh]));
    let (api, token) = match kind {
        Kind::GitHub => ("GITHUB_API_URL", "GITHUB_TOKEN"),
        Kind::GitLab => ("GITLAB_API_URL", "GITLAB_TOKEN"),
        Kind::Gitea => ("GITEA_API_URL", "GITEA_TOKEN"),
    };
    let mut desk = desk(WRITER);
    desk.environment.push((api.to_owned(), forge.api()));
    desk.environment.push((token.to_owned(), TOKEN.to_owned()));
    desk.write(
        "hosts",
        "git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0vVw0m1oZ6N0cB3m3gq4mX3o6wGv1k0eP2gYl5yQ8s\n",
    );
    Some((server, forge, desk))
}

fn command(kind: Kind) -> &'static str {
    match kind {
        Kind::GitHub => "github",
        Kind::GitLab => "gitlab",
        Kind::Gitea => "gitea",
    }
}

fn at_forge<'a>(kind: Kind, owner: &'a str, hosts: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let guide =
        ["--components-extra=image-reflector-controller,image-automation-controller", "--branch=main"];
    let place =
        ["bootstrap", command(kind), "--owner", owner, "--repository=fleet", "--path=clusters/my-cluster"];
    [&place[..], &guide, &["--read-write-key", "--git-known-hosts", hosts], more].concat()
}

fn posts(forge: &ForgeServer) -> usize {
    forge.asked().iter().filter(|ask| ask.starts_with("POST")).count()
}

#[test]
fn a_forge_makes_what_is_missing_once_and_its_key_may_write() {
    for (kind, owner, user) in [
        (Kind::GitHub, "acme", "octo"),
        (Kind::GitLab, "acme", "octo"),
        (Kind::Gitea, "acme", "octo"),
        (Kind::GitHub, "octo", "octo"),
        (Kind::GitLab, "octo", "octo"),
    ] {
        let Some((server, forge, desk)) = forge(kind, &format!("{owner}/fleet"), user) else { return };
        let hosts = desk.path("hosts").display().to_string();
        let personal: &[&str] = if owner == user { &["--personal"] } else { &[] };
        let run = at_forge(kind, owner, &hosts, personal);
        let dry = desk.run(&run);
        assert_eq!(dry.code, Some(0), "{kind:?} {dry:?}");
        assert!(
            dry.err.contains("► make the private repository") && dry.err.contains("(dry run)"),
            "{}",
            dry.err
        );
        assert_eq!(posts(&forge), 0, "{kind:?}");

        let done = desk.json(0, &[&run[..], &IN_EARNEST].concat());
        assert_eq!(
            (&done["repository_created"], &done["verified"]),
            (&json!(true), &json!(true)),
            "{done:#}"
        );
        let fleet = Bare { path: server.folder(&format!("{owner}/fleet")) };
        let sync = show(&fleet, "main", "clusters/my-cluster/flux-system/gotk-sync.yaml");
        assert!(sync.contains(&format!("url: ssh://git@git.example.com/{owner}/fleet.git\n")), "{sync}");
        let key = &forge.keys()[0];
        assert_eq!(key["title"], "flux-main-clusters/my-cluster");
        let writes = if kind == Kind::GitLab { key["can_push"] == true } else { key["read_only"] == false };
        assert!(writes && key["key"].as_str().unwrap().starts_with("ecdsa-sha2-nistp384 "), "{key:#}");
        let secret = desk.path(".local/state/supercargo/secrets/flux-system/flux-system.yaml");
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&secret).unwrap().contains(key["key"].as_str().unwrap()));

        let before = posts(&forge);
        let again = desk.json(0, &[&run[..], &["--write", "--yes"]].concat());
        assert_eq!(
            (&again["already"], &again["deploy_key"]["already"]),
            (&json!(true), &json!(true)),
            "{again:#}"
        );
        assert_eq!((posts(&forge), forge.keys().len()), (before, 1));
        fleet.assert_sound();
    }
}

#[test]
fn a_token_for_controllers_leaves_no_key() {
    let Some((server, forge, desk)) = forge(Kind::GitHub, "octo/fleet", "octo") else { return };
    let hosts = desk.path("hosts").display().to_string();
    let run = at_forge(Kind::GitHub, "octo", &hosts, &["--personal", "--private=false", "--token-auth"]);
    desk.json(0, &[&run[..], &IN_EARNEST].concat());
    assert!(forge.keys().is_empty());
    let fleet = Bare { path: server.folder("octo/fleet") };
    let sync = show(&fleet, "main", "clusters/my-cluster/flux-system/gotk-sync.yaml");
    assert!(sync.contains(&format!("url: {}\n", server.repository("octo/fleet"))), "{sync}");
}

#[test]
fn what_a_forge_refuses_is_told_and_nothing_is_made() {
    let Some((server, forge, mut desk)) = forge(Kind::GitHub, "octo/fleet", "octo") else { return };
    let hosts = desk.path("hosts").display().to_string();
    let told = |desk: &Desk, owner: &str, more: &[&str], code: i32, texts: &[&str]| {
        let Ran { code: found, err, out } =
            desk.run(&[&at_forge(Kind::GitHub, owner, &hosts, more)[..], &IN_EARNEST].concat());
        assert_eq!(found, Some(code), "{err}");
        assert!(texts.iter().all(|text| err.contains(text)), "{texts:?}: {err}");
        assert!(!err.contains(TOKEN) && !out.contains(TOKEN));
    };
    told(&desk, "octo", &[], 4, &["404", "say --personal"]);
    told(&desk, "acme", &["--personal"], 2, &["GITHUB_TOKEN is octo's", "Leave --personal out"]);
    let place = desk.environment.len() - 1;
    desk.environment[place].1 = "ghp_wrong".to_owned();
    told(&desk, "octo", &["--personal"], 4, &["401 Bad credentials", "make a new token"]);
    desk.environment.pop();
    told(&desk, "octo", &["--personal"], 4, &["no token", "Set GITHUB_TOKEN"]);
    assert!(!server.folder("octo/fleet").exists() && forge.keys().is_empty());
}

#[test]
fn what_a_cluster_lacks_is_named_with_what_brings_it() {
    let Some(cluster) = shared() else { return };
    let mut desk = Desk::reviewing();
    let url = "https://git.example.com/ops/fleet.git";
    let local = desk.address();
    desk.write(
        ".gitconfig",
        &format!(
            "[user]\n\tname = Rita\n\temail = rita@example.com\n[url \"{local}\"]\n\tinsteadOf = {url}\n"
        ),
    );
    desk.environment.push(("KUBECONFIG".to_owned(), cluster.kubeconfig().display().to_string()));
    cluster.namespace("gitops");
    let flags = ["--context", "admin", "-n", "gitops", "--branch", "staging", "--network-policy=false"];
    let asked = desk.json(0, &bootstrap(url, &flags));
    assert_eq!(asked["context"], "admin", "{asked:#}");
    let missing = asked["missing"].as_array().unwrap().clone();
    let names: Vec<&str> = missing.iter().map(|lack| lack["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "controller/source-controller",
            "controller/kustomize-controller",
            "controller/image-reflector-controller",
            "controller/image-automation-controller",
            "secret/gitops/gitops",
            "gitrepository/gitops/gitops",
            "kustomization/gitops/gitops",
        ]
    );
    let install = "flux install --components-extra=image-reflector-controller,image-automation-controller \
                   --namespace=gitops --network-policy=false";
    assert_eq!((&missing[0]["command"], &asked["install"]), (&json!(install), &json!(install)));
    // Commands of ours work as they stand, but for what only a person knows.
    let line = missing[5]["command"].as_str().unwrap();
    let words: Vec<&str> = line.strip_prefix("supercargo ").unwrap().split(' ').collect();
    let made = desk.run(&[&words[..], &["--yes", "--timeout=1s"]].concat());
    assert!(made.err.contains("GitRepository source created"), "{made:?}");
    let source = cluster.get("source.toolkit.fluxcd.io/v1", "GitRepository", "gitops", "gitops").unwrap();
    assert_eq!((&source["spec"]["url"], &source["spec"]["ref"]["branch"]), (&json!(url), &json!("staging")));
    cluster.put_json(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "gitops", "name": "gitops"}, "stringData": {"a": "b"},
    }));
    let flux: String = asked["patch"]
        .as_str()
        .unwrap()
        .lines()
        .flat_map(|line| [line.trim_start_matches('+'), "\n"])
        .collect();
    let kustomization = flux.split("---\n").find(|text| text.contains("prune: true")).unwrap();
    cluster.put(kustomization.split("--- ").next().unwrap());
    let left = desk.json(0, &bootstrap(url, &flags));
    assert_eq!(left["missing"].as_array().unwrap().len(), 4, "{left:#}");

    let blind: Vec<&str> = flags.iter().map(|flag| if *flag == "admin" { "nobody" } else { flag }).collect();
    let ran = desk.run(&bootstrap(url, &blind));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("not allowed") || ran.err.contains("forbidden"), "{}", ran.err);
}

#[test]
fn the_login_that_flux_takes_is_ours_and_is_the_controllers_too() {
    let Some(server) = GitServer::start(false) else { return };
    let desk = Desk::reviewing();
    server.create("fleet", &[("README.md", "fleet\n")]);
    let url = server.repository("fleet");
    let login = ["--username", WRITER, "--password", PASSWORD, "--token-auth"];
    let made = desk.json(0, &bootstrap(&url, &[&login[..], &IN_EARNEST].concat()));
    assert_eq!(made["pushed"], true, "{made:#}");
    let wrong = desk.run(&bootstrap(&url, &["--password", "wrong"]));
    assert_eq!(wrong.code, Some(4), "{wrong:?}");
    assert!(!wrong.err.contains("wrong"), "{wrong:?}");
    let told = |url: &str, flags: &[&str], expected: &str| {
        let ran = desk.run(&bootstrap(url, flags));
        assert!(ran.code == Some(2) && ran.err.contains(expected), "{ran:?}");
    };
    told("ssh://git@127.0.0.1:1/fleet", &["--token-auth"], "no logging in with a token");
    told("http://git.example.com/fleet", &[], "--allow-insecure-http");
    told(&url, &["--private-key-file", "/nowhere/key"], "cannot be read");
    told(&url, &["--password", "p", "--git-password-stdin"], "cannot be used with");
}

#[test]
fn the_guides_line_is_understood() {
    let line = "bootstrap github --components-extra=image-reflector-controller,image-automation-controller --owner=octo \
                --repository=flux-image-updates --branch=main --path=clusters/my-cluster --read-write-key --personal";
    let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
    let output = command.args(line.split_whitespace()).env_clear().output().unwrap();
    // Understood, and then there is nothing to log in with.
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}
