//! `reconcile`. On files: what a controller would do at its next turn, done now: a scan, an evaluation, a look at what an
//! automation would write.

use std::sync::Arc;

use super::super::plan;
use super::super::scope::Scope;
use super::super::session::{Progress, Session};
use super::super::{Answer, Streams, where_writable};
use super::choose::{ActsOn, acts_on, beside, chosen, nothing};
use super::remote;
use super::result::{Lines, ObjectResult, answer};
use crate::cli::{Chosen, ObjectArgs};
use crate::config::Settings;
use crate::domain::branch::Onto;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::word;
use crate::domain::proposal::Reference;
use crate::engine::PrepareRequest;
use crate::problem::{Code, Problem};
use crate::source::create::Made;
use crate::text::count;

/// `reconcile image …`.
///
/// # Errors
/// READ-ONLY, a cluster that would be meant, a source that cannot be read, a name that no object has; what goes wrong with
/// an object is in the answer.
pub(in super::super) fn reconcile(
    settings: &Settings,
    args: &ObjectArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    if let ActsOn::Cluster(remote) = acts_on(settings, false)? {
        return remote::reconcile(settings, &remote, args.what.parts(), streams);
    }
    reconcile_now(settings, args.what.parts(), "reconciled", streams)
}

/// Reconciles each object; `action` is what is said to have become of it.
pub(super) fn reconcile_now(
    settings: &Settings,
    (kind, which): (Kind, &Chosen),
    action: &'static str,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    if kind == Kind::ImageRepository {
        super::super::asks(settings, "reconcile")?;
    }
    let looked = Session::open(settings).and_then(|session| {
        let ids = chosen(settings, kind, which, &super::known(&session.world.inventory, kind));
        Ok((ids.map_err(|problem| beside(problem, &session.world.problems))?, session))
    });
    let (ids, mut session) = where_writable(settings, "reconcile", looked)?;
    if ids.is_empty() {
        let note = nothing(settings, kind);
        return Ok(answer(Vec::new(), true).with_problems(session.problems()).with_note(note));
    }
    if let Some(problem) = ids.iter().find_map(|id| session.world.inventory.ambiguity(kind, id)) {
        return Err(problem);
    }
    if kind == Kind::ImageRepository {
        session.engine.one_registry(&session.world, &ids)?;
    }
    let mut lines = Lines::new(streams, settings);
    let whole = Arc::clone(&session.world);
    let is_list = which.all || ids.len() > 1;
    let (mut results, mut failed) = (Vec::new(), Vec::new());
    for id in &ids {
        lines.line('◎', &format!("waiting for {kind} reconciliation"));
        session.world = Arc::clone(&whole);
        let file = whole.inventory.meta(kind, id).and_then(|meta| meta.origin.file.clone());
        match one(&mut session, kind, id) {
            Ok(Outcome { message, lines: more }) => {
                lines.line('✔', &message);
                results.push(ObjectResult {
                    made: Made::Flux(kind),
                    action: Some(action),
                    object: id.clone(),
                    file,
                    dry_run: false,
                    message: Some(message),
                    lines: more,
                });
            }
            Err(problem) => {
                if !is_list {
                    results.push(ObjectResult::failed(Made::Flux(kind), id, file, &problem));
                }
                failed.push(problem);
            }
        }
    }
    let mut problems = session.problems();
    problems.extend(failed.iter().cloned());
    Ok(answer(results, is_list).with_problems(problems).with_parts(ids.len(), &failed))
}

/// What a reconciliation came to.
struct Outcome {
    /// The success text, as flux has it where there is one.
    message: String,
    /// What there is to print.
    lines: Vec<String>,
}

impl Outcome {
    fn of(message: String) -> Self {
        Self { message, lines: Vec::new() }
    }
}

fn one(session: &mut Session, kind: Kind, id: &ObjectId) -> Result<Outcome, Problem> {
    let inventory = Arc::clone(&session.world.inventory);
    let is_suspended = match kind {
        Kind::ImageRepository => inventory.repositories.get(id).is_some_and(|object| object.suspend),
        Kind::ImagePolicy => inventory.policies.get(id).is_some_and(|object| object.suspend),
        Kind::ImageUpdateAutomation => inventory.automations.get(id).is_some_and(|object| object.suspend),
        Kind::GitRepository => false,
    };
    if is_suspended {
        return Err(suspended(kind, id));
    }
    match kind {
        Kind::ImageRepository => scan(session, id),
        Kind::ImagePolicy => evaluate(session, id),
        Kind::ImageUpdateAutomation | Kind::GitRepository => run(session, id),
    }
}

/// That nothing is done for an object before it is resumed.
pub(in crate::headless) fn suspended(kind: Kind, id: &ObjectId) -> Problem {
    let resume = format!("Resume it first: supercargo resume image {} {id}", word(kind));
    Problem::new(Code::Usage, id.to_string(), "resource is suspended").hint(resume)
}

fn scan(session: &Session, id: &ObjectId) -> Result<Outcome, Problem> {
    let progress = Progress::new(session.engine.settings());
    let work = session.engine.scan(&session.world, id, crate::engine::now(), |at| progress.scan(&at));
    let scan = session.run(work)?;
    drop(progress);
    let repository = session.world.inventory.repositories.get(id);
    match repository.map(|repository| session.engine.kept(repository, &scan.tags)) {
        Some(Err(text)) => {
            Err(Problem::new(Code::PolicyInvalid, id.to_string(), format!("scan failed: {text}")))
        }
        Some(Ok(kept)) => Ok(Outcome::of(format!("scan fetched {} tags", kept.kept))),
        None => Ok(Outcome::of(format!("scan fetched {} tags", scan.tags.len()))),
    }
}

fn evaluate(session: &mut Session, id: &ObjectId) -> Result<Outcome, Problem> {
    let scope = Scope::of_policies(&session.world, [id.clone()]);
    session.narrow(&scope);
    let judged = session.judge()?;
    let repository = session.world.inventory.policies.get(id).map(|policy| policy.repository.clone());
    let scanned = repository.and_then(|repository| judged.scan_problems.get(&repository).cloned());
    if let Some(problem) = scanned {
        return Err(problem);
    }
    let evaluated = judged
        .selections
        .get(id)
        .ok_or_else(|| Problem::new(Code::Internal, id.to_string(), "the policy was not evaluated"))?;
    if let Some(problem) = &evaluated.undigested {
        return Err(problem.clone());
    }
    let latest = evaluated.selection.outcome.as_ref().map_err(Clone::clone)?;
    Ok(Outcome::of(format!("selected ref {}", written(latest))))
}

/// `IMAGE:TAG[@DIGEST]`.
fn written(latest: &Reference) -> String {
    let digest = latest.digest.as_deref().filter(|digest| !digest.is_empty());
    let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{}:{}{digest}", latest.image, latest.tag)
}

/// What the automation would write, and where.
fn run(session: &mut Session, id: &ObjectId) -> Result<Outcome, Problem> {
    let scope = Scope::of_automations(&session.world, |automation| automation == id);
    session.narrow(&scope);
    let reviewed = session.review(&Onto::Push)?;
    if let Some(problem) = reviewed.problems.iter().find(|problem| problem.exit() != 0) {
        return Err(problem.clone());
    }
    let mut proposals = reviewed.review.proposals.clone();
    for update in &mut proposals {
        plan::decide(update, false, false);
    }
    let open = proposals.len();
    let request = PrepareRequest::of(proposals, crate::config::Refresh::Never);
    let prepared =
        session.run(session.engine.prepare(&session.world, &reviewed.judged.selections, request))?;
    if let Some(problem) = prepared.plan.problems.iter().find(|problem| problem.exit() != 0) {
        return Err(problem.clone());
    }
    let counts = prepared.plan.approved_counts();
    if prepared.plan.groups.is_empty() && open == 0 {
        return Ok(Outcome::of("repository up-to-date".to_owned()));
    }
    let message = format!(
        "{} of {open} pending would be written: {}, {}",
        count(counts.updates, "update"),
        count(counts.files, "file"),
        count(counts.sites, "site")
    );
    Ok(Outcome { message, lines: plan::summary(&prepared.plan) })
}
