//! Functions on regular expressions.
//!
//! Source: Masterminds/sprig v3.3.0, regex.go.

use std::ops::Range;

use super::super::format::{MAX_TEXT, Unprinted, quote};
use super::super::value::{Value, Walk};
use super::Param::{Int, Text};
use super::text::answer;
use super::{Answer, Function, int, text};
use crate::domain::policy::expand::Template;
use crate::domain::policy::goregex::{Pattern, Slots};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::walking("regexMatch", &[Text, Text], None, |v, walk| match Pattern::new(text(v, 0)) {
        Err(error) if error.is_no_verdict() => Err(error.to_string()),
        Err(_) => Ok(Value::Bool(false)),
        Ok(pattern) => Ok(Value::Bool(paid(pattern, text(v, 1), walk)?.is_match(text(v, 1)))),
    }),
    Function::walking("mustRegexMatch", &[Text, Text], None, |v, walk| {
        Ok(Value::Bool(must(v, walk)?.is_match(text(v, 1))))
    }),
    Function::walking("regexFind", &[Text, Text], None, |v, walk| {
        answer(find(&panicking(v, walk)?, text(v, 1)))
    }),
    Function::walking("mustRegexFind", &[Text, Text], None, |v, walk| {
        answer(find(&must(v, walk)?, text(v, 1)))
    }),
    Function::walking("regexFindAll", &[Text, Text, Int], None, |v, walk| {
        Ok(find_all(&panicking(v, walk)?, text(v, 1), int(v, 2)))
    }),
    Function::walking("mustRegexFindAll", &[Text, Text, Int], None, |v, walk| {
        Ok(find_all(&must(v, walk)?, text(v, 1), int(v, 2)))
    }),
    Function::walking("regexReplaceAll", &[Text, Text, Text], None, |v, walk| {
        replace_expanded(&panicking(v, walk)?, text(v, 1), text(v, 2))
    }),
    Function::walking("mustRegexReplaceAll", &[Text, Text, Text], None, |v, walk| {
        replace_expanded(&must(v, walk)?, text(v, 1), text(v, 2))
    }),
    Function::walking("regexReplaceAllLiteral", &[Text, Text, Text], None, |v, walk| {
        replace_literally(&panicking(v, walk)?, text(v, 1), text(v, 2))
    }),
    Function::walking("mustRegexReplaceAllLiteral", &[Text, Text, Text], None, |v, walk| {
        replace_literally(&must(v, walk)?, text(v, 1), text(v, 2))
    }),
    Function::walking("regexSplit", &[Text, Text, Int], None, |v, walk| {
        Ok(split(&panicking(v, walk)?, text(v, 0), text(v, 1), int(v, 2)))
    }),
    Function::walking("mustRegexSplit", &[Text, Text, Int], None, |v, walk| {
        Ok(split(&must(v, walk)?, text(v, 0), text(v, 1), int(v, 2)))
    }),
    Function::fixed("regexQuoteMeta", &[Text], |v| answer(quote_meta(text(v, 0)))),
];

/// The pattern, once what it costs to compile it and to look through `haystack` with it is paid.
fn paid(pattern: Pattern, haystack: &str, walk: &mut Walk<'_>) -> Result<Pattern, String> {
    walk.match_with(pattern.size(), haystack.len())?;
    Ok(pattern)
}

/// The pattern that comes first for the text that comes behind it; an error is answered.
fn must(values: &[Value], walk: &mut Walk<'_>) -> Result<Pattern, String> {
    let pattern = Pattern::new(text(values, 0)).map_err(|error| error.to_string())?;
    paid(pattern, text(values, 1), walk)
}

/// The same; an error is Go's panic.
fn panicking(values: &[Value], walk: &mut Walk<'_>) -> Result<Pattern, String> {
    let spelled = text(values, 0);
    let is_plain = |c: char| c != '`' && c != '\u{feff}' && (c == '\t' || !c.is_control());
    let quoted = if spelled.chars().all(is_plain) { format!("`{spelled}`") } else { quote(spelled) };
    let pattern = Pattern::new(spelled).map_err(|error| format!("regexp: Compile({quoted}): {error}"))?;
    paid(pattern, text(values, 1), walk)
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
