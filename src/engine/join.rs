//! A world of files and of a cluster: the cluster's objects are in force, the files stay the place where markers are.

use std::sync::Arc;

use super::{Live, World, load};
use crate::domain::inventory;
use crate::domain::object::Kind;

/// Joins the world of some files with what a cluster has.
pub(super) fn join(files: World, live: Live, default_namespace: &str) -> World {
    let snapshot = &live.read.snapshot;
    let of_files = Arc::unwrap_or_clone(files.inventory);
    let covers = |kind, namespace: &str| snapshot.covers(kind, namespace);
    let joined = inventory::join(of_files, snapshot.inventory.clone(), covers);
    // Where they could not be read there may be some, which push elsewhere: nothing stands for them.
    let unread = &joined.inventory.unread;
    let is_known = joined
        .inventory
        .policies
        .keys()
        .all(|policy| unread.within(Kind::ImageUpdateAutomation, &policy.namespace).is_none());
    let followed = is_known.then(|| load::followed(files.source_branch.as_deref()));
    let automations = load::automations(&joined.inventory, followed, default_namespace);
    let drifts = joined.drifts.into_iter().map(|drift| ((drift.kind, drift.id), drift.fields));
    World {
        label: format!("{}+files", live.cluster().context),
        inventory: Arc::new(joined.inventory),
        automations,
        drifts: Arc::new(drifts.collect()),
        live: Some(live),
        ..files
    }
}
