//! How a policy is kept at an older tag once files went back to it: the means, and which tags or range that takes.
//!
//! A hold of ours keeps this program from updating and nobody else. The means in the files are for controllers, too.

use std::collections::BTreeMap;

use super::edit::ObjectEdit;
use super::object::ObjectId;
use super::plan::{Ground, Selection, propose, tags_in_files};
use super::policy::Evaluator;
use super::proposal::{Proposal, Reference, UpdateState};
use super::tags::TagList;

/// A means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Means {
    /// A hold of ours alone.
    #[default]
    Hold,
    /// The automations that write the policy's tags are suspended.
    Suspend,
    /// The repository excludes the tags that would be selected instead.
    Exclude,
    /// The policy's range ends with the older tag.
    Narrow,
}

impl Means {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Suspend, Self::Exclude, Self::Narrow];

    /// The word of the commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Suspend => "suspend",
            Self::Exclude => "exclude",
            Self::Narrow => "narrow",
        }
    }

    /// What it does, in a few words.
    pub fn says(self) -> &'static str {
        match self {
            Self::Hold => "a hold of ours alone",
            Self::Suspend => "and suspend the automation",
            Self::Exclude => "and exclude what is newer",
            Self::Narrow => "and narrow the policy's range",
        }
    }

    /// What becomes of a tag that is pushed later. Here it waits for the hold's end whatever the means; this is what
    /// controllers do with it.
    pub fn next_tag(self) -> &'static str {
        match self {
            Self::Hold => "controllers ignore holds: an active automation writes what the policy selects",
            Self::Suspend => "once clusters read this, no tag is written until it is resumed",
            Self::Exclude => "tags that come later are not excluded; suspend and narrow keep them away",
            Self::Narrow => "once clusters read this, no tag later than the older one is selected",
        }
    }
}

/// An edit, and the remote (an address without credentials) whose files it is in.
pub type PlacedEdit = (String, ObjectEdit);

/// A means in the files, for one policy and one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The means.
    pub means: Means,
    /// What it changes, or in words why it is of no use here.
    pub edits: Result<Vec<PlacedEdit>, String>,
    /// What else it has an effect on, in words.
    pub note: Option<String>,
}

/// What going back to a tag takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollBack {
    /// What is written: with a digest where the policy reflects one.
    pub reference: Reference,
    /// The means in the files.
    pub offers: Vec<Offer>,
}

impl RollBack {
    /// What a means changes in the files: nothing, for a hold.
    ///
    /// # Errors
    /// Why it is of no use here, in words.
    pub fn edits(&self, means: Means) -> Result<&[PlacedEdit], &str> {
        match self.offers.iter().find(|offer| offer.means == means) {
            Some(offer) => offer.edits.as_deref().map_err(String::as_str),
            None => Ok(&[]),
        }
    }
}

/// So many tags are excluded one by one; where more are newer, a range says it better. Flux takes 25 patterns.
const MOST: usize = 10;

/// The tags that a policy would select one after the other, were each taken away, before it comes to `back`.
///
/// # Errors
/// It never comes to that tag, or too late; in words.
pub fn newer(evaluator: &Evaluator, tags: &TagList, back: &str) -> Result<Vec<String>, String> {
    let mut left: Vec<&str> = tags.iter().collect();
    let mut found = Vec::new();
    while found.len() <= MOST {
        let list = TagList::from_unsorted(&left);
        let latest = evaluator.evaluate(&list).latest.and_then(|index| list.get(index));
        let Some(latest) = latest.and_then(|latest| left.iter().position(|tag| *tag == latest)) else {
            return Err(format!("the policy never selects {back}"));
        };
        let latest = left.swap_remove(latest);
        if latest == back {
            return Ok(found);
        }
        found.push(latest.to_owned());
    }
    Err(format!("more than {MOST} tags would be selected before {back}"))
}

/// The pattern of an exclusion list that matches `tag` and no other.
pub fn pattern(tag: &str) -> String {
    format!("^{}$", tag.replace('.', "\\."))
}

/// A range without what is newer than `back`: that bound is added to each of its alternatives.
pub fn narrowed(range: &str, back: &str) -> String {
    let bounded = |part: &str| match part.trim() {
        "" | "*" => format!("<={back}"),
        part if part.contains(',') => format!("{part}, <={back}"),
        part => format!("{part} <={back}"),
    };
    range.split("||").map(bounded).collect::<Vec<_>>().join(" || ")
}

/// Why a policy cannot go back to a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackError {
    /// The files hold it.
    #[error("{0} is what the files hold now: choose an older tag")]
    Held(String),
    /// It is newer than what the files hold, or the policy cannot tell.
    #[error("{tag} is not older than {current}, by the policy's own order: choose an older tag")]
    NotOlder {
        /// The tag.
        tag: String,
        /// What the files hold.
        current: String,
    },
    /// There is nothing to write it into.
    #[error("no file that can be written holds another tag than {0}")]
    Nowhere(String),
    /// What keeps every file from being written.
    #[error("{0}")]
    Blocked(String),
}

/// The updates that bring a policy back to `reference`; `why` is what they say of themselves. An automation whose files
/// would go forward is left alone.
///
/// # Errors
/// No file would go back, in the policy's own order, or none can be written.
pub fn back_to(
    grounds: &[Ground],
    (policy, selection): (&ObjectId, &Selection),
    reference: Reference,
    why: String,
) -> Result<Vec<Proposal>, BackError> {
    let tag = reference.tag.clone();
    let current = tags_in_files(grounds, policy);
    if current == [tag.as_str()] {
        return Err(BackError::Held(tag));
    }
    let selection = Selection { outcome: Ok(reference), why, ..selection.clone() };
    let mut updates = propose(grounds, &BTreeMap::from([(policy.clone(), selection)]));
    if updates.is_empty() {
        return Err(BackError::Nowhere(tag));
    }
    let is_blocked = |update: &Proposal| update.state == UpdateState::Blocked;
    if let Some(problem) = updates.iter().find_map(|update| update.blocked.as_ref())
        && updates.iter().all(is_blocked)
    {
        return Err(BackError::Blocked(problem.message.clone()));
    }
    updates.retain(|update| update.downgrade);
    if updates.is_empty() {
        Err(BackError::NotOlder { tag, current: current.join(", ") })
    } else {
        Ok(updates)
    }
}

/// Gives each edit to the last of `updates` that lands in its remote: behind it no commit of the same branch finds other
/// lines than it was made from.
///
/// # Errors
/// No update lands there; in words.
pub fn attach(updates: &mut [Proposal], grounds: &[Ground], edits: Vec<PlacedEdit>) -> Result<(), String> {
    for (remote, edit) in edits {
        let is_there = |update: &&mut Proposal| {
            let mut own = grounds.iter().filter(|ground| ground.automation == update.automation);
            own.any(|ground| ground.remote.as_ref() == Some(&remote))
        };
        match updates.iter_mut().rev().find(is_there) {
            Some(update) => update.edits.push(edit),
            None => return Err(format!("no update goes to {remote}, whose {} would change", edit.file)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::{PolicyChoice, SemverChoice};

    fn semver(range: &str) -> Evaluator {
        let choice = PolicyChoice {
            semver: Some(SemverChoice { range: range.to_owned() }),
            ..PolicyChoice::default()
        };
        Evaluator::new(&choice, None, &[])
    }

    fn selects(range: &str, tags: &[&str]) -> Option<String> {
        let tags = TagList::from_unsorted(tags);
        semver(range).evaluate(&tags).latest.and_then(|index| tags.get(index)).map(str::to_owned)
    }

    const TAGS: [&str; 5] = ["1.0.0", "1.4.0", "1.4.1", "1.5.0", "2.0.0"];

    #[test]
    fn what_would_be_selected_before_the_older_tag_is_told_best_first() {
        let newer = |back: &str| newer(&semver("1.x"), &TagList::from_unsorted(TAGS), back);
        assert_eq!(newer("1.4.0"), Ok(vec!["1.5.0".to_owned(), "1.4.1".to_owned()]));
        assert_eq!(newer("1.5.0"), Ok(vec![]));
        assert_eq!(newer("2.0.0"), Err("the policy never selects 2.0.0".to_owned()));
        let many: Vec<String> = (0..20).map(|minor| format!("1.{minor}.0")).collect();
        let many = super::newer(&semver("1.x"), &TagList::from_unsorted(many), "1.0.0");
        assert_eq!(many, Err("more than 10 tags would be selected before 1.0.0".to_owned()));
    }

    #[test]
    fn a_narrowed_range_selects_the_older_tag_whatever_is_newer() {
        for range in ["1.x", ">=1.0.0", "*", "", ">=1.0.0, <3.0.0", "1.x || 2.x", "^1.2.0", "1.0 - 3.0"] {
            let narrow = narrowed(range, "1.4.0");
            assert_eq!(selects(&narrow, &TAGS).as_deref(), Some("1.4.0"), "{range:?} became {narrow:?}");
        }
        assert_eq!(narrowed("1.x || >=2.0.0", "1.4.0"), "1.x <=1.4.0 || >=2.0.0 <=1.4.0");
        assert_eq!(
            selects(&narrowed(">=1.0.0-0", "1.4.0-rc.1"), &["1.4.0-rc.1", "1.4.0"]).as_deref(),
            Some("1.4.0-rc.1")
        );
    }

    #[test]
    fn a_pattern_matches_its_tag_alone() {
        assert_eq!(pattern("v1.4.1-rc_2"), r"^v1\.4\.1-rc_2$");
    }
}
