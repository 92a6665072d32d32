//! A cluster of 1,000 `ImageRepositories`, 1,000 `ImagePolicies` and 1,000 Deployments on a real API server: connecting and reading
//! all of it, reading it again, what runs, and how often a burst of 1,000 changes makes it be read again.
//!
//! `cargo bench --bench cluster`; needs Debian's `etcd` and what `scripts/kube-apiserver` builds. With `CLUSTER` in the environment
//! it says how to ask the server with the program instead, and serves until standard input ends.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot be set up may panic")]
#![expect(clippy::print_stdout, reason = "says how to ask what it serves, and what was counted")]

mod support {
    #[path = "../../tests/support/cluster.rs"]
    pub(crate) mod cluster;
    #[path = "../../tests/support/registry.rs"]
    pub(crate) mod registry;
}

use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use clap::Parser as _;
use divan::Bencher;
use serde_json::json;
use supercargo::cli::Cli;
use supercargo::config::{ProcessEnvironment, StdinSecrets, resolve};
use supercargo::engine::Engine;
use supercargo::store::Dirs;
use support::cluster::Cluster;
use tokio::runtime::Runtime;

const POLICIES: usize = 1000;
const IMAGE_V1: &str = "image.toolkit.fluxcd.io/v1";

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

fn main() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    cluster.namespace("fleet");
    (0..POLICIES).for_each(|n| put(&cluster, n));
    if std::env::var_os("CLUSTER").is_some() {
        println!(
            "/usr/bin/time -f '%e s %U %S %M KiB' supercargo get images policy -A --source=cluster --kubeconfig={}",
            cluster.kubeconfig().display()
        );
        println!("until standard input ends");
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        return;
    }
    CLUSTER.set(cluster).ok().expect("set once");
    if std::env::args().all(|argument| argument != "--list") {
        let reads = reads_of_a_burst();
        println!("{POLICIES} changes made everything be read {reads} times more");
    }
    divan::main();
}

fn put(cluster: &Cluster, n: usize) {
    let metadata = json!({ "name": format!("app-{n}"), "namespace": "fleet" });
    let image = format!("127.0.0.1:1/fleet/app-{n}");
    let ready = json!([{ "type": "Ready", "status": "True", "reason": "Succeeded", "message": "as it should be",
        "lastTransitionTime": "2026-03-01T09:12:44Z" }]);
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": metadata,
        "spec": { "image": image, "interval": "1h" },
        "status": { "observedGeneration": 1, "conditions": ready,
            "lastScanResult": { "scanTime": "2026-03-01T09:12:44Z", "tagCount": 7, "latestTags": [], "revision": "7" } },
    }));
    cluster.put_json(&policy(n, "1.0.0"));
    let labels = json!({ "app": format!("app-{n}") });
    let pod = json!({ "containers": [{ "name": "app", "image": format!("{image}:1.0.0") }] });
    cluster.put_json(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": { "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels }, "spec": pod } },
    }));
}

fn policy(n: usize, tag: &str) -> serde_json::Value {
    let name = format!("app-{n}");
    json!({
        "apiVersion": IMAGE_V1, "kind": "ImagePolicy", "metadata": { "name": name, "namespace": "fleet" },
        "spec": { "imageRepositoryRef": { "name": name }, "policy": { "semver": { "range": ">=1.0.0" } } },
        "status": { "observedGeneration": 1, "latestRef": { "name": format!("127.0.0.1:1/fleet/{name}"), "tag": tag } },
    })
}

/// An engine on the cluster alone that keeps what it keeps below `home`.
fn engine(home: &Path) -> Engine {
    let kubeconfig = CLUSTER.get().unwrap().kubeconfig();
    let arguments = ["supercargo", "--source=cluster", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let cli = Cli::try_parse_from(arguments).unwrap();
    let settings = resolve(&cli.global, &ProcessEnvironment, StdinSecrets::default(), || None).unwrap();
    Engine::open_in(settings, &Dirs::below(home)).unwrap()
}

fn runtime() -> Runtime {
    // As the commands have it.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// How often a burst of changes, looked for once a second as the screen does, makes everything be read again.
fn reads_of_a_burst() -> usize {
    let home = tempfile::tempdir().unwrap();
    let engine = engine(home.path());
    let burst = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(3));
        let cluster = CLUSTER.get().unwrap();
        (0..POLICIES).for_each(|n| cluster.put_status(&policy(n, "1.0.1")));
    });
    runtime().block_on(async {
        let mut world = engine.load().await.unwrap();
        let (mut reads, mut idle) = (0, 0);
        while !burst.is_finished() || idle < 3 {
            match engine.changed_in_cluster(&world).await.unwrap() {
                Some(now) => (world, reads, idle) = (now, reads + 1, 0),
                None => idle += 1,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        reads
    })
}

/// From nothing to all objects: kubeconfig, client, discovery, lists; the first row is there then.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn first_row(bencher: Bencher<'_, '_>) {
    let home = tempfile::tempdir().unwrap();
    bencher.bench_local(|| {
        let engine = engine(home.path());
        let world = runtime().block_on(engine.load()).unwrap();
        assert_eq!(world.inventory.policies.len(), POLICIES);
    });
}

/// All objects again, over a connection that is there.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn again(bencher: Bencher<'_, '_>) {
    let home = tempfile::tempdir().unwrap();
    let (engine, runtime) = (engine(home.path()), runtime());
    runtime.block_on(engine.load()).unwrap();
    bencher.bench_local(|| runtime.block_on(engine.load()).unwrap());
}

/// Which images run, asked for the first time.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn running(bencher: Bencher<'_, '_>) {
    let home = tempfile::tempdir().unwrap();
    let runtime = runtime();
    let load = || {
        let engine = engine(home.path());
        let world = runtime.block_on(engine.load()).unwrap();
        (engine, world)
    };
    bencher.with_inputs(load).bench_local_values(|(engine, world)| {
        let running = runtime.block_on(engine.running(world.live.as_ref().unwrap()));
        assert!(running.has("127.0.0.1:1/fleet/app-7", "1.0.0"));
        (engine, world)
    });
}
