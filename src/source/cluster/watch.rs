//! Hearing that something changed in a cluster: a watch for each kind, which is taken up again where it ended.
//!
//! A watch says no more than that it is time to read again: whoever reads, reads everything, so that any number of events
//! between two looks are one. While a server is gone, that is known with the time since when. Kinds and versions that are served
//! are asked for now and then: a watch of a version that went away would be of nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use jiff::Timestamp;
use kube::api::{Api, DynamicObject, ListParams, ObjectMeta, WatchEvent, WatchParams};
use tokio::task::JoinSet;

use super::kinds::{Kinds, resource_of};
use super::read::GONE;
use super::{Act, Cluster, Snapshot};
use crate::domain::inventory::Area;
use crate::problem::{Code, Problem};

/// How long the server is asked to keep a watch open, in seconds. It ends a watch of itself then; that is no loss.
const KEPT: u32 = 240;
/// After how much silence beyond that a connection counts as dead.
const SILENCE: Duration = Duration::from_mins(5);
/// The first pause before a lost server is asked again, and the longest; each is twice the one before.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a watch lasts that may be taken up again at once.
const LASTED: Duration = Duration::from_secs(5);
/// The server's answer to who may not.
const FORBIDDEN: u16 = 403;
/// The server's answer where the kind is gone.
const NOT_FOUND: u16 = 404;
/// How often objects are read again that may be listed and not watched, and how often it is asked which kinds are served.
const POLL: Duration = Duration::from_secs(30);

/// Watches of all kinds; they end with it.
#[derive(Debug)]
pub struct Watch {
    heard: Arc<Heard>,
    places: Places,
    /// The parts beside the objects that are watched by now.
    aside: Vec<Part>,
    tasks: JoinSet<()>,
}

/// What is watched: which kinds in which versions, and where.
type Places = (Kinds, BTreeSet<Area>);

fn places(kinds: &Kinds, snapshot: &Snapshot) -> Places {
    (kinds.clone(), snapshot.moments.keys().cloned().collect())
}

/// What is watched apart from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The image objects and what they refer to.
    Objects,
    /// What applies files.
    Kustomizations,
    /// What runs images.
    Workloads,
}

#[derive(Debug, Default)]
struct Heard {
    /// How many there were, by [`Part`].
    changes: [AtomicU64; 3],
    /// By what the watch that was lost is of; `None`: reading was.
    lost: Mutex<BTreeMap<Option<Area>, Lost>>,
}

/// A cluster that is not reached at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Since when.
    pub since: Timestamp,
    /// Why; the newest reason.
    pub problem: Problem,
}

impl Lost {
    /// Whether another login might help.
    pub fn is_login(&self) -> bool {
        matches!(self.problem.code, Code::ClusterUnauthorized | Code::Config)
    }
}

impl Watch {
    /// Watches the kinds that a snapshot was read of, from that moment on. Must run inside a runtime.
    pub fn start(cluster: &Cluster, kinds: &Kinds, snapshot: &Snapshot) -> Self {
        Self::start_at(Default::default(), cluster, kinds, snapshot)
    }

    /// What watches what was read now: this one, or one that begins anew because other kinds are served, in other versions, or
    /// other namespaces may be read. It counts changes on from where this one is.
    #[must_use]
    pub fn renewed(self, cluster: &Cluster, kinds: &Kinds, snapshot: &Snapshot) -> Self {
        if self.places == places(kinds, snapshot) {
            return self;
        }
        let changes = Part::ALL.map(|part| self.changes(part).into());
        Self::start_at(changes, cluster, kinds, snapshot)
    }

    fn start_at(changes: [AtomicU64; 3], cluster: &Cluster, kinds: &Kinds, snapshot: &Snapshot) -> Self {
        let heard = Arc::new(Heard { changes, ..Heard::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn(watch_kinds(cluster.clone(), kinds.clone(), Arc::clone(&heard)));
        for (area, moment) in &snapshot.moments {
            let (kind, namespace) = (area.0, area.1.as_deref());
            let Some(resource) = kinds.api(kind) else { continue };
            let follower = Follower {
                cluster: cluster.clone(),
                part: Part::Objects,
                area: Some(area.clone()),
                act: Act::new("watch", resource_of(kind).plural, namespace),
                api: cluster.api_of(&resource, namespace),
                heard: Arc::clone(&heard),
            };
            tasks.spawn(follower.follow(moment.clone()));
        }
        Self { heard, places: places(kinds, snapshot), aside: Vec::new(), tasks }
    }

    /// Watches another part, from where it was read; what is watched already goes on. Must run inside a runtime.
    pub fn follow(&mut self, part: Part, cluster: &Cluster, places: &super::Places) {
        if self.aside.contains(&part) {
            return;
        }
        self.aside.push(part);
        for (resource, moment) in places {
            let namespace = moment.only.as_deref();
            let follower = Follower {
                cluster: cluster.clone(),
                part,
                area: None,
                act: Act::new("watch", &resource.plural, namespace),
                api: cluster.api_of(resource, namespace),
                heard: Arc::clone(&self.heard),
            };
            self.tasks.spawn(follower.follow(moment.version.clone()));
        }
    }

    /// How many changes of a part were heard of so far.
    pub fn changes(&self, part: Part) -> u64 {
        self.heard.changes[part as usize].load(Ordering::Relaxed)
    }

    /// Since when the cluster is not reached, and why; `None` while it is. That a login is needed says more than that
    /// something failed.
    pub fn lost(&self) -> Option<Lost> {
        let lost = self.heard.lost();
        let first = lost.values().min_by_key(|lost| lost.since)?;
        let telling = lost.values().find(|lost| lost.is_login()).unwrap_or(first);
        Some(Lost { since: first.since, problem: telling.problem.clone() })
    }

    /// Notes why nothing could be read, or with `None` that it could.
    pub fn note_read(&self, failed: Option<Problem>) {
        match failed {
            Some(problem) => self.heard.lose(None, problem),
            None => self.heard.find(None),
        }
    }
}

/// Tells of a change as soon as other kinds are served than these, or in other versions. That nobody answers is told by those
/// who watch a kind.
async fn watch_kinds(cluster: Cluster, kinds: Kinds, heard: Arc<Heard>) {
    loop {
        tokio::time::sleep(POLL).await;
        if cluster.kinds().await.is_ok_and(|now| now != kinds) {
            heard.change(Part::Objects);
        }
    }
}

impl Part {
    const ALL: [Self; 3] = [Self::Objects, Self::Kustomizations, Self::Workloads];
}

impl Heard {
    fn lost(&self) -> std::sync::MutexGuard<'_, BTreeMap<Option<Area>, Lost>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, part: Part) {
        self.changes[part as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn lose(&self, area: Option<Area>, problem: Problem) {
        let mut all = self.lost();
        let lost =
            all.entry(area).or_insert_with(|| Lost { since: Timestamp::now(), problem: problem.clone() });
        // The same in other words is no news.
        if lost.problem.code != problem.code {
            lost.problem = problem;
        }
    }

    fn find(&self, area: Option<&Area>) {
        self.lost().remove(&area.cloned());
    }
}

/// How long to wait after a watch that lasted so long; `pause` is the wait after the next one that ends too soon.
fn wait_after(lasted: Duration, pause: &mut Duration) -> Duration {
    if lasted >= LASTED {
        *pause = PAUSES.0;
        return Duration::ZERO;
    }
    let wait = *pause;
    *pause = (wait * 2).min(PAUSES.1);
    wait
}

/// Follows one list.
struct Follower {
    cluster: Cluster,
    part: Part,
    /// What it is of; `None`: what is told of it can be done without, and so can its loss.
    area: Option<Area>,
    act: Act,
    api: Api<DynamicObject>,
    heard: Arc<Heard>,
}

/// The generation of each object's spec, by the object's uid: the status of a workload changes all the time, and what it
/// runs does not.
#[derive(Default)]
struct Specs(HashMap<String, i64>);

impl Specs {
    /// Whether an object came or went, or its spec is another.
    fn note(&mut self, object: &ObjectMeta, is_there: bool) -> bool {
        let (Some(uid), Some(generation)) = (&object.uid, object.generation) else { return true };
        if !is_there {
            self.0.remove(uid);
            return true;
        }
        self.0.insert(uid.clone(), generation) != Some(generation)
    }
}

/// Why a watch ended.
enum End {
    /// As the server does every few minutes.
    Over,
    /// The server no longer knows the moment.
    Forgotten,
    /// It may be listed and not watched.
    Refused,
    /// It is not there any more, or not in this version.
    Gone,
    Lost(Problem),
}

impl Follower {
    /// Goes on until it is dropped.
    async fn follow(self, mut moment: String) {
        let mut pause = PAUSES.0;
        let mut told: Option<Instant> = None;
        let mut specs = Specs::default();
        loop {
            let begun = Instant::now();
            let end = self.hear(&mut moment, &mut specs).await;
            let mut lasted = begun.elapsed();
            match end {
                End::Over => {}
                End::Forgotten => {
                    if let Some(now) = self.now().await {
                        moment = now;
                        // A server that goes on forgetting is as one that may not be watched.
                        if told.is_none_or(|told| told.elapsed() >= POLL) {
                            told = Some(Instant::now());
                            self.heard.change(self.part);
                        }
                    }
                }
                End::Gone if told.is_none() => {
                    told = Some(Instant::now());
                    self.heard.change(self.part);
                }
                End::Refused | End::Gone => {
                    tokio::time::sleep(POLL).await;
                    self.heard.change(self.part);
                    continue;
                }
                End::Lost(problem) => {
                    self.lose(problem);
                    // The time may have gone by in waiting for an answer.
                    lasted = Duration::ZERO;
                }
            }
            tokio::time::sleep(wait_after(lasted, &mut pause)).await;
        }
    }

    /// One watch from `moment` on, which follows what is heard.
    async fn hear(&self, moment: &mut String, specs: &mut Specs) -> End {
        let params = WatchParams::default().timeout(KEPT);
        let stream = match self.cluster.ask(&self.act, self.api.watch_metadata(&params, moment)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return self.end_of(&error),
            Err(problem) => return End::Lost(problem),
        };
        if let Some(area) = &self.area {
            self.heard.find(Some(area));
        }
        let mut stream = std::pin::pin!(stream);
        loop {
            let event = match tokio::time::timeout(SILENCE, stream.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => return self.end_of(&error),
                Ok(None) => return End::Over,
                Err(_late) => return End::Lost(self.act.too_slow(&self.cluster.context, SILENCE)),
            };
            let (object, is_there) = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, true),
                WatchEvent::Deleted(object) => (object, false),
                WatchEvent::Bookmark(bookmark) => {
                    *moment = bookmark.metadata.resource_version;
                    continue;
                }
                WatchEvent::Error(status) => return self.end_of(&kube::Error::Api(status)),
            };
            let is_news = self.part != Part::Workloads || specs.note(&object.metadata, is_there);
            if let Some(version) = object.metadata.resource_version {
                *moment = version;
            }
            if is_news {
                self.heard.change(self.part);
            }
        }
    }

    fn lose(&self, problem: Problem) {
        if self.area.is_some() {
            self.heard.lose(self.area.clone(), problem);
        }
    }

    fn end_of(&self, error: &kube::Error) -> End {
        match error {
            kube::Error::Api(status) if status.code == GONE => End::Forgotten,
            // A line that was cut: the next attempt shows whether the server is gone.
            kube::Error::ReadEvents(_) => End::Over,
            kube::Error::Api(status) if status.code == FORBIDDEN => End::Refused,
            kube::Error::Api(status) if status.code == NOT_FOUND => End::Gone,
            _ => End::Lost(self.act.problem(&self.cluster.context, error)),
        }
    }

    /// The moment of now.
    async fn now(&self) -> Option<String> {
        let params = ListParams::default().limit(1);
        let list = self.cluster.call(&self.act, self.api.list_metadata(&params)).await;
        match list {
            Ok(list) => list.metadata.resource_version,
            Err(problem) => {
                self.lose(problem);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::Kind;

    #[test]
    fn the_reason_of_a_loss_is_the_newest_one_and_a_login_goes_before() {
        let heard = Heard::default();
        let all = |kind| Some((kind, None));
        let problem = |code, said: &str| Problem::new(code, "prod", said);
        heard.lose(all(Kind::ImagePolicy), problem(Code::Unreachable, "connection closed"));
        heard.lose(all(Kind::ImageRepository), problem(Code::Unreachable, "connection refused"));
        let (aside, tasks) = (Vec::new(), JoinSet::new());
        let watch = Watch { heard: Arc::new(heard), places: Places::default(), aside, tasks };
        let lost = watch.lost().unwrap();
        assert_eq!((lost.problem.message.as_str(), lost.is_login()), ("connection closed", false));
        watch.heard.lose(all(Kind::ImageRepository), problem(Code::ClusterUnauthorized, "expired"));
        let now = watch.lost().unwrap();
        assert_eq!((now.since, now.problem.message.as_str(), now.is_login()), (lost.since, "expired", true));
        watch.heard.find(all(Kind::ImageRepository).as_ref());
        watch.heard.find(all(Kind::ImagePolicy).as_ref());
        assert_eq!(watch.lost(), None);
    }

    #[test]
    fn of_a_workload_only_another_spec_is_news() {
        let mut specs = Specs::default();
        let mut note = |generation, is_there| {
            let uid = Some("u".to_owned());
            specs.note(&ObjectMeta { uid, generation: Some(generation), ..ObjectMeta::default() }, is_there)
        };
        let news =
            [note(1, true), note(1, true), note(2, true), note(2, true), note(2, false), note(2, true)];
        assert_eq!(news, [true, false, true, false, true, true]);
    }

    #[test]
    fn a_watch_that_ends_at_once_is_asked_again_ever_more_seldom_until_one_lasts() {
        let mut pause = PAUSES.0;
        let mut after = |seconds| wait_after(Duration::from_secs(seconds), &mut pause).as_secs();
        let waits: Vec<u64> = [0, 0, 4, 0, 0, 0, 0, 240, 0].into_iter().map(&mut after).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 0, 1]);
    }
}
