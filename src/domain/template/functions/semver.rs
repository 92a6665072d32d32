//! `semver` and `semverCompare`: versions and ranges, by the library that policies use too.
//!
//! Source: Masterminds/sprig v3.3.0, semver.go; Masterminds/semver v3.5.0, version.go.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::value::{Field, Struct, StructType, Value};
use super::Param::{Text, Version as Semver};
use super::{Answer, Function, arg, text};
use crate::domain::policy::constraint::Constraints;
use crate::domain::policy::version::Version;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("semver", &[Text], |v| match Version::parse(text(v, 0)) {
        Ok(_) => Ok(version(&POINTER, text(v, 0).into())),
        Err(error) => Err(error.to_string()),
    }),
    Function::fixed("semverCompare", &[Text, Text], |v| {
        let range = Constraints::parse(text(v, 0)).map_err(|error| error.to_string())?;
        let version = Version::parse(text(v, 1)).map_err(|error| error.to_string())?;
        Ok(Value::Bool(range.check(&version)))
    }),
];

/// `*semver.Version`.
static POINTER: StructType = StructType {
    name: "*semver.Version",
    fields: &[
        hidden("major"),
        hidden("minor"),
        hidden("patch"),
        hidden("pre"),
        hidden("metadata"),
        hidden("original"),
    ],
    methods: &[
        ("Major", |own| Value::Uint64(parsed(own).major)),
        ("Minor", |own| Value::Uint64(parsed(own).minor)),
        ("Patch", |own| Value::Uint64(parsed(own).patch)),
        ("Prerelease", |own| Value::text(parsed(own).pre)),
        ("Metadata", |own| Value::text(parsed(own).meta)),
        ("Original", |own| Value::text(original(own))),
        ("String", |own| Value::Text(shown(own))),
        ("IncMajor", |own| next(own, |v| (v.major.wrapping_add(1), 0, 0))),
        ("IncMinor", |own| next(own, |v| (v.major, v.minor.wrapping_add(1), 0))),
        ("IncPatch", |own| {
            next(own, |v| (v.major, v.minor, v.patch.wrapping_add(u64::from(v.pre.is_empty()))))
        }),
    ],
    calls: &[
        Function::fixed("Compare", &[Semver], |v| Ok(Value::Int(order(v)? as i64))),
        Function::fixed("Equal", &[Semver], |v| compared(v, Ordering::is_eq)),
        Function::fixed("LessThan", &[Semver], |v| compared(v, Ordering::is_lt)),
        Function::fixed("LessThanEqual", &[Semver], |v| compared(v, Ordering::is_le)),
        Function::fixed("GreaterThan", &[Semver], |v| compared(v, Ordering::is_gt)),
        Function::fixed("GreaterThanEqual", &[Semver], |v| compared(v, Ordering::is_ge)),
    ],
    text: Some(shown),
};

/// A field that no template can reach.
const fn hidden(name: &'static str) -> Field {
    Field { name, embedded: false, json: None, hidden: true }
}

/// `semver.Version`, which only methods answer.
static VALUE: StructType = StructType { name: "semver.Version", ..POINTER };

fn version(of: &'static StructType, original: Rc<str>) -> Value {
    let Version { major, minor, patch, pre, meta } = read(&original);
    let mut fields = [major, minor, patch].map(Value::Uint64).to_vec();
    fields.extend([pre, meta].map(Value::text));
    fields.push(Value::Text(original));
    Value::Struct(Rc::new(Struct { of, fields }))
}

/// The version without anything in it, which prints as `0.0.0`.
pub(super) fn zero(of: &'static StructType) -> Value {
    version(of, "".into())
}

fn original(own: &Struct) -> &str {
    match own.fields.last() {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// The version that the value was made of.
fn parsed(own: &Struct) -> Version<'_> {
    read(original(own))
}

/// The version that a text says; the one without anything in it if it is empty.
fn read(original: &str) -> Version<'_> {
    Version::parse(original).unwrap_or(Version { major: 0, minor: 0, patch: 0, pre: "", meta: "" })
}

fn shown(own: &Struct) -> Rc<str> {
    parsed(own).to_string().into()
}

/// A version counted up: without pre-release and metadata, with a `v` if there was one.
fn next(own: &Struct, count: fn(&Version<'_>) -> (u64, u64, u64)) -> Value {
    let prefix = if original(own).starts_with('v') { "v" } else { "" };
    let (major, minor, patch) = count(&parsed(own));
    version(&VALUE, format!("{prefix}{major}.{minor}.{patch}").into())
}

fn order(values: &[Value]) -> Result<Ordering, String> {
    match (arg(values, 0), arg(values, 1)) {
        (Value::Struct(own), Value::Struct(other)) => Ok(parsed(own).precedence(&parsed(other))),
        _ => Err(super::NIL_POINTER.to_owned()),
    }
}

fn compared(values: &[Value], is: fn(Ordering) -> bool) -> Answer {
    order(values).map(|order| Value::Bool(is(order)))
}
