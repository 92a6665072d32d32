//! Where our files lie.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::environment::own_folder;

/// The folders of the program; `None` where there is no place for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dirs {
    /// What should be kept: `$XDG_STATE_HOME/supercargo`.
    pub state: Option<PathBuf>,
    /// What may be deleted at any time: `$XDG_CACHE_HOME/supercargo`.
    pub cache: Option<PathBuf>,
}

impl Dirs {
    /// The folders that the environment names.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let place = |name, below| own_folder(&variable, name, below);
        Self { state: place("XDG_STATE_HOME", ".local/state"), cache: place("XDG_CACHE_HOME", ".cache") }
    }

    /// All folders below one, as the demo and the tests have it.
    pub fn below(root: &Path) -> Self {
        Self { state: Some(root.join("state")), cache: Some(root.join("cache")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_the_xdg_rules() {
        let of = |set: &[(&str, &str)]| {
            Dirs::from_environment(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
            })
        };
        assert_eq!(of(&[]), Dirs::default());
        assert_eq!(of(&[("HOME", "/h")]).state, Some("/h/.local/state/supercargo".into()));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]).cache, Some("/c/supercargo".into()));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_CACHE_HOME", "c")]).cache, Some("/h/.cache/supercargo".into()));
    }
}
