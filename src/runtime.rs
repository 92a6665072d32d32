//! The terminal front end's shell: it reads keys, draws frames, and carries out what the state machine asks for.
//!
//! Nothing is decided here. `event_loop` turns the world into messages and effects into work; `effects` owns every
//! task; `mailbox` is where the loop waits; `terminal` takes the terminal and gives it back on every way out; `input` reads keys; `clock` is the only
//! place that asks what time it is; `front` is a screen or, where lines are read, `plain`.

mod answer;
mod clipboard;
mod clock;
mod described;
mod effects;
mod event_loop;
mod front;
mod input;
mod journal;
mod lent;
mod mailbox;
mod open;
mod paint;
mod plain;
mod signals;
mod terminal;

use std::io::{self, IsTerminal};

use tokio::runtime::Builder;

pub(crate) use described::described;
pub use open::dashboard;

use crate::app::configured::Configured;
use crate::app::profile::Profile;
use crate::app::rows;
use crate::app::state::State;
use crate::cli::ColorChoice;
use crate::config;
use crate::domain::plan::Plan;
use crate::engine::Engine;
use crate::problem::{Code, Problem};
use crate::theme::{Choice, Depth, Environment, Library};
use signals::Signals;

/// How the dashboard was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// By its own key.
    Quit,
    /// By the signal with this number.
    Signal(u8),
    /// Its terminal went away.
    Hangup,
    /// For the demo, which somebody else has to start.
    Demo,
}

impl Left {
    /// The exit status that says so.
    pub fn exit(self) -> u8 {
        match self {
            Self::Quit | Self::Demo => 0,
            Self::Signal(number) => 128 + number,
            // As if by SIGHUP, which is what took the terminal away.
            Self::Hangup => 129,
        }
    }
}

/// What the dashboard is started with beside the engine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether this is the demo.
    pub demo: bool,
    /// What the title calls the source before it was read.
    pub source: String,
    /// Whether the program never ran here before.
    pub first_run: bool,
    /// A plan that was made elsewhere, to begin with.
    pub plan: Option<Plan>,
}

/// How frames are drawn.
#[derive(Debug, Clone)]
pub(crate) struct Appearance {
    /// How many colours there are.
    pub(crate) depth: Depth,
    /// The theme that `auto` stands for, as far as is known.
    pub(crate) auto: String,
    /// Whether the terminal is to be asked for its background.
    pub(crate) asks: bool,
    /// The themes there are.
    pub(crate) library: Library,
    /// Whether only ASCII can be shown.
    pub(crate) ascii: bool,
}

impl Appearance {
    /// The theme that is meant by `name`: itself, or for `auto` the one for the terminal's background.
    fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        if name == "auto" { &self.auto } else { name }
    }

    /// How many colours are used; their names are short, and on a bad line nothing longer is sent.
    fn depth_for(&self, profile: Profile) -> Depth {
        match self.depth {
            Depth::True | Depth::Indexed if profile.is_low() => Depth::Sixteen,
            depth => depth,
        }
    }
}

/// How long work on a demo's own registry and remote may take to end.
const DEMO_ENDS: std::time::Duration = std::time::Duration::from_secs(5);

/// Runs the dashboard on this process's terminal until it is left.
///
/// # Errors
/// There is no terminal to run on, or it cannot be prepared.
pub fn run(engine: Engine, options: Options) -> Result<Left, Problem> {
    run_with(engine, options, None)
}

/// As [`run`]; signals caught before it was ready for them are in `signals`.
fn run_with(engine: Engine, options: Options, signals: Option<Signals>) -> Result<Left, Problem> {
    check_terminal()?;
    let appearance = appearance(engine.settings());
    let is_demo = options.demo;
    let mut start = start(engine.settings(), options, &appearance);
    rows::set_orders(&mut start, engine.store().orders().read());
    start.shares = engine.store().shares().read();
    start.commands = engine.store().commands().read();
    if !is_demo {
        start.contexts = engine.contexts();
    }
    let failed = |error: io::Error| terminal_problem("cannot start").caused_by(&error);
    let workers = Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    let signals = match signals {
        Some(signals) => signals,
        None => Signals::catch(workers.handle()).map_err(failed)?,
    };
    let left = event_loop::run(engine, workers.handle(), start, (appearance, signals));
    if is_demo {
        // What still writes into the demo's folder would make it anew after it was removed.
        workers.shutdown_timeout(DEMO_ENDS);
    } else {
        // Work that nobody waits for any more must not keep the process: a registry that never answers, for one.
        workers.shutdown_background();
    }
    left
}

/// Both ends have to be a terminal.
fn check_terminal() -> Result<(), Problem> {
    let hint = "Use the commands instead: supercargo get updates, supercargo plan, supercargo push.";
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Problem::new(
            Code::Usage,
            "supercargo",
            "the dashboard needs a terminal, and this is not one",
        )
        .hint(hint));
    }
    Ok(())
}

fn terminal_problem(message: &str) -> Problem {
    Problem::new(Code::Internal, "terminal", message)
}

/// What the settings and the environment say about drawing.
fn appearance(settings: &config::Settings) -> Appearance {
    let variable = |name: &str| std::env::var(name).ok();
    let (no_color, force) = (variable("NO_COLOR"), variable("CLICOLOR_FORCE"));
    let (colorterm, term) = (variable("COLORTERM"), variable("TERM"));
    let environment = Environment {
        no_color: no_color.as_deref(),
        clicolor_force: force.as_deref(),
        colorterm: colorterm.as_deref(),
        term: term.as_deref(),
    };
    let choice = match settings.color {
        ColorChoice::Auto => Choice::Auto,
        ColorChoice::Always => Choice::Always,
        ColorChoice::Never => Choice::Never,
    };
    let plain = is_plain(settings, term.as_deref());
    let depth = if plain { Depth::Mono } else { Depth::detect(choice, environment) };
    let library = Library::new(settings.themes.clone());
    Appearance {
        depth,
        auto: library.auto(seems_light(variable("COLORFGBG").as_deref())),
        asks: !plain && depth != Depth::Mono && answers(term.as_deref().unwrap_or_default()),
        library,
        ascii: settings.ascii || is_ascii(variable),
    }
}

/// Whether lines are written instead of a screen: a person asked for them, or the terminal does nothing else.
fn is_plain(settings: &config::Settings, term: Option<&str>) -> bool {
    settings.plain || matches!(term, Some("dumb" | ""))
}

/// Whether a terminal of this type can be asked for its background: GNU screen answers for nobody, consoles not at all.
fn answers(term: &str) -> bool {
    !term.starts_with("screen") && term != "linux" && !term.starts_with("vt1") && !term.starts_with("vt2")
}

/// Whether the background is light by `COLORFGBG`, whose last number it is; dark where that says nothing.
fn seems_light(colors: Option<&str>) -> bool {
    matches!(colors.and_then(|colors| colors.rsplit(';').next()), Some("7" | "15"))
}

/// Whether the locale in force, or the console, has no more than ASCII; or draws borders and arrows two columns wide, as terminals
/// of Chinese, Japanese and Korean do.
fn is_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    if term == "linux" || term.starts_with("vt1") || term.starts_with("vt2") {
        return true;
    }
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    let is_wide = ["ja", "ko", "zh"].iter().any(|language| locale.starts_with(language));
    is_wide || !(locale.contains("utf-8") || locale.contains("utf8"))
}

/// The state that the settings, the options and the terminal make.
fn start(settings: &config::Settings, options: Options, appearance: &Appearance) -> State {
    let variable = |name: &str| std::env::var(name).ok();
    let mut state = State::default();
    (state.demo, state.source) = (options.demo, options.source);
    state.scope.clone_from(&settings.namespace);
    crate::engine::who().split('@').next().unwrap_or_default().clone_into(&mut state.operator);
    (state.now, state.zone) = (clock::now(), clock::zone());
    state.plain = is_plain(settings, variable("TERM").as_deref());
    state.size = if state.plain { plain::SIZE } else { terminal::size() };
    let themes: Vec<String> = std::iter::once("auto".to_owned()).chain(appearance.library.names()).collect();
    let unknown = unknown_theme(&settings.theme, &themes);
    state.offer_themes(themes, &settings.theme);
    state.configure(configured(settings));
    if options.first_run {
        state.welcome();
    }
    if let Some(plan) = options.plan {
        state.open_plan(plan);
        rows::refresh(&mut state);
    }
    state.remark(unknown);
    state
}

/// What the settings say that the screen goes by.
fn configured(settings: &config::Settings) -> Configured {
    Configured {
        mode: settings.mode,
        section_says_mode: settings.section_says_mode,
        mode_locked: settings.mode_locked,
        theme: settings.theme.clone(),
        profile: settings.profile,
        mouse: settings.mouse,
        bindings: settings.bindings.clone(),
        protected_branches: settings.protected_branches.clone(),
        hold_days: settings.hold_days,
        forges: settings.forges.kinds(),
        problems: settings.warnings.iter().chain(&settings.key_warnings).cloned().collect(),
    }
}

/// What is said of a theme that is not among those there are.
fn unknown_theme(name: &str, themes: &[String]) -> Option<Problem> {
    (!themes.iter().any(|known| known == name)).then(|| {
        Problem::new(Code::Config, format!("theme {name}"), "there is no theme of this name; another is used")
            .hint(crate::text::known_names(name, themes.iter().map(String::as_str), "supercargo theme list"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_utf8_gets_ascii() {
        let with = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            }
        };
        assert!(!is_ascii(with(&[("LANG", "de_DE.UTF-8")])));
        assert!(is_ascii(with(&[("LANG", "ja_JP.UTF-8")])), "a border may be two columns wide there");
        assert!(is_ascii(with(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")])));
        assert!(!is_ascii(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")])));
        assert!(is_ascii(with(&[("LANG", "de_DE.UTF-8"), ("TERM", "linux")])));
        assert!(is_ascii(with(&[])));
    }

    #[test]
    fn a_theme_that_is_not_there_is_told_with_the_nearest_that_is() {
        let themes: Vec<String> =
            std::iter::once("auto".to_owned()).chain(Library::default().names()).collect();
        let hint = |name: &str| unknown_theme(name, &themes).map(|problem| problem.hint.unwrap_or_default());
        assert_eq!(hint("default-drak").as_deref(), Some("Did you mean default-dark?"));
        assert!(hint("neon").unwrap().contains("supercargo theme list"));
        assert_eq!((hint("auto"), hint("mono")), (None, None));
    }

    #[test]
    fn only_a_terminal_that_answers_is_asked_for_its_background() {
        let asked = ["xterm-256color", "tmux-256color", "screen-256color", "linux", "vt220"].map(answers);
        assert_eq!(asked, [true, true, false, false, false]);
    }

    #[test]
    fn leaving_by_a_signal_says_which() {
        assert_eq!(Left::Signal(15).exit(), 143);
        assert_eq!(Left::Quit.exit(), 0);
    }
}
