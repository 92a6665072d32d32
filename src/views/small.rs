//! S15: a terminal that is too small says so, and nothing panics down to one cell.

use ratatui::layout::Rect;

use super::widgets::canvas::Canvas;
use super::widgets::frame;
use super::widgets::line::Line;
use crate::app::layout::Size;
use crate::theme::Role;

/// What can be done about it.
const ENLARGE: &str = "Enlarge it, or use: supercargo get updates";

/// Draws the sentences, or what fits of "needs 60x16" where a few cells are all there is.
pub(super) fn draw(canvas: &mut Canvas<'_>, size: Size) {
    let Size { width, height } = size;
    if width < 40 || height < 6 {
        canvas.text(0, 0, width, "needs 60x16", Role::Text);
        return;
    }
    let sentences = [format!("Terminal is {width}x{height}; supercargo needs 60x16."), ENLARGE.to_owned()];
    let room = usize::from(width - 2);
    let wrapped = sentences.map(|sentence| Line::plain(sentence).wrap(room));
    // Rows between them only where all of it has room.
    let is_tall = usize::from(height) > 4 + wrapped.iter().map(Vec::len).sum::<usize>();
    let mut lines: Vec<Line> = Vec::new();
    for sentence in wrapped {
        lines.extend(sentence);
        lines.extend(is_tall.then(Line::default));
    }
    lines.push(Line::of(Role::KeyHint, "q").dim(" quit"));
    frame::lines(canvas, Rect { x: 2, y: 1, width: width - 2, height: height - 1 }, &lines);
}
