//! A folder of checksummed files of one kind. A file that makes no sense is set aside, with a warning; of a kind that nothing
//! brings back, one of a version to come is left where it is.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use super::codec::{self, Head, Kind, Print, Unreadable};
use super::shelf::{ASIDE, Shelf, Turn, UNFINISHED};

/// A file of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedFile {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last written.
    pub written: Timestamp,
    /// What it holds. `None`: nothing that is read, such as a list that was set aside or that a killed process left
    /// half written.
    pub holds: Option<Holds>,
}

/// What a file of a cache holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// The canonical name of the repository.
    pub name: String,
    /// How many tags of it.
    pub tags: usize,
    /// As of when.
    pub time: Timestamp,
}

/// The folder.
#[derive(Debug)]
pub(super) struct SealedFiles {
    pub(super) shelf: Shelf,
    kind: Kind,
    /// What a file holds, such as `a cached tag list`.
    what: &'static str,
    /// What comes of its being set aside, such as `the repository is scanned again`.
    then: &'static str,
    /// Whether nothing brings back what such a file holds.
    lasting: bool,
}

impl SealedFiles {
    pub(super) fn new(shelf: Shelf, kind: Kind, (what, then): (&'static str, &'static str)) -> Self {
        Self { shelf, kind, what, then, lasting: false }
    }

    /// The same folder, of files that nothing brings back: those of a version to come are neither moved nor written over, and
    /// memory serves in their place.
    pub(super) fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }

    /// What `unpack` makes of a file; `None` if there is none that makes sense.
    pub(super) fn read<T>(&self, name: &str, unpack: impl FnOnce(&codec::Sealed) -> Option<T>) -> Option<T> {
        // What is empty is what a crash left of a file that nobody waited for.
        let file = self.shelf.read(name).filter(|file| self.lasting || !file.is_empty())?;
        let read =
            codec::open(self.kind, &file).and_then(|sealed| unpack(&sealed).ok_or(Unreadable::Damaged));
        match read {
            Ok(content) => Some(content),
            Err(Unreadable::Foreign(version)) if self.is_to_come(version) => {
                self.leave(name, version);
                None
            }
            Err(unreadable) => {
                self.shelf.set_aside(name, &file, (&self.wrong(unreadable), self.then));
                None
            }
        }
    }

    /// Says of a file of a version to come that it stays, and what to do.
    fn leave(&self, name: &str, version: u8) {
        let Some(path) = self.shelf.path(name) else { return };
        let message = format!(
            "{} is of a newer version of supercargo (format {version}) and is left as it is; here {}, in memory only",
            self.what, self.then
        );
        let hint = "Use that version, or give this one a folder of its own: XDG_STATE_HOME.";
        self.shelf.complain(&path, message, Some(hint));
    }

    /// Whether a file on the disk is of a version to come and must not be lost.
    fn is_left(&self, name: &str) -> bool {
        let beginning = self.lasting.then(|| self.shelf.beginning_on_disk(name, size_of::<Kind>())).flatten();
        beginning.is_some_and(|beginning| match codec::open(self.kind, &beginning) {
            Err(Unreadable::Foreign(version)) => self.is_to_come(version),
            _ => false,
        })
    }

    fn is_to_come(&self, version: u8) -> bool {
        self.lasting && self.kind.last().is_some_and(|newest| version > *newest)
    }

    fn wrong(&self, unreadable: Unreadable) -> String {
        match unreadable {
            Unreadable::Damaged => format!("{} was damaged", self.what),
            Unreadable::Foreign(version) => {
                format!("{} was of another version of supercargo (format {version})", self.what)
            }
        }
    }

    /// Replaces a file that no list is compared with.
    pub(super) fn write(&self, name: &str, seconds: i64, payload: &[u8]) {
        self.write_printed(name, seconds, &codec::NO_PRINT, payload);
    }

    /// Replaces a file.
    pub(super) fn write_printed(&self, name: &str, seconds: i64, print: &Print, payload: &[u8]) {
        match codec::seal(self.kind, seconds, print, payload) {
            Ok(file) if self.is_left(name) => self.shelf.remember(name, &file),
            Ok(file) => {
                // On a full disk memory serves.
                self.shelf.write(name, &file);
            }
            Err(error) => tracing::warn!("store: {name} is not kept: {error}"),
        }
    }

    /// What a file says it holds; `None` if it is of an older version or cannot be read.
    pub(super) fn head(&self, name: &str) -> Option<Head> {
        codec::head(self.kind, &self.shelf.beginning(name, codec::HEAD)?)
    }

    /// If a file on the disk says that it holds what `print` stands for, gives it the time that `time` makes of its own, and
    /// returns that; what else is in it is not looked at.
    pub(super) fn keep(&self, name: &str, print: &Print, time: impl FnOnce(i64) -> i64) -> Option<i64> {
        let mut kept = None;
        let change = |beginning: &[u8]| {
            let head = codec::head(self.kind, beginning).filter(|head| head.print == *print)?;
            let seconds = time(head.seconds);
            kept = Some(seconds);
            (seconds != head.seconds).then(|| head.at(seconds))
        };
        self.shelf.amend(name, codec::HEAD, codec::TIME.start, change).ok()?;
        kept
    }

    /// The files on the disk whose names end with `.ENDING`, or did or would, in the order of their names.
    pub(super) fn files(
        &self,
        ending: &str,
        holds: impl Fn(&codec::Sealed) -> Option<Holds>,
    ) -> Vec<CachedFile> {
        let (read, aside) = (format!(".{ending}"), format!(".{ending}{ASIDE}"));
        let file = |name: &String| {
            let path = self.shelf.path(name)?;
            let meta = std::fs::metadata(&path).ok()?;
            let written = Timestamp::try_from(meta.modified().ok()?).ok()?;
            let holds = if name.ends_with(&read) { self.read(name, &holds) } else { None };
            Some(CachedFile { path, bytes: meta.len(), written, holds })
        };
        let is_ours =
            |name: &&String| name.ends_with(&read) || name.ends_with(&aside) || name.starts_with(UNFINISHED);
        self.shelf.names().iter().filter(is_ours).filter_map(file).collect()
    }

    /// Deletes a file, unless it was written since it was looked at; returns whether it did.
    ///
    /// # Errors
    /// It is there and stays.
    pub(super) fn remove(&self, file: &CachedFile) -> io::Result<bool> {
        let Some(name) = file.path.file_name().and_then(|name| name.to_str()) else { return Ok(false) };
        let _turn = self.turn(name);
        let Ok(now) = std::fs::metadata(&file.path) else { return Ok(false) };
        let written = now.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        if (now.len(), written) != (file.bytes, Some(file.written)) {
            return Ok(false);
        }
        self.shelf.remove(name).map(|()| true)
    }

    /// See [`Shelf::turn`].
    pub(super) fn turn(&self, name: &str) -> Option<Turn<'_>> {
        self.shelf.turn(name)
    }
}
