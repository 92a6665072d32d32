//! Functions on texts.
//!
//! Source: Masterminds/sprig v3.3.0, strings.go, defaults.go, crypto.go, regex.go.

use sha2::{Digest, Sha256, Sha512};

use super::super::format::{self, MAX_TEXT, Unprinted, quote};
use super::super::value::Value;
use super::Param::{Any, Bool, Int, Text};
use super::letter::{Category, is, lower, title, upper};
use super::{Answer, Function, arg, int, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("lower", &[Text], |v| answer(text(v, 0).chars().map(lower).collect::<String>())),
    Function::fixed("upper", &[Text], |v| answer(text(v, 0).chars().map(upper).collect::<String>())),
    Function::fixed("trim", &[Text], |v| answer(text(v, 0).trim())),
    Function::fixed("trimAll", &[Text, Text], |v| answer(trim_all(text(v, 1), text(v, 0)))),
    Function::fixed("trimall", &[Text, Text], |v| answer(trim_all(text(v, 1), text(v, 0)))),
    Function::fixed("trimPrefix", &[Text, Text], |v| {
        answer(text(v, 1).strip_prefix(text(v, 0)).unwrap_or(text(v, 1)))
    }),
    Function::fixed("trimSuffix", &[Text, Text], |v| {
        answer(text(v, 1).strip_suffix(text(v, 0)).unwrap_or(text(v, 1)))
    }),
    Function::fixed("contains", &[Text, Text], |v| Ok(Value::Bool(text(v, 1).contains(text(v, 0))))),
    Function::fixed("hasPrefix", &[Text, Text], |v| Ok(Value::Bool(text(v, 1).starts_with(text(v, 0))))),
    Function::fixed("hasSuffix", &[Text, Text], |v| Ok(Value::Bool(text(v, 1).ends_with(text(v, 0))))),
    Function::fixed("trunc", &[Int, Text], |v| answer(truncate(int(v, 0), text(v, 1)))),
    Function::fixed("toString", &[Any], |v| answer(to_text(arg(v, 0))?)),
    Function::open("quote", &[], Any, |v| joined(v, |text| Ok(quote(&to_text(text)?)))),
    Function::open("squote", &[], Any, |v| joined(v, |text| Ok(format!("'{}'", format::display(text)?)))),
    Function::fixed("indent", &[Int, Text], |v| answer(indent(int(v, 0), text(v, 1))?)),
    Function::fixed("nindent", &[Int, Text], |v| answer(format!("\n{}", indent(int(v, 0), text(v, 1))?))),
    Function::fixed("replace", &[Text, Text, Text], |v| replace(text(v, 2), text(v, 0), text(v, 1))),
    Function::fixed("join", &[Text, Any], |v| join(text(v, 0), arg(v, 1))),
    Function::fixed("ternary", &[Any, Any, Bool], |v| Ok(arg(v, usize::from(!arg(v, 2).is_true())).clone())),
    Function::open("default", &[Any], Any, |v| {
        Ok(v.get(1).filter(|given| given.is_true()).unwrap_or(arg(v, 0)).clone())
    }),
    Function::fixed("empty", &[Any], |v| Ok(Value::Bool(!arg(v, 0).is_true()))),
    Function::fixed("sha256sum", &[Text], |v| answer(hex(&Sha256::digest(text(v, 0))))),
    Function::fixed("sha512sum", &[Text], |v| answer(hex(&Sha512::digest(text(v, 0))))),
    Function::fixed("fail", &[Text], |v| Err(text(v, 0).to_owned())),
    Function::fixed("hello", &[], |_| answer("Hello!")),
    Function::fixed("title", &[Text], |v| answer(titled(text(v, 0)))),
    Function::fixed("untitle", &[Text], |v| answer(uncapitalized(text(v, 0)))),
    Function::fixed("swapcase", &[Text], |v| answer(swapped(text(v, 0)))),
    Function::fixed("nospace", &[Text], |v| answer(without_space(text(v, 0)))),
    Function::fixed("initials", &[Text], |v| answer(initials(text(v, 0)))),
    Function::fixed("substr", &[Int, Int, Text], |v| substring(int(v, 0), int(v, 1), text(v, 2))),
    Function::fixed("repeat", &[Int, Text], |v| repeat(int(v, 0), text(v, 1))),
    Function::fixed("plural", &[Text, Text, Int], |v| answer(text(v, usize::from(int(v, 2) != 1)))),
    Function::open("cat", &[], Any, |v| {
        let texts: Result<Vec<String>, Unprinted> =
            v.iter().filter(|value| !matches!(value, Value::Nil)).map(format::display).collect();
        answer(texts?.join(" "))
    }),
    Function::fixed("adler32sum", &[Text], |v| answer(adler32(text(v, 0)).to_string())),
];

/// The same for all functions that answer a text.
pub(in super::super) fn answer(text: impl AsRef<str>) -> Answer {
    let text = text.as_ref();
    if text.len() > MAX_TEXT { Err(Unprinted::TooLong.into()) } else { Ok(Value::text(text)) }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn trim_all<'t>(text: &'t str, cut: &str) -> &'t str {
    text.trim_matches(|c| cut.contains(c))
}

/// What `toString` makes of a value; a text is itself.
pub(super) fn to_text(value: &Value) -> Result<String, String> {
    Ok(format::display(value)?)
}

/// What each value that is not nil becomes, a blank between them.
fn joined(values: &[Value], each: impl Fn(&Value) -> Result<String, String>) -> Answer {
    let texts: Result<Vec<String>, String> =
        values.iter().filter(|value| !matches!(value, Value::Nil)).map(each).collect();
    answer(texts?.join(" "))
}

/// Bytes as a text; what is no UTF-8 becomes U+FFFD, one for each byte.
pub(super) fn utf8(bytes: &[u8]) -> String {
    let chunks = bytes.utf8_chunks();
    chunks.flat_map(|chunk| [chunk.valid().to_owned(), "\u{fffd}".repeat(chunk.invalid().len())]).collect()
}

/// A part of a text by byte positions; a character that is cut becomes U+FFFD for each of its bytes.
pub(super) fn bytes_of(text: &str, start: usize, end: usize) -> String {
    match text.get(start..end) {
        Some(part) => part.to_owned(),
        None => utf8(text.as_bytes().get(start..end).unwrap_or_default()),
    }
}

/// The first `count` bytes, or the last ones if it is negative.
fn truncate(count: i64, text: &str) -> String {
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if size >= text.len() {
        return text.to_owned();
    }
    if count < 0 { bytes_of(text, text.len() - size, text.len()) } else { bytes_of(text, 0, size) }
}

fn indent(spaces: i64, text: &str) -> Result<String, String> {
    let spaces = usize::try_from(spaces).ok().ok_or("strings: negative Repeat count")?;
    let lines = 1 + text.bytes().filter(|&byte| byte == b'\n').count();
    if spaces.saturating_mul(lines) > MAX_TEXT {
        return Err(Unprinted::TooLong.into());
    }
    let pad = " ".repeat(spaces);
    Ok(format!("{pad}{}", text.replace('\n', &format!("\n{pad}"))))
}

fn replace(text: &str, old: &str, new: &str) -> Answer {
    let found = text.matches(old).count();
    if text.len().saturating_add(found.saturating_mul(new.len())) > MAX_TEXT {
        return Err(Unprinted::TooLong.into());
    }
    answer(text.replace(old, new))
}

/// `strings.Split`: an empty separator cuts between all characters.
pub(super) fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    if separator.is_empty() {
        return text.split("").filter(|part| !part.is_empty()).collect();
    }
    text.split(separator).collect()
}

/// The texts of a list without its nils; of another value its own text.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            list.items.iter().filter(|item| !matches!(item, Value::Nil)).map(to_text).collect()
        }
        other => Ok(vec![to_text(other)?]),
    }
}

fn join(separator: &str, value: &Value) -> Answer {
    let texts = texts(value)?;
    if texts.iter().map(|text| text.len() + separator.len()).sum::<usize>() > MAX_TEXT + separator.len() {
        return Err(Unprinted::TooLong.into());
    }
    answer(texts.join(separator))
}

/// `strings.Title`: the first letter of every word becomes a title letter.
fn titled(text: &str) -> String {
    let is_separator = |c: char| match c {
        '_' => false,
        c if c.is_ascii() => !c.is_ascii_alphanumeric(),
        // Digits other than ASCII's separate nothing, and nothing else does but space.
        c => c.is_whitespace(),
    };
    let mut before = ' ';
    let titled = text.chars().map(|c| {
        let starts = is_separator(std::mem::replace(&mut before, c));
        if starts { title(c) } else { c }
    });
    titled.collect()
}

/// The first letter of every word in lower case.
fn uncapitalized(text: &str) -> String {
    let mut at_start = true;
    let lowered = text.chars().map(|c| {
        if c.is_whitespace() {
            at_start = true;
            return c;
        }
        if std::mem::replace(&mut at_start, false) { lower(c) } else { c }
    });
    lowered.collect()
}

/// Upper case to lower and the other way round; a small letter that begins a word becomes a title letter.
fn swapped(text: &str) -> String {
    let mut at_start = true;
    let swapped = text.chars().map(|c| {
        if is(c, Category::Upper) || is(c, Category::Title) {
            at_start = false;
            lower(c)
        } else if is(c, Category::Lower) {
            if std::mem::replace(&mut at_start, false) { title(c) } else { upper(c) }
        } else {
            at_start = c.is_whitespace();
            c
        }
    });
    swapped.collect()
}

/// The bytes of a text as characters, which is how goutils goes through it.
fn bytes_as_characters(text: &str) -> impl Iterator<Item = char> {
    text.bytes().map(char::from)
}

fn without_space(text: &str) -> String {
    if bytes_as_characters(text).any(char::is_whitespace) {
        bytes_as_characters(text).filter(|c| !c.is_whitespace()).collect()
    } else {
        text.to_owned()
    }
}

fn initials(text: &str) -> String {
    let mut after_gap = true;
    let first = bytes_as_characters(text).filter(|c| {
        let is_gap = c.is_whitespace();
        !is_gap && std::mem::replace(&mut after_gap, false) || {
            after_gap |= is_gap;
            false
        }
    });
    first.collect()
}

fn substring(start: i64, end: i64, text: &str) -> Answer {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let (from, to) = if start < 0 {
        (0, end)
    } else if end < 0 || end > length {
        (start, length)
    } else {
        (start, end)
    };
    let begin = if start < 0 { String::new() } else { from.to_string() };
    let out_of_range = format!("runtime error: slice bounds out of range [{begin}:{to}]");
    let (from, to) = usize::try_from(from).ok().zip(usize::try_from(to).ok()).ok_or(out_of_range.clone())?;
    if from > to || to > text.len() {
        return Err(if to > text.len() {
            format!("runtime error: slice bounds out of range [:{to}] with length {length}")
        } else {
            out_of_range
        });
    }
    answer(bytes_of(text, from, to))
}

fn repeat(count: i64, text: &str) -> Answer {
    let count = usize::try_from(count).ok().ok_or("strings: negative Repeat count")?;
    if text.len().saturating_mul(count) > MAX_TEXT {
        return Err(Unprinted::TooLong.into());
    }
    answer(text.repeat(count))
}

/// Source: RFC 1950, section 8.2.
fn adler32(text: &str) -> u32 {
    let (a, b) = text.bytes().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    (b << 16) | a
}
