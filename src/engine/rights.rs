//! What the operator may not do to the objects of a cluster, as its API server says it: what is greyed, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;

use super::cluster::Connection;
use super::{Engine, World};
use crate::domain::object::Kind;
use crate::domain::order::Denied;
use crate::source::cluster::Act;
use crate::source::cluster::kinds::{Resource, resource_of};

/// The kinds to whose objects orders are given, all of which patch them.
const ORDERED: [Kind; 3] = [Kind::ImageRepository, Kind::ImagePolicy, Kind::ImageUpdateAutomation];

/// How long an answer serves.
const SERVES: Duration = Duration::from_mins(5);

/// How many namespaces are asked for where not all are allowed at once; what is done in others is refused when it is tried.
const NAMESPACES: usize = 50;

/// How many questions are under way at once.
const AT_ONCE: usize = 8;

/// What was answered, and when.
#[derive(Debug, Default)]
pub(super) struct Rights(Mutex<Option<(Instant, Denied)>>);

impl Rights {
    fn known(&self) -> Option<Denied> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(time, _)| time.elapsed() < SERVES).map(|(_, denied)| denied.clone())
    }
}

impl Engine {
    /// The kinds and namespaces whose objects the operator may not change, as the API server says it; of what it does not answer
    /// nothing is said.
    pub async fn denied(&self, world: &World) -> Denied {
        let Some(live) = &world.live else { return Denied::new() };
        let rights = &live.connection().rights;
        if let Some(known) = rights.known() {
            return known;
        }
        let mut denied = Denied::new();
        for (kind, namespaces) in inhabited(world) {
            denied.extend(denials(live.connection(), kind, namespaces).await);
        }
        *rights.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), denied.clone()));
        denied
    }
}

/// The namespaces in which the cluster has objects of a kind that takes orders.
fn inhabited(world: &World) -> BTreeMap<Kind, BTreeSet<String>> {
    let mut found: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for (kind, id) in world.reports().iter().flat_map(|reports| reports.keys()) {
        if ORDERED.contains(kind) {
            found.entry(*kind).or_default().insert(id.namespace.clone());
        }
    }
    found
}

/// Of a kind that may be changed everywhere nothing is said; else each namespace is asked for.
async fn denials(connection: &Connection, kind: Kind, namespaces: BTreeSet<String>) -> Denied {
    let Resource { group, plural, .. } = resource_of(kind);
    let cluster = &connection.cluster;
    if cluster.may("patch", (group, plural), None).await.unwrap_or(true) {
        return Denied::new();
    }
    let reviews = namespaces.into_iter().take(NAMESPACES).map(|namespace| async move {
        let allowed = cluster.may("patch", (group, plural), Some(&namespace)).await.unwrap_or(true);
        let reason = format!("not allowed to {}", Act::new("patch", plural, Some(&namespace)));
        (!allowed).then_some(((kind, namespace), reason))
    });
    futures::stream::iter(reviews).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}
