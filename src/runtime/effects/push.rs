//! The plan of what was approved, and the push that lands it.

use super::Work;
use crate::app::effect::JobId;
use crate::app::message::{Msg, Prepared};
use crate::domain::proposal::{Proposal, Reference};
use crate::engine::{Landing, PrepareRequest, Selections};
use crate::runtime::mailbox::Letter;

pub(super) async fn prepare(work: Work, job: JobId, mut request: PrepareRequest) {
    let (world, selections) = {
        let held = work.held();
        (held.world.clone(), held.selections.clone())
    };
    let Some(world) = world else { return };
    // Another instance may have held something since it was shown.
    let key = |update: &Proposal| (update.policy.clone(), update.automation.clone());
    let is_wanted = |update: &Proposal| request.wanted.contains(&key(update));
    // What a person asked for by name waits for nobody.
    let (wanted, mut others): (Vec<_>, Vec<_>) = request.proposals.into_iter().partition(is_wanted);
    let held = work.engine.hold_approved(&mut others).await;
    others.extend(wanted);
    request.proposals = others;
    let selections = as_reviewed(selections, &request.proposals);
    let result = match work.engine.prepare(&world, &selections, request).await {
        Ok(prepared) => {
            let (protected, moved) = (prepared.protected, [held, prepared.moved].concat());
            let plan = work.engine.preflight(&world, prepared.plan).await;
            plan.map(|plan| Box::new(Prepared { plan, protected, moved }))
        }
        Err(problem) => Err(problem),
    };
    work.answer(Msg::Prepared(job, result)).await;
}

/// The selections with the tags that were approved: a newer tag that appeared since does not change what lands.
fn as_reviewed(mut selections: Selections, updates: &[Proposal]) -> Selections {
    for update in updates.iter().filter(|update| update.approved().next().is_some()) {
        if let (Some(evaluated), Some(new)) = (selections.get_mut(&update.policy), &update.new) {
            evaluated.selection.outcome = Ok(Reference {
                image: update.image.clone(),
                tag: new.tag.clone(),
                digest: new.digest.clone(),
            });
        }
    }
    selections
}

pub(super) async fn push(work: Work, job: JobId, landing: Landing) {
    let Some(world) = work.held().world.clone() else { return };
    let answers = work.answers.clone();
    let step = move |step| {
        // The result says what matters; a step that finds no room is only a line less on the screen.
        let _ = answers.try_send(Letter::Answer(Box::new(Msg::Pushing(job, step))));
    };
    let result = work.engine.land(&world, landing, step).await;
    work.answer(Msg::Pushed(job, result)).await;
}
