//! The plan of what was approved, and the push that lands it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use super::Work;
use crate::app::effect::{JobId, PlanWish};
use crate::app::message::{Msg, Prepared};
use crate::config::Refresh;
use crate::domain::branch::Destination;
use crate::domain::proposal::{Proposal, Reference};
use crate::engine::{self, Landing, PrepareRequest, Selections, World, patch};
use crate::problem::{Code, Problem};
use crate::runtime::mailbox::Letter;

/// What the engine makes a plan of.
pub(super) fn request(wish: PlanWish, refresh: Refresh) -> PrepareRequest {
    let PlanWish { updates, messages, destination: Destination { onto, split }, wanted } = wish;
    let wanted = wanted.into_iter().map(|id| (id.policy, id.automation)).collect();
    PrepareRequest { messages, onto, split, wanted, ..PrepareRequest::of(updates, refresh) }
}

/// Makes the plan and tells of it.
pub(super) async fn prepare(work: Work, job: JobId, request: PrepareRequest) {
    let Some(world) = work.held().world.clone() else { return };
    let result = match as_approved(&work, &world, request).await {
        Ok(prepared) => {
            let (protected, moved) = (prepared.protected, prepared.moved);
            let plan = work.engine.preflight(&world, prepared.plan).await;
            plan.map(|plan| Box::new(Prepared { plan, protected, moved }))
        }
        Err(problem) => Err(problem),
    };
    work.answer(Msg::Prepared(job, result)).await;
}

/// Makes the plan and writes its diff.
pub(super) async fn write_patch(work: Work, path: String, request: PrepareRequest) {
    let Some(world) = work.held().world.clone() else { return };
    let written = match as_approved(&work, &world, request).await {
        Ok(prepared) => write(&path, &prepared),
        Err(problem) => Err(problem),
    };
    work.answer(Msg::PatchWritten(path, written)).await;
}

/// Writes the diff into a new file; returns how many files it changes.
fn write(path: &str, prepared: &engine::Prepared) -> Result<usize, Problem> {
    let (plan, files) = (&prepared.plan, prepared.plan.approved_counts().files);
    if files == 0 {
        let why = plan.problems.first().cloned();
        return Err(why.unwrap_or_else(|| Problem::new(Code::Skipped, path, "nothing is left to write")));
    }
    write_new(path, &patch(plan, &prepared.contents))?;
    Ok(files)
}

fn write_new(path: &str, text: &str) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        let problem = Problem::new(Code::Usage, path, "the patch cannot be written").caused_by(&error);
        problem.hint("Nothing that is there is written over: give it another name, or take it away.")
    };
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// Writes the diff of one file.
pub(super) async fn write_edit(work: Work, path: String, diff: String) {
    let written = write_new(&path, &diff).map(|()| 1);
    work.answer(Msg::PatchWritten(path, written)).await;
}

/// Tells which remotes are at a forge that we can open requests at.
pub(super) async fn find_forges(work: Work, remotes: Vec<String>) {
    let mut found = BTreeMap::new();
    for remote in remotes {
        let has_forge = work.engine.has_forge(&remote).await;
        found.insert(remote, has_forge);
    }
    work.answer(Msg::ForgesFound(found)).await;
}

/// The plan of what a person approved, on the remotes as they are now.
async fn as_approved(
    work: &Work,
    world: &Arc<World>,
    mut request: PrepareRequest,
) -> Result<engine::Prepared, Problem> {
    let selections = {
        let mut held = work.held();
        held.holds_seen = engine::now();
        held.selections.clone()
    };
    // Another instance may have held something since it was shown.
    let key = |update: &Proposal| (update.policy.clone(), update.automation.clone());
    let is_wanted = |update: &Proposal| request.wanted.contains(&key(update));
    // What a person asked for by name waits for nobody.
    let (wanted, mut others): (Vec<_>, Vec<_>) = request.proposals.into_iter().partition(is_wanted);
    let mut held = work.engine.hold_approved(&mut others).await;
    held.extend(work.engine.held_all_the_same(&wanted).await);
    others.extend(wanted);
    request.proposals = others;
    let selections = as_reviewed(selections, &request.proposals);
    let prepared = work.engine.prepare(world, &selections, request).await?;
    Ok(engine::Prepared { moved: [held, prepared.moved].concat(), ..prepared })
}

/// The selections with the tags that were approved: a newer tag that appeared since does not change what lands.
fn as_reviewed(mut selections: Selections, updates: &[Proposal]) -> Selections {
    for update in updates.iter().filter(|update| update.is_approved()) {
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
    let seen = work.held().holds_seen;
    let result = match work.engine.let_go_since(&landing.plan, seen).await {
        Ok(()) => work.engine.land(&world, landing, step).await,
        Err(held) => Err(held),
    };
    work.answer(Msg::Pushed(job, result)).await;
}
