//! One inventory of two: what a cluster has, and the files that define it.
//!
//! The cluster's object is the one in force; where a file defines it, the file stays known, and what the two say
//! differently is drift. What only files have stays, for it may be about to be applied.

use std::collections::BTreeMap;

use super::{Described, Inventory};
use crate::domain::kustomization::Kustomizations;
use crate::domain::object::{
    GitRepository, ImagePolicy, ImageRepository, ImageUpdateAutomation, Kind, ObjectId, Origin, PolicyChoice,
};
use crate::problem::{Code, Problem};

/// An object of which the file says something else than the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub id: ObjectId,
    /// Where the file defines it.
    pub file: Origin,
    /// The fields of `spec` that differ.
    pub fields: Vec<&'static str>,
    /// The `Kustomization` that applied the object, if it tells.
    pub applier: Option<ObjectId>,
}

impl Drift {
    /// The warning about it; it stops nothing.
    pub fn problem(&self) -> Problem {
        let Self { kind, id, file, fields, applier } = self;
        let message = format!("{kind} {id} in the cluster differs from {file} in {}", fields.join(", "));
        let by = applier.as_ref().map_or_else(|| "Flux".to_owned(), |id| format!("Kustomization {id}"));
        Problem::new(Code::Skipped, id.to_string(), message)
            .hint(format!("The cluster's is in force until {by} applies the file."))
    }
}

/// What came of joining.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// All objects.
    pub inventory: Inventory,
    /// Where files and cluster differ, by kind and name.
    pub drifts: Vec<Drift>,
    /// What the cluster would show and does not have.
    pub only_in_files: Vec<(Kind, ObjectId)>,
}

/// Joins the objects of files with a cluster's. `covers` tells of which kinds and namespaces the cluster was read.
pub fn join(files: Inventory, cluster: Inventory, covers: impl Fn(Kind, &str) -> bool) -> Joined {
    let known = |kind, id: &ObjectId| match kind {
        Kind::ImageRepository => cluster.repositories.contains_key(id),
        Kind::ImagePolicy => cluster.policies.contains_key(id),
        Kind::ImageUpdateAutomation => cluster.automations.contains_key(id),
        Kind::GitRepository => cluster.git_repositories.contains_key(id),
    };
    // Which of several files is right does not matter where the cluster has the object.
    let mut ambiguous = files.ambiguous;
    ambiguous.retain(|(kind, id), _| !known(*kind, id));
    let unfit = &cluster.unfit;
    let mut found = Found { covers, unfit, drifts: Vec::new(), only_in_files: Vec::new() };
    let mut inventory = Inventory {
        repositories: found.join(Kind::ImageRepository, files.repositories, cluster.repositories),
        policies: found.join(Kind::ImagePolicy, files.policies, cluster.policies),
        automations: found.join(Kind::ImageUpdateAutomation, files.automations, cluster.automations),
        git_repositories: found.join(Kind::GitRepository, files.git_repositories, cluster.git_repositories),
        ..Inventory::default()
    };
    ambiguous.retain(|key, _| !unfit.contains_key(key));
    inventory.ambiguous = ambiguous;
    inventory.namespaces = files.namespaces;
    inventory.namespaces.extend(cluster.namespaces);
    inventory.obsolete = files.obsolete;
    inventory.unread = cluster.unread;
    inventory.problems = files.problems;
    inventory.problems.extend(cluster.problems);
    inventory.problems.extend(found.drifts.iter().map(Drift::problem));
    inventory.problems.extend(missing(&found.only_in_files));
    let Found { drifts, only_in_files, .. } = found;
    inventory.unfit = cluster.unfit;
    Joined { inventory, drifts, only_in_files }
}

/// How many names are spelt out.
const NAMED: usize = 3;

/// One warning for all that only files have: in a repository for many clusters that may be most of it.
fn missing(objects: &[(Kind, ObjectId)]) -> Option<Problem> {
    let names: Vec<String> = objects.iter().take(NAMED).map(|(kind, id)| format!("{kind} {id}")).collect();
    let more = match objects.len().checked_sub(NAMED).filter(|more| *more > 0) {
        Some(more) => format!(" and {more} more"),
        None => String::new(),
    };
    let message = format!("only in the files, not in the cluster: {}{more}", names.join(", "));
    (!objects.is_empty()).then(|| Problem::new(Code::Skipped, "source", message))
}

/// What was found out on the way.
struct Found<'a, C> {
    covers: C,
    /// What the cluster has and nobody can read: it is in force there, whatever a file says.
    unfit: &'a BTreeMap<(Kind, ObjectId), Problem>,
    drifts: Vec<Drift>,
    only_in_files: Vec<(Kind, ObjectId)>,
}

impl<C: Fn(Kind, &str) -> bool> Found<'_, C> {
    fn join<T: Compared>(
        &mut self,
        kind: Kind,
        files: BTreeMap<ObjectId, T>,
        mut cluster: BTreeMap<ObjectId, T>,
    ) -> BTreeMap<ObjectId, T> {
        for (id, file) in files {
            if self.unfit.contains_key(&(kind, id.clone())) {
                continue;
            }
            let Some(live) = cluster.get_mut(&id) else {
                if (self.covers)(kind, &id.namespace) {
                    self.only_in_files.push((kind, id.clone()));
                }
                cluster.insert(id, file);
                continue;
            };
            let Origin { file: path, line, .. } = &file.meta().origin;
            (live.meta_mut().origin.file, live.meta_mut().origin.line) = (path.clone(), *line);
            let fields = live.differing(&file);
            if !fields.is_empty() {
                let applier = Kustomizations::applier(&live.meta().labels);
                self.drifts.push(Drift { kind, id, file: file.meta().origin.clone(), fields, applier });
            }
        }
        cluster
    }
}

/// What tells the fields of two specs that differ, the API server's defaults filled in.
trait Compared: Described {
    fn differing(&self, other: &Self) -> Vec<&'static str>;
}

fn named<const N: usize>(fields: [(&'static str, bool); N]) -> Vec<&'static str> {
    fields.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}

impl Compared for ImageRepository {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        named([
            ("image", self.image == other.image),
            ("interval", self.interval == other.interval),
            ("timeout", self.timeout == other.timeout),
            ("secretRef", self.secret_ref == other.secret_ref),
            ("certSecretRef", self.cert_secret_ref == other.cert_secret_ref),
            ("proxySecretRef", self.proxy_secret_ref == other.proxy_secret_ref),
            ("serviceAccountName", self.service_account == other.service_account),
            ("suspend", self.suspend == other.suspend),
            ("accessFrom", self.access_from == other.access_from),
            ("exclusionList", self.exclusions() == other.exclusions()),
            ("provider", self.provider == other.provider),
            ("insecure", self.insecure == other.insecure),
        ])
    }
}

impl Compared for ImagePolicy {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        named([
            ("imageRepositoryRef", self.repository == other.repository),
            ("policy", has_same_rule(&self.choice, &other.choice)),
            ("filterTags", self.filter == other.filter),
            ("digestReflectionPolicy", self.digest_policy == other.digest_policy),
            ("interval", self.interval == other.interval),
            ("suspend", self.suspend == other.suspend),
        ])
    }
}

/// An order that is not given is `asc`.
fn has_same_rule(a: &PolicyChoice, b: &PolicyChoice) -> bool {
    let orders = |choice: &PolicyChoice| {
        [&choice.alphabetical, &choice.numerical]
            .map(|order| order.as_ref().map(|order| order.rule().to_owned()))
    };
    a.semver == b.semver && orders(a) == orders(b)
}

impl Compared for ImageUpdateAutomation {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        named([
            ("sourceRef", self.source == other.source && self.source_kind == other.source_kind),
            ("interval", self.interval == other.interval),
            ("suspend", self.suspend == other.suspend),
            ("policySelector", self.policy_selector == other.policy_selector),
            ("update", self.update_path == other.update_path && self.strategy == other.strategy),
            ("git", self.git == other.git),
        ])
    }
}

/// What the API server fills in for a `GitRepository` without a timeout, in seconds.
const GIT_TIMEOUT: u64 = 60;

impl Compared for GitRepository {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let timeout = |of: &Self| of.timeout.map_or(GIT_TIMEOUT, |timeout| timeout.0.as_secs());
        named([
            ("url", self.url == other.url),
            ("secretRef", self.secret_ref == other.secret_ref),
            ("proxySecretRef", self.proxy_secret_ref == other.proxy_secret_ref),
            ("interval", self.interval == other.interval),
            ("timeout", timeout(self) == timeout(other)),
            ("ref", self.reference == other.reference),
            ("provider", self.provider == other.provider),
            ("serviceAccountName", self.service_account == other.service_account),
            ("suspend", self.suspend == other.suspend),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::inventory::Object;
    use crate::domain::object::{DEFAULT_EXCLUSION, Meta};

    fn repository(name: &str, source: &'static str, image: &str) -> ImageRepository {
        let file = (source == "files").then(|| "apps/web.yaml".to_owned());
        let origin = Origin { source, line: file.as_ref().map(|_| 3), file };
        let meta = Meta { id: ObjectId::new("shop", name), origin, ..ImageRepository::of_image(image).meta };
        ImageRepository { meta, ..ImageRepository::of_image(image) }
    }

    fn inventory(objects: Vec<ImageRepository>) -> Inventory {
        let mut inventory = Inventory::default();
        for object in objects {
            inventory.add(Object::Repository(object));
        }
        inventory
    }

    #[test]
    fn the_clusters_object_is_in_force_and_its_file_stays_known() {
        let files = inventory(vec![repository("web", "files", "reg/web")]);
        let mut live = repository("web", "cluster", "reg/web");
        // As the API server fills it in.
        live.exclusion_list = vec![DEFAULT_EXCLUSION.to_owned()];
        let joined = join(files, inventory(vec![live]), |_, _| true);
        let web = &joined.inventory.repositories[&ObjectId::new("shop", "web")];
        assert_eq!(
            (web.meta.origin.source, web.meta.origin.to_string().as_str()),
            ("cluster", "apps/web.yaml:3")
        );
        assert_eq!((joined.drifts, joined.inventory.problems), (vec![], vec![]));
    }

    #[test]
    fn a_file_that_says_something_else_is_drift_and_names_the_fields() {
        let files = inventory(vec![repository("web", "files", "reg/web2")]);
        let mut live = repository("web", "cluster", "reg/web");
        live.suspend = true;
        let joined = join(files, inventory(vec![live]), |_, _| true);
        assert_eq!(joined.drifts[0].fields, ["image", "suspend"]);
        assert_eq!(joined.inventory.repositories[&ObjectId::new("shop", "web")].image, "reg/web");
        assert_eq!(
            joined.inventory.problems[0].message,
            "ImageRepository shop/web in the cluster differs from apps/web.yaml:3 in image, suspend"
        );
    }

    #[test]
    fn what_only_files_have_is_said_once_and_only_where_the_cluster_was_read() {
        let names = ["a", "b", "c", "d", "e"];
        let files = inventory(names.map(|name| repository(name, "files", "reg/x")).to_vec());
        let joined = join(files.clone(), Inventory::default(), |_, _| true);
        assert_eq!((joined.inventory.repositories.len(), joined.only_in_files.len()), (5, 5));
        let said: Vec<&str> = joined.inventory.problems.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "only in the files, not in the cluster: ImageRepository shop/a, ImageRepository shop/b, ImageRepository \
              shop/c and 2 more"
            ]
        );
        assert_eq!(join(files, Inventory::default(), |_, _| false).only_in_files, vec![]);
    }

    #[test]
    fn files_that_contradict_each_other_do_not_block_what_the_cluster_has() {
        let files =
            inventory(vec![repository("web", "files", "reg/web"), repository("web", "files", "reg/other")]);
        assert_eq!(files.ambiguous.len(), 1);
        let joined =
            join(files.clone(), inventory(vec![repository("web", "cluster", "reg/web")]), |_, _| true);
        assert_eq!((joined.inventory.ambiguous.len(), joined.inventory.repositories.len()), (0, 1));
        assert_eq!(join(files, Inventory::default(), |_, _| true).inventory.ambiguous.len(), 1);
    }
}
