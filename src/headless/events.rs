//! `events`: the audit log, as a list and as it grows.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::event_loop::EventLoop;
use super::signals::{ended_by_signal, reader_gone};
use super::{Answer, Streams, clean, write_json, write_one_yaml};
use crate::cli::{EventsArgs, Format};
use crate::config::Settings;
use crate::domain::hold::Until;
use crate::engine::Engine;
use crate::problem::{Code, Problem};
use crate::store::Event;

/// How often the log is looked at while it is followed.
const LOOK: Duration = Duration::from_millis(250);

/// `events [--since 1h] [-w]`.
pub(super) fn events(
    settings: &Settings,
    args: &EventsArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let since = since(args.since, crate::engine::now())?;
    let engine = Engine::open(settings.clone())?;
    let audit = engine.store().audit();
    // Before the list is read, so that nothing falls between the two.
    let mut follower = args.watch.then(|| audit.follow(crate::engine::now()));
    let events = audit.since(since);
    let nothing = events.is_empty() && follower.is_none();
    let is_table = matches!(settings.output, Format::Table | Format::Wide);
    let mut printed = if is_table && !settings.no_header && !nothing {
        writeln!(streams.out, "TIME\tEVENT\tSUBJECT\tDETAIL\tRESULT\tMODE\tPLAN\tUSER\tHOST")
    } else {
        Ok(())
    };
    printed = printed.and_then(|()| print(streams.out, &events, settings.output));
    let mut exit = 0;
    if let Some(follower) = &mut follower {
        let mut between = audit.next(follower, Timestamp::now());
        between.retain(|event| !events.contains(event));
        printed = printed.and_then(|()| print(streams.out, &between, settings.output));
        exit = EventLoop::start()?.block_on(async {
            let go_on = async {
                while printed.is_ok() {
                    tokio::time::sleep(LOOK).await;
                    let new = audit.next(follower, Timestamp::now());
                    printed = print(streams.out, &new, settings.output);
                }
            };
            Ok(tokio::select! {
                exit = ended_by_signal() => exit,
                () = reader_gone() => 0,
                () = go_on => 0,
            })
        })?;
    }
    match printed {
        // Who went away does not want to hear why we end.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::new(Code::Storage, "standard output", "cannot be written").caused_by(&error))
        }
        _ => {
            let answer = Answer::nothing().with_problems(engine.store().take_warnings()).with_exit(exit);
            Ok(if nothing { answer.with_note("✔ nothing was done since then") } else { answer })
        }
    }
}

/// The time that `--since` names: so long ago, or then; without it the beginning of all that is kept.
fn since(since: Option<Until>, now: Timestamp) -> Result<Timestamp, Problem> {
    match since {
        None => Ok(Timestamp::MIN),
        Some(Until::At(time)) => Ok(time),
        Some(Until::After(duration)) => {
            let duration = jiff::SignedDuration::try_from(duration);
            let then = duration.ok().and_then(|duration| now.checked_sub(duration).ok());
            then.ok_or_else(|| Problem::new(Code::Usage, "--since", "that is longer ago than there is time"))
        }
    }
}

/// Prints events, and sends them off: whoever reads them may act upon them.
fn print(out: &mut dyn Write, events: &[Event], format: Format) -> io::Result<()> {
    events.iter().try_for_each(|event| line(out, event, format))?;
    out.flush()
}

fn line(out: &mut dyn Write, event: &Event, format: Format) -> io::Result<()> {
    match format {
        Format::Json => write_json(out, &document(event)),
        Format::Yaml => write_one_yaml(out, &document(event)),
        Format::Name => writeln!(out, "event/{}/{}", clean(&event.event), clean(&event.subject)),
        Format::Table | Format::Wide => {
            let Event { time, event, subject, detail, result, mode, plan, user, host } = event;
            let plan = plan.as_deref().unwrap_or("-");
            let cells = [event, subject, detail, result, mode, plan, user, host].map(clean);
            writeln!(out, "{time}\t{}", cells.join("\t"))
        }
    }
}

fn document(event: &Event) -> Value {
    let Event { time, event, subject, detail, result, mode, plan, user, host } = event;
    json!({
        "apiVersion": "supercargo/v1", "kind": "Event", "time": time, "event": event, "subject": subject,
        "detail": detail, "result": result, "mode": mode, "plan": plan, "user": user, "host": host,
    })
}
