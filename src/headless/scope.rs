//! What a command is about, of all that a source describes: about the rest nobody is asked, and nothing is said of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::inventory::{self, Inventory};
use crate::domain::object::{ImagePolicy, ImageUpdateAutomation, ObjectId};
use crate::domain::setter;
use crate::engine::World;

/// Names of objects.
pub(super) struct Scope {
    pub(super) repositories: BTreeSet<ObjectId>,
    policies: BTreeSet<ObjectId>,
    pub(super) automations: BTreeSet<ObjectId>,
}

impl Scope {
    /// The repositories, and the policies that read no other.
    pub(super) fn of_repositories(world: &World, repositories: impl IntoIterator<Item = ObjectId>) -> Self {
        let repositories: BTreeSet<ObjectId> = repositories.into_iter().collect();
        let policies = world.inventory.policies.values();
        let policies = policies.filter(|policy| repositories.contains(&policy.repository));
        let policies = policies.map(|policy| policy.meta.id.clone()).collect();
        Self { repositories, policies, automations: BTreeSet::new() }
    }

    /// The policies, what they read, and the automations that apply one of them, or would if their selectors made sense.
    pub(super) fn of_policies(world: &World, policies: impl IntoIterator<Item = ObjectId>) -> Self {
        let policies: BTreeSet<ObjectId> = policies.into_iter().collect();
        let namespaces: BTreeSet<&str> = policies.iter().map(|policy| policy.namespace.as_str()).collect();
        let applies = |automation: &&ImageUpdateAutomation| {
            let is_broken = world.inventory.policies_of(automation).is_err();
            applied(&world.inventory, automation).any(|policy| policies.contains(policy))
                || (is_broken && namespaces.contains(automation.meta.id.namespace.as_str()))
        };
        let automations = world.automations.iter().filter(applies);
        let automations = automations.map(|automation| automation.meta.id.clone()).collect();
        Self { repositories: read_by(&world.inventory, &policies), policies, automations }
    }

    /// As [`Self::of_policies`], for what is to be said of their updates: beside the policies those are asked about whose
    /// references end the whole run of the same automations.
    pub(super) fn of_updates(world: &World, policies: impl IntoIterator<Item = ObjectId>) -> Self {
        let inventory = &world.inventory;
        let scope = Self::of_policies(world, policies);
        let automations =
            || world.automations.iter().filter(|automation| scope.automations.contains(&automation.meta.id));
        let policies = automations().flat_map(|automation| applied(inventory, automation));
        let policies: BTreeSet<ObjectId> =
            policies.filter(|id| may_end_run(inventory, id)).cloned().collect();
        let beside =
            Self { repositories: read_by(inventory, &policies), policies, automations: BTreeSet::new() };
        scope.and(beside)
    }

    /// The automations, the policies that they apply, and what these read.
    pub(super) fn of_automations(world: &World, is_meant: impl Fn(&ObjectId) -> bool) -> Self {
        let meant = || world.automations.iter().filter(|automation| is_meant(&automation.meta.id));
        let policies = meant().flat_map(|automation| applied(&world.inventory, automation));
        let policies: BTreeSet<ObjectId> = policies.cloned().collect();
        let automations = meant().map(|automation| automation.meta.id.clone()).collect();
        Self { repositories: read_by(&world.inventory, &policies), policies, automations }
    }

    /// Both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.repositories.extend(other.repositories);
        self.policies.extend(other.policies);
        self.automations.extend(other.automations);
        self
    }

    /// The world without the rest. The automations of the inventory stay: where they push concerns others, too.
    pub(super) fn narrow(&self, world: &World) -> World {
        let mut inventory = (*world.inventory).clone();
        inventory.repositories.retain(|id, _| self.repositories.contains(id));
        inventory.policies.retain(|id, _| self.policies.contains(id));
        let mut world = World { inventory: Arc::new(inventory), ..world.clone() };
        world.automations.retain(|automation| {
            inventory::is_implied(automation) || self.automations.contains(&automation.meta.id)
        });
        world
    }
}

fn read_by(inventory: &Inventory, policies: &BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
    let all = policies.iter().filter_map(|id| inventory.policies.get(id));
    all.map(|policy| policy.repository.clone()).collect()
}

/// Whether whatever the policy selects makes a reference that ends the run of each automation that applies it.
fn may_end_run(inventory: &Inventory, policy: &ObjectId) -> bool {
    let repository = |policy: &ImagePolicy| inventory.repositories.get(&policy.repository);
    let repository = inventory.policies.get(policy).and_then(repository);
    repository.is_some_and(|repository| setter::always_ends_run(&repository.image))
}

/// The policies of an automation, blocked ones too; none where its selector makes no sense.
fn applied<'a>(
    inventory: &'a Inventory,
    automation: &ImageUpdateAutomation,
) -> impl Iterator<Item = &'a ObjectId> {
    let policies = inventory.policies_of(automation).unwrap_or_default();
    policies.into_iter().map(|policy| &policy.meta.id).chain(inventory.blocked_policies_of(automation))
}
