//! What stands behind a tag: its digest, what the digest is of, and whether a signature refers to it.
//!
//! Asked in steps, so that what is known of a digest is not asked again: [`Client::resolve`] costs one `HEAD` request,
//! which counts towards no pull limit; [`Client::describe`] reads a manifest, of an index one more, and a configuration.

use futures::FutureExt as _;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};

use super::ListRequest;
use super::client::Client;
use super::error::RegistryError;
use super::keyring::Credential;
use super::manifest::{self, Manifest, Notes, Single};
use super::paging::Trail;
use super::session::{Knowledge, MANIFEST_TYPES, Session};
use super::wire::{Ask, Reply};
use crate::domain::metadata::{Kind, Metadata, Signature, Size};

/// The largest manifest and configuration that are read, in bytes; registries take no larger manifests.
///
/// Source: opencontainers/distribution-spec:spec.md, "Pushing Manifests".
const LARGEST: usize = 4 << 20;

/// What manifests are accepted when a digest is asked for: whatever has it.
const ANY_MANIFEST: &str = "application/vnd.oci.image.index.v1+json,\
    application/vnd.docker.distribution.manifest.list.v2+json,application/vnd.oci.image.manifest.v1+json,\
    application/vnd.docker.distribution.manifest.v2+json,application/vnd.oci.artifact.manifest.v1+json,\
    application/vnd.docker.distribution.manifest.v1+prettyjws,application/vnd.docker.distribution.manifest.v1+json";
/// How many pages of a list of referrers are read.
const MOST_PAGES: usize = 20;
/// A list of referrers.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Parts of the types of what signs an image: cosign's, sigstore's bundles, notation's.
///
/// Sources: sigstore/cosign:`specs/{SIGNATURE_SPEC,BUNDLE_SPEC}.md`; notaryproject/specifications:specs/signature-specification.md.
const SIGNATURES: [&str; 4] = [
    "application/vnd.dev.cosign.artifact.sig.",
    "application/vnd.dev.cosign.simplesigning.",
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.cncf.notary.signature",
];

/// What a tag stands for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The digest.
    pub digest: String,
    /// When the registry last took in what it serves there, if it says so (`Last-Modified`).
    pub pushed: Option<Timestamp>,
}

impl Client {
    /// What `tag` stands for now; `known` is the digest that it had before, which need not be sent again.
    ///
    /// By `HEAD`; where a registry does not know that, or leaves the digest out, by `GET`, and the digest is then that
    /// of the bytes that came.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn resolve(
        &self,
        request: &ListRequest<'_>,
        tag: &str,
        known: Option<&str>,
    ) -> Result<Resolved, RegistryError> {
        self.with_credentials(request, &(tag, known), |session, credential, (tag, known)| {
            session.resolve(credential, tag, *known).boxed()
        })
        .await
    }

    /// What `digest` is the digest of.
    ///
    /// # Errors
    /// [`RegistryError`]; [`RegistryError::BadAnswer`] too if what comes is something else.
    pub async fn describe(&self, request: &ListRequest<'_>, digest: &str) -> Result<Metadata, RegistryError> {
        self.with_credentials(request, digest, |session, credential, digest| {
            session.describe(credential, digest).boxed()
        })
        .await
    }

    /// Whether the registry lists a signature that refers to `digest`; [`Signature::Unknown`] where it lists no
    /// referrers. Where it has the tag under which clients keep such a list instead (`is_tagged`), that is read.
    ///
    /// # Errors
    /// [`RegistryError`].
    ///
    /// Source: opencontainers/distribution-spec:spec.md, "Listing Referrers", "Referrers Tag Schema".
    pub async fn signature(
        &self,
        request: &ListRequest<'_>,
        digest: &str,
        is_tagged: bool,
    ) -> Result<Signature, RegistryError> {
        self.with_credentials(request, &(digest, is_tagged), |session, credential, (digest, is_tagged)| {
            session.signature(credential, digest, *is_tagged).boxed()
        })
        .await
    }
}

/// A question about one manifest or blob, asked once: nothing that is only shown is worth a wait.
fn ask(url: url::Url, accept: Option<&'static str>) -> Ask {
    Ask { accept, at_most: Some(LARGEST), attempts: 1, ..Ask::get(url) }
}

fn bad(ask: &Ask) -> impl Fn(String) -> RegistryError {
    let request = ask.text();
    move |reason| RegistryError::BadAnswer { request: request.clone(), reason }
}

/// A tag still stands for what it was known by.
fn unchanged(reply: &Reply, known: Option<&str>) -> Resolved {
    Resolved { digest: known.unwrap_or_default().to_owned(), pushed: pushed(reply) }
}

fn pushed(reply: &Reply) -> Option<Timestamp> {
    reply.header("last-modified").and_then(|text| rfc2822::parse(text).ok()).map(|time| time.timestamp())
}

impl Session<'_> {
    async fn resolve(
        &self,
        credential: &Credential,
        tag: &str,
        known: Option<&str>,
    ) -> Result<Resolved, RegistryError> {
        let registry = self.registry().await?;
        let url = self.address(&registry, &format!("manifests/{tag}"))?;
        let tag = known.and_then(|known| HeaderValue::from_str(&format!("\"{known}\"")).ok());
        let asked = Ask { known: tag, ..ask(url, Some(MANIFEST_TYPES)) };
        let head = Ask { method: Method::HEAD, ..asked.clone() };
        match self.authorized(&registry, &head, credential).await {
            Ok(reply) if reply.status == StatusCode::NOT_MODIFIED => return Ok(unchanged(&reply, known)),
            Ok(reply) => {
                let digest = reply.header("docker-content-digest").filter(|text| manifest::is_digest(text));
                if let Some(digest) = digest {
                    return Ok(Resolved { digest: digest.to_owned(), pushed: pushed(&reply) });
                }
            }
            Err(error) if !is_no_head(&error) => return Err(error),
            // It may be that only the method is unknown.
            Err(_no_head) => {}
        }
        self.resolve_whole(&registry, credential, &asked, known).await
    }

    /// The digest of a tag from the manifest itself.
    async fn resolve_whole(
        &self,
        registry: &Knowledge,
        credential: &Credential,
        get: &Ask,
        known: Option<&str>,
    ) -> Result<Resolved, RegistryError> {
        let reply = self.authorized(registry, get, credential).await?;
        if reply.status == StatusCode::NOT_MODIFIED {
            return Ok(unchanged(&reply, known));
        }
        manifest::read_manifest(&reply.body).map_err(bad(get))?;
        let digest = match reply.header("docker-content-digest").filter(|text| manifest::is_digest(text)) {
            Some(said) => {
                manifest::verify(&reply.body, said).map_err(bad(get))?;
                said.to_owned()
            }
            None => manifest::digest_of(&reply.body),
        };
        Ok(Resolved { digest, pushed: pushed(&reply) })
    }

    async fn describe(&self, credential: &Credential, digest: &str) -> Result<Metadata, RegistryError> {
        let registry = self.registry().await?;
        match self.manifest(&registry, credential, digest).await? {
            Manifest::Single(single) => self.image(&registry, credential, digest, single).await,
            Manifest::Index(index) => {
                let mut metadata = Metadata { kind: Kind::Index, ..metadata(digest, index.notes) };
                metadata.platforms = index.platforms;
                let Some(child) = index.chosen else { return Ok(metadata) };
                let Manifest::Single(single) = self.manifest(&registry, credential, &child.digest).await?
                else {
                    // An index in an index: there is no telling which image is meant.
                    return Ok(metadata);
                };
                let inner = self.image(&registry, credential, &child.digest, single).await?;
                metadata.created = metadata.created.or(inner.created);
                metadata.labels = metadata.labels.or(&inner.labels);
                metadata.size = inner.size.map(|size| Size { platform: child.platform, ..size });
                Ok(metadata)
            }
        }
    }

    /// What one manifest describes, with its configuration if it is an image.
    async fn image(
        &self,
        registry: &Knowledge,
        credential: &Credential,
        digest: &str,
        single: Single,
    ) -> Result<Metadata, RegistryError> {
        let mut found = metadata(digest, single.notes);
        found.size = single.size.map(|bytes| Size { bytes, platform: None });
        found.platforms.extend(single.platform);
        if let Some(artifact) = single.artifact {
            found.kind = Kind::Artifact(artifact);
        }
        let Some(config) = single.config else { return Ok(found) };
        let config = self.config(registry, credential, &config).await?;
        // What the image itself says comes before what stands on the box.
        found.created = config.notes.created.or(found.created);
        found.labels = config.notes.labels.or(&found.labels);
        found.platforms.extend(config.platform);
        Ok(found)
    }

    async fn manifest(
        &self,
        registry: &Knowledge,
        credential: &Credential,
        digest: &str,
    ) -> Result<Manifest, RegistryError> {
        let ask = ask(self.address(registry, &format!("manifests/{digest}"))?, Some(ANY_MANIFEST));
        self.verified(registry, credential, &ask, digest, manifest::read_manifest).await
    }

    /// An image's configuration, which the registry may keep elsewhere; our login does not go there.
    async fn config(
        &self,
        registry: &Knowledge,
        credential: &Credential,
        digest: &str,
    ) -> Result<manifest::Config, RegistryError> {
        let ask = ask(self.address(registry, &format!("blobs/{digest}"))?, None);
        self.verified(registry, credential, &ask, digest, manifest::read_config).await
    }

    /// What `read` makes of the bytes that come, if `digest` is theirs.
    async fn verified<T>(
        &self,
        registry: &Knowledge,
        credential: &Credential,
        ask: &Ask,
        digest: &str,
        read: impl FnOnce(&[u8]) -> Result<T, String> + Send,
    ) -> Result<T, RegistryError> {
        let reply = self.authorized(registry, ask, credential).await?;
        manifest::verify(&reply.body, digest).and_then(|()| read(&reply.body)).map_err(bad(ask))
    }

    async fn signature(
        &self,
        credential: &Credential,
        digest: &str,
        is_tagged: bool,
    ) -> Result<Signature, RegistryError> {
        let registry = self.registry().await?;
        match self.listed(&registry, credential, &format!("referrers/{digest}")).await? {
            Signature::Unknown if is_tagged => {
                self.listed(&registry, credential, &format!("manifests/{}", Signature::list_of(digest))).await
            }
            found => Ok(found),
        }
    }

    /// Whether a list of what refers to an image has a signature in it, on whichever page.
    async fn listed(
        &self,
        registry: &Knowledge,
        credential: &Credential,
        place: &str,
    ) -> Result<Signature, RegistryError> {
        let (mut next, mut trail) = (self.address(registry, place)?, Trail::default());
        for _ in 0..MOST_PAGES {
            let page = ask(next, Some(INDEX));
            let reply = match self.authorized(registry, &page, credential).await {
                Ok(reply) => reply,
                Err(error) if is_unsupported(&error) => return Ok(Signature::Unknown),
                Err(error) => return Err(error),
            };
            // Registries that know no such list answer with whatever they have.
            let Ok(Manifest::Index(index)) = manifest::read_manifest(&reply.body) else {
                return Ok(Signature::Unknown);
            };
            let signs = |kind: &String| SIGNATURES.iter().any(|known| kind.starts_with(known));
            if let Some(found) = index.artifact_types.into_iter().find(signs) {
                return Ok(Signature::Referrer(found));
            }
            let Some(url) = trail.next(&reply.url, reply.header("link")).map_err(bad(&page))? else {
                return Ok(Signature::None);
            };
            next = url;
        }
        Err(bad(&ask(next, None))(format!(
            "the list of what refers to an image goes on after {MOST_PAGES} pages"
        )))
    }
}

fn metadata(digest: &str, notes: Notes) -> Metadata {
    Metadata {
        digest: digest.to_owned(),
        kind: Kind::Image,
        created: notes.created,
        platforms: Vec::new(),
        size: None,
        labels: notes.labels,
    }
}

/// Whether an answer to `HEAD` may mean that the method is not known. One that means what it says costs one question
/// more, whose answer has the reason in it.
fn is_no_head(error: &RegistryError) -> bool {
    match error {
        RegistryError::NotFound { .. } => true,
        RegistryError::Status { answer, .. } => matches!(answer.status, 400 | 405 | 501),
        _ => false,
    }
}

/// Whether a registry has no list of referrers; one that refuses it, or is in trouble, may have one.
fn is_unsupported(error: &RegistryError) -> bool {
    match error {
        RegistryError::NotFound { .. } => true,
        RegistryError::Status { answer, .. } => matches!(answer.status, 400 | 405 | 406 | 410 | 415 | 501),
        _ => false,
    }
}
