//! Functions on lists.
//!
//! Source: Masterminds/sprig v3.3.0, list.go, numeric.go, defaults.go.

use super::super::format::MAX_TEXT;
use super::super::value::{ANY, List, Value, Walk, deep_equal};
use super::Param::{Any, Int, Text};
use super::text::{split, texts, to_text};
use super::{Answer, Function, NIL_POINTER, arg, int, text};

/// The longest list that a function makes.
const MAX_ITEMS: usize = 100_000;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::open("list", &[], Any, |v| Ok(Value::list(ANY, v.to_vec()))),
    Function::open("tuple", &[], Any, |v| Ok(Value::list(ANY, v.to_vec()))),
    Function::fixed("first", &[Any], first),
    Function::fixed("mustFirst", &[Any], first),
    Function::fixed("last", &[Any], last),
    Function::fixed("mustLast", &[Any], last),
    Function::fixed("rest", &[Any], rest),
    Function::fixed("mustRest", &[Any], rest),
    Function::fixed("initial", &[Any], initial),
    Function::fixed("mustInitial", &[Any], initial),
    Function::fixed("append", &[Any, Any], append),
    Function::fixed("push", &[Any, Any], append),
    Function::fixed("mustAppend", &[Any, Any], append),
    Function::fixed("mustPush", &[Any, Any], append),
    Function::fixed("prepend", &[Any, Any], prepend),
    Function::fixed("mustPrepend", &[Any, Any], prepend),
    Function::fixed("reverse", &[Any], reverse),
    Function::fixed("mustReverse", &[Any], reverse),
    Function::fixed("compact", &[Any], compact),
    Function::fixed("mustCompact", &[Any], compact),
    Function::walking("uniq", &[Any], None, uniq),
    Function::walking("mustUniq", &[Any], None, uniq),
    Function::walking("without", &[Any], Some(Any), without),
    Function::walking("mustWithout", &[Any], Some(Any), without),
    Function::walking("has", &[Any, Any], None, has),
    Function::walking("mustHas", &[Any, Any], None, has),
    Function::open("slice", &[Any], Any, slice),
    Function::open("mustSlice", &[Any], Any, slice),
    Function::open("concat", &[], Any, concat),
    Function::fixed("chunk", &[Int, Any], chunk),
    Function::fixed("mustChunk", &[Int, Any], chunk),
    Function::fixed("sortAlpha", &[Any], sort),
    Function::fixed("toStrings", &[Any], |v| Ok(Value::texts(texts(arg(v, 0))?))),
    Function::fixed("splitList", &[Text, Text], |v| {
        let parts = split(text(v, 1), text(v, 0));
        if parts.len() > MAX_ITEMS { Err(too_many()) } else { Ok(Value::texts(parts)) }
    }),
    Function::fixed("until", &[Int], |v| {
        let count = int(v, 0);
        Ok(ints(steps(0, count, if count < 0 { -1 } else { 1 })?))
    }),
    Function::fixed("untilStep", &[Int, Int, Int], |v| Ok(ints(steps(int(v, 0), int(v, 1), int(v, 2))?))),
    Function::open("seq", &[], Int, seq),
    Function::open("coalesce", &[], Any, |v| {
        Ok(v.iter().find(|value| value.is_true()).cloned().unwrap_or(Value::Nil))
    }),
    Function::open("all", &[], Any, |v| Ok(Value::Bool(v.iter().all(Value::is_true)))),
    Function::open("any", &[], Any, |v| Ok(Value::Bool(v.iter().any(Value::is_true)))),
];

fn too_many() -> String {
    format!("list longer than {MAX_ITEMS} items")
}

/// The list at `index`, or sprig's complaint, which begins with `what`.
fn list<'v>(values: &'v [Value], index: usize, what: &str) -> Result<&'v List, String> {
    match arg(values, index) {
        Value::List(list) if list.items.len() < MAX_ITEMS => Ok(list),
        Value::List(_) => Err(too_many()),
        Value::Nil => Err(NIL_POINTER.to_owned()),
        other => Err(format!("{what} type {}", other.kind())),
    }
}

fn first(values: &[Value]) -> Answer {
    Ok(list(values, 0, "Cannot find first on")?.items.first().cloned().unwrap_or(Value::Nil))
}

fn last(values: &[Value]) -> Answer {
    Ok(list(values, 0, "Cannot find last on")?.items.last().cloned().unwrap_or(Value::Nil))
}

fn rest(values: &[Value]) -> Answer {
    let list = list(values, 0, "Cannot find rest on")?;
    Ok(all_but(list, list.items.iter().skip(1)))
}

fn initial(values: &[Value]) -> Answer {
    let list = list(values, 0, "Cannot find initial on")?;
    Ok(all_but(list, list.items.iter().take(list.items.len().saturating_sub(1))))
}

/// What is left of a list without one of its items; nil if it had none.
fn all_but<'v>(list: &List, left: impl Iterator<Item = &'v Value>) -> Value {
    let items = left.cloned().collect();
    if list.items.is_empty() { Value::appended(ANY, items) } else { Value::list(ANY, items) }
}

fn append(values: &[Value]) -> Answer {
    let mut items = list(values, 0, "Cannot push on")?.items.to_vec();
    items.push(arg(values, 1).clone());
    Ok(Value::list(ANY, items))
}

fn prepend(values: &[Value]) -> Answer {
    let list = list(values, 0, "Cannot prepend on")?;
    Ok(Value::list(ANY, std::iter::once(arg(values, 1)).chain(list.items.iter()).cloned().collect()))
}

fn reverse(values: &[Value]) -> Answer {
    Ok(Value::list(ANY, list(values, 0, "Cannot find reverse on")?.items.iter().rev().cloned().collect()))
}

fn compact(values: &[Value]) -> Answer {
    let list = list(values, 0, "Cannot compact on")?;
    Ok(Value::list(ANY, list.items.iter().filter(|item| item.is_true()).cloned().collect()))
}

fn contains(items: &[Value], wanted: &Value, walk: &mut Walk<'_>) -> Result<bool, String> {
    for item in items {
        if deep_equal(wanted, item, walk)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(values: &[Value], walk: &mut Walk<'_>) -> Answer {
    let mut kept: Vec<Value> = Vec::new();
    for item in list(values, 0, "Cannot find uniq on")?.items.iter() {
        if !contains(&kept, item, walk)? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(ANY, kept))
}

fn without(values: &[Value], walk: &mut Walk<'_>) -> Answer {
    let (_, omitted) = values.split_at(1.min(values.len()));
    let mut kept = Vec::new();
    for item in list(values, 0, "Cannot find without on")?.items.iter() {
        if !contains(omitted, item, walk)? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(ANY, kept))
}

fn has(values: &[Value], walk: &mut Walk<'_>) -> Answer {
    if matches!(arg(values, 1), Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let list = list(values, 1, "Cannot find has on")?;
    contains(&list.items, arg(values, 0), walk).map(Value::Bool)
}

fn slice(values: &[Value]) -> Answer {
    let list = match arg(values, 0) {
        Value::List(list) => list,
        Value::Nil => return Err(NIL_POINTER.to_owned()),
        other => return Err(format!("list should be type of slice or array but {}", other.kind())),
    };
    if list.items.is_empty() {
        return Ok(Value::Nil);
    }
    let bound = |index: usize, missing: usize| match values.get(index) {
        Some(value) => usize::try_from(super::number::to_int(value)).ok(),
        None => Some(missing),
    };
    let part =
        bound(1, 0).zip(bound(2, list.items.len())).and_then(|(start, end)| list.items.get(start..end));
    match part {
        Some(part) => Ok(Value::list(list.element, part.to_vec())),
        None => Err("reflect.Value.Slice: slice index out of bounds".to_owned()),
    }
}

fn concat(values: &[Value]) -> Answer {
    let mut items = Vec::new();
    for value in values {
        match value {
            Value::List(list) => items.extend(list.items.iter().cloned()),
            Value::Nil => return Err(NIL_POINTER.to_owned()),
            other => return Err(format!("Cannot concat type {} as list", other.kind())),
        }
        if items.len() > MAX_ITEMS {
            return Err(too_many());
        }
    }
    Ok(Value::appended(ANY, items))
}

fn chunk(values: &[Value]) -> Answer {
    let list = list(values, 1, "Cannot chunk")?;
    let size = int(values, 0);
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        // Go divides, rounds down, adds one and makes room for so many.
        let length = i64::try_from(list.items.len()).unwrap_or(i64::MAX);
        let chunks = match length {
            1 if size < -1 => vec![Value::list(ANY, list.items.to_vec())],
            2.. if size < 0 && 1 - length >= size => Vec::new(),
            _ => return Err("runtime error: makeslice: len out of range".to_owned()),
        };
        return Ok(Value::list("[]interface {}", chunks));
    };
    Ok(Value::list(
        "[]interface {}",
        list.items.chunks(size).map(|part| Value::list(ANY, part.to_vec())).collect(),
    ))
}

fn sort(values: &[Value]) -> Answer {
    let mut texts = match arg(values, 0) {
        list @ Value::List(_) => texts(list)?,
        other => vec![to_text(other)?],
    };
    texts.sort_unstable();
    Ok(Value::texts(texts))
}

fn ints(numbers: Vec<i64>) -> Value {
    Value::list("int", numbers.into_iter().map(Value::Int).collect())
}

/// The numbers from `start` on, before `end`.
fn steps(start: i64, end: i64, step: i64) -> Result<Vec<i64>, String> {
    if step == 0 || (end < start) != (step < 0) {
        return Ok(Vec::new());
    }
    let count =
        (i128::from(end) - i128::from(start)).unsigned_abs().div_ceil(u128::from(step.unsigned_abs()));
    let count = usize::try_from(count).ok().filter(|count| *count <= MAX_ITEMS).ok_or_else(too_many)?;
    Ok((0..count).scan(start, |next, _| Some(std::mem::replace(next, next.wrapping_add(step)))).collect())
}

/// Numbers up to and with the last argument, as a text.
fn seq(values: &[Value]) -> Answer {
    let (start, step, end) = match values.len() {
        1 => (1, 1, int(values, 0)),
        2 => (int(values, 0), 1, int(values, 1)),
        3 => (int(values, 0), int(values, 1), int(values, 2)),
        _ => return Ok(Value::text("")),
    };
    let down = end < start;
    if values.len() == 3 && down && step > 0 {
        return Ok(Value::text(""));
    }
    let step = if values.len() < 3 && down { -1 } else { step };
    let numbers = steps(start, end.wrapping_add(if down { -1 } else { 1 }), step)?;
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    let text = texts.join(" ");
    if text.len() > MAX_TEXT { Err(too_many()) } else { Ok(Value::text(text)) }
}
