//! What stands around the objects of a cluster: which images run, and what applies files. Read when somebody asks, kept, and
//! read again once the cluster's watches told of changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cluster::Connection;
use super::{Engine, Live, World};
use crate::domain::kustomization::Kustomizations;
use crate::domain::plan::{Plan, Warning};
use crate::domain::running::Running;
use crate::problem::Problem;
use crate::source::cluster::{Part, Places, passes};

/// How long changes are gathered: a rollout is many, and a list of all workloads is long.
const GATHER: Duration = Duration::from_secs(10);

/// When it is asked again for what was not answered.
const AGAIN: Duration = Duration::from_mins(1);

/// What says itself why it is not whole.
pub(super) trait Partly: PartialEq {
    fn unread(&self) -> &[Problem];
}

impl Partly for Running {
    fn unread(&self) -> &[Problem] {
        &self.unread
    }
}

impl Partly for Kustomizations {
    fn unread(&self) -> &[Problem] {
        &self.unread
    }
}

/// Something beside the objects, as it was read last.
#[derive(Debug)]
pub(super) struct Aside<T>(Mutex<Option<Known<T>>>);

#[derive(Debug)]
struct Known<T> {
    value: Arc<T>,
    /// Where watches go on.
    places: Arc<Places>,
    read: Instant,
    /// How many changes had been heard of before.
    seen: u64,
}

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Partly> Aside<T> {
    fn held(&self) -> std::sync::MutexGuard<'_, Option<Known<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latest(&self) -> Option<Arc<T>> {
        self.held().as_ref().map(|known| Arc::clone(&known.value))
    }

    /// What needs no reading now, and where it is watched.
    fn current(&self, changes: u64) -> Option<(Arc<T>, Arc<Places>)> {
        let held = self.held();
        let known = held.as_ref()?;
        let age = known.read.elapsed();
        let is_due =
            (changes != known.seen && age >= GATHER) || (!known.value.unread().is_empty() && age >= AGAIN);
        (!is_due).then(|| (Arc::clone(&known.value), Arc::clone(&known.places)))
    }

    /// Keeps what was read. What could not be read for a moment takes nothing away, and what is the same is no news.
    fn keep(&self, (value, places): (T, Places), seen: u64) -> (Arc<T>, Arc<Places>) {
        let mut held = self.held();
        let is_cut_off = value.unread().iter().any(passes);
        let last = held.take().filter(|last| is_cut_off || *last.value == value);
        let (value, places) = match last {
            Some(last) => (last.value, last.places),
            None => (Arc::new(value), Arc::new(places)),
        };
        *held = Some(Known {
            value: Arc::clone(&value),
            places: Arc::clone(&places),
            read: Instant::now(),
            seen,
        });
        (value, places)
    }
}

impl Connection {
    async fn aside<T: Partly>(
        &self,
        part: Part,
        aside: &Aside<T>,
        asked: impl Future<Output = (T, Places)>,
    ) -> Arc<T> {
        let changes = self.watch().as_ref().map_or(0, |watch| watch.changes(part));
        let (value, places) = match aside.current(changes) {
            Some(known) => known,
            None => aside.keep(asked.await, changes),
        };
        if let Some(watch) = self.watch().as_mut() {
            watch.follow(part, &self.cluster, &places);
        }
        value
    }
}

impl Engine {
    /// Which images run in the cluster; the same value until something changes.
    pub async fn running(&self, live: &Live) -> Arc<Running> {
        let connection = live.connection();
        let namespace = self.namespace_alone(&connection.cluster);
        let asked = connection.cluster.running((&namespace, self.settings.namespace.is_some()));
        connection.aside(Part::Workloads, &connection.running, asked).await
    }

    /// What applies files to the cluster; the same value until something changes.
    pub async fn kustomizations(&self, live: &Live) -> Arc<Kustomizations> {
        let connection = live.connection();
        let (namespace, kinds) = (self.namespace_alone(&connection.cluster), live.kinds());
        let place = (namespace.as_str(), self.settings.namespace.is_some());
        let asked = connection.cluster.kustomizations(&kinds, place);
        connection.aside(Part::Kustomizations, &connection.kustomizations, asked).await
    }
}

/// Says of each group whose files something keeps from the cluster what that is, as far as it was asked for.
pub(super) fn warn_of_obstacles(world: &World, plan: &mut Plan) {
    let Some(known) = world.live.as_ref().and_then(|live| live.connection().kustomizations.latest()) else {
        return;
    };
    for group in &mut plan.groups {
        let files = group.files.iter().map(|file| file.path.as_str());
        let found = known.in_the_way(&world.inventory, &group.automation, files);
        group
            .warnings
            .extend(found.into_iter().map(|obstacle| Warning::new(obstacle.code, obstacle.message)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::ObjectId;
    use crate::domain::running::Workload;
    use crate::problem::Code;

    fn running(image: &str, unread: Option<Code>) -> Running {
        let mut running = Running::default();
        running.add(image, &Workload { kind: "Deployment", id: ObjectId::new("shop", "web") });
        running.unread.extend(unread.map(|code| Problem::new(code, "prod", "list deployments")));
        running
    }

    #[test]
    fn what_is_the_same_is_no_news_and_an_answer_that_failed_for_a_moment_takes_nothing_away() {
        let aside = Aside::<Running>::default();
        assert!(aside.current(0).is_none());
        let (first, _) = aside.keep((running("web:1", None), Places::new()), 0);
        assert!(Arc::ptr_eq(&aside.current(0).unwrap().0, &first));
        let (same, _) = aside.keep((running("web:1", None), Places::new()), 1);
        assert!(Arc::ptr_eq(&same, &first));
        let (cut_off, _) = aside.keep((running("other:1", Some(Code::Unreachable)), Places::new()), 2);
        assert!(Arc::ptr_eq(&cut_off, &first));
        let (denied, _) = aside.keep((running("web:1", Some(Code::ClusterForbidden)), Places::new()), 3);
        assert_eq!(denied.unread.len(), 1);
    }

    #[test]
    fn changes_are_gathered_before_all_is_read_again() {
        let aside = Aside::<Running>::default();
        aside.keep((running("web:1", None), Places::new()), 0);
        assert!(aside.current(7).is_some(), "a moment later it is not read again");
        aside.held().as_mut().unwrap().read = Instant::now().checked_sub(GATHER).unwrap();
        assert!(aside.current(7).is_none() && aside.current(0).is_some());
    }
}
