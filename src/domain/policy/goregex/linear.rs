//! Patterns that a plain loop can run: a row of characters and classes, none of which ever has to give back what it took.
//!
//! If what may follow a repeated class shares no character with it, then the class can only end where its run of
//! characters ends: had it taken fewer, the next part would meet a character of the class and fail; nor does a greedy
//! class take fewer where nothing follows. So a greedy run without a way back finds the one match there is, with the same
//! groups as the full engine. A test runs both against each other.

use super::ast::{self, Assert, Kind, Letter, Node};
use super::set;

/// Longer texts are left to the engine, as the loop tries every beginning anew.
const LONGEST: usize = 512;

/// Longer rows are left to the engine too: each of their steps is held against those behind it.
const MOST_STEPS: usize = 200;

/// The characters of a class, all of them ASCII.
type Set = Box<[bool; 256]>;

#[derive(Debug)]
enum Step {
    /// Exactly this byte.
    Byte(u8),
    /// `min` to `max` characters of a set, as many as there are.
    Take { set: Set, min: usize, max: usize },
    /// The end of a group is here; slot `2n` is the beginning of group `n`.
    Mark(usize),
}

/// A pattern as a row of steps.
#[derive(Debug)]
pub(super) struct Linear {
    steps: Vec<Step>,
    at_begin: bool,
    at_end: bool,
    /// Whether a set lost members beyond ASCII, so that only ASCII texts can be judged.
    ascii_texts: bool,
}

impl Linear {
    /// The row of steps for a pattern with `groups` groups, the whole match included, if it is one.
    pub(super) fn new(root: &Node, groups: usize) -> Option<Self> {
        let mut parts = ast::parts(root);
        let is = |node: &Node, assert: Assert| matches!(node.kind, Kind::Assert(own) if own == assert);
        let at_begin = parts.first().is_some_and(|node| is(node, Assert::BeginText));
        parts = parts.get(usize::from(at_begin)..)?;
        let at_end = parts.last().is_some_and(|node| is(node, Assert::EndText));
        parts = parts.get(..parts.len() - usize::from(at_end))?;
        let mut builder = Builder { steps: Vec::new(), marks: 1, ascii_texts: false };
        for part in parts {
            builder.add(part)?;
        }
        let runs_alone = (0..builder.steps.len()).all(|index| builder.ends_by_itself(index));
        (runs_alone && builder.marks == groups).then_some(Self {
            steps: builder.steps,
            at_begin,
            at_end,
            ascii_texts: builder.ascii_texts,
        })
    }

    /// Whether the loop can judge `text`.
    pub(super) fn takes(&self, text: &str) -> bool {
        text.len() <= LONGEST && (!self.ascii_texts || text.is_ascii())
    }

    /// Finds the leftmost match and writes the ends of all groups into `slots`.
    pub(super) fn find(&self, text: &[u8], slots: &mut [usize]) -> bool {
        if self.at_begin {
            return self.find_at(text, 0, slots);
        }
        (0..=text.len()).any(|start| self.find_at(text, start, slots))
    }

    fn find_at(&self, text: &[u8], start: usize, slots: &mut [usize]) -> bool {
        let mut at = start;
        for step in &self.steps {
            match step {
                Step::Byte(byte) => {
                    if text.get(at) != Some(byte) {
                        return false;
                    }
                    at += 1;
                }
                Step::Take { set, min, max } => {
                    let rest = text.get(at..).unwrap_or_default();
                    let run = rest.iter().take(*max).take_while(|byte| set[usize::from(**byte)]).count();
                    if run < *min {
                        return false;
                    }
                    at += run;
                }
                Step::Mark(slot) => {
                    if let Some(end) = slots.get_mut(*slot) {
                        *end = at;
                    }
                }
            }
        }
        if self.at_end && at != text.len() {
            return false;
        }
        if let [first, second, ..] = slots {
            (*first, *second) = (start, at);
        }
        true
    }
}

struct Builder {
    steps: Vec<Step>,
    /// Groups so far, the whole match included.
    marks: usize,
    ascii_texts: bool,
}

impl Builder {
    fn add(&mut self, node: &Node) -> Option<()> {
        if self.steps.len() > MOST_STEPS {
            return None;
        }
        match &node.kind {
            Kind::Empty => {}
            Kind::Literal(row) if row.letters().len() <= MOST_STEPS => {
                row.letters().iter().try_for_each(|letter| self.letter(letter))?;
            }
            Kind::Class(_) | Kind::Any { .. } => self.take(one(node)?, 1, Some(1)),
            Kind::Repeat { node, min, max, greedy: true } => self.take(one(node)?, *min, *max),
            Kind::Concat(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Kind::Capture { node, .. } => {
                let slot = self.marks * 2;
                self.marks += 1;
                self.steps.push(Step::Mark(slot));
                self.add(node)?;
                self.steps.push(Step::Mark(slot + 1));
            }
            _ => return None,
        }
        Some(())
    }

    fn letter(&mut self, letter: &Letter) -> Option<()> {
        match &letter.folded {
            None => self.steps.push(Step::Byte(u8::try_from(letter.code).ok().filter(u8::is_ascii)?)),
            Some(set) => self.take(One::Set(set), 1, Some(1)),
        }
        Some(())
    }

    fn take(&mut self, one: One<'_>, min: u32, max: Option<u32>) {
        let mut set: Set = Box::new([false; 256]);
        for byte in 0..0x80_u8 {
            set[usize::from(byte)] = one.has(byte);
        }
        self.ascii_texts |= !one.is_ascii_only();
        let max = max.map_or(usize::MAX, |max| max as usize);
        self.steps.push(Step::Take { set, min: min as usize, max });
    }

    /// Whether the step at `index` can only take what it takes when it takes all it can.
    fn ends_by_itself(&self, index: usize) -> bool {
        let Some(Step::Take { set, min, max }) = self.steps.get(index) else { return true };
        if min == max {
            return true;
        }
        for step in self.steps.iter().skip(index + 1) {
            match step {
                Step::Mark(_) => {}
                Step::Byte(byte) => return !set[usize::from(*byte)],
                Step::Take { set: next, min, max } => {
                    if *max > 0 && set.iter().zip(next.iter()).any(|(own, next)| *own && *next) {
                        return false;
                    }
                    if *min > 0 {
                        return true;
                    }
                }
            }
        }
        true
    }
}

/// What one character may be.
#[derive(Clone, Copy)]
enum One<'n> {
    Code(u32),
    Set(&'n set::Set),
    Any { newline: bool },
}

/// What `node` takes, if it is one character.
fn one(node: &Node) -> Option<One<'_>> {
    match &node.kind {
        Kind::Literal(row) => match row.letters() {
            [Letter { folded: Some(set), .. }] => Some(One::Set(set)),
            [Letter { code, folded: None }] => Some(One::Code(*code)),
            _ => None,
        },
        Kind::Class(set) => Some(One::Set(set)),
        Kind::Any { newline } => Some(One::Any { newline: *newline }),
        _ => None,
    }
}

impl One<'_> {
    fn has(&self, byte: u8) -> bool {
        match self {
            Self::Code(code) => *code == u32::from(byte),
            Self::Set(set) => set.has_ascii(byte),
            Self::Any { newline } => *newline || byte != b'\n',
        }
    }

    fn is_ascii_only(&self) -> bool {
        match self {
            Self::Code(code) => *code < 0x80,
            Self::Set(set) => set.is_ascii_only(),
            Self::Any { .. } => false,
        }
    }
}
