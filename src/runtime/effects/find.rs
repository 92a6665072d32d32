//! A name among all there are.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::find::Haystack;
use crate::app::message::Msg;

/// Looks for `typed` on a worker and tells what it finds, until everything was told or the question is withdrawn: then
/// nobody receives any more, and the search ends with its next answer.
pub(super) async fn find(work: Work, job: JobId, haystack: Arc<Haystack>, typed: String) {
    let (send, mut receive) = mpsc::channel(1);
    let search = move || haystack.search(&typed, |hits| send.blocking_send(hits).is_ok());
    let worker = tokio::task::spawn_blocking(search);
    while let Some(hits) = receive.recv().await {
        work.answer(Msg::Found(job, hits)).await;
    }
    if let Err(problem) = worker.await.map_err(worker_ended) {
        work.answer(Msg::Warned(problem)).await;
    }
}
