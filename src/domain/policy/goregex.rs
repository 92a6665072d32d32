//! Go's regular expressions on Rust's engine: same syntax, same meaning, same complaints.
//!
//! Both engines match alike (leftmost-first, no backtracking), but they do not read alike: `[a-z&&[^b]]`, `\<`, `a{,5}`,
//! `\d` and more mean something else or nothing in the other syntax, and Go refuses what Rust takes. So a pattern is
//! parsed by Go's rules (`parse`) and written anew for Rust (`emit`), never passed through. What many tag patterns
//! look like, a row of characters and classes that never has to go back, is also run by a plain loop (`linear`).
//!
//! Sources: golang/go, `src/regexp/syntax/doc.go` and `parse.go`; rust-lang/regex, `src/lib.rs`.

mod ast;
mod class;
mod emit;
mod linear;
mod parse;

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use thiserror::Error;

use linear::Linear;

pub(in crate::domain) use emit::KNOWN;

/// The most memory that one compiled pattern may take, in bytes; Go allows about as much.
const SIZE_LIMIT: usize = 128 << 20;

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
    regex: Regex,
    linear: Option<Linear>,
    /// What every matching text begins with.
    prefix: String,
    /// What every matching text ends with.
    suffix: String,
    /// The pattern cut short after each of its top-level parts, shortest first; empty unless it is anchored.
    stems: Vec<Stem>,
}

/// The beginning of an anchored pattern, compiled when it is first asked for.
#[derive(Debug)]
struct Stem {
    pattern: String,
    regex: OnceLock<Option<Regex>>,
}

impl Stem {
    /// Where the stem's match in `text` ends.
    fn fit(&self, text: &str) -> Option<usize> {
        let regex = self.regex.get_or_init(|| compile(&self.pattern).ok()).as_ref()?;
        Some(regex.find(text)?.end())
    }
}

/// Where a pattern and its groups matched, as byte offsets; group 0 is the whole match.
#[derive(Debug, Clone)]
pub struct Slots {
    ends: Vec<usize>,
    locations: regex::CaptureLocations,
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
        let too_large = |error: regex::Error| match error {
            regex::Error::CompiledTooBig(_) => RegexError::new("expression too large", pattern),
            _ => RegexError::new(INTERNAL, pattern),
        };
        let regex = compile(&emit::emit(&parsed.root)).map_err(too_large)?;
        Ok(Self {
            regex,
            linear: Linear::new(&parsed.root, parsed.names.len()),
            prefix: ast::literal_prefix(&parsed.root),
            suffix: ast::literal_suffix(&parsed.root),
            stems: emit::stems(&parsed.root, SHALLOW)
                .into_iter()
                .map(|pattern| Stem { pattern, regex: OnceLock::new() })
                .collect(),
            names: parsed.names,
        })
    }

    /// The names of the groups by number; empty for a group without one, such as group 0.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.may_match(text) && self.regex.is_match(text)
    }

    /// Room for the answers of [`Self::find`].
    pub fn slots(&self) -> Slots {
        Slots { ends: vec![UNSET; self.names.len() * 2], locations: self.regex.capture_locations() }
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
        self.find_by_regex(text, slots)
    }

    /// [`Self::find`] without any short cut.
    fn find_by_regex(&self, text: &str, slots: &mut Slots) -> bool {
        self.find_at(text, 0, slots)
    }

    /// The same from the byte offset `start` on, which must lie between two characters; what stands before it counts for
    /// anchors and word boundaries.
    pub fn find_at(&self, text: &str, start: usize, slots: &mut Slots) -> bool {
        if self.regex.captures_read_at(&mut slots.locations, text, start).is_none() {
            return false;
        }
        for (index, pair) in slots.ends.chunks_exact_mut(2).enumerate() {
            let (start, end) = slots.locations.get(index).unwrap_or((UNSET, UNSET));
            pair.copy_from_slice(&[start, end]);
        }
        true
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
        let longest = self.stems.partition_point(|stem| stem.fit(text).is_some());
        self.stems.get(longest.checked_sub(1)?)?.fit(text)
    }
}

/// Go nests a thousand deep, and each of its levels may be several of ours.
fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).nest_limit(10_000).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    fn found(pattern: &Pattern, text: &str, by_regex: bool) -> Option<Vec<Option<Range<usize>>>> {
        let mut slots = pattern.slots();
        let found =
            if by_regex { pattern.find_by_regex(text, &mut slots) } else { pattern.find(text, &mut slots) };
        found.then(|| (0..pattern.names().len()).map(|group| slots.group(group)).collect())
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
                prop_assert_eq!(found(&ours, text, false), original.captures(text).map(groups), "{} on {:?}", pattern, text);
            }
        }

        #[test]
        fn the_loop_finds_what_the_engine_finds(
            pieces in proptest::collection::vec(piece(), 0..5),
            anchors in (any::<bool>(), any::<bool>()),
            texts in proptest::collection::vec("[ab01.é\n-]{0,8}", 8),
        ) {
            let pattern = format!(
                "{}{}{}", if anchors.0 { "^" } else { "" }, pieces.concat(), if anchors.1 { "$" } else { "" }
            );
            let compiled = Pattern::new(&pattern).unwrap();
            for text in &texts {
                prop_assert_eq!(found(&compiled, text, false), found(&compiled, text, true), "{} on {:?}", pattern, text);
                prop_assert_eq!(compiled.is_match(text), compiled.regex.is_match(text), "{} on {:?}", pattern, text);
            }
        }

        #[test]
        fn no_pattern_upsets_the_translator(pattern in any::<String>()) {
            let _ = Pattern::new(&pattern);
        }

        #[test]
        fn what_go_takes_rust_takes(pattern in r"[ab01(){}\[\]?*+|^$.:\\PpLdDQEimsU<>,&~-]{0,24}") {
            if let Err(error) = Pattern::new(&pattern) {
                prop_assert!(!error.to_string().contains("internal error"), "{}: {}", pattern, error);
            }
        }
    }
}
