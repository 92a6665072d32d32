//! `bootstrap`: what a repository shall hold beside what it holds, and the command that installs controllers.

use serde::Serialize;

use super::diff::unified;

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// It is new.
    Created,
    /// It is there and says something else.
    Updated,
    /// It is there and stays.
    Unchanged,
}

/// A file that the repository shall hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// From the repository's root.
    pub path: String,
    /// What happens to it.
    pub action: FileState,
    /// What it says; `None`: it is not there.
    #[serde(skip)]
    pub before: Option<String>,
    /// What it shall say.
    #[serde(skip)]
    pub after: String,
}

impl FileChange {
    /// A file that shall say `after`; `fits`: what is there does as well.
    pub fn new(path: String, before: Option<String>, after: String, fits: bool) -> Self {
        let action = match &before {
            None => FileState::Created,
            Some(before) if fits || *before == after => FileState::Unchanged,
            Some(_) => FileState::Updated,
        };
        Self { path, action, before, after }
    }

    /// The change as a patch that `git apply` takes; empty if there is none.
    pub fn patch(&self) -> String {
        let Self { path, before, after, .. } = self;
        match self.action {
            FileState::Unchanged => String::new(),
            FileState::Updated => unified(path, before.as_deref().unwrap_or_default(), after, 3),
            FileState::Created => {
                let patch = unified(path, "", after, 3);
                let body = patch.split_once('\n').map_or("", |(_, body)| body);
                format!("--- /dev/null\n{body}")
            }
        }
    }
}

/// What a branch shall hold, beside what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The repository's address without credentials.
    pub remote: String,
    /// The branch.
    pub branch: String,
    /// Where the branch is, in hex; `None`: it does not exist.
    pub tip: Option<String>,
    /// What a commit stands on: the branch, else the one that the repository shows first; `None`: it is empty.
    pub base: Option<String>,
    /// The branch that a new one begins at.
    pub from: Option<String>,
    /// The files.
    pub files: Vec<FileChange>,
}

impl Layout {
    /// Whether there is nothing to do: the branch is there, and every file.
    pub fn is_there(&self) -> bool {
        self.tip.is_some() && self.changes().next().is_none()
    }

    /// The files that change.
    pub fn changes(&self) -> impl Iterator<Item = &FileChange> {
        self.files.iter().filter(|file| file.action != FileState::Unchanged)
    }

    /// The files that are somebody's, and say something else.
    pub fn others(&self) -> Vec<&str> {
        let others = self.files.iter().filter(|file| file.action == FileState::Updated);
        others.map(|file| file.path.as_str()).collect()
    }

    /// All changes as one patch.
    pub fn patch(&self) -> String {
        self.changes().map(FileChange::patch).collect()
    }

    /// The message of the commit; `appendix` is a paragraph behind it.
    pub fn message(&self, appendix: Option<&str>) -> String {
        let is_sync = self.changes().any(|file| file.path.ends_with("gotk-sync.yaml"));
        let subject = if is_sync { "Add Flux sync manifests" } else { "Add Flux image objects" };
        let appendix = appendix.map(str::trim).filter(|text| !text.is_empty());
        appendix.map_or_else(|| format!("{subject}\n"), |appendix| format!("{subject}\n\n{appendix}\n"))
    }
}

/// The controllers without which images are not updated.
pub const IMAGE_CONTROLLERS: [&str; 2] = ["image-reflector-controller", "image-automation-controller"];

/// What shapes controllers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Install {
    /// Where they run; empty or `flux-system`: where flux has them by itself.
    pub namespace: String,
    /// Controllers beside flux's own; those for images are among them whether or not they are named.
    pub components_extra: Vec<String>,
    /// Other flags of `flux install`, as they are written.
    pub flags: Vec<String>,
}

impl Install {
    /// The command that installs them.
    pub fn command(&self) -> String {
        let mut extra: Vec<&str> = self.components_extra.iter().map(String::as_str).collect();
        extra.extend(
            IMAGE_CONTROLLERS.iter().filter(|name| !self.components_extra.iter().any(|it| it == **name)),
        );
        let mut command = format!("flux install --components-extra={}", extra.join(","));
        if !matches!(self.namespace.as_str(), "" | "flux-system") {
            command.extend([" --namespace=", &self.namespace]);
        }
        for flag in &self.flags {
            command.extend([" ", flag]);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_new_changed_or_left_alone() {
        let action = |before: Option<&str>, fits| {
            FileChange::new("a".into(), before.map(str::to_owned), "x\n".into(), fits).action
        };
        assert_eq!(action(None, false), FileState::Created);
        assert_eq!(action(Some("x\n"), false), FileState::Unchanged);
        assert_eq!(action(Some("y\n"), true), FileState::Unchanged);
        assert_eq!(action(Some("y\n"), false), FileState::Updated);
    }

    #[test]
    fn the_message_names_what_is_added() {
        let layout = |path: &str| Layout {
            remote: String::new(),
            branch: "main".into(),
            tip: None,
            base: None,
            from: None,
            files: vec![FileChange::new(path.into(), None, "x\n".into(), false)],
        };
        assert_eq!(layout("c/flux-system/gotk-sync.yaml").message(None), "Add Flux sync manifests\n");
        assert_eq!(
            layout("c/web.yaml").message(Some(" [skip ci]\n")),
            "Add Flux image objects\n\n[skip ci]\n"
        );
    }

    #[test]
    fn the_command_always_installs_what_images_need() {
        let extra = |names: &[&str]| Install {
            components_extra: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Install::default()
        };
        let both = "image-reflector-controller,image-automation-controller";
        assert_eq!(extra(&[]).command(), format!("flux install --components-extra={both}"));
        let swapped = extra(&["image-automation-controller", "source-watcher"]).command();
        assert_eq!(
            swapped,
            "flux install --components-extra=image-automation-controller,source-watcher,image-reflector-controller"
        );
        let shaped = Install {
            namespace: "gitops".into(),
            flags: vec!["--network-policy=false".into()],
            ..Install::default()
        };
        let rest = "--namespace=gitops --network-policy=false";
        assert_eq!(shaped.command(), format!("flux install --components-extra={both} {rest}"));
    }
}
