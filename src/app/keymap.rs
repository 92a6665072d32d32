//! What a key press is, how it is written in the table of actions, and how it is printed for people.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The key itself, without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    /// A printable character, as typed (`P` is `Char('P')`, without [`Key::shift`]).
    Char(char),
    /// A function key, from 1.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab; Shift-Tab is the same with [`Key::shift`].
    Tab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Whether Control was held.
    pub ctrl: bool,
    /// Whether Alt was held (or Escape came right before).
    pub alt: bool,
    /// Whether Shift was held; always false with a character, whose case says it.
    pub shift: bool,
}

impl Key {
    /// `code` without modifiers.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// The character `c` without modifiers.
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// The character `c` with Control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// The key as `[keys]` and the table of actions write it, such as `ctrl-c` or `pgdn`.
    pub fn spelled(self) -> String {
        let shown = self.to_string();
        match NAMES.iter().find(|(.., code)| *code == self.code) {
            Some((name, shown_name, _)) => {
                let modifiers = shown.strip_suffix(shown_name).unwrap_or_default();
                format!("{}{name}", modifiers.to_lowercase())
            }
            None => match self.code {
                KeyCode::Char(c) if self.ctrl || self.alt => {
                    let modifiers = shown.strip_suffix(c).unwrap_or_default();
                    format!("{}{c}", modifiers.to_lowercase())
                }
                KeyCode::Char(_) => shown,
                _ => shown.to_lowercase(),
            },
        }
    }

    /// The character that this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

/// A text that names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no key is called {0:?}")]
pub struct KeyError(pub String);

/// The names of keys that are no characters: as parsed, as shown in hints, as spelt out in help.
const NAMES: &[(&str, &str, KeyCode)] = &[
    ("space", "Space", KeyCode::Char(' ')),
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("delete", "Del", KeyCode::Delete),
    ("up", "↑", KeyCode::Up),
    ("down", "↓", KeyCode::Down),
    ("left", "←", KeyCode::Left),
    ("right", "→", KeyCode::Right),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
];

impl FromStr for Key {
    type Err = KeyError;

    /// Reads `a`, `A`, `ctrl-c`, `shift-tab`, `alt-b`, `f1`, `space`, `pgdn`; the form of `[keys]` and of the table.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut key = Self::char('\0');
        let mut rest = text;
        loop {
            if let Some(tail) = rest.strip_prefix("ctrl-") {
                (key.ctrl, rest) = (true, tail);
            } else if let Some(tail) = rest.strip_prefix("alt-") {
                (key.alt, rest) = (true, tail);
            } else if let Some(tail) = rest.strip_prefix("shift-") {
                (key.shift, rest) = (true, tail);
            } else {
                break;
            }
        }
        key.code = code(rest).ok_or_else(|| KeyError(text.to_owned()))?;
        Ok(key)
    }
}

fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return Some(KeyCode::Char(c));
    }
    if let Some((.., code)) = NAMES.iter().find(|(word, ..)| *word == name) {
        return Some(*code);
    }
    let number: u8 = name.strip_prefix('f')?.parse().ok()?;
    (1..=24).contains(&number).then_some(KeyCode::F(number))
}

impl fmt::Display for Key {
    /// As hints and help show it: `Ctrl-c`, `Space`, `↓`, `F1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("Shift-")?;
        }
        if let Some((_, shown, _)) = NAMES.iter().find(|(.., code)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            _ => Ok(()),
        }
    }
}

/// What is in force where it is not what the table of actions says: a preset, and a person's own keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bindings {
    keys: BTreeMap<&'static str, (Vec<Key>, String)>,
}

impl Bindings {
    /// Gives the action called `id` exactly these keys, because `origin` says so.
    pub fn set(&mut self, id: &'static str, keys: Vec<Key>, origin: impl Into<String>) {
        self.keys.insert(id, (keys, origin.into()));
    }

    /// The keys of the action called `id`; `None`: those of the table.
    pub fn of(&self, id: &str) -> Option<&[Key]> {
        self.keys.get(id).map(|(keys, _)| keys.as_slice())
    }

    /// Who gave them: `preset emacs`, or the place in a file; `None`: the table.
    pub fn origin(&self, id: &str) -> Option<&str> {
        self.keys.get(id).map(|(_, origin)| origin.as_str())
    }
}

/// One entry of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The first key, as people read it.
    pub key: String,
    /// What it does.
    pub label: &'static str,
}

impl Hint {
    /// Columns it takes, the two blanks before it included.
    pub(super) fn width(&self) -> usize {
        self.key.chars().count() + 1 + self.label.chars().count() + 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_the_way_people_say_them() {
        for (text, shown) in [
            ("ctrl-c", "Ctrl-c"),
            ("space", "Space"),
            ("P", "P"),
            ("shift-tab", "Shift-Tab"),
            ("f1", "F1"),
            ("-", "-"),
            ("pgdn", "PgDn"),
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn a_key_is_spelled_the_way_it_is_read() {
        for text in [
            "ctrl-c",
            "space",
            "P",
            "shift-tab",
            "f1",
            "-",
            "pgdn",
            "alt-<",
            "alt-X",
            "ctrl-space",
            "up",
            "ctrl-alt-v",
        ] {
            assert_eq!(text.parse::<Key>().unwrap().spelled(), text);
        }
    }

    #[test]
    fn a_text_that_names_no_key_is_refused() {
        for text in ["", "ctrl-", "f0", "f25", "hyper-x", "spaces"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }
}
