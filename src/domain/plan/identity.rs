//! What a plan is known by: a hash over all that decides what comes of it.
//!
//! Who made it, when, with which version, and how fresh its base was are left out: equal inputs give an equal id. So are
//! updates that nobody approved, which come to nothing.

use sha2::{Digest, Sha256};

use super::{Group, Plan, PushTarget, hex};
use crate::domain::edit::ObjectEdit;
use crate::domain::proposal::{Decision, Proposal, Site, Step};

impl Plan {
    /// The identity that the plan's content has.
    pub fn computed_id(&self) -> String {
        let mut identity = Identity::default();
        identity.list(&self.groups, Identity::group);
        hex(&identity.0.finalize()).chars().take(12).collect()
    }

    /// Whether somebody changed the plan by hand.
    pub fn is_edited(&self) -> bool {
        self.id != self.computed_id()
    }
}

/// Parts, each with its length in front, and lists, each with its count, so that none runs into the next.
#[derive(Default)]
struct Identity(Sha256);

impl Identity {
    fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_le_bytes());
    }

    fn part(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text);
    }

    /// Nothing differs from an empty text.
    fn maybe(&mut self, text: Option<&str>) {
        self.list(text, Self::part);
    }

    fn list<T, I>(&mut self, items: I, each: impl Fn(&mut Self, T))
    where
        I: IntoIterator<Item = T, IntoIter: Clone>,
    {
        let items = items.into_iter();
        self.number(items.clone().count());
        items.for_each(|item| each(self, item));
    }

    fn group(&mut self, group: &Group) {
        self.part(&group.automation.to_string());
        self.maybe(group.remote.as_deref());
        self.list(&group.base, |to, base| {
            to.part(&base.reference);
            to.part(&base.commit);
        });
        self.list(&group.push, Self::target);
        self.part(&group.author.to_string());
        self.list(&group.signing_key, |to, key| {
            to.part(&key.secret.to_string());
            to.part(&key.kind);
        });
        self.part(&group.message);
        self.list(&group.files, |to, file| {
            to.part(&file.path);
            to.part(&file.sha256_before);
            to.part(&file.sha256_after);
        });
        self.list(group.updates.iter().filter(|update| is_meant(update)), Self::update);
    }

    fn target(&mut self, push: &PushTarget) {
        self.part(&push.branch);
        self.maybe(push.commit.as_deref());
        self.maybe(push.refspec.as_deref());
        self.list(&push.options, |to, (key, value)| {
            to.part(key);
            to.part(value);
        });
    }

    fn update(&mut self, update: &Proposal) {
        self.part(&update.policy.to_string());
        self.part(&update.automation.to_string());
        self.part(&update.image);
        // A pull request's table has these.
        self.list(&update.current, |to, current| to.part(current));
        self.maybe(update.step.map(Step::word));
        self.list(&update.new, |to, new| {
            to.part(&new.tag);
            to.maybe(new.digest.as_deref());
        });
        // What is held was approved in spite of that, and what goes back needed a second word.
        self.part(&format!("{:?} {:?}", update.decision, update.state));
        self.part(&format!("{} {}", update.downgrade, update.name_changed));
        let is_approved = |site: &&Site| site.decision == Decision::Approved;
        self.list(update.sites.iter().filter(is_approved), Self::site);
        self.list(update.approved_edits(), Self::edit);
    }

    fn site(&mut self, site: &Site) {
        self.part(&format!("{}:{}:{}", site.file, site.line, site.column));
        self.part(&site.setter);
        self.part(&site.field);
        self.part(&site.old);
        self.part(&site.new);
    }

    fn edit(&mut self, edit: &ObjectEdit) {
        self.part(&format!("{}:{} {:?} {}", edit.file, edit.line, edit.field, edit.object));
        self.part(&edit.old);
        self.part(&edit.new);
    }
}

/// Whether something of it lands, or it says so.
fn is_meant(update: &Proposal) -> bool {
    update.is_approved() || matches!(update.decision, Decision::Approved | Decision::Partial)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A plan with one update that is approved, one of whose two sites, and one that is not.
    fn plan() -> Value {
        let site = |line: usize, decision: &str| {
            json!({"file": "apps/web.yaml", "line": line, "column": 12, "setter": "shop:web", "field": ".image",
                "object": {"apiVersion": null, "kind": null, "namespace": null, "name": null},
                "old": "web:1.0.0", "new": "web:1.1.0", "decision": decision})
        };
        let update = |policy: &str, decision: &str, sites: [Value; 2]| {
            json!({"policy": {"namespace": "shop", "name": policy}, "automation": {"namespace": "shop", "name": "apps"},
                "image": "web", "current": ["1.0.0"], "new": {"tag": "1.1.0", "digest": "sha256:a"}, "step": "minor",
                "downgrade": false, "name_changed": false, "state": "pending", "decision": decision, "hold": null,
                "blocked": null, "why": "greatest of 2 candidates", "first_seen": "2026-03-01T09:00:00Z",
                "sites": sites})
        };
        let approved = update("web", "partial", [site(3, "approved"), site(9, "undecided")]);
        let undecided = update("db", "undecided", [site(4, "undecided"), site(5, "skipped")]);
        json!({"id": "", "created": "2026-03-01T09:00:00Z", "created_by": "rita@bastion", "version": "0.1.0",
            "problems": [], "bytes_changed_outside_markers": 0,
            "groups": [{"automation": {"namespace": "shop", "name": "apps"}, "remote": "https://git.example.com/fleet",
                "base": {"ref": "refs/heads/main", "commit": "4c1f0e2", "fetched": "2026-03-01T09:00:00Z", "stale": false},
                "push": {"branch": "updates", "commit": null, "behind": 0, "refspec": null, "options": {"ci.skip": "1"}},
                "author": {"name": "bot", "email": "bot@example.com"}, "message": "Update web\n",
                "signing_key": {"secret": {"namespace": "shop", "name": "signer"}, "kind": "ssh"},
                "message_edited": false, "warnings": [],
                "files": [{"path": "apps/web.yaml", "sha256_before": "b", "sha256_after": "a",
                    "controller_reformats": false}],
                "updates": [approved, undecided]}]})
    }

    fn id_with(place: &str, value: &Value) -> String {
        let mut plan = plan();
        if !place.is_empty() {
            *plan.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value.clone();
        }
        serde_json::from_value::<Plan>(plan).unwrap().computed_id()
    }

    #[test]
    fn a_hand_edit_of_anything_that_decides_the_outcome_is_found() {
        let edits = [
            ("/groups/0/automation/name", json!("other")),
            ("/groups/0/remote", json!(null)),
            ("/groups/0/remote", json!("")),
            ("/groups/0/base", json!(null)),
            ("/groups/0/base/ref", json!("refs/heads/production")),
            ("/groups/0/base/commit", json!("77ab013")),
            ("/groups/0/push", json!(null)),
            ("/groups/0/push/branch", json!("main")),
            ("/groups/0/push/commit", json!("4c1f0e2")),
            ("/groups/0/push/refspec", json!("refs/heads/updates:refs/for/main")),
            ("/groups/0/push/options", json!({})),
            ("/groups/0/author/email", json!("eve@example.com")),
            ("/groups/0/signing_key", json!(null)),
            ("/groups/0/signing_key/secret/name", json!("other")),
            ("/groups/0/message", json!("Update web\n\n")),
            ("/groups/0/files", json!([])),
            ("/groups/0/files/0/sha256_after", json!("c")),
            ("/groups/0/updates/0/policy/name", json!("api")),
            ("/groups/0/updates/0/automation/name", json!("other")),
            ("/groups/0/updates/0/image", json!("other")),
            ("/groups/0/updates/0/current", json!(["0.9.0"])),
            ("/groups/0/updates/0/step", json!("patch")),
            ("/groups/0/updates/0/new", json!(null)),
            ("/groups/0/updates/0/new/tag", json!("1.1.1")),
            ("/groups/0/updates/0/new/digest", json!("sha256:b")),
            ("/groups/0/updates/0/new/digest", json!(null)),
            ("/groups/0/updates/0/decision", json!("skipped")),
            ("/groups/0/updates/0/decision", json!("approved")),
            ("/groups/0/updates/0/state", json!("held")),
            ("/groups/0/updates/0/downgrade", json!(true)),
            ("/groups/0/updates/0/name_changed", json!(true)),
            ("/groups/0/updates/0/sites/0/decision", json!("skipped")),
            ("/groups/0/updates/0/sites/0/line", json!(4)),
            ("/groups/0/updates/0/sites/0/setter", json!("shop:web:tag")),
            ("/groups/0/updates/0/sites/0/field", json!(".spec")),
            ("/groups/0/updates/0/sites/0/old", json!("web:0.9.0")),
            ("/groups/0/updates/0/sites/0/new", json!("web:1.2.0")),
            ("/groups/0/updates/0/sites/1/decision", json!("approved")),
            ("/groups/0/updates/1/decision", json!("approved")),
            ("/groups/0/updates/1/sites/0/decision", json!("approved")),
            ("/groups", json!([])),
        ];
        let mut seen = vec![id_with("", &Value::Null)];
        for (place, value) in &edits {
            let id = id_with(place, value);
            assert!(!seen.contains(&id), "{place} {value}");
            seen.push(id);
        }
    }

    #[test]
    fn equal_inputs_have_an_equal_id_whoever_makes_the_plan_and_when() {
        let same = [
            ("/created", json!("2026-03-02T09:00:00Z")),
            ("/created_by", json!("omar@laptop")),
            ("/version", json!("0.2.0")),
            ("/problems", json!([])),
            ("/groups/0/base/fetched", json!("2026-03-02T09:00:00Z")),
            ("/groups/0/push/behind", json!(null)),
            ("/groups/0/updates/0/first_seen", json!(null)),
            ("/groups/0/updates/0/why", json!("greatest of 3 candidates")),
            ("/groups/0/updates/1/new/tag", json!("2.0.0")),
            ("/groups/0/updates/1/sites/0/decision", json!("skipped")),
        ];
        let id = id_with("", &Value::Null);
        for (place, value) in &same {
            assert_eq!(id_with(place, value), id, "{place} {value}");
        }
    }
}
