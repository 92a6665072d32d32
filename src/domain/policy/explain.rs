//! The why of a verdict: one sentence for each tag, the steps that led to it, and what would change it.

use std::fmt::Write as _;
use std::ops::Range;

use serde::Serialize;

use super::filter::{Composed, Value};
use super::numeric::parse_float;
use super::version::Version;
use super::{Evaluation, Evaluator, Rule, TagState};
use crate::domain::object::DEFAULT_EXCLUSION;
use crate::domain::reference::is_valid_tag;
use crate::domain::tags::TagList;
use crate::text::count;

/// A tag as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// What became of it.
    pub state: TagState,
    /// What it is compared by; `None` if it did not get that far.
    pub value: Option<String>,
    /// Why, in one sentence.
    pub reason: String,
    /// The bytes that the pattern matches; `None` without a pattern, or if it does not match.
    pub matched: Option<Range<usize>>,
    /// The bytes of the groups that the value is made of, from the same run of the pattern.
    pub extracts: Vec<Range<usize>>,
}

/// A tag and what became of it, as `eval` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgedTag {
    /// The tag, as the registry listed it.
    pub tag: String,
    /// What became of it.
    pub state: TagState,
    /// What it is compared by; `None` if it did not get that far.
    pub value: Option<String>,
    /// Why, in one sentence.
    pub reason: String,
}

/// Why a tag is selected, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What became of the tag.
    pub state: TagState,
    /// Whether the policy selects it.
    pub selected: bool,
    /// The steps up to the one that decides; all of them for the selected tag.
    pub steps: Vec<ExplanationStep>,
    /// An edit that would make it a candidate, if there is one to recommend.
    pub fix: Option<String>,
}

/// One question that a tag was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplanationStep {
    /// `excluded`, `valid`, `pattern`, `extract`, `parse`, `range`, `order` or `held`.
    pub step: &'static str,
    /// `yes`, `no`, or the extracted value.
    pub answer: String,
    /// Why.
    pub text: String,
}

/// What the filter makes of one tag.
#[derive(Debug, Default)]
struct Run {
    value: Option<String>,
    matched: Option<Range<usize>>,
    extracts: Vec<Range<usize>>,
}

/// The tag in question, with all that is known of it.
struct Subject<'a> {
    tag: &'a str,
    index: usize,
    state: TagState,
    run: Run,
}

impl Subject<'_> {
    /// What it is compared by.
    fn value(&self) -> &str {
        self.run.value.as_deref().unwrap_or(self.tag)
    }
}

impl Evaluator {
    /// The row of the tag at `index`; `evaluation` must be of the same tags.
    pub fn row(&self, tags: &TagList, evaluation: &Evaluation, index: usize) -> TagRow {
        let subject = self.subject(tags, evaluation, index);
        let reason = self.reason(tags, evaluation, &subject);
        let judged = !matches!(subject.state, TagState::Exclude | TagState::Invalid);
        let Run { value, matched, extracts } = subject.run;
        TagRow { state: subject.state, value: value.filter(|_| judged), reason, matched, extracts }
    }

    /// All tags, best first; `evaluation` must be of the same tags.
    pub fn judged(&self, tags: &TagList, evaluation: &Evaluation) -> Vec<JudgedTag> {
        let judge = |index: u32| {
            let TagRow { state, value, reason, .. } = self.row(tags, evaluation, index as usize);
            let tag = tags.get(index as usize).unwrap_or_default().to_owned();
            JudgedTag { tag, state, value, reason }
        };
        self.order(tags, evaluation).into_iter().map(judge).collect()
    }

    /// The steps that led to the verdict about the tag at `index`; `evaluation` must be of the same tags.
    pub fn explain(&self, tags: &TagList, evaluation: &Evaluation, index: usize) -> Explanation {
        let subject = self.subject(tags, evaluation, index);
        let selected = evaluation.latest == Some(index);
        let mut steps = Vec::new();
        // Each step says whether the tag goes on.
        let goes_on = self.step_excluded(&subject, &mut steps)
            && step_valid(&subject, &mut steps)
            && self.step_pattern(&subject, &mut steps)
            && self.step_extract(tags, evaluation, &subject, &mut steps)
            && self.step_parse(&subject, &mut steps)
            && self.step_range(&subject, &mut steps)
            && self.step_order(tags, evaluation, &subject, &mut steps);
        if goes_on {
            push(&mut steps, "held", "no", "no hold is in force");
        }
        Explanation { state: subject.state, selected, steps, fix: self.fix(&subject) }
    }

    /// What `tag` is compared by; `None` if the filter does not let it pass.
    pub(super) fn value(&self, tag: &str) -> Option<String> {
        self.values()(tag)
    }

    fn subject<'a>(&self, tags: &'a TagList, evaluation: &Evaluation, index: usize) -> Subject<'a> {
        let tag = tags.get(index).unwrap_or_default();
        let state = evaluation.states.get(index).copied().unwrap_or(TagState::Filter);
        Subject { tag, index, state, run: self.run(tag) }
    }

    fn run(&self, tag: &str) -> Run {
        let filter = match &self.filter {
            Ok(Some(filter)) => filter,
            Ok(None) => return Run { value: Some(tag.to_owned()), ..Run::default() },
            Err(_) => return Run::default(),
        };
        let (mut slots, mut composed) = (filter.pattern.slots(), Composed::default());
        let value = match filter.value(tag, &mut slots, &mut composed) {
            Some(Value::Span(span)) => tag.get(span).unwrap_or_default().to_owned(),
            Some(Value::Composed) => composed.text,
            None => return Run::default(),
        };
        Run { value: Some(value), matched: slots.group(0), extracts: filter.extracts_in(&slots) }
    }

    fn reason(&self, tags: &TagList, evaluation: &Evaluation, subject: &Subject<'_>) -> String {
        match subject.state {
            TagState::Exclude => self.why_excluded(subject.tag).unwrap_or_default(),
            TagState::Invalid if evaluation.latest == Some(subject.index) => {
                format!("the controller selects it, but it is {}", why_invalid(subject.tag))
            }
            TagState::Invalid => format!("{}; can never be selected", why_invalid(subject.tag)),
            TagState::Filter => self.why_filtered(subject.tag),
            TagState::Collide => self.why_collides(tags, evaluation, subject),
            TagState::Unparsed => self.why_unparsed(subject.value()),
            TagState::Range => self.why_outside(subject.value(), true),
            TagState::Match => format!("candidate; {}", self.why_not_best(tags, evaluation)),
            TagState::Latest => format!("selected: {}", self.count_candidates(evaluation)),
        }
    }

    /// The first rule of the exclusion list that has the tag, or what is wrong with the list.
    fn why_excluded(&self, tag: &str) -> Option<String> {
        let rules = match &*self.exclusions.0 {
            Ok(rules) => rules,
            Err(error) => return Some(error.to_string()),
        };
        let (number, rule) = rules.iter().enumerate().find(|(_, rule)| rule.pattern.is_match(tag))?;
        let is_default = rules.len() == 1 && rule.spelled == DEFAULT_EXCLUSION;
        let which = if is_default {
            "the default exclusionList".to_owned()
        } else {
            format!("exclusionList[{number}]")
        };
        let mut text = format!("excluded by {which} \"{}\"", rule.spelled);
        if let Some(repository) = &self.repository {
            // Writing to a string cannot fail.
            let _ = write!(text, " of ImageRepository {repository}");
        }
        Some(text)
    }

    fn why_filtered(&self, tag: &str) -> String {
        let filter = match &self.filter {
            Ok(Some(filter)) => filter,
            Ok(None) => return String::new(),
            Err(error) => return error.to_string(),
        };
        let mut text = format!("pattern \"{}\" does not match", filter.spelled);
        let fits =
            filter.pattern.fits_up_to(tag).and_then(|end| tag.get(..end)).filter(|fit| !fit.is_empty());
        if let Some(fit) = fits {
            let _ = write!(text, "; it fits up to \"{fit}\" (column {})", fit.chars().count());
        }
        text
    }

    fn why_collides(&self, tags: &TagList, evaluation: &Evaluation, subject: &Subject<'_>) -> String {
        let other =
            evaluation.collides_with(subject.index).and_then(|other| tags.get(other)).unwrap_or_default();
        if other == subject.tag {
            return "listed more than once".to_owned();
        }
        if self.value(other).as_deref() == Some(subject.value()) {
            let value = subject.value();
            return format!(
                "extracts \"{value}\", as does {other}, which the controller keeps: the smallest in bytes"
            );
        }
        match &self.filter {
            Ok(Some(_)) => format!("equal to {other}; the choice may differ between runs"),
            _ => format!("equal to {other}; the controller takes that one"),
        }
    }

    fn why_unparsed(&self, value: &str) -> String {
        if matches!(self.rule, Ok(Rule::Numerical(_))) {
            return format!("not a number: \"{value}\"; this fails the WHOLE policy");
        }
        let parts = value.split('.').count();
        if parts < 3 {
            let plural = if parts == 1 { "" } else { "s" };
            return format!(
                "not a version: \"{value}\" has {parts} dot-separated part{plural}, Flux needs 3"
            );
        }
        let error = Version::parse(value).err().map(|error| error.to_string()).unwrap_or_default();
        format!("not a version: \"{value}\": {error}")
    }

    /// Why a version is outside of the range; `hint` adds the range that would admit a pre-release.
    fn why_outside(&self, value: &str, hint: bool) -> String {
        let (range, spelled) = match &self.rule {
            Ok(Rule::Semver { range, spelled }) => (range, spelled),
            Ok(_) => return String::new(),
            Err(error) => return error.to_string(),
        };
        let is_pre = Version::from_tag(value).is_some_and(|version| !version.parsed.pre.is_empty());
        if !is_pre || range.considers_pre_releases() {
            return format!("{value} is outside \"{spelled}\"");
        }
        match self.range_with_pre_releases(value).filter(|_| hint) {
            Some(wider) => format!("{value} is a pre-release; the range admits none (\"{wider}\" would)"),
            None => format!("{value} is a pre-release; the range admits none"),
        }
    }

    /// The range spelled so that it admits the pre-release `value`, if it can be.
    fn range_with_pre_releases(&self, value: &str) -> Option<String> {
        let Ok(Rule::Semver { range, .. }) = &self.rule else { return None };
        let wider = range.with_pre_releases()?;
        let admits = super::Constraints::parse(&wider).ok()?.check(&Version::from_tag(value)?);
        admits.then_some(wider)
    }

    fn why_not_best(&self, tags: &TagList, evaluation: &Evaluation) -> String {
        let Some(latest) = evaluation.latest.and_then(|latest| tags.get(latest)) else {
            return "the policy fails, so nothing is selected".to_owned();
        };
        let best = self.value(latest).unwrap_or_else(|| latest.to_owned());
        let descending = self.rule.as_ref().is_ok_and(|rule| rule.superlative() == "smallest");
        format!("{best} is {}", if descending { "smaller" } else { "greater" })
    }

    /// `greatest of 41 candidates`.
    fn count_candidates(&self, evaluation: &Evaluation) -> String {
        let superlative = self.rule.as_ref().map_or("", Rule::superlative);
        let candidates = evaluation.counts.candidates.max(1);
        format!("{superlative} of {}{}", count(candidates, "candidate"), tie(evaluation))
    }

    fn step_excluded(&self, subject: &Subject<'_>, steps: &mut Vec<ExplanationStep>) -> bool {
        if subject.state == TagState::Exclude {
            push(steps, "excluded", "yes", self.why_excluded(subject.tag).unwrap_or_default());
            return false;
        }
        let rules = self.exclusions.0.as_ref().as_ref().map_or(0, Vec::len);
        let text = match rules {
            0 => "exclusionList is empty".to_owned(),
            1 => "exclusionList has 1 rule, none matches".to_owned(),
            _ => format!("exclusionList has {rules} rules, none matches"),
        };
        push(steps, "excluded", "no", text);
        true
    }

    fn step_pattern(&self, subject: &Subject<'_>, steps: &mut Vec<ExplanationStep>) -> bool {
        match (&self.filter, &subject.run.matched) {
            (Ok(None), _) => push(steps, "pattern", "yes", "no filterTags, so every tag passes"),
            (Ok(Some(filter)), Some(span)) => {
                let part = if *span == (0..subject.tag.len()) { "the whole tag" } else { "a part of it" };
                let columns = match (span.start + 1, span.end) {
                    (start, end) if start > end => "no character".to_owned(),
                    (start, end) => format!("columns {start}-{end}"),
                };
                push(steps, "pattern", "yes", format!("\"{}\" matches {part}, {columns}", filter.spelled));
            }
            _ => {
                push(steps, "pattern", "no", self.why_filtered(subject.tag));
                return false;
            }
        }
        true
    }

    fn step_extract(
        &self,
        tags: &TagList,
        evaluation: &Evaluation,
        subject: &Subject<'_>,
        steps: &mut Vec<ExplanationStep>,
    ) -> bool {
        let other = evaluation.collides_with(subject.index).and_then(|other| tags.get(other));
        let extracts = matches!(&self.filter, Ok(Some(filter)) if filter.extracts());
        let text = match other.filter(|other| self.value(other).as_deref() == Some(subject.value())) {
            Some(other) if other == subject.tag => "listed more than once".to_owned(),
            Some(other) => {
                format!("COLLIDES with {other}, which the controller keeps: the smallest in bytes")
            }
            None if extracts => "extracted from the tag".to_owned(),
            None => "no extract, so the whole tag is compared".to_owned(),
        };
        let collides = text.starts_with("COLLIDES") || text.starts_with("listed");
        push(steps, "extract", subject.value(), text);
        !collides
    }

    fn step_parse(&self, subject: &Subject<'_>, steps: &mut Vec<ExplanationStep>) -> bool {
        let value = subject.value();
        let text = match &self.rule {
            Ok(Rule::Semver { .. }) => {
                Version::from_tag(value).map(|version| format!("the version {version}"))
            }
            Ok(Rule::Numerical(_)) => parse_float(value).map(|number| format!("the number {number}")),
            Ok(Rule::Alphabetical(_)) => Some("compared byte by byte".to_owned()),
            Err(error) => {
                push(steps, "parse", "no", error.to_string());
                return false;
            }
        };
        let parsed = text.is_some();
        push(steps, "parse", yes_no(parsed), text.unwrap_or_else(|| self.why_unparsed(value)));
        parsed
    }

    fn step_range(&self, subject: &Subject<'_>, steps: &mut Vec<ExplanationStep>) -> bool {
        let value = subject.value();
        let Ok(Rule::Semver { range, spelled }) = &self.rule else {
            push(steps, "range", "yes", "only semver policies have a range");
            return true;
        };
        let inside = Version::from_tag(value).is_some_and(|version| range.check(&version));
        let text =
            if inside { format!("{value} is inside \"{spelled}\"") } else { self.why_outside(value, false) };
        push(steps, "range", yes_no(inside), text);
        inside
    }

    fn step_order(
        &self,
        tags: &TagList,
        evaluation: &Evaluation,
        subject: &Subject<'_>,
        steps: &mut Vec<ExplanationStep>,
    ) -> bool {
        if evaluation.latest == Some(subject.index) {
            push(steps, "order", "yes", format!("selected: {}", self.count_candidates(evaluation)));
            return true;
        }
        let text = match subject.state {
            TagState::Collide => self.why_collides(tags, evaluation, subject),
            _ => self.why_not_best(tags, evaluation),
        };
        push(steps, "order", "no", text);
        false
    }

    /// The edit that would make the tag a candidate, where one can be named.
    fn fix(&self, subject: &Subject<'_>) -> Option<String> {
        match subject.state {
            TagState::Exclude => {
                let rules = self.exclusions.0.as_ref().as_ref().ok()?;
                let number = rules.iter().position(|rule| rule.pattern.is_match(subject.tag))?;
                // An empty list stands for the default.
                Some(if rules.len() == 1 {
                    "give the ImageRepository an exclusionList that excludes no tag, such as [\"^$\"]"
                        .to_owned()
                } else {
                    format!("give the ImageRepository an exclusionList without rule {number}")
                })
            }
            TagState::Range => {
                let wider = self.range_with_pre_releases(subject.value())?;
                Some(format!("use the range \"{wider}\""))
            }
            TagState::Unparsed => self.fix_unparsed(subject.value()),
            TagState::Collide if !subject.run.extracts.is_empty() => {
                Some("make the extracted part finer, so that no two tags share it".to_owned())
            }
            _ => None,
        }
    }

    fn fix_unparsed(&self, value: &str) -> Option<String> {
        let filter = self.filter.as_ref().ok()?;
        match (&self.rule, filter) {
            (Ok(Rule::Numerical(_)), None) => {
                Some("let only numbers through: filterTags with the pattern \"^[0-9]+$\"".to_owned())
            }
            (Ok(Rule::Numerical(_)), Some(_)) => {
                Some("let the extracted group take digits only, and end the pattern with $".to_owned())
            }
            (Ok(Rule::Semver { .. }), None)
                if Version::parse(value).is_ok() && value.split('.').count() == 2 =>
            {
                let pattern = "^(?P<v>v?[0-9]+\\.[0-9]+)$";
                Some(format!("use filterTags with the pattern \"{pattern}\" and the extract \"$v.0\""))
            }
            _ => None,
        }
    }
}

/// That the selection is one of several that Flux could make: what passes a filter it walks in no certain order.
pub(super) fn tie(evaluation: &Evaluation) -> &'static str {
    if evaluation.random { "; a tie: a controller may take another that ranks the same" } else { "" }
}

fn push(
    steps: &mut Vec<ExplanationStep>,
    step: &'static str,
    answer: impl Into<String>,
    text: impl Into<String>,
) {
    steps.push(ExplanationStep { step, answer: answer.into(), text: text.into() });
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn step_valid(subject: &Subject<'_>, steps: &mut Vec<ExplanationStep>) -> bool {
    let valid = is_valid_tag(subject.tag);
    let text = if valid { "follows the tag grammar".to_owned() } else { why_invalid(subject.tag) };
    push(steps, "valid", yes_no(valid), text);
    valid
}

/// What is wrong with a tag that is none, position counted from 1 in bytes.
fn why_invalid(tag: &str) -> String {
    let fits = |byte: u8, first: bool| {
        byte == b'_' || byte.is_ascii_alphanumeric() || (!first && matches!(byte, b'.' | b'-'))
    };
    match tag.bytes().enumerate().find(|(index, byte)| !fits(*byte, *index == 0)) {
        Some((index, byte)) => format!("not a valid tag: byte 0x{byte:02X} at position {}", index + 1),
        None if tag.is_empty() => "not a valid tag: it is empty".to_owned(),
        None => format!("not a valid tag: {} characters, at most 128 are allowed", tag.len()),
    }
}
