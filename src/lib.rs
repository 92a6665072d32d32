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
//! | adapters | `source`, `registry`, `git`, `store` | the world, each alone with its own crate |
//! | engine | `engine` | the adapters: load, scan, read markers, land; used by both front ends |
//! | drawing | `views`, `theme` | app and domain |
//! | front ends | `headless`, `runtime`, `demo` | everything |

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod git;
pub mod headless;
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

use clap::Parser;

/// Runs the program on these arguments (the first is its own name) and returns its exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap; they go to standard output and end with 0.
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    #[cfg(feature = "tui")]
    if cli.wants_screen() {
        return runtime::dashboard(&cli);
    }
    headless::run(&cli)
}
