//! What most commands begin with: the source, the tags, the verdicts and the marked files, with progress on the way.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::event_loop::EventLoop;
use super::scope::Scope;
use crate::config::{Refresh, Settings};
use crate::domain::branch::Onto;
use crate::domain::lint::MEND_FILE;
use crate::domain::object::{ImagePolicy, ImageRepository, Kind, ObjectId};
use crate::domain::plan::{Ground, Review};
use crate::domain::running::Running;
use crate::domain::scan::Scan;
use crate::engine::{self, Engine, Forecast, ScanProgress, Scans, Selections, World};
use crate::problem::{Code, Problem};

/// An engine, its event loop, and the world it loaded.
pub(super) struct Session {
    pub(super) engine: Engine,
    pub(super) world: Arc<World>,
    /// Why repositories could not be scanned, where somebody else scans them now and then; `None`: nobody does.
    pub(super) scanned_elsewhere: Option<BTreeMap<ObjectId, Problem>>,
    runtime: EventLoop,
    /// What ends all work of this session, because a signal came or nobody reads any more.
    ended: CancellationToken,
}

/// Tags and verdicts.
pub(super) struct Judged {
    pub(super) scans: Scans,
    /// Why a repository could not be scanned just now.
    pub(super) scan_problems: BTreeMap<ObjectId, Problem>,
    pub(super) selections: Selections,
}

impl Judged {
    /// What registries did not tell: repositories that could not be scanned, digests that could not be read.
    pub(super) fn problems(&self) -> impl Iterator<Item = &Problem> {
        let digests = self.selections.values().filter_map(|evaluated| evaluated.undigested.as_ref());
        self.scan_problems.values().chain(digests)
    }
}

/// Marked files and proposals.
pub(super) struct Reviewed {
    pub(super) judged: Judged,
    pub(super) review: Review,
    /// What kept an automation, or a credential, from being used.
    pub(super) problems: Vec<Problem>,
}

impl Reviewed {
    /// Everything to say beside the answer: the source's problems, then scans', then automations'.
    pub(super) fn problems_of(&self, session: &Session) -> Vec<Problem> {
        let mut all = session.problems();
        for problem in self.judged.problems().chain(&self.problems) {
            if !all.contains(problem) {
                all.push(problem.clone());
            }
        }
        all
    }
}

impl Session {
    /// Loads the source that the settings name.
    pub(super) fn open(settings: &Settings) -> Result<Self, Problem> {
        Self::load(settings)?.checked()
    }

    fn checked(self) -> Result<Self, Problem> {
        self.engine.sources_are_known(&self.world)?;
        Ok(self)
    }

    fn load(settings: &Settings) -> Result<Self, Problem> {
        let runtime = EventLoop::start()?;
        let engine = Engine::open(settings.clone())?;
        let world = runtime.block_on(within(settings, engine.load()))?;
        Ok(Self { engine, world, scanned_elsewhere: None, runtime, ended: CancellationToken::new() })
    }

    /// What the source, the store and the credentials of registries have to say so far; of the store, once.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut all = self.world.problems.clone();
        all.extend(self.engine.store().take_warnings());
        all.extend(self.engine.credential_problems(&self.world));
        all
    }

    /// As [`Self::open`], but a place without objects will do: a plan has everything but credentials.
    pub(super) fn open_or_empty(settings: &Settings) -> Result<Self, Problem> {
        match Self::load(settings) {
            Err(problem) if problem.code == Code::NotFound && settings.files.is_none() => {
                Self::empty(settings)
            }
            loaded => loaded?.checked(),
        }
    }

    /// A session without objects.
    pub(super) fn empty(settings: &Settings) -> Result<Self, Problem> {
        let (runtime, engine) = (EventLoop::start()?, Engine::open(settings.clone())?);
        let world = Arc::new(engine.nowhere());
        Ok(Self { engine, world, scanned_elsewhere: None, runtime, ended: CancellationToken::new() })
    }

    /// What to cancel to end all work of this session; what was under way fails then.
    pub(super) fn end(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Runs one piece of asynchronous work to its end, within `--timeout`.
    pub(super) fn run<T>(&self, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let work = self.ended.run_until_cancelled(within(self.engine.settings(), work));
        let ended = || Problem::new(Code::ConfirmationMissing, "supercargo", "ended by a signal");
        self.runtime.block_on(async { work.await.unwrap_or_else(|| Err(ended())) })
    }

    /// Runs work that `cancel` stops, within `--timeout`: when time is up it is stopped and waited for, so that nothing of it
    /// happens after we gave up. What is being sent by then runs to its end.
    pub(super) fn run_stoppable<T>(
        &self,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let mut work = std::pin::pin!(work);
        self.runtime.block_on(async {
            match tokio::time::timeout(limit(self.engine.settings()), &mut work).await {
                Ok(done) => done,
                Err(_elapsed) => {
                    cancel.cancel();
                    work.await
                }
            }
        })
    }

    /// What became of work of [`Self::run_stoppable`] that was stopped, as the person gets to see it: time was up.
    pub(super) fn explain(&self, problem: Problem) -> Problem {
        if engine::was_stopped(&problem) {
            let mut late = gave_up(self.engine.settings());
            if !problem.subject.is_empty() {
                late.subject = problem.subject;
            }
            return late;
        }
        problem
    }

    /// Runs work that goes on until it ends by itself, however long that takes.
    pub(super) fn run_on<T>(&self, work: impl Future<Output = T>) -> Result<T, Problem> {
        self.runtime.block_on(async { Ok(work.await) })
    }

    /// Begins work that goes on beside everything else, until the session ends.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Leaves of the world what is in scope.
    pub(super) fn narrow(&mut self, scope: &Scope) {
        self.world = Arc::new(scope.narrow(&self.world));
    }

    /// Puts something in the world that stands for an image without an object, and returns its name.
    pub(super) fn stand_in(&mut self, image: &str) -> ObjectId {
        let mut inventory = (*self.world.inventory).clone();
        let repository = ImageRepository::of_image(image);
        let id = repository.meta.id.clone();
        inventory.repositories.insert(id.clone(), repository);
        self.world = Arc::new(World { inventory: Arc::new(inventory), ..(*self.world).clone() });
        id
    }

    /// Whether somebody suspended the policy.
    pub(super) fn is_suspended(&self, policy: &ObjectId) -> bool {
        self.world.inventory.policies.get(policy).is_some_and(|policy| policy.suspend)
    }

    /// Scans what is due and evaluates every policy.
    pub(super) fn judge(&self) -> Result<Judged, Problem> {
        self.judge_with(self.engine.settings().refresh)
    }

    /// As [`Self::judge`], with a `--refresh` of its own.
    pub(super) fn judge_with(&self, refresh: Refresh) -> Result<Judged, Problem> {
        self.engine.one_registry_in_a_pass(&self.world, refresh)?;
        self.run(self.judging(refresh))
    }

    async fn judging(&self, refresh: Refresh) -> Result<Judged, Problem> {
        let progress = Progress::new(self.engine.settings());
        let refresh = if self.scanned_elsewhere.is_some() { Refresh::Never } else { refresh };
        let (scans, mut scan_problems) = self
            .engine
            .fresh_scans(&self.world, refresh, |all| progress.forecast(all), |at| progress.scan(&at))
            .await;
        scan_problems.extend(self.scanned_elsewhere.clone().unwrap_or_default());
        let mut selections = self.engine.select(&self.world, &scans, refresh).await?;
        Engine::explain_scans(&self.world.inventory, &mut selections, &scan_problems);
        Ok(Judged { scans, scan_problems, selections })
    }

    /// Reads the marked files as they are on the branch `onto` and compares them with the verdicts. Remotes are asked while registries are.
    pub(super) fn review(&self, onto: &Onto) -> Result<Reviewed, Problem> {
        let refresh = self.engine.settings().refresh;
        self.engine.one_registry_in_a_pass(&self.world, refresh)?;
        let (judged, (grounds, mut problems)) = self.run(async {
            let grounds = self.engine.grounds(&self.world, refresh, onto);
            let (judged, grounds) = futures::join!(self.judging(refresh), grounds);
            Ok((judged?, grounds?))
        })?;
        problems.extend(broken_files(&grounds));
        let (mut review, unread) = self.engine.review_updates(&self.world, grounds, &judged.selections);
        problems.extend(unread);
        self.run(async {
            let _all = self.engine.hold_back(&self.world, &mut review.proposals, refresh).await;
            Ok(())
        })?;
        Ok(Reviewed { judged, review, problems })
    }

    /// Which images run in the cluster; none where no cluster is a source.
    pub(super) fn running(&self) -> Arc<Running> {
        let live = self.world.live.as_ref();
        let asked = |live| self.run(async { Ok(self.engine.running(live).await) });
        live.and_then(|live| asked(live).ok()).unwrap_or_default()
    }

    /// The tags that marked files hold for a policy, as far as they are in the cache; nothing is fetched.
    pub(super) fn tags_in_files(&self, policy: &ImagePolicy) -> Vec<String> {
        let read = self.run(self.engine.grounds(&self.world, Refresh::Never, &Onto::Push));
        let grounds = read.map(|(grounds, _)| grounds).unwrap_or_default();
        crate::domain::plan::tags_in_files(&grounds, &policy.meta.id)
    }

    /// What became of pushes that nobody saw the end of, a warning each.
    pub(super) fn cut_off(&self) -> Result<Vec<Problem>, Problem> {
        let settled = self.run(self.engine.settle_pushes(&self.world))?;
        Ok(settled.iter().map(Problem::from).collect())
    }

    /// Finds an object by `NAME` or `NS/NAME` among `known`.
    ///
    /// # Errors
    /// Nothing has the name ([`Code::NotFound`], with the nearest one), several have it, or several places describe the
    /// one that has it differently ([`Code::Ambiguous`]).
    pub(super) fn find<'a>(
        &'a self,
        kind: Kind,
        name: &str,
        known: impl IntoIterator<Item = &'a ObjectId>,
    ) -> Result<ObjectId, Problem> {
        let inventory = &self.world.inventory;
        let known = known.into_iter().chain(inventory.ambiguous_of(kind));
        let namespace = self.engine.settings().namespace.as_deref();
        let found = find(&kind.to_string(), name, namespace, known).map_err(|missing| {
            // Of what may not be read, nobody knows whether it is there.
            let place = name.split_once('/').map(|(namespace, _)| namespace).or(namespace);
            let unread = inventory.unread.over(kind, place).filter(|_| missing.code == Code::NotFound);
            unread.cloned().unwrap_or(missing)
        })?;
        inventory.ambiguity(kind, &found).map_or(Ok(found), Err)
    }
}

/// The marked files that cannot be written.
fn broken_files(grounds: &[Ground]) -> Vec<Problem> {
    let files = grounds.iter().flat_map(|ground| &ground.problem_files);
    files.map(|file| file.error.problem(&file.path).hint(MEND_FILE)).collect()
}

/// See [`Session::find`].
pub(super) fn find<'a>(
    kind: &str,
    name: &str,
    namespace: Option<&str>,
    known: impl IntoIterator<Item = &'a ObjectId>,
) -> Result<ObjectId, Problem> {
    let known: Vec<&ObjectId> = known.into_iter().collect();
    let fits = |id: &&&ObjectId| match name.split_once('/') {
        Some((wanted, name)) => id.namespace == wanted && id.name == name,
        None => id.name == name && namespace.is_none_or(|wanted| id.namespace == wanted),
    };
    let found: Vec<&&ObjectId> = known.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok((**one).clone()),
        [] => {
            let place = namespace.map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
            let message = format!("there is no {kind} of this name{place}");
            Err(Problem::new(Code::NotFound, name, message).hint(known_objects(kind, name, &known)))
        }
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            let message = format!("several {kind} objects have this name: {}", names.join(", "));
            Err(Problem::new(Code::Ambiguous, name, message).hint("Write it as NAMESPACE/NAME."))
        }
    }
}

/// The hint to a name that no object of a kind has.
pub(super) fn known_objects(kind: &str, name: &str, known: &[&ObjectId]) -> String {
    let listed_by = match kind {
        "ImageRepository" => "supercargo get repositories -A",
        "ImagePolicy" => "supercargo get policies -A",
        _ => "supercargo get automations -A",
    };
    // A bare name is compared with bare names; what it led to is written whole.
    let shown: Vec<String> = known.iter().map(ToString::to_string).collect();
    if name.contains('/') {
        return crate::text::known_names(name, shown.iter().map(String::as_str), listed_by);
    }
    let near = crate::text::nearest(name, known.iter().map(|id| id.name.as_str()));
    let whole = known.iter().find(|id| near == Some(id.name.as_str()));
    whole.map_or_else(
        || crate::text::known_names("", shown.iter().map(String::as_str), listed_by),
        |id| format!("Did you mean {id}?"),
    )
}

pub(super) async fn within<T>(
    settings: &Settings,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::time::timeout(limit(settings), work).await.unwrap_or_else(|_elapsed| Err(gave_up(settings)))
}

/// `--timeout`; never nothing.
fn limit(settings: &Settings) -> Duration {
    settings.timeout.0.max(Duration::from_millis(1))
}

/// Time was up.
fn gave_up(settings: &Settings) -> Problem {
    Problem::new(Code::Timeout, "supercargo", format!("gave up after {}", settings.timeout))
        .hint("Give it longer with --timeout.")
}

/// Where scans have got to, on standard error: on a terminal one line that changes, once work takes longer than a blink;
/// elsewhere a line for each wait that a registry asks for, so that silence has a reason.
pub(super) struct Progress {
    quiet: bool,
    terminal: bool,
    started: Instant,
}

impl Progress {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { quiet: settings.quiet, terminal: std::io::stderr().is_terminal(), started: Instant::now() }
    }

    /// Says what a large scan will take, before it does.
    pub(super) fn forecast(&self, forecast: &Forecast) {
        let notice = forecast.notice().filter(|_| !self.quiet);
        if let Some(notice) = notice {
            let _ = writeln!(std::io::stderr(), "{}", super::table::clean(&format!("► {notice}")));
        }
    }

    pub(super) fn scan(&self, at: &ScanProgress) {
        self.say(&at.repository.to_string(), at.tags, at.waiting);
    }

    /// Lists the tags of an image without an object, saying how it goes.
    pub(super) fn scan_image(settings: &Settings, engine: &Engine, image: &str) -> Result<Scan, Problem> {
        let progress = Self::new(settings);
        if settings.refresh != Refresh::Never {
            progress.forecast(&engine.forecast_of([&ImageRepository::of_image(image)], &Scans::default()));
        }
        EventLoop::start()?
            .block_on(engine.scan_image(image, |tags, waiting| progress.say(image, tags, waiting)))
    }

    fn say(&self, name: &str, tags: usize, waiting: Option<Duration>) {
        let Some(text) = self.text(&super::table::clean(name), tags, waiting) else { return };
        // Progress is worth nothing if it cannot be written.
        let _ = write!(std::io::stderr(), "{text}");
    }

    /// What there is to say now, if anything.
    fn text(&self, name: &str, tags: usize, waiting: Option<Duration>) -> Option<String> {
        // Less than a second is over before it is read.
        let seconds = waiting.filter(|wait| wait.as_secs() > 0).map(|wait| wait.as_millis().div_ceil(1000));
        let text = match seconds {
            _ if self.quiet => return None,
            Some(seconds) => format!("◎ {name}: asking the registry again in {seconds} s"),
            None if self.terminal && self.is_long() => {
                format!("► scanning {name}: {}", crate::text::count(tags, "tag"))
            }
            None => return None,
        };
        Some(if self.terminal { format!("\r\x1b[K{text}") } else { format!("{text}\n") })
    }

    fn is_long(&self) -> bool {
        self.started.elapsed() >= Duration::from_millis(400)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && !self.quiet && self.is_long() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_asks_for_patience_is_named_where_no_line_can_change() {
        let progress = |quiet| Progress { quiet, terminal: false, started: Instant::now() };
        let wait = Some(Duration::from_millis(2100));
        let said = progress(false).text("shop/api", 3, wait);
        assert_eq!(said.as_deref(), Some("◎ shop/api: asking the registry again in 3 s\n"));
        assert_eq!(progress(false).text("shop/api", 3, None), None);
        assert_eq!(progress(true).text("shop/api", 3, wait), None);
    }
}
