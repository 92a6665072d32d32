//! Every policy against the tags of its repository.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use futures::StreamExt;
use jiff::Timestamp;

use super::{Engine, Scans, World, blocking};
use crate::config::Refresh;
use crate::domain::age::Clocks;
use crate::domain::inventory::Inventory;
use crate::domain::lint::{Known, suspended};
use crate::domain::object::{ImagePolicy, ImageRepository, Kind, ObjectId, PolicyChoice, TagFilter};
use crate::domain::parallel::on_all_cores;
use crate::domain::plan::Selection;
use crate::domain::policy::{Evaluation, Evaluator, Exclusions, Filtering, PolicyErrorKind};
use crate::domain::proposal::Reference;
use crate::domain::scan::Scan;
use crate::domain::tags::TagList;
use crate::problem::{Code, Problem};

/// A policy and what became of it.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// What it selects, or why it selects nothing.
    pub selection: Selection,
    /// The verdict on each tag; `None` if there was no list of tags to judge.
    pub evaluation: Option<Arc<Evaluation>>,
    /// What the policy had before, if it ever had anything else.
    pub previous: Option<Reference>,
    /// Why the digest of what is selected is not known; the selection is then what the policy had, if anything.
    pub undigested: Option<Problem>,
    /// When the digest is to be asked for again.
    pub ask_again: Option<Timestamp>,
}

impl Evaluated {
    /// A policy that selects nothing, before any tag was looked at.
    fn blocked(problem: Problem, image: String, evaluator: Arc<Evaluator>) -> Self {
        let (why, clocks) = (String::new(), Clocks::default());
        Self {
            selection: Selection { image, outcome: Err(problem), why, clocks, tie: false, evaluator },
            evaluation: None,
            previous: None,
            undigested: None,
            ask_again: None,
        }
    }
}

/// The policies that several places describe differently: none of these is followed, and all that waits for them is
/// blocked with that reason.
fn ambiguous(inventory: &Inventory) -> impl Iterator<Item = (ObjectId, Evaluated)> {
    inventory.ambiguous_of(Kind::ImagePolicy).filter_map(|id| {
        let problem = inventory.ambiguity(Kind::ImagePolicy, id)?;
        let evaluator = Arc::new(Evaluator::new(&PolicyChoice::default(), None, &[]));
        Some((id.clone(), Evaluated::blocked(problem, String::new(), evaluator)))
    })
}

/// Policy → what became of it.
pub type Selections = BTreeMap<ObjectId, Evaluated>;

impl Engine {
    /// What lint is told of policies and repositories; why scans failed is known to the caller alone.
    pub fn known<'a>(&'a self, selections: &'a Selections, scans: &'a Scans) -> Known<'a> {
        Known {
            outcomes: selections.iter().map(|(id, evaluated)| (id, &evaluated.selection.outcome)).collect(),
            tags: scans.iter().map(|(id, scan)| (id, scan.tags.len())).collect(),
            given_sources: self.settings.git_urls.iter().map(|(name, _)| name.as_str()).collect(),
            ..Known::default()
        }
    }

    /// Adds the policies that no tag could help, so that what waits for them is blocked with their reason.
    pub fn complete(&self, inventory: &Inventory, selections: &mut Selections) {
        for (id, policy) in &inventory.policies {
            if selections.contains_key(id) {
                continue;
            }
            let evaluated = self.evaluate(inventory, policy, None);
            let outcome = &evaluated.selection.outcome;
            let is_invalid = outcome.as_ref().is_err_and(|problem| problem.code == Code::PolicyInvalid);
            if is_invalid || policy.suspend || inventory.repository_of(policy).is_err() {
                selections.insert(id.clone(), evaluated);
            }
        }
        selections.extend(ambiguous(inventory));
    }

    /// Evaluates every policy of the world, asks for the digests that `refresh` makes due, and remembers the outcome.
    ///
    /// # Errors
    /// Only a bug of ours; what is wrong with a policy is in its selection.
    pub async fn select(
        &self,
        world: &Arc<World>,
        scans: &Scans,
        refresh: Refresh,
    ) -> Result<Selections, Problem> {
        let passes = self.passes(world, refresh).await?;
        let (engine, world, scans) = (self.clone(), Arc::clone(world), scans.clone());
        let evaluated = blocking(move || Ok(engine.select_now(&world, &scans))).await?;
        let each = evaluated.into_iter().map(|(id, evaluated)| {
            let passes = &passes;
            async move { (id.clone(), passes.complete(&id, evaluated).await) }
        });
        // The registry client has limits of its own; this one only bounds the futures.
        let selections = futures::stream::iter(each).buffered(64).collect().await;
        passes.keep().await?;
        Ok(selections)
    }

    /// Gives what could not be judged for want of tags the reason why there are none.
    pub fn explain_scans(
        inventory: &Inventory,
        selections: &mut Selections,
        problems: &BTreeMap<ObjectId, Problem>,
    ) {
        for (id, evaluated) in selections {
            let Some(policy) = inventory.policies.get(id) else { continue };
            // What is wrong with the policy itself was told already.
            let is_waiting =
                evaluated.evaluation.is_none() && !policy.suspend && inventory.repository_of(policy).is_ok();
            if let Some(why) = problems.get(&policy.repository).filter(|_| is_waiting) {
                evaluated.selection.outcome = Err(why.clone());
            }
        }
    }

    fn select_now(&self, world: &World, scans: &Scans) -> Selections {
        let inventory = &world.inventory;
        let policies: Vec<&ImagePolicy> = inventory.policies.values().collect();
        let evaluate = |policy: &&ImagePolicy| {
            (policy.meta.id.clone(), self.evaluate(inventory, policy, scans.get(&policy.repository)))
        };
        on_all_cores(&policies, evaluate).into_iter().chain(ambiguous(inventory)).collect()
    }

    /// The list compiled, once for all that have the same.
    pub(super) fn exclusions(&self, list: Vec<String>) -> Exclusions {
        let mut compiled = self.exclusions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(&list) {
            return known.clone();
        }
        let made = Exclusions::new(&list);
        if made.is_verdict() {
            compiled.insert(list, made.clone());
        }
        made
    }

    /// The filter compiled, once for all policies that have the same.
    fn filtering(&self, filter: &TagFilter) -> Filtering {
        let mut compiled = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(filter) {
            return known.clone();
        }
        // Somebody who tries patterns out leaves many that no policy has any more.
        compiled.retain(|_, known| known.is_shared());
        let made = Filtering::new(Some(filter));
        if made.is_verdict() {
            compiled.insert(filter.clone(), made.clone());
        }
        made
    }

    /// Evaluates one policy on one list of tags; the digest is [`super::Passes::complete`]'s.
    pub fn evaluate(&self, inventory: &Inventory, policy: &ImagePolicy, scan: Option<&Scan>) -> Evaluated {
        let repository = inventory.repositories.get(&policy.repository);
        let exclusions = self.exclusions(repository.map(ImageRepository::exclusions).unwrap_or_default());
        let filter = policy.filter.as_ref();
        let filter = filter.map_or_else(|| Filtering::new(None), |filter| self.filtering(filter));
        let evaluator = Evaluator::sharing(&policy.choice, filter, exclusions);
        let evaluator = Arc::new(evaluator.of_repository(policy.repository.clone()));
        let image = repository.map(|repository| repository.image.clone()).unwrap_or_default();
        let blocked = |problem: Problem, evaluation| Evaluated {
            evaluation,
            ..Evaluated::blocked(problem, image.clone(), Arc::clone(&evaluator))
        };
        if policy.suspend {
            return blocked(suspended(&policy.meta.id), None);
        }
        let name = match inventory.repository_of(policy) {
            Ok((_, name)) => name,
            Err(error) => return blocked(error.problem(&policy.meta.id), None),
        };
        let Some(scan) = scan else { return without_tags(policy, &evaluator, &blocked) };
        let evaluation = Arc::new(evaluator.evaluate(&scan.tags));
        let Some(index) = evaluation.latest else {
            let problem = failed(policy, &evaluation);
            return blocked(problem, Some(evaluation));
        };
        let tag = scan.tags.get(index).unwrap_or_default().to_owned();
        if !evaluation.latest_is_valid {
            return blocked(no_tag(policy, &tag), Some(evaluation));
        }
        let ledger = self.store.first_seen().read(&name.canonical());
        let (first_seen, first_look) = ledger.sighting(&tag);
        Evaluated {
            selection: Selection {
                image: image.clone(),
                clocks: Clocks::of(None, first_seen, first_look),
                outcome: Ok(Reference { image, tag, digest: None }),
                why: evaluator.why(&evaluation),
                tie: evaluation.tie,
                evaluator: Arc::clone(&evaluator),
            },
            evaluation: Some(evaluation),
            previous: None,
            undigested: None,
            ask_again: None,
        }
    }
}

/// A rule that makes no sense is told before there are tags; whatever else is wrong is told after.
fn without_tags(
    policy: &ImagePolicy,
    evaluator: &Evaluator,
    blocked: &impl Fn(Problem, Option<Arc<Evaluation>>) -> Evaluated,
) -> Evaluated {
    let evaluation = evaluator.evaluate(&TagList::default());
    match evaluation.error.as_ref().filter(|error| error.kind == PolicyErrorKind::Invalid) {
        Some(error) => blocked(error.problem(policy.meta.id.to_string()), Some(Arc::new(evaluation))),
        None => blocked(not_scanned(policy), None),
    }
}

fn not_scanned(policy: &ImagePolicy) -> Problem {
    let text = format!("{} was not scanned yet", policy.repository);
    Problem::new(Code::PolicyFailed, policy.meta.id.to_string(), text)
}

fn failed(policy: &ImagePolicy, evaluation: &Evaluation) -> Problem {
    let subject = policy.meta.id.to_string();
    match &evaluation.error {
        Some(error) => error.problem(subject),
        None => Problem::new(Code::PolicyFailed, subject, "nothing is selected"),
    }
}

/// Flux would write this text into the file; no registry could serve it.
fn no_tag(policy: &ImagePolicy, tag: &str) -> Problem {
    let text = format!("the selected text {tag:?} is no valid tag");
    Problem::new(Code::ImageInvalid, policy.meta.id.to_string(), text)
        .hint("Narrow the policy's pattern so that it cannot match.")
}
