//! `get updates` and `diff updates`: what would change, as a list and as a patch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::scope::Scope;
use super::session::{Reviewed, Session};
use super::{Answer, Document, Table, Text, filter, parts_exit};
use crate::config::Settings;
use crate::domain::branch::Onto;
use crate::domain::hold;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::plan::{Ground, sha256_hex};
use crate::domain::proposal::{Decision, Proposal, Step, UpdateState};
use crate::engine::{ChangedFile, Engine, PrepareRequest, joined};
use crate::problem::{Code, Problem, strongest_exit};
use crate::text::count;

/// The pending updates.
struct UpdateList(Vec<Proposal>);

impl Document for UpdateList {
    fn kind(&self) -> &'static str {
        "UpdateList"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("items".to_owned(), json!(self.0))])
    }

    fn text(&self, wide: bool) -> Text {
        if self.0.is_empty() {
            return Text::Nothing;
        }
        let extra = if wide { ["IMAGE", "WHY"].as_slice() } else { &[] };
        let headings =
            ["POLICY", "CURRENT", "NEW", "STEP", "SITES", "FILES", "AUTOMATION", "STATE", "MESSAGE"];
        let mut table = Table::new(headings.into_iter().chain(extra.iter().copied()));
        for update in &self.0 {
            let more = [update.image.clone(), update.why.clone()];
            table.push(row(update).into_iter().chain(more.into_iter().filter(|_| wide)));
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|update| format!("update/{}", update.policy)).collect()
    }
}

/// The cells of an update, as `get updates` and `plan` show them.
pub(super) fn row(update: &Proposal) -> Vec<String> {
    let state = match update.state {
        UpdateState::Pending => "pending",
        UpdateState::Held => "held",
        UpdateState::Blocked => "blocked",
    };
    let new = update.new.as_ref().map_or_else(
        || "?".to_owned(),
        |new| match &new.digest {
            // The tag alone would read as if nothing changed.
            Some(digest) if update.step == Some(Step::Digest) => format!("{}@{digest}", new.tag),
            Some(_) | None => new.tag.clone(),
        },
    );
    vec![
        update.policy.to_string(),
        update.current.join(", "),
        new,
        update.step.map_or("-", Step::word).to_owned(),
        update.sites.len().to_string(),
        update.files().to_string(),
        update.automation.to_string(),
        state.to_owned(),
        message(update),
    ]
}

/// Why an update cannot be made, or has to wait.
fn message(update: &Proposal) -> String {
    let blocked = update.blocked.as_ref().map(|problem| problem.message.clone());
    let held = || update.hold.as_ref().map(hold::text);
    blocked.or_else(held).unwrap_or_default()
}

/// `get updates [NAME…] [--exit-code]`.
pub(super) fn get(session: &mut Session, names: &[String], exit_code: bool) -> Result<Answer, Problem> {
    let scope = narrowed(session, names)?;
    let mut reviewed = session.review(&Onto::Push)?;
    let updates = in_scope(&reviewed, &scope);
    let exit = u8::from(exit_code && !updates.is_empty());
    let templates = templates(&reviewed, &updates);
    let failed = failed_policies(session, &reviewed, &scope);
    let partial = strongest_exit([exit_of(session, &reviewed, scope.len(), &failed), templates.1]);
    reviewed.problems.extend(templates.0);
    let note = updates.is_empty().then(|| nothing_pending(session, &reviewed, partial == 0));
    let mut problems = reviewed.problems_of(session);
    add_unsaid(&mut problems, failed.into_values());
    let answer = Answer::new(UpdateList(updates)).with_problems(problems);
    let answer = note.into_iter().fold(answer, Answer::with_note);
    Ok(answer.with_exit(strongest_exit([partial, exit])))
}

/// The automations of `updates` whose templates fail, and the exit they lead to: nothing can be committed there.
fn templates(reviewed: &Reviewed, updates: &[Proposal]) -> (Vec<Problem>, u8) {
    let open = updates.iter().filter(|update| update.state != UpdateState::Blocked);
    let automations: BTreeSet<String> = open.map(|update| update.automation.to_string()).collect();
    let failing = Engine::template_problems(&reviewed.review, &reviewed.judged.selections);
    let failing: Vec<Problem> =
        failing.into_iter().filter(|problem| automations.contains(&problem.subject)).collect();
    let exit = parts_exit(automations.len(), &failing);
    (failing, exit)
}

/// That there is no update; of a part of it all, that no more is known.
fn nothing_pending(session: &Session, reviewed: &Reviewed, is_all: bool) -> String {
    if !is_all {
        return "⚠ no pending updates in what could be checked; the rest failed".to_owned();
    }
    let sites: usize =
        reviewed.review.grounds.iter().flat_map(|ground| &*ground.files).map(|file| file.sites.len()).sum();
    let policies = count(session.world.inventory.policies.len(), "policy");
    format!("✔ no pending updates: {policies} checked against {}", count(sites, "site"))
}

/// The source, narrowed to the policies that are named, if any are.
pub(super) fn open(settings: &Settings, names: &[String]) -> Result<(Session, Vec<ObjectId>), Problem> {
    let mut session = Session::open(settings)?;
    let scope = narrowed(&mut session, names)?;
    Ok((session, scope))
}

/// Narrows a session to the policies that are named, or to those of a namespace or with some labels; which these are.
fn narrowed(session: &mut Session, names: &[String]) -> Result<Vec<ObjectId>, Problem> {
    let settings = session.engine.settings();
    if !names.is_empty() && settings.label_selector.is_some() {
        let problem = Problem::new(Code::Usage, "--label-selector", "chooses among all, and some are named");
        return Err(problem.hint("Leave the names out, or the selector."));
    }
    let is_part = !names.is_empty() || settings.namespace.is_some() || settings.label_selector.is_some();
    let scope = scope(session, names)?;
    if is_part {
        let narrow = Scope::of_updates(&session.world, scope.iter().cloned());
        session.narrow(&narrow);
    }
    Ok(scope)
}

/// The policies that a command is about: those named, else all of the namespace in scope that have the labels.
pub(super) fn scope(session: &Session, names: &[String]) -> Result<Vec<ObjectId>, Problem> {
    let known = &session.world.inventory.policies;
    let namespace = session.engine.settings().namespace.as_ref();
    if names.is_empty() {
        let labels = filter::labels(session.engine.settings())?;
        let none = BTreeMap::new();
        let of = |id: &ObjectId| known.get(id).map_or(&none, |policy| &policy.meta.labels);
        let all = known.keys().chain(session.world.inventory.ambiguous_of(Kind::ImagePolicy));
        let all = all.filter(|id| namespace.is_none_or(|wanted| *wanted == id.namespace));
        let all = all.filter(|id| labels.as_ref().is_none_or(|labels| labels.matches(of(id))));
        let all: Vec<ObjectId> = all.cloned().collect();
        let unread = session.world.inventory.unread.over(Kind::ImagePolicy, namespace.map(String::as_str));
        return match unread {
            Some(unread) if all.is_empty() => Err(unread.clone()),
            _ => Ok(all),
        };
    }
    names.iter().map(|name| session.find(Kind::ImagePolicy, name, known.keys())).collect()
}

pub(super) fn in_scope(reviewed: &Reviewed, scope: &[ObjectId]) -> Vec<Proposal> {
    let all = reviewed.review.proposals.iter();
    all.filter(|update| scope.contains(&update.policy)).cloned().collect()
}

/// The exit of a command about so many policies: of those that `failed`, and of the automations whose files could not be
/// read.
pub(super) fn exit_of(
    session: &Session,
    reviewed: &Reviewed,
    policies: usize,
    failed: &BTreeMap<ObjectId, Problem>,
) -> u8 {
    let failed: Vec<Problem> = failed.values().cloned().collect();
    let policies = parts_exit(policies, &failed);
    // What was read of a remote that does not answer now is old, and is no more than a part.
    let is_fresh = |ground: &&Ground| ground.base.as_ref().is_none_or(|base| !base.stale);
    let read = reviewed.review.grounds.iter().filter(is_fresh).count();
    let ambiguous = session.world.inventory.ambiguous_of(Kind::ImageUpdateAutomation).count();
    let automations = match session.world.automations.len() - read {
        0 => 0,
        _ if read == 0 => strongest_exit(reviewed.problems.iter().map(Problem::exit)),
        _ => 8,
    };
    let needed = [Kind::ImageRepository, Kind::ImagePolicy, Kind::ImageUpdateAutomation];
    let unread = &session.world.inventory.unread;
    let is_known = |kind: &Kind| match &session.engine.settings().namespace {
        Some(namespace) => unread.within(*kind, namespace).is_none(),
        None => unread.of(*kind).is_none(),
    };
    let is_whole = ambiguous == 0 && needed.iter().all(is_known);
    strongest_exit([policies, automations, if is_whole { 0 } else { 8 }])
}

/// The problem of each policy that could not be judged on what is there now.
pub(super) fn failed_policies(
    session: &Session,
    reviewed: &Reviewed,
    scope: &[ObjectId],
) -> BTreeMap<ObjectId, Problem> {
    let inventory = &session.world.inventory;
    let failed = scope.iter().filter_map(|id| {
        let policy = inventory.policies.get(id);
        if policy.is_some_and(|policy| policy.suspend) {
            return None;
        }
        // What keeps a policy from its repository matters more than what became of the scan.
        let linked = policy.filter(|policy| inventory.repository_of(policy).is_ok());
        let scan = linked.and_then(|policy| reviewed.judged.scan_problems.get(&policy.repository));
        let verdict = || {
            let evaluated = reviewed.judged.selections.get(id)?;
            evaluated.selection.outcome.as_ref().err().or(evaluated.undigested.as_ref())
        };
        Some((id.clone(), scan.or_else(verdict).cloned()?))
    });
    failed.collect()
}

/// Adds to what is said what is not said yet.
pub(super) fn add_unsaid(said: &mut Vec<Problem>, more: impl IntoIterator<Item = Problem>) {
    for problem in more {
        if !said.contains(&problem) {
            said.push(problem);
        }
    }
}

/// What of some updates cannot be written.
#[derive(Default)]
pub(super) struct Blocks {
    /// Why, each reason once.
    pub(super) problems: Vec<Problem>,
    /// The policies of which nothing can be written.
    pub(super) whole: BTreeMap<ObjectId, Problem>,
}

impl Blocks {
    /// What of `updates` cannot be written, single sites of them too.
    pub(super) fn of<'a>(updates: impl IntoIterator<Item = &'a Proposal>) -> Self {
        let mut blocks = Self::default();
        let mut open: BTreeSet<&ObjectId> = BTreeSet::new();
        for update in updates {
            match &update.blocked {
                Some(problem) => _ = blocks.whole.insert(update.policy.clone(), problem.clone()),
                None => _ = open.insert(&update.policy),
            }
            let reasons = update.sites.iter().filter_map(|site| site.blocked.as_ref()).chain(&update.blocked);
            for problem in reasons {
                if !blocks.problems.contains(problem) {
                    blocks.problems.push(problem.clone());
                }
            }
        }
        // What another automation writes is no whole failure.
        blocks.whole.retain(|policy, _| !open.contains(policy));
        blocks
    }
}

/// The diff of the pending updates.
struct Diff {
    updates: usize,
    sites: usize,
    outside: u64,
    files: Vec<ChangedFile>,
    /// Lines of context.
    unified: usize,
    problem_files: Vec<String>,
    /// Only the counts.
    stat: bool,
}

impl Document for Diff {
    fn kind(&self) -> &'static str {
        "Diff"
    }

    fn json(&self) -> Map<String, Value> {
        let file = |file: &ChangedFile| {
            json!({
                "remote": file.remote, "path": file.path,
                "sha256_before": sha256_hex(file.before.as_bytes()),
                "sha256_after": sha256_hex(file.after.after().as_bytes()), "patch": file.patch(self.unified),
            })
        };
        let files: Vec<Value> = self.files.iter().map(file).collect();
        let stat = json!({
            "updates": self.updates, "files": self.files.len(), "sites": self.sites,
            "bytes_outside_markers": self.outside,
        });
        Map::from_iter([
            ("stat".to_owned(), stat),
            ("files".to_owned(), json!(files)),
            ("problem_files".to_owned(), json!(self.problem_files)),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        if self.stat {
            let text = format!(
                "{}, {}, {}, {} bytes outside markers\n",
                count(self.updates, "update"),
                count(self.files.len(), "file"),
                count(self.sites, "site"),
                self.outside
            );
            return Text::Raw(text.into_bytes());
        }
        Text::Patch(joined(&self.files, self.unified))
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

/// `diff updates [NAME…] [--unified N] [--stat]`.
pub(super) fn diff(
    settings: &Settings,
    names: &[String],
    unified: usize,
    stat: bool,
) -> Result<Answer, Problem> {
    let (session, scope) = open(settings, names)?;
    let mut reviewed = session.review(&Onto::Push)?;
    let mut proposals = std::mem::take(&mut reviewed.review.proposals);
    let blocks = Blocks::of(proposals.iter().filter(|update| scope.contains(&update.policy)));
    for update in &mut proposals {
        if scope.contains(&update.policy) && update.state == UpdateState::Pending {
            update.decide(Decision::Approved);
        }
    }
    let request = PrepareRequest::of(proposals, crate::config::Refresh::Never);
    let prepared =
        session.run(session.engine.prepare(&session.world, &reviewed.judged.selections, request))?;
    let counts = prepared.plan.approved_counts();
    let document = Diff {
        updates: counts.updates,
        sites: counts.sites,
        outside: prepared.plan.bytes_changed_outside_markers,
        files: ChangedFile::all(&prepared.plan, &prepared.contents),
        unified,
        problem_files: reviewed.review.problem_files.iter().map(|(path, _)| path.clone()).collect(),
        stat,
    };
    let failed = failed_policies(&session, &reviewed, &scope);
    let partial = exit_of(&session, &reviewed, scope.len(), &failed);
    let changed = u8::from(!document.files.is_empty());
    let mut problems = reviewed.problems_of(&session);
    let own = prepared.plan.problems.iter().filter(|problem| !reviewed.problems.contains(problem));
    let left_out = strongest_exit(own.clone().map(Problem::exit));
    problems.extend(own.cloned());
    add_unsaid(&mut problems, failed.into_values().chain(blocks.problems));
    Ok(Answer::new(document).with_problems(problems).with_exit(strongest_exit([partial, left_out, changed])))
}
