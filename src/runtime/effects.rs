//! Carries out effects: the one owner of every task.
//!
//! | effect | when superseded | on quit |
//! |---|---|---|
//! | load, scan, evaluate, try, find, describe, glance, compare, look through files, prepare, look at a merge, revert, roll back | cancelled; a late answer is known by its number | cancelled |
//! | push, merge | stopped by a person until commits are sent, else runs to its end | waited for; a second quit leaves |
//! | order to a cluster | runs to its end | waited for; a second quit leaves |
//! | waiting for a controller | goes on | cancelled |
//! | decisions, drafts, log | written in order | waited for |

mod attempt;
mod cluster;
mod evaluate;
mod find;
mod landed;
mod load;
mod log;
mod look;
mod order;
mod propose;
mod push;
mod saved;
mod scan;
mod turns;
mod unmarked;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::turns::Turns;
use super::clock;
use super::journal::{self, Journal};
use super::mailbox::{Letter, Mailbox};
use crate::app::configured::Configured;
use crate::app::effect::{Effect, JobId};
use crate::app::message::Msg;
use crate::config::Refresh;
use crate::domain::lint::Tree;
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;
use crate::domain::request::RequestWish;
use crate::domain::scan::Scan;
use crate::engine::{DryRun, Engine, Landing, MergeRequest, Question, Selections, World};
use crate::problem::{Code, Problem};

/// What the engine's calls build on, newest of each.
#[derive(Default)]
struct Held {
    world: Option<Arc<World>>,
    scans: BTreeMap<ObjectId, Scan>,
    /// Why the last scan of a repository failed.
    failed: BTreeMap<ObjectId, Problem>,
    selections: Selections,
    grounds: Arc<Vec<Ground>>,
    /// All files of their repositories, as they were when they were last looked through.
    trees: Arc<Vec<Tree>>,
    mode: &'static str,
    /// When holds were looked at for the plan that was made last.
    holds_seen: Timestamp,
    /// The load that was begun last; what an earlier one brings is of no use any more.
    newest: JobId,
    /// What a look at the source has read, and when: the load that follows it does not read the same again.
    fresh: Option<(Instant, Arc<World>)>,
}

/// How long what a look at the source has read serves the load that follows.
const FRESH: Duration = Duration::from_secs(5);

impl Held {
    /// Begins anew with another context: nothing that concerns the one before is used or told from now on.
    fn forget_all(&mut self) {
        *self = Self { mode: self.mode, ..Self::default() };
    }

    /// What was read a moment ago, once.
    fn take_fresh(&mut self) -> Option<Arc<World>> {
        self.fresh.take().filter(|(time, _)| time.elapsed() < FRESH).map(|(_, world)| world)
    }

    /// Forgets what was found of objects that are gone, or are about another image in `world`.
    fn forget_others(&mut self, world: &World) {
        let Some(before) = &self.world else { return };
        let stays = |id: &ObjectId| world.inventory.has_image_of(&before.inventory, id);
        self.scans.retain(|id, _| stays(id));
        self.failed.retain(|id, _| stays(id));
        let policies = &world.inventory.policies;
        self.selections.retain(|id, _| policies.get(id).is_some_and(|policy| stays(&policy.repository)));
    }
}

/// Runs effects and sends what they bring.
pub(super) struct EffectRunner {
    engine: Engine,
    workers: Handle,
    answers: Mailbox<Letter>,
    tasks: JoinSet<()>,
    running: HashMap<JobId, CancellationToken>,
    held: Arc<Mutex<Held>>,
    turns: Arc<Turns>,
    journal: Journal,
    pushes: JoinSet<()>,
    /// What stops a push that was not sent yet. Leaving stops none.
    stops: HashMap<JobId, CancellationToken>,
    /// Whether decisions of earlier runs come back; where a plan is reviewed, they are its own alone.
    remembers: bool,
}

/// What every task gets.
#[derive(Clone)]
struct Work {
    engine: Engine,
    answers: Mailbox<Letter>,
    held: Arc<Mutex<Held>>,
    turns: Arc<Turns>,
    remembers: bool,
}

/// What scans and verdicts have brought so far, and what files around the plan's own hold.
struct Judged {
    world: Option<Arc<World>>,
    selections: Selections,
    scans: BTreeMap<ObjectId, Scan>,
    failed: BTreeMap<ObjectId, Problem>,
    trees: Arc<Vec<Tree>>,
}

impl Work {
    fn judged(&self) -> Judged {
        let held = self.held();
        Judged {
            world: held.world.clone(),
            selections: held.selections.clone(),
            scans: held.scans.clone(),
            failed: held.failed.clone(),
            trees: Arc::clone(&held.trees),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // What is held is whole after every statement, so a worker that panicked left nothing half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, msg: Msg) {
        self.answers.send(Letter::Answer(Box::new(msg))).await;
    }

    fn refresh(&self, fetch: bool) -> Refresh {
        match self.engine.settings().refresh {
            Refresh::Never => Refresh::Never,
            Refresh::Always | Refresh::Auto if fetch => Refresh::Always,
            other => other,
        }
    }
}

impl EffectRunner {
    /// A runner that has its tasks run by `workers` and sends its answers to `answers`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn new(
        engine: Engine,
        workers: Handle,
        answers: Mailbox<Letter>,
        remembers: bool,
    ) -> std::io::Result<Self> {
        Ok(Self {
            workers,
            journal: Journal::start(engine.clone(), answers.clone())?,
            engine,
            answers,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            held: Arc::default(),
            turns: Arc::default(),
            pushes: JoinSet::new(),
            stops: HashMap::new(),
            remembers,
        })
    }

    /// How the pushes that have ended did is on the screen.
    pub(super) fn pushes_seen(&self) {
        self.journal.pushes_seen();
    }

    /// Whether a push is under way.
    pub(super) fn is_pushing(&mut self) -> bool {
        while self.pushes.try_join_next().is_some() {}
        !self.pushes.is_empty()
    }

    /// Begins what `effect` asks for; what concerns the terminal is the event loop's.
    pub(super) fn run(&mut self, effect: Effect, mode: &'static str) {
        while self.tasks.try_join_next().is_some() {}
        let work = self.work();
        work.held().mode = mode;
        match effect {
            Effect::Load(job) => self.load(work, job),
            Effect::LoadAnew(job) => self.load_anew(work, job),
            Effect::Scan(job, repositories) => self.scan(work, job, repositories),
            Effect::LookAtSource => drop(self.tasks.spawn_on(load::look_at_source(work), &self.workers)),
            Effect::Evaluate { policies, digests } => {
                drop(self.tasks.spawn_on(evaluate::evaluate(work, policies, digests), &self.workers));
            }
            Effect::Try { job, policy, trial } => {
                self.spawn(job, attempt::attempt(work, job, policy, trial));
            }
            Effect::Describe { job, repository, tags } => {
                self.spawn(job, look::describe(work, job, repository, tags));
            }
            Effect::FirstSeen { job, repository, tags } => {
                self.spawn(job, look::first_seen(work, job, repository, tags));
            }
            Effect::Glance { job, repository, tags } => {
                self.spawn(job, look::glance(work, job, repository, tags));
            }
            Effect::Find { job, haystack, typed } => self.spawn(job, find::find(work, job, haystack, typed)),
            Effect::Propose { job, reach } => self.spawn(job, propose::propose(work, job, reach)),
            Effect::LookThrough(job) => self.spawn(job, unmarked::find(work, job)),
            Effect::Prepare { job, wish } => {
                let request = push::request(wish, work.refresh(true));
                self.spawn(job, push::prepare(work, job, request));
            }
            Effect::WritePatch { job, path, wish } => {
                let request = push::request(wish, work.refresh(true));
                self.spawn(job, push::write_patch(work, path, request));
            }
            Effect::EditPolicy { job, policy, trial } => {
                self.spawn(job, attempt::edit(work, job, policy, trial));
            }
            Effect::WriteEdit { path, patch } => {
                drop(self.tasks.spawn_on(push::write_edit(work, path, patch), &self.workers));
            }
            Effect::FindForges(remotes) => {
                drop(self.tasks.spawn_on(push::find_forges(work, remotes), &self.workers));
            }
            Effect::Push { job, plan, dry_run, requests } => {
                let how = if dry_run { DryRun::Server } else { DryRun::None };
                let request = requests.then(RequestWish::default);
                let landing = Landing { request, ..Landing::of(*plan, how) };
                self.stops = HashMap::from([(job, landing.cancel.clone())]);
                drop(self.pushes.spawn_on(push::push(work, job, landing), &self.workers));
            }
            Effect::Order { order, kind, objects, dry_run } => {
                let ordered = order::order(work, (order, kind), objects, dry_run);
                drop(self.pushes.spawn_on(ordered, &self.workers));
            }
            Effect::AwaitControllers(kind, objects) => {
                for (id, handled) in objects {
                    let waiting = order::reconciled(work.clone(), kind, id, handled);
                    drop(self.tasks.spawn_on(waiting, &self.workers));
                }
            }
            Effect::LookAtMerge { job, merge, always_commit } => {
                self.spawn(job, landed::look_at_merge(work, job, landed::request(&merge, always_commit)));
            }
            Effect::Merge { job, merge, always_commit, seen, dry_run } => {
                let request =
                    MergeRequest { dry_run, seen: Some(seen), ..landed::request(&merge, always_commit) };
                self.stops = HashMap::from([(job, request.cancel.clone())]);
                drop(self.pushes.spawn_on(landed::merge(work, job, merge, request), &self.workers));
            }
            Effect::Revert { job, remote, commit } => {
                self.spawn(job, landed::revert(work, job, (remote, commit)));
            }
            Effect::ReadPlan { job, path } => self.spawn(job, saved::read_plan(work, job, path)),
            Effect::RollBack { job, policy, tag } => {
                self.spawn(job, landed::roll_back(work, job, (policy, tag)));
            }
            Effect::FollowLog(job) => self.spawn(job, log::follow_log(work, job)),
            Effect::StopWork(job) => {
                if let Some(token) = self.running.remove(&job).or_else(|| self.stops.remove(&job)) {
                    token.cancel();
                }
            }
            kept => self.keep(&work, kept, mode),
        }
    }

    /// Has written down what is to outlive the process; what concerns the terminal is not ours.
    fn keep(&self, work: &Work, effect: Effect, mode: &'static str) {
        match effect {
            Effect::SaveDecisions(decided) => {
                let grounds = Arc::clone(&work.held().grounds);
                self.journal.decisions(&grounds, decided, clock::now());
            }
            Effect::SaveDraft(automation, text) => {
                let source = work.held().world.as_ref().map(|world| world.label.clone()).unwrap_or_default();
                self.journal.draft(journal::draft_key(&source, &automation), text);
            }
            Effect::SaveOrders(orders) => self.journal.orders(orders),
            Effect::SaveShares(shares) => self.journal.shares(shares),
            Effect::SaveCommands(commands) => self.journal.commands(commands),
            Effect::Hold(hold) => self.journal.hold(*hold, mode),
            Effect::Unhold { policy, tag } => self.journal.unhold(policy, tag, mode),
            Effect::Audit { kind, subject, detail, plan } => {
                self.journal.event(kind, subject, (detail, plan), mode);
            }
            _ => {}
        }
    }

    /// Cancels what may be cancelled, waits up to `patience` for pushes, and until everything is written down.
    pub(super) async fn finish(mut self, patience: Duration) {
        for (_, token) in self.running.drain() {
            token.cancel();
        }
        self.tasks.abort_all();
        let pushes = async { while self.pushes.join_next().await.is_some() {} };
        // A push that takes longer is told by the next start, which asks the remote.
        let _ = tokio::time::timeout(patience, pushes).await;
        self.journal.finish();
    }

    /// What a person is to answer on the terminal.
    pub(super) fn questions(&self) -> Vec<Question> {
        let world = self.work().held().world.clone();
        world.map(|world| self.engine.questions(&world)).unwrap_or_default()
    }

    fn work(&self) -> Work {
        Work {
            engine: self.engine.clone(),
            answers: self.answers.clone(),
            held: Arc::clone(&self.held),
            turns: Arc::clone(&self.turns),
            remembers: self.remembers,
        }
    }

    fn load_anew(&mut self, work: Work, job: JobId) {
        {
            let mut held = work.held();
            (held.newest, held.fresh) = (job, None);
        }
        self.spawn(job, async move {
            work.engine.ask_cluster_again().await;
            load::load(work, job).await;
        });
    }

    /// Begins anew with another kube context; says by which configuration the screen goes from now on.
    ///
    /// # Errors
    /// As [`Engine::with_context`]; then nothing is read.
    pub(super) fn use_context(&mut self, job: JobId, context: &str) -> Result<Configured, Problem> {
        self.engine = self.engine.with_context(context)?;
        let configured = super::configured(self.engine.settings());
        let work = self.work();
        let before = work.held().newest;
        if let Some(token) = self.running.remove(&before) {
            token.cancel();
        }
        work.held().forget_all();
        self.load(work, job);
        Ok(configured)
    }

    fn load(&mut self, work: Work, job: JobId) {
        work.held().newest = job;
        self.spawn(job, load::load(work, job));
    }

    /// Runs a batch of scans on a thread of its own: merging a hundred thousand tags must not keep a key waiting.
    fn scan(&mut self, work: Work, job: JobId, repositories: Vec<ObjectId>) {
        let token = CancellationToken::new();
        self.running.insert(job, token.clone());
        let executor = self.workers.clone();
        let batch = move || {
            let notes = Mutex::default();
            executor.block_on(async {
                tokio::select! {
                    () = token.cancelled() => {}
                    () = scan::scan(&work, (job, &notes), repositories) => token.cancel(),
                }
            });
            // Of a batch that was stopped, what had come by then.
            work.engine.note(&notes.into_inner().unwrap_or_else(PoisonError::into_inner));
        };
        self.tasks.spawn_blocking_on(batch, &self.workers);
    }

    /// Runs `task` until it ends or its number is stopped.
    fn spawn(&mut self, job: JobId, task: impl Future<Output = ()> + Send + 'static) {
        self.running.retain(|_, token| !token.is_cancelled());
        let token = CancellationToken::new();
        self.running.insert(job, token.clone());
        let task = async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = task => token.cancel(),
            }
        };
        self.tasks.spawn_on(task, &self.workers);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn worker_ended(error: tokio::task::JoinError) -> Problem {
    Problem::new(Code::Internal, "supercargo", "a worker ended early").caused_by(&error)
}
