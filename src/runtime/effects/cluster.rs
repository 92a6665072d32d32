//! Following the cluster: what it tells of changes brings the objects to be read again.

use std::sync::Arc;
use std::time::Duration;

use super::Work;
use super::load::found;
use crate::app::message::Msg;
use crate::app::world::Live;
use crate::engine::{Live as Source, World};
use crate::problem::Problem;

/// How long changes are gathered.
const GATHER: Duration = Duration::from_secs(1);

/// What the state is told of the cluster.
pub(super) fn live(world: &World) -> Option<Live> {
    let live = world.live.as_ref()?;
    Some(Live {
        context: live.cluster().context.clone(),
        reports: world.reports()?,
        drifts: Arc::clone(&world.drifts),
        unread: Arc::new(live.unread().clone()),
        read: live.time,
    })
}

/// Tells what the operator may not do there.
pub(super) async fn tell_denied(work: &Work, world: &World) {
    if let Some(live) = &world.live {
        let denied = work.engine.denied(live).await;
        work.answer(Msg::Denied(denied)).await;
    }
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
    let is_current = || work.held().world.as_ref().is_some_and(|now| Arc::ptr_eq(now, world));
    while is_current() {
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
