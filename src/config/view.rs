//! What is in force key by key, and who said so: for `config view` and the other commands about the configuration itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use toml::{Table, Value};
use url::Url;

use super::file::{File, SYSTEM_FILE, read_table, user_file};
use super::{Environment, Problem, Settings, StdinSecrets, settle};
use crate::cli::Global;

/// The documented file: every key as a comment, with its default, and examples of those that have none.
pub const DEFAULT_FILE: &str = include_str!("../../assets/config/default.toml");

/// A key, its value, and who gave it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The key with its sections, as in `commit.author`; parts that are no bare keys are quoted.
    pub key: String,
    /// The value, without passwords of addresses.
    pub value: Value,
    /// `default`, the path of a file, the name of a variable, or a flag.
    pub origin: String,
}

/// A configuration file that may be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// `system` or `user`.
    pub name: &'static str,
    /// Its path; `None` where no home is known.
    pub path: Option<PathBuf>,
    /// Whether it is there.
    pub exists: bool,
}

/// The system's file and the user's, whether or not they are there.
pub fn places(global: &Global, env: &dyn Environment) -> [Place; 2] {
    let place = |name, path: Option<PathBuf>| Place {
        name,
        exists: path.as_ref().is_some_and(|path| path.exists()),
        path,
    };
    let user = global.config.clone().or_else(|| user_file(env));
    [place("system", Some(PathBuf::from(SYSTEM_FILE))), place("user", user)]
}

/// The settings of a command that works without any configuration, and so also with a broken one.
///
/// # Errors
/// A flag that makes no sense.
pub fn without_files(global: &Global) -> Result<Settings, Problem> {
    struct Nothing;
    impl Environment for Nothing {
        fn var(&self, _name: &str) -> Option<String> {
            None
        }
    }
    // What nobody is logged in with needs no password, which is in the environment that is not read.
    let global = Global { git_username: None, registry_username: None, ..global.clone() };
    settle(&global, &Nothing, StdinSecrets::default(), <[File; 2]>::default(), Vec::new())
}

/// Every key that is in force, in the order of their names; where the files have a section for the kube context `context`, what
/// that says.
///
/// # Errors
/// A file that cannot be read or does not parse, as `resolve` has it.
pub fn view(global: &Global, env: &dyn Environment, context: Option<&str>) -> Result<Vec<Entry>, Problem> {
    let tables = places(global, env).map(|place| (place.path, place.exists));
    let mut layers = vec![("default".to_owned(), leaves(&defaults()))];
    let mut locked = Vec::new();
    for (rank, (path, _)) in tables.into_iter().enumerate().filter(|(_, (_, exists))| *exists) {
        let Some(path) = path else { continue };
        let mut table = read_table(&path)?;
        if rank == 0 {
            locked = strings(table.get("locked"));
        }
        let counts = rank == 0 || !locked.iter().any(|key| key == "contexts");
        let section = section(&mut table, context.filter(|_| counts));
        layers.push((path.display().to_string(), leaves(&table)));
        layers.extend(section.map(|(origin, leaves)| (format!("{} {origin}", path.display()), leaves)));
    }
    let said = SAID.iter().filter_map(|(key, say)| {
        let (value, origin) = say(global, env)?;
        Some((origin, vec![(vec![(*key).to_owned()], value)]))
    });
    layers.extend(said);
    Ok(merge(layers, &locked))
}

/// Later layers win, but where the system's file locks a key.
fn merge(layers: Vec<(String, Vec<Leaf>)>, locked: &[String]) -> Vec<Entry> {
    let mut entries: BTreeMap<Vec<String>, Entry> = BTreeMap::new();
    for (origin, leaves) in layers {
        let may_lock = origin == "default" || origin.split(' ').next() == Some(SYSTEM_FILE);
        for (path, value) in leaves.into_iter().filter(|(path, _)| may_lock || !is_locked(path, locked)) {
            let entry = Entry { key: spelled(&path), value: shown(value), origin: origin.clone() };
            entries.insert(path, entry);
        }
    }
    entries.into_values().collect()
}

/// Takes the sections for kube contexts out of a file's table: that of `context`, with its name, and what it says.
fn section(table: &mut Table, context: Option<&str>) -> Option<(String, Vec<Leaf>)> {
    let Some(Value::Table(mut contexts)) = table.remove("contexts") else { return None };
    let name = context?;
    let Some(Value::Table(mut section)) = contexts.remove(name) else { return None };
    section.remove("locked");
    section.remove("contexts");
    Some((format!("[{}]", spelled(&["contexts".to_owned(), name.to_owned()])), leaves(&section)))
}

/// The parts of a key, and its value.
type Leaf = (Vec<String>, Value);

/// What is said of a key by a flag, or by the variable that stands for it.
type Say = fn(&Global, &dyn Environment) -> Option<(Value, String)>;

/// Keys that flags and variables set, in the order in which they are asked.
const SAID: &[(&str, Say)] = &[
    ("mode", |global, env| {
        let flag = |is_set: bool, word: &str, flag: &str| is_set.then(|| (word.into(), flag.to_owned()));
        let variable = || Some((env.var("SUPERCARGO_MODE")?.into(), "SUPERCARGO_MODE".to_owned()));
        flag(global.read_only, "read-only", "--read-only")
            .or_else(|| flag(global.write, "write", "--write"))
            .or_else(variable)
    }),
    ("source", |global, env| {
        use clap::ValueEnum;
        let word = global.source?.to_possible_value()?.get_name().to_owned();
        Some(by(word, "--source", "SUPERCARGO_SOURCE", env))
    }),
    ("files", |global, env| Some(by(global.files.clone()?, "--files", "SUPERCARGO_FILES", env))),
    ("namespace", |global, env| Some(by(global.namespace.clone()?, "-n", "SUPERCARGO_NAMESPACE", env))),
    ("theme", |global, env| Some(by(global.theme.clone()?, "--theme", "SUPERCARGO_THEME", env))),
    ("ascii", |global, _| global.ascii.then(|| (true.into(), "--ascii".to_owned()))),
];

/// A value that is a flag's, unless the variable has the same: then nobody typed it, or it makes no difference.
fn by(value: String, flag: &str, variable: &str, env: &dyn Environment) -> (Value, String) {
    let origin = if env.var(variable).as_ref() == Some(&value) { variable } else { flag };
    (value.into(), origin.to_owned())
}

/// The defaults, out of the comments that document them: all up to the first example of a section.
fn defaults() -> Table {
    let lines = DEFAULT_FILE.lines().take_while(|line| !line.starts_with("# ["));
    let text: Vec<&str> = lines
        .filter_map(|line| match line.strip_prefix("# ") {
            Some(rest) => rest.split_once(" = ").filter(|(key, _)| is_bare(key)).map(|_| rest),
            None => line.starts_with('[').then_some(line),
        })
        .collect();
    toml::from_str(&text.join("\n")).unwrap_or_default()
}

/// The values of a table and of all below it, each with its whole key.
fn leaves(table: &Table) -> Vec<Leaf> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => found.extend(leaves(inner).into_iter().map(|(mut path, value)| {
                path.insert(0, key.clone());
                (path, value)
            })),
            value => found.push((vec![key.clone()], value.clone())),
        }
    }
    found
}

fn is_locked(path: &[String], locked: &[String]) -> bool {
    let whole = path.join(".");
    locked
        .iter()
        .any(|name| *name == whole || whole.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// TOML v1.0.0, "Keys": letters, digits, `_` and `-` need no quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn spelled(path: &[String]) -> String {
    let part =
        |part: &String| if is_bare(part) { part.clone() } else { Value::from(part.as_str()).to_string() };
    path.iter().map(part).collect::<Vec<_>>().join(".")
}

/// The value as it may be shown. Who logs in to an address of the web may be a token, and is hidden like a password; over ssh
/// it is a name.
fn shown(value: Value) -> Value {
    let Some(mut url) = value.as_str().and_then(|text| Url::parse(text).ok()) else { return value };
    let is_login = !url.username().is_empty() && matches!(url.scheme(), "http" | "https");
    let is_hidden = (is_login && url.set_username("***").is_ok())
        | (url.password().is_some() && url.set_password(None).is_ok());
    if is_hidden { Value::from(url.as_str()) } else { value }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Only;
    use super::super::file::{KEYS, parse_file};
    use super::*;
    use crate::cli::Cli;

    fn global(args: &[&str]) -> Global {
        Cli::parse_from([&["supercargo"], args].concat()).global
    }

    /// The documented file with every comment that is TOML made true.
    fn uncommented() -> String {
        let is_toml = |text: &str| {
            text.starts_with('[') || text.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        };
        let line = |line: &str| match line.strip_prefix("# ") {
            Some(rest) if is_toml(rest) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        };
        DEFAULT_FILE.lines().map(line).collect()
    }

    #[test]
    fn what_logs_in_nowhere_asks_for_no_password() {
        let global = global(&["--git-username", "robot", "--registry-username", "robot"]);
        assert!(without_files(&global).is_ok());
    }

    #[test]
    fn the_documented_file_has_every_key_and_nothing_else() {
        let mut warnings = Vec::new();
        parse_file("default.toml", &uncommented(), &mut warnings).unwrap();
        assert_eq!(warnings, []);
        let all = leaves(&toml::from_str(&uncommented()).unwrap());
        for key in KEYS {
            let has = |path: &Vec<String>| {
                let whole = path.join(".");
                whole == *key || (key.ends_with('.') && whole.starts_with(key))
            };
            assert!(all.iter().any(|(path, _)| has(path)), "{key}");
        }
        // As it is printed it changes nothing.
        assert_eq!(leaves(&toml::from_str(DEFAULT_FILE).unwrap()), []);
    }

    #[test]
    fn the_documented_defaults_are_those_in_force() {
        let text = toml::to_string(&defaults()).unwrap();
        let file = parse_file("default.toml", &text, &mut Vec::new()).unwrap();
        let none = global(&[]);
        let [said, unsaid] = [file, File::default()].map(|file| {
            let files = [File::default(), file];
            let settings = settle(&none, &Only(&[]), StdinSecrets::default(), files, Vec::new()).unwrap();
            // "." is where one is anyway.
            format!("{:?}", Settings { files: None, ..settings })
        });
        assert_eq!(said, unsaid);
    }

    #[test]
    fn later_layers_win_and_locked_keys_stay() {
        let table = |text: &str| leaves(&toml::from_str(text).unwrap());
        let layers = vec![
            ("default".to_owned(), table("mode = 'dry-run'\ntheme = 'auto'\nascii = false")),
            (SYSTEM_FILE.to_owned(), table("mode = 'read-only'\n[git.url]\n'a/b' = 'https://u:p@h/s'")),
            ("user".to_owned(), table("mode = 'write'\ntheme = 'mono'\n[git.url]\n'a/b' = 'https://h/u'")),
            ("--ascii".to_owned(), table("ascii = true")),
        ];
        let entries = merge(layers, &["mode".to_owned(), "git.url".to_owned()]);
        let told: Vec<String> =
            entries.iter().map(|entry| format!("{}={} {}", entry.key, entry.value, entry.origin)).collect();
        assert_eq!(
            told,
            [
                "ascii=true --ascii".to_owned(),
                format!("git.url.\"a/b\"=\"https://***@h/s\" {SYSTEM_FILE}"),
                format!("mode=\"read-only\" {SYSTEM_FILE}"),
                "theme=\"mono\" user".to_owned(),
            ]
        );
    }

    #[test]
    fn flags_and_variables_say_their_names() {
        let global = global(&["--write", "--theme", "mono", "-n", "shop"]);
        let env = Only(&[("SUPERCARGO_THEME", "mono"), ("SUPERCARGO_MODE", "read-only")]);
        let entries =
            view(&Global { config: Some("/nowhere/config.toml".into()), ..global }, &env, None).unwrap();
        let origin = |key: &str| entries.iter().find(|entry| entry.key == key).unwrap().origin.clone();
        assert_eq!(
            ["mode", "theme", "namespace", "ascii"].map(origin),
            ["--write", "SUPERCARGO_THEME", "-n", "default"]
        );
    }
}
