//! What the program does while it works, for whoever asked with `--log-level`: a line for each event, without secrets.
//!
//! Only events of this crate are let through. The HTTP and TLS libraries have events too, and those print headers.

#[cfg(feature = "tui")]
mod file;

use std::io;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

#[cfg(feature = "tui")]
pub(crate) use file::to_file;

/// Lets events of this level and graver ones onto standard error.
pub(crate) fn to_stderr(level: &str) {
    start(level, io::stderr);
}

fn start(level: &str, writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let level: Level = level.parse().unwrap_or(Level::WARN);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false).log_internal_errors(false);
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    // A second command in one process, as in tests, goes on with the first one's.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ours).with(lines));
}
