//! The screen as lines of text: for people who hear it, and for terminals that can only print.
//!
//! The views draw as ever, without rules, walls and boxes; what they drew is read row by row. A row or choice that can be
//! gone to has the number that a click on it would name.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::widgets::canvas::{Canvas, Look};
use super::{bars, dialog, text_of_row, view};
use crate::app::pointer::Spot;
use crate::app::state::State;

/// What is in front, line by line; no line is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// Where one is, and in which mode.
    pub title: String,
    /// The view, or the question over it.
    pub lines: Vec<TextLine>,
    /// The status line; may be empty.
    pub status: String,
    /// What can be done; may be empty.
    pub hints: String,
}

/// One line of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// What names it, counted from 0: the row of the list, or the choice of the menu.
    pub index: Option<usize>,
    /// Whether it is the one under the cursor.
    pub here: bool,
    /// Whether it is one of a range that keys act on.
    pub ranged: bool,
    /// What it says.
    pub text: String,
}

/// What the state shows, in lines as wide as the size that the state knows.
pub fn text(state: &State, look: Look<'_>) -> Text {
    let layout = state.layout();
    let size = Rect { x: 0, y: 0, width: state.size.width, height: state.size.height };
    let (mut buffer, mut below) = (Buffer::empty(size), Buffer::empty(size));
    let mut bar = Canvas::new(&mut below, look).read();
    bars::top(&mut bar, state, &layout);
    bars::bottom(&mut bar, state, &layout);
    let mut canvas = Canvas::new(&mut buffer, look).read();
    if state.overlay.is_some() && state.help.is_none() {
        dialog::draw(&mut canvas, state, &layout);
    } else {
        view(&mut canvas, state, &layout);
    }
    let (marked, ranged) = (canvas.marked().to_vec(), canvas.ranged().to_vec());
    // What lies over a list hides its rows.
    let spots = if layout.overlay { Vec::new() } else { canvas.spots() };
    let rows = layout.title.y + 1..layout.status.y;
    let lines = rows.map(|y| TextLine {
        index: named(&spots, y),
        here: marked.contains(&y),
        ranged: ranged.contains(&y),
        text: row(&buffer, y),
    });
    let lines = without_indent(lines.filter(|line| !line.text.trim().is_empty()).collect());
    let said = |y| row(&below, y).trim_start().to_owned();
    Text { title: said(layout.title.y), lines, status: said(layout.status.y), hints: said(layout.hints.y) }
}

fn row(buffer: &Buffer, y: u16) -> String {
    let width = usize::from(buffer.area.width);
    buffer.content.chunks(width.max(1)).nth(usize::from(y)).map(text_of_row).unwrap_or_default()
}

/// The row or the choice that is drawn at `y`.
fn named(spots: &[(Rect, Spot)], y: u16) -> Option<usize> {
    spots.iter().rev().filter(|(area, _)| area.y == y && area.height == 1).find_map(|(_, spot)| match spot {
        Spot::Row(index) | Spot::Choice(index) => Some(*index),
        Spot::Box(_) | Spot::Order(_) | Spot::Tab(_) | Spot::Pane(_) => None,
    })
}

/// The lines without the blanks that all of them begin with: a box stands in the middle, a list behind its marks.
fn without_indent(mut lines: Vec<TextLine>) -> Vec<TextLine> {
    let blanks = |line: &TextLine| line.text.len() - line.text.trim_start_matches(' ').len();
    let common = lines.iter().map(blanks).min().unwrap_or(0);
    for line in &mut lines {
        line.text.drain(..common);
    }
    lines
}
