//! What string, character and number constants stand for.
//!
//! Source: golang/go:src/strconv/quote.go, atoi.go; src/text/template/parse/node.go, `newNumber`.

use super::format::quote;
use super::lex::{Kind, Token};
use super::node::Number;
use crate::domain::policy::numeric::parse_float;

/// The value of a Go string literal; `None` if it is none.
///
/// Bytes that are no UTF-8 become U+FFFD, as everywhere in a message.
pub(super) fn unquote(literal: &str) -> Option<String> {
    let mark = literal.chars().next()?;
    let inner = literal.strip_prefix(mark)?.strip_suffix(mark)?;
    if mark == '`' {
        return Some(inner.replace('\r', ""));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (value, tail) = unquote_char(rest, mark)?;
        match value {
            Unquoted::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Unquoted::Byte(byte) => bytes.push(byte),
        }
        rest = tail;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

enum Unquoted {
    Char(char),
    /// From `\x…` or an octal escape.
    Byte(u8),
}

fn unquote_char(text: &str, mark: char) -> Option<(Unquoted, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        return (first != mark).then_some((Unquoted::Char(first), chars.as_str()));
    }
    let kind = chars.next()?;
    let rest = chars.as_str();
    let simple = |c| Some((Unquoted::Char(c), rest));
    let digits = |from: &'_ str, count: usize, radix: u32| {
        from.get(..count)
            .filter(|text| text.bytes().all(|b| b != b'+'))
            .and_then(|t| u32::from_str_radix(t, radix).ok())
    };
    match kind {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        '\'' | '"' if kind == mark => simple(kind),
        'x' => Some((Unquoted::Byte(u8::try_from(digits(rest, 2, 16)?).ok()?), rest.get(2..)?)),
        'u' => Some((Unquoted::Char(char::from_u32(digits(rest, 4, 16)?)?), rest.get(4..)?)),
        'U' => Some((Unquoted::Char(char::from_u32(digits(rest, 8, 16)?)?), rest.get(8..)?)),
        '0'..='7' => {
            let from = text.get(1..)?;
            Some((Unquoted::Byte(u8::try_from(digits(from, 3, 8)?).ok()?), from.get(3..)?))
        }
        _ => None,
    }
}

/// What a constant is worth as an integer, an unsigned integer and a floating-point number.
pub(super) fn number(token: &Token<'_>) -> Result<Number, String> {
    let text = &*token.text;
    let mut number = Number { text: text.into(), ..Number::default() };
    if token.kind == Kind::CharConstant {
        let inner = text.strip_prefix('\'').unwrap_or(text);
        let (value, tail) = unquote_char(inner, '\'').ok_or("invalid syntax")?;
        if tail != "'" {
            return Err(format!("malformed character constant: {text}"));
        }
        let value = match value {
            Unquoted::Char(c) => u32::from(c),
            Unquoted::Byte(byte) => u32::from(byte),
        };
        number.int = Some(value.into());
        number.uint = Some(value.into());
        number.float = Some(value.into());
        return Ok(number);
    }
    if token.kind == Kind::Complex || text.ends_with('i') {
        return Err(format!("complex number not supported: {}", quote(text)));
    }
    let (int, uint) = integers(text);
    number.int = int;
    number.uint = uint.or(int.filter(|&value| value == 0).map(|_| 0));
    #[expect(clippy::cast_precision_loss, reason = "Go converts so too")]
    {
        number.float = int.map(|value| value as f64).or(uint.map(|value| value as f64));
    }
    if number.float.is_none() {
        fraction(text, &mut number)?;
    }
    Ok(number)
}

/// The first number that is too large for 63 bits and a sign.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

fn fraction(text: &str, number: &mut Number) -> Result<(), String> {
    let Some(value) = parse_float(text) else {
        return Err(format!("illegal number syntax: {}", quote(text)));
    };
    if !text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err(format!("integer overflow: {}", quote(text)));
    }
    number.float = Some(value);
    let is_whole = value.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "guarded by the ranges")]
    {
        number.int = (is_whole && (-TWO_63..TWO_63).contains(&value)).then_some(value as i64);
        number.uint = (is_whole && (0.0..2.0 * TWO_63).contains(&value)).then_some(value as u64);
    }
    Ok(())
}

/// Whether every underscore stands between digits, or between a base prefix and a digit.
fn underscores_separate(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let prefixed = bytes.first() == Some(&b'0') && bytes.get(1).is_some_and(u8::is_ascii_alphabetic);
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
        (digit(before) || (prefixed && at == 2)) && digit(bytes.get(at + 1))
    })
}

/// The value of an integer constant with an optional base prefix.
pub(super) fn integers(text: &str) -> (Option<i64>, Option<u64>) {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.get(..1).unwrap_or_default(), digits),
        None => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)),
        Some("0o") => (8, lower.get(2..)),
        Some("0b") => (2, lower.get(2..)),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.get(1..)),
        _ => (10, Some(lower.as_str())),
    };
    let body = body.unwrap_or_default();
    if !underscores_separate(digits) {
        return (None, None);
    }
    let clean = body.replace('_', "");
    if clean.is_empty() || !clean.chars().all(|c| c.is_digit(radix)) {
        return (None, None);
    }
    let int = i64::from_str_radix(&format!("{sign}{clean}"), radix).ok();
    let uint = if sign.is_empty() { u64::from_str_radix(&clean, radix).ok() } else { None };
    (int, uint)
}
