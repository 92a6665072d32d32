//! The configuration file: its keys, and how one is read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::de::DeTable;

use super::keys::{self, Keys};
use super::lenient::readable;
use super::words::Trailer;
use super::{Environment, ForgeConfig, RegistryConfig, SourceChoice, config_problem};
use crate::app::profile::Profile;
use crate::cli::Global;
use crate::domain::age::MinAge;
use crate::domain::freeze::Window;
use crate::domain::mode::Mode;
use crate::problem::{Code, Problem};

/// The keys of a configuration file; all optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) mode: Option<Mode>,
    pub(super) locked: Vec<String>,
    #[serde(deserialize_with = "super::words::source")]
    pub(super) source: Option<SourceChoice>,
    pub(super) files: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) theme: Option<String>,
    pub(super) profile: Option<Profile>,
    pub(super) mouse: Option<bool>,
    pub(super) ascii: Option<bool>,
    pub(super) protected_branches: Option<Vec<String>>,
    pub(super) min_age: Option<MinAge>,
    pub(super) freeze: Option<Vec<FreezeWindow>>,
    pub(super) scan_concurrency: Option<usize>,
    pub(super) max_reply_mib: Option<u64>,
    pub(super) commit: CommitSection,
    pub(super) hold: HoldSection,
    pub(super) git: GitSection,
    pub(super) registries: BTreeMap<String, RegistryConfig>,
    #[serde(deserialize_with = "super::forge::by_host")]
    pub(super) forge: BTreeMap<String, ForgeConfig>,
    /// Read apart, because each line has a place of its own.
    #[serde(skip)]
    pub(super) keys: Keys,
    /// The same keys for one kube context, by its name.
    pub(super) contexts: BTreeMap<String, File>,
}

impl File {
    /// What it says in a kube context: its section for that over the rest.
    #[must_use]
    pub(super) fn in_context(self, context: Option<&str>) -> Self {
        let section = context.and_then(|name| self.contexts.get(name).cloned());
        section.into_iter().fold(self, Self::then)
    }

    /// The same file, where `over` does not say something else.
    fn then(mut self, over: Self) -> Self {
        self.registries.extend(over.registries);
        self.forge.extend(over.forge);
        self.git.url.extend(over.git.url);
        Self {
            mode: over.mode.or(self.mode),
            source: over.source.or(self.source),
            files: over.files.or(self.files),
            namespace: over.namespace.or(self.namespace),
            theme: over.theme.or(self.theme),
            profile: over.profile.or(self.profile),
            mouse: over.mouse.or(self.mouse),
            ascii: over.ascii.or(self.ascii),
            protected_branches: over.protected_branches.or(self.protected_branches),
            min_age: over.min_age.or(self.min_age),
            freeze: over.freeze.or(self.freeze),
            scan_concurrency: over.scan_concurrency.or(self.scan_concurrency),
            max_reply_mib: over.max_reply_mib.or(self.max_reply_mib),
            commit: CommitSection {
                author: over.commit.author.or(self.commit.author),
                sign: over.commit.sign.or(self.commit.sign),
                trailers: over.commit.trailers.or(self.commit.trailers),
            },
            hold: HoldSection { days: over.hold.days.or(self.hold.days) },
            keys: self.keys.then(over.keys),
            locked: self.locked,
            git: self.git,
            registries: self.registries,
            forge: self.forge,
            contexts: self.contexts,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct CommitSection {
    /// Whether the author is the operator.
    #[serde(deserialize_with = "super::words::author")]
    pub(super) author: Option<bool>,
    /// Whether commits are signed as the operator's git has it.
    #[serde(deserialize_with = "super::words::sign")]
    pub(super) sign: Option<bool>,
    pub(super) trailers: Option<Vec<Trailer>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct HoldSection {
    pub(super) days: Option<HoldDays>,
}

/// A freeze window, by the time zones of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FreezeWindow(pub(super) Window);

impl<'de> Deserialize<'de> for FreezeWindow {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WindowReader)
    }
}

/// Refuses a window while its text is being read: what is refused later is put down to the whole list.
struct WindowReader;

impl serde::de::Visitor<'_> for WindowReader {
    type Value = FreezeWindow;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a freeze window")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FreezeWindow, E> {
        // A computer without the database still reads what POSIX puts into TZ.
        let zone = |name: &str| TimeZone::get(name).or_else(|_unknown| TimeZone::posix(name)).ok();
        Window::parse(text, zone).map(FreezeWindow).map_err(E::custom)
    }
}

/// How many days a hold lasts: at least one, and not forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HoldDays(pub(super) u16);

impl<'de> Deserialize<'de> for HoldDays {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            days @ 1..=3650 => Ok(Self(u16::try_from(days).map_err(serde::de::Error::custom)?)),
            other => Err(serde::de::Error::custom(format!("a hold lasts 1 to 3650 days, not {other}"))),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct GitSection {
    pub(super) url: BTreeMap<String, String>,
}

/// Every key that works, so that others can be warned about. A name that ends in `.` stands for all below it.
pub(super) const KEYS: &[&str] = &[
    "mode",
    "locked",
    "source",
    "files",
    "namespace",
    "theme",
    "profile",
    "mouse",
    "ascii",
    "protected_branches",
    "min_age",
    "freeze",
    "scan_concurrency",
    "max_reply_mib",
    "commit.author",
    "commit.sign",
    "commit.trailers",
    "hold.days",
    "git.url.",
    "registries.",
    "forge.",
    "keys.",
    "contexts.",
];

/// The keys of each host below a name of [`KEYS`].
const OF_HOSTS: &[(&str, &[&str])] = &[("forge", &["kind", "api"]), ("registries", &["endpoint", "ca"])];

/// What counts in a file as a whole, and not in its section for a kube context.
const WHOLE: [&str; 2] = ["locked", "contexts"];

pub(super) const SYSTEM_FILE: &str = "/etc/xdg/supercargo/config.toml";

/// The system's file and the user's.
pub(super) fn read_files(
    global: &Global,
    env: &dyn Environment,
    warnings: &mut Vec<Problem>,
) -> Result<[File; 2], Problem> {
    let mut read = |path: &Path, must_exist| read_file(path, must_exist, global.lenient, warnings);
    let system = read(Path::new(SYSTEM_FILE), false)?;
    let user = match (&global.config, user_file(env)) {
        (Some(path), _) => read(path, true)?,
        (None, Some(path)) => read(&path, false)?,
        (None, None) => File::default(),
    };
    Ok([system, user])
}

/// The folder of the user's themes, which need not be there; `None` without a home.
pub fn themes_folder(env: &dyn Environment) -> Option<PathBuf> {
    Some(user_file(env)?.parent()?.join("themes"))
}

pub(super) fn user_file(env: &dyn Environment) -> Option<PathBuf> {
    let home = || env.var("HOME").map(|home| Path::new(&home).join(".config"));
    let base =
        env.var("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or_else(home)?;
    Some(base.join("supercargo/config.toml"))
}

/// The keys and values of a file that is there.
pub(super) fn read_table(path: &Path) -> Result<toml::Table, Problem> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| config_problem(&name, "cannot be read").caused_by(&error))?;
    toml::from_str(&text).map_err(|error| located(&name, &text, &error))
}

/// Reads one configuration file; absent is empty unless it was asked for by name. Of a `lenient` reader a value that cannot be
/// read is a warning.
fn read_file(
    path: &Path,
    must_exist: bool,
    lenient: bool,
    warnings: &mut Vec<Problem>,
) -> Result<File, Problem> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            return Ok(File::default());
        }
        Err(error) => {
            return Err(config_problem(&path.display().to_string(), "cannot be read").caused_by(&error));
        }
    };
    let name = path.display().to_string();
    let text = if lenient { readable(&name, text, warnings) } else { text };
    parse_file(&name, &text, warnings)
}

/// What is wrong with the file called `name`, by line and column, both counted from 1.
pub(super) fn located(name: &str, text: &str, error: &toml::de::Error) -> Problem {
    let at = place(text, error.span().map_or(0, |span| span.start));
    config_problem(&format!("{name}:{at}"), error.message().to_owned())
}

/// `LINE:COLUMN` of a byte, both counted from 1.
pub(super) fn place(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    format!("{line}:{column}")
}

/// A value that cannot be read.
pub(super) struct Misread {
    /// The byte at which it begins, where that is known.
    pub(super) at: Option<usize>,
    /// Why, by line and column.
    pub(super) problem: Box<Problem>,
}

pub(super) fn parse_file(name: &str, text: &str, warnings: &mut Vec<Problem>) -> Result<File, Problem> {
    let table: toml::Table = toml::from_str(text).map_err(|error| located(name, text, &error))?;
    unknown_keys(name, ("", ""), &table, warnings);
    unknown_keys_of_hosts(name, "", &table, warnings);
    unknown_keys_of_contexts(name, &table, warnings);
    values(name, text, warnings).map_err(|misread| *misread.problem)
}

/// The values of a file whose keys somebody else has looked at.
pub(super) fn values(name: &str, text: &str, warnings: &mut Vec<Problem>) -> Result<File, Misread> {
    let misread = |error: toml::de::Error| Misread {
        at: error.span().map(|span| span.start),
        problem: Box::new(located(name, text, &error)),
    };
    let mut file: File = toml::from_str(text).map_err(misread)?;
    let spanned = DeTable::parse(text).map_err(misread)?;
    let whole = keys::Text { name, text };
    file.keys = keys::read(whole, spanned.get_ref(), warnings)?;
    let sections = spanned.get_ref().get("contexts").and_then(|contexts| contexts.get_ref().as_table());
    for (context, section) in sections.into_iter().flatten() {
        if let (Some(of), Some(table)) =
            (file.contexts.get_mut(context.get_ref().as_ref()), section.get_ref().as_table())
        {
            of.keys = keys::read(whole, table, warnings)?;
            (of.locked, of.contexts) = (Vec::new(), BTreeMap::new());
        }
    }
    Ok(file)
}

/// Warns about each key that nothing reads, naming the nearest one that something does. `section` is what stands before the
/// names that are known, and the names down to this table.
fn unknown_keys(name: &str, section: (&str, &str), table: &toml::Table, warnings: &mut Vec<Problem>) {
    let (before, prefix) = section;
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        let covered =
            KEYS.iter().any(|known| *known == path || (known.ends_with('.') && path.starts_with(known)));
        let section = KEYS.iter().any(|known| known.starts_with(&format!("{path}.")));
        match value {
            toml::Value::Table(inner) if section && !covered => {
                unknown_keys(name, (before, &format!("{path}.")), inner, warnings);
            }
            _ if covered || section => {}
            _ => warnings.push(unread(name, &format!("{before}{path}"), (&path, KEYS))),
        }
    }
}

/// As [`unknown_keys`], for the hosts that a section describes.
fn unknown_keys_of_hosts(name: &str, before: &str, table: &toml::Table, warnings: &mut Vec<Problem>) {
    for (section, keys) in OF_HOSTS {
        let hosts = table.get(*section).and_then(toml::Value::as_table).into_iter().flatten();
        for (host, keys_of_host) in hosts.filter_map(|(host, value)| Some((host, value.as_table()?))) {
            let unknown = keys_of_host.keys().filter(|key| !keys.contains(&key.as_str()));
            warnings.extend(
                unknown.map(|key| unread(name, &format!("{before}{section}.{host}.{key}"), (key, *keys))),
            );
        }
    }
}

/// As [`unknown_keys`], for the sections of kube contexts.
fn unknown_keys_of_contexts(name: &str, table: &toml::Table, warnings: &mut Vec<Problem>) {
    let contexts = table.get("contexts").and_then(toml::Value::as_table).into_iter().flatten();
    for (context, section) in contexts.filter_map(|(context, value)| Some((context, value.as_table()?))) {
        let before = format!("contexts.{context}.");
        let (whole, section): (toml::Table, toml::Table) =
            section.clone().into_iter().partition(|(key, _)| WHOLE.contains(&key.as_str()));
        warnings.extend(whole.keys().map(|key| {
            let message =
                format!("{key:?} counts for the file as a whole, and not in \"contexts.{context}\"");
            Problem::new(Code::UnknownKey, name, message)
        }));
        unknown_keys(name, (&before, ""), &section, warnings);
        unknown_keys_of_hosts(name, &before, &section, warnings);
    }
}

/// A key at `path` that nothing reads, with the one of `keys` that `typed` is nearest to.
fn unread(name: &str, path: &str, (typed, keys): (&str, &[&str])) -> Problem {
    let problem = Problem::new(Code::UnknownKey, name, format!("nothing reads the key {path:?}"));
    match crate::text::nearest(typed, keys.iter().copied()) {
        Some(near) => problem.hint(format!("Did you mean {near:?}?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_a_warning_with_the_nearest_name() {
        let mut warnings = Vec::new();
        parse_file("c.toml", "protected_branch = []\n[git.url]\n\"a/b\" = \"x\"\n", &mut warnings).unwrap();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].hint.as_deref(), Some("Did you mean \"protected_branches\"?"));
    }

    #[test]
    fn an_unknown_key_of_a_host_is_a_warning_with_the_nearest_name() {
        let mut warnings = Vec::new();
        let text = "[registries.\"reg.example.com:5000\"]\nendpont = \"http://127.0.0.1:5000\"\nca = \"ca.pem\"\n\
            [forge.\"git.example.com\"]\nkind = \"gitea\"\nurl = \"https://git.example.com\"\n";
        parse_file("c.toml", text, &mut warnings).unwrap();
        let said: Vec<(&str, Option<&str>)> =
            warnings.iter().map(|problem| (problem.message.as_str(), problem.hint.as_deref())).collect();
        let near = Some("Did you mean \"endpoint\"?");
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.contains(&("nothing reads the key \"forge.git.example.com.url\"", None)), "{said:?}");
        let key = "nothing reads the key \"registries.reg.example.com:5000.endpont\"";
        assert!(said.contains(&(key, near)), "{said:?}");
    }

    #[test]
    fn a_context_has_every_key_but_those_of_the_whole_file() {
        let mut warnings = Vec::new();
        let text = "[contexts.prod-eu]\nmode = \"read-only\"\nlocked = [\"mode\"]\nthme = \"mono\"\n\
            [contexts.prod-eu.commit]\nauthro = \"operator\"\n[contexts.prod-eu.forge.\"git.example.com\"]\nurl = \"x\"\n\
            [contexts.prod-eu.keys]\n\"push.open\" = [\"ctrl-g\"]\n";
        let file = parse_file("c.toml", text, &mut warnings).unwrap();
        let said: Vec<&str> = warnings.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "\"locked\" counts for the file as a whole, and not in \"contexts.prod-eu\"",
                "nothing reads the key \"contexts.prod-eu.commit.authro\"",
                "nothing reads the key \"contexts.prod-eu.thme\"",
                "nothing reads the key \"contexts.prod-eu.forge.git.example.com.url\"",
            ]
        );
        assert_eq!(warnings[2].hint.as_deref(), Some("Did you mean \"theme\"?"));
        assert_eq!((file.mode, file.keys.lines.len()), (None, 0));
        let elsewhere = file.clone().in_context(Some("dev"));
        assert_eq!(elsewhere, file);
        let there = file.in_context(Some("prod-eu"));
        assert_eq!((there.mode, there.locked.len()), (Some(Mode::ReadOnly), 0));
        assert_eq!(there.keys.lines[0].at, "c.toml:10:1");
    }

    #[test]
    fn a_freeze_window_that_is_none_names_line_and_column() {
        let text = "ascii = true\nfreeze = [\"Fri 16:00 - Mon 08:00 UTC\", \"weekends\"]\n";
        let error = parse_file("c.toml", text, &mut Vec::new()).unwrap_err();
        assert_eq!((error.code, error.subject.as_str()), (Code::Config, "c.toml:2:40"));
        assert!(error.message.contains("\"weekends\" is no freeze window"), "{error}");
        let text = "freeze = [\n  \"Fri 16:00 - Mon 08:00 UTC\",\n  # at night\n  \"weekends\",\n]\n";
        let error = parse_file("config.toml", text, &mut Vec::new()).unwrap_err();
        assert_eq!(error.subject, "config.toml:4:3", "its own place, not that of the list");
        let text = "freeze = [\"Fri 16:00 - Mon 08:00 CET-1CEST,M3.5.0,M10.5.0/3\"]\n";
        let file = parse_file("c.toml", text, &mut Vec::new()).unwrap();
        assert_eq!(file.freeze.map(|windows| windows.len()), Some(1));
    }

    #[test]
    fn a_wrong_type_names_line_and_column() {
        let error = parse_file("c.toml", "mode = \"write\"\nascii = 3\n", &mut Vec::new()).unwrap_err();
        assert_eq!(error.code, Code::Config);
        assert_eq!(error.subject, "c.toml:2:9");
        for text in ["source = \"foo\"", "commit = { author = \"x\" }", "[commit]\nsign = \"always\""] {
            let error =
                parse_file("c.toml", &format!("ascii = true\n{text}\n"), &mut Vec::new()).unwrap_err();
            let place = if text.starts_with('[') { "c.toml:3:8" } else { "c.toml:2:" };
            assert!(error.subject.starts_with(place) && error.message.contains("expected"), "{error:?}");
        }
    }
}
