//! The type that each of Flux's two YAML readers gives an unquoted scalar.
//!
//! Source: `yaml/go-yaml` v3.0.4 and v2.4.2, `resolve.go`.

use crate::domain::template::fits_layout;

/// What an unquoted scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    Text,
}

const NULLS: &[&str] = &["", "~", "null", "Null", "NULL"];
const BOOLS: &[&str] = &["true", "True", "TRUE", "false", "False", "FALSE"];
/// What YAML 1.1 takes for true or false beside these.
const OLD_BOOLS: &[&str] =
    &["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
const FLOATS: &[&str] =
    &[".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"];
const TIMES: &[&str] = &[
    "2006-1-2T15:4:5.999999999Z07:00",
    "2006-1-2t15:4:5.999999999Z07:00",
    "2006-1-2 15:4:5.999999999",
    "2006-1-2",
];

/// The type by which Flux keeps a scalar, and writes it again.
pub(super) fn kept(text: &str) -> Type {
    if is_timestamp(text) { Type::Timestamp } else { word_or_number(text) }
}

/// Whether a reader of YAML 1.1 takes a text for something else, so that Flux puts it in quotes; dates are text to it.
pub(super) fn is_quoted(text: &str) -> bool {
    let is_text = text.is_empty() || text.contains('\n');
    !is_text && (OLD_BOOLS.contains(&text) || word_or_number(text) != Type::Text)
}

fn word_or_number(text: &str) -> Type {
    match text.bytes().next() {
        _ if NULLS.contains(&text) => Type::Null,
        _ if BOOLS.contains(&text) => Type::Bool,
        _ if FLOATS.contains(&text) => Type::Float,
        Some(b'.') if is_float(text) => Type::Float,
        Some(b'0'..=b'9' | b'+' | b'-') => number(&text.replace('_', "")),
        _ => Type::Text,
    }
}

fn number(text: &str) -> Type {
    if is_int(text) {
        Type::Int
    } else if is_float(text) {
        Type::Float
    } else {
        Type::Text
    }
}

/// `strconv.ParseInt` or `ParseUint` with base 0 and 64 bits.
fn is_int(text: &str) -> bool {
    let (sign, digits) = match text.split_at_checked(1) {
        Some((sign @ ("+" | "-"), digits)) => (sign, digits),
        _ => ("", text),
    };
    let prefixed = digits.get(..2).filter(|_| digits.len() > 2).map(str::to_ascii_lowercase);
    let (base, digits) = match prefixed.as_deref() {
        Some("0x") => (16, digits.get(2..)),
        Some("0o") => (8, digits.get(2..)),
        Some("0b") => (2, digits.get(2..)),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)),
        _ => (10, Some(digits)),
    };
    let digits = digits.unwrap_or_default();
    let largest = match sign {
        "-" => 1 << 63,
        "+" => (1 << 63) - 1,
        _ => u64::MAX,
    };
    digits.chars().all(|digit| digit.is_digit(base))
        && u64::from_str_radix(digits, base).is_ok_and(|number| number <= largest)
}

/// A decimal number that a `float64` holds.
fn is_float(text: &str) -> bool {
    let is_decimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E'));
    is_decimal && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_timestamp(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    year == 4 && text.get(4..5) == Some("-") && TIMES.iter().any(|layout| fits_layout(layout, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_go_s_readers() {
        for (text, of) in [
            ("~", Type::Null),
            ("True", Type::Bool),
            ("yes", Type::Text),
            ("0o17", Type::Int),
            ("0755", Type::Int),
            ("08", Type::Float),
            ("0x_1", Type::Int),
            ("-0b1", Type::Int),
            ("99999999999999999999", Type::Float),
            ("18446744073709551615", Type::Int),
            ("1.e5", Type::Float),
            ("12e4567", Type::Text),
            ("1e", Type::Text),
            ("_1", Type::Text),
            (".5", Type::Float),
            ("-.INF", Type::Float),
            ("2024-1-3", Type::Timestamp),
            ("2024-01-31T10:00:00Z", Type::Timestamp),
            ("2024-01-31T00", Type::Text),
            ("1.2.3", Type::Text),
        ] {
            assert_eq!(kept(text), of, "{text}");
        }
        assert!(is_quoted("on") && is_quoted("1_000") && is_quoted("~"));
        assert!(!is_quoted("2024-01-31") && !is_quoted("") && !is_quoted("oN"));
    }
}
