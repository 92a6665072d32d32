//! Whether tags still stand for the digests that they are known by: a list does not tell. After a scan the registry is asked
//! about some of them, each by one request without a body.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use jiff::Timestamp;

use super::reflect::ImagePlace;
use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::branch::Onto;
use crate::domain::inventory::Inventory;
use crate::domain::marker::parse_setter;
use crate::domain::object::{ImageRepository, ObjectId};
use crate::domain::plan::Ground;
use crate::domain::proposal::MarkerPart;
use crate::domain::reference::{is_valid_tag, parse_reference};
use crate::domain::scan::Scan;
use crate::domain::tags::TagList;
use crate::domain::watch::{self, Turns};
use crate::problem::{Code, Problem};
use crate::registry::Resolved;
use crate::text::count;

/// How many tags of one repository are asked about at once; less than a host is asked at once, so that scans need not wait.
const AT_ONCE: usize = 2;

/// Repository → the tags that marked files hold.
pub type InFiles = BTreeMap<ObjectId, BTreeSet<String>>;

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revisited {
    /// The tags that stand for another digest than before.
    pub moved: Vec<String>,
    /// Why not all tags whose digests are known were asked about: there are too many, or the registry does not say.
    pub incomplete: Option<Problem>,
}

/// A tag that is asked about, with the digest that it is known by.
type Question = (String, Option<String>);

impl Engine {
    /// The tags that marked files hold, as they were last fetched; nobody is asked.
    pub async fn in_files(&self, world: &Arc<World>) -> InFiles {
        let (engine, world) = (self.clone(), Arc::clone(world));
        let read = blocking(move || {
            let (grounds, _) = engine.grounds_now(&world, Refresh::Never, &Onto::Push);
            Ok(tags_of(&world.inventory, &grounds))
        });
        // Without it the tags are asked about that are selected, or known.
        read.await.unwrap_or_default()
    }

    /// Asks about the tags of a repository that are in use, which is in the files or selected by a policy, and about those whose
    /// digests are known, the longest not asked first ([`watch::to_ask`]); not about those that were asked about since
    /// `began`. What the registry says is noted; [`Self::settle_ledgers`] ends the pass.
    pub async fn revisit(
        &self,
        world: &Arc<World>,
        repository: &ImageRepository,
        (scan, began): (&Scan, Timestamp),
        in_files: Option<&BTreeSet<String>>,
    ) -> Revisited {
        let turns = self.turns(world, repository, (scan, began), in_files).await;
        let asked = match turns {
            Ok(turns) => self.ask_in_turn(world, repository, turns).await,
            Err(problem) => Err(problem),
        };
        asked.unwrap_or_else(|problem| Revisited { incomplete: Some(problem), ..Revisited::default() })
    }

    async fn turns(
        &self,
        world: &Arc<World>,
        repository: &ImageRepository,
        (scan, began): (&Scan, Timestamp),
        in_files: Option<&BTreeSet<String>>,
    ) -> Result<Turns<Question>, Problem> {
        let (engine, world, repository) = (self.clone(), Arc::clone(world), repository.clone());
        let (scan, mut in_use) = (scan.clone(), in_files.cloned().unwrap_or_default());
        blocking(move || {
            in_use.extend(engine.selected(&world, &repository.meta.id, &scan));
            engine.turns_now(&repository, &scan, (&in_use, began))
        })
        .await
    }

    /// The tags that the policies of a repository select.
    fn selected(&self, world: &World, repository: &ObjectId, scan: &Scan) -> Vec<String> {
        let policies = world.inventory.policies.values();
        let of_it = policies.filter(|policy| policy.repository == *repository && !policy.suspend);
        let evaluated = of_it.map(|policy| self.evaluate(&world.inventory, policy, Some(scan)));
        evaluated.filter_map(|evaluated| Some(evaluated.selection.outcome.ok()?.tag)).collect()
    }

    fn turns_now(
        &self,
        repository: &ImageRepository,
        scan: &Scan,
        (in_use, began): (&BTreeSet<String>, Timestamp),
    ) -> Result<Turns<Question>, Problem> {
        let failed =
            |error: crate::domain::reference::ImageError| error.problem(repository.meta.id.to_string());
        let name = super::scan::image_name(repository).map_err(failed)?;
        let (ledger, known) =
            (self.store.first_seen().read(&name.canonical()), self.store.metadata().read(&name.canonical()));
        let candidates =
            in_use.iter().map(String::as_str).chain(ledger.current_digests().map(|(tag, _)| tag));
        let is_meant = |tag: &&str| is_valid_tag(tag) && scan.tags.position(tag).is_some();
        let candidates: TagList = candidates.filter(is_meant).collect();
        let kept = self.without_excluded(repository, &candidates);
        let kept =
            kept.map_err(|text| Problem::new(Code::PolicyInvalid, repository.meta.id.to_string(), text))?;
        let candidates: BTreeSet<&str> = kept.into_iter().collect();
        let asked = |tag: &&str| known.tags.get(*tag).map(|known| known.asked);
        let due = candidates.into_iter().filter(|tag| asked(tag).is_none_or(|asked| asked < began));
        let due = due.map(|tag| (tag, in_use.contains(tag), asked(&tag))).collect();
        let turns = watch::to_ask(due, self.budget(&name).is_some());
        Ok(turns.map(|tag| (tag.to_owned(), ledger.digest(tag).map(str::to_owned))))
    }

    async fn ask_in_turn(
        &self,
        world: &Arc<World>,
        repository: &ImageRepository,
        turns: Turns<Question>,
    ) -> Result<Revisited, Problem> {
        if turns.now.is_empty() {
            return Ok(Revisited::default());
        }
        let id = repository.meta.id.to_string();
        let in_turns = (turns.later > 0).then(|| in_turns(&id, &turns));
        let place = ImagePlace::of(self, world, &repository.image, Some(repository))?;
        let (told, failure) = self.resolve_all(&place, turns.now).await;
        let is_moved = |(tag, known, resolved): &(String, Option<String>, Resolved)| {
            let moved = known.as_ref().is_some_and(|before| *before != resolved.digest);
            moved.then(|| tag.clone())
        };
        let moved = told.iter().filter_map(is_moved).collect();
        let told = told.into_iter().map(|(tag, _, resolved)| (tag, resolved)).collect();
        self.observe(place.name.canonical(), told).await?;
        Ok(Revisited { moved, incomplete: failure.map(|problem| unknown(&id, problem)).or(in_turns) })
    }

    /// What the registry says of each tag, until it does not answer; tags that it does not know are left out.
    async fn resolve_all(
        &self,
        place: &ImagePlace,
        questions: Vec<Question>,
    ) -> (Vec<(String, Option<String>, Resolved)>, Option<Problem>) {
        let request = &place.request();
        let each = questions.into_iter().map(|(tag, known)| async move {
            let answer = self.registry.resolve(request, &tag, known.as_deref()).await;
            (tag, known, answer)
        });
        let mut answers = futures::stream::iter(each).buffered(AT_ONCE);
        let mut told = Vec::new();
        while let Some((tag, known, answer)) = answers.next().await {
            match answer {
                Ok(resolved) => told.push((tag, known, resolved)),
                // That is about this tag alone.
                Err(error) if matches!(error.code(), Code::RegistryNotFound | Code::BadAnswer) => {}
                Err(error) => return (told, Some(error.problem(tag))),
            }
        }
        (told, None)
    }
}

fn in_turns(subject: &str, turns: &Turns<Question>) -> Problem {
    let all = count(turns.now.len() + turns.later, "tag");
    let text = format!(
        "the digests of {all} are known; {} are asked about after each scan, the others in turns",
        turns.now.len()
    );
    Problem::new(Code::Skipped, subject, text)
}

fn unknown(subject: &str, problem: Problem) -> Problem {
    let message = format!("whether tags were moved is not known: {}", problem.message);
    Problem { subject: subject.to_owned(), message, ..problem }
}

/// The tags that stand in marked files, by the repository of the policy that their markers name.
fn tags_of(inventory: &Inventory, grounds: &[Ground]) -> InFiles {
    let mut found = InFiles::new();
    let sites = grounds.iter().flat_map(|ground| ground.files.iter()).flat_map(|file| &file.sites);
    for scalar in sites {
        let Ok((policy, part)) = parse_setter(&scalar.setter) else { continue };
        let tag = match part {
            MarkerPart::Tag => Some(scalar.value.clone()),
            MarkerPart::Whole => parse_reference(&scalar.value).ok().and_then(|image| image.tag),
            MarkerPart::Name | MarkerPart::Digest => None,
        };
        if let (Some(policy), Some(tag)) = (inventory.policies.get(&policy), tag) {
            found.entry(policy.repository.clone()).or_default().insert(tag);
        }
    }
    found
}
