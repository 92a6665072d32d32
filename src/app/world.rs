//! What the engine has told so far: objects, tags, verdicts.

mod facts;
mod glance;
mod live;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use facts::{Fact, Facts, Told};
pub use glance::{Glanced, Glances, Glimpse, Sightings};
pub use live::{Around, Live};

use super::effect::{JobId, Reach};
use super::moment::Moment;
use crate::domain::object::ObjectId;
use crate::domain::policy::{Evaluation, Evaluator};
use crate::domain::proposal::Reference;
use crate::domain::scan::Scan as Found;
use crate::domain::tags::TagList;
use crate::problem::Problem;

/// How far the start has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nothing was read yet.
    #[default]
    Loading,
    /// Objects are there.
    Ready,
    /// There are no objects anywhere; what was tried, line by line.
    Nothing(Vec<String>),
    /// Reading ended in an error.
    Failed(Problem),
}

/// How far the list of updates has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Compared {
    /// Nothing was compared yet.
    #[default]
    Never,
    /// Something was, while the first scans are still under way.
    Partly,
    /// All that the first scans found was.
    Fully,
}

/// What is known of one repository's tags.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scan {
    /// What the last scan that succeeded found, or the cache had.
    pub found: Option<Found>,
    /// The scan under way.
    pub running: Option<Running>,
    /// Why the last scan failed; the tags before it are kept.
    pub error: Option<Problem>,
    /// When the next scan is, if the server had asked for a pause.
    pub retry: Option<Timestamp>,
    /// When the next scan begins by itself.
    pub due: Option<Moment>,
}

/// A scan under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Whose answer ends it.
    pub job: JobId,
    /// When it began.
    pub since: Moment,
    /// Tags so far.
    pub seen: usize,
    /// Tags that there were last time; what a percentage is of.
    pub expected: Option<usize>,
    /// Where the digests of its policies may come from, once its tags are known.
    pub digests: Reach,
}

impl Running {
    /// How much is done, in percent, where that can be told; never 100 before the end.
    pub fn percent(&self) -> Option<usize> {
        let expected = self.expected.filter(|expected| *expected > 0)?;
        Some((self.seen * 100 / expected).min(99))
    }
}

/// One policy against the newest tags of its repository.
#[derive(Debug)]
pub struct Verdict {
    /// The tags it was evaluated on.
    pub tags: Arc<TagList>,
    /// The compiled policy: rows and explanations come from it.
    pub evaluator: Arc<Evaluator>,
    /// The result.
    pub evaluation: Arc<Evaluation>,
    /// All indices of `tags` in the order of S3: selected, candidates from best to worst, the others.
    pub order: Vec<u32>,
    /// What it selects.
    pub reference: Option<Reference>,
    /// Why it selects nothing.
    pub problem: Option<Problem>,
    /// How long evaluation took.
    pub took: Duration,
    /// When the registry is to be asked again which digest the selected tag has.
    pub ask_again: Option<Timestamp>,
}

/// What rows go on to show while they are kept from changing.
#[derive(Debug, Clone, Default)]
pub struct Still {
    /// The tags that were known of each repository.
    pub found: BTreeMap<ObjectId, Found>,
    /// What each policy selected.
    pub verdicts: BTreeMap<ObjectId, Arc<Verdict>>,
}

/// How far the scans are, in total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanTotals {
    /// Repositories that are to be scanned.
    pub total: usize,
    /// Those that have tags and no scan under way.
    pub done: usize,
    /// Scans under way.
    pub running: usize,
    /// Repositories whose last scan failed.
    pub failed: usize,
    /// When the newest of the tags were listed.
    pub newest: Option<Timestamp>,
    /// Tags of the running scans so far.
    pub seen: usize,
    /// Tags that the running scans are expected to bring.
    pub expected: usize,
}

/// What is deployed and what exists, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Scans(BTreeMap<ObjectId, Scan>);

impl Scans {
    /// What is known of `repository`.
    pub fn get(&self, repository: &ObjectId) -> Option<&Scan> {
        self.0.get(repository)
    }

    /// The entry of `repository`, made if there is none.
    pub fn entry(&mut self, repository: &ObjectId) -> &mut Scan {
        self.0.entry(repository.clone()).or_default()
    }

    /// Keeps only repositories that still exist.
    pub fn retain(&mut self, exists: impl Fn(&ObjectId) -> bool) {
        self.0.retain(|id, _| exists(id));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectId, &Scan)> {
        self.0.iter()
    }

    /// All of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&ObjectId, &mut Scan)> {
        self.0.iter_mut()
    }
}
