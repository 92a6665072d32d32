//! What the object commands do to a cluster, on a real API server with Flux's CRDs: each effect once, and none where the mode
//! or nobody's agreement allows it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod cluster;
    pub mod registry;
}

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::cluster::{Cluster, shared};

const IMAGE_V1: &str = "image.toolkit.fluxcd.io/v1";

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A person with a kubeconfig, whose commands are about one namespace.
struct Person {
    home: tempfile::TempDir,
    kubeconfig: PathBuf,
    namespace: &'static str,
    user: &'static str,
}

/// What the program said.
#[derive(Debug)]
struct Said {
    exit: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    #[track_caller]
    fn expect(self, exit: i32, texts: &[&str]) -> Self {
        assert_eq!(self.exit, Some(exit), "{self:?}");
        for text in texts {
            assert!(self.err.contains(text), "no {text:?}: {self:?}");
        }
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Person {
    fn new(cluster: &Cluster, user: &'static str, namespace: &'static str) -> Self {
        cluster.namespace(namespace);
        Self { home: tempfile::tempdir().unwrap(), kubeconfig: cluster.kubeconfig(), namespace, user }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command.current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        command.env("KUBECONFIG", &self.kubeconfig).args(["--context", self.user, "-n", self.namespace]);
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { exit: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The same in earnest: with WRITE and a confirmation.
    fn write(&self, arguments: &[&str]) -> Said {
        self.run(&[arguments, &["--write", "--yes"]].concat())
    }
}

const VOTE: [&str; 6] =
    ["create", "image", "repository", "vote", "--image=127.0.0.1:1/vote", "--interval=1m"];

/// One of each command that makes an object.
const CREATES: [&[&str]; 8] = [
    &VOTE,
    &["create", "image", "policy", "vote", "--image-ref=vote", "--select-semver=1.x", "--label=team=x"],
    &[
        "create",
        "image",
        "update",
        "all",
        "--git-repo-ref=fleet",
        "--git-repo-path=./deploy",
        "--checkout-branch=main",
        "--author-name=f",
        "--author-email=f@example.com",
        "--commit-template=one\ntwo: {{.Changed}}\n",
    ],
    &["create", "source", "git", "fleet", "--url=https://git.example.com/fleet", "--branch=main"],
    &["create", "secret", "oci", "login", "--url=reg.example.com", "-u", "rita", "-p", "hunter2"],
    &[
        "create",
        "secret",
        "git",
        "fleet",
        "--url=https://git.example.com/fleet",
        "-u",
        "rita",
        "-p",
        "hunter2",
    ],
    &[
        "create",
        "secret",
        "proxy",
        "way-out",
        "--address=http://proxy.example.com:3128",
        "-u",
        "rita",
        "-p",
        "hunter2",
    ],
    &["create", "secret", "tls", "pair", "--ca-crt-file=/etc/hostname"],
];

/// What was really done to a namespace by people: verb and object, in order.
fn effects(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let text = |event: &Value, path: &str| {
        event.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let all = cluster.audit().into_iter().filter(|event| text(event, "/objectRef/namespace") == namespace);
    let ours = all.filter(|event| {
        text(event, "/requestURI").contains("fieldManager=supercargo") || text(event, "/verb") == "delete"
    });
    let done = ours.filter(|event| {
        !event.to_string().contains("\"dryRun\"") && !text(event, "/requestURI").contains("dryRun")
    });
    done.map(|event| {
        format!(
            "{} {}/{}",
            text(&event, "/verb"),
            text(&event, "/objectRef/resource"),
            text(&event, "/objectRef/name")
        )
    })
    .collect()
}

/// Writes what a controller would, `after` the program began to wait for it.
fn controller_answers(cluster: &Cluster, namespace: &str, kind: &str, name: &str, status: &Value) {
    let until = Instant::now() + PATIENCE;
    loop {
        let object = cluster.get(IMAGE_V1, kind, namespace, name);
        let at = object
            .as_ref()
            .and_then(|object| object.pointer("/metadata/annotations/reconcile.fluxcd.io~1requestedAt"));
        if let (Some(object), Some(at)) = (&object, at) {
            let mut status = status.clone();
            status["lastHandledReconcileAt"] = at.clone();
            status["observedGeneration"] = object["metadata"]["generation"].clone();
            cluster.put_status(&json!({
                "apiVersion": IMAGE_V1, "kind": kind, "metadata": { "namespace": namespace, "name": name }, "status": status,
            }));
            return;
        }
        assert!(Instant::now() < until, "nobody asked for a reconciliation");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn ready(status: &str, message: &str) -> Value {
    json!([{
        "type": "Ready", "status": status, "reason": "Succeeded", "message": message,
        "lastTransitionTime": "2026-03-01T09:12:44Z",
    }])
}

#[test]
fn each_effect_is_done_once_in_write_mode_and_only_tried_in_dry_run() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "once");
    rita.run(&VOTE).expect(0, &["✔ ImageRepository created (dry run)"]);
    rita.run(&[&VOTE[..], &["--read-only"]].concat()).expect(7, &["READ-ONLY"]);
    rita.run(&[&VOTE[..], &["--write"]].concat()).expect(7, &["has to be confirmed", "hint: Add --yes."]);
    assert_eq!(cluster.get(IMAGE_V1, "ImageRepository", "once", "vote"), None);
    // There is no controller here: what it does not answer is said, and the object stays.
    let created = rita.write(&[&VOTE[..], &["--timeout=1s", "-o", "json"]].concat()).expect(3, &[]).json();
    assert_eq!(
        (&created["action"], &created["target"]),
        (&json!("created"), &json!("cluster")),
        "{created:#}"
    );
    assert_eq!((&created["file"], &created["dry_run"]), (&Value::Null, &json!(false)), "{created:#}");
    let vote = ["image", "repository", "vote"];
    let command = |verb: &'static str| [&[verb][..], &vote].concat();
    let tried = rita.run(&[&command("suspend")[..], &["-o", "json"]].concat()).expect(0, &[]).json();
    assert_eq!((&tried["action"], &tried["dry_run"]), (&json!("suspended"), &json!(true)), "{tried:#}");
    rita.write(&command("suspend"))
        .expect(0, &["► suspending image repository vote in once namespace", "✔ image repository suspended"]);
    let again = rita.write(&[&command("suspend")[..], &["-o", "json"]].concat()).expect(0, &[]).json();
    assert_eq!(again["action"], "unchanged");
    rita.write(&command("reconcile")).expect(2, &["resource is suspended"]);
    rita.write(&[&command("resume")[..], &["--timeout=1s"]].concat())
        .expect(3, &["✔ image repository resumed", "was not reconciled within"]);
    rita.run(&[&command("delete")[..], &["-s"]].concat())
        .expect(0, &["✔ image repository deleted (dry run)"]);
    assert_ne!(cluster.get(IMAGE_V1, "ImageRepository", "once", "vote"), None);
    rita.write(&command("delete")).expect(0, &["✔ image repository deleted"]);
    assert_eq!(cluster.get(IMAGE_V1, "ImageRepository", "once", "vote"), None);
    rita.write(&command("delete")).expect(2, &["✗ ImageRepository vote not found in once namespace"]);
    // What a request to delete says of a dry run stands in its body, which the log leaves out: two were tries, or the object
    // would have been gone before it was deleted.
    assert_eq!(
        effects(cluster, "once"),
        ["patch", "patch", "patch", "delete", "delete", "delete"]
            .map(|verb| format!("{verb} imagerepositories/vote"))
    );
    let log = rita.run(&["events", "-o", "json"]).expect(0, &[]).out;
    let objects = log.lines().filter(|line| line.contains(r#""event":"object""#)).count();
    assert_eq!(objects, 4, "{log}");
}

#[test]
fn a_reconciliation_is_asked_for_and_waited_for() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "waits");
    for (kind, name, spec) in [
        (
            "ImagePolicy",
            "vote",
            json!({ "imageRepositoryRef": { "name": "vote" }, "policy": { "semver": { "range": "1.x" } } }),
        ),
        (
            "ImageUpdateAutomation",
            "all",
            json!({
                "interval": "1m", "sourceRef": { "kind": "GitRepository", "name": "fleet" },
                "git": { "commit": { "author": { "email": "f@example.com" } } },
            }),
        ),
    ] {
        cluster.put_json(&json!({
            "apiVersion": IMAGE_V1, "kind": kind, "metadata": { "namespace": "waits", "name": name }, "spec": spec,
        }));
    }
    rita.run(&["reconcile", "image", "policy", "vote"]).expect(0, &["✔ ImagePolicy annotated (dry run)"]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let latest = json!({ "name": "r/vote", "tag": "1.2", "digest": "sha256:ab" });
            let status = json!({ "latestRef": latest, "conditions": ready("True", "fine") });
            controller_answers(cluster, "waits", "ImagePolicy", "vote", &status);
            let status = json!({ "conditions": ready("False", "no such branch") });
            controller_answers(cluster, "waits", "ImageUpdateAutomation", "all", &status);
        });
        rita.write(&["reconcile", "image", "policy", "vote"]).expect(
            0,
            &[
                "► annotating ImagePolicy vote in waits namespace",
                "✔ ImagePolicy annotated",
                "◎ waiting for ImagePolicy reconciliation",
                "✔ selected ref r/vote:1.2@sha256:ab",
            ],
        );
        let failed = ["ImageUpdateAutomation reconciliation failed: 'no such branch'"];
        rita.write(&["reconcile", "image", "update", "--all"]).expect(3, &failed);
    });
    assert_eq!(effects(cluster, "waits"), ["patch imagepolicies/vote", "patch imageupdateautomations/all"]);
}

#[test]
fn each_kind_of_object_is_made_and_deleted_once_and_only_where_the_mode_allows_it() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "each");
    for create in CREATES {
        rita.run(create).expect(0, &["(dry run)"]);
        rita.run(&[create, &["--read-only"]].concat()).expect(7, &["READ-ONLY"]);
        rita.run(&[create, &["--write"]].concat()).expect(7, &["has to be confirmed"]);
    }
    let read_only = |verb: &'static str| rita.run(&[verb, "image", "policy", "vote", "--read-only"]);
    let verbs = ["suspend", "resume", "reconcile", "delete"];
    for verb in verbs {
        read_only(verb).expect(2, &["ImagePolicy vote not found"]);
    }
    assert_eq!(effects(cluster, "each"), Vec::<String>::new());
    for create in CREATES {
        // No controller answers here.
        rita.write(&[create, &["--timeout=1s"]].concat());
    }
    for verb in verbs {
        read_only(verb).expect(7, &["READ-ONLY"]);
    }
    let made = ["imagerepositories/vote", "imagepolicies/vote", "imageupdateautomations/all"];
    let more = ["gitrepositories/fleet", "secrets/login", "secrets/fleet", "secrets/way-out", "secrets/pair"];
    // Server-side apply makes what is not there.
    let created: Vec<String> = made.iter().chain(&more).map(|name| format!("patch {name}")).collect();
    assert_eq!(effects(cluster, "each"), created);
    for (kind, name) in [("policy", "vote"), ("update", "all")] {
        rita.run(&["suspend", "image", kind, name]).expect(0, &["(dry run)"]);
        rita.write(&["suspend", "image", kind, name]).expect(0, &[]);
        rita.write(&["delete", "image", kind, name]).expect(0, &[]);
    }
    // As above: of two requests to delete one was a try.
    let changed = ["patch", "delete", "delete"];
    let changed = made[1..].iter().flat_map(|name| changed.map(|verb| format!("{verb} {name}")));
    assert_eq!(effects(cluster, "each"), created.into_iter().chain(changed).collect::<Vec<_>>());
}

#[test]
fn a_name_that_no_object_can_have_reaches_no_other_one() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "names");
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "namespace": "names", "name": "vote" },
        "spec": { "image": "127.0.0.1:1/vote", "interval": "1m0s" },
    }));
    let state = || cluster.get(IMAGE_V1, "ImageRepository", "names", "vote").unwrap();
    let before = state();
    for verb in ["suspend", "resume", "reconcile", "delete", "export"] {
        for name in ["vote#x", "vote?x=y", "names/vote#x", "vote%23", "../imagerepositories/vote", ""] {
            let command = [verb, "image", "repository", name];
            let said = [rita.run(&command), rita.write(&command)];
            assert!(said.iter().all(|said| said.exit == Some(2)), "{verb} {name:?}: {said:?}");
        }
        let elsewhere = [verb, "image", "repository", "vote", "-n", "names/imagerepositories/vote#"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command.current_dir(rita.home.path()).env_clear().env("HOME", rita.home.path());
        command.env("KUBECONFIG", &rita.kubeconfig).args(elsewhere);
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{verb}");
    }
    assert_eq!(state(), before);
    assert_eq!(effects(cluster, "names"), Vec::<String>::new());
}

#[test]
fn what_is_exported_is_taken_unchanged() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "exports");
    for create in CREATES {
        let export = rita.run(&[create, &["--export"]].concat()).expect(0, &[]).out;
        cluster.put(&export);
        // What is there as it is to be is left alone.
        let created = rita.run(&[create, &["-o", "json"]].concat()).expect(0, &[]).json();
        assert_eq!(created["action"], "unchanged", "{export}{created:#}");
    }
    let exported = rita.run(&["export", "image", "policy", "vote"]).expect(0, &[]).out;
    assert!(exported.contains("  labels:\n    team: x\n") && !exported.contains("status:"), "{exported}");
    cluster.put(&exported);
    assert_eq!(rita.run(&["export", "image", "policy", "--all"]).expect(0, &[]).out, exported);
}

/// The managers of an object's fields, each with the kind of its writes, in order.
fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    entries.map(|entry| format!("{} {}", text(entry, "manager"), text(entry, "operation"))).collect()
}

#[test]
fn what_is_applied_says_nothing_that_it_said_before() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "applied");
    let policy = ["create", "image", "policy", "vote", "--image-ref=vote", "--timeout=1s"];
    let write = |flags: &[&str]| rita.write(&[&policy[..], flags].concat()).expect(3, &["✔ ImagePolicy"]);
    let object = || cluster.get(IMAGE_V1, "ImagePolicy", "applied", "vote").unwrap();
    write(&["--select-semver=1.x", "--label=team=x"]);
    assert_eq!(managers(&object()), ["supercargo Apply"]);
    cluster.put_as(
        "kubectl-label",
        &json!({
            "apiVersion": IMAGE_V1, "kind": "ImagePolicy",
            "metadata": { "namespace": "applied", "name": "vote", "labels": { "theirs": "y" } },
        }),
    );
    write(&["--select-semver=2.x", "--filter-regex=^2"]);
    assert_eq!(managers(&object()), ["kubectl-label Apply", "supercargo Apply"]);
    write(&["--select-numeric=asc"]);
    let policy = object();
    assert_eq!(policy["spec"]["policy"], json!({ "numerical": { "order": "asc" } }), "{policy:#}");
    assert_eq!(policy["spec"]["filterTags"], Value::Null, "{policy:#}");
    assert_eq!(policy["metadata"]["labels"], json!({ "team": "x", "theirs": "y" }), "{policy:#}");
    let secret = ["create", "secret", "git", "fleet", "--url=https://git.example.com/fleet"];
    for (login, keys) in [
        (&["-u", "rita", "-p", "x"][..], ["password", "username"].as_slice()),
        (&["--bearer-token=t"], &["bearerToken"]),
    ] {
        rita.write(&[&secret[..], login].concat()).expect(0, &[]);
        let secret = cluster.get("v1", "Secret", "applied", "fleet").unwrap();
        let data: Vec<&String> =
            secret["data"].as_object().into_iter().flat_map(|data| data.keys()).collect();
        assert_eq!(data, keys, "{secret:#}");
    }
}

#[test]
fn what_others_wrote_is_replaced_as_a_whole() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "theirs");
    cluster.put_as("flux", &json!({
        "apiVersion": IMAGE_V1, "kind": "ImagePolicy", "metadata": { "namespace": "theirs", "name": "vote" },
        "spec": { "imageRepositoryRef": { "name": "vote" }, "policy": { "semver": { "range": "1.x" } } },
    }));
    rita.write(&[
        "create",
        "image",
        "policy",
        "vote",
        "--image-ref=vote",
        "--select-alpha=asc",
        "--timeout=1s",
    ]);
    let policy = cluster.get(IMAGE_V1, "ImagePolicy", "theirs", "vote").unwrap();
    assert_eq!(policy["spec"]["policy"], json!({ "alphabetical": { "order": "asc" } }), "{policy:#}");
    assert_eq!(effects(cluster, "theirs"), ["update imagepolicies/vote"]);
}

#[test]
fn fields_of_a_controller_are_not_taken_over() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "owned");
    let spec = json!({ "image": "127.0.0.1:1/vote", "interval": "7m0s" });
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "namespace": "owned", "name": "vote" }, "spec": spec,
    }));
    rita.write(&VOTE).expect(5, &["what would change belongs to tests in admin", "spec.interval"]);
    assert_eq!(effects(cluster, "owned"), Vec::<String>::new());
}

#[test]
fn a_key_with_a_point_in_it_that_a_controller_owns_is_not_taken_over() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "owned-key");
    let data = json!({ ".dockerconfigjson": "e30=" });
    cluster.put_as(
        "external-secrets",
        &json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": "owned-key", "name": "ghcr" },
            "type": "kubernetes.io/dockerconfigjson", "data": data,
        }),
    );
    let secret = ["create", "secret", "oci", "ghcr", "--url=oci://ghcr.io/x", "-u", "rita", "-p", "other"];
    rita.write(&secret).expect(5, &["external-secrets in admin", "data..dockerconfigjson"]);
    assert_eq!(cluster.get("v1", "Secret", "owned-key", "ghcr").unwrap()["data"], data);
}

#[test]
fn who_may_not_is_told_the_verb_and_the_resource() {
    let Some(cluster) = shared() else { return };
    let rita = Person::new(cluster, "admin", "rights");
    let ned = Person::new(cluster, "nobody", "rights");
    rita.write(&[&VOTE[..], &["--timeout=1s"]].concat()).expect(3, &[]);
    let refused = ["not allowed to get imagerepositories/vote in namespace rights"];
    ned.write(&["suspend", "image", "repository", "vote"]).expect(4, &refused);
    cluster.allow("nobody", Some("rights"), &["get", "list"], &["image.toolkit.fluxcd.io/imagerepositories"]);
    let refused = ["not allowed to patch imagerepositories/vote in namespace rights"];
    // Tried without effect, it is refused too.
    ned.run(&["suspend", "image", "repository", "vote"]).expect(4, &refused);
    ned.run(&["export", "image", "repository", "vote"]).expect(0, &[]);
}

/// The lines of `check` that are about a cluster: status, name, message.
fn checked(person: &Person, exit: i32) -> Vec<String> {
    let report = person.run(&["check", "--source=cluster", "-o", "json"]).expect(exit, &[]).json();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let is_asked = |name: &str| {
        name == "clock" || ["crd/", "controller", "rbac/"].iter().any(|start| name.starts_with(start))
    };
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| is_asked(&text(check, "name")));
    checks.map(|check| ["status", "name", "message"].map(|key| text(check, key)).join(" ")).collect()
}

#[track_caller]
fn assert_lines(all: &[String], expected: &[&str]) {
    for line in expected {
        assert!(all.iter().any(|one| one == line), "no {line:?}: {all:#?}");
    }
}

/// Installs a controller, of which `ready` pods are ready.
fn put_controller(cluster: &Cluster, name: &str, ready: u8) {
    let labels = json!({ "app": name });
    let pod = json!({ "containers": [{ "name": "manager", "image": format!("ghcr.io/fluxcd/{name}:v1") }] });
    cluster.put_json(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "namespace": "flux-system", "name": name, "labels": { "app.kubernetes.io/part-of": "flux" } },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": pod },
        },
        "status": { "replicas": 1, "readyReplicas": ready },
    }));
}

#[test]
fn a_check_says_what_a_cluster_serves_runs_and_allows() {
    // Without the objects of other tests, whose servers would be asked.
    let Some(cluster) = Cluster::start(&[]) else { return };
    let rita = Person::new(&cluster, "admin", "checks");
    let lines = checked(&rita, 1);
    assert_lines(
        &lines,
        &[
            "ok crd/ImageRepository imagerepositories.image.toolkit.fluxcd.io/v1",
            "ok crd/GitRepository gitrepositories.source.toolkit.fluxcd.io/v1",
            "failed controller/source-controller is not installed",
            "failed controller/image-automation-controller is not installed",
            "ok rbac/list/ImagePolicy allowed in all namespaces",
            "ok rbac/update/ImageUpdateAutomation allowed in all namespaces",
            "ok rbac/get/Secret allowed in all namespaces",
            "ok rbac/list/Kustomization allowed in all namespaces",
            "ok rbac/list/CronJob allowed in all namespaces",
        ],
    );
    assert!(lines.last().unwrap().starts_with("ok clock within "), "{lines:#?}");

    cluster.namespace("flux-system");
    put_controller(&cluster, "source-controller", 1);
    put_controller(&cluster, "image-reflector-controller", 1);
    put_controller(&cluster, "image-automation-controller", 0);
    assert_lines(
        &checked(&rita, 1),
        &[
            "ok controller/image-reflector-controller ready: ghcr.io/fluxcd/image-reflector-controller:v1",
            "failed controller/image-automation-controller not ready: ghcr.io/fluxcd/image-automation-controller:v1",
        ],
    );
    put_controller(&cluster, "image-automation-controller", 1);
    checked(&rita, 0);

    let ned = Person::new(&cluster, "nobody", "checks");
    assert_lines(
        &checked(&ned, 1),
        &[
            "ok crd/ImagePolicy imagepolicies.image.toolkit.fluxcd.io/v1",
            "skipped controller not allowed to list deployments in all namespaces",
            "failed rbac/list/ImagePolicy not allowed to list imagepolicies in namespace checks",
            "skipped rbac/delete/ImagePolicy not allowed to delete imagepolicies in namespace checks",
            "skipped rbac/get/Secret not allowed to get secrets in namespace checks",
            "skipped rbac/list/Deployment not allowed to list deployments in namespace checks",
            "skipped clock not allowed to create configmaps in namespace checks",
        ],
    );
    cluster.allow("nobody", Some("checks"), &["list"], &["image.toolkit.fluxcd.io/imagepolicies"]);
    let allowed = "ok rbac/list/ImagePolicy allowed in namespace checks";
    assert_lines(
        &checked(&ned, 1),
        &[allowed, "failed rbac/watch/ImagePolicy not allowed to watch imagepolicies in namespace checks"],
    );
}
