//! A fleet of 1,000 repositories with 1,000 tags each: scanned, evaluated and planned, beside plain GETs of the same lists;
//! and all verdicts from a warm cache.
//!
//! `cargo bench --bench fleet`; the first part needs Debian's `docker-registry` and `curl`. With `FLEET=DIR` in the
//! environment it writes the objects into DIR, says how to look at them with the program, and serves them until standard
//! input ends.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot be set up may panic")]
#![expect(clippy::print_stdout, reason = "says where what it serves lies")]

#[path = "../tests/support/registry.rs"]
mod servers;

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use clap::Parser as _;
use divan::Bencher;
use jiff::Timestamp;
use servers::DockerRegistry;
use supercargo::cli::Cli;
use supercargo::config::{ProcessEnvironment, Refresh, StdinSecrets, resolve};
use supercargo::domain::branch::Onto;
use supercargo::domain::object::Person;
use supercargo::domain::proposal::Decision;
use supercargo::domain::tags::TagList;
use supercargo::engine::{Engine, PrepareRequest};
use supercargo::git::init_bare;
use supercargo::store::Dirs;
use tokio::runtime::Runtime;

const REPOSITORIES: usize = 1000;
const TAGS: usize = 1000;

/// The registry's host, and the folder with the objects and the list of URLs; nothing without a registry.
static FLEET: OnceLock<(String, PathBuf)> = OnceLock::new();

fn main() {
    let registry = DockerRegistry::start(None);
    let place = std::env::var_os("FLEET").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let place = place.unwrap_or_else(|| folder.path().to_owned());
    if let Some(registry) = &registry {
        registry.seed("fleet/app-0", tags());
        for n in 1..REPOSITORIES {
            registry.alias("fleet/app-0", &format!("app-{n}"));
        }
        write_fleet(&registry.host, &place);
        FLEET.set((registry.host.clone(), place.clone())).expect("set once");
    }
    if std::env::var_os("FLEET").is_some() {
        println!(
            "/usr/bin/time -f '%e s %M KiB' supercargo plan --all --refresh=always --quiet -C {}",
            place.display()
        );
        println!("curl -sfZ --parallel-max 4 -K {} 2> /dev/null", place.join("urls").display());
        println!("until standard input ends");
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        return;
    }
    divan::main();
}

fn tags() -> impl Iterator<Item = String> {
    (0..TAGS).map(|n| format!("main-{:07x}-{}", n * 2_654_435 % 0x0fff_ffff, 1_700_000_000 + n))
}

/// A remote with a marked manifest for each repository, the objects that watch over it, and the lists' URLs for `curl`.
fn write_fleet(host: &str, place: &Path) {
    let (mut objects, mut urls, mut files) = (String::new(), String::new(), Vec::new());
    for n in 0..REPOSITORIES {
        let image = format!("{host}/fleet/app-{n}");
        write!(
            objects,
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: app-{n}, namespace: fleet}}\n\
             spec: {{image: {image}, interval: 1h}}\n---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\n\
             metadata: {{name: app-{n}, namespace: fleet}}\nspec:\n  imageRepositoryRef: {{name: app-{n}}}\n  filterTags:\n    \
             pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)'\n    extract: '$ts'\n  policy: {{numerical: {{order: asc}}}}\n"
        )
        .unwrap();
        writeln!(urls, "url = \"http://{image}\"").unwrap();
        let manifest = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app-{n}}}\nspec:\n  template:\n    spec:\n      containers:\n      \
             - name: app\n        image: {image}:old # {{\"$imagepolicy\": \"fleet:app-{n}\"}}\n"
        );
        files.push((format!("apps/app-{n:04}.yaml"), manifest.into_bytes()));
    }
    let urls =
        urls.replace("/fleet/", "/v2/fleet/").replace("\"\n", "/tags/list?n=1000\"\noutput = /dev/null\n");
    let remote = place.join("remote.git");
    let author = Person { name: "ci".into(), email: "ci@example.com".into() };
    init_bare(&remote, "main", (&author, 1_700_000_000), &files).unwrap();
    write!(
        objects,
        "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: fleet, namespace: fleet}}\n\
         spec: {{url: {}, interval: 1h, ref: {{branch: main}}}}\n---\napiVersion: image.toolkit.fluxcd.io/v1\n\
         kind: ImageUpdateAutomation\nmetadata: {{name: fleet, namespace: fleet}}\nspec:\n  interval: 1h\n  \
         sourceRef: {{kind: GitRepository, name: fleet}}\n  git:\n    commit: {{author: {{name: flux, email: flux@example.com}}}}\n    \
         push: {{branch: image-updates}}\n  update: {{path: ./apps}}\n",
        remote.display()
    )
    .unwrap();
    std::fs::create_dir_all(place.join("objects")).unwrap();
    std::fs::write(place.join("objects/fleet.yaml"), objects).unwrap();
    std::fs::write(place.join("urls"), urls).unwrap();
}

/// An engine on the objects at `place` that keeps what it keeps below `home`.
fn engine(place: &Path, home: &Path) -> Engine {
    let objects = place.join("objects");
    let cli =
        Cli::try_parse_from(["supercargo", "--source=files", "--files", objects.to_str().unwrap()]).unwrap();
    let settings = resolve(&cli.global, &ProcessEnvironment, StdinSecrets::default(), || None).unwrap();
    Engine::open_in(settings, &Dirs::below(home)).unwrap()
}

fn runtime() -> Runtime {
    // As the commands have it.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The way from the files to the plan; returns how many updates it has.
async fn plan(engine: &Engine, refresh: Refresh) -> usize {
    let world = engine.load().await.unwrap();
    // Remotes are asked while registries are, as the commands do.
    let judging = async {
        let (scans, failed) = engine.fresh_scans(&world, refresh, |_| {}, |_| {}).await;
        assert!(failed.is_empty(), "{:?}", failed.values().next());
        engine.select(&world, &scans, refresh).await.unwrap()
    };
    let (selections, grounds) = futures::join!(judging, engine.grounds(&world, refresh, &Onto::Push));
    let (grounds, problems) = grounds.unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let mut proposals = engine.review(&world, grounds, &selections).0.proposals;
    for update in &mut proposals {
        update.decide(Decision::Approved);
    }
    let request = PrepareRequest::of(proposals, Refresh::Never);
    let prepared = engine.prepare(&world, &selections, request).await.unwrap();
    prepared.plan.groups.iter().map(|group| group.updates.len()).sum()
}

/// The same lists by `curl`, as many at once as the program asks of one host.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn curl(bencher: Bencher<'_, '_>) {
    let Some((_, place)) = FLEET.get() else { return };
    let urls = place.join("urls");
    bencher.bench_local(|| {
        let mut curl = Command::new("curl");
        let status = curl
            .args(["-sfZ", "--parallel-max", "4", "-K"])
            .arg(&urls)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    });
}

/// Scanned for the first time: nothing is kept yet.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn scan_evaluate_plan_first(bencher: Bencher<'_, '_>) {
    let Some((_, place)) = FLEET.get() else { return };
    let runtime = runtime();
    bencher.with_inputs(|| tempfile::tempdir().unwrap()).bench_local_values(|home| {
        let planned = runtime.block_on(plan(&engine(place, home.path()), Refresh::Always));
        assert_eq!(planned, REPOSITORIES);
        home
    });
}

/// Scanned again, as every interval does.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn scan_evaluate_plan_again(bencher: Bencher<'_, '_>) {
    let Some((_, place)) = FLEET.get() else { return };
    let (runtime, home) = (runtime(), tempfile::tempdir().unwrap());
    runtime.block_on(plan(&engine(place, home.path()), Refresh::Always));
    bencher.bench_local(|| {
        let planned = runtime.block_on(plan(&engine(place, home.path()), Refresh::Always));
        assert_eq!(planned, REPOSITORIES);
    });
}

/// A home with a million cached tags, all different, and an engine on it.
fn warm(home: &Path) -> Engine {
    let place = home.join("fleet");
    std::fs::create_dir(&place).unwrap();
    write_fleet("registry.example.com", &place);
    let engine = engine(&place, home);
    for n in 0..REPOSITORIES {
        let list: TagList = tags().map(|tag| format!("{tag}{n:03}")).collect();
        let name = format!("registry.example.com/fleet/app-{n}");
        engine.store().first_seen().observe(&name, &list, Timestamp::now());
        engine.store().tags().write(&name, list, Timestamp::now());
    }
    engine
}

/// From the objects and a warm cache to the verdict of every policy.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn warm_verdicts(bencher: Bencher<'_, '_>) {
    let (runtime, home) = (runtime(), tempfile::tempdir().unwrap());
    let engine = warm(home.path());
    bencher.bench_local(|| {
        runtime.block_on(async {
            let world = engine.load().await.unwrap();
            let scans = engine.cached(&world);
            let selections = engine.select(&world, &scans, Refresh::Never).await.unwrap();
            let selected = selections.values().filter(|evaluated| evaluated.selection.outcome.is_ok());
            assert_eq!(selected.count(), REPOSITORIES);
        });
    });
}

/// Of that, what the cache takes.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn warm_lists(bencher: Bencher<'_, '_>) {
    let (runtime, home) = (runtime(), tempfile::tempdir().unwrap());
    let engine = warm(home.path());
    let world = runtime.block_on(engine.load()).unwrap();
    bencher.bench_local(|| Arc::new(engine.cached(&world)));
}
