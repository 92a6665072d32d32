//! Pushes that were begun and how they ended, so that one that outlived its screen is reported at the next start.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::journal::{add_line, read_lines};
use super::shelf::Shelf;

const FILE: &str = "pushes.jsonl";
/// Held by whoever pushes, together with others.
const UNDER_WAY: &str = ".pushing";

/// A file with more lines than this is written anew, without the pushes that were reported.
const LONG: usize = 100;

/// What is known about one push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushNote {
    /// The plan's id.
    pub plan: String,
    /// The remote's address, without user info.
    pub remote: String,
    /// The branch; what is no branch has its full name.
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

#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum State {
    Begun,
    Ended,
    Reported,
}

/// While it lives, a push that was begun is under way and no other process settles it.
#[derive(Debug)]
pub struct UnderWay {
    /// `None`: there is no file to lock, and so no other process that could read of the push.
    _lock: Option<File>,
}

/// The list of pushes.
#[derive(Debug)]
pub struct Pushes {
    shelf: Shelf,
    /// Those of this process that have ended and nobody has seen.
    ended: Mutex<Vec<PushNote>>,
}

impl Pushes {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf, ended: Mutex::default() }
    }

    /// Notes that a push is about to be sent; returns when that is on the disk.
    pub fn begin(&self, note: &PushNote) -> UnderWay {
        let lock = self.shelf.lock_file(UNDER_WAY).filter(|file| file.try_lock_shared().is_ok());
        self.write(State::Begun, note);
        UnderWay { _lock: lock }
    }

    /// Notes how it ended, in `note.outcome`.
    pub fn end(&self, note: &PushNote) {
        self.write(State::Ended, note);
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(note.clone());
    }

    /// Notes that a person has seen how all pushes of this process ended.
    pub fn seen(&self) {
        let ended = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        for note in &ended {
            self.reported(note);
        }
    }

    /// Notes that a person has seen how it ended; it is then forgotten.
    pub fn reported(&self, note: &PushNote) {
        self.write(State::Reported, note);
        let file = self.shelf.read_lines(FILE);
        if read_lines::<IgnoredAny>(&file).count() > LONG {
            self.shelf.shorten(FILE, |file| lines(open(file)));
        }
    }

    /// The pushes whose end nobody has seen, oldest first; none while one is under way here or elsewhere.
    pub fn unreported(&self) -> Vec<PushNote> {
        let notes = open(&self.shelf.read_lines(FILE));
        // Nothing is open at most starts, and then no lock is made.
        let is_under_way = || {
            let lock = self.shelf.lock_file(UNDER_WAY);
            lock.is_some_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
        };
        if notes.is_empty() || is_under_way() { Vec::new() } else { notes }
    }

    fn write(&self, state: State, note: &PushNote) {
        let mut lines = Vec::new();
        add_line(&mut lines, &Line { state, note: note.clone() });
        self.shelf.append(FILE, &lines);
    }
}

/// The pushes that nobody has seen the end of. A line may be there twice, and late.
fn open(file: &[u8]) -> Vec<PushNote> {
    let mut known: BTreeMap<(Timestamp, [String; 3]), (State, PushNote)> = BTreeMap::new();
    for Line { state, note } in read_lines::<Line>(file) {
        let key = (note.time, [note.remote.clone(), note.branch.clone(), note.commit.clone()]);
        let entry = known.entry(key).or_insert_with(|| (state, note.clone()));
        if state as u8 >= entry.0 as u8 {
            *entry = (state, note);
        }
    }
    known.into_values().filter(|(state, _)| *state != State::Reported).map(|(_, note)| note).collect()
}

/// The lines that come to these pushes.
fn lines(notes: Vec<PushNote>) -> Vec<u8> {
    let mut lines = Vec::new();
    for note in notes {
        let state = if note.outcome.is_some() { State::Ended } else { State::Begun };
        add_line(&mut lines, &Line { state, note });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    fn note(commit: &str, second: i64) -> PushNote {
        PushNote {
            plan: "7f3c9a01b2c4".into(),
            remote: "https://git.example.com/fleet".into(),
            branch: "main".into(),
            commit: commit.into(),
            time: Timestamp::from_second(second).unwrap(),
            outcome: None,
        }
    }

    #[test]
    fn a_push_is_remembered_until_somebody_has_seen_how_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let mut note = note("8d2e91b", 0);
        drop(Store::open(&dirs).pushes().begin(&note));
        assert_eq!(Store::open(&dirs).pushes().unreported(), [note.clone()]);
        note.outcome = Some(Err("declined".into()));
        Store::open(&dirs).pushes().end(&note);
        let store = Store::open(&dirs);
        assert_eq!(store.pushes().unreported(), [note.clone()]);
        store.pushes().seen();
        assert_eq!(store.pushes().unreported(), [note.clone()], "it was another process's");
        store.pushes().reported(&note);
        assert!(store.pushes().unreported().is_empty());
        store.pushes().end(&note);
        let again = PushNote { time: Timestamp::from_second(9).unwrap(), ..note };
        store.pushes().end(&again);
        assert_eq!(store.pushes().unreported(), [again]);
        store.pushes().seen();
        assert!(store.pushes().unreported().is_empty());
    }

    #[test]
    fn a_push_under_way_is_left_to_who_pushes() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Store::open(&Dirs::below(dir.path())), Store::open(&Dirs::below(dir.path())));
        let (first, second) = (one.pushes().begin(&note("a", 1)), two.pushes().begin(&note("b", 2)));
        assert!(two.pushes().unreported().is_empty());
        drop(first);
        assert!(one.pushes().unreported().is_empty(), "the second is under way still");
        drop(second);
        assert_eq!(one.pushes().unreported(), [note("a", 1), note("b", 2)]);
    }

    #[test]
    fn what_one_instance_reports_takes_nothing_from_another() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        std::thread::scope(|scope| {
            for who in 0..3_i64 {
                let dirs = &dirs;
                scope.spawn(move || {
                    let store = Store::open(dirs);
                    drop(store.pushes().begin(&note("kept", who)));
                    for n in 0..40 {
                        let mut note = note(&format!("{who}"), 10 + n);
                        let under_way = store.pushes().begin(&note);
                        note.outcome = Some(Ok("landed".into()));
                        store.pushes().end(&note);
                        store.pushes().reported(&note);
                        drop(under_way);
                    }
                });
            }
        });
        let store = Store::open(&dirs);
        assert_eq!(store.pushes().unreported(), [note("kept", 0), note("kept", 1), note("kept", 2)]);
        let lines = store.pushes().shelf.read_lines(FILE);
        assert!(read_lines::<IgnoredAny>(&lines).count() <= LONG + 3, "it was never shortened");
    }

    #[test]
    fn a_line_that_comes_late_begins_nothing_again() {
        let mut ended = note("a", 1);
        ended.outcome = Some(Ok("landed".into()));
        let line = |state, note: &PushNote| {
            let mut line = Vec::new();
            add_line(&mut line, &Line { state, note: note.clone() });
            line
        };
        let begun = line(State::Begun, &note("a", 1));
        let late = [begun.clone(), line(State::Ended, &ended), begun.clone()].concat();
        assert_eq!(open(&late), [ended.clone()]);
        assert_eq!(open(&[late, line(State::Reported, &ended), begun].concat()), []);
    }
}
