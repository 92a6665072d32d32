//! Orders to the controllers of the cluster.

use std::time::Instant;

use super::Work;
use crate::app::message::{Msg, Ordered};
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::Order;

/// Gives an order for each object and tells what became of it.
pub(super) async fn order(work: Work, (order, kind): (Order, Kind), objects: Vec<ObjectId>, dry_run: bool) {
    let given = work.engine.order(order, (kind, &objects), dry_run).await;
    // Where the cluster is not reached, none of them was given.
    let results =
        given.unwrap_or_else(|problem| objects.into_iter().map(|id| (id, Err(problem.clone()))).collect());
    work.answer(Msg::Ordered(Box::new(Ordered { order, kind, dry_run, results }))).await;
}

/// Tells what a controller did with an object that it was asked to look at.
pub(super) async fn reconciled(work: Work, kind: Kind, id: ObjectId, handled: String) {
    let until = Instant::now() + work.engine.settings().timeout.0;
    let result = work.engine.reconciled((kind, &id), &handled, until).await;
    work.answer(Msg::Reconciled(kind, id, result)).await;
}
