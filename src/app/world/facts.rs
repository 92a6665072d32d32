//! What stands behind the tags that were looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::effect::JobId;
use crate::domain::age::Clocks;
use crate::domain::compare;
use crate::domain::forge::ForgeKind;
use crate::domain::metadata::Described;
use crate::domain::object::ObjectId;

/// Why nothing is known of a tag is believed for so many seconds, and what is known for as long.
const BELIEVED: i64 = 60;

/// An answer about a tag.
#[derive(Debug, Clone)]
pub struct Told {
    /// The tag.
    pub tag: String,
    /// What stands behind it; `None`: nothing is known, and nobody may be asked. Or why it could not be told.
    pub described: Result<Option<Described>, String>,
    /// How old it is.
    pub clocks: Clocks,
    /// All tags of the repository that are known to have stood for something else before.
    pub moved: Vec<String>,
}

/// What was told of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What stands behind it; `None`: nothing is known, and nobody may be asked. Or why it could not be told.
    pub told: Result<Option<Described>, String>,
    /// How old it is.
    pub clocks: Clocks,
    /// When that was told.
    at: Timestamp,
}

/// A tag of a repository.
type Place = (ObjectId, String);

/// All that was told, and what is being asked.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What the configuration says runs each Git host.
    pub forges: BTreeMap<String, ForgeKind>,
    known: BTreeMap<Place, Fact>,
    /// Tags that stood for something else before.
    moved: BTreeMap<ObjectId, BTreeSet<String>>,
    /// The question under way, and what it is about.
    asking: Option<(JobId, ObjectId, Vec<String>)>,
}

impl Facts {
    /// What was told of `tag`.
    pub fn get(&self, repository: &ObjectId, tag: &str) -> Option<&Fact> {
        self.known.get(&(repository.clone(), tag.to_owned()))
    }

    /// What stands behind `tag`, if that is known.
    pub fn described(&self, repository: &ObjectId, tag: &str) -> Option<&Described> {
        self.get(repository, tag)?.told.as_ref().ok()?.as_ref()
    }

    /// The link to what changed from `current` to `tag`, where both are known to be built from one source.
    pub fn compare(&self, repository: &ObjectId, current: Option<&str>, tag: &str) -> Option<String> {
        let labels = |tag: &str| self.described(repository, tag).map(|described| &described.metadata.labels);
        compare::link(labels(current?)?, labels(tag)?, &self.forges)
    }

    /// Whether `tag` stood for something else before.
    pub fn is_moved(&self, repository: &ObjectId, tag: &str) -> bool {
        self.moved.get(repository).is_some_and(|moved| moved.contains(tag))
    }

    /// Whether nothing was told of `tag` yet, or so long ago that it is asked about again.
    pub fn is_due(&self, repository: &ObjectId, tag: &str, now: Timestamp) -> bool {
        let age = self.get(repository, tag).map(|fact| now.as_second() - fact.at.as_second());
        age.is_none_or(|age| !(0..BELIEVED).contains(&age))
    }

    /// Whether `tag` is being asked about, with what it is compared with.
    pub fn is_asking(&self, repository: &ObjectId, tag: &str) -> bool {
        let asking = self.asking.as_ref();
        asking
            .is_some_and(|(_, of, asked)| of == repository && asked.first().is_some_and(|first| first == tag))
    }

    /// Notes what is asked about from now on; returns the question that this supersedes.
    pub fn ask(&mut self, question: Option<(JobId, ObjectId, Vec<String>)>) -> Option<JobId> {
        std::mem::replace(&mut self.asking, question).map(|(job, ..)| job)
    }

    /// Takes in an answer, unless nobody asks for it any more.
    pub fn answer(&mut self, job: JobId, repository: &ObjectId, told: Told, now: Timestamp) {
        if self.asking.as_ref().is_none_or(|(asked, ..)| *asked != job) {
            return;
        }
        let is_last = self.asking.as_ref().is_some_and(|(.., tags)| tags.last() == Some(&told.tag));
        if is_last {
            self.asking = None;
        }
        let fact = Fact { told: told.described, clocks: told.clocks, at: now };
        self.known.insert((repository.clone(), told.tag), fact);
        self.moved(repository, told.moved);
    }

    /// Forgets what was told of tags that have moved.
    pub fn forget(&mut self, repository: &ObjectId, tags: &[String]) {
        for tag in tags {
            self.known.remove(&(repository.clone(), tag.clone()));
        }
    }

    /// Takes in which tags of `repository` stood for something else before: all that are known.
    pub fn moved(&mut self, repository: &ObjectId, tags: Vec<String>) {
        self.moved.insert(repository.clone(), tags.into_iter().collect());
    }
}
