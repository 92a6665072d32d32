//! The audit log: a line of JSON for everything that was done, one file a day.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::{add_line, read_lines};
use super::shelf::Shelf;
pub use crate::domain::event::Event;

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
///
/// It is bounded: a day's file that grows beyond 8 MiB loses its older scans and fetches, and nothing else; files are
/// kept for 400 days, and 256 MiB of them.
#[derive(Debug)]
pub struct Audit {
    shelf: Shelf,
    /// How large the file of the day was after it was last thinned; more than it is worth to look at again.
    thinned: AtomicU64,
    /// Whether this process has removed the files that are too old.
    swept: AtomicBool,
}

/// A day's file that is larger than this, in bytes, is thinned.
const LONG: u64 = 8 << 20;

/// So many bytes of scans and fetches stay in a file that is thinned.
const KEPT: usize = 2 << 20;

/// Files are kept for so many days.
const DAYS: i64 = 400;

/// All files together take so many bytes at most.
const TOTAL: u64 = 256 << 20;

/// What is read of the log next, while others write to it.
#[derive(Debug)]
pub struct Follower {
    /// The file that was read last, and up to where.
    name: String,
    read: u64,
    /// What the file is, to see that it was replaced.
    inode: u64,
    /// The events of the last second that was seen, which are not told twice.
    told: Vec<Event>,
}

impl Audit {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf, thinned: AtomicU64::new(0), swept: AtomicBool::new(false) }
    }

    /// Where the files of the days are; `None` where they are kept in memory.
    pub fn folder(&self) -> Option<PathBuf> {
        self.shelf.path("")
    }

    /// Adds events to the files of their days in UTC, their times in whole seconds; returns when they are on the disk, unless
    /// nothing was changed by any.
    pub fn append(&self, events: &[Event]) {
        let lasts = events.iter().any(|event| !is_reading(&event.event));
        let mut days: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for event in events {
            let time = Timestamp::from_second(event.time.as_second()).unwrap_or(event.time);
            let event = Event { time, ..event.clone() };
            let document = Document { api_version: "supercargo/v1".into(), kind: "Event".into(), event };
            add_line(days.entry(day(time)).or_default(), &document);
        }
        for (day, lines) in &days {
            if lasts {
                self.shelf.append(day, lines);
            } else {
                self.shelf.add(day, lines);
            }
            self.bound(day);
        }
    }

    /// Keeps the log from growing for ever.
    fn bound(&self, name: &str) {
        let size = self.size(name);
        if size > LONG.max(2 * self.thinned.load(Ordering::Relaxed)) {
            self.shelf.shorten(name, thin);
            self.thinned.store(self.size(name), Ordering::Relaxed);
        }
        if !self.swept.swap(true, Ordering::Relaxed) {
            self.sweep(name);
        }
    }

    fn size(&self, name: &str) -> u64 {
        let meta = self.shelf.path(name).and_then(|path| std::fs::metadata(path).ok());
        meta.map_or(0, |meta| meta.len())
    }

    /// Removes the files that are too old as of the day of `today`, and the oldest of what is too much.
    fn sweep(&self, today: &str) {
        let Some(oldest) = oldest(today) else { return };
        let mut total = 0;
        let mut names = self.shelf.names();
        names.retain(|name| is_day(name));
        for name in names.iter().rev() {
            total += self.size(name);
            if name != today && (*name < oldest || total > TOTAL) {
                // What cannot be removed is tried again by the next process.
                let _ = self.shelf.remove(name);
            }
        }
    }

    /// Follows the log from its end on.
    pub fn follow(&self, now: Timestamp) -> Follower {
        let name = day(now);
        let told = self.since(Timestamp::from_second(now.as_second()).unwrap_or(now));
        Follower { read: self.size(&name), inode: self.inode(&name), name, told }
    }

    /// What was written since the last call, as of `now`.
    pub fn next(&self, follower: &mut Follower, now: Timestamp) -> Vec<Event> {
        let mut events = self.rest(follower);
        let today = day(now);
        if today != follower.name {
            (follower.name, follower.read, follower.inode) = (today, 0, 0);
            events.extend(self.rest(follower));
        }
        if let Some(last) = events.iter().map(|event| event.time).max() {
            follower.told.retain(|event| event.time == last);
            follower.told.extend(events.iter().filter(|event| event.time == last).cloned());
        }
        events
    }

    /// The whole lines of the follower's file that it has not read.
    fn rest(&self, follower: &mut Follower) -> Vec<Event> {
        let inode = self.inode(&follower.name);
        let replaced = inode != follower.inode && follower.read > 0;
        if replaced {
            follower.read = 0;
        }
        follower.inode = inode;
        let new = self.shelf.read_lines_from(&follower.name, follower.read);
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        follower.read += whole as u64;
        let lines = read_lines::<Document>(new.get(..whole).unwrap_or_default()).map(|line| line.event);
        // In a file that was replaced, only the time tells what is new.
        let last = follower.told.iter().map(|event| event.time).max();
        let is_new = |event: &Event| {
            !replaced || (last.is_none_or(|last| event.time >= last) && !follower.told.contains(event))
        };
        lines.filter(is_new).collect()
    }

    fn inode(&self, name: &str) -> u64 {
        let meta = self.shelf.path(name).and_then(|path| std::fs::metadata(path).ok());
        meta.map_or(0, |meta| meta.ino())
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

/// Whether an event changed nothing anywhere: what is lost of such with the computer is no loss.
fn is_reading(event: &str) -> bool {
    matches!(event, "scan" | "fetch")
}

/// The lines of a day's file without its older scans and fetches.
fn thin(file: &[u8]) -> Vec<u8> {
    let is_activity = |line: &[u8]| {
        let event = serde_json::from_slice::<Document>(line).ok().map(|line| line.event.event);
        event.is_none_or(|event| is_reading(&event))
    };
    let mut room = KEPT;
    let mut kept: Vec<&[u8]> = Vec::new();
    for line in file.split_inclusive(|byte| *byte == b'\n').rev() {
        if is_activity(line) {
            if line.len() > room {
                // Nothing older of its kind either: what is left has no gaps.
                room = 0;
                continue;
            }
            room -= line.len();
        }
        kept.push(line);
    }
    kept.reverse();
    kept.concat()
}

/// The name of the oldest file that is kept on the day whose file is `today`.
fn oldest(today: &str) -> Option<String> {
    let date: jiff::civil::Date = today.strip_suffix(".jsonl")?.parse().ok()?;
    let oldest = date.checked_sub(jiff::Span::new().days(DAYS)).ok()?;
    Some(format!("{oldest}.jsonl"))
}

fn day(time: Timestamp) -> String {
    format!("{}.jsonl", time.strftime("%Y-%m-%d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    fn event(kind: &str, time: &str, detail: &str) -> Event {
        Event {
            time: time.parse().unwrap(),
            event: kind.into(),
            subject: "flux-system/apps".into(),
            detail: detail.into(),
            result: "ok".into(),
            mode: "write".into(),
            plan: None,
            user: "rita".into(),
            host: "bastion".into(),
        }
    }

    #[test]
    fn a_follower_is_told_each_event_once_across_midnight_and_a_file_that_was_thinned() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let (one, two) = (Store::open(&dirs), Store::open(&dirs));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let told = |follower: &mut Follower, now: &str| -> Vec<String> {
            one.audit().next(follower, at(now)).into_iter().map(|event| event.detail).collect()
        };
        two.audit().append(&[event("decide", "2026-03-01T23:59:50Z", "before")]);
        let mut follower = one.audit().follow(at("2026-03-01T23:59:50Z"));
        assert_eq!(told(&mut follower, "2026-03-01T23:59:51Z"), Vec::<String>::new());
        two.audit().append(&[
            event("decide", "2026-03-01T23:59:51Z", "a"),
            event("scan", "2026-03-01T23:59:51Z", "b"),
        ]);
        assert_eq!(told(&mut follower, "2026-03-01T23:59:52Z"), ["a", "b"]);
        two.audit().shelf.shorten("2026-03-01.jsonl", <[u8]>::to_vec);
        two.audit().append(&[event("decide", "2026-03-01T23:59:52Z", "c")]);
        assert_eq!(told(&mut follower, "2026-03-01T23:59:53Z"), ["c"]);
        two.audit().append(&[event("decide", "2026-03-01T23:59:59Z", "d")]);
        two.audit().append(&[event("decide", "2026-03-02T00:00:00Z", "e")]);
        assert_eq!(told(&mut follower, "2026-03-02T00:00:01Z"), ["d", "e"]);
        assert_eq!(told(&mut follower, "2026-03-02T00:00:02Z"), Vec::<String>::new());
    }

    /// How many bytes this thread has read so far.
    fn bytes_read() -> u64 {
        let told = std::fs::read_to_string("/proc/thread-self/io").unwrap();
        told.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
    }

    #[test]
    fn a_look_at_a_long_day_reads_what_is_new_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let day = |detail: &str| event("decide", "2026-03-01T10:00:00Z", detail);
        store.audit().append(&vec![day(&"x".repeat(4000)); 500]);
        let mut follower = store.audit().follow("2026-03-01T10:00:01Z".parse().unwrap());
        for detail in ["a", "b"] {
            store.audit().append(&[day(detail)]);
            let before = bytes_read();
            let told = store.audit().next(&mut follower, "2026-03-01T10:00:02Z".parse().unwrap());
            assert_eq!(told, [day(detail)]);
            let read = bytes_read() - before;
            assert!(read < 10_000, "{read} bytes for one line");
        }
    }

    #[test]
    fn a_day_of_many_scans_stays_small_and_loses_no_decision() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        let scan = event("scan", "2026-03-01T10:00:00Z", &"x".repeat(4000));
        for n in 0..5 {
            store.audit().append(&[event("decide", "2026-03-01T10:00:00Z", &format!("{n}"))]);
            store.audit().append(&vec![scan.clone(); 1000]);
        }
        let size = std::fs::metadata(dir.path().join("state/log/2026-03-01.jsonl")).unwrap().len();
        assert!(size < LONG + 4100 * 1000, "{size}");
        let events = store.audit().since("2026-03-01T00:00:00Z".parse().unwrap());
        let decided: Vec<&str> = events
            .iter()
            .filter(|event| event.event == "decide")
            .map(|event| event.detail.as_str())
            .collect();
        assert_eq!(decided, ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn files_older_than_four_hundred_days_go() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        for time in ["2025-01-24T00:00:00Z", "2025-01-25T00:00:00Z", "2026-02-28T00:00:00Z"] {
            Store::open(&dirs).audit().append(&[event("push", time, "x")]);
        }
        Store::open(&dirs).audit().append(&[event("push", "2026-03-01T00:00:00Z", "x")]);
        let mut names = Store::open(&dirs).audit().shelf.names();
        names.retain(|name| is_day(name));
        assert_eq!(names, ["2025-01-25.jsonl", "2026-02-28.jsonl", "2026-03-01.jsonl"]);
    }

    #[test]
    fn events_are_kept_by_day_and_found_by_time() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let event = |time: &str| event("push", time, "pushed 8d2e91b to main");
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
