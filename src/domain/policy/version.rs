//! Versions as Flux reads them from tags, and their order.
//!
//! More is a version here than semver.org has it (`v1.2.3`, `2025.07.03`, `1.0-rc.1`), so the `semver` crate does not do.
//!
//! Sources: Masterminds/semver v3.5.0, `version.go`; fluxcd/pkg, `version/version.go`.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// The most bytes of a version.
const MAX_LENGTH: usize = 256;

/// Why a text is no version; the texts are the library's, to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VersionError {
    /// More than 256 bytes.
    #[error("version string is too long (max {MAX_LENGTH} bytes)")]
    TooLong,
    /// A number that does not fit 64 bits.
    #[error("error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range")]
    Segment(String),
    /// A numeric part of the pre-release that begins with 0.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// Anything else.
    #[error("invalid semantic version")]
    Invalid,
}

/// A version; its parts point into the text it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Version<'t> {
    /// The first number.
    pub major: u64,
    /// The second, 0 if there is none.
    pub minor: u64,
    /// The third, 0 if there is none.
    pub patch: u64,
    /// The pre-release without its dash; empty for a release.
    pub pre: &'t str,
    /// The build metadata without its plus sign.
    pub meta: &'t str,
}

impl<'t> Version<'t> {
    /// Reads a version leniently: one `v`, missing numbers and leading zeros are fine.
    ///
    /// # Errors
    /// In the library's words.
    pub fn parse(text: &'t str) -> Result<Self, VersionError> {
        if text.len() > MAX_LENGTH {
            return Err(VersionError::TooLong);
        }
        let spelled = Spelling::of(text).ok_or(VersionError::Invalid)?;
        let [major, minor, patch] = spelled.numbers.map(|digits| digits.map_or(Ok(0), number));
        let (major, minor, patch) = (major?, minor?, patch?);
        if spelled.pre.split('.').any(has_leading_zero) {
            return Err(VersionError::LeadingZero);
        }
        Ok(Self { major, minor, patch, pre: spelled.pre, meta: spelled.meta })
    }

    /// Reads a tag, or what was extracted from one: at least two dots anywhere, then as [`Self::parse`].
    pub fn from_tag(text: &'t str) -> Option<Self> {
        let dots = text.bytes().filter(|byte| *byte == b'.').count();
        if dots < 2 { None } else { Self::parse(text).ok() }
    }

    /// Which of two versions comes first; build metadata does not count, so that unlike texts may be equal.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let core = |version: &Self| (version.major, version.minor, version.patch);
        core(self).cmp(&core(other)).then_with(|| compare_pre(self.pre, other.pre))
    }
}

impl fmt::Display for Version<'_> {
    /// Normalised: three numbers, no `v`, no leading zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.meta.is_empty() {
            write!(f, "+{}", self.meta)?;
        }
        Ok(())
    }
}

/// The parts of a version by their spelling alone.
struct Spelling<'t> {
    numbers: [Option<&'t str>; 3],
    pre: &'t str,
    meta: &'t str,
}

impl<'t> Spelling<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = [None; 3];
        for (index, slot) in numbers.iter_mut().enumerate() {
            if index > 0 {
                match rest.strip_prefix('.') {
                    Some(after) => rest = after,
                    None => break,
                }
            }
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at_checked(digits).filter(|_| digits > 0)?;
            (*slot, rest) = (Some(number), after);
        }
        let (pre, rest) = suffix(rest, '-')?;
        let (meta, rest) = suffix(rest, '+')?;
        rest.is_empty().then_some(Self { numbers, pre, meta })
    }
}

/// The dot-separated identifiers behind `sign`, and what follows them; empty if `sign` is not there, `None` if nothing
/// follows it or a part is empty.
fn suffix(text: &str, sign: char) -> Option<(&str, &str)> {
    let Some(after) = text.strip_prefix(sign) else { return Some(("", text)) };
    let length =
        after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')).count();
    let (parts, rest) = after.split_at_checked(length)?;
    (!parts.split('.').any(str::is_empty)).then_some((parts, rest))
}

fn number(digits: &str) -> Result<u64, VersionError> {
    digits.parse().map_err(|_overflow: std::num::ParseIntError| VersionError::Segment(digits.to_owned()))
}

fn has_leading_zero(part: &str) -> bool {
    part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The order of pre-releases; none is greater than any.
pub(super) fn compare_pre(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => match compare_part(left, right) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

/// Numbers are lower than texts; a number too large for 64 bits is a text.
fn compare_part(left: &str, right: &str) -> Ordering {
    // Unlike Go's, Rust's parser takes a plus sign, which a part cannot have.
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_dots_anywhere_make_a_tag_a_candidate() {
        assert_eq!(Version::from_tag("1.0-rc.1").unwrap().to_string(), "1.0.0-rc.1");
        assert_eq!(Version::from_tag("v2025.07.03").unwrap().to_string(), "2025.7.3");
        assert!(Version::from_tag("16.4").is_none());
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_parser(text in any::<String>()) {
            let _ = Version::parse(&text);
        }

        #[test]
        fn a_version_prints_as_one_that_is_equal(text in "v?[0-9]{1,3}(\\.[0-9]{1,3}){0,2}(-[0-9a-z.-]{1,6})?(\\+[a-z]{1,3})?") {
            if let Ok(version) = Version::parse(&text) {
                let printed = version.to_string();
                prop_assert_eq!(Version::parse(&printed).unwrap().precedence(&version), Ordering::Equal);
            }
        }

        #[test]
        fn precedence_is_an_order(texts in proptest::collection::vec("[0-2]\\.[0-2]\\.[0-2](-[0-2a-b](\\.[0-2a-b]){0,2})?", 3)) {
            let [a, b, c] = [&texts[0], &texts[1], &texts[2]].map(|text| Version::parse(text).unwrap());
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            if a.precedence(&b).is_le() && b.precedence(&c).is_le() {
                prop_assert!(a.precedence(&c).is_le());
            }
        }
    }
}
