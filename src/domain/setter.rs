//! Setters: what each marker stands for, given the policies in scope and what they selected.
//!
//! The scope itself (namespace, selector) is decided by whoever gives the policies.
//!
//! Source: `fluxcd/image-automation-controller:internal/update/setters.go`.

use std::collections::HashMap;

use super::marker;
use super::object::ObjectId;
use super::policy::quote::go_quote;
use super::proposal::{MarkerPart, Reference};
use super::reference;
use crate::problem::{Code, Problem};

/// The table of setters of one run.
#[derive(Debug, Clone, Default)]
pub struct Setters {
    policies: HashMap<ObjectId, Option<Reference>>,
}

/// What a setter name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution<'a> {
    /// A policy with a latest reference.
    Known {
        /// The policy.
        policy: &'a ObjectId,
        /// Which part of its reference is asked for.
        part: MarkerPart,
        /// The text to write; empty for the digest of a policy that reflects none.
        text: String,
    },
    /// A policy in scope that has no latest reference.
    NoLatest {
        /// The policy.
        policy: &'a ObjectId,
    },
    /// No policy in scope, or no setter name at all.
    Unknown,
}

impl Setters {
    /// The setters of `policies`, each with its latest reference.
    ///
    /// # Errors
    /// A reference that no registry could have, even if no marker asks for it: Flux ends the whole run then.
    pub fn new<'a>(
        policies: impl IntoIterator<Item = (&'a ObjectId, Option<&'a Reference>)>,
    ) -> Result<Self, SetterError> {
        let mut table = HashMap::new();
        for (id, latest) in policies {
            check(latest.map(|latest| (id, latest)))?;
            table.insert(id.clone(), latest.cloned());
        }
        Ok(Self { policies: table })
    }

    /// What `setter`, a marker's text, stands for. Letter case and blanks count.
    pub fn resolve(&self, setter: &str) -> Resolution<'_> {
        let Ok((id, part)) = marker::parse_setter(setter) else { return Resolution::Unknown };
        match self.policies.get_key_value(&id) {
            Some((policy, Some(latest))) => Resolution::Known { policy, part, text: text(latest, part) },
            Some((policy, None)) => Resolution::NoLatest { policy },
            None => Resolution::Unknown,
        }
    }
}

/// Whether Flux would run at all, given what the policies in scope selected.
///
/// # Errors
/// As [`Setters::new`].
pub fn check<'a>(
    selected: impl IntoIterator<Item = (&'a ObjectId, &'a Reference)>,
) -> Result<(), SetterError> {
    for (id, latest) in selected {
        let text = whole(latest);
        if reference::parse_reference(&text).is_err() {
            return Err(SetterError { policy: id.clone(), reference: text });
        }
    }
    Ok(())
}

/// Whether Flux would not run with any tag of this image: one that may be scanned need not be one that may be written.
pub fn always_ends_run(image: &str) -> bool {
    let latest = Reference { image: image.to_owned(), tag: "latest".to_owned(), digest: None };
    reference::parse_reference(&whole(&latest)).is_err()
}

/// The text that a marker for `part` gets; empty if the reference lacks it.
pub fn text(latest: &Reference, part: MarkerPart) -> String {
    match part {
        MarkerPart::Whole => whole(latest),
        MarkerPart::Tag => latest.tag.clone(),
        MarkerPart::Name => latest.image.clone(),
        MarkerPart::Digest => latest.digest.clone().unwrap_or_default(),
    }
}

fn whole(latest: &Reference) -> String {
    match latest.digest.as_deref() {
        Some(digest) if !digest.is_empty() => format!("{}:{}@{digest}", latest.image, latest.tag),
        _ => format!("{}:{}", latest.image, latest.tag),
    }
}

/// A policy whose latest reference makes no sense; the text is Flux's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("encountered invalid image ref {}: could not parse reference: {reference}", go_quote(.reference))]
pub struct SetterError {
    /// The policy.
    pub policy: ObjectId,
    /// The reference.
    pub reference: String,
}

impl SetterError {
    /// The problem of an automation whose run ends with this, and what to do about it.
    pub fn ends_run(self) -> Problem {
        let hint = format!(
            "Correct `spec.image` of the ImageRepository of ImagePolicy {0}, or keep {0} out of the automation by its \
             `policySelector`.",
            self.policy
        );
        Problem::from(self).hint(hint)
    }
}

impl From<SetterError> for Problem {
    fn from(error: SetterError) -> Self {
        Self::new(Code::ImageInvalid, error.policy.to_string(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(setters: &Setters, setter: &str) -> Option<String> {
        match setters.resolve(setter) {
            Resolution::Known { text, .. } => Some(text),
            Resolution::NoLatest { .. } | Resolution::Unknown => None,
        }
    }

    #[test]
    fn each_policy_gives_four_setters_by_exact_name() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let web = Reference { image: "o/web".into(), tag: "1".into(), digest: Some(digest.clone()) };
        let (id, waiting) = (ObjectId::new("apps", "web"), ObjectId::new("apps", "new"));
        let setters = Setters::new([(&id, Some(&web)), (&waiting, None)]).unwrap();
        assert_eq!(known(&setters, "apps:web"), Some(format!("o/web:1@{digest}")));
        assert_eq!(known(&setters, "apps:web:tag").as_deref(), Some("1"));
        assert_eq!(known(&setters, "apps:web:name").as_deref(), Some("o/web"));
        assert_eq!(known(&setters, "apps:web:digest"), Some(digest));
        assert_eq!(setters.resolve("apps:new:tag"), Resolution::NoLatest { policy: &waiting });
        for setter in ["apps:web:TAG", "apps:web:", "apps/web", "web", "apps: web", "shop:web"] {
            assert_eq!(setters.resolve(setter), Resolution::Unknown, "{setter}");
        }
    }

    #[test]
    fn an_image_that_can_be_scanned_may_end_each_run() {
        let images = ["r.io/w", "r.io/web", "r.io/a/b", "Registry/UPPER", "localhost:5000/web"];
        assert_eq!(images.map(always_ends_run), [true, false, false, true, false]);
    }

    #[test]
    fn a_reference_that_cannot_be_stops_the_run() {
        let id = ObjectId::new("apps", "web");
        for (image, tag) in [("Registry/UPPER", "1"), ("r.io/w", "v2"), ("o/web", ""), ("o/web", "a+b")] {
            let latest = Reference { image: image.into(), tag: tag.into(), digest: None };
            let error = Setters::new([(&id, Some(&latest))]).unwrap_err();
            let text = format!("{image}:{tag}");
            assert_eq!(
                error.to_string(),
                format!("encountered invalid image ref \"{text}\": could not parse reference: {text}")
            );
        }
    }
}
