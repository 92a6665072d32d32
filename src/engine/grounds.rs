//! What each automation stands on: its remote, the commit to read, and the marked files of that commit.

mod files;
mod known;
mod place;
mod warnings;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::branch::{self, Onto};
use crate::domain::freeze::FREEZE;
use crate::domain::inventory::is_below;
use crate::domain::manifest;
use crate::domain::object::{ImageUpdateAutomation, Person};
use crate::domain::plan::{Committing, Ground, PushTarget, Warning};
use crate::domain::setrun;
use crate::git::{BareCache, Distance};
use crate::problem::{Code, Problem};
use files::{marked, not_scanned, scanned_path, sorted};
use known::{Known, resolve};
use place::Place;
use warnings::{active_warning, behind_warning, foreign_commits, refspec_warning, secret_warnings};

pub(super) use files::MarkedFiles;
pub(super) use known::never_fetched;

impl Engine {
    /// Reads the marked files of every automation as they are on the branch `onto`, fetching what is older than `refresh`
    /// allows. Where each update goes to a branch of its own, that is what such a branch begins with: the checkout.
    ///
    /// Returns the grounds in the order of the automations, and a problem for each automation that has none.
    ///
    /// # Errors
    /// A credential from the command line that would go to several hosts.
    pub async fn grounds(
        &self,
        world: &Arc<World>,
        refresh: Refresh,
        onto: &Onto,
    ) -> Result<(Vec<Ground>, Vec<Problem>), Problem> {
        let (engine, world, onto) = (self.clone(), Arc::clone(world), onto.clone());
        blocking(move || {
            if refresh != Refresh::Never {
                engine.one_git_host(engine.addresses(&world))?;
            }
            Ok(engine.grounds_now(&world, refresh, &onto))
        })
        .await
    }

    /// As [`Self::grounds`].
    pub(super) fn grounds_now(
        &self,
        world: &World,
        refresh: Refresh,
        onto: &Onto,
    ) -> (Vec<Ground>, Vec<Problem>) {
        self.grounds_of(world, world.automations.iter(), (refresh, onto))
    }

    /// As [`Self::grounds_now`], of some of the automations; no remote of another one is asked.
    pub(super) fn grounds_of<'a>(
        &self,
        world: &World,
        automations: impl Iterator<Item = &'a ImageUpdateAutomation>,
        (refresh, onto): (Refresh, &Onto),
    ) -> (Vec<Ground>, Vec<Problem>) {
        let (mut grounds, mut problems) = (Vec::new(), Vec::new());
        let mut known = BTreeMap::new();
        for automation in automations {
            match self.ground(world, automation, (refresh, onto), &mut known, &mut problems) {
                Ok(ground) => grounds.push(ground),
                Err(problem) => problems.push(Problem { subject: automation.meta.id.to_string(), ..problem }),
            }
        }
        self.warn_of_pushers(world, &mut grounds);
        (grounds, problems)
    }

    fn ground(
        &self,
        world: &World,
        automation: &ImageUpdateAutomation,
        (refresh, onto): (Refresh, &Onto),
        known: &mut BTreeMap<String, Known>,
        problems: &mut Vec<Problem>,
    ) -> Result<Ground, Problem> {
        let Some(mut place) = self.settle(world, automation)? else {
            return ground_without_git(world, automation);
        };
        let own = place.targets.clone();
        let elsewhere = place.targets.branch(onto).filter(|branch| *branch != place.targets.push_branch);
        if let Some(branch) = &elsewhere {
            place.targets.switching = true;
            branch.clone_into(&mut place.targets.push_branch);
        }
        is_a_branch(&place.targets.push_branch)?;
        let remote = self.remote_of(world, &place, problems)?;
        let cache = BareCache::open(&self.git_root, &place.url).map_err(Problem::from)?;
        let at = self.know(&cache, &remote, &place, refresh, known, problems)?;
        let base = resolve(&remote, &at, &place.targets, &cache)?;
        let tip = at.refs.branch(&place.targets.push_branch).map(str::to_owned);
        let read = if place.targets.switching {
            tip.clone().unwrap_or_else(|| base.commit.clone())
        } else {
            base.commit.clone()
        };
        let path = scanned_path(&cache, &read, &automation.update_path)?;
        let mut ground = described(world, automation, path)?;
        let (files, problem_files) = self.marked.of((&cache, self.store.markers()), (&read, &ground.path))?;
        let apart = match &tip {
            Some(tip) if place.targets.switching => self.distance(&cache, &remote, (tip, &base), refresh),
            _ => Distance { behind: Some(0), ahead: None },
        };
        let behind = apart.behind;
        ground.remote = Some(remote.shown());
        ground.committing = self.committing(world, automation);
        let mut push = push_target(&place, tip, behind);
        // What the automation pushes beside its own branch is not meant for another.
        push.refspec.take_if(|_| elsewhere.is_some());
        ground.push = Some(push);
        ground.warnings = std::mem::take(&mut place.warnings);
        ground.warnings.extend(active_warning(automation, &own, elsewhere.is_none()));
        ground.warnings.extend(behind_warning(&place.targets.push_branch, behind));
        ground.warnings.extend(foreign_commits(&ground.author, &place.targets.push_branch, apart.ahead));
        let refspec = ground.push.as_ref().and_then(|push| push.refspec.as_deref());
        ground.warnings.extend(refspec.and_then(refspec_warning));
        ground.warnings.extend(secret_warnings(world, &place));
        ground.warnings.extend(self.unsigned(world, automation));
        ground.warnings.extend(self.frozen().map(|frozen| Warning::new(FREEZE, frozen.to_string())));
        // Only a checkout of the same repository has anything to say about it.
        let checkout = world.checkout.as_ref().filter(|checkout| checkout.remote_like(&place.url).is_some());
        ground
            .warnings
            .extend(checkout.and_then(|checkout| super::work_tree::differs(&checkout.root, &files)));
        ground.base = Some(base);
        ground.files = files;
        ground.problem_files = problem_files;
        Ok(ground)
    }
}

/// Checks a name that comes from an object, and so from a file that says anything.
fn is_a_branch(name: &str) -> Result<(), Problem> {
    let Some(defect) = branch::defect(name) else { return Ok(()) };
    let message = format!("{name:?} cannot be the branch that is pushed to: {defect}");
    Err(Problem::new(Code::Config, "", message).hint("Correct spec.git.push.branch of the automation."))
}

/// What is known without looking at any file.
fn described(world: &World, automation: &ImageUpdateAutomation, path: String) -> Result<Ground, Problem> {
    let policies = world
        .inventory
        .policies_of(automation)
        .map_err(|error| Problem::new(Code::Config, automation.meta.id.to_string(), error.to_string()))?;
    let policies = policies.iter().map(|policy| &policy.meta.id);
    let git = automation.git.clone().unwrap_or_default();
    let author = if git.author == Person::default() { super::identity::operator(world) } else { git.author };
    // What is shown and approved is what will stand in the commit.
    let author = author.written();
    Ok(Ground {
        automation: automation.meta.id.clone(),
        policies: policies.chain(world.inventory.blocked_policies_of(automation)).cloned().collect(),
        path,
        remote: None,
        base: None,
        push: None,
        author,
        committing: Committing::default(),
        template: git.message_template,
        template_values: git.message_values,
        warnings: Vec::new(),
        files: Arc::default(),
        problem_files: Vec::new(),
        texts: BTreeMap::new(),
    })
}

/// A folder without Git: its files as they lie there. It can be planned and written as a patch, not pushed.
fn ground_without_git(world: &World, automation: &ImageUpdateAutomation) -> Result<Ground, Problem> {
    let root = world.root.clone().unwrap_or_default();
    let path = setrun::resolve(&automation.update_path, |path| super::walk::entry(&root, path))
        .map_err(|error| not_scanned(&error))?;
    let mut ground = described(world, automation, path.clone())?;
    let read = |file: &str, bytes: &[u8]| {
        let is_of_interest = is_below(file, &path) && manifest::means_markers(file, bytes);
        is_of_interest.then(|| marked(file, bytes)).flatten()
    };
    let (files, problem_files) =
        sorted(super::walk::files(&root, manifest::is_yaml_name, &read)?.into_iter());
    (ground.files, ground.problem_files) = (files.into(), problem_files);
    Ok(ground)
}

fn push_target(place: &Place<'_>, tip: Option<String>, behind: Option<usize>) -> PushTarget {
    let git = place.automation.git.clone().unwrap_or_default();
    PushTarget {
        branch: place.targets.push_branch.clone(),
        commit: tip,
        behind,
        refspec: git.push_refspec,
        options: git.push_options,
        elsewhere: false,
    }
}
