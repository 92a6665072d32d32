//! Which tag a policy wants, what each other tag lacks, and why.
//!
//! One [`Evaluator`] is one `ImagePolicy` with the exclusion list of its repository, compiled. It holds its own errors,
//! as Flux reports them in a fixed order that depends on the tags. Its verdict equals Flux's, quirks included; where
//! Flux walks a map in random order, it is one of Flux's possible answers, always the same, and flagged.
//!
//! Source: fluxcd/image-reflector-controller, `internal/policy` and `internal/controller/imagepolicy_controller.go`.

mod classify;
pub mod constraint;
mod evaluate;
pub mod expand;
pub mod explain;
mod failure;
mod filter;
pub mod goregex;
pub mod numeric;
mod order;
pub(super) mod quote;
#[cfg(test)]
mod tests;
mod twins;
mod verdict;
pub mod version;

use std::cmp::Ordering;
use std::sync::Arc;

use super::object::{ObjectId, PolicyChoice, TagFilter};
use super::proposal::Step;
use super::tags::TagList;
use crate::text::count;
use constraint::Constraints;
use filter::{Composed, Exclusion, Filter, Value};
use goregex::RegexError;
use numeric::parse_float;
use version::Version;

pub use evaluate::SHARED;
pub use explain::{Explanation, ExplanationStep, JudgedTag, TagRow};
pub use failure::Failure;
pub use verdict::{Counts, Evaluation, PolicyError, PolicyErrorKind, TagState};

/// `asc` selects the greatest, `desc` the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    fn parse(order: &str) -> Result<Self, PolicyError> {
        match go_upper(order).as_str() {
            "" | "ASC" => Ok(Self::Ascending),
            "DESC" => Ok(Self::Descending),
            other => Err(PolicyError::new(
                PolicyErrorKind::Invalid,
                format!(
                    "invalid policy: invalid order argument provided: '{other}', must be one of: ASC, DESC"
                ),
            )),
        }
    }

    /// How good something is, given how it compares.
    fn apply(self, ordering: Ordering) -> Ordering {
        match self {
            Self::Ascending => ordering,
            Self::Descending => ordering.reverse(),
        }
    }
}

/// What decides among candidates.
#[derive(Debug)]
enum Rule {
    Semver { range: Constraints, spelled: String },
    Alphabetical(Direction),
    Numerical(Direction),
}

impl Rule {
    /// The first of semver, alphabetical and numerical that is set.
    fn new(choice: &PolicyChoice) -> Result<Self, PolicyError> {
        if let Some(semver) = &choice.semver {
            return match Constraints::parse(&semver.range) {
                Ok(range) => Ok(Self::Semver { range, spelled: semver.range.clone() }),
                Err(error) => {
                    Err(PolicyError::new(PolicyErrorKind::Invalid, format!("invalid policy: {error}")))
                }
            };
        }
        if let Some(alphabetical) = &choice.alphabetical {
            return Direction::parse(&alphabetical.order).map(Self::Alphabetical);
        }
        match &choice.numerical {
            Some(numerical) => Direction::parse(&numerical.order).map(Self::Numerical),
            None => Err(PolicyError::new(
                PolicyErrorKind::Invalid,
                "invalid policy: given ImagePolicyChoice object is invalid",
            )),
        }
    }

    /// What the selected tag is among the candidates.
    fn superlative(&self) -> &'static str {
        match self {
            Self::Alphabetical(Direction::Descending) | Self::Numerical(Direction::Descending) => "smallest",
            _ => "greatest",
        }
    }
}

/// An exclusion list, compiled, or why it cannot be. Most repositories of a fleet have the same one, and share it: to compile
/// it takes as long as to evaluate a thousand tags.
#[derive(Debug, Clone)]
pub struct Exclusions(Arc<Result<Vec<Exclusion>, PolicyError>>);

impl Exclusions {
    /// Compiles the list in force, with nothing added to it.
    pub fn new(list: &[String]) -> Self {
        let rules = list.iter().map(|spelled| {
            Exclusion::new(spelled).map_err(|error| {
                let text = format!("scan failed: failed to compile regex {spelled}: {error}");
                PolicyError::new(kind_of(&error, PolicyErrorKind::Scan), text)
            })
        });
        Self(Arc::new(rules.collect()))
    }

    /// Whether it says how the list is, and not that this computer had no room to read it.
    pub fn is_verdict(&self) -> bool {
        !self.0.as_ref().as_ref().is_err_and(PolicyError::is_no_verdict)
    }

    /// The tags that no rule excludes, in their order.
    ///
    /// # Errors
    /// The first rule that does not compile.
    pub fn keep<'t>(&self, tags: &'t TagList) -> Result<Vec<&'t str>, PolicyError> {
        let rules = self.0.as_ref().as_ref().map_err(Clone::clone)?;
        Ok(tags.iter().filter(|tag| !rules.iter().any(|rule| rule.pattern.is_match(tag))).collect())
    }
}

/// The step at which a policy fails for a pattern that is not there: `kind`, if the pattern is to blame.
fn kind_of(error: &RegexError, kind: PolicyErrorKind) -> PolicyErrorKind {
    if error.is_no_verdict() { PolicyErrorKind::NotJudged } else { kind }
}

/// `filterTags`, compiled, or why it cannot be; may be shared as [`Exclusions`] are.
#[derive(Debug, Clone)]
pub struct Filtering(Result<Option<Arc<Filter>>, PolicyError>);

impl Filtering {
    /// Compiles the filter of a policy that has one.
    pub fn new(filter: Option<&TagFilter>) -> Self {
        let compiled = filter.map(|filter| {
            Filter::new(filter).map(Arc::new).map_err(|error| {
                let pattern = &filter.pattern;
                let text =
                    format!("failed to filter tags: invalid regular expression pattern '{pattern}': {error}");
                PolicyError::new(kind_of(&error, PolicyErrorKind::Filter), text)
            })
        });
        Self(compiled.transpose())
    }

    /// Whether it says how the filter is, and not that this computer had no room to read it.
    pub fn is_verdict(&self) -> bool {
        !self.0.as_ref().is_err_and(PolicyError::is_no_verdict)
    }

    /// Whether some policy has it, other than this one value.
    pub fn is_shared(&self) -> bool {
        matches!(&self.0, Ok(Some(filter)) if Arc::strong_count(filter) > 1)
    }
}

/// One policy, compiled.
#[derive(Debug)]
pub struct Evaluator {
    exclusions: Exclusions,
    rule: Result<Rule, PolicyError>,
    filter: Result<Option<Arc<Filter>>, PolicyError>,
    repository: Option<ObjectId>,
}

impl Evaluator {
    /// Compiles a policy; `exclusions` is the list in force, with nothing added to it.
    pub fn new(choice: &PolicyChoice, filter: Option<&TagFilter>, exclusions: &[String]) -> Self {
        Self::sharing(choice, Filtering::new(filter), Exclusions::new(exclusions))
    }

    /// Compiles a policy with a filter and a list that are compiled already.
    pub fn sharing(choice: &PolicyChoice, filter: Filtering, exclusions: Exclusions) -> Self {
        Self { exclusions, rule: Rule::new(choice), filter: filter.0, repository: None }
    }

    /// The same, with the name of the repository for its explanations.
    #[must_use]
    pub fn of_repository(mut self, repository: ObjectId) -> Self {
        self.repository = Some(repository);
        self
    }

    /// How many groups the filter's pattern has, and how many of them the value is made of; `None` without a filter that can
    /// be used.
    pub fn groups(&self) -> Option<(usize, usize)> {
        self.filter.as_ref().ok()?.as_ref().map(|filter| filter.groups())
    }

    /// Why the tag was selected, in a few words: `greatest of 41 candidates in 6.x`.
    pub fn why(&self, evaluation: &Evaluation) -> String {
        let superlative = self.rule.as_ref().map_or("one", Rule::superlative);
        let candidates = count(evaluation.counts.candidates.max(1), "candidate");
        let range = match &self.rule {
            Ok(Rule::Semver { spelled, .. }) => format!(" in {spelled}"),
            _ => String::new(),
        };
        format!("{superlative} of {candidates}{range}{}", explain::tie(evaluation))
    }

    /// How far it is from one tag to another, in this policy's own order.
    ///
    /// A tag that the policy could not judge is compared as it stands; what cannot be compared is a [`Step::Build`].
    pub fn step(&self, old_tag: &str, new_tag: &str) -> Step {
        if old_tag == new_tag {
            return Step::Digest;
        }
        let (old, new) = (self.value_or_tag(old_tag), self.value_or_tag(new_tag));
        match &self.rule {
            Ok(Rule::Semver { .. }) => match (Version::parse(&old), Version::parse(&new)) {
                (Ok(old), Ok(new)) => version_step(&old, &new),
                _ => Step::Build,
            },
            Ok(Rule::Numerical(direction)) => {
                let ordering =
                    parse_float(&new).zip(parse_float(&old)).and_then(|(new, old)| new.partial_cmp(&old));
                build_or_down(ordering.map(|ordering| direction.apply(ordering)))
            }
            Ok(Rule::Alphabetical(direction)) => build_or_down(Some(direction.apply(new.cmp(&old)))),
            Err(_) => Step::Build,
        }
    }

    /// The value that `tag` is compared by, or the tag itself if it does not pass.
    fn value_or_tag(&self, tag: &str) -> String {
        self.values()(tag).unwrap_or_else(|| tag.to_owned())
    }

    /// Tells what a tag is compared by; `None` if the filter does not let it pass.
    fn values(&self) -> impl FnMut(&str) -> Option<String> {
        let filter = self.filter.as_ref().ok();
        let mut slots = filter.and_then(Option::as_ref).map(|filter| filter.pattern.slots());
        move |tag| {
            let (Some(filter), Some(slots)) = (filter?, &mut slots) else { return Some(tag.to_owned()) };
            let mut composed = Composed::default();
            match filter.value(tag, slots, &mut composed)? {
                Value::Span(span) => tag.get(span).map(str::to_owned),
                Value::Composed => Some(composed.text),
            }
        }
    }
}

/// `text` in upper case as Go's `strings.ToUpper` has it: character by character, each becoming one other at most.
fn go_upper(text: &str) -> String {
    text.chars()
        .map(|character| {
            let mut upper = character.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(only), None) => only,
                _ => single_upper(character),
            }
        })
        .collect()
}

/// The upper case of what has several characters in Rust's: for Greek letters with an iota below, the one with the iota
/// beside it; for all others, which are ligatures mostly, there is none.
///
/// Source: Unicode, `UnicodeData.txt`.
fn single_upper(character: char) -> char {
    let shift = match character {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(character) + shift).unwrap_or(character)
}

fn version_step(old: &Version<'_>, new: &Version<'_>) -> Step {
    match new.precedence(old) {
        Ordering::Less => Step::Down,
        // The same version in another spelling.
        Ordering::Equal => Step::Build,
        Ordering::Greater if new.parsed.major != old.parsed.major => Step::Major,
        Ordering::Greater if new.parsed.minor != old.parsed.minor => Step::Minor,
        Ordering::Greater if new.parsed.patch != old.parsed.patch => Step::Patch,
        Ordering::Greater => Step::Pre,
    }
}

fn build_or_down(ordering: Option<Ordering>) -> Step {
    if ordering == Some(Ordering::Less) { Step::Down } else { Step::Build }
}
