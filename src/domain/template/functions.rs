//! The functions that templates may call: Go's own and those of sprig whose answer depends on their arguments alone.
//!
//! Each is a row: name, what it takes, what it does. Where both have a function of one name (`slice`), sprig's wins, as in
//! Flux.
//!
//! Source: golang/go:src/text/template/funcs.go; Masterminds/sprig v3.3.0, functions.go.

mod address;
mod builtin;
mod decimal;
mod dict;
mod encode;
mod json;
pub(super) mod letter;
mod list;
mod merge;
mod naming;
mod number;
mod pattern;
mod semver;
mod shape;
mod text;
mod time;
mod url;

use super::value::{ANY, Value, Walk};

pub(super) use url::refusal as url_refusal;

pub(super) use text::answer;

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// What it takes, in order.
    pub(super) params: &'static [Param],
    /// What it takes any number of behind `params`.
    pub(super) rest: Option<Param>,
    pub(super) call: Call,
}

/// What a function does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    /// `and`, which the evaluator handles.
    And,
    /// `or`, which the evaluator handles.
    Or,
    /// `call`: there is nothing that could be called.
    Callee,
    /// Nothing: Go refuses to call what answers several values, in these words.
    Several(&'static str),
    /// Values in the number and of the types that the row says.
    Plain(fn(&[Value]) -> Answer),
    /// The same, at a cost that depends on what the values hold.
    Walking(fn(&[Value], &mut Walk<'_>) -> Answer),
}

/// What a function answers; an error is Go's text behind `error calling NAME: `.
pub(super) type Answer = Result<Value, String>;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    Any,
    Bool,
    Int,
    Float,
    Text,
    Dict,
    /// A dictionary that is to take an entry, which `nil` does not.
    Target,
    Version,
    Time,
    Duration,
    Location,
}

impl Param {
    /// Go's name of the type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Any => ANY,
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float64",
            Self::Text => "string",
            Self::Dict | Self::Target => "map[string]interface {}",
            Self::Version => "*semver.Version",
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
            Self::Location => "*time.Location",
        }
    }

    /// What `nil` becomes here; `None` if it is not allowed.
    pub(super) fn nil(self) -> Option<Value> {
        match self {
            Self::Any | Self::Version | Self::Location | Self::Target => Some(Value::Nil),
            Self::Dict => Some(Value::dict(std::collections::BTreeMap::new())),
            _ => None,
        }
    }
}

impl Function {
    /// What the argument at `index` must be.
    pub(super) fn param(&self, index: usize) -> Param {
        self.params.get(index).copied().or(self.rest).unwrap_or(Param::Any)
    }

    pub(super) const fn fixed(
        name: &'static str,
        params: &'static [Param],
        call: fn(&[Value]) -> Answer,
    ) -> Self {
        Self { name, params, rest: None, call: Call::Plain(call) }
    }

    pub(super) const fn open(
        name: &'static str,
        params: &'static [Param],
        rest: Param,
        call: fn(&[Value]) -> Answer,
    ) -> Self {
        Self { name, params, rest: Some(rest), call: Call::Plain(call) }
    }

    pub(super) const fn walking(
        name: &'static str,
        params: &'static [Param],
        rest: Option<Param>,
        call: fn(&[Value], &mut Walk<'_>) -> Answer,
    ) -> Self {
        Self { name, params, rest, call: Call::Walking(call) }
    }
}

/// All functions; of one name the first counts.
const TABLES: &[&[Function]] = &[
    text::FUNCTIONS,
    list::FUNCTIONS,
    dict::FUNCTIONS,
    merge::FUNCTIONS,
    number::FUNCTIONS,
    decimal::FUNCTIONS,
    naming::FUNCTIONS,
    shape::FUNCTIONS,
    semver::FUNCTIONS,
    time::FUNCTIONS,
    url::FUNCTIONS,
    pattern::FUNCTIONS,
    encode::FUNCTIONS,
    builtin::FUNCTIONS,
    UNSUPPORTED,
];

/// The function `name`, if there is one.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    TABLES.iter().flat_map(|table| table.iter()).find(|function| function.name == name)
}

/// What is said about what controllers can do and we do not.
pub(super) const UNSUPPORTED_TEXT: &str = "this function is not supported by supercargo";

pub(super) const fn unsupported(name: &'static str) -> Function {
    Function::open(name, &[], Param::Any, |_| Err(UNSUPPORTED_TEXT.to_owned()))
}

/// What controllers offer and we do not: the clock, chance, keys and certificates.
const UNSUPPORTED: &[Function] = &[
    unsupported("ago"),
    unsupported("bcrypt"),
    unsupported("buildCustomCert"),
    unsupported("decryptAES"),
    unsupported("derivePassword"),
    unsupported("encryptAES"),
    unsupported("genCA"),
    unsupported("genCAWithKey"),
    unsupported("genPrivateKey"),
    unsupported("genSelfSignedCert"),
    unsupported("genSelfSignedCertWithKey"),
    unsupported("genSignedCert"),
    unsupported("genSignedCertWithKey"),
    unsupported("htpasswd"),
    unsupported("randInt"),
    unsupported("shuffle"),
];

/// What Go says when sprig asks nothing for its type.
const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The argument at `index`, [`Value::Nil`] if there is none.
fn arg(values: &[Value], index: usize) -> &Value {
    values.get(index).unwrap_or(&Value::Nil)
}

/// The text at `index`, which the row says is one.
pub(super) fn text(values: &[Value], index: usize) -> &str {
    match values.get(index) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// The number at `index`, which the row says is one.
pub(super) fn int(values: &[Value], index: usize) -> i64 {
    values.get(index).and_then(Value::whole).unwrap_or_default()
}
