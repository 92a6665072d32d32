//! S13: every action by its name.

use ratatui::layout::Rect;

use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::frame;
use super::widgets::line::Line;
use crate::app::list::fit;
use crate::app::palette::{Entry, entries};
use crate::app::state::{Palette, State};
use crate::text::Shown;
use crate::theme::Role;

/// Rows of the inside of the box.
const HEIGHT: u16 = 14;

/// The most cells of a name.
const LONGEST: usize = 30;

/// Draws the box over `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, palette: &Palette) {
    let width = area.width.saturating_sub(32).clamp(68, 96);
    let inside = frame::boxed(canvas, area, &frame::title("command"), (width, HEIGHT));
    canvas.text(inside.x, inside.y, 1, ":", Role::KeyHint);
    let row = Rect { x: inside.x + 1, width: inside.width.saturating_sub(1), height: 1, ..inside };
    let list = Rect { y: inside.y + 2, height: inside.height.saturating_sub(4), ..inside };
    let found = entries(state, palette.field.text());
    if found.is_empty() {
        canvas.text(list.x + 1, list.y, list.width, "no action is called that", Role::TextDim);
    }
    let height = usize::from(list.height);
    let top = fit(0, palette.cursor, found.len(), height);
    let names = found.iter().skip(top).take(height).map(|entry| Shown::new(&entry.name).width());
    let names = names.max().unwrap_or(0).min(LONGEST);
    for (y, (at, entry)) in (list.y..list.bottom()).zip(found.iter().enumerate().skip(top)) {
        draw_entry(canvas, Rect { y, height: 1, ..list }, (entry, names), at == palette.cursor);
    }
    let hint = Line::of(Role::KeyHint, "Tab").dim(" complete   ").with(Role::KeyHint, "Enter").dim(" run   ");
    let arrows = if state.commands.is_empty() { " choose   " } else { " choose, recall   " };
    let close = |line: Line| line.with(Role::KeyHint, "Esc").dim(" close");
    let hints = [close(hint.clone().with(Role::KeyHint, "↑↓").dim(arrows)), close(hint)];
    let place = format!("{} of {}", palette.cursor + 1, found.len());
    let place = Line::default().dim(if found.len() > height { place.as_str() } else { "" });
    let bottom = inside.bottom().saturating_sub(1);
    let room = usize::from(inside.width).saturating_sub(place.width() + 3);
    if let Some(hint) = hints.iter().find(|hint| hint.width() <= room) {
        canvas.line(inside.x + 1, bottom, inside.width, hint);
    }
    canvas.line_right(inside.x, bottom, inside.width, &place);
    field::draw(canvas, row, palette.field.text(), palette.field.cursor(), Role::Text);
}

fn draw_entry(canvas: &mut Canvas<'_>, row: Rect, (entry, names): (&Entry, usize), is_cursor: bool) {
    let keys_room = 8;
    let name = Shown::new(&entry.name).cut_end(names);
    let pad = " ".repeat((names + 3).saturating_sub(name.width()));
    let room = usize::from(row.width).saturating_sub(3 + names + 3 + keys_room);
    let (name_role, what) = match &entry.refusal {
        Some(reason) => (Role::TextDim, reason),
        None => (Role::Text, &entry.doc),
    };
    let line = Line::plain("   ").with(name_role, name).and(pad).dim(Shown::new(what).cut_end(room));
    canvas.line(row.x, row.y, row.width, &line);
    let first_key = entry.keys.split(' ').next().unwrap_or_default();
    canvas.line_right(row.x, row.y, row.width, &Line::of(Role::KeyHint, first_key));
    if is_cursor {
        canvas.highlight(row);
        canvas.mark(row.x + to_cells(1), row.y);
    }
}
