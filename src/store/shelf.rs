//! A folder of files that are written whole or by the line, with memory to fall back on.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::problem::{Code, Problem};

/// How long a change waits for another process to finish its own; then it goes ahead, as the files stay whole anyway.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How much must fit on the disk for files to be kept there, in bytes: the little that an empty Git cache takes.
const PROBE: usize = 64 << 10;

/// What a person should hear about the store.
#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: Mutex<(Vec<Problem>, bool)>,
}

impl Notices {
    /// Notes, once in a process's life, that memory takes the place of files.
    pub(super) fn memory_only(&self, why: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut waiting.1, true) {
            let message = format!("state is kept in memory only: {why}");
            waiting.0.push(Problem::new(Code::State, "", message));
        }
    }

    fn push(&self, problem: Problem) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).0.push(problem);
    }

    pub(super) fn take(&self) -> Vec<Problem> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// One folder.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: Option<PathBuf>,
    /// What could not be written, by file name; it hides the file of that name.
    memory: Mutex<HashMap<String, Vec<u8>>>,
    notices: Arc<Notices>,
}

impl Shelf {
    pub(super) fn new(folder: Option<PathBuf>, notices: &Arc<Notices>) -> Self {
        Self { folder, memory: Mutex::default(), notices: Arc::clone(notices) }
    }

    /// The content of a file; `None` if there is none that can be read.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let remembered = self.memory.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        remembered.or_else(|| std::fs::read(self.folder.as_ref()?.join(name)).ok())
    }

    /// Replaces a file: readers see the old content or the new, never a part.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        let written = self.in_folder(|folder| replace(folder, name, bytes));
        tracing::trace!(bytes = bytes.len(), written, "store: {name} replaced");
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if written {
            memory.remove(name);
        } else {
            memory.insert(name.to_owned(), bytes.to_vec());
        }
    }

    /// Adds whole lines to a file, in one write so that those of several processes do not mix.
    pub(super) fn append(&self, name: &str, lines: &[u8]) {
        let written = self.in_folder(|folder| append(&folder.join(name), lines));
        tracing::trace!(bytes = lines.len(), written, "store: {name} appended to");
        if !written {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let file = || self.folder.as_ref().and_then(|folder| std::fs::read(folder.join(name)).ok());
            memory
                .entry(name.to_owned())
                .or_insert_with(|| file().unwrap_or_default())
                .extend_from_slice(lines);
        }
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, name: &str) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        if let Some(folder) = &self.folder {
            // Absent is what we want; what cannot be removed will be overwritten or fail then.
            let _ = std::fs::remove_file(folder.join(name));
        }
    }

    /// Renames a file that makes no sense, so that it can be looked at and is not read again.
    pub(super) fn set_aside(&self, name: &str, what: &str) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let Some(folder) = &self.folder else { return };
        let (from, to) = (folder.join(name), folder.join(format!("{name}.corrupt")));
        let moved = std::fs::rename(&from, &to);
        let message = match moved {
            Ok(()) => format!("{what} was damaged and was set aside as {}", to.display()),
            Err(error) => format!("{what} is damaged and could not be set aside: {error}"),
        };
        self.notices.push(Problem::new(Code::State, from.display().to_string(), message));
    }

    /// The names of the files.
    pub(super) fn names(&self) -> Vec<String> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = memory.keys().cloned().collect();
        let entries = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        names.extend(
            entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()),
        );
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Keeps others out while `name` is read, changed and written; `None` if that was not to be had.
    ///
    /// Sixteen locks serve all files, so that the scans of a fleet do not wait for one another.
    pub(super) fn lock(&self, name: &str) -> Option<File> {
        let bucket = name.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 16;
        let file = self.lock_file(&format!(".lock-{bucket:02}"))?;
        let step = Duration::from_millis(1);
        for _ in 0..LOCK_PATIENCE.as_millis() / step.as_millis() {
            if file.try_lock().is_ok() {
                return Some(file);
            }
            std::thread::sleep(step);
        }
        None
    }

    /// Takes the lock of the whole folder, without waiting.
    pub(super) fn try_lock(&self) -> Option<File> {
        let file = self.lock_file(".lock")?;
        file.try_lock().ok().map(|()| file)
    }

    fn lock_file(&self, name: &str) -> Option<File> {
        let folder = self.folder.as_ref()?;
        make_folder(folder).ok()?;
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join(name)).ok()
    }

    /// Whether the work on the folder was done; if not, a notice says why.
    fn in_folder(&self, work: impl FnOnce(&Path) -> io::Result<()>) -> bool {
        let Some(folder) = &self.folder else { return false };
        match make_folder(folder).and_then(|()| work(folder)) {
            Ok(()) => true,
            Err(error) => {
                self.notices.memory_only(&format!("{} cannot be written: {error}", folder.display()));
                false
            }
        }
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes the folder if need be, and a file in it for a moment: an empty one also fits on a full disk.
pub(super) fn probe(folder: &Path) -> io::Result<()> {
    make_folder(folder)?;
    tempfile::tempfile_in(folder)?.write_all(&vec![0; PROBE])
}

fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|failed| failed.error)?;
    // The rename itself lies in the folder.
    File::open(folder)?.sync_all()
}

fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
    // A process that was killed may have left half a line, which must not swallow ours.
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] {
        file.write_all(lines)?;
    } else {
        file.write_all(&[b"\n", lines].concat())?;
    }
    file.sync_data()
}

/// A file name for any text: readable in its beginning, told apart by a hash in its end.
pub(super) fn file_name(text: &str, ending: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '~' };
    let readable: String = text.chars().take(100).map(plain).collect();
    let hash = Sha256::digest(text).first_chunk().copied().map_or(0, u64::from_be_bytes);
    // Never a hidden file, never `..`.
    format!("{}-{hash:016x}.{ending}", readable.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn shelf(folder: &Path) -> Shelf {
        Shelf::new(Some(folder.to_path_buf()), &Arc::default())
    }

    #[test]
    fn files_and_folders_are_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        let shelf = shelf(&folder);
        shelf.write("whole", b"x");
        shelf.append("lines", b"x\n");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&dir.path().join("a")), 0o700);
        assert_eq!(mode(&folder.join("whole")), 0o600);
        assert_eq!(mode(&folder.join("lines")), 0o600);
    }

    #[test]
    fn half_a_line_does_not_swallow_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        std::fs::write(dir.path().join("log"), "{\"half").unwrap();
        shelf.append("log", b"whole\n");
        assert_eq!(shelf.read("log").unwrap(), b"{\"half\nwhole\n");
    }

    #[test]
    fn names_are_safe_and_differ() {
        let name = file_name("ghcr.io/acme/podinfo", "tags");
        assert!(name.starts_with("ghcr.io~acme~podinfo-"), "{name}");
        assert_ne!(name, file_name("ghcr.io/acme~podinfo", "tags"));
        assert!(file_name("../../etc/passwd", "x").starts_with('~'));
        assert!(file_name(&"x".repeat(400), "x").len() < 255);
    }
}
