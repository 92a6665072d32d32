//! Numbers as Go reads them: `007`, `1e3`, `0x1p-2`, `1_000`, `inf`.
//!
//! Source: golang/go, `src/strconv/atof.go` (`ParseFloat` with 64 bits).

/// Reads `text` as Go's `strconv.ParseFloat` would; `None` if that would fail, as it does for what is too large.
pub fn parse_float(text: &str) -> Option<f64> {
    if let Some(number) = parse_digits(text.as_bytes()) {
        return Some(number);
    }
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if magnitude.eq_ignore_ascii_case("inf") || magnitude.eq_ignore_ascii_case("infinity") {
        return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    if !separates_digits(magnitude) {
        return None;
    }
    let hex = magnitude.strip_prefix("0x").or_else(|| magnitude.strip_prefix("0X"));
    let number = hex.map_or_else(|| parse_decimal(magnitude), parse_hexadecimal)?;
    Some(if negative { -number } else { number })
}

/// Digits alone, few enough for 64 bits: what nearly every tag has.
#[expect(clippy::cast_precision_loss, reason = "rounding to the nearest is what Go does too")]
fn parse_digits(bytes: &[u8]) -> Option<f64> {
    if bytes.is_empty() || bytes.len() > 19 {
        return None;
    }
    let mut value = 0_u64;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value as f64)
}

/// Whether every underscore stands between two digits, or between the prefix of a hexadecimal number and a digit.
fn separates_digits(magnitude: &str) -> bool {
    let bytes = magnitude.as_bytes();
    let hex = matches!(bytes, [b'0', b'x' | b'X', ..]);
    let is_digit = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_digit() || (hex && matches!(byte, b'a'..=b'f' | b'A'..=b'F')))
    };
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(index, _)| {
        let before = index.checked_sub(1).and_then(|index| bytes.get(index));
        let follows_prefix = hex && index == 2;
        (is_digit(before) || follows_prefix) && is_digit(bytes.get(index + 1))
    })
}

/// Rust's own parser reads decimal numbers the same way, once what only it knows is ruled out.
fn parse_decimal(text: &str) -> Option<f64> {
    let known = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-' | b'_');
    if !text.bytes().all(known) || !text.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let number: f64 = text.replace('_', "").parse().ok()?;
    number.is_finite().then_some(number)
}

/// Reads what follows `0x`: digits, at most one point among them, and the exponent, which must be there.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let mut mantissa = Mantissa::default();
    for byte in digits.bytes().filter(|byte| *byte != b'_') {
        match byte {
            b'.' if !mantissa.fraction => mantissa.fraction = true,
            _ => mantissa.push(u64::from(char::from(byte).to_digit(16)?)),
        }
    }
    let exponent = parse_exponent(exponent)?;
    if mantissa.any { mantissa.scale(exponent) } else { None }
}

/// A decimal exponent; one that is beyond all use is brought back to a size that can be added to.
fn parse_exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(sign * digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40))
}

/// The digits of a hexadecimal number.
#[derive(Debug, Default)]
struct Mantissa {
    value: u64,
    /// Whether anything but zeros had to be left out of `value`.
    more: bool,
    /// The power of two that `value` is to be multiplied by.
    power: i64,
    fraction: bool,
    any: bool,
}

impl Mantissa {
    fn push(&mut self, digit: u64) {
        self.any = true;
        if self.value >> 60 == 0 {
            self.value = self.value << 4 | digit;
            self.power -= if self.fraction { 4 } else { 0 };
        } else {
            self.more |= digit != 0;
            self.power += if self.fraction { 0 } else { 4 };
        }
    }

    /// The number nearest to `value * 2^(power + exponent)`, ties to even; `None` if it is too large.
    fn scale(&self, exponent: i64) -> Option<f64> {
        if self.value == 0 {
            return Some(0.0);
        }
        let shift = self.value.leading_zeros();
        // The exponent of the first bit, then how many bits fit behind it: fewer below the smallest normal number.
        let first = self.power + exponent + 63 - i64::from(shift);
        if first > 1023 {
            return None;
        }
        let keep = 53 - (-1022 - first).max(0);
        if keep < 0 {
            return Some(0.0);
        }
        let wide = u128::from(self.value << shift) << 1 | u128::from(self.more);
        let drop = u32::try_from(65 - keep).ok()?;
        let (mut bits, rest, half) = (wide >> drop, wide & ((1 << drop) - 1), 1_u128 << (drop - 1));
        if rest > half || (rest == half && bits & 1 == 1) {
            bits += 1;
        }
        let bits = u64::try_from(bits).ok()?;
        // The leading bit of a normal number carries over into its exponent.
        let biased = if first < -1022 { 0 } else { u64::try_from(first + 1022).ok()? };
        let number = f64::from_bits((biased << 52) + bits);
        number.is_finite().then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, number) in [
            ("007", 7.0),
            ("5.", 5.0),
            (".5", 0.5),
            ("+7", 7.0),
            ("-1e3", -1000.0),
            ("1_000", 1000.0),
            ("0x1p4", 16.0),
            ("0x.8p0", 0.5),
            ("0x_1p4", 16.0),
            ("-0X1.8P1", -3.0),
            ("0x1p-1074", 5e-324),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
            ("0x1.fffffffffffff7p1023", f64::MAX),
            ("1e-400", 0.0),
            ("18446744073709551616", 18_446_744_073_709_551_616.0),
            ("Inf", f64::INFINITY),
            ("-infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_float(text), Some(number), "{text}");
        }
        assert!(parse_float("NaN").is_some_and(f64::is_nan));
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            " 1",
            "1 ",
            "0x10",
            "0b1",
            "+nan",
            "-nan",
            "1e400",
            "1e",
            ".",
            "1.2.3",
            "12a",
            "_1",
            "1_",
            "1__0",
            "1_.0",
            "0x1p",
            "0xp1",
            "0x",
            "--1",
            "+",
            "0x1p1024",
            "0x1.fffffffffffff8p1023",
            "in",
            "1e_1",
            "é",
        ] {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_parser(text in any::<String>()) {
            let _ = parse_float(&text);
        }

        #[test]
        fn hexadecimal_digits_mean_what_they_say(value in any::<u32>(), power in -60_i32..60) {
            let number = parse_float(&format!("0x{value:x}p{power}"));
            prop_assert_eq!(number, Some(f64::from(value) * 2_f64.powi(power)));
        }
    }
}
