//! A table: a header, the rows that are visible, the cursor. Rows are made when they are drawn, so that a hundred
//! thousand cost no more than forty.

use std::ops::Range;

use ratatui::layout::Rect;

use super::canvas::{Canvas, to_cells};
use super::columns::{Column, Cut, Need, Placed, place, place_for, place_wide};
use super::line::Line;
use crate::app::pointer::Spot;
use crate::app::rows::STANDING_COLUMNS;
use crate::text::Shown;
use crate::theme::Role;

/// One cell.
pub(crate) enum Cell<'a> {
    /// Text in one role, cut as its column says.
    Text(Shown, Role),
    /// Text in several roles, cut at its end.
    Line(Line),
    /// Text that is made for the cells there are; below the number of cells that stands with it, something is cut.
    Fitted(usize, Box<dyn Fn(usize) -> Line + 'a>),
}

impl<'a> Cell<'a> {
    /// Ordinary text.
    pub(crate) fn plain(text: impl Into<Shown>) -> Self {
        Self::Text(text.into(), Role::Text)
    }

    /// Text in `role`.
    pub(crate) fn of(role: Role, text: impl Into<Shown>) -> Self {
        Self::Text(text.into(), role)
    }

    /// What `fit` makes of the cells there are; in `whole` cells nothing that matters is cut.
    pub(crate) fn fitted(whole: usize, fit: impl Fn(usize) -> Line + 'a) -> Self {
        Self::Fitted(whole, Box::new(fit))
    }

    fn need(&self) -> Need {
        let (whole, full) = match self {
            Self::Text(text, _) => (text.width(), text.width()),
            Self::Line(line) => (line.width(), line.width()),
            Self::Fitted(whole, fit) => (*whole, fit(usize::MAX).width()),
        };
        Need { whole: to_cells(whole), full: to_cells(full) }
    }
}

/// One row.
pub(crate) enum Row<'a> {
    /// A cell for each column, dropped ones included.
    Cells(Vec<Cell<'a>>),
    /// A line over the whole width.
    Line(Line),
}

/// The columns whose cells are boxes to tick.
const BOXES: [&str; 2] = ["DEC", "SEL"];

/// How wide columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Widths {
    /// The same whatever the rows hold.
    Fixed,
    /// As the rows need.
    Measured,
    /// All columns as the rows need, this many of those behind the name scrolled out on the left.
    Wide(usize),
}

/// What a table shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    /// Its columns.
    pub(crate) columns: &'a [Column],
    /// The column by which it is sorted, and whether that is descending; gets an arrow.
    pub(crate) sorted: Option<(&'a str, bool)>,
    /// The columns by which it can be sorted, in the order of the view's orders.
    pub(crate) orders: &'a [(&'a str, bool)],
    /// Whether its rows are those of the view's list, so that clicks go there.
    pub(crate) is_list: bool,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// The first visible row.
    pub(crate) top: usize,
    /// The row under the cursor.
    pub(crate) cursor: usize,
    /// The rows of a range that keys act on; the other ones than the cursor's get a mark of their own.
    pub(crate) range: Option<(usize, usize)>,
    /// Whether it has the keys; without them the cursor row has its mark but no background.
    pub(crate) focused: bool,
    /// How wide its columns are.
    pub(crate) widths: Widths,
}

impl Table<'_> {
    /// Draws the header into the first row of `area` and the rows that fit below it.
    pub(crate) fn draw<'r>(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        mut row: impl FnMut(usize) -> Row<'r>,
    ) {
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let made = self.made(usize::from(body.height));
        let first = made.start;
        let rows: Vec<Row<'_>> = made.map(&mut row).collect();
        let scrolls = self.top > 0 || self.rows > usize::from(body.height);
        let placed = match self.widths {
            Widths::Fixed => place(self.columns, area.width),
            Widths::Measured => place_for(self.columns, &self.needs(&rows), area.width, scrolls),
            Widths::Wide(skipped) => {
                let scrolled = (STANDING_COLUMNS, skipped);
                place_wide(self.columns, &self.needs(&rows), area.width, scrolled)
            }
        };
        if area.height > 0 {
            self.header(canvas, area, &placed);
            let goes_on = placed.last().is_some_and(|last| last.index + 1 < self.columns.len());
            if matches!(self.widths, Widths::Wide(_)) && goes_on {
                canvas.line_right(area.x, area.y, area.width, &Line::of(Role::KeyHint, "›"));
            }
        }
        for (y, index) in (body.y..body.bottom()).zip(self.top..self.rows) {
            let here = Rect { y, height: 1, ..body };
            if let Some(row) = rows.get(index - first) {
                self.row(canvas, here, &placed, row);
                if self.is_list {
                    self.spots(canvas, here, &placed, index);
                }
            }
            if self.range.is_some_and(|(first, end)| (first..end).contains(&index)) {
                canvas.mark_range(here.x, y);
            }
            if index == self.cursor {
                self.mark(canvas, here, &placed);
            }
        }
    }

    /// The rows that are made: those in sight, of which there are at most `height`; where they are measured, whole
    /// screens of them, so that columns move once a screen and not with every row that comes into sight.
    fn made(&self, height: usize) -> Range<usize> {
        if self.widths == Widths::Fixed || height == 0 {
            return self.top..self.rows.min(self.top + height);
        }
        let start = self.top / height * height;
        start..self.rows.min(start + 2 * height)
    }

    /// What each column needs for its title and for `rows`.
    fn needs(&self, rows: &[Row<'_>]) -> Vec<Need> {
        let titles = self.columns.iter().map(|column| {
            let arrow = usize::from(self.sorted.is_some_and(|(title, _)| title == column.title));
            let cells = to_cells(Shown::new(column.title).width() + arrow);
            Need { whole: cells, full: cells }
        });
        let mut needs: Vec<Need> = titles.collect();
        for row in rows {
            let Row::Cells(cells) = row else { continue };
            for (need, cell) in needs.iter_mut().zip(cells) {
                *need = need.and(cell.need());
            }
        }
        needs
    }

    /// What clicks on a row mean: the column of boxes decides, the rest goes there.
    fn spots(&self, canvas: &mut Canvas<'_>, here: Rect, placed: &[Placed], index: usize) {
        canvas.spot(here, Spot::Row(index));
        let boxes = placed.iter().find(|placed| BOXES.contains(&self.columns[placed.index].title));
        if let Some(column) = boxes {
            canvas.spot(Rect { x: here.x + column.x, width: column.width, ..here }, Spot::Box(index));
        }
    }

    fn header(&self, canvas: &mut Canvas<'_>, area: Rect, placed: &[Placed]) {
        for (index, column) in placed.iter().map(|placed| (placed, &self.columns[placed.index])) {
            let mut title = Line::of(Role::TextDim, column.title.replace('→', canvas.arrow()));
            if let Some((_, descending)) = self.sorted.filter(|(title, _)| *title == column.title) {
                title = title.with(Role::TextDim, if descending { "↓" } else { "↑" });
            }
            // A right-aligned title may reach into the blank before it.
            let spare = u16::from(column.right && index.x > 1);
            let (x, width) = (area.x + index.x - spare, index.width + spare);
            if let Some(order) = self.orders.iter().position(|(title, _)| *title == column.title) {
                canvas.spot(Rect { x, width, height: 1, ..area }, Spot::Order(order));
            }
            if column.right {
                canvas.line_right(x, area.y, width, &title);
            } else {
                canvas.line(x, area.y, width, &title);
            }
        }
    }

    fn row(&self, canvas: &mut Canvas<'_>, area: Rect, placed: &[Placed], row: &Row<'_>) {
        match row {
            Row::Line(line) => {
                canvas.line(area.x + 1, area.y, area.width.saturating_sub(1), line);
            }
            Row::Cells(cells) => {
                for placed in placed {
                    if let Some(cell) = cells.get(placed.index) {
                        self.cell(canvas, area, *placed, cell);
                    }
                }
            }
        }
    }

    fn cell(&self, canvas: &mut Canvas<'_>, area: Rect, placed: Placed, cell: &Cell<'_>) {
        let column = &self.columns[placed.index];
        let max = usize::from(placed.width);
        let line = match cell {
            Cell::Text(text, role) => Line::of(*role, cut(text, column.cut, max)),
            Cell::Line(line) => line.cut_end(max),
            Cell::Fitted(_, fit) => fit(max),
        };
        let x = area.x + placed.x;
        if column.right {
            canvas.line_right(x, area.y, placed.width, &line);
        } else {
            canvas.line(x, area.y, placed.width, &line);
        }
    }

    /// The cursor: a mark in the gutter, and a background behind the primary columns.
    fn mark(&self, canvas: &mut Canvas<'_>, area: Rect, placed: &[Placed]) {
        if self.focused {
            canvas.highlight_words(Rect { width: highlighted(placed, area.width), ..area });
            canvas.put_cursor(area.x, area.y);
        }
        canvas.mark(area.x, area.y);
        if self.focused {
            canvas.tint(area.x, area.y);
        }
    }
}

/// How many cells of the cursor row get its background. Each costs a byte a move, so a wide table gets it on its first
/// columns alone; whole ones, unless that would leave much of what can be afforded unused.
fn highlighted(placed: &[Placed], width: u16) -> u16 {
    let most = if width <= 80 { 56 } else { 72 };
    let ends = placed.iter().map(|placed| placed.x + placed.width);
    let whole = ends.filter(|end| *end <= most).max().unwrap_or(0);
    if most - whole > 8 { most.min(width) } else { whole }
}

fn cut(text: &Shown, cut: Cut, max: usize) -> Shown {
    match cut {
        Cut::End => text.cut_end(max),
        Cut::Middle => text.cut_middle(max),
        Cut::Start => text.keep_tail(max),
    }
}

/// `OLD → NEW` in `max` cells: both ends of the old value stay before the new one is shortened.
pub(crate) fn change(old: &Shown, arrow: &str, new: &Shown, max: usize) -> Line {
    let between = arrow.chars().count() + 2;
    let (old_width, new_width) = (old.width(), new.width());
    let left = max.saturating_sub(between);
    if old_width + new_width <= left {
        return joined(old.clone(), arrow, new.clone());
    }
    // An old value is recognisable in 14 cells.
    let old_room = left.saturating_sub(new_width).max(14.min(left / 2)).min(old_width);
    let new_room = left.saturating_sub(old_room.min(old_width));
    joined(old.cut_middle(old_room), arrow, new.cut_end(new_room))
}

/// The cells that [`change`] takes where it cuts nothing.
pub(crate) fn change_width(old: &Shown, arrow: &str, new: &Shown) -> usize {
    old.width() + arrow.chars().count() + 2 + new.width()
}

fn joined(old: Shown, arrow: &str, new: Shown) -> Line {
    Line::plain(old).dim(format!(" {arrow} ")).and(new)
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::super::canvas::Look;
    use super::*;
    use crate::theme::{Depth, Theme};

    #[test]
    fn only_visible_rows_are_made() {
        let theme = Theme::fallback(Depth::True);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 5));
        let mut canvas = Canvas::new(&mut buffer, Look { theme: &theme, ascii: false });
        let columns = [Column::fixed("N", 8)];
        let table = Table {
            orders: &[],
            is_list: false,
            columns: &columns,
            sorted: None,
            rows: 100_000,
            top: 99_990,
            cursor: 99_991,
            range: Some((99_990, 99_993)),
            focused: true,
            widths: Widths::Fixed,
        };
        let mut made = 0;
        table.draw(&mut canvas, Rect::new(0, 0, 20, 5), |index| {
            made += 1;
            Row::Cells(vec![Cell::plain(index.to_string())])
        });
        assert_eq!(made, 4);
        let gutter: Vec<&str> = (1..5).map(|y| buffer[(0, y)].symbol()).collect();
        assert_eq!(gutter, ["│", "▌", "│", " "], "a range is seen");
        assert_eq!(buffer[(1, 2)].symbol(), "9");
    }

    #[test]
    fn columns_take_the_widths_of_rows_a_screen_at_a_time() {
        let theme = Theme::fallback(Depth::True);
        let columns = [Column::fixed("NAME", 8).flex(4, 12), Column::fixed("STATUS", 6)];
        let starts = |top: usize| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 5));
            let mut canvas = Canvas::new(&mut buffer, Look { theme: &theme, ascii: false });
            let (sorted, range) = (None, None);
            let table = Table {
                orders: &[],
                is_list: false,
                columns: &columns,
                sorted,
                rows: 100,
                top,
                cursor: top,
                range,
                focused: true,
                widths: Widths::Measured,
            };
            let mut made = 0;
            table.draw(&mut canvas, Rect::new(0, 0, 24, 5), |index| {
                made += 1;
                let name = if index == 13 { "a-longer-name" } else { "short" };
                Row::Cells(vec![Cell::plain(name), Cell::plain("ok")])
            });
            assert!(made <= 8, "{made} rows");
            (0..24)
                .position(|x| buffer[(x, 1)].symbol() == "o" && buffer[(x + 1, 1)].symbol() == "k")
                .unwrap()
        };
        assert_eq!((starts(0), starts(3)), (10, 10), "eight cells, though the rows need five");
        assert_eq!((starts(8), starts(11), starts(15)), (14, 14, 14), "as long as the long one is near");
        assert_eq!(starts(16), 10);
    }

    #[test]
    fn the_background_of_the_cursor_row_ends_where_a_slow_line_can_afford_it() {
        let columns =
            [Column::fixed("A", 30), Column::fixed("B", 22), Column::fixed("C", 10), Column::fixed("D", 30)];
        let cells = |width, columns: &[Column]| highlighted(&place(columns, width), width);
        assert_eq!(cells(80, &columns), 54, "whole columns");
        assert_eq!(cells(100, &columns), 65);
        assert_eq!(
            cells(80, &[Column::fixed("A", 30), Column::fixed("B", 40)]),
            56,
            "or as much as there may be"
        );
        assert_eq!(cells(60, &[Column::fixed("A", 30)]), 56);
        assert_eq!(cells(40, &[Column::fixed("A", 30)]), 40);
    }

    #[test]
    fn the_old_value_gives_way_first() {
        let text = |max| {
            let line = change(&"main-4f2a91c-1763769600".into(), "→", &"main-9b1d3e7-1763805600".into(), max);
            line.runs().iter().map(|(text, _)| text.to_string()).collect::<String>()
        };
        assert_eq!(text(49), "main-4f2a91c-1763769600 → main-9b1d3e7-1763805600");
        assert_eq!(text(39), "main-4f…769600 → main-9b1d3e7-17638056…");
        assert_eq!(text(44), "main-4f2a9…3769600 → main-9b1d3e7-1763805600");
    }
}
