//! Before the question whether to push: what will stand in the way, as far as it can be known without pushing. Each finding
//! comes with what to do about it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, World, blocking};
use crate::domain::forge::{BranchRules, ForgeKind};
use crate::domain::object::ObjectId;
use crate::domain::plan::{Ground, Group, Plan, Warning};
use crate::forge::{Forge, ForgeError};
use crate::git::{BareCache, redact};
use crate::problem::{Code, Problem};

/// How long a forge may take to tell of a branch: a person waits for the question.
const PATIENCE: Duration = Duration::from_secs(5);

/// Remote and branch of a push.
type Place = (String, String);

fn place_of(group: &Group) -> Option<Place> {
    Some((group.remote.clone()?, group.push.as_ref()?.branch.clone()))
}

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
        let active = world.inventory.automations.values().filter(|automation| !automation.suspend);
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
            for (place, warnings) in engine.branch_rules(&world, &plan) {
                let there = plan.groups.iter_mut().filter(|group| place_of(group).as_ref() == Some(&place));
                there.for_each(|group| group.warnings.extend(warnings.iter().cloned()));
            }
            Ok(plan)
        })
        .await
    }

    /// What the forges have to say against the pushes of a plan, as far as they tell; asks the network, and blocks.
    fn branch_rules(&self, world: &World, plan: &Plan) -> Vec<(Place, Vec<Warning>)> {
        let mut found: Vec<(Place, Vec<Warning>)> = Vec::new();
        for group in plan.pushes().into_iter().filter_map(|groups| groups.first().copied()) {
            let Some(place) = place_of(group) else { continue };
            match self.rules_of(&place) {
                Ok(Some((kind, rules))) => {
                    let is_signed = self.is_signed(world, group);
                    found.push((place.clone(), rules.warnings(kind, &place.1, is_signed)));
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "preflight: the forge tells nothing of {}", place.1),
            }
        }
        found
    }

    /// What the forge would refuse, a problem each, for who pushes without a dialog.
    ///
    /// # Errors
    /// Only a bug of ours.
    pub async fn foretold(&self, world: &Arc<World>, plan: &Plan) -> Result<Vec<Problem>, Problem> {
        let (engine, world, plan) = (self.clone(), Arc::clone(world), plan.clone());
        blocking(move || {
            let found = engine.branch_rules(&world, &plan).into_iter();
            let problem = |(place, warnings): (Place, Vec<Warning>)| {
                let told = move |warning: Warning| Problem::new(Code::GitRejected, &place.1, warning.message);
                warnings.into_iter().map(told)
            };
            Ok(found.flat_map(problem).collect())
        })
        .await
    }

    /// The rules of a branch; `None` where no forge is known without asking around, or there is no token: strangers are told
    /// little.
    fn rules_of(&self, (remote, branch): &Place) -> Result<Option<(ForgeKind, BranchRules)>, ForgeError> {
        let located = super::requests::address(remote).ok();
        let located = located.and_then(|address| self.forges.locate_offline(&address));
        let Some(located) = located.filter(|located| located.token.is_some()) else { return Ok(None) };
        let Some(forge) = Forge::of(&located, &self.forges)? else { return Ok(None) };
        let asked = tokio::time::timeout(PATIENCE, forge.rules(branch));
        let rules = tokio::runtime::Handle::current().block_on(asked);
        rules.map_or(Ok(None), |rules| rules.map(|rules| Some((located.project.kind, rules))))
    }

    /// Whether the commit of a group will be signed; a key that cannot be used is told of elsewhere.
    fn is_signed(&self, world: &World, group: &Group) -> bool {
        let committer = world.git_config.operator();
        let by = committer.as_ref().unwrap_or(&group.author);
        let signer = self.signer(world, group.signing_key.as_ref(), by);
        !matches!(signer, Ok(None))
    }

    fn try_login(&self, world: &World, address: &str) -> Result<(), Problem> {
        let remote = self.remote_at(world, world.automations.iter(), address)?;
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        cache.push_dry_run(&remote, &[]).map(drop).map_err(Problem::from)
    }
}
