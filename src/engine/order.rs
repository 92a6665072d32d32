//! Orders to the controllers of the cluster in force.

use std::time::Instant;

use super::{Engine, Live, Note, blocking};
use crate::domain::mode::Mode;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::{Order, Place};
use crate::problem::{Code, Problem};
use crate::source::cluster::Cluster;
use crate::source::cluster::apply::{Effect, is_suspended_object};
use crate::source::cluster::connect::IN_CLUSTER;

impl Engine {
    /// What tells `flux` in a shell of the operator which cluster it is that was read.
    pub fn flux_place(&self, live: &Live) -> Place {
        let context = &live.cluster().context;
        let kubeconfig = self.settings.kubeconfig.as_ref();
        Place {
            context: (context != IN_CLUSTER).then(|| context.clone()),
            kubeconfig: kubeconfig.map(|path| path.display().to_string()),
        }
    }

    /// Gives an order for each object, or, in a dry run, has the API server try it; what was done is written down.
    ///
    /// A controller that was asked to reconcile is not waited for: that is [`Self::reconciled`], with the request that it had
    /// handled before, which is in the answer.
    ///
    /// # Errors
    /// No context is in force, or it is not reached; of an object: it is suspended and to be reconciled, or the API server refuses.
    pub async fn order(
        &self,
        order: Order,
        (kind, objects): (Kind, &[ObjectId]),
        dry_run: bool,
    ) -> Result<Vec<(ObjectId, Result<Option<String>, Problem>)>, Problem> {
        let none = || Problem::new(Code::Config, "cluster", "no kube context is in force");
        let cluster = self.connect().await?.ok_or_else(none)?;
        let mut results = Vec::new();
        for id in objects {
            results.push((id.clone(), self.order_one(&cluster, order, (kind, id), dry_run).await));
        }
        Ok(results)
    }

    async fn order_one(
        &self,
        cluster: &Cluster,
        order: Order,
        (kind, id): (Kind, &ObjectId),
        dry_run: bool,
    ) -> Result<Option<String>, Problem> {
        let effect = if dry_run { Effect::DryRun } else { Effect::Write };
        let target = cluster.target(kind).await?;
        let (has_changed, handled) = match order {
            Order::Suspend => (cluster.suspend(&target, id, true, effect).await?, None),
            Order::Resume => (cluster.suspend(&target, id, false, effect).await?, None),
            Order::Reconcile => {
                if cluster.object(&target, id).await?.is_some_and(|object| is_suspended_object(&object)) {
                    return Err(Problem::new(Code::Usage, id.to_string(), "resource is suspended"));
                }
                let at = jiff::Timestamp::now().to_string();
                (true, Some(cluster.request(&target, id, &at, effect).await?))
            }
        };
        if dry_run || !has_changed {
            return Ok(None);
        }
        let detail = format!("{kind} {} in {}", order.done(), cluster.context);
        let note = Note { mode: Mode::Write.word(), ..Note::ok("object", id.to_string(), detail) };
        let engine = self.clone();
        blocking(move || {
            engine.note(&[note]);
            Ok(handled)
        })
        .await
    }

    /// Waits until the controller of an object has done what it was asked for when it had handled the request `handled`; what
    /// came of it.
    ///
    /// # Errors
    /// No context is in force, or it is not reached; the controller failed, or did nothing in time.
    pub async fn reconciled(
        &self,
        (kind, id): (Kind, &ObjectId),
        handled: &str,
        until: Instant,
    ) -> Result<String, Problem> {
        let none = || Problem::new(Code::Config, "cluster", "no kube context is in force");
        let cluster = self.connect().await?.ok_or_else(none)?;
        let target = cluster.target(kind).await?;
        cluster.wait_for((&target, kind, id), Some(handled), (until, self.settings.timeout.0)).await
    }
}
