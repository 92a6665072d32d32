//! The log while it is on the screen: what was written, and what is written from then on.

use std::time::Duration;

use super::Work;
use crate::app::effect::JobId;
use crate::app::message::Msg;
use crate::runtime::clock;

/// How often the log is looked at while it is on the screen.
const LOG: Duration = Duration::from_millis(500);

/// So much of the log is shown, in hours.
const SHOWN_HOURS: i64 = 7 * 24;

/// Tells what was written into the log in the last days, and what is written from then on.
pub(super) async fn follow_log(work: Work, job: JobId) {
    let engine = work.engine.clone();
    let read = move || {
        let (audit, now) = (engine.store().audit(), clock::now());
        let follower = audit.follow(now);
        let since = now.checked_sub(jiff::SignedDuration::from_hours(SHOWN_HOURS)).unwrap_or(now);
        (audit.folder().map(|path| path.display().to_string()), follower, audit.since(since))
    };
    let Ok((folder, mut follower, mut events)) = tokio::task::spawn_blocking(read).await else { return };
    let mut known = events.clone();
    // Keys wait for the first look, whatever it brings.
    let mut is_first = true;
    loop {
        if std::mem::take(&mut is_first) || !events.is_empty() {
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
