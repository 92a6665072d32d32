//! S10: what was written down of who did what.

use crate::app::effect::JobId;
use crate::app::keymap::Key;
use crate::app::list::List;
use crate::domain::event::Event;

/// More entries than this are not shown; all of them are in the files.
const MOST: usize = 5_000;

/// The newest entries of the log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    events: Vec<Event>,
    /// The number of the first of them; numbers are the list's keys.
    first: u64,
    /// Rows, by number.
    pub list: List<u64>,
    /// Who reads the log for us, while the view is in front.
    pub job: Option<JobId>,
    /// Where the files of the log are.
    pub folder: Option<String>,
    /// What was typed before the first entries were there; `None`: they are.
    pub waiting: Option<Vec<Key>>,
}

impl Log {
    /// All entries with their numbers, the oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (u64, &Event)> {
        (self.first..).zip(&self.events).collect::<Vec<_>>().into_iter()
    }

    /// The entry of this number.
    pub fn get(&self, id: u64) -> Option<&Event> {
        self.events.get(usize::try_from(id.checked_sub(self.first)?).ok()?)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Takes in what was written since; the oldest make way.
    pub fn add(&mut self, events: Vec<Event>) {
        self.events.extend(events);
        let over = self.events.len().saturating_sub(MOST);
        self.events.drain(..over);
        self.first += over as u64;
    }

    /// Forgets all entries, because they are read anew; their numbers do not come again.
    pub fn clear(&mut self) {
        self.first += self.events.len() as u64;
        self.events.clear();
    }
}
