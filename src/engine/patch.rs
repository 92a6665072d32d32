//! What a plan changes as a patch, for those who carry it on by other means than a push.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::diff;
use crate::domain::plan::{FileEdit, Plan};

/// A file before the first and after the last commit of a plan that changes it.
#[derive(Debug, Clone)]
pub struct ChangedFile {
    /// The remote's address without credentials; `None` without Git.
    pub remote: Option<String>,
    /// The branch that its commits go to; empty without Git.
    pub branch: String,
    /// From the repository's root.
    pub path: String,
    /// Its content before.
    pub before: Arc<str>,
    /// Its content after.
    pub after: FileEdit,
}

impl ChangedFile {
    /// The files of a plan by remote, branch and path, each once: commits that stand one on another are joined.
    pub fn all(plan: &Plan, contents: &[BTreeMap<String, FileEdit>]) -> Vec<Self> {
        let mut files: BTreeMap<(Option<&str>, &str, &str), Self> = BTreeMap::new();
        for (group, edits) in plan.groups.iter().zip(contents) {
            let branch = group.push.as_ref().map_or("", |push| &push.branch);
            for (path, edit) in edits {
                let first = || Self {
                    remote: group.remote.clone(),
                    branch: branch.to_owned(),
                    path: path.clone(),
                    before: Arc::clone(&edit.before),
                    after: edit.clone(),
                };
                let place = (group.remote.as_deref(), branch, path.as_str());
                files.entry(place).and_modify(|file| file.after = edit.clone()).or_insert_with(first);
            }
        }
        files.into_values().collect()
    }

    /// The diff as `git apply` takes it, with so many lines of context.
    pub fn patch(&self, unified: usize) -> String {
        diff::unified(&self.path, &self.before, &self.after.after(), unified)
    }
}

/// The patch of a whole plan.
pub fn patch(plan: &Plan, contents: &[BTreeMap<String, FileEdit>]) -> String {
    joined(&ChangedFile::all(plan, contents), 3)
}

/// The patches of `files`, with so many lines of context. Where they go to several branches or remotes, those of each stand
/// behind a line `# REMOTE BRANCH`.
pub fn joined(files: &[ChangedFile], unified: usize) -> String {
    let place = |file: &ChangedFile| (file.remote.clone(), file.branch.clone());
    let of_one = |pair: &[ChangedFile]| matches!(pair, [a, b] if place(a) == place(b));
    let is_headed = !files.windows(2).all(of_one);
    let mut text = String::new();
    for same in files.chunk_by(|a, b| place(a) == place(b)) {
        let first = same.first().filter(|_| is_headed);
        text.extend(
            first.map(|file| format!("# {} {}\n", file.remote.as_deref().unwrap_or("-"), file.branch)),
        );
        text.extend(same.iter().map(|file| file.patch(unified)));
    }
    text
}
