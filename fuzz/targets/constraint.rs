//! A range, then versions, a line each: a range that is read is read the same from how it prints, and says why a version
//! misses it just when one does.

use supercargo::domain::policy::constraint::{ConstraintError, Constraints};
use supercargo::domain::policy::version::{Version, VersionError};

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    let (range, versions) = text.split_once('\n').unwrap_or((text, "1.2.3-rc.1\n0.0.0\nv1.2"));
    let Ok(range) = Constraints::parse(range) else { return };
    let printed = match Constraints::parse(&range.to_string()) {
        Err(ConstraintError::TooLong) => range.clone(),
        printed => printed.expect("what is printed is a range"),
    };
    let admitting = range.with_pre_releases().map(|text| Constraints::parse(&text));
    assert!(admitting.is_none_or(|admitting| admitting.is_ok_and(|range| range.considers_pre_releases())));
    for version in versions.lines().filter_map(|version| Version::parse(version).ok()) {
        assert_eq!(range.check(&version), range.mismatch(&version).is_none());
        assert_eq!(range.check(&version), printed.check(&version));
        let printed = version.to_string();
        // Numbers that were left out are printed, and may be too much for the longest that is read.
        let again = match Version::parse(&printed) {
            Err(VersionError::TooLong) => continue,
            again => again.expect("what is printed is a version"),
        };
        assert!(again.precedence(&version).is_eq());
    }
}
