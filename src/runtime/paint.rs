//! Turns frames into as few bytes as a terminal needs.
//!
//! ratatui's own backends repeat colours that are set already, jump over single blanks and know no scrolling; over a slow
//! link that is most of what a key costs. Here each frame is drawn in several ways, and the one with the fewest bytes is
//! sent: with rows moved by the terminal or not, rows erased first or written over, colours in reading order or each at
//! once. Whichever it is, what is sent is the difference between what the terminal shows then and what it has to show.

mod brush;
mod grid;
mod pen;
mod runs;
mod scroll;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use crate::views::Cursor;
use brush::Brush;
use runs::Run;
use scroll::{Shift, Shown};

const SYNC_BEGIN: &str = "\x1b[?2026h";
const SYNC_END: &str = "\x1b[?2026l";

/// Knows what a terminal shows, and how to make it show something else.
#[derive(Debug)]
pub(super) struct Painter {
    shown: Buffer,
    brush: Brush,
    is_cursor_shown: bool,
    /// What has to be sent before the next frame.
    before: &'static str,
}

impl Painter {
    /// A painter for an empty terminal of this size, whose cursor is hidden.
    pub(super) fn new(width: u16, height: u16) -> Self {
        Self {
            shown: Buffer::empty(Rect { x: 0, y: 0, width, height }),
            brush: Brush::new(),
            is_cursor_shown: false,
            before: "",
        }
    }

    /// The terminal has this size now, and nobody knows what it made of the old one.
    pub(super) fn resize(&mut self, width: u16, height: u16) {
        *self = Self {
            is_cursor_shown: self.is_cursor_shown,
            before: "\x1b[r\x1b[m\x1b[2J",
            ..Self::new(width, height)
        };
    }

    /// The terminal was left and entered again: nothing is known of it, its cursor is hidden.
    pub(super) fn forget(&mut self) {
        let area = self.shown.area;
        self.resize(area.width, area.height);
        self.is_cursor_shown = false;
    }

    /// The bytes that make the terminal show `wanted`, with its cursor at `cursor`; `None` if it does. Afterwards
    /// `wanted` is another buffer of this size, to draw the next frame on.
    pub(super) fn frame(&mut self, wanted: &mut Buffer, cursor: Option<Cursor>) -> Option<String> {
        grid::settle(wanted);
        let mut brush = self.cheapest(wanted);
        // What is drawn in one go cannot be seen half drawn.
        let is_torn = brush.strokes > 1 || !self.before.is_empty();
        self.cursor(&mut brush, wanted, cursor);
        std::mem::swap(&mut self.shown, wanted);
        let drawn = std::mem::take(&mut brush.out);
        self.brush = brush;
        let before = std::mem::take(&mut self.before);
        match (is_torn, before.is_empty() && drawn.is_empty()) {
            (_, true) => None,
            (true, _) => Some(format!("{SYNC_BEGIN}{before}{drawn}{SYNC_END}")),
            (false, _) => Some(drawn),
        }
    }

    /// The brush after drawing `wanted` in the way that takes the fewest bytes.
    ///
    /// Rows that can be moved nearly always should be, so that is tried first, and a way that cannot take fewer bytes than
    /// the best so far is not looked at. Which one is best is decided in reading order: to look for the best order of a
    /// whole screen that is thrown away takes longer than all else.
    fn cheapest(&self, wanted: &Buffer) -> Brush {
        let blank = vec![Cell::default(); usize::from(wanted.area.width)];
        let now = Shown::now(&self.shown, &blank);
        let mut ways: Vec<Option<Shift>> =
            scroll::candidates(&self.shown, wanted).into_iter().map(Some).collect();
        ways.push(None);
        let mut best: Option<(usize, Brush, Vec<Run>)> = None;
        for way in ways {
            let shown = way.map_or(now, |shift| now.after(shift));
            if best.as_ref().is_some_and(|(bytes, ..)| *bytes <= shown.least(wanted)) {
                continue;
            }
            let mut brush = self.brush.fresh();
            if let Some(shift) = way {
                brush.scroll(shift);
            }
            let runs = runs::between(shown, wanted);
            let bytes = brush.out.len() + brush.cost(&runs, wanted);
            if best.as_ref().is_none_or(|(least, ..)| bytes < *least) {
                best = Some((bytes, brush, runs));
            }
        }
        let Some((_, mut brush, runs)) = best else { return self.brush.fresh() };
        brush.draw(&runs::ordered(&runs, &brush, wanted), wanted);
        brush
    }

    /// Shows or hides the cursor and puts it in its place; hidden, it is found there by what follows it, such as a
    /// magnifier.
    fn cursor(&mut self, brush: &mut Brush, wanted: &Buffer, cursor: Option<Cursor>) {
        let is_shown = cursor.is_some_and(|cursor| cursor.shown);
        if std::mem::replace(&mut self.is_cursor_shown, is_shown) != is_shown {
            brush.out.push_str(if is_shown { "\x1b[?25h" } else { "\x1b[?25l" });
        }
        if let Some(Cursor { place, .. }) = cursor {
            brush.go((place.x, place.y), wanted);
        }
    }
}

#[cfg(test)]
mod tests;
