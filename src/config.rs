//! What is in force: command line over environment over the user's file over the system's.
//!
//! Reads the configuration files and the environment once; after that everybody passes [`Settings`].

mod file;
mod forge;
mod given;
mod keys;
mod lenient;
mod locked;
mod registry;
mod view;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use crate::app::action;
use crate::app::keymap::Bindings;
use crate::app::profile::Profile;
use crate::cli::{ColorChoice, Format, Global};
use crate::domain::age::MinAge;
use crate::domain::duration::GoDuration;
use crate::domain::freeze::Window;
use crate::domain::mode::Mode;
use crate::domain::refspec::short_name;
use crate::problem::{Code, Problem};
use crate::text::SecretString;
use file::{File, FreezeWindow, SYSTEM_FILE, read_files};
use given::{git_credential, git_ssh_key, git_urls, named_sources, registry_credential};
use words::Trailer;

pub use file::themes_folder;
pub use forge::{ForgeConfig, ForgeSettings};
pub use registry::RegistryConfig;
pub use view::{DEFAULT_FILE, Entry, Place, places, view, without_files};

/// When to ask the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Refresh {
    /// What is due by its interval; remotes older than 60 s.
    #[default]
    Auto,
    /// Everything, now.
    Always,
    /// Nothing: what is known from before.
    Never,
}

impl Refresh {
    /// What is asked before something is done that cannot be undone: everything, unless nothing may be asked.
    #[must_use]
    pub fn for_the_last_look(self) -> Self {
        match self {
            Self::Auto | Self::Always => Self::Always,
            Self::Never => Self::Never,
        }
    }
}

/// Where Flux's objects come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceChoice {
    /// Files if found, and the cluster if a kube context is in force.
    Auto,
    /// Files only.
    Files,
    /// The cluster only.
    Cluster,
    /// Both, joined.
    Both,
}

/// A credential from flags or environment.
#[derive(Debug, Clone)]
pub struct FlagCredential {
    /// `flags` or `environment`, for messages.
    pub origin: &'static str,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: SecretString,
    /// The one registry host it is for; `None`: whatever single host the command asks.
    pub host: Option<String>,
}

/// Everything that is in force.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone)]
pub struct Settings {
    /// What may be done.
    pub mode: Mode,
    /// Whether the system's file pins the mode.
    pub mode_locked: bool,
    /// Whether `--read-only` was said here and now, which holds for the demo too.
    pub reads_only: bool,
    /// Whether all this is the demo's, whose remote is a folder that no Flux is meant to take.
    pub practice: bool,
    /// Where objects come from.
    pub source: SourceChoice,
    /// The files source as given: a path or a URL; `None`: the current directory if it fits.
    pub files: Option<String>,
    /// Whether [`Self::files`] was said here and now, and is no standing choice of the configuration.
    pub files_given: bool,
    /// `-n` as typed.
    pub namespace: Option<String>,
    /// The namespace of objects that name none: `-n`, else the configuration's, else `flux-system`.
    pub default_namespace: String,
    /// `-A`.
    pub all_namespaces: bool,
    /// `-l`.
    pub label_selector: Option<String>,
    /// `--status-selector`.
    pub status_selector: Option<String>,
    /// How long a command may take.
    pub timeout: GoDuration,
    /// When to ask the network.
    pub refresh: Refresh,
    /// How to print.
    pub output: Format,
    /// No table header.
    pub no_header: bool,
    /// No progress.
    pub quiet: bool,
    /// When to colour.
    pub color: ColorChoice,
    /// `--yes`.
    pub yes: bool,
    /// `--confirm-branch`.
    pub confirm_branches: Vec<String>,
    /// `GitRepository` (`NS/NAME`, or empty for all) → where to reach it; flags before configuration.
    pub git_urls: Vec<(String, String)>,
    /// The `GitRepository` objects that `--git-url` names: typed for this call, so there have to be such objects.
    pub named_sources: Vec<String>,
    /// A Git credential from flags or environment.
    pub git_credential: Option<FlagCredential>,
    /// The private key for Git remotes over ssh, with `flags` or `environment`.
    pub git_ssh_key: Option<(&'static str, PathBuf)>,
    /// The ssh host keys to trust.
    pub git_known_hosts: Option<PathBuf>,
    /// A registry credential from flags or environment.
    pub registry_credential: Option<FlagCredential>,
    /// CAs to trust beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Registry host → how to reach it.
    pub registries: BTreeMap<String, RegistryConfig>,
    /// What runs which Git host, and what is shown to it.
    pub forges: ForgeSettings,
    /// Patterns of branches whose name must be confirmed.
    pub protected_branches: Vec<String>,
    /// How old an image has to be before an update to it can be approved.
    pub min_age: MinAge,
    /// When a push needs the branch's name.
    pub freeze: Vec<Window>,
    /// How many days a hold lasts that names no end.
    pub hold_days: u16,
    /// Requests under way at once.
    pub scan_concurrency: usize,
    /// The largest registry answer, in bytes.
    pub max_reply_bytes: u64,
    /// Whether commits are by the automation's author or by the operator.
    pub author_is_operator: bool,
    /// Whether commits are signed as the operator's git or the automation has it; else they never are.
    pub signs: bool,
    /// Trailers of every commit: keys whose value is the operator, or whole trailers.
    pub trailers: Vec<String>,
    /// The theme's name; `auto` chooses.
    pub theme: String,
    /// The folder of the user's themes.
    pub themes: Option<PathBuf>,
    /// How much the dashboard sends to its terminal.
    pub profile: Profile,
    /// Whether the dashboard takes the mouse.
    pub mouse: bool,
    /// ASCII only.
    pub ascii: bool,
    /// Whether the dashboard writes lines and draws no screen.
    pub plain: bool,
    /// The kube context whose sections in the files are in force; `None`: there are none for the one in force.
    pub section: Option<String>,
    /// Whether one of them says the mode.
    pub section_says_mode: bool,
    /// What was said, for another context; `None`: no file was read.
    pub layers: Option<Arc<Layers>>,
    /// The dashboard's keys, where they are not those of the table of actions.
    pub bindings: Bindings,
    /// What of `[keys]` could not be had, and what it took from other actions.
    pub key_warnings: Vec<Problem>,
    /// The kube context asked for.
    pub context: Option<String>,
    /// The kubeconfig asked for.
    pub kubeconfig: Option<PathBuf>,
    /// Level of the log.
    pub log_level: String,
    /// What the configuration files say that is wrong but does not stop us.
    pub warnings: Vec<Problem>,
}

/// The part of the environment that decides settings.
pub trait Environment {
    /// The value of a variable; `None` if absent, empty or not UTF-8.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

/// An environment of just these variables.
#[cfg(test)]
struct Only(&'static [(&'static str, &'static str)]);

#[cfg(test)]
impl Environment for Only {
    fn var(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }
}

/// Passwords that were read from standard input, because a flag said so.
#[derive(Debug, Clone, Default)]
pub struct StdinSecrets {
    /// For `--git-password-stdin`.
    pub git: Option<SecretString>,
    /// For `--registry-password-stdin`.
    pub registry: Option<SecretString>,
}

/// Everything that was said, so that it can be settled anew where another kube context is in force.
#[derive(Clone)]
pub struct Layers {
    global: Global,
    secrets: StdinSecrets,
    files: [File; 2],
    warnings: Vec<Problem>,
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Layers")
    }
}

impl Layers {
    /// The context by whose sections settings go: `--context`, else the one that `current` says, unless files alone are asked for.
    fn context(&self, current: impl FnOnce() -> Option<String>) -> Option<String> {
        let [system, user] = &self.files;
        if system.contexts.is_empty() && user.contexts.is_empty() {
            return None;
        }
        if let Some(asked) = &self.global.context {
            return Some(asked.clone());
        }
        let is_files = resolve_source(&self.global, (user, system)) == SourceChoice::Files;
        if is_files { None } else { current() }
    }

    fn settle(self: &Arc<Self>, env: &dyn Environment, context: Option<&str>) -> Result<Settings, Problem> {
        let mut files = self.files.clone();
        let [system, user] = &mut files;
        if system.locked.iter().any(|key| key == "contexts") {
            user.contexts.clear();
        }
        let sections: Vec<&File> = files.iter().filter_map(|file| file.contexts.get(context?)).collect();
        let (has_section, says_mode) =
            (!sections.is_empty(), sections.iter().any(|section| section.mode.is_some()));
        let files = files.map(|file| file.in_context(context));
        let settings = settle(&self.global, env, self.secrets.clone(), files, self.warnings.clone())?;
        Ok(Settings {
            section: context.filter(|_| has_section).map(str::to_owned),
            section_says_mode: says_mode,
            layers: Some(Arc::clone(self)),
            ..settings
        })
    }
}

impl Settings {
    /// The settings in another kube context: those of its sections in the files, else what the files say anyway.
    ///
    /// # Errors
    /// What the section says makes no sense.
    pub fn in_context(&self, context: &str, env: &dyn Environment) -> Result<Self, Problem> {
        let settled = self.layers.as_ref().map(|layers| layers.settle(env, Some(context))).transpose()?;
        Ok(Self { context: Some(context.to_owned()), ..settled.unwrap_or_else(|| self.clone()) })
    }
}

/// Resolves what was typed with environment and files. Where a file has sections for kube contexts, `current` is asked for the one
/// in force.
///
/// # Errors
/// A configuration file that was named and cannot be read, or one that does not parse or has a value of the wrong
/// type: [`Code::Config`] with line and column.
pub fn resolve(
    global: &Global,
    env: &dyn Environment,
    secrets: StdinSecrets,
    current: impl FnOnce() -> Option<String>,
) -> Result<Settings, Problem> {
    let mut warnings = Vec::new();
    let files = read_files(global, env, &mut warnings)?;
    let layers = Arc::new(Layers { global: global.clone(), secrets, files, warnings });
    let context = layers.context(current);
    layers.settle(env, context.as_deref())
}

/// The settings that flags, environment and the two files make, the system's first.
fn settle(
    global: &Global,
    env: &dyn Environment,
    secrets: StdinSecrets,
    [system, mut user]: [File; 2],
    mut warnings: Vec<Problem>,
) -> Result<Settings, Problem> {
    if !user.locked.is_empty() {
        let problem = config_problem("locked", "only the system's file can lock keys");
        warnings.push(problem.hint(format!("Lock them in {SYSTEM_FILE}.")));
    }
    let global = &mut global.clone();
    warnings.extend(locked::apply(&system.locked, global, &mut user, env));
    let mode_locked = system.locked.iter().any(|key| key == "mode");
    let mode = resolve_mode(global, env, (&user, &system), mode_locked)?;
    let source = resolve_source(global, (&user, &system));
    let namespace = global.namespace.clone();
    let default_namespace = namespace
        .clone()
        .or_else(|| user.namespace.clone().or_else(|| system.namespace.clone()))
        .unwrap_or_else(|| "flux-system".to_owned());
    let mut registries = system.registries.clone();
    registries.extend(user.registries.clone());
    let keys = system.keys.clone().then(user.keys.clone());
    let (bindings, key_warnings) = action::bind(keys.preset.unwrap_or_default(), &keys.lines);
    // A line of `[keys]` that cannot be had is passed over, like a key that nothing reads, and ends no command.
    let passed_over = |problem: Problem| match problem.code {
        Code::Config => Problem { code: Code::UnknownKey, ..problem },
        _ => problem,
    };
    let key_warnings = key_warnings.into_iter().map(passed_over).collect();
    let mut forges = system.forge.clone();
    forges.extend(user.forge.clone());
    Ok(Settings {
        mode,
        mode_locked,
        reads_only: global.read_only,
        practice: false,
        source,
        files_given: global.files.is_some(),
        files: global.files.clone().or_else(|| user.files.clone()).or_else(|| system.files.clone()),
        // As flux has it: whoever asks for all of them gets all, whatever one is named beside.
        namespace: namespace.filter(|_| !global.all_namespaces),
        default_namespace,
        all_namespaces: global.all_namespaces,
        label_selector: global.label_selector.clone(),
        status_selector: global.status_selector.clone(),
        timeout: global.timeout,
        refresh: global.refresh,
        output: global.output,
        no_header: global.no_header,
        quiet: global.quiet,
        color: global.color,
        yes: global.yes,
        confirm_branches: global.confirm_branch.iter().map(|name| short_name(name).to_owned()).collect(),
        git_urls: git_urls(global, &user, &system)?,
        named_sources: named_sources(global),
        git_credential: git_credential(global, env, secrets.git)?,
        git_ssh_key: git_ssh_key(global, env)?,
        git_known_hosts: global.git_known_hosts.clone(),
        registry_credential: registry_credential(global, env, secrets.registry)?,
        ca_files: global.ca_file.iter().cloned().collect(),
        registries,
        forges: forge::settle(forges, env)?,
        protected_branches: user
            .protected_branches
            .or(system.protected_branches)
            .unwrap_or_else(|| ["main", "master", "production", "release/*"].map(str::to_owned).to_vec()),
        min_age: global.min_age.or(user.min_age).or(system.min_age).unwrap_or_default(),
        freeze: windows(user.freeze.or(system.freeze)),
        hold_days: user.hold.days.or(system.hold.days).map_or(7, |days| days.0),
        scan_concurrency: user.scan_concurrency.or(system.scan_concurrency).unwrap_or(8).clamp(1, 64),
        max_reply_bytes: user.max_reply_mib.or(system.max_reply_mib).unwrap_or(64).max(1) << 20,
        signs: user.commit.sign.or(system.commit.sign).unwrap_or(true),
        trailers: trailers(user.commit.trailers.or(system.commit.trailers)),
        author_is_operator: user.commit.author.or(system.commit.author).unwrap_or(false),
        theme: global.theme.clone().or(user.theme).or(system.theme).unwrap_or_else(|| "auto".to_owned()),
        themes: themes_folder(env),
        profile: user.profile.or(system.profile).unwrap_or_default(),
        mouse: user.mouse.or(system.mouse).unwrap_or(true),
        ascii: global.ascii || user.ascii.or(system.ascii).unwrap_or(false),
        plain: global.plain || env.var("SUPERCARGO_ACCESSIBLE").is_some_and(|value| value != "0"),
        section: None,
        section_says_mode: false,
        layers: None,
        bindings,
        key_warnings,
        context: global.context.clone(),
        kubeconfig: global.kubeconfig.clone(),
        log_level: global.log_level.clone(),
        warnings,
    })
}

fn windows(windows: Option<Vec<FreezeWindow>>) -> Vec<Window> {
    windows.into_iter().flatten().map(|FreezeWindow(window)| window).collect()
}

fn trailers(trailers: Option<Vec<Trailer>>) -> Vec<String> {
    trailers.into_iter().flatten().map(|Trailer(text)| text).collect()
}

fn resolve_mode(
    global: &Global,
    env: &dyn Environment,
    (user, system): (&File, &File),
    locked: bool,
) -> Result<Mode, Problem> {
    if locked {
        return Ok(system.mode.unwrap_or_default());
    }
    if global.read_only {
        return Ok(Mode::ReadOnly);
    }
    if global.write {
        return Ok(Mode::Write);
    }
    match env.var("SUPERCARGO_MODE").as_deref() {
        Some("read-only") => Ok(Mode::ReadOnly),
        Some("dry-run") => Ok(Mode::DryRun),
        Some("write") => Ok(Mode::Write),
        Some(other) => Err(config_problem("SUPERCARGO_MODE", format!("{other:?} is no mode"))
            .hint("Use read-only, dry-run or write.")),
        None => Ok(user.mode.or(system.mode).unwrap_or_default()),
    }
}

fn resolve_source(global: &Global, (user, system): (&File, &File)) -> SourceChoice {
    global.source.or(user.source).or(system.source).unwrap_or(SourceChoice::Auto)
}

fn config_problem(subject: &str, message: impl Into<String>) -> Problem {
    Problem::new(Code::Config, subject, message)
}
