//! What both front ends do with the outside world: load a source, scan registries, read markers at a commit, land.
//!
//! The commands and the screen call the same functions here and add nothing of their own; what is decided is decided
//! in the domain, and what is spoken is spoken in the adapters. Every function takes what it works on and returns a
//! value; the engine itself keeps only connections, caches and settings.

mod age;
mod around;
mod audit;
pub(crate) mod bootstrap;
mod cache;
mod cluster;
mod credentials;
mod distance;
mod examine;
mod failures;
mod findings;
mod forecast;
mod grounds;
mod hold;
mod identity;
mod join;
mod keep;
mod land;
mod load;
mod lock;
mod merge;
mod metadata;
mod named;
mod nearby;
mod order;
mod patch;
mod preflight;
mod prepare;
mod probe;
mod pushes;
mod reach;
mod reflect;
mod requests;
mod revert;
mod revisit;
mod rights;
mod scan;
mod select;
mod sign;
pub mod status;
mod trial;
mod walk;
mod watch;
mod work_tree;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::config::Settings;
use crate::domain::inventory::{self, Inventory};
use crate::domain::object::{ImageUpdateAutomation, Kind, ObjectId, TagFilter};
use crate::domain::policy::{Exclusions, Filtering};
use crate::domain::scan::Scan;
use crate::forge;
use crate::git;
use crate::problem::Problem;
use crate::registry;
use crate::source::files::Stamp;
use crate::source::secrets::Secrets;
use crate::store::{Dirs, Store};

pub(crate) use audit::Note;
pub use cache::{Cache, CacheEntry};
pub use cluster::Live;
pub use examine::{Examined, Place};
pub use forecast::Forecast;
pub use identity::has_authors;
pub(crate) use identity::who;
pub(crate) use land::short;
pub use land::{DryRun, Landing, was_stopped};
pub use load::folder_of;
pub use merge::MergeRequest;
pub use metadata::TagQuestion;
pub(crate) use nearby::objects as objects_nearby;
pub use patch::{ChangedFile, joined, patch};
pub use prepare::{PrepareRequest, Prepared, one_branch};
pub use probe::{Question, RegistryProbe};
pub use reflect::Passes;
pub use revert::Reverted;
pub use revisit::{InFiles, Revisited};
pub use scan::{ScanOutcome, ScanProgress, not_cached};
pub use select::{Evaluated, Selections};
pub use watch::{First, Seen};

/// The tags of each `ImageRepository` that was scanned, now or before.
pub type Scans = BTreeMap<ObjectId, Scan>;

/// Connections, caches and settings. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    settings: Arc<Settings>,
    store: Arc<Store>,
    registry: Arc<registry::Client>,
    forges: Arc<forge::Forges>,
    /// Ways to remotes that a person has opened.
    opened: git::Opened,
    /// Logins that a person has typed.
    typed: git::TypedLogins,
    /// Signing keys that a person has unlocked.
    unlocked: git::Unlocked,
    cluster: cluster::Slot,
    /// Whether a person went over to another context, and wants to see what there is.
    is_switched: bool,
    git_root: PathBuf,
    distances: Arc<distance::Distances>,
    unreached: Arc<reach::Unreached>,
    marked: Arc<grounds::MarkedFiles>,
    /// Exclusion lists as they are spelled → compiled.
    exclusions: Arc<Mutex<HashMap<Vec<String>, Exclusions>>>,
    /// Filters of policies, as they are spelled → compiled.
    filters: Arc<Mutex<HashMap<TagFilter, Filtering>>>,
    /// Keeps `git_root` until the last clone of the engine goes, where no cache can be kept on disk.
    private: Option<Arc<tempfile::TempDir>>,
    /// Where secrets of ours are kept; `None` without a state folder.
    secrets_dir: Option<PathBuf>,
}

/// What a source described at one moment.
#[derive(Debug, Clone)]
pub struct World {
    /// How the screen names the source, such as `files:fleet`.
    pub label: String,
    /// The objects.
    pub inventory: Arc<Inventory>,
    /// The automations to work with, the implied one included where no object describes any; in the order of their names.
    pub automations: Vec<ImageUpdateAutomation>,
    /// Secrets of the files.
    pub(crate) secrets: Arc<Secrets>,
    /// Secrets of ours.
    pub(crate) own_secrets: Arc<Vec<credentials::OwnSecret>>,
    /// The folder of the files source; `None` for a remote one.
    pub root: Option<PathBuf>,
    /// The checkout around it.
    pub(crate) checkout: Option<git::Checkout>,
    /// What the operator's git is told to do, there or elsewhere.
    pub(crate) git_config: Arc<git::GitConfig>,
    /// The remote that the files themselves came from, when the source is a URL.
    pub(crate) source_url: Option<String>,
    /// The branch that the files are of, where they are of one.
    pub(crate) source_branch: Option<String>,
    /// The cluster, where one is a source.
    pub live: Option<Live>,
    /// Why a cluster is left out that may come back; it is among the problems.
    pub left_out: Option<Problem>,
    /// Objects of which files and cluster say different things, with the fields.
    pub drifts: Arc<BTreeMap<(Kind, ObjectId), Vec<&'static str>>>,
    /// What the files were like when they were read; `None` where they came from a remote, or there are none.
    pub(crate) stamp: Option<Stamp>,
    /// What could not be read, and what a person should know; stops nothing.
    pub problems: Vec<Problem>,
}

impl World {
    /// Every automation, those too that a command has nothing to do with.
    pub(crate) fn all_automations(&self) -> impl Iterator<Item = &ImageUpdateAutomation> {
        let implied = self.automations.iter().filter(|automation| inventory::is_implied(automation));
        self.inventory.automations.values().chain(implied)
    }
}

impl Engine {
    /// Prepares caches and the registry client. Nothing is read or asked yet.
    ///
    /// # Errors
    /// A CA file that cannot be read or holds no certificate.
    pub fn open(settings: Settings) -> Result<Self, Problem> {
        Self::open_in(settings, &Dirs::from_environment(|name| std::env::var_os(name)))
    }

    /// As [`Self::open`], with folders of the caller's choice.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_in(settings: Settings, dirs: &Dirs) -> Result<Self, Problem> {
        let registry = scan::client(&settings)?;
        let forges = requests::forges(&settings)?;
        let store = Arc::new(Store::open(dirs));
        let (git_root, private) = git_root(dirs, &store)?;
        Ok(Self {
            settings: Arc::new(settings),
            store,
            private,
            registry: Arc::new(registry),
            forges: Arc::new(forges),
            opened: git::Opened::default(),
            typed: git::TypedLogins::default(),
            unlocked: git::Unlocked::default(),
            cluster: cluster::Slot::default(),
            is_switched: false,
            git_root,
            distances: Arc::default(),
            unreached: Arc::default(),
            marked: Arc::default(),
            exclusions: Arc::default(),
            filters: Arc::default(),
            secrets_dir: dirs.state.as_ref().map(|state| state.join("secrets")),
        })
    }

    /// What is in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether nothing was ever kept here: the program runs for the first time.
    pub fn is_first_run(&self) -> bool {
        self.secrets_dir.as_deref().and_then(std::path::Path::parent).is_some_and(|state| !state.exists())
    }

    /// Caches, ledger, journal and log.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Where Git caches are kept: with the tags, or, where nothing can be written, in a folder that goes with the engine.
fn git_root(dirs: &Dirs, store: &Store) -> Result<(PathBuf, Option<Arc<tempfile::TempDir>>), Problem> {
    let kept = dirs.cache.as_ref().map(|cache| cache.join("git")).filter(|root| store.can_use(root));
    if let Some(root) = kept {
        return Ok((root, None));
    }
    let folder = load::private_folder()?;
    Ok((folder.path().to_owned(), Some(Arc::new(folder))))
}

/// The time of now, in whole seconds, as Git and Flux keep it.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Runs blocking work beside the event loop.
///
/// # Errors
/// The work's own; a panic of the work is a bug of ours and is said to be one.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| {
        Err(Problem::new(crate::problem::Code::Internal, "supercargo", "a worker ended early")
            .caused_by(&error))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::config::{Environment, StdinSecrets, resolve};

    struct Bare;

    impl Environment for Bare {
        fn var(&self, _: &str) -> Option<String> {
            None
        }
    }

    /// The settings of somebody who set nothing.
    pub(crate) fn settings() -> Settings {
        let cli = Cli::try_parse_from(["supercargo"]).unwrap();
        resolve(&cli.global, &Bare, StdinSecrets::default(), || None).unwrap()
    }

    /// An engine with folders of its own below this one.
    pub(crate) fn engine(below: &Path) -> Engine {
        Engine::open_in(settings(), &Dirs::below(below)).unwrap()
    }
}
