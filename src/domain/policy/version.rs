//! Versions as Flux reads them from tags, and their order.
//!
//! What was read is the `semver` crate's version. How it is read and compared is not: more is a version here than
//! semver.org has it (`v1.2.3`, `2025.07.03`, `1.0-rc.1`), and a part of a pre-release that is too large for 64 bits is a
//! text.
//!
//! Sources: Masterminds/semver v3.5.0, `version.go`; fluxcd/pkg, `version/version.go`.

use std::cmp::Ordering;
use std::fmt;

use semver::{BuildMetadata, Prerelease};
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

/// A version, and the text it was read from.
#[derive(Debug, Clone)]
pub struct Version<'t> {
    /// What the text says; its own order is not that of [`Self::precedence`].
    pub parsed: semver::Version,
    /// The text, whatever it leaves out or adds: `v1.2`, `2025.07.03`.
    pub original: &'t str,
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
        let [major, minor, patch] = numbers;
        let mut parsed = semver::Version::new(major, minor, patch);
        // Nearly all tags end here.
        if at == bytes.len() && too_large.is_none() {
            return Ok((Self { parsed, original: text }, count));
        }
        let suffixes = read_suffixes(text.get(at..).unwrap_or_default(), &mut parsed);
        match (suffixes, too_large) {
            (Ok(()), None) => Ok((Self { parsed, original: text }, count)),
            (Ok(()) | Err(VersionError::LeadingZero), Some(segment)) => {
                Err(VersionError::Segment(text.get(segment).unwrap_or_default().to_owned()))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Which of two versions comes first; build metadata does not count, so that unlike texts may be equal.
    pub fn precedence(&self, other: &Self) -> Ordering {
        precedence(&self.parsed, &other.parsed)
    }
}

impl fmt::Display for Version<'_> {
    /// Normalised: three numbers, no `v`, no leading zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parsed.fmt(f)
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

/// Reads pre-release and build metadata, each behind its sign.
fn read_suffixes(text: &str, version: &mut semver::Version) -> Result<(), VersionError> {
    let (pre, build) = text.split_once('+').map_or((text, None), |(pre, build)| (pre, Some(build)));
    let pre = pre.strip_prefix('-').or(pre.is_empty().then_some(pre)).ok_or(VersionError::Invalid)?;
    if pre.is_empty() && text.starts_with('-') || build == Some("") {
        return Err(VersionError::Invalid);
    }
    let metadata = |text| BuildMetadata::new(text).ok().ok_or(VersionError::Invalid);
    version.build = metadata(build.unwrap_or_default())?;
    version.pre = match Prerelease::new(pre) {
        Ok(pre) => pre,
        // In metadata all is the same, and a leading zero fine.
        Err(_) => return metadata(pre).and(Err(VersionError::LeadingZero)),
    };
    Ok(())
}

/// The order of versions as Flux has it.
pub(in crate::domain) fn precedence(left: &semver::Version, right: &semver::Version) -> Ordering {
    let core = |version: &semver::Version| (version.major, version.minor, version.patch);
    core(left).cmp(&core(right)).then_with(|| compare_pre(&left.pre, &right.pre))
}

/// The order of pre-releases; none is greater than any.
pub(super) fn compare_pre(left: &Prerelease, right: &Prerelease) -> Ordering {
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

    #[test]
    fn a_version_keeps_the_text_it_was_read_from() {
        let version = Version::parse("v01.2-rc.1+build.007").unwrap();
        assert_eq!(version.original, "v01.2-rc.1+build.007");
        assert_eq!(version.parsed, semver::Version::parse("1.2.0-rc.1+build.007").unwrap());
    }

    #[test]
    fn a_part_of_a_pre_release_beyond_64_bits_is_a_text() {
        let order = |left, right| Version::parse(left).unwrap().precedence(&Version::parse(right).unwrap());
        assert!(order("1.0.0-18446744073709551616", "1.0.0-9").is_gt());
        // The crate has these two the other way around.
        assert!(order("1.0.0-18446744073709551616", "1.0.0-0a").is_gt());
        assert!(order("1.0.0-100000000000000000000", "1.0.0-99999999999999999999").is_lt());
    }

    #[test]
    fn the_form_of_the_whole_is_looked_at_before_its_numbers_and_these_before_the_pre_release() {
        for (text, error) in [
            ("1.99999999999999999999.0-01+a..b", VersionError::Invalid),
            ("1.99999999999999999999.0-01", VersionError::Segment("99999999999999999999".to_owned())),
            ("1.0.0-01.a+007", VersionError::LeadingZero),
            ("1.0.0-01.é", VersionError::Invalid),
            ("1.0.0-", VersionError::Invalid),
            ("1.0.0-+a", VersionError::Invalid),
            ("1.0.0+", VersionError::Invalid),
            ("1.0.0+a+b", VersionError::Invalid),
            ("1.0.0.0", VersionError::Invalid),
        ] {
            assert_eq!(Version::parse(text).unwrap_err(), error, "{text}");
        }
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
            prop_assert_eq!(&a.parsed, &strict[0]);
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
