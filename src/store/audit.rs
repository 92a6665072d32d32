//! The audit log: a line of JSON for everything that was done, one file a day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::{add_line, read_lines};
use super::shelf::Shelf;

/// One thing that was done. Its texts must hold no secret; whoever builds it sees to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What: `scan`, `decide`, `hold`, `fetch`, `push`, `request` or `object`.
    pub event: String,
    /// What it was done to.
    pub subject: String,
    /// In a sentence.
    pub detail: String,
    /// `ok`, `warn` or `error`.
    pub result: String,
    /// The mode it was done in.
    pub mode: String,
    /// The plan's id, where there is one.
    pub plan: Option<String>,
    /// Who did it.
    pub user: String,
    /// On which machine.
    pub host: String,
}

/// An event as it is written and printed.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    #[serde(flatten)]
    event: Event,
}

/// The log.
#[derive(Debug)]
pub struct Audit {
    shelf: Shelf,
}

impl Audit {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// Adds events to the files of their days in UTC, their times in whole seconds.
    pub fn append(&self, events: &[Event]) {
        let mut days: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for event in events {
            let time = Timestamp::from_second(event.time.as_second()).unwrap_or(event.time);
            let event = Event { time, ..event.clone() };
            let document = Document { api_version: "supercargo/v1".into(), kind: "Event".into(), event };
            add_line(days.entry(day(time)).or_default(), &document);
        }
        for (day, lines) in &days {
            self.shelf.append(day, lines);
        }
    }

    /// The events from `since` on, oldest first; lines that make no sense are passed over.
    pub fn since(&self, since: Timestamp) -> Vec<Event> {
        let first = day(since);
        let mut events = Vec::new();
        for name in self.shelf.names().iter().filter(|name| is_day(name) && **name >= first) {
            let file = self.shelf.read_lines(name);
            events.extend(
                read_lines::<Document>(&file).map(|line| line.event).filter(|event| event.time >= since),
            );
        }
        events.sort_by_key(|event| event.time);
        events
    }
}

/// Whether a file is one of ours: a day's, and not what an editor left.
fn is_day(name: &str) -> bool {
    name.strip_suffix(".jsonl").is_some_and(|day| day.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

fn day(time: Timestamp) -> String {
    format!("{}.jsonl", time.strftime("%Y-%m-%d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    #[test]
    fn events_are_kept_by_day_and_found_by_time() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let event = |time: &str| Event {
            time: time.parse().unwrap(),
            event: "push".into(),
            subject: "flux-system/apps".into(),
            detail: "pushed 8d2e91b to main".into(),
            result: "ok".into(),
            mode: "write".into(),
            plan: None,
            user: "rita".into(),
            host: "bastion".into(),
        };
        let times = ["2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z", "2026-03-03T12:00:00Z"];
        for time in times {
            Store::open(&dirs).audit().append(&[event(&time.replace('Z', ".987654321Z"))]);
        }
        let file = dir.path().join("state/log/2026-03-02.jsonl");
        let line = std::fs::read_to_string(file).unwrap();
        assert!(line.starts_with(
            r#"{"apiVersion":"supercargo/v1","kind":"Event","time":"2026-03-02T00:00:00Z","event":"push""#
        ));
        assert!(line.contains(r#""plan":null"#));
        let since = Store::open(&dirs).audit().since("2026-03-02T00:00:00Z".parse().unwrap());
        assert_eq!(since, [event(times[1]), event(times[2])]);
    }
}
