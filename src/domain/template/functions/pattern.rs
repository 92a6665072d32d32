//! Functions on regular expressions.
//!
//! Source: Masterminds/sprig v3.3.0, regex.go.

use std::ops::Range;

use super::super::format::{MAX_TEXT, Unprinted, quote};
use super::super::value::Value;
use super::Param::{Int, Text};
use super::text::answer;
use super::{Answer, Function, int, text};
use crate::domain::policy::expand::Template;
use crate::domain::policy::goregex::{Pattern, Slots};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("regexMatch", &[Text, Text], |v| match Pattern::new(text(v, 0)) {
        Err(error) if error.is_no_verdict() => Err(error.to_string()),
        pattern => Ok(Value::Bool(pattern.is_ok_and(|pattern| pattern.is_match(text(v, 1))))),
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
        replace_expanded(&panicking(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("mustRegexReplaceAll", &[Text, Text, Text], |v| {
        replace_expanded(&must(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("regexReplaceAllLiteral", &[Text, Text, Text], |v| {
        replace_literally(&panicking(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("mustRegexReplaceAllLiteral", &[Text, Text, Text], |v| {
        replace_literally(&must(v)?, text(v, 1), text(v, 2))
    }),
    Function::fixed("regexSplit", &[Text, Text, Int], |v| {
        Ok(split(&panicking(v)?, text(v, 0), text(v, 1), int(v, 2)))
    }),
    Function::fixed("mustRegexSplit", &[Text, Text, Int], |v| {
        Ok(split(&must(v)?, text(v, 0), text(v, 1), int(v, 2)))
    }),
    Function::fixed("regexQuoteMeta", &[Text], |v| answer(quote_meta(text(v, 0)))),
];

/// The pattern that comes first; an error is answered.
fn must(values: &[Value]) -> Result<Pattern, String> {
    Pattern::new(text(values, 0)).map_err(|error| error.to_string())
}

/// The pattern that comes first; an error is Go's panic.
fn panicking(values: &[Value]) -> Result<Pattern, String> {
    let pattern = text(values, 0);
    let is_plain = |c: char| c != '`' && c != '\u{feff}' && (c == '\t' || !c.is_control());
    let quoted = if pattern.chars().all(is_plain) { format!("`{pattern}`") } else { quote(pattern) };
    must(values).map_err(|error| format!("regexp: Compile({quoted}): {error}"))
}

/// Where the pattern matches, up to `most` times.
///
/// Source: golang/go:src/regexp/regexp.go, `allMatches`.
fn matches(pattern: &Pattern, text: &str, most: usize) -> Vec<Range<usize>> {
    let (mut slots, mut found) = (pattern.slots(), Vec::new());
    let (mut at, mut last) = (0, None);
    while found.len() < most && at <= text.len() && pattern.find_at(text, at, &mut slots) {
        let Some(whole) = slots.group(0) else { break };
        // An empty match right behind another is none.
        let counts = whole.end != at || last != Some(whole.start);
        at = if whole.end == at { at + width(text, at) } else { whole.end };
        last = Some(whole.end);
        found.extend(counts.then_some(whole));
    }
    found
}

/// How long the character at `at` is; 1 behind the end.
fn width(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

fn find<'t>(pattern: &Pattern, text: &'t str) -> &'t str {
    matches(pattern, text, 1).pop().and_then(|found| text.get(found)).unwrap_or_default()
}

/// How many matches `count` asks for; all if it is negative.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn find_all(pattern: &Pattern, text: &str, count: i64) -> Value {
    let found = matches(pattern, text, limit(count));
    Value::appended(
        "string",
        found.into_iter().filter_map(|found| text.get(found).map(Value::text)).collect(),
    )
}

/// Source: golang/go:src/regexp/regexp.go, `replaceAll`.
fn replace(pattern: &Pattern, text: &str, with: impl Fn(&Slots, &mut String)) -> Answer {
    let (mut slots, mut replaced) = (pattern.slots(), String::with_capacity(text.len()));
    let (mut at, mut last) = (0, 0);
    while at <= text.len() && pattern.find_at(text, at, &mut slots) {
        let Some(whole) = slots.group(0) else { break };
        replaced.push_str(text.get(last..whole.start).unwrap_or_default());
        if whole.end > last || whole.start == 0 {
            with(&slots, &mut replaced);
        }
        last = whole.end;
        at = whole.end.max(at + width(text, at));
        if replaced.len() > MAX_TEXT {
            return Err(Unprinted::TooLong.into());
        }
    }
    replaced.push_str(text.get(last..).unwrap_or_default());
    answer(replaced)
}

fn replace_expanded(pattern: &Pattern, text: &str, by: &str) -> Answer {
    let template = Template::new(by, pattern.names());
    replace(pattern, text, |slots, out| template.expand(text, slots, out))
}

fn replace_literally(pattern: &Pattern, text: &str, by: &str) -> Answer {
    replace(pattern, text, |_, out| out.push_str(by))
}

/// `Regexp.Split`.
fn split(pattern: &Pattern, spelled: &str, text: &str, count: i64) -> Value {
    if count == 0 {
        return Value::appended("string", Vec::new());
    }
    if !spelled.is_empty() && text.is_empty() {
        return Value::texts([""]);
    }
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for found in matches(pattern, text, limit(count)) {
        if count > 0 && parts.len() + 1 == limit(count) {
            break;
        }
        end = found.start;
        if found.end != 0 {
            parts.push(text.get(begin..end).unwrap_or_default());
        }
        begin = found.end;
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
