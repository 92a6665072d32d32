//! Text that is safe to show, and secrets that cannot be printed.
//!
//! Tags, file names, server messages and the like come from strangers. [`Shown`] is the only text that widgets and
//! terminal output take; it maps what a terminal would obey, or a person would not see, to what a person can read.
//! How wide a text is, and how it is cut to a width, is decided here too ([`Shown::cut_end`] and its brothers), so that
//! nothing measures a text that is not the one being drawn.

mod cells;
mod cut;
mod hostile;
mod login;
mod nearest;

use std::fmt;

pub(crate) use cells::cells;
pub(crate) use hostile::{is_hidden, may_be_typed};
pub(crate) use login::without_logins;
pub(crate) use nearest::edit_distance;
pub use nearest::{known_names, nearest};
pub use secrecy::{ExposeSecret, SecretString};

/// A number with a blank before every third digit, such as `98 426`; four digits stand together, as in `1204`.
pub fn spaced(number: usize) -> String {
    let digits = number.to_string();
    if digits.len() <= 4 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() + 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `3 files`, `2 policies`, `98 426 tags`.
pub fn count(number: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) => format!("{} {stem}ies", spaced(number)),
        None => format!("{} {noun}s", spaced(number)),
    }
}

/// A number of bytes, such as `512 B` or `23.4 MiB`.
pub fn size(bytes: u64) -> String {
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// A text of one line in which every character is visible and none is a command to a terminal.
///
/// C0 and DEL read `^[` and `^?`, C1 reads `\x9b`, invisible and direction-changing characters read `<U+202E>`, a
/// pile of combining marks ends in `<+3>`, a line break reads `⏎` and a tab `⇥`. All of these are known as hostile, so
/// that a theme can set them apart ([`Self::is_hostile`], [`Piece::hostile`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Shown {
    text: String,
    /// Byte ranges of `text` that stand for a mapped character; ascending, not touching.
    marks: Vec<(usize, usize)>,
}

/// A stretch of a [`Shown`] that is all hostile or all harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What to draw.
    pub text: &'a str,
    /// Whether it stands for a mapped character.
    pub hostile: bool,
}

impl Shown {
    /// Maps `raw` for a field of one line; the one place where a [`Shown`] comes into being.
    pub fn new(raw: &str) -> Self {
        if raw.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Self { text: raw.to_owned(), marks: Vec::new() };
        }
        hostile::map(raw)
    }

    /// Maps bytes that should be UTF-8; those that are not read `\xHH`.
    pub fn from_bytes(raw: &[u8]) -> Self {
        let mut shown = Self::default();
        for chunk in raw.utf8_chunks() {
            shown.append(&Self::new(chunk.valid()));
            for byte in chunk.invalid() {
                shown.push_hostile(&format!("\\x{byte:02x}"));
            }
        }
        shown
    }

    /// Maps a text of several lines, one [`Shown`] a line; a `\r` before a line's end is no part of it.
    pub fn lines(raw: &str) -> Vec<Self> {
        raw.lines().map(Self::new).collect()
    }

    /// What is drawn.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether any character was mapped; such a value gets a `!` and can never be approved as a tag.
    pub fn is_hostile(&self) -> bool {
        !self.marks.is_empty()
    }

    /// The width in cells.
    pub fn width(&self) -> usize {
        if self.text.is_ascii() {
            return self.text.len();
        }
        cells(&self.text).map(|(_, width)| width).sum()
    }

    /// The same text with `more` behind it.
    #[must_use]
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.append(&more.into());
        self
    }

    /// The texts of `parts` with `separator` between them.
    pub fn join<T: Into<Self>>(parts: impl IntoIterator<Item = T>, separator: &str) -> Self {
        let separator = Self::new(separator);
        let mut joined = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                joined.append(&separator);
            }
            joined.append(&part.into());
        }
        joined
    }

    /// The stretches of the text in order, hostile and harmless apart.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let ends = self.marks.iter().flat_map(|&(start, end)| [(start, false), (end, true)]);
        let mut from = 0;
        ends.chain([(self.text.len(), false)]).filter_map(move |(to, hostile)| {
            let text = self.text.get(from..to).unwrap_or_default();
            from = to;
            (!text.is_empty()).then_some(Piece { text, hostile })
        })
    }

    /// Where byte `raw_at` of `raw` stands in the text that [`Self::new`] makes of `raw`, in bytes.
    ///
    /// For spans that were computed on the raw text, such as what a pattern matched.
    pub fn offset_of(raw: &str, raw_at: usize) -> usize {
        raw.get(..raw_at).map_or(raw_at, |before| Self::new(before).text.len())
    }

    fn append(&mut self, more: &Self) {
        let base = self.text.len();
        self.text.push_str(&more.text);
        for &(start, end) in &more.marks {
            self.mark(base + start, base + end);
        }
    }

    fn push_hostile(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.mark(start, self.text.len());
    }

    fn mark(&mut self, start: usize, end: usize) {
        match self.marks.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => self.marks.push((start, end)),
        }
    }
}

impl From<&str> for Shown {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Shown {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl From<&String> for Shown {
    fn from(raw: &String) -> Self {
        Self::new(raw)
    }
}

impl From<&Self> for Shown {
    fn from(shown: &Self) -> Self {
        shown.clone()
    }
}

impl fmt::Display for Shown {
    /// The mapped text; honours width and alignment in cells of ASCII.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(shown: &Shown) -> Vec<(&str, bool)> {
        shown.pieces().map(|piece| (piece.text, piece.hostile)).collect()
    }

    #[test]
    fn numbers_are_counted_in_good_english() {
        assert_eq!(
            [count(1, "tag"), count(0, "tag"), count(98_426, "tag"), count(1, "policy"), count(2, "policy")],
            ["1 tag", "0 tags", "98 426 tags", "1 policy", "2 policies"]
        );
        assert_eq!([spaced(1204), spaced(1_234_567)], ["1204", "1 234 567"]);
    }

    #[test]
    fn an_escape_in_a_tag_is_seen_and_set_apart() {
        let shown = Shown::new("1.0\x1b[31m.0");
        assert_eq!(pieces(&shown), [("1.0", false), ("^[", true), ("[31m.0", false)]);
        assert!(shown.is_hostile());
        assert_eq!(shown.width(), 11);
    }

    #[test]
    fn control_and_invisible_characters_have_a_spelling() {
        for (raw, seen) in [
            ("a\x00b", "a^@b"),
            ("\x7f", "^?"),
            ("\u{9b}31m", "\\x9b31m"),
            ("a\nb\tc\rd", "a⏎b⇥c^Md"),
            ("x\u{202e}y", "x<U+202E>y"),
            ("x\u{200b}y\u{ad}", "x<U+200B>y<U+00AD>"),
            ("\u{3164}", "<U+3164>"),
            ("a\u{fe0f}", "a<U+FE0F>"),
            ("\u{e0041}", "<U+E0041>"),
            ("a\u{2028}", "a<U+2028>"),
        ] {
            assert_eq!(Shown::new(raw).as_str(), seen, "{raw:?}");
            assert!(Shown::new(raw).is_hostile(), "{raw:?}");
        }
    }

    #[test]
    fn two_combining_marks_pass_and_the_rest_is_counted() {
        assert_eq!(Shown::new("e\u{301}\u{323}").as_str(), "e\u{301}\u{323}");
        assert_eq!(Shown::new("e\u{301}\u{323}\u{301}\u{302}x").as_str(), "e\u{301}\u{323}<+2>x");
        assert_eq!(Shown::new("\u{301}x").as_str(), "<U+0301>x");
    }

    #[test]
    fn letters_of_any_script_are_not_hostile() {
        for raw in ["größe", "版本", "наклейка", "→ … ★"] {
            assert_eq!(Shown::new(raw).as_str(), raw);
            assert!(!Shown::new(raw).is_hostile());
        }
        assert_eq!(Shown::new("版本").width(), 4);
    }

    #[test]
    fn bytes_that_are_no_text_are_spelt_out() {
        let shown = Shown::from_bytes(b"a\xff\xfeb\x1b");
        assert_eq!(shown.as_str(), "a\\xff\\xfeb^[");
        assert_eq!(pieces(&shown), [("a", false), ("\\xff\\xfe", true), ("b", false), ("^[", true)]);
    }

    #[test]
    fn spans_of_the_raw_text_are_found_again() {
        let raw = "1\x1b2";
        assert_eq!(Shown::offset_of(raw, 2), 3);
        assert_eq!(Shown::offset_of(raw, raw.len()), Shown::new(raw).as_str().len());
    }

    #[test]
    fn joining_keeps_what_is_hostile() {
        let joined = Shown::join(["a", "\x07"], ", ").and("!");
        assert_eq!(pieces(&joined), [("a, ", false), ("^G", true), ("!", false)]);
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_character_that_a_terminal_obeys(raw in any::<String>()) {
            let shown = Shown::new(&raw);
            prop_assert!(!shown.as_str().chars().any(char::is_control));
            prop_assert_eq!(shown.pieces().map(|piece| piece.text).collect::<String>(), shown.as_str());
        }

        #[test]
        fn showing_what_is_shown_changes_nothing(raw in any::<String>()) {
            let shown = Shown::new(&raw);
            let again = Shown::new(shown.as_str());
            prop_assert_eq!(again.as_str(), shown.as_str());
        }
    }
}
