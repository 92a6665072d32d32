//! The minimum age: what is younger waits, because a bad push is most often noticed within days.
//!
//! Three clocks tell how old an image is, and none of them tells all. What the registry says it took in when is its own
//! word. When we first saw a tag is ours, but begins with our first look. When an image was built is its builder's word,
//! who can claim any time: so that clock can make an image younger, never older. The youngest of what is known decides.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use super::duration::GoDuration;
use super::metadata::Described;
use super::proposal::{Hold, Proposal, UpdateState};

/// Who holds an update that is too young.
pub const BY: &str = "min_age";

const DAY: u64 = 24 * 60 * 60;

/// How old an image has to be; zero: nothing is too young.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MinAge(pub Duration);

/// A text that is no age.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no age; write it as 3d, 12h or 1d12h, and 0 for none")]
pub struct AgeError(String);

impl MinAge {
    /// Whether nothing is too young.
    pub fn is_none(self) -> bool {
        self.0.is_zero()
    }

    fn signed(self) -> SignedDuration {
        SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX)
    }
}

/// Days, then a duration in Go's notation; either may be missing, not both. Empty is none.
impl FromStr for MinAge {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        let wrong = || AgeError(text.to_owned());
        if text.is_empty() {
            return Ok(Self::default());
        }
        let (days, rest) = match text.split_once('d') {
            Some((days, rest)) if days.bytes().all(|byte| byte.is_ascii_digit()) => {
                (days.parse::<u64>().map_err(|_none| wrong())?, rest)
            }
            Some(_) => return Err(wrong()),
            None => (0, text),
        };
        let rest =
            if rest.is_empty() { GoDuration::default() } else { rest.parse().map_err(|_none| wrong())? };
        let days = days.checked_mul(DAY).map(Duration::from_secs);
        let sum = days.and_then(|days| days.checked_add(rest.0)).ok_or_else(wrong)?;
        Ok(Self(sum))
    }
}

impl fmt::Display for MinAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let parts =
            [("d", seconds / DAY), ("h", seconds / 3600 % 24), ("m", seconds / 60 % 60), ("s", seconds % 60)];
        if parts.iter().all(|(_, number)| *number == 0) {
            return f.write_str("0");
        }
        let mut parts = parts.iter().filter(|(_, number)| *number > 0);
        parts.try_for_each(|(unit, number)| write!(f, "{number}{unit}"))
    }
}

impl<'de> Deserialize<'de> for MinAge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What each clock says of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Clocks {
    /// When the registry took it in.
    pub registry: Option<Timestamp>,
    /// When it was built, as its builder says.
    pub created: Option<Timestamp>,
    /// When we first saw it.
    pub first_seen: Option<Timestamp>,
    /// Whether it was there when we first looked, so that it may be older than that.
    pub first_look: bool,
}

/// One of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The registry's.
    Registry,
    /// The builder's.
    Created,
    /// Ours.
    FirstSeen,
}

impl Clock {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Created => "created",
            Self::FirstSeen => "first seen",
        }
    }
}

impl Clocks {
    /// The clocks of an image: what was told of it, and when its tag was first seen. One that a tag was moved to was
    /// first seen when the tag was first seen to stand for it.
    pub fn of(described: Option<&Described>, first_seen: Option<Timestamp>, first_look: bool) -> Self {
        let moved = described.and_then(|described| described.moved.as_ref()).map(|moved| moved.seen);
        Self {
            registry: described.and_then(|described| described.pushed),
            created: described.and_then(|described| described.metadata.created),
            first_seen: moved.or(first_seen),
            first_look: first_look && moved.is_none(),
        }
    }

    /// The clock that decides, and what it says: the youngest that is known.
    ///
    /// The builder's counts only beside another. Ours does not count where it only says when we began to look and the
    /// registry knows better. What lies in the future is no time that anything happened at.
    pub fn deciding(&self, now: Timestamp) -> Option<(Clock, Timestamp)> {
        let past = |time: Option<Timestamp>| time.filter(|time| *time <= now);
        let registry = past(self.registry);
        let first_seen = past(self.first_seen).filter(|_| !self.first_look || registry.is_none());
        let trusted = [(Clock::FirstSeen, first_seen), (Clock::Registry, registry)];
        let known = trusted.into_iter().filter_map(|(clock, time)| Some((clock, time?)));
        let youngest = known.max_by_key(|(_, time)| *time)?;
        let created = past(self.created).filter(|created| *created > youngest.1);
        Some(created.map_or(youngest, |created| (Clock::Created, created)))
    }

    /// Until when an image has to wait, and by which clock; `None` if it is old enough. One of which no clock that
    /// counts knows anything waits as if it came now.
    pub fn wait(&self, min: MinAge, now: Timestamp) -> Option<(Timestamp, Option<Clock>)> {
        if min.is_none() {
            return None;
        }
        let (clock, since) = match self.deciding(now) {
            Some((clock, since)) => (Some(clock), since),
            None => (None, now),
        };
        let until = since.checked_add(min.signed()).unwrap_or_else(|_beyond| last_second());
        (until > now).then_some((until, clock))
    }

    /// What each clock that is known says: `registry 3 d ago, created 4 d ago, first seen 2 h ago`.
    pub fn text(&self, now: Timestamp) -> String {
        let look = if self.first_look { " (our first look)" } else { "" };
        let each = [
            (Clock::Registry, self.registry, ""),
            (Clock::Created, self.created, ""),
            (Clock::FirstSeen, self.first_seen, look),
        ];
        let said = each.into_iter().filter_map(|(clock, time, note)| {
            let age = now.as_second() - time?.as_second();
            let age = match age {
                ..0 => "in the future".to_owned(),
                age => format!("{} ago", passed(age)),
            };
            Some(format!("{} {age}{note}", clock.word()))
        });
        let said: Vec<String> = said.collect();
        if said.is_empty() { "no clock is known".to_owned() } else { said.join(", ") }
    }
}

/// So many seconds that have passed, in at most two units: `2 d 4 h`, `3 min`, `12 s`; never more than have.
fn passed(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds} s") } else { in_minutes(seconds / 60) }
}

/// So many seconds that are left, in at most two units: `2 d 4 h`, `4 h 10 min`, `3 min`; never less than are, nor than a
/// minute.
pub fn span(seconds: i64) -> String {
    in_minutes((seconds.max(60) + 59) / 60)
}

fn in_minutes(minutes: i64) -> String {
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, minutes) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Holds the updates whose image is younger than `min`. What is held, blocked or old enough stays as it is; nothing is
/// ever chosen instead.
pub fn hold_young(updates: &mut [Proposal], min: MinAge, now: Timestamp) {
    for update in updates.iter_mut().filter(|update| update.state == UpdateState::Pending) {
        let Some(new) = &update.new else { continue };
        let Some((until, clock)) = update.clocks.wait(min, now) else { continue };
        let reason = reason(min, clock);
        let since = update.clocks.deciding(now).map_or(now, |(_, since)| since);
        update.hold = Some(Hold {
            policy: update.policy.clone(),
            tag: Some(new.tag.clone()),
            until,
            reason,
            by: BY.to_owned(),
            since,
        });
        update.state = UpdateState::Held;
    }
}

/// Why something waits.
fn reason(min: MinAge, clock: Option<Clock>) -> String {
    match clock {
        Some(clock) => format!("younger than {min} by the clock {:?}", clock.word()),
        None => format!("no clock says that it is {min} old"),
    }
}

/// Why and how long an image has to wait, as the last step of an explanation; `None` if it is old enough.
pub fn explained(clocks: &Clocks, min: MinAge, now: Timestamp) -> Option<String> {
    let (until, clock) = clocks.wait(min, now)?;
    let left = span(until.as_second() - now.as_second());
    Some(format!("{}: {left} more, until {until}", reason(min, clock)))
}

/// Whether an update waits for nothing but its age.
pub fn is_young(update: &Proposal) -> bool {
    update.state == UpdateState::Held && is_held_for_age(update)
}

/// Whether an update has to wait for its age, or would have to if nobody had approved it all the same.
pub fn is_held_for_age(update: &Proposal) -> bool {
    update.hold.as_ref().is_some_and(|hold| hold.by == BY)
}

/// The end of the calendar, in whole seconds as all times are printed.
fn last_second() -> Timestamp {
    Timestamp::from_second(Timestamp::MAX.as_second()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000;

    fn ago(hours: i64) -> Option<Timestamp> {
        Timestamp::from_second(NOW - hours * 3600).ok()
    }

    fn now() -> Timestamp {
        ago(0).unwrap()
    }

    #[test]
    fn ages_are_written_in_days_and_as_go_writes_durations() {
        for (text, hours, printed) in [
            ("", 0, "0"),
            ("0", 0, "0"),
            ("0d", 0, "0"),
            ("3d", 72, "3d"),
            ("1d12h", 36, "1d12h"),
            ("36h", 36, "1d12h"),
            ("90m", 0, "1h30m"),
        ] {
            let age: MinAge = text.parse().unwrap();
            assert_eq!(age.0.as_secs() / 3600, hours + u64::from(text == "90m"), "{text}");
            assert_eq!(age.to_string(), printed, "{text}");
            assert_eq!(age.to_string().parse(), Ok(age));
        }
        for wrong in ["3", "d", "3 d", "-1d", "3d-1h", "1w", "soon", "3dd", "99999999999999999999d"] {
            assert!(wrong.parse::<MinAge>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_youngest_clock_decides_and_a_builder_cannot_make_an_image_old() {
        let day: MinAge = "1d".parse().unwrap();
        // Hours ago: registry, created, first seen, our first look; the clock, and how many hours are left.
        let table = [
            ((None, Some(900), Some(2), false), Some((Some(Clock::FirstSeen), 22))),
            ((None, Some(900), Some(30), false), None),
            ((None, Some(3), Some(30), false), Some((Some(Clock::Created), 21))),
            ((Some(5), Some(900), Some(30), false), Some((Some(Clock::Registry), 19))),
            ((Some(50), Some(900), Some(2), false), Some((Some(Clock::FirstSeen), 22))),
            ((Some(50), Some(900), Some(2), true), None),
            ((None, Some(900), Some(2), true), Some((Some(Clock::FirstSeen), 22))),
            ((None, Some(900), None, false), Some((None, 24))),
            ((None, Some(-5), Some(30), false), None),
            ((Some(-5), None, Some(2), true), Some((Some(Clock::FirstSeen), 22))),
        ];
        for ((registry, created, first_seen, first_look), wanted) in table {
            let time = |hours: Option<i64>| hours.and_then(ago);
            let clocks = Clocks {
                registry: time(registry),
                created: time(created),
                first_seen: time(first_seen),
                first_look,
            };
            let left =
                clocks.wait(day, now()).map(|(until, clock)| (clock, (until.as_second() - NOW) / 3600));
            assert_eq!(left, wanted, "{clocks:?}");
            assert_eq!(clocks.wait(MinAge::default(), now()), None);
            let (until, _) = clocks.wait("999999999d".parse().unwrap(), now()).unwrap();
            assert_eq!(until.subsec_nanosecond(), 0, "times are printed in whole seconds");
        }
    }

    #[test]
    fn the_clocks_are_shown_apart() {
        let clocks = Clocks { registry: None, created: ago(-1), first_seen: ago(50), first_look: true };
        assert_eq!(clocks.text(now()), "created in the future, first seen 2 d 2 h ago (our first look)");
        let young = |seconds: i64| {
            let created = Some(now() - jiff::SignedDuration::from_secs(seconds));
            Clocks { created, ..Clocks::default() }.text(now())
        };
        assert_eq!(young(3), "created 3 s ago");
        assert_eq!(
            [young(60), young(119), young(120)].map(|text| text.replace("created ", "")),
            ["1 min ago", "1 min ago", "2 min ago"]
        );
        assert_eq!(Clocks::default().text(now()), "no clock is known");
        for (seconds, said) in
            [(0, "1 min"), (61, "2 min"), (3600, "1 h"), (3660, "1 h 1 min"), (86_400, "1 d")]
        {
            assert_eq!(span(seconds), said);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_word_of_a_builder_ends_a_wait(
            registry in proptest::option::of(-10_i64..200),
            first_seen in proptest::option::of(-10_i64..200),
            first_look: bool,
            created in -10_i64..2000,
            min in 1_u64..100,
        ) {
            let min = MinAge(Duration::from_secs(min * 3600));
            let without = Clocks {
                registry: registry.and_then(ago), created: None, first_seen: first_seen.and_then(ago), first_look,
            };
            let with = Clocks { created: ago(created), ..without };
            let until = |clocks: Clocks| clocks.wait(min, now()).map(|(until, _)| until);
            proptest::prop_assert!(until(with) >= until(without));
        }
    }
}
