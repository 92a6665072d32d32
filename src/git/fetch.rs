//! Downloads commits into a repository: the newest of each reference, without its history.
//!
//! The few lines of the protocol are spoken here and the library stores the pack: its own transports know neither our
//! credentials and limits nor git's way with folders, and cannot name what was refused.
//!
//! Source: git's `Documentation/gitprotocol-pack`, "Packfile Negotiation".

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use git2::{Oid, Repository};

use super::error::GitError;
use super::session::{Line, Session, Stream, Talk};
use super::sideband::Sideband;
use super::wire::{self, Advertised, Packet};
use super::{Progress, folder};

/// Commits of ours that the server is told about; more do not make the pack smaller.
const MAX_HAVES: usize = 64;
/// What makes a server say which of its answers about them is the last. Without it, some answer once and some once for each
/// commit whose parents it knows of already, and nothing tells what follows from the pack.
///
/// Source: git/git:Documentation/gitprotocol-pack.adoc, "Packfile Negotiation"; upload-pack.c (`get_common_commits`).
const DETAILED: &str = "multi_ack_detailed";
/// How often a transfer reports.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// How much comes along with what is fetched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    /// How many commits of each history.
    pub(super) depth: u32,
    /// Whether commits come without their trees and files; only where the server can `filter`.
    pub(super) without_files: bool,
}

impl Scope {
    /// The newest commit with all its files.
    pub(super) const NEWEST: Self = Self { depth: 1, without_files: false };
}

/// Fetches `wants` into `repository`.
///
/// # Errors
/// Whatever keeps the remote from sending them, [`GitError::RefNotFound`] for a commit it does not give out.
pub(super) fn download(
    session: &Arc<Session>,
    talk: Talk,
    repository: &Repository,
    wants: &[Oid],
    scope: Scope,
) -> Result<(), GitError> {
    let Talk { advertised, line } = talk;
    match line {
        Line::Folder(folder) => folder::copy(session, &folder, repository, wants),
        Line::Stream(mut stream) => {
            let mut shallow = Shallow::read(repository);
            let request = request(&advertised, repository, &shallow, wants, scope);
            let sent = stream.write_all(&request);
            sent.and_then(|()| read_shallow(&mut stream, &mut shallow))
                .map_err(|error| session.explain(&error))?;
            receive(session, &advertised, &mut *stream, repository)?;
            shallow.write(repository)
        }
    }
}

/// The whole request; a server may answer parts of it while it is still reading the rest.
fn request(
    advertised: &Advertised,
    repository: &Repository,
    shallow: &Shallow,
    wants: &[Oid],
    scope: Scope,
) -> Vec<u8> {
    let mut out = Vec::new();
    let filter = scope.without_files.then_some("filter");
    let wished = [DETAILED, "side-band-64k", "ofs-delta"]
        .into_iter()
        .chain(filter)
        .filter(|wish| advertised.can(wish));
    let agent = concat!("agent=supercargo/", env!("CARGO_PKG_VERSION"));
    let mut capabilities: String = wished.chain([agent]).collect::<Vec<_>>().join(" ");
    capabilities.insert(0, ' ');
    for want in wants {
        wire::put(&mut out, format!("want {want}{capabilities}\n").as_bytes());
        capabilities.clear();
    }
    for commit in &shallow.commits {
        wire::put(&mut out, format!("shallow {commit}\n").as_bytes());
    }
    wire::put(&mut out, format!("deepen {}\n", scope.depth).as_bytes());
    if scope.without_files {
        wire::put(&mut out, b"filter tree:0\n");
    }
    wire::put_flush(&mut out);
    let haves = if advertised.can(DETAILED) { MAX_HAVES } else { 1 };
    for have in tracked(repository).into_iter().take(haves) {
        wire::put(&mut out, format!("have {have}\n").as_bytes());
    }
    wire::put(&mut out, b"done\n");
    out
}

/// The commits that were fetched before and are still whole.
pub(super) fn tracked(repository: &Repository) -> BTreeSet<String> {
    let Ok(references) = repository.references_glob("refs/supercargo/*") else { return BTreeSet::new() };
    let commits = references.flatten().filter_map(|reference| reference.peel_to_commit().ok());
    commits.filter(|commit| commit.tree().is_ok()).map(|commit| commit.id().to_string()).collect()
}

/// Where the histories we have end; git keeps the same list in the file `shallow`.
pub(super) struct Shallow {
    commits: BTreeSet<String>,
}

impl Shallow {
    pub(super) fn read(repository: &Repository) -> Self {
        let text = fs::read_to_string(repository.path().join("shallow")).unwrap_or_default();
        Self { commits: text.lines().filter(|line| wire::is_hex(line)).map(str::to_owned).collect() }
    }

    /// Whether the history ends with this commit although it goes on.
    pub(super) fn has(&self, commit: Oid) -> bool {
        self.commits.contains(&commit.to_string())
    }

    /// Written after the pack: a commit that is here and not in the list is found not whole, and fetched again.
    fn write(&self, repository: &Repository) -> Result<(), GitError> {
        let path = repository.path().join("shallow");
        let text: String = self.commits.iter().flat_map(|commit| [commit.as_str(), "\n"]).collect();
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(repository.path())?;
            file.write_all(text.as_bytes())?;
            file.persist(&path).map_err(|error| error.error)
        };
        let written: io::Result<fs::File> = write();
        written.map(drop).map_err(|error| GitError::Cache {
            action: "write",
            path: path.clone(),
            message: error.to_string(),
        })
    }
}

/// Reads where the histories end from now on, then whether the server knows any commit of ours.
fn read_shallow(stream: &mut impl Read, shallow: &mut Shallow) -> io::Result<()> {
    loop {
        let Some(packet) = wire::next(stream)? else {
            return Err(wire::invalid("it ended before the pack"));
        };
        let Packet::Data(line) = packet else { continue };
        let line = String::from_utf8_lossy(&line);
        match line.trim_end().split_once(' ').unwrap_or((line.trim_end(), "")) {
            ("shallow", commit) if wire::is_hex(commit) => drop(shallow.commits.insert(commit.to_owned())),
            ("unshallow", commit) => drop(shallow.commits.remove(commit)),
            // One about each commit that both have; then one of the others, right before the pack.
            ("ACK", what) if what.ends_with(" common") || what.ends_with(" ready") => {}
            ("NAK" | "ACK", _) => return Ok(()),
            ("ERR", words) => return Err(wire::invalid(words)),
            _ => return Err(wire::invalid("it sent something else than the pack")),
        }
    }
}

/// Stores the pack as it arrives.
fn receive(
    session: &Arc<Session>,
    advertised: &Advertised,
    stream: &mut dyn Stream,
    repository: &Repository,
) -> Result<(), GitError> {
    let mut printed = |text: &[u8]| {
        session.report(Progress::Server(String::from_utf8_lossy(text).into_owned()));
        session.check()
    };
    if advertised.can("side-band-64k") {
        store(session, &mut Sideband::new(stream, &mut printed), repository)
    } else {
        store(session, stream, repository)
    }
}

/// Writes a pack into the repository; nothing of it is there before all of it is.
fn store(
    session: &Arc<Session>,
    pack: &mut (impl Read + ?Sized),
    repository: &Repository,
) -> Result<(), GitError> {
    store_pieces(session, repository, |write| {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = pack.read(&mut buffer).map_err(|error| session.explain(&error))?;
            match buffer.get(..count).filter(|piece| !piece.is_empty()) {
                Some(piece) => write(piece)?,
                None => return Ok(()),
            }
        }
    })
}

/// Writes a pack into the repository, whose pieces `send` hands to the function that it is given; nothing of it is there before
/// all of it is.
pub(super) fn store_pieces(
    session: &Arc<Session>,
    repository: &Repository,
    send: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), GitError>) -> Result<(), GitError>,
) -> Result<(), GitError> {
    let failed = |error: &git2::Error| GitError::Cache {
        action: "store the pack in",
        path: repository.path().to_owned(),
        message: error.message().to_owned(),
    };
    let odb = repository.odb().map_err(|error| failed(&error))?;
    let mut writer = odb.packwriter().map_err(|error| failed(&error))?;
    let reported = Cell::new(Instant::now());
    let listener = Arc::clone(session);
    writer.progress(move |progress| {
        let (objects, total) = (progress.received_objects(), progress.total_objects());
        if objects == total || reported.get().elapsed() >= REPORT_EVERY {
            reported.set(Instant::now());
            listener.report(Progress::Receiving { objects, total, bytes: progress.received_bytes() });
        }
        listener.goes_on()
    });
    send(&mut |piece| {
        writer.write_all(piece).map_err(|_error| {
            if session.goes_on() { failed(&git2::Error::last_error(-1)) } else { session.stopped() }
        })
    })?;
    writer.commit().map(drop).map_err(|error| session.bad_answer(&error.message()))
}
