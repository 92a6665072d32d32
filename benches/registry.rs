//! What listing and keeping a hundred thousand tags costs, beside `curl` on the same registry.
//!
//! `cargo bench --bench registry`; needs Debian's `docker-registry` and `curl` for the first part.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot be set up may panic")]

#[path = "../tests/support/registry.rs"]
mod servers;

use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use divan::Bencher;
use jiff::Timestamp;
use servers::{DockerRegistry, Liar, Say};
use supercargo::domain::reference::ImageName;
use supercargo::domain::tags::TagList;
use supercargo::registry::{Client, ClientOptions, Keyring, ListRequest};
use supercargo::store::{Dirs, Store};

const TAGS: usize = 100_000;
const REPOSITORY: &str = "team/app";

/// Hosts of the two registries: Debian's (if installed), and one that costs nothing itself.
static HOSTS: OnceLock<(Option<String>, String)> = OnceLock::new();

fn main() {
    let real = DockerRegistry::start(None);
    if let Some(real) = &real {
        real.seed(REPOSITORY, tags());
    }
    let quoted: Vec<String> = tags().iter().map(|tag| format!("\"{tag}\"")).collect();
    let body = Arc::new(format!(r#"{{"name":"{REPOSITORY}","tags":[{}]}}"#, quoted.join(",")).into_bytes());
    let quick = Liar::start(move |asked, _| match asked.line.as_str() {
        "GET /v2/" => Say::json("{}"),
        _ => Say::Answer("200 OK", String::new(), body.to_vec()),
    });
    HOSTS.set((real.as_ref().map(|real| real.host.clone()), quick.host.clone())).expect("set once");
    divan::main();
}

fn tags() -> Vec<String> {
    (0..TAGS).map(|n| format!("main-{:07x}-{}", n * 2_654_435 % 0x0fff_ffff, 1_700_000_000 + n)).collect()
}

fn hosts(real: bool) -> Option<String> {
    let (docker, quick) = HOSTS.get()?;
    if real { docker.clone() } else { Some(quick.clone()) }
}

fn list(client: &Client, runtime: &tokio::runtime::Runtime, host: &str) -> usize {
    let image = ImageName::parse(&format!("{host}/{REPOSITORY}"), false).unwrap();
    let keyring = Keyring::new();
    let request = ListRequest { image: &image, timeout: Duration::from_mins(1), keyring: &keyring };
    runtime.block_on(client.list_tags(&request, |_| {})).unwrap().tags.len()
}

fn runtime() -> tokio::runtime::Runtime {
    // As the commands have it.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A client that lists for the first time: `/v2/` over HTTPS and HTTP, then the list.
#[divan::bench(args = [true, false], sample_count = 20)]
fn list_first(bencher: Bencher<'_, '_>, real: bool) {
    let Some(host) = hosts(real) else { return };
    let runtime = runtime();
    bencher.bench_local(|| {
        let client = Client::new(ClientOptions::default()).unwrap();
        list(&client, &runtime, &host)
    });
}

/// The same client again.
#[divan::bench(args = [true, false], sample_count = 20)]
fn list_again(bencher: Bencher<'_, '_>, real: bool) {
    let Some(host) = hosts(real) else { return };
    let runtime = runtime();
    let client = Client::new(ClientOptions::default()).unwrap();
    bencher.bench_local(|| list(&client, &runtime, &host));
}

#[divan::bench(args = [true, false], sample_count = 20)]
fn curl(bencher: Bencher<'_, '_>, real: bool) {
    let Some(host) = hosts(real) else { return };
    let url = format!("http://{host}/v2/{REPOSITORY}/tags/list?n=1000");
    bencher.bench_local(|| Command::new("curl").args(["-sf", &url]).stdout(Stdio::null()).status().unwrap());
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[divan::bench(sample_count = 20)]
fn cache_write(bencher: Bencher<'_, '_>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Dirs::below(dir.path()));
    let list: TagList = tags().into_iter().collect();
    bencher
        .with_inputs(|| list.clone())
        .bench_local_values(|list| store.tags().write(REPOSITORY, list, at(1)));
}

#[divan::bench(sample_count = 20)]
fn cache_read(bencher: Bencher<'_, '_>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Dirs::below(dir.path()));
    store.tags().write(REPOSITORY, tags().into_iter().collect(), at(1));
    bencher.bench_local(|| store.tags().read(REPOSITORY).unwrap());
}

/// A scan that finds nothing new, as most do.
#[divan::bench(sample_count = 20)]
fn ledger_observe(bencher: Bencher<'_, '_>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Dirs::below(dir.path()));
    let list: TagList = tags().into_iter().collect();
    store.first_seen().observe(REPOSITORY, &list, at(1));
    bencher.bench_local(|| store.first_seen().observe(REPOSITORY, &list, at(2)));
}

/// A thousand small repositories, as one scan of a fleet writes them.
#[divan::bench(sample_count = 3)]
fn cache_write_thousand(bencher: Bencher<'_, '_>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Dirs::below(dir.path()));
    let list: TagList = (0..1000).map(|n| format!("1.0.{n}")).collect();
    bencher.bench_local(|| {
        for n in 0..1000 {
            store.tags().write(&format!("r/app-{n}"), list.clone(), at(1));
        }
    });
}
