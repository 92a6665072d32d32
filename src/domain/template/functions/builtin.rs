//! The functions of `text/template` itself.
//!
//! Source: golang/go:src/text/template/funcs.go.

use std::cmp::Ordering;
use std::fmt::Write;

use super::super::format;
use super::super::value::{Value, Walk, Work, deep_equal};
use super::{Answer, Call, Function, Param, arg, text};

/// How much a comparison of two values may cost.
const COMPARISON: usize = 100_000;

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "and", params: &[Param::Any], rest: Some(Param::Any), call: Call::And },
    Function { name: "or", params: &[Param::Any], rest: Some(Param::Any), call: Call::Or },
    Function { name: "call", params: &[Param::Any], rest: Some(Param::Any), call: Call::Callee },
    Function::fixed("not", &[Param::Any], |v| Ok(Value::Bool(!arg(v, 0).is_true()))),
    Function::open("html", &[], Param::Any, |v| Ok(Value::text(html(&evaluated(v)?)))),
    Function::open("js", &[], Param::Any, |v| Ok(Value::text(js(&evaluated(v)?)))),
    Function::open("urlquery", &[], Param::Any, |v| Ok(Value::text(url_query(&evaluated(v)?)))),
    Function::open("index", &[Param::Any], Param::Any, index),
    Function::fixed("len", &[Param::Any], length),
    Function::open("print", &[], Param::Any, |v| Ok(Value::text(format::print(v)?))),
    Function::open("println", &[], Param::Any, |v| Ok(Value::text(format::print_line(v)?))),
    Function::open("printf", &[Param::Text], Param::Any, |v| {
        Ok(Value::text(format::printf(text(v, 0), v.get(1..).unwrap_or_default())?))
    }),
    Function::open("eq", &[Param::Any], Param::Any, |v| equal_any(v).map(Value::Bool)),
    Function::fixed("ne", &[Param::Any, Param::Any], |v| {
        equal(arg(v, 0), arg(v, 1)).map(|same| Value::Bool(!same))
    }),
    Function::fixed("lt", &[Param::Any, Param::Any], |v| less(arg(v, 0), arg(v, 1)).map(Value::Bool)),
    Function::fixed("le", &[Param::Any, Param::Any], |v| {
        less_or_equal(arg(v, 0), arg(v, 1)).map(Value::Bool)
    }),
    Function::fixed("gt", &[Param::Any, Param::Any], |v| {
        less_or_equal(arg(v, 0), arg(v, 1)).map(|not| Value::Bool(!not))
    }),
    Function::fixed("ge", &[Param::Any, Param::Any], |v| {
        less(arg(v, 0), arg(v, 1)).map(|not| Value::Bool(!not))
    }),
];

/// Arguments as one text: itself if it is one, else as `print` does it.
fn evaluated(values: &[Value]) -> Result<String, String> {
    let shown = |value: &Value| match value {
        Value::Nil => Value::text("<no value>"),
        other => other.clone(),
    };
    Ok(format::print(&values.iter().map(shown).collect::<Vec<_>>())?)
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => escaped.push('\u{fffd}'),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn js(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let code = u32::from(c);
        let _ = match c {
            '\\' => escaped.write_str("\\\\"),
            '\'' => escaped.write_str("\\'"),
            '"' => escaped.write_str("\\\""),
            '<' | '>' | '&' | '=' => write!(escaped, "\\u{code:04X}"),
            c if code < 0x20 || (code >= 0x80 && !format::is_print(c)) => write!(escaped, "\\u{code:04X}"),
            c => escaped.write_char(c),
        };
    }
    escaped
}

fn url_query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        let _ = match byte {
            b' ' => escaped.write_char('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.write_char(char::from(byte))
            }
            byte => write!(escaped, "%{byte:02X}"),
        };
    }
    escaped
}

/// A position in something of `length` elements.
fn position(index: &Value, length: usize) -> Result<usize, String> {
    let Some(wanted) = index.whole() else {
        return Err(match index {
            Value::Nil => "cannot index slice/array with nil".to_owned(),
            other => format!("cannot index slice/array with type {}", other.type_name()),
        });
    };
    let out_of_range = || format!("index out of range: {wanted}");
    usize::try_from(wanted).ok().filter(|&index| index <= length).ok_or_else(out_of_range)
}

fn index(values: &[Value]) -> Answer {
    let mut item = arg(values, 0).clone();
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    for index in values.iter().skip(1) {
        item = match &item {
            Value::Nil => return Err("index of nil pointer".to_owned()),
            Value::List(list) => {
                let at = position(index, list.items.len())?;
                list.items.get(at).cloned().ok_or("reflect: slice index out of range")?
            }
            Value::Text(text) => {
                let at = position(index, text.len())?;
                Value::Byte(*text.as_bytes().get(at).ok_or("reflect: string index out of range")?)
            }
            Value::Map(map) => {
                if index.type_name() != map.of.key {
                    return Err(unfit(index, map.of.key));
                }
                let found =
                    map.entries.iter().find(|(key, _)| super::super::value::compare(key, index).is_eq());
                found.map_or_else(map.of.zero, |(_, value)| value.clone())
            }
            Value::Dict(dict) => match index {
                Value::Text(key) => dict.borrow().get(key).cloned().unwrap_or(Value::Nil),
                other => return Err(unfit(other, "string")),
            },
            // Go looks at what a pointer points to.
            other => {
                let of = other.type_name();
                return Err(format!("can't index item of type {}", of.trim_start_matches('*')));
            }
        };
    }
    Ok(item)
}

fn unfit(value: &Value, wanted: &str) -> String {
    match value {
        Value::Nil => format!("value is nil; should be of type {wanted}"),
        other => format!("value has type {}; should be {wanted}", other.type_name()),
    }
}

fn length(values: &[Value]) -> Answer {
    let length = match arg(values, 0) {
        Value::List(list) => list.items.len(),
        Value::Text(text) => text.len(),
        Value::Map(map) => map.entries.len(),
        Value::Dict(dict) => dict.borrow().len(),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        // Go asks what a pointer points to.
        other => return Err(format!("len of type {}", other.type_name().trim_start_matches('*'))),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// How Go's comparisons sort types; different ones do not compare.
fn basic_kind(value: &Value) -> Option<u8> {
    match value {
        Value::Bool(_) => Some(0),
        Value::Int(_) | Value::Int64(_) | Value::Named(..) => Some(1),
        Value::Byte(_) | Value::Uint64(_) => Some(2),
        Value::Float(_) => Some(3),
        Value::Text(_) => Some(4),
        _ => None,
    }
}

fn equal_any(values: &[Value]) -> Result<bool, String> {
    let (first, others) = values.split_first().ok_or("missing argument for comparison")?;
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    let (first, second) = (basic_kind(a), basic_kind(b));
    if let (Some(a), Some(b)) = (a.whole(), b.whole()) {
        return Ok(a == b);
    }
    if first != second {
        if matches!(a, Value::Nil) || matches!(b, Value::Nil) {
            return Ok(false);
        }
        return Err(incomparable(a, b));
    }
    if first.is_some() {
        return deep_equal(a, b, &mut Walk::new(&mut Work::of(COMPARISON)));
    }
    let is_none = |value: &Value| matches!(value, Value::Nil);
    if a.kind() != b.kind() && !is_none(a) && !is_none(b) {
        let shown = format::display(b).unwrap_or_default();
        return Err(format!(
            "non-comparable types {}: {}, {}: {shown}",
            as_text(a),
            a.type_name(),
            b.type_name()
        ));
    }
    if is_nil(a) || is_nil(b) {
        return Ok(is_nil(a) == is_nil(b));
    }
    if is_comparable(b) {
        return deep_equal(a, b, &mut Walk::new(&mut Work::of(COMPARISON)));
    }
    Err(format!("non-comparable type {}: {}", as_text(b), b.type_name()))
}

/// Whether it is nothing, or one of Go's nil slices and maps.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil,
        Value::Map(map) => map.is_nil,
        _ => false,
    }
}

/// Whether Go's `==` takes values of this type.
fn is_comparable(value: &Value) -> bool {
    match value {
        Value::Struct(object) if object.is_pointer() => true,
        Value::Struct(object) => object.fields.iter().all(is_comparable),
        Value::List(_) | Value::Map(_) | Value::Dict(_) => false,
        _ => true,
    }
}

/// `%s`.
fn as_text(value: &Value) -> String {
    format::printf("%s", std::slice::from_ref(value)).unwrap_or_default()
}

fn incomparable(a: &Value, b: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())
}

fn less(a: &Value, b: &Value) -> Result<bool, String> {
    let invalid = "invalid type for comparison";
    let (first, second) = (basic_kind(a).ok_or(invalid)?, basic_kind(b).ok_or(invalid)?);
    let order = match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bool(_), Value::Bool(_)) => return Err(invalid.to_owned()),
        _ => match (a.whole(), b.whole()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ if first != second => return Err(incomparable(a, b)),
            _ => None,
        },
    };
    Ok(order == Some(Ordering::Less))
}

fn less_or_equal(a: &Value, b: &Value) -> Result<bool, String> {
    if less(a, b)? { Ok(true) } else { equal(a, b) }
}
