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
        Self::with_count(text).map(|(version, _)| version)
    }

    /// Reads a tag, or what was extracted from one: at least two dots anywhere, then as [`Self::parse`].
    pub fn from_tag(text: &'t str) -> Option<Self> {
        let (version, numbers) = Self::with_count(text).ok()?;
        let has_dots = || text.bytes().filter(|byte| *byte == b'.').count() >= 2;
        (numbers == 3 || has_dots()).then_some(version)
    }

    /// The version and how many numbers it was spelled with.
    fn with_count(text: &'t str) -> Result<(Self, usize), VersionError> {
        if text.len() > MAX_LENGTH {
            return Err(VersionError::TooLong);
        }
        let bytes = text.as_bytes();
        let mut at = usize::from(bytes.first() == Some(&b'v'));
        let (mut numbers, mut count, mut too_large) = ([0; 3], 0, None);
        while let Some(slot) = numbers.get_mut(count) {
            let start = at + usize::from(count > 0);
            if count > 0 && bytes.get(at) != Some(&b'.') {
                break;
            }
            let (number, end) = digits(bytes, start);
            if end == start {
                return Err(VersionError::Invalid);
            }
            *slot = number.unwrap_or_default();
            too_large = too_large.or(number.is_none().then_some(start..end));
            (at, count) = (end, count + 1);
        }
        let (pre, meta) =
            if at == bytes.len() { ("", "") } else { suffixes(text, at).ok_or(VersionError::Invalid)? };
        if let Some(segment) = too_large {
            return Err(VersionError::Segment(text.get(segment).unwrap_or_default().to_owned()));
        }
        if !pre.is_empty() && pre.split('.').any(has_leading_zero) {
            return Err(VersionError::LeadingZero);
        }
        let [major, minor, patch] = numbers;
        Ok((Self { major, minor, patch, pre, meta }, count))
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

/// The number at `start`, or `None` if it does not fit 64 bits, and where its digits end.
fn digits(bytes: &[u8], start: usize) -> (Option<u64>, usize) {
    let (mut value, mut end) = (Some(0_u64), start);
    while let Some(digit) = bytes.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        value = value.and_then(|value| value.checked_mul(10)?.checked_add(u64::from(digit)));
        end += 1;
    }
    (value, end)
}

/// Pre-release and build metadata, which begin at `at`.
fn suffixes(text: &str, at: usize) -> Option<(&str, &str)> {
    let (pre, rest) = suffix(text.get(at..)?, '-')?;
    let (meta, rest) = suffix(rest, '+')?;
    rest.is_empty().then_some((pre, meta))
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
        fn strict_versions_are_read_and_ordered_as_semver_org_has_it(
            texts in proptest::collection::vec("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]?)){2}(-[0-9a-bA-]{1,3}(\\.[0-9a-bA-]{1,2}){0,2})?(\\+[0-9a.-]{1,4})?", 2)
        ) {
            // The crate refuses what is no strict version; all others are versions to Flux, too.
            let strict: Vec<_> = texts.iter().filter_map(|text| semver::Version::parse(text).ok()).collect();
            prop_assume!(strict.len() == 2);
            let [a, b] = [&texts[0], &texts[1]].map(|text| Version::parse(text).unwrap());
            prop_assert_eq!(a.precedence(&b), strict[0].cmp_precedence(&strict[1]));
            prop_assert_eq!(a.to_string(), strict[0].to_string());
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
