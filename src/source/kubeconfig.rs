//! Which kube context is in force: the one fact about a cluster that matters without talking to it.
//!
//! Read as kubectl reads it: the file of the flag, else those of `KUBECONFIG`, the first to set something winning, else
//! `~/.kube/config`. Files that do not exist are no error, but for the flag's.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kube::config::{Kubeconfig, KubeconfigError};

use crate::problem::{Code, Problem};
use crate::text::known_names;

/// Where kubeconfigs are looked for.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `--kubeconfig`.
    pub flag: Option<PathBuf>,
    /// The value of `KUBECONFIG`: a list of paths.
    pub variable: Option<String>,
    /// The home directory.
    pub home: Option<PathBuf>,
}

impl Places {
    /// The file of the flag, and what this process's environment says.
    pub fn of(flag: Option<PathBuf>) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self { flag, variable: variable("KUBECONFIG"), home: variable("HOME").map(PathBuf::from) }
    }

    /// The files that count, in the order in which they are merged; those that are not there too.
    pub fn files(&self) -> Vec<PathBuf> {
        match (&self.flag, &self.variable) {
            (Some(path), _) => vec![path.clone()],
            (None, Some(list)) => {
                std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect()
            }
            (None, None) => self.home.iter().map(|home| home.join(".kube/config")).collect(),
        }
    }
}

/// What the files of a kubeconfig are like: by it another login, or another address, shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp(Vec<Option<(u64, SystemTime)>>);

impl Stamp {
    /// What they are like now.
    pub fn of(places: &Places) -> Self {
        let look = |path: PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.len(), found.modified().ok()?))
        };
        Self(places.files().into_iter().map(look).collect())
    }
}

/// A context of a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The API server's address, if its cluster gives one; without user info.
    pub server: Option<String>,
    /// Its namespace, if it gives one.
    pub namespace: Option<String>,
}

/// Why it can not be told which context is in force. No text holds anything from inside a kubeconfig but names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// A file that can not be read.
    #[error("reading the kubeconfig {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file that is no kubeconfig.
    #[error("{} is no kubeconfig{place}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// `: line 3, column 1`, or nothing.
        place: String,
    },
    /// A context that was asked for, or is said to be in force, and is not there.
    #[error("no kube context {name:?}")]
    Unknown {
        /// The context.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
}

impl From<ContextError> for Problem {
    fn from(error: ContextError) -> Self {
        let message = error.to_string();
        match error {
            ContextError::Read { path, .. } | ContextError::Broken { path, .. } => {
                Self::new(Code::Config, path.display().to_string(), message)
                    .hint("Repair the file, or name another with `--kubeconfig`.")
            }
            ContextError::Unknown { name, known } => {
                let hint = if known.is_empty() {
                    "The kubeconfig has no context; leave --context out, or name another file with --kubeconfig."
                        .to_owned()
                } else {
                    known_names(&name, known.iter().map(String::as_str), "kubectl config get-contexts")
                };
                Self::new(Code::NotFound, name, message).hint(hint)
            }
        }
    }
}

/// The context in force: `asked` (`--context`), else the kubeconfig's current one; `None` if there is none.
///
/// # Errors
/// A kubeconfig that can not be read, or that lacks the context.
pub fn in_force(places: &Places, asked: Option<&str>) -> Result<Option<Context>, ContextError> {
    let config = read(places)?;
    let current = config.current_context.clone().filter(|name| !name.is_empty());
    let Some(name) = asked.map(ToOwned::to_owned).or(current) else { return Ok(None) };
    let known = || config.contexts.iter().map(|context| context.name.clone()).collect();
    let Some(context) = config.contexts.iter().find(|context| context.name == name) else {
        return Err(ContextError::Unknown { known: known(), name });
    };
    let context = context.context.as_ref();
    let cluster = context.and_then(|context| {
        config.clusters.iter().find(|cluster| cluster.name == context.cluster)?.cluster.as_ref()
    });
    Ok(Some(Context {
        server: cluster.and_then(|cluster| cluster.server.as_deref()).map(without_user_info),
        namespace: context.and_then(|context| context.namespace.clone()).filter(|name| !name.is_empty()),
        name,
    }))
}

/// Whether the cluster of a context is reached by a proxy that the kubeconfig itself names.
pub(super) fn has_proxy(config: &Kubeconfig, context: &str) -> bool {
    let context = config.contexts.iter().find(|one| one.name == context).and_then(|one| one.context.as_ref());
    let cluster = context.and_then(|context| config.clusters.iter().find(|one| one.name == context.cluster));
    let proxy = cluster.and_then(|one| one.cluster.as_ref()?.proxy_url.as_deref());
    proxy.is_some_and(|proxy| !proxy.is_empty())
}

/// The names of all contexts, in the order of the files.
///
/// # Errors
/// A kubeconfig that can not be read.
pub fn names(places: &Places) -> Result<Vec<String>, ContextError> {
    Ok(read(places)?.contexts.into_iter().map(|context| context.name).collect())
}

/// Everything that the files say, merged.
pub(super) fn read(places: &Places) -> Result<Kubeconfig, ContextError> {
    if let Some(path) = &places.flag {
        return read_file(path);
    }
    let paths = places.files();
    paths.iter().filter(|path| path.exists()).try_fold(Kubeconfig::default(), |merged, path| {
        merged.merge(read_file(path)?).map_err(|error| broken(path, &error))
    })
}

fn read_file(path: &Path) -> Result<Kubeconfig, ContextError> {
    Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) => {
            ContextError::Read { path: path.to_owned(), reason: error.to_string() }
        }
        other => broken(path, &other),
    })
}

/// The parser's own message quotes the file around the error, where a token may stand: only the place is taken.
fn broken(path: &Path, error: &KubeconfigError) -> ContextError {
    let place = match error {
        KubeconfigError::Parse(error) => error
            .location()
            .map(|place| format!(": line {}, column {}", place.line(), place.column()))
            .unwrap_or_default(),
        _ => String::new(),
    };
    ContextError::Broken { path: path.to_owned(), place }
}

fn without_user_info(server: &str) -> String {
    let Ok(mut url) = url::Url::parse(server) else { return server.to_owned() };
    if url.username().is_empty() && url.password().is_none() {
        return server.to_owned();
    }
    // Fails only for addresses that can have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const CONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: staging\nclusters:\n- name: s\n  cluster: {server: \
                          'https://10.0.0.1:6443'}\ncontexts:\n- name: staging\n  context: {cluster: s, user: u, \
                          namespace: shop}\n- name: production\n  context: {cluster: p, user: u}\n";

    fn file(text: &str) -> (tempfile::TempDir, Places) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, text).unwrap();
        let variable = Some(format!("/nowhere/config:{}", path.display()));
        (folder, Places { variable, ..Places::default() })
    }

    #[test]
    fn the_current_context_is_in_force_unless_another_is_asked_for() {
        let (_folder, places) = file(CONFIG);
        let staging = in_force(&places, None).unwrap().unwrap();
        assert_eq!(staging.server.as_deref(), Some("https://10.0.0.1:6443"));
        assert_eq!((staging.name.as_str(), staging.namespace.as_deref()), ("staging", Some("shop")));
        assert_eq!(in_force(&places, Some("production")).unwrap().unwrap().server, None);
        let problem = Problem::from(in_force(&places, Some("producton")).unwrap_err());
        assert_eq!(problem.hint.as_deref(), Some("Did you mean production?"));
    }

    #[test]
    fn no_kubeconfig_is_no_context_and_no_error() {
        assert_eq!(in_force(&Places::default(), None), Ok(None));
        let home = Some(PathBuf::from("/nowhere"));
        assert_eq!(in_force(&Places { home, ..Places::default() }, None), Ok(None));
        let (_folder, places) = file("");
        assert_eq!(in_force(&places, None), Ok(None));
    }

    #[test]
    fn a_broken_kubeconfig_is_one_problem_that_shows_nothing_of_it() {
        let (_folder, places) = file("users:\n- name: u\n  user: {token: hunter2\ncontexts: [\n");
        let problem = Problem::from(in_force(&places, None).unwrap_err());
        assert!(problem.message.contains("is no kubeconfig: line "), "{problem:?}");
        assert!(!format!("{problem:?}").contains("hunter2"));
        let flag = Some(PathBuf::from("/nowhere/config"));
        let missing = in_force(&Places { flag, ..Places::default() }, None).unwrap_err();
        assert!(missing.to_string().starts_with("reading the kubeconfig /nowhere/config: "));
    }

    #[test]
    fn the_files_that_count_are_the_flags_else_the_variables_else_the_one_at_home() {
        let flag = Some(PathBuf::from("/f"));
        let places = Places { flag, variable: Some("/a::/b".to_owned()), home: Some("/h".into()) };
        assert_eq!(places.files(), [PathBuf::from("/f")]);
        let places = Places { flag: None, ..places };
        assert_eq!(places.files(), [PathBuf::from("/a"), PathBuf::from("/b")]);
        let places = Places { variable: None, ..places };
        assert_eq!(places.files(), [PathBuf::from("/h/.kube/config")]);
        assert_eq!(Places::default().files(), Vec::<PathBuf>::new());
    }
}
