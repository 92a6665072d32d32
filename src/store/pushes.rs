//! Pushes that were begun and how they ended, so that one that outlived its screen is reported at the next start.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::{add_line, read_lines};
use super::shelf::Shelf;

const FILE: &str = "pushes.jsonl";

/// What is known about one push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushNote {
    /// The plan's id.
    pub plan: String,
    /// The remote's address, without user info.
    pub remote: String,
    /// The branch.
    pub branch: String,
    /// The commit that was to become its tip.
    pub commit: String,
    /// When it was begun.
    pub time: Timestamp,
    /// How it ended: `None` while under way or if the process was killed, else whether it landed and what was said.
    pub outcome: Option<Result<String, String>>,
}

/// One line: a push begun, ended, or reported to a person.
#[derive(Serialize, Deserialize)]
struct Line {
    state: State,
    note: PushNote,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum State {
    Begun,
    Ended,
    Reported,
}

/// The list of pushes.
#[derive(Debug)]
pub struct Pushes {
    shelf: Shelf,
}

impl Pushes {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// Notes that a push is about to be sent; returns when that is on the disk.
    pub fn begin(&self, note: &PushNote) {
        self.write(State::Begun, note);
    }

    /// Notes how it ended, in `note.outcome`.
    pub fn end(&self, note: &PushNote) {
        self.write(State::Ended, note);
    }

    /// Notes that a person has seen how it ended; it is then forgotten.
    pub fn reported(&self, note: &PushNote) {
        self.write(State::Reported, note);
        if self.unreported().is_empty() {
            self.shelf.remove(FILE);
        }
    }

    /// The pushes whose end nobody has seen, oldest first.
    pub fn unreported(&self) -> Vec<PushNote> {
        let file = self.shelf.read(FILE).unwrap_or_default();
        let mut open: BTreeMap<(Timestamp, String), PushNote> = BTreeMap::new();
        for Line { state, note } in read_lines::<Line>(&file) {
            let key = (note.time, note.commit.clone());
            if state == State::Reported {
                open.remove(&key)
            } else {
                open.insert(key, note)
            };
        }
        open.into_values().collect()
    }

    fn write(&self, state: State, note: &PushNote) {
        let mut lines = Vec::new();
        add_line(&mut lines, &Line { state, note: note.clone() });
        self.shelf.append(FILE, &lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    #[test]
    fn a_push_is_remembered_until_somebody_has_seen_how_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let mut note = PushNote {
            plan: "7f3c9a01b2c4".into(),
            remote: "https://git.example.com/fleet".into(),
            branch: "main".into(),
            commit: "8d2e91b".into(),
            time: Timestamp::UNIX_EPOCH,
            outcome: None,
        };
        Store::open(&dirs).pushes().begin(&note);
        assert_eq!(Store::open(&dirs).pushes().unreported(), [note.clone()]);
        note.outcome = Some(Err("declined".into()));
        Store::open(&dirs).pushes().end(&note);
        let store = Store::open(&dirs);
        assert_eq!(store.pushes().unreported(), [note.clone()]);
        store.pushes().reported(&note);
        assert!(store.pushes().unreported().is_empty());
    }
}
