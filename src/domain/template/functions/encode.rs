//! JSON, Base64 and paths.
//!
//! Source: Masterminds/sprig v3.3.0, defaults.go, strings.go; golang/go:src/encoding/json, src/path.

use std::fmt::Write;

use base64::Engine;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::super::format::{self, MAX_TEXT, Unprinted};
use super::super::time;
use super::super::value::{MAX_NESTING, Struct, Value, too_deep};
use super::Param::{Any, Text};
use super::text::{answer, utf8};
use super::{Function, arg, json, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("toJson", &[Any], |v| answer(to_json(v, Style::Plain).unwrap_or_default())),
    Function::fixed("mustToJson", &[Any], |v| answer(to_json(v, Style::Plain)?)),
    Function::fixed("toPrettyJson", &[Any], |v| answer(to_json(v, Style::Pretty).unwrap_or_default())),
    Function::fixed("mustToPrettyJson", &[Any], |v| answer(to_json(v, Style::Pretty)?)),
    Function::fixed("toRawJson", &[Any], |v| answer(to_json(v, Style::Raw)?)),
    Function::fixed("mustToRawJson", &[Any], |v| answer(to_json(v, Style::Raw)?)),
    Function::fixed("fromJson", &[Text], |v| Ok(json::parse(text(v, 0))?.value)),
    Function::fixed("mustFromJson", &[Text], |v| {
        let json::Parsed { value, error } = json::parse(text(v, 0))?;
        error.map_or(Ok(value), Err)
    }),
    Function::fixed("b64enc", &[Text], |v| answer(STANDARD.encode(text(v, 0)))),
    Function::fixed("b64dec", &[Text], |v| match from_base64(text(v, 0).as_bytes()) {
        Ok(bytes) => answer(utf8(&bytes)),
        Err(at) => answer(format!("illegal base64 data at input byte {at}")),
    }),
    Function::fixed("base", &[Text], |v| answer(base(text(v, 0)))),
    Function::fixed("osBase", &[Text], |v| answer(base(text(v, 0)))),
    Function::fixed("dir", &[Text], |v| answer(dir(text(v, 0)))),
    Function::fixed("osDir", &[Text], |v| answer(dir(text(v, 0)))),
    Function::fixed("clean", &[Text], |v| answer(clean(text(v, 0)))),
    Function::fixed("osClean", &[Text], |v| answer(clean(text(v, 0)))),
    Function::fixed("ext", &[Text], |v| answer(ext(text(v, 0)))),
    Function::fixed("osExt", &[Text], |v| answer(ext(text(v, 0)))),
    Function::fixed("isAbs", &[Text], |v| Ok(Value::Bool(text(v, 0).starts_with('/')))),
    Function::fixed("osIsAbs", &[Text], |v| Ok(Value::Bool(text(v, 0).starts_with('/')))),
];

/// The bytes, or the position of what is wrong, line ends counted.
///
/// Source: golang/go:src/encoding/base64/base64.go, `decodeQuantum`.
fn from_base64(text: &[u8]) -> Result<Vec<u8>, usize> {
    let is_end = |at: usize| matches!(text.get(at), Some(b'\r' | b'\n'));
    let (mut letters, mut count, mut at) = (Vec::new(), 0, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\r' | b'\n' => {}
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                letters.push(byte);
                count = (count + 1) % 4;
            }
            b'=' if count >= 2 => {
                let mut next = at + 1;
                if count == 2 {
                    next += (next..text.len()).take_while(|at| is_end(*at)).count();
                    match text.get(next) {
                        None => return Err(text.len()),
                        Some(b'=') => next += 1,
                        Some(_) => return Err(next - 1),
                    }
                }
                next += (next..text.len()).take_while(|at| is_end(*at)).count();
                return if next < text.len() { Err(next) } else { decode(&letters) };
            }
            _ => return Err(at),
        }
        at += 1;
    }
    if count == 0 { decode(&letters) } else { Err(at - count) }
}

/// What letters without padding stand for; bits left over do not count.
fn decode(letters: &[u8]) -> Result<Vec<u8>, usize> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    GeneralPurpose::new(&STANDARD_ALPHABET, lenient).decode(letters).map_err(|_told_before| 0)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// With `<`, `>` and `&` escaped.
    Plain,
    /// That, over several lines.
    Pretty,
    /// Nothing escaped that need not be.
    Raw,
}

fn to_json(values: &[Value], style: Style) -> Result<String, String> {
    let mut writer = Json { out: String::new(), style, depth: 0 };
    writer.value(arg(values, 0))?;
    Ok(writer.out)
}

struct Json {
    out: String,
    style: Style,
    depth: usize,
}

impl Json {
    fn value(&mut self, value: &Value) -> Result<(), String> {
        if self.out.len() > MAX_TEXT {
            return Err(Unprinted::TooLong.into());
        }
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(number) | Value::Int64(number) | Value::Named(number, _) => {
                self.out.push_str(&number.to_string());
            }
            Value::Byte(number) => self.out.push_str(&number.to_string()),
            Value::Uint64(number) => self.out.push_str(&number.to_string()),
            Value::Float(number) if number.is_finite() => self.out.push_str(&float(*number)),
            Value::Float(number) => {
                return Err(format!("json: unsupported value: {}", format::general(*number, None)));
            }
            Value::Text(text) => self.text(text),
            Value::List(list) if list.is_nil => self.out.push_str("null"),
            Value::List(list) => {
                self.sequence('[', ']', list.items.iter(), Self::value)?;
            }
            Value::Map(map) if map.of.key != "string" => {
                return Err(format!("json: unsupported type: {}", map.of.name));
            }
            Value::Map(map) if map.is_nil => self.out.push_str("null"),
            Value::Map(map) => self.sequence('{', '}', map.entries.iter(), |json, (key, value)| {
                json.entry(&format::display(key)?, value)
            })?,
            Value::Dict(dict) => {
                let entries: Vec<_> = dict.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                self.sequence('{', '}', entries.iter(), |json, (key, value)| json.entry(key, value))?;
            }
            Value::Struct(object) if object.of.name.ends_with("semver.Version") => {
                self.text(&object.of.text.map(|text| text(object)).unwrap_or_default());
            }
            Value::Struct(object) if let Some(date) = time::json(object) => self.text(&date?),
            Value::Struct(object) => {
                let mut entries = Vec::new();
                fields(object, &mut entries);
                self.sequence('{', '}', entries.iter(), |json, (key, value)| json.entry(key, value))?;
            }
        }
        Ok(())
    }

    fn sequence<T>(
        &mut self,
        open: char,
        close: char,
        items: impl ExactSizeIterator<Item = T>,
        each: impl Fn(&mut Self, T) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.depth >= MAX_NESTING {
            return Err(too_deep());
        }
        self.out.push(open);
        let some = items.len() > 0;
        self.depth += 1;
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.line();
            each(self, item)?;
        }
        self.depth -= 1;
        if some {
            self.line();
        }
        self.out.push(close);
        Ok(())
    }

    fn line(&mut self) {
        if self.style == Style::Pretty {
            self.out.push('\n');
            self.out.push_str(&"  ".repeat(self.depth));
        }
    }

    fn entry(&mut self, key: &str, value: &Value) -> Result<(), String> {
        self.text(key);
        self.out.push_str(if self.style == Style::Pretty { ": " } else { ":" });
        self.value(value)
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || matches!(c, '\u{2028}' | '\u{2029}') => self.escape(c),
                '<' | '>' | '&' if self.style != Style::Raw => self.escape(c),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self, c: char) {
        let _ = write!(self.out, "\\u{:04x}", u32::from(c));
    }
}

/// The fields of a struct with those of embedded ones, as JSON has them.
fn fields(object: &Struct, entries: &mut Vec<(&'static str, Value)>) {
    for (field, value) in object.of.fields.iter().zip(&object.fields) {
        match (value, field.json) {
            (Value::Struct(inner), _) if field.embedded => fields(inner, entries),
            (_, Some(key)) if value.is_true() => entries.push((key, value.clone())),
            (_, None) if !field.hidden => entries.push((field.name, value.clone())),
            _ => {}
        }
    }
}

fn float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        return format!("{number:e}").replace('e', if size >= 1.0 { "e+" } else { "e" });
    }
    format!("{number}")
}

/// `path.Base`.
fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    let last = trimmed.rsplit('/').next().unwrap_or(trimmed);
    if last.is_empty() { "/" } else { last }
}

/// `path.Dir`.
fn dir(path: &str) -> String {
    let end = path.rfind('/').map_or(0, |at| at + 1);
    clean(path.get(..end).unwrap_or_default())
}

/// `path.Ext`.
fn ext(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or(path);
    last.rfind('.').and_then(|at| last.get(at..)).unwrap_or_default()
}

/// `path.Clean`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
