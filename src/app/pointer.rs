//! What the mouse points at.

use super::view::{Focus, View};

/// Something that is shown and can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// The row of the view's list with this index.
    Row(usize),
    /// Its box to tick.
    Box(usize),
    /// The head of the column that stands for this one of the view's orders.
    Order(usize),
    /// The name of a view.
    Tab(View),
    /// One of two panes.
    Pane(Focus),
    /// The entry of the menu in front with this index.
    Choice(usize),
}
