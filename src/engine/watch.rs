//! Watching registries, files and the cluster: each repository is scanned at its interval, objects are read again when their
//! files or the cluster change, and what changed is told.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{Mutex, OnceCell, Semaphore};
use tokio::time::Instant;

use super::revisit::{InFiles, Revisited};
use super::scan::{Pass, image_name};
use super::{Engine, Live, Note, World, blocking};
use crate::domain::object::{DigestPolicy, ImagePolicy, ImageRepository, ObjectId};
use crate::domain::scan::Scan;
use crate::domain::tags::TagList;
use crate::domain::watch::{self, Change, TagChange};
use crate::problem::{Code, Problem};
use crate::text::count;

/// Repositories that are scanned at once; the registry client has limits of its own for each host.
const AT_ONCE: usize = 64;

/// How long until a folder is looked at again, and until a remote is asked whether its files have changed.
const LOOK: Duration = Duration::from_secs(5);
/// How long what a cluster says of changes is gathered, until it is read again.
const GATHER: Duration = Duration::from_secs(1);
const FETCH: Duration = Duration::from_mins(1);

/// When a repository is looked at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// At once.
    Now,
    /// When its interval has passed since it was last scanned.
    WhenDue,
}

/// What came of watching.
#[derive(Debug, Clone)]
pub enum Seen {
    /// What a look at this repository found changed since the look before; most often nothing.
    Changes(ObjectId, Vec<TagChange>),
    /// Why this repository could not be scanned; said once, until it can.
    Failed(ObjectId, Problem),
    /// Why not every tag of this repository whose digest is known was asked about; said once.
    Incomplete(ObjectId, Problem),
    /// The objects are others from now on.
    Objects(Arc<World>),
    /// Why it cannot be told whether the objects have changed; said once, until it can.
    Unread(Problem),
}

/// What is known of a repository between two looks.
#[derive(Default)]
struct Known {
    /// The tags that are not excluded; `None`: it was never scanned.
    tags: Option<TagList>,
    digests: BTreeMap<String, String>,
    failed: Option<Problem>,
    /// What was said of digests that were not asked for.
    incomplete: Option<Code>,
}

/// A repository that is being watched.
struct Watched {
    repository: ImageRepository,
    /// `None`: it was not looked at yet.
    known: Option<Known>,
    next: Instant,
}

/// What a look found.
struct Looked {
    /// The tags that are not excluded.
    tags: TagList,
    /// The digests known of tags.
    digests: BTreeMap<String, String>,
    /// Why some were not asked for.
    incomplete: Option<Problem>,
}

impl Watched {
    /// Takes what a look found as known: what is to be heard of it, and noted.
    fn learn(&mut self, looked: Result<Looked, Problem>) -> (Vec<Seen>, Option<Note>) {
        let pause = match &looked {
            Ok(_) => watch::pause(&self.repository),
            Err(problem) => watch::pause_after_failure(&self.repository, problem),
        };
        self.next = Instant::now() + pause;
        let (known, id) = (self.known.get_or_insert_default(), self.repository.meta.id.clone());
        match looked {
            Ok(Looked { tags, digests, incomplete }) => {
                let changes = compare(&self.repository, known, &tags, &digests);
                let said = incomplete.as_ref().map(|problem| problem.code);
                let news = incomplete.filter(|problem| known.incomplete != Some(problem.code));
                *known = Known { tags: Some(tags), digests, failed: None, incomplete: said };
                let detail = count(changes.len(), "change");
                let note = (!changes.is_empty()).then(|| Note::ok("scan", id.to_string(), detail));
                let incomplete = news.map(|problem| Seen::Incomplete(id.clone(), problem));
                (std::iter::once(Seen::Changes(id, changes)).chain(incomplete).collect(), note)
            }
            Err(problem) if known.failed.as_ref().is_some_and(|said| said.is_repeated_by(&problem)) => {
                (Vec::new(), None)
            }
            Err(problem) => {
                known.failed = Some(problem.clone());
                let note = Note::scan(id.to_string(), Err(&problem));
                (vec![Seen::Failed(id, problem)], Some(note))
            }
        }
    }
}

/// What the watchers of one world share.
struct Shared {
    turns: Semaphore,
    in_files: OnceCell<InFiles>,
}

/// All that are, or were a moment ago; each has one watcher at a time.
type All = BTreeMap<ObjectId, Arc<Mutex<Watched>>>;

impl Engine {
    /// Scans each of the repositories that `chosen` takes of the world now and then at its interval, and tells `hear` what
    /// changed: at the first look against what is cached, if anything is. Suspended ones are left out. When the files that
    /// the world came from change, the objects are read again.
    ///
    /// Goes on until `hear` breaks.
    pub async fn watch(
        &self,
        mut world: Arc<World>,
        first: First,
        chosen: impl Fn(&World) -> Vec<ImageRepository>,
        hear: impl Fn(Seen) -> ControlFlow<()>,
    ) {
        let mut all = All::new();
        loop {
            all = successors(all, chosen(&world));
            tokio::select! {
                // The first that ends has nobody who hears it any more, and neither have the others.
                () = self.watch_all(&world, (&all, first), &hear) => return,
                next = self.next_world(&world, &hear) => match next {
                    Some(next) => world = self.admitted(&world, next, &chosen, &hear),
                    None => return,
                }
            }
            if hear(Seen::Objects(Arc::clone(&world))).is_break() {
                return;
            }
        }
    }

    /// The next world, unless a login that is for one registry would be shown to another one there: then as it was, until
    /// its files change again.
    fn admitted(
        &self,
        world: &World,
        next: Arc<World>,
        chosen: &impl Fn(&World) -> Vec<ImageRepository>,
        hear: &impl Fn(Seen) -> ControlFlow<()>,
    ) -> Arc<World> {
        let repositories = chosen(&next);
        let ids = repositories.iter().map(|repository| &repository.meta.id);
        let Err(problem) = self.one_registry(&next, ids) else { return next };
        // Whoever does not hear that will not hear of the objects either.
        let _ = hear(Seen::Unread(problem));
        Arc::new(World { stamp: next.stamp, ..world.clone() })
    }

    /// Waits for the objects to change; `None`: nobody listens any more.
    async fn next_world(
        &self,
        world: &Arc<World>,
        hear: &impl Fn(Seen) -> ControlFlow<()>,
    ) -> Option<Arc<World>> {
        let pause = if world.root.is_some() { LOOK } else { FETCH };
        let tick = if world.live.is_some() { GATHER } else { pause };
        let mut looked = Instant::now();
        let mut said = None;
        loop {
            tokio::time::sleep(tick).await;
            // A cluster tells by itself; files have to be looked at.
            let has_news = world.live.as_ref().is_some_and(Live::has_news);
            let is_due = looked.elapsed() >= pause;
            if !has_news && said.is_none() && !is_due {
                continue;
            }
            let found = if has_news && !is_due {
                self.changed_in_cluster(world).await
            } else {
                looked = Instant::now();
                self.changed(world).await
            };
            match found {
                Ok(Some(next)) => return Some(next),
                Ok(None) => said = None,
                Err(problem) if said.as_ref() == Some(&problem) => {}
                Err(problem) => {
                    said = Some(problem.clone());
                    if hear(Seen::Unread(problem)).is_break() {
                        return None;
                    }
                }
            }
        }
    }

    async fn watch_all(
        &self,
        world: &Arc<World>,
        (all, first): (&All, First),
        hear: &impl Fn(Seen) -> ControlFlow<()>,
    ) {
        let shared = Shared { turns: Semaphore::new(AT_ONCE), in_files: OnceCell::new() };
        let mut watched: FuturesUnordered<_> =
            all.values().map(|one| self.watch_one(world, (one, first), &shared, hear)).collect();
        if watched.next().await.is_none() {
            // There is no repository; one may come.
            std::future::pending::<()>().await;
        }
    }

    async fn watch_one(
        &self,
        world: &Arc<World>,
        (watched, first): (&Mutex<Watched>, First),
        shared: &Shared,
        hear: &impl Fn(Seen) -> ControlFlow<()>,
    ) {
        let mut watched = watched.lock().await;
        loop {
            if watched.known.is_none() {
                let (known, due) = self.known_before(&watched.repository).await;
                watched.known = Some(known);
                watched.next += if first == First::Now { Duration::ZERO } else { due };
            }
            tokio::time::sleep_until(watched.next).await;
            let turn = shared.turns.acquire().await;
            let looked = self.look(world, &watched.repository, &shared.in_files).await;
            // From here to what is heard nothing waits: objects that change meanwhile end this watcher at its next wait, and
            // what is known by then was told.
            let (seen, note) = watched.learn(looked);
            drop(turn);
            let is_over = seen.into_iter().any(|seen| hear(seen).is_break());
            if let Some(note) = note {
                self.note_later(vec![note]).await;
            }
            if is_over {
                return;
            }
        }
    }

    /// What earlier runs left, and how long it serves.
    async fn known_before(&self, repository: &ImageRepository) -> (Known, Duration) {
        let (engine, it) = (self.clone(), repository.clone());
        let read = blocking(move || {
            let store = &engine.store;
            let Ok(name) = image_name(&it) else { return Ok(Default::default()) };
            let cached = store.tags().read(&name.canonical());
            let tags = cached.as_ref().and_then(|cached| engine.known_tags(&it, &cached.tags).ok());
            let scan = cached.map(|cached| Scan {
                tags: Arc::new(cached.tags),
                scanned: cached.scanned,
                new: Arc::default(),
                transfer: None,
            });
            let due = watch::due(&it, scan.as_ref(), super::now()).unwrap_or_default();
            let ledger = store.first_seen().read(&name.canonical());
            let digests = owned(ledger.current_digests());
            Ok((Known { tags, digests, ..Known::default() }, due))
        });
        // Without it the first look finds nothing new.
        read.await.unwrap_or_default()
    }

    /// Scans a repository, has its policies ask for the digests that are due, and asks whether known tags have moved.
    async fn look(
        &self,
        world: &Arc<World>,
        repository: &ImageRepository,
        in_files: &OnceCell<InFiles>,
    ) -> Result<Looked, Problem> {
        let (keyring, _) = self.keyring(world, repository);
        let began = super::now();
        let pass = Pass::new(began, self.settings.timeout.0);
        let scanned = self.scan_repository(repository, &keyring, pass, |_| {}).await;
        self.keep_failures(world, std::iter::once((&repository.meta.id, scanned.as_ref().err()))).await;
        let scan = scanned?;
        let passed = self.pass(world, repository, &scan).await;
        let in_files = in_files.get_or_init(|| self.in_files(world)).await.get(&repository.meta.id);
        let Revisited { incomplete, .. } = self.revisit(world, repository, (&scan, began), in_files).await;
        self.settle_ledgers().await;
        passed?;
        let (engine, it) = (self.clone(), repository.clone());
        let name = image_name(repository).map_err(|error| error.problem(repository.meta.id.to_string()))?;
        blocking(move || {
            let ledger = engine.store.first_seen().read(&name.canonical());
            let tags = engine.known_tags(&it, &scan.tags)?;
            Ok(Looked { tags, digests: owned(ledger.current_digests()), incomplete })
        })
        .await
    }

    /// The tags that the repository does not exclude.
    fn known_tags(&self, repository: &ImageRepository, tags: &TagList) -> Result<TagList, Problem> {
        let kept = self.without_excluded(repository, tags).map_err(|text| {
            let text = format!("scan failed: {text}");
            Problem::new(Code::PolicyInvalid, repository.meta.id.to_string(), text)
        });
        Ok(kept?.into_iter().collect())
    }

    /// Asks for the digests of the policies that reflect them, as far as they are due.
    async fn pass(
        &self,
        world: &Arc<World>,
        repository: &ImageRepository,
        scan: &Scan,
    ) -> Result<(), Problem> {
        let is_meant = |policy: &&ImagePolicy| {
            policy.repository == repository.meta.id && policy.digest_policy != DigestPolicy::Never
        };
        let policies: Vec<ImagePolicy> =
            world.inventory.policies.values().filter(is_meant).cloned().collect();
        if policies.is_empty() {
            return Ok(());
        }
        let passes = self.passes(world, self.settings.refresh).await?;
        for policy in policies {
            let (engine, of, scan, id) =
                (self.clone(), Arc::clone(world), scan.clone(), policy.meta.id.clone());
            let evaluated =
                blocking(move || Ok(engine.evaluate(&of.inventory, &policy, Some(&scan)))).await?;
            // What is selected does not matter here; the digest goes into the ledger.
            drop(passes.complete(&id, evaluated).await);
        }
        passes.keep().await
    }
}

/// Who is to be watched from now on. Whoever was, and is what it was, is known, and not looked at before its time.
fn successors(mut before: All, repositories: Vec<ImageRepository>) -> All {
    let active = repositories.into_iter().filter(|repository| !repository.suspend);
    let next = active.map(|repository| {
        let id = repository.meta.id.clone();
        let same = before
            .remove(&id)
            .filter(|known| known.try_lock().is_ok_and(|known| is_same(&known.repository, &repository)));
        let new = || Watched { repository, known: None, next: Instant::now() };
        (id, same.unwrap_or_else(|| Arc::new(Mutex::new(new()))))
    });
    next.collect()
}

/// Whether two describe the same scans, wherever they are written.
fn is_same(a: &ImageRepository, b: &ImageRepository) -> bool {
    let placed = ImageRepository { meta: b.meta.clone(), ..a.clone() };
    placed == *b
}

/// What changed against what was known.
fn compare(
    repository: &ImageRepository,
    known: &Known,
    tags: &TagList,
    digests: &BTreeMap<String, String>,
) -> Vec<TagChange> {
    let Some(before) = &known.tags else { return Vec::new() };
    let mut changed = watch::changes(before, tags);
    let moved = digests.iter().filter(|(tag, digest)| {
        tags.position(tag).is_some() && known.digests.get(*tag).is_some_and(|before| before != *digest)
    });
    changed.extend(moved.map(|(tag, _)| (Change::DigestMoved, tag.clone())));
    let of = |(change, tag): (Change, String)| TagChange {
        time: super::now(),
        repository: repository.meta.id.clone(),
        image: repository.image.clone(),
        change,
        digest: digests.get(&tag).cloned(),
        tag,
    };
    changed.into_iter().map(of).collect()
}

fn owned<'a>(digests: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    digests.map(|(tag, digest)| (tag.to_owned(), digest.to_owned())).collect()
}
