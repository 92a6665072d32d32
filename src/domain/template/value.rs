//! The values a template works on: what Go's reflection would see, as far as a message template can tell.
//!
//! Types carry their Go names, because those stand in error texts.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::functions::Function;

mod nested;
mod walk;
mod work;

pub(super) use nested::{Entries, Items};
pub(super) use walk::{MAX_NESTING, Walk, deep_equal, too_deep};
pub(super) use work::Work;

/// A value.
///
/// Texts are UTF-8: where Go would cut a character in two, the halves become U+FFFD.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing: `nil`, or the value of a key that a map does not have.
    Nil,
    Bool(bool),
    /// `int`
    Int(i64),
    /// `int64`
    Int64(i64),
    /// `uint8`
    Byte(u8),
    /// `uint64`
    Uint64(u64),
    /// `float64`
    Float(f64),
    Text(Rc<str>),
    List(List),
    Map(Map),
    Dict(Dict),
    Struct(Rc<Struct>),
    /// A whole number of a type of its own, such as `time.Month`.
    Named(i64, &'static NumberType),
}

/// A slice.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// The Go type of an element.
    pub(super) element: &'static str,
    pub(super) items: Rc<Items>,
    /// Whether it is Go's `nil`, which is `null` in JSON, equal to `nil`, and empty everywhere else.
    pub(super) is_nil: bool,
}

/// A map that nothing changes, sorted by key.
#[derive(Debug, Clone)]
pub(super) struct Map {
    pub(super) of: &'static MapType,
    pub(super) entries: Rc<Vec<(Value, Value)>>,
    /// Whether it is Go's `nil`: it has no entries and takes none.
    pub(super) is_nil: bool,
}

/// The type of a [`Map`].
#[derive(Debug)]
pub(super) struct MapType {
    /// Its Go name.
    pub(super) name: &'static str,
    /// The Go type of its keys.
    pub(super) key: &'static str,
    /// What `index` answers for a key that is not there.
    pub(super) zero: fn() -> Value,
}

/// `map[string]string`, the only map type of functions.
pub(super) static TEXTS: MapType =
    MapType { name: "map[string]string", key: "string", zero: || Value::text("") };

/// `map[string]interface {}` where it is nil.
static NO_DICT: MapType = MapType { name: "map[string]interface {}", key: "string", zero: || Value::Nil };

impl Map {
    /// Whether it is a dictionary that is nil.
    pub(super) fn is_no_dict(&self) -> bool {
        std::ptr::eq(self.of, &raw const NO_DICT)
    }
}

/// `map[string]interface {}`, which templates may change.
pub(super) type Dict = Rc<RefCell<Entries>>;

/// A struct.
#[derive(Debug)]
pub(super) struct Struct {
    pub(super) of: &'static StructType,
    /// In the order of the type's fields, what stands behind those for us alone; none at all of a pointer that is nil.
    pub(super) fields: Vec<Value>,
}

/// The type of a [`Struct`].
#[derive(Debug)]
pub(super) struct StructType {
    /// Its Go name.
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
    /// Methods without arguments that a template can reach.
    pub(super) methods: &'static [(&'static str, Method)],
    /// Tables of methods that take something or can fail; the first value they get is the struct.
    pub(super) calls: &'static [&'static [Function]],
    /// `String()`, if it has one.
    pub(super) text: Option<fn(&Struct) -> Rc<str>>,
}

/// The type of a [`Value::Named`].
#[derive(Debug)]
pub(super) struct NumberType {
    /// Its Go name.
    pub(super) name: &'static str,
    /// What it is made of: `int` or `int64`.
    pub(super) kind: &'static str,
    /// Its methods; the first value they get is the number.
    pub(super) calls: &'static [Function],
    /// `String()`.
    pub(super) text: fn(i64) -> String,
}

/// A method without arguments.
pub(super) type Method = fn(&Struct) -> Value;

/// A field of a struct.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Whether the fields of its value count as the outer struct's own.
    pub(super) embedded: bool,
    /// Its key in JSON, left out when empty; `None`: its name, never left out.
    pub(super) json: Option<&'static str>,
    /// Whether it is unexported, and so out of a template's reach.
    pub(super) hidden: bool,
}

impl Field {
    pub(super) const fn plain(name: &'static str) -> Self {
        Self { name, embedded: false, json: None, hidden: false }
    }

    pub(super) const fn embedded(name: &'static str) -> Self {
        Self { name, embedded: true, json: None, hidden: false }
    }

    pub(super) const fn json(name: &'static str, key: &'static str) -> Self {
        Self { name, embedded: false, json: Some(key), hidden: false }
    }
}

impl Struct {
    /// Whether it is a pointer to a struct.
    pub(super) fn is_pointer(&self) -> bool {
        self.of.name.starts_with('*')
    }

    /// The value of the field `name`, its own or an embedded one's.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        let own = self.of.fields.iter().position(|field| field.name == name && !field.hidden);
        if let Some(value) = own.and_then(|index| self.fields.get(index)) {
            return Some(value);
        }
        self.of.fields.iter().zip(&self.fields).filter(|(field, _)| field.embedded).find_map(|(_, value)| {
            match value {
                Value::Struct(inner) => inner.field(name),
                _ => None,
            }
        })
    }
}

pub(super) const ANY: &str = "interface {}";

impl Value {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(element: &'static str, items: Vec<Self>) -> Self {
        Self::List(List { element, items: Rc::new(Items(items)), is_nil: false })
    }

    /// The same from what Go appends to `nil`.
    pub(super) fn appended(element: &'static str, items: Vec<Self>) -> Self {
        Self::List(List { element, is_nil: items.is_empty(), items: Rc::new(Items(items)) })
    }

    /// `[]string`
    pub(super) fn texts<T: Into<Rc<str>>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::list("string", items.into_iter().map(Self::text).collect())
    }

    pub(super) fn dict(entries: BTreeMap<Rc<str>, Self>) -> Self {
        Self::Dict(Rc::new(RefCell::new(Entries(entries))))
    }

    /// Entries, sorted as Go sorts keys for `range` and printing.
    pub(super) fn map(of: &'static MapType, mut entries: Vec<(Self, Self)>) -> Self {
        entries.sort_by(|(a, _), (b, _)| compare(a, b));
        Self::Map(Map { of, entries: Rc::new(entries), is_nil: false })
    }

    /// A map that is nil.
    pub(super) fn no_map(of: &'static MapType) -> Self {
        Self::Map(Map { of, entries: Rc::default(), is_nil: true })
    }

    /// Go's name of the type.
    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Nil => "<nil>".to_owned(),
            Self::Bool(_) => "bool".to_owned(),
            Self::Int(_) => "int".to_owned(),
            Self::Int64(_) => "int64".to_owned(),
            Self::Byte(_) => "uint8".to_owned(),
            Self::Uint64(_) => "uint64".to_owned(),
            Self::Float(_) => "float64".to_owned(),
            Self::Text(_) => "string".to_owned(),
            Self::List(list) => format!("[]{}", list.element),
            Self::Map(map) => map.of.name.to_owned(),
            Self::Dict(_) => "map[string]interface {}".to_owned(),
            Self::Struct(value) => value.of.name.to_owned(),
            Self::Named(_, of) => of.name.to_owned(),
        }
    }

    /// Go's name of the kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Byte(_) => "uint8",
            Self::Uint64(_) => "uint64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Map(_) | Self::Dict(_) => "map",
            Self::Struct(value) if value.is_pointer() => "ptr",
            Self::Struct(_) => "struct",
            Self::Named(_, of) => of.kind,
        }
    }

    /// Whether `if` takes it for true; `empty` is the opposite.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) | Self::Named(value, _) => *value != 0,
            Self::Byte(value) => *value != 0,
            Self::Uint64(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.entries.is_empty(),
            Self::Dict(dict) => !dict.borrow().is_empty(),
            Self::Struct(_) => true,
        }
    }

    /// Whether its elements are of Go's type `interface {}`, whatever they are.
    pub(super) fn holds_anything(&self) -> bool {
        match self {
            Self::List(list) => list.element == ANY,
            Self::Dict(_) => true,
            _ => false,
        }
    }

    /// A dictionary that is nil.
    pub(super) fn no_dict() -> Self {
        Self::no_map(&NO_DICT)
    }

    /// The method that takes something or can fail, of a struct, or any of a number.
    pub(super) fn call(&self, name: &str) -> Option<&'static Function> {
        let tables = match self {
            Self::Struct(value) => value.of.calls,
            Self::Named(_, of) => std::slice::from_ref(&of.calls),
            _ => &[],
        };
        tables.iter().copied().flatten().find(|known| known.name == name)
    }

    /// The number, of a whole number.
    pub(super) fn whole(&self) -> Option<i64> {
        match self {
            Self::Int(value) | Self::Int64(value) | Self::Named(value, _) => Some(*value),
            Self::Byte(value) => Some(i64::from(*value)),
            // No version that was seen counts further.
            Self::Uint64(value) => Some(i64::try_from(*value).unwrap_or(i64::MAX)),
            _ => None,
        }
    }
}

/// The order in which Go visits the keys of a map.
///
/// Source: golang/go:src/internal/fmtsort/sort.go.
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Struct(a), Value::Struct(b)) => {
            let pairs = a.fields.iter().zip(&b.fields);
            pairs.map(|(a, b)| compare(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }
        _ => a.whole().cmp(&b.whole()),
    }
}
