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
        let mut files: Vec<Self> = Vec::new();
        for (group, edits) in plan.groups.iter().zip(contents) {
            let branch = group.push.as_ref().map(|push| push.branch.clone()).unwrap_or_default();
            for (path, edit) in edits {
                let known = files
                    .iter_mut()
                    .find(|file| file.remote == group.remote && file.branch == branch && file.path == *path);
                match known {
                    Some(file) => file.after = edit.clone(),
                    None => files.push(Self {
                        remote: group.remote.clone(),
                        branch: branch.clone(),
                        path: path.clone(),
                        before: Arc::clone(&edit.before),
                        after: edit.clone(),
                    }),
                }
            }
        }
        files.sort_by(|a, b| (&a.remote, &a.branch, &a.path).cmp(&(&b.remote, &b.branch, &b.path)));
        files
    }

    /// The diff as `git apply` takes it, with so many lines of context.
    pub fn patch(&self, unified: usize) -> String {
        diff::unified(&self.path, &self.before, &self.after.after(), unified)
    }
}

/// The patch of a whole plan.
pub fn patch(plan: &Plan, contents: &[BTreeMap<String, FileEdit>]) -> String {
    ChangedFile::all(plan, contents).iter().map(|file| file.patch(3)).collect()
}
