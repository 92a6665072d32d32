//! Functions on regular expressions.
//!
//! Source: Masterminds/sprig v3.3.0, regex.go.

use regex::{NoExpand, Regex, RegexBuilder};

use super::super::format::{MAX_TEXT, TooLong};
use super::super::value::Value;
use super::Param::{Int, Text};
use super::text::answer;
use super::{Answer, Function, int, text};
use crate::domain::policy::goregex::Pattern;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("regexMatch", &[Text, Text], |v| {
        Ok(Value::Bool(compile(text(v, 0)).is_ok_and(|regex| regex.is_match(text(v, 1)))))
    }),
    Function::fixed("mustRegexMatch", &[Text, Text], |v| Ok(Value::Bool(must(v)?.is_match(text(v, 1))))),
    Function::fixed("regexFind", &[Text, Text], |v| answer(find(&panicking(v)?, text(v, 1)))),
    Function::fixed("mustRegexFind", &[Text, Text], |v| answer(find(&must(v)?, text(v, 1)))),
    Function::fixed("regexFindAll", &[Text, Text, Int], |v| {
        Ok(find_all(&panicking(v)?, text(v, 1), int(v, 2)))
    }),
    Function::fixed("mustRegexFindAll", &[Text, Text, Int], |v| {
        Ok(find_all(&must(v)?, text(v, 1), int(v, 2)))
    }),
    Function::fixed("regexReplaceAll", &[Text, Text, Text], |v| {
        replace(&panicking(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("mustRegexReplaceAll", &[Text, Text, Text], |v| {
        replace(&must(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("regexReplaceAllLiteral", &[Text, Text, Text], |v| {
        replace_literally(&panicking(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("mustRegexReplaceAllLiteral", &[Text, Text, Text], |v| {
        replace_literally(&must(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("regexSplit", &[Text, Text, Int], |v| Ok(split(&panicking(v)?, text(v, 1), int(v, 2)))),
    Function::fixed("mustRegexSplit", &[Text, Text, Int], |v| Ok(split(&must(v)?, text(v, 1), int(v, 2)))),
    Function::fixed("regexQuoteMeta", &[Text], |v| answer(quote_meta(text(v, 0)))),
];

/// Checked as Go checks it, so that errors are Go's.
fn compile(pattern: &str) -> Result<Regex, String> {
    Pattern::new(pattern).map_err(|error| error.to_string())?;
    let ours = RegexBuilder::new(pattern).size_limit(1 << 20).build();
    ours.map_err(|error| format!("error parsing regexp: {error}"))
}

/// The pattern that comes first; an error is answered.
fn must(values: &[Value]) -> Result<Regex, String> {
    compile(text(values, 0))
}

/// The pattern that comes first; an error is Go's panic.
fn panicking(values: &[Value]) -> Result<Regex, String> {
    let pattern = text(values, 0);
    let quoted =
        if pattern.contains('`') { super::super::format::quote(pattern) } else { format!("`{pattern}`") };
    compile(pattern).map_err(|error| format!("regexp: Compile({quoted}): {error}"))
}

fn find<'t>(regex: &Regex, text: &'t str) -> &'t str {
    regex.find(text).map_or("", |found| found.as_str())
}

/// How many matches `count` asks for; all if it is negative.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn find_all(regex: &Regex, text: &str, count: i64) -> Value {
    Value::texts(regex.find_iter(text).take(limit(count)).map(|found| found.as_str()))
}

fn replace(regex: &Regex, text: &str, by: &str) -> Answer {
    let mut replaced = String::with_capacity(text.len());
    let mut end = 0;
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        replaced.push_str(text.get(end..whole.start()).unwrap_or_default());
        found.expand(by, &mut replaced);
        end = whole.end();
        if replaced.len() > MAX_TEXT {
            return Err(TooLong.into());
        }
    }
    replaced.push_str(text.get(end..).unwrap_or_default());
    answer(replaced)
}

fn replace_literally(regex: &Regex, text: &str, by: &str) -> Answer {
    let found = regex.find_iter(text).count();
    if text.len().saturating_add(found.saturating_mul(by.len())) > MAX_TEXT {
        return Err(TooLong.into());
    }
    answer(regex.replace_all(text, NoExpand(by)))
}

/// `Regexp.Split`.
fn split(regex: &Regex, text: &str, count: i64) -> Value {
    if count == 0 {
        return Value::texts(Vec::<&str>::new());
    }
    if !regex.as_str().is_empty() && text.is_empty() {
        return Value::texts([""]);
    }
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for found in regex.find_iter(text) {
        if count > 0 && parts.len() + 1 == limit(count) {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(text.get(begin..end).unwrap_or_default());
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.push(text.get(begin..).unwrap_or_default());
    }
    Value::texts(parts)
}

fn quote_meta(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}
