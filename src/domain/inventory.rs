//! All objects of a source, by name, and how they refer to one another.
//!
//! A source [adds](Inventory::add) what it reads; the joins answer which policies an automation applies, whether a
//! policy may read a repository, and which branches an automation reads and writes.

mod access;
mod guard;
mod join;
mod link;
mod targets;
mod unread;

use std::collections::BTreeMap;

use super::lint::Obsolete;
use super::object::{
    GitRepository, GitSpec, ImagePolicy, ImageRepository, ImageUpdateAutomation, Kind, Meta, ObjectId, Origin,
};
use super::selector::{Selector, SelectorError};
use crate::problem::{Code, Problem};

pub use access::AccessError;
pub use join::{Drift, Joined, join};
pub use link::{GATED, LinkError, check_interval};
pub use targets::{Checkout, TargetError, Targets, clean_path, is_below, targets};
pub use unread::{Area, Known, Unread};

/// The source of an automation that no object describes.
///
/// Where nothing says how to update, a checkout is enough: see [`implied_automation`].
pub const IMPLIED: &str = "implied";

/// An object of one of the kinds that are joined here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// What to scan.
    Repository(ImageRepository),
    /// What to select.
    Policy(ImagePolicy),
    /// What to write where.
    Automation(Box<ImageUpdateAutomation>),
    /// Where the files live.
    Git(GitRepository),
}

/// The objects of one source or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What to scan.
    pub repositories: BTreeMap<ObjectId, ImageRepository>,
    /// What to select.
    pub policies: BTreeMap<ObjectId, ImagePolicy>,
    /// What to write where.
    pub automations: BTreeMap<ObjectId, ImageUpdateAutomation>,
    /// Where the files live.
    pub git_repositories: BTreeMap<ObjectId, GitRepository>,
    /// The labels of the namespaces that the source describes; a namespace that is not in here is one whose labels are
    /// unknown.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Objects that several places describe differently, with these places; they stand in none of the maps above.
    pub ambiguous: BTreeMap<(Kind, ObjectId), Vec<Origin>>,
    /// Objects of a cluster that do not fit what is read, each with the reason; they stand in none of the maps above.
    pub unfit: BTreeMap<(Kind, ObjectId), Problem>,
    /// Objects in versions that Flux no longer serves; they are read all the same.
    pub obsolete: Vec<Obsolete>,
    /// Of which kinds and namespaces nothing could be read, so that nobody knows what is there.
    pub unread: Unread,
    /// What is wrong with what was read.
    pub problems: Vec<Problem>,
}

impl Inventory {
    /// Adds an object.
    ///
    /// One that is there already with an equal spec stays as it is. If the specs differ, both are taken out and the
    /// name counts as ambiguous from then on.
    pub fn add(&mut self, object: Object) {
        let ambiguous = &mut self.ambiguous;
        match object {
            Object::Repository(new) => insert(&mut self.repositories, ambiguous, Kind::ImageRepository, new),
            Object::Policy(new) => insert(&mut self.policies, ambiguous, Kind::ImagePolicy, new),
            Object::Automation(new) => {
                insert(&mut self.automations, ambiguous, Kind::ImageUpdateAutomation, *new);
            }
            Object::Git(new) => insert(&mut self.git_repositories, ambiguous, Kind::GitRepository, new),
        }
    }

    /// What is known of an object of this kind and name, wherever it stands.
    pub fn meta(&self, kind: Kind, id: &ObjectId) -> Option<&Meta> {
        match kind {
            Kind::ImageRepository => self.repositories.get(id).map(|object| &object.meta),
            Kind::ImagePolicy => self.policies.get(id).map(|object| &object.meta),
            Kind::ImageUpdateAutomation => self.automations.get(id).map(|object| &object.meta),
            Kind::GitRepository => self.git_repositories.get(id).map(|object| &object.meta),
        }
    }

    /// Whether an object was read from a cluster, so that there are controllers to give orders to.
    pub fn is_of_cluster(&self, kind: Kind, id: &ObjectId) -> bool {
        self.meta(kind, id).is_some_and(|meta| meta.origin.source == "cluster")
    }

    /// Whether there is no image object and no `GitRepository`.
    pub fn is_empty(&self) -> bool {
        self.repositories.is_empty()
            && self.policies.is_empty()
            && self.automations.is_empty()
            && self.git_repositories.is_empty()
            && self.ambiguous.is_empty()
            && self.unfit.is_empty()
    }

    /// Why an object of this kind and name is blocked: several places describe it differently, or it does not fit.
    pub fn ambiguity(&self, kind: Kind, id: &ObjectId) -> Option<Problem> {
        if let Some(unfit) = self.unfit.get(&(kind, id.clone())) {
            return Some(Problem { code: Code::BadAnswer, ..unfit.clone() });
        }
        let places = self.ambiguous.get(&(kind, id.clone()))?;
        Some(ambiguity(kind, id, places))
    }

    /// The names of a kind that several places describe differently, in order, then of what does not fit.
    pub fn ambiguous_of(&self, kind: Kind) -> impl Iterator<Item = &ObjectId> {
        self.ambiguous.keys().chain(self.unfit.keys()).filter(move |(of, _)| *of == kind).map(|(_, id)| id)
    }

    /// Whether no policy is described, not even in several ways.
    pub fn has_no_policy(&self) -> bool {
        self.policies.is_empty() && self.ambiguous_of(Kind::ImagePolicy).next().is_none()
    }

    /// Whether no automation is described, not even in several ways: only then is one implied.
    pub fn has_no_automation(&self) -> bool {
        self.automations.is_empty() && self.ambiguous_of(Kind::ImageUpdateAutomation).next().is_none()
    }

    /// The ambiguous policies that an automation may apply. Which of their labels count nobody can tell, so its selector
    /// has no say; they select nothing, and what is marked with them is blocked.
    pub fn blocked_policies_of(&self, automation: &ImageUpdateAutomation) -> impl Iterator<Item = &ObjectId> {
        let all = is_implied(automation);
        let own = automation.meta.id.namespace.clone();
        self.ambiguous_of(Kind::ImagePolicy).filter(move |id| all || id.namespace == own)
    }

    /// Everything that is wrong with the source: what could not be read, then what is ambiguous.
    pub fn all_problems(&self) -> Vec<Problem> {
        let ambiguous = self.ambiguous.iter().map(|((kind, id), places)| ambiguity(*kind, id, places));
        self.problems.iter().chain(self.unfit.values()).cloned().chain(ambiguous).collect()
    }

    /// The policies that an automation applies: those of its namespace that its selector admits, and all there are
    /// if the automation is [implied](IMPLIED). In the order of their names.
    ///
    /// # Errors
    /// The selector makes no sense.
    ///
    /// Source: `fluxcd/image-automation-controller:internal/controller/imageupdateautomation_controller.go`.
    pub fn policies_of(
        &self,
        automation: &ImageUpdateAutomation,
    ) -> Result<Vec<&ImagePolicy>, SelectorError> {
        let selector = automation.policy_selector.as_ref().map(Selector::new).transpose()?;
        let in_scope = |policy: &&ImagePolicy| {
            (is_implied(automation) || policy.meta.id.namespace == automation.meta.id.namespace)
                && selector.as_ref().is_none_or(|selector| selector.matches(&policy.meta.labels))
        };
        Ok(self.policies.values().filter(in_scope).collect())
    }

    /// The policies that read a repository, whether they may or not, in the order of their names.
    pub fn policies_on<'a>(&'a self, repository: &'a ObjectId) -> impl Iterator<Item = &'a ImagePolicy> {
        self.policies.values().filter(move |policy| policy.repository == *repository)
    }

    /// Whether the repository called `id` lists the tags of the same image here as in `before`.
    pub fn has_image_of(&self, before: &Self, id: &ObjectId) -> bool {
        let image = |inventory: &Self| {
            inventory.repositories.get(id).map(|repository| (repository.image.clone(), repository.insecure))
        };
        image(self).is_some_and(|image_here| image(before) == Some(image_here))
    }

    /// Whether a policy may read its repository.
    ///
    /// # Errors
    /// Flux's refusal, or that it can not be told because nothing gives the labels of the policy's namespace, or they may not be read.
    pub fn access(&self, policy: &ImagePolicy, repository: &ImageRepository) -> Result<(), AccessError> {
        let namespace = &policy.meta.id.namespace;
        access::check(namespace, repository, &self.labels_of(namespace))
    }
}

/// Whether no object describes this automation.
pub fn is_implied(automation: &ImageUpdateAutomation) -> bool {
    automation.meta.origin.source == IMPLIED
}

/// The automation of a source that describes none: all policies, all files, the branch that the checkout follows.
///
/// Its author is empty and to be filled in from Git's configuration; its `GitRepository` exists nowhere.
pub fn implied_automation(namespace: &str, branch: &str) -> ImageUpdateAutomation {
    let id = ObjectId::new(namespace, IMPLIED);
    let reference = super::object::GitRef { branch: Some(branch.to_owned()), ..Default::default() };
    ImageUpdateAutomation {
        meta: Meta {
            id: id.clone(),
            version: "v1".to_owned(),
            labels: BTreeMap::new(),
            origin: Origin { source: IMPLIED, file: None, line: None },
        },
        source_kind: Kind::GitRepository.to_string(),
        source: id,
        interval: super::duration::GoDuration::default(),
        suspend: false,
        policy_selector: None,
        update_path: String::new(),
        strategy: "Setters".to_owned(),
        git: Some(GitSpec { checkout: Some(reference), ..GitSpec::default() }),
    }
}

/// What lets equal objects of different places be recognised.
trait Described: Clone + PartialEq {
    fn meta(&self) -> &Meta;
    fn meta_mut(&mut self) -> &mut Meta;

    fn has_same_spec(&self, other: &Self) -> bool {
        let mut other = other.clone();
        *other.meta_mut() = self.meta().clone();
        *self == other
    }
}

macro_rules! described {
    ($($kind:ty),*) => {$(
        impl Described for $kind {
            fn meta(&self) -> &Meta { &self.meta }
            fn meta_mut(&mut self) -> &mut Meta { &mut self.meta }
        }
    )*};
}
described!(ImageRepository, ImagePolicy, ImageUpdateAutomation, GitRepository);

fn insert<T: Described>(
    known: &mut BTreeMap<ObjectId, T>,
    ambiguous: &mut BTreeMap<(Kind, ObjectId), Vec<Origin>>,
    kind: Kind,
    new: T,
) {
    let id = new.meta().id.clone();
    if let Some(places) = ambiguous.get_mut(&(kind, id.clone())) {
        places.push(new.meta().origin.clone());
        return;
    }
    match known.get(&id) {
        Some(old) if old.has_same_spec(&new) => {}
        Some(old) => {
            let places = vec![old.meta().origin.clone(), new.meta().origin.clone()];
            known.remove(&id);
            ambiguous.insert((kind, id), places);
        }
        None => {
            known.insert(id, new);
        }
    }
}

fn ambiguity(kind: Kind, id: &ObjectId, places: &[Origin]) -> Problem {
    let listed: Vec<String> = places.iter().map(ToString::to_string).collect();
    let message =
        format!("{} describe {kind} {id} differently: {}", counted(places.len()), listed.join(", "));
    Problem::new(Code::Ambiguous, id.to_string(), message).hint(narrower(places))
}

fn counted(places: usize) -> String {
    if places == 2 { "two places".to_owned() } else { format!("{places} places") }
}

/// How to see only one of the places: the folder of the first, if that leaves any of the others out.
fn narrower(places: &[Origin]) -> String {
    let folder = |origin: &Origin| {
        origin
            .file
            .as_deref()
            .and_then(|file| file.rsplit_once('/'))
            .map_or("", |(folder, _)| folder)
            .to_owned()
    };
    let folders: Vec<String> = places.iter().map(folder).collect();
    let first = folders.iter().find(|folder| {
        !folder.is_empty()
            && folders.iter().any(|other| other != *folder && !other.starts_with(&format!("{folder}/")))
    });
    match first {
        Some(folder) => format!("Give a narrower PATH, such as `supercargo {folder}`."),
        None => "Remove or rename all but one of them.".to_owned(),
    }
}
