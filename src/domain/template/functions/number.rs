//! Functions on numbers.
//!
//! Source: Masterminds/sprig v3.3.0, numeric.go; spf13/cast for what counts as a number.

use super::super::format;
use super::super::literal::integers;
use super::super::value::Value;
use super::Param::{Any, Float, Int, Text};
use super::{Function, arg, int, text};
use crate::domain::policy::numeric::parse_float;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("atoi", &[Text], |v| Ok(Value::Int(parse_decimal(text(v, 0))))),
    Function::fixed("int", &[Any], |v| Ok(Value::Int(to_int(arg(v, 0))))),
    Function::fixed("int64", &[Any], |v| Ok(Value::Int64(to_int(arg(v, 0))))),
    Function::fixed("float64", &[Any], |v| Ok(Value::Float(to_float(arg(v, 0))))),
    Function::fixed("toDecimal", &[Any], |v| {
        let digits = format::print(v)?;
        Ok(Value::Int64(i64::from_str_radix(&digits, 8).unwrap_or(0)))
    }),
    Function::fixed("add1", &[Any], |v| Ok(Value::Int64(to_int(arg(v, 0)).wrapping_add(1)))),
    Function::open("add", &[], Any, |v| {
        Ok(Value::Int64(v.iter().fold(0, |sum: i64, next| sum.wrapping_add(to_int(next)))))
    }),
    Function::fixed("sub", &[Any, Any], |v| {
        Ok(Value::Int64(to_int(arg(v, 0)).wrapping_sub(to_int(arg(v, 1)))))
    }),
    Function::fixed("div", &[Any, Any], |v| {
        let divisor = divisor(arg(v, 1))?;
        Ok(Value::Int64(to_int(arg(v, 0)).wrapping_div(divisor)))
    }),
    Function::fixed("mod", &[Any, Any], |v| {
        let divisor = divisor(arg(v, 1))?;
        Ok(Value::Int64(to_int(arg(v, 0)).wrapping_rem(divisor)))
    }),
    Function::open("mul", &[Any], Any, |v| {
        Ok(Value::Int64(v.iter().fold(1, |product: i64, next| product.wrapping_mul(to_int(next)))))
    }),
    Function::open("max", &[Any], Any, |v| Ok(Value::Int64(v.iter().map(to_int).max().unwrap_or(0)))),
    Function::open("biggest", &[Any], Any, |v| Ok(Value::Int64(v.iter().map(to_int).max().unwrap_or(0)))),
    Function::open("min", &[Any], Any, |v| Ok(Value::Int64(v.iter().map(to_int).min().unwrap_or(0)))),
    Function::open("maxf", &[Any], Any, |v| Ok(Value::Float(extreme(v, f64::max)))),
    Function::open("minf", &[Any], Any, |v| Ok(Value::Float(extreme(v, f64::min)))),
    Function::fixed("floor", &[Any], |v| Ok(Value::Float(to_float(arg(v, 0)).floor()))),
    Function::fixed("ceil", &[Any], |v| Ok(Value::Float(to_float(arg(v, 0)).ceil()))),
    Function::open("round", &[Any, Int], Float, |v| Ok(Value::Float(round(v)))),
];

fn divisor(value: &Value) -> Result<i64, String> {
    match to_int(value) {
        0 => Err("runtime error: integer divide by zero".to_owned()),
        divisor => Ok(divisor),
    }
}

/// The first number beyond those of 64 bits.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// A whole number, 0 if there is none to be seen.
#[expect(clippy::cast_possible_truncation, reason = "Go truncates so too")]
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        // What the processor answers for a number that does not fit.
        Value::Float(number) if !(-TWO_TO_63..TWO_TO_63).contains(number) => i64::MIN,
        Value::Float(number) => *number as i64,
        Value::Bool(flag) => i64::from(*flag),
        Value::Text(text) => parse_int(text).unwrap_or(0),
        other => known(other),
    }
}

/// A number with an optional base prefix; zeros behind a point are passed over.
fn parse_int(text: &str) -> Option<i64> {
    let whole = match text.rsplit_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    };
    integers(whole).0
}

/// `strconv.ParseInt` with base 10, which answers the nearest number there is for one that is too large; 0 for none.
pub(super) fn parse_decimal(text: &str) -> i64 {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX })
}

/// A number, 0 if there is none to be seen.
#[expect(clippy::cast_precision_loss, reason = "Go converts so too")]
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Text(text) => parse_float(text).unwrap_or(0.0),
        other => known(other) as f64,
    }
}

/// The whole number, if its type is one that sprig's conversions know: durations are not.
fn known(value: &Value) -> i64 {
    match value {
        Value::Named(_, of) if of.kind == "int64" => 0,
        other => other.whole().unwrap_or(0),
    }
}

/// The greatest or the least; what is no number makes the answer none.
fn extreme(values: &[Value], of: fn(f64, f64) -> f64) -> f64 {
    let pick = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { of(a, b) };
    values.iter().map(to_float).reduce(pick).unwrap_or(0.0)
}

fn round(values: &[Value]) -> f64 {
    let on = match values.get(2) {
        Some(Value::Float(on)) => *on,
        _ => 0.5,
    };
    // Beyond these the power is infinite, or nothing, as it is in Go.
    let places = int(values, 1).clamp(i32::MIN.into(), i32::MAX.into());
    let places = i32::try_from(places).unwrap_or_default();
    let power = 10_f64.powi(places);
    let digit = power * to_float(arg(values, 0));
    let rounded = if digit.fract() >= on { digit.ceil() } else { digit.floor() };
    rounded / power
}
