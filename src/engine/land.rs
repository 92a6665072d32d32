//! Landing a plan: the commits are built again from the plan on its own base, compared with the remote, pushed and
//! verified. Nothing is re-planned here.

mod commits;
mod run;

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::identity::has_authors;
use super::requests::{Opening, Openings};
use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::landing::{Landed, LandingStep};
use crate::domain::plan::{Group, Plan, Stale};
use crate::domain::request::RequestWish;
use crate::git::{GitError, PushReport};
use crate::problem::{Code, Problem};

pub(super) use run::Run;

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
        if let Some(defect) = plan.defect() {
            return Err(Problem::new(Code::Usage, "plan", defect));
        }
        has_authors(&plan)?;
        if dry_run != DryRun::Client {
            self.one_git_host(plan.groups.iter().filter_map(|group| group.remote.clone()))?;
        }
        let asked = async {
            if self.settings.refresh == Refresh::Always && dry_run != DryRun::Client {
                self.check_images(world, &plan).await?;
            }
            let plan = branch.iter().fold(plan, |plan, branch| plan.onto(branch));
            let openings = match &request {
                Some(wish) => self.openings(&plan, wish, dry_run).await?,
                None => Openings::new(),
            };
            Ok::<_, Problem>((plan, openings))
        };
        let (plan, openings) =
            cancel.run_until_cancelled(asked).await.unwrap_or(Err(GitError::Cancelled.into()))?;
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            let pushes = plan.pushes();
            let step: Arc<dyn Fn(LandingStep) + Send + Sync> = Arc::new(step);
            let land = |groups: &Vec<&Group>| {
                engine.land_run(&world, (&plan, &openings), groups, (dry_run, &cancel, &step))
            };
            let mut landed: Vec<(usize, Vec<Landed>)> =
                in_turn(&pushes).into_iter().map(|(place, groups)| (place, land(groups))).collect();
            landed.sort_by_key(|(place, _)| *place);
            Ok(landed.into_iter().flat_map(|(_, landed)| landed).collect())
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
            // Nobody was asked: the plan says whether the branch was there.
            Ok((_, None)) => {
                let is_new = |group: &&Group| group.push.as_ref().is_some_and(|push| push.commit.is_none());
                let is_new = groups.iter().any(is_new);
                for result in &mut results {
                    result.created = is_new;
                }
            }
            Err(problem) => {
                for result in &mut results {
                    let subject = result.automation.to_string();
                    result.error = Some(Problem { subject, ..problem.clone() });
                }
            }
        }
        self.audit_push(&plan.id, dry_run, &results);
        // What has come into the base already needs no request.
        let opening = opening.filter(|opening| results.iter().all(|landed| opening.is_from(&landed.branch)));
        if let (Ok((run, report)), Some(opening)) = (&done, opening) {
            let report = report.clone().unwrap_or_default();
            self.open_request((plan, opening), (run, &report), (dry_run, step), &mut results);
        }
        results
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

fn blank(group: &Group) -> Landed {
    Landed {
        automation: group.automation.clone(),
        remote: group.remote.clone().unwrap_or_default(),
        branch: group.push.as_ref().map(|push| push.branch.clone()).unwrap_or_default(),
        also: group.push.as_ref().map(|push| push.names().split_off(1)).unwrap_or_default(),
        missed: None,
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

/// Whether it says that somebody stopped the work before anything was sent.
pub fn was_stopped(problem: &Problem) -> bool {
    let stopped = Problem::from(GitError::Cancelled);
    (problem.code, &problem.message) == (stopped.code, &stopped.message)
}

/// The pushes, each with its place in the plan, in the order in which they are made: a branch on which another commit of the plan
/// stands goes last, or our own push would be what moved it.
fn in_turn<'a, 'p>(pushes: &'a [Vec<&'p Group>]) -> Vec<(usize, &'a Vec<&'p Group>)> {
    let stands_on = |group: &Group, other: &Group| {
        let branch = other.push.as_ref().map(|push| format!("refs/heads/{}", push.branch));
        group.remote == other.remote && group.base.as_ref().map(|base| &base.reference) == branch.as_ref()
    };
    let is_below = |(place, groups): &(usize, &Vec<&Group>)| {
        let others =
            pushes.iter().enumerate().filter(|(other, _)| other != place).flat_map(|(_, other)| other);
        let own = groups.first().copied();
        others.into_iter().any(|group| own.is_some_and(|own| stands_on(group, own)))
    };
    let mut turns: Vec<_> = pushes.iter().enumerate().collect();
    turns.sort_by_key(is_below);
    turns
}

#[cfg(test)]
mod tests {
    use super::super::tests::engine;
    use super::*;
    use crate::domain::object::{ObjectId, Person};

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
                signing_key: None,
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
            let message = "shop/apps: a commit needs a message";
            assert_eq!((problem.code, problem.message.as_str()), (Code::Usage, message));
        }
        let problem = refused("Update\n").await.unwrap();
        assert!(problem.message.contains("nothing in it is approved"), "{problem:?}");
    }
}
