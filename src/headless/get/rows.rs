//! The rows of `get`: what each object says of itself, what its controller says, and what we find.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::session::{Judged, Reviewed, Session};
use super::Row;
use crate::domain::controller::{Beside, Cause, Reported};
use crate::domain::inventory;
use crate::domain::object::{ImagePolicy, ImageRepository, ImageUpdateAutomation, Kind, ObjectId};
use crate::domain::proposal::Reference;
use crate::domain::status::Ready;
use crate::engine::{Engine, World, status};
use crate::problem::Problem;

fn title(flag: bool) -> String {
    if flag { "True" } else { "False" }.to_owned()
}

fn conditions(reported: Option<&Reported>) -> Vec<(String, Ready)> {
    let all = reported.into_iter().flat_map(|reported| &reported.conditions);
    all.map(|condition| (condition.kind.clone(), condition.status)).collect()
}

pub(super) fn repository_rows(session: &Session, judged: &Judged) -> impl Iterator<Item = Row> {
    let (engine, world) = (&session.engine, &session.world);
    let failures = engine.last_failures(world);
    let row = move |repository| repository_row(engine, world, repository, (judged, &failures));
    world.inventory.repositories.values().map(row)
}

fn repository_row(
    engine: &Engine,
    world: &World,
    repository: &ImageRepository,
    (judged, failures): (&Judged, &BTreeMap<ObjectId, Problem>),
) -> Row {
    let id = &repository.meta.id;
    let scan = judged.scans.get(id);
    let kept = scan.map(|scan| engine.kept(repository, &scan.tags));
    let problem = judged.scan_problems.get(id).or_else(|| failures.get(id));
    let (status, counts) = status::of_repository(repository, kept.as_ref(), problem);
    // Of what a cluster has, its controllers have the say, as in flux; counts are ours, of what they have scanned.
    let reported = world.reported(Kind::ImageRepository, id);
    let scanned = match reported {
        Some(reported) => reported.last_scan.as_ref().map(|scan| scan.time.to_string()),
        None => scan.map(|scan| scan.scanned.to_string()),
    };
    let counts = counts.filter(|_| scanned.is_some());
    let (kept, excluded) = (counts.map(|counts| counts.kept), counts.map(|counts| counts.excluded));
    let new = scan.filter(|_| scanned.is_some()).map(|scan| scan.new.len());
    let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    Row {
        meta: repository.meta.clone(),
        status: reported.map_or(status, Reported::status),
        conditions: conditions(reported),
        suspended: repository.suspend,
        implied: false,
        keys: [
            json!({
                "image": repository.image, "canonical": status::canonical(repository),
                "interval": repository.interval, "provider": repository.provider,
            }),
            json!({ "last_scan": scanned, "tags": kept, "new": new, "excluded": excluded }),
        ],
        cells: vec![scanned.unwrap_or_default(), title(repository.suspend)],
        wide: vec![repository.image.clone(), repository.interval.to_string(), number(kept), number(new)],
    }
}

pub(super) fn policy_rows(session: &Session, reviewed: &Reviewed) -> impl Iterator<Item = Row> {
    let world = &session.world;
    world.inventory.policies.values().map(|policy| policy_row(policy, world, reviewed))
}

fn policy_row(policy: &ImagePolicy, world: &World, reviewed: &Reviewed) -> Row {
    let id = &policy.meta.id;
    let evaluated = reviewed.judged.selections.get(id);
    let latest = evaluated.and_then(|evaluated| evaluated.selection.outcome.as_ref().ok());
    let sites = status::sites_of(&reviewed.review.grounds, id);
    let reported = world.reported(Kind::ImagePolicy, id);
    let controller = reported.and_then(|reported| reported.latest.as_ref());
    let scanned = reviewed.judged.scans.get(&policy.repository).map(|scan| scan.scanned);
    let evaluation = evaluated.and_then(|evaluated| evaluated.evaluation.as_ref());
    let kept = evaluation.map(|evaluation| evaluation.counts.kept());
    let beside = world.beside(policy, latest, (scanned, kept));
    let shown = if reported.is_some() { controller } else { latest };
    let mut wide = Vec::from([sites.to_string()]);
    wide.extend(world.live.as_ref().map(|_| here(latest, &beside)));
    let (kind, rule) = match policy.choice.kind_and_rule() {
        Some((kind, rule)) => (Some(kind), Some(rule)),
        None => (None, None),
    };
    let filter = policy.filter.as_ref();
    let cell = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Row {
        meta: policy.meta.clone(),
        status: reported
            .map_or_else(|| status::of_policy(&world.inventory, policy, evaluated), Reported::status),
        conditions: conditions(reported),
        suspended: policy.suspend,
        implied: false,
        keys: [
            json!({
                "repository": policy.repository, "type": kind, "rule": rule,
                "pattern": filter.map(|filter| &filter.pattern), "extract": filter.map(|filter| &filter.extract),
                "digest_policy": policy.digest_policy,
            }),
            json!({
                "latest": latest, "tie": evaluated.is_some_and(|evaluated| evaluated.selection.tie),
                "controller": controller, "differs": matches!(beside, Beside::Differs(_)), "sites": sites,
            }),
        ],
        cells: vec![
            cell(shown.map(|latest| latest.image.as_str())),
            cell(shown.map(|latest| latest.tag.as_str())),
        ],
        wide: [cell(kind), cell(rule), policy.repository.to_string()].into_iter().chain(wide).collect(),
    }
}

/// What is selected here, and why a controller has something else.
fn here(latest: Option<&Reference>, beside: &Beside) -> String {
    let tag = latest.map(|latest| latest.tag.clone()).unwrap_or_default();
    match beside {
        Beside::Differs(cause @ Cause::Image) => {
            let image = latest.map(|latest| latest.image.as_str()).unwrap_or_default();
            format!("{image}:{tag} (≠ {})", cause.word())
        }
        Beside::Differs(cause) => format!("{tag} (≠ {})", cause.word()),
        Beside::Agrees | Beside::Unknown => tag,
    }
}

pub(super) fn automation_rows(session: &Session, reviewed: &Reviewed) -> impl Iterator<Item = Row> {
    session.world.automations.iter().map(|automation| automation_row(session, automation, reviewed))
}

fn automation_row(session: &Session, automation: &ImageUpdateAutomation, reviewed: &Reviewed) -> Row {
    let (id, world) = (&automation.meta.id, &session.world);
    let ground = reviewed.review.grounds.iter().find(|ground| ground.automation == *id);
    let updates = || reviewed.review.proposals.iter().filter(|update| update.automation == *id);
    let pending = updates().count();
    let subject = id.to_string();
    let ran = status::Ran {
        ground,
        problem: reviewed.problems.iter().find(|problem| problem.subject == subject),
        has_changes: updates().any(|update| update.blocked.is_none()),
        selections: &reviewed.judged.selections,
    };
    let git = automation.git.clone().unwrap_or_default();
    let remote = ground.and_then(|ground| ground.remote.clone());
    let push = ground.and_then(|ground| ground.push.as_ref()).map(|push| push.branch.clone());
    let assumed =
        ground.is_some_and(|ground| ground.warnings.iter().any(|warning| warning.code == "assumed_remote"));
    let is_implied = inventory::is_implied(automation);
    let checkout = (!is_implied || remote.is_some()).then(|| status::checkout(world, automation));
    let reported = world.reported(Kind::ImageUpdateAutomation, id);
    let last_run = reported.and_then(|reported| reported.last_run).map(|time| time.to_string());
    Row {
        meta: automation.meta.clone(),
        status: reported.map_or_else(
            || status::of_automation(&session.engine, world, automation, &ran),
            Reported::status,
        ),
        conditions: conditions(reported),
        suspended: automation.suspend,
        implied: is_implied,
        keys: [
            json!({
                "git_repository": (!is_implied).then_some(&automation.source), "remote": remote,
                "assumed": assumed, "checkout": checkout, "push_branch": push,
                "path": (!automation.update_path.is_empty()).then_some(&automation.update_path), "author": git.author,
                "policies": ground.map_or(0, |ground| ground.policies.len()), "pending": pending,
            }),
            json!({
                "last_run": last_run, "template_warnings": status::template_warnings(&git.message_template, id),
            }),
        ],
        cells: vec![last_run.unwrap_or_default(), title(automation.suspend)],
        wide: vec![
            remote.unwrap_or_default(),
            push.unwrap_or_default(),
            automation.update_path.clone(),
            pending.to_string(),
        ],
    }
}
