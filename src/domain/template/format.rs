//! Prints values as Go's `fmt` does: `%v` and the other verbs of `printf`.
//!
//! Source: golang/go:src/fmt/print.go, format.go; strconv for quoting and floating-point numbers.

use std::fmt::{self, Write};
use std::rc::Rc;

use super::value::{Struct, Value};

/// The longest text that a template may make, in bytes; no commit message comes near it.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// A text that grew beyond [`MAX_TEXT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

impl From<TooLong> for String {
    fn from(_: TooLong) -> Self {
        format!("text longer than {MAX_TEXT} bytes")
    }
}

/// A text under way that refuses to grow beyond [`MAX_TEXT`]; values that contain themselves end there.
#[derive(Default)]
struct Sink(String);

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_TEXT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

impl Sink {
    fn end(self, result: fmt::Result) -> Result<String, TooLong> {
        result.map(|()| self.0).or(Err(TooLong))
    }
}

/// How one verb prints.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Go's flags, and independent")]
struct Spec {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `%v`.
pub(super) fn display(value: &Value) -> Result<String, TooLong> {
    if let Value::Text(text) = value {
        return Ok(text.to_string());
    }
    let mut out = Sink::default();
    let result = put(&mut out, value, 'v', Spec::default(), 0);
    out.end(result)
}

/// `fmt.Sprint`: a blank between two operands when neither is a text.
pub(super) fn print(values: &[Value]) -> Result<String, TooLong> {
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
pub(super) fn print_line(values: &[Value]) -> Result<String, TooLong> {
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

/// `fmt.Sprintf`.
pub(super) fn printf(format: &str, values: &[Value]) -> Result<String, TooLong> {
    let mut printer = Printf { out: Sink::default(), values, next: 0, reordered: false };
    let result = printer.run(format);
    printer.out.end(result)
}

struct Printf<'a> {
    out: Sink,
    values: &'a [Value],
    next: usize,
    reordered: bool,
}

/// The largest width and precision that Go takes.
const MAX_WIDTH: usize = 1_000_000;

impl Printf<'_> {
    fn run(&mut self, format: &str) -> fmt::Result {
        let mut rest = format;
        while let Some((text, tail)) = rest.split_once('%') {
            self.out.write_str(text)?;
            rest = self.verb(tail)?;
        }
        self.out.write_str(rest)?;
        if self.reordered || self.next >= self.values.len() {
            return Ok(());
        }
        self.out.write_str("%!(EXTRA ")?;
        for (index, value) in self.values.iter().enumerate().skip(self.next) {
            if index > self.next {
                self.out.write_str(", ")?;
            }
            with_type(&mut self.out, value)?;
        }
        self.out.write_str(")")
    }

    /// One verb, what stands behind its `%`; what is left is returned.
    fn verb<'f>(&mut self, text: &'f str) -> Result<&'f str, fmt::Error> {
        let (mut spec, mut rest) = flags(text);
        rest = self.argument_number(rest);
        (spec.width, rest) = self.size(rest, &mut spec, "%!(BADWIDTH)")?;
        if let Some(tail) = rest.strip_prefix('.') {
            rest = self.argument_number(tail);
            (spec.precision, rest) = self.size(rest, &mut Spec::default(), "%!(BADPREC)")?;
            spec.precision = spec.precision.or(Some(0));
        }
        rest = self.argument_number(rest);
        let mut chars = rest.chars();
        let Some(verb) = chars.next() else {
            self.out.write_str("%!(NOVERB)")?;
            return Ok("");
        };
        if verb == '%' {
            self.out.write_str("%")?;
        } else if let Some(value) = self.values.get(self.next) {
            self.next += 1;
            put(&mut self.out, value, verb, spec, 0)?;
        } else if self.next == usize::MAX {
            write!(self.out, "%!{verb}(BADINDEX)")?;
        } else {
            write!(self.out, "%!{verb}(MISSING)")?;
        }
        Ok(chars.as_str())
    }

    /// `[n]`: the next operand is the n-th.
    fn argument_number<'f>(&mut self, text: &'f str) -> &'f str {
        let Some((number, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else {
            return text;
        };
        self.reordered = true;
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        self.next = index.filter(|index| *index < self.values.len()).unwrap_or(usize::MAX);
        rest
    }

    /// A width or precision: digits, or `*` for an operand.
    fn size<'f>(
        &mut self,
        text: &'f str,
        spec: &mut Spec,
        bad: &str,
    ) -> Result<(Option<usize>, &'f str), fmt::Error> {
        if let Some(rest) = text.strip_prefix('*') {
            let value = self.values.get(self.next).and_then(Value::whole);
            self.next += 1;
            let size = value.and_then(|value| {
                spec.minus |= value < 0;
                usize::try_from(value.unsigned_abs()).ok().filter(|size| *size <= MAX_WIDTH)
            });
            if size.is_none() {
                self.out.write_str(bad)?;
            }
            return Ok((size, rest));
        }
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        Ok((digits.parse().ok().filter(|size| *size <= MAX_WIDTH), rest))
    }
}

/// The flags of a verb, and what stands behind them.
fn flags(text: &str) -> (Spec, &str) {
    let end = text.find(|c| !"+-# 0".contains(c)).unwrap_or(text.len());
    let (flags, rest) = text.split_at(end);
    let has = |flag| flags.contains(flag);
    let spec = Spec {
        plus: has('+'),
        minus: has('-'),
        sharp: has('#'),
        space: has(' '),
        zero: has('0'),
        ..Spec::default()
    };
    (spec, rest)
}

/// `TYPE=VALUE`, of operands that no verb took or that do not fit theirs.
fn with_type(out: &mut Sink, value: &Value) -> fmt::Result {
    if matches!(value, Value::Nil) {
        return out.write_str("<nil>");
    }
    write!(out, "{}=", value.type_name())?;
    put(out, value, 'v', Spec::default(), 0)
}

/// How deep values may nest; one that contains itself ends here.
const MAX_NESTING: usize = 60;

fn put(out: &mut Sink, value: &Value, verb: char, spec: Spec, depth: usize) -> fmt::Result {
    if depth > MAX_NESTING {
        return Err(fmt::Error);
    }
    if verb == 'T' && depth == 0 {
        return pad(out, &value.type_name(), spec, false);
    }
    match value {
        Value::Nil => match verb {
            'v' if spec.sharp && depth > 0 => out.write_str("interface {}(nil)"),
            'v' => pad(out, "<nil>", spec, false),
            _ => write!(out, "%!{verb}(<nil>)"),
        },
        Value::Bool(flag) if verb == 't' || verb == 'v' => {
            pad(out, if *flag { "true" } else { "false" }, spec, false)
        }
        Value::Int(number) | Value::Int64(number) => put_int(out, value, i128::from(*number), verb, spec),
        Value::Byte(number) => put_int(out, value, i128::from(*number), verb, spec),
        Value::Float(number) => put_float(out, value, *number, verb, spec),
        Value::Text(text) => put_text(out, value, text, verb, spec),
        Value::Struct(object) if object.of.text.is_some() && !spec.sharp && "vsxXq".contains(verb) => {
            let text = object.of.text.map(|text| text(object)).unwrap_or_default();
            put_text(out, value, &text, verb, spec)
        }
        Value::Bool(_) => bad_verb(out, value, verb),
        Value::List(list) => {
            let go = spec.sharp && verb == 'v';
            let open = if go { format!("{}{{", value.type_name()) } else { "[".to_owned() };
            let items = list.items.iter().map(|item| (None, item.clone()));
            put_items(out, items, (&open, if go { "}" } else { "]" }), verb, spec, depth)
        }
        Value::Map(map) => put_map(out, value, &map.entries, verb, spec, depth),
        Value::Dict(dict) => {
            let entries: Vec<_> =
                dict.borrow().iter().map(|(key, value)| (Value::Text(key.clone()), value.clone())).collect();
            put_map(out, value, &entries, verb, spec, depth)
        }
        Value::Struct(object) => put_struct(out, object, verb, spec, depth),
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
            out.write_str(if spec.sharp && verb == 'v' { ", " } else { " " })?;
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
    let go = spec.sharp && verb == 'v';
    let open = if go { format!("{}{{", value.type_name()) } else { "map[".to_owned() };
    let items = entries.iter().map(|(key, value)| (Some(key.clone()), value.clone()));
    put_items(out, items, (&open, if go { "}" } else { "]" }), verb, spec, depth)
}

fn put_struct(out: &mut Sink, object: &Rc<Struct>, verb: char, spec: Spec, depth: usize) -> fmt::Result {
    let go = spec.sharp && verb == 'v';
    out.write_str(if go { object.of.name } else { "" })?;
    out.write_str("{")?;
    for (index, (field, value)) in object.of.fields.iter().zip(&object.fields).enumerate() {
        if index > 0 {
            out.write_str(if go { ", " } else { " " })?;
        }
        if (spec.plus || go) && verb == 'v' {
            write!(out, "{}:", field.name)?;
        }
        put(out, value, verb, spec, depth + 1)?;
    }
    out.write_str("}")
}

fn bad_verb(out: &mut Sink, value: &Value, verb: char) -> fmt::Result {
    write!(out, "%!{verb}(")?;
    with_type(out, value)?;
    out.write_str(")")
}

fn put_text(out: &mut Sink, value: &Value, text: &str, verb: char, spec: Spec) -> fmt::Result {
    let cut: String = match spec.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text.to_owned(),
    };
    match verb {
        'v' if spec.sharp => pad(out, &quote(&cut), spec, false),
        'v' | 's' => pad(out, &cut, spec, false),
        'q' if spec.sharp
            && !cut.contains(['`', '\r'])
            && !cut.chars().any(|c| c.is_control() && c != '\t') =>
        {
            pad(out, &format!("`{cut}`"), spec, false)
        }
        'q' => pad(out, &quote(&cut), spec, false),
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
        _ => bad_verb(out, value, verb),
    }
}

fn put_int(out: &mut Sink, value: &Value, number: i128, verb: char, spec: Spec) -> fmt::Result {
    let size = number.unsigned_abs();
    let (digits, prefix) = match verb {
        'v' if spec.sharp && matches!(value, Value::Byte(_)) => (format!("{size:x}"), "0x"),
        'd' | 'v' => (size.to_string(), ""),
        'b' => (format!("{size:b}"), if spec.sharp { "0b" } else { "" }),
        'o' => (format!("{size:o}"), if spec.sharp { "0" } else { "" }),
        'O' => (format!("{size:o}"), "0o"),
        'x' => (format!("{size:x}"), if spec.sharp { "0x" } else { "" }),
        'X' => (format!("{size:X}"), if spec.sharp { "0X" } else { "" }),
        'c' | 'q' | 'U' => return put_char(out, number, verb, spec),
        _ => return bad_verb(out, value, verb),
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
    let wanted = match spec.precision {
        Some(precision) => precision,
        None if spec.zero && !spec.minus => spec.width.unwrap_or(0).saturating_sub(sign.len() + prefix.len()),
        None => 0,
    };
    let zeros = "0".repeat(wanted.saturating_sub(digits.len()));
    pad(out, &format!("{sign}{prefix}{zeros}{digits}"), Spec { zero: false, ..spec }, false)
}

fn put_char(out: &mut Sink, number: i128, verb: char, spec: Spec) -> fmt::Result {
    let code = u32::try_from(number).ok();
    let found = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
    let text = match verb {
        'c' => found.to_string(),
        'q' => format!("'{}'", escape(found, '\'')),
        _ if spec.sharp => code_point(found),
        _ => format!("U+{:04X}", code.unwrap_or(0xfffd)),
    };
    pad(out, &text, spec, false)
}

fn put_float(out: &mut Sink, value: &Value, number: f64, verb: char, spec: Spec) -> fmt::Result {
    let text = match verb {
        'v' | 'g' => general(number, spec.precision),
        'G' => general(number, spec.precision).to_uppercase(),
        'e' => scientific(number, Some(spec.precision.unwrap_or(6))),
        'E' => scientific(number, Some(spec.precision.unwrap_or(6))).to_uppercase(),
        'f' | 'F' if number.is_finite() => format!("{number:.*}", spec.precision.unwrap_or(6).min(1000)),
        'f' | 'F' => general(number, None),
        _ => return bad_verb(out, value, verb),
    };
    let text = match (spec.plus, spec.space, text.starts_with('-')) {
        (true, _, false) if !text.starts_with('+') => format!("+{text}"),
        (false, true, false) => format!(" {text}"),
        _ => text,
    };
    pad(out, &text, spec, number.is_finite())
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
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) if zeros => (text.get(..1).unwrap_or_default(), digits),
        _ => ("", text),
    };
    write!(out, "{sign}{}{digits}", "0".repeat(fill))
}

/// A floating-point number as `%v` and `%g` print it: shortest, with an exponent below 1e-4 and from 1e6 (or the
/// precision) on.
pub(super) fn general(number: f64, precision: Option<usize>) -> String {
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

fn special(number: f64) -> Option<String> {
    if number.is_nan() {
        return Some("NaN".to_owned());
    }
    number.is_infinite().then(|| if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() })
}

/// `%e`: at least two digits in the exponent, always with a sign; `None`: as many digits as it takes.
fn scientific(number: f64, precision: Option<usize>) -> String {
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

/// `strconv.Quote`.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        quoted.push_str(&escape(c, '"'));
    }
    quoted.push('"');
    quoted
}

fn escape(c: char, mark: char) -> String {
    match c {
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\x0b' => "\\v".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c == mark => format!("\\{c}"),
        c if is_print(c) => c.to_string(),
        c if c < ' ' || c == '\x7f' => format!("\\x{:02x}", u32::from(c)),
        c if u32::from(c) < 0x1_0000 => format!("\\u{:04x}", u32::from(c)),
        c => format!("\\U{:08x}", u32::from(c)),
    }
}

/// Whether Go counts the character as printable: letters, marks, numbers, punctuation, symbols and the ASCII blank.
pub(super) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // Rust's own debug escapes leave the same characters alone, but for grapheme extenders, which Go prints.
    !c.is_control() && !c.is_whitespace() && (c.escape_debug().count() == 1 || is_mark(c))
}

/// Combining marks, which `escape_debug` escapes although they are printable.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x483..=0x489 | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f)
}

/// `%#U`: `U+0021 '!'`.
pub(super) fn code_point(c: char) -> String {
    if is_print(c) { format!("U+{:04X} '{c}'", u32::from(c)) } else { format!("U+{:04X}", u32::from(c)) }
}
