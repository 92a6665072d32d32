//! The template of `filterTags.extract`: `$1`, `${name}`, `$$`.
//!
//! Source: golang/go, `src/regexp/regexp.go` (Expand).

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::goregex::{KNOWN, Slots};

/// The characters of a name: letters and decimal digits of any script, and the underscore.
static NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"^[[\p{{L}}\p{{Nd}}_]&&{KNOWN}]+")).ok());

/// A template, its names looked up.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// The first of these groups that took part, or nothing.
    Groups(Vec<usize>),
}

impl Template {
    /// Reads `template` against the groups of a pattern, whose names are given by number.
    ///
    /// Nothing is an error: a `$` that introduces nothing stands for itself, an unknown name for nothing.
    pub fn new(template: &str, names: &[String]) -> Self {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            push_text(&mut parts, before);
            if let Some(behind) = after.strip_prefix('$') {
                push_text(&mut parts, "$");
                rest = behind;
            } else if let Some((name, behind)) = read_name(after) {
                parts.push(Part::Groups(groups(name, names)));
                rest = behind;
            } else {
                push_text(&mut parts, "$");
                rest = after;
            }
        }
        push_text(&mut parts, rest);
        Self { parts }
    }

    /// Appends the template, filled from a match in `text`, to `out`.
    pub fn expand(&self, text: &str, slots: &Slots, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(literal) => out.push_str(literal),
                Part::Groups(groups) => {
                    let span = groups.iter().find_map(|group| slots.group(*group));
                    out.push_str(span.and_then(|span| text.get(span)).unwrap_or_default());
                }
            }
        }
    }

    /// How many bytes [`Self::expand`] appends.
    pub fn expanded_len(&self, slots: &Slots) -> usize {
        let lengths = self.parts.iter().map(|part| match part {
            Part::Text(literal) => literal.len(),
            Part::Groups(groups) => {
                groups.iter().find_map(|group| slots.group(*group)).map_or(0, |span| span.len())
            }
        });
        lengths.fold(0, usize::saturating_add)
    }

    /// The span that the template stands for, if it is no more than one reference to a group; an empty span if that
    /// group took no part.
    pub fn as_span(&self, slots: &Slots) -> Option<Range<usize>> {
        match self.parts.as_slice() {
            [Part::Groups(groups)] => {
                Some(groups.iter().find_map(|group| slots.group(*group)).unwrap_or_default())
            }
            _ => None,
        }
    }

    /// The groups that the template may take something from, by number; group 0 is the whole match.
    pub fn groups(&self) -> BTreeSet<usize> {
        let used = self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Groups(groups) => Some(groups),
        });
        used.flatten().copied().collect()
    }

    /// The spans of all groups that the template uses, in its order.
    pub fn spans(&self, slots: &Slots) -> Vec<Range<usize>> {
        let used = self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Groups(groups) => groups.iter().find_map(|group| slots.group(*group)),
        });
        used.filter(|span| !span.is_empty()).collect()
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// The name that `text`, which followed a `$`, begins with, in braces or without, and the rest.
fn read_name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let begin = braced.unwrap_or(text);
    let length = NAME.as_ref()?.find(begin)?.end();
    let (name, rest) = begin.split_at_checked(length)?;
    match braced {
        Some(_) => Some((name, rest.strip_prefix('}')?)),
        None => Some((name, rest)),
    }
}

/// The groups that `name` may stand for: one by number, or all of that name.
fn groups(name: &str, names: &[String]) -> Vec<usize> {
    match number(name) {
        Some(index) => Some(index).filter(|index| *index < names.len()).into_iter().collect(),
        None => named(name, names),
    }
}

/// The group that a template means by `name` if it is a number: digits without a zero in front, of which Go counts nine and takes
/// more for a name.
pub fn number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    name.parse().ok().filter(|_| is_number && name.len() <= 9)
}

fn named(name: &str, names: &[String]) -> Vec<usize> {
    (0..names.len()).filter(|index| names.get(*index).is_some_and(|own| own == name)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::goregex::Pattern;
    use super::*;
    use proptest::prelude::*;

    fn expand(pattern: &str, template: &str, text: &str) -> Option<String> {
        let pattern = Pattern::new(pattern).unwrap();
        let mut slots = pattern.slots();
        let mut out = String::new();
        pattern.find(text, &mut slots).then(|| {
            Template::new(template, pattern.names()).expand(text, &slots, &mut out);
            out
        })
    }

    #[test]
    fn the_first_of_equal_names_that_took_part_counts() {
        let pattern = "^(?:x(?P<n>\\d)|y(?P<n>\\d))$";
        assert_eq!(expand(pattern, "$n", "y2").as_deref(), Some("2"));
        assert_eq!(expand(pattern, "$1-$2", "y2").as_deref(), Some("-2"));
        assert_eq!(expand(pattern, "$1000000000", "y2").as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn no_template_upsets_the_reader(template in any::<String>()) {
            expand("(a)(b)?", &template, "a");
        }
    }
}
