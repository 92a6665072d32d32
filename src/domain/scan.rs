//! What a scan of one repository found, and what is remembered of the one before.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

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
}
