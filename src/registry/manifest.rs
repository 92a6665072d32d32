//! What a registry serves under a digest: an index, a manifest, an image's configuration.
//!
//! Bytes of strangers. A body counts only if it has the digest it was asked by, and only what is needed is read of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};

use super::wire_text::unquoted;
use crate::domain::metadata::Labels;

/// The longest label that is kept, in bytes: a source or a revision is far shorter.
const LONGEST_LABEL: usize = 1024;
/// How many platforms of an index are kept.
const MOST_PLATFORMS: usize = 64;

/// The configurations that are those of images.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// A manifest, as far as it is of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Manifest {
    /// Several manifests under one digest: an OCI index or a Docker manifest list.
    Index(Index),
    /// An image, or an artifact in the shape of one.
    Single(Single),
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    /// The platforms of its images, each once, in its order.
    pub(super) platforms: Vec<String>,
    /// The image to look into: that for `linux/amd64`, else the first with a platform, else the first.
    pub(super) chosen: Option<Child>,
    /// What its annotations say.
    pub(super) notes: Notes,
    /// The types of what it lists, as a registry's list of referrers gives them.
    pub(super) artifact_types: Vec<String>,
}

/// One manifest of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) digest: String,
    pub(super) platform: Option<String>,
}

/// One manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Single {
    /// The digest of the image's configuration; `None` for what is no image, and for Docker's first schema, which has it
    /// inside.
    pub(super) config: Option<String>,
    /// The artifact's type, if it is no image.
    pub(super) artifact: Option<String>,
    /// Bytes of configuration and layers; `None` where the manifest does not tell.
    pub(super) size: Option<u64>,
    /// What its annotations say.
    pub(super) notes: Notes,
    /// The platform, where the manifest has it.
    pub(super) platform: Option<String>,
}

/// What annotations or labels say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Notes {
    pub(super) created: Option<Timestamp>,
    pub(super) labels: Labels,
}

/// An image's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Config {
    pub(super) notes: Notes,
    pub(super) platform: Option<String>,
}

/// What annotations and labels are: texts, among which strangers may put anything.
type Texts = BTreeMap<String, Value>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    /// Of OCI artifact manifests, which a draft of the specification had.
    blobs: Option<Vec<Descriptor>>,
    fs_layers: Option<IgnoredAny>,
    architecture: Option<String>,
    history: Option<Vec<First>>,
    annotations: Option<Texts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    artifact_type: Option<String>,
    digest: String,
    #[serde(default)]
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

/// A configuration inside a manifest of Docker's first schema.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct First {
    v1_compatibility: String,
}

#[derive(Deserialize)]
struct ConfigBody {
    created: Option<Value>,
    #[serde(flatten)]
    platform: Platform,
    config: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(rename = "Labels")]
    labels: Option<Texts>,
}

impl Platform {
    /// Such as `linux/arm64/v8`; `None` for what runs nowhere, such as attestations.
    fn text(&self) -> Option<String> {
        let known = |part: &Option<String>| part.clone().filter(|part| !part.is_empty() && part != "unknown");
        let (os, architecture) = (known(&self.os)?, known(&self.architecture)?);
        let variant = known(&self.variant).map(|variant| format!("/{variant}")).unwrap_or_default();
        let text = format!("{os}/{architecture}{variant}");
        (text.len() <= LONGEST_LABEL).then_some(text)
    }
}

/// Reads a manifest, whatever its server calls it: what it is, its own fields say.
///
/// # Errors
/// In words, what the body is instead.
///
/// Sources: opencontainers/image-spec:{manifest,image-index}.md; distribution/distribution:docs/spec/manifest-v2-2.md.
pub(super) fn read_manifest(body: &[u8]) -> Result<Manifest, String> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|error| format!("the answer is no manifest: {}", unquoted(&error)))?;
    let notes = notes(body.annotations.as_ref());
    let kinds = [
        body.manifests.is_some(),
        body.config.is_some() || body.layers.is_some(),
        body.blobs.is_some(),
        body.fs_layers.is_some(),
    ];
    match kinds {
        [true, false, false, false] => index(body.manifests.unwrap_or_default(), notes).map(Manifest::Index),
        [false, true, false, false] => single(body, notes).map(Manifest::Single),
        [false, false, true, false] => artifact(body, notes).map(Manifest::Single),
        [false, false, false, true] => Ok(Manifest::Single(first_schema(&body))),
        [false, false, false, false] => Err("the answer is no manifest: it describes nothing".to_owned()),
        // Two readers could take it for two things.
        _ => Err("the manifest is ambiguous: it is of several kinds at once".to_owned()),
    }
}

fn index(children: Vec<Descriptor>, notes: Notes) -> Result<Index, String> {
    let mut index = Index { notes, ..Index::default() };
    let mut places = Vec::new();
    for child in children {
        let kind = child.artifact_type.clone().or_else(|| child.media_type.clone());
        index.artifact_types.extend(kind.filter(|kind| kind.len() <= LONGEST_LABEL));
        let digest = named(child.digest)?;
        let platform = child.platform.as_ref().and_then(Platform::text);
        if child.platform.is_some() && platform.is_none() {
            continue;
        }
        if let Some(platform) = &platform
            && index.platforms.len() < MOST_PLATFORMS
            && !index.platforms.contains(platform)
        {
            index.platforms.push(platform.clone());
        }
        places.push(Child { digest, platform });
    }
    let usual = places.iter().position(|child| child.platform.as_deref() == Some("linux/amd64"));
    let place = usual.or_else(|| places.iter().position(|child| child.platform.is_some()));
    index.chosen = places.into_iter().nth(place.unwrap_or(0));
    Ok(index)
}

fn single(body: Body, notes: Notes) -> Result<Single, String> {
    let config = body.config.ok_or("the manifest has no configuration")?;
    let kind = config.media_type.unwrap_or_default();
    let is_image = body.artifact_type.is_none() && IMAGE_CONFIGS.contains(&kind.as_str());
    let size =
        total(std::iter::once(config.size).chain(body.layers.iter().flatten().map(|layer| layer.size)));
    let digest = named(config.digest)?;
    let artifact = (!is_image).then(|| short(body.artifact_type.unwrap_or(kind)));
    Ok(Single { config: is_image.then_some(digest), artifact, size, notes, platform: None })
}

fn artifact(body: Body, notes: Notes) -> Result<Single, String> {
    let blobs = body.blobs.unwrap_or_default();
    let size = total(blobs.iter().map(|blob| blob.size));
    for blob in blobs {
        named(blob.digest)?;
    }
    Ok(Single {
        artifact: Some(short(body.artifact_type.unwrap_or_default())),
        size,
        notes,
        ..Single::default()
    })
}

/// Docker's first schema has the configuration of the newest layer in its history, and no sizes.
fn first_schema(body: &Body) -> Single {
    let newest = body.history.iter().flatten().next();
    let config =
        newest.and_then(|newest| read_config(newest.v1_compatibility.as_bytes()).ok()).unwrap_or_default();
    let of_manifest = body.architecture.as_ref().filter(|text| text.len() <= LONGEST_LABEL);
    let platform =
        config.platform.or_else(|| of_manifest.map(|architecture| format!("linux/{architecture}")));
    Single { notes: config.notes, platform, ..Single::default() }
}

/// Reads an image's configuration.
///
/// # Errors
/// In words, what the body is instead.
///
/// Source: opencontainers/image-spec:config.md.
pub(super) fn read_config(body: &[u8]) -> Result<Config, String> {
    let body: ConfigBody = serde_json::from_slice(body)
        .map_err(|error| format!("the answer is no image configuration: {}", unquoted(&error)))?;
    let labels = body.config.and_then(|inner| inner.labels);
    let mut notes = notes(labels.as_ref());
    // The image's own field comes before a label.
    notes.created = body.created.as_ref().and_then(time).or(notes.created);
    Ok(Config { notes, platform: body.platform.text() })
}

/// Whether `body` is what `digest` names.
///
/// # Errors
/// It is something else, or the digest is of a kind that we cannot check.
pub(super) fn verify(body: &[u8], digest: &str) -> Result<(), String> {
    let has = match digest.split_once(':') {
        Some(("sha256", _)) => format!("sha256:{:x}", Sha256::digest(body)),
        Some(("sha512", _)) => format!("sha512:{:x}", Sha512::digest(body)),
        _ => return Err(format!("{digest} is of a kind that cannot be checked")),
    };
    if has == digest { Ok(()) } else { Err(format!("what was asked for as {digest} has the digest {has}")) }
}

/// The SHA-256 digest of a body.
pub(super) fn digest_of(body: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(body))
}

/// Whether a text is a digest that [`verify`] can check.
pub(super) fn is_digest(text: &str) -> bool {
    let (length, hex) = match text.split_once(':') {
        Some(("sha256", hex)) => (64, hex),
        Some(("sha512", hex)) => (128, hex),
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A digest that something is named by; it becomes a part of an address.
fn named(digest: String) -> Result<String, String> {
    if is_digest(&digest) {
        Ok(digest)
    } else {
        Err("the manifest names something by what is no digest".to_owned())
    }
}

fn total(mut sizes: impl Iterator<Item = u64>) -> Option<u64> {
    sizes.try_fold(0_u64, u64::checked_add)
}

fn short(kind: String) -> String {
    if kind.is_empty() || kind.len() > LONGEST_LABEL { "artifact".to_owned() } else { kind }
}

fn notes(texts: Option<&Texts>) -> Notes {
    let raw = |name: &str| texts.and_then(|texts| texts.get(&format!("org.opencontainers.image.{name}")));
    let text = |name: &str| {
        let text = raw(name).and_then(Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty() && text.len() <= LONGEST_LABEL).map(str::to_owned)
    };
    Notes { created: raw("created").and_then(time), labels: Labels::read(text) }
}

/// A time, in whole seconds; the zero of Go's clock is none.
fn time(value: &Value) -> Option<Timestamp> {
    let time: Timestamp = value.as_str()?.trim().parse().ok()?;
    let zero = Timestamp::from_second(-62_135_596_800).ok()?;
    Timestamp::from_second(time.as_second()).ok().filter(|time| *time > zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn index_of(body: &str) -> Index {
        match read_manifest(body.as_bytes()) {
            Ok(Manifest::Index(index)) => index,
            other => panic!("{other:?}"),
        }
    }

    fn single_of(body: &str) -> Single {
        match read_manifest(body.as_bytes()) {
            Ok(Manifest::Single(single)) => single,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_index_names_its_platforms_and_attestations_are_none() {
        let platform =
            |os: &str, architecture: &str| format!(r#"{{"os":"{os}","architecture":"{architecture}"}}"#);
        let child = |digest: &str, platform: &str| {
            format!(r#"{{"digest":"{digest}","size":3,"platform":{platform}}}"#)
        };
        let body = format!(
            r#"{{"schemaVersion":2,"manifests":[{},{},{}],"annotations":{{"org.opencontainers.image.version":"1.2","x":[1]}}}}"#,
            child(A, r#"{"os":"linux","architecture":"arm64","variant":"v8"}"#),
            child(B, &platform("unknown", "unknown")),
            child(B, &platform("linux", "amd64")),
        );
        let index = index_of(&body);
        assert_eq!(index.platforms, ["linux/arm64/v8", "linux/amd64"]);
        assert_eq!(index.chosen.unwrap().digest, B, "the most usual platform is looked into");
        assert_eq!(index.notes.labels.version.as_deref(), Some("1.2"));
    }

    #[test]
    fn an_image_has_a_configuration_and_a_chart_has_a_type() {
        let body = |config: &str| {
            format!(
                r#"{{"config":{{"mediaType":"{config}","digest":"{A}","size":7}},
                    "layers":[{{"digest":"{B}","size":100}},{{"digest":"{B}","size":3}}],
                    "annotations":{{"org.opencontainers.image.created":"2026-11-22T12:02:00+01:00",
                                    "org.opencontainers.image.source":" https://github.com/acme/chart ",
                                    "org.opencontainers.image.revision":7}}}}"#
            )
        };
        let image = single_of(&body(IMAGE_CONFIGS[1]));
        assert_eq!((image.config.as_deref(), image.artifact, image.size), (Some(A), None, Some(110)));
        let chart = single_of(&body("application/vnd.cncf.helm.config.v1+json"));
        assert_eq!(chart.config, None);
        assert_eq!(chart.artifact.as_deref(), Some("application/vnd.cncf.helm.config.v1+json"));
        assert_eq!(chart.notes.created.unwrap().to_string(), "2026-11-22T11:02:00Z");
        assert_eq!(chart.notes.labels.source.as_deref(), Some("https://github.com/acme/chart"));
        assert_eq!(chart.notes.labels.revision, None, "what is no text is no revision");
    }

    #[test]
    fn dockers_first_schema_tells_its_time_and_platform() {
        let newest = r#"{\"created\":\"2016-05-01T10:00:00.5Z\",\"os\":\"linux\",\"architecture\":\"arm\"}"#;
        let body = format!(
            r#"{{"schemaVersion":1,"architecture":"arm","fsLayers":[{{"blobSum":"{A}"}}],"history":[{{"v1Compatibility":"{newest}"}}]}}"#
        );
        let single = single_of(&body);
        assert_eq!(single.notes.created.unwrap().to_string(), "2016-05-01T10:00:00Z");
        assert_eq!((single.platform.as_deref(), single.size), (Some("linux/arm"), None));
    }

    #[test]
    fn a_configuration_tells_time_platform_and_labels_and_go_s_zero_is_no_time() {
        let body = r#"{"created":"2026-01-02T03:04:05.999Z","os":"linux","architecture":"amd64",
            "config":{"Labels":{"org.opencontainers.image.revision":"4c1f0e2"}}}"#;
        let config = read_config(body.as_bytes()).unwrap();
        assert_eq!(config.notes.created.unwrap().to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(config.platform.as_deref(), Some("linux/amd64"));
        assert_eq!(config.notes.labels.revision.as_deref(), Some("4c1f0e2"));
        let cloned = body.replace("4c1f0e2", "https://ci:hunter2@git.example.com/a");
        let revision = read_config(cloned.as_bytes()).unwrap().notes.labels.revision;
        assert_eq!(
            revision.as_deref(),
            Some("https://git.example.com/a"),
            "a clone's address has a login in it"
        );
        for none in [r#"{"created":"0001-01-01T00:00:00Z"}"#, r#"{"created":7,"config":null}"#, "{}"] {
            assert_eq!(read_config(none.as_bytes()).unwrap(), Config::default(), "{none}");
        }
    }

    #[test]
    fn a_login_in_the_label_of_the_source_is_left_out() {
        for (label, source) in [
            ("https://rita:hunter2@github.com/acme/app", Some("https://github.com/acme/app")),
            ("https://hunter2@github.com/acme/app.git", Some("https://github.com/acme/app.git")),
            ("https://github.com/acme/app@v1", Some("https://github.com/acme/app@v1")),
            ("git@github.com:acme/app", Some("git@github.com:acme/app")),
            ("https://rita:hunter2@[", Some("https://[")),
        ] {
            let body =
                format!(r#"{{"config":{{"Labels":{{"org.opencontainers.image.source":"{label}"}}}}}}"#);
            let labels = read_config(body.as_bytes()).unwrap().notes.labels;
            assert_eq!(labels.source.as_deref(), source, "{label}");
        }
    }

    #[test]
    fn bodies_that_are_no_manifests_are_named() {
        let both = format!(r#"{{"manifests":[],"config":{{"digest":"{A}"}},"layers":[]}}"#);
        let path = r#"{"config":{"digest":"../../secrets"},"layers":[]}"#;
        let below = r#"{"manifests":[{"digest":"sha256:../../x"}]}"#;
        for (body, says) in [
            ("<html>", "no manifest: expected value"),
            ("{}", "describes nothing"),
            (both.as_str(), "ambiguous"),
            (path, "no digest"),
            (below, "no digest"),
            (r#"{"layers":[]}"#, "no configuration"),
            (r#"{"manifests":[{"digest":"sha256:00","size":-1}]}"#, "invalid value"),
        ] {
            let error = read_manifest(body.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    #[test]
    fn a_body_with_another_digest_is_refused() {
        assert!(verify(b"body", &digest_of(b"body")).is_ok());
        assert!(verify(b"body", &format!("sha512:{:x}", Sha512::digest(b"body"))).is_ok());
        assert!(verify(b"body", A).unwrap_err().starts_with("what was asked for as sha256:aaa"));
        assert!(verify(b"body", "md5:00").unwrap_err().contains("cannot be checked"));
        assert!(is_digest(A) && !is_digest("sha256:AA") && !is_digest("sha256"));
    }

    proptest::proptest! {
        #[test]
        fn no_body_is_a_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..96)) {
            let _ = (read_manifest(&body), read_config(&body));
        }

        #[test]
        fn whatever_a_manifest_names_is_fit_for_an_address(
            digest in "[a-z0-9:./%]{0,80}",
            listed in proptest::bool::ANY,
            size in 0_u64..u64::MAX,
        ) {
            let thing = format!(r#"{{"digest":"{digest}","size":{size},"mediaType":"{}"}}"#, IMAGE_CONFIGS[0]);
            let body = if listed {
                format!(r#"{{"manifests":[{thing}]}}"#)
            } else {
                format!(r#"{{"config":{thing},"layers":[{thing}]}}"#)
            };
            let named = match read_manifest(body.as_bytes()) {
                Ok(Manifest::Index(index)) => index.chosen.map(|child| child.digest),
                Ok(Manifest::Single(single)) => single.config,
                Err(_) => None,
            };
            proptest::prop_assert!(named.is_none_or(|digest| is_digest(&digest)));
        }
    }
}
