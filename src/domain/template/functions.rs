//! The functions that templates may call: Go's own and those of sprig whose answer depends on their arguments alone.
//!
//! Each is a row: name, what it takes, what it does. Where both have a function of one name (`slice`), sprig's wins, as in
//! Flux.
//!
//! Source: golang/go:src/text/template/funcs.go; Masterminds/sprig v3.3.0, functions.go.

mod builtin;
mod dict;
mod encode;
mod list;
mod number;
mod pattern;
mod text;

use super::value::{ANY, Value};

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
    /// Values in the number and of the types that the row says.
    Plain(fn(&[Value]) -> Answer),
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
            Self::Dict => "map[string]interface {}",
        }
    }

    /// What `nil` becomes here; `None` if it is not allowed.
    pub(super) fn nil(self) -> Option<Value> {
        match self {
            Self::Any => Some(Value::Nil),
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

    const fn fixed(name: &'static str, params: &'static [Param], call: fn(&[Value]) -> Answer) -> Self {
        Self { name, params, rest: None, call: Call::Plain(call) }
    }

    const fn open(
        name: &'static str,
        params: &'static [Param],
        rest: Param,
        call: fn(&[Value]) -> Answer,
    ) -> Self {
        Self { name, params, rest: Some(rest), call: Call::Plain(call) }
    }
}

/// All functions; of one name the first counts.
const TABLES: &[&[Function]] = &[
    text::FUNCTIONS,
    list::FUNCTIONS,
    dict::FUNCTIONS,
    number::FUNCTIONS,
    pattern::FUNCTIONS,
    encode::FUNCTIONS,
    builtin::FUNCTIONS,
    UNSUPPORTED,
];

/// The function `name`, if there is one.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    TABLES.iter().flat_map(|table| table.iter()).find(|function| function.name == name)
}

const fn unsupported(name: &'static str) -> Function {
    Function::open(name, &[], Param::Any, |_| Err("this function is not supported by supercargo".to_owned()))
}

/// What controllers offer and we do not: keys, certificates, chance, dates, and a few that no message was seen to use.
const UNSUPPORTED: &[Function] = &[
    unsupported("abbrevboth"),
    unsupported("add1f"),
    unsupported("addf"),
    unsupported("ago"),
    unsupported("b32dec"),
    unsupported("b32enc"),
    unsupported("bcrypt"),
    unsupported("buildCustomCert"),
    unsupported("camelcase"),
    unsupported("decryptAES"),
    unsupported("derivePassword"),
    unsupported("divf"),
    unsupported("duration"),
    unsupported("durationRound"),
    unsupported("encryptAES"),
    unsupported("genCA"),
    unsupported("genCAWithKey"),
    unsupported("genPrivateKey"),
    unsupported("genSelfSignedCert"),
    unsupported("genSelfSignedCertWithKey"),
    unsupported("genSignedCert"),
    unsupported("genSignedCertWithKey"),
    unsupported("htpasswd"),
    unsupported("kebabcase"),
    unsupported("mulf"),
    unsupported("mustDateModify"),
    unsupported("mustToDate"),
    unsupported("must_date_modify"),
    unsupported("randInt"),
    unsupported("semver"),
    unsupported("semverCompare"),
    unsupported("sha1sum"),
    unsupported("shuffle"),
    unsupported("snakecase"),
    unsupported("subf"),
    unsupported("toDate"),
    unsupported("unixEpoch"),
    unsupported("urlJoin"),
    unsupported("urlParse"),
    unsupported("wrap"),
    unsupported("wrapWith"),
];

/// What Go says when sprig asks nothing for its type.
const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The argument at `index`, [`Value::Nil`] if there is none.
fn arg(values: &[Value], index: usize) -> &Value {
    values.get(index).unwrap_or(&Value::Nil)
}

/// The text at `index`, which the row says is one.
fn text(values: &[Value], index: usize) -> &str {
    match values.get(index) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// The number at `index`, which the row says is one.
fn int(values: &[Value], index: usize) -> i64 {
    values.get(index).and_then(Value::whole).unwrap_or_default()
}
