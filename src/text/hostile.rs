//! Which characters must not reach a terminal as they are, and what is shown in their place.

use unicode_width::UnicodeWidthChar;

use super::Shown;

/// How many combining marks may sit on one character before the rest is only counted.
const MOST_MARKS: usize = 2;

/// What a character means to a screen.
enum Class {
    /// It can be drawn.
    Plain,
    /// It is drawn onto the character before it.
    Mark,
    /// This is drawn in its place.
    Mapped(String),
}

/// Maps `raw`, character by character.
pub(super) fn map(raw: &str) -> Shown {
    let mut shown = Shown { text: String::with_capacity(raw.len()), marks: Vec::new() };
    // `None` until there is a character that marks can sit on.
    let mut marks: Option<usize> = None;
    for ch in raw.chars() {
        match (classify(ch), marks) {
            (Class::Mark, Some(count)) => {
                if count < MOST_MARKS {
                    shown.text.push(ch);
                }
                marks = Some(count + 1);
            }
            (Class::Mark, None) => shown.push_hostile(&code_point(ch)),
            (class, _) => {
                close(&mut shown, marks);
                marks = push(&mut shown, ch, class);
            }
        }
    }
    close(&mut shown, marks);
    shown
}

/// Draws `ch`; returns how many marks sit on it, `None` if none may.
fn push(shown: &mut Shown, ch: char, class: Class) -> Option<usize> {
    if let Class::Mapped(text) = class {
        shown.push_hostile(&text);
        return None;
    }
    shown.text.push(ch);
    Some(0)
}

/// Says how many marks were left out.
fn close(shown: &mut Shown, marks: Option<usize>) {
    let extra = marks.unwrap_or(0).saturating_sub(MOST_MARKS);
    if extra > 0 {
        shown.push_hostile(&format!("<+{extra}>"));
    }
}

fn classify(ch: char) -> Class {
    match ch {
        '\n' => Class::Mapped("⏎".to_owned()),
        '\t' => Class::Mapped("⇥".to_owned()),
        '\0'..='\x1f' | '\x7f' => Class::Mapped(caret(ch)),
        '\u{80}'..='\u{9f}' => Class::Mapped(format!("\\x{:02x}", u32::from(ch))),
        _ if is_unseen(ch) => Class::Mapped(code_point(ch)),
        _ if ch.width() == Some(0) => Class::Mark,
        _ => Class::Plain,
    }
}

/// `^[` for ESC, as `less` and `vim` write it.
fn caret(ch: char) -> String {
    let letter = char::from_u32(u32::from(ch) ^ 0x40).unwrap_or('?');
    format!("^{letter}")
}

fn code_point(ch: char) -> String {
    format!("<U+{:04X}>", u32::from(ch))
}

/// Whether `ch` may be typed or pasted into a line of text that goes elsewhere: it is no control character, turns no direction and
/// is no break without width. What joins emoji may.
///
/// Source: Unicode's `Bidi_Control`.
pub(crate) fn may_be_typed(ch: char) -> bool {
    let is_bidi =
        matches!(ch, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !ch.is_control() && !is_bidi && !matches!(ch, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Whether `ch` is hostile and yet may stand in JSON as it is.
pub(crate) fn is_hidden(ch: char) -> bool {
    matches!(ch, '\u{7f}'..='\u{9f}') || is_unseen(ch)
}

/// Whether `ch` shows nothing itself, or changes the direction or shape of what stands beside it.
///
/// Source: Unicode's `Bidi_Control`, `Default_Ignorable_Code_Point` (without the unassigned), line and paragraph
/// separator, interlinear annotation.
fn is_unseen(ch: char) -> bool {
    matches!(u32::from(ch),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164
        | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}
