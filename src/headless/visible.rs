//! JSON and YAML in which every character can be seen: what a terminal would obey, or a person would not see, is written as
//! its number. To whoever reads the document it is the same.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::text::is_hidden;

/// Writes a value as JSON in one line, and a newline.
///
/// # Errors
/// What keeps it from being written.
pub(crate) fn write_json(out: &mut dyn io::Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Numbered))?;
    out.write_all(b"\n")
}

/// Writes a value as a YAML document. One that holds what cannot be seen is in the flow style, in which every text is quoted:
/// elsewhere YAML has no way to write a character as its number.
///
/// # Errors
/// What keeps it from being written.
pub(crate) fn write_yaml(out: &mut dyn io::Write, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_saphyr::to_string(value).map_err(io::Error::other)?;
    if text.contains(is_hidden) {
        let mut flow = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut flow, PrettyFormatter::new()))?;
        let flow = String::from_utf8(flow).map_err(io::Error::other)?;
        text = spelled(&flow, yaml_number).into_owned();
    }
    out.write_all(text.as_bytes())?;
    if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }
}

/// As [`write_yaml`], as one document of several.
///
/// # Errors
/// What keeps it from being written.
pub(super) fn write_one_yaml(out: &mut dyn io::Write, value: &impl Serialize) -> io::Result<()> {
    out.write_all(b"---\n")?;
    write_yaml(out, value)
}

/// The same JSON, whose texts may hold anything, without what cannot be seen.
pub(crate) fn visible(json: &str) -> Cow<'_, str> {
    spelled(json, json_number)
}

/// Puts what `number` writes in the place of each hidden character. Outside of texts neither JSON nor YAML's flow style has any.
fn spelled(text: &str, number: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte < 0x7f) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut spelled = String::with_capacity(text.len() + 64);
    for ch in text.chars() {
        if is_hidden(ch) {
            number(ch, &mut spelled);
        } else {
            spelled.push(ch);
        }
    }
    Cow::Owned(spelled)
}

/// `\u202e`, and two of these for what lies beyond the first plane.
fn json_number(ch: char, out: &mut String) {
    for unit in ch.encode_utf16(&mut [0; 2]) {
        // A text takes whatever is written to it.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

fn yaml_number(ch: char, out: &mut String) {
    let code = u32::from(ch);
    let _ = if code > 0xffff { write!(out, "\\U{code:08x}") } else { write!(out, "\\u{code:04x}") };
}

/// Compact JSON.
struct Numbered;

impl Formatter for Numbered {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        out.write_all(visible(fragment).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written(write: impl Fn(&mut dyn io::Write, &Value) -> io::Result<()>, value: &Value) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_cannot_be_seen_is_written_as_its_number() {
        let value = json!({"a\u{9b}b": ["x\u{202e}y", "\u{7f}", "\u{e0041}", "é → 世"]});
        let json = written(|out, value| write_json(out, value), &value);
        assert_eq!(json, concat!(r#"{"a\u009bb":["x\u202ey","\u007f","\udb40\udc41","é → 世"]}"#, "\n"));
        let yaml = written(|out, value| write_yaml(out, value), &value);
        assert!(yaml.contains(r#""x\u202ey""#) && yaml.contains(r#""\U000e0041""#), "{yaml}");
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), value);
        let plain = written(|out, value| write_yaml(out, value), &json!({"a": "é"}));
        assert_eq!(plain, "a: é\n", "what can be seen is in the style that people write");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_is_seen(text: String, hidden in "[\u{7f}-\u{ad}\u{200b}-\u{202e}\u{2066}\u{feff}\\\\'\" a]{0,8}") {
            let value = json!({ text.clone(): [hidden, text] });
            let json = written(|out, value| write_json(out, value), &value);
            prop_assert!(!json.contains(is_hidden), "{json:?}");
            prop_assert_eq!(&serde_json::from_str::<Value>(&json).unwrap(), &value);
            let plain = value.to_string();
            prop_assert_eq!(&*visible(&plain), json.trim_end_matches('\n'));
            let yaml = written(|out, value| write_yaml(out, value), &value);
            prop_assert!(!yaml.contains(is_hidden), "{yaml:?}");
            prop_assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), value, "{}", yaml);
        }
    }
}
