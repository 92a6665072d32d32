//! Sends commits to a server: the commands, the pack, and the server's answer for every branch.
//!
//! Each command names the commit the branch has to be at; the server compares under its lock, so a branch that moves
//! between our look and our push is never overwritten. Nothing is sent that does not stand on that commit.
//!
//! Source: git's `Documentation/gitprotocol-pack`, "Pushing Data To a Server".

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Progress;
use super::error::GitError;
use super::pack::Pack;
use super::push::RefUpdate;
use super::session::{Session, Stream};
use super::sideband::Sideband;
use super::wire::{self, Advertised, Packet};
use crate::domain::push_option;

/// What stands for a commit that is not there.
const NOTHING: &str = "0000000000000000000000000000000000000000";
/// Bytes of an answer that are read at most; a line or two a branch is usual.
const MAX_ANSWER: usize = 1 << 20;

/// A reference that is to be moved, by its whole name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// Such as `refs/heads/main`.
    pub(super) name: String,
    /// Where it has to be, in hex; `None`: it must not exist.
    pub(super) old: Option<String>,
    /// Where it shall be, in hex.
    pub(super) new: String,
}

impl From<&RefUpdate> for Command {
    fn from(update: &RefUpdate) -> Self {
        Self { name: update.reference.clone(), old: update.old.clone(), new: update.new.clone() }
    }
}

/// The answers of the server.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Branch and reason of each refusal.
    pub(super) refused: Vec<(String, String)>,
    /// What it printed, raw.
    pub(super) printed: Vec<u8>,
    /// Whether it takes no push options.
    pub(super) options_dropped: bool,
    /// Whether it has everything and has not said what became of it.
    pub(super) is_open: bool,
}

/// Sends the commands and reads what became of them.
///
/// The second value is what the server answered, also if the first is an error.
pub(super) fn send(
    session: &Arc<Session>,
    advertised: &Advertised,
    stream: &mut dyn Stream,
    commands: &[Command],
    options: &[String],
    pack: Pack<'_>,
) -> (Result<(), GitError>, Answers) {
    let pack = if advertised.can("no-thin") { pack.whole() } else { pack };
    let mut answers = Answers {
        options_dropped: !options.is_empty() && !advertised.can("push-options"),
        ..Answers::default()
    };
    let options = if answers.options_dropped { &[] } else { options };
    if let Some(defect) = options.iter().find_map(|option| push_option::defect(option)) {
        let message = format!("one of them cannot be sent: {defect}");
        return (Err(GitError::Git { action: "send push options", message }), answers);
    }
    let lines = lines(advertised, commands, options);
    let written = stream.write_all(&lines).map_err(|error| session.explain(&error));
    let sent = written.and_then(|()| write_pack(session, stream, &pack));
    let result = sent.and_then(|()| {
        answers.is_open = true;
        read_answers(session, advertised, stream, &mut answers).map_err(|error| session.explain(&error))
    });
    (result, answers)
}

/// `OLD NEW NAME` a line, and the options behind them.
fn lines(advertised: &Advertised, commands: &[Command], options: &[String]) -> Vec<u8> {
    let mut wished = vec!["report-status", "side-band-64k"];
    if commands.len() > 1 {
        // All or none, where the server can.
        wished.push("atomic");
    }
    if !options.is_empty() {
        wished.push("push-options");
    }
    wished.retain(|wish| advertised.can(wish));
    let agent = concat!("agent=supercargo/", env!("CARGO_PKG_VERSION"));
    let mut capabilities = format!("\0{} {agent}", wished.join(" "));
    let mut out = Vec::new();
    for Command { name, old, new } in commands {
        let old = old.as_deref().unwrap_or(NOTHING);
        wire::put(&mut out, format!("{old} {new} {name}{capabilities}").as_bytes());
        capabilities.clear();
    }
    wire::put_flush(&mut out);
    if !options.is_empty() {
        for option in options {
            wire::put(&mut out, option.as_bytes());
        }
        wire::put_flush(&mut out);
    }
    out
}

fn write_pack(session: &Session, stream: &mut dyn Stream, pack: &Pack<'_>) -> Result<(), GitError> {
    let total = pack.objects();
    let (mut bytes, mut reported) = (0, Instant::now());
    pack.write(&mut |piece: &[u8]| {
        session.check()?;
        stream.write_all(piece)?;
        bytes += piece.len();
        if reported.elapsed() >= Duration::from_millis(100) {
            reported = Instant::now();
            session.report(Progress::Sending { objects: 0, total, bytes });
        }
        Ok(())
    })
    .map_err(|error| session.explain(&error))?;
    session.report(Progress::Sending { objects: total, total, bytes });
    stream.flush().map_err(|error| session.explain(&error))
}

fn read_answers(
    session: &Session,
    advertised: &Advertised,
    stream: &mut dyn Stream,
    answers: &mut Answers,
) -> io::Result<()> {
    if !advertised.can("report-status") {
        // A server that says nothing is asked afterwards where the branches are.
        return Ok(());
    }
    let Answers { refused, printed, is_open, .. } = answers;
    let mut print = |text: &[u8]| {
        let room = MAX_ANSWER.saturating_sub(printed.len());
        printed.extend_from_slice(text.get(..room.min(text.len())).unwrap_or_default());
        session.report(Progress::Server(String::from_utf8_lossy(text).into_owned()));
        session.check()
    };
    if advertised.can("side-band-64k") {
        let mut stream = Sideband::new(stream, &mut print);
        read_report(&mut stream, refused, is_open)?;
        // What hooks print after the branches moved; that it may break off changes nothing any more.
        drop(io::copy(&mut stream, &mut io::sink()));
        Ok(())
    } else {
        read_report(&mut { stream }, refused, is_open)
    }
}

/// `unpack ok`, then `ok NAME` or `ng NAME REASON` for each branch; said once all is done, so that from the first line on
/// nothing `is_open`.
fn read_report(
    stream: &mut impl Read,
    refused: &mut Vec<(String, String)>,
    is_open: &mut bool,
) -> io::Result<()> {
    let mut unpacked = None;
    while let Some(Packet::Data(line)) = wire::next(stream)? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("unpack", status) => {
                unpacked = Some(status.to_owned());
                *is_open = false;
            }
            ("ng", rest) => {
                let (name, reason) = rest.split_once(' ').unwrap_or((rest, "refused"));
                refused.push((name.to_owned(), reason.to_owned()));
            }
            ("ok", _) => {}
            ("ERR", words) => return Err(wire::invalid(words)),
            _ => return Err(wire::invalid("it reported something that is no answer to a push")),
        }
    }
    match unpacked.as_deref() {
        Some("ok") => Ok(()),
        Some(status) => Err(wire::invalid(&format!("it could not take the commits: {status}"))),
        None => Err(wire::invalid("it ended without an answer to the push")),
    }
}
