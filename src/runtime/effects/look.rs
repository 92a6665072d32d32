//! What stands behind tags, for who looks at them.

use std::sync::Arc;

use futures::StreamExt;

use super::{Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::message::Msg;
use crate::app::world::{Glanced, Glimpse, Sightings, Told};
use crate::domain::age::Clocks;
use crate::domain::metadata::Described;
use crate::domain::object::ObjectId;
use crate::domain::tags::TagList;
use crate::engine::{Engine, TagQuestion, World};
use crate::problem::{Code, Problem};
use crate::store::KnownImages;

/// How many tags a registry is asked about at once for rows nobody rests on; less than a host is asked at once, so that
/// scans, and the row under the cursor, need not wait.
const AT_ONCE: usize = 2;

/// Tells of each tag what stands behind it.
pub(super) async fn describe(work: Work, job: JobId, repository: ObjectId, tags: Vec<String>) {
    let (world, scan) = {
        let held = work.held();
        (held.world.clone(), held.scans.get(&repository).cloned())
    };
    let (Some(world), Some(scan)) = (world, scan) else { return };
    for tag in tags {
        let question = TagQuestion { repository: &repository, tag: &tag, tags: Some(&scan.tags) };
        let described = work.engine.describe(&world, question, work.refresh(false)).await;
        let (engine, of, id) = (work.engine.clone(), Arc::clone(&world), repository.clone());
        let told = move || told(&engine, &of, &id, tag, described);
        match tokio::task::spawn_blocking(told).await.map_err(worker_ended) {
            Ok(told) => work.answer(Msg::Described(job, repository.clone(), Box::new(told))).await,
            Err(problem) => work.answer(Msg::Warned(problem)).await,
        }
    }
}

/// An answer with what the ledger and the cache know beside it.
fn told(
    engine: &Engine,
    world: &World,
    repository: &ObjectId,
    tag: String,
    described: Result<Option<Described>, Problem>,
) -> Told {
    let ledger = engine.ledger(world, repository).unwrap_or_default();
    let described = described.map_err(|problem| problem.message);
    let image = described.as_ref().ok().and_then(Option::as_ref);
    let (first_seen, first_look) = ledger.sighting(&tag);
    let clocks = Clocks::of(image, first_seen, first_look);
    let moved = ledger.moved_tags().map(str::to_owned).collect();
    Told { tag, described, clocks, moved }
}

/// Tells when tags were first seen.
pub(super) async fn first_seen(work: Work, job: JobId, repository: ObjectId, tags: Arc<TagList>) {
    let Some(world) = work.held().world.clone() else { return };
    let (engine, id) = (work.engine.clone(), repository.clone());
    let read = move || {
        let ledger = engine.ledger(&world, &id).unwrap_or_default();
        let moved: Vec<String> = ledger.moved_tags().map(str::to_owned).collect();
        (Box::new(Sightings::of(tags, |tag| ledger.get(tag))), moved)
    };
    match tokio::task::spawn_blocking(read).await.map_err(worker_ended) {
        Ok((sightings, moved)) => work.answer(Msg::FirstSeen { job, repository, sightings, moved }).await,
        Err(problem) => work.answer(Msg::Warned(problem)).await,
    }
}

/// Tells of each tag what its row shows: what the disk has, all at once; then of each what the registry says. One that
/// counts how often it is asked is left alone, and so is one that failed to answer.
pub(super) async fn glance(work: Work, job: JobId, repository: ObjectId, tags: Vec<String>) {
    let Some(world) = work.held().world.clone() else { return };
    let (engine, of, id) = (work.engine.clone(), Arc::clone(&world), repository.clone());
    let read = move || (engine.known_images(&of, &id), engine.is_counted(&of, &id));
    let (known, is_counted) = match tokio::task::spawn_blocking(read).await.map_err(worker_ended) {
        Ok(read) => read,
        Err(problem) => return work.answer(Msg::Warned(problem)).await,
    };
    let glanced =
        |tag: &String| Glanced { tag: tag.clone(), glimpse: glimpse(&known, tag), is_settled: is_counted };
    work.answer(Msg::Glanced(job, tags.iter().map(glanced).collect())).await;
    if is_counted {
        return;
    }
    let ask = |tag: String| ask(&work, &world, &repository, tag);
    let mut asked = futures::stream::iter(tags.clone()).map(ask).buffered(AT_ONCE);
    let mut answered = 0;
    while let Some(told) = asked.next().await {
        let Ok(told) = told else { break };
        answered += 1;
        work.answer(Msg::Glanced(job, vec![told])).await;
    }
    let settled = |tag: &String| Glanced { tag: tag.clone(), glimpse: None, is_settled: true };
    let left: Vec<Glanced> = tags.iter().skip(answered).map(settled).collect();
    if !left.is_empty() {
        work.answer(Msg::Glanced(job, left)).await;
    }
}

async fn ask(work: &Work, world: &World, repository: &ObjectId, tag: String) -> Result<Glanced, Problem> {
    let question = TagQuestion { repository, tag: &tag, tags: None };
    let described = match work.engine.describe(world, question, work.refresh(false)).await {
        // That is about this tag alone.
        Err(problem) if matches!(problem.code, Code::RegistryNotFound | Code::BadAnswer) => None,
        described => described?,
    };
    Ok(Glanced { glimpse: described.as_ref().map(Glimpse::of), tag, is_settled: true })
}

/// What the disk has of a tag.
fn glimpse(known: &KnownImages, tag: &str) -> Option<Glimpse> {
    let seen = known.tags.get(tag)?;
    let created = known.images.get(&seen.digest).and_then(|image| image.created);
    Some(Glimpse { digest: seen.digest.clone(), created, is_moved: seen.before.is_some() })
}
