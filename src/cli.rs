//! What was typed: the command line as data. Nothing here reads a file or decides anything.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::config::{Refresh, SourceChoice};
use crate::domain::age::MinAge;
use crate::problem::{Code, Problem};

mod examples;
pub mod objects;
pub mod usage;
mod values;

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
    long_about = "Supercargo lists image repositories and their live tags, shows what each policy selects and why, the \
                  exact diff of the marked lines, and lands what you approve as a commit.\n\nWithout a command it opens \
                  the dashboard on PATH or the current directory.",
    after_long_help = EXAMPLES,
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
                Command::Get(GetArgs { what: GetWhat::Updates { age, .. } })
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
            None => true,
            Some(Command::Demo(args)) => !args.headless,
            Some(_) => false,
        }
    }
}

/// Shown below every `--help` of the program itself.
const EXAMPLES: &str = "Examples:
  supercargo demo                                    practise on a built-in registry and remote
  supercargo get updates                             what would change, as a table
  supercargo plan --all -o json > plan.json          approve everything that is safe, into a file
  supercargo push --plan plan.json --write --yes     land exactly that

Exit codes: 0 done, 1 the answer is no (diff, lint, check), 2 usage, 3 not reached, 4 denied,
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
    /// The kube context to report in `check`.
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig to read in `check`.
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The namespace: of objects to get and create (default flux-system), a filter elsewhere.
    #[arg(short, long, global = true, value_name = "NS", env = "SUPERCARGO_NAMESPACE")]
    pub namespace: Option<String>,
    /// Get objects of every namespace.
    #[arg(short = 'A', long, global = true, hide_short_help = true)]
    pub all_namespaces: bool,
    /// Get only objects with these labels, as kubectl.
    #[arg(short = 'l', long, global = true, hide_short_help = true, value_name = "SELECTOR")]
    pub label_selector: Option<String>,
    /// Get only objects in this state, such as ready=false.
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
    /// Allow pushes, after a confirmation.
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
    /// The theme of the dashboard.
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME", env = "SUPERCARGO_THEME")]
    pub theme: Option<String>,
    /// Draw with ASCII only.
    #[arg(long, global = true, hide_short_help = true)]
    pub ascii: bool,
    /// [`Cli::min_age`], which is no flag of every command.
    #[arg(skip)]
    pub min_age: Option<MinAge>,
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
    /// Land a plan.
    #[command(long_about = examples::PUSH)]
    Push(PushArgs),
    /// Try a policy.
    #[command(long_about = examples::EVAL)]
    Eval(EvalArgs),
    /// Create objects as flux does: image repositories, policies, automations, sources, secrets.
    #[command(long_about = examples::CREATE)]
    Create(objects::CreateArgs),
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
    /// What is kept to be quicker: tag lists, metadata and Git clones.
    #[command(long_about = examples::CACHE)]
    Cache(CacheArgs),
    /// Print a completion script.
    Completion(CompletionArgs),
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

/// `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// What to scan.
    #[command(subcommand)]
    pub what: Option<ScanWhat>,
    /// Any image repository, without an object.
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,
    /// Go on at the objects' intervals (an image: every minute), and print a line for each tag that was added, was removed or
    /// stands for another digest since the last scan.
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
    #[arg(required_unless_present = "all", value_name = "NAME")]
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
    /// Push to this branch instead of the automation's.
    #[arg(long, value_name = "BRANCH", value_parser = values::branch)]
    pub branch: Option<String>,
    /// What may be approved.
    #[command(flatten)]
    pub age: AgeArg,
    /// Also write the change as a patch.
    #[arg(long, value_name = "FILE")]
    pub output_patch: Option<PathBuf>,
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
    #[arg(long, value_name = "BRANCH", value_parser = values::branch)]
    pub branch: Option<String>,
    /// What may be pushed.
    #[command(flatten)]
    pub age: AgeArg,
    /// How far to go.
    #[arg(long, value_enum)]
    pub dry_run: Option<DryRun>,
}

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

/// `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Only markers below this path.
    pub path: Option<PathBuf>,
    /// Unmarked images, unused objects, broken chains and obsolete versions are problems too.
    #[arg(long)]
    pub strict: bool,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Only what is needed before anything is set up.
    #[arg(long, action = ArgAction::SetTrue)]
    pub pre: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// What to look at; everything if absent.
    #[command(subcommand)]
    pub what: Option<DoctorWhat>,
}

/// What `doctor` looks at.
#[derive(Debug, Subcommand)]
pub enum DoctorWhat {
    /// One registry: each credential in the order tried, and what the registry said.
    Registry {
        /// The registry, or an image in it.
        #[arg(value_name = "HOST|IMAGE")]
        place: String,
    },
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
    /// That is: tag lists and metadata of repositories that were not scanned, and clones of remotes that were not
    /// fetched, for 30 days; and after a day what was set aside because it was damaged, or was left half written.
    Prune,
    /// Remove everything.
    Clear,
}

/// `completion`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}
