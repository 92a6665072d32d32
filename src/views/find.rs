//! S14: anything by a few letters of its name.

use ratatui::layout::Rect;

use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::frame;
use super::widgets::line::Line;
use crate::app::find::Entry;
use crate::app::list::fit;
use crate::app::state::Find;
use crate::text::{Shown, spaced};
use crate::theme::Role;

/// Rows of the list, where the terminal has them.
const ROWS: u16 = 12;

/// Cells of the word that says what something is, and the blanks around it.
const WORD: usize = 15;

/// Cells of what is said beside the name, at most.
const ABOUT: usize = 36;

/// Cells of it that names never take.
const LEAST_ABOUT: usize = 18;

/// Draws the box over `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, find: &Find) {
    let width = area.width.saturating_sub(32).clamp(68, 110);
    let height = (ROWS + 2).min(area.height.saturating_sub(2));
    let inside = frame::boxed(canvas, area, &frame::title("find"), (width, height));
    let counted = count(find);
    let used = to_cells(counted.width() + 2);
    canvas.line_right(inside.x, inside.y, inside.width, &counted);
    let row = Rect { width: inside.width.saturating_sub(used), height: 1, ..inside };
    let list = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
    if find.hits.entries.is_empty() && find.job.is_none() {
        canvas.text(list.x + 3, list.y, list.width, "nothing here is called that", Role::TextDim);
    }
    let found = &find.hits.entries;
    let rows = usize::from(list.height);
    let top = fit(0, find.cursor, found.len(), rows);
    let shown = found.iter().skip(top).take(rows);
    let about = shown.clone().map(|entry| Shown::new(&entry.about).width()).max().unwrap_or(0).min(ABOUT);
    // Names keep what they need, as far as what is said beside them still reads.
    let names = shown.clone().map(|entry| Shown::new(&entry.name).width()).max().unwrap_or(0);
    let left = usize::from(list.width).saturating_sub(WORD + 2 + names);
    let about = about.min(left.max(LEAST_ABOUT));
    for (y, (at, entry)) in (list.y..list.bottom()).zip(shown.enumerate()) {
        draw_entry(canvas, Rect { y, height: 1, ..list }, (entry, about), top + at == find.cursor);
    }
    field::draw(canvas, row, find.field.text(), find.field.cursor(), Role::Text);
}

/// `6 of 98 731`; how many fit is only known once everything was looked at.
fn count(find: &Find) -> Line {
    let all = spaced(find.haystack.len());
    let so_far = if find.job.is_some() { " so far" } else { "" };
    Line::default().dim(format!("{}{so_far} of {all}", spaced(find.hits.matches)))
}

fn draw_entry(canvas: &mut Canvas<'_>, row: Rect, (entry, about): (&Entry, usize), is_cursor: bool) {
    let room = usize::from(row.width).saturating_sub(WORD + 2 + about);
    let name = Shown::new(&entry.name).cut_middle(room);
    let pad = " ".repeat(room.saturating_sub(name.width()) + 2);
    let word = format!("   {:<width$}", entry.place.word(), width = WORD - 3);
    let line = Line::default().dim(word).with(Role::Text, name).and(pad);
    canvas.line(row.x, row.y, row.width, &line.dim(Shown::new(&entry.about).cut_end(about)));
    if is_cursor {
        canvas.highlight(row);
        canvas.mark(row.x + 1, row.y);
    }
}
