//! Why a policy selects nothing, and the edit that mends it.

use std::cmp::Reverse;

use super::filter::{Composed, Filter, Value};
use super::numeric::parse_float;
use super::{Evaluation, Evaluator, Rule, TagState};
use crate::domain::object::TagFilter;
use crate::domain::tags::TagList;
use crate::text::{count, spaced};

/// How many tags of a kind are asked what would admit them.
const ASKED: usize = 50;
/// How many tags are tried with another pattern.
const SAMPLE: usize = 2_000;

/// Why a policy selects nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In as few words as a row has room for: `policy fails: not a number: "12a" (tag r12a)`.
    pub short: String,
    /// In one sentence, without a full stop.
    pub reason: String,
}

impl Evaluator {
    /// Why nothing is selected of `tags`, of which `evaluation` must be; `None` if something is, or if a rule or a pattern cannot
    /// be, of which the policy's error says all.
    pub fn failure(&self, tags: &TagList, evaluation: &Evaluation) -> Option<Failure> {
        if evaluation.latest.is_some() || self.rule.is_err() || self.filter.is_err() {
            return None;
        }
        let all = |state| (0..tags.len()).filter(move |at| evaluation.states.get(*at) == Some(&state));
        match (&self.rule, all(TagState::Unparsed).next()) {
            (Ok(Rule::Numerical(_)), Some(bad)) => Some(self.no_number(tags, evaluation, bad)),
            _ if evaluation.counts.candidates > 0 => None,
            _ => {
                let short = format!("selects none of {}", count(evaluation.counts.tags, "tag"));
                let reason =
                    [short.clone(), shares(evaluation)].join(if tags.is_empty() { "" } else { ": " });
                Some(Failure { short, reason })
            }
        }
    }

    /// The indices of at most `most` tags that cannot be selected, those that got furthest first: a version out of range before
    /// what is no version, and so on; among those that the pattern does not match, of the first fifty those that it fits longest.
    pub fn nearest(&self, tags: &TagList, evaluation: &Evaluation, most: usize) -> Vec<usize> {
        let filter = self.filter.as_ref().ok().and_then(Option::as_deref);
        let fit = |at: &usize| filter.and_then(|filter| filter.pattern.fits_up_to(tags.get(*at)?));
        let in_state = |state: TagState| {
            let all = (0..tags.len()).filter(|at| evaluation.states.get(*at) == Some(&state));
            let mut found: Vec<usize> = all.take(ASKED).collect();
            if state == TagState::Filter {
                found.sort_by_cached_key(|at| Reverse(fit(at)));
            }
            found
        };
        let missed = TagState::ALL.into_iter().filter(|state| !state.is_candidate());
        missed.flat_map(in_state).take(most).collect()
    }

    /// The edit of the policy with which something would be selected of `tags`, where one can be named. It is looked for among
    /// the tags, which takes its time: nothing for a row that is drawn.
    pub fn mend(&self, tags: &TagList, evaluation: &Evaluation) -> Option<String> {
        let all = |state| (0..tags.len()).filter(move |at| evaluation.states.get(*at) == Some(&state));
        let bad = all(TagState::Unparsed).next();
        if let (Ok(Rule::Numerical(_)), Ok(Some(filter)), Some(bad)) = (&self.rule, &self.filter, bad)
            && let Some(pattern) = digits_only(filter, tags, tags.get(bad).unwrap_or_default())
        {
            return Some(format!("anchor the group to digits: {pattern}"));
        }
        // Of a hundred thousand tags a few tell what kind they are of.
        let told = |state| all(state).take(ASKED);
        told(TagState::Unparsed)
            .chain(told(TagState::Range))
            .find_map(|at| self.explain(tags, evaluation, at).fix)
    }

    /// One tag that is no number fails a numerical policy as a whole.
    fn no_number(&self, tags: &TagList, evaluation: &Evaluation, bad: usize) -> Failure {
        let tag = tags.get(bad).unwrap_or_default();
        let sentence = self.row(tags, evaluation, bad).reason;
        let what = sentence.split(';').next().unwrap_or_default();
        let value = self.value(tag).unwrap_or_else(|| tag.to_owned());
        let of_tag = if value == tag { String::new() } else { format!(" (tag {tag})") };
        let has_filter = matches!(self.filter, Ok(Some(_)));
        let passes = if has_filter { "matches the pattern but is not a number" } else { "is not a number" };
        let reason = format!("\"{value}\"{of_tag} {passes}; one such tag fails the whole numerical policy");
        Failure { short: format!("policy fails: {what} (tag {tag})"), reason }
    }
}

/// `6 do not match the pattern, 3 are no version`: what became of the tags, by their number.
fn shares(evaluation: &Evaluation) -> String {
    let counts = &evaluation.counts;
    let shares = [
        (counts.filter, "not matched by the pattern"),
        (counts.unparsed, "no version"),
        (counts.range, "outside of the range"),
        (counts.exclude, "excluded"),
        (counts.invalid, "no valid tag"),
    ];
    let said: Vec<String> = shares
        .iter()
        .filter(|(many, _)| *many > 0)
        .map(|(many, what)| format!("{} {what}", spaced(*many)))
        .collect();
    said.join(", ")
}

/// The pattern with the one named group that is extracted narrowed to digits and its end anchored, if `bad` does not pass it any
/// more, and the others that are numbers now are the same numbers then: a mend must not lose the newest of them.
fn digits_only(filter: &Filter, tags: &TagList, bad: &str) -> Option<String> {
    let name = filter.only_group()?;
    let inside = group_inside(&filter.spelled, name)?;
    let (before, after) = (filter.spelled.get(..inside.start)?, filter.spelled.get(inside.end..)?);
    let end = if after.ends_with('$') && !after.ends_with("\\$") { "" } else { "$" };
    let pattern = format!("{before}[0-9]+{after}{end}");
    let extract = filter.extract.clone();
    let narrowed = Filter::new(&TagFilter { pattern: pattern.clone(), extract }).ok()?;
    if number(&narrowed, bad).is_some() {
        return None;
    }
    let sample = tags.iter().step_by(tags.len() / SAMPLE + 1);
    let mut numbers = sample.filter_map(|tag| Some((tag, number(filter, tag)?))).peekable();
    numbers.peek()?;
    numbers.all(|(tag, value)| number(&narrowed, tag) == Some(value)).then_some(pattern)
}

/// The number that a tag is compared by; `None` if it does not pass or is none.
fn number(filter: &Filter, tag: &str) -> Option<f64> {
    let mut composed = Composed::default();
    match filter.value(tag, &mut filter.pattern.slots(), &mut composed)? {
        Value::Span(span) => parse_float(tag.get(span)?),
        Value::Composed => parse_float(&composed.text),
    }
}

/// The bytes of a pattern between `(?P<name>` and the parenthesis that closes it.
fn group_inside(pattern: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let starts = [format!("(?P<{name}>"), format!("(?<{name}>")];
    let start = starts.iter().find_map(|start| Some(pattern.find(start)? + start.len()))?;
    let (mut depth, mut in_class, mut is_escaped) = (1_usize, false, false);
    for (at, c) in pattern.get(start..)?.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class && depth == 1 => return Some(start..start + at),
            ')' if !in_class => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::{OrderChoice, PolicyChoice, SemverChoice};

    fn failure(
        choice: &PolicyChoice,
        (pattern, extract): (&str, &str),
        tags: &[&str],
    ) -> Option<(Failure, Option<String>)> {
        let filter = TagFilter { pattern: pattern.to_owned(), extract: extract.to_owned() };
        let evaluator = Evaluator::new(choice, (!pattern.is_empty()).then_some(&filter), &[]);
        let tags: TagList = tags.iter().copied().collect();
        let evaluation = evaluator.evaluate(&tags);
        Some((evaluator.failure(&tags, &evaluation)?, evaluator.mend(&tags, &evaluation)))
    }

    fn numerical() -> PolicyChoice {
        PolicyChoice { numerical: Some(OrderChoice::default()), ..PolicyChoice::default() }
    }

    #[test]
    fn one_tag_that_is_no_number_is_named_with_the_pattern_that_keeps_it_out() {
        let tags = ["r11", "r12a", "v1"];
        let (found, fix) = failure(&numerical(), ("^r(?P<n>[0-9]+.*)$", "$n"), &tags).unwrap();
        assert_eq!(found.short, "policy fails: not a number: \"12a\" (tag r12a)");
        assert_eq!(
            found.reason,
            "\"12a\" (tag r12a) matches the pattern but is not a number; one such tag fails the whole numerical policy"
        );
        assert_eq!(fix.unwrap(), "anchor the group to digits: ^r(?P<n>[0-9]+)$");
        // Parentheses and brackets within the group are its own, and the end is anchored once.
        let (_, nested) = failure(&numerical(), ("^r(?P<n>([0-9)]+|x)\\)?.*)", "${n}"), &tags).unwrap();
        assert_eq!(nested.unwrap(), "anchor the group to digits: ^r(?P<n>[0-9]+)$");
        // No other tag would be left, or no group has a name: it is said in words.
        for (pattern, extract, tags) in [("^r(?P<n>.*)$", "$n", ["r12a"]), ("^r(.*)$", "$1", ["r12a"])] {
            let (_, fix) = failure(&numerical(), (pattern, extract), &tags).unwrap();
            assert_eq!(fix.unwrap(), "let the extracted group take digits only, and end the pattern with $");
        }
        // Nor is one that would lose numbers, or that the value is not made of alone.
        for (extract, tags) in [("$n", vec!["r3", "r20.5", "r20.5-rc"]), ("v$n", vec!["r3", "r4x"])] {
            let (_, fix) = failure(&numerical(), ("^r(?P<n>.*)$", extract), &tags).unwrap();
            assert!(!fix.unwrap().starts_with("anchor"), "{extract}");
        }
        let (bare, _) = failure(&numerical(), ("", ""), &["1", "x"]).unwrap();
        assert!(bare.reason.starts_with("\"x\" is not a number;"), "{bare:?}");
        assert_eq!(failure(&numerical(), ("", ""), &["1", "2"]), None);
    }

    #[test]
    fn where_no_tag_is_left_it_is_said_what_became_of_all() {
        let range = "6.x".to_owned();
        let semver = PolicyChoice { semver: Some(SemverChoice { range }), ..PolicyChoice::default() };
        let (found, fix) = failure(&semver, ("", ""), &["16.4", "7.0.0", "x"]).unwrap();
        assert_eq!(found.short, "selects none of 3 tags");
        assert_eq!(found.reason, "selects none of 3 tags: 2 no version, 1 outside of the range");
        assert!(fix.unwrap().contains("filterTags"));
        assert_eq!(failure(&semver, ("", ""), &[]).unwrap().0.reason, "selects none of 0 tags");
        assert_eq!(failure(&semver, ("(", ""), &["1.0.0"]), None, "the pattern's own error says it all");
    }

    #[test]
    fn the_nearest_misses_are_those_that_got_furthest() {
        let semver = PolicyChoice {
            semver: Some(SemverChoice { range: "6.x".to_owned() }),
            ..PolicyChoice::default()
        };
        let filter = TagFilter { pattern: "^v(?P<v>.*)$".to_owned(), extract: "$v".to_owned() };
        let nearest = |filter: Option<&TagFilter>, tags: &[&str]| {
            let evaluator = Evaluator::new(&semver, filter, &[]);
            let tags: TagList = tags.iter().copied().collect();
            let found = evaluator.nearest(&tags, &evaluator.evaluate(&tags), 3);
            found.into_iter().map(|at| tags.get(at).unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(nearest(Some(&filter), &["a", "b", "v7.0.0", "vx"]), ["v7.0.0", "vx", "b"]);
        let anchored = TagFilter { pattern: "^main-[0-9]+$".to_owned(), extract: String::new() };
        assert_eq!(nearest(Some(&anchored), &["x", "main-x", "m"])[..2], ["main-x", "m"]);
        assert!(nearest(None, &[]).is_empty());
    }
}
