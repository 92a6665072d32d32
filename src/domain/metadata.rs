//! What a tag stands for, as far as a registry tells: digest, time, platforms, size, labels, signature.
//!
//! Everything here is what somebody wrote into an image or its manifest. It is shown, compared and never trusted: a
//! build may claim any time and any revision, and a signature that was found was not verified.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::text::without_logins;

/// What stands behind one digest; never changes, as the digest is that of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Such as `sha256:…`; of an image for several platforms, that of its index.
    pub digest: String,
    /// What it is.
    pub kind: Kind,
    /// When it was built, as whoever built it says.
    pub created: Option<Timestamp>,
    /// Such as `linux/amd64`; none for what is no image.
    pub platforms: Vec<String>,
    /// How much is to be transferred.
    pub size: Option<Size>,
    /// Where it comes from.
    pub labels: Labels,
}

/// What a manifest describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An image for one platform.
    Image,
    /// Images for several platforms under one digest.
    Index,
    /// Something else, such as a Helm chart: its type.
    Artifact(String),
}

impl Kind {
    /// `image`, `index`, or the artifact's type.
    pub fn word(&self) -> &str {
        match self {
            Self::Image => "image",
            Self::Index => "index",
            Self::Artifact(kind) => kind,
        }
    }
}

/// The bytes of configuration and layers, packed as they are transferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Their sum.
    pub bytes: u64,
    /// The platform whose image this is, where there are several.
    pub platform: Option<String>,
}

impl Size {
    /// Such as `23.4 MiB`.
    pub fn text(&self) -> String {
        crate::text::size(self.bytes)
    }
}

/// Labels of an image, or annotations of a manifest; of addresses in them, without the login.
///
/// Source: opencontainers/image-spec:annotations.md.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Labels {
    /// `org.opencontainers.image.source`.
    #[serde(default, deserialize_with = "label")]
    pub source: Option<String>,
    /// `org.opencontainers.image.revision`.
    #[serde(default, deserialize_with = "label")]
    pub revision: Option<String>,
    /// `org.opencontainers.image.version`.
    #[serde(default, deserialize_with = "label")]
    pub version: Option<String>,
}

/// What was kept before logins were left out has none from now on.
fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.as_deref().map(without_logins))
}

impl Labels {
    /// The labels that `text` has under these names.
    pub fn read(text: impl Fn(&str) -> Option<String>) -> Self {
        let label = |name| text(name).as_deref().map(without_logins);
        Self { source: label("source"), revision: label("revision"), version: label("version") }
    }

    /// These, and of `others` what is missing.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        Self {
            source: self.source.or_else(|| others.source.clone()),
            revision: self.revision.or_else(|| others.revision.clone()),
            version: self.version.or_else(|| others.version.clone()),
        }
    }
}

/// Whether a signature is attached. Nobody looked into it: anybody who may push can attach one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// The registry could not say.
    #[default]
    Unknown,
    /// None was found.
    None,
    /// A tag `sha256-….sig`, as cosign makes it.
    Tag,
    /// One that the registry lists as referring to the image: its type.
    Referrer(String),
}

impl Signature {
    /// What is known of it, in words.
    pub fn text(&self) -> String {
        match self {
            Self::Unknown => "not known".to_owned(),
            Self::None => "none found".to_owned(),
            Self::Tag => "found, not verified (cosign's tag)".to_owned(),
            Self::Referrer(kind) => format!("found, not verified ({kind})"),
        }
    }

    /// Whether there is one; `None` if nobody could say.
    pub fn is_found(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::None => Some(false),
            Self::Tag | Self::Referrer(_) => Some(true),
        }
    }

    /// The tag that cosign attaches a signature of `digest` by.
    ///
    /// Source: `sigstore/cosign:specs/SIGNATURE_SPEC.md`.
    pub fn tag_of(digest: &str) -> String {
        format!("{}.sig", Self::list_of(digest))
    }

    /// The tag under which clients keep the list of what refers to `digest`, where the registry keeps none.
    ///
    /// Source: opencontainers/distribution-spec:spec.md, "Referrers Tag Schema".
    pub fn list_of(digest: &str) -> String {
        // As much of a longer digest as a tag has room for.
        digest.replacen(':', "-", 1).chars().take(124).collect()
    }
}

/// All that is known of one tag at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What it stands for.
    pub metadata: Metadata,
    /// When the registry said that it does.
    pub asked: Timestamp,
    /// When the registry took it in, where it says so.
    pub pushed: Option<Timestamp>,
    /// Whether a signature is attached.
    pub signature: Signature,
    /// Other tags of the repository that are known to stand for the same, in descending byte order.
    pub also: Vec<String>,
    /// Whether the tag stood for something else before.
    pub moved: Option<Moved>,
}

/// That a tag moved, since it was first asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The digest that it had.
    pub from: String,
    /// When it was first seen to have another.
    pub seen: Timestamp,
}

impl Described {
    /// The facts with their labels, in the order in which they are shown.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts: Vec<(&'static str, String)> =
            self.what().map(|text| ("what", text)).into_iter().collect();
        facts.push(("digest", self.metadata.digest.clone()));
        if let Some(moved) = &self.moved {
            facts.push(("moved", format!("first seen {}; before it was {}", moved.seen, moved.from)));
        }
        facts.extend(self.origin());
        facts.push(("signature", self.signature.text()));
        if !self.also.is_empty() {
            facts.push(("also", self.also.join(", ")));
        }
        facts
    }

    /// Platforms or type, size, and when it was built.
    fn what(&self) -> Option<String> {
        let metadata = &self.metadata;
        let kind = match &metadata.kind {
            Kind::Image | Kind::Index => metadata.platforms.join(", "),
            Kind::Artifact(kind) => kind.clone(),
        };
        let size = metadata.size.as_ref().map(|size| {
            let of = size.platform.as_ref().map(|platform| format!(" for {platform}"));
            format!("{}{}", size.text(), of.unwrap_or_default())
        });
        let created = metadata.created.map(|created| format!("built {created}"));
        let parts = [Some(kind).filter(|kind| !kind.is_empty()), size, created];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("   "))
    }

    /// Source, revision and version, as far as labels tell.
    fn origin(&self) -> Option<(&'static str, String)> {
        let Labels { source, revision, version } = &self.metadata.labels;
        let parts = [
            source.clone(),
            revision.as_ref().map(|revision| format!("revision {revision}")),
            version.as_ref().map(|version| format!("version {version}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| ("source", parts.join("   ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_short_as_they_can_be_said() {
        for (bytes, said) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (24_536_678, "23.3 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(Size { bytes, platform: None }.text(), said);
        }
    }

    #[test]
    fn labels_that_were_kept_with_a_login_are_read_without_it() {
        let kept = r#"{"source":"https://u:hunter2@h/a","revision":null,"version":"1 of ssh://hunter2@h"}"#;
        let labels: Labels = serde_json::from_str(kept).unwrap();
        assert_eq!(labels.source.as_deref(), Some("https://h/a"));
        assert_eq!((labels.revision, labels.version.as_deref()), (None, Some("1 of ssh://h")));
    }

    #[test]
    fn a_signature_that_was_found_is_never_said_to_be_good() {
        let found = [Signature::Tag, Signature::Referrer("application/vnd.dev.sigstore.bundle".into())];
        for signature in found {
            assert_eq!(signature.is_found(), Some(true));
            assert!(signature.text().starts_with("found, not verified"), "{}", signature.text());
        }
        assert_eq!(Signature::tag_of("sha256:0d44"), "sha256-0d44.sig");
    }
}
