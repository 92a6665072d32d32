//! Loading a source: which files, which objects, which checkout around them.

use std::path::PathBuf;
use std::sync::Arc;

use super::credentials::read_own;
use super::{Engine, Live, World, blocking, join};
use crate::config::{Refresh, Settings, SourceChoice};
use crate::domain::inventory::{self, Inventory};
use crate::domain::object::ImageUpdateAutomation;
use crate::domain::refspec::short_name;
use crate::git::{self, BareCache};
use crate::problem::{Code, Problem};
use crate::source::cluster::connect::IN_CLUSTER;
use crate::source::files::{self, Loaded, SourceFile};

/// A files source, as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A folder here.
    Folder(PathBuf),
    /// A repository elsewhere.
    Remote { url: String, branch: Option<String>, folder: String },
}

impl Engine {
    /// Reads the objects of the source.
    ///
    /// # Errors
    /// No source, one that is not there yet, or a remote that does not answer. What does not parse is in the world's
    /// problems instead.
    pub async fn load(&self) -> Result<Arc<World>, Problem> {
        self.load_all().await.map(Arc::new)
    }

    /// The objects as they are now, if what they are read from has changed since `world` was read; `None`: it has not, or
    /// there is nothing to look at. Files are told by their sizes and times; a remote is fetched, unless nobody may be asked.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn changed(&self, world: &Arc<World>) -> Result<Option<Arc<World>>, Problem> {
        let of_files = self.may_have_other_files(world).await?;
        self.changed_since(world, of_files).await
    }

    /// As [`Self::changed`], but files are not looked at.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn changed_in_cluster(&self, world: &Arc<World>) -> Result<Option<Arc<World>>, Problem> {
        self.changed_since(world, false).await
    }

    async fn changed_since(&self, world: &Arc<World>, of_files: bool) -> Result<Option<Arc<World>>, Problem> {
        let of_cluster = self.cluster_has_news(world).await;
        let lost = || world.live.as_ref().and_then(Live::lost).map_or(Ok(None), |lost| Err(lost.problem));
        if !of_cluster && !of_files {
            return lost();
        }
        let now = self.load_all().await?;
        let is_unread =
            now.live.as_ref().zip(world.live.as_ref()).is_some_and(|(now, then)| now.is_of_same_read(then));
        if is_unread && !of_files {
            return lost();
        }
        // Of a remote it is known only now.
        let has_news = now.problems.iter().any(|problem| !world.problems.contains(problem));
        let is_remote = world.source_url.is_some();
        let is_same = is_remote && !of_cluster && now.inventory == world.inventory && !has_news;
        Ok((!is_same).then(|| Arc::new(now)))
    }

    /// Whether the files may be others than those that were read. Those of a remote have to be fetched to know.
    async fn may_have_other_files(&self, world: &Arc<World>) -> Result<bool, Problem> {
        match (world.root.clone(), world.stamp) {
            (Some(root), Some(stamp)) => blocking(move || Ok(files::stamp(&root)? != stamp)).await,
            _ => Ok(world.source_url.is_some() && self.settings.refresh != Refresh::Never),
        }
    }

    /// A world without objects: what serves a plan that was made elsewhere. Secrets of ours are in it.
    pub fn nowhere(&self) -> World {
        self.world(String::new(), Loaded::default(), Vec::new(), Vec::new(), |_| {})
    }

    /// Files and cluster at once, each as far as it is a source. What the store has to say stays for whoever shows it: it may
    /// have more to say by then, and says it at once.
    async fn load_all(&self) -> Result<World, Problem> {
        let choice = self.settings.source;
        let engine = self.clone();
        let has_files = choice == SourceChoice::Auto && self.has_place().await?;
        let (live, files) = tokio::join!(self.live(has_files), async {
            if choice == SourceChoice::Cluster {
                return Ok(None);
            }
            blocking(move || engine.load_files().map(Some)).await
        });
        let mut world = match (live, files) {
            (Ok(Some(live)), Ok(Some(files))) => join::join(files, live, &self.settings.default_namespace),
            (Ok(Some(live)), Ok(None)) => self.world_of(live),
            // Whoever gave no files gets the cluster alone.
            (Ok(Some(live)), Err(problem)) if self.may_do_without_files(&problem) => self.world_of(live),
            (Ok(None), Ok(Some(files))) => files,
            (Err(problem), Ok(Some(mut files))) if self.may_do_without_cluster() => {
                // Rights do not come by themselves as a server does.
                let comes_back = problem.code != Code::ClusterForbidden;
                // That a pod's account has no role there matters to nobody who did not ask for it.
                if comes_back || problem.subject != IN_CLUSTER {
                    Arc::make_mut(&mut files.inventory).unread.cluster = Some(problem.clone());
                    let problem = without_cluster(problem);
                    files.left_out = comes_back.then(|| problem.clone());
                    files.problems.push(problem);
                }
                files
            }
            // A cluster that is not reached matters more than that there are no files either.
            (Err(problem), Err(missing)) if self.may_do_without_files(&missing) => return Err(problem),
            (Ok(_), Err(problem)) | (Err(problem), _) => return Err(problem),
            (Ok(None), Ok(None)) => return Err(Problem::new(Code::Config, "--source", "there is no source")),
        };
        world.problems.extend(world.inventory.all_problems());
        let inventory = &world.inventory;
        let (repositories, policies) = (inventory.repositories.len(), inventory.policies.len());
        let automations = inventory.automations.len();
        tracing::info!(
            repositories,
            policies,
            automations,
            problems = world.problems.len(),
            "loaded {}",
            world.label
        );
        Ok(world)
    }

    fn may_do_without_files(&self, missing: &Problem) -> bool {
        let (settings, code) = (&self.settings, missing.code);
        settings.source == SourceChoice::Auto && settings.files.is_none() && code == Code::NotFound
    }

    /// A context that is found by chance does not matter to who has files; one that was asked for does.
    pub(super) fn may_do_without_cluster(&self) -> bool {
        let settings = &self.settings;
        let is_asked = settings.context.is_some() || settings.kubeconfig.is_some();
        settings.source == SourceChoice::Auto && (self.is_switched || !is_asked)
    }

    /// A world of the cluster alone.
    fn world_of(&self, live: Live) -> World {
        let inventory = live.read.snapshot.inventory.clone();
        let automations = inventory.automations.values().cloned().collect();
        let loaded = Loaded { inventory, ..Loaded::default() };
        self.world(live.cluster().context.clone(), loaded, automations, Vec::new(), |world| {
            world.live = Some(live);
        })
    }

    fn load_files(&self) -> Result<World, Problem> {
        match self.place()? {
            Place::Folder(root) => self.load_folder(root),
            Place::Remote { url, branch, folder } => self.load_remote(&url, branch.as_deref(), &folder),
        }
    }

    /// The files without the cluster, for what is to be said of them where that was not read; `None` where they are no source.
    ///
    /// # Errors
    /// They cannot be read, or are a source and there are none.
    pub async fn load_files_alone(&self) -> Result<Option<World>, Problem> {
        let is_source = match self.settings.source {
            SourceChoice::Cluster => false,
            SourceChoice::Files | SourceChoice::Both => true,
            SourceChoice::Auto => self.settings.files.is_some() || self.has_place().await?,
        };
        if !is_source {
            return Ok(None);
        }
        let engine = self.clone();
        blocking(move || engine.load_files().map(Some)).await
    }

    /// Whether there is a files source, as far as that is known before it is read.
    async fn has_place(&self) -> Result<bool, Problem> {
        let engine = self.clone();
        blocking(move || Ok(engine.place().is_ok())).await
    }

    fn place(&self) -> Result<Place, Problem> {
        place(&self.settings)
    }

    fn load_folder(&self, root: PathBuf) -> Result<World, Problem> {
        let shown = root.display().to_string();
        let tree = files::read_work_tree(&root).map_err(|error| {
            Problem::new(Code::NotFound, &shown, error.to_string())
                .hint("Give an existing directory, or a Git URL.")
        })?;
        let checkout = git::Checkout::discover(&root).map_err(Problem::from)?;
        let loaded = files::parse(&tree.files, &self.settings.default_namespace);
        // `.` has no name of its own.
        let real = root.canonicalize().ok();
        let name = real.as_deref().and_then(std::path::Path::file_name);
        let label = name.map_or(shown, |name| name.to_string_lossy().into_owned());
        let branch = checkout.as_ref().and_then(git::Checkout::followed_branch).map(str::to_owned);
        // A folder without Git can be planned and written as a patch all the same.
        let followed = Some(followed(branch.as_deref()));
        let automations = automations(&loaded.inventory, followed, &self.settings.default_namespace);
        Ok(self.world(format!("files:{label}"), loaded, automations, tree.problems, |world| {
            world.root = Some(root);
            world.stamp = Some(tree.stamp);
            world.source_branch = branch;
            world.checkout = checkout;
        }))
    }

    fn load_remote(&self, url: &str, branch: Option<&str>, folder: &str) -> Result<World, Problem> {
        let mut problems = Vec::new();
        let cache = BareCache::open(&self.git_root, url).map_err(Problem::from)?;
        // What no object can say yet: the secrets of ours that were made for this address.
        let nowhere = self.nowhere();
        let secrets = Self::git_secrets(&nowhere, None, url, &mut problems);
        let remote = self.remote(url, &secrets, &nowhere.git_config, &mut problems)?;
        let wanted = branch.map(str::to_owned);
        let mut chosen = None;
        let refs = if self.settings.refresh == Refresh::Never {
            let last = cache.last().map(|(refs, _)| refs);
            last.ok_or_else(|| super::grounds::never_fetched(&remote))?
        } else {
            let fetched = self.fetch(&cache, &remote, |refs| {
                let name = match &wanted {
                    Some(branch) => Some(format!("refs/heads/{branch}")),
                    None => refs.head.clone(),
                };
                name.into_iter().collect()
            });
            fetched.map_err(Problem::from)?.refs
        };
        let name = branch.map(|branch| format!("refs/heads/{branch}")).or_else(|| refs.head.clone());
        if let Some(name) = &name {
            chosen = refs.commit(name).map(str::to_owned);
        }
        let commit = chosen.ok_or_else(|| {
            let what =
                branch.map_or_else(|| "no default branch".to_owned(), |branch| format!("no branch {branch}"));
            Problem::new(Code::GitNotFound, remote.shown(), format!("the remote has {what}"))
        })?;
        let is_there = cache.look(&commit, |entry| entry(folder).is_some());
        if !folder.is_empty() && !is_there.map_err(Problem::from)? {
            let what = format!("there is no folder {folder} at {}", super::short(&commit));
            return Err(Problem::new(Code::NotFound, remote.shown(), what)
                .hint("What follows the colon of #BRANCH:DIR is looked for from the repository's root."));
        }
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let read = cache.read_tree(
            &commit,
            |path| path.starts_with(&prefix) && files::is_candidate(path),
            files::is_relevant,
        );
        let read = read.map_err(Problem::from)?;
        let sources: Vec<SourceFile> =
            read.into_iter().map(|file| SourceFile { path: file.path, bytes: file.bytes }).collect();
        let loaded = files::parse(&sources, &self.settings.default_namespace);
        let branch = name.as_deref().and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned);
        let automations = automations(
            &loaded.inventory,
            Some(followed(branch.as_deref())),
            &self.settings.default_namespace,
        );
        Ok(self.world(remote.shown(), loaded, automations, problems, |world| {
            world.source_url = Some(url.to_owned());
            world.source_branch = branch;
        }))
    }

    fn world(
        &self,
        label: String,
        loaded: Loaded,
        automations: Vec<ImageUpdateAutomation>,
        mut problems: Vec<Problem>,
        place: impl FnOnce(&mut World),
    ) -> World {
        let folder = self.secrets_dir.as_deref();
        let own = folder.map(|folder| read_own(folder, &mut problems)).unwrap_or_default();
        let mut world = World {
            label,
            inventory: Arc::new(loaded.inventory),
            automations,
            secrets: Arc::new(loaded.secrets),
            own_secrets: Arc::new(own),
            root: None,
            checkout: None,
            git_config: Arc::default(),
            source_url: None,
            source_branch: None,
            live: None,
            left_out: None,
            drifts: Arc::default(),
            stamp: None,
            problems,
        };
        place(&mut world);
        world.git_config = Arc::new(git::GitConfig::read(world.root.as_deref()));
        world
    }
}

/// The automations of the objects, or the implied one where there are policies, files and no automation. `branch` is what the
/// files are of; `None`: none may be implied.
pub(super) fn automations(
    inventory: &Inventory,
    branch: Option<&str>,
    namespace: &str,
) -> Vec<ImageUpdateAutomation> {
    let mut known: Vec<ImageUpdateAutomation> = inventory.automations.values().cloned().collect();
    let is_implied = inventory.has_no_automation() && !inventory.has_no_policy();
    let implied = branch.filter(|_| is_implied);
    known.extend(implied.map(|branch| inventory::implied_automation(namespace, branch)));
    known
}

/// The branch that an implied automation follows where a checkout or a remote is on `branch`, or on none.
pub(super) fn followed(branch: Option<&str>) -> &str {
    branch.unwrap_or("master")
}

/// What is said where files go on without the cluster.
fn without_cluster(problem: Problem) -> Problem {
    let message = format!("using files alone: {}", problem.message);
    let hint = problem.hint.clone().unwrap_or_else(|| "Use --source files to say so yourself.".to_owned());
    Problem { message, code: Code::Skipped, ..problem }.hint(hint)
}

/// The folder that a files source is, for who writes into it.
///
/// # Errors
/// It is a remote.
pub fn folder_of(source: &str) -> Result<PathBuf, Problem> {
    match place_of(source) {
        Place::Folder(folder) => Ok(folder),
        Place::Remote { url, .. } => {
            let message = "is a remote; objects are written into a directory";
            Err(Problem::new(Code::Usage, git::redact(&url), message)
                .hint("Clone it, and give the directory with -C."))
        }
    }
}

/// The files source that the settings mean.
///
/// # Errors
/// None is named, and here is none.
pub(super) fn place(settings: &Settings) -> Result<Place, Problem> {
    match settings.files.as_deref() {
        Some(text) => Ok(place_of(text)),
        None => here(),
    }
}

/// What a files source means where the operator's git rewrites addresses.
fn place_of(text: &str) -> Place {
    let config = git::GitConfig::read(None);
    parse_place(text, |address| config.instead_of(address))
}

/// A path or a URL, optionally with `#BRANCH[:DIR]`; `rewrite` makes of an address the one that git would use.
fn parse_place(text: &str, rewrite: impl Fn(&str) -> String) -> Place {
    let (address, fragment) = match text.split_once('#') {
        Some((address, fragment)) if is_url(&rewrite(address)) => (address, Some(fragment)),
        _ => (text, None),
    };
    let url = rewrite(address);
    if !is_url(&url) {
        return Place::Folder(PathBuf::from(text));
    }
    let (branch, folder) = match fragment {
        Some(fragment) => fragment.split_once(':').map_or((fragment, ""), |pair| pair),
        None => ("", ""),
    };
    Place::Remote {
        url,
        branch: (!branch.is_empty()).then(|| short_name(branch).to_owned()),
        folder: folder.trim_matches('/').to_owned(),
    }
}

/// Whether this is an address and not a path: it has a scheme, or is `USER@HOST:PATH`.
fn is_url(text: &str) -> bool {
    if text.contains("://") {
        return true;
    }
    let before = text.split_once(':').map_or("", |(before, _)| before);
    before.contains('@') && !before.contains('/')
}

/// The current directory, if it is in a work tree or holds Flux objects.
fn here() -> Result<Place, Problem> {
    let here = std::env::current_dir().map_err(|error| {
        Problem::new(Code::NotFound, ".", "the current directory cannot be read").caused_by(&error)
    })?;
    if git::Checkout::discover(&here).map_err(Problem::from)?.is_some()
        || super::walk::may_hold_objects(&here)
    {
        return Ok(Place::Folder(here));
    }
    Err(Problem::new(
        Code::NotFound,
        here.display().to_string(),
        "neither a Git work tree nor a folder with Flux objects",
    )
    .hint("Go to your GitOps repository, give a PATH or URL, or try `supercargo demo`."))
}

/// A folder of this process alone, for a machine on which no cache can be kept.
pub(super) fn private_folder() -> Result<tempfile::TempDir, Problem> {
    let folder = tempfile::Builder::new().prefix("supercargo-").tempdir();
    folder.map_err(|error| {
        Problem::new(Code::Storage, "cache", "no folder for a Git cache can be made").caused_by(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(url: &str, branch: Option<&str>, folder: &str) -> Place {
        Place::Remote { url: url.to_owned(), branch: branch.map(str::to_owned), folder: folder.to_owned() }
    }

    #[test]
    fn a_source_is_a_path_or_an_address_that_git_would_rewrite() {
        let place = |text: &str| {
            parse_place(text, |address| match address.strip_prefix("work:") {
                Some(path) => format!("https://git.example.com/{path}"),
                None => address.to_owned(),
            })
        };
        assert_eq!(place("clusters/prod#1"), Place::Folder("clusters/prod#1".into()));
        assert_eq!(place("git@h:ops/fleet.git"), remote("git@h:ops/fleet.git", None, ""));
        assert_eq!(
            place("work:ops/fleet#main:/clusters/"),
            remote("https://git.example.com/ops/fleet", Some("main"), "clusters")
        );
    }
}
