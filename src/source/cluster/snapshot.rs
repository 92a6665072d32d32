//! What a cluster holds at one moment: what was read of it, and what could not be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::api::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kinds::RESOURCES;
use super::read::Fallback;
use super::reported;
use crate::domain::controller::Reports;
use crate::domain::inventory::{Area, Inventory, Object};
use crate::domain::object::{ImageRepository, Kind, Meta, ObjectId, Origin};
use crate::problem::{Code, Problem};
use crate::source::flux::{AutomationSpec, GitRepositorySpec, ImagePolicySpec, ImageRepositorySpec};

/// How many namespaces are asked for what objects refer to, of each kind that may not be listed in all of them.
const NAMESPACES: usize = 50;

/// What a cluster holds at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The objects; those that do not fit our types are problems in it, and what could not be read is in its `unread`.
    pub inventory: Inventory,
    /// What controllers say of them.
    pub reports: Arc<Reports>,
    /// The server's name for the moment of each list that was read, from which a watch goes on.
    pub moments: BTreeMap<Area, String>,
}

/// Whether what failed may work a moment later; what is denied or gone stays away.
pub fn passes(problem: &Problem) -> bool {
    matches!(problem.code, Code::Unreachable | Code::Timeout | Code::RateLimited | Code::ClusterUnauthorized)
}

impl Snapshot {
    /// Whether an object of this kind and namespace would be in here if the cluster had it.
    pub fn covers(&self, kind: Kind, namespace: &str) -> bool {
        self.moments.contains_key(&(kind, None))
            || self.moments.contains_key(&(kind, Some(namespace.to_owned())))
    }

    /// Takes from `last` what could not be read for a moment; what is denied or gone stays away. Whether there was such a thing.
    pub fn keep(&mut self, last: &Self) -> bool {
        let unread = self.inventory.unread.areas();
        let failed: Vec<Area> =
            unread.filter(|(_, problem)| passes(problem)).map(|(area, _)| area.clone()).collect();
        for (kind, namespace) in &failed {
            let is_meant = |(of, within): &Area| of == kind && (namespace.is_none() || within == namespace);
            for (area, moment) in last.moments.iter().filter(|(area, _)| is_meant(area)) {
                self.take(area, last, moment);
            }
        }
        !failed.is_empty()
    }

    /// Takes the objects of an area from `from`, with what controllers say of them.
    pub(super) fn take(&mut self, area: &Area, from: &Self, moment: &str) {
        let (kind, namespace) = area;
        let is_in = |id: &ObjectId| namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace);
        take(&mut self.inventory, *kind, &from.inventory, &is_in);
        let reports = from.reports.iter().filter(|((of, id), _)| of == kind && is_in(id));
        Arc::make_mut(&mut self.reports).extend(reports.map(|(key, report)| (key.clone(), report.clone())));
        self.moments.insert(area.clone(), moment.to_owned());
        match namespace {
            Some(namespace) => self.inventory.unread.note_read(*kind, namespace),
            None => self.inventory.unread.forget(area),
        }
    }

    /// The kinds that may not be listed in all namespaces at once.
    pub(super) fn refused(&self) -> impl Iterator<Item = Kind> {
        let unread = &self.inventory.unread;
        let is_refused = |kind: &Kind| {
            unread.at(&(*kind, None)).is_some_and(|problem| problem.code == Code::ClusterForbidden)
        };
        RESOURCES.iter().map(|resource| resource.kind).filter(is_refused)
    }

    /// Of the kinds that may not be listed in all namespaces, where objects refer to that was not looked at yet.
    pub(super) fn linked(&self) -> Vec<Area> {
        let inventory = &self.inventory;
        let repositories = inventory.policies.values().map(|policy| &policy.repository.namespace);
        let sources = inventory.automations.values().map(|automation| &automation.source.namespace);
        let links = [
            (Kind::ImageRepository, repositories.collect::<BTreeSet<_>>()),
            (Kind::GitRepository, sources.collect()),
        ];
        let refused: Vec<Kind> = self.refused().collect();
        let links = links.into_iter().filter(|(kind, _)| refused.contains(kind));
        links.flat_map(|(kind, namespaces)| self.beyond(kind, namespaces)).collect()
    }

    fn beyond(&self, kind: Kind, namespaces: BTreeSet<&String>) -> Vec<Area> {
        let areas = namespaces.into_iter().map(|namespace| (kind, Some(namespace.clone())));
        let is_new =
            |area: &Area| !self.moments.contains_key(area) && self.inventory.unread.at(area).is_none();
        areas.filter(is_new).take(NAMESPACES).collect()
    }

    /// Has what may not be read where the operator wants to look told with that place.
    pub(super) fn narrow(&mut self, chosen: &str) {
        for kind in self.refused().collect::<Vec<_>>() {
            if let Some(narrow) = self.inventory.unread.at(&(kind, Some(chosen.to_owned()))).cloned() {
                self.inventory.unread.note((kind, None), narrow);
            }
        }
    }

    /// What a person should know of what could not be read, kind by kind; of several refusals, one after the other, the same
    /// advice serves once. Who chose a namespace hears nothing of the others.
    pub(super) fn refusals(&self, fallback: &Fallback) -> Vec<Problem> {
        let told = RESOURCES.iter().filter_map(|resource| self.refusal(resource.kind, fallback));
        let mut problems: Vec<Problem> = told.collect();
        advise_once(&mut problems);
        problems
    }

    fn refusal(&self, kind: Kind, fallback: &Fallback) -> Option<Problem> {
        let unread = &self.inventory.unread;
        let why = unread.at(&(kind, None))?.clone();
        let read: Vec<&str> = unread.namespaces(kind).collect();
        if let Some(chosen) = fallback.chosen() {
            return (!read.contains(&chosen)).then_some(why);
        }
        let message = match read.as_slice() {
            [] => return Some(why),
            [one] => format!("{}; only namespace {one} is shown", why.message),
            several => format!("{}; only namespaces {} are shown", why.message, several.join(", ")),
        };
        Some(Problem { message, ..why })
    }

    pub(super) fn add(&mut self, kind: Kind, version: &str, object: DynamicObject) {
        let id = ObjectId::new(
            object.metadata.namespace.unwrap_or_default(),
            object.metadata.name.unwrap_or_default(),
        );
        let status = reported::read(&object.data["status"], object.metadata.generation.unwrap_or_default());
        let meta = Meta {
            id: id.clone(),
            version: version.to_owned(),
            labels: object.metadata.labels.unwrap_or_default(),
            origin: Origin { source: "cluster", file: None, line: None },
        };
        match object_of(kind, meta, object.data) {
            Ok(Object::Repository(repository)) => {
                let is_past_gates = status.is_past_gates();
                self.inventory.add(Object::Repository(ImageRepository { is_past_gates, ..repository }));
            }
            Ok(object) => self.inventory.add(object),
            Err(error) => {
                let message = format!("{kind} {id} of the cluster is passed over: {error}");
                let problem = Problem::new(Code::Skipped, id.to_string(), message);
                self.inventory.unfit.insert((kind, id.clone()), problem);
            }
        }
        Arc::make_mut(&mut self.reports).insert((kind, id), status);
    }
}

/// Of several refusals, one after the other, the same advice serves once.
fn advise_once(problems: &mut [Problem]) {
    let mut said = BTreeSet::new();
    for problem in problems.iter_mut().filter(|problem| problem.code == Code::ClusterForbidden) {
        problem.hint = problem.hint.take().filter(|hint| said.insert(hint.clone()));
    }
}

/// Takes over the objects of a kind that are in the namespaces that are meant.
fn take(inventory: &mut Inventory, kind: Kind, from: &Inventory, is_in: &impl Fn(&ObjectId) -> bool) {
    fn extend<T: Clone>(
        mine: &mut BTreeMap<ObjectId, T>,
        its: &BTreeMap<ObjectId, T>,
        is_in: &impl Fn(&ObjectId) -> bool,
    ) {
        let all = its.iter().filter(|(id, _)| is_in(id));
        mine.extend(all.map(|(id, object)| (id.clone(), object.clone())));
    }
    let unfit = from.unfit.iter().filter(|((of, id), _)| *of == kind && is_in(id));
    inventory.unfit.extend(unfit.map(|(key, problem)| (key.clone(), problem.clone())));
    match kind {
        Kind::ImageRepository => extend(&mut inventory.repositories, &from.repositories, is_in),
        Kind::ImagePolicy => extend(&mut inventory.policies, &from.policies, is_in),
        Kind::ImageUpdateAutomation => extend(&mut inventory.automations, &from.automations, is_in),
        Kind::GitRepository => extend(&mut inventory.git_repositories, &from.git_repositories, is_in),
    }
}

fn object_of(kind: Kind, meta: Meta, mut data: Value) -> Result<Object, serde_json::Error> {
    fn spec<T: DeserializeOwned>(data: &mut Value) -> Result<T, serde_json::Error> {
        serde_json::from_value(data["spec"].take())
    }
    let data = &mut data;
    Ok(match kind {
        Kind::ImageRepository => Object::Repository(spec::<ImageRepositorySpec>(data)?.into_domain(meta)),
        Kind::ImagePolicy => Object::Policy(spec::<ImagePolicySpec>(data)?.into_domain(meta)),
        Kind::ImageUpdateAutomation => {
            Object::Automation(Box::new(spec::<AutomationSpec>(data)?.into_domain(meta)))
        }
        Kind::GitRepository => Object::Git(spec::<GitRepositorySpec>(data)?.into_domain(meta)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_that_does_not_fit_is_named_with_its_reason_and_stops_nothing() {
        let mut snapshot = Snapshot::default();
        let mut add = |name: &str, spec: Value| {
            let object = json!({ "metadata": { "namespace": "shop", "name": name }, "spec": spec });
            snapshot.add(Kind::ImageRepository, "v1", serde_json::from_value(object).unwrap());
        };
        add("web", json!({ "image": "reg/web", "interval": "soon" }));
        add("api", json!({ "image": "reg/api", "interval": "5m" }));
        assert_eq!(snapshot.inventory.repositories.len(), 1);
        let said = &snapshot.inventory.unfit[&(Kind::ImageRepository, ObjectId::new("shop", "web"))];
        assert_eq!((said.code, said.subject.as_str()), (Code::Skipped, "shop/web"));
        assert!(
            said.message.starts_with("ImageRepository shop/web of the cluster is passed over: "),
            "{said:?}"
        );
        assert_eq!(snapshot.reports.len(), 2);
    }

    #[test]
    fn a_repository_that_its_controller_dealt_with_is_past_the_feature_gates() {
        let gated = |generation: i64, ready: &str, reason: &str| {
            let object = json!({
                "metadata": { "namespace": "shop", "name": "web", "generation": generation },
                "spec": { "image": "reg/web", "interval": "5m", "provider": "aws", "serviceAccountName": "web" },
                "status": { "observedGeneration": 2, "conditions":
                    [{ "type": "Ready", "status": ready, "reason": reason, "message": "" }] },
            });
            let mut snapshot = Snapshot::default();
            snapshot.add(Kind::ImageRepository, "v1", serde_json::from_value(object).unwrap());
            snapshot.inventory.repositories[&ObjectId::new("shop", "web")].is_gated()
        };
        assert!(!gated(2, "True", "Succeeded") && !gated(2, "False", "AuthenticationFailed"));
        assert!(gated(2, "False", "FeatureGateDisabled") && gated(2, "Unknown", "Progressing"));
        assert!(gated(3, "True", "Succeeded"), "it was another spec that passed");
    }

    #[test]
    fn what_is_refused_for_several_kinds_has_its_advice_once() {
        let refused = |kind: &str| Problem::new(Code::ClusterForbidden, "prod", kind).hint("Ask for a role.");
        let mut problems =
            [refused("a"), Problem::new(Code::Skipped, "b", "b").hint("Ask for a role."), refused("c")];
        advise_once(&mut problems);
        assert_eq!(problems.each_ref().map(|problem| problem.hint.is_some()), [true, true, false]);
    }

    #[test]
    fn what_was_read_of_one_namespace_tells_nothing_of_the_others() {
        let mut snapshot = Snapshot::default();
        snapshot.moments.insert((Kind::ImagePolicy, Some("shop".to_owned())), "7".to_owned());
        snapshot.moments.insert((Kind::GitRepository, None), String::new());
        assert!(snapshot.covers(Kind::ImagePolicy, "shop") && !snapshot.covers(Kind::ImagePolicy, "edge"));
        assert!(
            snapshot.covers(Kind::GitRepository, "edge") && !snapshot.covers(Kind::ImageRepository, "shop")
        );
    }

    #[test]
    fn of_one_namespace_that_fails_for_a_moment_its_objects_are_kept() {
        let area = |namespace: &str| (Kind::ImageRepository, Some(namespace.to_owned()));
        let mut last = Snapshot::default();
        for namespace in ["data", "shop"] {
            let object = json!({ "metadata": { "namespace": namespace, "name": "web" },
                "spec": { "image": "reg/web", "interval": "5m" } });
            last.add(Kind::ImageRepository, "v1", serde_json::from_value(object).unwrap());
            last.moments.insert(area(namespace), "7".to_owned());
        }
        let mut now = Snapshot::default();
        let why = |code| Problem::new(code, "prod", "list imagerepositories");
        now.inventory.unread.note((Kind::ImageRepository, None), why(Code::ClusterForbidden));
        now.inventory.unread.note(area("data"), why(Code::ClusterForbidden));
        now.inventory.unread.note(area("shop"), why(Code::Timeout));
        assert!(now.keep(&last));
        let kept: Vec<String> = now.inventory.repositories.keys().map(ToString::to_string).collect();
        assert_eq!(kept, ["shop/web"]);
        assert!(now.covers(Kind::ImageRepository, "shop") && !now.covers(Kind::ImageRepository, "data"));
    }

    #[test]
    fn where_objects_refer_to_is_looked_at_where_a_kind_may_not_be_listed_everywhere() {
        let policy = json!({ "metadata": { "namespace": "shop", "name": "web" },
            "spec": { "imageRepositoryRef": { "name": "web", "namespace": "data" }, "policy": { "alphabetical": {} } } });
        let mut snapshot = Snapshot::default();
        snapshot.add(Kind::ImagePolicy, "v1", serde_json::from_value(policy).unwrap());
        assert_eq!(snapshot.linked(), vec![], "all of them were listed");
        let refused = Problem::new(Code::ClusterForbidden, "prod", "not allowed to list imagerepositories");
        snapshot.inventory.unread.note((Kind::ImageRepository, None), refused.clone());
        let data = (Kind::ImageRepository, Some("data".to_owned()));
        assert_eq!(snapshot.linked(), std::slice::from_ref(&data));
        snapshot.inventory.unread.note(data, refused);
        assert_eq!(snapshot.linked(), vec![], "once");
    }

    #[test]
    fn who_chose_a_namespace_hears_of_that_one_alone() {
        let refused = |place: &str| Problem::new(Code::ClusterForbidden, "prod", place);
        let mut snapshot = Snapshot::default();
        snapshot.inventory.unread.note((Kind::ImagePolicy, None), refused("no, nowhere"));
        let told = |snapshot: &Snapshot, fallback: &Fallback| -> Vec<String> {
            snapshot.refusals(fallback).into_iter().map(|problem| problem.message).collect()
        };
        let (chosen, likely) = (Fallback::Chosen("shop".into()), Fallback::Likely(BTreeSet::new()));
        let mut closed = snapshot.clone();
        closed.inventory.unread.note((Kind::ImagePolicy, Some("shop".into())), refused("no, not in shop"));
        closed.narrow("shop");
        assert_eq!(told(&closed, &chosen), ["no, not in shop"]);
        snapshot.inventory.unread.note_read(Kind::ImagePolicy, "shop");
        assert_eq!(told(&snapshot, &chosen), [""; 0]);
        assert_eq!(told(&snapshot, &likely), ["no, nowhere; only namespace shop is shown"]);
        snapshot.inventory.unread.note_read(Kind::ImagePolicy, "edge");
        assert_eq!(told(&snapshot, &likely), ["no, nowhere; only namespaces edge, shop are shown"]);
    }

    #[test]
    fn a_kind_that_fails_for_a_moment_is_kept_as_it_was_and_a_denied_one_is_not() {
        let mut last = Snapshot::default();
        let object = json!({ "metadata": { "namespace": "shop", "name": "web" },
            "spec": { "image": "reg/web", "interval": "5m" } });
        last.add(Kind::ImageRepository, "v1", serde_json::from_value(object).unwrap());
        last.moments.insert((Kind::ImageRepository, None), String::new());
        let after = |code| {
            let mut now = Snapshot::default();
            let why = Problem::new(code, "prod", "list imagerepositories");
            now.inventory.unread.note((Kind::ImageRepository, None), why);
            let is_kept = now.keep(&last);
            (
                is_kept,
                now.inventory.repositories.len(),
                now.reports.len(),
                now.inventory.unread.areas().count(),
            )
        };
        assert_eq!(after(Code::Unreachable), (true, 1, 1, 0));
        assert_eq!(after(Code::ClusterForbidden), (false, 0, 0, 1));
    }
}
