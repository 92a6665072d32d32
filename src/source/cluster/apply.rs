//! Writes to the cluster: objects applied, suspended, resumed, reconciled, deleted.
//!
//! Everything is tried by the server first, without effect (`dryRun=All`), and done only then; a [`Effect::DryRun`] ends there.
//! Whether an effect is allowed, and who agreed to it, is decided by the callers.
//!
//! Source: `fluxcd/flux2:cmd/flux/{reconcile,suspend,resume,delete,export}.go`; Kubernetes, "Server-Side Apply".

use kube::Error;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, Status};
use serde_json::{Value, json};

use super::kinds::resource_of;
use super::{Act, Cluster};
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};

/// Who the API server notes as the author of what we write.
pub const FIELD_MANAGER: &str = "supercargo";

/// The annotation that asks a controller to look at once.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// How many objects are asked for at a time.
const PAGE: u32 = 500;

/// Whose fields may be taken over: of people's tools, never of a controller that would set them back.
const TOOLS: [&str; 3] = ["flux", "before-first-apply", FIELD_MANAGER];

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

    /// Applies an object as the field manager [`FIELD_MANAGER`].
    ///
    /// Fields that another tool of a person owns are taken over, as flux does.
    ///
    /// # Errors
    /// As [`Cluster::call`]; [`Code::MergeConflict`] naming the controllers that own what would change.
    pub async fn apply(
        &self,
        target: &Target,
        id: &ObjectId,
        object: &Value,
        effect: Effect,
    ) -> Result<Change, Problem> {
        let before = self.object(target, id).await?;
        let mut object = object.clone();
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".to_owned(), target.api.api_version.clone().into());
        }
        let tried = self.apply_once(target, id, &object, Effect::DryRun, false).await?;
        let (tried, force) = match tried {
            Ok(tried) => (tried, false),
            Err(refusal) => {
                self.may_take_over(id, &refusal)?;
                let tried = self.apply_once(target, id, &object, Effect::DryRun, true).await?;
                (tried.map_err(|refusal| self.conflict(id, &refusal))?, true)
            }
        };
        let change = match &before {
            None => Change::Created,
            Some(before) if is_same(before, &tried) => Change::Unchanged,
            Some(_) => Change::Updated,
        };
        if effect == Effect::Write && change != Change::Unchanged {
            let done = self.apply_once(target, id, &object, Effect::Write, force).await?;
            done.map_err(|refusal| self.conflict(id, &refusal))?;
        }
        Ok(change)
    }

    async fn apply_once(
        &self,
        target: &Target,
        id: &ObjectId,
        object: &Value,
        effect: Effect,
        force: bool,
    ) -> Result<Result<Value, Box<Status>>, Problem> {
        let parameters = PatchParams { force, ..parameters(effect) };
        let api = self.objects(target, Some(&id.namespace));
        let asked = async {
            match api.patch(&id.name, &parameters, &Patch::Apply(object)).await {
                Ok(object) => Ok(Ok(plain(&object))),
                Err(Error::Api(status)) if status.code == 409 => Ok(Err(status)),
                Err(error) => Err(error),
            }
        };
        self.call(&act("patch", target, id), asked).await
    }

    /// Whether all who own what would change are tools of people.
    fn may_take_over(&self, id: &ObjectId, refusal: &Status) -> Result<(), Problem> {
        let owners = owners(refusal);
        let is_tool = |owner: &String| owner.starts_with("kubectl") || TOOLS.contains(&owner.as_str());
        if !owners.is_empty() && owners.iter().all(is_tool) {
            Ok(())
        } else {
            Err(self.conflict(id, refusal))
        }
    }

    fn conflict(&self, id: &ObjectId, refusal: &Status) -> Problem {
        let owners = owners(refusal);
        let owners = if owners.is_empty() { "others".to_owned() } else { owners.join(", ") };
        let message = format!("what would change belongs to {owners} in {}", self.context);
        Problem::new(Code::MergeConflict, id.to_string(), message)
            .cause(crate::text::Shown::new(&refusal.message).as_str())
            .hint("Change it where they read it from, such as in Git: they would set it back.")
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

    /// Asks the controller of an object to look at it at once; `at` tells this request from others.
    ///
    /// # Errors
    /// As [`Cluster::call`].
    pub async fn request(
        &self,
        target: &Target,
        id: &ObjectId,
        at: &str,
        effect: Effect,
    ) -> Result<(), Problem> {
        let patch = json!({ "metadata": { "annotations": { REQUESTED_AT: at } } });
        self.merge(target, id, &patch, effect).await.map(|_| ())
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

/// Whether two states of an object are the same but for what the server keeps books of.
fn is_same(before: &Value, after: &Value) -> bool {
    let parts = ["/metadata/labels", "/metadata/annotations", "/spec", "/data", "/type"];
    parts.iter().all(|part| before.pointer(part) == after.pointer(part))
}

/// The field managers that a conflict names.
fn owners(refusal: &Status) -> Vec<String> {
    let causes = refusal.details.iter().flat_map(|details| &details.causes);
    let mut owners: Vec<String> =
        causes.filter_map(|cause| cause.message.split('"').nth(1).map(str::to_owned)).collect();
    owners.sort();
    owners.dedup();
    owners
}

/// How far a controller has got with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not there yet.
    Waiting,
    /// It is ready; flux's success text.
    Done(String),
    /// It failed; the condition's message.
    Failed(String),
}

/// How far the controller has got with `object`: with the request `at`, or, without one, with its present generation.
pub fn progress(kind: Kind, object: &Value, at: Option<&str>) -> Progress {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64);
    if at.is_some_and(|at| text("/status/lastHandledReconcileAt") != at) {
        return Progress::Waiting;
    }
    if number("/status/observedGeneration") < number("/metadata/generation") {
        return Progress::Waiting;
    }
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let field = |condition: &Value, key: &str| {
        condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let Some(ready) = conditions.into_iter().find(|condition| field(condition, "type") == "Ready") else {
        return Progress::Waiting;
    };
    match field(ready, "status").as_str() {
        "True" => Progress::Done(success(kind, object).unwrap_or_else(|| field(ready, "message"))),
        "False" => Progress::Failed(field(ready, "message")),
        _ => Progress::Waiting,
    }
}

/// What flux says of an object that is ready; `None`: its condition's message.
fn success(kind: Kind, object: &Value) -> Option<String> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
    match kind {
        Kind::ImageRepository => {
            let tags =
                object.pointer("/status/lastScanResult/tagCount").and_then(Value::as_i64).unwrap_or_default();
            Some(format!("scan fetched {tags} tags"))
        }
        Kind::ImagePolicy => {
            let digest =
                text("/status/latestRef/digest").map(|digest| format!("@{digest}")).unwrap_or_default();
            let whole = || {
                Some(format!(
                    "{}:{}{digest}",
                    text("/status/latestRef/name")?,
                    text("/status/latestRef/tag")?
                ))
            };
            let selected = whole().or_else(|| text("/status/latestImage").map(str::to_owned))?;
            Some(format!("selected ref {selected}"))
        }
        Kind::ImageUpdateAutomation | Kind::GitRepository => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(status: &Value) -> Value {
        json!({ "metadata": { "generation": 2 }, "status": status })
    }

    #[test]
    fn a_controller_is_waited_for_until_it_has_seen_the_request_and_the_generation() {
        let ready = |status: &str| json!([{ "type": "Ready", "status": status, "message": "m" }]);
        let with = |generation: i64, at: &str, status: &str| {
            object(&json!({
                "observedGeneration": generation, "lastHandledReconcileAt": at, "conditions": ready(status),
                "lastScanResult": { "tagCount": 13 },
            }))
        };
        let of = |object: &Value, at| progress(Kind::ImageRepository, object, at);
        assert_eq!(of(&object(&json!({})), None), Progress::Waiting);
        assert_eq!(of(&with(2, "then", "True"), Some("now")), Progress::Waiting);
        assert_eq!(of(&with(1, "now", "True"), Some("now")), Progress::Waiting);
        assert_eq!(of(&with(2, "now", "Unknown"), Some("now")), Progress::Waiting);
        assert_eq!(
            of(&with(2, "now", "True"), Some("now")),
            Progress::Done("scan fetched 13 tags".to_owned())
        );
        assert_eq!(of(&with(2, "now", "False"), None), Progress::Failed("m".to_owned()));
        let automation = progress(Kind::ImageUpdateAutomation, &with(2, "", "True"), None);
        assert_eq!(automation, Progress::Done("m".to_owned()));
    }

    #[test]
    fn what_a_policy_selects_is_said_with_its_digest() {
        let latest = json!({ "name": "r/app", "tag": "1.2", "digest": "sha256:ab" });
        let new = success(Kind::ImagePolicy, &object(&json!({ "latestRef": latest })));
        assert_eq!(new.as_deref(), Some("selected ref r/app:1.2@sha256:ab"));
        let old = success(Kind::ImagePolicy, &object(&json!({ "latestImage": "r/app:1.2" })));
        assert_eq!(old.as_deref(), Some("selected ref r/app:1.2"));
    }

    #[test]
    fn the_owners_of_a_conflict_are_named_once() {
        let cause = |owner: &str| {
            json!({ "reason": "FieldManagerConflict", "field": ".spec",
            "message": format!("conflict with \"{owner}\" using image.toolkit.fluxcd.io/v1") })
        };
        let causes = ["kustomize-controller", "kubectl", "kubectl"].map(cause);
        let status: Status =
            serde_json::from_value(json!({ "code": 409, "details": { "causes": causes } })).unwrap();
        assert_eq!(owners(&status), ["kubectl", "kustomize-controller"]);
    }
}
