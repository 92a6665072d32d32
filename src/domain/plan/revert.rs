//! What a commit did to marked scalars and to objects, and the proposals that undo it where it still stands.

use std::collections::BTreeMap;

use super::ground::{Ground, Selection};
use super::propose::Draft;
use crate::domain::age::Clocks;
use crate::domain::edit::{Check, EditField, ObjectEdit};
use crate::domain::manifest::{self, MarkedScalar, YamlError};
use crate::domain::marker::parse_setter;
use crate::domain::object::ObjectId;
use crate::domain::proposal::{Decision, MarkerPart, NewReference, Proposal, Reference, UpdateState};
use crate::domain::reference::parse_reference;
use crate::problem::{Code, Problem};

/// A marked scalar that a commit gave another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// From the repository's root.
    pub file: String,
    /// The scalar as the commit left it.
    scalar: MarkedScalar,
    /// The value before the commit.
    pub before: String,
}

impl Changed {
    /// The marked scalars of a file that have another value in `after` than in `before`, in the order of the file.
    ///
    /// One whose marker came or went, or that stands for another field or object now, is none of them.
    ///
    /// # Errors
    /// Where and why one of the texts is not valid to Flux.
    pub fn between(file: &str, before: &str, after: &str) -> Result<Vec<Self>, YamlError> {
        let mut old = manifest::find(before)?;
        let mut changed = Vec::new();
        for scalar in manifest::find(after)? {
            let Some(at) = old.iter().position(|old| is_same(old, &scalar)) else { continue };
            // Taken out, so that of several alike each has a partner of its own.
            let before = old.remove(at).value;
            if before != scalar.value {
                changed.push(Self { file: file.to_owned(), scalar, before });
            }
        }
        Ok(changed)
    }

    /// Whether the scalars that `changed` between two versions of a file are all that did, as far as lines tell.
    pub fn is_all(changed: &[Self], before: &str, after: &str) -> bool {
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let is_of_scalar = |line: usize| {
            changed.iter().any(|change| {
                let source = after.get(change.scalar.span.clone()).unwrap_or_default();
                (change.scalar.line..=change.scalar.line + source.lines().count().saturating_sub(1))
                    .contains(&line)
            })
        };
        old.len() == new.len()
            && (1..).zip(old.iter().zip(&new)).all(|(line, (old, new))| old == new || is_of_scalar(line))
    }
}

/// Whether both are the same scalar in two versions of a file.
fn is_same(a: &MarkedScalar, b: &MarkedScalar) -> bool {
    (&a.setter, &a.field, &a.object) == (&b.setter, &b.field, &b.object)
}

/// The approved proposals that give the changed scalars their old values again, by policy and automation; and, for each
/// that is left as it is, why.
///
/// `why` is what the proposals say of themselves. A scalar that no longer holds what the commit wrote is left alone.
pub fn revert(
    grounds: &[Ground],
    changed: &[Changed],
    selections: &BTreeMap<ObjectId, Selection>,
    why: &str,
) -> (Vec<Proposal>, Vec<Problem>) {
    let mut drafts: BTreeMap<(ObjectId, ObjectId), (Draft<'_>, Reference)> = BTreeMap::new();
    let mut left = Vec::new();
    for change in changed {
        match place(grounds, change) {
            Err(reason) => left.push(left_alone(change, &reason)),
            Ok((ground, policy, part, scalar)) => {
                let Some(selection) = selections.get(&policy) else {
                    left.push(left_alone(change, &format!("there is no policy {policy}")));
                    continue;
                };
                let reference = reference(selection, &change.before, part);
                let key = (policy, ground.automation.clone());
                let (draft, _) =
                    drafts.entry(key).or_insert_with(|| (Draft::new(selection), reference.clone()));
                draft.put((&change.file, scalar, part), &reference, change.before.clone());
            }
        }
    }
    let proposals = drafts.into_iter().filter_map(|((policy, automation), (draft, reference))| {
        let mut proposal = draft.finish(&policy, &automation)?;
        let Reference { tag, digest, .. } = reference;
        (proposal.new, proposal.why) = (Some(NewReference { tag, digest }), why.to_owned());
        (proposal.first_seen, proposal.clocks) = (None, Clocks::default());
        proposal.decide(Decision::Approved);
        Some(proposal)
    });
    (proposals.collect(), left)
}

/// Adds `edits`, which take back those of a commit, to the proposals that land where they stand, or makes one of them alone;
/// says of each that stands nowhere that it is left.
pub fn revert_edits(
    grounds: &[Ground],
    proposals: &mut Vec<Proposal>,
    edits: Vec<ObjectEdit>,
    (why, check): (&str, Check),
) -> Vec<Problem> {
    let mut left = Vec::new();
    for edit in edits {
        let stands = |ground: &Ground| ground.text(&edit.file).and_then(|text| edit.stand(text, check));
        let own = |update: &Proposal| grounds.iter().find(|ground| ground.automation == update.automation);
        // Behind the last update no commit of the same branch finds other lines.
        let there = proposals.iter_mut().rev().find_map(|update| Some((stands(own(update)?)?, update)));
        if let Some((edit, update)) = there {
            update.edits.push(edit);
            continue;
        }
        if let Some((edit, ground)) = grounds.iter().rev().find_map(|ground| Some((stands(ground)?, ground)))
        {
            proposals.push(of_edit(ground, edit, why));
            continue;
        }
        let message = "it is not taken back: it stands there no more as the commit left it";
        let subject = format!("{}:{}", edit.file, edit.line);
        left.push(Problem::new(Code::Skipped, subject, format!("{}: {message}", edit.reversed().words())));
    }
    left
}

/// An approved proposal of an edit alone.
fn of_edit(ground: &Ground, edit: ObjectEdit, why: &str) -> Proposal {
    let policy = match edit.field {
        EditField::Range => edit.object.clone(),
        EditField::Suspend | EditField::Exclusions => {
            ground.policies.first().cloned().unwrap_or_else(|| edit.object.clone())
        }
    };
    Proposal {
        policy,
        automation: ground.automation.clone(),
        image: String::new(),
        current: Vec::new(),
        new: None,
        step: None,
        downgrade: false,
        name_changed: false,
        state: UpdateState::Pending,
        decision: Decision::Approved,
        hold: None,
        blocked: None,
        why: why.to_owned(),
        first_seen: None,
        clocks: Clocks::default(),
        sites: Vec::new(),
        edits: vec![edit],
    }
}

/// The ground, policy and scalar of a change that can be undone; else the reason why not.
fn place<'a>(
    grounds: &'a [Ground],
    change: &Changed,
) -> Result<(&'a Ground, ObjectId, MarkerPart, &'a MarkedScalar), String> {
    let Changed { scalar: was, .. } = change;
    let (policy, part) = parse_setter(&was.setter).map_err(|error| error.to_string())?;
    let may = |ground: &&Ground| ground.policies.contains(&policy);
    let files =
        grounds.iter().filter(may).flat_map(|ground| ground.files.iter().map(move |file| (ground, file)));
    let mut reason = "no automation with this policy has the file".to_owned();
    for (ground, file) in files.filter(|(_, file)| file.path == change.file) {
        let mut same = file.sites.iter().filter(|scalar| is_same(scalar, was)).peekable();
        reason = match same.peek() {
            Some(scalar) => {
                let branch = ground.push.as_ref().map(|push| format!("on {} ", push.branch));
                let branch = branch.unwrap_or_default();
                format!("{branch}it holds {:?} by now and no longer {:?}", scalar.value, was.value)
            }
            None => "it stands there no more".to_owned(),
        };
        if let Some(scalar) = same.find(|scalar| scalar.value == was.value) {
            return Ok((ground, policy, part, scalar));
        }
    }
    Err(reason)
}

fn left_alone(change: &Changed, reason: &str) -> Problem {
    let Changed { file, scalar, before } = change;
    let message = format!("{} is not set back to {before:?}: {reason}", scalar.setter);
    Problem::new(Code::Skipped, format!("{file}:{}", scalar.line), message)
}

/// What a value stands for, as far as it says.
fn reference(selection: &Selection, value: &str, part: MarkerPart) -> Reference {
    let image = selection.image.clone();
    let plain = |tag: &str| Reference { image: image.clone(), tag: tag.to_owned(), digest: None };
    match part {
        MarkerPart::Tag => plain(value),
        MarkerPart::Name => Reference { image: value.to_owned(), ..plain("") },
        MarkerPart::Digest => Reference { digest: Some(value.to_owned()), ..plain("") },
        MarkerPart::Whole => match parse_reference(value) {
            Ok(parts) => {
                Reference { image: parts.name, tag: parts.tag.unwrap_or_default(), digest: parts.digest }
            }
            Err(_) => plain(value),
        },
    }
}
