//! Freeze windows: times of the week in which nothing is pushed by mistake.
//!
//! A window is written as `Fri 16:00 - Mon 08:00 Europe/Berlin`. Its ends are times on the clocks of that place, whatever
//! daylight saving does to the hours between; a time that clocks leave out is the moment after the gap.

use std::fmt;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// The code of the warning that pushes are frozen.
pub const FREEZE: &str = "freeze";

/// A time of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    day: Weekday,
    hour: i8,
    minute: i8,
}

/// A part of every week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    from: Moment,
    to: Moment,
    zone: TimeZone,
    /// As it was written, with single blanks.
    text: String,
}

/// Why a text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// It has another form.
    #[error("{0:?} is no freeze window; write it as \"Fri 16:00 - Mon 08:00 Europe/Berlin\"")]
    Form(String),
    /// It would never begin.
    #[error("the freeze window {0:?} ends where it begins")]
    Empty(String),
    /// No clock is known by its last word.
    #[error(
        "{0:?} is no time zone that is known here; write it as in the tz database, such as Europe/Berlin"
    )]
    Zone(String),
}

/// A window that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// When it ends.
    pub until: Zoned,
    /// The window, as it was written.
    pub window: String,
}

const DAYS: [(&str, &str, Weekday); 7] = [
    ("mon", "monday", Weekday::Monday),
    ("tue", "tuesday", Weekday::Tuesday),
    ("wed", "wednesday", Weekday::Wednesday),
    ("thu", "thursday", Weekday::Thursday),
    ("fri", "friday", Weekday::Friday),
    ("sat", "saturday", Weekday::Saturday),
    ("sun", "sunday", Weekday::Sunday),
];

impl Moment {
    fn parse(day: &str, time: &str) -> Option<Self> {
        let day = day.to_ascii_lowercase();
        let (.., day) = DAYS.into_iter().find(|(short, long, _)| *short == day || *long == day)?;
        let (hour, minute) = time.split_once(':')?;
        let number = |text: &str| {
            let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i8>().ok().filter(|_| fits)
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        (hour < 24 && minute < 60).then_some(Self { day, hour, minute })
    }

    /// The moment of `date`, whatever its weekday.
    fn on(self, date: Date, zone: &TimeZone) -> Option<Zoned> {
        date.at(self.hour, self.minute, 0, 0).to_zoned(zone.clone()).ok()
    }
}

impl Window {
    /// Reads a window; `zone_of` knows time zones by name.
    ///
    /// # Errors
    /// [`WindowError`].
    pub fn parse(text: &str, zone_of: impl Fn(&str) -> Option<TimeZone>) -> Result<Self, WindowError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let form = || WindowError::Form(text.to_owned());
        let [from_day, from_time, "-", to_day, to_time, zone] = words.as_slice() else { return Err(form()) };
        let from = Moment::parse(from_day, from_time).ok_or_else(form)?;
        let to = Moment::parse(to_day, to_time).ok_or_else(form)?;
        if from == to {
            return Err(WindowError::Empty(text.to_owned()));
        }
        let zone = zone_of(zone).ok_or_else(|| WindowError::Zone((*zone).to_owned()))?;
        Ok(Self { from, to, zone, text: words.join(" ") })
    }

    /// When the window ends that is open at `now`; `None` if it is closed.
    fn end(&self, now: Timestamp) -> Option<Zoned> {
        let today = now.to_zoned(self.zone.clone()).date();
        let since = i64::from(today.weekday().since(self.from.day));
        // One that begins later today may have begun a week ago.
        [since, since + 7].into_iter().find_map(|days| {
            let begins = today.checked_sub(Span::new().days(days)).ok()?;
            let ends = begins.checked_add(Span::new().days(self.days())).ok()?;
            let from = self.from.on(begins, &self.zone)?;
            let to = self.to.on(ends, &self.zone)?;
            (from.timestamp() <= now && now < to.timestamp()).then_some(to)
        })
    }

    /// How many days lie between the days of its ends.
    fn days(&self) -> i64 {
        let days = i64::from(self.to.day.since(self.from.day));
        let is_back = (self.to.hour, self.to.minute) <= (self.from.hour, self.from.minute);
        if days == 0 && is_back { 7 } else { days }
    }
}

/// The window that is open at `now`; of several the one that ends last.
pub fn open(windows: &[Window], now: Timestamp) -> Option<Frozen> {
    let open = windows
        .iter()
        .filter_map(|window| Some(Frozen { until: window.end(now)?, window: window.text.clone() }));
    open.max_by_key(|frozen| frozen.until.timestamp())
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.strftime("%a %Y-%m-%d %H:%M");
        write!(f, "pushes are frozen until {until} ({}): a push needs the branch's name", self.window)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Berlin's clocks, without a database.
    fn zone(name: &str) -> Option<TimeZone> {
        match name {
            "Europe/Berlin" => TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").ok(),
            "UTC" => Some(TimeZone::UTC),
            _ => None,
        }
    }

    fn window(text: &str) -> Window {
        Window::parse(text, zone).unwrap()
    }

    fn until(windows: &[&str], now: &str) -> Option<String> {
        let windows: Vec<Window> = windows.iter().map(|text| window(text)).collect();
        open(&windows, now.parse().unwrap()).map(|frozen| frozen.until.timestamp().to_string())
    }

    #[test]
    fn a_window_spans_the_end_of_the_week_by_the_clocks_of_its_place() {
        let weekend = ["Fri 16:00 - Mon 08:00 Europe/Berlin"];
        // 2026-11-27 is a Friday; Berlin is an hour ahead of UTC in winter.
        for (now, end) in [
            ("2026-11-27T14:59:59Z", None),
            ("2026-11-27T15:00:00Z", Some("2026-11-30T07:00:00Z")),
            ("2026-11-29T23:30:00Z", Some("2026-11-30T07:00:00Z")),
            ("2026-11-30T06:59:59Z", Some("2026-11-30T07:00:00Z")),
            ("2026-11-30T07:00:00Z", None),
            // Two hours in summer, and the change of clocks lies within.
            ("2026-07-03T14:00:00Z", Some("2026-07-06T06:00:00Z")),
            ("2026-10-23T14:00:00Z", Some("2026-10-26T07:00:00Z")),
            ("2026-10-23T13:59:59Z", None),
            ("2026-03-27T15:00:00Z", Some("2026-03-30T06:00:00Z")),
        ] {
            assert_eq!(until(&weekend, now).as_deref(), end, "{now}");
        }
        // 02:30 is left out on 2026-03-29, and there twice on 2026-10-25.
        let night = ["Sun 02:30 - Sun 04:00 Europe/Berlin"];
        assert_eq!(until(&night, "2026-03-29T01:29:59Z"), None);
        assert!(until(&night, "2026-03-29T01:30:00Z").is_some());
        assert_eq!(until(&night, "2026-03-29T02:00:00Z"), None);
        assert!(until(&night, "2026-10-25T00:30:00Z").is_some(), "from the first of the two on");
        assert_eq!(until(&night, "2026-10-25T03:00:00Z"), None);
    }

    #[test]
    fn of_several_windows_the_one_that_ends_last_counts() {
        let both = ["Fri 16:00 - Sun 10:00 UTC", "Sat 00:00 - Mon 08:00 UTC"];
        assert_eq!(until(&both, "2026-11-27T20:00:00Z").as_deref(), Some("2026-11-29T10:00:00Z"));
        assert_eq!(until(&both, "2026-11-28T20:00:00Z").as_deref(), Some("2026-11-30T08:00:00Z"));
        assert_eq!(until(&[], "2026-11-28T20:00:00Z"), None);
        let all_but_an_hour = ["Wed 10:00 - Wed 09:00 UTC"];
        assert_eq!(until(&all_but_an_hour, "2026-11-25T09:30:00Z"), None);
        assert_eq!(until(&all_but_an_hour, "2026-11-25T08:59:00Z").as_deref(), Some("2026-11-25T09:00:00Z"));
        let said = open(
            &[window("friday 16:00  - Mon 08:00 Europe/Berlin")],
            "2026-11-28T00:00:00Z".parse().unwrap(),
        );
        assert_eq!(
            said.unwrap().to_string(),
            "pushes are frozen until Mon 2026-11-30 08:00 (friday 16:00 - Mon 08:00 Europe/Berlin): a push needs the branch's name"
        );
    }

    #[test]
    fn what_is_no_window_says_why() {
        for wrong in [
            "",
            "weekends",
            "Fri 16:00 - Mon 08:00",
            "Fri 16:00-Mon 08:00 UTC",
            "Fri 24:00 - Mon 08:00 UTC",
            "Fri 16:60 - Mon 08:00 UTC",
            "Fri 4:00 - Mon 08:00 UTC",
            "Fry 16:00 - Mon 08:00 UTC",
            "Fri 16:00 - Mon 08:00 UTC now",
        ] {
            assert!(matches!(Window::parse(wrong, zone), Err(WindowError::Form(_))), "{wrong:?}");
        }
        let empty = Window::parse("Fri 16:00 - Fri 16:00 UTC", zone);
        assert!(matches!(empty, Err(WindowError::Empty(_))));
        let nowhere = Window::parse("Fri 16:00 - Mon 08:00 Europe/Nowhere", zone).unwrap_err();
        assert!(nowhere.to_string().starts_with("\"Europe/Nowhere\" is no time zone"));
    }

    proptest! {
        #[test]
        fn where_clocks_never_change_a_window_is_a_part_of_the_week(
            from in 0..10_080_i64, to in 0..10_080_i64, at in 0..10_080_i64, week in 0..3_000_i64
        ) {
            prop_assume!(from != to);
            let name = |minute: i64| {
                let (day, hour, minute) = (minute / 1440, minute / 60 % 24, minute % 60);
                format!("{} {hour:02}:{minute:02}", DAYS[usize::try_from(day).unwrap()].0)
            };
            let window = window(&format!("{} - {} UTC", name(from), name(to)));
            // 1970-01-05 was a Monday.
            let monday = 4 * 86_400 + week * 604_800;
            let now = Timestamp::from_second(monday + at * 60).unwrap();
            let is_open = (at - from).rem_euclid(10_080) < (to - from).rem_euclid(10_080);
            prop_assert_eq!(open(&[window], now).is_some(), is_open);
        }
    }
}
