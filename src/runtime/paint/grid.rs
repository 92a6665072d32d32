//! The cells of a screen in the one form in which equal cells look equal.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use unicode_width::UnicodeWidthStr;

use super::pen::Pen;

/// Brings what was drawn into the form in which frames are compared: the second half of a wide character is empty and
/// looks as the first; a blank has no other look than the one that is seen of it; what no terminal could show is blank.
pub(super) fn settle(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks_exact_mut(width) {
        let mut rest = row;
        while !rest.is_empty() {
            let used = settle_first(rest).min(rest.len());
            rest = &mut rest[used..];
        }
    }
}

/// Settles the character in the first of `cells`; returns how many cells it has.
fn settle_first(cells: &mut [Cell]) -> usize {
    let [first, rest @ ..] = cells else { return 1 };
    let symbol = first.symbol();
    let width = if symbol.len() == 1 { 1 } else { symbol.width() };
    match (width, rest) {
        (1, _) => {
            settle_blank(first);
            1
        }
        (2, [second, ..]) => {
            *second = first.clone();
            second.set_symbol("");
            2
        }
        // Half a character at the edge, or one that has no cell.
        _ => {
            first.set_symbol(" ");
            settle_blank(first);
            1
        }
    }
}

fn settle_blank(cell: &mut Cell) {
    let mut bare = Cell::default();
    bare.bg = cell.bg;
    if cell.symbol() == " " && Pen::of(&bare).draws(cell) {
        *cell = bare;
    }
}

/// Whether a cell is as an erased one.
pub(super) fn is_erased(cell: &Cell) -> bool {
    cell.bg == Color::Reset && cell.symbol() == " " && Pen::PLAIN.draws(cell)
}

/// The cells of row `y`.
pub(super) fn row(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let from = usize::from(y) * width;
    buffer.content.get(from..from + width).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn halves_of_characters_are_never_left() {
        let mut buffer = Buffer::with_lines(["a界b界"]);
        buffer[(2, 0)].set_symbol("x");
        settle(&mut buffer);
        assert_eq!(buffer[(2, 0)].symbol(), "", "a wide character covers what was written over its end");
        buffer[(1, 0)].set_symbol("x");
        settle(&mut buffer);
        assert_eq!(buffer[(2, 0)].symbol(), " ", "an end without its beginning is blank");
        let mut buffer = Buffer::with_lines(["a界"]);
        buffer[(1, 0)].set_symbol("a");
        buffer[(2, 0)].set_symbol("界");
        settle(&mut buffer);
        assert_eq!(buffer[(2, 0)].symbol(), " ", "what the edge cuts is blank");
    }

    #[test]
    fn a_blank_has_no_colour_but_the_one_behind_it() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 3, 1));
        buffer.set_style(buffer.area, Style::new().red().bold().on_blue());
        settle(&mut buffer);
        assert_eq!((buffer[(0, 0)].fg, buffer[(0, 0)].bg), (Color::Reset, Color::Blue));
        buffer.set_style(buffer.area, Style::new().red().reversed());
        settle(&mut buffer);
        assert_eq!(buffer[(0, 0)].fg, Color::Red);
    }
}
