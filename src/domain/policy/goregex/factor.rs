//! Puts what branches of a choice begin with in common before the choice: `abc|abd|x` becomes `ab[cd]|x`.
//!
//! A list of thousands of words takes a few steps for each character then, and Go measures patterns so.
//!
//! Source: golang/go, `src/regexp/syntax/parse.go` (factor).

use super::ast::{Kind, Letter, Node, Row};
use super::set::{self, Set};

/// The branches of the same choice, as few as can be.
pub(super) fn factor(branches: Vec<Node>) -> Vec<Node> {
    merge_empty(merge_classes(factor_nodes(factor_rows(branches))))
}

/// Factors out letters.
fn factor_rows(branches: Vec<Node>) -> Vec<Node> {
    let mut factored = Vec::new();
    let (mut run, mut shared): (Vec<Node>, usize) = (Vec::new(), 0);
    for branch in branches {
        let first =
            run.first().map(first_letters).and_then(|letters| letters.get(..shared)).unwrap_or_default();
        let same = first.iter().zip(first_letters(&branch)).take_while(|(own, other)| own == other).count();
        if same == 0 {
            end_row(&mut factored, std::mem::take(&mut run), shared);
            shared = first_letters(&branch).len();
        } else {
            shared = same;
        }
        run.push(branch);
    }
    end_row(&mut factored, run, shared);
    factored
}

/// Adds `run`, all of which begin with the same `shared` letters.
fn end_row(factored: &mut Vec<Node>, run: Vec<Node>, shared: usize) {
    if run.len() < 2 {
        return factored.extend(run);
    }
    let letters = run.first().map(first_letters).and_then(|letters| letters.get(..shared));
    let prefix = Kind::Literal(Row::from(letters.unwrap_or_default().to_vec()));
    let rest = run.into_iter().map(|branch| without_letters(branch, shared)).collect();
    factored.push(Node::new(Kind::Concat(vec![Node::new(prefix), Node::alternate(rest)])));
}

/// The letters that a branch begins with.
fn first_letters(branch: &Node) -> &[Letter] {
    let first = if let Kind::Concat(nodes) = &branch.kind { nodes.first() } else { Some(branch) };
    match first.map(|node| &node.kind) {
        Some(Kind::Literal(row)) => row.letters(),
        _ => &[],
    }
}

/// The branch without its first `count` letters.
fn without_letters(branch: Node, count: usize) -> Node {
    match branch.kind {
        Kind::Literal(row) if row.letters().len() <= count => Node::new(Kind::Empty),
        Kind::Literal(row) => Node::new(Kind::Literal(row.without_first(count))),
        Kind::Concat(mut nodes) => {
            let first = without_letters(nodes.remove(0), count);
            if !matches!(first.kind, Kind::Empty) {
                nodes.insert(0, first);
            }
            concat_of(nodes)
        }
        _ => branch,
    }
}

/// What is left of a concatenation.
fn concat_of(mut nodes: Vec<Node>) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            Node::new(Kind::Concat(nodes))
        }
        None => Node::new(Kind::Empty),
    }
}

/// Factors out classes, and classes that are repeated a fixed number of times. With anything else the ways through the
/// pattern would be others.
fn factor_nodes(branches: Vec<Node>) -> Vec<Node> {
    let mut factored = Vec::new();
    let mut run: Vec<Node> = Vec::new();
    for branch in branches {
        let first = run.first().and_then(first_node).filter(|first| is_fixed_class(first));
        let goes_on = first.zip(first_node(&branch)).is_some_and(|(own, other)| is_same(own, other));
        if !goes_on {
            end_nodes(&mut factored, std::mem::take(&mut run));
        }
        run.push(branch);
    }
    end_nodes(&mut factored, run);
    factored
}

/// Adds `run`, all of which begin with the same part.
fn end_nodes(factored: &mut Vec<Node>, run: Vec<Node>) {
    if run.len() < 2 {
        return factored.extend(run);
    }
    let (mut firsts, rest): (Vec<_>, Vec<_>) = run.into_iter().map(without_first).unzip();
    firsts.truncate(1);
    firsts.push(Node::alternate(rest));
    factored.push(Node::new(Kind::Concat(firsts)));
}

fn first_node(branch: &Node) -> Option<&Node> {
    let first = if let Kind::Concat(nodes) = &branch.kind { nodes.first()? } else { branch };
    if matches!(first.kind, Kind::Empty) { None } else { Some(first) }
}

/// The first part of a branch, and the others.
fn without_first(branch: Node) -> (Node, Node) {
    match branch.kind {
        Kind::Concat(mut nodes) if !nodes.is_empty() => (nodes.remove(0), concat_of(nodes)),
        _ => (branch, Node::new(Kind::Empty)),
    }
}

/// Whether the part is one character of some.
fn is_class(node: &Node) -> bool {
    match &node.kind {
        Kind::Literal(row) => row.letters().len() == 1,
        Kind::Class(_) | Kind::Any { .. } => true,
        _ => false,
    }
}

fn is_fixed_class(node: &Node) -> bool {
    match &node.kind {
        Kind::Repeat { node, min, max, .. } => *max == Some(*min) && is_class(node),
        _ => is_class(node),
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Literal(own), Kind::Literal(other)) => own.letters() == other.letters(),
        (Kind::Class(own), Kind::Class(other)) => own == other,
        (Kind::Any { newline: own }, Kind::Any { newline: other }) => own == other,
        (
            Kind::Repeat { node, min, max, greedy },
            Kind::Repeat { node: other, min: other_min, max: other_max, greedy: other_greedy },
        ) => (min, max, greedy) == (other_min, other_max, other_greedy) && is_same(node, other),
        _ => false,
    }
}

/// Makes one class of neighbours that are one character each.
pub(super) fn merge_classes(branches: Vec<Node>) -> Vec<Node> {
    let mut merged = Vec::new();
    let mut run: Vec<Node> = Vec::new();
    for branch in branches {
        if is_class(&branch) {
            run.push(branch);
        } else {
            end_classes(&mut merged, std::mem::take(&mut run));
            merged.push(branch);
        }
    }
    end_classes(&mut merged, run);
    merged
}

fn end_classes(merged: &mut Vec<Node>, mut run: Vec<Node>) {
    run.dedup_by(|next, kept| is_same(kept, next));
    if run.len() < 2 {
        return merged.extend(run);
    }
    let ranges = run.iter().flat_map(|node| match &node.kind {
        Kind::Literal(row) => row.letters().first().map(letter_ranges).unwrap_or_default(),
        Kind::Class(set) => set.as_class().ranges().to_vec(),
        Kind::Any { newline } => set::any(*newline),
        _ => Vec::new(),
    });
    merged.push(Node::new(Kind::Class(Set::of(ranges).into())));
}

fn letter_ranges(letter: &Letter) -> Vec<set::Range> {
    match &letter.folded {
        Some(set) => set.as_class().ranges().to_vec(),
        None => set::ranges([(letter.code, letter.code)]).collect(),
    }
}

/// Leaves one of neighbours that match nothing but the empty text.
fn merge_empty(mut branches: Vec<Node>) -> Vec<Node> {
    let is_empty = |node: &Node| matches!(node.kind, Kind::Empty);
    branches.dedup_by(|next, kept| is_empty(next) && is_empty(kept));
    branches
}
