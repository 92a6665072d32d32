//! S12: what the keys do here, from the table of actions; entries that cannot run now are grey and say why.

use ratatui::layout::Rect;

use super::rect;
use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::line::Line;
use crate::app::help::{self, Entry, HelpRow, Pages};
use crate::app::layout::Layout;
use crate::app::state::{Help, State};
use crate::text::Shown;
use crate::theme::Role;

/// Draws the page that has the cursor's entry on it, in as many columns as fit.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let Some(open) = &state.help else { return };
    let area = rect(layout.list);
    let label = format!("help for {}", state.view_below_help().title());
    let used = canvas.text(area.x + 1, area.y, area.width, label, Role::Select);
    search(canvas, area, used, open);
    let (width, height) = help::body(area.width, area.height);
    let body = Rect { x: area.x + 1, y: area.y + 2, width, height };
    let pages = Pages::of(state, (width, height));
    if pages.is_empty() {
        let line = Line::plain("No key does that.   ")
            .with(Role::KeyHint, "Enter")
            .and(" looks for it among the names of all actions");
        canvas.line(body.x + 1, body.y + 1, body.width, &line);
        return;
    }
    page(canvas, body, &pages, open.cursor);
}

fn search(canvas: &mut Canvas<'_>, area: Rect, used: u16, help: &Help) {
    let x = area.x + used + 5;
    let hint = if help.field.text().is_empty() { "type to search" } else { "search" };
    let used = canvas.text(x, area.y, area.width, hint, Role::TextDim) + 1;
    let row = Rect { x: x + used, y: area.y, width: area.right().saturating_sub(x + used + 1), height: 1 };
    field::draw(canvas, row, help.field.text(), help.field.cursor(), Role::Text);
}

fn page(canvas: &mut Canvas<'_>, area: Rect, pages: &Pages, cursor: usize) {
    let page = pages.page_of(cursor);
    let width = area.width / pages.columns;
    for (place, entry) in pages.lines(page).iter().enumerate() {
        let (column, row) = (to_cells(place) / area.height.max(1), to_cells(place) % area.height.max(1));
        let cell =
            Rect { x: area.x + column * width, y: area.y + row, width: width.saturating_sub(1), height: 1 };
        draw_entry(canvas, cell, entry, entry.place() == Some(cursor));
    }
    if pages.len() > 1 {
        let text = format!("page {} of {}", page + 1, pages.len());
        canvas.line_right(area.x, area.y.saturating_sub(2), area.width, &Line::default().dim(text));
    }
}

fn draw_entry(canvas: &mut Canvas<'_>, cell: Rect, entry: &Entry, is_cursor: bool) {
    let line = match entry {
        Entry::Blank => return,
        Entry::Heading(title) => Line::of(Role::Select, *title),
        Entry::Mark(_, mark, meaning) => {
            let pad = " ".repeat(13_usize.saturating_sub(Shown::new(mark).width()));
            Line::plain(format!(" {mark}{pad}")).dim(*meaning)
        }
        Entry::Key(_, row) => key_line(row, usize::from(cell.width)),
    };
    canvas.line(cell.x, cell.y, cell.width, &line);
    if is_cursor {
        canvas.highlight(cell);
        canvas.mark(cell.x, cell.y);
    }
}

fn key_line(row: &HelpRow, width: usize) -> Line {
    let keys = Shown::new(&row.keys).cut_end(12);
    let pad = " ".repeat(13 - keys.width());
    match &row.refusal {
        Some(reason) => {
            let head = format!(" {keys}{pad}");
            let room = width.saturating_sub(Shown::new(&head).width());
            let what = Shown::new(clause(row.doc));
            let and_why = what.clone().and(": ").and(clause(reason));
            // The status line has the whole reason.
            let what = if and_why.width() <= room { and_why } else { what.cut_end(room) };
            Line::of(Role::TextDim, head).dim(what)
        }
        None => Line::plain(" ").with(Role::KeyHint, keys).and(pad).and(clause(row.doc)),
    }
}

/// The first clause of a sentence; the status line has all of it.
fn clause(sentence: &str) -> &str {
    sentence.split([',', ';', ':']).next().unwrap_or(sentence)
}

/// The whole sentence of the entry under the cursor, which its column may have cut.
pub(super) fn summary(state: &State) -> Line {
    let Some(open) = &state.help else { return Line::default() };
    let rows = help::rows(state);
    let Some(row) = rows.get(open.cursor) else {
        return Line::default().dim("keys shown are the ones in force");
    };
    match &row.refusal {
        Some(reason) => Line::plain(row.doc).dim(" · not now: ").with(Role::StateWarn, reason),
        None => Line::plain(row.doc),
    }
}
