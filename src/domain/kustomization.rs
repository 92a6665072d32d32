//! What applies the files of a repository to a cluster, and whether anything stands in its way.
//!
//! A push ends in a repository; it reaches the cluster if a `Kustomization` applies the file there. Which one that is, is told by
//! its path: what a `kustomization.yaml` draws in from elsewhere is not looked at.
//!
//! Source: `fluxcd/kustomize-controller:api/v1/kustomization_types.go`, `internal/controller/kustomization_controller.go` (labels).

use std::collections::BTreeMap;

use super::inventory::{Inventory, is_below};
use super::object::ObjectId;
use super::status::{Ready, Status};
use crate::problem::Problem;

/// The labels by which an object tells which `Kustomization` applied it: its name and its namespace.
const LABELS: [&str; 2] = ["kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace"];

/// A `Kustomization` of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kustomization {
    /// Its name.
    pub id: ObjectId,
    /// The `GitRepository` whose files it applies; `None`: it applies something else.
    pub source: Option<ObjectId>,
    /// The folder, from the repository's root: no `.`, no slash at either end.
    pub path: String,
    /// Whether it is suspended.
    pub suspend: bool,
    /// What its controller says.
    pub status: Status,
}

/// Why what is pushed does not reach the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// A word for scripts: `kustomization_suspended` or `kustomization_failing`.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

impl Kustomization {
    /// What keeps it from applying anything, in words that go on behind its name; `None`: nothing.
    pub fn trouble(&self) -> Option<(&'static str, String)> {
        if self.suspend {
            return Some(("kustomization_suspended", "is suspended".to_owned()));
        }
        let is_failing = self.status.ready == Ready::False && self.status.reason.is_some();
        is_failing.then(|| ("kustomization_failing", format!("fails: {}", self.status.message)))
    }

    fn obstacle(&self) -> Option<Obstacle> {
        let (code, trouble) = self.trouble()?;
        let path = if self.path.is_empty() { "the whole repository" } else { &self.path };
        let message = format!(
            "what is pushed does not reach the cluster: Kustomization {}, which applies {path}, {trouble}",
            self.id
        );
        Some(Obstacle { code, message })
    }
}

/// All that were read of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kustomizations {
    /// By name.
    pub all: BTreeMap<ObjectId, Kustomization>,
    /// Why some or all are not known.
    pub unread: Vec<Problem>,
}

impl Kustomizations {
    /// The name of the `Kustomization` that applied an object with these labels.
    pub fn applier(labels: &BTreeMap<String, String>) -> Option<ObjectId> {
        let [name, namespace] = LABELS.map(|label| labels.get(label));
        Some(ObjectId::new(namespace?, name?))
    }

    /// What keeps `files` that an automation writes from reaching the cluster: see [`Self::obstacles`]. `GitRepository`s with one
    /// address are one repository.
    pub fn in_the_way<'a>(
        &self,
        inventory: &Inventory,
        automation: &ObjectId,
        files: impl Iterator<Item = &'a str>,
    ) -> Vec<Obstacle> {
        let Some(automation) = inventory.automations.get(automation) else { return Vec::new() };
        let url = |id: &ObjectId| inventory.git_repositories.get(id).map(|repository| &repository.url);
        let own = url(&automation.source);
        let is_own = |id: &ObjectId| *id == automation.source || (own.is_some() && url(id) == own);
        self.obstacles(is_own, files)
    }

    /// What keeps `files` from being applied, each of them once; `is_source` knows the `GitRepository`s of their repository.
    ///
    /// Of several folders around a file the innermost counts, and nothing stands in the way if one of those that apply it works.
    pub fn obstacles<'a>(
        &self,
        is_source: impl Fn(&ObjectId) -> bool,
        files: impl Iterator<Item = &'a str>,
    ) -> Vec<Obstacle> {
        let mine: Vec<&Kustomization> =
            self.all.values().filter(|one| one.source.as_ref().is_some_and(&is_source)).collect();
        let mut found: Vec<Obstacle> = Vec::new();
        for file in files {
            let around = || mine.iter().filter(|one| is_below(file, &one.path));
            let Some(innermost) = around().map(|one| one.path.len()).max() else { continue };
            let ways = around().filter(|one| one.path.len() == innermost).map(|one| one.obstacle());
            let Some(Some(obstacle)) = ways.reduce(Option::and) else { continue };
            if !found.contains(&obstacle) {
                found.push(obstacle);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applying(name: &str, path: &str) -> Kustomization {
        Kustomization {
            id: ObjectId::new("flux-system", name),
            source: Some(ObjectId::new("flux-system", "fleet")),
            path: path.to_owned(),
            suspend: false,
            status: Status {
                ready: Ready::True,
                reason: Some("ReconciliationSucceeded".into()),
                message: String::new(),
            },
        }
    }

    fn said(all: &[Kustomization], files: &[&str]) -> Vec<String> {
        let all = all.iter().map(|one| (one.id.clone(), one.clone())).collect();
        let known = Kustomizations { all, unread: Vec::new() };
        let found = known.obstacles(|id| id.name == "fleet", files.iter().copied());
        found.into_iter().map(|obstacle| format!("{}: {}", obstacle.code, obstacle.message)).collect()
    }

    #[test]
    fn what_is_suspended_or_fails_keeps_its_own_files_from_the_cluster() {
        let suspended = Kustomization { suspend: true, ..applying("apps", "apps") };
        let mut failing = applying("infra", "infra");
        failing.status = Status {
            ready: Ready::False,
            reason: Some("BuildFailed".into()),
            message: "no such file".to_owned(),
        };
        let all = [applying("root", ""), suspended, failing];
        assert_eq!(said(&all, &["docs/a.yaml", "appsets/a.yaml"]), [""; 0]);
        assert_eq!(
            said(&all, &["apps/a.yaml", "apps/b.yaml", "infra/a.yaml"]),
            [
                "kustomization_suspended: what is pushed does not reach the cluster: Kustomization flux-system/apps, which \
                 applies apps, is suspended",
                "kustomization_failing: what is pushed does not reach the cluster: Kustomization flux-system/infra, which \
                 applies infra, fails: no such file",
            ]
        );
    }

    #[test]
    fn one_way_into_the_cluster_is_enough_and_other_repositories_do_not_matter() {
        let suspended = Kustomization { suspend: true, ..applying("apps", "apps") };
        assert_eq!(said(&[suspended.clone(), applying("again", "apps")], &["apps/a.yaml"]), [""; 0]);
        let elsewhere =
            Kustomization { source: Some(ObjectId::new("flux-system", "other")), ..suspended.clone() };
        assert_eq!(said(&[elsewhere], &["apps/a.yaml"]), [""; 0]);
        let whole = Kustomization { path: String::new(), ..suspended };
        assert!(
            said(&[whole], &["apps/a.yaml"])[0].contains("which applies the whole repository, is suspended")
        );
    }

    #[test]
    fn one_that_nobody_has_dealt_with_yet_is_no_failure() {
        let new = Kustomization { status: Status::waiting(), ..applying("apps", "apps") };
        assert_eq!(new.trouble(), None);
    }

    #[test]
    fn an_object_tells_by_its_labels_what_applied_it() {
        let mut labels = BTreeMap::from([(LABELS[0].to_owned(), "apps".to_owned())]);
        assert_eq!(Kustomizations::applier(&labels), None);
        labels.insert(LABELS[1].to_owned(), "flux-system".to_owned());
        assert_eq!(Kustomizations::applier(&labels), Some(ObjectId::new("flux-system", "apps")));
    }
}
