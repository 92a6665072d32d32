//! Go's regular expressions: same syntax, same meaning, same complaints, and no pattern that takes long to compile.
//!
//! Go and Rust's engine match alike (leftmost-first, no backtracking), but they do not read alike: `[a-z&&[^b]]`, `\<`,
//! `a{,5}`, `\d` and more mean something else or nothing in the other syntax, and Go refuses what Rust takes. So a pattern is
//! parsed by Go's rules (`parse`, `class`) and its tree, not its text, is what runs, in one of three ways that find the same:
//!
//! - by a plain loop (`linear`), if it is what many tag patterns are, a row of characters and classes that never has to go back;
//! - by Rust's engine (`hir`), which spells every class byte by byte and writes out what is repeated: quick to match, and
//!   slow to compile if there is much of that. Then it is compiled for texts of ASCII alone, where a class is a few bytes;
//! - by Go's own program (`program`, `threads`), for all other texts and patterns. It compiles in time with its size, which Go
//!   limits.
//!
//! Sources: golang/go, `src/regexp/syntax/doc.go` and `parse.go`; rust-lang/regex, `src/lib.rs`.

mod ast;
mod class;
mod factor;
mod hir;
mod linear;
mod parse;
mod program;
mod set;
mod threads;

use std::ops::Range;

use regex_automata::Input;
use regex_automata::util::primitives::NonMaxUsize;
use thiserror::Error;

use hir::{Engine, Texts};
use linear::Linear;
use program::Program;
use threads::Threads;

pub(in crate::domain) use set::KNOWN;

/// Patterns with at most this many groups and bytes need no stack worth mentioning: what the branches of a choice have in common
/// is nested too.
const SHALLOW: usize = 60;
const SHORT: usize = 1_000;
/// Stack for all others, in bytes; only what is used of it costs memory.
const DEEP_STACK: usize = 64 << 20;

/// Why there is no compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegexError {
    /// Go would refuse it, in Go's words.
    #[error("error parsing regexp: {what}: `{fragment}`")]
    Refused {
        /// What is wrong.
        what: &'static str,
        /// The part of the pattern that is.
        fragment: String,
    },
    /// This computer has no room to read it in now, which says nothing about the pattern.
    #[error("the pattern was not read: no thread with a stack of {DEEP_STACK} bytes can be had: {0}")]
    NoStack(String),
}

impl RegexError {
    fn new(what: &'static str, fragment: impl Into<String>) -> Self {
        Self::Refused { what, fragment: fragment.into() }
    }

    /// Whether nothing is said about the pattern: on another day, or another computer, it may well be fine.
    pub fn is_no_verdict(&self) -> bool {
        matches!(self, Self::NoStack(_))
    }
}

/// Patterns up to this many bytes are searched for the place of their error.
const SEARCHED: usize = 1_000;

/// Where the error is in a pattern that Go refuses, in bytes. What is wrong with all of it, such as a parenthesis that nothing
/// closes, is wrong at its end.
pub fn error_place(pattern: &str) -> Range<usize> {
    let end = pattern.len()..pattern.len();
    let Err(error) = parse_deep(pattern) else { return end };
    let RegexError::Refused { fragment, .. } = &error else { return end };
    let place = |stop: usize| stop.checked_sub(fragment.len()).map(|start| start..stop);
    if fragment == pattern {
        return end;
    }
    if pattern.len() > SEARCHED {
        return pattern.find(fragment).map_or(end, |at| at..at + fragment.len());
    }
    // The same words may stand there twice: the error is where a part of the pattern fails of it first.
    let mut stops = pattern.char_indices().map(|(at, c)| at + c.len_utf8());
    let first = stops.find(|stop| {
        let part = pattern.get(..*stop).unwrap_or_default();
        part.ends_with(fragment) && parse::parse(part).is_err_and(|of_part| of_part == error)
    });
    first.and_then(place).unwrap_or(end)
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    names: Vec<String>,
    linear: Option<Linear>,
    engine: Option<Engine>,
    threads: Threads,
    /// What every matching text begins with.
    prefix: String,
    /// What every matching text ends with.
    suffix: String,
}

/// Where a pattern and its groups matched, as byte offsets; group 0 is the whole match.
#[derive(Debug, Clone)]
pub struct Slots {
    ends: Vec<usize>,
    /// The same as the engine writes them.
    of_engine: Vec<Option<NonMaxUsize>>,
}

/// The offset of a group that took no part.
const UNSET: usize = usize::MAX;

impl Slots {
    /// The span of group `index`; `None` if it took no part or does not exist.
    pub fn group(&self, index: usize) -> Option<Range<usize>> {
        match self.ends.get(index * 2..index * 2 + 2)? {
            &[start, end] if start != UNSET && end != UNSET => Some(start..end),
            _ => None,
        }
    }
}

/// Reads `pattern` and forgets what it was.
fn parse_deep(pattern: &str) -> Result<(), RegexError> {
    with_stack(pattern, || parse::parse(pattern).map(drop))
}

/// Does something recursive with `pattern`, whose tree may need more stack than a worker thread has.
fn with_stack<T: Send>(
    pattern: &str,
    act: impl FnOnce() -> Result<T, RegexError> + Send,
) -> Result<T, RegexError> {
    let is_shallow = pattern.bytes().filter(|byte| *byte == b'(').count() <= SHALLOW;
    if is_shallow && pattern.len() <= SHORT {
        return act();
    }
    with_own_stack(DEEP_STACK, act)
}

fn with_own_stack<T: Send>(
    bytes: usize,
    act: impl FnOnce() -> Result<T, RegexError> + Send,
) -> Result<T, RegexError> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(bytes);
        let worker = builder.spawn_scoped(scope, act);
        let worker = worker.map_err(|error| RegexError::NoStack(error.to_string()))?;
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

impl Pattern {
    /// Compiles `pattern`, written in Go's syntax.
    ///
    /// # Errors
    /// In Go's words, if Go would refuse it; else why it could not be read.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        with_stack(pattern, || Self::build(pattern))
    }

    fn build(pattern: &str) -> Result<Self, RegexError> {
        let parsed = parse::parse(pattern)?;
        Ok(Self {
            linear: Linear::new(&parsed.root, parsed.names.len()),
            engine: Engine::new(&parsed.root, parsed.names.len()),
            threads: Threads::new(Program::new(&parsed.root)),
            prefix: ast::literal_prefix(&parsed.root),
            suffix: ast::literal_suffix(&parsed.root),
            names: parsed.names,
        })
    }

    /// How many instructions it has, all counts written out.
    pub fn size(&self) -> usize {
        self.threads.len()
    }

    /// The names of the groups by number; empty for a group without one, such as group 0.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.may_match(text)
            && match self.engine_for(text) {
                Some(engine) => engine.regex.is_match(text),
                None => self.threads.is_match(text),
            }
    }

    /// The engine, if it is there and can judge `text`.
    fn engine_for(&self, text: &str) -> Option<&Engine> {
        self.engine.as_ref().filter(|engine| engine.texts == Texts::All || text.is_ascii())
    }

    /// Room for the answers of [`Self::find`].
    pub fn slots(&self) -> Slots {
        let ends = self.names.len() * 2;
        let of_engine = if self.engine.is_some() { vec![None; ends] } else { Vec::new() };
        Slots { ends: vec![UNSET; ends], of_engine }
    }

    /// Finds the leftmost match in `text` and puts it into `slots`, which must come from [`Self::slots`].
    ///
    /// Returns whether there is one; if not, `slots` hold nothing of use.
    pub fn find(&self, text: &str, slots: &mut Slots) -> bool {
        if !self.may_match(text) {
            return false;
        }
        if let Some(linear) = self.linear.as_ref().filter(|linear| linear.takes(text)) {
            return linear.find(text.as_bytes(), &mut slots.ends);
        }
        match self.engine_for(text) {
            Some(engine) => find_by_engine(engine, text, 0, slots),
            None => self.find_by_threads(text, 0, slots),
        }
    }

    /// The same from the byte offset `start` on, which must lie between two characters; what stands before it counts for
    /// anchors and word boundaries.
    pub fn find_at(&self, text: &str, start: usize, slots: &mut Slots) -> bool {
        // Whoever asks from place to place does not want the whole text looked at each time.
        match self.engine.as_ref().filter(|engine| engine.texts == Texts::All) {
            Some(engine) => find_by_engine(engine, text, start, slots),
            None => self.find_by_threads(text, start, slots),
        }
    }

    fn find_by_threads(&self, text: &str, start: usize, slots: &mut Slots) -> bool {
        slots.ends.fill(UNSET);
        self.threads.find(text, start, &mut slots.ends, UNSET)
    }

    fn may_match(&self, text: &str) -> bool {
        // An empty text is a call to `memcmp` too, of which one for each tag took half of the time of an evaluation.
        (self.suffix.is_empty() || text.ends_with(&self.suffix))
            && (self.prefix.is_empty() || text.starts_with(&self.prefix))
    }

    /// How much of the beginning of `text` an anchored pattern fits, in bytes; `None` if it is not anchored.
    ///
    /// It is measured in whole parts of the pattern: a text that breaks off in a class that is repeated fits up to the
    /// beginning of that class.
    pub fn fits_up_to(&self, text: &str) -> Option<usize> {
        self.threads.fits_up_to(text)
    }
}

fn find_by_engine(engine: &Engine, text: &str, start: usize, slots: &mut Slots) -> bool {
    slots.of_engine.fill(None);
    if engine.regex.search_slots(&Input::new(text).range(start..), &mut slots.of_engine).is_none() {
        return false;
    }
    for (end, found) in slots.ends.iter_mut().zip(&slots.of_engine) {
        *end = found.map_or(UNSET, NonMaxUsize::get);
    }
    true
}

#[cfg(test)]
mod tests;
