//! Plans that were saved.

use super::{Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::message::Msg;
use crate::runtime::open::saved_plan;

/// Reads the plan in a file.
pub(super) async fn read_plan(work: Work, job: JobId, path: String) {
    let read = tokio::task::spawn_blocking(move || saved_plan(&path).map(Box::new)).await;
    work.answer(Msg::PlanRead(job, read.map_err(worker_ended).and_then(|read| read))).await;
}
