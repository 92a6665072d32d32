//! Keys that the system's file pins: what flags, environment and the user's file say of them is taken away.

use super::file::{File, SYSTEM_FILE};
use super::{Environment, config_problem};
use crate::cli::Global;
use crate::problem::Problem;

/// Takes away what flags, the environment that they stand for, and the user's file say of a key; whether they said
/// anything.
type Pin = fn(&mut Global, &mut File) -> bool;

/// Every key that can be pinned, whole sections by their name with a dot behind it. What is not here is `locked` itself.
const PINS: &[(&str, Pin)] = &[
    ("mode", |global, user| {
        [taken(&mut global.read_only), taken(&mut global.write), taken(&mut user.mode)].contains(&true)
    }),
    ("source", |global, user| taken(&mut global.source) | taken(&mut user.source)),
    ("files", |global, user| taken(&mut global.files) | taken(&mut user.files)),
    ("namespace", |global, user| taken(&mut global.namespace) | taken(&mut user.namespace)),
    ("theme", |global, user| taken(&mut global.theme) | taken(&mut user.theme)),
    ("profile", |_, user| taken(&mut user.profile)),
    ("mouse", |_, user| taken(&mut user.mouse)),
    ("ascii", |global, user| taken(&mut global.ascii) | taken(&mut user.ascii)),
    ("protected_branches", |_, user| taken(&mut user.protected_branches)),
    ("min_age", |global, user| taken(&mut global.min_age) | taken(&mut user.min_age)),
    ("freeze", |_, user| taken(&mut user.freeze)),
    ("scan_concurrency", |_, user| taken(&mut user.scan_concurrency)),
    ("max_reply_mib", |_, user| taken(&mut user.max_reply_mib)),
    ("commit.author", |_, user| taken(&mut user.commit.author)),
    ("commit.sign", |_, user| taken(&mut user.commit.sign)),
    ("commit.trailers", |_, user| taken(&mut user.commit.trailers)),
    ("hold.days", |_, user| taken(&mut user.hold.days)),
    ("git.url", |global, user| taken(&mut global.git_url) | taken(&mut user.git.url)),
    ("registries", |_, user| taken(&mut user.registries)),
    ("forge", |_, user| taken(&mut user.forge)),
    ("keys", |_, user| taken(&mut user.keys)),
    ("contexts", |_, user| taken(&mut user.contexts)),
];

fn taken<T: Default + PartialEq>(value: &mut T) -> bool {
    std::mem::take(value) != T::default()
}

/// Applies the `locked` of the system's file. A key is named whole, or by the section it stands in; one of `git.url`,
/// `registries` or `forge` also by its own name.
///
/// Returns a warning for each key that something was taken away of, and for each name that pins nothing.
pub(super) fn apply(
    locked: &[String],
    global: &mut Global,
    user: &mut File,
    env: &dyn Environment,
) -> Vec<Problem> {
    let mut warnings = Vec::new();
    for name in locked {
        // The other variables are read as flags.
        let is_said_there = name == "mode" && env.var("SUPERCARGO_MODE").is_some();
        match pin(name, global, user).map(|said| said || is_said_there) {
            Some(true) => warnings.push(config_problem(
                name,
                format!("is locked by {SYSTEM_FILE}; what flags, environment and your own file say of it does not count"),
            )),
            Some(false) => {}
            None => warnings.push(unknown(name)),
        }
    }
    warnings
}

/// Whether anything was taken away; `None` if there is no such key.
fn pin(name: &str, global: &mut Global, user: &mut File) -> Option<bool> {
    if let Some(host) = name.strip_prefix("registries.") {
        return Some(user.registries.remove(host).is_some());
    }
    if let Some(host) = name.strip_prefix("forge.") {
        return Some(user.forge.remove(&host.to_ascii_lowercase()).is_some());
    }
    if let Some(repository) = name.strip_prefix("git.url.") {
        let before = global.git_url.len();
        global.git_url.retain(|given| given.split_once('=').is_none_or(|(of, _)| of != repository));
        return Some(user.git.url.remove(repository).is_some() | (global.git_url.len() < before));
    }
    let section = format!("{name}.");
    let pins: Vec<Pin> = PINS
        .iter()
        .filter(|(key, _)| *key == name || key.starts_with(&section))
        .map(|(_, pin)| *pin)
        .collect();
    let said = pins.iter().map(|pin| pin(global, user)).fold(false, |said, one| said | one);
    (!pins.is_empty()).then_some(said)
}

fn unknown(name: &str) -> Problem {
    let problem = config_problem(SYSTEM_FILE, format!("locked names {name:?}, which is no key"));
    match crate::text::nearest(name, PINS.iter().map(|(key, _)| *key)) {
        Some(near) => problem.hint(format!("Did you mean {near:?}?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Only;
    use super::super::file::{KEYS, parse_file};
    use super::super::{StdinSecrets, settle};
    use super::*;
    use crate::cli::Cli;
    use crate::config::Settings;
    use crate::domain::mode::Mode;

    fn settled(system: &str, user: &str, args: &[&str], env: &'static [(&str, &str)]) -> Settings {
        let mut warnings = Vec::new();
        let files = [system, user].map(|text| parse_file("c.toml", text, &mut warnings).unwrap());
        let cli = Cli::parse_from([&["supercargo"], args].concat());
        settle(&cli.global, &Only(env), StdinSecrets::default(), files, warnings).unwrap()
    }

    #[test]
    fn a_locked_key_is_the_system_s_whatever_others_say() {
        let system = "locked = ['mode', 'theme', 'protected_branches', 'commit', 'git.url', 'registries.r.example']
            mode = 'read-only'\ntheme = 'mono'\nprotected_branches = ['main']\n[commit]\nauthor = 'operator'
            [registries.'r.example']\nendpoint = 'https://system'\n[registries.'s.example']\nendpoint = 'https://system'";
        let user = "mode = 'write'\ntheme = 'neon'\nprotected_branches = []\nascii = true\n[commit]\nauthor = 'automation'
            [git.url]\n'a/b' = 'https://user'
            [registries.'r.example']\nendpoint = 'https://user'\n[registries.'s.example']\nendpoint = 'https://user'";
        let args = ["--write", "--theme", "ansi16", "--git-url", "https://flag"];
        let settings = settled(system, user, &args, &[("SUPERCARGO_MODE", "write")]);
        assert_eq!((settings.mode, settings.mode_locked), (Mode::ReadOnly, true));
        assert_eq!((settings.theme.as_str(), settings.author_is_operator), ("mono", true));
        assert_eq!((settings.protected_branches, settings.git_urls), (vec!["main".to_owned()], vec![]));
        let endpoint = |host: &str| settings.registries[host].endpoint.as_deref();
        assert_eq!(
            (endpoint("r.example"), endpoint("s.example")),
            (Some("https://system"), Some("https://user"))
        );
        assert!(settings.ascii, "what is not locked is the user's");
        let told: Vec<&str> = settings.warnings.iter().map(|warning| warning.subject.as_str()).collect();
        assert_eq!(
            told,
            ["mode", "theme", "protected_branches", "commit", "git.url", "registries.r.example"]
        );
    }

    #[test]
    fn a_locked_key_without_a_value_keeps_its_default() {
        let settings =
            settled("locked = ['namespace', 'scan_concurrency']", "scan_concurrency = 64", &["-n", "x"], &[]);
        assert_eq!((settings.default_namespace.as_str(), settings.scan_concurrency), ("flux-system", 8));
        assert_eq!(settings.namespace, None);
        let settings = settled("locked = ['mode']", "", &[], &[("SUPERCARGO_MODE", "write")]);
        assert_eq!((settings.mode, settings.warnings[0].subject.as_str()), (Mode::DryRun, "mode"));
    }

    #[test]
    fn only_the_system_s_file_locks_and_only_what_is_a_key() {
        let settings = settled("", "locked = ['mode']", &["--write"], &[]);
        assert_eq!((settings.mode, settings.mode_locked), (Mode::Write, false));
        assert!(settings.warnings[0].message.contains("system's file"), "{:?}", settings.warnings);
        let settings = settled("locked = ['thme']", "", &[], &[]);
        assert_eq!(settings.warnings[0].hint.as_deref(), Some("Did you mean \"theme\"?"));
    }

    #[test]
    fn every_key_can_be_locked() {
        for key in KEYS.iter().map(|key| key.trim_end_matches('.')).filter(|key| *key != "locked") {
            assert!(PINS.iter().any(|(known, _)| *known == key), "{key}");
        }
    }
}
