//! Digests: asking registries for those that are due, remembering what each policy has, and whether what a plan
//! writes is still there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{Engine, Evaluated, World, blocking};
use crate::config::Refresh;
use crate::domain::age::Clocks;
use crate::domain::object::{DigestPolicy, ImagePolicy, ImageRepository, ObjectId};
use crate::domain::plan::{Plan, Stale};
use crate::domain::proposal::{Proposal, Reference};
use crate::domain::reference::ImageName;
use crate::domain::reflection::{Ask, Reflection, Selected};
use crate::git::{GitUrl, redact};
use crate::problem::{Code, Problem};
use crate::registry::{Keyring, ListRequest, RegistryError, Resolved};

/// When a question that failed is asked again, in seconds.
const AGAIN: i64 = 60;

/// The passes of some policies: what they had before, and what became of them.
pub struct Passes {
    engine: Engine,
    world: Arc<World>,
    refresh: Refresh,
    source: String,
    known: BTreeMap<String, Reflection>,
    news: Mutex<BTreeMap<String, Reflection>>,
}

impl Engine {
    /// Begins a pass over policies of `world`, with what is remembered of them.
    ///
    /// # Errors
    /// Only a bug of ours.
    pub async fn passes(&self, world: &Arc<World>, refresh: Refresh) -> Result<Passes, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            let source = source_of(&world);
            let known = engine.store.reflections().read(&source);
            Ok(Passes { engine, world, refresh, source, known, news: Mutex::default() })
        })
        .await
    }

    /// What is remembered of one policy; nobody is asked.
    pub fn reflection(&self, world: &World, policy: &ImagePolicy) -> Reflection {
        self.store.reflections().read(&source_of(world)).remove(&key_of(world, policy)).unwrap_or_default()
    }

    /// Asks the registries whether everything that `plan` would write is still there: each tag, each digest, and under
    /// [`DigestPolicy::Always`] that the tag still has the digest.
    ///
    /// # Errors
    /// The first that is gone or elsewhere ([`Code::StalePlan`]), or why a registry could not say.
    pub(super) async fn check_images(&self, world: &World, plan: &Plan) -> Result<(), Problem> {
        let updates = plan.groups.iter().flat_map(|group| &group.updates);
        let approved: Vec<&Proposal> = updates.filter(|update| update.is_approved()).collect();
        self.one_host(approved.iter().filter_map(|update| ImageName::parse(&update.image, false).ok()))?;
        let questions = approved.iter().map(|update| self.check_image(world, update));
        futures::future::join_all(questions).await.into_iter().collect()
    }

    async fn check_image(&self, world: &World, update: &Proposal) -> Result<(), Problem> {
        let Some(new) = &update.new else { return Ok(()) };
        let policy = world.inventory.policies.get(&update.policy);
        let repository = policy.and_then(|policy| world.inventory.repositories.get(&policy.repository));
        let place = ImagePlace::of(self, world, &update.image, repository)?;
        let named = format!("{}:{}", update.image, new.tag);
        let found = self.present(&place, &new.tag, &named, update).await?;
        let Some(digest) = &new.digest else { return Ok(()) };
        if found == *digest {
            return Ok(());
        }
        if policy.is_some_and(|policy| policy.digest_policy == DigestPolicy::Always) {
            return Err(Stale::Repointed { image: named, planned: digest.clone(), found }.into());
        }
        self.present(&place, digest, &format!("{}@{digest}", update.image), update).await.map(drop)
    }

    /// The digest of a tag or digest that has to be there.
    async fn present(
        &self,
        place: &ImagePlace,
        reference: &str,
        named: &str,
        update: &Proposal,
    ) -> Result<String, Problem> {
        self.registry.digest(&place.request(), reference).await.map_err(|error| match error.code() {
            Code::RegistryNotFound => Stale::Gone { image: named.to_owned() }.into(),
            _ => error.problem(update.policy.to_string()),
        })
    }
}

/// Where an image lies, and what to log in with.
pub(super) struct ImagePlace {
    pub(super) name: ImageName,
    pub(super) keyring: Keyring,
    pub(super) timeout: Duration,
}

impl ImagePlace {
    /// As `repository` says; without one, as for an image that no object describes.
    pub(super) fn of(
        engine: &Engine,
        world: &World,
        image: &str,
        repository: Option<&ImageRepository>,
    ) -> Result<Self, Problem> {
        // Flux forgets `insecure` here, so that what it can scan it may not be able to resolve.
        let insecure = repository.is_some_and(|repository| repository.insecure);
        let name = ImageName::parse(image, insecure).map_err(|error| error.problem(image))?;
        let longest = engine.settings.timeout.0;
        let (keyring, timeout) = match repository {
            Some(repository) => (engine.keyring(world, repository).0, engine.scan_timeout(repository)),
            None => (engine.plain_keyring().0, longest),
        };
        Ok(Self { name, keyring, timeout })
    }

    pub(super) fn request(&self) -> ListRequest<'_> {
        ListRequest { image: &self.name, timeout: self.timeout, keyring: &self.keyring }
    }
}

impl Passes {
    /// Gives what a policy selects its digest and its predecessor, asking the registry if that is due.
    ///
    /// Where the digest cannot be had, the policy keeps what it had before, as in Flux; [`Evaluated::undigested`] says
    /// why, and without anything before it is what blocks the policy.
    pub async fn complete(&self, id: &ObjectId, mut evaluated: Evaluated) -> Evaluated {
        let Some(policy) = self.world.inventory.policies.get(id) else { return evaluated };
        let Ok(reference) = evaluated.selection.outcome.clone() else { return evaluated };
        let key = key_of(&self.world, policy);
        let (now, before) = (super::now(), self.known.get(&key).cloned().unwrap_or_default());
        let selected = Selected {
            image: &reference.image,
            tag: &reference.tag,
            policy: policy.digest_policy,
            interval: policy.interval.map(|interval| interval.0),
        };
        match self.ask(policy, &reference, before.ask(&selected, now)).await {
            Ok(fetched) => {
                let after = before.after(&selected, fetched, now);
                evaluated.ask_again = match after.ask(&selected, now) {
                    Ask::After(wait) if self.refresh != Refresh::Never => later(now, wait.as_secs()),
                    Ask::No | Ask::After(_) | Ask::Now => None,
                };
                evaluated.previous.clone_from(&after.previous);
                evaluated.selection.outcome = after.latest.clone().ok_or_else(|| nothing(id));
                if after != before {
                    self.news.lock().unwrap_or_else(PoisonError::into_inner).insert(key, after);
                }
            }
            Err(problem) => self.keep_previous(&mut evaluated, before, problem, now),
        }
        evaluated
    }

    /// Asks if that is due. `None`: there is nothing to ask, or what is remembered serves.
    async fn ask(
        &self,
        policy: &ImagePolicy,
        reference: &Reference,
        ask: Ask,
    ) -> Result<Option<String>, Problem> {
        let asks = match (ask, self.refresh) {
            (Ask::Now, Refresh::Never) => return Err(not_asked(policy, reference)),
            (Ask::Now, Refresh::Auto | Refresh::Always) | (Ask::After(_), Refresh::Always) => true,
            (Ask::After(wait), Refresh::Auto) => wait.is_zero(),
            (Ask::No, _) | (Ask::After(_), Refresh::Never) => false,
        };
        if !asks {
            return Ok(None);
        }
        let repository = self.world.inventory.repositories.get(&policy.repository);
        let place = ImagePlace::of(&self.engine, &self.world, &reference.image, repository)?;
        let digest = self.engine.registry.digest(&place.request(), &reference.tag).await;
        let digest = digest.map_err(|error| not_fetched(policy, reference, &error))?;
        let told = Resolved { digest: digest.clone(), pushed: None };
        self.engine.observe(place.name.canonical(), vec![(reference.tag.clone(), told)]).await?;
        Ok(Some(digest))
    }

    fn keep_previous(&self, evaluated: &mut Evaluated, before: Reflection, problem: Problem, now: Timestamp) {
        if self.refresh != Refresh::Never {
            evaluated.ask_again = now.checked_add(jiff::SignedDuration::from_secs(AGAIN)).ok();
        }
        evaluated.previous = before.previous;
        if let (Ok(selected), Some(kept)) = (&evaluated.selection.outcome, &before.latest)
            && (&selected.image, &selected.tag) != (&kept.image, &kept.tag)
        {
            evaluated.selection.why = format!("kept until the digest of {} is known", selected.tag);
            evaluated.selection.clocks = Clocks::default();
        }
        evaluated.selection.outcome = before.latest.ok_or_else(|| problem.clone());
        evaluated.undigested = Some(problem);
    }

    /// Remembers what became of the policies.
    ///
    /// # Errors
    /// Only a bug of ours.
    pub async fn keep(self) -> Result<(), Problem> {
        let news = self.news.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (store, source) = (Arc::clone(&self.engine.store), self.source);
        blocking(move || {
            store.first_seen().settle();
            store.reflections().update(&source, news, super::now().as_second());
            Ok(())
        })
        .await
    }
}

fn later(now: Timestamp, seconds: u64) -> Option<Timestamp> {
    now.checked_add(jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))).ok()
}

fn nothing(id: &ObjectId) -> Problem {
    Problem::new(Code::PolicyFailed, id.to_string(), "nothing is selected")
}

fn tagged(reference: &Reference) -> String {
    format!("{}:{}", reference.image, reference.tag)
}

/// Flux's words for a registry that did not give the digest, with our hint.
fn not_fetched(policy: &ImagePolicy, reference: &Reference, error: &RegistryError) -> Problem {
    let (name, text) = (tagged(reference), error.flux_text());
    let message =
        format!("failed fetching digest of {name}: failed fetching descriptor for {name:?}: {text}");
    Problem { message, ..error.problem(policy.meta.id.to_string()) }
}

/// The same for a registry that may not be asked.
fn not_asked(policy: &ImagePolicy, reference: &Reference) -> Problem {
    let message = format!("failed fetching digest of {}: no registry is asked", tagged(reference));
    Problem::new(Code::PolicyFailed, policy.meta.id.to_string(), message)
        .hint("No digest is remembered for this tag; run once without --refresh=never.")
}

/// Where the objects come from: the same for every folder of a branch, and for every clone of its repository.
pub(super) fn source_of(world: &World) -> String {
    let place = place_of(world);
    match &world.source_branch {
        Some(branch) => format!("{place}#{branch}"),
        None => place,
    }
}

fn place_of(world: &World) -> String {
    let identity = |url: &str| GitUrl::parse(url).map_or_else(|_| redact(url), |url| url.identity());
    if let Some(url) = &world.source_url {
        return identity(url);
    }
    match &world.checkout {
        Some(checkout) => match checkout.default_remote() {
            Some((_, address)) => identity(address),
            None => checkout.root.display().to_string(),
        },
        None => world
            .root
            .as_deref()
            .map_or_else(|| world.label.clone(), |root| whole(root).display().to_string()),
    }
}

/// A policy among those of its source: clusters in one repository often have policies of one name.
fn key_of(world: &World, policy: &ImagePolicy) -> String {
    let file = policy.meta.origin.file.as_deref().unwrap_or_default();
    let below = match (&world.root, &world.checkout) {
        (Some(root), Some(checkout)) => {
            whole(root).strip_prefix(whole(&checkout.root)).map(Path::to_owned).unwrap_or_default()
        }
        _ => std::path::PathBuf::new(),
    };
    format!("{} {}", below.join(file).display(), policy.meta.id)
}

/// Without `.`, `..` and links, where the folder still is.
fn whole(folder: &Path) -> std::path::PathBuf {
    folder.canonicalize().unwrap_or_else(|_gone| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::engine;
    use super::*;
    use crate::source::files::{self, SourceFile};

    #[test]
    fn a_digest_is_asked_for_by_the_scheme_of_the_scan() {
        let home = tempfile::tempdir().unwrap();
        let engine = engine(home.path());
        let object = |insecure| {
            let text = format!(
                "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: web}}\n\
                 spec: {{image: registry.example.com/web, interval: 1m, insecure: {insecure}}}\n"
            );
            let file = SourceFile { path: "web.yaml".into(), bytes: text.into_bytes() };
            let loaded = files::parse(&[file], "apps");
            loaded.inventory.repositories.into_values().next().unwrap()
        };
        for (insecure, scheme) in [(true, "http"), (false, "https")] {
            let repository = object(insecure);
            let place =
                ImagePlace::of(&engine, &engine.nowhere(), &repository.image, Some(&repository)).unwrap();
            assert_eq!(place.name.scheme(), scheme);
        }
    }

    #[test]
    fn each_branch_of_a_repository_keeps_digests_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        let mut world = engine(home.path()).nowhere();
        world.source_url = Some("https://git.example.com/ops/fleet.git".to_owned());
        let mut source = |branch: Option<&str>| {
            world.source_branch = branch.map(str::to_owned);
            source_of(&world)
        };
        let sources = [source(Some("main")), source(Some("staging")), source(None)];
        assert!(sources[0] != sources[1] && sources[1] != sources[2] && sources[0] != sources[2]);
        assert_eq!(sources[0], source(Some("main")));
    }
}
