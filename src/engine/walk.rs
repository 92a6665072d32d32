//! The marked files of a folder without Git, as Flux would walk it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::manifest;
use crate::problem::{Code, Problem};

/// Reads the files below `root` that can hold a marker: path from `root` and content, depth first, names by bytes.
///
/// `.git` is left out, and so is a link that leads out of `root`.
///
/// # Errors
/// A folder or file that cannot be read.
pub(super) fn marked_files(root: &Path) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let home = root.canonicalize().map_err(|error| unreadable(root, &error))?;
    let mut found = Vec::new();
    walk(&home, root, "", &mut found)?;
    Ok(found)
}

fn walk(home: &Path, folder: &Path, prefix: &str, found: &mut Vec<(String, Vec<u8>)>) -> Result<(), Problem> {
    let read = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut entries: Vec<(String, PathBuf)> = Vec::new();
    for entry in read {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    for (name, path) in entries {
        let below = format!("{prefix}{name}");
        let Ok(kind) = fs::symlink_metadata(&path) else { continue };
        if kind.is_dir() {
            if name != ".git" {
                walk(home, &path, &format!("{below}/"), found)?;
            }
        } else if manifest::is_yaml_name(&below) && is_inside(home, &path) {
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            if manifest::has_token(&bytes) {
                found.push((below, bytes));
            }
        }
    }
    Ok(())
}

/// Whether a file, or what a link leads to, is a regular file below `home`.
fn is_inside(home: &Path, path: &Path) -> bool {
    path.canonicalize().is_ok_and(|target| target.starts_with(home) && target.is_file())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Code::NotFound, path.display().to_string(), "cannot be read").caused_by(error)
}
