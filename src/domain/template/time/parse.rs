//! Reads dates by Go's layouts.
//!
//! Texts are read byte by byte, because a layout may cut a character in two.
//!
//! Source: golang/go:src/time/format.go, `parse`.

use super::calendar::{DAYS, DAYS_BEFORE, MONTHS, SECONDS_OF_DAY, days_before, days_in, is_leap};
use super::layout::{Element, Offset, first};
use super::{Moment, Zone};
use crate::domain::duration::quoted;

/// Why an element cannot be read.
enum Fault {
    Bad,
    /// What is out of its range.
    Range(&'static str),
}

type Step<T> = Result<T, Fault>;

/// `time.ParseInLocation`, where the controller runs.
///
/// # Errors
/// Go's text about a value that the layout does not fit.
pub(in super::super) fn parse(layout: &str, value: &str) -> Result<Moment, String> {
    let failed = |message: String| format!("parsing time {}{message}", quoted(value.as_bytes()));
    let mut reader = Reader { rest: value.as_bytes(), read: Read::default() };
    let mut rest = layout;
    loop {
        let found = first(rest);
        let cannot = |at: &[u8], expected: &str| {
            let (at, expected) = (quoted(at), quoted(expected.as_bytes()));
            failed(format!(" as {}: cannot parse {at} as {expected}", quoted(layout.as_bytes())))
        };
        reader.skip(found.before.as_bytes()).map_err(|at| cannot(at, found.before))?;
        let Some(element) = found.element else { break };
        let hold = reader.rest;
        reader.element(element, found.behind).map_err(|fault| match fault {
            Fault::Bad => cannot(hold, found.spelling),
            Fault::Range(what) => failed(format!(": {what} out of range")),
        })?;
        rest = found.behind;
    }
    if !reader.rest.is_empty() {
        return Err(failed(format!(": extra text: {}", quoted(reader.rest))));
    }
    reader.read.moment().map_err(|what| failed(format!(": {what}")))
}

/// What was read so far.
#[derive(Debug, Default)]
struct Read {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: i64,
    /// Whether the hour is one after noon, if that was said.
    after_noon: Option<bool>,
    is_utc: bool,
    offset: Option<i64>,
    zone: String,
}

struct Reader<'v> {
    rest: &'v [u8],
    read: Read,
}

impl<'v> Reader<'v> {
    /// Passes over what the layout has between elements; any number of blanks is as good as one.
    fn skip(&mut self, mut text: &[u8]) -> Result<(), &'v [u8]> {
        while let Some((next, behind)) = text.split_first() {
            let is_blank = *next == b' ';
            if is_blank && (self.rest.is_empty() || self.passed(b' ')) {
                text = without_blanks(text);
                self.rest = without_blanks(self.rest);
            } else if !is_blank && self.passed(*next) {
                text = behind;
            } else {
                return Err(self.rest);
            }
        }
        Ok(())
    }

    fn passed(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn is_digit(&self, at: usize) -> bool {
        self.rest.get(at).is_some_and(u8::is_ascii_digit)
    }

    /// The next so many bytes.
    fn take(&mut self, count: usize) -> Step<&'v [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::Bad)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of one to `most` digits, or of exactly so many.
    fn number(&mut self, most: usize, exactly: bool) -> Step<i64> {
        let count = (0..most).take_while(|at| self.is_digit(*at)).count();
        if count == 0 || exactly && count < most {
            return Err(Fault::Bad);
        }
        decimal(self.take(count)?).ok_or(Fault::Bad)
    }

    /// A number of one or two digits below `limit`.
    fn below(&mut self, limit: i64, exactly: bool, what: &'static str) -> Step<i64> {
        let number = self.number(2, exactly)?;
        if number < limit { Ok(number) } else { Err(Fault::Range(what)) }
    }

    /// The number of the name that the text begins with, of which `short` letters count.
    fn name(&mut self, names: &[&str], short: Option<usize>) -> Step<i64> {
        for (number, name) in (0..).zip(names) {
            let name = name.get(..short.unwrap_or(name.len())).unwrap_or_default();
            if self.rest.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes())) {
                self.take(name.len())?;
                return Ok(number);
            }
        }
        Err(Fault::Bad)
    }

    /// Reads one element; `behind` is what follows it in the layout.
    fn element(&mut self, element: Element, behind: &str) -> Step<()> {
        match element {
            Element::Year | Element::LongYear => self.year(element == Element::LongYear)?,
            Element::Month => self.read.month = Some(self.name(&MONTHS, Some(3))? + 1),
            Element::LongMonth => self.read.month = Some(self.name(&MONTHS, None)? + 1),
            Element::NumMonth | Element::ZeroMonth => {
                let month = self.number(2, element == Element::ZeroMonth)?;
                if !(1..=12).contains(&month) {
                    return Err(Fault::Range("month"));
                }
                self.read.month = Some(month);
            }
            Element::WeekDay => drop(self.name(&DAYS, Some(3))?),
            Element::LongWeekDay => drop(self.name(&DAYS, None)?),
            Element::Day | Element::UnderDay | Element::ZeroDay => {
                let _ = element == Element::UnderDay && self.passed(b' ');
                self.read.day = Some(self.number(2, element == Element::ZeroDay)?);
            }
            Element::UnderYearDay | Element::ZeroYearDay => {
                let _ = element == Element::UnderYearDay && self.passed(b' ') && self.passed(b' ');
                self.read.year_day = Some(self.number(3, element == Element::ZeroYearDay)?);
            }
            Element::Hour => self.read.hour = self.below(24, false, "hour")?,
            Element::Hour12 | Element::ZeroHour12 => {
                self.read.hour = self.below(13, element == Element::ZeroHour12, "hour")?;
            }
            Element::Minute | Element::ZeroMinute => {
                self.read.minute = self.below(60, element == Element::ZeroMinute, "minute")?;
            }
            Element::Second | Element::ZeroSecond => self.second(element == Element::ZeroSecond, behind)?,
            Element::UpperHalf => self.half(b"AM", b"PM")?,
            Element::LowerHalf => self.half(b"am", b"pm")?,
            Element::Zone => self.zone()?,
            Element::Offset(Offset { z: true, .. }) if self.passed(b'Z') => self.read.is_utc = true,
            Element::Offset(form) => self.offset(form)?,
            Element::Fraction(fraction) if fraction.is_exact() => self.fraction(1 + fraction.digits)?,
            Element::Fraction(_) => self.any_fraction()?,
        }
        Ok(())
    }

    fn year(&mut self, long: bool) -> Step<()> {
        if long && !self.is_digit(0) {
            return Err(Fault::Bad);
        }
        let year = signed(self.take(if long { 4 } else { 2 })?).ok_or(Fault::Bad)?;
        self.read.year = match year {
            year if long => year,
            69.. => year + 1900,
            year => year + 2000,
        };
        Ok(())
    }

    fn second(&mut self, exactly: bool, behind: &str) -> Step<()> {
        self.read.second = self.below(60, exactly, "second")?;
        // Digits below a second may follow where the layout has none.
        if matches!(first(behind).element, Some(Element::Fraction(_))) { Ok(()) } else { self.any_fraction() }
    }

    fn half(&mut self, before: &[u8], after: &[u8]) -> Step<()> {
        match self.take(2)? {
            text if text == before => self.read.after_noon = Some(false),
            text if text == after => self.read.after_noon = Some(true),
            _ => return Err(Fault::Bad),
        }
        Ok(())
    }

    /// Digits below a second, as many as there are, or none.
    fn any_fraction(&mut self) -> Step<()> {
        if !matches!(self.rest.first(), Some(b'.' | b',')) || !self.is_digit(1) {
            return Ok(());
        }
        let digits = self.rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        self.fraction(1 + digits)
    }

    /// So many bytes below a second, point and all; nine digits count.
    fn fraction(&mut self, length: usize) -> Step<()> {
        let text = self.take(length)?;
        let Some((b'.' | b',', digits)) = text.split_first() else { return Err(Fault::Bad) };
        let digits = digits.get(..9).unwrap_or(digits);
        let number = signed(digits).ok_or(Fault::Bad)?;
        if number < 0 {
            return Err(Fault::Range("fractional second"));
        }
        self.read.nanoseconds = (digits.len()..9).fold(number, |number, _| number * 10);
        Ok(())
    }

    /// Hours, minutes and seconds east of Greenwich.
    fn offset(&mut self, form: Offset) -> Step<()> {
        let (colon, count) = (usize::from(form.colons), form.down_to as usize);
        let text = self.take(3 + count * (2 + colon))?;
        let (sign, mut rest) = text.split_first().ok_or(Fault::Bad)?;
        let mut parts = [0_i64; 3];
        let mut good = true;
        for (index, part) in parts.iter_mut().enumerate().take(1 + count) {
            if index > 0 && form.colons {
                let Some((b':', tail)) = rest.split_first() else { return Err(Fault::Bad) };
                rest = tail;
            }
            let (digits, tail) = rest.split_at_checked(2).ok_or(Fault::Bad)?;
            rest = tail;
            // Behind a part that is none nothing is read.
            good = good && digits.iter().all(u8::is_ascii_digit);
            *part = if good { decimal(digits).unwrap_or(0) } else { 0 };
        }
        let limits =
            [(24, "time zone offset hour"), (60, "time zone offset minute"), (60, "time zone offset second")];
        let beyond = parts.iter().zip(limits).rfind(|(part, (limit, _))| *part > limit);
        if let Some((_, (_, what))) = beyond {
            return Err(Fault::Range(what));
        }
        let [hours, minutes, seconds] = parts;
        let east = (hours * 60 + minutes) * 60 + seconds;
        self.read.offset = Some(match sign {
            b'+' if good => east,
            b'-' if good => -east,
            _ => return Err(Fault::Bad),
        });
        Ok(())
    }

    fn zone(&mut self) -> Step<()> {
        if self.rest.starts_with(b"UTC") {
            self.take(3)?;
            self.read.is_utc = true;
            return Ok(());
        }
        let length = zone_length(self.rest).ok_or(Fault::Bad)?;
        self.read.zone = String::from_utf8_lossy(self.take(length)?).into_owned();
        Ok(())
    }
}

impl Read {
    /// The point in time; else what is wrong with it.
    fn moment(mut self) -> Result<Moment, &'static str> {
        match self.after_noon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let (month, day) = self.date()?;
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let of_day = self.hour * 3_600 + self.minute * 60 + self.second;
        let seconds = days_before(self.year, month, day) * SECONDS_OF_DAY + of_day;
        let nanoseconds = self.nanoseconds;
        let (seconds, zone) = self.placed(seconds);
        Ok(Moment { seconds, nanoseconds, zone })
    }

    fn date(&self) -> Result<(i64, i64), &'static str> {
        let Some(year_day) = self.year_day else {
            return Ok((self.month.unwrap_or(1), self.day.unwrap_or(1)));
        };
        let leap_day = 31 + 29;
        let is_leap = is_leap(self.year);
        let in_common_year = if is_leap && year_day > leap_day { year_day - 1 } else { year_day };
        let (month, day) = if is_leap && year_day == leap_day {
            (2, 29)
        } else if (1..=365).contains(&in_common_year) {
            let before = (0..).zip(DAYS_BEFORE).filter(|(_, before)| *before < in_common_year).last();
            before.map_or((1, 1), |(index, before)| (index + 1, in_common_year - before))
        } else {
            return Err("day-of-year out of range");
        };
        if self.month.is_some_and(|said| said != month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|said| said != day) {
            return Err("day-of-year does not match day");
        }
        Ok((month, day))
    }

    /// Where the time is, and when that is in UTC.
    fn placed(self, seconds: i64) -> (i64, Zone) {
        match self.offset {
            _ if self.is_utc => (seconds, Zone::Utc),
            // Go takes one second west of Greenwich for no offset.
            Some(0) if self.zone.is_empty() || self.zone == "UTC" => (seconds, Zone::Local),
            Some(offset) if offset != -1 => (seconds - offset, Zone::Fixed(self.zone, offset)),
            _ if self.zone.is_empty() => (seconds, Zone::Local),
            _ => {
                let hours = self.zone.strip_prefix("GMT").and_then(|hours| signed(hours.as_bytes()));
                (seconds, Zone::Fixed(self.zone, hours.unwrap_or(0) * 3_600))
            }
        }
    }
}

fn without_blanks(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix(b" ") {
        text = rest;
    }
    text
}

/// The number that digits make; `None` if there is another byte.
fn decimal(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// The same with a sign before it; no digits are 0.
fn signed(text: &[u8]) -> Option<i64> {
    match text.split_first() {
        Some((b'-', digits)) => decimal(digits).map(|number| -number),
        Some((b'+', digits)) => decimal(digits),
        _ => decimal(text),
    }
}

/// The length of the abbreviation of a time zone that a text begins with.
fn zone_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + hours_length(rest));
    }
    if matches!(text.first(), Some(b'+' | b'-')) {
        return Some(hours_length(text)).filter(|length| *length > 0);
    }
    let letters = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    let ends_in_t = letters.checked_sub(1).and_then(|last| text.get(last)) == Some(&b'T');
    match letters {
        3 => Some(3),
        4 if ends_in_t || text.starts_with(b"WITA") => Some(4),
        5 if ends_in_t => Some(5),
        _ => None,
    }
}

/// The length of a sign and a number up to 23 that a text begins with; 0 if there is none.
fn hours_length(text: &[u8]) -> usize {
    let Some((b'+' | b'-', behind)) = text.split_first() else { return 0 };
    let count = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = behind.get(..count).unwrap_or_default();
    let is_hour = digits.iter().try_fold(0_u64, |number, digit| {
        Some(number * 10 + u64::from(digit - b'0')).filter(|number| *number <= 23)
    });
    if count > 0 && is_hour.is_some() { 1 + count } else { 0 }
}
