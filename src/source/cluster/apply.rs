//! Writes to the cluster: objects applied, suspended, resumed, reconciled, deleted.
//!
//! Objects are made and changed by server-side apply. One that says what is not said again is replaced as a whole, as flux does:
//! applying would leave in force what others set before.
//! Everything is tried by the server first, without effect (`dryRun=All`), and done only then; a [`Effect::DryRun`] ends there.
//! Whether an effect is allowed, and who agreed to it, is decided by the callers.
//!
//! Source: `fluxcd/flux2:cmd/flux/{reconcile,suspend,resume,delete,export}.go`; Kubernetes, "Server-Side Apply".

mod body;
mod owners;
mod progress;

use std::collections::BTreeSet;

use kube::Error;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind, Status};
use serde_json::{Value, json};

use self::body::{applied, as_data, is_same, replaced};
use self::owners::{Field, owners_of_changes, says_more};
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

/// How an object is written, each with the object.
enum Order {
    /// Server-side apply: what others say beside it stays.
    Apply(DynamicObject),
    /// In the place of what is there.
    Replace(DynamicObject),
}

impl Order {
    /// How `object` comes to be what is said in the place of `before`, in the version that is served.
    fn of(before: Option<&Value>, object: &Value, version: &str) -> Result<Self, serde_json::Error> {
        let mut object = object.clone();
        object["apiVersion"] = version.into();
        as_data(&mut object);
        Ok(match before {
            Some(before) if says_more(before, &object) => {
                Self::Replace(serde_json::from_value(replaced(before, &object))?)
            }
            _ => Self::Apply(serde_json::from_value(applied(before, object))?),
        })
    }

    /// What the API server calls it.
    fn verb(&self) -> &'static str {
        match self {
            Self::Apply(_) => "patch",
            Self::Replace(_) => "update",
        }
    }
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
        let order = Order::of(before.as_ref(), object, &target.api.api_version)
            .map_err(|error| Problem::new(Code::Internal, id.to_string(), "no object").caused_by(&error))?;
        let tried = self.put(target, id, &order, Effect::DryRun).await?;
        let change = match &before {
            None => Change::Created,
            Some(before) if is_same(before, &tried) => Change::Unchanged,
            Some(before) => {
                self.may_take_over(id, before, &tried)?;
                Change::Updated
            }
        };
        if effect == Effect::Write && change != Change::Unchanged {
            self.put(target, id, &order, Effect::Write).await?;
        }
        Ok(change)
    }

    /// Makes an object, or puts it in the place of the one that was seen if nobody has written to that meanwhile.
    async fn put(
        &self,
        target: &Target,
        id: &ObjectId,
        order: &Order,
        effect: Effect,
    ) -> Result<Value, Problem> {
        let api = self.objects(target, Some(&id.namespace));
        let asked = async {
            let answer = match order {
                Order::Apply(object) => {
                    // Of what was seen it is decided before whether fields may be taken over; of what somebody else makes meanwhile none
                    // are.
                    let force = object.metadata.resource_version.is_some();
                    let parameters = PatchParams { force, ..parameters(effect) };
                    api.patch(&id.name, &parameters, &Patch::Apply(object)).await
                }
                Order::Replace(object) => {
                    let field_manager = Some(FIELD_MANAGER.to_owned());
                    let parameters = PostParams { dry_run: effect == Effect::DryRun, field_manager };
                    api.replace(&id.name, &parameters, object).await
                }
            };
            match answer {
                Ok(object) => Ok(Ok(plain(&object))),
                Err(Error::Api(status)) if status.code == 409 => Ok(Err(status)),
                Err(error) => Err(error),
            }
        };
        self.call(&act(order.verb(), target, id), asked).await?.map_err(|refusal| self.raced(id, &refusal))
    }

    /// Whether no controller owns a part of what would be another.
    fn may_take_over(&self, id: &ObjectId, before: &Value, after: &Value) -> Result<(), Problem> {
        let owners = owners_of_changes(before, after);
        if owners.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = owners.keys().map(String::as_str).collect();
        let message = format!("what would change belongs to {} in {}", names.join(", "), self.context);
        let problem = Problem::new(Code::MergeConflict, id.to_string(), message);
        let owned = |(name, fields): (&String, &BTreeSet<Field>)| {
            format!("{name} owns {}", fields.iter().map(Field::to_string).collect::<Vec<_>>().join(", "))
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
