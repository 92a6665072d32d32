//! Folders without Git: whether one may hold objects, and its marked files as Flux would walk them.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::World;
use crate::domain::manifest;
use crate::domain::object::ObjectId;
use crate::domain::setrun::{self, Entry};
use crate::environment::is_own_folder;
use crate::problem::{Code, Problem};

/// How many entries are looked at before a folder counts as holding nothing: somebody's home is not searched.
const MAX_ENTRIES: usize = 5_000;
/// How much of a file is read to recognise it.
const MAX_BYTES: u64 = 1 << 20;

/// Whether a folder seems to hold Flux objects: a look at its nearest files, and not a search.
pub(super) fn may_hold_objects(root: &Path) -> bool {
    let mut folders = VecDeque::from([root.to_path_buf()]);
    let mut seen = 0;
    while let Some(folder) = folders.pop_front() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MAX_ENTRIES {
                return false;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() && !name.starts_with('.') && !is_own_folder(&entry.path()) {
                folders.push_back(entry.path());
            } else if kind.is_file() && manifest::is_yaml_name(&name) && names_flux(&entry.path()) {
                return true;
            }
        }
    }
    false
}

fn names_flux(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    read.is_ok() && memchr::memmem::find(&bytes, b"toolkit.fluxcd.io").is_some()
}

/// What stands at `path` below `root`, links not followed.
pub(super) fn entry(root: &Path, path: &str) -> Option<Entry> {
    let place = root.join(path);
    let kind = fs::symlink_metadata(&place).ok()?.file_type();
    if kind.is_symlink() {
        return Some(Entry::Link(fs::read_link(&place).ok()?.to_string_lossy().into_owned()));
    }
    Some(if kind.is_dir() { Entry::Folder } else { Entry::File })
}

impl World {
    /// Where the `update.path` of each automation leads in the work tree at `root`, its links followed; those that lead
    /// nowhere are left out.
    pub fn update_paths(&self, root: &Path) -> BTreeMap<&ObjectId, String> {
        let resolved = |path: &str| setrun::resolve(path, |path| entry(root, path)).ok();
        let automations = self.automations.iter();
        automations
            .filter_map(|automation| Some((&automation.meta.id, resolved(&automation.update_path)?)))
            .collect()
    }
}

/// What `make` makes of each file below `root` whose path is `wanted`, from its path below `root` and its content: depth
/// first, names by bytes.
///
/// `.git` and folders of ours are left out, and links are not followed.
///
/// # Errors
/// A folder or file that cannot be read.
pub(super) fn files<T>(
    root: &Path,
    wanted: fn(&str) -> bool,
    make: &impl Fn(&str, &[u8]) -> Option<T>,
) -> Result<Vec<T>, Problem> {
    let mut found = Vec::new();
    walk((root, ""), wanted, make, &mut found)?;
    Ok(found)
}

fn walk<T>(
    (folder, prefix): (&Path, &str),
    wanted: fn(&str) -> bool,
    make: &impl Fn(&str, &[u8]) -> Option<T>,
    found: &mut Vec<T>,
) -> Result<(), Problem> {
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
            if name != ".git" && !is_own_folder(&path) {
                walk((&path, &format!("{below}/")), wanted, make, found)?;
            }
        } else if wanted(&below) && kind.is_file() {
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            found.extend(make(&below, &bytes));
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Code::NotFound, path.display().to_string(), "cannot be read").caused_by(error)
}
