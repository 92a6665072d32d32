//! Following the cluster: what it tells of changes brings the objects to be read again.

use std::sync::Arc;
use std::time::Duration;

use super::Work;
use super::load::found;
use crate::app::message::Msg;
use crate::app::world::{Around, Live};
use crate::engine::{Engine, Live as Source, World};
use crate::problem::Problem;

/// How long changes are gathered.
const GATHER: Duration = Duration::from_secs(1);

/// What the state is told of the cluster.
pub(super) fn live(engine: &Engine, world: &World) -> Option<Live> {
    let live = world.live.as_ref()?;
    Some(Live {
        context: live.cluster().context.clone(),
        place: engine.flux_place(live),
        reports: world.reports()?,
        drifts: Arc::clone(&world.drifts),
        read: live.time,
    })
}

/// Tells what the operator may not do there.
pub(super) async fn tell_denied(work: &Work, world: &World) {
    if world.live.is_some() {
        let denied = work.engine.denied(world).await;
        work.answer(Msg::Denied(denied)).await;
    }
}

/// Tells what stands around the objects, and again when that changes, until other objects are there. What runs is a long list:
/// what is short is not kept waiting for it.
pub(super) async fn follow_around(work: &Work, world: &Arc<World>) {
    let Some(live) = &world.live else { return };
    let mut told = Around::default();
    while is_current(work, world) {
        let mut now = Around { kustomizations: Some(work.engine.kustomizations(live).await), ..told.clone() };
        if now.kustomizations != told.kustomizations {
            work.answer(Msg::Around(now.clone())).await;
        }
        let running = Some(work.engine.running(live).await);
        if running != now.running {
            now.running = running;
            work.answer(Msg::Around(now.clone())).await;
        }
        told = now;
        tokio::time::sleep(GATHER).await;
    }
}

fn is_current(work: &Work, world: &Arc<World>) -> bool {
    work.held().world.as_ref().is_some_and(|now| Arc::ptr_eq(now, world))
}

/// Whether this is why the cluster is not reached.
pub(super) fn is_lost(world: &World, problem: &Problem) -> bool {
    let lost = world.live.as_ref().and_then(Source::lost);
    lost.is_some_and(|lost| lost.problem == *problem)
}

/// Tells of changes and of a connection that is lost or found, until other objects are there.
pub(super) async fn follow(work: &Work, world: &Arc<World>) {
    let Some(live) = &world.live else { return };
    let mut lost = None;
    while is_current(work, world) {
        // That it is lost is told below.
        let now = if live.has_news() { work.engine.changed_in_cluster(world).await } else { Ok(None) };
        if found(work, world, now.unwrap_or_default()).await {
            return;
        }
        let now = live.lost();
        if now != lost {
            lost.clone_from(&now);
            work.answer(Msg::ClusterLost(now.map(|lost| (lost.since, lost.problem)))).await;
        }
        tokio::time::sleep(GATHER).await;
    }
}
