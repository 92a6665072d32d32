//! Version ranges: `^1.2`, `>=1.0 <2 || 3.x`, `1.2 - 1.4.5`, with all their quirks.
//!
//! The grammar and the rules for pre-releases are those of the library that Flux uses; npm's and cargo's differ.
//!
//! Source: Masterminds/semver v3.5.0, `constraints.go`.

mod spelling;

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use super::quote::go_quote;
use super::version::{Version, compare_pre, precedence};
use spelling::{Operator, Spelled, rewrite_hyphens, split_terms};

/// The most bytes of a range.
const MAX_LENGTH: usize = 512;
/// The most alternatives of a range.
const MAX_GROUPS: usize = 32;

/// Why a text is no range; the texts are the library's, to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConstraintError {
    /// More than 512 bytes.
    #[error("constraint string is too long (max {MAX_LENGTH} bytes)")]
    TooLong,
    /// More than 32 alternatives.
    #[error("too many constraint groups (max {MAX_GROUPS})")]
    TooManyGroups,
    /// An alternative that does not follow the grammar.
    #[error("improper constraint: {}", go_quote(.0))]
    Improper(String),
    /// A bound that is no version.
    #[error("constraint parser error")]
    Bound,
}

/// A range: alternatives, each of which asks for several things at once.
#[derive(Debug, Clone)]
pub struct Constraints {
    groups: Vec<Group>,
}

#[derive(Debug, Clone)]
struct Group {
    terms: Vec<Term>,
    /// Whether pre-releases are considered, which they are if any term has one.
    pre: bool,
}

/// Which numbers of a bound were left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// None: `1.2.3`.
    Nothing,
    /// The last: `1.2`, `1.2.x`.
    Patch,
    /// The last two: `1`, `1.x`.
    Minor,
    /// All: `*`.
    Major,
}

/// An operator and its bound.
#[derive(Debug, Clone)]
struct Term {
    operator: Operator,
    /// The operator as spelled, which has several spellings.
    sign: String,
    /// The bound as spelled.
    spelled: String,
    /// The bound with zeros for the numbers that were left open.
    bound: semver::Version,
    open: Open,
}

/// How a version misses a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Miss {
    PreRelease,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Major,
    MajorOrMinor,
    MinorOfZero,
    Minor,
    NotExact,
}

impl Miss {
    /// The words around the version and the bound.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::PreRelease => {
                ("is a prerelease version and the constraint is only looking for release versions", "")
            }
            Self::Less => ("is less than", ""),
            Self::Greater => ("is greater than", ""),
            Self::LessOrEqual => ("is less than or equal to", ""),
            Self::GreaterOrEqual => ("is greater than or equal to", ""),
            Self::Equal => ("is equal to", ""),
            Self::NotEqual => ("is not equal to", ""),
            Self::Major => ("does not have same major version as", ""),
            Self::MajorOrMinor => ("does not have same major and minor version as", ""),
            Self::MinorOfZero => (
                "does not have same minor version as",
                ". Expected minor versions to match when constraint major version is 0",
            ),
            Self::Minor => ("does not have same minor version as", ""),
            Self::NotExact => (
                "does not equal",
                ". Expect version and constraint to equal when major and minor versions are 0",
            ),
        }
    }
}

impl Constraints {
    /// Reads a range.
    ///
    /// # Errors
    /// In the library's words.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        if text.len() > MAX_LENGTH {
            return Err(ConstraintError::TooLong);
        }
        let rewritten = rewrite_hyphens(text);
        let alternatives: Vec<&str> = rewritten.split("||").collect();
        if alternatives.len() > MAX_GROUPS {
            return Err(ConstraintError::TooManyGroups);
        }
        let groups = alternatives.into_iter().map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether `version` is in the range.
    pub fn check(&self, version: &Version<'_>) -> bool {
        self.groups.iter().any(|group| group.first_miss(version).is_none())
    }

    /// The same range with pre-releases considered by every alternative; the library's `IncludePrerelease`, which Flux
    /// leaves off.
    #[must_use]
    pub fn including_pre_releases(mut self) -> Self {
        self.groups.iter_mut().for_each(|group| group.pre = true);
        self
    }

    /// Whether any alternative considers pre-releases.
    pub fn considers_pre_releases(&self) -> bool {
        self.groups.iter().any(|group| group.pre)
    }

    /// Why `version` is not in the range, in the library's words; `None` if it is.
    pub fn mismatch(&self, version: &Version<'_>) -> Option<String> {
        if self.check(version) {
            return None;
        }
        let (term, miss) = self.groups.iter().find_map(|group| group.first_miss(version))?;
        let (words, end) = miss.words();
        let version = go_quote(&version.to_string());
        Some(match miss {
            Miss::PreRelease => format!("{version} {words}"),
            _ => format!("{version} {words} {}{end}", go_quote(&term.spelled)),
        })
    }

    /// The same range with pre-releases admitted, if it is one whose bounds can be spelled out: a single alternative.
    pub fn with_pre_releases(&self) -> Option<String> {
        let [group] = self.groups.as_slice() else { return None };
        let terms: Vec<String> = group.terms.iter().map(Term::with_pre_release).collect::<Option<_>>()?;
        let spelled = terms.join(" ");
        // What is spelled out can be longer than a range may be.
        Self::parse(&spelled).ok().map(|_| spelled)
    }
}

impl fmt::Display for Constraints {
    /// The terms joined by blanks, the alternatives by ` || `, bounds as they were spelled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.groups.iter().enumerate() {
            f.write_str(if index > 0 { " || " } else { "" })?;
            for (index, term) in group.terms.iter().enumerate() {
                let blank = if index > 0 { " " } else { "" };
                write!(f, "{blank}{}{}", term.sign, term.spelled)?;
            }
        }
        Ok(())
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, ConstraintError> {
        let spelled = split_terms(text).ok_or_else(|| ConstraintError::Improper(text.to_owned()))?;
        let terms =
            spelled.iter().map(Term::new).collect::<Option<Vec<_>>>().ok_or(ConstraintError::Bound)?;
        let pre = terms.iter().any(|term| !term.bound.pre.is_empty());
        Ok(Self { terms, pre })
    }

    /// The first term that `version` misses, and how.
    fn first_miss(&self, version: &Version<'_>) -> Option<(&Term, Miss)> {
        if !self.pre && !version.parsed.pre.is_empty() {
            return self.terms.first().map(|term| (term, Miss::PreRelease));
        }
        self.terms.iter().find_map(|term| term.miss(&version.parsed).map(|miss| (term, miss)))
    }
}

impl Term {
    /// The bound with its open numbers filled; `None` if it is no version.
    fn new(spelled: &Spelled<'_>) -> Option<Self> {
        let [major, minor, patch] = spelled.segments;
        let pre = if spelled.pre.is_empty() { String::new() } else { format!("-{}", spelled.pre) };
        let is_open = |segment: Option<&str>| segment.is_none_or(|text| matches!(text, "x" | "X" | "*"));
        let (open, filled) = match (major.unwrap_or_default(), minor.unwrap_or_default()) {
            (major, _) if is_open(Some(major)) => (Open::Major, format!("0.0.0{pre}")),
            (major, _) if is_open(minor) => (Open::Minor, format!("{major}.0.0{pre}")),
            (major, minor) if is_open(patch) => (Open::Patch, format!("{major}.{minor}.0{pre}")),
            _ => (Open::Nothing, spelled.bound.to_owned()),
        };
        Some(Self {
            operator: spelled.operator,
            sign: spelled.sign.to_owned(),
            spelled: spelled.bound.to_owned(),
            bound: Version::parse(&filled).ok()?.parsed,
            open,
        })
    }

    /// How `version` misses this bound, whether or not it is a pre-release.
    fn miss(&self, version: &semver::Version) -> Option<Miss> {
        match self.operator {
            Operator::Equal if self.open == Open::Nothing => {
                precedence(version, &self.bound).is_ne().then_some(Miss::NotEqual)
            }
            Operator::Equal | Operator::Tilde => self.miss_tilde(version),
            Operator::NotEqual => self.is_equal(version).then_some(Miss::Equal),
            Operator::Greater => (!self.is_below(version)).then_some(Miss::LessOrEqual),
            Operator::GreaterEqual => precedence(version, &self.bound).is_lt().then_some(Miss::Less),
            Operator::Less => precedence(version, &self.bound).is_ge().then_some(Miss::GreaterOrEqual),
            Operator::LessEqual => self.is_exceeded(version).then_some(Miss::Greater),
            Operator::Caret => self.miss_caret(version),
        }
    }

    /// What `!=` refuses.
    fn is_equal(&self, version: &semver::Version) -> bool {
        if self.open == Open::Nothing {
            return precedence(version, &self.bound).is_eq();
        }
        if version.major != self.bound.major {
            return false;
        }
        match self.open {
            Open::Minor => true,
            _ if version.minor != self.bound.minor => false,
            Open::Patch => compare_pre(&version.pre, &self.bound.pre).is_eq(),
            _ => version.patch == self.bound.patch && precedence(version, &self.bound).is_eq(),
        }
    }

    /// What `>` admits.
    fn is_below(&self, version: &semver::Version) -> bool {
        match (self.open, version.major.cmp(&self.bound.major)) {
            (Open::Nothing, _) => precedence(version, &self.bound).is_gt(),
            (_, Ordering::Greater) => true,
            (_, Ordering::Less) | (Open::Minor, _) => false,
            (Open::Patch, _) => version.minor > self.bound.minor,
            (Open::Major, _) => precedence(version, &self.bound).is_gt(),
        }
    }

    /// What `<=` refuses.
    fn is_exceeded(&self, version: &semver::Version) -> bool {
        if self.open == Open::Nothing {
            return precedence(version, &self.bound).is_gt();
        }
        let minor = version.major == self.bound.major && version.minor > self.bound.minor;
        version.major > self.bound.major || (minor && self.open != Open::Minor)
    }

    fn miss_tilde(&self, version: &semver::Version) -> Option<Miss> {
        if precedence(version, &self.bound).is_lt() {
            return Some(Miss::Less);
        }
        let zero = (self.bound.major, self.bound.minor, self.bound.patch) == (0, 0, 0);
        if zero && matches!(self.open, Open::Nothing | Open::Major) {
            return None;
        }
        if version.major != self.bound.major {
            return Some(Miss::Major);
        }
        (version.minor != self.bound.minor && self.open != Open::Minor).then_some(Miss::MajorOrMinor)
    }

    fn miss_caret(&self, version: &semver::Version) -> Option<Miss> {
        if precedence(version, &self.bound).is_lt() {
            return Some(Miss::Less);
        }
        if version.major != self.bound.major {
            return Some(Miss::Major);
        }
        if self.bound.major > 0 || self.open == Open::Minor {
            return None;
        }
        if self.bound.minor > 0 || self.open == Open::Patch {
            return (version.minor != self.bound.minor).then_some(Miss::MinorOfZero);
        }
        if version.minor > 0 {
            return Some(Miss::Minor);
        }
        (version.patch != self.bound.patch).then_some(Miss::NotExact)
    }

    /// The term spelled out so that it admits pre-releases, those of an upper bound left aside: they come before it, and nobody who
    /// stays below the next version means them.
    fn with_pre_release(&self) -> Option<String> {
        let semver::Version { major, minor, patch, pre, .. } = &self.bound;
        let lowest = format!("{major}.{minor}.{patch}-0");
        let next_major = || major.checked_add(1).map(|next| format!("{next}.0.0"));
        let next_minor = || minor.checked_add(1).map(|next| format!("{major}.{next}.0"));
        let below = match (self.operator, self.open) {
            _ if !pre.is_empty() => return Some(format!("{}{}", self.sign, self.spelled)),
            (Operator::GreaterEqual, _) | (Operator::Equal | Operator::Tilde, Open::Major) => {
                return Some(format!(">={lowest}"));
            }
            // `~0.0.0` admits everything.
            (Operator::Tilde, Open::Nothing) if (*major, *minor, *patch) == (0, 0, 0) => {
                return Some(format!(">={lowest}"));
            }
            (Operator::Less, _) => return Some(format!("<{lowest}")),
            (Operator::LessEqual | Operator::Caret | Operator::Tilde | Operator::Equal, Open::Minor) => {
                next_major()?
            }
            (Operator::Caret, Open::Patch | Open::Nothing) if *major > 0 => next_major()?,
            (Operator::LessEqual | Operator::Equal | Operator::Caret | Operator::Tilde, Open::Patch)
            | (Operator::Tilde, Open::Nothing) => next_minor()?,
            _ => return None,
        };
        let floor = if self.operator == Operator::LessEqual { String::new() } else { format!(">={lowest} ") };
        Some(format!("{floor}<{below}-0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn length_and_number_of_groups_are_limited() {
        assert_eq!(Constraints::parse(&" ".repeat(513)).unwrap_err(), ConstraintError::TooLong);
        assert_eq!(Constraints::parse(&"1||".repeat(32)).unwrap_err(), ConstraintError::TooManyGroups);
        assert_eq!(
            Constraints::parse(&format!("1.0.0-{}", "a".repeat(251))).unwrap_err(),
            ConstraintError::Bound
        );
        Constraints::parse(&format!("1.0.0-{}", "a".repeat(250))).unwrap();
    }

    #[test]
    fn a_range_can_be_spelled_out_for_pre_releases() {
        for (range, spelled) in [
            ("6.x", ">=6.0.0-0 <7.0.0-0"),
            ("^1.2", ">=1.2.0-0 <2.0.0-0"),
            ("~1.2.3", ">=1.2.3-0 <1.3.0-0"),
            (">=1.0.0", ">=1.0.0-0"),
            (">=1.0 <2", ">=1.0.0-0 <2.0.0-0"),
            ("*", ">=0.0.0-0"),
            ("<2", "<2.0.0-0"),
            ("~0.0.0", ">=0.0.0-0"),
            ("<=2.x <4", "<3.0.0-0 <4.0.0-0"),
        ] {
            let written = Constraints::parse(range).unwrap().with_pre_releases();
            assert_eq!(written.as_deref(), Some(spelled), "{range}");
        }
        assert_eq!(Constraints::parse("1 || 2").unwrap().with_pre_releases(), None);
        let long = Constraints::parse(&"1 ".repeat(200)).unwrap();
        assert_eq!(long.with_pre_releases(), None, "no range may be as long");
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_parser(text in any::<String>()) {
            let _ = Constraints::parse(&text);
        }

        #[test]
        fn no_range_upsets_the_parser(text in "[0-9x*.|<>=!~^, v-]{0,20}") {
            if let Ok(range) = Constraints::parse(&text) {
                let version = Version::parse("1.2.3-rc.1").unwrap();
                prop_assert_eq!(range.mismatch(&version).is_none(), range.check(&version));
                let _ = range.with_pre_releases();
            }
        }

        #[test]
        fn a_range_spelled_out_admits_the_same_releases_and_no_pre_release_of_one_that_it_refuses(
            text in "(<|<=|>=|~|\\^|=)?[0-3](\\.([0-3]|x)){0,2}( (<|<=|>=)[0-3](\\.[0-3]){0,2})?",
            major in 0_u8..5, minor in 0_u8..4, patch in 0_u8..4,
        ) {
            let range = Constraints::parse(&text).unwrap();
            if let Some(spelled) = range.with_pre_releases() {
                let wider = Constraints::parse(&spelled).unwrap();
                let release = format!("{major}.{minor}.{patch}");
                let admits = |range: &Constraints, version: &str| range.check(&Version::parse(version).unwrap());
                prop_assert_eq!(admits(&range, &release), admits(&wider, &release), "{} and {}", text, spelled);
                let is_admitted = admits(&wider, &format!("{release}-rc.1"));
                prop_assert!(!is_admitted || admits(&range, &release), "{} as {}: {}", text, spelled, release);
            }
        }
    }
}
