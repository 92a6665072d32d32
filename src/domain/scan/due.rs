//! When a repository is to be scanned again.
//!
//! Source: fluxcd/image-reflector-controller, `internal/controller/imagerepository_controller.go`.

use std::time::Duration;

use thiserror::Error;

use crate::domain::reference::{ImageError, ImageName};

/// All that decides whether a repository is due to be scanned.
#[derive(Debug, Clone)]
pub struct ScanQuestion<'a> {
    /// `spec.image`.
    pub image: &'a str,
    /// `spec.insecure`.
    pub insecure: bool,
    /// `spec.interval`.
    pub interval: Duration,
    /// The exclusion list in force.
    pub exclusions: &'a [String],
    /// The canonical name at the last scan.
    pub observed_canonical: &'a str,
    /// The exclusion list in force at the last scan.
    pub observed_exclusions: &'a [String],
    /// How many tags are stored; `None`: they cannot be read.
    pub stored_tags: Option<usize>,
    /// The value of the annotation `reconcile.fluxcd.io/requestedAt`.
    pub requested: Option<&'a str>,
    /// Its value when it was last acted upon.
    pub handled: Option<&'a str>,
    /// Time since the last scan; `None`: there was none.
    pub since_scan: Option<Duration>,
}

/// Whether to scan now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanDue {
    /// Now, for the reason given, in Flux's words.
    Now(&'static str),
    /// After this time.
    After(Duration),
}

/// Why it cannot be said whether a scan is due.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScanDueError {
    /// The image name makes no sense.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The stored tags cannot be read.
    #[error("could not read the stored tags")]
    Storage,
}

/// Decides whether a repository is due to be scanned.
///
/// # Errors
/// If the image name or the stored tags cannot be read, and nothing before them decided.
///
/// Source: fluxcd/image-reflector-controller, `internal/controller/imagerepository_controller.go` (shouldScan).
pub fn should_scan(question: &ScanQuestion<'_>) -> Result<ScanDue, ScanDueError> {
    let Some(age) = question.since_scan else {
        return Ok(ScanDue::Now("first scan"));
    };
    // An empty request is as good as none.
    if question.requested.is_some_and(|requested| requested != question.handled.unwrap_or_default()) {
        return Ok(ScanDue::Now("reconcile requested"));
    }
    if ImageName::parse(question.image, question.insecure)?.canonical() != question.observed_canonical {
        return Ok(ScanDue::Now("new image name"));
    }
    if !same_members(question.exclusions, question.observed_exclusions) {
        return Ok(ScanDue::Now("updated exclusion list"));
    }
    if question.stored_tags.ok_or(ScanDueError::Storage)? == 0 {
        return Ok(ScanDue::Now("no tags in database"));
    }
    let left = question.interval.saturating_sub(age);
    if left < Duration::from_secs(1) {
        return Ok(ScanDue::Now("triggered by interval"));
    }
    Ok(ScanDue::After(left))
}

/// Flux's comparison of exclusion lists: as long, and every new entry among the old ones.
fn same_members(new: &[String], old: &[String]) -> bool {
    new.len() == old.len() && new.iter().all(|entry| old.contains(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_that_says_something_is_one() {
        let due = |requested, handled| {
            let question = ScanQuestion {
                image: "a",
                insecure: false,
                interval: Duration::from_mins(1),
                exclusions: &[],
                observed_canonical: "index.docker.io/library/a",
                observed_exclusions: &[],
                stored_tags: Some(1),
                requested,
                handled,
                since_scan: Some(Duration::ZERO),
            };
            should_scan(&question).unwrap()
        };
        let later = ScanDue::After(Duration::from_mins(1));
        assert_eq!(due(Some(""), None), later);
        assert_eq!(due(Some("x"), Some("x")), later);
        assert_eq!(due(None, Some("x")), later);
        assert_eq!(due(Some("x"), None), ScanDue::Now("reconcile requested"));
        assert_eq!(due(Some(""), Some("x")), ScanDue::Now("reconcile requested"));
    }
}
