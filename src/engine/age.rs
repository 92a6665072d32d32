//! How old the images are that updates would bring in: the clocks are asked, and what is too young is held.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;

use super::scan::image_name;
use super::{Engine, TagQuestion, World, blocking};
use crate::config::Refresh;
use crate::domain::age::{self, Clocks};
use crate::domain::object::ObjectId;
use crate::domain::proposal::{NewReference, Proposal, UpdateState};

/// Questions under way at once; the registry client has limits of its own.
const AT_ONCE: usize = 16;

impl Engine {
    /// Asks every clock about the updates that could be made, and holds those that are younger than the settings allow;
    /// does nothing where they allow everything.
    ///
    /// A clock that does not answer is not known: what we have seen ourselves decides then.
    pub(super) async fn hold_young(&self, world: &World, updates: &mut [Proposal], refresh: Refresh) {
        let min = self.settings.min_age;
        if min.is_none() {
            return;
        }
        let mut asked: BTreeMap<(ObjectId, NewReference), Clocks> = BTreeMap::new();
        for update in updates.iter().filter(|update| update.state == UpdateState::Pending) {
            asked.extend(update.new.clone().map(|new| ((update.policy.clone(), new), update.clocks)));
        }
        let each = asked.into_iter().map(|(key, known)| self.clocks((world, refresh), key, known));
        let told: BTreeMap<_, Clocks> = futures::stream::iter(each).buffer_unordered(AT_ONCE).collect().await;
        for update in updates.iter_mut() {
            let key = update.new.clone().map(|new| (update.policy.clone(), new));
            if let Some(clocks) = key.and_then(|key| told.get(&key)) {
                update.clocks = *clocks;
            }
        }
        age::hold_young(updates, min, super::now());
    }

    /// What the clocks say of what a policy brings in, beside what is `known`.
    async fn clocks(
        &self,
        (world, refresh): (&World, Refresh),
        key: (ObjectId, NewReference),
        known: Clocks,
    ) -> ((ObjectId, NewReference), Clocks) {
        let (policy, new) = &key;
        let Some(policy) = world.inventory.policies.get(policy) else { return (key, known) };
        let question = TagQuestion { repository: &policy.repository, tag: &new.tag, tags: None };
        let told = self.describe(world, question, refresh).await.ok().flatten();
        let known = self.sighted(world, &key, known).await;
        // Of a digest that the tag no longer has, the tag's clocks tell nothing.
        let told =
            told.filter(|told| new.digest.as_ref().is_none_or(|digest| *digest == told.metadata.digest));
        let clocks = told.map_or(known, |told| Clocks::of(Some(&told), known.first_seen, known.first_look));
        (key, clocks)
    }

    /// What is known, with what the ledger says now: a tag that the question found moved is as young as that, whether or not
    /// the registry told more of it.
    async fn sighted(
        &self,
        world: &World,
        (policy, new): &(ObjectId, NewReference),
        known: Clocks,
    ) -> Clocks {
        let inventory = &world.inventory;
        let policy = inventory.policies.get(policy);
        let repository = policy.and_then(|policy| inventory.repositories.get(&policy.repository));
        let Some(name) = repository.and_then(|repository| image_name(repository).ok()) else { return known };
        let store = Arc::clone(&self.store);
        let ledger = blocking(move || Ok(store.first_seen().read(&name.canonical()))).await;
        let sighting = ledger.map(|ledger| ledger.sighting(&new.tag));
        sighting.map_or(known, |(first_seen, first_look)| Clocks { first_seen, first_look, ..known })
    }
}
