//! Before the question whether to push: what will stand in the way, as far as it can be known without pushing. Each finding
//! comes with what to do about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Engine, World, blocking};
use crate::domain::inventory;
use crate::domain::object::ObjectId;
use crate::domain::plan::{Ground, Group, Plan, Warning};
use crate::git::{BareCache, redact};
use crate::problem::Problem;

/// An automation that some controller may run, and where it pushes to.
struct Pusher {
    id: ObjectId,
    remote: String,
    branch: String,
}

impl Engine {
    /// Warns of each automation that is not suspended and pushes to the branch of another: whoever comes second finds the
    /// branch moved.
    pub(super) fn warn_of_pushers(&self, world: &World, grounds: &mut [Ground]) {
        let active = world.automations.iter();
        let active = active.filter(|automation| !automation.suspend && !inventory::is_implied(automation));
        let pushers: Vec<Pusher> = active
            .filter_map(|automation| {
                let place = self.settle(world, automation).ok().flatten()?;
                let (remote, branch) = (redact(&place.url), place.targets.push_branch);
                Some(Pusher { id: automation.meta.id.clone(), remote, branch })
            })
            .collect();
        for ground in grounds {
            let Some(push) = &ground.push else { continue };
            let is_same = |pusher: &&Pusher| {
                pusher.id != ground.automation
                    && Some(&pusher.remote) == ground.remote.as_ref()
                    && pusher.branch == push.branch
            };
            let warnings = pushers.iter().filter(is_same).map(|Pusher { id, branch, .. }| {
                let text = format!(
                    "automation {id} is not suspended and pushes to {branch} as well: suspend it, or push elsewhere"
                );
                Warning::new("same_branch", text)
            });
            let warnings: Vec<Warning> = warnings.collect();
            ground.warnings.extend(warnings);
        }
    }

    /// Logs in to each remote of a plan as a push would, and sends nothing. The groups of a remote that does not let us get
    /// a warning that says why, and what to do.
    ///
    /// # Errors
    /// Only a bug of ours.
    pub async fn preflight(&self, world: &Arc<World>, mut plan: Plan) -> Result<Plan, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            let mut refused: Vec<(String, Warning)> = Vec::new();
            // One that did not answer just now is not asked again; that is said already.
            let is_there = |group: &&Group| group.base.as_ref().is_some_and(|base| !base.stale);
            let asked = plan.groups.iter().filter(is_there);
            let remotes: BTreeSet<String> = asked.filter_map(|group| group.remote.clone()).collect();
            for address in remotes {
                if let Err(problem) = engine.try_login(&world, &address) {
                    let hint = problem.hint.map(|hint| format!(" {hint}")).unwrap_or_default();
                    let text = format!("a push will not get in: {}.{hint}", problem.message);
                    refused.push((address, Warning::new(problem.code.word(), text)));
                }
            }
            for group in &mut plan.groups {
                let own = refused.iter().filter(|(address, _)| Some(address) == group.remote.as_ref());
                group.warnings.extend(own.map(|(_, warning)| warning.clone()));
            }
            Ok(plan)
        })
        .await
    }

    fn try_login(&self, world: &World, address: &str) -> Result<(), Problem> {
        let remote = self.remote_at(world, world.automations.iter(), address)?;
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        cache.push_dry_run(&remote, &[]).map(drop).map_err(Problem::from)
    }
}
