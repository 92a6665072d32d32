//! Policies that are to be evaluated: those that come in while others are at work are evaluated together.
//!
//! Each round of evaluation reads and writes what is remembered of all policies, and has threads of its own while it waits for the
//! disk. A thousand repositories that answer at once would make a thousand rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::app::effect::Reach;
use crate::domain::object::ObjectId;

/// Rounds at once.
const ROUNDS: usize = 4;

/// Who waits, and whose turn it is.
#[derive(Debug)]
pub(super) struct Turns {
    waiting: Mutex<BTreeMap<Reach, BTreeSet<ObjectId>>>,
    rounds: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { waiting: Mutex::default(), rounds: Semaphore::new(ROUNDS) }
    }
}

impl Turns {
    /// Waits for a turn. Whoever gets it has all that wait by then for the same reach, which may be nobody.
    pub(super) async fn take(
        &self,
        policies: Vec<ObjectId>,
        reach: Reach,
    ) -> (Option<SemaphorePermit<'_>>, BTreeSet<ObjectId>) {
        self.waiting().entry(reach).or_default().extend(policies);
        // Nobody closes it.
        let turn = self.rounds.acquire().await.ok();
        let all = self.waiting().remove(&reach).unwrap_or_default();
        (turn, all)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<Reach, BTreeSet<ObjectId>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_comes_while_others_are_at_work_is_evaluated_together() {
        let turns = Turns::default();
        let one = |name: &str| turns.take(vec![ObjectId::new("shop", name)], Reach::Recent);
        let mut at_work = Vec::new();
        for name in ["a", "b", "c", "d"] {
            at_work.push(one(name).await);
        }
        assert!(at_work.iter().all(|(_, policies)| policies.len() == 1));
        let (mut web, mut api) = (Box::pin(one("web")), Box::pin(one("api")));
        assert!(web.as_mut().now_or_never().is_none() && api.as_mut().now_or_never().is_none());
        at_work.pop();
        let (turn, together) = web.await;
        assert_eq!(together.len(), 2);
        drop(turn);
        assert!(api.await.1.is_empty());
    }
}
