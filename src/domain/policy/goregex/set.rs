//! Sets of characters: what a class comes to, with letter case and Unicode's tables resolved.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

pub(super) use regex_syntax::hir::ClassUnicodeRange as Range;
use regex_syntax::hir::{self, ClassUnicode, HirKind};

use super::class::{Class, Item};

/// The characters that Go knows, in Rust's syntax: Rust's tables are of a newer version of Unicode.
///
/// Source: golang/go 1.26, `src/unicode/tables.go`.
pub(in crate::domain) const KNOWN: &str = r"\p{age=15.0}";
/// The last character before the surrogates, which no text of valid UTF-8 has, and the first behind them.
const AROUND_SURROGATES: (char, char) = ('\u{d7ff}', '\u{e000}');

/// Characters, as ranges in order that do not touch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Set {
    class: ClassUnicode,
    /// A bit for each character of ASCII.
    ascii: u128,
}

impl Set {
    fn new(class: ClassUnicode) -> Self {
        let ascii = (0..0x80_u8).filter(|byte| contains(&class, char::from(*byte)));
        let ascii = ascii.fold(0, |bits, byte| bits | 1 << byte);
        Self { class, ascii }
    }

    /// All characters of `ranges`.
    pub(super) fn of(ranges: impl IntoIterator<Item = Range>) -> Self {
        let mut class = ClassUnicode::new(ranges);
        bridge_surrogates(&mut class);
        Self::new(class)
    }

    /// Whether `character` is in the set.
    pub(super) fn has(&self, character: char) -> bool {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => self.has_ascii(byte),
            _ => contains(&self.class, character),
        }
    }

    /// Whether the character `byte`, one of ASCII, is in the set.
    pub(super) fn has_ascii(&self, byte: u8) -> bool {
        self.ascii.checked_shr(u32::from(byte)).is_some_and(|bits| bits & 1 == 1)
    }

    /// Whether nothing but ASCII characters is in the set.
    pub(super) fn is_ascii_only(&self) -> bool {
        self.class.is_ascii()
    }

    /// The only character of the set, if it has just one.
    pub(super) fn only(&self) -> Option<char> {
        match self.class.ranges() {
            [only] if only.start() == only.end() => Some(only.start()),
            _ => None,
        }
    }

    /// The lowest character of the set.
    pub(super) fn first(&self) -> Option<char> {
        self.class.ranges().first().map(Range::start)
    }

    /// How many characters the set has, if those are few.
    pub(super) fn few(&self) -> Option<usize> {
        let ranges = self.class.ranges();
        (ranges.len() <= 2).then(|| ranges.iter().map(Range::len).sum())
    }

    /// How many ranges the set has, and how many of them reach beyond ASCII.
    pub(super) fn ranges(&self) -> (usize, usize) {
        let ranges = self.class.ranges();
        (ranges.len(), ranges.len() - ranges.partition_point(|range| range.end().is_ascii()))
    }

    /// The set as Rust's engine takes it.
    pub(super) fn as_class(&self) -> &ClassUnicode {
        &self.class
    }
}

fn contains(class: &ClassUnicode, character: char) -> bool {
    let ranges = class.ranges();
    let at = ranges.partition_point(|range| range.end() < character);
    ranges.get(at).is_some_and(|range| range.start() <= character)
}

/// The sets of one pattern, each made once however often it is written.
#[derive(Debug, Default)]
pub(super) struct Sets<'p> {
    spelled: HashMap<(&'p str, bool), Arc<Set>>,
    folded: HashMap<u32, Arc<Set>>,
    named: HashMap<(Item, bool), ClassUnicode>,
}

impl<'p> Sets<'p> {
    /// The characters of `class`, which is written `spelled`, in any case if `fold`.
    pub(super) fn class(&mut self, spelled: &'p str, class: &Class, fold: bool) -> Arc<Set> {
        if let Some(set) = self.spelled.get(&(spelled, fold)) {
            return Arc::clone(set);
        }
        let set = Arc::new(Set::new(self.resolve(class, fold)));
        self.spelled.insert((spelled, fold), Arc::clone(&set));
        set
    }

    /// The character with the code point `code` in any case.
    pub(super) fn folded(&mut self, code: u32) -> Arc<Set> {
        let set = self.folded.entry(code).or_insert_with(|| {
            let mut ranges: Vec<_> = ranges([(code, code)]).collect();
            fold(&mut ranges);
            Arc::new(Set::of(ranges))
        });
        Arc::clone(set)
    }

    fn resolve(&mut self, class: &Class, in_any_case: bool) -> ClassUnicode {
        let mut all: Vec<_> = ranges(class.ranges().iter().copied()).collect();
        if in_any_case {
            fold(&mut all);
        }
        for item in class.named() {
            let named = self.named.entry((*item, in_any_case));
            all.extend(named.or_insert_with(|| named_set(item, in_any_case)).ranges());
        }
        let mut whole = ClassUnicode::new(all);
        bridge_surrogates(&mut whole);
        if class.negated {
            whole.negate();
        }
        whole
    }
}

/// Any character, a line break only if `newline`.
pub(super) fn any(newline: bool) -> Vec<Range> {
    let all = [(0, u32::from('\n') - 1), (u32::from('\n') + 1, u32::from(char::MAX))];
    let line_break = u32::from('\n');
    ranges(all).chain(ranges([(line_break, line_break)]).filter(|_| newline)).collect()
}

/// The ranges of code points without surrogates.
pub(super) fn ranges(codes: impl IntoIterator<Item = (u32, u32)>) -> impl Iterator<Item = Range> {
    let (before, behind) = AROUND_SURROGATES;
    codes.into_iter().filter_map(move |(low, high)| {
        let low = char::from_u32(low).unwrap_or(behind);
        let high = char::from_u32(high).unwrap_or(before);
        (low <= high).then(|| Range::new(low, high))
    })
}

/// What has a name. Letter case is folded before a set is inverted.
fn named_set(item: &Item, in_any_case: bool) -> ClassUnicode {
    let (mut all, negated) = match *item {
        Item::Ascii { ranges: bytes, negated } => {
            let bytes = bytes.iter().map(|(low, high)| (u32::from(*low), u32::from(*high)));
            (ranges(bytes).collect(), negated)
        }
        Item::Any { negated } => (ranges([(0, u32::from(char::MAX))]).collect(), negated),
        Item::Unicode { name, negated } => (unicode_set(name).ranges().to_vec(), negated),
    };
    if in_any_case {
        fold(&mut all);
    }
    let mut class = ClassUnicode::new(all);
    if negated {
        class.negate();
    }
    class
}

/// A category or script, as far as Go knows the characters; what it does not know is unassigned.
fn unicode_set(name: &str) -> ClassUnicode {
    let has_unassigned = matches!(name, "c" | "other" | "cn" | "unassigned");
    let (open, letter) = if has_unassigned { ("[^", 'P') } else { ("[", 'p') };
    read(&format!("{open}\\{letter}{{{name}}}&&{KNOWN}]"))
}

/// The characters of a class in Rust's syntax.
fn read(class: &str) -> ClassUnicode {
    let hir = regex_syntax::parse(class).ok();
    match hir.as_ref().map(hir::Hir::kind) {
        Some(HirKind::Class(hir::Class::Unicode(class))) => class.clone(),
        _ => ClassUnicode::empty(),
    }
}

/// Joins the ranges on both sides of the surrogates: when Rust's engine inverts them, it takes their ends for what is
/// between.
fn bridge_surrogates(class: &mut ClassUnicode) {
    let (before, behind) = AROUND_SURROGATES;
    if contains(class, before) && contains(class, behind) {
        class.push(Range::new(before, behind));
    }
}

/// The characters that are the same as others but for their case, in order, each with those others.
static CASES: LazyLock<Vec<(char, Vec<char>)>> = LazyLock::new(|| {
    let known = read(KNOWN);
    let cased = read(&format!(r"[[\p{{CWCM}}\p{{CWCF}}]&&{KNOWN}]"));
    let cased = cased.ranges().iter().flat_map(|range| range.start()..=range.end());
    cased.map(|character| (character, other_cases(character, &known))).collect()
});

fn other_cases(character: char, known: &ClassUnicode) -> Vec<char> {
    let mut class = ClassUnicode::new([Range::new(character, character)]);
    class.case_fold_simple();
    let cases = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    cases.filter(|other| *other != character && contains(known, *other)).collect()
}

/// Adds the other cases of all characters in `ranges`.
fn fold(ranges: &mut Vec<Range>) {
    // In order and apart, so that no character is looked up twice.
    let distinct = ClassUnicode::new(ranges.iter().copied());
    for range in distinct.ranges() {
        let first = CASES.partition_point(|(character, _)| *character < range.start());
        let cased = CASES.iter().skip(first).take_while(|(character, _)| *character <= range.end());
        let others = cased.flat_map(|(_, others)| others);
        ranges.extend(others.map(|other| Range::new(*other, *other)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_is_folded_as_the_tables_have_it() {
        let mut sets = Sets::default();
        for (character, cases) in [('k', "Kk\u{212a}"), ('S', "Ssſ"), ('1', "1"), ('σ', "Σςσ"), ('ß', "ßẞ")]
        {
            let set = sets.folded(u32::from(character));
            let members: String =
                set.as_class().ranges().iter().flat_map(|range| range.start()..=range.end()).collect();
            assert_eq!(members, cases, "{character}");
        }
    }

    #[test]
    fn no_letter_with_another_case_is_missing() {
        let known = read(KNOWN);
        let cased = ClassUnicode::new(CASES.iter().map(|(own, _)| Range::new(*own, *own)));
        let mut others = known.clone();
        others.difference(&cased);
        let mut folded = others.clone();
        folded.case_fold_simple();
        folded.intersect(&known);
        assert_eq!(folded.ranges(), others.ranges());
        assert!(CASES.iter().all(|(own, others)| !others.contains(own)));
    }

    #[test]
    fn letters_of_a_newer_unicode_are_no_case_of_what_go_knows() {
        let mut sets = Sets::default();
        for (character, newer) in [('ƛ', '\u{a7dc}'), ('ɤ', '\u{a7cb}')] {
            assert!(!sets.folded(u32::from(character)).has(newer));
            let (class, after) = super::super::class::bracketed(r"[\p{Ll}]", usize::MAX).unwrap();
            assert_eq!(after, "");
            assert!(!sets.class(r"[\p{Ll}]", &class, true).has(newer));
        }
    }
}
