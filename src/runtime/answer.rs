//! What a terminal answers when it is asked for its background, and how that is known though it comes late or torn.

use crate::theme;

/// Asks for the background (OSC 11), then for what every terminal answers (DA1): after that, no answer is on its way.
pub(super) const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

/// Has the terminal say so whenever its background changes (mode 2031), and ends that.
pub(super) const FOLLOW: &[u8] = b"\x1b[?2031h";
pub(super) const UNFOLLOW: &[u8] = b"\x1b[?2031l";

/// No answer is longer; what is, is none.
const LONGEST: usize = 64;

/// What a terminal answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Its background is light.
    Light,
    /// Its background is dark.
    Dark,
    /// Its background, in a way that we cannot read.
    Unreadable,
    /// Its attributes: no other answer follows.
    Last,
}

/// What some bytes are of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing.
    None,
    /// Its beginning.
    Begun,
    /// All of it, so many bytes long.
    Whole(Answer, usize),
}

/// What the beginning of `bytes` is of an answer; the Escape that it begins with is left out.
pub(super) fn part(bytes: &[u8]) -> Part {
    let seen = bytes.get(..LONGEST).unwrap_or(bytes);
    let found = match seen.first() {
        None => Part::Begun,
        Some(b']') => behind(seen, BACKGROUND, background),
        Some(_) => behind(seen, b"[?", attributes),
    };
    if seen.len() == LONGEST && found == Part::Begun { Part::None } else { found }
}

/// What a terminal that is followed says of its background: `CSI ? 997 ; 1 n` for dark, `2` for light.
pub(super) fn notice(parameters: &str, last: u8) -> Option<Answer> {
    match (parameters, last) {
        ("?997;1", b'n') => Some(Answer::Dark),
        ("?997;2", b'n') => Some(Answer::Light),
        _ => None,
    }
}

/// How many bytes are of an answer that was begun and is broken off by what follows; an Escape begins something else.
pub(super) fn broken(bytes: &[u8]) -> usize {
    if !bytes.starts_with(BACKGROUND) {
        return 0;
    }
    let is_begun = |end: &usize| {
        bytes.get(..*end).is_some_and(|bytes| part(bytes) == Part::Begun && bytes.last() != Some(&0x1b))
    };
    (0..bytes.len()).rev().find(is_begun).unwrap_or(0)
}

const BACKGROUND: &[u8] = b"]11;";

fn behind(bytes: &[u8], wanted: &[u8], rest: fn(&[u8]) -> Part) -> Part {
    match bytes.strip_prefix(wanted).map(rest) {
        Some(Part::Whole(answer, used)) => Part::Whole(answer, used + wanted.len()),
        Some(other) => other,
        None if wanted.starts_with(bytes) => Part::Begun,
        None => Part::None,
    }
}

/// `rgb:RRRR/GGGG/BBBB` up to BEL or ST.
fn background(bytes: &[u8]) -> Part {
    let is_colour = |byte: &u8| byte.is_ascii_hexdigit() || b"rg#:/,.".contains(byte);
    let Some(end) = bytes.iter().position(|byte| !is_colour(byte)) else { return Part::Begun };
    let (colour, rest) = bytes.split_at(end);
    match rest {
        [7, ..] => Part::Whole(brightness(colour), end + 1),
        [0x1b, b'\\', ..] => Part::Whole(brightness(colour), end + 2),
        [0x1b] => Part::Begun,
        _ => Part::None,
    }
}

/// Numbers and semicolons up to `c`.
fn attributes(bytes: &[u8]) -> Part {
    match bytes.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';') {
        None => Part::Begun,
        Some(end) if bytes.get(end) == Some(&b'c') => Part::Whole(Answer::Last, end + 1),
        Some(_) => Part::None,
    }
}

fn brightness(colour: &[u8]) -> Answer {
    match rgb(colour) {
        Some(colour) if theme::is_light(colour) => Answer::Light,
        Some(_) => Answer::Dark,
        None => Answer::Unreadable,
    }
}

/// Reads `rgb:` or `rgba:` and parts of one to four hexadecimal digits each.
fn rgb(colour: &[u8]) -> Option<[u8; 3]> {
    let text = std::str::from_utf8(colour).ok()?;
    let parts = text.strip_prefix("rgb:").or_else(|| text.strip_prefix("rgba:"))?;
    let mut values = parts.split('/').map(|digits| {
        let most = 16_u32.checked_pow(u32::try_from(digits.len()).ok()?)? - 1;
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() <= 4)?;
        u8::try_from((value * 255).checked_div(most)?).ok()
    });
    Some([values.next()??, values.next()??, values.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_terminals_are_read_whatever_their_digits_and_ends() {
        for (bytes, answer) in [
            (&b"]11;rgb:ffff/ffff/ffff\x07"[..], Answer::Light),
            (b"]11;rgb:ff/ff/ff\x1b\\", Answer::Light),
            (b"]11;rgb:fdfd/f6f6/e3e3\x1b\\", Answer::Light),
            (b"]11;rgb:0000/0000/0000\x1b\\", Answer::Dark),
            (b"]11;rgb:2e2e/3434/4040\x07", Answer::Dark),
            (b"]11;rgba:ffff/ffff/ffff/8000\x07", Answer::Light),
            (b"]11;rgb:fffff/0/0\x07", Answer::Unreadable),
            (b"]11;#fff\x07", Answer::Unreadable),
            (b"[?62;4c", Answer::Last),
            (b"[?6c", Answer::Last),
        ] {
            assert_eq!(part(bytes), Part::Whole(answer, bytes.len()), "{:?}", String::from_utf8_lossy(bytes));
            for end in 0..bytes.len() {
                assert_eq!(part(&bytes[..end]), Part::Begun, "{end} of {:?}", String::from_utf8_lossy(bytes));
            }
        }
    }

    #[test]
    fn what_people_type_is_no_answer() {
        for bytes in [&b"]j"[..], b"[A", b"j", b"[1;5C", b"]11;rgb:ff\x1b[A", b"[?25h", b"]12"] {
            assert_eq!(part(bytes), Part::None, "{bytes:?}");
        }
        assert_eq!(broken(b"]11;rgb:ff\x1b[A"), 10);
        assert_eq!((broken(b"]11;rgb:ffj"), broken(b"]j")), (10, 0));
        assert_eq!(part(&[b"]11;".as_slice(), &[b'f'; 80]].concat()), Part::None);
        assert_eq!(part(&[b"[?6c".as_slice(), &[b'f'; 80]].concat()), Part::Whole(Answer::Last, 4));
    }
}
