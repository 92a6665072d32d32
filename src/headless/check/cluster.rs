//! What `check` asks of a cluster: kinds and versions, controllers, rights, the clock.

use futures::future::join_all;

use super::{Check, Outcome};
use crate::problem::{Code, Problem};
use crate::source::cluster::Cluster;
use crate::source::cluster::kinds::{Kinds, RESOURCES};
use crate::source::flux::KUSTOMIZE_GROUP;

/// What installs the controllers that image updates need.
const INSTALL: &str =
    "flux install --components-extra=image-reflector-controller,image-automation-controller";

/// The controllers that image updates need.
const CONTROLLERS: [&str; 3] =
    ["source-controller", "image-reflector-controller", "image-automation-controller"];

/// What is done with objects, and whether supercargo is of no use where it is not allowed. Applying makes or updates, suspending
/// and asking for a reconciliation patch.
const VERBS: [(&str, bool); 7] = [
    ("get", true),
    ("list", true),
    ("watch", true),
    ("create", false),
    ("update", false),
    ("patch", false),
    ("delete", false),
];

/// What else is read where that is allowed: the labels that repositories let others in by, which are of no namespace.
const LABELS: (&str, &str, (&str, &str)) = ("list", "Namespace", ("", "namespaces"));

/// What else is read where that is allowed: logins, what applies files, and what runs.
const MORE: [(&str, &str, (&str, &str)); 6] = [
    ("get", "Secret", ("", "secrets")),
    ("list", "Kustomization", (KUSTOMIZE_GROUP, "kustomizations")),
    ("list", "Deployment", ("apps", "deployments")),
    ("list", "StatefulSet", ("apps", "statefulsets")),
    ("list", "DaemonSet", ("apps", "daemonsets")),
    ("list", "CronJob", ("batch", "cronjobs")),
];

/// How far the clocks may be apart, in seconds: tokens and certificates forgive no more.
const SKEW: i64 = 30;

/// Everything that is asked of a cluster that is reached; `namespace`: where its objects are looked for first.
pub(super) async fn checks(cluster: &Cluster, kinds: &Kinds, namespace: &str) -> Vec<Check> {
    let mut checks: Vec<Check> = RESOURCES
        .iter()
        .map(|resource| {
            let name = format!("crd/{}", resource.kind);
            match kinds.version(resource.kind) {
                Some(version) => {
                    let message = format!("{}.{}/{version}", resource.plural, resource.group);
                    Check::new(name, Outcome::Passed, message)
                }
                None => Check::new(name, Outcome::Failed, "not served, or in no version that is read")
                    .fix(INSTALL),
            }
        })
        .collect();
    checks.extend(controllers(cluster).await);
    // One by one they would take as many round trips as there are verbs and kinds.
    let rights = RESOURCES.iter().flat_map(|resource| {
        VERBS.map(|(verb, is_needed)| {
            let kind = resource.kind.to_string();
            async move {
                let place = (resource.group, resource.plural);
                right(cluster, (verb, &kind), place, Some(namespace), is_needed).await
            }
        })
    });
    checks.extend(join_all(rights).await);
    let (verb, kind, place) = LABELS;
    checks.push(right(cluster, (verb, kind), place, None, false).await);
    let more = MORE.map(|(verb, kind, place)| right(cluster, (verb, kind), place, Some(namespace), false));
    checks.extend(join_all(more).await);
    checks.push(clock(cluster, namespace).await);
    checks
}

async fn controllers(cluster: &Cluster) -> Vec<Check> {
    let found = match cluster.controllers().await {
        Ok(found) => found,
        Err(problem) => return vec![skipped("controller", &problem)],
    };
    let check = |name: &&str| {
        let title = format!("controller/{name}");
        match found.iter().find(|controller| controller.name == *name) {
            None => Check::new(title, Outcome::Failed, "is not installed").fix(INSTALL),
            Some(controller) if controller.is_ready => {
                Check::new(title, Outcome::Passed, format!("ready: {}", controller.image))
            }
            Some(controller) => {
                Check::new(title, Outcome::Failed, format!("not ready: {}", controller.image))
                    .fix(format!("kubectl describe deployment {name} -A"))
            }
        }
    };
    CONTROLLERS.iter().map(check).collect()
}

/// Reading has to be allowed; what changes objects, only to those who want to. `namespace`: where it may be allowed alone; what is
/// of no namespace is allowed or not.
async fn right(
    cluster: &Cluster,
    (verb, kind): (&'static str, &str),
    (group, plural): (&str, &str),
    namespace: Option<&str>,
    is_needed: bool,
) -> Check {
    let name = format!("rbac/{verb}/{kind}");
    let everywhere = cluster.may(verb, (group, plural), None).await;
    let here = match (everywhere, namespace) {
        (Ok(true), Some(_)) => return Check::new(name, Outcome::Passed, "allowed in all namespaces"),
        (Ok(true), None) => return Check::new(name, Outcome::Passed, "allowed"),
        (Ok(false), Some(_)) => cluster.may(verb, (group, plural), namespace).await,
        (answer, _) => answer,
    };
    let place = namespace.map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
    match here {
        Ok(true) => Check::new(name, Outcome::Passed, format!("allowed{place}")),
        Ok(false) => {
            let outcome = if is_needed { Outcome::Failed } else { Outcome::Skipped };
            let message = format!("not allowed to {verb} {plural}{place}");
            let or = if namespace.is_some() { ", or choose a namespace with -n." } else { "." };
            Check::new(name, outcome, message)
                .fix(format!("Ask for a role with the verb {verb} on {plural}{or}"))
        }
        Err(problem) => skipped(&name, &problem),
    }
}

async fn clock(cluster: &Cluster, namespace: &str) -> Check {
    let before = crate::engine::now();
    let there = match cluster.clock(namespace).await {
        Ok(Some(there)) => there,
        Ok(None) => return Check::new("clock", Outcome::Skipped, "the API server gave no time"),
        Err(problem) => return skipped("clock", &problem),
    };
    let skew = (there.as_second() - before.as_second()).abs();
    if skew <= SKEW {
        return Check::new("clock", Outcome::Passed, format!("within {skew} s of the API server's"));
    }
    Check::new("clock", Outcome::Failed, format!("{skew} s apart from the API server's"))
        .fix("Set the clock of the one that is wrong: tokens and ages depend on it.")
}

fn skipped(name: &str, problem: &Problem) -> Check {
    let outcome = if problem.code == Code::ClusterForbidden { Outcome::Skipped } else { Outcome::Failed };
    Check::new(name, outcome, problem.message.clone())
}
