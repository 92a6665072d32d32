//! The review: pending updates, what a person decided about them, and how to take that back.

mod newer;
mod tally;
mod wanted;
mod withdrawn;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

pub use newer::Newer;
pub use tally::Tally;
pub use wanted::Wanted;

use self::withdrawn::withdrawn;
use super::input::Message;
use crate::domain::age;
use crate::domain::hold;
use crate::domain::lint::Survey;
use crate::domain::object::ObjectId;
use crate::domain::plan::{FilePreview, Ground, Selection};
use crate::domain::proposal::{Decision, Hold, NewReference, Proposal, Site, Step, UpdateState, is_linked};

/// What tells an update from all others: its automation and its policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpdateId {
    /// The policy.
    pub policy: ObjectId,
    /// The automation.
    pub automation: ObjectId,
}

impl UpdateId {
    /// The identity of `update`.
    pub fn of(update: &Proposal) -> Self {
        Self { policy: update.policy.clone(), automation: update.automation.clone() }
    }
}

/// What a decision is about: an update, the sites of an update in one file, or one site (with those linked to it).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The update.
    pub update: UpdateId,
    /// The file; `None`: all of them.
    pub file: Option<String>,
    /// The index of the site in the update's sites; `None`: all of the file.
    pub site: Option<usize>,
}

impl Target {
    /// The whole update.
    pub fn update(update: UpdateId) -> Self {
        Self { update, file: None, site: None }
    }
}

/// A site whose decision changed, and the automation it belongs to; what the journal keeps.
pub type Decided = (ObjectId, Site);

/// A site whose decision changed: update, index of the site, before, after.
type Changed = (UpdateId, usize, Decision, Decision);

/// A hold that was made, replaced or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldChange {
    /// The policy.
    pub policy: ObjectId,
    /// The tag; `None`: whatever the policy selects.
    pub tag: Option<String>,
    /// What was there.
    pub before: Option<Hold>,
    /// What is there now.
    pub after: Option<Hold>,
}

impl HoldChange {
    /// The change that takes this one back.
    fn back(&self) -> Self {
        Self { before: self.after.clone(), after: self.before.clone(), ..self.clone() }
    }
}

/// All that one key changed, for undo.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Change {
    sites: Vec<Changed>,
    hold: Option<HoldChange>,
}

/// What an undo or a redo came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// An update among those that it is about; `None`: a hold on something of which there is none.
    pub update: Option<UpdateId>,
    /// The sites that changed.
    pub decided: Vec<Decided>,
    /// The hold that changed, in the direction that was taken.
    pub hold: Option<HoldChange>,
}

/// Everything under review.
#[derive(Debug, Clone, Default)]
pub struct Review {
    updates: Vec<Proposal>,
    /// What the proposals were made from: bases, branches and the texts of marked files.
    pub grounds: Arc<Vec<Ground>>,
    /// Every file with a site that can be written.
    pub files: Vec<FilePreview>,
    /// Marked files that cannot be written, with what is wrong there.
    pub problem_files: Vec<(String, String)>,
    /// What each policy selects.
    pub selections: Arc<BTreeMap<ObjectId, Selection>>,
    /// What is wrong with markers, policies and automations.
    pub survey: Survey,
    /// Newer tags that appeared while their update was already decided: shown, taken over by `r`.
    pub newer: BTreeMap<UpdateId, String>,
    /// Messages that a person edited, by automation.
    pub messages: BTreeMap<ObjectId, Message>,
    /// What people hold back.
    pub holds: Vec<Hold>,
    /// Updates whose reason for a second look was shown; the next Space approves.
    pub looked_at: BTreeSet<UpdateId>,
    /// Updates of which something that was approved changed upstream, until they are decided anew.
    pub touched: BTreeSet<UpdateId>,
    /// Updates that are not what their policies select: a person asked for them.
    wanted: BTreeMap<UpdateId, Wanted>,
    /// Updates that a person approved although they are too young, each with what it brings in.
    lifted: BTreeMap<UpdateId, NewReference>,
    done: Vec<Change>,
    undone: Vec<Change>,
}

impl Review {
    /// All updates, by policy and automation.
    pub fn updates(&self) -> &[Proposal] {
        &self.updates
    }

    /// The update called `id`.
    pub fn get(&self, id: &UpdateId) -> Option<&Proposal> {
        self.updates.iter().find(|update| update.policy == id.policy && update.automation == id.automation)
    }

    fn get_mut(&mut self, id: &UpdateId) -> Option<&mut Proposal> {
        self.updates
            .iter_mut()
            .find(|update| update.policy == id.policy && update.automation == id.automation)
    }

    /// A file in which sites of `automation` can be written.
    pub fn preview(&self, automation: &ObjectId, path: &str) -> Option<&FilePreview> {
        self.files.iter().find(|file| file.automation == *automation && file.path == path)
    }

    /// What the updates of `automation` stand on.
    pub fn ground(&self, automation: &ObjectId) -> Option<&Ground> {
        self.grounds.iter().find(|ground| ground.automation == *automation)
    }

    /// Takes in new proposals and keeps every decision whose site still goes from the same value to the same value.
    ///
    /// An update that has an approval keeps the tag that was reviewed; a newer one is told in [`Self::newer`] until its
    /// policy is among those of which `newer` ones are taken. Returns what of the approvals does not hold any more, a line for each update.
    pub fn replace(&mut self, updates: Vec<Proposal>, newer: &Newer) -> Vec<String> {
        let old = std::mem::take(&mut self.updates);
        self.newer.clear();
        self.keep_wanted(&old, newer);
        for mut update in updates {
            let id = UpdateId::of(&update);
            if self.wanted.contains_key(&id) {
                continue;
            }
            let before = old.iter().find(|known| UpdateId::of(known) == id);
            match before {
                Some(known) if !newer.takes(&update.policy) && only_newer(known, &update) => {
                    if let Some(new) = &update.new {
                        self.newer.insert(id, new.tag.clone());
                    }
                    self.updates.push(known.clone());
                }
                _ => {
                    if self.is_lifted(&update) {
                        update.state = UpdateState::Pending;
                    }
                    if let Some(known) = before {
                        carry_over(known, &mut update);
                    }
                    self.updates.push(update);
                }
            }
        }
        if !self.wanted.is_empty() {
            self.updates.extend(self.wanted.values().map(|wanted| wanted.update.clone()));
            self.updates.sort_by_key(|update| (update.policy.clone(), update.automation.clone()));
        }
        self.settle_lifted();
        // What was looked at was another change.
        let mut looked_at = std::mem::take(&mut self.looked_at);
        looked_at.retain(|id| {
            let before = old.iter().find(|known| UpdateId::of(known) == *id);
            let now = self.get(id);
            before
                .zip(now)
                .is_some_and(|(before, now)| (&before.new, &before.current) == (&now.new, &now.current))
        });
        self.looked_at = looked_at;
        self.keep_changes(&old);
        let withdrawn = withdrawn(&old, &self.updates);
        let touched = withdrawn.iter().filter(|lost| lost.is_touched).map(|lost| lost.id.clone());
        self.touched.extend(touched);
        withdrawn.into_iter().map(|lost| lost.text).collect()
    }

    /// Keeps what can be taken back: of each change the sites that stand where they stood in `old`, as the undo of one that
    /// is gone would hit another.
    fn keep_changes(&mut self, old: &[Proposal]) {
        let Self { updates, done, undone, .. } = self;
        // All that is approved at once may be thousands of sites.
        let [before, now] = [old, updates].map(|updates: &[Proposal]| {
            updates.iter().map(|update| (UpdateId::of(update), update)).collect::<BTreeMap<_, _>>()
        });
        let place = |updates: &BTreeMap<UpdateId, &Proposal>, (id, index, ..): &Changed| {
            let site = updates.get(id)?.sites.get(*index)?;
            Some((site.line, site.column, site.file.clone(), site.old.clone(), site.new.clone()))
        };
        for change in done.iter_mut().chain(undone.iter_mut()) {
            change.sites.retain(|changed| {
                let was = place(&before, changed);
                was.is_some() && was == place(&now, changed)
            });
        }
        for changes in [done, undone] {
            changes.retain(|change| !change.sites.is_empty() || change.hold.is_some());
        }
    }

    /// Lets an update be approved that waits for nothing but its age; so it stays as long as it is approved and brings the
    /// same in.
    pub fn lift(&mut self, id: &UpdateId) {
        let young = self.get(id).filter(|update| age::is_young(update));
        if let Some(new) = young.and_then(|update| update.new.clone()) {
            self.lifted.insert(id.clone(), new);
        }
    }

    /// Whether a person approved this although it is too young.
    fn is_lifted(&self, update: &Proposal) -> bool {
        let is_same = |new: &NewReference| update.new.as_ref() == Some(new);
        age::is_held_for_age(update) && self.lifted.get(&UpdateId::of(update)).is_some_and(is_same)
    }

    /// All updates as a plan is made of them: one that is approved although it is too young is held, and approved; of one
    /// that waits, what was decided before it had to does not count.
    pub fn for_plan(&self) -> Vec<Proposal> {
        let mut updates = self.updates.clone();
        for update in &mut updates {
            if update.state == UpdateState::Held {
                update.sites.iter_mut().for_each(|site| site.decision = Decision::Undecided);
                update.decision = Decision::Undecided;
            } else if self.is_lifted(update) {
                update.state = UpdateState::Held;
            }
        }
        updates
    }

    /// The indices of the sites that `target` means, those linked to a single site included; none that is blocked.
    pub fn sites_of(&self, target: &Target) -> Vec<usize> {
        let Some(update) = self.get(&target.update) else { return Vec::new() };
        let chosen = target.site.and_then(|index| update.sites.get(index));
        let wanted = |site: &Site| match (&chosen, &target.file) {
            (Some(chosen), _) => is_linked(chosen, site),
            (None, Some(file)) => site.file == *file,
            (None, None) => true,
        };
        let sites = update.sites.iter().enumerate();
        sites.filter(|(_, site)| site.blocked.is_none() && wanted(site)).map(|(index, _)| index).collect()
    }

    /// The common decision of what `target` means; [`Decision::Partial`] where its sites differ.
    pub fn decision(&self, target: &Target) -> Decision {
        let Some(update) = self.get(&target.update) else { return Decision::Undecided };
        if update.sites.is_empty() {
            return update.decision;
        }
        let mut decisions = self
            .sites_of(target)
            .into_iter()
            .filter_map(|index| update.sites.get(index))
            .map(|site| site.decision);
        let Some(first) = decisions.next() else { return Decision::Undecided };
        if decisions.all(|decision| decision == first) { first } else { Decision::Partial }
    }

    /// Gives everything that `targets` mean the same decision; returns the sites that changed.
    pub fn decide(&mut self, targets: &[Target], decision: Decision) -> Vec<Decided> {
        let mut change = Change::default();
        for target in targets {
            self.touched.remove(&target.update);
            let sites = self.sites_of(target);
            let is_open = |update: &&Proposal| {
                let is_wanted = decision == Decision::Approved && self.is_lifted(update);
                update.state == UpdateState::Pending || is_wanted
            };
            let Some(update) = self.get(&target.update).filter(is_open) else { continue };
            // What takes an edit alone back has no site to be journalled.
            if update.sites.is_empty() {
                if let Some(update) = self.get_mut(&target.update) {
                    update.decide(decision);
                }
                continue;
            }
            change.sites.extend(sites.into_iter().filter_map(|index| {
                let before = update.sites.get(index)?.decision;
                (before != decision).then(|| (target.update.clone(), index, before, decision))
            }));
        }
        let decided = self.write(&change, |(_, _, _, after)| *after);
        if !decided.is_empty() {
            self.done.push(change);
            self.undone.clear();
        }
        decided
    }

    /// Changes a hold, and with it the updates that it is about; returns the sites that are undecided again.
    pub fn hold(&mut self, change: HoldChange, now: Timestamp) -> Vec<Decided> {
        let before = self.updates.clone();
        self.set_hold(&change, now);
        let mut sites = Vec::new();
        let mut decided = Vec::new();
        for (old, new) in before.iter().zip(&self.updates) {
            for (index, (was, is)) in old.sites.iter().zip(&new.sites).enumerate() {
                if was.decision != is.decision {
                    sites.push((UpdateId::of(new), index, was.decision, is.decision));
                    decided.push((new.automation.clone(), is.clone()));
                }
            }
        }
        self.done.push(Change { sites, hold: Some(change) });
        self.undone.clear();
        decided
    }

    fn set_hold(&mut self, change: &HoldChange, now: Timestamp) {
        self.holds.retain(|hold| (&hold.policy, &hold.tag) != (&change.policy, &change.tag));
        self.holds.extend(change.after.clone());
        hold::apply(&mut self.updates, &self.holds, now);
        // What a person asked for by name waits for nobody.
        let wanted = &self.wanted;
        for update in self.updates.iter_mut().filter(|update| wanted.contains_key(&UpdateId::of(update))) {
            if update.state == UpdateState::Held {
                (update.state, update.hold) = (UpdateState::Pending, None);
            }
        }
    }

    /// Whether there is a decision to take back.
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is one to make again.
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Takes the last change back.
    pub fn undo(&mut self, now: Timestamp) -> Option<Turned> {
        let change = self.done.pop()?;
        let hold = change.hold.as_ref().map(HoldChange::back);
        let turned = self.turn(&change, hold, now, |(_, _, before, _)| *before);
        self.undone.push(change);
        Some(turned)
    }

    /// Makes the last change that was taken back again.
    pub fn redo(&mut self, now: Timestamp) -> Option<Turned> {
        let change = self.undone.pop()?;
        let hold = change.hold.clone();
        let turned = self.turn(&change, hold, now, |(_, _, _, after)| *after);
        self.done.push(change);
        Some(turned)
    }

    fn turn(
        &mut self,
        change: &Change,
        hold: Option<HoldChange>,
        now: Timestamp,
        value: impl Fn(&Changed) -> Decision,
    ) -> Turned {
        if let Some(hold) = &hold {
            self.set_hold(hold, now);
        }
        let decided = self.write(change, value);
        let about = hold.as_ref().and_then(|hold| {
            let update = self.updates.iter().find(|update| update.policy == hold.policy);
            update.map(UpdateId::of)
        });
        let first = change.sites.first().map(|(id, ..)| id.clone());
        Turned { update: first.or(about), decided, hold }
    }

    fn write(&mut self, change: &Change, value: impl Fn(&Changed) -> Decision) -> Vec<Decided> {
        let mut decided = Vec::new();
        for entry in &change.sites {
            let Some(update) = self.get_mut(&entry.0) else { continue };
            if let Some(site) = update.sites.get_mut(entry.1) {
                site.decision = value(entry);
                decided.push((entry.0.automation.clone(), site.clone()));
            }
            update.decision = update.overall();
        }
        self.settle_lifted();
        decided
    }

    /// What was approved although it is too young waits again as soon as it no longer is approved.
    fn settle_lifted(&mut self) {
        let lifted: Vec<bool> = self.updates.iter().map(|update| self.is_lifted(update)).collect();
        for (update, _) in self.updates.iter_mut().zip(lifted).filter(|(_, is_lifted)| *is_lifted) {
            let is_approved = update.is_approved();
            update.state = if is_approved { UpdateState::Pending } else { UpdateState::Held };
        }
    }

    /// The updates with at least one approved site.
    pub fn approved(&self) -> impl Iterator<Item = &Proposal> {
        self.updates.iter().filter(|update| update.state == UpdateState::Pending && update.is_approved())
    }

    /// The automations of the approved updates, each once.
    pub fn automations(&self) -> Vec<ObjectId> {
        let automations: BTreeSet<&ObjectId> = self.approved().map(|update| &update.automation).collect();
        automations.into_iter().cloned().collect()
    }
}

/// Whether `new` is `old`, which was approved, with another tag to go to and nothing else.
fn only_newer(old: &Proposal, new: &Proposal) -> bool {
    let place = |site: &Site| (site.file.clone(), site.line, site.setter.clone(), site.old.clone());
    old.is_approved()
        && new.state == UpdateState::Pending
        && old.new != new.new
        && old.sites.len() == new.sites.len()
        && old.sites.iter().map(place).eq(new.sites.iter().map(place))
}

fn carry_over(old: &Proposal, new: &mut Proposal) {
    if new.state != UpdateState::Pending {
        return;
    }
    for site in &mut new.sites {
        let same = |known: &&Site| {
            known.file == site.file
                && known.line == site.line
                && known.setter == site.setter
                && known.old == site.old
                && known.new == site.new
        };
        if let Some(known) = old.sites.iter().find(same) {
            site.decision = known.decision;
        }
    }
    new.settle_links();
    new.decision = new.overall();
}

/// The order of steps in S1: the greatest first, what goes back before all.
pub fn step_order(step: Option<Step>) -> u8 {
    match step {
        Some(Step::Down) => 0,
        Some(Step::Name) => 1,
        Some(Step::Major) => 2,
        Some(Step::Minor) => 3,
        Some(Step::Patch) => 4,
        Some(Step::Pre) => 5,
        Some(Step::Build) => 6,
        Some(Step::Digest) => 7,
        None => 8,
    }
}
