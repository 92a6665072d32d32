//! Whether a plan says one thing: its id fits whatever a file says, but not all that fits an id can be landed.

use std::collections::BTreeSet;

use super::stale::Changes;
use super::{Group, Plan, PushTarget};
use crate::domain::commit::message_defect;
use crate::domain::{branch, push_option};
use crate::text::Shown;

/// Signs of a push option that an error shows.
const LONGEST_SHOWN: usize = 40;

impl Plan {
    /// Why nothing of it can be landed, whatever is on the remote; one sentence. `None`: it can.
    pub fn defect(&self) -> Option<String> {
        let mut earlier = BTreeSet::new();
        self.groups.iter().find_map(|group| {
            let defect = group.defect().or_else(|| group.odd_file(&earlier));
            earlier.extend(group.files.iter().map(|file| file.path.as_str()));
            Some(format!("{}: {}", group.automation, defect?))
        })
    }
}

impl Group {
    fn defect(&self) -> Option<String> {
        if let Some(defect) = message_defect(&self.message) {
            return Some(defect.to_owned());
        }
        if self.author != self.author.written() {
            return Some(format!("Git writes no such author: {}", self.author));
        }
        let name = self.push.as_ref().map(|push| push.branch.as_str());
        if let Some((name, defect)) = name.and_then(|name| Some((name, branch::defect(name)?))) {
            return Some(format!("{name:?} cannot be a branch: {defect}"));
        }
        let mut options = self.push.iter().flat_map(PushTarget::option_lines);
        let odd_option = options.find_map(|option| {
            let defect = push_option::defect(&option)?;
            Some(format!("{} cannot be a push option: {defect}", Shown::new(&option).cut_end(LONGEST_SHOWN)))
        });
        if odd_option.is_some() {
            return odd_option;
        }
        let reference = self.base.as_ref().map(|base| base.reference.as_str());
        let odd = reference.filter(|name| branch::defect(name).is_some());
        odd.map(|name| format!("{name:?} cannot be a reference"))
    }

    /// A file of which the list of files and what is approved say different things; what groups before it have written may
    /// leave it nothing to do in a file.
    fn odd_file(&self, earlier: &BTreeSet<&str>) -> Option<String> {
        let files: BTreeSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        if files.len() != self.files.len() {
            return Some("a file is in the plan twice".to_owned());
        }
        let changed: BTreeSet<&str> = Changes::of(&self.updates).into_keys().collect();
        if let Some(file) = files.difference(&changed).next() {
            return Some(format!("{file} is among the plan's files, and nothing in it is approved"));
        }
        let missing = changed.difference(&files).find(|file| !earlier.contains(*file));
        let missing =
            missing.map(|file| format!("{file} has approved changes and is not among the plan's files"));
        let is_nothing = files.is_empty() && changed.is_empty();
        missing.or_else(|| is_nothing.then(|| "nothing in it is approved".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan() -> Value {
        let site = json!({"file": "a.yaml", "line": 1, "column": 1, "setter": "shop:web", "field": ".image",
            "object": {"apiVersion": null, "kind": null, "namespace": null, "name": null},
            "old": "web:1", "new": "web:2", "decision": "approved"});
        let update = json!({"policy": {"namespace": "shop", "name": "web"},
            "automation": {"namespace": "shop", "name": "apps"}, "image": "web", "current": ["1"],
            "new": {"tag": "2", "digest": null}, "step": "build", "downgrade": false, "name_changed": false,
            "state": "pending", "decision": "approved", "hold": null, "blocked": null, "why": "", "first_seen": null,
            "sites": [site]});
        let file = json!({"path": "a.yaml", "sha256_before": "b", "sha256_after": "a", "controller_reformats": null});
        json!({"id": "", "created": "2026-03-01T09:00:00Z", "created_by": "", "version": "0.1.0",
            "bytes_changed_outside_markers": 0,
            "groups": [{"automation": {"namespace": "shop", "name": "apps"}, "remote": "https://git.example.com/fleet",
                "base": {"ref": "refs/heads/main", "commit": "4c1f0e2", "fetched": "2026-03-01T09:00:00Z", "stale": false},
                "push": {"branch": "updates", "commit": null, "behind": 0, "refspec": null, "options": {}},
                "author": {"name": "bot", "email": "bot@example.com"}, "message": "Update\n", "message_edited": false,
                "warnings": [], "files": [file], "updates": [update]}]})
    }

    fn defect(place: &str, value: Value) -> Option<String> {
        let mut plan = plan();
        if !place.is_empty() {
            *plan.pointer_mut(place).unwrap() = value;
        }
        serde_json::from_value::<Plan>(plan).unwrap().defect()
    }

    #[test]
    fn a_plan_that_says_two_things_lands_nothing() {
        assert_eq!(defect("", Value::Null), None);
        let file = plan()["groups"][0]["files"][0].clone();
        for (place, value, says) in [
            ("/groups/0/push/branch", json!("production\0y"), "cannot be a branch"),
            ("/groups/0/push/branch", json!("HEAD"), "cannot be a branch"),
            ("/groups/0/push/branch", json!(""), "cannot be a branch"),
            ("/groups/0/base/ref", json!("refs/heads/a\nb"), "cannot be a reference"),
            ("/groups/0/push/options", json!({"ci.variable": "a\nb"}), "a line break"),
            ("/groups/0/push/options", json!({"ci.variable": "a\0b"}), "a NUL"),
            ("/groups/0/push/options", json!({"ci.variable": "x".repeat(66_000)}), "65516 bytes"),
            ("/groups/0/message", json!("a\0b"), "NUL"),
            ("/groups/0/author/name", json!("bot\n"), "no such author"),
            ("/groups/0/files", json!([file, file]), "twice"),
            ("/groups/0/files", json!([]), "not among the plan's files"),
            ("/groups/0/updates", json!([]), "nothing in it is approved"),
        ] {
            let found = defect(place, value).unwrap_or_default();
            assert!(found.contains(says), "{place}: {found}");
        }
    }
}
