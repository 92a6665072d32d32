//! A policy that is tried on the tags of its repository.

use std::sync::Arc;
use std::time::Instant;

use super::{Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::message::Msg;
use crate::domain::object::ObjectId;
use crate::domain::trial::Trial;

/// Tries `trial` in the place of `policy`, on a worker.
pub(super) async fn attempt(work: Work, job: JobId, policy: ObjectId, trial: Trial) {
    let found = {
        let held = work.held();
        held.world.clone().and_then(|world| {
            let repository = world.inventory.policies.get(&policy)?.repository.clone();
            // Where no scan has brought any, the rule and the pattern are checked all the same.
            let tags = held.scans.get(&repository).map(|scan| Arc::clone(&scan.tags)).unwrap_or_default();
            let before = held.selections.get(&policy).and_then(|known| known.evaluation.clone());
            let repository = world.inventory.repositories.get(&repository)?.clone();
            Some((repository, tags, before, Arc::clone(&held.grounds)))
        })
    };
    let Some((repository, tags, before, grounds)) = found else {
        return work.answer(Msg::Tried(job, None)).await;
    };
    let tried = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        let mut tried = trial.run(&repository.exclusions(), &tags, before);
        tried.took = start.elapsed();
        tried.look(&grounds, &policy, &repository.image);
        tried
    });
    let tried = match tried.await.map_err(worker_ended) {
        Ok(tried) => Some(Arc::new(tried)),
        Err(problem) => {
            work.answer(Msg::Warned(problem)).await;
            None
        }
    };
    work.answer(Msg::Tried(job, tried)).await;
}

/// Tells what `trial` changes in the file of `policy`.
pub(super) async fn edit(work: Work, job: JobId, policy: ObjectId, trial: Trial) {
    let Some(world) = work.held().world.clone() else { return };
    let edit = work.engine.trial_edit(&world, (policy, trial), work.refresh(false)).await;
    work.answer(Msg::PolicyEdited(job, edit)).await;
}
