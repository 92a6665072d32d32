//! What methods of dates answer that is a number with a type of its own: months, days of the week, durations.
//!
//! Source: golang/go:src/time/time.go.

use std::time::Duration;

use super::super::functions::{Function, Param, answer, int};
use super::super::value::{NumberType, Value};
use super::calendar::{DAYS, MONTHS, name};
use crate::domain::duration::GoDuration;

/// `time.Month`, from 1.
pub(super) static MONTH: NumberType = NumberType {
    name: "time.Month",
    kind: "int",
    calls: &[Function::fixed("String", &[], |v| answer(month(int(v, 0))))],
    text: month,
};

/// `time.Weekday`, from Sunday, which is 0.
pub(super) static WEEKDAY: NumberType = NumberType {
    name: "time.Weekday",
    kind: "int",
    calls: &[Function::fixed("String", &[], |v| answer(week_day(int(v, 0))))],
    text: week_day,
};

/// `time.Duration`, in nanoseconds.
pub(super) static DURATION: NumberType = NumberType {
    name: "time.Duration",
    kind: "int64",
    calls: &[
        Function::fixed("String", &[], |v| answer(shown(int(v, 0)))),
        Function::fixed("Nanoseconds", &[], |v| Ok(Value::Int64(int(v, 0)))),
        Function::fixed("Microseconds", &[], |v| Ok(Value::Int64(int(v, 0) / 1_000))),
        Function::fixed("Milliseconds", &[], |v| Ok(Value::Int64(int(v, 0) / 1_000_000))),
        Function::fixed("Seconds", &[], |v| Ok(parts(int(v, 0), 1_000_000_000))),
        Function::fixed("Minutes", &[], |v| Ok(parts(int(v, 0), 60_000_000_000))),
        Function::fixed("Hours", &[], |v| Ok(parts(int(v, 0), 3_600_000_000_000))),
        Function::fixed("Abs", &[], |v| Ok(duration(int(v, 0).checked_abs().unwrap_or(i64::MAX)))),
        Function::fixed("Truncate", &[Param::Duration], |v| {
            Ok(duration(int(v, 0) - if int(v, 1) > 0 { int(v, 0) % int(v, 1) } else { 0 }))
        }),
        Function::fixed("Round", &[Param::Duration], |v| Ok(duration(rounded(int(v, 0), int(v, 1))))),
    ],
    text: shown,
};

pub(super) fn duration(nanoseconds: i64) -> Value {
    Value::Named(nanoseconds, &DURATION)
}

fn month(number: i64) -> String {
    named(name(&MONTHS, number - 1), "Month", number)
}

fn week_day(number: i64) -> String {
    named(name(&DAYS, number), "Weekday", number)
}

/// A name, or what Go says of a number that has none.
fn named(name: &str, kind: &str, number: i64) -> String {
    if name.is_empty() { format!("%!{kind}({number})") } else { name.to_owned() }
}

/// `time.Duration.String`.
pub(in super::super) fn shown(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    format!("{sign}{}", GoDuration(Duration::from_nanos(nanoseconds.unsigned_abs())))
}

/// How many units that is; whole ones and the rest are converted each for itself.
#[expect(clippy::cast_precision_loss, reason = "Go converts so too")]
fn parts(nanoseconds: i64, unit: i64) -> Value {
    Value::Float((nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64)
}

/// To the nearest multiple of `step`, halves away from zero; beyond 64 bits the nearest number there is.
fn rounded(nanoseconds: i64, step: i64) -> i64 {
    if step <= 0 {
        return nanoseconds;
    }
    let beyond = (nanoseconds % step).abs();
    let to = if i128::from(beyond) * 2 < i128::from(step) { -beyond } else { step - beyond };
    if nanoseconds < 0 { nanoseconds.saturating_sub(to) } else { nanoseconds.saturating_add(to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_away_from_zero_and_never_go_around() {
        assert_eq!(
            [rounded(15, 10), rounded(-15, 10), rounded(14, 10), rounded(-14, 10)],
            [20, -20, 10, -10]
        );
        assert_eq!([rounded(i64::MAX, 10), rounded(i64::MIN, 10)], [i64::MAX, i64::MIN]);
        assert_eq!([rounded(7, 0), rounded(7, -1)], [7, 7]);
    }

    #[test]
    fn a_number_without_a_name_says_so() {
        assert_eq!(
            [month(0), month(2), week_day(0), week_day(7)],
            ["%!Month(0)", "February", "Sunday", "%!Weekday(7)"]
        );
    }
}
