//! A plan's commits, built again from the plan and the files of its base; and told by their contents where a remote has them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::run::Run;
use super::{DryRun, Steps, timed};
use crate::domain::commit::{CommitSpec, Content, is_message, with_trailers};
use crate::domain::manifest::{self, MarkedScalar};
use crate::domain::parallel::on_all_cores;
use crate::domain::plan::{Group, Plan, PlannedFile, Stale, sha256_hex};
use crate::domain::proposal::{Proposal, Site};
use crate::engine::short;
use crate::git::{GitError, NewObjects};
use crate::problem::{Code, Problem};
use crate::text::count;

/// Files of a commit that are in memory at once.
const FILES_AT_ONCE: usize = 1_024;

impl Run<'_> {
    /// Builds one commit for each group, each on the one before; all on `onto` instead of their own bases if given.
    pub(super) fn commits(
        &self,
        plan: &Plan,
        onto: Option<&str>,
        (dry_run, step): (DryRun, Steps<'_>),
    ) -> Result<Vec<String>, Problem> {
        let mut commits: Vec<String> = Vec::new();
        let mut edited = HashSet::new();
        for group in self.groups {
            let base = onto
                .or(group.parent())
                .ok_or_else(|| Problem::new(Code::StalePlan, "plan", "a group without a base"))?;
            let parent = commits.last().map_or(base, String::as_str).to_owned();
            if !self.cache.has(&parent) {
                return Err(self.gone(&parent, dry_run));
            }
            let signer = self.signers.get(&group.automation).and_then(Option::as_ref);
            let by_key = signer.map(|signer| format!(", signed with {}", signer.label())).unwrap_or_default();
            let files_of = count(group.files.len(), "file");
            let text = format!("commit tree of {files_of}, parent {}{by_key}", short(&parent));
            commits.push(timed(step, &text, || -> Result<String, Problem> {
                let mut objects = self.cache.new_objects().map_err(Problem::from)?;
                let files = self.write_files(&mut objects, group, (base, &parent), &edited)?;
                let committer = self.committer.clone().unwrap_or_else(|| group.author.clone());
                let spec = CommitSpec {
                    parent: Some(parent.clone()),
                    author: group.author.clone(),
                    time: (plan.created.as_second(), 0),
                    message: with_trailers(&group.message, &self.trailers, &committer),
                    committer,
                    files,
                };
                match objects.commit(&spec, signer) {
                    // The groups before it wrote all of that already.
                    Err(GitError::NoChange) if parent != base => Ok(parent),
                    made => made.map_err(Problem::from),
                }
            })?);
            edited.extend(group.files.iter().map(|file| file.path.as_str()));
        }
        Ok(commits)
    }

    /// Writes the new contents of a group's files, a few at a time: a plan may change thousands.
    ///
    /// What groups before it have `edited` is as they left it, in `parent`; all else as in `base`.
    fn write_files(
        &self,
        objects: &mut NewObjects<'_>,
        group: &Group,
        (base, parent): (&str, &str),
        edited: &HashSet<&str>,
    ) -> Result<Vec<(String, Content)>, Problem> {
        let approved = group.approved();
        let mut written = Vec::with_capacity(group.files.len());
        for files in group.files.chunks(FILES_AT_ONCE) {
            let (again, fresh): (Vec<_>, Vec<_>) =
                files.iter().map(|file| file.path.as_str()).partition(|path| edited.contains(path));
            let mut there = self.read(base, &fresh)?;
            there.extend(self.read(parent, &again)?);
            let edit = |file: &PlannedFile| {
                let before = there.get(file.path.as_str()).cloned();
                let is_so = |text: &String| sha256_hex(text.as_bytes()) == file.sha256_after;
                if let Some(text) = before.as_ref().filter(|text| edited.contains(&*file.path) && is_so(text))
                {
                    return Ok(text.clone().into_bytes());
                }
                approved.edit(file, before, crate::source::edit::check).map(|edit| edit.after().into_bytes())
            };
            let contents = on_all_cores(files, edit);
            let contents = contents.into_iter().collect::<Result<Vec<_>, Stale>>()?;
            let blobs = objects.write(&contents).map_err(Problem::from)?;
            let paths = files.iter().map(|file| file.path.clone());
            written.extend(paths.zip(blobs.into_iter().map(Content::Blob)));
        }
        Ok(written)
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

    /// The plan's commits for `groups`, those of one branch, one for each, where the last of them is at `tip`, whoever committed them and whatever they stand
    /// on: author, time, message and files are the plan's. A group that those before it left nothing to write has the commit
    /// of the one before.
    pub(super) fn landed(&self, plan: &Plan, groups: &[&Group], tip: &str) -> Option<Vec<String>> {
        let mut above = self.look_alikes(plan, groups, tip);
        let mut commits: Vec<String> = Vec::with_capacity(groups.len());
        for group in groups {
            let before = commits.last().filter(|before| self.has_files(before, &group.files)).cloned();
            let commit = match before {
                Some(before) => before,
                None => above.pop().filter(|commit| self.is_commit_of(group, commit))?,
            };
            commits.push(commit);
        }
        above.is_empty().then_some(commits).filter(|commits| !commits.is_empty())
    }

    /// The commits from `tip` downwards that have the plan's time and a group's author and words; at most one for each group.
    fn look_alikes(&self, plan: &Plan, groups: &[&Group], tip: &str) -> Vec<String> {
        let looks_alike = |commit: &str| {
            let authorship = self.cache.authorship(commit);
            authorship.is_some_and(|(author, time, message)| {
                let is_of = |group: &&Group| author == group.author && is_message(&message, &group.message);
                time == plan.created.as_second() && groups.iter().any(is_of)
            })
        };
        let mut found = Vec::new();
        let mut next = Some(tip.to_owned());
        while let Some(commit) = next.filter(|commit| found.len() < groups.len() && looks_alike(commit)) {
            next = self.cache.parent(&commit);
            if groups.len() > 1 && next.as_ref().is_some_and(|parent| !self.cache.has(parent)) {
                // What cannot be fetched is not there, and nothing of the plan is told by it.
                let fetched = self.cache.fetch_below(&self.remote, &commit, groups.len());
                tracing::debug!(?fetched, "land: the commits below {}", short(&commit));
            }
            found.push(commit);
        }
        found
    }

    fn is_commit_of(&self, group: &Group, commit: &str) -> bool {
        let is_of = |(author, _, message): (_, _, String)| {
            author == group.author && is_message(&message, &group.message)
        };
        self.cache.authorship(commit).is_some_and(is_of) && self.has_files(commit, &group.files)
    }

    /// Whether each marked value of a group that is approved is in the commit as it would be written; where objects are edited
    /// besides, all files are as they would be.
    pub(super) fn has_values(&self, commit: &str, group: &Group) -> bool {
        let approved = || group.updates.iter().filter(|update| update.is_approved());
        if approved().any(|update| !update.approved_edits().is_empty()) {
            return self.has_files(commit, &group.files);
        }
        let mut sites: BTreeMap<&str, Vec<&Site>> = BTreeMap::new();
        for site in approved().flat_map(Proposal::approved) {
            sites.entry(&site.file).or_default().push(site);
        }
        let paths: Vec<&str> = sites.keys().copied().collect();
        let is_there = |path: &&str, text: &str| {
            let scalars = manifest::find(text).unwrap_or_default();
            sites.get(path).is_some_and(|sites| sites.iter().all(|site| is_written(site, &scalars)))
        };
        let has = |paths: &[&str]| {
            let there = self.read(commit, paths).unwrap_or_default();
            paths.iter().all(|path| there.get(*path).is_some_and(|text| is_there(path, text)))
        };
        !paths.is_empty() && paths.chunks(FILES_AT_ONCE).all(has)
    }

    /// Whether the files hold in the commit what the plan would leave in them.
    fn has_files(&self, commit: &str, files: &[PlannedFile]) -> bool {
        files.chunks(FILES_AT_ONCE).all(|files| {
            let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
            self.read(commit, &paths).is_ok_and(|there| {
                let found =
                    |file: &PlannedFile| there.get(&file.path).map(|text| sha256_hex(text.as_bytes()));
                files.iter().all(|file| found(file).as_ref() == Some(&file.sha256_after))
            })
        })
    }

    /// Files as they are in a commit, by path; what is no text is left out.
    fn read(&self, commit: &str, paths: &[&str]) -> Result<HashMap<String, String>, GitError> {
        let read = self.cache.read_files(commit, paths)?;
        let texts =
            read.into_iter().filter_map(|file| Some((file.path, String::from_utf8(file.bytes).ok()?)));
        Ok(texts.collect())
    }
}

/// Whether one of the scalars is that of the site, with its new value.
fn is_written(site: &Site, scalars: &[MarkedScalar]) -> bool {
    scalars.iter().any(|scalar| {
        (&scalar.setter, &scalar.field, &scalar.object, &scalar.value)
            == (&site.setter, &site.field, &site.object, &site.new)
    })
}
