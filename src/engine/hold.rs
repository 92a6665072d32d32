//! What waits: updates that a person holds, and those that are too young. One door for both, so that nobody asks for one
//! and forgets the other.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Engine, Note, World};
use crate::config::Refresh;
use crate::domain::hold;
use crate::domain::object::ObjectId;
use crate::domain::plan::Plan;
use crate::domain::proposal::{Hold, Proposal};
use crate::problem::{Code, Problem};

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

    /// What is to be said of updates that were asked for by name although they are held.
    pub async fn held_all_the_same(&self, updates: &[Proposal]) -> Vec<String> {
        let (holds, now) = self.holds_now().await;
        hold::held_all_the_same(updates, &holds, now)
    }

    /// Whether nobody held what is approved in the plan since `seen`, when holds were looked at for it.
    ///
    /// # Errors
    /// [`Code::ConfirmationMissing`]: the hold.
    pub async fn let_go_since(&self, plan: &Plan, seen: Timestamp) -> Result<(), Problem> {
        let (holds, now) = self.holds_now().await;
        let updates = plan.groups.iter().flat_map(|group| &group.updates);
        let held = updates.filter(|update| update.is_approved()).find_map(|update| {
            let tag = update.new.as_ref().map(|new| new.tag.as_str()).unwrap_or_default();
            // Holds have whole seconds; what was held in that second was seen.
            let is_later = |hold: &Hold| hold.since.as_second() > seen.as_second();
            let hold = hold::all_of(&holds, &update.policy, tag, now).find(|hold| is_later(hold))?;
            (update.hold.as_ref() != Some(hold)).then_some((update, hold))
        });
        held.map_or(Ok(()), |(update, held)| {
            let message = format!("held {}", hold::text(held));
            let problem = Problem::new(Code::ConfirmationMissing, update.policy.to_string(), message);
            Err(problem.hint("It was held while the plan was open. Look at the plan again."))
        })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::engine;
    use super::*;

    /// An update that was approved and would not be held.
    fn approved() -> Proposal {
        let site = json!({"file": "apps/web.yaml", "line": 3, "column": 12, "setter": "shop:web", "field": ".image",
            "object": {"apiVersion": null, "kind": null, "namespace": null, "name": null},
            "old": "web:1.0.0", "new": "web:1.1.0", "decision": "approved"});
        let update = json!({"policy": {"namespace": "shop", "name": "web"},
            "automation": {"namespace": "shop", "name": "apps"}, "image": "web", "current": ["1.0.0"],
            "new": {"tag": "1.1.0", "digest": null}, "step": "minor", "downgrade": false, "name_changed": false,
            "state": "pending", "decision": "approved", "hold": null, "blocked": null, "why": "x",
            "first_seen": null, "sites": [site]});
        serde_json::from_value(update).unwrap()
    }

    fn plan(created: Timestamp) -> Plan {
        let group = json!({"automation": {"namespace": "shop", "name": "apps"}, "remote": null, "base": null,
            "push": null, "author": {"name": "bot", "email": "bot@example.com"}, "message": "Update\n",
            "message_edited": false, "warnings": [], "files": [], "updates": [approved()]});
        let plan = json!({"id": "", "created": created, "created_by": "rita@bastion", "version": "0", "problems": [],
            "bytes_changed_outside_markers": 0, "groups": [group]});
        serde_json::from_value(plan).unwrap()
    }

    #[tokio::test]
    async fn what_is_held_while_its_plan_is_open_does_not_land_and_what_goes_against_a_hold_is_told_of() {
        let home = tempfile::tempdir().unwrap();
        let engine = engine(home.path());
        let (now, day) = (super::super::now(), jiff::SignedDuration::from_hours(24));
        assert_eq!(engine.let_go_since(&plan(now), now - day).await, Ok(()));
        let hold = Hold {
            policy: ObjectId::new("shop", "web"),
            tag: None,
            until: now + day,
            reason: "stop now".into(),
            by: "rita".into(),
            since: now,
        };
        engine.hold(&hold, "write").unwrap();
        let refused = engine.let_go_since(&plan(now), now - day).await.unwrap_err();
        assert_eq!((refused.code, refused.subject.as_str()), (Code::ConfirmationMissing, "shop/web"));
        assert!(refused.message.contains("by rita: stop now"), "{refused:?}");
        assert_eq!(engine.let_go_since(&plan(now), now).await, Ok(()), "it was seen with the plan");
        let told = engine.held_all_the_same(&[approved()]).await;
        assert!(told.len() == 1 && told[0].ends_with("and goes to 1.1.0 all the same"), "{told:?}");
        let in_spite = Proposal { hold: Some(hold), ..approved() };
        assert!(engine.held_all_the_same(&[in_spite]).await.is_empty());
    }
}
