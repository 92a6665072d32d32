//! Prints values as Go's `fmt` does: `%v` and the other verbs of `printf`.
//!
//! Source: golang/go:src/fmt/print.go, format.go; strconv for quoting and floating-point numbers.

mod float;
mod printf;

use std::fmt::{self, Write};
use std::rc::Rc;

use super::time;
use super::value::{MAX_NESTING, Struct, Value, too_deep};
use float::{spelled, with_point};

pub(super) use crate::domain::policy::quote::{escape, go_quote as quote, in_ascii, is_print};
pub(super) use float::general;
pub(super) use printf::printf;

/// The longest text that a template may make, in bytes; no commit message comes near it.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// Why a value is not printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unprinted {
    /// The text grew beyond [`MAX_TEXT`].
    TooLong,
    /// The value nests deeper than [`MAX_NESTING`].
    TooDeep,
}

impl From<Unprinted> for String {
    fn from(reason: Unprinted) -> Self {
        match reason {
            Unprinted::TooLong => format!("text longer than {MAX_TEXT} bytes"),
            Unprinted::TooDeep => too_deep(),
        }
    }
}

/// A text under way that refuses to grow beyond [`MAX_TEXT`].
#[derive(Default)]
struct Sink {
    text: String,
    /// Whether a value in it nests too deeply.
    is_too_deep: bool,
}

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.text.len() + text.len() > MAX_TEXT {
            return Err(fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}

impl Sink {
    fn end(self, result: fmt::Result) -> Result<String, Unprinted> {
        let reason = if self.is_too_deep { Unprinted::TooDeep } else { Unprinted::TooLong };
        result.map(|()| self.text).or(Err(reason))
    }
}

/// How one verb prints.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Go's flags, and independent")]
struct Spec {
    plus: bool,
    minus: bool,
    sharp: bool,
    /// `%+v`, where the sign of numbers is not meant.
    plus_v: bool,
    /// `%#v`: Go's syntax.
    sharp_v: bool,
    space: bool,
    zero: bool,
    /// Whether no method is asked, because a verb is reported.
    raw: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Spec {
    /// Whether `String()` is asked for this verb.
    fn asks(self, verb: char) -> bool {
        !self.sharp_v && !self.raw && "vsxXq".contains(verb)
    }
}

/// `%v`.
pub(super) fn display(value: &Value) -> Result<String, Unprinted> {
    if let Value::Text(text) = value {
        return Ok(text.to_string());
    }
    let mut out = Sink::default();
    let result = put(&mut out, value, 'v', Spec::default(), 0);
    out.end(result)
}

/// `fmt.Sprint`: a blank between two operands when neither is a text.
pub(super) fn print(values: &[Value]) -> Result<String, Unprinted> {
    let mut out = Sink::default();
    let mut result = Ok(());
    for (index, value) in values.iter().enumerate() {
        let after = index.checked_sub(1).and_then(|before| values.get(before));
        if after.is_some_and(|before| !matches!((before, value), (Value::Text(_), _) | (_, Value::Text(_)))) {
            result = result.and_then(|()| out.write_str(" "));
        }
        result = result.and_then(|()| put(&mut out, value, 'v', Spec::default(), 0));
    }
    out.end(result)
}

/// `fmt.Sprintln`.
pub(super) fn print_line(values: &[Value]) -> Result<String, Unprinted> {
    let mut out = Sink::default();
    let mut result = Ok(());
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            result = result.and_then(|()| out.write_str(" "));
        }
        result = result.and_then(|()| put(&mut out, value, 'v', Spec::default(), 0));
    }
    result = result.and_then(|()| out.write_str("\n"));
    out.end(result)
}

/// `TYPE=VALUE`, of operands that no verb took or that do not fit theirs.
fn with_type(out: &mut Sink, value: &Value, spec: Spec) -> fmt::Result {
    if matches!(value, Value::Nil) {
        return out.write_str("<nil>");
    }
    write!(out, "{}=", value.type_name())?;
    put(out, value, 'v', spec, 0)
}

fn put(out: &mut Sink, value: &Value, verb: char, spec: Spec, depth: usize) -> fmt::Result {
    if depth >= MAX_NESTING {
        out.is_too_deep = true;
        return Err(fmt::Error);
    }
    if verb == 'w' && depth == 0 {
        return bad_verb(out, value, verb, spec);
    }
    if verb == 'T' && depth == 0 {
        let name =
            if matches!(value, Value::Nil) { value.type_name() } else { cut(&value.type_name(), spec) };
        return pad(out, &name, spec, false);
    }
    if verb == 'p' && depth == 0 && !matches!(value, Value::Nil) {
        return put_address(out, value, verb, spec);
    }
    match value {
        Value::Nil => match verb {
            'v' if spec.sharp_v && depth > 0 => out.write_str("interface {}(nil)"),
            _ if depth > 0 => out.write_str("<nil>"),
            'v' => pad(out, "<nil>", spec, false),
            _ => write!(out, "%!{verb}(<nil>)"),
        },
        Value::Bool(flag) if verb == 't' || verb == 'v' => {
            pad(out, if *flag { "true" } else { "false" }, spec, false)
        }
        Value::Named(number, of) if spec.asks(verb) => put_text(out, value, &(of.text)(*number), verb, spec),
        Value::Int(number) | Value::Int64(number) | Value::Named(number, _) => {
            put_int(out, value, i128::from(*number), verb, spec)
        }
        Value::Byte(number) => put_int(out, value, i128::from(*number), verb, spec),
        Value::Uint64(number) => put_int(out, value, i128::from(*number), verb, spec),
        Value::Float(number) => put_float(out, value, *number, verb, spec),
        Value::Text(text) => put_text(out, value, text, verb, spec),
        Value::Struct(object) if object.of.text.is_some() && spec.asks(verb) => {
            let text = object.of.text.map(|text| text(object)).unwrap_or_default();
            put_text(out, value, &text, verb, spec)
        }
        Value::Bool(_) => bad_verb(out, value, verb, spec),
        Value::List(list) if list.is_nil && spec.sharp_v => {
            write!(out, "{}(nil)", value.type_name())
        }
        Value::List(list) => {
            let go = spec.sharp_v;
            let open = if go { format!("{}{{", value.type_name()) } else { "[".to_owned() };
            let items = list.items.iter().map(|item| (None, item.clone()));
            put_items(out, items, (&open, if go { "}" } else { "]" }), verb, spec, depth)
        }
        Value::Map(map) if map.is_nil && spec.sharp_v => write!(out, "{}(nil)", value.type_name()),
        Value::Map(map) => put_map(out, value, &map.entries, verb, spec, depth),
        Value::Dict(dict) => {
            let entries: Vec<_> =
                dict.borrow().iter().map(|(key, value)| (Value::Text(key.clone()), value.clone())).collect();
            put_map(out, value, &entries, verb, spec, depth)
        }
        Value::Struct(object) if object.is_pointer() => {
            if depth > 0 || object.fields.is_empty() {
                return put_address(out, value, verb, spec);
            }
            out.write_str("&")?;
            put_struct(out, object, verb, spec, depth)
        }
        Value::Struct(object) => put_struct(out, object, verb, spec, depth),
    }
}

/// What stands for an address, which in Go is chance.
const ADDRESS: i128 = 0xc0_0000_0000;

/// Where a list, a dictionary or what a pointer points to lies.
fn put_address(out: &mut Sink, value: &Value, verb: char, spec: Spec) -> fmt::Result {
    let address = match value {
        Value::List(list) if list.is_nil => 0,
        Value::Map(map) if map.is_nil => 0,
        Value::List(_) | Value::Map(_) | Value::Dict(_) => ADDRESS,
        Value::Struct(object) if object.is_pointer() && object.fields.is_empty() => 0,
        Value::Struct(object) if object.is_pointer() => ADDRESS,
        _ => return bad_verb(out, value, verb, spec),
    };
    match verb {
        'v' if spec.sharp_v && address == 0 => write!(out, "({})(nil)", value.type_name()),
        'v' if spec.sharp_v => {
            write!(out, "({})(", value.type_name())?;
            put_int(out, value, address, 'x', Spec { sharp: true, ..spec })?;
            out.write_str(")")
        }
        'v' if address == 0 => pad(out, "<nil>", spec, false),
        'v' | 'p' => put_int(out, value, address, 'x', Spec { sharp: !spec.sharp, ..spec }),
        'b' | 'o' | 'd' | 'x' | 'X' => put_int(out, value, address, verb, spec),
        _ => bad_verb(out, value, verb, spec),
    }
}

fn put_items(
    out: &mut Sink,
    items: impl Iterator<Item = (Option<Value>, Value)>,
    (open, close): (&str, &str),
    verb: char,
    spec: Spec,
    depth: usize,
) -> fmt::Result {
    out.write_str(open)?;
    for (index, (key, item)) in items.enumerate() {
        if index > 0 {
            out.write_str(if spec.sharp_v { ", " } else { " " })?;
        }
        if let Some(key) = key {
            put(out, &key, verb, spec, depth + 1)?;
            out.write_str(":")?;
        }
        put(out, &item, verb, spec, depth + 1)?;
    }
    out.write_str(close)
}

fn put_map(
    out: &mut Sink,
    value: &Value,
    entries: &[(Value, Value)],
    verb: char,
    spec: Spec,
    depth: usize,
) -> fmt::Result {
    let go = spec.sharp_v;
    let open = if go { format!("{}{{", value.type_name()) } else { "map[".to_owned() };
    let items = entries.iter().map(|(key, value)| (Some(key.clone()), value.clone()));
    put_items(out, items, (&open, if go { "}" } else { "]" }), verb, spec, depth)
}

fn put_struct(out: &mut Sink, object: &Rc<Struct>, verb: char, spec: Spec, depth: usize) -> fmt::Result {
    let go = spec.sharp_v;
    if let Some(date) = time::source(object).filter(|_| go && !spec.raw) {
        return pad(out, &cut(&date, spec), spec, false);
    }
    out.write_str(if go { object.of.name.trim_start_matches('*') } else { "" })?;
    out.write_str("{")?;
    for (index, (field, value)) in object.of.fields.iter().zip(&object.fields).enumerate() {
        if index > 0 {
            out.write_str(if go { ", " } else { " " })?;
        }
        if spec.plus_v || go {
            write!(out, "{}:", field.name)?;
        }
        put(out, value, verb, spec, depth + 1)?;
    }
    out.write_str("}")
}

fn bad_verb(out: &mut Sink, value: &Value, verb: char, spec: Spec) -> fmt::Result {
    write!(out, "%!{verb}(")?;
    with_type(out, value, Spec { raw: true, ..spec })?;
    out.write_str(")")
}

/// The text up to the precision, counted in characters.
fn cut(text: &str, spec: Spec) -> String {
    match spec.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text.to_owned(),
    }
}

fn put_text(out: &mut Sink, value: &Value, text: &str, verb: char, spec: Spec) -> fmt::Result {
    let cut = cut(text, spec);
    match verb {
        'v' if spec.sharp_v => pad(out, &quote(&cut), spec, false),
        'v' | 's' => pad(out, &cut, spec, false),
        'q' if spec.sharp
            && !cut.contains(['`', '\r'])
            && !cut.chars().any(|c| c.is_control() && c != '\t') =>
        {
            pad(out, &format!("`{cut}`"), spec, false)
        }
        'q' => pad(out, &ascii_if(spec.plus, quote(&cut)), spec, false),
        'x' | 'X' => {
            let bytes = text.bytes().take(spec.precision.unwrap_or(usize::MAX));
            let digits: Vec<String> =
                bytes.map(|b| if verb == 'x' { format!("{b:02x}") } else { format!("{b:02X}") }).collect();
            let prefix = match (spec.sharp && !digits.is_empty(), verb) {
                (true, 'x') => "0x",
                (true, _) => "0X",
                _ => "",
            };
            let between = if spec.space { format!(" {prefix}") } else { String::new() };
            pad(out, &format!("{prefix}{}", digits.join(&between)), spec, false)
        }
        _ => bad_verb(out, value, verb, spec),
    }
}

/// What is quoted, for `%+q` with nothing but ASCII characters.
fn ascii_if(plus: bool, quoted: String) -> String {
    if plus { in_ascii(&quoted) } else { quoted }
}

fn put_int(out: &mut Sink, value: &Value, number: i128, verb: char, spec: Spec) -> fmt::Result {
    if spec.precision == Some(0) && number == 0 && "dvboOxX".contains(verb) {
        return out.write_str(&" ".repeat(spec.width.unwrap_or(0)));
    }
    let size = number.unsigned_abs();
    let (digits, prefix) = match verb {
        'v' if spec.sharp_v && matches!(value, Value::Byte(_) | Value::Uint64(_)) => {
            (format!("{size:x}"), "0x")
        }
        'd' | 'v' => (size.to_string(), ""),
        'b' => (format!("{size:b}"), if spec.sharp { "0b" } else { "" }),
        'o' => (format!("{size:o}"), ""),
        'O' => (format!("{size:o}"), "0o"),
        'x' => (format!("{size:x}"), if spec.sharp { "0x" } else { "" }),
        'X' => (format!("{size:X}"), if spec.sharp { "0X" } else { "" }),
        'c' | 'q' | 'U' => return put_char(out, number, verb, spec),
        _ => return bad_verb(out, value, verb, spec),
    };
    let sign = if number < 0 {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    };
    // What stands before the digits for their base comes on top of the width, as in Go.
    let wanted = match spec.precision {
        Some(precision) => precision,
        None if spec.zero && !spec.minus => spec.width.unwrap_or(0).saturating_sub(sign.len()),
        None => 0,
    };
    let zeros = "0".repeat(wanted.saturating_sub(digits.len()));
    let is_octal = spec.sharp && matches!(verb, 'o' | 'O');
    let marked = is_octal && !zeros.starts_with('0') && !digits.starts_with('0');
    let zeros = if marked { format!("0{zeros}") } else { zeros };
    pad(out, &format!("{sign}{prefix}{zeros}{digits}"), Spec { zero: false, ..spec }, false)
}

fn put_char(out: &mut Sink, number: i128, verb: char, spec: Spec) -> fmt::Result {
    let code = u32::try_from(number).ok();
    let found = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
    let text = match verb {
        'c' => found.to_string(),
        'q' => ascii_if(spec.plus, format!("'{}'", escape(found, '\''))),
        _ => {
            // A negative number is taken for one of 64 bits without a sign.
            let digits = format!("{:04X}", number & i128::from(u64::MAX));
            let zeros = "0".repeat(spec.precision.unwrap_or(0).saturating_sub(digits.len()));
            let shown = code.and_then(char::from_u32).filter(|c| spec.sharp && is_print(*c));
            format!("U+{zeros}{digits}{}", shown.map(|c| format!(" '{c}'")).unwrap_or_default())
        }
    };
    // A code point is never filled up with zeros.
    pad(out, &text, Spec { zero: spec.zero && verb != 'U', ..spec }, false)
}

fn put_float(out: &mut Sink, value: &Value, number: f64, verb: char, spec: Spec) -> fmt::Result {
    let (spelt, precision) = match verb {
        'v' => ('g', spec.precision),
        'b' | 'g' | 'G' | 'x' | 'X' => (verb, spec.precision),
        'f' | 'e' | 'E' => (verb, spec.precision.or(Some(6))),
        'F' => ('f', spec.precision.or(Some(6))),
        _ => return bad_verb(out, value, verb, spec),
    };
    let text = spelled(number, spelt, precision);
    let unsigned = text.trim_start_matches('+');
    let text = match (spec.plus, spec.space, text.starts_with('-')) {
        (true, _, false) => format!("+{unsigned}"),
        (false, true, false) => format!(" {unsigned}"),
        _ => text,
    };
    if !number.is_finite() {
        return pad(out, &text, Spec { zero: false, ..spec }, false);
    }
    let text = if spec.sharp && spelt != 'b' { with_point(&text, spelt, precision) } else { text };
    pad(out, &text, spec, true)
}

/// Pads to the width, counted in characters; with zeros behind the sign if the flag says so and `zeros` may be used.
fn pad(out: &mut Sink, text: &str, spec: Spec, zeros: bool) -> fmt::Result {
    let fill = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if fill == 0 {
        return out.write_str(text);
    }
    if spec.minus {
        out.write_str(text)?;
        return out.write_str(&" ".repeat(fill));
    }
    if !spec.zero {
        out.write_str(&" ".repeat(fill))?;
        return out.write_str(text);
    }
    let (sign, digits) = match text.strip_prefix(['+', '-', ' ']) {
        Some(digits) if zeros => (text.get(..1).unwrap_or_default(), digits),
        _ => ("", text),
    };
    write!(out, "{sign}{}{digits}", "0".repeat(fill))
}

/// `%#U`: `U+0021 '!'`.
pub(super) fn code_point(c: char) -> String {
    if is_print(c) { format!("U+{:04X} '{c}'", u32::from(c)) } else { format!("U+{:04X}", u32::from(c)) }
}
