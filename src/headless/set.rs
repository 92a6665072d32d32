//! `set`: the rewrite alone, offline. A diff on standard output, or with `--write` the files themselves.

use std::collections::BTreeSet;
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
use crate::domain::proposal::{MarkerPart, Reference};
use crate::domain::setrun::{self, FileSet, Update};
use crate::domain::setter::Setters;
use crate::problem::{Code, Problem};

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
    let setters = Setters::new(policies.iter().map(|(id, latest)| (id, latest.as_ref())))?;
    let mut files = Vec::new();
    for path in &args.paths {
        collect(path, &mut files)?;
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let results = setrun::in_parallel(&files, threads, |file| read_and_set(file, &setters));
    let mut report =
        Report { files: Vec::new(), updates: Vec::new(), problem_files: Vec::new(), written: write };
    let mut problems = Vec::new();
    for (file, result) in files.iter().zip(results) {
        match result {
            Ok((text, set)) => report.add(file, &text, set),
            Err(Failure::Unreadable(problem)) => return Err(problem),
            Err(Failure::Unusable(error)) => {
                report.problem_files.push(file.relative.clone());
                problems.push(error.problem(&file.shown));
            }
        }
    }
    if write {
        for file in &report.files {
            replace(&file.place, file.new.as_bytes())?;
            if !settings.quiet && settings.output != Format::Json {
                // Nothing is lost with a message that nobody can read.
                let _ = writeln!(streams.err, "✔ {} rewritten", super::table::clean(&file.shown));
            }
        }
    }
    report.problem_files.sort();
    let changes = u8::from(args.exit_code && !report.files.is_empty());
    Ok(Answer::new(report).with_problems(problems).with_exit(changes))
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

/// A file to look at.
pub(super) struct Candidate {
    /// Where it lies.
    pub(super) place: PathBuf,
    /// Its path from the PATH that was given; the name alone if that is the file.
    pub(super) relative: String,
    /// Its path as a person would type it: the given PATH and what follows.
    pub(super) shown: String,
}

/// Gathers the files at and below `path` that have the name of a YAML file, in Flux's order: depth first, names by bytes.
/// `.git` is left out and symbolic links are not followed, but for `path` itself.
pub(super) fn collect(path: &Path, files: &mut Vec<Candidate>) -> Result<(), Problem> {
    let kind = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !kind.is_dir() {
        let relative = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if manifest::is_yaml_name(&relative) {
            // A link is followed here because it was asked for; the file itself is what gets replaced.
            let place = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
            files.push(Candidate { place, relative, shown: shown(path) });
        }
        return Ok(());
    }
    let mut todo = vec![(path.to_owned(), String::new())];
    while let Some((place, relative)) = todo.pop() {
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
        } else if manifest::is_yaml_name(&relative) && place.is_file() && !place.is_symlink() {
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

fn read_and_set(file: &Candidate, setters: &Setters) -> Result<(String, FileSet), Failure> {
    let bytes =
        fs::read(&file.place).map_err(|error| Failure::Unreadable(unreadable(&file.place, &error)))?;
    let set = setrun::set(&bytes, setters).map_err(Failure::Unusable)?;
    // Only a text comes out changed; of the others nothing more is needed.
    let text = if set.text.is_some() { String::from_utf8(bytes).unwrap_or_default() } else { String::new() };
    Ok((text, set))
}

/// Puts `bytes` in the place of a file in one step, keeping its permissions.
pub(super) fn replace(place: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let write = || -> io::Result<()> {
        let permissions = fs::metadata(place)?.permissions();
        let mut file = tempfile::NamedTempFile::new_in(place.parent().unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(permissions)?;
        file.as_file().sync_all()?;
        file.persist(place).map(drop).map_err(|error| error.error)
    };
    write().map_err(|error| {
        Problem::new(Code::Storage, place.display().to_string(), "cannot be written").caused_by(&error)
    })
}

/// A file that changes.
struct Changed {
    place: PathBuf,
    shown: String,
    old: String,
    new: String,
    outside: usize,
}

/// What `set` says.
struct Report {
    files: Vec<Changed>,
    updates: Vec<Update>,
    problem_files: Vec<String>,
    written: bool,
}

impl Report {
    fn add(&mut self, file: &Candidate, old: &str, set: FileSet) {
        let Some(new) = set.text else { return };
        self.updates
            .extend(set.updates.into_iter().map(|update| Update { file: file.relative.clone(), ..update }));
        self.files.push(Changed {
            place: file.place.clone(),
            shown: file.shown.clone(),
            outside: diff::bytes_outside(old, &new, &set.places),
            old: old.to_owned(),
            new,
        });
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
                "sha256_before": sha256(&file.old),
                "sha256_after": sha256(&file.new),
                "patch": diff::unified(&file.shown, &file.old, &file.new, CONTEXT),
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
        let patch = |file: &Changed| diff::unified(&file.shown, &file.old, &file.new, CONTEXT);
        Text::Patch(self.files.iter().map(patch).collect())
    }

    fn names(&self) -> Vec<String> {
        self.policies().iter().map(|id| format!("imagepolicy/{}/{}", id.namespace, id.name)).collect()
    }
}
