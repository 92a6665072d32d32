//! Where a policy can go back to: what `:rollback` offers, and what that changes.

use crate::app::state::State;
use crate::app::view::View;
use crate::domain::keep;
use crate::domain::object::{DigestPolicy, ObjectId};
use crate::domain::policy::TagState;
use crate::domain::proposal::{Proposal, Reference};

use super::standing::tags_in_files;

/// What `:rollback` is about: the policy of the row; S3's row is the tag to go back to, elsewhere it is the best candidate
/// below what the files hold.
///
/// # Errors
/// Why there is nothing to go back to, in words.
pub fn rollback(state: &State) -> Result<(ObjectId, String), String> {
    let none = || "there is no policy under the cursor".to_owned();
    match state.view_below_help() {
        View::Tags => {
            let policy = state.tags.policy.clone().ok_or("no policy reads this repository")?;
            let row = state.tags.list.current().ok_or("there is no tag under the cursor")?;
            let tag = state.tags.tags.get(*row as usize).ok_or("there is no tag under the cursor")?;
            Ok((policy, tag.to_owned()))
        }
        View::Updates => below(state, state.updates.current().ok_or_else(none)?.policy.clone()),
        View::Policies => below(state, state.policies.current().ok_or_else(none)?.clone()),
        _ => Err("go to a policy, an update or a tag first".to_owned()),
    }
}

/// The best candidate of a policy below everything that the files hold of it.
fn below(state: &State, policy: ObjectId) -> Result<(ObjectId, String), String> {
    let verdict = state.verdicts.get(&policy).ok_or("its tags are not known yet")?;
    let current = tags_in_files(state, &policy);
    let is_candidate = |index: &&u32| {
        let place = usize::try_from(**index).unwrap_or(usize::MAX);
        matches!(verdict.evaluation.states.get(place), Some(TagState::Match | TagState::Latest))
    };
    // The best stands first.
    let mut candidates =
        verdict.order.iter().filter(is_candidate).filter_map(|index| verdict.tags.get(*index as usize));
    candidates.find(|tag| current.contains(tag)).ok_or("no file holds a tag of it that counts")?;
    let tag = candidates.find(|tag| !current.contains(tag));
    let tag = tag.ok_or("it has no older tag that counts")?;
    Ok((policy, tag.to_owned()))
}

/// Whether a policy can go back to `tag`, whose digest may not be known yet: another of the same shape stands in its place, as
/// only a reference that is one can be written.
///
/// # Errors
/// Why not, in words.
pub fn may_go_back(state: &State, policy: &ObjectId, tag: &str) -> Result<(), String> {
    let selection = state.review.selections.get(policy).ok_or("the files were not compared yet")?;
    let digest = wants_digest(state, policy).then(|| format!("sha256:{:064}", 0));
    let reference = Reference { image: selection.image.clone(), tag: tag.to_owned(), digest };
    back_to(state, policy, reference).map(drop)
}

/// Whether a policy reflects digests.
pub fn wants_digest(state: &State, policy: &ObjectId) -> bool {
    let policy = state.inventory.policies.get(policy);
    policy.is_some_and(|policy| policy.digest_policy != DigestPolicy::Never)
}

/// The updates that bring a policy back to `reference`.
///
/// # Errors
/// Why they cannot be made, in words.
pub fn back_to(state: &State, policy: &ObjectId, reference: Reference) -> Result<Vec<Proposal>, String> {
    let selection = state.review.selections.get(policy).ok_or("the files were not compared yet")?;
    let repository = state.inventory.policies.get(policy).map(|policy| &policy.repository);
    let found = repository.and_then(|id| state.scans.get(id)).and_then(|scan| scan.found.as_ref());
    let tag = reference.tag.clone();
    if found.is_none_or(|found| found.tags.position(&tag).is_none()) {
        return Err(format!("the registry has no tag {tag}, as far as is known"));
    }
    let why = format!("picked by {}", state.operator);
    let back = keep::back_to(&state.review.grounds, (policy, selection), reference, why);
    back.map_err(|error| error.to_string())
}
