//! What is asked: scans, lists, explanations.

use clap::{Args, Subcommand};

use super::AgeArg;

/// `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// What to scan.
    #[command(subcommand)]
    pub what: Option<ScanWhat>,
    /// Any image repository, without an object.
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,
    /// Go on at the objects' intervals (an image: every minute), and print a line for each tag that was added, removed or
    /// moved to another digest since the last scan; asked about are tags in use, and those whose digest is known.
    #[arg(short, long, global = true)]
    pub watch: bool,
}

/// What `scan` scans.
#[derive(Debug, Subcommand)]
pub enum ScanWhat {
    /// Scan `ImageRepository` objects.
    #[command(alias = "repositories")]
    Repository {
        /// Which ones.
        #[arg(required_unless_present = "all", value_name = "NAME")]
        names: Vec<String>,
        /// All of them.
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
}

/// `get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// What to show.
    #[command(subcommand)]
    pub what: GetWhat,
    /// Go on until a signal: scan at the objects' intervals, read objects again when their files change, and show what
    /// changed; with -o json the whole list, a line each time.
    #[arg(short, long, global = true)]
    pub watch: bool,
}

/// What `get` shows.
#[derive(Debug, Subcommand)]
pub enum GetWhat {
    /// Image repositories and their last scan.
    #[command(alias = "repository")]
    Repositories {
        /// Only this one.
        name: Option<String>,
    },
    /// Policies and what they select.
    #[command(alias = "policy")]
    Policies {
        /// Only this one.
        name: Option<String>,
    },
    /// Automations and what they would write.
    #[command(alias = "automation")]
    Automations {
        /// Only this one.
        name: Option<String>,
    },
    /// Flux's spelling: image repository|policy|update|all.
    #[command(alias = "images")]
    Image {
        /// Which kind.
        #[command(subcommand)]
        kind: GetImage,
    },
    /// The tags of a repository, with a verdict each.
    Tags(TagsArgs),
    /// What people hold back.
    #[command(alias = "hold")]
    Holds,
    /// Pending updates.
    #[command(alias = "update")]
    Updates {
        /// Only those of these policies.
        names: Vec<String>,
        /// Exit 1 if there are any.
        #[arg(long)]
        exit_code: bool,
        /// What may be approved.
        #[command(flatten)]
        age: AgeArg,
    },
}

/// Kinds of `get image`.
#[derive(Debug, Subcommand)]
pub enum GetImage {
    /// `ImageRepository` objects.
    Repository {
        /// Only this one.
        name: Option<String>,
    },
    /// `ImagePolicy` objects.
    Policy {
        /// Only this one.
        name: Option<String>,
    },
    /// `ImageUpdateAutomation` objects.
    Update {
        /// Only this one.
        name: Option<String>,
    },
    /// All three.
    All,
}

/// `get tags`.
#[derive(Debug, Args)]
pub struct TagsArgs {
    /// The `ImageRepository`.
    #[arg(required_unless_present = "image", value_name = "REPO")]
    pub repository: Option<String>,
    /// Any image repository, without an object.
    #[arg(long, value_name = "REF", conflicts_with = "repository")]
    pub image: Option<String>,
    /// The policy to judge by; needed if several use the repository.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Only tags in these states.
    #[arg(long, value_delimiter = ',', value_name = "STATE")]
    pub state: Vec<String>,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What to explain.
    #[command(subcommand)]
    pub what: ExplainWhat,
}

/// What `explain` explains.
#[derive(Debug, Subcommand)]
pub enum ExplainWhat {
    /// One tag of one repository.
    Tag(WhyArgs),
}

/// `explain tag`, `why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The `ImageRepository`.
    #[arg(value_name = "REPO")]
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The policy to judge by; needed if several use the repository.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
}

/// `cache`.
#[derive(Debug, Args)]
pub struct CacheArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: CacheWhat,
}

/// What `cache` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum CacheWhat {
    /// Show what is there.
    Info,
    /// Remove what belongs to no object and no remote that was seen for 30 days.
    ///
    /// That is: tag lists and metadata of repositories that were not scanned for 30 days and that no object here names,
    /// suspended ones included; clones of remotes that were not fetched for as long; and after a day what was set aside because it was damaged, or was left half written.
    Prune,
    /// Remove everything.
    Clear,
}
