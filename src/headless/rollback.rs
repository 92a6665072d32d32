//! `rollback`: an older tag and what keeps it there, as a plan; the policy is held at once.

use std::collections::BTreeSet;

use super::Answer;
use super::plan::answer;
use super::scope::Scope;
use super::session::{Reviewed, Session};
use super::updates::{Blocks, scope};
use crate::cli::{KeepBy, RollbackArgs};
use crate::config::{Refresh, Settings};
use crate::domain::branch::Onto;
use crate::domain::hold::{self, Until};
use crate::domain::keep::{self, BackError, Means};
use crate::domain::landing::Merge;
use crate::domain::mode::Mode;
use crate::domain::object::ObjectId;
use crate::domain::plan::Group;
use crate::domain::proposal::{Decision, Hold, Proposal, UpdateState};
use crate::engine::{PrepareRequest, has_authors};
use crate::problem::{Code, Problem};

/// `rollback POLICY --to TAG --reason R [--keep MEANS] [--until DATE|7d]`.
///
/// # Errors
/// The tag cannot be gone back to, or not be kept that way: then nothing is held either.
pub(super) fn rollback(settings: &Settings, args: &RollbackArgs) -> Result<Answer, Problem> {
    if settings.mode == Mode::ReadOnly {
        return Err(super::read_only(settings, "rollback"));
    }
    let since = crate::engine::now();
    let until = args.until.unwrap_or(Until::days(settings.hold_days)).time(since);
    let until = until.map_err(|error| Problem::new(Code::Usage, "--until", error.to_string()))?;
    let session = Session::open(settings)?;
    let scope = scope(&session, std::slice::from_ref(&args.policy))?;
    let reviewed = session.review(&Onto::Push)?;
    let missing = || Problem::new(Code::NotFound, &args.policy, "there is no such policy");
    let policy = scope.first().ok_or_else(missing)?;
    let who = crate::engine::who();
    let by = who.split_once('@').map_or(who.as_str(), |(user, _)| user).to_owned();
    // Of one tag alone the next one that is pushed would undo it.
    let hold = Hold { policy: policy.clone(), tag: None, until, reason: args.reason.clone(), by, since };
    let updates = updates((&session, settings.refresh), &reviewed, args, &hold)?;
    let mut request = PrepareRequest::of(updates, Refresh::Never);
    let key = |update: &Proposal| (update.policy.clone(), update.automation.clone());
    request.wanted = request.proposals.iter().map(key).collect::<BTreeSet<_>>();
    let prepared =
        session.run(session.engine.prepare(&session.world, &reviewed.judged.selections, request))?;
    has_authors(&prepared.plan)?;
    let left_out = prepared.plan.problems.iter().any(|problem| problem.exit() != 0);
    let merges: Vec<String> = prepared.plan.groups.iter().filter_map(takes_a_merge).collect();
    let answer = answer(&session, &reviewed, &scope, prepared.plan, Blocks::default());
    if left_out {
        return Ok(answer);
    }
    session.engine.hold(&hold, settings.mode.word())?;
    let note = format!("✔ {policy} is held {}, with every tag that comes later", hold::text(&hold));
    let answer = answer.with_note(note).with_note(format!("► {}", means(args.keep).next_tag()));
    Ok(merges.into_iter().fold(answer, Answer::with_note))
}

/// That what a group keeps a tag by has no effect before its branch is merged.
fn takes_a_merge(group: &Group) -> Option<String> {
    let has_edits = group.updates.iter().any(|update| !update.approved_edits().is_empty());
    let branches = (group.base.as_ref(), group.push.as_ref());
    let merge = Merge::of(&group.automation, group.remote.as_deref(), branches).filter(|_| has_edits)?;
    let Merge { automation, from, into, .. } = merge;
    Some(format!(
        "► {automation} reads {into}: until {from} is merged, a controller writes newer tags as before"
    ))
}

fn means(keep: KeepBy) -> Means {
    match keep {
        KeepBy::Hold => Means::Hold,
        KeepBy::Suspend => Means::Suspend,
        KeepBy::Exclude => Means::Exclude,
        KeepBy::Narrow => Means::Narrow,
    }
}

/// Why the files of an automation that applies the policy could not be read.
fn unread(session: &Session, reviewed: &Reviewed, policy: &ObjectId) -> Option<Problem> {
    let scope = Scope::of_policies(&session.world, [policy.clone()]).automations;
    let is_its = |problem: &&Problem| scope.iter().any(|id| id.to_string() == problem.subject);
    reviewed.problems.iter().filter(is_its).find(|problem| problem.exit() != 0).cloned()
}

/// The approved updates to the older tag, with the edits that keep it there.
fn updates(
    (session, refresh): (&Session, Refresh),
    reviewed: &Reviewed,
    args: &RollbackArgs,
    hold: &Hold,
) -> Result<Vec<Proposal>, Problem> {
    let policy = &hold.policy;
    let refused = |why: String| Problem::new(Code::Usage, policy.to_string(), why);
    let evaluated = reviewed.judged.selections.get(policy);
    let selection = evaluated.map(|evaluated| evaluated.selection.clone());
    let selection = selection.ok_or_else(|| refused("its tags are not known yet".to_owned()))?;
    let repository = session.world.inventory.policies.get(policy).map(|policy| &policy.repository);
    let scan = repository.and_then(|repository| reviewed.judged.scans.get(repository));
    if scan.is_none_or(|scan| scan.tags.position(&args.to).is_none()) {
        return Err(refused(format!("the registry has no tag {}, as far as is known", args.to)));
    }
    let what = (policy, args.to.as_str());
    let found = session.run(session.engine.roll_back(&session.world, what, refresh))?;
    let means = means(args.keep);
    let edits =
        found.edits(means).map_err(|why| refused(format!("--keep {}: {why}", means.word())))?.to_vec();
    let why = format!("picked by {} until {}: {}", hold.by, hold.until.strftime("%Y-%m-%d"), hold.reason);
    let grounds = &reviewed.review.grounds;
    let back = keep::back_to(grounds, (policy, &selection), found.reference, why);
    let mut updates = back.map_err(|error| match &error {
        BackError::NotOlder { .. } => refused(error.to_string())
            .hint(format!("What goes forward is an ordinary update: `supercargo plan {policy}`.")),
        BackError::Nowhere(_) => {
            unread(session, reviewed, policy).unwrap_or_else(|| refused(error.to_string()))
        }
        BackError::Held(_) | BackError::Blocked(_) => refused(error.to_string()),
    })?;
    keep::attach(&mut updates, grounds, edits).map_err(refused)?;
    for update in &mut updates {
        update.decide(Decision::Approved);
        // Approved although it is held, so that it lands and whatever comes later does not.
        (update.state, update.hold) = (UpdateState::Held, Some(hold.clone()));
    }
    Ok(updates)
}
