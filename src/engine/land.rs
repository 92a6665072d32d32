//! Landing a plan: the commits are built again from the plan on its own base, compared with the remote, pushed and
//! verified. Nothing is re-planned here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::requests::{Opening, Openings};
use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::commit::{CommitSpec, is_message, message_defect, with_trailers};
use crate::domain::landing::{Landed, LandingStep};
use crate::domain::object::{ImageUpdateAutomation, ObjectId, Person};
use crate::domain::plan::{Group, Plan, PushTarget, Stale, sha256_hex};
use crate::domain::refspec::Refspec;
use crate::domain::request::RequestWish;
use crate::git::{
    BareCache, GitError, Meeting, PushReport, RefUpdate, Refs, Remote, Signer, has_nothing_new, redact,
};
use crate::problem::{Code, Problem};
use crate::store::Store;
use crate::text::count;

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// All the way.
    None,
    /// Build the commits from what is in the cache; no network.
    Client,
    /// Log in for writing and compare references; send nothing.
    Server,
}

/// What to land, where, and how far to go.
#[derive(Debug, Clone)]
pub struct Landing {
    /// The plan, as it was made.
    pub plan: Plan,
    /// The branch to push to instead of the plan's: the commits stand on its tip, wherever that is now.
    pub branch: Option<String>,
    /// How far to go.
    pub dry_run: DryRun,
    /// Whether pull or merge requests are opened for what was pushed.
    pub request: Option<RequestWish>,
    /// Stops it: a push that is being sent runs to its end, and none is begun after it.
    pub cancel: CancellationToken,
}

impl Landing {
    /// A plan as it was made.
    pub fn of(plan: Plan, dry_run: DryRun) -> Self {
        Self { plan, branch: None, dry_run, request: None, cancel: CancellationToken::new() }
    }
}

/// Hears of each step on the way.
pub(super) type Steps<'a> = &'a Arc<dyn Fn(LandingStep) + Send + Sync>;

impl Engine {
    /// Lands a plan: one push for each remote and branch, one result for each group.
    ///
    /// # Errors
    /// A credential from the command line that would go to several hosts; a plan that was edited by hand or has a commit
    /// without a message; with `--refresh=always`, one whose images are gone ([`Code::StalePlan`]), or a registry that could
    /// not say so. What keeps a single push from landing is in its groups' results.
    pub async fn land(
        &self,
        world: &Arc<World>,
        landing: Landing,
        step: impl Fn(LandingStep) + Send + Sync + 'static,
    ) -> Result<Vec<Landed>, Problem> {
        let Landing { plan, branch, dry_run, request, cancel } = landing;
        if plan.is_edited() {
            return Err(Stale::Edited.into());
        }
        if let Some(defect) = plan.groups.iter().find_map(|group| message_defect(&group.message)) {
            return Err(Problem::new(Code::Usage, "plan", defect));
        }
        has_authors(&plan)?;
        if dry_run != DryRun::Client {
            self.one_git_host(plan.groups.iter().filter_map(|group| group.remote.clone()))?;
        }
        if self.settings.refresh == Refresh::Always && dry_run != DryRun::Client {
            self.check_images(world, &plan).await?;
        }
        let plan = branch.iter().fold(plan, |plan, branch| plan.onto(branch));
        let openings = match &request {
            Some(wish) => self.openings(&plan, wish, dry_run).await?,
            None => Openings::new(),
        };
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            let pushes = plan.pushes();
            let step: Arc<dyn Fn(LandingStep) + Send + Sync> = Arc::new(step);
            let land = |groups: &Vec<&Group>| {
                engine.land_run(&world, (&plan, &openings), groups, (dry_run, &cancel, &step))
            };
            Ok(pushes.iter().flat_map(land).collect())
        })
        .await
    }

    /// Lands the groups that share a remote and a branch.
    fn land_run(
        &self,
        world: &World,
        (plan, openings): (&Plan, &Openings),
        groups: &[&Group],
        (dry_run, cancel, step): (DryRun, &CancellationToken, Steps<'_>),
    ) -> Vec<Landed> {
        let mut results: Vec<Landed> = groups.iter().map(|group| blank(group)).collect();
        let place = results.first().map(|landed| (landed.remote.clone(), landed.branch.clone()));
        let opening = place.and_then(|place| openings.get(&place));
        let done = self.open_run(world, groups, cancel).and_then(|mut run| {
            run.options = opening.map(Opening::push_options).unwrap_or_default();
            let report = run.land(plan, dry_run, step, &mut results)?;
            Ok((run, report))
        });
        match &done {
            Ok((_, Some(report))) => finish(&mut results, report, dry_run),
            Ok((_, None)) => {}
            Err(problem) => {
                for result in &mut results {
                    let subject = result.automation.to_string();
                    result.error = Some(Problem { subject, ..problem.clone() });
                }
            }
        }
        self.audit_push(&plan.id, dry_run, &results);
        if let (Ok((run, report)), Some(opening)) = (&done, opening) {
            let report = report.clone().unwrap_or_default();
            self.open_request((plan, opening), (run, &report), (dry_run, step), &mut results);
        }
        results
    }

    fn open_run<'a>(
        &self,
        world: &World,
        groups: &'a [&'a Group],
        cancel: &CancellationToken,
    ) -> Result<Run<'a>, Problem> {
        if cancel.is_cancelled() {
            return Err(GitError::Cancelled.into());
        }
        let first = groups.first().copied();
        let (Some(first), Some(address)) = (first, first.and_then(|group| group.remote.as_deref())) else {
            return Err(Problem::new(Code::GitNotFound, "plan", "the plan has no Git remote to push to")
                .hint("Write it as a patch instead: supercargo plan … --output-patch FILE"));
        };
        let known = world.automations.iter().filter(|automation| automation.meta.id == first.automation);
        let remote = Remote { cancel: cancel.clone(), ..self.remote_at(world, known, address)? };
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        let committer = world.git_config.operator();
        let mut signers = BTreeMap::new();
        for group in groups {
            if !signers.contains_key(&group.automation) {
                let known = world.automations.iter().find(|known| known.meta.id == group.automation);
                let signer = self.signer(world, known, committer.as_ref().unwrap_or(&group.author))?;
                signers.insert(group.automation.clone(), signer);
            }
        }
        let trailers = self.settings.trailers.clone();
        let (options, store) = (Vec::new(), Arc::clone(&self.store));
        Ok(Run { cache, remote, groups, committer, signers, trailers, options, store })
    }

    /// The remote whose address without credentials is `address`, as one of `automations` has it if one does.
    pub(super) fn remote_at<'a>(
        &self,
        world: &'a World,
        mut automations: impl Iterator<Item = &'a ImageUpdateAutomation>,
        address: &str,
    ) -> Result<Remote, Problem> {
        let mut problems = Vec::new();
        // The address comes without credentials; the objects have it whole. Another address is not ours to use.
        let place = automations.find_map(|automation| {
            self.settle(world, automation).ok().flatten().filter(|place| redact(&place.url) == address)
        });
        if let Some(place) = place {
            return self.remote_of(world, &place, &mut problems);
        }
        let secrets = Self::git_secrets(world, None, address, &mut problems);
        self.remote(address, &secrets, &world.git_config, &mut problems)
    }
}

/// One push in the making.
pub(super) struct Run<'a> {
    pub(super) cache: BareCache,
    pub(super) remote: Remote,
    groups: &'a [&'a Group],
    committer: Option<Person>,
    /// By automation; `None` signs nothing.
    signers: BTreeMap<ObjectId, Option<Signer>>,
    trailers: Vec<String>,
    /// Push options beside the plan's.
    options: Vec<String>,
    store: Arc<Store>,
}

/// A branch that is where it shall be, or would be but for a dry run.
struct There {
    report: PushReport,
    /// What the remote had before.
    refs: Refs,
    /// The plan's last commit.
    last: String,
}

impl Run<'_> {
    /// Builds, compares and pushes; fills in what is known of each group. `None`: no network was asked.
    ///
    /// What refspecs add is pushed also where the branch was there before: it may have failed then.
    fn land(
        &self,
        plan: &Plan,
        dry_run: DryRun,
        step: Steps<'_>,
        results: &mut [Landed],
    ) -> Result<Option<PushReport>, Problem> {
        let alone = || super::lock::alone(&self.store, &self.remote, step);
        let _alone = (dry_run == DryRun::None).then(alone).transpose()?;
        let Some(There { report, refs, last }) = self.land_branch(plan, dry_run, step, results)? else {
            return Ok(None);
        };
        if dry_run == DryRun::None {
            for (result, group) in results.iter_mut().zip(self.groups) {
                let also = group
                    .push
                    .as_ref()
                    .map_or(Ok(()), |push| self.push_also(plan, (push, &last), &refs, step));
                result.error =
                    also.err().map(|problem| Problem { subject: result.automation.to_string(), ..problem });
            }
        }
        Ok(Some(report))
    }

    fn land_branch(
        &self,
        plan: &Plan,
        dry_run: DryRun,
        step: Steps<'_>,
        results: &mut [Landed],
    ) -> Result<Option<There>, Problem> {
        let first =
            self.groups.first().ok_or_else(|| Problem::new(Code::Internal, "plan", "an empty push"))?;
        let (Some(base), Some(push)) = (&first.base, &first.push) else {
            return Err(Problem::new(Code::StalePlan, "plan", "the plan names no base and no branch"));
        };
        let refs = match dry_run {
            DryRun::Client => None,
            DryRun::None | DryRun::Server => Some(self.fetch(&base.reference, &push.branch, step)?),
        };
        let elsewhere =
            self.groups.iter().any(|group| group.push.as_ref().is_some_and(|push| push.elsewhere));
        let onto = elsewhere.then(|| self.tip(refs.as_ref(), &push.branch).unwrap_or(base.commit.clone()));
        if let (Some(onto), Some(first)) = (&onto, results.first_mut()) {
            onto.clone_into(&mut first.base);
        }
        let there = |report, refs, last: &str| Ok(Some(There { report, refs, last: last.to_owned() }));
        if let Some(refs) = &refs
            && let Some(tip) = refs.branch(&push.branch).filter(|tip| self.has_landed(plan, tip))
        {
            return there(self.already(&push.branch, tip, results), refs.clone(), tip);
        }
        let commits = self.commits(plan, onto.as_deref(), (dry_run, step))?;
        let mut below = None;
        for (result, commit) in results.iter_mut().zip(&commits) {
            // The first stands on the plan's base, each other on the one before it.
            result.base = below.replace(commit.clone()).unwrap_or_else(|| std::mem::take(&mut result.base));
            result.commit = Some(commit.clone());
        }
        let (Some(refs), Some(last)) = (refs, commits.last()) else { return Ok(None) };
        let tip = refs.branch(&push.branch);
        if let Some(tip) = tip.filter(|tip| self.cache.is_landed(last, tip)) {
            return there(self.already(&push.branch, tip, &mut []), refs.clone(), last);
        }
        if !elsewhere {
            compare(&push.branch, push.commit.as_deref(), tip)?;
        }
        // A base that is a bare commit cannot move; a branch or tag can, or be gone.
        if base.reference.starts_with("refs/") {
            compare(&base.reference, Some(&base.commit), refs.commit(&base.reference))?;
        }
        let pushed = self.push(&plan.id, (push, tip, last), dry_run, step);
        // Another instance may have been faster with the same plan; where commits are signed it has another id.
        if let Err(problem) = &pushed
            && problem.code == Code::GitRace
            && let Ok(refs) = self.fetch(&base.reference, &push.branch, step)
            && let Some(tip) = refs.branch(&push.branch).filter(|tip| self.has_landed(plan, tip))
        {
            return there(self.already(&push.branch, tip, results), refs.clone(), tip);
        }
        let report = pushed?;
        if report.options_dropped {
            let text = "the server takes no push options; they were left out";
            step(LandingStep::begun(text).ended(0));
        }
        there(report, refs, last)
    }

    /// Pushes what a refspec adds, once the branch is there: a fast-forward or something new, like everything else.
    fn push_also(
        &self,
        plan: &Plan,
        (push, last): (&PushTarget, &str),
        refs: &Refs,
        step: Steps<'_>,
    ) -> Result<(), Problem> {
        let Some(Ok(spec)) = push.refspec.as_deref().map(Refspec::parse) else { return Ok(()) };
        let own = format!("refs/heads/{}", push.branch);
        let is_ours = spec.from == own || spec.from == "HEAD";
        let commit = if is_ours { Some(last) } else { refs.commit(&spec.from) };
        let Some(commit) = commit else {
            let (url, what) = (self.remote.shown(), spec.from.clone());
            return Err(GitError::RefNotFound { url, what }.into());
        };
        let there = refs.commit(&spec.to);
        if spec.to == own || there == Some(commit) {
            return Ok(());
        }
        if let Some(there) = there {
            self.cache.fetch(&self.remote, |_| vec![spec.to.clone()]).map_err(Problem::from)?;
            let meeting = self.cache.meet(&self.remote, there, commit).map_err(Problem::from)?;
            // It went on from there.
            if meeting == Meeting::Ahead {
                return Ok(());
            }
            if meeting != Meeting::Contained {
                let text = format!(
                    "the branch was pushed, {} was not: it has commits that {} lacks",
                    spec.to, spec.from
                );
                return Err(Problem::new(Code::GitRace, self.remote.shown(), text)
                    .hint(format!("Merge {} first; nothing is ever overwritten.", spec.to)));
            }
        }
        let update =
            RefUpdate { reference: spec.to.clone(), old: there.map(str::to_owned), new: commit.to_owned() };
        let text = format!("git push {} {}:{}", self.remote.shown(), short(commit), spec.to);
        let place = (&*self.store, &self.cache, &self.remote);
        let send = || super::pushes::send(place, &plan.id, update, &options(push), (step, &text));
        match timed(step, &text, send) {
            // A reference for reviews is on no list of references: that it has the commit already, only its server says.
            Err(GitError::Rejected { reason, .. }) if has_nothing_new(&reason) => Ok(()),
            pushed => pushed.map(drop).map_err(Problem::from),
        }
    }

    fn push(
        &self,
        plan: &str,
        (push, tip, last): (&PushTarget, Option<&str>, &str),
        dry_run: DryRun,
        step: Steps<'_>,
    ) -> Result<PushReport, Problem> {
        let update = RefUpdate::of_branch(&push.branch, tip.map(str::to_owned), last.to_owned());
        let mut options = options(push);
        options.extend(self.options.iter().cloned());
        let text = format!("git push {} {}:refs/heads/{}", self.remote.shown(), short(last), push.branch);
        let pushed = match dry_run {
            DryRun::None => timed(step, &text, || {
                let place = (&*self.store, &self.cache, &self.remote);
                super::pushes::send(place, plan, update, &options, (step, &text))
            }),
            DryRun::Client | DryRun::Server => {
                timed(step, &format!("{text} (dry run)"), || self.cache.push_dry_run(&self.remote, &[update]))
            }
        };
        pushed.map_err(Problem::from)
    }

    /// Where the branch is, as just asked or as last seen.
    fn tip(&self, refs: Option<&Refs>, branch: &str) -> Option<String> {
        let last = self.cache.last().map(|(refs, _)| refs).filter(|_| refs.is_none());
        refs.or(last.as_ref()).and_then(|refs| refs.branch(branch)).map(str::to_owned)
    }

    /// Whether the commit at `tip` is the last of this plan's, whoever committed it and whatever it stands on: author,
    /// time, message and files are the plan's.
    fn has_landed(&self, plan: &Plan, tip: &str) -> bool {
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

    /// The report of a push that was not needed; the results that have no commit yet get `tip` and what it stands on.
    fn already(&self, branch: &str, tip: &str, results: &mut [Landed]) -> PushReport {
        let mut commit = Some(tip.to_owned());
        for result in results.iter_mut().rev() {
            let parent = commit.as_deref().and_then(|commit| self.cache.parent(commit));
            result.commit = commit;
            result.base = parent.clone().unwrap_or_else(|| result.base.clone());
            commit = parent;
        }
        let pushed = crate::git::Pushed {
            branch: branch.to_owned(),
            commit: tip.to_owned(),
            created: false,
            already: true,
            verified: true,
        };
        PushReport { branches: vec![pushed], ..PushReport::default() }
    }

    fn fetch(&self, base: &str, branch: &str, step: Steps<'_>) -> Result<Refs, Problem> {
        let text = format!("git fetch {} {branch}", self.remote.shown());
        let wants = vec![base.to_owned(), format!("refs/heads/{branch}")];
        let fetched = timed(step, &text, || self.cache.fetch(&self.remote, |_| wants.clone()));
        Ok(fetched.map_err(Problem::from)?.refs)
    }

    /// Builds one commit for each group, each on the one before; all on `onto` instead of their own bases if given.
    fn commits(
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

    /// The files of a group as they are in a commit; what is no text is left out.
    fn read(&self, commit: &str, group: &Group) -> Result<BTreeMap<String, String>, GitError> {
        let wanted: BTreeSet<&str> = group.files.iter().map(|file| file.path.as_str()).collect();
        let read = self.cache.read_tree(commit, |path| wanted.contains(path), |_, _| true)?;
        let texts =
            read.into_iter().filter_map(|file| Some((file.path, String::from_utf8(file.bytes).ok()?)));
        Ok(texts.collect())
    }
}

/// Runs one step and says how long it took.
pub(super) fn timed<T>(step: Steps<'_>, text: &str, work: impl FnOnce() -> T) -> T {
    let begun = LandingStep::begun(text);
    step(begun.clone());
    let from = Instant::now();
    let done = work();
    let millis = u64::try_from(from.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(millis, "land: {text}");
    step(begun.ended(millis));
    done
}

/// The push options of an automation, as the server gets them.
fn options(push: &PushTarget) -> Vec<String> {
    push.options.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// The plan's commit of a branch against the remote's.
fn compare(branch: &str, planned: Option<&str>, found: Option<&str>) -> Result<(), Problem> {
    if planned == found {
        return Ok(());
    }
    let name = |commit: Option<&str>| commit.map_or_else(|| "nothing".to_owned(), short);
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned();
    Err(Stale::Moved { branch, planned: name(planned), found: name(found) }.into())
}

fn blank(group: &Group) -> Landed {
    Landed {
        automation: group.automation.clone(),
        remote: group.remote.clone().unwrap_or_default(),
        branch: group.push.as_ref().map(|push| push.branch.clone()).unwrap_or_default(),
        created: false,
        base: group.parent().unwrap_or_default().to_owned(),
        commit: None,
        pushed: false,
        verified: false,
        already: false,
        credential: None,
        request: None,
        error: None,
    }
}

fn finish(results: &mut [Landed], report: &PushReport, dry_run: DryRun) {
    let Some(branch) = report.branches.first() else { return };
    for result in results {
        result.created = branch.created;
        result.already = branch.already;
        result.pushed = dry_run == DryRun::None && !branch.already;
        result.verified = branch.verified;
        result.credential = (!report.credential.is_empty()).then(|| report.credential.clone());
    }
}

/// The first seven digits of a commit.
pub(crate) fn short(commit: &str) -> String {
    commit.chars().take(7).collect()
}

/// Who authors, where no automation does; nobody if git does not know either.
pub(super) fn operator(world: &World) -> Person {
    world.git_config.author().unwrap_or_default()
}

/// Whether every commit of a plan has an author.
///
/// # Errors
/// One has none, as where git does not know who works here: git refuses that, too.
pub fn has_authors(plan: &Plan) -> Result<(), Problem> {
    let Some(group) = plan.groups.iter().find(|group| group.author == Person::default()) else {
        return Ok(());
    };
    Err(nobody(&group.automation.to_string()))
}

/// Nobody says who a commit is by.
pub(super) fn nobody(subject: &str) -> Problem {
    let message = "author identity unknown: neither the automation nor git says who the commit is by";
    Problem::new(Code::Config, subject, message).hint(
        "Run `git config --global user.email you@example.com` and `git config --global user.name \"Your Name\"`.",
    )
}

/// The account that this process runs as: its name in the list of accounts, else its number.
fn account() -> String {
    use std::os::unix::fs::MetadataExt;
    let Ok(process) = std::fs::metadata("/proc/self") else { return "unknown".to_owned() };
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = process.uid().to_string();
    name_in(&accounts, &number).unwrap_or(number)
}

/// The name of the account with this number, in lines as those of passwd(5).
fn name_in(accounts: &str, number: &str) -> Option<String> {
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = lines.find(|fields| fields.get(2) == Some(&number))?;
    line.first().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

/// `USER@HOST` of this process.
pub(crate) fn who() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(account);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.map(|host| host.trim().to_owned()).or_else(|| variable("HOSTNAME"));
    format!("{user}@{}", host.unwrap_or_else(|| "localhost".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::engine;
    use super::*;
    use crate::domain::object::ObjectId;

    #[tokio::test]
    async fn a_commit_without_a_message_is_refused_before_anybody_is_asked() {
        let home = tempfile::tempdir().unwrap();
        let engine = engine(home.path());
        let refused = |message: &str| {
            let group = Group {
                automation: ObjectId::new("shop", "apps"),
                remote: None,
                base: None,
                push: None,
                author: Person { name: "bot".to_owned(), email: "bot@example.com".to_owned() },
                message: message.to_owned(),
                message_edited: true,
                warnings: Vec::new(),
                files: Vec::new(),
                updates: Vec::new(),
            };
            let mut plan = Plan {
                id: String::new(),
                created: super::super::now(),
                created_by: "rita@bastion".to_owned(),
                version: "0".to_owned(),
                problems: Vec::new(),
                bytes_changed_outside_markers: 0,
                groups: vec![group],
            };
            plan.id = plan.computed_id();
            let world = Arc::new(engine.nowhere());
            let engine = engine.clone();
            async move { engine.land(&world, Landing::of(plan, DryRun::None), |_| {}).await.err() }
        };
        for message in ["", " \n\n"] {
            let problem = refused(message).await.unwrap();
            assert_eq!((problem.code, problem.message.as_str()), (Code::Usage, "a commit needs a message"));
        }
        assert_eq!(refused("Update\n").await, None, "what else is wrong is in the group's own result");
    }

    #[test]
    fn an_account_is_found_by_its_number() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nrita:x:1000:1000::/home/rita:/bin/sh\n:x:7:7::/:/bin/sh\n";
        let name = |number: &str| name_in(accounts, number);
        assert_eq!(name("1000").as_deref(), Some("rita"));
        assert_eq!((name("100"), name("7")), (None, None));
    }
}
