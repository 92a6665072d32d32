//! What was said: the status line's one message, and the problems that S11 keeps.

use jiff::Timestamp;

use super::State;
use crate::app::list::List;
use crate::app::moment::Moment;
use crate::domain::object::ObjectId;
use crate::problem::Problem;

/// How much a message matters, and so how long it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// 4 seconds.
    Info,
    /// 8 seconds.
    Warning,
    /// 8 seconds, in a field until a key; news of what happens meanwhile waits: why what a key asked for is not done.
    Refusal,
    /// Until a key: good news of what nobody was there to see.
    News,
    /// Until a key; kept in S11.
    Error,
}

/// The message of the status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub text: String,
    since: Moment,
}

impl Status {
    /// A message that is said now.
    pub fn new(level: Level, text: impl Into<String>, now: Moment) -> Self {
        Self { level, text: text.into(), since: now }
    }

    fn ends(&self) -> Option<Moment> {
        match self.level {
            Level::Info => Some(self.since.plus(4_000)),
            Level::Warning | Level::Refusal => Some(self.since.plus(8_000)),
            Level::News | Level::Error => None,
        }
    }
}

impl State {
    /// Says to somebody who was never here where to begin.
    pub fn welcome(&mut self) {
        self.tell(Level::Info, "New here? ? help, :demo practice data");
    }

    /// Keeps what is wrong with the settings and stops nothing, and says it.
    pub fn remark(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            let (text, what) = (problem.to_string(), problem.subject.clone());
            if self.errors.add(self.now, &what, problem, None) {
                self.tell(Level::Warning, format!("{text}   ! shows more"));
            }
        }
    }

    /// Says something in the status line, unless what stands there matters more and is still to be read.
    pub fn tell(&mut self, level: Level, text: impl Into<String>) {
        let waits = |said: &Status| said.level >= Level::Refusal && said.level > level;
        if !self.status.as_ref().is_some_and(waits) {
            self.status = Some(Status::new(level, text, self.at));
        }
    }

    /// When the message of the status line clears by itself. Under a field no refusal does: eyes are on what is typed.
    pub fn status_ends(&self) -> Option<Moment> {
        let status = self.status.as_ref()?;
        let stays = status.level == Level::Refusal && self.context().is_input();
        status.ends().filter(|_| !stays)
    }

    /// A person pressed or clicked something: what was to stay until then has been read.
    pub(in crate::app) fn heard(&mut self) {
        self.last_key = Some(self.at);
        if self.status_ends().is_none() {
            self.status = None;
        }
    }
}

/// One problem of S11.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorEntry {
    /// Its number; the list's key.
    pub id: u64,
    /// When it last happened.
    pub time: Timestamp,
    /// What was being done, such as `edge/legacy scan`.
    pub what: String,
    /// What happened.
    pub problem: Problem,
    /// How often.
    pub count: usize,
    /// The repository that `r` scans again.
    pub retry: Option<ObjectId>,
}

impl ErrorEntry {
    /// The end of `what` where an automation's files could not be read; its name stands before it.
    pub const CHECKOUT: &str = "checkout";
    /// The `what` of objects that could not be read at all.
    pub const LOAD: &str = "load";
    /// The end of `what` where images want nothing but a marker. That may be meant so: it is a note and no problem.
    pub const UNMARKED: &str = "unmarked images";

    /// Whether nothing is wrong, and something may be worth a look.
    pub fn is_note(&self) -> bool {
        self.what.ends_with(Self::UNMARKED)
    }
}

/// S11: problems, the newest first, repeats folded; notes below them.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    entries: Vec<ErrorEntry>,
    next: u64,
    /// Rows, by [`ErrorEntry::id`].
    pub list: List<u64>,
}

impl Errors {
    /// All problems, the newest first, and the notes below them.
    pub fn entries(&self) -> &[ErrorEntry] {
        &self.entries
    }

    /// The entry called `id`.
    pub fn get(&self, id: u64) -> Option<&ErrorEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// What kept this automation from reading its files.
    pub fn of_checkout(&self, automation: &ObjectId) -> Option<&Problem> {
        let what = format!("{automation} {}", ErrorEntry::CHECKOUT);
        let fatal = |entry: &&ErrorEntry| entry.what == what && entry.problem.exit() != 0;
        self.entries.iter().find(fatal).map(|entry| &entry.problem)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them are notes.
    pub fn notes(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_note()).count()
    }

    /// How many different problems there are.
    pub fn problems(&self) -> usize {
        self.len() - self.notes()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes in a problem. Says whether it is a new one.
    ///
    /// Of what can be asked again the last answer counts: its earlier failures, whatever address of the same server they
    /// name, are repeats.
    pub fn add(&mut self, time: Timestamp, what: &str, problem: Problem, retry: Option<ObjectId>) -> bool {
        let is_answer = |entry: &ErrorEntry| retry.is_some() && entry.retry == retry;
        let same = |entry: &ErrorEntry| {
            entry.what == what && (is_answer(entry) || entry.problem.is_repeated_by(&problem))
        };
        let known = self.entries.iter().position(same);
        let (mut entry, is_new) = if let Some(index) = known {
            let known = self.entries.remove(index);
            let is_new = known.problem.code != problem.code;
            (ErrorEntry { problem, ..known }, is_new)
        } else {
            self.next += 1;
            let what = what.to_owned();
            (ErrorEntry { id: self.next, time, what, problem, count: 0, retry }, true)
        };
        entry.count += 1;
        entry.time = time;
        let at = if entry.is_note() { self.entries.len() } else { 0 };
        self.entries.insert(at, entry);
        self.refresh();
        is_new
    }

    /// Takes every problem of `what` off: it works again.
    pub fn resolve(&mut self, what: &str) {
        self.retain(|entry| entry.what != what);
    }

    /// Keeps only the entries that `keep` admits.
    pub fn retain(&mut self, keep: impl Fn(&ErrorEntry) -> bool) {
        let before = self.entries.len();
        self.entries.retain(keep);
        if before != self.entries.len() {
            self.refresh();
        }
    }

    /// Takes the entry called `id` off.
    pub fn remove(&mut self, id: u64) {
        self.entries.retain(|entry| entry.id != id);
        self.refresh();
    }

    fn refresh(&mut self) {
        self.list.set_rows(self.entries.iter().map(|entry| entry.id).collect());
    }
}
