//! Reads a pattern by Go's rules and complains in Go's words.
//!
//! Groups wait on a stack of our own, so depth costs no stack of the thread.
//!
//! Source: golang/go, `src/regexp/syntax/parse.go` and `doc.go`.

use std::sync::Arc;

use super::RegexError;
use super::ast::{Assert, Kind, Letter, Node, Row};
use super::class::{self, Class};
use super::factor::merge_classes;
use super::set::{Set, Sets};

/// The most levels of a tree.
const MAX_HEIGHT: usize = 1000;
/// The most instructions that Go's compiler would make of a pattern.
const MAX_SIZE: u64 = (128 << 20) / 40;
/// The most ends of ranges that all classes may have.
const MAX_RUNES: usize = (128 << 20) / 4;
/// The most that a count may be, and that nested counts may multiply to.
const MAX_COUNT: u32 = 1000;

const TOO_LARGE: &str = "expression too large";
const BAD_COUNT: &str = "invalid repeat count";
const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_NAME: &str = "invalid named capture";

/// A pattern that Go accepts.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) root: Node,
    /// The names of the groups by number, empty for those without.
    pub(super) names: Vec<String>,
}

/// What `(?…)` sets.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four flags that are set one by one")]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    ungreedy: bool,
}

/// A group that is still open.
#[derive(Debug, Default)]
struct Group {
    /// Its number, if it captures.
    index: Option<u32>,
    /// What was in force before it.
    outer: Flags,
    /// The alternatives that are complete.
    branches: Vec<Node>,
    /// The alternative being read.
    items: Vec<Node>,
}

impl Group {
    fn end_branch(&mut self) {
        Node::join_last(&mut self.items);
        let branch = Node::concat(std::mem::take(&mut self.items));
        self.branches.push(branch);
    }

    fn add(&mut self, node: Node) {
        Node::join_last(&mut self.items);
        self.items.push(node);
    }

    /// What its branches come to, and the runes that Go counts once more for them.
    fn into_node(mut self) -> (Node, usize) {
        self.end_branch();
        let last = self.branches.last().map_or(0, runes);
        // Neighbours that are one character each are a class before Go looks for what branches have in common.
        let node = Node::alternate(merge_classes(self.branches));
        let counted = last + runes(&node);
        (Self::captured(self.index, node), counted)
    }

    fn captured(index: Option<u32>, node: Node) -> Node {
        match index {
            Some(index) => Node::new(Kind::Capture { index, node: Box::new(node) }),
            None => node,
        }
    }
}

struct Parser<'p> {
    whole: &'p str,
    rest: &'p str,
    flags: Flags,
    /// The groups around the innermost.
    outer: Vec<Group>,
    /// The innermost group, or the pattern itself.
    group: Group,
    names: Vec<String>,
    sets: Sets<'p>,
    /// How much ranges have been written so far, counted as Go counts them.
    runes: usize,
    last_posix_end: usize,
}

/// Parses `pattern`.
pub(super) fn parse(pattern: &str) -> Result<Parsed, RegexError> {
    let mut parser = Parser {
        whole: pattern,
        rest: pattern,
        flags: Flags::default(),
        outer: Vec::new(),
        group: Group::default(),
        names: vec![String::new()],
        sets: Sets::default(),
        runes: 0,
        last_posix_end: class::last_posix_end(pattern),
    };
    // Where the repetition began that was just read, to refuse another one right behind it.
    let mut repetition = "";
    while let Some(next) = parser.rest.chars().next() {
        let before = parser.rest;
        let repeats = parser.token(next, repetition)?;
        repetition = if repeats { before } else { "" };
    }
    let is_open = !parser.outer.is_empty();
    // What is in an open group counts before it is missed that nothing closes it.
    parser.group.index = None;
    let (root, counted) = parser.group.into_node();
    within_limits(&root, parser.runes.saturating_add(counted), pattern)?;
    if is_open {
        return Err(RegexError::new("missing closing )", pattern));
    }
    Ok(Parsed { root, names: parser.names })
}

/// The part of `text` before `rest`, which must be its end.
pub(super) fn up_to<'p>(text: &'p str, rest: &str) -> &'p str {
    text.get(..text.len().saturating_sub(rest.len())).unwrap_or(text)
}

/// The ends of ranges and the letters of one part, as Go counts them.
fn runes(node: &Node) -> usize {
    match &node.kind {
        Kind::Class(set) => set.ranges().0 * 2,
        Kind::Literal(row) => row.letters().len(),
        _ => 0,
    }
}

fn within_limits(node: &Node, runes: usize, whole: &str) -> Result<(), RegexError> {
    if runes > MAX_RUNES || node.size > MAX_SIZE {
        return Err(RegexError::new(TOO_LARGE, whole));
    }
    if node.height > MAX_HEIGHT {
        return Err(RegexError::new("expression nests too deeply", whole));
    }
    Ok(())
}

impl<'p> Parser<'p> {
    /// Reads one token, which begins with `next`, and says whether it is a repetition.
    fn token(&mut self, next: char, repetition: &str) -> Result<bool, RegexError> {
        let after = self.rest.strip_prefix(next).unwrap_or_default();
        match next {
            '(' if after.starts_with('?') => self.special_group(after)?,
            '(' => self.open(None, after),
            '|' => self.end_branch(after)?,
            ')' => self.close(after)?,
            '^' if self.flags.multi_line => self.assert(Assert::BeginLine, after),
            '^' => self.assert(Assert::BeginText, after),
            '$' if self.flags.multi_line => self.assert(Assert::EndLine, after),
            '$' => self.assert(Assert::EndText, after),
            '.' => self.push(Kind::Any { newline: self.flags.dot_newline }, after),
            '[' => {
                let (class, after) = class::bracketed(self.rest, self.last_posix_end)?;
                self.class(&class, after)?;
            }
            '*' => return self.repeat(0, None, after, repetition),
            '+' => return self.repeat(1, None, after, repetition),
            '?' => return self.repeat(0, Some(1), after, repetition),
            '{' => match counts(after) {
                Some((min, max, after)) => return self.counted(min, max, after, repetition),
                None => self.literal(u32::from('{'), after),
            },
            '\\' => self.escaped(after)?,
            other => self.literal(u32::from(other), after),
        }
        Ok(false)
    }

    fn skip(&mut self, after: &'p str, act: impl FnOnce(&mut Self)) {
        act(self);
        self.rest = after;
    }

    fn push(&mut self, kind: Kind, after: &'p str) {
        self.skip(after, |parser| parser.group.add(Node::new(kind)));
    }

    /// Counts the runes of a part; Go does so again when a group holds nothing else.
    fn count(&mut self, counted: usize) {
        self.runes = self.runes.saturating_add(counted);
    }

    fn assert(&mut self, assert: Assert, after: &'p str) {
        self.push(Kind::Assert(assert), after);
    }

    fn literal(&mut self, code: u32, after: &'p str) {
        let folded = self.flags.fold.then(|| self.sets.folded(code));
        self.letter(code, folded, after);
    }

    fn letter(&mut self, code: u32, folded: Option<Arc<Set>>, after: &'p str) {
        let lowest = folded.as_ref().and_then(|set| set.first()).map_or(code, u32::from);
        self.count(1);
        self.push(Kind::Literal(Row::from(vec![Letter { code: lowest, folded }])), after);
    }

    fn class(&mut self, class: &Class, after: &'p str) -> Result<(), RegexError> {
        let set = self.sets.class(up_to(self.rest, after), class, self.flags.fold);
        if let Some(only) = set.only() {
            self.letter(u32::from(only), None, after);
        } else if let Some(folded) = self.both_cases(&set) {
            self.letter(0, Some(folded), after);
        } else {
            let node = Node::new(Kind::Class(set));
            self.count(runes(&node));
            within_limits(&node, self.runes, self.whole)?;
            self.skip(after, |parser| parser.group.add(node));
        }
        Ok(())
    }

    /// The set as that of a letter under `(?i)`, if it is the two cases of one.
    fn both_cases(&mut self, set: &Set) -> Option<Arc<Set>> {
        let first = set.first().filter(|_| set.few() == Some(2))?;
        Some(self.sets.folded(u32::from(first))).filter(|folded| **folded == *set)
    }

    /// Begins a group that captures under `name`, which may be empty.
    fn open(&mut self, name: Option<&str>, after: &'p str) {
        let index = u32::try_from(self.names.len()).ok();
        self.names.push(name.unwrap_or_default().to_owned());
        self.nest(index, after);
    }

    fn nest(&mut self, index: Option<u32>, after: &'p str) {
        let group = Group { index, outer: self.flags, ..Group::default() };
        self.outer.push(std::mem::replace(&mut self.group, group));
        self.rest = after;
    }

    fn end_branch(&mut self, after: &'p str) -> Result<(), RegexError> {
        self.skip(after, |parser| parser.group.end_branch());
        self.count(self.group.branches.last().map_or(0, runes));
        self.group.branches.last().map_or(Ok(()), |branch| within_limits(branch, self.runes, self.whole))
    }

    fn close(&mut self, after: &'p str) -> Result<(), RegexError> {
        let Some(outer) = self.outer.pop() else {
            return Err(RegexError::new("unexpected )", self.whole));
        };
        let group = std::mem::replace(&mut self.group, outer);
        self.flags = group.outer;
        let (node, counted) = group.into_node();
        self.count(counted + runes(&node));
        within_limits(&node, self.runes, self.whole)?;
        self.group.add(node);
        self.rest = after;
        Ok(())
    }

    /// Reads what begins with `(?`; `after` begins with the question mark.
    fn special_group(&mut self, after: &'p str) -> Result<(), RegexError> {
        // Go wants something behind the bracket before it takes it for that of a name.
        let named =
            after.strip_prefix("?P<").or_else(|| after.strip_prefix("?<")).filter(|name| !name.is_empty());
        let Some(name) = named else {
            return self.flag_group(after.strip_prefix('?').unwrap_or_default());
        };
        let Some((name, after)) = name.split_once('>') else {
            return Err(RegexError::new(BAD_NAME, self.rest));
        };
        if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            return Err(RegexError::new(BAD_NAME, up_to(self.rest, after)));
        }
        self.open(Some(name), after);
        Ok(())
    }

    /// Reads flags up to `:` or `)`; `text` is what follows `(?`.
    fn flag_group(&mut self, text: &'p str) -> Result<(), RegexError> {
        let (mut flags, mut set, mut seen) = (self.flags, true, true);
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                'i' => flags.fold = set,
                'm' => flags.multi_line = set,
                's' => flags.dot_newline = set,
                'U' => flags.ungreedy = set,
                '-' if set => {
                    (set, seen) = (false, false);
                    continue;
                }
                ':' if seen => {
                    self.nest(None, characters.as_str());
                    self.flags = flags;
                    return Ok(());
                }
                ')' if seen => {
                    (self.flags, self.rest) = (flags, characters.as_str());
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        let fragment = up_to(self.rest, characters.as_str());
        Err(RegexError::new("invalid or unsupported Perl syntax", fragment))
    }

    fn counted(
        &mut self,
        min: u32,
        max: Option<u32>,
        after: &'p str,
        repetition: &str,
    ) -> Result<bool, RegexError> {
        if min > MAX_COUNT || max.is_some_and(|max| max > MAX_COUNT || min > max) {
            return Err(RegexError::new(BAD_COUNT, up_to(self.rest, after)));
        }
        let before = self.rest;
        self.repeat(min, max, after, repetition)?;
        let fits = self.group.items.last().is_none_or(|node| node.counts_within(MAX_COUNT));
        if min.max(max.unwrap_or(0)) >= 2 && !fits {
            return Err(RegexError::new(BAD_COUNT, up_to(before, self.rest)));
        }
        Ok(true)
    }

    /// Repeats the last item.
    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        after: &'p str,
        repetition: &str,
    ) -> Result<bool, RegexError> {
        let (after, lazy) = match after.strip_prefix('?') {
            Some(after) => (after, true),
            None => (after, false),
        };
        if !repetition.is_empty() {
            return Err(RegexError::new("invalid nested repetition operator", up_to(repetition, after)));
        }
        let Some(node) = self.group.items.pop() else {
            let fragment = up_to(self.rest, after);
            return Err(RegexError::new("missing argument to repetition operator", fragment));
        };
        let greedy = lazy == self.flags.ungreedy;
        let node = Node::new(Kind::Repeat { node: Box::new(node), min, max, greedy });
        within_limits(&node, self.runes, self.whole)?;
        self.skip(after, |parser| parser.group.items.push(node));
        Ok(true)
    }

    /// Reads what begins with a backslash; `after` is what follows it.
    fn escaped(&mut self, after: &'p str) -> Result<(), RegexError> {
        let mut characters = after.chars();
        let next = characters.next();
        let behind = characters.as_str();
        match next {
            Some('A') => self.assert(Assert::BeginText, behind),
            Some('z') => self.assert(Assert::EndText, behind),
            Some('b') => self.assert(Assert::Word, behind),
            Some('B') => self.assert(Assert::NotWord, behind),
            Some('Q') => {
                let (quoted, behind) = behind.split_once("\\E").unwrap_or((behind, ""));
                for character in quoted.chars() {
                    self.literal(u32::from(character), behind);
                }
                self.rest = behind;
            }
            _ => {
                if let Some((item, behind)) = class::unicode(self.rest)?.or_else(|| class::perl(self.rest)) {
                    self.class(&item.into(), behind)?;
                } else {
                    let (code, behind) = escape(self.rest)?;
                    self.literal(code, behind);
                }
            }
        }
        Ok(())
    }
}

/// Reads `MIN}`, `MIN,}` or `MIN,MAX}`; a brace that is followed by anything else is a literal one.
fn counts(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (min, rest) = number(text)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, Some(min), rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, None, rest));
    }
    let (max, rest) = number(rest)?;
    Some((min, Some(max), rest.strip_prefix('}')?))
}

/// Reads a number without leading zeros; a huge one becomes some number that is too large for a count.
fn number(text: &str) -> Option<(u32, &str)> {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = up_to(text, rest);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}

/// Reads one escaped character, its backslash first, and returns its code point and what follows.
pub(super) fn escape(text: &str) -> Result<(u32, &str), RegexError> {
    let mut characters = text.strip_prefix('\\').unwrap_or(text).chars();
    let Some(character) = characters.next() else {
        return Err(RegexError::new("trailing backslash at end of expression", ""));
    };
    let rest = characters.as_str();
    let code = match character {
        '0'..='7' => match octal(character, rest) {
            Some(found) => return Ok(found),
            None => return Err(RegexError::new(BAD_ESCAPE, up_to(text, rest))),
        },
        'x' => return hexadecimal(text, rest),
        'a' => 0x07,
        'f' => 0x0c,
        'n' => 0x0a,
        'r' => 0x0d,
        't' => 0x09,
        'v' => 0x0b,
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => u32::from(other),
        _ => return Err(RegexError::new(BAD_ESCAPE, up_to(text, rest))),
    };
    Ok((code, rest))
}

/// Up to three octal digits, of which `first` is already read; a lone one that is not 0 would be a reference back.
fn octal(first: char, rest: &str) -> Option<(u32, &str)> {
    let digits = rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    if digits == 0 && first != '0' {
        return None;
    }
    let (more, rest) = rest.split_at_checked(digits)?;
    let code = more.bytes().fold(first.to_digit(8)?, |code, byte| code * 8 + u32::from(byte - b'0'));
    Some((code, rest))
}

/// `HH` or `{H…}`; `rest` is what follows the `x` in `text`.
fn hexadecimal<'p>(text: &'p str, rest: &'p str) -> Result<(u32, &'p str), RegexError> {
    let mut characters = rest.chars();
    let bad = |rest: &str| RegexError::new(BAD_ESCAPE, up_to(text, rest));
    let first = characters.next().ok_or_else(|| bad(rest))?;
    if first != '{' {
        let second = characters.next();
        let digits = first.to_digit(16).zip(second.and_then(|second| second.to_digit(16)));
        let rest = characters.as_str();
        return digits.map(|(high, low)| (high * 16 + low, rest)).ok_or_else(|| bad(rest));
    }
    let (mut code, mut any) = (0_u32, false);
    loop {
        let character = characters.next().ok_or_else(|| bad(characters.as_str()))?;
        if character == '}' && any {
            return Ok((code, characters.as_str()));
        }
        code = match character.to_digit(16).map(|digit| code * 16 + digit) {
            Some(code) if code <= u32::from(char::MAX) => code,
            _ => return Err(bad(characters.as_str())),
        };
        any = true;
    }
}
