//! `get … -w`: the list, and what became of it whenever something changes, until a signal.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::get::What;
use super::session::Session;
use super::signals::{ended_by_signal, reader_gone};
use super::{Answer, Document, Streams, Text, print, report, table, whole, write_json, write_one_yaml};
use crate::cli::Format;
use crate::config::{Refresh, Settings};
use crate::domain::object::{ImageRepository, ObjectId};
use crate::engine::{First, Seen, World};
use crate::problem::{Code, Problem};

/// How long until remotes are asked again without anything else happening.
const MINUTE: Duration = Duration::from_mins(1);

/// What can happen.
enum Event {
    Seen(Box<Seen>),
    /// A signal came, or nobody reads any more.
    End(u8),
}

/// What was printed last.
struct Shown {
    items: Vec<Value>,
    names: Vec<String>,
    problems: Vec<Problem>,
}

/// Prints the list, then what changes of it, until a signal, or until nobody reads it any more.
pub(super) fn follow(settings: &Settings, what: &What, streams: &mut Streams<'_>) -> Result<Answer, Problem> {
    let mut session = Session::open(settings)?;
    let mut world = Arc::clone(&session.world);
    let answer = what.answer(&mut session)?;
    let exit = print(streams, settings, &answer);
    let Some(document) = &answer.document else { return Ok(Answer::nothing().with_exit(exit)) };
    let mut shown = Shown::of(&**document, answer.problems);
    let mut events = begin(&session, &world, what);
    let mut seen = SeenSoFar::default();
    loop {
        let event = session.run_on(async { tokio::time::timeout(MINUTE, events.recv()).await })?;
        let mut next = event.unwrap_or(Some(Event::Seen(Box::new(Seen::Objects(Arc::clone(&world))))));
        let mut is_news = false;
        while let Some(event) = next {
            match event {
                Event::End(exit) => return Ok(Answer::nothing().with_exit(exit)),
                Event::Seen(event) => is_news |= seen.take(*event, &mut world, streams, settings),
            }
            next = events.try_recv().ok();
        }
        if !is_news {
            continue;
        }
        session.world = Arc::clone(&world);
        session.scanned_elsewhere = Some(seen.failed.clone());
        let answer = what.answer(&mut session);
        if session.end().is_cancelled() {
            // What ended it under way is the next event.
            continue;
        }
        match answer {
            Ok(answer) => {
                let Some(document) = &answer.document else { continue };
                let next = Shown::of(&**document, answer.problems);
                if let Err(error) = shown.print_change(&next, &**document, settings, streams) {
                    return ended(&error);
                }
                shown = next;
            }
            Err(problem) => report(streams, settings.output == Format::Json, &problem),
        }
    }
}

/// Who went away does not want to hear why we end.
fn ended(error: &io::Error) -> Result<Answer, Problem> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(Answer::nothing());
    }
    Err(Problem::new(Code::Storage, "standard output", "cannot be written").caused_by(error))
}

/// Has everything watched that the list is about.
fn begin(session: &Session, world: &Arc<World>, what: &What) -> UnboundedReceiver<Event> {
    let (send, events) = unbounded_channel();
    let (engine, world, what) = (session.engine.clone(), Arc::clone(world), what.clone());
    let (tell, end) = (send.clone(), session.end());
    let settings = engine.settings().clone();
    session.spawn(async move {
        let chosen = move |world: &World| match settings.refresh {
            Refresh::Never => Vec::new(),
            Refresh::Auto | Refresh::Always => repositories(&what, &settings, world),
        };
        let hear = move |seen| match send.send(Event::Seen(Box::new(seen))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_gone) => ControlFlow::Break(()),
        };
        engine.watch(world, First::WhenDue, chosen, hear).await;
    });
    session.spawn(async move {
        let exit = tokio::select! {
            exit = ended_by_signal() => exit,
            () = reader_gone() => 0,
        };
        // Whoever would have to know has ended already.
        let _ = tell.send(Event::End(exit));
        end.cancel();
    });
    events
}

/// The repositories that `what` is about.
fn repositories(what: &What, settings: &Settings, world: &World) -> Vec<ImageRepository> {
    // What cannot be chosen by was refused before anything was watched.
    let Ok(scope) = what.scope(settings, world) else { return Vec::new() };
    let all = scope.repositories.iter().filter_map(|id| world.inventory.repositories.get(id));
    all.cloned().collect()
}

/// What was heard since the list was first printed.
#[derive(Default)]
struct SeenSoFar {
    failed: BTreeMap<ObjectId, Problem>,
    looked_at: BTreeSet<ObjectId>,
}

impl SeenSoFar {
    /// Takes in what was seen. Says whether the list may be another now.
    fn take(
        &mut self,
        seen: Seen,
        world: &mut Arc<World>,
        streams: &mut Streams<'_>,
        settings: &Settings,
    ) -> bool {
        match seen {
            Seen::Changes(id, changes) => {
                let is_first = self.looked_at.insert(id.clone());
                self.failed.remove(&id).is_some() || is_first || !changes.is_empty()
            }
            Seen::Failed(id, problem) => {
                self.failed.insert(id, problem);
                true
            }
            Seen::Objects(next) => {
                self.failed.retain(|id, _| next.inventory.repositories.contains_key(id));
                *world = next;
                true
            }
            Seen::Unread(problem) | Seen::Incomplete(_, problem) => {
                report(streams, settings.output == Format::Json, &problem);
                false
            }
        }
    }
}

impl Shown {
    fn of(document: &dyn Document, problems: Vec<Problem>) -> Self {
        let mut items = match document.json().remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            // That nothing was found is no news.
            item.remove("last_scan");
        }
        Self { items, names: document.names(), problems }
    }

    /// Prints what is different in `next`, which is the rest of what `document` says.
    fn print_change(
        &self,
        next: &Self,
        document: &dyn Document,
        settings: &Settings,
        streams: &mut Streams<'_>,
    ) -> io::Result<()> {
        for problem in next.problems.iter().filter(|problem| !self.problems.contains(problem)) {
            report(streams, settings.output == Format::Json, problem);
        }
        if self.items == next.items {
            return Ok(());
        }
        let out = &mut *streams.out;
        match settings.output {
            Format::Json => write_json(out, &whole(document, &next.problems))?,
            Format::Yaml => write_one_yaml(out, &whole(document, &next.problems))?,
            Format::Name | Format::Table | Format::Wide => {
                self.print_rows(next, document, settings, out)?;
            }
        }
        streams.out.flush()?;
        let is_list = matches!(settings.output, Format::Json | Format::Yaml);
        for name in self.names.iter().filter(|name| !next.names.contains(name)) {
            if !is_list && !settings.quiet {
                // Nothing is lost with a line that nobody can read.
                let _ = writeln!(streams.err, "⚠ {} is gone", table::clean(name));
            }
        }
        Ok(())
    }

    /// The rows that are new or different.
    fn print_rows(
        &self,
        next: &Self,
        document: &dyn Document,
        settings: &Settings,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let is_new: Vec<bool> = next.items.iter().map(|item| !self.items.contains(item)).collect();
        if settings.output == Format::Name {
            let changed = next.names.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
            return changed
                .map(|(name, _)| name)
                .try_for_each(|name| writeln!(out, "{}", table::clean(name)));
        }
        match document.text(settings.output == Format::Wide) {
            Text::Table(table) => table.only(&is_new).write(out, false),
            Text::Tables(tables) => tables.iter().try_for_each(|table| table.write(out, false)),
            _ => Ok(()),
        }
    }
}
