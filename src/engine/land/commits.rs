//! A plan's commits, built again from the plan and the files of its base; and told by their contents where a remote has them.

use std::collections::{BTreeMap, BTreeSet};

use super::run::Run;
use super::{DryRun, Steps, timed};
use crate::domain::commit::{CommitSpec, is_message, with_trailers};
use crate::domain::plan::{Group, Plan, Stale, sha256_hex};
use crate::engine::short;
use crate::git::GitError;
use crate::problem::{Code, Problem};
use crate::text::count;

impl Run<'_> {
    /// Builds one commit for each group, each on the one before; all on `onto` instead of their own bases if given.
    pub(super) fn commits(
        &self,
        plan: &Plan,
        onto: Option<&str>,
        (dry_run, step): (DryRun, Steps<'_>),
    ) -> Result<Vec<String>, Problem> {
        let mut commits: Vec<String> = Vec::new();
        let mut overlay: BTreeMap<String, String> = BTreeMap::new();
        for group in self.groups {
            let base = onto
                .or(group.parent())
                .ok_or_else(|| Problem::new(Code::StalePlan, "plan", "a group without a base"))?;
            let parent = commits.last().map_or(base, String::as_str).to_owned();
            if !self.cache.has(&parent) {
                return Err(self.gone(&parent, dry_run));
            }
            let there = self.read(base, group).map_err(Problem::from)?;
            let files = group.apply(|path| overlay.get(path).or_else(|| there.get(path)).cloned())?;
            let committer = self.committer.clone().unwrap_or_else(|| group.author.clone());
            let spec = CommitSpec {
                parent: parent.clone(),
                author: group.author.clone(),
                time: (plan.created.as_second(), 0),
                message: with_trailers(&group.message, &self.trailers, &committer),
                committer,
                files: files
                    .iter()
                    .map(|(path, edit)| (path.clone(), edit.after.clone().into_bytes()))
                    .collect(),
            };
            let signer = self.signers.get(&group.automation).and_then(Option::as_ref);
            let by_key = signer.map(|signer| format!(", signed with {}", signer.label())).unwrap_or_default();
            let files_of = count(files.len(), "file");
            let text = format!("commit tree of {files_of}, parent {}{by_key}", short(&parent));
            let made = timed(step, &text, || self.cache.commit_signed(&spec, signer));
            commits.push(made.map_err(Problem::from)?);
            overlay.extend(files.into_iter().map(|(path, edit)| (path, edit.after)));
        }
        Ok(commits)
    }

    /// What it means that a commit to build on is not here.
    fn gone(&self, commit: &str, dry_run: DryRun) -> Problem {
        if dry_run == DryRun::Client {
            let text =
                format!("commit {} is not in the cache, and --dry-run=client asks nobody", short(commit));
            return Problem::new(Code::GitNotFound, self.remote.shown(), text)
                .hint("Use --dry-run=server, which fetches it.");
        }
        let (branch, found) = ("the base".to_owned(), "a commit that is gone".to_owned());
        Stale::Moved { branch, planned: short(commit), found }.into()
    }

    /// Whether the commit at `tip` is the last of this plan's, whoever committed it and whatever it stands on: author,
    /// time, message and files are the plan's.
    pub(super) fn has_landed(&self, plan: &Plan, tip: &str) -> bool {
        let Some(last) = self.groups.last() else { return false };
        let Some((author, time, message)) = self.cache.authorship(tip) else { return false };
        (author, time) == (last.author.clone(), plan.created.as_second())
            && is_message(&message, &last.message)
            && self.read(tip, last).is_ok_and(|files| {
                last.files.iter().all(|file| {
                    let found = files.get(&file.path).map(|text| sha256_hex(text.as_bytes()));
                    found.as_ref() == Some(&file.sha256_after)
                })
            })
    }

    /// The files of a group as they are in a commit; what is no text is left out.
    fn read(&self, commit: &str, group: &Group) -> Result<BTreeMap<String, String>, GitError> {
        let wanted: BTreeSet<&str> = group.files.iter().map(|file| file.path.as_str()).collect();
        let read = self.cache.read_tree(commit, |path| wanted.contains(path), |_, _| true)?;
        let texts =
            read.into_iter().filter_map(|file| Some((file.path, String::from_utf8(file.bytes).ok()?)));
        Ok(texts.collect())
    }
}
