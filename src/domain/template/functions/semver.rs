//! `semver` and `semverCompare`: versions and ranges, by the library that policies use too.
//!
//! Source: Masterminds/sprig v3.3.0, semver.go; Masterminds/semver v3.5.0, version.go.

use std::cmp::Ordering;
use std::rc::Rc;

use semver::{BuildMetadata, Prerelease};

use super::super::value::{Field, Struct, StructType, Value};
use super::Param::{Text, Version as Semver};
use super::{Answer, Function, arg, text, unsupported};
use crate::domain::policy::constraint::Constraints;
use crate::domain::policy::version::{Version, precedence};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("semver", &[Text], |v| match Version::parse(text(v, 0)) {
        Ok(read) => Ok(version(&POINTER, &read.parsed, read.original.into())),
        Err(error) => Err(error.to_string()),
    }),
    Function::fixed("semverCompare", &[Text, Text], |v| {
        let range = Constraints::parse(text(v, 0)).map_err(|error| error.to_string())?;
        let version = Version::parse(text(v, 1)).map_err(|error| error.to_string())?;
        Ok(Value::Bool(range.check(&version)))
    }),
];

/// `semver.Version`: what counting up and setting parts answer.
static VALUE: StructType = StructType {
    name: "semver.Version",
    fields: &[
        hidden("major"),
        hidden("minor"),
        hidden("patch"),
        hidden("pre"),
        hidden("metadata"),
        hidden("original"),
    ],
    methods: &[
        ("Major", |own| Value::Uint64(read(own).major)),
        ("Minor", |own| Value::Uint64(read(own).minor)),
        ("Patch", |own| Value::Uint64(read(own).patch)),
        ("Prerelease", |own| Value::text(read(own).pre.as_str())),
        ("Metadata", |own| Value::text(read(own).build.as_str())),
        ("String", |own| Value::Text(shown(own))),
        ("Value", |own| Value::Text(shown(own))),
    ],
    calls: &[OF_VALUES],
    text: Some(shown),
};

/// `*semver.Version`, which has methods that its value has not.
static POINTER: StructType =
    StructType { name: "*semver.Version", calls: &[OF_VALUES, OF_POINTERS], ..VALUE };

const OF_VALUES: &[Function] = &[
    Function::fixed("IncMajor", &[], |v| {
        next(v, "major", |own| Some(semver::Version::new(own.major.checked_add(1)?, 0, 0)))
    }),
    Function::fixed("IncMinor", &[], |v| {
        next(v, "minor", |own| Some(semver::Version::new(own.major, own.minor.checked_add(1)?, 0)))
    }),
    Function::fixed("IncPatch", &[], |v| {
        next(v, "patch", |own| {
            let patch = own.patch.checked_add(u64::from(own.pre.is_empty()))?;
            Some(semver::Version::new(own.major, own.minor, patch))
        })
    }),
    Function::fixed("SetPrerelease", &[Text], |v| {
        let pre = pre_release(text(v, 1))?;
        changed(v, |own| semver::Version { pre, ..own })
    }),
    Function::fixed("SetMetadata", &[Text], |v| {
        let build = BuildMetadata::new(text(v, 1)).ok().ok_or("invalid metadata string")?;
        changed(v, |own| semver::Version { build, ..own })
    }),
    unsupported("MarshalJSON"),
    unsupported("MarshalText"),
];

const OF_POINTERS: &[Function] = &[
    Function::fixed("Original", &[], |v| own(v).map(|own| Value::text(original(own)))),
    Function::fixed("Compare", &[Semver], |v| Ok(Value::Int(order(v)? as i64))),
    Function::fixed("Equal", &[Semver], |v| compared(v, Ordering::is_eq)),
    Function::fixed("LessThan", &[Semver], |v| compared(v, Ordering::is_lt)),
    Function::fixed("LessThanEqual", &[Semver], |v| compared(v, Ordering::is_le)),
    Function::fixed("GreaterThan", &[Semver], |v| compared(v, Ordering::is_gt)),
    Function::fixed("GreaterThanEqual", &[Semver], |v| compared(v, Ordering::is_ge)),
    unsupported("Scan"),
    unsupported("UnmarshalJSON"),
    unsupported("UnmarshalText"),
];

/// A field that no template can reach.
const fn hidden(name: &'static str) -> Field {
    Field { name, embedded: false, json: None, hidden: true }
}

fn version(of: &'static StructType, parsed: &semver::Version, original: Rc<str>) -> Value {
    let mut fields = [parsed.major, parsed.minor, parsed.patch].map(Value::Uint64).to_vec();
    fields.extend([parsed.pre.as_str(), parsed.build.as_str()].map(Value::text));
    fields.push(Value::Text(original));
    Value::Struct(Rc::new(Struct { of, fields }))
}

/// The version without anything in it, which prints as `0.0.0`.
pub(super) fn zero(of: &'static StructType) -> Value {
    version(of, &semver::Version::new(0, 0, 0), "".into())
}

/// The struct whose method is called.
fn own(values: &[Value]) -> Result<&Struct, String> {
    match arg(values, 0) {
        Value::Struct(own) => Ok(own),
        _ => Err(super::NIL_POINTER.to_owned()),
    }
}

/// The version in the fields.
fn read(own: &Struct) -> semver::Version {
    let number = |at: usize| match own.fields.get(at) {
        Some(Value::Uint64(number)) => *number,
        _ => 0,
    };
    let mut version = semver::Version::new(number(0), number(1), number(2));
    version.pre = Prerelease::new(text(&own.fields, 3)).unwrap_or_default();
    version.build = BuildMetadata::new(text(&own.fields, 4)).unwrap_or_default();
    version
}

fn original(own: &Struct) -> &str {
    text(&own.fields, 5)
}

fn shown(own: &Struct) -> Rc<str> {
    read(own).to_string().into()
}

/// The version with something changed, and its `v` if there was one.
fn changed(values: &[Value], change: impl FnOnce(semver::Version) -> semver::Version) -> Answer {
    let own = own(values)?;
    let prefix = if original(own).starts_with('v') { "v" } else { "" };
    let changed = change(read(own));
    Ok(version(&VALUE, &changed, format!("{prefix}{changed}").into()))
}

/// The version that comes next by the number that `name`s it.
fn next(values: &[Value], name: &str, count: fn(&semver::Version) -> Option<semver::Version>) -> Answer {
    let next = count(&read(own(values)?))
        .ok_or_else(|| format!("{name} version increment would overflow uint64"))?;
    changed(values, |_| next)
}

/// `validatePrerelease`: the first part that cannot be says why.
fn pre_release(text: &str) -> Result<Prerelease, String> {
    if let Ok(pre) = Prerelease::new(text) {
        return Ok(pre);
    }
    let bad = text.split('.').find(|part| part.is_empty() || Prerelease::new(part).is_err());
    // What may stand in metadata begins with a zero too many.
    let is_zero = bad.is_some_and(|part| !part.is_empty() && BuildMetadata::new(part).is_ok());
    Err(if is_zero { "version segment starts with 0" } else { "invalid prerelease string" }.to_owned())
}

fn order(values: &[Value]) -> Result<Ordering, String> {
    match (arg(values, 0), arg(values, 1)) {
        (Value::Struct(own), Value::Struct(other)) => Ok(precedence(&read(own), &read(other))),
        _ => Err(super::NIL_POINTER.to_owned()),
    }
}

fn compared(values: &[Value], is: fn(Ordering) -> bool) -> Answer {
    order(values).map(|order| Value::Bool(is(order)))
}
