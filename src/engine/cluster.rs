//! The cluster of a world: connected once, read when something changed, and remembered while it is not reached.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::around::Aside;
use super::rights::Rights;
use super::{Engine, World};
use crate::config::{ProcessEnvironment, Refresh, Settings, SourceChoice};
use crate::domain::controller::{Beside, Ours, Reported, Reports, beside};
use crate::domain::kustomization::Kustomizations;
use crate::domain::object::{ImagePolicy, Kind, ObjectId};
use crate::domain::proposal::Reference;
use crate::domain::running::Running;
use crate::problem::{Code, Problem};
use crate::source::cluster::connect::CALL;
use crate::source::cluster::kinds::Kinds;
use crate::source::cluster::{Cluster, Fallback, Lost, Part, Snapshot, Wanted, Watch};
use crate::source::kubeconfig::{self, Places};
use crate::source::secrets::Secrets;

/// How long a cluster that nobody asked for may keep files waiting until it says which kinds it serves, and how long it may
/// take to log in to it, which plugins do over the network.
const PROBE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));

/// How long it is not asked again where files go on without it, and how long nobody tries to log in again that a login was
/// refused to.
const MISSED: Duration = Duration::from_secs(30);

/// When a kind is asked for again that could not be read for a moment.
const AGAIN: Duration = Duration::from_secs(10);

/// How long secrets serve that no other object asks for.
const SECRETS_SERVE: Duration = Duration::from_mins(5);

/// A context in use.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) cluster: Cluster,
    /// Which images run in it.
    pub(super) running: Aside<Running>,
    /// What applies files to it.
    pub(super) kustomizations: Aside<Kustomizations>,
    kinds: Mutex<Kinds>,
    watch: Mutex<Option<Watch>>,
    last: Mutex<Option<Arc<Read>>>,
    /// From when on it is to be read again, because not all could be read.
    again: Mutex<Option<Instant>>,
    /// What the operator may not do there.
    pub(super) rights: Rights,
}

/// What was read of a cluster.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) snapshot: Snapshot,
    pub(super) secrets: Arc<Secrets>,
    wanted: Wanted,
    asked: Instant,
}

/// What a world knows of its cluster.
#[derive(Debug, Clone)]
pub struct Live {
    connection: Arc<Connection>,
    pub(super) read: Arc<Read>,
    /// How many changes had been heard of before it was read.
    seen: u64,
    /// When it was read.
    pub time: Timestamp,
}

/// The cluster that each engine asks; clones share it.
pub(super) type Slot = Arc<tokio::sync::Mutex<Held>>;

/// What is known of a context.
#[derive(Debug, Default)]
pub(super) struct Held {
    connection: Option<Arc<Connection>>,
    /// When it was not reached, and why.
    missed: Option<(Instant, Problem)>,
    /// When it was last logged in to, and with which files.
    login: Option<(Instant, kubeconfig::Stamp)>,
}

impl Held {
    /// Why a cluster that files can do without is not asked now.
    fn missed(&self) -> Option<Problem> {
        let (time, problem) = self.missed.as_ref()?;
        (time.elapsed() < MISSED).then(|| problem.clone())
    }

    /// Whether it is time to log in again to a cluster that is lost: somebody has changed the kubeconfig, or a plugin may get
    /// another token by now. Notes that it is done.
    fn logs_in_again(&mut self, lost: &Lost, files: kubeconfig::Stamp) -> bool {
        let is_due = self
            .login
            .as_ref()
            .is_none_or(|(time, known)| *known != files || (lost.is_login() && time.elapsed() >= MISSED));
        if is_due {
            self.login = Some((Instant::now(), files));
        }
        is_due
    }
}

impl Live {
    /// The cluster, for who asks more of it.
    pub fn cluster(&self) -> &Cluster {
        &self.connection.cluster
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Which kinds it serves.
    pub fn kinds(&self) -> Kinds {
        self.connection.kinds().clone()
    }

    /// Since when it is not reached, and why; `None` while it is, and where nobody watches.
    pub fn lost(&self) -> Option<Lost> {
        self.connection.watch().as_ref().and_then(Watch::lost)
    }

    /// Whether there is something to be heard of it: a change, or that it is not reached. From the first question on, the
    /// cluster is watched; inside a runtime.
    pub fn has_news(&self) -> bool {
        self.has_changed() || self.lost().is_some()
    }

    /// Whether something changed since it was read, and can be read.
    pub fn has_changed(&self) -> bool {
        let mut watch = self.connection.watch();
        let connection = &self.connection;
        let watch = watch.get_or_insert_with(|| {
            Watch::start(&connection.cluster, &connection.kinds(), &self.read.snapshot)
        });
        let again = *connection.again.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether reading works again is known by reading alone.
        again.is_some_and(|time| time <= Instant::now())
            || (watch.changes(Part::Objects) != self.seen && watch.lost().is_none())
    }

    /// Whether this is no more than what `other` knows, because nothing could be read since.
    pub(super) fn is_of_same_read(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.read, &other.read)
    }
}

impl Connection {
    fn new(cluster: Cluster, last: Option<Arc<Read>>) -> Self {
        let (running, kustomizations, kinds, watch, again, rights) = Default::default();
        Self { cluster, running, kustomizations, kinds, watch, last: Mutex::new(last), again, rights }
    }

    fn kinds(&self) -> std::sync::MutexGuard<'_, Kinds> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch(&self) -> std::sync::MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> Option<Arc<Read>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read_again(&self, after: Option<Duration>) {
        let time = after.map(|pause| Instant::now() + pause);
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// Reads everything; while the server is not reached, what was read last stays.
    async fn read(self: &Arc<Self>, place: &Fallback, probe: Duration) -> Result<Live, Problem> {
        let seen = self.watch().as_ref().map_or(0, |watch| watch.changes(Part::Objects));
        let last = self.last();
        let live = |read: Arc<Read>| Live { connection: Arc::clone(self), read, seen, time: super::now() };
        match self.read_now((place, probe), last.as_deref()).await {
            Ok((read, is_partial)) => {
                let read = Arc::new(read);
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&read));
                self.read_again(is_partial.then_some(AGAIN));
                self.follow_on(&read.snapshot);
                Ok(live(read))
            }
            Err(problem) if problem.code == Code::ClusterForbidden => Err(problem),
            Err(problem) => {
                let Some(last) = last else { return Err(problem) };
                if let Some(watch) = &*self.watch() {
                    watch.note_read(Some(problem));
                }
                self.read_again(Some(AGAIN));
                Ok(live(last))
            }
        }
    }

    /// Has watched, where anything is, what was read now.
    fn follow_on(&self, snapshot: &Snapshot) {
        let mut watch = self.watch();
        *watch = watch.take().map(|watch| watch.renewed(&self.cluster, &self.kinds(), snapshot));
        if let Some(watch) = &*watch {
            watch.note_read(None);
        }
    }

    /// Everything, and whether a part of it could not be read for a moment. `probe` bounds the calls that show whether the server
    /// is there at all.
    async fn read_now(
        &self,
        (place, probe): (&Fallback, Duration),
        last: Option<&Read>,
    ) -> Result<(Read, bool), Problem> {
        // A kind may have come since, or a version gone.
        let kinds = self.cluster.within(probe).kinds().await?;
        self.kinds().clone_from(&kinds);
        let mut snapshot = self.cluster.read(&kinds, place).await?;
        let is_partial = last.is_some_and(|last| snapshot.keep(&last.snapshot));
        let wanted = Wanted::of(&snapshot.inventory);
        let known = last.filter(|last| last.wanted == wanted && last.asked.elapsed() < SECRETS_SERVE);
        let (secrets, asked) = match known {
            Some(last) => (Arc::clone(&last.secrets), last.asked),
            None => (Arc::new(self.cluster.secrets(&wanted).await), Instant::now()),
        };
        Ok((Read { snapshot, secrets, wanted, asked }, is_partial))
    }
}

impl World {
    /// What the screen shows of the cluster.
    pub fn reports(&self) -> Option<Arc<Reports>> {
        self.live.as_ref().map(|live| Arc::clone(&live.read.snapshot.reports))
    }

    /// What a controller says of an object; `None` without a cluster, and of what the cluster does not have.
    pub fn reported(&self, kind: Kind, id: &ObjectId) -> Option<&Reported> {
        self.live.as_ref()?.read.snapshot.reports.get(&(kind, id.clone()))
    }

    /// Whether the controller selects another tag for a policy than this one.
    pub fn selects_another(&self, policy: &ImagePolicy, latest: Option<&str>) -> bool {
        let reported = self.reported(Kind::ImagePolicy, &policy.meta.id);
        let theirs = reported.and_then(|reported| reported.latest.as_ref());
        matches!((theirs, latest), (Some(theirs), Some(latest)) if theirs.tag != latest)
    }

    /// How what the controller selected stands beside what we did, from so many tags of `scanned`.
    pub fn beside(
        &self,
        policy: &ImagePolicy,
        latest: Option<&Reference>,
        (scanned, tags): (Option<Timestamp>, Option<usize>),
    ) -> Beside {
        let repository = self.inventory.repositories.get(&policy.repository);
        let is_suspended = policy.suspend || repository.is_some_and(|repository| repository.suspend);
        beside(
            Ours { latest, scanned, tags, is_suspended },
            self.reported(Kind::ImagePolicy, &policy.meta.id),
            self.reported(Kind::ImageRepository, &policy.repository),
        )
    }
}

impl Engine {
    /// The same engine on another kube context, with what the configuration says for it. Where that is not reached and files
    /// are, these go on.
    ///
    /// # Errors
    /// What the configuration says for it makes no sense, or names a CA that cannot be read.
    pub fn with_context(&self, context: &str) -> Result<Self, Problem> {
        let settings = self.settings.in_context(context, &ProcessEnvironment)?;
        // Whoever goes over to a cluster wants to see it, even if files alone were asked for before.
        let source = match settings.source {
            SourceChoice::Files => SourceChoice::Auto,
            other => other,
        };
        let settings = Settings { source, ..settings };
        let is_other = settings.section != self.settings.section;
        let (registry, forges) = if is_other {
            (Arc::new(super::scan::client(&settings)?), Arc::new(super::requests::forges(&settings)?))
        } else {
            (Arc::clone(&self.registry), Arc::clone(&self.forges))
        };
        Ok(Self {
            settings: Arc::new(settings),
            registry,
            forges,
            cluster: Slot::default(),
            is_switched: true,
            ..self.clone()
        })
    }

    /// The kube contexts there are; none where the kubeconfig cannot be read, which is said where it is used.
    pub fn contexts(&self) -> Vec<String> {
        kubeconfig::names(&self.kube_places()).unwrap_or_default()
    }

    /// Where kubeconfigs are looked for.
    pub fn kube_places(&self) -> Places {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Places {
            flag: self.settings.kubeconfig.clone(),
            variable: variable("KUBECONFIG"),
            home: variable("HOME").map(PathBuf::from),
        }
    }

    /// The cluster of the context in force, connected and not asked anything yet; `None`: no context is in force.
    ///
    /// # Errors
    /// As [`Cluster::connect`].
    pub async fn connect(&self) -> Result<Option<Cluster>, Problem> {
        Ok(self.connection(CALL).await?.map(|connection| connection.cluster.clone()))
    }

    async fn connection(&self, login: Duration) -> Result<Option<Arc<Connection>>, Problem> {
        let mut slot = self.cluster.lock().await;
        if slot.connection.is_none() {
            let limit = self.call_limit();
            let context = self.settings.context.as_deref();
            let places = self.kube_places();
            slot.login = Some((Instant::now(), kubeconfig::Stamp::of(&places)));
            let made = Cluster::connect(&places, context, login.min(limit)).await?;
            slot.connection = made.map(|cluster| Arc::new(Connection::new(cluster.within(limit), None)));
        }
        Ok(slot.connection.clone())
    }

    /// Whether there is something to be read of the cluster: a change, or that a lost one is reached with another login, or that
    /// one answers which files went on without.
    pub(super) async fn cluster_has_news(&self, world: &World) -> bool {
        match &world.live {
            Some(live) if live.has_changed() => true,
            Some(live) => match live.lost() {
                Some(lost) => self.logs_in_again(live, &lost).await,
                None => false,
            },
            None => world.left_out.is_some() && self.answers_again().await,
        }
    }

    /// Connects anew to a cluster that is lost, if that is due and may help; what was read of it stays known.
    async fn logs_in_again(&self, live: &Live, lost: &Lost) -> bool {
        let places = self.kube_places();
        let files = kubeconfig::Stamp::of(&places);
        if !self.cluster.lock().await.logs_in_again(lost, files) {
            return false;
        }
        let limit = self.call_limit();
        let made = Cluster::connect(&places, self.settings.context.as_deref(), limit).await;
        let answers = match made {
            Ok(Some(cluster)) => cluster.within(limit).kinds().await.map(|_| cluster),
            // The context is gone: what was read stays, and so does why it is lost.
            Ok(None) => return false,
            Err(problem) => Err(problem),
        };
        match answers {
            Ok(cluster) => {
                let connection = Connection::new(cluster.within(limit), live.connection.last());
                self.cluster.lock().await.connection = Some(Arc::new(connection));
                true
            }
            Err(problem) => {
                if let Some(watch) = &*live.connection.watch() {
                    watch.note_read(Some(problem));
                }
                false
            }
        }
    }

    /// Whether a cluster that files go on without answers by now; asked now and then.
    async fn answers_again(&self) -> bool {
        if self.cluster.lock().await.missed().is_some() {
            return false;
        }
        let asked = async {
            let connection = self.connection(PROBE.1).await?;
            match connection {
                Some(connection) => connection.cluster.within(PROBE.0).kinds().await.map(|_| true),
                None => Ok(false),
            }
        };
        let answer = asked.await;
        let mut held = self.cluster.lock().await;
        held.missed = answer.as_ref().err().map(|problem| (Instant::now(), problem.clone()));
        if answer.is_err() {
            // The next attempt reads the kubeconfig again.
            held.connection = None;
        }
        answer.unwrap_or(false)
    }

    /// The namespace that alone is read where all may not be.
    pub(super) fn namespace_alone(&self, cluster: &Cluster) -> String {
        let named = self.settings.namespace.clone().or_else(|| cluster.namespace.clone());
        named.unwrap_or_else(|| self.settings.default_namespace.clone())
    }

    /// Where objects are read that may not be listed everywhere: in the namespace that was chosen, else in the context's and in
    /// that which lists are of by themselves.
    fn fallback(&self, cluster: &Cluster) -> Fallback {
        let settings = &self.settings;
        if let Some(chosen) = &settings.namespace {
            return Fallback::Chosen(chosen.clone());
        }
        let likely = [self.namespace_alone(cluster), settings.default_namespace.clone()];
        Fallback::Likely(likely.into())
    }

    /// Has a cluster that was given up for a while asked at the next load.
    pub async fn ask_cluster_again(&self) {
        self.cluster.lock().await.missed = None;
    }

    fn call_limit(&self) -> Duration {
        self.settings.timeout.0.min(CALL)
    }

    /// What the cluster holds now; `None`: no cluster is a source here. Where there are `files` that can do without it, they are
    /// not kept waiting: it has a short time to answer, and one that did not is not asked again for a while.
    ///
    /// # Errors
    /// The cluster was not reached or refuses, or was asked for and there is none.
    pub(super) async fn live(&self, files: bool) -> Result<Option<Live>, Problem> {
        if !(files && self.may_do_without_cluster()) {
            return self.live_within(CALL, self.call_limit()).await;
        }
        if let Some(problem) = self.cluster.lock().await.missed() {
            return Err(problem);
        }
        // Whoever went over to a context waits for it; one that is found by chance has to be quick.
        let (probe, login) = if self.is_switched { (CALL, CALL) } else { PROBE };
        let live = self.live_within(login, probe.min(self.call_limit())).await;
        let missed = live.as_ref().err().filter(|problem| problem.code != Code::ClusterForbidden);
        self.cluster.lock().await.missed = missed.map(|problem| (Instant::now(), problem.clone()));
        live
    }

    async fn live_within(&self, login: Duration, probe: Duration) -> Result<Option<Live>, Problem> {
        let choice = self.settings.source;
        let is_asked = matches!(choice, SourceChoice::Cluster | SourceChoice::Both);
        if choice == SourceChoice::Files {
            return Ok(None);
        }
        if self.settings.refresh == Refresh::Never {
            let message = "a cluster is asked, and --refresh never forbids that";
            let refused = Problem::new(Code::Usage, "--source", message).hint("Use --source files.");
            return if is_asked { Err(refused) } else { Ok(None) };
        }
        let Some(connection) = self.connection(login).await? else {
            let none = Problem::new(Code::Config, "--source", "no kube context is in force")
                .hint("Choose one with `kubectl config use-context`, or give --context or --kubeconfig.");
            return if is_asked { Err(none) } else { Ok(None) };
        };
        let read = connection.read(&self.fallback(&connection.cluster), probe).await;
        if read.as_ref().is_err_and(|problem| problem.code == Code::ClusterUnauthorized) {
            // The next attempt logs in again.
            self.cluster.lock().await.connection = None;
        }
        read.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_was_missed_is_left_alone_for_a_while_and_then_asked_again() {
        let problem = Problem::new(Code::Timeout, "staging", "no answer");
        let missed = |before: Duration| Held {
            connection: None,
            login: None,
            missed: Instant::now().checked_sub(before).map(|time| (time, problem.clone())),
        };
        assert!(Held::default().missed().is_none());
        assert_eq!(missed(Duration::from_secs(1)).missed(), Some(problem.clone()));
        assert_eq!(missed(MISSED).missed(), None);
    }
}
