//! Of which policies newer tags take the place of what is under review.

use std::collections::BTreeSet;

use super::UpdateId;
use crate::domain::object::ObjectId;

/// Of which policies newer tags are taken over although an older one was approved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Newer {
    /// Of none: what was approved stays, and a newer tag is told.
    #[default]
    None,
    /// Of these.
    Of(BTreeSet<ObjectId>),
    /// Of all.
    All,
}

impl Newer {
    /// Of the policies of these updates.
    pub fn of<'a>(updates: impl Iterator<Item = &'a UpdateId>) -> Self {
        let policies: BTreeSet<ObjectId> = updates.map(|update| update.policy.clone()).collect();
        if policies.is_empty() { Self::None } else { Self::Of(policies) }
    }

    /// Whether a newer tag of the policy is taken over.
    pub fn takes(&self, policy: &ObjectId) -> bool {
        match self {
            Self::None => false,
            Self::Of(policies) => policies.contains(policy),
            Self::All => true,
        }
    }

    /// Takes those of `other` too.
    pub fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::All, _) | (_, Self::None) => {}
            (Self::Of(policies), Self::Of(more)) => policies.extend(more),
            (_, other) => *self = other,
        }
    }
}
