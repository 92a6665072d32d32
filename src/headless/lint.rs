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
use crate::domain::lint::{self, BadFile, Fix, Known, LintedMarker, Obsolete, Report, World};
use crate::domain::marker;
use crate::domain::object::ObjectId;
use crate::domain::parallel::in_parallel;
use crate::problem::{Code, Problem};
use crate::text::count;

/// Runs `lint`.
///
/// # Errors
/// A path that cannot be read, or what keeps the source from being loaded.
pub(super) fn run(settings: &Settings, args: &LintArgs) -> Result<Answer, Problem> {
    // Of a remote come the objects alone; markers are looked for here.
    let folder = || settings.files.as_deref().and_then(|files| crate::engine::folder_of(files).ok());
    let path = args.path.clone().or_else(folder);
    let path = path.unwrap_or_else(|| PathBuf::from("."));
    let root = root_around(&path, settings.files.as_deref())?;
    let mut settings = settings.clone();
    if settings.files.is_none() {
        settings.files = Some(root.to_string_lossy().into_owned());
    }
    let session = Session::open(&settings)?;
    let judged = session.judge()?;
    let mut report = report(&session, &judged, &path, &root)?;
    let mut problems = session.problems();
    problems.extend(judged.problems().filter(|problem| !session.world.problems.contains(problem)).cloned());
    let prefix = prefix(&session, &root);
    leave_out_told(&mut problems, &report, prefix.as_deref().unwrap_or(Path::new("")));
    if let Some(prefix) = &prefix {
        let below = fs::canonicalize(&path).map_err(|error| unreadable(&path, &error))?;
        report.files.extend(bad_objects(&mut problems, prefix, |file| root.join(file).starts_with(&below)));
        report.files.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    }
    let count = report.problems(args.strict);
    let more = if args.strict { None } else { left_to_strict(&report) };
    let document = Lint { report, count, strict: args.strict };
    let is_empty = document.report.markers.is_empty() && document.report.files.is_empty();
    let answer = Answer::new(document).with_problems(problems).with_exit(u8::from(count > 0));
    let none = || format!("⚠ no markers below {}", path.display());
    let answer = more.into_iter().fold(answer, Answer::with_note);
    Ok(if is_empty { answer.with_note(none()) } else { answer })
}

/// That there is more to be found with `--strict`, if there is.
fn left_to_strict(report: &Report) -> Option<String> {
    let found = report.only_strict().into_iter().filter(|(found, _)| *found > 0);
    let (found, kinds): (Vec<usize>, Vec<String>) =
        found.map(|(found, kind)| (found, count(found, kind))).unzip();
    let all: usize = found.iter().sum();
    (all > 0).then(|| format!("► --strict lists and counts {all} more: {}", kinds.join(", ")))
}

/// Judges the markers of the whole work tree, so that a policy whose marker stands elsewhere is not called unused, and
/// tells those at and below `path`.
fn report(session: &Session, judged: &Judged, path: &Path, root: &Path) -> Result<Report, Problem> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let read_all = |found: &[Candidate]| -> Result<Vec<_>, Problem> {
        in_parallel(found, threads, |file| read(file, root)).into_iter().collect()
    };
    let mut wanted = Vec::new();
    collect(path, lint::may_mean_markers, &mut wanted)?;
    let mut files = read_all(&wanted)?;
    let names: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
    if fs::canonicalize(path).ok().as_deref() != Some(root) {
        // What cannot be read outside of PATH was not asked for.
        let mut all = Vec::new();
        let others =
            collect(root, lint::may_mean_markers, &mut all).and_then(|()| read_all(&all)).unwrap_or_default();
        files.extend(others.into_iter().filter(|(name, _)| !names.contains(name)));
    }
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let known = session.engine.known(&judged.selections, &judged.scans);
    let paths = session.world.update_paths(root);
    let known = Known { scan_problems: judged.scan_problems.iter().collect(), paths, ..known };
    let world = World::new(&session.world.inventory, &known);
    let mut report = lint::lint(&files, &world, threads);
    report.retain_files(|file| names.contains(file));
    report.obsolete = obsolete(session, root);
    Ok(report)
}

/// The root of the Git work tree that `path` lies in. Without Git it is the folder of the `source`, if `path` lies there,
/// for what automations name begins at it; else the folder itself.
fn root_around(path: &Path, source: Option<&str>) -> Result<PathBuf, Problem> {
    let whole = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
    let folder = if whole.is_dir() { whole.as_path() } else { whole.parent().unwrap_or(&whole) };
    let work_tree = folder.ancestors().find(|folder| folder.join(".git").exists());
    let source = source.and_then(|source| fs::canonicalize(source).ok());
    let source = source.as_deref().filter(|source| folder.starts_with(source));
    Ok(work_tree.or(source).unwrap_or(folder).to_owned())
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

/// The obsolete objects of the source, their files named from the root of the work tree like all others.
fn obsolete(session: &Session, root: &Path) -> Vec<Obsolete> {
    let prefix = prefix(session, root).unwrap_or_default();
    let place = |file: &str| prefix.join(file).to_string_lossy().into_owned();
    let found = session.world.inventory.obsolete.iter();
    found.map(|object| Obsolete { file: place(&object.file), ..object.clone() }).collect()
}

/// What the names of the source's files lack to be those of the work tree; `None` where it lies elsewhere.
fn prefix(session: &Session, root: &Path) -> Option<PathBuf> {
    let folder = session.world.root.as_deref().and_then(|folder| fs::canonicalize(folder).ok())?;
    folder.strip_prefix(root).ok().map(Path::to_path_buf)
}

/// Takes out of the source's problems the objects that Flux would not read either, of the files that are `wanted`: they are
/// what `lint` is there to find.
fn bad_objects(problems: &mut Vec<Problem>, prefix: &Path, wanted: impl Fn(&str) -> bool) -> Vec<BadFile> {
    let mut found = Vec::new();
    problems.retain(|problem| match bad_object(problem, prefix).filter(|bad| wanted(&bad.file)) {
        Some(bad) => {
            found.push(bad);
            false
        }
        None => true,
    });
    found
}

/// An object that does not parse, by the `FILE:LINE:COLUMN` that its problem is about.
fn bad_object(problem: &Problem, prefix: &Path) -> Option<BadFile> {
    let (place, column) = problem.subject.rsplit_once(':').filter(|_| problem.code == Code::YamlInvalid)?;
    let (file, line) = place.rsplit_once(':')?;
    Some(BadFile {
        file: prefix.join(file).to_string_lossy().into_owned(),
        line: line.parse().ok()?,
        column: column.parse().ok()?,
        message: problem.message.clone(),
        fix: problem
            .hint
            .clone()
            .unwrap_or_else(|| "Correct the object there: until then it is not read.".to_owned()),
    })
}

/// Takes out of the source's problems those files that the report tells of, too: of each its first mistake.
fn leave_out_told(problems: &mut Vec<Problem>, report: &Report, prefix: &Path) {
    for bad in &report.files {
        let Ok(name) = Path::new(&bad.file).strip_prefix(prefix) else { continue };
        let begin = format!("{}:", name.display());
        let is_it = |one: &Problem| one.code == Code::YamlInvalid && one.subject.starts_with(&begin);
        if let Some(at) = problems.iter().position(is_it) {
            problems.remove(at);
        }
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
            ("unused_repositories".to_owned(), json!(self.report.unused_repositories)),
            ("broken_chains".to_owned(), json!(self.report.broken_chains)),
            ("obsolete".to_owned(), json!(self.report.obsolete)),
            ("files".to_owned(), json!(self.report.files)),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        let mut table =
            Table::new(["FILE:LINE", "VERDICT", "SETTER", "CURRENT → WANTED", "MESSAGE"]).ragged();
        for marker in &self.report.markers {
            let place = format!("{}:{}", marker.file, marker.line);
            let verdict = marker.verdict.word().to_owned();
            table.push([place, verdict, marker.setter.clone(), change(marker), message(marker)]);
        }
        let mut push = |place: String, verdict: &str, current: &str, message: String| {
            table.push([place, verdict.to_owned(), String::new(), current.to_owned(), message]);
        };
        for file in &self.report.files {
            push(
                format!("{}:{}", file.file, file.line),
                "invalid",
                "",
                with_fix(&file.message, Some(&file.fix)),
            );
        }
        if self.strict {
            self.strict_rows(&mut push);
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

impl Lint {
    /// What counts with `--strict` alone: place, verdict, current value, message.
    fn strict_rows(&self, push: &mut impl FnMut(String, &str, &str, String)) {
        for image in &self.report.unmarked {
            let place = format!("{}:{}", image.file, image.line);
            push(place, "unmarked", &image.image, with_fix("the image has no marker", Some(&image.fix)));
        }
        for policy in &self.report.unused_policies {
            let fix =
                format!("Put `# {}` behind the image that it governs, or delete it.", marker_of(policy));
            push(policy.to_string(), "unused", "", with_fix("no marker names the policy", Some(&fix)));
        }
        for repository in &self.report.unused_repositories {
            let fix = Some("Add an ImagePolicy that reads it, or delete it.");
            push(repository.to_string(), "unused", "", with_fix("no policy reads the repository", fix));
        }
        for chain in &self.report.broken_chains {
            let message =
                with_fix(&format!("{}: {}", chain.link.word(), chain.message), chain.fix.as_deref());
            push(chain.policy.to_string(), "broken-chain", "", message);
        }
        for object in &self.report.obsolete {
            let place = format!("{}:{}", object.file, object.line);
            let message = format!("{}; write `{}`", object.message, object.fix.trim());
            push(place, "obsolete", &format!("{} {}", object.kind, object.name), message);
        }
    }
}

fn marker_of(policy: &ObjectId) -> String {
    marker::text_of(&format!("{}:{}", policy.namespace, policy.name))
}

/// A finding and what to do about it.
fn with_fix(message: &str, fix: Option<&str>) -> String {
    fix.map_or_else(|| message.to_owned(), |fix| format!("{message}. {fix}"))
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
        Some(Fix::Comment(comment)) => format!("{}; write # {comment}", marker.message),
        Some(Fix::Other(sentence)) => format!("{}. {sentence}", marker.message),
        None => marker.message.clone(),
    }
}
