//! The chain from a repository's tags to a value in Git, and its first broken link.
//!
//! Repository, policy, marker, automation, source: nothing is written unless all five hold. Whoever asks why nothing
//! happens is told the first that does not.

use serde::{Serialize, Serializer};

use super::world::{Fault, Known, Obstacle, PolicyState, World};
use crate::domain::inventory::{Inventory, LinkError, check_interval};
use crate::domain::object::{ImagePolicy, ImageRepository, ObjectId};
use crate::problem::{Code, Problem};
use crate::text::nearest;

/// A link of the chain, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// The `ImageRepository`: there, readable from the policy's namespace, scanned, with tags.
    Repository,
    /// The `ImagePolicy`: in force, and selecting something.
    Policy,
    /// A marker that works and names the policy.
    Marker,
    /// An `ImageUpdateAutomation` that writes that file by that policy.
    Automation,
    /// The `GitRepository` of that automation.
    Source,
}

impl Link {
    /// The word of the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Policy => "policy",
            Self::Marker => "marker",
            Self::Automation => "automation",
            Self::Source => "source",
        }
    }
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A policy whose selection does not arrive in Git, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenChain {
    /// The policy.
    pub policy: ObjectId,
    /// The first link that does not hold.
    pub link: Link,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
    /// How the policy stands, in a word, for a column.
    #[serde(skip)]
    pub status: &'static str,
}

impl BrokenChain {
    pub(super) fn new(policy: &ObjectId, link: Link, status: &'static str, fault: Fault) -> Self {
        Self { policy: policy.clone(), link, message: fault.message, fix: fault.fix, status }
    }
}

impl World {
    /// The chain of `policy`, given how far the best of its markers gets; `None` if it holds.
    pub(super) fn chain(
        &self,
        policy: &ObjectId,
        best: Option<&Result<(), Box<Obstacle>>>,
    ) -> Option<BrokenChain> {
        if let Some(broken) = self.broken.get(policy) {
            return Some(broken.clone());
        }
        match best {
            Some(Ok(())) => None,
            Some(Err(obstacle)) => {
                Some(BrokenChain::new(policy, obstacle.link, obstacle.status, obstacle.fault.clone()))
            }
            None => {
                let marker = crate::domain::marker::text_of(&format!("{}:{}", policy.namespace, policy.name));
                let fix = format!("Put `# {marker}` behind the image that it governs.");
                let fault = Fault::new("no marker names the policy", fix);
                Some(BrokenChain::new(policy, Link::Marker, "unused", fault))
            }
        }
    }
}

/// The first link that breaks before there is any marker to look at.
pub(super) fn before_markers(
    inventory: &Inventory,
    policy: &ImagePolicy,
    state: &PolicyState,
    known: &Known<'_>,
) -> Option<BrokenChain> {
    let (link, status, fault) =
        at_repository(inventory, policy, state, known).or_else(|| at_policy(inventory, policy, state))?;
    let status = if policy.suspend { SUSPENDED } else { status };
    Some(BrokenChain::new(&policy.meta.id, link, status, fault))
}

type Break = (Link, &'static str, Fault);

fn at_repository(
    inventory: &Inventory,
    policy: &ImagePolicy,
    state: &PolicyState,
    known: &Known<'_>,
) -> Option<Break> {
    let id = &policy.meta.id;
    let repository = match inventory.readable(policy) {
        Ok((repository, _)) => repository,
        Err(error) => {
            let problem = error.problem(id);
            let status = status_of(inventory, policy, &problem);
            return Some((Link::Repository, status, mended(inventory, &error, problem)));
        }
    };
    let (status, fault) = without_tags(repository, known)?;
    match state {
        // What is wrong with the policy itself weighs more than tags that are still to come.
        PolicyState::Failed(_) if status == WAITING => None,
        _ => Some((Link::Repository, status, fault)),
    }
}

fn at_policy(inventory: &Inventory, policy: &ImagePolicy, state: &PolicyState) -> Option<Break> {
    if policy.suspend {
        return Some((Link::Policy, SUSPENDED, suspended(&policy.meta.id).into()));
    }
    if let Err(error) = check_interval(policy) {
        return Some((Link::Policy, FAILS, error.problem(&policy.meta.id).into()));
    }
    let PolicyState::Failed(problem) = state else { return None };
    let look = || format!("Run `supercargo eval policy {}`: it says why of each tag.", policy.meta.id);
    let fix = problem.hint.clone().unwrap_or_else(look);
    Some((Link::Policy, status_of(inventory, policy, problem), Fault::new(problem.message.clone(), fix)))
}

/// The word of a policy whose repository was not scanned yet.
const WAITING: &str = "waiting";
/// The word of a policy that is suspended, or whose automations all are.
pub(super) const SUSPENDED: &str = "suspended";
pub(super) const FAILS: &str = "fails";
const NOTHING: &str = "selects nothing";

/// What keeps a repository from having tags, and the word for its policies.
fn without_tags(repository: &ImageRepository, known: &Known<'_>) -> Option<(&'static str, Fault)> {
    let id = &repository.meta.id;
    match (known.tags.get(id), known.scan_problems.get(id)) {
        (Some(0), _) => {
            let message = format!("ImageRepository {id} has no tags");
            let fix = format!("Push an image to {}, or correct `spec.image`.", repository.image);
            Some((NOTHING, Fault::new(message, fix)))
        }
        (Some(_), _) => None,
        (None, Some(problem)) => {
            let message = format!("the scan of ImageRepository {id} fails: {}", problem.message);
            Some((FAILS, Fault { message, fix: problem.hint.clone() }))
        }
        (None, None) => {
            let fix = if repository.suspend {
                format!("Set `spec.suspend: false` of ImageRepository {id}.")
            } else {
                format!("supercargo scan repository {id}")
            };
            Some((WAITING, Fault::new(format!("ImageRepository {id} has not been scanned yet"), fix)))
        }
    }
}

/// A missing repository may be one with another name.
fn mended(inventory: &Inventory, error: &LinkError, problem: Problem) -> Fault {
    let LinkError::Missing(id) = error else { return problem.into() };
    let names: Vec<String> = inventory.repositories.keys().map(ToString::to_string).collect();
    let fix = match nearest(&id.to_string(), names.iter().map(String::as_str)) {
        Some(near) => format!("Name {near} in `spec.imageRepositoryRef`, or create ImageRepository {id}."),
        None => format!("Create ImageRepository {id}, or correct `spec.imageRepositoryRef`."),
    };
    Fault::new(problem.message, fix)
}

/// A suspended policy keeps what it has in the cluster; here it selects nothing.
pub fn suspended(policy: &ObjectId) -> Problem {
    Problem::new(Code::PolicyFailed, policy.to_string(), "the policy is suspended")
        .hint("Set spec.suspend: false to have it evaluated.")
}

/// The word for a policy that selects nothing because of `problem`.
pub fn status_of(inventory: &Inventory, policy: &ImagePolicy, problem: &Problem) -> &'static str {
    /// Flux's texts where everything worked and nothing was left.
    const LEFT: [&str; 3] = [
        "unable to determine latest version from provided list",
        "version list argument cannot be empty",
        "no tags in database",
    ];
    if policy.suspend {
        return SUSPENDED;
    }
    match inventory.readable(policy) {
        Err(error) if error.is_open() => "access unknown",
        Err(LinkError::Access(_)) => "no access",
        _ if LEFT.contains(&problem.message.as_str()) => NOTHING,
        _ => FAILS,
    }
}
