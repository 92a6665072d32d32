//! What went wrong with the last scan of each repository, kept from one process to the next as a cluster keeps it in its status.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reflect::source_of;
use super::scan::image_name;
use super::{Engine, World};
use crate::domain::object::ObjectId;
use crate::problem::{Code, Problem};
use crate::store::Failure;

impl Engine {
    /// Why the last scan of a repository failed, of those of which it did: a scan of this process or of an earlier one.
    pub fn last_failures(&self, world: &World) -> BTreeMap<ObjectId, Problem> {
        let mut kept = self.store.failures().read(&source_of(world));
        let known = world.inventory.repositories.iter().filter_map(|(id, repository)| {
            let failure = kept.remove(&id.to_string())?;
            // Of another image it tells nothing.
            let is_same = image_name(repository).is_ok_and(|name| name.canonical() == failure.canonical);
            is_same.then(|| (id.clone(), failure.problem()))
        });
        known.collect()
    }

    /// Keeps what became of scans that ended, beside the event loop; `None` for one that succeeded.
    pub(super) async fn keep_failures(
        &self,
        world: &World,
        ended: impl Iterator<Item = (&ObjectId, Option<&Problem>)>,
    ) {
        let now = super::now();
        let news: BTreeMap<String, Option<Failure>> = ended
            .filter_map(|(id, problem)| {
                let name = image_name(world.inventory.repositories.get(id)?).ok()?;
                // Whether what an object names to log in with is there is found out each time.
                let lasting = problem.filter(|problem| problem.code != Code::Authentication);
                Some((id.to_string(), lasting.map(|problem| Failure::new(name.canonical(), problem, now))))
            })
            .collect();
        let (store, source) = (Arc::clone(&self.store), source_of(world));
        // A worker that ends early leaves what was known before; the next scan tells.
        let _ = tokio::task::spawn_blocking(move || store.failures().update(&source, news, now)).await;
    }
}
