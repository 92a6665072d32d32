//! A folder of checksummed files of one kind. A file that makes no sense is set aside, with a warning.

use super::codec::{self, Kind, Unreadable};
use super::shelf::{Shelf, Turn};

/// The folder.
#[derive(Debug)]
pub(super) struct SealedFiles {
    pub(super) shelf: Shelf,
    kind: Kind,
    /// What a file holds, such as `a cached tag list`.
    what: &'static str,
    /// What comes of its being set aside, such as `the repository is scanned again`.
    then: &'static str,
}

impl SealedFiles {
    pub(super) fn new(shelf: Shelf, kind: Kind, (what, then): (&'static str, &'static str)) -> Self {
        Self { shelf, kind, what, then }
    }

    /// What `unpack` makes of a file; `None` if there is none that makes sense.
    pub(super) fn read<T>(&self, name: &str, unpack: impl FnOnce(&codec::Sealed) -> Option<T>) -> Option<T> {
        let file = self.shelf.read(name)?;
        let read = codec::open(self.kind, &file)
            .and_then(|sealed| unpack(&sealed).ok_or(Unreadable::Damaged))
            .map_err(|unreadable| self.wrong(unreadable));
        match read {
            Ok(content) => Some(content),
            Err(wrong) => {
                self.shelf.set_aside(name, &file, (&wrong, self.then));
                None
            }
        }
    }

    fn wrong(&self, unreadable: Unreadable) -> String {
        match unreadable {
            Unreadable::Damaged => format!("{} is damaged", self.what),
            Unreadable::Foreign(version) => {
                format!("{} is of another version of supercargo (format {version})", self.what)
            }
        }
    }

    /// Replaces a file.
    pub(super) fn write(&self, name: &str, seconds: i64, payload: &[u8]) {
        match codec::seal(self.kind, seconds, payload) {
            Ok(file) => self.shelf.write(name, &file),
            Err(error) => tracing::warn!("store: {name} is not kept: {error}"),
        }
    }

    /// See [`Shelf::turn`].
    pub(super) fn turn(&self, name: &str) -> Option<Turn<'_>> {
        self.shelf.turn(name)
    }
}
