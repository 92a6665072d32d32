//! Dates: what `toDate` answers, Go's `time.Time`.
//!
//! Controllers run without a time zone, so local time is UTC, and other zones are only what a text says.
//!
//! Source: golang/go:src/time/time.go, format.go, zoneinfo.go.

mod calendar;
mod layout;
mod methods;
mod number;
mod parse;

use std::rc::Rc;

use super::value::{Struct, StructType, Value};
use calendar::{Civil, SECONDS_OF_DAY};

pub(super) use methods::TIME;
use methods::{LOCATION, TRANSITION, ZONE, ZONE_POINTER};
pub(super) use number::shown as duration_shown;
pub(super) use parse::parse;

/// Nanoseconds of a second.
const NANOSECONDS: i64 = 1_000_000_000;

/// How the zero time prints, and what an error answers.
pub(super) const ZERO: Moment = Moment { seconds: -62_135_596_800, nanoseconds: 0, zone: Zone::Utc };

/// A point in time, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since 1970, in UTC.
    pub(super) seconds: i64,
    /// Below a second.
    nanoseconds: i64,
    zone: Zone,
}

/// Where a time is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Zone {
    Utc,
    /// Where the controller runs, which is UTC too.
    Local,
    /// What a text said: an abbreviation, which may be empty, and the seconds east of Greenwich.
    Fixed(String, i64),
}

impl Zone {
    fn offset(&self) -> i64 {
        match self {
            Self::Utc | Self::Local => 0,
            Self::Fixed(_, offset) => *offset,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Utc | Self::Local => "UTC",
            Self::Fixed(name, _) => name,
        }
    }

    /// `*time.Location`, as Go makes it; [`Self::of`] reads it.
    fn into_value(self) -> Value {
        let offset = Value::Int(self.offset());
        let (name, zone) = (Value::text(self.name()), Value::text(self.name()));
        let zone = vec![zone, offset, Value::Bool(false)];
        let since_ever = vec![Value::Int64(i64::MIN), Value::Byte(0), Value::Bool(false), Value::Bool(false)];
        let list = |of: &'static StructType, fields| Value::list(of.name, vec![object(of, fields)]);
        let none = |of: &'static StructType| Value::appended(of.name, Vec::new());
        let fields = match self {
            Self::Fixed(..) => vec![
                name,
                list(&ZONE, zone.clone()),
                list(&TRANSITION, since_ever),
                Value::text(""),
                Value::Int64(i64::MIN),
                Value::Int64(i64::MAX),
                object(&ZONE_POINTER, zone),
            ],
            Self::Utc | Self::Local => vec![
                name,
                none(&ZONE),
                none(&TRANSITION),
                Value::text(""),
                Value::Int64(0),
                Value::Int64(0),
                object(&ZONE_POINTER, Vec::new()),
            ],
        };
        // The two differ in nothing but where they lie.
        let kind = Value::Bool(self == Self::Local);
        object(&LOCATION, fields.into_iter().chain([kind]).collect())
    }

    /// What [`Self::into_value`] made; UTC where there is none.
    fn of(location: &Struct) -> Self {
        match location.fields.as_slice() {
            [Value::Text(name), Value::List(zones), ..] if !zones.is_nil => match zones.items.first() {
                Some(Value::Struct(zone)) => {
                    let offset = zone.fields.get(1).and_then(Value::whole);
                    Self::Fixed(name.to_string(), offset.unwrap_or_default())
                }
                _ => Self::Utc,
            },
            [.., Value::Bool(true)] => Self::Local,
            _ => Self::Utc,
        }
    }
}

impl Moment {
    fn civil(&self) -> Civil {
        let local = self.seconds + self.zone.offset();
        Civil::of(local.div_euclid(SECONDS_OF_DAY), local.rem_euclid(SECONDS_OF_DAY))
    }

    /// So many nanoseconds later.
    pub(super) fn plus(&self, nanoseconds: i64) -> Self {
        let below = self.nanoseconds + nanoseconds.rem_euclid(NANOSECONDS);
        Self {
            seconds: self.seconds + nanoseconds.div_euclid(NANOSECONDS) + below.div_euclid(NANOSECONDS),
            nanoseconds: below.rem_euclid(NANOSECONDS),
            zone: self.zone.clone(),
        }
    }

    /// Nanoseconds since the zero time.
    fn since_zero(&self) -> i128 {
        i128::from(self.seconds - ZERO.seconds) * i128::from(NANOSECONDS) + i128::from(self.nanoseconds)
    }

    /// `Time.Format`.
    fn format(&self, layout: &str) -> String {
        layout::format(self, layout)
    }

    /// `Time.String`.
    fn shown(&self) -> String {
        self.format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    /// `Time.MarshalJSON`, without the quotes.
    fn json(&self) -> Result<String, String> {
        let year = self.civil().year;
        let what = if !(0..=9999).contains(&year) {
            "year outside of range [0,9999]"
        } else if self.zone.offset().abs() >= SECONDS_OF_DAY {
            "timezone hour outside of range [0,23]"
        } else {
            return Ok(self.format("2006-01-02T15:04:05.999999999Z07:00"));
        };
        Err(format!("json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: {what}"))
    }

    /// `Time.GoString`, which `%#v` prints.
    fn source(&self) -> String {
        let zone = match &self.zone {
            Zone::Utc => "time.UTC".to_owned(),
            Zone::Local => "time.Local".to_owned(),
            Zone::Fixed(name, _) => {
                format!("time.Location({})", crate::domain::duration::quoted(name.as_bytes()))
            }
        };
        let Civil { year, month, day, hour, minute, second, .. } = self.civil();
        let month = calendar::name(&calendar::MONTHS, month - 1);
        let below = self.nanoseconds;
        format!("time.Date({year}, time.{month}, {day}, {hour}, {minute}, {second}, {below}, {zone})")
    }

    pub(super) fn into_value(self) -> Value {
        let place =
            if self.zone == Zone::Utc { object(&LOCATION, Vec::new()) } else { self.zone.into_value() };
        let below = Value::Uint64(self.nanoseconds.unsigned_abs());
        let fields = vec![below, Value::Int64(self.seconds.wrapping_sub(ZERO.seconds)), place];
        object(&TIME, fields)
    }

    /// What [`Self::into_value`] made, [`ZERO`] of any other struct.
    pub(super) fn of(value: &Struct) -> Self {
        let [Value::Uint64(below), Value::Int64(seconds), place] = value.fields.as_slice() else {
            return ZERO;
        };
        let zone = match place {
            Value::Struct(place) => Zone::of(place),
            _ => Zone::Utc,
        };
        let nanoseconds = i64::try_from(*below).unwrap_or_default();
        Self { seconds: seconds.wrapping_add(ZERO.seconds), nanoseconds, zone }
    }
}

fn object(of: &'static StructType, fields: Vec<Value>) -> Value {
    Value::Struct(Rc::new(Struct { of, fields }))
}

/// The text of a date in JSON; `None` if the struct is none.
pub(super) fn json(value: &Struct) -> Option<Result<String, String>> {
    is_time(value).then(|| Moment::of(value).json())
}

/// What `%#v` prints of a date; `None` if the struct is none.
pub(super) fn source(value: &Struct) -> Option<String> {
    is_time(value).then(|| Moment::of(value).source())
}

pub(super) fn is_time(value: &Struct) -> bool {
    std::ptr::eq(value.of, &raw const TIME)
}
