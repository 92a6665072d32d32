//! `lint`: a verdict for every marker of a work tree, from the objects of the files source and the tags of their
//! registries.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::session::{Judged, Session};
use super::set::{Candidate, collect, unreadable};
use super::{Answer, Document, Table, Text};
use crate::cli::LintArgs;
use crate::config::Settings;
use crate::domain::inventory::Inventory;
use crate::domain::lint::{self, LintedMarker, PolicyState, Report, Scope, World};
use crate::domain::marker;
use crate::domain::object::{ImagePolicy, ObjectId};
use crate::domain::setrun::in_parallel;
use crate::engine;
use crate::problem::Problem;

/// Runs `lint`.
///
/// # Errors
/// A path that cannot be read, or what keeps the source from being loaded.
pub(super) fn run(settings: &Settings, args: &LintArgs) -> Result<Answer, Problem> {
    let path = args.path.clone().or_else(|| settings.files.clone().map(PathBuf::from));
    let path = path.unwrap_or_else(|| PathBuf::from("."));
    let root = work_tree_around(&path)?;
    let mut settings = settings.clone();
    if settings.files.is_none() {
        settings.files = Some(root.to_string_lossy().into_owned());
    }
    let session = Session::open(&settings)?;
    let judged = session.judge()?;
    let mut found = Vec::new();
    collect(&path, &mut found)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let files =
        in_parallel(&found, threads, |file| read(file, &root)).into_iter().collect::<Result<Vec<_>, _>>()?;
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let report = lint::lint(&files, &world(&session.world, &judged), threads);
    let mut problems = session.problems();
    problems.extend(
        judged.scan_problems.into_values().filter(|problem| !session.world.problems.contains(problem)),
    );
    let count = report.problems(args.strict);
    let document = Lint { report, count, strict: args.strict };
    Ok(Answer::new(document).with_problems(problems).with_exit(u8::from(count > 0)))
}

/// The root of the Git work tree that `path` lies in; the folder itself if there is none.
fn work_tree_around(path: &Path) -> Result<PathBuf, Problem> {
    let whole = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
    let folder = if whole.is_dir() { whole.as_path() } else { whole.parent().unwrap_or(&whole) };
    let root = folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(folder);
    Ok(root.to_owned())
}

/// A file's path from the root of the work tree, by which automations know it, and its bytes.
fn read(file: &Candidate, root: &Path) -> Result<(String, Vec<u8>), Problem> {
    let whole = fs::canonicalize(&file.place).map_err(|error| unreadable(&file.place, &error))?;
    let bytes = fs::read(&whole).map_err(|error| unreadable(&file.place, &error))?;
    let name = whole
        .strip_prefix(root)
        .map_or_else(|_| file.shown.clone(), |path| path.to_string_lossy().into_owned());
    Ok((name, bytes))
}

/// What lint is told of the objects.
fn world(world: &engine::World, judged: &Judged) -> World {
    let inventory = &world.inventory;
    let policies =
        inventory.policies.values().map(|policy| (policy.meta.id.clone(), state(inventory, policy, judged)));
    // The automation that is implied where none is described takes policies of every namespace.
    let scopes = inventory.automations.values().map(|automation| Scope {
        namespace: automation.meta.id.namespace.clone(),
        path: automation.update_path.clone(),
    });
    World { policies: policies.collect(), scopes: scopes.collect() }
}

fn state(inventory: &Inventory, policy: &ImagePolicy, judged: &Judged) -> PolicyState {
    let is_waiting =
        inventory.repository_of(policy).is_ok() && !judged.scans.contains_key(&policy.repository);
    let outcome = judged.selections.get(&policy.meta.id).map(|evaluated| &evaluated.selection.outcome);
    match outcome {
        Some(Ok(latest)) => PolicyState::Latest(latest.clone()),
        Some(Err(problem)) if !is_waiting => PolicyState::Failed(problem.message.clone()),
        Some(Err(_)) | None => PolicyState::NotScanned,
    }
}

/// What `lint` says.
struct Lint {
    report: Report,
    count: usize,
    strict: bool,
}

impl Document for Lint {
    fn kind(&self) -> &'static str {
        "LintReport"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([
            ("problem_count".to_owned(), json!(self.count)),
            ("markers".to_owned(), json!(self.report.markers)),
            ("unmarked".to_owned(), json!(self.report.unmarked)),
            ("unused_policies".to_owned(), json!(self.report.unused_policies)),
            ("files".to_owned(), json!(self.report.files)),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        let mut table = Table::new(["FILE:LINE", "VERDICT", "SETTER", "CURRENT → WANTED", "MESSAGE"]);
        for marker in &self.report.markers {
            let place = format!("{}:{}", marker.file, marker.line);
            let verdict = marker.verdict.word().to_owned();
            table.push([place, verdict, marker.setter.clone(), change(marker), message(marker)]);
        }
        let mut push = |place: String, verdict: &str, current: &str, message: &str| {
            table.push([place, verdict.to_owned(), String::new(), current.to_owned(), message.to_owned()]);
        };
        for file in &self.report.files {
            push(format!("{}:{}", file.file, file.line), "invalid", "", &file.message);
        }
        for image in self.report.unmarked.iter().filter(|_| self.strict) {
            push(
                format!("{}:{}", image.file, image.line),
                "unmarked",
                &image.image,
                "the image has no marker",
            );
        }
        for policy in self.report.unused_policies.iter().filter(|_| self.strict) {
            push(policy.to_string(), "unused", "", "no marker names the policy");
        }
        if table.is_empty() { Text::Nothing } else { Text::Table(table) }
    }

    fn names(&self) -> Vec<String> {
        let named = self
            .report
            .markers
            .iter()
            .filter_map(|marker| Some(marker::parse_setter(&marker.setter).ok()?.0));
        let named: BTreeSet<ObjectId> = named.collect();
        named.iter().map(|id| format!("imagepolicy/{id}")).collect()
    }
}

/// `old → new`, or the value alone where nothing else is wanted.
fn change(marker: &LintedMarker) -> String {
    let current = marker.current.as_deref().unwrap_or_default();
    match marker.wanted.as_deref() {
        Some(wanted) if wanted != current => format!("{current} → {wanted}"),
        _ => current.to_owned(),
    }
}

fn message(marker: &LintedMarker) -> String {
    match &marker.fix {
        Some(fix) => format!("{}; did you mean # {fix}?", marker.message),
        None => marker.message.clone(),
    }
}
