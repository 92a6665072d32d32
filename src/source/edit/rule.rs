//! A policy's rule and filter as they were tried, written where the policy stands: what is there is set, what is not is added.

use super::entry::{Insert, added, ways};
use super::field::in_the_style_of;
use super::outline::{Outline, Shape};
use super::{EditError, Place, document_at, lines, meaning, member, places};
use crate::domain::trial::{RuleKind, Trial};
use crate::source::files::SourceFile;
use crate::source::yaml::documents;

/// The keys below `spec` that a trial is about.
const KEYS: [&str; 2] = ["filterTags", "policy"];

/// What is done to the keys below `spec`.
#[derive(Debug)]
enum Step {
    /// A scalar of a mapping that is there.
    Set(Vec<&'static str>, &'static str, String),
    /// A whole mapping, in the place of the one that is there or beside the others: its lines, each as deep as it says.
    Put(&'static str, Vec<(usize, String)>),
    /// The key and what is below it go.
    Remove(&'static str),
}

/// The text in which the policy at `place` says what was tried; `None` if it says so already.
///
/// # Errors
/// It cannot be made without changing something else.
pub fn with_trial(text: &str, place: &Place, trial: &Trial) -> Result<Option<String>, EditError> {
    let now = said(text, place).ok_or(EditError::Unwritable)?;
    if is_same(&now, trial) {
        return Ok(None);
    }
    let has_filter = at_spec(text, place, |text, spec| {
        spec.get(text, "filterTags").is_some_and(|(_, value)| matches!(value.shape, Shape::Mapping { .. }))
    });
    let has_filter = has_filter.ok_or(EditError::Unwritable)?;
    let steps: Vec<Step> =
        filter_steps(has_filter, &now, trial).into_iter().chain(rule_step(&now, trial)).collect();
    let found = walk(text.to_owned(), place, &steps, &|after| is_meant(text, after, place, trial));
    found.map(Some).ok_or(EditError::Unwritable)
}

/// The first of the texts that the steps lead to, one after the other, which is what is meant.
fn walk(text: String, place: &Place, steps: &[Step], is_meant: &dyn Fn(&str) -> bool) -> Option<String> {
    let Some((first, rest)) = steps.split_first() else { return is_meant(&text).then_some(text) };
    let next = taken(&text, place, first);
    next.into_iter().find_map(|text| walk(text, place, rest, is_meant))
}

/// What the policy says of its rule and its filter; `None` where a trial could not say it.
fn said(text: &str, place: &Place) -> Option<Trial> {
    let file = SourceFile { path: place.file.clone(), bytes: text.as_bytes().to_vec() };
    let object = places::value(&[file], place)?;
    let spec = object.get("spec")?;
    let text = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => Some(String::new()),
        Some(value) => value.as_str().map(str::to_owned),
    };
    let rules = spec.get("policy")?.as_object()?;
    let mut kinds = RuleKind::ALL.into_iter().filter(|kind| rules.contains_key(kind.word()));
    let (Some(kind), None, 1) = (kinds.next(), kinds.next(), rules.len()) else { return None };
    let rule = rules.get(kind.word())?;
    let order = text(rule.get("order"))?;
    Some(Trial {
        kind,
        range: text(rule.get("range"))?,
        descending: order.eq_ignore_ascii_case("desc"),
        pattern: text(spec.pointer("/filterTags/pattern"))?,
        extract: text(spec.pointer("/filterTags/extract"))?,
    })
}

fn is_same(one: &Trial, other: &Trial) -> bool {
    one.choice() == other.choice() && one.filter() == other.filter()
}

/// Whether `after` says what was tried, and what `before` says in all else.
fn is_meant(before: &str, after: &str, place: &Place, trial: &Trial) -> bool {
    let (old, new) = (documents(before), documents(after));
    let Some((index, _)) = document_at(before, place) else { return false };
    let others = old.iter().zip(&new).enumerate().filter(|(at, _)| *at != index);
    if old.len() != new.len() || others.into_iter().any(|(_, (old, new))| old.text != new.text) {
        return false;
    }
    let rest = |document| {
        let mut said = meaning(document)?;
        let spec = member(&mut said, &place.items)?.get_mut(".spec")?.as_object_mut()?;
        for key in KEYS {
            spec.remove(&format!(".{key}"));
        }
        Some(said)
    };
    let rests = (old.get(index).and_then(|old| rest(*old)), new.get(index).and_then(|new| rest(*new)));
    rests.0.is_some() && rests.0 == rests.1 && said(after, place).is_some_and(|said| is_same(&said, trial))
}

/// What the filter takes.
fn filter_steps(has_filter: bool, now: &Trial, trial: &Trial) -> Vec<Step> {
    let pairs = [("pattern", &now.pattern, &trial.pattern), ("extract", &now.extract, &trial.extract)];
    let changed: Vec<_> = pairs.iter().filter(|(_, now, tried)| now != tried).collect();
    let is_gone = |(_, _, tried): &&(_, _, &String)| tried.is_empty();
    if changed.is_empty() {
        return Vec::new();
    }
    if trial.filter().is_none() {
        return vec![Step::Remove("filterTags")];
    }
    if has_filter && !changed.iter().any(is_gone) {
        let set = |(key, _, tried): &(&'static str, _, &String)| {
            Step::Set(vec!["filterTags"], key, (*tried).clone())
        };
        return changed.into_iter().map(set).collect();
    }
    let lines = pairs.iter().filter(|(_, _, tried)| !tried.is_empty());
    let lines = lines.map(|(key, _, tried)| (1, format!("{key}: {}", quoted(tried))));
    vec![Step::Put("filterTags", lines.collect())]
}

/// What the rule takes.
fn rule_step(now: &Trial, trial: &Trial) -> Option<Step> {
    if now.choice() == trial.choice() {
        return None;
    }
    let (key, value) = match trial.kind {
        RuleKind::Semver => ("range", trial.range.clone()),
        RuleKind::Numerical | RuleKind::Alphabetical => ("order", trial.order().to_owned()),
    };
    Some(if now.kind == trial.kind {
        Step::Set(vec!["policy", trial.kind.word()], key, value)
    } else {
        let value = if trial.kind == RuleKind::Semver { quoted(&value) } else { value };
        Step::Put("policy", vec![(1, format!("{}:", trial.kind.word())), (2, format!("{key}: {value}"))])
    })
}

/// The texts in which a step is taken, the one that disturbs least first.
fn taken(text: &str, place: &Place, step: &Step) -> Vec<String> {
    let inserts = at_spec(text, place, |text, spec| match step {
        Step::Set(path, key, value) => {
            let parent = path.iter().try_fold(spec, |node, key| Some(&node.get(text, key)?.1));
            parent.map(|parent| set(text, parent, key, value)).unwrap_or_default()
        }
        Step::Put(key, block) => match spec.get(text, key) {
            Some(entry) => put(text, spec, entry, block),
            None => added(text, spec, key, &["{}"]),
        },
        Step::Remove(key) => {
            spec.get(text, key).and_then(|entry| remove(text, spec, entry)).into_iter().collect()
        }
    });
    let made = inserts.unwrap_or_default().into_iter();
    let made: Vec<String> = made.map(|insert| insert.into_text(text, place.document.start)).collect();
    let is_begun = |text: &String| {
        let has = |key: &str| at_spec(text, place, |text, spec| spec.get(text, key).is_some()) == Some(true);
        matches!(step, Step::Put(key, _) if has(key))
    };
    let was_there = is_begun(&text.to_owned());
    // A mapping that was not there has its place now, and gets its lines.
    made.into_iter()
        .flat_map(|text| if !was_there && is_begun(&text) { taken(&text, place, step) } else { vec![text] })
        .collect()
}

/// Looks at the mapping below `spec`.
fn at_spec<T>(text: &str, place: &Place, look: impl FnOnce(&str, &Outline) -> T) -> Option<T> {
    let (index, all) = document_at(text, place)?;
    let document = all.get(index)?;
    let own = Outline::of(document.text)?;
    let object = own.member(document.text, &place.items)?;
    Some(look(document.text, &object.get(document.text, "spec")?.1))
}

/// A scalar in the quotes of the one that was there, else in quotes.
fn set(text: &str, parent: &Outline, key: &str, value: &str) -> Vec<Insert> {
    let old = parent.get(text, key).map_or("", |(_, old)| old.source(text));
    let styled = in_the_style_of(old, value);
    let is_text = value.parse::<f64>().is_err() || !styled.starts_with(value);
    let styled = Some(styled).filter(|_| is_text);
    styled.into_iter().chain([quoted(value)]).flat_map(|value| ways(text, parent, key, &value)).collect()
}

/// A mapping in the place of what an entry holds.
fn put(
    text: &str,
    spec: &Outline,
    (key, old): &(Outline, Outline),
    block: &[(usize, String)],
) -> Vec<Insert> {
    if matches!(spec.shape, Shape::Mapping { is_flow: true, .. }) {
        // `semver:` opens a mapping of its own, which one brace more closes.
        let opened = block
            .iter()
            .map(|(_, line)| line.strip_suffix(':').map_or_else(|| line.clone(), |key| format!("{key}: {{")));
        let depth = block.iter().filter(|(_, line)| line.ends_with(':')).count();
        let all = opened.collect::<Vec<_>>().join(", ").replace("{, ", "{");
        return vec![Insert { at: old.span.clone(), text: format!("{{{all}{}}}", "}".repeat(depth)) }];
    }
    let start = lines::start(text, key.span.start);
    let indent = text.get(start..key.span.start).unwrap_or_default();
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines = block.iter().map(|(depth, line)| format!("{indent}{}{line}", "  ".repeat(*depth)));
    let own = lines.collect::<Vec<_>>().join(end);
    let at = key.span.end..old.span.end.max(key.span.end + 1);
    vec![Insert { at, text: format!(":{end}{own}") }]
}

/// The lines of an entry of a block.
fn remove(text: &str, spec: &Outline, (key, old): &(Outline, Outline)) -> Option<Insert> {
    let is_block = matches!(spec.shape, Shape::Mapping { is_flow: false, .. });
    let at = lines::start(text, key.span.start)..lines::end(text, old.span.end.saturating_sub(1));
    is_block.then(|| Insert { at, text: String::new() })
}

/// A text in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::{Kind, ObjectId};

    /// What becomes of the spec of `apps/a` in a file with other documents around it.
    fn made(spec: &str, trial: &Trial) -> Result<Option<String>, EditError> {
        let head = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: a}\n";
        let (before, behind) = (format!("b:   1\n---\n{head}"), "---\n# of c\nc: 'x'\n");
        let text = format!("{before}{spec}{behind}");
        let file = SourceFile { path: "x.yaml".into(), bytes: text.as_bytes().to_vec() };
        let found = places(&[file], "apps", Kind::ImagePolicy).remove(&ObjectId::new("apps", "a")).unwrap();
        let after = with_trial(&text, &found[0], trial)?;
        Ok(after.map(|after| after.strip_prefix(&before).unwrap().strip_suffix(behind).unwrap().to_owned()))
    }

    fn semver(range: &str) -> Trial {
        Trial { range: range.to_owned(), ..Trial::default() }
    }

    const SPEC: &str =
        "spec:\n  imageRepositoryRef: {name: a} # of a\n  policy:\n    semver:\n      range: 6.x # why\n";

    #[test]
    fn a_range_is_set_in_its_own_quotes_and_never_becomes_a_number() {
        let to = |range: &str| made(SPEC, &semver(range)).map(Option::unwrap_or_default);
        assert_eq!(to("7.x"), Ok(SPEC.replace("6.x", "7.x")));
        assert_eq!(to("1.5"), Ok(SPEC.replace("6.x", "'1.5'")));
        assert_eq!(to("6.x"), Ok(String::new()), "it says so already");
        let flow = "spec: {policy: {semver: {range: 6.x}}}\n";
        assert_eq!(made(flow, &semver(">=7")), Ok(Some(flow.replace("6.x", "'>=7'"))));
    }

    #[test]
    fn a_filter_is_added_changed_and_taken_away_beside_what_else_is_there() {
        let filtered = |pattern: &str, extract: &str| Trial {
            pattern: pattern.to_owned(),
            extract: extract.to_owned(),
            ..semver("6.x")
        };
        let lines = |inner: &str| SPEC.replace("spec:\n", &format!("spec:\n  filterTags:\n{inner}"));
        let both = lines("    pattern: '^v(?P<v>.*)$'\n    extract: '$v'\n");
        assert_eq!(made(SPEC, &filtered("^v(?P<v>.*)$", "$v")), Ok(Some(both.clone())));
        let other = both.replace("^v(", "^w(");
        assert_eq!(made(&both, &filtered("^w(?P<v>.*)$", "$v")), Ok(Some(other)));
        assert_eq!(made(&both, &semver("6.x")), Ok(Some(SPEC.to_owned())));
        assert_eq!(
            made(&both, &filtered("^v(?P<v>.*)$", "")),
            Ok(Some(lines("    pattern: '^v(?P<v>.*)$'\n"))),
        );
    }

    #[test]
    fn another_kind_of_rule_takes_the_place_of_the_one_that_is_there() {
        let trial = Trial { kind: RuleKind::Numerical, pattern: "x".to_owned(), ..semver("left over") };
        let flow = "spec: {image: a, policy: {semver: {range: 6.x}}}\n";
        let spec = "spec:\n  filterTags:\n    pattern: 'x'\n  imageRepositoryRef: {name: a} # of a\n  policy:\n    numerical:\n      order: asc # why\n";
        assert_eq!(made(SPEC, &trial), Ok(Some(spec.to_owned())));
        let plain = Trial { pattern: String::new(), ..trial };
        let numbers = "spec: {image: a, policy: {numerical: {order: asc}}}\n";
        assert_eq!(made(flow, &plain), Ok(Some(numbers.to_owned())));
        let down = Trial { descending: true, ..plain };
        assert_eq!(made(numbers, &down), Ok(Some(numbers.replace("asc", "desc"))));
        let both = "spec: {policy: {semver: {range: 6.x}, numerical: {}}}\n";
        assert_eq!(made(both, &down), Err(EditError::Unwritable), "which of the two counts is unclear");
    }
}
