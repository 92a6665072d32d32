//! What of a source could not be read, so that "nobody knows" and "there is none" are two answers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Inventory, is_implied};
use crate::domain::object::{GitRepository, ImageRepository, ImageUpdateAutomation, Kind, ObjectId};
use crate::problem::Problem;

/// A kind in one namespace, or without one in all of them.
pub type Area = (Kind, Option<String>);

/// What is known of something by its name.
#[derive(Debug, PartialEq, Eq)]
pub enum Known<'a, T> {
    /// It is there.
    Here(&'a T),
    /// Whether it is there could not be read, and why.
    Unread(&'a Problem),
    /// It is not there.
    Absent,
}

impl<'a, T> Known<'a, T> {
    fn new(found: Option<&'a T>, unread: Option<&'a Problem>) -> Self {
        match (found, unread) {
            (Some(found), _) => Self::Here(found),
            (None, Some(why)) => Self::Unread(why),
            (None, None) => Self::Absent,
        }
    }
}

/// What of a source could not be read; of everything else it is known whether it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    why: BTreeMap<Area, Problem>,
    /// The namespaces that were read where not all could be.
    read: BTreeSet<(Kind, String)>,
    /// Why the labels of namespaces could not be read.
    pub labels: Option<Problem>,
    /// Why a cluster was not read at all, where files serve without it.
    pub cluster: Option<Problem>,
}

impl Unread {
    /// Notes that a kind could not be read, in a namespace or in all of them at once.
    pub fn note(&mut self, area: Area, why: Problem) {
        self.why.insert(area, why);
    }

    /// Notes that a kind could be read in a namespace.
    pub fn note_read(&mut self, kind: Kind, namespace: &str) {
        self.why.remove(&(kind, Some(namespace.to_owned())));
        self.read.insert((kind, namespace.to_owned()));
    }

    /// Forgets why a kind could not be read, as it is known from before.
    pub fn forget(&mut self, area: &Area) {
        self.why.remove(area);
    }

    /// Why nothing of a kind was read, in no namespace.
    pub fn of(&self, kind: Kind) -> Option<&Problem> {
        let why = self.why.get(&(kind, None))?;
        self.namespaces(kind).next().is_none().then_some(why)
    }

    /// Why not all of a kind is known that is in a namespace, or without one in any: then an empty list is no answer.
    pub fn over(&self, kind: Kind, namespace: Option<&str>) -> Option<&Problem> {
        match namespace {
            Some(namespace) => self.within(kind, namespace),
            None => self.why.get(&(kind, None)),
        }
    }

    /// Why a kind was not read in a namespace.
    pub fn within(&self, kind: Kind, namespace: &str) -> Option<&Problem> {
        if self.read.contains(&(kind, namespace.to_owned())) {
            return None;
        }
        self.why.get(&(kind, Some(namespace.to_owned()))).or_else(|| self.why.get(&(kind, None)))
    }

    /// Why a kind could not be read in exactly this area.
    pub fn at(&self, area: &Area) -> Option<&Problem> {
        self.why.get(area)
    }

    /// All that could not be read, and why.
    pub fn areas(&self) -> impl Iterator<Item = (&Area, &Problem)> {
        self.why.iter()
    }

    /// The namespaces in which a kind was read that could not be read in all of them.
    pub fn namespaces(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.read.iter().filter(move |(of, _)| *of == kind).map(|(_, namespace)| namespace.as_str())
    }
}

impl Inventory {
    /// What is known of the repository of this name.
    pub fn repository(&self, id: &ObjectId) -> Known<'_, ImageRepository> {
        let unread = self.unread.within(Kind::ImageRepository, &id.namespace);
        Known::new(self.repositories.get(id), unread)
    }

    /// What is known of the `GitRepository` of an automation.
    pub fn source_of(&self, automation: &ImageUpdateAutomation) -> Known<'_, GitRepository> {
        let id = &automation.source;
        let unread = self.unread.within(Kind::GitRepository, &id.namespace);
        Known::new(self.git_repositories.get(id), unread.filter(|_| !is_implied(automation)))
    }

    /// What is known of the labels of a namespace.
    pub fn labels_of(&self, namespace: &str) -> Known<'_, BTreeMap<String, String>> {
        Known::new(self.namespaces.get(namespace), self.unread.labels.as_ref())
    }
}

/// That an object could not be read which something refers to; the reason, the code and the hint are those of `why`.
pub(super) fn unread(kind: Kind, id: &ObjectId, why: &Problem) -> Problem {
    Problem { message: format!("{kind} {id} could not be read: {}", why.message), ..why.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn refused(place: &str) -> Problem {
        Problem::new(Code::ClusterForbidden, "prod", format!("not allowed to list imagerepositories {place}"))
    }

    #[test]
    fn what_was_not_read_is_neither_there_nor_missing() {
        let mut inventory = Inventory::default();
        let (shop, data) = (ObjectId::new("shop", "web"), ObjectId::new("data", "web"));
        assert_eq!(inventory.repository(&shop), Known::Absent);
        inventory.unread.note((Kind::ImageRepository, None), refused("in all namespaces"));
        assert_eq!(inventory.unread.of(Kind::ImageRepository), Some(&refused("in all namespaces")));
        inventory.unread.note_read(Kind::ImageRepository, "shop");
        assert_eq!(inventory.unread.of(Kind::ImageRepository), None, "a part was read");
        assert_eq!(inventory.repository(&shop), Known::Absent, "its namespace was read");
        assert_eq!(inventory.repository(&data), Known::Unread(&refused("in all namespaces")));
        inventory.unread.note((Kind::ImageRepository, Some("data".into())), refused("in namespace data"));
        assert_eq!(inventory.repository(&data), Known::Unread(&refused("in namespace data")));
        // What files describe is there all the same.
        let repository = ImageRepository::of_image("reg/web");
        inventory.repositories.insert(data.clone(), repository.clone());
        assert_eq!(inventory.repository(&data), Known::Here(&repository));
    }
}
