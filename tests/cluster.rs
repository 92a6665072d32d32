//! A cluster as a source, with the program that people run, on a real API server with Flux's CRDs.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "clusters/around.rs"]
mod around;
#[path = "clusters/denied.rs"]
mod denied;
#[path = "clusters/faults.rs"]
mod faults;
#[path = "clusters/ways.rs"]
mod ways;

mod support {
    pub mod cluster;
    pub mod proxies;
    pub mod registry;
}

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::cluster::{Cluster, shared};
use support::registry::{DockerRegistry, base64, free_port};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

const IMAGE_V1: &str = "image.toolkit.fluxcd.io/v1";

/// A person with a kubeconfig, a folder and a home of their own.
struct Person {
    folder: tempfile::TempDir,
    kubeconfig: PathBuf,
}

impl Person {
    fn new(kubeconfig: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("files")).unwrap();
        fs::create_dir_all(folder.path().join("home")).unwrap();
        Self { folder, kubeconfig: kubeconfig.to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command.args(arguments).current_dir(self.folder.path().join("files")).env_clear();
        command.env("HOME", self.folder.path().join("home")).env("PATH", std::env::var("PATH").unwrap());
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("files").join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().unwrap())
    }
}

/// What the program said.
#[derive(Debug)]
struct Said {
    exit: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { exit: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.exit, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// A policy and its repository, as a controller has dealt with them.
fn put_app(cluster: &Cluster, namespace: &str, image: &str, selected: &str) {
    cluster.namespace(namespace);
    let ready = |message: &str| {
        json!([{ "type": "Ready", "status": "True", "reason": "Succeeded", "message": message,
            "lastTransitionTime": "2026-03-01T09:12:44Z", "observedGeneration": 1 }])
    };
    let metadata = json!({ "name": "app", "namespace": namespace });
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": metadata,
        "spec": { "image": image, "interval": "5m" },
        "status": { "observedGeneration": 1, "conditions": ready("successful scan: found 7 tags"),
            "lastScanResult": { "scanTime": "2026-03-01T09:12:44Z", "tagCount": 7, "latestTags": [], "revision": "7" } },
    }));
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImagePolicy", "metadata": metadata,
        "spec": { "imageRepositoryRef": { "name": "app" }, "policy": { "semver": { "range": ">=1.0.0" } } },
        "status": { "observedGeneration": 1, "conditions": ready("the controller's own words"),
            "latestRef": { "name": image, "tag": selected } },
    }));
}

#[test]
fn what_the_controllers_say_is_shown_as_flux_does_with_ours_beside() {
    let Some(cluster) = shared() else { return };
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("app", "1.0.0");
    registry.push("app", "1.1.0");
    put_app(cluster, "beside", &format!("{}/app", registry.host), "1.0.0");
    let person = Person::new(&cluster.kubeconfig());

    let table = person.run(&["get", "images", "policy", "-n", "beside"]);
    let row = table.out.lines().nth(1).unwrap_or_default();
    let cells: Vec<&str> = row.split('\t').map(str::trim).collect();
    assert_eq!(cells[..4], ["app", &format!("{}/app", registry.host), "1.0.0", "True"], "{table:?}");
    assert_eq!(cells[4], "the controller's own words");

    let item = person.run(&["get", "policies", "-n", "beside", "-o", "json"]).json()["items"][0].clone();
    assert_eq!(item["latest"]["tag"], "1.1.0");
    assert_eq!((&item["controller"]["tag"], &item["differs"]), (&json!("1.0.0"), &json!(true)));
    assert_eq!(item["origin"], json!({ "source": "cluster", "file": null, "line": null }));

    let wide = person.run(&["get", "policies", "-n", "beside", "-o", "wide"]);
    assert!(wide.out.contains("1.1.0 (≠ older scan)"), "{wide:?}");
    let repositories = person.run(&["get", "images", "repository", "-n", "beside"]);
    assert!(repositories.out.contains("2026-03-01T09:12:44Z"), "{repositories:?}");
    assert!(repositories.out.contains("successful scan: found 7 tags"), "{repositories:?}");
}

#[test]
fn what_no_controller_has_scanned_has_no_counts() {
    let Some(cluster) = shared() else { return };
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("app", "1.0.0");
    cluster.namespace("unscanned");
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "name": "app", "namespace": "unscanned" },
        "spec": { "image": format!("{}/app", registry.host), "interval": "5m" },
    }));
    let person = Person::new(&cluster.kubeconfig());
    person.run(&["scan", "repository", "unscanned/app", "-o", "json"]).json();
    let item =
        person.run(&["get", "repositories", "-n", "unscanned", "-o", "json"]).json()["items"][0].clone();
    assert_eq!(item["message"], "waiting to be reconciled");
    let of_scans = ["last_scan", "tags", "new", "excluded"].map(|key| &item[key]);
    assert_eq!(of_scans, [&Value::Null; 4], "{item}");
}

#[test]
fn files_and_cluster_are_one_list_with_their_differences() {
    let Some(cluster) = shared() else { return };
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("app", "1.0.0");
    let image = format!("{}/app", registry.host);
    put_app(cluster, "joined", &image, "1.0.0");
    let person = Person::new(&cluster.kubeconfig());
    let repository = |name: &str, interval: &str| {
        format!(
            "apiVersion: {IMAGE_V1}\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: joined}}\nspec: {{image: \
             \"{image}\", interval: {interval}}}\n"
        )
    };
    person.write("app.yaml", &repository("app", "1m"));
    person.write("new.yaml", &repository("new", "1m"));

    let list = person.run(&["get", "repositories", "-n", "joined", "-o", "json"]).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{list}");
    assert_eq!(items[0]["origin"], json!({ "source": "cluster", "file": "app.yaml", "line": 1 }));
    assert_eq!((&items[0]["interval"], &items[1]["origin"]["source"]), (&json!("5m0s"), &json!("files")));
    let problems: Vec<&str> =
        list["problems"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
    let drift = "ImageRepository joined/app in the cluster differs from app.yaml:1 in interval";
    assert!(problems.contains(&drift), "{problems:?}");
    let missing = "only in the files, not in the cluster: ImageRepository joined/new";
    assert!(problems.contains(&missing), "{problems:?}");

    let files =
        person.run(&["get", "repositories", "-n", "joined", "--source", "files", "-o", "json"]).json();
    assert_eq!(files["items"][0]["interval"], "1m0s");
    let live =
        person.run(&["get", "repositories", "-n", "joined", "--source", "cluster", "-o", "json"]).json();
    assert_eq!(live["items"].as_array().unwrap().len(), 1);
}

#[test]
fn who_may_not_is_told_what_and_never_shown_an_empty_list() {
    let Some(cluster) = shared() else { return };
    put_app(cluster, "narrow", "127.0.0.1:1/app", "1.0.0");
    let person = Person::new(&cluster.kubeconfig());
    let get = |context| {
        person.run(&[
            "get",
            "policies",
            "-n",
            "narrow",
            "--context",
            context,
            "--source",
            "cluster",
            "-o",
            "json",
        ])
    };
    let refused = get("nobody");
    assert_eq!(refused.exit, Some(4), "{refused:?}");
    assert!(refused.err.contains("\"code\":\"cluster_forbidden\""), "{refused:?}");
    assert!(refused.err.contains("not allowed to list"), "{refused:?}");

    let kinds = ["imagerepositories", "imagepolicies", "imageupdateautomations"];
    let kinds = kinds.map(|plural| format!("image.toolkit.fluxcd.io/{plural}"));
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    cluster.allow("reader", Some("narrow"), &["list"], &kinds);
    let list = get("reader").json();
    assert_eq!(list["items"][0]["name"], "app", "{list}");
    // Who asks for one namespace hears nothing of the others.
    let said = list["problems"].to_string();
    assert!(said.contains("not allowed to list gitrepositories in namespace narrow"), "{said}");
    assert!(!said.contains("all namespaces"), "{said}");

    let text = fs::read_to_string(&person.kubeconfig).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    for context in config["contexts"].as_array_mut().unwrap() {
        context["context"]["namespace"] = json!("narrow");
    }
    let mut other = Person::new(Path::new("unused"));
    other.kubeconfig = other.folder.path().join("config");
    fs::write(&other.kubeconfig, config.to_string()).unwrap();
    let all = ["get", "policies", "-A", "--context", "reader", "--source", "cluster", "-o", "json"];
    let said = other.run(&all).json()["problems"].to_string();
    assert!(
        said.contains("not allowed to list imagepolicies in all namespaces; only namespace narrow is shown"),
        "{said}"
    );
    assert!(said.contains("not allowed to list gitrepositories in all namespaces"), "{said}");
}

#[test]
fn where_automations_may_not_be_read_nothing_stands_for_them() {
    let Some(cluster) = shared() else { return };
    put_app(cluster, "half", "127.0.0.1:1/app", "1.0.0");
    let kinds = ["image.toolkit.fluxcd.io/imagerepositories", "image.toolkit.fluxcd.io/imagepolicies"];
    cluster.allow("reader", Some("half"), &["list"], &kinds);
    let person = Person::new(&cluster.kubeconfig());
    person.write("deploy.yaml", "image: 127.0.0.1:1/app:0.9.0 # {\"$imagepolicy\": \"half:app\"}\n");
    let both = ["-n", "half", "--context", "reader", "--source", "both", "-C", ".", "-o", "json"];
    let updates = person.run(&[&["get", "updates"][..], &both].concat());
    assert_ne!(updates.out, "", "{updates:?}");
    let list: Value = serde_json::from_str(&updates.out).unwrap();
    assert_eq!(list["items"], json!([]), "{list}");
    assert!(list["problems"].to_string().contains("not allowed to list imageupdateautomations"), "{list}");
    assert!(![Some(0), Some(1)].contains(&updates.exit), "{updates:?}");
}

#[test]
fn a_cluster_that_is_not_there_is_one_warning_where_files_are_and_the_error_where_none_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "away",
        "clusters": [{ "name": "c", "cluster": { "server": format!("https://127.0.0.1:{}", free_port()) } }],
        "contexts": [{ "name": "away", "context": { "cluster": "c", "user": "u" } }],
        "users": [{ "name": "u", "user": { "token": "hunter2" } }],
    });
    fs::write(&path, config.to_string()).unwrap();
    let person = Person::new(&path);
    let alone = person.run(&["get", "repositories", "-o", "json"]);
    assert_eq!(alone.exit, Some(3), "{alone:?}");
    assert!(alone.err.contains("\"code\":\"unreachable\",\"subject\":\"away\""), "{alone:?}");
    person.write(
        "app.yaml",
        &format!(
            "apiVersion: {IMAGE_V1}\nkind: ImageRepository\nmetadata: {{name: app}}\nspec: {{image: \"127.0.0.1:1/app\", \
             interval: 1m}}\n"
        ),
    );
    let files = person.run(&["get", "repositories", "--timeout", "20s", "-o", "json"]).json();
    assert_eq!(files["items"][0]["name"], "app");
    let warnings: Vec<&Value> =
        files["problems"].as_array().unwrap().iter().filter(|one| one["subject"] == "away").collect();
    assert_eq!(warnings.len(), 1, "{files}");
    assert!(
        warnings[0]["message"].as_str().unwrap().starts_with("using files alone: list API groups"),
        "{files}"
    );
    // Who asked for the cluster does not get something else.
    assert_eq!(person.run(&["get", "repositories", "--source", "both"]).exit, Some(3));
    assert_eq!(person.run(&["get", "repositories", "--context", "away"]).exit, Some(3));
    assert_eq!(person.run(&["get", "repositories", "--context", "awya"]).exit, Some(2));
    let never = person.run(&["get", "repositories", "--refresh", "never", "-o", "json"]).json();
    assert_eq!(never["problems"], json!([]), "nobody is asked");
}

#[test]
fn a_login_plugin_ends_with_us_even_if_we_are_killed() {
    let setpriv = Command::new("setpriv").args(["--pdeathsig", "TERM", "true"]).status();
    if !setpriv.is_ok_and(|status| status.success()) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, begun, kept) =
        (folder.path().join("config"), folder.path().join("begun"), folder.path().join("kept"));
    let script = format!("(sleep 3; echo lives > {}) & echo x > {}; wait", kept.display(), begun.display());
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "slow",
        "clusters": [{ "name": "c", "cluster": { "server": format!("https://127.0.0.1:{}", free_port()) } }],
        "contexts": [{ "name": "slow", "context": { "cluster": "c", "user": "u" } }],
        "users": [{ "name": "u", "user": { "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
            "args": ["-c", script], "interactiveMode": "Never" } } }],
    });
    fs::write(&path, config.to_string()).unwrap();
    let mut program =
        Person::new(&path).command(&["get", "repositories", "--source", "cluster"]).spawn().unwrap();
    let until = Instant::now() + PATIENCE;
    while !begun.exists() {
        assert!(Instant::now() < until, "the plugin does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    // SIGKILL, which leaves us no word.
    program.kill().unwrap();
    program.wait().unwrap();
    std::thread::sleep(Duration::from_millis(3500));
    assert!(!kept.exists(), "what the plugin started lives on");
}

#[test]
fn older_versions_of_the_kinds_are_read_where_no_other_is_served() {
    let Some(cluster) = Cluster::start(&[("    name: v1\n", "    name: v1beta2\n")]) else { return };
    cluster.namespace("old");
    cluster.put_json(&json!({
        "apiVersion": "image.toolkit.fluxcd.io/v1beta2", "kind": "ImageRepository",
        "metadata": { "name": "app", "namespace": "old" }, "spec": { "image": "127.0.0.1:1/app", "interval": "5m" },
    }));
    let person = Person::new(&cluster.kubeconfig());
    let list = person.run(&["get", "repositories", "-n", "old", "--source", "cluster", "-o", "json"]).json();
    assert_eq!(list["items"][0]["message"], "waiting to be reconciled");
}

#[test]
fn pull_secrets_of_the_cluster_log_in_where_they_may_be_read() {
    let Some(cluster) = shared() else { return };
    let Some(registry) = DockerRegistry::start(Some(("puller", "hunter2"))) else { return };
    registry.push("app", "1.0.0");
    cluster.namespace("secret");
    let login = json!({ "auths": { &registry.host: { "auth": base64("puller:hunter2") } } });
    cluster.put_json(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "pull", "namespace": "secret" },
        "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": base64(login.to_string()) },
    }));
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "name": "app", "namespace": "secret" },
        "spec": { "image": format!("{}/app", registry.host), "interval": "5m", "secretRef": { "name": "pull" } },
    }));
    let person = Person::new(&cluster.kubeconfig());
    let scan =
        |context| person.run(&["scan", "repository", "secret/app", "--context", context, "-o", "json"]);
    assert_eq!(scan("admin").json()["items"][0]["credential"], "secret secret/pull");
    cluster.allow("nobody", Some("secret"), &["list"], &["image.toolkit.fluxcd.io/imagerepositories"]);
    let refused = person.run(&["scan", "repository", "secret/app", "-n", "secret", "--context", "nobody"]);
    assert_eq!(refused.exit, Some(4), "{refused:?}");
    assert!(refused.err.contains("not allowed to get secrets/pull in namespace secret"), "{refused:?}");
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[test]
fn what_an_object_of_the_cluster_names_and_nobody_has_stops_its_scan_as_controllers_stop() {
    let Some(cluster) = shared() else { return };
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("app", "1.0.0");
    cluster.namespace("lacking");
    cluster.put_json(&json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "half", "namespace": "lacking" },
        "imagePullSecrets": [{ "name": "gone" }],
    }));
    let cases = [
        ("secret", json!({ "secretRef": { "name": "gone" } }), "secrets \"gone\" not found"),
        ("account", json!({ "serviceAccountName": "gone" }), "serviceaccount 'lacking/gone' not found"),
        (
            "half",
            json!({ "serviceAccountName": "half" }),
            "failed to get image pull secret for serviceaccount 'lacking/half': secret 'lacking/gone' not found",
        ),
        ("certificate", json!({ "certSecretRef": { "name": "gone" } }), "secret 'lacking/gone' not found"),
        ("proxy", json!({ "proxySecretRef": { "name": "gone" } }), "secret 'lacking/gone' not found"),
    ];
    for (name, named, _) in &cases {
        let mut spec = json!({ "image": format!("{}/app", registry.host), "interval": "5m" });
        spec.as_object_mut().unwrap().append(&mut named.as_object().unwrap().clone());
        cluster.put_json(&json!({
            "apiVersion": IMAGE_V1, "kind": "ImageRepository", "spec": spec,
            "metadata": { "name": name, "namespace": "lacking" },
        }));
    }
    let person = Person::new(&cluster.kubeconfig());
    // Of what a cluster has its controllers have the say, and ours stands beside.
    let list =
        person.run(&["get", "repositories", "-n", "lacking", "--context", "admin", "-o", "json"]).json();
    for (name, _, says) in &cases {
        let message = format!("failed to configure authentication options: {says}");
        let subject = json!(format!("lacking/{name}"));
        let mut problems = list["problems"].as_array().unwrap().iter();
        assert!(problems.any(|one| one["subject"] == subject && one["message"] == message), "{list}");
        let scan = person.run(&["scan", "repository", &format!("lacking/{name}"), "--context", "admin"]);
        assert_eq!(scan.exit, Some(2), "{scan:?}");
        assert!(scan.err.contains(&message), "{scan:?}");
    }
    // Who may not see whether it is there is not told that it is missing.
    cluster.allow("reader", Some("lacking"), &["list"], &["image.toolkit.fluxcd.io/imagerepositories"]);
    let account =
        person.run(&["scan", "repository", "lacking/account", "-n", "lacking", "--context", "reader"]);
    assert_eq!(account.exit, Some(0), "{account:?}");
    assert!(account.err.contains("serviceaccount 'lacking/gone' may not be read: "), "{account:?}");
}

/// The program at work, and the lines that it prints.
struct Running {
    program: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = lines(BufReader::new(program.stdout.take().unwrap()));
        let err = lines(BufReader::new(program.stderr.take().unwrap()));
        Self { program, out, err }
    }

    /// Waits for a line with this text.
    #[track_caller]
    fn wait(lines: &Receiver<String>, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    unreachable!("{text:?} does not come, but {seen:?}")
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn lines(reader: impl BufRead + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in reader.lines() {
            if line.is_err() || send.send(line.unwrap_or_default()).is_err() {
                break;
            }
        }
    });
    lines
}

#[test]
fn a_watch_shows_what_controllers_write_and_outlives_a_server_that_is_gone_for_a_while() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("app", "1.0.0");
    let image = format!("{}/app", registry.host);
    let select = |tag| put_app(&cluster, "watched", &image, tag);
    select("1.0.0");
    let person = Person::new(&cluster.kubeconfig());
    let arguments =
        ["get", "images", "policy", "-n", "watched", "--source", "cluster", "-w", "--timeout", "30s"];
    let running = Running::start(person.command(&arguments));
    Running::wait(&running.out, "1.0.0");
    select("1.1.0");
    Running::wait(&running.out, "1.1.0");
    cluster.stop();
    Running::wait(&running.err, "the API server was not reached");
    cluster.restart();
    select("1.2.0");
    Running::wait(&running.out, "1.2.0");
}
