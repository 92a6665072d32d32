//! What the rows of S3 show beside the tag: when it was first seen, its digest, when it was built.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::effect::JobId;
use crate::domain::metadata::Described;
use crate::domain::tags::TagList;

/// What a glance told is believed for so many seconds.
const BELIEVED: i64 = 600;

/// When each tag of a list was first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sightings {
    tags: Arc<TagList>,
    /// Seconds since 1970 by the index of the tag, or [`NEVER`].
    seconds: Vec<i64>,
}

/// Stands for a tag that no scan has noted.
const NEVER: i64 = i64::MIN;

impl Sightings {
    /// What `first_seen` says of each of `tags`.
    pub fn of(tags: Arc<TagList>, first_seen: impl Fn(&str) -> Option<Timestamp>) -> Self {
        let seconds = tags.iter().map(|tag| first_seen(tag).map_or(NEVER, Timestamp::as_second)).collect();
        Self { tags, seconds }
    }

    /// Whether they are those of exactly this list.
    pub fn are_of(&self, tags: &Arc<TagList>) -> bool {
        Arc::ptr_eq(&self.tags, tags)
    }

    /// When `tag` was first seen; `None`: it is not in the list, or nobody noted it.
    pub fn get(&self, tag: &str) -> Option<Timestamp> {
        self.at(self.tags.position(tag)?)
    }

    /// When the tag at `index` of `tags` was first seen; at once if these are the tags that they are of.
    pub fn of_row(&self, tags: &Arc<TagList>, index: usize) -> Option<Timestamp> {
        if self.are_of(tags) { self.at(index) } else { self.get(tags.get(index)?) }
    }

    fn at(&self, index: usize) -> Option<Timestamp> {
        let seconds = *self.seconds.get(index)?;
        (seconds != NEVER).then(|| Timestamp::from_second(seconds).ok()).flatten()
    }
}

/// What a row tells of the image behind its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glimpse {
    /// Its digest.
    pub digest: String,
    /// When it was built, as the build says.
    pub created: Option<Timestamp>,
    /// Whether the tag stood for something else before.
    pub is_moved: bool,
}

impl Glimpse {
    /// As much of `described` as a row shows.
    pub fn of(described: &Described) -> Self {
        Self {
            digest: described.metadata.digest.clone(),
            created: described.metadata.created,
            is_moved: described.moved.is_some(),
        }
    }
}

/// What a glance at one tag brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glanced {
    /// The tag.
    pub tag: String,
    /// What is known of it.
    pub glimpse: Option<Glimpse>,
    /// Whether that is all there will be; else the registry is being asked.
    pub is_settled: bool,
}

/// What rows of one repository tell, and what is being asked.
#[derive(Debug, Clone, Default)]
pub struct Glances {
    known: BTreeMap<String, Known>,
    /// The question under way, and the tags it is about that were not answered for.
    asking: Option<(JobId, Vec<String>)>,
}

#[derive(Debug, Clone)]
struct Known {
    glimpse: Option<Glimpse>,
    /// When it was settled; `None`: it is what the disk had.
    at: Option<Timestamp>,
}

impl Glances {
    /// What is known of `tag`.
    pub fn get(&self, tag: &str) -> Option<&Glimpse> {
        self.known.get(tag)?.glimpse.as_ref()
    }

    /// Whether `tag` is to be asked about.
    pub fn is_due(&self, tag: &str, now: Timestamp) -> bool {
        let at = self.known.get(tag).and_then(|known| known.at);
        at.is_none_or(|at| !(0..BELIEVED).contains(&(now.as_second() - at.as_second())))
    }

    /// Whether all of `tags` are being asked about.
    pub fn are_asking(&self, tags: &[String]) -> bool {
        let asked = self.asking.as_ref().map(|(_, asked)| asked);
        asked.is_some_and(|asked| tags.iter().all(|tag| asked.contains(tag)))
    }

    /// Notes what is asked about from now on; returns the question that this supersedes.
    pub fn ask(&mut self, question: Option<(JobId, Vec<String>)>) -> Option<JobId> {
        std::mem::replace(&mut self.asking, question).map(|(job, _)| job)
    }

    /// Forgets what is known of tags that have moved; what they had is shown until they are asked about.
    pub fn forget(&mut self, tags: &[String]) {
        for tag in tags {
            if let Some(known) = self.known.get_mut(tag) {
                known.at = None;
            }
        }
    }

    /// Takes in what came, unless nobody asks for it any more.
    pub fn answer(&mut self, job: JobId, glanced: Vec<Glanced>, now: Timestamp) {
        let Some((_, asked)) = self.asking.as_mut().filter(|(asked, _)| *asked == job) else { return };
        for Glanced { tag, glimpse, is_settled } in glanced {
            if is_settled {
                asked.retain(|asked| *asked != tag);
            }
            let before = self.known.remove(&tag).and_then(|known| known.glimpse);
            let at = is_settled.then_some(now);
            self.known.insert(tag, Known { glimpse: glimpse.or(before), at });
        }
        if asked.is_empty() {
            self.asking = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_tag_that_nobody_noted_was_never_seen() {
        let tags: Arc<TagList> = Arc::new(["1", "2"].into_iter().collect());
        let seen = Sightings::of(Arc::clone(&tags), |tag| (tag == "2").then(|| at(7)));
        assert_eq!([seen.get("1"), seen.get("2"), seen.get("3")], [None, Some(at(7)), None]);
        let others: Arc<TagList> = Arc::new(["0", "1", "2"].into_iter().collect());
        assert!(seen.are_of(&tags) && !seen.are_of(&others));
        assert_eq!([0, 1, 2].map(|row| seen.of_row(&tags, row)), [Some(at(7)), None, None]);
        assert_eq!([0, 1, 2].map(|row| seen.of_row(&others, row)), [Some(at(7)), None, None]);
    }

    #[test]
    fn rows_show_what_the_disk_had_until_the_registry_was_asked() {
        let glimpse =
            |digest: &str| Some(Glimpse { digest: digest.to_owned(), created: None, is_moved: false });
        let told = |tag: &str, glimpse, is_settled| Glanced { tag: tag.to_owned(), glimpse, is_settled };
        let asked: Vec<String> = ["1", "2"].map(str::to_owned).into();
        let mut glances = Glances::default();
        assert_eq!(glances.ask(Some((JobId(1), asked.clone()))), None);
        glances.answer(JobId(1), vec![told("1", glimpse("old"), false)], at(0));
        assert_eq!(glances.get("1").unwrap().digest, "old");
        assert!(glances.is_due("1", at(0)) && glances.are_asking(&asked));
        glances.answer(JobId(1), vec![told("1", glimpse("new"), true)], at(0));
        assert_eq!(glances.get("1").unwrap().digest, "new");
        assert!(!glances.is_due("1", at(599)) && glances.is_due("1", at(600)) && !glances.are_asking(&asked));
        glances.forget(&["1".to_owned()]);
        assert!(glances.get("1").is_some() && glances.is_due("1", at(1)), "it has moved");
        glances.answer(JobId(2), vec![told("2", glimpse("late"), true)], at(0));
        assert_eq!(glances.get("2"), None, "nobody asks that any more");
        glances.answer(JobId(1), vec![told("2", None, true)], at(0));
        assert!(!glances.is_due("2", at(1)), "that it could not be told is believed too");
        assert_eq!(glances.ask(None), None, "all of it was answered");
    }
}
