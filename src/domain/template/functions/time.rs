//! Dates and durations.
//!
//! Source: Masterminds/sprig v3.3.0, date.go; golang/go:src/time/format.go, time.go.

use super::super::time::{Moment, ZERO, duration_shown as shown, is_time, parse};
use super::super::value::Value;
use super::Param::{Any, Text, Time};
use super::number::parse_decimal;
use super::{Answer, Function, UNSUPPORTED_TEXT, answer, arg, text};
use crate::domain::duration::parse_nanoseconds;

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
    Function::fixed("durationRound", &[Any], |v| match arg(v, 0) {
        Value::Text(text) => answer(rounded(parse_nanoseconds(text).unwrap_or(0))),
        Value::Int64(nanoseconds) => answer(rounded(*nanoseconds)),
        // How long ago that was.
        Value::Struct(time) if is_time(time) => Err(UNSUPPORTED_TEXT.to_owned()),
        _ => answer(rounded(0)),
    }),
    Function::fixed("toDate", &[Text, Text], |v| {
        Ok(parse(text(v, 0), text(v, 1)).unwrap_or(ZERO).into_value())
    }),
    Function::fixed("mustToDate", &[Text, Text], |v| Ok(parse(text(v, 0), text(v, 1))?.into_value())),
    Function::fixed("mustDateModify", &[Text, Time], modify),
    Function::fixed("must_date_modify", &[Text, Time], modify),
    Function::fixed("unixEpoch", &[Time], |v| answer(time(arg(v, 0)).seconds.to_string())),
];

/// The date, of a value that the row says is one.
fn time(value: &Value) -> Moment {
    match value {
        Value::Struct(time) => Moment::of(time),
        _ => ZERO,
    }
}

fn modify(values: &[Value]) -> Answer {
    let nanoseconds = parse_nanoseconds(text(values, 0)).map_err(|error| error.to_string())?;
    Ok(time(arg(values, 1)).plus(nanoseconds).into_value())
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
        assert_eq!(shown(parse_nanoseconds("-1h2m3.5s").unwrap()), "-1h2m3.5s");
        assert_eq!(rounded(parse_nanoseconds("2h10m5s").unwrap()), "2h");
        assert_eq!(rounded(parse_nanoseconds("-400h").unwrap()), "16d");
        assert_eq!((parse_decimal("99999999999999999999"), parse_decimal("1x")), (i64::MAX, 0));
    }
}
