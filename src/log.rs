//! What the program does while it works, for whoever asked with `--log-level`: a line for each event, without secrets.
//!
//! Only events of this crate are let through. The HTTP and TLS libraries have events too, and those print headers.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Lets events of this level and graver ones onto standard error.
pub(crate) fn to_stderr(level: &str) {
    start(level, io::stderr);
}

/// As [`to_stderr`], into the file of the day in `folder`: the screen is taken. It is made when there is something to write.
#[cfg(feature = "tui")]
pub(crate) fn to_file(level: &str, folder: &Path) {
    let name = format!("{}.log", jiff::Timestamp::now().strftime("%Y-%m-%d"));
    start(level, Mutex::new(Late { path: folder.join(name), file: None }));
}

fn start(level: &str, writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let level: Level = level.parse().unwrap_or(Level::WARN);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false).log_internal_errors(false);
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    // A second command in one process, as in tests, goes on with the first one's.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ours).with(lines));
}

/// A file that is opened with the first line. What cannot be written is lost: there is no other place to say so.
struct Late {
    path: PathBuf,
    file: Option<File>,
}

impl Write for Late {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() {
            self.file = open(&self.path).ok();
        }
        if let Some(file) = &mut self.file {
            let _ = file.write_all(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_made_with_the_first_line_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/day.log");
        let mut late = Late { path: path.clone(), file: None };
        assert!(!path.exists());
        late.write_all(b"one\n").unwrap();
        late.write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_made_fails_nobody() {
        let mut late = Late { path: "/dev/null/log".into(), file: None };
        late.write_all(b"one\n").unwrap();
    }
}
