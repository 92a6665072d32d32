//! What waits: updates that a person holds, and those that are too young. One door for both, so that nobody asks for one
//! and forgets the other.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Engine, Note, World};
use crate::config::Refresh;
use crate::domain::hold;
use crate::domain::object::ObjectId;
use crate::domain::proposal::{Hold, Proposal};
use crate::problem::Problem;

impl Engine {
    /// Holds the updates that people hold, and of the others those that are younger than the settings allow, which asks
    /// the clocks of images as far as `refresh` goes. Returns all that people hold.
    pub async fn hold_back(&self, world: &World, updates: &mut [Proposal], refresh: Refresh) -> Vec<Hold> {
        let (holds, now) = self.holds_now().await;
        hold::apply(updates, &holds, now);
        self.hold_young(world, updates, refresh).await;
        holds
    }

    /// Holds what somebody holds since it was approved, as [`hold::apply_to_approved`] does.
    pub async fn hold_approved(&self, updates: &mut [Proposal]) -> Vec<String> {
        let (holds, now) = self.holds_now().await;
        hold::apply_to_approved(updates, &holds, now)
    }

    async fn holds_now(&self) -> (Vec<Hold>, Timestamp) {
        let (store, now) = (Arc::clone(&self.store), super::now());
        let read = tokio::task::spawn_blocking(move || store.holds().in_force(now)).await;
        // A worker that ends early has told so.
        (read.unwrap_or_default(), now)
    }

    /// Holds back what `hold` is about. Blocks: it writes files.
    ///
    /// # Errors
    /// It could not be kept.
    pub fn hold(&self, hold: &Hold, mode: &'static str) -> Result<(), Problem> {
        self.store.holds().add(hold)?;
        self.note(&[Note {
            mode,
            ..Note::ok("hold", hold.policy.to_string(), format!("held {}{}", of(hold), hold::text(hold)))
        }]);
        Ok(())
    }

    /// Ends holds on a policy: without `tag` all of them, else that on exactly this tag, or, if that is `None`, on whatever
    /// it selects. Returns those that were in force. Blocks.
    ///
    /// # Errors
    /// That could not be kept.
    pub fn unhold(
        &self,
        policy: &ObjectId,
        tag: Option<Option<&str>>,
        mode: &'static str,
    ) -> Result<Vec<Hold>, Problem> {
        let ended = self.store.holds().end(policy, tag, super::now())?;
        let notes = ended.iter().map(|hold| Note {
            mode,
            ..Note::ok("hold", policy.to_string(), format!("released {}held {}", of(hold), hold::text(hold)))
        });
        self.note(&notes.collect::<Vec<_>>());
        Ok(ended)
    }
}

/// `8.0.40 `, or nothing where a hold is on whatever is selected.
fn of(hold: &Hold) -> String {
    hold.tag.as_ref().map(|tag| format!("{tag} ")).unwrap_or_default()
}
