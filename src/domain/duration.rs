//! Go's durations, as Flux's objects spell them.

use std::fmt;
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

/// A text that is no duration to Go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time: invalid duration {0:?}")]
pub struct DurationError(pub String);

/// Go's units and how many nanoseconds each has; longer spellings first where one begins with another.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 6e10),
    ("h", 3.6e12),
];

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || DurationError(text.to_owned());
        if text == "0" {
            return Ok(Self::default());
        }
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        let mut nanoseconds = 0.0;
        if rest.is_empty() {
            return Err(error());
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
            let (number, tail) = rest.split_at(end);
            let number: f64 = number.parse().ok().ok_or_else(error)?;
            let (unit, size) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit)).ok_or_else(error)?;
            nanoseconds += number * size;
            rest = tail.strip_prefix(unit).unwrap_or_default();
        }
        // Go's durations are 64 bits of nanoseconds.
        if nanoseconds >= 9.223_372_036_854_775e18 {
            return Err(error());
        }
        Ok(Self(Duration::from_secs_f64(nanoseconds / 1e9)))
    }
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
}
