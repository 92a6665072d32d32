//! Opening the dashboard: on the operator's source, or on the demo's.

use std::path::Path;
use std::sync::Arc;

use super::signals::Signals;
use super::{Left, Options, run, run_with};
use crate::cli::{Cli, Command, DemoArgs, Format};
use crate::config::{Settings, SourceChoice};
use crate::demo::Demo;
use crate::domain::plan::{Plan, Stale};
use crate::engine::Engine;
use crate::headless;
use crate::problem::{Code, Problem};
use crate::store::Dirs;

/// The demo that the start page offers, and `:demo`.
const DEFAULT_DEMO: &str = "5s";

/// Runs the dashboard that the command line asks for; returns the exit status.
pub fn dashboard(cli: &Cli) -> u8 {
    let left = headless::settings(cli).and_then(|settings| {
        if let Some(state) = Dirs::from_environment(|name| std::env::var_os(name)).state {
            crate::log::to_file(&settings.log_level, &state.join("log"));
        }
        match &cli.command {
            Some(Command::Demo(args)) => demo(&settings, args),
            Some(Command::Review(args)) => {
                super::check_terminal()?;
                source(&settings, Some(saved_plan(&args.plan)?))
            }
            _ => source(&settings, None),
        }
    });
    match left {
        Ok(left) => left.exit(),
        Err(problem) => headless::complain(cli.global.output == Format::Json, &problem),
    }
}

/// The plan in a file, as it was made.
pub(super) fn saved_plan(name: &str) -> Result<Plan, Problem> {
    if name == "-" {
        return Err(Problem::new(Code::Usage, name, "keys come from standard input, so a plan cannot")
            .hint("Write it to a file first."));
    }
    let plan = headless::read_plan(name)?;
    if plan.is_edited() { Err(Stale::Edited.into()) } else { Ok(plan) }
}

fn source(settings: &Settings, plan: Option<Plan>) -> Result<Left, Problem> {
    super::check_terminal()?;
    let engine = Engine::open(settings.clone())?;
    let (source, first_run) = (name(settings), engine.is_first_run());
    let options = Options { demo: false, source, first_run, plan };
    match run(engine, options)? {
        Left::Demo => {
            let interval = DEFAULT_DEMO.parse().unwrap_or_default();
            demo(settings, &DemoArgs { headless: false, keep: false, seed: 1, interval })
        }
        left => Ok(left),
    }
}

/// What the title calls the source before it is read.
fn name(settings: &Settings) -> String {
    if settings.source == SourceChoice::Cluster {
        return settings.context.clone().unwrap_or_else(|| "cluster".to_owned());
    }
    let files = settings.files.clone().unwrap_or_else(|| ".".to_owned());
    let path = Path::new(&files).canonicalize().ok();
    let last = path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    format!("files:{}", last.unwrap_or_else(|| crate::git::redact(&files)))
}

/// The demo's servers run on a thread of their own; all of it ends with the dashboard.
fn demo(settings: &Settings, args: &DemoArgs) -> Result<Left, Problem> {
    super::check_terminal()?;
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let servers = servers.map_err(|error| {
        Problem::new(Code::Internal, "demo", "its servers cannot be started").caused_by(&error)
    })?;
    let failed = |error: std::io::Error| {
        Problem::new(Code::Internal, "demo", "signals cannot be caught").caused_by(&error)
    };
    // From here on a signal must not end the process at once: the demo's folder would stay.
    let mut signals = Signals::catch(servers.handle()).map_err(failed)?;
    let started = servers.block_on(async {
        tokio::select! {
            biased;
            left = signals.leave() => Err(left),
            started = Demo::start(args) => Ok(started),
        }
    });
    let demo = match started {
        Ok(demo) => Arc::new(demo?),
        Err(left) => return Ok(left),
    };
    let engine = demo.engine(settings)?;
    let ci = servers.spawn({
        let demo = Arc::clone(&demo);
        async move { demo.run_ci(|_| {}).await }
    });
    let options = Options { demo: true, source: "demo".to_owned(), first_run: false, plan: None };
    let left = run_with(engine, options, Some(signals));
    ci.abort();
    // The task's share of the demo has to go before its directory can.
    let _ = servers.block_on(ci);
    drop(demo);
    left
}
