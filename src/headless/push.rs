//! `push`: land a plan, or see how far it would get.

use std::io::{IsTerminal, Write};

use serde_json::{Map, Value, json};

use super::session::Session;
use super::{API_VERSION, Answer, Document, Streams, Table, Text};
use crate::cli::{self, PushArgs};
use crate::config::{Refresh, Settings};
use crate::domain::branch::Guarded;
use crate::domain::landing::{Landed, LandingStep};
use crate::domain::mode::Mode;
use crate::domain::plan::{Group, Plan, PushTarget};
use crate::domain::proposal::{Proposal, UpdateState};
use crate::domain::request::{Request, RequestState, RequestWish};
use crate::engine::{DryRun, Landing, short};
use crate::problem::{Code, Problem};
use crate::text::count;

/// What became of a plan.
struct PushResult {
    dry_run: bool,
    plan: String,
    results: Vec<Landed>,
}

impl Document for PushResult {
    fn kind(&self) -> &'static str {
        "PushResult"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([
            ("dry_run".to_owned(), json!(self.dry_run)),
            ("plan".to_owned(), json!(self.plan)),
            ("results".to_owned(), json!(self.results)),
        ])
    }

    fn text(&self, wide: bool) -> Text {
        if self.results.is_empty() {
            return Text::Nothing;
        }
        let extra = if wide { ["CREDENTIAL"].as_slice() } else { &[] };
        let has_request = self.results.iter().any(|landed| landed.request.is_some());
        let request = if has_request { ["REQUEST"].as_slice() } else { &[] };
        let headings = ["AUTOMATION", "REMOTE", "BRANCH", "COMMIT", "RESULT"];
        let mut table = Table::new(headings.into_iter().chain(request.iter().chain(extra).copied()));
        for landed in &self.results {
            let commit = landed.commit.as_deref().map(short).unwrap_or_default();
            let cells = [
                landed.automation.to_string(),
                landed.remote.clone(),
                landed.places(),
                commit,
                self.outcome(landed).to_owned(),
            ];
            let label = landed.request.as_ref().map(Request::label).unwrap_or_default();
            let cells = cells.into_iter().chain(has_request.then_some(label));
            table.push(cells.chain(landed.credential.clone().filter(|_| wide)));
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        let done = self.results.iter().filter_map(|landed| landed.commit.as_ref());
        done.map(|commit| format!("commit/{commit}")).collect()
    }
}

impl PushResult {
    fn outcome(&self, landed: &Landed) -> &'static str {
        match landed {
            Landed { missed: Some(_), pushed: true, .. } => "pushed, refspec failed",
            Landed { error: Some(_), pushed: true, .. } => "pushed, request failed",
            Landed { error: Some(_), .. } => "failed",
            Landed { already: true, .. } => "already there",
            Landed { pushed: true, verified: true, .. } => "pushed, verified",
            Landed { pushed: true, .. } => "pushed",
            _ if self.dry_run => "would be pushed (dry run)",
            _ => "not pushed",
        }
    }
}

/// `push --plan PLAN|-`.
pub(super) fn push(
    settings: &Settings,
    args: &PushArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let plan = read_plan(&args.plan)?;
    let dry_run = how_far(settings, args)?;
    if dry_run != DryRun::Client {
        super::asks(settings, "push")?;
    }
    let opened = Session::open_or_empty(settings);
    if plan.is_edited() {
        return Err(edited(settings, args, (&plan, dry_run), opened));
    }
    let session = opened?;
    if plan.groups.is_empty() {
        say_nothing(settings, &plan, streams);
        return Ok(Answer::new(PushResult {
            dry_run: dry_run != DryRun::None,
            plan: plan.id,
            results: Vec::new(),
        }));
    }
    let_go(&session, &plan, dry_run)?;
    let meant = branched(args, &plan);
    let protected = session.engine.protected(&session.world, &meant);
    let pushed = branches(&meant);
    let unnamed = match dry_run {
        DryRun::None => {
            confirm(settings, (&protected, &pushed), &question(&meant), args.plan == "-", streams)?;
            None
        }
        DryRun::Client | DryRun::Server => are_named(settings, (&protected, &pushed)).err(),
    };
    let stands_in_the_way = match dry_run {
        DryRun::Server => session.run(session.engine.foretold(&session.world, &branched(args, &plan)))?,
        DryRun::Client | DryRun::None => Vec::new(),
    };
    let cut_off = if dry_run == DryRun::Client { Vec::new() } else { session.cut_off()? };
    let id = plan.id.clone();
    let world = session.world.clone();
    let request = args.pull_request.then(|| RequestWish { labels: args.labels.clone(), draft: args.draft });
    let landing = Landing { branch: args.branch.clone(), request, ..Landing::of(plan, dry_run) };
    let cancel = landing.cancel.clone();
    let landing = session.engine.land(&world, landing, progress(settings.quiet));
    let mut landed = session.run_stoppable(&cancel, landing).map_err(|problem| session.explain(problem))?;
    for result in &mut landed {
        result.error = result.error.take().map(|problem| session.explain(problem));
    }
    let failed: Vec<Problem> = landed.iter().filter_map(|landed| landed.error.clone()).collect();
    let mut problems = session.problems();
    problems.extend(cut_off.into_iter().chain(stands_in_the_way));
    for problem in &failed {
        if !problems.contains(problem) {
            problems.push(problem.clone());
        }
    }
    // A request that failed is a part of its own: the push itself did happen.
    let pushed = |landed: &&Landed| landed.error.is_some() && landed.is_there();
    let parts = landed.len() + landed.iter().filter(pushed).count();
    say(settings, &landed, dry_run, streams);
    session.engine.pushes_seen();
    let document = PushResult { dry_run: dry_run != DryRun::None, plan: id, results: landed };
    let answer = Answer::new(document).with_problems(problems).with_parts(parts, &failed);
    Ok(unnamed.iter().flat_map(as_note).fold(answer, Answer::with_note))
}

/// What would keep the push from being made, said of a dry run.
fn as_note(problem: &Problem) -> Vec<String> {
    let why = format!("⚠ {}: it would be refused: {}", problem.subject, problem.message);
    let others = problem.causes.iter().map(|cause| format!("⚠ {cause}"));
    std::iter::once(why)
        .chain(others)
        .chain(problem.hint.as_ref().map(|hint| format!("  hint: {hint}")))
        .collect()
}

/// Why a plan that was edited does not land: a confirmation that is missing is told first, but nobody is asked.
fn edited(
    settings: &Settings,
    args: &PushArgs,
    (plan, dry_run): (&Plan, DryRun),
    opened: Result<Session, Problem>,
) -> Problem {
    let meant = branched(args, plan);
    let protected = match opened {
        Ok(session) => session.engine.protected(&session.world, &meant),
        Err(problem) if problem.exit() == 2 => return problem,
        Err(_unreached) => Vec::new(),
    };
    let are_named = || are_named(settings, (&protected, &branches(&meant)));
    let confirmed = match dry_run {
        DryRun::None if settings.yes => are_named(),
        DryRun::None => are_named().and_then(|()| can_be_asked(&the_push(""), args.plan != "-")),
        DryRun::Client | DryRun::Server => Ok(()),
    };
    confirmed.err().unwrap_or_else(|| crate::domain::plan::Stale::Edited.into())
}

/// The plan as it is meant: on the branch of `--branch`, if one was given.
fn branched(args: &PushArgs, plan: &Plan) -> Plan {
    args.branch.iter().fold(plan.clone(), |plan, branch| plan.onto(branch))
}

/// A line on standard error for each step that is done.
pub(super) fn progress(quiet: bool) -> impl Fn(LandingStep) + Send + Sync + 'static {
    move |step| {
        if !quiet && let Some(millis) = step.millis {
            // Progress is worth nothing if it cannot be written.
            let text = super::table::clean(&step.text);
            let _ = writeln!(std::io::stderr(), "► {text}  {}.{:03} s", millis / 1000, millis % 1000);
        }
    }
}

/// What a person approved although it was held lands; what nobody held when the plan was made must not be held by now, and
/// has to have the minimum age, of which registries are asked once more.
fn let_go(session: &Session, plan: &Plan, dry_run: DryRun) -> Result<(), Problem> {
    let refresh = match dry_run {
        DryRun::Client => Refresh::Never,
        DryRun::Server | DryRun::None => session.engine.settings().refresh.for_the_last_look(),
    };
    let all = plan.groups.iter().flat_map(|group| &group.updates);
    let mut meant: Vec<Proposal> = all.filter(|update| update.is_approved()).cloned().collect();
    meant.retain(|update| update.state == UpdateState::Pending);
    session.run(async {
        let _all = session.engine.hold_back(&session.world, &mut meant, refresh).await;
        session.engine.let_go_since(plan, plan.created).await
    })?;
    let held = meant.iter().find_map(|update| update.hold.as_ref().map(|hold| (update, hold)));
    held.map_or(Ok(()), |(update, hold)| {
        let young = crate::domain::age::is_young(update);
        let (message, hint) = if young {
            let message = format!("too young until {}: {}", hold.until, hold.reason);
            (message, "Push it then, or say --min-age 0.".to_owned())
        } else {
            let message = format!("held {}", crate::domain::hold::text(hold));
            let again = format!("supercargo plan {}", update.policy);
            (
                message,
                format!(
                    "Plan it by its name all the same: {again}; or release it: supercargo unhold {}",
                    update.policy
                ),
            )
        };
        Err(Problem::new(Code::ConfirmationMissing, update.policy.to_string(), message).hint(hint))
    })
}

/// A plan without commits pushes nothing, which may be a surprise: what kept updates out of it is told, as far as it is in it.
fn say_nothing(settings: &Settings, plan: &Plan, streams: &mut Streams<'_>) {
    if settings.quiet {
        return;
    }
    let causes = plan.problems.iter().map(|problem| format!("\n  {}: {}", problem.subject, problem.message));
    let causes: String = causes.collect();
    let text = format!("⚠ the plan has no commit: nothing to push{causes}");
    for line in text.lines() {
        // Progress is worth nothing if it cannot be written.
        let _ = writeln!(streams.err, "{}", super::table::clean(line));
    }
}

/// One line for each commit and each request on standard error.
fn say(settings: &Settings, landed: &[Landed], dry_run: DryRun, streams: &mut Streams<'_>) {
    if settings.quiet {
        return;
    }
    let mut lines = Vec::new();
    for landed in landed.iter().filter(|landed| landed.error.is_none() || landed.pushed) {
        let commit = landed.commit.as_deref().map(short).unwrap_or_default();
        lines.push(match (landed.already, dry_run) {
            (true, _) if landed.commit.is_none() => {
                format!("✔ {} has all that the plan writes already", landed.branch)
            }
            (true, _) => format!("✔ {commit} is on {} already", landed.branch),
            (false, DryRun::None) => {
                let with = landed.credential.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
                format!("✔ pushed {commit} to {}{with}", landed.places())
            }
            (false, _) => format!("✔ would push {commit} to {} (dry run)", landed.places()),
        });
    }
    lines.extend(landed.iter().filter_map(|landed| request_line(landed.request.as_ref()?, landed)));
    let warning = |landed: &Landed| Some(format!("⚠ {}", landed.request.as_ref()?.warning.as_ref()?.message));
    lines.extend(landed.iter().filter_map(warning));
    lines.dedup();
    for line in lines {
        // As above.
        let _ = writeln!(streams.err, "{}", super::table::clean(&line));
    }
}

/// What became of the request for a branch; `None` where there is neither one nor a page.
fn request_line(request: &Request, landed: &Landed) -> Option<String> {
    let page = request.url.as_deref().unwrap_or_default();
    let branch = &landed.branch;
    Some(match request.state {
        RequestState::Open => {
            let draft = if request.draft == Some(true) { ", a draft" } else { "" };
            format!("✔ request {} for {branch} is open{draft}: {page}", request.label())
        }
        RequestState::Link if request.url.is_none() => return None,
        RequestState::Link => format!("◎ open a request for {branch} at {page}"),
        RequestState::Simulated => format!("✔ would open a request for {branch} (dry run): {page}"),
    })
}

/// Reads a plan from a file or standard input.
pub(crate) fn read_plan(name: &str) -> Result<Plan, Problem> {
    let text = super::input::text(name, name)?;
    is_of_now(name, &text)?;
    serde_json::from_str(&text).map_err(|error| {
        Problem::new(Code::Usage, name, "this is no plan")
            .caused_by(&error)
            .hint("Make one with: supercargo plan --all -o json")
    })
}

/// Checks that a document is a plan and of a version that is known here: one to come may mean something else by the same words.
fn is_of_now(name: &str, text: &str) -> Result<(), Problem> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        api_version: Option<String>,
        kind: Option<String>,
    }
    let Ok(Head { api_version, kind }) = serde_json::from_str(text) else { return Ok(()) };
    let (version, kind) = (api_version.as_deref().unwrap_or(API_VERSION), kind.as_deref().unwrap_or("Plan"));
    if (version, kind) == (API_VERSION, "Plan") {
        return Ok(());
    }
    let message = format!("this is a {kind} of {version}, and no plan of {API_VERSION}");
    Err(Problem::new(Code::Usage, name, message).hint("Make one with: supercargo plan --all -o json"))
}

/// Modes and `--dry-run`: without WRITE a push compares and sends nothing.
fn how_far(settings: &Settings, args: &PushArgs) -> Result<DryRun, Problem> {
    match (settings.mode, args.dry_run) {
        (Mode::ReadOnly, _) => Err(super::read_only(settings, "push")),
        (_, Some(cli::DryRun::Client)) => Ok(DryRun::Client),
        (_, Some(cli::DryRun::Server)) | (Mode::DryRun, None) => Ok(DryRun::Server),
        (Mode::DryRun, Some(cli::DryRun::None)) => {
            Err(Problem::new(Code::ModeRefused, "push", "--dry-run=none needs WRITE mode")
                .hint("Add --write."))
        }
        (Mode::Write, Some(cli::DryRun::None) | None) => Ok(DryRun::None),
    }
}

/// Where a plan goes: each branch, what refspecs add to it, and its remote.
fn places(plan: &Plan) -> String {
    let place = |groups: Vec<&Group>| {
        let names = groups.iter().filter_map(|group| group.push.as_ref()).flat_map(PushTarget::names);
        // All have the branch.
        let mut places: Vec<String> = Vec::new();
        for name in names {
            if !places.contains(&name) {
                places.push(name);
            }
        }
        let remote = groups.first().and_then(|group| group.remote.as_deref()).unwrap_or_default();
        format!("{} of {remote}", places.join(" and "))
    };
    plan.pushes().into_iter().map(place).collect::<Vec<_>>().join(", ")
}

/// Every branch that a plan pushes to, and what refspecs add to them.
fn branches(plan: &Plan) -> Vec<String> {
    plan.groups.iter().filter_map(|group| group.push.as_ref()).flat_map(PushTarget::names).collect()
}

/// What a person is asked before a plan is pushed.
fn question(plan: &Plan) -> String {
    let counts = plan.approved_counts();
    format!(
        "{}: {}, {}, {}, {}",
        places(plan),
        count(plan.groups.len(), "commit"),
        count(counts.updates, "update"),
        count(counts.files, "file"),
        count(counts.sites, "site")
    )
}

/// `--yes` or a `y` on the terminal; and the names of branches, as [`are_named`] has it.
pub(super) fn confirm(
    settings: &Settings,
    (protected, pushed): (&[Guarded], &[String]),
    question: &str,
    stdin_taken: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Problem> {
    are_named(settings, (protected, pushed))?;
    if settings.yes {
        return Ok(());
    }
    ask(&the_push(question), !stdin_taken, streams)
}

/// Whether every branch that is protected was confirmed by its name, and no other than those that are `pushed` to: whoever
/// names another one means another push. Those that were not are told, each with its reason.
pub(super) fn are_named(
    settings: &Settings,
    (protected, pushed): (&[Guarded], &[String]),
) -> Result<(), Problem> {
    let is_open = |guarded: &&Guarded| !settings.confirm_branches.contains(&guarded.branch);
    let open: Vec<&Guarded> = protected.iter().filter(is_open).collect();
    let Some((first, others)) = open.split_first() else {
        let other = settings.confirm_branches.iter().find(|branch| !pushed.contains(branch));
        return other.map_or(Ok(()), |other| {
            let message =
                format!("this branch was confirmed, and is not pushed to; {} is", pushed.join(", "));
            let problem = Problem::new(Code::ConfirmationMissing, other, message);
            Err(problem.hint(format!("Leave --confirm-branch {other} out if that is what you mean.")))
        });
    };
    let problem = Problem::new(Code::ConfirmationMissing, &first.branch, first.why.to_string());
    let problem = others
        .iter()
        .fold(problem, |problem, Guarded { branch, why }| problem.cause(format!("{branch}: {why}")));
    let flags: Vec<String> =
        open.iter().map(|guarded| format!("--confirm-branch {}", guarded.branch)).collect();
    let what = if others.is_empty() { "it" } else { "each" };
    Err(problem.hint(format!("Confirm {what} by name: {}", flags.join(" "))))
}

fn the_push(text: &str) -> Question<'_> {
    Question {
        subject: "push",
        text,
        missing: "a push has to be confirmed",
        hint: "Add --yes.",
        refused: "not confirmed; nothing was pushed",
    }
}

/// What a person is asked before something is done.
pub(super) struct Question<'a> {
    /// What wants to be done.
    pub(super) subject: &'a str,
    /// What is shown.
    pub(super) text: &'a str,
    /// What is said where nobody can be asked, and what to do then.
    pub(super) missing: &'a str,
    pub(super) hint: &'a str,
    /// What is said to any answer but a `y`.
    pub(super) refused: &'a str,
}

/// Whether there is somebody to ask; `can_ask`: standard input is not needed otherwise.
fn can_be_asked(question: &Question<'_>, can_ask: bool) -> Result<(), Problem> {
    if can_ask && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    let problem = Problem::new(Code::ConfirmationMissing, question.subject, question.missing);
    Err(problem.hint(question.hint))
}

/// A `y` on the terminal; `can_ask` as above.
pub(super) fn ask(question: &Question<'_>, can_ask: bool, streams: &mut Streams<'_>) -> Result<(), Problem> {
    can_be_asked(question, can_ask)?;
    let text = super::table::clean(question.text);
    let mut line = String::new();
    let asked = write!(streams.err, "{text}. Type y to go on: ").and_then(|()| streams.err.flush());
    let answered = asked.and_then(|()| std::io::stdin().read_line(&mut line));
    if answered.is_ok() && matches!(line.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Problem::new(Code::ConfirmationMissing, question.subject, question.refused))
}
