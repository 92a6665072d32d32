//! Keys and pastes out of the bytes that a terminal sends.
//!
//! The bytes are read by us and not by crossterm, whose reader neither notices that a terminal went away (it spins) nor
//! re-joins a sequence that came in two parts.

use std::time::Duration;

use super::answer::{self, Answer, Part};
use crate::app::keymap::{Key, KeyCode};

/// How long the rest of a sequence may take after its Escape.
pub(super) const REJOIN: Duration = Duration::from_millis(50);
/// A paste longer than this is cut; nobody pastes a message of a megabyte.
const LONGEST_PASTE: usize = 1 << 20;
/// With more bytes than this it is an answer that waits for its rest, and nobody's typing.
const SURE: usize = 4;
/// No sequence we know is longer; what is, is dropped.
const LONGEST_SEQUENCE: usize = 64;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// What the terminal answered to our question.
    Answer(Answer),
    /// The mouse.
    Mouse(Mouse),
}

/// What the mouse did, on the cell at `x`, `y`, both counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mouse {
    /// What it did.
    pub(super) what: Pointed,
    /// The column.
    pub(super) x: u16,
    /// The row.
    pub(super) y: u16,
}

/// What a mouse does that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointed {
    /// Its left button was pressed.
    Press,
    /// Its wheel was turned by a notch, away from what stands below.
    WheelUp,
    /// Towards it.
    WheelDown,
}

/// Takes bytes as they come and gives keys as soon as they are whole.
#[derive(Debug, Default)]
pub(super) struct Parser {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
    /// Whether answers are on their way.
    asked: bool,
    /// The beginning of what may be an answer, if it was given up a moment ago; its Escape was a key then.
    given: Vec<u8>,
}

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

impl Parser {
    /// The terminal was asked: until its last answer is here, one that comes late or torn is not taken for keys.
    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    /// Whether answers are on their way.
    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    /// Takes in `bytes`; returns what is whole now.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        self.pending.extend_from_slice(bytes);
        let mut found = Vec::new();
        loop {
            if self.paste.is_some() {
                match self.take_paste() {
                    Some(paste) => found.push(paste),
                    None => return found,
                }
                continue;
            }
            match self.answered() {
                Some(Next::More) => return found,
                Some(Next::Input(answer, used)) => {
                    found.extend(answer);
                    self.pending.drain(..used);
                    self.given.clear();
                    continue;
                }
                _ => {}
            }
            match next(&self.pending) {
                Next::Input(input, used) => {
                    found.extend(input);
                    self.pending.drain(..used);
                    self.given.clear();
                }
                Next::Paste(used) => {
                    self.pending.drain(..used);
                    self.paste = Some(Vec::new());
                }
                Next::More => return found,
            }
        }
    }

    /// What is pending as an answer, as long as one is on its way; `None` if it is none.
    fn answered(&mut self) -> Option<Next> {
        if !self.asked || self.pending.is_empty() || self.pending == [0x1b] {
            return None;
        }
        if self.pending.first() == Some(&0x1b) {
            self.given.clear();
        }
        let (bytes, given) = ([self.given.as_slice(), &self.pending].concat(), self.given.len());
        let body = bytes.strip_prefix(b"\x1b")?;
        match answer::part(body) {
            Part::Begun => Some(Next::More),
            Part::Whole(answer, used) => {
                self.asked = answer != Answer::Last;
                Some(Next::Input(Some(Input::Answer(answer)), (used + 1).saturating_sub(given)))
            }
            Part::None => {
                let used = Some(answer::broken(body)).filter(|used| *used > 0)?;
                Some((used + 1).saturating_sub(given))
                    .filter(|used| *used > 0)
                    .map(|used| Next::Input(None, used))
            }
        }
    }

    /// Gives up what may be the beginning of an answer: what of it are keys, or `None` if the rest may take as long as it
    /// likes.
    fn give_up_answer(&mut self) -> Option<Vec<Input>> {
        let is_begun = |bytes: &Vec<u8>| {
            bytes.strip_prefix(b"\x1b").is_some_and(|body| answer::part(body) == Part::Begun)
        };
        let with_given = [self.given.as_slice(), &self.pending].concat();
        let begun = [with_given, self.pending.clone()].into_iter().find(is_begun);
        let begun = begun.filter(|_| self.asked).unwrap_or_default();
        if begun.len() > SURE {
            return None;
        }
        let is_typed = !begun.is_empty() && self.pending.first() != Some(&0x1b);
        self.given = begun;
        let typed = self.pending.iter().filter(|_| is_typed);
        Some(typed.map(|byte| Input::Key(Key::char(char::from(*byte)))).collect())
    }

    /// Whether the beginning of a sequence waits for its rest.
    pub(super) fn is_waiting(&self) -> bool {
        self.paste.is_none() && !self.pending.is_empty()
    }

    /// The rest did not come in time: a lone Escape is the key, the rest of a torn sequence is dropped.
    pub(super) fn give_up(&mut self) -> Vec<Input> {
        let Some(typed) = self.give_up_answer() else { return Vec::new() };
        let lone = self.pending == [0x1b];
        self.pending.clear();
        if lone { vec![Input::Key(Key::plain(KeyCode::Esc))] } else { typed }
    }

    /// Moves bytes into the paste; the paste, once its end is there.
    fn take_paste(&mut self) -> Option<Input> {
        let paste = self.paste.as_mut()?;
        let end = self.pending.windows(PASTE_END.len()).position(|part| part == PASTE_END);
        // Without the end in sight, its first bytes may be the last ones here.
        let safe = end.unwrap_or_else(|| self.pending.len().saturating_sub(PASTE_END.len() - 1));
        let room = LONGEST_PASTE.saturating_sub(paste.len());
        paste.extend(self.pending.drain(..safe).take(room));
        end?;
        self.pending.drain(..PASTE_END.len());
        let paste = self.paste.take()?;
        Some(Input::Paste(String::from_utf8_lossy(&paste).into_owned()))
    }
}

/// What the beginning of the bytes is.
enum Next {
    /// An input (or something without meaning for us), so many bytes long.
    Input(Option<Input>, usize),
    /// The beginning of a paste.
    Paste(usize),
    /// Nothing whole yet.
    More,
}

fn key(key: Key, used: usize) -> Next {
    Next::Input(Some(Input::Key(key)), used)
}

fn next(bytes: &[u8]) -> Next {
    match bytes {
        [] | [0x1b] | [0x1b, b'O'] => Next::More,
        [0x1b, b'[', ..] => control_sequence(bytes),
        [0x1b, b'O', end, ..] => {
            let found = final_key(*end, 0).map(|code| Input::Key(Key::plain(code)));
            Next::Input(found, 3)
        }
        [0x1b, b']' | b'P' | b'_' | b'^', ..] => string_sequence(bytes),
        // Two Escapes: the first was pressed alone.
        [0x1b, 0x1b, ..] => key(Key::plain(KeyCode::Esc), 1),
        [0x1b, rest @ ..] => match next(rest) {
            Next::Input(Some(Input::Key(found)), used) => key(Key { alt: true, ..found }, used + 1),
            other => other,
        },
        [first, ..] => single(*first, bytes),
    }
}

/// A control character, or a character of one to four bytes.
fn single(first: u8, bytes: &[u8]) -> Next {
    let plain = |code| key(Key::plain(code), 1);
    match first {
        b'\r' | b'\n' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x7f | 0x08 => plain(KeyCode::Backspace),
        0 => key(Key { ctrl: true, ..Key::char(' ') }, 1),
        1..=0x1a => key(Key::ctrl(char::from(first - 1 + b'a')), 1),
        0x1c..=0x1f => Next::Input(None, 1),
        _ => character(first, bytes),
    }
}

fn character(first: u8, bytes: &[u8]) -> Next {
    let length = match first {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Next::Input(None, 1),
    };
    let Some(whole) = bytes.get(..length) else { return Next::More };
    match std::str::from_utf8(whole).ok().and_then(|text| text.chars().next()) {
        Some(c) => key(Key::char(c), length),
        None => Next::Input(None, 1),
    }
}

/// `ESC [ parameters final`.
fn control_sequence(bytes: &[u8]) -> Next {
    if bytes.starts_with(PASTE_BEGIN) {
        return Next::Paste(PASTE_BEGIN.len());
    }
    let body = bytes.get(2..).unwrap_or_default();
    let Some(end) = body.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return if bytes.len() > LONGEST_SEQUENCE { Next::Input(None, bytes.len()) } else { Next::More };
    };
    let parameters = std::str::from_utf8(body.get(..end).unwrap_or_default()).unwrap_or_default();
    let last = body.get(end).copied().unwrap_or_default();
    if let Some(report) = parameters.strip_prefix('<') {
        return Next::Input(mouse(report, last).map(Input::Mouse), end + 3);
    }
    if let Some(answer) = answer::notice(parameters, last) {
        return Next::Input(Some(Input::Answer(answer)), end + 3);
    }
    let mut numbers = parameters.split(';').map(|number| number.parse::<u8>().unwrap_or(0));
    let (first, modifiers) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(1).saturating_sub(1));
    let found = match last {
        b'Z' => Some(Key { shift: true, ..Key::plain(KeyCode::Tab) }),
        _ => final_key(last, first).map(|code| Key {
            code,
            shift: modifiers & 1 != 0,
            alt: modifiers & 2 != 0,
            ctrl: modifiers & 4 != 0,
        }),
    };
    Next::Input(found.map(Input::Key), end + 3)
}

/// `CSI < button ; column ; row M`, with `m` for a button that is let go (xterm's mode 1006). Other buttons, and buttons with
/// Shift and the like, are the terminal's.
fn mouse(report: &str, last: u8) -> Option<Mouse> {
    let mut numbers = report.split(';').map(|number| number.parse::<u16>().ok());
    let (button, x, y) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let what = match (button, last) {
        (0, b'M') => Pointed::Press,
        (64, b'M') => Pointed::WheelUp,
        (65, b'M') => Pointed::WheelDown,
        _ => return None,
    };
    Some(Mouse { what, x: x.checked_sub(1)?, y: y.checked_sub(1)? })
}

/// The key of a sequence's last byte, and for `~` of its first number.
fn final_key(last: u8, number: u8) -> Option<KeyCode> {
    Some(match (last, number) {
        (b'A', _) => KeyCode::Up,
        (b'B', _) => KeyCode::Down,
        (b'C', _) => KeyCode::Right,
        (b'D', _) => KeyCode::Left,
        (b'H', _) | (b'~', 1 | 7) => KeyCode::Home,
        (b'F', _) | (b'~', 4 | 8) => KeyCode::End,
        (b'M', 0) => KeyCode::Enter,
        (b'P', _) | (b'~', 11) => KeyCode::F(1),
        (b'Q', _) | (b'~', 12) => KeyCode::F(2),
        (b'R', 0 | 1) | (b'~', 13) => KeyCode::F(3),
        (b'S', _) | (b'~', 14) => KeyCode::F(4),
        (b'~', 15) => KeyCode::F(5),
        (b'~', number @ 17..=21) => KeyCode::F(number - 11),
        (b'~', number @ 23..=24) => KeyCode::F(number - 12),
        (b'~', 3) => KeyCode::Delete,
        (b'~', 5) => KeyCode::PageUp,
        (b'~', 6) => KeyCode::PageDown,
        _ => return None,
    })
}

/// An answer of the terminal to a question (OSC, DCS, …), up to BEL or ST; it never becomes keys.
fn string_sequence(bytes: &[u8]) -> Next {
    let bell = bytes.iter().position(|byte| *byte == 7).map(|at| at + 1);
    let terminator = bytes.windows(2).skip(1).position(|pair| pair == b"\x1b\\").map(|at| at + 3);
    match bell.into_iter().chain(terminator).min() {
        Some(end) => Next::Input(None, end),
        None if bytes.len() > 4096 => Next::Input(None, bytes.len()),
        None => Next::More,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mouse_is_its_left_button_and_its_wheel_and_never_keys() {
        assert_eq!(
            keys(b"\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<65;200;60M\x1b[<64;3;4Mj"),
            ["Press 0,0", "WheelDown 199,59", "WheelUp 2,3", "j"]
        );
        assert_eq!(
            keys(b"\x1b[<2;1;1M\x1b[<4;1;1M\x1b[<35;1;1M\x1b[<0;0;1M\x1b[<0;99999;1M\x1b[<0;1M\x1b[<;;M"),
            Vec::<String>::new()
        );
    }

    fn keys(bytes: &[u8]) -> Vec<String> {
        let show = |input: Input| match input {
            Input::Key(key) => key.to_string(),
            Input::Paste(text) => format!("paste:{text}"),
            Input::Answer(answer) => format!("{answer:?}"),
            Input::Mouse(Mouse { what, x, y }) => format!("{what:?} {x},{y}"),
        };
        Parser::default().feed(bytes).into_iter().map(show).collect()
    }

    #[test]
    fn keys_are_what_terminals_send_for_them() {
        for (bytes, shown) in [
            (&b"a"[..], "a"),
            (b"\x03", "Ctrl-c"),
            (b"\r", "Enter"),
            (b"\x1b[A", "↑"),
            (b"\x1bOB", "↓"),
            (b"\x1b[1;5C", "Ctrl-→"),
            (b"\x1b[5~", "PgUp"),
            (b"\x1b[Z", "Shift-Tab"),
            (b"\x1bb", "Alt-b"),
            (b"\x1bOP", "F1"),
            (b"\x1b[H", "Home"),
            ("é".as_bytes(), "é"),
            (b" ", "Space"),
            (b"\x7f", "Backspace"),
        ] {
            assert_eq!(keys(bytes), [shown], "{bytes:?}");
        }
    }

    #[test]
    fn a_paste_is_text_and_never_keys() {
        assert_eq!(keys(b"\x1b[200~q\x1b[A\x1b[201~j"), ["paste:q\u{1b}[A", "j"]);
    }

    #[test]
    fn a_sequence_that_comes_in_two_parts_is_one_key() {
        let mut parser = Parser::default();
        assert_eq!(parser.feed(b"\x1b"), []);
        assert!(parser.is_waiting());
        assert_eq!(parser.feed(b"[A"), [Input::Key(Key::plain(KeyCode::Up))]);
        assert!(!parser.is_waiting());
    }

    #[test]
    fn a_lone_escape_is_a_key_once_nothing_follows_and_a_torn_sequence_is_none() {
        let mut parser = Parser::default();
        parser.feed(b"\x1b");
        assert_eq!(parser.give_up(), [Input::Key(Key::plain(KeyCode::Esc))]);
        parser.feed(b"\x1b[1;");
        assert_eq!(parser.give_up(), []);
    }

    #[test]
    fn answers_of_the_terminal_are_swallowed() {
        assert_eq!(keys(b"\x1b]11;rgb:0000/0000/0000\x07x"), ["x"]);
        assert_eq!(keys(b"\x1b]11;rgb:0000/0000/0000\x1b\\x"), ["x"]);
        assert_eq!(keys(b"\x1b[?62;4cx"), ["x"]);
    }

    const LIGHT: &[u8] = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;4c";

    fn asked() -> Parser {
        Parser { asked: true, ..Parser::default() }
    }

    #[test]
    fn an_answer_to_our_question_is_told_and_the_last_one_ends_the_waiting() {
        let mut parser = asked();
        let answers = [Input::Answer(Answer::Light), Input::Answer(Answer::Last)];
        assert_eq!(parser.feed(LIGHT), answers);
        assert!(!parser.is_asked() && !parser.is_waiting());
    }

    #[test]
    fn a_background_that_changes_later_is_told_whether_or_not_an_answer_is_on_its_way() {
        for mut parser in [asked(), Parser::default()] {
            let said = [Input::Answer(Answer::Dark), Input::Answer(Answer::Light)];
            assert_eq!(parser.feed(b"\x1b[?997;1n\x1b[?997;2n"), said);
        }
    }

    #[test]
    fn keys_are_keys_while_an_answer_is_on_its_way() {
        let mut parser = asked();
        let up = Input::Key(Key::plain(KeyCode::Up));
        assert_eq!(parser.feed(b"\x1b[A]j"), [up, Input::Key(Key::char(']')), Input::Key(Key::char('j'))]);
        parser.feed(b"\x1b");
        assert_eq!(parser.give_up(), [Input::Key(Key::plain(KeyCode::Esc))]);
        assert_eq!(parser.feed(b"]"), [], "it may be the rest of the Escape's");
        assert_eq!(parser.give_up(), [Input::Key(Key::char(']'))]);
        assert_eq!(parser.feed(b"]"), [Input::Key(Key::char(']'))]);
    }

    #[test]
    fn an_answer_that_breaks_off_takes_no_key_with_it() {
        let mut parser = asked();
        assert_eq!(parser.feed(b"\x1b]11;rgb:ff"), []);
        assert_eq!(parser.give_up(), []);
        assert_eq!(parser.feed(b"j"), [Input::Key(Key::char('j'))]);
    }

    proptest! {
        #[test]
        fn an_answer_that_is_torn_anywhere_for_any_time_is_never_typed(cut in 0..LIGHT.len()) {
            let (a, b) = LIGHT.split_at(cut);
            let mut parser = asked();
            let mut found = parser.feed(a);
            found.extend(parser.give_up());
            found.extend(parser.feed(b));
            // An Escape that stands alone for so long is one.
            let escape = Input::Key(Key::plain(KeyCode::Esc));
            let answers: Vec<Input> = found.into_iter().filter(|input| *input != escape).collect();
            prop_assert_eq!(answers, [Input::Answer(Answer::Light), Input::Answer(Answer::Last)]);
        }

        #[test]
        fn an_answer_that_comes_in_crumbs_is_known_once_it_can_be_no_typing(
            cuts in prop::collection::btree_set(1..LIGHT.len(), 0..20),
        ) {
            let (mut parser, mut found, mut begin) = (asked(), Vec::new(), 0);
            for cut in cuts.into_iter().chain([LIGHT.len()]) {
                found.extend(parser.feed(&LIGHT[begin..cut]));
                found.extend(parser.give_up());
                begin = cut;
            }
            let (answers, typed): (Vec<Input>, _) = found.into_iter().partition(|input| matches!(input, Input::Answer(_)));
            prop_assert_eq!(answers, [Input::Answer(Answer::Light), Input::Answer(Answer::Last)]);
            prop_assert!(typed.len() <= 2 * SURE, "{typed:?}");
        }

        #[test]
        fn no_bytes_break_the_parser_and_where_they_are_cut_makes_no_difference(
            bytes in prop::collection::vec(prop_oneof![Just(0x1b_u8), Just(b'['), Just(b'2'), Just(b'~'), any::<u8>()], 0..60),
            cut in 0usize..60,
        ) {
            let mut whole = Parser::default();
            let expected = whole.feed(&bytes);
            let mut parts = Parser::default();
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            let mut found = parts.feed(a);
            found.extend(parts.feed(b));
            prop_assert_eq!(found, expected);
        }
    }
}
