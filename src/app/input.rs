//! Text that a person types: a one-line field and the commit message, as plain text with a cursor.
//!
//! The widgets that show them are `views`' business. Control characters are removed on entry, so what is kept can be
//! shown and committed.

use unicode_segmentation::UnicodeSegmentation;

use super::keymap::{Key, KeyCode};
use crate::text::may_be_typed;

/// A line of text with a cursor in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    text: String,
    /// Where the cursor stands, in bytes; always between two grapheme clusters.
    cursor: usize,
}

impl Field {
    /// A field that holds `text`, with the cursor behind it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// What stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// What stands behind the cursor.
    pub fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// Where the cursor stands, in bytes.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Types `text` at the cursor, without its control characters, those of direction among them, and line ends.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text.chars().filter(|c| may_be_typed(*c)).collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Does what `key` means in a line (readline's keys). Says whether it means anything.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match (key.code, key.ctrl, key.alt) {
            (KeyCode::Left, false, false) | (KeyCode::Char('b'), true, false) => {
                self.cursor = self.previous();
            }
            (KeyCode::Right, false, false) | (KeyCode::Char('f'), true, false) => self.cursor = self.next(),
            (KeyCode::Home, ..) | (KeyCode::Char('a'), true, false) => self.cursor = 0,
            (KeyCode::End, ..) | (KeyCode::Char('e'), true, false) => self.cursor = self.text.len(),
            (KeyCode::Char('b'), false, true) | (KeyCode::Left, true, _) => self.cursor = self.word_before(),
            (KeyCode::Char('f'), false, true) | (KeyCode::Right, true, _) => self.cursor = self.word_after(),
            (KeyCode::Backspace, false, false) | (KeyCode::Char('h'), true, false) => {
                self.remove(self.previous(), self.cursor);
            }
            (KeyCode::Delete, ..) => self.remove(self.cursor, self.next()),
            (KeyCode::Char('w'), true, false) | (KeyCode::Backspace, _, true) => {
                self.remove(self.word_before(), self.cursor);
            }
            (KeyCode::Char('u'), true, false) => self.remove(0, self.cursor),
            (KeyCode::Char('k'), true, false) => self.text.truncate(self.cursor),
            _ => return false,
        }
        true
    }

    fn remove(&mut self, from: usize, to: usize) {
        if from < to {
            self.text.replace_range(from..to, "");
            self.cursor = from;
        }
    }

    fn previous(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        self.cursor + self.after().graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let trimmed = self.before().trim_end();
        let blank = trimmed.char_indices().rev().find(|(_, c)| c.is_whitespace());
        blank.map_or(0, |(at, c)| at + c.len_utf8())
    }

    fn word_after(&self) -> usize {
        let rest = self.after();
        let blanks = rest.len() - rest.trim_start().len();
        let word = rest.trim_start();
        self.cursor + blanks + word.find(char::is_whitespace).unwrap_or(word.len())
    }

    /// Splits the line at the cursor; the rest is returned.
    fn split(&mut self) -> Self {
        Self { text: self.text.split_off(self.cursor), cursor: 0 }
    }
}

/// Several lines of text with a cursor in one of them; there is always at least one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    lines: Vec<Field>,
    row: usize,
}

impl Default for Area {
    fn default() -> Self {
        Self::new("")
    }
}

impl Area {
    /// An area that holds `text`, with the cursor at its beginning.
    pub fn new(text: &str) -> Self {
        let line =
            |line: &str| Field { cursor: 0, text: line.chars().filter(|c| may_be_typed(*c)).collect() };
        Self { lines: text.split('\n').map(line).collect(), row: 0 }
    }

    /// The lines.
    pub fn lines(&self) -> &[Field] {
        &self.lines
    }

    /// The index of the cursor's line.
    pub fn row(&self) -> usize {
        self.row
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines.iter().map(Field::text).collect::<Vec<_>>().join("\n")
    }

    /// The line of the cursor.
    pub fn line(&self) -> &Field {
        // There is always a line; the first stands in where the row is off, so that nothing can panic.
        self.lines.get(self.row).unwrap_or(&EMPTY)
    }

    /// Types `text`, line ends included.
    pub fn insert(&mut self, text: &str) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.break_line();
            }
            if let Some(field) = self.lines.get_mut(self.row) {
                field.insert(line);
            }
        }
    }

    /// Does what `key` means in a text. Says whether it means anything.
    pub fn key(&mut self, key: Key) -> bool {
        match key.code {
            KeyCode::Enter => self.break_line(),
            KeyCode::Up => self.go(-1),
            KeyCode::Down => self.go(1),
            KeyCode::PageUp => self.go(-10),
            KeyCode::PageDown => self.go(10),
            KeyCode::Backspace if self.line().cursor == 0 => self.join_previous(),
            KeyCode::Delete if self.line().after().is_empty() => self.join_next(),
            KeyCode::Left if self.line().cursor == 0 && self.row > 0 => {
                self.row -= 1;
                self.end_of_line();
            }
            KeyCode::Right if self.line().after().is_empty() && self.row + 1 < self.lines.len() => {
                self.row += 1;
                if let Some(line) = self.lines.get_mut(self.row) {
                    line.cursor = 0;
                }
            }
            _ => return self.lines.get_mut(self.row).is_some_and(|line| line.key(key)),
        }
        true
    }

    fn break_line(&mut self) {
        if let Some(line) = self.lines.get_mut(self.row) {
            let rest = line.split();
            self.row += 1;
            self.lines.insert(self.row, rest);
        }
    }

    fn join_previous(&mut self) {
        if self.row > 0 {
            self.row -= 1;
            self.end_of_line();
            self.join_next();
        }
    }

    fn join_next(&mut self) {
        if self.row + 1 < self.lines.len() {
            let rest = self.lines.remove(self.row + 1);
            if let Some(line) = self.lines.get_mut(self.row) {
                line.text.push_str(&rest.text);
            }
        }
    }

    fn end_of_line(&mut self) {
        if let Some(line) = self.lines.get_mut(self.row) {
            line.cursor = line.text.len();
        }
    }

    /// Moves by `rows` lines and keeps the column, counted in grapheme clusters.
    fn go(&mut self, rows: isize) {
        let column = self.line().before().graphemes(true).count();
        self.row = self.row.saturating_add_signed(rows).min(self.lines.len().saturating_sub(1));
        if let Some(line) = self.lines.get_mut(self.row) {
            line.cursor = line.text.graphemes(true).take(column).map(str::len).sum();
        }
    }
}

static EMPTY: Field = Field { text: String::new(), cursor: 0 };

/// The commit message in S8: a subject and a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The first line.
    pub subject: Field,
    /// What follows the blank line.
    pub body: Area,
    /// Whether the cursor is in the body.
    pub in_body: bool,
    /// What was approved as it is.
    given: Option<String>,
}

impl Message {
    /// Splits a commit message; the cursor is behind the subject.
    pub fn new(message: &str) -> Self {
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let mut field = Field::default();
        field.insert(subject);
        let body = Area::new(body.trim_start_matches('\n').trim_end());
        Self { subject: field, body, in_body: false, given: None }
    }

    /// The same of a message that was approved: while nobody changes a word of it, it stays as it is to the last byte.
    pub fn approved(message: &str) -> Self {
        Self { given: Some(message.to_owned()), ..Self::new(message) }
    }

    /// The message as Git takes it: subject, blank line, body, a line end; without body the subject alone.
    pub fn text(&self) -> String {
        let (subject, body) = (self.subject.text(), self.body.text());
        let is_as_given = |given: &&String| {
            let given = Self::new(given);
            (given.subject.text(), given.body.text()) == (subject, body.clone())
        };
        if let Some(given) = self.given.as_ref().filter(is_as_given) {
            return given.clone();
        }
        let body = body.trim_end();
        if body.is_empty() {
            return format!("{}\n", self.subject.text());
        }
        format!("{}\n\n{body}\n", self.subject.text())
    }

    /// Does what `key` means; Enter in the subject goes to the body. Says whether it means anything.
    pub fn key(&mut self, key: Key) -> bool {
        if self.in_body {
            return self.body.key(key);
        }
        if matches!(key.code, KeyCode::Enter | KeyCode::Down) {
            self.in_body = true;
            return true;
        }
        self.subject.key(key)
    }

    /// Types `text`; a paste of several lines into the subject goes on in the body.
    pub fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if self.in_body {
            self.body.insert(&text);
            return;
        }
        let (subject, body) = text.split_once('\n').unwrap_or((&text, ""));
        self.subject.insert(subject);
        if !body.is_empty() {
            self.in_body = true;
            self.body.insert(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn type_in(field: &mut Field, keys: &[&str]) {
        for key in keys {
            field.key(key.parse().unwrap());
        }
    }

    #[test]
    fn a_line_is_edited_with_the_keys_of_readline() {
        let mut field = Field::new("update podinfo now");
        type_in(&mut field, &["ctrl-w"]);
        assert_eq!(field.text(), "update podinfo ");
        type_in(&mut field, &["alt-b", "ctrl-k"]);
        assert_eq!(field.text(), "update ");
        type_in(&mut field, &["ctrl-a", "X", "right", "delete"]);
        assert_eq!(field.text(), "Xudate ");
        type_in(&mut field, &["end", "ctrl-u"]);
        assert_eq!(field.text(), "");
    }

    #[test]
    fn control_characters_never_get_into_a_message() {
        let mut message = Message::default();
        message.insert("a\u{1b}[31m\u{202e}b\nbody\tone\r\nbody \u{200b}two");
        assert_eq!(message.text(), "a[31mb\n\nbodyone\nbody two\n");
    }

    #[test]
    fn a_message_survives_the_editor_unchanged() {
        for text in ["Subject\n", "Subject\n\nBody one\n\nBody two\n"] {
            assert_eq!(Message::new(text).text(), text);
        }
        for text in ["Subject", "Subject\nBody", "Subject\n\n\nBody one\r\n\nBody two \n\n"] {
            assert_eq!(Message::approved(text).text(), text);
        }
        let mut message = Message::approved("Subject");
        message.insert("s");
        assert_eq!(message.text(), "Subjects\n", "what is written here is as Git takes it");
    }

    proptest! {
        #[test]
        fn no_sequence_of_keys_breaks_an_area(text in "[a-zé🎉\\n ]{0,30}", keys in prop::collection::vec(0usize..14, 0..60)) {
            const KEYS: [&str; 14] = ["x", "é", "enter", "backspace", "delete", "left", "right", "up", "down",
                "ctrl-w", "ctrl-k", "alt-f", "home", "end"];
            let mut area = Area::new(&text);
            for key in keys {
                area.key(KEYS[key].parse().unwrap());
                prop_assert!(area.row() < area.lines().len());
                prop_assert!(area.line().text().is_char_boundary(area.line().cursor()));
            }
        }
    }
}
