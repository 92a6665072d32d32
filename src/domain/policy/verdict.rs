//! What is said of tags and policies: states, counts, errors, and the verdict that holds them.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::problem::{Code, Problem};

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

    /// Whether the policy may select such a tag.
    pub fn is_candidate(self) -> bool {
        matches!(self, Self::Latest | Self::Match)
    }

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
    /// How many tags no rule of the repository excludes: those that a controller keeps.
    pub fn kept(&self) -> usize {
        self.tags - self.exclude
    }
}

impl Counts {
    pub(super) fn of(states: &[TagState]) -> Self {
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
    /// This computer had no room to judge; Flux would not have failed.
    NotJudged,
}

/// Why a policy selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PolicyError {
    /// At which step.
    pub kind: PolicyErrorKind,
    /// Flux's text, to the byte; ours for what is no failure of Flux's.
    pub text: String,
}

impl PolicyError {
    pub(super) fn new(kind: PolicyErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Whether nothing is said of the policy: this computer had no room to judge it.
    pub fn is_no_verdict(&self) -> bool {
        self.kind == PolicyErrorKind::NotJudged
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
            PolicyErrorKind::Failed | PolicyErrorKind::NotJudged => "Failure",
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
            PolicyErrorKind::NotJudged => Code::Storage,
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
    pub(super) collisions: Vec<(u32, u32)>,
}

impl Evaluation {
    /// The tag that the colliding tag at `index` collides with.
    pub fn collides_with(&self, index: usize) -> Option<usize> {
        let index = u32::try_from(index).ok()?;
        let found = self.collisions.binary_search_by_key(&index, |(own, _)| *own).ok()?;
        self.collisions.get(found).map(|(_, other)| *other as usize)
    }
}
