//! Floating-point numbers as `strconv` spells them.

/// A floating-point number as `%v` and `%g` print it: shortest, with an exponent below 1e-4 and from 1e6 (or the
/// precision) on.
pub(in super::super) fn general(number: f64, precision: Option<usize>) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    let limit = match precision {
        Some(precision) => precision.max(1),
        None => 6,
    };
    let digits = match precision {
        Some(precision) => scientific(number, Some(precision.max(1) - 1)),
        None => scientific(number, None),
    };
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    let mantissa =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    if power < -4 || power >= i32::try_from(limit).unwrap_or(i32::MAX) {
        return format!("{mantissa}e{exponent}");
    }
    let rounded: f64 = digits.parse().unwrap_or(number);
    format!("{rounded}")
}

pub(super) fn special(number: f64) -> Option<String> {
    if number.is_nan() {
        return Some("NaN".to_owned());
    }
    number.is_infinite().then(|| if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() })
}

/// `%e`: at least two digits in the exponent, always with a sign; `None`: as many digits as it takes.
pub(super) fn scientific(number: f64, precision: Option<usize>) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    let text = match precision {
        Some(precision) => format!("{number:.*e}", precision.min(1000)),
        None => format!("{number:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = match exponent.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{power:0>2}")
}
