//! The one place where text reaches ratatui's buffer, and therefore the one that must get it right.
//!
//! ratatui's own text types take any string and drop control characters without a word. Nothing else in `views` uses
//! them: a [`Canvas`] takes [`Shown`], which has mapped them, and a role, which the theme turns into a style.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::glyphs;
use super::line::Line;
use crate::app::pointer::Spot;
use crate::text::{Shown, cells};
use crate::theme::{Role, Theme};

/// How things look on this terminal: the theme, and whether it has more than ASCII.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Roles to styles.
    pub theme: &'a Theme,
    /// Whether only ASCII may be sent.
    pub ascii: bool,
}

/// A buffer to draw on, with the look in which to draw.
#[derive(Debug)]
pub(crate) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    look: Look<'a>,
    cursor: Option<Position>,
    is_in_text: bool,
    has_rows: bool,
    /// What is drawn for the eye alone is left out, and the rows that have the cursor's mark are only noted.
    is_read: bool,
    marked: Vec<u16>,
    ranged: Vec<u16>,
    spots: Vec<(Rect, Spot)>,
    scrolled: Option<usize>,
}

impl<'a> Canvas<'a> {
    /// A canvas over `buffer`.
    pub(crate) fn new(buffer: &'a mut Buffer, look: Look<'a>) -> Self {
        let (cursor, is_in_text, has_rows, is_read) = (None, false, true, false);
        let (marked, ranged, spots) = (Vec::new(), Vec::new(), Vec::new());
        let scrolled = None;
        Self { buffer, look, cursor, is_in_text, has_rows, is_read, marked, ranged, spots, scrolled }
    }

    /// The same for somebody who reads it line by line: without rules, walls, boxes and marks.
    #[must_use]
    pub(crate) fn read(self) -> Self {
        Self { is_read: true, ..self }
    }

    /// Whether it is drawn for somebody who reads it line by line.
    pub(crate) fn is_read(&self) -> bool {
        self.is_read
    }

    /// The rows of a range.
    pub(crate) fn ranged(&self) -> &[u16] {
        &self.ranged
    }

    /// Marks the row `y` at column `x` as one of a range.
    pub(crate) fn mark_range(&mut self, x: u16, y: u16) {
        self.ranged.push(y);
        self.repeat(x, y, 1, glyphs::WALL, Role::Select);
    }

    /// The rows that would have the cursor's mark.
    pub(crate) fn marked(&self) -> &[u16] {
        &self.marked
    }

    /// Marks the row `y` at column `x` as the one under the cursor.
    pub(crate) fn mark(&mut self, x: u16, y: u16) {
        self.marked.push(y);
        self.repeat(x, y, 1, glyphs::CURSOR, Role::BorderFocus);
    }

    /// The same without a background behind the row under the cursor, whose mark alone moves then.
    #[must_use]
    pub(crate) fn without_row(self) -> Self {
        Self { has_rows: false, ..self }
    }

    /// Whether the row under the cursor has a background.
    pub(crate) fn has_rows(&self) -> bool {
        self.has_rows
    }

    /// The line that the preview begins with; `None`: none was drawn.
    pub(crate) fn scrolled(&self) -> Option<usize> {
        self.scrolled
    }

    /// The preview begins with this line.
    pub(crate) fn scroll_to(&mut self, line: usize) {
        self.scrolled = Some(line);
    }

    /// What can be clicked, the last word first.
    pub(crate) fn spots(self) -> Vec<(Rect, Spot)> {
        self.spots
    }

    /// What a click into `area` means; what is drawn later lies above.
    pub(crate) fn spot(&mut self, area: Rect, spot: Spot) {
        self.spots.push((area, spot));
    }

    /// Forgets what can be clicked: something lies over all of it.
    pub(crate) fn cover_spots(&mut self) {
        self.spots.clear();
    }

    /// Where the terminal's own cursor belongs: on the focused row or in the focused field.
    pub(crate) fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    /// Whether the cursor stands in a text that is typed, and has to be seen; elsewhere the row is marked as it is.
    pub(crate) fn is_in_text(&self) -> bool {
        self.is_in_text
    }

    /// Puts the terminal's own cursor into a text that is typed, at `x`, `y`.
    pub(crate) fn put_caret(&mut self, x: u16, y: u16) {
        self.put_cursor(x, y);
        self.is_in_text = true;
    }

    /// Puts the terminal's own cursor at `x`, `y`, if that is on the canvas; the last word counts.
    pub(crate) fn put_cursor(&mut self, x: u16, y: u16) {
        let position = Position::new(x, y);
        if self.buffer.area.contains(position) {
            self.cursor = Some(position);
            self.is_in_text = false;
        }
    }

    /// The arrow from an old to a new value, as wide as this terminal needs it.
    pub(crate) fn arrow(&self) -> &'static str {
        if self.look.ascii { "->" } else { "→" }
    }

    /// Whether only ASCII may be sent.
    pub(crate) fn is_ascii(&self) -> bool {
        self.look.ascii
    }

    /// Draws `text` from `x`, `y` on, cut to `max` cells; returns the cells used.
    pub(crate) fn text(&mut self, x: u16, y: u16, max: u16, text: impl Into<Shown>, role: Role) -> u16 {
        self.shown(x, y, max, &text.into(), role)
    }

    /// Draws `line` from `x`, `y` on; what does not fit into `max` cells ends in an ellipsis. Returns the cells used.
    pub(crate) fn line(&mut self, x: u16, y: u16, max: u16, line: &Line) -> u16 {
        if line.width() > usize::from(max) {
            let cut = line.cut_end(usize::from(max));
            return self.runs(x, y, max, &cut);
        }
        self.runs(x, y, max, line)
    }

    /// Draws `line` so that it ends before `x + width`; cut at its end if it is wider.
    pub(crate) fn line_right(&mut self, x: u16, y: u16, width: u16, line: &Line) -> u16 {
        let used = to_cells(line.width()).min(width);
        self.line(x + (width - used), y, used, line)
    }

    fn runs(&mut self, x: u16, y: u16, max: u16, line: &Line) -> u16 {
        let mut used = 0;
        for (text, role) in line.runs() {
            used += self.shown(x + used, y, max - used, text, *role);
        }
        used
    }

    fn shown(&mut self, x: u16, y: u16, max: u16, text: &Shown, role: Role) -> u16 {
        let max = max.min(self.buffer.area.right().saturating_sub(x));
        if y >= self.buffer.area.bottom() || max == 0 {
            return 0;
        }
        if text.width() > usize::from(max) {
            return self.pieces(x, y, &text.cut_end(usize::from(max)), role);
        }
        self.pieces(x, y, text, role)
    }

    fn pieces(&mut self, x: u16, y: u16, text: &Shown, role: Role) -> u16 {
        let mut used = 0;
        for piece in text.pieces() {
            let role = if piece.hostile { Role::TextHostile } else { role };
            let style = self.look.theme.style(role);
            let leaves_out = self.is_read && role == Role::Border;
            for (grapheme, width) in cells(piece.text) {
                let grapheme = if leaves_out { " " } else { grapheme };
                used += self.grapheme(x + used, y, (grapheme, width), style);
            }
        }
        used
    }

    fn grapheme(&mut self, x: u16, y: u16, (grapheme, width): (&str, usize), style: Style) -> u16 {
        let width = to_cells(width);
        for column in 0..width {
            let Some(cell) = self.buffer.cell_mut((x + column, y)) else { continue };
            let symbol = match column {
                0 if self.look.ascii => glyphs::ascii(grapheme),
                0 => grapheme,
                // The second half of a wide character; in ASCII there is no wide character.
                _ if self.look.ascii => "?",
                _ => "",
            };
            cell.set_symbol(symbol).set_style(style);
        }
        width
    }

    /// Empties `area`, whatever was drawn there.
    pub(crate) fn clear(&mut self, area: Rect) {
        let style = self.look.theme.style(Role::Text);
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }

    /// Draws `glyph`, an ornament, all along a row of `width` cells.
    pub(crate) fn repeat(&mut self, x: u16, y: u16, width: u16, glyph: &str, role: Role) {
        if self.is_read {
            return;
        }
        let style = self.look.theme.style(role);
        for column in x..x.saturating_add(width).min(self.buffer.area.right()) {
            if y < self.buffer.area.bottom() {
                self.grapheme(column, y, (glyph, glyph.width()), style);
            }
        }
    }

    /// Gives the cell at `x`, `y` the background of the cursor row and leaves the rest of it.
    pub(crate) fn tint(&mut self, x: u16, y: u16) {
        let cursor = self.look.theme.style(Role::CursorRow);
        if !self.has_rows {
            return;
        }
        if let (Some(cell), Some(bg)) = (self.buffer.cell_mut((x, y)), cursor.bg) {
            cell.set_bg(bg);
        }
    }

    /// Underlines the cell at `x`, `y`.
    pub(crate) fn underline(&mut self, x: u16, y: u16) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_style(Style::new().add_modifier(Modifier::UNDERLINED));
        }
    }

    /// As [`Self::highlight`], but for the part of the last word that does not end within `row`.
    pub(crate) fn highlight_words(&mut self, row: Rect) {
        let is_blank = |x: u16| {
            self.buffer.cell((row.x.saturating_add(x), row.y)).is_none_or(|cell| cell.symbol() == " ")
        };
        let end = (1..=row.width).rev().find(|width| is_blank(*width) || is_blank(width - 1));
        self.highlight(Rect { width: end.unwrap_or(row.width), ..row });
    }

    /// Shows that the cells of `area` are under the cursor: one style for all of them, so that moving costs few bytes.
    /// Only bold and underline stay, and what is hostile stays hostile.
    pub(crate) fn highlight(&mut self, area: Rect) {
        if !self.has_rows {
            return;
        }
        let base = self.look.theme.style(Role::Text).patch(self.look.theme.style(Role::CursorRow));
        let hostile = self.look.theme.style(Role::TextHostile);
        for position in area.intersection(self.buffer.area).positions() {
            let Some(cell) = self.buffer.cell_mut(position) else { continue };
            let was = cell.style();
            if is_same_look(was, hostile) && hostile != Style::new() {
                continue;
            }
            let kept = was.add_modifier & (Modifier::BOLD | Modifier::UNDERLINED);
            // What is reversed on a reversed row is not reversed.
            let reversed = was.add_modifier & base.add_modifier & Modifier::REVERSED;
            let symbol = cell.symbol().to_owned();
            cell.reset();
            cell.set_symbol(&symbol).set_style(base.add_modifier(kept).remove_modifier(reversed));
        }
    }
}

/// Whether a cell looks as `style` makes it; a colour that was never set reads as the terminal's own.
fn is_same_look(cell: Style, style: Style) -> bool {
    let own = |colour: Option<Color>| colour.unwrap_or(Color::Reset);
    let colours = |style: Style| (own(style.fg), own(style.bg));
    colours(cell) == colours(style) && cell.add_modifier == style.add_modifier
}

/// A width in cells as the terminal counts; what is beyond 65,535 is out of sight anyway.
pub(crate) fn to_cells(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Depth;

    fn draw(ascii: bool, width: u16, what: impl FnOnce(&mut Canvas<'_>)) -> Buffer {
        let theme = Theme::fallback(Depth::True);
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 2));
        let mut canvas = Canvas::new(&mut buffer, Look { theme: &theme, ascii });
        what(&mut canvas);
        buffer
    }

    fn row(buffer: &Buffer, y: u16) -> String {
        (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect()
    }

    #[test]
    fn a_text_ends_where_its_room_or_the_screen_ends() {
        let buffer = draw(false, 8, |canvas| {
            assert_eq!(canvas.text(0, 0, 4, "podinfo", Role::Text), 4);
            assert_eq!(canvas.text(5, 0, 20, "podinfo", Role::Text), 3);
            assert_eq!(canvas.text(0, 9, 20, "below", Role::Text), 0);
            assert_eq!(canvas.text(9, 0, 20, "beside", Role::Text), 0);
        });
        assert_eq!(row(&buffer, 0), "pod… po…");
    }

    #[test]
    fn a_wide_character_takes_two_cells() {
        let buffer = draw(false, 6, |canvas| {
            canvas.text(0, 0, 6, "a版b", Role::Text);
        });
        assert_eq!(buffer[(1, 0)].symbol(), "版");
        assert_eq!(buffer[(3, 0)].symbol(), "b");
    }

    #[test]
    fn an_ascii_terminal_gets_ascii_only() {
        let buffer = draw(true, 12, |canvas| {
            canvas.text(0, 0, 12, "★ a版b … └─é", Role::Text);
        });
        assert_eq!(row(&buffer, 0), "* a??b ~ +-?");
    }

    #[test]
    fn hostile_text_keeps_its_look_under_the_cursor() {
        let theme = Theme::fallback(Depth::True);
        let buffer = draw(false, 6, |canvas| {
            canvas.text(0, 0, 6, "a\x1bb", Role::StateWarn);
            canvas.highlight(Rect::new(0, 0, 6, 1));
        });
        assert_eq!(buffer[(1, 0)].fg, theme.style(Role::TextHostile).fg.unwrap());
        assert_eq!(buffer[(0, 0)].bg, theme.style(Role::CursorRow).bg.unwrap());
        assert_eq!(buffer[(0, 0)].fg, theme.style(Role::CursorRow).fg.unwrap());
    }
}
