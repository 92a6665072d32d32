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

/// Patterns with at most this many groups need no stack worth mentioning.
const SHALLOW: usize = 60;
/// Stack for all others, in bytes; only what is used of it costs memory.
const DEEP_STACK: usize = 64 << 20;
/// What Go says where it does not know what to say.
const INTERNAL: &str = "regexp/syntax: internal error";

/// Why Go would refuse a pattern, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("error parsing regexp: {what}: `{fragment}`")]
pub struct RegexError {
    /// What is wrong.
    what: &'static str,
    /// The part of the pattern that is.
    fragment: String,
}

impl RegexError {
    fn new(what: &'static str, fragment: impl Into<String>) -> Self {
        Self { what, fragment: fragment.into() }
    }
}

/// Patterns up to this many bytes are searched for the place of their error.
const SEARCHED: usize = 1_000;

/// Where the error is in a pattern that Go refuses, in bytes. What is wrong with all of it, such as a parenthesis that nothing
/// closes, is wrong at its end.
pub fn error_place(pattern: &str) -> Range<usize> {
    let end = pattern.len()..pattern.len();
    // Only reading tells a place: what is too large to compile is so as a whole.
    let Err(error) = parse::parse(pattern) else { return end };
    let place = |stop: usize| stop.checked_sub(error.fragment.len()).map(|start| start..stop);
    if error.fragment == pattern {
        return end;
    }
    if pattern.len() > SEARCHED {
        return pattern.find(&error.fragment).map_or(end, |at| at..at + error.fragment.len());
    }
    // The same words may stand there twice: the error is where a part of the pattern fails of it first.
    let mut stops = pattern.char_indices().map(|(at, c)| at + c.len_utf8());
    let first = stops.find(|stop| {
        let part = pattern.get(..*stop).unwrap_or_default();
        part.ends_with(&error.fragment) && parse::parse(part).is_err_and(|of_part| of_part == error)
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

impl Pattern {
    /// Compiles `pattern`, written in Go's syntax.
    ///
    /// # Errors
    /// In Go's words, if Go would refuse it.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        if pattern.bytes().filter(|byte| *byte == b'(').count() <= SHALLOW {
            return Self::build(pattern);
        }
        // Tree and compiler walk a nested pattern recursively, which may need more stack than a worker thread has.
        let internal = |()| RegexError::new(INTERNAL, pattern);
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(DEEP_STACK);
            let worker = builder.spawn_scoped(scope, || Self::build(pattern)).map_err(|_io| internal(()))?;
            worker.join().map_err(|_payload| internal(()))?
        })
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    #[test]
    fn the_place_of_an_error_is_where_reading_ends() {
        for (pattern, place) in [
            ("a*|*b", "a*|".len().."a*|*".len()),
            ("^(?P<n>[0-9]+", 13..13),
            ("a)b", 3..3),
            ("[z-a]x", 1..4),
            (r"\d\y\d", 2..4),
            ("x{2000}", 1..7),
            ("é**", 2..4),
        ] {
            assert_eq!(error_place(pattern), place, "{pattern}");
        }
    }

    type Groups = Option<Vec<Option<Range<usize>>>>;

    fn groups(pattern: &Pattern, find: impl Fn(&mut Slots) -> bool) -> Groups {
        let mut slots = pattern.slots();
        find(&mut slots).then(|| (0..pattern.names().len()).map(|group| slots.group(group)).collect())
    }

    fn found(pattern: &Pattern, text: &str) -> Groups {
        groups(pattern, |slots| pattern.find(text, slots))
    }

    fn found_by_engine(pattern: &Pattern, text: &str) -> Groups {
        groups(pattern, |slots| find_by_engine(pattern.engine_for(text).unwrap(), text, 0, slots))
    }

    fn found_by_threads(pattern: &Pattern, text: &str) -> Groups {
        groups(pattern, |slots| pattern.find_by_threads(text, 0, slots))
    }

    #[test]
    fn deep_nesting_is_refused_where_go_refuses_it_and_needs_little_stack() {
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Pattern::new(&nested(900)).unwrap().is_match("a"));
        let error = Pattern::new(&nested(1001)).unwrap_err();
        assert!(error.to_string().contains("expression nests too deeply"), "{error}");
        let error = Pattern::new(&"(".repeat(100_000)).unwrap_err();
        assert!(error.to_string().contains("missing closing )"));
    }

    #[test]
    fn too_deep_a_tree_is_noticed_before_what_follows_it() {
        let open = format!("{}a{}", "(a".repeat(501), "b)".repeat(500));
        for (rest, what) in [
            ("[", "missing closing ]"),
            ("", "expression nests too deeply"),
            ("b|[", "expression nests too deeply"),
            ("b)[", "expression nests too deeply"),
        ] {
            assert_eq!(Pattern::new(&format!("{open}{rest}")).unwrap_err().what, what, "{rest}");
        }
    }

    #[test]
    fn a_class_inverted_around_the_surrogates_has_not_their_neighbours() {
        for class in [
            r"[^\p{Any}]",
            r"[^a-\x{FFFF}]",
            r"[^\x{0}-\x{d7ff}\x{e000}-\x{10ffff}]",
            r"[^\x{d000}-\x{dc00}\x{dc01}-z]",
        ] {
            let Ok(pattern) = Pattern::new(class) else { continue };
            assert!(!pattern.is_match("\u{d7ff}") && !pattern.is_match("\u{e000}"), "{class}");
        }
    }

    #[test]
    fn characters_newer_than_go_s_tables_are_unassigned() {
        for (class, matches) in [
            (r"\pL", false),
            (r"\PL", true),
            (r"\p{Cn}", true),
            (r"\p{C}", true),
            (r"\P{C}", false),
            (r"\p{Assigned}", false),
            (r"[^\p{Han}]", true),
        ] {
            assert_eq!(Pattern::new(class).unwrap().is_match("\u{2ebf0}"), matches, "{class}");
            assert_eq!(Pattern::new(class).unwrap().is_match("中"), !matches, "{class}");
        }
    }

    #[test]
    fn an_anchored_pattern_says_how_far_it_fits() {
        let pattern = Pattern::new("^main-[a-f0-9]{7}-(?P<ts>[0-9]+)$").unwrap();
        assert_eq!(pattern.fits_up_to("main-9b1d3e7-dirty"), Some(13));
        assert_eq!(pattern.fits_up_to("main-xyz"), Some(5));
        assert_eq!(pattern.fits_up_to("v1"), Some(0));
        assert_eq!(Pattern::new("main").unwrap().fits_up_to("mai"), None);
    }

    #[test]
    fn a_pattern_of_many_big_classes_is_a_small_program() {
        for (pattern, text) in [
            (r"^\pL{1000}$", "é".repeat(1000)),
            (r"^(?:\pL\pN?){500}$", "é1".repeat(500)),
            (r"^((\pL{10}){10}){10}$", "a".repeat(1000)),
            (r"(?i)^(?:[^\P{Greek}ſ]|\p{Lu}){300}$", "Σs".repeat(150)),
        ] {
            let compiled = Pattern::new(pattern).unwrap();
            let engine = compiled.engine.as_ref().unwrap();
            assert_eq!(engine.texts, Texts::Ascii, "{pattern}");
            assert!(engine.regex.memory_usage() < 1 << 20, "{pattern}: {}", engine.regex.memory_usage());
            assert!(compiled.threads.len() < 3_000, "{pattern}: {}", compiled.threads.len());
            for text in [text.clone(), text.replace(['é', 'Σ'], "k")] {
                assert_eq!(found(&compiled, &text).unwrap()[0], Some(0..text.len()), "{pattern}");
                assert!(compiled.is_match(&text), "{pattern}");
                assert!(
                    !compiled.is_match(text.get(2..).unwrap()) && !compiled.is_match(&format!("{text}-")),
                    "{pattern}"
                );
            }
        }
    }

    #[test]
    fn many_groups_are_not_kept_for_each_state_of_the_engine() {
        let pattern = Pattern::new(&"(a)".repeat(5_000)).unwrap();
        assert!(pattern.engine.is_none());
        assert!(pattern.threads.len() <= 15_000);
        let groups = found(&pattern, &"a".repeat(5_001)).unwrap();
        assert_eq!(groups.len(), 5_001);
        assert_eq!((&groups[0], &groups[5_000]), (&Some(0..5_000), &Some(4_999..5_000)));
    }

    #[test]
    fn a_class_for_texts_of_ascii_has_what_folds_into_it() {
        let compiled = Pattern::new(r"(?i)^(?:[\x{212a}ſ]|\pL{1000}|[^\x{e9}a-z])$").unwrap();
        assert_eq!(compiled.engine.as_ref().unwrap().texts, Texts::Ascii);
        for (text, matches) in
            [("k", true), ("S", true), ("a", false), ("1", true), ("\u{212a}", true), ("É", false)]
        {
            assert_eq!(compiled.is_match(text), matches, "{text}");
            assert_eq!(compiled.threads.is_match(text), matches, "{text}");
        }
    }

    /// Pieces of which many combinations can run by the loop.
    fn piece() -> impl Strategy<Value = String> {
        let atom = prop_oneof![
            "[abc.-]".prop_map(|text| text.replace('.', "\\.")),
            Just("[ab]".to_owned()),
            Just("[^a]".to_owned()),
            Just("[0-9]".to_owned()),
            Just("\\d".to_owned()),
            Just("[\\w.]".to_owned()),
            Just(".".to_owned()),
        ];
        let count = prop_oneof![
            4 => Just(""), 2 => Just("+"), 1 => Just("*"), 1 => Just("?"), 1 => Just("{2}"), 1 => Just("{1,2}"),
        ];
        (atom, count, any::<bool>()).prop_map(|(atom, count, group)| {
            if group { format!("({atom}{count})") } else { format!("{atom}{count}") }
        })
    }

    /// Patterns that Go and Rust read alike, as far as texts of ASCII tell.
    fn shared_pattern() -> impl Strategy<Value = String> {
        let atom = proptest::sample::select(vec![
            "a",
            "b",
            "0",
            "\\.",
            ".",
            "[a-c]",
            "[^ab]",
            "[0-9_]",
            "[[:alpha:]]",
            "[^[:digit:]]",
            "\\d",
            "\\D",
            "\\w",
            "\\W",
            "\\s",
            "\\pL",
            "\\x61",
            "\\n",
            "(?i:b)",
            "(?i)a",
            "(?s:.)",
            "(?m:^b$)",
            "^",
            "$",
            "\\A",
            "\\z",
            "\\b",
            "\\B",
            "",
        ]);
        let count = proptest::sample::select(vec![
            "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "??", "{0,2}?",
        ]);
        // Not `{0}`: Rust does not count the groups below it, Go does.
        atom.prop_map(str::to_owned).prop_recursive(4, 24, 3, move |inner| {
            prop_oneof![
                2 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                1 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
                1 => inner.clone().prop_map(|inner| format!("({inner})")),
                2 => (inner, count.clone()).prop_map(|(inner, count)| format!("(?:{inner}){count}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn a_translated_pattern_agrees_with_the_original_where_both_languages_do(
            pattern in shared_pattern(),
            texts in proptest::collection::vec("[abcAB01 _.\n-]{0,8}", 8),
        ) {
            let (ours, original) = (Pattern::new(&pattern).unwrap(), Regex::new(&pattern).unwrap());
            for text in &texts {
                let groups = |captures: regex::Captures<'_>| {
                    captures.iter().map(|group| group.map(|group| group.range())).collect::<Vec<_>>()
                };
                let expected = original.captures(text).map(groups);
                prop_assert_eq!(&found(&ours, text), &expected, "{} on {:?}", pattern, text);
                prop_assert_eq!(&found_by_threads(&ours, text), &expected, "{} on {:?}", pattern, text);
                prop_assert_eq!(ours.threads.is_match(text), expected.is_some(), "{} on {:?}", pattern, text);
            }
        }

        #[test]
        fn loop_engine_and_threads_find_the_same(
            pieces in proptest::collection::vec(piece(), 0..5),
            anchors in (any::<bool>(), any::<bool>()),
            texts in proptest::collection::vec("[ab01.é\n-]{0,8}", 8),
        ) {
            let pattern = format!(
                "{}{}{}", if anchors.0 { "^" } else { "" }, pieces.concat(), if anchors.1 { "$" } else { "" }
            );
            let compiled = Pattern::new(&pattern).unwrap();
            for text in &texts {
                let by_engine = found_by_engine(&compiled, text);
                prop_assert_eq!(&found(&compiled, text), &by_engine, "{} on {:?}", pattern, text);
                prop_assert_eq!(&found_by_threads(&compiled, text), &by_engine, "{} on {:?}", pattern, text);
                prop_assert_eq!(compiled.is_match(text), by_engine.is_some(), "{} on {:?}", pattern, text);
            }
        }

        #[test]
        fn no_pattern_upsets_the_translator(pattern in any::<String>()) {
            let _ = Pattern::new(&pattern);
        }

        #[test]
        fn what_go_takes_rust_takes(pattern in r"[ab01(){}\[\]?*+|^$.:\\PpLdDQEimsU<>,&~-]{0,24}") {
            if let Ok(compiled) = Pattern::new(&pattern) {
                prop_assert!(compiled.engine.is_some(), "{}", pattern);
            }
        }
    }
}
