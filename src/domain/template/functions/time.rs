//! Durations.
//!
//! Source: Masterminds/sprig v3.3.0, date.go; golang/go:src/time/format.go, time.go.

use std::time::Duration;

use super::super::value::Value;
use super::Param::Any;
use super::number::parse_decimal;
use super::text::answer;
use super::{Function, arg};
use crate::domain::duration::GoDuration;

const SECOND: i64 = 1_000_000_000;

/// The units of `durationRound`, longest first, in seconds.
const UNITS: [(u64, &str); 6] =
    [(365 * 86_400, "y"), (30 * 86_400, "mo"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("duration", &[Any], |v| {
        let seconds = match arg(v, 0) {
            Value::Text(text) => parse_decimal(text),
            Value::Int64(seconds) => *seconds,
            _ => 0,
        };
        answer(shown(seconds.wrapping_mul(SECOND)))
    }),
    Function::fixed("durationRound", &[Any], |v| {
        answer(rounded(match arg(v, 0) {
            Value::Text(text) => parse(text).unwrap_or(0),
            Value::Int64(nanoseconds) => *nanoseconds,
            _ => 0,
        }))
    }),
];

/// `time.ParseDuration`, in nanoseconds.
fn parse(text: &str) -> Option<i64> {
    let positive = text.strip_prefix('-').unwrap_or(text);
    if positive.len() < text.len() && positive.starts_with('+') {
        return None;
    }
    let nanoseconds = i64::try_from(positive.parse::<GoDuration>().ok()?.0.as_nanos()).ok()?;
    Some(if positive.len() < text.len() { -nanoseconds } else { nanoseconds })
}

/// `time.Duration.String`.
fn shown(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    format!("{sign}{}", GoDuration(Duration::from_nanos(nanoseconds.unsigned_abs())))
}

fn rounded(nanoseconds: i64) -> String {
    let sizes = UNITS.map(|(seconds, unit)| (seconds * SECOND.unsigned_abs(), unit));
    let size = nanoseconds.unsigned_abs();
    let unit = sizes.iter().find(|(unit, _)| size > *unit);
    unit.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", size / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        assert_eq!(shown(parse("-1h2m3.5s").unwrap()), "-1h2m3.5s");
        assert_eq!(rounded(parse("2h10m5s").unwrap()), "2h");
        assert_eq!(rounded(parse("-400h").unwrap()), "16d");
        assert_eq!((parse_decimal("99999999999999999999"), parse_decimal("1x")), (i64::MAX, 0));
    }
}
