//! Carries out effects: the one owner of every task.
//!
//! | effect | when superseded | on quit |
//! |---|---|---|
//! | load, scan, evaluate, describe, glance, compare, prepare | cancelled; a late answer is known by its number | cancelled |
//! | push | stopped by a person until commits are sent, else runs to its end | waited for; a second quit leaves |
//! | decisions, drafts, log | written in order | waited for |

mod look;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::clock;
use super::journal::{self, Journal};
use super::mailbox::{Letter, Mailbox};
use crate::app::effect::{Effect, JobId, Reach};
use crate::app::message::{Loaded, Msg, Prepared, Proposed};
use crate::app::world::Verdict;
use crate::config::Refresh;
use crate::domain::inventory::Inventory;
use crate::domain::lint;
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;
use crate::domain::policy::SHARED;
use crate::domain::proposal::{Proposal, Reference};
use crate::domain::request::RequestWish;
use crate::domain::scan::Scan;
use crate::engine::{
    DryRun, Engine, Evaluated, Landing, Note, Passes, PrepareRequest, ScanProgress, Selections, World,
};
use crate::problem::{Code, Problem};

/// Repositories that are under way at once; the registry client has limits of its own for each host.
const SCANS: usize = 64;
/// How often a scan tells how far it is.
const PROGRESS: Duration = Duration::from_millis(100);

/// What the engine's calls build on, newest of each.
#[derive(Default)]
struct Held {
    world: Option<Arc<World>>,
    scans: BTreeMap<ObjectId, Scan>,
    /// Why the last scan of a repository failed.
    failed: BTreeMap<ObjectId, Problem>,
    selections: Selections,
    grounds: Arc<Vec<Ground>>,
    mode: &'static str,
}

impl Held {
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
    remembers: bool,
}

impl Work {
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
            Effect::Load(job) => self.spawn(job, load(work, job)),
            Effect::Scan(job, repositories) => self.scan(work, job, repositories),
            Effect::LookAtSource => drop(self.tasks.spawn_on(look_at_source(work), &self.workers)),
            Effect::Evaluate { policies, digests } => {
                drop(self.tasks.spawn_on(evaluate(work, policies, digests), &self.workers));
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
            Effect::Propose { job, reach } => self.spawn(job, propose(work, job, reach)),
            Effect::Prepare { job, updates, messages } => {
                self.spawn(job, prepare(work, job, updates, messages));
            }
            Effect::Push { job, plan, dry_run, requests } => {
                let how = if dry_run { DryRun::Server } else { DryRun::None };
                let request = requests.then(RequestWish::default);
                let landing = Landing { request, ..Landing::of(*plan, how) };
                self.stops = HashMap::from([(job, landing.cancel.clone())]);
                drop(self.pushes.spawn_on(push(work, job, landing), &self.workers));
            }
            Effect::FollowLog(job) => self.spawn(job, follow_log(work, job)),
            Effect::StopWork(job) => {
                if let Some(token) = self.running.remove(&job).or_else(|| self.stops.remove(&job)) {
                    token.cancel();
                }
            }
            Effect::SaveDecisions(decided) => {
                let grounds = Arc::clone(&work.held().grounds);
                self.journal.decisions(&grounds, decided, clock::now());
            }
            Effect::SaveDraft(automation, text) => {
                let source = work.held().world.as_ref().map(|world| world.label.clone()).unwrap_or_default();
                self.journal.draft(journal::draft_key(&source, &automation), text);
            }
            Effect::Hold(hold) => self.journal.hold(*hold, mode),
            Effect::Unhold { policy, tag } => self.journal.unhold(policy, tag, mode),
            Effect::Audit { kind, subject, detail } => self.journal.event(kind, subject, detail, mode),
            Effect::Copy(_)
            | Effect::Theme(_)
            | Effect::OpenWay
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Demo
            | Effect::Quit => {}
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

    /// The commands that open ways to remotes.
    pub(super) fn ways_to_open(&self) -> Vec<(String, std::process::Command)> {
        let world = self.work().held().world.clone();
        world.map(|world| self.engine.ways_to_open(&world)).unwrap_or_default()
    }

    fn work(&self) -> Work {
        Work {
            engine: self.engine.clone(),
            answers: self.answers.clone(),
            held: Arc::clone(&self.held),
            remembers: self.remembers,
        }
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
                    () = scan(&work, (job, &notes), repositories) => token.cancel(),
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

async fn load(work: Work, job: JobId) {
    let source = load_world(&work.engine).await;
    let world = source.as_ref().ok().cloned();
    let msg = match source {
        Ok(world) if world.inventory.is_empty() && world.problems.is_empty() => {
            Msg::NothingFound(job, vec![format!("{}: no Flux objects in any YAML file", world.label)])
        }
        Ok(world) => Msg::Loaded(job, loaded(&work, world).await.map(Box::new)),
        Err(problem) if problem.code == Code::NotFound || problem.code == Code::Usage => {
            let mut tried = vec![problem.to_string()];
            tried.extend(problem.causes);
            tried.extend(problem.hint);
            Msg::NothingFound(job, tried)
        }
        Err(problem) => Msg::Loaded(job, Err(problem)),
    };
    work.answer(msg).await;
    if let Some(world) = world {
        settle_pushes(&work, &world).await;
    }
}

/// Tells whether the objects are others than those that were read.
async fn look_at_source(work: Work) {
    let Some(world) = work.held().world.clone() else { return };
    match work.engine.changed(&world).await {
        Ok(None) => {}
        Ok(Some(_)) => work.answer(Msg::SourceChanged).await,
        Err(problem) => work.answer(Msg::Warned(problem)).await,
    }
}

/// How often the log is looked at while it is on the screen.
const LOG: Duration = Duration::from_millis(500);

/// Tells what was written into the log in the last days, and what is written from then on.
async fn follow_log(work: Work, job: JobId) {
    let engine = work.engine.clone();
    let read = move || {
        let (audit, now) = (engine.store().audit(), clock::now());
        let follower = audit.follow(now);
        let since = now.checked_sub(jiff::SignedDuration::from_hours(SHOWN_HOURS)).unwrap_or(now);
        (audit.folder().map(|path| path.display().to_string()), follower, audit.since(since))
    };
    let Ok((folder, mut follower, mut events)) = tokio::task::spawn_blocking(read).await else { return };
    let mut known = events.clone();
    loop {
        if !events.is_empty() {
            let folder = folder.clone();
            work.answer(Msg::LogWritten { job, folder, events }).await;
        }
        tokio::time::sleep(LOG).await;
        let engine = work.engine.clone();
        let next = move || {
            let new = engine.store().audit().next(&mut follower, clock::now());
            (follower, new)
        };
        let Ok(next) = tokio::task::spawn_blocking(next).await else { return };
        (follower, events) = next;
        // What came between the two first looks is in both.
        events.retain(|event| !known.contains(event));
        known.clear();
    }
}

/// So much of the log is shown, in hours.
const SHOWN_HOURS: i64 = 7 * 24;

/// Tells what became of the pushes of earlier runs that nobody saw the end of.
async fn settle_pushes(work: &Work, world: &Arc<World>) {
    match work.engine.settle_pushes(world).await {
        Ok(settled) if settled.is_empty() => {}
        Ok(settled) => work.answer(Msg::PushesSettled(settled)).await,
        Err(problem) => work.answer(Msg::Warned(problem)).await,
    }
}

/// The source; a screen asks every registry and remote of it sooner or later.
async fn load_world(engine: &Engine) -> Result<Arc<World>, Problem> {
    let world = engine.load().await?;
    engine.credentials_are_for_one_host(&world)?;
    engine.sources_are_known(&world)?;
    Ok(world)
}

/// The world with what the disk knows of it.
async fn loaded(work: &Work, world: Arc<World>) -> Result<Loaded, Problem> {
    let (engine, of) = (work.engine.clone(), Arc::clone(&world));
    let read = move || {
        let cached = engine.cached(&of);
        let draft = |id: &ObjectId| {
            let draft = engine.store().drafts().read(&journal::draft_key(&of.label, id))?;
            Some((id.clone(), draft.text))
        };
        let drafts = of.automations.iter().filter_map(|automation| draft(&automation.meta.id)).collect();
        let mut problems = of.problems.clone();
        problems.extend(engine.credential_problems(&of));
        problems.extend(engine.store().take_warnings());
        (cached, drafts, problems)
    };
    let (cached, drafts, problems) = tokio::task::spawn_blocking(read).await.map_err(worker_ended)?;
    let mut held = work.held();
    held.forget_others(&world);
    for (id, scan) in &cached {
        held.scans.entry(id.clone()).or_insert_with(|| scan.clone());
    }
    held.world = Some(Arc::clone(&world));
    Ok(Loaded {
        source: world.label.clone(),
        inventory: Arc::clone(&world.inventory),
        problems,
        cached,
        drafts,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn worker_ended(error: tokio::task::JoinError) -> Problem {
    Problem::new(Code::Internal, "supercargo", "a worker ended early").caused_by(&error)
}

async fn scan(work: &Work, (job, notes): (JobId, &Mutex<Vec<Note>>), repositories: Vec<ObjectId>) {
    let (world, scans) = {
        let held = work.held();
        (held.world.clone(), held.scans.clone())
    };
    let Some(world) = world else { return };
    if let Some(notice) = work.engine.forecast(&world, &repositories, &scans).notice() {
        work.answer(Msg::Announced(notice)).await;
    }
    let began = clock::now();
    let each = repositories.into_iter().map(|id| scan_one(work, &world, ((job, notes), began), id));
    futures::stream::iter(each).buffer_unordered(SCANS).collect::<Vec<()>>().await;
}

/// Tells how far a scan is, now and then.
fn progress(answers: Mailbox<Letter>, job: JobId) -> impl Fn(ScanProgress) + Send + Sync {
    let last = Mutex::new(Instant::now());
    move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PROGRESS {
            *last = Instant::now();
            // Progress that nobody has time for is not missed.
            let ScanProgress { repository, tags: seen, .. } = progress;
            let _ = answers.try_send(Letter::Answer(Box::new(Msg::ScanProgress { job, repository, seen })));
        }
    }
}

async fn scan_one(
    work: &Work,
    world: &World,
    ((job, notes), began): ((JobId, &Mutex<Vec<Note>>), Timestamp),
    id: ObjectId,
) {
    let progress = progress(work.answers.clone(), job);
    let scanned = work.engine.scan(world, &id, began, progress).await;
    let note = Note { mode: work.held().mode, ..Note::scan(id.to_string(), scanned.as_ref()) };
    notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    let msg = match scanned {
        Ok(found) => {
            let mut held = work.held();
            held.failed.remove(&id);
            held.scans.insert(id.clone(), found.clone());
            Msg::TagsListed(job, id, found)
        }
        Err(problem) => {
            work.held().failed.insert(id.clone(), problem.clone());
            Msg::ScanFailed { job, repository: id, problem }
        }
    };
    work.answer(msg).await;
}

/// Evaluates policies, as many at once as there are cores. Digests are asked for beside that, and each policy is answered
/// for as soon as it is complete.
async fn evaluate(work: Work, policies: Vec<ObjectId>, digests: Reach) {
    let (world, scans) = {
        let held = work.held();
        (held.world.clone(), held.scans.clone())
    };
    let Some(world) = world else { return };
    let passes = match work.engine.passes(&world, work.refresh(digests == Reach::Remote)).await {
        Ok(passes) => passes,
        Err(problem) => return work.answer(Msg::Warned(problem)).await,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let with_tags = policies.into_iter().filter_map(|id| {
        let policy = world.inventory.policies.get(&id)?;
        let scan = scans.get(&policy.repository).cloned()?;
        Some((id, scan))
    });
    // What has the cores to itself would take its memory twice beside another of its kind, and gain no time.
    let (long, short): (Vec<_>, Vec<_>) = with_tags.partition(|(_, scan)| scan.tags.len() >= SHARED);
    let (engine, of) = (&work.engine, &world);
    let each = move |(id, scan): (ObjectId, Scan)| async move { (judge(engine, of, &id, scan).await, id) };
    let stream =
        |policies: Vec<_>, at_once| futures::stream::iter(policies.into_iter().map(each)).buffered(at_once);
    let mut judged = stream(short, cores).chain(stream(long, 1));
    let mut asking = FuturesUnordered::new();
    while let Some((judged, id)) = judged.next().await {
        match judged {
            Ok(judged) => asking.push(complete(&work, &passes, id, judged)),
            Err(problem) => work.answer(Msg::Warned(problem)).await,
        }
        // Those that have nothing to ask are complete by now.
        while let Some(Some(())) = asking.next().now_or_never() {}
    }
    while asking.next().await.is_some() {}
    drop((asking, judged));
    if let Err(problem) = passes.keep().await {
        work.answer(Msg::Warned(problem)).await;
    }
}

/// Evaluates one policy on a worker.
async fn judge(
    engine: &Engine,
    world: &Arc<World>,
    id: &ObjectId,
    scan: Scan,
) -> Result<(Evaluated, Verdict), Problem> {
    let (engine, of) = (engine.clone(), Arc::clone(world));
    let Some(policy) = world.inventory.policies.get(id).cloned() else {
        return Err(Problem::new(Code::NotFound, id.to_string(), "the policy is gone"));
    };
    let judged = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        let evaluated = engine.evaluate(&of.inventory, &policy, Some(&scan));
        let verdict = verdict(&evaluated, &scan, start);
        (evaluated, verdict)
    });
    judged.await.map_err(worker_ended)
}

async fn complete(
    work: &Work,
    passes: &Passes,
    id: ObjectId,
    (evaluated, mut verdict): (Evaluated, Verdict),
) {
    let evaluated = passes.complete(&id, evaluated).await;
    (verdict.reference, verdict.problem) = match &evaluated.selection.outcome {
        Ok(reference) => (Some(reference.clone()), evaluated.undigested.clone()),
        Err(problem) => (None, Some(problem.clone())),
    };
    verdict.ask_again = evaluated.ask_again;
    work.held().selections.insert(id.clone(), evaluated);
    work.answer(Msg::Evaluated(id, Arc::new(verdict))).await;
}

/// What the screen shows of an evaluation. Where the engine had a reason not to evaluate at all, tags are still judged,
/// so that S3 can say what each would be.
fn verdict(evaluated: &Evaluated, scan: &Scan, start: Instant) -> Verdict {
    let evaluator = Arc::clone(&evaluated.selection.evaluator);
    let evaluation = evaluated.evaluation.clone().unwrap_or_else(|| Arc::new(evaluator.evaluate(&scan.tags)));
    let took = start.elapsed();
    let order = evaluator.order(&scan.tags, &evaluation);
    // What is selected is settled when the digest is.
    let (reference, problem, ask_again) = (None, None, None);
    Verdict {
        tags: Arc::clone(&scan.tags),
        evaluator,
        evaluation,
        order,
        reference,
        problem,
        took,
        ask_again,
    }
}

async fn propose(work: Work, job: JobId, reach: Reach) {
    let result = proposed(&work, reach).await;
    work.answer(Msg::Proposed(job, result)).await;
}

/// What the automations stand on, what is wrong with that, and whether no remote was asked.
async fn grounds(
    work: &Work,
    world: &Arc<World>,
    reach: Reach,
) -> Result<(Vec<Ground>, Vec<Problem>, bool), Problem> {
    let refresh = work.refresh(reach == Reach::Remote);
    if reach == Reach::Kept && refresh != Refresh::Never {
        let (grounds, problems) = work.engine.grounds(world, Refresh::Never).await?;
        // Something is missing, and half a list would look like all of it.
        if problems.is_empty() {
            return Ok((grounds, problems, true));
        }
    }
    let (grounds, problems) = work.engine.grounds(world, refresh).await?;
    Ok((grounds, problems, false))
}

async fn proposed(work: &Work, reach: Reach) -> Result<Proposed, Problem> {
    let (world, mut selections, scans, failed) = {
        let held = work.held();
        (held.world.clone(), held.selections.clone(), held.scans.clone(), held.failed.clone())
    };
    let Some(world) = world else { return Ok(Proposed::default()) };
    let (grounds, problems, kept) = grounds(work, &world, reach).await?;
    let (engine, of, remembers) = (work.engine.clone(), Arc::clone(&world), work.remembers);
    let compare = move || {
        engine.complete(&world.inventory, &mut selections);
        block_unscanned(&engine, &world.inventory, &failed, &mut selections);
        let mut review = engine.review(grounds, &selections);
        let paths = review.grounds.iter().map(|ground| (&ground.automation, ground.path.clone())).collect();
        let known = lint::Known {
            scan_problems: failed.iter().collect(),
            paths,
            ..engine.known(&selections, &scans)
        };
        let found = lint::World::new(&world.inventory, &known);
        let survey = lint::survey(&review.grounds, &found);
        let decided =
            remembers.then(|| journal::remember(&engine, &review.grounds, &mut review.proposals)).flatten();
        let selections = selections.into_iter().map(|(id, evaluated)| (id, evaluated.selection)).collect();
        Proposed {
            updates: review.proposals,
            files: review.files,
            problem_files: review.problem_files,
            grounds: review.grounds,
            selections: Arc::new(selections),
            kept,
            decided,
            survey,
            holds: Vec::new(),
            problems,
        }
    };
    let mut proposed = tokio::task::spawn_blocking(compare).await.map_err(worker_ended)?;
    let refresh = if kept { Refresh::Never } else { work.refresh(false) };
    proposed.holds = work.engine.hold_back(&of, &mut proposed.updates, refresh).await;
    work.held().grounds = Arc::clone(&proposed.grounds);
    Ok(proposed)
}

/// What waits for a repository that could not be scanned is blocked with that reason.
fn block_unscanned(
    engine: &Engine,
    inventory: &Inventory,
    failed: &BTreeMap<ObjectId, Problem>,
    selections: &mut Selections,
) {
    for (id, policy) in &inventory.policies {
        let Some(problem) = failed.get(&policy.repository).filter(|_| !selections.contains_key(id)) else {
            continue;
        };
        let mut evaluated = engine.evaluate(inventory, policy, None);
        evaluated.selection.outcome = Err(problem.clone());
        selections.insert(id.clone(), evaluated);
    }
}

async fn prepare(work: Work, job: JobId, mut updates: Vec<Proposal>, messages: BTreeMap<ObjectId, String>) {
    let (world, selections) = {
        let held = work.held();
        (held.world.clone(), held.selections.clone())
    };
    let Some(world) = world else { return };
    // Another instance may have held something since it was shown.
    let held = work.engine.hold_approved(&mut updates).await;
    let selections = as_reviewed(selections, &updates);
    let request = PrepareRequest { messages, ..PrepareRequest::of(updates, work.refresh(true)) };
    let result = match work.engine.prepare(&world, &selections, request).await {
        Ok(prepared) => {
            let (protected, moved) = (prepared.protected, [held, prepared.moved].concat());
            let plan = work.engine.preflight(&world, prepared.plan).await;
            plan.map(|plan| Box::new(Prepared { plan, protected, moved }))
        }
        Err(problem) => Err(problem),
    };
    work.answer(Msg::Prepared(job, result)).await;
}

/// The selections with the tags that were approved: a newer tag that appeared since does not change what lands.
fn as_reviewed(mut selections: Selections, updates: &[Proposal]) -> Selections {
    for update in updates.iter().filter(|update| update.approved().next().is_some()) {
        if let (Some(evaluated), Some(new)) = (selections.get_mut(&update.policy), &update.new) {
            evaluated.selection.outcome = Ok(Reference {
                image: update.image.clone(),
                tag: new.tag.clone(),
                digest: new.digest.clone(),
            });
        }
    }
    selections
}

async fn push(work: Work, job: JobId, landing: Landing) {
    let Some(world) = work.held().world.clone() else { return };
    let answers = work.answers.clone();
    let step = move |step| {
        // The result says what matters; a step that finds no room is only a line less on the screen.
        let _ = answers.try_send(Letter::Answer(Box::new(Msg::Pushing(job, step))));
    };
    let result = work.engine.land(&world, landing, step).await;
    work.answer(Msg::Pushed(job, result)).await;
}
