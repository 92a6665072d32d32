//! `b`: where the commits go, in how many, with or without a request.

use ratatui::layout::Rect;

use super::{keys, keys_within, message_box};
use crate::app::state::{State, TargetDialog, TargetRow};
use crate::text::Shown;
use crate::theme::Role;
use crate::views::widgets::canvas::{Canvas, to_cells};
use crate::views::widgets::field;
use crate::views::widgets::line::Line;

/// The columns of the inside of the box, where the terminal has them.
const WIDTH: u16 = 68;
/// Where branches begin.
const INDENT: u16 = 24;
/// The rows of the switches and of the keys, with a blank before each.
const SWITCHES: usize = 5;

/// Draws the menu over `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, dialog: &TargetDialog) {
    let rows = state.target_rows();
    let width = WIDTH.min(area.width.saturating_sub(4));
    let room = usize::from(width.saturating_sub(INDENT));
    let typing = dialog.field.is_some();
    // Of a low screen the rows that only explain or part others go first.
    let is_low = usize::from(area.height.saturating_sub(2)) < 2 * rows.len() + SWITCHES;
    let mut lines: Vec<Line> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let [head, means] = row_lines(at, row, room, typing && at == dialog.cursor);
        lines.push(head);
        lines.extend(Some(means).filter(|_| !is_low || at == dialog.cursor));
    }
    let gap = || Some(Line::default()).filter(|_| !is_low);
    lines.extend(gap());
    lines.extend([switch("s", "commits", split(state)), switch("r", "request", request(state))]);
    lines.extend(gap());
    lines.push(if typing {
        keys(&[("Enter", "take it"), ("Esc", "back")])
    } else {
        keys_within(&[("1-5 Enter", "take it"), ("s r", "switch"), ("Esc", "back")], width)
    });
    let inside = message_box(canvas, area, "Where do the commits go?", width, &lines);
    let y = inside.y + to_cells(if is_low { dialog.cursor } else { 2 * dialog.cursor });
    if y >= inside.bottom() {
        return;
    }
    if let Some(typed) = &dialog.field {
        let row = Rect { x: inside.x + INDENT, y, width: inside.width.saturating_sub(INDENT), height: 1 };
        field::draw(canvas, row, typed.text(), typed.cursor(), Role::Text);
        return;
    }
    canvas.highlight(Rect { y, height: 1, ..inside });
    canvas.mark(inside.x, y);
    canvas.put_cursor(inside.x, y);
}

/// A way to choose the branch, and below it what that means.
fn row_lines(at: usize, row: &TargetRow, room: usize, typing: bool) -> [Line; 2] {
    let mark = if row.chosen { "✓" } else { " " };
    let head = Line::plain(" ").with(Role::KeyHint, (at + 1).to_string()).and("  ");
    let head = head.with(Role::StateOk, mark).and(format!(" {:<18}", row.label));
    let branches = Shown::from(row.branches.join(", ")).cut_end(room);
    let first = if typing { head } else { head.with(Role::Select, branches) };
    let role = if row.means.contains("protected:") { Role::StateWarn } else { Role::TextDim };
    let indent = " ".repeat(usize::from(INDENT));
    [first, Line::plain(indent).with(role, Shown::new(&row.means).cut_end(room))]
}

fn switch(key: &str, label: &str, value: &str) -> Line {
    let head = Line::plain(" ").with(Role::KeyHint, Shown::new(key)).and("    ");
    head.and(format!("{label:<18}")).and(Shown::new(value))
}

fn split(state: &State) -> &'static str {
    if state.destination.split { "one for each policy" } else { "one for each automation" }
}

fn request(state: &State) -> &'static str {
    if state.requests {
        "opened for what is pushed"
    } else if state.without_forge().is_some() {
        "none: no forge is known there"
    } else {
        "none"
    }
}
