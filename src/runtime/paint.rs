//! Turns changed cells into as few bytes as a terminal needs, and sends each frame with one write.
//!
//! ratatui's own backend repeats colours it has set and clears them at the end of every frame; over a slow link that is
//! most of what a cursor move costs.

use std::fmt::Write as _;
use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const SYNC_BEGIN: &str = "\x1b[?2026h";
const SYNC_END: &str = "\x1b[?2026l";

/// How text is drawn from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    foreground: Color,
    background: Color,
    underline: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self {
        foreground: Color::Reset,
        background: Color::Reset,
        underline: Color::Reset,
        modifier: Modifier::empty(),
    };

    fn of(cell: &Cell) -> Self {
        Self {
            foreground: cell.fg,
            background: cell.bg,
            underline: cell.underline_color,
            modifier: cell.modifier,
        }
    }

    /// Whether a blank drawn with it is the terminal's own blank.
    fn is_blank(self) -> bool {
        let visible = Modifier::UNDERLINED | Modifier::REVERSED | Modifier::CROSSED_OUT;
        self.background == Color::Reset && !self.modifier.intersects(visible)
    }
}

/// A ratatui backend that collects the bytes of a frame.
#[derive(Debug)]
pub(super) struct Painter {
    out: String,
    size: Size,
    pen: Pen,
    /// Where the terminal's cursor is, if that is known.
    at: Option<(u16, u16)>,
    is_cursor_shown: bool,
    /// Where the cursor has to be at the end of the frame.
    rest: Option<(u16, u16)>,
    /// Where the hidden cursor has to be at the end of a frame.
    parked: Option<(u16, u16)>,
}

impl Painter {
    /// A painter for a terminal of this size, whose cursor is hidden.
    pub(super) fn new(width: u16, height: u16) -> Self {
        Self {
            out: String::new(),
            size: Size { width, height },
            pen: Pen::PLAIN,
            at: None,
            is_cursor_shown: false,
            rest: None,
            parked: None,
        }
    }

    /// The terminal has this size now.
    pub(super) fn resize(&mut self, width: u16, height: u16) {
        self.size = Size { width, height };
    }

    /// The terminal was left and entered again: nothing is known of it, its cursor is hidden.
    pub(super) fn forget(&mut self) {
        (self.pen, self.at, self.is_cursor_shown) = (Pen::PLAIN, None, false);
        self.out.clear();
        self.out.push_str("\x1b[m");
    }

    /// Where the cursor goes while it is hidden: what follows it, such as a magnifier, finds the focused row.
    pub(super) fn park(&mut self, place: Option<Position>) {
        self.parked = place.map(|place| (place.x, place.y));
    }

    /// The bytes of the frame; `None` if nothing changed.
    pub(super) fn take(&mut self) -> Option<String> {
        let place = if self.is_cursor_shown { self.rest } else { self.parked };
        if let Some((x, y)) = place {
            self.go(x, y);
        }
        if self.out.is_empty() {
            return None;
        }
        let frame = format!("{SYNC_BEGIN}{}{SYNC_END}", self.out);
        self.out.clear();
        Some(frame)
    }

    fn go(&mut self, x: u16, y: u16) {
        if self.at == Some((x, y)) {
            return;
        }
        // Writing to a String cannot fail.
        let _ = match self.at {
            Some((from, row)) if row == y && x > from && x - from < 10 => {
                write!(self.out, "\x1b[{}C", x - from)
            }
            Some((_, row)) if row == y => write!(self.out, "\x1b[{}G", x + 1),
            _ if x == 0 => write!(self.out, "\x1b[{}H", y + 1),
            _ => write!(self.out, "\x1b[{};{}H", y + 1, x + 1),
        };
        self.at = Some((x, y));
    }

    /// Changes the pen with one sequence that says what differs and no more.
    fn pick(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        if pen == Pen::PLAIN {
            self.out.push_str("\x1b[m");
            self.pen = pen;
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        let (removed, mut added) = (self.pen.modifier - pen.modifier, pen.modifier - self.pen.modifier);
        for (modifier, _, off) in MODIFIERS {
            if removed.contains(*modifier) && !codes.iter().any(|code| code == off) {
                codes.push((*off).to_owned());
                // 22 ends bold and dim alike.
                if *off == "22" {
                    added |= pen.modifier & (Modifier::BOLD | Modifier::DIM);
                }
            }
        }
        let on = MODIFIERS.iter().filter(|(modifier, ..)| added.contains(*modifier));
        codes.extend(on.map(|(_, on, _)| (*on).to_owned()));
        if pen.foreground != self.pen.foreground {
            codes.push(color(pen.foreground, 30, 38, 39));
        }
        if pen.background != self.pen.background {
            codes.push(color(pen.background, 40, 48, 49));
        }
        if pen.underline != self.pen.underline {
            codes.push(underline(pen.underline));
        }
        let _ = write!(self.out, "\x1b[{}m", codes.join(";"));
        self.pen = pen;
    }

    /// Draws the changed cells of one row. Blanks up to its end are erased, not written.
    fn row(&mut self, y: u16, cells: &[(u16, &Cell)]) {
        let blank = |cell: &Cell| cell.symbol() == " " && Pen::of(cell).is_blank();
        let mut end = cells.len();
        let mut column = self.size.width;
        while end > 0 && column > 0 {
            match cells.get(end - 1) {
                Some((x, cell)) if x + 1 == column && blank(cell) => (end, column) = (end - 1, column - 1),
                _ => break,
            }
        }
        // Erasing takes a sequence of three bytes; shorter tails are written.
        if cells.len() - end < 4 {
            end = cells.len();
        }
        for (x, cell) in cells.get(..end).unwrap_or_default() {
            self.go(*x, y);
            // A blank has no foreground: whatever pen draws one draws this one.
            if !(blank(cell) && self.pen.is_blank()) {
                self.pick(Pen::of(cell));
            }
            self.out.push_str(cell.symbol());
            let width = u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
            // In the last column terminals differ about where the cursor is now.
            self.at = (x + width < self.size.width).then_some((x + width, y));
        }
        if end < cells.len() {
            self.go(column, y);
            if !self.pen.is_blank() {
                self.pick(Pen::PLAIN);
            }
            self.out.push_str("\x1b[K");
        }
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

impl Backend for Painter {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut cells: Vec<(u16, &Cell)> = Vec::new();
        let mut row = 0;
        for (x, y, cell) in content {
            if y != row {
                self.row(row, &cells);
                cells.clear();
                row = y;
            }
            cells.push((x, cell));
        }
        self.row(row, &cells);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_cursor_shown) {
            self.out.push_str("\x1b[?25l");
        }
        self.rest = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_cursor_shown, true) {
            self.out.push_str("\x1b[?25h");
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        let (x, y) = self.at.unwrap_or_default();
        Ok(Position { x, y })
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        self.rest = Some((position.x, position.y));
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.pick(Pen::PLAIN);
        self.out.push_str("\x1b[2J");
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        // The program owns the whole screen and never asks for less.
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        // The event loop sends the frame as a whole.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::style::{Style, Stylize};
    use ratatui::text::{Line, Span};

    use super::*;

    fn terminal() -> Terminal<Painter> {
        Terminal::new(Painter::new(40, 4)).unwrap()
    }

    fn screen() -> vt100::Parser {
        let size = |number| std::num::NonZero::new(number).unwrap();
        vt100::Parser::new(size(4), size(40), 0)
    }

    fn draw(terminal: &mut Terminal<Painter>, lines: &[Line<'_>]) -> String {
        terminal
            .draw(|frame| {
                for (y, line) in (0..).zip(lines) {
                    let area = ratatui::layout::Rect { x: 0, y, width: 40, height: 1 };
                    frame.render_widget(line, area);
                }
            })
            .unwrap();
        terminal.backend_mut().take().unwrap_or_default()
    }

    #[test]
    fn a_frame_that_changes_nothing_is_no_bytes() {
        let mut terminal = terminal();
        let line = [Line::from("hello").bold()];
        assert!(!draw(&mut terminal, &line).is_empty());
        assert_eq!(draw(&mut terminal, &line), "");
    }

    #[test]
    fn what_a_terminal_shows_is_what_was_drawn() {
        let mut terminal = terminal();
        let mut screen = screen();
        let long = Line::from(vec![
            Span::raw("★ tag "),
            Span::styled("red", Style::new().red().bold()),
            Span::raw(" end"),
        ]);
        for lines in [
            [Line::from("x".repeat(40)), long.clone()],
            [Line::from("ab  cd"), long],
            [Line::default(), Line::from("界x")],
        ] {
            screen.process(draw(&mut terminal, &lines).as_bytes());
            for (y, line) in (0..).zip(&lines) {
                let shown = screen.screen().contents_between(y, 0, y, 40);
                let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
                assert_eq!(shown.trim_end(), text.trim_end());
            }
        }
        assert!(!screen.screen().cell(1, 0).unwrap().bold());
    }

    #[test]
    fn bold_stays_when_dim_ends() {
        let mut terminal = terminal();
        let mut screen = screen();
        let both = Style::new().bold().dim();
        let line = Line::from(vec![Span::styled("a", both), Span::styled("b", Style::new().bold())]);
        screen.process(draw(&mut terminal, &[line]).as_bytes());
        assert!(screen.screen().cell(0, 1).unwrap().bold());
    }

    #[test]
    fn a_blank_between_words_costs_one_byte_and_keeps_what_lies_behind_it() {
        let mut terminal = terminal();
        let mut screen = screen();
        let line = |reversed: bool| {
            let blank = if reversed { Span::raw(" ").reversed() } else { Span::raw(" ") };
            Line::from(vec![Span::raw("a").red(), blank, Span::raw("b").red()])
        };
        let bytes = draw(&mut terminal, &[line(false)]);
        assert_eq!(bytes.matches("\x1b[3").count(), 1, "{bytes:?}");
        screen.process(bytes.as_bytes());
        assert!(!screen.screen().cell(0, 1).unwrap().inverse());
        screen.process(draw(&mut terminal, &[line(true)]).as_bytes());
        assert!(screen.screen().cell(0, 1).unwrap().inverse());
        screen.process(draw(&mut terminal, &[line(false)]).as_bytes());
        assert!(!screen.screen().cell(0, 1).unwrap().inverse());
    }

    #[test]
    fn blanks_up_to_the_end_are_erased() {
        let mut terminal = terminal();
        draw(&mut terminal, &[Line::from("x".repeat(40))]);
        let bytes = draw(&mut terminal, &[Line::from("x")]);
        assert!(bytes.contains("\x1b[K") && bytes.len() < 40, "{bytes:?}");
    }
}
