//! `demo --headless`.

use super::session::event_loop;
use super::{Answer, Streams};
use crate::cli::DemoArgs;
use crate::config::Settings;
use crate::problem::Problem;

/// Walks the demo once.
pub(super) fn demo(
    settings: &Settings,
    args: &DemoArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let exit = event_loop()?.block_on(crate::demo::walk(settings, args, streams.out))?;
    Ok(Answer::nothing().with_exit(exit))
}

/// Waits for a signal that ends the program, and returns the exit status that says so: 128 and its number.
pub(crate) async fn ended_by_signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    let waits = kinds.into_iter().map(|kind| {
        Box::pin(async move {
            match signal(kind) {
                Ok(mut stream) => drop(stream.recv().await),
                // Without a handler the system ends us by itself.
                Err(_) => std::future::pending::<()>().await,
            }
            kind.as_raw_value()
        })
    });
    let (number, ..) = futures::future::select_all(waits).await;
    128 + u8::try_from(number).unwrap_or_default()
}
