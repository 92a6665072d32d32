//! Scanning: which repositories are due, asking the registry, and keeping what it said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::forecast::Forecast;
use super::{Engine, Note, Scans, World};
use crate::config::{Refresh, Settings};
use crate::domain::object::{DigestPolicy, ImageRepository, ObjectId};
use crate::domain::parallel::on_all_cores;
use crate::domain::reference::{ImageError, ImageName};
use crate::domain::scan::{Budget, Scan, Transfer};
use crate::domain::tags::TagList;
use crate::domain::watch;
use crate::problem::{Code, Problem};
use crate::registry::{self, Client, ClientOptions, Endpoint, Keyring, ListRequest};
use crate::store::{CachedTags, Ledger};

/// How far one scan has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanProgress {
    /// The repository.
    pub repository: ObjectId,
    /// Tags so far.
    pub tags: usize,
    /// If the client waits before it asks again: how long.
    pub waiting: Option<Duration>,
}

/// How much of `--timeout` a pass leaves to keeping what it found and what failed: a twentieth, and no more than this.
const REST: Duration = Duration::from_secs(1);

/// Scans that are made together.
#[derive(Clone, Copy)]
pub(super) struct Pass {
    /// When they began; what is new was first seen then.
    began: Timestamp,
    /// When the last of them ends, done or not.
    until: Instant,
}

impl Pass {
    pub(super) fn new(began: Timestamp, limit: Duration) -> Self {
        Self { began, until: Instant::now() + limit.saturating_sub(REST.min(limit / 20)) }
    }
}

/// What became of scanning one repository.
pub type ScanOutcome = (ObjectId, Result<Scan, Problem>);

/// The client that the settings describe.
pub(super) fn client(settings: &Settings) -> Result<Client, Problem> {
    let mut options = ClientOptions {
        total: settings.scan_concurrency,
        per_host: settings.scan_concurrency.min(4),
        max_reply: usize::try_from(settings.max_reply_bytes).unwrap_or(usize::MAX),
        ..ClientOptions::default()
    };
    for path in &settings.ca_files {
        options.ca.push(read_ca(path)?);
    }
    for (host, config) in &settings.registries {
        let url = config.endpoint.as_deref().map(|text| {
            text.parse().map_err(|error: url::ParseError| {
                Problem::new(
                    Code::Config,
                    format!("registries.{host}.endpoint"),
                    format!("{text:?} is no address"),
                )
                .caused_by(&error)
            })
        });
        let ca = config.ca.as_deref().map(read_ca).transpose()?;
        options.endpoints.insert(host.clone(), Endpoint { url: url.transpose()?, ca });
    }
    Client::new(options).map_err(|error| error.problem("registry client"))
}

pub(super) fn read_ca(path: &std::path::Path) -> Result<Vec<u8>, Problem> {
    let wrong = |text: &str| Problem::new(Code::Config, path.display().to_string(), text);
    let pem = std::fs::read(path).map_err(|error| wrong("the CA file cannot be read").caused_by(&error))?;
    if registry::holds_certificate(&pem) {
        Ok(pem)
    } else {
        Err(wrong("the CA file holds no certificate in PEM"))
    }
}

impl Engine {
    /// What earlier scans found, from the cache on disk.
    pub fn cached(&self, world: &World) -> Scans {
        self.cached_of_those(world, |_| true)
    }

    fn cached_of_those(&self, world: &World, are_wanted: impl Fn(&&ImageRepository) -> bool) -> Scans {
        let repositories: Vec<&ImageRepository> =
            world.inventory.repositories.values().filter(are_wanted).collect();
        let known = on_all_cores(&repositories, |repository| self.cached_of(repository));
        known.into_iter().flatten().collect()
    }

    /// What the last scan of a repository found.
    pub(super) fn cached_of(&self, repository: &ImageRepository) -> Option<(ObjectId, Scan)> {
        let name = image_name(repository).ok()?;
        let cached = self.store.tags().read(&name.canonical())?;
        Some((repository.meta.id.clone(), scan_of(cached, None)))
    }

    /// Which repositories to scan before answering, by the settings' `--refresh`.
    pub fn to_scan(&self, world: &World, scans: &Scans, refresh: Refresh) -> Vec<ObjectId> {
        match refresh {
            Refresh::Never => Vec::new(),
            Refresh::Always => {
                let active = world.inventory.repositories.values().filter(|repository| !repository.suspend);
                active.map(|repository| repository.meta.id.clone()).collect()
            }
            Refresh::Auto => {
                let now = Timestamp::now();
                let is_due = |(id, repository): &(&ObjectId, &ImageRepository)| {
                    watch::due(repository, scans.get(id), now).is_some_and(|after| after.is_zero())
                };
                world.inventory.repositories.iter().filter(is_due).map(|(id, _)| id.clone()).collect()
            }
        }
    }

    /// Lists the tags of one repository now, and keeps them; what is new was first seen at `began`, the beginning of the
    /// pass, so that what one pass finds is of one age.
    ///
    /// # Errors
    /// An image name that makes no sense, or what the registry client says; what was known before is kept.
    pub async fn scan(
        &self,
        world: &World,
        id: &ObjectId,
        began: Timestamp,
        progress: impl Fn(ScanProgress) + Send + Sync,
    ) -> Result<Scan, Problem> {
        let pass = Pass::new(began, self.settings.timeout.0);
        let scanned = self.scan_in(pass, &self.plain_keyring().0, world, id, progress).await;
        self.keep_failures(world, std::iter::once((id, scanned.as_ref().err()))).await;
        self.settle_ledgers().await;
        scanned
    }

    /// Ends a pass: what it saw first is known after a crash, too.
    pub async fn settle_ledgers(&self) {
        let store = Arc::clone(&self.store);
        // A worker that ends early leaves that to the system.
        let _ = tokio::task::spawn_blocking(move || store.first_seen().settle()).await;
    }

    /// As [`Self::scan`], as a part of `pass`, with what serves for every repository read already.
    async fn scan_in(
        &self,
        pass: Pass,
        plain: &Keyring,
        world: &World,
        id: &ObjectId,
        progress: impl Fn(ScanProgress) + Send + Sync,
    ) -> Result<Scan, Problem> {
        let unknown = || Problem::new(Code::NotFound, id.to_string(), "there is no such ImageRepository");
        let repository = world.inventory.repositories.get(id).ok_or_else(unknown)?;
        let (keyring, _) = Self::keyring_with(plain.clone(), world, repository);
        let scanned =
            timeout_at(pass.until, self.scan_repository(repository, &keyring, pass, progress)).await;
        scanned.unwrap_or_else(|_elapsed| Err(self.too_late(id)))
    }

    /// Time was up before a repository had its turn, or before its registry had said anything of use.
    fn too_late(&self, id: &ObjectId) -> Problem {
        let message = format!("not scanned within {}", self.settings.timeout);
        Problem::new(Code::Timeout, id.to_string(), message).hint("Give it longer with --timeout.")
    }

    /// As [`Self::scan`], for a repository that need not be one of the world's.
    pub(super) async fn scan_repository(
        &self,
        repository: &ImageRepository,
        keyring: &Keyring,
        pass: Pass,
        progress: impl Fn(ScanProgress) + Send + Sync,
    ) -> Result<Scan, Problem> {
        let id = &repository.meta.id;
        let name = image_name(repository).map_err(|error| error.problem(id.to_string()))?;
        // What a registry did not do in time is told in the client's words, where it had the time.
        let timeout = self.scan_timeout(repository).min(pass.until.saturating_duration_since(Instant::now()));
        let report = |tags, waiting| progress(ScanProgress { repository: id.clone(), tags, waiting });
        let listed = self.list(&name, keyring, timeout, pass.began, report).await;
        listed.map_err(|error| error.problem(id.to_string()))
    }

    /// The bound of one conversation about a repository: its own, and never more than `--timeout`.
    pub(super) fn scan_timeout(&self, repository: &ImageRepository) -> Duration {
        repository.scan_timeout().min(self.settings.timeout.0)
    }

    /// Lists the tags of any image repository, without an object; `progress` hears how many there are so far, and how
    /// long the client waits if it has to.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub async fn scan_image(
        &self,
        image: &str,
        progress: impl Fn(usize, Option<Duration>) + Send + Sync,
    ) -> Result<Scan, Problem> {
        let name = ImageName::parse(image, false).map_err(|error| error.problem(image))?;
        if self.settings.refresh == Refresh::Never {
            let cached = self.store.tags().read(&name.canonical());
            return cached.map(|cached| scan_of(cached, None)).ok_or_else(|| not_cached(image));
        }
        let (keyring, _) = self.plain_keyring();
        let listed = self.list(&name, &keyring, self.settings.timeout.0, super::now(), progress).await;
        self.settle_ledgers().await;
        self.keep_budgets(std::iter::once(name)).await;
        let listed = listed.map_err(|error| error.problem(image));
        self.note_later(vec![Note::scan(image.to_owned(), listed.as_ref())]).await;
        listed
    }

    async fn list(
        &self,
        name: &ImageName,
        keyring: &Keyring,
        timeout: Duration,
        began: Timestamp,
        progress: impl Fn(usize, Option<Duration>) + Send + Sync,
    ) -> Result<Scan, registry::RegistryError> {
        let request = ListRequest { image: name, timeout, keyring };
        let listing = self.registry.list_tags(&request, |at| progress(at.tags, at.waiting)).await?;
        let transfer = Transfer {
            pages: listing.pages as usize,
            requests: listing.requests as usize,
            bytes: listing.bytes,
            wall: listing.wall,
            credential: listing.credential,
            budget: listing.budget,
        };
        let (tags, credential) = (listing.tags.len(), &transfer.credential);
        tracing::info!(
            tags,
            requests = transfer.requests,
            bytes = transfer.bytes,
            credential,
            "scanned {}",
            name.canonical()
        );
        Ok(self.keep(name.canonical(), listing.tags, began, transfer).await)
    }

    /// Puts a list into the cache and the ledger, beside the event loop.
    async fn keep(&self, canonical: String, tags: TagList, began: Timestamp, transfer: Transfer) -> Scan {
        let now = super::now();
        let store = Arc::clone(&self.store);
        let fallback = tags.clone();
        let kept = tokio::task::spawn_blocking(move || store.keep(&canonical, tags, began, now));
        // A worker that ends early leaves the list unkept, and it is no less true for that.
        let kept = kept.await.unwrap_or_else(|_| CachedTags {
            scanned: now,
            tags: fallback,
            new: TagList::default(),
        });
        scan_of(kept, Some(transfer))
    }

    /// Scans several repositories at once; the answer follows the order of `ids`.
    pub async fn scan_all(
        &self,
        world: &World,
        ids: &[ObjectId],
        progress: impl Fn(ScanProgress) + Send + Sync,
    ) -> Vec<ScanOutcome> {
        let pass = Pass::new(super::now(), self.settings.timeout.0);
        let (progress, plain) = (&progress, &self.plain_keyring().0);
        let each = ids
            .iter()
            .map(|id| async move { (id.clone(), self.scan_in(pass, plain, world, id, progress).await) });
        // The client has limits of its own; this one only bounds the futures.
        let outcomes: Vec<ScanOutcome> = futures::stream::iter(each).buffered(64).collect().await;
        self.settle_ledgers().await;
        self.keep_failures(world, outcomes.iter().map(|(id, ended)| (id, ended.as_ref().err()))).await;
        self.note_scans(&outcomes).await;
        let repositories = ids.iter().filter_map(|id| world.inventory.repositories.get(id));
        self.keep_budgets(repositories.filter_map(|repository| image_name(repository).ok())).await;
        outcomes
    }

    /// Writes down what became of scans, if there were any.
    async fn note_scans(&self, outcomes: &[ScanOutcome]) {
        let notes = outcomes.iter().map(|(id, scanned)| Note::scan(id.to_string(), scanned.as_ref()));
        self.note_later(notes.collect()).await;
    }

    /// As [`Self::note`], beside the event loop.
    pub(super) async fn note_later(&self, notes: Vec<Note>) {
        let engine = self.clone();
        // What a worker that ended early did not write is no more than a line that is missing.
        let _ = tokio::task::spawn_blocking(move || engine.note(&notes)).await;
    }

    /// What the registry of `image` last said it will answer, to this process or to an earlier one.
    pub(super) fn budget(&self, image: &ImageName) -> Option<Budget> {
        let told = self.registry.budget(image);
        told.or_else(|| self.store.budgets().read(&image.registry, super::now()))
    }

    /// Keeps for the next process what the registries of `images` said they will still answer.
    async fn keep_budgets(&self, images: impl Iterator<Item = ImageName>) {
        let told = |image: ImageName| Some((image.registry.clone(), self.registry.budget(&image)?));
        let told: BTreeMap<String, Budget> = images.filter_map(told).collect();
        let store = Arc::clone(&self.store);
        let kept = tokio::task::spawn_blocking(move || {
            for (host, budget) in told {
                store.budgets().note(&host, budget, super::now());
            }
        });
        // Nobody is worse off without.
        let _ = kept.await;
    }

    /// The scans to answer from: what is cached, with what is due scanned first.
    ///
    /// Returns them and a problem for each repository that could not be scanned; its older tags stay. `before` hears what
    /// the scan will take.
    pub async fn fresh_scans(
        &self,
        world: &World,
        refresh: Refresh,
        before: impl FnOnce(&Forecast),
        progress: impl Fn(ScanProgress) + Send + Sync,
    ) -> (Scans, BTreeMap<ObjectId, Problem>) {
        // What is scanned whatever is cached need not be read before.
        let is_answer = |repository: &&ImageRepository| refresh != Refresh::Always || repository.suspend;
        let mut scans = self.cached_of_those(world, is_answer);
        let ids = self.to_scan(world, &scans, refresh);
        before(&self.forecast(world, &ids, &scans));
        // Not both lists of a fleet at once; where a scan fails, the older one is read again.
        for id in &ids {
            scans.remove(id);
        }
        let mut problems = BTreeMap::new();
        for (id, outcome) in self.scan_all(world, &ids, progress).await {
            match outcome {
                Ok(scan) => drop(scans.insert(id, scan)),
                Err(problem) => {
                    let repository = world.inventory.repositories.get(&id);
                    scans.extend(repository.and_then(|repository| self.cached_of(repository)));
                    problems.insert(id, problem);
                }
            }
        }
        for (id, problem) in stopped(world) {
            problems.entry(id).or_insert(problem);
        }
        (scans, problems)
    }

    /// When each tag of a repository was first seen; `None` if its image name makes no sense.
    pub fn ledger(&self, world: &World, id: &ObjectId) -> Option<Ledger> {
        let repository = world.inventory.repositories.get(id)?;
        let name = image_name(repository).ok()?;
        Some(self.store.first_seen().read(&name.canonical()))
    }

    /// Checks that all of `ids` are at one registry host, if a credential without a host was given: it is for one.
    ///
    /// # Errors
    /// [`Code::Usage`] naming the hosts.
    pub fn one_registry<'a>(
        &self,
        world: &World,
        ids: impl IntoIterator<Item = &'a ObjectId>,
    ) -> Result<(), Problem> {
        let repositories = ids.into_iter().filter_map(|id| world.inventory.repositories.get(id));
        self.one_host(repositories.filter_map(|repository| image_name(repository).ok()))
    }

    /// As [`Self::one_registry`], for what a pass over everything asks registries for: tags that are due, and digests.
    ///
    /// # Errors
    /// As there.
    pub fn one_registry_in_a_pass(&self, world: &World, refresh: Refresh) -> Result<(), Problem> {
        if !self.has_roaming_credential() || refresh == Refresh::Never {
            return Ok(());
        }
        let policies = world.inventory.policies.values();
        let reflected = policies.filter(|policy| policy.digest_policy != DigestPolicy::Never);
        let due = self.to_scan(world, &self.cached(world), refresh);
        self.one_registry(world, due.iter().chain(reflected.map(|policy| &policy.repository)))
    }

    /// Whether there is a credential for whatever host is asked.
    fn has_roaming_credential(&self) -> bool {
        self.settings.registry_credential.as_ref().is_some_and(|given| given.host.is_none())
    }

    /// As [`Self::one_registry`], for images.
    pub(super) fn one_host(&self, images: impl Iterator<Item = ImageName>) -> Result<(), Problem> {
        if !self.has_roaming_credential() {
            return Ok(());
        }
        super::credentials::for_one_host("--registry-username", images.map(|name| name.registry)).map_err(
            |problem| problem.hint("Name the host it is for in SUPERCARGO_REGISTRY_HOST, or `docker login`."),
        )
    }

    /// What the store and the files of logins have to say to whoever asks for images without an object; of the store, once.
    pub fn image_problems(&self) -> Vec<Problem> {
        let mut all = self.store.take_warnings();
        all.extend(self.plain_keyring().1);
        all
    }

    /// What is wrong with the credentials of the world's repositories, without asking anybody.
    pub fn credential_problems(&self, world: &World) -> Vec<Problem> {
        let mut seen = BTreeSet::new();
        let repositories = world.inventory.repositories.values();
        if repositories.len() == 0 {
            return Vec::new();
        }
        let (plain, of_all) = self.plain_keyring();
        let own = repositories.flat_map(|repository| Self::keyring_with(plain.clone(), world, repository).1);
        of_all.into_iter().chain(own).filter(|problem| seen.insert(problem.to_string())).collect()
    }
}

/// The repositories of which controllers would say, due or not, that what they name to log in with is missing or broken.
fn stopped(world: &World) -> impl Iterator<Item = (ObjectId, Problem)> {
    let active = world.inventory.repositories.iter().filter(|(_, repository)| !repository.suspend);
    active.filter_map(|(id, repository)| {
        let (keyring, _) = Engine::keyring_with(Keyring::new(), world, repository);
        let obstacle = keyring.obstacle().filter(|obstacle| obstacle.code() == Code::Authentication)?;
        Some((id.clone(), obstacle.problem(id.to_string())))
    })
}

/// What is answered where nobody may be asked and nothing is kept, or no more.
pub fn not_cached(subject: &str) -> Problem {
    Problem::new(Code::Unreachable, subject, "would have to be scanned, and --refresh never forbids it")
        .hint("Leave --refresh never out once.")
}

pub(super) fn image_name(repository: &ImageRepository) -> Result<ImageName, ImageError> {
    ImageName::parse(&repository.image, repository.insecure)
}

fn scan_of(cached: CachedTags, transfer: Option<Transfer>) -> Scan {
    Scan { tags: Arc::new(cached.tags), scanned: cached.scanned, new: Arc::new(cached.new), transfer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_without_a_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "none").unwrap();
        let problem = read_ca(&file).unwrap_err();
        let told = (problem.code, problem.subject, problem.message.as_str());
        assert_eq!(
            told,
            (Code::Config, file.display().to_string(), "the CA file holds no certificate in PEM")
        );
    }
}
