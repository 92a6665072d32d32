//! Digest reflection: when a registry has to say which digest a selected tag has, and what a policy has then.
//!
//! A controller keeps the answer in the policy's status; without a cluster somebody else keeps it, and gives it back
//! here at the next pass.
//!
//! Source: `fluxcd/image-reflector-controller:internal/controller/imagepolicy_controller.go` (`updateImageRefs`).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::object::DigestPolicy;
use super::proposal::Reference;

/// The time between passes of a policy that gives none, or zero.
const DEFAULT_INTERVAL: Duration = Duration::from_mins(10);

/// What is remembered of a policy from its last pass that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reflection {
    /// `status.latestRef`.
    pub latest: Option<Reference>,
    /// `status.observedPreviousRef`: what was the latest before it changed.
    pub previous: Option<Reference>,
    /// When a registry last answered, under [`DigestPolicy::Always`].
    pub asked: Option<Timestamp>,
}

/// What a pass is to find the digest for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected<'a> {
    /// `spec.image` of the repository.
    pub image: &'a str,
    /// The tag that the policy selects.
    pub tag: &'a str,
    /// `spec.digestReflectionPolicy`.
    pub policy: DigestPolicy,
    /// `spec.interval`.
    pub interval: Option<Duration>,
}

/// Whether a registry is to be asked for a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Never: no digest is wanted, or the one that is remembered stays.
    No,
    /// Not for so long: until then the one that is remembered serves; zero: it is time to ask again.
    After(Duration),
    /// Before anything can be written: none is remembered for this tag.
    Now,
}

impl Reflection {
    /// Whether the pass at `now` asks.
    ///
    /// [`DigestPolicy::Always`] asks once an interval, as Flux's controller passes.
    pub fn ask(&self, selected: &Selected<'_>, now: Timestamp) -> Ask {
        match (selected.policy, self.digest_of(selected)) {
            (DigestPolicy::Never, _) | (DigestPolicy::IfNotPresent, Some(_)) => Ask::No,
            (DigestPolicy::IfNotPresent | DigestPolicy::Always, None) => Ask::Now,
            (DigestPolicy::Always, Some(_)) => Ask::After(self.left(selected, now)),
        }
    }

    /// How long the interval still is; a clock that went back ends it.
    fn left(&self, selected: &Selected<'_>, now: Timestamp) -> Duration {
        let age = self.asked.and_then(|asked| Duration::try_from(now.duration_since(asked)).ok());
        let interval = selected.interval.filter(|interval| !interval.is_zero()).unwrap_or(DEFAULT_INTERVAL);
        age.map_or(Duration::ZERO, |age| interval.saturating_sub(age))
    }

    /// The digest that is remembered for exactly this image and tag.
    fn digest_of(&self, selected: &Selected<'_>) -> Option<&str> {
        let latest = self.latest.as_ref()?;
        let is_same = latest.image == selected.image && latest.tag == selected.tag;
        latest.digest.as_deref().filter(|digest| is_same && !digest.is_empty())
    }

    /// What is remembered after a pass; `fetched` is what the registry said, if it was asked.
    ///
    /// A pass whose question failed changes nothing and has no place here.
    #[must_use]
    pub fn after(&self, selected: &Selected<'_>, fetched: Option<String>, now: Timestamp) -> Self {
        let is_always = selected.policy == DigestPolicy::Always;
        let asked = if fetched.is_some() { Some(now) } else { self.asked };
        let digest = match selected.policy {
            DigestPolicy::Never => None,
            DigestPolicy::IfNotPresent | DigestPolicy::Always => {
                fetched.or_else(|| self.digest_of(selected).map(str::to_owned))
            }
        };
        let latest =
            Some(Reference { image: selected.image.to_owned(), tag: selected.tag.to_owned(), digest });
        let previous = if self.latest == latest { self.previous.clone() } else { self.latest.clone() };
        Self { latest, previous, asked: asked.filter(|_| is_always) }
    }
}

#[cfg(test)]
mod tests {
    use DigestPolicy::{Always, IfNotPresent, Never};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn selected(policy: DigestPolicy, tag: &str) -> Selected<'_> {
        Selected { image: "r/app", tag, policy, interval: Some(Duration::from_mins(1)) }
    }

    fn reference(text: &str) -> Reference {
        let (tag, digest) = text.split_once('@').map_or((text, None), |(tag, digest)| (tag, Some(digest)));
        Reference { image: "r/app".into(), tag: tag.into(), digest: digest.map(str::to_owned) }
    }

    /// One pass at a registry that has this digest.
    fn pass(before: &Reflection, policy: DigestPolicy, tag: &str, has: &str, now: i64) -> Reflection {
        let selected = selected(policy, tag);
        let asks = match before.ask(&selected, at(now)) {
            Ask::No => false,
            Ask::After(left) => left.is_zero(),
            Ask::Now => true,
        };
        before.after(&selected, asks.then(|| has.to_owned()), at(now))
    }

    #[test]
    fn two_passes_leave_what_the_controller_leaves() {
        // First and second policy and tag; latest and previous after the second pass. The tag moves from digest `old`
        // to `new` between them.
        let table = [
            ((Never, "1"), (Never, "1"), "1", None),
            ((Always, "1"), (Always, "1"), "1@new", Some("1@old")),
            ((IfNotPresent, "1"), (IfNotPresent, "2"), "2@new", Some("1@old")),
            ((IfNotPresent, "1"), (IfNotPresent, "1"), "1@old", None),
            ((Never, "1"), (IfNotPresent, "1"), "1@new", Some("1")),
            ((Always, "1"), (Never, "1"), "1", Some("1@old")),
            ((IfNotPresent, "1"), (Never, "1"), "1", Some("1@old")),
            ((IfNotPresent, "1"), (Always, "1"), "1@new", Some("1@old")),
            ((Always, "1"), (IfNotPresent, "1"), "1@old", None),
            ((Never, "1"), (Always, "1"), "1@new", Some("1")),
            ((Always, "1"), (Always, "2"), "2@new", Some("1@old")),
            ((Never, "1"), (Never, "2"), "2", Some("1")),
        ];
        for ((first, tag), (second, next), latest, previous) in table {
            let before = pass(&Reflection::default(), first, tag, "old", 0);
            assert_eq!(before.previous, None, "a first resolution has no predecessor");
            let after = pass(&before, second, next, "new", 60);
            let case = format!("{first:?} {tag} -> {second:?} {next}");
            assert_eq!(after.latest, Some(reference(latest)), "{case}");
            assert_eq!(after.previous, previous.map(reference), "{case}");
        }
    }

    #[test]
    fn always_asks_once_an_interval_and_at_once_for_another_tag() {
        let known = pass(&Reflection::default(), Always, "1", "old", 100);
        assert_eq!(known.ask(&selected(Always, "1"), at(130)), Ask::After(Duration::from_secs(30)));
        assert_eq!(known.ask(&selected(Always, "1"), at(160)), Ask::After(Duration::ZERO));
        assert_eq!(
            known.ask(&selected(Always, "1"), at(90)),
            Ask::After(Duration::ZERO),
            "the clock went back"
        );
        assert_eq!(known.ask(&selected(Always, "2"), at(101)), Ask::Now);
        let renamed = Selected { image: "other/app", ..selected(IfNotPresent, "1") };
        assert_eq!(known.ask(&renamed, at(101)), Ask::Now);
        assert_eq!(known.ask(&selected(IfNotPresent, "1"), at(9000)), Ask::No);
        let unhurried = Selected { interval: Some(Duration::ZERO), ..selected(Always, "1") };
        assert_eq!(known.ask(&unhurried, at(100)), Ask::After(Duration::from_mins(10)));
    }

    #[test]
    fn turning_always_on_does_not_wait_for_the_interval_of_another_policy() {
        let known = pass(&Reflection::default(), IfNotPresent, "1", "old", 100);
        assert_eq!(known.ask(&selected(Always, "1"), at(101)), Ask::After(Duration::ZERO));
    }

    proptest::proptest! {
        #[test]
        fn a_pass_repeated_with_the_same_answer_changes_nothing(
            policies in proptest::collection::vec(
                proptest::sample::select(vec![Never, IfNotPresent, Always]), 1..6),
            tags in proptest::collection::vec("[12]", 6),
        ) {
            let mut known = Reflection::default();
            for (round, (policy, tag)) in policies.into_iter().zip(&tags).enumerate() {
                let now = i64::try_from(round).unwrap() * 60;
                known = pass(&known, policy, tag, "digest", now);
                proptest::prop_assert_eq!(&pass(&known, policy, tag, "digest", now), &known);
                let has_digest = known.latest.as_ref().unwrap().digest.is_some();
                proptest::prop_assert_eq!(has_digest, policy != Never);
            }
        }
    }
}
