//! Cuts a template into tokens, by the rules of Go's `text/template`.
//!
//! Trimming (`{{- -}}`) happens here; the parser never sees it. An error is a token, always the last but `End`, because
//! Go reports what is wrong before it first.
//!
//! Source: golang/go:src/text/template/parse/lex.go.

use std::borrow::Cow;

use super::format::{code_point, quote};
use super::functions::letter::{Category, is};
use super::node::Pos;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    Punctuation,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Keyword(Word),
}

/// The keywords; `.` and `nil` count as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

const WORDS: &[(&str, Word)] = &[
    ("block", Word::Block),
    ("break", Word::Break),
    ("continue", Word::Continue),
    ("define", Word::Define),
    ("else", Word::Else),
    ("end", Word::End),
    ("if", Word::If),
    ("nil", Word::Nil),
    ("range", Word::Range),
    ("template", Word::Template),
    ("with", Word::With),
];

/// A piece of the template.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// Where it begins.
    pub(super) pos: Pos,
    /// Its text, or the error's.
    pub(super) text: Cow<'a, str>,
}

impl Token<'_> {
    /// The token as error texts show it.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => self.text.clone().into_owned(),
            Kind::Keyword(_) => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                let start: String = self.text.chars().take(10).collect();
                format!("{}...", quote(&start))
            }
            _ => quote(&self.text),
        }
    }
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
const LEFT: &str = "{{";
const RIGHT: &str = "}}";

/// All tokens of `input`; the last is [`Kind::Eof`].
pub(super) fn tokens(input: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { input, start: 0, pos: 0, parens: 0, tokens: Vec::new() };
    if let Err(message) = lexer.template() {
        let pos = lexer.start;
        lexer.tokens.push(Token { kind: Kind::Error, pos, text: message.into() });
    }
    let pos = lexer.start;
    lexer.tokens.push(Token { kind: Kind::Eof, pos, text: "EOF".into() });
    lexer.tokens
}

struct Lexer<'a> {
    input: &'a str,
    /// Where the token under way begins.
    start: usize,
    pos: usize,
    parens: usize,
    tokens: Vec<Token<'a>>,
}

type Step = Result<(), String>;

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn current(&self) -> &'a str {
        self.input.get(self.start..self.pos).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let found = self.peek()?;
        self.pos += found.len_utf8();
        Some(found)
    }

    fn accept(&mut self, allowed: &str) -> bool {
        let found = self.peek().is_some_and(|c| allowed.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, allowed: &str) {
        while self.accept(allowed) {}
    }

    fn ignore(&mut self) {
        self.start = self.pos;
    }

    fn emit(&mut self, kind: Kind) {
        self.tokens.push(Token { kind, pos: self.start, text: Cow::Borrowed(self.current()) });
        self.start = self.pos;
    }

    fn template(&mut self) -> Step {
        while let Some(found) = self.rest().find(LEFT) {
            self.text_before(found);
            self.action()?;
        }
        self.pos = self.input.len();
        if self.pos > self.start {
            self.emit(Kind::Text);
        }
        Ok(())
    }

    /// Emits the `length` bytes before an action, without trailing space if the action trims it.
    fn text_before(&mut self, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        let after = self.rest().get(length + LEFT.len()..).unwrap_or_default();
        let kept = if trims_left(after) { text.trim_end_matches(SPACES) } else { text };
        let end = self.pos + length;
        self.pos += kept.len();
        if !kept.is_empty() {
            self.emit(Kind::Text);
        }
        self.pos = end;
        self.ignore();
    }

    fn action(&mut self) -> Step {
        let after = self.rest().get(LEFT.len()..).unwrap_or_default();
        let marker = if trims_left(after) { 2 } else { 0 };
        if after.get(marker..).is_some_and(|text| text.starts_with("/*")) {
            self.pos += LEFT.len() + marker;
            self.ignore();
            return self.comment();
        }
        self.pos += LEFT.len();
        self.emit(Kind::LeftDelim);
        self.pos += marker;
        self.ignore();
        self.parens = 0;
        while !self.inside()? {}
        Ok(())
    }

    fn comment(&mut self) -> Step {
        self.pos += 2;
        let end = self.rest().find("*/").ok_or("unclosed comment")?;
        self.pos += end + 2;
        let Some(trims) = self.right_delim() else {
            return Err("comment ends before closing delimiter".to_owned());
        };
        self.close(trims, false);
        Ok(())
    }

    /// Whether a right delimiter comes next, and if so whether it trims what follows.
    fn right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if trims_right(rest) && rest.get(2..).is_some_and(|text| text.starts_with(RIGHT)) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    /// Goes behind the right delimiter that is there, and behind the space that it trims.
    fn close(&mut self, trims: bool, emits: bool) {
        self.pos += if trims { 2 } else { 0 };
        self.ignore();
        self.pos += RIGHT.len();
        if emits {
            self.emit(Kind::RightDelim);
        }
        if trims {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(SPACES).len();
        }
        self.ignore();
    }

    /// One token inside an action; true behind its end.
    fn inside(&mut self) -> Result<bool, String> {
        if let Some(trims) = self.right_delim() {
            if self.parens > 0 {
                return Err("unclosed left paren".to_owned());
            }
            self.close(trims, true);
            return Ok(true);
        }
        let Some(found) = self.next() else {
            return Err("unclosed action".to_owned());
        };
        match found {
            c if SPACES.contains(&c) => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.next() != Some('=') {
                    return Err("expected :=".to_owned());
                }
                self.emit(Kind::Declare);
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', "unterminated quoted string", Kind::String)?,
            '\'' => self.quoted('\'', "unterminated character constant", Kind::CharConstant)?,
            '`' => {
                let end = self.rest().find('`').ok_or("unterminated raw quoted string")?;
                self.pos += end + 1;
                self.emit(Kind::RawString);
            }
            '$' => self.name(Kind::Variable)?,
            // One at the very end begins a number to Go, and not a field.
            '.' if self.peek().is_some_and(|c| !c.is_ascii_digit()) => self.name(Kind::Field)?,
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            c if is_alphanumeric(c) => self.identifier()?,
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen);
            }
            ')' => {
                self.parens = self.parens.checked_sub(1).ok_or("unexpected right paren")?;
                self.emit(Kind::RightParen);
            }
            c if c.is_ascii_graphic() => self.emit(Kind::Punctuation),
            c => return Err(format!("unrecognized character in action: {}", code_point(c))),
        }
        Ok(false)
    }

    /// A run of space; the last one may belong to a trimming right delimiter.
    fn space(&mut self) {
        while self.peek().is_some_and(|c| SPACES.contains(&c)) {
            self.next();
        }
        let last = self.input.get(self.pos - 1..).unwrap_or_default();
        if trims_right(last) && last.get(2..).is_some_and(|text| text.starts_with(RIGHT)) {
            self.pos -= 1;
            if self.pos == self.start {
                return;
            }
        }
        self.emit(Kind::Space);
    }

    fn quoted(&mut self, end: char, unterminated: &str, kind: Kind) -> Step {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return Err(unterminated.to_owned());
                    }
                }
                None | Some('\n') => return Err(unterminated.to_owned()),
                Some(c) if c == end => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    /// A field or variable behind its `.` or `$`.
    fn name(&mut self, kind: Kind) -> Step {
        if self.at_terminator() {
            self.emit(if kind == Kind::Variable { kind } else { Kind::Keyword(Word::Dot) });
            return Ok(());
        }
        self.word()?;
        self.emit(kind);
        Ok(())
    }

    fn identifier(&mut self) -> Step {
        self.word()?;
        let word = self.current();
        let kind = match WORDS.iter().find(|(text, _)| *text == word) {
            Some((_, word)) => Kind::Keyword(*word),
            None if word == "true" || word == "false" => Kind::Bool,
            None => Kind::Identifier,
        };
        self.emit(kind);
        Ok(())
    }

    fn word(&mut self) -> Step {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        match self.peek() {
            Some(c) if !self.at_terminator() => Err(format!("bad character {}", code_point(c))),
            _ => Ok(()),
        }
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(c) => SPACES.contains(&c) || self.rest().starts_with(RIGHT),
        }
    }

    fn number(&mut self) -> Step {
        self.pos = self.start;
        let mut fine = self.scan_number();
        let complex = fine && self.peek().is_some_and(|c| c == '+' || c == '-');
        if complex {
            fine = self.scan_number() && self.current().ends_with('i');
        }
        if !fine {
            return Err(format!("bad number syntax: {}", quote(self.current())));
        }
        self.emit(if complex { Kind::Complex } else { Kind::Number });
        Ok(())
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => self.accept("eE"),
            23 => self.accept("pP"),
            _ => false,
        };
        if exponent {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

/// As Go has it: a letter or a decimal digit. Other numbers, `Ⅷ` and `½`, are letters and numbers to Rust alone.
///
/// Source: golang/go:src/text/template/parse/lex.go (`isAlphaNumeric`).
fn is_alphanumeric(c: char) -> bool {
    if c.is_ascii() {
        return c == '_' || c.is_ascii_alphanumeric();
    }
    is(c, Category::Letter) || is(c, Category::Digit)
}

fn trims_left(after: &str) -> bool {
    let mut chars = after.chars();
    chars.next() == Some('-') && chars.next().is_some_and(|c| SPACES.contains(&c))
}

fn trims_right(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next().is_some_and(|c| SPACES.contains(&c)) && chars.next() == Some('-')
}
