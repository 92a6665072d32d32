//! What a person can have the controllers of a cluster do with an object.

use std::collections::BTreeMap;

use super::object::{Kind, ObjectId};

/// The objects that no order may be given for, by kind and namespace, with the reason: verb and resource.
pub type Denied = BTreeMap<(Kind, String), String>;

/// An order to a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Leave the object alone.
    Suspend,
    /// Take it up again.
    Resume,
    /// Look at it at once.
    Reconcile,
}

impl Order {
    /// The command: `suspend`, `resume`, `reconcile`.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Reconcile => "reconcile",
        }
    }

    /// The same at the beginning of a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Suspend => "Suspend",
            Self::Resume => "Resume",
            Self::Reconcile => "Reconcile",
        }
    }

    /// What is said of an object to which it was given.
    pub fn done(self) -> &'static str {
        match self {
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Reconcile => "reconciliation requested",
        }
    }

    /// The line of `flux` that gives it.
    pub fn flux(self, kind: Kind, id: &ObjectId) -> String {
        format!("flux {} image {} {} -n {}", self.verb(), word(kind), id.name, id.namespace)
    }
}

/// A kind as `image …` has it on a command line.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::ImageRepository => "repository",
        Kind::ImagePolicy => "policy",
        Kind::ImageUpdateAutomation | Kind::GitRepository => "update",
    }
}

/// A kind as flux calls it in its progress lines.
pub fn human(kind: Kind) -> &'static str {
    match kind {
        Kind::ImageRepository => "image repository",
        Kind::ImagePolicy => "image policy",
        Kind::ImageUpdateAutomation => "image update automation",
        Kind::GitRepository => "source git",
    }
}
