//! Hands a parsed pattern to Rust's engine, with nothing left to interpretation.

use regex_automata::meta;
use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, Look, Repetition};

use super::ast::{Assert, Kind, Letter, Node};
use super::set::Set;

/// The most that a pattern may weigh to be compiled for the engine; its time and memory for that are in proportion.
const MAX_WEIGHT: u64 = 60_000;
/// The most states and groups, multiplied: the engine may keep the groups of every state.
const MAX_KEPT: u64 = 2_000_000;

/// The texts that a compiled pattern can judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    All,
    /// Those of ASCII alone, for which a class of many scripts is as small as any other.
    Ascii,
}

/// A pattern, compiled for Rust's engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) regex: meta::Regex,
    pub(super) texts: Texts,
}

impl Engine {
    /// Compiles the pattern for all texts, else for those of ASCII, else not at all, as the engine can bear it.
    pub(super) fn new(root: &Node, groups: usize) -> Option<Self> {
        let texts = [Texts::All, Texts::Ascii].into_iter().find(|texts| {
            let weight = weight(root, *texts);
            weight <= MAX_WEIGHT && weight.saturating_mul(groups as u64) <= MAX_KEPT
        })?;
        let regex = meta::Builder::new().build_from_hir(&hir(root, texts)).ok()?;
        Some(Self { regex, texts })
    }
}

/// About how many states the engine makes of a part.
///
/// It spells each range of a class byte by byte and writes what is repeated as often as it is repeated.
fn weight(node: &Node, texts: Texts) -> u64 {
    let sum = |nodes: &[Node]| {
        nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(weight(node, texts)).saturating_add(1))
    };
    match &node.kind {
        Kind::Literal(row) => {
            let folded = row.letters().iter().filter(|letter| letter.folded.is_some()).count();
            row.letters().len() as u64 + folded as u64 * 2
        }
        Kind::Class(set) if texts == Texts::All => 1 + set.ranges().1 as u64 * 2,
        Kind::Any { .. } if texts == Texts::All => 8,
        Kind::Capture { node, .. } => weight(node, texts).saturating_add(2),
        Kind::Repeat { node, min, max, .. } => {
            let times = u64::from(max.unwrap_or(*min).max(1));
            weight(node, texts).saturating_add(1).saturating_mul(times)
        }
        Kind::Concat(nodes) | Kind::Alternate(nodes) => sum(nodes),
        _ => 1,
    }
}

/// The pattern as the engine takes it; its groups have the same numbers and no names.
fn hir(node: &Node, texts: Texts) -> Hir {
    match &node.kind {
        Kind::Empty => Hir::empty(),
        Kind::Literal(row) => {
            Hir::concat(row.letters().iter().map(|letter| literal(letter, texts)).collect())
        }
        Kind::Class(set) => class(set, texts),
        Kind::Any { newline: true } => Hir::dot(Dot::AnyChar),
        Kind::Any { newline: false } => Hir::dot(Dot::AnyCharExceptLF),
        Kind::Assert(assert) => Hir::look(match assert {
            Assert::BeginText => Look::Start,
            Assert::EndText => Look::End,
            Assert::BeginLine => Look::StartLF,
            Assert::EndLine => Look::EndLF,
            Assert::Word => Look::WordAscii,
            Assert::NotWord => Look::WordAsciiNegate,
        }),
        Kind::Capture { index, node } => {
            Hir::capture(Capture { index: *index, name: None, sub: Box::new(hir(node, texts)) })
        }
        Kind::Repeat { node, min, max, greedy } => Hir::repetition(Repetition {
            min: *min,
            max: *max,
            greedy: *greedy,
            sub: Box::new(hir(node, texts)),
        }),
        Kind::Concat(nodes) => Hir::concat(nodes.iter().map(|node| hir(node, texts)).collect()),
        Kind::Alternate(nodes) => Hir::alternation(nodes.iter().map(|node| hir(node, texts)).collect()),
    }
}

/// One character; a surrogate is none, and no text of valid UTF-8 has it.
fn literal(letter: &Letter, texts: Texts) -> Hir {
    if let Some(set) = &letter.folded {
        return class(set, texts);
    }
    let character =
        char::from_u32(letter.code).filter(|character| texts == Texts::All || character.is_ascii());
    let bytes = |character: char| character.encode_utf8(&mut [0; 4]).as_bytes().to_vec();
    character.map_or_else(Hir::fail, |character| Hir::literal(bytes(character)))
}

fn class(set: &Set, texts: Texts) -> Hir {
    let mut class = set.as_class().clone();
    if texts == Texts::Ascii {
        class.intersect(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]));
    }
    Hir::class(Class::Unicode(class))
}
