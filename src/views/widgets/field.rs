//! A field to type into: its text and the caret.

use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, to_cells};
use super::glyphs;
use crate::text::Shown;
use crate::theme::Role;

/// Draws `text` with the caret before byte `caret`, scrolled so that the caret is in sight, into the first row of
/// `area`; puts the terminal's cursor there.
pub(crate) fn draw(canvas: &mut Canvas<'_>, area: Rect, text: &str, caret: usize, role: Role) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let shown = Shown::new(text);
    let before = text.get(..caret).map_or(shown.width(), |before| Shown::new(before).width());
    let room = usize::from(area.width) - 1;
    let from = before.saturating_sub(room);
    let window = shown.window(from, room + 1);
    canvas.text(area.x, area.y, area.width, window, role);
    let x = area.x + to_cells(before - from);
    match shown.as_str().graphemes(true).nth(grapheme_at(&shown, before)) {
        Some(_) => canvas.underline(x, area.y),
        None => canvas.repeat(x, area.y, 1, glyphs::CARET, Role::BorderFocus),
    }
    canvas.put_caret(x, area.y);
}

/// Which grapheme begins at column `column`.
fn grapheme_at(shown: &Shown, column: usize) -> usize {
    let mut at = 0;
    let before = |grapheme: &&str| {
        let is_before = at < column;
        at += grapheme.width();
        is_before
    };
    shown.as_str().graphemes(true).take_while(before).count()
}
