use std::num::NonZeroU16;

use proptest::prelude::*;
use ratatui::buffer::Cell;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::*;

/// A painter, the buffer to draw on, and the terminal that takes its bytes.
struct Screen {
    painter: Painter,
    next: Buffer,
    terminal: vt100::Parser,
}

fn terminal(width: u16, height: u16) -> vt100::Parser {
    let size = |number| NonZeroU16::new(number).unwrap();
    vt100::Parser::new(size(height), size(width), 0)
}

fn buffer(width: u16, height: u16) -> Buffer {
    Buffer::empty(Rect::new(0, 0, width, height))
}

impl Screen {
    fn new(width: u16, height: u16) -> Self {
        Self {
            painter: Painter::new(width, height),
            next: buffer(width, height),
            terminal: terminal(width, height),
        }
    }

    fn show(&mut self, wanted: &Buffer) -> String {
        self.next.clone_from(wanted);
        let bytes = self.painter.frame(&mut self.next, None).unwrap_or_default();
        self.terminal.process(bytes.as_bytes());
        bytes
    }

    fn draw(&mut self, lines: &[Line<'_>]) -> String {
        let mut wanted = buffer(self.next.area.width, self.next.area.height);
        for (y, line) in (0..).zip(lines) {
            wanted.set_line(0, y, line, wanted.area.width);
        }
        self.show(&wanted)
    }

    fn row(&self, y: u16) -> String {
        let width = self.next.area.width;
        self.terminal.screen().contents_between(y, 0, y, width).trim_end().to_owned()
    }
}

#[test]
fn a_frame_that_changes_nothing_is_no_bytes() {
    let mut screen = Screen::new(40, 4);
    let line = [Line::from("hello").bold()];
    assert!(!screen.draw(&line).is_empty());
    assert_eq!(screen.draw(&line), "");
}

#[test]
fn one_cell_costs_no_more_than_the_way_to_it() {
    let mut screen = Screen::new(80, 24);
    let cursor = Some(Cursor { place: Position::new(0, 8), shown: false });
    let mut frame = |mark: &str| {
        let mut wanted = buffer(80, 24);
        wanted.set_string(1, 22, format!("{mark} scanning"), Style::new());
        screen.painter.frame(&mut wanted, cursor).unwrap_or_default()
    };
    frame("/");
    let bytes = frame("-");
    assert!(bytes.len() <= 20, "{bytes:?}");
    assert_eq!(frame("-"), "");
}

#[test]
fn a_blank_between_words_costs_one_byte_and_keeps_what_lies_behind_it() {
    let mut screen = Screen::new(40, 4);
    let line = |reversed: bool| {
        let blank = if reversed { Span::raw(" ").reversed() } else { Span::raw(" ") };
        Line::from(vec![Span::raw("a").red(), blank, Span::raw("b").red()])
    };
    let bytes = screen.draw(&[line(false)]);
    assert_eq!(bytes.matches("\x1b[3").count(), 1, "{bytes:?}");
    for reversed in [false, true, false] {
        screen.draw(&[line(reversed)]);
        assert_eq!(screen.terminal.screen().cell(0, 1).unwrap().inverse(), reversed);
    }
}

#[test]
fn blanks_are_erased_within_a_row_and_up_to_its_end() {
    let mut screen = Screen::new(60, 4);
    screen.draw(&[Line::from("x".repeat(60))]);
    let bytes = screen.draw(&[Line::from("x")]);
    assert!(bytes.contains("\x1b[K") && bytes.len() < 40, "{bytes:?}");
    screen.draw(&[Line::from("x".repeat(60))]);
    let bytes = screen.draw(&[Line::from(format!("x{}x", " ".repeat(58)))]);
    assert!(bytes.len() < 40, "{bytes:?}");
    assert_eq!(screen.row(0).len(), 60);
}

#[test]
fn nothing_is_written_on_the_way_from_inside_a_wide_character() {
    let mut screen = Screen::new(6, 2);
    screen.draw(&[Line::from("axcd"), Line::from("界cd")]);
    // The cursor comes down into the second half of the character, one column before what changes.
    screen.draw(&[Line::from("bxcd"), Line::from("界xd")]);
    assert_eq!((screen.row(0), screen.row(1)), ("bxcd".to_owned(), "界xd".to_owned()));
}

#[test]
fn a_colour_that_comes_back_on_every_row_is_chosen_once() {
    let mut screen = Screen::new(40, 4);
    let dim = Color::Rgb(163, 169, 179);
    let line = || Line::from(vec![Span::raw("old "), Span::styled("to", dim), Span::raw(" new")]);
    let bytes = screen.draw(&[line(), line(), line(), line()]);
    assert_eq!(bytes.matches("163").count(), 1, "{bytes:?}");
    assert_eq!(screen.row(3), "old to new");
}

/// A list in rows 2 to 21 of an 80x24 terminal, scrolled to `top`, with the cursor on `cursor`.
#[test]
fn a_wall_is_drawn_downwards() {
    let mut screen = Screen::new(80, 24);
    let wall = |x| {
        let mut wanted = buffer(80, 24);
        for y in 2..22 {
            wanted.set_string(x, y, "│", Style::new().blue());
            wanted.set_string(x + 20, y, "│", Style::new().blue());
        }
        wanted
    };
    let bytes = screen.show(&wall(30));
    // Three bytes for the cell itself, one down, one back.
    assert!(bytes.len() <= 2 * 20 * 5 + 40, "{} bytes: {bytes:?}", bytes.len());
    assert_shows(&screen, &wall(30));
    screen.show(&wall(12));
    assert_shows(&screen, &wall(12));
}

fn list(top: usize, cursor: usize) -> Buffer {
    let mut wanted = buffer(80, 24);
    wanted.set_string(0, 0, "supercargo › list", Style::new().bold());
    for (y, row) in (2..22).zip(top..) {
        let name = format!(" [ ] object-{row:<12} main-{:07x}", row * 7919 % 65_536);
        wanted.set_string(0, y, name, Style::new());
        wanted.set_string(60, y, format!("minor {row:>6}"), Style::new().dim());
        if row == cursor {
            wanted.set_style(Rect::new(0, y, 56, 1), Style::new().bg(Color::Rgb(48, 56, 70)));
        }
    }
    wanted.set_string(1, 22, format!("row {cursor}/1000"), Style::new().dim());
    wanted
}

#[test]
fn a_list_that_scrolls_sends_its_new_row_and_the_one_that_the_cursor_left() {
    let mut screen = Screen::new(80, 24);
    screen.show(&list(500, 519));
    for step in 1..100 {
        let bytes = screen.show(&list(500 + step, 519 + step));
        assert!(bytes.len() <= 280, "{}: {bytes:?}", bytes.len());
        assert!(bytes.contains("\x1b[3;2") && bytes.contains("\x1b[r"), "{bytes:?}");
    }
    screen.show(&list(599, 599));
    for step in 1..100 {
        let bytes = screen.show(&list(599 - step, 599 - step));
        assert!(bytes.len() <= 280, "{}: {bytes:?}", bytes.len());
    }
    assert_shows(&screen, &list(500, 500));
}

#[test]
fn several_rows_at_once_are_scrolled_as_one() {
    let mut screen = Screen::new(80, 24);
    screen.show(&list(500, 519));
    let bytes = screen.show(&list(503, 522));
    assert!(bytes.len() <= 480, "{}: {bytes:?}", bytes.len());
    assert_shows(&screen, &list(503, 522));
}

#[test]
fn a_terminal_that_was_left_or_changed_its_size_gets_everything_anew() {
    let mut screen = Screen::new(80, 24);
    screen.show(&list(0, 5));
    screen.terminal.process(b"\x1b[5;10r\x1b[31mnoise of another program\r\n\n\n");
    screen.painter.forget();
    screen.show(&list(0, 5));
    assert_shows(&screen, &list(0, 5));
    let wanted = Buffer::with_lines(["ab", "c "]);
    screen.painter.resize(2, 2);
    screen.terminal = terminal(2, 2);
    screen.show(&wanted);
    assert_shows(&screen, &wanted);
}

/// Everything in the simplest way: each cell for itself.
fn full(wanted: &Buffer) -> vt100::Parser {
    let mut wanted = wanted.clone();
    grid::settle(&mut wanted);
    let mut screen = terminal(wanted.area.width, wanted.area.height);
    for position in wanted.area.positions() {
        let cell = &wanted[position];
        if cell.symbol().is_empty() {
            continue;
        }
        let mut pen = String::new();
        Pen::PLAIN.change(Pen::of(cell), &mut pen);
        let text = format!("\x1b[{};{}H\x1b[m{pen}{}", position.y + 1, position.x + 1, cell.symbol());
        screen.process(text.as_bytes());
    }
    screen
}

/// What is seen of a cell: nothing but its background, of a blank.
fn look(screen: &vt100::Parser, x: u16, y: u16) -> String {
    let cell = screen.screen().cell(y, x).unwrap();
    let is_blank = cell.contents().trim().is_empty() && !cell.is_wide_continuation();
    if is_blank && !cell.inverse() && !cell.underline() {
        return format!("blank on {:?}", cell.bgcolor());
    }
    format!(
        "{:?} {:?} on {:?} {}{}{}{}{} {}{}",
        cell.contents().trim(),
        cell.fgcolor(),
        cell.bgcolor(),
        cell.bold(),
        cell.dim(),
        cell.italic(),
        cell.underline(),
        cell.inverse(),
        cell.is_wide(),
        cell.is_wide_continuation()
    )
}

fn difference(screen: &Screen, wanted: &Buffer) -> Option<String> {
    let full = full(wanted);
    let differs = |position: &Position| {
        look(&screen.terminal, position.x, position.y) != look(&full, position.x, position.y)
    };
    wanted.area.positions().find(differs).map(|Position { x, y }| {
        format!("({x}, {y}): {} instead of {}", look(&screen.terminal, x, y), look(&full, x, y))
    })
}

fn assert_shows(screen: &Screen, wanted: &Buffer) {
    assert_eq!(difference(screen, wanted), None);
}

/// A way in which the next frame differs from the one before.
#[derive(Debug, Clone)]
enum Change {
    /// Every cell, out of these.
    All(Vec<u8>),
    /// Rows `top..bottom` move by so many, and others come in.
    Move { top: u16, bottom: u16, by: i16, with: u8 },
    /// Single cells.
    Some(Vec<(u16, u16, u8)>),
    /// A row gets another background.
    Highlight { y: u16, look: u8 },
    /// The end of a row is blank.
    Blank { x: u16, y: u16 },
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 40).prop_map(Change::All),
        4 => (0u16..12, 0u16..13, -4i16..5, any::<u8>())
            .prop_map(|(top, bottom, by, with)| Change::Move { top, bottom, by, with }),
        2 => prop::collection::vec((0u16..30, 0u16..12, any::<u8>()), 1..6).prop_map(Change::Some),
        2 => (0u16..12, any::<u8>()).prop_map(|(y, look)| Change::Highlight { y, look }),
        1 => (0u16..30, 0u16..12).prop_map(|(x, y)| Change::Blank { x, y }),
    ]
}

/// One of a few symbols in one of a few looks.
fn cell(seed: u8) -> Cell {
    const SYMBOLS: [&str; 8] = ["a", "b", " ", " ", "─", "界", "e\u{301}", "x"];
    let mut cell = Cell::default();
    cell.set_symbol(SYMBOLS[usize::from(seed % 8)]);
    set_look(&mut cell, seed / 8);
    cell
}

fn set_look(cell: &mut Cell, look: u8) {
    let style = match look % 9 {
        0..3 => Style::new(),
        3 => Style::new().fg(Color::Rgb(163, 169, 179)),
        4 => Style::new().fg(Color::Indexed(111)).bold(),
        5 => Style::new().bg(Color::Rgb(48, 56, 70)),
        6 => Style::new().red().underlined(),
        7 => Style::new().reversed().dim(),
        // Bold and dim at once are one or the other to the terminal of these tests.
        _ => Style::new().bold().italic().bg(Color::Blue),
    };
    cell.modifier = Modifier::empty();
    cell.set_style(style);
}

/// Applies a change as views would draw it: wide characters cover their second cell.
fn apply(change: &Change, buffer: &mut Buffer) {
    let area = buffer.area;
    match change {
        Change::All(seeds) => {
            for (cell_of, seed) in buffer.content.iter_mut().zip(seeds.iter().cycle()) {
                *cell_of = cell(*seed);
            }
        }
        Change::Move { top, bottom, by, with } => {
            let old = buffer.clone();
            let rows = *top..(*bottom).min(area.height);
            for (y, x) in rows.clone().flat_map(|y| (0..area.width).map(move |x| (y, x))) {
                let from = y.checked_add_signed(*by).filter(|from| rows.contains(from));
                buffer[(x, y)] = match from {
                    Some(from) => old[(x, from)].clone(),
                    None => cell(with.wrapping_mul(u8::try_from(x).unwrap() | 1)),
                };
            }
        }
        Change::Some(cells) => {
            for (x, y, seed) in cells.iter().filter(|(x, y, _)| *x < area.width && *y < area.height) {
                buffer[(*x, *y)] = cell(*seed);
            }
        }
        Change::Highlight { y, look } => {
            for x in (0..area.width).filter(|_| *y < area.height) {
                set_look(&mut buffer[(x, *y)], *look);
            }
        }
        Change::Blank { x, y } => {
            for x in (*x..area.width).filter(|_| *y < area.height) {
                buffer[(x, *y)] = Cell::default();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_changes_the_terminal_shows_what_a_full_redraw_shows(
        width in 1u16..30,
        height in 1u16..13,
        changes in prop::collection::vec(changes(), 1..12),
    ) {
        let mut screen = Screen::new(width, height);
        let mut wanted = buffer(width, height);
        for change in changes {
            apply(&change, &mut wanted);
            let bytes = screen.show(&wanted);
            prop_assert_eq!(difference(&screen, &wanted), None, "{:?}", bytes);
            prop_assert_eq!(screen.show(&wanted), "");
            // Whatever is scrolled, no region is left.
            let last = bytes.rfind('r').and_then(|at| bytes.get(..at));
            prop_assert!(last.is_none_or(|before| before.ends_with("\x1b[")), "{:?}", bytes);
        }
    }
}
