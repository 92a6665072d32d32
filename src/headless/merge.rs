//! `merge`: bring a branch of the remote into another, or see how that would go.

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::{Answer, Document, Streams, Table, Text, push};
use crate::cli::MergeArgs;
use crate::config::Settings;
use crate::domain::branch::Guarded;
use crate::domain::freeze;
use crate::domain::landing::Merged;
use crate::domain::mode::Mode;
use crate::domain::object::{Kind, ObjectId};
use crate::engine::{Engine, MergeRequest, short};
use crate::problem::{Code, Problem};

/// What became of a merge; the shape of `push`'s answer.
struct MergeResult {
    dry_run: bool,
    merged: Merged,
}

impl Document for MergeResult {
    fn kind(&self) -> &'static str {
        "PushResult"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([
            ("dry_run".to_owned(), json!(self.dry_run)),
            ("plan".to_owned(), Value::Null),
            ("results".to_owned(), json!([self.merged])),
        ])
    }

    fn text(&self, wide: bool) -> Text {
        let extra = if wide { ["CREDENTIAL"].as_slice() } else { &[] };
        let mut table =
            Table::new(["REMOTE", "BRANCH", "COMMIT", "RESULT"].into_iter().chain(extra.iter().copied()));
        let Merged { remote, branch, commit, credential, .. } = &self.merged;
        let commit = commit.as_deref().map(short).unwrap_or_default();
        let cells = [remote.clone(), branch.clone(), commit, outcome(&self.merged).to_owned()];
        table.push(cells.into_iter().chain(credential.clone().filter(|_| wide)));
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.merged.commit.iter().map(|commit| format!("commit/{commit}")).collect()
    }
}

fn outcome(merged: &Merged) -> &'static str {
    match merged {
        Merged { error: Some(_), .. } => "failed",
        Merged { already: true, .. } => "merged already",
        Merged { pushed: true, verified: true, fast_forward: true, .. } => "fast-forwarded, verified",
        Merged { pushed: true, verified: true, .. } => "merged, verified",
        Merged { pushed: true, .. } => "merged",
        Merged { fast_forward: true, .. } => "would be fast-forwarded (dry run)",
        _ => "would be merged (dry run)",
    }
}

/// `merge BRANCH --into B`.
pub(super) fn merge(
    settings: &Settings,
    args: &MergeArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let dry_run = match settings.mode {
        Mode::ReadOnly => return Err(super::read_only(settings, "merge")),
        Mode::DryRun => true,
        Mode::Write => false,
    };
    super::asks(settings, "merge")?;
    if args.branch == args.into {
        return Err(Problem::new(Code::Usage, "--into", "a branch cannot be merged into itself"));
    }
    let session = Session::open(settings)?;
    let repository = repository(&session, args.repo.as_deref())?;
    let remote = session.engine.repository_address(&session.world, repository.as_ref())?;
    let cancel = CancellationToken::new();
    let mut request = MergeRequest {
        remote: remote.clone(),
        from: args.branch.clone(),
        into: args.into.clone(),
        always_commit: args.no_ff,
        dry_run,
        seen: None,
        cancel: cancel.clone(),
    };
    if !dry_run {
        let guard = session.engine.guard(&session.world, &args.into);
        let protected: Vec<Guarded> =
            guard.into_iter().map(|why| Guarded { branch: args.into.clone(), why }).collect();
        let branches = (protected.as_slice(), std::slice::from_ref(&args.into));
        push::are_named(settings, branches)?;
        // What is confirmed is what was seen.
        let ahead = session.run(session.engine.merge_ahead(&session.world, request.clone()));
        let ahead = match ahead.map_err(|problem| session.explain(problem)) {
            Ok((ahead, _)) => ahead,
            Err(problem) => return failed(dry_run, (remote, args), problem),
        };
        tell(settings, &brings(&ahead), streams);
        request.seen = Some((ahead.tip, ahead.base));
        let question = format!("{} of {remote} goes into {}", args.branch, args.into);
        push::confirm(settings, branches, &question, false, streams)?;
    }
    let cut_off = session.cut_off()?;
    let merging = session.engine.merge(&session.world, request, push::progress(settings.quiet));
    let merged = session.run_stoppable(&cancel, merging).map_err(|problem| session.explain(problem));
    session.engine.pushes_seen();
    let merged = match merged {
        Ok(merged) => merged,
        Err(problem) => return failed(dry_run, (remote, args), problem),
    };
    say(settings, args, &merged, streams);
    let mut problems = session.problems();
    problems.extend(cut_off);
    let document = MergeResult { dry_run, merged };
    Ok(Answer::new(document).with_problems(problems))
}

/// The answer where nothing was merged: what became of it, with the reason, as `push` has it.
///
/// # Errors
/// What was asked for makes no sense: there is nothing that could become of it.
fn failed(dry_run: bool, (remote, args): (String, &MergeArgs), problem: Problem) -> Result<Answer, Problem> {
    if problem.exit() == Code::Usage.exit() {
        return Err(problem);
    }
    let exit = problem.exit();
    let merged = Merged::failed(remote, args.into.clone(), problem.clone());
    Ok(Answer::new(MergeResult { dry_run, merged }).with_problems(vec![problem]).with_exit(exit))
}

/// The repository that `--repo` names.
pub(super) fn repository(session: &Session, name: Option<&str>) -> Result<Option<ObjectId>, Problem> {
    let known = Engine::repository_names(&session.world);
    name.map(|name| session.find(Kind::GitRepository, name, &known)).transpose()
}

/// The commits that come along, a line each.
fn brings(merged: &Merged) -> Vec<String> {
    merged.brings.iter().flatten().map(|brought| format!("  with {brought}")).collect()
}

/// Lines on standard error.
fn tell(settings: &Settings, lines: &[String], streams: &mut Streams<'_>) {
    for line in lines.iter().filter(|_| !settings.quiet) {
        // Progress is worth nothing if it cannot be written.
        let _ = writeln!(streams.err, "{}", super::table::clean(line));
    }
}

/// What was done, or would be.
fn say(settings: &Settings, args: &MergeArgs, merged: &Merged, streams: &mut Streams<'_>) {
    let (from, into) = (&args.branch, &args.into);
    let commit = merged.commit.as_deref().map(short).unwrap_or_default();
    let how = if merged.fast_forward { "fast-forward" } else { "merge commit" };
    let mut lines = vec![match (merged.already, merged.pushed) {
        (true, _) => format!("✔ {into} has all of {from} already"),
        (false, true) => format!("✔ merged {from} into {into}: {how} {commit}"),
        (false, false) => format!("✔ would merge {from} into {into}: {how} {commit} (dry run)"),
    }];
    if !merged.pushed {
        lines.extend(brings(merged));
    }
    let frozen = freeze::open(&settings.freeze, crate::engine::now()).filter(|_| !merged.already);
    lines.extend(frozen.map(|frozen| format!("⚠ {frozen}")));
    tell(settings, &lines, streams);
}
