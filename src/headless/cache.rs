//! `cache`: what is kept only to be quicker, and how to be rid of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::event_loop::EventLoop;
use super::session::within;
use super::{Answer, Document, Table, Text};
use crate::cli::{CacheArgs, CacheWhat, Format};
use crate::config::Settings;
use crate::domain::mode::Mode;
use crate::engine::{CacheEntry, Engine};
use crate::problem::{Code, Problem};
use crate::text::{count, size};

/// What is in the caches, or what was removed from them.
struct Listed {
    kind: &'static str,
    directory: Option<String>,
    entries: Vec<CacheEntry>,
}

impl Listed {
    fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }
}

impl Document for Listed {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([
            ("directory".to_owned(), json!(self.directory)),
            ("bytes".to_owned(), json!(self.bytes())),
            ("items".to_owned(), json!(self.entries)),
        ])
    }

    fn text(&self, wide: bool) -> Text {
        let extra = if wide { ["PATH"].as_slice() } else { &[] };
        let headings = ["CACHE", "NAME", "TAGS", "SIZE", "USED"];
        let mut table = Table::new(headings.into_iter().chain(extra.iter().copied()));
        for entry in &self.entries {
            let path = entry.path.display().to_string();
            let cells = [
                entry.cache.word().to_owned(),
                // What is not read has no other name.
                entry
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("({})", path.rsplit('/').next().unwrap_or_default())),
                entry.tags.map(|tags| tags.to_string()).unwrap_or_default(),
                size(entry.bytes),
                entry.used.to_string(),
            ];
            table.push(cells.into_iter().chain(wide.then_some(path)));
        }
        if table.is_empty() { Text::Nothing } else { Text::Table(table) }
    }

    fn names(&self) -> Vec<String> {
        let named = self.entries.iter().filter_map(|entry| Some((entry.cache.word(), entry.name.as_ref()?)));
        named.map(|(cache, name)| format!("cache/{cache}/{name}")).collect()
    }
}

/// `cache info|prune|clear`.
pub(super) fn cache(settings: &Settings, args: &CacheArgs) -> Result<Answer, Problem> {
    let engine = Engine::open(settings.clone())?;
    let entries = engine.cache_entries();
    match args.what {
        CacheWhat::Info => Ok(answer(&engine, "CacheList", entries, Vec::new(), "in")),
        CacheWhat::Prune => {
            let (now, named) = (Timestamp::now(), named(settings, &engine)?);
            remove(&engine, entries.into_iter().filter(|entry| entry.is_old(&named, now)).collect())
        }
        CacheWhat::Clear => remove(&engine, entries),
    }
}

/// The repositories that the objects here name; where there are no objects, none.
fn named(settings: &Settings, engine: &Engine) -> Result<BTreeSet<String>, Problem> {
    match EventLoop::start()?.block_on(within(settings, engine.load())) {
        Ok(world) => Ok(world.named_repositories()),
        Err(problem) if problem.code == Code::NotFound && settings.files.is_none() => Ok(BTreeSet::new()),
        Err(problem) => Err(problem),
    }
}

fn remove(engine: &Engine, entries: Vec<CacheEntry>) -> Result<Answer, Problem> {
    if engine.settings().mode == Mode::ReadOnly {
        return Err(Problem::new(Code::ModeRefused, "cache", "the mode is READ-ONLY")
            .hint("Leave --read-only out, or change the mode in the configuration."));
    }
    let parts = entries.len();
    let (gone, problems) = engine.remove_cached(entries);
    let failed: Vec<Problem> = problems.iter().filter(|problem| problem.exit() != 0).cloned().collect();
    Ok(answer(engine, "CacheResult", gone, problems, "removed from").with_parts(parts, &failed))
}

fn answer(
    engine: &Engine,
    kind: &'static str,
    entries: Vec<CacheEntry>,
    mut problems: Vec<Problem>,
    how: &str,
) -> Answer {
    problems.extend(engine.store().take_warnings());
    let directory = engine.cache_dir().map(|dir| dir.display().to_string());
    let listed = Listed { kind, directory, entries };
    let place = listed.directory.as_deref().unwrap_or("memory");
    let note = format!("✔ {}, {} {how} {place}", count(listed.entries.len(), "entry"), size(listed.bytes()));
    let answer = Answer::new(listed).with_problems(problems);
    match engine.settings().output {
        // The document says as much to whoever reads it, and standard error has nothing but problems then.
        Format::Json | Format::Yaml => answer,
        _ => answer.with_note(note),
    }
}
