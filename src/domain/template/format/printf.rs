//! `printf`: flags, widths and operands of verbs.

use std::fmt::{self, Write};

use super::super::value::Value;
use super::{Sink, Spec, Unprinted, put, with_type};

/// `fmt.Sprintf`.
pub(in super::super) fn printf(format: &str, values: &[Value]) -> Result<String, Unprinted> {
    let mut printer = Printf { out: Sink::default(), values, next: 0, reordered: false, is_good: true };
    let result = printer.run(format);
    printer.out.end(result)
}

struct Printf<'a> {
    out: Sink,
    values: &'a [Value],
    next: usize,
    reordered: bool,
    /// Whether the verb under way names its operand well, if it does.
    is_good: bool,
}

/// Beyond this width and precision Go takes no further digit, and no such operand.
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
        self.is_good = true;
        let (mut spec, rest) = flags(text);
        let (mut indexed, mut rest) = self.argument_number(rest);
        if let Some(tail) = rest.strip_prefix('*') {
            (rest, indexed) = (tail, false);
            self.width_of_operand(&mut spec)?;
        } else {
            (spec.width, rest) = number(rest);
            self.is_good &= !indexed || spec.width.is_none();
        }
        // A point that ends the format is a verb.
        if let Some(tail) = rest.strip_prefix('.').filter(|tail| !tail.is_empty()) {
            self.is_good &= !indexed;
            (indexed, rest) = self.argument_number(tail);
            if let Some(tail) = rest.strip_prefix('*') {
                (rest, indexed) = (tail, false);
                self.precision_of_operand(&mut spec)?;
            } else {
                let (precision, tail) = number(rest);
                (spec.precision, rest) = (precision.or(Some(0)), tail);
            }
        }
        if !indexed {
            rest = self.argument_number(rest).1;
        }
        let mut chars = rest.chars();
        match chars.next() {
            None => self.out.write_str("%!(NOVERB)")?,
            Some('%') => self.out.write_str("%")?,
            Some(verb) => self.operand(verb, spec)?,
        }
        Ok(chars.as_str())
    }

    fn operand(&mut self, verb: char, mut spec: Spec) -> fmt::Result {
        if matches!(verb, 'v' | 'w') {
            (spec.plus_v, spec.plus) = (spec.plus, false);
            (spec.sharp_v, spec.sharp) = (spec.sharp, false);
        }
        match self.values.get(self.next) {
            _ if !self.is_good => write!(self.out, "%!{verb}(BADINDEX)"),
            None => write!(self.out, "%!{verb}(MISSING)"),
            Some(value) => {
                self.next += 1;
                put(&mut self.out, value, verb, spec, 0)
            }
        }
    }

    /// `[n]`: the next operand is the n-th. Whether that was said in figures, and the rest.
    fn argument_number<'f>(&mut self, text: &'f str) -> (bool, &'f str) {
        let Some(behind) = text.strip_prefix('[') else { return (false, text) };
        self.reordered = true;
        let Some((figures, rest)) = behind.split_once(']').filter(|_| text.len() >= 3) else {
            self.is_good = false;
            return (false, behind);
        };
        let (Some(index), "") = number(figures) else {
            self.is_good = false;
            return (false, rest);
        };
        match index.checked_sub(1).filter(|index| *index < self.values.len()) {
            Some(index) => self.next = index,
            None => self.is_good = false,
        }
        (true, rest)
    }

    /// The next operand, for `*`; `None` if it is no number that may be a size.
    fn size(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        let largest = u64::try_from(MAX_WIDTH).unwrap_or(u64::MAX);
        value.whole().filter(|size| size.unsigned_abs() <= largest)
    }

    fn width_of_operand(&mut self, spec: &mut Spec) -> fmt::Result {
        let Some(size) = self.size() else { return self.out.write_str("%!(BADWIDTH)") };
        spec.width = usize::try_from(size.unsigned_abs()).ok();
        if size < 0 {
            (spec.minus, spec.zero) = (true, false);
        }
        Ok(())
    }

    fn precision_of_operand(&mut self, spec: &mut Spec) -> fmt::Result {
        spec.precision = self.size().and_then(|size| usize::try_from(size).ok());
        if spec.precision.is_none() { self.out.write_str("%!(BADPREC)") } else { Ok(()) }
    }
}

/// A number that the text begins with, and the rest; one that is much too large takes all of the rest with it.
fn number(text: &str) -> (Option<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (figures, rest) = text.split_at(end);
    let mut found = None;
    for figure in figures.bytes() {
        let before = found.unwrap_or(0);
        if before > MAX_WIDTH {
            return (None, "");
        }
        found = Some(before * 10 + usize::from(figure - b'0'));
    }
    (found, rest)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operand_that_is_not_there_spoils_its_own_verb_only() {
        let values = [Value::Int(1), Value::Int(2)];
        for (format, printed) in [
            ("%[5]d %d", "%!d(BADINDEX) 1"),
            ("%[5]*d|%d", "%!d(BADINDEX)|2"),
            ("%[2]*[1]d|%[1]d", " 1|1"),
            ("%[1]2d|%d", "%!d(BADINDEX)|1"),
            ("%[d", "%!d(BADINDEX)"),
            ("%[x]d|%.*d", "%!d(BADINDEX)|2"),
            ("%99999999d", "%!(NOVERB)%!(EXTRA int=1, int=2)"),
        ] {
            assert_eq!(printf(format, &values), Ok(printed.to_owned()), "{format}");
        }
    }

    #[test]
    fn numbers_and_characters_are_spelt_as_go_spells_them() {
        let values = |numbers: &[i64]| numbers.iter().copied().map(Value::Int).collect::<Vec<_>>();
        for (format, numbers, printed) in [
            ("%+.3d|%.0d|%.d|%5.0d|%+.0d|%05.0d|%#.0x|", &[5, 0, 0, 0, 0, 0, 0][..], "+005|||     ||     ||"),
            ("%U|%U|%#U|%#U", &[-1, 55296, 55296, -2], "U+FFFFFFFFFFFFFFFF|U+D800|U+D800|U+FFFFFFFFFFFFFFFE"),
            (
                "%U|%.8U|%#.6U|%010U|",
                &[1_114_112, 65, 65, 65],
                "U+110000|U+00000041|U+000041 'A'|    U+0041|",
            ),
            ("%+q|%q|%+q", &[233, 233, 128_512], r"'\u00e9'|'é'|'\U0001f600'"),
        ] {
            assert_eq!(printf(format, &values(numbers)).as_deref(), Ok(printed), "{format}");
        }
        let texts = [Value::text("é😀\u{1}"), Value::text("aé")];
        assert_eq!(printf("%+q|%#+q", &texts).as_deref(), Ok(r#""\u00e9\U0001f600\x01"|`aé`"#));
        assert_eq!(printf("%.1500f", &[Value::Float(1.5)]).map(|text| text.len()), Ok(1502));
    }
}
