//! Merging a branch of a remote into another: by moving it where that is enough, else by a commit that joins them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::identity::operator;
use super::land::{Steps, short, timed};
use super::pushes::Sending;
use super::{Engine, World, blocking};
use crate::domain::branch::Guard;
use crate::domain::inventory::implied_automation;
use crate::domain::landing::{Brought, LandingStep, Merged};
use crate::domain::object::{ImageUpdateAutomation, ObjectId, Person};
use crate::domain::plan::Stale;
use crate::git::{BareCache, GitError, Meeting, MergeSpec, PushReport, RefUpdate, Remote, redact};
use crate::problem::{Code, Problem};

/// What to merge, and how far to go.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// The remote's address without credentials, as [`Engine::repository_address`] has it.
    pub remote: String,
    /// The branch that is merged.
    pub from: String,
    /// The branch that it is merged into.
    pub into: String,
    /// Whether to make a commit also where moving the branch would do.
    pub always_commit: bool,
    /// Whether to send nothing.
    pub dry_run: bool,
    /// The tips of `from` and `into` that a person has seen: where one of them is elsewhere, nothing is merged.
    pub seen: Option<(String, String)>,
    /// Stops it, until something is sent.
    pub cancel: CancellationToken,
}

impl Engine {
    /// The address, without credentials, of the repository called `wanted`; of the only one where no name is given.
    ///
    /// # Errors
    /// There is no such repository, or there are several to choose from.
    pub fn repository_address(&self, world: &World, wanted: Option<&ObjectId>) -> Result<String, Problem> {
        let (mut found, mut failed): (Vec<(String, String)>, _) = (Vec::new(), None);
        for automation in &automations(world) {
            if wanted.is_some_and(|wanted| automation.source != *wanted) {
                continue;
            }
            match self.settle(world, automation) {
                Ok(Some(place)) if !found.iter().any(|(_, known)| *known == redact(&place.url)) => {
                    found.push((automation.source.to_string(), redact(&place.url)));
                }
                Ok(_) => {}
                Err(problem) => failed = failed.or(Some(problem)),
            }
        }
        match found.as_slice() {
            [(_, address)] => Ok(address.clone()),
            [] => Err(failed.unwrap_or_else(|| {
                Problem::new(Code::NotFound, "supercargo", "there is no Git repository here")
                    .hint("Say where the objects are with -C, or where the repository is with --git-url.")
            })),
            several => {
                let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
                let message = format!("there are several repositories: {}", names.join(", "));
                Err(Problem::new(Code::Ambiguous, "supercargo", message).hint("Name one with --repo."))
            }
        }
    }

    /// The repositories that [`Self::repository_address`] knows by name.
    pub fn repository_names(world: &World) -> BTreeSet<ObjectId> {
        automations(world).into_iter().map(|automation| automation.source).collect()
    }

    /// Merges, pushes and asks the remote afterwards.
    ///
    /// # Errors
    /// A branch that is not there, conflicts ([`Code::MergeConflict`], with the files), a branch that moved meanwhile, and
    /// whatever keeps the remote from answering. Nothing has moved then.
    pub async fn merge(
        &self,
        world: &Arc<World>,
        request: MergeRequest,
        step: impl Fn(LandingStep) + Send + Sync + 'static,
    ) -> Result<Merged, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            let step: Arc<dyn Fn(LandingStep) + Send + Sync> = Arc::new(step);
            let merged = engine.merge_now(&world, &request, &step)?;
            engine.audit_merge(&request, &merged);
            merged
        })
        .await
    }

    /// What [`Self::merge`] would do, and why the name of the branch that it changes has to be typed, if it has to. Nothing is sent,
    /// nor written down: somebody only looks.
    ///
    /// # Errors
    /// As [`Self::merge`].
    pub async fn merge_ahead(
        &self,
        world: &Arc<World>,
        request: MergeRequest,
    ) -> Result<(Merged, Option<Guard>), Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            let request = MergeRequest { dry_run: true, ..request };
            let step: Arc<dyn Fn(LandingStep) + Send + Sync> = Arc::new(|_step: LandingStep| {});
            let merged = engine.merge_now(&world, &request, &step)??;
            Ok((merged, engine.guard(&world, &request.into)))
        })
        .await
    }

    /// The outcome of a merge; where not even the remote could be settled, why.
    fn merge_now(
        &self,
        world: &World,
        request: &MergeRequest,
        step: Steps<'_>,
    ) -> Result<Result<Merged, Problem>, Problem> {
        self.one_git_host(std::iter::once(request.remote.clone()))?;
        let known = automations(world);
        let remote = self.remote_at(world, known.iter(), &request.remote)?;
        let remote = Remote { cancel: request.cancel.clone(), ..remote };
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        let work = Work { engine: self, world, cache, remote, request, by: operator(world) };
        Ok(work.run(step))
    }
}

/// The automations, and one for each repository that none of them writes to.
fn automations(world: &World) -> Vec<ImageUpdateAutomation> {
    let mut all = world.automations.clone();
    for id in world.inventory.git_repositories.keys() {
        if !all.iter().any(|automation| automation.source == *id) {
            all.push(ImageUpdateAutomation { source: id.clone(), ..implied_automation(&id.namespace, "") });
        }
    }
    all
}

/// One merge in the making.
struct Work<'a> {
    engine: &'a Engine,
    world: &'a World,
    cache: BareCache,
    remote: Remote,
    request: &'a MergeRequest,
    by: Person,
}

impl Work<'_> {
    fn run(&self, step: Steps<'_>) -> Result<Merged, Problem> {
        let MergeRequest { from, into, always_commit, .. } = self.request;
        let alone = || super::lock::alone(&self.engine.store, &self.remote, step);
        let _alone = (!self.request.dry_run).then(alone).transpose()?;
        let (source, target) = self.tips(step)?;
        self.is_as_seen((&source, &target))?;
        let text = format!("git merge-base {from} {into}");
        let meeting = timed(step, &text, || self.cache.meet(&self.remote, &source, &target));
        let meeting = meeting.map_err(Problem::from)?;
        let commit = match meeting {
            Meeting::Contained => return Ok(self.merged((&source, &target), &target, None, false)),
            Meeting::Ahead if !always_commit => source.clone(),
            Meeting::Ahead | Meeting::Parted => self.join(&source, &target, step)?,
            Meeting::Unrelated => {
                return Err(GitError::Unrelated { from: from.clone(), into: into.clone() }.into());
            }
        };
        let is_forward = meeting == Meeting::Ahead && !always_commit;
        let report = self.push(&target, &commit, step)?;
        Ok(self.merged((&source, &target), &commit, Some(&report), is_forward))
    }

    /// What a person said yes to is what is merged.
    fn is_as_seen(&self, (source, target): (&str, &str)) -> Result<(), Problem> {
        let Some((seen_source, seen_target)) = &self.request.seen else { return Ok(()) };
        let MergeRequest { from, into, .. } = self.request;
        for (branch, seen, now) in [(from, seen_source, source), (into, seen_target, target)] {
            if seen != now {
                let moved = Stale::Moved { branch: branch.clone(), planned: short(seen), found: short(now) };
                return Err(
                    Problem::new(Code::StalePlan, "merge", moved.to_string()).hint("Look at it again.")
                );
            }
        }
        Ok(())
    }

    /// The tips of the branch that is merged and of the one that it is merged into.
    fn tips(&self, step: Steps<'_>) -> Result<(String, String), Problem> {
        let MergeRequest { from, into, .. } = self.request;
        let names = [from, into].map(|branch| format!("refs/heads/{branch}"));
        let text = format!("git fetch {} {from} {into}", self.remote.shown());
        let fetched = timed(step, &text, || self.cache.fetch(&self.remote, |_| names.to_vec()));
        let refs = fetched.map_err(Problem::from)?.refs;
        let tip = |branch: &str| {
            refs.branch(branch).map(str::to_owned).ok_or_else(|| GitError::RefNotFound {
                url: self.remote.shown(),
                what: format!("branch {branch}"),
            })
        };
        Ok((tip(from).map_err(Problem::from)?, tip(into).map_err(Problem::from)?))
    }

    /// The commit that joins the branches.
    fn join(&self, source: &str, target: &str, step: Steps<'_>) -> Result<String, Problem> {
        let MergeRequest { from, into, .. } = self.request;
        if self.by == Person::default() {
            return Err(super::identity::nobody("merge"));
        }
        let committer = self.world.git_config.operator().unwrap_or_else(|| self.by.clone());
        let signer = self.engine.signer(self.world, None, &committer)?;
        let spec = MergeSpec {
            from: (from.clone(), source.to_owned()),
            into: (into.clone(), target.to_owned()),
            author: self.by.clone(),
            committer,
            time: (super::now().as_second(), 0),
            message: format!("Merge branch '{from}' into {into}\n"),
        };
        let text = format!("git merge {} {}", short(target), short(source));
        timed(step, &text, || self.cache.merge(&spec, signer.as_ref())).map_err(Problem::from)
    }

    fn push(&self, target: &str, commit: &str, step: Steps<'_>) -> Result<PushReport, Problem> {
        let into = &self.request.into;
        let update = RefUpdate::of_branch(into, Some(target.to_owned()), commit.to_owned());
        let text = format!("git push {} {}:refs/heads/{into}", self.remote.shown(), short(commit));
        if self.request.dry_run {
            let text = format!("{text} (dry run)");
            return timed(step, &text, || self.cache.push_dry_run(&self.remote, &[update]))
                .map_err(Problem::from);
        }
        let (cache, remote) = (&self.cache, &self.remote);
        self.engine.push_branch(&Sending { cache, remote, plan: "", update, options: &[], step, text: &text })
    }

    /// The commits that `target` gets with those of `source`.
    fn brings(&self, source: &str, target: &str) -> Option<Vec<Brought>> {
        let ahead = self.cache.apart(source, target)?.ahead?;
        Some(ahead.into_iter().map(|(author, subject)| Brought { author, subject }).collect())
    }

    /// The result; without a report nothing had to be pushed.
    fn merged(
        &self,
        (tip, base): (&str, &str),
        commit: &str,
        report: Option<&PushReport>,
        fast_forward: bool,
    ) -> Merged {
        let row = report.and_then(|report| report.branches.first());
        Merged {
            automation: None,
            remote: self.remote.shown(),
            branch: self.request.into.clone(),
            created: false,
            base: base.to_owned(),
            tip: tip.to_owned(),
            commit: Some(commit.to_owned()),
            pushed: row.is_some() && !self.request.dry_run,
            verified: row.is_none_or(|row| row.verified),
            already: row.is_none(),
            fast_forward,
            brings: self.brings(tip, base),
            credential: report.map(|report| report.credential.clone()).filter(|label| !label.is_empty()),
            request: None,
            error: None,
        }
    }
}
