//! The updates: what automations stand on, compared with what policies select.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Judged, Work, worker_ended};
use crate::app::effect::{JobId, Reach};
use crate::app::message::{Msg, Proposed};
use crate::config::Refresh;
use crate::domain::branch::Onto;
use crate::domain::inventory::Inventory;
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;
use crate::engine::{Engine, Selections, World};
use crate::problem::Problem;
use crate::runtime::journal;

pub(super) async fn propose(work: Work, job: JobId, reach: Reach) {
    let result = proposed(&work, reach).await;
    work.answer(Msg::Proposed(job, result)).await;
}

/// What the automations stand on, what is wrong with that, and whether no remote was asked.
async fn grounds(
    work: &Work,
    world: &Arc<World>,
    reach: Reach,
) -> Result<(Vec<Ground>, Vec<Problem>, bool), Problem> {
    let refresh = work.refresh(reach == Reach::Remote);
    if reach == Reach::Kept && refresh != Refresh::Never {
        let (grounds, problems) = work.engine.grounds(world, Refresh::Never, &Onto::Push).await?;
        // Something is missing, and half a list would look like all of it.
        if problems.is_empty() {
            return Ok((grounds, problems, true));
        }
    }
    let (grounds, problems) = work.engine.grounds(world, refresh, &Onto::Push).await?;
    Ok((grounds, problems, false))
}

async fn proposed(work: &Work, reach: Reach) -> Result<Proposed, Problem> {
    let Judged { world, mut selections, scans, failed, trees } = work.judged();
    let Some(world) = world else { return Ok(Proposed::default()) };
    let (grounds, mut problems, kept) = grounds(work, &world, reach).await?;
    let (engine, of, remembers) = (work.engine.clone(), Arc::clone(&world), work.remembers);
    let compare = move || {
        engine.complete(&world.inventory, &mut selections);
        block_unscanned(&engine, &world.inventory, &failed, &mut selections);
        let (mut review, unread) = engine.review(&world, grounds, &selections);
        problems.extend(unread);
        let survey = engine.survey(&world, (&review.grounds, &trees), (&selections, &scans), &failed);
        let decided =
            remembers.then(|| journal::remember(&engine, &review.grounds, &mut review.proposals)).flatten();
        let selections = selections.into_iter().map(|(id, evaluated)| (id, evaluated.selection)).collect();
        Proposed {
            updates: review.proposals,
            files: review.files,
            problem_files: review.problem_files,
            grounds: review.grounds,
            selections: Arc::new(selections),
            kept,
            decided,
            survey,
            holds: Vec::new(),
            problems,
        }
    };
    let mut proposed = tokio::task::spawn_blocking(compare).await.map_err(worker_ended)?;
    let refresh = if kept { Refresh::Never } else { work.refresh(false) };
    proposed.holds = work.engine.hold_back(&of, &mut proposed.updates, refresh).await;
    work.held().grounds = Arc::clone(&proposed.grounds);
    Ok(proposed)
}

/// What waits for a repository that could not be scanned is blocked with that reason.
fn block_unscanned(
    engine: &Engine,
    inventory: &Inventory,
    failed: &BTreeMap<ObjectId, Problem>,
    selections: &mut Selections,
) {
    for (id, policy) in &inventory.policies {
        let Some(problem) = failed.get(&policy.repository).filter(|_| !selections.contains_key(id)) else {
            continue;
        };
        let mut evaluated = engine.evaluate(inventory, policy, None);
        evaluated.selection.outcome = Err(problem.clone());
        selections.insert(id.clone(), evaluated);
    }
}
