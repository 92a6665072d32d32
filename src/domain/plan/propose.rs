//! Marked sites against selections: the proposals.

use std::collections::{BTreeMap, HashSet};

use super::ground::{Ground, Selection};
use crate::domain::manifest::MarkedScalar;
use crate::domain::marker::parse_setter;
use crate::domain::object::ObjectId;
use crate::domain::proposal::{
    Decision, MarkerPart, NewReference, Proposal, Reference, Site, Step, UpdateState,
};
use crate::domain::reference::parse_reference;
use crate::domain::setter::{self, SetterError};
use crate::problem::{Code, Problem};

/// Compares every marked site with what its policy selects.
///
/// `selections` is keyed by policy. The answer has one proposal for each policy and automation with at least one site
/// that differs, or that cannot be judged because the policy fails; by policy's namespace and name, then automation.
pub fn propose(grounds: &[Ground], selections: &BTreeMap<ObjectId, Selection>) -> Vec<Proposal> {
    let mut proposals: Vec<Proposal> =
        grounds.iter().flat_map(|ground| of_ground(ground, selections)).collect();
    proposals.sort_by(|a, b| (&a.policy, &a.automation).cmp(&(&b.policy, &b.automation)));
    proposals
}

fn of_ground(ground: &Ground, selections: &BTreeMap<ObjectId, Selection>) -> Vec<Proposal> {
    let in_scope: HashSet<&ObjectId> = ground.policies.iter().collect();
    let ends = end_of_run(ground, selections);
    let mut found: BTreeMap<&ObjectId, Draft<'_>> = BTreeMap::new();
    for file in ground.files.iter() {
        for scalar in &file.sites {
            let Ok((named, part)) = parse_setter(&scalar.setter) else { continue };
            let Some(policy) = in_scope.get(&named) else { continue };
            let Some(selection) = selections.get(policy) else { continue };
            let draft =
                found.entry(policy).or_insert_with(|| Draft { ends: ends.as_ref(), ..Draft::new(selection) });
            draft.meet(&file.path, scalar, part);
        }
    }
    found.into_iter().filter_map(|(policy, draft)| draft.finish(policy, &ground.automation)).collect()
}

/// What ends the whole run of an automation before it writes anything: a reference that cannot be, whether a marker asks for it or
/// not.
fn end_of_run(ground: &Ground, selections: &BTreeMap<ObjectId, Selection>) -> Option<Problem> {
    let selected = |id| Some((id, selections.get(id)?.outcome.as_ref().ok()?));
    setter::check(ground.policies.iter().filter_map(selected)).err().map(SetterError::ends_run)
}

/// A proposal in the making.
pub(super) struct Draft<'a> {
    selection: &'a Selection,
    /// Why nothing can be written at all.
    ends: Option<&'a Problem>,
    current: Vec<String>,
    steps: Vec<Step>,
    name_changed: bool,
    sites: Vec<Site>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(selection: &'a Selection) -> Self {
        Self {
            selection,
            ends: None,
            current: Vec::new(),
            steps: Vec::new(),
            name_changed: false,
            sites: Vec::new(),
        }
    }

    /// Takes in one marked scalar; one that is right already leaves no trace.
    fn meet(&mut self, file: &str, scalar: &MarkedScalar, part: MarkerPart) {
        let mut site = site(file, scalar);
        match &self.selection.outcome {
            Err(problem) => site.blocked = Some(problem.clone()),
            Ok(reference) => {
                let new = setter::text(reference, part);
                if new == site.old {
                    return;
                }
                if let Some(problem) = self.ends {
                    site.blocked = Some(problem.clone());
                } else if new.is_empty() {
                    site.blocked = Some(empty_digest(&site.setter));
                } else {
                    self.compare(reference, &site.old, part);
                    site.new = new;
                }
            }
        }
        remember_current(&mut self.current, &site.old, part);
        self.sites.push(site);
    }

    /// Takes in a marked scalar that shall hold `new`, whatever is selected; `reference` is what that stands for.
    pub(super) fn put(
        &mut self,
        (file, scalar, part): (&str, &MarkedScalar, MarkerPart),
        reference: &Reference,
        new: String,
    ) {
        self.compare(reference, &scalar.value, part);
        remember_current(&mut self.current, &scalar.value, part);
        self.sites.push(Site { new, ..site(file, scalar) });
    }

    fn compare(&mut self, new: &Reference, old: &str, part: MarkerPart) {
        let step = |tag: &str| self.selection.evaluator.step(tag, &new.tag);
        match part {
            MarkerPart::Whole => {
                let parts = parse_reference(old).ok();
                self.name_changed |= parts.as_ref().is_none_or(|parts| parts.name != new.image);
                match parts.and_then(|parts| parts.tag) {
                    Some(tag) if tag == new.tag => self.steps.push(Step::Digest),
                    Some(tag) => self.steps.push(step(&tag)),
                    None => self.steps.push(Step::Build),
                }
            }
            MarkerPart::Tag => self.steps.push(step(old)),
            MarkerPart::Name => self.name_changed = true,
            MarkerPart::Digest => self.steps.push(Step::Digest),
        }
    }

    fn step(&self) -> Option<Step> {
        if self.steps.contains(&Step::Down) {
            return Some(Step::Down);
        }
        if self.name_changed {
            return Some(Step::Name);
        }
        // The variants stand from the farthest step to the nearest.
        self.steps.iter().min().copied()
    }

    pub(super) fn finish(mut self, policy: &ObjectId, automation: &ObjectId) -> Option<Proposal> {
        if self.sites.is_empty() {
            return None;
        }
        // A third of the room would be kept for sites that do not come, and of 20,000 sites that is megabytes.
        self.sites.shrink_to_fit();
        let step = self.step();
        // One site that can be written is enough for the update to be approved; the others stay as they are.
        let all_blocked = self.sites.iter().all(|site| site.blocked.is_some());
        let blocked =
            if all_blocked { self.sites.iter().find_map(|site| site.blocked.clone()) } else { None };
        let reference = self.selection.outcome.as_ref().ok();
        Some(Proposal {
            policy: policy.clone(),
            automation: automation.clone(),
            image: self.selection.image.clone(),
            current: self.current,
            new: reference.map(|new| NewReference { tag: new.tag.clone(), digest: new.digest.clone() }),
            step,
            downgrade: step == Some(Step::Down),
            name_changed: self.name_changed,
            state: if blocked.is_some() { UpdateState::Blocked } else { UpdateState::Pending },
            decision: Decision::Undecided,
            hold: None,
            blocked,
            why: self.selection.why.clone(),
            first_seen: self.selection.clocks.first_seen,
            clocks: self.selection.clocks,
            sites: self.sites,
            edits: Vec::new(),
        })
    }
}

/// A marked scalar as it stands; nothing is to be written there yet.
pub(super) fn site(file: &str, scalar: &MarkedScalar) -> Site {
    Site {
        file: file.to_owned(),
        line: scalar.line,
        column: scalar.column,
        setter: scalar.setter.clone(),
        field: scalar.field.clone(),
        object: scalar.object.clone(),
        old: scalar.value.clone(),
        new: String::new(),
        decision: Decision::Undecided,
        blocked: None,
    }
}

fn tag_of(reference: &str) -> Option<String> {
    parse_reference(reference).ok()?.tag
}

/// A digest is wanted and the policy has none: Flux would write an empty text here, we do not.
fn empty_digest(setter: &str) -> Problem {
    Problem::new(Code::NoValue, setter, "the policy reflects no digest, so there is nothing to write here")
        .hint("Set spec.digestReflectionPolicy: IfNotPresent on the policy, or drop the :digest marker.")
}

fn remember_current(current: &mut Vec<String>, old: &str, part: MarkerPart) {
    let shown = match part {
        MarkerPart::Whole => tag_of(old).unwrap_or_else(|| old.to_owned()),
        MarkerPart::Tag => old.to_owned(),
        // Beside a tag, name and digest say nothing more about the version.
        MarkerPart::Name | MarkerPart::Digest if current.is_empty() => old.to_owned(),
        MarkerPart::Name | MarkerPart::Digest => return,
    };
    if !current.contains(&shown) {
        current.push(shown);
    }
}

/// As [`Proposal::current`], of the approved sites alone; of an update that has none, its own.
pub fn current_approved(update: &Proposal) -> Vec<String> {
    let mut current = Vec::new();
    for site in update.approved() {
        if let Ok((_, part)) = parse_setter(&site.setter) {
            remember_current(&mut current, &site.old, part);
        }
    }
    if current.is_empty() { update.current.clone() } else { current }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::age::Clocks;
    use crate::domain::object::{Person, PolicyChoice};
    use crate::domain::plan::{Committing, MarkedFile};
    use crate::domain::policy::Evaluator;

    fn selection(image: &str) -> Selection {
        Selection {
            image: image.to_owned(),
            outcome: Ok(Reference { image: image.to_owned(), tag: "2".to_owned(), digest: None }),
            why: String::new(),
            clocks: Clocks::default(),
            tie: false,
            evaluator: Arc::new(Evaluator::new(&PolicyChoice::default(), None, &[])),
        }
    }

    #[test]
    fn a_reference_that_cannot_be_blocks_every_update_of_the_automations_that_select_it() {
        let (web, w) = (ObjectId::new("shop", "web"), ObjectId::new("shop", "w"));
        let text = "a: web:1 # {\"$imagepolicy\": \"shop:web\"}\n";
        let ground = |policies: &[&ObjectId]| Ground {
            automation: ObjectId::new("shop", "apps"),
            policies: policies.iter().map(|id| (*id).clone()).collect(),
            path: String::new(),
            remote: None,
            base: None,
            push: None,
            author: Person::default(),
            template: String::new(),
            template_values: None,
            warnings: Vec::new(),
            files: Arc::new(vec![MarkedFile::read("web.yaml", text.to_owned()).unwrap()]),
            problem_files: Vec::new(),
            texts: BTreeMap::new(),
            committing: Committing::default(),
        };
        let selections = BTreeMap::from([(web.clone(), selection("web")), (w.clone(), selection("r.io/w"))]);
        let updates = propose(&[ground(&[&web, &w])], &selections);
        let blocked = updates[0].blocked.as_ref().unwrap();
        assert_eq!(
            (updates.len(), updates[0].state, blocked.code),
            (1, UpdateState::Blocked, Code::ImageInvalid)
        );
        let said = "encountered invalid image ref \"r.io/w:2\": could not parse reference: r.io/w:2";
        assert_eq!((blocked.subject.as_str(), blocked.message.as_str()), ("shop/w", said));
        assert_eq!(propose(&[ground(&[&web])], &selections)[0].state, UpdateState::Pending);
        // A selected text that can be no tag blocks its own policy alone.
        let mut selections = selections;
        let refused = Problem::new(Code::ImageInvalid, "shop/w", "the selected text \"a+b\" is no valid tag");
        selections.insert(w.clone(), Selection { outcome: Err(refused), ..selection("w") });
        assert_eq!(propose(&[ground(&[&web, &w])], &selections)[0].state, UpdateState::Pending);
    }
}
