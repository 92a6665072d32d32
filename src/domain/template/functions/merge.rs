//! `merge` and its kin.
//!
//! Dictionaries of dictionaries are merged all the way down. What else a dictionary holds is replaced as a whole or not at
//! all; where two values of a key cannot be walked side by side, mergo refuses or Go panics, and both show.
//!
//! Source: Masterminds/sprig v3.3.0, dict.go; dario.cat/mergo v1.0.1, merge.go (`deepMerge`).

use std::rc::Rc;

use super::super::value::{ANY, Dict, Map, Struct, Value, Walk, compare};
use super::dict::entries;
use super::{Answer, Function, Param, UNSUPPORTED_TEXT};

pub(super) const FUNCTIONS: &[Function] = &[
    merging("merge", |v, walk| quietly(v, false, walk)),
    merging("mustMerge", |v, walk| merge(v, false, walk).map_err(Fault::text)),
    merging("mergeOverwrite", |v, walk| quietly(v, true, walk)),
    merging("mustMergeOverwrite", |v, walk| merge(v, true, walk).map_err(Fault::text)),
];

const fn merging(name: &'static str, call: fn(&[Value], &mut Walk<'_>) -> Answer) -> Function {
    Function::walking(name, &[Param::Target], Some(Param::Dict), call)
}

/// Why dictionaries are not merged.
enum Fault {
    /// Mergo says that values are of different types.
    Different,
    /// What the functions that swallow mergo's errors do not swallow.
    Panic(String),
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Self::Panic(text)
    }
}

impl Fault {
    fn text(self) -> String {
        match self {
            Self::Different => "src and dst must be of same type".to_owned(),
            Self::Panic(text) => text,
        }
    }

    /// `reflect.Value` was asked for a field of another kind.
    fn field(of: &Value) -> Self {
        Self::Panic(format!("reflect: call of reflect.Value.Field on {} Value", of.kind()))
    }

    fn unassignable(method: &str, value: &str, to: &str) -> Self {
        Self::Panic(format!("reflect.Value.{method}: value of type {value} is not assignable to type {to}"))
    }
}

fn quietly(values: &[Value], overwrite: bool, walk: &mut Walk<'_>) -> Answer {
    match merge(values, overwrite, walk) {
        Err(Fault::Different) => Ok(Value::text("")),
        merged => merged.map_err(Fault::text),
    }
}

/// Adds to the first dictionary what it lacks of the others, or what they have.
fn merge(values: &[Value], overwrite: bool, walk: &mut Walk<'_>) -> Result<Value, Fault> {
    // One that is nil makes way for one that takes entries, once there are any.
    let is_nil = !matches!(values.first(), Some(Value::Dict(_)));
    if is_nil && (1..values.len()).all(|index| entries(values, index).borrow().is_empty()) {
        return Ok(Value::no_dict());
    }
    let target = entries(values, 0);
    for index in 1..values.len() {
        let source = entries(values, index);
        if !Rc::ptr_eq(&target, &source) {
            let entries = source.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            walk.nested(|walk| merge_into(&target, entries, overwrite, walk))?;
        }
    }
    Ok(Value::Dict(target))
}

fn merge_into(
    target: &Dict,
    entries: Vec<(Rc<str>, Value)>,
    overwrite: bool,
    walk: &mut Walk<'_>,
) -> Result<(), Fault> {
    walk.make(entries.len())?;
    walk.note(target);
    for (key, value) in entries {
        let known = target.borrow().get(&key).cloned();
        if matches!(value, Value::Nil) {
            if overwrite {
                target.borrow_mut().insert(key, value);
            }
            continue;
        }
        if let Some(known) = &known
            && let Some(merged) = side_by_side(known, &value, overwrite, walk)?
        {
            target.borrow_mut().insert(key.clone(), merged);
        }
        let kept = known.filter(Value::is_true);
        let merged =
            matches!((&kept, &value), (Some(Value::Dict(_) | Value::Map(_)), Value::Dict(_) | Value::Map(_)));
        if !merged && (overwrite || kept.is_none()) {
            target.borrow_mut().insert(key, value);
        }
    }
    Ok(())
}

/// Merges into what the target has. A dictionary changes in place; what else is to stand there instead is answered.
fn side_by_side(
    known: &Value,
    value: &Value,
    overwrite: bool,
    walk: &mut Walk<'_>,
) -> Result<Option<Value>, Fault> {
    match (known, value) {
        // It takes no entry; being empty it is replaced as a whole.
        (Value::Map(own), _) if own.is_nil => Ok(()),
        (Value::Map(own), Value::Map(from)) => return maps(own, from, overwrite),
        (Value::Dict(inner), Value::Dict(from)) if Rc::ptr_eq(inner, from) => Ok(()),
        (Value::Dict(inner), Value::Dict(from)) => {
            let entries = from.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            walk.nested(|walk| merge_into(inner, entries, overwrite, walk))
        }
        (Value::Dict(inner), Value::Map(from)) => {
            let texts = from.entries.iter().map(|(key, value)| match key {
                Value::Text(key) => Ok((key.clone(), value.clone())),
                other => Err(Fault::unassignable("MapIndex", &other.type_name(), "string")),
            });
            let texts = texts.collect::<Result<_, _>>()?;
            walk.nested(|walk| merge_into(inner, texts, overwrite, walk))
        }
        (Value::Map(own), Value::Dict(from)) => {
            let from = from.borrow();
            from.iter().try_for_each(|(key, value)| typed(own, &Value::Text(key.clone()), value, overwrite))
        }
        (Value::Struct(own), _) => structs(own, value, overwrite),
        _ => Ok(()),
    }
    .map(|()| None)
}

/// Merges texts into a map of texts. In Go the map itself changes; so it must not be in use elsewhere.
fn maps(own: &Map, from: &Map, overwrite: bool) -> Result<Option<Value>, Fault> {
    if Rc::ptr_eq(&own.entries, &from.entries) {
        return Ok(None);
    }
    let (mut merged, mut is_changed) = (own.entries.to_vec(), false);
    for (key, value) in from.entries.iter() {
        if key.type_name() != own.of.key {
            return Err(Fault::unassignable("MapIndex", &key.type_name(), own.of.key));
        }
        let at = merged.iter().position(|(known, _)| compare(known, key).is_eq());
        let known = at.and_then(|at| merged.get_mut(at)).map(|(_, known)| known);
        match (known, value) {
            (Some(known), _) if known.is_true() && !overwrite => continue,
            _ if element(own) != element(from) => {
                return Err(Fault::unassignable("SetMapIndex", element(from), element(own)));
            }
            (Some(known), Value::Text(_)) => *known = value.clone(),
            (None, Value::Text(_)) => merged.push((key.clone(), value.clone())),
            _ => return Err(Fault::Panic(UNSUPPORTED_TEXT.to_owned())),
        }
        is_changed = true;
    }
    // One is the dictionary's, the other the caller's.
    if is_changed && Rc::strong_count(&own.entries) > 2 {
        return Err(Fault::Panic(UNSUPPORTED_TEXT.to_owned()));
    }
    Ok(Some(Value::map(own.of, merged)))
}

/// Go's name of what a map holds.
fn element(map: &Map) -> &'static str {
    map.of.name.split_once(']').map_or(map.of.name, |(_, element)| element)
}

/// A map whose type is not `interface {}` takes no entry of a dictionary.
fn typed(own: &Map, key: &Value, value: &Value, overwrite: bool) -> Result<(), Fault> {
    if key.type_name() != own.of.key {
        return Err(Fault::unassignable("MapIndex", &key.type_name(), own.of.key));
    }
    let known = own.entries.iter().find(|(known, _)| compare(known, key).is_eq());
    let is_kept = known.is_some_and(|(_, known)| known.is_true());
    let writes = if matches!(value, Value::Nil) { overwrite } else { overwrite || !is_kept };
    if writes {
        return Err(Fault::unassignable("SetMapIndex", ANY, element(own)));
    }
    Ok(())
}

/// A struct is walked field by field if it has any that can be seen.
fn structs(own: &Struct, value: &Value, overwrite: bool) -> Result<(), Fault> {
    if !matches!(value, Value::Struct(_) | Value::Dict(_) | Value::Map(_)) {
        return Ok(());
    }
    if let Some(pointed) = own.of.name.strip_prefix('*') {
        let fits = overwrite || matches!(value.kind(), "ptr") || value.type_name() == pointed;
        return if fits { Ok(()) } else { Err(Fault::Different) };
    }
    if own.of.fields.iter().all(|field| field.hidden) {
        return Ok(());
    }
    fields(own, value)
}

fn fields(own: &Struct, value: &Value) -> Result<(), Fault> {
    let Value::Struct(other) = value else { return Err(Fault::field(value)) };
    if value.kind() != "struct" {
        return Err(Fault::field(value));
    }
    let mut others = other.fields.iter();
    for field in &own.fields {
        let Some(other) = others.next() else {
            return Err(Fault::Panic("reflect: Field index out of range".to_owned()));
        };
        if let Value::Struct(inner) = field {
            fields(inner, other)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::value::Work;
    use super::*;

    fn dict(entries: &[(&str, Value)]) -> Value {
        Value::dict(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect())
    }

    fn shown(answer: Answer) -> String {
        super::super::super::format::display(&answer.unwrap()).unwrap()
    }

    #[test]
    fn what_is_empty_counts_as_missing_and_only_overwriting_writes_nil() {
        let target =
            || dict(&[("a", Value::Int(1)), ("b", Value::text("")), ("d", dict(&[("x", Value::Int(1))]))]);
        let source = || {
            dict(&[
                ("a", Value::Nil),
                ("b", Value::Int(2)),
                ("c", Value::Nil),
                ("d", dict(&[("x", Value::Int(3)), ("y", Value::Int(4))])),
            ])
        };
        let mut work = Work::of(1_000);
        let mut walk = Walk::new(&mut work);
        assert_eq!(shown(quietly(&[target(), source()], false, &mut walk)), "map[a:1 b:2 d:map[x:1 y:4]]");
        assert_eq!(
            shown(quietly(&[target(), source()], true, &mut walk)),
            "map[a:<nil> b:2 c:<nil> d:map[x:3 y:4]]"
        );
    }

    #[test]
    fn values_that_cannot_be_walked_side_by_side_are_refused() {
        let texts =
            Value::map(&super::super::super::value::TEXTS, vec![(Value::text("x"), Value::text("y"))]);
        let values = [dict(&[("a", texts)]), dict(&[("a", dict(&[("z", Value::Int(1))]))])];
        let text = "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string";
        assert_eq!(quietly(&values, false, &mut Walk::new(&mut Work::of(1_000))).unwrap_err(), text);
    }

    #[test]
    fn nil_merged_with_nothing_stays_nil() {
        let merged = |values: &[Value]| merge(values, false, &mut Walk::new(&mut Work::of(1_000)));
        let is_nil = |values: &[Value]| matches!(merged(values), Ok(Value::Map(map)) if map.is_nil && map.is_no_dict());
        assert!(is_nil(&[Value::Nil]) && is_nil(&[Value::Nil, dict(&[])]));
        assert!(!is_nil(&[dict(&[])]) && !is_nil(&[Value::Nil, dict(&[("a", Value::Nil)])]));
    }
}
