//! What a scan of one repository found, what is written down of it, and when the next is due.

mod due;
mod revision;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use due::{ScanDue, ScanDueError, ScanQuestion, should_scan};
pub use revision::{latest_tags, revision};

use super::duration::GoDuration;
use super::tags::TagList;

/// The tags of one repository, as of some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// As the registry listed them, before exclusion.
    pub tags: Arc<TagList>,
    /// When the listing was complete.
    pub scanned: Timestamp,
    /// Tags that the scan before did not have, in descending byte order; empty after a first scan.
    pub new: Arc<TagList>,
    /// How the listing went; `None` when it comes from the cache.
    pub transfer: Option<Transfer>,
}

/// How a listing went.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// Pages of the list.
    pub pages: usize,
    /// Requests in all, logging in included.
    pub requests: usize,
    /// Bytes of answers.
    pub bytes: u64,
    /// From the first request to the last byte.
    pub wall: Duration,
    /// The label of the credential that served, such as `anonymous`.
    pub credential: String,
    /// What the registry said is left of the requests that it allows, if it did.
    pub budget: Option<Budget>,
}

/// How many requests a registry says it will still answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Those that are left.
    pub remaining: u64,
    /// All of one window.
    pub limit: Option<u64>,
    /// How long a window is.
    pub window: Option<Duration>,
}

impl Budget {
    /// Such as `76 of 100 requests left (per 6h0m0s)`.
    pub fn text(&self) -> String {
        let of = self.limit.map_or_else(String::new, |limit| format!(" of {limit}"));
        let window = self.window.map_or_else(String::new, |window| format!(" (per {})", GoDuration(window)));
        format!("{}{of} requests left{window}", self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_says_as_much_as_is_known_of_it() {
        let budget = Budget { remaining: 76, limit: Some(100), window: Some(Duration::from_hours(6)) };
        assert_eq!(budget.text(), "76 of 100 requests left (per 6h0m0s)");
        assert_eq!(Budget { remaining: 3, limit: None, window: None }.text(), "3 requests left");
    }
}
