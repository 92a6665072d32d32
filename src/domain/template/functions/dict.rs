//! Functions on dictionaries, and what tells types.
//!
//! Where Go walks a dictionary in random order (`keys`, `values`) ours is sorted.
//!
//! Source: Masterminds/sprig v3.3.0, dict.go, reflect.go, strings.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::value::{ANY, Dict, Items, List, TEXTS, Value, Walk, deep_equal};
use super::Param::{self, Any, Int, Text};
use super::text::{split, to_text};
use super::{Answer, Function, arg, int, text};

const DICT: Param = Param::Dict;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::open("dict", &[], Any, dict),
    Function::fixed("get", &[DICT, Text], |v| {
        Ok(entries(v, 0).borrow().get(text(v, 1)).cloned().unwrap_or(Value::text("")))
    }),
    Function::walking("set", &[Param::Target, Text, Any], None, |v, walk| match arg(v, 0) {
        Value::Dict(target) => {
            walk.note(target);
            target.borrow_mut().insert(text(v, 1).into(), arg(v, 2).clone());
            Ok(arg(v, 0).clone())
        }
        _ => Err("assignment to entry in nil map".to_owned()),
    }),
    Function::fixed("unset", &[Param::Target, Text], |v| match arg(v, 0) {
        Value::Dict(target) => {
            target.borrow_mut().remove(text(v, 1));
            Ok(arg(v, 0).clone())
        }
        _ => Ok(Value::no_dict()),
    }),
    Function::fixed("hasKey", &[DICT, Text], |v| {
        Ok(Value::Bool(entries(v, 0).borrow().contains_key(text(v, 1))))
    }),
    Function::open("pluck", &[Text], DICT, |v| {
        let found = (1..v.len()).filter_map(|index| entries(v, index).borrow().get(text(v, 0)).cloned());
        Ok(Value::list(ANY, found.collect()))
    }),
    Function::open("keys", &[], DICT, |v| {
        let keys =
            (0..v.len()).flat_map(|index| entries(v, index).borrow().keys().cloned().collect::<Vec<_>>());
        Ok(Value::texts(keys))
    }),
    Function::fixed("values", &[DICT], |v| {
        Ok(Value::list(ANY, entries(v, 0).borrow().values().cloned().collect()))
    }),
    Function::open("pick", &[DICT], Text, |v| Ok(filtered(v, |named| named))),
    Function::open("omit", &[DICT], Text, |v| Ok(filtered(v, |named| !named))),
    Function::open("dig", &[], Any, dig),
    Function::walking("deepCopy", &[Any], None, deep_copy),
    Function::walking("mustDeepCopy", &[Any], None, deep_copy),
    Function::fixed("split", &[Text, Text], |v| Ok(numbered(split(text(v, 1), text(v, 0))))),
    Function::fixed("splitn", &[Text, Int, Text], |v| {
        Ok(numbered(split_at_most(text(v, 2), text(v, 0), int(v, 1))))
    }),
    Function::fixed("typeOf", &[Any], |v| Ok(Value::text(arg(v, 0).type_name()))),
    Function::fixed("typeIs", &[Text, Any], |v| Ok(Value::Bool(text(v, 0) == arg(v, 1).type_name()))),
    Function::fixed("typeIsLike", &[Text, Any], |v| Ok(Value::Bool(text(v, 0) == arg(v, 1).type_name()))),
    Function::fixed("kindOf", &[Any], |v| Ok(Value::text(arg(v, 0).kind()))),
    Function::fixed("kindIs", &[Text, Any], |v| Ok(Value::Bool(text(v, 0) == arg(v, 1).kind()))),
    Function::walking("deepEqual", &[Any, Any], None, |v, walk| {
        deep_equal(arg(v, 0), arg(v, 1), walk).map(Value::Bool)
    }),
];

/// The dictionary at `index`, which the row says is one.
pub(super) fn entries(values: &[Value], index: usize) -> Dict {
    match values.get(index) {
        Some(Value::Dict(dict)) => Rc::clone(dict),
        _ => Dict::default(),
    }
}

fn dict(values: &[Value]) -> Answer {
    let mut entries = BTreeMap::new();
    for pair in values.chunks(2) {
        let key = to_text(arg(pair, 0))?;
        entries.insert(key.into(), pair.get(1).cloned().unwrap_or(Value::text("")));
    }
    Ok(Value::dict(entries))
}

/// The entries whose key is among the further arguments, or is not.
fn filtered(values: &[Value], keep: fn(bool) -> bool) -> Value {
    let named = |key: &str| (1..values.len()).any(|index| text(values, index) == key);
    let dict = entries(values, 0);
    let kept = dict
        .borrow()
        .iter()
        .filter(|(key, _)| keep(named(key)))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    Value::dict(kept)
}

fn dig(values: &[Value]) -> Answer {
    let [keys @ .., default, within] = values else { return Err(TOO_FEW.to_owned()) };
    let [first, further @ ..] = keys else { return Err(TOO_FEW.to_owned()) };
    let dict = dict_of(within)?;
    // All keys are looked at before the first is looked up.
    let (first, further) = (key(first)?, further.iter().map(key).collect::<Result<Vec<_>, _>>()?);
    let mut found = dict.borrow().get(first).cloned();
    for key in further {
        let Some(next) = found else { break };
        found = dict_of(&next)?.borrow().get(key).cloned();
    }
    Ok(found.unwrap_or_else(|| default.clone()))
}

const TOO_FEW: &str = "dig needs at least three arguments";

/// The dictionary in an `interface {}`.
fn dict_of(value: &Value) -> Result<Dict, String> {
    match value {
        Value::Dict(dict) => Ok(Rc::clone(dict)),
        Value::Map(map) if map.is_no_dict() => Ok(Dict::default()),
        other => Err(not_a("map[string]interface {}", other)),
    }
}

/// The text in an `interface {}`.
fn key(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(key) => Ok(key),
        other => Err(not_a("string", other)),
    }
}

/// What a conversion says of what it got.
fn not_a(wanted: &str, value: &Value) -> String {
    let got = if matches!(value, Value::Nil) { "nil".to_owned() } else { value.type_name() };
    format!("interface conversion: interface {{}} is {got}, not {wanted}")
}

fn deep_copy(values: &[Value], walk: &mut Walk<'_>) -> Answer {
    match arg(values, 0) {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        value => copy(value, walk),
    }
}

/// A copy that shares no dictionary with the original.
fn copy(value: &Value, walk: &mut Walk<'_>) -> Answer {
    walk.nested(|walk| match value {
        Value::Dict(dict) => {
            let dict = dict.borrow();
            walk.make(dict.len())?;
            let copies = dict.iter().map(|(key, value)| Ok((key.clone(), copy(value, walk)?)));
            Ok(Value::dict(copies.collect::<Result<_, String>>()?))
        }
        Value::List(list) => {
            walk.make(list.items.len())?;
            let items = list.items.iter().map(|item| copy(item, walk)).collect::<Result<_, _>>()?;
            Ok(Value::List(List { items: Rc::new(Items(items)), ..list.clone() }))
        }
        // What cannot be seen is not copied.
        Value::Struct(version) if version.of.name.ends_with("semver.Version") => {
            Ok(super::semver::zero(version.of))
        }
        other => Ok(other.clone()),
    })
}

/// `_0`, `_1` and so on.
fn numbered(parts: Vec<&str>) -> Value {
    let entries = parts.into_iter().enumerate();
    Value::map(&TEXTS, entries.map(|(n, part)| (Value::text(format!("_{n}")), Value::text(part))).collect())
}

/// `strings.SplitN`.
fn split_at_most<'t>(text: &'t str, separator: &str, count: i64) -> Vec<&'t str> {
    match usize::try_from(count) {
        Err(_) => split(text, separator),
        Ok(0) => Vec::new(),
        Ok(count) if separator.is_empty() => {
            let cut = text.char_indices().nth(count - 1).map_or(text.len(), |(at, _)| at);
            let (head, tail) = text.split_at(cut);
            split(head, "").into_iter().chain((!tail.is_empty()).then_some(tail)).collect()
        }
        Ok(count) => text.splitn(count, separator).collect(),
    }
}
