//! What a policy that is tried changes in the file it stands in.

use ratatui::layout::Rect;

use super::{keys, message_box};
use crate::app::state::EditDialog;
use crate::text::Shown;
use crate::theme::Role;
use crate::views::widgets::canvas::Canvas;
use crate::views::widgets::line::Line;

/// The rows of the box besides those of the diff: frame, where it is, keys.
const AROUND: u16 = 8;

/// Draws the dialog over `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, dialog: &EditDialog) {
    let width = usize::from(area.width.saturating_sub(4));
    let mut lines = vec![
        Line::default()
            .dim("In      ")
            .and(Shown::new(&dialog.edit.remote).cut_start(width.saturating_sub(8))),
        Line::default(),
    ];
    let diff: Vec<&str> = dialog.edit.patch.lines().collect();
    let rows = usize::from(area.height.saturating_sub(AROUND)).max(1);
    let top = dialog.scroll.min(diff.len().saturating_sub(rows));
    lines.extend(
        diff.iter().skip(top).take(rows).map(|line| Line::of(role(line), Shown::new(line).cut_end(width))),
    );
    let write = format!("write {}", dialog.patch_name());
    lines.extend([Line::default(), keys(&[("y", "copy"), ("w", &write), ("Esc", "back")])]);
    message_box(canvas, area, &format!("Edit of {}", dialog.policy), 60, &lines);
}

fn role(line: &str) -> Role {
    match line.as_bytes().first() {
        Some(b'+') => Role::DiffAdd,
        Some(b'-') => Role::DiffDel,
        Some(b'@') => Role::TextDim,
        _ => Role::Text,
    }
}
