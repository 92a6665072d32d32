//! One run on a monorepo of 10,000 files (100 MB) behind real smart HTTP: clone, rewrite, commit, push, for three policies and
//! for all 1,000; and the clone alone. Beside each the same with `git`.
//!
//! `cargo bench --bench land`; needs Debian's `git`, `nginx-light`, `fcgiwrap`, `apache2-utils` and `openssl`. With `LAND=DIR` in
//! the environment it writes the objects and a cache with all tags into DIR, says how to run the program on them, and serves the
//! remote until standard input ends.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot be set up may panic")]
#![expect(clippy::print_stdout, reason = "says where what it serves lies")]

#[path = "support/monorepo.rs"]
mod monorepo;
#[path = "../tests/support/git.rs"]
mod servers;

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser as _;
use divan::Bencher;
use jiff::Timestamp;
use servers::{GitServer, PASSWORD, WRITER, git};
use supercargo::cli::Cli;
use supercargo::config::{ProcessEnvironment, Refresh, StdinSecrets, resolve};
use supercargo::domain::branch::Onto;
use supercargo::domain::proposal::Decision;
use supercargo::domain::setrun::{self, Tree};
use supercargo::domain::setter::Setters;
use supercargo::domain::tags::TagList;
use supercargo::engine::{DryRun, Engine, Landing, PrepareRequest};
use supercargo::git::{BareCache, Remote};
use supercargo::store::Dirs;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Policies of a usual run, and the files that they change.
const FEW: (usize, usize) = (3, 40);
/// The same of a run with all of them.
const ALL: (usize, usize) = (1_000, 6_000);

/// The remote's address with a login, and the folder with the objects; nothing without a server.
static STAGE: OnceLock<(String, PathBuf)> = OnceLock::new();
/// Each run pushes a branch of its own.
static RUN: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let server = GitServer::start(false);
    let place = std::env::var_os("LAND").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let place = place.unwrap_or_else(|| folder.path().to_owned());
    if let Some(server) = &server {
        let url = serve(server);
        for (policies, _) in [FEW, ALL] {
            write_objects(&url, policies, &place);
        }
        STAGE.set((url, place.clone())).expect("set once");
    }
    if std::env::var_os("LAND").is_some() {
        offer(&place);
    } else {
        divan::main();
    }
}

/// Says how to run the program on what is served, until standard input ends.
fn offer(place: &Path) {
    let dirs = Dirs::from_environment(|name| Some(place.join(name).into()));
    keep_tags(&engine(&place.join(ALL.0.to_string()), &dirs));
    let caches = ["XDG_CACHE_HOME", "XDG_STATE_HOME"]
        .map(|name| format!("{name}={}", place.join(name).display()))
        .join(" ");
    let time = "/usr/bin/time -f '%e s %M KiB'";
    for (policies, _) in [FEW, ALL] {
        let files = place.join(policies.to_string());
        let files = files.display();
        println!("env {caches} {time} supercargo plan --all --quiet -o json -C {files} > plan.json");
        println!(
            "env {caches} {time} supercargo push --plan plan.json --branch NAME --write --yes -C {files}"
        );
    }
    println!("until standard input ends");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// The monorepo on the server, one pack as forges have it; returns its address with a login.
fn serve(server: &GitServer) -> String {
    let files = monorepo::files(monorepo::FULL);
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let bare = server.create("public-fleet", &files);
    // Nothing is tidied up while something is measured.
    for key in ["receive.autogc", "maintenance.auto"] {
        git(&bare.path, &["config", key, "false"]);
    }
    git(&bare.path, &["repack", "-adq"]);
    server.repository("public-fleet").replace("://", &format!("://{WRITER}:{PASSWORD}@"))
}

/// The objects of so many policies, in a folder named after their number. They are such that each changes files.
fn write_objects(url: &str, policies: usize, place: &Path) {
    let mut objects = format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: fleet, namespace: flux-system}}\n\
         spec: {{url: '{url}', interval: 1h, ref: {{branch: main}}}}\n---\napiVersion: image.toolkit.fluxcd.io/v1\n\
         kind: ImageUpdateAutomation\nmetadata: {{name: fleet, namespace: flux-system}}\nspec:\n  interval: 1h\n  \
         sourceRef: {{kind: GitRepository, name: fleet}}\n  git:\n    commit: {{author: {{name: flux, email: flux@example.com}}}}\n    \
         push: {{branch: image-updates}}\n  update: {{path: ./clusters}}\n"
    );
    let known = monorepo::policies(monorepo::FULL);
    // Of four in a row the last is in the fewest files.
    let chosen = if policies == known.len() { known } else { [3, 7, 11].map(|n| known[n].clone()).to_vec() };
    for (id, latest) in chosen {
        write!(
            objects,
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: {space}}}\n\
             spec: {{image: {image}, interval: 24h}}\n---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\n\
             metadata: {{name: {name}, namespace: {space}}}\nspec:\n  imageRepositoryRef: {{name: {name}}}\n  \
             policy: {{semver: {{range: '>=1'}}}}\n",
            name = id.name,
            space = id.namespace,
            image = latest.image,
        )
        .unwrap();
    }
    let folder = place.join(policies.to_string());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("fleet.yaml"), objects).unwrap();
}

/// An engine on the objects in `objects`.
fn engine(objects: &Path, dirs: &Dirs) -> Engine {
    let cli =
        Cli::try_parse_from(["supercargo", "--source=files", "--files", objects.to_str().unwrap()]).unwrap();
    let settings = resolve(&cli.global, &ProcessEnvironment, StdinSecrets::default(), || None).unwrap();
    Engine::open_in(settings, dirs).unwrap()
}

/// Leaves what a scan leaves.
fn keep_tags(engine: &Engine) {
    for (_, latest) in monorepo::policies(monorepo::FULL) {
        let tags: TagList = ["1.4.0", latest.tag.as_str()].into_iter().collect();
        engine.store().tags().write(&latest.image, tags, Timestamp::now());
    }
}

fn runtime() -> Runtime {
    // As the commands have it.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A home with all tags, and an engine on it.
fn home(policies: usize) -> Option<(TempDir, Engine)> {
    let (_, place) = STAGE.get()?;
    let home = tempfile::tempdir().unwrap();
    let engine = engine(&place.join(policies.to_string()), &Dirs::below(home.path()));
    keep_tags(&engine);
    Some((home, engine))
}

/// From the objects to the commit on the remote.
async fn land(engine: &Engine, files: usize) {
    let world = engine.load().await.unwrap();
    let selections = engine.select(&world, &engine.cached(&world), Refresh::Never).await.unwrap();
    let (grounds, problems) = engine.grounds(&world, Refresh::Always, &Onto::Push).await.unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let mut proposals = engine.review(&world, grounds, &selections).0.proposals;
    for update in &mut proposals {
        update.decide(Decision::Approved);
    }
    let onto = Onto::Named(branch());
    let request = PrepareRequest { onto, ..PrepareRequest::of(proposals, Refresh::Auto) };
    let prepared = engine.prepare(&world, &selections, request).await.unwrap();
    assert_eq!(prepared.contents.iter().map(std::collections::BTreeMap::len).sum::<usize>(), files);
    let landed = engine.land(&world, Landing::of(prepared.plan, DryRun::None), |_| {}).await.unwrap();
    assert!(landed.iter().all(|landed| landed.pushed && landed.verified), "{landed:?}");
}

fn branch() -> String {
    format!("run-{}", RUN.fetch_add(1, Ordering::Relaxed))
}

/// A run with nothing cached but tags.
#[divan::bench(args = [FEW, ALL], sample_count = 5, sample_size = 1)]
fn land_first(bencher: Bencher<'_, '_>, (policies, files): (usize, usize)) {
    let runtime = runtime();
    bencher.with_inputs(|| home(policies)).bench_local_values(|stage| {
        let (home, engine) = stage?;
        runtime.block_on(land(&engine, files));
        Some(home)
    });
}

/// A run with the remote's files in the cache.
#[divan::bench(args = [FEW, ALL], sample_count = 5, sample_size = 1)]
fn land_again(bencher: Bencher<'_, '_>, (policies, files): (usize, usize)) {
    let Some((_home, engine)) = home(policies) else { return };
    let runtime = runtime();
    runtime.block_on(land(&engine, files));
    bencher.bench_local(|| runtime.block_on(land(&engine, files)));
}

/// `git add`, `git commit` and `git push` of the same change in a clone that is there already.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn git_add_commit_push(bencher: Bencher<'_, '_>) {
    let Some((url, _)) = STAGE.get() else { return };
    bencher.with_inputs(|| changed_clone(url)).bench_local_values(|folder| {
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-qm", "Update"]);
        git(folder.path(), &["push", "-q", "origin", &format!("HEAD:refs/heads/{}", branch())]);
        folder
    });
}

/// A clone in which all files are rewritten and nothing is added yet.
fn changed_clone(url: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "-q", "--depth", "1", url, "."]);
    let files = monorepo::files(monorepo::FULL);
    let tree = Tree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())));
    let policies = monorepo::policies(monorepo::FULL);
    let setters = Setters::new(policies.iter().map(|(id, latest)| (id, Some(latest)))).unwrap();
    let outcome = setrun::run(&tree, "", &setters, 2).unwrap();
    assert_eq!(outcome.files.len(), ALL.1);
    for (path, bytes) in outcome.files {
        std::fs::write(folder.path().join(path), bytes).unwrap();
    }
    folder
}

/// The newest commit without its history.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn clone_bare(bencher: Bencher<'_, '_>) {
    let Some((url, _)) = STAGE.get() else { return };
    // Whoever reads needs no login.
    let remote = Remote::new(url.replace(&format!("{WRITER}:{PASSWORD}@"), ""));
    bencher.with_inputs(|| tempfile::tempdir().unwrap()).bench_local_values(|folder| {
        let cache = BareCache::open(folder.path(), &remote.url).unwrap();
        cache.fetch(&remote, |_| vec!["refs/heads/main".to_owned()]).unwrap();
        folder
    });
}

/// The same by `git`.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn git_clone_bare(bencher: Bencher<'_, '_>) {
    let Some((url, _)) = STAGE.get() else { return };
    bencher.with_inputs(|| tempfile::tempdir().unwrap()).bench_local_values(|folder| {
        git(folder.path(), &["clone", "-q", "--bare", "--depth", "1", url, "fleet.git"]);
        folder
    });
}
