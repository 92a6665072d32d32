//! The tree of a parsed pattern, with Go's limits on its size.

use std::sync::Arc;

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
    /// One character, or under `(?i)` one of those that it is in any case.
    Literal { code: u32, folded: Option<Arc<Set>> },
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
        Self::collapse(items, |kind| match kind {
            Kind::Concat(inner) => Ok(inner),
            other => Err(other),
        })
        .unwrap_or_else(|items| Self::new(Kind::Concat(items)))
    }

    /// A choice among `branches`, choices among them taken apart.
    pub(super) fn alternate(branches: Vec<Self>) -> Self {
        Self::collapse(branches, |kind| match kind {
            Kind::Alternate(inner) => Ok(inner),
            other => Err(other),
        })
        .unwrap_or_else(|branches| Self::new(Kind::Alternate(branches)))
    }

    /// The only one of `nodes`, or else all of them with those that `open` opens replaced by what they hold.
    fn collapse(
        mut nodes: Vec<Self>,
        open: impl Fn(Kind) -> Result<Vec<Self>, Kind>,
    ) -> Result<Self, Vec<Self>> {
        match nodes.len() {
            0 => Ok(Self::new(Kind::Empty)),
            1 => Ok(nodes.remove(0)),
            _ => Err(nodes
                .into_iter()
                .flat_map(|node| open(node.kind).unwrap_or_else(|kind| vec![Self::new(kind)]))
                .collect()),
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

    fn literal(&self) -> Option<(u32, bool)> {
        match &self.kind {
            Kind::Literal { code, folded } => Some((*code, folded.is_some())),
            _ => None,
        }
    }
}

/// Height and size of a part, from those of its parts.
///
/// Source: golang/go, `src/regexp/syntax/parse.go` (calcHeight, calcSize).
fn measure(kind: &Kind) -> (usize, u64) {
    match kind {
        Kind::Capture { node, .. } => (node.height + 1, node.size.saturating_add(2)),
        Kind::Repeat { node, min, max, .. } => (node.height + 1, repeated_size(node.size, *min, *max)),
        Kind::Concat(nodes) => {
            let size = nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(node.size));
            // A row of literals is a single one to Go.
            let first = nodes.first().and_then(Node::literal);
            let one = nodes.iter().all(|node| node.literal().map(|own| own.1) == first.map(|own| own.1));
            (if first.is_some() && one { 1 } else { tallest(nodes) + 1 }, size)
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
            rest.iter().map_while(exact).collect()
        }
        _ => String::new(),
    }
}

/// What a text must end with to match: the literals before a closing `$`.
pub(super) fn literal_suffix(root: &Node) -> String {
    match parts(root).split_last() {
        Some((Node { kind: Kind::Assert(Assert::EndText), .. }, rest)) => {
            let reversed: Vec<char> = rest.iter().rev().map_while(exact).collect();
            reversed.into_iter().rev().collect()
        }
        _ => String::new(),
    }
}

/// The character that a part stands for, if it stands for just one.
fn exact(node: &Node) -> Option<char> {
    node.literal().filter(|(_, fold)| !fold).and_then(|(code, _)| char::from_u32(code))
}
