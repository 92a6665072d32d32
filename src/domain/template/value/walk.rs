//! Walks through values: how deep they go and what they cost.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Dict, Map, Value, Work};

/// How deep a walk follows values; one that contains itself ends here.
pub(in super::super) const MAX_NESTING: usize = 100;

/// What looking at one value costs, in units of the template's work.
const STEP: usize = 8;
/// What making a list or a dictionary costs, and each place in it: about as much time as looking at so many more values.
const MADE: usize = 96;
const PLACE: usize = 32;
/// So many bytes are compared for one unit.
const BYTES: usize = 32;

/// What a pattern costs, and each of its instructions.
const COMPILED: usize = 256;
const INSTRUCTION: usize = 64;
/// So many instructions are run for one unit.
const INSTRUCTIONS: usize = 16;

/// What is said of a value that nests deeper.
pub(in super::super) fn too_deep() -> String {
    format!("exceeded maximum nesting of values ({MAX_NESTING})")
}

/// A walk through a value under way, at the cost of the template that asked for it.
pub(in super::super) struct Walk<'w> {
    work: &'w mut Work,
    depth: usize,
}

impl<'w> Walk<'w> {
    /// A walk that may cost what is left of `work`.
    pub(in super::super) fn new(work: &'w mut Work) -> Self {
        Self { work, depth: 0 }
    }

    /// Does `part` one level deeper.
    ///
    /// # Errors
    /// Too deep a value, no work left, or what `part` has to say.
    pub(in super::super) fn nested<T, E: From<String>>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.depth >= MAX_NESTING {
            return Err(too_deep().into());
        }
        self.spend(STEP)?;
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// A list or a dictionary of so many entries is to be made.
    ///
    /// # Errors
    /// No work left.
    pub(in super::super) fn make(&mut self, entries: usize) -> Result<(), String> {
        self.spend(MADE.saturating_add(PLACE.saturating_mul(entries)))
    }

    /// A pattern of so many instructions is compiled, and run on a text of so many bytes.
    ///
    /// # Errors
    /// No work left.
    pub(in super::super) fn match_with(&mut self, size: usize, bytes: usize) -> Result<(), String> {
        let compiled = COMPILED.saturating_add(INSTRUCTION.saturating_mul(size));
        self.spend(compiled.saturating_add(size.saturating_mul(bytes) / INSTRUCTIONS))
    }

    /// `dict` gets an entry.
    pub(in super::super) fn note(&mut self, dict: &Dict) {
        self.work.note(dict);
    }

    fn spend(&mut self, work: usize) -> Result<(), String> {
        self.work.left = self.work.left.checked_sub(work).ok_or("the template needs too much work")?;
        Ok(())
    }
}

/// Whether two values are the same, all the way down, as `reflect.DeepEqual` sees it.
///
/// # Errors
/// Values nest too deeply, or it took too much work.
pub(in super::super) fn deep_equal(a: &Value, b: &Value, walk: &mut Walk<'_>) -> Result<bool, String> {
    walk.nested(|walk| match (a, b) {
        (Value::List(a), Value::List(b)) => {
            let is_like = a.element == b.element && a.is_nil == b.is_nil && a.items.len() == b.items.len();
            Ok(is_like && (Rc::ptr_eq(&a.items, &b.items) || all(a.items.iter().zip(b.items.iter()), walk)?))
        }
        (Value::Map(a), Value::Map(b)) => Ok(a.of.name == b.of.name
            && a.is_nil == b.is_nil
            && a.entries.len() == b.entries.len()
            && all(flat(a).zip(flat(b)), walk)?),
        (Value::Dict(a), Value::Dict(b)) if Rc::ptr_eq(a, b) => Ok(true),
        (Value::Dict(a), Value::Dict(b)) => {
            let (a, b) = (a.borrow(), b.borrow());
            Ok(a.keys().eq(b.keys()) && all(a.values().zip(b.values()), walk)?)
        }
        (Value::Struct(a), Value::Struct(b)) => {
            let fields = a.fields.iter().zip(&b.fields).take(a.of.fields.len());
            let is_like = std::ptr::eq(a.of, b.of) && a.fields.len() == b.fields.len();
            Ok(is_like && all(fields, walk)?)
        }
        (Value::Text(a), Value::Text(b)) => {
            walk.spend(a.len().min(b.len()) / BYTES)?;
            Ok(a == b)
        }
        (a, b) => Ok(same_number(a, b)),
    })
}

fn all<'v>(
    mut pairs: impl Iterator<Item = (&'v Value, &'v Value)>,
    walk: &mut Walk<'_>,
) -> Result<bool, String> {
    pairs.try_fold(true, |same, (a, b)| Ok(same && deep_equal(a, b, walk)?))
}

/// The keys and values of a map.
fn flat(map: &Map) -> impl Iterator<Item = &Value> {
    map.entries.iter().flat_map(|(key, value)| [key, value])
}

/// The same of values that hold no others.
fn same_number(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
        (Value::Named(a, of), Value::Named(b, other)) => a == b && std::ptr::eq(*of, *other),
        (Value::Byte(a), Value::Byte(b)) => a == b,
        (Value::Uint64(a), Value::Uint64(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).is_some_and(Ordering::is_eq),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::super::{MessageData, render};
    use crate::domain::object::ObjectId;

    /// What becomes of `template`: its message, or the end of its error.
    fn rendered(template: &str) -> Result<String, String> {
        let data = MessageData {
            automation: ObjectId::new("flux-system", "app"),
            values: None,
            file_changes: BTreeMap::new(),
            references: BTreeMap::new(),
        };
        let rendered = render(template, &data);
        rendered.message.ok_or_else(|| {
            let error = rendered.error.unwrap_or_default();
            error.rsplit_once(": ").map_or(error.clone(), |(_, end)| end.to_owned())
        })
    }

    /// `$x` and `$y`, two values that nest `count` deep.
    fn nested(start: &str, deeper: fn(char) -> String, count: usize) -> String {
        let grown = |name| {
            format!(
                "{{{{${name} := {start}}}}}{{{{range until {count}}}}}{{{{${name} = {}}}}}{{{{end}}}}",
                deeper(name)
            )
        };
        grown('x') + &grown('y')
    }

    const TOO_DEEP: &str = "exceeded maximum nesting of values (100)";
    const CYCLES: &str = r#"{{$x := dict}}{{$_ := set $x "a" $x}}{{$y := dict}}{{$_ := set $y "a" $y}}"#;

    #[test]
    fn values_nested_tens_of_thousands_deep_are_dropped() {
        for (start, deeper) in [
            ("dict", (|name| format!(r#"dict "a" ${name}"#)) as fn(char) -> String),
            ("list", |name| format!("list ${name}")),
            ("list", |name| format!(r#"dict "a" (list ${name})"#)),
        ] {
            let template = nested(start, deeper, 40_000);
            assert_eq!(rendered(&format!("{template}ok")).as_deref(), Ok("ok"), "{start}");
        }
    }

    #[test]
    fn what_walks_through_values_refuses_those_that_nest_too_deeply() {
        let lists = nested("list", |name| format!("list ${name}"), 30_000);
        let dicts = nested("dict", |name| format!(r#"dict "a" ${name}"#), 30_000);
        for (values, walk) in [
            (&lists, "deepEqual $x $y"),
            (&lists, "uniq (list $x $y)"),
            (&lists, "has $x (list $y)"),
            (&lists, "without (list $x) $y"),
            (&lists, "len (deepCopy $x)"),
            (&lists, "$x"),
            (&lists, "mustToJson $x"),
            (&dicts, "deepEqual $x $y"),
            (&dicts, "len (deepCopy $x)"),
            (&dicts, "merge $x $y"),
            (&dicts, "print $x"),
            (&CYCLES.to_owned(), "deepEqual $x $y"),
            (&CYCLES.to_owned(), "len (deepCopy $x)"),
            (&CYCLES.to_owned(), "mergeOverwrite $x $y"),
            (&CYCLES.to_owned(), "mustToPrettyJson $x"),
            (&CYCLES.to_owned(), r#"printf "%v" $x"#),
        ] {
            assert_eq!(rendered(&format!("{values}{{{{{walk}}}}}")), Err(TOO_DEEP.to_owned()), "{walk}");
        }
    }

    #[test]
    fn the_deepest_value_is_walked_within_the_deepest_template() {
        let values = nested("list", |name| format!("list ${name}"), 98);
        let (open, close) = ("{{with 1}}".repeat(99), "{{end}}".repeat(99));
        for (walk, message) in [
            ("deepEqual $x $y", "true"),
            ("len (deepCopy $x)", "1"),
            (r#"len (printf "%v" $x)"#, "198"),
            ("len (toPrettyJson $x)", "19602"),
        ] {
            let template = format!("{values}{open}{{{{{walk}}}}}{close}");
            assert_eq!(rendered(&template).as_deref(), Ok(message), "{walk}");
        }
    }

    #[test]
    fn a_copy_costs_more_than_a_look_as_it_takes_time_and_memory() {
        let values = nested("list 1", |name| format!("list ${name} ${name}"), 18);
        let copy = rendered(&format!("{values}{{{{len (deepCopy $x)}}}}"));
        assert_eq!(copy, Err("the template needs too much work".to_owned()));
        assert_eq!(rendered(&format!("{values}{{{{deepEqual $x $y}}}}")).as_deref(), Ok("true"));
    }

    #[test]
    fn a_value_that_holds_another_twice_on_each_level_costs_what_it_would_cost_in_full() {
        let values = nested("list 1", |name| format!("list ${name} ${name}"), 24);
        let dicts = nested("dict", |name| format!(r#"dict "a" ${name} "b" ${name}"#), 24);
        for (values, walk) in
            [(&values, "len (deepCopy $x)"), (&values, "deepEqual $x $y"), (&dicts, "len (merge $x $y)")]
        {
            let error = Err("the template needs too much work".to_owned());
            assert_eq!(rendered(&format!("{values}{{{{{walk}}}}}")), error, "{walk}");
        }
    }
}
