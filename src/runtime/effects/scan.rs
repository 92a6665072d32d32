//! A batch of scans: each repository is told of as soon as it is listed, and how far the others are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use jiff::Timestamp;

use super::{Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::message::Msg;
use crate::domain::object::ObjectId;
use crate::domain::scan::Scan;
use crate::engine::{InFiles, Note, Revisited, ScanProgress, World};
use crate::runtime::clock;
use crate::runtime::mailbox::{Letter, Mailbox};

/// Repositories that are under way at once; the registry client has limits of its own for each host.
const SCANS: usize = 64;

/// How often a scan tells how far it is.
const PROGRESS: Duration = Duration::from_millis(100);

pub(super) async fn scan(work: &Work, (job, notes): (JobId, &Mutex<Vec<Note>>), repositories: Vec<ObjectId>) {
    let (world, scans) = {
        let held = work.held();
        (held.world.clone(), held.scans.clone())
    };
    let Some(world) = world else { return };
    if let Some(notice) = work.engine.forecast(&world, &repositories, &scans).notice() {
        work.answer(Msg::Announced(notice)).await;
    }
    let began = clock::now();
    let each = repositories.into_iter().map(|id| scan_one(work, &world, ((job, notes), began), id));
    let scanned: Vec<_> =
        futures::stream::iter(each).buffer_unordered(SCANS).filter_map(std::future::ready).collect().await;
    revisit(work, &world, began, scanned).await;
}

/// Asks whether tags that are known have moved, once all lists are there: whoever waits for a list waits for no digest.
async fn revisit(work: &Work, world: &Arc<World>, began: Timestamp, scanned: Vec<(ObjectId, Scan)>) {
    if scanned.is_empty() {
        return;
    }
    let in_files = &work.engine.in_files(world).await;
    let each = scanned.into_iter().map(|(id, scan)| revisit_one(work, world, (began, in_files), (id, scan)));
    futures::stream::iter(each).buffer_unordered(SCANS).collect::<Vec<()>>().await;
    work.engine.settle_ledgers().await;
}

async fn revisit_one(
    work: &Work,
    world: &Arc<World>,
    (began, in_files): (Timestamp, &InFiles),
    (id, scan): (ObjectId, Scan),
) {
    let Some(repository) = world.inventory.repositories.get(&id) else { return };
    let Revisited { moved, incomplete } =
        work.engine.revisit(world, repository, (&scan, began), in_files.get(&id)).await;
    if let Some(problem) = incomplete {
        tracing::info!("{problem}");
    }
    if moved.is_empty() {
        return;
    }
    let (engine, of, repository) = (work.engine.clone(), Arc::clone(world), id.clone());
    let all =
        move || engine.ledger(&of, &repository).unwrap_or_default().moved_tags().map(str::to_owned).collect();
    match tokio::task::spawn_blocking(all).await.map_err(worker_ended) {
        Ok(all) => work.answer(Msg::TagsMoved { repository: id, moved, all }).await,
        Err(problem) => work.answer(Msg::Warned(problem)).await,
    }
}

/// Tells how far a scan is, now and then.
fn progress(answers: Mailbox<Letter>, job: JobId) -> impl Fn(ScanProgress) + Send + Sync {
    let last = Mutex::new(Instant::now());
    move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PROGRESS {
            *last = Instant::now();
            // Progress that nobody has time for is not missed.
            let ScanProgress { repository, tags: seen, .. } = progress;
            let _ = answers.try_send(Letter::Answer(Box::new(Msg::ScanProgress { job, repository, seen })));
        }
    }
}

async fn scan_one(
    work: &Work,
    world: &World,
    ((job, notes), began): ((JobId, &Mutex<Vec<Note>>), Timestamp),
    id: ObjectId,
) -> Option<(ObjectId, Scan)> {
    let progress = progress(work.answers.clone(), job);
    let scanned = work.engine.scan(world, &id, began, progress).await;
    let note = Note { mode: work.held().mode, ..Note::scan(id.to_string(), scanned.as_ref()) };
    notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    let (listed, msg) = match scanned {
        Ok(found) => {
            let mut held = work.held();
            held.failed.remove(&id);
            held.scans.insert(id.clone(), found.clone());
            (Some((id.clone(), found.clone())), Msg::TagsListed(job, id, found))
        }
        Err(problem) => {
            work.held().failed.insert(id.clone(), problem.clone());
            (None, Msg::ScanFailed { job, repository: id, problem })
        }
    };
    work.answer(msg).await;
    listed
}
