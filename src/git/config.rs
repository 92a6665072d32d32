//! The operator's git configuration, as far as it is obeyed: `url.*.insteadOf`, who the operator is, and how commits are
//! signed.
//!
//! Read in git's order (system, user, checkout, environment). A file that cannot be read counts as empty: it is not
//! what the operator came for.

mod http;

use std::env;
use std::path::{Path, PathBuf};

use git2::{Config, ConfigLevel, Repository};

use super::ssh::SshProgram;
use crate::domain::object::Person;

pub use http::{HttpSettings, Proxy};

/// The operator's git configuration, for one checkout or for none.
#[derive(Debug, Clone, Default)]
pub struct GitConfig {
    /// Key (section and name in lower case) and value, the later ones win.
    entries: Vec<(String, String)>,
}

impl GitConfig {
    /// Reads the configuration that is in force in `checkout`; outside of any without one.
    pub fn read(checkout: Option<&Path>) -> Self {
        let mut entries = Vec::new();
        for path in [system_file(), xdg_file(), home_file()].into_iter().flatten() {
            entries.extend(Config::open(&path).map(|config| all(&config)).unwrap_or_default());
        }
        let repository = checkout.and_then(|path| Repository::discover(path).ok());
        let local =
            repository.and_then(|repository| repository.config().ok()?.open_level(ConfigLevel::Local).ok());
        entries.extend(local.map(|config| all(&config)).unwrap_or_default());
        entries.extend(from_environment(|name| env::var(name).ok()));
        Self { entries }
    }

    /// The address that git would use for `url`: the longest matching `url.BASE.insteadOf` is replaced by its base.
    ///
    /// Source: git-config(1), "url.<base>.insteadOf".
    pub fn instead_of(&self, url: &str) -> String {
        let rules = self.entries.iter().filter_map(|(key, value)| {
            let base = key.strip_prefix("url.")?.strip_suffix(".insteadof")?;
            Some((base, url.strip_prefix(value.as_str())?))
        });
        let longest = rules.min_by_key(|(_, rest)| rest.len());
        longest.map_or_else(|| url.to_owned(), |(base, rest)| format!("{base}{rest}"))
    }

    /// Who commits: `GIT_COMMITTER_*`, then `committer.*`, then `user.*`; `None` if name or address is missing.
    pub fn operator(&self) -> Option<Person> {
        self.person("committer")
    }

    /// Who writes what they commit: `GIT_AUTHOR_*`, then `author.*`, then `user.*`; `None` as above.
    pub fn author(&self) -> Option<Person> {
        self.person("author")
    }

    /// What is run to speak ssh, and whether it takes the options of OpenSSH.
    ///
    /// Source: git-config(1), "core.sshCommand", "ssh.variant"; git/git:connect.c (`get_ssh_command`).
    pub fn ssh_program(&self) -> SshProgram {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let line = set("GIT_SSH_COMMAND").or_else(|| self.get("core.sshcommand"));
        let variant = set("GIT_SSH_VARIANT").or_else(|| self.get("ssh.variant"));
        SshProgram::new(line, set("GIT_SSH"), variant.as_deref())
    }

    fn person(&self, role: &str) -> Option<Person> {
        let part = |key: &str| {
            let variable = format!("GIT_{role}_{key}").to_ascii_uppercase();
            let set = env::var(variable).ok().filter(|value| !value.is_empty());
            set.or_else(|| self.get(&format!("{role}.{key}"))).or_else(|| self.get(&format!("user.{key}")))
        };
        Some(Person { name: part("name")?, email: part("email")? })
    }

    /// Whether a key is switched on, as git reads it.
    pub(super) fn is_on(&self, key: &str) -> bool {
        let value = self.get(key).map(|value| value.to_ascii_lowercase());
        value.is_some_and(|value| {
            matches!(value.as_str(), "true" | "yes" | "on")
                || value.parse().is_ok_and(|number: i64| number != 0)
        })
    }

    /// The value in force under a key, spelt in lower case.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        let found = self.entries.iter().rev().find(|(known, _)| known == key);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }
}

fn all(config: &Config) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(entries) = config.entries(None) {
        // An entry that is no UTF-8 is none for us.
        drop(entries.for_each(|entry| {
            if let (Ok(name), Ok(value)) = (entry.name(), entry.value()) {
                found.push((name.to_owned(), value.to_owned()));
            }
        }));
    }
    found
}

fn system_file() -> Option<PathBuf> {
    let is_off =
        env::var("GIT_CONFIG_NOSYSTEM").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    if is_off {
        return None;
    }
    env::var_os("GIT_CONFIG_SYSTEM").map(PathBuf::from).or_else(|| Config::find_system().ok())
}

fn xdg_file() -> Option<PathBuf> {
    if env::var_os("GIT_CONFIG_GLOBAL").is_some() {
        return None;
    }
    let folder = env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    folder
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))
        .map(|path| path.join("git/config"))
}

fn home_file() -> Option<PathBuf> {
    let global = env::var_os("GIT_CONFIG_GLOBAL").map(PathBuf::from);
    global.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".gitconfig")))
}

/// `GIT_CONFIG_COUNT` pairs of `GIT_CONFIG_KEY_n` and `GIT_CONFIG_VALUE_n`.
fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let count: usize = variable("GIT_CONFIG_COUNT").and_then(|count| count.parse().ok()).unwrap_or(0);
    let pair = |index: usize| {
        let key = variable(&format!("GIT_CONFIG_KEY_{index}"))?;
        Some((canonical(&key), variable(&format!("GIT_CONFIG_VALUE_{index}"))?))
    };
    (0..count.min(1000)).filter_map(pair).collect()
}

/// Section and name in lower case, what stands between them as it is.
fn canonical(key: &str) -> String {
    let Some((section, rest)) = key.split_once('.') else { return key.to_ascii_lowercase() };
    match rest.rsplit_once('.') {
        Some((middle, name)) => {
            format!("{}.{middle}.{}", section.to_ascii_lowercase(), name.to_ascii_lowercase())
        }
        None => key.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> GitConfig {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        GitConfig { entries }
    }

    #[test]
    fn the_longest_rule_wins() {
        let config = config(&[
            ("url.https://mirror/.insteadof", "git@github.com:"),
            ("url.https://ops.mirror/.insteadof", "git@github.com:ops/"),
        ]);
        assert_eq!(config.instead_of("git@github.com:ops/fleet.git"), "https://ops.mirror/fleet.git");
        assert_eq!(config.instead_of("git@github.com:dev/web.git"), "https://mirror/dev/web.git");
        assert_eq!(config.instead_of("https://github.com/x"), "https://github.com/x");
    }

    #[test]
    fn a_role_of_its_own_wins_over_the_user() {
        let config = config(&[
            ("user.name", "Rita"),
            ("user.email", "rita@example.com"),
            ("committer.email", "rita@bastion"),
        ]);
        assert_eq!(config.operator().unwrap().to_string(), "Rita <rita@bastion>");
        assert_eq!(config.author().unwrap().to_string(), "Rita <rita@example.com>");
        assert_eq!(GitConfig::default().author(), None);
    }

    #[test]
    fn what_is_switched_on_is_spelt_in_many_ways() {
        for (value, on) in
            [("true", true), ("Yes", true), ("1", true), ("off", false), ("0", false), ("", false)]
        {
            assert_eq!(config(&[("commit.gpgsign", value)]).is_on("commit.gpgsign"), on, "{value:?}");
        }
    }

    #[test]
    fn the_environment_has_keys_of_its_own() {
        let variable = |name: &str| match name {
            "GIT_CONFIG_COUNT" => Some("2".to_owned()),
            "GIT_CONFIG_KEY_0" => Some("URL.https://Mirror/.insteadOf".to_owned()),
            "GIT_CONFIG_VALUE_0" => Some("x:".to_owned()),
            _ => None,
        };
        let entries = from_environment(variable);
        assert_eq!(entries, [("url.https://Mirror/.insteadof".to_owned(), "x:".to_owned())]);
    }
}
