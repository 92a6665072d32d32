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

    /// The sequence that makes `next` of it: what differs, or everything anew, whichever is shorter.
    pub(super) fn to(self, next: Self) -> String {
        if next == self {
            return String::new();
        }
        if next == Self::PLAIN {
            return "\x1b[m".to_owned();
        }
        let changes = self.changes(next).join(";");
        let anew =
            ["0".to_owned()].into_iter().chain(Self::PLAIN.changes(next)).collect::<Vec<_>>().join(";");
        let codes = if anew.len() < changes.len() { anew } else { changes };
        format!("\x1b[{codes}m")
    }

    /// The codes that make `next` of it.
    fn changes(self, next: Self) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        let (removed, mut added) = (self.modifier - next.modifier, next.modifier - self.modifier);
        for (modifier, _, off) in MODIFIERS {
            if removed.contains(*modifier) && !codes.iter().any(|code| code == off) {
                codes.push((*off).to_owned());
                // 22 ends bold and dim alike.
                if *off == "22" {
                    added |= next.modifier & (Modifier::BOLD | Modifier::DIM);
                }
            }
        }
        let on = MODIFIERS.iter().filter(|(modifier, ..)| added.contains(*modifier));
        codes.extend(on.map(|(_, on, _)| (*on).to_owned()));
        if next.foreground != self.foreground {
            codes.push(color(next.foreground, 30, 38, 39));
        }
        if next.background != self.background {
            codes.push(color(next.background, 40, 48, 49));
        }
        if next.underline != self.underline {
            codes.push(underline(next.underline));
        }
        codes
    }
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

/// The code of a colour, given the first of the eight, the one for others, and the one for none.
fn color(color: Color, first: u8, other: u8, none: u8) -> String {
    match color {
        Color::Rgb(red, green, blue) => format!("{other};2;{red};{green};{blue}"),
        Color::Indexed(index) => format!("{other};5;{index}"),
        _ => match basic(color) {
            Some(index @ 0..8) => (first + index).to_string(),
            Some(index) => (first + 60 + index - 8).to_string(),
            None => none.to_string(),
        },
    }
}

fn underline(color: Color) -> String {
    match color {
        Color::Rgb(red, green, blue) => format!("58;2;{red};{green};{blue}"),
        Color::Indexed(index) => format!("58;5;{index}"),
        _ => basic(color).map_or_else(|| "59".to_owned(), |index| format!("58;5;{index}")),
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

    #[test]
    fn bold_stays_when_dim_ends() {
        let both = pen(Color::Reset, Color::Reset, Modifier::BOLD | Modifier::DIM);
        let bold = pen(Color::Reset, Color::Reset, Modifier::BOLD);
        assert!(["\x1b[22;1m", "\x1b[0;1m"].contains(&both.to(bold).as_str()), "{:?}", both.to(bold));
    }

    #[test]
    fn the_shorter_way_from_one_pen_to_another_is_taken() {
        let hint = pen(Color::Red, Color::Reset, Modifier::BOLD);
        assert_eq!(hint.to(pen(Color::Blue, Color::Reset, Modifier::BOLD)), "\x1b[34m");
        let marked = pen(Color::Red, Color::Indexed(200), Modifier::BOLD | Modifier::UNDERLINED);
        assert_eq!(marked.to(pen(Color::Blue, Color::Reset, Modifier::empty())), "\x1b[0;34m");
        assert_eq!(marked.to(Pen::PLAIN), "\x1b[m");
        assert_eq!(marked.to(marked), "");
    }

    #[test]
    fn a_blank_is_drawn_by_every_pen_with_its_background() {
        let blank = Cell::default();
        assert!(pen(Color::Red, Color::Reset, Modifier::BOLD).draws(&blank));
        assert!(!pen(Color::Red, Color::Reset, Modifier::UNDERLINED).draws(&blank));
        assert!(!pen(Color::Red, Color::Blue, Modifier::empty()).draws(&blank));
    }
}
