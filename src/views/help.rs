//! S12: what the keys do here, from the table of actions; entries that cannot run now are grey and say why.

use ratatui::layout::Rect;

use super::rect;
use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::glyphs;
use super::widgets::line::Line;
use crate::app::action::key_of;
use crate::app::layout::Layout;
use crate::app::palette::{self, HelpRow};
use crate::app::state::{Help, State};
use crate::text::Shown;
use crate::theme::Role;

/// The least width at which an entry reads well.
const COLUMN: u16 = 46;

/// The marks of the screens, and what they mean.
const LEGEND: [(&str, &str); 12] = [
    ("[x] [-] [ ]", "approved, skipped, undecided"),
    ("[~] [H] [!]", "approved in part, held, blocked"),
    ("★ ✓", "selected tag, candidate"),
    ("↕ ?", "outside the range, not a version"),
    ("· ⊘", "not matched, excluded"),
    ("‖ ✗", "collides with another, no valid tag"),
    ("F N", "tag in files, new since the last scan"),
    ("D H", "its digest moved, it is held"),
    ("+ -", "newer, older than what the files hold"),
    ("DOWN name!", "goes back, changes the image's name"),
    ("!2", "problems: press !"),
    ("Shift-drag", "selects text while m has the mouse"),
];

/// A line of the page.
enum Entry {
    Heading(&'static str),
    Key(usize, HelpRow),
    Mark(&'static str, &'static str),
    Blank,
}

/// Draws the page that has the cursor's entry on it, in as many columns as fit.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let Some(help) = &state.help else { return };
    let area = rect(layout.list);
    let label = format!("help for {}", state.view_below_help().title());
    let used = canvas.text(area.x + 1, area.y, area.width, label, Role::Select);
    search(canvas, area, used, help);
    let body = Rect {
        x: area.x + 1,
        y: area.y + 2,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    };
    let entries = entries(state, help);
    if entries.is_empty() {
        let line = Line::plain("No key does that.   ")
            .with(Role::KeyHint, key_of(state, "palette.open"))
            .and(" finds every action by its name");
        canvas.line(body.x + 1, body.y + 1, body.width, &line);
        return;
    }
    page(canvas, body, entries, help.cursor);
}

fn search(canvas: &mut Canvas<'_>, area: Rect, used: u16, help: &Help) {
    let x = area.x + used + 5;
    let hint = if help.field.text().is_empty() { "type to search" } else { "search" };
    let used = canvas.text(x, area.y, area.width, hint, Role::TextDim) + 1;
    let row = Rect { x: x + used, y: area.y, width: area.right().saturating_sub(x + used + 1), height: 1 };
    field::draw(canvas, row, help.field.text(), help.field.cursor(), Role::Text);
}

fn entries(state: &State, help: &Help) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut group = None;
    for (at, row) in palette::help_rows(state).into_iter().enumerate() {
        if group != Some(row.row.group) {
            if group.is_some() {
                entries.push(Entry::Blank);
            }
            entries.push(Entry::Heading(row.row.group.title()));
            group = Some(row.row.group);
        }
        entries.push(Entry::Key(at, row));
    }
    if help.field.text().is_empty() {
        entries.push(Entry::Blank);
        entries.push(Entry::Heading("Meaning of marks"));
        entries.extend(LEGEND.iter().map(|(mark, meaning)| Entry::Mark(mark, meaning)));
    }
    entries
}

/// The entries in columns of `height` rows: no heading stands at the end of one, no blank at its start.
fn arranged(entries: Vec<Entry>, height: usize) -> Vec<Entry> {
    let mut arranged = Vec::new();
    for entry in entries {
        let row = arranged.len() % height.max(1);
        match entry {
            Entry::Blank if row == 0 => continue,
            Entry::Heading(_) if row + 1 == height => arranged.push(Entry::Blank),
            _ => {}
        }
        arranged.push(entry);
    }
    arranged
}

fn page(canvas: &mut Canvas<'_>, area: Rect, entries: Vec<Entry>, cursor: usize) {
    let fits = (area.width / COLUMN).max(1);
    // No narrower than they have to be.
    let columns = fits.min(to_cells(entries.len().div_ceil(usize::from(area.height).max(1)))).max(1);
    let entries = &arranged(entries, usize::from(area.height));
    let per_page = usize::from(columns * area.height).max(1);
    let at =
        entries.iter().position(|entry| matches!(entry, Entry::Key(row, _) if *row == cursor)).unwrap_or(0);
    let first = at / per_page * per_page;
    let width = area.width / columns;
    for (place, entry) in entries.iter().skip(first).take(per_page).enumerate() {
        let (column, row) = (to_cells(place) / area.height, to_cells(place) % area.height);
        let cell =
            Rect { x: area.x + column * width, y: area.y + row, width: width.saturating_sub(1), height: 1 };
        draw_entry(canvas, cell, entry, matches!(entry, Entry::Key(row, _) if *row == cursor));
    }
    let pages = entries.len().div_ceil(per_page);
    if pages > 1 {
        let text = format!("page {} of {pages}", first / per_page + 1);
        canvas.line_right(area.x, area.y.saturating_sub(2), area.width, &Line::default().dim(text));
    }
}

fn draw_entry(canvas: &mut Canvas<'_>, cell: Rect, entry: &Entry, is_cursor: bool) {
    let line = match entry {
        Entry::Blank => return,
        Entry::Heading(title) => Line::of(Role::Select, *title),
        Entry::Mark(mark, meaning) => {
            let pad = " ".repeat(13_usize.saturating_sub(Shown::new(mark).width()));
            Line::plain(format!(" {mark}{pad}")).dim(*meaning)
        }
        Entry::Key(_, row) => key_line(row, usize::from(cell.width)),
    };
    canvas.line(cell.x, cell.y, cell.width, &line);
    if is_cursor {
        canvas.highlight(cell);
        canvas.repeat(cell.x, cell.y, 1, glyphs::CURSOR, Role::BorderFocus);
    }
}

fn key_line(row: &HelpRow, width: usize) -> Line {
    let keys = Shown::new(&row.keys).cut_end(12);
    let pad = " ".repeat(13 - keys.width());
    match &row.refusal {
        Some(reason) => {
            let head = format!(" {keys}{pad}");
            let room = width.saturating_sub(Shown::new(&head).width());
            let what = Shown::new(clause(row.row.doc));
            let and_why = what.clone().and(": ").and(clause(reason));
            // The status line has the whole reason.
            let what = if and_why.width() <= room { and_why } else { what.cut_end(room) };
            Line::of(Role::TextDim, head).dim(what)
        }
        None => Line::plain(" ").with(Role::KeyHint, keys).and(pad).and(clause(row.row.doc)),
    }
}

/// The first clause of a sentence; the status line has all of it.
fn clause(sentence: &str) -> &str {
    sentence.split([',', ';', ':']).next().unwrap_or(sentence)
}

/// The whole sentence of the entry under the cursor, which its column may have cut.
pub(super) fn summary(state: &State) -> Line {
    let Some(help) = &state.help else { return Line::default() };
    let rows = palette::help_rows(state);
    let Some(row) = rows.get(help.cursor) else {
        return Line::default().dim("keys shown are the ones in force");
    };
    match &row.refusal {
        Some(reason) => Line::plain(row.row.doc).dim(" · not now: ").with(Role::StateWarn, reason),
        None => Line::plain(row.row.doc),
    }
}
