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
    positional(mantissa, power)
}

/// A number with one digit before its point, times ten to the `power`, written out.
fn positional(mantissa: &str, power: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    let before = usize::try_from(power).map_or(0, |power| power + 1);
    if before == 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-1 - power).unwrap_or(0)));
    }
    match digits.split_at_checked(before) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{digits}{}", "0".repeat(before - digits.len())),
    }
}

/// A floating-point number as `strconv` formats it for `verb`, one of `b e E f g G x X`; no precision: as many digits as
/// it takes.
pub(super) fn spelled(number: f64, verb: char, precision: Option<usize>) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    match verb {
        'e' => scientific(number, precision),
        'f' => {
            let precision = precision.unwrap_or(6);
            format!("{number:.*}", precision.min(MOST_DIGITS)) + &zeros_behind(precision)
        }
        'x' => hexadecimal(number, precision),
        'b' => binary(number),
        'E' | 'G' | 'X' => spelled(number, verb.to_ascii_lowercase(), precision).to_ascii_uppercase(),
        _ => general(number, precision),
    }
}

/// No `float64` has more digits behind its point; what follows is zeros.
const MOST_DIGITS: usize = 1_100;

/// The zeros with which so many digits go on behind [`MOST_DIGITS`] of them.
fn zeros_behind(precision: usize) -> String {
    "0".repeat(precision.saturating_sub(MOST_DIGITS))
}

/// Bits of the fraction of a `float64`, and what is added to its exponent.
const FRACTION: u32 = 52;
const BIAS: i32 = 1023;

/// The mantissa as a whole number, and its exponent were it a fraction with one digit before the point.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let fraction = bits & ((1 << FRACTION) - 1);
    match i32::try_from(bits >> FRACTION & 0x7ff).unwrap_or(0) {
        0 => (fraction, 1 - BIAS),
        exponent => (fraction | 1 << FRACTION, exponent - BIAS),
    }
}

fn sign(number: f64) -> &'static str {
    if number.is_sign_negative() { "-" } else { "" }
}

/// `-4503599627370496p-52`.
fn binary(number: f64) -> String {
    let (mantissa, exponent) = parts(number);
    format!("{}{mantissa}p{:+}", sign(number), exponent - 52)
}

/// `-0x1.8p+00`.
///
/// Source: golang/go:src/strconv/ftoa.go, `fmtX`.
fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    let (mantissa, exponent) = parts(number);
    let lacking = if mantissa == 0 { 0 } else { mantissa.leading_zeros() - (63 - FRACTION) };
    let (mut mantissa, mut exponent) =
        (mantissa << (60 - FRACTION + lacking), exponent - i32::try_from(lacking).unwrap_or(0));
    if mantissa == 0 {
        exponent = 0;
    }
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let below = 60 - 4 * digits;
        let (kept, extra) = (mantissa >> below, mantissa & ((1 << below) - 1));
        let half = 1_u64 << (below - 1);
        let up = extra > half || (extra == half && kept & 1 == 1);
        mantissa = (kept + u64::from(up)) << below;
        if mantissa & 1 << 61 != 0 {
            (mantissa, exponent) = (mantissa >> 1, exponent + 1);
        }
    }
    let digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let fraction = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(precision) => match digits.get(..precision) {
            Some(fraction) => fraction.to_owned(),
            None => format!("{digits}{}", "0".repeat(precision - digits.len())),
        },
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let way = if exponent < 0 { '-' } else { '+' };
    format!("{}0x{}{point}{fraction}p{way}{:02}", sign(number), mantissa >> 60, exponent.abs())
}

/// With `#`: a point whatever follows, and for `verb` `g`, `G`, `x` the zeros that fill it up to `digits`.
///
/// Source: golang/go:src/fmt/format.go, `fmtFloat`.
pub(super) fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let mut missing = if matches!(verb, 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
    let unsigned = text.trim_start_matches(['+', '-', ' ']);
    let is_tail = |c: char| "pP".contains(c) || (!"xX".contains(verb) && "eE".contains(c));
    let end = unsigned.find(is_tail).unwrap_or(unsigned.len());
    let (digits, tail) = unsigned.split_at_checked(end).unwrap_or((unsigned, ""));
    let significant = digits.trim_start_matches(['0', '.']).bytes().filter(|byte| *byte != b'.').count();
    missing = missing.saturating_sub(significant);
    let has_point = digits.contains('.');
    if !has_point && digits == "0" {
        missing = missing.saturating_sub(1);
    }
    let point = if has_point { "" } else { "." };
    let sign = text.strip_suffix(unsigned).unwrap_or_default();
    format!("{sign}{digits}{point}{}{tail}", "0".repeat(missing))
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
        Some(precision) => format!("{number:.*e}", precision.min(MOST_DIGITS)),
        None => format!("{number:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = match exponent.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', exponent),
    };
    let zeros = zeros_behind(precision.unwrap_or(0));
    format!("{mantissa}{zeros}e{sign}{power:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelt_as_strconv_spells_them() {
        for (number, verb, precision, spelt) in [
            (1.0, 'x', None, "0x1p+00"),
            (1.5, 'x', None, "0x1.8p+00"),
            (-2.5e10, 'X', None, "-0X1.74876E8P+34"),
            (0.1, 'x', Some(2), "0x1.9ap-04"),
            (1.999_999, 'x', Some(1), "0x1.0p+01"),
            (0.0, 'x', Some(1), "0x0.0p+00"),
            (5e-324, 'x', None, "0x1p-1074"),
            (1.0, 'b', None, "4503599627370496p-52"),
            (0.5, 'E', Some(1), "5.0E-01"),
            (f64::INFINITY, 'E', None, "+Inf"),
        ] {
            assert_eq!(spelled(number, verb, precision), spelt);
        }
        assert_eq!(with_point("1", 'g', None), "1.00000");
        assert_eq!(with_point("0", 'g', None), "0.00000");
        assert_eq!(with_point("0x1p+00", 'x', None), "0x1.0000p+00");
        assert_eq!(with_point("+1e+06", 'e', Some(0)), "+1.e+06");
        assert_eq!(with_point("0.001", 'f', Some(3)), "0.001");
    }
}
