//! What lint knows of the objects: what each policy came to, and which automation writes which files by which policies.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{self, BrokenChain, Link};
use super::{Obsolete, Outcome, Verdict};
use crate::domain::inventory::{Inventory, TargetError, clean_path, is_below, targets};
use crate::domain::object::{ImagePolicy, ImageUpdateAutomation, Kind, ObjectId};
use crate::domain::policy::{Evaluator, PolicyError};
use crate::domain::proposal::Reference;
use crate::domain::setter;
use crate::domain::tags::TagList;
use crate::domain::template;
use crate::problem::Problem;
use crate::text::nearest;

/// What scans and evaluations have brought so far.
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    /// What each policy selects, or why it selects nothing; a policy that was not evaluated is missing.
    pub outcomes: BTreeMap<&'a ObjectId, &'a Outcome>,
    /// How many tags each scanned repository has, before exclusion.
    pub tags: BTreeMap<&'a ObjectId, usize>,
    /// Why the last scan of a repository failed.
    pub scan_problems: BTreeMap<&'a ObjectId, &'a Problem>,
    /// Names (`NAMESPACE/NAME`) of `GitRepository` objects whose address is given elsewhere; an empty name stands for all.
    pub given_sources: Vec<&'a str>,
    /// Where the `update.path` of an automation leads, its links followed; one that is missing is taken as it is written.
    pub paths: BTreeMap<&'a ObjectId, String>,
}

/// What is known of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PolicyState {
    /// What it selects.
    Latest(Reference),
    /// Its repository has not been scanned yet, or why it could not be.
    NotScanned(Option<String>),
    /// Why it selects nothing.
    Failed(Problem),
}

/// What lint knows of the objects.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub(super) policies: BTreeMap<ObjectId, PolicyState>,
    /// What breaks a policy's chain before its markers.
    pub(super) broken: BTreeMap<ObjectId, BrokenChain>,
    /// Every automation; none: one is implied that writes everywhere with all policies.
    pub(super) writers: Vec<Writer>,
    /// Policies in versions that Flux no longer serves, by name; of some that are not read at all, nothing else is known.
    pub(super) obsolete: BTreeMap<String, Obsolete>,
    /// The policies of each image.
    pub(super) images: BTreeMap<String, Vec<ObjectId>>,
    /// Repositories that no policy reads.
    pub(super) unused_repositories: Vec<ObjectId>,
}

/// An automation: which files it writes, by which policies, and what keeps it from it.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) id: ObjectId,
    /// `update.path`, clean, its links followed.
    path: String,
    selected: BTreeSet<ObjectId>,
    /// The labels that its selector asks for, if it has one.
    asks: Option<String>,
    pub(super) suspended: bool,
    /// Why its selector is none, so that it chooses no policy.
    bad_selector: Option<Fault>,
    /// Why it cannot run.
    pub(super) unable: Option<Fault>,
    /// Why its source cannot be read.
    pub(super) no_source: Option<Fault>,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) fix: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: Some(fix.into()) }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { message: problem.message, fix: problem.hint }
    }
}

/// What keeps a policy's selection from the value behind a marker that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    pub(super) link: Link,
    /// How its policy stands, in a word, if no other marker gets farther.
    pub(super) status: &'static str,
    /// What is said of the marker; `None` if the marker itself is as it should be.
    pub(super) verdict: Option<Verdict>,
    pub(super) fault: Fault,
}

impl World {
    /// The objects of `inventory`, and what is `known` of them.
    pub fn new(inventory: &Inventory, known: &Known<'_>) -> Self {
        let mut world = Self::default();
        for policy in inventory.policies.values() {
            let id = &policy.meta.id;
            let state = state(inventory, policy, known);
            let broken = chain::before_markers(inventory, policy, &state, known);
            world.broken.extend(broken.map(|broken| (id.clone(), broken)));
            world.policies.insert(id.clone(), state);
        }
        for (kind, id) in inventory.ambiguous.keys() {
            if *kind == Kind::ImagePolicy
                && let Some(problem) = inventory.ambiguity(*kind, id)
            {
                let broken = BrokenChain::new(id, Link::Policy, chain::FAILS, problem.clone().into());
                world.broken.insert(id.clone(), broken);
                world.policies.insert(id.clone(), PolicyState::Failed(problem));
            }
        }
        world.writers = Writer::all(inventory, known);
        let old = inventory.obsolete.iter().filter(|object| object.kind == "ImagePolicy");
        world.obsolete = old.map(|object| (object.name.clone(), object.clone())).collect();
        for policy in inventory.policies.values() {
            if let Some(repository) = inventory.repositories.get(&policy.repository) {
                world.images.entry(repository.image.clone()).or_default().push(policy.meta.id.clone());
            }
        }
        let read: BTreeSet<&ObjectId> =
            inventory.policies.values().map(|policy| &policy.repository).collect();
        world.unused_repositories =
            inventory.repositories.keys().filter(|id| !read.contains(id)).cloned().collect();
        world
    }

    /// Whether some automation writes, by this policy, what `covers` says; else what is missing for that.
    pub(super) fn reach(
        &self,
        policy: &ObjectId,
        covers: impl Fn(&Writer) -> bool,
    ) -> Result<(), Box<Obstacle>> {
        if self.writers.is_empty() {
            return Ok(());
        }
        let own: Vec<&Writer> =
            self.writers.iter().filter(|writer| writer.id.namespace == policy.namespace).collect();
        if own.is_empty() {
            return Err(Box::new(self.other_namespace(policy, covers)));
        }
        let choosing: Vec<&Writer> =
            own.iter().copied().filter(|writer| writer.selected.contains(policy)).collect();
        if choosing.is_empty() {
            return Err(Box::new(not_selected(policy, &own)));
        }
        let writing: Vec<&Writer> = choosing.iter().copied().filter(|writer| covers(writer)).collect();
        if writing.is_empty() {
            return Err(Box::new(outside_path(&choosing)));
        }
        match halted(&writing) {
            Some(obstacle) => Err(Box::new(obstacle)),
            None => Ok(()),
        }
    }

    /// Why the source of an automation that writes, by this policy, what `covers` says cannot be read.
    pub(super) fn missing_source(
        &self,
        policy: &ObjectId,
        covers: impl Fn(&Writer) -> bool,
    ) -> Option<Fault> {
        let mut writing = self.writers.iter().filter(|writer| writer.selects(policy) && covers(writer));
        writing.find_map(|writer| writer.no_source.clone())
    }

    fn other_namespace(&self, policy: &ObjectId, covers: impl Fn(&Writer) -> bool) -> Obstacle {
        let mut writers: Vec<&Writer> = self.writers.iter().filter(|writer| covers(writer)).collect();
        let is_covered = !writers.is_empty();
        if !is_covered {
            writers.extend(&self.writers);
        }
        let others: BTreeSet<&str> = writers.iter().map(|writer| writer.id.namespace.as_str()).collect();
        let others = others.into_iter().collect::<Vec<_>>().join(", ");
        let own = &policy.namespace;
        let message = if is_covered {
            format!("the automation of this file is in namespace {others}; it does not see policies of {own}")
        } else {
            format!("no automation is in namespace {own}, and those of {others} do not see its policies")
        };
        let fix =
            format!("Create an ImageUpdateAutomation in namespace {own}, or move the policy to {others}.");
        Obstacle {
            link: Link::Automation,
            status: NO_AUTOMATION,
            verdict: Some(Verdict::OtherNamespace),
            fault: Fault::new(message, fix),
        }
    }

    /// The name that was meant by a marker's `name`, which nothing has: the nearest, or the only one of another namespace.
    pub(super) fn meant(&self, name: &str) -> Option<String> {
        let words: Vec<&str> = name.splitn(3, ':').collect();
        let wanted = words.get(..2).unwrap_or(&words).join(":");
        let names: Vec<String> =
            self.policies.keys().map(|id| format!("{}:{}", id.namespace, id.name)).collect();
        let suffix = words.get(2).map_or(String::new(), |suffix| format!(":{suffix}"));
        let last = words.get(1).or(words.first()).copied().unwrap_or_default();
        let mut same = self.policies.keys().filter(|id| id.name == last);
        let only = match (same.next(), same.next()) {
            (Some(id), None) => Some(format!("{}:{}", id.namespace, id.name)),
            _ => None,
        };
        let near = nearest(&wanted, names.iter().map(String::as_str)).map(str::to_owned).or(only);
        near.map(|near| format!("{near}{suffix}"))
    }
}

/// What keeps all of `writing` from running, if something does; what comes farthest is told.
fn halted(writing: &[&Writer]) -> Option<Obstacle> {
    let runs = |writer: &&&Writer| writer.unable.is_none() && !writer.suspended;
    let obstacle = |link, status, verdict, fault: Fault| Some(Obstacle { link, status, verdict, fault });
    let verdict = writing.iter().all(|writer| writer.no_source.is_some()).then_some(Verdict::UnknownSource);
    if let Some(running) = writing.iter().filter(runs).min_by_key(|writer| writer.no_source.is_some()) {
        let fault = running.no_source.clone();
        return fault.and_then(|fault| obstacle(Link::Source, "no source", verdict, fault));
    }
    let first = writing.first()?;
    if let Some(fault) = first.unable.clone() {
        return obstacle(Link::Automation, NO_AUTOMATION, verdict, fault);
    }
    let message = format!("ImageUpdateAutomation {} is suspended", first.id);
    let fault = Fault::new(message, "Set `spec.suspend: false`, or push with supercargo.");
    obstacle(Link::Automation, chain::SUSPENDED, verdict, fault)
}

/// The word of a policy that no automation uses.
const NO_AUTOMATION: &str = "no automation";

fn not_selected(policy: &ObjectId, own: &[&Writer]) -> Obstacle {
    let obstacle = |fault| Obstacle {
        link: Link::Automation,
        status: NO_AUTOMATION,
        verdict: Some(Verdict::NotSelected),
        fault,
    };
    if let Some(fault) = own.iter().find_map(|writer| writer.bad_selector.clone()) {
        return obstacle(fault);
    }
    let names: Vec<String> = own.iter().map(|writer| writer.id.to_string()).collect();
    let message = format!("the policySelector of {} does not admit the policy", names.join(" or "));
    let asks = own.iter().find_map(|writer| writer.asks.clone()).filter(|asks| !asks.is_empty());
    let fix = match asks {
        Some(asks) => format!("Label ImagePolicy {policy} with {asks}, or widen `spec.policySelector`."),
        None => format!("Widen `spec.policySelector` so that it admits ImagePolicy {policy}."),
    };
    obstacle(Fault::new(message, fix))
}

fn outside_path(choosing: &[&Writer]) -> Obstacle {
    let each = choosing.iter().map(|writer| format!("{} writes below {} only", writer.id, writer.path));
    let message =
        format!("the file is outside of every automation's path: {}", each.collect::<Vec<_>>().join(", "));
    let fault = Fault::new(message, "Move the file, or widen `spec.update.path`.");
    Obstacle { link: Link::Automation, status: NO_AUTOMATION, verdict: Some(Verdict::OutsidePath), fault }
}

impl Writer {
    /// The automations of `inventory`.
    pub(super) fn all(inventory: &Inventory, known: &Known<'_>) -> Vec<Self> {
        inventory.automations.values().map(|automation| Self::new(inventory, automation, known)).collect()
    }

    fn new(inventory: &Inventory, automation: &ImageUpdateAutomation, known: &Known<'_>) -> Self {
        let (selected, bad_selector) = match inventory.policies_of(automation) {
            Ok(policies) => {
                let blocked = inventory.blocked_policies_of(automation).cloned();
                (policies.iter().map(|policy| policy.meta.id.clone()).chain(blocked).collect(), None)
            }
            Err(error) => {
                let message = format!("failed to parse policy selector: {error}");
                (BTreeSet::new(), Some(Fault::new(message, "Correct `spec.policySelector`.")))
            }
        };
        let no_source = no_source(inventory, automation, known);
        let unable = bad_selector
            .clone()
            .or_else(|| unable_to_run(inventory, automation, no_source.is_some()))
            .or_else(|| ends(&selected, known));
        let asks = automation.policy_selector.as_ref().map(|selector| {
            let labels = selector.match_labels.iter().map(|(key, value)| format!("{key}: {value}"));
            labels.collect::<Vec<_>>().join(", ")
        });
        Self {
            id: automation.meta.id.clone(),
            path: known
                .paths
                .get(&automation.meta.id)
                .cloned()
                .unwrap_or_else(|| clean_path(&automation.update_path)),
            selected,
            asks,
            suspended: automation.suspend,
            bad_selector,
            unable,
            no_source,
        }
    }

    /// Whether `file`, named from the repository's root, lies in the path, or is it.
    pub(super) fn covers(&self, file: &str) -> bool {
        is_below(file, &self.path)
    }

    pub(super) fn has_no_policy(&self) -> bool {
        self.selected.is_empty()
    }

    pub(super) fn selects(&self, policy: &ObjectId) -> bool {
        self.selected.contains(policy)
    }
}

/// Why an automation cannot run as it is written. What a missing source leaves open is not held against it.
fn unable_to_run(
    inventory: &Inventory,
    automation: &ImageUpdateAutomation,
    is_source_missing: bool,
) -> Option<Fault> {
    let source = inventory.git_repositories.get(&automation.source);
    let reference = source.and_then(|repository| repository.reference.as_ref());
    match targets(automation, reference) {
        Err(TargetError::NoPushBranch) if is_source_missing => {}
        Err(error) => return Some(error.problem(automation.meta.id.to_string()).into()),
        Ok(_) => {}
    }
    let template = automation.git.as_ref().map_or("", |git| &git.message_template);
    let refusal = template::refused(template, &automation.meta.id)?;
    let fix = match refusal.replacement {
        Some(instead) => format!("Write `{instead}` in `spec.git.commit.messageTemplate` instead."),
        None => "Correct `spec.git.commit.messageTemplate`.".to_owned(),
    };
    Some(Fault::new(refusal.message, fix))
}

/// What ends the run of an automation that selects these policies: a reference that cannot be.
fn ends(selected: &BTreeSet<ObjectId>, known: &Known<'_>) -> Option<Fault> {
    let references = selected.iter().filter_map(|id| Some((id, known.outcomes.get(id)?.as_ref().ok()?)));
    setter::check(references).err().map(|error| error.ends_run().into())
}

fn no_source(inventory: &Inventory, automation: &ImageUpdateAutomation, known: &Known<'_>) -> Option<Fault> {
    let id = &automation.source;
    if let Some(problem) = inventory.ambiguity(Kind::GitRepository, id) {
        return Some(problem.into());
    }
    let name = id.to_string();
    let is_given = known.given_sources.iter().any(|given| given.is_empty() || *given == name);
    if is_given || inventory.git_repositories.contains_key(id) {
        return None;
    }
    if let Some(unread) = inventory.unread_source(automation) {
        return Some(unread.into());
    }
    let names: Vec<String> = inventory.git_repositories.keys().map(ToString::to_string).collect();
    let near = nearest(&name, names.iter().map(String::as_str));
    let fix = match near {
        Some(near) => format!("Name {near} in `spec.sourceRef`, or add GitRepository {name}."),
        None => format!("Add GitRepository {name}, or say where it is: --git-url {name}=URL"),
    };
    let message = format!("GitRepository {name} of automation {} is nowhere to be found", automation.meta.id);
    Some(Fault::new(message, fix))
}

fn state(inventory: &Inventory, policy: &ImagePolicy, known: &Known<'_>) -> PolicyState {
    let outcome = known.outcomes.get(&policy.meta.id);
    if let Some(Ok(latest)) = outcome {
        return match setter::check([(&policy.meta.id, latest)]) {
            Ok(()) => PolicyState::Latest(latest.clone()),
            Err(error) => PolicyState::Failed(error.ends_run()),
        };
    }
    // Without tags there is nothing to fail on but the policy itself, or the way to its repository.
    if let Err(error) = inventory.repository_of(policy) {
        return PolicyState::Failed(error.problem(&policy.meta.id));
    }
    if policy.suspend {
        return PolicyState::Failed(chain::suspended(&policy.meta.id));
    }
    let is_scanned = known.tags.contains_key(&policy.repository);
    match outcome {
        Some(Err(problem)) if is_scanned => PolicyState::Failed(problem.clone()),
        _ => {
            let failed = known.scan_problems.get(&policy.repository).map(|problem| problem.message.clone());
            invalid(policy).map_or(PolicyState::NotScanned(failed), PolicyState::Failed)
        }
    }
}

/// What is wrong with a policy whatever the tags may be.
fn invalid(policy: &ImagePolicy) -> Option<Problem> {
    // Without any tag the filter would not be looked at.
    let any = TagList::from_unsorted(vec!["0"]);
    let evaluation = Evaluator::new(&policy.choice, policy.filter.as_ref(), &[]).evaluate(&any);
    let error = evaluation.error.filter(PolicyError::stalled)?;
    Some(error.problem(policy.meta.id.to_string()))
}
