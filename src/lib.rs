//! Supercargo: Flux image updates with a person in the loop.
//!
//! > Sources describe what is deployed → registries say what exists → policies say what is wanted → the plan says
//! > which marked lines change → a person approves → git records it.
//!
//! The layers, from the bottom up; each may use what stands below it and nothing else
//! (`tests/layers.rs` holds them to it):
//!
//! | layer | modules | what it may touch |
//! |---|---|---|
//! | domain | `domain` | nothing: std and pure crates |
//! | shared words | `problem`, `text` | nothing |
//! | app | `app` | the domain: the state machine of the screen |
//! | adapters | `source`, `registry`, `git`, `forge`, `store` | the world, each alone with its own crate |
//! | engine | `engine` | the adapters: load, scan, read markers, land; used by both front ends |
//! | drawing | `views`, `theme` | app and domain |
//! | front ends | `headless`, `runtime`, `demo` | everything |

pub mod app;
mod bug;
mod children;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
mod environment;
pub mod forge;
pub mod git;
pub mod headless;
mod http;
mod log;
pub mod problem;
pub mod registry;
#[cfg(feature = "tui")]
pub mod runtime;
pub mod source;
pub mod store;
pub mod text;
#[cfg(feature = "tui")]
pub mod theme;
#[cfg(feature = "tui")]
pub mod views;

use std::ffi::OsString;
use std::path::Path;

use crate::problem::Code;

/// Runs the program on these arguments (the first is its own name) and returns its exit status.
///
/// A panic anywhere below is caught here and ends with 9.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    bug::be_quiet();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let json = cli::usage::wants_json(&arguments);
    bug::caught(|| start(&arguments, json)).unwrap_or_else(|problem| headless::complain(json, &problem))
}

fn start(arguments: &[OsString], json: bool) -> u8 {
    if arguments.get(1).is_some_and(|word| word == headless::complete::COMMAND) {
        return headless::complete::run(arguments);
    }
    let parsed = cli::help::parse(arguments);
    if let Err(error) = &parsed
        && !error.use_stderr()
    {
        // Help and version are errors to clap; they go to standard output.
        return if error.print().is_ok() { 0 } else { Code::Storage.exit() };
    }
    let misspelt = parsed.as_ref().map_or(true, |cli| cli.command.is_none());
    if misspelt && let Some(problem) = cli::usage::stray_word(arguments, |word| Path::new(word).exists()) {
        return headless::complain(json, &problem);
    }
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return headless::complain(json, &cli::usage::problem(&error, arguments)),
    };
    #[cfg(feature = "tui")]
    if cli.wants_screen() {
        return runtime::dashboard(&cli);
    }
    headless::run(&cli)
}
