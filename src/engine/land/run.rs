//! One push: what a plan wants of one branch is compared with the remote, pushed if it is not there yet, and what refspecs
//! add is pushed behind it.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::{DryRun, Steps, timed};
use crate::domain::landing::{Landed, LandingStep};
use crate::domain::object::{ObjectId, Person};
use crate::domain::plan::{Base, Group, Plan, PushTarget, Stale};
use crate::domain::refspec::{Refspec, short_name};
use crate::engine::pushes::Sending;
use crate::engine::{Engine, World, lock, short};
use crate::git::{
    BareCache, GitError, Meeting, PushReport, RefUpdate, Refs, Remote, Signer, has_nothing_new,
};
use crate::problem::{Code, Problem};

/// One push in the making.
pub(in super::super) struct Run<'a> {
    pub(in super::super) cache: BareCache,
    pub(in super::super) remote: Remote,
    pub(super) groups: &'a [&'a Group],
    pub(super) committer: Option<Person>,
    /// By automation; `None` signs nothing.
    pub(super) signers: BTreeMap<ObjectId, Option<Signer>>,
    pub(super) trailers: Vec<String>,
    /// Push options beside the plan's.
    pub(super) options: Vec<String>,
    engine: &'a Engine,
}

/// A branch that is where it shall be, or would be but for a dry run.
struct There {
    report: PushReport,
    /// What the remote had before.
    refs: Refs,
    /// The plan's last commit.
    last: String,
}

impl Engine {
    /// Opens what a push of `groups` needs: the cache, the remote with its credentials, and the signers.
    pub(super) fn open_run<'a>(
        &'a self,
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
                let by = committer.as_ref().unwrap_or(&group.author);
                let signer = self.signer(world, group.signing_key.as_ref(), by)?;
                signers.insert(group.automation.clone(), signer);
            }
        }
        let trailers = self.settings.trailers.clone();
        let options = Vec::new();
        Ok(Run { cache, remote, groups, committer, signers, trailers, options, engine: self })
    }
}

impl Run<'_> {
    /// Builds, compares and pushes; fills in what is known of each group. `None`: no network was asked.
    ///
    /// What refspecs add is pushed also where the branch was there before: it may have failed then.
    pub(super) fn land(
        &self,
        plan: &Plan,
        dry_run: DryRun,
        step: Steps<'_>,
        results: &mut [Landed],
    ) -> Result<Option<PushReport>, Problem> {
        let alone = || lock::alone(&self.engine.store, &self.remote, step);
        let _alone = (dry_run == DryRun::None).then(alone).transpose()?;
        let Some(There { report, refs, last }) = self.land_branch(plan, dry_run, step, results)? else {
            return Ok(None);
        };
        for (result, group) in results.iter_mut().zip(self.groups) {
            let Some(push) = &group.push else { continue };
            if let Err(problem) = self.push_also(&plan.id, (push, &last), &refs, (dry_run, step)) {
                result.error = Some(Problem { subject: result.automation.to_string(), ..problem });
                result.missed = result.also.pop();
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
        let first = self.groups.first().ok_or_else(empty)?;
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
            && let Some(tip) = refs.branch(&push.branch)
            && let Some(commits) = self.landed(plan, self.groups, tip)
        {
            self.tell_landed(&commits, results);
            return there(already(&push.branch, tip), refs.clone(), tip);
        }
        let onto = onto.as_deref();
        let compared = self.compared(plan, (base, push), (refs.as_ref(), onto), (dry_run, step), results);
        let Some(refs) = refs else { return compared.map(|_| None) };
        let (last, found) = match compared {
            Ok(compared) => compared,
            Err(problem) => {
                let is_stale = matches!(problem.code, Code::StalePlan | Code::BranchMoved);
                let at_base = is_stale.then(|| self.superseding(plan, (base, push), &refs)).flatten();
                let at_base = at_base.ok_or(problem)?;
                self.tell_superseded(plan, base, at_base, results);
                return there(already(short_name(&base.reference), at_base), refs.clone(), at_base);
            }
        };
        if let Some(report) = found {
            return there(report, refs, &last);
        }
        let tip = refs.branch(&push.branch);
        let pushed = self.push(&plan.id, (push, tip, &last), dry_run, step);
        // Another instance may have been faster with the same plan; where commits are signed it has another id.
        if let Err(problem) = &pushed
            && matches!(problem.code, Code::GitRace | Code::GitContested)
            && let Ok(refs) = self.fetch(&base.reference, &push.branch, step)
            && let Some(tip) = refs.branch(&push.branch)
            && let Some(commits) = self.landed(plan, self.groups, tip)
        {
            self.tell_landed(&commits, results);
            return there(already(&push.branch, tip), refs.clone(), tip);
        }
        let report = pushed?;
        if report.options_dropped {
            let text = "the server takes no push options; they were left out";
            step(LandingStep::begun(text).ended(0));
        }
        there(report, refs, &last)
    }

    /// Builds the commits, fills them in, and compares them with the remote: the last of them, and the report where the remote has
    /// it. Without `refs` nobody was asked; with `onto` they stand on that instead of their own bases.
    fn compared(
        &self,
        plan: &Plan,
        (base, push): (&Base, &PushTarget),
        (refs, onto): (Option<&Refs>, Option<&str>),
        (dry_run, step): (DryRun, Steps<'_>),
        results: &mut [Landed],
    ) -> Result<(String, Option<PushReport>), Problem> {
        let commits = self.commits(plan, onto, (dry_run, step))?;
        let mut below = None;
        for (result, commit) in results.iter_mut().zip(&commits) {
            // The first stands on the plan's base, each other on the one before it.
            result.base = below.replace(commit.clone()).unwrap_or_else(|| std::mem::take(&mut result.base));
            result.commit = Some(commit.clone());
        }
        let last = commits.last().cloned().ok_or_else(empty)?;
        let Some(refs) = refs else { return Ok((last, None)) };
        let tip = refs.branch(&push.branch);
        let has_last = |tip: &&str| {
            let is_as_planned = push.commit.as_deref() == Some(*tip);
            self.cache.is_landed(&last, tip) || (!is_as_planned && self.has_gone_on(tip, &last))
        };
        if let Some(tip) = tip.filter(has_last) {
            return Ok((last, Some(already(&push.branch, tip))));
        }
        let at_base = refs.commit(&base.reference);
        // Merged, and the branch deleted as forges do it: the base has it.
        if tip.is_none()
            && let Some(at_base) = at_base.filter(|at_base| *at_base != base.commit)
            && self.has_gone_on(at_base, &last)
        {
            let branch = short_name(&base.reference);
            for result in results.iter_mut().filter(|result| result.also.is_empty()) {
                branch.clone_into(&mut result.branch);
            }
            let report = already(branch, &last);
            return Ok((last, Some(report)));
        }
        if onto.is_none() {
            compare(&push.branch, push.commit.as_deref(), tip)?;
        }
        // A base that is a bare commit cannot move; a branch or tag can, or be gone.
        if base.reference.starts_with("refs/") && !self.is_moved_by(plan, base, at_base) {
            compare(&base.reference, Some(&base.commit), at_base)?;
        }
        Ok((last, None))
    }

    /// Where the base is, if it has moved and has all that the plan would write, though none of the commits that were built:
    /// squashed by a forge, or written by others. A branch of its own that is still there says itself what landed; what a refspec
    /// moves with it nobody has moved.
    fn superseding<'r>(
        &self,
        plan: &Plan,
        (base, push): (&Base, &PushTarget),
        refs: &'r Refs,
    ) -> Option<&'r str> {
        let at_base = refs.commit(&base.reference).filter(|at_base| *at_base != base.commit)?;
        let tip = refs.branch(&push.branch);
        let is_alone = |group: &&Group| {
            group.push.as_ref().is_some_and(|push| {
                let is_base = format!("refs/heads/{}", push.branch) == base.reference;
                push.refspec.is_none() && (is_base || tip.is_none())
            })
        };
        let has_all = || self.groups.iter().all(|group| is_alone(group) && self.has_values(at_base, group));
        (!self.is_moved_by(plan, base, Some(at_base)) && has_all()).then_some(at_base)
    }

    /// Tells that the base has it all: by commits of the plan that somebody else built, or by none of the plan, and then there is
    /// no commit to be named.
    fn tell_superseded(&self, plan: &Plan, base: &Base, at_base: &str, results: &mut [Landed]) {
        if let Some(commits) = self.landed(plan, self.groups, at_base) {
            self.tell_landed(&commits, results);
        } else {
            for result in results.iter_mut() {
                result.commit = None;
                result.base.clear();
            }
        }
        for result in results {
            short_name(&base.reference).clone_into(&mut result.branch);
        }
    }

    /// Whether the base is where commits of the same plan left it: those landed before, and these did not.
    fn is_moved_by(&self, plan: &Plan, base: &Base, found: Option<&str>) -> bool {
        let remote = self.groups.first().and_then(|group| group.remote.as_ref());
        let is_at_base = |group: &&Group| {
            let branch = group.push.as_ref().map(|push| format!("refs/heads/{}", push.branch));
            group.remote.as_ref() == remote && branch.as_ref() == Some(&base.reference)
        };
        let pushes = plan.pushes();
        let groups = pushes.iter().find(|groups| groups.iter().any(is_at_base));
        let commits = groups.zip(found).and_then(|(groups, found)| self.landed(plan, groups, found));
        let below = commits.and_then(|commits| self.cache.parent(commits.first()?));
        below.as_ref() == Some(&base.commit)
    }

    /// Pushes what a refspec adds, once the branch is there: a fast-forward or something new, like everything else.
    fn push_also(
        &self,
        plan: &str,
        (push, last): (&PushTarget, &str),
        refs: &Refs,
        (dry_run, step): (DryRun, Steps<'_>),
    ) -> Result<(), Problem> {
        let Some(update) = self.also(push, last, refs)? else { return Ok(()) };
        let text = format!("git push {} {}:{}", self.remote.shown(), short(&update.new), update.reference);
        if dry_run != DryRun::None {
            let text = format!("{text} (dry run)");
            let tried = timed(step, &text, || self.cache.push_dry_run(&self.remote, &[update]));
            return tried.map(drop).map_err(Problem::from);
        }
        let options: Vec<String> = push.option_lines().collect();
        let (cache, remote, text) = (&self.cache, &self.remote, text.as_str());
        let sending = Sending { cache, remote, plan, update, options: &options, step, text };
        match timed(step, text, || self.engine.send(&sending)) {
            // A reference for reviews is on no list of references: that it has the commit already, only its server says.
            Err(GitError::Rejected { reason, .. }) if has_nothing_new(&reason) => Ok(()),
            pushed => pushed.map(drop).map_err(Problem::from),
        }
    }

    /// What a refspec adds to a push that leaves its branch at `last`; `None`: nothing, or it is there.
    fn also(&self, push: &PushTarget, last: &str, refs: &Refs) -> Result<Option<RefUpdate>, Problem> {
        let Some(Ok(spec)) = push.refspec.as_deref().map(Refspec::parse) else { return Ok(None) };
        let own = format!("refs/heads/{}", push.branch);
        let is_ours = spec.from == own || spec.from == "HEAD";
        let commit = if is_ours { Some(last) } else { refs.commit(&spec.from) };
        let Some(commit) = commit else {
            let (url, what) = (self.remote.shown(), spec.from.clone());
            return Err(GitError::RefNotFound { url, what }.into());
        };
        let there = refs.commit(&spec.to);
        if spec.to == own || there == Some(commit) {
            return Ok(None);
        }
        if let Some(there) = there {
            self.cache.fetch(&self.remote, |_| vec![spec.to.clone()]).map_err(Problem::from)?;
            let meeting = self.cache.meet(&self.remote, there, commit).map_err(Problem::from)?;
            // It went on from there.
            if meeting == Meeting::Ahead {
                return Ok(None);
            }
            if meeting != Meeting::Contained {
                let text = format!(
                    "the branch was pushed, {} was not: it has commits that {} lacks",
                    spec.to, spec.from
                );
                return Err(Problem::new(Code::GitContested, self.remote.shown(), text)
                    .hint(format!("Merge {} first; nothing is ever overwritten.", spec.to)));
            }
        }
        let (old, new) = (there.map(str::to_owned), commit.to_owned());
        Ok(Some(RefUpdate { reference: spec.to, old, new }))
    }

    fn push(
        &self,
        plan: &str,
        (push, tip, last): (&PushTarget, Option<&str>, &str),
        dry_run: DryRun,
        step: Steps<'_>,
    ) -> Result<PushReport, Problem> {
        let update = RefUpdate::of_branch(&push.branch, tip.map(str::to_owned), last.to_owned());
        let mut options: Vec<String> = push.option_lines().collect();
        options.extend(self.options.iter().cloned());
        let text = format!("git push {} {}:refs/heads/{}", self.remote.shown(), short(last), push.branch);
        match dry_run {
            DryRun::None => {
                let (cache, remote, text) = (&self.cache, &self.remote, text.as_str());
                let sending = Sending { cache, remote, plan, update, options: &options, step, text };
                self.engine.push_branch(&sending)
            }
            DryRun::Client | DryRun::Server => {
                let text = format!("{text} (dry run)");
                timed(step, &text, || self.cache.push_dry_run(&self.remote, &[update])).map_err(Problem::from)
            }
        }
    }

    /// Where the branch is, as just asked or as last seen.
    fn tip(&self, refs: Option<&Refs>, branch: &str) -> Option<String> {
        let last = self.cache.last().map(|(refs, _)| refs).filter(|_| refs.is_none());
        refs.or(last.as_ref()).and_then(|refs| refs.branch(branch)).map(str::to_owned)
    }

    /// Whether others have put commits on top of `last`, which the remote then has; their history is fetched as far as that
    /// takes.
    fn has_gone_on(&self, tip: &str, last: &str) -> bool {
        self.cache.holds(&self.remote, tip, last).unwrap_or(false)
    }

    /// Tells of commits that are there, one for each result, and what they stand on.
    fn tell_landed(&self, commits: &[String], results: &mut [Landed]) {
        let below = commits.first().and_then(|first| self.cache.parent(first));
        let bases = below.into_iter().chain(commits.iter().cloned());
        for ((result, commit), base) in results.iter_mut().zip(commits).zip(bases) {
            (result.commit, result.base) = (Some(commit.clone()), base);
        }
    }

    fn fetch(&self, base: &str, branch: &str, step: Steps<'_>) -> Result<Refs, Problem> {
        let text = format!("git fetch {} {branch}", self.remote.shown());
        let wants = vec![base.to_owned(), format!("refs/heads/{branch}")];
        let fetched = timed(step, &text, || self.cache.fetch(&self.remote, |_| wants.clone()));
        Ok(fetched.map_err(Problem::from)?.refs)
    }
}

fn empty() -> Problem {
    Problem::new(Code::Internal, "plan", "an empty push")
}

/// The report of a push that was not needed.
fn already(branch: &str, tip: &str) -> PushReport {
    let pushed = crate::git::Pushed {
        branch: branch.to_owned(),
        commit: tip.to_owned(),
        created: false,
        already: true,
        verified: true,
    };
    PushReport { branches: vec![pushed], ..PushReport::default() }
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
