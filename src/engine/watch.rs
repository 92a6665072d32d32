//! Watching registries: each repository is scanned at its interval, and what changed is told.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::Semaphore;

use super::scan::image_name;
use super::{Engine, Note, World, blocking, status};
use crate::domain::object::{DigestPolicy, ImagePolicy, ImageRepository};
use crate::domain::scan::Scan;
use crate::domain::tags::TagList;
use crate::domain::watch::{self, Change, TagChange};
use crate::problem::{Code, Problem};
use crate::text::count;

/// Repositories that are scanned at once; the registry client has limits of its own for each host.
const AT_ONCE: usize = 64;

/// What a look at a repository came to.
#[derive(Debug, Clone)]
pub enum Seen {
    /// What changed since the look before; most often nothing.
    Changes(Vec<TagChange>),
    /// Why it could not be scanned; said once, until it can.
    Failed(Problem),
}

/// What is known of a repository between two looks.
#[derive(Default)]
struct Known {
    /// The tags that are not excluded; `None`: it was never scanned.
    tags: Option<TagList>,
    digests: BTreeMap<String, String>,
    failed: Option<Problem>,
}

impl Engine {
    /// Scans each of these repositories now and then at its interval, and tells `hear` what changed: at the first look
    /// against what is cached, if anything is. Suspended ones are left out.
    ///
    /// Goes on until `hear` breaks; returns at once if there is nothing to watch.
    pub async fn watch(
        &self,
        world: &Arc<World>,
        repositories: &[ImageRepository],
        hear: impl Fn(Seen) -> ControlFlow<()>,
    ) {
        let turns = Semaphore::new(AT_ONCE);
        let active = repositories.iter().filter(|repository| !repository.suspend);
        let mut watched: FuturesUnordered<_> =
            active.map(|repository| self.watch_one(world, repository, &turns, &hear)).collect();
        // The first that ends has nobody who hears it any more, and neither have the others.
        watched.next().await;
    }

    async fn watch_one(
        &self,
        world: &Arc<World>,
        repository: &ImageRepository,
        turns: &Semaphore,
        hear: &impl Fn(Seen) -> ControlFlow<()>,
    ) {
        let mut known = self.known_before(repository).await;
        loop {
            let turn = turns.acquire().await;
            let seen = match self.look(world, repository, &mut known).await {
                Ok(changes) => {
                    if !changes.is_empty() {
                        let detail = count(changes.len(), "change");
                        self.note_later(vec![Note::ok("scan", repository.meta.id.to_string(), detail)]).await;
                    }
                    known.failed = None;
                    Some(Seen::Changes(changes))
                }
                Err(problem) if known.failed.as_ref() == Some(&problem) => None,
                Err(problem) => {
                    known.failed = Some(problem.clone());
                    self.note_later(vec![Note::scan(repository.meta.id.to_string(), Err(&problem))]).await;
                    Some(Seen::Failed(problem))
                }
            };
            drop(turn);
            if seen.is_some_and(|seen| hear(seen).is_break()) {
                return;
            }
            tokio::time::sleep(watch::pause(repository)).await;
        }
    }

    /// What earlier runs left.
    async fn known_before(&self, repository: &ImageRepository) -> Known {
        let (store, it) = (Arc::clone(&self.store), repository.clone());
        let read = blocking(move || {
            let Ok(name) = image_name(&it) else { return Ok(Known::default()) };
            let cached = store.tags().read(&name.canonical());
            let tags = cached.and_then(|cached| kept(&it, &cached.tags).ok());
            let ledger = store.first_seen().read(&name.canonical());
            Ok(Known { tags, digests: owned(ledger.current_digests()), failed: None })
        });
        // Without it the first look finds nothing new.
        read.await.unwrap_or_default()
    }

    /// Scans a repository, has its policies ask for the digests that are due, and compares.
    async fn look(
        &self,
        world: &Arc<World>,
        repository: &ImageRepository,
        known: &mut Known,
    ) -> Result<Vec<TagChange>, Problem> {
        let (keyring, _) = self.keyring(world, repository);
        let scan = self.scan_repository(repository, &keyring, super::now(), |_| {}).await?;
        self.pass(world, repository, &scan).await?;
        let (store, it) = (Arc::clone(&self.store), repository.clone());
        let name = image_name(repository).map_err(|error| error.problem(repository.meta.id.to_string()))?;
        let (tags, digests) = blocking(move || {
            let ledger = store.first_seen().read(&name.canonical());
            Ok((kept(&it, &scan.tags)?, owned(ledger.current_digests())))
        })
        .await?;
        let changes = compare(repository, known, &tags, &digests);
        (known.tags, known.digests) = (Some(tags), digests);
        Ok(changes)
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

/// The tags that the repository does not exclude.
fn kept(repository: &ImageRepository, tags: &TagList) -> Result<TagList, Problem> {
    let kept = status::without_excluded(&repository.exclusions(), tags);
    let kept = kept.map_err(|text| {
        let text = format!("scan failed: {text}");
        Problem::new(Code::PolicyInvalid, repository.meta.id.to_string(), text)
    });
    Ok(kept?.into_iter().collect())
}

fn owned<'a>(digests: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    digests.map(|(tag, digest)| (tag.to_owned(), digest.to_owned())).collect()
}
