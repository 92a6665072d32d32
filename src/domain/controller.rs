//! What the controllers in a cluster say of an object, and how that stands beside what we find ourselves.
//!
//! A controller that selects another tag than we do most often looked earlier, or at another spec. Why is told as far as
//! its status tells it; where it does not, nothing is guessed.
//!
//! Source: `fluxcd/image-reflector-controller:api/v1`, `fluxcd/image-automation-controller:api/v1`,
//! `fluxcd/pkg:runtime/conditions`.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{Timestamp, ToSpan};

use super::duration::GoDuration;
use super::inventory::GATED;
use super::object::{Kind, ObjectId};
use super::proposal::Reference;
use super::status::{Ready, Status};

/// What is said of all objects of a cluster.
pub type Reports = BTreeMap<(Kind, ObjectId), Reported>;

/// The status of an object, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    /// How often the spec was changed.
    pub generation: i64,
    /// The generation that the controller has dealt with; `None`: none yet.
    pub observed_generation: Option<i64>,
    /// The conditions, in the controller's order.
    pub conditions: Vec<Condition>,
    /// What a policy selected.
    pub latest: Option<Reference>,
    /// The last scan of a repository that worked.
    pub last_scan: Option<LastScan>,
    /// When an automation last ran.
    pub last_run: Option<Timestamp>,
    /// The commit that an automation pushed last, and when.
    pub last_push: Option<(String, Option<Timestamp>)>,
    /// What an automation last saw its policies select, by their names.
    pub observed_policies: BTreeMap<String, Reference>,
    /// The request (`reconcile.fluxcd.io/requestedAt`) that was last dealt with.
    pub handled: Option<String>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Such as `Ready`, `Reconciling`, `Stalled`.
    pub kind: String,
    /// Whether it holds.
    pub status: Ready,
    /// The controller's word for why.
    pub reason: String,
    /// The controller's sentence.
    pub message: String,
    /// Since when the status is what it is.
    pub since: Option<Timestamp>,
}

/// A scan, as a controller reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastScan {
    /// When it ended.
    pub time: Timestamp,
    /// How many tags it found.
    pub tags: u64,
    /// The revision of the list, where the controller gives one.
    pub revision: Option<String>,
}

impl Reported {
    /// A condition by its type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// The `Ready` condition as `flux get` prints it.
    pub fn status(&self) -> Status {
        let Some(ready) = self.condition("Ready") else { return Status::waiting() };
        let reason = Some(ready.reason.clone().into()).filter(|_| !ready.reason.is_empty());
        Status { ready: ready.status, reason, message: ready.message.clone() }
    }

    /// Whether the controller of repositories got past its feature gates with the spec as it is now. They are what it looks at
    /// first, so whatever else it says of the spec tells that they are open.
    pub fn is_past_gates(&self) -> bool {
        let says_so = |ready: &Condition| match ready.status {
            Ready::True => true,
            Ready::False => ready.reason != GATED,
            Ready::Unknown => false,
        };
        !self.is_outdated() && self.condition("Ready").is_some_and(says_so)
    }

    /// Whether the controller has not yet dealt with the spec as it is now.
    pub fn is_outdated(&self) -> bool {
        self.observed_generation.is_none_or(|observed| observed < self.generation)
    }
}

/// How what a controller selected stands beside what we select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// No controller says anything, or nothing of ours is there to compare with.
    Unknown,
    /// The same.
    Agrees,
    /// Something else, and why that probably is.
    Differs(Cause),
}

/// The likely cause of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The controller has not dealt with the spec as it is now.
    OldSpec,
    /// The object is suspended: its status stays as it was.
    Suspended,
    /// The controller's scan is older than ours, by so many minutes.
    OlderScan(i64),
    /// Our scan is older than the controller's, by so many minutes.
    OurOlderScan(i64),
    /// Another image: its repository had another spec when the controller selected.
    Image,
    /// The same tag with another digest.
    Digest,
    /// The status tells no cause.
    Unclear,
}

impl Cause {
    /// One or two words, for a column.
    pub fn word(self) -> &'static str {
        match self {
            Self::OldSpec => "old spec",
            Self::Suspended => "suspended",
            Self::OlderScan(_) => "older scan",
            Self::OurOlderScan(_) => "newer scan",
            Self::Image => "other image",
            Self::Digest => "digest",
            Self::Unclear => "differs",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldSpec => f.write_str("the controller has not dealt with the policy's last change"),
            Self::Suspended => f.write_str("it is suspended, so the controller's choice stays as it was"),
            Self::OlderScan(minutes) => write!(f, "the controller's scan is {} older", minutes_of(*minutes)),
            Self::OurOlderScan(minutes) => write!(f, "our scan is {} older", minutes_of(*minutes)),
            Self::Image => {
                f.write_str("another image: what its repository said when the controller selected")
            }
            Self::Digest => {
                f.write_str("the same tag under another digest: its digest policy, or a tag that moved")
            }
            Self::Unclear => {
                f.write_str("its status tells no cause: another version of the controller, perhaps")
            }
        }
    }
}

fn minutes_of(minutes: i64) -> String {
    match minutes {
        0 => "seconds".to_owned(),
        1 => "1 minute".to_owned(),
        more => format!("{more} minutes"),
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// What we select; `None`: nothing.
    pub latest: Option<&'a Reference>,
    /// When we last scanned the policy's repository.
    pub scanned: Option<Timestamp>,
    /// How many tags that scan left after exclusion.
    pub tags: Option<usize>,
    /// Whether the policy or its repository is suspended.
    pub is_suspended: bool,
}

/// Compares what we select with what a controller selected; `repository` is what is said of the policy's repository.
pub fn beside(ours: Ours<'_>, policy: Option<&Reported>, repository: Option<&Reported>) -> Beside {
    let Some((policy, theirs)) = policy.and_then(|policy| Some((policy, policy.latest.as_ref()?))) else {
        return Beside::Unknown;
    };
    let Some(latest) = ours.latest else { return Beside::Unknown };
    // A digest that one of the two does not reflect is no difference.
    let has_other_digest = matches!((&latest.digest, &theirs.digest), (Some(a), Some(b)) if a != b);
    if latest.tag == theirs.tag && latest.image == theirs.image {
        return if has_other_digest { Beside::Differs(Cause::Digest) } else { Beside::Agrees };
    }
    if ours.is_suspended {
        return Beside::Differs(Cause::Suspended);
    }
    if latest.image != theirs.image {
        return Beside::Differs(Cause::Image);
    }
    if policy.is_outdated() {
        return Beside::Differs(Cause::OldSpec);
    }
    // Scans that found as many tags most likely found the same.
    let last = repository.and_then(|said| said.last_scan.as_ref());
    let last = last.filter(|last| ours.tags.is_none_or(|tags| last.tags != tags as u64));
    let scans = last.and_then(|last| Some((last.time, ours.scanned?)));
    Beside::Differs(match scans {
        Some((theirs, ours)) if theirs < ours => Cause::OlderScan(minutes_between(theirs, ours)),
        Some((theirs, ours)) if theirs > ours => Cause::OurOlderScan(minutes_between(ours, theirs)),
        _ => Cause::Unclear,
    })
}

/// What a controller has left undone for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lag {
    /// It should have scanned or run so many minutes ago.
    Behind(i64),
    /// It gave up, for this reason, until the object changes.
    Stalled(String),
    /// It tries, and fails for this reason; its condition says more.
    Failing(String),
    /// It has been at it for so many minutes, for this reason.
    Waiting(i64, String),
    /// It never dealt with the object at all.
    Never,
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(minutes) => write!(f, "controller is {} behind", minutes_of(*minutes)),
            Self::Stalled(reason) => write!(f, "controller gave up: {reason}"),
            Self::Failing(reason) => write!(f, "controller fails: {reason}"),
            Self::Waiting(minutes, reason) => {
                write!(f, "controller has been at it for {}: {reason}", minutes_of(*minutes))
            }
            Self::Never => f.write_str("no controller has dealt with it yet"),
        }
    }
}

impl Lag {
    /// One word, for a column.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Behind(_) => "behind",
            Self::Stalled(_) | Self::Failing(_) | Self::Waiting(..) | Self::Never => "stuck",
        }
    }
}

/// How long a controller may be at it before that counts as getting nowhere.
const PROGRESS_MINUTES: i64 = 10;

/// How long a controller may take beyond an object's interval before it counts as behind.
const PATIENCE_MINUTES: i64 = 1;

/// What the controller of an object has left undone. `interval` is the object's; one that has none is never behind.
pub fn lag(
    reported: &Reported,
    interval: Option<GoDuration>,
    is_suspended: bool,
    now: Timestamp,
) -> Option<Lag> {
    if is_suspended {
        return None;
    }
    let stalled = reported.condition("Stalled").filter(|condition| condition.status == Ready::True);
    if let Some(stalled) = stalled {
        return Some(Lag::Stalled(stalled.message.clone()));
    }
    if reported.conditions.is_empty() && reported.latest.is_none() {
        return Some(Lag::Never);
    }
    if let Some(ready) = reported.condition("Ready") {
        let minutes = ready.since.map_or(0, |since| minutes_between(since, now));
        match ready.status {
            Ready::False => return Some(Lag::Failing(ready.reason.clone())),
            Ready::Unknown if minutes > PROGRESS_MINUTES => {
                return Some(Lag::Waiting(minutes, ready.reason.clone()));
            }
            Ready::Unknown | Ready::True => {}
        }
    }
    let last = reported.last_scan.as_ref().map(|scan| scan.time).or(reported.last_run)?;
    let interval = i64::try_from(interval?.0.as_secs()).unwrap_or(i64::MAX / 2);
    let due = last.checked_add(interval.min(i64::from(u32::MAX)).seconds()).ok()?;
    let late = minutes_between(due, now);
    (late > PATIENCE_MINUTES).then_some(Lag::Behind(late))
}

fn minutes_between(earlier: Timestamp, later: Timestamp) -> i64 {
    (later.as_second() - earlier.as_second()) / 60
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn reference(tag: &str, digest: Option<&str>) -> Reference {
        let digest = digest.map(str::to_owned);
        Reference { image: "ghcr.io/acme/app".to_owned(), tag: tag.to_owned(), digest }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_760_000_000 + minute * 60).unwrap()
    }

    fn condition(kind: &str, status: Ready) -> Condition {
        let (reason, message) = ("Why".to_owned(), "so it is".to_owned());
        Condition { kind: kind.to_owned(), status, reason, message, since: None }
    }

    fn policy(tag: &str) -> Reported {
        let latest = Some(reference(tag, None));
        Reported { generation: 1, observed_generation: Some(1), latest, ..Reported::default() }
    }

    fn scanned(minute: i64) -> Reported {
        let last_scan = Some(LastScan { time: at(minute), tags: 3, revision: None });
        Reported { last_scan, conditions: vec![condition("Ready", Ready::True)], ..Reported::default() }
    }

    fn cause(ours: &str, theirs: &Reported, repository: Option<&Reported>, suspended: bool) -> Beside {
        let latest = reference(ours, Some("sha256:aa"));
        beside(
            Ours { latest: Some(&latest), scanned: Some(at(30)), tags: Some(4), is_suspended: suspended },
            Some(theirs),
            repository,
        )
    }

    #[test]
    fn the_same_tag_agrees_whether_or_not_both_reflect_a_digest() {
        assert_eq!(cause("1.0.0", &policy("1.0.0"), None, false), Beside::Agrees);
        let mut other = policy("1.0.0");
        other.latest = Some(reference("1.0.0", Some("sha256:bb")));
        assert_eq!(cause("1.0.0", &other, None, false), Beside::Differs(Cause::Digest));
    }

    #[test]
    fn the_likely_cause_is_the_first_that_the_status_tells() {
        let theirs = policy("1.0.0");
        let (older, newer) = (scanned(12), scanned(31));
        let said = |repository, suspended| cause("1.1.0", &theirs, repository, suspended);
        assert_eq!(said(Some(&older), false), Beside::Differs(Cause::OlderScan(18)));
        assert_eq!(said(Some(&newer), false), Beside::Differs(Cause::OurOlderScan(1)));
        assert_eq!(said(None, false), Beside::Differs(Cause::Unclear));
        assert_eq!(said(Some(&older), true), Beside::Differs(Cause::Suspended));
        let old = Reported { generation: 2, ..theirs };
        assert_eq!(cause("1.1.0", &old, Some(&scanned(12)), false), Beside::Differs(Cause::OldSpec));
    }

    #[test]
    fn another_image_and_as_many_tags_are_no_older_scan() {
        let mut other = policy("1.1.0");
        other.latest.as_mut().unwrap().image = "mirror.example/app".to_owned();
        assert_eq!(cause("1.1.0", &other, Some(&scanned(12)), false), Beside::Differs(Cause::Image));
        let mut same = scanned(12);
        same.last_scan.as_mut().unwrap().tags = 4;
        assert_eq!(cause("1.1.0", &policy("1.0.0"), Some(&same), false), Beside::Differs(Cause::Unclear));
    }

    #[test]
    fn nothing_is_compared_with_what_nobody_says() {
        let nothing = Ours { latest: None, scanned: None, tags: None, is_suspended: false };
        assert_eq!(beside(nothing, Some(&policy("1.0.0")), None), Beside::Unknown);
        assert_eq!(cause("1.0.0", &Reported::default(), None, false), Beside::Unknown);
    }

    #[test]
    fn a_controller_is_behind_once_the_interval_is_over_and_a_minute_more() {
        let interval = Some(GoDuration(Duration::from_mins(5)));
        let lag_at = |minute| lag(&scanned(0), interval, false, at(minute));
        assert_eq!(lag_at(6), None);
        assert_eq!(lag_at(17), Some(Lag::Behind(12)));
        assert_eq!(lag_at(17).unwrap().to_string(), "controller is 12 minutes behind");
        assert_eq!(lag(&scanned(0), interval, true, at(17)), None);
        assert_eq!(lag(&Reported::default(), interval, false, at(17)), Some(Lag::Never));
        let stalled = Reported { conditions: vec![condition("Stalled", Ready::True)], ..scanned(0) };
        assert_eq!(lag(&stalled, interval, false, at(1)), Some(Lag::Stalled("so it is".to_owned())));
        let failing = Reported { conditions: vec![condition("Ready", Ready::False)], ..scanned(0) };
        assert_eq!(lag(&failing, interval, false, at(17)), Some(Lag::Failing("Why".to_owned())));
        assert_eq!(lag(&scanned(0), None, false, at(17)), None, "a policy is due by no interval");
        let ready = Condition { since: Some(at(0)), ..condition("Ready", Ready::Unknown) };
        let waiting = Reported { conditions: vec![ready], ..Reported::default() };
        assert_eq!(lag(&waiting, None, false, at(9)), None);
        let stuck = lag(&waiting, None, false, at(600)).unwrap();
        assert_eq!(stuck.to_string(), "controller has been at it for 600 minutes: Why");
        assert_eq!((stuck.word(), Lag::Behind(3).word()), ("stuck", "behind"));
    }
}
