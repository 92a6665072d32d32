//! What policies select among the tags that are known, and the digests of that.

use std::sync::Arc;
use std::time::Instant;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use super::{Work, worker_ended};
use crate::app::effect::Reach;
use crate::app::message::Msg;
use crate::app::world::Verdict;
use crate::domain::object::ObjectId;
use crate::domain::policy::SHARED;
use crate::domain::scan::Scan;
use crate::engine::{Engine, Evaluated, Passes, World};
use crate::problem::{Code, Problem};

/// Evaluates policies, as many at once as there are cores. Digests are asked for beside that, and each policy is answered
/// for as soon as it is complete.
pub(super) async fn evaluate(work: Work, policies: Vec<ObjectId>, digests: Reach) {
    let (turn, policies) = work.turns.take(policies, digests).await;
    if policies.is_empty() {
        // They went along with others.
        return;
    }
    let (world, scans) = {
        let held = work.held();
        (held.world.clone(), held.scans.clone())
    };
    let Some(world) = world else { return };
    let passes = match work.engine.passes(&world, work.refresh(digests == Reach::Remote)).await {
        Ok(passes) => passes,
        Err(problem) => return work.answer(Msg::Warned(problem)).await,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let with_tags = policies.into_iter().filter_map(|id| {
        let policy = world.inventory.policies.get(&id)?;
        let scan = scans.get(&policy.repository).cloned()?;
        Some((id, scan))
    });
    // What has the cores to itself would take its memory twice beside another of its kind, and gain no time.
    let (long, short): (Vec<_>, Vec<_>) = with_tags.partition(|(_, scan)| scan.tags.len() >= SHARED);
    let (engine, of) = (&work.engine, &world);
    let each = move |(id, scan): (ObjectId, Scan)| async move { (judge(engine, of, &id, scan).await, id) };
    let stream =
        |policies: Vec<_>, at_once| futures::stream::iter(policies.into_iter().map(each)).buffered(at_once);
    let mut judged = stream(short, cores).chain(stream(long, 1));
    let mut asking = FuturesUnordered::new();
    while let Some((judged, id)) = judged.next().await {
        match judged {
            Ok(judged) => asking.push(complete(&work, &passes, id, judged)),
            Err(problem) => work.answer(Msg::Warned(problem)).await,
        }
        // Those that have nothing to ask are complete by now.
        while let Some(Some(())) = asking.next().now_or_never() {}
    }
    // A registry that is slow to tell a digest holds up nobody else.
    drop(turn);
    while asking.next().await.is_some() {}
    drop((asking, judged));
    if let Err(problem) = passes.keep().await {
        work.answer(Msg::Warned(problem)).await;
    }
}

/// Evaluates one policy on a worker.
async fn judge(
    engine: &Engine,
    world: &Arc<World>,
    id: &ObjectId,
    scan: Scan,
) -> Result<(Evaluated, Verdict), Problem> {
    let (engine, of) = (engine.clone(), Arc::clone(world));
    let Some(policy) = world.inventory.policies.get(id).cloned() else {
        return Err(Problem::new(Code::NotFound, id.to_string(), "the policy is gone"));
    };
    let judged = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        let evaluated = engine.evaluate(&of.inventory, &policy, Some(&scan));
        let verdict = verdict(&evaluated, &scan, start);
        (evaluated, verdict)
    });
    judged.await.map_err(worker_ended)
}

async fn complete(
    work: &Work,
    passes: &Passes,
    id: ObjectId,
    (evaluated, mut verdict): (Evaluated, Verdict),
) {
    let evaluated = passes.complete(&id, evaluated).await;
    (verdict.reference, verdict.problem) = match &evaluated.selection.outcome {
        Ok(reference) => (Some(reference.clone()), evaluated.undigested.clone()),
        Err(problem) => (None, Some(problem.clone())),
    };
    verdict.ask_again = evaluated.ask_again;
    work.held().selections.insert(id.clone(), evaluated);
    work.answer(Msg::Evaluated(id, Arc::new(verdict))).await;
}

/// What the screen shows of an evaluation. Where the engine had a reason not to evaluate at all, tags are still judged,
/// so that S3 can say what each would be.
fn verdict(evaluated: &Evaluated, scan: &Scan, start: Instant) -> Verdict {
    let evaluator = Arc::clone(&evaluated.selection.evaluator);
    let evaluation = evaluated.evaluation.clone().unwrap_or_else(|| Arc::new(evaluator.evaluate(&scan.tags)));
    let took = start.elapsed();
    let order = evaluator.order(&scan.tags, &evaluation);
    // What is selected is settled when the digest is.
    let (reference, problem, ask_again) = (None, None, None);
    Verdict {
        tags: Arc::clone(&scan.tags),
        evaluator,
        evaluation,
        order,
        reference,
        problem,
        took,
        ask_again,
    }
}
