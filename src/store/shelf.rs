//! A folder of files that are written whole or by the line, with memory to fall back on. Of a file that stays the same eight bytes
//! may be overwritten.

mod disk;
mod locks;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::notices::{Notices, Part};
use disk::{append, beginning, give_back, make_folder, replace, shorten_file};

pub(super) use disk::probe;
pub(super) use locks::Turn;

/// How many locks serve all files of a folder, so that the scans of a fleet do not wait for one another.
const LOCKS: usize = 16;

/// What could not be written, by file name.
#[derive(Debug, Default)]
struct Memory {
    /// Contents that hide the file of that name.
    whole: HashMap<String, Vec<u8>>,
    /// Lines that come behind those of the file of that name.
    lines: HashMap<String, Vec<u8>>,
}

/// When a file that was replaced is the new one after a crash, too. A folder takes several times as long to be synced as a file,
/// and a file as long as a page of tags to be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasting {
    /// Once it is written.
    AtOnce,
    /// Once [`Shelf::settle`] was called, which serves for all that were replaced before.
    WhenSettled,
    /// Whenever that comes: of a cache the old one will do, or none. One that a crash left in part does not have its checksum.
    Whenever,
}

/// One folder.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: Option<PathBuf>,
    lasting: Lasting,
    /// Whether a file was replaced since [`Self::settle`].
    unsettled: AtomicBool,
    memory: Mutex<Memory>,
    turns: [Mutex<()>; LOCKS],
    notices: Arc<Notices>,
}

impl Shelf {
    pub(super) fn new(folder: Option<PathBuf>, notices: &Arc<Notices>) -> Self {
        Self {
            folder,
            lasting: Lasting::AtOnce,
            unsettled: AtomicBool::new(false),
            memory: Mutex::default(),
            turns: <[_; LOCKS]>::default(),
            notices: Arc::clone(notices),
        }
    }

    /// A folder whose files come back by themselves.
    pub(super) fn of_cache(folder: Option<PathBuf>, notices: &Arc<Notices>) -> Self {
        Self { lasting: Lasting::Whenever, ..Self::new(folder, notices) }
    }

    /// A folder of which many files are replaced in one pass; [`Self::settle`] ends it.
    pub(super) fn of_passes(folder: Option<PathBuf>, notices: &Arc<Notices>) -> Self {
        Self { lasting: Lasting::WhenSettled, ..Self::new(folder, notices) }
    }

    /// Where a file lies, if on a disk.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name))
    }

    /// The content of a file; `None` if there is none that can be read.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let remembered = self.memory().whole.get(name).cloned();
        remembered.or_else(|| self.on_disk(name))
    }

    /// As [`Self::read`], for files whose absence means something.
    ///
    /// # Errors
    /// There is one on the disk, and it cannot be read.
    pub(super) fn try_read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(remembered) = self.memory().whole.get(name) {
            return Ok(Some(remembered.clone()));
        }
        match self.path(name).map(std::fs::read) {
            None => Ok(None),
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Some(read) => read.map(Some),
        }
    }

    /// Forgets what memory keeps of a file that could not be written.
    pub(super) fn forget(&self, name: &str) {
        self.memory().whole.remove(name);
    }

    /// The first `length` bytes of a file, or all if it is shorter.
    pub(super) fn beginning(&self, name: &str, length: usize) -> Option<Vec<u8>> {
        if let Some(remembered) = self.memory().whole.get(name) {
            return Some(remembered.get(..length).unwrap_or(remembered).to_vec());
        }
        self.beginning_on_disk(name, length)
    }

    /// As [`Self::beginning`], whatever memory keeps in the place of the file.
    pub(super) fn beginning_on_disk(&self, name: &str, length: usize) -> Option<Vec<u8>> {
        let file = File::open(self.path(name)?).ok()?;
        beginning(&file, length).ok()
    }

    /// Keeps in memory what takes the place of a file that is not to be written.
    pub(super) fn remember(&self, name: &str, bytes: &[u8]) {
        self.memory().whole.insert(name.to_owned(), bytes.to_vec());
    }

    /// Shows `change` the first `length` bytes of a file on the disk, and overwrites what lies at `place` with what it returns.
    /// Eight bytes at a multiple of eight are written at once: readers see the old ones or the new ones, and a crash leaves
    /// either.
    ///
    /// # Errors
    /// There is no such file on the disk, or it cannot be written.
    pub(super) fn amend(
        &self,
        name: &str,
        length: usize,
        place: usize,
        change: impl FnOnce(&[u8]) -> Option<[u8; 8]>,
    ) -> io::Result<()> {
        let path = self.path(name).filter(|_| !self.memory().whole.contains_key(name));
        let file = OpenOptions::new().read(true).write(true).open(path.ok_or(io::ErrorKind::NotFound)?)?;
        match change(&beginning(&file, length)?) {
            Some(bytes) => file.write_all_at(&bytes, place as u64),
            None => Ok(()),
        }
    }

    /// The lines of a file, those that could not be written behind the others.
    pub(super) fn read_lines(&self, name: &str) -> Vec<u8> {
        self.read_lines_from(name, 0)
    }

    /// As [`Self::read_lines`], without its first `from` bytes, which are not read.
    pub(super) fn read_lines_from(&self, name: &str, from: u64) -> Vec<u8> {
        let (mut lines, skipped) = self.on_disk_from(name, from).unwrap_or_default();
        if let Some(more) = self.memory().lines.get(name) {
            // A process that was killed may have left half a line.
            lines.push(b'\n');
            lines.extend_from_slice(more);
        }
        let left = usize::try_from(from - skipped).unwrap_or(usize::MAX).min(lines.len());
        lines.split_off(left)
    }

    /// What a file holds behind its first `from` bytes, and how many of these there are.
    fn on_disk_from(&self, name: &str, from: u64) -> Option<(Vec<u8>, u64)> {
        let mut file = File::open(self.path(name)?).ok()?;
        let skipped = from.min(file.metadata().ok()?.len());
        file.seek(SeekFrom::Start(skipped)).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        Some((bytes, skipped))
    }

    fn on_disk(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.path(name)?).ok()
    }

    /// Replaces a file: readers see the old content or the new, never a part. Whether that is on the disk; if not, it is
    /// kept in memory.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> bool {
        let written = self.in_folder(|folder| replace(folder, name, bytes, self.lasting));
        tracing::trace!(bytes = bytes.len(), written, "store: {name} replaced");
        if written {
            self.memory().whole.remove(name);
            self.unsettled.fetch_or(self.lasting == Lasting::WhenSettled, Ordering::Release);
        } else {
            self.remember(name, bytes);
        }
        written
    }

    /// Waits until all that was replaced would be found after a crash, too; returns whether anything was.
    pub(super) fn settle(&self) -> bool {
        let was_unsettled = self.unsettled.swap(false, Ordering::Acquire);
        if let Some(folder) = self.folder.as_ref().filter(|_| was_unsettled) {
            // As with lines: what the disk does not take is no less written.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        was_unsettled
    }

    /// Adds whole lines to a file, in one write so that those of several processes do not mix; returns when they are on the
    /// disk.
    pub(super) fn append(&self, name: &str, lines: &[u8]) {
        self.add(name, lines);
        self.sync(name);
    }

    /// Waits until what was added to a file is on the disk.
    pub(super) fn sync(&self, name: &str) {
        // What the disk does not take is no less written: memory serves, and the next line says so.
        let _ = self.path(name).map(|path| File::open(path).and_then(|file| file.sync_data()));
    }

    /// As [`Self::append`], but returns when the system has the lines, which then outlive this process and not yet the
    /// computer.
    pub(super) fn add(&self, name: &str, lines: &[u8]) {
        let mut waiting = self.memory().lines.remove(name).unwrap_or_default();
        waiting.extend_from_slice(lines);
        let written = self.in_folder(|folder| append(&folder.join(name), &waiting));
        tracing::trace!(bytes = lines.len(), written, "store: {name} appended to");
        if !written {
            let mut memory = self.memory();
            let behind = memory.lines.entry(name.to_owned()).or_default();
            waiting.append(behind);
            *behind = waiting;
        }
    }

    /// Puts what `shorten` makes of a file's lines in their place; lines that others add meanwhile come behind that.
    ///
    /// Nothing happens if the file cannot be written or another process is at it: it stays as long as it is.
    pub(super) fn shorten(&self, name: &str, shorten: impl FnOnce(&[u8]) -> Vec<u8>) {
        let (Some(folder), Some(_turn)) = (&self.folder, self.turn(name)) else { return };
        match shorten_file(folder, name, shorten) {
            Ok(()) => self.sync(name),
            Err(error) => tracing::debug!("store: {name} stays as long as it is: {error}"),
        }
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// It is there and stays.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        self.memory().whole.remove(name);
        self.memory().lines.remove(name);
        match self.path(name).map(std::fs::remove_file) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Renames a file with the content `bytes`, so that it can be looked at and is not read again, and says so in a
    /// sentence: `what` it holds and is wrong with it, and what comes of that.
    pub(super) fn set_aside(&self, name: &str, bytes: &[u8], (what, then): (&str, &str)) {
        self.memory().whole.remove(name);
        let Some(from) = self.path(name) else { return };
        let to = from.with_file_name(format!("{name}{ASIDE}"));
        match std::fs::rename(&from, &to) {
            // Another process has just written it anew.
            Ok(()) if std::fs::read(&to).is_ok_and(|moved| moved != bytes) => give_back(&to, &from),
            Ok(()) => {
                self.notices.push(&from, format!("{what} and was set aside as {}; {then}", to.display()));
            }
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.notices.stuck(&from, format!("{what} and cannot be set aside ({error}); {then}"), None);
            }
        }
    }

    /// Says what is wrong with a file that stays where it is, and what to do, once in a process's life.
    pub(super) fn complain(&self, file: &Path, message: String, hint: Option<&str>) {
        self.notices.stuck(file, message, hint);
    }

    /// The names of the files.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = {
            let memory = self.memory();
            memory.whole.keys().chain(memory.lines.keys()).cloned().collect()
        };
        let entries = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        names.extend(
            entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()),
        );
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the work on the folder was done; if not, a notice says why.
    fn in_folder(&self, work: impl FnOnce(&Path) -> io::Result<()>) -> bool {
        let Some(folder) = &self.folder else { return false };
        match make_folder(folder).and_then(|()| work(folder)) {
            Ok(()) => true,
            Err(error) => {
                let is_cache = self.lasting == Lasting::Whenever;
                let part = if is_cache { Part::Cache } else { Part::State };
                self.notices.unwritable(part, folder, &error);
                false
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the name of a file that was set aside ends with.
pub(super) const ASIDE: &str = ".corrupt";

/// What the name of a file begins with while it is being written.
pub(super) const UNFINISHED: &str = ".tmp";

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
    use std::collections::BTreeSet;
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
        assert_eq!(shelf.read_lines("log"), b"{\"half\nwhole\n");
    }

    #[test]
    fn a_file_that_is_shortened_while_others_add_to_it_loses_no_line() {
        const LINES: usize = 60;
        let dir = tempfile::tempdir().unwrap();
        shelf(dir.path()).append("log", b"first\n");
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|who| {
                    let shelf = shelf(dir.path());
                    scope.spawn(move || {
                        for n in 0..LINES {
                            shelf.append("log", format!("{who} {n}\n").as_bytes());
                        }
                    })
                })
                .collect();
            let shelf = shelf(dir.path());
            while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                shelf.shorten("log", <[u8]>::to_vec);
            }
        });
        let log = String::from_utf8(shelf(dir.path()).read_lines("log")).unwrap();
        let lines: BTreeSet<&str> = log.lines().collect();
        assert_eq!(lines.len(), 1 + 4 * LINES, "{log}");
    }

    #[test]
    fn lines_that_could_not_be_written_are_read_and_written_with_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        std::fs::write(&folder, "in the way").unwrap();
        let shelf = shelf(&folder);
        shelf.append("log", b"one\n");
        shelf.append("log", b"two\n");
        assert_eq!(shelf.read_lines("log"), b"\none\ntwo\n");
        std::fs::remove_file(&folder).unwrap();
        shelf.append("log", b"three\n");
        assert_eq!(std::fs::read(folder.join("log")).unwrap(), b"one\ntwo\nthree\n");
        assert_eq!(shelf.read_lines("log"), b"one\ntwo\nthree\n");
    }

    #[test]
    fn a_file_that_was_written_anew_is_not_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        shelf.write("list", b"good");
        shelf.set_aside("list", b"damaged", ("a list was damaged", "it is read again"));
        assert_eq!(shelf.read("list").unwrap(), b"good");
        assert!(shelf.notices.take().is_empty());
        shelf.set_aside("gone", b"damaged", ("a list was damaged", "it is read again"));
        assert!(shelf.notices.take().is_empty());
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
