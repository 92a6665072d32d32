//! `set`: the rewrite alone, offline. A diff on standard output, or with `--write` the files themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Document, Streams, Text};
use crate::cli::{Format, SetArgs};
use crate::config::Settings;
use crate::domain::diff;
use crate::domain::manifest;
use crate::domain::marker;
use crate::domain::mode::Mode;
use crate::domain::object::ObjectId;
use crate::domain::parallel::on_all_cores;
use crate::domain::proposal::{MarkerPart, Reference};
use crate::domain::setrun::{self, FileSet, Update};
use crate::domain::setter::Setters;
use crate::environment::is_own_folder;
use crate::problem::{Code, Problem};
use crate::source::owner::Owner;

/// Unchanged lines around each change.
const CONTEXT: usize = 3;

/// Runs `set`; with `write` (which is `--write` as typed, never a configured mode) the files are changed.
///
/// # Errors
/// A policy that makes no sense, a path that is not there or cannot be read or written.
pub(super) fn run(
    args: &SetArgs,
    settings: &Settings,
    write: bool,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    if write && settings.mode != Mode::Write {
        return Err(Problem::new(Code::ModeRefused, "set --write", "the mode is locked"));
    }
    let policies = args.policies.iter().map(|text| policy(text)).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = twice(&policies) {
        return Err(Problem::new(
            Code::Usage,
            "--policy",
            format!("{twice} is given twice, with different images"),
        ));
    }
    let setters = Setters::new(policies.iter().map(|(id, latest)| (id, latest.as_ref())))?;
    let mut files = Vec::new();
    for path in &args.paths {
        collect(path, manifest::is_yaml_name, &mut files)?;
    }
    if args.paths.len() > 1 {
        each_once(&mut files);
    }
    let results = on_all_cores(&files, |file| Changed::find(file, &setters));
    let mut report =
        Report { files: Vec::new(), updates: Vec::new(), problem_files: Vec::new(), written: write };
    let mut problems = Vec::new();
    for (file, result) in files.iter().zip(results) {
        match result {
            Ok(changed) => report.add(changed),
            Err(Failure::Unreadable(problem)) => return Err(problem),
            Err(Failure::Unusable(error)) => {
                report.problem_files.push(file.relative.clone());
                problems.push(
                    error
                        .problem(&file.shown)
                        .hint("Correct the file there: until then none of its markers is set."),
                );
            }
        }
    }
    if write {
        for file in &report.files {
            problems.extend(file.write(&setters)?);
            if !settings.quiet && settings.output != Format::Json {
                // Nothing is lost with a message that nobody can read.
                let _ = writeln!(streams.err, "✔ {} rewritten", super::table::clean(&file.shown));
            }
        }
    }
    report.problem_files.sort();
    problems.extend(unnamed(&policies, &report, &files));
    let changes = u8::from(args.exit_code && !report.files.is_empty());
    Ok(Answer::new(report).with_problems(problems).with_exit(changes))
}

/// A warning for each policy that no marker of the files names: nothing came of it, and a typo looks just like that.
fn unnamed(policies: &[(ObjectId, Option<Reference>)], report: &Report, files: &[Candidate]) -> Vec<Problem> {
    let changed = report.policies();
    let mut missing: BTreeSet<&ObjectId> =
        policies.iter().map(|(id, _)| id).filter(|id| !changed.contains(*id)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let mut named = BTreeSet::new();
    for file in files {
        // What cannot be read or parsed is a problem already.
        let text = fs::read(&file.place).ok().filter(|bytes| manifest::has_token(bytes));
        let sites = text.and_then(|bytes| manifest::find(&String::from_utf8(bytes).ok()?).ok());
        let setters = sites.into_iter().flatten().filter_map(|site| marker::parse_setter(&site.setter).ok());
        named.extend(setters.map(|(id, _)| id));
    }
    missing.retain(|id| !named.contains(*id));
    let known: Vec<String> = named.iter().map(ToString::to_string).collect();
    let warning = |id: &&ObjectId| {
        let problem = Problem::new(Code::Skipped, id.to_string(), "no marker names this policy");
        match crate::text::nearest(&id.to_string(), known.iter().map(String::as_str)) {
            Some(near) => problem.hint(format!("Did you mean {near}?")),
            None => problem,
        }
    };
    missing.iter().map(warning).collect()
}

/// A policy that is to have two latest images.
fn twice(policies: &[(ObjectId, Option<Reference>)]) -> Option<&ObjectId> {
    let mut known = BTreeMap::new();
    let mut all = policies.iter();
    all.find_map(|(id, latest)| known.insert(id, latest).filter(|other| *other != latest).map(|_| id))
}

/// A policy as typed: `NS:NAME`, or `NS:NAME=IMAGE:TAG[@DIGEST]`.
fn policy(text: &str) -> Result<(ObjectId, Option<Reference>), Problem> {
    let usage = |message: &str| {
        Problem::new(Code::Usage, format!("--policy {text}"), message)
            .hint("Write NS:NAME=IMAGE:TAG[@DIGEST].")
    };
    let (name, latest) = match text.split_once('=') {
        Some((name, latest)) => (name, Some(latest)),
        None => (text, None),
    };
    let Ok((id, MarkerPart::Whole)) = marker::parse_setter(name) else {
        return Err(usage("the policy is not named as NS:NAME"));
    };
    let Some(latest) = latest else { return Ok((id, None)) };
    let (rest, digest) = match latest.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.to_owned())),
        None => (latest, None),
    };
    match rest.rsplit_once(':') {
        Some((image, tag)) if !tag.contains('/') => {
            Ok((id, Some(Reference { image: image.to_owned(), tag: tag.to_owned(), digest })))
        }
        _ => Err(usage("the image has no tag")),
    }
}

/// Leaves out what an earlier PATH has led to already: a patch with a file twice does not apply.
fn each_once(files: &mut Vec<Candidate>) {
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(fs::canonicalize(&file.place).unwrap_or_else(|_| file.place.clone())));
}

/// A file to look at.
pub(super) struct Candidate {
    /// Where it lies.
    pub(super) place: PathBuf,
    /// Its path from the PATH that was given; the name alone if that is the file.
    pub(super) relative: String,
    /// Its path as a person would type it: the given PATH and what follows.
    pub(super) shown: String,
}

/// Gathers the files at and below `path` whose names are `wanted`, in Flux's order: depth first, names by bytes.
/// `.git` and folders of ours are left out and symbolic links are not followed, but for `path` itself.
pub(super) fn collect(
    path: &Path,
    wanted: fn(&str) -> bool,
    files: &mut Vec<Candidate>,
) -> Result<(), Problem> {
    let kind = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !kind.is_dir() {
        let relative = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if wanted(&relative) {
            // A link is followed here because it was asked for; the file itself is what gets replaced.
            let place = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
            files.push(Candidate { place, relative, shown: shown(path) });
        }
        return Ok(());
    }
    let mut todo = vec![(path.to_owned(), String::new())];
    while let Some((place, relative)) = todo.pop() {
        if !relative.is_empty() && is_own_folder(&place) {
            continue;
        }
        if relative.is_empty()
            || fs::symlink_metadata(&place).map_err(|error| unreadable(&place, &error))?.is_dir()
        {
            let mut names = fs::read_dir(&place)
                .and_then(|entries| {
                    entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()
                })
                .map_err(|error| unreadable(&place, &error))?;
            names.sort_unstable_by(|a, b| b.cmp(a));
            let join =
                |name: &str| if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
            // A name that is no UTF-8 cannot be printed in JSON or written into a patch.
            let names = names.iter().filter(|name| *name != ".git").filter_map(|name| name.to_str());
            todo.extend(names.map(|name| (place.join(name), join(name))));
        } else if wanted(&relative) && place.is_file() && !place.is_symlink() {
            files.push(Candidate { shown: shown(&place), place, relative });
        }
    }
    Ok(())
}

/// A path for messages and patches: no `./` at its beginning, no root.
fn shown(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        std::path::Component::Normal(name) => Some(name.to_string_lossy()),
        std::path::Component::ParentDir => Some("..".into()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let code = if error.kind() == io::ErrorKind::NotFound { Code::NotFound } else { Code::Storage };
    Problem::new(code, path.display().to_string(), "cannot be read").caused_by(error)
}

enum Failure {
    Unreadable(Problem),
    Unusable(setrun::FileError),
}

fn read_and_set(place: &Path, setters: &Setters) -> Result<(String, FileSet), Failure> {
    let bytes = fs::read(place).map_err(|error| Failure::Unreadable(unreadable(place, &error)))?;
    let set = setrun::set(&bytes, setters).map_err(Failure::Unusable)?;
    // Only a text comes out changed; of the others nothing more is needed.
    let text = if set.text.is_some() { String::from_utf8(bytes).unwrap_or_default() } else { String::new() };
    Ok((text, set))
}

/// Puts `bytes` in the place of a file in one step, keeping its permissions, and its owner as far as this account may.
fn replace(place: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let write = || -> io::Result<()> {
        let known = fs::metadata(place)?;
        let mut file = tempfile::NamedTempFile::new_in(place.parent().unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        Owner::from(&known).give(file.as_file())?;
        file.as_file().set_permissions(known.permissions())?;
        file.as_file().sync_all()?;
        file.persist(place).map(drop).map_err(|error| error.error)
    };
    write().map_err(|error| {
        Problem::new(Code::Storage, place.display().to_string(), "cannot be written").caused_by(&error)
    })
}

/// A file that changes, without its texts: those of a large tree would take more memory than there is.
struct Changed {
    place: PathBuf,
    shown: String,
    /// SHA-256 of the text before.
    before: String,
    /// SHA-256 of the text after.
    after: String,
    patch: String,
    outside: usize,
    updates: Vec<Update>,
}

impl Changed {
    /// What changes in `file`; `None`: nothing.
    fn find(file: &Candidate, setters: &Setters) -> Result<Option<Self>, Failure> {
        let (old, set) = read_and_set(&file.place, setters)?;
        let Some(new) = set.text else { return Ok(None) };
        let named = |update| Update { file: file.relative.clone(), ..update };
        Ok(Some(Self {
            before: sha256(&old),
            after: sha256(&new),
            patch: diff::unified(&file.shown, &old, &new, CONTEXT),
            outside: diff::bytes_outside(&old, &new, &set.places),
            updates: set.updates.into_iter().map(named).collect(),
            place: file.place.clone(),
            shown: file.shown.clone(),
        }))
    }

    /// Makes the change, unless the file is another by now; a warning if it belongs to somebody else then.
    fn write(&self, setters: &Setters) -> Result<Option<Problem>, Problem> {
        let new = match read_and_set(&self.place, setters) {
            Ok((old, set)) => set.text.filter(|_| sha256(&old) == self.before),
            Err(Failure::Unreadable(problem)) => return Err(problem),
            Err(Failure::Unusable(_)) => None,
        };
        let changed = || {
            Problem::new(
                Code::Storage,
                &self.shown,
                "was changed by somebody else meanwhile and is left as it is",
            )
            .hint("Run the command again.")
        };
        let owner = Owner::of(&self.place);
        replace(&self.place, new.ok_or_else(changed)?.as_bytes())?;
        Ok(owner.and_then(|owner| owner.lost(&self.place, &self.shown)))
    }
}

/// What `set` says.
struct Report {
    files: Vec<Changed>,
    updates: Vec<Update>,
    problem_files: Vec<String>,
    written: bool,
}

impl Report {
    fn add(&mut self, changed: Option<Changed>) {
        let Some(mut changed) = changed else { return };
        self.updates.append(&mut changed.updates);
        self.files.push(changed);
    }

    /// The policies that any update comes from.
    fn policies(&self) -> BTreeSet<ObjectId> {
        self.updates.iter().filter_map(|update| Some(marker::parse_setter(&update.setter).ok()?.0)).collect()
    }
}

/// SHA-256 in hexadecimal digits.
fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

impl Document for Report {
    fn kind(&self) -> &'static str {
        "Diff"
    }

    fn json(&self) -> Map<String, Value> {
        let file = |file: &Changed| {
            json!({
                "remote": null,
                "path": file.shown,
                "sha256_before": file.before,
                "sha256_after": file.after,
                "patch": file.patch,
            })
        };
        let stat = json!({
            "updates": self.policies().len(),
            "files": self.files.len(),
            "sites": self.updates.len(),
            "bytes_outside_markers": self.files.iter().map(|file| file.outside).sum::<usize>(),
        });
        Map::from_iter([
            ("stat".to_owned(), stat),
            ("files".to_owned(), self.files.iter().map(file).collect()),
            ("problem_files".to_owned(), json!(self.problem_files)),
            ("written".to_owned(), json!(self.written)),
            ("updates".to_owned(), json!(self.updates)),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        if self.written {
            return Text::Nothing;
        }
        Text::Patch(self.files.iter().map(|file| file.patch.as_str()).collect())
    }

    fn names(&self) -> Vec<String> {
        self.policies().iter().map(|id| format!("imagepolicy/{}/{}", id.namespace, id.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_changes_between_reading_and_writing_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("app.yaml");
        let text =
            |note: &str| format!("image: o/web:1 # {{\"$imagepolicy\": \"apps:web\"}}\nnote: {note}\n");
        fs::write(&place, text("old")).unwrap();
        let (id, latest) = policy("apps:web=o/web:2").unwrap();
        let setters = Setters::new([(&id, latest.as_ref())]).unwrap();
        let mut files = Vec::new();
        collect(&place, manifest::is_yaml_name, &mut files).unwrap();
        let Ok(Some(changed)) = Changed::find(&files[0], &setters) else { panic!("nothing changes") };
        fs::write(&place, text("theirs")).unwrap();
        let problem = changed.write(&setters).unwrap_err();
        assert!(problem.to_string().contains("somebody else"), "{problem}");
        assert_eq!(fs::read_to_string(&place).unwrap(), text("theirs"));
        fs::write(&place, text("old")).unwrap();
        changed.write(&setters).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), text("old").replace("o/web:1", "o/web:2"));
    }
}
