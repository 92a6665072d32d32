//! What the controllers say, beside what is found here.

use super::State;
use crate::domain::controller::{Beside, Lag, Ours, Reported, beside, lag};
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::Place;

impl State {
    /// Which cluster a line of `flux` is for.
    pub fn flux_place(&self) -> &Place {
        /// Files tell nothing of a cluster.
        const SHELL: &Place = &Place { context: None, kubeconfig: None };
        self.live.as_ref().map_or(SHELL, |live| &live.place)
    }

    /// What a controller says of an object; `None` without a cluster, and of what the cluster does not have.
    pub fn reported(&self, kind: Kind, id: &ObjectId) -> Option<&Reported> {
        self.live.as_ref()?.reports.get(&(kind, id.clone()))
    }

    /// The fields in which an object's file differs from the cluster.
    pub fn drift(&self, kind: Kind, id: &ObjectId) -> Option<&[&'static str]> {
        self.live.as_ref()?.drifts.get(&(kind, id.clone())).map(Vec::as_slice)
    }

    /// How what the controller selected for a policy stands beside what is selected here.
    pub fn beside(&self, id: &ObjectId) -> Beside {
        let Some(policy) = self.inventory.policies.get(id).filter(|_| self.live.is_some()) else {
            return Beside::Unknown;
        };
        let repository = self.inventory.repositories.get(&policy.repository);
        let found = self.shown_tags(&policy.repository);
        let verdict = self.shown_verdict(id);
        let ours = Ours {
            latest: verdict.and_then(|verdict| verdict.reference.as_ref()),
            tags: verdict.map(|verdict| verdict.evaluation.counts.kept()),
            scanned: found.map(|found| found.scanned),
            is_suspended: policy.suspend || repository.is_some_and(|repository| repository.suspend),
        };
        let said_of = |kind, id| self.reported(kind, id);
        beside(ours, said_of(Kind::ImagePolicy, id), said_of(Kind::ImageRepository, &policy.repository))
    }

    /// What the controller of an object has left undone.
    pub fn lag(&self, kind: Kind, id: &ObjectId) -> Option<Lag> {
        let (inventory, reported) = (&self.inventory, self.reported(kind, id)?);
        let (interval, is_suspended) = match kind {
            Kind::ImageRepository => {
                inventory.repositories.get(id).map(|object| (Some(object.interval), object.suspend))?
            }
            Kind::ImagePolicy => inventory.policies.get(id).map(|object| (None, object.suspend))?,
            Kind::ImageUpdateAutomation => {
                inventory.automations.get(id).map(|object| (Some(object.interval), object.suspend))?
            }
            Kind::GitRepository => return None,
        };
        // Of a controller that nobody can see any more nothing is said that it may have done since.
        lag(reported, interval, is_suspended, self.lost.unwrap_or(self.now))
    }
}
