//! `printf`: flags, widths and operands of verbs.

use std::fmt::{self, Write};

use super::super::value::Value;
use super::{Sink, Spec, TooLong, put, with_type};

/// `fmt.Sprintf`.
pub(in super::super) fn printf(format: &str, values: &[Value]) -> Result<String, TooLong> {
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
            with_type(&mut self.out, value, Spec::default())?;
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
