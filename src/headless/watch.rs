//! `scan -w`: a line for each tag that comes, goes, or stands for another digest, until a signal.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::session::Session;
use super::signals::{ended_by_signal, reader_gone};
use super::{Answer, Streams, clean, report, write_json, write_one_yaml};
use crate::cli::Format;
use crate::domain::object::{ImageRepository, ObjectId};
use crate::domain::watch::TagChange;
use crate::engine::{Engine, First, Scans, Seen, World};
use crate::problem::{Code, Problem};
use crate::text::count;

/// Where changes go, and what kept them from getting there.
struct Lines<'a, 'b> {
    streams: &'a mut Streams<'b>,
    engine: &'a Engine,
    /// Whether the repository is an object; else it is an image that was named.
    objects: bool,
    /// The repositories that are watched, with their images.
    watched: BTreeSet<(ObjectId, String)>,
    /// What was said of the source.
    said: Vec<Problem>,
    failed: Option<io::Error>,
}

/// Prints the changes of these repositories until a signal, or until nobody reads them any more.
pub(super) fn watch(
    session: &Session,
    chosen: impl Fn(&World) -> Vec<ImageRepository>,
    objects: bool,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let settings = session.engine.settings();
    let is_json = settings.output == Format::Json;
    let said = if objects { session.problems() } else { session.engine.image_problems() };
    for problem in said {
        report(streams, is_json, &problem);
    }
    let active = active(chosen(&session.world));
    if active.is_empty() {
        return Ok(Answer::nothing().with_note("⚠ there is no repository to watch"));
    }
    let mut lines = Lines {
        streams,
        engine: &session.engine,
        objects,
        watched: BTreeSet::new(),
        said: session.world.problems.clone(),
        failed: None,
    };
    lines.begin(&active);
    let lines = RefCell::new(lines);
    let exit = session.run_on(async {
        tokio::select! {
            exit = ended_by_signal() => exit,
            () = reader_gone() => 0,
            () = session.engine.watch(Arc::clone(&session.world), First::Now, &chosen, |seen| {
                lines.borrow_mut().take(seen, &chosen)
            }) => 0,
        }
    })?;
    match lines.into_inner().failed {
        // Who went away does not want to hear why we end.
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::new(Code::Storage, "standard output", "cannot be written").caused_by(&error))
        }
        _ => Ok(Answer::nothing().with_exit(exit)),
    }
}

impl Lines<'_, '_> {
    fn begin(&mut self, repositories: &[ImageRepository]) {
        self.say(repositories);
        let settings = self.engine.settings();
        let is_table = matches!(settings.output, Format::Table | Format::Wide);
        if is_table && !settings.no_header {
            self.print(|out| writeln!(out, "TIME\tNAME\tCHANGE\tTAG\tDIGEST"));
        }
    }

    /// Says how many are watched, and what it takes to scan at once those that were not, if that is much.
    fn say(&mut self, repositories: &[ImageRepository]) {
        let name = |repository: &ImageRepository| (repository.meta.id.clone(), repository.image.clone());
        let new = repositories.iter().filter(|repository| !self.watched.contains(&name(repository)));
        let forecast = self.engine.forecast_of(new, &Scans::default());
        self.watched = repositories.iter().map(name).collect();
        if self.engine.settings().quiet {
            return;
        }
        let watching = format!("watching {}", count(repositories.len(), "repository"));
        for text in [watching].into_iter().chain(forecast.notice()) {
            // Progress is worth nothing if it cannot be written.
            let _ = writeln!(self.streams.err, "► {}", clean(&text));
        }
    }

    fn report(&mut self, problem: &Problem) {
        report(self.streams, self.engine.settings().output == Format::Json, problem);
    }

    fn take(&mut self, seen: Seen, chosen: impl Fn(&World) -> Vec<ImageRepository>) -> ControlFlow<()> {
        for problem in self.engine.store().take_warnings() {
            self.report(&problem);
        }
        match seen {
            Seen::Failed(_, mut problem) | Seen::Incomplete(_, mut problem) => {
                if !self.objects {
                    problem.subject = problem.subject.trim_start_matches('/').to_owned();
                }
                self.report(&problem);
            }
            Seen::Unread(problem) => self.report(&problem),
            Seen::Objects(world) => {
                for problem in world.problems.iter().filter(|problem| !self.said.contains(problem)) {
                    report(self.streams, self.engine.settings().output == Format::Json, problem);
                }
                self.said.clone_from(&world.problems);
                self.say(&active(chosen(&world)));
            }
            Seen::Changes(_, changes) => {
                let (format, objects) = (self.engine.settings().output, self.objects);
                self.print(|out| changes.iter().try_for_each(|change| line(out, change, format, objects)));
            }
        }
        if self.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Prints something at once: whoever reads it may act upon it.
    fn print(&mut self, print: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let printed = print(self.streams.out).and_then(|()| self.streams.out.flush());
        self.failed = printed.err();
    }
}

fn active(repositories: Vec<ImageRepository>) -> Vec<ImageRepository> {
    repositories.into_iter().filter(|repository| !repository.suspend).collect()
}

fn line(out: &mut dyn Write, change: &TagChange, format: Format, object: bool) -> io::Result<()> {
    let id = object.then_some(&change.repository);
    let name = id.map_or_else(|| change.image.clone(), ToString::to_string);
    match format {
        Format::Json => write_json(out, &document(change, object)),
        Format::Yaml => write_one_yaml(out, &document(change, object)),
        Format::Name => writeln!(out, "imagerepository/{}:{}", clean(&name), clean(&change.tag)),
        Format::Table | Format::Wide => {
            let (word, tag) = (change.change.word(), clean(&change.tag));
            let digest = change.digest.as_deref().unwrap_or_default();
            writeln!(out, "{}\t{}\t{word}\t{tag}\t{}", change.time, clean(&name), clean(digest))
        }
    }
}

fn document(change: &TagChange, object: bool) -> Value {
    let id = object.then_some(&change.repository);
    json!({
        "apiVersion": "supercargo/v1", "kind": "TagChange", "time": change.time,
        "namespace": id.map(|id| &id.namespace), "name": id.map(|id| &id.name), "image": change.image,
        "change": change.change, "tag": change.tag, "digest": change.digest,
    })
}
