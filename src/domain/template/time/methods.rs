//! The methods of a date that a template can call.
//!
//! Source: golang/go:src/time/time.go.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::functions::{
    Answer, Call, Function, Param, UNSUPPORTED_TEXT, answer, int, text, unsupported,
};
use super::super::value::{Field, Struct, StructType, Value};
use super::calendar::{SECONDS_OF_DAY, days_before};
use super::number::{MONTH, WEEKDAY, duration};
use super::{Moment, NANOSECONDS, ZERO, Zone};

/// `time.Time`, with the fields that Go's has without a monotonic clock: nanoseconds below a second, seconds since the year 1, and
/// where, which is Go's `nil` in UTC.
pub(in super::super) static TIME: StructType = StructType {
    name: "time.Time",
    fields: &[hidden("wall"), hidden("ext"), hidden("loc")],
    methods: &[
        ("Year", |own| Value::Int(Moment::of(own).civil().year)),
        ("Month", |own| Value::Named(Moment::of(own).civil().month, &MONTH)),
        ("Weekday", |own| Value::Named(Moment::of(own).civil().week_day, &WEEKDAY)),
        ("Location", |own| Moment::of(own).zone.into_value()),
        ("Day", |own| Value::Int(Moment::of(own).civil().day)),
        ("YearDay", |own| Value::Int(Moment::of(own).civil().year_day)),
        ("Hour", |own| Value::Int(Moment::of(own).civil().hour)),
        ("Minute", |own| Value::Int(Moment::of(own).civil().minute)),
        ("Second", |own| Value::Int(Moment::of(own).civil().second)),
        ("Nanosecond", |own| Value::Int(Moment::of(own).nanoseconds)),
        ("Unix", |own| Value::Int64(Moment::of(own).seconds)),
        ("UnixMilli", |own| unix(own, 1_000)),
        ("UnixMicro", |own| unix(own, 1_000_000)),
        ("UnixNano", |own| unix(own, NANOSECONDS)),
        ("IsZero", |own| Value::Bool(Moment::of(own).since_zero() == 0)),
        ("IsDST", |_| Value::Bool(false)),
        ("UTC", |own| Moment { zone: Zone::Utc, ..Moment::of(own) }.into_value()),
        ("Local", |own| Moment { zone: Zone::Local, ..Moment::of(own) }.into_value()),
        ("String", |own| Value::Text(shown(own))),
        ("GoString", |own| Value::text(Moment::of(own).source())),
    ],
    calls: &[CALLS],
    text: Some(shown),
};

const CALLS: &[Function] = &[
    Function::fixed("Format", &[Param::Text], |v| answer(at(v, 0).format(text(v, 1)))),
    Function::fixed("Add", &[Param::Duration], |v| Ok(at(v, 0).plus(int(v, 1)).into_value())),
    Function::fixed("AddDate", &[Param::Int, Param::Int, Param::Int], add_date),
    Function::fixed("Truncate", &[Param::Duration], |v| {
        let (moment, step) = (at(v, 0), int(v, 1));
        Ok(if step > 0 { moment.plus(-beyond(&moment, step)) } else { moment }.into_value())
    }),
    Function::fixed("Round", &[Param::Duration], |v| {
        let (moment, step) = (at(v, 0), int(v, 1));
        Ok(if step > 0 { rounded(&moment, step) } else { moment }.into_value())
    }),
    Function::fixed("After", &[Param::Time], |v| Ok(Value::Bool(order(v).is_gt()))),
    Function::fixed("Before", &[Param::Time], |v| Ok(Value::Bool(order(v).is_lt()))),
    Function::fixed("Equal", &[Param::Time], |v| Ok(Value::Bool(order(v).is_eq()))),
    Function::fixed("Compare", &[Param::Time], |v| Ok(Value::Int(order(v) as i64))),
    Function::fixed("Sub", &[Param::Time], |v| Ok(duration(between(&at(v, 0), &at(v, 1))))),
    Function::fixed("In", &[Param::Location], |v| match v.get(1) {
        Some(Value::Struct(location)) => {
            let zone = Zone::of(location);
            Ok(Moment { zone, ..at(v, 0) }.into_value())
        }
        _ => Err("time: missing Location in call to Time.In".to_owned()),
    }),
    several("Date", "function Date has 3 return values; should be 1 or 2"),
    several("Clock", "function Clock has 3 return values; should be 1 or 2"),
    several("Zone", "invalid function signature for Zone: second return value should be error; is int"),
    several("ISOWeek", "invalid function signature for ISOWeek: second return value should be error; is int"),
    several(
        "ZoneBounds",
        "invalid function signature for ZoneBounds: second return value should be error; is time.Time",
    ),
    unsupported("AppendFormat"),
    unsupported("AppendBinary"),
    unsupported("AppendText"),
    unsupported("MarshalBinary"),
    unsupported("MarshalJSON"),
    unsupported("MarshalText"),
    unsupported("GobEncode"),
];

/// `*time.Location`: where a time is.
pub(super) static LOCATION: StructType = StructType {
    name: "*time.Location",
    fields: &[
        hidden("name"),
        hidden("zone"),
        hidden("tx"),
        hidden("extend"),
        hidden("cacheStart"),
        hidden("cacheEnd"),
        hidden("cacheZone"),
    ],
    methods: &[("String", |own| Value::Text(place(own)))],
    calls: &[],
    text: Some(place),
};

/// `time.zone`: how far a place is from Greenwich.
pub(super) static ZONE: StructType = StructType {
    name: "time.zone",
    fields: &[hidden("name"), hidden("offset"), hidden("isDST")],
    methods: &[],
    calls: &[],
    text: None,
};

/// `*time.zone`
pub(super) static ZONE_POINTER: StructType = StructType { name: "*time.zone", ..ZONE };

/// `time.zoneTrans`: since when a place is that far.
pub(super) static TRANSITION: StructType = StructType {
    name: "time.zoneTrans",
    fields: &[hidden("when"), hidden("index"), hidden("isstd"), hidden("isutc")],
    ..ZONE
};

/// `Location.String`.
fn place(own: &Struct) -> Rc<str> {
    Zone::of(own).name().into()
}

const fn hidden(name: &'static str) -> Field {
    Field { name, embedded: false, json: None, hidden: true }
}

/// Methods that answer several values.
const fn several(name: &'static str, refusal: &'static str) -> Function {
    Function { name, params: &[], rest: None, call: Call::Several(refusal) }
}

fn shown(own: &Struct) -> Rc<str> {
    Moment::of(own).shown().into()
}

fn unix(own: &Struct, parts: i64) -> Value {
    let Moment { seconds, nanoseconds, .. } = Moment::of(own);
    Value::Int64(seconds.wrapping_mul(parts).wrapping_add(nanoseconds / (NANOSECONDS / parts)))
}

/// The date at `index`, which the row says is one.
fn at(values: &[Value], index: usize) -> Moment {
    match values.get(index) {
        Some(Value::Struct(value)) => Moment::of(value),
        _ => ZERO,
    }
}

fn order(values: &[Value]) -> Ordering {
    at(values, 0).since_zero().cmp(&at(values, 1).since_zero())
}

/// Nanoseconds from `earlier` to `later`; beyond 64 bits the nearest number there is.
fn between(later: &Moment, earlier: &Moment) -> i64 {
    let nanoseconds = later.since_zero() - earlier.since_zero();
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}

/// How far a moment lies beyond the last whole step since the zero time, in nanoseconds.
fn beyond(moment: &Moment, step: i64) -> i64 {
    i64::try_from(moment.since_zero().rem_euclid(i128::from(step))).unwrap_or(0)
}

fn rounded(moment: &Moment, step: i64) -> Moment {
    let beyond = beyond(moment, step);
    let is_less_than_half = i128::from(beyond) * 2 < i128::from(step);
    moment.plus(if is_less_than_half { -beyond } else { step - beyond })
}

/// Years that can be calculated with; Go's go around in a circle further out.
const FARTHEST: i64 = 1_000_000_000;

fn add_date(values: &[Value]) -> Answer {
    let moment = at(values, 0);
    let parts = [int(values, 1), int(values, 2), int(values, 3)];
    if parts.iter().any(|part| !(-FARTHEST..=FARTHEST).contains(part)) {
        return Err(UNSUPPORTED_TEXT.to_owned());
    }
    let ([years, months, days], civil) = (parts, moment.civil());
    let months = civil.month - 1 + months;
    let year = civil.year + years + months.div_euclid(12);
    let days = days_before(year, months.rem_euclid(12) + 1, civil.day + days);
    let of_day = civil.hour * 3_600 + civil.minute * 60 + civil.second;
    let seconds = days * SECONDS_OF_DAY + of_day - moment.zone.offset();
    Ok(Moment { seconds, ..moment }.into_value())
}
