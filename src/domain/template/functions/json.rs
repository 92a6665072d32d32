//! JSON as Go's `encoding/json` reads it, and what is wrong with a text that is none, in Go's words.
//!
//! Source: golang/go:src/encoding/json/scanner.go, decode.go.

use std::collections::BTreeMap;

use super::super::format::quote;
use super::super::value::{ANY, MAX_NESTING, Value, too_deep};

/// What became of a text.
pub(super) struct Parsed {
    /// What it says; nothing where it is no JSON or a number does not fit.
    pub(super) value: Value,
    /// Go's complaint, if it has one.
    pub(super) error: Option<String>,
}

/// Reads `text`.
///
/// # Errors
/// It nests deeper than [`MAX_NESTING`], which is no reason for Go to complain.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let mut scanner = Scanner { text, at: 0, unfit: None };
    let value = scanner.value(0).and_then(|value| match scanner.skip_space() {
        Some(byte) => Err(Wrong::Character(byte, "after top-level value".to_owned())),
        None => Ok(value),
    });
    let error = match value {
        Ok(value) => return Ok(Parsed { value, error: scanner.unfit }),
        Err(Wrong::Depth) => return Err(too_deep()),
        Err(Wrong::End) => "unexpected end of JSON input".to_owned(),
        Err(Wrong::Character(byte, place)) => format!("invalid character {} {place}", shown(byte)),
    };
    Ok(Parsed { value: Value::Nil, error: Some(error) })
}

enum Wrong {
    End,
    Character(u8, String),
    Depth,
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// The complaint about the first number that is too large.
    unfit: Option<String>,
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.peek()
    }

    /// The text from `start` up to here.
    fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// What stands here is wrong.
    fn wrong<T>(&self, place: &str) -> Result<T, Wrong> {
        Err(self.peek().map_or(Wrong::End, |byte| Wrong::Character(byte, place.to_owned())))
    }

    /// The same within what a blank does not end; Go puts one behind the text.
    fn broken<T>(&self, place: &str) -> Result<T, Wrong> {
        Err(Wrong::Character(self.peek().unwrap_or(b' '), place.to_owned()))
    }

    fn value(&mut self, depth: usize) -> Result<Value, Wrong> {
        if depth >= MAX_NESTING {
            return Err(Wrong::Depth);
        }
        match self.skip_space() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::text),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Nil),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                self.number()?;
                Ok(self.float(start))
            }
            _ => self.wrong("looking for beginning of value"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut entries = BTreeMap::new();
        self.at += 1;
        if self.skip_space() == Some(b'}') {
            self.at += 1;
            return Ok(Value::dict(entries));
        }
        loop {
            if self.skip_space() != Some(b'"') {
                return self.wrong("looking for beginning of object key string");
            }
            let key = self.string()?;
            if self.skip_space() != Some(b':') {
                return self.wrong("after object key");
            }
            self.at += 1;
            entries.insert(key.into(), self.value(depth + 1)?);
            match self.skip_space() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.wrong("after object key:value pair"),
            }
        }
        self.at += 1;
        Ok(Value::dict(entries))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut items = Vec::new();
        self.at += 1;
        if self.skip_space() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(ANY, items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.skip_space() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.wrong("after array element"),
            }
        }
        self.at += 1;
        Ok(Value::list(ANY, items))
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            text.push_str(self.since(start));
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => text.push(self.escape()?),
                _ => return self.wrong("in string literal"),
            }
        }
        self.at += 1;
        Ok(text)
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        self.at += 1;
        let meant = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return self.broken("in string escape code"),
        };
        self.at += 1;
        Ok(meant)
    }

    /// What follows `\`; half a pair of surrogates stands for U+FFFD.
    fn code_point(&mut self) -> Result<char, Wrong> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) || !self.rest().starts_with("\\u") {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let between = self.at;
        self.at += 1;
        let second = self.four_digits()?;
        if (0xdc00..0xe000).contains(&second) {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at = between;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The four digits behind the `u` here.
    fn four_digits(&mut self) -> Result<u32, Wrong> {
        let mut code = 0;
        for _ in 0..4 {
            self.at += 1;
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.broken("in \\u hexadecimal character escape");
            };
            code = code * 16 + digit;
        }
        self.at += 1;
        Ok(code)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Wrong> {
        for letter in word.bytes() {
            if self.peek() != Some(letter) {
                return self.broken(&format!("in literal {word} (expecting {})", shown(letter)));
            }
            self.at += 1;
        }
        Ok(value)
    }

    /// The number from `start` up to here.
    fn float(&mut self, start: usize) -> Value {
        let text = self.since(start);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Float(number),
            _ => {
                let unfit = || format!("json: cannot unmarshal number {text} into Go value of type float64");
                self.unfit.get_or_insert_with(unfit);
                Value::Nil
            }
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self) -> Result<(), Wrong> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else if !self.digits() {
            return self.broken("in numeric literal");
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.digits() {
                return self.broken("after decimal point in numeric literal");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.digits() {
                return self.broken("in exponent of numeric literal");
            }
        }
        Ok(())
    }
}

/// A byte in single quotes.
fn shown(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => {
            let quoted = quote(&char::from(byte).to_string());
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_go() {
        for (text, expected) in [
            ("{", Some("unexpected end of JSON input")),
            ("", Some("unexpected end of JSON input")),
            ("[]]", Some("invalid character ']' after top-level value")),
            ("{a", Some("invalid character 'a' looking for beginning of object key string")),
            ("[1 2]", Some("invalid character '2' after array element")),
            ("{\"a\"1", Some("invalid character '1' after object key")),
            ("nul!", Some("invalid character '!' in literal null (expecting 'l')")),
            ("01", Some("invalid character '1' after top-level value")),
            ("1.x", Some("invalid character 'x' after decimal point in numeric literal")),
            ("\"\\x\"", Some("invalid character 'x' in string escape code")),
            ("nul", Some("invalid character ' ' in literal null (expecting 'l')")),
            ("[tru", Some("invalid character ' ' in literal true (expecting 'e')")),
            ("-", Some("invalid character ' ' in numeric literal")),
            ("[1.", Some("invalid character ' ' after decimal point in numeric literal")),
            ("1e", Some("invalid character ' ' in exponent of numeric literal")),
            ("\"abc", Some("unexpected end of JSON input")),
            ("\"abc\\", Some("invalid character ' ' in string escape code")),
            ("\"\\u12", Some("invalid character ' ' in \\u hexadecimal character escape")),
            ("[1e400, 2e999]", Some("json: cannot unmarshal number 1e400 into Go value of type float64")),
            ("[1e400", Some("unexpected end of JSON input")),
            ("'", Some("invalid character '\\'' looking for beginning of value")),
            (" {\"a\": [1, -2.5e3, \"\\u00e9\"]} ", None),
        ] {
            assert_eq!(parse(text).unwrap().error.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn half_a_pair_of_surrogates_is_a_replacement_and_a_number_too_large_is_nothing() {
        for (text, printed) in [
            (r#""\ud800""#, "\u{fffd}"),
            (r#""\ud800\udc00""#, "\u{10000}"),
            (r#""\ud800x\udbff\u0041""#, "\u{fffd}x\u{fffd}A"),
            (r#""\ud800\ud800\udc00""#, "\u{fffd}\u{10000}"),
            (r#"{"\udc00":1}"#, "map[\u{fffd}:1]"),
            (r#"{"a":[1,2e999]}"#, "map[a:[1 <nil>]]"),
        ] {
            let value = parse(text).unwrap().value;
            assert_eq!(super::super::super::format::display(&value).as_deref(), Ok(printed), "{text}");
        }
    }

    #[test]
    fn what_nests_too_deeply_is_said() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(100)).is_ok());
        assert_eq!(parse(&nested(100_000)).err(), Some(too_deep()));
    }
}
