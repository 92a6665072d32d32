//! What changes files or remotes: diffs, plans, pushes, rewrites.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{AgeArg, values};
use crate::domain::hold::Until;

/// `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What to compare.
    #[command(subcommand)]
    pub what: DiffWhat,
}

/// What `diff` compares.
#[derive(Debug, Subcommand)]
pub enum DiffWhat {
    /// The pending updates, as a patch that `git apply` takes.
    #[command(alias = "update")]
    Updates {
        /// Only those of these policies.
        names: Vec<String>,
        /// Lines of context.
        #[arg(long, default_value_t = 3, value_name = "N")]
        unified: usize,
        /// Only how much changes.
        #[arg(long)]
        stat: bool,
        /// What may be approved.
        #[command(flatten)]
        age: AgeArg,
    },
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Approve the updates of these policies.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "NAME")]
    pub names: Vec<String>,
    /// Approve all but held, blocked, downgrades and changed names.
    #[arg(long)]
    pub all: bool,
    /// Leave these policies out.
    #[arg(long, value_name = "NAME")]
    pub skip: Vec<String>,
    /// The commit message, instead of the template's.
    #[arg(long, value_name = "TEXT", conflicts_with = "message_file", value_parser = values::message)]
    pub message: Option<String>,
    /// Read the commit message from a file.
    #[arg(long, value_name = "FILE")]
    pub message_file: Option<PathBuf>,
    /// Push there; {policy}, {tag}, {automation}, {plan} are filled in.
    #[arg(long, value_name = "BRANCH", value_parser = values::branch_template)]
    pub branch: Option<String>,
    /// A commit for each policy, not for each automation.
    #[arg(long, value_enum, value_name = "BY")]
    pub split: Option<Split>,
    /// What may be approved.
    #[command(flatten)]
    pub age: AgeArg,
    /// Also write a patch; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub output_patch: Option<PathBuf>,
}

/// What gets a commit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// Each policy.
    Policy,
}

/// How `push` behaves without writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Push.
    None,
    /// Do not touch the network.
    Client,
    /// Log in and compare references, send nothing.
    Server,
}

/// `push`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The plan; `-` reads stdin.
    #[arg(long, value_name = "FILE")]
    pub plan: String,
    /// Push to this branch instead of the plan's.
    #[arg(long, value_name = "BRANCH", value_parser = values::whole_branch)]
    pub branch: Option<String>,
    /// Open a pull or merge request for each branch that is pushed, or update the one that is open.
    #[arg(long)]
    pub pull_request: bool,
    /// Give the request this label. Repeatable.
    #[arg(long = "label", value_name = "NAME", requires = "pull_request", value_parser = values::label)]
    pub labels: Vec<String>,
    /// Open the request as a draft.
    #[arg(long, requires = "pull_request")]
    pub draft: bool,
    /// What may be pushed.
    #[command(flatten)]
    pub age: AgeArg,
    /// How far to go.
    #[arg(long, value_enum)]
    pub dry_run: Option<DryRun>,
}

/// `merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The branch to merge.
    #[arg(value_name = "BRANCH", value_parser = values::branch)]
    pub branch: String,
    /// The branch to merge it into.
    #[arg(long, value_name = "BRANCH", value_parser = values::branch)]
    pub into: String,
    /// Make a merge commit also where moving the branch would do.
    #[arg(long)]
    pub no_ff: bool,
    /// The `GitRepository`, where there are several.
    #[arg(long, value_name = "[NS/]NAME")]
    pub repo: Option<String>,
}

/// `hold`.
#[derive(Debug, Args)]
pub struct HoldArgs {
    /// The policy.
    #[arg(value_name = "POLICY")]
    pub policy: String,
    /// Hold this tag alone, not whatever the policy selects.
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Until when: a date (its first moment in UTC), a time, or how long, such as 7d [default: `[hold] days`, 7d].
    #[arg(long, value_name = "DATE|7d")]
    pub until: Option<Until>,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = values::reason)]
    pub reason: String,
}

/// `unhold`.
#[derive(Debug, Args)]
pub struct UnholdArgs {
    /// The policy.
    #[arg(value_name = "POLICY")]
    pub policy: String,
    /// Release this tag alone; without it, all holds of the policy end.
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
}

/// `review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// The plan, as `plan -o json` printed it.
    #[arg(value_name = "PLAN")]
    pub plan: String,
}

/// `revert`.
#[derive(Debug, Args)]
pub struct RevertArgs {
    /// The commit whose marked values are to be set back: its id, or the first digits of it; A..B takes back what is behind A
    /// up to B, as one.
    #[arg(value_name = "COMMIT")]
    pub commit: String,
    /// The `GitRepository`, where there are several.
    #[arg(long, value_name = "[NS/]NAME")]
    pub repo: Option<String>,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The policy.
    #[arg(value_name = "POLICY")]
    pub policy: String,
    /// The older tag.
    #[arg(long, value_name = "TAG")]
    pub to: String,
    /// How it is kept: by a hold of ours alone, or also by what the plan changes in the files.
    #[arg(long, value_name = "MEANS", value_enum, default_value = "hold")]
    pub keep: KeepBy,
    /// Until when the policy is held here: a date, a time, or how long, such as 7d [default: `[hold] days`, 7d].
    #[arg(long, value_name = "DATE|7d")]
    pub until: Option<Until>,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = values::reason)]
    pub reason: String,
}

/// How an older tag is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeepBy {
    /// A hold of ours.
    Hold,
    /// Suspend the automation.
    Suspend,
    /// Exclude the tags that are newer today; those that come later are not excluded.
    Exclude,
    /// End the policy's range there.
    Narrow,
}

/// `set`; `--write` writes the files instead of printing the diff.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// A policy and its latest image; without `=` it has none. Repeatable.
    #[arg(short, long = "policy", value_name = "NS:NAME[=IMAGE:TAG[@DIGEST]]", required = true)]
    pub policies: Vec<String>,
    /// Exit 1 if anything would change.
    #[arg(long)]
    pub exit_code: bool,
    /// Files and directories.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}
