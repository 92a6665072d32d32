//! Runs a program on all its ways at once: in time that grows with text and program and never with the ways through them, and
//! in memory that grows with the program.
//!
//! This is what Go does. It is slower than Rust's engine, and takes what that engine would need minutes to compile.
//!
//! Source: golang/go, `src/regexp/exec.go`.

mod marks;

use std::sync::{Mutex, PoisonError};

use super::ast::Assert;
use super::program::{Program, Step};
use marks::{Marks, NONE};

/// A program, and the room for runs of it.
#[derive(Debug)]
pub(super) struct Threads {
    program: Program,
    /// One for each run that was ever under way at the same time.
    rooms: Mutex<Vec<Room>>,
}

/// Where one way through the program has come to.
#[derive(Debug, Clone, Copy)]
struct Thread {
    step: u32,
    /// The last of its marks.
    mark: u32,
}

/// What a run needs, kept for the next one.
#[derive(Debug, Default)]
struct Room {
    /// Which list a step is on, by the list's number.
    lists: Vec<u32>,
    list: u32,
    /// The threads that wait for the next character, those to be preferred first.
    now: Vec<Thread>,
    next: Vec<Thread>,
    /// The threads that have not come to a character yet, the first last.
    going: Vec<Thread>,
    marks: Marks,
}

/// What is asked of a run.
struct Question<'t> {
    text: &'t str,
    /// Where it begins.
    start: usize,
    /// The step that is a match.
    goal: u32,
    /// Whether it matters what matches, or only that something does.
    keeps_marks: bool,
}

impl Threads {
    pub(super) fn new(program: Program) -> Self {
        Self { program, rooms: Mutex::default() }
    }

    /// How many instructions the program has.
    pub(super) fn len(&self) -> usize {
        self.program.steps.len()
    }

    /// Whether the program matches anywhere in `text`.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let question = Question { text, start: 0, goal: self.program.end(), keeps_marks: false };
        self.with_room(|room| room.run(&self.program, &question).is_some())
    }

    /// Finds the leftmost match from the byte offset `start` on and writes the ends of all groups into `slots`, which must hold
    /// `unset` so far.
    pub(super) fn find(&self, text: &str, start: usize, slots: &mut [usize], unset: usize) -> bool {
        let question = Question { text, start, goal: self.program.end(), keeps_marks: true };
        self.with_room(|room| {
            let found = room.run(&self.program, &question);
            found.is_some_and(|(mark, end)| {
                room.marks.write(mark, end, slots, unset);
                true
            })
        })
    }

    /// Up to where the longest row of an anchored program's first parts matches.
    pub(super) fn fits_up_to(&self, text: &str) -> Option<usize> {
        let fit = |goal: u32| {
            let question = Question { text, start: 0, goal, keeps_marks: true };
            self.with_room(|room| room.run(&self.program, &question)).map(|(_, end)| end)
        };
        let ends = &self.program.part_ends;
        let longest = ends.partition_point(|goal| fit(*goal).is_some());
        fit(*ends.get(longest.checked_sub(1)?)?)
    }

    fn with_room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> T {
        let rooms = || self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = rooms().pop();
        let mut room =
            kept.unwrap_or_else(|| Room { lists: vec![0; self.program.steps.len() + 1], ..Room::default() });
        let result = act(&mut room);
        rooms().push(room);
        result
    }
}

impl Room {
    /// The last mark of the match and its end.
    fn run(&mut self, program: &Program, question: &Question<'_>) -> Option<(u32, usize)> {
        let mut found = None;
        let mut at = question.start;
        self.marks.clear();
        self.now.clear();
        self.begin_list();
        loop {
            if found.is_none() && (at == 0 || !program.is_anchored) {
                let mark = if question.keeps_marks { self.marks.push(0, at, NONE) } else { NONE };
                std::mem::swap(&mut self.now, &mut self.next);
                self.follow(program, question, Thread { step: 0, mark }, at);
                std::mem::swap(&mut self.now, &mut self.next);
            }
            if self.now.is_empty() && (found.is_some() || program.is_anchored) {
                return found;
            }
            let character = question.text.get(at..).and_then(|rest| rest.chars().next());
            found = self.step(program, question, character, at).or(found);
            if found.is_some() && !question.keeps_marks {
                return found;
            }
            let Some(character) = character else { return found };
            at += character.len_utf8();
            let ends = self.next.iter_mut().map(|thread| &mut thread.mark);
            self.marks.tidy(ends.chain(found.iter_mut().map(|(mark, _)| mark)));
            std::mem::swap(&mut self.now, &mut self.next);
        }
    }

    /// Moves all threads over `character`, and returns the match of the first that has one; those behind it end.
    fn step(
        &mut self,
        program: &Program,
        question: &Question<'_>,
        character: Option<char>,
        at: usize,
    ) -> Option<(u32, usize)> {
        self.begin_list();
        self.next.clear();
        let now = std::mem::take(&mut self.now);
        let mut found = None;
        for thread in &now {
            if thread.step == question.goal {
                found = Some((thread.mark, at));
                break;
            }
            let Some((step, character)) = program.steps.get(thread.step as usize).zip(character) else {
                continue;
            };
            if program.takes(*step, character) {
                let moved = Thread { step: thread.step + 1, ..*thread };
                self.follow(program, question, moved, at + character.len_utf8());
            }
        }
        self.now = now;
        found
    }

    /// Numbers the list that is made next.
    fn begin_list(&mut self) {
        self.list = self.list.checked_add(1).unwrap_or_else(|| {
            self.lists.fill(0);
            1
        });
    }

    /// Puts the thread, and whatever it splits into, on the next list where it waits for a character.
    fn follow(&mut self, program: &Program, question: &Question<'_>, first: Thread, at: usize) {
        self.going.push(first);
        while let Some(thread) = self.going.pop() {
            let Some(list) = self.lists.get_mut(thread.step as usize) else { continue };
            if std::mem::replace(list, self.list) == self.list {
                continue;
            }
            let on = |step| Thread { step, ..thread };
            let step = program.steps.get(thread.step as usize).filter(|_| thread.step != question.goal);
            match step {
                Some(Step::Jump(there)) => self.going.push(on(*there)),
                Some(Step::Split(first, second)) => self.going.extend([on(*second), on(*first)]),
                Some(Step::Assert(assert)) if holds(*assert, question.text.as_bytes(), at) => {
                    self.going.push(on(thread.step + 1));
                }
                Some(Step::Mark(slot)) => {
                    let keeps = question.keeps_marks;
                    let mark = if keeps { self.marks.push(*slot, at, thread.mark) } else { NONE };
                    self.going.push(Thread { step: thread.step + 1, mark });
                }
                Some(Step::Assert(_) | Step::Fail) => {}
                Some(Step::Char(_) | Step::Set(_) | Step::Any { .. }) | None => self.next.push(thread),
            }
        }
    }
}

/// Whether the place `at` in `text` is such a one.
fn holds(assert: Assert, text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let behind = text.get(at);
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphanumeric());
    match assert {
        Assert::BeginText => before.is_none(),
        Assert::EndText => behind.is_none(),
        Assert::BeginLine => before.is_none_or(|byte| *byte == b'\n'),
        Assert::EndLine => behind.is_none_or(|byte| *byte == b'\n'),
        Assert::Word => is_word(before) != is_word(behind),
        Assert::NotWord => is_word(before) == is_word(behind),
    }
}
