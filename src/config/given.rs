//! Addresses of Git sources, and logins, as flags, environment and files give them.

use std::path::PathBuf;

use super::file::File;
use super::{Environment, FlagCredential};
use crate::cli::Global;
use crate::problem::{Code, Problem};
use crate::text::SecretString;

/// `NS/NAME` and the rest of `NS/NAME=URL`.
fn named_url(value: &str) -> Option<(&str, &str)> {
    value.split_once('=').filter(|(name, _)| !name.contains(':'))
}

pub(super) fn named_sources(global: &Global) -> Vec<String> {
    global.git_url.iter().filter_map(|value| Some(named_url(value)?.0.to_owned())).collect()
}

/// `[NS/NAME=]URL` of the flags, then `[git] url`.
pub(super) fn git_urls(
    global: &Global,
    user: &File,
    system: &File,
) -> Result<Vec<(String, String)>, Problem> {
    let mut urls = Vec::new();
    for value in &global.git_url {
        let (name, url) = named_url(value).unwrap_or(("", value));
        if url.is_empty() {
            return Err(Problem::new(Code::Usage, "--git-url", format!("{value:?} has no URL"))
                .hint("Write NS/NAME=URL, or the URL alone."));
        }
        urls.push((name.to_owned(), url.to_owned()));
    }
    for file in [user, system] {
        urls.extend(file.git.url.iter().map(|(name, url)| (name.clone(), url.clone())));
    }
    Ok(urls)
}

pub(super) fn git_credential(
    global: &Global,
    env: &dyn Environment,
    stdin: Option<SecretString>,
) -> Result<Option<FlagCredential>, Problem> {
    let from_env = env.var("SUPERCARGO_GIT_PASSWORD").map(SecretString::from);
    let origin = if stdin.is_some() { "flags" } else { "environment" };
    pair("--git-username", origin, global.git_username.clone(), stdin.or(from_env), None)
}

/// A key that cannot be read is said at once: `ssh` would only say that nobody was let in.
pub(super) fn git_ssh_key(
    global: &Global,
    env: &dyn Environment,
) -> Result<Option<(&'static str, PathBuf)>, Problem> {
    let from_env = || Some(("environment", PathBuf::from(env.var("SUPERCARGO_GIT_SSH_KEY")?)));
    let key = global.git_ssh_key.clone().map(|path| ("flags", path)).or_else(from_env);
    if let Some((origin, path)) = &key
        && let Err(error) = std::fs::File::open(path)
    {
        let name = if *origin == "flags" { "--git-ssh-key" } else { "SUPERCARGO_GIT_SSH_KEY" };
        let text = format!("the key {} cannot be read", path.display());
        return Err(Problem::new(Code::Usage, name, text).caused_by(&error));
    }
    Ok(key)
}

pub(super) fn registry_credential(
    global: &Global,
    env: &dyn Environment,
    stdin: Option<SecretString>,
) -> Result<Option<FlagCredential>, Problem> {
    let from_env = env.var("SUPERCARGO_REGISTRY_PASSWORD").map(SecretString::from);
    let origin = if stdin.is_some() { "flags" } else { "environment" };
    let host = env.var("SUPERCARGO_REGISTRY_HOST");
    pair("--registry-username", origin, global.registry_username.clone(), stdin.or(from_env), host)
}

fn pair(
    flag: &str,
    origin: &'static str,
    username: Option<String>,
    password: Option<SecretString>,
    host: Option<String>,
) -> Result<Option<FlagCredential>, Problem> {
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some(FlagCredential { origin, username, password, host })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::new(Code::Usage, flag, "a user name without a password")
            .hint("Add the password on stdin with the -password-stdin flag, or in the environment.")),
        (None, Some(_)) => {
            Err(Problem::new(Code::Usage, flag, "a password without a user name")
                .hint(format!("Add {flag}.")))
        }
    }
}
