//! Durations in Go's notation: those of Flux's objects, and those that templates calculate with.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration in Go's notation, such as `1h30m`, `1.5h` or `500ms`.
///
/// Prints as Go prints it (`5m` becomes `5m0s`).
///
/// Source: Go `time.ParseDuration`, `time.Duration.String`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GoDuration(pub Duration);

/// A text that is no duration to Go, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time: {what} {}", quoted(.text.as_bytes()))]
pub struct DurationError {
    what: String,
    text: String,
}

impl DurationError {
    fn new(what: impl Into<String>, text: &str) -> Self {
        Self { what: what.into(), text: text.to_owned() }
    }

    fn invalid(text: &str) -> Self {
        Self::new("invalid duration", text)
    }
}

/// Go's units, and how many nanoseconds each has.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Go's durations are 64 bits of nanoseconds; the longest is a negative one.
const LONGEST: u64 = 1 << 63;

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let nanoseconds = parse_nanoseconds(text)?;
        match u64::try_from(nanoseconds) {
            Ok(nanoseconds) => Ok(Self(Duration::from_nanos(nanoseconds))),
            Err(_negative) => Err(DurationError::invalid(text)),
        }
    }
}

/// Nanoseconds of a duration, which may be negative.
///
/// # Errors
/// The text is no duration, or one that 64 bits do not hold.
///
/// Source: Go `time.ParseDuration`.
pub fn parse_nanoseconds(text: &str) -> Result<i64, DurationError> {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(DurationError::invalid(text));
    }
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (part, tail) = number_with_unit(rest, text)?;
        let longer = sum.checked_add(part).filter(|sum| *sum <= LONGEST);
        sum = longer.ok_or_else(|| DurationError::invalid(text))?;
        rest = tail;
    }
    let signed =
        if text.starts_with('-') { 0_i64.checked_sub_unsigned(sum) } else { i64::try_from(sum).ok() };
    signed.ok_or_else(|| DurationError::invalid(text))
}

/// The nanoseconds of the first number and its unit, at most [`LONGEST`], and what stands behind them in `whole`.
fn number_with_unit<'t>(text: &'t str, whole: &str) -> Result<(u64, &'t str), DurationError> {
    let invalid = || DurationError::invalid(whole);
    let (digits, rest) = leading_digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), leading_digits);
    if digits.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let unit_end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    if unit.is_empty() {
        return Err(DurationError::new("missing unit in duration", whole));
    }
    let Some((_, size)) = UNITS.iter().find(|(known, _)| *known == unit) else {
        let what = format!("unknown unit {} in duration", quoted(unit.as_bytes()));
        return Err(DurationError::new(what, whole));
    };
    let number = if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
    let number = number.and_then(|number| number.checked_mul(*size)).filter(|number| *number <= LONGEST);
    let number = number.ok_or_else(invalid)? + part_of(*size, fraction);
    if number > LONGEST { Err(invalid()) } else { Ok((number, rest)) }
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// `size` times the fraction with these digits behind the point; digits beyond the 19th do not count.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Go calculates so too"
)]
fn part_of(size: u64, digits: &str) -> u64 {
    let (mut number, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes().map(|digit| u64::from(digit - b'0')) {
        let next = number.checked_mul(10).and_then(|number| number.checked_add(digit));
        let Some(next) = next.filter(|next| *next <= LONGEST) else { break };
        (number, scale) = (next, scale * 10.0);
    }
    (number as f64 * (size as f64 / scale)) as u64
}

/// A text in quotes as Go's package `time` writes it in errors: every byte that is not printable ASCII by its number.
pub(in crate::domain) fn quoted(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in text {
        let _ = match byte {
            b'"' | b'\\' => write!(quoted, "\\{}", char::from(*byte)),
            b' '..=0x7f => write!(quoted, "{}", char::from(*byte)),
            byte => write!(quoted, "\\x{byte:02x}"),
        };
    }
    quoted + "\""
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.as_nanos();
        if nanoseconds == 0 {
            return f.write_str("0s");
        }
        if nanoseconds < 1_000_000_000 {
            let (unit, size) = match nanoseconds {
                0..1_000 => ("ns", 1),
                1_000..1_000_000 => ("µs", 1_000),
                _ => ("ms", 1_000_000),
            };
            return write!(f, "{}{unit}", decimal(nanoseconds, size));
        }
        let seconds = nanoseconds / 1_000_000_000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{}s", decimal(nanoseconds % 60_000_000_000, 1_000_000_000))
    }
}

/// `value / size` without trailing zeros; `size` is a power of ten.
fn decimal(value: u128, size: u128) -> String {
    let (whole, part) = (value / size, value % size);
    if part == 0 {
        return whole.to_string();
    }
    let digits = size.ilog10() as usize;
    let part = format!("{part:0digits$}");
    format!("{whole}.{}", part.trim_end_matches('0'))
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go_does() {
        for (text, printed) in [
            ("5m", "5m0s"),
            ("1h", "1h0m0s"),
            ("90s", "1m30s"),
            ("1.5h", "1h30m0s"),
            ("500ms", "500ms"),
            ("1.5s", "1.5s"),
            ("0", "0s"),
            ("30s", "30s"),
            ("1h30m5s", "1h30m5s"),
        ] {
            assert_eq!(text.parse::<GoDuration>().unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "5", "m", "5x", "1m5", "-5m", "5 m", "1..5s"] {
            assert!(text.parse::<GoDuration>().is_err(), "{text}");
        }
    }

    #[test]
    fn errors_are_go_s_and_so_are_the_limits() {
        for (text, error) in [
            ("5", "time: missing unit in duration \"5\""),
            ("1é", "time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\""),
            ("1h.s", "time: invalid duration \"1h.s\""),
            ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
        ] {
            assert_eq!(parse_nanoseconds(text).unwrap_err().to_string(), error);
        }
        assert_eq!(parse_nanoseconds("-9223372036854775808ns"), Ok(i64::MIN));
        assert_eq!(parse_nanoseconds("-1h2m3.000000001s"), Ok(-3_723_000_000_001));
        assert_eq!(
            parse_nanoseconds(".5ms+"),
            Err(DurationError::new("unknown unit \"ms+\" in duration", ".5ms+"))
        );
    }
}
