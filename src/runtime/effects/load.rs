//! The objects, with what the disk knows of them, and whether they have changed since.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cluster;
use super::{Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::message::{Loaded, Msg};
use crate::config::SourceChoice;
use crate::domain::landing::Fate;
use crate::domain::object::ObjectId;
use crate::engine::{Engine, World};
use crate::problem::{Code, Problem};
use crate::runtime::journal;
use crate::source::kubeconfig;

/// When a push that may still land is looked after again first, and at the longest.
const FIRST_LOOK_AGAIN: Duration = Duration::from_secs(10);
const LAST_LOOK_AGAIN: Duration = Duration::from_mins(5);

pub(super) async fn load(work: Work, job: JobId) {
    let source = load_world(&work).await;
    if work.held().newest != job {
        return;
    }
    let world = source.as_ref().ok().cloned();
    let msg = match source {
        Ok(world) if world.inventory.is_empty() && world.problems.is_empty() => {
            Msg::NothingFound(job, tried(&work.engine, Ok(&world)))
        }
        Ok(world) => Msg::Loaded(job, loaded(&work, job, world).await.map(Box::new)),
        Err(problem) if problem.code == Code::NotFound || problem.code == Code::Usage => {
            Msg::NothingFound(job, tried(&work.engine, Err(problem)))
        }
        Err(problem) => Msg::Loaded(job, Err(problem)),
    };
    work.answer(msg).await;
    if let Some(world) = world {
        tokio::join!(
            settle_pushes(&work, &world, job),
            cluster::follow(&work, &world),
            Box::pin(cluster::follow_around(&work, &world)),
            cluster::tell_denied(&work, &world)
        );
    }
}

/// Where objects were looked for in vain, line by line: the files, then the kubeconfig and its context.
fn tried(engine: &Engine, found: Result<&World, Problem>) -> Vec<String> {
    let live = found.as_ref().is_ok_and(|world| world.live.is_some());
    let mut lines = match found {
        Ok(world) if world.live.is_some() && world.root.is_none() && world.source_url.is_none() => vec![],
        Ok(world) => vec![format!("{}: no Flux objects in any YAML file", world.label)],
        Err(problem) => {
            let first = problem.to_string();
            std::iter::once(first).chain(problem.causes).chain(problem.hint).collect()
        }
    };
    lines.extend(tried_cluster(engine, live));
    lines
}

fn tried_cluster(engine: &Engine, is_read: bool) -> Option<String> {
    let settings = engine.settings();
    if settings.source == SourceChoice::Files {
        return None;
    }
    let places = engine.kube_places();
    let files: Vec<String> = places.files().iter().map(|file| file.display().to_string()).collect();
    let kubeconfig = if files.is_empty() { "none".to_owned() } else { files.join(", ") };
    let said = match kubeconfig::in_force(&places, settings.context.as_deref()) {
        Ok(Some(context)) => {
            let server = context.server.map(|server| format!(" ({server})")).unwrap_or_default();
            let outcome = if is_read { "no Flux objects" } else { "not asked" };
            format!("context {}{server}: {outcome}", context.name)
        }
        Ok(None) => "no context is in force".to_owned(),
        Err(error) => error.to_string(),
    };
    Some(format!("kubeconfig {kubeconfig}: {said}"))
}

/// Tells whether the objects are others than those that were read.
pub(super) async fn look_at_source(work: Work) {
    let Some(world) = work.held().world.clone() else { return };
    match work.engine.changed(&world).await {
        Ok(now) => drop(found(&work, &world, now).await),
        // That the cluster is gone is told by who follows it.
        Err(problem) if cluster::is_lost(&world, &problem) => {}
        Err(problem) => work.answer(Msg::Warned(problem)).await,
    }
}

/// Tells of what a look has found instead of `world`; whether it did.
pub(super) async fn found(work: &Work, world: &Arc<World>, now: Option<Arc<World>>) -> bool {
    let Some(now) = now else { return false };
    {
        let mut held = work.held();
        // Another context may have been chosen meanwhile.
        if held.world.as_ref().is_none_or(|held| !Arc::ptr_eq(held, world)) {
            return false;
        }
        held.fresh = Some((Instant::now(), now));
    }
    work.answer(Msg::SourceChanged).await;
    true
}

/// The source; a screen asks every registry and remote of it sooner or later.
async fn load_world(work: &Work) -> Result<Arc<World>, Problem> {
    let engine = &work.engine;
    let fresh = work.held().take_fresh();
    let world = match fresh {
        Some(world) => world,
        None => engine.load().await?,
    };
    engine.credentials_are_for_one_host(&world)?;
    engine.sources_are_known(&world)?;
    Ok(world)
}

/// The world with what the disk knows of it.
async fn loaded(work: &Work, job: JobId, world: Arc<World>) -> Result<Loaded, Problem> {
    let (engine, of) = (work.engine.clone(), Arc::clone(&world));
    let read = move || {
        let cached = engine.cached(&of);
        let failed = engine.last_failures(&of);
        let draft = |id: &ObjectId| {
            let draft = engine.store().drafts().read(&journal::draft_key(&of.label, id))?;
            Some((id.clone(), draft.text))
        };
        let drafts = of.automations.iter().filter_map(|automation| draft(&automation.meta.id)).collect();
        let mut problems = of.problems.clone();
        for problem in problems.iter_mut().filter(|problem| of.left_out.as_ref() == Some(problem)) {
            problem.hint = Some("It is asked again by itself every minute, and at once with R.".to_owned());
        }
        problems.extend(engine.credential_problems(&of));
        problems.extend(engine.store().take_warnings());
        (cached, failed, drafts, problems)
    };
    let (cached, failed, drafts, problems) = tokio::task::spawn_blocking(read).await.map_err(worker_ended)?;
    let mut held = work.held();
    if held.newest == job {
        held.forget_others(&world);
        for (id, scan) in &cached {
            held.scans.entry(id.clone()).or_insert_with(|| scan.clone());
        }
        for (id, problem) in &failed {
            held.failed.entry(id.clone()).or_insert_with(|| problem.clone());
        }
        held.world = Some(Arc::clone(&world));
    }
    Ok(Loaded {
        source: world.label.clone(),
        inventory: Arc::clone(&world.inventory),
        problems,
        cached,
        failed,
        drafts,
        live: cluster::live(&work.engine, &world),
        without_cluster: world.left_out.is_some(),
    })
}

/// Tells what became of the pushes of earlier runs that nobody saw the end of; looks again, ever more seldom, after those
/// that may still land, as long as no newer load does.
async fn settle_pushes(work: &Work, world: &Arc<World>, job: JobId) {
    let mut pause = FIRST_LOOK_AGAIN;
    loop {
        let settled = match work.engine.settle_pushes(world).await {
            Ok(settled) => settled,
            Err(problem) => return work.answer(Msg::Warned(problem)).await,
        };
        let is_pending = settled.iter().any(|push| matches!(push.fate, Fate::Pending(_)));
        if !settled.is_empty() {
            work.answer(Msg::PushesSettled(settled)).await;
        }
        if !is_pending {
            return;
        }
        tokio::time::sleep(pause).await;
        if work.held().newest != job {
            return;
        }
        pause = (pause * 2).min(LAST_LOOK_AGAIN);
    }
}
