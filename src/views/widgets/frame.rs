//! Rules with a title, and boxes.

use ratatui::layout::Rect;

use super::canvas::{Canvas, to_cells};
use super::glyphs;
use super::line::Line;
use crate::theme::Role;

/// Draws `── TITLE ───────` over the first row of `area`; of the pane that has the keys, `══ TITLE ═══════`.
pub(crate) fn rule(canvas: &mut Canvas<'_>, area: Rect, title: &Line, focused: bool) {
    let (role, glyph) =
        if focused { (Role::BorderFocus, glyphs::RULE_FOCUS) } else { (Role::Border, glyphs::RULE) };
    canvas.repeat(area.x, area.y, area.width, glyph, role);
    if title.is_empty() || area.width < 8 {
        return;
    }
    let titled = Line::of(role, " ").append(title.cut_end(usize::from(area.width) - 6)).with(role, " ");
    canvas.line(area.x + 2, area.y, area.width - 4, &titled);
}

/// A title for a rule or a box: `text` in bold.
pub(crate) fn title(text: impl Into<crate::text::Shown>) -> Line {
    Line::of(Role::Select, text)
}

/// `title` and as many of `parts` behind it, in their order, as have room on a rule of `width` cells; those without
/// text are left out.
pub(crate) fn title_with(title: Line, parts: impl IntoIterator<Item = Line>, width: u16) -> Line {
    let room = usize::from(width).saturating_sub(6);
    let parts = parts.into_iter().filter(|part| part.width() > 0);
    let wider = parts.scan(title.clone(), |line, part| {
        *line = line.clone().and("   ").append(part);
        (line.width() <= room).then(|| line.clone())
    });
    wider.last().unwrap_or(title)
}

/// Draws an upright wall at column `x` of `area`, from its first row to its last.
pub(crate) fn wall(canvas: &mut Canvas<'_>, x: u16, area: Rect) {
    for y in area.y..area.bottom() {
        canvas.repeat(x, y, 1, glyphs::WALL, Role::Border);
    }
}

/// Empties the middle of `area` for a box with room for `width` times `height`, draws it with its title and returns
/// the inside; what does not fit is cut.
pub(crate) fn boxed(canvas: &mut Canvas<'_>, area: Rect, title: &Line, size: (u16, u16)) -> Rect {
    let width = (size.0 + 4).min(area.width);
    let height = (size.1 + 2).min(area.height);
    let outer = Rect {
        x: area.x + (area.width - width) / 2,
        // A little above the middle, where eyes look first.
        y: area.y + (area.height - height) * 2 / 5,
        width,
        height,
    };
    canvas.clear(outer);
    edges(canvas, outer, title);
    Rect {
        x: outer.x + 2,
        y: outer.y + 1,
        width: outer.width.saturating_sub(4),
        height: outer.height.saturating_sub(2),
    }
}

fn edges(canvas: &mut Canvas<'_>, outer: Rect, title: &Line) {
    let role = Role::BorderFocus;
    let (right, bottom) = (outer.right().saturating_sub(1), outer.bottom().saturating_sub(1));
    canvas.repeat(outer.x, outer.y, outer.width, glyphs::RULE, role);
    canvas.repeat(outer.x, bottom, outer.width, glyphs::RULE, role);
    for y in outer.y..=bottom {
        canvas.repeat(outer.x, y, 1, glyphs::WALL, role);
        canvas.repeat(right, y, 1, glyphs::WALL, role);
    }
    for (x, y, corner) in
        [(outer.x, outer.y, "┌"), (right, outer.y, "┐"), (outer.x, bottom, "└"), (right, bottom, "┘")]
    {
        canvas.repeat(x, y, 1, corner, role);
    }
    if !title.is_empty() {
        let titled = Line::of(role, " ").append(title.clone()).with(role, " ");
        canvas.line(outer.x + 2, outer.y, outer.width.saturating_sub(4), &titled);
    }
}

/// Draws `lines` from the top of `area`, one a row, as many as fit; returns the rows used.
pub(crate) fn lines<'l>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    lines: impl IntoIterator<Item = &'l Line>,
) -> u16 {
    let mut used = 0;
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        canvas.line(area.x, y, area.width, line);
        used += 1;
    }
    used
}

/// The size of a box that holds `lines`: the widest of them, and how many.
pub(crate) fn size_of(lines: &[Line]) -> (u16, u16) {
    let width = lines.iter().map(Line::width).max().unwrap_or(0);
    (to_cells(width), to_cells(lines.len()))
}

/// `area` without `left` columns at its left, for a paragraph that is set in.
pub(crate) fn inset(area: Rect, left: u16) -> Rect {
    let left = left.min(area.width);
    Rect { x: area.x + left, width: area.width - left, ..area }
}
