//! `delete`, `suspend`, `resume`, `reconcile`, `export`: which objects, as flux names them.

use clap::{Args, Subcommand};

use crate::domain::object::Kind;

/// `delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// What to delete.
    #[command(subcommand)]
    pub what: ObjectWhat,
    /// Do not ask.
    #[arg(short, long, global = true)]
    pub silent: bool,
}

/// `suspend`, `reconcile`, `export`.
#[derive(Debug, Args)]
pub struct ObjectArgs {
    /// Which objects.
    #[command(subcommand)]
    pub what: ObjectWhat,
}

/// `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// What to resume.
    #[command(subcommand)]
    pub what: ObjectWhat,
    /// Reconcile each of them then.
    #[arg(long, global = true)]
    pub wait: bool,
}

/// The group of the kinds.
#[derive(Debug, Subcommand)]
pub enum ObjectWhat {
    /// An image repository, policy or automation.
    #[command(alias = "images")]
    Image {
        /// Which kind.
        #[command(subcommand)]
        kind: ObjectKind,
    },
}

/// The kinds.
#[derive(Debug, Subcommand)]
pub enum ObjectKind {
    /// `ImageRepository` objects.
    Repository(Chosen),
    /// `ImagePolicy` objects.
    Policy(Chosen),
    /// `ImageUpdateAutomation` objects.
    Update(Chosen),
}

/// Which objects of a kind.
#[derive(Debug, Args)]
pub struct Chosen {
    /// These, as NAME or NAMESPACE/NAME.
    #[arg(required_unless_present = "all", value_name = "NAME")]
    pub names: Vec<String>,
    /// All of the namespace; with -A, of every namespace.
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
}

impl ObjectWhat {
    /// The kind, and which objects of it.
    pub fn parts(&self) -> (Kind, &Chosen) {
        let Self::Image { kind } = self;
        match kind {
            ObjectKind::Repository(chosen) => (Kind::ImageRepository, chosen),
            ObjectKind::Policy(chosen) => (Kind::ImagePolicy, chosen),
            ObjectKind::Update(chosen) => (Kind::ImageUpdateAutomation, chosen),
        }
    }
}
