//! Whose turn it is: among the threads of this process, and among processes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::disk::make_folder;
use super::{LOCKS, Shelf};

/// How long a change waits for another process to finish its own.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The right to read a file, change it and write it, which nobody else has meanwhile.
#[derive(Debug)]
pub(in super::super) struct Turn<'a> {
    _in_this_process: MutexGuard<'a, ()>,
    /// `None`: where no lock can be kept, no other process writes either.
    _among_processes: Option<File>,
}

impl Shelf {
    /// Keeps others out while `name` is read, changed and written; `None` if another process does not let go of it.
    pub(in super::super) fn turn(&self, name: &str) -> Option<Turn<'_>> {
        let hash = name.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        let bucket = usize::from(hash) % LOCKS;
        let in_this_process = self.turns.get(bucket)?.lock().unwrap_or_else(PoisonError::into_inner);
        let among_processes = match self.lock_file(&format!(".lock-{bucket:02}")) {
            Some(file) => Some(wait_for(file)?),
            None => None,
        };
        Some(Turn { _in_this_process: in_this_process, _among_processes: among_processes })
    }

    /// Takes the lock of the whole folder, without waiting.
    pub(in super::super) fn try_lock(&self) -> Option<File> {
        let file = self.lock_file(".lock")?;
        file.try_lock().ok().map(|()| file)
    }

    /// A file to lock, made if need be; `None` where none can be made.
    pub(in super::super) fn lock_file(&self, name: &str) -> Option<File> {
        let folder = self.folder.as_ref()?;
        make_folder(folder).ok()?;
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join(name)).ok()
    }
}

/// Waits for another process to give up a lock.
fn wait_for(file: File) -> Option<File> {
    let step = Duration::from_millis(1);
    for _ in 0..LOCK_PATIENCE.as_millis() / step.as_millis() {
        if file.try_lock().is_ok() {
            return Some(file);
        }
        std::thread::sleep(step);
    }
    None
}
