//! A real API server for tests: etcd and kube-apiserver as processes, Flux's CRDs, users of several ranks, an audit log.
//!
//! The program is looked for in `SUPERCARGO_TEST_KUBE_APISERVER`, else where `scripts/test --cluster` keeps the one it built.
//! No controllers run there: a test writes what they would have written.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]
#![allow(unreachable_pub, missing_docs, reason = "included as a module; names say what they do")]

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::registry::{certificate, free_port};

#[allow(clippy::duplicate_mod, reason = "the registry's module has it too")]
#[path = "programs.rs"]
mod programs;

const PROGRAM: &str = "SUPERCARGO_TEST_KUBE_APISERVER";
/// What `scripts/test --cluster` builds.
const BUILT: &str = "supercargo-test/kube-apiserver-1.20.2";
const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/crds");
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// How long one may take to come up on a busy machine.
const START: Duration = Duration::from_mins(4);

/// One comes up at a time: it takes a core for seconds.
static STARTING: Mutex<()> = Mutex::new(());

/// Contexts of the kubeconfig: who may do everything, and who may do nothing until a test allows it.
pub const USERS: [&str; 3] = ["admin", "reader", "nobody"];

/// An API server; ends with its owner, and at the latest with the process.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    etcd: Guarded,
    api: Mutex<Option<Guarded>>,
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
}

/// A process that a shell ends as soon as nobody holds the shell's standard input any more.
struct Guarded(Child);

impl Guarded {
    /// Killed and not asked: an API server would first wait for whoever watches, which takes a minute.
    fn spawn(program: &Path, arguments: &[String], log: &Path, tidied: Option<&Path>) -> Self {
        let tidy = tidied.map(|folder| format!("; rm -rf '{}'", folder.display())).unwrap_or_default();
        let script = format!("\"$0\" \"$@\" & cat > /dev/null; kill -KILL $! 2> /dev/null; wait{tidy}");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(program).args(arguments).stdin(Stdio::piped());
        let file = fs::File::create(log).unwrap();
        shell.stdout(file.try_clone().unwrap()).stderr(file);
        Self(shell.spawn().expect("a shell starts"))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The one server that the tests of a file share; `None`, said loudly, where it cannot be had. Each test has namespaces
/// of its own.
pub fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(&[])).as_ref()
}

fn program() -> Option<PathBuf> {
    let named = std::env::var_os(PROGRAM).map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    named.or(Some(cache.join(BUILT))).filter(|program| program.is_file())
}

impl Cluster {
    /// Starts one with Flux's CRDs, each `(from, to)` replaced in their text; `None`, said loudly, where it cannot be had.
    pub fn start(replaced: &[(&str, &str)]) -> Option<Self> {
        let Some(api) = program() else {
            let current = std::thread::current();
            let text = format!(
                "\nSKIPPED {}: no kube-apiserver (scripts/test --cluster builds one, {PROGRAM} names one)\n",
                current.name().unwrap_or("a test")
            );
            let _ = std::io::stderr().write_all(text.as_bytes());
            return None;
        };
        if !programs::are_wanted(&["etcd", "openssl"]) {
            return None;
        }
        let _turn = STARTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap().keep();
        let (etcd_port, etcd) = etcd(&folder);
        let port = free_port();
        write_configuration(&folder, port);
        let server = Guarded::spawn(&api, &flags(&folder, etcd_port, port), &folder.join("api.log"), None);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = client_of(&runtime, &folder.join("kubeconfig"));
        let cluster = Self { folder, port, etcd, api: Mutex::new(Some(server)), runtime, client };
        cluster.wait();
        cluster.install_all(replaced, "");
        Some(cluster)
    }

    /// The kubeconfig, with a context for each of [`USERS`].
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Where it listens, such as `https://127.0.0.1:6443`.
    pub fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The file with the certificate by which it is trusted.
    pub fn authority(&self) -> PathBuf {
        let text = fs::read_to_string(self.kubeconfig()).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        PathBuf::from(config["clusters"][0]["cluster"]["certificate-authority"].as_str().unwrap())
    }

    /// Gives a user another token, which is the one that counts from the next start on.
    pub fn give_token(&self, user: &str, token: &str) {
        let path = self.folder.join("tokens.csv");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&format!("{user}-token"), token)).unwrap();
    }

    /// Has a kind of Flux's served in this version alone.
    pub fn serve_instead(&self, crd: &str, version: &str) {
        let api = self.crds();
        let mut found = self.runtime.block_on(api.get(crd)).unwrap();
        let versions = found.data["spec"]["versions"].as_array_mut().unwrap();
        let mut new = versions[0].clone();
        versions[0]["served"] = json!(false);
        (new["name"], new["storage"]) = (json!(version), json!(false));
        versions.push(new);
        self.runtime.block_on(api.replace(crd, &PostParams::default(), &found)).unwrap();
        self.wait_for_kinds(&api);
    }

    /// Takes a kind away, with all of its objects.
    pub fn remove_kind(&self, crd: &str) {
        let api = self.crds();
        self.runtime.block_on(api.delete(crd, &kube::api::DeleteParams::default())).unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while self.runtime.block_on(api.get_opt(crd)).unwrap().is_some() {
            assert!(Instant::now() < until, "{crd} does not go");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Installs the kinds whose files have this in their names.
    pub fn install_kind(&self, part: &str) {
        self.install_all(&[], part);
    }

    /// Ends the API server; what it stored stays.
    pub fn stop(&self) {
        drop(self.api.lock().unwrap().take());
    }

    /// Starts the API server again, at the same address.
    pub fn restart(&self) {
        let etcd_port: u16 = fs::read_to_string(self.folder.join("etcd.port")).unwrap().parse().unwrap();
        let program = program().unwrap();
        let flags = flags(&self.folder, etcd_port, self.port);
        *self.api.lock().unwrap() =
            Some(Guarded::spawn(&program, &flags, &self.folder.join("api.log"), None));
        self.wait();
    }

    /// An answer is not enough: the rights that everybody has come a moment later.
    fn wait(&self) {
        let until = Instant::now() + START;
        let is_ready = || {
            let request = http::Request::get("/readyz").body(Vec::new()).unwrap();
            self.runtime.block_on(self.client.request_text(request)).is_ok()
        };
        while !is_ready() {
            assert!(
                Instant::now() < until,
                "no API server: {}",
                fs::read_to_string(self.folder.join("api.log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What another than the reading of objects was asked for: one JSON object each, once it was answered.
    pub fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("audit.log")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Creates an object, or replaces what is there by it; `status` and all, as a controller would have written it.
    pub fn put(&self, yaml: &str) {
        let object: Value = serde_saphyr::from_str(yaml).unwrap();
        self.put_json(&object);
    }

    pub fn put_json(&self, object: &Value) {
        self.put_as("tests", object);
    }

    /// Applies an object as this field manager.
    pub fn put_as(&self, manager: &str, object: &Value) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let params = PatchParams::apply(manager).force();
        self.runtime.block_on(self.api_of(object).patch(name, &params, &Patch::Apply(object))).unwrap();
        if object.get("status").is_some() {
            self.put_status(object);
        }
    }

    /// Sets the status of an object that is there, and leaves the rest of it alone.
    pub fn put_status(&self, object: &Value) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let status =
            json!({ "apiVersion": object["apiVersion"], "kind": object["kind"], "status": object["status"] });
        let params = PatchParams::default();
        self.runtime
            .block_on(self.api_of(object).patch_status(name, &params, &Patch::Merge(&status)))
            .unwrap();
    }

    /// The object that `object` names, as the server has it now; `None` if it is not there.
    pub fn get(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let named =
            json!({ "apiVersion": api_version, "kind": kind, "metadata": { "namespace": namespace } });
        let found = self.runtime.block_on(self.api_of(&named).get_opt(name)).unwrap();
        found.map(|object| serde_json::to_value(object).unwrap())
    }

    pub fn delete(&self, api_version: &str, kind: &str, namespace: &str, name: &str) {
        let named =
            json!({ "apiVersion": api_version, "kind": kind, "metadata": { "namespace": namespace } });
        self.runtime.block_on(self.api_of(&named).delete(name, &kube::api::DeleteParams::default())).unwrap();
    }

    pub fn namespace(&self, name: &str) {
        self.put_json(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
    }

    /// Allows a user to do these verbs with these resources (`GROUP/PLURAL`), in one namespace or in all.
    pub fn allow(&self, user: &str, namespace: Option<&str>, verbs: &[&str], resources: &[&str]) {
        let prefix = if namespace.is_some() { "" } else { "Cluster" };
        let rules: Vec<Value> = resources
            .iter()
            .map(|resource| {
                let (group, plural) = resource.split_once('/').unwrap_or(("", resource));
                json!({ "apiGroups": [group], "resources": [plural], "verbs": verbs })
            })
            .collect();
        let name = format!("{user}-{}", free_port());
        let version = "rbac.authorization.k8s.io/v1";
        let metadata = json!({ "name": name, "namespace": namespace });
        self.put_json(&json!({
            "apiVersion": version, "kind": format!("{prefix}Role"), "metadata": metadata, "rules": rules
        }));
        self.put_json(&json!({
            "apiVersion": version, "kind": format!("{prefix}RoleBinding"), "metadata": metadata,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": format!("{prefix}Role"), "name": name },
            "subjects": [{ "kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io" }],
        }));
    }

    fn api_of(&self, object: &Value) -> Api<DynamicObject> {
        let text = |key: &str| object[key].as_str().unwrap();
        let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind")));
        match object["metadata"]["namespace"].as_str() {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }

    fn crds(&self) -> Api<DynamicObject> {
        let gvk = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        Api::all_with(self.client.clone(), &ApiResource::from_gvk(&gvk))
    }

    fn install_all(&self, replaced: &[(&str, &str)], part: &str) {
        let api = self.crds();
        for file in fs::read_dir(CRDS).unwrap().map(|entry| entry.unwrap().path()) {
            let is_wanted = file.file_name().unwrap().to_string_lossy().contains(part);
            if !is_wanted || file.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = replaced
                .iter()
                .fold(fs::read_to_string(&file).unwrap(), |text, (from, to)| text.replace(from, to));
            let crd: DynamicObject = serde_saphyr::from_str(&text).unwrap();
            self.runtime.block_on(api.create(&PostParams::default(), &crd)).unwrap();
        }
        self.wait_for_kinds(&api);
    }

    /// A kind is served some moments after its CRD was taken in.
    fn wait_for_kinds(&self, api: &Api<DynamicObject>) {
        let until = Instant::now() + Duration::from_secs(20);
        let is_served = |crd: &DynamicObject| {
            let spec = &crd.data["spec"];
            let version =
                spec["versions"].as_array().unwrap().iter().find(|one| one["served"] == true).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (group, version) = (text(&spec["group"]), text(&version["name"]));
            let gvk = GroupVersionKind::gvk(&group, &version, &text(&spec["names"]["kind"]));
            let resource = ApiResource::from_gvk_with_plural(&gvk, &text(&spec["names"]["plural"]));
            let kinds: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
            let listed = format!("{group}/{version}");
            self.runtime.block_on(kinds.list(&kube::api::ListParams::default())).is_ok()
                && self.runtime.block_on(self.client.list_api_group_resources(&listed)).is_ok()
        };
        for crd in self.runtime.block_on(api.list(&kube::api::ListParams::default())).unwrap() {
            while !is_served(&crd) {
                assert!(Instant::now() < until, "a kind is not served");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn etcd(folder: &Path) -> (u16, Guarded) {
    let (port, peer) = (free_port(), free_port());
    let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer}"));
    let data = folder.join("etcd").display().to_string();
    let arguments: Vec<String> = [
        "--data-dir",
        &data,
        "--unsafe-no-fsync",
        "--listen-client-urls",
        &client,
        "--advertise-client-urls",
        &client,
        "--listen-peer-urls",
        &peer,
        "--initial-advertise-peer-urls",
        &peer,
        "--initial-cluster",
        &format!("default={peer}"),
    ]
    .map(str::to_owned)
    .to_vec();
    fs::write(folder.join("etcd.port"), port.to_string()).unwrap();
    let program = programs::find("etcd").unwrap();
    let process = Guarded::spawn(&program, &arguments, &folder.join("etcd.log"), Some(folder));
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "etcd did not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    (port, process)
}

fn write_configuration(folder: &Path, port: u16) {
    let (_, authority) = certificate(folder, "api");
    let key = folder.join("accounts.key");
    let made = Command::new("openssl").args(["genrsa", "-out"]).arg(&key).arg("2048").output().unwrap();
    assert!(made.status.success(), "openssl makes a key");
    let line = |(id, user): (usize, &str)| match user {
        "admin" => format!("admin-token,admin,{id},system:masters\n"),
        other => format!("{other}-token,{other},{id}\n"),
    };
    let lines: Vec<String> = (1..).zip(USERS).map(line).collect();
    fs::write(folder.join("tokens.csv"), lines.concat()).unwrap();
    let audit = json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
        "rules": [
            { "level": "None", "verbs": ["get", "list", "watch"] },
            { "level": "None", "users": ["system:apiserver", "system:anonymous"] },
            { "level": "RequestResponse", "resources": [
                { "group": "image.toolkit.fluxcd.io" }, { "group": "source.toolkit.fluxcd.io" },
                { "group": "", "resources": ["secrets"] },
            ] },
        ],
    });
    fs::write(folder.join("audit.yaml"), audit.to_string()).unwrap();
    let named = |kind: &str, values: Vec<(&str, Value)>| -> Vec<Value> {
        values.into_iter().map(|(name, value)| json!({ "name": name, kind: value })).collect()
    };
    let server = format!("https://127.0.0.1:{port}");
    let users = USERS.map(|user| (user, json!({ "token": format!("{user}-token") })));
    let contexts = USERS.map(|user| (user, json!({ "cluster": "test", "user": user })));
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "admin",
        "clusters": named("cluster", vec![("test", json!({ "server": server, "certificate-authority": authority }))]),
        "users": named("user", users.to_vec()),
        "contexts": named("context", contexts.to_vec()),
    });
    fs::write(folder.join("kubeconfig"), config.to_string()).unwrap();
}

fn flags(folder: &Path, etcd: u16, port: u16) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        "--insecure-port=0".to_owned(),
        format!("--tls-cert-file={}", file("api.crt")),
        format!("--tls-private-key-file={}", file("api.key")),
        format!("--cert-dir={}", folder.display()),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--anonymous-auth=false".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        format!("--service-account-key-file={}", file("accounts.key")),
        format!("--service-account-signing-key-file={}", file("accounts.key")),
        format!("--service-account-issuer={ISSUER}"),
        format!("--api-audiences={ISSUER}"),
        format!("--audit-policy-file={}", file("audit.yaml")),
        format!("--audit-log-path={}", file("audit.log")),
    ]
}

fn client_of(runtime: &tokio::runtime::Runtime, kubeconfig: &Path) -> kube::Client {
    supercargo::registry::install_tls_provider();
    runtime.block_on(async {
        let config = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(config, &options).await.unwrap();
        kube::Client::try_from(config).unwrap()
    })
}
