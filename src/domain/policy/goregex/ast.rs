//! The tree of a parsed pattern, with Go's limits on its size.

use std::sync::Arc;

use super::factor::factor;
use super::set::Set;

/// A part of a pattern.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Levels below and including this one, counted as Go counts them.
    pub(super) height: usize,
    /// Instructions of the compiled part, estimated as Go estimates them.
    pub(super) size: u64,
}

/// What a part matches.
#[derive(Debug)]
pub(super) enum Kind {
    /// Nothing, anywhere.
    Empty,
    /// Characters one after the other, all of them under `(?i)` or none; one or more.
    Literal(Row),
    /// One character of a class.
    Class(Arc<Set>),
    /// Any character, a line break only if `newline`.
    Any { newline: bool },
    /// A place.
    Assert(Assert),
    /// A group that remembers, with its number.
    Capture { index: u32, node: Box<Node> },
    /// `min` to `max` times the same.
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, greedy: bool },
    /// One after the other; two or more.
    Concat(Vec<Node>),
    /// The first that leads to a match; two or more.
    Alternate(Vec<Node>),
}

/// A character, or under `(?i)` one of those that it is in any case.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Under `(?i)` the lowest of its cases.
    pub(super) code: u32,
    pub(super) folded: Option<Arc<Set>>,
}

impl PartialEq for Letter {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && self.folded.is_some() == other.folded.is_some()
    }
}

/// Letters of which the first may be taken away.
#[derive(Debug)]
pub(super) struct Row {
    letters: Vec<Letter>,
    start: usize,
}

impl From<Vec<Letter>> for Row {
    fn from(letters: Vec<Letter>) -> Self {
        Self { letters, start: 0 }
    }
}

impl Row {
    pub(super) fn letters(&self) -> &[Letter] {
        self.letters.get(self.start..).unwrap_or_default()
    }

    /// The row without its first `count` letters.
    pub(super) fn without_first(self, count: usize) -> Self {
        Self { start: self.start + count, ..self }
    }

    fn is_folded(&self) -> bool {
        self.letters.last().is_some_and(|letter| letter.folded.is_some())
    }
}

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assert {
    BeginText,
    EndText,
    BeginLine,
    EndLine,
    Word,
    NotWord,
}

impl Node {
    pub(super) fn new(kind: Kind) -> Self {
        let (height, size) = measure(&kind);
        Self { kind, height, size: size.max(1) }
    }

    /// `items` one after the other, concatenations among them taken apart.
    pub(super) fn concat(items: Vec<Self>) -> Self {
        only(items).unwrap_or_else(|items| {
            let opened = items.into_iter().flat_map(|item| match item.kind {
                Kind::Concat(inner) => inner,
                _ => vec![item],
            });
            Self::new(Kind::Concat(opened.collect()))
        })
    }

    /// A choice among `branches`, choices among them taken apart and what they begin with in common put before it.
    pub(super) fn alternate(branches: Vec<Self>) -> Self {
        let factored = only(branches).or_else(|branches| {
            let opened = branches.into_iter().flat_map(|branch| match branch.kind {
                Kind::Alternate(inner) => inner,
                _ => vec![branch],
            });
            only(factor(opened.collect()))
        });
        factored.unwrap_or_else(|branches| Self::new(Kind::Alternate(branches)))
    }

    /// Puts the last two of `items` into one if they are letters alike.
    ///
    /// The last one may still be repeated, so this is done before something is added behind it.
    pub(super) fn join_last(items: &mut Vec<Self>) {
        let [.., first, last] = items.as_mut_slice() else { return };
        let (Kind::Literal(row), Kind::Literal(more)) = (&mut first.kind, &mut last.kind) else { return };
        if row.is_folded() == more.is_folded() {
            row.letters.extend(more.letters.drain(more.start..));
            first.size += last.size;
            items.pop();
        }
    }

    /// Whether all counts along each path of nested repetitions multiply to at most `limit`.
    ///
    /// Source: golang/go, `src/regexp/syntax/parse.go` (repeatIsValid).
    pub(super) fn counts_within(&self, limit: u32) -> bool {
        match &self.kind {
            Kind::Repeat { node, min, max, .. } => {
                // `*`, `+` and `?` count as 0 or 1.
                match max.unwrap_or(*min) {
                    0 => max.is_some() || node.counts_within(limit),
                    count if count > limit => false,
                    count => node.counts_within(limit / count),
                }
            }
            Kind::Capture { node, .. } => node.counts_within(limit),
            Kind::Concat(nodes) | Kind::Alternate(nodes) => {
                nodes.iter().all(|node| node.counts_within(limit))
            }
            _ => true,
        }
    }
}

/// The only one of `nodes`, nothing for none of them, or else all of them.
fn only(mut nodes: Vec<Node>) -> Result<Node, Vec<Node>> {
    match nodes.len() {
        0 => Ok(Node::new(Kind::Empty)),
        1 => nodes.pop().ok_or(nodes),
        _ => Err(nodes),
    }
}

/// Height and size of a part, from those of its parts.
///
/// Source: golang/go, `src/regexp/syntax/parse.go` (calcHeight, calcSize).
fn measure(kind: &Kind) -> (usize, u64) {
    match kind {
        Kind::Capture { node, .. } => (node.height + 1, node.size.saturating_add(2)),
        Kind::Repeat { node, min, max, .. } => (node.height + 1, repeated_size(node.size, *min, *max)),
        Kind::Literal(row) => (1, row.letters().len() as u64),
        Kind::Concat(nodes) => {
            let size = nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(node.size));
            (tallest(nodes) + 1, size)
        }
        Kind::Alternate(nodes) => {
            let size = nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(node.size));
            (tallest(nodes) + 1, size.saturating_add(nodes.len() as u64 - 1))
        }
        _ => (1, 1),
    }
}

fn tallest(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| node.height).max().unwrap_or(0)
}

fn repeated_size(size: u64, min: u32, max: Option<u32>) -> u64 {
    match (u64::from(min), max.map(u64::from)) {
        (0, None) => size.saturating_add(2),
        (min, None) => size.saturating_mul(min).saturating_add(1),
        (min, Some(max)) => size.saturating_mul(max).saturating_add(max.saturating_sub(min)),
    }
}

/// The parts of a concatenation, or the one part.
pub(super) fn parts(root: &Node) -> &[Node] {
    match &root.kind {
        Kind::Concat(nodes) => nodes,
        _ => std::slice::from_ref(root),
    }
}

/// What a text must begin with to match: the literals after a leading `^`.
pub(super) fn literal_prefix(root: &Node) -> String {
    match parts(root).split_first() {
        Some((Node { kind: Kind::Assert(Assert::BeginText), .. }, rest)) => {
            rest.iter().map_while(letters).flatten().map_while(exact).collect()
        }
        _ => String::new(),
    }
}

/// What a text must end with to match: the literals before a closing `$`.
pub(super) fn literal_suffix(root: &Node) -> String {
    match parts(root).split_last() {
        Some((Node { kind: Kind::Assert(Assert::EndText), .. }, rest)) => {
            let backwards = rest.iter().rev().map_while(letters).flat_map(|row| row.iter().rev());
            let reversed: Vec<char> = backwards.map_while(exact).collect();
            reversed.into_iter().rev().collect()
        }
        _ => String::new(),
    }
}

fn letters(node: &Node) -> Option<&[Letter]> {
    match &node.kind {
        Kind::Literal(row) => Some(row.letters()),
        _ => None,
    }
}

/// The character that a letter stands for, if it stands for just one.
fn exact(letter: &Letter) -> Option<char> {
    if letter.folded.is_none() { char::from_u32(letter.code) } else { None }
}
