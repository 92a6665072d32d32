//! What was typed: the command line as data. Nothing here reads a file or decides anything.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Refresh, SourceChoice};
use crate::domain::age::MinAge;
use crate::problem::{Code, Problem};

mod bootstrap;
mod change;
mod check;
pub mod complete;
mod eval;
mod examples;
mod get;
mod heeded;
pub mod help;
mod land;
pub mod objects;
pub mod secrets;
mod stdin;
pub mod usage;
mod values;

pub use bootstrap::{AtForgeArgs, AtGitArgs, BootstrapArgs, BootstrapAt, BootstrapCommon, InstallArgs};
pub use change::{Chosen, DeleteArgs, ObjectArgs, ObjectKind, ObjectWhat, ResumeArgs};
pub use check::{
    CheckArgs, CompletionArgs, ConfigArgs, ConfigWhat, DoctorArgs, DoctorWhat, EventsArgs, LintArgs, ManArgs,
    SchemaArgs, SchemaWhat, ThemeArgs, ThemeWhat,
};
pub use eval::{
    EvalArgs, EvalBatchArgs, EvalPolicyArgs, EvalWhat, RenderArgs, RenderMessageArgs, RenderWhat,
};
pub use get::{
    CacheArgs, CacheWhat, ExplainArgs, ExplainWhat, GetArgs, GetImage, GetWhat, ScanArgs, ScanWhat, TagsArgs,
    WhyArgs,
};
pub use land::{
    DiffArgs, DiffWhat, DryRun, HoldArgs, KeepBy, MergeArgs, PlanArgs, PushArgs, RevertArgs, ReviewArgs,
    RollbackArgs, SetArgs, Split, UnholdArgs,
};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// The table with more columns.
    Wide,
    /// One JSON document.
    Json,
    /// The JSON document as YAML.
    Yaml,
    /// `kind/namespace/name`, one a line.
    Name,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// As the terminal and its environment say.
    #[default]
    Auto,
    /// Whatever the environment says.
    Always,
    /// Not at all.
    Never,
}

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "supercargo",
    bin_name = "supercargo",
    version,
    about = "Preview, explain and land Flux image updates, with a person in the loop",
    long_about = examples::PROGRAM,
    after_long_help = EXITS,
    arg_required_else_help = false,
    disable_help_subcommand = true,
    subcommand_precedence_over_arg = true,
    max_term_width = 110
)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The directory or Git URL to open (the same as --files).
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// What may be approved.
    #[command(flatten)]
    pub age: AgeArg,
    /// What to do; the dashboard if absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How old images have to be.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct AgeArg {
    /// Hold what is younger, such as 3d or 12h; 0 holds nothing.
    #[arg(long, value_name = "AGE")]
    pub min_age: Option<MinAge>,
}

impl Cli {
    /// The minimum age as typed, before or behind the command.
    ///
    /// # Errors
    /// The command evaluates nothing that could be too young.
    pub fn min_age(&self) -> Result<Option<MinAge>, Problem> {
        let own = match &self.command {
            None => Some(self.age),
            Some(
                Command::Get(GetArgs { what: GetWhat::Updates { age, .. }, .. })
                | Command::Diff(DiffArgs { what: DiffWhat::Updates { age, .. } }),
            ) => Some(*age),
            Some(Command::Plan(args)) => Some(args.age),
            Some(Command::Push(args)) => Some(args.age),
            Some(_) => None,
        };
        match (own, self.age.min_age) {
            (Some(own), before) => Ok(own.min_age.or(before)),
            (None, None) => Ok(None),
            (None, Some(_)) => {
                Err(Problem::new(Code::Usage, "--min-age", "this command evaluates no updates"))
            }
        }
    }

    /// Whether this opens the dashboard: no command, or the demo with its screen.
    pub fn wants_screen(&self) -> bool {
        match &self.command {
            None | Some(Command::Review(_)) => true,
            Some(Command::Demo(args)) => !args.headless,
            Some(_) => false,
        }
    }
}

/// Shown below the `--help` of the program itself.
const EXITS: &str =
    "Exit codes: 0 done, 1 the answer is no (diff, lint, check), 2 usage, 3 not reached, 4 denied,
  5 stale, 6 a policy, template or file of yours fails, 7 refused by mode or unconfirmed,
  8 partial, 9 a bug of ours.";

/// Flags that every command takes.
#[expect(clippy::struct_excessive_bools, reason = "a flag on a command line is a bool")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The files source: a directory or a Git URL, optionally with `#BRANCH[:DIR]`.
    #[arg(short = 'C', long, global = true, value_name = "PATH|URL", env = "SUPERCARGO_FILES")]
    pub files: Option<String>,
    /// Where Flux's objects come from.
    #[arg(long, global = true, hide_short_help = true, value_enum, env = "SUPERCARGO_SOURCE")]
    pub source: Option<SourceChoice>,
    /// The kube context.
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig.
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The namespace: of objects to get and create (default flux-system), a filter elsewhere.
    #[arg(short, long, global = true, value_name = "NS", env = "SUPERCARGO_NAMESPACE")]
    pub namespace: Option<String>,
    /// Get objects of every namespace.
    #[arg(short = 'A', long, global = true, hide_short_help = true)]
    pub all_namespaces: bool,
    /// Only objects with these labels, as kubectl; of get, diff and plan.
    #[arg(short = 'l', long, global = true, hide_short_help = true, value_name = "SELECTOR")]
    pub label_selector: Option<String>,
    /// Only objects in this state, such as ready=false; of get.
    #[arg(long, global = true, hide_short_help = true, value_name = "TYPE=STATUS")]
    pub status_selector: Option<String>,
    /// Give up after this long.
    #[arg(long, global = true, hide_short_help = true, value_name = "DURATION", default_value = "5m0s")]
    pub timeout: crate::domain::duration::GoDuration,
    /// How data is printed.
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Print tables without their first line.
    #[arg(long, global = true, hide_short_help = true)]
    pub no_header: bool,
    /// When to colour the dashboard.
    #[arg(long, global = true, hide_short_help = true, value_enum, default_value_t)]
    pub color: ColorChoice,
    /// No progress on stderr.
    #[arg(long, global = true, hide_short_help = true)]
    pub quiet: bool,
    /// Change nothing, not even decisions.
    #[arg(long, global = true, hide_short_help = true, conflicts_with = "write")]
    pub read_only: bool,
    /// Allow pushes and changes to a cluster, each after a confirmation.
    #[arg(long, global = true)]
    pub write: bool,
    /// Confirm.
    #[arg(long, global = true)]
    pub yes: bool,
    /// Confirm a push to this protected branch; repeatable.
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub confirm_branch: Vec<String>,
    /// When to ask the network.
    #[arg(long, global = true, hide_short_help = true, value_enum, default_value_t)]
    pub refresh: Refresh,
    /// Where to reach a `GitRepository`; repeatable.
    #[arg(long, global = true, hide_short_help = true, value_name = "[NS/NAME=]URL")]
    pub git_url: Vec<String>,
    /// The user name for the Git remote.
    #[arg(long, global = true, hide_short_help = true, value_name = "USER", env = "SUPERCARGO_GIT_USERNAME")]
    pub git_username: Option<String>,
    /// Read the password for the Git remote from stdin.
    #[arg(long, global = true, hide_short_help = true, conflicts_with = "registry_password_stdin")]
    pub git_password_stdin: bool,
    /// Log in to the Git remote with this private key, over ssh (`SUPERCARGO_GIT_SSH_KEY`).
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub git_ssh_key: Option<PathBuf>,
    /// Trust the ssh host keys in this file, and no others.
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub git_known_hosts: Option<PathBuf>,
    /// The user name for the registry.
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        value_name = "USER",
        env = "SUPERCARGO_REGISTRY_USERNAME"
    )]
    pub registry_username: Option<String>,
    /// Read the password for the registry from stdin.
    #[arg(long, global = true, hide_short_help = true)]
    pub registry_password_stdin: bool,
    /// Trust this CA too, for registries and remotes.
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", env = "SUPERCARGO_CONFIG")]
    pub config: Option<PathBuf>,
    /// How much to log, to stderr (to a file in the dashboard).
    #[arg(long, global = true, hide_short_help = true, value_name = "LEVEL", default_value = "warn", env = "SUPERCARGO_LOG",
          value_parser = ["error", "warn", "info", "debug", "trace"])]
    pub log_level: String,
    /// The theme of the dashboard: auto, or what `supercargo theme list` has.
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME", env = "SUPERCARGO_THEME")]
    pub theme: Option<String>,
    /// Draw with ASCII only.
    #[arg(long, global = true, hide_short_help = true)]
    pub ascii: bool,
    /// The dashboard as lines to read, not a screen: for screen readers (`SUPERCARGO_ACCESSIBLE=1`; also where TERM is dumb).
    #[arg(long, global = true, hide_short_help = true)]
    pub plain: bool,
    /// [`Cli::min_age`], which is no flag of every command.
    #[arg(skip)]
    pub min_age: Option<MinAge>,
    /// Whether a value of a configuration file that cannot be read is a warning: the dashboard's reading of it.
    #[arg(skip)]
    pub lenient: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Practise: an embedded registry, a throw-away remote, a simulated CI.
    #[command(long_about = examples::DEMO)]
    Demo(DemoArgs),
    /// List tags now.
    #[command(long_about = examples::SCAN)]
    Scan(ScanArgs),
    /// Show repositories, policies, automations, tags or updates.
    #[command(long_about = examples::GET)]
    Get(GetArgs),
    /// Why a tag is selected, or not.
    #[command(long_about = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Why a tag is selected, or not (the same as `explain tag`).
    #[command(hide = true)]
    Why(WhyArgs),
    /// Show the exact diff of the pending updates.
    #[command(long_about = examples::DIFF)]
    Diff(DiffArgs),
    /// Decide, and print the plan.
    #[command(long_about = examples::PLAN)]
    Plan(PlanArgs),
    /// Open the dashboard on a plan that was made elsewhere.
    #[command(long_about = examples::REVIEW)]
    Review(ReviewArgs),
    /// Land a plan.
    #[command(long_about = examples::PUSH)]
    Push(PushArgs),
    /// Merge a branch of the remote into another.
    #[command(long_about = examples::MERGE)]
    Merge(MergeArgs),
    /// Hold back the updates of a policy, or one tag of it, for a while.
    #[command(long_about = examples::HOLD)]
    Hold(HoldArgs),
    /// Let go of what is held.
    #[command(long_about = examples::UNHOLD)]
    Unhold(UnholdArgs),
    /// Print a plan that takes back what a commit did.
    #[command(long_about = examples::REVERT)]
    Revert(RevertArgs),
    /// Go back to an older tag: hold what is newer, and print the plan.
    #[command(long_about = examples::ROLLBACK)]
    Rollback(RollbackArgs),
    /// Try a policy.
    #[command(long_about = examples::EVAL)]
    Eval(EvalArgs),
    /// Set a repository up for image updates: the repository, its branch, sync and image objects.
    #[command(long_about = examples::BOOTSTRAP)]
    Bootstrap(BootstrapArgs),
    /// Create objects as flux does: image repositories, policies, automations, sources, secrets.
    #[command(long_about = examples::CREATE)]
    Create(objects::CreateArgs),
    /// Delete objects as flux does.
    #[command(long_about = examples::DELETE)]
    Delete(DeleteArgs),
    /// Suspend objects: nothing is scanned, selected or written any more.
    #[command(long_about = examples::SUSPEND)]
    Suspend(ObjectArgs),
    /// Resume suspended objects.
    #[command(long_about = examples::RESUME)]
    Resume(ResumeArgs),
    /// Scan, evaluate or run objects now.
    #[command(long_about = examples::RECONCILE)]
    Reconcile(ObjectArgs),
    /// Print objects as YAML.
    #[command(long_about = examples::EXPORT)]
    Export(ObjectArgs),
    /// Rewrite marked values in files, offline.
    #[command(long_about = examples::SET)]
    Set(SetArgs),
    /// Render a commit message template.
    #[command(long_about = examples::RENDER)]
    Render(RenderArgs),
    /// Check every marker.
    #[command(long_about = examples::LINT)]
    Lint(LintArgs),
    /// Check what is needed: configuration, registries, remotes.
    #[command(long_about = examples::CHECK)]
    Check(CheckArgs),
    /// Check what is needed, and the terminal too; or ask one registry with every credential.
    #[command(long_about = examples::DOCTOR)]
    Doctor(DoctorArgs),
    /// Who did what: decisions, holds, scans, fetches, pushes, objects.
    #[command(long_about = examples::EVENTS)]
    Events(EventsArgs),
    /// What is kept to be quicker: tag lists, metadata and Git clones.
    #[command(long_about = examples::CACHE)]
    Cache(CacheArgs),
    /// Where the configuration lies, what is in force, and a documented file to begin with.
    #[command(long_about = examples::CONFIG)]
    Config(ConfigArgs),
    /// What each key of the dashboard does.
    Keys,
    /// The colours of the dashboard: which there are, and whether a theme of yours can be read.
    #[command(long_about = examples::THEME)]
    Theme(ThemeArgs),
    /// Print a manual page.
    #[command(long_about = examples::MAN)]
    Man(ManArgs),
    /// Print a completion script.
    Completion(CompletionArgs),
    /// Print the JSON Schema of what others may read.
    #[command(long_about = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Print the version.
    Version,
}

/// `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Walk scan → plan → push → verify once, without a screen.
    #[arg(long)]
    pub headless: bool,
    /// With --headless: keep the servers and the simulated CI running until a signal.
    #[arg(long, requires = "headless")]
    pub keep: bool,
    /// The seed of the tags to come.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Time between pushes of the simulated CI.
    #[arg(long, default_value = "5s", value_name = "DURATION")]
    pub interval: crate::domain::duration::GoDuration,
}
