//! Which objects a command is about, and whether those of files or of a cluster.

use std::path::PathBuf;

use super::super::session::known_objects;
use crate::cli::Chosen;
use crate::config::{Settings, SourceChoice};
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};
use crate::source::kubeconfig;

/// Whether the command means files; what it would do to a cluster is not there yet, and is never done to files instead.
pub(super) fn acts_on_files(settings: &Settings, command: &str, path: bool) -> Result<(), Problem> {
    let refused = |message: String| {
        let problem = Problem::new(Code::Usage, command, message);
        Err(problem.hint("Give --source files or -C PATH to act on files."))
    };
    match settings.source {
        SourceChoice::Cluster | SourceChoice::Both => {
            refused("objects in a cluster cannot be changed yet".to_owned())
        }
        SourceChoice::Files => Ok(()),
        SourceChoice::Auto if path || settings.files.is_some() => Ok(()),
        SourceChoice::Auto => {
            let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
            let places = kubeconfig::Places {
                flag: settings.kubeconfig.clone(),
                variable: variable("KUBECONFIG"),
                home: variable("HOME").map(PathBuf::from),
            };
            match kubeconfig::in_force(&places, settings.context.as_deref())? {
                None => Ok(()),
                Some(context) => refused(format!(
                    "the kube context {} is in force, and objects in a cluster cannot be changed yet",
                    context.name
                )),
            }
        }
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
                Err(Problem::new(Code::NotFound, "", message).hint(known_objects(
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

fn place(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "any namespace".to_owned(), |namespace| format!("{namespace} namespace"))
}

/// flux's sentence for `--all` where there is nothing.
pub(super) fn nothing(settings: &Settings, kind: Kind) -> String {
    let scope = (!settings.all_namespaces).then_some(settings.default_namespace.as_str());
    format!("⚠ no {kind} objects found in {}", place(scope))
}
