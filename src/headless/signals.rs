//! What ends a command that would go on for ever: a signal, or a reader that has gone.

use tokio::io::Interest;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use crate::children;

/// Waits for a signal that ends the program, and returns the exit status that says so: 128 and its number.
pub(super) async fn ended_by_signal() -> u8 {
    children::leave_signals_to_others();
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
    children::end_all();
    128 + u8::try_from(number).unwrap_or_default()
}

/// Waits until whoever reads standard output has closed it; for ever where that cannot be told, as of a file.
pub(super) async fn reader_gone() {
    // Opened anew, so that what the reader shares of it stays as it is; what is no pipe cannot be opened like this.
    let Ok(pipe) = pipe::OpenOptions::new().open_sender("/proc/self/fd/1") else {
        return std::future::pending().await;
    };
    if pipe.ready(Interest::ERROR).await.is_err() {
        std::future::pending::<()>().await;
    }
}
