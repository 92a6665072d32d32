//! The Gregorian calendar, in both directions and without end.

pub(super) const SECONDS_OF_DAY: i64 = 86_400;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The days of a year without February 29 before each month, and after the last.
pub(super) const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// The day of the year, from 1.
    pub(super) year_day: i64,
    /// From Sunday, which is 0.
    pub(super) week_day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Civil {
    /// The date so many days after 1970-01-01, so many seconds after midnight.
    pub(super) fn of(days: i64, seconds: i64) -> Self {
        // Years from March on, in periods of 400, so that the leap day is the last of its year.
        let shifted = days + 719_468;
        let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let from_march = (5 * day + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month,
            day: day - (153 * from_march + 2) / 5 + 1,
            year_day: days - days_before(year, 1, 1) + 1,
            week_day: (days + 4).rem_euclid(7),
            hour: seconds / 3_600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }
}

/// The days from 1970-01-01 to a date; `month` is 1 to 12, and `day` may be any number.
pub(super) fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days a month has; `month` is 1 to 12.
pub(super) fn days_in(year: i64, month: i64) -> i64 {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_before(next.0, next.1, 1) - days_before(year, month, 1)
}

/// The name at a number, empty if there is none.
pub(super) fn name(names: &[&'static str], number: i64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| names.get(number)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_centuries_comes_back() {
        for days in -900_000..900_000 {
            let date = Civil::of(days, 0);
            assert_eq!(days_before(date.year, date.month, date.day), days);
        }
        assert_eq!(Civil::of(-719_528, 0).year, 0);
        assert_eq!((days_in(2024, 2), days_in(1900, 2), days_in(2023, 12)), (29, 28, 31));
        assert!(is_leap(2000) && !is_leap(2100));
    }
}
