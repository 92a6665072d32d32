//! Decisions about marked lines, written down as they are made, so that a killed process loses none.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::shelf::{Shelf, file_name};
use crate::domain::object::ObjectId;
use crate::domain::proposal::{Decision, Site};

/// A file with more lines than this, most of them overruled, is written anew.
const LONG: usize = 1000;

/// The journal, one file per scope. A scope is whatever belongs together, such as a remote and a branch.
#[derive(Debug)]
pub struct Journal {
    shelf: Shelf,
}

/// One line of the journal.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    time: Timestamp,
    scope: String,
    #[serde(flatten)]
    key: Key,
    decision: Word,
}

/// What a decision is about. It holds only while all of this is so: another value to be written is another question.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Key {
    automation: ObjectId,
    file: String,
    line: usize,
    setter: String,
    old: String,
    new: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Undecided,
    Approved,
    Skipped,
}

/// The decisions in force in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decisions {
    held: HashMap<Key, (Word, Timestamp)>,
}

impl Key {
    fn new(automation: &ObjectId, site: &Site) -> Self {
        Self {
            automation: automation.clone(),
            file: site.file.clone(),
            line: site.line,
            setter: site.setter.clone(),
            old: site.old.clone(),
            new: site.new.clone(),
        }
    }
}

impl Decisions {
    /// What was decided about `site`, as long as file, line, marker and both values are what they were then.
    pub fn get(&self, automation: &ObjectId, site: &Site) -> Decision {
        match self.held.get(&Key::new(automation, site)) {
            Some((Word::Approved, _)) => Decision::Approved,
            Some((Word::Skipped, _)) => Decision::Skipped,
            Some((Word::Undecided, _)) | None => Decision::Undecided,
        }
    }

    /// Gives every site of `sites` its decision; returns when the newest of these was made, if any was.
    pub fn apply<'a>(
        &self,
        automation: &ObjectId,
        sites: impl IntoIterator<Item = &'a mut Site>,
    ) -> Option<Timestamp> {
        let mut newest = None;
        for site in sites.into_iter().filter(|site| site.blocked.is_none()) {
            site.decision = self.get(automation, site);
            if site.decision != Decision::Undecided {
                let made = self.held.get(&Key::new(automation, site)).map(|(_, time)| *time);
                newest = newest.max(made);
            }
        }
        newest
    }
}

impl Journal {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// Writes down the decisions that `sites` carry now; returns when they outlive this process. [`Self::sync`] waits for
    /// the disk.
    pub fn record<'a>(
        &self,
        scope: &str,
        automation: &ObjectId,
        sites: impl IntoIterator<Item = &'a Site>,
        now: Timestamp,
    ) {
        let mut lines = Vec::new();
        for site in sites {
            let decision = match site.decision {
                Decision::Approved => Word::Approved,
                Decision::Skipped => Word::Skipped,
                Decision::Undecided | Decision::Partial => Word::Undecided,
            };
            let line = Line { time: now, scope: scope.to_owned(), key: Key::new(automation, site), decision };
            add_line(&mut lines, &line);
        }
        if !lines.is_empty() {
            self.shelf.add(&file_name(scope, "jsonl"), &lines);
        }
    }

    /// Waits until the decisions of a scope are on the disk.
    pub fn sync(&self, scope: &str) {
        self.shelf.sync(&file_name(scope, "jsonl"));
    }

    /// The decisions in force. Lines that make no sense, such as the half line of a killed process, are passed over.
    pub fn load(&self, scope: &str) -> Decisions {
        let name = file_name(scope, "jsonl");
        let (count, decisions) = in_force(&self.shelf.read_lines(&name), scope);
        if count > LONG && count > 4 * decisions.held.len() {
            // Only the last word about each site.
            self.shelf.shorten(&name, |file| lines(in_force(file, scope).1, scope));
        }
        decisions
    }
}

/// How many lines there are of this scope, and what they come to.
fn in_force(file: &[u8], scope: &str) -> (usize, Decisions) {
    let mut decisions = Decisions::default();
    let mut count = 0;
    for line in read_lines::<Line>(file).filter(|line| line.scope == scope) {
        count += 1;
        match line.decision {
            Word::Undecided => decisions.held.remove(&line.key),
            word => decisions.held.insert(line.key, (word, line.time)),
        };
    }
    (count, decisions)
}

/// The lines that come to these decisions.
fn lines(decisions: Decisions, scope: &str) -> Vec<u8> {
    let mut lines = Vec::new();
    for (key, (decision, time)) in decisions.held {
        add_line(&mut lines, &Line { time, scope: scope.to_owned(), key, decision });
    }
    lines
}

/// Adds `value` as one line of JSON.
pub(super) fn add_line(lines: &mut Vec<u8>, value: &impl Serialize) {
    let start = lines.len();
    // Maps with text keys and plain values cannot fail; half a line is not left behind in any case.
    match serde_json::to_writer(&mut *lines, value) {
        Ok(()) => lines.push(b'\n'),
        Err(_unserialisable) => lines.truncate(start),
    }
}

/// The lines that parse.
pub(super) fn read_lines<'a, T: serde::de::DeserializeOwned + 'a>(
    file: &'a [u8],
) -> impl Iterator<Item = T> + 'a {
    file.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    fn site(line: usize, old: &str, new: &str, decision: Decision) -> Site {
        Site {
            file: "apps/a.yaml".into(),
            line,
            column: 9,
            setter: "flux-system:a".into(),
            field: ".spec.image".into(),
            object: crate::domain::proposal::ObjectIdentity::default(),
            old: old.into(),
            new: new.into(),
            decision,
            blocked: None,
        }
    }

    #[test]
    fn a_decision_holds_only_while_line_and_values_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let automation = ObjectId::new("flux-system", "apps");
        let decided = [site(3, "a:1", "a:2", Decision::Approved), site(9, "b:1", "b:2", Decision::Skipped)];
        Store::open(&dirs).journal().record("remote main", &automation, &decided, Timestamp::UNIX_EPOCH);
        let decisions = Store::open(&dirs).journal().load("remote main");
        let now = |line, old: &str, new: &str| {
            decisions.get(&automation, &site(line, old, new, Decision::Undecided))
        };
        assert_eq!(now(3, "a:1", "a:2"), Decision::Approved);
        assert_eq!(now(9, "b:1", "b:2"), Decision::Skipped);
        assert_eq!(now(4, "a:1", "a:2"), Decision::Undecided);
        assert_eq!(now(3, "a:0", "a:2"), Decision::Undecided);
        assert_eq!(now(3, "a:1", "a:3"), Decision::Undecided);
        assert_eq!(decisions.get(&ObjectId::new("x", "y"), &decided[0]), Decision::Undecided);
        assert_eq!(Store::open(&dirs).journal().load("remote dev"), Decisions::default());
    }

    #[test]
    fn the_last_word_counts_and_half_a_line_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let automation = ObjectId::new("flux-system", "apps");
        let mut one = site(3, "a:1", "a:2", Decision::Approved);
        store.journal().record("s", &automation, [&one], Timestamp::UNIX_EPOCH);
        let file = dir.path().join("state/journal").join(file_name("s", "jsonl"));
        let mut text = std::fs::read_to_string(&file).unwrap();
        text.push_str("{\"time\":\"2026-");
        std::fs::write(&file, text).unwrap();
        assert_eq!(store.journal().load("s").get(&automation, &one), Decision::Approved);
        one.decision = Decision::Undecided;
        store.journal().record("s", &automation, [&one], Timestamp::UNIX_EPOCH);
        assert_eq!(store.journal().load("s").get(&automation, &one), Decision::Undecided);
    }

    #[test]
    fn a_long_journal_is_shortened_without_loss() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let automation = ObjectId::new("flux-system", "apps");
        let sites = vec![site(3, "a:1", "a:2", Decision::Approved); LONG + 1];
        store.journal().record("s", &automation, &sites, Timestamp::UNIX_EPOCH);
        assert_eq!(store.journal().load("s").get(&automation, &sites[0]), Decision::Approved);
        let file = dir.path().join("state/journal").join(file_name("s", "jsonl"));
        assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
        assert_eq!(store.journal().load("s").get(&automation, &sites[0]), Decision::Approved);
    }
}
