//! What programs that are started here get to know of our own environment, and which folders it makes ours.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What all variables of this program begin with, those with passwords among them.
const OURS: &str = "SUPERCARGO_";

/// Keeps what was said to this program alone from `command`: hooks, helpers and `ssh` are somebody else's programs, and passwords
/// of ours are not for them. What is set for the command afterwards stays.
pub(crate) fn without_ours(command: &mut Command) -> &mut Command {
    for name in ours() {
        command.env_remove(name);
    }
    command
}

/// The names of what was said to this program alone.
pub(crate) fn ours() -> impl Iterator<Item = OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.as_encoded_bytes().starts_with(OURS.as_bytes()))
}

/// What each folder of ours is called.
const FOLDER: &str = "supercargo";

/// Our folder in the one that a variable names, or in `below` the home; `None` without a home.
///
/// Source: XDG Base Directory Specification (a path that is not absolute does not count).
pub(crate) fn own_folder(
    variable: impl Fn(&str) -> Option<OsString>,
    name: &str,
    below: &str,
) -> Option<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    path(name).or_else(|| path("HOME").map(|home| home.join(below))).map(|place| place.join(FOLDER))
}

/// Whether this is where this program keeps its state or its caches: what lies there is nobody's source, though the folder may be
/// below one.
pub(crate) fn is_own_folder(path: &Path) -> bool {
    static OWN: OnceLock<Vec<PathBuf>> = OnceLock::new();
    if path.file_name() != Some(OsStr::new(FOLDER)) {
        return false;
    }
    let own = OWN.get_or_init(|| {
        let of = |name, below| own_folder(|name| std::env::var_os(name), name, below)?.canonicalize().ok();
        [of("XDG_STATE_HOME", ".local/state"), of("XDG_CACHE_HOME", ".cache")].into_iter().flatten().collect()
    });
    path.canonicalize().is_ok_and(|path| own.contains(&path))
}

/// Whether the system has a file that this name starts: a path, or a name that the `PATH` finds.
pub(crate) fn has_program(name: &str) -> bool {
    let name = Path::new(name);
    let is_path = name.parent().is_some_and(|parent| parent.as_os_str() != OsStr::new(""));
    if is_path {
        return name.is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
