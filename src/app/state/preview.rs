//! The preview pane, and the row it shows while the cursor runs ahead of it; the footer waits with it.

use super::State;
use crate::app::keymap::Hint;
use crate::app::list::List;
use crate::app::moment::Moment;
use crate::app::view::View;

/// Preview and footer stand still for so many milliseconds after the cursor moved, so that a key that is held costs the
/// rows of the list and nothing else.
const DEBOUNCE: u64 = 80;

/// The preview pane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// Whether it lies over the list, on terminals that have no room for both.
    pub overlay: bool,
    /// Whether the list has all the room.
    pub zoomed: bool,
    /// All columns of the list, each as wide as it needs, and how many of those behind the name are scrolled out on the left;
    /// `None`: those that have room.
    pub wide: Option<usize>,
    /// Lines scrolled.
    pub scroll: usize,
    lag: Option<Lag>,
}

/// How far the pane is behind the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lag {
    /// The index of the row that is still shown.
    row: usize,
    /// The footer of that row.
    hints: Vec<Hint>,
    /// When it follows.
    until: Moment,
}

impl Preview {
    /// The pane as it is when its view has just come to the front; zoomed and wide are a person's choice and stay, the columns
    /// that were scrolled to are another view's.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { zoomed: self.zoomed, wide: self.wide.map(|_| 0), ..Self::default() }
    }

    /// Gives the list all the room, or takes that back.
    pub fn toggle_zoom(&mut self) {
        *self = Self { zoomed: !self.zoomed, wide: self.wide, ..Self::default() };
    }

    /// Lays it over the list, or takes it away.
    pub fn toggle_overlay(&mut self) {
        *self = Self { overlay: !self.overlay, ..self.anew() };
    }

    /// The row of the view's `list` that the pane shows.
    pub fn row<'l, K: Ord + Clone>(&self, list: &'l List<K>) -> Option<&'l K> {
        self.lag.as_ref().and_then(|lag| list.rows().get(lag.row)).or_else(|| list.current())
    }

    /// When it follows the cursor; `None` if it has.
    pub fn follows(&self) -> Option<Moment> {
        self.lag.as_ref().map(|lag| lag.until)
    }

    /// The footer that waits with it; `None` if it has followed.
    pub fn hints(&self) -> Option<&[Hint]> {
        self.lag.as_ref().map(|lag| lag.hints.as_slice())
    }
}

impl State {
    /// The cursor has left row `from` of the list in front, whose footer was `hints`: preview and footer follow once no
    /// more keys come.
    pub fn leave_row(&mut self, from: usize, hints: Vec<Hint>) {
        let until = self.at.plus(DEBOUNCE);
        let lag = self.preview.lag.take().unwrap_or(Lag { row: from, hints, until });
        self.preview.lag = Some(Lag { until, ..lag });
    }

    /// The preview shows what is under the cursor from now on, from its first line.
    pub fn settle_preview(&mut self) {
        if self.preview.lag.take().is_none() {
            return;
        }
        self.preview.scroll = 0;
        if self.view_below_help() == View::Diff {
            self.diff.scroll = 0;
        }
    }
}
