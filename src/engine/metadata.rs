//! What stands behind a tag: from the cache, and from the registry where that is due.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::reflect::ImagePlace;
use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::metadata::{Described, Metadata, Moved, Signature};
use crate::domain::object::ObjectId;
use crate::domain::reference::{ImageName, is_valid_tag};
use crate::domain::tags::TagList;
use crate::problem::{Code, Problem};
use crate::registry::Resolved;
use crate::store::KnownImages;

/// How long it is believed that a tag still stands for what it did, in seconds.
const FRESH: i64 = 600;
/// How long a registry is given to tell what is only shown.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked about a tag.
#[derive(Debug, Clone, Copy)]
pub struct TagQuestion<'a> {
    /// The `ImageRepository`.
    pub repository: &'a ObjectId,
    /// The tag.
    pub tag: &'a str,
    /// The repository's tags, to look for a signature's among them; `None`: signatures do not matter.
    pub tags: Option<&'a TagList>,
}

impl Engine {
    /// What the cache has of a repository's tags; nobody is asked.
    pub fn known_images(&self, world: &World, repository: &ObjectId) -> KnownImages {
        let object = world.inventory.repositories.get(repository);
        let name = object.and_then(|object| ImageName::parse(&object.image, object.insecure).ok());
        name.map(|name| self.store.metadata().read(&name.canonical())).unwrap_or_default()
    }

    /// Whether the registry of a repository counts how often it is asked, and said how much is left.
    pub fn is_counted(&self, world: &World, repository: &ObjectId) -> bool {
        let object = world.inventory.repositories.get(repository);
        let name = object.and_then(|object| ImageName::parse(&object.image, object.insecure).ok());
        name.is_some_and(|name| self.budget(&name).is_some())
    }

    /// What a tag stands for: as it was told within the last ten minutes, else as the registry tells now. `None`: nothing
    /// is known, and nobody may be asked.
    ///
    /// # Errors
    /// A tag that no registry can have, or why the registry could not say.
    pub async fn describe(
        &self,
        world: &World,
        question: TagQuestion<'_>,
        refresh: Refresh,
    ) -> Result<Option<Described>, Problem> {
        let subject = || format!("{}:{}", question.repository, question.tag);
        let unknown = || Problem::new(Code::NotFound, subject(), "there is no such ImageRepository");
        let object = world.inventory.repositories.get(question.repository).ok_or_else(unknown)?;
        if !is_valid_tag(question.tag) {
            return Err(Problem::new(
                Code::ImageInvalid,
                subject(),
                "this is no tag that a registry could serve",
            ));
        }
        let place = ImagePlace::of(self, world, &object.image, Some(object))?;
        let canonical = place.name.canonical();
        let (store, name) = (Arc::clone(&self.store), canonical.clone());
        let known = blocking(move || Ok(store.metadata().read(&name))).await?;
        if !is_due(&known, &question, refresh, super::now()) {
            return Ok(described(&known, question.tag));
        }
        let known = self
            .ask(place, &question, known, canonical)
            .await
            .map_err(|error| Problem { subject: subject(), ..error })?;
        Ok(described(&known, question.tag))
    }

    /// Asks the registry for what is not known, and keeps what it says, even if that is not all.
    async fn ask(
        &self,
        place: ImagePlace,
        question: &TagQuestion<'_>,
        known: KnownImages,
        canonical: String,
    ) -> Result<KnownImages, Problem> {
        let place = ImagePlace { timeout: place.timeout.min(PATIENCE), ..place };
        let before = known.tags.get(question.tag).map(|tag| tag.digest.as_str());
        let failed = |error: crate::registry::RegistryError| error.problem(question.tag);
        let resolved = self.registry.resolve(&place.request(), question.tag, before).await.map_err(failed)?;
        let digest = &resolved.digest;
        let image = match known.images.get(digest) {
            Some(_) => Ok(None),
            None => self.registry.describe(&place.request(), digest).await.map(Some).map_err(failed),
        };
        let signature = self.signature(&place, question, digest).await;
        let (told, failure) = match image {
            Ok(image) => (image, None),
            Err(failure) => (None, Some(failure)),
        };
        let known = self.remember(canonical, question.tag, (resolved, told, signature)).await?;
        failure.map_or(Ok(known), Err)
    }

    async fn remember(
        &self,
        canonical: String,
        tag: &str,
        (resolved, image, signature): (Resolved, Option<Metadata>, Option<Signature>),
    ) -> Result<KnownImages, Problem> {
        let (store, tag, now) = (Arc::clone(&self.store), tag.to_owned(), super::now());
        blocking(move || {
            store.first_seen().observe_digests(&canonical, [(tag.as_str(), resolved.digest.as_str())], now);
            store.first_seen().settle();
            Ok(store.metadata().update(&canonical, now, |known| {
                known.observe(&tag, &resolved.digest, resolved.pushed, now);
                known.signatures.extend(signature.map(|found| (resolved.digest.clone(), found)));
                known.images.extend(image.map(|image| (image.digest.clone(), image)));
            }))
        })
        .await
    }

    /// Notes what tags stand for, as the registry just said; [`Self::settle_ledgers`] ends the pass.
    pub(super) async fn observe(
        &self,
        canonical: String,
        told: Vec<(String, Resolved)>,
    ) -> Result<(), Problem> {
        let (store, now) = (Arc::clone(&self.store), super::now());
        blocking(move || {
            let digests = told.iter().map(|(tag, resolved)| (tag.as_str(), resolved.digest.as_str()));
            store.first_seen().observe_digests(&canonical, digests, now);
            store.metadata().update(&canonical, now, |known| {
                for (tag, resolved) in &told {
                    known.observe(tag, &resolved.digest, resolved.pushed, now);
                }
            });
            Ok(())
        })
        .await
    }

    /// Whether a signature is attached; `None` if that does not matter. The tag list tells of cosign's tags; the registry is
    /// asked for others, each time: one may have come, or gone.
    async fn signature(
        &self,
        place: &ImagePlace,
        question: &TagQuestion<'_>,
        digest: &str,
    ) -> Option<Signature> {
        let tags = question.tags?;
        if tags.position(&Signature::tag_of(digest)).is_some() {
            return Some(Signature::Tag);
        }
        let is_tagged = tags.position(&Signature::list_of(digest)).is_some();
        match self.registry.signature(&place.request(), digest, is_tagged).await {
            // Without a list of the registry's signatures are tags, and the list of tags is whole.
            Ok(Signature::Unknown) if !is_tagged => Some(Signature::None),
            // A registry that did not say is asked again, and until it does nothing else is believed either.
            asked => Some(asked.unwrap_or_default()),
        }
    }
}

/// Whether the registry is to be asked.
fn is_due(known: &KnownImages, question: &TagQuestion<'_>, refresh: Refresh, now: Timestamp) -> bool {
    let tag = known.tags.get(question.tag);
    let age = tag.map(|tag| now.as_second() - tag.asked.as_second());
    // A clock that went back ends the belief too.
    let is_fresh = age.is_some_and(|age| (0..FRESH).contains(&age));
    let is_whole = tag.is_some_and(|tag| {
        let told =
            known.signatures.get(&tag.digest).is_some_and(|signature| *signature != Signature::Unknown);
        let has_signature = question.tags.is_none() || told;
        known.images.contains_key(&tag.digest) && has_signature
    });
    match refresh {
        Refresh::Never => false,
        Refresh::Always => true,
        Refresh::Auto => !(is_fresh && is_whole),
    }
}

/// What is known of a tag, if that is anything.
fn described(known: &KnownImages, tag: &str) -> Option<Described> {
    let seen = known.tags.get(tag)?;
    Some(Described {
        metadata: known.images.get(&seen.digest)?.clone(),
        asked: seen.asked,
        pushed: seen.pushed,
        signature: known.signatures.get(&seen.digest).cloned().unwrap_or_default(),
        also: known.also(tag, &seen.digest),
        moved: seen.before.clone().map(|from| Moved { from, seen: seen.since }),
    })
}
