//! `addf`, `subf`, `mulf`, `divf`, `add1f`: calculated with decimal digits, rounded once at the end.
//!
//! Source: Masterminds/sprig v3.3.0, numeric.go (`execDecimalOp`); shopspring/decimal v1.4.0.

use super::super::value::Value;
use super::Param::Any;
use super::number::to_float;
use super::{Answer, Function, arg};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("add1f", &[Any], |v| calculate(arg(v, 0), &[Value::Int(1)], Decimal::plus)),
    Function::open("addf", &[], Any, |v| calculate(&Value::Int(0), v, Decimal::plus)),
    Function::open("subf", &[Any], Any, |v| calculate(arg(v, 0), rest(v), Decimal::minus)),
    Function::open("mulf", &[Any], Any, |v| calculate(arg(v, 0), rest(v), Decimal::times)),
    Function::open("divf", &[Any], Any, |v| divide(arg(v, 0), rest(v))),
];

fn rest(values: &[Value]) -> &[Value] {
    values.get(1..).unwrap_or_default()
}

fn calculate(first: &Value, others: &[Value], with: fn(Decimal, Number) -> Decimal) -> Answer {
    let mut result = Decimal::from(Number::new(to_float(first))?);
    for other in others {
        result = with(result, Number::new(to_float(other))?);
    }
    Ok(Value::Float(result.float()))
}

fn divide(first: &Value, others: &[Value]) -> Answer {
    let mut result = Decimal::from(Number::new(to_float(first))?);
    for other in others {
        result = result.divided(Number::new(to_float(other))?)?;
    }
    Ok(Value::Float(result.float()))
}

/// Decimals behind the point of a quotient.
const PRECISION: i64 = 16;

/// `digits` times a power of ten: one operand, the shortest text that is the `float64`.
#[derive(Debug, Clone, Copy)]
struct Number {
    negative: bool,
    digits: u64,
    exponent: i64,
}

impl Number {
    fn new(number: f64) -> Result<Self, String> {
        if !number.is_finite() {
            let name = super::super::format::general(number, None);
            return Err(format!("Cannot create a Decimal from {name}"));
        }
        let text = format!("{:e}", number.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let behind = mantissa.split_once('.').map_or(0, |(_, behind)| behind.len());
        let exponent = exponent.parse::<i64>().unwrap_or(0) - i64::try_from(behind).unwrap_or(0);
        let digits = mantissa.replace('.', "").parse().unwrap_or(0);
        Ok(Self { negative: number < 0.0, digits, exponent })
    }
}

/// As many decimal digits as it takes, the last first, times a power of ten.
#[derive(Debug, Clone)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl From<Number> for Decimal {
    fn from(number: Number) -> Self {
        let digits = number.digits.to_string().bytes().rev().map(|digit| digit - b'0').collect();
        Self { negative: number.negative, digits, exponent: number.exponent }
    }
}

impl Decimal {
    fn plus(self, other: Number) -> Self {
        let other = Self::from(other);
        let exponent = self.exponent.min(other.exponent);
        let (negative, other_negative) = (self.negative, other.negative);
        let (mut large, mut small) = (self.scaled(exponent), other.scaled(exponent));
        let length = large.len().max(small.len()) + 1;
        large.resize(length, 0);
        small.resize(length, 0);
        let mut result = negative;
        if negative != other_negative && large.iter().rev().lt(small.iter().rev()) {
            std::mem::swap(&mut large, &mut small);
            result = other_negative;
        }
        let sign = if negative == other_negative { 1 } else { -1 };
        let mut carry = 0;
        for (digit, other) in large.iter_mut().zip(&small) {
            let sum = i16::from(*digit) + sign * i16::from(*other) + carry;
            carry = sum.div_euclid(10);
            *digit = u8::try_from(sum.rem_euclid(10)).unwrap_or(0);
        }
        Self { negative: result, digits: large, exponent }
    }

    fn minus(self, other: Number) -> Self {
        self.plus(Number { negative: !other.negative, ..other })
    }

    fn times(self, other: Number) -> Self {
        let mut carry = 0_u128;
        let mut digits: Vec<u8> = Vec::with_capacity(self.digits.len() + 20);
        let mut own = self.digits.iter();
        loop {
            let next = own.next();
            if next.is_none() && carry == 0 {
                break;
            }
            carry += u128::from(other.digits) * u128::from(next.copied().unwrap_or(0));
            digits.push(u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
        Self {
            negative: self.negative != other.negative,
            digits,
            exponent: self.exponent.saturating_add(other.exponent),
        }
    }

    /// Rounded to [`PRECISION`] decimals, halves away from zero.
    fn divided(self, other: Number) -> Result<Self, String> {
        if other.digits == 0 {
            return Err("decimal division by 0".to_owned());
        }
        let negative = self.negative != other.negative;
        // Twice the quotient tells on which side of a half it lies.
        let doubled = self.times(Number { negative: false, digits: 2, exponent: 0 });
        let last = other.exponent - PRECISION;
        let mut rest = 0_u128;
        let mut quotient: Vec<u8> = Vec::new();
        for digit in doubled.scaled(last).iter().rev() {
            rest = rest * 10 + u128::from(*digit);
            quotient.push(u8::try_from(rest / u128::from(other.digits)).unwrap_or(0));
            rest %= u128::from(other.digits);
        }
        quotient.reverse();
        let more = Self { negative: false, digits: quotient, exponent: 0 };
        let more = more.plus(Number { negative: false, digits: 1, exponent: 0 });
        let halved = more.times(Number { negative: false, digits: 5, exponent: 0 });
        let digits = halved.digits.get(1..).unwrap_or_default().to_vec();
        Ok(Self { negative, digits, exponent: -PRECISION })
    }

    /// The digits of the same number times 10 to the power of `-exponent`; what would be behind the point is lost.
    fn scaled(self, exponent: i64) -> Vec<u8> {
        let shift = self.exponent - exponent;
        let by = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
        if shift < 0 {
            return self.digits.get(by..).unwrap_or_default().to_vec();
        }
        let mut digits = vec![0; by];
        digits.extend(self.digits);
        digits
    }

    fn float(&self) -> f64 {
        let digits: String = self.digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
        let number: f64 = format!("0{digits}e{}", self.exponent).parse().unwrap_or(0.0);
        // There is no negative zero.
        if self.negative && number != 0.0 { -number } else { number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: f64) -> Number {
        Number::new(number).unwrap()
    }

    fn of(with: fn(Decimal, Number) -> Decimal, a: f64, b: f64) -> f64 {
        with(Decimal::from(number(a)), number(b)).float()
    }

    fn quotient(a: f64, b: f64) -> Result<f64, String> {
        Decimal::from(number(a)).divided(number(b)).map(|quotient| quotient.float())
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the nearest number is one number")]
    fn results_are_those_of_decimal_digits() {
        assert_eq!(of(Decimal::plus, 0.1, 0.2), 0.3);
        assert_eq!(of(Decimal::minus, 0.3, 0.1), 0.2);
        assert_eq!(of(Decimal::minus, 0.1, 0.3), -0.2);
        assert_eq!(of(Decimal::plus, 1e300, -1.0), 1e300);
        assert_eq!(of(Decimal::times, -1.1, 1.1), -1.21);
        assert_eq!(quotient(1.0, 3.0), Ok(0.333_333_333_333_333_3));
        assert_eq!(quotient(2.0, -3.0), Ok(-0.666_666_666_666_666_7));
        assert_eq!(quotient(1e-20, 1.0), Ok(0.0));
        assert_eq!(quotient(10.0, 1e300), Ok(0.0));
        assert_eq!(quotient(1.0, 0.0), Err("decimal division by 0".to_owned()));
    }
}
