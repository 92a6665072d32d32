//! Writes to the cluster: objects applied, suspended, resumed, reconciled, deleted.
//!
//! Applying replaces the spec of what is there, as flux does: nothing that somebody set before stays in force beside it.
//! Everything is tried by the server first, without effect (`dryRun=All`), and done only then; a [`Effect::DryRun`] ends there.
//! Whether an effect is allowed, and who agreed to it, is decided by the callers.
//!
//! Source: `fluxcd/flux2:cmd/flux/{reconcile,suspend,resume,delete,export}.go`; Kubernetes, "Server-Side Apply".

mod owners;
mod progress;

use std::collections::BTreeSet;

use kube::Error;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind, Status};
use serde_json::{Map, Value, json};

use self::owners::controllers_of;
pub use self::progress::{Progress, last_handled, progress};
use super::kinds::resource_of;
use super::{Act, Cluster};
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};
use crate::source::flux::KUSTOMIZE_GROUP;

/// Who the API server notes as the author of what we write.
pub const FIELD_MANAGER: &str = "supercargo";

/// The annotation that asks a controller to look at once.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// How many objects are asked for at a time.
const PAGE: u32 = 500;

/// How far an effect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The server says what would come of it.
    DryRun,
    /// It is done.
    Write,
}

/// What was, or would be, the outcome of writing an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// It was there and is another now.
    Updated,
    /// It was as it is to be.
    Unchanged,
}

/// A kind of object at the API server.
#[derive(Debug, Clone)]
pub struct Target {
    api: ApiResource,
}

impl Target {
    /// `Secret`.
    pub fn secret() -> Self {
        Self { api: ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&()) }
    }

    /// Flux's `Kustomization`; where it is not served there is none.
    pub fn kustomization() -> Self {
        let kind = GroupVersionKind::gvk(KUSTOMIZE_GROUP, "v1", "Kustomization");
        Self { api: ApiResource::from_gvk_with_plural(&kind, "kustomizations") }
    }
}

impl Cluster {
    /// One of Flux's kinds, in the version that is served.
    ///
    /// # Errors
    /// As [`Cluster::kinds`]; [`Code::NotFound`] where the kind is not served.
    pub async fn target(&self, kind: Kind) -> Result<Target, Problem> {
        let kinds = self.kinds().await?;
        kinds.api(kind).map(|api| Target { api }).ok_or_else(|| {
            let plural = resource_of(kind).plural;
            Problem::new(Code::NotFound, &self.context, format!("the cluster serves no {plural}")).hint(
                "flux install --components-extra=image-reflector-controller,image-automation-controller",
            )
        })
    }

    /// The object of this name, as it is; `None`: there is none.
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn object(&self, target: &Target, id: &ObjectId) -> Result<Option<Value>, Problem> {
        let api = self.objects(target, Some(&id.namespace));
        let found = self.call(&act("get", target, id), api.get_opt(&id.name)).await?;
        Ok(found.map(|object| plain(&object)))
    }

    /// All objects of a namespace, or of all of them, by namespace and name.
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn objects_of(&self, target: &Target, namespace: Option<&str>) -> Result<Vec<Value>, Problem> {
        let api = self.objects(target, namespace);
        let act = Act::new("list", target.api.plural.clone(), namespace);
        let (mut all, mut page) = (Vec::new(), ListParams::default().limit(PAGE));
        loop {
            let list = self.call(&act, api.list(&page)).await?;
            all.extend(list.items.iter().map(plain));
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => break,
            }
        }
        all.sort_by_key(id_of);
        Ok(all)
    }

    /// Makes an object, or gives the one that is there the spec (a secret its data) of this one. Labels, unless there are new
    /// ones, and annotations stay.
    ///
    /// # Errors
    /// As [`Cluster::call`]; [`Code::MergeConflict`] naming the controllers that own parts of what would change, or if somebody
    /// wrote to it meanwhile.
    pub async fn apply(
        &self,
        target: &Target,
        id: &ObjectId,
        object: &Value,
        effect: Effect,
    ) -> Result<Change, Problem> {
        let before = self.object(target, id).await?;
        let mut new = before.as_ref().map_or_else(|| object.clone(), |before| replaced(before, object));
        if let Some(fields) = new.as_object_mut() {
            fields.insert("apiVersion".to_owned(), target.api.api_version.clone().into());
        }
        let tried = self.put(target, id, (before.as_ref(), &new), Effect::DryRun).await?;
        let change = match &before {
            None => Change::Created,
            Some(before) if is_same(before, &tried) => Change::Unchanged,
            Some(before) => {
                self.may_take_over(id, before)?;
                Change::Updated
            }
        };
        if effect == Effect::Write && change != Change::Unchanged {
            self.put(target, id, (before.as_ref(), &new), Effect::Write).await?;
        }
        Ok(change)
    }

    /// Makes `new`, or puts it in the place of `before` if nobody has written to that meanwhile.
    async fn put(
        &self,
        target: &Target,
        id: &ObjectId,
        (before, new): (Option<&Value>, &Value),
        effect: Effect,
    ) -> Result<Value, Problem> {
        let api = self.objects(target, Some(&id.namespace));
        let field_manager = Some(FIELD_MANAGER.to_owned());
        let parameters = PostParams { dry_run: effect == Effect::DryRun, field_manager };
        let object: DynamicObject = serde_json::from_value(new.clone()).map_err(|error| {
            Problem::new(Code::Internal, id.to_string(), "what was made is no object").caused_by(&error)
        })?;
        let asked = async {
            let answer = match before {
                Some(_) => api.replace(&id.name, &parameters, &object).await,
                None => api.create(&parameters, &object).await,
            };
            match answer {
                Ok(object) => Ok(Ok(plain(&object))),
                Err(Error::Api(status)) if status.code == 409 => Ok(Err(status)),
                Err(error) => Err(error),
            }
        };
        let verb = if before.is_some() { "update" } else { "create" };
        self.call(&act(verb, target, id), asked).await?.map_err(|refusal| self.raced(id, &refusal))
    }

    /// Whether no controller owns a part of what an object says.
    fn may_take_over(&self, id: &ObjectId, before: &Value) -> Result<(), Problem> {
        let owners = controllers_of(before);
        if owners.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = owners.keys().map(String::as_str).collect();
        let message = format!("what would change belongs to {} in {}", names.join(", "), self.context);
        let problem = Problem::new(Code::MergeConflict, id.to_string(), message);
        let owned = |(name, fields): (&String, &BTreeSet<String>)| {
            format!("{name} owns {}", fields.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        Err(owners
            .iter()
            .fold(problem, |problem, owner| problem.cause(owned(owner)))
            .hint("Change it where they read it from, such as in Git: they would set it back."))
    }

    fn raced(&self, id: &ObjectId, refusal: &Status) -> Problem {
        let message = format!("somebody else wrote to it in {} meanwhile; nothing was done", self.context);
        Problem::new(Code::MergeConflict, id.to_string(), message)
            .cause(crate::text::Shown::new(&refusal.message).as_str())
            .hint("Run the command again.")
    }

    /// Sets `spec.suspend`, or takes it away; whether that changed anything.
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn suspend(
        &self,
        target: &Target,
        id: &ObjectId,
        is_suspended: bool,
        effect: Effect,
    ) -> Result<bool, Problem> {
        let patch = json!({ "spec": { "suspend": is_suspended.then_some(true) } });
        let object = self.object(target, id).await?;
        if object.is_some_and(|object| is_suspended_object(&object) == is_suspended) {
            return Ok(false);
        }
        self.merge(target, id, &patch, effect).await.map(|_| true)
    }

    /// Asks the controller of an object to look at it at once; `at` tells this request from others. Returns the one that it
    /// handled last, for [`progress`].
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn request(
        &self,
        target: &Target,
        id: &ObjectId,
        at: &str,
        effect: Effect,
    ) -> Result<String, Problem> {
        let patch = json!({ "metadata": { "annotations": { REQUESTED_AT: at } } });
        let object = self.merge(target, id, &patch, effect).await?;
        Ok(last_handled(&object).to_owned())
    }

    async fn merge(
        &self,
        target: &Target,
        id: &ObjectId,
        patch: &Value,
        effect: Effect,
    ) -> Result<Value, Problem> {
        let api = self.objects(target, Some(&id.namespace));
        let (patch, act) = (Patch::Merge(patch), act("patch", target, id));
        let tried = self.call(&act, api.patch(&id.name, &parameters(Effect::DryRun), &patch)).await?;
        if effect == Effect::DryRun {
            return Ok(plain(&tried));
        }
        let done = self.call(&act, api.patch(&id.name, &parameters(effect), &patch)).await?;
        Ok(plain(&done))
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// As [`Cluster::call`]; [`Code::NotFound`] if it is not there.
    pub async fn delete(&self, target: &Target, id: &ObjectId, effect: Effect) -> Result<(), Problem> {
        let api = self.objects(target, Some(&id.namespace));
        let act = act("delete", target, id);
        let parameters =
            |effect| DeleteParams { dry_run: effect == Effect::DryRun, ..DeleteParams::default() };
        self.call(&act, api.delete(&id.name, &parameters(Effect::DryRun))).await?;
        if effect == Effect::Write {
            self.call(&act, api.delete(&id.name, &parameters(effect))).await?;
        }
        Ok(())
    }

    fn objects(&self, target: &Target, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, &target.api),
            None => Api::all_with(self.client(), &target.api),
        }
    }
}

fn act(verb: &'static str, target: &Target, id: &ObjectId) -> Act {
    Act::new(verb, format!("{}/{}", target.api.plural, id.name), Some(&id.namespace))
}

fn parameters(effect: Effect) -> PatchParams {
    let parameters = PatchParams::apply(FIELD_MANAGER);
    if effect == Effect::DryRun { parameters.dry_run() } else { parameters }
}

/// The object in JSON.
fn plain(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

/// The name of an object; empty parts where it has none.
pub fn id_of(object: &Value) -> ObjectId {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    ObjectId::new(text("/metadata/namespace"), text("/metadata/name"))
}

/// Whether an object's controller leaves it alone.
pub fn is_suspended_object(object: &Value) -> bool {
    object.pointer("/spec/suspend").and_then(Value::as_bool).unwrap_or_default()
}

/// `before` with what `new` says in its place: spec, data and type whole, labels if there are any, annotations one by one.
fn replaced(before: &Value, new: &Value) -> Value {
    let (mut object, new) = (before.clone(), new.as_object().cloned().unwrap_or_default());
    let Some(fields) = object.as_object_mut() else { return Value::Object(new) };
    // What a secret is given as text stands beside its data and would be added to it.
    fields.remove("data");
    for (key, value) in &new {
        if !["apiVersion", "kind", "metadata", "status"].contains(&key.as_str()) {
            fields.insert(key.clone(), value.clone());
        }
    }
    let given = |key: &str| new.get("metadata")?.get(key)?.as_object().cloned();
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        if let Some(labels) = given("labels") {
            metadata.insert("labels".to_owned(), labels.into());
        }
        let kept = metadata.get("annotations").and_then(Value::as_object).cloned().unwrap_or_default();
        let annotations: Map<String, Value> =
            kept.into_iter().chain(given("annotations").unwrap_or_default()).collect();
        if !annotations.is_empty() {
            metadata.insert("annotations".to_owned(), annotations.into());
        }
    }
    object
}

/// Whether two states of an object are the same but for what the server keeps books of.
fn is_same(before: &Value, after: &Value) -> bool {
    let parts = ["/metadata/labels", "/metadata/annotations", "/spec", "/data", "/type"];
    parts.iter().all(|part| before.pointer(part) == after.pointer(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_replaced_as_a_whole_and_what_was_said_about_the_object_stays() {
        let before = json!({
            "metadata": { "name": "p", "resourceVersion": "7", "labels": { "team": "x" }, "annotations": { "a": "1", "b": "1" } },
            "spec": { "filterTags": { "pattern": "^main-" }, "policy": { "semver": { "range": ">=1.0.0" } } },
            "status": { "latestImage": "r/app:1" },
        });
        let spec = json!({ "policy": { "numerical": { "order": "asc" } } });
        let new = json!({ "metadata": { "name": "p", "annotations": { "b": "2" } }, "spec": spec });
        let written = replaced(&before, &new);
        assert_eq!(written["spec"], spec);
        let metadata = json!({
            "name": "p", "resourceVersion": "7", "labels": { "team": "x" }, "annotations": { "a": "1", "b": "2" }
        });
        assert_eq!(written["metadata"], metadata);
        let labelled = replaced(&before, &json!({ "metadata": { "labels": { "app": "y" } } }));
        assert_eq!(labelled["metadata"]["labels"], json!({ "app": "y" }));
    }

    #[test]
    fn a_secret_keeps_no_key_that_it_is_not_given_again() {
        let before =
            json!({ "metadata": { "name": "s" }, "type": "Opaque", "data": { "bearerToken": "VA==" } });
        let new = json!({ "metadata": { "name": "s" }, "stringData": { "username": "u", "password": "p" } });
        let written = replaced(&before, &new);
        assert_eq!(written.get("data"), None);
        assert_eq!(written["stringData"], new["stringData"]);
        assert_eq!(written["type"], "Opaque");
    }
}
