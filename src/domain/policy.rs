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
mod filter;
pub mod goregex;
pub mod numeric;
mod order;
mod quote;
mod twins;
pub mod version;

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

use super::object::{ObjectId, PolicyChoice, TagFilter};
use super::proposal::Step;
use crate::problem::{Code, Problem};
use constraint::Constraints;
use filter::{Exclusion, Filter, Value};
use numeric::parse_float;
use version::Version;

pub use explain::{Explanation, ExplanationStep, TagRow};

/// What became of a tag; the first of these that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagState {
    /// The policy selects it.
    Latest,
    /// A candidate, not the best.
    Match,
    /// A version outside of the range.
    Range,
    /// Not a version, or not a number.
    Unparsed,
    /// Another tag has the same value, or an equal one.
    Collide,
    /// The pattern does not match.
    Filter,
    /// Not a tag by the distribution specification.
    Invalid,
    /// The exclusion list has it.
    Exclude,
}

impl TagState {
    /// All states, best first.
    pub const ALL: [Self; 8] = [
        Self::Latest,
        Self::Match,
        Self::Range,
        Self::Unparsed,
        Self::Collide,
        Self::Filter,
        Self::Invalid,
        Self::Exclude,
    ];

    /// The word of the STATE column and of the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Match => "match",
            Self::Range => "range",
            Self::Unparsed => "unparsed",
            Self::Collide => "collide",
            Self::Filter => "filter",
            Self::Invalid => "invalid",
            Self::Exclude => "exclude",
        }
    }

    /// The sign before a tag.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Latest => "★",
            Self::Match => "✓",
            Self::Range => "↕",
            Self::Unparsed => "?",
            Self::Collide => "‖",
            Self::Filter => "·",
            Self::Invalid => "✗",
            Self::Exclude => "⊘",
        }
    }

    /// The sign before a tag where only ASCII can be shown.
    pub fn ascii(self) -> &'static str {
        match self {
            Self::Latest => "*",
            Self::Match => "+",
            Self::Range => "~",
            Self::Unparsed => "?",
            Self::Collide => "=",
            Self::Filter => ".",
            Self::Invalid => "!",
            Self::Exclude => "x",
        }
    }
}

impl fmt::Display for TagState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for TagState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// How many tags are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// All.
    pub tags: usize,
    /// [`TagState::Match`] and [`TagState::Latest`].
    #[serde(rename = "match")]
    pub candidates: usize,
    /// [`TagState::Exclude`].
    pub exclude: usize,
    /// [`TagState::Filter`].
    pub filter: usize,
    /// [`TagState::Collide`].
    pub collide: usize,
    /// [`TagState::Range`].
    pub range: usize,
    /// [`TagState::Unparsed`].
    pub unparsed: usize,
    /// [`TagState::Invalid`].
    pub invalid: usize,
}

impl Counts {
    fn of(states: &[TagState]) -> Self {
        let mut numbers = [0_usize; TagState::ALL.len()];
        for state in states {
            numbers[*state as usize] += 1;
        }
        let [latest, candidates, range, unparsed, collide, filter, invalid, exclude] = numbers;
        Self {
            tags: states.len(),
            candidates: latest + candidates,
            exclude,
            filter,
            collide,
            range,
            unparsed,
            invalid,
        }
    }
}

/// At which step a policy fails, in the order in which Flux notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyErrorKind {
    /// A rule of the exclusion list is no pattern; the scan fails.
    Scan,
    /// There is no usable rule: bad range, bad order, none at all.
    Invalid,
    /// Nothing is left of the repository's tags.
    NoTags,
    /// The filter's pattern is none.
    Filter,
    /// No candidate can be selected.
    Failed,
}

/// Why a policy selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PolicyError {
    /// At which step.
    pub kind: PolicyErrorKind,
    /// Flux's text, to the byte.
    pub text: String,
}

impl PolicyError {
    fn new(kind: PolicyErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Whether Flux would not try again before the policy changes.
    pub fn stalled(&self) -> bool {
        matches!(self.kind, PolicyErrorKind::Invalid | PolicyErrorKind::Filter)
    }

    /// The reason in Flux's Ready condition.
    pub fn reason(&self) -> &'static str {
        match self.kind {
            PolicyErrorKind::Scan => "ReadOperationFailed",
            PolicyErrorKind::Invalid | PolicyErrorKind::Filter => "InvalidPolicy",
            PolicyErrorKind::NoTags => "DependencyNotReady",
            PolicyErrorKind::Failed => "Failure",
        }
    }

    /// The message in Flux's Ready condition.
    pub fn message(&self) -> String {
        match self.kind {
            PolicyErrorKind::NoTags => format!("retrying in 30s error: {}", self.text),
            _ => self.text.clone(),
        }
    }

    /// The same as a problem of `subject`.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        let code = match self.kind {
            PolicyErrorKind::Scan | PolicyErrorKind::Invalid | PolicyErrorKind::Filter => Code::PolicyInvalid,
            PolicyErrorKind::NoTags | PolicyErrorKind::Failed => Code::PolicyFailed,
        };
        Problem::new(code, subject, self.text.clone())
    }
}

/// The verdict about all tags of a repository.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The index of the selected tag.
    pub latest: Option<usize>,
    /// Why there is none; exactly one of the two is there.
    pub error: Option<PolicyError>,
    /// Whether another tag equals the selected one, or has the same extracted value.
    pub tie: bool,
    /// Whether Flux could have selected another tag too, as it walks a map in random order.
    pub random: bool,
    /// Whether the selected tag is one by the distribution specification; Flux does not ask.
    pub latest_is_valid: bool,
    /// How many tags are in which state.
    pub counts: Counts,
    /// The state of each tag.
    pub states: Vec<TagState>,
    /// The tags that collide, ascending, each with the tag that it collides with.
    collisions: Vec<(u32, u32)>,
}

impl Evaluation {
    /// The tag that the colliding tag at `index` collides with.
    pub fn collides_with(&self, index: usize) -> Option<usize> {
        let index = u32::try_from(index).ok()?;
        let found = self.collisions.binary_search_by_key(&index, |(own, _)| *own).ok()?;
        self.collisions.get(found).map(|(_, other)| *other as usize)
    }
}

/// `asc` selects the greatest, `desc` the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    fn parse(order: &str) -> Result<Self, PolicyError> {
        match order.to_uppercase().as_str() {
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

/// One policy, compiled.
#[derive(Debug)]
pub struct Evaluator {
    exclusions: Result<Vec<Exclusion>, PolicyError>,
    rule: Result<Rule, PolicyError>,
    filter: Result<Option<Filter>, PolicyError>,
    repository: Option<ObjectId>,
}

impl Evaluator {
    /// Compiles a policy; `exclusions` is the list in force, with nothing added to it.
    pub fn new(choice: &PolicyChoice, filter: Option<&TagFilter>, exclusions: &[String]) -> Self {
        let exclusions = exclusions
            .iter()
            .map(|spelled| {
                Exclusion::new(spelled).map_err(|error| {
                    let text = format!("scan failed: failed to compile regex {spelled}: {error}");
                    PolicyError::new(PolicyErrorKind::Scan, text)
                })
            })
            .collect();
        let filter = filter.map(|filter| {
            Filter::new(filter).map_err(|error| {
                let pattern = &filter.pattern;
                let text =
                    format!("failed to filter tags: invalid regular expression pattern '{pattern}': {error}");
                PolicyError::new(PolicyErrorKind::Filter, text)
            })
        });
        Self { exclusions, rule: Rule::new(choice), filter: filter.transpose(), repository: None }
    }

    /// The same, with the name of the repository for its explanations.
    #[must_use]
    pub fn of_repository(mut self, repository: ObjectId) -> Self {
        self.repository = Some(repository);
        self
    }

    /// Why the tag was selected, in a few words: `greatest of 41 candidates in 6.x`.
    pub fn why(&self, evaluation: &Evaluation) -> String {
        let superlative = self.rule.as_ref().map_or("one", Rule::superlative);
        let count = evaluation.counts.candidates.max(1);
        let plural = if count == 1 { "" } else { "s" };
        let range = match &self.rule {
            Ok(Rule::Semver { spelled, .. }) => format!(" in {spelled}"),
            _ => String::new(),
        };
        format!("{superlative} of {count} candidate{plural}{range}")
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
        let mut composed = String::new();
        let value = self
            .filter
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .and_then(|filter| filter.value(tag, &mut filter.pattern.slots(), &mut composed));
        match value {
            Some(Value::Span(span)) => tag.get(span).unwrap_or(tag).to_owned(),
            Some(Value::Composed) => composed,
            None => tag.to_owned(),
        }
    }
}

fn version_step(old: &Version<'_>, new: &Version<'_>) -> Step {
    match new.precedence(old) {
        Ordering::Less => Step::Down,
        // The same version in another spelling.
        Ordering::Equal => Step::Build,
        Ordering::Greater if new.major != old.major => Step::Major,
        Ordering::Greater if new.minor != old.minor => Step::Minor,
        Ordering::Greater if new.patch != old.patch => Step::Patch,
        Ordering::Greater => Step::Pre,
    }
}

fn build_or_down(ordering: Option<Ordering>) -> Step {
    if ordering == Some(Ordering::Less) { Step::Down } else { Step::Build }
}
