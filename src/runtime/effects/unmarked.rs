//! What `lint` finds in all files of the repositories, beside those that automations write.

use std::sync::Arc;

use super::{Judged, Work, worker_ended};
use crate::app::effect::JobId;
use crate::app::message::{LookedThrough, Msg};
use crate::domain::lint;

pub(super) async fn find(work: Work, job: JobId) {
    let (world, grounds) = {
        let held = work.held();
        (held.world.clone(), Arc::clone(&held.grounds))
    };
    let Some(world) = world else { return };
    let look = {
        let work = work.clone();
        move || {
            let trees = Arc::new(work.engine.look_through(&world, &grounds));
            work.held().trees = Arc::clone(&trees);
            // What scans and verdicts have brought meanwhile counts.
            let Judged { selections, scans, failed, .. } = work.judged();
            let survey = work.engine.survey(&world, (&grounds, &trees), (&selections, &scans), &failed);
            let unmarked = lint::unmarked_below(&grounds, &trees);
            LookedThrough { unmarked, elsewhere: lint::unmarked_elsewhere(&grounds, &trees), survey }
        }
    };
    let found = tokio::task::spawn_blocking(look).await.map(Box::new);
    let answer = found.map_err(worker_ended).map_or_else(Msg::Warned, |found| Msg::LookedThrough(job, found));
    work.answer(answer).await;
}
