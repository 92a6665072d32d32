//! A pattern as a row of instructions, as Go compiles it: its size is that of the pattern with all counts written out, and
//! a class is one instruction however many characters it has.
//!
//! Source: golang/go, `src/regexp/syntax/compile.go` and `simplify.go`.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Assert, Kind, Letter, Node};
use super::set::Set;

/// One instruction. Unless it says otherwise, the next one follows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// This character.
    Char(char),
    /// A character of the set with this number.
    Set(u32),
    /// Any character, a line break only if `newline`.
    Any { newline: bool },
    /// Only at such a place.
    Assert(Assert),
    /// A group begins or ends; slot `2n` is the beginning of group `n`.
    Mark(u32),
    /// Goes on at both; the first is to be preferred.
    Split(u32, u32),
    /// Goes on there.
    Jump(u32),
    /// Leads nowhere.
    Fail,
}

/// The instructions of a pattern, which matches where its last one is behind.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    sets: Vec<Arc<Set>>,
    /// Whether it matches only from the beginning of a text on.
    pub(super) is_anchored: bool,
    /// Where each part of an anchored pattern ends, groups that are not repeated taken apart.
    pub(super) part_ends: Vec<u32>,
}

impl Program {
    pub(super) fn new(root: &Node) -> Self {
        let mut compiler = Compiler::default();
        compiler.parts(root);
        let mut program = compiler.program;
        let first = program.steps.iter().find(|step| !matches!(step, Step::Mark(_)));
        program.is_anchored = matches!(first, Some(Step::Assert(Assert::BeginText)));
        if !program.is_anchored {
            program.part_ends.clear();
        }
        program
    }

    /// Where the program ends.
    pub(super) fn end(&self) -> u32 {
        place(self.steps.len())
    }

    /// Whether the instruction takes `character`.
    pub(super) fn takes(&self, step: Step, character: char) -> bool {
        match step {
            Step::Char(own) => own == character,
            Step::Set(number) => self.sets.get(number as usize).is_some_and(|set| set.has(character)),
            Step::Any { newline } => newline || character != '\n',
            _ => false,
        }
    }
}

/// The parser lets no pattern grow to more instructions than that.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Compiler {
    program: Program,
    /// The numbers of the sets, by where they lie.
    numbers: HashMap<*const Set, u32>,
}

impl Compiler {
    /// Compiles a pattern part by part.
    fn parts(&mut self, node: &Node) {
        match &node.kind {
            Kind::Concat(nodes) => nodes.iter().for_each(|node| self.parts(node)),
            Kind::Capture { index, node } => {
                self.push(Step::Mark(index * 2));
                self.parts(node);
                self.push(Step::Mark(index * 2 + 1));
            }
            Kind::Literal(row) => row.letters().iter().for_each(|letter| {
                self.consume([letter], Self::letter);
                self.program.part_ends.push(self.program.end());
            }),
            _ => {
                self.node(node);
                self.program.part_ends.push(self.program.end());
            }
        }
    }

    /// Compiles a part and says whether it may match the empty text.
    fn node(&mut self, node: &Node) -> bool {
        match &node.kind {
            Kind::Empty => true,
            Kind::Literal(row) => self.consume(row.letters(), Self::letter),
            Kind::Class(set) => self.consume([set], Self::set),
            Kind::Any { newline } => self.consume([*newline], |_, newline| Step::Any { newline }),
            Kind::Assert(assert) => {
                self.push(Step::Assert(*assert));
                true
            }
            Kind::Capture { index, node } => {
                self.push(Step::Mark(index * 2));
                let is_nullable = self.node(node);
                self.push(Step::Mark(index * 2 + 1));
                is_nullable
            }
            Kind::Repeat { node, min, max, greedy } => self.repeat(node, *min, *max, *greedy),
            Kind::Concat(nodes) => {
                let mut is_nullable = true;
                for node in nodes {
                    is_nullable &= self.node(node);
                }
                is_nullable
            }
            Kind::Alternate(nodes) => self.alternate(nodes),
        }
    }

    fn push(&mut self, step: Step) -> usize {
        self.program.steps.push(step);
        self.program.steps.len() - 1
    }

    /// Takes one character after the other.
    fn consume<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        step: impl Fn(&mut Self, T) -> Step,
    ) -> bool {
        for item in items {
            let step = step(self, item);
            self.push(step);
        }
        false
    }

    fn letter(&mut self, letter: &Letter) -> Step {
        match &letter.folded {
            Some(set) => self.set(set),
            None => char::from_u32(letter.code).map_or(Step::Fail, Step::Char),
        }
    }

    fn set(&mut self, set: &Arc<Set>) -> Step {
        Step::Set(self.number(set))
    }

    fn number(&mut self, set: &Arc<Set>) -> u32 {
        let sets = &mut self.program.sets;
        *self.numbers.entry(Arc::as_ptr(set)).or_insert_with(|| {
            sets.push(Arc::clone(set));
            place(sets.len() - 1)
        })
    }

    /// Puts what is known only now into an instruction that holds a place.
    fn settle(&mut self, at: usize, step: Step) {
        if let Some(own) = self.program.steps.get_mut(at) {
            *own = step;
        }
    }

    /// A choice between what follows the choice and its end, which is here.
    fn settle_choice(&mut self, at: usize, greedy: bool) {
        let choice = split(at + 1, self.program.steps.len(), greedy);
        self.settle(at, choice);
    }

    fn alternate(&mut self, nodes: &[Node]) -> bool {
        let Some((last, others)) = nodes.split_last() else { return true };
        let mut is_nullable = false;
        let mut jumps = Vec::with_capacity(others.len());
        for node in others {
            let choice = self.push(Step::Fail);
            is_nullable |= self.node(node);
            jumps.push(self.push(Step::Fail));
            self.settle_choice(choice, true);
        }
        is_nullable |= self.node(last);
        let end = self.program.end();
        for jump in jumps {
            self.settle(jump, Step::Jump(end));
        }
        is_nullable
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>, greedy: bool) -> bool {
        match (min, max) {
            (0, None) => self.star(node, greedy),
            (min, None) => {
                for _ in 1..min {
                    self.node(node);
                }
                self.plus(node, greedy)
            }
            (min, Some(max)) => {
                let is_nullable = (0..min).fold(min == 0, |_, _| self.node(node));
                self.optional(node, max.saturating_sub(min), greedy);
                is_nullable
            }
        }
    }

    /// `x+`
    fn plus(&mut self, node: &Node, greedy: bool) -> bool {
        let begin = self.program.steps.len();
        let is_nullable = self.node(node);
        let end = self.program.steps.len();
        self.push(split(begin, end + 1, greedy));
        is_nullable
    }

    /// `x*`, or `(x+)?` if `x` may be empty, which keeps the order of preference.
    fn star(&mut self, node: &Node, greedy: bool) -> bool {
        let choice = self.push(Step::Fail);
        if self.node(node) {
            let end = self.program.steps.len();
            self.push(split(choice + 1, end + 1, greedy));
        } else {
            self.push(Step::Jump(place(choice)));
        }
        self.settle_choice(choice, greedy);
        true
    }

    /// `(x(x)?)?` with so many of `x`.
    fn optional(&mut self, node: &Node, count: u32, greedy: bool) {
        let mut choices = Vec::new();
        for _ in 0..count {
            choices.push(self.push(Step::Fail));
            self.node(node);
        }
        for choice in choices {
            self.settle_choice(choice, greedy);
        }
    }
}

fn split(inside: usize, behind: usize, greedy: bool) -> Step {
    let (inside, behind) = (place(inside), place(behind));
    if greedy { Step::Split(inside, behind) } else { Step::Split(behind, inside) }
}
