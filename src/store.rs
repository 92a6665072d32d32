//! Keeps what must outlive the process: tag lists, when each tag was first seen, what each policy had, decisions, drafts,
//! holds, and the audit log.
//!
//! Everything lies in plain files below the XDG folders, 0700 and 0600, one checksummed file per repository or one line
//! per event. Nothing here fails towards its caller: what cannot be read counts as absent, what cannot be written is
//! kept in memory until the process ends, and the first such event leaves one warning ([`Store::take_warnings`]).
//! All calls block; none takes longer than a file's write. Several processes may use the same folders at once.

pub mod audit;
pub mod budgets;
mod codec;
pub mod dirs;
pub mod drafts;
pub mod failures;
pub mod first_seen;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod holds;
pub mod journal;
pub mod kept;
pub mod markers;
pub mod metadata;
mod notices;
pub mod pushes;
pub mod reflections;
pub mod remote_locks;
mod sealed;
mod shelf;
pub mod tags;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use audit::{Audit, Event, Follower};
pub use budgets::Budgets;
pub use dirs::Dirs;
pub use drafts::{Draft, Drafts};
pub use failures::{Failure, Failures};
pub use first_seen::{FirstSeen, Ledger};
pub use holds::HoldFile;
pub use journal::{Decisions, Journal};
pub use kept::{Commands, Orders, Shares};
pub use markers::MarkerCache;
pub use metadata::{KnownImages, KnownTag, MetadataCache};
pub use pushes::{PushNote, Pushes, UnderWay};
pub use reflections::Reflections;
pub use remote_locks::{RemoteLock, RemoteLocks};
pub use sealed::{CachedFile, Holds};
pub use tags::{CachedTags, TagCache};

use jiff::Timestamp;

use crate::domain::tags::TagList;
use crate::problem::Problem;
use notices::{Notices, Part};
use shelf::Shelf;

/// The one door to everything that is kept. Share it behind an [`Arc`].
#[derive(Debug)]
pub struct Store {
    tags: TagCache,
    metadata: MetadataCache,
    markers: MarkerCache,
    budgets: Budgets,
    first_seen: FirstSeen,
    reflections: Reflections,
    failures: Failures,
    journal: Journal,
    pushes: Pushes,
    drafts: Drafts,
    holds: HoldFile,
    remote_locks: RemoteLocks,
    audit: Audit,
    orders: Orders,
    shares: Shares,
    commands: Commands,
    role: Shelf,
    notices: Arc<Notices>,
}

impl Store {
    /// Opens the store below `dirs`; folders are made when something is first written.
    ///
    /// Without a folder (no `HOME`) everything is kept in memory, and one warning says so.
    pub fn open(dirs: &Dirs) -> Self {
        let notices = Arc::new(Notices::default());
        for (part, dir) in [(Part::State, &dirs.state), (Part::Cache, &dirs.cache)] {
            if dir.is_none() {
                notices.memory_only(part, "no home directory is known");
            }
        }
        let state = |name: &str| Shelf::new(dirs.state.as_ref().map(|dir| dir.join(name)), &notices);
        let cache = |name: &str| Shelf::of_cache(dirs.cache.as_ref().map(|dir| dir.join(name)), &notices);
        Self {
            tags: TagCache::new(cache("tags")),
            metadata: MetadataCache::new(cache("metadata")),
            markers: MarkerCache::new(cache("markers")),
            budgets: Budgets::new(cache("budgets")),
            first_seen: FirstSeen::new(Shelf::of_passes(
                dirs.state.as_ref().map(|dir| dir.join("first-seen")),
                &notices,
            )),
            reflections: Reflections::new(state("reflected")),
            failures: Failures::new(state("failed")),
            journal: Journal::new(state("journal")),
            pushes: Pushes::new(state("journal")),
            drafts: Drafts::new(state("drafts")),
            holds: HoldFile::new(Shelf::new(dirs.state.clone(), &notices)),
            remote_locks: RemoteLocks::new(state("locks")),
            audit: Audit::new(state("log")),
            orders: Orders::new(Shelf::new(dirs.state.clone(), &notices), "orders.json"),
            shares: Shares::new(Shelf::new(dirs.state.clone(), &notices), "shares.json"),
            commands: Commands::new(Shelf::new(dirs.state.clone(), &notices), "commands.json"),
            role: Shelf::new(dirs.state.clone(), &notices),
            notices,
        }
    }

    /// A store that forgets everything with the process, and says nothing about it.
    pub fn in_memory() -> Self {
        let store = Self::open(&Dirs::default());
        store.take_warnings();
        store
    }

    /// The tag lists of the last scans.
    pub fn tags(&self) -> &TagCache {
        &self.tags
    }

    /// Keeps the list that a scan found at `listed`; what is new in it was first seen at `began`, which is settled by
    /// [`FirstSeen::settle`]. Returns what is cached now.
    pub fn keep(&self, canonical: &str, tags: TagList, began: Timestamp, listed: Timestamp) -> CachedTags {
        let print = codec::print(canonical, &tags, &TagList::default());
        self.first_seen.note(canonical, &tags, &print, began);
        self.tags.keep(canonical, tags, &print, listed)
    }

    /// What registries told of tags and digests.
    pub fn metadata(&self) -> &MetadataCache {
        &self.metadata
    }

    /// What files of remotes hold.
    pub fn markers(&self) -> &MarkerCache {
        &self.markers
    }

    /// What registries said they will still answer.
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// When each tag was first seen.
    pub fn first_seen(&self) -> &FirstSeen {
        &self.first_seen
    }

    /// What each policy had at its last pass.
    pub fn reflections(&self) -> &Reflections {
        &self.reflections
    }

    /// Why the last scans failed.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// What was decided about marked lines.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Pushes under way and their ends.
    pub fn pushes(&self) -> &Pushes {
        &self.pushes
    }

    /// Edited commit messages.
    pub fn drafts(&self) -> &Drafts {
        &self.drafts
    }

    /// What people hold back.
    pub fn holds(&self) -> &HoldFile {
        &self.holds
    }

    /// Who lands on which remote.
    pub fn remote_locks(&self) -> &RemoteLocks {
        &self.remote_locks
    }

    /// The audit log.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The order of each list of the screen.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// What each list of the screen has more of the room than it begins with.
    pub fn shares(&self) -> &Shares {
        &self.shares
    }

    /// What was run from the palette.
    pub fn commands(&self) -> &Commands {
        &self.commands
    }

    /// Takes the role of the one instance that works in the background, until the returned file is dropped.
    ///
    /// `None` if another process has it. Reading and deciding need no role; what the role guards is work that
    /// two instances would do twice.
    pub fn try_writer(&self) -> Option<File> {
        self.role.try_lock()
    }

    /// Whether files can be written in `folder` of a cache, which is made if need be; if not, that is the warning about memory.
    pub fn can_use(&self, folder: &Path) -> bool {
        shelf::probe(folder)
            .inspect_err(|error| {
                self.notices.unwritable(Part::Cache, folder, error);
            })
            .is_ok()
    }

    /// What went wrong since the last call: files set aside, folders that cannot be written (said once).
    pub fn take_warnings(&self) -> Vec<Problem> {
        self.notices.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn without_a_home_everything_works_in_memory_after_one_warning() {
        let store = Store::open(&Dirs::default());
        let warnings = store.take_warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].code, Code::State);
        store.tags().write("r/a", ["1"].into_iter().collect(), Timestamp::UNIX_EPOCH);
        assert_eq!(store.tags().read("r/a").unwrap().tags.len(), 1);
        store.drafts().write("x", &Draft { text: "t".into(), base: None });
        assert_eq!(store.drafts().read("x").unwrap().text, "t");
        assert!(store.take_warnings().is_empty());
        assert!(store.try_writer().is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_made_warns_once_and_memory_serves() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "in the way").unwrap();
        let store = Store::open(&Dirs::below(&file));
        for tag in ["1", "2"] {
            store.tags().write("r/a", [tag].into_iter().collect(), Timestamp::UNIX_EPOCH);
            store.first_seen().observe("r/a", &[tag].into_iter().collect(), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(store.tags().read("r/a").unwrap().tags.get(0), Some("2"));
        assert_eq!(store.take_warnings().len(), 1);
    }

    #[test]
    fn only_one_process_has_the_writers_role_and_it_can_be_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Store::open(&Dirs::below(dir.path())), Store::open(&Dirs::below(dir.path())));
        let role = one.try_writer();
        assert!(role.is_some());
        assert!(two.try_writer().is_none());
        drop(role);
        assert!(two.try_writer().is_some());
    }
}
