//! Which objects a command is about, and whether those of files or of a cluster.

use super::super::session::known_objects;
use super::remote::Remote;
use crate::cli::Chosen;
use crate::config::{Settings, SourceChoice};
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};
use crate::source::kubeconfig::Places;

/// What a command acts on.
pub(super) enum ActsOn {
    /// The files source.
    Files,
    /// The cluster.
    Cluster(Box<Remote>),
}

/// Files if they are asked for (`-C`, `--path`, `--source files`) or there is no cluster, else the cluster, as flux; never one
/// in place of the other.
///
/// # Errors
/// A kubeconfig that cannot be used; `--source cluster` where no context is in force, or with `--path`.
pub(super) fn acts_on(settings: &Settings, path: bool) -> Result<ActsOn, Problem> {
    if path && settings.source == SourceChoice::Cluster {
        let problem = Problem::new(Code::Usage, "--path", "is about files, and the source is the cluster");
        return Err(problem.hint("Leave --path out, or give --source files."));
    }
    let are_files_meant = match settings.source {
        SourceChoice::Files => true,
        SourceChoice::Cluster => false,
        SourceChoice::Auto | SourceChoice::Both => path || settings.files_given,
    };
    if are_files_meant {
        return Ok(ActsOn::Files);
    }
    let places = Places::of(settings.kubeconfig.clone());
    match Remote::connect(settings, &places)? {
        Some(remote) => Ok(ActsOn::Cluster(Box::new(remote))),
        None if settings.source == SourceChoice::Cluster => {
            let problem = Problem::new(Code::Config, "--source cluster", "no kube context is in force");
            Err(problem.hint("Name one with --context, or a kubeconfig with --kubeconfig or KUBECONFIG."))
        }
        None => Ok(ActsOn::Files),
    }
}

/// The objects of a kind among `known` that are named, or all of the namespace in scope: flux's, `-n` or, with `-A`, every one.
///
/// # Errors
/// A name that nothing in scope has, or that several have.
pub(super) fn chosen(
    settings: &Settings,
    kind: Kind,
    chosen: &Chosen,
    known: &[&ObjectId],
) -> Result<Vec<ObjectId>, Problem> {
    let scope = (!settings.all_namespaces).then_some(settings.default_namespace.as_str());
    let is_in = |id: &ObjectId, scope: Option<&str>| scope.is_none_or(|namespace| id.namespace == namespace);
    if chosen.all {
        return Ok(known.iter().filter(|id| is_in(id, scope)).map(|id| (*id).clone()).collect());
    }
    let find = |text: &String| {
        let (scope, name) =
            text.split_once('/').map_or((scope, text.as_str()), |(scope, name)| (Some(scope), name));
        let found: Vec<&ObjectId> =
            known.iter().copied().filter(|id| id.name == name && is_in(id, scope)).collect();
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => {
                let message = format!("{kind} {name} not found in {}", place(scope));
                Err(Problem::new(Code::NotFound, text, message).hint(known_objects(
                    &kind.to_string(),
                    text,
                    known,
                )))
            }
            several => {
                let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                let message = format!("several {kind} objects have this name: {}", names.join(", "));
                Err(Problem::new(Code::Ambiguous, text, message).hint("Write it as NAMESPACE/NAME."))
            }
        }
    };
    let mut ids: Vec<ObjectId> = chosen.names.iter().map(find).collect::<Result<_, _>>()?;
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

/// The problem of a name that nothing has, and what is wrong in the files: it may stand where nothing could be read.
pub(super) fn beside(problem: Problem, others: &[Problem]) -> Problem {
    if problem.code != Code::NotFound {
        return problem;
    }
    others.iter().fold(problem, |problem, other| problem.cause(other.to_string()))
}

fn place(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "any namespace".to_owned(), |namespace| format!("{namespace} namespace"))
}

/// flux's sentence for `--all` where there is nothing.
pub(super) fn nothing(settings: &Settings, kind: Kind) -> String {
    let scope = (!settings.all_namespaces).then_some(settings.default_namespace.as_str());
    format!("⚠ no {kind} objects found in {}", place(scope))
}
