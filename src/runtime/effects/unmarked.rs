//! Images without a marker, in all files that automations read.

use std::sync::Arc;

use super::{Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::message::Msg;

pub(super) async fn find(work: Work, job: JobId) {
    let (world, grounds) = {
        let held = work.held();
        (held.world.clone(), Arc::clone(&held.grounds))
    };
    let Some(world) = world else { return };
    let engine = work.engine.clone();
    let found = tokio::task::spawn_blocking(move || engine.unmarked(&world, &grounds)).await;
    let answer = found.map_err(worker_ended).map_or_else(Msg::Warned, |found| Msg::Unmarked(job, found));
    work.answer(answer).await;
}
