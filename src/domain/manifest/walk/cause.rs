//! Why a marker belongs to no value, as far as its line and those below it tell.

use std::ops::Range;

use super::super::StrayReason;
use super::line_before;

/// The reason of the comment at `comment`, which belongs to no value.
pub(super) fn of(text: &str, comment: &Range<usize>) -> StrayReason {
    let before = without_properties(line_before(text, comment.start));
    let word = before.rsplit([' ', '\t']).next().unwrap_or_default().trim_end_matches(',');
    if word.starts_with('*') {
        StrayReason::Alias
    } else if word.ends_with(['[', ']', '{', '}']) {
        StrayReason::Collection
    } else if word.ends_with(':') || word == "-" {
        below(before, text.get(comment.end..).unwrap_or_default())
    } else {
        StrayReason::NoScalar
    }
}

/// The beginning of a line without the blanks, anchors and tags at its end.
fn without_properties(line: &str) -> &str {
    let mut rest = line.trim_end();
    while let Some((before, _)) =
        rest.rsplit_once([' ', '\t']).filter(|(_, word)| word.starts_with(['&', '!']))
    {
        rest = before.trim_end();
    }
    rest
}

/// The reason of a comment behind `before`, a key or the dash of an item, where `rest` follows.
fn below(before: &str, rest: &str) -> StrayReason {
    let mut key = before.trim_start();
    while let Some(inner) = key.strip_prefix("- ") {
        key = inner.trim_start();
    }
    let column = before.len() - key.len();
    let mut lines = rest.lines().map(|line| (line.len() - line.trim_start().len(), line.trim()));
    let Some((depth, next)) = lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#')) else {
        return StrayReason::NoValue;
    };
    let is_list = next == "-" || next.starts_with("- ");
    if depth < column || (depth == column && !(is_list && key != "-")) {
        return StrayReason::NoValue;
    }
    let next = next.split(" #").next().unwrap_or_default().trim_end();
    if next.starts_with('*') {
        StrayReason::Alias
    } else if is_list || next.starts_with(['[', '{']) || next.ends_with(':') || next.contains(": ") {
        StrayReason::Collection
    } else {
        StrayReason::NoScalar
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StrayReason::{Alias, Collection, NoScalar, NoValue};

    #[test]
    fn the_lines_tell_an_alias_from_a_collection_and_from_a_missing_value() {
        for (text, reason) in [
            ("a: *x M\n", Alias),
            ("l:\n- *x M\n", Alias),
            ("{a: *x, M\n b: 1}\n", Alias),
            ("a: M\n  *x\n", Alias),
            ("a: [b] M\n", Collection),
            ("a: {b: c} M\n", Collection),
            ("a: [ M\n  b]\n", Collection),
            ("a: M\n  b: 1\n", Collection),
            ("a: M\n\n# note\n  b:\n", Collection),
            ("a: M\n- b\n", Collection),
            ("a: M\n  [b]\n", Collection),
            ("- a: &x !!map M\n    b: 1 # note\n", Collection),
            ("- M\n  a: 1\n", Collection),
            ("- - M\n    a: 1\n", Collection),
            ("a: M\n", NoValue),
            ("a: M\r\nb: 1\r\n", NoValue),
            ("a: &x M\nb: 1\n", NoValue),
            ("- a: M\n  b: 1\n", NoValue),
            ("- M\n- b\n", NoValue),
            ("l:\n  - M\nb: 1\n", NoValue),
            ("a: M\n  text\n", NoScalar),
            ("M\na: 1\n", NoScalar),
            ("a: 1\n  M\n", NoScalar),
        ] {
            let start = text.find('M').unwrap();
            assert_eq!(of(text, &(start..start + 1)), reason, "{text}");
        }
    }
}
