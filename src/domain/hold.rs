//! Holds: a person's word that a policy, or one tag of it, shall wait until some time.
//!
//! A hold keeps updates back in this program alone; controllers know nothing of it. It is over by itself when its time
//! has come, and never lasts forever.

use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::age::{self, MinAge};
use super::object::ObjectId;
use super::proposal::{Decision, Hold, Proposal, UpdateState};

/// The end of a hold as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// So long from now: `7d`, `12h`.
    After(Duration),
    /// At this time; a date is its first moment in UTC.
    At(Timestamp),
}

/// Why a text is no end of a hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UntilError {
    /// It is neither a date nor a duration.
    #[error("{0:?} is neither a date such as 2026-12-01 nor a length of time such as 7d or 12h")]
    Unknown(String),
    /// The hold would be over already.
    #[error("{0} is not in the future, so nothing would be held")]
    Past(Timestamp),
}

impl FromStr for Until {
    type Err = UntilError;

    fn from_str(text: &str) -> Result<Self, UntilError> {
        let unknown = || UntilError::Unknown(text.to_owned());
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        if let Ok(date) = text.parse::<Date>() {
            // The last day of the calendar, which people write for "never", begins later than a time can be.
            let last = if date.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
            let midnight = date.to_zoned(TimeZone::UTC).map_or(last, |midnight| midnight.timestamp());
            return Ok(Self::At(midnight));
        }
        match text.parse::<MinAge>() {
            Ok(age) if !text.is_empty() => Ok(Self::After(age.0)),
            _ => Err(unknown()),
        }
    }
}

impl Until {
    /// So many days from now.
    pub fn days(days: u16) -> Self {
        Self::After(Duration::from_secs(u64::from(days) * 24 * 60 * 60))
    }

    /// The time it stands for, in whole seconds.
    ///
    /// # Errors
    /// It is not later than `now`.
    pub fn time(self, now: Timestamp) -> Result<Timestamp, UntilError> {
        let time = match self {
            Self::At(time) => time,
            Self::After(duration) => {
                let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
                now.checked_add(duration).unwrap_or(Timestamp::MAX)
            }
        };
        let time = Timestamp::from_second(time.as_second()).unwrap_or(time);
        if time > now { Ok(time) } else { Err(UntilError::Past(time)) }
    }
}

/// Why a text is no reason for a hold; `None` if it is one.
pub fn reason_defect(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("a hold needs a reason, for whoever meets it later");
    }
    text.chars()
        .any(char::is_control)
        .then_some("the reason of a hold is one line, without control characters")
}

/// Whether a hold has not ended yet.
pub fn is_in_force(hold: &Hold, now: Timestamp) -> bool {
    hold.until > now
}

/// The hold that keeps `tag` of a policy back: of several the one that lasts longest.
pub fn of<'h>(holds: &'h [Hold], policy: &ObjectId, tag: &str, now: Timestamp) -> Option<&'h Hold> {
    all_of(holds, policy, tag, now).max_by_key(|hold| hold.until)
}

/// The holds that keep `tag` of a policy back.
pub fn all_of<'h>(
    holds: &'h [Hold],
    policy: &ObjectId,
    tag: &str,
    now: Timestamp,
) -> impl Iterator<Item = &'h Hold> {
    holds.iter().filter(move |hold| {
        hold.policy == *policy && hold.tag.as_deref().is_none_or(|held| held == tag) && is_in_force(hold, now)
    })
}

/// What a hold says, as one phrase: `until 2026-12-01T00:00:00Z by rita: triage`.
pub fn text(hold: &Hold) -> String {
    format!("until {} by {}: {}", hold.until, hold.by, hold.reason)
}

/// Holds the updates that `holds` are about, and lets go of those that no person holds any more; those that are too
/// young or blocked stay as they are.
///
/// What was decided about an update before it was held is undecided again: holding it was the later word.
pub fn apply(updates: &mut [Proposal], holds: &[Hold], now: Timestamp) {
    for update in updates.iter_mut().filter(|update| update.state != UpdateState::Blocked) {
        let tag = update.new.as_ref().map(|new| new.tag.as_str()).unwrap_or_default();
        match of(holds, &update.policy, tag, now) {
            Some(hold) => {
                if update.hold.as_ref() != Some(hold) {
                    update.decide(Decision::Undecided);
                }
                (update.state, update.hold) = (UpdateState::Held, Some(hold.clone()));
            }
            None if update.state == UpdateState::Held && !age::is_young(update) => {
                (update.state, update.hold) = (UpdateState::Pending, None);
            }
            None => {}
        }
    }
}

/// A sentence about each update that is approved and held all the same, and is not said to be: nothing in it changes.
pub fn held_all_the_same(updates: &[Proposal], holds: &[Hold], now: Timestamp) -> Vec<String> {
    let held =
        updates.iter().filter(|update| update.is_approved() && update.hold.is_none()).filter_map(|update| {
            let tag = update.new.as_ref().map(|new| new.tag.as_str()).unwrap_or_default();
            let hold = of(holds, &update.policy, tag, now)?;
            Some(format!("{} is held {}, and goes to {tag} all the same", update.policy, text(hold)))
        });
    held.collect()
}

/// Holds what was approved before `holds` were made, and leaves it undecided; what was approved although it was held stays as
/// it is. Returns a sentence about each.
pub fn apply_to_approved(updates: &mut [Proposal], holds: &[Hold], now: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    for update in updates.iter_mut().filter(|update| update.is_approved()) {
        let tag = update.new.as_ref().map(|new| new.tag.as_str()).unwrap_or_default();
        let Some(hold) =
            of(holds, &update.policy, tag, now).filter(|hold| update.hold.as_ref() != Some(hold))
        else {
            continue;
        };
        said.push(format!("{} is held {}", update.policy, text(hold)));
        update.decide(Decision::Undecided);
        (update.state, update.hold) = (UpdateState::Held, Some(hold.clone()));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hold(tag: Option<&str>, until: &str) -> Hold {
        Hold {
            policy: ObjectId::new("data", "mysql"),
            tag: tag.map(str::to_owned),
            until: at(until),
            reason: "triage".into(),
            by: "rita".into(),
            since: at("2026-11-24T09:00:00Z"),
        }
    }

    #[test]
    fn an_end_is_a_date_a_time_or_how_long_and_lies_ahead() {
        let now = at("2026-11-24T09:00:00.5Z");
        for (text, time) in [
            ("2026-12-01", "2026-12-01T00:00:00Z"),
            ("2026-12-01T09:30:00+02:00", "2026-12-01T07:30:00Z"),
            ("7d", "2026-12-01T09:00:00Z"),
            ("36h", "2026-11-25T21:00:00Z"),
        ] {
            assert_eq!(text.parse::<Until>().unwrap().time(now), Ok(at(time)), "{text}");
        }
        assert!(
            "9999-12-31".parse::<Until>().unwrap().time(now).is_ok(),
            "so does what people write for never"
        );
        for wrong in ["", "soon", "7", "2026-13-01", "-7d", "7w", "tomorrow"] {
            assert!(matches!(wrong.parse::<Until>(), Err(UntilError::Unknown(_))), "{wrong:?}");
        }
        for past in ["2026-11-24", "0", "0d", "2020-01-01"] {
            let end = past.parse::<Until>().unwrap().time(now);
            assert!(matches!(end, Err(UntilError::Past(_))), "{past:?}");
        }
        assert!("9999999d".parse::<Until>().unwrap().time(now).is_ok(), "it lasts to the end of time");
    }

    #[test]
    fn a_tag_is_held_by_its_own_hold_or_the_policys_until_that_is_over() {
        let holds = [
            hold(Some("8.0.40"), "2026-12-01T00:00:00Z"),
            hold(Some("8.0.40"), "2026-12-05T00:00:00Z"),
            hold(None, "2026-12-03T00:00:00Z"),
        ];
        let policy = ObjectId::new("data", "mysql");
        let until = |tag: &str, now: &str| of(&holds, &policy, tag, at(now)).map(|hold| hold.until);
        assert_eq!(until("8.0.40", "2026-11-30T00:00:00Z"), Some(holds[1].until), "the longest counts");
        assert_eq!(until("8.0.41", "2026-11-30T00:00:00Z"), Some(holds[2].until));
        assert_eq!(until("8.0.41", "2026-12-03T00:00:00Z"), None);
        assert_eq!(until("8.0.40", "2026-12-05T00:00:00Z"), None);
        assert_eq!(of(&holds, &ObjectId::new("data", "redis"), "8.0.40", at("2026-11-30T00:00:00Z")), None);
    }
}
