//! The guide with a cluster, L1 to L10: a real API server with Flux's CRDs, a real registry and a real Git server, walked with the
//! program that people run. No controllers run there: the test writes what they would say.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod cluster;
    pub mod git;
    pub mod lab;
    pub mod registry;
}

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::cluster::{Cluster, shared};
use support::git::{Bare, WRITER, git};
use support::lab::{Lab, NEWEST, POLICY, Ran, changed_lines};

const IMAGE: &str = "image.toolkit.fluxcd.io/v1";
const SOURCE: &str = "source.toolkit.fluxcd.io/v1";
const NAMESPACE: &str = "flux-system";

/// The lab, and a cluster that its operator has a context of.
struct Both {
    lab: Lab,
    cluster: &'static Cluster,
}

impl Both {
    fn run(&self, arguments: &[&str]) -> Ran {
        self.lab.run(&[arguments, &["--context", "admin"]].concat())
    }

    /// In earnest: with WRITE and a confirmation.
    fn write(&self, arguments: &[&str]) -> Ran {
        self.run(&[arguments, &["--write", "--yes"]].concat())
    }

    fn json(&self, exit: i32, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["-o", "json"]].concat()).expect(exit).json()
    }

    /// Runs a command on an object while its controller answers with `status`, and is ready.
    fn answered(&self, arguments: &[&str], (version, kind, name): (&str, &str, &str), status: &Value) -> Ran {
        let before = self.generation((version, kind, name));
        thread::scope(|scope| {
            scope.spawn(|| self.answer((version, kind, name), &before, status));
            self.write(arguments)
        })
    }

    fn generation(&self, (version, kind, name): (&str, &str, &str)) -> Value {
        let object = self.cluster.get(version, kind, NAMESPACE, name);
        object.map_or(Value::Null, |object| object["metadata"]["generation"].clone())
    }

    /// Waits until the object is another than `before` and writes what its controller would.
    fn answer(&self, (version, kind, name): (&str, &str, &str), before: &Value, status: &Value) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.generation((version, kind, name)) == *before {
            assert!(Instant::now() < until, "nobody changed {kind} {name}");
            thread::sleep(Duration::from_millis(50));
        }
        let mut status = status.clone();
        status["observedGeneration"] = self.generation((version, kind, name));
        status["conditions"] = json!([{
            "type": "Ready", "status": "True", "reason": "Succeeded", "message": status["conditions"],
            "lastTransitionTime": "2026-03-01T09:12:44Z",
        }]);
        let metadata = json!({ "namespace": NAMESPACE, "name": name });
        self.cluster.put_status(
            &json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "status": status }),
        );
    }
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

#[test]
fn the_guide_leads_from_a_bare_cluster_to_the_merge_of_a_review_branch() {
    let (Some(cluster), Some(mut lab)) = (shared(), Lab::start()) else { return };
    lab.environment = vec![("KUBECONFIG", cluster.kubeconfig().display().to_string())];
    cluster.namespace(NAMESPACE);
    let both = Both { lab, cluster };
    prerequisites_are_checked(&both);
    image_automation_is_enabled(&both);
    a_repository_is_scanned(&both);
    the_newest_tag_is_selected(&both);
    markers_are_judged(&both);
    updates_are_automated(&both);
    the_push_is_refused_without_a_login(&both);
    the_push_succeeds_with_one(&both);
    a_new_image_appears(&both);
    a_review_branch_is_pushed_and_merged(&both);
    both.lab.instavote.assert_sound();
}

/// L1: kinds are served, controllers are missing, then there.
fn prerequisites_are_checked(both: &Both) {
    let report = both.json(1, &["check"]);
    assert_eq!(check(&report, "kube")["status"], "ok", "{report:#}");
    for kind in ["ImageRepository", "ImagePolicy", "ImageUpdateAutomation", "GitRepository"] {
        assert_eq!(check(&report, &format!("crd/{kind}"))["status"], "ok", "{report:#}");
        for verb in ["create", "update", "patch"] {
            let right = check(&report, &format!("rbac/{verb}/{kind}"));
            assert_eq!(right["status"], "ok", "{right:#}");
        }
    }
    let missing = check(&report, "controller/image-automation-controller");
    assert_eq!(missing["status"], "failed");
    assert!(missing["fix"].as_str().unwrap().starts_with("flux install --components-extra="), "{missing:#}");
    let pre = both.json(0, &["check", "--pre"]);
    assert_eq!(check(&pre, "git")["status"], "ok");
}

/// L2: a repository of the cluster's own is set up, and what the cluster lacks is named; then it is there.
fn image_automation_is_enabled(both: &Both) {
    let fleet = Bare::create_empty(&both.lab.server.folder("fleet"));
    let url = both.lab.server.repository("fleet");
    let address = url.replace("http://", &format!("http://{WRITER}:{}@", support::git::PASSWORD));
    let run = [
        "bootstrap",
        "git",
        "--url",
        &address,
        "--path=clusters/my-cluster",
        "--author-name=flux",
        "--author-email=flux@example.com",
    ];
    let done = both.write(&[&run[..], &["--confirm-branch=main", "-o", "json"]].concat()).expect(0).json();
    assert_eq!((&done["verified"], &done["remote"]), (&json!(true), &json!(url)), "{done:#}");
    let missing: Vec<&str> =
        done["missing"].as_array().unwrap().iter().map(|lack| lack["name"].as_str().unwrap()).collect();
    assert!(missing.contains(&"controller/image-reflector-controller"), "{missing:?}");
    assert!(missing.contains(&"kustomization/flux-system/flux-system"), "{missing:?}");
    let files = git(&fleet.path, &["ls-tree", "-r", "--name-only", "main"]);
    assert_eq!(
        files,
        "clusters/my-cluster/flux-system/gotk-sync.yaml\nclusters/my-cluster/flux-system/kustomization.yaml"
    );
    // What the printed commands bring.
    for name in [
        "source-controller",
        "kustomize-controller",
        "image-reflector-controller",
        "image-automation-controller",
    ] {
        install(both.cluster, name);
    }
    let again = both.write(&[&run[..], &["-o", "json"]].concat()).expect(0).json();
    assert_eq!(again["already"], json!(true));
    let left = again["missing"].as_array().unwrap();
    assert!(left.iter().all(|lack| !lack["name"].as_str().unwrap().starts_with("controller/")), "{again:#}");
    let report = both.json(0, &["check"]);
    assert_eq!(check(&report, "controller/image-automation-controller")["status"], "ok");
}

/// A controller that is ready.
fn install(cluster: &Cluster, name: &str) {
    let labels = json!({ "app": name, "app.kubernetes.io/part-of": "flux" });
    let image = format!("ghcr.io/fluxcd/{name}:v1.0.0");
    cluster.put_json(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "namespace": NAMESPACE, "name": name, "labels": labels },
        "spec": {
            "replicas": 1, "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "manager", "image": image }] },
            },
        },
        "status": { "replicas": 1, "readyReplicas": 1, "availableReplicas": 1 },
    }));
}

/// L3.
fn a_repository_is_scanned(both: &Both) {
    let image = format!("--image={}/vote", both.lab.registry.host);
    let create = ["create", "image", "repository", "vote", &image, "--interval=1m"];
    both.run(&create).expect(0).says(&["✔ ImageRepository created (dry run)"]);
    let status = json!({ "conditions": "successful scan: found 6 tags with checksum 1" });
    both.answered(&create, (IMAGE, "ImageRepository", "vote"), &status)
        .expect(0)
        .says(&["✔ ImageRepository created", "✔ ImageRepository reconciliation completed"]);
    let table = both.run(&["get", "image", "repository"]).expect(0).out;
    assert!(table.contains("successful scan: found 6 tags"), "{table}");
}

/// L4.
fn the_newest_tag_is_selected(both: &Both) {
    let latest = json!({ "name": format!("{}/vote", both.lab.registry.host), "tag": NEWEST });
    let status = json!({ "latestRef": latest, "conditions": "Latest image tag resolved" });
    both.answered(&POLICY, (IMAGE, "ImagePolicy", "vote"), &status)
        .expect(0)
        .says(&["✔ ImagePolicy created", &format!("vote:{NEWEST}")]);
    let policy = &both.json(0, &["get", "images", "policy", "vote", "--refresh=always"])["items"][0];
    assert_eq!((&policy["latest"]["tag"], &policy["controller"]["tag"]), (&json!(NEWEST), &json!(NEWEST)));
    assert_eq!(policy["differs"], json!(false), "{policy:#}");
}

/// L5: the markers of a clone, against the cluster's objects.
fn markers_are_judged(both: &Both) {
    git(&both.lab.path(""), &["clone", "-q", both.lab.instavote.path.to_str().unwrap(), "instavote"]);
    let clone = both.lab.path("instavote").display().to_string();
    let report = both.json(0, &["lint", &clone, "--source=both", "-C", &clone]);
    let markers = report["markers"].as_array().unwrap();
    assert_eq!(markers.len(), 3, "{report:#}");
    assert!(markers.iter().all(|marker| marker["verdict"] == "outdated"), "{report:#}");
    assert!(markers.iter().all(|marker| marker["wanted"].as_str().unwrap().ends_with(NEWEST)), "{report:#}");
}

/// L6.
fn updates_are_automated(both: &Both) {
    let url = format!("--url={}", both.lab.url);
    let source = ["create", "source", "git", "instavote", &url, "--branch=main"];
    both.answered(&source, (SOURCE, "GitRepository", "instavote"), &json!({ "conditions": "stored" }))
        .expect(0);
    automate(both, "main");
    let table = both.run(&["get", "images", "update"]).expect(0).out;
    assert!(table.contains("instavote-all") && table.contains("repository up-to-date"), "{table}");
}

/// The guide's automation, which pushes to `branch`.
fn automate(both: &Both, branch: &str) {
    let push = format!("--push-branch={branch}");
    let create = [&support::lab::UPDATE[..], &[push.as_str()]].concat();
    let status = json!({ "conditions": "repository up-to-date" });
    both.answered(&create, (IMAGE, "ImageUpdateAutomation", "instavote-all"), &status)
        .expect(0)
        .says(&["✔ ImageUpdateAutomation"]);
}

fn plan(both: &Both) -> Value {
    let ran = both.run(&["plan", "--all", "--refresh=always", "-o", "json"]).expect(0);
    std::fs::write(both.lab.plan_file(), &ran.out).unwrap();
    ran.json()
}

fn push(both: &Both, more: &[&str]) -> Ran {
    let file = both.lab.plan_file().display().to_string();
    both.write(&[&["push", "--plan", &file, "-o", "json"], more].concat())
}

/// L7.
fn the_push_is_refused_without_a_login(both: &Both) {
    let base = both.lab.instavote.tip("main").unwrap();
    let planned = plan(both);
    assert_eq!(planned["groups"][0]["message"], both.lab.image(NEWEST) + "\n", "{planned:#}");
    push(both, &[]).expect(7);
    let refused = push(both, &["--confirm-branch=main"]).expect(4).json();
    assert_eq!(refused["results"][0]["error"]["code"], "git_auth_required", "{refused:#}");
    assert_eq!(both.lab.instavote.tip("main"), Some(base));
}

/// L8: the login is a secret of the cluster, which the source names.
fn the_push_succeeds_with_one(both: &Both) {
    let (url, user) = (format!("--url={}", both.lab.url), format!("--username={WRITER}"));
    let password = format!("--password={}", support::git::PASSWORD);
    both.write(&["create", "secret", "git", "instavote", &url, &user, &password]).expect(0);
    assert!(both.cluster.get("v1", "Secret", NAMESPACE, "instavote").is_some());
    let source = ["create", "source", "git", "instavote", &url, "--branch=main", "--secret-ref=instavote"];
    both.write(&[&source[..], &["--timeout=2s"]].concat()).says(&["✔ GitRepository source updated"]);
    plan(both);
    let landed = push(both, &["--confirm-branch=main"]).expect(0).json();
    let result = &landed["results"][0];
    assert_eq!(
        (&result["verified"], &result["credential"]),
        (&json!(true), &json!("secret flux-system/instavote"))
    );
    let commit = result["commit"].as_str().unwrap();
    assert_eq!(
        git(&both.lab.instavote.path, &["log", "-1", "--format=%an <%ae>", commit]),
        "flux <flux@example.com>"
    );
    assert_eq!(changed_lines(&both.lab.instavote.path, commit).len(), 2);
}

/// L9.
fn a_new_image_appears(both: &Both) {
    let tag = "main-0000aaaa-1719063680";
    both.lab.registry.push("vote", tag);
    let update = &both.json(1, &["get", "updates", "--exit-code", "--refresh=always"])["items"][0];
    assert_eq!((&update["new"]["tag"], &update["state"]), (&json!(tag), &json!("pending")));
    let policy = &both.json(0, &["get", "images", "policy", "vote"])["items"][0];
    assert_eq!(policy["differs"], json!(true), "the controller has not seen it yet: {policy:#}");
}

/// The automation is suspended, by the program; and so is what applies the files that it writes.
fn hold_the_controllers_up(both: &Both) {
    both.write(&["suspend", "image", "update", "instavote-all"]).expect(0);
    let list = both.json(0, &["get", "images", "update"]);
    assert_eq!(list["items"][0]["suspended"], json!(true), "{list:#}");
    both.cluster.put_json(&json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": { "namespace": NAMESPACE, "name": "staging" },
        "spec": {
            "interval": "5m", "path": "./deploy/vote/staging", "prune": true, "suspend": true,
            "sourceRef": { "kind": "GitRepository", "name": "instavote" },
        },
    }));
}

/// L10.
fn a_review_branch_is_pushed_and_merged(both: &Both) {
    automate(both, "image-updates");
    let main = both.lab.instavote.tip("main").unwrap();
    plan(both);
    // A controller pushes there, too.
    push(both, &[]).expect(7);
    hold_the_controllers_up(both);
    let planned = plan(both);
    let warnings = planned["groups"][0]["warnings"].as_array().unwrap();
    let told = |code: &str| warnings.iter().find(|warning| warning["code"] == code);
    let kustomization = told("kustomization_suspended").unwrap()["message"].as_str().unwrap();
    assert!(
        kustomization
            .contains("Kustomization flux-system/staging, which applies deploy/vote/staging, is suspended")
    );
    assert!(told("automation_active").is_none(), "{warnings:#?}");
    let landed = push(both, &[]).expect(0).json();
    let result = &landed["results"][0];
    assert_eq!(
        (&result["created"], &result["branch"]),
        (&json!(true), &json!("image-updates")),
        "{landed:#}"
    );
    let commit = result["commit"].as_str().unwrap();
    assert_eq!(both.lab.instavote.tip("main"), Some(main), "the checkout branch stays");
    let merge = ["merge", "image-updates", "--into", "main", "--confirm-branch=main", "-o", "json"];
    let merged = both.write(&merge).expect(0).json();
    assert_eq!(merged["results"][0]["fast_forward"], json!(true), "{merged:#}");
    assert_eq!(both.lab.instavote.tip("main").as_deref(), Some(commit));
    assert_eq!(both.json(0, &["get", "updates", "--refresh=always"])["items"], json!([]));
}
