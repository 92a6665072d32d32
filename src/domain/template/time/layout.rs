//! Go's layouts: the reference time `Mon Jan 2 15:04:05 MST 2006`, spelt as the date is to be.
//!
//! Source: golang/go:src/time/format.go, `nextStdChunk`, `appendFormat`.

use std::fmt::Write;

use super::calendar::{Civil, DAYS, MONTHS, name};
use super::{Moment, Zone};

/// An element of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    Zone,
    Offset(Offset),
    Fraction(Fraction),
}

/// How an offset from UTC is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// Whether UTC is `Z`.
    pub(super) z: bool,
    pub(super) colons: bool,
    pub(super) down_to: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Unit {
    Hours,
    Minutes,
    Seconds,
}

/// Digits below a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    pub(super) digits: usize,
    /// Whether zeros at the end are left out.
    trims: bool,
    /// Whether a comma stands before them.
    comma: bool,
}

impl Fraction {
    /// Whether the text must have as many digits.
    pub(super) fn is_exact(self) -> bool {
        !self.trims
    }
}

const fn offset(z: bool, colons: bool, down_to: Unit) -> Element {
    Element::Offset(Offset { z, colons, down_to })
}

/// How elements are spelt; of two that begin alike the first counts.
const ELEMENTS: &[(&str, Element)] = &[
    ("January", Element::LongMonth),
    ("Jan", Element::Month),
    ("Monday", Element::LongWeekDay),
    ("Mon", Element::WeekDay),
    ("MST", Element::Zone),
    ("01", Element::ZeroMonth),
    ("02", Element::ZeroDay),
    ("03", Element::ZeroHour12),
    ("04", Element::ZeroMinute),
    ("05", Element::ZeroSecond),
    ("06", Element::Year),
    ("002", Element::ZeroYearDay),
    ("15", Element::Hour),
    ("1", Element::NumMonth),
    ("2006", Element::LongYear),
    ("2", Element::Day),
    ("_2", Element::UnderDay),
    ("__2", Element::UnderYearDay),
    ("3", Element::Hour12),
    ("4", Element::Minute),
    ("5", Element::Second),
    ("PM", Element::UpperHalf),
    ("pm", Element::LowerHalf),
    ("-070000", offset(false, false, Unit::Seconds)),
    ("-07:00:00", offset(false, true, Unit::Seconds)),
    ("-0700", offset(false, false, Unit::Minutes)),
    ("-07:00", offset(false, true, Unit::Minutes)),
    ("-07", offset(false, false, Unit::Hours)),
    ("Z070000", offset(true, false, Unit::Seconds)),
    ("Z07:00:00", offset(true, true, Unit::Seconds)),
    ("Z0700", offset(true, false, Unit::Minutes)),
    ("Z07:00", offset(true, true, Unit::Minutes)),
    ("Z07", offset(true, false, Unit::Hours)),
];

/// The first element of a layout.
pub(super) struct Found<'l> {
    pub(super) before: &'l str,
    /// `None` if the layout ends without one.
    pub(super) element: Option<Element>,
    /// How it is spelt.
    pub(super) spelling: &'l str,
    pub(super) behind: &'l str,
}

/// Finds the first element of a layout.
pub(super) fn first(layout: &str) -> Found<'_> {
    for (at, _) in layout.char_indices() {
        let (before, rest) = layout.split_at(at);
        if let Some((element, length)) = element_at(rest) {
            let (spelling, behind) = rest.split_at(length);
            return Found { before, element: Some(element), spelling, behind };
        }
    }
    Found { before: layout, element: None, spelling: "", behind: "" }
}

/// The element that a layout begins with, and its length.
fn element_at(layout: &str) -> Option<(Element, usize)> {
    if layout.starts_with(['.', ',']) {
        return fraction_at(layout);
    }
    // That is a `_`, and a year behind it.
    if layout.starts_with("_2006") {
        return None;
    }
    let (spelling, element) = ELEMENTS.iter().find(|(spelling, _)| layout.starts_with(spelling))?;
    let behind = layout.get(spelling.len()..).unwrap_or_default();
    // `Month` is a word.
    let is_word = matches!(element, Element::Month | Element::WeekDay)
        && behind.starts_with(|c: char| c.is_ascii_lowercase());
    (!is_word).then_some((*element, spelling.len()))
}

fn fraction_at(layout: &str) -> Option<(Element, usize)> {
    let behind = layout.get(1..)?;
    let digit = behind.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let tail = behind.trim_start_matches(digit);
    if tail.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = behind.len() - tail.len();
    let fraction = Fraction { digits, trims: digit == '9', comma: layout.starts_with(',') };
    Some((Element::Fraction(fraction), 1 + digits))
}

/// `Time.Format`.
pub(super) fn format(moment: &Moment, layout: &str) -> String {
    let civil = moment.civil();
    let mut out = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let found = first(rest);
        out.push_str(found.before);
        let Some(element) = found.element else { return out };
        put(&mut out, element, moment, &civil);
        rest = found.behind;
    }
}

fn put(out: &mut String, element: Element, moment: &Moment, civil: &Civil) {
    let short = |name: &'static str| name.get(..3).unwrap_or_default();
    let hour12 = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
    let half = if civil.hour >= 12 { "PM" } else { "AM" };
    match element {
        Element::LongMonth => out.push_str(name(&MONTHS, civil.month - 1)),
        Element::Month => out.push_str(short(name(&MONTHS, civil.month - 1))),
        Element::NumMonth => padded(out, civil.month, 0),
        Element::ZeroMonth => padded(out, civil.month, 2),
        Element::LongWeekDay => out.push_str(name(&DAYS, civil.week_day)),
        Element::WeekDay => out.push_str(short(name(&DAYS, civil.week_day))),
        Element::Day => padded(out, civil.day, 0),
        Element::UnderDay => blank_padded(out, civil.day, 2),
        Element::ZeroDay => padded(out, civil.day, 2),
        Element::UnderYearDay => blank_padded(out, civil.year_day, 3),
        Element::ZeroYearDay => padded(out, civil.year_day, 3),
        Element::Hour => padded(out, civil.hour, 2),
        Element::Hour12 => padded(out, hour12, 0),
        Element::ZeroHour12 => padded(out, hour12, 2),
        Element::Minute => padded(out, civil.minute, 0),
        Element::ZeroMinute => padded(out, civil.minute, 2),
        Element::Second => padded(out, civil.second, 0),
        Element::ZeroSecond => padded(out, civil.second, 2),
        Element::LongYear => padded(out, civil.year, 4),
        Element::Year => padded(out, civil.year.abs() % 100, 2),
        Element::UpperHalf => out.push_str(half),
        Element::LowerHalf => out.push_str(&half.to_lowercase()),
        Element::Zone => put_zone(out, &moment.zone),
        Element::Offset(form) => put_offset(out, moment.zone.offset(), form),
        Element::Fraction(fraction) => put_fraction(out, moment.nanoseconds, fraction),
    }
}

/// A number with at least so many digits.
fn padded(out: &mut String, number: i64, digits: usize) {
    let sign = if number < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{:0digits$}", number.unsigned_abs());
}

/// The same with blanks before it.
fn blank_padded(out: &mut String, number: i64, width: usize) {
    let _ = write!(out, "{number:width$}");
}

fn put_zone(out: &mut String, zone: &Zone) {
    if zone.name().is_empty() {
        put_offset(out, zone.offset(), Offset { z: false, colons: false, down_to: Unit::Minutes });
    } else {
        out.push_str(zone.name());
    }
}

fn put_offset(out: &mut String, offset: i64, form: Offset) {
    if offset == 0 && form.z {
        out.push('Z');
        return;
    }
    // The sign is that of whole minutes; below one there is none.
    let minutes = offset / 60;
    let colon = if form.colons { ":" } else { "" };
    let (sign, offset) = if minutes < 0 { ('-', -offset) } else { ('+', offset) };
    out.push(sign);
    padded(out, minutes.abs() / 60, 2);
    if form.down_to >= Unit::Minutes {
        out.push_str(colon);
        padded(out, minutes.abs() % 60, 2);
    }
    if form.down_to >= Unit::Seconds {
        out.push_str(colon);
        padded(out, offset % 60, 2);
    }
}

fn put_fraction(out: &mut String, nanoseconds: i64, fraction: Fraction) {
    if fraction.trims && nanoseconds == 0 {
        return;
    }
    let all = format!("{nanoseconds:09}");
    let digits = all.get(..fraction.digits.min(9)).unwrap_or_default();
    let digits = if fraction.trims { digits.trim_end_matches('0') } else { digits };
    if !digits.is_empty() || !fraction.trims {
        out.push(if fraction.comma { ',' } else { '.' });
        out.push_str(digits);
    }
}
