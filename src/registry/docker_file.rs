//! How the files of docker and its relatives are read: a regular one when it has changed, a pipe once in a process's life.
//!
//! A pipe, as a shell's `<(…)` makes one, gives what is in it to whoever reads it first, and one that nobody writes to never ends.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::docker_config::DockerFile;
use super::keyring::KeyringError;

/// How long a pipe is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// What tells a file from what it was: its number, length and time; `None` for a pipe.
type Stamp = Option<(u64, u64, i64, i64)>;

/// What came of reading a file.
type Said = Result<DockerFile, KeyringError>;

/// By label and path, what the file was and what came of reading it.
type Known = HashMap<(String, PathBuf), (Stamp, Said)>;

/// What was read. Of the process, as a pipe's content is.
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// What the file `label` at `path` holds; `None` if there is none.
pub(super) fn load(label: &str, path: &Path) -> Option<Said> {
    let unreadable = |reason: String| KeyringError::Unreadable {
        label: label.to_owned(),
        file: path.display().to_string(),
        reason,
    };
    let stamp = match path.metadata().map(|found| stamp(&found)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(unreadable(error.to_string()))),
        Ok(None) => return Some(Err(unreadable("it is neither a file nor a pipe".to_owned()))),
        Ok(Some(stamp)) => stamp,
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let place = (label.to_owned(), path.to_owned());
    if let Some((before, said)) = known.get(&place)
        && *before == stamp
    {
        return Some(said.clone());
    }
    let text = if stamp.is_some() { whole(path) } else { piped(path) };
    let said = text.map_err(unreadable).and_then(|text| DockerFile::read(label, text.expose_secret()));
    known.insert(place, (stamp, said.clone()));
    Some(said)
}

/// The stamp of a file or a pipe; `None`: it is something else.
fn stamp(found: &Metadata) -> Option<Stamp> {
    let of_file = || (found.ino(), found.len(), found.mtime(), found.mtime_nsec());
    let kind = found.file_type();
    if kind.is_file() { Some(Some(of_file())) } else { kind.is_fifo().then_some(None) }
}

fn whole(path: &Path) -> Result<SecretString, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    read.map(|_length| text.into()).map_err(|error| error.to_string())
}

/// A thread of its own waits for a pipe: even to open one can last for ever.
fn piped(path: &Path) -> Result<SecretString, String> {
    let (answer, answered) = mpsc::channel();
    let path = path.to_owned();
    // Nobody hears it any more if it is late.
    std::thread::spawn(move || drop(answer.send(whole(&path))));
    let late = || format!("it is a pipe that nobody wrote to its end within {} s", PATIENCE.as_secs());
    answered.recv_timeout(PATIENCE).unwrap_or_else(|_late| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_is_another_and_what_is_neither_file_nor_pipe_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.json");
        assert!(load("x", &path).is_none());
        std::fs::write(&path, "{}").unwrap();
        assert!(load("x", &path).unwrap().is_ok());
        std::fs::write(&path, "nonsense").unwrap();
        assert!(load("x", &path).unwrap().is_err());
        let refused = load("x", Path::new("/dev/zero")).unwrap().unwrap_err().to_string();
        assert!(
            refused.ends_with("/dev/zero could not be read: it is neither a file nor a pipe"),
            "{refused}"
        );
    }
}
