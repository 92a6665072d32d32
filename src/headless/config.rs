//! `config`: where configuration lies, what is in force and who said so, and a documented file to begin with.

use serde_json::{Map, Value, json};

use super::{Answer, Document, Table, Text};
use crate::cli::{ConfigWhat, Global};
use crate::config::{self, DEFAULT_FILE, Entry, Environment, Place, Settings};
use crate::problem::Problem;
use crate::store::Dirs;

/// `config path|view|check|default`.
///
/// # Errors
/// A file that cannot be read or does not parse, where its content is asked for.
pub(super) fn config(
    settings: &Settings,
    global: &Global,
    env: &dyn Environment,
    what: ConfigWhat,
) -> Result<Answer, Problem> {
    match what {
        ConfigWhat::Path => Ok(Answer::new(Paths(paths(global, env)))),
        ConfigWhat::View => Ok(Answer::new(View(config::view(global, env, settings.section.as_deref())?))),
        // The files were read on the way here: a mistake would have ended the command.
        ConfigWhat::Check => {
            let warnings = settings.warnings.iter().chain(&settings.key_warnings).cloned().collect();
            Ok(Answer::new(Checked(config::places(global, env))).with_problems(warnings))
        }
        ConfigWhat::Default => Ok(Answer::new(Sample)),
    }
}

/// A file or folder of ours: what it is, where, and whether it is there.
struct Listed(&'static str, Option<String>, bool);

fn paths(global: &Global, env: &dyn Environment) -> Vec<Listed> {
    let [system, user] = config::places(global, env);
    let shown = |path: std::path::PathBuf| path.display().to_string();
    let themes = config::themes_folder(env);
    let dirs = Dirs::from_environment(|name| env.var(name).map(Into::into));
    let folders = [("themes", themes), ("state", dirs.state), ("cache", dirs.cache)];
    let files = [("system configuration", system), ("your configuration", user)];
    let files = files.map(|(name, place)| Listed(name, place.path.map(shown), place.exists));
    let folders = folders.map(|(name, path)| {
        let exists = path.as_ref().is_some_and(|path| path.exists());
        Listed(name, path.map(shown), exists)
    });
    files.into_iter().chain(folders).collect()
}

struct Paths(Vec<Listed>);

impl Document for Paths {
    fn kind(&self) -> &'static str {
        "ConfigPathList"
    }

    fn json(&self) -> Map<String, Value> {
        let items = self
            .0
            .iter()
            .map(|Listed(name, path, exists)| json!({"name": name, "path": path, "exists": exists}));
        Map::from_iter([("items".to_owned(), items.collect())])
    }

    fn text(&self, _wide: bool) -> Text {
        let mut table = Table::new(["WHAT", "PATH", "EXISTS"]);
        for Listed(name, path, exists) in &self.0 {
            let path = path.clone().unwrap_or_else(|| "(no home directory is known)".to_owned());
            table.push([(*name).to_owned(), path, if *exists { "yes" } else { "no" }.to_owned()]);
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().filter_map(|Listed(_, path, _)| path.clone()).collect()
    }
}

struct View(Vec<Entry>);

impl Document for View {
    fn kind(&self) -> &'static str {
        "ConfigList"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("items".to_owned(), json!(self.0))])
    }

    fn text(&self, _wide: bool) -> Text {
        let mut table = Table::new(["KEY", "VALUE", "ORIGIN"]);
        for entry in &self.0 {
            table.push([entry.key.clone(), entry.value.to_string(), entry.origin.clone()]);
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|entry| format!("config/{}", entry.key)).collect()
    }
}

struct Checked([Place; 2]);

impl Document for Checked {
    fn kind(&self) -> &'static str {
        "ConfigCheck"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("items".to_owned(), json!(self.0))])
    }

    fn text(&self, _wide: bool) -> Text {
        let line = |place: &Place| {
            let sign = if place.exists { "✔" } else { "-" };
            let path = place.path.as_ref().map(|path| path.display().to_string());
            let remark = if place.exists { "" } else { "  not there" };
            format!("{sign} {}{remark}\n", super::clean(&path.unwrap_or_else(|| place.name.to_owned())))
        };
        Text::Raw(self.0.iter().map(line).collect::<String>().into_bytes())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().filter_map(|place| Some(place.path.as_ref()?.display().to_string())).collect()
    }
}

struct Sample;

impl Document for Sample {
    fn kind(&self) -> &'static str {
        "ConfigDefault"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("text".to_owned(), json!(DEFAULT_FILE))])
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Raw(DEFAULT_FILE.as_bytes().to_vec())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
