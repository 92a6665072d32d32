//! What a person wants against the word of a policy: a commit taken back, an older tag.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Decided, Newer, Review, Target, UpdateId};
use crate::domain::object::ObjectId;
use crate::domain::plan::{self, Ground, Group, Plan, stand};
use crate::domain::proposal::{Decision, Proposal, UpdateState};
use crate::text::count;

/// An update that is not what its policy selects: it takes a commit back, or goes to a tag that a person picked.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The update.
    pub update: Proposal,
    /// The message of its commit, unless somebody writes another; `None`: the automation's template has it.
    pub message: Option<String>,
    /// The branch that it was planned for; `None`: that of its automation.
    pub branch: Option<String>,
}

impl Wanted {
    /// An update of a group of a plan, with the message of its commit.
    pub fn planned(group: &Group, update: Proposal, message: Option<String>) -> Self {
        Self { update, message, branch: group.push.as_ref().map(|push| push.branch.clone()) }
    }

    /// Whether the files of `ground` are those that it was planned for; what stands on another branch says nothing of it.
    fn is_of(&self, ground: &Ground) -> bool {
        let push = ground.push.as_ref();
        self.branch.is_none() || push.is_none_or(|push| Some(&push.branch) == self.branch.as_ref())
    }

    /// What is approved in a group of a plan, with its message, if anything there is not what a policy brings.
    pub fn of_group(group: &Group) -> Vec<Self> {
        let approved = || group.updates.iter().filter(|update| update.is_approved());
        if !approved().any(Proposal::is_asked_for) {
            return Vec::new();
        }
        let message = (!group.message_edited).then(|| group.message.clone());
        let wanted = |update: &Proposal| {
            let mut update = update.clone();
            // What a person asked for by name waits for nobody.
            if update.state == UpdateState::Held {
                (update.state, update.hold) = (UpdateState::Pending, None);
            }
            Self::planned(group, update, message.clone())
        };
        approved().map(wanted).collect()
    }
}

impl Review {
    /// What a person wants keeps what was decided about it; where newer tags are taken over, it goes unless it is approved.
    pub(super) fn keep_wanted(&mut self, old: &[Proposal], newer: &Newer) {
        for (id, wanted) in &mut self.wanted {
            if let Some(known) = old.iter().find(|known| UpdateId::of(known) == *id) {
                wanted.update = known.clone();
            }
        }
        self.wanted.retain(|id, wanted| !newer.takes(&id.policy) || wanted.update.is_approved());
    }

    /// Puts updates that a person asked for in the place of what their policies select, and everything else back to
    /// undecided; returns the sites that changed.
    pub fn want(&mut self, wanted: Vec<Wanted>) -> Vec<Decided> {
        let others: Vec<Target> = self.updates.iter().map(UpdateId::of).map(Target::update).collect();
        let decided = self.decide(&others, Decision::Undecided);
        self.also_want(wanted);
        decided
    }

    /// As [`Self::want`], with everything else as it is decided.
    pub fn also_want(&mut self, wanted: Vec<Wanted>) {
        self.wanted = wanted.into_iter().map(|wanted| (UpdateId::of(&wanted.update), wanted)).collect();
        let updates = self.updates.clone();
        let is_wanted = |update: &Proposal| self.wanted.contains_key(&UpdateId::of(update));
        self.updates = updates.into_iter().filter(|update| !is_wanted(update)).collect();
        self.updates.extend(self.wanted.values().map(|wanted| wanted.update.clone()));
        self.updates.sort_by_key(|update| (update.policy.clone(), update.automation.clone()));
        (self.done, self.undone) = (Vec::new(), Vec::new());
        self.show_wanted();
    }

    /// Lets go of an update that a person asked for: its policy has the word again, at the next comparison.
    pub fn forget_wanted(&mut self, id: &UpdateId) -> bool {
        let is_gone = self.wanted.remove(id).is_some();
        if is_gone {
            self.updates.retain(|update| UpdateId::of(update) != *id);
        }
        is_gone
    }

    /// Sets what a person wants against what the grounds hold by now; says what of it stands no more.
    pub fn stand(&mut self) -> Vec<String> {
        let mut lost = Vec::new();
        if self.wanted.is_empty() {
            return lost;
        }
        for (id, mut wanted) in std::mem::take(&mut self.wanted) {
            let ground = self.ground(&id.automation).filter(|ground| wanted.is_of(ground));
            let now = if ground.is_some() {
                stand(&self.grounds, &wanted.update)
            } else {
                Some(wanted.update.clone())
            };
            let left = now.as_ref().map_or(0, |now| now.sites.len());
            if left < wanted.update.sites.len() {
                let sites = wanted.update.sites.len() - left;
                lost.push(format!("{}: {} changed upstream", id.policy, count(sites, "site")));
            }
            self.updates.retain(|update| UpdateId::of(update) != id);
            if let Some(now) = now {
                self.updates.push(now.clone());
                wanted.update = now;
                self.wanted.insert(id, wanted);
            }
        }
        self.updates.sort_by_key(|update| (update.policy.clone(), update.automation.clone()));
        self.show_wanted();
        lost
    }

    /// Drops the edits that a plan had to leave out: they stand no more.
    pub fn keep_edits(&mut self, plan: &Plan) {
        for planned in plan.groups.iter().flat_map(|group| &group.updates) {
            let id = UpdateId::of(planned);
            if let Some(wanted) = self.wanted.get_mut(&id) {
                wanted.update.edits.clone_from(&planned.edits);
                for update in self.updates.iter_mut().filter(|update| UpdateId::of(update) == id) {
                    update.edits.clone_from(&planned.edits);
                }
            }
        }
    }

    /// The files as they will be, where that is not what policies select.
    fn show_wanted(&mut self) {
        if !self.wanted.is_empty() {
            self.files = plan::Review::new(Arc::clone(&self.grounds), self.updates.clone()).files;
        }
    }

    /// The updates that are not what their policies select.
    pub fn wanted(&self) -> BTreeSet<UpdateId> {
        self.wanted.keys().cloned().collect()
    }

    /// The message that goes with what a person wants of an automation, where nothing else is approved there.
    pub fn wanted_message(&self, automation: &ObjectId) -> Option<&str> {
        let mut approved = self.approved().filter(|update| update.automation == *automation);
        let message = |update: &Proposal| self.wanted.get(&UpdateId::of(update))?.message.as_deref();
        let first = message(approved.next()?)?;
        approved.all(|update| message(update) == Some(first)).then_some(first)
    }
}
