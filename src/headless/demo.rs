//! `demo --headless`: the whole way once, each step checked, from a new tag to the commit on the remote.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::event_loop::EventLoop;
use super::signals::{ended_by_signal, reader_gone};
use super::{API_VERSION, Answer, Streams};
use crate::cli::{DemoArgs, Format};
use crate::config::Refresh;
use crate::config::Settings;
use crate::demo::Demo;
use crate::domain::branch::Onto;
use crate::domain::landing::Landed;
use crate::domain::manifest;
use crate::domain::plan::Plan;
use crate::domain::proposal::{Decision, UpdateState};
use crate::engine::{DryRun, Engine, Landing, PrepareRequest, Prepared, World, short};
use crate::git::{self, BareCache, Remote};
use crate::problem::{Code, Problem};
use crate::text::count;

/// Prints one step: a readable line, or a JSON document with `-o json`.
struct Log<'a> {
    out: &'a mut dyn Write,
    format: Format,
}

impl Log<'_> {
    fn say(&mut self, event: &str, text: &str, more: Value) -> Result<(), Problem> {
        let document = || {
            let now = Timestamp::now();
            let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
            let mut object = Map::from_iter([
                ("apiVersion".to_owned(), json!(API_VERSION)),
                ("kind".to_owned(), json!("DemoEvent")),
                ("event".to_owned(), json!(event)),
                ("time".to_owned(), json!(now)),
            ]);
            if let Value::Object(more) = more {
                object.extend(more);
            }
            Value::Object(object)
        };
        let written = match self.format {
            Format::Json => super::write_json(self.out, &document()),
            Format::Yaml => super::write_one_yaml(self.out, &document()),
            Format::Name => writeln!(self.out, "demoevent/{event}"),
            Format::Table | Format::Wide => writeln!(self.out, "{}", super::clean(text)),
        };
        match written.and_then(|()| self.out.flush()) {
            // A reader that has gone ends the walk, see there.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Problem::new(Code::Storage, "standard output", "cannot be written").caused_by(&error))
            }
            _ => Ok(()),
        }
    }
}

/// Walks scan → verdicts → plan → diff → push → verify once, and with `--keep` leaves everything running afterwards.
///
/// Returns the exit status: 0, or 128 and the number of the signal that ended it. Signals are waited for before there is
/// anything to be left behind; the demo stays in `place` until whatever still writes into its directory has ended.
///
/// # Errors
/// The first step that does not end as it must.
async fn walk(
    settings: &Settings,
    args: &DemoArgs,
    (out, place): (&mut dyn Write, &OnceCell<Demo>),
) -> Result<u8, Problem> {
    let mut log = Log { out, format: settings.output };
    let steps = async {
        let demo = place.get_or_try_init(|| Demo::start(args)).await?;
        let engine = demo.engine(settings)?;
        once(demo, &engine, &mut log).await?;
        if args.keep { keep(demo, &mut log).await } else { Ok(()) }
    };
    tokio::select! {
        biased;
        exit = ended_by_signal() => Ok(exit),
        () = reader_gone() => Ok(0),
        done = steps => done.map(|()| 0),
    }
}

async fn once(demo: &Demo, engine: &Engine, log: &mut Log<'_>) -> Result<(), Problem> {
    let directory = demo.directory().display().to_string();
    log.say(
        "ready",
        &format!("► registry {}, remote {}", demo.registry_host(), demo.remote()),
        json!({"registry": demo.registry_host(), "remote": demo.remote(), "directory": directory,
               "namespace": "flux-system"}),
    )?;
    let pushed = demo.build_once()?;
    let text = format!("► the CI pushed {}:{}", pushed.repository, pushed.tag);
    log.say("tag_pushed", &text, json!({"tag": pushed.tag, "image": pushed.repository}))?;
    let world = engine.load().await?;
    let (scans, failed) = engine.fresh_scans(&world, Refresh::Always, |_| {}, |_| {}).await;
    if let Some(problem) = failed.into_values().next() {
        return Err(problem);
    }
    let tags: usize = scans.values().map(|scan| scan.tags.len()).sum();
    let text = format!("✔ scanned {}, {}", count(scans.len(), "repository"), count(tags, "tag"));
    log.say("scanned", &text, json!({"repositories": scans.len(), "tags": tags}))?;
    let selections = engine.select(&world, &scans, Refresh::Always).await?;
    let (grounds, problems) = engine.grounds(&world, Refresh::Always, &Onto::Push).await?;
    if let Some(problem) = problems.into_iter().find(|problem| problem.exit() != 0) {
        return Err(problem);
    }
    let mut proposals = engine.review(&world, grounds, &selections).0.proposals;
    let is_seen = proposals.iter().any(|update| update.new.as_ref().is_some_and(|new| new.tag == pushed.tag));
    require(is_seen, &format!("the new tag {} leads to no update", pushed.tag))?;
    for update in &mut proposals {
        let new = update.new.as_ref().map_or("?", |new| new.tag.as_str()).to_owned();
        let blocked =
            update.blocked.as_ref().map(|problem| format!("  {}", problem.message)).unwrap_or_default();
        let left = if update.blocked.is_none() && update.needs_second_look() {
            "  left out: it goes back, or changes the name, and a person has to look at it"
        } else {
            ""
        };
        let sign = if update.blocked.is_some() || !left.is_empty() { '⚠' } else { '✔' };
        let current = update.current.join(", ");
        let text = format!("{sign} {} {current} → {new}{blocked}{left}", update.policy);
        let tag = update.new.as_ref().map(|new| &new.tag);
        let found = json!({"policy": update.policy, "tag": tag, "blocked": update.blocked});
        log.say("update_found", &text, found)?;
        if update.state == UpdateState::Pending && !update.needs_second_look() {
            update.decide(Decision::Approved);
        }
    }
    let prepared =
        engine.prepare(&world, &selections, PrepareRequest::of(proposals, Refresh::Always)).await?;
    announce(&prepared, log)?;
    land(demo, engine, &world, &prepared, log).await?;
    log.say("done", "✔ everything is as it should be", json!({}))
}

fn announce(prepared: &Prepared, log: &mut Log<'_>) -> Result<(), Problem> {
    let plan = &prepared.plan;
    let counts = plan.approved_counts();
    require(plan.bytes_changed_outside_markers == 0, "bytes outside marked scalars would change")?;
    require(counts.sites > 0, "nothing could be approved")?;
    let text = format!(
        "✔ plan {}: {}, {}, {}",
        plan.id,
        count(counts.updates, "update"),
        count(counts.files, "file"),
        count(counts.sites, "site")
    );
    log.say("planned", &text, json!({"plan": plan.id}))?;
    if matches!(log.format, Format::Table | Format::Wide) {
        let patch = crate::engine::patch(plan, &prepared.contents);
        for line in patch.lines() {
            log.say("diff", &format!("    {line}"), json!({}))?;
        }
    }
    let text = format!("✔ approved {}", count(counts.updates, "update"));
    log.say("approved", &text, json!({"plan": plan.id, "updates": counts.updates}))
}

async fn land(
    demo: &Demo,
    engine: &Engine,
    world: &Arc<World>,
    prepared: &Prepared,
    log: &mut Log<'_>,
) -> Result<(), Problem> {
    let landed = engine.land(world, Landing::of(prepared.plan.clone(), DryRun::None), |_| {}).await?;
    for result in &landed {
        if let Some(problem) = &result.error {
            return Err(problem.clone());
        }
        let commit = result.commit.clone().unwrap_or_default();
        let text = format!("✔ pushed {} to {}", short(&commit), result.branch);
        log.say("pushed", &text, json!({"commit": commit, "branch": result.branch}))?;
    }
    let place = (demo.remote(), demo.directory().join("verified"));
    let (plan, results) = (prepared.plan.clone(), landed.clone());
    crate::engine::blocking(move || verify(&place, &plan, &results)).await?;
    let commit = landed.last().and_then(|result| result.commit.clone()).unwrap_or_default();
    let text = format!("✔ the remote has {}, and only marked scalars differ", short(&commit));
    log.say("verified", &text, json!({"commit": commit}))
}

/// Reads the remote itself: the branch is at the last commit, and with every marked scalar cut out its files equal
/// those of the base.
fn verify((remote, folder): &(String, PathBuf), plan: &Plan, landed: &[Landed]) -> Result<(), Problem> {
    let last = landed.last().and_then(|result| result.commit.as_deref()).unwrap_or_default();
    let (refs, _) = git::ls_remote(&Remote::new(remote)).map_err(Problem::from)?;
    let branch = landed.last().map(|result| result.branch.as_str()).unwrap_or_default();
    require(refs.branch(branch) == Some(last), "the remote does not have the commit")?;
    let base = plan.groups.first().and_then(|group| group.parent()).unwrap_or_default();
    let cache = BareCache::open(folder, remote).map_err(Problem::from)?;
    cache.fetch(&Remote::new(remote), |refs| refs.all.keys().cloned().collect()).map_err(Problem::from)?;
    let (before, after) = (read(&cache, base)?, read(&cache, last)?);
    require(before.len() == after.len(), "a file came or went")?;
    let planned: BTreeSet<&str> =
        plan.groups.iter().flat_map(|group| &group.files).map(|file| file.path.as_str()).collect();
    for ((path, old), (_, new)) in before.iter().zip(&after) {
        if old == new {
            continue;
        }
        require(planned.contains(path.as_str()), &format!("{path} changed and was not planned"))?;
        require(
            without_markers(old)? == without_markers(new)?,
            &format!("{path} changed outside its markers"),
        )?;
    }
    Ok(())
}

fn read(cache: &BareCache, commit: &str) -> Result<Vec<(String, String)>, Problem> {
    let files = cache.read_tree(commit, |_| true, |_, _| true).map_err(Problem::from)?;
    Ok(files.into_iter().map(|file| (file.path, String::from_utf8_lossy(&file.bytes).into_owned())).collect())
}

fn without_markers(text: &str) -> Result<String, Problem> {
    let sites = manifest::find(text).map_err(|error| error.problem("demo"))?;
    let mut kept = text.to_owned();
    for site in sites.iter().rev() {
        kept.replace_range(site.span.clone(), "");
    }
    Ok(kept)
}

fn require(holds: bool, otherwise: &str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::new(Code::Internal, "demo", otherwise)) }
}

/// Lets the CI go on until a signal.
async fn keep(demo: &Demo, log: &mut Log<'_>) -> Result<(), Problem> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
    let ci = demo.run_ci(move |pushed| {
        // A reader that lags misses a line, not the CI a beat.
        let _ = sender.try_send(pushed);
    });
    tokio::pin!(ci);
    loop {
        tokio::select! {
            () = &mut ci => return Ok(()),
            pushed = receiver.recv() => {
                let Some(pushed) = pushed else { return Ok(()) };
                let text = format!("► the CI pushed {}:{}", pushed.repository, pushed.tag);
                log.say("tag_pushed", &text, json!({"tag": pushed.tag, "image": pushed.repository}))?;
            }
        }
    }
}

/// Walks the demo once.
pub(super) fn demo(
    settings: &Settings,
    args: &DemoArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let (runtime, place) = (EventLoop::start()?, OnceCell::new());
    let walked = runtime.block_on(walk(settings, args, (streams.out, &place)));
    // Work beside the event loop ends first: it would make anew what is removed under it.
    runtime.finish();
    drop(place);
    Ok(Answer::nothing().with_exit(walked?))
}
