//! `__complete WORD…`: what may stand where the last word does, for the scripts of `completion` and for flux, which asks
//! its plugins so.
//!
//! The answer is that of cobra's programs: a candidate a line, with a tab before what it means, and behind them `:4`, or `:0`
//! where files may be meant, too. Only what lies here is read; what cannot be read offers nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;

use clap::{CommandFactory, FromArgMatches};

use crate::cli::complete::{Asked, Names, asked};
use crate::cli::{Cli, Global};
use crate::config::{Environment, ProcessEnvironment, Settings, StdinSecrets, resolve};
use crate::domain::object::ObjectId;
use crate::engine;
use crate::problem::Code;
use crate::source::kubeconfig::{self, Places};

/// The hidden command's name.
pub(crate) const COMMAND: &str = "__complete";

/// Answers for `arguments`, all of them, the program's own name included; returns the exit status.
pub(crate) fn run(arguments: &[OsString]) -> u8 {
    let words: Vec<String> =
        arguments.iter().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let text = answer(&words, &ProcessEnvironment);
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    if written.is_ok() { 0 } else { Code::Storage.exit() }
}

fn answer(words: &[&str], env: &dyn Environment) -> String {
    let asked = asked(words);
    let mut candidates = asked.words.clone();
    candidates.extend(named(&asked, words, env).into_iter().map(|name| (name, String::new())));
    let mut text = String::new();
    for (word, meaning) in candidates.iter().filter(|(word, _)| word.starts_with(&asked.begun)) {
        // A line is one candidate, whatever a file calls an object.
        if word.chars().any(char::is_control) {
            continue;
        }
        let meaning = meaning.lines().next().unwrap_or_default();
        let tab = if meaning.is_empty() { "" } else { "\t" };
        let _ = writeln!(text, "{}{word}{tab}{meaning}", asked.before);
    }
    let _ = writeln!(text, ":{}", if asked.files { 0 } else { 4 });
    text
}

/// The names that are asked for.
fn named(asked: &Asked, words: &[&str], env: &dyn Environment) -> Vec<String> {
    let (Some(names), Some(global)) = (asked.names, global(words)) else { return Vec::new() };
    match names {
        Names::Themes => themes(env),
        Names::Contexts => {
            let variable = |name: &str| env.var(name);
            let home = variable("HOME").map(Into::into);
            let places = Places { flag: global.kubeconfig, variable: variable("KUBECONFIG"), home };
            kubeconfig::names(&places).unwrap_or_default()
        }
        Names::Repositories | Names::Policies | Names::Automations | Names::Namespaces => {
            let settings = resolve(&global, env, StdinSecrets::default(), || None);
            settings.map(|settings| objects(names, &settings, &asked.begun)).unwrap_or_default()
        }
    }
}

#[cfg(feature = "tui")]
fn themes(env: &dyn Environment) -> Vec<String> {
    crate::theme::Library::new(crate::config::themes_folder(env)).names()
}

#[cfg(not(feature = "tui"))]
fn themes(_env: &dyn Environment) -> Vec<String> {
    Vec::new()
}

/// The options of the words that stand there so far, which may make no sense yet.
fn global(words: &[&str]) -> Option<Global> {
    let complete = words.split_last().map_or(&[][..], |(_, before)| before);
    let all = std::iter::once("supercargo").chain(complete.iter().copied());
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(all);
    matches.ok().and_then(|matches| Global::from_arg_matches(&matches).ok())
}

/// Names of objects as commands take them: bare where that is one object's alone and in the namespace that goes without
/// saying, else with their namespace.
fn objects(names: Names, settings: &Settings, begun: &str) -> Vec<String> {
    let inventory = engine::objects_nearby(settings);
    let repositories = || inventory.repositories.keys();
    let (policies, automations) = (|| inventory.policies.keys(), || inventory.automations.keys());
    let ids: Vec<&ObjectId> = match names {
        Names::Repositories => repositories().collect(),
        Names::Policies => policies().collect(),
        Names::Automations => automations().collect(),
        _ => {
            let all = repositories().chain(policies()).chain(automations());
            let namespaces: BTreeSet<&String> = all.map(|id| &id.namespace).collect();
            return namespaces.into_iter().cloned().collect();
        }
    };
    let scope = settings.namespace.as_deref();
    let ids: Vec<&ObjectId> =
        ids.into_iter().filter(|id| scope.is_none_or(|scope| id.namespace == scope)).collect();
    let mut bare: BTreeMap<&str, usize> = BTreeMap::new();
    for id in &ids {
        *bare.entry(&id.name).or_default() += 1;
    }
    let spelled = |id: &&ObjectId| {
        let is_known = scope.is_some() || id.namespace == settings.default_namespace;
        let is_alone = bare.get(id.name.as_str()) == Some(&1);
        if is_known && is_alone && !begun.contains('/') { id.name.clone() } else { id.to_string() }
    };
    ids.iter().map(spelled).collect()
}
