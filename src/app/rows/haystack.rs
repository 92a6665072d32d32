//! What S14 searches.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::find::{Entry, Haystack, Place, Shelf};
use crate::app::review::UpdateId;
use crate::app::state::State;
use crate::domain::object::ObjectId;
use crate::domain::proposal::{Proposal, UpdateState};

/// What S14 can find: what the lists show, of the namespace that is looked at.
pub fn haystack(state: &State) -> Haystack {
    let is_shown = |id: &ObjectId| state.scope.as_ref().is_none_or(|scope| *scope == id.namespace);
    let inventory = &state.inventory;
    let mut entries = updates(state, is_shown);
    entries.extend(
        inventory
            .repositories
            .iter()
            .filter(|(id, _)| is_shown(id))
            .map(|(id, object)| entry(Place::Repository(id.clone()), id.to_string(), object.image.clone())),
    );
    entries.extend(inventory.policies.iter().filter(|(id, _)| is_shown(id)).map(|(id, object)| {
        let rule = object.choice.kind_and_rule().map(|(kind, rule)| format!("{kind} {rule}"));
        entry(Place::Policy(id.clone()), id.to_string(), rule.unwrap_or_default())
    }));
    entries.extend(
        inventory
            .automations
            .keys()
            .filter(|id| is_shown(id))
            .map(|id| entry(Place::Automation(id.clone()), id.to_string(), String::new())),
    );
    entries.extend(files(state, is_shown));
    let shelves = inventory.repositories.iter().filter(|(id, _)| is_shown(id)).filter_map(|(id, object)| {
        let image = object.image.rsplit('/').next().unwrap_or_default().to_owned();
        Some(Shelf { repository: id.clone(), image, tags: Arc::clone(&state.shown_tags(id)?.tags) })
    });
    Haystack::new(entries, shelves.collect())
}

fn entry(place: Place, name: String, about: String) -> Entry {
    Entry { place, name, about }
}

fn updates(state: &State, is_shown: impl Fn(&ObjectId) -> bool) -> Vec<Entry> {
    let shown = state.review.updates().iter().filter(|update| is_shown(&update.policy));
    let of = |update: &Proposal| {
        let new = update.new.as_ref().map_or("?", |new| new.tag.as_str());
        let change = format!("{} → {new}", update.current.join(", "));
        entry(Place::Update(UpdateId::of(update)), update.policy.to_string(), change)
    };
    shown.map(of).collect()
}

/// The files that updates would change, which S7 shows, each once, at the first update that changes it.
fn files(state: &State, is_shown: impl Fn(&ObjectId) -> bool) -> Vec<Entry> {
    let mut found = BTreeMap::new();
    let pending = state.review.updates().iter().filter(|update| update.state == UpdateState::Pending);
    for update in pending.filter(|update| is_shown(&update.policy)) {
        for site in &update.sites {
            found.entry(&site.file).or_insert(update);
        }
    }
    let of = |(file, update): (&String, &Proposal)| {
        entry(Place::File(UpdateId::of(update), file.clone()), file.clone(), update.policy.to_string())
    };
    found.into_iter().map(of).collect()
}
