//! The demo: the program's main job on a registry, a remote and a CI that come with it.
//!
//! It adds servers and data and no path of its own: tags come over HTTP through the scanner, commits go through the same
//! push as everywhere. All of it lives in one temporary directory, listens on 127.0.0.1, and ends with the value.

pub mod registry;
mod seed;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use crate::cli::DemoArgs;
use crate::config::Refresh;
use crate::config::Settings;
use crate::domain::mode::Mode;
use crate::domain::object::Person;
use crate::engine::Engine;
use crate::git;
use crate::problem::{Code, Problem};
use crate::store::Dirs;
use registry::{Ci, DemoRegistry, Pushed};

/// What every directory of a demo is called, before its process id.
const PREFIX: &str = "supercargo-demo-";

/// A running demo.
pub struct Demo {
    /// Removed with the value; declared first so that servers end after nothing needs their files.
    directory: TempDir,
    registry: Arc<DemoRegistry>,
    seed: u64,
    interval: Duration,
}

impl Demo {
    /// Starts the registry, fills it, and makes the remote.
    ///
    /// # Errors
    /// No port, no space, no temporary directory.
    pub async fn start(args: &DemoArgs) -> Result<Self, Problem> {
        sweep(&std::env::temp_dir());
        let failed = |what: &str, error: &std::io::Error| {
            Problem::new(Code::Storage, "demo", format!("cannot make {what}")).caused_by(error)
        };
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir();
        let directory = directory.map_err(|error| failed("a temporary directory", &error))?;
        let registry = DemoRegistry::start().await.map_err(|error| failed("a registry", &error))?;
        let now = Timestamp::now();
        for (repository, tags) in seed::tags()? {
            for tag in tags {
                registry.push(&repository, &tag, now);
            }
        }
        let interval = args.interval.0.max(Duration::from_millis(100));
        let demo = Self { directory, registry: Arc::new(registry), seed: args.seed, interval };
        let values = seed::Values {
            registry: demo.registry.host(),
            remote: demo.remote(),
            interval: crate::domain::duration::GoDuration(interval.max(Duration::from_secs(1))),
        };
        let author = Person { name: "Demo".to_owned(), email: "demo@example.com".to_owned() };
        let files = seed::files(&values);
        git::init_bare(&demo.remote_path(), "main", (&author, now.as_second()), &files)
            .map_err(Problem::from)?;
        Ok(demo)
    }

    fn remote_path(&self) -> PathBuf {
        self.directory.path().join("fleet.git")
    }

    /// The address of the remote.
    pub fn remote(&self) -> String {
        format!("file://{}", self.remote_path().display())
    }

    /// Host and port of the registry.
    pub fn registry_host(&self) -> String {
        self.registry.host()
    }

    /// The temporary directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// An engine on the demo's source, with folders of its own; in WRITE mode, as it is there to be tried, unless it was said here
    /// and now that nothing may be changed.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn engine(&self, settings: &Settings) -> Result<Engine, Problem> {
        let mut settings = settings.clone();
        settings.mode = if settings.reads_only { Mode::ReadOnly } else { Mode::Write };
        settings.practice = true;
        settings.source = crate::config::SourceChoice::Files;
        settings.files = Some(self.remote());
        settings.namespace = None;
        settings.refresh = Refresh::Auto;
        settings.git_urls.clear();
        settings.named_sources.clear();
        settings.git_credential = None;
        settings.registry_credential = None;
        settings.registries.clear();
        Engine::open_in(settings, &Dirs::below(self.directory.path()))
    }

    /// The simulated CI.
    fn ci(&self) -> Ci {
        let repositories = ["team/vote", "shop/checkout-api"].map(str::to_owned).to_vec();
        Ci::new(repositories, self.seed)
    }

    /// Lets the CI push one tag now.
    ///
    /// # Errors
    /// Only a bug of ours: a CI with nothing to build.
    pub fn build_once(&self) -> Result<Pushed, Problem> {
        let built = self.ci().build(&self.registry, Timestamp::now());
        built.ok_or_else(|| Problem::new(Code::Internal, "demo", "the CI has nothing to build"))
    }

    /// Lets the CI push until the future is dropped.
    pub async fn run_ci(&self, pushed: impl Fn(Pushed)) {
        self.ci().run(&self.registry, self.interval, pushed).await;
    }
}

/// Removes what demos left behind whose process was killed.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()).map(str::to_owned);
        let is_gone = process.is_some_and(|id| {
            id.parse::<u32>().is_ok()
                && !Path::new("/proc").join(&id).exists()
                && Path::new("/proc/self").exists()
        });
        if is_gone {
            // Somebody else's leftovers stay where they are.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::branch::Onto;
    use crate::engine::tests::settings;

    async fn warnings(engine: &Engine) -> Vec<String> {
        let world = engine.load().await.unwrap();
        let (grounds, _) = engine.grounds(&world, Refresh::Always, &Onto::Push).await.unwrap();
        grounds.iter().flat_map(|ground| &ground.warnings).map(|warning| warning.code.clone()).collect()
    }

    #[tokio::test]
    async fn the_folder_that_is_the_demos_remote_is_nothing_to_warn_of_and_anybody_elses_is() {
        let settings = settings();
        let args = DemoArgs { headless: false, keep: false, seed: 1, interval: "1h".parse().unwrap() };
        let demo = Demo::start(&args).await.unwrap();
        let practice = demo.engine(&settings).unwrap();
        assert_eq!(warnings(&practice).await, [] as [String; 0]);
        assert_eq!(practice.settings().mode, Mode::Write);
        let looks = Settings { reads_only: true, ..settings.clone() };
        assert_eq!(demo.engine(&looks).unwrap().settings().mode, Mode::ReadOnly);
        let serious = Settings { practice: false, ..practice.settings().clone() };
        let serious = Engine::open_in(serious, &Dirs::below(&demo.directory().join("other"))).unwrap();
        let warned = warnings(&serious).await;
        assert!(!warned.is_empty() && warned.iter().all(|code| code == "not_flux_url"), "{warned:?}");
    }
}
