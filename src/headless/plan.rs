//! `plan`: decide on the command line, and print what would land.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::session::{Reviewed, Session};
use super::updates::{Blocks, add_unsaid, exit_of, failed_policies, open, row, scope};
use super::{API_VERSION, Answer, Document, Table, Text, write_json};
use crate::cli::{Format, PlanArgs, RevertArgs, Split};
use crate::config::Settings;
use crate::domain::branch::{Onto, is_template};
use crate::domain::hold;
use crate::domain::object::ObjectId;
use crate::domain::plan::{Group, Plan};
use crate::domain::proposal::{Decision, Proposal, UpdateState};
use crate::engine::{PrepareRequest, has_authors, one_branch, patch};
use crate::problem::{Code, Problem, strongest_exit};
use crate::text::count;

/// A plan, and whether everything that it was asked for could be looked at.
struct Planned {
    plan: Plan,
    is_whole: bool,
}

/// The JSON of a plan as it is printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    api_version: &'static str,
    kind: &'static str,
    problems: &'a [Problem],
    #[serde(flatten)]
    body: Body<'a>,
}

/// A plan without its problems, which stand at the top of every document.
#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    created: &'a Timestamp,
    created_by: &'a str,
    version: &'a str,
    groups: &'a [Group],
    bytes_changed_outside_markers: u64,
}

impl<'a> Body<'a> {
    fn of(plan: &'a Plan) -> Self {
        let Plan { id, created, created_by, version, problems: _, bytes_changed_outside_markers, groups } =
            plan;
        let bytes_changed_outside_markers = *bytes_changed_outside_markers;
        Self { id, created, created_by, version, groups, bytes_changed_outside_markers }
    }
}

impl Document for Planned {
    fn kind(&self) -> &'static str {
        "Plan"
    }

    fn json(&self) -> Map<String, Value> {
        match json!(Body::of(&self.plan)) {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    fn write_json(&self, out: &mut dyn Write, problems: &[Problem]) -> io::Result<()> {
        let body = Body::of(&self.plan);
        write_json(out, &Whole { api_version: API_VERSION, kind: self.kind(), problems, body })
    }

    fn text(&self, _wide: bool) -> Text {
        if self.plan.groups.is_empty() {
            let text = if self.is_whole {
                "Nothing to do.\n"
            } else {
                "Nothing is planned: what is named above kept it from that.\n"
            };
            return Text::Raw(text.as_bytes().to_vec());
        }
        let headings =
            ["POLICY", "CURRENT", "NEW", "STEP", "SITES", "FILES", "AUTOMATION", "STATE", "MESSAGE"];
        let mut table = Table::new(headings.into_iter().chain(["DECISION"]));
        for update in self.plan.groups.iter().flat_map(|group| &group.updates) {
            let decision = match update.decision {
                Decision::Undecided => "undecided",
                Decision::Approved => "approved",
                Decision::Skipped => "skipped",
                Decision::Partial => "partial",
            };
            table.push(row(update).into_iter().chain([decision.to_owned()]));
        }
        Text::TableAndLines(table, summary(&self.plan))
    }

    fn names(&self) -> Vec<String> {
        let approved = self.plan.groups.iter().flat_map(|group| &group.updates);
        approved
            .filter(|update| update.is_approved())
            .map(|update| format!("update/{}", update.policy))
            .collect()
    }
}

/// The patch of a plan, in the place of its table.
struct Patch(String);

impl Document for Patch {
    fn kind(&self) -> &'static str {
        "Patch"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("patch".to_owned(), json!(self.0))])
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Patch(self.0.clone())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a person wants to know of a plan below its table.
pub(super) fn summary(plan: &Plan) -> Vec<String> {
    let counts = plan.approved_counts();
    let mut lines = vec![format!(
        "plan {}: {}, {}, {}{}, {} bytes outside markers",
        plan.id,
        count(counts.updates, "update"),
        count(counts.files, "file"),
        count(counts.sites, "site"),
        if counts.edits == 0 { String::new() } else { format!(", {}", count(counts.edits, "edit")) },
        plan.bytes_changed_outside_markers
    )];
    for group in &plan.groups {
        let base = group.base.as_ref().map_or_else(String::new, |base| {
            let name = base.reference.strip_prefix("refs/heads/").unwrap_or(&base.reference);
            format!(" from {name}@{}", crate::engine::short(&base.commit))
        });
        let subject = group.message.lines().next().unwrap_or_default();
        let place = match (&group.remote, &group.push) {
            (Some(remote), Some(push)) => format!("{remote} {}", push.names().join(" and ")),
            _ => "no Git remote, --output-patch FILE writes the change".to_owned(),
        };
        lines.push(format!("{} → {place}{base}: {subject}", group.automation));
        let edits = group.updates.iter().flat_map(Proposal::approved_edits);
        lines.extend(edits.map(|edit| format!("  + {} ({}:{})", edit.words(), edit.file, edit.line)));
        lines.extend(group.warnings.iter().map(|warning| format!("  ⚠ {}", warning.message)));
    }
    lines
}

/// `plan NAME…|--all`.
pub(super) fn plan(settings: &Settings, args: &PlanArgs) -> Result<Answer, Problem> {
    let named: Vec<String> = if args.names.is_empty() {
        Vec::new()
    } else {
        args.names.iter().chain(&args.skip).cloned().collect()
    };
    let onto = one_branch(Onto::named(args.branch.clone()))?;
    let is_printed = args.output_patch.as_deref() == Some(Path::new("-"));
    if is_printed && !matches!(settings.output, Format::Table | Format::Wide) {
        let problem = Problem::new(Code::Usage, "--output-patch -", "standard output is to have the plan");
        return Err(problem.hint("Name a file for the patch, or leave -o out."));
    }
    let (session, _) = open(settings, &named)?;
    let cut_off = session.cut_off()?;
    let mut reviewed = session.review(&onto)?;
    let scope = scope(&session, &args.names)?;
    let skipped = if args.skip.is_empty() { Vec::new() } else { self::scope(&session, &args.skip)? };
    let mut proposals = std::mem::take(&mut reviewed.review.proposals);
    let blocks = Blocks::of(proposals.iter().filter(|update| {
        scope.contains(&update.policy)
            && !skipped.contains(&update.policy)
            // Whoever suspends a policy knows that `--all` leaves it out.
            && !(args.all && session.is_suspended(&update.policy))
    }));
    let mut left_out = Vec::new();
    for update in proposals.iter_mut().filter(|update| scope.contains(&update.policy)) {
        let skip = skipped.contains(&update.policy);
        decide(update, !args.all, skip);
        left_out.extend(reason_to_ask(update).filter(|_| args.all && !skip).into_iter().flatten());
    }
    let mut request = PrepareRequest::of(proposals, crate::config::Refresh::Never);
    request.onto = onto;
    request.split = args.split == Some(Split::Policy);
    request.contents = args.output_patch.is_some();
    if let Some(message) = message(args)? {
        let ids = session.world.automations.iter().map(|automation| automation.meta.id.clone());
        request.messages = ids.map(|id| (id, message.clone())).collect::<BTreeMap<ObjectId, String>>();
    }
    // A branch of an update's own may not be in the cache yet.
    if is_template(args.branch.as_deref().unwrap_or_default()) {
        request.refresh = settings.refresh;
    }
    let prepared =
        session.run(session.engine.prepare(&session.world, &reviewed.judged.selections, request))?;
    let patch = args.output_patch.as_ref().map(|_| patch(&prepared.plan, &prepared.contents));
    if let (Some(path), Some(patch)) = (args.output_patch.as_ref().filter(|_| !is_printed), &patch) {
        write_patch(path, patch)?;
    }
    let mut plan = prepared.plan;
    has_authors(&plan)?;
    let moved = prepared.moved.iter().map(|text| Problem::new(Code::StalePlan, "plan", text));
    plan.problems.extend(moved.map(|problem| problem.hint("Plan once more.")));
    let mut answer = answer(&session, &reviewed, &scope, plan, blocks);
    if let Some(patch) = patch.filter(|_| is_printed) {
        answer.document = Some(Box::new(Patch(patch)));
    }
    // Said once, and no part of the plan.
    answer.problems.extend(cut_off);
    Ok(left_out.into_iter().fold(answer, Answer::with_note))
}

/// `revert COMMIT`: as [`plan`], with the old values of a commit.
pub(super) fn revert(settings: &Settings, args: &RevertArgs) -> Result<Answer, Problem> {
    let session = Session::open(settings)?;
    let cut_off = session.cut_off()?;
    let repository = super::merge::repository(&session, args.repo.as_deref())?;
    let remote = session.engine.repository_address(&session.world, repository.as_ref())?;
    let what = (remote.as_str(), args.commit.as_str());
    let reverted = session.run(session.engine.revert(&session.world, what, settings.refresh))?;
    let own: Vec<Problem> = reverted.left.into_iter().chain(reverted.plan.problems.iter().cloned()).collect();
    // What is wrong elsewhere is told, but takes nothing from this plan.
    let exit = strongest_exit(own.iter().map(Problem::exit));
    let mut problems = session.problems();
    problems.extend(own);
    let plan = Plan { problems: problems.clone(), ..reverted.plan };
    has_authors(&plan)?;
    problems.extend(cut_off);
    Ok(Answer::new(Planned { plan, is_whole: exit == 0 }).with_problems(problems).with_exit(exit))
}

/// A plan about the policies of `scope`, with all that kept something out of it: of `blocks` what cannot be written.
pub(super) fn answer(
    session: &Session,
    reviewed: &Reviewed,
    scope: &[ObjectId],
    plan: Plan,
    blocks: Blocks,
) -> Answer {
    let mut problems = reviewed.problems_of(session);
    let own: Vec<Problem> =
        plan.problems.iter().filter(|problem| !reviewed.problems.contains(problem)).cloned().collect();
    problems.extend(own.iter().cloned());
    let mut failed = failed_policies(session, reviewed, scope);
    let blocked = if blocks.problems.is_empty() { 0 } else { 8 };
    add_unsaid(&mut problems, failed.values().cloned().chain(blocks.problems));
    for (policy, problem) in blocks.whole {
        failed.entry(policy).or_insert(problem);
    }
    let partial = exit_of(session, reviewed, scope.len(), &failed);
    let left_out = own.iter().filter(|problem| problem.exit() != 0).map(Problem::exit);
    let left_out = strongest_exit(left_out);
    let exit = strongest_exit([partial, blocked, left_out]);
    let plan = Plan { problems: problems.clone(), ..plan };
    Answer::new(Planned { plan, is_whole: exit == 0 }).with_problems(problems).with_exit(exit)
}

/// `--all` approves all but held, blocked, downgrades and changed names; a name approves those too, except blocked.
pub(super) fn decide(update: &mut Proposal, named: bool, skip: bool) {
    if skip {
        update.decide(Decision::Skipped);
        return;
    }
    let allowed = match update.state {
        UpdateState::Blocked => false,
        UpdateState::Held => named,
        UpdateState::Pending => named || !update.needs_second_look(),
    };
    if allowed {
        update.decide(Decision::Approved);
    }
}

/// What `--all` leaves to a person, and how to approve it: one that approves everything would not have looked.
fn reason_to_ask(update: &Proposal) -> Option<[String; 2]> {
    let why = match update.state {
        UpdateState::Held => match &update.hold {
            Some(hold) => format!("it is held {}", hold::text(hold)),
            None => "it is held".to_owned(),
        },
        UpdateState::Pending if update.name_changed => "it changes the image's name".to_owned(),
        UpdateState::Pending if update.downgrade => "it goes back to an older tag".to_owned(),
        UpdateState::Blocked | UpdateState::Pending => return None,
    };
    let policy = &update.policy;
    Some([
        format!("⚠ {policy}: left out of --all: {why}"),
        format!("  hint: Look at it, then approve it by name: supercargo plan {policy}"),
    ])
}

fn message(args: &PlanArgs) -> Result<Option<String>, Problem> {
    if let Some(path) = &args.message_file {
        let name = path.display().to_string();
        return super::input::text(&name, &name).map(Some);
    }
    Ok(args.message.clone())
}

fn write_patch(path: &Path, text: &str) -> Result<(), Problem> {
    std::fs::write(path, text).map_err(|error| {
        Problem::new(Code::Usage, path.display().to_string(), "the patch cannot be written").caused_by(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headless::whole;

    #[test]
    fn what_is_written_at_once_is_the_json_that_every_document_has() {
        let problem = Problem::new(Code::Skipped, "apps/\u{202e}web", "left out");
        let plan = Plan {
            id: "0123456789ab".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            created_by: "rita@bastion".to_owned(),
            version: "0".to_owned(),
            problems: vec![problem.clone()],
            bytes_changed_outside_markers: 0,
            groups: Vec::new(),
        };
        let planned = Planned { plan, is_whole: true };
        let (mut written, mut made) = (Vec::new(), Vec::new());
        planned.write_json(&mut written, std::slice::from_ref(&problem)).unwrap();
        write_json(&mut made, &whole(&planned, &[problem])).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(made).unwrap());
    }
}
