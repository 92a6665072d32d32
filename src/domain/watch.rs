//! Watching repositories: when each is scanned next, and what a scan found changed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::object::{ImageRepository, ObjectId};
use super::reference::ImageName;
use super::scan::{Scan, ScanDue, ScanQuestion, should_scan};
use super::tags::TagList;
use crate::problem::{Code, Problem};

/// Repositories are not scanned more often than this, whatever their interval.
const FASTEST: Duration = Duration::from_secs(1);

/// A registry's wish to be left alone counts for no longer than this, and the wish of one that is in trouble for no less
/// than [`SOON`], since it was granted twice within the scan that failed.
const LONGEST: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_mins(1);

/// A scan from so far in the future was timed by a clock that was wrong; it says nothing about when the next is due.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// How long until `repository` is due to be scanned, at `now`: zero for now. `None`: never, because it is suspended or
/// its image name makes no sense.
pub fn due(repository: &ImageRepository, scan: Option<&Scan>, now: Timestamp) -> Option<Duration> {
    if repository.suspend {
        return None;
    }
    let name = ImageName::parse(&repository.image, repository.insecure).ok()?;
    let exclusions = repository.exclusions();
    let question = ScanQuestion {
        image: &repository.image,
        insecure: repository.insecure,
        interval: repository.interval.0,
        exclusions: &exclusions,
        observed_canonical: &name.canonical(),
        // We keep what the registry listed and exclude when we judge, so a new list needs no new scan.
        observed_exclusions: &exclusions,
        stored_tags: Some(scan.map_or(0, |scan| scan.tags.len())),
        requested: None,
        handled: None,
        since_scan: scan.and_then(|scan| since(scan.scanned, now)),
    };
    match should_scan(&question).ok()? {
        ScanDue::Now(_) => Some(Duration::ZERO),
        ScanDue::After(after) => Some(after),
    }
}

/// How much time has passed; `None` if that cannot be told.
fn since(scanned: Timestamp, now: Timestamp) -> Option<Duration> {
    let passed = now.duration_since(scanned);
    (passed >= -SKEW).then(|| Duration::try_from(passed).unwrap_or_default())
}

/// How long to wait after a scan before the next.
pub fn pause(repository: &ImageRepository) -> Duration {
    repository.interval.0.max(FASTEST)
}

/// How long to wait after a scan that failed with `problem` before the next.
///
/// A registry in trouble is asked again when it says, if it says so. One that limits the rate is not asked before the
/// interval has passed, however soon it would have us back: it refused the scan that granted its wish.
pub fn pause_after_failure(repository: &ImageRepository, problem: &Problem) -> Duration {
    let pause = pause(repository);
    let least = if problem.code == Code::RateLimited { pause } else { pause.min(SOON) };
    let wish = problem.retry_after.map(|seconds| Duration::from_secs(seconds.get().into()));
    wish.map_or(pause, |wish| wish.min(LONGEST).max(least))
}

/// What became of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is gone.
    Removed,
    /// It stands for another digest.
    DigestMoved,
}

impl Change {
    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::DigestMoved => "digest_moved",
        }
    }
}

/// A tag that changed. The shape of a line of `scan -w -o json`, but for the name's two keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// When that was seen.
    pub time: Timestamp,
    /// The repository.
    pub repository: ObjectId,
    /// Its image as written.
    pub image: String,
    /// What happened.
    pub change: Change,
    /// The tag, as the registry sent it.
    pub tag: String,
    /// The digest that it has now, where that is known.
    pub digest: Option<String>,
}

/// The tags that came and those that went, each once.
pub fn changes(before: &TagList, now: &TagList) -> Vec<(Change, String)> {
    let of = |change, tags: TagList| {
        let mut tags: Vec<String> = tags.iter().map(str::to_owned).collect();
        tags.dedup();
        tags.into_iter().map(move |tag| (change, tag))
    };
    of(Change::Added, now.without(before)).chain(of(Change::Removed, before.without(now))).collect()
}

/// How many tags of a repository are asked about after one scan, to see whether they have moved.
pub const MOST: usize = 100;

/// What is asked about now, and how many others come at later scans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turns<T> {
    /// At most [`MOST`].
    pub now: Vec<T>,
    /// Those whose turn has not come.
    pub later: usize,
}

impl<T> Turns<T> {
    /// The same turns, of what `make` makes of each.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Turns<U> {
        Turns { now: self.now.into_iter().map(make).collect(), later: self.later }
    }
}

/// Which of these tags to ask about now; of each is told whether it is in use and when it was last asked about. Those in use
/// come first, then those that wait longest; a registry that counts how often it is asked is asked about those in use alone.
pub fn to_ask<T: Ord>(mut tags: Vec<(T, bool, Option<Timestamp>)>, is_counted: bool) -> Turns<T> {
    tags.retain(|(_, is_in_use, _)| *is_in_use || !is_counted);
    tags.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(&b.2)).then(a.0.cmp(&b.0)));
    let later = tags.len().saturating_sub(MOST);
    Turns { now: tags.into_iter().take(MOST).map(|(tag, ..)| tag).collect(), later }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use super::*;

    fn repository(interval: &str) -> ImageRepository {
        let interval = interval.parse().unwrap();
        ImageRepository { interval, ..ImageRepository::of_image("registry.example.com/shop/web") }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn scan(second: i64) -> Scan {
        let tags = Arc::new(["1"].into_iter().collect());
        Scan { tags, scanned: at(second), new: Arc::default(), transfer: None }
    }

    #[test]
    fn a_repository_is_due_an_interval_after_its_last_scan() {
        let it = repository("1m");
        assert_eq!(due(&it, None, at(1000)), Some(Duration::ZERO));
        assert_eq!(due(&it, Some(&scan(990)), at(1000)), Some(Duration::from_secs(50)));
        assert_eq!(due(&it, Some(&scan(940)), at(1000)), Some(Duration::ZERO));
        assert_eq!(due(&ImageRepository { suspend: true, ..it.clone() }, None, at(1000)), None);
        assert_eq!(due(&ImageRepository { image: "no name".into(), ..it }, None, at(1000)), None);
    }

    #[test]
    fn a_scan_from_the_future_makes_no_repository_wait_for_it() {
        let it = repository("1m");
        assert_eq!(due(&it, Some(&scan(1_000_000)), at(1000)), Some(Duration::ZERO));
        assert_eq!(
            due(&it, Some(&scan(1005)), at(1000)),
            Some(Duration::from_mins(1)),
            "clocks differ a little"
        );
    }

    #[test]
    fn an_interval_of_nothing_is_a_second() {
        assert_eq!(pause(&repository("0s")), Duration::from_secs(1));
        assert_eq!(pause(&repository("1m")), Duration::from_mins(1));
    }

    /// How many seconds until a repository is asked again after this answer.
    fn after(code: Code, interval: &str, wish: u32) -> u64 {
        let problem = Problem { retry_after: NonZeroU32::new(wish), ..Problem::new(code, "shop/web", "no") };
        pause_after_failure(&repository(interval), &problem).as_secs()
    }

    #[test]
    fn a_registry_in_trouble_is_asked_again_when_it_says_within_bounds() {
        let after = |interval, wish| after(Code::BadAnswer, interval, wish);
        assert_eq!(after("5m", 0), 300, "it said nothing");
        assert_eq!((after("5m", 90), after("1m", 600)), (90, 600));
        assert_eq!(after("1m", 86_400), 3600, "nobody waits for a day");
        assert_eq!((after("5m", 2), after("10s", 2)), (60, 10), "that was granted in vain");
    }

    #[test]
    fn a_registry_that_limits_the_rate_is_never_asked_sooner_than_at_the_interval() {
        let after = |interval, wish| after(Code::RateLimited, interval, wish);
        assert_eq!((after("5m", 0), after("5m", 2), after("5m", 90)), (300, 300, 300));
        assert_eq!((after("1m", 600), after("1m", 86_400)), (600, 3600));
        assert_eq!(after("6h", 7200), 21_600, "the cap shortens no interval");
    }

    #[test]
    fn tags_in_use_are_asked_about_first_and_the_others_take_turns() {
        let tags = |asked: &[(&'static str, bool, i64)]| {
            asked
                .iter()
                .map(|(tag, used, second)| (*tag, *used, (*second > 0).then(|| at(*second))))
                .collect()
        };
        let some = [("a", false, 30), ("b", true, 40), ("c", false, 0), ("d", false, 20)];
        assert_eq!(to_ask(tags(&some), false), Turns { now: vec!["b", "c", "d", "a"], later: 0 });
        assert_eq!(to_ask(tags(&some), true), Turns { now: vec!["b"], later: 0 });
        let mut asked: Vec<(usize, bool, Option<Timestamp>)> =
            (0..250).map(|tag| (tag, false, None)).collect();
        let mut seen = std::collections::BTreeSet::new();
        for round in 1..=3 {
            let turns = to_ask(asked.clone(), false);
            assert_eq!((turns.now.len(), turns.later), (MOST, 150));
            turns.now.iter().for_each(|tag| asked[*tag].2 = Some(at(round)));
            seen.extend(turns.now);
        }
        assert_eq!(seen.len(), 250, "each has had its turn");
    }

    #[test]
    fn what_came_and_what_went_is_told_once() {
        let (before, now) = (["a", "b", "b"].into_iter().collect(), ["c", "a", "c"].into_iter().collect());
        let told = changes(&before, &now);
        assert_eq!(told, [(Change::Added, "c".to_owned()), (Change::Removed, "b".to_owned())]);
        assert!(changes(&now, &now).is_empty());
    }
}
