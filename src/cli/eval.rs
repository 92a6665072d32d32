//! The engine alone: policies, batches, messages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;

/// `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// What to try.
    #[command(subcommand)]
    pub what: EvalWhat,
}

/// What `eval` tries.
#[derive(Debug, Subcommand)]
pub enum EvalWhat {
    /// A policy, on tags from a file, standard input or a registry.
    Policy(Box<EvalPolicyArgs>),
    /// Many verdicts at once: a JSON request a line from standard input, an answer a line to standard output.
    #[command(long_about = examples::EVAL_BATCH)]
    Batch(EvalBatchArgs),
}

/// `eval batch`.
#[derive(Debug, Args)]
pub struct EvalBatchArgs {
    /// Stop with exit 2 at the first request that cannot be understood.
    #[arg(long)]
    pub strict: bool,
}

/// `eval policy`.
#[derive(Debug, Args)]
pub struct EvalPolicyArgs {
    /// Start from this `ImagePolicy`.
    pub name: Option<String>,
    /// Select by version, within this range.
    #[arg(long, value_name = "RANGE", group = "rule")]
    pub semver: Option<String>,
    /// Select by number.
    #[arg(long, value_name = "ORDER", group = "rule")]
    pub numerical: Option<String>,
    /// Select by bytes.
    #[arg(long, value_name = "ORDER", group = "rule")]
    pub alphabetical: Option<String>,
    /// Only tags that match this Go regular expression.
    #[arg(long, value_name = "RE")]
    pub pattern: Option<String>,
    /// Compare what this template makes of the match.
    #[arg(long, value_name = "TEMPLATE")]
    pub extract: Option<String>,
    /// Leave tags out that match; repeatable.
    #[arg(long, value_name = "RE")]
    pub exclude: Vec<String>,
    /// Leave nothing out.
    #[arg(long, conflicts_with = "exclude")]
    pub no_exclude: bool,
    /// Tags, one a line, or a JSON array, or a registry's answer; `-` reads stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "image")]
    pub tags_from: Option<String>,
    /// List the tags of this image repository.
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,
    /// Leave the tags out of the answer.
    #[arg(long)]
    pub summary: bool,
}

/// `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// What to render.
    #[command(subcommand)]
    pub what: RenderWhat,
}

/// What `render` renders.
#[derive(Debug, Subcommand)]
pub enum RenderWhat {
    /// A commit message.
    Message(RenderMessageArgs),
}

/// `render message`.
#[derive(Debug, Args)]
pub struct RenderMessageArgs {
    /// The template.
    #[arg(long, value_name = "FILE", requires = "data", required_unless_present = "plan")]
    pub template_file: Option<PathBuf>,
    /// The data; `-` reads stdin.
    #[arg(long, value_name = "FILE", requires = "template_file")]
    pub data: Option<String>,
    /// Print the messages of this plan instead.
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["template_file", "data"])]
    pub plan: Option<String>,
    /// Answer as today's controllers: fields that were removed are errors.
    #[arg(long)]
    pub strict: bool,
}
