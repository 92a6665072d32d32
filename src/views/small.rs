//! S15: a terminal that is too small says so, and nothing panics down to one cell.

use ratatui::layout::Rect;

use super::widgets::canvas::Canvas;
use super::widgets::frame;
use super::widgets::line::Line;
use crate::app::layout::Size;
use crate::theme::Role;

/// The cells that the sentences below take.
const SENTENCE: u16 = 46;

/// Draws what fits of "needs 60x16".
pub(super) fn draw(canvas: &mut Canvas<'_>, size: Size) {
    let Size { width, height } = size;
    if width < SENTENCE || height < 6 {
        canvas.text(0, 0, width, "needs 60x16", Role::Text);
        return;
    }
    let lines = [
        Line::plain(format!("Terminal is {width}x{height}; supercargo needs 60x16.")),
        Line::default(),
        Line::plain("Enlarge it, or use: supercargo get updates"),
        Line::default(),
        Line::of(Role::KeyHint, "q").dim(" quit"),
    ];
    frame::lines(canvas, Rect { x: 2, y: 1, width: width - 2, height: height - 1 }, &lines);
}
