//! Asking one registry with every credential that a scan would try: what `doctor registry` wants to know.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Engine, World};
use crate::domain::object::ObjectId;
use crate::domain::reference::ImageName;
use crate::problem::Problem;
use crate::registry::{Examination, Keyring, ListRequest, Wish};

/// How long one registry may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A registry, or a repository of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    image: ImageName,
    wish: Wish,
}

/// What a registry said to those who ask for one `ImageRepository`, or without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The host, such as `index.docker.io`.
    pub host: String,
    /// What was asked for: `ghcr.io/acme/web`, or the host alone.
    pub subject: String,
    /// Whose credentials were tried; `None`: those that need no object.
    pub repository: Option<ObjectId>,
    /// What came of it.
    pub examination: Examination,
}

/// What tells those apart who ask one registry: their credentials, whom they trust on which way, what keeps them from asking,
/// and whether plain HTTP will do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asker {
    keyring: [u8; 32],
    scheme: &'static str,
}

impl Asker {
    pub(super) fn of(image: &ImageName, keyring: &Keyring) -> Self {
        Self { keyring: keyring.fingerprint(&image.registry, &image.repository), scheme: image.scheme() }
    }
}

impl Place {
    /// Reads `HOST` or `IMAGE`: without a slash, what has a dot or a port, or is `localhost`, is a host.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_host = !text.contains('/') && (text.contains(['.', ':']) || text == "localhost");
        let (written, wish) = if is_host {
            // A host of images has a repository; which one does not matter to being let in.
            let host = if text == "docker.io" { "index.docker.io" } else { text };
            (format!("{host}/any"), Wish::Entry)
        } else {
            (text.to_owned(), Wish::Tags)
        };
        let image = ImageName::parse(&written, false).map_err(|error| error.problem(text))?;
        Ok(Self { image, wish })
    }

    fn subject(&self, image: &ImageName) -> String {
        if self.wish == Wish::Tags { image.canonical() } else { image.registry.clone() }
    }
}

impl Engine {
    /// Asks as a scan of each `ImageRepository` at `place` would, once for all that ask alike; without an object as `scan --image`
    /// would.
    pub async fn examine(&self, world: &World, place: &Place) -> Vec<Examined> {
        let mut seen = BTreeSet::new();
        let at = self.at(world, place).into_iter();
        let other = at.filter(|(_, image, keyring)| seen.insert(Asker::of(image, keyring)));
        let mut asked: Vec<_> =
            other.map(|(id, image, keyring)| self.examine_one(place, Some(id), image, keyring)).collect();
        if asked.is_empty() {
            asked.push(self.examine_one(place, None, place.image.clone(), self.plain_keyring().0));
        }
        futures::future::join_all(asked).await
    }

    /// The objects at a place, with what each may show there.
    fn at(&self, world: &World, place: &Place) -> Vec<(ObjectId, ImageName, Keyring)> {
        let all = world.inventory.repositories.values().filter_map(|repository| {
            let image = ImageName::parse(&repository.image, repository.insecure).ok()?;
            let same = image.registry == place.image.registry
                && (place.wish == Wish::Entry || image.repository == place.image.repository);
            same.then(|| (repository.meta.id.clone(), image, self.keyring(world, repository).0))
        });
        all.collect()
    }

    async fn examine_one(
        &self,
        place: &Place,
        repository: Option<ObjectId>,
        image: ImageName,
        keyring: Keyring,
    ) -> Examined {
        let timeout = PATIENCE.min(self.settings.timeout.0);
        let request = ListRequest { image: &image, timeout, keyring: &keyring };
        // What is asked of a host is asked of the repository of the object: its secret may be for that alone.
        let wish = if repository.is_some() { Wish::Tags } else { place.wish };
        let examination = self.registry.examine(&request, wish).await;
        let subject = if wish == Wish::Tags { image.canonical() } else { place.subject(&image) };
        Examined { host: image.registry.clone(), subject, repository, examination }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Wish) {
        let place = Place::parse(text).unwrap();
        (place.subject(&place.image), place.wish)
    }

    #[test]
    fn a_host_is_told_from_an_image() {
        assert_eq!(read("ghcr.io"), ("ghcr.io".into(), Wish::Entry));
        assert_eq!(read("localhost"), ("localhost".into(), Wish::Entry));
        assert_eq!(read("127.0.0.1:5000"), ("127.0.0.1:5000".into(), Wish::Entry));
        assert_eq!(read("docker.io"), ("index.docker.io".into(), Wish::Entry));
        assert_eq!(read("alpine"), ("index.docker.io/library/alpine".into(), Wish::Tags));
        assert_eq!(read("ghcr.io/acme/web"), ("ghcr.io/acme/web".into(), Wish::Tags));
        assert!(Place::parse("https://ghcr.io").is_err());
    }
}
