//! Names of images: how Flux reads them, and which registry they mean.
//!
//! Talking to the registry is left to others; so is choosing among tags.
//!
//! Sources: fluxcd/image-reflector-controller, `internal/registry/helper.go`; google/go-containerregistry, `pkg/name`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use crate::problem::{Code, Problem};

/// The registry that names without a host mean.
const DOCKER_HUB: &str = "index.docker.io";

/// Why a text is no image name; the texts are Flux's, to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// It has a scheme, such as `oci://`.
    #[error("image '{image}' should not include URL scheme; remove '{scheme}://'")]
    Scheme {
        /// The text.
        image: String,
        /// What stands before `://`.
        scheme: String,
    },
    /// It has a tag or a digest where only a repository may stand.
    #[error("image '{image}' should not include a tag; remove ':{tag}'")]
    Tag {
        /// The text.
        image: String,
        /// What stands behind the colon.
        tag: String,
    },
    /// It makes no sense.
    #[error("could not parse reference: {0}")]
    Malformed(String),
}

impl ImageError {
    /// The same as a problem of `subject`.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        let problem = Problem::new(Code::ImageInvalid, subject, self.to_string());
        match self {
            Self::Scheme { scheme, .. } => problem.hint(format!("Remove `{scheme}://` from the image.")),
            Self::Tag { tag, .. } => problem.hint(format!("Remove `:{tag}` from the image.")),
            Self::Malformed(_) => problem,
        }
    }
}

/// A registry and a repository in it: `spec.image` of an `ImageRepository`, understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageName {
    /// Host and port, such as `index.docker.io` or `127.0.0.1:5000`, in the case it was written in.
    pub registry: String,
    /// The repository within, such as `library/alpine`.
    pub repository: String,
    /// Whether plain HTTP may be tried.
    plain_http: bool,
}

impl ImageName {
    /// Reads `spec.image`; with `insecure` plain HTTP is allowed whatever the host.
    ///
    /// # Errors
    /// If there is a scheme, a tag or a digest, or no repository can be made out.
    ///
    /// Source: fluxcd/image-reflector-controller, `internal/registry/helper.go`.
    pub fn parse(image: &str, insecure: bool) -> Result<Self, ImageError> {
        if let Some((scheme, _)) = image.split_once("://") {
            return Err(ImageError::Scheme { image: image.to_owned(), scheme: scheme.to_owned() });
        }
        let (registry, repository) = base_of(image)
            .and_then(|base| split_base(base, 1))
            .ok_or_else(|| ImageError::Malformed(image.to_owned()))?;
        let rest = image.strip_prefix(registry.as_str()).unwrap_or(image);
        if let Some(tag) = rest.split(':').nth(1) {
            return Err(ImageError::Tag { image: image.to_owned(), tag: tag.to_owned() });
        }
        let plain_http = insecure || is_local(&registry);
        Ok(Self { repository: with_library(&registry, repository), registry, plain_http })
    }

    /// Registry and repository joined, such as `index.docker.io/library/alpine`.
    pub fn canonical(&self) -> String {
        self.to_string()
    }

    /// `http` where plain HTTP may be tried (after HTTPS), else `https`.
    pub fn scheme(&self) -> &'static str {
        if self.plain_http { "http" } else { "https" }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)
    }
}

/// An image as a manifest names it: `ghcr.io/o/web:1.2.3@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRef {
    /// What stands before tag and digest, as written.
    pub name: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest, with its algorithm.
    pub digest: Option<String>,
}

impl fmt::Display for ImageRef {
    /// As it was parsed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Splits an image into name, tag and digest.
///
/// # Errors
/// [`ImageError::Malformed`] if one of the three is not what a registry could have.
pub fn parse_reference(text: &str) -> Result<ImageRef, ImageError> {
    let malformed = || ImageError::Malformed(text.to_owned());
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
        Some(_) => return Err(malformed()),
        None => (text, None),
    };
    let (name, tag) = split_tag(rest);
    if tag.is_some_and(|tag| !is_tag_for_reference(tag)) || split_base(name, 2).is_none() {
        return Err(malformed());
    }
    Ok(ImageRef { name: name.to_owned(), tag: tag.map(str::to_owned), digest })
}

/// Whether `tag` follows the grammar of the distribution specification: 1 to 128 of `[A-Za-z0-9._-]`, not beginning
/// with `.` or `-`.
///
/// Source: OCI distribution-spec, "Pulling manifests".
pub fn is_valid_tag(tag: &str) -> bool {
    // No early exit: so the loop over a short tag becomes a few vector instructions.
    let strange = tag.bytes().fold(0, |strange, byte| strange | u8::from(!is_tag_byte(byte)));
    strange == 0 && has_shape_of_tag(tag)
}

/// What [`is_valid_tag`] asks beside [`is_tag_byte`]: length and first byte.
pub(super) fn has_shape_of_tag(tag: &str) -> bool {
    tag.len() <= 128 && tag.as_bytes().first().is_some_and(|first| !matches!(first, b'.' | b'-'))
}

/// Whether a tag can have this byte.
pub(super) fn is_tag_byte(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter || digit || byte == b'.' || byte == b'_' || byte == b'-'
}

/// `sha256:` and 64 hexadecimal digits in lower case.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// The tag of a reference may begin with any of its characters, unlike a tag that can be pushed.
fn is_tag_for_reference(tag: &str) -> bool {
    (1..=128).contains(&tag.len()) && tag.bytes().all(is_tag_byte)
}

/// What stands before the last colon and behind it, if no slash follows that colon.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((base, tag)) if !tag.contains('/') => (base, Some(tag)),
        _ => (text, None),
    }
}

/// The part of a tag or digest reference that names registry and repository.
fn base_of(image: &str) -> Option<&str> {
    if let Some(base) = without_tag(image) {
        return Some(base);
    }
    let (base, digest) = image.split_once('@')?;
    is_digest(digest).then(|| without_tag(base).unwrap_or(base))
}

/// What stands before the tag, if tag and name are possible.
fn without_tag(text: &str) -> Option<&str> {
    let (base, tag) = split_tag(text);
    (tag.is_none_or(is_tag_for_reference) && split_base(base, 1).is_some()).then_some(base)
}

/// Registry and repository, if both are possible; `shortest` is the least number of bytes in a repository's name.
///
/// Flux's two controllers disagree about a name of one letter: the scanner takes it, the setters refuse it.
fn split_base(base: &str, shortest: usize) -> Option<(String, &str)> {
    let (registry, repository) = match base.split_once('/') {
        Some((host, rest)) if host == "localhost" || host.contains(['.', ':']) => (host, rest),
        _ => ("", base),
    };
    let fits = (shortest..=255).contains(&repository.len())
        && repository
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-./".contains(&byte));
    if !fits || !is_authority(registry) {
        return None;
    }
    let registry = if registry.is_empty() || registry == "docker.io" { DOCKER_HUB } else { registry };
    Some((registry.to_owned(), repository))
}

/// Whether `registry` can be the host of an address: no user, a numeric port, nothing that would need escaping.
///
/// Source: golang/go, `src/net/url/url.go` (parseHost), which takes more than RFC 3986 allows.
fn is_authority(registry: &str) -> bool {
    let allowed = |byte: u8| {
        !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]<>\"".contains(&byte)
    };
    let port = match registry.rfind('[') {
        Some(0) => {
            let Some((address, port)) = registry.rsplit_once(']') else { return false };
            if address.strip_prefix('[').is_none_or(|address| address.parse::<Ipv6Addr>().is_err()) {
                return false;
            }
            port
        }
        Some(_) => return false,
        None => registry.rfind(':').and_then(|colon| registry.get(colon..)).unwrap_or_default(),
    };
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    registry.bytes().all(allowed) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Hosts for which plain HTTP may be tried without being asked for.
///
/// Source: google/go-containerregistry, `pkg/name/registry.go` (Scheme).
fn is_local(registry: &str) -> bool {
    let is_port =
        |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match registry.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => registry,
    };
    let before_colon = registry.split(':').next().unwrap_or_default();
    registry.starts_with("localhost:")
        || host.ends_with(".localhost")
        || matches!(host, "127.0.0.1" | "[::1]")
        || registry == "::1"
        || before_colon.parse::<Ipv4Addr>().is_ok_and(|address| address.is_private())
}

/// Docker Hub's own images live in `library/`.
fn with_library(registry: &str, repository: &str) -> String {
    if registry == DOCKER_HUB && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_port_is_no_tag() {
        let reference = parse_reference("localhost:5000/app").unwrap();
        assert_eq!((reference.name.as_str(), reference.tag), ("localhost:5000/app", None));
        let reference = parse_reference("localhost:5000/app:v1").unwrap();
        assert_eq!((reference.name.as_str(), reference.tag.as_deref()), ("localhost:5000/app", Some("v1")));
    }

    #[test]
    fn a_digest_must_be_one() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let reference = parse_reference(&format!("a/b:1@{digest}")).unwrap();
        assert_eq!((reference.tag.as_deref(), reference.digest), (Some("1"), Some(digest)));
        parse_reference("a/b@sha256:abc").unwrap_err();
        parse_reference("a/b:").unwrap_err();
        parse_reference("").unwrap_err();
        parse_reference("A/b").unwrap_err();
        let without_tag = format!("a/b:@sha256:{}", "a".repeat(64));
        assert_eq!(ImageName::parse(&without_tag, false), Err(ImageError::Malformed(without_tag.clone())));
    }

    #[test]
    fn hosts_are_what_go_takes_for_one() {
        let read = |host: &str| ImageName::parse(&format!("{host}/o/web"), false).map(|name| name.scheme());
        for host in ["é.de", "a.b:5000:6000", "<a.b>", "[2001:db8::1]:80", "127.0.0.1:999999", "a.localhost:"]
        {
            assert_eq!(read(host), Ok("https"), "{host}");
        }
        for host in ["::1", "[::1]:5000", "10.0.0.1:80:90", "a.localhost:80", "localhost:1:2"] {
            assert_eq!(read(host), Ok("http"), "{host}");
        }
        for host in ["[a.b]", "[10.0.0.1]", "a[::1]", "[::1", "a.b:x", "u@a.b", "a.b%41", "a.b\\c", "a.b|c"] {
            read(host).unwrap_err();
        }
    }

    #[test]
    fn tags_follow_the_grammar_of_the_specification() {
        for tag in ["1", "_a", "v1.2.3-rc.1_x", &"a".repeat(128)] {
            assert!(is_valid_tag(tag), "{tag}");
        }
        for tag in ["", ".a", "-a", "a+b", "a b", "a\u{1b}", "é", &"a".repeat(129)] {
            assert!(!is_valid_tag(tag), "{tag}");
        }
    }

    #[test]
    fn names_are_taken_and_refused_as_by_flux() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let text = |image: &str| {
            ImageName::parse(image, false).map_or_else(|error| error.to_string(), |name| name.canonical())
        };
        let pinned = format!("a@{digest}");
        assert!(text(&pinned).ends_with(&format!("remove ':{}'", "0".repeat(64))));
        assert!(text(&format!("a:3@{digest}")).ends_with("remove ':3@sha256'"));
        // What stands before the digest is no tag, so this is no reference at all.
        for image in [format!("a:b!@{digest}"), format!("a:@{digest}"), format!("a@{digest}@{digest}")] {
            assert_eq!(text(&image), format!("could not parse reference: {image}"));
        }
        assert_eq!(text("[::1]:5000/a"), "[::1]:5000/a");
        assert_eq!(text("é.example/a"), "é.example/a");
        for image in ["[v1]/a", "[::1/a", "u@h.io/a", "h.io:http/a", "h h.io/a"] {
            assert_eq!(text(image), format!("could not parse reference: {image}"), "{image}");
        }
    }

    proptest! {
        #[test]
        fn a_reference_prints_as_it_was_parsed(text in "[a-z0-9./:@_-]{0,40}") {
            if let Ok(reference) = parse_reference(&text) {
                prop_assert_eq!(reference.to_string(), text);
            }
        }

        #[test]
        fn a_canonical_name_stays_what_it_is(text in "([a-z.]{1,8}(:[0-9]{1,3})?/)?[a-z_/]{1,12}") {
            if let Ok(name) = ImageName::parse(&text, false) {
                let canonical = name.canonical();
                prop_assert_eq!(ImageName::parse(&canonical, false).map(|name| name.canonical()), Ok(canonical));
            }
        }

        #[test]
        fn no_text_upsets_the_parsers(text in any::<String>()) {
            let _ = parse_reference(&text);
            let _ = ImageName::parse(&text, false);
        }

        #[test]
        fn tag_bytes_are_the_specified_ones(byte in any::<u8>()) {
            prop_assert_eq!(is_tag_byte(byte), byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        }
    }
}
