//! What is done with what was pushed: merging it, and taking it back; and what going back to a tag takes.

use tokio_util::sync::CancellationToken;

use super::Work;
use crate::app::effect::JobId;
use crate::app::message::{MergeAhead, Msg, Reverted};
use crate::domain::landing::Merge;
use crate::domain::object::ObjectId;
use crate::engine::MergeRequest;
use crate::runtime::mailbox::Letter;

/// What the engine merges.
pub(super) fn request(merge: &Merge, always_commit: bool) -> MergeRequest {
    MergeRequest {
        remote: merge.remote.clone(),
        from: merge.from.clone(),
        into: merge.into.clone(),
        always_commit,
        dry_run: true,
        seen: None,
        cancel: CancellationToken::new(),
    }
}

/// Tells what a merge would do.
pub(super) async fn look_at_merge(work: Work, job: JobId, request: MergeRequest) {
    let Some(world) = work.held().world.clone() else { return };
    let ahead = work.engine.merge_ahead(&world, request).await;
    let ahead = ahead.map(|(merged, protected)| {
        Box::new(MergeAhead {
            merged,
            protected,
            frozen: work.engine.frozen().map(|frozen| frozen.to_string()),
        })
    });
    work.answer(Msg::MergeAhead(job, ahead)).await;
}

/// Merges, and tells each step.
pub(super) async fn merge(work: Work, job: JobId, merge: Merge, request: MergeRequest) {
    let Some(world) = work.held().world.clone() else { return };
    let answers = work.answers.clone();
    let step = move |step| {
        // The result says what matters; a step that finds no room is only a line less on the screen.
        let _ = answers.try_send(Letter::Answer(Box::new(Msg::Pushing(job, step))));
    };
    let result = work.engine.merge(&world, request, step).await;
    work.answer(Msg::Pushed(job, result.map(|merged| vec![merged.landed(merge.automation)]))).await;
}

/// Finds out what going back to a tag takes.
pub(super) async fn roll_back(work: Work, job: JobId, (policy, tag): (ObjectId, String)) {
    let Some(world) = work.held().world.clone() else { return };
    let found = work.engine.roll_back(&world, (&policy, &tag), work.refresh(false)).await;
    work.answer(Msg::RollBack(job, found.map(Box::new))).await;
}

/// Makes the plan that takes a commit back.
pub(super) async fn revert(work: Work, job: JobId, (remote, commit): (Option<String>, String)) {
    let Some(world) = work.held().world.clone() else { return };
    let remote = remote.map_or_else(|| work.engine.repository_address(&world, None), Ok);
    let reverted = match remote {
        Ok(remote) => {
            // What was pushed a moment ago is on the remote, and perhaps not yet here.
            work.engine.revert(&world, (&remote, &commit), work.refresh(true)).await
        }
        Err(problem) => Err(problem),
    };
    let reverted = reverted.map(|reverted| Box::new(Reverted { plan: reverted.plan, left: reverted.left }));
    work.answer(Msg::Reverted(job, reverted)).await;
}
