//! The files below an automation's path that have markers, in a commit or as they lie in a folder.

use crate::domain::inventory::is_below;
use crate::domain::manifest;
use crate::domain::plan::{MarkedFile, ProblemFile};
use crate::domain::setrun::{self, RunError};
use crate::git::BareCache;
use crate::problem::{Code, Problem};

pub(super) fn marked_files(
    cache: &BareCache,
    commit: &str,
    path: &str,
) -> Result<(Vec<MarkedFile>, Vec<ProblemFile>), Problem> {
    let read = cache
        .read_tree(
            commit,
            |file| is_below(file, path) && manifest::is_yaml_name(file),
            manifest::means_markers,
        )
        .map_err(Problem::from)?;
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for file in read {
        keep(file.path, file.bytes, &mut files, &mut problems);
    }
    files.sort_by(|a: &MarkedFile, b| setrun::walk_order(&a.path, &b.path));
    Ok((files, problems))
}

/// Takes in a file with markers. One without the token is none of Flux's; of it only what was meant as a marker is kept.
pub(super) fn keep(
    path: String,
    bytes: Vec<u8>,
    files: &mut Vec<MarkedFile>,
    problems: &mut Vec<ProblemFile>,
) {
    let has_token = manifest::has_token(&bytes);
    let read = match String::from_utf8(bytes) {
        Ok(text) => MarkedFile::read(path.clone(), text),
        Err(_) => Err(manifest::YamlError { line: 1, column: 1, message: "not UTF-8".to_owned() }),
    };
    match read {
        Ok(file) if has_token => files.push(file),
        Ok(file) => files.push(MarkedFile { sites: Vec::new(), ..file }),
        Err(error) if has_token => problems.push(ProblemFile { path, error }),
        Err(_) => {}
    }
}

/// Where `update_path` leads to in the files of a commit.
pub(super) fn scanned_path(cache: &BareCache, commit: &str, update_path: &str) -> Result<String, Problem> {
    let found = cache.look(commit, |entry| setrun::resolve(update_path, entry)).map_err(Problem::from)?;
    found.map_err(|error| not_scanned(&error))
}

/// The problem of an automation whose path leads nowhere; the caller says which automation.
pub(super) fn not_scanned(error: &RunError) -> Problem {
    Problem::new(Code::NotFound, "", format!("failed to apply policies: {error}"))
}
