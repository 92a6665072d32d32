//! How text is drawn, and the shortest sequence from one way to another.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// What a blank shows of a pen beside its background.
const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// How text is drawn from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pen {
    foreground: Color,
    background: Color,
    underline: Color,
    modifier: Modifier,
}

impl Pen {
    /// The terminal's own.
    pub(super) const PLAIN: Self = Self {
        foreground: Color::Reset,
        background: Color::Reset,
        underline: Color::Reset,
        modifier: Modifier::empty(),
    };

    /// The pen of a cell.
    pub(super) fn of(cell: &Cell) -> Self {
        Self {
            foreground: cell.fg,
            background: cell.bg,
            underline: cell.underline_color,
            modifier: cell.modifier,
        }
    }

    /// Whether a blank drawn with it is the terminal's own blank, and what it erases too.
    pub(super) fn is_blank(self) -> bool {
        self.background == Color::Reset && !self.modifier.intersects(SEEN_ON_BLANKS)
    }

    /// Whether `cell` looks as it should when this pen draws it.
    pub(super) fn draws(self, cell: &Cell) -> bool {
        let wanted = Self::of(cell);
        self == wanted
            || (cell.symbol() == " "
                && self.background == wanted.background
                && !(self.modifier | wanted.modifier).intersects(SEEN_ON_BLANKS))
    }

    /// Writes the sequence that makes `next` of it: what differs, or everything anew, whichever is shorter.
    pub(super) fn change(self, next: Self, out: &mut String) {
        if next == self {
            return;
        }
        out.push_str("\x1b[");
        if next != Self::PLAIN {
            let start = out.len();
            self.changes(next, out);
            let middle = out.len();
            out.push_str("0;");
            Self::PLAIN.changes(next, out);
            if out.len() - middle < middle - start {
                out.drain(start..middle);
            } else {
                out.truncate(middle);
            }
            // The last code has a separator behind it too.
            out.pop();
        }
        out.push('m');
    }

    /// Writes the codes that make `next` of it, each with a separator behind it.
    fn changes(self, next: Self, out: &mut String) {
        let (removed, mut added) = (self.modifier - next.modifier, next.modifier - self.modifier);
        let mut last = "";
        for (modifier, _, off) in MODIFIERS {
            if removed.contains(*modifier) && *off != last {
                code(off, out);
                last = off;
                // 22 ends bold and dim alike.
                if *off == "22" {
                    added |= next.modifier & (Modifier::BOLD | Modifier::DIM);
                }
            }
        }
        for (_, on, _) in MODIFIERS.iter().filter(|(modifier, ..)| added.contains(*modifier)) {
            code(on, out);
        }
        if next.foreground != self.foreground {
            color(next.foreground, 30, out);
        }
        if next.background != self.background {
            color(next.background, 40, out);
        }
        if next.underline != self.underline {
            underline(next.underline, out);
        }
    }
}

fn code(code: &str, out: &mut String) {
    out.push_str(code);
    out.push(';');
}

/// Modifiers with the codes that begin and end them.
const MODIFIERS: &[(Modifier, &str, &str)] = &[
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

/// Writes the code of a colour: of the foreground if the first of its eight is 30, of the background if that is 40.
fn color(color: Color, first: u8, out: &mut String) {
    match (color, basic(color)) {
        (Color::Rgb(red, green, blue), _) => codes(&[first + 8, 2, red, green, blue], out),
        (Color::Indexed(index), _) => codes(&[first + 8, 5, index], out),
        (_, Some(index @ 0..8)) => codes(&[first + index], out),
        (_, Some(index)) => codes(&[first + 60 + index - 8], out),
        (_, None) => codes(&[first + 9], out),
    }
}

fn underline(color: Color, out: &mut String) {
    match (color, basic(color)) {
        (Color::Rgb(red, green, blue), _) => codes(&[58, 2, red, green, blue], out),
        (Color::Indexed(index), _) | (_, Some(index)) => codes(&[58, 5, index], out),
        (_, None) => codes(&[59], out),
    }
}

fn codes(codes: &[u8], out: &mut String) {
    for code in codes {
        number(u16::from(*code), out);
        out.push(';');
    }
}

/// Writes a number. A frame has hundreds, and the machinery for formats takes several times as long.
pub(super) fn number(number: u16, out: &mut String) {
    let mut place = 10_u16.pow(number.checked_ilog10().unwrap_or(0));
    while place > 0 {
        out.push(char::from(b'0' + u8::try_from(number / place % 10).unwrap_or(0)));
        place /= 10;
    }
}

/// The place of a named colour among the sixteen.
fn basic(color: Color) -> Option<u8> {
    const NAMED: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    NAMED.iter().position(|named| *named == color).and_then(|index| u8::try_from(index).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pen(foreground: Color, background: Color, modifier: Modifier) -> Pen {
        Pen { foreground, background, modifier, ..Pen::PLAIN }
    }

    fn sequence(from: Pen, to: Pen) -> String {
        let mut out = String::new();
        from.change(to, &mut out);
        out
    }

    #[test]
    fn numbers_are_written_as_everywhere() {
        for number in [0, 7, 10, 99, 100, 255, 1000, u16::MAX] {
            let mut out = String::new();
            super::number(number, &mut out);
            assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn bold_stays_when_dim_ends() {
        let both = pen(Color::Reset, Color::Reset, Modifier::BOLD | Modifier::DIM);
        let bold = pen(Color::Reset, Color::Reset, Modifier::BOLD);
        let found = sequence(both, bold);
        assert!(["\x1b[22;1m", "\x1b[0;1m"].contains(&found.as_str()), "{found:?}");
    }

    #[test]
    fn the_shorter_way_from_one_pen_to_another_is_taken() {
        let hint = pen(Color::Red, Color::Reset, Modifier::BOLD);
        assert_eq!(sequence(hint, pen(Color::Blue, Color::Reset, Modifier::BOLD)), "\x1b[34m");
        let marked = pen(Color::Red, Color::Indexed(200), Modifier::BOLD | Modifier::UNDERLINED);
        assert_eq!(sequence(marked, pen(Color::Blue, Color::Reset, Modifier::empty())), "\x1b[0;34m");
        assert_eq!(sequence(marked, Pen::PLAIN), "\x1b[m");
        assert_eq!(sequence(marked, marked), "");
    }

    #[test]
    fn a_blank_is_drawn_by_every_pen_with_its_background() {
        let blank = Cell::default();
        assert!(pen(Color::Red, Color::Reset, Modifier::BOLD).draws(&blank));
        assert!(!pen(Color::Red, Color::Reset, Modifier::UNDERLINED).draws(&blank));
        assert!(!pen(Color::Red, Color::Blue, Modifier::empty()).draws(&blank));
    }
}
